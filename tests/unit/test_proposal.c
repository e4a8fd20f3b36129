/* Labels for later rounds of training: two labels with uniform priors that four linear pixels know
 * to about 0.2 of the box, and a flow that was trained for a second. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "file/emulator.h"
#include "posterior/flow_density.h"
#include "train/proposal.h"
#include "train/train.h"
#include <math.h>

enum { D = 2, P = 4, N = 20000 };
static const double slope[D][P] = {{0.3, 0.1, 0, 0.2}, {0.1, 0.3, 0.2, 0}};
static double theta[N * D], log_q[N], flat[N * D];

static void write_emulator(const char *path)
{
    anpe_emulator e = {.kind = "cannon", .output = "linear", .normalised = 1};
    double *coefficients = calloc((D + 1) * P, sizeof *coefficients); /* the emulator takes them */
    double *exponents = calloc((D + 1) * D, sizeof *exponents);
    double *pivot = calloc(D, sizeof *pivot), *scale = calloc(D, sizeof *scale);
    e.n_labels = D;
    e.n_pixels = P;
    e.resolution = 22500;
    e.labels = calloc(D, sizeof *e.labels);
    for (int d = 0; d < D; d++) {
        snprintf(e.labels[d].name, sizeof e.labels[d].name, "l%d", d);
        e.labels[d].min = -1;
        e.labels[d].max = 1;
        scale[d] = 1;
        exponents[(d + 1) * D + d] = 1;
        for (int p = 0; p < P; p++)
            coefficients[(d + 1) * P + p] = slope[d][p];
    }
    for (int p = 0; p < P; p++)
        coefficients[p] = 1;
    WORKS(anpe_emulator_add(ctx, &e, "coefficients", 2, (int64_t[]){D + 1, P}, coefficients));
    WORKS(anpe_emulator_add(ctx, &e, "exponents", 2, (int64_t[]){D + 1, D}, exponents));
    WORKS(anpe_emulator_add(ctx, &e, "pivots", 1, (int64_t[]){D}, pivot));
    WORKS(anpe_emulator_add(ctx, &e, "scales", 1, (int64_t[]){D}, scale));
    WORKS(anpe_emulator_write(ctx, &e, path));
    anpe_emulator_clear(&e);
}

static void train(const char *path, const char *infer)
{
    char text[2048];
    anpe_settings *settings = NULL;
    anpe_train_result result;
    const anpe_train_request request = {.output = path, .threads = 1};
    snprintf(text, sizeof text,
             "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
             "instrument: { plugin = \"array\"; shape = [ %d ]; };"
             "noise: { plugin = \"gaussian\"; sigma = 0.05; };"
             "network: { context = 16; }; featurizer: { plugin = \"mlp\"; hidden = [ 32 ]; };"
             "flow: { plugin = \"maf\"; num_blocks = 3; hidden = 16; };"
             "train: { batch = 64; steps = 100; epochs = 2; rate = 0.003; n_validation = 64; };"
             "labels: { infer = [ %s ]; };"
             "prior: ({ plugin = \"independent\"; labels: ("
             "{ name = \"l0\"; type = \"uniform\"; min = -1.0; max = 1.0; },"
             "{ name = \"l1\"; type = \"uniform\"; min = -1.0; max = 1.0; } ); });",
             in_scratch("linear.h5"), P, infer);
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings));
    WORKS(anpe_train(ctx, settings, &request, &result));
    anpe_settings_free(settings);
}

static anpe_model *model;
static anpe_session *session;

/* The model, with the noise-free spectrum of labels (0.2, -0.3) featurized. */
static void open_model(const char *name)
{
    float flux[P], sigma[P];
    double one[D];
    for (int p = 0; p < P; p++) {
        flux[p] = (float)(1 + 0.2 * slope[0][p] - 0.3 * slope[1][p]);
        sigma[p] = 0.05f;
    }
    WORKS(anpe_model_open(ctx, in_scratch(name), &model));
    WORKS(anpe_session_new(ctx, model, anpe_proposal_block(), &session));
    WORKS(anpe_infer(session, ctx, 1, one, NULL, flux, sigma, NULL, 1, 0));
}

static void close_model(void)
{
    session = anpe_session_free(session);
    model = anpe_model_close(model);
}

/* log q of labels (n, D) in their own units. */
static void flow_log_q(int64_t n, const double *labels, double *out)
{
    anpe_flow_density *density;
    const float *context = anpe_executor_tensor(session->executor, model->net->features);
    double *y = malloc((size_t)(n * D) * sizeof *y), again[D];
    float coordinates[D];
    CU_ASSERT_FATAL(y != NULL);
    WORKS(anpe_flow_density_new(ctx, model->net, D, 256, &density));
    for (int64_t k = 0; k < n; k++) {
        anpe_label_map_forward(model->map, labels + k * D, coordinates);
        for (int d = 0; d < D; d++)
            y[k * D + d] = (double)coordinates[d];
    }
    anpe_flow_density_eval(density, context, n, y, out);
    for (int64_t k = 0; k < n; k++) {
        anpe_label_map_forward(model->map, labels + k * D, coordinates);
        out[k] -= anpe_label_map_inverse(model->map, coordinates, again);
    }
    anpe_flow_density_free(density);
    free(y);
}

static anpe_label_rows *proposal(anpe_proposal_kind kind, uint32_t seed)
{
    anpe_label_rows *p = NULL;
    WORKS(anpe_proposal_new(ctx, session, kind, seed, &p));
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL_FATAL(p->width, D);
    return p;
}

static void moments(int64_t n, const double *labels, const double *weight, double *out)
{
    double sum[5] = {0}, total = 0;
    for (int64_t k = 0; k < n; k++) {
        const double w = weight ? weight[k] : 1, a = labels[k * D], b = labels[k * D + 1];
        const double term[5] = {a, b, a * a, b * b, a * b};
        total += w;
        for (int i = 0; i < 5; i++)
            sum[i] += w * term[i];
    }
    for (int i = 0; i < 5; i++)
        out[i] = sum[i] / total;
    out[2] -= out[0] * out[0];
    out[3] -= out[1] * out[1];
    out[4] -= out[0] * out[1];
}

static void expect_same_moments(const double *a, const double *b)
{
    const double sd[5] = {sqrt(b[2]), sqrt(b[3]), b[2], b[3], sqrt(b[2] * b[3])};
    for (int i = 0; i < 5; i++) /* some 3000 draws stand behind either: 5 standard errors of both */
        CU_ASSERT_DOUBLE_EQUAL(a[i], b[i], 5 * sd[i] * sqrt(4.0 / 3000));
}

static double least_of(int64_t n, const double *value)
{
    double least = INFINITY;
    for (int64_t k = 0; k < n; k++)
        least = fmin(least, value[k]);
    return least;
}

/* Rows as the prior's own draws in the region, which are found by rejection; and the region leaves
 * out as much of the flow as it says. Its edge is in the flow's coordinates. */
static void test_truncated(void)
{
    anpe_rng rng = anpe_rng_make(9, ANPE_FOR_POSTERIOR, 0, 0);
    open_model("model.h5");
    anpe_label_rows *p = proposal(ANPE_PROPOSAL_TRUNCATED, 3);
    double *q = malloc((size_t)p->n * sizeof *q), rows[5], wanted[5];
    float y[D];
    double back[D];
    int64_t inside = 0, outside = 0;
    CU_ASSERT_FATAL(q != NULL);
    flow_log_q(p->n, p->theta, q);
    for (int64_t k = 0; k < p->n; k++) {
        CU_ASSERT_EQUAL(p->weight[k], 1);
        anpe_label_map_forward(model->map, p->theta + k * D, y);
        q[k] += anpe_label_map_inverse(model->map, y, back);
    }
    const double least = least_of(p->n, q) - 1e-3; /* float */
    for (int64_t k = 0; k < N; k++)
        for (int d = 0; d < D; d++)
            flat[k * D + d] = 2 * anpe_uniform(&rng) - 1;
    flow_log_q(N, flat, log_q);
    for (int64_t k = 0; k < N; k++) {
        anpe_label_map_forward(model->map, flat + k * D, y);
        if (log_q[k] + anpe_label_map_inverse(model->map, y, back) >= least)
            memcpy(flat + inside++ * D, flat + k * D, D * sizeof *flat);
    }
    CU_ASSERT(inside > 3000 && inside < N);
    moments(p->n, p->theta, NULL, rows);
    moments(inside, flat, NULL, wanted);
    expect_same_moments(rows, wanted);
    for (int64_t k = 0; k < N; k += 1000) {
        WORKS(anpe_session_draw(session, ctx, 0, 1000, &rng, theta, NULL));
        for (int i = 0; i < 1000; i++)
            outside += (double)session->log_q[i] < least;
    }
    CU_ASSERT(outside > 0 && outside < 30); /* 10 wanted; its sd and the edge's: 4.7 */
    free(q);
    anpe_proposal_free(p);
    close_model();
}

/* 1 / weight = (1 - s) q / p + s with q and p normalised in the region: a straight line. The
 * prior's mass in the region is p = 1 / area there; that it is known makes the intercept s. */
static void test_weighted(void)
{
    open_model("model.h5");
    anpe_label_rows *p = proposal(ANPE_PROPOSAL_WEIGHTED, 3);
    anpe_label_rows *t = proposal(ANPE_PROPOSAL_TRUNCATED, 4);
    double *q = malloc((size_t)p->n * sizeof *q), sum[5] = {0}, mean = 0, a[5], b[5];
    CU_ASSERT_FATAL(q != NULL);
    flow_log_q(p->n, p->theta, q);
    for (int64_t k = 0; k < p->n; k++) {
        const double x = exp(q[k]), z = 1 / p->weight[k], term[5] = {1, x, z, x * x, x * z};
        CU_ASSERT(p->weight[k] > 0 && p->weight[k] < 1.05 / ANPE_PROPOSAL_SHARE);
        mean += p->weight[k] / (double)p->n;
        for (int i = 0; i < 5; i++)
            sum[i] += term[i] / (double)p->n;
    }
    CU_ASSERT_DOUBLE_EQUAL(mean, 1, 1e-12);
    const double gradient = (sum[4] - sum[1] * sum[2]) / (sum[3] - sum[1] * sum[1]);
    const double intercept = sum[2] - gradient * sum[1];
    CU_ASSERT_DOUBLE_EQUAL(intercept, ANPE_PROPOSAL_SHARE, 0.05 * ANPE_PROPOSAL_SHARE);
    for (int64_t k = 0; k < p->n; k++)
        CU_ASSERT_DOUBLE_EQUAL((intercept + gradient * exp(q[k])) * p->weight[k], 1, 1e-3);
    moments(p->n, p->theta, p->weight, a);
    moments(t->n, t->theta, NULL, b);
    expect_same_moments(a, b); /* of the same truncated prior */
    moments(p->n, p->theta, NULL, a);
    CU_ASSERT(a[2] < 0.8 * b[2]); /* but more where the flow is */
    free(q);
    anpe_proposal_free(t);
    anpe_proposal_free(p);
    close_model();
}

static void test_seeds(void)
{
    open_model("model.h5");
    anpe_label_rows *a = proposal(ANPE_PROPOSAL_WEIGHTED, 3),
                    *b = proposal(ANPE_PROPOSAL_WEIGHTED, 3);
    anpe_label_rows *c = proposal(ANPE_PROPOSAL_WEIGHTED, 4);
    const size_t size = (size_t)(a->n * D) * sizeof *a->theta;
    CU_ASSERT(!memcmp(a->theta, b->theta, size));
    CU_ASSERT(!memcmp(a->weight, b->weight, (size_t)a->n * sizeof *a->weight));
    CU_ASSERT(memcmp(a->theta, c->theta, size) != 0);
    CU_ASSERT_PTR_NULL(anpe_proposal_free(a));
    CU_ASSERT_PTR_NULL(anpe_proposal_free(b));
    CU_ASSERT_PTR_NULL(anpe_proposal_free(c));
    CU_ASSERT_PTR_NULL(anpe_proposal_free(NULL));
    close_model();
}

static void test_bad_input(void)
{
    anpe_label_rows *p = NULL;
    train(in_scratch("subset.h5"), "\"l0\"");
    open_model("subset.h5");
    SAYS(anpe_proposal_new(ctx, session, ANPE_PROPOSAL_WEIGHTED, 1, &p), ANPE_EUNSUPPORTED,
         "a prior can be truncated only if all of its labels are inferred");
    CU_ASSERT_PTR_NULL(p);
    close_model();
    open_model("model.h5");
    float *context = anpe_executor_tensor(session->executor, model->net->features);
    for (int64_t i = 0; i < model->net->n_context; i++)
        context[i] = NAN;
    CU_ASSERT_EQUAL(anpe_proposal_new(ctx, session, ANPE_PROPOSAL_TRUNCATED, 1, &p), ANPE_ENUMERIC);
    CU_ASSERT_PTR_NULL(p);
    close_model();
}

static void test_set_up(void)
{
    write_emulator(in_scratch("linear.h5"));
    train(in_scratch("model.h5"), "");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"set-up", test_set_up}, {"truncated", test_truncated}, {"weighted", test_weighted},
        {"seeds", test_seeds},   {"bad input", test_bad_input},
    };
    return run_suite(argc, argv, "proposal", COUNT(tests), tests);
}
