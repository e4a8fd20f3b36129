/* model/basis.h -- a spectrum as a few coefficients and their errors, fitted with its own error
 * bars and mask, instead of thousands of pixels.
 *
 *   flux = mean + V c + (modes of the continuum rule) e,   chi2 + |c|^2 / prior variance -> min
 *   c = (X^T W X + Lambda)^-1 X^T W (flux - mean),  error_k^2 = [(X^T W X + Lambda)^-1]_kk
 *
 * W = 1 / sigma^2, 0 on bad pixels; X = (V, modes x mean). V spans, as well as so many vectors can,
 * the tangents d flux / d label of spectra all over the prior (in the metric of a typical W), so
 * the coefficients keep nearly all that small changes of the labels do to the spectrum, which is
 * what the width of a posterior is made of. A network that reads pixels has to learn all of this:
 * which pixels matter, how error bars weigh them, and to see past the value that a bad pixel was
 * given. Dingo (Green & Gair 2021) starts its first layer from a basis of the signals; here error
 * bars and masks differ from spectrum to spectrum, so the projection is a fit. */
#ifndef ANPE_CORE_BASIS_H
#define ANPE_CORE_BASIS_H
#include "task/task.h"

enum { ANPE_BASIS_MOST = 127 }; /* coefficients and modes together */

typedef struct anpe_basis {
    int64_t n;         /* coefficients */
    int64_t n_modes;   /* fitted along, their amplitudes dropped */
    int64_t n_values;  /* of a spectrum */
    int64_t stride;    /* of a pixel's row, a multiple of the width of a product's panel */
    float *mean;       /* (n_values) */
    float *vector;     /* (n_values, stride): n vectors, n_modes modes, 0 */
    double *precision; /* (n + n_modes) 1 / prior variance of each amplitude */
} anpe_basis;

/* All 0. */
ANPE_MUST_CHECK anpe_status anpe_basis_new(anpe_ctx *ctx, int64_t n, int64_t n_modes,
                                           int64_t n_values, anpe_basis **out);
anpe_basis *anpe_basis_free(anpe_basis *b);
/* From simulations of the task, the same for the same seed. A task without a simulator is an error;
 * n is cut to what the prior's draws can span. */
ANPE_MUST_CHECK anpe_status anpe_basis_find(anpe_ctx *ctx, const anpe_task *t, int64_t n,
                                            uint32_t seed, anpe_basis **out);
/* A reduced spectrum -> coefficients and their errors (n) each. Allocates nothing. */
void anpe_basis_fit(const anpe_basis *b, const anpe_spectrum *s, double *coefficient,
                    double *error);
/* Chain rule: gradient with respect to the coefficients (n) -> to the flux (n_values), 0 on bad
 * pixels. The errors do not depend on the flux. */
void anpe_basis_gradient(const anpe_basis *b, const anpe_spectrum *s, const double *by_coefficient,
                         float *by_flux);
#endif
