/* Operations element by element, and those that only move elements: relu, leaky_relu, sigmoid,
 * tanh, gelu, add, multiply, concat, slice, permute. NaN stays NaN everywhere. */
#include <config.h>
#include <string.h>
#include "kernel/kernels.h"
#include "kernel/real.h"

static int64_t elements(const anpe_call *c)
{
    return c->batch * c->out_length * c->out_width;
}

/* gelu(x) = x s(a(x)), a = 2 sqrt(2/pi) (x + 0.044715 x^3), s the logistic function;
 * gelu' = s + x s (1 - s) a' */
static const real gelu_scale = (real)1.5957691216057308, gelu_cube = (real)0.044715;

ANPE_INLINE real gelu_argument(real x)
{
    return gelu_scale * (x + gelu_cube * x * x * x);
}

ANPE_INLINE real gelu_slope(real x)
{
    const real s = real_sigmoid(gelu_argument(x));
    return s + x * s * (1 - s) * gelu_scale * (1 + 3 * gelu_cube * x * x);
}

/* y = f(x), dx += dy f' with f' written in terms of y (the output) or x. */
#define ELEMENTWISE(name, f, derivative)                                                           \
    ANPE_CLONES                                                                                    \
    static void name##_f(int64_t n, real slope, const real *x, real *out)                          \
    {                                                                                              \
        (void)slope;                                                                               \
        for (int64_t i = 0; i < n; i++)                                                            \
            out[i] = (f);                                                                          \
    }                                                                                              \
    ANPE_CLONES                                                                                    \
    static void name##_b(int64_t n, real slope, const real *x, const real *y, const real *dy,      \
                         real *dx)                                                                 \
    {                                                                                              \
        (void)slope, (void)x, (void)y;                                                             \
        for (int64_t i = 0; i < n; i++)                                                            \
            dx[i] += dy[i] * (derivative);                                                         \
    }                                                                                              \
    void REAL(anpe_##name##_forward)(const anpe_call *c)                                           \
    {                                                                                              \
        const anpe_slope_attributes *a = c->attributes;                                            \
        name##_f(elements(c), a ? (real)a->slope : 0, c->in[0], c->out);                           \
    }                                                                                              \
    void REAL(anpe_##name##_backward)(const anpe_call *c)                                          \
    {                                                                                              \
        const anpe_slope_attributes *a = c->attributes;                                            \
        if (c->grad_in[0])                                                                         \
            name##_b(elements(c), a ? (real)a->slope : 0, c->in[0], c->out, c->grad_out,           \
                     c->grad_in[0]);                                                               \
    }

ELEMENTWISE(relu, x[i]<0 ? 0 : x[i], y[i]> 0 ? (real)1 : (real)0)
ELEMENTWISE(leaky_relu, x[i] < 0 ? slope * x[i] : x[i], x[i] < 0 ? slope : (real)1)
ELEMENTWISE(sigmoid, real_sigmoid(x[i]), y[i] * (1 - y[i]))
ELEMENTWISE(gelu, x[i] * real_sigmoid(gelu_argument(x[i])), gelu_slope(x[i]))
ELEMENTWISE(tanh, real_tanh(x[i]), 1 - y[i] * y[i])

ANPE_CLONES
static void add_to(int64_t n, const real *x, real *sum)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += x[i];
}

ANPE_CLONES
static void add_product(int64_t n, const real *x, const real *y, real *sum)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += x[i] * y[i];
}

ANPE_CLONES
static void add(int64_t n, const real *x, const real *y, real *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = x[i] + y[i];
}

void REAL(anpe_add_forward)(const anpe_call *c)
{
    add(elements(c), c->in[0], c->in[1], c->out);
}

void REAL(anpe_add_backward)(const anpe_call *c)
{
    for (int j = 0; j < 2; j++)
        if (c->grad_in[j] && c->grad_in_empty[j])
            memcpy(c->grad_in[j], c->grad_out, (size_t)elements(c) * sizeof(real));
        else if (c->grad_in[j])
            add_to(elements(c), c->grad_out, c->grad_in[j]);
}

ANPE_CLONES
static void multiply(int64_t n, const real *x, const real *y, real *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = x[i] * y[i];
}

void REAL(anpe_multiply_forward)(const anpe_call *c)
{
    multiply(elements(c), c->in[0], c->in[1], c->out);
}

void REAL(anpe_multiply_backward)(const anpe_call *c)
{
    for (int j = 0; j < 2; j++)
        if (c->grad_in[j])
            add_product(elements(c), c->grad_out, c->in[1 - j], c->grad_in[j]);
}

void REAL(anpe_concat_forward)(const anpe_call *c)
{
    const int64_t rows = real_rows(c), n[2] = {c->in_width[0], c->in_width[1]};
    real *out = c->out;
    for (int64_t r = 0; r < rows; r++)
        for (int j = 0; j < 2; j++)
            for (int64_t i = 0; i < n[j]; i++)
                *out++ = ((const real *)c->in[j])[r * n[j] + i];
}

void REAL(anpe_concat_backward)(const anpe_call *c)
{
    const int64_t rows = real_rows(c), n[2] = {c->in_width[0], c->in_width[1]};
    for (int j = 0; j < 2; j++)
        for (int64_t r = 0; c->grad_in[j] && r < rows; r++)
            add_to(n[j], (const real *)c->grad_out + r * c->out_width + (j ? n[0] : 0),
                   (real *)c->grad_in[j] + r * n[j]);
}

void REAL(anpe_slice_forward)(const anpe_call *c)
{
    const anpe_size_attributes *a = c->attributes;
    const int64_t rows = real_rows(c);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < a->n; i++)
            ((real *)c->out)[r * a->n + i] =
                ((const real *)c->in[0])[r * c->in_width[0] + a->start + i];
}

void REAL(anpe_slice_backward)(const anpe_call *c)
{
    const anpe_size_attributes *a = c->attributes;
    const int64_t rows = real_rows(c);
    for (int64_t r = 0; c->grad_in[0] && r < rows; r++)
        add_to(a->n, (const real *)c->grad_out + r * a->n,
               (real *)c->grad_in[0] + r * c->in_width[0] + a->start);
}

/* The permutation comes with the parameters, so perhaps from a damaged file: -1 if out of range. */
static int64_t permuted(const anpe_call *c, int64_t i)
{
    const real p = ((const real *)c->parameter[0])[i];
    return p >= 0 && p < (real)c->out_width ? (int64_t)p : -1;
}

void REAL(anpe_permute_forward)(const anpe_call *c)
{
    const int64_t rows = real_rows(c), n = c->out_width;
    for (int64_t i = 0; i < n; i++) {
        const int64_t from = permuted(c, i);
        for (int64_t r = 0; r < rows; r++)
            ((real *)c->out)[r * n + i] =
                from < 0 ? (real)NAN : ((const real *)c->in[0])[r * n + from];
    }
}

void REAL(anpe_permute_backward)(const anpe_call *c)
{
    const int64_t rows = real_rows(c), n = c->out_width;
    for (int64_t i = 0; c->grad_in[0] && i < n; i++) {
        const int64_t from = permuted(c, i);
        for (int64_t r = 0; from >= 0 && r < rows; r++)
            ((real *)c->grad_in[0])[r * n + from] += ((const real *)c->grad_out)[r * n + i];
    }
}
