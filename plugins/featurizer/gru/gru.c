/* Gated recurrent units over patches: spectrum (B, L, C) -> context (B, F).
 *
 * Patches of ../common/patch.h become vectors, normalised; `n_rnn` GRU layers read them in order of
 * wavelength; the states of the last layer, their mean or the last one go through a linear
 * layer, unless any width will do. GRU: Cho et al. (2014); layer norm: Ba et al. (2016). */
#include "../common/patch.h"
#include <stdlib.h>

typedef struct gru_options {
    int64_t patch, stride, width, hidden, n_rnn;
    int pool;
} gru_options;

typedef struct gru {
    gru_options o;
    int64_t n_features;
} gru;

enum { FLATTEN, MEAN, LAST };

static const anpe_option options[] = {
    PATCH_OPTIONS(gru_options),
    ANPE_OPT_INT(gru_options, hidden, 64, 1, 65536, "", "units of a GRU layer"),
    ANPE_OPT_INT(gru_options, n_rnn, 1, 1, 16, "", "GRU layers"),
    ANPE_OPT_ENUM(
        gru_options, pool, FLATTEN, "flatten|mean|last",
        "from the states to the context: every state with weights of its own, their mean, "
        "or the last one"),
    ANPE_OPT_END,
};

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node *features)
{
    const gru *r = self;
    (void)ctx;
    x = patch_embed(g, x, r->o.patch, r->o.stride, r->o.width);
    x = anpe_layer_norm(g, "norm", x);
    for (int64_t i = 0; i < r->o.n_rnn; i++)
        x = anpe_gru(g, anpe_name(g, "gru.%d", (int)i), x, r->o.hidden);
    x = r->o.pool == LAST   ? anpe_last(g, x)
        : r->o.pool == MEAN ? anpe_mean_length(g, x)
                            : anpe_flatten(g, x);
    *features = anpe_head(g, x, r->n_features);
    return ANPE_OK;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const gru_options *o = opts;
    const anpe_status status = patch_check(ctx, o->patch, o->stride);
    if (status != ANPE_OK)
        return status;
    gru *r;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    *r = (gru){*o, ((const anpe_featurizer_setup *)setup)->n_features};
    *self = r;
    return ANPE_OK;
}

static const anpe_featurizer_ops ops = {sizeof ops, build};

ANPE_PLUGIN(ANPE_FEATURIZER, "gru", "1.0", "gated recurrent units over patches of a spectrum",
            gru_options, free);
