/* npe/optimiser.h -- Adam (Kingma & Ba 2015) with cosine decay and a gradient clip that follows the
 * norms of the previous epoch. All state is plain arrays, so that it can be stored and resumed. */
#ifndef ANPE_CORE_OPTIMISER_H
#define ANPE_CORE_OPTIMISER_H
#include "base/workers.h"
#include "graph/network.h"

typedef struct anpe_optimiser {
    int64_t size; /* parameters */
    float *m, *v; /* (size) moments */
    int64_t step; /* steps done */
    double clip;  /* largest norm that is let through; inf in the first epoch */
    double percentile;
    int64_t n_norms, max_norms;
    double *norms;  /* (max_norms) gradient norms of the current epoch */
    double *square; /* (chunks of the gradient) */
} anpe_optimiser;

ANPE_MUST_CHECK anpe_status anpe_optimiser_new(anpe_ctx *ctx, int64_t size, int64_t steps_per_epoch,
                                               double percentile, anpe_optimiser **out);
anpe_optimiser *anpe_optimiser_free(anpe_optimiser *o);
/* One step on `value` with gradient (both size); returns the norm before the clip. */
double anpe_optimiser_step(anpe_optimiser *o, double rate, const float *gradient, float *value);
/* A whole update on several threads, with the same result for any number of them: the gradient with
 * respect to effective parameters -> gradient (parameters->size) -> raw -> effective parameters. */
ANPE_MUST_CHECK anpe_status anpe_optimiser_update(anpe_ctx *ctx, anpe_optimiser *o, double rate,
                                                  const float *grad_effective, float *gradient,
                                                  anpe_parameters *parameters,
                                                  anpe_workers *workers, double *norm);
/* End of an epoch: the clip becomes the percentile of its norms. */
void anpe_optimiser_end_epoch(anpe_optimiser *o);
/* Cosine from rate to min_rate over total steps, after a linear warm-up. */
double anpe_learning_rate(double rate, double min_rate, int64_t step, int64_t warmup,
                          int64_t total);
#endif
