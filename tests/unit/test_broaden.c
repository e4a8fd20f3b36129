/* Rotation and macroturbulence: closed profiles, and the properties of an average over velocities.
 */
#include <config.h>
#include "base/random.h"
#include "base/settings.h"
#include "data_support.h"
#include "file/emulator.h"
#include "posterior/exact.h"
#include "spectrum/broaden.h"
#include "task/tangent.h"
#include "train/train.h"
#include <math.h>

enum { N = 2000 };
static const double STEP = 2; /* km/s */
static double wave[N];
static float in[N], out[N], other[N];
static void *room;
static anpe_broaden *b;

static void set_up(void)
{
    const double most[] = {300, 40};
    for (int i = 0; i < N; i++)
        wave[i] = 5000 * exp((double)i * STEP / ANPE_C_KMS);
    WORKS(anpe_broaden_new(ctx, N, wave, most, &b));
    room = malloc(anpe_broaden_scratch(b));
}

static void tear_down(void)
{
    free(room);
    b = anpe_broaden_free(b);
}

/* A Gaussian absorption line of this standard deviation, in steps. */
static void line(double centre, double width)
{
    for (int i = 0; i < N; i++)
        in[i] = (float)(1 - 0.8 * exp(-0.5 * pow(((double)i - centre) / width, 2)));
}

static void apply(double vsini, double vmacro, float *to)
{
    const double kms[] = {vsini, vmacro};
    anpe_broaden_apply(b, kms, NULL, in, to, room);
}

static double rotation(double x)
{
    const double e = 0.6, pi = acos(-1), u = 1 - x * x;
    return u > 0 ? (2 * (1 - e) * sqrt(u) + 0.5 * pi * e * u) / (pi * (1 - e / 3)) : 0;
}

static double macroturbulence(double x)
{
    const double pi = acos(-1);
    return (exp(-x * x) - sqrt(pi) * fabs(x) * erfc(fabs(x))) / (0.5 * sqrt(pi));
}

/* A line seen at each pixel through Gray's closed profile: the integral over the disc's velocities,
 * by midpoints of its own. */
static void compare(double (*profile)(double), double reach, double kms)
{
    const int n = 4000;
    for (int i = 900; i <= 1100; i++) {
        double sum = 0;
        for (int q = 0; q < n; q++) {
            const double x = reach * (2 * (q + 0.5) / n - 1);
            const double u = ((double)(i - 1000) - x * kms / STEP) / 3;
            sum += profile(x) * 0.8 * exp(-0.5 * u * u);
        }
        CU_ASSERT_DOUBLE_EQUAL(1 - (double)out[i], sum * 2 * reach / n, 1e-5);
    }
}

static void test_profiles(void)
{
    set_up();
    line(1000, 3);
    apply(100, 0, out);
    compare(rotation, 1, 100);
    apply(0, 20, out);
    compare(macroturbulence, 5, 20);
    apply(9.3, 0, out);
    compare(rotation, 1, 9.3);
    apply(0, 2.2, out);
    compare(macroturbulence, 5, 2.2);
    tear_down();
}

static double sum_of(const float *v)
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += 1 - (double)v[i];
    return sum;
}

static void test_properties(void)
{
    set_up();
    line(700.3, 3);
    apply(0, 0, out);
    CU_ASSERT(!memcmp(in, out, sizeof out)); /* no velocity changes no bit */
    for (int k = 0; k < 5; k++) {
        const double v[] = {0.3, 1, 7.7, 60, 300}, z[] = {0, 0.4, 3, 11, 40};
        line(700.3, 3);
        apply(v[k], z[k], out);
        /* sums of 700 floats near 1 in each of 2000 pixels */
        CU_ASSERT_DOUBLE_EQUAL(sum_of(out), sum_of(in), 2e-3);
        line(900.3, 3);
        apply(v[k], z[k], other); /* 200 steps on: the same, 200 steps on */
        float worst = 0;
        for (int i = 400; i < 1200; i++)
            worst = fmaxf(worst, fabsf(other[i + 200] - out[i]));
        CU_ASSERT(worst < 1e-5f);
        for (int i = 0; i < N; i++)
            in[i] = 1;
        apply(v[k], z[k], other);
        for (int i = 0; i < N; i++)
            CU_ASSERT_DOUBLE_EQUAL(other[i], 1, 1e-5); /* ends included */
    }
    tear_down();
}

/* K is linear and symmetric: <y, K x> = <K y, x>, away from the ends. */
static void test_linear(void)
{
    anpe_rng rng = {.key = {3, 4}};
    static float x[N], y[N], kx[N], ky[N], sum[N];
    const double kms[] = {83, 9};
    double left = 0, right = 0;
    set_up();
    for (int i = 400; i < N - 400; i++) {
        x[i] = (float)anpe_normal(&rng);
        y[i] = (float)anpe_normal(&rng);
        sum[i] = 2 * x[i] - y[i];
    }
    anpe_broaden_apply(b, kms, NULL, x, kx, room);
    anpe_broaden_apply(b, kms, NULL, y, ky, room);
    anpe_broaden_apply(b, kms, NULL, sum, out, room);
    for (int i = 0; i < N; i++) {
        left += (double)y[i] * (double)kx[i];
        right += (double)ky[i] * (double)x[i];
        CU_ASSERT_DOUBLE_EQUAL(out[i], 2 * kx[i] - ky[i], 1e-5);
    }
    CU_ASSERT_DOUBLE_EQUAL(left, right, 1e-3);
    CU_ASSERT(fabs(left) > 0.1);
    tear_down();
}

static void test_slopes(void)
{
    set_up();
    line(1000, 4);
    for (int k = 0; k < ANPE_N_BROADENINGS; k++) {
        const anpe_broadening which = (anpe_broadening)k;
        double kms[] = {31.4, 6.2}, largest = 0;
        const double h = 0.05;
        static float low[N], high[N];
        anpe_broaden_apply(b, kms, &which, in, out, room);
        kms[k] += h;
        anpe_broaden_apply(b, kms, NULL, in, high, room);
        kms[k] -= 2 * h;
        anpe_broaden_apply(b, kms, NULL, in, low, room);
        for (int i = 0; i < N; i++) {
            const double slope = ((double)high[i] - (double)low[i]) / (2 * h);
            /* rounding of two floats near 1 over 0.1, and the third derivative */
            CU_ASSERT_DOUBLE_EQUAL(out[i], slope, 2e-5);
            largest = fmax(largest, fabs(slope));
        }
        CU_ASSERT(largest > 1e-3);
    }
    tear_down();
}

static void test_refuses(void)
{
    const double most[] = {300, 40};
    anpe_broaden *none = NULL;
    for (int i = 0; i < N; i++)
        wave[i] = 5000 + 0.1 * i;
    CU_ASSERT(!anpe_broaden_takes(N, wave));
    FAILS(anpe_broaden_new(ctx, N, wave, most, &none), ANPE_EINVAL, "uniform in ln(wavelength)");
    CU_ASSERT_PTR_NULL(none);
}

/* ---- as labels --------------------------------------------------------------------------- */

enum { GRID = 4000, LABELS = 4 };
static const char *const prior_text =
    "prior: ({ plugin = \"independent\"; labels: ("
    "{ name = \"%s\"; type = \"uniform\"; min = 0.5; max = 1.5; },"
    "{ name = \"rv\"; type = \"uniform\"; min = -20.0; max = 20.0; },"
    "{ name = \"vsini\"; type = \"uniform\"; min = 0.0; max = 40.0; },"
    "{ name = \"vmacro\"; type = \"uniform\"; min = 0.0; max = 15.0; }); });";

/* Flux 1 less lines of depths proportional to one label, on a grid even in ln(wavelength). */
static void write_emulator(const char *label)
{
    const int64_t n = GRID;
    anpe_emulator e = {.kind = "cannon", .output = "linear", .normalised = 1, .n_labels = 1};
    double *coefficients = calloc(2 * GRID, sizeof *coefficients), *scale = malloc(sizeof *scale);
    double *exponents = calloc(2, sizeof *exponents), *pivot = calloc(1, sizeof *pivot);
    double *wavelength = malloc(GRID * sizeof *wavelength);
    e.resolution = INFINITY;
    e.n_pixels = GRID;
    e.labels = calloc(1, sizeof *e.labels);
    snprintf(e.labels[0].name, sizeof e.labels[0].name, "%s", label);
    e.labels[0].max = 2;
    exponents[1] = *scale = 1;
    for (int p = 0; p < GRID; p++) {
        const double x = (double)p * 2 / ANPE_C_KMS; /* 2 km/s a step */
        wavelength[p] = 5000 * exp(x);
        coefficients[p] = 1;
        for (int k = 0; k < 30; k++)
            coefficients[GRID + p] -=
                (0.2 + 0.1 * (k % 4)) *
                exp(-0.5 * pow((x * ANPE_C_KMS - 270 * k - 40 * (k % 3)) / 4, 2));
    }
    CU_ASSERT_EQUAL(anpe_emulator_add(ctx, &e, "coefficients", 2, (int64_t[]){2, n}, coefficients),
                    0);
    CU_ASSERT_EQUAL(anpe_emulator_add(ctx, &e, "exponents", 2, (int64_t[]){2, 1}, exponents), 0);
    CU_ASSERT_EQUAL(anpe_emulator_add(ctx, &e, "pivots", 1, (int64_t[]){1}, pivot), 0);
    CU_ASSERT_EQUAL(anpe_emulator_add(ctx, &e, "scales", 1, (int64_t[]){1}, scale), 0);
    CU_ASSERT_EQUAL(anpe_emulator_add(ctx, &e, "wavelength", 1, &n, wavelength), 0);
    CU_ASSERT_EQUAL(anpe_emulator_write(ctx, &e, in_scratch("stars.h5")), ANPE_OK);
    anpe_emulator_clear(&e);
}

static anpe_settings *configure(const char *label)
{
    char text[2048];
    anpe_settings *settings = NULL;
    int n = snprintf(
        text, sizeof text,
        "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
        "instrument: { plugin = \"spectrum\"; windows = [ 5005.0, 5125.0 ]; "
        "resolution = 30000.0; medium = \"vacuum\"; rule = \"none\"; };"
        "noise: { plugin = \"gaussian\"; sigma = 0.01; }; observe: { max_rv = 30.0; };"
        "featurizer: { plugin = \"mlp\"; hidden = [ 8 ]; };"
        "network: { context = 8; }; flow: { plugin = \"maf\"; num_blocks = 2; hidden = 8; };"
        "train: { batch = 16; steps = 2; epochs = 1; n_validation = 16; };",
        in_scratch("stars.h5"));
    snprintf(text + n, sizeof text - (size_t)n, prior_text, label);
    CU_ASSERT_EQUAL_FATAL(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings), ANPE_OK);
    return settings;
}

/* Derivatives of the model spectrum that reach the likelihood, against central differences of the
 * simulation: float rounds the flux to 6e-8, divided by 2 h. */
static void test_tangent(void)
{
    static const double theta[LABELS] = {1.1, -7, 14, 6}, step[LABELS] = {0.02, 0.05, 0.1, 0.1};
    anpe_task *t = NULL;
    anpe_bench *work = NULL;
    anpe_tangent *g = NULL;
    write_emulator("depth");
    anpe_settings *settings = configure("depth");
    CU_ASSERT_EQUAL_FATAL(anpe_task_new(ctx, settings, ANPE_TASK_ALL, NULL, &t), ANPE_OK);
    WORKS(anpe_bench_new(ctx, t, 2, &work));
    WORKS(anpe_tangent_new(ctx, t, &g));
    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
    CU_ASSERT_EQUAL_FATAL(t->prior->n_labels, LABELS);
    WORKS(anpe_tangent_run(g, ctx, theta, work->scratch));
    const int64_t n = anpe_task_size(t);
    for (int d = 0; d < LABELS; d++) {
        double off = 0, most = 0;
        for (int side = 0; side < 2; side++) {
            memcpy(work->theta + side * LABELS, theta, sizeof theta);
            work->theta[side * LABELS + d] += side ? step[d] : -step[d];
        }
        WORKS(anpe_task_simulate(t, ctx, work, 2));
        for (int64_t p = 0; p < n; p++) {
            const double want = (double)(work->flux[n + p] - work->flux[p]) / (2 * step[d]);
            off = fmax(off, fabs(want - (double)g->flux[g->row[d] * n + p]));
            most = fmax(most, fabs(want));
        }
        CU_ASSERT(most > 1e-4);
        CU_ASSERT(off < 0.01 * most);
    }
    anpe_tangent_free(g);
    anpe_bench_free(work);
    anpe_task_free(t);
    anpe_settings_free(settings);
}

/* Many at once, of one star and of as many stars, are those that are made one by one, to the bit.
 */
static void test_many(void)
{
    enum { MANY = 11 }; /* a tile, and some */
    anpe_task *t = NULL;
    anpe_bench *work = NULL;
    write_emulator("depth");
    anpe_settings *settings = configure("depth");
    CU_ASSERT_EQUAL_FATAL(anpe_task_new(ctx, settings, ANPE_TASK_ALL, NULL, &t), ANPE_OK);
    WORKS(anpe_bench_new(ctx, t, MANY, &work));
    WORKS(anpe_task_draw_labels(t, ctx, work, 5, ANPE_FOR_MOCKS, 0, MANY));
    WORKS(anpe_task_simulate(t, ctx, work, MANY));
    const int64_t raw = t->sim.n_pixels, size = anpe_task_size(t);
    float *one, *all;
    CU_ASSERT_EQUAL_FATAL(ANPE_NEW(ctx, one, size) || ANPE_NEW(ctx, all, MANY, size), 0);
    for (int k = 0; k < MANY; k++) {
        anpe_task_project(t, 1, work->theta + k * LABELS, 1, NULL, work->sim_flux + k * raw, one,
                          work->scratch);
        CU_ASSERT(!memcmp(one, work->flux + k * size, (size_t)size * sizeof *one));
    }
    anpe_task_project(t, MANY, work->theta + LABELS, 1, NULL, work->sim_flux, all, work->scratch);
    for (int k = 0; k < MANY; k++) {
        anpe_task_project(t, 1, work->theta + LABELS, 1, NULL, work->sim_flux + k * raw, one,
                          work->scratch);
        CU_ASSERT(!memcmp(one, all + k * size, (size_t)size * sizeof *one));
    }
    CU_ASSERT(memcmp(all, work->flux, (size_t)size * sizeof *all)); /* another star's velocities */
    free(one);
    free(all);
    anpe_bench_free(work);
    anpe_task_free(t);
    anpe_settings_free(settings);
}

/* An exact posterior of a star that turns, from a network that has learned nothing: it is reached,
 * and holds the truth. */
static void test_exact(void)
{
    static const double truth[LABELS] = {1.05, 3, 18, 5};
    anpe_settings *settings = configure("depth");
    anpe_train_result trained;
    anpe_model *model = NULL;
    anpe_session *session = NULL;
    anpe_exact *exact = NULL;
    anpe_bench *work = NULL;
    anpe_exact_result r;
    const anpe_train_request request = {.output = in_scratch("turning.h5"), .threads = 1};
    const anpe_exact_options options = anpe_ladder_defaults();
    CU_ASSERT_EQUAL_FATAL(anpe_train(ctx, settings, &request, &trained), ANPE_OK);
    anpe_settings_free(settings);
    CU_ASSERT_EQUAL_FATAL(anpe_model_open(ctx, in_scratch("turning.h5"), &model), ANPE_OK);
    WORKS(anpe_session_new(ctx, model, 1000, &session));
    WORKS(anpe_exact_new(ctx, model, &options, &exact));
    WORKS(anpe_bench_new(ctx, model->task, 1, &work));
    memcpy(work->theta, truth, sizeof truth);
    WORKS(anpe_task_simulate(model->task, ctx, work, 1));
    anpe_rng rng = anpe_rng_make(9, ANPE_FOR_MOCKS, 0, 0);
    anpe_spectrum *star = &work->spectrum;
    for (int64_t p = 0; p < star->n_pixels; p++) {
        star->flux[p] = work->flux[p] + (float)(0.01 * anpe_normal(&rng));
        star->sigma[p] = 0.01f;
        star->mask[p] = 0;
    }
    WORKS(anpe_task_reduce(model->task, ctx, star));
    WORKS(anpe_session_look(session, ctx, 0, star));
    anpe_session_featurize(session, 1);
    WORKS(anpe_exact_run(exact, ctx, session, 0, star, 1, 0, &r));
    CU_ASSERT_EQUAL(r.ladder.exact, 1);
    for (int d = 0; d < LABELS; d++) {
        double mean, sd;
        anpe_weighted_moments(r.n, r.theta + d, LABELS, r.log_weight, &mean, &sd);
        CU_ASSERT(fabs(mean - truth[d]) < 4 * sd);
        CU_ASSERT(sd < (d == 0 ? 0.1 : d == 1 ? 0.5 : 4)); /* the prior's are 0.3, 12, 12, 4.3 */
    }
    anpe_bench_free(work);
    anpe_exact_free(exact);
    anpe_session_free(session);
    anpe_model_close(model);
}

/* A simulator that knows vsini itself keeps it: the core has no second one. */
static void test_own_label(void)
{
    anpe_task *t = NULL;
    write_emulator("vsini");
    anpe_settings *settings = configure("vsini");
    CU_ASSERT_EQUAL(anpe_task_new(ctx, settings, ANPE_TASK_ALL, NULL, &t), ANPE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), "vsini"));
    anpe_task_free(t);
    anpe_settings_free(settings);
}

/* Two runs of one step: each as if it were a grid of its own. */
static void test_gap(void)
{
    enum { FIRST = 1200, REST = N - FIRST };
    const double most[] = {50, 20}, kms[] = {20, 5};
    static double gapped[N];
    static float left[N], right[N];
    anpe_broaden *both = NULL, *half = NULL;
    for (int i = 0; i < N; i++)
        gapped[i] = 5000 * exp((double)(i < FIRST ? i : i + 700) * STEP / ANPE_C_KMS);
    line(FIRST - 3, 4);
    WORKS(anpe_broaden_new(ctx, N, gapped, most, &both));
    void *space = malloc(anpe_broaden_scratch(both));
    anpe_broaden_apply(both, kms, NULL, in, out, space);
    WORKS(anpe_broaden_new(ctx, FIRST, gapped, most, &half));
    anpe_broaden_apply(half, kms, NULL, in, left, space);
    half = anpe_broaden_free(half);
    WORKS(anpe_broaden_new(ctx, REST, gapped + FIRST, most, &half));
    anpe_broaden_apply(half, kms, NULL, in + FIRST, right, space);
    for (int i = 0; i < N; i++) /* steps are those of the runs, known to rounding */
        CU_ASSERT_DOUBLE_EQUAL(out[i], i < FIRST ? left[i] : right[i - FIRST], 1e-6);
    anpe_broaden_free(half);
    anpe_broaden_free(both);
    free(space);
    CU_ASSERT(anpe_broaden_takes(N, gapped));
    gapped[N - 1] *= 1 + 0.3 * STEP / ANPE_C_KMS; /* not uniform behind the gap */
    CU_ASSERT(!anpe_broaden_takes(N, gapped));
    for (int i = FIRST; i < N; i++) /* uniform there, in another step */
        gapped[i] = 5100 * exp((double)(i - FIRST) * 1.1 * STEP / ANPE_C_KMS);
    CU_ASSERT(!anpe_broaden_takes(N, gapped));
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {{"closed profiles", test_profiles},
                                 {"properties", test_properties},
                                 {"linear and symmetric", test_linear},
                                 {"slopes", test_slopes},
                                 {"refuses", test_refuses},
                                 {"a grid with a gap", test_gap},
                                 {"derivatives of the labels", test_tangent},
                                 {"many at once", test_many},
                                 {"an exact posterior", test_exact},
                                 {"a simulator's own label", test_own_label}};
    return run_suite(argc, argv, "broadening", COUNT(tests), tests);
}
