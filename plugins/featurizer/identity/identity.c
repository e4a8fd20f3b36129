/* No network: the context is the input itself, (B, L, C) -> (B, L C).
 *
 * For data that are summary statistics already. */
#include <anpe/plugin.h>
#include <stdlib.h>

typedef struct identity_options {
    char none; /* C has no empty struct */
} identity_options;

static const anpe_option options[] = {ANPE_OPT_END};

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node *features)
{
    (void)self;
    (void)ctx;
    *features = anpe_rank(g, x) == 2 ? anpe_flatten(g, x) : x;
    return ANPE_OK;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const anpe_featurizer_setup *s = setup;
    (void)opts;
    if (s->n_features && s->n_features != s->length * s->channels)
        return ANPE_FAIL(
            ctx, ANPE_ECONFIG,
            "the context is the input of %lld x %lld values, so its width must be %lld, or 0 for "
            "what comes, not %lld (featurizer 'mlp' with hidden = [] maps to any width)",
            (long long)s->length, (long long)s->channels, (long long)(s->length * s->channels),
            (long long)s->n_features);
    *self = NULL; /* there is nothing to remember */
    return ANPE_OK;
}

static void destroy(void *self)
{
    (void)self;
}

static const anpe_featurizer_ops ops = {sizeof ops, build};

ANPE_PLUGIN(ANPE_FEATURIZER, "identity", "1.0", "the context is the input itself", identity_options,
            destroy);
