/* Damped Newton steps in a box. Differences are taken over a quarter of the width that a coordinate
 * has when the others are held, as soon as that is known. */
#include <config.h>
#include "stat/newton.h"
#include "base/linear.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES = 8 };                     /* most with one matrix */
static const double enough = 0.01;       /* gain of log density that is not worth a step, over D */
static const double tiny = 2e-4;         /* the same of a damped step, which promises less */
static const double near = 10;           /* times enough: of a bend that no step gets over */
static const double steady = 0.5;        /* of the promised gain: the matrix still holds */
static const double first_damping = 0.3; /* after a step that failed */
static const double part = 0.25;         /* of a width, for differences */
static const double widths = 4;          /* of the box: the largest sd of the normal */

struct anpe_newton {
    int64_t width;
    double *step, *at, *gradient; /* (D) step, and the place after it */
    double *h, *factor;           /* (D, D) */
    double *right, *unit;         /* (D) */
    int64_t *is_free;             /* (D) indices of the free coordinates */
    uint8_t *held;                /* (D) */
    /* of the run */
    const anpe_newton_problem *problem;
    anpe_optimum *o;
    anpe_newton_wish wish;
    int most, n_walked, moved; /* expansions at most; steps with this matrix; did any gain? */
    double damping, gain;      /* gain: what the step promises */
    double expanded;           /* f at the last expansion */
};

anpe_status anpe_newton_new(anpe_ctx *ctx, int64_t width, anpe_newton **out)
{
    const int64_t d = width;
    anpe_newton *w;
    *out = NULL;
    if (ANPE_NEW(ctx, w, 1))
        return ANPE_ENOMEM;
    w->width = width;
    if (ANPE_NEW(ctx, w->step, 5, d) || ANPE_NEW(ctx, w->h, 2, d, d) ||
        ANPE_NEW(ctx, w->is_free, d) || ANPE_NEW(ctx, w->held, d)) {
        anpe_newton_free(w);
        return ANPE_ENOMEM;
    }
    w->at = w->step + d;
    w->gradient = w->step + 2 * d;
    w->right = w->step + 3 * d;
    w->unit = w->step + 4 * d;
    w->factor = w->h + d * d;
    *out = w;
    return ANPE_OK;
}

anpe_newton *anpe_newton_free(anpe_newton *w)
{
    if (!w)
        return NULL;
    free(w->step);
    free(w->h);
    free(w->is_free);
    free(w->held);
    free(w);
    return NULL;
}

anpe_status anpe_optimum_new(anpe_ctx *ctx, int64_t width, anpe_optimum *o)
{
    const int64_t d = width;
    *o = (anpe_optimum){0};
    if (ANPE_NEW(ctx, o->x, 3 * d + 2 * d * d))
        return ANPE_ENOMEM;
    o->gradient = o->x + d;
    o->mean = o->x + 2 * d;
    o->h = o->x + 3 * d;
    o->covariance = o->h + d * d;
    return ANPE_OK;
}

void anpe_optimum_clear(anpe_optimum *o)
{
    free(o->x);
    *o = (anpe_optimum){0};
}

/* ---- one step ---------------------------------------------------------------------------- */

/* (H + damping diag H) step = gradient for the coordinates that are not held, whose steps are
 * given. */
static void solve(anpe_newton *w, const anpe_optimum *o, double damping)
{
    const int64_t d = w->width;
    int64_t n = 0;
    for (int64_t i = 0; i < d; i++)
        if (!w->held[i])
            w->is_free[n++] = i;
    for (int64_t r = 0; r < n; r++) {
        const int64_t i = w->is_free[r];
        w->right[r] = o->gradient[i];
        for (int64_t k = 0; k < d; k++)
            if (w->held[k])
                w->right[r] -= o->h[i * d + k] * w->step[k];
        for (int64_t c = 0; c <= r; c++)
            w->factor[r * d + c] = o->h[i * d + w->is_free[c]] * (c == r ? 1 + damping : 1);
    }
    (void)anpe_cholesky(n, w->factor, d, 1e-12);
    anpe_cholesky_solve(n, w->factor, d, w->right);
    for (int64_t r = 0; r < n; r++)
        w->step[w->is_free[r]] = w->right[r];
}

/* Holds the free coordinates that the step takes out of the box, on its side; were there any? */
static int hold_outside(anpe_newton *w, const anpe_newton_problem *p, const anpe_optimum *o)
{
    int any = 0;
    for (int64_t i = 0; i < w->width; i++) {
        const double to = o->x[i] + w->step[i];
        if (w->held[i] || (to >= p->low[i] && to <= p->high[i]))
            continue;
        w->step[i] = (to < p->low[i] ? p->low[i] : p->high[i]) - o->x[i];
        w->held[i] = 1;
        any = 1;
    }
    return any;
}

/* The step from o; returns the gain that the expansion promises. */
static double find_step(anpe_newton *w, const anpe_newton_problem *p, const anpe_optimum *o,
                        double damping)
{
    const int64_t d = w->width;
    double gain = 0;
    for (int64_t i = 0; i < d; i++) {
        const double g = o->gradient[i];
        w->held[i] = (o->x[i] <= p->low[i] && g <= 0) || (o->x[i] >= p->high[i] && g >= 0);
        w->step[i] = 0;
    }
    do
        solve(w, o, damping);
    while (hold_outside(w, p, o));
    for (int64_t i = 0; i < d; i++) {
        double slope = 0;
        for (int64_t k = 0; k < d; k++)
            slope += o->h[i * d + k] * w->step[k];
        gain += w->step[i] * (o->gradient[i] - 0.5 * slope);
    }
    return gain;
}

/* ---- the way up -------------------------------------------------------------------------- */

static void set_unit(anpe_newton *w, const anpe_newton_problem *p, const double *h)
{
    for (int64_t i = 0; i < w->width; i++) {
        const double own = h[i * w->width + i];
        if (own > 0)
            w->unit[i] = part / sqrt(own);
        w->unit[i] = fmin(w->unit[i], part * (p->high[i] - p->low[i]));
    }
}

static void take(const anpe_newton *w, anpe_optimum *o, double f)
{
    const size_t d = (size_t)w->width;
    memcpy(o->x, w->at, d * sizeof *o->x);
    memcpy(o->gradient, w->gradient, d * sizeof *o->gradient);
    o->f = f;
}

/* A direction in which nothing is known is that of the box, over which the normal hardly falls. */
static void add_box(const anpe_newton *w, const anpe_newton_problem *p, double *h)
{
    for (int64_t i = 0; i < w->width; i++) {
        const double range = widths * (p->high[i] - p->low[i]);
        h[i * w->width + i] += isfinite(range) ? 1 / (range * range) : 0;
    }
}

/* The normal distribution of the last expansion. */
static void describe(anpe_newton *w, const anpe_newton_problem *p, anpe_optimum *o)
{
    const int64_t d = w->width;
    memcpy(w->factor, o->h, (size_t)(d * d) * sizeof *w->factor);
    add_box(w, p, w->factor);
    (void)anpe_cholesky(d, w->factor, d, 1e-12);
    memcpy(w->step, o->gradient, (size_t)d * sizeof *w->step);
    anpe_cholesky_solve(d, w->factor, d, w->step);
    o->log_det = 0;
    o->top = o->f;
    for (int64_t i = 0; i < d; i++) {
        o->mean[i] = o->x[i] + w->step[i];
        o->top += 0.5 * w->step[i] * o->gradient[i];
        o->log_det -= 2 * log(w->factor[i * d + i]);
    }
    anpe_cholesky_invert(d, w->factor, d); /* H^-1 = L^-T L^-1 */
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t k = i; k < d; k++)
                sum += w->factor[k * d + i] * w->factor[k * d + j];
            o->covariance[i * d + j] = o->covariance[j * d + i] = sum;
        }
}

/* The place after the step; who was put on a side is there to the last bit. */
static void go(anpe_newton *w, const anpe_newton_problem *p, const anpe_optimum *o)
{
    for (int64_t i = 0; i < w->width; i++) {
        w->at[i] = fmin(fmax(o->x[i] + w->step[i], p->low[i]), p->high[i]);
        if (w->held[i] && w->step[i] != 0)
            w->at[i] = w->step[i] < 0 ? p->low[i] : p->high[i];
    }
}

/* The step from o, and whether it is not worth while. */
static int is_there(anpe_newton *w, const anpe_newton_problem *p, const anpe_optimum *o,
                    double damping, double *gain)
{
    *gain = find_step(w, p, o, damping);
    return *gain < (damping > 0 ? tiny : enough) * (double)w->width;
}

/* Steps that gain next to nothing, near the top: a density with bends, as of a network with
 * corners, promises more than it has. */
static int is_stalled(anpe_newton *w, const anpe_newton_problem *p, const anpe_optimum *o,
                      double gained)
{
    const double worth = enough * (double)w->width;
    return gained < worth && find_step(w, p, o, 0) < near * worth;
}

static anpe_newton_wish finish(anpe_newton *w)
{
    if (w->o->f > -INFINITY)
        describe(w, w->problem, w->o);
    return w->wish = ANPE_NEWTON_DONE;
}

static anpe_newton_wish end_walk(anpe_newton *w)
{
    memcpy(w->at, w->o->x, (size_t)w->width * sizeof *w->at);
    return w->moved && w->o->n_expansions < w->most ? (w->wish = ANPE_NEWTON_EXPAND) : finish(w);
}

/* Steps with the matrix of the last expansion, as long as they gain what they promise. */
static anpe_newton_wish walk(anpe_newton *w)
{
    if (w->n_walked++ == PROBES)
        return end_walk(w);
    if (is_there(w, w->problem, w->o, w->damping, &w->gain)) {
        w->o->converged = !w->moved;
        return end_walk(w);
    }
    go(w, w->problem, w->o);
    return w->wish = ANPE_NEWTON_PROBE;
}

static anpe_newton_wish take_probe(anpe_newton *w, double f)
{
    anpe_optimum *o = w->o;
    o->n_probes++;
    if (f > o->f) {
        const double ratio = (f - o->f) / w->gain;
        w->damping = ratio > steady ? 0.1 * w->damping : w->damping;
        w->damping = w->damping < 1e-3 ? 0 : w->damping;
        take(w, o, f);
        w->moved = 1;
        if (ratio < steady)
            return end_walk(w);
    } else if (w->moved)
        return end_walk(w);
    else
        w->damping = fmax(10 * w->damping, first_damping);
    return walk(w);
}

static anpe_newton_wish take_expansion(anpe_newton *w, double f)
{
    anpe_optimum *o = w->o;
    const double before = w->expanded;
    o->n_expansions++;
    if (!(f > -INFINITY)) /* at the start there is nothing to start from */
        return finish(w);
    take(w, o, f);
    memcpy(o->h, w->h, (size_t)(w->width * w->width) * sizeof *o->h);
    set_unit(w, w->problem, o->h);
    w->expanded = f;
    o->converged = is_stalled(w, w->problem, o, f - before) ||
                   is_there(w, w->problem, o, w->damping, &w->gain);
    if (o->converged || o->n_expansions == w->most)
        return finish(w);
    w->n_walked = w->moved = 0;
    return walk(w);
}

anpe_newton_wish anpe_newton_begin(anpe_newton *w, const anpe_newton_problem *p,
                                   const double *start, const double *scale, int max_expansions,
                                   anpe_optimum *o)
{
    w->problem = p;
    w->o = o;
    w->most = max_expansions;
    w->damping = 0;
    w->expanded = o->f = -INFINITY;
    o->converged = o->n_expansions = o->n_probes = 0;
    for (int64_t i = 0; i < w->width; i++) {
        w->at[i] = fmin(fmax(start[i], p->low[i]), p->high[i]);
        w->unit[i] = fmin(part * scale[i], part * (p->high[i] - p->low[i]));
    }
    return w->wish = max_expansions > 0 ? ANPE_NEWTON_EXPAND : ANPE_NEWTON_DONE;
}

anpe_newton_place anpe_newton_where(const anpe_newton *w)
{
    return (anpe_newton_place){w->at, w->unit, w->gradient, w->h};
}

anpe_newton_wish anpe_newton_next(anpe_newton *w, double f)
{
    return w->wish == ANPE_NEWTON_EXPAND ? take_expansion(w, f) : take_probe(w, f);
}

anpe_status anpe_newton_run(anpe_newton *w, anpe_ctx *ctx, const anpe_newton_problem *p,
                            const double *start, const double *scale, int max_expansions,
                            anpe_optimum *o)
{
    double f;
    anpe_newton_wish wish = anpe_newton_begin(w, p, start, scale, max_expansions, o);
    while (wish != ANPE_NEWTON_DONE) {
        const anpe_status status =
            wish == ANPE_NEWTON_EXPAND
                ? p->expand(p->user, ctx, w->at, w->unit, &f, w->gradient, w->h)
                : p->probe(p->user, ctx, w->at, w->unit, &f, w->gradient);
        if (status)
            return status;
        wish = anpe_newton_next(w, f);
    }
    return ANPE_OK;
}

double anpe_optimum_distance2(const anpe_optimum *o, int64_t width, const double *x)
{
    double sum = 0;
    for (int64_t i = 0; i < width; i++)
        for (int64_t j = 0; j < width; j++)
            sum += (x[i] - o->mean[i]) * o->h[i * width + j] * (x[j] - o->mean[j]);
    return sum;
}
