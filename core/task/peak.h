/* task/peak.h -- where the posterior of one spectrum has its maximum, and the normal distribution
 * there: damped Gauss-Newton steps on likelihood x prior inside the box of the labels. */
#ifndef ANPE_CORE_PEAK_H
#define ANPE_CORE_PEAK_H
#include "stat/newton.h"
#include "task/likelihood.h"

typedef struct anpe_peak { /* one per thread */
    int64_t width;         /* D */
    anpe_likelihood *likelihood;
    anpe_newton *newton;
    double *low, *high; /* (D) the box */
    /* of the last run */
    anpe_optimum optimum;
    double chi2; /* at the optimum, of `freedom` degrees of freedom */
    int64_t freedom;
} anpe_peak;

/* After anpe_task_open_likelihood; ANPE_EUNSUPPORTED where the likelihood has no expansion. */
ANPE_MUST_CHECK anpe_status anpe_peak_new(anpe_ctx *ctx, const anpe_task *t, anpe_peak **out);
anpe_peak *anpe_peak_free(anpe_peak *p);
/* observed: reduced. start (D) inside the box, at whose spectrum the continuum modes are taken;
 * scale (D): its error. Most expansions: `most`. *found: 0 where the likelihood or the prior is 0
 * at the start, which leaves no optimum. Allocates nothing. */
ANPE_MUST_CHECK anpe_status anpe_peak_run(anpe_peak *p, anpe_ctx *ctx,
                                          const anpe_spectrum *observed, const double *start,
                                          const double *scale, int most, int *found);
#endif
