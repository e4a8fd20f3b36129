/* validate/calibration.h -- are stated probabilities right? Statistics of posteriors of mocks,
 * whose labels are known. Pure functions of numbers; nothing here knows of models or spectra.
 *
 * If the labels come from the prior and a posterior is exact, then over many mocks
 *   the rank of the true label among independent draws is uniform on 0..n_draws
 *       (simulation-based calibration, Talts et al. 2018);
 *   the credibility level at which the truth lies, sorted by density, is uniform on [0, 1]
 *       (expected coverage of highest-density regions, Hermans et al. 2022);
 *   the fraction of draws nearer than the truth to a point that knows nothing of the posterior is
 *       uniform on [0, 1] (TARP, Lemos et al. 2023).
 * The first looks at one label at a time, the other two at all labels together. */
#ifndef ANPE_CORE_CALIBRATION_H
#define ANPE_CORE_CALIBRATION_H
#include "stat/distribution.h"

/* anpe_uniform_distance of levels that are (place + 1/2) / (n_draws + 1), place in 0..n_draws,
 * against one that is uniform among these places: with few draws their steps are no deviation.
 * sorted: ascending. */
double anpe_level_distance(int64_t n, const double *sorted, int64_t n_draws);

/* ---- one mock ---------------------------------------------------------------------------- */
/* How many of n draws, `stride` apart, are less than the truth; of equal ones the fraction u. */
int64_t anpe_rank_of(double truth, int64_t n, const double *draw, int64_t stride, double u);
/* Credibility level of the truth by density: fraction of draws with a higher one, in (0, 1). */
double anpe_density_level(double log_q_truth, int64_t n, const float *log_q);
/* Fraction of draws (n, D) nearer to the reference (D) than the truth (D) is, in (0, 1), with
 * distances measured in units of scale (D). */
double anpe_tarp_level(int64_t n_labels, const double *truth, const double *reference,
                       const double *scale, int64_t n, const double *draw);

/* ---- many mocks -------------------------------------------------------------------------- */
/* The n ranks, `stride` apart, are put into bins of as nearly equal probability as n_draws + 1
 * values allow; returns the p-value of chi2 against uniformity. The number of bins is n / 25,
 * between 2 and ANPE_RANK_BINS; *bins (may be NULL) is set to it and count (ANPE_RANK_BINS, may be
 * NULL) filled. NAN for n < 50 or a single value, with all in one bin. */
enum { ANPE_RANK_BINS = 20 };
double anpe_rank_p(int64_t n, const int64_t *rank, int64_t stride, int64_t n_draws, int *bins,
                   int64_t *count);

/* Levels against the uniform distribution. A posterior that is too narrow or shifted moves the mean
 * of density levels, which few numbers show; the distance sees any other deformation as well. */
typedef struct anpe_level_test {
    double distance; /* largest distance of the coverage curve from the diagonal */
    double p;        /* of such a distance, or of such a mean: twice the smaller of the two */
    double mean;     /* above 1/2: truths lie farther out than they should */
    double cover68, cover95;
} anpe_level_test;
/* n_draws: that each level was found with; scratch (n). */
anpe_level_test anpe_level_test_of(int64_t n, const double *level, int64_t n_draws,
                                   double *scratch);
#endif
