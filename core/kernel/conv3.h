/* kernel/conv3.h -- convolutions of kernel 3 with two thirds of the multiplications: see
 * conv3.c. dz: the gradient of the output, with relu only where the output is positive. */
#ifndef ANPE_CORE_CONV3_H
#define ANPE_CORE_CONV3_H
#include "kernel/real.h"

/* Whether it pays: the transforms cost in + out, the products in times out. */
int REAL(anpe_conv3_fits)(int64_t k, int64_t in, int64_t out);
int64_t REAL(anpe_conv3_scratch)(int64_t in, int64_t out); /* reals */
void REAL(anpe_conv3_forward)(const anpe_call *c, int relu);
void REAL(anpe_conv3_backward_data)(const anpe_call *c, const real *mask);
void REAL(anpe_conv3_backward_weights)(const anpe_call *c, const real *mask);
#endif
