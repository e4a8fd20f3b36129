/* common/window.h -- what a simulator that synthesises spectra takes from its options and from the
 * instrument: the window of wavelengths, and its pixels, uniform in ln(lambda). */
#ifndef ANPE_SIMULATOR_WINDOW_H
#define ANPE_SIMULATOR_WINDOW_H
#include <anpe/plugin.h>
#include <math.h>
#include <stdlib.h>

/* *low and *high: options lambda_min and lambda_max, where they are 0 the instrument's. */
static inline anpe_status anpe_window_of(anpe_ctx *ctx, double lambda_min, double lambda_max,
                                         const anpe_simulator_setup *setup, double *low,
                                         double *high)
{
    *low = lambda_min > 0 ? lambda_min : setup->lambda_min;
    *high = lambda_max > 0 ? lambda_max : setup->lambda_max;
    if (!(*low > 0) || !(*high > 0))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "the instrument has no wavelengths: give lambda_min and lambda_max");
    if (*low >= *high)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "empty window: lambda_min %g, lambda_max %g", *low,
                         *high);
    return ANPE_OK;
}

/* Width of a pixel in km/s: option `step`, where it is 0 an eighth of a resolution element but at
 * least 0.5, and `sharp` where the instrument has no resolution. */
static inline double anpe_window_step(double step, double resolution, double sharp)
{
    if (step > 0)
        return step;
    return resolution > 0 && isfinite(resolution) ? fmax(ANPE_C_KMS / resolution / 8, 0.5) : sharp;
}

/* *wavelength (*n), malloc'ed: exp(k step) for k = *first .. that covers the window. */
static inline anpe_status anpe_window_pixels(anpe_ctx *ctx, double low, double high, double step,
                                             int64_t *first, int64_t *n, double **wavelength)
{
    *first = (int64_t)floor(log(low) / step);
    *n = (int64_t)ceil(log(high) / step) - *first + 1;
    if (ANPE_NEW(ctx, *wavelength, *n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < *n; i++)
        (*wavelength)[i] = exp((double)(*first + i) * step);
    return ANPE_OK;
}
#endif
