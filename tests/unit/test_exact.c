/* Stars made exact, against a posterior that is known: 10 labels with independent normal priors,
 * data linear in them, Gaussian noise, and a flow that was trained for seconds. Also the flow's
 * density at given labels, models that cannot be made exact, and that a star allocates nothing. */
#include <config.h>
#include "base_support.h"
#include "allocation_count.h"
#include "base/random.h"
#include "cannon_support.h"
#include "posterior/exact.h"
#include "posterior/flow_density.h"
#include "train/train.h"
#include <math.h>

enum { D = 10, P = 30 };
static const double sigma = 0.1, tau = 0.7; /* of the noise; of the prior */
static double slope[P][D];                  /* x_p = 1 + sum_d slope theta */

static void write_emulator(const char *path)
{
    double *coefficients = calloc((D + 1) * P, sizeof *coefficients);
    double *exponents = calloc((D + 1) * D, sizeof *exponents);
    anpe_rng rng = anpe_rng_make(5, ANPE_FOR_MOCKS, 0, 0);
    for (int d = 0; d < D; d++)
        exponents[(d + 1) * D + d] = 1;
    for (int p = 0; p < P; p++) {
        coefficients[p] = 1;
        for (int d = 0; d < D; d++)
            coefficients[(d + 1) * P + p] = slope[p][d] = 0.08 * anpe_normal(&rng);
    }
    write_cannon(path, D, P, D + 1, exponents, coefficients);
}

/* infer: labels.infer, or "" for all. */
static void train(const char *model, const char *infer, int steps)
{
    char text[4096];
    int n =
        snprintf(text, sizeof text,
                 "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
                 "instrument: { plugin = \"array\"; shape = [ %d ]; };"
                 "noise: { plugin = \"gaussian\"; sigma = %g; };"
                 "network: { context = 32; }; featurizer: { plugin = \"mlp\"; hidden = [ 32 ]; };"
                 "flow: { plugin = \"maf\"; num_blocks = 3; hidden = 32; };"
                 "train: { batch = 64; steps = %d; epochs = 2; rate = 0.003; n_validation = 64; };"
                 "labels: { infer = [ %s ]; };"
                 "prior: ({ plugin = \"independent\"; labels: (",
                 in_scratch("linear.h5"), P, sigma, steps, infer);
    for (int d = 0; d < D; d++)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "%s{ name = \"l%d\"; type = \"normal\"; mean = 0.0; sd = %g; }", d ? "," : "",
                      d, tau);
    snprintf(text + n, sizeof text - (size_t)n, "); });");
    anpe_settings *settings = NULL;
    anpe_train_result result;
    const anpe_train_request request = {.output = model, .threads = 2};
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings));
    WORKS(anpe_train(ctx, settings, &request, &result));
    anpe_settings_free(settings);
}

/* ---- the closed form --------------------------------------------------------------------- */

typedef struct closed_form {
    double mean[D], covariance[D][D], log_evidence;
} closed_form;

/* A (D, D) -> its inverse by Gauss-Jordan without pivoting (A is positive definite); returns its
 * log determinant. */
static double invert(double a[D][D], double inverse[D][D])
{
    double log_det = 0;
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++)
            inverse[i][j] = i == j;
    for (int i = 0; i < D; i++) {
        const double pivot = a[i][i];
        log_det += log(pivot);
        for (int j = 0; j < D; j++) {
            a[i][j] /= pivot;
            inverse[i][j] /= pivot;
        }
        for (int k = 0; k < D; k++) {
            const double f = a[k][i];
            for (int j = 0; j < D && k != i; j++) {
                a[k][j] -= f * a[i][j];
                inverse[k][j] -= f * inverse[i][j];
            }
        }
    }
    return log_det;
}

/* Precision tau^-2 + S^T S / sigma^2, and the evidence by the determinant lemma. */
static closed_form solve(const float *x)
{
    closed_form c = {.log_evidence = 0};
    double precision[D][D] = {{0}}, b[D] = {0}, square = 0;
    for (int p = 0; p < P; p++) {
        const double r = ((double)x[p] - 1) / sigma;
        square += r * r;
        for (int i = 0; i < D; i++) {
            b[i] += r * slope[p][i] / sigma;
            for (int j = 0; j < D; j++)
                precision[i][j] += slope[p][i] * slope[p][j] / (sigma * sigma);
        }
    }
    for (int i = 0; i < D; i++)
        precision[i][i] += 1 / (tau * tau);
    c.log_evidence = -0.5 * invert(precision, c.covariance) - D * log(tau) - P * log(sigma) -
                     0.5 * P * log(2 * M_PI) - 0.5 * square;
    for (int i = 0; i < D; i++) {
        for (int j = 0; j < D; j++)
            c.mean[i] += c.covariance[i][j] * b[j];
        c.log_evidence += 0.5 * b[i] * c.mean[i];
    }
    return c;
}

/* ---- a model and its stars --------------------------------------------------------------- */

static anpe_model *model;
static anpe_session *session;
static anpe_exact *exact;
static anpe_spectrum star;

static void open_model(const char *path, const anpe_exact_options *options)
{
    WORKS(anpe_model_open(ctx, path, &model));
    WORKS(anpe_session_new(ctx, model, 1000, &session));
    WORKS(anpe_exact_new(ctx, model, options, &exact));
    WORKS(anpe_spectrum_new(ctx, P, &star));
}

static void close_model(void)
{
    exact = anpe_exact_free(exact);
    session = anpe_session_free(session);
    model = anpe_model_close(model);
    anpe_spectrum_clear(&star);
}

static void observe(int64_t index)
{
    anpe_rng rng = anpe_rng_make(6, ANPE_FOR_MOCKS, index, 0);
    double theta[D];
    for (int d = 0; d < D; d++)
        theta[d] = tau * anpe_normal(&rng);
    for (int p = 0; p < P; p++) {
        double x = 1 + sigma * anpe_normal(&rng);
        for (int d = 0; d < D; d++)
            x += slope[p][d] * theta[d];
        star.flux[p] = (float)x;
        star.sigma[p] = (float)sigma;
        star.mask[p] = 0;
    }
    WORKS(anpe_session_look(session, ctx, 0, &star));
    anpe_session_featurize(session, 1);
}

/* Deviations in units of what the effective size leaves; their mean square is to be about 1. */
static double compare(const anpe_exact_result *r, const closed_form *c)
{
    double mean[D] = {0}, sum = 0;
    for (int64_t k = 0; k < r->n; k++)
        for (int d = 0; d < D; d++)
            mean[d] += exp(r->log_weight[k]) * r->theta[k * D + d];
    for (int i = 0; i < D; i++)
        for (int j = 0; j <= i; j++) {
            const double vi = c->covariance[i][i], vj = c->covariance[j][j],
                         vij = c->covariance[i][j];
            double v = 0;
            for (int64_t k = 0; k < r->n; k++)
                v += exp(r->log_weight[k]) * (r->theta[k * D + i] - c->mean[i]) *
                     (r->theta[k * D + j] - c->mean[j]);
            const double z = (v - vij) * sqrt(r->ladder.ess / (vi * vj + vij * vij));
            CU_ASSERT(fabs(z) < 6);
            sum += z * z / (D * (D + 3) / 2);
        }
    for (int i = 0; i < D; i++) {
        const double z = (mean[i] - c->mean[i]) * sqrt(r->ladder.ess / c->covariance[i][i]);
        CU_ASSERT(fabs(z) < 5);
        sum += z * z / (D * (D + 3) / 2);
    }
    return sum;
}

static void test_linear_gaussian(void)
{
    const anpe_exact_options options = anpe_ladder_defaults();
    const char *wanted = getenv("EXACT_STARS"); /* more than 20 is a study */
    const int stars = wanted ? atoi(wanted) : 20;
    double square = 0, z2 = 0, largest = 0;
    open_model(in_scratch("model.h5"), &options);
    for (int64_t i = 0; i < stars; i++) {
        anpe_exact_result r;
        observe(i);
        const long before = n_allocations;
        WORKS(anpe_exact_run(exact, ctx, session, 0, &star, 1, i, &r));
        CU_ASSERT_EQUAL(n_allocations, before);
        const closed_form c = solve(star.flux);
        CU_ASSERT(r.ladder.exact && r.ladder.ess >= 500);
        square += compare(&r, &c) / stars;
        const double z = (r.ladder.log_evidence - c.log_evidence) / r.ladder.log_evidence_err;
        largest = fmax(largest, fabs(z));
        z2 += z * z / stars;
    }
    close_model();
    CU_ASSERT(square > 0.6 && square < 1.6);
    printf(
        "\n  log evidence of %d stars, deviations in units of the error: rms %.2f, largest %.2f\n",
        stars, sqrt(z2), largest);
    CU_ASSERT(largest < 3);
    CU_ASSERT(z2 > 0.3 && z2 < 2.3); /* 99.9 % of chi2 with 20 degrees of freedom, over 20 */
}

/* A flow that has learned nothing: the posterior is 1e-4 of the volume that it covers. Newton steps
 * lead there from anywhere. */
static void test_untrained(void)
{
    const anpe_exact_options options = anpe_ladder_defaults();
    anpe_exact_result r;
    open_model(in_scratch("untrained.h5"), &options);
    observe(100);
    WORKS(anpe_exact_run(exact, ctx, session, 0, &star, 1, 0, &r));
    const closed_form c = solve(star.flux);
    CU_ASSERT(r.ladder.exact && r.ladder.rung == ANPE_RUNG_NEWTON);
    CU_ASSERT(r.ladder.n_evaluations < 2000);
    CU_ASSERT(compare(&r, &c) < 2);
    CU_ASSERT(fabs(r.ladder.log_evidence - c.log_evidence) < 4 * r.ladder.log_evidence_err);
    close_model();
}

/* The density at draws is the one that came with them, up to float: a network of 3 blocks sums some
 * 30 terms of size 1. */
static void test_flow_density(void)
{
    enum { N = 200 };
    static double theta[N * D], log_q[N], y[N * D], again[N];
    const anpe_exact_options options = anpe_ladder_defaults();
    anpe_flow_density *density;
    anpe_rng rng = anpe_rng_make(7, ANPE_FOR_EXACT, 0, 0);
    open_model(in_scratch("model.h5"), &options);
    observe(3);
    WORKS(anpe_session_draw(session, ctx, 0, N, &rng, theta, log_q));
    for (int i = 0; i < N * D; i++)
        y[i] = (double)session->y[i];
    WORKS(anpe_flow_density_new(ctx, model->net, D, 64, &density));
    anpe_flow_density_eval(density, anpe_executor_tensor(session->executor, model->net->features),
                           N, y, again);
    for (int k = 0; k < N; k++)
        CU_ASSERT_DOUBLE_EQUAL(again[k], (double)session->log_q[k], 1e-4);
    y[0] += 5;
    anpe_flow_density_eval(density, anpe_executor_tensor(session->executor, model->net->features),
                           1, y, again);
    CU_ASSERT(again[0] < (double)session->log_q[0] - 1);
    CU_ASSERT_PTR_NULL(anpe_flow_density_free(density));
    close_model();
}

static void test_unsupported(void)
{
    const anpe_exact_options options = anpe_ladder_defaults();
    train(in_scratch("subset.h5"), "\"l0\", \"l3\"", 2);
    WORKS(anpe_model_open(ctx, in_scratch("subset.h5"), &model));
    SAYS(anpe_exact_new(ctx, model, &options, &exact), ANPE_EUNSUPPORTED,
         "no likelihood: labels.infer leaves 8 of the prior's 10 labels open");
    CU_ASSERT_PTR_NULL(exact);
    model->can_simulate = 0;
    SAYS(anpe_exact_new(ctx, model, &options, &exact), ANPE_EUNSUPPORTED,
         "a posterior cannot be made exact without the model's simulator");
    model = anpe_model_close(model);
}

static void *allocate_inside(void)
{
    return anpe_alloc(ctx, 100);
}

static void test_set_up(void)
{
    if (!allocations_are_counted(allocate_inside, anpe_free)) /* then none is seen below either */
        printf(" allocations are not counted here ");
    write_emulator(in_scratch("linear.h5"));
    train(in_scratch("model.h5"), "", 150);
    train(in_scratch("untrained.h5"), "", 2);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"set-up", test_set_up},
        {"a linear model with Gaussian noise", test_linear_gaussian},
        {"an untrained flow", test_untrained},
        {"the flow's density", test_flow_density},
        {"models that cannot be made exact", test_unsupported},
    };
    return run_suite(argc, argv, "exact", COUNT(tests), tests);
}
