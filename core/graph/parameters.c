/* The block of raw parameters, its effective form, and read-only views of it. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/context.h"
#include "base/random.h"
#include "graph/graph.h"
#include "kernel/weights.h"

/* What is handed out starts with the public struct. */
typedef struct block {
    anpe_parameters public;
    const anpe_graph *graph;
} block;

static const anpe_graph *graph_of(const anpe_parameters *p)
{
    return ((const block *)p)->graph;
}

static size_t real_size(const anpe_parameters *p)
{
    return p->precision == ANPE_FLOAT ? sizeof(float) : sizeof(double);
}

/* Element `offset` of a block of reals. */
static void *at(const anpe_parameters *p, const void *reals, int64_t offset)
{
    const uintptr_t address = (uintptr_t)reals + (uintptr_t)offset * real_size(p);
    return (void *)address;
}

/* Raw row i of the block `reals`; NULL where there is none. */
static void *raw_row(const anpe_parameters *p, const void *reals, const anpe_weight *w, int norm)
{
    if (norm && w->transform != ANPE_NORM_V)
        return NULL;
    return at(p, reals, p->table[norm ? w->raw_g : w->raw].offset);
}

static void initialise(anpe_parameters *p, uint32_t seed)
{
    const anpe_graph *g = graph_of(p);
    for (int i = 0; i < g->n_weights; i++) {
        const anpe_weight *w = &g->weight[i];
        anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_INIT, i, 0);
        void *value = raw_row(p, p->raw, w, 0), *norm = raw_row(p, p->raw, w, 1);
        if (p->precision == ANPE_FLOAT)
            anpe_weight_initial_f(w, &rng, value, norm);
        else
            anpe_weight_initial_d(w, &rng, value, norm);
    }
}

anpe_status anpe_parameters_new_blank(anpe_ctx *ctx, const anpe_graph *g, anpe_precision precision,
                                      anpe_parameters **out)
{
    *out = NULL;
    anpe_status status = anpe_graph_check(ctx, g);
    if (status != ANPE_OK)
        return status;
    block *b = anpe_alloc(ctx, sizeof *b);
    if (!b)
        return ANPE_ENOMEM;
    anpe_parameters *p = &b->public;
    b->graph = g;
    *p = (anpe_parameters){.precision = precision, .n = g->n_raw, .table = g->raw};
    p->size = g->raw_size;
    p->effective_size = g->effective_size;
    p->raw = anpe_alloc(ctx, (size_t)(p->size + 1) * real_size(p));
    p->effective = anpe_alloc(ctx, (size_t)(p->effective_size + 1) * real_size(p));
    p->version = anpe_alloc(ctx, (size_t)(g->n_weights + 1) * sizeof *p->version);
    if (!p->raw || !p->effective || !p->version) {
        anpe_parameters_free(p);
        return ANPE_ENOMEM;
    }
    *out = p;
    return ANPE_OK;
}

anpe_status anpe_parameters_new(anpe_ctx *ctx, const anpe_graph *g, anpe_precision precision,
                                uint32_t seed, anpe_parameters **out)
{
    const anpe_status status = anpe_parameters_new_blank(ctx, g, precision, out);
    if (status == ANPE_OK) {
        initialise(*out, seed);
        anpe_parameters_prepare(*out);
    }
    return status;
}

anpe_parameters *anpe_parameters_free(anpe_parameters *p)
{
    if (p) {
        anpe_free(p->raw);
        anpe_free(p->effective);
        anpe_free(p->version);
        anpe_free(p);
    }
    return NULL;
}

const anpe_parameter *anpe_parameters_find(const anpe_parameters *p, const char *name)
{
    for (int64_t i = 0; i < p->n; i++)
        if (strcmp(p->table[i].name, name) == 0)
            return &p->table[i];
    return NULL;
}

int anpe_parameters_parts(const anpe_parameters *p)
{
    return graph_of(p)->n_weights;
}

void anpe_parameters_prepare_part(anpe_parameters *p, int i)
{
    const anpe_weight *w = &graph_of(p)->weight[i];
    void *value = raw_row(p, p->raw, w, 0), *norm = raw_row(p, p->raw, w, 1);
    void *out = at(p, p->effective, w->offset);
    p->version[i]++;
    if (p->precision == ANPE_FLOAT)
        anpe_weight_prepare_f(w, value, norm, out);
    else
        anpe_weight_prepare_d(w, value, norm, out);
}

void anpe_parameters_prepare(anpe_parameters *p)
{
    for (int i = 0; i < anpe_parameters_parts(p); i++)
        anpe_parameters_prepare_part(p, i);
}

void anpe_parameters_pull_back_part(const anpe_parameters *p, int i, const void *grad_effective,
                                    void *grad_raw)
{
    const anpe_weight *w = &graph_of(p)->weight[i];
    const void *value = raw_row(p, p->raw, w, 0), *norm = raw_row(p, p->raw, w, 1);
    const void *grad = at(p, grad_effective, w->offset);
    void *dv = raw_row(p, grad_raw, w, 0), *dg = raw_row(p, grad_raw, w, 1);
    if (p->precision == ANPE_FLOAT)
        anpe_weight_pull_back_f(w, value, norm, grad, dv, dg);
    else
        anpe_weight_pull_back_d(w, value, norm, grad, dv, dg);
}

void anpe_parameters_shrink_part(anpe_parameters *p, int i, double factor)
{
    const anpe_weight *w = &graph_of(p)->weight[i];
    const int plain = w->transform == ANPE_PLAIN || w->transform == ANPE_MASKED;
    void *value = raw_row(p, p->raw, w, 0);
    if (!plain || w->rank < 2)
        return;
    for (int64_t k = 0; k < w->size; k++)
        if (p->precision == ANPE_FLOAT)
            ((float *)value)[k] *= (float)factor;
        else
            ((double *)value)[k] *= factor;
}

void anpe_parameters_pull_back(const anpe_parameters *p, const void *grad_effective, void *grad_raw)
{
    for (int i = 0; i < anpe_parameters_parts(p); i++)
        anpe_parameters_pull_back_part(p, i, grad_effective, grad_raw);
}

/* ---- read-only views --------------------------------------------------------------------- */

struct anpe_weights {
    const anpe_parameters *parameters;
    char scope[128];
};

anpe_status anpe_weights_new(anpe_ctx *ctx, const anpe_parameters *p, const char *scope,
                             anpe_weights **out)
{
    *out = NULL;
    if (p->precision != ANPE_FLOAT)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "samplers read weights in float, not in double");
    anpe_weights *w = anpe_alloc(ctx, sizeof *w);
    if (!w)
        return ANPE_ENOMEM;
    w->parameters = p;
    const int n = snprintf(w->scope, sizeof w->scope, "%s%s", scope ? scope : "", scope ? "." : "");
    if ((size_t)n >= sizeof w->scope) {
        anpe_free(w);
        return ANPE_FAIL(ctx, ANPE_EINVAL, "the scope '%s' is too long", scope);
    }
    *out = w;
    return ANPE_OK;
}

anpe_weights *anpe_weights_free(anpe_weights *w)
{
    anpe_free(w);
    return NULL;
}

const float *anpe_weights_get(const anpe_weights *w, const char *name, int *rank, int64_t shape[4])
{
    const anpe_graph *g = graph_of(w->parameters);
    const size_t n = strlen(w->scope);
    for (int i = 0; i < g->n_weights; i++) {
        const anpe_weight *x = &g->weight[i];
        if (strncmp(x->name, w->scope, n) != 0 || strcmp(x->name + n, name) != 0)
            continue;
        *rank = x->rank;
        memcpy(shape, x->shape, sizeof x->shape);
        return (const float *)w->parameters->effective + x->offset;
    }
    return NULL;
}
