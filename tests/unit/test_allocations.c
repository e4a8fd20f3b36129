/* After set-up neither a training step nor an inference allocates: counted in small runs of what a
 * user runs, the embedded configurations of the two surveys. */
#include <config.h>
#include "base_support.h"
#include "allocation_count.h"
#include "stat/order.h"
#include "posterior/session.h"
#include "train/train.h"
#include <math.h>

enum { STEPS = 6, EPOCHS = 2, MOST = STEPS * EPOCHS };

/* The first one is the configuration's own. */
static const char *sets[] = {"",
                             "flow.hidden=16",
                             "flow.num_blocks=2",
                             "network.context=8",
                             "train.batch=16",
                             "train.steps=6",
                             "train.epochs=2",
                             "train.n_validation=16",
                             "train.max_minutes=0"};

/* Allocations so far at the end of each training step, and those that have not been given back. */
static long at_step[MOST], held[MOST];
static int n_steps;

static void note_step(void *user, const char *what, double done, double total)
{
    (void)user, (void)done, (void)total;
    if (!strcmp(what, "training") && n_steps < MOST) {
        held[n_steps] = n_allocations - n_releases;
        at_step[n_steps++] = n_allocations;
    }
}

static void *allocate_inside(void)
{
    return anpe_alloc(ctx, 100);
}

/* Without allocations of its own: those of oneDNN, a few small ones per call, must come back. */
static void train(const char *config, const char *model, int own)
{
    const char *root = getenv("ANPE_SRCDIR");
    char path[1024];
    anpe_settings *settings = NULL;
    anpe_train_result result;
    const anpe_train_request request = {.output = model, .threads = 2};
    snprintf(path, sizeof path, "%s/%s", root ? root : ".", config);
    WORKS(anpe_settings_read(ctx, path, (int)(sizeof sets / sizeof *sets), sets, &settings));
    n_steps = 0;
    anpe_ctx_set_progress(ctx, note_step, NULL);
    WORKS(anpe_train(ctx, settings, &request, &result));
    anpe_ctx_set_progress(ctx, NULL, NULL);
    anpe_settings_free(settings);
    CU_ASSERT_EQUAL_FATAL(n_steps, MOST);
    for (int i = 1; i < MOST; i++)
        if (i % STEPS) { /* between epochs a checkpoint is written */
            CU_ASSERT(!own || at_step[i] == at_step[i - 1]);
            CU_ASSERT_EQUAL(held[i], held[i - 1]);
        }
}

/* Posteriors of a flat spectrum, and chi2 of a draw. */
static void infer(const char *path)
{
    enum { DRAWS = 200 };
    const double *wavelength;
    const anpe_label *label;
    anpe_model *model;
    anpe_session *session;
    anpe_spectrum s;
    double chi2;
    int64_t n_good;
    WORKS(anpe_model_open(ctx, path, &model));
    const int64_t D = anpe_model_labels(model, &label), n = anpe_model_pixels(model, &wavelength);
    WORKS(anpe_session_new(ctx, model, DRAWS, &session));
    WORKS(anpe_spectrum_new(ctx, n, &s));
    double *theta = malloc((size_t)(DRAWS * (D + 1)) * sizeof *theta);
    CU_ASSERT_FATAL(theta != NULL);
    for (int64_t p = 0; p < n; p++) {
        s.flux[p] = 1 + 0.01f * (float)sin((double)p);
        s.sigma[p] = 0.01f;
        s.mask[p] = p % 50 == 0;
    }
    for (int i = 0; i < 3; i++) {
        const long before = n_allocations;
        WORKS(anpe_infer(session, ctx, DRAWS, theta, theta + DRAWS * D, s.flux, s.sigma, s.mask, 1,
                         i));
        WORKS(anpe_session_chi2(session, ctx, theta, &session->spectrum, &chi2, &n_good));
        anpe_sort(DRAWS, theta + DRAWS * D);
        CU_ASSERT(i == 0 || n_allocations == before);
        CU_ASSERT(n_good > 0);
    }
    free(theta);
    anpe_spectrum_clear(&s);
    anpe_session_free(session);
    anpe_model_close(model);
}

static void check(const char *config)
{
    char model[256];
    snprintf(model, sizeof model, "%s", in_scratch("model.h5"));
    train(config, model, 1);
    infer(model);
}

static void test_apogee(void)
{
    sets[0] = "featurizer.conv_max=8"; /* convolutions and GRU */
    check("tests/cli/small.cfg");
}

static void test_onednn(void)
{
#ifdef HAVE_ONEDNN
    sets[0] = "compute.backend=onednn";
    train("tests/cli/small.cfg", in_scratch("onednn.h5"), 0);
#endif
}

static void test_lamost(void)
{
    sets[0] = "featurizer.hidden=[8]";
    check("instruments/lamost_lrs/lines.cfg");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"APOGEE", test_apogee}, {"LAMOST", test_lamost}, {"oneDNN", test_onednn}};
    if (!allocations_are_counted(allocate_inside, anpe_free)) {
        printf("skip allocations: they cannot be counted here\n");
        return 77;
    }
    return run_suite(argc, argv, "allocations", COUNT(tests), tests);
}
