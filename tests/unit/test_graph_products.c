/* Matrix products (the backend openblas and the packed product of the kernels) against three
 * loops in double, and the functions of <anpe/vecmath.h> against libm. */
#include <config.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "testlib.h"
#include <anpe/vecmath.h>
#include "base/context.h"
#include "base/loader.h"
#include "kernel/product.h"
#include "graph_support.h"

enum { MOST = 70 * 70 };

static void fill(uint32_t seed, int64_t n, float *f, double *d)
{
    for (int64_t i = 0; i < n; i++)
        d[i] = f[i] = (float)anpe_test_number(seed, i);
}

/* A sum of k products of numbers below 1, in any order: |error| <= (k + 2) eps k. */
static double bound(int64_t k, double eps)
{
    return (double)(k + 2) * eps * (double)(k + 1);
}

static void compare(int64_t n, const float *f, const double *d, const double *want, int64_t k)
{
    for (int64_t i = 0; i < n; i++) {
        CU_ASSERT(fabs((double)f[i] - want[i]) <= bound(k, 6e-8));
        CU_ASSERT(fabs(d[i] - want[i]) <= bound(k, 1.2e-16));
    }
}

static void *open_backend(const anpe_plugin **plugin, const char *coretype)
{
    const struct {
        const char *coretype;
    } options = {coretype};
    void *self = NULL;
    anpe_ctx *ctx = anpe_ctx_new();
    if (anpe_loader_get(ctx, ANPE_BACKEND, "openblas", plugin) != ANPE_OK ||
        (*plugin)->create(ctx, &options, NULL, &self) != ANPE_OK)
        fprintf(stderr, "%s\n", anpe_error(ctx));
    anpe_ctx_free(ctx);
    return self;
}

static void test_openblas_equals_loops(void)
{
    static const int64_t shapes[][3] = {{1, 1, 1},   {3, 5, 7},  {8, 64, 33}, {65, 3, 70},
                                        {70, 70, 1}, {1, 70, 9}, {2, 1, 70},  {33, 65, 17}};
    static float af[MOST], bf[MOST], cf[MOST];
    static double ad[MOST], bd[MOST], cd[MOST], want[MOST];
    const anpe_plugin *plugin = NULL;
    void *self = open_backend(&plugin, "auto");
    CU_ASSERT_PTR_NOT_NULL_FATAL(self);
    const anpe_backend_ops *ops = plugin->ops;
    for (int i = 0; i < 8 * 8; i++) {
        const int64_t m = shapes[i / 8][0], n = shapes[i / 8][1], k = shapes[i / 8][2];
        const int ta = i & 1, tb = i >> 1 & 1, more = i >> 2 & 1;
        const int64_t lda = ta ? m : k, ldb = tb ? k : n;
        fill(1, m * k, af, ad), fill(2, k * n, bf, bd), fill(3, m * n, cf, cd);
        memcpy(want, cd, sizeof want);
        anpe_test_naive.ops->dgemm(NULL, ta, tb, m, n, k, 0.5, ad, lda, bd, ldb, more, want, n);
        ops->sgemm(self, ta, tb, m, n, k, 0.5f, af, lda, bf, ldb, (float)more, cf, n);
        ops->dgemm(self, ta, tb, m, n, k, 0.5, ad, lda, bd, ldb, more, cd, n);
        compare(m * n, cf, cd, want, k);
    }
    plugin->destroy(self);
}

static void test_openblas_puts_the_environment_back(void)
{
    const anpe_plugin *plugin = NULL;
    const char *names[2] = {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS"};
    setenv(names[0], "Haswell", 1);
    unsetenv(names[1]);
    void *self = open_backend(&plugin, "Sandybridge");
    CU_ASSERT_PTR_NOT_NULL_FATAL(self);
    CU_ASSERT_STRING_EQUAL(getenv(names[0]), "Haswell");
    CU_ASSERT_PTR_NULL(getenv(names[1]));
    plugin->destroy(self);
}

/* Declared here for double: the header gives one precision at a time. */
int64_t anpe_product_packed_d(int64_t k, int64_t n);
void anpe_product_pack_d(int64_t k, int64_t n, const double *b, int64_t rs, int64_t cs,
                         double *packed);
void anpe_product_d(int64_t m, int64_t n, int64_t k, const double *a, int64_t rs, int64_t cs,
                    const double *packed, const double *bias, double *c, int64_t ldc, int mode);

/* A of rows that overlap: row i is 3 further on than row i - 1. */
static void check_product(int64_t m, int64_t n, int64_t k, int transposed, int mode)
{
    static float af[MOST], bf[MOST], cf[MOST], pf[2 * MOST];
    static double ad[MOST], bd[MOST], cd[MOST], pd[2 * MOST], want[MOST];
    const int64_t rs = transposed ? 1 : 3, cs = transposed ? 3 : 1, ldc = n + 2;
    CU_ASSERT_FATAL(anpe_product_packed_f(k, n) <= 2 * MOST);
    fill(1, MOST, af, ad), fill(2, MOST, bf, bd), fill(3, MOST, cf, cd);
    memcpy(want, cd, sizeof want);
    anpe_product_pack_f(k, n, bf, n, 1, pf);
    anpe_product_pack_d(k, n, bd, n, 1, pd);
    anpe_product_f(m, n, k, af, rs, cs, pf, bf, cf, ldc, mode);
    anpe_product_d(m, n, k, ad, rs, cs, pd, bd, cd, ldc, mode);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = bd[j] + (mode & ANPE_PRODUCT_ADD ? want[i * ldc + j] : 0);
            for (int64_t p = 0; p < k; p++)
                sum += ad[i * rs + p * cs] * bd[p * n + j];
            want[i * ldc + j] = mode & ANPE_PRODUCT_RELU && sum < 0 ? 0 : sum;
        }
    compare(MOST, cf, cd, want, k + 2); /* what lies between the rows is not touched */
}

static void test_packed_product(void)
{
    static const int64_t rows[] = {1, 2, 3, 5, 13, 14, 15, 29},
                         columns[] = {1, 8, 15, 16, 31, 33, 65};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t j = 0; j < sizeof columns / sizeof columns[0]; j++)
            for (int mode = 0; mode < 4; mode++) {
                check_product(rows[i], columns[j], 17, mode & 1, mode);
                check_product(rows[i], columns[j], 1, 0, mode);
            }
}

/* ---- exp, tanh, logistic in float -------------------------------------------------------- */

static double relative(double got, double want)
{
    return fabs(got - want) / (fabs(want) + 1e-300);
}

static void test_vecmath_is_accurate(void)
{
    double worst[4] = {0};
    for (int i = -870000; i <= 880000; i++) { /* all sizes, and about 1 */
        const float x = i % 3 ? expf((float)i * 1e-4f) : 1 + (float)i * 1e-7f;
        worst[3] = fmax(worst[3], relative((double)anpe_logf(x), log((double)x)));
    }
    for (int i = -880000; i <= 880000; i++) {
        const float x = (float)i * 1e-4f * (i % 3 ? 1.0f : 1e-2f);
        const double d = x;
        if (d > -86.8)
            worst[0] = fmax(worst[0], relative((double)anpe_expf(x), exp(d)));
        worst[1] = fmax(worst[1], relative((double)anpe_tanhf(x), tanh(d)));
        if (d > -86.8)
            worst[2] = fmax(worst[2], relative((double)anpe_sigmoidf(x), 1 / (1 + exp(-d))));
    }
    for (int i = 0; i < 4; i++)
        if (!(worst[i] < 3e-7))
            fprintf(stderr, "\nfunction %d: relative error %g\n", i, worst[i]);
    CU_ASSERT(worst[0] < 2e-7 && worst[1] < 3e-7 && worst[2] < 3e-7 && worst[3] < 2e-7);
}

static void test_vecmath_at_the_ends(void)
{
    CU_ASSERT_EQUAL(anpe_expf(0.0f), 1.0f);
    CU_ASSERT(isinf(anpe_expf(89.0f)) && isinf(anpe_expf(INFINITY)));
    CU_ASSERT(isfinite(anpe_expf(88.7f)));
    CU_ASSERT_EQUAL(anpe_expf(-88.0f), 0.0f);
    CU_ASSERT_EQUAL(anpe_expf(-INFINITY), 0.0f);
    CU_ASSERT_EQUAL(anpe_sigmoidf(-INFINITY), 0.0f);
    CU_ASSERT_EQUAL(anpe_sigmoidf(INFINITY), 1.0f);
    CU_ASSERT_EQUAL(anpe_tanhf(INFINITY), 1.0f);
    CU_ASSERT_EQUAL(anpe_tanhf(-INFINITY), -1.0f);
    CU_ASSERT(anpe_logf(1.0f) == 0 && anpe_logf(0.0f) == -INFINITY && isnan(anpe_logf(-1.0f)));
    CU_ASSERT(anpe_logf(INFINITY) == INFINITY && isnan(anpe_logf(NAN)));
    CU_ASSERT(relative((double)anpe_logf(1e-40f), log(1.17549435e-38)) < 2e-7);
    CU_ASSERT(isnan(anpe_expf(NAN)) && isnan(anpe_tanhf(NAN)) && isnan(anpe_sigmoidf(NAN)));
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"openblas equals loops", test_openblas_equals_loops},
        {"openblas puts the environment back", test_openblas_puts_the_environment_back},
        {"packed product", test_packed_product},
        {"vecmath is accurate", test_vecmath_is_accurate},
        {"vecmath at the ends", test_vecmath_at_the_ends},
    };
    return test_run(argc, argv, "products", COUNT(tests), tests, NULL, NULL);
}
