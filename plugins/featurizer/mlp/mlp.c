/* Multilayer perceptron: input (B, L, C), flattened, -> context (B, F).
 *
 * h_0 = x, h_{i+1} = act(W_i h_i + b_i) for every entry of `hidden`, with `skip` h_i + act(...)
 * where both are as wide; context = W h + b, or h itself where any width will do. For data whose
 * entries have no order along an axis, such as summary statistics or coefficients. */
#include <anpe/plugin.h>
#include <math.h>
#include <stdlib.h>

typedef struct mlp_options {
    anpe_reals hidden;
    int activation, skip;
} mlp_options;

typedef struct mlp {
    const mlp_options *o;
    int64_t n_features;
} mlp;

enum { RELU, LEAKY_RELU, TANH, SIGMOID, GELU };
#define MAX_WIDTH 1048576

static const anpe_option options[] = {
    ANPE_OPT_REALS(mlp_options, hidden, "64 64", 1, MAX_WIDTH, "",
                   "width of each hidden layer; empty: one linear layer"),
    ANPE_OPT_ENUM(mlp_options, activation, RELU, "relu|leaky_relu|tanh|sigmoid|gelu",
                  "after every hidden layer"),
    ANPE_OPT_BOOL(mlp_options, skip, 0,
                  "a hidden layer as wide as the one before is added to it (a residual network)"),
    ANPE_OPT_END,
};

static anpe_node activate(anpe_graph *g, int activation, anpe_node x)
{
    switch (activation) {
    case LEAKY_RELU:
        return anpe_leaky_relu(g, x, 0.01);
    case TANH:
        return anpe_tanh(g, x);
    case SIGMOID:
        return anpe_sigmoid(g, x);
    case GELU:
        return anpe_gelu(g, x);
    default:
        return anpe_relu(g, x);
    }
}

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node *features)
{
    const mlp *m = self;
    (void)ctx;
    if (anpe_rank(g, x) == 2)
        x = anpe_flatten(g, x);
    for (int64_t i = 0; i < m->o->hidden.n; i++) {
        const anpe_node before = x;
        x = anpe_linear(g, anpe_name(g, "layers.%d", (int)i), x, (int64_t)m->o->hidden.v[i], 0);
        x = activate(g, m->o->activation, x);
        if (m->o->skip && anpe_width(g, before) == anpe_width(g, x))
            x = anpe_add(g, before, x);
    }
    *features = anpe_head(g, x, m->n_features);
    return ANPE_OK;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const mlp_options *o = opts;
    const anpe_featurizer_setup *s = setup;
    for (int64_t i = 0; i < o->hidden.n; i++) {
        const double width = o->hidden.v[i];
        if (!(width >= 1 && width <= MAX_WIDTH) || width != floor(width))
            return ANPE_FAIL(ctx, ANPE_ECONFIG,
                             "hidden[%lld] must be a whole number from 1 to %d, not %g",
                             (long long)i, MAX_WIDTH, width);
    }
    mlp *m;
    if (ANPE_NEW(ctx, m, 1))
        return ANPE_ENOMEM;
    *m = (mlp){o, s->n_features};
    *self = m;
    return ANPE_OK;
}

static const anpe_featurizer_ops ops = {sizeof ops, build};

ANPE_PLUGIN(ANPE_FEATURIZER, "mlp", "1.0",
            "multilayer perceptron, for data without an order along an axis", mlp_options, free);
