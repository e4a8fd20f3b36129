/* The graph while it is built: vertices, parameters, names, the first error. */
#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/table.h"
#include "graph/graph.h"

anpe_graph *anpe_graph_new(void)
{
    return calloc(1, sizeof(anpe_graph));
}

anpe_graph *anpe_graph_free(anpe_graph *g)
{
    if (!g)
        return NULL;
    for (int i = 0; i < g->n_owned; i++)
        free(g->owned[i]);
    free(g->owned);
    free(g->vertex);
    free(g->weight);
    free(g->raw);
    free(g);
    return NULL;
}

anpe_node anpe_graph_fail(anpe_graph *g, anpe_status status, const char *format, ...)
{
    if (g->status != ANPE_OK)
        return -1;
    va_list list;
    va_start(list, format);
    vsnprintf(g->message, sizeof g->message, format, list);
    va_end(list);
    g->status = status;
    return -1;
}

anpe_status anpe_graph_check(anpe_ctx *ctx, const anpe_graph *g)
{
    return g->status == ANPE_OK ? ANPE_OK : ANPE_FAIL(ctx, g->status, "%s", g->message);
}

static void *wanted(anpe_graph *g, void *memory)
{
    if (!memory)
        anpe_graph_fail(g, ANPE_ENOMEM, "out of memory for the network");
    return memory;
}

/* Makes room for one more element at *list: capacities are powers of two. */
static void *grow(anpe_graph *g, void *list, int n, size_t size)
{
    if (n & (n - 1))
        return list;
    return wanted(g, realloc(list, (size_t)(n ? 2 * n : 1) * size));
}

void *anpe_graph_keep(anpe_graph *g, size_t size)
{
    void **owned = grow(g, g->owned, g->n_owned, sizeof *owned);
    if (!owned)
        return NULL;
    g->owned = owned;
    void *p = wanted(g, calloc(1, size ? size : 1));
    if (p)
        g->owned[g->n_owned++] = p;
    return p;
}

const char *anpe_name(anpe_graph *g, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const int n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *text = n < 0 ? NULL : anpe_graph_keep(g, (size_t)n + 1);
    if (!text)
        return "";
    va_start(list, format);
    vsnprintf(text, (size_t)n + 1, format, list);
    va_end(list);
    return text;
}

void anpe_graph_scope(anpe_graph *g, const char *prefix)
{
    if (!prefix)
        g->scope[0] = 0;
    else if ((size_t)snprintf(g->scope, sizeof g->scope, "%s.", prefix) >= sizeof g->scope)
        anpe_graph_fail(g, ANPE_EINVAL, "the scope '%s' is too long", prefix);
}

void anpe_graph_reduce(anpe_graph *g, int on)
{
    g->reduce = on;
}

static int known(const anpe_graph *g, anpe_node x)
{
    return x >= 0 && x < g->n_vertices;
}

int anpe_rank(const anpe_graph *g, anpe_node x)
{
    return known(g, x) ? g->vertex[x].rank : 1;
}

int64_t anpe_length(const anpe_graph *g, anpe_node x)
{
    return known(g, x) ? g->vertex[x].length : 1;
}

int64_t anpe_width(const anpe_graph *g, anpe_node x)
{
    return known(g, x) ? g->vertex[x].width : 1;
}

static anpe_node add_vertex(anpe_graph *g, const anpe_vertex *v)
{
    anpe_vertex *list = grow(g, g->vertex, g->n_vertices, sizeof *list);
    if (!list)
        return -1;
    g->vertex = list;
    list[g->n_vertices] = *v;
    return g->n_vertices++;
}

anpe_node anpe_graph_input(anpe_graph *g, const char *name, int rank, int64_t length, int64_t width)
{
    if (g->status != ANPE_OK)
        return -1;
    if ((rank != 1 && rank != 2) || width < 1 || (rank == 2 && length < 1))
        return anpe_graph_fail(g, ANPE_EINVAL, "input %s: shape (B, %lld, %lld) of rank %d", name,
                               (long long)length, (long long)width, rank);
    anpe_vertex v = {.rank = rank, .length = rank == 2 ? length : 1, .width = width};
    v.name = anpe_name(g, "%s", name);
    v.label = anpe_name(g, "input %s", name);
    return add_vertex(g, &v);
}

/* ---- parameters -------------------------------------------------------------------------- */

static int add_raw(anpe_graph *g, const anpe_parameter *p)
{
    for (int i = 0; i < g->n_raw; i++)
        if (strcmp(g->raw[i].name, p->name) == 0)
            return anpe_graph_fail(g, ANPE_EINVAL, "two parameters are called %s", p->name);
    anpe_parameter *list = grow(g, g->raw, g->n_raw, sizeof *list);
    if (!list)
        return -1;
    g->raw = list;
    list[g->n_raw] = *p;
    list[g->n_raw].offset = g->raw_size;
    g->raw_size += p->size;
    return g->n_raw++;
}

static void *keep_copy(anpe_graph *g, const void *data, size_t size)
{
    void *copy = data ? anpe_graph_keep(g, size) : NULL;
    return copy ? memcpy(copy, data, size) : NULL;
}

/* The rows of the raw table that the weight w is made from. */
static int add_raw_of(anpe_graph *g, anpe_weight *w)
{
    anpe_parameter p = {.name = w->name, .rank = w->rank, .size = w->size};
    p.transform = w->transform;
    memcpy(p.shape, w->shape, sizeof p.shape);
    if (w->transform != ANPE_NORM_V)
        return w->raw = add_raw(g, &p);
    anpe_parameter norm = {.name = anpe_name(g, "%s_g", w->name), .rank = w->rank};
    norm.transform = ANPE_NORM_G;
    norm.size = norm.shape[0] = w->shape[0];
    for (int i = 1; i < w->rank; i++)
        norm.shape[i] = 1;
    w->raw_g = add_raw(g, &norm);
    p.name = anpe_name(g, "%s_v", w->name);
    return w->raw = add_raw(g, &p);
}

static int add_weight(anpe_graph *g, const char *name, const anpe_weight_spec *s)
{
    anpe_weight w = {.rank = s->rank, .size = 1, .transform = s->transform};
    w.name = anpe_name(g, "%s%s%s%s", g->scope, name, s->name[0] && name[0] ? "." : "", s->name);
    for (int i = 0; i < s->rank; i++)
        w.size *= w.shape[i] = s->shape[i];
    w.bound = s->bound;
    w.zero = s->zero;
    w.mask = keep_copy(g, s->mask, (size_t)w.size);
    w.initial = keep_copy(g, s->initial, (size_t)w.size * sizeof(double));
    if (add_raw_of(g, &w) < 0 || g->status != ANPE_OK)
        return -1;
    anpe_weight *list = grow(g, g->weight, g->n_weights, sizeof *list);
    if (!list)
        return -1;
    g->weight = list;
    w.offset = g->effective_size;
    g->effective_size += (w.size + 15) / 16 * 16;
    list[g->n_weights] = w;
    return g->n_weights++;
}

/* ---- operations -------------------------------------------------------------------------- */

anpe_call anpe_graph_call(const anpe_graph *g, int i, int64_t batch)
{
    const anpe_vertex *v = &g->vertex[i];
    anpe_call c = {.batch = batch, .n_inputs = v->n_inputs, .attributes = v->attributes};
    for (int j = 0; j < v->n_inputs; j++) {
        c.in_length[j] = g->vertex[v->input[j]].length;
        c.in_width[j] = g->vertex[v->input[j]].width;
    }
    c.out_length = v->length;
    c.out_width = v->width;
    return c;
}

/* "(B, 7214, 2) and (B, 16)" */
static void describe_inputs(const anpe_graph *g, const anpe_vertex *v, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int j = 0; j < v->n_inputs && used < size; j++) {
        const anpe_vertex *in = &g->vertex[v->input[j]];
        const char *and = j ? " and " : "";
        const int n = in->rank == 2 ? snprintf(text + used, size - used, "%s(B, %lld, %lld)", and,
                                               (long long)in->length, (long long)in->width)
                                    : snprintf(text + used, size - used, "%s(B, %lld)", and,
                                               (long long)in->width);
        used += n < 0 ? 0 : (size_t)n;
    }
}

/* Shape of the result from the operation's own rule. */
static int infer_shape(anpe_graph *g, anpe_vertex *v)
{
    anpe_call c = {.batch = 1, .n_inputs = v->n_inputs, .attributes = v->attributes};
    int rank[ANPE_MAX_INPUTS] = {0};
    for (int j = 0; j < v->n_inputs; j++) {
        rank[j] = g->vertex[v->input[j]].rank;
        c.in_length[j] = g->vertex[v->input[j]].length;
        c.in_width[j] = g->vertex[v->input[j]].width;
    }
    v->rank = v->operation->shape(&c, rank);
    v->length = v->rank == 2 ? c.out_length : 1;
    v->width = c.out_width;
    if ((v->rank == 1 || v->rank == 2) && v->length > 0 && v->width > 0)
        return 0;
    char shapes[200];
    describe_inputs(g, v, shapes, sizeof shapes);
    return anpe_graph_fail(g, ANPE_EINVAL, "%s: shapes do not fit: input %s", v->label, shapes);
}

static int check_inputs(anpe_graph *g, const char *label, int n, const anpe_node *inputs)
{
    for (int j = 0; j < n; j++)
        if (!known(g, inputs[j]))
            return anpe_graph_fail(g, ANPE_EINVAL, "%s: input %d is not a node of this graph",
                                   label, j);
    return 0;
}

anpe_node anpe_graph_apply(anpe_graph *g, const anpe_operation *operation, const char *name,
                           int n_inputs, const anpe_node *inputs, int n_weights,
                           const anpe_weight_spec *weights, const void *attributes,
                           size_t attributes_size)
{
    if (g->status != ANPE_OK)
        return -1;
    anpe_vertex v = {.operation = operation, .n_inputs = n_inputs, .n_weights = n_weights};
    v.name = anpe_name(g, "%s%s", name[0] ? g->scope : "", name);
    v.label = anpe_name(g, "%s%s%s", operation->name, v.name[0] ? " " : "", v.name);
    if (n_inputs < 1 || n_inputs > ANPE_MAX_INPUTS || n_weights < 0 ||
        n_weights > ANPE_MAX_PARAMETERS)
        return anpe_graph_fail(g, ANPE_EINVAL, "%s: %d inputs and %d parameters; at most %d and %d",
                               v.label, n_inputs, n_weights, ANPE_MAX_INPUTS, ANPE_MAX_PARAMETERS);
    if (check_inputs(g, v.label, n_inputs, inputs) < 0)
        return -1;
    memcpy(v.input, inputs, (size_t)n_inputs * sizeof v.input[0]);
    v.reduce = v.reduce_factors = g->reduce;
    for (int j = 0; j < n_inputs; j++)
        v.reduce_factors = v.reduce_factors && g->vertex[inputs[j]].operation;
    v.attributes = keep_copy(g, attributes, attributes_size);
    if (g->status != ANPE_OK || infer_shape(g, &v) < 0)
        return -1;
    for (int i = 0; i < n_weights; i++) {
        v.weight[i] = weights[i].name ? add_weight(g, name, &weights[i]) : -1;
        if (weights[i].name && v.weight[i] < 0)
            return -1;
    }
    return add_vertex(g, &v);
}

anpe_node anpe_apply(anpe_graph *g, const anpe_operation *operation, const char *name, int n_inputs,
                     const anpe_node *inputs, int n_parameters,
                     const anpe_parameter_spec *parameters, const void *attributes,
                     size_t attributes_size)
{
    anpe_weight_spec specs[ANPE_MAX_PARAMETERS] = {0};
    if (operation->size < ANPE_SIZE_TO(operation, backward_needs))
        return anpe_graph_fail(g, ANPE_EINVAL, "the operation of '%s' is of another version", name);
    for (int i = 0; i < n_parameters && i < ANPE_MAX_PARAMETERS; i++) {
        specs[i].name = parameters[i].name;
        specs[i].rank = parameters[i].rank;
        memcpy(specs[i].shape, parameters[i].shape, sizeof specs[i].shape);
        specs[i].bound = parameters[i].bound;
        specs[i].zero = !(parameters[i].bound > 0);
    }
    return anpe_graph_apply(g, operation, name, n_inputs, inputs, n_parameters, specs, attributes,
                            attributes_size);
}
