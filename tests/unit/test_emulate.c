/* Emulators: errors by label, weights in half precision, grids of others in HDF5 and npz. */
#include <config.h>
#include "base_support.h"
#include "file/hdf5_file.h"
#include "prepare/emulate.h"
#include "stat/order.h"
#include <math.h>
#include <string.h>

/* 23 spectra whose error is ten times their rank by label: fifths of 4, 5, 4, 5, 5. */
static void test_bins(void)
{
    enum { N = 23 };
    static const double want[ANPE_EMULATE_BINS] = {15, 60, 105, 150, 200};
    static const double begin[ANPE_EMULATE_BINS + 1] = {0, 4, 9, 13, 18, 22};
    double value[N], error[N], median[ANPE_EMULATE_BINS], edge[ANPE_EMULATE_BINS + 1];
    for (int i = 0; i < N; i++) { /* in a mixed order */
        value[i] = i * 7 % N;
        error[i] = 10 * value[i];
    }
    CU_ASSERT(anpe_emulate_bins(ctx, N, value, error, median, edge) == ANPE_OK);
    for (int b = 0; b < ANPE_EMULATE_BINS; b++) {
        CU_ASSERT_DOUBLE_EQUAL(median[b], want[b], 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(edge[b], begin[b], 1e-12);
    }
    CU_ASSERT_DOUBLE_EQUAL(edge[ANPE_EMULATE_BINS], begin[ANPE_EMULATE_BINS], 1e-12);
    /* fewer spectra than parts: empty ones have no median */
    CU_ASSERT(anpe_emulate_bins(ctx, 2, value, error, median, edge) == ANPE_OK);
    CU_ASSERT(isnan(median[0]) && !isnan(median[4]));
}

/* What half precision holds exactly comes back, what it does not to 2^-11 of it or 2^-25; it has 10
 * bits. Numbers just below a power of 2 become that power. */
static void test_half(void)
{
    enum { N = 12 };
    const float v[N] = {1,          -0.5f,       65504,       0.1f,     3.1415927f, 0,
                        0.9998218f, -0.4999748f, -65519.996f, 4.72e-7f, 6.103e-5f,  -2e-8f};
    const int64_t shape[2] = {4, 3};
    double back[N];
    anpe_h5 *f = NULL;
    const char *path = in_scratch("half.h5");
    CU_ASSERT_FATAL(anpe_h5_create(ctx, path, &f) == ANPE_OK);
    CU_ASSERT(anpe_h5_write_half(ctx, f, "w", 2, shape, v) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_close(ctx, f) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_open(ctx, path, &f) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_read(ctx, f, "w", ANPE_H5_DOUBLE, N, back) == ANPE_OK);
    anpe_h5_abandon(f);
    for (int i = 0; i < N; i++)
        CU_ASSERT(fabs(back[i] - (double)v[i]) <= fmax(0x1p-11 * fabs((double)v[i]), 0x1p-25));
    CU_ASSERT(back[0] == 1 && back[1] == -0.5 && back[2] == 65504 && back[5] == 0);
    CU_ASSERT(back[3] != (double)v[3]);
    CU_ASSERT(back[6] == 1 && back[7] == -0.5 && back[8] == -65504 && back[9] == 8 * 0x1p-24);
}

/* Every finite number of half precision, (1024 + m) 2^(e - 25) or m 2^-24, is read to the last bit.
 */
static void test_every_half(void)
{
    enum { N = 31 * 1024 };
    const int64_t n = 2 * N;
    float *v = malloc((size_t)(2 * n) * sizeof *v), *back = v + n;
    double *wide = malloc((size_t)n * sizeof *wide);
    anpe_h5 *f = NULL;
    int same = 1;
    for (int i = 0; i < N; i++) {
        const int e = i / 1024, m = i % 1024;
        v[2 * i] = (float)(e ? ldexp(1024 + m, e - 25) : ldexp(m, -24));
        v[2 * i + 1] = -v[2 * i];
    }
    const char *path = in_scratch("every.h5");
    CU_ASSERT_FATAL(anpe_h5_create(ctx, path, &f) == ANPE_OK);
    CU_ASSERT(anpe_h5_write_half(ctx, f, "w", 1, &n, v) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_close(ctx, f) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_open(ctx, path, &f) == ANPE_OK);
    CU_ASSERT(anpe_h5_read(ctx, f, "w", ANPE_H5_FLOAT, n, back) == ANPE_OK);
    CU_ASSERT(anpe_h5_read(ctx, f, "w", ANPE_H5_DOUBLE, n, wide) == ANPE_OK);
    anpe_h5_abandon(f);
    for (int64_t i = 0; i < n; i++)
        same = same && back[i] == v[i] && wide[i] == (double)v[i];
    CU_ASSERT(same);
    free(v);
    free(wide);
}

/* Labels as arrays of their own, under names that the caller gives. */
static void test_columns(void)
{
    const double teff[4] = {4000, 4500, 5000, 5500}, logg[4] = {1, 2, 3, 4};
    const double flux[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const double wavelength[3] = {5000, 5001, 5002};
    const int64_t four = 4, three = 3, both[2] = {4, 3};
    const char *path = in_scratch("columns.h5");
    anpe_emulate_request r = {.grid = path, .labels = "teff,logg", .flux = "spectra"};
    anpe_emulate_grid g;
    anpe_h5 *f = NULL;
    CU_ASSERT_FATAL(anpe_h5_create(ctx, path, &f) == ANPE_OK);
    CU_ASSERT(anpe_h5_write(ctx, f, "teff", ANPE_H5_DOUBLE, 1, &four, teff) == ANPE_OK);
    CU_ASSERT(anpe_h5_write(ctx, f, "logg", ANPE_H5_DOUBLE, 1, &four, logg) == ANPE_OK);
    CU_ASSERT(anpe_h5_write(ctx, f, "spectra", ANPE_H5_DOUBLE, 2, both, flux) == ANPE_OK);
    CU_ASSERT(anpe_h5_write(ctx, f, "lambda", ANPE_H5_DOUBLE, 1, &three, wavelength) == ANPE_OK);
    CU_ASSERT(anpe_h5_write(ctx, f, "flat", ANPE_H5_DOUBLE, 1, &four, (double[4]){7, 7, 7, 7}) ==
              ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_close(ctx, f) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_emulate_read(ctx, &r, &g) == ANPE_OK);
    CU_ASSERT(g.n == 4 && g.n_labels == 2 && g.n_pixels == 3 && g.wavelength == NULL);
    CU_ASSERT(g.theta[2] == 4500 && g.theta[3] == 2 && g.flux[11] == 12);
    CU_ASSERT(g.min[0] == 4000 && g.max[1] == 4 && g.normalised && g.resolution == INFINITY);
    anpe_emulate_grid_clear(&g);
    r.wavelength = "lambda";
    r.resolution = 20000;
    r.absolute = 1;
    CU_ASSERT_FATAL(anpe_emulate_read(ctx, &r, &g) == ANPE_OK);
    CU_ASSERT(g.wavelength && g.wavelength[2] == 5002 && !g.normalised && g.resolution == 20000);
    anpe_emulate_grid_clear(&g);

    char text[512];
    r.labels = "teff,flat";
    CU_ASSERT(anpe_emulate_read(ctx, &r, &g) == ANPE_EFORMAT);
    snprintf(text, sizeof text, "%s: label flat is 7 in all spectra: nothing can be learned of it",
             path);
    expect_message(text);
    anpe_emulate_grid_clear(&g);
    r.labels = NULL;
    CU_ASSERT(anpe_emulate_read(ctx, &r, &g) == ANPE_EFORMAT);
    anpe_emulate_grid_clear(&g);
    r.labels = "teff,lambda";
    CU_ASSERT(anpe_emulate_read(ctx, &r, &g) == ANPE_EFORMAT);
    snprintf(text, sizeof text, "%s: 'lambda' has 3 values, the labels before it 4", path);
    expect_message(text);
    anpe_emulate_grid_clear(&g);
}

/* 32 spectra, `each` of an atmosphere; the file says so or does not. */
static const char *put_shared(int64_t each, int says)
{
    enum { N = 32 };
    static double theta[N][2], flux[N][3];
    const int64_t two[2] = {N, 2}, three[2] = {N, 3};
    const char *path = in_scratch("shared.h5");
    anpe_h5 *f = NULL;
    for (int64_t i = 0; i < N; i++) {
        theta[i][0] = 4000 + 7 * (double)(i / each);
        theta[i][1] = 0.01 * (double)i * (double)i;
        for (int k = 0; k < 3; k++)
            flux[i][k] = 1 - 1e-3 * theta[i][1] * k;
    }
    theta[0][0] -= each == N; /* a label that is the same everywhere is refused */
    CU_ASSERT_FATAL(anpe_h5_create(ctx, path, &f) == ANPE_OK);
    CU_ASSERT(anpe_h5_write(ctx, f, "theta", ANPE_H5_DOUBLE, 2, two, theta) == ANPE_OK);
    CU_ASSERT(anpe_h5_write(ctx, f, "flux", ANPE_H5_DOUBLE, 2, three, flux) == ANPE_OK);
    if (says)
        CU_ASSERT(anpe_h5_put_numbers(ctx, f, "/", "per_atmosphere", ANPE_H5_INT64, 1, &each) ==
                  ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_close(ctx, f) == ANPE_OK);
    return path;
}

/* Of 32 spectra 5 are held out; of atmospheres of 4 two whole ones; one of 31 leaves nothing. */
static void test_shared(void)
{
    const struct {
        int64_t each;
        int says;
        int64_t held;
    } cases[] = {{4, 0, 5}, {4, 1, 8}, {1, 1, 5}};
    anpe_emulate_result result;
    anpe_emulate_request r = {.labels = "teff,logg",
                              .width = 4,
                              .layers = 1,
                              .steps = 2,
                              .activation = "relu",
                              .rate = 1e-3,
                              .held_out = 0.1,
                              .seed = 1,
                              .threads = 1};
    for (size_t i = 0; i < COUNT(cases); i++) {
        r.grid = put_shared(cases[i].each, cases[i].says);
        r.output = in_scratch("emulator.h5");
        CU_ASSERT(anpe_emulate(ctx, &r, &result) == ANPE_OK);
        CU_ASSERT_EQUAL(result.held_out.n, cases[i].held);
        CU_ASSERT_EQUAL(result.trained.n, 32 - cases[i].held);
        anpe_emulate_result_clear(&result);
    }
    r.grid = put_shared(32, 1);
    r.output = in_scratch("emulator.h5");
    r.held_out = 0.5;
    CU_ASSERT(anpe_emulate(ctx, &r, &result) == ANPE_EFORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), "atmospheres, which are held out whole"));
    anpe_emulate_result_clear(&result);
}

/* n <= 40 spectra of 12 pixels, 1 + t u + 0.7 g v in two labels: two components are all there is.
 */
static void put_two(int64_t n)
{
    enum { N = 40, P = 12 };
    static double theta[N][2], flux[N][P];
    const int64_t two[2] = {n, 2}, many[2] = {n, P};
    anpe_h5 *f = NULL;
    for (int64_t i = 0; i < n; i++) {
        theta[i][0] = (double)(i % 8);
        theta[i][1] = (double)(i / 8) + 0.1 * (double)(i % 3);
        for (int p = 0; p < P; p++)
            flux[i][p] = 1 + theta[i][0] / 8 * sin(p + 0.5) + 0.7 * theta[i][1] / 5 * cos(2.0 * p);
    }
    CU_ASSERT_FATAL(anpe_h5_create(ctx, in_scratch("two.h5"), &f) == ANPE_OK);
    CU_ASSERT(anpe_h5_write(ctx, f, "theta", ANPE_H5_DOUBLE, 2, two, theta) == ANPE_OK);
    CU_ASSERT(anpe_h5_write(ctx, f, "flux", ANPE_H5_DOUBLE, 2, many, flux) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_close(ctx, f) == ANPE_OK);
}

static anpe_emulate_request two_request(int64_t components)
{
    return (anpe_emulate_request){.grid = in_scratch("two.h5"),
                                  .output = in_scratch("emulator.h5"),
                                  .labels = "teff,logg",
                                  .width = 8,
                                  .layers = 1,
                                  .components = components,
                                  .steps = 600,
                                  .activation = "sigmoid",
                                  .rate = 2e-2,
                                  .held_out = 0.2,
                                  .seed = 1,
                                  .threads = 1};
}

/* Coefficient c_k = (x - mean) b_k / b_k b_k of the spectrum x: the components are orthogonal. */
static double coefficient(const double *b, const double *mean, const float *x, int64_t k, int64_t K)
{
    double product = 0, square = 0;
    for (int64_t p = 0; p < 12; p++) {
        product += b[p * K + k] * ((double)x[p] - mean[p]);
        square += b[p * K + k] * b[p * K + k];
    }
    return product / square;
}

/* What one component leaves, against its formula; a second one leaves rounding. Each is as long as
 * its coefficients: sum_p b^2 / P = mean of c^2 over what was trained on. */
static void check_projection(int64_t K, int64_t n, const anpe_emulate_grid *g,
                             const anpe_emulator *e, const double *left)
{
    enum { P = 12 };
    const double *basis = anpe_emulator_find(e, "basis")->v;
    const double *mean = anpe_emulator_find(e, "mean")->v;
    double want[40] = {0}, c[2] = {0}, square[2] = {0}, length[2] = {0}, across = 0;
    for (int64_t i = 0; i < n; i++) {
        const float *x = g->flux + i * P;
        for (int64_t k = 0; k < K; k++) {
            c[k] = coefficient(basis, mean, x, k, K);
            square[k] += c[k] * c[k] / (double)n;
        }
        for (int64_t p = 0; p < P; p++) {
            double d = (double)x[p] - mean[p];
            for (int64_t k = 0; k < K; k++)
                d -= c[k] * basis[p * K + k];
            want[i] += d * d / P;
        }
        want[i] = sqrt(want[i]);
    }
    anpe_sort(n, want);
    for (int64_t i = 0; i < n; i++) /* of spectra about 1 in float */
        CU_ASSERT_DOUBLE_EQUAL(left[i], want[i], 3e-7);
    CU_ASSERT(K == 1 ? left[n / 2] > 0.05 : left[n - 1] < 1e-6);
    for (int64_t p = 0; p < P; p++) {
        for (int64_t k = 0; k < K; k++)
            length[k] += basis[p * K + k] * basis[p * K + k] / P;
        across += K == 2 ? basis[p * K] * basis[p * K + 1] / P : 0;
    }
    for (int64_t k = 0; k < K; k++)
        CU_ASSERT_DOUBLE_EQUAL(square[k] / length[k], 1, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(across / length[0], 0, 1e-6);
}

static void test_projection(void)
{
    enum { N = 40 };
    int64_t rows[N];
    double left[N];
    for (int i = 0; i < N; i++)
        rows[i] = N - 1 - i;
    put_two(N);
    for (int64_t K = 1; K <= 2; K++) {
        const anpe_emulate_request r = two_request(K);
        anpe_emulate_grid g;
        anpe_emulator e = {0};
        CU_ASSERT_FATAL(anpe_emulate_read(ctx, &r, &g) == ANPE_OK);
        CU_ASSERT_FATAL(anpe_emulate_fit(ctx, &r, &g, N, rows, "fit", &e) == ANPE_OK);
        CU_ASSERT_FATAL(anpe_emulate_project(ctx, &e, &g, N, rows, left) == ANPE_OK);
        const anpe_emulator_array *basis = anpe_emulator_find(&e, "basis");
        const anpe_emulator_array *w = anpe_emulator_find(&e, "w1");
        CU_ASSERT_FATAL(basis->shape[0] == g.n_pixels && basis->shape[1] == K);
        CU_ASSERT(w->shape[0] == K && w->shape[1] == r.width);
        check_projection(K, N, &g, &e, left);
        anpe_emulator_clear(&e);
        anpe_emulate_grid_clear(&g);
    }
}

/* One component of two is what limits, both of two are not; six of 12 pixels are the most, and
 * fewer than the spectra trained on. Half of these may be too few for as many: then there are
 * fewer. */
static void test_components(void)
{
    anpe_emulate_result result;
    char text[512];
    put_two(40);
    for (int64_t K = 0; K <= 2; K++) {
        const anpe_emulate_request r = two_request(K);
        CU_ASSERT_FATAL(anpe_emulate(ctx, &r, &result) == ANPE_OK);
        CU_ASSERT_STRING_EQUAL(result.e.kind, K ? "components" : "dense");
        CU_ASSERT_EQUAL(result.left != NULL, K > 0);
        CU_ASSERT_EQUAL(result.more_components, K == 1);
        CU_ASSERT(K != 1 || (!result.more_units && !result.more_spectra));
        anpe_emulate_result_clear(&result);
    }
    anpe_emulate_request six = two_request(6);
    const anpe_emulate_request seven = two_request(7);
    CU_ASSERT(anpe_emulate(ctx, &six, &result) == ANPE_OK);
    anpe_emulate_result_clear(&result);
    CU_ASSERT(anpe_emulate(ctx, &seven, &result) == ANPE_EINVAL);
    snprintf(text, sizeof text,
             "%s: --components must be at most 6, half of its 12 pixels and less than the 32 "
             "spectra trained on, not 7",
             seven.grid);
    expect_message(text);
    anpe_emulate_result_clear(&result);
    put_two(20);
    six.held_out = 0.5;
    six.halves = 1;
    CU_ASSERT(anpe_emulate(ctx, &six, &result) == ANPE_OK);
    CU_ASSERT(result.trained.n == 10 && result.half > 0);
    anpe_emulate_result_clear(&result);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"errors by label", test_bins},
                                        {"half precision", test_half},
                                        {"every number of half precision", test_every_half},
                                        {"labels as arrays of their own", test_columns},
                                        {"atmospheres held out whole", test_shared},
                                        {"what components leave", test_projection},
                                        {"numbers of components", test_components}};
    return run_suite(argc, argv, "emulate", COUNT(tests), tests);
}
