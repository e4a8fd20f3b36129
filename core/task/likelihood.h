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

/* After anpe_task_open_likelihood. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_new(anpe_ctx *ctx, const anpe_task *t,
                                                anpe_likelihood **out);
/* For another star at the same time and on the same thread, with memory that the first lends as
 * long as it lives. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_new_beside(anpe_ctx *ctx, const anpe_likelihood *other,
                                                       anpe_likelihood **out);
anpe_likelihood *anpe_likelihood_free(anpe_likelihood *l);
/* observed: a reduced spectrum, borrowed until the next set. reference (D): labels near the middle
 * of the posterior, whose model spectrum the modes multiply. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_set(anpe_likelihood *l, anpe_ctx *ctx,
                                                const anpe_spectrum *observed,
                                                const double *reference);
/* The same where the caller has simulated the reference: its spectrum as anpe_task_simulate gives
 * it (size), which is spoiled; not read unless anpe_likelihood_has_modes. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_set_at(anpe_likelihood *l, anpe_ctx *ctx,
                                                   const anpe_spectrum *observed, float *model);
int anpe_likelihood_has_modes(const anpe_likelihood *l);
/* theta (n, D), any n -> natural logs of the likelihood and of the prior density, (n) each. Where
 * the prior is 0 both are -inf and nothing is simulated; where the continuum rule cannot divide by
 * the model's own continuum, because that is not positive, the likelihood is 0. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_eval(anpe_likelihood *l, anpe_ctx *ctx, int64_t n,
                                                 const double *theta, double *log_likelihood,
                                                 double *log_prior);
/* log L near theta (D), inside the prior's support, by Gauss-Newton: log L + gradient . d
 * - d . fisher . d / 2. With r = (1 - Q Q^T) (observed - model) / sigma and J = d r / d theta,
 * gradient (D) is - J^T r and fisher (D, D) J^T J, both triangles filled, per unit of the labels. J
 * is in closed form where the simulator has derivatives and the continuum rule is linear; else from
 * differences over step (D) > 0 towards the middle of each label's range: D + 1 model spectra in
 * all. Where the likelihood is 0, or a derivative no number, *log_likelihood is -inf and the rest
 * is of no use. Only where anpe_likelihood_can_expand: not with a noise model of its own
 * likelihood. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_expand(anpe_likelihood *l, anpe_ctx *ctx,
                                                   const double *theta, const double *step,
                                                   double *log_likelihood, double *gradient,
                                                   double *fisher);
/* The same of likelihood x prior, whose density is differenced over step where it has slopes;
 * -inf where the prior is 0, too. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_expand_joint(anpe_likelihood *l, anpe_ctx *ctx,
                                                         const double *theta, const double *step,
                                                         double *log_joint, double *gradient,
                                                         double *h);
/* The same at another theta with J of the last expand held: log_joint is right, the gradient
 * nearly. For the price of one model spectrum. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_probe_joint(anpe_likelihood *l, anpe_ctx *ctx,
                                                        const double *theta, const double *step,
                                                        double *log_joint, double *gradient);
/* The same where the caller has simulated theta, inside the prior's support: its spectrum as
 * anpe_task_simulate gives it (size), which is spoiled. */
ANPE_MUST_CHECK anpe_status anpe_likelihood_probe_at(anpe_likelihood *l, anpe_ctx *ctx,
                                                     const double *theta, const double *step,
                                                     float *model, double *log_joint,
                                                     double *gradient);
int anpe_likelihood_can_expand(const anpe_likelihood *l);
/* Natural log of the prior density at theta (D). */
double anpe_likelihood_log_prior(anpe_likelihood *l, const double *theta);
/* |(1 - Q Q^T) r|^2 of a log L that eval or expand gave. */
double anpe_likelihood_chi2(const anpe_likelihood *l, double log_likelihood);
/* Rows of the last expand: r, or that of the last probe, then J's D columns, each (size); 0 in bad
 * pixels. Borrowed. */
const float *anpe_likelihood_rows(const anpe_likelihood *l);
/* Degrees of freedom of chi2 at the true labels: good pixels less modes. */
int64_t anpe_likelihood_freedom(const anpe_likelihood *l);
#endif
