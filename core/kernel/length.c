/* Operations along the length: max_pool, mean_length, last, flatten, patches, offset, append, rows.
 */
#include <config.h>
#include <string.h>
#include "kernel/kernels.h"
#include "kernel/real.h"

/* y[l] = max over x[l size .. l size + size - 1]; a remainder is left out. NaN wins, and the first
 * of equal values. saved: which one, a byte each. */
ANPE_CLONES
static void pool_row(int64_t size, int64_t width, const real *x, real *y, uint8_t *which)
{
    for (int64_t j = 0; j < width; j++)
        y[j] = x[j], which[j] = 0;
    for (int64_t s = 1; s < size; s++)
        for (int64_t j = 0; j < width; j++) {
            const real v = x[s * width + j];
            const int better = (v > y[j]) | (v != v);
            y[j] = better ? v : y[j];
            which[j] = better ? (uint8_t)s : which[j];
        }
}

ANPE_CLONES
static void pool_row_gradient(int64_t size, int64_t width, const real *dy, const uint8_t *which,
                              int set, real *dx)
{
    for (int64_t s = 0; set && s < size; s++)
        for (int64_t j = 0; j < width; j++)
            dx[s * width + j] = which[j] == s ? dy[j] : 0;
    if (set)
        return;
    for (int64_t s = 0; s < size; s++)
        for (int64_t j = 0; j < width; j++)
            dx[s * width + j] += which[j] == s ? dy[j] : 0;
}

void REAL(anpe_max_pool_forward)(const anpe_call *c)
{
    const int64_t size = ((const anpe_size_attributes *)c->attributes)->n, width = c->out_width;
    const real *x = c->in[0];
    for (int64_t b = 0; b < c->batch; b++)
        for (int64_t l = 0; l < c->out_length; l++) {
            const int64_t row = b * c->out_length + l;
            pool_row(size, width, x + (b * c->in_length[0] + l * size) * width,
                     (real *)c->out + row * width, (uint8_t *)c->saved + row * width);
        }
}

void REAL(anpe_max_pool_backward)(const anpe_call *c)
{
    const int64_t size = ((const anpe_size_attributes *)c->attributes)->n, width = c->out_width;
    const int64_t used = c->out_length * size, rest = c->in_length[0] - used;
    real *dx = c->grad_in[0];
    for (int64_t b = 0; dx && b < c->batch; b++) {
        if (c->grad_in_empty[0])
            memset(dx + (b * c->in_length[0] + used) * width, 0,
                   (size_t)(rest * width) * sizeof(real));
        for (int64_t l = 0; l < c->out_length; l++) {
            const int64_t row = b * c->out_length + l;
            pool_row_gradient(size, width, (const real *)c->grad_out + row * width,
                              (const uint8_t *)c->saved + row * width, c->grad_in_empty[0],
                              dx + (b * c->in_length[0] + l * size) * width);
        }
    }
}

/* sum += scale x */
ANPE_CLONES
static void add_scaled(int64_t n, real scale, const real *x, real *sum)
{
    for (int64_t j = 0; j < n; j++)
        sum[j] += scale * x[j];
}

void REAL(anpe_mean_length_forward)(const anpe_call *c)
{
    const int64_t length = c->in_length[0], width = c->out_width;
    const real *x = c->in[0];
    real *y = c->out;
    memset(y, 0, (size_t)(c->batch * width) * sizeof(real));
    for (int64_t b = 0; b < c->batch; b++, y += width)
        for (int64_t l = 0; l < length; l++, x += width)
            add_scaled(width, 1 / (real)length, x, y);
}

void REAL(anpe_mean_length_backward)(const anpe_call *c)
{
    const int64_t length = c->in_length[0], width = c->out_width;
    const real *dy = c->grad_out;
    real *dx = c->grad_in[0];
    for (int64_t b = 0; dx && b < c->batch; b++, dy += width)
        for (int64_t l = 0; l < length; l++, dx += width)
            add_scaled(width, 1 / (real)length, dy, dx);
}

void REAL(anpe_last_forward)(const anpe_call *c)
{
    const int64_t length = c->in_length[0], width = c->out_width;
    const real *x = c->in[0];
    for (int64_t b = 0; b < c->batch; b++)
        memcpy((real *)c->out + b * width, x + ((b + 1) * length - 1) * width,
               (size_t)width * sizeof(real));
}

void REAL(anpe_last_backward)(const anpe_call *c)
{
    const int64_t length = c->in_length[0], width = c->out_width;
    const real *dy = c->grad_out;
    real *dx = c->grad_in[0];
    for (int64_t b = 0; dx && b < c->batch; b++)
        for (int64_t j = 0; j < width; j++)
            dx[((b + 1) * length - 1) * width + j] += dy[b * width + j];
}

void REAL(anpe_flatten_forward)(const anpe_call *c)
{
    memcpy(c->out, c->in[0], (size_t)(c->batch * c->out_width) * sizeof(real));
}

void REAL(anpe_flatten_backward)(const anpe_call *c)
{
    if (c->grad_in[0])
        add_scaled(c->batch * c->out_width, 1, c->grad_out, c->grad_in[0]);
}

/* Reals of patch m of a sample that lie inside it; the rest of the patch is zero. */
static int64_t inside(const anpe_call *c, int64_t m)
{
    const anpe_size_attributes *a = c->attributes;
    const int64_t left = c->in_length[0] - m * a->start;
    return (left < a->n ? left : a->n) * c->in_width[0];
}

void REAL(anpe_patches_forward)(const anpe_call *c)
{
    const int64_t stride = ((const anpe_size_attributes *)c->attributes)->start;
    const int64_t in = c->in_width[0], width = c->out_width;
    real *y = c->out;
    for (int64_t b = 0; b < c->batch; b++)
        for (int64_t m = 0; m < c->out_length; m++, y += width) {
            const int64_t n = inside(c, m);
            memcpy(y, (const real *)c->in[0] + (b * c->in_length[0] + m * stride) * in,
                   (size_t)n * sizeof(real));
            memset(y + n, 0, (size_t)(width - n) * sizeof(real));
        }
}

void REAL(anpe_patches_backward)(const anpe_call *c)
{
    const int64_t stride = ((const anpe_size_attributes *)c->attributes)->start;
    const int64_t in = c->in_width[0], width = c->out_width;
    const real *dy = c->grad_out;
    real *dx = c->grad_in[0];
    for (int64_t b = 0; dx && b < c->batch; b++)
        for (int64_t m = 0; m < c->out_length; m++, dy += width)
            add_scaled(inside(c, m), 1, dy, dx + (b * c->in_length[0] + m * stride) * in);
}

void REAL(anpe_offset_forward)(const anpe_call *c)
{
    const int64_t n = c->out_length * c->out_width;
    memcpy(c->out, c->in[0], (size_t)(c->batch * n) * sizeof(real));
    for (int64_t b = 0; b < c->batch; b++)
        add_scaled(n, 1, c->parameter[0], (real *)c->out + b * n);
}

void REAL(anpe_offset_backward)(const anpe_call *c)
{
    const int64_t n = c->out_length * c->out_width;
    if (c->grad_in[0])
        add_scaled(c->batch * n, 1, c->grad_out, c->grad_in[0]);
    for (int64_t b = 0; c->grad_parameter[0] && b < c->batch; b++)
        add_scaled(n, 1, (const real *)c->grad_out + b * n, c->grad_parameter[0]);
}

void REAL(anpe_append_forward)(const anpe_call *c)
{
    const int64_t width = c->out_width, n = c->in_length[0] * width;
    const real *x = c->in[0];
    real *y = c->out;
    for (int64_t b = 0; b < c->batch; b++, x += n, y += n + width) {
        memcpy(y, x, (size_t)n * sizeof(real));
        memcpy(y + n, c->parameter[0], (size_t)width * sizeof(real));
    }
}

void REAL(anpe_append_backward)(const anpe_call *c)
{
    const int64_t width = c->out_width, n = c->in_length[0] * width;
    const real *dy = c->grad_out;
    for (int64_t b = 0; b < c->batch; b++, dy += n + width) {
        if (c->grad_in[0])
            add_scaled(n, 1, dy, (real *)c->grad_in[0] + b * n);
        if (c->grad_parameter[0])
            add_scaled(width, 1, dy + n, c->grad_parameter[0]);
    }
}

void REAL(anpe_pixels_forward)(const anpe_call *c)
{
    const anpe_size_attributes *a = c->attributes;
    const int64_t width = c->out_width, n = a->n * width;
    for (int64_t b = 0; b < c->batch; b++)
        memcpy((real *)c->out + b * n,
               (const real *)c->in[0] + (b * c->in_length[0] + a->start) * width,
               (size_t)n * sizeof(real));
}
void REAL(anpe_pixels_backward)(const anpe_call *c)
{
    const anpe_size_attributes *a = c->attributes;
    const int64_t width = c->out_width, n = a->n * width;
    for (int64_t b = 0; b < c->batch && c->grad_in[0]; b++)
        add_scaled(n, 1, (const real *)c->grad_out + b * n,
                   (real *)c->grad_in[0] + (b * c->in_length[0] + a->start) * width);
}
