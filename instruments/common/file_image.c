/* FITS images as spectra. */
#include <config.h>
#include "file_image.h"
#include "file_columns.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_HDUS = 100, MOST_WIDTH = 5000000 };

/* ---- what is where ---------------------------------------------------------------------- */

/* Axes of an image; 0 where it is a table or has none. */
static int axes_of(fitsfile *f, int hdu, LONGLONG axes[3])
{
    int status = 0, type = 0, naxis = 0;
    axes[0] = axes[1] = axes[2] = 1;
    if (!survey_fits_has(f, hdu))
        return 0;
    fits_get_hdu_type(f, &type, &status);
    if (status || type != IMAGE_HDU)
        return 0;
    fits_get_img_dim(f, &naxis, &status);
    if (!status && naxis >= 1 && naxis <= 3)
        fits_get_img_sizell(f, 3, axes, &status);
    fits_clear_errmsg();
    return status || naxis > 3 ? 0 : naxis;
}

static error_kind kind_of(const char *name)
{
    static const struct {
        const char *part;
        error_kind kind;
    } names[] = {{"ivar", ERROR_IVAR},    {"invvar", ERROR_IVAR},       {"inverse", ERROR_IVAR},
                 {"weight", ERROR_NONE},  {"variance", ERROR_VARIANCE}, {"var", ERROR_VARIANCE},
                 {"sigma", ERROR_SIGMA},  {"err", ERROR_SIGMA},         {"noise", ERROR_SIGMA},
                 {"uncert", ERROR_SIGMA}, {"stdev", ERROR_SIGMA},       {"std", ERROR_SIGMA}};
    if (!strcasecmp(name, "stat")) /* of MUSE and of what MPDAF writes */
        return ERROR_VARIANCE;
    /* "signal-to-noise" is none of them */
    if (strcasestr(name, "to-noise") || strcasestr(name, "to noise") || strcasestr(name, "snr"))
        return ERROR_NONE;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasestr(name, names[i].part))
            return names[i].kind;
    return ERROR_NONE;
}

static int has_scale(fitsfile *f, int hdu)
{
    char text[FLEN_VALUE];
    double x;
    if (survey_fits_text(f, hdu, "WAT2_001", text) && survey_fits_text(f, hdu, "CTYPE1", text) &&
        !strncasecmp(text, "MULTISPE", 8))
        return 1;
    return survey_fits_real(f, hdu, "CRVAL1", &x) &&
           (survey_fits_real(f, hdu, "CDELT1", &x) || survey_fits_real(f, hdu, "CD1_1", &x));
}

static anpe_status find_flux(anpe_ctx *ctx, fitsfile *f, const char *path, image_layout *l)
{
    LONGLONG axes[3], shape[2] = {0, 0};
    int images = 0;
    for (int hdu = 0; hdu < MOST_HDUS && survey_fits_has(f, hdu); hdu++) {
        const int naxis = axes_of(f, hdu, axes);
        if (!naxis || axes[0] < 2)
            continue;
        if (!images++)
            memcpy(shape, axes, sizeof shape);
        if (!has_scale(f, hdu))
            continue;
        if (axes[0] > MOST_WIDTH || axes[1] > MOST_WIDTH / axes[0])
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d is an image of %lld x %lld", path, hdu,
                             (long long)axes[0], (long long)axes[1]);
        l->hdu = hdu;
        l->width = axes[0];
        l->orders = axes[1];
        l->bands = axes[2];
        return survey_fits_stored(ctx, f, path, hdu, "flux");
    }
    if (!images)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no image with a spectrum in it", path);
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: no image of it (the first: %lld x %lld) has a wavelength scale (CRVAL1 "
                     "with CDELT1 or CD1_1, or IRAF's multispec)",
                     path, (long long)shape[0], (long long)shape[1]);
}

/* Whether a band goes with the spectrum and is none: sky, lamp, flat field, signal-to-noise. */
static int is_beside(const char *name)
{
    static const char *const starts[] = {"sky", "background", "lamp", "arc", "flat", "signal"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (!strncasecmp(name, starts[i], strlen(starts[i])))
            return 1;
    return 0;
}

/* BANDIDn of IRAF's three-dimensional images, or nothing: the flux is the band that is asked for,
 * or the first that names a spectrum. */
static void read_bands(fitsfile *f, const char *flux_name, image_layout *l)
{
    char key[FLEN_KEYWORD], name[FLEN_VALUE];
    int64_t asked = -1, first = -1;
    for (int64_t b = 0; b < l->bands; b++) {
        snprintf(key, sizeof key, "BANDID%d", (int)(b + 1));
        if (!survey_fits_text(f, l->hdu, key, name))
            continue;
        const error_kind kind = kind_of(name);
        if (*flux_name && strcasestr(name, flux_name))
            asked = b;
        if (first < 0 && kind == ERROR_NONE && !is_beside(name))
            first = b;
        if (kind != ERROR_NONE && l->error_band < 0) {
            l->error_band = b;
            l->error = kind;
        }
    }
    l->flux_band = asked >= 0 ? asked : first >= 0 ? first : 0;
}

static int names_mask(const char *name)
{
    static const char *const parts[] = {"mask", "bpm", "flag", "qual", "badpix", "goodpix"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcasestr(name, parts[i]))
            return 1;
    return !strcasecmp(name, "dq") || !strcasecmp(name, "bad") || !strcasecmp(name, "good");
}

/* Another HDU of the same shape whose name says that it is a mask. */
static void find_mask_hdu(fitsfile *f, image_layout *l)
{
    LONGLONG axes[3];
    char name[FLEN_VALUE];
    for (int hdu = 0; hdu < MOST_HDUS && survey_fits_has(f, hdu) && l->mask_hdu < 0; hdu++)
        if (hdu != l->hdu && axes_of(f, hdu, axes) && axes[0] == l->width && axes[1] == l->orders &&
            survey_fits_text(f, hdu, "EXTNAME", name) && names_mask(name)) {
            l->mask_hdu = hdu;
            l->marks_good = columns_marks_good(name);
        }
}

error_kind file_image_error(fitsfile *f, int hdu)
{
    char name[FLEN_VALUE], type[FLEN_VALUE];
    if (!survey_fits_text(f, hdu, "EXTNAME", name))
        return ERROR_NONE;
    const error_kind kind = kind_of(name);
    return kind != ERROR_NONE && survey_fits_text(f, hdu, "UTYPE", type) &&
                   kind_of(type) != ERROR_NONE
               ? kind_of(type)
               : kind;
}

/* Another HDU of the same shape whose name says that it is an error; else one of another shape. */
static void find_error_hdu(fitsfile *f, image_layout *l)
{
    LONGLONG axes[3];
    for (int hdu = 0; hdu < MOST_HDUS && survey_fits_has(f, hdu); hdu++) {
        if (hdu == l->hdu || !axes_of(f, hdu, axes))
            continue;
        const error_kind kind = file_image_error(f, hdu);
        if (kind == ERROR_NONE)
            continue;
        if (axes[0] == l->width && axes[1] == l->orders) {
            l->error_hdu = hdu;
            l->error = kind;
            l->unlike_hdu = -1;
            return;
        }
        l->unlike_hdu = hdu;
    }
}

/* What the user says of the errors; without a name to find them by, they follow the flux. */
static anpe_status set_error(anpe_ctx *ctx, fitsfile *f, const char *path, error_kind error,
                             image_layout *l)
{
    LONGLONG axes[3];
    if (error == ERROR_NONE)
        return ANPE_OK;
    l->error = error;
    if (l->error_band >= 0 || l->error_hdu >= 0)
        return ANPE_OK;
    if (axes_of(f, l->hdu + 1, axes) && axes[0] == l->width && axes[1] == l->orders) {
        l->error_hdu = l->hdu + 1;
        return ANPE_OK;
    }
    return ANPE_FAIL(
        ctx, ANPE_EFORMAT,
        "%s: no errors of the flux's shape: no band or extension is named error, sigma, "
        "variance or ivar, and HDU %d is none",
        path, l->hdu + 1);
}

anpe_status file_image_layout(anpe_ctx *ctx, fitsfile *f, const char *path, const char *flux_name,
                              error_kind error, image_layout *out)
{
    *out = (image_layout){.error_band = -1, .error_hdu = -1, .mask_hdu = -1, .unlike_hdu = -1};
    const anpe_status status = find_flux(ctx, f, path, out);
    if (status)
        return status;
    char unit[FLEN_VALUE] = "";
    if (survey_fits_text(f, out->hdu, "BUNIT", unit) && columns_is_magnitude(unit))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d is in '%s', which is no flux", path,
                         out->hdu, unit);
    read_bands(f, flux_name, out);
    if (out->error_band < 0)
        find_error_hdu(f, out);
    find_mask_hdu(f, out);
    return set_error(ctx, f, path, error, out);
}

/* ---- reading ---------------------------------------------------------------------------- */

/* One row of one band; null values are NAN. */
static anpe_status read_row(anpe_ctx *ctx, fitsfile *f, const char *path, const image_layout *l,
                            int hdu, int64_t band, int64_t row, const char *what, double *data)
{
    survey_image image = {.width = l->width, .rows = l->orders * l->bands};
    if (!survey_fits_has(f, hdu))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no HDU %d", path, hdu);
    return survey_fits_row(ctx, f, path, what, &image, band * l->orders + row, data);
}

double file_sigma(error_kind kind, double flux, double error)
{
    if (isnan(error))
        return kind == ERROR_NONE ? NAN : 0; /* none here, unlike a file without any */
    switch (kind) {
    case ERROR_SIGMA:
        return error;
    case ERROR_VARIANCE:
        return error > 0 ? sqrt(error) : 0;
    case ERROR_IVAR:
        return error > 0 ? 1 / sqrt(error) : 0;
    case ERROR_RELATIVE:
        return fabs(flux) * error;
    case ERROR_SNR:
        return error > 0 ? fabs(flux) / error : 0;
    default:
        return NAN;
    }
}

static anpe_status read_mask(anpe_ctx *ctx, fitsfile *f, const char *path, const image_layout *l,
                             int64_t row, uint8_t *mask)
{
    double *bits;
    if (ANPE_NEW(ctx, bits, l->width))
        return ANPE_ENOMEM;
    const anpe_status status = read_row(ctx, f, path, l, l->mask_hdu, 0, row, "mask", bits);
    for (int64_t i = 0; i < l->width && !status; i++)
        mask[i] = survey_is_bad(bits[i], l->marks_good);
    free(bits);
    return status;
}

static anpe_status read_order(anpe_ctx *ctx, fitsfile *f, const char *path, const image_layout *l,
                              const wavelength_scale *scale, int64_t row, gridded_file *file)
{
    observed_order *a;
    anpe_status status = observed_add(ctx, &file->o, l->width, &a);
    if (!status)
        status = wavelength_scale_row(scale, ctx, row, a->wavelength);
    if (!status)
        status = read_row(ctx, f, path, l, l->hdu, l->flux_band, row, "flux", a->flux);
    if (!status && l->error_band >= 0)
        status = read_row(ctx, f, path, l, l->hdu, l->error_band, row, "error", a->sigma);
    else if (!status && l->error_hdu >= 0)
        status = read_row(ctx, f, path, l, l->error_hdu, 0, row, "error", a->sigma);
    if (!status && l->mask_hdu >= 0)
        status = read_mask(ctx, f, path, l, row, a->mask);
    for (int64_t i = 0; !status && l->error != ERROR_NONE && i < l->width; i++)
        a->sigma[i] = file_sigma(l->error, a->flux[i], a->sigma[i]);
    return status;
}

/* Errors that nobody can put to pixels are as good as none, and the user should know. */
static void warn_of_unlike(anpe_ctx *ctx, fitsfile *f, const char *path, const image_layout *l)
{
    LONGLONG axes[3];
    if (l->error_hdu < 0 && l->error_band < 0 && l->unlike_hdu > 0 &&
        axes_of(f, l->unlike_hdu, axes))
        anpe_log(ctx, ANPE_WARNING,
                 "%s: HDU %d is named as errors and is %lld x %lld, the flux %lld x %lld: not read",
                 path, l->unlike_hdu, (long long)axes[0], (long long)axes[1], (long long)l->width,
                 (long long)l->orders);
}

anpe_status file_image_read(anpe_ctx *ctx, fitsfile *f, const char *path,
                            const image_layout *layout, int64_t row, gridded_file *file)
{
    wavelength_scale *scale = NULL;
    char name[FLEN_VALUE];
    if (row >= layout->orders)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has %lld", path,
                         (long long)row, (long long)layout->orders);
    warn_of_unlike(ctx, f, path, layout);
    anpe_status status =
        wavelength_scale_read(ctx, f, path, layout->hdu, layout->width, layout->orders, &scale);
    if (!status && row < 0 && layout->orders > 1 && wavelength_scale_is_shared(scale))
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT,
                      "%s: HDU %d has %lld rows with the same wavelengths, so that they are no "
                      "orders: say instrument.rows = \"spectra\" where each is a star's, or "
                      "\"first\" where the first is the flux and others belong to it",
                      path, layout->hdu, (long long)layout->orders);
    for (int64_t k = row < 0 ? 0 : row; !status && k < (row < 0 ? layout->orders : row + 1); k++)
        status = read_order(ctx, f, path, layout, scale, k, file);
    if (!status) {
        file->medium = wavelength_scale_medium(scale);
        if (survey_fits_text(f, layout->hdu, "OBJECT", name) ||
            survey_fits_text(f, 0, "OBJECT", name))
            snprintf(file->id, sizeof file->id, "%s", name);
    }
    wavelength_scale_free(scale);
    return status;
}

/* ---- images of one thing each ------------------------------------------------------------ */

anpe_status file_image_rows(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu, const char *what,
                            image_rows rows, int64_t first, observed *o)
{
    survey_image image;
    observed_order *a;
    anpe_status status = survey_fits_image(ctx, f, path, hdu, what, &image);
    for (int64_t k = 0; !status && rows == ROWS_FLUX && k < image.rows; k++)
        status = observed_add(ctx, o, image.width, &a);
    if (status)
        return status;
    if (image.rows != o->n - first || image.width != o->order[first].n)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: the %s has %lld rows of %lld pixels, the flux %lld of %lld", path,
                         what, (long long)image.rows, (long long)image.width,
                         (long long)(o->n - first), (long long)o->order[first].n);
    for (int64_t k = 0; !status && k < image.rows; k++) {
        a = &o->order[first + k];
        status = survey_fits_row(ctx, f, path, what, &image, k,
                                 rows == ROWS_FLUX    ? a->flux
                                 : rows == ROWS_SIGMA ? a->sigma
                                                      : a->wavelength);
    }
    return status;
}
