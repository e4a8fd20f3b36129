/* The ladder applied to a star. It works in the flow's coordinates y, where the target is
 * likelihood x prior x |d theta / d y| and nothing has bounds. The flow takes y as float, which is
 * 1e-7 of the prior's width: far below any posterior's. */
#include <config.h>
#include "posterior/exact.h"
#include "posterior/flow_density.h"
#include "task/likelihood.h"
#include "stat/order.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 128, DRAWS = 256 };

struct anpe_exact {
    const anpe_model *model;
    anpe_likelihood *likelihood;
    anpe_flow_density *density;
    anpe_ladder *ladder;
    float *y;                     /* (D) */
    double *theta_chunk;          /* (BATCH, D) */
    double *log_prior, *jacobian; /* (BATCH) */
    double *column;               /* (DRAWS) */
    double *theta;                /* (n, D) of the result, and room for a chunk before */
    double *log_q, *log_joint;    /* (n) */
    double *low, *high;           /* (D) the box of the labels */
    /* this star */
    anpe_session *session;
    int64_t i;
};

int64_t anpe_exact_block(void)
{
    return DRAWS;
}

static anpe_status check_model(anpe_ctx *ctx, const anpe_model *m)
{
    if (!m->can_simulate)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "a posterior cannot be made exact without the model's simulator%s%s",
                         m->lacks ? ": " : "", m->lacks ? m->lacks : "");
    const anpe_status status = anpe_task_open_likelihood(ctx, m->task);
    return status || !m->task->noise.plugin ? status : anpe_model_check_inputs(ctx, m, "noise");
}

static anpe_status make(anpe_ctx *ctx, anpe_exact *e, const anpe_exact_options *options)
{
    const anpe_model *m = e->model;
    const int64_t d = m->map->n, n = anpe_ladder_room(options, m->map->n);
    anpe_status status;
    ANPE_TRY(anpe_likelihood_new(ctx, m->task, &e->likelihood));
    ANPE_TRY(anpe_flow_density_new(ctx, m->net, m->map->n, BATCH, &e->density));
    ANPE_TRY(anpe_ladder_new(ctx, m->map->n, options, &e->ladder));
    if (ANPE_NEW(ctx, e->low, 2, d) || ANPE_NEW(ctx, e->y, d) ||
        ANPE_NEW(ctx, e->theta_chunk, BATCH, d) || ANPE_NEW(ctx, e->log_prior, BATCH) ||
        ANPE_NEW(ctx, e->jacobian, BATCH) || ANPE_NEW(ctx, e->column, DRAWS) ||
        ANPE_NEW(ctx, e->theta, n, d) || ANPE_NEW(ctx, e->log_q, n) ||
        ANPE_NEW(ctx, e->log_joint, n))
        return ANPE_ENOMEM;
    e->high = e->low + d;
    for (int64_t i = 0; i < d; i++) {
        e->low[i] = m->map->label[i].min;
        e->high[i] = m->map->label[i].max;
    }
out:
    return status;
}

anpe_status anpe_exact_new(anpe_ctx *ctx, const anpe_model *model,
                           const anpe_exact_options *options, anpe_exact **out)
{
    *out = NULL;
    anpe_status status = check_model(ctx, model);
    if (status)
        return status;
    anpe_exact *e;
    if (ANPE_NEW(ctx, e, 1))
        return ANPE_ENOMEM;
    e->model = model;
    status = make(ctx, e, options);
    *out = status ? anpe_exact_free(e) : e;
    return status;
}

anpe_exact *anpe_exact_free(anpe_exact *e)
{
    if (!e)
        return NULL;
    anpe_likelihood_free(e->likelihood);
    anpe_flow_density_free(e->density);
    anpe_ladder_free(e->ladder);
    free(e->y);
    free(e->theta_chunk);
    free(e->log_prior);
    free(e->jacobian);
    free(e->column);
    free(e->theta);
    free(e->log_q);
    free(e->log_joint);
    free(e->low);
    free(e);
    return NULL;
}

/* ---- the ladder's problem ---------------------------------------------------------------- */

/* y (D) -> theta (D); returns log |d theta / d y|. */
static double to_theta(anpe_exact *e, const double *y, double *theta)
{
    for (int64_t d = 0; d < e->model->map->n; d++)
        e->y[d] = (float)y[d];
    return anpe_coordinates_inverse(&e->session->coordinates[e->i], e->y, theta);
}

static anpe_status draw(void *user, anpe_ctx *ctx, anpe_rng *rng, int64_t n, double *y,
                        double *log_q)
{
    anpe_exact *e = user;
    const int64_t d = e->model->map->n;
    for (int64_t first = 0; first < n; first += DRAWS) {
        const int64_t m = n - first < DRAWS ? n - first : DRAWS;
        anpe_status status =
            anpe_session_draw(e->session, ctx, e->i, m, rng, e->theta, log_q + first);
        if (status)
            return status;
        for (int64_t k = 0; k < m * d; k++)
            y[first * d + k] = (double)e->session->y[k];
        for (int64_t k = 0; k < m; k++)
            log_q[first + k] = (double)e->session->log_q[k];
    }
    return ANPE_OK;
}

static anpe_status flow_log_q(void *user, anpe_ctx *ctx, int64_t n, const double *y, double *log_q)
{
    anpe_exact *e = user;
    (void)ctx;
    anpe_flow_density_eval(e->density, anpe_session_context(e->session, e->i), n, y, log_q);
    return ANPE_OK;
}

static anpe_status target(void *user, anpe_ctx *ctx, int64_t n, const double *y, double *out)
{
    anpe_exact *e = user;
    const int64_t d = e->model->map->n;
    for (int64_t first = 0; first < n; first += BATCH) {
        const int64_t m = n - first < BATCH ? n - first : BATCH;
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
        for (int64_t k = 0; k < m; k++)
            e->jacobian[k] = to_theta(e, y + (first + k) * d, e->theta_chunk + k * d);
        anpe_status status =
            anpe_likelihood_eval(e->likelihood, ctx, m, e->theta_chunk, out + first, e->log_prior);
        if (status)
            return status;
        for (int64_t k = 0; k < m; k++)
            out[first + k] += e->log_prior[k] + e->jacobian[k];
    }
    return ANPE_OK;
}

/* ---- in label space ---------------------------------------------------------------------- */

static double from_y(void *user, const double *y, double *theta)
{
    return to_theta(user, y, theta);
}

static void to_y(void *user, const double *theta, double *y)
{
    anpe_exact *e = user;
    anpe_coordinates_forward(&e->session->coordinates[e->i], theta, e->y);
    for (int64_t d = 0; d < e->model->map->n; d++)
        y[d] = (double)e->y[d];
}

static anpe_status expand(void *user, anpe_ctx *ctx, const double *theta, const double *step,
                          double *f, double *gradient, double *h)
{
    const anpe_exact *e = user;
    return anpe_likelihood_expand_joint(e->likelihood, ctx, theta, step, f, gradient, h);
}

static anpe_status probe(void *user, anpe_ctx *ctx, const double *theta, const double *step,
                         double *f, double *gradient)
{
    const anpe_exact *e = user;
    return anpe_likelihood_probe_joint(e->likelihood, ctx, theta, step, f, gradient);
}

/* ---- one star ---------------------------------------------------------------------------- */

/* The continuum modes are taken at the medians of a few draws. */
static anpe_status set_likelihood(anpe_exact *e, anpe_ctx *ctx, const anpe_spectrum *observed,
                                  anpe_rng *rng)
{
    const int64_t d = e->model->map->n;
    double *reference = e->theta_chunk;
    anpe_status status;
    ANPE_TRY(anpe_session_draw(e->session, ctx, e->i, DRAWS, rng, e->theta, NULL));
    for (int64_t l = 0; l < d; l++) {
        for (int64_t k = 0; k < DRAWS; k++)
            e->column[k] = e->theta[k * d + l];
        anpe_sort(DRAWS, e->column);
        reference[l] = anpe_quantile_sorted(DRAWS, e->column, 0.5);
    }
    ANPE_TRY(anpe_likelihood_set(e->likelihood, ctx, observed, reference));
out:
    return status;
}

anpe_status anpe_exact_run(anpe_exact *e, anpe_ctx *ctx, anpe_session *session, int64_t i,
                           const anpe_spectrum *observed, uint32_t seed, int64_t index,
                           anpe_exact_result *result)
{
    const int64_t d = e->model->map->n;
    const anpe_ladder_box box = {e->low, e->high, from_y, to_y, expand, probe};
    const anpe_ladder_problem problem = {
        d, e, draw, flow_log_q, target, anpe_likelihood_can_expand(e->likelihood) ? &box : NULL};
    anpe_ladder_result *r = &result->ladder;
    anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_EXACT, index, 0);
    anpe_status status;
    e->session = session;
    e->i = i;
    ANPE_TRY(set_likelihood(e, ctx, observed, &rng));
    ANPE_TRY(anpe_ladder_climb(e->ladder, ctx, &problem, &rng, r));
    for (int64_t k = 0; k < r->n; k++) {
        const double jacobian = to_theta(e, r->y + k * d, e->theta + k * d);
        e->log_q[k] = r->log_q[k] - jacobian;
        e->log_joint[k] = r->log_target[k] - jacobian;
    }
    result->n = r->n;
    result->theta = e->theta;
    result->log_q = e->log_q;
    result->log_weight = r->log_weight;
    result->log_joint = e->log_joint;
out:
    return status;
}

anpe_status anpe_exact_log_joint(anpe_exact *e, anpe_ctx *ctx, const double *theta,
                                 double *log_joint)
{
    const anpe_status status =
        anpe_likelihood_eval(e->likelihood, ctx, 1, theta, log_joint, e->log_prior);
    if (!status)
        *log_joint += e->log_prior[0];
    return status;
}
