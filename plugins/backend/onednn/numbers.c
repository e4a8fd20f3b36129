/* Conversions: see numbers.h. */
#include <config.h>
#include <assert.h>
#include <anpe/bfloat16.h>
#include "numbers.h"

#if defined ANPE_HAVE_TARGET_CLONES && !defined ANPE_SANITIZE
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

INLINE float get(const number type, const void *x, int64_t i)
{
    return type == BFLOAT16 ? anpe_float_of(((const uint16_t *)x)[i]) : ((const float *)x)[i];
}

INLINE void put(const number type, void *x, int64_t i, float value)
{
    if (type == BFLOAT16)
        ((uint16_t *)x)[i] = anpe_bfloat16_of(value);
    else
        ((float *)x)[i] = type == ROUNDED ? anpe_float_of(anpe_bfloat16_of(value)) : value;
}

#define FUNCTIONS(name, a, b)                                                                      \
    CLONES                                                                                         \
    static void name(int64_t n, const void *from, void *to)                                        \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            put(b, to, i, get(a, from, i));                                                        \
    }                                                                                              \
    CLONES                                                                                         \
    static void name##_where(int64_t n, const void *from, const void *where, void *to)             \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const float x = get(a, from, i);                                                       \
            put(b, to, i, get(a, where, i) > 0 ? x : 0);                                           \
        }                                                                                          \
    }
FUNCTIONS(float_to_float, FLOAT, FLOAT)
FUNCTIONS(float_to_bfloat16, FLOAT, BFLOAT16)
FUNCTIONS(float_to_rounded, FLOAT, ROUNDED)
FUNCTIONS(bfloat16_to_float, BFLOAT16, FLOAT)
FUNCTIONS(bfloat16_to_bfloat16, BFLOAT16, BFLOAT16)

/* ROUNDED from bfloat16 is exact, and as `from` it is a float. */
static const struct {
    void (*all)(int64_t n, const void *from, void *to);
    void (*where)(int64_t n, const void *from, const void *where, void *to);
} conversions[2][3] = {
    {{float_to_float, float_to_float_where},
     {float_to_bfloat16, float_to_bfloat16_where},
     {float_to_rounded, float_to_rounded_where}},
    {{bfloat16_to_float, bfloat16_to_float_where},
     {bfloat16_to_bfloat16, bfloat16_to_bfloat16_where},
     {bfloat16_to_float, bfloat16_to_float_where}},
};

void numbers_convert(int64_t n, number from_type, const void *from, const void *where,
                     number to_type, void *to)
{
    const int a = from_type == BFLOAT16;
    if (where)
        conversions[a][to_type].where(n, from, where, to);
    else
        conversions[a][to_type].all(n, from, to);
}

#define ADD(name, a, b)                                                                            \
    CLONES                                                                                         \
    static void name(int64_t n, const void *x, void *sum)                                          \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            put(b, sum, i, get(b, sum, i) + get(a, x, i));                                         \
    }
ADD(add_float_to_float, FLOAT, FLOAT)
ADD(add_float_to_bfloat16, FLOAT, BFLOAT16)
ADD(add_bfloat16_to_float, BFLOAT16, FLOAT)
ADD(add_bfloat16_to_bfloat16, BFLOAT16, BFLOAT16)

void numbers_add(int64_t n, number x_type, const void *x, number sum_type, void *sum)
{
    static void (*const add[2][2])(int64_t, const void *,
                                   void *) = {{add_float_to_float, add_float_to_bfloat16},
                                              {add_bfloat16_to_float, add_bfloat16_to_bfloat16}};
    assert(x_type != ROUNDED && sum_type != ROUNDED);
    add[x_type][sum_type](n, x, sum);
}
