#include <config.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/context.h"
#include "graph_support.h"

#define NAIVE(name, real)                                                                          \
    static void name(const void *self, int ta, int tb, int64_t m, int64_t n, int64_t k,            \
                     real alpha, const real *a, int64_t lda, const real *b, int64_t ldb,           \
                     real beta, real *c, int64_t ldc)                                              \
    {                                                                                              \
        (void)self;                                                                                \
        for (int64_t i = 0; i < m; i++)                                                            \
            for (int64_t j = 0; j < n; j++) {                                                      \
                double sum = 0;                                                                    \
                for (int64_t p = 0; p < k; p++)                                                    \
                    sum += (double)a[ta ? p * lda + i : i * lda + p] *                             \
                           (double)b[tb ? j * ldb + p : p * ldb + j];                              \
                c[i * ldc + j] = (real)((double)alpha * sum +                                      \
                                        (beta != 0 ? (double)beta * (double)c[i * ldc + j] : 0));  \
            }                                                                                      \
    }
NAIVE(naive_sgemm, float)
NAIVE(naive_dgemm, double)
static const anpe_backend_ops naive_ops = {
    .size = sizeof naive_ops, .sgemm = naive_sgemm, .dgemm = naive_dgemm};
const anpe_backend anpe_test_naive = {.ops = &naive_ops};

/* Weyl sequence through an integer hash: no two equal in a test. */
double anpe_test_number(uint32_t seed, int64_t i)
{
    uint32_t x = seed * 2654435769u + (uint32_t)i * 2246822519u + 1u;
    x ^= x >> 15, x *= 2246822519u, x ^= x >> 13, x *= 3266489917u, x ^= x >> 16;
    return (double)x / 2147483648.0 - 1.0;
}

static void put(const anpe_test_net *net, void *reals, int64_t i, double value)
{
    if (net->p->precision == ANPE_FLOAT)
        ((float *)reals)[i] = (float)value;
    else
        ((double *)reals)[i] = value;
}

void anpe_test_inputs(anpe_test_net *net)
{
    for (int j = 0; j < 2 && net->in[j] >= 0; j++)
        for (int64_t i = 0; i < net->n_in[j]; i++)
            put(net, anpe_executor_tensor(net->e, net->in[j]), i,
                1.3 * anpe_test_number(7u + (uint32_t)j, i));
}

/* Adds to each trained parameter, so that no bias or weight is at a special value. */
static void disturb(anpe_test_net *net)
{
    for (int64_t i = 0; i < net->p->n; i++) {
        const anpe_parameter *t = &net->p->table[i];
        for (int64_t k = 0; t->transform != ANPE_BUFFER && k < t->size; k++) {
            const double x = 0.4 * anpe_test_number(100u + (uint32_t)i, k);
            put(net, net->p->raw, t->offset + k, t->transform == ANPE_NORM_G ? 1.1 + x : x);
        }
    }
    anpe_parameters_prepare(net->p);
}

int anpe_test_open(anpe_test_net *net, const anpe_test_case *c, anpe_precision precision, int train,
                   anpe_backend backend, int64_t batch)
{
    *net = (anpe_test_net){.g = anpe_graph_new(), .in = {-1, -1}, .batch = batch};
    anpe_ctx *ctx = anpe_ctx_new();
    if (!net->g || !ctx)
        return -1;
    anpe_graph_scope(net->g, "test");
    for (int j = 0; j < c->n_inputs; j++) {
        net->in[j] = anpe_graph_input(net->g, j ? "y" : "x", c->rank[j], c->length[j], c->width[j]);
        net->n_in[j] = batch * (c->rank[j] == 2 ? c->length[j] : 1) * c->width[j];
    }
    net->out = c->build(net->g, net->in);
    net->n_out = batch * anpe_length(net->g, net->out) * anpe_width(net->g, net->out);
    int failed = anpe_parameters_new(ctx, net->g, precision, 3, &net->p) != ANPE_OK ||
                 anpe_executor_new(ctx, net->g, net->p, backend, batch, train, 1, 1, &net->out,
                                   &net->e) != ANPE_OK;
    if (failed) {
        fprintf(stderr, "%s: %s\n", c->name, anpe_error(ctx));
    } else {
        disturb(net);
        anpe_test_inputs(net);
    }
    anpe_ctx_free(ctx);
    return failed ? -1 : 0;
}

void anpe_test_close(anpe_test_net *net)
{
    anpe_executor_free(net->e);
    anpe_parameters_free(net->p);
    anpe_graph_free(net->g);
    *net = (anpe_test_net){.in = {-1, -1}};
}

/* The loss: outputs times a fixed random cotangent. */
static double loss(anpe_test_net *net)
{
    anpe_parameters_prepare(net->p);
    anpe_executor_forward(net->e, net->batch);
    const double *y = anpe_executor_tensor(net->e, net->out);
    double sum = 0;
    for (int64_t i = 0; i < net->n_out; i++)
        sum += y[i] * anpe_test_number(55, i);
    return sum;
}

/* Fourth-order central difference: truncation h^4 / 30 f^(5) and rounding 1e-16 / h, so with
 * h = 1e-4 an error near 1e-12 of the loss. h is small for the sake of the ReLU and the maximum: a
 * step must not cross a kink. */
static double numerical(anpe_test_net *net, double *x)
{
    const double h = 1e-4, x0 = *x, at[4] = {2, 1, -1, -2}, weight[4] = {-1, 8, -8, 1};
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        *x = x0 + at[i] * h;
        sum += weight[i] * loss(net);
    }
    *x = x0;
    return sum / (12 * h);
}

static double compare(anpe_test_net *net, int64_t n, double *x, const double *analytic,
                      const uint8_t *skip)
{
    double square = 0, worst = 0;
    for (int64_t i = 0; i < n; i++)
        square += analytic[i] * analytic[i];
    const double scale = n > 0 ? sqrt(square / (double)n) : 0;
    for (int64_t i = 0; i < n; i++) {
        if (skip && skip[i])
            continue;
        const double expected = numerical(net, &x[i]);
        const double error = fabs(analytic[i] - expected) / (fabs(expected) + scale + 1e-300);
        if (!(error <= worst))
            worst = error;
    }
    return worst;
}

static double gradient_error(anpe_test_net *net)
{
    double worst = 0, *seed = calloc((size_t)net->n_out, sizeof *seed);
    double *effective = calloc((size_t)net->p->effective_size + 1, sizeof *effective);
    double *raw = calloc((size_t)net->p->size + 1, sizeof *raw);
    uint8_t *skip = calloc((size_t)net->p->size + 1, 1);
    for (int64_t i = 0; seed && i < net->n_out; i++)
        seed[i] = anpe_test_number(55, i);
    for (int64_t i = 0; skip && i < net->p->n; i++)
        if (net->p->table[i].transform == ANPE_BUFFER)
            memset(skip + net->p->table[i].offset, 1, (size_t)net->p->table[i].size);
    if (!seed || !effective || !raw || !skip)
        return -1;
    loss(net);
    for (int i = 0; i < net->g->n_vertices; i++) { /* what is not set must not count */
        const anpe_vertex *v = &net->g->vertex[i];
        double *grad = anpe_executor_gradient(net->e, i);
        for (int64_t k = 0; v->operation == NULL && k < net->batch * v->length * v->width; k++)
            grad[k] = NAN;
    }
    anpe_executor_backward(net->e, net->out, seed, effective);
    anpe_parameters_pull_back(net->p, effective, raw);
    double *grad_in[2] = {NULL, NULL};
    for (int j = 0; j < 2 && net->in[j] >= 0; j++) { /* before the memory is used again */
        grad_in[j] = calloc((size_t)net->n_in[j], sizeof(double));
        if (grad_in[j])
            memcpy(grad_in[j], anpe_executor_gradient(net->e, net->in[j]),
                   (size_t)net->n_in[j] * sizeof(double));
    }
    worst = compare(net, net->p->size, net->p->raw, raw, skip);
    for (int j = 0; j < 2 && grad_in[j]; j++) {
        const double e =
            compare(net, net->n_in[j], anpe_executor_tensor(net->e, net->in[j]), grad_in[j], NULL);
        if (!(e <= worst))
            worst = e;
    }
    free(seed), free(effective), free(raw), free(skip), free(grad_in[0]), free(grad_in[1]);
    return worst;
}

static const anpe_operation *original; /* what broken_backward stands for */
static double factor;

static void broken_backward(const anpe_call *c)
{
    const int64_t n = c->batch * c->out_length * c->out_width;
    double *grad = calloc((size_t)n, sizeof *grad);
    anpe_call wrong = *c;
    wrong.grad_out = grad;
    for (int64_t i = 0; grad && i < n; i++)
        grad[i] = factor * ((const double *)c->grad_out)[i];
    original->backward[ANPE_DOUBLE](&wrong);
    free(grad);
}

double anpe_test_gradient_error(const anpe_test_case *c, double wrong)
{
    anpe_test_net net;
    double error = -1;
    if (anpe_test_open(&net, c, ANPE_DOUBLE, 1, anpe_test_naive, 2) == 0) {
        original = net.g->vertex[net.out].operation;
        factor = wrong;
        anpe_operation broken = *original;
        broken.backward[ANPE_DOUBLE] = broken_backward;
        if (factor != 1)
            net.g->vertex[net.out].operation = &broken;
        error = gradient_error(&net);
    }
    anpe_test_close(&net);
    return error;
}
