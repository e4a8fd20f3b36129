/* The likelihood of reduced spectra: a closed form, the continuum rule's modes, and that the
 * density is right: log likelihood ratios of simulated data have the distribution they must have.
 */
#include <config.h>
#include "data_support.h"
#include "file/emulator.h"
#include "task/likelihood.h"
#include <math.h>

enum { FULL = 7214 };

/* flux = 1 - depth (1 + 0.1 a) on three pixels of eight, 1 elsewhere: label a scales all lines, as
 * the wings of a real spectrum do, which is what a continuum rule is confused with. */
static void write_emulator(const char *path, int64_t n_pixels, const char *grid)
{
    anpe_emulator e = {.kind = "cannon", .output = "linear", .on_grid = grid, .normalised = 1};
    anpe_label label = {"a", "", -1, 1};
    double *coefficients = calloc((size_t)(2 * n_pixels), sizeof *coefficients);
    double *exponents = calloc(2, sizeof *exponents), *pivot = calloc(1, sizeof *pivot);
    double *scale = calloc(1, sizeof *scale), *wavelength = calloc(FULL, sizeof *wavelength);
    static const int64_t first[] = {322, 3648, 6412}, size[] = {2920, 2400, 1894};
    e.n_labels = 1;
    e.n_pixels = n_pixels;
    e.resolution = 22500;
    e.labels = malloc(sizeof label);
    *e.labels = label;
    exponents[1] = 1;
    scale[0] = 1;
    for (int64_t i = 0; i < n_pixels; i++) {
        const double depth = i % 8 < 3 ? 0.2 : 0;
        coefficients[i] = 1 - depth;
        coefficients[n_pixels + i] = -0.1 * depth;
    }
    for (int64_t s = 0, i = 0; s < 3; s++)
        for (int64_t k = 0; k < size[s]; k++)
            wavelength[i++] = pow(10, 4.179 + 6e-6 * (double)(first[s] + k));
    WORKS(anpe_emulator_add(ctx, &e, "coefficients", 2, (int64_t[]){2, n_pixels}, coefficients));
    WORKS(anpe_emulator_add(ctx, &e, "exponents", 2, (int64_t[]){2, 1}, exponents));
    WORKS(anpe_emulator_add(ctx, &e, "pivots", 1, (int64_t[]){1}, pivot));
    WORKS(anpe_emulator_add(ctx, &e, "scales", 1, (int64_t[]){1}, scale));
    if (grid)
        WORKS(anpe_emulator_add(ctx, &e, "wavelength", 1, (int64_t[]){n_pixels}, wavelength));
    else
        free(wavelength);
    WORKS(anpe_emulator_write(ctx, &e, path));
    anpe_emulator_clear(&e);
}

static anpe_settings *settings;
static anpe_task *task;
static anpe_bench *bench;
static anpe_likelihood *likelihood;

static void close_task(void)
{
    likelihood = anpe_likelihood_free(likelihood);
    bench = anpe_bench_free(bench);
    task = anpe_task_free(task);
    settings = anpe_settings_free(settings);
}

static void open_task(const char *text)
{
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings));
    WORKS(anpe_task_new(ctx, settings, ANPE_TASK_ALL, NULL, &task));
    WORKS(anpe_task_open_likelihood(ctx, task));
    WORKS(anpe_bench_new(ctx, task, 1, &bench));
    WORKS(anpe_likelihood_new(ctx, task, 3, &likelihood));
}

static void open_apogee(void)
{
    char text[1024];
    write_emulator(in_scratch("apogee.h5"), FULL, "apogee");
    snprintf(text, sizeof text,
             "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
             "prior: ({ plugin = \"independent\"; labels: ({ name = \"a\"; type = \"uniform\"; }); "
             "});"
             "instrument: { plugin = \"apogee\"; grid = 7214; };"
             "noise: { plugin = \"gaussian\"; sigma = 0.02; };",
             in_scratch("apogee.h5"));
    open_task(text);
}

static void observe(double a, int64_t sample)
{
    anpe_rng rng = anpe_rng_make(3, ANPE_FOR_TRAINING, sample, 1);
    bench->theta[0] = a;
    WORKS(anpe_task_simulate(task, ctx, bench, 1));
    WORKS(anpe_task_mock(task, ctx, bench, 0, &rng));
}

/* Independent Gaussians on plain data: the formula itself. */
static void test_closed_form(void)
{
    enum { P = 16 };
    char text[1024];
    write_emulator(in_scratch("array.h5"), P, NULL);
    snprintf(text, sizeof text,
             "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
             "prior: ({ plugin = \"independent\"; labels: ({ name = \"a\"; type = \"uniform\"; "
             "min = -1.0; max = 0.5; }); });"
             "instrument: { plugin = \"array\"; shape = [ %d ]; };"
             "noise: { plugin = \"gaussian\"; sigma = 0.05; };",
             in_scratch("array.h5"), P);
    open_task(text);
    observe(0.2, 0);
    anpe_spectrum *o = &bench->spectrum;
    o->mask[1] = 1;
    WORKS(anpe_likelihood_set(likelihood, ctx, o, (double[]){0}));
    CU_ASSERT_EQUAL(anpe_likelihood_freedom(likelihood), P - 1);
    const double a[] = {-0.9, 0.1, 0.7, 0.2, 0.3, 0.4, -2}; /* more than a batch; two outside */
    double log_l[7], log_p[7];
    WORKS(anpe_likelihood_eval(likelihood, ctx, 7, a, log_l, log_p));
    for (int k = 0; k < 7; k++) {
        double sum = 0;
        for (int i = 0; i < P; i++) {
            const double depth = i % 8 < 3 ? 0.2 : 0, sigma = (double)o->sigma[i];
            const double r = ((double)o->flux[i] - (1 - depth * (1 + 0.1 * a[k]))) / sigma;
            sum -= o->mask[i] ? 0 : 0.5 * r * r + log(sigma) + 0.5 * log(2 * M_PI);
        }
        if (k == 2 || k == 6)
            CU_ASSERT(log_l[k] == -INFINITY && log_p[k] == -INFINITY)
        else {
            /* model and flux are floats near 1: an error of 6e-8 / 0.05 in each r of size 1 */
            CU_ASSERT_DOUBLE_EQUAL(log_l[k], sum, P * 3 * 6e-8 / 0.05);
            CU_ASSERT_DOUBLE_EQUAL(log_p[k], -log(1.5), 1e-12);
        }
    }
    close_task();
}

/* normalise(f (1 + e mode)) = normalise(f) + O(e^2), for every mode of the instrument. */
static void test_modes(void)
{
    enum { MODES = 15 };
    const double e = 1e-3;
    open_apogee();
    CU_ASSERT_EQUAL_FATAL(anpe_instrument_continuum_modes(&task->instrument, NULL), MODES);
    float *mode = malloc(MODES * FULL * sizeof *mode);
    float *plain = malloc(FULL * sizeof *plain);
    anpe_instrument_continuum_modes(&task->instrument, mode);
    for (int j = -1; j < MODES; j++) {
        anpe_spectrum *s = &bench->spectrum;
        double worst = 0;
        bench->theta[0] = 0.3;
        WORKS(anpe_task_simulate(task, ctx, bench, 1));
        for (int i = 0; i < FULL; i++) {
            s->flux[i] = bench->flux[i] * (float)(1 + (j < 0 ? 0 : e * (double)mode[j * FULL + i]));
            s->sigma[i] = 0.02f;
            s->mask[i] = 0;
        }
        WORKS(anpe_instrument_normalise(&task->instrument, ctx, task->continuum, s));
        for (int i = 0; i < FULL && j >= 0; i++)
            worst = fmax(worst, fabs((double)s->flux[i] - (double)plain[i]));
        if (j < 0)
            memcpy(plain, s->flux, FULL * sizeof *plain);
        CU_ASSERT(worst < 4 * e * e + 1e-6);
    }
    free(mode);
    free(plain);
    close_task();
}

/* For data drawn at a0, log L(a1) - log L(a0) is normal with variance v and mean -v / 2 when both
 * are small steps of a right density; so -2 mean / variance is 1. A density that is too sure of the
 * spectrum's broad shape has the mean of its narrow width and the variance of the data. */
static double width_ratio(int with_modes)
{
    enum { N = 300 };
    const double a[] = {0, 0.05};
    double mean = 0, square = 0;
    for (int64_t i = 0; i < N; i++) {
        double log_l[2], log_p[2];
        int64_t n;
        observe(a[0], i);
        WORKS(anpe_likelihood_set(likelihood, ctx, &bench->spectrum, a));
        WORKS(anpe_likelihood_eval(likelihood, ctx, 2, a, log_l, log_p));
        for (int k = 0; k < 2 && !with_modes; k++) {
            anpe_spectrum observed;
            anpe_bench *model = NULL;
            WORKS(anpe_bench_new(ctx, task, 1, &model));
            observed = bench->spectrum;
            model->theta[0] = a[k];
            WORKS(anpe_task_simulate(task, ctx, model, 1));
            WORKS(anpe_task_reduce_model(task, ctx, model, 0, &observed));
            log_l[k] = -0.5 * anpe_noise_chi2(&observed, model->spectrum.flux, &n);
            anpe_bench_free(model);
        }
        const double ratio = log_l[1] - log_l[0];
        mean += ratio / N;
        square += ratio * ratio / N;
    }
    const double variance = square - mean * mean;
    printf(" [%s modes: mean %.3f variance %.3f] ", with_modes ? "with" : "without", mean,
           variance);
    return -2 * mean / variance;
}

static void test_density(void)
{
    open_apogee();
    /* 300 draws: the variance is good to sqrt(2/300) = 8 %, the mean to sqrt(v/300) = 5 %; 4 sigma
     * of both. The second shows that the test sees the difference. */
    CU_ASSERT_DOUBLE_EQUAL(width_ratio(1), 1, 0.39);
    CU_ASSERT(width_ratio(0) < 0.5);
    close_task();
}

int main(void)
{
    static const CU_TestInfo tests[] = {{"closed form on plain data", test_closed_form},
                                        {"modes of the continuum rule", test_modes},
                                        {"the density is right", test_density}};
    return run_suite("likelihood", (int)(sizeof tests / sizeof tests[0]), tests);
}
