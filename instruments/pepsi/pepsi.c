/* PEPSI at the LBT: spectra of its pipeline SDS, in any of its stages (.nor, .avr, .all).
 *
 * Layout: a FITS table, a row a pixel, with columns Arg (wavelength in air), Fun (flux), Var
 * (variance) and Mask (Strassmeier et al. 2015, AN 336, 324, and 2018, A&A 612, A44; the PETS
 * release at the NASA Exoplanet Archive, whose Arg is in micrometres). Orders are joined by the
 * pipeline. */
#include "../common/file_table.h"
#include "../common/recognise.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct options {
    gridded_options grid;
    int correction, mask;
} options;

enum { DONE, SSBVEL };       /* option correction */
enum { BAD, GOOD, IGNORED }; /* option mask */

/* clang-format off */
static const anpe_option option_table[] = {
    GRIDDED_OPTIONS("4800 5440 6280 6860", 130000, GRIDDED_SMOOTH, 10, 0, "6276 6330"),
    ANPE_OPT_ENUM(options, correction, DONE, "done|ssbvel", "done: wavelengths are corrected for the observer's motion, as those of releases are; ssbvel: the header's SSBVEL (m/s) is still to be added"),
    ANPE_OPT_ENUM(options, mask, BAD, "bad|good|ignored", "what a value of the column Mask other than 0 says of its pixel"),
    ANPE_OPT_END};
/* clang-format on */

static int table_of(fitsfile *f)
{
    for (int hdu = 1; survey_fits_has(f, hdu); hdu++)
        if (survey_fits_has_column(f, hdu, "Arg") && survey_fits_has_column(f, hdu, "Fun"))
            return hdu;
    return 0;
}

/* In other tables a mask that is not 0 says bad. */
static void settle_mask(const options *o, gridded_file *file)
{
    for (int64_t k = 0; k < file->o.n; k++)
        for (int64_t i = 0; i < file->o.order[k].n; i++) {
            uint8_t *mask = &file->o.order[k].mask[i];
            *mask = o->mask == BAD ? *mask : o->mask == GOOD && !*mask;
        }
}

/* SSBVEL is in m/s. Nothing in a file says whether it has been applied. */
static anpe_status find_velocity(anpe_ctx *ctx, const options *o, fitsfile *f, const char *path,
                                 gridded_file *file)
{
    double ms = NAN;
    const int has = survey_fits_real(f, 0, "SSBVEL", &ms) || survey_fits_real(f, 1, "SSBVEL", &ms);
    file->barycentric = o->correction == SSBVEL ? ms / 1000 : 0;
    if (o->correction == SSBVEL && !has)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no keyword SSBVEL with a number", path);
    if (o->correction == DONE && has)
        anpe_log(ctx, ANPE_INFO, "%s: SSBVEL %.6g km/s is taken as applied (instrument.correction)",
                 path, ms / 1000);
    return ANPE_OK;
}

/* Resolving power of a fibre by its diameter, 0 if not known. */
static double fibre_resolution(fitsfile *f)
{
    char text[FLEN_VALUE] = "";
    if (!survey_fits_text(f, 0, "FIBER", text))
        return 0;
    switch (atoi(text)) {
    case 100:
        return 250000;
    case 200:
        return 130000;
    case 300:
        return 50000;
    default:
        return 0;
    }
}

static anpe_status read_file(anpe_ctx *ctx, const void *opaque, const char *path, int64_t row,
                             gridded_file *file)
{
    static const column_names names = {"Arg", "Fun", "", "", ERROR_NONE, .step = 0};
    const options *o = opaque;
    fitsfile *f = NULL;
    anpe_status status = survey_fits_open(ctx, path, &f);
    if (!status && !table_of(f))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: no table with the columns Arg and Fun; expected a spectrum of "
                           "PEPSI's pipeline",
                           path);
    if (!status)
        status = file_table_read(ctx, f, path, &names, row, NULL, file);
    if (!status)
        status = find_velocity(ctx, o, f, path, file);
    if (!status) {
        const double fibre = fibre_resolution(f);
        settle_mask(o, file);
        if (fibre > 0 && fabs(fibre / o->grid.resolution - 1) > 0.2)
            anpe_log(ctx, ANPE_WARNING,
                     "%s: taken with the fibre of resolving power %g; instrument.resolution is %g",
                     path, fibre, o->grid.resolution);
    }
    survey_fits_close(f);
    return status;
}

static anpe_status recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    fitsfile *f = recognise_fits(ctx, path);
    char text[FLEN_VALUE];
    double ms;
    if (f && table_of(f)) {
        recognise_as(out, ANPE_MATCH_SURVEY, "PEPSI", "PEPSI spectrum, a table of its pipeline");
        out->n_spectra = 1;
        out->medium = ANPE_MEDIUM_AIR;
        if (survey_fits_text(f, 0, "OBJECT", text))
            snprintf(out->object, sizeof out->object, "%s", text);
        if (survey_fits_real(f, 0, "SSBVEL", &ms))
            snprintf(out->frame, sizeof out->frame,
                     "barycentric, if SSBVEL (%.6g m/s) has been added", ms);
        else
            snprintf(out->frame, sizeof out->frame, "barycentric, as releases are");
    }
    survey_fits_close(f);
    return ANPE_OK;
}

static const char *const reading[] = {GRIDDED_READING, "correction", "mask", NULL};
static const gridded_family family = {
    .medium = MEDIUM_AIR, .read = read_file, .recognise = recognise};

GRIDDED_INSTRUMENT(pepsi, "1", "PEPSI spectra, tables of its pipeline", option_table, options,
                   family);
/* 31.6 lines/mm at 76 degrees; 10 560 pixels of 1 / (4.2 * 120 000) each. */
GRIDDED_ECHELLE_NOISE(pepsi, "1", 30, 600, 614100, 0.0105);

ANPE_PLUGINS(&pepsi_instrument, &pepsi_noise);
