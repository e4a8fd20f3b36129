/* What `anpe infer --exact` is compared with: for the first N spectra of a file a long Markov chain
 * run on the likelihood alone, from walkers at draws of the flow, and the best fit of all, by the
 * simplex method of Nelder & Mead (1965) from the best draw and from draws of the prior. One JSON
 * object a line.
 *
 *     exact_reference MODEL SPECTRA N ESS */
#include <config.h>
#include "base/random.h"
#include "stat/ensemble.h"
#include "task/likelihood.h"
#include "stat/order.h"
#include "posterior/session.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 32, STARTS = 256, CHUNK = 128, TRIES = 6, MOST_STEPS = 3000 };

typedef struct reference {
    anpe_model *model;
    anpe_session *session;
    anpe_likelihood *likelihood;
    anpe_ensemble *ensemble;
    anpe_spectrum spectrum;
    int64_t d, walkers;
    double theta[STARTS * MOST], log_prior[CHUNK], jacobian[CHUNK];
} reference;

/* Log of the posterior density in the flow's coordinates. */
static anpe_status density(void *user, anpe_ctx *ctx, int64_t n, const double *y, double *out)
{
    reference *r = user;
    float at[MOST];
    for (int64_t first = 0; first < n; first += CHUNK) {
        const int64_t m = n - first < CHUNK ? n - first : CHUNK;
        for (int64_t k = 0; k < m; k++) {
            for (int64_t i = 0; i < r->d; i++)
                at[i] = (float)y[(first + k) * r->d + i];
            r->jacobian[k] =
                anpe_coordinates_inverse(&r->session->coordinates[0], at, r->theta + k * r->d);
        }
        anpe_status status =
            anpe_likelihood_eval(r->likelihood, ctx, m, r->theta, out + first, r->log_prior);
        for (int64_t k = 0; k < m && !status; k++)
            out[first + k] += r->log_prior[k] + r->jacobian[k];
        if (status)
            return status;
    }
    return ANPE_OK;
}

/* ---- best fit ---------------------------------------------------------------------------- */

/* Minus log likelihood at y. */
static double misfit(reference *r, anpe_ctx *ctx, const double *y)
{
    float at[MOST];
    double theta[MOST], log_l, log_prior;
    for (int64_t i = 0; i < r->d; i++)
        at[i] = (float)y[i];
    (void)anpe_coordinates_inverse(&r->session->coordinates[0], at, theta);
    return anpe_likelihood_eval(r->likelihood, ctx, 1, theta, &log_l, &log_prior) ? INFINITY
                                                                                  : -log_l;
}

/* Point a + t (b - a) and its misfit. */
static double along(reference *r, anpe_ctx *ctx, const double *a, const double *b, double t,
                    double *to)
{
    for (int64_t i = 0; i < r->d; i++)
        to[i] = a[i] + t * (b[i] - a[i]);
    return misfit(r, ctx, to);
}

/* y (D): from the start to the minimum, first edges of length `size`. */
static double simplex(reference *r, anpe_ctx *ctx, double *y, double size)
{
    const int64_t d = r->d;
    double x[MOST + 1][MOST], f[MOST + 1], centre[MOST], to[MOST], further[MOST];
    for (int64_t k = 0; k <= d; k++) {
        memcpy(x[k], y, (size_t)d * sizeof *y);
        x[k][k < d ? k : 0] += k < d ? size : 0;
        f[k] = misfit(r, ctx, x[k]);
    }
    for (int step = 0; step < MOST_STEPS; step++) {
        int64_t low = 0, high = 0, next = -1;
        for (int64_t k = 1; k <= d; k++) {
            low = f[k] < f[low] ? k : low;
            high = f[k] > f[high] ? k : high;
        }
        for (int64_t k = 0; k <= d; k++)
            next = k != high && (next < 0 || f[k] > f[next]) ? k : next;
        memcpy(y, x[low], (size_t)d * sizeof *y);
        if (f[high] - f[low] < 1e-4)
            break;
        for (int64_t i = 0; i < d; i++) {
            centre[i] = 0;
            for (int64_t k = 0; k <= d; k++)
                centre[i] += k == high ? 0 : x[k][i] / (double)d;
        }
        double value = along(r, ctx, centre, x[high], -1, to);
        if (value < f[low]) {
            const double far = along(r, ctx, centre, x[high], -2, further);
            if (far < value) {
                value = far;
                memcpy(to, further, sizeof to);
            }
        } else if (!(value < f[next])) {
            value = along(r, ctx, centre, x[high], value < f[high] ? -0.5 : 0.5, to);
        }
        if (value < f[high]) {
            f[high] = value;
            memcpy(x[high], to, sizeof to);
            continue;
        }
        for (int64_t k = 0; k <= d; k++)
            if (k != low)
                f[k] = along(r, ctx, x[low], x[k], 0.5, x[k]);
    }
    return misfit(r, ctx, y);
}

/* chi2 of the best of several searches, as the catalogue has it. */
static anpe_status best_fit(reference *r, anpe_ctx *ctx, const double *best_draw, anpe_rng *rng,
                            double *chi2, int64_t *n_good)
{
    double y[MOST], theta[MOST], least = INFINITY, best[MOST] = {0};
    float at[MOST];
    for (int k = 0; k < TRIES; k++) {
        for (int64_t i = 0; i < r->d; i++)
            y[i] = k ? anpe_normal(rng) : best_draw[i];
        const double value = simplex(r, ctx, y, k ? 0.3 : 0.01);
        if (value < least) {
            least = value;
            memcpy(best, y, sizeof best);
        }
    }
    for (int64_t i = 0; i < r->d; i++)
        at[i] = (float)best[i];
    (void)anpe_coordinates_inverse(&r->session->coordinates[0], at, theta);
    return anpe_session_chi2(r->session, ctx, theta, &r->spectrum, chi2, n_good);
}

/* ---- one star ---------------------------------------------------------------------------- */

static anpe_status prepare(reference *r, anpe_ctx *ctx, anpe_input *in, int64_t row, anpe_rng *rng)
{
    const anpe_task *t = r->model->task;
    double column[STARTS], middle[MOST];
    anpe_status status;
    ANPE_TRY(anpe_instrument_read(&t->instrument, ctx, in, row, &r->spectrum));
    ANPE_TRY(anpe_task_reduce(t, ctx, &r->spectrum));
    ANPE_TRY(anpe_session_look(r->session, ctx, 0, &r->spectrum));
    anpe_session_featurize(r->session, 1);
    ANPE_TRY(anpe_session_draw(r->session, ctx, 0, STARTS, rng, r->theta, NULL));
    for (int64_t k = 0; k < 4 * r->walkers * r->d; k++)
        anpe_ensemble_start(r->ensemble)[k] = (double)r->session->y[k];
    for (int64_t i = 0; i < r->d; i++) {
        for (int64_t k = 0; k < STARTS; k++)
            column[k] = r->theta[k * r->d + i];
        anpe_sort(STARTS, column);
        middle[i] = anpe_quantile_sorted(STARTS, column, 0.5);
    }
    ANPE_TRY(anpe_likelihood_set(r->likelihood, ctx, &r->spectrum, middle));
out:
    return status;
}

static void print_labels(reference *r, const anpe_ensemble_result *m, double *column)
{
    const anpe_label *label = r->model->map->label;
    float at[MOST];
    double theta[MOST];
    for (int64_t i = 0; i < r->d; i++) {
        double sum = 0, square = 0;
        for (int64_t k = 0; k < m->n; k++) {
            for (int64_t j = 0; j < r->d; j++)
                at[j] = (float)m->y[k * r->d + j];
            (void)anpe_coordinates_inverse(&r->session->coordinates[0], at, theta);
            column[k] = theta[i];
            sum += theta[i] / (double)m->n;
        }
        for (int64_t k = 0; k < m->n; k++)
            square += (column[k] - sum) * (column[k] - sum) / (double)m->n;
        anpe_sort(m->n, column);
        printf("%s\"%s\": {\"median\": %.17g, \"sd\": %.17g}", i ? ", " : "", label[i].name,
               anpe_quantile_sorted(m->n, column, 0.5), sqrt(square));
    }
}

static anpe_status run_star(reference *r, anpe_ctx *ctx, anpe_input *in, int64_t row, double ess)
{
    anpe_rng rng = anpe_rng_make(77, ANPE_FOR_EXACT, row, 7);
    anpe_ensemble_result m;
    anpe_status status;
    double chi2, *column = NULL;
    int64_t n_good, best = 0;
    ANPE_TRY(prepare(r, ctx, in, row, &rng));
    ANPE_TRY(anpe_ensemble_run(r->ensemble, ctx, density, r, &rng, 1.01, ess, 1000000, &m));
    if (ANPE_NEW(ctx, column, m.n))
        return ANPE_ENOMEM;
    for (int64_t k = 1; k < m.n; k++)
        best = m.log_value[k] > m.log_value[best] ? k : best;
    ANPE_TRY(best_fit(r, ctx, m.y + best * r->d, &rng, &chi2, &n_good));
    printf("{\"row\": %lld, \"rhat\": %.4f, \"ess\": %.0f, \"evaluations\": %lld, \"chi2\": %.10g, "
           "\"n_good\": %lld, \"labels\": {",
           (long long)row, m.rhat, m.ess, (long long)m.n_evaluations, chi2, (long long)n_good);
    print_labels(r, &m, column);
    printf("}}\n");
    fflush(stdout);
out:
    free(column);
    return status;
}

static anpe_status run(anpe_ctx *ctx, reference *r, char **argument)
{
    anpe_input in = {0};
    anpe_status status;
    ANPE_TRY(anpe_model_open(ctx, argument[1], &r->model));
    r->d = r->model->map->n;
    r->walkers = 2 * r->d + 2 < 16 ? 16 : 2 * r->d + 2;
    if (r->d > MOST || 4 * r->walkers > STARTS)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%lld labels are too many here", (long long)r->d);
    ANPE_TRY(anpe_task_open_likelihood(ctx, r->model->task));
    ANPE_TRY(anpe_session_new(ctx, r->model, STARTS, &r->session));
    ANPE_TRY(anpe_likelihood_new(ctx, r->model->task, &r->likelihood));
    ANPE_TRY(
        anpe_ensemble_new(ctx, &(anpe_ensemble_setup){r->d, r->walkers, 4, 50000}, &r->ensemble));
    ANPE_TRY(anpe_spectrum_new(ctx, anpe_task_size(r->model->task), &r->spectrum));
    ANPE_TRY(anpe_input_open(&r->model->task->instrument, ctx, argument[2], &in));
    for (int64_t row = 0; row < atoll(argument[3]); row++)
        ANPE_TRY(run_star(r, ctx, &in, row, atof(argument[4])));
out:
    anpe_input_close(&in);
    anpe_spectrum_clear(&r->spectrum);
    anpe_ensemble_free(r->ensemble);
    anpe_likelihood_free(r->likelihood);
    anpe_session_free(r->session);
    anpe_model_close(r->model);
    return status;
}

int main(int n, char **argument)
{
    static reference r;
    if (n != 5) {
        fprintf(stderr, "usage: exact_reference MODEL SPECTRA N ESS\n");
        return 2;
    }
    anpe_ctx *ctx = anpe_ctx_new();
    const anpe_status status = ctx ? run(ctx, &r, argument) : ANPE_ENOMEM;
    if (status)
        fprintf(stderr, "exact_reference: %s\n", ctx ? anpe_error(ctx) : "out of memory");
    anpe_ctx_free(ctx);
    return status != ANPE_OK;
}
