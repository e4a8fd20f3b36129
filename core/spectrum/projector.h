/* spectrum/projector.h -- from a simulator's grid to an instrument's pixels: Doppler shift,
 * line-spread function (Gaussian of the instrument's FWHM less the simulator's in quadrature),
 * flux-conserving resampling. Same grid and no LSF to apply: interpolation by the shift only,
 * inside each segment. */
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
/* rest-frame flux_in (n_in) seen at radial velocity rv (km/s, > 0 receding) -> flux_out (n_pixels).
 * Re-entrant; scratch belongs to the caller's thread. */
void anpe_projector_apply(const anpe_projector *p, double rv, const float *flux_in, float *flux_out,
                          void *scratch);
/* d flux_out / d rv (n_pixels), per km/s. */
void anpe_projector_slope(const anpe_projector *p, double rv, const float *flux_in, float *slope,
                          void *scratch);
#endif
