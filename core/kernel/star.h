/* kernel/star.h -- loops over the pixels of one spectrum, as the likelihood of a star does them for
 * thousands of label vectors. In float; sums of many terms in double. */
#ifndef ANPE_CORE_STAR_H
#define ANPE_CORE_STAR_H
#include <stdint.h>

/* sum_k weight[k] x[at[k]] */
double anpe_star_gather(int64_t n, const int32_t *at, const double *weight, const float *x);
/* sum += a x */
void anpe_star_add(int64_t n, float a, const float *x, float *sum);
/* sum of x y */
double anpe_star_dot(int64_t n, const float *x, const float *y);
/* out[i * m + j] = sum of row_i row_j for j <= i < m, rows (m, n): each as anpe_star_dot has it, to
 * the last bit. */
void anpe_star_gram(int64_t m, int64_t n, const float *rows, double *out);
/* flux /= continuum where that is positive; returns whether it is not in a pixel with mask 0. */
int anpe_star_divide(int64_t n, const float *continuum, const uint8_t *mask, float *flux);
/* slope = (slope - reduced continuum_slope) / continuum where that is positive, else 0. */
void anpe_star_divide_slope(int64_t n, const float *continuum, const float *continuum_slope,
                            const float *reduced, float *slope);
/* r = (x - y) w */
void anpe_star_whiten(int64_t n, const float *x, const float *y, const float *w, float *r);
/* weight[k] = first ratio^k kernel[k]; n a multiple of 8 */
void anpe_star_weigh(int64_t n, double first, double ratio, const double *kernel, double *weight);
/* sum_r += x[r] weight (n) for each of the rows r, whose sums begin `stride` apart; n as above */
void anpe_star_spread(int64_t rows, int64_t n, const double *x, const double *weight,
                      int64_t stride, double *sum);
/* out[i] = sum_k weight[k] in[i + k], in (n + taps - 1) */
void anpe_star_filter(int64_t n, int64_t taps, const double *weight, const float *in, float *out);
#endif
