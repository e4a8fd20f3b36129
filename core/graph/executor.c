/* Runs a graph: memory planned once, then forward and backward without allocation.
 *
 * Time runs over 2 n steps for n vertices: vertex i forward at step i, backward at 2 n - 1 - i. A
 * tensor lives from its making to its last reader, which in training is the backward of those
 * operations that say they need it; a gradient from the backward of the last reader to that of
 * the vertex itself. Inputs and outputs live all the time. */
#include <config.h>
#include <assert.h>
#include <math.h>
#include <string.h>
#include <anpe/bfloat16.h>
#include "base/clock.h"
#include "base/context.h"
#include "graph/graph.h"
#include "graph/offload.h"
#include "graph/operations.h"
#include "graph/plan.h"

enum { TENSOR, SAVED, GRADIENT, KINDS }; /* intervals of vertex i: 3 i + kind; scratch is last */

typedef struct slot {
    anpe_call call;
    anpe_offload offload;
    unsigned needs;              /* backward_needs of what runs it */
    anpe_number stored;          /* its tensor and gradient; BFLOAT16 instead of float only */
    const anpe_kernels *kernels; /* of the core for bfloat16; NULL: the operation's own */
    uint8_t needed;              /* for the outputs */
    uint8_t pinned;              /* input or output */
    uint8_t trainable;           /* a gradient flows through or into it */
    uint8_t running;             /* part of the present call */
    uint8_t started;             /* its gradient has been set in the present call */
    double forward, backward;
    int64_t calls;
} slot;

struct anpe_executor {
    const anpe_graph *graph;
    const anpe_parameters *parameters;
    anpe_backend backend;
    int64_t capacity, batch;
    int train, want_input_gradient, n;
    size_t real, bytes;
    slot *slot;              /* (n) */
    anpe_lifetime *interval; /* (3 n + 1) */
    char *arena;
};

/* ---- planning ---------------------------------------------------------------------------- */

static void mark_needed(anpe_executor *e)
{
    for (int i = e->n - 1; i >= 0; i--)
        for (int j = 0; e->slot[i].needed && j < e->graph->vertex[i].n_inputs; j++)
            e->slot[e->graph->vertex[i].input[j]].needed = 1;
}

static void mark_trainable(anpe_executor *e)
{
    for (int i = 0; e->train && i < e->n; i++) {
        const anpe_vertex *v = &e->graph->vertex[i];
        int yes = !v->operation && e->want_input_gradient;
        for (int j = 0; j < v->n_inputs; j++)
            yes |= e->slot[v->input[j]].trainable;
        for (int j = 0; j < v->n_weights; j++)
            yes |= v->weight[j] >= 0 && e->graph->weight[v->weight[j]].transform != ANPE_BUFFER;
        e->slot[i].trainable = (uint8_t)yes;
    }
}

static void extend(anpe_lifetime *x, int step)
{
    x->first = step < x->first ? step : x->first;
    x->last = step > x->last ? step : x->last;
}

/* What running vertex i, forward and backward, keeps alive. */
static void plan_vertex(anpe_executor *e, int i)
{
    const anpe_vertex *v = &e->graph->vertex[i];
    const int back = 2 * e->n - 1 - i, trainable = e->slot[i].trainable;
    anpe_lifetime *mine = e->interval + KINDS * i;
    extend(&mine[TENSOR], i);
    extend(&mine[SAVED], i);
    if (trainable) {
        extend(&mine[SAVED], back);
        extend(&mine[GRADIENT], back);
        if (e->slot[i].needs & ANPE_NEEDS_OUTPUT)
            extend(&mine[TENSOR], back);
    }
    for (int j = 0; j < v->n_inputs; j++) {
        anpe_lifetime *in = e->interval + KINDS * v->input[j];
        extend(&in[TENSOR], i);
        if (trainable && e->slot[i].needs & ANPE_NEEDS_INPUT)
            extend(&in[TENSOR], back);
        if (e->slot[v->input[j]].trainable)
            extend(&in[GRADIENT], back);
    }
    for (int k = TENSOR; k < KINDS && e->slot[i].pinned; k++)
        if (k == TENSOR || (k == GRADIENT && trainable && !v->operation)) {
            extend(&mine[k], 0);
            extend(&mine[k], 2 * e->n);
        }
}

static void store_in_float(anpe_executor *e, int i)
{
    const anpe_vertex *v = &e->graph->vertex[i];
    e->slot[i].stored = ANPE_NUMBER_FLOAT;
    for (int j = 0; j < v->n_inputs; j++)
        e->slot[v->input[j]].stored = ANPE_NUMBER_FLOAT;
}

/* How many of the tensors of vertex i, its output included, are in bfloat16. */
static int count_bfloat16(const anpe_executor *e, int i)
{
    const anpe_vertex *v = &e->graph->vertex[i];
    int count = e->slot[i].stored == ANPE_NUMBER_BFLOAT16;
    for (int j = 0; j < v->n_inputs; j++)
        count += e->slot[v->input[j]].stored == ANPE_NUMBER_BFLOAT16;
    return count;
}

/* Of the core, for inputs in bfloat16; NULL where vertex i has none or the backend takes it. */
static const anpe_kernels *bfloat16_kernels(const anpe_executor *e, int i)
{
    const anpe_operation *op = e->graph->vertex[i].operation;
    return op && !anpe_offload_stores_bfloat16(e->graph, i, &e->backend)
               ? anpe_operation_bfloat16(op)
               : NULL;
}

/* Whether what runs vertex i can have its tensors in what they are stored in now: the backend has
 * each in either, a kernel of the core all as it wants them or all in float. */
static int storage_fits(const anpe_executor *e, int i)
{
    const anpe_vertex *v = &e->graph->vertex[i];
    const anpe_kernels *kernels = bfloat16_kernels(e, i);
    const int count = count_bfloat16(e, i);
    return count == 0 || anpe_offload_stores_bfloat16(e->graph, i, &e->backend) ||
           (kernels && count == v->n_inputs + (kernels->out == ANPE_NUMBER_BFLOAT16) &&
            e->slot[i].stored == kernels->out);
}

/* Whether the tensor of vertex i may be in bfloat16 as far as that vertex alone is concerned. */
static int may_store(const anpe_executor *e, int i)
{
    const anpe_kernels *kernels = bfloat16_kernels(e, i);
    return e->slot[i].needed && !e->slot[i].pinned && e->graph->vertex[i].reduce &&
           !(kernels && kernels->out == ANPE_NUMBER_FLOAT);
}

/* Tensors are stored in bfloat16 where all that make and read them can. */
static void choose_storage(anpe_executor *e)
{
    const int reduce =
        e->backend.precision == ANPE_NUMBER_BFLOAT16 && e->parameters->precision == ANPE_FLOAT;
    for (int i = 0; i < e->n; i++)
        if (reduce && may_store(e, i))
            e->slot[i].stored = ANPE_NUMBER_BFLOAT16;
    for (int changed = reduce; changed;) {
        changed = 0;
        for (int i = 0; i < e->n; i++)
            if (e->slot[i].needed && e->graph->vertex[i].operation && !storage_fits(e, i)) {
                store_in_float(e, i);
                changed = 1;
            }
    }
    for (int i = 0; i < e->n; i++)
        if (e->slot[i].needed && e->graph->vertex[i].operation && count_bfloat16(e, i) > 0)
            e->slot[i].kernels = bfloat16_kernels(e, i);
}

static size_t number_size(const anpe_executor *e, int i)
{
    return e->slot[i].stored == ANPE_NUMBER_BFLOAT16 ? sizeof(anpe_bfloat16) : e->real;
}

/* Lets the backend take operations as a whole. */
static anpe_status ask_backend(anpe_ctx *ctx, anpe_executor *e)
{
    anpe_status status = ANPE_OK;
    for (int i = 0; i < e->n && status == ANPE_OK; i++) {
        slot *s = &e->slot[i];
        const anpe_vertex *v = &e->graph->vertex[i];
        const anpe_operation *op = v->operation;
        const int ask = op && s->needed && e->parameters->precision == ANPE_FLOAT;
        if (ask)
            status = anpe_offload_ask(ctx, e->graph, i, &e->backend, e->capacity,
                                      e->train && s->trainable, e->slot[v->input[0]].stored,
                                      s->stored, &s->offload);
        s->needs = anpe_offload_taken(&s->offload) ? s->offload.operation.backward_needs
                   : op                            ? op->backward_needs
                                                   : 0;
    }
    return status;
}

static size_t saved_size(const anpe_executor *e, int i, const anpe_call *c)
{
    const anpe_operation *op = e->graph->vertex[i].operation;
    if (anpe_offload_taken(&e->slot[i].offload))
        return e->slot[i].offload.operation.saved_size;
    return op && op->saved_size ? op->saved_size(c, e->real) : 0;
}

static size_t scratch_size(const anpe_executor *e, int i, const anpe_call *c)
{
    const anpe_operation *op = e->graph->vertex[i].operation;
    if (anpe_offload_taken(&e->slot[i].offload))
        return e->slot[i].offload.operation.scratch_size;
    return e->slot[i].needed && op && op->scratch_size ? op->scratch_size(c, e->real) : 0;
}

static void plan_sizes(anpe_executor *e)
{
    size_t scratch = 0;
    for (int i = 0; i < e->n; i++) {
        const anpe_vertex *v = &e->graph->vertex[i];
        const anpe_call c = anpe_graph_call(e->graph, i, e->capacity);
        const size_t bytes = (size_t)(e->capacity * v->length * v->width) * number_size(e, i);
        anpe_lifetime *mine = e->interval + KINDS * i;
        mine[TENSOR].size = mine[GRADIENT].size = bytes;
        mine[SAVED].size = saved_size(e, i, &c);
        for (int k = 0; k < KINDS; k++)
            mine[k].first = 2 * e->n, mine[k].last = -1;
        const size_t s = scratch_size(e, i, &c);
        scratch = s > scratch ? s : scratch;
    }
    e->interval[KINDS * e->n] = (anpe_lifetime){scratch, 0, 0, 2 * e->n};
}

static void *place(const anpe_executor *e, int i)
{
    const anpe_lifetime *x = &e->interval[i];
    return x->last < x->first || x->size == 0 ? NULL : e->arena + x->offset;
}

/* Pointers that stay the same from call to call. */
static void bind_calls(anpe_executor *e)
{
    for (int i = 0; i < e->n; i++) {
        const anpe_vertex *v = &e->graph->vertex[i];
        anpe_call *c = &e->slot[i].call;
        *c = anpe_graph_call(e->graph, i, e->capacity);
        for (int j = 0; j < v->n_inputs; j++) {
            c->in[j] = place(e, KINDS * v->input[j] + TENSOR);
            c->grad_in[j] = place(e, KINDS * v->input[j] + GRADIENT);
        }
        c->out = place(e, KINDS * i + TENSOR);
        c->grad_out = place(e, KINDS * i + GRADIENT);
        c->saved = place(e, KINDS * i + SAVED);
        c->scratch = place(e, KINDS * e->n);
        for (int j = 0; j < v->n_weights; j++)
            if (v->weight[j] >= 0)
                c->parameter[j] = (const char *)e->parameters->effective +
                                  (size_t)e->graph->weight[v->weight[j]].offset * e->real;
        c->backend = e->backend.self;
        c->backend_ops = e->backend.ops;
    }
}

static anpe_status plan(anpe_ctx *ctx, anpe_executor *e)
{
    mark_needed(e);
    mark_trainable(e);
    choose_storage(e);
    const anpe_status status = ask_backend(ctx, e);
    if (status != ANPE_OK)
        return status;
    int *order = anpe_alloc(ctx, (size_t)(KINDS * e->n + 1) * sizeof *order);
    if (!order)
        return ANPE_ENOMEM;
    plan_sizes(e);
    for (int i = 0; i < e->n; i++)
        if (e->slot[i].needed || e->slot[i].pinned)
            plan_vertex(e, i);
    e->bytes = anpe_plan(KINDS * e->n + 1, e->interval, order);
    anpe_free(order);
    e->arena = anpe_alloc(ctx, e->bytes + 64);
    if (!e->arena)
        return ANPE_ENOMEM;
    bind_calls(e);
    return ANPE_OK;
}

anpe_status anpe_executor_new(anpe_ctx *ctx, const anpe_graph *g, const anpe_parameters *p,
                              anpe_backend backend, int64_t batch, int train,
                              int want_input_gradient, int n_outputs, const anpe_node *outputs,
                              anpe_executor **out)
{
    *out = NULL;
    anpe_status status = anpe_graph_check(ctx, g);
    if (status != ANPE_OK)
        return status;
    for (int i = 0; i < n_outputs; i++)
        if (outputs[i] < 0 || outputs[i] >= g->n_vertices)
            return ANPE_FAIL(ctx, ANPE_EINVAL, "output %d is not a node of the network", i);
    if (batch < 1 || !backend.ops)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "batch of %lld rows%s; expected at least 1 and a backend",
                         (long long)batch, backend.ops ? "" : " and no backend");
    anpe_executor *e = anpe_alloc(ctx, sizeof *e);
    if (!e)
        return ANPE_ENOMEM;
    *e = (anpe_executor){.graph = g, .parameters = p, .backend = backend, .capacity = batch};
    e->train = train;
    e->want_input_gradient = want_input_gradient;
    e->n = g->n_vertices;
    e->real = p->precision == ANPE_FLOAT ? sizeof(float) : sizeof(double);
    e->slot = anpe_alloc(ctx, (size_t)(e->n + 1) * sizeof *e->slot);
    e->interval = anpe_alloc(ctx, (size_t)(KINDS * e->n + 1) * sizeof *e->interval);
    status = e->slot && e->interval ? ANPE_OK : ANPE_ENOMEM;
    for (int i = 0; status == ANPE_OK && i < n_outputs; i++)
        e->slot[outputs[i]].needed = e->slot[outputs[i]].pinned = 1;
    for (int i = 0; status == ANPE_OK && i < e->n; i++)
        e->slot[i].pinned |= !g->vertex[i].operation;
    if (status == ANPE_OK)
        status = plan(ctx, e);
    if (status != ANPE_OK)
        e = anpe_executor_free(e);
    *out = e;
    return status;
}

anpe_executor *anpe_executor_free(anpe_executor *e)
{
    if (e) {
        for (int i = 0; e->slot && i < e->n; i++)
            anpe_offload_clear(&e->slot[i].offload);
        anpe_free(e->slot);
        anpe_free(e->interval);
        anpe_free(e->arena);
        anpe_free(e);
    }
    return NULL;
}

size_t anpe_executor_bytes(const anpe_executor *e)
{
    return e->bytes;
}

void *anpe_executor_tensor(anpe_executor *e, anpe_node x)
{
    return place(e, KINDS * x + TENSOR);
}

void *anpe_executor_gradient(anpe_executor *e, anpe_node x)
{
    return place(e, KINDS * x + GRADIENT);
}

/* ---- running ----------------------------------------------------------------------------- */

static int which(const anpe_executor *e)
{
    return e->parameters->precision == ANPE_FLOAT ? 0 : 1;
}

static void run_forward(anpe_executor *e, int i)
{
    slot *s = &e->slot[i];
    const double start = anpe_clock_seconds();
    s->call.batch = e->batch;
    if (anpe_offload_taken(&s->offload))
        anpe_offload_forward(&s->offload, &e->graph->vertex[i], e->parameters, &s->call);
    else if (s->kernels)
        s->kernels->forward(&s->call);
    else
        e->graph->vertex[i].operation->forward[which(e)](&s->call);
    s->forward += anpe_clock_seconds() - start;
    s->calls++;
}

void anpe_executor_forward(anpe_executor *e, int64_t batch)
{
    assert(batch >= 1 && batch <= e->capacity);
    e->batch = batch;
    for (int i = 0; i < e->n; i++)
        if (e->slot[i].needed && e->graph->vertex[i].operation)
            run_forward(e, i);
}

/* Marks what `to` is computed from, stopping at vertices that are marked 2. */
static void mark_running(anpe_executor *e, anpe_node to)
{
    e->slot[to].running |= 1;
    for (int i = to; i >= 0; i--) {
        const anpe_vertex *v = &e->graph->vertex[i];
        for (int j = 0; e->slot[i].running == 1 && j < v->n_inputs; j++)
            e->slot[v->input[j]].running |= 1;
    }
}

void anpe_executor_forward_between(anpe_executor *e, int64_t batch, int n_from,
                                   const anpe_node *from, anpe_node to)
{
    assert(batch >= 1 && batch <= e->capacity && e->slot[to].needed);
    e->batch = batch;
    for (int i = 0; i < e->n; i++)
        e->slot[i].running = 0;
    for (int i = 0; i < n_from; i++) {
        assert(e->slot[from[i]].pinned);
        e->slot[from[i]].running = 2;
    }
    mark_running(e, to);
    for (int i = 0; i <= to; i++)
        if (e->slot[i].running == 1 && e->graph->vertex[i].operation)
            run_forward(e, i);
}

/* The first operation to reach a gradient finds zeros there, or sets it if it can. */
static void start_gradients(anpe_executor *e, int i)
{
    const anpe_vertex *v = &e->graph->vertex[i];
    const int sets = (v->operation->backward_needs & ANPE_SETS_GRADIENT) != 0;
    for (int j = 0; j < v->n_inputs; j++) {
        slot *s = &e->slot[v->input[j]];
        const anpe_vertex *in = &e->graph->vertex[v->input[j]];
        e->slot[i].call.grad_in_empty[j] = sets && s->trainable && !s->started;
        if (s->trainable && !s->started && !sets)
            memset(place(e, KINDS * v->input[j] + GRADIENT), 0,
                   (size_t)(e->batch * in->length * in->width) * number_size(e, v->input[j]));
        s->started = 1;
    }
}

static void run_backward(anpe_executor *e, int i, char *grad_effective)
{
    const anpe_vertex *v = &e->graph->vertex[i];
    slot *s = &e->slot[i];
    const double start = anpe_clock_seconds();
    start_gradients(e, i);
    s->call.batch = e->batch;
    for (int j = 0; j < v->n_weights; j++)
        s->call.grad_parameter[j] =
            !grad_effective || v->weight[j] < 0 ||
                    e->graph->weight[v->weight[j]].transform == ANPE_BUFFER
                ? NULL
                : grad_effective + (size_t)e->graph->weight[v->weight[j]].offset * e->real;
    if (anpe_offload_taken(&s->offload))
        anpe_offload_backward(&s->offload, &s->call);
    else if (s->kernels)
        s->kernels->backward(&s->call);
    else
        v->operation->backward[which(e)](&s->call);
    s->backward += anpe_clock_seconds() - start;
}

void anpe_executor_backward(anpe_executor *e, anpe_node loss, const void *seed,
                            void *grad_effective)
{
    assert(e->train && e->slot[loss].trainable && e->batch >= 1);
    for (int i = 0; i < e->n; i++)
        e->slot[i].running = e->slot[i].started = 0;
    mark_running(e, loss);
    const anpe_vertex *v = &e->graph->vertex[loss];
    memcpy(place(e, KINDS * loss + GRADIENT), seed,
           (size_t)(e->batch * v->length * v->width) * e->real);
    e->slot[loss].started = 1;
    for (int i = loss; i >= 0; i--)
        if (e->slot[i].running && e->slot[i].trainable && e->graph->vertex[i].operation)
            run_backward(e, i, grad_effective);
    for (int i = 0; i < e->n; i++) { /* inputs that the loss does not depend on */
        const anpe_vertex *in = &e->graph->vertex[i];
        void *grad = place(e, KINDS * i + GRADIENT);
        if (!in->operation && grad && !e->slot[i].started)
            memset(grad, 0, (size_t)(e->batch * in->length * in->width) * e->real);
    }
}

/* ---- looking inside ---------------------------------------------------------------------- */

static int finite_tensor(const anpe_executor *e, int i)
{
    const anpe_vertex *v = &e->graph->vertex[i];
    const int64_t n = e->batch * v->length * v->width;
    const void *x = place(e, KINDS * i + TENSOR);
    int64_t k = 0;
    if (e->slot[i].stored == ANPE_NUMBER_BFLOAT16)
        while (k < n && isfinite(anpe_float_of(((const anpe_bfloat16 *)x)[k])))
            k++;
    else if (which(e) == 0)
        while (k < n && isfinite(((const float *)x)[k]))
            k++;
    else
        while (k < n && isfinite(((const double *)x)[k]))
            k++;
    return k == n;
}

const char *anpe_executor_first_nonfinite(anpe_executor *e, int64_t batch)
{
    e->batch = batch;
    for (int i = 0; i < e->n; i++) {
        if (!e->slot[i].needed)
            continue;
        if (e->graph->vertex[i].operation) /* again, since memory may have been used since */
            run_forward(e, i);
        if (!finite_tensor(e, i))
            return e->graph->vertex[i].label;
    }
    return NULL;
}

int anpe_executor_profile(const anpe_executor *e, anpe_profile_row *rows, int max_rows)
{
    int n = 0;
    for (int i = 0; i < e->n; i++) {
        const anpe_operation *op = e->graph->vertex[i].operation;
        int r = 0;
        while (op && r < n && strcmp(rows[r].operation, op->name) != 0)
            r++;
        if (!op || r == max_rows)
            continue;
        if (r == n)
            rows[n++] = (anpe_profile_row){.operation = op->name};
        rows[r].forward += e->slot[i].forward;
        rows[r].backward += e->slot[i].backward;
        rows[r].calls += e->slot[i].calls;
    }
    return n;
}
