/* The inner loop of kernel/banded.c for one instruction set. Included once for each, with KERNEL
 * (name) and KERNEL_TARGET (attribute). */
#define PASTE2(a, b) a##b
#define PASTE(a, b)  PASTE2(a, b)
#define VEC          PASTE(KERNEL, _vec)

typedef float VEC __attribute__((vector_size(32), aligned(sizeof(float)), may_alias));

/* Row i of `count` spectra, a constant where this is inlined, so that the sums live in registers;
 * lane s is spectrum s. The lanes of eight sums are added pairwise: 0 + 2, 1 + 3, 4 + 6, 5 + 7; of
 * these the first two and the last two; and the two. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _row)(VEC *row, const int count, const anpe_banded *m,
                                                   int64_t i, int64_t base, const float *const *x)
{
    const float *w = m->weight + m->offset[i];
    const int64_t n = m->offset[i + 1] - m->offset[i], at = m->first[i] - base;
    VEC sum[ANPE_BANDED_TILE] = {{0}}, two[4], four[2];
    for (int64_t k = 0; k < n; k += ANPE_BANDED_LANES) {
        const VEC weight = *(const VEC *)(w + k);
#pragma GCC unroll 8
        for (int s = 0; s < count; s++)
            sum[s] += weight * *(const VEC *)(x[s] + at + k);
    }
#pragma GCC unroll 4
    for (int s = 0; s < 4; s++)
        two[s] = SHUFFLE(sum[2 * s], sum[2 * s + 1], 0, 8, 1, 9, 4, 12, 5, 13) +
                 SHUFFLE(sum[2 * s], sum[2 * s + 1], 2, 10, 3, 11, 6, 14, 7, 15);
#pragma GCC unroll 2
    for (int s = 0; s < 2; s++)
        four[s] = SHUFFLE(two[2 * s], two[2 * s + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
                  SHUFFLE(two[2 * s], two[2 * s + 1], 2, 3, 10, 11, 6, 7, 14, 15);
    *row = SHUFFLE(four[0], four[1], 0, 1, 2, 3, 8, 9, 10, 11) +
           SHUFFLE(four[0], four[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

/* Lane s of row j becomes lane j of y[s][i ..]. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _store)(VEC *row, int64_t i, float *const *y)
{
    VEC pair[8], quad[8];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        pair[2 * j] = SHUFFLE(row[2 * j], row[2 * j + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pair[2 * j + 1] = SHUFFLE(row[2 * j], row[2 * j + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const int a = 4 * (j / 2) + j % 2;
        quad[2 * j] = SHUFFLE(pair[a], pair[a + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        quad[2 * j + 1] = SHUFFLE(pair[a], pair[a + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
#pragma GCC unroll 4
    for (int s = 0; s < 4; s++) {
        *(VEC *)(y[s] + i) = SHUFFLE(quad[s], quad[s + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *(VEC *)(y[s + 4] + i) = SHUFFLE(quad[s], quad[s + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _rows)(const int count, const anpe_banded *m,
                                                    int64_t from, int64_t to, int64_t base,
                                                    const float *const *x, float *const *y)
{
    int64_t i = from;
    for (; count == 8 && to - i >= 8; i += 8) {
        VEC row[8];
        for (int j = 0; j < 8; j++)
            PASTE(KERNEL, _row)(&row[j], count, m, i + j, base, x);
        PASTE(KERNEL, _store)(row, i, y);
    }
    for (; i < to; i++) {
        VEC row;
        PASTE(KERNEL, _row)(&row, count, m, i, base, x);
#pragma GCC unroll 8
        for (int s = 0; s < count; s++)
            y[s][i] = row[s];
    }
}

KERNEL_TARGET static void PASTE(KERNEL, _apply)(const anpe_banded *m, int64_t from, int64_t to,
                                                int64_t base, int64_t n, const float *const *x,
                                                float *const *y)
{
    int64_t s = 0;
    for (; n - s >= 8; s += 8)
        PASTE(KERNEL, _rows)(8, m, from, to, base, x + s, y + s);
    for (; n - s >= 4; s += 4)
        PASTE(KERNEL, _rows)(4, m, from, to, base, x + s, y + s);
    for (; s < n; s++)
        PASTE(KERNEL, _rows)(1, m, from, to, base, x + s, y + s);
}

#undef PASTE
#undef PASTE2
#undef VEC
#undef KERNEL
#undef KERNEL_TARGET
