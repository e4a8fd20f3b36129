/* Ensembles of walkers. Of the steps every thin-th is kept; when there is no more room every second
 * of those goes and thin doubles, so that the kept steps always cover the whole run. */
#include <config.h>
#include "stat/ensemble.h"
#include "stat/convergence.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CHECK = 128 }; /* steps; then after 1.5 times as many */

struct anpe_ensemble {
    anpe_ensemble_setup setup;
    int64_t all;          /* chains walkers */
    int64_t room;         /* steps that can be kept, even */
    int64_t kept, thin;   /* steps */
    double *y, *value;    /* (all, D), (all) now */
    double *proposal;     /* (all / 2, D) */
    double *proposed;     /* (all / 2) */
    double *ratio;        /* (all / 2) log of the move's factor */
    double *history;      /* (room, all, D) */
    double *past;         /* (room, all) log density */
    double *column, *z;   /* (room all) */
    anpe_ranked *scratch; /* (room all) */
    int64_t n_accepted, n_moves;
};

anpe_status anpe_ensemble_new(anpe_ctx *ctx, const anpe_ensemble_setup *setup, anpe_ensemble **out)
{
    anpe_ensemble *e;
    *out = NULL;
    if (ANPE_NEW(ctx, e, 1))
        return ANPE_ENOMEM;
    e->setup = *setup;
    e->all = setup->chains * setup->walkers;
    e->room = setup->room / e->all / 2 * 2;
    e->room = e->room < 2 * FIRST_CHECK ? 2 * FIRST_CHECK : e->room;
    const int64_t d = setup->width, all = e->all, n = e->room * all;
    if (ANPE_NEW(ctx, e->y, all, d) || ANPE_NEW(ctx, e->value, all) ||
        ANPE_NEW(ctx, e->proposal, all / 2, d) || ANPE_NEW(ctx, e->proposed, all / 2) ||
        ANPE_NEW(ctx, e->ratio, all / 2) || ANPE_NEW(ctx, e->history, n, d) ||
        ANPE_NEW(ctx, e->past, n) || ANPE_NEW(ctx, e->column, n) || ANPE_NEW(ctx, e->z, n) ||
        ANPE_NEW(ctx, e->scratch, n)) {
        anpe_ensemble_free(e);
        return ANPE_ENOMEM;
    }
    *out = e;
    return ANPE_OK;
}

anpe_ensemble *anpe_ensemble_free(anpe_ensemble *e)
{
    if (!e)
        return NULL;
    free(e->y);
    free(e->value);
    free(e->proposal);
    free(e->proposed);
    free(e->ratio);
    free(e->history);
    free(e->past);
    free(e->column);
    free(e->z);
    free(e->scratch);
    free(e);
    return NULL;
}

double *anpe_ensemble_start(anpe_ensemble *e)
{
    return e->y;
}

/* ---- moves ------------------------------------------------------------------------------- */

/* y + gamma (a - b) with two walkers of the other half: the distribution of gamma (a - b) is
 * symmetric. gamma near 1 now and then: from one mode to another. */
static void evolve(const anpe_ensemble *e, anpe_rng *rng, const double *y, const double *other,
                   double *to)
{
    const int64_t d = e->setup.width, half = e->setup.walkers / 2;
    const double scale = anpe_uniform(rng) < 0.1 ? 1 : 2.38 / sqrt(2 * (double)d);
    const double gamma = scale * (1 + 0.05 * anpe_normal(rng));
    const int64_t a = anpe_integer(rng, half);
    int64_t b = anpe_integer(rng, half - 1);
    b += b >= a;
    for (int64_t i = 0; i < d; i++)
        to[i] = y[i] + gamma * (other[a * d + i] - other[b * d + i]);
}

/* a + s (y - a), with density of s ~ 1 / sqrt s on [1/2, 2]; returns (D - 1) log s. */
static double stretch(const anpe_ensemble *e, anpe_rng *rng, const double *y, const double *other,
                      double *to)
{
    const int64_t d = e->setup.width, a = anpe_integer(rng, e->setup.walkers / 2);
    const double root = 1 + anpe_uniform(rng), s = 0.5 * root * root;
    for (int64_t i = 0; i < d; i++)
        to[i] = other[a * d + i] + s * (y[i] - other[a * d + i]);
    return (double)(d - 1) * log(s);
}

/* Half h of every ensemble, all evaluated together. */
static anpe_status move_half(anpe_ensemble *e, anpe_ctx *ctx, anpe_log_density_fn *density,
                             void *user, anpe_rng *rng, int h)
{
    const int64_t d = e->setup.width, half = e->setup.walkers / 2, n = e->all / 2;
    for (int64_t i = 0; i < n; i++) {
        const int64_t ensemble = i / half * e->setup.walkers;
        const double *y = e->y + (ensemble + h * half + i % half) * d;
        const double *other = e->y + (ensemble + (1 - h) * half) * d;
        e->ratio[i] = 0;
        if (anpe_uniform(rng) < 0.7)
            evolve(e, rng, y, other, e->proposal + i * d);
        else
            e->ratio[i] = stretch(e, rng, y, other, e->proposal + i * d);
    }
    anpe_status status = density(user, ctx, n, e->proposal, e->proposed);
    if (status)
        return status;
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = i / half * e->setup.walkers + h * half + i % half;
        const double u = log(anpe_uniform(rng));
        e->n_moves++;
        if (!(u < e->ratio[i] + e->proposed[i] - e->value[at])) /* NAN: stays */
            continue;
        memcpy(e->y + at * d, e->proposal + i * d, (size_t)d * sizeof *e->y);
        e->value[at] = e->proposed[i];
        e->n_accepted++;
    }
    return ANPE_OK;
}

/* ---- history ----------------------------------------------------------------------------- */

static void keep(anpe_ensemble *e, int64_t step)
{
    const size_t row = (size_t)(e->all * e->setup.width), all = (size_t)e->all;
    if (e->kept == e->room) {
        e->kept /= 2;
        e->thin *= 2;
        for (int64_t k = 0; k < e->kept; k++) { /* the later of each pair: multiples of thin */
            memcpy(e->history + (size_t)k * row, e->history + (size_t)(2 * k + 1) * row,
                   row * sizeof *e->history);
            memcpy(e->past + (size_t)k * all, e->past + (size_t)(2 * k + 1) * all,
                   all * sizeof *e->past);
        }
        if (step % e->thin)
            return;
    }
    memcpy(e->history + (size_t)e->kept * row, e->y, row * sizeof *e->history);
    memcpy(e->past + (size_t)e->kept * all, e->value, all * sizeof *e->past);
    e->kept++;
}

/* R-hat between the ensembles and effective size, over the second half of the run. */
static void judge(anpe_ensemble *e, anpe_ensemble_result *r)
{
    const int64_t d = e->setup.width, w = e->setup.walkers, steps = e->kept - e->kept / 2;
    const int64_t n = steps * e->all;
    const double *y = e->history + e->kept / 2 * e->all * d;
    r->n = n;
    r->y = y;
    r->log_value = e->past + e->kept / 2 * e->all;
    r->rhat = 0;
    r->ess = INFINITY;
    for (int64_t i = 0; i < d; i++) {
        for (int64_t k = 0; k < n; k++)
            e->column[k] = y[k * d + i];
        r->ess = fmin(r->ess, (double)n / anpe_autocorrelation_time(steps, e->all, e->column));
        for (int64_t k = 0; k < n;
             k++) /* one ensemble after the other, each in the order of time */
            e->column[(k % e->all / w * steps + k / e->all) * w + k % w] = y[k * d + i];
        r->rhat =
            fmax(r->rhat, anpe_rank_rhat(e->setup.chains, steps * w, e->column, e->z, e->scratch));
    }
}

/* A walker where the density is zero starts at another one of its ensemble. */
static anpe_status begin(anpe_ensemble *e, anpe_ctx *ctx, anpe_log_density_fn *density, void *user)
{
    const int64_t d = e->setup.width, w = e->setup.walkers;
    e->kept = e->n_accepted = e->n_moves = 0;
    e->thin = 1;
    anpe_status status = density(user, ctx, e->all, e->y, e->value);
    for (int64_t i = 0; i < e->all && !status; i++) {
        int64_t from = 0;
        while (from < w && !isfinite(e->value[i / w * w + (i + from) % w]))
            from++;
        if (from == w)
            return ANPE_FAIL(ctx, ANPE_ENUMERIC,
                             "mcmc: the posterior is zero at every starting point");
        const int64_t at = i / w * w + (i + from) % w;
        e->value[i] = e->value[at];
        memmove(e->y + i * d, e->y + at * d, (size_t)d * sizeof *e->y);
    }
    return status;
}

anpe_status anpe_ensemble_run(anpe_ensemble *e, anpe_ctx *ctx, anpe_log_density_fn *density,
                              void *user, anpe_rng *rng, double rhat, double ess,
                              int64_t max_evaluations, anpe_ensemble_result *r)
{
    int64_t next_check = FIRST_CHECK;
    anpe_status status = begin(e, ctx, density, user);
    *r = (anpe_ensemble_result){.rhat = INFINITY, .n_evaluations = e->all};
    for (int64_t step = 1; !status && r->n_evaluations + e->all <= max_evaluations; step++) {
        for (int h = 0; h < 2 && !status; h++)
            status = move_half(e, ctx, density, user, rng, h);
        r->n_evaluations += e->all;
        if (status || step % e->thin)
            continue;
        keep(e, step);
        if (step < next_check)
            continue;
        next_check = step + step / 2;
        judge(e, r);
        if (r->rhat <= rhat && r->ess >= ess)
            break;
    }
    if (status)
        return status;
    if (e->kept < 2)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "mcmc: %lld evaluations are too few for %lld walkers",
                         (long long)max_evaluations, (long long)e->all);
    judge(e, r);
    r->accepted = (double)e->n_accepted / (double)e->n_moves;
    return ANPE_OK;
}
