/* Every operation of the table, forward and backward, on one thread at the shapes that it has in
 * the paper's network (an operation that the network does not use: at the shape of its first
 * stage; those of transformers: at the shapes of the featurizer `transformer`). Products are given
 * in GFLOP/s, the others in GB/s of what they must read and write. */
#include <config.h>
#include "bench/bench.h"
#include "graph/graph.h"
#include "graph/operations.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8 };

typedef struct op_case op_case;
typedef anpe_node build_fn(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c);
struct op_case {
    const char *operation;
    build_fn *build;
    int rank;
    int64_t length, width, second; /* of the first input; width of the second input, 0: none */
    int64_t n, k;                  /* outputs, hidden units, size or start; kernel */
};

static anpe_node build_conv1d(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y;
    return anpe_conv1d(g, "c", x, c->n, c->k, c->k > 1 ? ANPE_RELU : 0);
}

static anpe_node build_linear(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y;
    return anpe_linear(g, "l", x, c->n, 0);
}

/* The masks of a MADE with 26 labels. */
static anpe_node build_masked_linear(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    int in[256], out[256];
    (void)y;
    for (int i = 0; i < 256; i++)
        in[i] = i % 25, out[i] = i % 25;
    return anpe_masked_linear(g, "m", x, c->n, out, in, ANPE_RELU);
}

static anpe_node build_gru(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y;
    return anpe_gru(g, "r", x, c->n);
}

static anpe_node build_max_pool(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y;
    return anpe_max_pool(g, x, c->n);
}

static anpe_node build_leaky_relu(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y, (void)c;
    return anpe_leaky_relu(g, x, 0.01);
}

static anpe_node build_slice(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y;
    return anpe_slice(g, x, 0, c->n);
}

static anpe_node build_pixels(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y;
    return anpe_pixels(g, x, 0, c->n);
}

static anpe_node build_permute(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    int64_t order[64];
    (void)y;
    for (int64_t i = 0; i < c->width; i++)
        order[i] = c->width - 1 - i;
    return anpe_permute(g, "p", x, order);
}

static anpe_node build_affine_step(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)c;
    return anpe_affine_step(g, x, y, -1, 1);
}

static anpe_node build_affine_log_det(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y, (void)c;
    return anpe_affine_log_det(g, x, -1, 1);
}

static anpe_node build_mog_log_density(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)c;
    return anpe_mog_log_density(g, x, y, 1, -1, 1);
}

static anpe_node build_layer_norm(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y, (void)c;
    return anpe_layer_norm(g, "n", x);
}

static anpe_node build_attention(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y;
    return anpe_attention(g, x, c->n);
}

static anpe_node build_patches(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y;
    return anpe_patches(g, x, c->n, c->n);
}

static anpe_node build_offset(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y, (void)c;
    return anpe_offset(g, "o", x, NULL, 1);
}

static anpe_node build_append(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)
{
    (void)y, (void)c;
    return anpe_append(g, "a", x);
}

#define ONE_INPUT(name)                                                                            \
    static anpe_node build_##name(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)       \
    {                                                                                              \
        (void)y, (void)c;                                                                          \
        return anpe_##name(g, x);                                                                  \
    }
#define TWO_INPUTS(name)                                                                           \
    static anpe_node build_##name(anpe_graph *g, anpe_node x, anpe_node y, const op_case *c)       \
    {                                                                                              \
        (void)c;                                                                                   \
        return anpe_##name(g, x, y);                                                               \
    }
ONE_INPUT(mean_length)
ONE_INPUT(last)
ONE_INPUT(flatten)
ONE_INPUT(relu)
ONE_INPUT(sigmoid)
ONE_INPUT(tanh)
ONE_INPUT(log_sum_exp)
ONE_INPUT(gelu)
TWO_INPUTS(add)
TWO_INPUTS(multiply)
TWO_INPUTS(concat)

#define CONV(length, in, out, k)                                                                   \
    {                                                                                              \
        "conv1d", build_conv1d, 2, length, in, 0, out, k                                           \
    }
#define SEQUENCE(name, length, width, second, n)                                                   \
    {                                                                                              \
#name, build_##name, 2, length, width, second, n, 0                                        \
    }
#define VECTOR(name, width, second, n)                                                             \
    {                                                                                              \
#name, build_##name, 1, 1, width, second, n, 0                                             \
    }
static const op_case cases[] = {
    CONV(7214, 2, 32, 3),
    CONV(7214, 2, 32, 1),
    CONV(7214, 32, 32, 3),
    CONV(3607, 32, 64, 3),
    CONV(3607, 32, 64, 1),
    CONV(3607, 64, 64, 3),
    CONV(1803, 64, 128, 3),
    CONV(1803, 64, 128, 1),
    CONV(1803, 128, 128, 3),
    CONV(901, 128, 256, 3),
    CONV(901, 128, 256, 1),
    CONV(901, 256, 256, 3),
    CONV(450, 256, 512, 3),
    CONV(450, 256, 512, 1),
    CONV(450, 512, 512, 3),
    CONV(225, 512, 512, 3),
    CONV(112, 512, 512, 3),
    CONV(56, 512, 512, 3),
    SEQUENCE(gru, 56, 512, 0, 512),
    VECTOR(linear, 512, 0, 256),
    VECTOR(linear, 256, 0, 256),
    VECTOR(masked_linear, 26, 0, 256),
    VECTOR(masked_linear, 256, 0, 256),
    VECTOR(masked_linear, 256, 0, 52),
    VECTOR(masked_linear, 256, 0, 78),
    SEQUENCE(max_pool, 7214, 32, 0, 2),
    SEQUENCE(max_pool, 450, 512, 0, 2),
    SEQUENCE(mean_length, 56, 512, 0, 0),
    SEQUENCE(last, 56, 512, 0, 0),
    SEQUENCE(flatten, 56, 512, 0, 0),
    VECTOR(relu, 256, 0, 0),
    SEQUENCE(relu, 7214, 32, 0, 0),
    SEQUENCE(leaky_relu, 7214, 32, 0, 0),
    SEQUENCE(sigmoid, 7214, 32, 0, 0),
    SEQUENCE(tanh, 7214, 32, 0, 0),
    VECTOR(add, 256, 256, 0),
    SEQUENCE(add, 7214, 32, 32, 0),
    SEQUENCE(multiply, 7214, 32, 32, 0),
    SEQUENCE(concat, 7214, 32, 32, 0),
    SEQUENCE(slice, 7214, 32, 0, 16),
    SEQUENCE(pixels, 7214, 2, 0, 3607),
    SEQUENCE(log_sum_exp, 7214, 32, 0, 0),
    VECTOR(permute, 26, 0, 0),
    VECTOR(affine_step, 26, 52, 0),
    VECTOR(affine_log_det, 52, 0, 0),
    VECTOR(mog_log_density, 26, 78, 0),
    SEQUENCE(layer_norm, 226, 64, 0, 0),
    SEQUENCE(gelu, 226, 128, 0, 0),
    SEQUENCE(attention, 226, 192, 0, 4),
    SEQUENCE(attention, 902, 192, 0, 4),
    SEQUENCE(patches, 7214, 2, 0, 32),
    SEQUENCE(offset, 226, 64, 0, 0),
    SEQUENCE(append, 226, 64, 0, 0),
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

/* Of a row of the batch, forward; backward takes twice as many. */
static double flops(const op_case *c)
{
    const double w = (double)c->width, n = (double)c->n, rows = 2 * (double)c->length;
    if (!strcmp(c->operation, "conv1d"))
        return rows * w * n * (double)c->k;
    if (!strcmp(c->operation, "gru"))
        return rows * 3 * n * (w + n);
    if (!strcmp(c->operation, "attention")) /* two products of (L, C / heads) for each head */
        return rows * 2 * (double)c->length * w / 3;
    return strstr(c->operation, "linear") ? rows * w * n : 0;
}

typedef struct net {
    anpe_graph *graph;
    anpe_parameters *parameters;
    anpe_executor *executor;
    anpe_node x, y, out;
    float *gradient, *seed;
} net;

static anpe_status open_net(const bench *b, const op_case *c, net *n)
{
    if (!(n->graph = anpe_graph_new()))
        return ANPE_FAIL(b->ctx, ANPE_ENOMEM, "out of memory");
    anpe_graph *g = n->graph;
    n->x = anpe_graph_input(g, "x", c->rank, c->length, c->width);
    n->y = c->second ? anpe_graph_input(g, "y", c->rank, c->length, c->second) : -1;
    n->out = c->build(g, n->x, n->y, c);
    if (anpe_graph_check(b->ctx, g) == ANPE_OK)
        g->vertex[n->out].reduce_factors = 1; /* although it reads an input */
    anpe_status status = anpe_parameters_new(b->ctx, g, ANPE_FLOAT, 1, &n->parameters);
    if (!status)
        status = anpe_executor_new(b->ctx, g, n->parameters, b->backend, BATCH, 1, 1, 1, &n->out,
                                   &n->executor);
    if (status)
        return status;
    const int64_t size = BATCH * anpe_length(g, n->out) * anpe_width(g, n->out);
    if (ANPE_NEW(b->ctx, n->gradient, n->parameters->effective_size + 1) ||
        ANPE_NEW(b->ctx, n->seed, size))
        return ANPE_ENOMEM;
    bench_fill(size, n->seed);
    bench_fill(BATCH * c->length * c->width, anpe_executor_tensor(n->executor, n->x));
    if (c->second)
        bench_fill(BATCH * c->length * c->second, anpe_executor_tensor(n->executor, n->y));
    return ANPE_OK;
}

static void close_net(net *n)
{
    anpe_executor_free(n->executor);
    anpe_parameters_free(n->parameters);
    anpe_graph_free(n->graph);
    free(n->gradient);
    free(n->seed);
}

/* The executor's own clock leaves out what is not the operation. */
static double spent(const net *n, int backward)
{
    anpe_profile_row row;
    anpe_executor_profile(n->executor, &row, 1);
    return backward ? row.backward : row.forward;
}

static double seconds_of(const bench *b, net *n, int backward)
{
    double t[128];
    int64_t loops = 1;
    anpe_executor_forward(n->executor, BATCH);
    for (int r = -2; r < b->repeats; r++) { /* warm-up, number of loops, repeats */
        const double before = spent(n, backward);
        for (int64_t i = 0; i < (r < 0 ? 1 : loops); i++)
            if (backward)
                anpe_executor_backward(n->executor, n->out, n->seed, n->gradient);
            else
                anpe_executor_forward(n->executor, BATCH);
        const double once = spent(n, backward) - before;
        if (r < 0)
            loops = once < 0.01 ? (int64_t)(0.01 / (once + 1e-7)) + 1 : 1;
        else
            t[r] = once / (double)loops;
    }
    return bench_median(b->repeats, t);
}

static anpe_status run_case(const bench *b, const op_case *c)
{
    net n = {0};
    anpe_status status = open_net(b, c, &n);
    for (int backward = 0; !status && backward < 2; backward++) {
        char name[64], kernel[32] = "", second[32] = "";
        const double t = seconds_of(b, &n, backward);
        const int64_t out = anpe_length(n.graph, n.out) * anpe_width(n.graph, n.out);
        const double work = BATCH * flops(c) * (backward ? 2 : 1);
        const double bytes = 4.0 * BATCH * (double)(c->length * (c->width + c->second) + out);
        snprintf(name, sizeof name, "%s %s", c->operation, backward ? "backward" : "forward");
        if (c->k)
            snprintf(kernel, sizeof kernel, " k %d", (int)c->k);
        if (c->second)
            snprintf(second, sizeof second, " %d", (int)c->second);
        const double value = work > 0 ? work / t : bytes / t;
        bench_report(b, name, value * 1e-9, work > 0 ? "GFLOP/s" : "GB/s", 1,
                     value / (work > 0 ? b->sgemm : b->copy), "%dx%dx%d%s -> %dx%dx%d%s", BATCH,
                     (int)c->length, (int)c->width, second, BATCH, (int)anpe_length(n.graph, n.out),
                     (int)anpe_width(n.graph, n.out), kernel);
    }
    close_net(&n);
    return status;
}

anpe_status bench_operations(bench *b)
{
    anpe_status status = ANPE_OK;
    for (int id = 0; id < ANPE_N_OPERATIONS; id++) {
        const char *name = anpe_operation_get(id)->name;
        int found = 0;
        for (int i = 0; i < N_CASES && !status; i++)
            if (!strcmp(cases[i].operation, name)) {
                found = 1;
                status = run_case(b, &cases[i]);
            }
        if (!status && !found)
            status = ANPE_FAIL(b->ctx, ANPE_EINTERNAL, "no benchmark of operation %s", name);
        if (status)
            break;
    }
    return status;
}
