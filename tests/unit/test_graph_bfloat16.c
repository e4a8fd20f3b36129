/* Tensors stored in bfloat16, with oneDNN (its products emulated, so that any processor runs this).
 * On small integers, which bfloat16 holds, outputs and gradients are those of float; a
 * network with GRUs agrees with loops in double to the rounding. */
#include <config.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "testlib.h"
#include "base/context.h"
#include "base/loader.h"
#include "graph_support.h"

static anpe_ctx *ctx;
static anpe_backend emulated;

/* ---- networks ---------------------------------------------------------------------------- */

/* Reads the input in float; all between that and the output is stored in bfloat16: two readers of
 * one tensor, ReLU, a kernel of 1, an odd length before the pool. */
static anpe_node residual(anpe_graph *g, const anpe_node *in)
{
    anpe_graph_reduce(g, 1);
    const anpe_node a = anpe_conv1d(g, "a", in[0], 8, 3, ANPE_RELU);
    const anpe_node b = anpe_conv1d(g, "b", a, 8, 3, ANPE_RELU);
    const anpe_node c = anpe_max_pool(g, anpe_add(g, b, a), 2);
    const anpe_node d = anpe_conv1d(g, "d", c, 6, 1, 0);
    return anpe_linear(g, "e", d, 5, 0);
}

static anpe_node mean(anpe_graph *g, const anpe_node *in)
{
    anpe_graph_reduce(g, 1);
    const anpe_node a = anpe_conv1d(g, "a", in[0], 8, 3, 0);
    const anpe_node b = anpe_conv1d(g, "b", a, 8, 3, 0);
    return anpe_linear(g, "c", anpe_mean_length(g, anpe_add(g, b, a)), 5, 0);
}

static anpe_node recurrent(anpe_graph *g, const anpe_node *in)
{
    anpe_graph_reduce(g, 1);
    anpe_node x = anpe_linear(g, "a", in[0], 24, 0);
    x = anpe_gru(g, "b", x, 40);
    x = anpe_gru(g, "c", x, 33);
    return anpe_linear(g, "d", anpe_last(g, x), 7, 0);
}

/* Reads the input itself, and its output is that of the plan: both float. */
static anpe_node one_gru(anpe_graph *g, const anpe_node *in)
{
    const anpe_node y = anpe_gru(g, "a", in[0], 20);
    g->vertex[y].reduce_factors = g->vertex[y].reduce = 1;
    return y;
}

/* One of two that read a tensor has it in float only. */
static anpe_node border(anpe_graph *g, const anpe_node *in)
{
    anpe_graph_reduce(g, 1);
    const anpe_node y = anpe_conv1d(g, "a", in[0], 4, 3, 0);
    return anpe_add(g, anpe_sigmoid(g, y), anpe_conv1d(g, "b", y, 4, 3, 0));
}

static const anpe_test_case cases[] = {
    {.name = "residual",
     .build = residual,
     .n_inputs = 1,
     .rank = {2},
     .length = {13},
     .width = {3}},
    {.name = "mean", .build = mean, .n_inputs = 1, .rank = {2}, .length = {7}, .width = {3}},
    {.name = "recurrent",
     .build = recurrent,
     .n_inputs = 1,
     .rank = {2},
     .length = {9},
     .width = {5}},
    {.name = "one GRU", .build = one_gru, .n_inputs = 1, .rank = {2}, .length = {6}, .width = {5}},
    {.name = "border", .build = border, .n_inputs = 1, .rank = {2}, .length = {6}, .width = {5}},
};
enum { RESIDUAL, MEAN, RECURRENT, ONE_GRU, BORDER, CAPACITY = 4 };

/* A run of a case forward and back. */
typedef struct run {
    anpe_test_net net;
    void *gradient; /* of the effective parameters */
    int64_t rows, n_out, n_in;
} run;

static double get(const run *r, const void *reals, int64_t i)
{
    return r->net.p->precision == ANPE_FLOAT ? (double)((const float *)reals)[i]
                                             : ((const double *)reals)[i];
}

static void put(const run *r, void *reals, int64_t i, double x)
{
    if (r->net.p->precision == ANPE_FLOAT)
        ((float *)reals)[i] = (float)x;
    else
        ((double *)reals)[i] = x;
}

/* -1, 0 or 1, mostly 0: sums stay below 128. */
static double small_integer(uint32_t seed, int64_t i)
{
    const double x = anpe_test_number(seed, i);
    return x > 0.75 ? 1 : x < -0.75 ? -1 : 0;
}

/* rows < CAPACITY: the micro-batch is not whole. */
static void open_run(run *r, int which, anpe_precision precision, anpe_backend backend,
                     int64_t rows, int integers)
{
    CU_ASSERT_EQUAL_FATAL(anpe_test_open(&r->net, &cases[which], precision, 1, backend, CAPACITY),
                          0);
    anpe_test_net *n = &r->net;
    r->rows = rows;
    r->n_out = n->n_out / CAPACITY * rows;
    r->n_in = n->n_in[0] / CAPACITY * rows;
    for (int64_t i = 0; integers && i < n->p->size; i++)
        put(r, n->p->raw, i, small_integer(3, i));
    const anpe_parameter *bias = anpe_parameters_find(n->p, "test.b.bias");
    for (int64_t k = 0; integers && k < bias->size; k++) /* its ReLU is never at the kink */
        put(r, n->p->raw, bias->offset + k, 0.5);
    for (int64_t i = 0; integers && i < r->n_in; i++)
        put(r, anpe_executor_tensor(n->e, n->in[0]), i, small_integer(4, i));
    anpe_parameters_prepare(n->p);
    double *seed = calloc((size_t)r->n_out, sizeof *seed);
    r->gradient = calloc((size_t)n->p->effective_size + 1, sizeof(double));
    CU_ASSERT_FATAL(seed && r->gradient);
    for (int64_t i = 0; i < r->n_out; i++)
        put(r, seed, i, integers ? small_integer(5, i) : anpe_test_number(5, i));
    anpe_executor_forward(n->e, rows);
    anpe_executor_backward(n->e, n->out, seed, r->gradient);
    free(seed);
}

static void close_run(run *r)
{
    free(r->gradient);
    anpe_test_close(&r->net);
}

/* |a - b| / |b| over n numbers. */
static double distance(const run *a, const void *x, const run *b, const void *y, int64_t n)
{
    double difference = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        const double u = get(a, x, i), v = get(b, y, i);
        difference += (u - v) * (u - v);
        size += v * v;
    }
    return sqrt(difference / size);
}

/* Relative errors of the output, the gradients of the parameters and that of the input. */
static void errors(const run *r, const run *exact, double error[3])
{
    const anpe_test_net *n = &r->net, *m = &exact->net;
    error[0] = distance(r, anpe_executor_tensor(n->e, n->out), exact,
                        anpe_executor_tensor(m->e, m->out), r->n_out);
    error[1] = distance(r, r->gradient, exact, exact->gradient, n->p->effective_size);
    error[2] = distance(r, anpe_executor_gradient(n->e, n->in[0]), exact,
                        anpe_executor_gradient(m->e, m->in[0]), r->n_in);
}

/* ---- tests ------------------------------------------------------------------------------- */

static int there(void)
{
    if (!emulated.ops)
        printf("skipped: no onednn here ");
    return emulated.ops != NULL;
}

static void test_integers(void)
{
    for (int64_t rows = CAPACITY - 1; there() && rows <= CAPACITY; rows++) {
        run r, exact;
        double error[3];
        open_run(&r, RESIDUAL, ANPE_FLOAT, emulated, rows, 1);
        open_run(&exact, RESIDUAL, ANPE_DOUBLE, anpe_test_naive, rows, 1);
        errors(&r, &exact, error);
        for (int i = 0; i < 3; i++)
            CU_ASSERT(error[i] < 1e-20); /* what oneDNN's ReLU leaves of a negative number */
        close_run(&r), close_run(&exact);
    }
}

/* Each of the few roundings on the way is off by up to 2^-9 of the number, 0.001 in the mean; the
 * emulation adds nothing. A maximum that is decided by the rounding sends its gradient elsewhere:
 * then more. A term left out or a wrong sign is of the order of 1. */
static void check_close(int which, double most)
{
    for (int64_t rows = CAPACITY - 1; there() && rows <= CAPACITY; rows++) {
        run r, exact;
        double error[3];
        open_run(&r, which, ANPE_FLOAT, emulated, rows, 0);
        open_run(&exact, which, ANPE_DOUBLE, anpe_test_naive, rows, 0);
        errors(&r, &exact, error);
        printf("%s: %.1e %.1e %.1e ", cases[which].name, error[0], error[1], error[2]);
        for (int i = 0; i < 3; i++)
            CU_ASSERT(error[i] > 1e-5 && error[i] <= most);
        close_run(&r), close_run(&exact);
    }
}

static void test_residual(void)
{
    check_close(RESIDUAL, 0.05);
}

static void test_mean(void)
{
    check_close(MEAN, 0.01);
}

static void test_recurrent(void)
{
    check_close(RECURRENT, 0.01);
}

static void test_gru(void)
{
    check_close(ONE_GRU, 0.01);
}

static void test_border(void)
{
    check_close(BORDER, 0.01);
}

/* What is not finite stays so and is found where it arises. */
static void test_nonfinite(void)
{
    if (!there())
        return;
    anpe_test_net n;
    CU_ASSERT_EQUAL_FATAL(anpe_test_open(&n, &cases[RESIDUAL], ANPE_FLOAT, 1, emulated, CAPACITY),
                          0);
    CU_ASSERT_PTR_NULL(anpe_executor_first_nonfinite(n.e, CAPACITY));
    const anpe_parameter *bias = anpe_parameters_find(n.p, "test.b.bias");
    ((float *)n.p->raw)[bias->offset] = NAN;
    anpe_parameters_prepare(n.p);
    CU_ASSERT_STRING_EQUAL(anpe_executor_first_nonfinite(n.e, CAPACITY), "conv1d test.b");
    anpe_executor_forward(n.e, CAPACITY);
    const float *y = anpe_executor_tensor(n.e, n.out);
    for (int64_t i = 0; i < n.n_out; i++)
        CU_ASSERT(isnan(y[i]));
    anpe_test_close(&n);
}

static const anpe_plugin *plugin; /* NULL: no oneDNN here */
static void *onednn;

static int start(void)
{
    const anpe_backend_setup setup = {sizeof setup, ANPE_NUMBER_BFLOAT16};
    ctx = anpe_ctx_new();
    if (anpe_loader_get(ctx, ANPE_BACKEND, "onednn", &plugin) != ANPE_OK) {
        test_skip(anpe_error(ctx));
        return 0;
    }
    if (plugin->create(ctx, (const int[]){1}, &setup, &onednn) != ANPE_OK)
        return 1;
    emulated = (anpe_backend){onednn, plugin->ops, ANPE_NUMBER_BFLOAT16};
    return 0;
}

static int stop(void)
{
    if (plugin)
        plugin->destroy(onednn);
    ctx = anpe_ctx_free(ctx);
    return 0;
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"small integers: as in float", test_integers},
        {"residual convolutions to the rounding", test_residual},
        {"a mean over the length", test_mean},
        {"GRUs to the rounding", test_recurrent},
        {"a GRU between floats", test_gru},
        {"one reader in float only", test_border},
        {"what is not finite", test_nonfinite},
    };
    return test_run(argc, argv, "bfloat16", COUNT(tests), tests, start, stop);
}
