/* Segments that are missing at random: observe.drop. */
#include <config.h>
#include "data_support.h"
#include "base/settings.h"
#include "task/task.h"
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

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"how often segments are missing", test_rates},
                                        {"none without the option", test_none},
                                        {"an instrument of one segment", test_one_segment}};
    return run_suite(argc, argv, "missing segments", COUNT(tests), tests);
}
