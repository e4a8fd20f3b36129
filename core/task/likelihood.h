/* task/likelihood.h -- log p(observed | labels): the model's own simulator, error bars, mask and
 * continuum rule, so that a learned posterior can be checked and corrected.
 *
 * r = (observed - model(theta)) / sigma over the good pixels, both reduced alike (task/task.h),
 * sigma with the model error in quadrature:
 *
 *   log L = -chi2 / 2 - sum log sigma - (N - M) / 2 log 2 pi,   chi2 = |r|^2 - |Q^T r|^2
 *
 * The continuum rule divides by a fit to the noisy flux and so takes M combinations of the noise
 * out of the spectrum. Given what is left, the density of the data is that of the noise with these
 * combinations integrated over a flat prior: Q is an orthonormal basis of mode_j model / sigma,
 * mode_j the instrument's continuum_modes. Without it the likelihood would believe the broad shape
 * of a spectrum better than the rule has measured it, and be too narrow. M = 0 where the rule has
 * no modes. The density is that of the N - M remaining values. A noise model with a likelihood of
 * its own replaces all this. */
#ifndef ANPE_CORE_LIKELIHOOD_H
#define ANPE_CORE_LIKELIHOOD_H
#include "task/task.h"

/* Memory and one star's constants; one per thread. */
typedef struct anpe_likelihood anpe_likelihood;

/* After anpe_task_open_likelihood. batch: label vectors that are simulated at once. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_new(anpe_ctx *ctx, const anpe_task *t, int64_t batch,
                                                anpe_likelihood **out);
anpe_likelihood *anpe_likelihood_free(anpe_likelihood *l);
/* observed: a reduced spectrum, borrowed until the next set. reference (D): labels near the middle
 * of the posterior, whose model spectrum the modes multiply. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_set(anpe_likelihood *l, anpe_ctx *ctx,
                                                const anpe_spectrum *observed,
                                                const double *reference);
/* theta (n, D), any n -> natural logs of the likelihood and of the prior density, (n) each. Where
 * the prior is 0 both are -inf and nothing is simulated. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_eval(anpe_likelihood *l, anpe_ctx *ctx, int64_t n,
                                                 const double *theta, double *log_likelihood,
                                                 double *log_prior);
/* Degrees of freedom of chi2 at the true labels: good pixels less modes. */
int64_t anpe_likelihood_freedom(const anpe_likelihood *l);
#endif
