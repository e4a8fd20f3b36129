/* train/dataset.h -- numbered samples (x, y) for training: network inputs and standardised labels.
 *
 * Online (the default): sample i has fresh labels and fresh noise. n_sims: a fixed set of labels,
 * in a new order and with fresh noise every epoch, or with `keep` always with the same, and then
 * what the network sees of them is made once (train/kept.h). From a file (anpe train --data):
 * stored simulations `x` or `flux`, to which the noise model is applied anew every epoch (model
 * `none`: they are finished data), streamed when they are larger than ANPE_DATASET_MEMORY. Memory
 * does not grow with the number of samples, but for those that are kept. */
#ifndef ANPE_CORE_DATASET_H
#define ANPE_CORE_DATASET_H
#include "file/hdf5_file.h"
#include "model/channels.h"
#include "model/labels.h"
#include "model/view.h"
#include "task/task.h"

#define ANPE_DATASET_MEMORY ((int64_t)512 << 20) /* bytes of stored simulations kept in memory */

typedef struct anpe_dataset {
    const anpe_task *task;
    anpe_label_map *map;
    anpe_channels *channels;
    uint32_t seed;
    int64_t n_train; /* samples of an epoch's order; 0: online */
    int64_t n_validation;
    int64_t group;  /* neighbours that stay together in the order */
    int64_t *order; /* (n_train / group) of the current epoch, n_sims and files */
    int64_t epoch;
    /* stored simulations */
    anpe_h5 *file;
    const char *values; /* "flux" or "x" */
    int64_t n_rows, n_columns;
    int64_t *place;         /* (n_rows / group) which group of the file is where */
    int64_t *column;        /* (prior labels) column of theta, -1: not in the file */
    float *memory;          /* (n_rows, size) when all fits */
    double *memory_theta;   /* (n_rows, n_columns) */
    int64_t batch;          /* of a step */
    float *rows;            /* (batch, size) of the current step */
    double *rows_theta;     /* (batch, n_columns) */
    int keep;               /* the noise of a sample is the same in all epochs */
    struct anpe_kept *kept; /* samples of training, then of validation; NULL: made every time */
} anpe_dataset;

typedef struct anpe_dataset_setup {
    uint32_t seed;
    int64_t n_sims, n_validation, batch;
    const char *data; /* file of simulations, or NULL */
    int64_t memory;   /* bytes of it that are kept in memory; 0: ANPE_DATASET_MEMORY */
    int keep;         /* of n_sims or data: the same noise in all epochs */
} anpe_dataset_setup;

/* map and channels of a model to resume, or NULL both to fit them from the first simulations; the
 * dataset owns them once this has succeeded. */
ANPE_MUST_CHECK anpe_status anpe_dataset_new(anpe_ctx *ctx, const anpe_task *task,
                                             const anpe_dataset_setup *setup, anpe_label_map *map,
                                             anpe_channels *channels, anpe_dataset **out);
anpe_dataset *anpe_dataset_free(anpe_dataset *d);
/* Main thread, before the workers start on samples first + offset .. first + offset + n of an epoch
 * (training) or of the validation set, which are those of a step from its offset on: order, and
 * rows from the file. */
ANPE_MUST_CHECK anpe_status anpe_dataset_load(anpe_dataset *d, anpe_ctx *ctx, int64_t epoch,
                                              int validation, int64_t first, int64_t offset,
                                              int64_t n);
/* What a worker makes samples with. */
typedef struct anpe_dataset_desk {
    anpe_bench *bench; /* weights of the samples' loss are in bench->weight */
    anpe_view *view;
    anpe_coordinates coordinates;
    anpe_spectrum spectrum[ANPE_VIEW_MOST]; /* that are looked at together */
    double *log_volume; /* (batch) log |d y / d y'|, y' the map's: 0 unless whitened */
} anpe_dataset_desk;
ANPE_MUST_CHECK anpe_status anpe_dataset_open_desk(const anpe_dataset *d, anpe_ctx *ctx,
                                                   int64_t batch, anpe_dataset_desk *desk);
void anpe_dataset_close_desk(anpe_dataset_desk *desk);
/* Worker: samples first + offset ... of the last load, n at most the desk's batch -> x (n, L, C),
 * y (n, D) in the coordinates of each sample; y NULL: not wanted. Online samples are numbered
 * through all epochs: `first` is absolute there. */
ANPE_MUST_CHECK anpe_status anpe_dataset_fill(const anpe_dataset *d, anpe_ctx *ctx,
                                              anpe_dataset_desk *desk, int validation,
                                              int64_t first, int64_t offset, int64_t n, float *x,
                                              float *y);
#endif
