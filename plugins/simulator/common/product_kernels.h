/* A pair of panels of a packed product: see product.h. Included by simd.h, once per instruction
 * set. A strip of two vectors lies in one panel, or is both. */
typedef double SIMD_NAME(vd) __attribute__((vector_size(SIMD_BYTES), aligned(8), may_alias));

/* out (PRODUCT_ROWS, PRODUCT_PAIR) = x (PRODUCT_ROWS, n_in) W + bias */
SIMD_TARGET static void SIMD_NAME(product_pair)(int64_t n_in, const double *x, const double *pair,
                                                const double *bias, double *out)
{
    enum { LANES = SIMD_BYTES / 8, STRIP = 2 * LANES, W = PRODUCT_PANEL };
    for (int s = 0; s < PRODUCT_PAIR; s += STRIP) {
        const double *first = pair + s / W * n_in * W + s % W;
        const double *second = pair + (s + LANES) / W * n_in * W + (s + LANES) % W;
        SIMD_NAME(vd) acc[PRODUCT_ROWS][2];
#pragma GCC unroll 6
        for (int r = 0; r < PRODUCT_ROWS; r++) {
            acc[r][0] = *(const SIMD_NAME(vd) *)(bias + s);
            acc[r][1] = *(const SIMD_NAME(vd) *)(bias + s + LANES);
        }
        for (int64_t k = 0; k < n_in; k++) {
            const SIMD_NAME(vd) w0 = *(const SIMD_NAME(vd) *)(first + k * W);
            const SIMD_NAME(vd) w1 = *(const SIMD_NAME(vd) *)(second + k * W);
#pragma GCC unroll 6
            for (int r = 0; r < PRODUCT_ROWS; r++) {
                const double xr = x[r * n_in + k];
                acc[r][0] += w0 * xr;
                acc[r][1] += w1 * xr;
            }
        }
#pragma GCC unroll 6
        for (int r = 0; r < PRODUCT_ROWS; r++) {
            *(SIMD_NAME(vd) *)(out + r * PRODUCT_PAIR + s) = acc[r][0];
            *(SIMD_NAME(vd) *)(out + r * PRODUCT_PAIR + s + LANES) = acc[r][1];
        }
    }
}

typedef float SIMD_NAME(vf) __attribute__((vector_size(SIMD_BYTES), aligned(4), may_alias));

/* A strip of two vectors of outputs for `rows` rows, a number that is known when this is compiled.
 * Sums of PRODUCT_SUM terms are added up, so that rounding is that of small sums, and last the
 * bias, which is most of a normalised flux. */
SIMD_TARGET static inline __attribute__((always_inline)) void
SIMD_NAME(product_strip)(const int rows, int64_t n_in, const float *x, const float *first,
                         const float *second, const float *bias, float *out, int64_t ldo)
{
    enum { LANES = SIMD_BYTES / 4, W = PRODUCT_PANEL_FLOAT };
    SIMD_NAME(vf) total[PRODUCT_ROWS_FLOAT][2], acc[PRODUCT_ROWS_FLOAT][2];
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
        total[r][0] = total[r][1] = (SIMD_NAME(vf)){0};
        __builtin_prefetch(out + r * ldo, 1);
    }
    for (int64_t from = 0; from < n_in; from += PRODUCT_SUM) {
        const int64_t to = n_in - from < PRODUCT_SUM ? n_in : from + PRODUCT_SUM;
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++)
            acc[r][0] = acc[r][1] = (SIMD_NAME(vf)){0};
        for (int64_t k = from; k < to; k++) {
            const SIMD_NAME(vf) w0 = *(const SIMD_NAME(vf) *)(first + k * W);
            const SIMD_NAME(vf) w1 = *(const SIMD_NAME(vf) *)(second + k * W);
#pragma GCC unroll 12
            for (int r = 0; r < rows; r++) {
                const float xr = x[r * n_in + k];
                acc[r][0] += w0 * xr;
                acc[r][1] += w1 * xr;
            }
        }
#pragma GCC unroll 12
        for (int r = 0; r < rows; r++) {
            total[r][0] += acc[r][0];
            total[r][1] += acc[r][1];
        }
    }
    const SIMD_NAME(vf) b0 = *(const SIMD_NAME(vf) *)bias;
    const SIMD_NAME(vf) b1 = *(const SIMD_NAME(vf) *)(bias + LANES);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
        *(SIMD_NAME(vf) *)(out + r * ldo) = total[r][0] + b0;
        *(SIMD_NAME(vf) *)(out + r * ldo + LANES) = total[r][1] + b1;
    }
}

/* The same in float for n rows: out (n, PRODUCT_PAIR_FLOAT), rows at distance ldo. All rows meet a
 * strip, which then stays in the first cache, before the next; they are cut into as few tiles as
 * the registers allow, all alike but for one row. */
SIMD_TARGET static void SIMD_NAME(product_pair_float)(int64_t n_in, int64_t n, const float *x,
                                                      const float *pair, const float *bias,
                                                      float *out, int64_t ldo)
{
    enum { LANES = SIMD_BYTES / 4, STRIP = 2 * LANES, W = PRODUCT_PANEL_FLOAT };
    enum { MOST = SIMD_BYTES == 64 ? PRODUCT_ROWS_FLOAT : PRODUCT_ROWS_FLOAT / 2 };
    const int64_t tiles = (n + MOST - 1) / MOST;
#define STRIP_OF(rows)                                                                             \
    case rows:                                                                                     \
        SIMD_NAME(product_strip)(rows, n_in, x + row * n_in, first, second, bias + s, to, ldo);    \
        break
    for (int s = 0; s < PRODUCT_PAIR_FLOAT; s += STRIP) {
        const float *first = pair + s / W * n_in * W + s % W;
        const float *second = pair + (s + LANES) / W * n_in * W + (s + LANES) % W;
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t row = n * t / tiles;
            float *to = out + row * ldo + s;
            switch (n * (t + 1) / tiles - row) {
                STRIP_OF(1);
                STRIP_OF(2);
                STRIP_OF(3);
                STRIP_OF(4);
                STRIP_OF(5);
                STRIP_OF(6);
#if SIMD_BYTES == 64
                STRIP_OF(7);
                STRIP_OF(8);
                STRIP_OF(9);
                STRIP_OF(10);
                STRIP_OF(11);
                STRIP_OF(12);
#endif
            }
        }
    }
#undef STRIP_OF
}
