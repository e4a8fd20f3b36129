/* Asking the backend: see graph/offload.h. */
#include <config.h>
#include <string.h>
#include "base/table.h"
#include "graph/offload.h"
#include "graph/operations.h"

/* The hooks came with ABI 1.1. */
static int has_hooks(const anpe_backend_ops *ops)
{
    return ANPE_HAS(ops, operation_new) && ANPE_HAS(ops, operation_free) &&
           ANPE_HAS(ops, operation_prepare) && ANPE_HAS(ops, operation_forward) &&
           ANPE_HAS(ops, operation_backward);
}

/* What the request says of the vertex; 0 if it is none of those that a backend is asked for. */
static int describe(const anpe_vertex *v, anpe_backend_request *r)
{
    r->operation = v->operation->name;
    r->rank = v->rank;
    r->length = v->length;
    r->out = v->width;
    r->width = 1;
    if (v->operation == anpe_operation_get(ANPE_OP_conv1d)) {
        const anpe_conv_attributes *a = v->attributes;
        r->width = a->k;
        r->flags = a->flags;
    } else if (v->operation == anpe_operation_get(ANPE_OP_linear) ||
               v->operation == anpe_operation_get(ANPE_OP_masked_linear)) {
        const anpe_linear_attributes *a = v->attributes;
        r->flags = a->flags;
    } else if (v->operation != anpe_operation_get(ANPE_OP_gru)) {
        return 0;
    }
    return 1;
}

int anpe_offload_stores_bfloat16(const anpe_graph *g, int i, const anpe_backend *backend)
{
    const anpe_vertex *v = &g->vertex[i];
    const int some = has_hooks(backend->ops) && ANPE_HAS(backend->ops, stores_bfloat16);
    const char *const *name = some ? backend->ops->stores_bfloat16 : NULL;
    if (!v->reduce || backend->precision != ANPE_NUMBER_BFLOAT16 || !name)
        return 0;
    while (*name && strcmp(*name, v->operation->name) != 0)
        name++;
    return *name != NULL;
}

anpe_status anpe_offload_ask(anpe_ctx *ctx, const anpe_graph *g, int i, const anpe_backend *backend,
                             int64_t batch, int train, anpe_number in, anpe_number out,
                             anpe_offload *o)
{
    const anpe_vertex *v = &g->vertex[i];
    anpe_backend_request r = {.size = sizeof r, .batch = batch, .train = train};
    anpe_status status = ANPE_OK;
    *o = (anpe_offload){.ops = backend->ops};
    if (!has_hooks(backend->ops) || !describe(v, &r))
        return ANPE_OK;
    r.in = g->vertex[v->input[0]].width;
    r.in_stored = in;
    r.out_stored = out;
    r.precision = v->reduce_factors ? backend->precision : ANPE_NUMBER_FLOAT;
    o->operation = (anpe_backend_operation){.size = sizeof o->operation};
    o->operation.backward_needs = v->operation->backward_needs;
    status = backend->ops->operation_new(backend->self, ctx, &r, &o->operation);
    if (status == ANPE_OK && !anpe_offload_taken(o) &&
        (in == ANPE_NUMBER_BFLOAT16 || out == ANPE_NUMBER_BFLOAT16))
        status = ANPE_FAIL(ctx, ANPE_EPLUGIN, "the backend does not take %s, which it says it does",
                           v->label);
    return status;
}

void anpe_offload_clear(anpe_offload *o)
{
    if (anpe_offload_taken(o))
        o->ops->operation_free(o->operation.state);
    *o = (anpe_offload){0};
}

static int changed(anpe_offload *o, const anpe_vertex *v, const anpe_parameters *p)
{
    int any = 0;
    for (int j = 0; j < v->n_weights; j++) {
        if (v->weight[j] < 0)
            continue;
        any |= o->seen[j] != p->version[v->weight[j]];
        o->seen[j] = p->version[v->weight[j]];
    }
    return any;
}

void anpe_offload_forward(anpe_offload *o, const anpe_vertex *v, const anpe_parameters *p,
                          const anpe_call *call)
{
    if (changed(o, v, p))
        o->ops->operation_prepare(o->operation.state, call);
    o->ops->operation_forward(o->operation.state, call);
}

void anpe_offload_backward(anpe_offload *o, const anpe_call *call)
{
    o->ops->operation_backward(o->operation.state, call);
}
