/* The fit of model/basis.h; how V is found is in basis_find.c. */
#include <config.h>
#include "model/basis.h"
#include "base/linear.h"
#include "kernel/product.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = ANPE_BASIS_MOST + 1, CHUNK = 256, PANEL = ANPE_PRODUCT_WIDTH };
static const double least_pivot = 1e-12; /* Lambda keeps them positive but for rounding */

anpe_status anpe_basis_new(anpe_ctx *ctx, int64_t n, int64_t n_modes, int64_t n_values,
                           anpe_basis **out)
{
    *out = NULL;
    if (n < 1 || n_modes < 0 || n + n_modes > ANPE_BASIS_MOST)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "basis: %lld coefficients and %lld modes of the continuum; expected from "
                         "1 coefficient to %d of both",
                         (long long)n, (long long)n_modes, ANPE_BASIS_MOST);
    anpe_basis *b;
    if (ANPE_NEW(ctx, b, 1))
        return ANPE_ENOMEM;
    b->n = n;
    b->n_modes = n_modes;
    b->n_values = n_values;
    b->stride = (n + n_modes + PANEL) / PANEL * PANEL; /* room for one column more */
    if (ANPE_NEW(ctx, b->mean, n_values) || ANPE_NEW(ctx, b->vector, n_values, b->stride) ||
        ANPE_NEW(ctx, b->precision, n + n_modes)) {
        anpe_basis_free(b);
        return ANPE_ENOMEM;
    }
    *out = b;
    return ANPE_OK;
}

anpe_basis *anpe_basis_free(anpe_basis *b)
{
    if (!b)
        return NULL;
    free(b->mean);
    free(b->vector);
    free(b->precision);
    free(b);
    return NULL;
}

static float weight(const anpe_spectrum *s, int64_t p)
{
    return s->mask[p] ? 0.0f : 1.0f / (s->sigma[p] * s->sigma[p]);
}

/* W X of pixels from .. from + count, and W (flux - mean) as one more column, packed for a product.
 */
static void pack_weighted(const anpe_basis *b, const anpe_spectrum *s, int64_t from, int64_t count,
                          float *packed)
{
    const int64_t m = b->n + b->n_modes;
    float w[CHUNK], *last = packed + m / PANEL * count * PANEL + m % PANEL;
    for (int64_t p = 0; p < count; p++)
        w[p] = weight(s, from + p);
    anpe_product_pack_scaled_f(count, b->stride, b->vector + from * b->stride, w, packed);
    for (int64_t p = 0; p < count; p++)
        last[p * PANEL] = w[p] * (s->flux[from + p] - b->mean[from + p]);
}

/* a = X^T W X + Lambda, lower triangle, rows of SIDE; right (m) = X^T W (flux - mean). Sums of a
 * chunk in float, of chunks in double. */
static void normal_equations(const anpe_basis *b, const anpe_spectrum *s, double *a, double *right)
{
    const int64_t m = b->n + b->n_modes;
    float packed[CHUNK * SIDE], sum[ANPE_BASIS_MOST * SIDE];
    memset(a, 0, (size_t)(m * SIDE) * sizeof *a);
    memset(right, 0, (size_t)m * sizeof *right);
    for (int64_t from = 0; from < b->n_values; from += CHUNK) {
        const int64_t count = b->n_values - from < CHUNK ? b->n_values - from : CHUNK;
        pack_weighted(b, s, from, count, packed);
        anpe_product_f(m, m + 1, count, b->vector + from * b->stride, 1, b->stride, packed, NULL,
                       sum, SIDE, 0);
        for (int64_t i = 0; i < m; i++) {
            for (int64_t j = 0; j <= i; j++)
                a[i * SIDE + j] += (double)sum[i * SIDE + j];
            right[i] += (double)sum[i * SIDE + m];
        }
    }
    for (int64_t i = 0; i < m; i++)
        a[i * SIDE + i] += b->precision[i];
}

/* sqrt of the first n diagonal elements of (L L^T)^-1 = L^-T L^-1: norms of the columns of L^-1. */
static void inverse_diagonal(int64_t m, int64_t n, const double *l, double *out)
{
    double column[SIDE];
    for (int64_t j = 0; j < n; j++) {
        double square = 0;
        for (int64_t i = j; i < m; i++) {
            double sum = i == j ? 1 : 0;
            for (int64_t k = j; k < i; k++)
                sum -= l[i * SIDE + k] * column[k];
            column[i] = sum / l[i * SIDE + i];
            square += column[i] * column[i];
        }
        out[j] = sqrt(square);
    }
}

void anpe_basis_fit(const anpe_basis *b, const anpe_spectrum *s, double *coefficient, double *error)
{
    double a[ANPE_BASIS_MOST * SIDE], x[SIDE];
    const int64_t m = b->n + b->n_modes;
    normal_equations(b, s, a, x);
    (void)anpe_cholesky(m, a, SIDE, least_pivot);
    anpe_cholesky_solve(m, a, SIDE, x);
    memcpy(coefficient, x, (size_t)b->n * sizeof *coefficient);
    inverse_diagonal(m, b->n, a, error);
}

void anpe_basis_gradient(const anpe_basis *b, const anpe_spectrum *s, const double *by_coefficient,
                         float *by_flux)
{
    double a[ANPE_BASIS_MOST * SIDE], x[SIDE];
    const int64_t m = b->n + b->n_modes;
    normal_equations(b, s, a, x);
    (void)anpe_cholesky(m, a, SIDE, least_pivot);
    memset(x, 0, sizeof x);
    memcpy(x, by_coefficient, (size_t)b->n * sizeof *x);
    anpe_cholesky_solve(m, a, SIDE, x);
    for (int64_t p = 0; p < b->n_values; p++) {
        double sum = 0;
        for (int64_t j = 0; j < m; j++)
            sum += (double)b->vector[p * b->stride + j] * x[j];
        by_flux[p] = weight(s, p) * (float)sum;
    }
}
