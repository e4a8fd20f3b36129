/* Segments that are missing at random: observe.drop. */
#include <config.h>
#include "data_support.h"
#include "base/random.h"
#include "base/settings.h"
#include "file/emulator.h"
#include "posterior/session.h"
#include "task/task.h"
#include "train/train.h"
#include <math.h>

#define PRIOR                                                                                      \
    "prior = ({ plugin = \"independent\"; labels = ("                                              \
    "{ name = \"teff\"; type = \"uniform\"; min = 5000.0; max = 6000.0; },"                        \
    "{ name = \"logg\"; type = \"uniform\"; min = 4.0; max = 4.5; },"                              \
    "{ name = \"fe_h\"; type = \"uniform\"; min = -0.5; max = 0.5; },"                             \
    "{ name = \"mg_fe\"; type = \"uniform\"; min = 0.0; max = 0.2; },"                             \
    "{ name = \"vmicro\"; type = \"uniform\"; min = 1.0; max = 1.5; },"                            \
    "{ name = \"vmacro\"; type = \"uniform\"; min = 2.0; max = 4.0; }); });"                       \
    "simulator = { plugin = \"lines\"; }; noise = { plugin = \"gaussian\"; sigma = 0.01; };"
#define THREE                                                                                      \
    "instrument = { plugin = \"spectrum\"; windows = [ 5160.0, 5180.0, 5200.0, 5220.0, 6100.0, "   \
    "6120.0 ]; resolution = 20000.0; medium = \"vacuum\"; };"

static anpe_status new_task(const char *text, anpe_settings **settings, anpe_task **t)
{
    const anpe_status status = anpe_settings_parse(ctx, text, "test", 0, NULL, settings);
    return status ? status : anpe_task_new(ctx, *settings, ANPE_TASK_ALL, NULL, t);
}

/* How many of the segments are wholly bad. */
static int missing(const anpe_task *t, const anpe_spectrum *s, int gone[3])
{
    const anpe_instrument_info *i = &t->instrument.info;
    int n = 0;
    for (int k = 0; k < 3; k++) {
        gone[k] = 1;
        for (int64_t p = i->segment[k]; p < i->segment[k + 1]; p++)
            gone[k] &= s->mask[p];
        n += gone[k];
    }
    return n;
}

/* Mock j of the task with noise of its own; labels are those of the first draw for all. */
static void observe(const anpe_task *t, anpe_bench *b, int64_t j)
{
    anpe_rng rng = anpe_rng_make(7, ANPE_FOR_TRAINING, j, ANPE_SLOT_NOISE);
    CU_ASSERT_EQUAL_FATAL(anpe_task_mock(t, ctx, b, 0, &rng), ANPE_OK);
}

static anpe_bench *bench_of(const anpe_task *t)
{
    anpe_bench *b = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_bench_new(ctx, t, 1, &b), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_task_draw_labels(t, ctx, b, 1, ANPE_FOR_TRAINING, 0, 1), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_task_simulate(t, ctx, b, 1), ANPE_OK);
    return b;
}

/* Of 4000 mocks: each segment is missing with probability p (1 - p^2 / 3), the loss being that one
 * of three stays when all would go; within 5 standard deviations. */
static void test_rates(void)
{
    enum { N = 4000 };
    const double p = 0.5, expected = p - p * p * p / 3;
    anpe_settings *settings = NULL;
    anpe_task *t = NULL;
    CU_ASSERT_EQUAL_FATAL(new_task(PRIOR THREE "observe = { drop = 0.5; };", &settings, &t),
                          ANPE_OK);
    anpe_bench *b = bench_of(t);
    int count[3] = {0}, all = 0, gone[3];
    for (int64_t j = 0; j < N; j++) {
        observe(t, b, j);
        all += missing(t, &b->spectrum, gone) == 3;
        for (int k = 0; k < 3; k++)
            count[k] += gone[k];
    }
    CU_ASSERT_EQUAL(all, 0);
    for (int k = 0; k < 3; k++)
        CU_ASSERT_DOUBLE_EQUAL(count[k], N * expected, 5 * sqrt(N * expected * (1 - expected)));
    anpe_bench_free(b);
    anpe_task_free(t);
    anpe_settings_free(settings);
}

/* Without it nothing is drawn: mocks are to the bit what they are without the option. */
static void test_none(void)
{
    static const char *const text[] = {PRIOR THREE, PRIOR THREE "observe = { drop = 0.0; };"};
    float *first = NULL;
    int gone[3];
    for (int k = 0; k < 2; k++) {
        anpe_settings *settings = NULL;
        anpe_task *t = NULL;
        CU_ASSERT_EQUAL_FATAL(new_task(text[k], &settings, &t), ANPE_OK);
        anpe_bench *b = bench_of(t);
        const size_t bytes = (size_t)anpe_task_size(t) * sizeof *first;
        observe(t, b, 3);
        CU_ASSERT_EQUAL(missing(t, &b->spectrum, gone), 0);
        if (k == 0 && (first = malloc(bytes)))
            memcpy(first, b->spectrum.flux, bytes);
        CU_ASSERT(first && !memcmp(first, b->spectrum.flux, bytes));
        anpe_bench_free(b);
        anpe_task_free(t);
        anpe_settings_free(settings);
    }
    free(first);
}

static void test_one_segment(void)
{
    anpe_settings *settings = NULL;
    anpe_task *t = NULL;
    CU_ASSERT_EQUAL(new_task(PRIOR
                             "instrument = { plugin = \"spectrum\"; windows = [ 5160.0, 5180.0 ]; "
                             "resolution = 30000.0; };\nobserve = { drop = 0.5; };",
                             &settings, &t),
                    ANPE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        anpe_error(ctx), "test:2: instrument 'spectrum' has one segment, which cannot be missing"));
    anpe_settings_free(settings);
}

/* ---- one model for stars with and without an arm ----------------------------------------- */

enum { D = 2, MOST_PIXELS = 400, STARS = 40, DRAWS = 1000 };
static const double noise = 0.3, tau = 0.7; /* of the data; of the prior */
static double slope[MOST_PIXELS][D];        /* x_p = 1 + sum_d slope theta */
static int64_t arm[3];                      /* first pixels of the two arms, and their end */
#define ARMS                                                                                       \
    "instrument = { plugin = \"spectrum\"; windows = [ 5000.0, 5006.0, 6000.0, 6006.0 ]; "         \
    "resolution = 22500.0; medium = \"vacuum\"; rule = \"none\"; };"

/* A simulator that is linear in its labels, on the instrument's pixels. */
static void write_emulator(void)
{
    anpe_settings *settings = NULL;
    anpe_instrument inst;
    CU_ASSERT_EQUAL_FATAL(anpe_settings_parse(ctx, ARMS, "test", 0, NULL, &settings), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_instrument_new(ctx, settings, &inst), ANPE_OK);
    const int64_t n = inst.info.n_pixels;
    CU_ASSERT_FATAL(inst.info.n_segments == 2 && n <= MOST_PIXELS);
    memcpy(arm, inst.info.segment, sizeof arm);
    anpe_emulator e = {.kind = "cannon",
                       .output = "linear",
                       .normalised = 1,
                       .on_grid = "spectrum",
                       .resolution = 22500,
                       .n_labels = D,
                       .n_pixels = n};
    double *coefficients = calloc((size_t)((D + 1) * n), sizeof *coefficients);
    double *exponents = calloc((D + 1) * D, sizeof *exponents), *pivot = calloc(D, sizeof *pivot);
    double *scale = calloc(D, sizeof *scale), *wavelength = calloc((size_t)n, sizeof *wavelength);
    anpe_rng rng = anpe_rng_make(5, ANPE_FOR_MOCKS, 0, 0);
    e.labels = calloc(D, sizeof *e.labels);
    for (int d = 0; d < D; d++) {
        snprintf(e.labels[d].name, sizeof e.labels[d].name, "l%d", d);
        e.labels[d].min = -INFINITY;
        e.labels[d].max = INFINITY;
        scale[d] = 1;
        exponents[(d + 1) * D + d] = 1;
    }
    for (int64_t p = 0; p < n; p++) {
        coefficients[p] = 1;
        wavelength[p] = inst.info.wavelength[p];
        for (int d = 0; d < D; d++)
            coefficients[(d + 1) * n + p] = slope[p][d] = 0.05 * anpe_normal(&rng);
    }
    CU_ASSERT_EQUAL(
        anpe_emulator_add(ctx, &e, "coefficients", 2, (int64_t[]){D + 1, n}, coefficients), 0);
    CU_ASSERT_EQUAL(anpe_emulator_add(ctx, &e, "exponents", 2, (int64_t[]){D + 1, D}, exponents),
                    0);
    CU_ASSERT_EQUAL(anpe_emulator_add(ctx, &e, "pivots", 1, (int64_t[]){D}, pivot), 0);
    CU_ASSERT_EQUAL(anpe_emulator_add(ctx, &e, "scales", 1, (int64_t[]){D}, scale), 0);
    CU_ASSERT_EQUAL(anpe_emulator_add(ctx, &e, "wavelength", 1, &n, wavelength), 0);
    CU_ASSERT_EQUAL(anpe_emulator_write(ctx, &e, in_scratch("linear.h5")), ANPE_OK);
    anpe_emulator_clear(&e);
    anpe_instrument_clear(&inst);
    anpe_settings_free(settings);
}

static anpe_status train_arms(const char *more, int steps)
{
    char text[2048];
    snprintf(text, sizeof text,
             ARMS
             "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
             "noise: { plugin = \"gaussian\"; sigma = %g; };"
             "featurizer: { plugin = \"mlp\"; hidden = [ 32 ]; };"
             "flow: { plugin = \"maf\"; num_blocks = 2; hidden = 16; };"
             "train: { batch = 128; steps = %d; epochs = 3; rate = 0.003; n_validation = 64; };"
             "prior: ({ plugin = \"independent\"; labels: ("
             "{ name = \"l0\"; type = \"normal\"; mean = 0.0; sd = %g; },"
             "{ name = \"l1\"; type = \"normal\"; mean = 0.0; sd = %g; }); }); %s",
             in_scratch("linear.h5"), noise, steps, tau, tau, more);
    anpe_settings *settings = NULL;
    anpe_train_result result;
    const anpe_train_request request = {.output = in_scratch("arms.h5"), .threads = 1};
    anpe_status status = anpe_settings_parse(ctx, text, "test", 0, NULL, &settings);
    if (!status)
        status = anpe_train(ctx, settings, &request, &result);
    anpe_settings_free(settings);
    return status;
}

/* The posterior of the pixels that are not missing, in closed form: the prior counts once. */
static void solve(const float *x, const uint8_t *mask, double *mean, double *sd)
{
    double a[D][D] = {{1 / (tau * tau), 0}, {0, 1 / (tau * tau)}}, b[D] = {0};
    for (int64_t p = 0; p < arm[2]; p++)
        for (int i = 0; i < D && !mask[p]; i++) {
            b[i] += ((double)x[p] - 1) * slope[p][i] / (noise * noise);
            for (int j = 0; j < D; j++)
                a[i][j] += slope[p][i] * slope[p][j] / (noise * noise);
        }
    const double det = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    mean[0] = (a[1][1] * b[0] - a[0][1] * b[1]) / det;
    mean[1] = (a[0][0] * b[1] - a[1][0] * b[0]) / det;
    sd[0] = sqrt(a[1][1] / det);
    sd[1] = sqrt(a[0][0] / det);
}

static void draw_star(int star, float *x, float *sigma)
{
    anpe_rng rng = anpe_rng_make(6, ANPE_FOR_MOCKS, star, 0);
    const double theta[D] = {tau * anpe_normal(&rng), tau * anpe_normal(&rng)};
    for (int64_t p = 0; p < arm[2]; p++) {
        x[p] = (float)(1 + noise * anpe_normal(&rng) + slope[p][0] * theta[0] +
                       slope[p][1] * theta[1]);
        sigma[p] = (float)noise;
    }
}

/* Stars without the arm `gone` (2: none): rms of (mean - closed form) / sd, mean of sd / closed
 * form's, and the mean sd. */
static void compare(anpe_session *session, int gone, double *off, double *width, double *sd)
{
    static float x[MOST_PIXELS], sigma[MOST_PIXELS];
    static uint8_t mask[MOST_PIXELS];
    static double theta[DRAWS * D];
    *off = *width = *sd = 0;
    for (int star = 0; star < STARS; star++) {
        double mean[D], want[D];
        draw_star(star, x, sigma);
        for (int64_t p = 0; p < arm[2]; p++)
            mask[p] = gone < 2 && p >= arm[gone] && p < arm[gone + 1];
        solve(x, mask, mean, want);
        CU_ASSERT_EQUAL_FATAL(anpe_infer(session, ctx, DRAWS, theta, NULL, x, sigma, mask, 1, star),
                              ANPE_OK);
        for (int d = 0; d < D; d++) {
            double sum = 0, square = 0;
            for (int k = 0; k < DRAWS; k++)
                sum += theta[k * D + d] / DRAWS;
            for (int k = 0; k < DRAWS; k++)
                square += pow(theta[k * D + d] - sum, 2) / DRAWS;
            *off += pow((sum - mean[d]) / want[d], 2) / (STARS * D);
            *width += sqrt(square) / want[d] / (STARS * D);
            *sd += sqrt(square) / (STARS * D);
        }
    }
    *off = sqrt(*off);
}

/* A featurizer for each arm, trained with arms that are missing at random: the answer without an
 * arm is the posterior of the other, wider than that of both by what the closed form says. A
 * network of seconds is off by some per cent. */
static void test_arms(void)
{
    anpe_model *model = NULL;
    anpe_session *session = NULL;
    double off[3], width[3], sd[3];
    write_emulator();
    CU_ASSERT_EQUAL_FATAL(train_arms("network: { arms = true; context = 8; };"
                                     "observe: { drop = 0.4; };",
                                     400),
                          ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_model_open(ctx, in_scratch("arms.h5"), &model), ANPE_OK);
    CU_ASSERT_EQUAL(model->net->n_context, 16);
    CU_ASSERT_EQUAL(model->net->n_arms, 1);
    CU_ASSERT_EQUAL_FATAL(anpe_session_new(ctx, model, DRAWS, &session), ANPE_OK);
    for (int gone = 0; gone < 3; gone++) {
        compare(session, gone, &off[gone], &width[gone], &sd[gone]);
        printf("\n  %s: off %.3f sd, width %.3f", gone == 2 ? "both arms" : "one arm", off[gone],
               width[gone]);
        CU_ASSERT(off[gone] < 0.4 && fabs(width[gone] - 1) < 0.12);
    }
    printf("\n");
    CU_ASSERT(sd[0] > 1.1 * sd[2] && sd[1] > 1.1 * sd[2]);
    anpe_session_free(session);
    anpe_model_close(model);
}

static void test_arms_refused(void)
{
    CU_ASSERT_EQUAL(train_arms("network: { arms = true; }; observe: { basis = 4; };", 2),
                    ANPE_ECONFIG);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(anpe_error(ctx), "needs an instrument of several segments whose pixels"));
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"how often segments are missing", test_rates},
                                        {"none without the option", test_none},
                                        {"an instrument of one segment", test_one_segment},
                                        {"a featurizer for each arm", test_arms},
                                        {"arms that cannot be", test_arms_refused}};
    return run_suite(argc, argv, "missing segments", COUNT(tests), tests);
}
