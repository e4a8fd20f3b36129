/* kernel/kernels.h -- the kernels of the operations of <anpe/graph.h>, as one table, and the
 * attributes that they are called with. */
#ifndef ANPE_CORE_KERNELS_H
#define ANPE_CORE_KERNELS_H
#include <anpe/plugin.h>

/* X(name, shape rule, backward_needs, saved_size, scratch_size, bfloat16): the kernels are
 * anpe_NAME_forward_f, _d and anpe_NAME_backward_f, _d. bfloat16: what the output of kernels for
 * inputs in bfloat16, anpe_NAME_forward_b and _backward_b, is stored in; NONE: there are none. */
#define ANPE_IO     (ANPE_NEEDS_INPUT | ANPE_NEEDS_OUTPUT)
#define ANPE_IO_SET (ANPE_IO | ANPE_SETS_GRADIENT)
#define ANPE_OPERATION_LIST(X)                                                                     \
    X(conv1d, conv1d_shape, ANPE_IO_SET, NULL, conv1d_scratch, NONE)                               \
    X(linear, like_linear, ANPE_IO_SET, NULL, linear_scratch, NONE)                                \
    X(masked_linear, like_linear, ANPE_IO_SET, NULL, linear_scratch, NONE)                         \
    X(gru, gru_shape, ANPE_IO_SET, gru_saved, gru_scratch, NONE)                                   \
    X(max_pool, max_pool_shape, ANPE_SETS_GRADIENT, max_pool_saved, NULL, BFLOAT16)                \
    X(mean_length, over_length, 0, NULL, NULL, FLOAT)                                              \
    X(last, over_length, 0, NULL, NULL, FLOAT)                                                     \
    X(flatten, flatten_shape, 0, NULL, NULL, NONE)                                                 \
    X(relu, same_as_input, ANPE_NEEDS_OUTPUT, NULL, NULL, NONE)                                    \
    X(leaky_relu, same_as_input, ANPE_NEEDS_INPUT, NULL, NULL, NONE)                               \
    X(sigmoid, same_as_input, ANPE_NEEDS_OUTPUT, NULL, NULL, NONE)                                 \
    X(tanh, same_as_input, ANPE_NEEDS_OUTPUT, NULL, NULL, NONE)                                    \
    X(add, like_both, ANPE_SETS_GRADIENT, NULL, NULL, BFLOAT16)                                    \
    X(multiply, like_both, ANPE_NEEDS_INPUT, NULL, NULL, NONE)                                     \
    X(concat, concat_shape, 0, NULL, NULL, NONE)                                                   \
    X(slice, slice_shape, 0, NULL, NULL, NONE)                                                     \
    X(pixels, pixels_shape, 0, NULL, NULL, NONE)                                                   \
    X(log_sum_exp, log_sum_exp_shape, ANPE_IO, NULL, NULL, NONE)                                   \
    X(permute, permute_shape, 0, NULL, NULL, NONE)                                                 \
    X(affine_step, affine_step_shape, ANPE_IO, NULL, NULL, NONE)                                   \
    X(affine_log_det, affine_log_det_shape, ANPE_NEEDS_INPUT, NULL, NULL, NONE)                    \
    X(mog_log_density, mog_log_density_shape, ANPE_NEEDS_INPUT, NULL, NULL, NONE)                  \
    X(layer_norm, same_as_input, ANPE_NEEDS_INPUT, layer_norm_saved, NULL, NONE)                   \
    X(gelu, same_as_input, ANPE_NEEDS_INPUT, NULL, NULL, NONE)                                     \
    X(attention, attention_shape, ANPE_IO, attention_saved, attention_scratch, NONE)               \
    X(patches, patches_shape, 0, NULL, NULL, NONE)                                                 \
    X(offset, same_as_input, 0, NULL, NULL, NONE)                                                  \
    X(append, append_shape, 0, NULL, NULL, NONE)

#define ANPE_DECLARE_NONE(name)
#define ANPE_DECLARE_FLOAT(name)                                                                   \
    void anpe_##name##_forward_b(const anpe_call *c);                                              \
    void anpe_##name##_backward_b(const anpe_call *c);
#define ANPE_DECLARE_BFLOAT16(name) ANPE_DECLARE_FLOAT(name)
#define X(name, shape, needs, saved, scratch, bfloat16)                                            \
    void anpe_##name##_forward_f(const anpe_call *c);                                              \
    void anpe_##name##_forward_d(const anpe_call *c);                                              \
    void anpe_##name##_backward_f(const anpe_call *c);                                             \
    void anpe_##name##_backward_d(const anpe_call *c);                                             \
    ANPE_DECLARE_##bfloat16(name)
ANPE_OPERATION_LIST(X)
#undef X

/* Bytes of scratch where only the kernel knows. */
size_t anpe_conv1d_scratch_f(const anpe_call *c);
size_t anpe_conv1d_scratch_d(const anpe_call *c);
size_t anpe_gru_scratch_f(const anpe_call *c);
size_t anpe_gru_scratch_d(const anpe_call *c);
size_t anpe_attention_scratch_f(const anpe_call *c);
size_t anpe_attention_scratch_d(const anpe_call *c);

typedef struct anpe_conv_attributes {
    int64_t out, k;
    unsigned flags;
} anpe_conv_attributes;

typedef struct anpe_linear_attributes {
    int64_t out;
    unsigned flags;
} anpe_linear_attributes;

/* gru: hidden; max_pool: size; slice, pixels: start, n; attention: heads; patches: size n, stride
 * start */
typedef struct anpe_size_attributes {
    int64_t n, start;
} anpe_size_attributes;

typedef struct anpe_slope_attributes {
    double slope;
} anpe_slope_attributes;

typedef struct anpe_flow_attributes { /* n: components of a mixture */
    double lo, hi;
    int64_t n;
} anpe_flow_attributes;
#endif
