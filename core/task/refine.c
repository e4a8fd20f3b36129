/* Gauss-Newton with fixed derivatives; see the header. */
#include "task/refine.h"
#include "base/linear.h"
#include "kernel/star.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 2 };
static const double pull = 4; /* sd of the pull towards the start, in posterior sd */

typedef struct refined { /* one spectrum */
    const anpe_spectrum *o;
    int active;     /* another step may gain */
    double best;    /* chi2 and pull after the best step */
    float *model;   /* (P) at theta */
    float *before;  /* (P) at `kept` */
    float *inverse; /* (P) 1 / sigma, 0 on bad pixels */
    float *slope;   /* (m, P) change of the model in units of sigma by a step of a direction */
    double *theta, *kept; /* (n) */
    double *start, *unit; /* (n) median, and sd */
    double *step;         /* (m) */
    double *normal;       /* (m, m) Cholesky factor of the normal equations */
} refined;

struct anpe_refine {
    const anpe_task *task;
    anpe_bench *bench;
    int64_t n, m; /* labels; directions: labels and modes of the continuum rule */
    int64_t most;
    refined *star; /* (most) */
    float *shape;  /* (m - n, P) of the modes */
    float *off;    /* (P) (observed - model) / sigma */
};

static anpe_status open_star(anpe_ctx *ctx, const anpe_refine *r, refined *s)
{
    const int64_t n = r->n, m = r->m, pixels = anpe_task_size(r->task);
    if (ANPE_NEW(ctx, s->model, 3, pixels) || ANPE_NEW(ctx, s->slope, m, pixels) ||
        ANPE_NEW(ctx, s->theta, 4 * n + m) || ANPE_NEW(ctx, s->normal, m, m))
        return ANPE_ENOMEM;
    s->before = s->model + pixels;
    s->inverse = s->model + 2 * pixels;
    s->kept = s->theta + n;
    s->start = s->theta + 2 * n;
    s->unit = s->theta + 3 * n;
    s->step = s->theta + 4 * n;
    return ANPE_OK;
}

static anpe_status make(anpe_ctx *ctx, anpe_refine *r)
{
    const anpe_task *t = r->task;
    const int64_t pixels = anpe_task_size(t), rows = r->most > 1 + r->n ? r->most : 1 + r->n;
    anpe_status status;
    if (ANPE_NEW(ctx, r->shape, r->m - r->n, pixels) || ANPE_NEW(ctx, r->off, pixels) ||
        ANPE_NEW(ctx, r->star, r->most))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < r->most; i++)
        ANPE_TRY(open_star(ctx, r, &r->star[i]));
    (void)anpe_instrument_continuum_modes(&t->instrument, r->shape);
    status = anpe_bench_new(ctx, t, rows, &r->bench);
out:
    return status;
}

anpe_status anpe_refine_new(anpe_ctx *ctx, const anpe_task *t, int64_t most, anpe_refine **out)
{
    anpe_refine *r;
    *out = NULL;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    r->task = t;
    r->n = t->n_labels;
    r->m = r->n + anpe_instrument_continuum_modes(&t->instrument, NULL);
    r->most = most;
    const anpe_status status = make(ctx, r);
    *out = status ? anpe_refine_free(r) : r;
    return status;
}

anpe_refine *anpe_refine_free(anpe_refine *r)
{
    if (!r)
        return NULL;
    for (int64_t i = 0; r->star && i < r->most; i++) {
        free(r->star[i].model);
        free(r->star[i].slope);
        free(r->star[i].theta);
        free(r->star[i].normal);
    }
    free(r->star);
    anpe_bench_free(r->bench);
    free(r->shape);
    free(r->off);
    free(r);
    return NULL;
}

/* ---- model spectra ----------------------------------------------------------------------- */

static void place(anpe_refine *r, int64_t k, const double *theta)
{
    double *to = r->bench->theta + k * r->task->prior->n_labels;
    for (int64_t d = 0; d < r->n; d++)
        to[r->task->inferred[d]] = theta[d];
}

/* Row k of the bench, reduced -> r->bench->spectrum.flux. */
static anpe_status reduce(anpe_refine *r, anpe_ctx *ctx, int64_t k, const refined *s)
{
    return anpe_task_reduce_model(r->task, ctx, r->bench, k, s->o);
}

static anpe_status keep_model(anpe_refine *r, anpe_ctx *ctx, int64_t k, refined *s)
{
    const anpe_status status = reduce(r, ctx, k, s);
    if (!status)
        memcpy(s->model, r->bench->spectrum.flux, (size_t)s->o->n_pixels * sizeof *s->model);
    return status;
}

/* Models at theta of all that are active, simulated at once. */
static anpe_status take_models(anpe_refine *r, anpe_ctx *ctx, int64_t n)
{
    int64_t rows = 0;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n; i++)
        if (r->star[i].active)
            place(r, rows++, r->star[i].theta);
    if (rows)
        ANPE_TRY(anpe_task_simulate(r->task, ctx, r->bench, rows));
    for (int64_t i = n; i-- > 0;)
        if (r->star[i].active)
            ANPE_TRY(keep_model(r, ctx, --rows, &r->star[i]));
out:
    return status;
}

/* Half a posterior sd, towards the middle of the prior. */
static double step_of(const anpe_refine *r, const refined *s, int64_t d)
{
    const anpe_label *l = &r->task->label[d];
    const double middle = 0.5 * (l->min + l->max);
    return isfinite(middle) && s->theta[d] > middle ? -0.5 : 0.5;
}

/* The model at theta and a step of each label from it, all simulated at once. */
static anpe_status take_differences(anpe_refine *r, anpe_ctx *ctx, refined *s)
{
    const int64_t pixels = s->o->n_pixels;
    anpe_status status;
    place(r, 0, s->theta);
    for (int64_t d = 0; d < r->n; d++) {
        const double at = s->theta[d];
        s->theta[d] = at + step_of(r, s, d) * s->unit[d];
        place(r, 1 + d, s->theta);
        s->theta[d] = at;
    }
    ANPE_TRY(anpe_task_simulate(r->task, ctx, r->bench, 1 + r->n));
    ANPE_TRY(keep_model(r, ctx, 0, s));
    for (int64_t d = 0; d < r->n; d++) {
        const float h = (float)step_of(r, s, d);
        float *slope = s->slope + d * pixels;
        ANPE_TRY(reduce(r, ctx, 1 + d, s));
        for (int64_t p = 0; p < pixels; p++)
            slope[p] = (r->bench->spectrum.flux[p] - s->model[p]) / h * s->inverse[p];
    }
out:
    return status;
}

/* ---- steps ------------------------------------------------------------------------------- */

/* The continuum rule's modes: the model times their shape. Then the normal equations, with the pull
 * on labels, and their Cholesky factor. */
static void factor(const anpe_refine *r, refined *s)
{
    const int64_t m = r->m, pixels = s->o->n_pixels;
    for (int64_t k = r->n; k < m; k++)
        for (int64_t p = 0; p < pixels; p++)
            s->slope[k * pixels + p] =
                r->shape[(k - r->n) * pixels + p] * s->model[p] * s->inverse[p];
    anpe_star_gram(m, pixels, s->slope, s->normal);
    for (int64_t i = 0; i < r->n; i++)
        s->normal[i * m + i] += 1 / (pull * pull);
    (void)anpe_cholesky(m, s->normal, m, 0);
}

/* The step from theta; returns what chi2 and the pull together would be after it. */
static double solve(const anpe_refine *r, refined *s)
{
    const int64_t m = r->m, pixels = s->o->n_pixels;
    anpe_star_whiten(pixels, s->o->flux, s->model, s->inverse, r->off);
    double left = anpe_star_dot(pixels, r->off, r->off);
    for (int64_t i = 0; i < m; i++) {
        s->step[i] = anpe_star_dot(pixels, s->slope + i * pixels, r->off);
        if (i < r->n) {
            const double away = (s->start[i] - s->theta[i]) / (s->unit[i] * pull);
            s->step[i] += away / pull;
            left += away * away;
        }
    }
    anpe_cholesky_forward(m, s->normal, m, s->step);
    for (int64_t i = 0; i < m; i++)
        left -= s->step[i] * s->step[i];
    anpe_cholesky_backward(m, s->normal, m, s->step);
    return left;
}

/* Labels along the step, inside the prior, where the simulator can follow. */
static void move(const anpe_refine *r, refined *s)
{
    memcpy(s->before, s->model, (size_t)s->o->n_pixels * sizeof *s->before);
    for (int64_t d = 0; d < r->n; d++) {
        const anpe_label *l = &r->task->label[d];
        s->kept[d] = s->theta[d];
        s->theta[d] = fmin(fmax(s->theta[d] + s->step[d] * s->unit[d], l->min), l->max);
    }
}

/* After a move; where it was too curved, back. */
static void judge(const anpe_refine *r, refined *s)
{
    const double now = solve(r, s);
    s->active = now < s->best;
    if (s->active) {
        s->best = now;
        return;
    }
    memcpy(s->theta, s->kept, (size_t)r->n * sizeof *s->theta);
    memcpy(s->model, s->before, (size_t)s->o->n_pixels * sizeof *s->model);
    (void)solve(r, s);
}

static void begin(const anpe_refine *r, refined *s, const anpe_refine_star *star)
{
    const anpe_spectrum *o = star->observed;
    const int64_t pixels = o->n_pixels;
    s->o = o;
    s->active = star->jacobian != NULL; /* the others' models come with their differences */
    for (int64_t d = 0; d < r->n; d++) {
        s->theta[d] = s->start[d] = star->median[d];
        s->unit[d] = star->sd[d] > 0 ? star->sd[d] : fmax(1e-6 * fabs(star->median[d]), 1e-9);
    }
    for (int64_t p = 0; p < pixels; p++)
        s->inverse[p] = o->mask[p] ? 0 : 1 / o->sigma[p];
    for (int64_t d = 0; star->jacobian && d < r->n; d++)
        for (int64_t p = 0; p < pixels; p++)
            s->slope[d * pixels + p] = -(float)s->unit[d] * star->jacobian[d * pixels + p];
}

/* What a last linear step would change. */
static void add_step(const anpe_refine *r, refined *s)
{
    const int64_t pixels = s->o->n_pixels;
    for (int64_t i = 0; i < r->m; i++)
        for (int64_t p = 0; p < pixels; p++)
            s->model[p] += (float)s->step[i] * s->slope[i * pixels + p] * s->o->sigma[p];
}

anpe_status anpe_refine_run(anpe_refine *r, anpe_ctx *ctx, int64_t n, const anpe_refine_star *star)
{
    anpe_status status;
    for (int64_t i = 0; i < n; i++)
        begin(r, &r->star[i], &star[i]);
    ANPE_TRY(take_models(r, ctx, n));
    for (int64_t i = 0; i < n; i++) {
        refined *s = &r->star[i];
        if (!star[i].jacobian)
            ANPE_TRY(take_differences(r, ctx, s));
        factor(r, s);
        s->best = solve(r, s);
        s->active = 1;
    }
    for (int k = 0; k < STEPS; k++) {
        for (int64_t i = 0; i < n; i++)
            if (r->star[i].active)
                move(r, &r->star[i]);
        ANPE_TRY(take_models(r, ctx, n));
        for (int64_t i = 0; i < n; i++)
            if (r->star[i].active)
                judge(r, &r->star[i]);
    }
    for (int64_t i = 0; i < n; i++)
        add_step(r, &r->star[i]);
out:
    return status;
}

const float *anpe_refine_model(const anpe_refine *r, int64_t i)
{
    return r->star[i].model;
}
