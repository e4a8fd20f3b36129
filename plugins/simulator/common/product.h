/* simulator/common/product.h -- Y = X W' + b in double for many rows X, W packed once for the
 * cache.
 *
 * W (n_out, n_in) is stored in panels of 16 outputs, input by input, so that the innermost loop
 * reads it in order. Every output is one sum over the inputs in their order, whatever the number of
 * rows: a row alone and the same row in a batch give the same bits.
 *
 * Double, although spectra are float: the last layer of an absolute-flux emulator cancels terms
 * 10^4 times larger than the flux, and float sums would leave 10^-5 relative. Where nothing
 * cancels, float does as well. */
#ifndef SIMULATOR_PRODUCT_H
#define SIMULATOR_PRODUCT_H
#include <anpe/plugin.h>

enum { PRODUCT_PANEL = 16, PRODUCT_ROWS = 6, PRODUCT_CHUNK = 16 * PRODUCT_ROWS };
enum { PRODUCT_PANEL_FLOAT = 32, PRODUCT_ROWS_FLOAT = 2 * PRODUCT_ROWS };

typedef struct product {
    int64_t n_in, n_out;
    double *panels; /* (ceil(n_out / 16), n_in, 16) */
    double *bias;   /* (n_out padded to 16) */
    float *panels_float,
        *bias_float; /* (ceil(n_out / 32), n_in, 32); NULL until product_add_float */
} product;

/* w (n_out, n_in) unless transposed: (n_in, n_out); b (n_out) or NULL. */
ANPE_MUST_CHECK anpe_status product_new(anpe_ctx *ctx, int64_t n_out, int64_t n_in, const double *w,
                                        int transposed, const double *b, product *out);
void product_clear(product *p);
/* Rows to have for n spectra that are taken PRODUCT_CHUNK at a time: whole tiles. */
static inline int64_t product_rows(int64_t n)
{
    const int64_t most = n < PRODUCT_CHUNK ? n : PRODUCT_CHUNK;
    return (most + PRODUCT_ROWS - 1) / PRODUCT_ROWS * PRODUCT_ROWS;
}
/* x (n, n_in) with at least PRODUCT_ROWS - 1 readable rows after the last -> y (n, n_out); either
 * y or y_float is NULL. */
void product_apply(const product *p, int64_t n, const double *x, double *y, float *y_float);
/* The same in float, twice as fast: for sums that do not cancel. x with at least
 * PRODUCT_ROWS_FLOAT - 1 readable rows after the last. */
ANPE_MUST_CHECK anpe_status product_add_float(anpe_ctx *ctx, product *p);
void product_drop_float(product *p); /* back to double */
void product_apply_float(const product *p, int64_t n, const float *x, float *y);
#endif
