/* Packed matrix product of the dense emulators; see product.h. */
#include "product.h"
#include <stdlib.h>
#include <string.h>
#define SIMD_KERNELS "product_kernels.h"
#include "simd.h"

anpe_status product_new(anpe_ctx *ctx, int64_t n_out, int64_t n_in, const double *w, int transposed,
                        const double *b, product *out)
{
    enum { W = PRODUCT_PANEL };
    const int64_t padded = (n_out + PRODUCT_PAIR - 1) / PRODUCT_PAIR * PRODUCT_PAIR;
    *out = (product){.n_in = n_in, .n_out = n_out};
    if (ANPE_NEW(ctx, out->panels, padded, n_in) || ANPE_NEW(ctx, out->bias, padded))
        return ANPE_ENOMEM;
    for (int64_t o = 0; o < n_out; o++) {
        double *column = out->panels + o / W * n_in * W + o % W;
        for (int64_t k = 0; k < n_in; k++)
            column[k * W] = transposed ? w[k * n_out + o] : w[o * n_in + k];
        out->bias[o] = b ? b[o] : 0;
    }
    return ANPE_OK;
}

void product_clear(product *p)
{
    free(p->panels);
    free(p->bias);
    product_drop_float(p);
    *p = (product){0};
}

/* What a tangent has for a bias. */
static const double no_bias[PRODUCT_PAIR];
static const float no_bias_float[PRODUCT_PAIR_FLOAT];

static void apply(const product *p, int tangents, int64_t n, const double *x, double *y,
                  float *y_float)
{
    enum { W = PRODUCT_PAIR };
    double tile[PRODUCT_ROWS * W];
    for (int64_t o = 0; o < p->n_out; o += W) {
        const double *pair = p->panels + o * p->n_in;
        const int64_t width = p->n_out - o < W ? p->n_out - o : W;
        for (int64_t row = 0; row < n; row += PRODUCT_ROWS) {
            const int64_t rows = n - row < PRODUCT_ROWS ? n - row : PRODUCT_ROWS;
            const double *bias = tangents ? no_bias : p->bias + o;
            SIMD_CALL(product_pair, (p->n_in, x + row * p->n_in, pair, bias, tile));
            for (int64_t r = 0; r < rows; r++)
                for (int64_t c = 0; c < width; c++) {
                    const double first = tangents && row + r == 0 ? p->bias[o + c] : 0;
                    const double v = tile[r * W + c] + first;
                    if (y_float)
                        y_float[(row + r) * p->n_out + o + c] = (float)v;
                    else
                        y[(row + r) * p->n_out + o + c] = v;
                }
        }
    }
}

void product_apply(const product *p, int64_t n, const double *x, double *y, float *y_float)
{
    apply(p, 0, n, x, y, y_float);
}

void product_apply_tangents(const product *p, int64_t n, const double *x, double *y, float *y_float)
{
    apply(p, 1, n, x, y, y_float);
}

anpe_status product_add_float(anpe_ctx *ctx, product *p)
{
    enum { W = PRODUCT_PANEL_FLOAT, FROM = PRODUCT_PANEL, PAIR = PRODUCT_PAIR_FLOAT };
    const int64_t padded = (p->n_out + PAIR - 1) / PAIR * PAIR;
    if (ANPE_NEW(ctx, p->panels_float, padded, p->n_in) || ANPE_NEW(ctx, p->bias_float, padded))
        return ANPE_ENOMEM;
    for (int64_t o = 0; o < p->n_out; o++) {
        const double *from = p->panels + o / FROM * p->n_in * FROM + o % FROM;
        float *to = p->panels_float + o / W * p->n_in * W + o % W;
        for (int64_t k = 0; k < p->n_in; k++)
            to[k * W] = (float)from[k * FROM];
        p->bias_float[o] = (float)p->bias[o];
    }
    return ANPE_OK;
}

void product_drop_float(product *p)
{
    free(p->panels_float);
    free(p->bias_float);
    p->panels_float = p->bias_float = NULL;
}

static void apply_float(const product *p, int tangents, int64_t n, const float *x, float *y)
{
    enum { ROWS = PRODUCT_ROWS_FLOAT, W = PRODUCT_PAIR_FLOAT };
    float tile[ROWS * W];
    for (int64_t o = 0; o < p->n_out; o += W) {
        const float *pair = p->panels_float + o * p->n_in;
        const float *bias = tangents ? no_bias_float : p->bias_float + o;
        const int64_t left = p->n_out - o;
        if (left >= W) {
            SIMD_CALL(product_pair_float, (p->n_in, n, x, pair, bias, y + o, p->n_out));
            continue;
        }
        for (int64_t row = 0; row < n; row += ROWS) { /* the last pair writes past the end */
            const int64_t rows = n - row < ROWS ? n - row : ROWS;
            SIMD_CALL(product_pair_float, (p->n_in, rows, x + row * p->n_in, pair, bias, tile, W));
            for (int64_t r = 0; r < rows; r++)
                memcpy(y + (row + r) * p->n_out + o, tile + r * W, (size_t)left * sizeof(float));
        }
    }
}

void product_apply_float(const product *p, int64_t n, const float *x, float *y)
{
    apply_float(p, 0, n, x, y);
}

void product_apply_float_tangents(const product *p, int64_t n, const float *x, float *y)
{
    apply_float(p, 1, n, x, y);
    for (int64_t o = 0; o < p->n_out; o++)
        y[o] += p->bias_float[o];
}
