/* infer/run.h -- a run of `anpe infer` from the inside, for the files that share the work:
 *
 *     infer.c          blocks of spectra, set-up and end
 *     together.c       blocks that several ranks make
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
 *     keep.c           what becomes of a block's rows
 *     store.c          rows as bytes, until the catalogue is written
 *     journal.c        blocks that are kept, taken up again, or put together
 *
 * What is computed for every star beside its labels is an extra: one file, one line in the list in
 * infer.c, members of anpe_star for what goes to the catalogue and a group of columns there. */
#ifndef ANPE_CORE_INFER_RUN_H
#define ANPE_CORE_INFER_RUN_H
#include "base/workers.h"
#include "file/hdf5_file.h"
#include "infer/infer.h"
#include "infer/store.h"

enum { ANPE_INFER_BLOCK = 128, ANPE_INFER_MAX_EXTRAS = 8 };

typedef struct anpe_infer_lane { /* one worker */
    anpe_session *session;
    double *column; /* (n_draws) */
    double *median; /* (ANPE_VIEW_MOST, D) of stars that were looked at together */
    float *context; /* (ANPE_VIEW_MOST, F) theirs */
} anpe_infer_lane;

typedef struct anpe_infer_exact anpe_infer_exact;

typedef struct anpe_inference {
    const anpe_infer_request *request;
    anpe_infer_result *result;
    anpe_model *model;
    anpe_workers *workers;
    int n_lanes;
    anpe_infer_lane *lane;       /* (n_lanes) */
    anpe_infer_exact *exact;     /* NULL: not wanted */
    int64_t block;               /* stars at a time: BLOCK, or fewer where one takes much memory */
    anpe_star *star;             /* (block) */
    anpe_label_summary *summary; /* (block, n_labels), theirs */
    double *truth;               /* (block, n_labels) */
    anpe_spectrum *spectrum;     /* (block) reduced once the workers had them */
    int keep;                  /* draws of a block are kept until its end, else one star's a lane */
    double *theta, *log_q;     /* (rows, n_draws, D), (rows, n_draws); rows: block or n_lanes */
    int64_t *outside;          /* (block) draws outside the prior */
    _Atomic int64_t n_done;    /* stars, for the progress */
    int64_t first, n;          /* the block: stars first .. first + n of the run */
    int64_t from, to;          /* those of the part: `to` is INT64_MAX where it is not known */
    int64_t *count;            /* (n_files) stars of each, where they were counted; or NULL */
    anpe_input input;          /* the file that rows are being read from */
    int n_opened;              /* files whose rows are listed, the last of them up to `row` */
    int64_t row, n_rows;       /* of that one */
    int64_t skip;              /* rows of the next one that are not wanted */
    float *room;               /* (size of a spectrum) of spectra in memory */
    anpe_status failure;       /* of the block's first star, 0: it has not failed */
    anpe_status first_failure; /* of `held` */
    int holding;               /* `held`, the first star, failed: told of once another has worked */
    anpe_star held;
    int64_t kept_room, names_room; /* of result->star, result->name */
    anpe_row_bytes bytes;          /* of the block's rows */
    anpe_store *store;     /* all rows; NULL: all are in memory, or no catalogue is written */
    char *part;            /* the file of a part; NULL: it is the whole */
    int replays;           /* blocks come from `replay` as long as it has some */
    int replayed;          /* this one did */
    int came;              /* this one is in memory as it would be had it come from there */
    anpe_replay replay;    /* the journal, or the parts */
    const char *replay_at; /* the next row of its block */
    int64_t head[8];       /* how a block starts: journal.c */
    anpe_row_bytes names;  /* files of the block's stars, where it comes from there */
    int64_t *name;         /* (block) where each one starts */
    char model_name[65];   /* digest of the model's file */
    int64_t n_all;         /* with count: stars of all files */
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
    /* Makes its file, of which a part has none. May be NULL. */
    anpe_status (*create)(anpe_ctx *ctx, anpe_inference *f, void *state);
    /* On a worker, once the statistics of the draws of star b of the block are there; it is the
     * i-th of the lane's batch. A failure fails the star. May be NULL. */
    anpe_status (*star)(anpe_ctx *ctx, anpe_inference *f, void *state, int lane, int64_t b,
                        int64_t i);
    /* What `block` needs of n stars beside their rows, as memory to be stored, or to be filled from
     * what was stored: of each piece the same number of bytes for every star. Returns how many. May
     * be NULL. */
    int (*pieces)(const anpe_inference *f, void *state, int64_t n, anpe_piece *piece);
    /* On the main thread after the workers, failed stars included: appends to files, of which a
     * part has none. May be NULL. */
    anpe_status (*block)(anpe_ctx *ctx, anpe_inference *f, void *state);
    /* On the main thread after the last block, but of a part: what needs all stars. May be NULL. */
    anpe_status (*end)(anpe_ctx *ctx, anpe_inference *f, void *state);
    void (*free)(void *state); /* may be NULL */
    /* On a worker, of n stars that were looked at together, once all but extras are there: stars b
     * (n) of the block, which were the place (n)-th to be looked at. May be NULL. */
    anpe_status (*together)(anpe_ctx *ctx, anpe_inference *f, void *state, int lane, int64_t n,
                            const int64_t *b, const int64_t *place);
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
ANPE_MUST_CHECK anpe_status anpe_infer_put_ids(anpe_ctx *ctx, const anpe_row_list *rows,
                                               anpe_h5 *file);
/* Puts the files of extras and the catalogue in place, or none of them. */
ANPE_MUST_CHECK anpe_status anpe_infer_commit(anpe_ctx *ctx, anpe_inference *f);

/* spectra.c: one row for every spectrum of the files; a file that cannot be read has one that
 * says why. The next star of the run becomes star n of the block; *more: there is one. */
ANPE_MUST_CHECK anpe_status anpe_infer_next_star(anpe_ctx *ctx, anpe_inference *f, int *more);
/* How many there are, for who must know beforehand: files are then opened twice. */
ANPE_MUST_CHECK anpe_status anpe_infer_count_stars(anpe_ctx *ctx, anpe_inference *f, int64_t *n);
/* The next star is star `first` of the run, which has been counted. */
void anpe_infer_start_at(anpe_inference *f, int64_t first);
/* Not listed yet, at least: a file not opened yet counts for one. */
double anpe_infer_stars_to_come(const anpe_inference *f);
/* The spectrum of a star of the block; a failure is the star's. */
void anpe_infer_read_star(anpe_ctx *ctx, anpe_inference *f, anpe_star *star, anpe_spectrum *s);
void anpe_infer_fail_star(anpe_inference *f, anpe_star *star, anpe_status status,
                          const char *reason);

/* star.c: statistics of the draws theta (n_draws, D); column (n_draws) is scratch. */
/* Takes label d, whose summary is set, into the star's edge masses; d from 0 on. */
void anpe_infer_put_edge(anpe_star *star, int64_t d, double mass, const anpe_label *l);
void anpe_infer_summarise(const anpe_inference *f, anpe_star *star, const double *theta,
                          double *column);
int64_t anpe_infer_count_outside(const anpe_inference *f, const double *theta);
ANPE_MUST_CHECK anpe_status anpe_infer_compare_with_truth(anpe_ctx *ctx, const anpe_row_list *rows,
                                                          anpe_infer_result *r);

/* keep.c: the block's rows are counted, packed into f->bytes where that is wanted, and kept where
 * the request says. Then warns of those that failed; the run's first one waits until another has
 * worked. */
ANPE_MUST_CHECK anpe_status anpe_infer_keep_rows(anpe_ctx *ctx, anpe_inference *f);
void anpe_infer_report_failures(anpe_ctx *ctx, anpe_inference *f);

/* journal.c: the digest of all that the rows are determined by, into result->run. */
ANPE_MUST_CHECK anpe_status anpe_infer_name_run(anpe_ctx *ctx, anpe_inference *f);
/* *finished: the output is there, of this run. */
ANPE_MUST_CHECK anpe_status anpe_infer_check_finished(anpe_ctx *ctx, anpe_inference *f,
                                                      int *finished);
/* Opens the journal, or the parts, that blocks come from. */
ANPE_MUST_CHECK anpe_status anpe_infer_open_replay(anpe_ctx *ctx, anpe_inference *f);
/* The block from there: f->n stars, 0 where there are none left. */
ANPE_MUST_CHECK anpe_status anpe_infer_take_block(anpe_ctx *ctx, anpe_inference *f);
/* The same of the pieces that a block came to, here or on another rank; and what those are. */
ANPE_MUST_CHECK anpe_status anpe_infer_put_block(anpe_ctx *ctx, anpe_inference *f, int n,
                                                 const anpe_piece *piece);
int anpe_infer_block_pieces(anpe_inference *f, anpe_piece *piece);
/* The block, its rows in f->bytes, into the journal. */
ANPE_MUST_CHECK anpe_status anpe_infer_keep_block(anpe_ctx *ctx, anpe_inference *f);
/* infer.c: the stars of the block that starts at `first`, from spectra; and what is kept of it. */
ANPE_MUST_CHECK anpe_status anpe_infer_make_block(anpe_ctx *ctx, anpe_inference *f);
ANPE_MUST_CHECK anpe_status anpe_infer_finish_block(anpe_ctx *ctx, anpe_inference *f);
/* The rows of the block, as bytes. */
ANPE_MUST_CHECK anpe_status anpe_infer_pack_rows(anpe_ctx *ctx, anpe_inference *f);
/* together.c: all ranks do what rank 0 does: the same run, not finished yet; its list of stars;
 * its blocks. Nothing to do for a process alone, but for the last. */
ANPE_MUST_CHECK anpe_status anpe_infer_compare_ranks(anpe_ctx *ctx, anpe_inference *f,
                                                     int *finished);
ANPE_MUST_CHECK anpe_status anpe_infer_share_list(anpe_ctx *ctx, anpe_inference *f, int64_t *n);
ANPE_MUST_CHECK anpe_status anpe_infer_run_together(anpe_ctx *ctx, anpe_inference *f);
extern const anpe_infer_extra *const anpe_infer_extras[];
extern const int anpe_infer_n_extras;
#endif
