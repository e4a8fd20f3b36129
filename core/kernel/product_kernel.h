/* The inner kernel of kernel/product.c for one instruction set. Included once for each, with
 * KERNEL (name), KERNEL_TARGET (attribute), KERNEL_BYTES (size of a vector), KERNEL_ROWS (rows of
 * C held in registers, two vectors across). The loops over that block are unrolled by pragma, since
 * otherwise it would be an array in memory. */
#define PASTE2(a, b) a##b
#define PASTE(a, b)  PASTE2(a, b)
#define VEC          PASTE(KERNEL, _vec)
#define LANES        ((int)(KERNEL_BYTES / sizeof(real)))

typedef real VEC __attribute__((vector_size(KERNEL_BYTES), aligned(sizeof(real)), may_alias));

/* Stores the first n lanes of acc as the mode says. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _store)(VEC acc, real *c, int64_t n, int mode)
{
    VEC old = {0};
    const size_t bytes = n >= LANES ? sizeof(VEC) : (size_t)n * sizeof(real);
    if (mode & ANPE_PRODUCT_ADD) {
        memcpy(&old, c, bytes);
        acc += old;
    }
    if (mode & ANPE_PRODUCT_RELU) {
        const __auto_type negative = acc < (VEC){0};
        acc = (VEC)(~negative & (__typeof__(negative))acc);
    }
    if (n >= LANES)
        *(VEC *)c = acc;
    else
        memcpy(c, &acc, bytes);
}

/* rows x (vectors * LANES) of C. rows and vectors are constants where this is inlined, so that
 * acc lives in registers. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _block)(const int rows, const int vectors,
                                                     const struct product *p, const real *a,
                                                     const real *b, const real *bias, real *c,
                                                     int64_t n)
{
    VEC acc[KERNEL_ROWS][2];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            acc[r][v] = bias ? *(const VEC *)(bias + v * LANES) : (VEC){0};
    if (p->mode & ANPE_PRODUCT_ADD) /* C is large and far away: bring it while the sums are made */
        for (int r = 0; r < rows; r++)
            __builtin_prefetch(c + r * p->ldc, 1), __builtin_prefetch(c + r * p->ldc + LANES, 1);
    for (int64_t q = 0; q < p->k; q++) {
        VEC x[2];
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            x[v] = *(const VEC *)(b + q * ANPE_PRODUCT_WIDTH + v * LANES);
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++)
                acc[r][v] += a[r * p->rs + q * p->cs] * x[v];
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            PASTE(KERNEL, _store)(acc[r][v], c + r * p->ldc + v * LANES, n - v * LANES, p->mode);
}

/* All rows of up to two vectors of columns. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _columns)(const int vectors, const struct product *p,
                                                       const real *b, const real *bias, real *c,
                                                       int64_t n)
{
    int64_t i = 0;
#define ROWS(count)                                                                                \
    for (; p->m - i >= count; i += count)                                                          \
    PASTE(KERNEL, _block)(count, vectors, p, p->a + i * p->rs, b, bias, c + i * p->ldc, n)
    ROWS(KERNEL_ROWS);
#if KERNEL_ROWS > 8
    ROWS(8);
#endif
    ROWS(4);
    ROWS(2);
    ROWS(1);
#undef ROWS
}

KERNEL_TARGET static void PASTE(KERNEL, _run)(const struct product *p)
{
    for (int64_t j = 0; j < p->n; j += 2 * LANES) {
        const int64_t panel = j / ANPE_PRODUCT_WIDTH, inside = j % ANPE_PRODUCT_WIDTH;
        const real *b = p->packed + panel * p->k * ANPE_PRODUCT_WIDTH + inside;
        const int64_t left = p->n - j;
        real padded[2 * LANES] = {0};
        const real *bias = p->bias ? p->bias + j : NULL;
        if (bias && left < 2 * LANES)
            bias = memcpy(padded, bias, (size_t)left * sizeof(real));
        if (left > LANES)
            PASTE(KERNEL, _columns)(2, p, b, bias, p->c + j, left);
        else
            PASTE(KERNEL, _columns)(1, p, b, bias, p->c + j, left);
    }
}

#undef PASTE
#undef PASTE2
#undef VEC
#undef LANES
#undef KERNEL
#undef KERNEL_TARGET
#undef KERNEL_BYTES
#undef KERNEL_ROWS
