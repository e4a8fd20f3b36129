/* See summary.h. */
#include "posterior/summary.h"
#include "stat/moments.h"
#include "stat/normal.h"
#include "stat/order.h"
#include <math.h>

const anpe_label_summary anpe_no_summary = {
    .median = NAN, .mean = NAN, .sd = NAN, .p16 = NAN, .p84 = NAN, .p16_cal = NAN, .p84_cal = NAN};

static const double shares[] = {ANPE_P16, 0.5, ANPE_P84};

anpe_label_summary anpe_infer_label_summary(int64_t n, double *draw)
{
    double q[3];
    const anpe_moments m = anpe_moments_of(n, draw, 1);
    anpe_label_summary s = {.mean = anpe_moments_mean(&m),
                            .sd = sqrt(anpe_moments_sample_variance(&m))};
    anpe_select_quantiles(n, draw, 3, shares, q);
    s.p16 = q[0];
    s.median = q[1];
    s.p84 = q[2];
    return s;
}

anpe_label_summary anpe_infer_weighted_summary(int64_t n, const double *value, int64_t stride,
                                               const double *log_weight, anpe_ranked *scratch)
{
    anpe_label_summary s = {.sd = NAN};
    double q[3];
    anpe_weighted_moments(n, value, stride, log_weight, &s.mean, &s.sd);
    anpe_weighted_quantiles(n, value, stride, log_weight, 3, shares, q, scratch);
    s.p16 = q[0];
    s.median = q[1];
    s.p84 = q[2];
    return s;
}

double anpe_edge_mass(int64_t n, const double *value, int64_t stride, const double *log_weight,
                      double sd, const anpe_label *label)
{
    double low = 0, high = 0;
    for (int64_t k = 0; k < n; k++) {
        const double v = value[k * stride], w = log_weight ? exp(log_weight[k]) : 1 / (double)n;
        low += v < label->min + 0.1 * sd ? w : 0;
        high += v > label->max - 0.1 * sd ? w : 0;
    }
    return fmax(low, high);
}
