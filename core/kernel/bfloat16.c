/* Operations that only move or add elements, on tensors stored in bfloat16: add, max_pool; and
 * mean_length and last, of which the output is float. Sums are made in float and rounded once.
 * Compiled with the float kernels. */
#include <config.h>
#include <string.h>
#include <anpe/bfloat16.h>
#include "kernel/kernels.h"
#include "kernel/real.h"

typedef anpe_bfloat16 half;

ANPE_CLONES
static void add(int64_t n, const half *x, const half *y, half *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = anpe_bfloat16_of(anpe_float_of(x[i]) + anpe_float_of(y[i]));
}

void anpe_add_forward_b(const anpe_call *c)
{
    add(c->batch * c->out_length * c->out_width, c->in[0], c->in[1], c->out);
}

void anpe_add_backward_b(const anpe_call *c)
{
    const int64_t n = c->batch * c->out_length * c->out_width;
    for (int j = 0; j < 2; j++)
        if (c->grad_in[j] && c->grad_in_empty[j])
            memcpy(c->grad_in[j], c->grad_out, (size_t)n * sizeof(half));
        else if (c->grad_in[j])
            add(n, c->grad_out, c->grad_in[j], c->grad_in[j]);
}

/* As in length.c: NaN wins, and the first of equal values. */
ANPE_CLONES
static void pool_row(int64_t size, int64_t width, const half *x, half *y, uint8_t *which)
{
    memcpy(y, x, (size_t)width * sizeof(half));
    memset(which, 0, (size_t)width);
    for (int64_t s = 1; s < size; s++)
        for (int64_t j = 0; j < width; j++) {
            const float v = anpe_float_of(x[s * width + j]);
            const int better = (v > anpe_float_of(y[j])) | (v != v);
            y[j] = better ? x[s * width + j] : y[j];
            which[j] = better ? (uint8_t)s : which[j];
        }
}

void anpe_max_pool_forward_b(const anpe_call *c)
{
    const int64_t size = ((const anpe_size_attributes *)c->attributes)->n, width = c->out_width;
    for (int64_t b = 0; b < c->batch; b++)
        for (int64_t l = 0; l < c->out_length; l++) {
            const int64_t row = b * c->out_length + l;
            pool_row(size, width, (const half *)c->in[0] + (b * c->in_length[0] + l * size) * width,
                     (half *)c->out + row * width, (uint8_t *)c->saved + row * width);
        }
}

/* A row of gradients goes to where its maximum was. */
ANPE_CLONES
static void pool_row_gradient(int64_t size, int64_t width, const half *dy, const uint8_t *which,
                              half *dx)
{
    for (int64_t s = 0; s < size; s++)
        for (int64_t j = 0; j < width; j++) {
            const half sum =
                anpe_bfloat16_of(anpe_float_of(dx[s * width + j]) + anpe_float_of(dy[j]));
            dx[s * width + j] = which[j] == s ? sum : dx[s * width + j];
        }
}

void anpe_max_pool_backward_b(const anpe_call *c)
{
    const int64_t size = ((const anpe_size_attributes *)c->attributes)->n, width = c->out_width;
    half *dx = c->grad_in[0];
    if (dx && c->grad_in_empty[0])
        memset(dx, 0, (size_t)(c->batch * c->in_length[0] * width) * sizeof(half));
    for (int64_t b = 0; dx && b < c->batch; b++)
        for (int64_t l = 0; l < c->out_length; l++) {
            const int64_t row = b * c->out_length + l;
            pool_row_gradient(size, width, (const half *)c->grad_out + row * width,
                              (const uint8_t *)c->saved + row * width,
                              dx + (b * c->in_length[0] + l * size) * width);
        }
}

ANPE_CLONES
static void add_scaled(int64_t n, float scale, const half *x, float *sum)
{
    for (int64_t j = 0; j < n; j++)
        sum[j] += scale * anpe_float_of(x[j]);
}

ANPE_CLONES
static void spread(int64_t n, float scale, const float *dy, half *dx)
{
    for (int64_t j = 0; j < n; j++)
        dx[j] = anpe_bfloat16_of(anpe_float_of(dx[j]) + scale * dy[j]);
}

/* Sample b's vector at place l of the input. */
static int64_t place(const anpe_call *c, int64_t b, int64_t l)
{
    return (b * c->in_length[0] + l) * c->out_width;
}

void anpe_mean_length_forward_b(const anpe_call *c)
{
    const int64_t length = c->in_length[0], width = c->out_width;
    memset(c->out, 0, (size_t)(c->batch * width) * sizeof(float));
    for (int64_t b = 0; b < c->batch; b++)
        for (int64_t l = 0; l < length; l++)
            add_scaled(width, 1 / (float)length, (const half *)c->in[0] + place(c, b, l),
                       (float *)c->out + b * width);
}

void anpe_mean_length_backward_b(const anpe_call *c)
{
    const int64_t length = c->in_length[0], width = c->out_width;
    for (int64_t b = 0; c->grad_in[0] && b < c->batch; b++)
        for (int64_t l = 0; l < length; l++)
            spread(width, 1 / (float)length, (const float *)c->grad_out + b * width,
                   (half *)c->grad_in[0] + place(c, b, l));
}

void anpe_last_forward_b(const anpe_call *c)
{
    const int64_t width = c->out_width;
    memset(c->out, 0, (size_t)(c->batch * width) * sizeof(float));
    for (int64_t b = 0; b < c->batch; b++)
        add_scaled(width, 1, (const half *)c->in[0] + place(c, b, c->in_length[0] - 1),
                   (float *)c->out + b * width);
}

void anpe_last_backward_b(const anpe_call *c)
{
    const int64_t width = c->out_width;
    for (int64_t b = 0; c->grad_in[0] && b < c->batch; b++)
        spread(width, 1, (const float *)c->grad_out + b * width,
               (half *)c->grad_in[0] + place(c, b, c->in_length[0] - 1));
}
