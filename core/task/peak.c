/* See peak.h. */
#include <config.h>
#include "task/peak.h"
#include <math.h>
#include <stdlib.h>

static anpe_status open_fit(anpe_ctx *ctx, anpe_peak *p, anpe_fit *f)
{
    const anpe_task *t = p->task;
    anpe_status status;
    if (f == p->fit)
        ANPE_TRY(anpe_likelihood_new(ctx, t, &f->likelihood));
    else
        ANPE_TRY(anpe_likelihood_new_beside(ctx, p->fit->likelihood, &f->likelihood));
    ANPE_TRY(anpe_newton_new(ctx, t->n_labels, &f->newton));
    status = anpe_optimum_new(ctx, t->n_labels, &f->optimum);
out:
    return status;
}

static anpe_status make(anpe_ctx *ctx, anpe_peak *p)
{
    const anpe_task *t = p->task;
    const int64_t d = t->n_labels;
    anpe_status status = ANPE_OK;
    if (ANPE_NEW(ctx, p->fit, p->most) || ANPE_NEW(ctx, p->row, p->most) ||
        ANPE_NEW(ctx, p->low, 2, d))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < p->most; i++)
        ANPE_TRY(open_fit(ctx, p, &p->fit[i]));
    if (!anpe_likelihood_can_expand(p->fit->likelihood))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "noise model '%s' has a likelihood of its own, which has no Gauss-Newton "
                         "matrix",
                         t->noise.plugin->name);
    ANPE_TRY(anpe_bench_new(ctx, t, p->most, &p->bench));
    p->high = p->low + d;
    for (int64_t i = 0; i < d; i++) {
        p->low[i] = t->label[i].min;
        p->high[i] = t->label[i].max;
    }
    p->problem = (anpe_newton_problem){.low = p->low, .high = p->high};
out:
    return status;
}

anpe_status anpe_peak_new(anpe_ctx *ctx, const anpe_task *t, int64_t most, anpe_peak **out)
{
    anpe_peak *p;
    *out = NULL;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    p->task = t;
    p->most = most;
    const anpe_status status = make(ctx, p);
    *out = status ? anpe_peak_free(p) : p;
    return status;
}

anpe_peak *anpe_peak_free(anpe_peak *p)
{
    if (!p)
        return NULL;
    for (int64_t i = p->most; p->fit && i-- > 0;) { /* the first one last: it lends its memory */
        anpe_likelihood_free(p->fit[i].likelihood);
        anpe_newton_free(p->fit[i].newton);
        anpe_optimum_clear(&p->fit[i].optimum);
    }
    free(p->fit);
    free(p->row);
    free(p->low);
    anpe_bench_free(p->bench);
    free(p);
    return NULL;
}

/* Labels of fit i into row k of the bench. */
static void place(anpe_peak *p, int64_t k, int64_t i, const double *theta)
{
    double *to = p->bench->theta + k * p->task->prior->n_labels;
    for (int64_t d = 0; d < p->task->n_labels; d++)
        to[p->task->inferred[d]] = theta[d];
    p->row[k] = i;
}

static float *model_in(const anpe_peak *p, int64_t k)
{
    return p->bench->flux + k * anpe_task_size(p->task);
}

static anpe_status set_all(anpe_peak *p, anpe_ctx *ctx, int64_t n,
                           const anpe_spectrum *const *observed, const double *start)
{
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n; i++)
        place(p, i, i, start + i * p->task->n_labels);
    if (anpe_likelihood_has_modes(p->fit->likelihood))
        ANPE_TRY(anpe_task_simulate(p->task, ctx, p->bench, n));
    for (int64_t i = 0; i < n; i++)
        ANPE_TRY(anpe_likelihood_set_at(p->fit[i].likelihood, ctx, observed[i], model_in(p, i)));
out:
    return status;
}

static anpe_status expand(anpe_ctx *ctx, anpe_fit *f)
{
    const anpe_newton_place at = anpe_newton_where(f->newton);
    double value;
    const anpe_status status =
        anpe_likelihood_expand_joint(f->likelihood, ctx, at.x, at.step, &value, at.gradient, at.h);
    if (!status)
        f->wish = anpe_newton_next(f->newton, value);
    return status;
}

/* The probes that fits wish for, their model spectra simulated at once; *any: there were some. */
static anpe_status probe_all(anpe_peak *p, anpe_ctx *ctx, int64_t n, int *any)
{
    int64_t rows = 0;
    anpe_status status = ANPE_OK;
    *any = 0;
    for (int64_t i = 0; i < n; i++) {
        anpe_fit *f = &p->fit[i];
        if (f->wish != ANPE_NEWTON_PROBE)
            continue;
        const double *x = anpe_newton_where(f->newton).x;
        *any = 1;
        if (isfinite(anpe_likelihood_log_prior(f->likelihood, x)))
            place(p, rows++, i, x);
        else
            f->wish = anpe_newton_next(f->newton, -INFINITY);
    }
    if (rows)
        ANPE_TRY(anpe_task_simulate(p->task, ctx, p->bench, rows));
    for (int64_t k = 0; k < rows; k++) {
        anpe_fit *f = &p->fit[p->row[k]];
        const anpe_newton_place at = anpe_newton_where(f->newton);
        double value;
        ANPE_TRY(anpe_likelihood_probe_at(f->likelihood, ctx, at.x, at.step, model_in(p, k), &value,
                                          at.gradient));
        f->wish = anpe_newton_next(f->newton, value);
    }
out:
    return status;
}

static void conclude(anpe_fit *f)
{
    anpe_optimum *o = &f->optimum;
    f->found = isfinite(o->f);
    f->freedom = anpe_likelihood_freedom(f->likelihood);
    f->chi2 = NAN;
    if (f->found) /* the prior's part of f is taken off */
        f->chi2 = anpe_likelihood_chi2(f->likelihood,
                                       o->f - anpe_likelihood_log_prior(f->likelihood, o->x));
}

anpe_status anpe_peak_run(anpe_peak *p, anpe_ctx *ctx, int64_t n,
                          const anpe_spectrum *const *observed, const double *start,
                          const double *scale, int most)
{
    anpe_status status;
    int any = 1;
    ANPE_TRY(set_all(p, ctx, n, observed, start));
    for (int64_t i = 0; i < n; i++)
        p->fit[i].wish =
            anpe_newton_begin(p->fit[i].newton, &p->problem, start + i * p->task->n_labels, scale,
                              most, &p->fit[i].optimum);
    while (any) {
        for (int64_t i = 0; i < n; i++)
            if (p->fit[i].wish == ANPE_NEWTON_EXPAND)
                ANPE_TRY(expand(ctx, &p->fit[i]));
        ANPE_TRY(probe_all(p, ctx, n, &any));
    }
    for (int64_t i = 0; i < n; i++)
        conclude(&p->fit[i]);
out:
    return status;
}
