/* kernel/product.h -- matrix product with a packed right factor and a strided left one.
 *
 * C (m, n) = A (m, k) B (k, n) [+ bias] [relu]. Element (i, p) of A is at a[i * rs + p * cs], rows
 * may overlap: a convolution is a product whose row i starts Cin further on than row i - 1, so no
 * patches are made. B is packed once and used for many products (tiles of a signal, steps of a
 * recurrence), which a BLAS cannot know.
 *
 * The order of the sums depends on k only, so a row of C does not depend on m.
 */
#ifndef ANPE_CORE_PRODUCT_H
#define ANPE_CORE_PRODUCT_H
#include "kernel/real.h"

enum { ANPE_PRODUCT_ADD = 1, ANPE_PRODUCT_RELU = 2 }; /* C += ...; max(0, .) at the end */

/* Reals of a packed (k, n) factor. */
int64_t REAL(anpe_product_packed)(int64_t k, int64_t n);
/* B[p, j] = b[p * rs + j * cs]; columns past n are zero. */
void REAL(anpe_product_pack)(int64_t k, int64_t n, const real *b, int64_t rs, int64_t cs,
                             real *packed);
/* Row p of a packed (k, n) factor, for filling it row by row: column j of panel q of
 * ANPE_PRODUCT_WIDTH columns is at packed[(q * k + p) * ANPE_PRODUCT_WIDTH + j]. */
enum { ANPE_PRODUCT_WIDTH = 128 / (int)sizeof(real) };
/* A factor whose rows are padded to whole panels (rs a multiple of the width), row p times
 * scale[p]. */
void REAL(anpe_product_pack_scaled)(int64_t k, int64_t rs, const real *b, const real *scale,
                                    real *packed);
/* bias (n) or NULL. */
void REAL(anpe_product)(int64_t m, int64_t n, int64_t k, const real *a, int64_t rs, int64_t cs,
                        const real *packed, const real *bias, real *c, int64_t ldc, int mode);
#endif
