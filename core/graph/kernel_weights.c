/* From raw parameters to those that operations read, and gradients back:
 *   weight norm (Salimans & Kingma 2016)  w = g v / |v|,  per output channel
 *                dg = dw . v / |v|        dv = g / |v| (dw - v (dw . v) / |v|^2)
 *   mask         w = m v                  dv = m dw */
#include "config.h"
#include <string.h>
#include "graph/real.h"
#include "graph/weights.h"

static double dot(int64_t n, const real *x, const real *y)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

void REAL(anpe_weight_prepare)(const anpe_weight *w, const void *value, const void *norm, void *out)
{
    const real *v = value, *g = norm;
    real *to = out;
    const int64_t rows = w->shape[0], n = w->size / rows;
    if (w->transform == ANPE_MASKED)
        for (int64_t i = 0; i < w->size; i++)
            to[i] = w->mask[i] ? v[i] : 0;
    else if (w->transform != ANPE_NORM_V)
        memcpy(to, v, (size_t)w->size * sizeof(real));
    else
        for (int64_t r = 0; r < rows; r++, v += n, to += n) {
            const real scale = (real)((double)g[r] / sqrt(dot(n, v, v)));
            for (int64_t i = 0; i < n; i++)
                to[i] = scale * v[i];
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
        for (int64_t i = 0; i < w->size; i++)
            dv[i] = w->mask[i] ? dw[i] : 0;
    else if (w->transform != ANPE_NORM_V)
        memcpy(dv, dw, (size_t)w->size * sizeof(real));
    else
        for (int64_t r = 0; r < rows; r++, v += n, dw += n, dv += n) {
            const double square = dot(n, v, v), along = dot(n, dw, v), size = sqrt(square);
            const real scale = (real)((double)g[r] / size), back = (real)(along / square);
            dg[r] = (real)(along / size);
            for (int64_t i = 0; i < n; i++)
                dv[i] = scale * (dw[i] - back * v[i]);
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
