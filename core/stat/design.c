/* See design.h. */
#include "stat/design.h"
#include "base/random.h"
#include <math.h>
#include <stdlib.h>

enum { BITS = 32 };

struct anpe_design {
    anpe_design_kind kind;
    uint32_t seed;
    int64_t n, dims;
    uint32_t (*direction)[BITS]; /* Sobol: (dims) */
    uint32_t *shift;             /* Sobol: (dims) */
    int64_t *place;              /* Latin: (dims, n), which part is point i in */
};

/* ---- Sobol ------------------------------------------------------------------------------- */

/* Degree s and inner coefficients a of a primitive polynomial, and the first s numbers m. The first
 * coordinate is van der Corput's and has none. */
static const struct {
    int s;
    unsigned a, m[7];
} joe_kuo[ANPE_SOBOL_MOST - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
    {7, 7, {1, 1, 3, 13, 7, 35, 63}},
    {7, 8, {1, 3, 5, 9, 1, 25, 53}},
    {7, 14, {1, 3, 1, 13, 9, 35, 107}},
    {7, 19, {1, 3, 1, 5, 27, 61, 31}},
    {7, 21, {1, 1, 5, 11, 19, 41, 61}},
    {7, 28, {1, 3, 5, 3, 3, 13, 69}},
    {7, 31, {1, 1, 7, 13, 1, 19, 1}},
    {7, 32, {1, 3, 7, 5, 13, 19, 59}},
    {7, 37, {1, 1, 3, 9, 25, 29, 41}},
    {7, 41, {1, 3, 5, 13, 23, 1, 55}},
    {7, 42, {1, 3, 7, 3, 13, 59, 17}},
};

/* v_i = v_{i-s} ^ (v_{i-s} >> s) ^ sum_k a_k v_{i-k}, v_i = m_i 2^(32 - i) for i <= s */
static void set_directions(int64_t coordinate, uint32_t v[BITS])
{
    if (coordinate == 0) {
        for (int i = 0; i < BITS; i++)
            v[i] = (uint32_t)1 << (BITS - 1 - i);
        return;
    }
    const int s = joe_kuo[coordinate - 1].s;
    const unsigned a = joe_kuo[coordinate - 1].a;
    for (int i = 0; i < s; i++)
        v[i] = joe_kuo[coordinate - 1].m[i] << (BITS - 1 - i);
    for (int i = s; i < BITS; i++) {
        v[i] = v[i - s] ^ (v[i - s] >> s);
        for (int k = 1; k < s; k++)
            if (a >> (s - 1 - k) & 1)
                v[i] ^= v[i - k];
    }
}

static anpe_status open_sobol(anpe_ctx *ctx, anpe_design *d)
{
    if (d->dims > ANPE_SOBOL_MOST || d->n > (int64_t)1 << BITS)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "a Sobol design has at most %d labels and 2^32 points, not %lld and %lld; "
                         "a latin one may have more labels",
                         ANPE_SOBOL_MOST, (long long)d->dims, (long long)d->n);
    if (ANPE_NEW(ctx, d->direction, d->dims) || ANPE_NEW(ctx, d->shift, d->dims))
        return ANPE_ENOMEM;
    for (int64_t j = 0; j < d->dims; j++) {
        anpe_rng rng = anpe_rng_make(d->seed, ANPE_FOR_DESIGN, j, ANPE_SLOT_LABELS);
        set_directions(j, d->direction[j]);
        d->shift[j] = (uint32_t)anpe_integer(&rng, (int64_t)1 << BITS);
    }
    return ANPE_OK;
}

static double sobol(const anpe_design *d, int64_t i, int64_t j)
{
    uint32_t x = d->shift[j];
    for (int k = 0; i >> k; k++)
        if (i >> k & 1)
            x ^= d->direction[j][k];
    return ((double)x + 0.5) * 0x1p-32;
}

/* ---- Latin hypercube --------------------------------------------------------------------- */

static anpe_status open_latin(anpe_ctx *ctx, anpe_design *d)
{
    if (ANPE_NEW(ctx, d->place, d->dims, d->n))
        return ANPE_ENOMEM;
    for (int64_t j = 0; j < d->dims; j++) {
        anpe_rng rng = anpe_rng_make(d->seed, ANPE_FOR_DESIGN, j, ANPE_SLOT_LABELS);
        for (int64_t i = 0; i < d->n; i++)
            d->place[j * d->n + i] = i;
        anpe_shuffle(&rng, d->n, d->place + j * d->n);
    }
    return ANPE_OK;
}

/* ------------------------------------------------------------------------------------------ */

anpe_status anpe_design_new(anpe_ctx *ctx, anpe_design_kind kind, uint32_t seed, int64_t n,
                            int64_t dims, anpe_design **out)
{
    anpe_design *d;
    *out = NULL;
    if (ANPE_NEW(ctx, d, 1))
        return ANPE_ENOMEM;
    *d = (anpe_design){.kind = kind, .seed = seed, .n = n, .dims = dims};
    const anpe_status status = kind == ANPE_DESIGN_SOBOL ? open_sobol(ctx, d) : open_latin(ctx, d);
    *out = status ? anpe_design_free(d) : d;
    return status;
}

anpe_design *anpe_design_free(anpe_design *d)
{
    if (!d)
        return NULL;
    free(d->direction);
    free(d->shift);
    free(d->place);
    free(d);
    return NULL;
}

void anpe_design_point(const anpe_design *d, int64_t i, double *u)
{
    if (d->kind == ANPE_DESIGN_SOBOL) {
        for (int64_t j = 0; j < d->dims; j++)
            u[j] = sobol(d, i, j);
        return;
    }
    anpe_rng rng = anpe_rng_make(d->seed, ANPE_FOR_DESIGN, i, ANPE_SLOT_NOISE);
    for (int64_t j = 0; j < d->dims; j++)
        u[j] =
            fmin(((double)d->place[j * d->n + i] + anpe_uniform(&rng)) / (double)d->n, 1 - 0x1p-53);
}
