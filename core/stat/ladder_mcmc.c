/* The rung mcmc: ensembles of walkers that start at draws of the pool. */
#include <config.h>
#include "stat/ladder_private.h"
#include <math.h>
#include <string.h>

/* Weights of the draws that walkers may start at: none where the posterior is zero. Returns their
 * effective size. */
static double weigh_starts(anpe_ladder *l)
{
    anpe_ladder_draws *p = &l->pool;
    if (anpe_ladder_weigh_pool(l, (double)l->n_walkers) == 0)
        return 0;
    for (int64_t i = 0; i < p->n; i++)
        if (!(p->log_target[i] > -INFINITY))
            p->log_weight[i] = -INFINITY;
    return anpe_weights_ess(p->n, p->log_weight, 1);
}

/* Walkers start at draws of the pool, neighbours in its order in different ensembles. */
static void place_walkers(anpe_ladder *l, double *y)
{
    anpe_ladder_draws *p = &l->pool;
    const int64_t each = l->n_walkers / 4;
    double sum = 0;
    for (int64_t i = 0; i < p->n; i++)
        sum += exp(p->log_weight[i]);
    for (int64_t i = 0; i < p->n; i++)
        p->log_weight[i] -= log(sum);
    anpe_weighted_resample(p->n, p->log_weight, anpe_uniform(l->rng), l->n_walkers, l->row);
    for (int64_t i = 0; i < l->n_walkers; i++)
        memcpy(y + (i % 4 * each + i / 4) * l->width, p->y + l->row[i] * l->width,
               (size_t)l->width * sizeof *y);
}

static void keep_walkers(anpe_ladder *l, const anpe_ensemble_result *m)
{
    anpe_ladder_draws *b = &l->block;
    b->n = m->n < b->room ? m->n : b->room;
    for (int64_t i = 0; i < b->n; i++) {
        const int64_t from = i * m->n / b->n;
        memcpy(b->y + i * l->width, m->y + from * l->width, (size_t)l->width * sizeof *b->y);
        b->log_target[i] = m->log_value[from];
        b->log_q[i] = NAN;
        b->log_weight[i] = -log((double)b->n);
    }
}

anpe_status anpe_ladder_climb_mcmc(anpe_ladder *l, anpe_ctx *ctx)
{
    const anpe_ladder_problem *p = l->problem;
    anpe_ladder_result *r = l->result;
    anpe_ensemble_result m;
    const int64_t left = l->options.max_evaluations - r->n_evaluations - ANPE_LADDER_EVIDENCE;
    anpe_status status;
    /* Moves never leave the plane that the walkers of an ensemble span: they must span all. */
    if (weigh_starts(l) < 2 * (double)l->width + 2 || left < 10 * l->n_walkers)
        return ANPE_OK;
    place_walkers(l, anpe_ensemble_start(l->ensemble));
    ANPE_TRY(anpe_ensemble_run(l->ensemble, ctx, p->target, p->user, l->rng, anpe_ladder_rhat,
                               l->options.ess, left, &m));
    r->n_evaluations += m.n_evaluations;
    keep_walkers(l, &m);
    r->rung = ANPE_RUNG_MCMC;
    r->ess = m.ess;
    r->efficiency = m.ess / (double)l->block.n;
    r->khat = NAN;
    r->rhat = m.rhat;
    r->n = l->block.n;
    r->exact = m.rhat <= anpe_ladder_rhat && m.ess >= l->options.ess;
out:
    return status;
}
