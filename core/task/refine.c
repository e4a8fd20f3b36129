/* Gauss-Newton with fixed derivatives; see the header. */
#include "task/refine.h"
#include "base/linear.h"
#include "kernel/star.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 2 };
static const double pull = 4; /* sd of the pull towards the start, in posterior sd */

struct anpe_refine {
    const anpe_task *task;
    anpe_bench *bench;
    int64_t n, m;   /* labels; directions: labels and modes of the continuum rule */
    float *model;   /* (P) at theta */
    float *inverse; /* (P) 1 / sigma, 0 on bad pixels */
    float *off;     /* (P) (observed - model) / sigma */
    float *shape;   /* (m - n, P) of the modes */
    float *slope;   /* (m, P) change of the model in units of sigma by one step of a direction */
    double *theta, *start, *unit, *kept; /* (n) */
    double *step;                        /* (m) */
    double *normal;                      /* (m, m) Cholesky factor of the normal equations */
};

anpe_status anpe_refine_new(anpe_ctx *ctx, const anpe_task *t, anpe_refine **out)
{
    const int64_t n = t->n_labels, pixels = anpe_task_size(t);
    anpe_refine *r;
    *out = NULL;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    r->task = t;
    r->n = t->n_labels;
    r->m = r->n + anpe_instrument_continuum_modes(&t->instrument, NULL);
    const int64_t m = r->m;
    if (ANPE_NEW(ctx, r->model, 3, pixels) || ANPE_NEW(ctx, r->shape, m - n, pixels) ||
        ANPE_NEW(ctx, r->slope, m, pixels) || ANPE_NEW(ctx, r->theta, 4 * n + m) ||
        ANPE_NEW(ctx, r->normal, m, m)) {
        anpe_refine_free(r);
        return ANPE_ENOMEM;
    }
    r->inverse = r->model + pixels;
    r->off = r->model + 2 * pixels;
    r->start = r->theta + n;
    r->unit = r->theta + 2 * n;
    r->kept = r->theta + 3 * n;
    r->step = r->theta + 4 * n;
    (void)anpe_instrument_continuum_modes(&t->instrument, r->shape);
    const anpe_status status = anpe_bench_new(ctx, t, 1 + n, &r->bench);
    *out = status ? anpe_refine_free(r) : r;
    return status;
}

anpe_refine *anpe_refine_free(anpe_refine *r)
{
    if (!r)
        return NULL;
    anpe_bench_free(r->bench);
    free(r->model);
    free(r->shape);
    free(r->slope);
    free(r->theta);
    free(r->normal);
    free(r);
    return NULL;
}

static void place(anpe_refine *r, int64_t k, const double *theta)
{
    double *to = r->bench->theta + k * r->task->prior->n_labels;
    for (int64_t d = 0; d < r->n; d++)
        to[r->task->inferred[d]] = theta[d];
}

/* Row k of the bench, reduced -> r->bench->spectrum.flux. */
static anpe_status reduce(anpe_refine *r, anpe_ctx *ctx, int64_t k, const anpe_spectrum *o)
{
    return anpe_task_reduce_model(r->task, ctx, r->bench, k, o);
}

static anpe_status keep_model(anpe_refine *r, anpe_ctx *ctx, const anpe_spectrum *o)
{
    const anpe_status status = reduce(r, ctx, 0, o);
    if (!status)
        memcpy(r->model, r->bench->spectrum.flux, (size_t)o->n_pixels * sizeof *r->model);
    return status;
}

static anpe_status take_model(anpe_refine *r, anpe_ctx *ctx, const anpe_spectrum *o)
{
    place(r, 0, r->theta);
    const anpe_status status = anpe_task_simulate(r->task, ctx, r->bench, 1);
    return status ? status : keep_model(r, ctx, o);
}

/* Half a posterior sd, towards the middle of the prior. */
static double step_of(const anpe_refine *r, int64_t d)
{
    const anpe_label *l = &r->task->label[d];
    const double middle = 0.5 * (l->min + l->max);
    return isfinite(middle) && r->theta[d] > middle ? -0.5 : 0.5;
}

/* The model at theta and a step of each label from it, all simulated at once. */
static anpe_status simulate_all(anpe_refine *r, anpe_ctx *ctx)
{
    place(r, 0, r->theta);
    for (int64_t d = 0; d < r->n; d++) {
        const double at = r->theta[d], h = step_of(r, d);
        r->theta[d] = at + h * r->unit[d];
        place(r, 1 + d, r->theta);
        r->theta[d] = at;
    }
    return anpe_task_simulate(r->task, ctx, r->bench, 1 + r->n);
}

/* Model and slopes: of labels differences, of modes the model times their shape. */
static anpe_status take_slopes(anpe_refine *r, anpe_ctx *ctx, const anpe_spectrum *o)
{
    const int64_t pixels = o->n_pixels;
    anpe_status status;
    ANPE_TRY(simulate_all(r, ctx));
    ANPE_TRY(keep_model(r, ctx, o));
    for (int64_t d = 0; d < r->n; d++) {
        const float h = (float)step_of(r, d);
        float *slope = r->slope + d * pixels;
        ANPE_TRY(reduce(r, ctx, 1 + d, o));
        for (int64_t p = 0; p < pixels; p++)
            slope[p] = (r->bench->spectrum.flux[p] - r->model[p]) / h * r->inverse[p];
    }
    for (int64_t k = r->n; k < r->m; k++)
        for (int64_t p = 0; p < pixels; p++)
            r->slope[k * pixels + p] =
                r->shape[(k - r->n) * pixels + p] * r->model[p] * r->inverse[p];
out:
    return status;
}

/* Normal equations, with the pull on labels, and their Cholesky factor. */
static void factor(anpe_refine *r, int64_t pixels)
{
    const int64_t m = r->m;
    anpe_star_gram(m, pixels, r->slope, r->normal);
    for (int64_t i = 0; i < r->n; i++)
        r->normal[i * m + i] += 1 / (pull * pull);
    (void)anpe_cholesky(m, r->normal, m, 0);
}

/* The step from theta; returns what chi2 and the pull together would be after it. */
static double solve(anpe_refine *r, const anpe_spectrum *o)
{
    const int64_t m = r->m, pixels = o->n_pixels;
    for (int64_t p = 0; p < pixels; p++)
        r->off[p] = (o->flux[p] - r->model[p]) * r->inverse[p];
    double left = anpe_star_dot(pixels, r->off, r->off);
    for (int64_t i = 0; i < m; i++) {
        r->step[i] = anpe_star_dot(pixels, r->slope + i * pixels, r->off);
        if (i < r->n) {
            const double away = (r->start[i] - r->theta[i]) / (r->unit[i] * pull);
            r->step[i] += away / pull;
            left += away * away;
        }
    }
    anpe_cholesky_forward(m, r->normal, m, r->step);
    for (int64_t i = 0; i < m; i++)
        left -= r->step[i] * r->step[i];
    anpe_cholesky_backward(m, r->normal, m, r->step);
    return left;
}

/* Labels along the step, inside the prior, where the simulator can follow. */
static anpe_status move(anpe_refine *r, anpe_ctx *ctx, const anpe_spectrum *o)
{
    for (int64_t d = 0; d < r->n; d++) {
        const anpe_label *l = &r->task->label[d];
        r->kept[d] = r->theta[d];
        r->theta[d] = fmin(fmax(r->theta[d] + r->step[d] * r->unit[d], l->min), l->max);
    }
    return take_model(r, ctx, o);
}

static void begin(anpe_refine *r, const anpe_spectrum *o, const double *median, const double *sd)
{
    for (int64_t d = 0; d < r->n; d++) {
        r->theta[d] = r->start[d] = median[d];
        r->unit[d] = sd[d] > 0 ? sd[d] : fmax(1e-6 * fabs(median[d]), 1e-9);
    }
    for (int64_t p = 0; p < o->n_pixels; p++)
        r->inverse[p] = o->mask[p] ? 0 : 1 / o->sigma[p];
}

anpe_status anpe_refine_run(anpe_refine *r, anpe_ctx *ctx, const anpe_spectrum *o,
                            const double *median, const double *sd, const float **model)
{
    anpe_status status;
    begin(r, o, median, sd);
    ANPE_TRY(take_slopes(r, ctx, o));
    factor(r, o->n_pixels);
    double best = solve(r, o);
    for (int k = 0; k < STEPS; k++) {
        ANPE_TRY(move(r, ctx, o));
        const double now = solve(r, o);
        if (now < best) {
            best = now;
            continue;
        }
        memcpy(r->theta, r->kept, (size_t)r->n * sizeof *r->theta); /* too curved: back */
        ANPE_TRY(take_model(r, ctx, o));
        (void)solve(r, o);
        break;
    }
    for (int64_t i = 0; i < r->m; i++)
        for (int64_t p = 0; p < o->n_pixels; p++)
            r->model[p] += (float)r->step[i] * r->slope[i * o->n_pixels + p] * o->sigma[p];
    *model = r->model;
out:
    return status;
}
