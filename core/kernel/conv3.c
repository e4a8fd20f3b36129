/* conv1d of kernel 3 by Winograd's F(4, 3) (Lavin & Gray 2016, in one dimension): four neighbouring
 * outputs from six inputs take six products instead of twelve. It is the product of polynomials by
 * their values at the points p = 0, a, -a, b, -b and infinity. With d = x[l - 1 .. l + 4] and the
 * taps g of a pair of channels,
 *   v_i = coefficients of prod_{l != i} (x - p_l), applied to d      v_inf: of prod_l (x - p_l)
 *   u_i = (g0 + p g1 + p^2 g2) / prod_{l != i} (p - p_l)             u_inf = g2
 *   m_i = v_i u_i        y[l + k] = sum_i p^k m_i, k = 0 .. 3, and m_inf in the last
 * and m_i is a matrix product over the channels: its rows are groups of four pixels. Backward for
 * the data is the same with the taps reversed; for the weights, from the gradients e of a group,
 *   w_i = sum_k p^k e_k      w_inf = e_3      h_i = v_i^T w_i
 *   dg_j = sum_i p^j h_i / prod_{l != i} (p - p_l), and h_inf in the last
 * a = 3/4, b = 3/2 are exact, and with them the rounding error is that of the plain sum: what the
 * transforms add is what the shorter sums save. */
#include <config.h>
#include <string.h>
#include "kernel/conv3.h"
#include "kernel/padded.h"
#include "kernel/product.h"

typedef REAL(anpe_padded) padded;
enum { WIDTH = ANPE_PRODUCT_WIDTH, LEAST = 32, GROUP = 4, PRODUCTS = 6 };
/* Groups of a tile: the transformed inputs stay in the second-level cache; the weights' gradients
 * are read and written once for every tile, so there it is long. */
enum { TILE_BYTES = 1 << 19, TILE_MIN = 28, TILE_MAX = 112, TILE_WEIGHTS = 112 };

/* The loops over channels are marked free of dependences (ivdep): the compiler cannot know that the
 * six streams which they write, a run-time distance apart, do not overlap.
 *
 * Between the six transforms of a tensor: not a multiple of 4096 bytes, so that six streams do not
 * fall on the same lines of the first-level cache; nor do rows that are read down the columns. */
enum { GAP = 48, PAD = 16 };

#define A        ((real)0.75)
#define B        ((real)1.5)
#define SUM2     ((real)2.8125)   /* a^2 + b^2 */
#define PRODUCT2 ((real)1.265625) /* a^2 b^2 */
/* prod_{l != i} (p - p_l): a^2 b^2, 2 a^2 (a^2 - b^2), 2 b^2 (b^2 - a^2) */
#define SCALE_0 (1 / PRODUCT2)
#define SCALE_A (1 / (2 * A * A * (A * A - B * B)))
#define SCALE_B (1 / (2 * B * B * (B * B - A * A)))

int REAL(anpe_conv3_fits)(int64_t k, int64_t in, int64_t out)
{
    return k == 3 && in >= LEAST && out >= LEAST;
}

static int64_t tile_groups(int64_t width)
{
    const int64_t t = TILE_BYTES / (PRODUCTS * (int64_t)sizeof(real) * width) / 14 * 14;
    return t < TILE_MIN ? TILE_MIN : t > TILE_MAX ? TILE_MAX : t;
}

static int64_t round16(int64_t n)
{
    return (n + 15) / 16 * 16;
}

static int64_t at_most(int64_t n, int64_t most)
{
    return n < most ? n : most;
}

/* ---- scratch, cut in the order of the members -------------------------------------------- */

typedef struct parts {
    real *u;    /* transformed taps, packed: (panel, 6, in, WIDTH); or h_i (6, in, out) */
    real *rows; /* padded rows of the input, or of dz */
    real *v;    /* transformed inputs (6, tile, width) */
    real *m;    /* products (6, tile, WIDTH); or w_i, packed, one after the other */
    real *db;   /* column sums of dz (out) */
} parts;

/* Of a convolution of w to n channels, in reals. */
static void data_sizes(int64_t w, int64_t n, int64_t size[5])
{
    const int64_t tile = tile_groups(w);
    size[0] = PRODUCTS * REAL(anpe_product_packed)(w, n);
    size[1] = round16((GROUP * tile + 2) * w);
    size[2] = PRODUCTS * (round16(tile * w) + GAP);
    size[3] = PRODUCTS * (tile * WIDTH + GAP);
    size[4] = 0;
}

static void weight_sizes(int64_t in, int64_t out, int64_t size[5])
{
    size[0] = round16(PRODUCTS * in * out);
    size[1] = round16((GROUP * TILE_WEIGHTS + 2) * (in > out ? in : out));
    size[2] = PRODUCTS * (round16(TILE_WEIGHTS * (in + PAD)) + GAP);
    size[3] = PRODUCTS * (REAL(anpe_product_packed)(TILE_WEIGHTS, out) + GAP);
    size[4] = round16(out);
}

static parts cut(real *scratch, const int64_t size[5])
{
    parts p = {.u = scratch};
    p.rows = p.u + size[0];
    p.v = p.rows + size[1];
    p.m = p.v + size[2];
    p.db = p.m + size[3];
    return p;
}

int64_t REAL(anpe_conv3_scratch)(int64_t in, int64_t out)
{
    int64_t size[3][5], most = 0;
    data_sizes(in, out, size[0]);
    data_sizes(out, in, size[1]);
    weight_sizes(in, out, size[2]);
    for (int i = 0; i < 3; i++) {
        const int64_t sum = size[i][0] + size[i][1] + size[i][2] + size[i][3] + size[i][4];
        most = sum > most ? sum : most;
    }
    return most;
}

/* ---- transforms -------------------------------------------------------------------------- */

ANPE_INLINE real kept(const int masked, const real *x, const real *mask, int64_t i)
{
    const real v = x[i];
    return !masked || mask[i] > 0 ? v : 0;
}

/* v_i (at distance `next`, rows at distance ldv) of m groups from rows (4 m + 2, w), where mask is
 * positive if there is one. */
ANPE_INLINE void transform_rows(const int masked, int64_t m, int64_t w, const real *restrict rows,
                                const real *restrict mask, real *restrict v, int64_t ldv,
                                int64_t next)
{
    for (int64_t r = 0; r < m; r++, rows += GROUP * w, mask += masked ? GROUP * w : 0, v += ldv)
#pragma GCC ivdep
        for (int64_t j = 0; j < w; j++) {
            const real d1 = kept(masked, rows, mask, w + j),
                       d2 = kept(masked, rows, mask, 2 * w + j);
            const real d3 = kept(masked, rows, mask, 3 * w + j);
            const real d4 = kept(masked, rows, mask, 4 * w + j);
            const real even_a = d4 - B * B * d2, odd_a = A * (d3 - B * B * d1);
            const real even_b = d4 - A * A * d2, odd_b = B * (d3 - A * A * d1);
            v[j] = PRODUCT2 * kept(masked, rows, mask, j) - SUM2 * d2 + d4;
            v[next + j] = even_a + odd_a;
            v[2 * next + j] = even_a - odd_a;
            v[3 * next + j] = even_b + odd_b;
            v[4 * next + j] = even_b - odd_b;
            v[5 * next + j] = PRODUCT2 * d1 - SUM2 * d3 + kept(masked, rows, mask, 5 * w + j);
        }
}

ANPE_CLONES
static void transform_plain(int64_t m, int64_t w, const real *rows, real *v, int64_t ldv,
                            int64_t next)
{
    transform_rows(0, m, w, rows, rows, v, ldv, next);
}

ANPE_CLONES
static void transform_masked(int64_t m, int64_t w, const real *rows, const real *mask, real *v,
                             int64_t ldv, int64_t next)
{
    transform_rows(1, m, w, rows, mask, v, ldv, next);
}

/* u of one pair of channels, packed: to its first transform, the others at distance next. */
ANPE_INLINE void transform_tap(real g0, real g1, real g2, real *to, int64_t next)
{
    const real even_a = SCALE_A * (g0 + A * A * g2), odd_a = SCALE_A * A * g1;
    const real even_b = SCALE_B * (g0 + B * B * g2), odd_b = SCALE_B * B * g1;
    to[0] = SCALE_0 * g0;
    to[next] = even_a + odd_a;
    to[2 * next] = even_a - odd_a;
    to[3 * next] = even_b + odd_b;
    to[4 * next] = even_b - odd_b;
    to[5 * next] = g2;
}

/* u of the taps w (out, in, 3) from in to out. Taken in blocks, since neighbouring outputs are so
 * far apart, by powers of two, that they would push each other out of the cache. */
ANPE_CLONES
static void forward_taps(int64_t in, int64_t out, const real *w, real *u)
{
    enum { BLOCK = 16 };
    real g[3 * BLOCK][WIDTH] = {{0}};
    for (int64_t o0 = 0; o0 < out; o0 += WIDTH, u += PRODUCTS * in * WIDTH)
        for (int64_t i0 = 0; i0 < in; i0 += BLOCK) {
            const int64_t n = at_most(in - i0, BLOCK), columns = at_most(out - o0, WIDTH);
            for (int64_t o = 0; o < columns; o++)
                for (int64_t k = 0; k < 3 * n; k++)
                    g[k][o] = w[((o0 + o) * in + i0) * 3 + k];
            for (int64_t i = 0; i < n; i++)
                for (int64_t o = 0; o < WIDTH; o++)
                    transform_tap(g[3 * i][o], g[3 * i + 1][o], g[3 * i + 2][o],
                                  u + (i0 + i) * WIDTH + o, in * WIDTH);
        }
}

/* u of the taps w (out, in, 3), reversed, from out to in. */
ANPE_CLONES
static void backward_taps(int64_t in, int64_t out, const real *w, real *u)
{
    for (int64_t i0 = 0; i0 < in; i0 += WIDTH, u += PRODUCTS * out * WIDTH)
        for (int64_t o = 0; o < out; o++)
            for (int64_t i = 0; i < WIDTH; i++) {
                static const real none[3] = {0, 0, 0};
                const real *g = i0 + i < in ? w + (o * in + i0 + i) * 3 : none;
                transform_tap(g[2], g[1], g[0], u + o * WIDTH + i, out * WIDTH);
            }
}

/* y (4, WIDTH) of one group from its products, at distance next. */
ANPE_INLINE void group_outputs(const real *restrict p, int64_t next, real *restrict y)
{
    for (int64_t j = 0; j < WIDTH; j++) {
        const real m1 = p[next + j], m2 = p[2 * next + j];
        const real m3 = p[3 * next + j], m4 = p[4 * next + j];
        const real sum_a = m1 + m2, sum_b = m3 + m4, odd_a = A * (m1 - m2), odd_b = B * (m3 - m4);
        y[j] = p[j] + sum_a + sum_b;
        y[WIDTH + j] = odd_a + odd_b;
        y[2 * WIDTH + j] = A * A * sum_a + B * B * sum_b;
        y[3 * WIDTH + j] = A * A * odd_a + B * B * odd_b + p[5 * next + j];
    }
}

/* Outputs of m groups and n <= WIDTH columns from the products p, at distance next. The first
 * `keep` rows are stored, at distance ldc. */
ANPE_CLONES
static void combine(int64_t m, int64_t keep, int64_t n, const real *p, int64_t next,
                    const real *bias, int mode, real *to, int64_t ldc)
{
    for (int64_t r = 0; r < m; r++, p += WIDTH) {
        real y[GROUP * WIDTH];
        group_outputs(p, next, y);
        for (int64_t k = 0; k < GROUP && GROUP * r + k < keep; k++) {
            const real *from = y + k * WIDTH;
            real *row = to + (GROUP * r + k) * ldc;
            if (mode & ANPE_PRODUCT_ADD)
                for (int64_t j = 0; j < n; j++)
                    row[j] += from[j];
            else if (mode & ANPE_PRODUCT_RELU)
                for (int64_t j = 0; j < n; j++)
                    row[j] = from[j] + bias[j] < 0 ? 0 : from[j] + bias[j];
            else
                for (int64_t j = 0; j < n; j++)
                    row[j] = from[j] + bias[j];
        }
    }
}

/* ---- groups of all samples, one after the other ------------------------------------------ */

static int64_t groups(int64_t length)
{
    return (length + GROUP - 1) / GROUP;
}

static padded sequence(const anpe_call *c, const real *x, const real *mask, int64_t width,
                       int64_t shift)
{
    const int64_t length = c->out_length, period = GROUP * groups(length) + 2;
    return (padded){x, mask, c->batch, length, width, period, shift};
}

/* Groups first .. first + m - 1 in pieces of one sample: the piece from group `done` of them is in
 * sample *b from its group *t on; how many it has. */
static int64_t piece(int64_t per_sample, int64_t first, int64_t m, int64_t done, int64_t *b,
                     int64_t *t)
{
    *b = (first + done) / per_sample;
    *t = (first + done) % per_sample;
    return at_most(per_sample - *t, m - done);
}

/* Groups of which all six inputs are pixels, from group t > 0 of a sample on. */
static int64_t inner(const padded *x, int64_t t)
{
    return t > 0 && x->length - 1 > GROUP * t ? (x->length - 1 - GROUP * t) / GROUP : 0;
}

/* v_i (tile, ldv) of m groups. Those at the ends of a sample are copied with the padding first. */
static void fill_inputs(const padded *x, int64_t first, int64_t m, const parts *s, int64_t ldv,
                        int64_t next)
{
    const int64_t w = x->width;
    int64_t b, t, n;
    for (int64_t r = 0; r < m; r += n) {
        n = piece(groups(x->length), first, m, r, &b, &t);
        const int64_t in_place = at_most(inner(x, t), n);
        const int64_t at = (b * x->length + GROUP * t - 1) * w;
        n = in_place > 0 ? in_place : t == 0 ? 1 : n;
        const real *rows = in_place > 0 ? x->x + at
                                        : REAL(anpe_padded_rows)(x, b * x->period + GROUP * t,
                                                                 GROUP * n + 2, s->rows);
        if (in_place > 0 && x->mask)
            transform_masked(n, w, rows, x->mask + at, s->v + r * ldv, ldv, next);
        else
            transform_plain(n, w, rows, s->v + r * ldv, ldv, next);
    }
}

/* ---- forward, and backward for the data -------------------------------------------------- */

/* Outputs of m groups, n channels, of which WIDTH are done at a time. */
static void multiply(const padded *x, int64_t first, int64_t m, int64_t tile, int64_t n,
                     const parts *s, const real *bias, int mode, real *to)
{
    static const real zero[WIDTH] = {0};
    const int64_t w = x->width, next_v = round16(tile * w) + GAP, next_m = tile * WIDTH + GAP;
    int64_t b, t, part;
    for (int64_t j0 = 0; j0 < n; j0 += WIDTH) {
        for (int i = 0; i < PRODUCTS; i++)
            REAL(anpe_product)
        (m, WIDTH, w, s->v + i * next_v, w, 1, s->u + (PRODUCTS * j0 + i * WIDTH) * w, NULL,
         s->m + i * next_m, WIDTH, 0);
        for (int64_t r = 0; r < m; r += part) {
            part = piece(groups(x->length), first, m, r, &b, &t);
            combine(part, x->length - GROUP * t, at_most(n - j0, WIDTH), s->m + r * WIDTH, next_m,
                    bias ? bias + j0 : zero, mode, to + (b * x->length + GROUP * t) * n + j0, n);
        }
    }
}

static void convolve(const padded *x, int64_t n, const parts *s, const real *bias, int mode,
                     real *to)
{
    const int64_t total = x->batch * groups(x->length), tile = tile_groups(x->width);
    for (int64_t q = 0; q < total; q += tile) {
        const int64_t m = at_most(total - q, tile);
        fill_inputs(x, q, m, s, x->width, round16(tile * x->width) + GAP);
        multiply(x, q, m, tile, n, s, bias, mode, to);
    }
}

void REAL(anpe_conv3_forward)(const anpe_call *c, int relu)
{
    const int64_t in = c->in_width[0], out = c->out_width;
    const padded x = sequence(c, c->in[0], NULL, in, 1);
    int64_t size[5];
    data_sizes(in, out, size);
    const parts s = cut(c->scratch, size);
    forward_taps(in, out, c->parameter[0], s.u);
    convolve(&x, out, &s, c->parameter[1], relu ? ANPE_PRODUCT_RELU : 0, c->out);
}

void REAL(anpe_conv3_backward_data)(const anpe_call *c, const real *mask)
{
    const int64_t in = c->in_width[0], out = c->out_width;
    const padded dz = sequence(c, c->grad_out, mask, out, 1);
    int64_t size[5];
    data_sizes(out, in, size);
    const parts s = cut(c->scratch, size);
    backward_taps(in, out, c->parameter[0], s.u);
    convolve(&dz, in, &s, NULL, c->grad_in_empty[0] ? 0 : ANPE_PRODUCT_ADD, c->grad_in[0]);
}

/* ---- backward for the weights ------------------------------------------------------------ */

/* w_i of m groups from rows (4 m, n) of dz, where mask is positive if there is one: rows of the
 * packed right factors (tile, n) of products, which are `next` apart. Adds the column sums to db.
 */
ANPE_INLINE void gradient_rows(const int masked, int64_t m, int64_t tile, int64_t n,
                               const real *restrict rows, const real *restrict mask,
                               real *restrict packed, int64_t next, real *restrict db)
{
    for (int64_t j0 = 0; j0 < n; j0 += WIDTH, packed += tile * WIDTH)
        for (int64_t r = 0; r < m; r++) {
            const int64_t at = GROUP * r * n + j0, columns = n - j0 < WIDTH ? n - j0 : WIDTH;
#pragma GCC ivdep
            for (int64_t j = 0; j < columns; j++) {
                const real *x = rows + at + j, *y = mask + at + j;
                const real e0 = kept(masked, x, y, 0), e1 = kept(masked, x, y, n);
                const real e2 = kept(masked, x, y, 2 * n), e3 = kept(masked, x, y, 3 * n);
                const real even_a = e0 + A * A * e2, odd_a = A * (e1 + A * A * e3);
                const real even_b = e0 + B * B * e2, odd_b = B * (e1 + B * B * e3);
                real *to = packed + r * WIDTH + j;
                to[0] = e0;
                to[next] = even_a + odd_a;
                to[2 * next] = even_a - odd_a;
                to[3 * next] = even_b + odd_b;
                to[4 * next] = even_b - odd_b;
                to[5 * next] = e3;
                db[j0 + j] += (e0 + e1) + (e2 + e3);
            }
        }
}

ANPE_CLONES
static void gradients_plain(int64_t m, int64_t tile, int64_t n, const real *rows, real *packed,
                            int64_t next, real *db)
{
    gradient_rows(0, m, tile, n, rows, rows, packed, next, db);
}

ANPE_CLONES
static void gradients_masked(int64_t m, int64_t tile, int64_t n, const real *rows, const real *mask,
                             real *packed, int64_t next, real *db)
{
    gradient_rows(1, m, tile, n, rows, mask, packed, next, db);
}

static void fill_gradients(const padded *dz, int64_t first, int64_t m, const parts *s)
{
    const int64_t n = dz->width, next = REAL(anpe_product_packed)(TILE_WEIGHTS, n) + GAP;
    int64_t b, t, part;
    for (int64_t r = 0; r < m; r += part) {
        part = piece(groups(dz->length), first, m, r, &b, &t);
        const int64_t whole = at_most((dz->length - GROUP * t) / GROUP, part);
        const int64_t at = (b * dz->length + GROUP * t) * n;
        part = whole > 0 ? whole : part;
        const real *rows = whole > 0 ? dz->x + at
                                     : REAL(anpe_padded_rows)(dz, b * dz->period + GROUP * t,
                                                              GROUP * part, s->rows);
        if (whole > 0 && dz->mask)
            gradients_masked(part, m, n, rows, dz->mask + at, s->m + r * WIDTH, next, s->db);
        else
            gradients_plain(part, m, n, rows, s->m + r * WIDTH, next, s->db);
    }
}

/* dw (out, in, 3) += from h (6, in, out), in blocks as in forward_taps. */
ANPE_CLONES
static void add_taps(int64_t in, int64_t out, const real *h, real *dw)
{
    enum { BLOCK = 16 };
    const int64_t n = in * out;
    real g[3 * BLOCK][BLOCK];
    for (int64_t o0 = 0; o0 < out; o0 += BLOCK)
        for (int64_t i0 = 0; i0 < in; i0 += BLOCK) {
            const int64_t rows = at_most(in - i0, BLOCK), columns = at_most(out - o0, BLOCK);
            for (int64_t i = 0; i < rows; i++) {
                const real *p = h + (i0 + i) * out + o0;
                for (int64_t o = 0; o < columns; o++) {
                    const real sum_a = SCALE_A * (p[n + o] + p[2 * n + o]);
                    const real sum_b = SCALE_B * (p[3 * n + o] + p[4 * n + o]);
                    g[3 * i][o] = SCALE_0 * p[o] + sum_a + sum_b;
                    g[3 * i + 1][o] = SCALE_A * A * (p[n + o] - p[2 * n + o]) +
                                      SCALE_B * B * (p[3 * n + o] - p[4 * n + o]);
                    g[3 * i + 2][o] = A * A * sum_a + B * B * sum_b + p[5 * n + o];
                }
            }
            for (int64_t o = 0; o < columns; o++)
                for (int64_t k = 0; k < 3 * rows; k++)
                    dw[((o0 + o) * in + i0) * 3 + k] += g[k][o];
        }
}

void REAL(anpe_conv3_backward_weights)(const anpe_call *c, const real *mask)
{
    const int64_t in = c->in_width[0], out = c->out_width;
    const padded x = sequence(c, c->in[0], NULL, in, 1);
    const padded dz = sequence(c, c->grad_out, mask, out, 0);
    const int64_t total = c->batch * groups(c->out_length);
    const int64_t ldv = in + PAD, next_v = round16(TILE_WEIGHTS * ldv) + GAP;
    const int64_t next_w = REAL(anpe_product_packed)(TILE_WEIGHTS, out) + GAP;
    int64_t size[5];
    weight_sizes(in, out, size);
    const parts s = cut(c->scratch, size);
    memset(s.db, 0, (size_t)out * sizeof(real));
    if (out % WIDTH) /* columns of the packed gradients that are only there to fill up */
        memset(s.m, 0, (size_t)size[3] * sizeof(real));
    for (int64_t q = 0; q < total; q += TILE_WEIGHTS) {
        const int64_t m = at_most(total - q, TILE_WEIGHTS);
        fill_inputs(&x, q, m, &s, ldv, next_v);
        fill_gradients(&dz, q, m, &s);
        for (int i = 0; i < PRODUCTS; i++)
            REAL(anpe_product)
        (in, out, m, s.v + i * next_v, 1, ldv, s.m + i * next_w, NULL, s.u + i * in * out, out,
         q ? ANPE_PRODUCT_ADD : 0);
    }
    add_taps(in, out, s.u, c->grad_parameter[0]);
    for (int64_t o = 0; c->grad_parameter[1] && o < out; o++)
        ((real *)c->grad_parameter[1])[o] += s.db[o];
}
