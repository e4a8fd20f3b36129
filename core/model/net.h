/* model/net.h -- the network: featurizer and flow in one graph, its parameters and its backend. */
#ifndef ANPE_CORE_NET_H
#define ANPE_CORE_NET_H
#include "graph/network.h"
#include "kind/component.h"

typedef struct anpe_compute_options {
    const char *backend;
    int precision;
    int64_t threads, micro_batch;
} anpe_compute_options;

/* Option tables of the groups `network` and `compute`. */
extern const anpe_option anpe_network_table[], anpe_compute_table[];

typedef struct anpe_net {
    const anpe_compute_options *compute;
    anpe_component featurizer, flow, backend_plugin;
    int64_t n_arms;
    anpe_component
        *arm; /* (n_arms) further featurizers of network.arms; the first is `featurizer` */
    anpe_backend backend;
    anpe_graph *graph;
    anpe_node x, y, features, log_prob;
    int64_t n_context;
    anpe_parameters *parameters;
} anpe_net;

/* Groups featurizer, flow, network, compute, backend. length, width: of the input; segment
 * (n_segments + 1): the input's parts that network.arms is about, 0: it has none; n_labels. */
/* blank: parameters stay without values, for a model file to fill. */
ANPE_MUST_CHECK anpe_status anpe_net_new(anpe_ctx *ctx, anpe_settings *settings, int64_t length,
                                         int64_t width, int64_t n_segments, const int64_t *segment,
                                         int64_t n_labels, uint32_t seed, int blank,
                                         anpe_net **out);
anpe_net *anpe_net_free(anpe_net *n);
/* A training executor, or one that only featurizes (B, F). */
ANPE_MUST_CHECK anpe_status anpe_net_trainer(anpe_ctx *ctx, const anpe_net *n, int64_t batch,
                                             anpe_executor **out);
ANPE_MUST_CHECK anpe_status anpe_net_featurizer(anpe_ctx *ctx, const anpe_net *n, int64_t batch,
                                                anpe_executor **out);
#endif
