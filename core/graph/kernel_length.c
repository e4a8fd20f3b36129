/* Operations along the length: max_pool, mean_length, last, flatten. */
#include "config.h"
#include <string.h>
#include "graph/operations.h"
#include "graph/real.h"

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
