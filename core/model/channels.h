/* model/channels.h -- a normalised, inpainted spectrum as the network's input (L, C).
 *
 * Channels: flux; mask (1 = bad); log_sigma (log10 of the error, so that the network knows the
 * noise level); position (see anpe_channels_place). Values are standardised with constants that are
 * found once from simulations and kept in the model: x = (curve(value) - mean) / scale, clipped to
 * +-ANPE_CHANNEL_LIMIT so that one wild pixel cannot drive the network where it was never trained.
 * Not standardised is not clipped. The curve (model/curve.h) is for values that are standardised
 * one by one, which are no pixels of a spectrum.
 *
 * With a reduced basis (model/basis.h) the network sees K coefficients instead of pixels: channel
 * flux is a coefficient, log_sigma log10 of its error, and there is no mask. With a start too
 * (model/start.h) it sees numbers that describe a fit: one channel, newton, see model/view.h. */
#ifndef ANPE_CORE_CHANNELS_H
#define ANPE_CORE_CHANNELS_H
#include "model/basis.h"
#include "model/start.h"

#define ANPE_CHANNEL_LIMIT 20.0f

typedef enum anpe_channel {
    ANPE_CHANNEL_FLUX,
    ANPE_CHANNEL_MASK,
    ANPE_CHANNEL_LOG_SIGMA,
    ANPE_CHANNEL_POSITION,
    ANPE_CHANNEL_NEWTON, /* not a user's choice */
    ANPE_N_CHANNELS
} anpe_channel;

typedef struct anpe_channels {
    int64_t length; /* L: pixels */
    int64_t planes; /* channels of the instrument's data */
    int n_kinds;
    anpe_channel kind[ANPE_N_CHANNELS];
    int64_t width;       /* C = planes * n_kinds */
    float *mean, *scale; /* (L, C) */
    float *curve;        /* (L, C), see model/curve.h */
    float limit;         /* of x; infinite until fitted */
    anpe_basis *basis;   /* owned; NULL: the network sees pixels */
    anpe_start *start;   /* owned; NULL: there is no fit */
} anpe_channels;

/* names from the option `channels`; mean 0, scale 1 until fitted. */
ANPE_MUST_CHECK anpe_status anpe_channels_new(anpe_ctx *ctx, int64_t length, int64_t planes,
                                              int n_names, const char *const *names,
                                              anpe_channels **out);
/* Coefficients of a basis, or with a start (else NULL) the numbers of a fit. Takes both, also on
 * failure. */
ANPE_MUST_CHECK anpe_status anpe_channels_new_basis(anpe_ctx *ctx, anpe_basis *basis,
                                                    anpe_start *start, anpe_channels **out);
/* How many numbers describe a fit of so many labels. */
int64_t anpe_channels_of_fit(int64_t n_labels);
anpe_channels *anpe_channels_free(anpe_channels *c);
/* Sets the channel `position`, if there is one: log wavelength (length), or the pixel's index where
 * wavelength is NULL, standardised over the pixels. It is the same for every spectrum, so it is all
 * in `mean` (with the other sign; the value is 0), from where a model file has it. */
void anpe_channels_place(anpe_channels *c, const double *wavelength);
/* The instrument's segments, if the network sees their pixels; else 0. */
int64_t anpe_channels_segments(const anpe_channels *c, const anpe_task *t);
/* Values of the spectra that it takes. */
int64_t anpe_channels_values(const anpe_channels *c);
/* s: inpainted; x (L, C). Not where there is a start. */
void anpe_channels_fill(const anpe_channels *c, const anpe_spectrum *s, float *x);
/* Numbers (L, C) that were found otherwise, standardised. */
void anpe_channels_fill_values(const anpe_channels *c, const float *value, float *x);
/* Gradient with respect to x (L, C) as fill made it from s -> with respect to the flux of s; none
 * flows through a clipped value. */
void anpe_channels_pull_back(const anpe_channels *c, const anpe_spectrum *s, const float *x,
                             const float *grad_x, float *grad_flux);
/* mean and scale from n raw inputs x (n, L, C), filled while mean is 0 and scale 1; per_pixel:
 * one pair for every pixel, and a curve unless there is a basis, else one pair per channel. Masks
 * and positions are left as they are. */
void anpe_channels_fit(anpe_channels *c, int64_t n, const float *x, int per_pixel);
/* How many inputs have a curve. */
int64_t anpe_channels_curved(const anpe_channels *c);
const char *anpe_channel_name(anpe_channel kind);
#endif
