/* validate/validate.h -- what `anpe validate` does: fresh mocks of the model's own configuration,
 * from random streams that neither training nor `anpe simulate` uses, inferred and compared with
 * their labels. */
#ifndef ANPE_CORE_VALIDATE_H
#define ANPE_CORE_VALIDATE_H
#include "file/part.h"
#include "ranks/ranks.h"
#include "validate/record.h"

typedef struct anpe_validate_request {
    const char *model;
    const char
        *output; /* of the caller, NULL: none: no file that the model's configuration names */
    int64_t n, n_draws;
    int64_t n_exact;     /* of them, how many are made exact as well */
    double rate;         /* false alarms of each misspecification flag */
    double scale, shift; /* draws are drawn together about their mean and moved, in units of their
                          * sd: 1 and 0 but for a check of the checks */
    int n_repeats;       /* files of repeated observations */
    const char *const *repeats;
    int n_sets; /* how these are read: anpe_infer_request.sets */
    const char *const *sets;
    uint32_t seed;
    int threads;
    anpe_ranks *ranks; /* who take part, or NULL; all of them call */
    /* The caller's, empty: finished blocks are kept in MODEL.validation.part, and those that are
     * there are taken; to be ended by the caller, with anpe_replay_finish once the result is where
     * it is wanted. NULL: no journal. */
    anpe_replay *journal;
} anpe_validate_request;

/* Nothing is written but the journal. The result is equal for any number of threads and ranks; it
 * is rank 0's, *out is NULL on the others. */
ANPE_MUST_CHECK anpe_status anpe_validate(anpe_ctx *ctx, const anpe_validate_request *request,
                                          anpe_validation **out);
#endif
