/* The error of the model in the noise of mocks and in error bars: moments, projection, what a model
 * file fixes, and the scatter of an emulator from spectra that it was not trained on. */
#include <config.h>
#include "base_support.h"
#include "base/text.h"
#include "file/hdf5_file.h"
#include "prepare/import.h"
#include "task/task.h"
#include "train/dataset.h"
#include <math.h>

static void write_rows(const char *path, int rows, int64_t n, double (*value)(int row, int64_t i))
{
    FILE *f = fopen(path, "w");
    CU_ASSERT_FATAL(f != NULL);
    for (int r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++)
            fprintf(f, "%.17g%c", value(r, i), i == n - 1 ? '\n' : ' ');
    fclose(f);
}

enum { PIXELS = 4, FINE = 20000 };
static const double scatters[PIXELS] = {0, 0.01, 0.03, 0.05};

static double unit = 1; /* of the flux */
static double coefficient(int row, int64_t i)
{
    return unit * (row == 0 ? 1 : row == 1 ? 0.1 * (double)(i % 7) : 0.01);
}

static double scatter_of(int row, int64_t i)
{
    (void)row;
    return scatters[i];
}

static double pivot(int row, int64_t i)
{
    (void)row, (void)i;
    return 0;
}

/* log-uniform over all that LAMOST needs */
static double fine_wavelength(int row, int64_t i)
{
    (void)row;
    return 3500 * exp(log(9500. / 3500) * (double)i / (FINE - 1));
}

/* A ramp in ln(lambda). */
static double ramp(int row, int64_t i)
{
    (void)row;
    return 0.01 + 0.04 * (double)i / (FINE - 1);
}

/* A Cannon model of one label "a" in [-1, 1] -> e.h5 */
static void make_emulator(int64_t n, double (*scatter)(int, int64_t), int wavelengths, int absolute)
{
    char file[4][512];
    static const char *const names[] = {"c.txt", "p.txt", "s.txt", "w.txt"};
    anpe_emulator e;
    for (int i = 0; i < 4; i++)
        snprintf(file[i], sizeof file[i], "%s", in_scratch(names[i]));
    write_rows(file[0], 3, n, coefficient);
    write_rows(file[1], 1, 1, pivot);
    if (scatter)
        write_rows(file[2], 1, n, scatter);
    if (wavelengths)
        write_rows(file[3], 1, n, fine_wavelength);
    const anpe_import_request r = {.model = "cannon",
                                   .file = file[0],
                                   .pivots = file[1],
                                   .scatter = scatter ? file[2] : "",
                                   .wavelength = wavelengths ? file[3] : "",
                                   .labels = "a_h",
                                   .range = "-1:1",
                                   .absolute = absolute,
                                   .out = in_scratch("e.h5")};
    WORKS(anpe_import(ctx, &r, &e));
    anpe_emulator_clear(&e);
}

static anpe_settings *settings;
static const char *with_noise = "plugin = \"gaussian\"; sigma = 0.02;";

static anpe_status make_task(const char *instrument, const char *observe, unsigned parts,
                             const anpe_pixel_sets *given, anpe_task **t)
{
    anpe_text text = {0};
    anpe_text_add(&text,
                  "simulator = { plugin = \"cannon\"; file = \"%s\"; };"
                  "prior = ({ plugin = \"independent\"; labels = ("
                  "{ name = \"a_h\"; type = \"uniform\"; min = -1.0; max = 1.0; }); });"
                  "instrument = { %s };"
                  "noise = { %s };"
                  "observe = { channels = [\"flux\"]; max_rv = 0.0; %s };",
                  in_scratch("e.h5"), instrument, with_noise, observe);
    anpe_settings_free(settings);
    settings = NULL;
    WORKS(anpe_settings_parse(ctx, text.text, "test", 0, NULL, &settings));
    anpe_text_free(&text);
    return anpe_task_new(ctx, settings, parts, given, t);
}

#define ARRAY "plugin = \"array\"; shape = [4];"

/* Variances add up: of the noise in mocks, and of the error bars of reduced spectra; the survey's
 * own error bars and the S/N stay what they are. */
static void check_moments(const char *observe, const double *want)
{
    enum { N = 4000 };
    double sum2[PIXELS] = {0};
    anpe_task *t;
    anpe_bench *b;
    WORKS(make_task(ARRAY, observe, ANPE_TASK_ALL, NULL, &t));
    WORKS(anpe_bench_new(ctx, t, 1, &b));
    for (int64_t k = 0; k < N; k++) {
        anpe_rng rng = anpe_rng_make(1, ANPE_FOR_MOCKS, k, ANPE_SLOT_NOISE);
        WORKS(anpe_task_draw_labels(t, ctx, b, 1, ANPE_FOR_MOCKS, k, 1));
        WORKS(anpe_task_simulate(t, ctx, b, 1));
        WORKS(anpe_task_observe(t, ctx, b, 0, &rng));
        for (int p = 0; p < PIXELS; p++) {
            const double d = (double)(b->spectrum.flux[p] - b->flux[p]);
            sum2[p] += d * d;
            CU_ASSERT_DOUBLE_EQUAL((double)b->spectrum.sigma[p], 0.02, 1e-6);
        }
    }
    for (int p = 0; p < PIXELS; p++) /* the variance of a variance is 2/N: five of its roots */
        CU_ASSERT_DOUBLE_EQUAL(sum2[p] / N / want[p], 1, 5 * sqrt(2. / N));
    WORKS(anpe_task_reduce(t, ctx, &b->spectrum));
    for (int p = 0; p < PIXELS; p++)
        CU_ASSERT_DOUBLE_EQUAL((double)b->spectrum.sigma[p] / sqrt(want[p]), 1, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(anpe_task_snr(t, &b->spectrum), 50, 1e-3);
    anpe_bench_free(b);
    anpe_task_free(t);
}

static void test_moments(void)
{
    double want[4][PIXELS];
    for (int p = 0; p < PIXELS; p++) {
        const double noise = 0.02 * 0.02, s2 = scatters[p] * scatters[p];
        want[0][p] = noise + s2;
        want[1][p] = noise + s2 + 0.04 * 0.04;
        want[2][p] = noise + 4 * s2;
        want[3][p] = noise;
    }
    make_emulator(PIXELS, scatter_of, 0, 0);
    check_moments("", want[0]);
    check_moments("sigma_floor = 0.04;", want[1]);
    check_moments("scatter = 2.0;", want[2]);
    check_moments("scatter = 0.0;", want[3]);
    make_emulator(PIXELS, NULL, 0, 0);
    check_moments("", want[3]);
}

/* The error bars that the continuum rule sees for a model spectrum are the survey's. */
static void test_inpainted(void)
{
    anpe_task *t;
    make_emulator(PIXELS, scatter_of, 0, 0);
    WORKS(make_task(ARRAY, "", ANPE_TASK_ALL, NULL, &t));
    float flux[PIXELS] = {1, 1, NAN, 1}, sigma[PIXELS] = {0.02f, 0.02f, 0.02f, 1e-5f};
    uint8_t mask[PIXELS] = {0};
    anpe_spectrum s = {PIXELS, flux, sigma, mask, ""};
    WORKS(anpe_task_reduce(t, ctx, &s));
    CU_ASSERT_EQUAL(mask[2], 1);
    CU_ASSERT_EQUAL(sigma[0], 0.02f); /* no scatter: not a bit of it is changed */
    CU_ASSERT_EQUAL(sigma[2], sigma[1]);
    /* a sigma far below the scatter is lost in rounding, but stays positive */
    CU_ASSERT_DOUBLE_EQUAL((double)sigma[3], 0.05, 1e-6);
    CU_ASSERT(anpe_task_snr(t, &s) > 0 && isfinite(anpe_task_snr(t, &s)));
    anpe_task_free(t);
}

/* On other pixels: what is seen through 200 times broader pixels of a slow ramp is the ramp. */
static void test_projection(void)
{
    anpe_task *t;
    make_emulator(FINE, ramp, 1, 0);
    WORKS(make_task("plugin = \"lamost_lrs\";", "", ANPE_TASK_SIMULATOR, NULL, &t));
    CU_ASSERT_FATAL(t->scatter != NULL);
    const anpe_instrument_info *inst = &t->instrument.info;
    for (int64_t p = 0; p < inst->n_pixels; p++) {
        const double want = 0.01 + 0.04 * log(inst->wavelength[p] / 3500) / log(9500. / 3500);
        /* R = 1800: over a sigma of 2.4e-4 in ln(lambda) the ramp of slope 0.04 rises by 1e-5; the
         * mean square differs from the middle's in second order, and by the stretch e^u */
        CU_ASSERT_DOUBLE_EQUAL((double)t->scatter[p] / want, 1, 1e-4);
        CU_ASSERT_DOUBLE_EQUAL((double)t->model_variance[p], want * want, 3e-4 * want * want);
    }
    t = anpe_task_free(t);
    make_emulator(FINE, ramp, 1, 1);
    FAILS(make_task("plugin = \"lamost_lrs\";", "", ANPE_TASK_SIMULATOR, NULL, &t), ANPE_ECONFIG,
          "simulator 'cannon' gives a scatter of absolute flux, instrument 'lamost_lrs' divides by "
          "a continuum: set observe.scatter = 0");
    WORKS(make_task("plugin = \"lamost_lrs\";", "scatter = 0.0;", ANPE_TASK_SIMULATOR, NULL, &t));
    CU_ASSERT_PTR_NULL(t->model_variance);
    anpe_task_free(t);
}

/* A model's own values stand before the simulator's, and need no simulator. */
static void test_of_model(void)
{
    float stored[PIXELS] = {0.1f, 0.2f, 0.3f, 0.4f};
    const anpe_pixel_sets with = {.n = PIXELS, .n_values = PIXELS, .scatter = stored};
    const anpe_pixel_sets without = {.n = PIXELS, .n_values = PIXELS};
    const anpe_pixel_sets wrong = {.n = PIXELS, .n_values = 3, .scatter = stored};
    anpe_task *t;
    make_emulator(PIXELS, scatter_of, 0, 0);
    for (unsigned parts = ANPE_TASK_INSTRUMENT; parts <= ANPE_TASK_SIMULATOR; parts++) {
        WORKS(make_task(ARRAY, "", parts, &with, &t));
        for (int p = 0; p < PIXELS; p++)
            CU_ASSERT_EQUAL(t->model_variance[p], (float)((double)stored[p] * (double)stored[p]));
        anpe_task_free(t);
        WORKS(make_task(ARRAY, "", parts, &without, &t));
        CU_ASSERT_PTR_NULL(t->model_variance);
        anpe_task_free(t);
    }
    FAILS(make_task(ARRAY, "", ANPE_TASK_SIMULATOR, &wrong, &t), ANPE_ECONFIG,
          "the model's scatter is for 3 values, instrument 'array' has 4");
}

/* ---- held-out spectra -------------------------------------------------------------------- */

enum { SPECTRA = 2000 };

/* labels in [-1.25, 1.25]: a fifth is outside. Pixel 0 is bad in all spectra but one. */
static void write_held_out(const char *path, const char *label, int64_t pixels)
{
    anpe_h5 *f;
    const int64_t flux_shape[2] = {SPECTRA, pixels}, theta_shape[2] = {SPECTRA, 1};
    float *flux = malloc((size_t)(SPECTRA * pixels) * sizeof *flux);
    double theta[SPECTRA];
    anpe_rng rng = anpe_rng_make(1, ANPE_FOR_MOCKS, 0, 0);
    for (int64_t k = 0; k < SPECTRA; k++) {
        const double a = theta[k] = 2.5 * anpe_uniform(&rng) - 1.25;
        for (int64_t p = 0; p < pixels; p++) {
            const double model =
                coefficient(0, p) + a * coefficient(1, p) + a * a * coefficient(2, p);
            flux[k * pixels + p] = (float)(model + scatters[p % PIXELS] * anpe_normal(&rng));
        }
        if (k)
            flux[k * pixels] = NAN;
    }
    theta[0] = 0;
    flux[0] = 1.5f; /* the model has 1 there */
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "theta", ANPE_H5_DOUBLE, 2, theta_shape, theta));
    WORKS(anpe_h5_put_texts(ctx, f, "theta", "labels", 1, &label));
    WORKS(anpe_h5_write(ctx, f, "flux", ANPE_H5_FLOAT, 2, flux_shape, flux));
    WORKS(anpe_h5_close(ctx, f));
    free(flux);
}

static anpe_status import_held_out(anpe_emulator *e)
{
    char file[4][512];
    static const char *const names[] = {"c.txt", "p.txt", "held \"out\".h5", "e.h5"};
    for (int i = 0; i < 4; i++)
        snprintf(file[i], sizeof file[i], "%s", in_scratch(names[i]));
    write_rows(file[0], 3, PIXELS, coefficient);
    write_rows(file[1], 1, 1, pivot);
    return anpe_import(ctx,
                       &(anpe_import_request){.model = "cannon",
                                              .file = file[0],
                                              .pivots = file[1],
                                              .held_out = file[2],
                                              .labels = "a_h",
                                              .range = "-1:1",
                                              .out = file[3]},
                       e);
}

static void test_held_out(void)
{
    anpe_emulator e;
    empty_scratch();
    write_held_out(in_scratch("held \"out\".h5"), "a_h", PIXELS);
    WORKS(import_held_out(&e));
    const anpe_emulator_array *s = anpe_emulator_find(&e, "scatter");
    CU_ASSERT_FATAL(s != NULL && s->shape[0] == PIXELS);
    CU_ASSERT_DOUBLE_EQUAL(s->v[0], 0.5, 1e-6);
    for (int p = 1; p < PIXELS; p++) /* of 1600 spectra, a fifth of 2000 being outside */
        CU_ASSERT_DOUBLE_EQUAL(s->v[p] / scatters[p], 1, 5 / sqrt(2 * 1600));
    anpe_emulator_clear(&e);
    CU_ASSERT_EQUAL(n_files(), 4); /* nothing temporary is left */

    write_held_out(in_scratch("held \"out\".h5"), "b_h", PIXELS);
    FAILS(import_held_out(&e), ANPE_EFORMAT,
          "spectrum 0 has no label 'a_h': held-out spectra need theta with the attribute labels");
    anpe_emulator_clear(&e);
    write_held_out(in_scratch("held \"out\".h5"), "a_h", 3);
    FAILS(import_held_out(&e), ANPE_EFORMAT, "spectra of 3 pixels, the instrument has 4");
    anpe_emulator_clear(&e);
}

/* ---- units ------------------------------------------------------------------------------- */

enum { MOCKS = 4 };
#define LAMOST "plugin = \"lamost_lrs\"; lambda_min = 4500.0; lambda_max = 5500.0;"

/* Reduced mocks of a simulator whose flux has this unit, one after the other. */
static void reduced_mocks(double flux_unit, const char *with, anpe_spectrum *s)
{
    anpe_task *t;
    anpe_bench *b;
    unit = flux_unit;
    with_noise = with;
    make_emulator(FINE, NULL, 1, 1);
    unit = 1;
    WORKS(make_task(LAMOST, "sigma_floor = 0.01;", ANPE_TASK_ALL, NULL, &t));
    WORKS(anpe_bench_new(ctx, t, 1, &b));
    for (int64_t k = 0; k < MOCKS; k++) {
        anpe_rng rng = anpe_rng_make(1, ANPE_FOR_MOCKS, k, ANPE_SLOT_NOISE);
        WORKS(anpe_task_draw_labels(t, ctx, b, 1, ANPE_FOR_MOCKS, k, 1));
        WORKS(anpe_task_simulate(t, ctx, b, 1));
        WORKS(anpe_task_mock(t, ctx, b, 0, &rng));
        WORKS(anpe_spectrum_new(ctx, b->spectrum.n_pixels, s + k));
        for (int64_t p = 0; p < b->spectrum.n_pixels; p++) {
            s[k].flux[p] = b->spectrum.flux[p];
            s[k].sigma[p] = b->spectrum.sigma[p];
            s[k].mask[p] = b->spectrum.mask[p];
        }
    }
    anpe_bench_free(b);
    anpe_task_free(t);
}

/* Noise in units of the continuum is the same noise whatever the unit of the flux, and so is the
 * model error; want: of 1/sigma without it, in the mean. */
static void check_unit(const char *with, double want)
{
    static const double units[] = {1, 1e5, 1e-12};
    anpe_spectrum s[3][MOCKS];
    for (int u = 0; u < 3; u++)
        reduced_mocks(units[u], with, s[u]);
    for (int k = 0; k < MOCKS; k++) {
        double sum = 0;
        int64_t good = 0, unlike = 0;
        for (int64_t p = 0; p < s[0][k].n_pixels; p++) {
            for (int u = 1; u < 3; u++)
                unlike += fabsf(s[u][k].flux[p] - s[0][k].flux[p]) > 1e-4f ||
                          fabsf(s[u][k].sigma[p] / s[0][k].sigma[p] - 1) > 1e-4f ||
                          s[u][k].mask[p] != s[0][k].mask[p];
            if (s[0][k].mask[p])
                continue;
            sum += 1 / sqrt(pow((double)s[0][k].sigma[p], 2) - 1e-4);
            good++;
        }
        CU_ASSERT_EQUAL(unlike, 0);
        /* the continuum of a noisy spectrum is known to a few per cent */
        CU_ASSERT_DOUBLE_EQUAL(sum / (double)good / want, 1, 0.1);
    }
    for (int u = 0; u < 3; u++)
        for (int k = 0; k < MOCKS; k++)
            anpe_spectrum_clear(&s[u][k]);
}

static void test_units(void)
{
    anpe_task *t = NULL;
    check_unit("plugin = \"lamost_lrs\"; snr_min = 20.0; snr_max = 20.0;", 20);
    check_unit("plugin = \"gaussian\"; snr = 50.0;", 50);
    with_noise = "plugin = \"gaussian\"; snr = 50.0;"; /* plain arrays have no continuum */
    make_emulator(PIXELS, NULL, 0, 1);
    FAILS(make_task(ARRAY, "", ANPE_TASK_ALL, NULL, &t), ANPE_ECONFIG,
          "noise model 'gaussian' gives errors in units of the continuum, the flux of simulator "
          "'cannon' is not normalised, and instrument 'array' has no continuum rule");
    make_emulator(PIXELS, NULL, 0, 0);
    WORKS(make_task(ARRAY, "", ANPE_TASK_ALL, NULL, &t));
    t = anpe_task_free(t);
    with_noise = "plugin = \"gaussian\"; sigma = 3.0;"; /* in the unit of the flux: as it is */
    make_emulator(PIXELS, NULL, 0, 1);
    WORKS(make_task(ARRAY, "", ANPE_TASK_ALL, NULL, &t));
    anpe_task_free(t);
}

/* ---- stored simulations ------------------------------------------------------------------ */

/* A row that is not finite is refused before the first step, by its number in the file; so is a
 * label, and one outside its prior. */
static void test_stored(void)
{
    enum { ROWS = 64, BAD = 37 };
    const int64_t shape[2] = {ROWS, PIXELS}, labels[2] = {ROWS, 1};
    const char *const name[1] = {"a_h"};
    float x[ROWS * PIXELS];
    double theta[ROWS];
    anpe_task *t;
    with_noise = "plugin = \"gaussian\"; sigma = 0.02;";
    make_emulator(PIXELS, NULL, 0, 0);
    WORKS(make_task(ARRAY, "", ANPE_TASK_ALL, NULL, &t));
    for (int k = 0; k < 8; k++) { /* in memory, then larger than what is kept there */
        const int bad = k % 4;
        static const char *const said[] = {
            NULL, "sims.h5: row 37 of 'x' holds a value that is not finite (nan)",
            "sims.h5: row 37 of 'theta': label 'a_h' is nan",
            "sims.h5: row 37 of 'theta': label 'a_h' is 7, outside its prior ["};
        anpe_h5 *f;
        anpe_dataset *d = NULL;
        for (int i = 0; i < ROWS * PIXELS; i++)
            x[i] = 1;
        for (int i = 0; i < ROWS; i++)
            theta[i] = 0.01 * i;
        if (bad == 1)
            x[BAD * PIXELS + 2] = NAN;
        if (bad == 2)
            theta[BAD] = NAN;
        if (bad == 3)
            theta[BAD] = 7;
        WORKS(anpe_h5_create(ctx, in_scratch("sims.h5"), &f));
        WORKS(anpe_h5_write(ctx, f, "theta", ANPE_H5_DOUBLE, 2, labels, theta));
        WORKS(anpe_h5_put_texts(ctx, f, "theta", "labels", 1, name));
        WORKS(anpe_h5_write(ctx, f, "x", ANPE_H5_FLOAT, 2, shape, x));
        WORKS(anpe_h5_close(ctx, f));
        char path[512];
        snprintf(path, sizeof path, "%s", in_scratch("sims.h5"));
        const anpe_dataset_setup setup = {1, 0, 8, 8, path, k < 4 ? 0 : 1, 0};
        if (bad == 0)
            WORKS(anpe_dataset_new(ctx, t, &setup, NULL, NULL, &d));
        else
            FAILS(anpe_dataset_new(ctx, t, &setup, NULL, NULL, &d),
                  bad == 3 ? ANPE_EINVAL : ANPE_EFORMAT, said[bad]);
        CU_ASSERT(bad || (k < 4) == (d->memory != NULL));
        anpe_dataset_free(d);
    }
    anpe_task_free(t);
}

/* ---- velocities -------------------------------------------------------------------------- */

/* The prior's velocities decide which pixels an emulator on the instrument's grid covers: in the
 * exclusion of the task, hence in mocks and in observed spectra; a model's own set stays. */
static void test_velocities(void)
{
    anpe_task *t, *again;
    anpe_text text = {0};
    int64_t excluded[2] = {0, 0};
    const char *path = in_scratch("grid.h5");
    enum { N = 7214 };
    double *c = calloc(3 * N, sizeof *c);
    CU_ASSERT_FATAL(c != NULL);
    for (int64_t i = 0; i < N; i++) {
        c[i] = 1;
        c[N + i] = 0.05 * (double)(i % 5);
    }
    char file[2][512];
    snprintf(file[0], sizeof file[0], "%s", in_scratch("gc.txt"));
    snprintf(file[1], sizeof file[1], "%s", in_scratch("gp.txt"));
    FILE *f = fopen(file[0], "w");
    for (int64_t i = 0; i < 3 * N; i++)
        fprintf(f, "%g%c", c[i], i % N == N - 1 ? '\n' : ' ');
    fclose(f);
    free(c);
    write_rows(file[1], 1, 1, pivot);
    anpe_emulator e;
    const anpe_import_request r = {.model = "cannon",
                                   .file = file[0],
                                   .pivots = file[1],
                                   .grid = "apogee",
                                   .labels = "a_h",
                                   .range = "-1:1",
                                   .out = path};
    WORKS(anpe_import(ctx, &r, &e));
    anpe_emulator_clear(&e);
    for (int wide = 0; wide < 2; wide++) {
        text = (anpe_text){0};
        anpe_text_add(&text,
                      "simulator = { plugin = \"cannon\"; file = \"%s\"; };"
                      "prior = ({ plugin = \"independent\"; labels = ("
                      "{ name = \"a_h\"; type = \"uniform\"; min = -1.0; max = 1.0; },"
                      "{ name = \"rv\"; type = \"uniform\"; min = %s; max = %s; }); });"
                      "instrument = { plugin = \"apogee\"; };",
                      path, wide ? "-300.0" : "-0.001", wide ? "300.0" : "0.001");
        anpe_settings_free(settings);
        settings = NULL;
        WORKS(anpe_settings_parse(ctx, text.text, "test", 0, NULL, &settings));
        anpe_text_free(&text);
        WORKS(anpe_task_new(ctx, settings, ANPE_TASK_SIMULATOR, NULL, &t));
        for (int64_t p = 0; p < N; p++)
            excluded[wide] += t->instrument.info.exclude[p];
        if (wide) { /* 300 km/s are 72.4 pixels of 6e-6 dex: 73 at 6 ends of segments */
            CU_ASSERT(t->exclude[72] && !t->exclude[73] && t->exclude[2919] && t->exclude[2920]);
            anpe_spectrum s;
            WORKS(anpe_spectrum_new(ctx, N, &s));
            for (int64_t p = 0; p < N; p++) {
                s.flux[p] = 1;
                s.sigma[p] = 0.01f;
            }
            WORKS(anpe_task_reduce(t, ctx, &s));
            CU_ASSERT(s.mask[0] && s.mask[72] && !s.mask[73]);
            const double rv[] = {-300, 300, 301, -320, NAN, 1e9}; /* 73 pixels, 73, 73, 78 ... */
            for (int k = 0; k < 6; k++) {
                double theta[2] = {0, 0};
                theta[t->rv] = rv[k];
                CU_ASSERT_EQUAL(anpe_task_covers(t, theta, s.mask), k < 3);
            }
            anpe_spectrum_clear(&s);
            uint8_t *none = calloc(N, 1);
            const anpe_pixel_sets given = {.n = N, .continuum = t->continuum, .exclude = none};
            WORKS(anpe_task_new(ctx, settings, ANPE_TASK_SIMULATOR, &given, &again));
            CU_ASSERT_EQUAL(again->exclude[0], 0);
            anpe_task_free(again);
            free(none);
        }
        anpe_task_free(t);
    }
    CU_ASSERT(excluded[0] == 6 && excluded[1] == 6 * 73);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"variances add up", test_moments},  {"bad pixels and small error bars", test_inpainted},
        {"projection", test_projection},     {"scatter of a model", test_of_model},
        {"held-out spectra", test_held_out}, {"units", test_units},
        {"velocities", test_velocities},     {"stored simulations", test_stored},
    };
    const int status = run_suite(argc, argv, "model error", COUNT(tests), tests);
    settings = anpe_settings_free(settings);
    return status;
}
