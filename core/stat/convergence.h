/* stat/convergence.h -- whether Markov chains have converged: rank-normalised split R-hat (Vehtari,
 * Gelman, Simpson, Carpenter & Buerkner 2021) and the integrated autocorrelation time. */
#ifndef ANPE_CORE_CONVERGENCE_H
#define ANPE_CORE_CONVERGENCE_H
#include "stat/importance.h"

/* value (chains, n), each chain split in halves; the larger of the R-hat of the ranks and that of
 * the distances from the median. INFINITY when nothing moves. z (chains n), scratch (chains n). */
double anpe_rank_rhat(int64_t chains, int64_t n, const double *value, double *z,
                      anpe_ranked *scratch);
/* Integrated autocorrelation time, in steps, of value (steps, walkers), the autocovariances
 * averaged over walkers around the common mean; summed up to the first lag >= 5 times the sum
 * (Sokal). Effective size: steps walkers / time. */
double anpe_autocorrelation_time(int64_t steps, int64_t walkers, const double *value);
#endif
