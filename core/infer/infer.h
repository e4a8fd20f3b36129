/* infer/infer.h -- posteriors of many spectra to a catalogue: what `anpe infer` does. */
#ifndef ANPE_CORE_INFER_H
#define ANPE_CORE_INFER_H
#include "base/text.h"
#include "ranks/ranks.h"
#include "file/output.h"
#include "file/part.h"
#include "posterior/exact.h"
#include "validate/recovery.h"
#include "posterior/session.h"
#include "posterior/summary.h"

/* Bits of the column `flags`; names in anpe_flag_names. */
typedef enum anpe_flag_bit {
    ANPE_FLAG_FAILED = 1, /* no posterior: the reason is in the column `reason` */
    ANPE_FLAG_EDGE = 2,   /* draws pile up at a bound of the prior: anpe_edge_mass */
    ANPE_FLAG_CHI2 = 4,   /* chi2 per good pixel at the median above 3: the model does not fit */
    ANPE_FLAG_FEW_PIXELS = 8,  /* under half of the pixels are good */
    ANPE_FLAG_UNFINISHED = 16, /* the model's training had not ended */
    ANPE_FLAG_NOT_EXACT = 32,  /* exact was asked for and not reached: see `exact_reason` */
    ANPE_FLAG_KHAT = 64,       /* k-hat of the weights above ANPE_KHAT_FLAG: not to be trusted */
    /* at the false-alarm rate that anpe validate was given (validate/misfit.h), as 2 is */
    ANPE_FLAG_OUT_OF_TRAINING = 128, /* the context vector is far from those of mocks */
    ANPE_FLAG_PREDICTIVE = 256,      /* residuals that no spectrum of the simulator's has */
    ANPE_FLAG_BAD_PIXELS = 512,      /* more bad pixels than in training */
    ANPE_FLAG_SNR = 1024,            /* S/N outside that of training */
    ANPE_FLAG_NOT_VALIDATED = 2048   /* nothing is known of the four above, or of calibration */
} anpe_flag_bit;
enum { ANPE_N_FLAGS = 12 };
extern const char *const anpe_flag_names[ANPE_N_FLAGS];
extern const char *const anpe_flag_help[ANPE_N_FLAGS]; /* each in a sentence */

enum { ANPE_INFER_OTHERS = 9 };

#define ANPE_KHAT_FLAG 0.7  /* Vehtari et al. 2024 */
#define ANPE_EDGE_MASS 0.08 /* flagged above this, until a validation says better */
/* A label is told when its sd is below this part of the prior's width. So few stars of the prior
 * have a told label near a bound that a pile there is flagged whatever a validation says: the many
 * labels which are hardly told, and whose draws always reach a bound, set its threshold. */
#define ANPE_TOLD 0.02

/* One row of the catalogue. */
typedef struct anpe_star {
    char id[80];
    int named; /* the file gave it the identifier; else that is the file's name */
    const char *file;
    int64_t row; /* in the file */
    int failed;
    char reason[160];
    anpe_label_summary *label; /* (n_labels) */
    double chi2, snr;
    int64_t n_good, flags, n_draws;
    double edge_mass;      /* the largest of all labels */
    double told_edge_mass; /* of those that are told: ANPE_TOLD */
    int has_truth;
    double *truth; /* (n_labels) */
    /* with exact: see anpe_ladder_result */
    int exact;
    char rung[12], exact_reason[160];
    double ess, efficiency, khat, log_evidence, log_evidence_err, rhat, proposal_efficiency;
    int64_t n_evaluations;
    /* with compare: compared, outside (of what the simulator was made for), unmatched, incomplete
     * (a label is missing), "" for a star that failed */
    char comparison[12];
    double chi2_catalogue; /* of the model spectrum at the catalogue's labels */
    /* of a validated model: see anpe_misfit_view */
    double context_distance, context_p, predictive_score, predictive_p;
    char predictive_worst[40];
    /* of a star that several spectra were multiplied for: see posterior/product.h */
    int64_t n_members, n_left_out;
    char *members; /* "a.fits[0]; b.fits[0]": those that took part; owned, or NULL */
    double log_together;
} anpe_star;
extern const anpe_star anpe_infer_unread; /* every number NAN */

/* Against the labels of a catalogue: compare.c. */
typedef struct anpe_comparison {
    int wanted;
    uint8_t *given;      /* (n_labels) 1: from the catalogue, 0: our median in both */
    int64_t n, n_better; /* stars compared; those whose chi2 is smaller at our medians */
    int64_t n_outside, n_unmatched, n_incomplete;
} anpe_comparison;

/* Draws that are kept in memory, of every star: theta (n_stars, n_draws, D), log_q (n_stars,
 * n_draws); NAN for a star that failed. Malloc'ed by the run, free'd by who asked. */
typedef struct anpe_infer_draws {
    double *theta, *log_q;
} anpe_infer_draws;

typedef struct anpe_infer_request {
    const char *model;
    struct anpe_model *opened; /* this model, opened already and not closed here; NULL: it is */
    int n_others; /* of a run of groups: the other models, named in the catalogue too */
    const char *const *others;
    int n_sets;
    const char *const *sets; /* "PATH=VALUE": what may be set when a model is used */
    int n_files;
    const char *const *files;
    /* in place of files: spectra as the survey has them, as for anpe_infer: flux, sigma, mask
     * (n_spectra, size of one); mask may be NULL, ids (n_spectra) too */
    int64_t n_spectra;
    const float *flux, *sigma;
    const uint8_t *mask;
    const char *const *ids;
    anpe_infer_draws *draws;     /* to be kept in memory, or NULL */
    const char *output;          /* catalogue; NULL: the result only, and no files at all */
    const char *posterior;       /* HDF5 of all draws, or NULL */
    const char *predict;         /* HDF5 of model spectra, or NULL */
    const char *explain;         /* HDF5 of gradients of the posterior means, or NULL */
    const char *compare;         /* catalogue of labels, or NULL */
    const char *compare_columns; /* "teff=TEFF,logg=LOGG": columns that have other names; or NULL */
    const char *compare_id;      /* column of identifiers; NULL: row by row */
    int64_t n_draws;
    uint32_t seed;
    int threads;
    anpe_ranks *ranks; /* who take part, or NULL; all of them call, rank 0 has the result */
    int exact; /* importance sampling of every star; statistics are then the reweighted ones */
    anpe_exact_options exact_options;
    int64_t n_kept;   /* so many rows at most are kept in memory, the first; 0: all */
    int resume;       /* blocks are kept in OUTPUT.part, and those that are there are taken */
    anpe_share share; /* a part of the spectra, to OUTPUT.K-of-N, with resume */
    int n_parts;      /* to be put together: no spectrum is read; files and seed are the run's */
    const char *const *parts;
} anpe_infer_request;

typedef struct anpe_infer_result {
    int64_t n_stars, n_failed, n_labels;
    char model_digest[65], other_digest[ANPE_INFER_OTHERS][65];
    int grouped;     /* rows are stars of several spectra */
    int64_t n_names; /* texts that rows borrow */
    char **name;
    int64_t n_kept;    /* rows in memory: all of them, unless the request says otherwise */
    anpe_star *star;   /* (n_kept) */
    int file_width;    /* the longest name of a file */
    char run[65];      /* digest of all that the rows are determined by; "": not known */
    int finished;      /* resume: the output was there already, nothing has been done */
    anpe_label *label; /* (n_labels) */
    int64_t n_outside; /* draws outside the prior's support: 0 unless labels.transform = none */
    int64_t n_truth;   /* stars with truth */
    int exact;         /* as in the request */
    int64_t n_exact, n_rung[ANPE_N_RUNGS], n_evaluations; /* of all stars */
    int recalibrated, checked; /* the model's validation has intervals, thresholds */
    anpe_recovery *recovery;   /* (n_labels) when n_truth > 1, else NULL */
    anpe_comparison comparison;
    double seconds; /* reading, inference and writing, without opening the model */
} anpe_infer_result;

/* A spectrum that fails is flagged and logged, and the run goes on; if all fail nothing is written
 * and the status is that of the first. */
ANPE_MUST_CHECK anpe_status anpe_infer_files(anpe_ctx *ctx, const anpe_infer_request *request,
                                             anpe_infer_result *result);
void anpe_infer_result_clear(anpe_infer_result *r);
/* Puts the parts of one run together: the files that the run would have written, the catalogue to
 * `output`. head: of the parts (file/part.h); model: where it is now, NULL: where it was. The
 * request is filled in and borrows from the head. */
ANPE_MUST_CHECK anpe_status anpe_infer_merge(anpe_ctx *ctx, const anpe_text *head, int n_parts,
                                             const char *const *parts, const char *output,
                                             const char *model, anpe_infer_request *request,
                                             anpe_infer_result *result);
/* rows.c: so many labels have room in a catalogue; and the result, whose rows are in memory, as
 * one, in request->output once `out` is committed. */
ANPE_MUST_CHECK anpe_status anpe_infer_check_labels(anpe_ctx *ctx, int64_t n_labels);
ANPE_MUST_CHECK anpe_status anpe_infer_catalogue(anpe_ctx *ctx, const anpe_infer_request *request,
                                                 const anpe_infer_result *r, anpe_output *out);
/* The names of its columns, with commas between. */
void anpe_infer_names(const anpe_infer_result *r, anpe_text *names);
/* Its rows added to a catalogue in text, which starts with them where there is none. */
ANPE_MUST_CHECK anpe_status anpe_infer_append(anpe_ctx *ctx, const anpe_infer_request *request,
                                              const anpe_infer_result *r, const char *path);
#endif
