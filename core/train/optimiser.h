/* train/optimiser.h -- Adam (Kingma & Ba 2015) with cosine decay and a gradient clip that follows
 * the norms of the previous epoch; on request with decay of the weights beside the gradient
 * (Loshchilov & Hutter 2019) and a running average of the parameters (Polyak & Juditsky 1992). All
 * state is plain arrays, so that it can be stored and resumed. */
#ifndef ANPE_CORE_OPTIMISER_H
#define ANPE_CORE_OPTIMISER_H
#include "base/workers.h"
#include "graph/network.h"
#include "model/resume.h"

typedef struct anpe_optimiser {
    int64_t size; /* parameters */
    float *m, *v; /* (size) moments */
    int64_t step; /* steps done */
    double clip;  /* largest norm that is let through; inf in the first epoch */
    double percentile;
    int64_t n_norms, max_norms;
    double *norms;  /* (max_norms) gradient norms of the current epoch */
    double *square; /* (chunks of the gradient) */
    double decay;   /* a step takes rate times this from each weight; 0 at first */
    float *average; /* (size) of the raw parameters, over about `span` steps; NULL: none */
    double span;
} anpe_optimiser;

ANPE_MUST_CHECK anpe_status anpe_optimiser_new(anpe_ctx *ctx, int64_t size, int64_t steps_per_epoch,
                                               double percentile, anpe_optimiser **out);
/* Starts an average at `value` (size). */
ANPE_MUST_CHECK anpe_status anpe_optimiser_average(anpe_ctx *ctx, anpe_optimiser *o, int64_t span,
                                                   const float *value);
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

/* Stages of a training on a fixed set, which a network could learn by heart: in stage k = 0, 1, ..
 * weights decay with strength 0.3^k decay, so that the network is first held simple and then let
 * go. A stage begins at the best parameters so far and ends after `patience` epochs without better
 * ones; a stage that brought nothing is the last. */
typedef enum anpe_verdict { ANPE_GO_ON, ANPE_NEXT_STAGE, ANPE_END } anpe_verdict;
anpe_verdict anpe_stage_verdict(const anpe_stage *s, int64_t epochs, int64_t best_epoch,
                                int64_t patience);
double anpe_stage_decay(const anpe_stage *s, double decay);

/* Cosine from rate to min_rate over total steps, after a linear warm-up. */
double anpe_learning_rate(double rate, double min_rate, int64_t step, int64_t warmup,
                          int64_t total);
#endif
