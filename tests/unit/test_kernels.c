/* The emulators' kernels, and the sums of products of a star's rows, in every instruction set that
 * this machine has, against plain loops in double: the sources are included, so that each variant
 * can be called by its name. */
#include "../../plugins/simulator/common/product.c"
#include "../../plugins/simulator/payne/per_pixel.c"
#include "../../core/kernel/star.c"
#include "testlib.h"
#include <anpe/anpe.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

static anpe_ctx *ctx;

static double number(int64_t i)
{
    return sin(0.7 + 1.3 * (double)i);
}

typedef void pair_fn(int64_t, const double *, const double *, const double *, double *);
typedef void pair_float_fn(int64_t, int64_t, const float *, const float *, const float *, float *,
                           int64_t);
typedef void block_fn(const per_pixel *, const float *, int64_t, const float *, int64_t, float *);

typedef struct variant {
    const char *name;
    int usable;
    pair_fn *pair;
    block_fn *block;
    pair_float_fn *pair_float;
} variant;

static int list_variants(variant v[3])
{
    int n = 0;
    v[n++] = (variant){"any", 1, product_pair_any, per_pixel_block_any, product_pair_float_any};
#if defined __x86_64__ && defined __GNUC__
    v[n++] = (variant){"avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
                       product_pair_avx2, per_pixel_block_avx2, product_pair_float_avx2};
    v[n++] = (variant){"avx512",
                       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"),
                       product_pair_avx512, per_pixel_block_avx512, product_pair_float_avx512};
#endif
    return n;
}

static void check_pair(const variant *v)
{
    enum { K = 37, N = PRODUCT_PAIR, W = PRODUCT_PANEL };
    double x[PRODUCT_ROWS * K], w[K * N], bias[N], out[PRODUCT_ROWS * N];
    for (int i = 0; i < PRODUCT_ROWS * K; i++)
        x[i] = number(i);
    for (int i = 0; i < K * N; i++)
        w[i] = number(3 * i);
    for (int i = 0; i < N; i++)
        bias[i] = number(7 * i);
    v->pair(K, x, w, bias, out);
    for (int r = 0; r < PRODUCT_ROWS; r++)
        for (int o = 0; o < N; o++) {
            double sum = bias[o];
            for (int k = 0; k < K; k++)
                sum += x[r * K + k] * w[(o / W * K + k) * W + o % W];
            /* 38 terms of at most 1: 38^2/2 units of rounding if none cancelled */
            CU_ASSERT_DOUBLE_EQUAL(out[r * N + o], sum, 38 * 38 * DBL_EPSILON / 2);
        }
}

/* Any number of rows: tiles of every height. */
static void check_pair_float(const variant *v)
{
    enum { K = 37, R = 2 * PRODUCT_ROWS_FLOAT + 1, N = PRODUCT_PAIR_FLOAT, LD = N + 3 };
    enum { W = PRODUCT_PANEL_FLOAT };
    float x[R * K], w[K * N], bias[N], out[(R + 1) * LD];
    for (int i = 0; i < R * K; i++)
        x[i] = (float)number(i);
    for (int i = 0; i < K * N; i++)
        w[i] = (float)number(3 * i);
    for (int i = 0; i < N; i++)
        bias[i] = (float)number(7 * i);
    for (int n = 1; n <= R; n++) {
        for (int i = 0; i < (R + 1) * LD; i++)
            out[i] = 99;
        v->pair_float(K, n, x, w, bias, out, LD);
        for (int r = 0; r < n; r++) {
            for (int o = 0; o < N; o++) {
                double sum = (double)bias[o];
                for (int k = 0; k < K; k++)
                    sum += (double)x[r * K + k] * (double)w[(o / W * K + k) * W + o % W];
                /* as in check_pair */
                CU_ASSERT_DOUBLE_EQUAL(out[r * LD + o], sum, 38 * 38 * FLT_EPSILON / 2);
            }
            CU_ASSERT_EQUAL(out[r * LD + N], 99);
        }
        CU_ASSERT_EQUAL(out[n * LD], 99);
    }
}

static void check_block(const variant *v, int sigmoid_output)
{
    enum { P = PER_PIXEL_BLOCK, H = 3, L = 2, N = 2 };
    double w0[P * H * L], b0[P * H], w1[P * H], b1[P];
    float s[N * L] = {0.5f, -0.25f, -0.5f, 0.125f}, flux[N * P];
    per_pixel p;
    for (int i = 0; i < P * H * L; i++)
        w0[i] = (float)(60 * number(i)); /* saturates some sigmoids, beyond exp's range too */
    w0[5] = 1e4f;
    for (int i = 0; i < P * H; i++) {
        b0[i] = (float)number(5 * i);
        w1[i] = (float)number(2 * i);
    }
    for (int i = 0; i < P; i++)
        b1[i] = (float)number(11 * i);
    CU_ASSERT_EQUAL_FATAL(per_pixel_new(ctx, P, H, L, w0, b0, w1, b1, &p), ANPE_OK);
    p.sigmoid_output = sigmoid_output;
    p.scale = 1.25f;
    p.offset = -0.125f;
    v->block(&p, p.blocks, N, s, P, flux);
    for (int r = 0; r < N; r++)
        for (int i = 0; i < P; i++) {
            double f = b1[i];
            for (int j = i * H; j < (i + 1) * H; j++)
                f +=
                    w1[j] / (1 + exp(-b0[j] - w0[L * j] * s[r * L] - w0[L * j + 1] * s[r * L + 1]));
            if (sigmoid_output)
                f = 1.25 / (1 + exp(-f)) - 0.125;
            /* argument: up to 45 with three roundings, slope of the sigmoid at most 1/4 but
             * |a| sigmoid'(a) at most 0.23, so 3 units; exponential 2 units, sum of 3 terms 4 */
            CU_ASSERT_DOUBLE_EQUAL(flux[r * P + i], f, 3 * 9 * FLT_EPSILON / 2);
        }
    per_pixel_clear(&p);
}

static void test_variants(void)
{
    variant v[3];
    const int n = list_variants(v);
    for (int i = 0; i < n; i++) {
        printf(" %s%s", v[i].name, v[i].usable ? "" : " (skipped: not on this machine)");
        if (!v[i].usable)
            continue;
        check_pair(&v[i]);
        check_pair_float(&v[i]);
        check_block(&v[i], 0);
        check_block(&v[i], 1);
    }
}

/* exp by its series has to be as good as its comment says over the whole range of arguments. */
static void test_half_tanh(void)
{
    variant v[3];
    const int n = list_variants(v);
    const double one = 1, zero = 0, w1 = 2; /* f = tanh(x/2) + 1 - 1 */
    const double b1 = -1;
    for (int k = 0; k < n; k++) {
        per_pixel p;
        double worst = 0;
        float flux[PER_PIXEL_BLOCK];
        if (!v[k].usable)
            continue;
        CU_ASSERT_EQUAL_FATAL(per_pixel_new(ctx, 1, 1, 1, &one, &zero, &w1, &b1, &p), ANPE_OK);
        for (int i = -200000; i <= 200000; i++) {
            const float x = (float)i * 1.5e-4f;
            v[k].block(&p, p.blocks, 1, &x, PER_PIXEL_BLOCK, flux);
            worst = fmax(worst, fabs(flux[0] - tanh(0.5 * (double)x)));
        }
        CU_ASSERT(worst < 2 * FLT_EPSILON);
        per_pixel_clear(&p);
    }
}

/* Sums of a tile that is there twice, against plain ones: of 2 rows with 4. */
static void check_tile(const char *name, int64_t n, const float *const *row,
                       void tile(int64_t, const float *const *, const float *const *, double *))
{
    double part[LEFT][RIGHT][PARTS];
    tile(n, row, row + LEFT, part[0][0]);
    for (int a = 0; a < LEFT; a++)
        for (int b = 0; b < RIGHT; b++) {
            long double sum = 0, size = 0;
            for (int64_t k = 0; k < n / PARTS * PARTS; k++) {
                const long double x = (long double)row[a][k] * row[LEFT + b][k];
                sum += x;
                size += fabsl(x);
            }
            if (fabs((double)(total(part[a][b]) - sum)) <= 1e-13 * (double)size)
                continue;
            printf("%s, n %d: rows %d, %d\n", name, (int)n, a, b);
            CU_FAIL("a sum of products");
        }
}

static void test_star_tiles(void)
{
    static const int64_t length[] = {1, 16, 47, 512, 513, 1100};
    for (size_t i = 0; i < COUNT(length); i++) {
        float *x = malloc((size_t)((LEFT + RIGHT) * length[i]) * sizeof *x);
        const float *row[LEFT + RIGHT];
        for (int64_t k = 0; k < (LEFT + RIGHT) * length[i]; k++)
            x[k] = (float)number(k);
        for (int r = 0; r < LEFT + RIGHT; r++)
            row[r] = x + r * length[i];
        check_tile("dot_tile", length[i], row, dot_tile);
#ifdef ANPE_HAVE_TARGET_CLONES
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            check_tile("dot_tile_avx2", length[i], row, dot_tile_avx2);
#endif
        free(x);
    }
}

/* All pairs of m rows, whatever m and n are. */
static void test_star_gram(void)
{
    enum { MOST = 9, N = 77 };
    float x[MOST * N];
    double got[MOST * MOST];
    for (int k = 0; k < MOST * N; k++)
        x[k] = (float)number(k);
    for (int64_t m = 1; m <= MOST; m++)
        for (int64_t n = 1; n <= N; n += 19) {
            anpe_star_gram(m, n, x, got);
            for (int64_t i = 0; i < m; i++)
                for (int64_t j = 0; j <= i; j++) {
                    double sum = 0;
                    for (int64_t k = 0; k < n; k++)
                        sum += (double)x[i * n + k] * (double)x[j * n + k];
                    CU_ASSERT_DOUBLE_EQUAL(got[i * m + j], sum, 1e-12 * (double)n);
                }
        }
}

static int start(void)
{
    ctx = anpe_ctx_new();
    return !ctx;
}

static int stop(void)
{
    ctx = anpe_ctx_free(ctx);
    return 0;
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"variants", test_variants},
                                        {"tanh", test_half_tanh},
                                        {"products of rows, a tile", test_star_tiles},
                                        {"products of rows", test_star_gram}};
    return test_run(argc, argv, "kernels", COUNT(tests), tests, start, stop);
}
