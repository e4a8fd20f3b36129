/* featurizer_narrow.c -- a featurizer to copy: convolutions over the pixels, each followed by a
 * maximum over two of them, then one linear layer. It describes a network and never touches a
 * number: the core infers shapes, derives gradients and runs it. */
#include <anpe/plugin.h>
#include <stdlib.h>

typedef struct narrow_options {
    int64_t channels, layers;
} narrow_options;

static const anpe_option options[] = {
    ANPE_OPT_INT(narrow_options, channels, 8, 1, 4096, "", "of every convolution"),
    ANPE_OPT_INT(narrow_options, layers, 3, 1, 16, "",
                 "convolutions, each of which halves the length"),
    ANPE_OPT_END,
};

typedef struct narrow {
    narrow_options o;
    int64_t n_features; /* width of the context vector; 0: what the network has */
} narrow;

static anpe_status create(anpe_ctx *ctx, const void *given, const void *setup, void **self)
{
    const anpe_featurizer_setup *input = setup;
    const narrow_options *o = given;
    if (input->length >> o->layers < 1)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "layers = %lld: %lld pixels cannot be halved so often",
                         (long long)o->layers, (long long)input->length);
    narrow *s;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    *s = (narrow){*o, input->n_features};
    *self = s;
    return ANPE_OK;
}

/* x (B, L, C) -> *features (B, n_features). Errors of the builder need no check here. */
static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node *features)
{
    const narrow *s = self;
    (void)ctx;
    for (int64_t i = 0; i < s->o.layers; i++) {
        x = anpe_conv1d(g, anpe_name(g, "conv.%d", (int)i), x, s->o.channels, 5, ANPE_RELU);
        x = anpe_max_pool(g, x, 2);
    }
    *features = anpe_head(g, anpe_flatten(g, x), s->n_features);
    return ANPE_OK;
}

static const anpe_featurizer_ops ops = {sizeof ops, build};

ANPE_PLUGIN(ANPE_FEATURIZER, "narrow", "1.0", "a few narrow convolutions (template)",
            narrow_options, free);
