/* The rungs defensive and adaptive: mixtures fitted to the pool; and the evidence, which is
 * measured with a mixture, too. */
#include <config.h>
#include "stat/ladder_private.h"
#include <math.h>
#include <string.h>

/* How a mixture becomes a source: its scales are multiplied by `inflate`, its component 0 comes
 * once more, `widen` as wide, with the share `wide`; `proposal` is the share of the proposal. */
typedef struct shape {
    double inflate, widen, wide, proposal;
} shape;
static const shape defensive = {1.5, 4, 0.3, 0.5}, adaptive = {1.1, 3, 0.1, 0.1};
static const double growth = 1.2; /* of the efficiency by a fit, for which another fit is awaited */
static const double khat_promising =
    0.7;                                /* above it a short block promises nothing (importance.h) */
static const double most_of_pool = 0.3; /* effective draws that tempering asks for, of the pool */

/* Effective draws that a fit in d dimensions should have, and that each of its components needs. */
static double wanted_for_fit(double d)
{
    return 50 + 10 * d;
}

static double wanted_for_component(double d)
{
    return 20 + 5 * d;
}

/* The largest power of the pool's weights, at most 1, that leaves enough of them to fit to. */
static double temper(const anpe_ladder *l, double enough)
{
    const anpe_ladder_draws *p = &l->pool;
    double low = 0, high = 1;
    if (anpe_weights_ess(p->n, p->log_weight, 1) >= enough)
        return 1;
    for (int i = 0; i < 30; i++) {
        const double middle = 0.5 * (low + high);
        if (anpe_weights_ess(p->n, p->log_weight, middle) >= enough)
            low = middle;
        else
            high = middle;
    }
    return low;
}

double anpe_ladder_weigh_pool(anpe_ladder *l, double enough)
{
    anpe_ladder_draws *p = &l->pool;
    double top = -INFINITY;
    for (int64_t i = 0; i < p->n; i++) {
        p->log_weight[i] = p->log_target[i] - p->log_q[i];
        if (isnan(p->log_weight[i]))
            p->log_weight[i] = -INFINITY;
        top = fmax(top, p->log_weight[i]);
    }
    if (!isfinite(top))
        return 0;
    const double power = temper(l, fmin(enough, most_of_pool * (double)p->n));
    for (int64_t i = 0; i < p->n; i++)
        p->log_weight[i] = power > 0 ? power * (p->log_weight[i] - top) : 0;
    return anpe_weights_ess(p->n, p->log_weight, 1);
}

/* Components that so many effective draws can shape. */
static int components_for(const anpe_ladder *l, double effective)
{
    const int fair = (int)(effective / wanted_for_component((double)l->width));
    return fair < 1 ? 1 : fair < ANPE_LADDER_COMPONENTS ? fair : ANPE_LADDER_COMPONENTS;
}

/* A mixture of the first n rows of the pool, with weights (not their logarithms) in log_weight. */
static void fit_shape(anpe_ladder *l, anpe_ladder_source *s, int64_t n, int components,
                      const shape *how)
{
    const anpe_ladder_draws *p = &l->pool;
    anpe_mixture_fit(s->mixture, n, p->y, p->log_weight, components, how->inflate, l->rng, l->resp);
    anpe_mixture_widen(s->mixture, how->widen, how->wide);
    s->share = how->proposal;
    s->boxed = NULL;
    s->n = 0;
}

/* The next source: a mixture fitted to the pool. The first has one component. */
static int fit_source(anpe_ladder *l, int first)
{
    const double d = (double)l->width, effective = anpe_ladder_weigh_pool(l, wanted_for_fit(d));
    anpe_ladder_source *s = &l->source[l->n_sources];
    anpe_ladder_draws *p = &l->pool;
    if (effective < d + 2)
        return 0;
    for (int64_t i = 0; i < p->n; i++)
        p->log_weight[i] = exp(p->log_weight[i]);
    const int most = components_for(l, effective);
    fit_shape(l, s, p->n, first ? 1 : most, first ? &defensive : &adaptive);
    s->n_pool = 0;
    l->n_sources++;
    return 1;
}

/* One step: a new source, a short block of it, and when that promises enough a block that decides.
 */
static anpe_status climb_step(anpe_ladder *l, anpe_ctx *ctx, anpe_rung rung, double *efficiency,
                              int *ended)
{
    anpe_weights_summary w;
    const double before = *efficiency;
    const int64_t left = l->options.max_evaluations / 2 - l->result->n_evaluations;
    *ended = left < l->step || !fit_source(l, rung == ANPE_RUNG_DEFENSIVE);
    if (*ended)
        return ANPE_OK;
    const int s = l->n_sources - 1;
    anpe_status status = anpe_ladder_draw(l, ctx, s, l->step, &l->block, &w);
    if (status)
        return status;
    *efficiency = w.ess / (double)l->step;
    anpe_ladder_set_result(l, s, rung, &w);
    l->result->exact = 0; /* it is not longer than a pilot */
    anpe_ladder_add_to_pool(l, s);
    const int64_t n = anpe_ladder_planned(l, &w, l->step, ANPE_LADDER_PILOT);
    const int grows = *efficiency > growth * before && rung == ANPE_RUNG_ADAPTIVE;
    if (!n || w.khat > khat_promising || (grows && n > 4 * l->step))
        return ANPE_OK;
    return anpe_ladder_decide(l, ctx, s, rung, &w);
}

anpe_status anpe_ladder_climb_mixtures(anpe_ladder *l, anpe_ctx *ctx)
{
    double efficiency = 0;
    int ended = 0;
    const int known = l->result->rung == ANPE_RUNG_NEWTON && l->result->ess > 50;
    for (int i = known; i <= ANPE_LADDER_STEPS && !ended && !l->result->exact; i++) {
        const anpe_rung rung = i == 0 ? ANPE_RUNG_DEFENSIVE : ANPE_RUNG_ADAPTIVE;
        if (rung > l->options.last)
            return ANPE_OK;
        anpe_status status = climb_step(l, ctx, rung, &efficiency, &ended);
        if (status)
            return status;
    }
    return ANPE_OK;
}

/* ---- the evidence ------------------------------------------------------------------------ */

/* The source that evidence is measured with: a mixture fitted to the result's draws. */
static anpe_ladder_source *fit_evidence(anpe_ladder *l)
{
    anpe_ladder_source *s =
        &l->source[l->n_sources < ANPE_LADDER_SOURCES ? l->n_sources : ANPE_LADDER_SOURCES - 1];
    const anpe_ladder_draws *b = &l->block;
    anpe_ladder_draws *p = &l->pool;
    const int64_t n = b->n < ANPE_LADDER_POOL ? b->n : ANPE_LADDER_POOL;
    for (int64_t i = 0; i < n; i++) {
        const int64_t from = i * b->n / n;
        memcpy(p->y + i * l->width, b->y + from * l->width, (size_t)l->width * sizeof *p->y);
        p->log_weight[i] = exp(b->log_weight[from]);
    }
    fit_shape(l, s, n, components_for(l, l->result->ess), &adaptive);
    return s;
}

/* The evidence from fresh draws of a mixture that has the posterior's shape and wider tails. The
 * draws that made the posterior are a worse judge: what decides that they are enough is that no
 * large weight was among them, and where the proposal is too narrow somewhere, large weights are
 * rare and much of the evidence. Theirs stands only where the mixture has a longer tail of weights.
 */
anpe_status anpe_ladder_measure_evidence(anpe_ladder *l, anpe_ctx *ctx)
{
    anpe_ladder_result *r = l->result;
    anpe_weights_summary w;
    if (r->n_evaluations + ANPE_LADDER_EVIDENCE > l->options.max_evaluations ||
        r->ess < (double)l->width + 2)
        return ANPE_OK;
    anpe_ladder_source *s = fit_evidence(l);
    anpe_status status =
        anpe_ladder_draw(l, ctx, (int)(s - l->source), ANPE_LADDER_EVIDENCE, &l->spare, &w);
    const double worst =
        r->rung == ANPE_RUNG_MCMC ? INFINITY : fmax(r->khat, anpe_khat_limit(ANPE_LADDER_EVIDENCE));
    if (status || w.khat > worst)
        return status;
    r->log_evidence = s->log_evidence;
    r->log_evidence_err = s->error;
    return ANPE_OK;
}
