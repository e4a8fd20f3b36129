/* model/start.h -- a first guess of the labels from the coefficients of a reduced basis: a
 * quadratic regression, fitted in closed form to simulated observations. It is where a fit starts,
 * no more.
 *
 *   label = w_0 + sum_j w_j t_j + sum_{j <= k < Q} w_jk t_j t_k,   t_j = c_j / prior sd of c_j
 *
 * A label with a bound on one side only is regressed by the logarithm of its distance. */
#ifndef ANPE_CORE_START_H
#define ANPE_CORE_START_H
#include "model/basis.h"
#include "model/labels.h"

typedef struct anpe_start {
    int64_t n, n_terms, n_labels; /* coefficients; terms above; D */
    double *weight;               /* (n_terms, D) */
    double *error;                /* (D) rms error on simulations that were not fitted */
} anpe_start;

/* All 0. */
ANPE_MUST_CHECK anpe_status anpe_start_new(anpe_ctx *ctx, int64_t n, int64_t n_labels,
                                           anpe_start **out);
anpe_start *anpe_start_free(anpe_start *s);
/* From simulations of the task, the same for the same seed. */
ANPE_MUST_CHECK anpe_status anpe_start_fit(anpe_ctx *ctx, const anpe_task *t,
                                           const anpe_label_map *map, const anpe_basis *basis,
                                           uint32_t seed, anpe_start **out);
/* A reduced spectrum -> labels (D) inside the box. Allocates nothing. */
void anpe_start_guess(const anpe_start *s, const anpe_label_map *map, const anpe_basis *basis,
                      const anpe_spectrum *spectrum, double *theta);
#endif
