/* See peak.h. */
#include <config.h>
#include "task/peak.h"
#include <math.h>
#include <stdlib.h>

static anpe_status make(anpe_ctx *ctx, anpe_peak *p, const anpe_task *t)
{
    const int64_t d = t->n_labels;
    anpe_status status;
    ANPE_TRY(anpe_likelihood_new(ctx, t, &p->likelihood));
    if (!anpe_likelihood_can_expand(p->likelihood))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "noise model '%s' has a likelihood of its own, which has no Gauss-Newton "
                         "matrix",
                         t->noise.plugin->name);
    ANPE_TRY(anpe_newton_new(ctx, t->n_labels, &p->newton));
    ANPE_TRY(anpe_optimum_new(ctx, t->n_labels, &p->optimum));
    if (ANPE_NEW(ctx, p->low, 2, d))
        return ANPE_ENOMEM;
    p->high = p->low + d;
    for (int64_t i = 0; i < d; i++) {
        p->low[i] = t->label[i].min;
        p->high[i] = t->label[i].max;
    }
out:
    return status;
}

anpe_status anpe_peak_new(anpe_ctx *ctx, const anpe_task *t, anpe_peak **out)
{
    anpe_peak *p;
    *out = NULL;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    p->width = t->n_labels;
    const anpe_status status = make(ctx, p, t);
    *out = status ? anpe_peak_free(p) : p;
    return status;
}

anpe_peak *anpe_peak_free(anpe_peak *p)
{
    if (!p)
        return NULL;
    anpe_likelihood_free(p->likelihood);
    anpe_newton_free(p->newton);
    anpe_optimum_clear(&p->optimum);
    free(p->low);
    free(p);
    return NULL;
}

static anpe_status expand(void *user, anpe_ctx *ctx, const double *theta, const double *step,
                          double *f, double *gradient, double *h)
{
    const anpe_peak *p = user;
    return anpe_likelihood_expand_joint(p->likelihood, ctx, theta, step, f, gradient, h);
}

static anpe_status probe(void *user, anpe_ctx *ctx, const double *theta, const double *step,
                         double *f, double *gradient)
{
    const anpe_peak *p = user;
    return anpe_likelihood_probe_joint(p->likelihood, ctx, theta, step, f, gradient);
}

anpe_status anpe_peak_run(anpe_peak *p, anpe_ctx *ctx, const anpe_spectrum *observed,
                          const double *start, const double *scale, int most, int *found)
{
    const anpe_newton_problem problem = {p->low, p->high, p, expand, probe};
    anpe_status status;
    ANPE_TRY(anpe_likelihood_set(p->likelihood, ctx, observed, start));
    ANPE_TRY(anpe_newton_run(p->newton, ctx, &problem, start, scale, most, &p->optimum));
    *found = isfinite(p->optimum.f);
    p->freedom = anpe_likelihood_freedom(p->likelihood);
    p->chi2 = NAN;
    if (*found) /* the prior's part of f is taken off */
        p->chi2 = anpe_likelihood_chi2(
            p->likelihood, p->optimum.f - anpe_likelihood_log_prior(p->likelihood, p->optimum.x));
out:
    return status;
}
