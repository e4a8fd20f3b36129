/* Conversions: see numbers.h. */
#include "config.h"
#include <string.h>
#include "numbers.h"

#if defined ANPE_HAVE_TARGET_CLONES && !defined ANPE_SANITIZE
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

INLINE uint16_t rounded(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    const uint32_t up = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16, quiet = (u >> 16) | 0x40u;
    return (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? quiet : up);
}

CLONES
void onednn_to_bfloat16(int64_t n, const float *restrict x, uint16_t *restrict to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = rounded(x[i]);
}

CLONES
void onednn_to_bfloat16_where(int64_t n, const float *restrict x, const float *restrict y,
                              uint16_t *restrict to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = rounded(y[i] > 0 ? x[i] : 0);
}

INLINE float widened(uint16_t b)
{
    const uint32_t u = (uint32_t)b << 16;
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

CLONES
void onednn_round(int64_t n, const float *x, float *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = widened(rounded(x[i]));
}

CLONES
void onednn_round_where(int64_t n, const float *x, const float *y, float *to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = widened(rounded(y[i] > 0 ? x[i] : 0));
}

CLONES
void onednn_copy_where(int64_t n, const float *restrict x, const float *restrict y,
                       float *restrict to)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = y[i] > 0 ? x[i] : 0;
}

CLONES
void onednn_add(int64_t n, const float *restrict x, float *restrict sum)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += x[i];
}
