/* A block of draws of one source: its weights, what they say, and what the pool takes of it. */
#include <config.h>
#include "stat/ladder_private.h"
#include <math.h>
#include <string.h>

enum { POOL_SHARE = 4096 };        /* draws of one block that the pool takes */
static const double margin = 1.25; /* a block is longer than it should have to be */

static double source_log_density(const anpe_ladder *l, int k, const double *y, double log_p)
{
    const anpe_ladder_source *s = &l->source[k];
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

static void source_draw(anpe_ladder *l, const anpe_ladder_source *s, double *y)
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
static void add_evidence(anpe_ladder_source *s, int64_t n, const anpe_weights_summary *w)
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

anpe_status anpe_ladder_draw(anpe_ladder *l, anpe_ctx *ctx, int s, int64_t n, anpe_ladder_draws *b,
                             anpe_weights_summary *w)
{
    anpe_ladder_source *from = &l->source[s];
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
void anpe_ladder_add_to_pool(anpe_ladder *l, int s)
{
    const anpe_ladder_draws *b = &l->block;
    anpe_ladder_draws *p = &l->pool;
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

void anpe_ladder_set_result(anpe_ladder *l, int s, anpe_rung rung, const anpe_weights_summary *w)
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

int64_t anpe_ladder_planned(const anpe_ladder *l, const anpe_weights_summary *w, int64_t n,
                            int64_t shortest)
{
    const double wanted = ceil(margin * l->options.ess * (double)n / fmax(w->ess, 1));
    const int64_t left = l->options.max_evaluations / 2 - l->result->n_evaluations;
    if (w->ess < 1 || w->khat > 1 || wanted > (double)l->block.room || wanted > (double)left)
        return 0;
    return wanted < (double)shortest && left >= shortest ? shortest : (int64_t)wanted;
}

anpe_status anpe_ladder_decide(anpe_ladder *l, anpe_ctx *ctx, int s, anpe_rung rung,
                               anpe_weights_summary *w)
{
    const int64_t n =
        anpe_ladder_planned(l, w, l->block.n, rung == ANPE_RUNG_NEWTON ? 1 : ANPE_LADDER_PILOT);
    if (!n)
        return ANPE_OK;
    anpe_status status = anpe_ladder_draw(l, ctx, s, n, &l->block, w);
    if (status)
        return status;
    anpe_ladder_set_result(l, s, rung, w);
    anpe_ladder_add_to_pool(l, s);
    return ANPE_OK;
}

anpe_status anpe_ladder_pilot(anpe_ladder *l, anpe_ctx *ctx, int64_t n, anpe_weights_summary *w)
{
    const int64_t left = l->options.max_evaluations / 2 - l->result->n_evaluations;
    anpe_status status = anpe_ladder_draw(l, ctx, 0, n < left ? n : left, &l->block, w);
    if (status)
        return status;
    l->result->proposal_efficiency = w->ess / (double)l->block.n;
    l->result->proposal_khat = w->khat;
    anpe_ladder_set_result(l, 0, ANPE_RUNG_PROPOSAL, w);
    l->result->exact = 0;
    anpe_ladder_add_to_pool(l, 0);
    return ANPE_OK;
}
