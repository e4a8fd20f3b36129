/* task/quantiles.h -- quantiles of each label's own density under the prior: where a design puts
 * its points. */
#ifndef ANPE_CORE_QUANTILES_H
#define ANPE_CORE_QUANTILES_H
#include "kind/prior.h"

typedef struct anpe_quantiles {
    const anpe_prior *prior; /* borrowed */
    double *drawn;           /* (n_labels, draws) in order, of labels whose plugin has no op; NULL:
                              * there is none */
} anpe_quantiles;

/* seed: of the draws. */
ANPE_MUST_CHECK anpe_status anpe_quantiles_new(anpe_ctx *ctx, const anpe_prior *prior,
                                               uint32_t seed, anpe_quantiles *q);
void anpe_quantiles_clear(anpe_quantiles *q);
/* u (n_labels) in (0, 1) -> theta (n_labels). From any thread. */
ANPE_MUST_CHECK anpe_status anpe_quantiles_at(const anpe_quantiles *q, anpe_ctx *ctx,
                                              const double *u, double *theta);
#endif
