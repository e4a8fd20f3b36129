/* Curves of inputs: see model/curve.h. */
#include "model/curve.h"
#include "stat/moments.h"
#include <math.h>
#include <stdlib.h>

enum { LEAST = 100 };
static const double least_spread = 0.7, most_kurtosis = 12;

float anpe_curve(float c, float value)
{
    if (c > 0)
        return logf(fmaxf(value, c));
    return c < 0 ? asinhf(value / -c) : value;
}

float anpe_curve_slope(float c, float value)
{
    if (c > 0)
        return value > c ? 1 / value : 0;
    return c < 0 ? 1 / sqrtf(value * value + c * c) : 1;
}

typedef struct spread {
    double sd, kurtosis;
} spread;

static spread measure(int64_t n, int64_t stride, const float *x, float c)
{
    anpe_moments m = {0};
    for (int pass = 0; pass < ANPE_MOMENTS_PASSES; pass++)
        for (int64_t i = 0; i < n; i++)
            anpe_moments_add(&m, pass, (double)anpe_curve(c, x[i * stride]));
    return (spread){anpe_moments_sd(&m), m.square > 0 ? m.n * m.fourth / (m.square * m.square) : 0};
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* A tenth of the smallest value, if all are positive; else minus the median |v|; 0 if that is 0. */
static float candidate(int64_t n, int64_t stride, const float *x)
{
    float *size = malloc((size_t)n * sizeof *size), least = INFINITY;
    if (!size)
        return 0;
    for (int64_t i = 0; i < n; i++) {
        size[i] = fabsf(x[i * stride]);
        least = fminf(least, x[i * stride]);
    }
    qsort(size, (size_t)n, sizeof *size, ascending);
    const float median = size[n / 2];
    free(size);
    return least > 0 ? least / 10 : -median;
}

float anpe_curve_choose(int64_t n, int64_t stride, const float *x)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i * stride]))
            return 0;
    const float c = n < LEAST ? 0 : candidate(n, stride, x);
    if (c == 0)
        return 0;
    const spread plain = measure(n, stride, x, 0), curved = measure(n, stride, x, c);
    const int wanted = c > 0 ? curved.sd > least_spread : plain.kurtosis > most_kurtosis;
    return wanted && fabs(curved.kurtosis - 3) < fabs(plain.kurtosis - 3) ? c : 0;
}
