#include "golden/golden.h"
#include <stdlib.h>
#include <string.h>

/* +-1 from a counter: splitmix64 (Steele, Lea & Flood 2014), one bit. */
static double sign_of(uint32_t probe, uint64_t i)
{
    uint64_t v = ((uint64_t)probe << 40) + i * 0x9e3779b97f4a7c15u;
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
    return (v ^ (v >> 31)) & 1 ? 1 : -1;
}

typedef struct change {
    double gamma;
    uint32_t probe;
    uint64_t next;
} change;

static double changed(change *c, double v)
{
    return v * (1 + c->gamma * sign_of(c->probe, c->next++));
}

static void read_block(const fixture *f, const void *block, int64_t n, double *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = fixture_get(f, block, i);
}

void golden_result_clear(golden_result *r)
{
    free(r->features);
    free(r->log_prob);
    free(r->loss);
    free(r->gradient);
    free(r->grad_input);
    free(r->inverse);
    *r = (golden_result){0};
}

static anpe_status result_new(anpe_ctx *ctx, const golden *g, const fixture *f, golden_result *r)
{
    *r = (golden_result){
        .features = malloc((size_t)(g->batch * g->cond) * sizeof(double)),
        .log_prob = malloc((size_t)g->batch * sizeof(double)),
        .loss = malloc(sizeof(double)),
        .gradient = malloc((size_t)f->parameters->size * sizeof(double)),
        .grad_input = malloc((size_t)(g->batch * g->length * g->channels) * sizeof(double)),
        .inverse = malloc((size_t)(g->batch * g->labels) * sizeof(double)),
    };
    if (r->features && r->log_prob && r->loss && r->gradient && r->grad_input && r->inverse)
        return ANPE_OK;
    golden_result_clear(r);
    return ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
}

static void forward(const golden *g, fixture *f, change *c, golden_result *r)
{
    void *x = anpe_executor_tensor(f->executor, f->input);
    void *y = anpe_executor_tensor(f->executor, f->labels);
    for (int64_t i = 0; i < g->batch * g->length * g->channels; i++)
        fixture_set(f, x, i, changed(c, g->input[i]));
    for (int64_t i = 0; i < g->batch * g->labels; i++)
        fixture_set(f, y, i, changed(c, g->target[i]));
    anpe_executor_forward(f->executor, g->batch);
    read_block(f, anpe_executor_tensor(f->executor, f->features), g->batch * g->cond, r->features);
    read_block(f, anpe_executor_tensor(f->executor, f->log_prob), g->batch, r->log_prob);
    *r->loss = 0;
    for (int64_t i = 0; i < g->batch; i++)
        *r->loss -= r->log_prob[i] / (double)g->batch;
}

/* loss = -mean log_prob */
static anpe_status backward(anpe_ctx *ctx, const golden *g, fixture *f, golden_result *r)
{
    anpe_parameters *p = f->parameters;
    const size_t real = p->precision == ANPE_DOUBLE ? sizeof(double) : sizeof(float);
    anpe_status status = ANPE_OK;
    void *seed = anpe_alloc(ctx, (size_t)g->batch * real);
    void *effective = anpe_alloc(ctx, (size_t)p->effective_size * real);
    void *raw = anpe_alloc(ctx, (size_t)p->size * real);
    if (!seed || !effective || !raw) {
        status = ANPE_ENOMEM;
        goto out;
    }
    for (int64_t i = 0; i < g->batch; i++)
        fixture_set(f, seed, i, -1 / (double)g->batch);
    anpe_executor_backward(f->executor, f->log_prob, seed, effective);
    anpe_parameters_pull_back(p, effective, raw);
    read_block(f, raw, p->size, r->gradient);
    read_block(f, anpe_executor_gradient(f->executor, f->input), g->batch * g->length * g->channels,
               r->grad_input);
out:
    anpe_free(seed);
    anpe_free(effective);
    anpe_free(raw);
    return status;
}

/* As `infer` draws: the plugin's sampler in float, a row of the batch at a time. */
static anpe_status draw_float(anpe_ctx *ctx, const golden *g, fixture *f, golden_result *r)
{
    const int64_t D = g->labels, F = g->cond;
    anpe_status status = fixture_sampler(ctx, f);
    float *memory = malloc((size_t)(F + 3 * D) * sizeof *memory);
    if (!status && !memory)
        status = ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    for (int64_t b = 0; b < g->batch && !status; b++) {
        float *c = memory, *z = c + F, *u = z + D, *labels = u + D;
        for (int64_t i = 0; i < F; i++)
            c[i] = (float)r->features[b * F + i];
        for (int64_t d = 0; d < D; d++) {
            z[d] = (float)g->z[b * D + d];
            u[d] = (float)g->u[b * D + d];
        }
        status = fixture_sample(ctx, f, c, 1, z, u, labels, NULL);
        for (int64_t d = 0; d < D && !status; d++)
            r->inverse[b * D + d] = (double)labels[d];
    }
    free(memory);
    return status;
}

static anpe_status draw_double(anpe_ctx *ctx, const golden *g, const fixture *f, change *c,
                               golden_result *r)
{
    const int64_t D = g->labels;
    double *z;
    anpe_status status = ANPE_NEW(ctx, z, D);
    for (int64_t b = 0; b < g->batch && !status; b++) {
        for (int64_t d = 0; d < D; d++)
            z[d] = changed(c, g->z[b * D + d]);
        status = golden_draw_double(ctx, g, f, r->features + b * g->cond, 1, z, g->u + b * D,
                                    r->inverse + b * D);
    }
    free(z);
    return status;
}

anpe_status golden_run(anpe_ctx *ctx, golden *g, fixture *f, double gamma, uint32_t probe,
                       golden_result *out)
{
    anpe_parameters *p = f->parameters;
    change c = {gamma, probe, 0};
    *out = (golden_result){0};
    anpe_status status = golden_load(ctx, g, f);
    if (status)
        return status;
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t j = 0; j < p->table[i].size && p->table[i].transform != ANPE_BUFFER; j++) {
            const int64_t k = p->table[i].offset + j;
            fixture_set(f, p->raw, k, changed(&c, fixture_get(f, p->raw, k)));
        }
    anpe_parameters_prepare(p);
    status = result_new(ctx, g, f, out);
    if (status)
        return status;
    forward(g, f, &c, out);
    status = backward(ctx, g, f, out);
    if (!status)
        status = p->precision == ANPE_DOUBLE ? draw_double(ctx, g, f, &c, out)
                                             : draw_float(ctx, g, f, out);
    if (status)
        golden_result_clear(out);
    return status;
}
