/* simulator/common/product.h -- Y = X W' + b in double for many rows X, W packed once for the
 * cache.
 *
 * W (n_out, n_in) is stored in panels of 64 bytes of outputs, input by input, so that the innermost
 * loop reads it in order and all of the cache is used; the panels come in pairs, which the widest
 * vectors take together. Every output is one sum over the inputs in their order, whatever the
 * number of rows: a row alone and the same row in a batch give the same bits.
 *
 * Double, although spectra are float: the last layer of an absolute-flux emulator cancels terms
 * 10^4 times larger than the flux, and float sums would leave 10^-5 relative. Where nothing
 * cancels, float does as well.
 *
 * Many rows are taken PRODUCT_CHUNK at a time: so many that reading all of W once for each chunk
 * costs nothing, so few that the chunk's x stays in the second-level cache. */
#ifndef SIMULATOR_PRODUCT_H
#define SIMULATOR_PRODUCT_H
#include <anpe/plugin.h>

enum { PRODUCT_PANEL = 8, PRODUCT_PAIR = 2 * PRODUCT_PANEL };
enum { PRODUCT_PANEL_FLOAT = 16, PRODUCT_PAIR_FLOAT = 2 * PRODUCT_PANEL_FLOAT };
enum { PRODUCT_ROWS = 6, PRODUCT_CHUNK = 48 * PRODUCT_ROWS, PRODUCT_ROWS_FLOAT = 2 * PRODUCT_ROWS };
enum { PRODUCT_SUM = 16 }; /* terms of a sum in float, before it joins the others */

typedef struct product {
    int64_t n_in, n_out;
    double *panels;                   /* (2 ceil(n_out / PAIR), n_in, PANEL) */
    double *bias;                     /* (n_out padded to PAIR) */
    float *panels_float, *bias_float; /* the same in float; NULL until product_add_float */
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
/* A value and its tangents: b is added to the first row alone. */
void product_apply_tangents(const product *p, int64_t n, const double *x, double *y,
                            float *y_float);
/* The same in float, twice as fast: for sums that do not cancel. x (n, n_in) and no more. */
ANPE_MUST_CHECK anpe_status product_add_float(anpe_ctx *ctx, product *p);
void product_drop_float(product *p); /* back to double */
void product_apply_float(const product *p, int64_t n, const float *x, float *y);
void product_apply_float_tangents(const product *p, int64_t n, const float *x, float *y);
#endif
