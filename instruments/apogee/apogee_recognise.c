/* Which files are APOGEE's: by the survey's keywords, by the scale of combined spectra where a tool
 * has dropped these, by the three detectors of a visit, by the columns of SDSS-V's tables. */
#include "../common/recognise.h"
#include "apogee.h"
#include "apogee_layouts.h"
#include <math.h>
#include <stdio.h>

void apogee_name(fitsfile *f, char *name, size_t size)
{
    static const char *const keys[] = {"OBJID", "OBJ", "OBJECT"};
    char text[FLEN_VALUE] = "";
    name[0] = '\0';
    for (size_t k = 0; !name[0] && k < sizeof keys / sizeof keys[0]; k++)
        if (survey_fits_text(f, 0, keys[k], text))
            snprintf(name, size, "%s", text);
}

static int has_keywords(fitsfile *f)
{
    return recognise_key(f, "SURVEY", "apogee") || recognise_key(f, "INSTRUME", "apogee") ||
           recognise_key(f, "TELESCOP", "apo25m") || recognise_key(f, "TELESCOP", "lco25m");
}

static int has_scale(fitsfile *f)
{
    static const char *const keys[] = {"CDELT1", "CD1_1"};
    double start = 0, step = 0;
    for (int hdu = 0; hdu < 2; hdu++)
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            if (survey_fits_real(f, hdu, "CRVAL1", &start) &&
                survey_fits_real(f, hdu, keys[k], &step) &&
                fabs(start - APOGEE_LOG_START) < 0.1 * APOGEE_LOG_STEP &&
                fabs(step - APOGEE_LOG_STEP) < 1e-4 * APOGEE_LOG_STEP)
                return 1;
    return 0;
}

static void describe(anpe_ctx *ctx, fitsfile *f, const char *path, anpe_recognition *out)
{
    survey_image flux;
    if (apogee_has_tables(f) && !apogee_count_rows(ctx, f, path, &out->n_spectra)) {
        recognise_as(out, ANPE_MATCH_SURVEY, "APOGEE", "APOGEE spectra, tables of SDSS-V");
    } else if (apogee_is_visit(f) && has_keywords(f)) {
        recognise_as(out, ANPE_MATCH_SURVEY, "APOGEE", "APOGEE visit, three detectors");
        out->n_spectra = 1;
    } else if ((has_keywords(f) || has_scale(f)) &&
               !survey_fits_image(ctx, f, path, 1, "flux", &flux)) {
        recognise_as(out, ANPE_MATCH_SURVEY, "APOGEE", "APOGEE combined spectrum, %lld row%s",
                     (long long)flux.rows, flux.rows == 1 ? "" : "s");
        out->n_spectra = flux.rows;
    }
}

anpe_status apogee_recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    fitsfile *f = recognise_fits(ctx, path);
    if (f)
        describe(ctx, f, path, out);
    if (out->match) {
        out->medium = ANPE_MEDIUM_VACUUM;
        snprintf(out->frame, sizeof out->frame, "%s",
                 apogee_is_visit(f) ? "observed" : "rest frame of the star");
        apogee_name(f, out->object, sizeof out->object);
    }
    survey_fits_close(f);
    return ANPE_OK;
}
