/* What the sampler of a masked autoregressive flow does with one label: x = u exp(a) + m, or in the
 * last block a draw from a mixture of Gaussians.
 *
 * One source for two precisions: the file that includes this defines `real`, `real_exp` and
 * `real_log`. */
#ifndef ANPE_MAF_MIXTURE_H
#define ANPE_MAF_MIXTURE_H
#include "../common/made_sampler.h"

typedef struct maf_shape {
    int64_t n_mog;
    double lo, hi; /* clamp of log scales */
} maf_shape;

static inline real clamped(const maf_shape *p, real a)
{
    return a < (real)p->lo ? (real)p->lo : a > (real)p->hi ? (real)p->hi : a;
}

/* One label of one draw from the last block. out: (component, {mean, log scale, logit}), stride
 * LANES. x: a standard normal, becomes the label; u chooses the component. Returns log p(x). */
static double mixture_draw(const maf_shape *p, const real *out, real u, real *x)
{
    const int64_t n = p->n_mog;
    real most = out[2 * LANES], total = 0, sum = 0;
    int64_t chosen = n - 1; /* where rounding leaves u * total above the sum */
    for (int64_t c = 1; c < n; c++)
        if (out[(3 * c + 2) * LANES] > most)
            most = out[(3 * c + 2) * LANES];
    for (int64_t c = 0; c < n; c++)
        total += real_exp(out[(3 * c + 2) * LANES] - most);
    for (int64_t c = 0; c < n; c++) {
        sum += real_exp(out[(3 * c + 2) * LANES] - most);
        if (sum > u * total) {
            chosen = c;
            break;
        }
    }
    *x = *x * real_exp(clamped(p, out[(3 * chosen + 1) * LANES])) + out[3 * chosen * LANES];

    /* log sum_c exp(logit_c - log scale_c - v_c^2 / 2), less log sum_c exp(logit_c); the chosen
     * component's term is the pivot, as it is never far below the largest for a typical draw */
    real pivot = 0, density = 0;
    for (int64_t pass = 0; pass < 2; pass++)
        for (int64_t c = 0; c < n; c++) {
            const real a = clamped(p, out[(3 * c + 1) * LANES]);
            const real v = (*x - out[3 * c * LANES]) * real_exp(-a);
            const real term = out[(3 * c + 2) * LANES] - most - a - v * v / 2;
            if (pass == 0)
                pivot = c == 0 || term > pivot ? term : pivot;
            else
                density += real_exp(term - pivot);
        }
    return (double)(pivot + real_log(density) - real_log(total)) - 0.91893853320467274178;
}

/* The same of a single Gaussian, to the last bit. */
static double normal_draw(const maf_shape *p, const real *out, real *x)
{
    const real a = clamped(p, out[LANES]);
    *x = *x * real_exp(a) + out[0];
    const real v = (*x - out[0]) * real_exp(-a);
    return (double)(-a - v * v / 2) - 0.91893853320467274178;
}

/* A made_label_fn; flow: a maf_shape. */
static inline void maf_label(const void *flow, int last, real *out, const real *u, real *x,
                             double *log_prob)
{
    const maf_shape *p = flow;
    for (int64_t t = 0; last && t < LANES; t++)
        log_prob[t] +=
            p->n_mog == 1 ? normal_draw(p, out + t, &x[t]) : mixture_draw(p, out + t, u[t], &x[t]);
    for (int64_t t = 0; !last && t < LANES; t++) {
        const real a = clamped(p, out[LANES + t]);
        x[t] = x[t] * real_exp(a) + out[t];
        log_prob[t] -= (double)a;
    }
}
#endif
