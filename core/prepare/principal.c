/* Orthogonal iteration: Q <- orthonormal rows of (X Q^T)^T X. */
#include <config.h>
#include "prepare/principal.h"
#include "base/context.h"
#include "base/linear.h"
#include "base/random.h"
#include "kernel/product.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 6, COLUMNS = 512 };

typedef struct search {
    int64_t n, width, k;
    const float *x;        /* (n, width) */
    float *q, *y, *packed; /* (k, width), (n, k), a packed factor */
} search;

/* Rows made orthonormal, one after the other; twice is enough. One that depends on those before
 * becomes 0. */
static void orthonormalise(const search *s)
{
    for (int64_t i = 0; i < s->k; i++) {
        float *a = s->q + i * s->width;
        const double before = anpe_dot(s->width, a, a);
        for (int pass = 0; pass < 2; pass++)
            for (int64_t j = 0; j < i; j++) {
                const float *b = s->q + j * s->width, c = (float)anpe_dot(s->width, a, b);
                for (int64_t p = 0; p < s->width; p++)
                    a[p] -= c * b[p];
            }
        const double after = anpe_dot(s->width, a, a);
        const float scale = after > 1e-10 * before ? (float)(1 / sqrt(after)) : 0;
        for (int64_t p = 0; p < s->width; p++)
            a[p] *= scale;
    }
}

/* y = x q^T */
static void project(const search *s)
{
    anpe_product_pack_f(s->width, s->k, s->q, 1, s->width, s->packed);
    anpe_product_f(s->n, s->k, s->width, s->x, s->width, 1, s->packed, NULL, s->y, s->k, 0);
}

/* q = y^T x, some columns at a time */
static void spread(const search *s)
{
    for (int64_t p = 0; p < s->width; p += COLUMNS) {
        const int64_t m = s->width - p < COLUMNS ? s->width - p : COLUMNS;
        anpe_product_pack_f(s->n, m, s->x + p, s->width, 1, s->packed);
        anpe_product_f(s->k, m, s->n, s->y, 1, s->k, s->packed, NULL, s->q + p, s->width, 0);
    }
}

static void start(const search *s, uint32_t seed)
{
    anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_BASIS, 0, 0);
    for (int64_t i = 0; i < s->n * s->k; i++)
        s->y[i] = (float)anpe_normal(&rng);
}

anpe_status anpe_principal(anpe_ctx *ctx, int64_t n, int64_t width, const float *row, int64_t k,
                           uint32_t seed, float *vector, float *coefficient)
{
    search s = {.n = n, .width = width, .k = k, .x = row};
    const int64_t one = anpe_product_packed_f(width, s.k),
                  other = anpe_product_packed_f(n, COLUMNS);
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, s.q, s.k, width));
    ANPE_TRY(ANPE_NEW(ctx, s.y, n, s.k));
    ANPE_TRY(ANPE_NEW(ctx, s.packed, one > other ? one : other));
    start(&s, seed);
    for (int i = 0; i < SWEEPS && !anpe_cancelled(ctx); i++) {
        if (i)
            project(&s);
        spread(&s);
        orthonormalise(&s);
    }
    project(&s);
    memcpy(vector, s.q, (size_t)(k * width) * sizeof *vector);
    memcpy(coefficient, s.y, (size_t)(n * k) * sizeof *coefficient);
out:
    free(s.q);
    free(s.y);
    free(s.packed);
    return status;
}
