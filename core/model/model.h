/* model/model.h -- the model file (HDF5): data only; opening one runs no code but that of installed
 * plugins that it names.
 * The layout is in docs/book/files.md, which tests/cli/test_docs.sh compares with real files. */
#ifndef ANPE_CORE_MODEL_H
#define ANPE_CORE_MODEL_H
#include "file/hdf5_file.h"
#include "model/channels.h"
#include "model/labels.h"
#include "model/net.h"
#include "model/resume.h"
#include "task/task.h"

enum { ANPE_MODEL_FORMAT = 2 }; /* of files that are written; 1: the same without a seal */

typedef struct anpe_history { /* one row per epoch */
    int64_t n;
    double *train_loss, *validation_loss, *rate, *norm;
} anpe_history;

typedef struct anpe_progress_state {
    int64_t epoch, n_epochs; /* done, planned */
    int64_t best_epoch;
    double best_loss;
    float *best; /* (parameters->size) */
    anpe_stage stage;
} anpe_progress_state;

/* What is written; borrowed. resume and progress NULL: training has ended. */
typedef struct anpe_model_parts {
    anpe_settings *settings;
    const anpe_task *task;
    const anpe_label_map *map;
    const anpe_channels *channels;
    const anpe_net *net;
    const anpe_history *history;
    const anpe_resume_state *resume;
    const anpe_progress_state *progress;
    uint32_t seed;
    int n_inputs;
    const char *const *inputs; /* "option SHA-256 path" of every file that went in */
    int round;                 /* of training for one spectrum; 0: for all */
    const char *observed;      /* that spectrum */
} anpe_model_parts;

ANPE_MUST_CHECK anpe_status anpe_model_write(anpe_ctx *ctx, const char *path,
                                             const anpe_model_parts *parts);

/* What is in a file, without plugins. */
typedef struct anpe_model_file {
    anpe_h5 *h5;
    char *config, *digest;
    uint32_t seed;
    int complete;
    anpe_label_map *map;
    anpe_channels *channels;
    anpe_pixel_sets pixels;
    int disowned; /* map and channels are not the file's to free */
} anpe_model_file;
/* Checks format and digest. */
ANPE_MUST_CHECK anpe_status anpe_model_file_open(anpe_ctx *ctx, const char *path,
                                                 anpe_model_file *out);
void anpe_model_file_close(anpe_model_file *f);
/* map and channels are the caller's from now on; the file, whose digest covers them, still reads
 * them and must be closed before they are freed. */
void anpe_model_file_disown(anpe_model_file *f);
/* The stored configuration, ready for plugins. Files that are in the model themselves (the
 * instrument's `continuum` and `exclude`) are not looked for. */
ANPE_MUST_CHECK anpe_status anpe_model_file_settings(anpe_ctx *ctx, const anpe_model_file *f,
                                                     int n_sets, const char *const *sets,
                                                     anpe_settings **out);
/* The records "option SHA-256 path" of what went in; anpe_h5_texts_free. */
ANPE_MUST_CHECK anpe_status anpe_model_file_inputs(anpe_ctx *ctx, const anpe_model_file *f,
                                                   int64_t *n, char ***inputs);
/* The digest of the model with another text of its configuration; p: its parameters. */
ANPE_MUST_CHECK anpe_status anpe_model_file_digest(anpe_ctx *ctx, const anpe_model_file *f,
                                                   const anpe_parameters *p, const char *config,
                                                   char digest[65]);
/* The stored values into a raw block; the digest is checked. */
ANPE_MUST_CHECK anpe_status anpe_model_file_parameters(anpe_ctx *ctx, anpe_model_file *f,
                                                       anpe_parameters *p);
/* Progress and current parameters of an unfinished model, and what the optimiser needs, into the
 * arrays of o; history grows to n_epochs. */
ANPE_MUST_CHECK anpe_status anpe_model_file_training(anpe_ctx *ctx, anpe_model_file *f,
                                                     anpe_parameters *p, anpe_resume_state *o,
                                                     anpe_progress_state *s, anpe_history *h);
#endif
