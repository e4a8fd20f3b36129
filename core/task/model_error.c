/* The error of the model itself, in every pixel of the instrument:
 *     variance = (f s)^2 + floor^2
 * with the scatter s that the simulator brings with it, the factor f = observe.scatter and
 * observe.sigma_floor. It is added to the noise of simulated spectra and to the error bars of
 * simulated and observed ones alike.
 *
 * A simulator on other pixels than the instrument's has its variance projected like a spectrum: the
 * mean of s^2 over what a pixel sees. An emulator errs in neighbouring pixels together, so the
 * variance does not shrink as that of independent errors would. The star's velocity, some pixels at
 * most, is left out. */
#include "task/task.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static anpe_status check_scatter(anpe_ctx *ctx, const anpe_task *t)
{
    for (int64_t i = 0; i < t->sim.n_pixels; i++)
        if (!(t->sim.scatter[i] >= 0) || !isfinite(t->sim.scatter[i]))
            return ANPE_FAIL(ctx, ANPE_EPLUGIN, "simulator '%s': the scatter of pixel %lld is %g",
                             t->simulator.plugin->name, (long long)i, (double)t->sim.scatter[i]);
    return ANPE_OK;
}

static anpe_status project_scatter(anpe_ctx *ctx, const anpe_task *t)
{
    const int64_t n = t->sim.n_pixels, size = anpe_task_size(t);
    void *scratch = anpe_alloc(ctx, anpe_projector_scratch(t->projector));
    float *variance;
    if (!scratch || ANPE_NEW(ctx, variance, n)) {
        anpe_free(scratch);
        return ANPE_ENOMEM;
    }
    for (int64_t i = 0; i < n; i++)
        variance[i] = t->sim.scatter[i] * t->sim.scatter[i];
    anpe_projector_apply(t->projector, 1, NULL, variance, t->scatter, scratch);
    for (int64_t i = 0; i < size; i++) /* a cubic may swing below 0 beside a peak */
        t->scatter[i] = sqrtf(fmaxf(t->scatter[i], 0));
    free(variance);
    anpe_free(scratch);
    return ANPE_OK;
}

/* The simulator's scatter means the flux that the noise is added to. Where the instrument then
 * divides by a continuum, that must be near 1. */
static anpe_status scatter_of_simulator(anpe_ctx *ctx, anpe_task *t)
{
    const anpe_instrument_ops *ops = t->instrument.component.ops;
    const size_t size = (size_t)anpe_task_size(t);
    if (!t->sim.scatter || !(t->observe->scatter > 0))
        return ANPE_OK;
    if (ANPE_HAS(ops, normalise) && !t->sim.normalised)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "simulator '%s' gives a scatter of absolute flux, instrument '%s' divides "
                         "by a continuum: set observe.scatter = 0",
                         t->simulator.plugin->name, t->instrument.name);
    anpe_status status = check_scatter(ctx, t);
    if (status)
        return status;
    if (ANPE_NEW(ctx, t->scatter, anpe_task_size(t)))
        return ANPE_ENOMEM;
    if (t->projector && !t->sim.on_grid)
        return project_scatter(ctx, t);
    memcpy(t->scatter, t->sim.scatter, size * sizeof *t->scatter);
    return ANPE_OK;
}

static anpe_status scatter_of_model(anpe_ctx *ctx, anpe_task *t, const anpe_pixel_sets *given)
{
    const size_t size = (size_t)anpe_task_size(t);
    if (!given->scatter)
        return ANPE_OK;
    if (given->n_values != (int64_t)size)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "the model's scatter is for %lld values, instrument '%s' has %lld",
                         (long long)given->n_values, t->instrument.name, (long long)size);
    if (ANPE_NEW(ctx, t->scatter, anpe_task_size(t)))
        return ANPE_ENOMEM;
    memcpy(t->scatter, given->scatter, size * sizeof *t->scatter);
    return ANPE_OK;
}

anpe_status anpe_task_add_model_error(anpe_ctx *ctx, anpe_task *t, const anpe_pixel_sets *given)
{
    const double least = t->observe->sigma_floor, factor = t->observe->scatter;
    const int64_t size = anpe_task_size(t);
    anpe_status status = given ? scatter_of_model(ctx, t, given) : scatter_of_simulator(ctx, t);
    if (status || (!t->scatter && !(least > 0)))
        return status;
    if (ANPE_NEW(ctx, t->model_variance, size))
        return ANPE_ENOMEM;
    for (int64_t p = 0; p < size; p++) {
        const double s = t->scatter ? factor * (double)t->scatter[p] : 0;
        t->model_variance[p] = (float)(s * s + least * least);
    }
    return ANPE_OK;
}
