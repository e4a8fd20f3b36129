/* Packed matrix product of the dense emulators; see product.h. */
#include "product.h"
#include <stdlib.h>
#define SIMD_KERNELS "product_kernels.h"
#include "simd.h"

anpe_status product_new(anpe_ctx *ctx, int64_t n_out, int64_t n_in, const double *w, int transposed,
                        const double *b, product *out)
{
    const int64_t n_panels = (n_out + PRODUCT_PANEL - 1) / PRODUCT_PANEL;
    const int64_t padded = n_panels * PRODUCT_PANEL;
    *out = (product){.n_in = n_in, .n_out = n_out};
    out->panels = calloc((size_t)(padded * n_in), sizeof(double));
    out->bias = calloc((size_t)padded, sizeof(double));
    if (!out->panels || !out->bias)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "no memory for a layer of %lld x %lld weights",
                         (long long)n_out, (long long)n_in);
    for (int64_t o = 0; o < n_out; o++) {
        double *column = out->panels + o / PRODUCT_PANEL * n_in * PRODUCT_PANEL + o % PRODUCT_PANEL;
        for (int64_t k = 0; k < n_in; k++)
            column[k * PRODUCT_PANEL] = transposed ? w[k * n_out + o] : w[o * n_in + k];
        out->bias[o] = b ? b[o] : 0;
    }
    return ANPE_OK;
}

void product_clear(product *p)
{
    free(p->panels);
    free(p->bias);
    *p = (product){0};
}

void product_apply(const product *p, int64_t n, const double *x, double *y, float *y_float)
{
    double tile[PRODUCT_ROWS * PRODUCT_PANEL];
    for (int64_t o = 0; o < p->n_out; o += PRODUCT_PANEL) {
        const double *panel = p->panels + o * p->n_in;
        const int64_t width = p->n_out - o < PRODUCT_PANEL ? p->n_out - o : PRODUCT_PANEL;
        for (int64_t row = 0; row < n; row += PRODUCT_ROWS) {
            const int64_t rows = n - row < PRODUCT_ROWS ? n - row : PRODUCT_ROWS;
            SIMD_CALL(product_panel, (p->n_in, x + row * p->n_in, panel, p->bias + o, tile));
            for (int64_t r = 0; r < rows; r++)
                for (int64_t c = 0; c < width; c++) {
                    const double v = tile[r * PRODUCT_PANEL + c];
                    if (y_float)
                        y_float[(row + r) * p->n_out + o + c] = (float)v;
                    else
                        y[(row + r) * p->n_out + o + c] = v;
                }
        }
    }
}
