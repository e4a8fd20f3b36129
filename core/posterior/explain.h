/* posterior/explain.h -- which pixels a posterior mean hangs on: d E_q[theta_d] / d flux_p.
 *
 * The flow's density q(y | c) sees the spectrum through the context c alone, and
 *
 *   d E[theta_d] / d c = E[ (theta_d - m_d) grad_c log q(y | c) ],   m_d = E[theta_d]
 *
 * since E[grad_c log q] = 0. This holds for any flow, also where a draw jumps from one component of
 * a mixture to another as c changes. The mean over draws is noisy; much of the noise is known, as
 * for any phi(y)
 *
 *   E[ d phi / d y_j + phi d log q / d y_j ] = 0     (Stein's identity)
 *
 * and the terms with phi = theta_d - m_d and phi = (theta_d - m_d) y_j are taken out by regression
 * (control variates; Oates, Girolami & Chopin 2017, J. R. Statist. Soc. B 79, 695). Where c only
 * moves q they take out all of it. Then backwards through the featurizer, the standardisation of
 * the channels and the inpainting to the flux.
 *
 * It is the gradient of what the network gives: of its own posterior mean, without the importance
 * weights of posterior/exact.h, with error bars, mask and continuum held. A good pixel that was
 * copied into bad ones answers for the copies; a bad pixel has 0. */
#ifndef ANPE_CORE_EXPLAIN_H
#define ANPE_CORE_EXPLAIN_H
#include "posterior/session.h"

/* Memory for one thread. */
typedef struct anpe_explainer anpe_explainer;
ANPE_MUST_CHECK anpe_status anpe_explainer_new(anpe_ctx *ctx, const anpe_model *model,
                                               int64_t max_draws, anpe_explainer **out);
anpe_explainer *anpe_explainer_free(anpe_explainer *e);
/* Spectrum i of the session's last featurize, which was made from this reduced spectrum -> gradient
 * (D, P), units of the label per unit of normalised flux, and error (D): root mean square over the
 * good pixels of the gradient's Monte-Carlo error. n_draws: up to the session's and the
 * explainer's; the draws are those that anpe_session_draw gives for (seed, index). */
ANPE_MUST_CHECK anpe_status anpe_explainer_run(anpe_explainer *e, anpe_ctx *ctx,
                                               anpe_session *session, int64_t i,
                                               const anpe_spectrum *observed, int64_t n_draws,
                                               uint32_t seed, int64_t index, float *gradient,
                                               double *error);
#endif
