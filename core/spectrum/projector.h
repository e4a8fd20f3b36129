/* spectrum/projector.h -- from a simulator's grid to an instrument's pixels: Doppler shift,
 * line-spread function (Gaussian of the instrument's FWHM less the simulator's in quadrature, or
 * the instrument's table as it is), flux-conserving resampling. Same grid and no LSF to apply:
 * interpolation by the shift only, inside each segment.
 *
 * A sparse linear operator, applied to a batch as one product. What does not depend on the star is
 * precomputed: the way from the simulator's grid to one uniform in ln(lambda), unless it is one, 4
 * weights a step; and the rows of the pixels, line-spread function and pixel in one, some tens of
 * weights each. The velocity is each spectrum's own: a shift by whole steps and a filter of 8
 * weights, found for each spectrum, between the two. */
#ifndef ANPE_CORE_PROJECTOR_H
#define ANPE_CORE_PROJECTOR_H
#include "base/context.h"

typedef struct anpe_projector anpe_projector;
typedef struct anpe_projector_setup {
    int64_t n_in;
    const double *wavelength_in;
    double resolution_in; /* inf: infinitely sharp */
    const anpe_instrument_info *instrument;
    int on_grid;   /* simulator pixels and LSF are the instrument's (must have its wavelengths) */
    double max_rv; /* km/s, margin needed on both sides */
} anpe_projector_setup;
ANPE_MUST_CHECK anpe_status anpe_projector_new(anpe_ctx *ctx, const anpe_projector_setup *setup,
                                               anpe_projector **out);
anpe_projector *anpe_projector_free(anpe_projector *p);
/* Pixels that at some radial velocity of [rv_min, rv_max] see more than a thousandth of their light
 * where the simulator has no flux: beyond its ends, in a gap of its wavelengths, or, of a simulator
 * on the instrument's pixels, beyond the ends of a segment -> uncovered (n_pixels) 1, others 0.
 * What apply gives there is a neighbour's flux. */
void anpe_projector_uncovered(const anpe_projector *p, double rv_min, double rv_max,
                              uint8_t *uncovered);
/* Whether at this velocity no good pixel (mask (n_pixels), 1 = bad) is such a one. */
int anpe_projector_covers(const anpe_projector *p, double rv, const uint8_t *mask);
size_t anpe_projector_scratch(const anpe_projector *p); /* bytes of scratch for one call */
/* Rest-frame flux_in (n, n_in) of n stars seen at radial velocities rv (n) (km/s, > 0 receding;
 * NULL: 0) -> flux_out (n, n_pixels). The same to the last bit one by one. Re-entrant; scratch
 * belongs to the caller's thread. */
void anpe_projector_apply(const anpe_projector *p, int64_t n, const double *rv,
                          const float *flux_in, float *flux_out, void *scratch);
/* The transpose, by the same weights: y (n, n_pixels) -> x (n, n_in), so that the sums of
 * y apply(f) and of x f are the same but for rounding. If y is the gradient of something with
 * respect to what apply gives, x is the one with respect to the simulator's flux. */
void anpe_projector_transpose(const anpe_projector *p, int64_t n, const double *rv, const float *y,
                              float *x, void *scratch);
/* d flux_out / d rv (n_pixels) of one star, per km/s. */
void anpe_projector_slope(const anpe_projector *p, double rv, const float *flux_in, float *slope,
                          void *scratch);
#endif
