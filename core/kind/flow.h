/* kind/flow.h -- what the core does with a flow: let it describe its network, and draw from it. */
#ifndef ANPE_CORE_FLOW_H
#define ANPE_CORE_FLOW_H
#include "kind/component.h"

/* labels (B, D), context (B, F) -> *log_prob (B, 1), in the graph's scope "flow". Messages are
 * prefixed with the plugin's name. */
ANPE_MUST_CHECK anpe_status anpe_flow_build(const anpe_component *flow, anpe_ctx *ctx,
                                            anpe_graph *g, anpe_node labels, anpe_node context,
                                            anpe_node *log_prob);
/* A sampler of weights that outlive it; freed with the flow that made it. */
ANPE_MUST_CHECK anpe_status anpe_flow_sampler_new(const anpe_component *flow, anpe_ctx *ctx,
                                                  const anpe_weights *weights, void **sampler);
void anpe_flow_sampler_free(const anpe_component *flow, void *sampler); /* NULL: nothing */
/* Bytes of scratch for up to n draws. */
size_t anpe_flow_scratch(const anpe_component *flow, int64_t n);
/* n draws for one context (F), as plugin.h has it. */
ANPE_MUST_CHECK anpe_status anpe_flow_sample(const anpe_component *flow, anpe_ctx *ctx,
                                             const void *sampler, const float *context, int64_t n,
                                             const float *z, const float *u, float *labels,
                                             float *log_prob, void *scratch);
#endif
