/* Masked autoregressive flow: log q(labels given context), and draws from q.
 *
 * Each block permutes the labels and passes them through a MADE, a network masked such that the
 * outputs of label d depend on labels 0..d-1 and on the context c:
 *     h = relu(M0 x + b0 + C c), h = relu(M1 h + b1), out = M2 h + b2 (+ E c, option `direct`).
 * All blocks but the last make out = (m, a) and u = (x - m) exp(-a); the last has a mixture of
 * `n_mog` Gaussians for each label. After Papamakarios et al. (2017), MADE: Germain et al. (2015).
 * Sampling: sampler.h. */
#include <anpe/plugin.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef float real;
#define real_exp expf
#define real_log logf
#include "sampler.h"

typedef struct maf_options {
    int64_t num_blocks, hidden, n_mog;
    anpe_reals clamp;
    int direct;
} maf_options;

typedef struct maf {
    maf_shape shape;
    int *degree_in, *degree_hidden, *degree_out; /* (D), (hidden), (D times outputs) */
    int64_t *permutation;                        /* (num_blocks, D) */
} maf;

static const anpe_option options[] = {
    ANPE_OPT_INT(maf_options, num_blocks, 5, 1, 256, "", "blocks, the mixture included"),
    ANPE_OPT_INT(maf_options, hidden, 64, 1, 65536, "", "units of each of a block's two layers"),
    ANPE_OPT_INT(maf_options, n_mog, 1, 1, 256, "", "Gaussians for each label in the last block"),
    ANPE_OPT_REALS(maf_options, clamp, "-8 8", -1e300, 1e300, "",
                   "lowest and highest log scale of a block; empty: no limit"),
    ANPE_OPT_BOOL(maf_options, direct, 1, "add a linear term in the context to a block's outputs"),
    ANPE_OPT_END,
};

/* ---- the network ---------------------------------------------------------------------------- */

static anpe_node made(const maf *m, anpe_graph *g, const char *name, int64_t outputs, anpe_node x,
                      anpe_node context)
{
    const int64_t n_out = outputs * m->shape.n_labels, hidden = m->shape.hidden;
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

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node context, anpe_node *log_prob)
{
    const maf *m = self;
    const maf_shape *p = &m->shape;
    anpe_node sum = -1;
    (void)ctx;

    for (int64_t b = 0; b < p->n_blocks; b++) {
        anpe_node out, term;
        x = anpe_permute(g, anpe_name(g, "permutation.%d", (int)b), x,
                         m->permutation + b * p->n_labels);
        out = made(m, g, anpe_name(g, "blocks.%d", (int)b), maf_outputs(p, b), x, context);
        if (b < p->n_blocks - 1) {
            term = anpe_affine_log_det(g, out, p->lo, p->hi);
            x = anpe_affine_step(g, x, out, p->lo, p->hi);
        } else {
            term = anpe_mog_log_density(g, x, out, p->n_mog, p->lo, p->hi);
        }
        sum = b == 0 ? term : anpe_add(g, sum, term);
    }
    *log_prob = sum;
    return ANPE_OK;
}

/* ---- drawing -------------------------------------------------------------------------------- */

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

static anpe_status find_weights(const maf *m, anpe_ctx *ctx, const anpe_weights *weights, int block,
                                maf_weights *w)
{
    const maf_shape *p = &m->shape;
    const int64_t H = p->hidden, D = p->n_labels, F = p->n_context, O = maf_outputs(p, block) * D;
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
static anpe_status check_permutation(const maf *m, anpe_ctx *ctx, int block, const float *v)
{
    const int64_t D = m->shape.n_labels;
    for (int64_t i = 0; i < D; i++) {
        if (!(v[i] >= 0 && v[i] < (float)D) || v[i] != floorf(v[i]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "permutation.%d[%" PRId64 "] is %g, not a label",
                             block, i, (double)v[i]);
        for (int64_t j = 0; j < i; j++)
            if (v[j] == v[i])
                return ANPE_FAIL(ctx, ANPE_EFORMAT, "permutation.%d has label %g twice", block,
                                 (double)v[i]);
    }
    return ANPE_OK;
}

static anpe_status sampler_new(const void *self, anpe_ctx *ctx, const anpe_weights *weights,
                               void **sampler)
{
    const maf *m = self;
    const int64_t n = m->shape.n_blocks;
    anpe_status status = ANPE_OK;
    maf_weights *w = calloc((size_t)n, sizeof *w);
    if (!w)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    for (int64_t b = 0; b < n && !status; b++) {
        status = find_weights(m, ctx, weights, (int)b, &w[b]);
        if (!status)
            status = check_permutation(m, ctx, (int)b, w[b].permutation);
    }
    if (!status && !(*sampler = maf_sampler_new(&m->shape, w)))
        status = ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory for a sampler");
    free(w);
    return status;
}

static void sampler_free(void *sampler)
{
    maf_sampler_free(sampler);
}

static size_t scratch_size(const void *self, int64_t n)
{
    (void)n; /* a fixed number of draws at a time */
    return maf_scratch_size(&((const maf *)self)->shape);
}

static anpe_status sample(const void *self, anpe_ctx *ctx, const void *sampler,
                          const float *context, int64_t n, const float *z, const float *u,
                          float *labels, float *log_prob, void *scratch)
{
    (void)self, (void)ctx;
    maf_sample(sampler, context, n, z, u, labels, log_prob, scratch);
    return ANPE_OK;
}

/* ---- creation ------------------------------------------------------------------------------- */

static void destroy(void *self)
{
    maf *m = self;
    if (!m)
        return;
    free(m->degree_in);
    free(m->degree_hidden);
    free(m->degree_out);
    free(m->permutation);
    free(m);
}

static void set_degrees(maf *m, int64_t n_out)
{
    const int64_t D = m->shape.n_labels;
    for (int64_t i = 0; i < D; i++)
        m->degree_in[i] = (int)i;
    for (int64_t j = 0; j < m->shape.hidden; j++)
        m->degree_hidden[j] = maf_hidden_degree(&m->shape, j);
    for (int64_t o = 0; o < n_out; o++)
        m->degree_out[o] = (int)(o % D) - 1;
}

/* Even blocks: a random order. Odd blocks: the order before, backwards, so that already two blocks
 * let every label depend on every other. A permutation acts on what the one before has left, so
 * reversal is the same in any block. */
static void set_permutations(maf *m, uint32_t seed)
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

static anpe_status read_clamp(anpe_ctx *ctx, const anpe_reals *clamp, maf_shape *p)
{
    p->lo = -INFINITY;
    p->hi = INFINITY;
    if (clamp->n == 0)
        return ANPE_OK;
    if (clamp->n != 2)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "clamp must have two numbers, the lowest and the highest log scale, or "
                         "none; it has %" PRId64,
                         clamp->n);
    p->lo = clamp->v[0];
    p->hi = clamp->v[1];
    if (!(p->lo < p->hi))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "clamp must ascend: %g, %g", p->lo, p->hi);
    return ANPE_OK;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const maf_options *o = opts;
    const anpe_flow_setup *s = setup;
    maf_shape p = {s->n_labels, s->n_context, o->num_blocks, o->hidden, o->n_mog, o->direct, 0, 0};
    const anpe_status status = read_clamp(ctx, &o->clamp, &p);
    if (status)
        return status;
    if (p.n_labels < 1 || p.n_context < 1)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%" PRId64 " labels, %" PRId64 " context values",
                         p.n_labels, p.n_context);
    if (p.hidden < p.n_labels - 1)
        anpe_log(ctx, ANPE_WARNING,
                 "maf: hidden = %" PRId64 " is less than %" PRId64
                 ": the last labels of a block do not depend on all labels before them",
                 p.hidden, p.n_labels - 1);

    const int64_t n_out = p.n_labels * (3 * p.n_mog);
    maf *m = calloc(1, sizeof *m);
    if (!m)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    m->shape = p;
    m->degree_in = malloc((size_t)p.n_labels * sizeof(int));
    m->degree_hidden = malloc((size_t)p.hidden * sizeof(int));
    m->degree_out = malloc((size_t)n_out * sizeof(int));
    m->permutation = malloc((size_t)(p.n_blocks * p.n_labels) * sizeof(int64_t));
    if (!m->degree_in || !m->degree_hidden || !m->degree_out || !m->permutation) {
        destroy(m);
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    }
    set_degrees(m, n_out);
    set_permutations(m, s->seed);
    *self = m;
    return ANPE_OK;
}

static const anpe_flow_ops ops = {sizeof ops,   build,        sampler_new,
                                  sampler_free, scratch_size, sample};

static const anpe_plugin plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_FLOW,
    .name = "maf",
    .version = "1.0",
    .summary = "masked autoregressive flow with a mixture of Gaussians as last block",
    .options = options,
    .options_size = sizeof(maf_options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};
ANPE_PLUGINS(&plugin);
