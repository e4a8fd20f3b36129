/* GALAH: the four arms of HERMES (R = 28000), a file an arm, as one spectrum.
 *
 * Layouts: Data Release 3 (docs.datacentral.org.au, GALAH DR3 spectra: flux, relative error named
 * input_sigma, both with the sky, normalised flux) and Data Release 4 (reduction 6.0 of the
 * survey's pipeline, Kos et al. 2017: flux, normalised, relative error, sky, tellurics, ...,
 * resolution). Wavelengths are linear, in air, and barycentric already (keyword BARYEFF). */
#include "galah.h"
#include "../common/file_image.h"
#include "../common/file_beside.h"
#include "../common/recognise.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ARMS = 4, DIGITS = 15 /* of a sobject_id, before the arm's */ };

typedef struct options {
    gridded_options grid;
    int identifier;
} options;
enum { OBJECT, SOBJECT_ID }; /* option identifier */

/* clang-format off */
static const anpe_option option_table[] = {
    GRIDDED_OPTIONS("4719 4901 5654 5873 6482 6736 7692 7886", 28000, GRIDDED_SMOOTH, 30, 0, ""),
    ANPE_OPT_ENUM(options, identifier, OBJECT, "object|sobject_id", "a star's identifier: OBJECT of the header, or the observation's in the file's name"),
    ANPE_OPT_END};
/* clang-format on */

/* The first arm that is there stands for the star; the others are read with it. */
static anpe_status count(anpe_ctx *ctx, const void *o, const char *path, int64_t *n)
{
    (void)ctx;
    (void)o;
    *n = file_arm_is_first(path, file_arm_place(path, DIGITS, ARMS));
    return ANPE_OK;
}

/* The HDU of the relative errors: by its name in Release 3, the third of eight in Release 4. */
static int error_hdu(fitsfile *f)
{
    char name[FLEN_VALUE];
    for (int hdu = 1; survey_fits_has(f, hdu); hdu++)
        if (survey_fits_text(f, hdu, "EXTNAME", name) && !strcasecmp(name, "input_sigma"))
            return hdu;
    return survey_fits_has(f, 7) ? 2 : 0;
}

/* Errors that are as large as their flux throughout are not relative ones. */
static anpe_status check_relative(anpe_ctx *ctx, const char *path, const observed_order *a)
{
    int64_t n = 0, large = 0;
    for (int64_t i = 0; i < a->n; i++)
        if (isfinite(a->sigma[i]) && a->flux[i] > 0) {
            n++;
            large += a->sigma[i] > a->flux[i];
        }
    return 2 * large <= n ? ANPE_OK
                          : ANPE_FAIL(ctx, ANPE_EFORMAT,
                                      "%s: its errors are above 1 in most pixels; expected errors "
                                      "relative to the flux",
                                      path);
}

static anpe_status check_header(anpe_ctx *ctx, const options *o, fitsfile *f, const char *path)
{
    char text[FLEN_VALUE] = "";
    if (survey_fits_text(f, 0, "INSTRUME", text) && strncmp(text, "HERMES", 6) != 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: INSTRUME is %s; expected HERMES-2dF", path, text);
    if (survey_fits_text(f, 0, "SLITMASK", text) && !strncmp(text, "IN", 2) &&
        o->grid.resolution < 35000)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: observed with the slit mask (SLITMASK IN), R = 42000; the instrument "
                         "is set to resolution %g",
                         path, o->grid.resolution);
    return ANPE_OK;
}

static anpe_status read_arm(anpe_ctx *ctx, const options *o, const char *path, gridded_file *file)
{
    fitsfile *f = NULL;
    survey_image image;
    anpe_status status;
    ANPE_TRY(survey_fits_open(ctx, path, &f));
    ANPE_TRY(survey_fits_image(ctx, f, path, 0, "flux", &image));
    ANPE_TRY(check_header(ctx, o, f, path));
    image_layout layout = {.width = image.width,
                           .orders = 1,
                           .bands = 1,
                           .error_band = -1,
                           .mask_hdu = -1,
                           .error_hdu = error_hdu(f),
                           .error = ERROR_RELATIVE};
    if (image.rows != 1 || !layout.error_hdu)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: no relative errors (input_sigma, or the third of eight HDUs); "
                           "expected a HERMES arm of GALAH DR3 or DR4",
                           path);
    else
        status = file_image_read(ctx, f, path, &layout, -1, file);
    ANPE_TRY(status);
    observed_order *a = &file->o.order[file->o.n - 1];
    for (int64_t i = 0; i < a->n; i++)
        if (!(a->flux[i] > 0))
            a->mask[i] = 1; /* no light: a relative error says nothing */
    status = check_relative(ctx, path, a);
out:
    survey_fits_close(f);
    return status;
}

static anpe_status read_file(anpe_ctx *ctx, const void *opaque, const char *path, int64_t row,
                             gridded_file *file)
{
    const options *o = opaque;
    const size_t place = file_arm_place(path, DIGITS, ARMS);
    char other[ARM_PATH];
    anpe_status status = ANPE_OK;
    if (row != 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; it is one", path, (long long)row);
    if (!place)
        status = read_arm(ctx, o, path, file);
    for (int arm = 1; place && arm <= ARMS && !status; arm++)
        if (file_arm(path, place, arm, other))
            status = read_arm(ctx, o, other, file);
    if (!status && place && (o->identifier == SOBJECT_ID || !file->id[0]))
        snprintf(file->id, sizeof file->id, "%.*s", DIGITS, path + place - DIGITS);
    file->barycentric = 0;
    return status;
}

static anpe_status recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    fitsfile *f = recognise_fits(ctx, path);
    char text[FLEN_VALUE];
    if (f && recognise_key(f, "INSTRUME", "HERMES") && error_hdu(f)) {
        recognise_as(out, ANPE_MATCH_SURVEY, "GALAH", "GALAH spectrum, arm %s of HERMES%s",
                     survey_fits_text(f, 0, "SPECTID", text) ? text : "?",
                     file_arm_is_first(path, file_arm_place(path, DIGITS, ARMS))
                         ? ""
                         : ", read with the file of the first");
        out->n_spectra = 1;
        out->medium = ANPE_MEDIUM_AIR;
        snprintf(out->frame, sizeof out->frame, "barycentric");
        if (survey_fits_text(f, 0, "OBJECT", text))
            snprintf(out->object, sizeof out->object, "%s", text);
    }
    survey_fits_close(f);
    return ANPE_OK;
}

static const char *const reading[] = {GRIDDED_READING, "identifier", NULL};
static const gridded_family family = {
    .medium = MEDIUM_AIR, .count = count, .read = read_file, .recognise = recognise};

GRIDDED_INSTRUMENT(galah, "1", "GALAH spectra: the four arms of HERMES", option_table, options,
                   family);
GRIDDED_NOISE_OF(galah, "1", 15, 250, galah_noise_kind,
                 "error bars and masks from a library, or photon noise, arm ends and cosmic rays");

ANPE_PLUGINS(&galah_instrument, &galah_noise);
