/* The operations that transformers are made of, against loops and in closed form. Their gradients
 * are in graph_cases.c with all others. */
#include <config.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "testlib.h"
#include "base/context.h"
#include "graph_support.h"

static double get(const anpe_test_net *net, anpe_node x, int64_t i)
{
    const void *t = anpe_executor_tensor(net->e, x);
    return net->p->precision == ANPE_FLOAT ? (double)((const float *)t)[i] : ((const double *)t)[i];
}

static void put(const anpe_test_net *net, int64_t i, double v)
{
    void *t = anpe_executor_tensor(net->e, net->in[0]);
    if (net->p->precision == ANPE_FLOAT)
        ((float *)t)[i] = (float)v;
    else
        ((double *)t)[i] = v;
}

static int64_t n_heads;
static anpe_node build_attention(anpe_graph *g, const anpe_node *in)
{
    return anpe_attention(g, in[0], n_heads);
}

/* Opens attention on (2, length, 3 width). */
static void open_attention(anpe_test_net *net, int64_t length, int64_t width, int64_t heads,
                           anpe_precision precision)
{
    const anpe_test_case c = {"attention", build_attention, 1, {2}, {length}, {3 * width}, 0};
    n_heads = heads;
    CU_ASSERT_EQUAL_FATAL(anpe_test_open(net, &c, precision, 0, anpe_test_naive, 2), 0);
}

/* Row l of sample b, head h, by the formula of <anpe/graph.h>; y (d). */
static void by_loops(const anpe_test_net *net, int64_t length, int64_t width, int64_t d, int64_t b,
                     int64_t l, int64_t h, double *y)
{
    double sum = 0;
    memset(y, 0, (size_t)d * sizeof *y);
    for (int64_t m = 0; m < length; m++) {
        const int64_t q = (b * length + l) * 3 * width + h * d;
        const int64_t k = (b * length + m) * 3 * width + width + h * d;
        double score = 0;
        for (int64_t j = 0; j < d; j++)
            score += get(net, net->in[0], q + j) * get(net, net->in[0], k + j);
        const double p = exp(score / sqrt((double)d));
        for (int64_t j = 0; j < d; j++)
            y[j] += p * get(net, net->in[0], k + width + j);
        sum += p;
    }
    for (int64_t j = 0; j < d; j++)
        y[j] /= sum;
}

/* Scores of d numbers below 1.3^2 d and weights that add up to 1: |error| of some 10 (d + 3) eps,
 * and 2e-7 for the exponential in float. */
static void test_attention_equals_loops(void)
{
    static const int64_t shapes[][3] = {/* length, width, heads: around the tile of 56 queries */
                                        {1, 1, 1},  {2, 4, 2},  {7, 6, 3},   {55, 8, 2},
                                        {56, 8, 1}, {57, 8, 4}, {113, 32, 2}};
    for (int i = 0; i < 14; i++) {
        const int64_t *s = shapes[i / 2], d = s[1] / s[2];
        anpe_test_net net;
        double worst = 0, y[32];
        open_attention(&net, s[0], s[1], s[2], i % 2 ? ANPE_DOUBLE : ANPE_FLOAT);
        anpe_executor_forward(net.e, 2);
        for (int64_t r = 0; r < 2 * s[0] * s[2]; r++) {
            const int64_t b = r / (s[0] * s[2]), l = r / s[2] % s[0], h = r % s[2];
            by_loops(&net, s[0], s[1], d, b, l, h, y);
            for (int64_t j = 0; j < d; j++)
                worst =
                    fmax(worst, fabs(y[j] - get(&net, net.out, (b * s[0] + l) * s[1] + h * d + j)));
        }
        CU_ASSERT(worst <= (i % 2 ? 1e-14 : 5e-6));
        anpe_test_close(&net);
    }
}

/* exp of a score of 1e4 overflows; the softmax must then pick the one key that fits. */
static void test_attention_of_large_scores(void)
{
    anpe_test_net net;
    open_attention(&net, 5, 2, 1, ANPE_FLOAT);
    for (int64_t l = 0; l < 10; l++) /* key l is (cos, sin) at its own angle, query l the same */
        for (int64_t j = 0; j < 6; j++) {
            const double angle = (double)(l % 5), v = j % 2 ? sin(angle) : cos(angle);
            put(&net, l * 6 + j, j < 2 ? 1e4 * v : j < 4 ? v : (double)(l % 5));
        }
    anpe_executor_forward(net.e, 2);
    for (int64_t l = 0; l < 10; l++)
        CU_ASSERT_DOUBLE_EQUAL(get(&net, net.out, 2 * l), (double)(l % 5), 1e-6);
    anpe_test_close(&net);
}

static anpe_node build_norm(anpe_graph *g, const anpe_node *in)
{
    return anpe_layer_norm(g, "n", in[0]);
}

/* Weight 2, bias 1: every row has mean 1 and standard deviation 2, whatever its own. */
static void test_layer_norm(void)
{
    static const anpe_test_case c = {"norm", build_norm, 1, {2}, {4}, {37}, 0};
    for (int precision = 0; precision < 2; precision++) {
        anpe_test_net net;
        CU_ASSERT_EQUAL_FATAL(
            anpe_test_open(&net, &c, (anpe_precision)precision, 0, anpe_test_naive, 2), 0);
        for (int64_t i = 0; i < 74; i++) {
            const double v = i < 37 ? 2 : 1;
            if (precision)
                ((double *)net.p->raw)[i] = v;
            else
                ((float *)net.p->raw)[i] = (float)v;
        }
        anpe_parameters_prepare(net.p);
        for (int64_t i = 0; i < net.n_in[0]; i++)
            put(&net, i, 100 + (double)(i / 37 + 1) * anpe_test_number(5, i));
        anpe_executor_forward(net.e, 2);
        for (int64_t r = 0; r < 8; r++) {
            double mean = 0, square = 0;
            for (int64_t j = 0; j < 37; j++)
                mean += get(&net, net.out, r * 37 + j) / 37;
            for (int64_t j = 0; j < 37; j++)
                square += pow(get(&net, net.out, r * 37 + j) - mean, 2) / 37;
            /* numbers near 100 are known to 4e-6 in float; epsilon is 1e-5 of a variance of 0.3 */
            CU_ASSERT_DOUBLE_EQUAL(mean, 1, precision ? 1e-12 : 1e-4);
            CU_ASSERT_DOUBLE_EQUAL(sqrt(square), 2, 1e-4);
        }
        anpe_test_close(&net);
    }
}

static anpe_node build_gelu(anpe_graph *g, const anpe_node *in)
{
    return anpe_gelu(g, in[0]);
}

/* Near x Phi(x), by which GELU is defined: the formula is known to be within 5e-4 of it. */
static void test_gelu(void)
{
    static const anpe_test_case c = {"gelu", build_gelu, 1, {1}, {1}, {41}, 0};
    for (int precision = 0; precision < 2; precision++) {
        anpe_test_net net;
        CU_ASSERT_EQUAL_FATAL(
            anpe_test_open(&net, &c, (anpe_precision)precision, 0, anpe_test_naive, 1), 0);
        for (int64_t i = 0; i < 41; i++)
            put(&net, i, (double)(i - 20) / 2);
        anpe_executor_forward(net.e, 1);
        for (int64_t i = 0; i < 41; i++) {
            const double x = (double)(i - 20) / 2, y = get(&net, net.out, i);
            CU_ASSERT_DOUBLE_EQUAL(y, x * erfc(-x / sqrt(2)) / 2, 5e-4);
            CU_ASSERT_DOUBLE_EQUAL(y - get(&net, net.out, 40 - i), x, precision ? 1e-14 : 2e-6);
        }
        anpe_test_close(&net);
    }
}

static int64_t patch, step;
static anpe_node build_patches(anpe_graph *g, const anpe_node *in)
{
    return anpe_patches(g, in[0], patch, step);
}

static void test_patches(void)
{
    static const int64_t shapes[][4] = {/* length, size, stride, patches */
                                        {7, 3, 3, 3}, {6, 3, 3, 2}, {7, 3, 2, 3}, {8, 3, 2, 4},
                                        {2, 5, 4, 1}, {1, 1, 1, 1}, {9, 4, 1, 6}};
    for (int i = 0; i < 7; i++) {
        const int64_t *s = shapes[i];
        const anpe_test_case c = {"patches", build_patches, 1, {2}, {s[0]}, {2}, 0};
        anpe_test_net net;
        patch = s[1], step = s[2];
        CU_ASSERT_EQUAL_FATAL(anpe_test_open(&net, &c, ANPE_FLOAT, 0, anpe_test_naive, 2), 0);
        CU_ASSERT_FATAL(anpe_length(net.g, net.out) == s[3] &&
                        anpe_width(net.g, net.out) == 2 * patch);
        for (int64_t k = 0; k < net.n_in[0]; k++)
            put(&net, k, (double)k + 1);
        anpe_executor_forward(net.e, 2);
        for (int64_t k = 0; k < net.n_out; k++) {
            const int64_t b = k / (s[3] * 2 * patch), m = k / (2 * patch) % s[3];
            const int64_t at = m * step * 2 + k % (2 * patch);
            CU_ASSERT_EQUAL(get(&net, net.out, k),
                            at < 2 * s[0] ? (double)(b * 2 * s[0] + at + 1) : 0);
        }
        anpe_test_close(&net);
    }
}

/* A fixed table is added and stored, and not trained; a trained one starts where it is told. */
static void test_offset_and_append(void)
{
    static const double table[6] = {1, 2, 3, 4, 5, 6};
    anpe_ctx *ctx = anpe_ctx_new();
    anpe_graph *g = anpe_graph_new();
    anpe_parameters *p = NULL;
    anpe_node x = anpe_graph_input(g, "x", 2, 3, 2);
    x = anpe_offset(g, "fixed", x, table, 0);
    x = anpe_append(g, "token", anpe_offset(g, "free", x, table, 1));
    CU_ASSERT(anpe_length(g, x) == 4 && anpe_width(g, x) == 2);
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, g, ANPE_DOUBLE, 1, &p), ANPE_OK);
    const anpe_parameter *fixed = anpe_parameters_find(p, "fixed");
    const anpe_parameter *fresh = anpe_parameters_find(p, "free");
    CU_ASSERT_FATAL(fixed && fresh && anpe_parameters_find(p, "token"));
    CU_ASSERT(fixed->transform == ANPE_BUFFER && fresh->transform == ANPE_PLAIN);
    CU_ASSERT(memcmp((double *)p->raw + fixed->offset, table, sizeof table) == 0);
    CU_ASSERT(memcmp((double *)p->raw + fresh->offset, table, sizeof table) == 0);
    anpe_parameters_free(p);
    anpe_graph_free(g);
    anpe_ctx_free(ctx);
}

static anpe_node wrong(anpe_graph *g, int i)
{
    const anpe_node x = anpe_graph_input(g, "x", 2, 9, 12);
    const anpe_node flat = anpe_graph_input(g, "y", 1, 1, 12);
    switch (i) {
    case 0: /* 4 is not three pieces */
        return anpe_attention(g, x, 3);
    case 1:
        return anpe_attention(g, x, 0);
    case 2:
        return anpe_patches(g, x, 3, 4);
    case 3:
        return anpe_patches(g, x, 0, 1);
    case 4:
        return anpe_patches(g, flat, 3, 3);
    default:
        return anpe_append(g, "a", flat);
    }
}

static void test_shapes_that_do_not_fit(void)
{
    anpe_ctx *ctx = anpe_ctx_new();
    for (int i = 0; i < 6; i++) {
        anpe_graph *g = anpe_graph_new();
        CU_ASSERT(wrong(g, i) < 0);
        CU_ASSERT_EQUAL(anpe_graph_check(ctx, g), ANPE_EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), "shapes do not fit"));
        anpe_graph_free(g);
    }
    anpe_ctx_free(ctx);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"attention equals loops", test_attention_equals_loops},
        {"attention of large scores", test_attention_of_large_scores},
        {"layer norm", test_layer_norm},
        {"gelu", test_gelu},
        {"patches", test_patches},
        {"offset and append", test_offset_and_append},
        {"shapes that do not fit", test_shapes_that_do_not_fit},
    };
    return test_run(argc, argv, "transformers", COUNT(tests), tests, NULL, NULL);
}
