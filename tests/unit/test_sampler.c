/* The sampler's matrix product: every instruction set of this machine against plain loops. */
#include "network_support.h"

typedef float real;
#include "../../plugins/flow/common/made_sampler.h"

#define MAX_N 40

static void check(made_product_fn *product, int64_t n_rows, int64_t n_in, int relu, anpe_rng *rng)
{
    static _Alignas(64) float x[MAX_N * 16], y[(MAX_N + 1) * 16], packed[MAX_N * MAX_N];
    static float w[MAX_N * MAX_N], bias[MAX_N];
    int64_t row[MAX_N], column[MAX_N];
    anpe_normals(rng, MAX_N * 16, x);
    anpe_normals(rng, MAX_N * MAX_N, w);
    anpe_normals(rng, MAX_N, bias);
    for (int64_t i = 0; i < MAX_N; i++) {
        row[i] = (i * 7) % MAX_N; /* rows and columns in another order */
        column[i] = (i * 11) % MAX_N;
    }
    for (int64_t i = 0; i < (MAX_N + 1) * 16; i++)
        y[i] = 12345;
    CU_ASSERT(pack_rows(packed, n_rows, row, n_in, column, w, MAX_N) == packed + n_rows * n_in);
    product(n_rows, n_in, packed, x, bias, relu, y);
    for (int64_t r = 0; r < n_rows; r++)
        for (int64_t t = 0; t < LANES; t++) {
            double sum = (double)bias[r], size = fabs(sum);
            for (int64_t k = 0; k < n_in; k++) {
                const double term =
                    (double)w[row[r] * MAX_N + column[k]] * (double)x[k * LANES + t];
                sum += term;
                size += fabs(term);
            }
            if (relu)
                sum = fmax(sum, 0);
            /* n + 1 roundings at most, each of a partial sum no larger than the sum of sizes */
            CU_ASSERT(fabs((double)y[r * LANES + t] - sum) <= (double)(n_in + 1) * 0x1p-24 * size);
        }
    CU_ASSERT(y[n_rows * LANES] == 12345); /* nothing past the last row */
}

static void check_all(made_product_fn *product)
{
    anpe_rng rng = {.key = {1, 90}};
    for (int64_t n_rows = 0; n_rows <= 20; n_rows++)
        for (int64_t n_in = 0; n_in <= MAX_N; n_in += n_in < 4 ? 1 : 9)
            check(product, n_rows, n_in, (int)(n_rows % 2), &rng);
}

static void test_plain(void)
{
    check_all(product_plain);
}

static void test_avx2(void)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        check_all(product_avx2);
        return;
    }
#endif
    printf("skipped: no AVX2 here\n");
}

static void test_avx512(void)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx512f")) {
        check_all(product_avx512);
        return;
    }
#endif
    printf("skipped: no AVX-512 here\n");
}

static void test_nan_is_seen(void)
{
    static _Alignas(64) float x[16], y[16];
    const float w[] = {1}, bias[] = {0};
    x[3] = NAN;
    x[4] = -2;
    choose_product()(1, 1, w, x, bias, 1, y);
    CU_ASSERT(isnan(y[3]) && y[4] == 0);
}

/* Packed weights: as many as a masked network has, not one more. */
static void test_packed_size(void)
{
    const made_shape shape = {5, 3, 2, 11, 2, 3, 0};
    int64_t end[5], unit[11], kept = 0;
    made_sampler s = {.shape = shape, .end = end};
    order_units(&s, unit);
    for (int64_t j = 0; j < shape.hidden; j++) {
        kept += made_hidden_degree(&shape, j) + 1; /* from labels */
        for (int64_t i = 0; i < shape.hidden; i++)
            kept += made_hidden_degree(&shape, i) <= made_hidden_degree(&shape, j);
        for (int64_t d = 0; d < shape.n_labels; d++)
            kept += 2 * (made_hidden_degree(&shape, j) < d); /* to mean and log scale */
    }
    CU_ASSERT(packed_size(&s, 2) == kept);
    CU_ASSERT(end[4] == 11);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"plain vectors", test_plain},
        {"AVX2", test_avx2},
        {"AVX-512", test_avx512},
        {"a NaN passes the relu", test_nan_is_seen},
        {"packed weights", test_packed_size},
    };
    return run_suite(argc, argv, "sampler", COUNT(tests), tests);
}
