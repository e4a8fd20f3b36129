/* Visits and tables of APOGEE spectra.
 *
 * Layouts: the SDSS data model of apVisit (Nidever et al. 2015, AJ 150, 173) and of mwmStar,
 * mwmVisit (Astra, SDSS Data Release 19; sdss-astra.readthedocs.io). Of a visit, VHELIO = VRAD +
 * BC. */
#include <config.h>
#include "apogee_layouts.h"
#include "../common/file_image.h"
#include "apogee.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- visits ------------------------------------------------------------------------------ */

enum { DETECTORS = 3, FLUX_HDU = 1, ERROR_HDU, MASK_HDU, WAVELENGTH_HDU };

int apogee_is_visit(fitsfile *f)
{
    int status = 0, rank = 0;
    long axes[2] = {0, 0};
    if (!survey_fits_is_image(f, WAVELENGTH_HDU) || !survey_fits_is_image(f, FLUX_HDU))
        return 0;
    fits_get_img_dim(f, &rank, &status);
    fits_get_img_size(f, 2, axes, &status);
    fits_clear_errmsg();
    return status == 0 && rank == 2 && axes[1] == DETECTORS && axes[0] != APOGEE_FULL &&
           axes[0] != APOGEE_PAYNE;
}

static anpe_status read_mask(anpe_ctx *ctx, fitsfile *f, const char *path, uint64_t bad_bits,
                             observed *o)
{
    survey_image image;
    const int64_t width = o->order[0].n;
    double *bits = NULL;
    anpe_status status = survey_fits_image(ctx, f, path, MASK_HDU, "bit mask", &image);
    if (!status && (image.width != width || image.rows != o->n))
        status = ANPE_FAIL(
            ctx, ANPE_EFORMAT, "%s: the bit mask has shape (%lld, %lld), the flux (%lld, %lld)",
            path, (long long)image.rows, (long long)image.width, (long long)o->n, (long long)width);
    if (!status)
        status = ANPE_NEW(ctx, bits, width);
    for (int64_t k = 0; !status && k < o->n; k++) {
        status = survey_fits_row(ctx, f, path, "bit mask", &image, k, bits);
        for (int64_t i = 0; !status && i < width; i++)
            o->order[k].mask[i] = (uint8_t)survey_is_flagged(bits[i], bad_bits);
    }
    free(bits);
    return status;
}

/* Velocity to be added: from the observer's frame to the one that is asked for. */
static anpe_status find_velocity(anpe_ctx *ctx, fitsfile *f, const char *path,
                                 enum visit_frame frame, double *kms)
{
    const char *const key = frame == VISIT_REST ? "VRAD" : "BC";
    *kms = 0;
    if (frame != VISIT_OBSERVED && (!survey_fits_real(f, 0, key, kms) || !isfinite(*kms)))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: no keyword %s with a velocity, which visit_frame = \"%s\" needs; "
                         "\"observed\" needs none",
                         path, key, frame == VISIT_REST ? "rest" : "heliocentric");
    if (frame == VISIT_REST)
        *kms = -*kms;
    return ANPE_OK;
}

anpe_status apogee_read_visit(anpe_ctx *ctx, fitsfile *f, const char *path, enum visit_frame frame,
                              uint64_t bad_bits, observed *o)
{
    double kms;
    anpe_status status;
    ANPE_TRY(file_image_rows(ctx, f, path, FLUX_HDU, "flux", ROWS_FLUX, 0, o));
    ANPE_TRY(file_image_rows(ctx, f, path, ERROR_HDU, "error", ROWS_SIGMA, 0, o));
    ANPE_TRY(file_image_rows(ctx, f, path, WAVELENGTH_HDU, "wavelength", ROWS_WAVELENGTH, 0, o));
    ANPE_TRY(read_mask(ctx, f, path, bad_bits, o));
    ANPE_TRY(find_velocity(ctx, f, path, frame, &kms));
    ANPE_TRY(observed_settle(ctx, o, path));
    observed_shift(o, kms);
out:
    return status;
}

/* A name that cannot be that of what the survey has in this HDU. */
static anpe_status check_name(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                              const char *key, const char *what, const char *const *others)
{
    char name[FLEN_VALUE];
    if (!survey_fits_text(f, hdu, key, name))
        return ANPE_OK;
    for (; *others; others++)
        if (strcasestr(name, *others))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d has the %s '%s'; expected the %s there",
                             path, hdu, key, name, what);
    return ANPE_OK;
}

anpe_status apogee_check_images(anpe_ctx *ctx, fitsfile *f, const char *path)
{
    static const char *const no_flux[] = {"err", "sigma", "ivar", "invers", "varian", "mask", NULL};
    static const char *const no_error[] = {"ivar", "invers", "varian", "mask", NULL};
    static const char *const no_vacuum[] = {"AWAV", NULL};
    static const char *const keys[] = {"EXTNAME", "BUNIT"};
    anpe_status status = ANPE_OK;
    for (size_t k = 0; !status && k < sizeof keys / sizeof *keys; k++) {
        status = check_name(ctx, f, path, FLUX_HDU, keys[k], "flux", no_flux);
        if (!status)
            status = check_name(ctx, f, path, ERROR_HDU, keys[k], "standard deviation", no_error);
    }
    return status ? status
                  : check_name(ctx, f, path, FLUX_HDU, "CTYPE1", "wavelength of vacuum", no_vacuum);
}

/* ---- tables ------------------------------------------------------------------------------ */

enum { MOST_HDUS = 100 };

/* Values in a cell of this column; 0 if there is none. */
static int64_t cell_size(fitsfile *f, int hdu, const char *name)
{
    int status = 0, column = 0, type = 0;
    LONGLONG repeat = 0, width = 0;
    char pattern[FLEN_VALUE];
    if (!survey_fits_has_column(f, hdu, name))
        return 0;
    snprintf(pattern, sizeof pattern, "%s", name);
    fits_get_colnum(f, CASEINSEN, pattern, &column, &status);
    fits_get_coltypell(f, column, &type, &repeat, &width, &status);
    fits_clear_errmsg();
    return status ? 0 : repeat;
}

static int is_spectra(fitsfile *f, int hdu)
{
    return cell_size(f, hdu, "flux") > 1 && cell_size(f, hdu, "ivar") > 1;
}

static int64_t rows_of(fitsfile *f, int hdu)
{
    int status = 0;
    LONGLONG rows = 0;
    if (cell_size(f, hdu, "flux") != APOGEE_FULL)
        return 0;
    fits_get_num_rowsll(f, &rows, &status);
    fits_clear_errmsg();
    return status ? 0 : rows;
}

/* Images of combined spectra may have any table behind them. */
int apogee_has_tables(fitsfile *f)
{
    if (survey_fits_is_image(f, 1))
        return 0;
    for (int hdu = 1; hdu < MOST_HDUS && survey_fits_has(f, hdu); hdu++)
        if (is_spectra(f, hdu))
            return 1;
    return 0;
}

anpe_status apogee_count_rows(anpe_ctx *ctx, fitsfile *f, const char *path, int64_t *n)
{
    *n = 0;
    for (int hdu = 1; hdu < MOST_HDUS && survey_fits_has(f, hdu); hdu++) {
        const int64_t rows = rows_of(f, hdu);
        const anpe_status status = rows ? survey_fits_stored(ctx, f, path, hdu, "table") : ANPE_OK;
        if (status)
            return status;
        *n += rows;
    }
    return *n ? ANPE_OK
              : ANPE_FAIL(ctx, ANPE_EFORMAT,
                          "%s: no row with an APOGEE spectrum of 8575 pixels; its tables are "
                          "empty, or of BOSS spectra",
                          path);
}

static anpe_status read_cell(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                             const char *name, int64_t row, double *out)
{
    int status = 0, column = 0, any = 0;
    double null = NAN;
    char pattern[FLEN_VALUE], text[FLEN_STATUS] = "";
    if (cell_size(f, hdu, name) != APOGEE_FULL)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d has no column %s of 8575 values", path, hdu,
                         name);
    snprintf(pattern, sizeof pattern, "%s", name);
    fits_get_colnum(f, CASEINSEN, pattern, &column, &status);
    fits_read_col(f, TDOUBLE, column, row + 1, 1, APOGEE_FULL, &null, out, &any, &status);
    if (!status)
        return ANPE_OK;
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: cannot read column %s: %s", path, name, text);
}

/* The scale of the header, or wavelengths of their own, must be that of combined spectra. scratch
 * (APOGEE_FULL). */
static anpe_status check_scale(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu, int64_t row,
                               double *scratch)
{
    double start = APOGEE_LOG_START, step = APOGEE_LOG_STEP;
    if (cell_size(f, hdu, "wavelength") == APOGEE_FULL) {
        const anpe_status status = read_cell(ctx, f, path, hdu, "wavelength", row, scratch);
        if (status)
            return status;
        start = log10(scratch[0]);
        step = (log10(scratch[APOGEE_FULL - 1]) - start) / (APOGEE_FULL - 1);
    } else {
        (void)(survey_fits_real(f, hdu, "CRVAL", &start) ||
               survey_fits_real(f, hdu, "CRVAL1", &start));
        (void)(survey_fits_real(f, hdu, "CDELT", &step) ||
               survey_fits_real(f, hdu, "CDELT1", &step));
    }
    const double off =
        fabs(start - APOGEE_LOG_START) + fabs(step - APOGEE_LOG_STEP) * (APOGEE_FULL - 1);
    if (off < 0.1 * APOGEE_LOG_STEP)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: wavelengths are 10^(%.10g + %.10g i); expected 10^(4.179 + 6e-06 i), the "
                     "scale of combined APOGEE spectra",
                     path, start, step);
}

/* SDSS_ID of the header or the row's; identifiers of earlier phases without one. */
static void find_id(fitsfile *f, int hdu, int64_t row, size_t size, char *id)
{
    static const char *const keys[] = {"SDSS_ID", "OBJID", "OBJ", "APOGEEID"};
    char text[FLEN_VALUE] = "", pattern[] = "sdss_id";
    int status = 0, column = 0, any = 0;
    LONGLONG number = 0;
    id[0] = '\0';
    for (size_t k = 0; !id[0] && k < sizeof keys / sizeof *keys; k++)
        if (survey_fits_text(f, 0, keys[k], text))
            snprintf(id, size, "%s", text);
    if (id[0] || !survey_fits_has_column(f, hdu, pattern))
        return;
    fits_get_colnum(f, CASEINSEN, pattern, &column, &status);
    fits_read_col(f, TLONGLONG, column, row + 1, 1, 1, NULL, &number, &any, &status);
    fits_clear_errmsg();
    if (!status && number > 0)
        snprintf(id, size, "%lld", (long long)number);
}

anpe_status apogee_read_row(anpe_ctx *ctx, fitsfile *f, const char *path, int64_t row, double *flux,
                            double *sigma, double *bits, size_t size, char *id)
{
    int hdu = 1;
    int64_t n = 0;
    for (; hdu < MOST_HDUS && survey_fits_has(f, hdu) && row >= (n = rows_of(f, hdu)); hdu++)
        row -= n;
    anpe_status status;
    ANPE_TRY(check_scale(ctx, f, path, hdu, row, flux));
    ANPE_TRY(read_cell(ctx, f, path, hdu, "flux", row, flux));
    ANPE_TRY(read_cell(ctx, f, path, hdu, "ivar", row, sigma));
    for (int64_t i = 0; i < APOGEE_FULL; i++) {
        sigma[i] = sigma[i] > 0 ? 1 / sqrt(sigma[i]) : 0;
        bits[i] = 0;
    }
    if (survey_fits_has_column(f, hdu, "pixel_flags"))
        ANPE_TRY(read_cell(ctx, f, path, hdu, "pixel_flags", row, bits));
    find_id(f, hdu, row, size, id);
out:
    return status;
}
