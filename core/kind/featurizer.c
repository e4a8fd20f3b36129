/* See featurizer.h. */
#include <config.h>
#include "kind/featurizer.h"
#include "base/context.h"
#include "graph/network.h"

anpe_status anpe_featurizer_build(const anpe_component *featurizer, anpe_ctx *ctx, anpe_graph *g,
                                  const char *scope, anpe_node x, anpe_node *features)
{
    const anpe_featurizer_ops *ops = featurizer->ops;
    anpe_graph_scope(g, scope);
    anpe_status status = ops->build(featurizer->self, ctx, g, x, features);
    if (!status)
        status = anpe_graph_check(ctx, g);
    return status ? anpe_fail_prefix(ctx, status, "%s", featurizer->plugin->name) : ANPE_OK;
}
