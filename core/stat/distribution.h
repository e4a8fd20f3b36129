/* stat/distribution.h -- probabilities of chi2, of the binomial and of Kolmogorov's distance: how
 * far statistics of n numbers may stray when all is well. */
#ifndef ANPE_CORE_DISTRIBUTION_H
#define ANPE_CORE_DISTRIBUTION_H
#include <stdint.h>

/* Regularised upper incomplete gamma function Q(a, x), a > 0, x >= 0, to 1e-12 relative: series
 * below a + 1, continued fraction above (Abramowitz & Stegun 6.5.29, 6.5.31). */
double anpe_gamma_q(double a, double x);
/* Probability of a chi2 above this with `freedom` degrees of freedom. */
double anpe_chi2_survival(double chi2, double freedom);
/* Probability that n uniform numbers have a larger Kolmogorov distance than d (asymptotic series
 * with Stephens' correction for small n). */
double anpe_kolmogorov_survival(int64_t n, double d);
/* Largest distance of the distribution function of n numbers from that of the uniform one on
 * [0, 1]. sorted: ascending. */
double anpe_uniform_distance(int64_t n, const double *sorted);
/* Fraction of the n numbers that are at most each of m limits; sorted ascending. */
void anpe_distribution_at(int64_t n, const double *sorted, int64_t m, const double *limit,
                          double *fraction);

/* Smallest k with P(K <= k) >= q, K binomial (n, p). */
int64_t anpe_binomial_quantile(int64_t n, double p, double q);
/* Distance that the distribution function of n uniform numbers keeps from the diagonal with
 * probability q: inverse of anpe_kolmogorov_survival. */
double anpe_kolmogorov_quantile(int64_t n, double q);
#endif
