/* Flows made of MADEs; see made.h. */
#include "made.h"
#include <math.h>
#include <stdio.h>

/* ---- the network ------------------------------------------------------------------------- */

anpe_node made_permute(const made *m, anpe_graph *g, int64_t block, anpe_node x)
{
    return anpe_permute(g, anpe_name(g, "permutation.%d", (int)block), x,
                        m->permutation + block * m->shape.n_labels);
}

anpe_node made_network(const made *m, anpe_graph *g, int64_t block, anpe_node x, anpe_node context)
{
    const int64_t n_out = made_outputs(&m->shape, block) * m->shape.n_labels;
    const int64_t hidden = m->shape.hidden;
    const char *name = anpe_name(g, "blocks.%d", (int)block);
    anpe_node h, out;
    h = anpe_masked_linear(g, anpe_name(g, "%s.l0", name), x, hidden, m->degree_hidden,
                           m->degree_in, 0);
    h = anpe_add(g, h,
                 anpe_linear(g, anpe_name(g, "%s.cond", name), context, hidden, ANPE_NO_BIAS));
    h = anpe_relu(g, h);
    h = anpe_masked_linear(g, anpe_name(g, "%s.l1", name), h, hidden, m->degree_hidden,
                           m->degree_hidden, ANPE_RELU);
    out = anpe_masked_linear(g, anpe_name(g, "%s.l2", name), h, n_out, m->degree_out,
                             m->degree_hidden, 0);
    if (m->shape.direct)
        out = anpe_add(g, out,
                       anpe_linear(g, anpe_name(g, "%s.direct", name), context, n_out,
                                   ANPE_NO_BIAS | ANPE_ZERO_INIT));
    return out;
}

/* ---- drawing ----------------------------------------------------------------------------- */

static const float *weight(anpe_ctx *ctx, const anpe_weights *weights, int64_t size,
                           const char *format, int block, const char *part)
{
    char name[64];
    int rank = 0;
    int64_t shape[4], n = 1;
    snprintf(name, sizeof name, format, block, part);
    const float *w = anpe_weights_get(weights, name, &rank, shape);
    for (int i = 0; w && i < rank; i++)
        n *= shape[i];
    if (w && n == size)
        return w;
    (void)ANPE_FAIL(ctx, ANPE_EFORMAT, w ? "weight %s has a wrong shape" : "no weight %s", name);
    return NULL;
}

static anpe_status find_weights(const made *m, anpe_ctx *ctx, const anpe_weights *weights,
                                int block, made_weights *w)
{
    const made_shape *p = &m->shape;
    const int64_t H = p->hidden, D = p->n_labels, F = p->n_context, O = made_outputs(p, block) * D;
    const struct {
        const float **to;
        const char *part;
        int64_t size;
    } parts[] = {{&w->w0, "l0.weight", H * D},        {&w->b0, "l0.bias", H},
                 {&w->w1, "l1.weight", H * H},        {&w->b1, "l1.bias", H},
                 {&w->w2, "l2.weight", O * H},        {&w->b2, "l2.bias", O},
                 {&w->context, "cond.weight", H * F}, {&w->direct, "direct.weight", O * F}};
    const size_t n = sizeof parts / sizeof parts[0] - (p->direct ? 0 : 1);

    w->direct = NULL;
    w->permutation = weight(ctx, weights, D, "permutation.%d%s", block, "");
    if (!w->permutation)
        return ANPE_EFORMAT;
    for (size_t i = 0; i < n; i++) {
        *parts[i].to = weight(ctx, weights, parts[i].size, "blocks.%d.%s", block, parts[i].part);
        if (!*parts[i].to)
            return ANPE_EFORMAT;
    }
    return ANPE_OK;
}

/* A model file may hold anything: an index outside the labels would be written through. */
static anpe_status check_permutation(const made *m, anpe_ctx *ctx, int block, const float *v)
{
    const int64_t D = m->shape.n_labels;
    for (int64_t i = 0; i < D; i++) {
        if (!(v[i] >= 0 && v[i] < (float)D) || v[i] != floorf(v[i]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "permutation.%d[%lld] is %g, not a label", block,
                             (long long)i, (double)v[i]);
        for (int64_t j = 0; j < i; j++)
            if (v[j] == v[i])
                return ANPE_FAIL(ctx, ANPE_EFORMAT, "permutation.%d has label %g twice", block,
                                 (double)v[i]);
    }
    return ANPE_OK;
}

anpe_status made_sampler_from(const made *m, anpe_ctx *ctx, const anpe_weights *weights,
                              made_sampler **out)
{
    const int64_t n = m->shape.n_blocks;
    anpe_status status = ANPE_OK;
    made_weights *w;
    if (ANPE_NEW(ctx, w, n))
        return ANPE_ENOMEM;
    for (int64_t b = 0; b < n && !status; b++) {
        status = find_weights(m, ctx, weights, (int)b, &w[b]);
        if (!status)
            status = check_permutation(m, ctx, (int)b, w[b].permutation);
    }
    if (!status && !(*out = made_sampler_new(&m->shape, w)))
        status = ANPE_NO_MEMORY(ctx, "a sampler");
    free(w);
    return status;
}

/* ---- creation ---------------------------------------------------------------------------- */

void made_clear(made *m)
{
    free(m->degree_in);
    free(m->degree_hidden);
    free(m->degree_out);
    free(m->permutation);
}

static void set_degrees(made *m, int64_t n_out)
{
    const int64_t D = m->shape.n_labels;
    for (int64_t i = 0; i < D; i++)
        m->degree_in[i] = (int)i;
    for (int64_t j = 0; j < m->shape.hidden; j++)
        m->degree_hidden[j] = made_hidden_degree(&m->shape, j);
    for (int64_t o = 0; o < n_out; o++)
        m->degree_out[o] = (int)(o % D) - 1;
}

/* Even blocks: a random order. Odd blocks: the order before, backwards, so that already two blocks
 * let every label depend on every other. A permutation acts on what the one before has left, so
 * reversal is the same in any block. */
static void set_permutations(made *m, uint32_t seed)
{
    const int64_t D = m->shape.n_labels;
    anpe_rng rng = {.key = {seed, 0x4d4146}}; /* "MAF": a stream of its own */
    for (int64_t b = 0; b < m->shape.n_blocks; b++) {
        int64_t *p = m->permutation + b * D;
        for (int64_t i = 0; i < D; i++)
            p[i] = b % 2 ? D - 1 - i : i;
        for (int64_t i = D - 1; b % 2 == 0 && i > 0; i--) { /* Fisher and Yates */
            const int64_t j = anpe_integer(&rng, i + 1), t = p[i];
            p[i] = p[j];
            p[j] = t;
        }
    }
}

anpe_status made_new(anpe_ctx *ctx, const made_shape *shape, uint32_t seed, const char *name,
                     made *out)
{
    const made_shape p = *shape;
    const int64_t n_out = p.n_labels * (p.n_out > p.n_out_last ? p.n_out : p.n_out_last);
    if (p.n_labels < 1 || p.n_context < 1)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%lld labels, %lld context values",
                         (long long)p.n_labels, (long long)p.n_context);
    if (p.hidden < p.n_labels - 1)
        anpe_log(ctx, ANPE_WARNING,
                 "%s: hidden = %lld is less than %lld: the last labels of a block do not depend on "
                 "all labels before them",
                 name, (long long)p.hidden, (long long)(p.n_labels - 1));
    out->shape = p;
    if (ANPE_NEW(ctx, out->degree_in, p.n_labels) || ANPE_NEW(ctx, out->degree_hidden, p.hidden) ||
        ANPE_NEW(ctx, out->degree_out, n_out) ||
        ANPE_NEW(ctx, out->permutation, p.n_blocks, p.n_labels)) {
        made_clear(out);
        return ANPE_ENOMEM;
    }
    set_degrees(out, n_out);
    set_permutations(out, seed);
    return ANPE_OK;
}

anpe_status made_clamp(anpe_ctx *ctx, const anpe_reals *clamp, double *lo, double *hi)
{
    *lo = -INFINITY;
    *hi = INFINITY;
    if (clamp->n == 0)
        return ANPE_OK;
    if (clamp->n != 2)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "clamp must have two numbers, the lowest and the highest log scale, or "
                         "none; it has %lld",
                         (long long)clamp->n);
    *lo = clamp->v[0];
    *hi = clamp->v[1];
    if (!(*lo < *hi))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "clamp must ascend: %g, %g", *lo, *hi);
    return ANPE_OK;
}

anpe_status made_open_sampler(const void *self, anpe_ctx *ctx, const anpe_weights *weights,
                              void **sampler)
{
    made_sampler *s = NULL;
    const anpe_status status = made_sampler_from(self, ctx, weights, &s);
    *sampler = s;
    return status;
}

void made_close_sampler(void *sampler)
{
    made_sampler_free(sampler);
}

size_t made_scratch(const void *self, int64_t n)
{
    (void)n; /* a fixed number of draws at a time */
    return made_scratch_size(&((const made *)self)->shape);
}

void made_destroy(void *self)
{
    if (self)
        made_clear(self);
    free(self);
}
