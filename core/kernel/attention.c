/* Multi-head self-attention (Vaswani et al. 2017) of rows (q, k, v), one head at a time:
 *   S = Q K^T,  P = softmax of the rows of a S,  Y = P V,  a = 1 / sqrt(d)
 * Backward (with D the row sums of dY o Y):
 *   dV = P^T dY,  dS = a P o (dY V^T - D),  dQ = dS K,  dK = dS^T Q
 * The rows of P are made a tile of queries at a time and once more in backward from the shift and
 * the scale of each row's softmax, which are saved, so that a tile stays in the cache and the
 * (L, L) matrix never exists (after Dao et al. 2022). */
#include <config.h>
#include "kernel/kernels.h"
#include "kernel/product.h"

enum { TILE = 56, PARTS = 16 }; /* queries; values side by side, for the vectoriser */

static int64_t round16(int64_t n)
{
    return (n + 15) / 16 * 16;
}

/* What one head works with. q, k, v: distance of rows 3 C; y: C. */
typedef struct head {
    int64_t length, d, width;
    real scale;
    const real *q, *k, *v;
    real *keys, *values, *back; /* packed K^T (d, L); V (L, d) or V^T (d, L); K (L, d) */
    real *tile;                 /* packed rows of a tile (TILE, d) */
    real *p, *dp;               /* (TILE, L) */
} head;

static int64_t heads(const anpe_call *c)
{
    return ((const anpe_size_attributes *)c->attributes)->n;
}

static int64_t packed_size(int64_t k, int64_t n)
{
    return round16(REAL(anpe_product_packed)(k, n));
}

size_t REAL(anpe_attention_scratch)(const anpe_call *c)
{
    const int64_t length = c->in_length[0], d = c->out_width / heads(c);
    const int64_t down = packed_size(d, length), across = packed_size(length, d);
    return (size_t)(down + (down > across ? down : across) + across + packed_size(TILE, d) +
                    2 * round16(TILE * length)) *
           sizeof(real);
}

/* Head h of sample b. */
static head open_head(const anpe_call *c, int64_t b, int64_t h)
{
    head t = {.length = c->in_length[0], .width = c->out_width, .d = c->out_width / heads(c)};
    const int64_t down = packed_size(t.d, t.length), across = packed_size(t.length, t.d);
    t.scale = 1 / (real)sqrt((double)t.d);
    t.q = (const real *)c->in[0] + b * t.length * 3 * t.width + h * t.d;
    t.k = t.q + t.width;
    t.v = t.k + t.width;
    t.keys = c->scratch;
    t.values = t.keys + down;
    t.back = t.values + (down > across ? down : across);
    t.tile = t.back + across;
    t.p = t.tile + packed_size(TILE, t.d);
    t.dp = t.p + round16(TILE * t.length);
    REAL(anpe_product_pack)(t.d, t.length, t.k, 1, 3 * t.width, t.keys);
    return t;
}

/* s becomes exp(scale s - shift) / sum; shift = scale max(s). saved: shift and 1 / sum. */
ANPE_CLONES
static void softmax(int64_t n, real scale, real *s, real *saved)
{
    real most[PARTS], part[PARTS] = {0}, top = s[0], sum = 0;
    for (int i = 0; i < PARTS; i++)
        most[i] = s[0];
    int64_t j = 0;
    for (; j + PARTS <= n; j += PARTS)
        for (int i = 0; i < PARTS; i++)
            most[i] = s[j + i] > most[i] ? s[j + i] : most[i];
    for (; j < n; j++)
        most[0] = s[j] > most[0] ? s[j] : most[0];
    for (int i = 0; i < PARTS; i++)
        top = most[i] > top ? most[i] : top;
    const real shift = scale * top;
    for (j = 0; j < n; j++)
        s[j] = real_exp(scale * s[j] - shift);
    for (j = 0; j + PARTS <= n; j += PARTS)
        for (int i = 0; i < PARTS; i++)
            part[i] += s[j + i];
    for (; j < n; j++)
        sum += s[j];
    for (int i = 0; i < PARTS; i++)
        sum += part[i];
    for (j = 0; j < n; j++)
        s[j] *= 1 / sum;
    saved[0] = shift, saved[1] = 1 / sum;
}

void REAL(anpe_attention_forward)(const anpe_call *c)
{
    real *saved = c->saved;
    for (int64_t i = 0; i < c->batch * heads(c); i++) {
        const int64_t b = i / heads(c), h = i % heads(c);
        const head t = open_head(c, b, h);
        real *y = (real *)c->out + b * t.length * t.width + h * t.d;
        REAL(anpe_product_pack)(t.length, t.d, t.v, 3 * t.width, 1, t.values);
        for (int64_t l = 0; l < t.length; l += TILE) {
            const int64_t m = t.length - l < TILE ? t.length - l : TILE;
            REAL(anpe_product)
            (m, t.length, t.d, t.q + l * 3 * t.width, 3 * t.width, 1, t.keys, NULL, t.p, t.length,
             0);
            for (int64_t r = 0; r < m; r++, saved += 2)
                softmax(t.length, t.scale, t.p + r * t.length, saved);
            REAL(anpe_product)
            (m, t.d, t.length, t.p, t.length, 1, t.values, NULL, y + l * t.width, t.width, 0);
        }
    }
}

ANPE_CLONES
static void softmax_again(int64_t n, real scale, const real *saved, real *s)
{
    for (int64_t j = 0; j < n; j++)
        s[j] = real_exp(scale * s[j] - saved[0]) * saved[1];
}

/* dp = scale p (dp - sum(dy y)) of one row */
ANPE_CLONES
static void score_gradient(int64_t n, real scale, const real *p, int64_t d, const real *dy,
                           const real *y, real *dp)
{
    real sum = 0;
    for (int64_t j = 0; j < d; j++)
        sum += dy[j] * y[j];
    for (int64_t j = 0; j < n; j++)
        dp[j] = scale * p[j] * (dp[j] - sum);
}

/* Queries l .. l + m - 1; dq, dk, dv, dy, y of the head. */
static void backward_tile(const head *t, int64_t l, int64_t m, const real *saved, const real *dy,
                          const real *y, real *dq)
{
    const int64_t n = t->length, three = 3 * t->width;
    real *dk = dq + t->width, *dv = dk + t->width;
    const real *q = t->q + l * three;
    dy += l * t->width;
    y += l * t->width;
    REAL(anpe_product)(m, n, t->d, q, three, 1, t->keys, NULL, t->p, n, 0);
    for (int64_t r = 0; r < m; r++)
        softmax_again(n, t->scale, saved + 2 * r, t->p + r * n);
    REAL(anpe_product_pack)(m, t->d, dy, t->width, 1, t->tile);
    REAL(anpe_product)(n, t->d, m, t->p, 1, n, t->tile, NULL, dv, three, ANPE_PRODUCT_ADD);
    REAL(anpe_product)(m, n, t->d, dy, t->width, 1, t->values, NULL, t->dp, n, 0);
    for (int64_t r = 0; r < m; r++)
        score_gradient(n, t->scale, t->p + r * n, t->d, dy + r * t->width, y + r * t->width,
                       t->dp + r * n);
    REAL(anpe_product)
    (m, t->d, n, t->dp, n, 1, t->back, NULL, dq + l * three, three, ANPE_PRODUCT_ADD);
    REAL(anpe_product_pack)(m, t->d, q, three, 1, t->tile);
    REAL(anpe_product)(n, t->d, m, t->dp, 1, n, t->tile, NULL, dk, three, ANPE_PRODUCT_ADD);
}

void REAL(anpe_attention_backward)(const anpe_call *c)
{
    const real *saved = c->saved;
    for (int64_t i = 0; c->grad_in[0] && i < c->batch * heads(c); i++) {
        const int64_t b = i / heads(c), h = i % heads(c);
        const head t = open_head(c, b, h);
        const int64_t start = b * t.length * t.width + h * t.d;
        real *dq = (real *)c->grad_in[0] + b * t.length * 3 * t.width + h * t.d;
        REAL(anpe_product_pack)(t.d, t.length, t.v, 1, 3 * t.width, t.values);
        REAL(anpe_product_pack)(t.length, t.d, t.k, 3 * t.width, 1, t.back);
        for (int64_t l = 0; l < t.length; l += TILE) {
            const int64_t m = t.length - l < TILE ? t.length - l : TILE;
            backward_tile(&t, l, m, saved + 2 * l, (const real *)c->grad_out + start,
                          (const real *)c->out + start, dq);
        }
        saved += 2 * t.length;
    }
}
