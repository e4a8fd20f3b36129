/* infer/run.h -- a run of `anpe infer` from the inside, for the files that share the work:
 *
 *     infer.c          blocks of spectra, set-up and end
 *     spectra.c        the list of spectra and the reading of one
 *     star.c           statistics of a star's draws; how well known labels came back
 *     exact_star.c     draws that are made exact, in place of the flow's
 *     outputs.c        the files that are written, all or none
 *     draws_file.c     extra: all draws, to a file or to memory
 *     stars.c          a run for those who embed the library
 *     predict.c        extra: the file of model spectra
 *     explain.c        extra: the file of gradients
 *     compare.c        extra: chi2 at the labels of a catalogue
 *     check.c          extra: what the model's validation says of a star
 *     rows.c           the columns of a catalogue, of JSON and of the documentation
 *
 * What is computed for every star beside its labels is an extra: one file, one line in the list in
 * infer.c, members of anpe_star for what goes to the catalogue and a group of columns there. */
#ifndef ANPE_CORE_INFER_RUN_H
#define ANPE_CORE_INFER_RUN_H
#include "base/workers.h"
#include "file/hdf5_file.h"
#include "infer/infer.h"

enum { ANPE_INFER_BLOCK = 128, ANPE_INFER_MAX_EXTRAS = 8 };

typedef struct anpe_infer_lane { /* one worker */
    anpe_session *session;
    double *column; /* (max(n_draws, n_labels)) */
} anpe_infer_lane;

typedef struct anpe_infer_exact anpe_infer_exact;

typedef struct anpe_inference {
    const anpe_infer_request *request;
    anpe_infer_result *result;
    anpe_model *model;
    anpe_workers *workers;
    int n_lanes;
    anpe_infer_lane *lane;   /* (n_lanes) */
    anpe_infer_exact *exact; /* NULL: not wanted */
    int64_t block;           /* stars at a time: BLOCK, or fewer where one takes much memory */
    anpe_spectrum *spectrum; /* (block) reduced once the workers had them */
    int keep;                /* draws of a block are kept until its end, else one star's a lane */
    double *theta, *log_q;   /* (rows, n_draws, D), (rows, n_draws); rows: block or n_lanes */
    int64_t *outside;        /* (block) draws outside the prior */
    _Atomic int64_t n_done;  /* stars, for the progress */
    int64_t first, n;        /* the block: stars first .. first + n of the result */
    anpe_input input;        /* the file that rows are being read from */
    int n_opened;            /* files whose rows are listed, the last of them up to `row` */
    int64_t row, n_rows;     /* of that one */
    int64_t capacity;        /* of the list */
    float *room;             /* (size of a spectrum) of spectra in memory */
    anpe_status first_failure;
    int64_t n_reported;                 /* stars whose failure has been warned of */
    void *extra[ANPE_INFER_MAX_EXTRAS]; /* state of each; NULL: not wanted */
    int n_outputs;
    anpe_h5 *output[ANPE_INFER_MAX_EXTRAS]; /* put in place at the end, all or none */
} anpe_inference;

/* Draws (n_draws, D) of star b of the block and their densities, for the lane that works on it. */
static inline double *anpe_infer_theta(const anpe_inference *f, int lane, int64_t b)
{
    return f->theta + (f->keep ? b : lane) * f->request->n_draws * f->result->n_labels;
}

static inline double *anpe_infer_log_q(const anpe_inference *f, int lane, int64_t b)
{
    return f->log_q + (f->keep ? b : lane) * f->request->n_draws;
}

typedef struct anpe_infer_extra {
    /* The file that it writes, NULL for none; to be checked before any work. */
    const char *(*output)(const anpe_infer_request *q);
    /* Allocates; *state stays NULL when the request does not ask for it. */
    anpe_status (*open)(anpe_ctx *ctx, anpe_inference *f, void **state);
    /* On a worker, once the statistics of star b of the block are there; it is the i-th of the
     * lane's batch. A failure fails the star. May be NULL. */
    anpe_status (*star)(anpe_ctx *ctx, anpe_inference *f, void *state, int lane, int64_t b,
                        int64_t i);
    /* On the main thread after the workers, failed stars included: appends to files. May be NULL.
     */
    anpe_status (*block)(anpe_ctx *ctx, anpe_inference *f, void *state);
    /* On the main thread after the last block: what needs all stars. May be NULL. */
    anpe_status (*end)(anpe_ctx *ctx, anpe_inference *f, void *state);
    void (*free)(void *state); /* may be NULL */
} anpe_infer_extra;
extern const anpe_infer_extra anpe_infer_draws_file, anpe_infer_draws_kept, anpe_infer_predict,
    anpe_infer_explain, anpe_infer_compare, anpe_infer_check;

/* exact_star.c: memory for every lane, if the request asks for it; then draws, statistics and
 * columns of star b of the block, the i-th of the lane's batch. */
ANPE_MUST_CHECK anpe_status anpe_infer_exact_open(anpe_ctx *ctx, anpe_inference *f);
/* Log weights (block, n_draws) of the rows of draws: equal, NAN for stars that failed. */
const double *anpe_infer_exact_weights(anpe_inference *f);
/* The draw (D) of star b of the block with the highest posterior density; NULL: draws are plain. */
const double *anpe_infer_exact_best(const anpe_inference *f, int64_t b);
anpe_infer_exact *anpe_infer_exact_free(anpe_infer_exact *e);
ANPE_MUST_CHECK anpe_status anpe_infer_exact_star(anpe_ctx *ctx, anpe_inference *f, int lane,
                                                  int64_t b, int64_t i);

/* outputs.c: path (n): files beside the catalogue, NULL for none. All can be written, and
 * none of them is an input or another output. */
ANPE_MUST_CHECK anpe_status anpe_infer_check_outputs(anpe_ctx *ctx, const anpe_infer_request *q,
                                                     int n, const char *const *path);
/* Nor is any of them a file that the model's configuration names. */
ANPE_MUST_CHECK anpe_status anpe_infer_check_inputs(anpe_ctx *ctx, const anpe_inference *f, int n,
                                                    const char *const *path);
/* A file of an extra, with the attribute "format"; the run closes or abandons it. */
ANPE_MUST_CHECK anpe_status anpe_infer_output(anpe_ctx *ctx, anpe_inference *f, const char *path,
                                              const char *format, anpe_h5 **out);
/* Datasets `wavelength` (if the instrument has any) and `segment`. */
ANPE_MUST_CHECK anpe_status anpe_infer_put_pixels(anpe_ctx *ctx, const anpe_inference *f,
                                                  anpe_h5 *file);
/* Dataset `id`, texts: at the end, when all are known. */
ANPE_MUST_CHECK anpe_status anpe_infer_put_ids(anpe_ctx *ctx, const anpe_infer_result *r,
                                               anpe_h5 *file);
/* Puts the files of extras and the catalogue in place, or none of them. */
ANPE_MUST_CHECK anpe_status anpe_infer_commit(anpe_ctx *ctx, anpe_inference *f);

/* spectra.c: one row for every spectrum of the files; a file that cannot be read has one that
 * says why. Star first + n of the run, listed if it is not yet; *more: there is one. */
ANPE_MUST_CHECK anpe_status anpe_infer_next_star(anpe_ctx *ctx, anpe_inference *f, int *more);
/* All stars beforehand, for who must know how many there are: files are then opened twice. */
ANPE_MUST_CHECK anpe_status anpe_infer_list_stars(anpe_ctx *ctx, anpe_inference *f);
/* Not listed yet, at least: a file not opened yet counts for one. */
double anpe_infer_stars_to_come(const anpe_inference *f);
/* The spectrum of a star; a failure is the star's. */
void anpe_infer_read_star(anpe_ctx *ctx, anpe_inference *f, anpe_star *star, anpe_spectrum *s);
void anpe_infer_fail_star(anpe_star *star, const char *reason);

/* star.c: statistics of the draws theta (n_draws, D); column (n_draws) is scratch. */
void anpe_infer_summarise(const anpe_inference *f, anpe_star *star, const double *theta,
                          double *column);
int64_t anpe_infer_count_outside(const anpe_inference *f, const double *theta);
ANPE_MUST_CHECK anpe_status anpe_infer_compare_with_truth(anpe_ctx *ctx, anpe_infer_result *r);
#endif
