/* See flow.h. */
#include <config.h>
#include "kind/flow.h"
#include "base/context.h"
#include "graph/network.h"

static const anpe_flow_ops *ops_of(const anpe_component *flow)
{
    return flow->ops;
}

anpe_status anpe_flow_build(const anpe_component *flow, anpe_ctx *ctx, anpe_graph *g,
                            anpe_node labels, anpe_node context, anpe_node *log_prob)
{
    anpe_graph_scope(g, "flow");
    anpe_status status = ops_of(flow)->build(flow->self, ctx, g, labels, context, log_prob);
    if (!status)
        status = anpe_graph_check(ctx, g);
    return status ? anpe_fail_prefix(ctx, status, "%s", flow->plugin->name) : ANPE_OK;
}

anpe_status anpe_flow_sampler_new(const anpe_component *flow, anpe_ctx *ctx,
                                  const anpe_weights *weights, void **sampler)
{
    return ops_of(flow)->sampler_new(flow->self, ctx, weights, sampler);
}

void anpe_flow_sampler_free(const anpe_component *flow, void *sampler)
{
    if (sampler)
        ops_of(flow)->sampler_free(sampler);
}

size_t anpe_flow_scratch(const anpe_component *flow, int64_t n)
{
    return ANPE_HAS(ops_of(flow), scratch_size) ? ops_of(flow)->scratch_size(flow->self, n) : 0;
}

anpe_status anpe_flow_sample(const anpe_component *flow, anpe_ctx *ctx, const void *sampler,
                             const float *context, int64_t n, const float *z, const float *u,
                             float *labels, float *log_prob, void *scratch)
{
    return ops_of(flow)->sample(flow->self, ctx, sampler, context, n, z, u, labels, log_prob,
                                scratch);
}
