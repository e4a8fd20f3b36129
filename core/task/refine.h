/* task/refine.h -- the model spectrum near given labels that fits an observed one best.
 *
 * A posterior median is not the best fit: how far it is off says how well the network has learned,
 * not whether the simulator can make this spectrum. So residuals are judged after a few steps of
 * Gauss-Newton from the median, with the derivatives taken once (D + 3 simulations in all, or 3
 * where a fit has left its derivatives), and what a last linear step would change is taken off too.
 * A weak pull towards the start, four posterior standard deviations wide, keeps the labels where
 * they are known to be. */
#ifndef ANPE_CORE_REFINE_H
#define ANPE_CORE_REFINE_H
#include "task/task.h"

typedef struct anpe_refine anpe_refine; /* memory; one per thread */
/* For up to `most` spectra at once. */
ANPE_MUST_CHECK anpe_status anpe_refine_new(anpe_ctx *ctx, const anpe_task *t, int64_t most,
                                            anpe_refine **out);
anpe_refine *anpe_refine_free(anpe_refine *r);

typedef struct anpe_refine_star {
    const anpe_spectrum *observed; /* reduced */
    const double *median, *sd;     /* (D) of the posterior */
    /* (D, n_pixels) -d model / d label / sigma near the median, 0 in bad pixels, as
     * anpe_likelihood_rows has them; what the continuum rule's modes can do may be taken off. NULL:
     * differences over half an sd. */
    const float *jacobian;
} anpe_refine_star;

/* n spectra; for each the same as if it were alone. An error may be any one's. The task must infer
 * every label of its prior. */
ANPE_MUST_CHECK anpe_status anpe_refine_run(anpe_refine *r, anpe_ctx *ctx, int64_t n,
                                            const anpe_refine_star *star);
/* The model spectrum (n_pixels) of the i-th of them, under the same continuum rule, until the next
 * run. */
const float *anpe_refine_model(const anpe_refine *r, int64_t i);
#endif
