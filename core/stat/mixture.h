/* stat/mixture.h -- a mixture of multivariate Student t distributions with common degrees of
 * freedom: density, draws, and a fit to weighted points by expectation maximisation (Peel &
 * McLachlan 2000; as a proposal: Cappe, Douc, Guillin, Marin & Robert 2008). Heavier tails than a
 * Gaussian's keep importance weights bounded. */
#ifndef ANPE_CORE_MIXTURE_H
#define ANPE_CORE_MIXTURE_H
#include "base/context.h"

enum { ANPE_MIXTURE_FREEDOM = 6 };

typedef struct anpe_mixture {
    int64_t width;    /* D */
    int n, most;      /* components, and room for them */
    double *share;    /* (most) sums to 1 */
    double *mean;     /* (most, D) */
    double *cholesky; /* (most, D, D) lower triangle of the scale matrix */
    double *log_norm; /* (most) log of share and of the density's constant */
    double *work;     /* (D) */
} anpe_mixture;

ANPE_MUST_CHECK anpe_status anpe_mixture_new(anpe_ctx *ctx, int64_t width, int most,
                                             anpe_mixture **out);
anpe_mixture *anpe_mixture_free(anpe_mixture *m);
void anpe_mixture_copy(anpe_mixture *to, const anpe_mixture *from); /* of the same shape */
/* Which of n components u in (0, 1) falls to: of their shares, which sum to 1 but for rounding,
 * never one of 0. */
int anpe_mixture_pick(int n, const double *share, double u);
/* Natural log of the density at y (D). One thread at a time: it works in m->work. */
double anpe_mixture_log_density(const anpe_mixture *m, const double *y);
void anpe_mixture_draw(const anpe_mixture *m, anpe_rng *rng, double *y);
/* Fits up to `most` components to n points y (n, D) with weights (n) >= 0, not all zero.
 * Components that fewer than D + 2 effective points stand behind are given up. inflate: scale
 * matrices are multiplied by its square. resp (n, most): scratch. */
void anpe_mixture_fit(anpe_mixture *m, int64_t n, const double *y, const double *weight,
                      int n_components, double inflate, anpe_rng *rng, double *resp);
/* Appends component 0 again with its scale matrix multiplied by factor^2; the share of the new one
 * is `share`, of the others (1 - share) of what it was. Room for it must be there. */
void anpe_mixture_widen(anpe_mixture *m, double factor, double share);
#endif
