/* Statistics of recovered labels. */
#include "validate/recovery.h"
#include "stat/moments.h"
#include "stat/order.h"
#include <math.h>

anpe_recovery anpe_recovery_of(int64_t n, const double *truth, const double *median,
                               const double *mean, const double *sd, const double *p16,
                               const double *p84, double *scratch)
{
    anpe_recovery r = {.n = n, .r2 = NAN, .bias = NAN, .scatter = NAN, .cover68 = NAN, .pull = NAN};
    double residual = 0;
    int64_t inside = 0;
    if (n < 2)
        return r;
    for (int64_t i = 0; i < n; i++)
        scratch[i] = (mean[i] - truth[i]) / sd[i];
    const anpe_moments truths = anpe_moments_of(n, truth, 1),
                       pulls = anpe_moments_of(n, scratch, 1);
    for (int64_t i = 0; i < n; i++) {
        scratch[i] = median[i] - truth[i];
        residual += scratch[i] * scratch[i];
        inside += truth[i] >= p16[i] && truth[i] <= p84[i];
    }
    r.r2 = truths.square > 0 ? 1 - residual / truths.square : NAN;
    r.cover68 = (double)inside / (double)n;
    r.pull = anpe_moments_sd(&pulls);
    anpe_sort(n, scratch);
    r.bias = anpe_quantile_sorted(n, scratch, 0.5);
    for (int64_t i = 0; i < n; i++)
        scratch[i] = fabs(scratch[i] - r.bias);
    anpe_sort(n, scratch);
    r.scatter = 1.4826 * anpe_quantile_sorted(n, scratch, 0.5);
    return r;
}
