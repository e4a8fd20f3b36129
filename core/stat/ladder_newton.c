/* The rung newton: optima that Newton steps lead to, and normal distributions about them. */
#include <config.h>
#include "stat/ladder_private.h"
#include <math.h>
#include <string.h>

enum {
    STARTS = 48,    /* draws of the proposal among which Newton steps start */
    EXPANSIONS = 25 /* on the way to one optimum */
};
static const double first_margin = 1.25;   /* the first block, over the wanted size */
static const double proposal_share = 0.05; /* of the proposal in a source */
static const double least_share = 0.1; /* of an optimum, before the shares are made to sum to 1 */
/* A draw is explained when its log target is less than this above what the normal distribution
 * leads to expect, which is taken to fall off by 0.2 of the squared distance, not by a half: a tail
 * that is wider than the normal's is no other maximum. */
static const double explained_above = 3, explained_fall = 0.2;
/* A normal's tail is lighter than most: widths about an optimum, and their shares. */
static const struct {
    double factor, share;
} scales[ANPE_LADDER_SCALES] = {{1, 0.8}, {1.5, 0.15}, {3, 0.05}};

/* Width of the proposal's draws in the box's coordinates, from the pool. */
static void find_scale(anpe_ladder *l, double *scale)
{
    const int64_t d = l->width, n = l->pool.n;
    memset(l->moments, 0, (size_t)d * sizeof *l->moments);
    for (int pass = 0; pass < ANPE_MOMENTS_PASSES; pass++)
        for (int64_t i = 0; i < n; i++) {
            (void)l->problem->box->from_y(l->problem->user, l->pool.y + i * d, l->x);
            for (int64_t k = 0; k < d; k++)
                anpe_moments_add(&l->moments[k], pass, l->x[k]);
        }
    for (int64_t k = 0; k < d; k++)
        scale[k] = anpe_moments_sd(&l->moments[k]);
}

/* Is the log target t at x what the normal distribution of one of the optima leads to expect? */
static int explained(const anpe_ladder *l, const double *x, double t)
{
    for (int i = 0; i < l->n_optima; i++) {
        const anpe_optimum *o = &l->optimum[i];
        if (t < o->top + explained_above - explained_fall * anpe_optimum_distance2(o, l->width, x))
            return 1;
    }
    return 0;
}

/* The pool's best draw that no optimum explains, as x; 0: there is none. */
static int find_start(anpe_ladder *l, double *x)
{
    const anpe_ladder_draws *p = &l->pool;
    double best = -INFINITY;
    for (int64_t i = 0; i < p->n; i++) {
        const double t =
            p->log_target[i] - l->problem->box->from_y(l->problem->user, p->y + i * l->width, l->x);
        if (!(t > best) || explained(l, l->x, t))
            continue;
        best = t;
        memcpy(x, l->x, (size_t)l->width * sizeof *x);
    }
    return best > -INFINITY;
}

/* The optimum that was tried joins the others, or takes the place of one that it is beside. */
static int keep_optimum(anpe_ladder *l)
{
    anpe_optimum *o = &l->optimum[ANPE_LADDER_OPTIMA];
    int at = 0;
    while (at < l->n_optima && anpe_optimum_distance2(&l->optimum[at], l->width, o->mean) > 1)
        at++;
    if (at == ANPE_LADDER_OPTIMA || (at < l->n_optima && l->optimum[at].top >= o->top))
        return 0;
    const anpe_optimum other = l->optimum[at];
    l->optimum[at] = *o;
    *o = other;
    if (at < l->n_optima)
        return 0;
    l->n_optima++;
    return 1;
}

/* Newton steps from draws that are not explained, until one leads to nothing new; returns in *found
 * how many optima are new. */
static anpe_status find_optima(anpe_ladder *l, anpe_ctx *ctx, int *found)
{
    const anpe_ladder_box *box = l->problem->box;
    const anpe_newton_problem p = {box->low, box->high, l->problem->user, box->expand, box->probe};
    double *start = l->x + l->width, *scale = l->x + 2 * l->width;
    int new = 1;
    find_scale(l, scale);
    for (*found = 0; new && l->n_optima < ANPE_LADDER_OPTIMA &&find_start(l, start);
         *found += new) {
        anpe_optimum *o = &l->optimum[ANPE_LADDER_OPTIMA];
        anpe_status status = anpe_newton_run(l->newton, ctx, &p, start, scale, EXPANSIONS, o);
        if (status)
            return status;
        l->result->n_evaluations += o->n_expansions * (l->width + 1) + o->n_probes;
        new = o->f > -INFINITY &&keep_optimum(l);
    }
    return ANPE_OK;
}

/* The mixture of all optima, each with as much as it has of the integral, but least_share. */
static int make_newton_source(anpe_ladder *l, int round)
{
    enum { MASS_DRAWS = 32 };
    const int s = l->n_sources++;
    double log_z[ANPE_LADDER_OPTIMA], sum = -INFINITY;
    anpe_truncated *m = l->boxed[round];
    l->source[s].boxed = m;
    l->source[s].share = proposal_share;
    l->source[s].n_pool = l->source[s].n = 0;
    for (int i = 0; i < l->n_optima; i++) {
        const anpe_optimum *o = &l->optimum[i];
        anpe_truncated_clear(m, l->problem->box->low, l->problem->box->high);
        anpe_truncated_add(m, o->mean, o->covariance, 1, 1);
        log_z[i] =
            o->top + 0.5 * o->log_det + anpe_truncated_log_mass(m, 0, l->rng, MASS_DRAWS, l->x);
        sum = anpe_log_add(sum, log_z[i]);
    }
    anpe_truncated_clear(m, l->problem->box->low, l->problem->box->high);
    for (int i = 0; i < l->n_optima; i++)
        for (int k = 0; k < ANPE_LADDER_SCALES; k++)
            anpe_truncated_add(m, l->optimum[i].mean, l->optimum[i].covariance, scales[k].factor,
                               scales[k].share * fmax(exp(log_z[i] - sum), least_share));
    anpe_truncated_normalise(m);
    return s;
}

/* A block of a length that is fixed before anything is known; then one by the efficiency of that.
 */
anpe_status anpe_ladder_climb_newton(anpe_ladder *l, anpe_ctx *ctx)
{
    const int64_t first = (int64_t)(first_margin * l->options.ess);
    anpe_weights_summary w;
    anpe_status status;
    int found = 0;
    ANPE_TRY(anpe_ladder_pilot(l, ctx, STARTS, &w));
    for (int round = 0; round < ANPE_LADDER_NEWTONS && !l->result->exact; round++) {
        ANPE_TRY(find_optima(l, ctx, &found));
        if (!found || l->options.max_evaluations / 2 - l->result->n_evaluations < first)
            break;
        const int s = make_newton_source(l, round);
        ANPE_TRY(anpe_ladder_draw(l, ctx, s, first, &l->block, &w));
        anpe_ladder_set_result(l, s, ANPE_RUNG_NEWTON, &w);
        anpe_ladder_add_to_pool(l, s);
        if (!l->result->exact && anpe_ladder_planned(l, &w, l->block.n, 1) < 4 * l->step)
            ANPE_TRY(anpe_ladder_decide(l, ctx, s, ANPE_RUNG_NEWTON, &w));
    }
out:
    return status;
}
