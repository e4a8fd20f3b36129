/* The table of operations: shape rules and memory needs; the kernels are in kernel_*.c. */
#include <config.h>
#include <stddef.h>
#include "graph/operations.h"

#define ATTRIBUTES(type) const anpe_##type##_attributes *a = c->attributes

static int same_as_input(anpe_call *c, const int *rank)
{
    c->out_length = c->in_length[0];
    c->out_width = c->in_width[0];
    return rank[0];
}

static int conv1d_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(conv);
    same_as_input(c, rank);
    c->out_width = a->out;
    return rank[0] == 2 ? 2 : 0;
}

static int like_linear(anpe_call *c, const int *rank)
{
    ATTRIBUTES(linear);
    same_as_input(c, rank);
    c->out_width = a->out;
    return rank[0];
}

static int gru_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(size);
    same_as_input(c, rank);
    c->out_width = a->n;
    return rank[0] == 2 ? 2 : 0;
}

static int max_pool_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(size);
    c->out_width = c->in_width[0];
    if (rank[0] != 2 || a->n < 1 || a->n > 255)
        return 0;
    c->out_length = c->in_length[0] / a->n;
    return 2;
}

/* (B, L, C) -> (B, C) */
static int over_length(anpe_call *c, const int *rank)
{
    c->out_length = 1;
    c->out_width = c->in_width[0];
    return rank[0] == 2 ? 1 : 0;
}

static int flatten_shape(anpe_call *c, const int *rank)
{
    (void)rank;
    c->out_length = 1;
    c->out_width = c->in_length[0] * c->in_width[0];
    return 1;
}

static int like_both(anpe_call *c, const int *rank)
{
    const int same = rank[0] == rank[1] && c->in_length[0] == c->in_length[1] &&
                     c->in_width[0] == c->in_width[1];
    return same ? same_as_input(c, rank) : 0;
}

static int concat_shape(anpe_call *c, const int *rank)
{
    c->out_length = c->in_length[0];
    c->out_width = c->in_width[0] + c->in_width[1];
    return rank[0] == rank[1] && c->in_length[0] == c->in_length[1] ? rank[0] : 0;
}

static int slice_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(size);
    c->out_length = c->in_length[0];
    c->out_width = a->n;
    return a->start >= 0 && a->n > 0 && a->n <= c->in_width[0] - a->start ? rank[0] : 0;
}

static int pixels_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(size);
    c->out_length = a->n;
    c->out_width = c->in_width[0];
    return a->start >= 0 && a->n > 0 && a->n <= c->in_length[0] - a->start && rank[0] == 2 ? 2 : 0;
}

static int log_sum_exp_shape(anpe_call *c, const int *rank)
{
    c->out_length = c->in_length[0];
    c->out_width = 1;
    return rank[0];
}

static int permute_shape(anpe_call *c, const int *rank)
{
    return same_as_input(c, rank) == 1 ? 1 : 0;
}

static int affine_step_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(flow);
    same_as_input(c, rank);
    return rank[0] == 1 && rank[1] == 1 && c->in_width[1] == 2 * c->in_width[0] && a->lo <= a->hi;
}

static int affine_log_det_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(flow);
    c->out_length = c->out_width = 1;
    return rank[0] == 1 && c->in_width[0] % 2 == 0 && a->lo <= a->hi;
}

static int mog_log_density_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(flow);
    c->out_length = c->out_width = 1;
    return rank[0] == 1 && rank[1] == 1 && a->n > 0 && a->lo <= a->hi &&
           c->in_width[1] == 3 * c->in_width[0] * a->n;
}

static int attention_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(size);
    c->out_length = c->in_length[0];
    c->out_width = c->in_width[0] / 3;
    return rank[0] == 2 && a->n > 0 && c->in_width[0] % (3 * a->n) == 0 ? 2 : 0;
}

/* Patches from 0, stride, 2 stride, ... until one reaches the end. */
static int patches_shape(anpe_call *c, const int *rank)
{
    ATTRIBUTES(size);
    const int64_t n = a->n, stride = a->start, length = c->in_length[0];
    if (rank[0] != 2 || n < 1 || stride < 1 || stride > n)
        return 0;
    c->out_length = length <= n ? 1 : (length - n + stride - 1) / stride + 1;
    c->out_width = n * c->in_width[0];
    return 2;
}

static int append_shape(anpe_call *c, const int *rank)
{
    c->out_length = c->in_length[0] + 1;
    c->out_width = c->in_width[0];
    return rank[0] == 2 ? 2 : 0;
}

/* ---- memory ------------------------------------------------------------------------------ */

static size_t conv1d_scratch(const anpe_call *c, size_t real)
{
    return real == sizeof(float) ? anpe_conv1d_scratch_f(c) : anpe_conv1d_scratch_d(c);
}

static size_t gru_scratch(const anpe_call *c, size_t real)
{
    return real == sizeof(float) ? anpe_gru_scratch_f(c) : anpe_gru_scratch_d(c);
}

static size_t gru_saved(const anpe_call *c, size_t real)
{
    return (size_t)(c->batch * c->out_length * 4 * c->out_width) * real;
}

static size_t linear_scratch(const anpe_call *c, size_t real)
{
    ATTRIBUTES(linear);
    return a->flags & ANPE_RELU ? (size_t)(c->batch * c->out_length * c->out_width) * real : 0;
}

/* Mean and reciprocal standard deviation of each row. */
static size_t layer_norm_saved(const anpe_call *c, size_t real)
{
    return (size_t)(2 * c->batch * c->out_length) * real;
}

/* Shift and scale of each row of the softmax, per head. */
static size_t attention_saved(const anpe_call *c, size_t real)
{
    ATTRIBUTES(size);
    return (size_t)(2 * a->n * c->batch * c->out_length) * real;
}

static size_t attention_scratch(const anpe_call *c, size_t real)
{
    return real == sizeof(float) ? anpe_attention_scratch_f(c) : anpe_attention_scratch_d(c);
}

static size_t max_pool_saved(const anpe_call *c, size_t real)
{
    (void)real;
    return (size_t)(c->batch * c->out_length * c->out_width);
}

static const anpe_operation table[] = {
#define X(name, shape, needs, saved, scratch, bfloat16)                                            \
    {sizeof(anpe_operation),                                                                       \
     #name,                                                                                        \
     shape,                                                                                        \
     saved,                                                                                        \
     scratch,                                                                                      \
     {anpe_##name##_forward_f, anpe_##name##_forward_d},                                           \
     {anpe_##name##_backward_f, anpe_##name##_backward_d},                                         \
     needs},
    ANPE_OPERATION_LIST(X)
#undef X
};

const anpe_operation *anpe_operation_get(int id)
{
    return &table[id];
}

#define KERNELS_NONE(name)                                                                         \
    {                                                                                              \
        NULL, NULL, ANPE_NUMBER_FLOAT                                                              \
    }
#define KERNELS_FLOAT(name)                                                                        \
    {                                                                                              \
        anpe_##name##_forward_b, anpe_##name##_backward_b, ANPE_NUMBER_FLOAT                       \
    }
#define KERNELS_BFLOAT16(name)                                                                     \
    {                                                                                              \
        anpe_##name##_forward_b, anpe_##name##_backward_b, ANPE_NUMBER_BFLOAT16                    \
    }
static const anpe_kernels bfloat16_table[] = {
#define X(name, shape, needs, saved, scratch, bfloat16) KERNELS_##bfloat16(name),
    ANPE_OPERATION_LIST(X)
#undef X
};

const anpe_kernels *anpe_operation_bfloat16(const anpe_operation *operation)
{
    for (int i = 0; i < ANPE_N_OPERATIONS; i++)
        if (operation == &table[i])
            return bfloat16_table[i].forward ? &bfloat16_table[i] : NULL;
    return NULL; /* a plugin's own */
}
