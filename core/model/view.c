/* See view.h. Inputs are functions that neither overflow nor jump where a fit goes astray: what may
 * have any size goes through asinh, distances in sd to a bound, of which only the near ones matter,
 * through d / sqrt(1 + d^2 / 9). */
#include <config.h>
#include "model/view.h"
#include "base/linear.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct anpe_view {
    const anpe_task *task;
    const anpe_channels *channels;
    const anpe_label_map *map;
    anpe_peak *peak;             /* NULL: no fit */
    int64_t width, most;         /* D; spectra at once */
    double *start;               /* (most, D), of the guesses, then of what was found */
    double *mean;                /* (D) of the fit */
    double *offset;              /* (D) */
    double *covariance, *factor; /* (D, D) */
    float *y;                    /* (D) */
    float *raw;                  /* (inputs) */
};

static anpe_status allocate(anpe_ctx *ctx, anpe_view *v)
{
    const int64_t d = v->map->n;
    v->width = v->map->n;
    if (ANPE_NEW(ctx, v->start, v->most, d) || ANPE_NEW(ctx, v->mean, 2 * d + 2 * d * d) ||
        ANPE_NEW(ctx, v->y, d) || ANPE_NEW(ctx, v->raw, v->channels->length))
        return ANPE_ENOMEM;
    v->offset = v->mean + d;
    v->covariance = v->mean + 2 * d;
    v->factor = v->covariance + d * d;
    return ANPE_OK;
}

anpe_status anpe_view_new(anpe_ctx *ctx, const anpe_task *t, const anpe_channels *channels,
                          const anpe_label_map *map, int64_t most, anpe_view **out)
{
    anpe_status status = ANPE_OK;
    anpe_view *v;
    *out = NULL;
    if (ANPE_NEW(ctx, v, 1))
        return ANPE_ENOMEM;
    v->task = t;
    v->channels = channels;
    v->map = map;
    v->most = most;
    if (channels->start) {
        ANPE_TRY(allocate(ctx, v));
        ANPE_TRY(anpe_peak_new(ctx, t, most, &v->peak));
    }
out:
    *out = status ? anpe_view_free(v) : v;
    return status;
}

anpe_view *anpe_view_free(anpe_view *v)
{
    if (!v)
        return NULL;
    anpe_peak_free(v->peak);
    free(v->start);
    free(v->mean);
    free(v->y);
    free(v->raw);
    free(v);
    return NULL;
}

anpe_status anpe_view_coordinates(anpe_ctx *ctx, const anpe_channels *channels,
                                  const anpe_label_map *map, anpe_coordinates *out)
{
    return anpe_coordinates_new(ctx, map, channels->start != NULL, out);
}

/* ---- one spectrum ------------------------------------------------------------------------ */

anpe_status anpe_view_fit(anpe_view *v, anpe_ctx *ctx, int64_t n,
                          const anpe_spectrum *const *spectrum)
{
    const anpe_start *start = v->channels->start;
    if (!v->peak)
        return ANPE_OK;
    for (int64_t i = 0; i < n; i++)
        anpe_start_guess(start, v->map, v->channels->basis, spectrum[i], v->start + i * v->width);
    return anpe_peak_run(v->peak, ctx, n, spectrum, v->start, start->error,
                         (int)v->task->observe->newton);
}

/* Mean and covariance of fit i, and the middle of the box's side of it in its row of v->start. */
static void take_fit(anpe_view *v, int64_t i)
{
    const int64_t d = v->width;
    const anpe_fit *fit = &v->peak->fit[i];
    double *start = v->start + i * d;
    if (fit->found) {
        memcpy(start, fit->optimum.x, (size_t)d * sizeof *start);
        memcpy(v->mean, fit->optimum.mean, (size_t)d * sizeof *v->mean);
        memcpy(v->covariance, fit->optimum.covariance, (size_t)(d * d) * sizeof *v->covariance);
        return;
    }
    memcpy(v->mean, start, (size_t)d * sizeof *v->mean);
    memset(v->covariance, 0, (size_t)(d * d) * sizeof *v->covariance);
    for (int64_t k = 0; k < d; k++)
        v->covariance[k * d + k] = v->channels->start->error[k] * v->channels->start->error[k];
}

static double near(double distance)
{
    return isfinite(distance) ? distance / sqrt(1 + distance * distance / 9) : 3;
}

static float *label_inputs(anpe_view *v, const double *start, float *x)
{
    const int64_t d = v->width;
    anpe_label_map_forward(v->map, start, v->y);
    memcpy(v->factor, v->covariance, (size_t)(d * d) * sizeof *v->factor);
    (void)anpe_cholesky(d, v->factor, d, 1e-12);
    for (int64_t i = 0; i < d; i++)
        v->offset[i] = v->mean[i] - start[i];
    anpe_cholesky_forward(d, v->factor, d, v->offset);
    for (int64_t i = 0; i < d; i++) {
        const double sd = sqrt(v->covariance[i * d + i]);
        *x++ = v->y[i];
        *x++ = (float)log(v->factor[i * d + i]);
        *x++ = (float)near((v->mean[i] - v->map->label[i].min) / sd);
        *x++ = (float)near((v->map->label[i].max - v->mean[i]) / sd);
        *x++ = (float)asinh(v->offset[i]); /* 0 unless on a bound or not at the optimum */
        for (int64_t j = 0; j < i; j++)
            *x++ = (float)(v->factor[i * d + j] / sd);
    }
    return x;
}

static void fill(anpe_view *v, int64_t i)
{
    const anpe_fit *f = &v->peak->fit[i];
    const double freedom = fmax((double)f->freedom, 1);
    float *x = label_inputs(v, v->start + i * v->width, v->raw);
    *x++ = (float)log(f->found ? f->chi2 / freedom : 1);
    *x++ = (float)asinh(f->found ? (f->chi2 - freedom) / sqrt(2 * freedom) : 0);
    *x++ = (float)log(freedom);
    *x++ = (float)(f->found ? f->optimum.converged : -1);
}

void anpe_view_show(anpe_view *v, int64_t i, const anpe_spectrum *s, float *x, anpe_coordinates *c)
{
    if (!v->peak) {
        anpe_channels_fill(v->channels, s, x);
        return;
    }
    take_fit(v, i);
    fill(v, i);
    anpe_channels_fill_values(v->channels, v->raw, x);
    anpe_coordinates_set(c, v->mean, v->covariance);
}

anpe_status anpe_view_look(anpe_view *v, anpe_ctx *ctx, const anpe_spectrum *s, float *x,
                           anpe_coordinates *c)
{
    const anpe_status status = anpe_view_fit(v, ctx, 1, &s);
    if (!status)
        anpe_view_show(v, 0, s, x, c);
    return status;
}

const float *anpe_view_jacobian(const anpe_view *v, int64_t i)
{
    if (!v->peak || !v->peak->fit[i].found)
        return NULL;
    return anpe_likelihood_rows(v->peak->fit[i].likelihood) + anpe_task_size(v->task);
}
