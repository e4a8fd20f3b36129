/* Model spectra under one star's continuum rule. */
#include <config.h>
#include "task/reduction.h"
#include "kernel/star.h"
#include <stdlib.h>
#include <string.h>

enum { SLOPES = 16 }; /* derivatives whose continua are taken at once */

/* Where the fit of one mode looks: n pixels from `first` in the list. */
typedef struct sight {
    int64_t first, n;
} sight;

struct anpe_reduction {
    const anpe_task *task;
    const anpe_spectrum *observed;
    anpe_division division;
    int64_t n_modes;
    float *mode;           /* (n_modes, size) */
    anpe_support *support; /* (n_modes) */
    /* a fit of modes */
    double *dense;  /* (n_modes, size) weights as the instrument gives them */
    sight *sight;   /* (n_modes) */
    int32_t *pixel; /* lists of pixels, and their weights */
    double *weight;
    /* what has derivatives */
    float *continuum;       /* (size) of the last apply */
    float *continuum_slope; /* (SLOPES, size) */
    anpe_spectrum work; /* with the survey's sigma and the mask, where the instrument is asked */
    float *sigma;       /* (size) the survey's */
};

static void find_supports(anpe_reduction *r)
{
    const int64_t size = anpe_task_size(r->task);
    for (int64_t j = 0; j < r->n_modes; j++) {
        const float *shape = r->mode + j * size;
        anpe_support s = {0, size};
        while (s.to > 0 && shape[s.to - 1] == 0)
            s.to--;
        while (s.from < s.to && shape[s.from] == 0)
            s.from++;
        r->support[j] = s;
    }
}

anpe_status anpe_reduction_new(anpe_ctx *ctx, const anpe_task *t, anpe_reduction **out)
{
    anpe_status status = ANPE_ENOMEM;
    *out = NULL;
    anpe_reduction *r;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    r->task = t;
    r->division = anpe_instrument_division(&t->instrument);
    r->n_modes = anpe_instrument_continuum_modes(&t->instrument, NULL);
    const size_t size = (size_t)anpe_task_size(t), modes = (size_t)r->n_modes;
    const size_t values = r->division == ANPE_DIVISION_MODES ? modes * size : 0;
    r->mode = anpe_alloc(ctx, modes * size * sizeof *r->mode);
    r->support = anpe_alloc(ctx, modes * sizeof *r->support);
    r->sight = anpe_alloc(ctx, modes * sizeof *r->sight);
    r->dense = anpe_alloc(ctx, values * sizeof *r->dense);
    r->pixel = anpe_alloc(ctx, values * sizeof *r->pixel);
    r->weight = anpe_alloc(ctx, values * sizeof *r->weight);
    r->continuum = anpe_alloc(ctx, size * sizeof *r->continuum);
    r->continuum_slope = anpe_alloc(ctx, SLOPES * size * sizeof *r->continuum_slope);
    r->sigma = anpe_alloc(ctx, size * sizeof *r->sigma);
    if (!r->mode || !r->support || !r->sight || !r->dense || !r->pixel || !r->weight ||
        !r->continuum || !r->continuum_slope || !r->sigma)
        goto out;
    ANPE_TRY(anpe_spectrum_new(ctx, (int64_t)size, &r->work));
    (void)anpe_instrument_continuum_modes(&t->instrument, r->mode);
    find_supports(r);
out:
    if (status)
        r = anpe_reduction_free(r);
    *out = r;
    return status;
}

anpe_reduction *anpe_reduction_free(anpe_reduction *r)
{
    if (!r)
        return NULL;
    anpe_free(r->mode);
    anpe_free(r->support);
    anpe_free(r->sight);
    anpe_free(r->dense);
    anpe_free(r->pixel);
    anpe_free(r->weight);
    anpe_free(r->continuum);
    anpe_free(r->continuum_slope);
    anpe_free(r->sigma);
    anpe_spectrum_clear(&r->work);
    free(r);
    return NULL;
}

int anpe_reduction_has_derivatives(const anpe_reduction *r)
{
    return r->division != ANPE_DIVISION_CALLED;
}

int64_t anpe_reduction_modes(const anpe_reduction *r, const float **mode,
                             const anpe_support **support)
{
    *mode = r->mode;
    *support = r->support;
    return r->n_modes;
}

/* The weights that are not 0, mode by mode. */
static void list_weights(anpe_reduction *r)
{
    const int64_t size = anpe_task_size(r->task);
    int64_t n = 0;
    for (int64_t j = 0; j < r->n_modes; j++) {
        r->sight[j].first = n;
        for (int64_t i = 0; i < size; i++)
            if (r->dense[j * size + i] != 0) {
                r->pixel[n] = (int32_t)i;
                r->weight[n++] = r->dense[j * size + i];
            }
        r->sight[j].n = n - r->sight[j].first;
    }
}

anpe_status anpe_reduction_set(anpe_reduction *r, anpe_ctx *ctx, const anpe_spectrum *observed)
{
    const anpe_task *t = r->task;
    anpe_spectrum *w = &r->work;
    anpe_status status = ANPE_OK;
    r->observed = observed;
    anpe_task_survey_sigma(t, observed, r->sigma);
    if (r->division == ANPE_DIVISION_NONE)
        return ANPE_OK;
    memcpy(w->flux, observed->flux, (size_t)w->n_pixels * sizeof *w->flux);
    memcpy(w->sigma, r->sigma, (size_t)w->n_pixels * sizeof *w->sigma);
    memcpy(w->mask, observed->mask, (size_t)w->n_pixels);
    if (r->division != ANPE_DIVISION_MODES)
        return ANPE_OK;
    ANPE_TRY(anpe_instrument_continuum_weights(&t->instrument, ctx, t->continuum, w, r->dense));
    list_weights(r);
out:
    return status;
}

/* The fit of modes to flux -> continuum (size). */
static void fit(const anpe_reduction *r, const float *flux, float *continuum)
{
    const int64_t size = anpe_task_size(r->task);
    memset(continuum, 0, (size_t)size * sizeof *continuum);
    for (int64_t j = 0; j < r->n_modes; j++) {
        const anpe_support s = r->support[j];
        const sight *g = &r->sight[j];
        const double c = anpe_star_gather(g->n, r->pixel + g->first, r->weight + g->first, flux);
        anpe_star_add(s.to - s.from, (float)c, r->mode + j * size + s.from, continuum + s.from);
    }
}

/* The continua of n rows of flux (n, size). */
static anpe_status continua(const anpe_reduction *r, anpe_ctx *ctx, int64_t n, const float *flux,
                            float *continuum)
{
    const anpe_task *t = r->task;
    const int64_t size = anpe_task_size(t);
    if (r->division == ANPE_DIVISION_ROWS)
        return anpe_instrument_continuum(&t->instrument, ctx, t->continuum, &r->work, n, flux,
                                         continuum);
    for (int64_t k = 0; k < n; k++)
        fit(r, flux + k * size, continuum + k * size);
    return ANPE_OK;
}

static anpe_status call_rule(anpe_reduction *r, anpe_ctx *ctx, float *flux, int *possible)
{
    const anpe_spectrum *o = r->observed;
    anpe_spectrum *w = &r->work;
    const size_t n = (size_t)w->n_pixels;
    memcpy(w->flux, flux, n * sizeof *flux);
    memcpy(w->sigma, r->sigma, n * sizeof *w->sigma);
    memcpy(w->mask, o->mask, n);
    anpe_status status =
        anpe_instrument_normalise(&r->task->instrument, ctx, r->task->continuum, w);
    if (status)
        return status;
    memcpy(flux, w->flux, n * sizeof *flux);
    for (int64_t i = 0; i < w->n_pixels; i++)
        *possible &= w->mask[i] == o->mask[i] || o->mask[i];
    return ANPE_OK;
}

anpe_status anpe_reduction_apply(anpe_reduction *r, anpe_ctx *ctx, float *flux, int *possible)
{
    *possible = 1;
    if (r->division == ANPE_DIVISION_NONE)
        return ANPE_OK;
    if (r->division == ANPE_DIVISION_CALLED)
        return call_rule(r, ctx, flux, possible);
    const anpe_status status = continua(r, ctx, 1, flux, r->continuum);
    if (!status)
        *possible =
            !anpe_star_divide(anpe_task_size(r->task), r->continuum, r->observed->mask, flux);
    return status;
}

anpe_status anpe_reduction_derive(anpe_reduction *r, anpe_ctx *ctx, const float *reduced, int64_t n,
                                  float *derivative)
{
    const int64_t size = anpe_task_size(r->task);
    if (r->division == ANPE_DIVISION_NONE)
        return ANPE_OK;
    for (int64_t k = 0; k < n; k++) {
        const int64_t slot = k % SLOPES, left = n - k < SLOPES ? n - k : SLOPES;
        float *d = derivative + k * size;
        const anpe_status status = slot ? ANPE_OK : continua(r, ctx, left, d, r->continuum_slope);
        if (status)
            return status;
        anpe_star_divide_slope(size, r->continuum, r->continuum_slope + slot * size, reduced, d);
    }
    return ANPE_OK;
}
