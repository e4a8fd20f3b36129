/* One panel of a packed product: see product.h. Included by simd.h, once per instruction set. */
typedef double SIMD_NAME(vd) __attribute__((vector_size(SIMD_BYTES), aligned(8), may_alias));

/* acc (PRODUCT_ROWS, PRODUCT_PANEL) = x (PRODUCT_ROWS, n_in) panel (n_in, PRODUCT_PANEL) + bias */
SIMD_TARGET static void SIMD_NAME(product_panel)(int64_t n_in, const double *x, const double *panel,
                                                 const double *bias, double *out)
{
    enum { LANES = SIMD_BYTES / 8, STRIP = 2 * LANES };
    for (int s = 0; s < PRODUCT_PANEL; s += STRIP) {
        SIMD_NAME(vd) acc[PRODUCT_ROWS][2];
#pragma GCC unroll 6
        for (int r = 0; r < PRODUCT_ROWS; r++) {
            acc[r][0] = *(const SIMD_NAME(vd) *)(bias + s);
            acc[r][1] = *(const SIMD_NAME(vd) *)(bias + s + LANES);
        }
        for (int64_t k = 0; k < n_in; k++) {
            const double *w = panel + k * PRODUCT_PANEL + s;
            const SIMD_NAME(vd) w0 = *(const SIMD_NAME(vd) *)w;
            const SIMD_NAME(vd) w1 = *(const SIMD_NAME(vd) *)(w + LANES);
#pragma GCC unroll 6
            for (int r = 0; r < PRODUCT_ROWS; r++) {
                const double xr = x[r * n_in + k];
                acc[r][0] += w0 * xr;
                acc[r][1] += w1 * xr;
            }
        }
#pragma GCC unroll 6
        for (int r = 0; r < PRODUCT_ROWS; r++) {
            *(SIMD_NAME(vd) *)(out + r * PRODUCT_PANEL + s) = acc[r][0];
            *(SIMD_NAME(vd) *)(out + r * PRODUCT_PANEL + s + LANES) = acc[r][1];
        }
    }
}

typedef float SIMD_NAME(vf) __attribute__((vector_size(SIMD_BYTES), aligned(4), may_alias));

/* The same in float: out (PRODUCT_ROWS_FLOAT, PRODUCT_PANEL_FLOAT), rows at distance ldo. The bias,
 * which is most of a normalised flux, is added last, when the sum of the small terms is complete.
 */
SIMD_TARGET static void SIMD_NAME(product_panel_float)(int64_t n_in, const float *x,
                                                       const float *panel, const float *bias,
                                                       float *out, int64_t ldo)
{
    enum { LANES = SIMD_BYTES / 4, STRIP = 2 * LANES, ROWS = SIMD_BYTES == 64 ? 12 : 6 };
    for (int r0 = 0; r0 < PRODUCT_ROWS_FLOAT; r0 += ROWS)
        for (int s = 0; s < PRODUCT_PANEL_FLOAT; s += STRIP) {
            SIMD_NAME(vf) acc[ROWS][2];
#pragma GCC unroll 12
            for (int r = 0; r < ROWS; r++)
                acc[r][0] = acc[r][1] = (SIMD_NAME(vf)){0};
            for (int64_t k = 0; k < n_in; k++) {
                const float *w = panel + k * PRODUCT_PANEL_FLOAT + s;
                const SIMD_NAME(vf) w0 = *(const SIMD_NAME(vf) *)w;
                const SIMD_NAME(vf) w1 = *(const SIMD_NAME(vf) *)(w + LANES);
#pragma GCC unroll 12
                for (int r = 0; r < ROWS; r++) {
                    const float xr = x[(r0 + r) * n_in + k];
                    acc[r][0] += w0 * xr;
                    acc[r][1] += w1 * xr;
                }
            }
            const SIMD_NAME(vf) b0 = *(const SIMD_NAME(vf) *)(bias + s);
            const SIMD_NAME(vf) b1 = *(const SIMD_NAME(vf) *)(bias + s + LANES);
#pragma GCC unroll 12
            for (int r = 0; r < ROWS; r++) {
                float *to = out + (r0 + r) * ldo + s;
                *(SIMD_NAME(vf) *)to = acc[r][0] + b0;
                *(SIMD_NAME(vf) *)(to + LANES) = acc[r][1] + b1;
            }
        }
}
