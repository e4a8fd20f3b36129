/* Statistics of recovered labels. */
#include "validate/recovery.h"
#include <math.h>

/* v[i] sinks to its place in the heap v[0..n): no element is less than its children. */
static void sink(int64_t i, int64_t n, double *v)
{
    const double x = v[i];
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        child += child + 1 < n && v[child + 1] > v[child];
        if (!(v[child] > x))
            break;
        v[i] = v[child];
    }
    v[i] = x;
}

/* Heapsort: glibc's qsort allocates for more than 1 KiB, and this runs for every spectrum. */
void anpe_sort(int64_t n, double *values)
{
    for (int64_t i = n / 2; i-- > 0;)
        sink(i, n, values);
    for (int64_t last = n; last-- > 1;) {
        const double largest = values[0];
        values[0] = values[last];
        values[last] = largest;
        sink(0, last, values);
    }
}

double anpe_quantile_sorted(int64_t n, const double *sorted, double q)
{
    const double at = q * (double)(n - 1);
    const int64_t i = (int64_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

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
