/* validate/record.h -- what was measured on mocks, as it is kept in the model file. The group
 * `validation/` is replaced as a whole; docs/book/files.md has its layout. It belongs to the
 * weights whose digest it carries: after more training it does not count. */
#ifndef ANPE_CORE_VALIDATION_H
#define ANPE_CORE_VALIDATION_H
#include "base/piece.h"
#include "validate/calibration.h"
#include "model/labels.h"
#include "validate/misfit.h"
#include "validate/recovery.h"

typedef struct anpe_validation {
    int64_t n, n_draws, n_labels;
    uint32_t seed;
    char digest[65], created[24], version[32];
    double *truth, *median, *mean, *sd, *p16, *p84; /* (n, D) */
    int64_t *rank;                                  /* (n, D) in 0..n_draws */
    double *hpd, *tarp;                             /* (n) levels, validate/calibration.h */
    double *log_q_truth, *snr, *bad_fraction;       /* (n) */
    /* (n) ess: of n_draws of the network as a proposal; in `exact` of the exact posterior, with the
     * k-hat of its weights, its evaluations of the likelihood, 1 if it was reached and 0 if not.
     * NAN where not measured */
    double *ess, *khat, *evaluations, *reached;
    double *context_distance, *residual_score; /* (n), NAN where not measured */
    double *edge_mass;                         /* (n) anpe_edge_mass, of all labels */
    double *contraction;                       /* (D) 1 - mean posterior variance / prior's */
    /* recalibration: validate/recalibration.h */
    double *temperature;                /* (D) */
    double *cover_before, *cover_after; /* (D) of the 68 % interval, on mocks not learned from */
    double *repeat_temperature;         /* (D) from repeated observations, NAN without them */
    int64_t n_learned, n_repeats;
    anpe_misfit *misfit; /* NULL: too few mocks */
    /* the same of the exact posteriors of the first mocks, with ranks and levels among fewer draws
     * than effective ones; NULL: not asked for */
    struct anpe_validation *exact;
} anpe_validation;

ANPE_MUST_CHECK anpe_status anpe_validation_new(anpe_ctx *ctx, int64_t n, int64_t n_labels,
                                                anpe_validation **out);
anpe_validation *anpe_validation_free(anpe_validation *v);
/* Where the numbers of mocks first .. first + n lie: how many pieces, ANPE_VALIDATION_PIECES at
 * most. */
enum { ANPE_VALIDATION_PIECES = 24 };
int anpe_validation_pieces(const anpe_validation *v, int64_t first, int64_t n, anpe_piece *piece);
/* Into the model at path, whose other contents stay as they are, bit for bit; the file is replaced
 * when all is written. */
ANPE_MUST_CHECK anpe_status anpe_validation_write(anpe_ctx *ctx, const char *path,
                                                  const anpe_validation *v);
/* *is: the model at path has this very validation already, made at whatever time. */
ANPE_MUST_CHECK anpe_status anpe_validation_is_stored(anpe_ctx *ctx, const char *path,
                                                      const anpe_validation *v, int *is);
/* *out NULL and ANPE_OK: there is none, or one of another layout, which is logged. */
ANPE_MUST_CHECK anpe_status anpe_validation_read(anpe_ctx *ctx, anpe_h5 *model,
                                                 anpe_validation **out);

/* ---- in numbers -------------------------------------------------------------------------- */
typedef struct anpe_validation_label {
    anpe_recovery recovery;
    double sbc_p, pit_p, pit_mean; /* PIT: (rank + 1/2) / (n_draws + 1), and its Kolmogorov p */
    int bins;
    int64_t count[ANPE_RANK_BINS]; /* ranks in each bin */
} anpe_validation_label;
/* Mocks of one part, or all of them. */
typedef struct anpe_validation_part {
    int64_t n;
    double log_q_truth, min, max; /* mean; limits of what it is a part by */
    anpe_validation_label *label; /* (D) */
    anpe_level_test hpd, tarp;
} anpe_validation_part;
/* by (n): each mock belongs if min <= by < max (max included where it is INFINITY); NULL: all. */
ANPE_MUST_CHECK anpe_status anpe_validation_summarise(anpe_ctx *ctx, const anpe_validation *v,
                                                      const double *by, int64_t stride, double min,
                                                      double max, anpe_validation_part *part);
void anpe_validation_part_clear(anpe_validation_part *part);
/* Does it pass? Every label's SBC p above ANPE_VALIDATION_P / D (Bonferroni), and both coverage
 * curves with p above it. */
#define ANPE_VALIDATION_P 0.01
int anpe_validation_passes(const anpe_validation *v, const anpe_validation_part *all);
#endif
