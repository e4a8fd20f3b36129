/* The inner loop of kernel/banded.c for one instruction set. Included once for each, with KERNEL
 * (name), KERNEL_TARGET (attribute) and IN_REGISTER(vector), which keeps the compiler from reading
 * it again from memory for each row. */
#define PASTE2(a, b) a##b
#define PASTE(a, b)  PASTE2(a, b)
#define VEC          PASTE(KERNEL, _vec)

typedef float VEC __attribute__((vector_size(32), aligned(sizeof(float)), may_alias));

/* The eight lanes of a sum are added pairwise: 0 + 2, 1 + 3, 4 + 6, 5 + 7; of these the first two
 * and the last two; and the two. Here all but the last, of four sums. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _quarters)(VEC *quarters, const VEC *sum)
{
    VEC two[2];
#pragma GCC unroll 2
    for (int s = 0; s < 2; s++)
        two[s] = SHUFFLE(sum[2 * s], sum[2 * s + 1], 0, 8, 1, 9, 4, 12, 5, 13) +
                 SHUFFLE(sum[2 * s], sum[2 * s + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    *quarters = SHUFFLE(two[0], two[1], 0, 1, 8, 9, 4, 5, 12, 13) +
                SHUFFLE(two[0], two[1], 2, 3, 10, 11, 6, 7, 14, 15);
}

/* `rows` rows that name the same columns, of `count` <= 4 spectra: both constants where this is
 * inlined, so that the sums live in registers, and what is read of a spectrum serves all rows. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _sums)(VEC *quarters, const int rows, const int count,
                                                    const anpe_banded *m, int64_t i, int64_t base,
                                                    const float *const *x)
{
    const float *w = m->weight + m->offset[i];
    const int64_t n = m->offset[i + 1] - m->offset[i], at = m->first[i] - base;
    VEC sum[2][4] = {{{0}}};
    for (int64_t k = 0; k < n; k += ANPE_BANDED_LANES) {
        VEC weight[2];
#pragma GCC unroll 2
        for (int j = 0; j < rows; j++)
            weight[j] = *(const VEC *)(w + j * n + k);
#pragma GCC unroll 4
        for (int s = 0; s < count; s++) {
            VEC in = *(const VEC *)(x[s] + at + k);
            IN_REGISTER(in);
#pragma GCC unroll 2
            for (int j = 0; j < rows; j++)
                sum[j][s] += weight[j] * in;
        }
    }
#pragma GCC unroll 2
    for (int j = 0; j < rows; j++)
        PASTE(KERNEL, _quarters)(&quarters[j], sum[j]);
}

/* Lane s of row[j] is row i + j of spectrum s of `count` <= 8. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _row)(VEC *row, const int rows, const int count,
                                                   const anpe_banded *m, int64_t i, int64_t base,
                                                   const float *const *x)
{
    VEC half[2][2] = {{{0}}};
    PASTE(KERNEL, _sums)(half[0], rows, count < 4 ? count : 4, m, i, base, x);
    if (count > 4)
        PASTE(KERNEL, _sums)(half[1], rows, count - 4, m, i, base, x + 4);
#pragma GCC unroll 2
    for (int j = 0; j < rows; j++)
        row[j] = SHUFFLE(half[0][j], half[1][j], 0, 1, 2, 3, 8, 9, 10, 11) +
                 SHUFFLE(half[0][j], half[1][j], 4, 5, 6, 7, 12, 13, 14, 15);
}

/* Rows i and i + 1. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _pair)(VEC *row, const int count, const anpe_banded *m,
                                                    int64_t i, int64_t base, const float *const *x)
{
    if (m->first[i] == m->first[i + 1] &&
        m->offset[i + 1] - m->offset[i] == m->offset[i + 2] - m->offset[i + 1]) {
        PASTE(KERNEL, _row)(row, 2, count, m, i, base, x);
        return;
    }
    PASTE(KERNEL, _row)(row, 1, count, m, i, base, x);
    PASTE(KERNEL, _row)(row + 1, 1, count, m, i + 1, base, x);
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

/* One row or two. */
KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _few)(const int count, const anpe_banded *m, int64_t i,
                                                   int64_t rows, int64_t base,
                                                   const float *const *x, float *const *y)
{
    VEC row[2];
    if (rows == 2)
        PASTE(KERNEL, _pair)(row, count, m, i, base, x);
    else
        PASTE(KERNEL, _row)(row, 1, count, m, i, base, x);
    for (int64_t j = 0; j < rows; j++)
#pragma GCC unroll 8
        for (int s = 0; s < count; s++)
            y[s][i + j] = row[j][s];
}

KERNEL_TARGET ANPE_INLINE void PASTE(KERNEL, _rows)(const int count, const anpe_banded *m,
                                                    int64_t from, int64_t to, int64_t base,
                                                    const float *const *x, const float *const *next,
                                                    float *const *y)
{
    int64_t i = from;
    if (i % 2 && i < to)
        PASTE(KERNEL, _few)(count, m, i++, 1, base, x, y);
    for (; count == 8 && to - i >= 8; i += 8) {
        VEC row[8];
        for (int j = 0; j < 8; j += 2) {
            PASTE(KERNEL, _pair)(row + j, count, m, i + j, base, x);
            for (int s = 0; s < 4; s++)
                __builtin_prefetch(next[2 * j % 8 + s] + (m->first[i + j / 4 * 4] - base));
        }
        PASTE(KERNEL, _store)(row, i, y);
    }
    for (; i < to; i += 2)
        PASTE(KERNEL, _few)(count, m, i, to - i < 2 ? 1 : 2, base, x, y);
}

KERNEL_TARGET static void PASTE(KERNEL, _apply)(const anpe_banded *m, int64_t from, int64_t to,
                                                int64_t base, int64_t n, const float *const *x,
                                                const float *const *next, float *const *y)
{
    int64_t s = 0;
    for (; n - s >= 8; s += 8)
        PASTE(KERNEL, _rows)(8, m, from, to, base, x + s, next + s, y + s);
    for (; n - s >= 4; s += 4)
        PASTE(KERNEL, _rows)(4, m, from, to, base, x + s, next + s, y + s);
    for (; s < n; s++)
        PASTE(KERNEL, _rows)(1, m, from, to, base, x + s, next + s, y + s);
}

KERNEL_TARGET static void PASTE(KERNEL, _filter)(int64_t n, const float *weight, const float *in,
                                                 float *out)
{
    enum { STEP = 4 * ANPE_BANDED_LANES };
    VEC spread[ANPE_BANDED_TAPS];
    int64_t k = 0;
#pragma GCC unroll 8
    for (int m = 0; m < ANPE_BANDED_TAPS; m++)
        spread[m] = weight[m] - (VEC){0};
    for (; n - k >= STEP; k += STEP) {
        VEC sum[4] = {{0}};
#pragma GCC unroll 8
        for (int m = 0; m < ANPE_BANDED_TAPS; m++)
#pragma GCC unroll 4
            for (int v = 0; v < 4; v++)
                sum[v] += spread[m] * *(const VEC *)(in + k + m + v * ANPE_BANDED_LANES);
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++)
            *(VEC *)(out + k + v * ANPE_BANDED_LANES) = sum[v];
    }
    for (; k < n; k++) {
        VEC sum = {0};
        for (int m = 0; m < ANPE_BANDED_TAPS; m++)
            sum += spread[m] * (VEC){in[k + m]};
        out[k] = sum[0];
    }
}

#undef PASTE
#undef PASTE2
#undef VEC
#undef IN_REGISTER
#undef KERNEL
#undef KERNEL_TARGET
