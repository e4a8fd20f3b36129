/* Windows of wavelengths: their pixels and points, and the lines that each of them sees.
 *
 * Pixel i is centred on ln(wavelength) = i s, for every window, and is the average of m points. */
#include "lte.h"
#include <math.h>
#include <stdlib.h>

#define MAX_POINTS 20000000

static anpe_status check_edges(anpe_ctx *ctx, int64_t n, const double *edge)
{
    for (int64_t i = 1; i < n; i++)
        if (!(edge[i] > edge[i - 1]))
            return ANPE_FAIL(ctx, ANPE_ECONFIG,
                             "windows: %g after %g; pairs of first and last, ascending, are "
                             "expected",
                             edge[i], edge[i - 1]);
    if (edge[0] < 2000 || edge[n - 1] > 50000)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "window %g to %g Angstrom: the continuum is known from 2000 to 50000",
                         edge[0], edge[n - 1]);
    return ANPE_OK;
}

/* *next: the pixel behind the window before. */
static anpe_status add_window(anpe_ctx *ctx, const double *edge, double step, int64_t *next,
                              anpe_lte_windows *w)
{
    const int64_t first = (int64_t)floor(log(edge[0]) / step);
    const int64_t n = (int64_t)ceil(log(edge[1]) / step) - first + 1;
    const double fine = step / (double)w->m;
    if (w->n && first <= *next)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "windows: %g and %g are less than two pixels of %g km/s apart", edge[-1],
                         edge[0], step * ANPE_C_KMS);
    anpe_lte_window *v = &w->window[w->n++];
    *v = (anpe_lte_window){
        .low = edge[0], .high = edge[1], .first_pixel = w->n_pixels, .n_pixels = n};
    anpe_lte_points_set(&v->points, (double)first * step - 0.5 * (double)(w->m - 1) * fine, fine,
                        n * w->m);
    w->n_pixels += n;
    *next = first + n;
    return ANPE_OK;
}

static anpe_status set_wavelengths(anpe_ctx *ctx, double step, anpe_lte_windows *w)
{
    if (ANPE_NEW(ctx, w->wavelength, w->n_pixels))
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < w->n; k++) {
        const anpe_lte_window *v = &w->window[k];
        const int64_t first = (int64_t)floor(log(v->low) / step);
        for (int64_t i = 0; i < v->n_pixels; i++)
            w->wavelength[v->first_pixel + i] = exp((double)(first + i) * step);
    }
    return ANPE_OK;
}

anpe_status anpe_lte_windows_new(anpe_ctx *ctx, int64_t n, const double *edge, double kms,
                                 double fine, anpe_lte_windows *w)
{
    const double step = kms / ANPE_C_KMS;
    double span = 0;
    int64_t next = 0;
    *w = (anpe_lte_windows){.m = (int64_t)ceil(kms / fine - 1e-9)};
    anpe_status status;
    ANPE_TRY(check_edges(ctx, 2 * n, edge));
    for (int64_t k = 0; k < n; k++)
        span += log(edge[2 * k + 1] / edge[2 * k]);
    if (span / step * (double)w->m > MAX_POINTS)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%g to %g Angstrom in steps of %g km/s is too large",
                         edge[0], edge[2 * n - 1], fmin(kms, fine));
    ANPE_TRY(ANPE_NEW(ctx, w->window, n));
    for (int64_t k = 0; k < n; k++)
        ANPE_TRY(add_window(ctx, edge + 2 * k, step, &next, w));
    ANPE_TRY(set_wavelengths(ctx, step, w));
out:
    if (status)
        anpe_lte_windows_free(w);
    return status;
}

void anpe_lte_windows_free(anpe_lte_windows *w)
{
    free(w->window);
    free(w->wavelength);
    *w = (anpe_lte_windows){0};
}

void anpe_lte_window_average(const anpe_lte_window *w, const float *points, float *pixels)
{
    const int64_t m = w->points.n / w->n_pixels;
    for (int64_t i = 0; i < w->n_pixels; i++) {
        double sum = 0;
        for (int64_t k = 0; k < m; k++)
            sum += (double)points[i * m + k];
        pixels[i] = (float)(sum / (double)m);
    }
}

/* How many of the sorted lines are below this wavelength. */
static int64_t below(const anpe_lte_lines *l, double wavelength)
{
    int64_t low = 0, high = l->n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (l->wavelength[middle] < wavelength)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void anpe_lte_windows_see(anpe_lte_windows *w, const anpe_lte_lines *lines)
{
    for (int64_t k = 0; k < w->n; k++) {
        anpe_lte_window *v = &w->window[k];
        v->first_line = below(lines, v->low * exp(-ANPE_LTE_MARGIN));
        v->lines = anpe_lte_lines_part(
            lines, v->first_line, below(lines, v->high * exp(ANPE_LTE_MARGIN)) - v->first_line);
    }
}
