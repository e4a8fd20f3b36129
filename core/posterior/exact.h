/* posterior/exact.h -- the posterior of one star made exact to a stated precision, or known not to
 * be.
 *
 * The flow q(theta | x) is a proposal; the target is p(x | theta) p(theta), with the likelihood of
 * task/likelihood.h. Draws get weights target / q. The ladder (stat/ladder.h) climbs until the
 * wanted effective number of draws is reached with reliable weights. log_evidence is that of the
 * reduced spectrum under the normalised prior: q is normalised over the prior's support.
 *
 * Everything is decided by (seed, index): threads and order do not matter. */
#ifndef ANPE_CORE_EXACT_H
#define ANPE_CORE_EXACT_H
#include "stat/ladder.h"
#include "posterior/session.h"

typedef anpe_ladder_options anpe_exact_options;

typedef struct anpe_exact_result {
    anpe_ladder_result ladder; /* what was reached, and the weights; y and log_q are the flow's */
    /* the weighted draws, borrowed until the next run */
    int64_t n;
    const double *theta;      /* (n, D) physical units */
    const double *log_q;      /* (n) of what they were drawn from, per unit of the labels; NAN at
                               * rung mcmc */
    const double *log_weight; /* (n) normalised: exp sums to 1 */
    const double *log_joint;  /* (n) log likelihood + log prior */
} anpe_exact_result;

typedef struct anpe_exact anpe_exact; /* all memory; one per thread */
/* ANPE_EUNSUPPORTED with the reason when the model cannot be made exact: labels left open, no
 * simulator, a noise model without likelihood. Not while other threads work with the model. */
ANPE_MUST_CHECK anpe_status anpe_exact_new(anpe_ctx *ctx, const anpe_model *model,
                                           const anpe_exact_options *options, anpe_exact **out);
anpe_exact *anpe_exact_free(anpe_exact *e);
/* Spectrum i of the session's last featurize, which was made from `observed` (reduced). session:
 * of the same model, for at least anpe_exact_block() draws. */
ANPE_MUST_CHECK anpe_status anpe_exact_run(anpe_exact *e, anpe_ctx *ctx, anpe_session *session,
                                           int64_t i, const anpe_spectrum *observed, uint32_t seed,
                                           int64_t index, anpe_exact_result *result);
int64_t anpe_exact_block(void);
/* log likelihood + log prior at theta (D), for the spectrum of the last run. */
ANPE_MUST_CHECK anpe_status anpe_exact_log_joint(anpe_exact *e, anpe_ctx *ctx, const double *theta,
                                                 double *log_joint);
#endif
