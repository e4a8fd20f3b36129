/* A label of a panel of draws through the inverse of a block's spline: nsf_inverse of spline.h for
 * all lanes side by side. Nothing branches, so that the loops over lanes become vectors: each lane
 * goes through all bins and keeps its own.
 *
 * One source for two precisions, as spline.h. */
#ifndef ANPE_NSF_LABEL_H
#define ANPE_NSF_LABEL_H
#include "spline.h"

#define NSF_INLINE static inline __attribute__((always_inline))

/* raw (n, lane) -> softmax over n, in place. */
NSF_INLINE void nsf_lane_shares(int64_t n, real *raw)
{
    real most[LANES], sum[LANES];
    for (int64_t t = 0; t < LANES; t++)
        most[t] = -NSF_RAW_LIMIT;
    for (int64_t t = 0; t < LANES; t++)
        sum[t] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t t = 0; t < LANES; t++) {
            const real v = nsf_clamp(raw[i * LANES + t], -NSF_RAW_LIMIT, NSF_RAW_LIMIT);
            raw[i * LANES + t] = v;
            most[t] = v > most[t] ? v : most[t];
        }
    for (int64_t i = 0; i < n; i++)
        for (int64_t t = 0; t < LANES; t++) {
            raw[i * LANES + t] = real_exp(raw[i * LANES + t] - most[t]);
            sum[t] += raw[i * LANES + t];
        }
    for (int64_t i = 0; i < n; i++)
        for (int64_t t = 0; t < LANES; t++)
            raw[i * LANES + t] /= sum[t];
}

/* The bins that hold the lanes' points, (lane) each. */
typedef struct nsf_lane_bins {
    real x[LANES], w[LANES], y[LANES], h[LANES], d0[LANES], d1[LANES];
} nsf_lane_bins;

/* v (lane): points of the output axis. raw as in nsf_find, (parameter, lane); spoiled. */
NSF_INLINE void nsf_lane_find(const nsf_shape *p, real *raw, const real *v, nsf_lane_bins *b)
{
    const int64_t n = p->n_bins;
    const real all = (real)(2 * p->bound), least_w = (real)p->min_width;
    const real least_h = (real)p->min_height, free_w = (real)(1 - (double)n * p->min_width);
    const real free_h = (real)(1 - (double)n * p->min_height);
    const real *width = raw, *height = raw + n * LANES, *inner = raw + 2 * n * LANES;
    real left[LANES]; /* 1 until the bin is found */
    real bin[LANES], raw0[LANES], raw1[LANES];
    nsf_lane_shares(n, raw);
    nsf_lane_shares(n, raw + n * LANES);
    for (int64_t t = 0; t < LANES; t++)
        b->x[t] = b->y[t] = (real)-p->bound;
    for (int64_t t = 0; t < LANES; t++)
        left[t] = 1;
    for (int64_t t = 0; t < LANES; t++)
        b->w[t] = b->h[t] = bin[t] = raw0[t] = raw1[t] = 0;
    for (int64_t k = 0; k < n; k++) {
        const real number = (real)k, always = k == n - 1;
        const real *before = inner + (k > 0 ? k - 1 : 0) * LANES;
        const real *after = inner + (k < n - 1 ? k : 0) * LANES;
        for (int64_t t = 0; t < LANES; t++) {
            const real w = all * (least_w + free_w * width[k * LANES + t]);
            const real h = all * (least_h + free_h * height[k * LANES + t]);
            const real is = v[t] < b->y[t] + h ? left[t] : always * left[t];
            const real on = left[t] - is;
            b->w[t] = is > 0 ? w : b->w[t];
            b->h[t] = is > 0 ? h : b->h[t];
            bin[t] = is > 0 ? number : bin[t];
            raw0[t] = is > 0 ? before[t] : raw0[t];
            raw1[t] = is > 0 ? after[t] : raw1[t];
            b->x[t] += on > 0 ? w : 0;
            b->y[t] += on > 0 ? h : 0;
            left[t] = on;
        }
    }
    const real end = (real)(n - 1);
    for (int64_t t = 0; t < LANES; t++) {
        const real d0 = nsf_derivative(p, raw0[t], NULL), d1 = nsf_derivative(p, raw1[t], NULL);
        b->d0[t] = bin[t] > 0 ? d0 : 1;
        b->d1[t] = bin[t] < end ? d1 : 1;
    }
}

/* raw (parameter, lane), spoiled; z (lane) -> x, in place; log_det (lane) = log dz/dx there. */
NSF_INLINE void nsf_lane_inverse(const nsf_shape *p, real *raw, real *z, real *log_det)
{
    const real bound = (real)p->bound, lo = (real)p->lo, hi = (real)p->hi;
    nsf_lane_bins b;
    nsf_lane_find(p, raw + 2 * LANES, z, &b);
    for (int64_t t = 0; t < LANES; t++) {
        const int inside = z[t] > -bound && z[t] < bound;
        const real s = b.h[t] / b.w[t], e = nsf_clamp((z[t] - b.y[t]) / b.h[t], 0, 1);
        const real both = b.d0[t] + b.d1[t] - 2 * s;
        const real a2 = s - b.d0[t] + e * both, a1 = b.d0[t] - e * both, a0 = -s * e;
        const real square = a1 * a1 - 4 * a2 * a0;
        const real below = -a1 - real_sqrt(square > 0 ? square : 0);
        const real at = nsf_clamp(2 * a0 / below, 0, 1), c = at * (1 - at);
        const real q = s + both * c, r = s / q;
        const real v = b.d1[t] * at * at + 2 * s * c + b.d0[t] * (1 - at) * (1 - at);
        const real a = nsf_clamp(raw[LANES + t], lo, hi), log_slope = real_log(r * r * v);
        const real u = inside ? b.x[t] + at * b.w[t] : z[t];
        log_det[t] = (inside ? log_slope : 0) - a;
        z[t] = nsf_saturated(u * real_exp(a) + raw[t]);
    }
}

static void nsf_inverse_plain(const nsf_shape *p, real *raw, real *z, real *log_det)
{
    nsf_lane_inverse(p, raw, z, log_det);
}
#if defined __x86_64__
__attribute__((target("avx2,fma"))) static void nsf_inverse_avx2(const nsf_shape *p, real *raw,
                                                                 real *z, real *log_det)
{
    nsf_lane_inverse(p, raw, z, log_det);
}
__attribute__((
    target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512"))) static void
nsf_inverse_avx512(const nsf_shape *p, real *raw, real *z, real *log_det)
{
    nsf_lane_inverse(p, raw, z, log_det);
}
#endif

/* By the best instructions of this machine. */
static void nsf_panel_inverse(const nsf_shape *p, real *raw, real *z, real *log_det)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        nsf_inverse_avx512(p, raw, z, log_det);
        return;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        nsf_inverse_avx2(p, raw, z, log_det);
        return;
    }
#endif
    nsf_inverse_plain(p, raw, z, log_det);
}

/* A made_label_fn; self: an nsf_shape. */
static void nsf_label(const void *self, int last, real *out, const real *u, real *x,
                      double *log_prob)
{
    real log_det[LANES];
    (void)u;
    if (last)
        for (int64_t t = 0; t < LANES; t++)
            log_prob[t] -= (double)x[t] * (double)x[t] / 2 + NSF_HALF_LOG_TWOPI;
    nsf_panel_inverse(self, out, x, log_det);
    for (int64_t t = 0; t < LANES; t++)
        log_prob[t] += (double)log_det[t];
}
#endif
