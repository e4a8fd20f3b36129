/* Transformer over patches: spectrum (B, L, C) -> context (B, F).
 *
 * Patches of ../common/patch.h become vectors, to which their positions are added; `depth` blocks
 *   x <- x + W_o attention(W_qkv norm(x)),   x <- x + W_down gelu(W_up norm(x));
 * norm(x), pooled over the patches, goes through a linear layer, unless any width will do.
 * Vaswani et al. (2017); patches: Dosovitskiy et al. (2021); norms before: Xiong et al. (2020). */
#include "../common/patch.h"
#include <math.h>
#include <stdlib.h>

typedef struct transformer_options {
    int64_t patch, stride, width, depth, heads, hidden;
    int position, pool;
} transformer_options;

typedef struct transformer {
    transformer_options o;
    int64_t n_features;
} transformer;

enum { LEARNED, SINUSOIDAL, NONE };
enum { FLATTEN, MEAN, TOKEN };

static const anpe_option options[] = {
    PATCH_OPTIONS(transformer_options),
    ANPE_OPT_INT(transformer_options, depth, 2, 1, 64, "", "blocks"),
    ANPE_OPT_INT(transformer_options, heads, 4, 1, 1024, "",
                 "heads of the attention; width is a multiple"),
    ANPE_OPT_INT(transformer_options, hidden, 128, 1, 1048576, "",
                 "hidden units of a block's perceptron"),
    ANPE_OPT_ENUM(transformer_options, position, LEARNED, "learned|sinusoidal|none",
                  "added to a patch so that its place is known; learned starts as sinusoidal"),
    ANPE_OPT_ENUM(
        transformer_options, pool, FLATTEN, "flatten|mean|token",
        "from the patches to the context: every patch with weights of its own, their mean, "
        "or a class token"),
    ANPE_OPT_END,
};

/* Position p, pairs of sine and cosine of p / 10000^(2 i / width) (Vaswani et al. 2017). */
static anpe_node add_positions(anpe_ctx *ctx, anpe_graph *g, anpe_node x, int trained,
                               anpe_status *status)
{
    const int64_t length = anpe_length(g, x), width = anpe_width(g, x);
    double *table;
    if ((*status = ANPE_NEW(ctx, table, length, width)))
        return x;
    for (int64_t p = 0; p < length; p++)
        for (int64_t j = 0; j < width; j++) {
            const double angle = (double)p * pow(10000, -(double)(j / 2 * 2) / (double)width);
            table[p * width + j] = j % 2 ? cos(angle) : sin(angle);
        }
    x = anpe_offset(g, "position", x, table, trained);
    free(table);
    return x;
}

static anpe_node block(anpe_graph *g, const transformer_options *o, const char *name, anpe_node x)
{
    anpe_node y = anpe_layer_norm(g, anpe_name(g, "%s.norm1", name), x);
    y = anpe_linear(g, anpe_name(g, "%s.qkv", name), y, 3 * o->width, 0);
    y = anpe_attention(g, y, o->heads);
    x = anpe_add(g, x, anpe_linear(g, anpe_name(g, "%s.out", name), y, o->width, 0));
    y = anpe_layer_norm(g, anpe_name(g, "%s.norm2", name), x);
    y = anpe_gelu(g, anpe_linear(g, anpe_name(g, "%s.up", name), y, o->hidden, 0));
    return anpe_add(g, x, anpe_linear(g, anpe_name(g, "%s.down", name), y, o->width, 0));
}

static anpe_node pooled(anpe_graph *g, int pool, anpe_node x)
{
    switch (pool) {
    case TOKEN:
        return anpe_last(g, x);
    case FLATTEN:
        return anpe_flatten(g, x);
    default:
        return anpe_mean_length(g, x);
    }
}

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node *features)
{
    const transformer *t = self;
    anpe_status status = ANPE_OK;
    x = patch_embed(g, x, t->o.patch, t->o.stride, t->o.width);
    if (t->o.position != NONE)
        x = add_positions(ctx, g, x, t->o.position == LEARNED, &status);
    if (t->o.pool == TOKEN)
        x = anpe_append(g, "token", x);
    for (int64_t i = 0; i < t->o.depth; i++)
        x = block(g, &t->o, anpe_name(g, "blocks.%d", (int)i), x);
    x = pooled(g, t->o.pool, anpe_layer_norm(g, "norm", x));
    *features = anpe_head(g, x, t->n_features);
    return status;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const transformer_options *o = opts;
    const anpe_status status = patch_check(ctx, o->patch, o->stride);
    if (status != ANPE_OK)
        return status;
    if (o->width % o->heads)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "width = %lld cannot be shared by heads = %lld: it must be a multiple",
                         (long long)o->width, (long long)o->heads);
    transformer *t;
    if (ANPE_NEW(ctx, t, 1))
        return ANPE_ENOMEM;
    *t = (transformer){*o, ((const anpe_featurizer_setup *)setup)->n_features};
    *self = t;
    return ANPE_OK;
}

static const anpe_featurizer_ops ops = {sizeof ops, build};

ANPE_PLUGIN(ANPE_FEATURIZER, "transformer", "1.0", "self-attention over patches of a spectrum",
            transformer_options, free);
