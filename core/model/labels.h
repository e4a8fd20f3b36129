/* model/labels.h -- from physical labels to what the flow sees, and back.
 *
 * Per label a bijection of the prior's support onto the real line, then standardised:
 *   bounded [lo, hi]    y = Phi^-1((theta - lo) / (hi - lo)); a uniform prior becomes a standard
 *                       normal, which is the flow's base density
 *   bounded on one side y = log(theta - lo) or -log(hi - theta)
 *   unbounded           y = theta
 * so no draw ever leaves the support, and log q in physical units includes the Jacobian. */
#ifndef ANPE_CORE_LABELS_H
#define ANPE_CORE_LABELS_H
#include "base/context.h"

typedef enum anpe_bijection { ANPE_IDENTITY, ANPE_BOX, ANPE_ABOVE, ANPE_BELOW } anpe_bijection;

typedef struct anpe_label_map {
    int64_t n;
    anpe_label *label;    /* (n) name, unit and support */
    anpe_bijection *kind; /* (n) */
    double *mean, *sd;    /* (n) of y over the prior */
} anpe_label_map;

/* transform 0: only standardised (draws may leave the prior). mean 0, sd 1 until set. */
ANPE_MUST_CHECK anpe_status anpe_label_map_new(anpe_ctx *ctx, int64_t n, const anpe_label *label,
                                               int transform, anpe_label_map **out);
anpe_label_map *anpe_label_map_free(anpe_label_map *m);
/* Mean and sd of y from draws theta (n_draws, n). */
void anpe_label_map_fit(anpe_label_map *m, int64_t n_draws, const double *theta);
/* theta (n) -> y (n); a theta on or outside the support goes to the end of the line: FLT_EPSILON of
 * the box inside, or, with one bound, max(-ln FLT_EPSILON, 5.17 sd) from the mean; NaN
 * stays NaN. */
void anpe_label_map_forward(const anpe_label_map *m, const double *theta, float *y);
/* y (n) -> theta (n), always inside the closed support; returns log |d theta / d y|, which is
 * subtracted from log q(y) to give log q(theta). */
double anpe_label_map_inverse(const anpe_label_map *m, const float *y, double *theta);
/* One label on the real line, not standardised, in double; and back, inside the closed support. */
double anpe_label_map_line(const anpe_label_map *m, int64_t i, double theta);
double anpe_label_map_from_line(const anpe_label_map *m, int64_t i, double line);
/* d theta_i / d y_i at y (n). */
void anpe_label_map_slope(const anpe_label_map *m, const float *y, double *slope);
#endif
