/* Masked autoregressive flow: log q(labels given context), and draws from q.
 *
 * Each block permutes the labels and passes them through a MADE (../common/made.h). All blocks but
 * the last make out = (m, a) and u = (x - m) exp(-a); the last has a mixture of `n_mog` Gaussians
 * for each label. After Papamakarios et al. (2017). */
#include "../common/made.h"
#include <inttypes.h>
#include <math.h>

#define real_exp expf
#define real_log logf
#include "mixture.h"

typedef struct maf_options {
    int64_t num_blocks, hidden, n_mog;
    anpe_reals clamp;
    int direct;
} maf_options;

typedef struct maf {
    made made; /* first: made_destroy and its like take it */
    maf_shape shape;
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

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node context, anpe_node *log_prob)
{
    const maf *m = self;
    const maf_shape *p = &m->shape;
    anpe_node sum = -1;
    (void)ctx;

    for (int64_t b = 0; b < m->made.shape.n_blocks; b++) {
        anpe_node out, term;
        x = made_permute(&m->made, g, b, x);
        out = made_network(&m->made, g, b, x, context);
        if (b < m->made.shape.n_blocks - 1) {
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

static anpe_status sample(const void *self, anpe_ctx *ctx, const void *sampler,
                          const float *context, int64_t n, const float *z, const float *u,
                          float *labels, float *log_prob, void *scratch)
{
    const made_flow flow = {maf_label, &((const maf *)self)->shape};
    (void)ctx;
    made_sample(sampler, &flow, context, n, z, u, labels, log_prob, scratch);
    return ANPE_OK;
}

/* ---- creation ---------------------------------------------------------------------------- */

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const maf_options *o = opts;
    const anpe_flow_setup *s = setup;
    const made_shape shape = {s->n_labels, s->n_context, o->num_blocks, o->hidden,
                              2,           3 * o->n_mog, o->direct};
    maf *m;
    if (ANPE_NEW(ctx, m, 1))
        return ANPE_ENOMEM;
    m->shape.n_mog = o->n_mog;
    anpe_status status = made_clamp(ctx, &o->clamp, &m->shape.lo, &m->shape.hi);
    if (!status)
        status = made_new(ctx, &shape, s->seed, "maf", &m->made);
    if (status) {
        free(m);
        return status;
    }
    *self = m;
    return ANPE_OK;
}

static const anpe_flow_ops ops = {.size = sizeof ops,
                                  .build = build,
                                  .sampler_new = made_open_sampler,
                                  .sampler_free = made_close_sampler,
                                  .scratch_size = made_scratch,
                                  .sample = sample};

ANPE_PLUGIN(ANPE_FLOW, "maf", "1.0",
            "masked autoregressive flow with a mixture of Gaussians as last block", maf_options,
            made_destroy);
