/* task/peak.h -- where the posteriors of spectra have their maxima, and the normal distributions
 * there: damped Gauss-Newton steps on likelihood x prior inside the box of the labels. The fits of
 * several spectra go on side by side, so that a simulator's weights are read once for all of their
 * model spectra; what comes out for one does not depend on the others. */
#ifndef ANPE_CORE_PEAK_H
#define ANPE_CORE_PEAK_H
#include "stat/newton.h"
#include "task/likelihood.h"

typedef struct anpe_fit { /* of one spectrum */
    anpe_likelihood *likelihood;
    anpe_newton *newton;
    anpe_newton_wish wish;
    /* of the last run */
    anpe_optimum optimum;
    int found;   /* 0: the likelihood or the prior is 0 at the start, which leaves no optimum */
    double chi2; /* at the optimum, of `freedom` degrees of freedom */
    int64_t freedom;
} anpe_fit;

typedef struct anpe_peak { /* one per thread */
    const anpe_task *task;
    int64_t most; /* spectra at once */
    anpe_fit *fit;
    anpe_bench *bench;           /* of `most` model spectra */
    int64_t *row;                /* (most) whose spectrum is in a row of it */
    anpe_newton_problem problem; /* the box alone */
    double *low, *high;          /* (D) its sides */
} anpe_peak;

/* For up to `most` spectra at once. After anpe_task_open_likelihood; ANPE_EUNSUPPORTED where the
 * likelihood has no expansion. */
ANPE_MUST_CHECK anpe_status anpe_peak_new(anpe_ctx *ctx, const anpe_task *t, int64_t most,
                                          anpe_peak **out);
anpe_peak *anpe_peak_free(anpe_peak *p);
/* n spectra, reduced -> p->fit[0] to p->fit[n - 1]. start (n, D) inside the box, at whose spectra
 * the continuum modes are taken; scale (D): their error. Most expansions: `most`. An error may be
 * any spectrum's. Allocates nothing. */
ANPE_MUST_CHECK anpe_status anpe_peak_run(anpe_peak *p, anpe_ctx *ctx, int64_t n,
                                          const anpe_spectrum *const *observed, const double *start,
                                          const double *scale, int most);
#endif
