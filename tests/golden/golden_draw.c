/* The plugin's sampler source compiled for double, and a plain evaluation of the flow the other
 * way, which finds z and the u that chooses a given component. */
#include "golden/golden.h"
#include <math.h>
#include <stdio.h>

typedef double real;
#define real_exp exp
#define real_log log
#include "../../plugins/flow/maf/mixture.h"

static made_shape shape_of(const golden *g)
{
    return (made_shape){g->labels, g->cond, g->num_blocks, g->hidden, 2, 3 * g->n_mog, g->direct};
}

static maf_shape mixture_of(const golden *g)
{
    return (maf_shape){g->n_mog, g->clamp[0], g->clamp[1]};
}

static const double *raw(const fixture *f, const char *format, int64_t block)
{
    char name[64];
    snprintf(name, sizeof name, format, (int)block);
    const anpe_parameter *p = anpe_parameters_find(f->parameters, name);
    return p ? (const double *)f->parameters->raw + p->offset : NULL;
}

/* Raw weights serve: the sampler and the loops below leave out what the masks make zero. */
static made_weights *weights_of(const golden *g, const fixture *f)
{
    made_weights *w = calloc((size_t)g->num_blocks, sizeof *w);
    for (int64_t b = 0; w && b < g->num_blocks; b++)
        w[b] = (made_weights){
            .permutation = raw(f, "flow.permutation.%d", b),
            .w0 = raw(f, "flow.blocks.%d.l0.weight", b),
            .b0 = raw(f, "flow.blocks.%d.l0.bias", b),
            .w1 = raw(f, "flow.blocks.%d.l1.weight", b),
            .b1 = raw(f, "flow.blocks.%d.l1.bias", b),
            .w2 = raw(f, "flow.blocks.%d.l2.weight", b),
            .b2 = raw(f, "flow.blocks.%d.l2.bias", b),
            .context = raw(f, "flow.blocks.%d.cond.weight", b),
            .direct = raw(f, "flow.blocks.%d.direct.weight", b),
        };
    return w;
}

anpe_status golden_draw_double(anpe_ctx *ctx, const golden *g, const fixture *f,
                               const double *context, int64_t n, const double *z, const double *u,
                               double *labels)
{
    const made_shape shape = shape_of(g);
    const maf_shape mixture = mixture_of(g);
    const made_flow flow = {maf_label, &mixture};
    made_weights *w = weights_of(g, f);
    made_sampler *s = w ? made_sampler_new(&shape, w) : NULL;
    void *scratch = anpe_alloc(ctx, made_scratch_size(&shape));
    const int ok = s && scratch;
    if (ok)
        made_sample(s, &flow, context, n, z, u, labels, NULL, scratch);
    anpe_free(scratch);
    made_sampler_free(s);
    free(w);
    return ok ? ANPE_OK : ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
}

/* out (outputs x D) of one MADE at x (D), c (F); h: scratch of 2 hidden. */
static void made(const made_shape *p, const made_weights *w, int64_t outputs, const double *x,
                 const double *c, double *h, double *out)
{
    const int64_t D = p->n_labels, H = p->hidden;
    double *g = h + H;
    for (int64_t j = 0; j < H; j++) {
        h[j] = w->b0[j];
        for (int64_t f = 0; f < p->n_context; f++)
            h[j] += w->context[j * p->n_context + f] * c[f];
        for (int64_t d = 0; d < D && d <= made_hidden_degree(p, j); d++)
            h[j] += w->w0[j * D + d] * x[d];
        h[j] = fmax(h[j], 0);
    }
    for (int64_t j = 0; j < H; j++) {
        g[j] = w->b1[j];
        for (int64_t i = 0; i < H; i++)
            if (made_hidden_degree(p, i) <= made_hidden_degree(p, j))
                g[j] += w->w1[j * H + i] * h[i];
        g[j] = fmax(g[j], 0);
    }
    for (int64_t o = 0; o < outputs * D; o++) {
        out[o] = w->b2[o];
        for (int64_t f = 0; p->direct && f < p->n_context; f++)
            out[o] += w->direct[o * p->n_context + f] * c[f];
        for (int64_t j = 0; j < H; j++)
            if (made_hidden_degree(p, j) < o % D)
                out[o] += w->w2[o * H + j] * g[j];
    }
}

/* x through a block's permutation, from x to y. */
static void permute(int64_t n, const double *permutation, const double *x, double *y)
{
    for (int64_t d = 0; d < n; d++)
        y[d] = x[(int64_t)permutation[d]];
}

/* Cumulative softmax: the middle of component k's interval. logit: stride 3 D. */
static double middle(int64_t n, const double *logit, int64_t stride, int64_t k)
{
    double most = logit[0], below = 0, total = 0;
    for (int64_t c = 0; c < n; c++)
        most = fmax(most, logit[c * stride]);
    for (int64_t c = 0; c < n; c++) {
        const double e = exp(logit[c * stride] - most);
        total += e;
        below += c < k ? e : c == k ? e / 2 : 0;
    }
    return below / total;
}

anpe_status golden_uniforms(anpe_ctx *ctx, const golden *g, const fixture *f, const double *context,
                            int64_t n, const double *labels, const double *k, double *z, double *u)
{
    const made_shape p = shape_of(g);
    const maf_shape m = mixture_of(g);
    const int64_t D = p.n_labels, last = p.n_blocks - 1;
    made_weights *w = weights_of(g, f);
    double *h = malloc((size_t)(2 * p.hidden + (2 + 3 * m.n_mog + 2) * D) * sizeof *h);
    if (!w || !h) {
        free(w);
        free(h);
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    }
    double *x = h + 2 * p.hidden, *y = x + D, *out = y + D;
    for (int64_t i = 0; i < n; i++) {
        memcpy(x, labels + i * D, (size_t)D * sizeof *x);
        for (int64_t b = 0; b < last; b++) {
            permute(D, w[b].permutation, x, y);
            made(&p, &w[b], 2, y, context + i * p.n_context, h, out);
            for (int64_t d = 0; d < D; d++)
                x[d] = (y[d] - out[d]) * exp(-fmin(fmax(out[D + d], m.lo), m.hi));
        }
        permute(D, w[last].permutation, x, y);
        made(&p, &w[last], 3 * m.n_mog, y, context + i * p.n_context, h, out);
        for (int64_t d = 0; d < D; d++) {
            const int64_t c = (int64_t)k[i * D + d];
            const double *mean = out + 3 * c * D + d, *scale = mean + D;
            u[i * D + d] = middle(m.n_mog, out + 2 * D + d, 3 * D, c);
            if (z)
                z[i * D + d] = (y[d] - *mean) * exp(-fmin(fmax(*scale, m.lo), m.hi));
        }
    }
    free(w);
    free(h);
    return ANPE_OK;
}
