/* One label of one block of the flow: u = (x - m) exp(-a), then z = S(u), S the monotonic
 * rational-quadratic spline of Durkan et al. (2019, section 3.1) on [-bound, bound], the identity
 * outside.
 *
 * `raw`: the 3 K + 1 unnormalised parameters, `stride` apart: m, a, K widths, K heights, K - 1
 * derivatives at inner knots. With p = softmax(widths) the bins are 2 bound (min + (1 - K min) p)
 * wide, and alike high; a derivative is min + softplus, shifted such that raw zeros are the
 * identity, and at most 1 / min. In a bin (x0, w, y0, h, d0, d1), with s = h / w, t = (u - x0) / w:
 *     S = y0 + h (s t^2 + d0 t (1 - t)) / q,      q = s + (d0 + d1 - 2 s) t (1 - t)
 *     S' = s^2 p / q^2,    p = d1 t^2 + 2 s t (1 - t) + d0 (1 - t)^2
 * q >= s / 2, p >= min of d0, d1 and s: nothing divides by zero.
 *
 * Whatever comes in, what goes out is at most NSF_LIMIT in size, so that neither squares nor the
 * next network overflow; no label in standardised units is there. A NaN stays a NaN.
 *
 * One source for two precisions: the file that includes this defines `real`, `real_exp` and
 * `real_log`. */
#ifndef ANPE_NSF_SPLINE_H
#define ANPE_NSF_SPLINE_H
#include "../common/made_sampler.h"
#include <math.h>

#define NSF_MAX_BINS       64
#define NSF_LIMIT          ((real)1e6)
#define NSF_RAW_LIMIT      ((real)1e30) /* the difference of two of them is finite */
#define NSF_HALF_LOG_TWOPI 0.91893853320467274178

typedef struct nsf_shape {
    int64_t n_bins;
    double bound, min_width, min_height, min_derivative;
    double lo, hi; /* clamp of the log scale a */
    double shift;  /* nsf_shift of min_derivative */
} nsf_shape;

/* What a raw derivative of 0 needs to give 1: min + log(1 + exp(shift)) = 1. */
static inline double nsf_shift(double min_derivative)
{
    return log(expm1(1 - min_derivative));
}

static inline int64_t nsf_outputs(const nsf_shape *p)
{
    return 3 * p->n_bins + 1;
}

/* NaN stays. */
static inline real nsf_clamp(real v, real lo, real hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static inline real nsf_saturated(real v)
{
    return nsf_clamp(v, -NSF_LIMIT, NSF_LIMIT);
}

/* share (n): softmax of raw. */
static inline void nsf_shares(int64_t n, const real *raw, int64_t stride, real *share)
{
    real most = -NSF_RAW_LIMIT, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        share[i] = nsf_clamp(raw[i * stride], -NSF_RAW_LIMIT, NSF_RAW_LIMIT);
        most = share[i] > most ? share[i] : most;
    }
    for (int64_t i = 0; i < n; i++)
        share[i] = real_exp(share[i] - most);
    for (int64_t i = 0; i < n; i++)
        sum += share[i];
    for (int64_t i = 0; i < n; i++)
        share[i] /= sum;
}

/* min + softplus(raw + shift), 1 at raw = 0. *slope, unless NULL: its derivative by raw. */
static inline real nsf_derivative(const nsf_shape *p, real raw, real *slope)
{
    const double least = p->min_derivative;
    const real v = raw + (real)p->shift;
    const real e = real_exp(v > 0 ? -v : v); /* never overflows */
    const real d = (real)least + (v > 0 ? v : 0) + real_log(1 + e);
    const real most = (real)(1 / least);
    if (slope)
        *slope = d > most ? 0 : (v > 0 ? 1 : e) / (1 + e);
    return d > most ? most : d;
}

/* The bin that holds a point, and what it came from. */
typedef struct nsf_bin {
    int64_t k;
    real x, w, y, h, d0, d1;
    real slope0, slope1; /* of d0, d1 by their raw value; 0 at the ends */
    real width[NSF_MAX_BINS], height[NSF_MAX_BINS]; /* shares */
} nsf_bin;

/* v: a point inside (-bound, bound), of the output axis if inverse. raw: widths, heights,
 * derivatives. */
static inline void nsf_find(const nsf_shape *p, const real *raw, int64_t stride, real v,
                            int inverse, nsf_bin *b)
{
    const int64_t n = p->n_bins;
    const real all = (real)(2 * p->bound), free_w = (real)(1 - (double)n * p->min_width);
    const real free_h = (real)(1 - (double)n * p->min_height);
    nsf_shares(n, raw, stride, b->width);
    nsf_shares(n, raw + n * stride, stride, b->height);
    b->x = b->y = (real)-p->bound;
    for (b->k = 0;; b->k++) {
        b->w = all * ((real)p->min_width + free_w * b->width[b->k]);
        b->h = all * ((real)p->min_height + free_h * b->height[b->k]);
        if (b->k == n - 1 || v < (inverse ? b->y + b->h : b->x + b->w))
            break;
        b->x += b->w;
        b->y += b->h;
    }
    const real *inner = raw + 2 * n * stride;
    b->d0 = b->d1 = 1;
    b->slope0 = b->slope1 = 0;
    if (b->k > 0)
        b->d0 = nsf_derivative(p, inner[(b->k - 1) * stride], &b->slope0);
    if (b->k < n - 1)
        b->d1 = nsf_derivative(p, inner[b->k * stride], &b->slope1);
}

/* S and log S' at t = (u - x0) / w. */
static inline real nsf_value(const nsf_bin *b, real t, real *log_slope)
{
    const real s = b->h / b->w, c = t * (1 - t);
    const real q = s + (b->d0 + b->d1 - 2 * s) * c;
    const real p = b->d1 * t * t + 2 * s * c + b->d0 * (1 - t) * (1 - t);
    const real r = s / q;
    *log_slope = real_log(r * r * p);
    return b->y + b->h * (s * t * t + b->d0 * c) / q;
}

/* The t at which S is v, from q (v - y0) = h (s t^2 + d0 t (1 - t)), a quadratic equation; the form
 * of the root that cancels nothing. */
static inline real nsf_root(const nsf_bin *b, real v)
{
    const real s = b->h / b->w, e = nsf_clamp((v - b->y) / b->h, 0, 1);
    const real both = b->d0 + b->d1 - 2 * s;
    const real a2 = s - b->d0 + e * both, a1 = b->d0 - e * both, a0 = -s * e;
    const real square = a1 * a1 - 4 * a2 * a0;
    const real below = -a1 - (square > 0 ? (real)sqrt(square) : 0);
    return nsf_clamp(2 * a0 / below, 0, 1);
}

/* ---- one block and label ----------------------------------------------------------------- */

/* z from x; *log_det = log dz/dx. */
static inline real nsf_forward(const nsf_shape *p, const real *raw, int64_t stride, real x,
                               real *log_det)
{
    const real a = nsf_clamp(raw[stride], (real)p->lo, (real)p->hi), bound = (real)p->bound;
    const real u = nsf_saturated((nsf_saturated(x) - raw[0]) * real_exp(-a));
    *log_det = -a;
    if (!(u > -bound && u < bound))
        return u;
    nsf_bin b;
    real log_slope;
    nsf_find(p, raw + 2 * stride, stride, u, 0, &b);
    const real z = nsf_value(&b, nsf_clamp((u - b.x) / b.w, 0, 1), &log_slope);
    *log_det += log_slope;
    return z;
}

/* x from z; *log_det = log dz/dx at it. */
static inline real nsf_inverse(const nsf_shape *p, const real *raw, int64_t stride, real z,
                               real *log_det)
{
    const real a = nsf_clamp(raw[stride], (real)p->lo, (real)p->hi), bound = (real)p->bound;
    real u = z, log_slope = 0;
    if (z > -bound && z < bound) {
        nsf_bin b;
        nsf_find(p, raw + 2 * stride, stride, z, 1, &b);
        const real t = nsf_root(&b, z);
        (void)nsf_value(&b, t, &log_slope);
        u = b.x + t * b.w;
    }
    *log_det = log_slope - a;
    return nsf_saturated(u * real_exp(a) + raw[0]);
}

/* Adds to grad_raw (n shares, stride) the gradient by the raw widths or heights, where the gradient
 * by the sizes of the bins is `start` before bin k, `here` at k and 0 after it. scale: d size / d
 * share. */
static inline void nsf_pull_shares(int64_t n, const real *share, int64_t k, real start, real here,
                                   real scale, int64_t stride, real *grad_raw)
{
    real mean = here * share[k];
    for (int64_t i = 0; i < k; i++)
        mean += start * share[i];
    for (int64_t i = 0; i < n; i++)
        grad_raw[i * stride] += scale * share[i] * ((i < k ? start : i == k ? here : 0) - mean);
}

/* The gradient by a bin's t, s, d0, d1 of gz S + gl log S'. */
typedef struct nsf_pull {
    real t, s, d0, d1, h;
} nsf_pull;

static inline nsf_pull nsf_pull_value(const nsf_bin *b, real t, real gz, real gl)
{
    const real s = b->h / b->w, c = t * (1 - t), both = b->d0 + b->d1 - 2 * s;
    const real q = s + both * c, v = 1 - t;
    const real p = b->d1 * t * t + 2 * s * c + b->d0 * v * v;
    const real ratio = (s * t * t + b->d0 * c) / q; /* (S - y0) / h */
    const real r = s / q;
    return (nsf_pull){
        .t = gz * r * r * p * b->w +
             gl * (2 * (b->d1 * t + s * (1 - 2 * t) - b->d0 * v) / p - 2 * both * (1 - 2 * t) / q),
        .s = gz * b->h * (t * t - ratio * (1 - 2 * c)) / q +
             2 * gl * (1 / s + c / p - (1 - 2 * c) / q),
        .d0 = gz * b->h * c * (1 - ratio) / q + gl * (v * v / p - 2 * c / q),
        .d1 = -gz * b->h * c * ratio / q + gl * (t * t / p - 2 * c / q),
        .h = gz * ratio,
    };
}

/* Adds the gradients by x and raw where those by z and log_det are gz and gl. Either may be NULL.
 */
static inline void nsf_backward(const nsf_shape *p, const real *raw, int64_t stride, real x,
                                real gz, real gl, real *grad_x, real *grad_raw)
{
    const real a = nsf_clamp(raw[stride], (real)p->lo, (real)p->hi), bound = (real)p->bound;
    const real e = real_exp(-a), far = (nsf_saturated(x) - raw[0]) * e, u = nsf_saturated(far);
    const int64_t n = p->n_bins;
    real gu = far == u ? gz : 0; /* no gradient where it saturates */
    if (u > -bound && u < bound) {
        nsf_bin b;
        nsf_find(p, raw + 2 * stride, stride, u, 0, &b);
        const real t = nsf_clamp((u - b.x) / b.w, 0, 1);
        const nsf_pull g = nsf_pull_value(&b, t, gz, gl);
        gu = g.t / b.w;
        if (grad_raw) {
            const real all = (real)(2 * p->bound);
            real *inner = grad_raw + (2 + 2 * n) * stride;
            nsf_pull_shares(n, b.width, b.k, -gu, -(g.t * t + g.s * b.h / b.w) / b.w,
                            all * (real)(1 - (double)n * p->min_width), stride,
                            grad_raw + 2 * stride);
            nsf_pull_shares(n, b.height, b.k, gz, g.h + g.s / b.w,
                            all * (real)(1 - (double)n * p->min_height), stride,
                            grad_raw + (2 + n) * stride);
            if (b.k > 0)
                inner[(b.k - 1) * stride] += g.d0 * b.slope0;
            if (b.k < n - 1)
                inner[b.k * stride] += g.d1 * b.slope1;
        }
    }
    if (grad_x && x == nsf_saturated(x))
        *grad_x += gu * e;
    if (grad_raw) {
        grad_raw[0] -= gu * e;
        if (a == raw[stride])
            grad_raw[stride] -= gu * u + gl;
    }
}
#endif
