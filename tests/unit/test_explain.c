/* Gradients of posterior means with respect to the observed flux, against differences of the
 * posterior mean with the same random numbers, for small trained models. */
#include <config.h>
#include "base_support.h"
#include "posterior/explain.h"
#include "prepare/simulate.h"
#include "train/train.h"
#include <math.h>

enum { DRAWS = 2000, D = 7 };

typedef struct fixture {
    anpe_model *model;
    anpe_session *session;
    anpe_explainer *explainer;
    anpe_spectrum observed; /* reduced */
    int64_t n;              /* pixels */
    double *theta;          /* (DRAWS, D) */
    float *gradient;        /* (D, n) */
    double error[D];
} fixture;

static void train(const char *path, const char *given, const char *flow)
{
    const char *const sets[] = {test_is_short() ? "train.steps=1" : "train.steps=40",
                                "train.epochs=2", "train.rate=0.005", flow};
    const char *root = getenv("ANPE_SRCDIR");
    char config[1024];
    anpe_settings *settings = NULL;
    anpe_train_result trained;
    const anpe_train_request request = {.output = path, .threads = 2};
    if (given)
        snprintf(config, sizeof config, "%s", given);
    else
        snprintf(config, sizeof config, "%s/tests/cli/small.cfg", root ? root : ".");
    WORKS(anpe_settings_read(ctx, config, 4, sets, &settings));
    WORKS(anpe_train(ctx, settings, &request, &trained));
    anpe_settings_free(settings);
}

/* As small.cfg, but the network sees coefficients of a reduced basis. */
static void write_basis_config(const char *path)
{
    FILE *f = fopen(path, "w");
    CU_ASSERT_FATAL(f != NULL);
    fputs("simulator = { plugin = \"lines\"; };\n"
          "prior = ({ plugin = \"independent\"; labels = (\n"
          "{ name = \"teff\"; type = \"uniform\"; min = 4000.0; max = 6500.0; },\n"
          "{ name = \"logg\"; type = \"uniform\"; min = 0.5; max = 5.0; },\n"
          "{ name = \"fe_h\"; type = \"uniform\"; min = -1.5; max = 0.5; },\n"
          "{ name = \"mg_fe\"; type = \"uniform\"; min = -0.2; max = 0.5; },\n"
          "{ name = \"vmicro\"; type = \"uniform\"; min = 0.5; max = 3.0; },\n"
          "{ name = \"vmacro\"; type = \"uniform\"; min = 1.0; max = 15.0; },\n"
          "{ name = \"rv\"; type = \"uniform\"; min = -5.0; max = 5.0; }); });\n"
          "instrument = { plugin = \"apogee\"; };\n"
          "noise = { plugin = \"apogee\"; snr_min = 25.0; snr_max = 600.0; };\n"
          "observe = { basis = 12; };\n"
          "network = { context = 8; };\n"
          "featurizer = { plugin = \"mlp\"; hidden = [ 16 ]; };\n"
          "flow = { plugin = \"maf\"; num_blocks = 2; hidden = 16; };\n"
          "train = { batch = 16; n_validation = 16; };\n",
          f);
    fclose(f);
}

/* A spectrum with lines and bad pixels, some of them at its beginning. */
static void observe(fixture *f)
{
    anpe_spectrum *s = &f->observed;
    WORKS(anpe_spectrum_new(ctx, f->n, s));
    for (int64_t p = 0; p < f->n; p++) {
        s->flux[p] = 1 - 0.2f * (float)pow(sin(0.37 * (double)p), 8);
        s->sigma[p] = 0.01f;
        s->mask[p] = p < 5 || p % 40 == 7 || p % 40 == 8;
    }
    WORKS(anpe_task_reduce(f->model->task, ctx, s));
}

static void featurize(fixture *f)
{
    WORKS(anpe_session_look(f->session, ctx, 0, &f->observed));
    anpe_session_featurize(f->session, 1);
}

static void open_fixture(fixture *f, const char *config, const char *flow)
{
    const char *path = in_scratch("model.h5");
    train(path, config, flow);
    WORKS(anpe_model_open(ctx, path, &f->model));
    WORKS(anpe_session_new(ctx, f->model, DRAWS, &f->session));
    WORKS(anpe_explainer_new(ctx, f->model, DRAWS, &f->explainer));
    f->n = anpe_task_size(f->model->task);
    f->theta = calloc(DRAWS * D, sizeof *f->theta);
    f->gradient = calloc((size_t)(D * f->n), sizeof *f->gradient);
    CU_ASSERT_FATAL(f->theta && f->gradient);
    observe(f);
    featurize(f);
    WORKS(anpe_explainer_run(f->explainer, ctx, f->session, 0, &f->observed, DRAWS, 1, 0,
                             f->gradient, f->error));
}

static void close_fixture(fixture *f)
{
    free(f->theta), free(f->gradient);
    anpe_spectrum_clear(&f->observed);
    anpe_explainer_free(f->explainer);
    anpe_session_free(f->session);
    anpe_model_close(f->model);
}

/* Draws with the random numbers of (1, 0), flux + step * direction in the good pixels. */
static void draw_at(fixture *f, double step, const double *direction, double *theta)
{
    anpe_spectrum *s = &f->observed;
    float *kept = malloc((size_t)f->n * sizeof *kept);
    anpe_rng rng = anpe_rng_make(1, ANPE_FOR_POSTERIOR, 0, 0);
    CU_ASSERT_FATAL(kept != NULL);
    memcpy(kept, s->flux, (size_t)f->n * sizeof *kept);
    for (int64_t p = 0; p < f->n; p++)
        s->flux[p] += (float)(step * direction[p]);
    anpe_spectrum_inpaint(1, s);
    featurize(f);
    WORKS(anpe_session_draw(f->session, ctx, 0, DRAWS, &rng, theta, NULL));
    memcpy(s->flux, kept, (size_t)f->n * sizeof *kept);
    free(kept);
}

static double deviation(const double *v)
{
    double sum = 0, square = 0;
    for (int k = 0; k < DRAWS; k++)
        sum += v[k] / DRAWS;
    for (int k = 0; k < DRAWS; k++)
        square += (v[k] - sum) * (v[k] - sum) / DRAWS;
    return sqrt(square);
}

/* Along its own direction the gradient's length is the slope of the posterior mean. The slope is
 * the mean of the draws' slopes, each by a central difference, and so known to 5 times its standard
 * error; the gradient to the length of its error; `unseen` is what the draws may lack. The step
 * moves the mean by 1e-3 sd, less than the network's kinks are apart (ten times more changes the
 * slope by 5 %). 1: the bound is less than `most` of the length; else this says not much. */
static int check_direction(fixture *f, int d, double unseen, double most)
{
    const float *g = f->gradient + d * f->n;
    double *direction = calloc((size_t)f->n, sizeof *direction),
           *slope = calloc(DRAWS, sizeof *slope);
    double *up = calloc(DRAWS * D, sizeof *up), square = 0, mean = 0;
    CU_ASSERT_FATAL(direction && slope && up);
    for (int64_t p = 0; p < f->n; p++) {
        square += (double)g[p] * (double)g[p];
        CU_ASSERT(!f->observed.mask[p] || g[p] == 0);
    }
    const double length = sqrt(square);
    for (int64_t p = 0; p < f->n; p++)
        direction[p] = (double)g[p] / length;
    draw_at(f, 0, direction, up);
    for (int k = 0; k < DRAWS; k++)
        slope[k] = up[k * D + d];
    const double h = 1e-3 * deviation(slope) / length;
    draw_at(f, h, direction, up);
    draw_at(f, -h, direction, f->theta);
    for (int k = 0; k < DRAWS; k++) {
        slope[k] = (up[k * D + d] - f->theta[k * D + d]) / (2 * h);
        mean += slope[k] / DRAWS;
    }
    const double bound =
        5 * deviation(slope) / sqrt(DRAWS) + f->error[d] * sqrt((double)f->n) + unseen * length;
    CU_ASSERT(fabs(mean - length) < bound || test_is_short());
    free(direction), free(slope), free(up);
    return bound < most * length;
}

/* The scatter over independent draws is as large as the error that is stated. */
static void check_stated_error(fixture *f)
{
    enum { SEEDS = 12, FEW = 500 };
    const int64_t size = D * f->n;
    double *sum = calloc((size_t)size, sizeof *sum), *square = calloc((size_t)size, sizeof *square);
    double stated[D] = {0};
    CU_ASSERT_FATAL(sum && square);
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        WORKS(anpe_explainer_run(f->explainer, ctx, f->session, 0, &f->observed, FEW, seed, 0,
                                 f->gradient, f->error));
        for (int64_t k = 0; k < size; k++) {
            sum[k] += (double)f->gradient[k] / SEEDS;
            square[k] += (double)f->gradient[k] * (double)f->gradient[k] / SEEDS;
        }
        for (int d = 0; d < D; d++)
            stated[d] += f->error[d] * f->error[d] / SEEDS;
    }
    for (int d = 0; d < D; d++) {
        double variance = 0;
        int64_t good = 0;
        for (int64_t p = 0; p < f->n; p++)
            if (!f->observed.mask[p]) {
                const double m = sum[d * f->n + p];
                variance += (square[d * f->n + p] - m * m) * SEEDS / (SEEDS - 1);
                good++;
            }
        const double ratio = sqrt(variance / (double)good / stated[d]);
        /* both are sums over a few directions of the context only: known to about 30 % */
        CU_ASSERT(ratio > 0.5 && ratio < 2);
    }
    free(sum), free(square);
}

static void test_against_differences(void)
{
    fixture f = {0};
    open_fixture(&f, NULL, "flow.n_mog=1");
    for (int d = 0; d < D; d++)
        CU_ASSERT(check_direction(&f, d, 2e-3, 0.3) || test_is_short());
    close_fixture(&f);
}

/* A draw may jump from one component of a mixture to another as the context moves: then most
 * draws' slopes lack what the few that jump have, or would have if there were more draws. */
static void test_mixture(void)
{
    fixture f = {0};
    open_fixture(&f, NULL, "flow.n_mog=3");
    int sharp = 0; /* how many draws jump is the trained network's, which rounding changes */
    for (int d = 0; d < D; d++)
        sharp += check_direction(&f, d, 0.12, 0.8);
    CU_ASSERT(sharp >= 2 || test_is_short());
    if (!test_is_short())
        check_stated_error(&f);
    close_fixture(&f);
}

static void test_basis(void)
{
    const char *config = in_scratch("basis.cfg");
    fixture f = {0};
    write_basis_config(config);
    open_fixture(&f, config, "flow.n_mog=1");
    for (int d = 0; d < D; d++)
        CU_ASSERT(check_direction(&f, d, 2e-3, 0.3) || test_is_short());
    close_fixture(&f);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"against differences", test_against_differences},
        {"reduced basis", test_basis},
        {"mixture, and the error that is stated", test_mixture},
    };
    return run_suite(argc, argv, "explain", COUNT(tests), tests);
}
