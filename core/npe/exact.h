/* npe/exact.h -- the posterior of one star made exact to a stated precision, or known not to be.
 *
 * The flow q(theta | x) is a proposal; the target is p(x | theta) p(theta), with the likelihood of
 * npe/likelihood.h. Draws get weights target / q. The ladder (npe/ladder.h) climbs until the wanted
 * effective number of draws is reached with reliable weights:
 *
 *   proposal   draws of the flow
 *   more       as many more as the efficiency asks for
 *   defensive  a mixture of the flow and a widened Student t around what was found
 *   adaptive   the mixture fitted again and again to the weighted draws
 *   mcmc       an ensemble sampler, judged by R-hat and its effective size
 *
 * Everything is decided by (seed, index): threads and order do not matter. */
#ifndef ANPE_CORE_EXACT_H
#define ANPE_CORE_EXACT_H
#include "npe/session.h"

typedef enum anpe_rung {
    ANPE_RUNG_PROPOSAL,
    ANPE_RUNG_MORE,
    ANPE_RUNG_DEFENSIVE,
    ANPE_RUNG_ADAPTIVE,
    ANPE_RUNG_MCMC
} anpe_rung;
enum { ANPE_N_RUNGS = 5 };
extern const char *const anpe_rung_names[ANPE_N_RUNGS];

typedef struct anpe_exact_options {
    double ess;              /* effective draws that are wanted */
    int64_t max_evaluations; /* of the likelihood for one star, all rungs together */
    anpe_rung last;          /* where the ladder ends */
} anpe_exact_options;
/* 500 effective draws, 100000 evaluations, the whole ladder. */
anpe_exact_options anpe_exact_defaults(void);

typedef struct anpe_exact_result {
    int exact; /* 1: the wanted effective size was reached with k-hat <= 0.7, or R-hat <= 1.01 */
    anpe_rung rung;
    char reason[160];       /* why it is not exact; "" if it is */
    int64_t n_evaluations;  /* of the likelihood, all rungs */
    double ess, efficiency; /* effective draws behind the numbers; per draw */
    double khat;            /* of the weights behind the numbers; NAN at rung mcmc */
    double rhat;            /* NAN below rung mcmc */
    /* natural log of the evidence of the reduced spectrum under the normalised prior, and its sd */
    double log_evidence, log_evidence_err;
    /* of the first block of draws of the flow alone, whatever rung came after */
    double proposal_efficiency, proposal_khat;
    /* the weighted draws, borrowed until the next run */
    int64_t n;
    const double *theta;          /* (n, D) physical units */
    const double *log_q;          /* (n) per unit of the labels; NAN at rung mcmc */
    const double *log_weight;     /* (n) normalised: exp sums to 1 */
    const double *log_likelihood; /* (n) */
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
#endif
