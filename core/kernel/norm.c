/* layer_norm (Ba, Kiros & Hinton 2016) over the width of every row:
 *   h = (x - mean) s,  s = 1 / sqrt(var + epsilon),  y = w h + b
 *   dx += s (t - mean t - h mean(t h)),  t = w dy;   dw += dy h,  db += dy
 * saved: mean and s of each row. */
#include <config.h>
#include "kernel/kernels.h"
#include "kernel/real.h"

static const real epsilon = (real)1e-5;
enum { PARTS = 16 }; /* sums side by side, for the vectoriser */

ANPE_INLINE real finish(const real part[PARTS], real sum)
{
    for (int k = 0; k < PARTS; k++)
        sum += part[k];
    return sum;
}

ANPE_INLINE real sum_of(int64_t n, const real *x)
{
    real part[PARTS] = {0}, rest = 0;
    int64_t j = 0;
    for (; j + PARTS <= n; j += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] += x[j + k];
    for (; j < n; j++)
        rest += x[j];
    return finish(part, rest);
}

ANPE_INLINE real square_sum(int64_t n, const real *x, real mean)
{
    real part[PARTS] = {0}, rest = 0;
    int64_t j = 0;
    for (; j + PARTS <= n; j += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] += (x[j + k] - mean) * (x[j + k] - mean);
    for (; j < n; j++)
        rest += (x[j] - mean) * (x[j] - mean);
    return finish(part, rest);
}

/* sum t and sum t (x - mean), t = w dy */
ANPE_INLINE void gradient_sums(int64_t n, const real *x, const real *w, real mean, const real *dy,
                               real *sum, real *along)
{
    real part[PARTS] = {0}, more[PARTS] = {0}, rest = 0, tail = 0;
    int64_t j = 0;
    for (; j + PARTS <= n; j += PARTS)
        for (int k = 0; k < PARTS; k++) {
            const real t = w[j + k] * dy[j + k];
            part[k] += t;
            more[k] += t * (x[j + k] - mean);
        }
    for (; j < n; j++) {
        rest += w[j] * dy[j];
        tail += w[j] * dy[j] * (x[j] - mean);
    }
    *sum = finish(part, rest);
    *along = finish(more, tail);
}

ANPE_CLONES
static void normalise(int64_t n, const real *x, const real *w, const real *b, real *saved, real *y)
{
    const real mean = sum_of(n, x) / (real)n;
    const real s = 1 / (real)sqrt((double)(square_sum(n, x, mean) / (real)n + epsilon));
    for (int64_t j = 0; j < n; j++)
        y[j] = w[j] * ((x[j] - mean) * s) + b[j];
    saved[0] = mean, saved[1] = s;
}

ANPE_CLONES
static void input_gradient(int64_t n, const real *x, const real *w, const real *saved,
                           const real *dy, real *dx)
{
    const real mean = saved[0], s = saved[1];
    real sum, along;
    gradient_sums(n, x, w, mean, dy, &sum, &along);
    const real mean_t = sum / (real)n, mean_th = along * s / (real)n;
    for (int64_t j = 0; j < n; j++)
        dx[j] += s * (w[j] * dy[j] - mean_t - (x[j] - mean) * s * mean_th);
}

ANPE_CLONES
static void parameter_gradients(int64_t n, const real *x, const real *saved, const real *dy,
                                real *dw, real *db)
{
    for (int64_t j = 0; j < n; j++)
        dw[j] += dy[j] * ((x[j] - saved[0]) * saved[1]);
    for (int64_t j = 0; j < n; j++)
        db[j] += dy[j];
}

void REAL(anpe_layer_norm_forward)(const anpe_call *c)
{
    const int64_t n = c->out_width;
    const real *x = c->in[0];
    for (int64_t r = 0; r < real_rows(c); r++)
        normalise(n, x + r * n, c->parameter[0], c->parameter[1], (real *)c->saved + 2 * r,
                  (real *)c->out + r * n);
}

void REAL(anpe_layer_norm_backward)(const anpe_call *c)
{
    const int64_t n = c->out_width;
    const real *x = c->in[0], *saved = c->saved, *dy = c->grad_out;
    for (int64_t r = 0; r < real_rows(c); r++, x += n, dy += n, saved += 2) {
        if (c->grad_in[0])
            input_gradient(n, x, c->parameter[0], saved, dy, (real *)c->grad_in[0] + r * n);
        if (c->grad_parameter[0] && c->grad_parameter[1])
            parameter_gradients(n, x, saved, dy, c->grad_parameter[0], c->grad_parameter[1]);
    }
}
