/* prior/normal.h -- log CDF of the standard normal and its inverse, good in both far tails. */
#ifndef PRIOR_NORMAL_H
#define PRIOR_NORMAL_H

#define NORMAL_LOG_ROOT_2PI 0.918938533204672742 /* log sqrt(2 pi) */

double normal_log_cdf(double x);          /* log Phi(x); -inf and 0 at the ends */
double normal_log_quantile(double log_p); /* x with log Phi(x) = log_p */
#endif
