/* Gradients of posterior means: see explain.h. */
#include "posterior/explain.h"
#include "base/linear.h"
#include "posterior/flow_density.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 64,    /* draws whose density is differentiated at once */
    ROWS = 8,      /* gradients that go back through the featurizer at once */
    SLOT_ERROR = 1 /* random numbers of the error; slot 0 has the draws */
};

struct anpe_explainer {
    const anpe_model *model;
    int64_t max_draws, n_labels, n_context;
    anpe_flow_density *flow;
    anpe_executor *featurizer;
    float *x;         /* (L, C) the network's input */
    float *row;       /* (P) a gradient on its way to the flux */
    double *theta;    /* (n, D) draws */
    double *slope;    /* (n, D) d theta / d y */
    float *draw;      /* (n, D) y */
    float *score_y;   /* (n, D) d log q / d y */
    float *score;     /* (n, F) d log q / d c */
    double *control;  /* (n, 2 D) for one label */
    double *normal;   /* (2 D, 2 D) control' control, then its Cholesky factor */
    double *right;    /* (2 D) */
    double *scratch;  /* (2 D) */
    double *weight;   /* (2 D, n) of the scores: D estimates, then D errors */
    float *cotangent; /* (2 D, F) */
    double *mean_y;   /* (D) */
};

/* ---- set-up ------------------------------------------------------------------------------ */

static anpe_status open_executors(anpe_ctx *ctx, anpe_explainer *e)
{
    const anpe_net *net = e->model->net;
    anpe_status status;
    ANPE_TRY(anpe_flow_density_new_scores(ctx, net, e->n_labels, CHUNK, &e->flow));
    ANPE_TRY(anpe_executor_new(ctx, net->graph, net->parameters, net->backend, ROWS, 1, 1, 1,
                               &net->features, &e->featurizer));
out:
    return status;
}

static anpe_status allocate(anpe_ctx *ctx, anpe_explainer *e)
{
    const anpe_channels *c = e->model->channels;
    const size_t n = (size_t)e->max_draws, D = (size_t)e->n_labels, F = (size_t)e->n_context;
    e->x = anpe_alloc(ctx, (size_t)(c->length * c->width) * sizeof *e->x);
    e->row = anpe_alloc(ctx, (size_t)anpe_channels_values(c) * sizeof *e->row);
    e->theta = anpe_alloc(ctx, n * D * sizeof *e->theta);
    e->slope = anpe_alloc(ctx, n * D * sizeof *e->slope);
    e->draw = anpe_alloc(ctx, n * D * sizeof *e->draw);
    e->score_y = anpe_alloc(ctx, n * D * sizeof *e->score_y);
    e->score = anpe_alloc(ctx, n * F * sizeof *e->score);
    e->control = anpe_alloc(ctx, n * 2 * D * sizeof *e->control);
    e->normal = anpe_alloc(ctx, 4 * D * D * sizeof *e->normal);
    e->right = anpe_alloc(ctx, 2 * D * sizeof *e->right);
    e->scratch = anpe_alloc(ctx, 2 * D * sizeof *e->scratch);
    e->weight = anpe_alloc(ctx, 2 * D * n * sizeof *e->weight);
    e->cotangent = anpe_alloc(ctx, 2 * D * F * sizeof *e->cotangent);
    e->mean_y = anpe_alloc(ctx, D * sizeof *e->mean_y);
    return e->x && e->row && e->theta && e->slope && e->draw && e->score_y && e->score &&
                   e->control && e->normal && e->right && e->scratch && e->weight && e->cotangent &&
                   e->mean_y
               ? ANPE_OK
               : ANPE_ENOMEM;
}

anpe_status anpe_explainer_new(anpe_ctx *ctx, const anpe_model *m, int64_t max_draws,
                               anpe_explainer **out)
{
    anpe_status status;
    *out = NULL;
    if (m->channels->start)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "no attribution: the inputs of this network are fits (observe.newton), "
                         "whose derivatives with respect to the flux are not known");
    anpe_explainer *e;
    if (ANPE_NEW(ctx, e, 1))
        return ANPE_ENOMEM;
    e->model = m;
    e->max_draws = max_draws;
    e->n_labels = m->map->n;
    e->n_context = m->net->n_context;
    ANPE_TRY(open_executors(ctx, e));
    ANPE_TRY(allocate(ctx, e));
out:
    if (status)
        e = anpe_explainer_free(e);
    *out = e;
    return status;
}

anpe_explainer *anpe_explainer_free(anpe_explainer *e)
{
    if (!e)
        return NULL;
    anpe_flow_density_free(e->flow);
    anpe_executor_free(e->featurizer);
    anpe_free(e->x);
    anpe_free(e->row);
    anpe_free(e->theta);
    anpe_free(e->slope);
    anpe_free(e->draw);
    anpe_free(e->score_y);
    anpe_free(e->score);
    anpe_free(e->control);
    anpe_free(e->normal);
    anpe_free(e->right);
    anpe_free(e->scratch);
    anpe_free(e->weight);
    anpe_free(e->cotangent);
    anpe_free(e->mean_y);
    free(e);
    return NULL;
}

/* ---- weights of the draws ---------------------------------------------------------------- */

static void centre(int64_t n, int64_t J, double *h, double *mean)
{
    for (int64_t j = 0; j < J; j++) {
        mean[j] = 0;
        for (int64_t k = 0; k < n; k++)
            mean[j] += h[k * J + j];
        mean[j] /= (double)n;
        for (int64_t k = 0; k < n; k++)
            h[k * J + j] -= mean[j];
    }
}

/* Cholesky factor of h' h, kept from being singular, into `a` (J, J). */
static void factorise(int64_t n, int64_t J, const double *h, double *a)
{
    double trace = 0;
    memset(a, 0, (size_t)(J * J) * sizeof *a);
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = 0; i < J; i++)
            for (int64_t j = 0; j <= i; j++)
                a[i * J + j] += h[k * J + i] * h[k * J + j];
    for (int64_t i = 0; i < J; i++)
        trace += a[i * J + i];
    for (int64_t i = 0; i < J; i++)
        a[i * J + i] += 1e-9 * trace / (double)J + 1e-300;
    (void)anpe_cholesky(J, a, J, 0);
}

/* So many controls as the draws can carry: those of location and scale, of location, or none. */
static int64_t n_controls(int64_t n, int64_t D)
{
    return n >= 20 * D ? 2 * D : n >= 10 * D ? D : 0;
}

/* Stein's terms for label d, whose deviations from the mean are delta (stride D). */
static void fill_controls(anpe_explainer *e, int64_t n, int64_t J, int64_t d, const double *delta)
{
    const int64_t D = e->n_labels;
    for (int64_t k = 0; k < n; k++)
        for (int64_t j = 0; j < J; j++) {
            const int64_t i = j % D;
            const double own = i == d ? e->slope[k * D + d] : 0;
            const double y = (double)e->draw[k * D + i] - e->mean_y[i];
            const double location = delta[k * D] * (double)e->score_y[k * D + i] + own;
            e->control[k * J + j] = j < D ? location : y * location + delta[k * D];
        }
}

/* How much draw k decides of its own fit: its residual is too small by 1 less this. */
static double leverage(int64_t n, int64_t J, const double *a, const double *h, double *z)
{
    double sum = 1 / (double)n;
    memcpy(z, h, (size_t)J * sizeof *z);
    anpe_cholesky_forward(J, a, J, z);
    for (int64_t i = 0; i < J; i++)
        sum += z[i] * z[i];
    return sum;
}

/* v less its mean and its regression on the centred controls h, whose normal matrix is factorised.
 */
static void take_out_controls(anpe_explainer *e, int64_t n, int64_t J, double *v)
{
    const double *h = e->control;
    double *b = e->right, mean = 0;
    memset(b, 0, (size_t)J * sizeof *b);
    for (int64_t k = 0; k < n; k++)
        mean += v[k] / (double)n;
    for (int64_t k = 0; k < n; k++)
        for (int64_t j = 0; j < J; j++)
            b[j] += h[k * J + j] * (v[k] - mean);
    anpe_cholesky_solve(J, e->normal, J, b);
    for (int64_t k = 0; k < n; k++) {
        v[k] -= mean;
        for (int64_t j = 0; j < J; j++)
            v[k] -= h[k * J + j] * b[j];
    }
}

/* Estimate for label d: sum over draws of weight times score. A linear regression of the terms
 * delta score on the controls, whose expectation is 0, has the weights
 * delta_k (1/n - h_k' (H' H)^-1 mean(h)); its error, resampled with normal numbers xi, has
 * delta_k residual_k(xi) / n, where xi makes up for the draws that pull the fit to themselves
 * (HC3). */
static void weigh(anpe_explainer *e, int64_t n, int64_t d, anpe_rng *rng)
{
    const int64_t D = e->n_labels, J = n_controls(n, D);
    const double *delta = e->theta + d, *h = e->control;
    double *estimate = e->weight + d * n, *error = e->weight + (D + d) * n, *b = e->right;
    fill_controls(e, n, J, d, delta);
    centre(n, J, e->control, b);
    factorise(n, J, h, e->normal);
    anpe_cholesky_solve(J, e->normal, J, b);
    for (int64_t k = 0; k < n; k++) {
        estimate[k] = 1 / (double)n;
        for (int64_t j = 0; j < J; j++)
            estimate[k] -= h[k * J + j] * b[j];
        estimate[k] *= delta[k * D];
        error[k] =
            anpe_normal(rng) / fmax(1 - leverage(n, J, e->normal, h + k * J, e->scratch), 0.1);
    }
    take_out_controls(e, n, J, error);
    for (int64_t k = 0; k < n; k++)
        error[k] *= delta[k * D] / (double)n;
}

/* Draws, their deviations from the mean, slopes. */
static anpe_status draw(anpe_explainer *e, anpe_ctx *ctx, anpe_session *s, int64_t i, int64_t n,
                        uint32_t seed, int64_t index)
{
    const int64_t D = e->n_labels;
    anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_POSTERIOR, index, 0);
    anpe_status status = anpe_session_draw(s, ctx, i, n, &rng, e->theta, NULL);
    if (status)
        return status;
    memcpy(e->draw, s->y, (size_t)(n * D) * sizeof *e->draw);
    for (int64_t k = 0; k < n; k++)
        anpe_label_map_slope(e->model->map, e->draw + k * D, e->slope + k * D);
    for (int64_t d = 0; d < D; d++) {
        double mean = 0;
        e->mean_y[d] = 0;
        for (int64_t k = 0; k < n; k++) {
            mean += e->theta[k * D + d] / (double)n;
            e->mean_y[d] += (double)e->draw[k * D + d] / (double)n;
        }
        for (int64_t k = 0; k < n; k++)
            e->theta[k * D + d] -= mean;
    }
    return ANPE_OK;
}

/* ---- to the flux ------------------------------------------------------------------------- */

static void fill_cotangents(anpe_explainer *e, int64_t n)
{
    const int64_t D = e->n_labels, F = e->n_context;
    for (int64_t r = 0; r < 2 * D; r++)
        for (int64_t f = 0; f < F; f++) {
            double sum = 0;
            for (int64_t k = 0; k < n; k++)
                sum += e->weight[r * n + k] * (double)e->score[k * F + f];
            e->cotangent[r * F + f] = (float)sum;
        }
}

static double rms_good(int64_t n, const uint8_t *mask, const float *v)
{
    double sum = 0;
    int64_t good = 0;
    for (int64_t p = 0; p < n; p++)
        if (!mask[p]) {
            sum += (double)v[p] * (double)v[p];
            good++;
        }
    return good ? sqrt(sum / (double)good) : 0;
}

/* Row r of 2 D: a gradient, or an error that is kept as one number. */
static void keep_row(anpe_explainer *e, int64_t r, const float *grad_x, const anpe_spectrum *o,
                     float *gradient, double *error)
{
    const int64_t P = o->n_pixels;
    float *row = r < e->n_labels ? gradient + r * P : e->row;
    anpe_channels_pull_back(e->model->channels, o, e->x, grad_x, row);
    anpe_spectrum_inpaint_pull_back(e->model->channels->planes, P, o->mask, row);
    if (r >= e->n_labels)
        error[r - e->n_labels] = rms_good(P, o->mask, row);
}

static void pull_back(anpe_explainer *e, const anpe_spectrum *o, float *gradient, double *error)
{
    const anpe_net *net = e->model->net;
    const int64_t F = e->n_context, rows = 2 * e->n_labels;
    const int64_t size = e->model->channels->length * e->model->channels->width;
    float *x = anpe_executor_tensor(e->featurizer, net->x);
    for (int64_t first = 0; first < rows; first += ROWS) {
        const int64_t m = rows - first < ROWS ? rows - first : ROWS;
        for (int64_t r = 0; r < m; r++)
            memcpy(x + r * size, e->x, (size_t)size * sizeof *x);
        anpe_executor_forward(e->featurizer, m);
        anpe_executor_backward(e->featurizer, net->features, e->cotangent + first * F, NULL);
        const float *grad = anpe_executor_gradient(e->featurizer, net->x);
        for (int64_t r = 0; r < m; r++)
            keep_row(e, first + r, grad + r * size, o, gradient, error);
    }
}

anpe_status anpe_explainer_run(anpe_explainer *e, anpe_ctx *ctx, anpe_session *s, int64_t i,
                               const anpe_spectrum *observed, int64_t n, uint32_t seed,
                               int64_t index, float *gradient, double *error)
{
    const anpe_channels *c = e->model->channels;
    assert(n <= e->max_draws && n <= s->max_draws);
    anpe_status status = draw(e, ctx, s, i, n, seed, index);
    if (status)
        return status;
    anpe_flow_density_scores(e->flow, anpe_session_context(s, i), n, e->draw, e->score_y, e->score);
    anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_POSTERIOR, index, SLOT_ERROR);
    for (int64_t d = 0; d < e->n_labels; d++)
        weigh(e, n, d, &rng);
    fill_cotangents(e, n);
    memcpy(e->x, anpe_session_input(s, i), (size_t)(c->length * c->width) * sizeof *e->x);
    pull_back(e, observed, gradient, error);
    return ANPE_OK;
}
