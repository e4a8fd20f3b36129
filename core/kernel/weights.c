/* From raw parameters to those that operations read, and gradients back:
 *   weight norm (Salimans & Kingma 2016)  w = g v / |v|,  per output channel
 *                dg = dw . v / |v|        dv = g / |v| (dw - v (dw . v) / |v|^2)
 *   mask         w = m v                  dv = m dw */
#include <config.h>
#include <string.h>
#include "kernel/real.h"
#include "kernel/weights.h"

/* In PARTS sums side by side, for the vectoriser. */
enum { PARTS = 16 };
ANPE_CLONES
static double dot(int64_t n, const real *x, const real *y)
{
    double part[PARTS] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + PARTS <= n; i += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] += (double)x[i + k] * (double)y[i + k];
    for (; i < n; i++)
        sum += (double)x[i] * (double)y[i];
    for (int k = 0; k < PARTS; k++)
        sum += part[k];
    return sum;
}

ANPE_CLONES
static void keep(int64_t n, const uint8_t *mask, const real *x, real *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = mask[i] ? x[i] : 0;
}

/* to = scale (x - back y) */
ANPE_CLONES
static void scaled_difference(int64_t n, real scale, const real *x, real back, const real *y,
                              real *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = scale * (x[i] - back * y[i]);
}

ANPE_CLONES
static void scaled(int64_t n, real scale, const real *x, real *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = scale * x[i];
}

void REAL(anpe_weight_prepare)(const anpe_weight *w, const void *value, const void *norm, void *out)
{
    const real *v = value, *g = norm;
    real *to = out;
    const int64_t rows = w->shape[0], n = w->size / rows;
    if (w->transform == ANPE_MASKED)
        keep(w->size, w->mask, v, to);
    else if (w->transform != ANPE_NORM_V)
        memcpy(to, v, (size_t)w->size * sizeof(real));
    else
        for (int64_t r = 0; r < rows; r++, v += n, to += n) {
            const real scale = (real)((double)g[r] / sqrt(dot(n, v, v)));
            scaled(n, scale, v, to);
        }
}

void REAL(anpe_weight_pull_back)(const anpe_weight *w, const void *value, const void *norm,
                                 const void *grad, void *grad_value, void *grad_norm)
{
    const real *v = value, *g = norm, *dw = grad;
    real *dv = grad_value, *dg = grad_norm;
    const int64_t rows = w->shape[0], n = w->size / rows;
    if (w->transform == ANPE_BUFFER)
        memset(dv, 0, (size_t)w->size * sizeof(real));
    else if (w->transform == ANPE_MASKED)
        keep(w->size, w->mask, dw, dv);
    else if (w->transform != ANPE_NORM_V)
        memcpy(dv, dw, (size_t)w->size * sizeof(real));
    else
        for (int64_t r = 0; r < rows; r++, v += n, dw += n, dv += n) {
            const double square = dot(n, v, v), along = dot(n, dw, v), size = sqrt(square);
            const real scale = (real)((double)g[r] / size), back = (real)(along / square);
            dg[r] = (real)(along / size);
            scaled_difference(n, scale, dw, back, v, dv);
        }
}

/* Initial value and, for weight norm, g = |v|. */
void REAL(anpe_weight_initial)(const anpe_weight *w, anpe_rng *rng, void *value, void *norm)
{
    real *v = value, *g = norm;
    const int64_t rows = w->shape[0], n = w->size / rows;
    const int zero = w->zero && w->transform != ANPE_NORM_V;
    for (int64_t i = 0; i < w->size; i++)
        v[i] = w->initial ? (real)w->initial[i]
               : zero     ? 0
                          : (real)(w->bound * (2 * anpe_uniform(rng) - 1));
    for (int64_t r = 0; g && r < rows; r++)
        g[r] = w->zero ? 0 : (real)sqrt(dot(n, v + r * n, v + r * n));
}
