/* simulator/common/simd.h -- one kernel source compiled for several instruction sets.
 *
 * A kernel header is included once per set and wraps its function names in SIMD_NAME:
 *     #define SIMD_KERNELS "product_kernels.h"
 *     #include "simd.h"
 *     ... SIMD_CALL(product_rows, (args)) picks the best set of the machine that runs it.
 * Vector types of the right width are used instead of automatic vectorisation, because GCC lowers
 * wider ones to scalars before it clones or inlines a function for another target. Lanes are
 * independent, so that a value does not depend on where in a vector it was computed. */
#if defined __x86_64__ && defined __GNUC__
#define SIMD_BYTES   64
#define SIMD_NAME(f) f##_avx512
#define SIMD_TARGET                                                                                \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")))
#include SIMD_KERNELS
#undef SIMD_BYTES
#undef SIMD_NAME
#undef SIMD_TARGET

#define SIMD_BYTES   32
#define SIMD_NAME(f) f##_avx2
#define SIMD_TARGET  __attribute__((target("avx2,fma")))
#include SIMD_KERNELS
#undef SIMD_BYTES
#undef SIMD_NAME
#undef SIMD_TARGET

#define SIMD_CALL(f, args)                                                                         \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&                    \
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")              \
         ? f##_avx512 args                                                                         \
     : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? f##_avx2 args             \
                                                                       : f##_any args)
#else
#define SIMD_CALL(f, args) f##_any args
#endif

#define SIMD_BYTES   16
#define SIMD_NAME(f) f##_any
#define SIMD_TARGET
#include SIMD_KERNELS
#undef SIMD_BYTES
#undef SIMD_NAME
#undef SIMD_TARGET
#undef SIMD_KERNELS
