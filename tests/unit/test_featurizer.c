/* Featurizers: what they compute where it can be said in closed form, and what they refuse. */
#include "network_support.h"

static const fixture_shape small = {2, 3, 2, 0, 4, 1}; /* batch, length, channels, -, width, seed */

static void refused(const char *options, const fixture_shape *shape, const char *message)
{
    char config[256];
    fixture f;
    snprintf(config, sizeof config, "featurizer = { %s };", options);
    CU_ASSERT(fixture_build(ctx, config, shape, &f) == ANPE_ECONFIG);
    if (!strstr(anpe_error(ctx), message))
        printf("\n    '%s' lacks '%s'", anpe_error(ctx), message);
    CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), message));
}

static void test_refused(void)
{
    refused("plugin = \"resnet_gru\"; depth = 3;", &small,
            "resnet_gru: depth = 3 needs spectra of at least 4 pixels, these have 3: depth can be "
            "at most 2");
    refused("plugin = \"resnet_gru\"; depth = 1; kernel = 4;", &small, "kernel must be odd, not 4");
    refused("plugin = \"resnet_gru\"; depht = 1;", &small, "did you mean 'depth'");
    refused("plugin = \"resnet_gru\"; n_rnn = -1;", &small, "n_rnn");
    refused("plugin = \"resnet\"; depth = 3;", &small,
            "resnet: depth = 3 needs spectra of at least 4 pixels, these have 3: depth can be "
            "at most 2");
    refused("plugin = \"resnet\"; kernel = 4;", &small, "kernel must be odd, not 4");
    refused("plugin = \"resnet\"; pool = \"max\";", &small, "flatten");
    refused(
        "plugin = \"gru\"; patch = 4; stride = 5;", &small,
        "gru: stride = 5 is longer than patch = 4: pixels between two patches would be left out");
    refused("plugin = \"gru\"; n_rnn = 0;", &small, "n_rnn");
    refused("plugin = \"transformer\"; patch = 4; stride = 5;", &small, "stride = 5 is longer");
    refused("plugin = \"transformer\"; width = 10; heads = 4;", &small,
            "transformer: width = 10 cannot be shared by heads = 4: it must be a multiple");
    refused("plugin = \"transformer\"; head = 2;", &small, "did you mean 'heads'");
    refused("plugin = \"mlp\"; hidden = [ 8.0, 2.5 ];", &small,
            "mlp: hidden[1] must be a whole number");
    refused("plugin = \"mlp\"; hidden = [ 0 ];", &small, "hidden");
    refused("plugin = \"mlp\"; activation = \"rely\";", &small, "relu");
    refused("plugin = \"identity\";", &small,
            "the context is the input of 3 x 2 values, so its width must be 6");
}

/* Runs the first n rows of x in double. */
static void run(const char *config, const fixture_shape *shape, fixture *f, const double *x)
{
    WORKS(fixture_build(ctx, config, shape, f));
    WORKS(fixture_run_in(ctx, f, ANPE_DOUBLE));
    memcpy(anpe_executor_tensor(f->executor, f->input), x,
           (size_t)(shape->batch * shape->length * shape->channels) * sizeof *x);
}

static const double *features(fixture *f)
{
    anpe_executor_forward(f->executor, f->shape.batch);
    return anpe_executor_tensor(f->executor, f->features);
}

static void test_identity(void)
{
    const fixture_shape shape = {2, 3, 2, 0, 6, 1};
    const double x[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    fixture f;
    run("featurizer = { plugin = \"identity\"; };", &shape, &f, x);
    CU_ASSERT(anpe_rank(f.graph, f.features) == 1 && anpe_width(f.graph, f.features) == 6);
    CU_ASSERT(memcmp(features(&f), x, sizeof x) == 0);
    fixture_clear(&f);
}

static double activated(const char *activation, double v)
{
    if (!strcmp(activation, "tanh"))
        return tanh(v);
    if (!strcmp(activation, "sigmoid"))
        return 1 / (1 + exp(-v));
    return v > 0 ? v : strcmp(activation, "relu") ? 0.01 * v : 0;
}

/* One hidden layer of 2 units on 2 pixels of 1 channel, by hand. */
static void test_mlp(void)
{
    static const char *const activations[] = {"relu", "leaky_relu", "tanh", "sigmoid"};
    const fixture_shape shape = {1, 2, 1, 0, 1, 1};
    const double x[2] = {0.5, -1.5}, w[4] = {1, 2, -0.5, 0.25}, b[2] = {0.1, 2}, v[2] = {3, -1},
                 c[1] = {0.7};
    for (int i = 0; i < 4; i++) {
        char config[128];
        fixture f;
        snprintf(config, sizeof config,
                 "featurizer = { plugin = \"mlp\"; hidden = [ 2 ]; activation = \"%s\"; };",
                 activations[i]);
        run(config, &shape, &f, x);
        WORKS(fixture_set_parameter(ctx, &f, "featurizer.layers.0.weight", 4, w));
        WORKS(fixture_set_parameter(ctx, &f, "featurizer.layers.0.bias", 2, b));
        WORKS(fixture_set_parameter(ctx, &f, "featurizer.head.weight", 2, v));
        WORKS(fixture_set_parameter(ctx, &f, "featurizer.head.bias", 1, c));
        anpe_parameters_prepare(f.parameters);
        const double want = c[0] +
                            v[0] * activated(activations[i], w[0] * x[0] + w[1] * x[1] + b[0]) +
                            v[1] * activated(activations[i], w[2] * x[0] + w[3] * x[1] + b[1]);
        CU_ASSERT_DOUBLE_EQUAL(features(&f)[0], want, 1e-14);
        fixture_clear(&f);
    }
}

static void test_mlp_linear(void)
{
    const fixture_shape shape = {1, 2, 1, 0, 1, 1};
    const double x[2] = {0.5, -1.5}, w[2] = {3, -1}, b[1] = {0.7};
    fixture f;
    run("featurizer = { plugin = \"mlp\"; hidden = []; };", &shape, &f, x);
    WORKS(fixture_set_parameter(ctx, &f, "featurizer.head.weight", 2, w));
    WORKS(fixture_set_parameter(ctx, &f, "featurizer.head.bias", 1, b));
    anpe_parameters_prepare(f.parameters);
    CU_ASSERT_DOUBLE_EQUAL(features(&f)[0], 3 * 0.5 + 1.5 + 0.7, 1e-14);
    fixture_clear(&f);
}

/* Width 0: as it comes, without a last layer. */
static void test_own_width(void)
{
    static const struct {
        const char *config;
        int64_t width;
    } table[] = {
        {"featurizer = { plugin = \"identity\"; };", 16},
        {"featurizer = { plugin = \"mlp\"; hidden = [ 5, 3 ]; };", 3},
        {"featurizer = { plugin = \"mlp\"; hidden = []; };", 16},
        {"featurizer = { plugin = \"resnet\"; depth = 2; conv_min = 4; };", 32},
        {"featurizer = { plugin = \"resnet\"; depth = 2; conv_min = 4; pool = \"mean\"; };", 8},
        {"featurizer = { plugin = \"gru\"; patch = 2; hidden = 7; };", 28},
        {"featurizer = { plugin = \"gru\"; hidden = 7; pool = \"last\"; };", 7},
        {"featurizer = { plugin = \"transformer\"; width = 12; pool = \"mean\"; };", 12},
        {"featurizer = { plugin = \"transformer\"; patch = 2; width = 4; };", 16},
        {"featurizer = { plugin = \"resnet_gru\"; depth = 2; conv_min = 4; };", 8},
        {"featurizer = { plugin = \"resnet_gru\"; depth = 2; conv_min = 4; n_rnn = 0; };", 8}};
    const fixture_shape shape = {1, 8, 2, 0, 0, 1};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        fixture f;
        WORKS(fixture_build(ctx, table[i].config, &shape, &f));
        CU_ASSERT(anpe_rank(f.graph, f.features) == 1);
        CU_ASSERT(anpe_width(f.graph, f.features) == table[i].width);
        fixture_clear(&f);
    }
}

/* The mean over length forgets where a feature is, except near the ends; a GRU does not. */
static void test_resnet_shift(void)
{
    const fixture_shape shape = {2, 64, 1, 0, 3, 1};
    for (int n_rnn = 0; n_rnn < 2; n_rnn++) {
        char config[160];
        double x[2 * 64] = {0}, difference = 0;
        fixture f;
        snprintf(config, sizeof config,
                 "featurizer = { plugin = \"resnet_gru\"; depth = 2; n_rnn = %d; };", n_rnn);
        x[30] = x[64 + 32] = 1; /* a shift by one pooled pixel */
        x[31] = x[64 + 33] = -0.5;
        run(config, &shape, &f, x);
        const double *y = features(&f);
        for (int i = 0; i < 3; i++)
            difference = fmax(difference, fabs(y[i] - y[3 + i]));
        CU_ASSERT((difference > 1e-10) == n_rnn);
        fixture_clear(&f);
    }
}

/* Names and shapes that the golden files and stored models rely on. */
static void test_names(void)
{
    static const char *const names[] = {"featurizer.stages.0.0.conv1.weight_v",
                                        "featurizer.stages.0.0.conv1.weight_g",
                                        "featurizer.stages.0.0.conv1.bias",
                                        "featurizer.stages.0.0.skip.weight",
                                        "featurizer.stages.1.1.conv2.weight_v",
                                        "featurizer.gru.0.weight_ih",
                                        "featurizer.gru.1.bias_hh",
                                        "featurizer.head.weight"};
    const fixture_shape shape = {1, 8, 2, 0, 4, 1};
    fixture f;
    WORKS(fixture_build(ctx,
                        "featurizer = { plugin = \"resnet_gru\"; depth = 2; nlayer = 2; n_rnn = 2;"
                        " conv_min = 4; conv_max = 4; };",
                        &shape, &f));
    WORKS(fixture_run_in(ctx, &f, ANPE_FLOAT));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CU_ASSERT_PTR_NOT_NULL(anpe_parameters_find(f.parameters, names[i]));
    CU_ASSERT_PTR_NULL(anpe_parameters_find(f.parameters, "featurizer.stages.1.0.skip.weight"));
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"what is refused", test_refused},
        {"identity", test_identity},
        {"mlp", test_mlp},
        {"mlp without hidden layers", test_mlp_linear},
        {"a width of its own", test_own_width},
        {"resnet_gru and a shift", test_resnet_shift},
        {"names of parameters", test_names},
    };
    return run_suite(argc, argv, "featurizers", COUNT(tests), tests);
}
