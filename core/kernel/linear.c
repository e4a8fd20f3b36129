/* linear and masked_linear: Y (rows, out) = X W^T + b, then max(0, .) where fused. The mask is in
 * the effective weights already.
 *   dX += dZ W,  dW += dZ^T X,  db += column sums of dZ,  dZ = dY where Y > 0 */
#include <config.h>
#include "kernel/kernels.h"
#include "kernel/real.h"

static unsigned flags(const anpe_call *c)
{
    return ((const anpe_linear_attributes *)c->attributes)->flags;
}

ANPE_CLONES
static void add_bias(int64_t rows, int64_t n, const real *bias, int relu, real *y)
{
    for (int64_t r = 0; r < rows; r++, y += n)
        for (int64_t j = 0; j < n; j++) {
            const real v = bias ? y[j] + bias[j] : y[j];
            y[j] = relu && v < 0 ? 0 : v;
        }
}

ANPE_CLONES
static void masked_gradient(int64_t n, const real *dy, const real *y, real *dz)
{
    for (int64_t i = 0; i < n; i++)
        dz[i] = y[i] > 0 ? dy[i] : 0;
}

ANPE_CLONES
static void add_column_sums(int64_t rows, int64_t n, const real *dz, real *db)
{
    for (int64_t r = 0; r < rows; r++, dz += n)
        for (int64_t j = 0; j < n; j++)
            db[j] += dz[j];
}

void REAL(anpe_linear_forward)(const anpe_call *c)
{
    const int64_t rows = real_rows(c), in = c->in_width[0], out = c->out_width;
    const int relu = (flags(c) & ANPE_RELU) != 0;
    real_gemm(c, 0, 1, rows, out, in, c->in[0], in, c->parameter[0], in, 0, c->out, out);
    if (relu || c->parameter[1])
        add_bias(rows, out, c->parameter[1], relu, c->out);
}

void REAL(anpe_linear_backward)(const anpe_call *c)
{
    const int64_t rows = real_rows(c), in = c->in_width[0], out = c->out_width;
    const real *dz = c->grad_out;
    if (flags(c) & ANPE_RELU) {
        masked_gradient(rows * out, c->grad_out, c->out, c->scratch);
        dz = c->scratch;
    }
    if (c->grad_in[0])
        real_gemm(c, 0, 0, rows, in, out, dz, out, c->parameter[0], in, c->grad_in_empty[0] ? 0 : 1,
                  c->grad_in[0], in);
    if (c->grad_parameter[0])
        real_gemm(c, 1, 0, out, in, rows, dz, out, c->in[0], in, 1, c->grad_parameter[0], in);
    if (c->grad_parameter[1])
        add_column_sums(rows, out, dz, c->grad_parameter[1]);
}

void REAL(anpe_masked_linear_forward)(const anpe_call *c)
{
    REAL(anpe_linear_forward)(c);
}

void REAL(anpe_masked_linear_backward)(const anpe_call *c)
{
    REAL(anpe_linear_backward)(c);
}
