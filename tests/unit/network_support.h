/* What the tests of the flow share: a flow of a given shape, in double and in float with the same
 * weights, which are larger than freshly initialised ones, so that the densities are far from the
 * base density. */
#ifndef ANPE_TEST_NETWORK_SUPPORT_H
#define ANPE_TEST_NETWORK_SUPPORT_H
#include "golden/golden.h"
#include "testlib.h"
#include <anpe/anpe.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static anpe_ctx *ctx;

/* Asserts success and shows the message otherwise. */
#define WORKS(call)                                                                                \
    do {                                                                                           \
        const anpe_status works_ = (call);                                                         \
        if (works_)                                                                                \
            printf("\n    %s\n", anpe_error(ctx));                                                 \
        CU_ASSERT_FATAL(works_ == ANPE_OK);                                                        \
    } while (0)

typedef struct flow_case {
    int64_t labels, context, blocks, hidden, n_mog;
    int direct;
    double scale; /* weights are multiplied by this */
} flow_case;

typedef struct flow {
    golden g; /* the shape only: there is no file */
    fixture exact, single;
} flow;

#define BATCH 512

static double uniform_between(anpe_rng *rng, double lo, double hi)
{
    return lo + (hi - lo) * anpe_uniform(rng);
}

static inline void scale_weights(flow *f, double scale, uint32_t seed)
{
    anpe_rng rng = {.key = {seed, 77}};
    const anpe_parameters *p = f->single.parameters, *q = f->exact.parameters;
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t j = 0; j < p->table[i].size; j++) {
            float *v = (float *)p->raw + p->table[i].offset + j;
            if (p->table[i].transform != ANPE_BUFFER)
                *v = (float)((double)*v * scale + uniform_between(&rng, -0.05, 0.05));
            ((double *)q->raw)[q->table[i].offset + j] = (double)*v;
        }
    anpe_parameters_prepare(f->exact.parameters);
}

static inline void flow_new(const flow_case *c, uint32_t seed, flow *f)
{
    char config[256];
    const fixture_shape shape = {BATCH, 0, 0, c->labels, c->context, seed};
    snprintf(config, sizeof config,
             "flow = { plugin = \"maf\"; num_blocks = %d; hidden = %d; n_mog = %d; direct = %s; };",
             (int)c->blocks, (int)c->hidden, (int)c->n_mog, c->direct ? "true" : "false");
    *f = (flow){.g = {.labels = c->labels,
                      .cond = c->context,
                      .num_blocks = c->blocks,
                      .hidden = c->hidden,
                      .n_mog = c->n_mog,
                      .direct = c->direct,
                      .clamp = {-8, 8}}};
    WORKS(fixture_build(ctx, config, &shape, &f->exact));
    WORKS(fixture_run_in(ctx, &f->exact, ANPE_DOUBLE));
    WORKS(fixture_build(ctx, config, &shape, &f->single));
    WORKS(fixture_run_in(ctx, &f->single, ANPE_FLOAT));
    scale_weights(f, c->scale, seed);
    WORKS(fixture_sampler(ctx, &f->single));
}

static inline void flow_clear(flow *f)
{
    fixture_clear(&f->exact);
    fixture_clear(&f->single);
}

/* log q in double of n rows, one context for all. */
static inline void flow_log_prob(flow *f, int64_t n, const double *labels, const double *context,
                                 double *log_prob)
{
    const int64_t D = f->g.labels, F = f->g.cond;
    double *contexts = malloc((size_t)(BATCH * F) * sizeof *contexts);
    CU_ASSERT_FATAL(contexts != NULL);
    for (int64_t i = 0; i < BATCH * F; i++)
        contexts[i] = context[i % F];
    for (int64_t i = 0; i < n; i += BATCH)
        fixture_log_prob(&f->exact, n - i < BATCH ? n - i : BATCH, labels + i * D, contexts,
                         log_prob + i);
    free(contexts);
}

/* n draws in float; arrays (n, D), (n). */
static inline void flow_draw(flow *f, int64_t n, const double *context, uint32_t seed,
                             double *labels, double *log_prob)
{
    const int64_t D = f->g.labels, F = f->g.cond;
    anpe_rng rng = {.key = {seed, 78}};
    float *memory = malloc((size_t)(3 * n * D + n + F) * sizeof *memory);
    CU_ASSERT_FATAL(memory != NULL);
    float *z = memory, *u = z + n * D, *y = u + n * D, *lp = y + n * D, *c = lp + n;
    anpe_normals(&rng, n * D, z);
    for (int64_t i = 0; i < n * D; i++)
        u[i] = (float)anpe_uniform(&rng);
    for (int64_t i = 0; i < F; i++)
        c[i] = (float)context[i];
    WORKS(fixture_sample(ctx, &f->single, c, n, z, u, y, lp));
    for (int64_t i = 0; i < n * D; i++)
        labels[i] = (double)y[i];
    for (int64_t i = 0; i < n; i++)
        log_prob[i] = (double)lp[i];
    free(memory);
}

static inline int start(void)
{
    ctx = anpe_ctx_new();
    fixture_find_plugins();
    return !ctx;
}

static inline int stop(void)
{
    ctx = anpe_ctx_free(ctx);
    return 0;
}

static inline int run_suite(int argc, char **argv, const char *name, int n,
                            const CU_TestInfo *tests)
{
    return test_run(argc, argv, name, n, tests, start, stop);
}
/* Options of the flow that are refused with this message. */
static inline void flow_refuses(const char *plugin, const char *options, const char *message)
{
    char config[256];
    fixture f;
    const fixture_shape shape = {1, 0, 0, 3, 2, 1};
    snprintf(config, sizeof config, "flow = { plugin = \"%s\"; %s };", plugin, options);
    CU_ASSERT(fixture_build(ctx, config, &shape, &f) == ANPE_ECONFIG);
    if (!strstr(anpe_error(ctx), message))
        printf("\n    '%s' lacks '%s'", anpe_error(ctx), message);
    CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), message));
}

/* log |det a| of a (n, n) by elimination with pivots, in place. */
static inline double log_determinant(int64_t n, double *a)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[pivot * n + k]))
                pivot = i;
        for (int64_t j = 0; j < n; j++) {
            const double t = a[k * n + j];
            a[k * n + j] = a[pivot * n + j];
            a[pivot * n + j] = t;
        }
        sum += log(fabs(a[k * n + k]));
        for (int64_t i = k + 1; i < n; i++)
            for (int64_t j = n - 1; j >= k; j--)
                a[i * n + j] -= a[i * n + k] / a[k * n + k] * a[k * n + j];
    }
    return sum;
}
#endif
