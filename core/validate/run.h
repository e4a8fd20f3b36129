/* validate/run.h -- a run of `anpe validate` from the inside: validate.c makes mocks and compares
 * what the network says of them, exact_mock.c what exact posteriors say. */
#ifndef ANPE_CORE_VALIDATE_RUN_H
#define ANPE_CORE_VALIDATE_RUN_H
#include "base/workers.h"
#include "posterior/exact.h"
#include "posterior/flow_density.h"
#include "task/refine.h"
#include "validate/validate.h"

enum { ANPE_VALIDATE_BATCH = 8 };
/* Streams of mock i beside its labels and its noise. */
enum {
    ANPE_VALIDATE_SLOT_DRAWS = ANPE_SLOT_EPOCH_NOISE + 1,
    ANPE_VALIDATE_SLOT_REFERENCE,
    ANPE_VALIDATE_SLOT_TIES,
    ANPE_VALIDATE_SLOT_EXACT
};
/* Draws of an exact posterior that ranks and levels are found among. */
enum { ANPE_VALIDATE_RANKED = 100 };

typedef struct anpe_validate_lane { /* one worker */
    anpe_session *session;
    anpe_bench *bench;          /* makes mocks: has the noise model */
    anpe_flow_density *density; /* log q at the truths */
    anpe_exact *exact;          /* NULL: not asked for */
    anpe_refine *refine;        /* NULL without model spectra */
    anpe_residuals *residuals;
    anpe_spectrum spectrum[ANPE_VALIDATE_BATCH];
    double *theta;       /* (n_draws, D) */
    double *column;      /* (n_draws) */
    double *reference;   /* (prior labels) */
    double *point;       /* (D) */
    anpe_ranked *ranked; /* (room of the ladder) */
} anpe_validate_lane;

typedef struct anpe_validate_run {
    const anpe_validate_request *request;
    anpe_model *model;
    anpe_settings *settings;
    anpe_task *task; /* with the noise model */
    anpe_workers *workers;
    anpe_validate_lane *lane;
    anpe_validation *result;
    double *prior_sd; /* (D) */
    int64_t first;    /* mock of the block */
    _Atomic int64_t n_done;
    int64_t n_taken; /* mocks whose numbers are in the result */
    anpe_span span;  /* of the block, as it is stored */
    char run[65];    /* digest of what run it is */
    int64_t n_statistics;
    float *context; /* (all mocks, F) */
    double *value;  /* (all mocks, n_statistics) */
} anpe_validate_run;

/* Mock m, the i-th of the lane's batch, made exact: its row of v->result->exact, from what the
 * network said. reference (D): for TARP. */
ANPE_MUST_CHECK anpe_status anpe_validate_exact_mock(anpe_validate_run *v, anpe_ctx *ctx,
                                                     anpe_validate_lane *l, int64_t m, int64_t i,
                                                     const double *reference);
#endif
