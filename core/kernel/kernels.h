/* kernel/kernels.h -- the kernels of the operations of <anpe/graph.h>, as one table, and the
 * attributes that they are called with. */
#ifndef ANPE_CORE_KERNELS_H
#define ANPE_CORE_KERNELS_H
#include <anpe/plugin.h>

/* X(name, backward_needs, saved_size, scratch_size): the kernels are anpe_NAME_forward_f, _d,
 * anpe_NAME_backward_f, _d, the shape rule NAME_shape. */
#define ANPE_IO     (ANPE_NEEDS_INPUT | ANPE_NEEDS_OUTPUT)
#define ANPE_IO_SET (ANPE_IO | ANPE_SETS_GRADIENT)
#define ANPE_OPERATION_LIST(X)                                                                     \
    X(conv1d, ANPE_IO_SET, NULL, conv1d_scratch)                                                   \
    X(linear, ANPE_IO_SET, NULL, linear_scratch)                                                   \
    X(masked_linear, ANPE_IO_SET, NULL, linear_scratch)                                            \
    X(gru, ANPE_IO_SET, gru_saved, gru_scratch)                                                    \
    X(max_pool, ANPE_SETS_GRADIENT, max_pool_saved, NULL)                                          \
    X(mean_length, 0, NULL, NULL)                                                                  \
    X(last, 0, NULL, NULL)                                                                         \
    X(flatten, 0, NULL, NULL)                                                                      \
    X(relu, ANPE_NEEDS_OUTPUT, NULL, NULL)                                                         \
    X(leaky_relu, ANPE_NEEDS_INPUT, NULL, NULL)                                                    \
    X(sigmoid, ANPE_NEEDS_OUTPUT, NULL, NULL)                                                      \
    X(tanh, ANPE_NEEDS_OUTPUT, NULL, NULL)                                                         \
    X(add, ANPE_SETS_GRADIENT, NULL, NULL)                                                         \
    X(multiply, ANPE_NEEDS_INPUT, NULL, NULL)                                                      \
    X(concat, 0, NULL, NULL)                                                                       \
    X(slice, 0, NULL, NULL)                                                                        \
    X(log_sum_exp, ANPE_IO, NULL, NULL)                                                            \
    X(permute, 0, NULL, NULL)                                                                      \
    X(affine_step, ANPE_IO, NULL, NULL)                                                            \
    X(affine_log_det, ANPE_NEEDS_INPUT, NULL, NULL)                                                \
    X(mog_log_density, ANPE_NEEDS_INPUT, NULL, NULL)                                               \
    X(layer_norm, ANPE_NEEDS_INPUT, layer_norm_saved, NULL)                                        \
    X(gelu, ANPE_NEEDS_INPUT, NULL, NULL)                                                          \
    X(attention, ANPE_IO, attention_saved, attention_scratch)                                      \
    X(patches, 0, NULL, NULL)                                                                      \
    X(offset, 0, NULL, NULL)                                                                       \
    X(append, 0, NULL, NULL)

#define X(name, needs, saved, scratch)                                                             \
    void anpe_##name##_forward_f(const anpe_call *c);                                              \
    void anpe_##name##_forward_d(const anpe_call *c);                                              \
    void anpe_##name##_backward_f(const anpe_call *c);                                             \
    void anpe_##name##_backward_d(const anpe_call *c);
ANPE_OPERATION_LIST(X)
#undef X

/* Of tensors in bfloat16: see anpe_operation_bfloat16 of graph/operations.h. */
void anpe_add_forward_b(const anpe_call *c);
void anpe_add_backward_b(const anpe_call *c);
void anpe_max_pool_forward_b(const anpe_call *c);
void anpe_max_pool_backward_b(const anpe_call *c);
void anpe_mean_length_forward_b(const anpe_call *c);
void anpe_mean_length_backward_b(const anpe_call *c);
void anpe_last_forward_b(const anpe_call *c);
void anpe_last_backward_b(const anpe_call *c);

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

/* gru: hidden; max_pool: size; slice: start, n; attention: heads; patches: size n, stride start */
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
