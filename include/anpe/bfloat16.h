/* anpe/bfloat16.h -- bfloat16, the upper half of a float: the same range, 8 bits of precision.
 * Written so that a loop over them vectorises. */
#ifndef ANPE_BFLOAT16_H
#define ANPE_BFLOAT16_H
#include <stdint.h>
#include <string.h>

typedef uint16_t anpe_bfloat16;

/* To nearest, ties to even; NaN stays NaN. */
static inline anpe_bfloat16 anpe_bfloat16_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    const uint32_t up = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16, quiet = (u >> 16) | 0x40u;
    return (anpe_bfloat16)((u & 0x7fffffffu) > 0x7f800000u ? quiet : up);
}

/* Exact. */
static inline float anpe_float_of(anpe_bfloat16 b)
{
    const uint32_t u = (uint32_t)b << 16;
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}
#endif
