/* validate/misfit.h -- does a spectrum look like those that the model was trained on?
 *
 * Two views. The context vector: its Mahalanobis distance from the contexts of fresh mocks. And the
 * residuals r = (flux - model) / sigma of the good pixels, with the model at the best fit near the
 * posterior median (task/refine.h): of a spectrum of the simulator's they are nearly white and
 * standard normal. What the simulator does not know leaves traces on some scale: a second star in
 * lines, a wrong continuum over hundreds of pixels, an emission line in a few. So the residuals are
 * looked at on several:
 *
 *   sum W      chi2 of the sums of r over W neighbouring pixels, W = 1, 4, 16, 64, 256
 *   peak W     the largest |sum of r| / sqrt W of any such window
 *   correlated sum of r_i r_i+1 and r_i r_i+2: neighbours that agree
 *   sum 1 and correlated of each segment (detector, arm)
 *
 * each turned into a standard normal deviate under white residuals. The fit takes out a part of
 * them, and so does the continuum rule on large scales, so that these deviates have a mean and a
 * width that depend on the statistic and on S/N, as the distance of the context has; both are
 * learned from mocks. The largest deviate from them is the score of the residuals, that of the
 * distance the score of the context. Thresholds are quantiles of the scores of further mocks, so a
 * false-alarm rate means what it says: for spectra of the simulator's with white noise. */
#ifndef ANPE_CORE_MISFIT_H
#define ANPE_CORE_MISFIT_H
#include "file/hdf5_file.h"

enum { ANPE_MISFIT_MAX_STATISTICS = 64, ANPE_MISFIT_WHOLE = 11, ANPE_MISFIT_MIN_MOCKS = 200 };

/* ---- residuals of one spectrum ----------------------------------------------------------- */
typedef struct anpe_residuals {
    int64_t n_pixels, n_segments;
    const int64_t *segment; /* (n_segments + 1), borrowed */
    double *r;              /* (n_pixels), 0 where bad */
    double *sum, *good;     /* (n_pixels + 1) running sums of r and of good pixels */
} anpe_residuals;
/* n_segments 0: one segment. Segments beyond those that have room are not looked at alone. */
ANPE_MUST_CHECK anpe_status anpe_residuals_new(anpe_ctx *ctx, int64_t n_pixels, int64_t n_segments,
                                               const int64_t *segment, anpe_residuals **out);
anpe_residuals *anpe_residuals_free(anpe_residuals *s);
int64_t anpe_residuals_statistics(int64_t n_segments); /* K */
/* observed: reduced; model (n_pixels): the model spectrum under the same rule -> value (K). */
void anpe_residuals_measure(anpe_residuals *s, const anpe_spectrum *observed, const float *model,
                            double *value);
/* "sum 16", "peak 4", "segment 2 sum 1" in text. */
const char *anpe_residuals_name(int64_t k, char text[40]);

/* ---- what is usual ----------------------------------------------------------------------- */
typedef enum anpe_misfit_kind {
    ANPE_MISFIT_CONTEXT,    /* score of the context vector */
    ANPE_MISFIT_PREDICTIVE, /* score of the residuals */
    ANPE_MISFIT_EDGE,       /* mass at a bound of the prior, anpe_edge_mass */
    ANPE_MISFIT_BAD_PIXELS, /* fraction of bad pixels */
    ANPE_MISFIT_SNR_LOW,    /* -S/N */
    ANPE_MISFIT_SNR_HIGH    /* S/N */
} anpe_misfit_kind;
/* The first two see what is in a spectrum, and share the false-alarm rate. */
enum { ANPE_N_MISFITS = 6, ANPE_N_CONTENT_MISFITS = 2 };

/* One spectrum as it is judged. */
typedef struct anpe_misfit_sight {
    const float *context; /* (F) */
    const double *value;  /* (K) of its residuals; NULL: there is no model spectrum */
    double snr, bad_fraction, edge_mass;
} anpe_misfit_sight;

typedef struct anpe_misfit {
    double rate;                      /* wanted false-alarm rate */
    int64_t n_contexts, n_statistics; /* F, K; K = 0: there are no model spectra */
    double *mean, *whiten;            /* (F), (F, F): distance = |whiten (c - mean)| / sqrt F */
    int64_t n_knots;                  /* S/N bins */
    double *knot, *centre, *width;    /* (n_knots) log10 S/N, (n_knots, K + 1): last the distance */
    int64_t n_scores;                 /* mocks that the thresholds are from */
    double *context_score, *residual_score; /* (n_scores) ascending */
    double threshold[ANPE_N_MISFITS];       /* above: flagged */
    double wanted[ANPE_N_MISFITS];          /* false-alarm rate that each threshold was set for */
    double measured[ANPE_N_MISFITS];        /* false-alarm rate on mocks of their own */
    double measured_content;                /* of the first two together */
    int64_t n_measured;
} anpe_misfit;

/* One spectrum as the rules see it; NAN where there is nothing to see. */
typedef struct anpe_misfit_view {
    double value[ANPE_N_MISFITS];
    double distance;                /* Mahalanobis, of the context */
    double p_context, p_predictive; /* fraction of mocks with such a value or a higher one */
    int64_t worst;                  /* statistic with the largest deviate, -1: none */
} anpe_misfit_view;

/* From n mocks with F numbers of context and K of residuals each (0: none has any). The first two
 * fifths fix mean and width, the next three tenths the thresholds, the rest measures. `rate` is
 * that of each flag, and of the first two together. At least ANPE_MISFIT_MIN_MOCKS, or
 * ANPE_EINVAL. */
ANPE_MUST_CHECK anpe_status anpe_misfit_learn(anpe_ctx *ctx, int64_t n,
                                              const anpe_misfit_sight *mock, int64_t n_contexts,
                                              int64_t n_statistics, double rate, anpe_misfit **out);
anpe_misfit *anpe_misfit_free(anpe_misfit *m);
/* scratch (F). */
anpe_misfit_view anpe_misfit_judge(const anpe_misfit *m, const anpe_misfit_sight *sight,
                                   double *scratch);
/* Group validation/thresholds of a model file. */
ANPE_MUST_CHECK anpe_status anpe_misfit_write(anpe_ctx *ctx, anpe_h5 *f, const anpe_misfit *m);
ANPE_MUST_CHECK anpe_status anpe_misfit_read(anpe_ctx *ctx, anpe_h5 *f, anpe_misfit **out);
#endif
