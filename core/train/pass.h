/* train/pass.h -- one pass of a network over a batch of numbered samples: forward, loss, backward.
 *
 * The batch is cut into micro-batches; a worker fills the inputs of one, runs it whole, and its
 * gradient and loss are added in the order of the micro-batches: the result does not depend on the
 * number of threads. With ranks, each runs its share of the micro-batches, and the running totals
 * go through the ranks in that same order (ranks/ranks.h), so that it does not depend on theirs
 * either: on rank 0 loss and gradient are those of a process alone. What the samples and the loss
 * are is the caller's: spectra and the density of their labels (train.c), labels and the spectrum
 * they have (prepare/emulate_fit.c). */
#ifndef ANPE_CORE_PASS_H
#define ANPE_CORE_PASS_H
#include "base/workers.h"
#include "graph/network.h"
#include "ranks/ranks.h"

/* Samples first .. first + n of a pass; the executor's tensors hold n rows of them. */
typedef struct anpe_pass_rows {
    int worker, validation;
    int64_t start;            /* first sample of the pass */
    int64_t offset, n, batch; /* these rows in it; all rows of the pass */
    anpe_executor *executor;
} anpe_pass_rows;

typedef struct anpe_pass_setup {
    const anpe_graph *graph;
    anpe_parameters *parameters; /* float */
    anpe_backend backend;
    anpe_node output;  /* what the loss is of, (rows, width) */
    int64_t micro;     /* rows of a micro-batch */
    anpe_ranks *ranks; /* NULL: alone */
    int64_t batch;     /* with ranks: most rows of a pass */
    anpe_workers *workers;
    void *user;
    /* The inputs of these rows into the executor's tensors. */
    anpe_status (*fill)(void *user, anpe_ctx *ctx, const anpe_pass_rows *rows);
    /* *loss: the sum over these rows; seed (n, width): its derivative by the output, over `batch`.
     */
    anpe_status (*loss)(void *user, anpe_ctx *ctx, const anpe_pass_rows *rows, double *loss,
                        float *seed);
} anpe_pass_setup;

typedef struct anpe_pass_lane { /* what one worker owns */
    anpe_executor *executor;
    float *gradient; /* (effective_size) of one micro-batch */
    float *seed;     /* (micro, width) */
} anpe_pass_lane;

typedef struct anpe_pass {
    anpe_pass_setup setup;
    int n_lanes;
    anpe_pass_lane *lane;
    float *total; /* (effective_size) gradient of the last pass, on rank 0 */
    double loss;  /* sum over its samples, on rank 0 */
    anpe_pass_rows now;
    int64_t first; /* micro-batch that this rank's share starts with */
    int kept; /* gradients and losses of the share are kept until those before them are there */
    int64_t n_slots;
    float **slot;      /* (n_slots) arrays of effective_size */
    double *slot_loss; /* (n_slots) */
} anpe_pass;

ANPE_MUST_CHECK anpe_status anpe_pass_new(anpe_ctx *ctx, const anpe_pass_setup *setup,
                                          anpe_pass **out);
anpe_pass *anpe_pass_free(anpe_pass *p);
/* Which samples of a pass over n are this rank's: offset .. offset + *here. */
void anpe_pass_share(const anpe_pass *p, int64_t n, int64_t *offset, int64_t *here);
/* Samples [first, first + n); validation: forward only. All ranks call it. */
ANPE_MUST_CHECK anpe_status anpe_pass_run(anpe_pass *p, anpe_ctx *ctx, int validation,
                                          int64_t first, int64_t n);
#endif
