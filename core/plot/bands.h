/* plot/bands.h -- how far statistics of n mocks may stray when all is well. */
#ifndef ANPE_CORE_BANDS_H
#define ANPE_CORE_BANDS_H
#include <stdint.h>

/* Smallest k with P(K <= k) >= q, K binomial (n, p). */
int64_t anpe_binomial_quantile(int64_t n, double p, double q);
/* Distance that the distribution function of n uniform numbers keeps from the diagonal with
 * probability q: inverse of anpe_kolmogorov_survival. */
double anpe_kolmogorov_quantile(int64_t n, double q);
/* Fraction of the n levels that are at most each of m limits; sorted ascending. */
void anpe_distribution_at(int64_t n, const double *sorted, int64_t m, const double *limit,
                          double *fraction);
#endif
