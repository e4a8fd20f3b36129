/* A graph of its own with the context vector as input: the executor of the whole network would plan
 * memory for the featurizer of every label vector. Weights are copied by name. */
#include <config.h>
#include "posterior/flow_density.h"
#include "kind/flow.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct anpe_flow_density {
    int64_t n_labels, n_context, batch;
    anpe_graph *graph;
    anpe_node y, context, log_prob;
    anpe_parameters *parameters;
    anpe_executor *executor;
    float *seed; /* (batch) 1: d log q / d log q; NULL: no scores */
};

static anpe_status build(anpe_ctx *ctx, anpe_flow_density *f, const anpe_net *net)
{
    f->context = anpe_graph_input(f->graph, "context", 1, 1, f->n_context);
    f->y = anpe_graph_input(f->graph, "y", 1, 1, f->n_labels);
    return anpe_flow_build(&net->flow, ctx, f->graph, f->y, f->context, &f->log_prob);
}

static anpe_status copy_weights(anpe_ctx *ctx, anpe_parameters *to, const anpe_parameters *from)
{
    for (int64_t i = 0; i < to->n; i++) {
        const anpe_parameter *p = &to->table[i], *q = anpe_parameters_find(from, p->name);
        if (!q || q->size != p->size)
            return ANPE_FAIL(ctx, ANPE_EINTERNAL, "the flow has no weights '%s'", p->name);
        memcpy((float *)to->raw + p->offset, (const float *)from->raw + q->offset,
               (size_t)p->size * sizeof(float));
    }
    anpe_parameters_prepare(to);
    return ANPE_OK;
}

static anpe_status add_seed(anpe_ctx *ctx, anpe_flow_density *f)
{
    if (ANPE_NEW(ctx, f->seed, f->batch))
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < f->batch; k++)
        f->seed[k] = 1;
    return ANPE_OK;
}

static anpe_status open_flow(anpe_ctx *ctx, const anpe_net *net, int64_t n_labels, int64_t batch,
                             int scores, anpe_flow_density **out)
{
    anpe_status status = ANPE_ENOMEM;
    anpe_flow_density *f;
    *out = NULL;
    if (ANPE_NEW(ctx, f, 1))
        return ANPE_ENOMEM;
    if (!(f->graph = anpe_graph_new())) {
        free(f);
        return ANPE_NO_MEMORY(ctx, "the flow");
    }
    f->n_labels = n_labels;
    f->n_context = net->n_context;
    f->batch = batch;
    ANPE_TRY(build(ctx, f, net));
    ANPE_TRY(anpe_parameters_new_blank(ctx, f->graph, ANPE_FLOAT, &f->parameters));
    ANPE_TRY(copy_weights(ctx, f->parameters, net->parameters));
    ANPE_TRY(anpe_executor_new(ctx, f->graph, f->parameters, net->backend, batch, scores, scores, 1,
                               &f->log_prob, &f->executor));
    if (scores)
        ANPE_TRY(add_seed(ctx, f));
out:
    if (status)
        f = anpe_flow_density_free(f);
    *out = f;
    return status;
}

anpe_status anpe_flow_density_new(anpe_ctx *ctx, const anpe_net *net, int64_t n_labels,
                                  int64_t batch, anpe_flow_density **out)
{
    return open_flow(ctx, net, n_labels, batch, 0, out);
}

anpe_status anpe_flow_density_new_scores(anpe_ctx *ctx, const anpe_net *net, int64_t n_labels,
                                         int64_t batch, anpe_flow_density **out)
{
    return open_flow(ctx, net, n_labels, batch, 1, out);
}

anpe_flow_density *anpe_flow_density_free(anpe_flow_density *f)
{
    if (!f)
        return NULL;
    anpe_executor_free(f->executor);
    anpe_parameters_free(f->parameters);
    anpe_graph_free(f->graph);
    free(f->seed);
    free(f);
    return NULL;
}

static void fill_context(anpe_flow_density *f, const float *context, int64_t n)
{
    float *c = anpe_executor_tensor(f->executor, f->context);
    for (int64_t k = 0; k < f->batch && k < n; k++)
        memcpy(c + k * f->n_context, context, (size_t)f->n_context * sizeof *c);
}

void anpe_flow_density_eval(anpe_flow_density *f, const float *context, int64_t n, const double *y,
                            double *log_q)
{
    float *to = anpe_executor_tensor(f->executor, f->y);
    const float *from = anpe_executor_tensor(f->executor, f->log_prob);
    fill_context(f, context, n);
    for (int64_t first = 0; first < n; first += f->batch) {
        const int64_t m = n - first < f->batch ? n - first : f->batch;
        for (int64_t i = 0; i < m * f->n_labels; i++)
            to[i] = (float)y[first * f->n_labels + i];
        anpe_executor_forward(f->executor, m);
        for (int64_t k = 0; k < m; k++)
            log_q[first + k] = isnan(from[k]) ? -INFINITY : (double)from[k];
    }
}

void anpe_flow_density_scores(anpe_flow_density *f, const float *context, int64_t n, const float *y,
                              float *score_y, float *score_context)
{
    const size_t D = (size_t)f->n_labels * sizeof *y, F = (size_t)f->n_context * sizeof *y;
    float *to = anpe_executor_tensor(f->executor, f->y);
    fill_context(f, context, n);
    for (int64_t first = 0; first < n; first += f->batch) {
        const int64_t m = n - first < f->batch ? n - first : f->batch;
        memcpy(to, y + first * f->n_labels, (size_t)m * D);
        anpe_executor_forward(f->executor, m);
        anpe_executor_backward(f->executor, f->log_prob, f->seed, NULL);
        memcpy(score_y + first * f->n_labels, anpe_executor_gradient(f->executor, f->y),
               (size_t)m * D);
        memcpy(score_context + first * f->n_context,
               anpe_executor_gradient(f->executor, f->context), (size_t)m * F);
    }
}
