/* spectrum/spectrum.h -- one spectrum on an instrument's grid: allocation, bad pixels, inpainting.
 */
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
#endif
