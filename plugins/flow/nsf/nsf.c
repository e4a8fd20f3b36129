/* Neural spline flow: log q(labels given context), and draws from q.
 *
 * Each block permutes the labels and passes them through a MADE (../common/made.h) whose outputs
 * are, for each label, a shift, a log scale and a monotonic rational-quadratic spline (spline.h);
 * the base density is a standard normal. After Durkan, Bekasov, Murray & Papamakarios (2019). */
#include "../common/made.h"
#include "operations.h"
#include <anpe/vecmath.h>

#define real_exp  anpe_expf
#define real_log  anpe_logf
#define real_sqrt sqrtf
#include "label.h"

#define NSF_WIDEST 40.0 /* of the log scales: exp(40) times what is finite here is finite */

typedef struct nsf_options {
    int64_t num_blocks, hidden, bins;
    double bound, min_width, min_height, min_derivative;
    anpe_reals clamp;
    int direct;
} nsf_options;

typedef struct nsf {
    made made; /* first: made_destroy and its like take it */
    nsf_shape shape;
} nsf;

static const anpe_option options[] = {
    ANPE_OPT_INT(nsf_options, num_blocks, 5, 1, 256, "", "blocks"),
    ANPE_OPT_INT(nsf_options, hidden, 64, 1, 65536, "", "units of each of a block's two layers"),
    ANPE_OPT_INT(nsf_options, bins, 8, 2, NSF_MAX_BINS, "", "bins of a spline"),
    ANPE_OPT_REAL(nsf_options, bound, 5, 0.1, 1000, "",
                  "splines act on [-bound, bound]; outside they are the identity"),
    ANPE_OPT_REAL(nsf_options, min_width, 1e-3, 1e-6, 0.5, "",
                  "least width of a bin, as a fraction of 2 bound"),
    ANPE_OPT_REAL(nsf_options, min_height, 1e-3, 1e-6, 0.5, "",
                  "least height of a bin, as a fraction of 2 bound"),
    ANPE_OPT_REAL(nsf_options, min_derivative, 1e-3, 1e-6, 0.5, "",
                  "least derivative at a knot; the largest is its inverse"),
    ANPE_OPT_REALS(nsf_options, clamp, "-8 8", -NSF_WIDEST, NSF_WIDEST, "",
                   "lowest and highest log scale of a block; empty: no limit but that of float"),
    ANPE_OPT_BOOL(nsf_options, direct, 1, "add a linear term in the context to a block's outputs"),
    ANPE_OPT_END,
};

static anpe_status build(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node labels,
                         anpe_node context, anpe_node *log_prob)
{
    const nsf *m = self;
    const int64_t D = m->made.shape.n_labels;
    anpe_node x = nsf_saturate(g, labels), sum = -1;
    (void)ctx;

    for (int64_t b = 0; b < m->made.shape.n_blocks; b++) {
        x = made_permute(&m->made, g, b, x);
        const anpe_node out = made_network(&m->made, g, b, x, context);
        const anpe_node both = nsf_step(g, x, out, &m->shape);
        const anpe_node term = anpe_slice(g, both, D, 1);
        x = anpe_slice(g, both, 0, D);
        sum = b == 0 ? term : anpe_add(g, sum, term);
    }
    *log_prob = anpe_add(g, sum, nsf_normal(g, x));
    return ANPE_OK;
}

static anpe_status sample(const void *self, anpe_ctx *ctx, const void *sampler,
                          const float *context, int64_t n, const float *z, const float *u,
                          float *labels, float *log_prob, void *scratch)
{
    const made_flow flow = {nsf_label, &((const nsf *)self)->shape};
    (void)ctx;
    made_sample(sampler, &flow, context, n, z, u, labels, log_prob, scratch);
    return ANPE_OK;
}

/* ---- creation ---------------------------------------------------------------------------- */

static anpe_status read_shape(anpe_ctx *ctx, const nsf_options *o, nsf_shape *p)
{
    const double least = o->min_width > o->min_height ? o->min_width : o->min_height;
    *p = (nsf_shape){.n_bins = o->bins,
                     .bound = o->bound,
                     .min_width = o->min_width,
                     .min_height = o->min_height,
                     .min_derivative = o->min_derivative,
                     .shift = nsf_shift(o->min_derivative)};
    if ((double)o->bins * least >= 1)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%lld bins of at least %g are more than the whole; expected min_width and "
                         "min_height below %g",
                         (long long)o->bins, least, 1 / (double)o->bins);
    const anpe_status status = made_clamp(ctx, &o->clamp, &p->lo, &p->hi);
    p->lo = fmax(p->lo, -NSF_WIDEST); /* none given: what float can hold */
    p->hi = fmin(p->hi, NSF_WIDEST);
    return status;
}

static anpe_status create(anpe_ctx *ctx, const void *opts, const void *setup, void **self)
{
    const nsf_options *o = opts;
    const anpe_flow_setup *s = setup;
    nsf *m;
    if (ANPE_NEW(ctx, m, 1))
        return ANPE_ENOMEM;
    anpe_status status = read_shape(ctx, o, &m->shape);
    const int64_t n_out = nsf_outputs(&m->shape);
    const made_shape shape = {s->n_labels, s->n_context, o->num_blocks, o->hidden,
                              n_out,       n_out,        o->direct};
    if (!status)
        status = made_new(ctx, &shape, s->seed, "nsf", &m->made);
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

ANPE_PLUGIN(ANPE_FLOW, "nsf", "1.0",
            "neural spline flow: autoregressive rational-quadratic splines", nsf_options,
            made_destroy);
