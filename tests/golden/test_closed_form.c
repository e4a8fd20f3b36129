/* maf with weights set by hand, where the density has a closed form. */
#include "golden/fixture.h"
#include <anpe/anpe.h>
#include "unit/testlib.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TWO_PI 1.83787706640934548356
static anpe_ctx *ctx;

#define WORKS(call)                                                                                \
    do {                                                                                           \
        const anpe_status works_ = (call);                                                         \
        if (works_)                                                                                \
            printf("\n    %s\n", anpe_error(ctx));                                                 \
        CU_ASSERT_FATAL(works_ == ANPE_OK);                                                        \
    } while (0)

/* A flow of one context value with all its weights 0. */
static void start(const char *options, int64_t labels, anpe_precision precision, fixture *f)
{
    char config[256];
    const fixture_shape shape = {4, 0, 0, labels, 1, 1};
    snprintf(config, sizeof config, "flow = { plugin = \"maf\"; %s };", options);
    WORKS(fixture_build(ctx, config, &shape, f));
    WORKS(fixture_run_in(ctx, f, precision));
    for (int64_t i = 0; i < f->parameters->n; i++) {
        const anpe_parameter *p = &f->parameters->table[i];
        for (int64_t j = 0; j < p->size && p->transform != ANPE_BUFFER; j++)
            fixture_set(f, f->parameters->raw, p->offset + j, 0);
    }
}

static void set(fixture *f, const char *name, int64_t n, const double *v)
{
    WORKS(fixture_set_parameter(ctx, f, name, n, v));
}

static double normal(double x, double mean, double log_sd)
{
    const double v = (x - mean) * exp(-log_sd);
    return -0.5 * v * v - log_sd - 0.5 * LOG_TWO_PI;
}

/* A draw of one label or more in float, against the expected one. */
static void draw(fixture *f, float c, const float *z, const float *u, const double *want,
                 double log_prob)
{
    float y[2], lp;
    WORKS(fixture_sampler(ctx, f));
    WORKS(fixture_sample(ctx, f, &c, 1, z, u, y, &lp));
    for (int64_t d = 0; d < f->shape.labels; d++) /* a handful of roundings of values near 1 */
        CU_ASSERT_DOUBLE_EQUAL((double)y[d], want[d], 10 * 0x1p-24 * (1 + fabs(want[d])));
    CU_ASSERT_DOUBLE_EQUAL((double)lp, log_prob, 10 * 0x1p-24 * (1 + fabs(log_prob)));
}

/* D = 1, zero weights: the standard normal. */
static void test_base(void)
{
    const double y[4] = {0, 1, -2.5, 6}, c[4] = {1, 2, 3, 4};
    double lp[4];
    fixture f;
    start("num_blocks = 3; hidden = 4;", 1, ANPE_DOUBLE, &f);
    anpe_parameters_prepare(f.parameters);
    fixture_log_prob(&f, 4, y, c, lp);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_DOUBLE_EQUAL(lp[i], normal(y[i], 0, 0), 1e-14);
    fixture_clear(&f);
}

/* D = 1, two blocks: y = m0 + exp(a0) (m1 + exp(a1) z), and m1 grows with the context. */
static void test_one_label(void)
{
    const double m0 = 0.7, a0 = -1.2, m1 = 2, a1 = 0.4, slope = -0.3;
    const double b0[2] = {m0, a0}, b1[3] = {m1, a1, 5}, e1[3] = {slope, 0, 0};
    const double y[4] = {0, 1, -2.5, 6}, c[4] = {1, 2, 3, 4};
    double lp[4];
    for (int precision = ANPE_FLOAT; precision <= ANPE_DOUBLE; precision++) {
        fixture f;
        start("num_blocks = 2; hidden = 4;", 1, (anpe_precision)precision, &f);
        set(&f, "flow.blocks.0.l2.bias", 2, b0);
        set(&f, "flow.blocks.1.l2.bias", 3, b1);
        set(&f, "flow.blocks.1.direct.weight", 3, e1);
        anpe_parameters_prepare(f.parameters);
        fixture_log_prob(&f, 4, y, c, lp);
        for (int i = 0; i < 4; i++) {
            const double want = normal(y[i], m0 + exp(a0) * (m1 + slope * c[i]), a0 + a1);
            /* 10 roundings, in a term v^2 / 2 that is most of the value */
            const double unit = precision == ANPE_DOUBLE ? 0x1p-53 : 0x1p-24;
            CU_ASSERT_DOUBLE_EQUAL(lp[i], want, 20 * unit * (1 + fabs(want)));
        }
        if (precision == ANPE_FLOAT) {
            const float z = 1.5f, u = 0.5f;
            const double want = m0 + exp(a0) * (m1 + slope * 2 + exp(a1) * 1.5);
            draw(&f, 2, &z, &u, &want, normal(1.5, 0, 0) - a0 - a1);
        }
        fixture_clear(&f);
    }
}

/* D = 1, a mixture of two, weights 0.25 and 0.75: u below 0.25 chooses the first. */
static void test_mixture(void)
{
    /* (component, {mean, log scale, logit}) */
    const double b[6] = {-3, -1, 0.2, 2, 0.5, 0.2 + 1.0986122886681098}; /* + log 3 */
    const double y[4] = {-3, 0, 2, 1}, c[4] = {0};
    double lp[4];
    fixture f;
    start("num_blocks = 1; n_mog = 2; hidden = 2;", 1, ANPE_DOUBLE, &f);
    set(&f, "flow.blocks.0.l2.bias", 6, b);
    anpe_parameters_prepare(f.parameters);
    fixture_log_prob(&f, 4, y, c, lp);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_DOUBLE_EQUAL(
            lp[i], log(0.25 * exp(normal(y[i], -3, -1)) + 0.75 * exp(normal(y[i], 2, 0.5))), 1e-13);
    fixture_clear(&f);

    start("num_blocks = 1; n_mog = 2; hidden = 2;", 1, ANPE_FLOAT, &f);
    set(&f, "flow.blocks.0.l2.bias", 6, b);
    const float z = -0.5f, below = 0.249f, above = 0.251f;
    const double low = -3 - 0.5 * exp(-1), high = 2 - 0.5 * exp(0.5);
    draw(&f, 0, &z, &below, &low,
         log(0.25 * exp(normal(low, -3, -1)) + 0.75 * exp(normal(low, 2, 0.5))));
    draw(&f, 0, &z, &above, &high,
         log(0.25 * exp(normal(high, -3, -1)) + 0.75 * exp(normal(high, 2, 0.5))));
    fixture_clear(&f);
}

/* D = 2, one block, two hidden units h = relu(+-x0), m1 = r (h0 - h1) = r x0, labels not swapped:
 * x0 ~ N(0, 1), x1 given x0 ~ N(r x0, s). Units of the second layer pass the first's. */
static void correlated(fixture *f, double r, double log_s)
{
    const double identity[2] = {0, 1}, w0[4] = {1, 0, -1, 0}, w1[4] = {1, 0, 0, 1};
    /* rows of l2: mean of 0, 1; log scale of 0, 1; logit of 0, 1 */
    const double w2[12] = {0, 0, r, -r}, b2[6] = {0, 0, 0, log_s, 0, 0};
    set(f, "flow.permutation.0", 2, identity);
    set(f, "flow.blocks.0.l0.weight", 4, w0);
    set(f, "flow.blocks.0.l1.weight", 4, w1);
    set(f, "flow.blocks.0.l2.weight", 12, w2);
    set(f, "flow.blocks.0.l2.bias", 6, b2);
}

static void test_two_labels(void)
{
    const double r = 0.8, log_s = -0.5, y[8] = {0, 0, 1, 2, -1, 0.5, 2, -2}, c[4] = {0};
    double lp[4];
    fixture f;
    start("num_blocks = 1; hidden = 2;", 2, ANPE_DOUBLE, &f);
    correlated(&f, r, log_s);
    anpe_parameters_prepare(f.parameters);
    fixture_log_prob(&f, 4, y, c, lp);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_DOUBLE_EQUAL(
            lp[i], normal(y[2 * i], 0, 0) + normal(y[2 * i + 1], r * y[2 * i], log_s), 1e-14);
    fixture_clear(&f);

    start("num_blocks = 1; hidden = 2;", 2, ANPE_FLOAT, &f);
    correlated(&f, r, log_s);
    const float z[2] = {-1.25f, 0.75f}, u[2] = {0.5f, 0.5f};
    const double want[2] = {-1.25, -1.25 * r + exp(log_s) * 0.75};
    draw(&f, 0, z, u, want, normal(-1.25, 0, 0) + normal(0.75, 0, 0) - log_s);
    fixture_clear(&f);
}

/* The same with the labels swapped: y = (x1, x0). */
static void test_swapped(void)
{
    const double swap[2] = {1, 0}, y[2] = {2, 1}, c[1] = {0};
    double lp;
    fixture f;
    start("num_blocks = 1; hidden = 2;", 2, ANPE_DOUBLE, &f);
    correlated(&f, 0.8, -0.5);
    set(&f, "flow.permutation.0", 2, swap);
    anpe_parameters_prepare(f.parameters);
    fixture_log_prob(&f, 1, y, c, &lp);
    CU_ASSERT_DOUBLE_EQUAL(lp, normal(1, 0, 0) + normal(2, 0.8, -0.5), 1e-14);
    fixture_clear(&f);
}

/* Log scales past the clamp are the clamp. */
static void test_clamp(void)
{
    static const struct {
        const char *options;
        double a, want;
    } table[] = {{"num_blocks = 1; hidden = 1; clamp = [ -1.0, 1.0 ];", 3, 1},
                 {"num_blocks = 1; hidden = 1; clamp = [ -1.0, 1.0 ];", -3, -1},
                 {"num_blocks = 1; hidden = 1;", -7.5, -7.5},
                 {"num_blocks = 1; hidden = 1;", 9, 8},
                 {"num_blocks = 1; hidden = 1; clamp = [];", 12, 12}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const double b[3] = {0, table[i].a, 0}, y[1] = {1e-3}, c[1] = {0};
        double lp;
        fixture f;
        start(table[i].options, 1, ANPE_DOUBLE, &f);
        set(&f, "flow.blocks.0.l2.bias", 3, b);
        anpe_parameters_prepare(f.parameters);
        fixture_log_prob(&f, 1, y, c, &lp);
        CU_ASSERT_DOUBLE_EQUAL(lp, normal(1e-3, 0, table[i].want), 1e-13 * (1 + fabs(lp)));
        fixture_clear(&f);
    }
}

static int set_up(void)
{
    ctx = anpe_ctx_new();
    fixture_find_plugins();
    return !ctx;
}

static int tear_down(void)
{
    ctx = anpe_ctx_free(ctx);
    return 0;
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"base density", test_base},      {"one label", test_one_label},
        {"mixture", test_mixture},        {"two labels", test_two_labels},
        {"labels swapped", test_swapped}, {"clamp", test_clamp},
    };
    return test_run(argc, argv, "maf in closed form", COUNT(tests), tests, set_up, tear_down);
}
