/* model/curve.h -- takes the tail out of an input before it is standardised.
 *
 * Summaries that are not spectra can spread over powers of ten (counts, rates) or have tails that
 * make their standard deviation meaningless. One number per input says what is done:
 *   0        nothing
 *   c > 0    log(max(v, c)), for what is always positive
 *   c < 0    asinh(v / |c|): linear below |c|, logarithmic beyond, of either sign */
#ifndef ANPE_CORE_CURVE_H
#define ANPE_CORE_CURVE_H
#include <stdint.h>

float anpe_curve(float c, float value);
float anpe_curve_slope(float c, float value); /* its derivative */
/* The curve for n simulated values, `stride` apart: log where that is positive and spreads over
 * more than a factor 2 (standard deviation of the log 0.7), asinh of the median |v| where the
 * kurtosis is above 12 (a normal has 3, an exponential 9), each only where it brings the kurtosis
 * closer to the normal's. Few values tell nothing: 0. */
float anpe_curve_choose(int64_t n, int64_t stride, const float *x);
#endif
