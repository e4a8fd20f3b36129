/* model/coordinates.h -- what the flow's y stands for, for one spectrum.
 *
 * The map of the labels (model/labels.h) for all spectra alike; or, whitened, coordinates of this
 * spectrum's own: with the normal distribution that a fit has found, cut off at the bounds of the
 * labels (stat/truncated.h), y is standard normal wherever the posterior is that distribution, for
 * few or many bad pixels, high or low signal to noise, in the middle of the prior or on a bound.
 *
 * Beyond 4 sd y goes on as 4 + log(1 + |y| - 4), so that a spectrum whose fit went astray is
 * something that a flow can learn. A draw never leaves the support. */
#ifndef ANPE_CORE_COORDINATES_H
#define ANPE_CORE_COORDINATES_H
#include "model/labels.h"
#include "stat/truncated.h"

typedef struct anpe_coordinates {
    const anpe_label_map *map; /* borrowed */
    anpe_truncated *own;       /* NULL: the map's */
    double *y, *back;          /* (D) room for it, and for its callers */
} anpe_coordinates;

ANPE_MUST_CHECK anpe_status anpe_coordinates_new(anpe_ctx *ctx, const anpe_label_map *map,
                                                 int whitened, anpe_coordinates *out);
void anpe_coordinates_clear(anpe_coordinates *c);
/* Of a whitened one: the spectrum's mean (D), which may lie outside, and covariance (D, D). */
void anpe_coordinates_set(anpe_coordinates *c, const double *mean, const double *covariance);
/* theta (D) -> y (D). On or outside the support as anpe_label_map_forward. One thread at a time. */
void anpe_coordinates_forward(const anpe_coordinates *c, const double *theta, float *y);
/* y (D) -> theta (D), always inside the closed support; returns log |d theta / d y|. */
double anpe_coordinates_inverse(const anpe_coordinates *c, const float *y, double *theta);
#endif
