/* kind/noise.h -- what the core does with a noise model; defaults for what a plugin leaves out. */
#ifndef ANPE_CORE_NOISE_H
#define ANPE_CORE_NOISE_H
#include "kind/instrument.h"

/* From the group `noise`; the fallback is the model the instrument carries, or `none`. */
ANPE_MUST_CHECK anpe_status anpe_noise_new(anpe_ctx *ctx, anpe_settings *settings,
                                           const char *fallback, const anpe_instrument *instrument,
                                           anpe_component *out);
/* What the sigma that is drawn is in. */
anpe_noise_unit anpe_noise_unit_of(const anpe_component *noise);
ANPE_MUST_CHECK anpe_status anpe_noise_draw(const anpe_component *noise, anpe_ctx *ctx,
                                            anpe_rng *rng, anpe_spectrum *s);
ANPE_MUST_CHECK anpe_status anpe_noise_add(const anpe_component *noise, anpe_ctx *ctx,
                                           anpe_rng *rng, anpe_spectrum *s);
/* chi2 of the good pixels; their number in *n. */
double anpe_noise_chi2(const anpe_spectrum *observed, const float *model, int64_t *n);
double anpe_noise_log_likelihood(const anpe_component *noise, const anpe_spectrum *observed,
                                 const float *model);
#endif
