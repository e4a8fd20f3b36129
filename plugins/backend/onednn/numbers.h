/* numbers.h -- whole tensors between float and bfloat16 (the upper half of a float, rounded to
 * nearest, ties to even; NaN stays NaN). */
#ifndef ONEDNN_NUMBERS_H
#define ONEDNN_NUMBERS_H
#include <stdint.h>

void onednn_to_bfloat16(int64_t n, const float *x, uint16_t *to);
/* Zero where y is not positive. */
void onednn_to_bfloat16_where(int64_t n, const float *x, const float *y, uint16_t *to);
/* The same as floats: what bfloat16 makes of them. In place is allowed. */
void onednn_round(int64_t n, const float *x, float *to);
void onednn_round_where(int64_t n, const float *x, const float *y, float *to);
void onednn_copy_where(int64_t n, const float *x, const float *y, float *to);
void onednn_add(int64_t n, const float *x, float *sum);
#endif
