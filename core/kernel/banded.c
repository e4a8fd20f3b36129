/* Products with a matrix of runs: see kernel/banded.h. In float only. */
#include <config.h>
#include "kernel/banded.h"
#include "kernel/real.h"

#ifndef ANPE_REAL_DOUBLE
/* Lanes 0 .. 7 of a, 8 .. 15 of b. */
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef int lanes __attribute__((vector_size(32)));
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (lanes){__VA_ARGS__})
#endif

#define KERNEL portable
#define KERNEL_TARGET
#define IN_REGISTER(v) (void)(v)
#include "kernel/banded_kernel.h"

#ifdef ANPE_HAVE_TARGET_CLONES
#define KERNEL         avx2
#define KERNEL_TARGET  __attribute__((target("avx2,fma")))
#define IN_REGISTER(v) __asm__("" : "+x"(v))
#include "kernel/banded_kernel.h"
#endif

#ifdef ANPE_HAVE_TARGET_CLONES
static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

void anpe_banded_apply(const anpe_banded *m, int64_t from, int64_t to, int64_t base, int64_t n,
                       const float *const *x, const float *const *next, float *const *y)
{
#ifdef ANPE_HAVE_TARGET_CLONES
    if (has_avx2()) {
        avx2_apply(m, from, to, base, n, x, next, y);
        return;
    }
#endif
    portable_apply(m, from, to, base, n, x, next, y);
}

ANPE_CLONES
static void add_scaled(int64_t n, float a, const float *restrict x, float *restrict sum)
{
    for (int64_t k = 0; k < n; k++)
        sum[k] += a * x[k];
}

void anpe_banded_transpose(const anpe_banded *m, int64_t from, int64_t to, int64_t base,
                           const float *y, float *x)
{
    for (int64_t i = from; i < to; i++)
        add_scaled(m->offset[i + 1] - m->offset[i], y[i], m->weight + m->offset[i],
                   x + m->first[i] - base);
}

void anpe_banded_filter(int64_t n, const float *weight, const float *in, float *out)
{
#ifdef ANPE_HAVE_TARGET_CLONES
    if (has_avx2()) {
        avx2_filter(n, weight, in, out);
        return;
    }
#endif
    portable_filter(n, weight, in, out);
}

void anpe_banded_filter_transpose(int64_t n, const float *weight, const float *out, float *in)
{
    for (int m = 0; m < ANPE_BANDED_TAPS; m++)
        add_scaled(n, weight[m], out, in + m);
}

/* A block of sums stays in registers over all taps. */
ANPE_CLONES
static void convolve(int64_t n, int64_t taps, const float *restrict weight,
                     const float *restrict in, float *restrict out)
{
    enum { BLOCK = 64 };
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        float sum[BLOCK] = {0};
        for (int64_t m = 0; m < taps; m++)
            for (int j = 0; j < BLOCK; j++)
                sum[j] += weight[m] * in[i + m + j];
        for (int j = 0; j < BLOCK; j++)
            out[i + j] = sum[j];
    }
    for (; i < n; i++) {
        float sum = 0;
        for (int64_t m = 0; m < taps; m++)
            sum += weight[m] * in[i + m];
        out[i] = sum;
    }
}

void anpe_banded_convolve(int64_t n, int64_t taps, const float *weight, const float *in, float *out)
{
    convolve(n, taps, weight, in, out);
}

void anpe_banded_cubic(int64_t n, const int32_t *at, const float *weight, const float *in,
                       float *out)
{
    for (int64_t k = 0; k < n; k++) {
        const float *w = weight + 4 * k, *f = in + at[k];
        out[k] = w[0] * f[0] + w[1] * f[1] + w[2] * f[2] + w[3] * f[3];
    }
}

void anpe_banded_cubic_transpose(int64_t n, const int32_t *at, const float *weight,
                                 const float *out, float *in)
{
    for (int64_t k = 0; k < n; k++)
        for (int m = 0; m < 4; m++)
            in[at[k] + m] += weight[4 * k + m] * out[k];
}
#endif
