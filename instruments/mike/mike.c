/* MIKE at Magellan: the multispec files of CarPy.
 *
 * Bands of a file (its BANDIDn): sky, object, noise of the object, their ratio, lamp, flat field,
 * and the object divided by the flat field, which takes the blaze out. Wavelengths are in air, as
 * the telluric oxygen lines of a spectrum show, and of the observatory's frame (Kelson 2003, PASP
 * 115, 688; Bernstein et al. 2003, SPIE 4841, 1694). */
#include "../common/file_image.h"
#include "../common/recognise.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct options {
    gridded_options grid;
    const char *velocity_key;
} options;

/* clang-format off */
static const anpe_option option_table[] = {
    GRIDDED_OPTIONS("4920 6860", 44000, GRIDDED_SMOOTH, 10, 60, "6276 6330"),
    ANPE_OPT_TEXT(options, velocity_key, "", "keyword of the header with a barycentric correction (km/s) that the wavelengths still need; empty: none, they stay as observed"),
    ANPE_OPT_END};
/* clang-format on */

/* The band of this name, or -1. */
static int64_t find_band(fitsfile *f, const image_layout *l, const char *name)
{
    char key[FLEN_KEYWORD], text[FLEN_VALUE];
    for (int64_t b = 0; b < l->bands; b++) {
        snprintf(key, sizeof key, "BANDID%d", (int)(b + 1));
        if (survey_fits_text(f, l->hdu, key, text) && !strcmp(text, name))
            return b;
    }
    return -1;
}

/* The object over the flat field; its errors by the same factor, which the object without counts
 * does not give. */
static void divide_by_flat(observed *object, const observed *divided)
{
    for (int64_t k = 0; k < object->n; k++) {
        observed_order *a = &object->order[k];
        for (int64_t i = 0; i < a->n; i++) {
            const double flux = divided->order[k].flux[i];
            a->sigma[i] *= fabs(flux / a->flux[i]);
            a->mask[i] = a->mask[i] || !isfinite(a->sigma[i]);
            a->flux[i] = flux;
        }
    }
}

static anpe_status read_orders(anpe_ctx *ctx, fitsfile *f, const char *path, gridded_file *file)
{
    image_layout l;
    gridded_file divided = {0};
    anpe_status status = file_image_layout(ctx, f, path, "", ERROR_NONE, &l);
    if (status)
        return status;
    const int64_t object = find_band(f, &l, "object spectrum");
    const int64_t flat = find_band(f, &l, "object spectrum divided by normed flat");
    if (object >= 0)
        l.flux_band = object;
    status = file_image_read(ctx, f, path, &l, -1, file);
    if (!status && object >= 0 && flat >= 0) {
        l.flux_band = flat;
        status = file_image_read(ctx, f, path, &l, -1, &divided);
        if (!status)
            divide_by_flat(&file->o, &divided.o);
    }
    observed_clear(&divided.o);
    return status;
}

static anpe_status read_file(anpe_ctx *ctx, const void *opaque, const char *path, int64_t row,
                             gridded_file *file)
{
    const options *o = opaque;
    fitsfile *f = NULL;
    char instrument[FLEN_VALUE] = "";
    if (row != 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has 1", path,
                         (long long)row);
    anpe_status status = survey_fits_open(ctx, path, &f);
    if (status)
        return status;
    if (survey_fits_text(f, 0, "INSTRUME", instrument) && strncmp(instrument, "MIKE", 4))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: INSTRUME is '%s'; expected MIKE (the instrument spectrum reads any "
                           "spectrograph's)",
                           path, instrument);
    if (!status)
        status = read_orders(ctx, f, path, file);
    if (!status)
        status = gridded_velocity(ctx, f, path, o->velocity_key, &file->barycentric);
    survey_fits_close(f);
    return status;
}

static anpe_status recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    fitsfile *f = recognise_fits(ctx, path);
    char text[FLEN_VALUE];
    image_layout l;
    if (f && recognise_key(f, "INSTRUME", "MIKE") &&
        !file_image_layout(ctx, f, path, "", ERROR_NONE, &l)) {
        recognise_as(out, ANPE_MATCH_SURVEY, "MIKE", "MIKE echelle spectrum, %lld orders",
                     (long long)l.orders);
        out->n_spectra = 1;
        out->medium = ANPE_MEDIUM_AIR;
        snprintf(out->frame, sizeof out->frame, "the observatory's");
        if (survey_fits_text(f, 0, "OBJECT", text))
            snprintf(out->object, sizeof out->object, "%s", text);
    }
    survey_fits_close(f);
    return ANPE_OK;
}

static const char *const reading[] = {GRIDDED_READING, "velocity_key", NULL};
static const gridded_family family = {
    .medium = MEDIUM_AIR, .read = read_file, .recognise = recognise};

GRIDDED_INSTRUMENT(mike, "1", "MIKE echelle spectra, multispec files of CarPy", option_table,
                   options, family);
/* The red arm: centres and width of the 34 orders of a file of 4096 pixels. */
GRIDDED_ECHELLE_NOISE(mike, "1", 20, 300, 343300, 0.0144);

ANPE_PLUGINS(&mike_instrument, &mike_noise);
