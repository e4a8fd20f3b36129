/* conv1d: y[l, o] = b[o] + sum_{j, i} w[o, i, j] x[l + j - h, i], h = (k - 1)/2, then max(0, .).
 *
 * A sample is taken in tiles of rows. The tile's input rows are copied beside each other with the
 * zero padding in place; then row l of the patch matrix (k Cin wide) is what starts at row l, so
 * the product reads the copy with overlapping rows.
 *   forward   Y = P W,           W[(j, i), o] = w[o, i, j]
 *   data      dX = P(dZ) W',     W'[(j, o), i] = w[o, i, k - 1 - j]
 *   weights   dW = P^T dZ,       summed over a tile in registers
 * where dZ is dY, with relu only where y > 0. Wide convolutions of kernel 3: conv3.c. */
#include <config.h>
#include <string.h>
#include "kernel/conv3.h"
#include "kernel/kernels.h"
#include "kernel/padded.h"
#include "kernel/product.h"

typedef REAL(anpe_padded) padded;

/* Rows of a tile: its inputs stay in the second-level cache. For the weights a tile is longer,
 * since the whole of dW is read and written once for each. */
enum { TILE_BYTES = 1 << 16, TILE_MIN = 56, TILE_MIN_WEIGHTS = 224, TILE_MAX = 448 };

static int64_t tile_rows(int64_t width, int64_t least)
{
    const int64_t t = TILE_BYTES / ((int64_t)sizeof(real) * width) / 56 * 56;
    return t < least ? least : t > TILE_MAX ? TILE_MAX : t;
}

static const anpe_conv_attributes *attributes(const anpe_call *c)
{
    return c->attributes;
}

/* Reals of scratch, cut in this order: packed weights or dZ, tile, dW. */
typedef struct sizes {
    int64_t packed, tile, dw;
} sizes;

static int64_t at_least(int64_t n, int64_t least)
{
    return ((n > least ? n : least) + 15) / 16 * 16;
}

static sizes conv_sizes(const anpe_call *c)
{
    const int64_t k = attributes(c)->k, in = c->in_width[0], out = c->out_width;
    const int64_t rows = tile_rows(in + out, TILE_MIN_WEIGHTS);
    int64_t packed = REAL(anpe_product_packed)(k * in, out);
    packed = at_least(packed, REAL(anpe_product_packed)(k * out, in));
    packed = at_least(packed, REAL(anpe_product_packed)(rows, out));
    int64_t tile = (tile_rows(in, TILE_MIN) + k) * in;
    tile = at_least(tile, (tile_rows(out, TILE_MIN) + k) * out);
    tile = at_least(tile, (rows + k) * in);
    return (sizes){packed, tile, at_least(k * in * out, 0)};
}

static int is_conv3(const anpe_call *c)
{
    return REAL(anpe_conv3_fits)(attributes(c)->k, c->in_width[0], c->out_width);
}

size_t REAL(anpe_conv1d_scratch)(const anpe_call *c)
{
    const sizes s = conv_sizes(c);
    if (is_conv3(c))
        return (size_t)REAL(anpe_conv3_scratch)(c->in_width[0], c->out_width) * sizeof(real);
    return (size_t)(s.packed + s.tile + s.dw) * sizeof(real);
}

/* W[(j, i), o] = w[o, i, j] */
static void pack_forward(int64_t k, int64_t in, int64_t out, const real *w, real *packed)
{
    for (int64_t o0 = 0; o0 < out; o0 += ANPE_PRODUCT_WIDTH, packed += k * in * ANPE_PRODUCT_WIDTH)
        for (int64_t i = 0; i < in; i++)
            for (int64_t j = 0; j < k; j++)
                for (int64_t o = 0; o < ANPE_PRODUCT_WIDTH; o++)
                    packed[(j * in + i) * ANPE_PRODUCT_WIDTH + o] =
                        o0 + o < out ? w[((o0 + o) * in + i) * k + j] : 0;
}

/* W'[(j, o), i] = w[o, i, k - 1 - j] */
static void pack_data(int64_t k, int64_t in, int64_t out, const real *w, real *packed)
{
    for (int64_t i0 = 0; i0 < in; i0 += ANPE_PRODUCT_WIDTH, packed += k * out * ANPE_PRODUCT_WIDTH)
        for (int64_t o = 0; o < out; o++)
            for (int64_t j = 0; j < k; j++)
                for (int64_t i = 0; i < ANPE_PRODUCT_WIDTH; i++)
                    packed[(j * out + o) * ANPE_PRODUCT_WIDTH + i] =
                        i0 + i < in ? w[(o * in + i0 + i) * k + k - 1 - j] : 0;
}

/* to (samples, L, n) = or += patches of p times packed [+ bias] */
static void convolve(const padded *p, int64_t k, int64_t n, const real *packed, real *tile,
                     const real *bias, real *to, int mode)
{
    const int64_t rows = tile_rows(p->width, TILE_MIN), w = p->width;
    for (int64_t b = 0; b < p->batch; b++)
        for (int64_t t = 0; t < p->length; t += rows) {
            const int64_t m = p->length - t < rows ? p->length - t : rows;
            const real *a = REAL(anpe_padded_rows)(p, b * p->period + t, m + k - 1, tile);
            REAL(anpe_product)
            (m, n, k * w, a, w, 1, packed, bias, to + (b * p->length + t) * n, n, mode);
        }
}

void REAL(anpe_conv1d_forward)(const anpe_call *c)
{
    const anpe_conv_attributes *at = attributes(c);
    const int64_t k = at->k, in = c->in_width[0], length = c->out_length;
    if (is_conv3(c)) {
        REAL(anpe_conv3_forward)(c, (at->flags & ANPE_RELU) != 0);
        return;
    }
    real *packed = c->scratch, *tile = packed + conv_sizes(c).packed;
    const padded x = {c->in[0], NULL, c->batch, length, in, length + k - 1, (k - 1) / 2};
    pack_forward(k, in, c->out_width, c->parameter[0], packed);
    convolve(&x, k, c->out_width, packed, tile, c->parameter[1], c->out,
             at->flags & ANPE_RELU ? ANPE_PRODUCT_RELU : 0);
}

static void backward_weights(const anpe_call *c, const real *mask)
{
    const int64_t k = attributes(c)->k, in = c->in_width[0], out = c->out_width;
    const int64_t length = c->out_length, period = length + k - 1;
    const sizes s = conv_sizes(c);
    real *packed = c->scratch, *tile = packed + s.packed, *dw = tile + s.tile;
    const padded x = {c->in[0], NULL, c->batch, length, in, period, (k - 1) / 2};
    const padded dz = {c->grad_out, mask, c->batch, length, out, period, 0};
    const int64_t rows = tile_rows(in + out, TILE_MIN_WEIGHTS), total = c->batch * period;
    for (int64_t q = 0; q < total; q += rows) {
        const int64_t m = total - q < rows ? total - q : rows;
        const real *a = REAL(anpe_padded_rows)(&x, q, m + k - 1, tile);
        REAL(anpe_padded_pack)(&dz, q, m, packed);
        REAL(anpe_product)
        (k * in, out, m, a, 1, in, packed, NULL, dw, out, q ? ANPE_PRODUCT_ADD : 0);
        if (c->grad_parameter[1])
            REAL(anpe_packed_add_sums)(m, out, packed, c->grad_parameter[1]);
    }
    real *grad = c->grad_parameter[0];
    for (int64_t o0 = 0; o0 < out; o0 += 16)
        for (int64_t i = 0; i < in; i++)
            for (int64_t j = 0; j < k; j++)
                for (int64_t o = o0; o < out && o < o0 + 16; o++)
                    grad[(o * in + i) * k + j] += dw[(j * in + i) * out + o];
}

void REAL(anpe_conv1d_backward)(const anpe_call *c)
{
    const anpe_conv_attributes *at = attributes(c);
    const int64_t k = at->k, in = c->in_width[0], out = c->out_width, length = c->out_length;
    const real *mask = at->flags & ANPE_RELU ? c->out : NULL;
    if (c->grad_parameter[0] && is_conv3(c))
        REAL(anpe_conv3_backward_weights)(c, mask);
    else if (c->grad_parameter[0])
        backward_weights(c, mask);
    if (!c->grad_in[0])
        return;
    if (is_conv3(c)) {
        REAL(anpe_conv3_backward_data)(c, mask);
        return;
    }
    real *packed = c->scratch, *tile = packed + conv_sizes(c).packed;
    const padded dz = {c->grad_out, mask, c->batch, length, out, length + k - 1, (k - 1) / 2};
    pack_data(k, in, out, c->parameter[0], packed);
    convolve(&dz, k, in, packed, tile, NULL, c->grad_in[0],
             c->grad_in_empty[0] ? 0 : ANPE_PRODUCT_ADD);
}
