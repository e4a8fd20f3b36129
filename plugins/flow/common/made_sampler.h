/* Draws from a flow whose blocks are MADEs, in one pass per block.
 *
 * A hidden unit of degree g depends on labels 0..g only, so it is known once label g has been
 * drawn, and the outputs of label d need only hidden units of degree < d. Units are ordered by
 * degree; each is computed once, so that D labels cost one evaluation of the network instead of D.
 * The products C c with the context are shared by all draws of one spectrum.
 *
 * Draws go in panels of LANES, one per vector lane: activations are (unit, lane). Weights are
 * packed in the order in which they are used. A draw's value does not depend on its neighbours.
 *
 * What the outputs mean is the flow's business: a made_label_fn turns them into a label.
 *
 * One source for two precisions: the file that includes this defines `real` (the plugins: float;
 * the comparison with golden values: double as well). */
#ifndef ANPE_FLOW_MADE_SAMPLER_H
#define ANPE_FLOW_MADE_SAMPLER_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct made_shape {
    int64_t n_labels, n_context, n_blocks, hidden;
    int64_t n_out, n_out_last; /* outputs for each label: of a block, of the last one */
    int direct;                /* outputs have a linear term in the context */
} made_shape;

static inline int64_t made_outputs(const made_shape *s, int64_t block)
{
    return block < s->n_blocks - 1 ? s->n_out : s->n_out_last;
}
static inline int made_hidden_degree(const made_shape *s, int64_t unit)
{
    return (int)(unit % (s->n_labels > 1 ? s->n_labels - 1 : 1));
}

#define PANEL_BYTES 64 /* a row of a panel: the widest vector register */
#define LANES       ((int64_t)(PANEL_BYTES / sizeof(real)))
#define MAX_ROWS    6 /* rows of a product at a time */
#define MAX_PANELS  8 /* panels that pass a block together, while its weights are in cache */

/* One label of a panel of draws through one block, from its output space to its input space: x
 * (lane) in place, the log density of what x was and is (lane) added to log_prob. out (n_out,
 * lane): the block's outputs for this label, free to be overwritten. u (lane): uniform in (0, 1).
 */
typedef void made_label_fn(const void *self, int last, real *out, const real *u, real *x,
                           double *log_prob);

/* y (rows, lane) = bias + W x, relu on demand. w: packed by pack_rows. */
typedef void made_product_fn(int64_t n_rows, int64_t n_in, const real *w, const real *x,
                             const real *bias, int relu, real *y);

typedef struct made_block {
    int64_t n_out;               /* outputs per label */
    int64_t *permutation;        /* the block sees y[i] = x[permutation[i]] */
    real *context, *direct;      /* transposed: (F, hidden_stride), (F, out_stride) */
    real *bias0, *bias1, *bias2; /* hidden units by degree; outputs by label */
    real *packed;                /* per label: output rows, then both hidden layers' rows */
} made_block;

typedef struct made_sampler {
    made_shape shape;
    int64_t hidden_stride, out_stride; /* multiples of LANES */
    int64_t *end;                      /* (D) hidden units of degree <= d */
    made_block *block;
    made_product_fn *product;
} made_sampler;

/* ---- the product ------------------------------------------------------------------------- */

#define PRODUCT        product_plain
#define PRODUCT_TARGET /* what every machine has: 16-byte vectors on x86-64 */
#define PRODUCT_BYTES  16
#define PRODUCT_PARTS  2
#include "made_product.h"
#if defined __x86_64__
#define PRODUCT        product_avx2
#define PRODUCT_TARGET __attribute__((target("avx2,fma")))
#define PRODUCT_BYTES  32
#define PRODUCT_PARTS  2
#include "made_product.h"
#define PRODUCT        product_avx512
#define PRODUCT_TARGET __attribute__((target("avx512f")))
#define PRODUCT_BYTES  64
#define PRODUCT_PARTS  1
#include "made_product.h"
#endif

/* The best that this machine runs. */
static made_product_fn *choose_product(void)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return product_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return product_avx2;
#endif
    return product_plain;
}

/* ---- making a sampler -------------------------------------------------------------------- */

static int64_t round_up(int64_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

static int64_t most_outputs(const made_shape *p)
{
    return p->n_out > p->n_out_last ? p->n_out : p->n_out_last;
}

static real *aligned_reals(int64_t n)
{
    const size_t size = (size_t)round_up(n > 0 ? n : 1) * sizeof(real);
    real *p = aligned_alloc(PANEL_BYTES, size);
    if (p)
        memset(p, 0, size);
    return p;
}

static made_sampler *made_sampler_free(made_sampler *s)
{
    if (!s)
        return NULL;
    for (int64_t b = 0; s->block && b < s->shape.n_blocks; b++) {
        made_block *k = &s->block[b];
        void *const owned[] = {k->permutation, k->context, k->direct, k->bias0,
                               k->bias1,       k->bias2,   k->packed};
        for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
            free(owned[i]);
    }
    free(s->block);
    free(s->end);
    free(s);
    return NULL;
}

/* The weights of one block as the graph has them: (out, in). */
typedef struct made_weights {
    const real *permutation;
    const real *w0, *b0, *w1, *b1, *w2, *b2, *context, *direct; /* direct may be NULL */
} made_weights;

/* Rows row[i] of w (., stride), columns column[0..n_in), in groups of MAX_ROWS with the rows of a
 * group fastest. Returns the end. */
static real *pack_rows(real *to, int64_t n_rows, const int64_t *row, int64_t n_in,
                       const int64_t *column, const real *w, int64_t stride)
{
    for (int64_t first = 0; first < n_rows; first += MAX_ROWS) {
        const int64_t last = first + MAX_ROWS < n_rows ? first + MAX_ROWS : n_rows;
        for (int64_t k = 0; k < n_in; k++)
            for (int64_t r = first; r < last; r++)
                *to++ = w[row[r] * stride + column[k]];
    }
    return to;
}

static int64_t packed_size(const made_sampler *s, int64_t n_out)
{
    int64_t size = 0, begin = 0;
    for (int64_t d = 0; d < s->shape.n_labels; d++) {
        size += n_out * begin;
        if (d < s->shape.n_labels - 1) {
            size += (s->end[d] - begin) * (d + 1 + s->end[d]);
            begin = s->end[d];
        }
    }
    return size;
}

static int allocate_block(const made_sampler *s, made_block *k)
{
    const made_shape *p = &s->shape;
    k->permutation = malloc((size_t)p->n_labels * sizeof *k->permutation);
    k->context = aligned_reals(p->n_context * s->hidden_stride);
    k->direct = aligned_reals(p->direct ? p->n_context * s->out_stride : 0);
    k->bias0 = aligned_reals(s->hidden_stride);
    k->bias1 = aligned_reals(s->hidden_stride);
    k->bias2 = aligned_reals(s->out_stride);
    k->packed = aligned_reals(packed_size(s, k->n_out));
    return k->permutation && k->context && k->direct && k->bias0 && k->bias1 && k->bias2 &&
           k->packed;
}

/* unit: hidden units in order of degree. out: scratch for the output rows of one label; row o of
 * the graph is (quantity o / D, label o % D). */
static void fill_block(const made_sampler *s, made_block *k, const made_weights *w,
                       const int64_t *unit, const int64_t *label, int64_t *out)
{
    const made_shape *p = &s->shape;
    const int64_t D = p->n_labels, H = p->hidden, F = p->n_context;
    real *packed = k->packed;
    int64_t begin = 0;

    for (int64_t d = 0; d < D; d++) {
        for (int64_t j = 0; j < k->n_out; j++) {
            out[j] = j * D + d;
            k->bias2[d * k->n_out + j] = w->b2[out[j]];
            for (int64_t f = 0; p->direct && f < F; f++)
                k->direct[f * s->out_stride + d * k->n_out + j] = w->direct[out[j] * F + f];
        }
        packed = pack_rows(packed, k->n_out, out, begin, unit, w->w2, H);
        if (d < D - 1) {
            const int64_t n = s->end[d] - begin;
            packed = pack_rows(packed, n, unit + begin, d + 1, label, w->w0, D);
            packed = pack_rows(packed, n, unit + begin, s->end[d], unit, w->w1, H);
            begin = s->end[d];
        }
        k->permutation[d] = (int64_t)w->permutation[d];
    }
    for (int64_t i = 0; i < H; i++) {
        k->bias0[i] = w->b0[unit[i]];
        k->bias1[i] = w->b1[unit[i]];
        for (int64_t f = 0; f < F; f++)
            k->context[f * s->hidden_stride + i] = w->context[unit[i] * F + f];
    }
}

/* Hidden units by degree (stable), and how many have a degree up to each label. */
static void order_units(made_sampler *s, int64_t *unit)
{
    const made_shape *p = &s->shape;
    int64_t n = 0;
    for (int64_t d = 0; d < p->n_labels; d++) {
        for (int64_t j = 0; j < p->hidden; j++)
            if (made_hidden_degree(p, j) == d)
                unit[n++] = j;
        s->end[d] = n;
    }
}

/* weights (n_blocks). NULL: out of memory. Keeps nothing of the weights. */
static inline made_sampler *made_sampler_new(const made_shape *shape, const made_weights *weights)
{
    const int64_t D = shape->n_labels, most = most_outputs(shape);
    int64_t *scratch = malloc((size_t)(shape->hidden + D + most) * sizeof *scratch);
    made_sampler *s = calloc(1, sizeof *s);
    if (!s || !scratch)
        goto fail;
    s->shape = *shape;
    s->product = choose_product();
    s->hidden_stride = round_up(shape->hidden);
    s->out_stride = round_up(most * D);
    s->end = malloc((size_t)D * sizeof *s->end);
    s->block = calloc((size_t)shape->n_blocks, sizeof *s->block);
    if (!s->end || !s->block)
        goto fail;

    int64_t *unit = scratch, *label = unit + shape->hidden, *out = label + D;
    order_units(s, unit);
    for (int64_t d = 0; d < D; d++)
        label[d] = d;
    for (int64_t b = 0; b < shape->n_blocks; b++) {
        s->block[b].n_out = made_outputs(shape, b);
        if (!allocate_block(s, &s->block[b]))
            goto fail;
        fill_block(s, &s->block[b], &weights[b], unit, label, out);
    }
    free(scratch);
    return s;
fail:
    free(scratch);
    return made_sampler_free(s);
}

/* ---- drawing ----------------------------------------------------------------------------- */

/* The flow whose blocks these are: what to do with a label, and what that function is given. */
typedef struct made_flow {
    made_label_fn *label;
    const void *self;
} made_flow;

/* Memory of one call: the caller's scratch in parts. */
typedef struct made_work {
    real *bias0, *bias2; /* (block, stride) with the context's part */
    real *x, *other, *u; /* (panel, D, lane) */
    real *h0, *h1;       /* (hidden, lane) */
    real *out;           /* (outputs of a label, lane) */
    double log_prob[MAX_PANELS * PANEL_BYTES / sizeof(real)];
} made_work;

/* Cuts memory into the parts, each on a boundary of LANES; returns how many reals they are. */
static int64_t cut_scratch(const made_shape *p, real *memory, made_work *w)
{
    const int64_t panel = p->n_labels * LANES, most = most_outputs(p);
    const struct {
        real **part;
        int64_t size;
    } parts[] = {{&w->bias0, p->n_blocks * round_up(p->hidden)},
                 {&w->bias2, p->n_blocks * round_up(most * p->n_labels)},
                 {&w->x, MAX_PANELS * panel},
                 {&w->other, MAX_PANELS * panel},
                 {&w->u, MAX_PANELS * panel},
                 {&w->h0, p->hidden * LANES},
                 {&w->h1, p->hidden * LANES},
                 {&w->out, most * LANES}};
    int64_t at = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *parts[i].part = memory ? memory + at : NULL;
        at += parts[i].size;
    }
    return at;
}

/* Bytes of scratch of made_sample. */
static inline size_t made_scratch_size(const made_shape *p)
{
    made_work w;
    return (size_t)cut_scratch(p, NULL, &w) * sizeof(real);
}

/* to = bias + sum_f c_f column_f, all (stride). */
static void add_context(int64_t stride, const real *bias, int64_t n, const real *columns,
                        const real *c, real *to)
{
    typedef real vector __attribute__((vector_size(16), may_alias));
    memcpy(to, bias, (size_t)stride * sizeof(real));
    for (int64_t f = 0; f < n; f++) {
        const vector *column = (const vector *)(const void *)(columns + f * stride);
        for (int64_t i = 0; i < stride * (int64_t)sizeof(real) / 16; i++)
            ((vector *)(void *)to)[i] += column[i] * c[f];
    }
}

/* One panel through one block: x (D, lane) from the block's output space to its input space.
 * bias0, bias2: this block's, with the context. */
static void invert_panel(const made_sampler *s, const made_flow *f, const made_block *k,
                         const real *bias0, const real *bias2, const made_work *w, const real *u,
                         real *x, double *log_prob)
{
    const made_shape *p = &s->shape;
    const int64_t D = p->n_labels, n_out = k->n_out;
    const int last = k == &s->block[p->n_blocks - 1];
    const real *packed = k->packed;
    int64_t begin = 0;

    for (int64_t d = 0; d < D; d++) {
        s->product(n_out, begin, packed, w->h1, bias2 + d * n_out, 0, w->out);
        packed += n_out * begin;
        f->label(f->self, last, w->out, u + d * LANES, x + d * LANES, log_prob);
        if (d == D - 1)
            break;
        const int64_t n = s->end[d] - begin;
        s->product(n, d + 1, packed, x, bias0 + begin, 1, w->h0 + begin * LANES);
        packed += n * (d + 1);
        s->product(n, s->end[d], packed, w->h0, k->bias1 + begin, 1, w->h1 + begin * LANES);
        packed += n * s->end[d];
        begin = s->end[d];
    }
}

/* Up to MAX_PANELS panels; z, u, labels: rows of D. */
static void draw_panels(const made_sampler *s, const made_flow *f, made_work *w, int64_t n,
                        const real *z, const real *u, real *labels, real *log_prob)
{
    const made_shape *p = &s->shape;
    const int64_t D = p->n_labels, panels = (n + LANES - 1) / LANES;

    for (int64_t i = 0; i < panels * LANES; i++) {
        real *x = w->x + i / LANES * D * LANES + i % LANES;
        real *v = w->u + i / LANES * D * LANES + i % LANES;
        w->log_prob[i] = 0;
        for (int64_t d = 0; d < D; d++) {
            x[d * LANES] = i < n ? z[i * D + d] : 0;
            v[d * LANES] = i < n ? u[i * D + d] : (real)0.5;
        }
    }
    for (int64_t b = p->n_blocks - 1; b >= 0; b--) {
        const made_block *k = &s->block[b];
        for (int64_t j = 0; j < panels; j++) {
            real *x = w->x + j * D * LANES, *y = w->other + j * D * LANES;
            invert_panel(s, f, k, w->bias0 + b * s->hidden_stride, w->bias2 + b * s->out_stride, w,
                         w->u + j * D * LANES, x, w->log_prob + j * LANES);
            for (int64_t d = 0; d < D; d++)
                memcpy(y + k->permutation[d] * LANES, x + d * LANES, PANEL_BYTES);
        }
        real *swap = w->x;
        w->x = w->other;
        w->other = swap;
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t d = 0; d < D; d++)
            labels[i * D + d] = w->x[i / LANES * D * LANES + d * LANES + i % LANES];
        if (log_prob)
            log_prob[i] = (real)w->log_prob[i];
    }
}

/* n draws for one context (F): z, u (n, D) -> labels (n, D) and log_prob (n) or NULL. scratch:
 * made_scratch_size bytes, aligned to PANEL_BYTES. */
static inline void made_sample(const made_sampler *s, const made_flow *f, const real *context,
                               int64_t n, const real *z, const real *u, real *labels,
                               real *log_prob, void *scratch)
{
    const made_shape *p = &s->shape;
    const int64_t D = p->n_labels, most = MAX_PANELS * LANES;
    made_work w;
    cut_scratch(p, scratch, &w);
    for (int64_t b = 0; b < p->n_blocks; b++) {
        const made_block *k = &s->block[b];
        add_context(s->hidden_stride, k->bias0, p->n_context, k->context, context,
                    w.bias0 + b * s->hidden_stride);
        add_context(s->out_stride, k->bias2, p->direct ? p->n_context : 0, k->direct, context,
                    w.bias2 + b * s->out_stride);
    }
    for (int64_t i = 0; i < n; i += most)
        draw_panels(s, f, &w, n - i < most ? n - i : most, z + i * D, u + i * D, labels + i * D,
                    log_prob ? log_prob + i : NULL);
}
#endif
