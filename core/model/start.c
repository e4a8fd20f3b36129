/* See start.h. The ridge is one simulation's worth; simulations are ten or more for each term. */
#include <config.h>
#include "model/start.h"
#include "base/linear.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SQUARED = 24, MOST_TERMS = 1 + ANPE_BASIS_MOST + SQUARED * (SQUARED + 1) / 2 };
enum { LEAST_FITTED = 1024, TESTED = 512, BATCH = 8 };
static const double margin = 1e-3; /* of a label's range, between a guess and a bound */
static const double largest = 6;   /* |t| in a product */

static int64_t squared(int64_t n)
{
    return n < SQUARED ? n : SQUARED;
}

anpe_status anpe_start_new(anpe_ctx *ctx, int64_t n, int64_t n_labels, anpe_start **out)
{
    const int64_t q = squared(n);
    anpe_start *s;
    *out = NULL;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->n = n;
    s->n_terms = 1 + n + q * (q + 1) / 2;
    s->n_labels = n_labels;
    if (ANPE_NEW(ctx, s->weight, s->n_terms, n_labels) || ANPE_NEW(ctx, s->error, n_labels)) {
        anpe_start_free(s);
        return ANPE_ENOMEM;
    }
    *out = s;
    return ANPE_OK;
}

anpe_start *anpe_start_free(anpe_start *s)
{
    if (!s)
        return NULL;
    free(s->weight);
    free(s->error);
    free(s);
    return NULL;
}

static void fill_terms(const anpe_start *s, const anpe_basis *basis, const anpe_spectrum *spectrum,
                       double *term)
{
    double coefficient[ANPE_BASIS_MOST], error[ANPE_BASIS_MOST], bent[SQUARED];
    const int64_t q = squared(s->n);
    anpe_basis_fit(basis, spectrum, coefficient, error);
    *term++ = 1;
    for (int64_t j = 0; j < s->n; j++) {
        *term = coefficient[j] * sqrt(basis->precision[j]);
        if (j < q)
            bent[j] = fmin(fmax(*term, -largest), largest);
        term++;
    }
    for (int64_t j = 0; j < q; j++)
        for (int64_t k = 0; k <= j; k++)
            *term++ = bent[j] * bent[k];
}

/* What is regressed of a label, and back. */

static double measure(const anpe_label_map *map, int64_t i, double theta)
{
    return map->kind[i] == ANPE_BOX ? theta : anpe_label_map_line(map, i, theta);
}

static double label_of(const anpe_label_map *map, int64_t i, double value)
{
    const anpe_label *l = &map->label[i];
    const double least = margin * (l->max - l->min);
    if (isfinite(least)) /* whatever the map */
        return fmin(fmax(value, l->min + least), l->max - least);
    return anpe_label_map_from_line(map, i, value);
}

/* value (D) := terms . weight */
static void predict(const anpe_start *s, const double *term, double *value)
{
    memset(value, 0, (size_t)s->n_labels * sizeof *value);
    for (int64_t j = 0; j < s->n_terms; j++)
        for (int64_t i = 0; i < s->n_labels; i++)
            value[i] += term[j] * s->weight[j * s->n_labels + i];
}

void anpe_start_guess(const anpe_start *s, const anpe_label_map *map, const anpe_basis *basis,
                      const anpe_spectrum *spectrum, double *theta)
{
    double term[MOST_TERMS];
    fill_terms(s, basis, spectrum, term);
    predict(s, term, theta);
    for (int64_t i = 0; i < s->n_labels; i++)
        theta[i] = label_of(map, i, theta[i]);
}

/* ---- the regression ---------------------------------------------------------------------- */

typedef struct regression {
    const anpe_task *t;
    const anpe_label_map *map;
    const anpe_basis *basis;
    anpe_bench *bench;
    double *normal;        /* (n_terms, n_terms) lower triangle */
    double *right;         /* (D, n_terms) */
    double *theta, *value; /* (D) */
    double *square;        /* (D) of the errors */
} regression;

/* term (n_terms) of an observation with labels theta into the sums. */
static void add(regression *r, const anpe_start *s, const double *term)
{
    const int64_t n = s->n_terms;
    for (int64_t j = 0; j < n; j++)
        for (int64_t k = 0; k <= j; k++)
            r->normal[j * n + k] += term[j] * term[k];
    for (int64_t i = 0; i < s->n_labels; i++) {
        const double value = measure(r->map, i, r->theta[i]);
        for (int64_t j = 0; j < n; j++)
            r->right[i * n + j] += value * term[j];
    }
}

static void test(regression *r, const anpe_start *s, const double *term)
{
    predict(s, term, r->value);
    for (int64_t i = 0; i < s->n_labels; i++) {
        const double error = label_of(r->map, i, r->value[i]) - r->theta[i];
        r->square[i] += error * error / TESTED;
    }
}

/* Simulated observations [first, first + n), one after the other, to `use`. */
static anpe_status observe(anpe_ctx *ctx, regression *r, const anpe_start *s, uint32_t seed,
                           int64_t first, int64_t n,
                           void (*use)(regression *, const anpe_start *, const double *))
{
    double term[MOST_TERMS];
    anpe_status status = ANPE_OK;
    for (int64_t done = 0; done < n; done += BATCH) {
        const int64_t from = first + done, m = n - done < BATCH ? n - done : BATCH;
        ANPE_TRY(anpe_task_draw_labels(r->t, ctx, r->bench, seed, ANPE_FOR_START, from, m));
        ANPE_TRY(anpe_task_simulate(r->t, ctx, r->bench, m));
        for (int64_t k = 0; k < m; k++) {
            anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_START, from + k, ANPE_SLOT_NOISE);
            anpe_task_labels(r->t, r->bench->theta + k * r->t->prior->n_labels, r->theta);
            ANPE_TRY(anpe_task_mock(r->t, ctx, r->bench, k, &rng));
            fill_terms(s, r->basis, &r->bench->spectrum, term);
            use(r, s, term);
        }
    }
out:
    return status;
}

static void solve(const regression *r, anpe_start *s)
{
    const int64_t n = s->n_terms;
    for (int64_t j = 1; j < n; j++)
        r->normal[j * n + j] += 1;
    (void)anpe_cholesky(n, r->normal, n, 1e-12);
    for (int64_t i = 0; i < s->n_labels; i++) {
        anpe_cholesky_solve(n, r->normal, n, r->right + i * n);
        for (int64_t j = 0; j < n; j++)
            s->weight[j * s->n_labels + i] = r->right[i * n + j];
    }
}

static anpe_status allocate(anpe_ctx *ctx, regression *r, const anpe_start *s)
{
    const int64_t n = s->n_terms, d = s->n_labels;
    if (ANPE_NEW(ctx, r->normal, n, n) || ANPE_NEW(ctx, r->right, n, d) ||
        ANPE_NEW(ctx, r->theta, 3, d))
        return ANPE_ENOMEM;
    r->value = r->theta + d;
    r->square = r->theta + 2 * d;
    return anpe_bench_new(ctx, r->t, BATCH, &r->bench);
}

anpe_status anpe_start_fit(anpe_ctx *ctx, const anpe_task *t, const anpe_label_map *map,
                           const anpe_basis *basis, uint32_t seed, anpe_start **out)
{
    regression r = {.t = t, .map = map, .basis = basis};
    anpe_status status;
    ANPE_TRY(anpe_start_new(ctx, basis->n, t->n_labels, out));
    anpe_start *s = *out;
    const int64_t fitted = 10 * s->n_terms > LEAST_FITTED ? 10 * s->n_terms : LEAST_FITTED;
    ANPE_TRY(allocate(ctx, &r, s));
    ANPE_TRY(observe(ctx, &r, s, seed, 0, fitted, add));
    solve(&r, s);
    ANPE_TRY(observe(ctx, &r, s, seed, fitted, TESTED, test));
    for (int64_t i = 0; i < s->n_labels; i++)
        s->error[i] = r.square[i] > 0 ? sqrt(r.square[i]) : 1;
out:
    anpe_bench_free(r.bench);
    free(r.normal);
    free(r.right);
    free(r.theta);
    if (status)
        *out = anpe_start_free(*out);
    return status;
}
