/* conv1d of kernel 3 by Winograd's F(2, 3) (Lavin & Gray 2016, in one dimension): two neighbouring
 * outputs from four inputs take four products instead of six. With d = x[l - 1 .. l + 2] and the
 * taps g of one pair of channels,
 *   v0 = d0 - d2   v1 = d1 + d2   v2 = d2 - d1   v3 = d1 - d3
 *   u0 = g0   u1 = (g0 + g1 + g2) / 2   u2 = (g0 - g1 + g2) / 2   u3 = g2      m_i = v_i u_i
 *   y[l] = m0 + m1 + m2   y[l + 1] = m1 - m2 - m3
 * and m_i is a matrix product over the channels: rows are pairs of pixels. Backward for the data is
 * the same with the taps reversed; for the weights, from the two gradients e of a pair,
 *   w0 = e0   w1 = e0 + e1   w2 = e0 - e1   w3 = -e1      h_i = v_i^T w_i
 *   dg0 = h0 + (h1 + h2) / 2   dg1 = (h1 - h2) / 2   dg2 = (h1 + h2) / 2 + h3
 * The rounding error is at most about twice that of the plain sum, since |v| <= 2 |d|.
 *
 * A sample has `pairs` pairs and one more that only fills up: its outputs are not kept. */
#include "config.h"
#include <string.h>
#include "graph/conv3.h"
#include "graph/padded.h"
#include "graph/product.h"

typedef REAL(anpe_padded) padded;
enum { WIDTH = ANPE_PRODUCT_WIDTH, LEAST = 64, PRODUCTS = 4 };
/* Pairs of a tile: the transformed inputs stay in the second-level cache. */
enum { TILE_BYTES = 1 << 19, TILE_MIN = 28, TILE_MAX = 112, TILE_WEIGHTS = 112 };

int REAL(anpe_conv3_fits)(int64_t k, int64_t in, int64_t out)
{
    return k == 3 && in >= LEAST && out >= LEAST;
}

static int64_t tile_pairs(int64_t width)
{
    const int64_t t = TILE_BYTES / (PRODUCTS * (int64_t)sizeof(real) * width) / 14 * 14;
    return t < TILE_MIN ? TILE_MIN : t > TILE_MAX ? TILE_MAX : t;
}

static int64_t round16(int64_t n)
{
    return (n + 15) / 16 * 16;
}

/* ---- scratch, cut in the order of the members -------------------------------------------------
 */

typedef struct parts {
    real *u;    /* transformed taps, packed: (panel, 4, in, WIDTH); or h_i (4, in, out) */
    real *rows; /* rows of the inputs, padded */
    real *v;    /* transformed inputs (4, pairs, width) */
    real *m;    /* products (4, pairs, WIDTH); or rows of dz and the packed w_i */
} parts;

/* Of a convolution of w to n channels, in reals. */
static void data_sizes(int64_t w, int64_t n, int64_t size[4])
{
    const int64_t pairs = tile_pairs(w);
    size[0] = PRODUCTS * REAL(anpe_product_packed)(w, n);
    size[1] = round16((2 * pairs + 2) * w);
    size[2] = round16(PRODUCTS * pairs * w);
    size[3] = PRODUCTS * pairs * WIDTH;
}

static void weight_sizes(int64_t in, int64_t out, int64_t size[4])
{
    size[0] = round16(PRODUCTS * in * out);
    size[1] = round16((2 * TILE_WEIGHTS + 2) * in);
    size[2] = round16(TILE_WEIGHTS * in);
    size[3] =
        round16(2 * TILE_WEIGHTS * out) + round16(REAL(anpe_product_packed)(TILE_WEIGHTS, out));
}

static parts cut(real *scratch, const int64_t size[4])
{
    parts p = {.u = scratch};
    p.rows = p.u + size[0];
    p.v = p.rows + size[1];
    p.m = p.v + size[2];
    return p;
}

int64_t REAL(anpe_conv3_scratch)(int64_t in, int64_t out)
{
    int64_t size[3][4], most = 0;
    data_sizes(in, out, size[0]);
    data_sizes(out, in, size[1]);
    weight_sizes(in, out, size[2]);
    for (int i = 0; i < 3; i++) {
        const int64_t sum = size[i][0] + size[i][1] + size[i][2] + size[i][3];
        most = sum > most ? sum : most;
    }
    return most;
}

/* ---- transforms -------------------------------------------------------------------------------
 */

/* v_i of m pairs from rows (2 m + 2, w) of inputs. */
ANPE_CLONES
static void transform_input(int i, int64_t m, int64_t w, const real *rows, real *v)
{
    static const int first[PRODUCTS] = {0, 1, 2, 1}, second[PRODUCTS] = {2, 2, 1, 3};
    const real sign = i == 1 ? 1 : -1;
    for (int64_t r = 0; r < m; r++, rows += 2 * w, v += w) {
        const real *a = rows + first[i] * w, *b = rows + second[i] * w;
        for (int64_t j = 0; j < w; j++)
            v[j] = a[j] + sign * b[j];
    }
}

/* u of the taps g[j] = w[a s0 + b s1 + (reversed: 2 - j)] from channel a to channel b. */
static void transform_taps(int64_t in, int64_t out, const real *w, int64_t s0, int64_t s1,
                           int reversed, real *u)
{
    for (int64_t b0 = 0; b0 < out; b0 += WIDTH, u += PRODUCTS * in * WIDTH)
        for (int64_t a = 0; a < in; a++)
            for (int64_t b = 0; b < WIDTH; b++) {
                const real *g = w + a * s0 + (b0 + b) * s1;
                const int inside = b0 + b < out;
                const real g0 = inside ? g[reversed ? 2 : 0] : 0, g1 = inside ? g[1] : 0;
                const real g2 = inside ? g[reversed ? 0 : 2] : 0, even = (g0 + g2) / 2;
                real *to = u + a * WIDTH + b;
                to[0] = g0;
                to[in * WIDTH] = even + g1 / 2;
                to[2 * in * WIDTH] = even - g1 / 2;
                to[3 * in * WIDTH] = g2;
            }
}

/* y of m pairs and n <= WIDTH columns from the products p (4, stride, WIDTH). The first `keep` rows
 * are stored, at distance ldc. */
ANPE_CLONES
static void combine(int64_t m, int64_t keep, int64_t n, int64_t stride, const real *p,
                    const real *bias, int mode, real *to, int64_t ldc)
{
    for (int64_t r = 0; r < m; r++, p += WIDTH) {
        real y[2][WIDTH];
        for (int64_t j = 0; j < WIDTH; j++) {
            const real m1 = p[stride * WIDTH + j], m2 = p[2 * stride * WIDTH + j];
            y[0][j] = p[j] + m1 + m2;
            y[1][j] = m1 - m2 - p[3 * stride * WIDTH + j];
        }
        for (int64_t k = 0; k < 2 && 2 * r + k < keep; k++) {
            real *row = to + (2 * r + k) * ldc;
            for (int64_t j = 0; bias && j < n; j++)
                y[k][j] += bias[j];
            if (mode & ANPE_PRODUCT_ADD)
                for (int64_t j = 0; j < n; j++)
                    row[j] += y[k][j];
            else if (mode & ANPE_PRODUCT_RELU)
                for (int64_t j = 0; j < n; j++)
                    row[j] = y[k][j] < 0 ? 0 : y[k][j];
            else
                for (int64_t j = 0; j < n; j++)
                    row[j] = y[k][j];
        }
    }
}

/* ---- forward, and backward for the data ---------------------------------------------------------
 */

/* m pairs of one sample; keep: rows of them that are there. */
static void convolve_tile(const parts *s, int64_t m, int64_t keep, int64_t w, int64_t n,
                          const real *rows, const real *bias, int mode, real *to)
{
    for (int i = 0; i < PRODUCTS; i++)
        transform_input(i, m, w, rows, s->v + i * m * w);
    for (int64_t j0 = 0; j0 < n; j0 += WIDTH) {
        const int64_t columns = n - j0 < WIDTH ? n - j0 : WIDTH;
        for (int i = 0; i < PRODUCTS; i++)
            REAL(anpe_product)
        (m, WIDTH, w, s->v + i * m * w, w, 1, s->u + (PRODUCTS * j0 + i * WIDTH) * w, NULL,
         s->m + i * m * WIDTH, WIDTH, 0);
        combine(m, keep, columns, m, s->m, bias ? bias + j0 : NULL, mode, to + j0, n);
    }
}

static void convolve(const padded *x, int64_t n, const parts *s, const real *bias, int mode,
                     real *to)
{
    const int64_t pairs = (x->length + 1) / 2, most = tile_pairs(x->width);
    for (int64_t b = 0; b < x->batch; b++)
        for (int64_t t = 0; t < pairs; t += most) {
            const int64_t m = pairs - t < most ? pairs - t : most;
            const real *rows = REAL(anpe_padded_rows)(x, b * x->period + 2 * t, 2 * m + 2, s->rows);
            convolve_tile(s, m, x->length - 2 * t, x->width, n, rows, bias, mode,
                          to + (b * x->length + 2 * t) * n);
        }
}

static padded sequence(const anpe_call *c, const real *x, const real *mask, int64_t width,
                       int64_t shift)
{
    const int64_t length = c->out_length;
    return (padded){x, mask, c->batch, length, width, (length + 1) / 2 * 2 + 2, shift};
}

void REAL(anpe_conv3_forward)(const anpe_call *c, int relu)
{
    const int64_t in = c->in_width[0], out = c->out_width;
    const padded x = sequence(c, c->in[0], NULL, in, 1);
    int64_t size[4];
    data_sizes(in, out, size);
    const parts s = cut(c->scratch, size);
    transform_taps(in, out, c->parameter[0], 3, 3 * in, 0, s.u);
    convolve(&x, out, &s, c->parameter[1], relu ? ANPE_PRODUCT_RELU : 0, c->out);
}

void REAL(anpe_conv3_backward_data)(const anpe_call *c, const real *mask)
{
    const int64_t in = c->in_width[0], out = c->out_width;
    const padded dz = sequence(c, c->grad_out, mask, out, 1);
    int64_t size[4];
    data_sizes(out, in, size);
    const parts s = cut(c->scratch, size);
    transform_taps(out, in, c->parameter[0], 3 * in, 3, 1, s.u);
    convolve(&dz, in, &s, NULL, c->grad_in_empty[0] ? 0 : ANPE_PRODUCT_ADD, c->grad_in[0]);
}

/* ---- backward for the weights -------------------------------------------------------------------
 */

/* w_i of m pairs from rows (2 m, n) of dz, as the packed right factor (m, n) of a product. */
ANPE_CLONES
static void pack_gradients(int i, int64_t m, int64_t n, const real *rows, real *packed)
{
    const real a = i == 3 ? 0 : 1, b = i == 0 ? 0 : i == 1 ? 1 : -1;
    for (int64_t j0 = 0; j0 < n; j0 += WIDTH)
        for (int64_t r = 0; r < m; r++, packed += WIDTH) {
            const real *e = rows + 2 * r * n + j0;
            const int64_t columns = n - j0 < WIDTH ? n - j0 : WIDTH;
            for (int64_t j = 0; j < columns; j++)
                packed[j] = a * e[j] + b * e[n + j];
            for (int64_t j = columns; j < WIDTH; j++)
                packed[j] = 0;
        }
}

/* dw (out, in, 3) += from h (4, in, out) */
static void add_taps(int64_t in, int64_t out, const real *h, real *dw)
{
    const int64_t n = in * out;
    for (int64_t o0 = 0; o0 < out; o0 += 16)
        for (int64_t i = 0; i < in; i++)
            for (int64_t o = o0; o < out && o < o0 + 16; o++) {
                const real *p = h + i * out + o;
                const real even = (p[n] + p[2 * n]) / 2;
                real *g = dw + (o * in + i) * 3;
                g[0] += p[0] + even;
                g[1] += (p[n] - p[2 * n]) / 2;
                g[2] += even + p[3 * n];
            }
}

void REAL(anpe_conv3_backward_weights)(const anpe_call *c, const real *mask)
{
    const int64_t in = c->in_width[0], out = c->out_width;
    const padded x = sequence(c, c->in[0], NULL, in, 1);
    const padded dz = sequence(c, c->grad_out, mask, out, 0);
    const int64_t total = c->batch * x.period / 2;
    int64_t size[4];
    weight_sizes(in, out, size);
    const parts s = cut(c->scratch, size);
    real *dz_rows = s.m, *packed = s.m + round16(2 * TILE_WEIGHTS * out);
    for (int64_t q = 0; q < total; q += TILE_WEIGHTS) {
        const int64_t m = total - q < TILE_WEIGHTS ? total - q : TILE_WEIGHTS;
        const real *rows = REAL(anpe_padded_rows)(&x, 2 * q, 2 * m + 2, s.rows);
        const real *e = REAL(anpe_padded_rows)(&dz, 2 * q, 2 * m, dz_rows);
        for (int i = 0; i < PRODUCTS; i++) {
            transform_input(i, m, in, rows, s.v);
            pack_gradients(i, m, out, e, packed);
            REAL(anpe_product)
            (in, out, m, s.v, 1, in, packed, NULL, s.u + i * in * out, out,
             q ? ANPE_PRODUCT_ADD : 0);
            if (i == 1 && c->grad_parameter[1])
                REAL(anpe_packed_add_sums)(m, out, packed, c->grad_parameter[1]);
        }
    }
    add_taps(in, out, s.u, c->grad_parameter[0]);
}
