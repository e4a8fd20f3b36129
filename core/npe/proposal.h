/* npe/proposal.h -- the prior cut down to where the posterior of one spectrum is.
 *
 * Truncated sequential estimation (Deistler, Goncalves & Macke 2022): the next round's labels come
 * from the prior inside the region of highest density of the present flow that holds 1 - epsilon of
 * it. Inside, proposal and prior are proportional, so the loss of training stays as it is and the
 * flow still converges to the posterior.
 *
 * Candidates from a mixture of Student t distributions, wider than the flow's draws, are kept where
 * log q is above the epsilon quantile of the flow's own draws, and resampled by prior / mixture. */
#ifndef ANPE_CORE_PROPOSAL_H
#define ANPE_CORE_PROPOSAL_H
#include "npe/session.h"

#define ANPE_PROPOSAL_EPSILON 5e-4

struct anpe_proposal {
    int64_t n, width; /* rows, labels of the prior */
    double *theta;    /* (n, width) in the prior's order */
};
/* For the spectrum that the session has featurized (number 0 of the last featurize; the session
 * must allow anpe_proposal_block() draws). All labels of the prior must be inferred:
 * ANPE_EUNSUPPORTED otherwise. */
ANPE_MUST_CHECK anpe_status anpe_proposal_new(anpe_ctx *ctx, anpe_session *session, uint32_t seed,
                                              anpe_proposal **out);
anpe_proposal *anpe_proposal_free(anpe_proposal *p);
int64_t anpe_proposal_block(void);
#endif
