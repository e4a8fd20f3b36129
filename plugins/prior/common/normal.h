/* prior/common/normal.h -- log CDF of the standard normal and its inverse, good in both far tails.
 */
#ifndef PRIOR_NORMAL_H
#define PRIOR_NORMAL_H

#define NORMAL_LOG_ROOT_2PI 0.918938533204672742 /* log sqrt(2 pi) */
#define NORMAL_ROOT_2       1.41421356237309505

double normal_log_cdf(double x);          /* log Phi(x); -inf and 0 at the ends */
double normal_log_quantile(double log_p); /* x with log Phi(x) = log_p */

/* The standard normal cut to [a, b], a < b; either may be infinite. */
typedef struct normal_cut {
    double a, b;
    int mirror;            /* kept as [-b, -a], so that an upper tail keeps its digits */
    double log_lo, log_hi; /* log Phi at the ends of what is kept */
    double log_mass;       /* log(Phi(b) - Phi(a)) */
} normal_cut;
normal_cut normal_cut_new(double a, double b);
double normal_cut_quantile(const normal_cut *c, double u); /* u in (0, 1) */
#endif
