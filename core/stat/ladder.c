/* The ladder. `block` is what was drawn last and what the result is made of; `pool` is a part of
 * all draws so far, from which the mixtures are fitted with deterministic mixture weights: target
 * over the density of all proposals together, each as often as it was drawn from. */
#include <config.h>
#include "stat/ladder.h"
#include "stat/mixture.h"
#include "stat/truncated.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PILOT = 1000,      /* draws that the first efficiency comes from, and the shortest block */
    MOST_STEPS = 12,   /* fits of a mixture */
    COMPONENTS = 4,    /* fitted; one more is the wide one */
    POOL_SHARE = 4096, /* draws of one block that the pool takes */
    POOL = 32768,
    EVIDENCE = 1000, /* draws for the evidence */
    STARTS = 48,     /* draws of the proposal among which Newton steps start */
    OPTIMA = 4,      /* maxima that are kept */
    EXPANSIONS = 25, /* on the way to one */
    NEWTONS = 3,     /* times that the rung newton begins again with one more */
    SOURCES = MOST_STEPS + NEWTONS + 2
};
static const double margin = 1.25; /* a block is longer than it should have to be */
static const double rhat_limit = 1.01;
static const double newton_margin =
    1.25; /* the first block of the rung newton, over the wanted size */
static const double proposal_share = 0.05; /* of the proposal in it */
/* A normal's tail is lighter than most: widths about an optimum, and their shares. */
enum { N_SCALES = 3 };
static const struct {
    double factor, share;
} scales[N_SCALES] = {{1, 0.8}, {1.5, 0.15}, {3, 0.05}};

const char *const anpe_rung_names[ANPE_N_RUNGS] = {"proposal",  "more",     "newton",
                                                   "defensive", "adaptive", "mcmc"};

typedef struct source { /* share of the problem's proposal, the rest from a mixture */
    double share;
    anpe_mixture *mixture;
    anpe_truncated *boxed; /* not NULL: in its place, in the box's coordinates */
    int64_t n_pool;
    /* the evidence from all blocks of this source */
    int64_t n;
    double log_evidence, error; /* error: of the logarithm */
} source;

typedef struct draws {
    int64_t n, room;
    double *y;                  /* (room, D) */
    double *log_target, *log_p; /* (room) log_p: of the problem's proposal */
    double *log_q;              /* (room) of the source; pool: sum over sources of n_pool q */
    double *log_weight;         /* (room) */
} draws;

struct anpe_ladder {
    anpe_ladder_options options;
    int64_t width, step;      /* draws of one adaptive step */
    draws block, pool, spare; /* spare: the evidence's block */
    int n_sources;
    source source[SOURCES]; /* 0: the proposal alone */
    anpe_truncated *boxed[NEWTONS];
    anpe_newton *newton;
    int n_optima;
    anpe_optimum optimum[OPTIMA + 1]; /* the last one is being tried */
    double *x;                        /* (3, D) */
    anpe_ensemble *ensemble;
    int64_t n_walkers;
    double *resp; /* (POOL, COMPONENTS + 1) */
    int64_t *row; /* (n_walkers) */
    anpe_ranked *ranked;
    /* this climb */
    const anpe_ladder_problem *problem;
    anpe_rng *rng;
    anpe_ladder_result *result;
};

anpe_ladder_options anpe_ladder_defaults(void)
{
    return (anpe_ladder_options){500, 100000, ANPE_RUNG_MCMC};
}

/* ---- memory ------------------------------------------------------------------------------ */

static anpe_status draws_new(anpe_ctx *ctx, draws *d, int64_t room, int64_t width)
{
    const size_t n = (size_t)room;
    d->room = room;
    d->y = malloc(n * (size_t)width * sizeof *d->y);
    d->log_target = malloc(n * sizeof *d->log_target);
    d->log_p = malloc(n * sizeof *d->log_p);
    d->log_q = malloc(n * sizeof *d->log_q);
    d->log_weight = malloc(n * sizeof *d->log_weight);
    if (d->y && d->log_target && d->log_p && d->log_q && d->log_weight)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_ENOMEM, "importance sampling: out of memory");
}

static void draws_clear(draws *d)
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
    const int64_t shortest = step > EVIDENCE ? step : EVIDENCE;
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
    ANPE_TRY(draws_new(ctx, &l->pool, POOL, d));
    ANPE_TRY(draws_new(ctx, &l->spare, EVIDENCE, d));
    for (int i = 1; i < SOURCES; i++)
        ANPE_TRY(anpe_mixture_new(ctx, d, COMPONENTS + 1, &l->source[i].mixture));
    for (int i = 0; i < NEWTONS; i++)
        ANPE_TRY(anpe_truncated_new(ctx, d, OPTIMA * N_SCALES, &l->boxed[i]));
    for (int i = 0; i <= OPTIMA; i++)
        ANPE_TRY(anpe_optimum_new(ctx, d, &l->optimum[i]));
    ANPE_TRY(anpe_newton_new(ctx, d, &l->newton));
    if (l->options.last == ANPE_RUNG_MCMC)
        ANPE_TRY(anpe_ensemble_new(ctx, &setup, &l->ensemble));
    const int64_t most = l->block.room > POOL ? l->block.room : POOL;
    l->resp = malloc((size_t)most * (COMPONENTS + 1) * sizeof *l->resp);
    l->row = malloc((size_t)l->n_walkers * sizeof *l->row);
    l->ranked = malloc((size_t)most * sizeof *l->ranked);
    l->x = malloc(3 * (size_t)d * sizeof *l->x);
    if (!l->resp || !l->row || !l->ranked || !l->x)
        status = ANPE_FAIL(ctx, ANPE_ENOMEM, "importance sampling: out of memory");
out:
    return status;
}

anpe_status anpe_ladder_new(anpe_ctx *ctx, int64_t width, const anpe_ladder_options *options,
                            anpe_ladder **out)
{
    anpe_ladder *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "importance sampling: out of memory");
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
    for (int i = 0; i < SOURCES; i++)
        anpe_mixture_free(l->source[i].mixture);
    for (int i = 0; i < NEWTONS; i++)
        anpe_truncated_free(l->boxed[i]);
    for (int i = 0; i <= OPTIMA; i++)
        anpe_optimum_clear(&l->optimum[i]);
    anpe_newton_free(l->newton);
    free(l->x);
    anpe_ensemble_free(l->ensemble);
    free(l->resp);
    free(l->row);
    free(l->ranked);
    free(l);
    return NULL;
}

/* ---- a block of draws -------------------------------------------------------------------- */

static double source_log_density(const anpe_ladder *l, int k, const double *y, double log_p)
{
    const source *s = &l->source[k];
    double log_m;
    if (s->share >= 1)
        return log_p;
    if (s->boxed) {
        log_m = l->problem->box->from_y(l->problem->user, y, l->x);
        log_m += anpe_truncated_log_density(s->boxed, l->x);
    } else
        log_m = anpe_mixture_log_density(s->mixture, y);
    return anpe_log_add(log(s->share) + log_p, log1p(-s->share) + log_m);
}

static void source_draw(anpe_ladder *l, const source *s, double *y)
{
    if (!s->boxed) {
        anpe_mixture_draw(s->mixture, l->rng, y);
        return;
    }
    anpe_truncated_draw(s->boxed, l->rng, l->x);
    l->problem->box->to_y(l->problem->user, l->x, y);
}

/* The evidence of a block joins that of its source's other blocks, refused ones too: a block is
 * refused when it has met large weights, and to leave it out would make the evidence too small. */
static void add_evidence(source *s, int64_t n, const anpe_weights_summary *w)
{
    const double all = (double)(s->n + n), log_then = log((double)s->n / all) + s->log_evidence,
                 log_now = log((double)n / all) + w->log_evidence;
    const double sum = s->n ? anpe_log_add(log_then, log_now) : w->log_evidence;
    const double then = s->n && log_then > -INFINITY ? s->error * exp(log_then - sum) : 0;
    const double now = log_now > -INFINITY ? w->log_evidence_err * exp(log_now - sum) : 0;
    s->n += n;
    s->log_evidence = sum;
    s->error = sum > -INFINITY ? hypot(then, now) : INFINITY;
}

/* n draws of source s into the block, with weights and their summary. The shares are kept exactly,
 * so that the density is that of the whole set. */
static anpe_status draw_block(anpe_ladder *l, anpe_ctx *ctx, int s, int64_t n,
                              anpe_weights_summary *w)
{
    draws *b = &l->block;
    source *from = &l->source[s];
    const anpe_ladder_problem *p = l->problem;
    const int64_t d = l->width, own = (int64_t)(from->share * (double)n + 0.5);
    anpe_status status = ANPE_OK;
    if (own)
        ANPE_TRY(p->draw(p->user, ctx, l->rng, own, b->y, b->log_p));
    for (int64_t i = own; i < n; i++)
        source_draw(l, from, b->y + i * d);
    if (own < n)
        ANPE_TRY(p->log_q(p->user, ctx, n - own, b->y + own * d, b->log_p + own));
    ANPE_TRY(p->target(p->user, ctx, n, b->y, b->log_target));
    b->n = n;
    for (int64_t i = 0; i < n; i++) {
        b->log_q[i] = source_log_density(l, s, b->y + i * d, b->log_p[i]);
        b->log_weight[i] = b->log_target[i] - b->log_q[i];
    }
    *w = anpe_weights_smooth(n, b->log_weight, l->ranked);
    add_evidence(from, n, w);
    l->result->n_evaluations += n;
out:
    return status;
}

/* Up to POOL_SHARE draws of the block, evenly taken, join the pool. */
static void add_to_pool(anpe_ladder *l, int s)
{
    const draws *b = &l->block;
    draws *p = &l->pool;
    const int64_t d = l->width, room = p->room - p->n, before = p->n;
    int64_t m = b->n < POOL_SHARE ? b->n : POOL_SHARE;
    m = m < room ? m : room;
    for (int64_t i = 0; i < before; i++)
        p->log_q[i] = anpe_log_add(
            p->log_q[i], log((double)m) + source_log_density(l, s, p->y + i * d, p->log_p[i]));
    l->source[s].n_pool += m;
    for (int64_t j = 0; j < m; j++) {
        const int64_t from = j * b->n / m, to = p->n++;
        memcpy(p->y + to * d, b->y + from * d, (size_t)d * sizeof *p->y);
        p->log_p[to] = b->log_p[from];
        p->log_target[to] = b->log_target[from];
        p->log_q[to] = -INFINITY;
        for (int k = 0; k < l->n_sources; k++)
            if (l->source[k].n_pool)
                p->log_q[to] = anpe_log_add(
                    p->log_q[to], log((double)l->source[k].n_pool) +
                                      source_log_density(l, k, p->y + to * d, p->log_p[to]));
    }
}

static void set_result(anpe_ladder *l, int s, anpe_rung rung, const anpe_weights_summary *w)
{
    anpe_ladder_result *r = l->result;
    r->rung = rung;
    r->ess = w->ess;
    r->efficiency = w->ess / (double)l->block.n;
    r->khat = w->khat;
    r->log_evidence = l->source[s].log_evidence;
    r->log_evidence_err = l->source[s].error;
    r->exact = w->ess >= l->options.ess && w->khat <= anpe_khat_limit(l->block.n);
    r->n = l->block.n;
}

/* Length that a block should have by the efficiency of another; 0: it is not worth trying. */
static int64_t planned(const anpe_ladder *l, const anpe_weights_summary *w, int64_t n,
                       int64_t shortest)
{
    const double wanted = ceil(margin * l->options.ess * (double)n / fmax(w->ess, 1));
    const int64_t left = l->options.max_evaluations / 2 - l->result->n_evaluations;
    if (w->ess < 1 || w->khat > 1 || wanted > (double)l->block.room || wanted > (double)left)
        return 0;
    return wanted < (double)shortest && left >= shortest ? shortest : (int64_t)wanted;
}

/* A block of the length that w, of the last block, asks for: it decides. w is then its own. */
static anpe_status decide(anpe_ladder *l, anpe_ctx *ctx, int s, anpe_rung rung,
                          anpe_weights_summary *w)
{
    const int64_t n = planned(l, w, l->block.n, rung == ANPE_RUNG_NEWTON ? 1 : PILOT);
    if (!n)
        return ANPE_OK;
    anpe_status status = draw_block(l, ctx, s, n, w);
    if (status)
        return status;
    set_result(l, s, rung, w);
    add_to_pool(l, s);
    return ANPE_OK;
}

/* ---- rungs ------------------------------------------------------------------------------- */

/* n draws of the proposal, that decide nothing. */
static anpe_status pilot(anpe_ladder *l, anpe_ctx *ctx, int64_t n, anpe_weights_summary *w)
{
    const int64_t left = l->options.max_evaluations / 2 - l->result->n_evaluations;
    anpe_status status = draw_block(l, ctx, 0, n < left ? n : left, w);
    if (status)
        return status;
    l->result->proposal_efficiency = w->ess / (double)l->block.n;
    l->result->proposal_khat = w->khat;
    set_result(l, 0, ANPE_RUNG_PROPOSAL, w);
    l->result->exact = 0;
    add_to_pool(l, 0);
    return ANPE_OK;
}

static anpe_status climb_proposal(anpe_ladder *l, anpe_ctx *ctx)
{
    anpe_weights_summary w;
    anpe_status status;
    ANPE_TRY(pilot(l, ctx, PILOT, &w));
    ANPE_TRY(decide(l, ctx, 0, ANPE_RUNG_PROPOSAL, &w));
    if (!l->result->exact && l->options.last >= ANPE_RUNG_MORE)
        ANPE_TRY(decide(l, ctx, 0, ANPE_RUNG_MORE, &w));
out:
    return status;
}

/* Width of the proposal's draws in the box's coordinates, from the pool. */
static void find_scale(anpe_ladder *l, double *scale)
{
    const int64_t d = l->width, n = l->pool.n;
    double *mean = l->x + d;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < n; i++) {
            (void)l->problem->box->from_y(l->problem->user, l->pool.y + i * d, l->x);
            for (int64_t k = 0; k < d; k++) {
                if (i == 0)
                    *(pass ? &scale[k] : &mean[k]) = 0;
                if (pass)
                    scale[k] += (l->x[k] - mean[k]) * (l->x[k] - mean[k]) / (double)n;
                else
                    mean[k] += l->x[k] / (double)n;
            }
        }
    for (int64_t k = 0; k < d; k++)
        scale[k] = sqrt(scale[k]);
}

/* Is the log target t at x what the normal distribution of one of the optima leads to expect? */
static int explained(const anpe_ladder *l, const double *x, double t)
{
    for (int i = 0; i < l->n_optima; i++) {
        const anpe_optimum *o = &l->optimum[i];
        if (t < o->top + 3 - 0.2 * anpe_optimum_distance2(o, l->width, x))
            return 1;
    }
    return 0;
}

/* The pool's best draw that no optimum explains, as x; 0: there is none. */
static int find_start(anpe_ladder *l, double *x)
{
    const draws *p = &l->pool;
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
    anpe_optimum *o = &l->optimum[OPTIMA];
    int at = 0;
    while (at < l->n_optima && anpe_optimum_distance2(&l->optimum[at], l->width, o->mean) > 1)
        at++;
    if (at == OPTIMA || (at < l->n_optima && l->optimum[at].top >= o->top))
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
    const anpe_newton_problem p = {box->low, box->high, l->problem->user, box->expand};
    double *start = l->x + l->width, *scale = l->x + 2 * l->width;
    int n = 0, new = 1;
    find_scale(l, scale);
    for (*found = 0; new && l->n_optima < OPTIMA &&find_start(l, start); *found += new) {
        anpe_optimum *o = &l->optimum[OPTIMA];
        anpe_status status = anpe_newton_run(l->newton, ctx, &p, start, scale, EXPANSIONS, o, &n);
        if (status)
            return status;
        l->result->n_evaluations += n * (l->width + 1);
        new = o->f > -INFINITY &&keep_optimum(l);
    }
    return ANPE_OK;
}

/* The mixture of all optima, each with as much as it has of the integral, but a tenth at least. */
static int make_newton_source(anpe_ladder *l, int round)
{
    enum { MASS_DRAWS = 32 };
    const int s = l->n_sources++;
    double log_z[OPTIMA], sum = -INFINITY;
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
        for (int k = 0; k < N_SCALES; k++)
            anpe_truncated_add(m, l->optimum[i].mean, l->optimum[i].covariance, scales[k].factor,
                               scales[k].share * fmax(exp(log_z[i] - sum), 0.1));
    anpe_truncated_normalise(m);
    return s;
}

/* A block of a length that is fixed before anything is known; then one by the efficiency of that.
 */
static anpe_status climb_newton(anpe_ladder *l, anpe_ctx *ctx)
{
    const int64_t first = (int64_t)(newton_margin * l->options.ess);
    anpe_weights_summary w;
    anpe_status status;
    int found = 0;
    ANPE_TRY(pilot(l, ctx, STARTS, &w));
    for (int round = 0; round < NEWTONS && !l->result->exact; round++) {
        ANPE_TRY(find_optima(l, ctx, &found));
        if (!found || l->options.max_evaluations / 2 - l->result->n_evaluations < first)
            break;
        const int s = make_newton_source(l, round);
        ANPE_TRY(draw_block(l, ctx, s, first, &w));
        set_result(l, s, ANPE_RUNG_NEWTON, &w);
        add_to_pool(l, s);
        if (!l->result->exact && planned(l, &w, l->block.n, 1) < 4 * l->step)
            ANPE_TRY(decide(l, ctx, s, ANPE_RUNG_NEWTON, &w));
    }
out:
    return status;
}

/* The largest power of the pool's weights, at most 1, that leaves enough of them to fit to. */
static double temper(const anpe_ladder *l, double enough)
{
    const draws *p = &l->pool;
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

/* Weights of the pool: log_weight as they are, then tempered and relative to the largest. Returns
 * the effective size of the tempered ones; 0 when all are zero. */
static double weigh_pool(anpe_ladder *l, double enough)
{
    draws *p = &l->pool;
    double top = -INFINITY;
    for (int64_t i = 0; i < p->n; i++) {
        p->log_weight[i] = p->log_target[i] - p->log_q[i];
        if (isnan(p->log_weight[i]))
            p->log_weight[i] = -INFINITY;
        top = fmax(top, p->log_weight[i]);
    }
    if (!isfinite(top))
        return 0;
    const double power = temper(l, fmin(enough, 0.3 * (double)p->n));
    for (int64_t i = 0; i < p->n; i++)
        p->log_weight[i] = power > 0 ? power * (p->log_weight[i] - top) : 0;
    return anpe_weights_ess(p->n, p->log_weight, 1);
}

/* Components that so many effective draws can shape. */
static int components_for(const anpe_ladder *l, double effective)
{
    const int fair = (int)(effective / (20 + 5 * (double)l->width));
    return fair < 1 ? 1 : fair < COMPONENTS ? fair : COMPONENTS;
}

/* The next source: a mixture fitted to the pool. The first is wide and half of it the proposal. */
static int fit_source(anpe_ladder *l, int first)
{
    const double d = (double)l->width, effective = weigh_pool(l, 50 + 10 * d);
    source *s = &l->source[l->n_sources];
    draws *p = &l->pool;
    if (effective < d + 2)
        return 0;
    for (int64_t i = 0; i < p->n; i++)
        p->log_weight[i] = exp(p->log_weight[i]);
    const int most = components_for(l, effective);
    anpe_mixture_fit(s->mixture, p->n, p->y, p->log_weight, first ? 1 : most, first ? 1.5 : 1.1,
                     l->rng, l->resp);
    anpe_mixture_widen(s->mixture, first ? 4 : 3, first ? 0.3 : 0.1);
    s->share = first ? 0.5 : 0.1;
    s->boxed = NULL;
    s->n_pool = s->n = 0;
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
    anpe_status status = draw_block(l, ctx, s, l->step, &w);
    if (status)
        return status;
    *efficiency = w.ess / (double)l->step;
    set_result(l, s, rung, &w);
    l->result->exact = 0; /* it is not longer than a pilot */
    add_to_pool(l, s);
    const int64_t n = planned(l, &w, l->step, PILOT);
    const int grows = *efficiency > 1.2 * before && rung == ANPE_RUNG_ADAPTIVE;
    if (!n || w.khat > 0.7 || (grows && n > 4 * l->step))
        return ANPE_OK;
    return decide(l, ctx, s, rung, &w);
}

static anpe_status climb_mixtures(anpe_ladder *l, anpe_ctx *ctx)
{
    double efficiency = 0;
    int ended = 0;
    const int known = l->result->rung == ANPE_RUNG_NEWTON && l->result->ess > 50;
    for (int i = known; i <= MOST_STEPS && !ended && !l->result->exact; i++) {
        const anpe_rung rung = i == 0 ? ANPE_RUNG_DEFENSIVE : ANPE_RUNG_ADAPTIVE;
        if (rung > l->options.last)
            return ANPE_OK;
        anpe_status status = climb_step(l, ctx, rung, &efficiency, &ended);
        if (status)
            return status;
    }
    return ANPE_OK;
}

/* Weights of the draws that walkers may start at: none where the posterior is zero. Returns their
 * effective size. */
static double weigh_starts(anpe_ladder *l)
{
    draws *p = &l->pool;
    if (weigh_pool(l, (double)l->n_walkers) == 0)
        return 0;
    for (int64_t i = 0; i < p->n; i++)
        if (!(p->log_target[i] > -INFINITY))
            p->log_weight[i] = -INFINITY;
    return anpe_weights_ess(p->n, p->log_weight, 1);
}

/* Walkers start at draws of the pool, neighbours in its order in different ensembles. */
static void place_walkers(anpe_ladder *l, double *y)
{
    draws *p = &l->pool;
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
    draws *b = &l->block;
    b->n = m->n < b->room ? m->n : b->room;
    for (int64_t i = 0; i < b->n; i++) {
        const int64_t from = i * m->n / b->n;
        memcpy(b->y + i * l->width, m->y + from * l->width, (size_t)l->width * sizeof *b->y);
        b->log_target[i] = m->log_value[from];
        b->log_q[i] = NAN;
        b->log_weight[i] = -log((double)b->n);
    }
}

static anpe_status climb_mcmc(anpe_ladder *l, anpe_ctx *ctx)
{
    const anpe_ladder_problem *p = l->problem;
    anpe_ladder_result *r = l->result;
    anpe_ensemble_result m;
    const int64_t left = l->options.max_evaluations - r->n_evaluations - EVIDENCE;
    anpe_status status;
    /* Moves never leave the plane that the walkers of an ensemble span: they must span all. */
    if (weigh_starts(l) < 2 * (double)l->width + 2 || left < 10 * l->n_walkers)
        return ANPE_OK;
    place_walkers(l, anpe_ensemble_start(l->ensemble));
    ANPE_TRY(anpe_ensemble_run(l->ensemble, ctx, p->target, p->user, l->rng, rhat_limit,
                               l->options.ess, left, &m));
    r->n_evaluations += m.n_evaluations;
    keep_walkers(l, &m);
    r->rung = ANPE_RUNG_MCMC;
    r->ess = m.ess;
    r->efficiency = m.ess / (double)l->block.n;
    r->khat = NAN;
    r->rhat = m.rhat;
    r->n = l->block.n;
    r->exact = m.rhat <= rhat_limit && m.ess >= l->options.ess;
out:
    return status;
}

/* ---- the evidence ------------------------------------------------------------------------ */

/* The source that evidence is measured with: a mixture fitted to the result's draws. */
static source *fit_evidence(anpe_ladder *l)
{
    source *s = &l->source[l->n_sources < SOURCES ? l->n_sources : SOURCES - 1];
    const draws *b = &l->block;
    draws *p = &l->pool;
    const int64_t n = b->n < POOL ? b->n : POOL;
    for (int64_t i = 0; i < n; i++) {
        const int64_t from = i * b->n / n;
        memcpy(p->y + i * l->width, b->y + from * l->width, (size_t)l->width * sizeof *p->y);
        p->log_weight[i] = exp(b->log_weight[from]);
    }
    anpe_mixture_fit(s->mixture, n, p->y, p->log_weight, components_for(l, l->result->ess), 1.1,
                     l->rng, l->resp);
    anpe_mixture_widen(s->mixture, 3, 0.1);
    s->share = 0.1;
    s->boxed = NULL;
    s->n = 0;
    return s;
}

/* The evidence from fresh draws of a mixture that has the posterior's shape and wider tails. The
 * draws that made the posterior are a worse judge: what decides that they are enough is that no
 * large weight was among them, and where the proposal is too narrow somewhere, large weights are
 * rare and much of the evidence. Theirs stands only where the mixture has a longer tail of weights.
 */
static anpe_status measure_evidence(anpe_ladder *l, anpe_ctx *ctx)
{
    anpe_ladder_result *r = l->result;
    anpe_weights_summary w;
    if (r->n_evaluations + EVIDENCE > l->options.max_evaluations || r->ess < (double)l->width + 2)
        return ANPE_OK;
    source *s = fit_evidence(l);
    const draws result = l->block;
    l->block = l->spare;
    anpe_status status = draw_block(l, ctx, (int)(s - l->source), EVIDENCE, &w);
    l->spare = l->block;
    l->block = result;
    const double worst =
        r->rung == ANPE_RUNG_MCMC ? INFINITY : fmax(r->khat, anpe_khat_limit(EVIDENCE));
    if (status || w.khat > worst)
        return status;
    r->log_evidence = s->log_evidence;
    r->log_evidence_err = s->error;
    return ANPE_OK;
}

/* What the proposal alone would have had, from the draws behind the numbers: with weights w of the
 * proposal, (E_q w)^2 / E_q w^2 = Z / E w, the last one over the posterior. A few draws of its own
 * cannot say as much. */
static void judge_proposal(const anpe_ladder *l)
{
    const draws *b = &l->block;
    double mean = 0;
    for (int64_t i = 0; i < b->n; i++)
        if (b->log_weight[i] > -INFINITY)
            mean +=
                exp(b->log_weight[i] + b->log_target[i] - b->log_p[i] - l->result->log_evidence);
    l->result->proposal_efficiency = 1 / mean;
}

/* ---- all of it --------------------------------------------------------------------------- */

static void say_why(const anpe_ladder *l)
{
    anpe_ladder_result *r = l->result;
    if (r->exact)
        return;
    if (r->rung == ANPE_RUNG_MCMC)
        snprintf(r->reason, sizeof r->reason,
                 "mcmc: %.0f effective draws of %.0f, R-hat %.3f above %.2f or too few, after %lld "
                 "evaluations",
                 r->ess, l->options.ess, r->rhat, rhat_limit, (long long)r->n_evaluations);
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
    l->source[0] = (source){.share = 1};
    l->n_sources = 1;
    if (problem->box && last >= ANPE_RUNG_NEWTON)
        ANPE_TRY(climb_newton(l, ctx));
    if (l->n_optima == 0)
        ANPE_TRY(climb_proposal(l, ctx));
    if (!result->exact)
        ANPE_TRY(climb_mixtures(l, ctx));
    if (!result->exact && last == ANPE_RUNG_MCMC)
        ANPE_TRY(climb_mcmc(l, ctx));
    if (result->rung != ANPE_RUNG_NEWTON && (result->exact || result->rung == ANPE_RUNG_MCMC))
        ANPE_TRY(measure_evidence(l, ctx));
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
