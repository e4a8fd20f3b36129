/* The featurizers resnet, gru and transformer: that they build for any spectrum, that the gradient
 * of the whole network is right, that they learn with their defaults, and what each of them can
 * tell apart and what it cannot. */
#include <config.h>
#include "network_support.h"
#include "allocation_count.h"
#include "train/optimiser.h"

static const char *const every[] = {
    "plugin = \"resnet\";",
    "plugin = \"resnet\"; pool = \"mean\";",
    "plugin = \"gru\";",
    "plugin = \"gru\"; pool = \"mean\";",
    "plugin = \"gru\"; pool = \"last\"; n_rnn = 2; stride = 20;",
    "plugin = \"transformer\";",
    "plugin = \"transformer\"; pool = \"mean\";",
    "plugin = \"transformer\"; pool = \"token\"; position = \"sinusoidal\"; stride = 20;"};
enum { N_EVERY = sizeof every / sizeof every[0] };

static void build(const char *options, const fixture_shape *shape, fixture *f)
{
    char config[512];
    snprintf(config, sizeof config, "featurizer = { %s };", options);
    WORKS(fixture_build(ctx, config, shape, f));
}

static double noise(uint32_t seed, int64_t i)
{
    anpe_rng rng = {.key = {seed, 91}, .ctr = {0, 0, (uint32_t)i, 0}};
    return anpe_normal(&rng);
}

/* With defaults, whatever the length: a context of the width that was asked for, finite, with a
 * gradient for every parameter. Neither pass allocates (where that can be counted). */
static void test_any_length(void)
{
    static const int64_t lengths[] = {1, 7, 100, 343, 2401, 7214};
    for (int i = 0; i < N_EVERY * 6; i++) {
        const int64_t length = lengths[i % 6], channels = 1 + i % 4;
        const fixture_shape shape = {2, length, channels, 0, 5, 3};
        const float seed[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
        fixture f;
        build(every[i / 6], &shape, &f);
        CU_ASSERT(anpe_rank(f.graph, f.features) == 1 && anpe_width(f.graph, f.features) == 5);
        WORKS(fixture_run_in(ctx, &f, ANPE_FLOAT));
        float *x = anpe_executor_tensor(f.executor, f.input);
        float *gradient = calloc((size_t)f.parameters->effective_size, sizeof *gradient);
        CU_ASSERT_FATAL(gradient != NULL);
        for (int64_t k = 0; k < 2 * length * channels; k++)
            x[k] = (float)noise(1, k);
        const long before = n_allocations - n_releases;
        anpe_executor_forward(f.executor, 2);
        const float *y = anpe_executor_tensor(f.executor, f.features);
        for (int k = 0; k < 10; k++)
            CU_ASSERT(isfinite(y[k]));
        anpe_executor_backward(f.executor, f.features, seed, gradient);
        /* OpenBLAS packs small transposed factors into memory that it gives back at once */
        CU_ASSERT(n_allocations - n_releases == before);
        for (int64_t k = 0; k < f.parameters->effective_size; k++)
            if (!isfinite(gradient[k]))
                CU_FAIL_FATAL("a gradient is not finite");
        free(gradient);
        fixture_clear(&f);
    }
}

/* ---- the gradient of the whole network --------------------------------------------------- */

static const char *const small[] = {
    "plugin = \"resnet\"; depth = 3; conv_min = 2; conv_max = 4; nlayer = 2;",
    "plugin = \"resnet\"; depth = 2; conv_min = 3; pool = \"mean\"; kernel = 5;",
    "plugin = \"gru\"; patch = 5; stride = 3; width = 4; hidden = 5; n_rnn = 2; pool = \"mean\";",
    "plugin = \"gru\"; patch = 6; width = 3; hidden = 3;",
    "plugin = \"gru\"; patch = 4; width = 3; hidden = 4; pool = \"last\";",
    "plugin = \"transformer\"; patch = 4; width = 4; heads = 2; hidden = 5; pool = \"mean\";",
    "plugin = \"transformer\"; patch = 6; width = 4; heads = 1; hidden = 3; depth = 1;",
    "plugin = \"transformer\"; patch = 5; stride = 3; width = 6; heads = 3; hidden = 4; depth = 1;"
    " pool = \"token\"; position = \"sinusoidal\";"};
enum { N_SMALL = sizeof small / sizeof small[0], PIXELS = 17 };

static double weighted(fixture *f)
{
    double sum = 0;
    anpe_parameters_prepare(f->parameters);
    anpe_executor_forward(f->executor, 2);
    const double *y = anpe_executor_tensor(f->executor, f->features);
    for (int64_t i = 0; i < 6; i++)
        sum += noise(3, i) * y[i];
    return sum;
}

/* Central differences of fourth order at h = 1e-4: 1e-12 of the value, as in graph_support.c. */
static double numerical(fixture *f, double *x)
{
    const double h = 1e-4, x0 = *x, at[4] = {2, 1, -1, -2}, weight[4] = {-1, 8, -8, 1};
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        *x = x0 + at[i] * h;
        sum += weight[i] * weighted(f);
    }
    *x = x0;
    return sum / (12 * h);
}

/* Largest error relative to the gradient's root mean square. */
static double gradient_error(fixture *f)
{
    const anpe_parameters *p = f->parameters;
    double seed[6], square = 0, worst = 0;
    double *effective = calloc((size_t)p->effective_size, sizeof *effective);
    double *raw = calloc((size_t)p->size, sizeof *raw);
    CU_ASSERT_FATAL(effective && raw);
    for (int64_t i = 0; i < 6; i++)
        seed[i] = noise(3, i);
    weighted(f);
    anpe_executor_backward(f->executor, f->features, seed, effective);
    anpe_parameters_pull_back(p, effective, raw);
    for (int64_t i = 0; i < p->size; i++)
        square += raw[i] * raw[i] / (double)p->size;
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t k = p->table[i].offset; k < p->table[i].offset + p->table[i].size; k++)
            if (p->table[i].transform != ANPE_BUFFER)
                worst = fmax(worst, fabs(raw[k] - numerical(f, (double *)p->raw + k)));
    free(effective);
    free(raw);
    return worst / sqrt(square);
}

static void test_gradients(void)
{
    const fixture_shape shape = {2, PIXELS, 2, 0, 3, 4};
    for (int i = 0; i < N_SMALL; i++) {
        fixture f;
        build(small[i], &shape, &f);
        WORKS(fixture_run_in(ctx, &f, ANPE_DOUBLE));
        for (int64_t k = 0; k < 2 * PIXELS * 2; k++)
            ((double *)anpe_executor_tensor(f.executor, f.input))[k] = noise(2, k);
        const double error = gradient_error(&f);
        if (!(error < 1e-7))
            printf("\n    %s: %g", small[i], error);
        CU_ASSERT(error < 1e-7);
        fixture_clear(&f);
    }
}

/* ---- learning ---------------------------------------------------------------------------- */

enum { ROWS = 32, LENGTH = 128 };

/* An absorption line of random depth and shift on noise; the context to learn is both, with
 * variance 1 each. The second channel is the position, without which no mean of a convolution could
 * tell the shift. Returns the mean square error before the step. */
static double learn_step(fixture *f, anpe_optimiser *o, float *effective, float *raw, int64_t step)
{
    float *x = anpe_executor_tensor(f->executor, f->input), seed[ROWS * 2];
    double sum = 0;
    anpe_rng rng = {.key = {5, 92}, .ctr = {0, 0, (uint32_t)step, 0}};
    double want[ROWS * 2];
    for (int i = 0; i < ROWS; i++) {
        const double depth = uniform_between(&rng, -1.7, 1.7);
        const double shift = uniform_between(&rng, -1.7, 1.7);
        for (int l = 0; l < LENGTH; l++) {
            const double d = (l - 50.5 - 4 * shift) / 5;
            x[2 * (i * LENGTH + l)] =
                (float)(0.05 * anpe_normal(&rng) - (2.5 + depth) * exp(-d * d / 2));
            x[2 * (i * LENGTH + l) + 1] = (float)(l - 63.5) / 37;
        }
        want[2 * i] = depth, want[2 * i + 1] = shift;
    }
    anpe_executor_forward(f->executor, ROWS);
    const float *y = anpe_executor_tensor(f->executor, f->features);
    for (int i = 0; i < ROWS * 2; i++) {
        const double e = (double)y[i] - want[i];
        sum += e * e / (ROWS * 2);
        seed[i] = (float)(2 * e / (ROWS * 2));
    }
    memset(effective, 0, (size_t)f->parameters->effective_size * sizeof *effective);
    anpe_executor_backward(f->executor, f->features, seed, effective);
    anpe_parameters_pull_back(f->parameters, effective, raw);
    anpe_optimiser_step(o, 1e-3, raw, f->parameters->raw);
    anpe_parameters_prepare(f->parameters);
    return sum;
}

/* Mean square error of the last 10 steps. */
static double learned(fixture *f, int64_t steps)
{
    anpe_optimiser *o;
    double last = 0;
    WORKS(anpe_optimiser_new(ctx, f->parameters->size, steps, 85, &o));
    float *effective = malloc((size_t)f->parameters->effective_size * sizeof *effective);
    float *raw = malloc((size_t)f->parameters->size * sizeof *raw);
    CU_ASSERT_FATAL(effective && raw);
    for (int64_t step = 0; step < steps; step++) {
        const double error = learn_step(f, o, effective, raw, step);
        last += step >= steps - 10 ? error / 10 : 0;
    }
    free(effective);
    free(raw);
    anpe_optimiser_free(o);
    return last;
}

/* Adam at 1e-3, as a user trains: after some steps of 32 spectra the error is below a tenth of
 * what knowing nothing gives, 1. The mean over a convolution learns places last. */
static void test_learning(void)
{
    const fixture_shape shape = {ROWS, LENGTH, 2, 0, 2, 6};
    for (int i = 0; i < N_EVERY; i++) {
        const int64_t enough = strstr(every[i], "resnet\"; pool = \"mean") ? 700 : 150;
        const int64_t steps = test_is_short() ? 2 : enough;
        fixture f;
        build(every[i], &shape, &f);
        WORKS(fixture_run_in(ctx, &f, ANPE_FLOAT));
        const double error = learned(&f, steps);
        const double most = test_is_short() ? HUGE_VAL : 0.1;
        if (!(error < most))
            printf("\n    %s: %.3f", every[i], error);
        CU_ASSERT(error < most);
        fixture_clear(&f);
    }
}

/* ---- what can be told apart -------------------------------------------------------------- */

/* Largest difference of the contexts of two spectra x (2, length). */
static double difference(const char *options, int64_t length, const double *x)
{
    const fixture_shape shape = {2, length, 1, 0, 4, 7};
    double worst = 0;
    fixture f;
    build(options, &shape, &f);
    WORKS(fixture_run_in(ctx, &f, ANPE_DOUBLE));
    memcpy(anpe_executor_tensor(f.executor, f.input), x, (size_t)(2 * length) * sizeof *x);
    anpe_executor_forward(f.executor, 2);
    const double *y = anpe_executor_tensor(f.executor, f.features);
    for (int i = 0; i < 4; i++)
        worst = fmax(worst, fabs(y[i] - y[4 + i]));
    fixture_clear(&f);
    return worst;
}

/* Patches of 8 pixels in another order. Attention and the mean see a set: only positions, or
 * weights of its own for every place, or a recurrence, know the order. */
static void test_order_of_patches(void)
{
    static const struct {
        const char *options;
        int sees;
    } table[] = {
        {"plugin = \"transformer\"; patch = 8; position = \"none\"; pool = \"mean\";", 0},
        {"plugin = \"transformer\"; patch = 8; position = \"none\"; pool = \"token\";", 0},
        {"plugin = \"transformer\"; patch = 8; position = \"none\";", 1},
        {"plugin = \"transformer\"; patch = 8; pool = \"mean\";", 1},
        {"plugin = \"transformer\"; patch = 8; position = \"sinusoidal\"; pool = \"mean\";", 1},
        {"plugin = \"gru\"; patch = 8; pool = \"mean\";", 1},
        {"plugin = \"gru\"; patch = 8; pool = \"last\";", 1}};
    enum { LONG = 64 };
    double x[2 * LONG];
    for (int64_t l = 0; l < LONG; l++) {
        x[l] = noise(8, l);
        x[LONG + (l / 8 * 3 % 8) * 8 + l % 8] = x[l]; /* patch i goes to 3 i mod 8 */
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        CU_ASSERT(table[i].sees ? difference(table[i].options, LONG, x) > 1e-4
                                : difference(table[i].options, LONG, x) < 1e-12);
}

/* A shift by one pixel of the last stage, far from the ends, is lost by the mean over length and
 * seen by a flattened last stage. */
static void test_shift(void)
{
    enum { LONG = 128 };
    double x[2 * LONG] = {0};
    x[60] = x[LONG + 64] = 1;
    x[61] = x[LONG + 65] = -0.5;
    CU_ASSERT(difference("plugin = \"resnet\"; depth = 3; pool = \"mean\";", LONG, x) < 1e-12);
    CU_ASSERT(difference("plugin = \"resnet\"; depth = 3;", LONG, x) > 1e-4);
}

/* The last state of a recurrence forgets; its mean has a term from the start. Both read all. */
static void test_gru_reads_everything(void)
{
    enum { LONG = 40 };
    for (int l = 0; l < LONG; l += 13) {
        double x[2 * LONG] = {0};
        x[LONG + l] = 1;
        CU_ASSERT(difference("plugin = \"gru\"; patch = 8; stride = 5; pool = \"mean\";", LONG, x) >
                  1e-6);
        CU_ASSERT(difference("plugin = \"gru\"; patch = 8; pool = \"last\";", LONG, x) > 1e-9);
    }
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"any length", test_any_length}, {"gradients of whole networks", test_gradients},
        {"learning", test_learning},     {"the order of patches", test_order_of_patches},
        {"a shift", test_shift},         {"gru reads everything", test_gru_reads_everything},
    };
    return run_suite(argc, argv, "architectures", COUNT(tests), tests);
}
