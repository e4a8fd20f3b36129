/* report/star.c -- see star.h. Numbers of pixels are rounded to a byte or two, with the range that
 * they have: for the eye. Draws are rounded to a thousandth of their range; histograms are of all.
 */
#include <config.h>
#include "report/star.h"
#include "file/hdf5_file.h"
#include "stat/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 500, BINS = 40, LINES = 5, STEPS = 65534, NO_VALUE = 65535, CLIP = 20 };

typedef struct names {
    int64_t n, n_units;
    char **name, **unit;
} names;

struct anpe_report_files {
    anpe_h5 *draws, *fit, *gradients;
    names draw, gradient;
    int64_t n_draws, n_pixels; /* of a star; of fits and gradients */
    double *wavelength;        /* (n_pixels), NULL: there are none */
    int64_t *segment, n_segment;
    double *theta, *column; /* (n_draws, D), (n_draws) */
    float *flux, *model, *sigma, *gradient_row;
    uint8_t *mask;
    unsigned char *bytes; /* (2 n_pixels) */
};

/* ---- files ------------------------------------------------------------------------------- */

static anpe_status read_names(anpe_ctx *ctx, anpe_h5 *f, const char *set, names *l)
{
    anpe_status status = anpe_h5_get_texts(ctx, f, set, "labels", &l->n, &l->name);
    if (!status)
        status = anpe_h5_get_texts(ctx, f, set, "units", &l->n_units, &l->unit);
    if (!status && l->n != l->n_units)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %s has %lld labels and %lld units",
                         anpe_h5_path(f), set, (long long)l->n, (long long)l->n_units);
    return status;
}

/* A file of this format whose dataset has n rows. */
static anpe_status open_file(anpe_ctx *ctx, const char *path, const char *format, const char *set,
                             int rank, int64_t n, int64_t shape[8], anpe_h5 **out)
{
    char *what = NULL;
    int is;
    anpe_status status;
    ANPE_TRY(anpe_h5_open(ctx, path, out));
    if (anpe_h5_has_attribute(*out, "/", "format"))
        ANPE_TRY(anpe_h5_get_text(ctx, *out, "/", "format", &what));
    if (!what || strcmp(what, format)) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: format '%s', expected '%s'", path,
                           what ? what : "", format);
        goto out;
    }
    ANPE_TRY(anpe_h5_shape(ctx, *out, set, &is, shape));
    if (is != rank || shape[0] != n)
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "%s: of %lld spectra, the catalogue has %lld: not of the same run", path,
                           (long long)shape[0], (long long)n);
out:
    free(what);
    return status;
}

static anpe_status check_ids(anpe_ctx *ctx, anpe_h5 *f, int64_t n, char *const *id)
{
    char **theirs;
    anpe_status status;
    if (!id || !anpe_h5_has(f, "id"))
        return ANPE_OK;
    if (ANPE_NEW(ctx, theirs, n + 1))
        return ANPE_ENOMEM;
    ANPE_TRY(anpe_h5_read_texts(ctx, f, "id", n, theirs));
    for (int64_t r = 0; r < n; r++)
        if (strcmp(id[r], theirs[r])) {
            status = ANPE_FAIL(ctx, ANPE_EINVAL,
                               "%s: spectrum %lld is of '%s', that of the catalogue of '%s': not "
                               "of the same run",
                               anpe_h5_path(f), (long long)r, theirs[r], id[r]);
            break;
        }
out:
    anpe_h5_texts_free(n, theirs);
    return status;
}

/* Pixels: of the fits, or of the gradients where there are no fits. */
static anpe_status read_pixels(anpe_ctx *ctx, anpe_report_files *f, int64_t n)
{
    anpe_h5 *file = f->fit ? f->fit : f->gradients;
    int rank;
    int64_t shape[8];
    anpe_status status;
    f->n_pixels = n;
    ANPE_TRY(ANPE_NEW(ctx, f->flux, n));
    ANPE_TRY(ANPE_NEW(ctx, f->sigma, n));
    ANPE_TRY(ANPE_NEW(ctx, f->model, n));
    ANPE_TRY(ANPE_NEW(ctx, f->mask, n));
    ANPE_TRY(ANPE_NEW(ctx, f->bytes, 2 * n));
    if (anpe_h5_has(file, "wavelength")) {
        ANPE_TRY(ANPE_NEW(ctx, f->wavelength, n));
        ANPE_TRY(anpe_h5_read(ctx, file, "wavelength", ANPE_H5_DOUBLE, n, f->wavelength));
    }
    ANPE_TRY(anpe_h5_shape(ctx, file, "segment", &rank, shape));
    f->n_segment = shape[0];
    ANPE_TRY(ANPE_NEW(ctx, f->segment, f->n_segment));
    ANPE_TRY(anpe_h5_read(ctx, file, "segment", ANPE_H5_INT64, f->n_segment, f->segment));
out:
    return status;
}

static anpe_status open_files(anpe_ctx *ctx, const anpe_report_request *q, int64_t n,
                              char *const *id, anpe_report_files *f)
{
    int64_t shape[8], pixels = 0;
    anpe_status status = ANPE_OK;
    if (q->posterior) {
        ANPE_TRY(open_file(ctx, q->posterior, "anpe posterior", "samples", 3, n, shape, &f->draws));
        if (anpe_h5_has(f->draws, "id")) /* draws of groups say whose they are */
            ANPE_TRY(check_ids(ctx, f->draws, n, id));
        f->n_draws = shape[1];
        ANPE_TRY(read_names(ctx, f->draws, "samples", &f->draw));
        ANPE_TRY(ANPE_NEW(ctx, f->theta, shape[1], shape[2]));
        ANPE_TRY(ANPE_NEW(ctx, f->column, shape[1]));
    }
    if (q->predict) {
        ANPE_TRY(open_file(ctx, q->predict, "anpe predictions", "flux", 2, n, shape, &f->fit));
        ANPE_TRY(check_ids(ctx, f->fit, n, id));
        pixels = shape[1];
    }
    if (q->explain) {
        ANPE_TRY(
            open_file(ctx, q->explain, "anpe gradients", "gradient", 3, n, shape, &f->gradients));
        ANPE_TRY(check_ids(ctx, f->gradients, n, id));
        ANPE_TRY(read_names(ctx, f->gradients, "gradient", &f->gradient));
        ANPE_TRY(ANPE_NEW(ctx, f->gradient_row, shape[1], shape[2]));
        if (pixels && pixels != shape[2])
            return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: %lld pixels, %s has %lld: not of the same run",
                             q->explain, (long long)shape[2], q->predict, (long long)pixels);
        pixels = shape[2];
    }
    if (pixels)
        ANPE_TRY(read_pixels(ctx, f, pixels));
out:
    return status;
}

anpe_status anpe_report_files_open(anpe_ctx *ctx, const anpe_report_request *q, int64_t n,
                                   char *const *id, anpe_report_files **out)
{
    if (ANPE_NEW(ctx, *out, 1))
        return ANPE_ENOMEM;
    const anpe_status status = open_files(ctx, q, n, id, *out);
    if (status)
        *out = anpe_report_files_close(*out);
    return status;
}

anpe_report_files *anpe_report_files_close(anpe_report_files *f)
{
    if (!f)
        return NULL;
    anpe_h5_abandon(f->draws);
    anpe_h5_abandon(f->fit);
    anpe_h5_abandon(f->gradients);
    anpe_h5_texts_free(f->draw.n, f->draw.name);
    anpe_h5_texts_free(f->draw.n_units, f->draw.unit);
    anpe_h5_texts_free(f->gradient.n, f->gradient.name);
    anpe_h5_texts_free(f->gradient.n_units, f->gradient.unit);
    free(f->wavelength);
    free(f->segment);
    free(f->theta);
    free(f->column);
    free(f->flux);
    free(f->model);
    free(f->sigma);
    free(f->gradient_row);
    free(f->mask);
    free(f->bytes);
    free(f);
    return NULL;
}

anpe_status anpe_report_files_common(anpe_ctx *ctx, anpe_report_files *f, anpe_page *p)
{
    (void)ctx;
    if (f->wavelength) {
        fputs(",\"wavelength\":[", p->file);
        for (int64_t i = 0; i < f->n_pixels; i++)
            fprintf(p->file, "%s%.8g", i ? "," : "", f->wavelength[i]);
        fputc(']', p->file);
    }
    fprintf(p->file, ",\"pixels\":%lld,\"segment\":[", (long long)f->n_pixels);
    for (int64_t i = 0; i < f->n_segment; i++)
        fprintf(p->file, "%s%lld", i ? "," : "", (long long)f->segment[i]);
    fputc(']', p->file);
    return ANPE_OK;
}

/* ---- draws ------------------------------------------------------------------------------- */

static void put_label(anpe_page *p, const names *l, int64_t k)
{
    fputs("{\"name\":", p->file);
    anpe_page_text(p, l->name[k]);
    fputs(",\"unit\":", p->file);
    anpe_page_text(p, l->unit[k]);
}

/* The range of a label's draws, their histogram over it, and the first SHOWN in thousandths of it.
 */
static void put_draws_of(anpe_report_files *f, anpe_page *p, int64_t d)
{
    const int64_t n = f->n_draws, labels = f->draw.n;
    int64_t count[BINS] = {0};
    for (int64_t k = 0; k < n; k++)
        f->column[k] = f->theta[k * labels + d];
    anpe_sort(n, f->column);
    const double lo = f->column[0], hi = f->column[n - 1], width = hi > lo ? hi - lo : 1;
    for (int64_t k = 0; k < n; k++)
        count[(int)fmin(BINS * (f->column[k] - lo) / width, BINS - 1)]++;
    put_label(p, &f->draw, d);
    fprintf(p->file, ",\"lo\":%.10g,\"hi\":%.10g,\"count\":[", lo, lo + width);
    for (int b = 0; b < BINS; b++)
        fprintf(p->file, "%s%lld", b ? "," : "", (long long)count[b]);
    fputs("],\"draw\":[", p->file);
    for (int64_t k = 0; k < n && k < SHOWN; k++)
        fprintf(p->file, "%s%.0f", k ? "," : "", 1000 * (f->theta[k * labels + d] - lo) / width);
    fputs("]}", p->file);
}

static anpe_status put_draws(anpe_ctx *ctx, anpe_report_files *f, anpe_page *p, int64_t row,
                             const char **comma)
{
    const int64_t n = f->n_draws * f->draw.n;
    const anpe_status status =
        anpe_h5_read_rows(ctx, f->draws, "samples", ANPE_H5_DOUBLE, row, 1, n, f->theta);
    for (int64_t k = 0; k < n && !status; k++)
        if (!isfinite(f->theta[k])) /* a star without a posterior */
            return ANPE_OK;
    if (status || !n)
        return status;
    fprintf(p->file, "%s\"draws\":{\"n\":%lld,\"labels\":[", *comma, (long long)f->n_draws);
    for (int64_t d = 0; d < f->draw.n; d++) {
        fputs(d ? "," : "", p->file);
        put_draws_of(f, p, d);
    }
    fputs("]}", p->file);
    *comma = ",";
    return ANPE_OK;
}

/* ---- pixels ------------------------------------------------------------------------------ */

/* Values between lo and hi in steps of two bytes, the lower first; bad pixels NO_VALUE. */
static void put_pixels(anpe_report_files *f, anpe_page *p, const char *name, const float *x,
                       double lo, double hi)
{
    for (int64_t i = 0; i < f->n_pixels; i++) {
        const double at = STEPS * ((double)x[i] - lo) / (hi - lo);
        const unsigned step =
            f->mask[i] || !isfinite(at) ? NO_VALUE : (unsigned)fmin(fmax(at + 0.5, 0), STEPS);
        f->bytes[2 * i] = (unsigned char)(step & 255);
        f->bytes[2 * i + 1] = (unsigned char)(step >> 8);
    }
    fprintf(p->file, "\"%s\":{\"lo\":%.10g,\"hi\":%.10g,\"data\":", name, lo, hi);
    anpe_page_bytes(p, 2 * (size_t)f->n_pixels, f->bytes);
    fputc('}', p->file);
}

static anpe_status put_fit(anpe_ctx *ctx, anpe_report_files *f, anpe_page *p, int64_t row,
                           const char **comma)
{
    const int64_t n = f->n_pixels;
    double lo = INFINITY, hi = -INFINITY;
    anpe_status status;
    ANPE_TRY(anpe_h5_read_rows(ctx, f->fit, "flux", ANPE_H5_FLOAT, row, 1, n, f->flux));
    ANPE_TRY(anpe_h5_read_rows(ctx, f->fit, "sigma", ANPE_H5_FLOAT, row, 1, n, f->sigma));
    ANPE_TRY(anpe_h5_read_rows(ctx, f->fit, "median", ANPE_H5_FLOAT, row, 1, n, f->model));
    ANPE_TRY(anpe_h5_read_mask(ctx, f->fit, "mask", row, 1, n, f->mask));
    for (int64_t i = 0; i < n; i++) {
        f->mask[i] |= !isfinite(f->flux[i]) || !isfinite(f->model[i]) || !(f->sigma[i] > 0);
        if (f->mask[i])
            continue;
        lo = fmin(lo, fmin((double)f->flux[i], (double)f->model[i]));
        hi = fmax(hi, fmax((double)f->flux[i], (double)f->model[i]));
        f->sigma[i] = (f->flux[i] - f->model[i]) / f->sigma[i];
    }
    if (!(hi > lo))
        return ANPE_OK;
    fprintf(p->file, "%s\"fit\":{", *comma);
    put_pixels(f, p, "flux", f->flux, lo, hi);
    fputc(',', p->file);
    put_pixels(f, p, "model", f->model, lo, hi);
    fputc(',', p->file);
    put_pixels(f, p, "residual", f->sigma, -CLIP, CLIP);
    fputc('}', p->file);
    *comma = ",";
out:
    return status;
}

/* The largest of the peaks of |g|, as "pixel, value" pairs. */
static void put_peaks(const anpe_report_files *f, anpe_page *p, const float *g)
{
    int64_t best[LINES];
    int n = 0;
    for (int64_t i = 0; i < f->n_pixels; i++) {
        const float here = fabsf(g[i]), before = i ? fabsf(g[i - 1]) : 0,
                    after = i + 1 < f->n_pixels ? fabsf(g[i + 1]) : 0;
        if (!(here > 0) || here < before || here <= after)
            continue;
        int at = n;
        while (at > 0 && fabsf(g[best[at - 1]]) < here)
            at--;
        if (at == LINES)
            continue;
        n = n < LINES ? n + 1 : LINES;
        memmove(best + at + 1, best + at, (size_t)(n - at - 1) * sizeof *best);
        best[at] = i;
    }
    fputs(",\"peaks\":[", p->file);
    for (int k = 0; k < n; k++)
        fprintf(p->file, "%s[%lld,%.4g]", k ? "," : "", (long long)best[k], (double)g[best[k]]);
    fputc(']', p->file);
}

/* A label's gradient in 127ths of its largest value, of a byte each with 128 for nothing. */
static void put_gradient(anpe_report_files *f, anpe_page *p, int64_t d)
{
    const float *g = f->gradient_row + d * f->n_pixels;
    double most = 0;
    for (int64_t i = 0; i < f->n_pixels; i++)
        most = fmax(most, fabs((double)g[i]));
    for (int64_t i = 0; i < f->n_pixels; i++)
        f->bytes[i] = (unsigned char)(128 + lrint(most > 0 ? 127 * (double)g[i] / most : 0));
    put_label(p, &f->gradient, d);
    fprintf(p->file, ",\"most\":%.6g,\"data\":", most);
    anpe_page_bytes(p, (size_t)f->n_pixels, f->bytes);
    put_peaks(f, p, g);
    fputc('}', p->file);
}

static anpe_status put_gradients(anpe_ctx *ctx, anpe_report_files *f, anpe_page *p, int64_t row,
                                 const char **comma)
{
    const int64_t n = f->gradient.n * f->n_pixels;
    const anpe_status status =
        anpe_h5_read_rows(ctx, f->gradients, "gradient", ANPE_H5_FLOAT, row, 1, n, f->gradient_row);
    for (int64_t k = 0; k < n && !status; k++)
        if (!isfinite(f->gradient_row[k]))
            return ANPE_OK;
    if (status)
        return status;
    fprintf(p->file, "%s\"gradients\":[", *comma);
    for (int64_t d = 0; d < f->gradient.n; d++) {
        fputs(d ? "," : "", p->file);
        put_gradient(f, p, d);
    }
    fputc(']', p->file);
    *comma = ",";
    return ANPE_OK;
}

anpe_status anpe_report_files_star(anpe_ctx *ctx, anpe_report_files *f, anpe_page *p, int64_t row)
{
    const char *comma = "";
    anpe_status status = ANPE_OK;
    fputc('{', p->file);
    if (f->draws)
        ANPE_TRY(put_draws(ctx, f, p, row, &comma));
    if (f->fit)
        ANPE_TRY(put_fit(ctx, f, p, row, &comma));
    if (f->gradients)
        ANPE_TRY(put_gradients(ctx, f, p, row, &comma));
    fputc('}', p->file);
out:
    return status;
}
