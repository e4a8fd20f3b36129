/* Residual convolutions: spectrum (B, L, C) -> context (B, F).
 *
 * The stages of ../common/residual.h, then all that is left, flattened, or its mean over length,
 * through a linear layer, unless any width will do. He et al. (2016). */
#include "../common/residual.h"
#include <stdlib.h>

typedef struct resnet_options {
    int64_t depth, conv_min, conv_max, nlayer, kernel;
    int pool;
} resnet_options;

typedef struct resnet {
    residual stages;
    int pool;
    int64_t n_features;
} resnet;

enum { FLATTEN, MEAN };
enum { SHORT = 32, USUAL_DEPTH = 8 }; /* pixels that the last stage should keep; most stages */

static const anpe_option options[] = {
    ANPE_OPT_INT(resnet_options, depth, 0, 0, 24, "",
                 "stages; each after the first halves the length; 0: as many as leave 32 pixels, "
                 "at most 8"),
    RESIDUAL_OPTIONS(resnet_options),
    ANPE_OPT_ENUM(resnet_options, pool, FLATTEN, "flatten|mean",
                  "from the last stage to the context: every place with weights of its own, or the "
                  "mean over length"),
    ANPE_OPT_END,
};

static int64_t usual_depth(int64_t length)
{
    int64_t depth = 1;
    while (depth < USUAL_DEPTH && length >> depth >= SHORT)
        depth++;
    return depth;
}

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node *features)
{
    const resnet *r = self;
    (void)ctx;
    x = residual_stages(g, &r->stages, x);
    x = r->pool == MEAN ? anpe_mean_length(g, x) : anpe_flatten(g, x);
    *features = anpe_head(g, x, r->n_features);
    return ANPE_OK;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const resnet_options *o = opts;
    const anpe_featurizer_setup *s = setup;
    const residual stages = {o->depth ? o->depth : usual_depth(s->length), o->conv_min, o->conv_max,
                             o->nlayer, o->kernel};
    const anpe_status status = residual_check(ctx, &stages, s->length);
    if (status != ANPE_OK)
        return status;
    resnet *r;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    *r = (resnet){stages, o->pool, s->n_features};
    *self = r;
    return ANPE_OK;
}

static const anpe_featurizer_ops ops = {sizeof ops, build};

ANPE_PLUGIN(ANPE_FEATURIZER, "resnet", "1.0", "residual convolutions, for spectra", resnet_options,
            free);
