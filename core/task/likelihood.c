/* The likelihood of task/likelihood.h. */
#include <config.h>
#include "task/likelihood.h"
#include "base/linear.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct mode {
    int64_t from, to; /* pixels where it is not 0 */
    float *q;         /* (to - from) orthonormal, in units of sigma */
} mode;

struct anpe_likelihood {
    const anpe_task *task;
    anpe_bench *bench;
    const anpe_spectrum *observed;
    float *inverse_sigma; /* (size) 0 on bad pixels */
    float *residual;      /* (size) */
    int64_t n_modes;      /* of the continuum rule */
    float *shape;         /* (n_modes, size) of the continuum rule */
    float *basis;         /* (n_modes, size) memory of the q's */
    int n_used;
    mode *mode; /* (n_used) */
    int64_t n_good;
    double constant; /* - sum log sigma - (N - M) / 2 log 2 pi */
    int64_t *row;    /* (batch) which theta is in a row of the bench */
};

anpe_status anpe_likelihood_new(anpe_ctx *ctx, const anpe_task *t, int64_t batch,
                                anpe_likelihood **out)
{
    const size_t size = (size_t)anpe_task_size(t);
    anpe_status status = ANPE_ENOMEM;
    *out = NULL;
    anpe_likelihood *l = calloc(1, sizeof *l);
    if (!l)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "likelihood: out of memory");
    l->task = t;
    l->n_modes = anpe_instrument_continuum_modes(&t->instrument, NULL);
    const size_t values = (size_t)l->n_modes * size;
    l->inverse_sigma = anpe_alloc(ctx, size * sizeof *l->inverse_sigma);
    l->residual = anpe_alloc(ctx, size * sizeof *l->residual);
    l->shape = anpe_alloc(ctx, values * sizeof *l->shape);
    l->basis = anpe_alloc(ctx, values * sizeof *l->basis);
    l->mode = anpe_alloc(ctx, (size_t)l->n_modes * sizeof *l->mode);
    l->row = anpe_alloc(ctx, (size_t)batch * sizeof *l->row);
    if (!l->inverse_sigma || !l->residual || !l->shape || !l->basis || !l->mode || !l->row)
        goto out;
    (void)anpe_instrument_continuum_modes(&t->instrument, l->shape);
    ANPE_TRY(anpe_bench_new(ctx, t, batch, &l->bench));
out:
    if (status)
        l = anpe_likelihood_free(l);
    *out = l;
    return status;
}

anpe_likelihood *anpe_likelihood_free(anpe_likelihood *l)
{
    if (!l)
        return NULL;
    anpe_bench_free(l->bench);
    anpe_free(l->inverse_sigma);
    anpe_free(l->residual);
    anpe_free(l->shape);
    anpe_free(l->basis);
    anpe_free(l->mode);
    anpe_free(l->row);
    free(l);
    return NULL;
}

/* ---- one star ----------------------------------------------------------------------------------
 */

/* Labels into row k of the bench, in the prior's order. */
static double *place(anpe_likelihood *l, int64_t k, const double *theta)
{
    const anpe_task *t = l->task;
    double *to = l->bench->theta + k * t->prior->n_labels;
    for (int64_t d = 0; d < t->n_labels; d++)
        to[t->inferred[d]] = theta[d];
    return to;
}

/* mode j times the model in units of sigma, orthogonal to those before it; twice, because once
 * leaves rounding errors that grow. A mode that the good pixels do not see is left out. */
static void add_mode(anpe_likelihood *l, int64_t j, const float *model)
{
    enum { PASSES = 2 };
    const int64_t size = anpe_task_size(l->task);
    const float *shape = l->shape + j * size;
    mode m = {.from = 0, .to = size};
    while (m.to > 0 && shape[m.to - 1] == 0)
        m.to--;
    while (m.from < m.to && shape[m.from] == 0)
        m.from++;
    m.q = l->basis + j * size;
    for (int64_t i = m.from; i < m.to; i++)
        m.q[i - m.from] = shape[i] * model[i] * l->inverse_sigma[i];
    const double before = anpe_dot(m.to - m.from, m.q, m.q);
    for (int pass = 0; pass < PASSES; pass++)
        for (int k = 0; k < l->n_used; k++) {
            const mode *o = &l->mode[k];
            const int64_t from = o->from > m.from ? o->from : m.from;
            const int64_t to = o->to < m.to ? o->to : m.to;
            if (from >= to)
                continue;
            const float c =
                (float)anpe_dot(to - from, m.q + (from - m.from), o->q + (from - o->from));
            for (int64_t i = from; i < to; i++)
                m.q[i - m.from] -= c * o->q[i - o->from];
        }
    const double norm = anpe_dot(m.to - m.from, m.q, m.q);
    if (!(norm > 1e-8 * before)) /* float leaves about 1e-7 of a vector that others span */
        return;
    for (int64_t i = 0; i < m.to - m.from; i++)
        m.q[i] = (float)((double)m.q[i] / sqrt(norm));
    l->mode[l->n_used++] = m;
}

anpe_status anpe_likelihood_set(anpe_likelihood *l, anpe_ctx *ctx, const anpe_spectrum *observed,
                                const double *reference)
{
    anpe_status status;
    l->observed = observed;
    l->n_good = 0;
    l->n_used = 0;
    l->constant = 0;
    for (int64_t i = 0; i < observed->n_pixels; i++) {
        l->inverse_sigma[i] = observed->mask[i] ? 0 : 1 / observed->sigma[i];
        if (observed->mask[i])
            continue;
        l->n_good++;
        l->constant -= log((double)observed->sigma[i]);
    }
    if (l->n_modes) {
        (void)place(l, 0, reference);
        ANPE_TRY(anpe_task_simulate(l->task, ctx, l->bench, 1));
        ANPE_TRY(anpe_task_reduce_model(l->task, ctx, l->bench, 0, observed));
    }
    for (int64_t j = 0; j < l->n_modes; j++)
        add_mode(l, j, l->bench->spectrum.flux);
    l->constant -= 0.5 * log(2 * M_PI) * (double)anpe_likelihood_freedom(l);
    status = ANPE_OK;
out:
    return status;
}

int64_t anpe_likelihood_freedom(const anpe_likelihood *l)
{
    return l->n_good - l->n_used;
}

/* ---- labels ------------------------------------------------------------------------------------
 */

static double log_likelihood(anpe_likelihood *l, const float *model)
{
    const anpe_spectrum *o = l->observed;
    const anpe_component *noise = &l->task->noise;
    if (noise->plugin && ((const anpe_noise_ops *)noise->ops)->log_likelihood)
        return anpe_noise_log_likelihood(noise, o, model);
    for (int64_t i = 0; i < o->n_pixels; i++)
        l->residual[i] = (o->flux[i] - model[i]) * l->inverse_sigma[i];
    double chi2 = anpe_dot(o->n_pixels, l->residual, l->residual);
    for (int k = 0; k < l->n_used; k++) {
        const mode *m = &l->mode[k];
        const double c = anpe_dot(m->to - m->from, m->q, l->residual + m->from);
        chi2 -= c * c;
    }
    return l->constant - 0.5 * chi2;
}

/* The rows of the bench that are filled. */
static anpe_status flush(anpe_likelihood *l, anpe_ctx *ctx, int64_t n, double *out)
{
    anpe_status status = n ? anpe_task_simulate(l->task, ctx, l->bench, n) : ANPE_OK;
    for (int64_t k = 0; k < n && !status; k++) {
        status = anpe_task_reduce_model(l->task, ctx, l->bench, k, l->observed);
        if (!status)
            out[l->row[k]] = log_likelihood(l, l->bench->spectrum.flux);
    }
    return status;
}

anpe_status anpe_likelihood_eval(anpe_likelihood *l, anpe_ctx *ctx, int64_t n, const double *theta,
                                 double *log_l, double *log_prior)
{
    int64_t filled = 0;
    for (int64_t i = 0; i < n; i++) {
        const double *placed = place(l, filled, theta + i * l->task->n_labels);
        log_l[i] = -INFINITY;
        log_prior[i] = anpe_prior_log_density(l->task->prior, placed);
        if (!(log_prior[i] > -INFINITY)) /* NAN too */
            continue;
        l->row[filled++] = i;
        if (filled < l->bench->batch)
            continue;
        anpe_status status = flush(l, ctx, filled, log_l);
        if (status)
            return status;
        filled = 0;
    }
    return flush(l, ctx, filled, log_l);
}
