/* stat/truncated.h -- mixtures of normal distributions that are cut off at the sides of a box:
 * draws, none of which is rejected, and a density without an integral that has to be estimated.
 *
 * With x = mean + C z, C lower triangular, a box for x is an interval for z_1, then one for z_2
 * given z_1, and so on. Each z_i is drawn from the standard normal cut off at its interval (the
 * simulator of Geweke, Hajivassiliou & Keane: Geweke 1991), so that
 *
 *   q(x) = prod_i phi(z_i) / (C_ii (Phi(b_i) - Phi(a_i)))
 *
 * which is the normal itself where no side is near, and differs from the normal cut off as a whole
 * by bounded factors. Coordinates with the least mass inside the box come first. A mean may lie
 * outside. Scales of 1 to a few around one mean stand for the tail of a Student t. */
#ifndef ANPE_CORE_TRUNCATED_H
#define ANPE_CORE_TRUNCATED_H
#include "base/context.h"

typedef struct anpe_truncated {
    int64_t width;      /* D */
    int n, most;        /* components, and room for them */
    double *low, *high; /* (D) the box; may be infinite */
    double *share;      /* (most) sums to 1 once normalised */
    double *mean;       /* (most, D), in the order of the component */
    double *cholesky;   /* (most, D, D) lower triangle of the covariance matrix, likewise */
    double *log_side;   /* (most, D) logs of its diagonal */
    int64_t *order;     /* (most, D) which coordinate comes i-th */
    double *work;       /* (D) */
} anpe_truncated;

ANPE_MUST_CHECK anpe_status anpe_truncated_new(anpe_ctx *ctx, int64_t width, int most,
                                               anpe_truncated **out);
anpe_truncated *anpe_truncated_free(anpe_truncated *m);
/* No component, and a box (D). */
void anpe_truncated_clear(anpe_truncated *m, const double *low, const double *high);
/* mean (D), covariance (D, D), positive definite, times scale^2. Room for it must be there. */
void anpe_truncated_add(anpe_truncated *m, const double *mean, const double *covariance,
                        double scale, double share);
void anpe_truncated_normalise(anpe_truncated *m); /* the shares */
/* Natural log of the density at x (D) inside the box. One thread at a time. */
double anpe_truncated_log_density(const anpe_truncated *m, const double *x);
void anpe_truncated_draw(const anpe_truncated *m, anpe_rng *rng, double *x);
/* Component k as coordinates of the box: x (D) <-> y (D), all of R^D, which has a standard normal
 * distribution where x is drawn from the component (the transport of Rosenblatt 1952, coordinate by
 * coordinate). Where no side is near this is y = C^-1 (x - mean). A mean that lies more than 8 sd
 * outside counts as 8, or the box would be left to its last digits. x on a side has y = +-inf;
 * the inverse returns log |dx / dy|. One thread at a time. */
void anpe_truncated_forward(const anpe_truncated *m, int k, const double *x, double *y);
double anpe_truncated_inverse(const anpe_truncated *m, int k, const double *y, double *x);
/* Log of the mass that the normal of component k has inside the box, by n draws; x (D): scratch. */
double anpe_truncated_log_mass(const anpe_truncated *m, int k, anpe_rng *rng, int n, double *x);
#endif
