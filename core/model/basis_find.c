/* The vectors of a reduced basis: the subspace that holds most of the tangent spaces of spectra
 * drawn from the prior.
 *
 * Per draw: tangents by finite differences of reduced model spectra, scaled by the root of a
 * typical W, the continuum rule's modes projected out, made orthonormal, so that every draw counts
 * with its whole tangent space, however strong its lines are. All of them are the rows of A; V are
 * the leading eigenvectors of A^T A, by orthogonal iteration. */
#include <config.h>
#include "model/basis.h"
#include "base/linear.h"
#include "kernel/product.h"
#include "stat/moments.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NOISE_DRAWS = 32, ROWS = 1024, LEAST_DRAWS = 64, SWEEPS = 10 };
/* Of the prior's sd: the tangent's error is of its order, float noise far below. */
static const double tangent_step = 0.01;

typedef struct search {
    const anpe_task *t;
    anpe_bench *bench;
    uint32_t seed;
    int64_t n_values, n_draws, n_labels, n_modes, n;
    anpe_spectrum template;    /* typical error bars; excluded and never good pixels are bad */
    float *root;               /* (n_values) 1 / sigma of the template, 0 where bad */
    double *sd;                /* (n_labels) of the prior */
    float *shape;              /* (n_modes, n_values) */
    float *spectrum;           /* (n_draws, n_values) reduced model spectra */
    float *star;               /* (n_modes + n_labels, n_values) one draw's modes and tangents */
    float *a;                  /* (n_rows, n_values) */
    float *q, *packed, *small; /* (n, n_values) rows are vectors; scratch of products */
    int64_t n_rows;
} search;

/* Rows first .. n made orthonormal to those before; twice is enough. A row that depends on the
 * others becomes 0. */
static void orthonormalise(int64_t n, int64_t width, float *row)
{
    for (int64_t i = 0; i < n; i++) {
        float *x = row + i * width;
        const double before = anpe_dot(width, x, x);
        for (int pass = 0; pass < 2; pass++)
            for (int64_t k = 0; k < i; k++) {
                const float *other = row + k * width, c = (float)anpe_dot(width, x, other);
                for (int64_t p = 0; p < width; p++)
                    x[p] -= c * other[p];
            }
        const double norm = anpe_dot(width, x, x);
        const float scale = norm > 1e-8 * before ? (float)(1 / sqrt(norm)) : 0;
        for (int64_t p = 0; p < width; p++)
            x[p] *= scale;
    }
}

/* ---- draws ------------------------------------------------------------------------------- */

/* Mean of 1 / sigma^2 over draws of the noise model. */
static anpe_status typical_errors(anpe_ctx *ctx, search *s)
{
    anpe_status status = ANPE_OK;
    const anpe_spectrum *o = &s->bench->spectrum;
    memset(s->root, 0, (size_t)s->n_values * sizeof *s->root);
    for (int64_t k = 0; k < NOISE_DRAWS; k++) {
        anpe_rng rng = anpe_rng_make(s->seed, ANPE_FOR_BASIS, k, ANPE_SLOT_NOISE);
        ANPE_TRY(anpe_task_draw_labels(s->t, ctx, s->bench, s->seed, ANPE_FOR_BASIS, k, 1));
        ANPE_TRY(anpe_task_simulate(s->t, ctx, s->bench, 1));
        ANPE_TRY(anpe_task_mock(s->t, ctx, s->bench, 0, &rng));
        for (int64_t p = 0; p < s->n_values; p++)
            s->root[p] += o->mask[p] ? 0 : 1 / (o->sigma[p] * o->sigma[p]) / (float)NOISE_DRAWS;
    }
    for (int64_t p = 0; p < s->n_values; p++) {
        s->template.mask[p] = (uint8_t) !(s->root[p] > 0);
        s->root[p] = sqrtf(s->root[p]);
        s->template.sigma[p] = s->root[p] > 0 ? 1 / s->root[p] : 1;
        s->template.flux[p] = 1;
    }
out:
    return status;
}

static anpe_status prior_widths(anpe_ctx *ctx, search *s)
{
    anpe_status status = ANPE_OK;
    anpe_moments *label;
    if (ANPE_NEW(ctx, label, s->n_labels))
        return ANPE_ENOMEM;
    for (int pass = 0; pass < ANPE_MOMENTS_PASSES; pass++)
        for (int64_t k = 0; k < s->n_draws; k++) {
            ANPE_TRY(anpe_task_draw_labels(s->t, ctx, s->bench, s->seed, ANPE_FOR_BASIS, k, 1));
            for (int64_t d = 0; d < s->n_labels; d++)
                anpe_moments_add(&label[d], pass, s->bench->theta[d]);
        }
    for (int64_t d = 0; d < s->n_labels; d++)
        s->sd[d] = anpe_moments_sd(&label[d]);
out:
    free(label);
    return status;
}

/* Draw k and one step along each label in the rows of the bench, reduced -> spectrum k, and the
 * scaled differences in the last rows of star. */
static anpe_status tangents(anpe_ctx *ctx, search *s, int64_t k)
{
    double *theta = s->bench->theta;
    float *f0 = s->spectrum + k * s->n_values;
    const float *flux = s->bench->spectrum.flux;
    anpe_status status;
    ANPE_TRY(anpe_task_draw_labels(s->t, ctx, s->bench, s->seed, ANPE_FOR_BASIS, k, 1));
    for (int64_t d = 0; d < s->n_labels; d++) {
        double *row = theta + (d + 1) * s->n_labels, step = tangent_step * s->sd[d];
        memcpy(row, theta, (size_t)s->n_labels * sizeof *row);
        row[d] += row[d] + step > s->t->prior->label[d].max ? -step : step;
    }
    ANPE_TRY(anpe_task_simulate(s->t, ctx, s->bench, s->n_labels + 1));
    for (int64_t d = 0; d <= s->n_labels; d++) {
        ANPE_TRY(anpe_task_reduce_model(s->t, ctx, s->bench, d, &s->template));
        float *row = s->star + (s->n_modes + d - 1) * s->n_values;
        if (d == 0)
            memcpy(f0, flux, (size_t)s->n_values * sizeof *f0);
        for (int64_t p = 0; d > 0 && p < s->n_values; p++)
            row[p] = s->root[p] > 0 ? (flux[p] - f0[p]) * s->root[p] : 0;
    }
    for (int64_t j = 0; j < s->n_modes; j++)
        for (int64_t p = 0; p < s->n_values; p++)
            s->star[j * s->n_values + p] =
                s->root[p] > 0 ? s->shape[j * s->n_values + p] * f0[p] * s->root[p] : 0;
out:
    return status;
}

static anpe_status collect(anpe_ctx *ctx, search *s)
{
    anpe_status status = ANPE_OK;
    for (int64_t k = 0; k < s->n_draws && !status; k++) {
        status = tangents(ctx, s, k);
        orthonormalise(s->n_modes + s->n_labels, s->n_values, s->star);
        memcpy(s->a + k * s->n_labels * s->n_values, s->star + s->n_modes * s->n_values,
               (size_t)(s->n_labels * s->n_values) * sizeof *s->a);
    }
    return status;
}

/* ---- subspace ---------------------------------------------------------------------------- */

/* q := orthonormal rows of (A^T A) q. */
static void iterate(search *s)
{
    const int64_t P = s->n_values, rows = s->n_rows, n = s->n;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        anpe_product_pack_f(P, n, s->q, 1, P, s->packed); /* q^T (P, n) */
        anpe_product_f(rows, n, P, s->a, P, 1, s->packed, NULL, s->small, n, 0);
        /* q (n, P) = small^T (n, rows) A (rows, P) */
        anpe_product_pack_f(rows, P, s->a, P, 1, s->packed);
        anpe_product_f(n, P, rows, s->small, 1, n, s->packed, NULL, s->q, P, 0);
        orthonormalise(n, P, s->q);
    }
}

static void start_subspace(search *s)
{
    anpe_rng rng = anpe_rng_make(s->seed, ANPE_FOR_BASIS, -1, 0);
    anpe_normals(&rng, s->n * s->n_values, s->q);
    orthonormalise(s->n, s->n_values, s->q);
}

/* Mean, vectors back in units of flux, modes times the mean, prior variances of the amplitudes. */
static void fill(const search *s, anpe_basis *b)
{
    const int64_t P = s->n_values;
    for (int64_t k = 0; k < s->n_draws; k++)
        for (int64_t p = 0; p < P; p++)
            b->mean[p] += s->spectrum[k * P + p] / (float)s->n_draws;
    for (int64_t p = 0; p < P; p++) {
        const float sigma = s->root[p] > 0 ? 1 / s->root[p] : 0;
        for (int64_t j = 0; j < b->n; j++)
            b->vector[p * b->stride + j] = s->q[j * P + p] * sigma;
        for (int64_t j = 0; j < b->n_modes; j++)
            b->vector[p * b->stride + b->n + j] = s->shape[j * P + p] * b->mean[p];
    }
    for (int64_t j = 0; j < b->n; j++) {
        double square = 0;
        for (int64_t k = 0; k < s->n_draws; k++) {
            double c = 0;
            for (int64_t p = 0; p < P; p++)
                c += (double)(s->q[j * P + p] * s->root[p] * (s->spectrum[k * P + p] - b->mean[p]));
            square += c * c;
        }
        /* in units of sigma: at least the noise itself, or the fit would ignore a component */
        b->precision[j] = 1 / fmax(square / (double)s->n_draws, 1);
    }
    for (int64_t j = 0; j < b->n_modes; j++)
        b->precision[b->n + j] = 1; /* the continuum is free by its own size */
}

static anpe_status allocate(anpe_ctx *ctx, search *s)
{
    const size_t P = (size_t)s->n_values, star = (size_t)(s->n_modes + s->n_labels);
    const size_t most = (size_t)anpe_product_packed_f(s->n_rows, s->n_values);
    const size_t also = (size_t)anpe_product_packed_f(s->n_values, s->n);
    anpe_status status = anpe_spectrum_new(ctx, s->n_values, &s->template);
    s->root = anpe_alloc(ctx, P * sizeof *s->root);
    s->shape = anpe_alloc(ctx, (size_t)s->n_modes * P * sizeof *s->shape);
    s->spectrum = anpe_alloc(ctx, (size_t)s->n_draws * P * sizeof *s->spectrum);
    s->star = anpe_alloc(ctx, star * P * sizeof *s->star);
    s->a = anpe_alloc(ctx, (size_t)s->n_rows * P * sizeof *s->a);
    s->q = anpe_alloc(ctx, (size_t)s->n * P * sizeof *s->q);
    s->packed = anpe_alloc(ctx, (most > also ? most : also) * sizeof *s->packed);
    s->small = anpe_alloc(ctx, (size_t)(s->n_rows * s->n) * sizeof *s->small);
    if (!s->small || !s->packed || !s->q || !s->a || !s->star || !s->spectrum || !s->shape ||
        !s->root || ANPE_NEW(ctx, s->sd, s->n_labels))
        return ANPE_ENOMEM;
    return status ? status : anpe_bench_new(ctx, s->t, s->n_labels + 1, &s->bench);
}

static void clear(search *s)
{
    anpe_spectrum_clear(&s->template);
    anpe_bench_free(s->bench);
    free(s->sd);
    anpe_free(s->root);
    anpe_free(s->shape);
    anpe_free(s->spectrum);
    anpe_free(s->star);
    anpe_free(s->a);
    anpe_free(s->q);
    anpe_free(s->packed);
    anpe_free(s->small);
}

anpe_status anpe_basis_find(anpe_ctx *ctx, const anpe_task *t, int64_t n, uint32_t seed,
                            anpe_basis **out)
{
    search s = {.t = t, .seed = seed, .n = n};
    anpe_status status;
    *out = NULL;
    if (!t->sim.n_pixels)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "observe.basis: simulator '%s' cannot simulate, and the basis is made of "
                         "its spectra",
                         t->simulator.plugin->name);
    s.n_values = anpe_task_size(t);
    s.n_labels = t->prior->n_labels;
    s.n_modes = anpe_instrument_continuum_modes(&t->instrument, NULL);
    s.n_draws = ROWS / s.n_labels > LEAST_DRAWS ? ROWS / s.n_labels : LEAST_DRAWS;
    s.n_rows = s.n_draws * s.n_labels;
    s.n = s.n < s.n_values ? s.n : s.n_values;
    ANPE_TRY(anpe_basis_new(ctx, s.n, s.n_modes, s.n_values, out));
    ANPE_TRY(allocate(ctx, &s));
    (void)anpe_instrument_continuum_modes(&t->instrument, s.shape);
    ANPE_TRY(typical_errors(ctx, &s));
    ANPE_TRY(prior_widths(ctx, &s));
    ANPE_TRY(collect(ctx, &s));
    start_subspace(&s);
    iterate(&s);
    fill(&s, *out);
out:
    clear(&s);
    if (status)
        *out = anpe_basis_free(*out);
    return status;
}
