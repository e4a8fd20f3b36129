/* Loops over whole blocks of parameters: see kernel/vector.h. In float only. */
#include <config.h>
#include "kernel/real.h"
#include "kernel/vector.h"

#ifndef ANPE_REAL_DOUBLE
ANPE_CLONES
static void add(int64_t n, const float *x, float *sum)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += x[i];
}

/* In PARTS sums side by side, for the vectoriser. */
enum { PARTS = 16 };
ANPE_CLONES
static double square(int64_t n, const float *x)
{
    double part[PARTS] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + PARTS <= n; i += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] += (double)x[i + k] * (double)x[i + k];
    for (; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    for (int k = 0; k < PARTS; k++)
        sum += part[k];
    return sum;
}

ANPE_CLONES
static void adam(float shrink, float b1, float b2, float c1, float c2, float epsilon, int64_t n,
                 const float *restrict gradient, float *restrict m, float *restrict v,
                 float *restrict value)
{
    for (int64_t i = 0; i < n; i++) {
        const float g = gradient[i] * shrink;
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        value[i] -= c1 * m[i] / (sqrtf(v[i] * c2) + epsilon);
    }
}

ANPE_CLONES
static void blend(int64_t n, float weight, const float *restrict x, float *restrict average)
{
    for (int64_t i = 0; i < n; i++)
        average[i] += weight * (x[i] - average[i]);
}

void anpe_vector_average_f(int64_t n, float weight, const float *x, float *average)
{
    blend(n, weight, x, average);
}

void anpe_vector_add_f(int64_t n, const float *x, float *sum)
{
    add(n, x, sum);
}

double anpe_vector_square_f(int64_t n, const float *x)
{
    return square(n, x);
}

void anpe_vector_adam_f(const anpe_adam *a, int64_t n, const float *gradient, float *m, float *v,
                        float *value)
{
    adam(a->shrink, a->b1, a->b2, a->c1, a->c2, a->epsilon, n, gradient, m, v, value);
}
#endif
