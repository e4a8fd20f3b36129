/* Residual convolutions, then gated recurrent units: spectrum (B, L, C) -> context (B, F).
 *
 * Stage i has min(conv_max, conv_min 2^i) channels and runs at length L / 2^i; a stage is `nlayer`
 * blocks y = relu(conv(relu(conv(x)))) + skip(x). The last hidden state of the last GRU layer (or,
 * with n_rnn = 0, the mean over length) goes through a linear layer, unless any width will do.
 * After Zhang, Jayasinghe & Bloom (2023); residual blocks: He et al. (2016); weight norm:
 * Salimans & Kingma (2016); GRU: Cho et al. (2014). */
#include <anpe/plugin.h>
#include <inttypes.h>
#include <stdlib.h>

typedef struct resnet_options {
    int64_t depth, conv_min, conv_max, nlayer, kernel, n_rnn;
} resnet_options;

typedef struct resnet {
    resnet_options o;
    anpe_featurizer_setup setup;
} resnet;

static const anpe_option options[] = {
    ANPE_OPT_INT(resnet_options, depth, 6, 1, 24, "",
                 "stages; each after the first halves the length"),
    ANPE_OPT_INT(resnet_options, conv_min, 8, 1, 65536, "", "channels of the first stage"),
    ANPE_OPT_INT(resnet_options, conv_max, 64, 1, 65536, "", "most channels of a stage"),
    ANPE_OPT_INT(resnet_options, nlayer, 1, 1, 64, "", "residual blocks in a stage"),
    ANPE_OPT_INT(resnet_options, kernel, 3, 1, 1023, "pixel", "width of the convolutions, odd"),
    ANPE_OPT_INT(resnet_options, n_rnn, 1, 0, 16, "", "GRU layers; 0: mean over length instead"),
    ANPE_OPT_END,
};

static int64_t stage_channels(const resnet_options *o, int64_t stage)
{
    const int64_t c = o->conv_min << stage; /* at most 2^16 2^23 */
    return c < o->conv_max ? c : o->conv_max;
}

static anpe_node residual_block(anpe_graph *g, const char *name, anpe_node x, int64_t cout,
                                int64_t k)
{
    anpe_node y;
    y = anpe_conv1d(g, anpe_name(g, "%s.conv1", name), x, cout, k, ANPE_WEIGHT_NORM | ANPE_RELU);
    y = anpe_conv1d(g, anpe_name(g, "%s.conv2", name), y, cout, k, ANPE_WEIGHT_NORM | ANPE_RELU);
    if (anpe_width(g, x) != cout)
        x = anpe_conv1d(g, anpe_name(g, "%s.skip", name), x, cout, 1, 0);
    return anpe_add(g, y, x);
}

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node *features)
{
    const resnet *r = self;
    const resnet_options *o = &r->o;
    (void)ctx;

    for (int64_t i = 0; i < o->depth; i++) {
        if (i > 0)
            x = anpe_max_pool(g, x, 2);
        for (int64_t j = 0; j < o->nlayer; j++)
            x = residual_block(g, anpe_name(g, "stages.%d.%d", (int)i, (int)j), x,
                               stage_channels(o, i), o->kernel);
    }
    const int64_t hidden = stage_channels(o, o->depth - 1);
    for (int64_t i = 0; i < o->n_rnn; i++)
        x = anpe_gru(g, anpe_name(g, "gru.%d", (int)i), x, hidden);
    x = o->n_rnn > 0 ? anpe_last(g, x) : anpe_mean_length(g, x);
    *features = r->setup.n_features ? anpe_linear(g, "head", x, r->setup.n_features, 0) : x;
    return ANPE_OK;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const resnet_options *o = opts;
    const anpe_featurizer_setup *s = setup;
    if (o->kernel % 2 == 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "kernel must be odd, not %" PRId64, o->kernel);
    if (s->length >> (o->depth - 1) < 1) {
        int64_t most = 0;
        while (s->length >> most > 0)
            most++;
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "depth = %" PRId64 " needs spectra of at least %" PRId64
                         " pixels, these have %" PRId64 ": depth can be at most %" PRId64,
                         o->depth, (int64_t)1 << (o->depth - 1), s->length, most);
    }
    resnet *r = malloc(sizeof *r);
    if (!r)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    *r = (resnet){*o, *s};
    *self = r;
    return ANPE_OK;
}

static const anpe_featurizer_ops ops = {sizeof ops, build};

static const anpe_plugin plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_FEATURIZER,
    .name = "resnet_gru",
    .version = "1.0",
    .summary = "residual convolutions and gated recurrent units, for spectra",
    .options = options,
    .options_size = sizeof(resnet_options),
    .create = create,
    .destroy = free,
    .ops = &ops,
};
ANPE_PLUGINS(&plugin);
