/* stat/ensemble.h -- Markov chain Monte Carlo without gradients: independent ensembles of walkers,
 * with the stretch move of Goodman & Weare (2010) and differential evolution (ter Braak 2006,
 * Nelson, Ford & Payne 2014). Half of an ensemble moves at a time, guided by the other half. */
#ifndef ANPE_CORE_ENSEMBLE_H
#define ANPE_CORE_ENSEMBLE_H
#include "base/context.h"
#include "stat/importance.h"

/* Log density, up to a constant, at y (n, D); -inf where it is zero. */
typedef anpe_status anpe_log_density_fn(void *user, anpe_ctx *ctx, int64_t n, const double *y,
                                        double *log_density);

typedef struct anpe_ensemble_setup {
    int64_t width;   /* D */
    int64_t walkers; /* of one ensemble, even, at least 2 D + 2 */
    int64_t chains;  /* ensembles */
    int64_t room;    /* draws that can be kept */
} anpe_ensemble_setup;

typedef struct anpe_ensemble_result {
    double rhat, ess, accepted; /* the worst label's; fraction of moves */
    int64_t n_evaluations;
    int64_t n;               /* kept draws, the first half of the run being left out */
    const double *y;         /* (n, D), borrowed until the next run */
    const double *log_value; /* (n) log density */
} anpe_ensemble_result;

typedef struct anpe_ensemble anpe_ensemble;
ANPE_MUST_CHECK anpe_status anpe_ensemble_new(anpe_ctx *ctx, const anpe_ensemble_setup *setup,
                                              anpe_ensemble **out);
anpe_ensemble *anpe_ensemble_free(anpe_ensemble *e);
/* Walkers to be placed before a run: (chains walkers, D), where the density is not zero. */
double *anpe_ensemble_start(anpe_ensemble *e);
/* Runs until R-hat of every coordinate is <= rhat and the effective size >= ess, or until
 * max_evaluations. ANPE_ENUMERIC: the density is zero at all walkers of an ensemble. */
ANPE_MUST_CHECK anpe_status anpe_ensemble_run(anpe_ensemble *e, anpe_ctx *ctx,
                                              anpe_log_density_fn *density, void *user,
                                              anpe_rng *rng, double rhat, double ess,
                                              int64_t max_evaluations,
                                              anpe_ensemble_result *result);
#endif
