/* Small networks: every operation of the table at least once. */
#include <config.h>
#include <math.h>
#include "graph/operations.h"
#include "graph_support.h"

#define BIT(id)     (UINT64_C(1) << ANPE_OP_##id)
#define BUILD(name) static anpe_node name(anpe_graph *g, const anpe_node *in)

BUILD(conv3)
{
    return anpe_conv1d(g, "c", in[0], 5, 3, 0);
}
BUILD(conv1)
{
    return anpe_conv1d(g, "c", in[0], 4, 1, ANPE_NO_BIAS);
}
BUILD(conv5)
{
    return anpe_conv1d(g, "c", in[0], 3, 5, ANPE_WEIGHT_NORM | ANPE_RELU);
}
BUILD(conv7_short)
{
    return anpe_conv1d(g, "c", in[0], 3, 7, 0);
}
BUILD(conv_wide)
{
    return anpe_conv1d(g, "c", in[0], 37, 3, ANPE_RELU);
}
BUILD(linear)
{
    return anpe_linear(g, "l", in[0], 5, 0);
}
BUILD(linear_norm)
{
    return anpe_linear(g, "l", in[0], 5, ANPE_WEIGHT_NORM | ANPE_RELU);
}
BUILD(masked)
{
    static const int out[5] = {0, 1, 2, 0, 1}, degree[4] = {0, 1, 2, 2};
    return anpe_masked_linear(g, "m", in[0], 5, out, degree, ANPE_RELU);
}
BUILD(gru)
{
    return anpe_gru(g, "g", in[0], 4);
}
BUILD(gru_two)
{
    return anpe_last(g, anpe_gru(g, "b", anpe_gru(g, "a", in[0], 3), 5));
}
BUILD(pool)
{
    return anpe_max_pool(g, in[0], 3);
}
BUILD(mean)
{
    return anpe_mean_length(g, in[0]);
}
BUILD(last)
{
    return anpe_last(g, in[0]);
}
BUILD(flatten)
{
    return anpe_flatten(g, in[0]);
}
BUILD(relu)
{
    return anpe_relu(g, in[0]);
}
BUILD(leaky)
{
    return anpe_leaky_relu(g, in[0], 0.01);
}
BUILD(sigmoid)
{
    return anpe_sigmoid(g, in[0]);
}
BUILD(tanh_)
{
    return anpe_tanh(g, in[0]);
}
BUILD(add)
{
    return anpe_add(g, in[0], in[1]);
}
BUILD(add_self)
{
    return anpe_add(g, in[0], in[0]);
}
BUILD(multiply)
{
    return anpe_multiply(g, in[0], in[1]);
}
BUILD(square)
{
    return anpe_multiply(g, in[0], in[0]);
}
BUILD(concat)
{
    return anpe_concat(g, in[0], in[1]);
}
BUILD(slice)
{
    return anpe_slice(g, in[0], 1, 3);
}
BUILD(pixels)
{
    return anpe_pixels(g, in[0], 2, 3);
}
BUILD(lse)
{
    return anpe_log_sum_exp(g, in[0]);
}
BUILD(permute)
{
    static const int64_t index[5] = {3, 1, 4, 0, 2};
    return anpe_permute(g, "p", in[0], index);
}
BUILD(affine)
{
    return anpe_affine_step(g, in[0], in[1], -INFINITY, INFINITY);
}
BUILD(affine_clamped)
{
    return anpe_affine_step(g, in[0], in[1], -0.5, 0.5);
}
BUILD(log_det)
{
    return anpe_affine_log_det(g, in[0], -0.5, 0.5);
}
BUILD(mog)
{
    return anpe_mog_log_density(g, in[0], in[1], 3, -INFINITY, INFINITY);
}
BUILD(mog_clamped)
{
    return anpe_mog_log_density(g, in[0], in[1], 1, -0.6, 0.6);
}

BUILD(layer_norm)
{
    return anpe_layer_norm(g, "n", in[0]);
}
BUILD(gelu)
{
    return anpe_gelu(g, in[0]);
}
BUILD(attention)
{
    return anpe_attention(g, in[0], 2);
}
BUILD(attention_long) /* more queries than the kernel takes at once */
{
    return anpe_attention(g, in[0], 1);
}
BUILD(patches)
{
    return anpe_patches(g, in[0], 3, 3);
}
BUILD(patches_overlap)
{
    return anpe_patches(g, in[0], 4, 2);
}
BUILD(patches_short)
{
    return anpe_patches(g, in[0], 5, 4);
}
BUILD(offset)
{
    return anpe_offset(g, "o", in[0], NULL, 1);
}
BUILD(offset_fixed)
{
    static const double table[6] = {1, 2, 3, 4, 5, 6};
    return anpe_offset(g, "o", in[0], table, 0);
}
BUILD(append)
{
    return anpe_append(g, "a", in[0]);
}

/* A transformer block. */
BUILD(transformer)
{
    anpe_node x = anpe_append(g, "token", anpe_linear(g, "e", anpe_patches(g, in[0], 3, 2), 4, 0));
    anpe_node y = anpe_linear(g, "qkv", anpe_layer_norm(g, "n1", x), 12, 0);
    x = anpe_add(g, x, anpe_linear(g, "out", anpe_attention(g, y, 2), 4, 0));
    y = anpe_gelu(g, anpe_linear(g, "up", anpe_layer_norm(g, "n2", x), 6, 0));
    x = anpe_add(g, x, anpe_linear(g, "down", y, 4, 0));
    return anpe_last(g, anpe_layer_norm(g, "n3", x));
}

/* Everything at once: a small featurizer and a flow of two steps on its result. */
BUILD(network)
{
    static const int64_t index[3] = {2, 0, 1};
    static const int d_in[3] = {0, 1, 2}, d_hidden[6] = {0, 1, 0, 1, 0, 1};
    static const int d_out[6] = {-1, 0, 1, -1, 0, 1};
    anpe_node x = anpe_conv1d(g, "c1", in[0], 4, 3, ANPE_WEIGHT_NORM | ANPE_RELU);
    anpe_node y = anpe_conv1d(g, "c2", x, 4, 3, ANPE_WEIGHT_NORM | ANPE_RELU);
    x = anpe_max_pool(g, anpe_add(g, y, anpe_conv1d(g, "skip", x, 4, 1, 0)), 2);
    x = anpe_last(g, anpe_gru(g, "gru", x, 5));
    anpe_node c = anpe_linear(g, "cond", anpe_linear(g, "head", x, 4, 0), 6, ANPE_NO_BIAS);
    anpe_node t = anpe_permute(g, "perm", in[1], index);
    anpe_node h = anpe_add(g, anpe_masked_linear(g, "l0", t, 6, d_hidden, d_in, 0), c);
    anpe_node o = anpe_masked_linear(g, "l2", anpe_tanh(g, h), 6, d_out, d_hidden, 0);
    anpe_node u = anpe_affine_step(g, t, o, -3, 3);
    anpe_node last = anpe_concat(g, anpe_tanh(g, o), anpe_slice(g, c, 0, 3));
    return anpe_add(g, anpe_affine_log_det(g, o, -3, 3),
                    anpe_mog_log_density(g, u, last, 1, -2, 2));
}

#define ONE_F(name, f, covers)                                                                     \
    {                                                                                              \
#name, name, 1, {1, 0 }, {1, 0 }, {f, 0 }, covers                                          \
    }
#define ONE_L(name, l, c, covers)                                                                  \
    {                                                                                              \
#name, name, 1, {2, 0 }, {l, 0 }, {c, 0 }, covers                                          \
    }
#define TWO_F(name, f, h, covers)                                                                  \
    {                                                                                              \
#name, name, 2, {1, 1 }, {1, 1 }, {f, h }, covers                                          \
    }
#define TWO_L(name, l, c, d, bits)                                                                 \
    {                                                                                              \
#name, name, 2, {2, 2 }, {l, l }, {c, d }, bits                                            \
    }
const anpe_test_case anpe_test_cases[] = {
    ONE_L(conv3, 9, 3, BIT(conv1d)),
    ONE_L(conv1, 6, 3, BIT(conv1d)),
    ONE_L(conv5, 8, 2, BIT(conv1d)),
    ONE_L(conv7_short, 2, 2, BIT(conv1d)),
    ONE_L(conv_wide, 7, 35, BIT(conv1d)),
    ONE_F(linear, 4, BIT(linear)),
    ONE_L(linear_norm, 3, 4, BIT(linear)),
    ONE_F(masked, 4, BIT(masked_linear)),
    ONE_L(gru, 5, 3, BIT(gru)),
    ONE_L(gru_two, 4, 2, BIT(gru) | BIT(last)),
    ONE_L(pool, 8, 3, BIT(max_pool)),
    ONE_L(mean, 5, 3, BIT(mean_length)),
    ONE_L(last, 5, 3, BIT(last)),
    ONE_L(flatten, 3, 4, BIT(flatten)),
    ONE_F(relu, 7, BIT(relu)),
    ONE_F(leaky, 7, BIT(leaky_relu)),
    ONE_L(sigmoid, 3, 4, BIT(sigmoid)),
    ONE_F(tanh_, 7, BIT(tanh)),
    TWO_L(add, 3, 4, 4, BIT(add)),
    ONE_F(add_self, 5, BIT(add)),
    TWO_F(multiply, 5, 5, BIT(multiply)),
    ONE_F(square, 5, BIT(multiply)),
    TWO_L(concat, 3, 2, 4, BIT(concat)),
    ONE_L(slice, 3, 6, BIT(slice)),
    ONE_L(pixels, 6, 4, BIT(pixels)),
    ONE_L(lse, 3, 5, BIT(log_sum_exp)),
    ONE_F(permute, 5, BIT(permute)),
    TWO_F(affine, 4, 8, BIT(affine_step)),
    TWO_F(affine_clamped, 4, 8, BIT(affine_step)),
    ONE_F(log_det, 8, BIT(affine_log_det)),
    TWO_F(mog, 3, 27, BIT(mog_log_density)),
    TWO_F(mog_clamped, 4, 12, BIT(mog_log_density)),
    ONE_L(layer_norm, 3, 19, BIT(layer_norm)),
    ONE_L(gelu, 3, 5, BIT(gelu)),
    ONE_L(attention, 5, 12, BIT(attention)),
    ONE_L(attention_long, 61, 6, BIT(attention)),
    ONE_L(patches, 7, 2, BIT(patches)),
    ONE_L(patches_overlap, 9, 2, BIT(patches)),
    ONE_L(patches_short, 2, 3, BIT(patches)),
    ONE_L(offset, 3, 4, BIT(offset)),
    ONE_L(offset_fixed, 3, 2, BIT(offset)),
    ONE_L(append, 3, 4, BIT(append)),
    ONE_L(transformer, 9, 2, 0),
    {"network", network, 2, {2, 1}, {11, 1}, {2, 3}, 0},
};
const int anpe_test_n_cases = sizeof anpe_test_cases / sizeof anpe_test_cases[0];
