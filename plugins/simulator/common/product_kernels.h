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

/* The same in float for `rows` rows, a multiple of PRODUCT_ROWS_FLOAT: out (rows,
 * PRODUCT_PAIR_FLOAT), rows at distance ldo. All rows meet a strip, which then stays in the first
 * cache, before the next. The bias, which is most of a normalised flux, is added last, when the sum
 * of the small terms is complete. */
SIMD_TARGET static void SIMD_NAME(product_pair_float)(int64_t n_in, int64_t rows, const float *x,
                                                      const float *pair, const float *bias,
                                                      float *out, int64_t ldo)
{
    enum { LANES = SIMD_BYTES / 4, STRIP = 2 * LANES, W = PRODUCT_PANEL_FLOAT };
    enum { ROWS = SIMD_BYTES == 64 ? 12 : 6 };
    for (int s = 0; s < PRODUCT_PAIR_FLOAT; s += STRIP) {
        const float *first = pair + s / W * n_in * W + s % W;
        const float *second = pair + (s + LANES) / W * n_in * W + (s + LANES) % W;
        const SIMD_NAME(vf) b0 = *(const SIMD_NAME(vf) *)(bias + s);
        const SIMD_NAME(vf) b1 = *(const SIMD_NAME(vf) *)(bias + s + LANES);
        for (int64_t r0 = 0; r0 < rows; r0 += ROWS) {
            SIMD_NAME(vf) acc[ROWS][2];
#pragma GCC unroll 12
            for (int r = 0; r < ROWS; r++) {
                acc[r][0] = acc[r][1] = (SIMD_NAME(vf)){0};
                __builtin_prefetch(out + (r0 + r) * ldo + s, 1);
            }
            for (int64_t k = 0; k < n_in; k++) {
                const SIMD_NAME(vf) w0 = *(const SIMD_NAME(vf) *)(first + k * W);
                const SIMD_NAME(vf) w1 = *(const SIMD_NAME(vf) *)(second + k * W);
#pragma GCC unroll 12
                for (int r = 0; r < ROWS; r++) {
                    const float xr = x[(r0 + r) * n_in + k];
                    acc[r][0] += w0 * xr;
                    acc[r][1] += w1 * xr;
                }
            }
#pragma GCC unroll 12
            for (int r = 0; r < ROWS; r++) {
                float *to = out + (r0 + r) * ldo + s;
                *(SIMD_NAME(vf) *)to = acc[r][0] + b0;
                *(SIMD_NAME(vf) *)(to + LANES) = acc[r][1] + b1;
            }
        }
    }
}
