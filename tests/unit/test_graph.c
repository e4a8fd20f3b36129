/* The graph engine: precision, plans, memory, errors, parameters. Gradients have a program of their
 * own, and so have the products. */
#include <config.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "testlib.h"
#include "base/context.h"
#include "graph/operations.h"
#include "graph/plan.h"
#include "graph_support.h"

/* Gradient with respect to the raw parameters; caller frees. */
static void *raw_gradient(anpe_test_net *net)
{
    const size_t real = net->p->precision == ANPE_FLOAT ? sizeof(float) : sizeof(double);
    void *seed = calloc((size_t)net->n_out, real);
    void *effective = calloc((size_t)net->p->effective_size + 1, real);
    void *raw = calloc((size_t)net->p->size + 1, real);
    for (int64_t i = 0; i < net->n_out; i++)
        if (net->p->precision == ANPE_FLOAT)
            ((float *)seed)[i] = (float)anpe_test_number(55, i);
        else
            ((double *)seed)[i] = anpe_test_number(55, i);
    anpe_executor_forward(net->e, net->batch);
    anpe_executor_backward(net->e, net->out, seed, effective);
    anpe_parameters_pull_back(net->p, effective, raw);
    free(seed), free(effective);
    return raw;
}

/* max |x - y| / rms(y) */
static double distance(int64_t n, const float *x, const double *y)
{
    double square = 0, worst = 0;
    for (int64_t i = 0; i < n; i++) {
        square += y[i] * y[i];
        worst = fmax(worst, fabs((double)x[i] - y[i]));
        CU_ASSERT(isfinite(x[i]));
    }
    return n ? worst / (sqrt(square / (double)n) + 1e-30) : 0;
}

/* Sums here have at most some 100 terms and nets at most 10 layers: 1000 eps = 1.2e-4 bounds the
 * rounding of a float run; it is 100 times what a wrong formula in one precision would pass. */
static void test_float_agrees_with_double(void)
{
    for (int i = 0; i < anpe_test_n_cases; i++) {
        anpe_test_net f, d;
        CU_ASSERT_EQUAL_FATAL(
            anpe_test_open(&f, &anpe_test_cases[i], ANPE_FLOAT, 1, anpe_test_naive, 3), 0);
        CU_ASSERT_EQUAL_FATAL(
            anpe_test_open(&d, &anpe_test_cases[i], ANPE_DOUBLE, 1, anpe_test_naive, 3), 0);
        float *gf = raw_gradient(&f);
        double *gd = raw_gradient(&d);
        const double a =
            distance(f.n_out, anpe_executor_tensor(f.e, f.out), anpe_executor_tensor(d.e, d.out));
        const double b = distance(f.p->size, gf, gd);
        if (!(a < 1.2e-4 && b < 1.2e-4))
            fprintf(stderr, "\n%s: float differs by %g, gradient %g\n", anpe_test_cases[i].name, a,
                    b);
        CU_ASSERT(a < 1.2e-4 && b < 1.2e-4);
        free(gf), free(gd);
        anpe_test_close(&f), anpe_test_close(&d);
    }
}

/* Gradients of inputs do not need those of parameters, nor change without them. */
static void test_input_gradients_alone(void)
{
    for (int i = 0; i < 2 * anpe_test_n_cases; i++) {
        const anpe_precision precision = i % 2 ? ANPE_DOUBLE : ANPE_FLOAT;
        const size_t real = i % 2 ? sizeof(double) : sizeof(float);
        anpe_test_net n;
        CU_ASSERT_EQUAL_FATAL(
            anpe_test_open(&n, &anpe_test_cases[i / 2], precision, 1, anpe_test_naive, 3), 0);
        char *seed = calloc((size_t)n.n_out, real);
        char *effective = calloc((size_t)n.p->effective_size + 1, real);
        for (int64_t k = 0; k < n.n_out; k++)
            if (i % 2)
                ((double *)(void *)seed)[k] = anpe_test_number(3, k);
            else
                ((float *)(void *)seed)[k] = (float)anpe_test_number(3, k);
        anpe_executor_forward(n.e, 3);
        anpe_executor_backward(n.e, n.out, seed, effective);
        char *both[2] = {NULL, NULL};
        for (int j = 0; j < 2 && n.in[j] >= 0; j++) {
            both[j] = malloc((size_t)n.n_in[j] * real);
            memcpy(both[j], anpe_executor_gradient(n.e, n.in[j]), (size_t)n.n_in[j] * real);
        }
        anpe_executor_forward(n.e, 3);
        anpe_executor_backward(n.e, n.out, seed, NULL);
        for (int j = 0; j < 2 && both[j]; j++)
            CU_ASSERT(
                !memcmp(both[j], anpe_executor_gradient(n.e, n.in[j]), (size_t)n.n_in[j] * real));
        free(seed), free(effective), free(both[0]), free(both[1]);
        anpe_test_close(&n);
    }
}

static void test_inference_equals_training(void)
{
    for (int i = 0; i < anpe_test_n_cases; i++) {
        anpe_test_net train, infer;
        CU_ASSERT_EQUAL_FATAL(
            anpe_test_open(&train, &anpe_test_cases[i], ANPE_FLOAT, 1, anpe_test_naive, 3), 0);
        CU_ASSERT_EQUAL_FATAL(
            anpe_test_open(&infer, &anpe_test_cases[i], ANPE_FLOAT, 0, anpe_test_naive, 3), 0);
        anpe_executor_forward(train.e, 3);
        for (int again = 0; again < 2; again++) { /* inputs stay as written */
            anpe_executor_forward(infer.e, 3);
            CU_ASSERT_EQUAL(memcmp(anpe_executor_tensor(train.e, train.out),
                                   anpe_executor_tensor(infer.e, infer.out),
                                   (size_t)train.n_out * sizeof(float)),
                            0);
        }
        anpe_test_close(&train), anpe_test_close(&infer);
    }
}

/* A row alone gives what it gives as part of a batch, up to the order of sums in the backend. */
static void test_rows_are_independent(void)
{
    for (int i = 0; i < anpe_test_n_cases; i++) {
        anpe_test_net many, one;
        CU_ASSERT_EQUAL_FATAL(
            anpe_test_open(&many, &anpe_test_cases[i], ANPE_FLOAT, 0, anpe_test_naive, 5), 0);
        CU_ASSERT_EQUAL_FATAL(
            anpe_test_open(&one, &anpe_test_cases[i], ANPE_FLOAT, 0, anpe_test_naive, 5), 0);
        const int64_t n = many.n_out / 5;
        anpe_executor_forward(many.e, 5);
        for (int64_t row = 0; row < 5; row++) {
            for (int j = 0; j < 2 && one.in[j] >= 0; j++) {
                const int64_t m = one.n_in[j] / 5;
                memcpy(anpe_executor_tensor(one.e, one.in[j]),
                       (const float *)anpe_executor_tensor(many.e, many.in[j]) + row * m,
                       (size_t)m * sizeof(float));
            }
            anpe_executor_forward(one.e, 1);
            CU_ASSERT_EQUAL(memcmp(anpe_executor_tensor(one.e, one.out),
                                   (const float *)anpe_executor_tensor(many.e, many.out) + row * n,
                                   (size_t)n * sizeof(float)),
                            0);
        }
        anpe_test_close(&many), anpe_test_close(&one);
    }
}

static void *gradient_in_thread(void *net)
{
    return raw_gradient(net);
}

static void test_threads_give_the_same_bits(void)
{
    const anpe_test_case *c = &anpe_test_cases[anpe_test_n_cases - 1];
    anpe_test_net net[2];
    void *grad[2];
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(anpe_test_open(&net[i], c, ANPE_FLOAT, 1, anpe_test_naive, 4), 0);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, gradient_in_thread, &net[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], &grad[i]);
    CU_ASSERT_EQUAL(memcmp(grad[0], grad[1], (size_t)net[0].p->size * sizeof(float)), 0);
    for (int i = 0; i < 2; i++)
        free(grad[i]), anpe_test_close(&net[i]);
}

/* ---- memory ------------------------------------------------------------------------------ */

static void test_plan_never_overlaps(void)
{
    for (uint32_t seed = 0; seed < 50; seed++) {
        anpe_lifetime x[40];
        int order[40];
        for (int i = 0; i < 40; i++) {
            const int first = (int)(50 * (1 + anpe_test_number(seed, 3 * i)));
            const int length = (int)(10 * (1 + anpe_test_number(seed, 3 * i + 1)));
            x[i] = (anpe_lifetime){(size_t)(1 + 2000 * fabs(anpe_test_number(seed, 3 * i + 2))), 1,
                                   first, first + length - 1};
        }
        const size_t total = anpe_plan(40, x, order);
        for (int i = 0; i < 40; i++) {
            CU_ASSERT(x[i].last < x[i].first || x[i].offset + x[i].size <= total);
            for (int j = 0; j < i; j++) {
                const int together = x[i].first <= x[j].last && x[j].first <= x[i].last &&
                                     x[i].first <= x[i].last && x[j].first <= x[j].last;
                CU_ASSERT(!together || x[i].offset + x[i].size <= x[j].offset ||
                          x[j].offset + x[j].size <= x[i].offset);
            }
        }
    }
}

static anpe_node chain(anpe_graph *g, const anpe_node *in)
{
    anpe_node x = in[0];
    for (int i = 0; i < 20; i++)
        x = anpe_tanh(g, x);
    return x;
}

/* 20 tensors one after the other: inference holds the input, the output and two in between. */
static void test_inference_uses_memory_again(void)
{
    static const anpe_test_case c = {"chain", chain, 1, {1, 0}, {1, 0}, {1024, 0}, 0};
    const size_t tensor = 4 * 1024 * sizeof(float);
    anpe_test_net infer, train;
    CU_ASSERT_EQUAL_FATAL(anpe_test_open(&infer, &c, ANPE_FLOAT, 0, anpe_test_naive, 4), 0);
    CU_ASSERT_EQUAL_FATAL(anpe_test_open(&train, &c, ANPE_FLOAT, 1, anpe_test_naive, 4), 0);
    CU_ASSERT(anpe_executor_bytes(infer.e) <= 4 * tensor + 64);
    /* training keeps 20 outputs and the input, and two gradients at a time beside the input's */
    CU_ASSERT(anpe_executor_bytes(train.e) >= 21 * tensor);
    CU_ASSERT(anpe_executor_bytes(train.e) <= 25 * tensor);
    anpe_test_close(&infer), anpe_test_close(&train);
}

/* A featurizer once, then a head for other rows. */
static void test_forward_between(void)
{
    anpe_ctx *ctx = anpe_ctx_new();
    anpe_graph *g = anpe_graph_new();
    const anpe_node x = anpe_graph_input(g, "x", 1, 1, 3), y = anpe_graph_input(g, "y", 1, 1, 4);
    const anpe_node f = anpe_tanh(g, anpe_linear(g, "f", x, 4, 0));
    const anpe_node out = anpe_linear(g, "h", anpe_multiply(g, f, y), 2, 0);
    const anpe_node outputs[2] = {f, out};
    anpe_parameters *p = NULL;
    anpe_executor *e = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, g, ANPE_FLOAT, 1, &p), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_executor_new(ctx, g, p, anpe_test_naive, 1, 0, 0, 2, outputs, &e),
                          ANPE_OK);
    float *in = anpe_executor_tensor(e, x), *other = anpe_executor_tensor(e, y);
    for (int i = 0; i < 4; i++)
        other[i] = (float)i + 1, in[i < 3 ? i : 0] = (float)i - 1;
    anpe_executor_forward(e, 1);
    float expected[2];
    memcpy(expected, anpe_executor_tensor(e, out), sizeof expected);
    in[0] = 77; /* must not matter any more */
    memset(anpe_executor_tensor(e, out), 0, sizeof expected);
    anpe_executor_forward_between(e, 1, 2, (const anpe_node[]){f, y}, out);
    CU_ASSERT_EQUAL(memcmp(expected, anpe_executor_tensor(e, out), sizeof expected), 0);
    other[2] = -5; /* must matter */
    anpe_executor_forward_between(e, 1, 2, (const anpe_node[]){f, y}, out);
    CU_ASSERT_NOT_EQUAL(memcmp(expected, anpe_executor_tensor(e, out), sizeof expected), 0);
    anpe_executor_free(e), anpe_parameters_free(p), anpe_graph_free(g), anpe_ctx_free(ctx);
}

/* Counts what the backend of test_tables_of_older_plugins is asked. */
static int asked;

static anpe_status count_new(const void *self, anpe_ctx *ctx, const anpe_backend_request *request,
                             anpe_backend_operation *operation)
{
    (void)self, (void)ctx, (void)request, (void)operation; /* declines */
    asked++;
    return ANPE_OK;
}

static void never(void *state, const anpe_call *call)
{
    (void)state, (void)call;
    abort();
}

static void free_nothing(void *state)
{
    (void)state;
}

static int ask_with_table_of(size_t size)
{
    anpe_backend_ops ops = *anpe_test_naive.ops;
    ops.size = size;
    ops.operation_new = count_new;
    ops.operation_free = free_nothing;
    ops.operation_prepare = ops.operation_forward = ops.operation_backward = never;
    anpe_test_net net;
    asked = 0;
    for (int i = 0; i < anpe_test_n_cases; i++)
        if (!strcmp(anpe_test_cases[i].name, "linear")) {
            CU_ASSERT_EQUAL_FATAL(anpe_test_open(&net, &anpe_test_cases[i], ANPE_FLOAT, 1,
                                                 (anpe_backend){.ops = &ops}, 1),
                                  0);
            anpe_test_close(&net);
        }
    return asked;
}

/* A table has the members that lie within its size: those that are appended later take nothing
 * away, and what lies behind a shorter one is not looked at. */
static void test_tables_of_older_plugins(void)
{
    const anpe_backend_ops *t = NULL;
    const size_t hooks = offsetof(anpe_backend_ops, operation_backward);
    CU_ASSERT(ask_with_table_of(sizeof *t) > 0);
    CU_ASSERT(ask_with_table_of(sizeof *t + 64) > 0);
    CU_ASSERT(ask_with_table_of(hooks + sizeof t->operation_backward) > 0);
    CU_ASSERT_EQUAL(ask_with_table_of(hooks), 0);
    CU_ASSERT_EQUAL(ask_with_table_of(offsetof(anpe_backend_ops, operation_new)), 0);
}

static int apply_of_size(size_t size)
{
    anpe_operation operation = *anpe_operation_get(ANPE_OP_tanh);
    operation.size = size;
    anpe_graph *g = anpe_graph_new();
    const anpe_node x = anpe_graph_input(g, "x", 1, 1, 3);
    const anpe_node y = anpe_apply(g, &operation, "y", 1, &x, 0, NULL, NULL, 0);
    anpe_graph_free(g);
    return y >= 0;
}

/* Likewise for an operation that a plugin brings: its last member of ABI 1.0 is enough. */
static void test_operations_of_older_plugins(void)
{
    const anpe_operation *o = NULL;
    const size_t last = offsetof(anpe_operation, backward_needs) + sizeof o->backward_needs;
    CU_ASSERT(apply_of_size(sizeof *o));
    CU_ASSERT(apply_of_size(last));
    CU_ASSERT(!apply_of_size(last - 1));
}

static void test_nonfinite_is_named(void)
{
    anpe_test_net net;
    const anpe_test_case *c = &anpe_test_cases[anpe_test_n_cases - 1];
    CU_ASSERT_EQUAL_FATAL(anpe_test_open(&net, c, ANPE_FLOAT, 1, anpe_test_naive, 2), 0);
    anpe_executor_forward(net.e, 2);
    CU_ASSERT_PTR_NULL(anpe_executor_first_nonfinite(net.e, 2));
    const anpe_parameter *w = anpe_parameters_find(net.p, "test.c2.bias");
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    ((float *)net.p->raw)[w->offset] = NAN;
    anpe_parameters_prepare(net.p);
    anpe_executor_forward(net.e, 2);
    CU_ASSERT_STRING_EQUAL(anpe_executor_first_nonfinite(net.e, 2), "conv1d test.c2");
    CU_ASSERT(isnan(((const float *)anpe_executor_tensor(net.e, net.out))[0]));
    ((float *)anpe_executor_tensor(net.e, net.in[0]))[3] = INFINITY;
    CU_ASSERT_STRING_EQUAL(anpe_executor_first_nonfinite(net.e, 2), "input x");
    anpe_test_close(&net);
}

/* ---- building ---------------------------------------------------------------------------- */

static void expect_error(anpe_graph *g, const char *message)
{
    anpe_ctx *ctx = anpe_ctx_new();
    CU_ASSERT_EQUAL(anpe_graph_check(ctx, g), ANPE_EINVAL);
    CU_ASSERT_STRING_EQUAL(anpe_error(ctx), message);
    anpe_ctx_free(ctx);
    anpe_graph_free(g);
}

/* A graph in scope "flow" with x (B, 9, 4) and v (B, 6). */
static anpe_graph *start(anpe_node *x, anpe_node *v)
{
    anpe_graph *g = anpe_graph_new();
    *x = anpe_graph_input(g, "x", 2, 9, 4);
    *v = anpe_graph_input(g, "v", 1, 1, 6);
    anpe_graph_scope(g, "flow");
    return g;
}

static void test_errors_name_the_operation(void)
{
    anpe_node x, v;
    anpe_graph *g = start(&x, &v);
    anpe_add(g, x, v);
    expect_error(g, "add: shapes do not fit: input (B, 9, 4) and (B, 6)");
    g = start(&x, &v);
    const anpe_node bad = anpe_conv1d(g, "head", v, 3, 3, 0);
    CU_ASSERT(bad < 0);
    CU_ASSERT(anpe_linear(g, "after", bad, 3, 0) < 0); /* the first error stays */
    CU_ASSERT_EQUAL(anpe_width(g, bad), 1);
    expect_error(g, "conv1d flow.head: shapes do not fit: input (B, 6)");
    g = start(&x, &v);
    anpe_conv1d(g, "c", x, 3, 4, 0);
    expect_error(g, "conv1d flow.c: 3 channels and kernel 4; channels must be positive and the "
                    "kernel odd");
    g = start(&x, &v);
    anpe_linear(g, "l", v, 2, 0);
    anpe_linear(g, "l", v, 2, 0);
    expect_error(g, "two parameters are called flow.l.weight");
    g = start(&x, &v);
    anpe_permute(g, "p", v, (const int64_t[]){0, 1, 2, 3, 4, 4});
    expect_error(g, "permute flow.p: entry 5 is 4: not a permutation of 0..5");
    g = start(&x, &v);
    anpe_slice(g, v, 4, 3);
    expect_error(g, "slice: shapes do not fit: input (B, 6)");
    g = start(&x, &v);
    anpe_relu(g, 99);
    expect_error(g, "relu: input 0 is not a node of this graph");
}

/* ---- parameters -------------------------------------------------------------------------- */

static anpe_graph *parameter_graph(void)
{
    anpe_node x, v;
    anpe_graph *g = start(&x, &v);
    anpe_conv1d(g, "conv", x, 5, 3, ANPE_WEIGHT_NORM);
    anpe_masked_linear(g, "made", v, 3, (const int[]){0, 1, -1}, (const int[]){0, 1, 2, 0, 1, 2},
                       0);
    anpe_linear(g, "zero", v, 2, ANPE_ZERO_INIT);
    anpe_permute(g, "perm", v, (const int64_t[]){5, 4, 3, 2, 1, 0});
    return g;
}

static void test_names_shapes_and_initial_values(void)
{
    anpe_ctx *ctx = anpe_ctx_new();
    anpe_graph *g = parameter_graph();
    anpe_parameters *f = NULL, *d = NULL, *other = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, g, ANPE_FLOAT, 5, &f), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, g, ANPE_DOUBLE, 5, &d), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, g, ANPE_FLOAT, 6, &other), ANPE_OK);
    const anpe_parameter *v = anpe_parameters_find(f, "flow.conv.weight_v");
    const anpe_parameter *n = anpe_parameters_find(f, "flow.conv.weight_g");
    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    CU_ASSERT(v->rank == 3 && v->shape[0] == 5 && v->shape[1] == 4 && v->shape[2] == 3);
    CU_ASSERT(n->rank == 3 && n->size == 5 && n->shape[1] == 1);
    CU_ASSERT_PTR_NULL(anpe_parameters_find(f, "flow.conv.weight"));
    const float *raw = f->raw, *w = raw + v->offset;
    double largest = 0, square = 0;
    for (int64_t i = 0; i < v->size; i++) {
        largest = fmax(largest, fabs((double)w[i]));
        CU_ASSERT_EQUAL(w[i], (float)((const double *)d->raw)[v->offset + i]);
    }
    for (int i = 0; i < 12; i++)
        square += (double)w[i] * (double)w[i];
    const double bound = 1 / sqrt(12.0);
    CU_ASSERT(largest <= bound && largest > 0.8 * bound); /* of 60 numbers */
    CU_ASSERT_DOUBLE_EQUAL(raw[n->offset], sqrt(square), 1e-6);
    CU_ASSERT_NOT_EQUAL(memcmp(raw, other->raw, (size_t)f->size * sizeof *raw), 0);
    CU_ASSERT_EQUAL(raw[anpe_parameters_find(f, "flow.zero.weight")->offset], 0);
    anpe_parameters_free(f), anpe_parameters_free(d), anpe_parameters_free(other);
    anpe_graph_free(g), anpe_ctx_free(ctx);
}

static void test_weights_are_effective(void)
{
    anpe_ctx *ctx = anpe_ctx_new();
    anpe_graph *g = parameter_graph();
    anpe_parameters *p = NULL, *d = NULL;
    anpe_weights *view = NULL;
    int rank;
    int64_t shape[4];
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, g, ANPE_FLOAT, 5, &p), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, g, ANPE_DOUBLE, 5, &d), ANPE_OK);
    CU_ASSERT_EQUAL(anpe_weights_new(ctx, d, "flow", &view), ANPE_EUNSUPPORTED);
    ((float *)p->raw)[anpe_parameters_find(p, "flow.conv.weight_g")->offset] = 7;
    anpe_parameters_prepare(p);
    CU_ASSERT_EQUAL_FATAL(anpe_weights_new(ctx, p, "flow", &view), ANPE_OK);
    const float *w = anpe_weights_get(view, "conv.weight", &rank, shape);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    CU_ASSERT(rank == 3 && shape[0] == 5 && shape[1] == 4 && shape[2] == 3);
    double square = 0;
    for (int i = 0; i < 12; i++)
        square += (double)w[i] * (double)w[i];
    CU_ASSERT_DOUBLE_EQUAL(sqrt(square), 7, 1e-5);
    w = anpe_weights_get(view, "made.weight", &rank, shape);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(w[i] != 0, i % 3 == 0); /* degree 0 sees inputs of degree 0 */
        CU_ASSERT_EQUAL(w[6 + i] != 0, i % 3 <= 1);
        CU_ASSERT_EQUAL(w[12 + i], 0);
    }
    w = anpe_weights_get(view, "perm", &rank, shape);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    CU_ASSERT(rank == 1 && shape[0] == 6 && w[0] == 5 && w[5] == 0);
    CU_ASSERT_PTR_NULL(anpe_weights_get(view, "conv.weight_v", &rank, shape));
    anpe_weights_free(view), anpe_parameters_free(p), anpe_parameters_free(d);
    anpe_graph_free(g), anpe_ctx_free(ctx);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"float agrees with double", test_float_agrees_with_double},
        {"input gradients alone", test_input_gradients_alone},
        {"inference equals training", test_inference_equals_training},
        {"rows are independent", test_rows_are_independent},
        {"threads give the same bits", test_threads_give_the_same_bits},
        {"plan never overlaps", test_plan_never_overlaps},
        {"inference uses memory again", test_inference_uses_memory_again},
        {"forward between", test_forward_between},
        {"tables of older plugins", test_tables_of_older_plugins},
        {"operations of older plugins", test_operations_of_older_plugins},
        {"nonfinite is named", test_nonfinite_is_named},
        {"errors name the operation", test_errors_name_the_operation},
        {"names shapes and initial values", test_names_shapes_and_initial_values},
        {"weights are effective", test_weights_are_effective},
    };
    return test_run(argc, argv, "graph", COUNT(tests), tests, NULL, NULL);
}
