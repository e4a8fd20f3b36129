/* spectrum/grid.h -- pixels of an ascending wavelength grid, and interpolation on it. */
#ifndef ANPE_CORE_GRID_H
#define ANPE_CORE_GRID_H
#include "base/context.h"

/* Lower and upper edge of pixel i of n >= 2 ascending centres: half way to the neighbours. Next to
 * a gap (more than twice the step on the other side) and at the ends the pixel is symmetric, so
 * that missing pixels stay missing. */
void anpe_grid_pixel(int64_t n, const double *centre, int64_t i, double *low, double *high);
/* ANPE_EINVAL unless all n >= 2 values are finite, positive and strictly ascending; `what` names
 * them in the message. */
ANPE_MUST_CHECK anpe_status anpe_grid_check(anpe_ctx *ctx, const char *what, int64_t n,
                                            const double *wavelength);
/* ANPE_EINVAL unless segment (n_segments + 1) ascends inside [0, n_pixels]. */
ANPE_MUST_CHECK anpe_status anpe_grid_check_segments(anpe_ctx *ctx, int64_t n_pixels,
                                                     int64_t n_segments, const int64_t *segment);
/* Largest distance of two grids of the same length, in pixels of the first; inf if not finite. */
double anpe_grid_distance(int64_t n, const double *a, const double *b);
enum { ANPE_GRID_POINTS = 8 }; /* of a polynomial, at most */
/* Weights (points <= ANPE_GRID_POINTS) of the polynomial through values at 0, 1, ... points - 1,
 * read at t. */
void anpe_grid_lagrange(int points, double t, double *weight);
/* Their derivatives with respect to t. */
void anpe_grid_lagrange_slope(int points, double t, double *weight);
#endif
