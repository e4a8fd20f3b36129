/* What the pipelines of HIRES write.
 *
 * MAKEE (Barlow; sites.astro.caltech.edu/~tb/makee): an image with a row an order, wavelengths as
 * polynomials in the header, errors in a file beside it. The Keck Observatory Archive's extracted
 * spectra, by MAKEE, too: a table an order. HIRES-redux (Prochaska): images of flux, variance and
 * wavelength, and coadded spectra with a log scale. All vacuum and heliocentric. */
#include "hires.h"
#include "../common/file_beside.h"
#include "../common/file_table.h"
#include "../common/recognise.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void to_sigma(error_kind kind, int64_t first, observed *o)
{
    for (int64_t k = first; k < o->n; k++)
        for (int64_t i = 0; i < o->order[k].n; i++)
            o->order[k].sigma[i] = file_sigma(kind, o->order[k].flux[i], o->order[k].sigma[i]);
}

/* Errors from the file beside this one, if there is one. */
static anpe_status read_errors(anpe_ctx *ctx, const char *path, int64_t first, observed *o)
{
    static const struct {
        const char *flux, *error;
        error_kind kind;
    } names[] = {{"Flux", "Err", ERROR_SIGMA},
                 {"Flux", "Var", ERROR_VARIANCE},
                 {"_F.fits", "_E.fits", ERROR_SIGMA}};
    char other[4096];
    fitsfile *f = NULL;
    size_t i = 0;
    while (i < 3 && !file_beside(path, names[i].flux, names[i].error, sizeof other, other))
        i++;
    if (i == 3)
        return ANPE_OK;
    anpe_status status = survey_fits_open(ctx, other, &f);
    if (!status)
        status = file_image_rows(ctx, f, other, 0, "error", ROWS_SIGMA, first, o);
    if (!status)
        to_sigma(names[i].kind, first, o);
    survey_fits_close(f);
    return status;
}

/* WV_0_nn, WV_4_nn: eight coefficients for order nn, from 1, in powers of the column's number,
 * which is CRVAL1 at the first pixel. */
static anpe_status set_wavelengths(anpe_ctx *ctx, fitsfile *f, const char *path, int64_t order,
                                   observed_order *a)
{
    double c[8], column = 0;
    (void)survey_fits_real(f, 0, "CRVAL1", &column);
    for (int half = 0; half < 2; half++) {
        char key[FLEN_KEYWORD], text[FLEN_VALUE] = "", *end = text;
        snprintf(key, sizeof key, "WV_%d_%02d", 4 * half, (int)order + 1);
        const int has = survey_fits_text(f, 0, key, text);
        for (int k = 0; k < 4; k++) {
            const char *start = end;
            c[4 * half + k] = strtod(start, &end);
            if (!has || end == start)
                return ANPE_FAIL(ctx, ANPE_EFORMAT,
                                 "%s: keyword %s is '%s'; expected four coefficients of MAKEE's "
                                 "wavelengths",
                                 path, key, text);
        }
    }
    for (int64_t i = 0; i < a->n; i++) {
        a->wavelength[i] = 0;
        for (int k = 7; k >= 0; k--)
            a->wavelength[i] = a->wavelength[i] * (column + (double)i) + c[k];
    }
    return ANPE_OK;
}

static anpe_status read_makee(anpe_ctx *ctx, fitsfile *f, const char *path, observed *o)
{
    const int64_t first = o->n;
    anpe_status status = file_image_rows(ctx, f, path, 0, "flux", ROWS_FLUX, first, o);
    for (int64_t k = first; !status && k < o->n; k++)
        status = set_wavelengths(ctx, f, path, k - first, &o->order[k]);
    return status ? status : read_errors(ctx, path, first, o);
}

/* Pixels that a detector does not cover have wavelength 0, whole orders perhaps. */
static anpe_status read_redux(anpe_ctx *ctx, fitsfile *f, const char *path, observed *o)
{
    const int64_t first = o->n;
    int64_t kept = first;
    anpe_status status = file_image_rows(ctx, f, path, 0, "flux", ROWS_FLUX, first, o);
    if (!status)
        status = file_image_rows(ctx, f, path, 1, "variance", ROWS_SIGMA, first, o);
    if (!status)
        status = file_image_rows(ctx, f, path, 2, "wavelength", ROWS_WAVELENGTH, first, o);
    if (status)
        return status;
    to_sigma(ERROR_VARIANCE, first, o);
    for (int64_t k = first; k < o->n; k++) {
        observed_order *a = &o->order[k], swap = o->order[kept];
        int64_t n = 0;
        for (int64_t i = 0; i < a->n; i++) {
            n += a->wavelength[i] > 0;
            if (!(a->wavelength[i] > 0))
                a->wavelength[i] = NAN;
        }
        if (n < 2)
            continue;
        o->order[kept++] = *a;
        *a = swap;
    }
    while (o->n > kept)
        observed_drop(o);
    return ANPE_OK;
}

static anpe_status read_coadd(anpe_ctx *ctx, fitsfile *f, const char *path, gridded_file *file)
{
    image_layout l;
    const int64_t first = file->o.n;
    anpe_status status = file_image_layout(ctx, f, path, "", ERROR_NONE, &l);
    if (!status)
        status = file_image_read(ctx, f, path, &l, -1, file);
    return status || l.error != ERROR_NONE ? status : read_errors(ctx, path, first, &file->o);
}

anpe_status hires_read(anpe_ctx *ctx, const char *path, gridded_file *file)
{
    static const column_names names = {"wave", "Flux", "Error", "", ERROR_SIGMA, .step = 0};
    char text[FLEN_VALUE];
    fitsfile *f = NULL;
    anpe_status status = survey_fits_open(ctx, path, &f);
    if (status)
        return status;
    if (survey_fits_text(f, 0, "INSTRUME", text) && strncmp(text, "HIRES", 5))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: INSTRUME is '%s'; expected HIRES (the instrument spectrum reads "
                           "any spectrograph's)",
                           path, text);
    else if (survey_fits_has_column(f, 1, "wave"))
        status = file_table_read(ctx, f, path, &names, 0, NULL, file);
    else if (survey_fits_text(f, 0, "WV_0_01", text))
        status = read_makee(ctx, f, path, &file->o);
    else if (survey_fits_is_image(f, 1) && survey_fits_is_image(f, 2))
        status = read_redux(ctx, f, path, &file->o);
    else
        status = read_coadd(ctx, f, path, file);
    if (!file->id[0] &&
        (survey_fits_text(f, 0, "OBJECT", text) || survey_fits_text(f, 0, "TARGNAME", text)))
        snprintf(file->id, sizeof file->id, "%s", text);
    survey_fits_close(f);
    return status;
}

/* MAKEE's keywords, the archive's columns; by INSTRUME what HIRES-redux writes. A raw image is
 * none. */
const char *hires_product(fitsfile *f)
{
    char text[FLEN_VALUE];
    double x;
    if (survey_fits_text(f, 0, "WV_0_01", text))
        return "orders extracted by MAKEE";
    if (survey_fits_has_column(f, 1, "wave") && survey_fits_has_column(f, 1, "Background"))
        return "an order extracted by the Keck archive";
    if (!recognise_key(f, "INSTRUME", "HIRES") || !survey_fits_is_image(f, 0))
        return NULL;
    if (survey_fits_is_image(f, 1) && survey_fits_is_image(f, 2))
        return "orders by HIRES-redux";
    return survey_fits_real(f, 0, "CRVAL1", &x) && survey_fits_real(f, 0, "CDELT1", &x)
               ? "a coadded spectrum"
               : NULL;
}
