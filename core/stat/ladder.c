/* The ladder: its memory, and the order of its rungs. */
#include <config.h>
#include "stat/ladder_private.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *const anpe_rung_names[ANPE_N_RUNGS] = {"proposal",  "more",     "newton",
                                                   "defensive", "adaptive", "mcmc"};

anpe_ladder_options anpe_ladder_defaults(void)
{
    return (anpe_ladder_options){500, 100000, ANPE_RUNG_MCMC};
}

/* ---- memory ------------------------------------------------------------------------------ */

static anpe_status draws_new(anpe_ctx *ctx, anpe_ladder_draws *d, int64_t room, int64_t width)
{
    const int64_t n = room;
    d->room = room;
    return ANPE_NEW(ctx, d->y, n, width) || ANPE_NEW(ctx, d->log_target, n) ||
                   ANPE_NEW(ctx, d->log_p, n) || ANPE_NEW(ctx, d->log_q, n) ||
                   ANPE_NEW(ctx, d->log_weight, n)
               ? ANPE_ENOMEM
               : ANPE_OK;
}

static void draws_clear(anpe_ladder_draws *d)
{
    free(d->y);
    free(d->log_target);
    free(d->log_p);
    free(d->log_q);
    free(d->log_weight);
}

static int64_t step_length(int64_t width)
{
    return 500 + 100 * width;
}

/* A quarter of the evaluations, but room for a step and for the evidence. */
int64_t anpe_ladder_room(const anpe_ladder_options *options, int64_t width)
{
    const int64_t quarter = options->max_evaluations / 4, step = step_length(width);
    const int64_t shortest = step > ANPE_LADDER_EVIDENCE ? step : ANPE_LADDER_EVIDENCE;
    return quarter > shortest ? quarter : shortest;
}

static anpe_status make(anpe_ctx *ctx, anpe_ladder *l)
{
    const int64_t d = l->width;
    const int64_t walkers = 2 * d + 2 < 16 ? 16 : 2 * d + 2;
    const anpe_ensemble_setup setup = {d, walkers, 4, 25000};
    anpe_status status;
    l->step = step_length(d);
    l->n_walkers = setup.walkers * setup.chains;
    ANPE_TRY(draws_new(ctx, &l->block, anpe_ladder_room(&l->options, d), d));
    ANPE_TRY(draws_new(ctx, &l->pool, ANPE_LADDER_POOL, d));
    ANPE_TRY(draws_new(ctx, &l->spare, ANPE_LADDER_EVIDENCE, d));
    for (int i = 1; i < ANPE_LADDER_SOURCES; i++)
        ANPE_TRY(anpe_mixture_new(ctx, d, ANPE_LADDER_COMPONENTS + 1, &l->source[i].mixture));
    for (int i = 0; i < ANPE_LADDER_NEWTONS; i++)
        ANPE_TRY(anpe_truncated_new(ctx, d, ANPE_LADDER_OPTIMA * ANPE_LADDER_SCALES, &l->boxed[i]));
    for (int i = 0; i <= ANPE_LADDER_OPTIMA; i++)
        ANPE_TRY(anpe_optimum_new(ctx, d, &l->optimum[i]));
    ANPE_TRY(anpe_newton_new(ctx, d, &l->newton));
    if (l->options.last == ANPE_RUNG_MCMC)
        ANPE_TRY(anpe_ensemble_new(ctx, &setup, &l->ensemble));
    const int64_t most = l->block.room > ANPE_LADDER_POOL ? l->block.room : ANPE_LADDER_POOL;
    ANPE_TRY(ANPE_NEW(ctx, l->resp, most, ANPE_LADDER_COMPONENTS + 1));
    ANPE_TRY(ANPE_NEW(ctx, l->row, l->n_walkers));
    ANPE_TRY(ANPE_NEW(ctx, l->ranked, most));
    ANPE_TRY(ANPE_NEW(ctx, l->x, 3, d));
    ANPE_TRY(ANPE_NEW(ctx, l->moments, d));
out:
    return status;
}

anpe_status anpe_ladder_new(anpe_ctx *ctx, int64_t width, const anpe_ladder_options *options,
                            anpe_ladder **out)
{
    anpe_ladder *l;
    *out = NULL;
    if (ANPE_NEW(ctx, l, 1))
        return ANPE_ENOMEM;
    l->options = *options;
    l->width = width;
    anpe_status status = make(ctx, l);
    *out = status ? anpe_ladder_free(l) : l;
    return status;
}

anpe_ladder *anpe_ladder_free(anpe_ladder *l)
{
    if (!l)
        return NULL;
    draws_clear(&l->block);
    draws_clear(&l->pool);
    draws_clear(&l->spare);
    for (int i = 0; i < ANPE_LADDER_SOURCES; i++)
        anpe_mixture_free(l->source[i].mixture);
    for (int i = 0; i < ANPE_LADDER_NEWTONS; i++)
        anpe_truncated_free(l->boxed[i]);
    for (int i = 0; i <= ANPE_LADDER_OPTIMA; i++)
        anpe_optimum_clear(&l->optimum[i]);
    anpe_newton_free(l->newton);
    free(l->x);
    free(l->moments);
    anpe_ensemble_free(l->ensemble);
    free(l->resp);
    free(l->row);
    free(l->ranked);
    free(l);
    return NULL;
}

/* ---- the climb --------------------------------------------------------------------------- */

static anpe_status climb_proposal(anpe_ladder *l, anpe_ctx *ctx)
{
    anpe_weights_summary w;
    anpe_status status;
    ANPE_TRY(anpe_ladder_pilot(l, ctx, ANPE_LADDER_PILOT, &w));
    ANPE_TRY(anpe_ladder_decide(l, ctx, 0, ANPE_RUNG_PROPOSAL, &w));
    if (!l->result->exact && l->options.last >= ANPE_RUNG_MORE)
        ANPE_TRY(anpe_ladder_decide(l, ctx, 0, ANPE_RUNG_MORE, &w));
out:
    return status;
}

/* What the proposal alone would have had, from the draws behind the numbers: with weights w of the
 * proposal, (E_q w)^2 / E_q w^2 = Z / E w, the last one over the posterior. A few draws of its own
 * cannot say as much. */
static void judge_proposal(const anpe_ladder *l)
{
    const anpe_ladder_draws *b = &l->block;
    double mean = 0;
    for (int64_t i = 0; i < b->n; i++)
        if (b->log_weight[i] > -INFINITY)
            mean +=
                exp(b->log_weight[i] + b->log_target[i] - b->log_p[i] - l->result->log_evidence);
    l->result->proposal_efficiency = 1 / mean;
}

static void say_why(const anpe_ladder *l)
{
    anpe_ladder_result *r = l->result;
    if (r->exact)
        return;
    if (r->rung == ANPE_RUNG_MCMC)
        snprintf(r->reason, sizeof r->reason,
                 "mcmc: %.0f effective draws of %.0f, R-hat %.3f above %.2f or too few, after %lld "
                 "evaluations",
                 r->ess, l->options.ess, r->rhat, anpe_ladder_rhat, (long long)r->n_evaluations);
    else if (r->ess == 0)
        snprintf(r->reason, sizeof r->reason, "%s: the posterior is zero at every draw",
                 anpe_rung_names[r->rung]);
    else
        snprintf(r->reason, sizeof r->reason,
                 "%s: %.0f effective draws of %.0f, k-hat %.2f, after %lld evaluations",
                 anpe_rung_names[r->rung], r->ess, l->options.ess, r->khat,
                 (long long)r->n_evaluations);
}

anpe_status anpe_ladder_climb(anpe_ladder *l, anpe_ctx *ctx, const anpe_ladder_problem *problem,
                              anpe_rng *rng, anpe_ladder_result *result)
{
    const anpe_rung last = l->options.last;
    anpe_status status;
    *result = (anpe_ladder_result){.rhat = NAN, .khat = NAN};
    l->problem = problem;
    l->rng = rng;
    l->result = result;
    l->pool.n = 0;
    l->n_optima = 0;
    l->source[0] = (anpe_ladder_source){.share = 1};
    l->n_sources = 1;
    if (problem->box && last >= ANPE_RUNG_NEWTON)
        ANPE_TRY(anpe_ladder_climb_newton(l, ctx));
    if (l->n_optima == 0)
        ANPE_TRY(climb_proposal(l, ctx));
    if (!result->exact)
        ANPE_TRY(anpe_ladder_climb_mixtures(l, ctx));
    if (!result->exact && last == ANPE_RUNG_MCMC)
        ANPE_TRY(anpe_ladder_climb_mcmc(l, ctx));
    if (result->rung != ANPE_RUNG_NEWTON && (result->exact || result->rung == ANPE_RUNG_MCMC))
        ANPE_TRY(anpe_ladder_measure_evidence(l, ctx));
    if (l->n_optima && result->exact && result->rung != ANPE_RUNG_MCMC)
        judge_proposal(l);
    say_why(l);
    result->y = l->block.y;
    result->log_q = l->block.log_q;
    result->log_weight = l->block.log_weight;
    result->log_target = l->block.log_target;
out:
    return status;
}
