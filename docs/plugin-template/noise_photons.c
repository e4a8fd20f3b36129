/* noise_photons.c -- a noise model to copy: error bars that go as the square root of the flux, with
 * a signal-to-noise ratio of the continuum of its own for each spectrum, and bad pixels here and
 * there. */
#include <anpe/plugin.h>
#include <math.h>
#include <stdlib.h>

typedef struct photons_options {
    double snr_min, snr_max, bad;
} photons_options;

static const anpe_option options[] = {
    ANPE_OPT_REAL(photons_options, snr_min, 30, 1e-3, 1e6, "", "lowest S/N of a continuum of 1"),
    ANPE_OPT_REAL(photons_options, snr_max, 150, 1e-3, 1e6, "", "highest"),
    ANPE_OPT_REAL(photons_options, bad, 0.01, 0, 0.9, "", "fraction of bad pixels"),
    ANPE_OPT_END,
};

static anpe_status create(anpe_ctx *ctx, const void *given, const void *setup, void **self)
{
    const photons_options *o = given;
    (void)setup; /* the instrument's pixels, for a model that knows them */
    if (o->snr_min > o->snr_max)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "snr_min %g is above snr_max %g", o->snr_min,
                         o->snr_max);
    photons_options *s;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    *s = *o;
    *self = s;
    return ANPE_OK;
}

/* s->flux is free of noise; the core adds sigma times a Gaussian, as there is no op `add`. Random
 * numbers come from rng alone, so that runs do not depend on threads. */
static anpe_status draw(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *s)
{
    const photons_options *o = self;
    const double snr = o->snr_min + (o->snr_max - o->snr_min) * anpe_uniform(rng);
    (void)ctx;
    for (int64_t i = 0; i < s->n_pixels; i++) {
        const double flux = fmax((double)s->flux[i], 1e-3);
        s->sigma[i] = (float)(sqrt(flux) / snr);
        s->mask[i] = anpe_uniform(rng) < o->bad;
    }
    return ANPE_OK;
}

static anpe_noise_unit unit(const void *self)
{
    (void)self;
    return ANPE_NOISE_IN_CONTINUUM;
}

static const anpe_noise_ops ops = {.size = sizeof ops, .draw = draw, .unit = unit};

ANPE_PLUGIN(ANPE_NOISE, "photons", "1.0", "photon noise (template)", photons_options, free);
