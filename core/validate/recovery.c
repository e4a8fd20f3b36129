/* Statistics of recovered labels. */
#include "validate/recovery.h"
#include "stat/order.h"
#include <math.h>

anpe_recovery anpe_recovery_of(int64_t n, const double *truth, const double *median,
                               const double *mean, const double *sd, const double *p16,
                               const double *p84, double *scratch)
{
    anpe_recovery r = {.n = n, .r2 = NAN, .bias = NAN, .scatter = NAN, .cover68 = NAN, .pull = NAN};
    double centre = 0, residual = 0, total = 0, pull = 0, pull2 = 0;
    int64_t inside = 0;
    if (n < 2)
        return r;
    for (int64_t i = 0; i < n; i++)
        centre += truth[i] / (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double d = median[i] - truth[i], p = (mean[i] - truth[i]) / sd[i];
        scratch[i] = d;
        residual += d * d;
        total += (truth[i] - centre) * (truth[i] - centre);
        inside += truth[i] >= p16[i] && truth[i] <= p84[i];
        pull += p;
        pull2 += p * p;
    }
    const double count = (double)n;
    r.r2 = total > 0 ? 1 - residual / total : NAN;
    r.cover68 = (double)inside / count;
    r.pull = sqrt(fmax(pull2 / count - (pull / count) * (pull / count), 0));
    anpe_sort(n, scratch);
    r.bias = anpe_quantile_sorted(n, scratch, 0.5);
    for (int64_t i = 0; i < n; i++)
        scratch[i] = fabs(scratch[i] - r.bias);
    anpe_sort(n, scratch);
    r.scatter = 1.4826 * anpe_quantile_sorted(n, scratch, 0.5);
    return r;
}
