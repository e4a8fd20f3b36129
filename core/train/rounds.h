/* train/rounds.h -- training in rounds for one observed spectrum.
 *
 * The first round is a training as ever. Each later one goes on from its weights with labels from
 * where the posterior of that spectrum is by now (train/proposal.h), so the network sees the one
 * neighbourhood that matters more and more closely. After each round the
 * flow's draws for the spectrum are weighted with the likelihood (posterior/exact.h); rounds end
 * when their efficiency, effective draws per draw, is as wanted.
 *
 * The model is for this spectrum alone: it names it, and inference of another one warns. */
#ifndef ANPE_CORE_ROUNDS_H
#define ANPE_CORE_ROUNDS_H
#include "train/proposal.h"
#include "train/train.h"

typedef struct anpe_rounds_request {
    anpe_train_request train; /* output, data (NULL), threads */
    const char *config;
    int n_sets;
    const char *const *sets;
    const char *observe; /* file of spectra, as the configuration's instrument reads it */
    int64_t row;         /* which one of them */
    anpe_proposal_kind proposal;
    int rounds;        /* at most, the first one included */
    double efficiency; /* wanted, in (0, 1]; above 1: all rounds are done */
} anpe_rounds_request;

typedef struct anpe_rounds_result {
    anpe_train_result train; /* of the last round; seconds and spectra of all of them */
    int rounds;              /* that were done */
    double efficiency, khat; /* after the last one; NAN where there is no likelihood */
} anpe_rounds_result;

ANPE_MUST_CHECK anpe_status anpe_train_rounds(anpe_ctx *ctx, const anpe_rounds_request *request,
                                              anpe_rounds_result *result);
#endif
