/* Operations of densities: log_sum_exp, affine_step, affine_log_det, mog_log_density. Sums of log
 * densities are in double. */
#include <config.h>
#include "kernel/kernels.h"
#include "kernel/real.h"

static const anpe_flow_attributes *attributes(const anpe_call *c)
{
    return c->attributes;
}

/* Clamped log scale; NaN stays. *free: 1 where the gradient passes. */
static real clamp(const anpe_flow_attributes *f, real a, real *free)
{
    const real lo = (real)f->lo, hi = (real)f->hi;
    *free = a >= lo && a <= hi ? 1 : 0;
    return a < lo ? lo : a > hi ? hi : a;
}

/* y = max + log sum exp(x - max) */
void REAL(anpe_log_sum_exp_forward)(const anpe_call *c)
{
    const int64_t rows = real_rows(c), n = c->in_width[0];
    const real *x = c->in[0];
    for (int64_t r = 0; r < rows; r++, x += n) {
        real most = x[0];
        for (int64_t i = 1; i < n; i++)
            most = x[i] > most || x[i] != x[i] ? x[i] : most;
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += real_exp(x[i] - most);
        ((real *)c->out)[r] = isinf(most) ? most : most + (real)log(sum);
    }
}

/* dx_i += dy exp(x_i - y) */
void REAL(anpe_log_sum_exp_backward)(const anpe_call *c)
{
    const int64_t rows = real_rows(c), n = c->in_width[0];
    const real *x = c->in[0], *y = c->out, *dy = c->grad_out;
    real *dx = c->grad_in[0];
    for (int64_t r = 0; dx && r < rows; r++)
        for (int64_t i = 0; i < n && !isinf(y[r]); i++)
            dx[r * n + i] += dy[r] * real_exp(x[r * n + i] - y[r]);
}

/* u = (x - m) exp(-a) */
void REAL(anpe_affine_step_forward)(const anpe_call *c)
{
    const int64_t n = c->out_width;
    const real *x = c->in[0], *m = c->in[1];
    real *u = c->out, pass;
    for (int64_t b = 0; b < c->batch; b++, x += n, m += 2 * n, u += n)
        for (int64_t i = 0; i < n; i++)
            u[i] = (x[i] - m[i]) * real_exp(-clamp(attributes(c), m[n + i], &pass));
}

/* dx += du e, dm -= du e, da -= du u, with e = exp(-a) */
void REAL(anpe_affine_step_backward)(const anpe_call *c)
{
    const int64_t n = c->out_width;
    const real *m = c->in[1], *u = c->out, *du = c->grad_out;
    real *dx = c->grad_in[0], *dm = c->grad_in[1], pass;
    for (int64_t b = 0; b < c->batch; b++)
        for (int64_t i = 0; i < n; i++) {
            const real e = real_exp(-clamp(attributes(c), m[b * 2 * n + n + i], &pass));
            const real g = du[b * n + i] * e;
            if (dx)
                dx[b * n + i] += g;
            if (dm) {
                dm[b * 2 * n + i] -= g;
                dm[b * 2 * n + n + i] -= pass * du[b * n + i] * u[b * n + i];
            }
        }
}

void REAL(anpe_affine_log_det_forward)(const anpe_call *c)
{
    const int64_t n = c->in_width[0] / 2;
    const real *a = (const real *)c->in[0] + n;
    for (int64_t b = 0; b < c->batch; b++, a += 2 * n) {
        double sum = 0;
        real pass;
        for (int64_t i = 0; i < n; i++)
            sum -= clamp(attributes(c), a[i], &pass);
        ((real *)c->out)[b] = (real)sum;
    }
}

void REAL(anpe_affine_log_det_backward)(const anpe_call *c)
{
    const int64_t n = c->in_width[0] / 2;
    const real *a = (const real *)c->in[0] + n;
    real *da = (real *)c->grad_in[0] + n;
    for (int64_t b = 0; c->grad_in[0] && b < c->batch; b++)
        for (int64_t i = 0; i < n; i++) {
            real pass;
            clamp(attributes(c), a[b * 2 * n + i], &pass);
            da[b * 2 * n + i] -= pass * ((const real *)c->grad_out)[b];
        }
}

/* One component for one label: t = logit - a - u^2/2, u = (x - m) exp(-a). */
typedef struct component {
    real u, e, t, logit, pass;
} component;

static component component_get(const anpe_flow_attributes *f, real x, const real *out, int64_t d)
{
    component k;
    const real a = clamp(f, out[d], &k.pass);
    k.e = real_exp(-a);
    k.u = (x - out[0]) * k.e;
    k.logit = out[2 * d];
    k.t = k.logit - a - k.u * k.u / 2;
    return k;
}

/* log sum_c exp(t_c) and log sum_c exp(logit_c), accumulated with a running maximum. */
typedef struct mixture {
    double t, logit;
} mixture;

static double log_add(double a, double b)
{
    const double most = b > a || b != b ? b : a;
    return isinf(most) ? most : most + log(exp(a - most) + exp(b - most));
}

static mixture mixture_get(const anpe_flow_attributes *f, real x, const real *out, int64_t d)
{
    mixture m = {-INFINITY, -INFINITY};
    for (int64_t k = 0; k < f->n; k++) {
        const component g = component_get(f, x, out + k * 3 * d, d);
        m.t = k ? log_add(m.t, g.t) : g.t;
        m.logit = k ? log_add(m.logit, g.logit) : g.logit;
    }
    return m;
}

void REAL(anpe_mog_log_density_forward)(const anpe_call *c)
{
    const anpe_flow_attributes *f = attributes(c);
    const int64_t d = c->in_width[0];
    const real *x = c->in[0], *out = c->in[1];
    for (int64_t b = 0; b < c->batch; b++, x += d, out += 3 * d * f->n) {
        double sum = 0;
        for (int64_t i = 0; i < d; i++) {
            const mixture m = mixture_get(f, x[i], out + i, d);
            sum += m.t - m.logit - 0.91893853320467274178; /* log(2 pi) / 2 */
        }
        ((real *)c->out)[b] = (real)sum;
    }
}

/* With p_c = exp(t_c) / sum, s_c = softmax(logit)_c: d/dlogit = p - s, d/dm = p u e,
 * d/da = p (u^2 - 1), d/dx = -sum p u e. */
void REAL(anpe_mog_log_density_backward)(const anpe_call *c)
{
    const anpe_flow_attributes *f = attributes(c);
    const int64_t d = c->in_width[0], wide = 3 * d * f->n;
    real *dx = c->grad_in[0], *dout = c->grad_in[1];
    for (int64_t b = 0; b < c->batch; b++)
        for (int64_t i = 0; i < d; i++) {
            const real x = ((const real *)c->in[0])[b * d + i], dy = ((const real *)c->grad_out)[b];
            const real *out = (const real *)c->in[1] + b * wide + i;
            const mixture m = mixture_get(f, x, out, d);
            for (int64_t k = 0; k < f->n; k++) {
                const component g = component_get(f, x, out + k * 3 * d, d);
                const real p = dy * (real)exp(g.t - m.t), s = dy * (real)exp(g.logit - m.logit);
                if (dx)
                    dx[b * d + i] -= p * g.u * g.e;
                if (dout) {
                    real *to = dout + b * wide + k * 3 * d + i;
                    to[0] += p * g.u * g.e;
                    to[d] += g.pass * p * (g.u * g.u - 1);
                    to[2 * d] += p - s;
                }
            }
        }
}
