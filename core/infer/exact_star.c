/* Stars made exact: `anpe infer --exact`. Takes the place of plain draws: statistics are those of
 * all weighted draws, the star's row of draws is a resampling of them with equal weights in random
 * order, so that whoever reads these draws need not know of weights. */
#include "infer/run.h"
#include "stat/normal.h"
#include "posterior/exact.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct exact_lane {
    anpe_exact *exact;
    anpe_ranked *ranked; /* (room) */
    int64_t *row;        /* (n_draws) */
} exact_lane;

struct anpe_infer_exact {
    int n;
    exact_lane *lane;   /* (n) */
    double *log_weight; /* (block, n_draws); NULL: draws are not kept */
    double *best;       /* (block, D) draw with the highest density; the first NAN: none */
};

anpe_infer_exact *anpe_infer_exact_free(anpe_infer_exact *e)
{
    if (!e)
        return NULL;
    for (int i = 0; i < e->n; i++) {
        anpe_exact_free(e->lane[i].exact);
        free(e->lane[i].ranked);
        free(e->lane[i].row);
    }
    free(e->lane);
    free(e->log_weight);
    free(e->best);
    free(e);
    return NULL;
}

anpe_status anpe_infer_exact_open(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_exact_options *options = &f->request->exact_options;
    const int64_t room = anpe_ladder_room(options, f->result->n_labels);
    anpe_status status = ANPE_OK;
    if (!f->request->exact)
        return ANPE_OK;
    if (ANPE_NEW(ctx, f->exact, 1))
        return ANPE_ENOMEM;
    anpe_infer_exact *e = f->exact;
    if (ANPE_NEW(ctx, e->lane, f->n_lanes) ||
        ANPE_NEW(ctx, e->best, f->block, f->result->n_labels) ||
        (f->keep && ANPE_NEW(ctx, e->log_weight, f->block, f->request->n_draws)))
        return ANPE_ENOMEM;
    e->n = f->n_lanes;
    for (int i = 0; i < e->n && !status; i++) {
        exact_lane *l = &e->lane[i];
        if (ANPE_NEW(ctx, l->ranked, room) || ANPE_NEW(ctx, l->row, f->request->n_draws))
            return ANPE_ENOMEM;
        status = anpe_exact_new(ctx, f->model, options, &l->exact);
    }
    return status;
}

const double *anpe_infer_exact_weights(anpe_inference *f)
{
    const int64_t n = f->request->n_draws;
    for (int64_t k = 0; k < f->n * n; k++)
        f->exact->log_weight[k] = f->star[k / n].failed ? NAN : -log((double)n);
    return f->exact->log_weight;
}

static void summarise(const anpe_inference *f, anpe_star *star, const anpe_exact_result *r,
                      anpe_ranked *ranked)
{
    const int64_t labels = f->result->n_labels;
    for (int64_t d = 0; d < labels; d++) {
        const anpe_label *l = &f->result->label[d];
        anpe_label_summary *s = &star->label[d];
        *s = anpe_infer_weighted_summary(r->n, r->theta + d, labels, r->log_weight, ranked);
        anpe_infer_put_edge(star, d,
                            anpe_edge_mass(r->n, r->theta + d, labels, r->log_weight, s->sd, l), l);
    }
    star->n_draws = r->n;
}

static void set_columns(anpe_star *star, const anpe_ladder_result *r)
{
    snprintf(star->rung, sizeof star->rung, "%s", anpe_rung_names[r->rung]);
    snprintf(star->exact_reason, sizeof star->exact_reason, "%s", r->reason);
    star->exact = r->exact;
    star->ess = r->ess;
    star->efficiency = r->efficiency;
    star->proposal_efficiency = r->proposal_efficiency;
    star->khat = r->khat;
    star->rhat = r->rhat;
    star->log_evidence = r->log_evidence;
    star->log_evidence_err = r->log_evidence_err;
    star->n_evaluations = r->n_evaluations;
    if (!r->exact)
        star->flags |= ANPE_FLAG_NOT_EXACT;
    if (r->khat > ANPE_KHAT_FLAG)
        star->flags |= ANPE_FLAG_KHAT;
}

const double *anpe_infer_exact_best(const anpe_inference *f, int64_t b)
{
    const double *best = f->exact ? f->exact->best + b * f->result->n_labels : NULL;
    return best && isfinite(best[0]) ? best : NULL;
}

/* The draw with the highest likelihood times prior. */
static void keep_best(anpe_inference *f, int64_t b, const anpe_exact_result *r)
{
    const int64_t labels = f->result->n_labels;
    double *best = f->exact->best + b * labels, highest = -INFINITY;
    best[0] = NAN;
    for (int64_t k = 0; k < r->n; k++)
        if (r->log_joint[k] > highest) {
            highest = r->log_joint[k];
            memcpy(best, r->theta + k * labels, (size_t)labels * sizeof *best);
        }
}

/* The row of draws of star b. */
static void resample(anpe_inference *f, int lane, int64_t b, const anpe_exact_result *r,
                     anpe_rng *rng, int64_t *row)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    double *theta = anpe_infer_theta(f, lane, b), *log_q = anpe_infer_log_q(f, lane, b);
    anpe_weighted_resample(r->n, r->log_weight, anpe_uniform(rng), n, row);
    anpe_shuffle(rng, n, row);
    for (int64_t k = 0; k < n; k++) {
        memcpy(theta + k * labels, r->theta + row[k] * labels, (size_t)labels * sizeof *theta);
        log_q[k] = r->log_q[row[k]];
    }
}

anpe_status anpe_infer_exact_star(anpe_ctx *ctx, anpe_inference *f, int lane, int64_t b, int64_t i)
{
    exact_lane *l = &f->exact->lane[lane];
    anpe_infer_lane *common = &f->lane[lane];
    const int64_t n = f->request->n_draws, index = f->first + b;
    anpe_star *star = &f->star[b];
    double *theta = anpe_infer_theta(f, lane, b), *log_q = anpe_infer_log_q(f, lane, b);
    anpe_rng rng = anpe_rng_make(f->request->seed, ANPE_FOR_POSTERIOR, index, 0);
    anpe_exact_result r;
    anpe_status status;
    ANPE_TRY(anpe_exact_run(l->exact, ctx, common->session, i, &f->spectrum[b], f->request->seed,
                            index, &r));
    set_columns(star, &r.ladder);
    keep_best(f, b, &r);
    if (r.ladder.ess > 0) {
        summarise(f, star, &r, l->ranked);
        resample(f, lane, b, &r, &rng, l->row);
        goto out;
    }
    /* no draw with weight: the flow's own, flagged */
    ANPE_TRY(anpe_session_draw(common->session, ctx, i, n, &rng, theta, log_q));
    anpe_infer_summarise(f, star, theta, common->column);
    star->n_draws = n;
out:
    return status;
}
