/* Operations of the flow nsf, for one precision: the file that includes this defines `real`,
 * `real_exp`, `real_log` and KERNEL(name), the name with the precision's suffix. */
#include "operations.h"
#include "spline.h"

/* x (B, D) at most NSF_LIMIT in size. */
void KERNEL(nsf_saturate_forward)(const anpe_call *c)
{
    for (int64_t i = 0; i < c->batch * c->out_width; i++)
        ((real *)c->out)[i] = nsf_saturated(((const real *)c->in[0])[i]);
}

void KERNEL(nsf_saturate_backward)(const anpe_call *c)
{
    const real *x = c->in[0];
    for (int64_t i = 0; c->grad_in[0] && i < c->batch * c->out_width; i++)
        if (x[i] == nsf_saturated(x[i]))
            ((real *)c->grad_in[0])[i] += ((const real *)c->grad_out)[i];
}

/* x (B, D), parameters (B, 3 K + 1, D) -> z (D) and log |dz/dx|, (B, D + 1) */
void KERNEL(nsf_step_forward)(const anpe_call *c)
{
    const nsf_shape *p = c->attributes;
    const int64_t D = c->in_width[0];
    const real *x = c->in[0], *raw = c->in[1];
    real *out = c->out;
    for (int64_t b = 0; b < c->batch; b++, x += D, raw += c->in_width[1], out += D + 1) {
        double sum = 0;
        for (int64_t d = 0; d < D; d++) {
            real log_det;
            out[d] = nsf_forward(p, raw + d, D, x[d], &log_det);
            sum += (double)log_det;
        }
        out[D] = (real)sum;
    }
}

void KERNEL(nsf_step_backward)(const anpe_call *c)
{
    const nsf_shape *p = c->attributes;
    const int64_t D = c->in_width[0], wide = c->in_width[1];
    const real *x = c->in[0], *raw = c->in[1], *g = c->grad_out;
    real *gx = c->grad_in[0], *graw = c->grad_in[1];
    for (int64_t b = 0; b < c->batch; b++, g += D + 1)
        for (int64_t d = 0; d < D; d++)
            nsf_backward(p, raw + b * wide + d, D, x[b * D + d], g[d], g[D],
                         gx ? gx + b * D + d : NULL, graw ? graw + b * wide + d : NULL);
}

/* sum_d log N(z_d; 0, 1), (B, D) -> (B, 1) */
void KERNEL(nsf_normal_forward)(const anpe_call *c)
{
    const int64_t D = c->in_width[0];
    const real *z = c->in[0];
    for (int64_t b = 0; b < c->batch; b++, z += D) {
        double sum = -(double)D * NSF_HALF_LOG_TWOPI;
        for (int64_t d = 0; d < D; d++)
            sum -= (double)z[d] * (double)z[d] / 2;
        ((real *)c->out)[b] = (real)sum;
    }
}

void KERNEL(nsf_normal_backward)(const anpe_call *c)
{
    const int64_t D = c->in_width[0];
    for (int64_t i = 0; c->grad_in[0] && i < c->batch * D; i++)
        ((real *)c->grad_in[0])[i] -=
            ((const real *)c->grad_out)[i / D] * ((const real *)c->in[0])[i];
}
