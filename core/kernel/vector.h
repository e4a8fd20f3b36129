/* kernel/vector.h -- loops over whole blocks of parameters, as a training step does them. */
#ifndef ANPE_CORE_VECTOR_H
#define ANPE_CORE_VECTOR_H
#include <stdint.h>

/* sum += x */
void anpe_vector_add_f(int64_t n, const float *x, float *sum);
/* sum of x^2, in double */
double anpe_vector_square_f(int64_t n, const float *x);

/* Adam (Kingma & Ba 2015): g' = shrink g, m = b1 m + (1 - b1) g', v = b2 v + (1 - b2) g'^2,
 * value -= c1 m / (sqrt(c2 v) + epsilon). */
typedef struct anpe_adam {
    float shrink, b1, b2, c1, c2, epsilon;
} anpe_adam;
void anpe_vector_adam_f(const anpe_adam *a, int64_t n, const float *gradient, float *m, float *v,
                        float *value);
/* average += weight (x - average) */
void anpe_vector_average_f(int64_t n, float weight, const float *x, float *average);
#endif
