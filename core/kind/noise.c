/* Drawing error bars and masks, adding noise, and the likelihood that goes with it. */
#include <config.h>
#include "kind/noise.h"
#include <math.h>

static const anpe_noise_ops *ops_of(const anpe_component *c)
{
    return (const anpe_noise_ops *)c->ops;
}

anpe_status anpe_noise_new(anpe_ctx *ctx, anpe_settings *settings, const char *fallback,
                           const anpe_instrument *instrument, anpe_component *out)
{
    const anpe_noise_setup setup = {sizeof setup, &instrument->info, instrument->name};
    return anpe_component_new(ctx, settings, ANPE_NOISE, "noise", fallback, &setup, out);
}

anpe_noise_unit anpe_noise_unit_of(const anpe_component *noise)
{
    const anpe_noise_ops *ops = ops_of(noise);
    return ANPE_HAS(ops, unit) ? ops->unit(noise->self) : ANPE_NOISE_IN_FLUX;
}

anpe_status anpe_noise_draw(const anpe_component *noise, anpe_ctx *ctx, anpe_rng *rng,
                            anpe_spectrum *s)
{
    return ops_of(noise)->draw(noise->self, ctx, rng, s);
}

anpe_status anpe_noise_add(const anpe_component *noise, anpe_ctx *ctx, anpe_rng *rng,
                           anpe_spectrum *s)
{
    if (ANPE_HAS(ops_of(noise), add))
        return ops_of(noise)->add(noise->self, ctx, rng, s);
    for (int64_t p = 0; p < s->n_pixels; p++)
        s->flux[p] += s->sigma[p] * (float)anpe_normal(rng);
    return ANPE_OK;
}

double anpe_noise_chi2(const anpe_spectrum *o, const float *model, int64_t *n)
{
    double chi2 = 0;
    *n = 0;
    for (int64_t p = 0; p < o->n_pixels; p++)
        if (!o->mask[p]) {
            const double d = ((double)o->flux[p] - (double)model[p]) / (double)o->sigma[p];
            chi2 += d * d;
            ++*n;
        }
    return chi2;
}

double anpe_noise_log_likelihood(const anpe_component *noise, const anpe_spectrum *o,
                                 const float *model)
{
    if (ANPE_HAS(ops_of(noise), log_likelihood))
        return ops_of(noise)->log_likelihood(noise->self, o, model);
    int64_t n;
    double sum = -0.5 * anpe_noise_chi2(o, model, &n) - 0.5 * log(2 * M_PI) * (double)n;
    for (int64_t p = 0; p < o->n_pixels; p++)
        if (!o->mask[p])
            sum -= log((double)o->sigma[p]);
    return sum;
}
