/* Independent Gaussian noise of one standard deviation on every value; no bad pixels. */
#include <anpe/plugin.h>

#include <math.h>
#include <stdlib.h>

typedef struct options {
    double sigma, snr;
} options;

static const anpe_option option_table[] = {
    ANPE_OPT_REAL_OPTIONAL(options, sigma, 1e-30, 1e30, "",
                           "standard deviation, in units of x or of the simulator's flux"),
    ANPE_OPT_REAL_OPTIONAL(
        options, snr, 1e-6, 1e30, "",
        "instead of sigma: sigma = 1/snr of the continuum, whatever unit the flux has"),
    ANPE_OPT_END};

typedef struct gaussian {
    float sigma;
    anpe_noise_unit unit;
} gaussian;

static anpe_status create(anpe_ctx *ctx, const void *o, const void *setup, void **self)
{
    const options *opt = o;
    gaussian *s;

    (void)setup;
    *self = NULL;
    if (isnan(opt->sigma) == isnan(opt->snr))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "give one of `sigma` and `snr`%s",
                         isnan(opt->sigma) ? "" : ", not both");
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->sigma = (float)(isnan(opt->snr) ? opt->sigma : 1 / opt->snr);
    s->unit = isnan(opt->snr) ? ANPE_NOISE_IN_FLUX : ANPE_NOISE_IN_CONTINUUM;
    *self = s;
    return ANPE_OK;
}

static void destroy(void *self)
{
    free(self);
}

static anpe_status draw(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *s)
{
    const gaussian *g = self;

    (void)ctx;
    (void)rng;
    for (int64_t i = 0; i < s->n_pixels; i++) {
        s->sigma[i] = g->sigma;
        s->mask[i] = 0;
    }
    return ANPE_OK;
}

static anpe_noise_unit unit(const void *self)
{
    return ((const gaussian *)self)->unit;
}

static const anpe_noise_ops ops = {sizeof ops, draw, NULL, NULL, unit};

static const anpe_plugin plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_NOISE,
    .name = "gaussian",
    .version = "1",
    .summary = "independent Gaussian noise of one standard deviation",
    .options = option_table,
    .options_size = sizeof(options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};

ANPE_PLUGINS(&plugin);
