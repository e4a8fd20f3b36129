/* stat/normal.h -- the normal distribution, and its numbers. */
#ifndef ANPE_CORE_NORMAL_H
#define ANPE_CORE_NORMAL_H

#define ANPE_P16          0.158655253931457 /* of the distribution function, one sd below the mean */
#define ANPE_P84          0.841344746068543      /* one sd above */
#define ANPE_COVER68      0.682689492137086      /* within one sd */
#define ANPE_COVER95      0.954499736103642      /* within two */
#define ANPE_LOG_ROOT_2PI 0.91893853320467274178 /* log(2 pi) / 2 */

/* Inverse of the standard normal distribution function, u in (0, 1). */
double anpe_normal_quantile(double u);
/* log Phi(x), at any distance from 0; and its inverse for log_u <= log 1/2, -inf to -inf. */
double anpe_normal_log_cdf(double x);
double anpe_normal_log_quantile(double log_u);
#endif
