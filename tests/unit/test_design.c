/* Designs: one point in each part, the sequence against independent code, quantiles of priors. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "stat/design.h"
#include "stat/order.h"
#include "task/quantiles.h"
#include <math.h>
#include <string.h>

static anpe_design *design(anpe_design_kind kind, uint32_t seed, int64_t n, int64_t dims)
{
    anpe_design *d = NULL;
    CU_ASSERT_FATAL(anpe_design_new(ctx, kind, seed, n, dims, &d) == ANPE_OK);
    return d;
}

/* Whether points [first, first + n) have one in each of n parts of every coordinate. */
static int stratified(const anpe_design *d, int64_t first, int64_t n, int64_t dims)
{
    int good = 1;
    for (int64_t j = 0; j < dims; j++) {
        char seen[1024] = {0};
        double u[ANPE_SOBOL_MOST + 8];
        for (int64_t i = 0; i < n; i++) {
            anpe_design_point(d, first + i, u);
            const int64_t part = (int64_t)(u[j] * (double)n);
            good = good && u[j] > 0 && u[j] < 1 && !seen[part];
            seen[part] = 1;
        }
    }
    return good;
}

static void test_strata(void)
{
    anpe_design *sobol = design(ANPE_DESIGN_SOBOL, 7, 4096, ANPE_SOBOL_MOST);
    CU_ASSERT(stratified(sobol, 0, 1024, ANPE_SOBOL_MOST));
    CU_ASSERT(stratified(sobol, 1024, 1024, ANPE_SOBOL_MOST));
    CU_ASSERT(stratified(sobol, 2048, 64, ANPE_SOBOL_MOST));
    CU_ASSERT(!stratified(sobol, 3, 64, ANPE_SOBOL_MOST)); /* what is asked can be refused */
    anpe_design_free(sobol);
    anpe_design *latin = design(ANPE_DESIGN_LATIN, 7, 777, 40);
    CU_ASSERT(stratified(latin, 0, 777, 40));
    anpe_design_free(latin);
}

/* Pairs of coordinates: of 2^10 points one in each of 32 x 32 cells, for the first two. */
static void test_pairs(void)
{
    char seen[32][32] = {{0}};
    double u[2];
    int empty = 0;
    anpe_design *d = design(ANPE_DESIGN_SOBOL, 3, 1024, 2);
    for (int64_t i = 0; i < 1024; i++) {
        anpe_design_point(d, i, u);
        seen[(int)(u[0] * 32)][(int)(u[1] * 32)] = 1;
    }
    for (int i = 0; i < 32; i++)
        for (int j = 0; j < 32; j++)
            empty += !seen[i][j];
    CU_ASSERT(empty == 0);
    anpe_design_free(d);
}

/* The shift cancels in the difference to point 0, in base 2: what is left is Sobol's point i. Sums
 * over 4096 points of (2 i + 1) floor(4096 x_i) modulo 2^32, from scipy.stats.qmc.Sobol(32,
 * scramble=False, bits=32) of scipy 1.10, whose point k is this one's k ^ k >> 1. */
static void test_against_scipy(void)
{
    static const uint32_t want[ANPE_SOBOL_MOST] = {
        41943040,   0,          0,          0, 4290772992, 4194304,    4194304, 12582912,
        12582912,   4194304,    0,          0, 4290772992, 0,          4194304, 0,
        4290772992, 4290772992, 0,          0, 0,          4290772992, 4194304, 4194304,
        4290772992, 4290772992, 4290772992, 0, 4290772992, 4290772992, 0,       0};
    uint32_t sum[ANPE_SOBOL_MOST] = {0};
    double u[ANPE_SOBOL_MOST], zero[ANPE_SOBOL_MOST];
    anpe_design *d = design(ANPE_DESIGN_SOBOL, 11, 4096, ANPE_SOBOL_MOST);
    anpe_design_point(d, 0, zero);
    for (int64_t i = 0; i < 4096; i++) {
        anpe_design_point(d, i, u);
        for (int j = 0; j < ANPE_SOBOL_MOST; j++)
            sum[j] += (uint32_t)(2 * i + 1) *
                      (((uint32_t)(u[j] * 0x1p32) ^ (uint32_t)(zero[j] * 0x1p32)) >> 20);
    }
    for (int j = 0; j < ANPE_SOBOL_MOST; j++)
        CU_ASSERT(sum[j] == want[j]);
    anpe_design_free(d);
}

static void test_seeds(void)
{
    static const anpe_design_kind kinds[] = {ANPE_DESIGN_SOBOL, ANPE_DESIGN_LATIN};
    for (int k = 0; k < 2; k++) {
        double u[3], v[3], w[3];
        anpe_design *a = design(kinds[k], 1, 64, 3), *b = design(kinds[k], 1, 64, 3);
        anpe_design *c = design(kinds[k], 2, 64, 3);
        anpe_design_point(a, 17, u);
        anpe_design_point(b, 17, v);
        anpe_design_point(c, 17, w);
        CU_ASSERT(memcmp(u, v, sizeof u) == 0);
        CU_ASSERT(u[0] != w[0] && u[1] != w[1] && u[2] != w[2]);
        anpe_design_free(a);
        anpe_design_free(b);
        anpe_design_free(c);
    }
    anpe_design *shorter = design(ANPE_DESIGN_SOBOL, 1, 10, 3), *d;
    anpe_design *longer = design(ANPE_DESIGN_SOBOL, 1, 1000, 3);
    double u[3], v[3];
    anpe_design_point(shorter, 9, u);
    anpe_design_point(longer, 9, v);
    CU_ASSERT(memcmp(u, v, sizeof u) == 0);
    anpe_design_free(shorter);
    anpe_design_free(longer);
    CU_ASSERT(anpe_design_new(ctx, ANPE_DESIGN_SOBOL, 1, 10, ANPE_SOBOL_MOST + 1, &d) ==
              ANPE_EUNSUPPORTED);
    CU_ASSERT(d == NULL && strstr(anpe_error(ctx), "at most 32 labels"));
}

/* A prior whose plugin has no quantiles, as one of ABI 1.2: draws stand in. Two labels that are one
 * normal and its double. */
static void twin_info(const void *self, int64_t *n, const anpe_label **labels)
{
    static const anpe_label l[] = {{"a", "", -INFINITY, INFINITY}, {"b", "", -INFINITY, INFINITY}};
    (void)self;
    *n = 2;
    *labels = l;
}

static anpe_status twin_sample(const void *self, anpe_ctx *c, anpe_rng *rng, double *theta)
{
    (void)self, (void)c;
    theta[0] = anpe_normal(rng);
    theta[1] = 2 * theta[0];
    return ANPE_OK;
}

static anpe_status twin_quantile(const void *self, anpe_ctx *c, const double *u, double *theta)
{
    (void)self, (void)c;
    theta[0] = 10 + u[0];
    theta[1] = 20 + u[1];
    return ANPE_OK;
}

static void test_quantiles(void)
{
    anpe_prior_ops ops = {
        .size = sizeof ops, .info = twin_info, .sample = twin_sample, .quantile = twin_quantile};
    anpe_component block = {.ops = &ops};
    int64_t start[2] = {0, 2};
    anpe_label labels[2] = {{"a", "", -INFINITY, INFINITY}, {"b", "", -INFINITY, INFINITY}};
    const anpe_prior prior = {1, &block, start, 2, labels};
    const double u[2] = {0.5, 0.975};
    double theta[2];
    anpe_quantiles q;
    CU_ASSERT_FATAL(anpe_quantiles_new(ctx, &prior, 1, &q) == ANPE_OK);
    CU_ASSERT(q.drawn == NULL && anpe_quantiles_at(&q, ctx, u, theta) == ANPE_OK);
    CU_ASSERT(theta[0] == 10.5 && theta[1] == 20.975);
    anpe_quantiles_clear(&q);

    ops.size = offsetof(anpe_prior_ops, quantile); /* what lies behind is not looked at */
    CU_ASSERT_FATAL(anpe_quantiles_new(ctx, &prior, 1, &q) == ANPE_OK);
    CU_ASSERT(anpe_quantiles_at(&q, ctx, u, theta) == ANPE_OK);
    /* five standard errors of a quantile of 16384 draws: sqrt(p (1 - p) / n) / density */
    CU_ASSERT_DOUBLE_EQUAL(theta[0], 0, 5 * 0.5 / 128 / 0.3989);
    CU_ASSERT_DOUBLE_EQUAL(theta[1], 2 * 1.95996, 2 * 5 * 0.1561 / 128 / 0.05845);
    anpe_quantiles_clear(&q);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"one point in each part", test_strata},
                                        {"and of pairs", test_pairs},
                                        {"Sobol's sequence against scipy", test_against_scipy},
                                        {"seeds, lengths, limits", test_seeds},
                                        {"quantiles of priors", test_quantiles}};
    return run_suite(argc, argv, "design", COUNT(tests), tests);
}
