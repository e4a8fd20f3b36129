/* One GRU layer (Cho et al. 2014, in the form of cuDNN and PyTorch), h_{-1} = 0:
 *   r = s(W_ir x + b_ir + W_hr h + b_hr)      z = s(W_iz x + b_iz + W_hz h + b_hz)
 *   q = W_hn h + b_hn                         n = tanh(W_in x + b_in + r q)
 *   h' = (1 - z) n + z h
 * The projections of all inputs are one product; only the recurrent one is done step by step,
 * over the batch, with weights packed once. saved: r, z, n, q (B, L, 4, H). Backward, from the
 * last step:
 *   dn = dh (1 - z) (1 - n^2)   dz = dh (h - n) z (1 - z)   dr = dn q r (1 - r)   dq = dn r
 *   dh_{-1} = dh z + W_h^T (dr, dz, dq),  and dx = W_i^T (dr, dz, dn) for all steps at once. */
#include <config.h>
#include <string.h>
#include "kernel/kernels.h"
#include "kernel/product.h"

#define product REAL(anpe_product)

enum { W_IH, W_HH, B_IH, B_HH };

static int64_t round16(int64_t n)
{
    return (n + 15) / 16 * 16;
}

/* scratch: packed W_hh; projections (B, L, 3H); step (B, 3H); with backward dh (B, H) too, and
 * gradients of the recurrent sums (B, L, 3H) */
size_t REAL(anpe_gru_scratch)(const anpe_call *c)
{
    const int64_t h = c->out_width, rows = c->batch * c->in_length[0];
    const int64_t a = REAL(anpe_product_packed)(h, 3 * h), b = REAL(anpe_product_packed)(3 * h, h);
    return (size_t)(round16(a > b ? a : b) + 2 * round16(3 * h * rows) + round16(3 * h * c->batch) +
                    round16(h * c->batch)) *
           sizeof(real);
}

/* One step of one sample. x: W_i x without b_ih; u: W_h h + b_hh; before: h of the last step. */
ANPE_CLONES
static void gates(int64_t h, const real *x, const real *bias, const real *u, const real *before,
                  real *saved, real *after)
{
    for (int64_t j = 0; j < h; j++) {
        const real r = real_sigmoid(x[j] + bias[j] + u[j]);
        const real z = real_sigmoid(x[h + j] + bias[h + j] + u[h + j]);
        const real q = u[2 * h + j];
        const real n = real_tanh(x[2 * h + j] + bias[2 * h + j] + r * q);
        saved[j] = r, saved[h + j] = z, saved[2 * h + j] = n, saved[3 * h + j] = q;
        after[j] = (1 - z) * n + z * before[j];
    }
}

void REAL(anpe_gru_forward)(const anpe_call *c)
{
    const int64_t h = c->out_width, in = c->in_width[0], steps = c->in_length[0], b = c->batch;
    real *packed = c->scratch, *x = packed + round16(REAL(anpe_product_packed)(h, 3 * h));
    real *u = x + round16(3 * h * b * steps), *zero = u + round16(3 * h * b);
    real *y = c->out, *saved = c->saved;
    memset(zero, 0, (size_t)(h * b) * sizeof(real));
    /* B[p, j] = W_hh[j, p] */
    REAL(anpe_product_pack)(h, 3 * h, c->parameter[W_HH], 1, h, packed);
    real_gemm(c, 0, 1, b * steps, 3 * h, in, c->in[0], in, c->parameter[W_IH], in, 0, x, 3 * h);
    for (int64_t t = 0; t < steps; t++) {
        const real *before = t ? y + (t - 1) * h : zero;
        const int64_t stride = t ? steps * h : h;
        product(b, 3 * h, h, before, stride, 1, packed, c->parameter[B_HH], u, 3 * h, 0);
        for (int64_t i = 0; i < b; i++)
            gates(h, x + (i * steps + t) * 3 * h, c->parameter[B_IH], u + i * 3 * h,
                  before + i * stride, saved + (i * steps + t) * 4 * h, y + (i * steps + t) * h);
    }
}

/* dh: gradient of h' on entry, the part dh z of the gradient of h on return. */
ANPE_CLONES
static void gate_gradients(int64_t h, const real *saved, const real *before, real *dh, real *dx,
                           real *du)
{
    for (int64_t j = 0; j < h; j++) {
        const real r = saved[j], z = saved[h + j], n = saved[2 * h + j], q = saved[3 * h + j];
        const real dn = dh[j] * (1 - z) * (1 - n * n);
        const real dz = dh[j] * (before[j] - n) * z * (1 - z);
        const real dr = dn * q * r * (1 - r);
        dx[j] = dr, dx[h + j] = dz, dx[2 * h + j] = dn;
        du[j] = dr, du[h + j] = dz, du[2 * h + j] = dn * r;
        dh[j] *= z;
    }
}

ANPE_CLONES
static void add_column_sums(int64_t rows, int64_t n, const real *x, real *sum)
{
    for (int64_t r = 0; r < rows; r++, x += n)
        for (int64_t j = 0; j < n; j++)
            sum[j] += x[j];
}

ANPE_CLONES
static void add_to(int64_t n, const real *x, real *sum)
{
    for (int64_t j = 0; j < n; j++)
        sum[j] += x[j];
}

static void parameter_gradients(const anpe_call *c, const real *dx, const real *du)
{
    const int64_t h = c->out_width, in = c->in_width[0], steps = c->in_length[0];
    const int64_t rows = c->batch * steps;
    const real *y = c->out;
    if (c->grad_parameter[W_IH])
        real_gemm(c, 1, 0, 3 * h, in, rows, dx, 3 * h, c->in[0], in, 1, c->grad_parameter[W_IH],
                  in);
    /* step t meets h of step t - 1, and h_{-1} = 0 */
    for (int64_t i = 0; c->grad_parameter[W_HH] && steps > 1 && i < c->batch; i++)
        real_gemm(c, 1, 0, 3 * h, h, steps - 1, du + (i * steps + 1) * 3 * h, 3 * h,
                  y + i * steps * h, h, 1, c->grad_parameter[W_HH], h);
    if (c->grad_parameter[B_IH])
        add_column_sums(rows, 3 * h, dx, c->grad_parameter[B_IH]);
    if (c->grad_parameter[B_HH])
        add_column_sums(rows, 3 * h, du, c->grad_parameter[B_HH]);
}

void REAL(anpe_gru_backward)(const anpe_call *c)
{
    const int64_t h = c->out_width, in = c->in_width[0], steps = c->in_length[0], b = c->batch;
    real *packed = c->scratch, *dx = packed + round16(REAL(anpe_product_packed)(3 * h, h));
    real *du = dx + round16(3 * h * b * steps), *dh = du + round16(3 * h * b * steps);
    real *zero = dh + round16(h * b);
    const real *y = c->out, *dy = c->grad_out, *saved = c->saved;
    memset(dh, 0, (size_t)(h * b) * sizeof(real));
    memset(zero, 0, (size_t)h * sizeof(real));
    REAL(anpe_product_pack)(3 * h, h, c->parameter[W_HH], h, 1, packed);
    for (int64_t t = steps - 1; t >= 0; t--) {
        for (int64_t i = 0; i < b; i++) {
            const int64_t row = i * steps + t;
            add_to(h, dy + row * h, dh + i * h);
            gate_gradients(h, saved + row * 4 * h, t ? y + (row - 1) * h : zero, dh + i * h,
                           dx + row * 3 * h, du + row * 3 * h);
        }
        if (t)
            product(b, h, 3 * h, du + t * 3 * h, steps * 3 * h, 1, packed, NULL, dh, h,
                    ANPE_PRODUCT_ADD);
    }
    parameter_gradients(c, dx, du);
    if (c->grad_in[0])
        real_gemm(c, 0, 0, b * steps, in, 3 * h, dx, 3 * h, c->parameter[W_IH], in,
                  c->grad_in_empty[0] ? 0 : 1, c->grad_in[0], in);
}
