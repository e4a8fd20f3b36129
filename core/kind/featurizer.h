/* kind/featurizer.h -- what the core does with a featurizer: let it describe its network. */
#ifndef ANPE_CORE_FEATURIZER_H
#define ANPE_CORE_FEATURIZER_H
#include "kind/component.h"

/* x (B, L, C) -> *features (B, F), in this scope of the graph ("featurizer"). Messages are prefixed
 * with the plugin's name. */
ANPE_MUST_CHECK anpe_status anpe_featurizer_build(const anpe_component *featurizer, anpe_ctx *ctx,
                                                  anpe_graph *g, const char *scope, anpe_node x,
                                                  anpe_node *features);
#endif
