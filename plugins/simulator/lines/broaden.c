/* Macroturbulence: a Gaussian exp(-(v/zeta)^2), or the radial-tangential profile of Gray (2005),
 * chapter 17, integrated over the disc with equal shares,
 * M(v) ~ exp(-x^2) - sqrt(pi) x erfc(x), x = |v| / zeta. */
#include "lines.h"
#include <math.h>

#define REACH 3.5 /* in units of vmacro: both profiles are below 1e-5 of their centre there */

int64_t anpe_lines_kernel_half(double vmacro, double fine)
{
    return (int64_t)ceil(REACH * vmacro / fine);
}

static double profile(anpe_lines_macro shape, double x)
{
    const double gauss = exp(-x * x);
    return shape == ANPE_MACRO_GAUSSIAN ? gauss : gauss - 1.7724538509055159 * x * erfc(x);
}

void anpe_lines_kernel(anpe_lines_macro shape, double vmacro, double fine, int64_t half, int64_t m,
                       float *kernel)
{
    const int64_t n = 2 * half + m;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        kernel[i] = 0;
    for (int64_t j = -half; j <= half; j++)
        sum += j ? profile(shape, (double)(j < 0 ? -j : j) * fine / vmacro) : 1;
    for (int64_t j = -half; j <= half; j++) {
        const double w = j ? profile(shape, (double)(j < 0 ? -j : j) * fine / vmacro) : 1;
        for (int64_t k = 0; k < m; k++) /* the average over m pixels is a convolution with a box */
            kernel[half + j + k] += (float)(w / (sum * (double)m));
    }
}
