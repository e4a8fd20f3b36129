/* stat/newton.h -- the maximum of a log density inside a box by damped Newton steps (Levenberg
 * 1944, Marquardt 1963), for densities that come with a gradient and with a matrix in the place of
 * their second derivatives that is never negative, as Gauss-Newton's is.
 *
 * A coordinate on a side of the box stays there as long as the gradient points out of it. The step
 * of the others solves (H + lambda diag H) step = gradient; what would leave the box is put on its
 * side, and the rest is solved for again. lambda is 0 until a step fails.
 *
 * A matrix costs as much as D + 1 densities, a density with the gradient by the old matrix one. So
 * a matrix is held as long as steps with it gain what they promise (chord steps: Ortega &
 * Rheinboldt 1970), and a step that fails has cost one density. What is returned has a matrix of
 * its own. */
#ifndef ANPE_CORE_NEWTON_H
#define ANPE_CORE_NEWTON_H
#include "base/context.h"

/* Near x (D), inside the box: log density f, its gradient (D), and H (D, D), both triangles:
 * f + gradient . s - s . H s / 2. step (D): a length over which it hardly bends, for differences.
 * f may be -inf or NAN, then the rest is not read. */
typedef anpe_status anpe_expand_fn(void *user, anpe_ctx *ctx, const double *x, const double *step,
                                   double *f, double *gradient, double *h);

/* f, and the gradient as it follows from the residuals at x and the Jacobian of the last expand, or
 * any better one. */
typedef anpe_status anpe_probe_fn(void *user, anpe_ctx *ctx, const double *x, const double *step,
                                  double *f, double *gradient);

typedef struct anpe_newton_problem {
    const double *low, *high; /* (D) the box; may be infinite */
    void *user;
    anpe_expand_fn *expand;
    anpe_probe_fn *probe;
} anpe_newton_problem;

/* The last expansion, and the normal distribution that it stands for. */
typedef struct anpe_optimum {
    double *x, *gradient;      /* (D) */
    double *h;                 /* (D, D) */
    double *mean, *covariance; /* (D), (D, D): x + H^-1 gradient, which may lie outside, and H^-1 */
    double f, log_det;         /* at x; of the covariance */
    double top;                /* f at the mean */
    int converged;
    int n_expansions, n_probes; /* what it took */
} anpe_optimum;

typedef struct anpe_newton anpe_newton; /* memory; one per thread */
ANPE_MUST_CHECK anpe_status anpe_newton_new(anpe_ctx *ctx, int64_t width, anpe_newton **out);
anpe_newton *anpe_newton_free(anpe_newton *w);
ANPE_MUST_CHECK anpe_status anpe_optimum_new(anpe_ctx *ctx, int64_t width, anpe_optimum *o);
void anpe_optimum_clear(anpe_optimum *o);
/* From start (D), where f is finite; scale (D): a guess of the density's width there. At most
 * max_expansions. It has converged when a step promises less than a hundredth of log density for
 * each coordinate, a seventh of its sd. Not to converge is no error. */
ANPE_MUST_CHECK anpe_status anpe_newton_run(anpe_newton *w, anpe_ctx *ctx,
                                            const anpe_newton_problem *problem, const double *start,
                                            const double *scale, int max_expansions,
                                            anpe_optimum *o);
/* The same for who computes several densities at once: what the run wants to know next, at which
 * place, until it is done. problem: of the box alone; it, and o, stay until then. */
typedef enum anpe_newton_wish {
    ANPE_NEWTON_DONE,
    ANPE_NEWTON_EXPAND, /* f, gradient and h at x, as anpe_expand_fn gives them */
    ANPE_NEWTON_PROBE   /* f and gradient, as anpe_probe_fn gives them */
} anpe_newton_wish;
typedef struct anpe_newton_place {
    const double *x, *step; /* (D) */
    double *gradient, *h;   /* (D), (D, D) to be filled */
} anpe_newton_place;
anpe_newton_wish anpe_newton_begin(anpe_newton *w, const anpe_newton_problem *problem,
                                   const double *start, const double *scale, int max_expansions,
                                   anpe_optimum *o);
anpe_newton_place anpe_newton_where(const anpe_newton *w);
/* f: of the place. */
anpe_newton_wish anpe_newton_next(anpe_newton *w, double f);
/* Squared distance of x (D) from the optimum's mean, in units of its covariance. */
double anpe_optimum_distance2(const anpe_optimum *o, int64_t width, const double *x);
#endif
