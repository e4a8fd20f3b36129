/* stat/normal.h -- the normal distribution. */
#ifndef ANPE_CORE_NORMAL_H
#define ANPE_CORE_NORMAL_H

/* Inverse of the standard normal distribution function, u in (0, 1). */
double anpe_normal_quantile(double u);
#endif
