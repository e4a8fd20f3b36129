/* The operations of <anpe/graph.h>: checks of their arguments, attributes and parameters. */
#include <config.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "graph/graph.h"
#include "graph/operations.h"

#define APPLY(id, name, n, inputs, n_weights, weights, attributes)                                 \
    anpe_graph_apply(g, anpe_operation_get(ANPE_OP_##id), name, n, inputs, n_weights, weights,     \
                     attributes, sizeof *(attributes))

/* weight and bias of conv1d and linear; PyTorch's default initialisation. */
static void layer_weights(anpe_weight_spec w[2], int64_t out, int64_t in, int64_t k, unsigned flags)
{
    const double bound = 1 / sqrt((double)(in * k));
    w[0] = (anpe_weight_spec){.name = "weight", .rank = 2, .shape = {out, in}, .bound = bound};
    if (k > 0)
        w[0].shape[2] = k;
    w[0].transform = flags & ANPE_WEIGHT_NORM ? ANPE_NORM_V : ANPE_PLAIN;
    w[0].zero = (flags & ANPE_ZERO_INIT) != 0;
    w[1] = (anpe_weight_spec){.rank = 1, .shape = {out}, .bound = bound, .zero = w[0].zero};
    w[1].name = flags & ANPE_NO_BIAS ? NULL : "bias";
}

anpe_node anpe_conv1d(anpe_graph *g, const char *name, anpe_node x, int64_t cout, int64_t k,
                      unsigned flags)
{
    if (cout < 1 || k < 1 || k % 2 == 0)
        return anpe_graph_fail(g, ANPE_EINVAL,
                               "conv1d %s%s: %lld channels and kernel %lld; channels must be "
                               "positive and the kernel odd",
                               g->scope, name, (long long)cout, (long long)k);
    const anpe_conv_attributes at = {cout, k, flags};
    anpe_weight_spec w[2];
    layer_weights(w, cout, anpe_width(g, x), k, flags);
    w[0].rank = 3;
    return APPLY(conv1d, name, 1, &x, 2, w, &at);
}

anpe_node anpe_linear(anpe_graph *g, const char *name, anpe_node x, int64_t out, unsigned flags)
{
    const anpe_linear_attributes at = {out, flags};
    anpe_weight_spec w[2];
    layer_weights(w, out, anpe_width(g, x), 1, flags);
    return APPLY(linear, name, 1, &x, 2, w, &at);
}

anpe_node anpe_masked_linear(anpe_graph *g, const char *name, anpe_node x, int64_t out,
                             const int *degree_out, const int *degree_in, unsigned flags)
{
    if (out < 1 || flags & ANPE_WEIGHT_NORM)
        return anpe_graph_fail(g, ANPE_EINVAL, "masked_linear %s%s: %s", g->scope, name,
                               out < 1 ? "needs a positive width" : "has no weight norm");
    const int64_t in = anpe_width(g, x);
    const anpe_linear_attributes at = {out, flags};
    anpe_weight_spec w[2];
    uint8_t *mask = anpe_graph_keep(g, (size_t)(out * in));
    if (!mask || g->status != ANPE_OK)
        return -1;
    for (int64_t o = 0; o < out; o++)
        for (int64_t i = 0; i < in; i++)
            mask[o * in + i] = degree_out[o] >= degree_in[i];
    layer_weights(w, out, in, 1, flags);
    w[0].transform = ANPE_MASKED;
    w[0].mask = mask;
    return APPLY(masked_linear, name, 1, &x, 2, w, &at);
}

anpe_node anpe_gru(anpe_graph *g, const char *name, anpe_node x, int64_t hidden)
{
    const anpe_size_attributes at = {.n = hidden};
    const double bound = 1 / sqrt((double)hidden);
    const int64_t in = anpe_width(g, x), three = 3 * hidden;
    const anpe_weight_spec w[4] = {
        {.name = "weight_ih", .rank = 2, .shape = {three, in}, .bound = bound},
        {.name = "weight_hh", .rank = 2, .shape = {three, hidden}, .bound = bound},
        {.name = "bias_ih", .rank = 1, .shape = {three}, .bound = bound},
        {.name = "bias_hh", .rank = 1, .shape = {three}, .bound = bound},
    };
    if (hidden < 1)
        return anpe_graph_fail(g, ANPE_EINVAL, "gru %s%s: %lld hidden units", g->scope, name,
                               (long long)hidden);
    return APPLY(gru, name, 1, &x, 4, w, &at);
}

anpe_node anpe_layer_norm(anpe_graph *g, const char *name, anpe_node x)
{
    const int64_t n = anpe_width(g, x);
    const anpe_size_attributes at = {.n = n};
    double *ones = anpe_graph_keep(g, (size_t)n * sizeof *ones);
    for (int64_t i = 0; ones && i < n; i++)
        ones[i] = 1;
    const anpe_weight_spec w[2] = {
        {.name = "weight", .rank = 1, .shape = {n}, .initial = ones},
        {.name = "bias", .rank = 1, .shape = {n}, .zero = 1},
    };
    return APPLY(layer_norm, name, 1, &x, 2, w, &at);
}

anpe_node anpe_offset(anpe_graph *g, const char *name, anpe_node x, const double *initial,
                      int trained)
{
    const int64_t length = anpe_length(g, x), width = anpe_width(g, x);
    const anpe_size_attributes at = {.n = length};
    const anpe_weight_spec w = {.name = "",
                                .rank = 2,
                                .shape = {length, width},
                                .transform = trained ? ANPE_PLAIN : ANPE_BUFFER,
                                .initial = initial,
                                .zero = !initial};
    return APPLY(offset, name, 1, &x, 1, &w, &at);
}

anpe_node anpe_append(anpe_graph *g, const char *name, anpe_node x)
{
    const int64_t width = anpe_width(g, x);
    const anpe_size_attributes at = {.n = width};
    const anpe_weight_spec w = {
        .name = "", .rank = 1, .shape = {width}, .bound = 1 / sqrt((double)width)};
    return APPLY(append, name, 1, &x, 1, &w, &at);
}

anpe_node anpe_permute(anpe_graph *g, const char *name, anpe_node x, const int64_t *index)
{
    const int64_t n = anpe_width(g, x);
    double *initial = anpe_graph_keep(g, (size_t)n * sizeof *initial);
    uint8_t *seen = anpe_graph_keep(g, (size_t)n);
    if (!initial || !seen || g->status != ANPE_OK)
        return -1;
    for (int64_t i = 0; i < n; i++) {
        if (index[i] < 0 || index[i] >= n || seen[index[i]]++)
            return anpe_graph_fail(
                g, ANPE_EINVAL, "permute %s%s: entry %lld is %lld: not a permutation of 0..%lld",
                g->scope, name, (long long)i, (long long)index[i], (long long)n - 1);
        initial[i] = (double)index[i];
    }
    const anpe_weight_spec w = {
        .name = "", .rank = 1, .shape = {n}, .transform = ANPE_BUFFER, .initial = initial};
    const anpe_size_attributes at = {.n = n};
    return APPLY(permute, name, 1, &x, 1, &w, &at);
}

/* ---- without parameters ------------------------------------------------------------------ */

static anpe_node simple(anpe_graph *g, int id, int n, const anpe_node *inputs)
{
    return anpe_graph_apply(g, anpe_operation_get(id), "", n, inputs, 0, NULL, NULL, 0);
}

static anpe_node sized(anpe_graph *g, int id, anpe_node x, int64_t n, int64_t start)
{
    const anpe_size_attributes at = {n, start};
    return anpe_graph_apply(g, anpe_operation_get(id), "", 1, &x, 0, NULL, &at, sizeof at);
}

#define UNARY(name)                                                                                \
    anpe_node anpe_##name(anpe_graph *g, anpe_node x)                                              \
    {                                                                                              \
        return simple(g, ANPE_OP_##name, 1, &x);                                                   \
    }
#define BINARY(name)                                                                               \
    anpe_node anpe_##name(anpe_graph *g, anpe_node x, anpe_node y)                                 \
    {                                                                                              \
        return simple(g, ANPE_OP_##name, 2, (anpe_node[]){x, y});                                  \
    }
UNARY(mean_length)
UNARY(last)
UNARY(flatten)
UNARY(relu)
UNARY(sigmoid)
UNARY(tanh)
UNARY(log_sum_exp)
UNARY(gelu)
BINARY(add)
BINARY(multiply)
BINARY(concat)

anpe_node anpe_max_pool(anpe_graph *g, anpe_node x, int64_t size)
{
    return sized(g, ANPE_OP_max_pool, x, size, 0);
}

anpe_node anpe_slice(anpe_graph *g, anpe_node x, int64_t start, int64_t n)
{
    return sized(g, ANPE_OP_slice, x, n, start);
}

anpe_node anpe_pixels(anpe_graph *g, anpe_node x, int64_t start, int64_t n)
{
    return sized(g, ANPE_OP_pixels, x, n, start);
}

anpe_node anpe_attention(anpe_graph *g, anpe_node x, int64_t heads)
{
    return sized(g, ANPE_OP_attention, x, heads, 0);
}

anpe_node anpe_patches(anpe_graph *g, anpe_node x, int64_t size, int64_t stride)
{
    return sized(g, ANPE_OP_patches, x, size, stride);
}

anpe_node anpe_leaky_relu(anpe_graph *g, anpe_node x, double slope)
{
    const anpe_slope_attributes at = {slope};
    return APPLY(leaky_relu, "", 1, &x, 0, NULL, &at);
}

anpe_node anpe_affine_step(anpe_graph *g, anpe_node x, anpe_node out, double lo, double hi)
{
    const anpe_flow_attributes at = {lo, hi, 0};
    const anpe_node in[2] = {x, out};
    return APPLY(affine_step, "", 2, in, 0, NULL, &at);
}

anpe_node anpe_affine_log_det(anpe_graph *g, anpe_node out, double lo, double hi)
{
    const anpe_flow_attributes at = {lo, hi, 0};
    return APPLY(affine_log_det, "", 1, &out, 0, NULL, &at);
}

anpe_node anpe_mog_log_density(anpe_graph *g, anpe_node x, anpe_node out, int64_t n, double lo,
                               double hi)
{
    const anpe_flow_attributes at = {lo, hi, n};
    const anpe_node in[2] = {x, out};
    return APPLY(mog_log_density, "", 2, in, 0, NULL, &at);
}
