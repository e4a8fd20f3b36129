/* stat/moments.h -- mean and spread of numbers, in two passes, so that what is left of large
 * numbers is not lost:
 *
 *     anpe_moments m = {0};
 *     for (int pass = 0; pass < ANPE_MOMENTS_PASSES; pass++)
 *         for (int64_t i = 0; i < n; i++)
 *             anpe_moments_add(&m, pass, value_of(i));
 *     ... anpe_moments_mean(&m), anpe_moments_sd(&m) ...
 */
#ifndef ANPE_CORE_MOMENTS_H
#define ANPE_CORE_MOMENTS_H
#include <math.h>
#include <stdint.h>

enum { ANPE_MOMENTS_PASSES = 2 };

typedef struct anpe_moments {
    double n, sum;         /* of the first pass */
    double square, fourth; /* of the second: powers of deviations from the mean, added up */
} anpe_moments;

static inline double anpe_moments_mean(const anpe_moments *m) /* of no number: 0 */
{
    return m->n > 0 ? m->sum / m->n : 0;
}

static inline void anpe_moments_add(anpe_moments *m, int pass, double x)
{
    if (pass == 0) {
        m->n++;
        m->sum += x;
        return;
    }
    const double d = x - anpe_moments_mean(m);
    m->square += d * d;
    m->fourth += d * d * d * d;
}

/* Of the numbers themselves, not of what they are a sample of: the sum of squares over n. */
static inline double anpe_moments_sd(const anpe_moments *m)
{
    return m->n > 0 ? sqrt(m->square / m->n) : 0;
}

/* Of what they are a sample of: over n - 1. NAN for fewer than two. */
static inline double anpe_moments_sample_variance(const anpe_moments *m)
{
    return m->n > 1 ? m->square / (m->n - 1) : NAN;
}

/* Of n numbers, `stride` apart. */
static inline anpe_moments anpe_moments_of(int64_t n, const double *value, int64_t stride)
{
    anpe_moments m = {0};
    for (int pass = 0; pass < ANPE_MOMENTS_PASSES; pass++)
        for (int64_t i = 0; i < n; i++)
            anpe_moments_add(&m, pass, value[i * stride]);
    return m;
}
#endif
