/* Matrix product with a packed right factor: see kernel/product.h. */
#include <config.h>
#include <string.h>
#include "kernel/product.h"

struct product {
    int64_t m, n, k, rs, cs, ldc;
    const real *a, *packed, *bias;
    real *c;
    int mode;
};

#define KERNEL portable
#define KERNEL_TARGET
#define KERNEL_BYTES 16
#define KERNEL_ROWS  6
#include "kernel/product_kernel.h"

#ifdef ANPE_HAVE_TARGET_CLONES
#define KERNEL        avx2
#define KERNEL_TARGET __attribute__((target("avx2,fma")))
#define KERNEL_BYTES  32
#define KERNEL_ROWS   6
#include "kernel/product_kernel.h"

/* 28 of 32 registers hold C, two hold B. */
#define KERNEL        avx512
#define KERNEL_TARGET __attribute__((target("avx512f,avx2,fma")))
#define KERNEL_BYTES  64
#define KERNEL_ROWS   14
#include "kernel/product_kernel.h"

/* For a C so narrow that half of each vector would be padding. */
#define KERNEL        narrow
#define KERNEL_TARGET __attribute__((target("avx512f,avx512vl,avx2,fma")))
#define KERNEL_BYTES  32
#define KERNEL_ROWS   14
#include "kernel/product_kernel.h"
#endif

int64_t REAL(anpe_product_packed)(int64_t k, int64_t n)
{
    return (n + ANPE_PRODUCT_WIDTH - 1) / ANPE_PRODUCT_WIDTH * ANPE_PRODUCT_WIDTH * k;
}

void REAL(anpe_product_pack)(int64_t k, int64_t n, const real *b, int64_t rs, int64_t cs,
                             real *packed)
{
    for (int64_t j0 = 0; j0 < n; j0 += ANPE_PRODUCT_WIDTH) {
        const int64_t w = n - j0 < ANPE_PRODUCT_WIDTH ? n - j0 : ANPE_PRODUCT_WIDTH;
        for (int64_t p = 0; p < k; p++, packed += ANPE_PRODUCT_WIDTH) {
            for (int64_t j = 0; j < w; j++)
                packed[j] = b[p * rs + (j0 + j) * cs];
            for (int64_t j = w; j < ANPE_PRODUCT_WIDTH; j++)
                packed[j] = 0;
        }
    }
}

ANPE_CLONES void REAL(anpe_product_pack_scaled)(int64_t k, int64_t rs, const real *b,
                                                const real *scale, real *packed)
{
    for (int64_t j0 = 0; j0 < rs; j0 += ANPE_PRODUCT_WIDTH)
        for (int64_t p = 0; p < k; p++, packed += ANPE_PRODUCT_WIDTH)
            for (int j = 0; j < ANPE_PRODUCT_WIDTH; j++)
                packed[j] = scale[p] * b[p * rs + j0 + j];
}

void REAL(anpe_product)(int64_t m, int64_t n, int64_t k, const real *a, int64_t rs, int64_t cs,
                        const real *packed, const real *bias, real *c, int64_t ldc, int mode)
{
    const struct product p = {m, n, k, rs, cs, ldc, a, packed, bias, c, mode};
#ifdef ANPE_HAVE_TARGET_CLONES
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
        if (n * (int64_t)sizeof(real) <= 32)
            narrow_run(&p);
        else
            avx512_run(&p);
        return;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        avx2_run(&p);
        return;
    }
#endif
    portable_run(&p);
}
