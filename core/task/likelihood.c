/* The likelihood of task/likelihood.h. */
#include <config.h>
#include "task/likelihood.h"
#include "task/reduction.h"
#include "task/tangent.h"
#include "base/linear.h"
#include "kernel/star.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Label vectors that are simulated at once: their spectra stay in the second-level cache until they
 * are compared, and a simulator's weights are read for many. */
enum { CHUNK = 16 };

typedef struct mode {
    int64_t from, to; /* pixels where it is not 0 */
    float *q;         /* (to - from) orthonormal, in units of sigma */
} mode;

struct anpe_likelihood {
    const anpe_task *task;
    anpe_bench *bench;
    anpe_reduction *reduction;
    anpe_tangent *tangent; /* NULL: differences */
    int borrows;           /* bench and tangent are another's */
    const anpe_spectrum *observed;
    float *inverse_sigma; /* (size) 0 on bad pixels */
    float *basis;         /* (n_modes, size) memory of the q's */
    int n_used;
    mode *mode; /* (n_used) */
    int64_t n_good;
    double constant; /* - sum log sigma - (N - M) / 2 log 2 pi */
    int64_t *row;    /* (CHUNK) which theta is in a row of the bench */
    float *rows;     /* (1 + D, size) r, then J */
};

static anpe_status make(anpe_ctx *ctx, anpe_likelihood *l, const anpe_likelihood *other)
{
    const anpe_task *t = l->task;
    const size_t size = (size_t)anpe_task_size(t);
    const size_t modes = (size_t)anpe_instrument_continuum_modes(&t->instrument, NULL);
    anpe_status status = ANPE_ENOMEM;
    l->inverse_sigma = anpe_alloc(ctx, size * sizeof *l->inverse_sigma);
    l->basis = anpe_alloc(ctx, modes * size * sizeof *l->basis);
    l->mode = anpe_alloc(ctx, modes * sizeof *l->mode);
    l->row = anpe_alloc(ctx, CHUNK * sizeof *l->row);
    l->rows = anpe_alloc(ctx, (size_t)(1 + t->n_labels) * size * sizeof *l->rows);
    if (!l->inverse_sigma || !l->basis || !l->mode || !l->row || !l->rows)
        return status;
    ANPE_TRY(anpe_reduction_new(ctx, t, &l->reduction));
    l->borrows = other != NULL;
    if (other) {
        l->bench = other->bench;
        l->tangent = other->tangent;
        goto out;
    }
    ANPE_TRY(anpe_bench_new(ctx, t, CHUNK, &l->bench));
    if (anpe_reduction_has_derivatives(l->reduction))
        ANPE_TRY(anpe_tangent_new(ctx, t, &l->tangent));
out:
    return status;
}

static anpe_status new_beside(anpe_ctx *ctx, const anpe_task *t, const anpe_likelihood *other,
                              anpe_likelihood **out)
{
    *out = NULL;
    anpe_likelihood *l;
    if (ANPE_NEW(ctx, l, 1))
        return ANPE_ENOMEM;
    l->task = t;
    const anpe_status status = make(ctx, l, other);
    *out = status ? anpe_likelihood_free(l) : l;
    return status;
}

anpe_status anpe_likelihood_new(anpe_ctx *ctx, const anpe_task *t, anpe_likelihood **out)
{
    return new_beside(ctx, t, NULL, out);
}

anpe_status anpe_likelihood_new_beside(anpe_ctx *ctx, const anpe_likelihood *other,
                                       anpe_likelihood **out)
{
    return new_beside(ctx, other->task, other, out);
}

anpe_likelihood *anpe_likelihood_free(anpe_likelihood *l)
{
    if (!l)
        return NULL;
    if (!l->borrows) {
        anpe_bench_free(l->bench);
        anpe_tangent_free(l->tangent);
    }
    anpe_reduction_free(l->reduction);
    anpe_free(l->inverse_sigma);
    anpe_free(l->basis);
    anpe_free(l->mode);
    anpe_free(l->row);
    anpe_free(l->rows);
    free(l);
    return NULL;
}

/* ---- one star ---------------------------------------------------------------------------- */

/* Labels into row k of the bench, in the prior's order. */
static double *place(anpe_likelihood *l, int64_t k, const double *theta)
{
    const anpe_task *t = l->task;
    double *to = l->bench->theta + k * t->prior->n_labels;
    for (int64_t d = 0; d < t->n_labels; d++)
        to[t->inferred[d]] = theta[d];
    return to;
}

/* A mode's shape times the model in units of sigma, orthogonal to those before it; twice, because
 * once leaves rounding errors that grow. A mode that the good pixels do not see is left out. */
static void add_mode(anpe_likelihood *l, const float *shape, anpe_support support,
                     const float *model)
{
    enum { PASSES = 2 };
    mode m = {support.from, support.to, l->basis + l->n_used * anpe_task_size(l->task)};
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

/* Q at the model spectrum of the reference, which is reduced in place. */
static anpe_status add_modes(anpe_likelihood *l, anpe_ctx *ctx, float *model)
{
    const float *shape;
    const anpe_support *support;
    const int64_t n = anpe_reduction_modes(l->reduction, &shape, &support);
    anpe_status status = ANPE_OK;
    int possible;
    if (!n)
        return ANPE_OK;
    ANPE_TRY(anpe_reduction_apply(l->reduction, ctx, model, &possible));
    for (int64_t j = 0; j < n; j++)
        add_mode(l, shape + j * anpe_task_size(l->task), support[j], model);
out:
    return status;
}

anpe_status anpe_likelihood_set_at(anpe_likelihood *l, anpe_ctx *ctx, const anpe_spectrum *observed,
                                   float *model)
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
    ANPE_TRY(anpe_reduction_set(l->reduction, ctx, observed));
    ANPE_TRY(add_modes(l, ctx, model));
    l->constant -= 0.5 * log(2 * M_PI) * (double)anpe_likelihood_freedom(l);
out:
    return status;
}

anpe_status anpe_likelihood_set(anpe_likelihood *l, anpe_ctx *ctx, const anpe_spectrum *observed,
                                const double *reference)
{
    anpe_status status = ANPE_OK;
    if (anpe_likelihood_has_modes(l)) {
        (void)place(l, 0, reference);
        ANPE_TRY(anpe_task_simulate(l->task, ctx, l->bench, 1));
    }
    status = anpe_likelihood_set_at(l, ctx, observed, l->bench->flux);
out:
    return status;
}

int anpe_likelihood_has_modes(const anpe_likelihood *l)
{
    const float *shape;
    const anpe_support *support;
    return anpe_reduction_modes(l->reduction, &shape, &support) > 0;
}

int64_t anpe_likelihood_freedom(const anpe_likelihood *l)
{
    return l->n_good - l->n_used;
}

/* ---- labels ------------------------------------------------------------------------------ */

/* A noise model with a likelihood of its own, or NULL. */
static const anpe_component *own_likelihood(const anpe_likelihood *l)
{
    const anpe_component *noise = &l->task->noise;
    const anpe_noise_ops *ops = noise->plugin ? noise->ops : NULL;
    return ops && ANPE_HAS(ops, log_likelihood) ? noise : NULL;
}

/* |r|^2 less what lies in the modes. */
static double chi_square(const anpe_likelihood *l, const float *r)
{
    double chi2 = anpe_star_dot(l->observed->n_pixels, r, r);
    for (int k = 0; k < l->n_used; k++) {
        const mode *m = &l->mode[k];
        const double c = anpe_star_dot(m->to - m->from, m->q, r + m->from);
        chi2 -= c * c;
    }
    return chi2;
}

/* Row k of the bench, in place: reduced, compared. */
static anpe_status log_likelihood(anpe_likelihood *l, anpe_ctx *ctx, int64_t k, double *out)
{
    const anpe_spectrum *o = l->observed;
    const anpe_component *noise = own_likelihood(l);
    float *model = l->bench->flux + k * o->n_pixels;
    int possible;
    const anpe_status status = anpe_reduction_apply(l->reduction, ctx, model, &possible);
    if (status || !possible)
        return status;
    if (noise) {
        *out = anpe_noise_log_likelihood(noise, o, model);
        return ANPE_OK;
    }
    anpe_star_whiten(o->n_pixels, o->flux, model, l->inverse_sigma, l->rows);
    *out = l->constant - 0.5 * chi_square(l, l->rows);
    return ANPE_OK;
}

/* The rows of the bench that are filled. */
static anpe_status flush(anpe_likelihood *l, anpe_ctx *ctx, int64_t n, double *out)
{
    anpe_status status = n ? anpe_task_simulate(l->task, ctx, l->bench, n) : ANPE_OK;
    for (int64_t k = 0; k < n && !status; k++)
        status = log_likelihood(l, ctx, k, out + l->row[k]);
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
        if (filled < CHUNK)
            continue;
        anpe_status status = flush(l, ctx, filled, log_l);
        if (status)
            return status;
        filled = 0;
    }
    return flush(l, ctx, filled, log_l);
}

/* ---- the expansion ----------------------------------------------------------------------- */

int anpe_likelihood_can_expand(const anpe_likelihood *l)
{
    return !own_likelihood(l);
}

const float *anpe_likelihood_rows(const anpe_likelihood *l)
{
    return l->rows;
}

/* Rows from the simulator's derivatives. */
static anpe_status differentiate(anpe_likelihood *l, anpe_ctx *ctx, const double *theta,
                                 int *possible)
{
    const anpe_task *t = l->task;
    const anpe_spectrum *o = l->observed;
    const int64_t size = o->n_pixels;
    anpe_tangent *g = l->tangent;
    anpe_status status;
    ANPE_TRY(anpe_tangent_run(g, ctx, place(l, 0, theta), l->bench->scratch));
    ANPE_TRY(anpe_reduction_apply(l->reduction, ctx, g->flux, possible));
    if (!*possible)
        return ANPE_OK;
    anpe_star_whiten(size, o->flux, g->flux, l->inverse_sigma, l->rows);
    ANPE_TRY(anpe_reduction_derive(l->reduction, ctx, g->flux, t->prior->n_labels, g->flux + size));
    for (int64_t d = 0; d < t->n_labels; d++) {
        const float *slope = g->flux + g->row[t->inferred[d]] * size;
        float *row = l->rows + (1 + d) * size;
        for (int64_t i = 0; i < size; i++)
            row[i] = -slope[i] * l->inverse_sigma[i];
    }
out:
    return status;
}

/* Differences go towards the middle of the label's range, where the simulator can follow. */
static double signed_step(const anpe_label *label, double theta, double step)
{
    const double middle = 0.5 * (label->min + label->max);
    return isfinite(middle) && theta > middle ? -step : step;
}

/* Rows from differences. */
static anpe_status take_differences(anpe_likelihood *l, anpe_ctx *ctx, const double *theta,
                                    const double *step, int *possible)
{
    const anpe_task *t = l->task;
    const anpe_spectrum *o = l->observed;
    const int64_t size = o->n_pixels, n_rows = 1 + t->n_labels;
    for (int64_t first = 0, n; first < n_rows; first += n) {
        n = n_rows - first < CHUNK ? n_rows - first : CHUNK;
        for (int64_t k = 0; k < n; k++) {
            const int64_t d = first + k - 1;
            double *placed = place(l, k, theta);
            if (d >= 0)
                placed[t->inferred[d]] += signed_step(&t->label[d], theta[d], step[d]);
        }
        anpe_status status = anpe_task_simulate(t, ctx, l->bench, n);
        for (int64_t k = 0; k < n && !status; k++) {
            const int64_t d = first + k - 1;
            float *model = l->bench->flux + k * size, *row = l->rows + (first + k) * size;
            status = anpe_reduction_apply(l->reduction, ctx, model, possible);
            if (!*possible)
                return status;
            anpe_star_whiten(size, o->flux, model, l->inverse_sigma, row);
            for (int64_t i = 0; i < size && d >= 0; i++)
                row[i] =
                    (row[i] - l->rows[i]) / (float)signed_step(&t->label[d], theta[d], step[d]);
        }
        if (status)
            return status;
    }
    return ANPE_OK;
}

/* row := (1 - Q Q^T) row */
static void project_out(const anpe_likelihood *l, float *row)
{
    for (int k = 0; k < l->n_used; k++) {
        const mode *m = &l->mode[k];
        const double c = anpe_star_dot(m->to - m->from, m->q, row + m->from);
        anpe_star_add(m->to - m->from, -(float)c, m->q, row + m->from);
    }
}

anpe_status anpe_likelihood_expand(anpe_likelihood *l, anpe_ctx *ctx, const double *theta,
                                   const double *step, double *log_l, double *gradient,
                                   double *fisher)
{
    const int64_t n = l->task->n_labels, size = l->observed->n_pixels;
    const float *r = l->rows, *jacobian = r + size;
    int possible = 1;
    const anpe_status status = l->tangent ? differentiate(l, ctx, theta, &possible)
                                          : take_differences(l, ctx, theta, step, &possible);
    *log_l = -INFINITY;
    if (status || !possible)
        return status;
    for (int64_t i = 0; i <= n; i++)
        project_out(l, l->rows + i * size);
    for (int64_t i = 0; i < n; i++)
        gradient[i] = -anpe_star_dot(size, jacobian + i * size, r);
    anpe_star_gram(n, size, jacobian, fisher);
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(gradient[i]) || !isfinite(fisher[i * n + i]))
            return ANPE_OK; /* a step along that would end anywhere */
        for (int64_t j = 0; j < i; j++)
            fisher[j * n + i] = fisher[i * n + j];
    }
    *log_l = l->constant - 0.5 * anpe_star_dot(size, r, r);
    return ANPE_OK;
}

/* r of a model spectrum, reduced in place, into its row, and log L; -inf where the likelihood is 0.
 */
static anpe_status take_residuals(anpe_likelihood *l, anpe_ctx *ctx, float *model, double *log_l)
{
    const anpe_spectrum *o = l->observed;
    int possible;
    *log_l = -INFINITY;
    const anpe_status status = anpe_reduction_apply(l->reduction, ctx, model, &possible);
    if (status || !possible)
        return status;
    anpe_star_whiten(o->n_pixels, o->flux, model, l->inverse_sigma, l->rows);
    project_out(l, l->rows);
    *log_l = l->constant - 0.5 * anpe_star_dot(o->n_pixels, l->rows, l->rows);
    return ANPE_OK;
}

/* Slope and curvature of the log prior along label d, where it has any. */
static void add_prior(const anpe_prior *p, double *placed, int64_t d, double h, double middle,
                      double *gradient, double *curvature)
{
    double *at = &placed[d], keep = *at;
    *at = keep + h;
    const double above = anpe_prior_log_density(p, placed);
    *at = keep - h;
    const double below = anpe_prior_log_density(p, placed);
    *at = keep;
    if (!isfinite(above) || !isfinite(below))
        return;
    *gradient += (above - below) / (2 * h);
    *curvature += fmax(0, (2 * middle - above - below) / (h * h));
}

anpe_status anpe_likelihood_expand_joint(anpe_likelihood *l, anpe_ctx *ctx, const double *theta,
                                         const double *step, double *log_joint, double *gradient,
                                         double *h)
{
    const anpe_task *t = l->task;
    const int64_t n = t->n_labels;
    const double log_prior = anpe_likelihood_log_prior(l, theta);
    *log_joint = -INFINITY;
    if (!isfinite(log_prior))
        return ANPE_OK;
    const anpe_status status = anpe_likelihood_expand(l, ctx, theta, step, log_joint, gradient, h);
    if (status || !isfinite(*log_joint))
        return status;
    *log_joint += log_prior;
    double *placed = place(l, 0, theta);
    for (int64_t d = 0; d < n; d++)
        add_prior(t->prior, placed, t->inferred[d], step[d], log_prior, &gradient[d],
                  &h[d * n + d]);
    return ANPE_OK;
}

anpe_status anpe_likelihood_probe_at(anpe_likelihood *l, anpe_ctx *ctx, const double *theta,
                                     const double *step, float *model, double *log_joint,
                                     double *gradient)
{
    const anpe_task *t = l->task;
    const int64_t size = l->observed->n_pixels;
    const double log_prior = anpe_likelihood_log_prior(l, theta);
    const anpe_status status = take_residuals(l, ctx, model, log_joint);
    if (status || !isfinite(*log_joint))
        return status;
    *log_joint += log_prior;
    double *placed = place(l, 0, theta), curvature = 0;
    for (int64_t d = 0; d < t->n_labels; d++) {
        gradient[d] = -anpe_star_dot(size, l->rows + (1 + d) * size, l->rows);
        add_prior(t->prior, placed, t->inferred[d], step[d], log_prior, &gradient[d], &curvature);
    }
    return ANPE_OK;
}

anpe_status anpe_likelihood_probe_joint(anpe_likelihood *l, anpe_ctx *ctx, const double *theta,
                                        const double *step, double *log_joint, double *gradient)
{
    anpe_status status = ANPE_OK;
    *log_joint = -INFINITY;
    if (!isfinite(anpe_likelihood_log_prior(l, theta)))
        return ANPE_OK;
    (void)place(l, 0, theta);
    ANPE_TRY(anpe_task_simulate(l->task, ctx, l->bench, 1));
    status = anpe_likelihood_probe_at(l, ctx, theta, step, l->bench->flux, log_joint, gradient);
out:
    return status;
}

double anpe_likelihood_log_prior(anpe_likelihood *l, const double *theta)
{
    return anpe_prior_log_density(l->task->prior, place(l, 0, theta));
}

double anpe_likelihood_chi2(const anpe_likelihood *l, double log_likelihood)
{
    return 2 * (l->constant - log_likelihood);
}
