/* Convolutions against loops in double: outputs and all gradients, in float and double, for widths
 * that take either way (core/graph/kernel_conv.c and kernel_conv3.c), lengths of a part of a tile,
 * a tile, and several, even and odd. */
#include "config.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <CUnit/Basic.h>
#include "base/context.h"
#include "base/loader.h"
#include "graph/conv3.h"
#include "graph/network.h"
#include "graph_support.h"

typedef struct shape {
    int64_t batch, length, in, out, k;
    int relu, residual; /* residual: + x, so that the input's gradient is added to */
} shape;

static anpe_ctx *ctx;
static anpe_backend backend;

typedef struct net {
    shape s;
    anpe_precision precision;
    anpe_graph *g;
    anpe_parameters *p;
    anpe_executor *e;
    anpe_node x, y, out;
    void *seed, *effective;
} net;

static double get(const net *n, const void *v, int64_t i)
{
    return n->precision == ANPE_DOUBLE ? ((const double *)v)[i] : (double)((const float *)v)[i];
}

/* Numbers that float holds too. */
static double value(uint32_t seed, int64_t i)
{
    return (double)(float)anpe_test_number(seed, i);
}

static void put(const net *n, void *v, uint32_t seed, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        if (n->precision == ANPE_DOUBLE)
            ((double *)v)[i] = value(seed, i);
        else
            ((float *)v)[i] = (float)value(seed, i);
}

static void open_net(net *n, const shape *s, anpe_precision precision)
{
    const int64_t rows = s->batch * s->length;
    *n = (net){.s = *s, .precision = precision, .g = anpe_graph_new()};
    n->x = anpe_graph_input(n->g, "x", 2, s->length, s->in);
    n->y = anpe_conv1d(n->g, "a", n->x, s->out, s->k, s->relu ? ANPE_RELU : 0);
    n->out = s->residual ? anpe_add(n->g, n->y, n->x) : n->y;
    const anpe_node outputs[2] = {n->y, n->out};
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, n->g, precision, 1, &n->p), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(
        anpe_executor_new(ctx, n->g, n->p, backend, s->batch, 1, 1, 2, outputs, &n->e), ANPE_OK);
    put(n, n->p->raw, 1, n->p->size);
    anpe_parameters_prepare(n->p);
    n->seed = calloc((size_t)(rows * s->out), sizeof(double));
    n->effective = calloc((size_t)n->p->effective_size + 1, sizeof(double));
    put(n, anpe_executor_tensor(n->e, n->x), 2, rows * s->in);
    put(n, n->seed, 3, rows * s->out);
    anpe_executor_forward(n->e, s->batch);
    anpe_executor_backward(n->e, n->out, n->seed, n->effective);
}

static void close_net(net *n)
{
    anpe_executor_free(n->e);
    anpe_parameters_free(n->p);
    anpe_graph_free(n->g);
    free(n->seed);
    free(n->effective);
}

/* Plain sums of k products of numbers below 1 have errors <= (k + 2) k eps. kernel_conv3.c: its
 * sums are shorter, k / 3 (k / 4 for the weights) + 12 terms, and the transforms together multiply
 * magnitudes by up to 9.2 * 3: less than 16 (k + 10)^2 eps. In practice its errors are those of the
 * plain sum, so that 2 (k + 10)^2 eps holds with much to spare. */
static double bound(const net *n, int64_t k)
{
    const double eps = n->precision == ANPE_DOUBLE ? 1.2e-16 : 6e-8;
    return 2 * (double)((k + 10) * (k + 10)) * eps;
}

static double worst(double a, double b)
{
    return a >= b ? a : b; /* NaN stays */
}

/* x[b, l, i], zero outside */
static double at(const shape *s, uint32_t seed, int64_t b, int64_t l, int64_t width, int64_t i)
{
    return l < 0 || l >= s->length ? 0 : value(seed, (b * s->length + l) * width + i);
}

static double output_error(const net *n)
{
    const shape *s = &n->s;
    const anpe_parameter *bias = anpe_parameters_find(n->p, "a.bias");
    const void *y = anpe_executor_tensor(n->e, n->y);
    double error = 0;
    for (int64_t r = 0; r < s->batch * s->length; r++)
        for (int64_t o = 0; o < s->out; o++) {
            double sum = value(1, bias->offset + o);
            for (int64_t j = 0; j < s->k; j++)
                for (int64_t i = 0; i < s->in; i++)
                    sum += get(n, n->p->raw, (o * s->in + i) * s->k + j) *
                           at(s, 2, r / s->length, r % s->length + j - s->k / 2, s->in, i);
            sum = s->relu && sum < 0 ? 0 : sum;
            error = worst(fabs(get(n, y, r * s->out + o) - sum), error);
        }
    return error;
}

/* Gradient of the output, where relu lets it through; zero outside. */
static double dz(const net *n, int64_t b, int64_t l, int64_t o)
{
    const shape *s = &n->s;
    if (l < 0 || l >= s->length)
        return 0;
    const int64_t at_o = (b * s->length + l) * s->out + o;
    return s->relu && !(get(n, anpe_executor_tensor(n->e, n->y), at_o) > 0) ? 0 : value(3, at_o);
}

static double input_error(const net *n)
{
    const shape *s = &n->s;
    const void *dx = anpe_executor_gradient(n->e, n->x);
    double error = 0;
    for (int64_t r = 0; r < s->batch * s->length; r++)
        for (int64_t i = 0; i < s->in; i++) {
            double sum = s->residual ? value(3, r * s->in + i) : 0;
            for (int64_t j = 0; j < s->k; j++)
                for (int64_t o = 0; o < s->out; o++)
                    sum += get(n, n->p->raw, (o * s->in + i) * s->k + j) *
                           dz(n, r / s->length, r % s->length - j + s->k / 2, o);
            error = worst(fabs(get(n, dx, r * s->in + i) - sum), error);
        }
    return error;
}

static double weight_error(const net *n)
{
    const shape *s = &n->s;
    double error = 0;
    for (int64_t o = 0; o < s->out; o++)
        for (int64_t i = 0; i < s->in; i++)
            for (int64_t j = 0; j < s->k; j++) {
                double sum = 0;
                for (int64_t r = 0; r < s->batch * s->length; r++)
                    sum += dz(n, r / s->length, r % s->length, o) *
                           at(s, 2, r / s->length, r % s->length + j - s->k / 2, s->in, i);
                const double have = get(n, n->effective, (o * s->in + i) * s->k + j);
                error = worst(fabs(have - sum), error);
            }
    return error;
}

static double bias_error(const net *n)
{
    const shape *s = &n->s;
    const int64_t offset = (s->out * s->in * s->k + 15) / 16 * 16; /* in the effective block */
    double error = 0;
    for (int64_t o = 0; o < s->out; o++) {
        double sum = 0;
        for (int64_t r = 0; r < s->batch * s->length; r++)
            sum += dz(n, r / s->length, r % s->length, o);
        error = worst(fabs(get(n, n->effective, offset + o) - sum), error);
    }
    return error;
}

static const shape shapes[] = {
    {2, 9, 5, 7, 3, 1, 0},     {1, 1, 64, 64, 3, 0, 0},   {3, 2, 64, 64, 3, 1, 0},
    {2, 7, 70, 64, 3, 1, 0},   {3, 57, 64, 97, 3, 1, 0},  {2, 231, 66, 65, 3, 1, 0},
    {1, 450, 64, 64, 3, 0, 0}, {2, 5, 64, 129, 3, 0, 0},  {4, 113, 64, 64, 3, 1, 0},
    {1, 9, 64, 64, 5, 1, 0},   {2, 30, 600, 64, 3, 0, 0}, {1, 12, 64, 600, 3, 1, 0},
    {2, 11, 6, 6, 3, 1, 1},    {2, 59, 65, 65, 3, 1, 1},  {1, 6, 64, 64, 3, 0, 1}};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static void test_against_loops(void)
{
    for (int k = 0; k < N_SHAPES; k++)
        for (int precision = ANPE_FLOAT; precision <= ANPE_DOUBLE; precision++) {
            const shape *s = &shapes[k];
            net n;
            open_net(&n, s, (anpe_precision)precision);
            CU_ASSERT(output_error(&n) <= bound(&n, s->k * s->in));
            CU_ASSERT(input_error(&n) <= bound(&n, s->k * s->out));
            CU_ASSERT(weight_error(&n) <= bound(&n, s->batch * s->length));
            CU_ASSERT(bias_error(&n) <= bound(&n, s->batch * s->length));
            close_net(&n);
        }
}

/* The shapes above take both ways. */
static void test_both_ways(void)
{
    int taken[2] = {0, 0};
    for (int k = 0; k < N_SHAPES; k++)
        taken[anpe_conv3_fits_f(shapes[k].k, shapes[k].in, shapes[k].out)]++;
    CU_ASSERT(taken[0] >= 2 && taken[1] >= 8);
}

/* A spectrum's output does not depend, to the bit, on what else is in the batch. */
static void test_batch_independent(void)
{
    const shape whole = {3, 227, 64, 96, 3, 1, 0};
    net n;
    open_net(&n, &whole, ANPE_FLOAT);
    const int64_t in = whole.length * whole.in, out = whole.length * whole.out;
    float *x = anpe_executor_tensor(n.e, n.x), *y = anpe_executor_tensor(n.e, n.y);
    float *last = malloc((size_t)out * sizeof *last);
    memcpy(last, y + 2 * out, (size_t)out * sizeof *last);
    memmove(x, x + 2 * in, (size_t)in * sizeof *x);
    anpe_executor_forward(n.e, 1);
    CU_ASSERT_EQUAL(memcmp(y, last, (size_t)out * sizeof *last), 0);
    free(last);
    close_net(&n);
}

int main(void)
{
    const anpe_plugin *plugin = NULL;
    const struct {
        const char *coretype;
    } options = {"auto"};
    void *self = NULL;
    ctx = anpe_ctx_new();
    if (anpe_loader_get(ctx, ANPE_BACKEND, "openblas", &plugin) != ANPE_OK ||
        plugin->create(ctx, &options, NULL, &self) != ANPE_OK) {
        fprintf(stderr, "%s\n", anpe_error(ctx));
        return EXIT_FAILURE;
    }
    backend = (anpe_backend){.self = self, .ops = plugin->ops};
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("convolution", NULL, NULL);
    CU_add_test(suite, "outputs and gradients equal loops", test_against_loops);
    CU_add_test(suite, "both ways are taken", test_both_ways);
    CU_add_test(suite, "a sample does not depend on its batch", test_batch_independent);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    const unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    plugin->destroy(self);
    anpe_ctx_free(ctx);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
