/* spectrum/spectrum.h -- one spectrum on an instrument's grid: allocation, bad pixels, inpainting,
 * Doppler shift and the projection of a simulator's flux onto the instrument. */
#ifndef ANPE_CORE_SPECTRUM_H
#define ANPE_CORE_SPECTRUM_H
#include "base/context.h"

ANPE_MUST_CHECK anpe_status anpe_spectrum_new(anpe_ctx *ctx, int64_t n_pixels, anpe_spectrum *s);
void anpe_spectrum_clear(anpe_spectrum *s); /* frees the arrays */
/* NaN, infinite flux or sigma, sigma <= 0 -> mask = 1; returns the number of good pixels. */
int64_t anpe_spectrum_check(anpe_spectrum *s);
float anpe_median(int64_t n, float *v); /* the upper one of n >= 1 values, whose order changes */
/* An error bar that stands for no measurement, more than 10^4 times the tenth percentile of those
 * of the good pixels (surveys write 1e10, or an inverse variance of 1e-30): the pixel, which weighs
 * less than 10^-8 of another, becomes bad. For sigma (n) in one unit; room (n): scratch. */
void anpe_spectrum_null_errors(int64_t n, const float *sigma, uint8_t *mask, float *room);
/* Error bars that no spectrograph reaches are of another kind than they are taken for: ANPE_EFORMAT
 * when the median of |flux|/sigma over the good pixels is above 20 000 (sigma relative to a flux of
 * hundreds, a variance or inverse variance for sigma). room (n): scratch. */
ANPE_MUST_CHECK anpe_status anpe_spectrum_check_errors(anpe_ctx *ctx, const anpe_spectrum *s,
                                                       float *room);
/* Inside each of `planes` channels, of equal length and no neighbours of each other: bad pixels
 * take the nearest good value to the left, a leading run the first good value; the same for sigma.
 * A channel without a good pixel becomes 0, with sigma 1. Returns the number of good pixels (0:
 * nothing was done). */
int64_t anpe_spectrum_inpaint(int64_t planes, anpe_spectrum *s);
/* Gradient with respect to the flux after inpainting (planes, n / planes), in place -> before it:
 * what a good pixel gave to bad ones counts as its own, and a bad pixel, which nothing depends on,
 * gets 0. */
void anpe_spectrum_inpaint_pull_back(int64_t planes, int64_t n, const uint8_t *mask,
                                     float *gradient);
/* Mean over good pixels of 1/sigma (of a normalised spectrum: its S/N). */
double anpe_spectrum_snr(const anpe_spectrum *s);

/* From a simulator's grid to an instrument's pixels: Doppler shift, line-spread function (Gaussian
 * of the instrument's FWHM less the simulator's in quadrature), flux-conserving resampling. Same
 * grid and no LSF to apply: interpolation by the shift only, inside each segment. */
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
