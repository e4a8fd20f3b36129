/* The reduced basis: amplitudes that were put in come back under any error bars and mask, the
 * errors are those of the fit, the gradient is that of the fit, and what the labels do to a
 * spectrum is kept. */
#include <config.h>
#include "data_support.h"
#include "base/random.h"
#include "file/emulator.h"
#include "model/channels.h"
#include <math.h>

enum { P = 300, K = 5, M = 2 };

static anpe_rng rng;

/* Smooth vectors of unit size, modes 1 and x, a mean. */
static anpe_basis *make_basis(void)
{
    anpe_basis *b = NULL;
    WORKS(anpe_basis_new(ctx, K, M, P, &b));
    for (int64_t p = 0; p < P; p++) {
        const double x = (double)p / P;
        b->mean[p] = (float)(1 - 0.3 * exp(-pow((x - 0.5) / 0.1, 2)));
        for (int64_t j = 0; j < K; j++)
            b->vector[p * b->stride + j] = (float)(0.01 * cos((double)(3 * j + 5) * x + (double)j));
        b->vector[p * b->stride + K] = b->mean[p];
        b->vector[p * b->stride + K + 1] = (float)(2 * x - 1) * b->mean[p];
    }
    for (int64_t j = 0; j < K + M; j++)
        b->precision[j] = 1e-9;
    return b;
}

/* Error bars that differ by a factor of 3, a fifth of the pixels bad with wild values. */
static void make_spectrum(const anpe_basis *b, const double *amplitude, double noise,
                          anpe_spectrum *s)
{
    for (int64_t p = 0; p < P; p++) {
        double flux = (double)b->mean[p];
        for (int64_t j = 0; j < K + M; j++)
            flux += amplitude[j] * (double)b->vector[p * b->stride + j];
        s->sigma[p] = (float)(0.01 * (2 + cos(0.1 * (double)p)));
        s->mask[p] = p % 5 == 2;
        s->flux[p] = (float)(flux + noise * (double)s->sigma[p] * anpe_normal(&rng));
        if (s->mask[p])
            s->flux[p] += 10 + (float)(p % 7);
    }
}

static void test_amplitudes(void)
{
    anpe_basis *b = make_basis();
    anpe_spectrum s;
    const double amplitude[K + M] = {3, -2, 1, 0.5, -4, 0.02, -0.01};
    double c[K], error[K];
    WORKS(anpe_spectrum_new(ctx, P, &s));
    make_spectrum(b, amplitude, 0, &s);
    anpe_basis_fit(b, &s, c, error);
    for (int j = 0; j < K; j++) /* flux is a float near 1, sigma 0.01; the vectors are alike */
        CU_ASSERT_DOUBLE_EQUAL(c[j], amplitude[j], 1e-3 * error[j]);
    anpe_spectrum_clear(&s);
    anpe_basis_free(b);
}

static void test_errors(void)
{
    enum { N = 2000 };
    anpe_basis *b = make_basis();
    anpe_spectrum s;
    const double amplitude[K + M] = {0};
    double c[K], error[K], square[K] = {0};
    WORKS(anpe_spectrum_new(ctx, P, &s));
    for (int i = 0; i < N; i++) {
        make_spectrum(b, amplitude, 1, &s);
        anpe_basis_fit(b, &s, c, error);
        for (int j = 0; j < K; j++)
            square[j] += c[j] * c[j] / error[j] / error[j] / N;
    }
    for (int j = 0; j < K; j++) /* a chi2 of 2000: 4 times sqrt(2 / 2000) */
        CU_ASSERT_DOUBLE_EQUAL(square[j], 1, 4 * sqrt(2.0 / N));
    anpe_spectrum_clear(&s);
    anpe_basis_free(b);
}

static void test_gradient(void)
{
    anpe_basis *b = make_basis();
    anpe_spectrum s;
    const double amplitude[K + M] = {1, 2, 3, 4, 5, 0, 0}, by[K] = {1, -0.5, 0.25, 2, -1};
    double c0[K], c1[K], error[K];
    float gradient[P];
    WORKS(anpe_spectrum_new(ctx, P, &s));
    make_spectrum(b, amplitude, 1, &s);
    anpe_basis_gradient(b, &s, by, gradient);
    anpe_basis_fit(b, &s, c0, error);
    for (int64_t p = 0; p < P; p += 13) {
        const float step = 0.25f, was = s.flux[p]; /* the fit is linear: any step will do */
        double change = 0, size = 0;
        s.flux[p] += step;
        anpe_basis_fit(b, &s, c1, error);
        s.flux[p] = was;
        for (int j = 0; j < K; j++) {
            change += by[j] * (c1[j] - c0[j]) / (double)step;
            size += fabs(by[j] * error[j]) / (double)s.sigma[p];
        }
        CU_ASSERT_DOUBLE_EQUAL((double)gradient[p], s.mask[p] ? 0 : change, 1e-3 * size);
    }
    anpe_spectrum_clear(&s);
    anpe_basis_free(b);
}

/* As the network sees it: coefficients and errors, standardised; and back to the flux. */
static void test_channels(void)
{
    anpe_channels *c = NULL;
    anpe_spectrum s;
    const double amplitude[K + M] = {1, 2, 3, 4, 5, 0, 0};
    float x[4 * K], y[2 * K], by[2 * K], gradient[P];
    double largest = 0;
    WORKS(anpe_channels_new_basis(ctx, make_basis(), NULL, &c));
    CU_ASSERT(c->length == K && c->width == 2 && anpe_channels_values(c) == P);
    WORKS(anpe_spectrum_new(ctx, P, &s));
    for (int k = 0; k < 2; k++) {
        make_spectrum(c->basis, amplitude, 1, &s);
        anpe_channels_fill(c, &s, x + k * 2 * K);
    }
    anpe_channels_fit(c, 2, x, 1);
    anpe_channels_fill(c, &s, x);
    for (int i = 0; i < 2 * K; i += 2)
        CU_ASSERT(fabsf(fabsf(x[i]) - 1) < 1e-3f); /* two values: one sd from their mean */
    for (int i = 0; i < 2 * K; i++)
        by[i] = (float)(1 + i % 3);
    anpe_channels_pull_back(c, &s, x, by, gradient);
    for (int64_t p = 0; p < P; p += 17) {
        const float was = s.flux[p], step = s.mask[p] ? 1 : 0.2f * s.sigma[p];
        double change = 0;
        s.flux[p] += step;
        anpe_channels_fill(c, &s, y);
        for (int i = 0; i < 2 * K; i += 2)
            change += (double)(by[i] * (y[i] - x[i])) / (double)(s.flux[p] - was);
        s.flux[p] = was;
        largest = fmax(largest, fabs((double)gradient[p]));
        /* the vectors are alike, so that the float sums of the fit are good to a thousandth */
        CU_ASSERT_DOUBLE_EQUAL((double)gradient[p], s.mask[p] ? 0 : change, 2e-3 * largest);
    }
    anpe_spectrum_clear(&s);
    anpe_channels_free(c);
}

static void test_limits(void)
{
    anpe_basis *b = NULL;
    FAILS(anpe_basis_new(ctx, 0, 0, P, &b), ANPE_EINVAL, "0 coefficients");
    FAILS(anpe_basis_new(ctx, 120, 15, P, &b), ANPE_EINVAL, "120 coefficients and 15 modes");
    CU_ASSERT_PTR_NULL(b);
    CU_ASSERT_PTR_NULL(anpe_basis_free(NULL));
}

/* ---- found from a task ------------------------------------------------------------------- */

enum { LABELS = 3, LINES = 40 };

/* Lines of which the labels change the depth, quadratically: a curved manifold. */
static void write_emulator(const char *path)
{
    enum { FEATURES = 1 + LABELS + LABELS };
    anpe_emulator e = {.kind = "cannon", .output = "linear", .normalised = 1, .resolution = 0};
    double *coefficients = calloc(FEATURES * P, sizeof *coefficients);
    double *exponents = calloc(FEATURES * LABELS, sizeof *exponents);
    double *pivots = calloc(LABELS, sizeof *pivots), *scales = calloc(LABELS, sizeof *scales);
    e.n_labels = LABELS;
    e.n_pixels = P;
    e.labels = calloc(LABELS, sizeof *e.labels);
    for (int d = 0; d < LABELS; d++) {
        snprintf(e.labels[d].name, sizeof e.labels[d].name, "x%d", d);
        e.labels[d].min = -1;
        e.labels[d].max = 1;
        scales[d] = 1;
        exponents[(1 + d) * LABELS + d] = 1;
        exponents[(1 + LABELS + d) * LABELS + d] = 2;
    }
    for (int p = 0; p < P; p++)
        coefficients[p] = 1;
    for (int line = 0; line < LINES; line++)
        for (int f = 0; f < FEATURES; f++)
            for (int p = 0; p < P; p++)
                coefficients[f * P + p] -=
                    (f ? 0.1 : 0.3) * anpe_uniform(&rng) * exp(-pow((p - 7.5 * line) / 1.5, 2));
    e.resolution = INFINITY;
    WORKS(anpe_emulator_add(ctx, &e, "coefficients", 2, (int64_t[]){FEATURES, P}, coefficients));
    WORKS(anpe_emulator_add(ctx, &e, "exponents", 2, (int64_t[]){FEATURES, LABELS}, exponents));
    WORKS(anpe_emulator_add(ctx, &e, "pivots", 1, (int64_t[]){LABELS}, pivots));
    WORKS(anpe_emulator_add(ctx, &e, "scales", 1, (int64_t[]){LABELS}, scales));
    WORKS(anpe_emulator_write(ctx, &e, path));
    anpe_emulator_clear(&e);
}

/* (t a^-1 t) of the fit of vector x by the basis: the part of |x / sigma|^2 that it keeps. */
static double kept(const anpe_basis *b, const float *x, const anpe_spectrum *errors)
{
    double c[ANPE_BASIS_MOST], error[ANPE_BASIS_MOST], total = 0, left = 0;
    for (int p = 0; p < P; p++)
        errors->flux[p] = b->mean[p] + x[p];
    anpe_basis_fit(b, errors, c, error);
    for (int p = 0; p < P; p++) {
        double fit = 0;
        for (int j = 0; j < b->n; j++)
            fit += c[j] * (double)b->vector[p * b->stride + j];
        total += (double)(x[p] * x[p]);
        left += pow((double)x[p] - fit, 2);
    }
    return 1 - left / total;
}

static void test_found(void)
{
    char text[1024];
    anpe_settings *settings = NULL;
    anpe_task *task = NULL;
    anpe_basis *b = NULL, *again = NULL;
    anpe_bench *bench = NULL;
    anpe_spectrum s;
    write_emulator(in_scratch("e.h5"));
    snprintf(text, sizeof text,
             "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
             "prior: ({ plugin = \"independent\"; labels: ({ name = \"x0\"; type = \"uniform\"; }, "
             "{ name = \"x1\"; type = \"uniform\"; }, { name = \"x2\"; type = \"uniform\"; }); });"
             "instrument: { plugin = \"array\"; shape = [ %d ]; };"
             "noise: { plugin = \"gaussian\"; sigma = 0.01; };",
             in_scratch("e.h5"), P);
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings));
    WORKS(anpe_task_new(ctx, settings, ANPE_TASK_ALL, NULL, &task));
    WORKS(anpe_basis_find(ctx, task, 8, 1, &b));
    WORKS(anpe_basis_find(ctx, task, 8, 1, &again));
    CU_ASSERT(!memcmp(b->vector, again->vector, (size_t)(P * b->stride) * sizeof *b->vector));
    WORKS(anpe_bench_new(ctx, task, 2, &bench));
    WORKS(anpe_spectrum_new(ctx, P, &s));
    for (int p = 0; p < P; p++) {
        s.sigma[p] = 0.01f;
        s.mask[p] = 0;
    }
    /* the tangents are t_d + 2 x_d q_d: 6 vectors span them all */
    for (int d = 0; d < LABELS; d++) {
        const double theta[] = {0.2, -0.7, 0.5};
        float tangent[P];
        for (int k = 0; k < 2; k++) {
            memcpy(bench->theta + k * LABELS, theta, sizeof theta);
            bench->theta[k * LABELS + d] += 0.01 * k;
        }
        WORKS(anpe_task_simulate(task, ctx, bench, 2));
        for (int p = 0; p < P; p++)
            tangent[p] = 100 * (bench->flux[P + p] - bench->flux[p]);
        CU_ASSERT(kept(b, tangent, &s) > 0.999);
    }
    anpe_spectrum_clear(&s);
    anpe_bench_free(bench);
    anpe_basis_free(again);
    anpe_basis_free(b);
    anpe_task_free(task);
    anpe_settings_free(settings);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"amplitudes come back", test_amplitudes},
                                        {"errors", test_errors},
                                        {"gradient", test_gradient},
                                        {"as channels", test_channels},
                                        {"limits", test_limits},
                                        {"found from a task", test_found}};
    rng = anpe_rng_make(11, ANPE_FOR_BASIS, 0, 0);
    return run_suite(argc, argv, "basis", COUNT(tests), tests);
}
