/* train/proposal.h -- labels for the next round of training, where the posterior of one spectrum
 * is.
 *
 * Both kinds stay inside the region of highest density of the present flow q that holds 1 - epsilon
 * of it, and let the flow converge to the posterior:
 *   truncated  the prior p in there (Deistler, Goncalves & Macke 2022): proposal and prior are
 *              proportional, so the loss stays as it is
 *   weighted   f = (1 - s) q + s p / Z, Z the prior's mass in there; the loss of a sample is
 *              multiplied by a weight proportional to p / f (Lueckmann et al. 2017). The share s of
 *              the prior bounds p / (Z f) by 1 / s. It is the truncated prior: nearly all of the
 *              weight of the whole one would be where the posterior is not
 *
 * Candidates from a mixture of Student t distributions, wider than the flow's draws, are kept where
 * log q is above the epsilon quantile of the flow's own draws, and resampled by prior / mixture or
 * f / mixture. Densities are in the flow's coordinates. Z, which is estimated, is part of f: the
 * weights are exact whatever it is. */
#ifndef ANPE_CORE_PROPOSAL_H
#define ANPE_CORE_PROPOSAL_H
#include "posterior/session.h"

#define ANPE_PROPOSAL_EPSILON 5e-4
#define ANPE_PROPOSAL_SHARE   0.2 /* s */

typedef enum anpe_proposal_kind {
    ANPE_PROPOSAL_TRUNCATED,
    ANPE_PROPOSAL_WEIGHTED
} anpe_proposal_kind;

/* The rows, all of weight 1 if truncated, for the spectrum that the session has featurized (number
 * 0 of the last featurize; the session must allow anpe_proposal_block() draws). All labels of the
 * prior must be inferred: ANPE_EUNSUPPORTED otherwise. */
ANPE_MUST_CHECK anpe_status anpe_proposal_new(anpe_ctx *ctx, anpe_session *session,
                                              anpe_proposal_kind kind, uint32_t seed,
                                              anpe_label_rows **out);
anpe_label_rows *anpe_proposal_free(anpe_label_rows *p);
int64_t anpe_proposal_block(void);
#endif
