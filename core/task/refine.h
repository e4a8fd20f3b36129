/* task/refine.h -- the model spectrum near given labels that fits an observed one best.
 *
 * A posterior median is not the best fit: how far it is off says how well the network has learned,
 * not whether the simulator can make this spectrum. So residuals are judged after a few steps of
 * Gauss-Newton from the median, with the derivatives taken once (D + 3 simulations in all), and
 * what a last linear step would change is taken off too. A weak pull towards the start, four
 * posterior standard deviations wide, keeps the labels where they are known to be. */
#ifndef ANPE_CORE_REFINE_H
#define ANPE_CORE_REFINE_H
#include "task/task.h"

typedef struct anpe_refine anpe_refine; /* memory; one per thread */
ANPE_MUST_CHECK anpe_status anpe_refine_new(anpe_ctx *ctx, const anpe_task *t, anpe_refine **out);
anpe_refine *anpe_refine_free(anpe_refine *r);
/* observed: reduced; median, sd (D): of the posterior -> *model (n_pixels), under the same
 * continuum rule, until the next call. The task must infer every label of its prior. */
ANPE_MUST_CHECK anpe_status anpe_refine_run(anpe_refine *r, anpe_ctx *ctx,
                                            const anpe_spectrum *observed, const double *median,
                                            const double *sd, const float **model);
#endif
