/* Residual convolutions, then gated recurrent units: spectrum (B, L, C) -> context (B, F).
 *
 * The stages of ../common/residual.h; then the last hidden state of the last GRU layer (or, with
 * n_rnn = 0, the mean over length) goes through a linear layer, unless any width will do. After
 * Zhang, Jayasinghe & Bloom (2023); GRU: Cho et al. (2014). */
#include "../common/residual.h"
#include <stdlib.h>

typedef struct resnet_gru_options {
    int64_t depth, conv_min, conv_max, nlayer, kernel, n_rnn;
} resnet_gru_options;

typedef struct resnet_gru {
    residual stages;
    int64_t n_rnn, n_features;
} resnet_gru;

static const anpe_option options[] = {
    ANPE_OPT_INT(resnet_gru_options, depth, 6, 1, 24, "",
                 "stages; each after the first halves the length"),
    RESIDUAL_OPTIONS(resnet_gru_options),
    ANPE_OPT_INT(resnet_gru_options, n_rnn, 1, 0, 16, "",
                 "GRU layers; 0: mean over length instead"),
    ANPE_OPT_END,
};

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node *features)
{
    const resnet_gru *r = self;
    (void)ctx;
    x = residual_stages(g, &r->stages, x);
    const int64_t hidden = residual_channels(&r->stages, r->stages.depth - 1);
    for (int64_t i = 0; i < r->n_rnn; i++)
        x = anpe_gru(g, anpe_name(g, "gru.%d", (int)i), x, hidden);
    x = r->n_rnn > 0 ? anpe_last(g, x) : anpe_mean_length(g, x);
    *features = anpe_head(g, x, r->n_features);
    return ANPE_OK;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const resnet_gru_options *o = opts;
    const anpe_featurizer_setup *s = setup;
    const residual stages = {o->depth, o->conv_min, o->conv_max, o->nlayer, o->kernel};
    const anpe_status status = residual_check(ctx, &stages, s->length);
    if (status != ANPE_OK)
        return status;
    resnet_gru *r;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    *r = (resnet_gru){stages, o->n_rnn, s->n_features};
    *self = r;
    return ANPE_OK;
}

static const anpe_featurizer_ops ops = {sizeof ops, build};

ANPE_PLUGIN(ANPE_FEATURIZER, "resnet_gru", "1.0",
            "residual convolutions and gated recurrent units, for spectra", resnet_gru_options,
            free);
