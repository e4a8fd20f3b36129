/* plot/bands.c -- see bands.h. */
#include "plot/bands.h"
#include "validate/calibration.h"

#include <math.h>

int64_t anpe_binomial_quantile(int64_t n, double p, double q)
{
    const double count = (double)n;
    double sum = 0;
    if (p <= 0)
        return 0;
    if (p >= 1)
        return n;
    for (int64_t k = 0; k < n; k++) {
        const double x = (double)k;
        sum += exp(lgamma(count + 1) - lgamma(x + 1) - lgamma(count - x + 1) + x * log(p) +
                   (count - x) * log1p(-p));
        if (sum >= q)
            return k;
    }
    return n;
}

double anpe_kolmogorov_quantile(int64_t n, double q)
{
    double lo = 0, hi = 1;
    for (int k = 0; k < 60; k++) {
        const double d = 0.5 * (lo + hi);
        if (anpe_kolmogorov_survival(n, d) > 1 - q)
            lo = d;
        else
            hi = d;
    }
    return hi;
}

void anpe_distribution_at(int64_t n, const double *sorted, int64_t m, const double *limit,
                          double *fraction)
{
    int64_t below = 0;
    for (int64_t k = 0; k < m; k++) {
        while (below < n && sorted[below] <= limit[k])
            below++;
        fraction[k] = (double)below / (double)n;
    }
}
