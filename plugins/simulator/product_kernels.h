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
