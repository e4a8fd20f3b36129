/* train/train.h -- training: simulated batches, the loss -mean log q(labels | spectrum), Adam, a
 * fixed validation set, checkpoints. The result depends on configuration and seed, not on threads
 * or ranks. */
#ifndef ANPE_CORE_TRAIN_H
#define ANPE_CORE_TRAIN_H
#include "base/settings.h"
#include "ranks/ranks.h"
#include "task/task.h"

extern const anpe_option anpe_train_table[];

typedef struct anpe_train_request {
    const char *output; /* model file; during training it holds the checkpoint of the last epoch */
    const char *data;   /* simulations, or NULL: online */
    int threads;        /* 0: compute.threads */
    int resume;         /* go on from `output` if it is there */
    int profile;        /* log time per operation at the end */
    anpe_ranks *ranks;  /* who take part, or NULL; all of them call, rank 0 writes */
    /* a later round for one spectrum (train/rounds.h); all 0 or NULL: the first, or the only one */
    const char *start;               /* model to go on from; may be `output` */
    const anpe_label_rows *proposal; /* labels in place of the prior's, with weights */
    int round;
    const char *observed; /* the spectrum, for the record */
} anpe_train_request;

typedef struct anpe_train_result {
    int64_t epochs, best_epoch, steps, spectra, n_parameters;
    double validation_loss, seconds;
} anpe_train_result;

/* ANPE_ECANCEL: interrupted; `output` holds the last epoch's checkpoint. On other ranks than 0 the
 * result is that of no epoch. */
ANPE_MUST_CHECK anpe_status anpe_train(anpe_ctx *ctx, anpe_settings *settings,
                                       const anpe_train_request *request,
                                       anpe_train_result *result);
/* Everything but the training: checks the configuration, so that it can be printed. */
ANPE_MUST_CHECK anpe_status anpe_train_check(anpe_ctx *ctx, anpe_settings *settings,
                                             const char *data);
#endif
