/* golden_check [--backend NAME] FILE.h5 -- does the C network agree with the one stated in PyTorch?
 *
 * Builds resnet_gru and maf with the shapes of the file's attributes, through the plugins, loads
 * the weights and compares features, log_prob, loss, every gradient, grad_input and inverse with
 * the file, in double and in float. Exits 0 when all agree, 1 when not, 2 for wrong usage.
 *
 * Error of a tensor: largest |difference| over largest |value in the file|; for weight_v the larger
 * of that and of the gradient of its weight_g, because both come from the same dL/dw and the one
 * may cancel to nothing. Double must agree to 1e-10.
 *
 * Bound in float: a computed sum of n products is the exact sum of products each changed by about
 * sqrt(n) u, u = 2^-24 (Higham 2002, section 3.1, with the roundings as independent, Higham & Mary
 * 2019). So the float network is the exact network with weights and inputs changed that much. The
 * double network is run with all of them changed by +-sqrt(n) u, n the longest sum, for PROBES
 * choices of the signs; the bound of a tensor is SAFETY times the largest change seen, at least
 * SAFETY sqrt(n) u. This includes how ill-conditioned the network is and relus near zero. Where
 * float underflows, n terms lose up to 2^-126 each. */
#include "golden/golden.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLE_TOLERANCE 1e-10
#define PROBES           8
#define SAFETY           4.0

/* Tensors of a result: these, then one gradient for each parameter. */
enum { FEATURES, LOG_PROB, LOSS, GRAD_INPUT, INVERSE, GRADIENTS };

typedef struct comparison {
    anpe_ctx *ctx;
    const char *backend; /* of the float network */
    golden g;
    fixture in_double, in_float;
    golden_result exact, single;
    double *change;      /* of each tensor, the largest over the probes so far */
    double gamma, worst; /* largest float error over its bound */
    int failures;
} comparison;

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Terms of the longest sum, forward or backward. */
static int64_t longest_sum(const golden *g)
{
    int64_t channels = g->conv_min, n = g->batch * g->length; /* gradient of a convolution */
    for (int64_t i = 1; i < g->depth && channels < g->conv_max; i++)
        channels *= 2;
    channels = larger(channels < g->conv_max ? channels : g->conv_max, g->channels);
    n = larger(n, channels * g->kernel);
    n = larger(n, 3 * channels); /* gradient through a GRU's gates */
    n = larger(n, larger(g->hidden, g->cond));
    return larger(n, 3 * g->n_mog * g->labels);
}

static double largest(int64_t n, const double *v)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(v[i]) <= most)) /* a NaN is the largest of all */
            most = fabs(v[i]);
    return most;
}

static double largest_difference(int64_t n, const double *a, const double *b)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= most))
            most = isnan(a[i] - b[i]) ? INFINITY : fabs(a[i] - b[i]);
    return most;
}

/* Tensor i of a result, and its size. */
static const double *tensor(const comparison *c, const golden_result *r, int64_t i, int64_t *n)
{
    const golden *g = &c->g;
    const double *const named[] = {r->features, r->log_prob, r->loss, r->grad_input, r->inverse};
    const int64_t sizes[] = {g->batch * g->cond, g->batch, 1, g->batch * g->length * g->channels,
                             g->batch * g->labels};
    const anpe_parameter *table = c->in_double.parameters->table;
    *n = i < GRADIENTS ? sizes[i] : table[i - GRADIENTS].size;
    return i < GRADIENTS ? named[i] : r->gradient + table[i - GRADIENTS].offset;
}

/* A tensor of zeros has no scale: the difference itself. */
static double relative(double difference, double scale)
{
    return scale > 0 ? difference / scale : difference;
}

/* One line. want: the file's values; scale: largest value to compare with. */
static void report(comparison *c, const char *name, int64_t i, const double *want, double scale)
{
    int64_t n;
    const double *exact = tensor(c, &c->exact, i, &n), *single = tensor(c, &c->single, i, &n);
    const double in_double = largest_difference(n, exact, want);
    const double in_float = largest_difference(n, single, want);
    const double bound =
        SAFETY * fmax(c->gamma * scale, c->change[i]) + (double)longest_sum(&c->g) * 0x1p-126;
    const int ok =
        isfinite(largest(n, want)) && in_double <= DOUBLE_TOLERANCE * scale && in_float <= bound;
    printf("%-4s %-50s double %.1e  float %.1e  bound %.1e\n", ok ? "ok" : "FAIL", name,
           relative(in_double, scale), relative(in_float, scale), relative(bound, scale));
    c->worst = fmax(c->worst, in_float / bound);
    c->failures += !ok;
}

static anpe_status compare(comparison *c, const char *name, int64_t i)
{
    int64_t n;
    double *want = NULL;
    (void)tensor(c, &c->exact, i, &n);
    const anpe_status status = golden_read(c->ctx, &c->g, name, n, &want);
    if (!status)
        report(c, name, i, want, largest(n, want));
    free(want);
    return status;
}

static anpe_status compare_grad_input(comparison *c)
{
    const golden *g = &c->g;
    const int64_t n = g->batch * g->length * g->channels;
    double *want = NULL, *turned = malloc((size_t)n * sizeof *turned);
    anpe_status status = golden_read(c->ctx, g, "grad_input", n, &want);
    if (!status && !turned)
        status = ANPE_FAIL(c->ctx, ANPE_ENOMEM, "out of memory");
    if (!status) {
        golden_transpose(g, want, turned);
        report(c, "grad_input", GRAD_INPUT, turned, largest(n, turned));
    }
    free(want);
    free(turned);
    return status;
}

/* The gradient of weight_g that belongs to a weight_v: the larger of both is the scale. */
static anpe_status scale_of_gradient(comparison *c, const anpe_parameter *p, const double *want,
                                     double *scale)
{
    char name[256], partner[256];
    double *other = NULL;
    *scale = largest(p->size, want);
    if (p->transform != ANPE_NORM_V)
        return ANPE_OK;
    snprintf(partner, sizeof partner, "%s", p->name);
    partner[strlen(partner) - 1] = 'g';
    golden_name("grad", partner, name, sizeof name);
    const anpe_status status = golden_read(c->ctx, &c->g, name, p->shape[0], &other);
    if (!status)
        *scale = fmax(*scale, largest(p->shape[0], other));
    free(other);
    return status;
}

static anpe_status compare_gradients(comparison *c)
{
    const anpe_parameters *all = c->in_double.parameters;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < all->n && !status; i++) {
        const anpe_parameter *p = &all->table[i];
        char name[256];
        double *want = NULL, scale = 0;
        if (p->transform == ANPE_BUFFER)
            continue;
        golden_name("grad", p->name, name, sizeof name);
        status = golden_read(c->ctx, &c->g, name, p->size, &want);
        if (!status)
            status = scale_of_gradient(c, p, want, &scale);
        if (!status)
            report(c, name, GRADIENTS + i, want, scale);
        free(want);
    }
    return status;
}

/* Which u chooses the file's components: from features and the file's inverse. */
static anpe_status find_uniforms(comparison *c)
{
    golden *g = &c->g;
    double *features = NULL, *inverse = NULL;
    anpe_status status = golden_read(c->ctx, g, "features", g->batch * g->cond, &features);
    if (!status)
        status = golden_read(c->ctx, g, "inverse", g->batch * g->labels, &inverse);
    if (!status)
        status = golden_load(c->ctx, g, &c->in_double);
    if (!status)
        status = golden_uniforms(c->ctx, g, &c->in_double, features, g->batch, inverse, g->k, NULL,
                                 g->u);
    free(features);
    free(inverse);
    return status;
}

/* How far the double network moves when its weights and inputs do. */
static anpe_status probe(comparison *c)
{
    const int64_t tensors = GRADIENTS + c->in_double.parameters->n;
    anpe_status status = ANPE_OK;
    if (ANPE_NEW(c->ctx, c->change, tensors))
        return ANPE_ENOMEM;
    for (uint32_t p = 0; p < PROBES && !status; p++) {
        golden_result moved;
        status = golden_run(c->ctx, &c->g, &c->in_double, c->gamma, p + 1, &moved);
        for (int64_t i = 0; i < tensors && !status; i++) {
            int64_t n;
            const double *to = tensor(c, &moved, i, &n), *from = tensor(c, &c->exact, i, &n);
            c->change[i] = fmax(c->change[i], largest_difference(n, to, from));
        }
        golden_result_clear(&moved);
    }
    return status;
}

static anpe_status run_all(comparison *c)
{
    anpe_status status = golden_network(c->ctx, &c->g, "openblas", &c->in_double);
    if (!status)
        status = fixture_run_in(c->ctx, &c->in_double, ANPE_DOUBLE);
    if (!status)
        status = golden_network(c->ctx, &c->g, c->backend, &c->in_float);
    if (!status)
        status = fixture_run_in(c->ctx, &c->in_float, ANPE_FLOAT);
    if (!status)
        status = find_uniforms(c);
    if (!status)
        status = golden_run(c->ctx, &c->g, &c->in_double, 0, 0, &c->exact);
    if (!status)
        status = golden_run(c->ctx, &c->g, &c->in_float, 0, 0, &c->single);
    if (!status)
        status = probe(c);
    return status;
}

static anpe_status check(comparison *c, const char *path)
{
    golden *g = &c->g;
    anpe_status status = golden_open(c->ctx, path, g);
    if (status)
        return status;
    c->gamma = sqrt((double)longest_sum(g)) * 0x1p-24;
    status = run_all(c);
    if (!status)
        status = compare(c, "features", FEATURES);
    if (!status)
        status = compare(c, "log_prob", LOG_PROB);
    if (!status)
        status = compare(c, "loss", LOSS);
    if (!status)
        status = compare_gradients(c);
    if (!status)
        status = compare_grad_input(c);
    if (!status)
        status = compare(c, "inverse", INVERSE);
    return status;
}

static void clear(comparison *c)
{
    golden_result_clear(&c->exact);
    golden_result_clear(&c->single);
    free(c->change);
    fixture_clear(&c->in_double);
    fixture_clear(&c->in_float);
    golden_close(&c->g);
}

int main(int argc, char **argv)
{
    const int named = argc == 4 && strcmp(argv[1], "--backend") == 0;
    if (argc != 2 && !named) {
        fprintf(stderr, "usage: golden_check [--backend NAME] FILE.h5\n");
        return 2;
    }
    fixture_find_plugins();
    comparison c = {.ctx = anpe_ctx_new(), .backend = named ? argv[2] : "openblas"};
    if (!c.ctx) {
        fprintf(stderr, "golden_check: out of memory\n");
        return EXIT_FAILURE;
    }
    const anpe_status status = check(&c, argv[argc - 1]);
    if (status)
        fprintf(stderr, "golden_check: %s\n", anpe_error(c.ctx));
    else
        printf("%s: longest sum %lld, gamma %.1e; largest float error %.2g of its bound: %s\n",
               argv[argc - 1], (long long)longest_sum(&c.g), c.gamma, c.worst,
               c.failures ? "DISAGREES" : "agrees");
    const int failed = status || c.failures;
    clear(&c);
    anpe_ctx_free(c.ctx);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
