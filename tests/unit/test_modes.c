/* Two exact solutions: x_p = 1 + a_p l0^2 + b_p l1, with a prior that is not symmetric in l0, so
 * that the masses of the two modes are known (one integral by hand, one by quadrature) and are not
 * equal. A network that was trained for seconds knows both; the exact posterior must keep both,
 * with the right weights. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "cannon_support.h"
#include "posterior/exact.h"
#include "train/train.h"
#include <math.h>

enum { D = 2, P = 30 };
static const double sigma = 0.1, tau = 0.7,
                    centre = 0.25; /* of the noise; priors' sd, mean of l0 */
static double a[P], b[P];

static anpe_model *model;
static anpe_session *session;
static anpe_exact *exact;
static anpe_spectrum star;

static void write_emulator(const char *path)
{
    double *coefficients = calloc(3 * P, sizeof *coefficients);
    double *exponents = calloc(3 * D, sizeof *exponents);
    anpe_rng rng = anpe_rng_make(8, ANPE_FOR_MOCKS, 0, 0);
    exponents[1 * D + 0] = 2;
    exponents[2 * D + 1] = 1;
    for (int p = 0; p < P; p++) {
        coefficients[p] = 1;
        coefficients[P + p] = a[p] = 0.15 * anpe_normal(&rng);
        coefficients[2 * P + p] = b[p] = 0.08 * anpe_normal(&rng);
    }
    write_cannon(path, D, P, 3, exponents, coefficients);
}

static void test_set_up(void)
{
    char text[2048];
    const anpe_train_request request = {.output = in_scratch("model.h5"), .threads = 2};
    anpe_settings *settings = NULL;
    anpe_train_result result;
    write_emulator(in_scratch("square.h5"));
    snprintf(text, sizeof text,
             "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
             "instrument: { plugin = \"array\"; shape = [ %d ]; };"
             "noise: { plugin = \"gaussian\"; sigma = %g; };"
             "network: { context = 16; }; featurizer: { plugin = \"mlp\"; hidden = [ 32 ]; };"
             "flow: { plugin = \"maf\"; num_blocks = 2; hidden = 32; n_mog = 4; };"
             "train: { batch = 64; steps = 200; epochs = 4; rate = 0.005; n_validation = 64; };"
             "prior: ({ plugin = \"independent\"; labels: ("
             "{ name = \"l0\"; type = \"normal\"; mean = %g; sd = %g; },"
             "{ name = \"l1\"; type = \"normal\"; mean = 0.0; sd = %g; }); });",
             in_scratch("square.h5"), P, sigma, centre, tau, tau);
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings));
    WORKS(anpe_train(ctx, settings, &request, &result));
    anpe_settings_free(settings);
}

static void observe(double l0, double l1, int64_t index)
{
    anpe_rng rng = anpe_rng_make(9, ANPE_FOR_MOCKS, index, 0);
    for (int p = 0; p < P; p++) {
        star.flux[p] = (float)(1 + a[p] * l0 * l0 + b[p] * l1 + sigma * anpe_normal(&rng));
        star.sigma[p] = (float)sigma;
        star.mask[p] = 0;
    }
    WORKS(anpe_session_look(session, ctx, 0, &star));
    anpe_session_featurize(session, 1);
}

/* Log of the joint density of the data and l0, l1 integrated: data have the covariance
 * sigma^2 + tau^2 b b^T then. */
static double log_joint(double l0)
{
    double square = 0, along = 0, bb = 0;
    for (int p = 0; p < P; p++) {
        const double r = (double)star.flux[p] - 1 - a[p] * l0 * l0;
        square += r * r / (sigma * sigma);
        along += r * b[p] / (sigma * sigma);
        bb += b[p] * b[p] / (sigma * sigma);
    }
    const double z = (l0 - centre) / tau, grown = 1 + tau * tau * bb;
    return -0.5 * (square - tau * tau * along * along / grown + log(grown) + z * z) -
           P * log(sigma) - 0.5 * (P + 1) * log(2 * M_PI) - log(tau);
}

/* Mass of l0 > 0, and the log evidence. */
static double quadrature(double *log_evidence)
{
    enum { STEPS = 40000 };
    const double h = 8.0 / STEPS;
    double positive = -INFINITY, negative = -INFINITY;
    for (int i = 0; i < STEPS / 2; i++) {
        positive = anpe_log_add(positive, log_joint((i + 0.5) * h) + log(h));
        negative = anpe_log_add(negative, log_joint(-(i + 0.5) * h) + log(h));
    }
    *log_evidence = anpe_log_add(positive, negative);
    return exp(positive - *log_evidence);
}

static double mass_above(int64_t n, const double *theta, const double *log_weight)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++)
        sum += theta[k * D] > 0 ? (log_weight ? exp(log_weight[k]) : 1 / (double)n) : 0;
    return sum;
}

/* 5000 effective draws know a mass of a quarter to 2.4 %. */
static void test_two_solutions(void)
{
    enum { STARS = 10, N = 256 };
    const anpe_exact_options options = {5000, 100000, ANPE_RUNG_MCMC};
    static double theta[N * D];
    WORKS(anpe_model_open(ctx, in_scratch("model.h5"), &model));
    WORKS(anpe_session_new_batch(ctx, model, 1, N, &session));
    WORKS(anpe_exact_new(ctx, model, &options, &exact));
    WORKS(anpe_spectrum_new(ctx, P, &star));
    for (int64_t i = 0; i < STARS; i++) {
        const double l0 = 0.6 + 0.5 * (double)i / STARS;
        double log_evidence;
        anpe_exact_result r;
        anpe_rng rng = anpe_rng_make(10, ANPE_FOR_MOCKS, i, 0);
        observe(i % 2 ? -l0 : l0, 0.3, i);
        const double known = quadrature(&log_evidence);
        CU_ASSERT(known > 0.5 && known < 0.85);
        WORKS(anpe_session_draw(session, ctx, 0, N, &rng, theta, NULL));
        const double learned = mass_above(N, theta, NULL);
        CU_ASSERT(learned > 0.1 && learned < 0.98); /* the network knows both */
        WORKS(anpe_exact_run(exact, ctx, session, 0, &star, 1, i, &r));
        const double found = mass_above(r.n, r.theta, r.log_weight);
        CU_ASSERT(r.ladder.exact);
        CU_ASSERT_DOUBLE_EQUAL((1 - found) / (1 - known), 1, 0.1);
        CU_ASSERT_DOUBLE_EQUAL(found / known, 1, 0.1);
        CU_ASSERT_DOUBLE_EQUAL(r.ladder.log_evidence, log_evidence, 4 * r.ladder.log_evidence_err);
        printf("\n  %s, %lld evaluations: mass above 0 %.3f, known %.3f, the network's %.3f",
               anpe_rung_names[r.ladder.rung], (long long)r.ladder.n_evaluations, found, known,
               learned);
    }
    printf("\n");
    exact = anpe_exact_free(exact);
    session = anpe_session_free(session);
    model = anpe_model_close(model);
    anpe_spectrum_clear(&star);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"set-up", test_set_up},
        {"two exact solutions", test_two_solutions},
    };
    return run_suite(argc, argv, "modes", COUNT(tests), tests);
}
