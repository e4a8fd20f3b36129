/* What contexts and residuals of mocks look like, and how unusual a spectrum is among them. */
#include <config.h>
#include "npe/misfit.h"
#include "base/linear.h"
#include "npe/recovery.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BIN = 100, MAX_KNOTS = 8 };

/* ---- memory ----------------------------------------------------------------------------------
 */

static anpe_misfit *new_misfit(int64_t n_contexts, int64_t n_statistics, int64_t n_knots,
                               int64_t n_scores)
{
    const size_t f = (size_t)n_contexts, b = (size_t)n_knots, k = (size_t)n_statistics;
    anpe_misfit *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->n_contexts = n_contexts;
    m->n_statistics = n_statistics;
    m->n_knots = n_knots;
    m->n_scores = n_scores;
    m->mean = calloc(f + 1, sizeof *m->mean);
    m->whiten = calloc(f * f + 1, sizeof *m->whiten);
    m->knot = calloc(b + 1, sizeof *m->knot);
    m->centre = calloc(b * k + 1, sizeof *m->centre);
    m->width = calloc(b * k + 1, sizeof *m->width);
    m->context_score = calloc((size_t)n_scores + 1, sizeof *m->context_score);
    m->residual_score = calloc((size_t)n_scores + 1, sizeof *m->residual_score);
    if (!m->mean || !m->whiten || !m->knot || !m->centre || !m->width || !m->context_score ||
        !m->residual_score)
        return anpe_misfit_free(m);
    return m;
}

anpe_misfit *anpe_misfit_free(anpe_misfit *m)
{
    if (!m)
        return NULL;
    free(m->mean);
    free(m->whiten);
    free(m->knot);
    free(m->centre);
    free(m->width);
    free(m->context_score);
    free(m->residual_score);
    free(m);
    return NULL;
}

/* ---- contexts --------------------------------------------------------------------------------
 */

/* Covariance shrunk towards its diagonal by F / n, the part of it that is noise. */
static void learn_contexts(anpe_misfit *m, int64_t n, const float *context)
{
    const int64_t f = m->n_contexts;
    const double shrink = fmin(1, (double)f / (double)n);
    double trace = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < f; j++)
            m->mean[j] += (double)context[i * f + j] / (double)n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < f; j++)
            for (int64_t k = 0; k <= j; k++)
                m->whiten[j * f + k] += ((double)context[i * f + j] - m->mean[j]) *
                                        ((double)context[i * f + k] - m->mean[k]) / (double)n;
    for (int64_t j = 0; j < f; j++)
        trace += m->whiten[j * f + j];
    for (int64_t j = 0; j < f; j++) {
        for (int64_t k = 0; k < j; k++)
            m->whiten[j * f + k] *= 1 - shrink;
        m->whiten[j * f + j] += 1e-6 * trace / (double)f + DBL_MIN; /* a feature may be constant */
    }
    (void)anpe_cholesky(f, m->whiten, f, 0);
    anpe_cholesky_invert(f, m->whiten, f);
}

static double context_distance(const anpe_misfit *m, const float *context, double *scratch)
{
    const int64_t f = m->n_contexts;
    double square = 0;
    for (int64_t j = 0; j < f; j++)
        scratch[j] = (double)context[j] - m->mean[j];
    for (int64_t j = 0; j < f; j++) {
        double sum = 0;
        for (int64_t k = 0; k <= j; k++)
            sum += m->whiten[j * f + k] * scratch[k];
        square += sum * sum;
    }
    return f ? sqrt(square / (double)f) : NAN;
}

/* ---- residuals -------------------------------------------------------------------------------
 */

/* Median and the width that the upper tail would have if it were normal, of n values. */
static void usual(int64_t n, double *v, double *centre, double *width)
{
    anpe_sort(n, v);
    *centre = anpe_quantile_sorted(n, v, 0.5);
    *width = fmax((anpe_quantile_sorted(n, v, 0.95) - *centre) / 1.644853626951473, 1e-3);
}

typedef struct ranked {
    double snr;
    int64_t mock;
} ranked;

/* order (n): mocks by S/N. */
static void learn_residuals(anpe_misfit *m, int64_t n, const ranked *order, const double *value,
                            double *scratch)
{
    const int64_t k = m->n_statistics;
    for (int64_t b = 0; b < m->n_knots; b++) {
        const int64_t first = n * b / m->n_knots, last = n * (b + 1) / m->n_knots;
        m->knot[b] = log10(fmax(order[(first + last) / 2].snr, DBL_MIN));
        for (int64_t j = 0; j < k; j++) {
            for (int64_t i = first; i < last; i++)
                scratch[i - first] = value[order[i].mock * k + j];
            usual(last - first, scratch, &m->centre[b * k + j], &m->width[b * k + j]);
        }
    }
}

/* Between the knots around log10 S/N: weight of the second. */
static int64_t find_knot(const anpe_misfit *m, double snr, double *weight)
{
    const double x = log10(fmax(snr, DBL_MIN));
    int64_t b = 0;
    *weight = 0;
    while (b + 2 < m->n_knots && x > m->knot[b + 1])
        b++;
    if (m->n_knots > 1 && m->knot[b + 1] > m->knot[b])
        *weight = fmin(fmax((x - m->knot[b]) / (m->knot[b + 1] - m->knot[b]), 0), 1);
    return b;
}

static double residual_score(const anpe_misfit *m, const double *value, double snr, int64_t *worst)
{
    const int64_t k = m->n_statistics;
    double w, most = -INFINITY;
    const int64_t b = find_knot(m, snr, &w), next = b + 1 < m->n_knots ? b + 1 : b;
    *worst = -1;
    for (int64_t j = 0; j < k; j++) {
        const double centre = (1 - w) * m->centre[b * k + j] + w * m->centre[next * k + j];
        const double width = (1 - w) * m->width[b * k + j] + w * m->width[next * k + j];
        const double deviate = (value[j] - centre) / width;
        if (deviate > most) {
            most = deviate;
            *worst = j;
        }
    }
    return *worst < 0 ? NAN : most;
}

/* ---- judging ---------------------------------------------------------------------------------
 */

/* (1 + how many of the sorted are at least x) / (n + 1). */
static double tail_p(int64_t n, const double *sorted, double x)
{
    int64_t low = 0, high = n;
    if (!isfinite(x))
        return NAN;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return (double)(1 + n - low) / (double)(n + 1);
}

anpe_misfit_view anpe_misfit_judge(const anpe_misfit *m, const float *context, const double *value,
                                   double snr, double bad_fraction, double *scratch)
{
    anpe_misfit_view v = {.worst = -1};
    v.value[ANPE_MISFIT_CONTEXT] = context_distance(m, context, scratch);
    v.value[ANPE_MISFIT_PREDICTIVE] =
        value && m->n_statistics ? residual_score(m, value, snr, &v.worst) : NAN;
    v.value[ANPE_MISFIT_BAD_PIXELS] = bad_fraction;
    v.value[ANPE_MISFIT_SNR_LOW] = -snr;
    v.value[ANPE_MISFIT_SNR_HIGH] = snr;
    v.p_context = tail_p(m->n_scores, m->context_score, v.value[ANPE_MISFIT_CONTEXT]);
    v.p_predictive = m->n_statistics
                         ? tail_p(m->n_scores, m->residual_score, v.value[ANPE_MISFIT_PREDICTIVE])
                         : NAN;
    return v;
}

/* The value that the fraction `rate` of the n sorted ones is expected to exceed among new ones. */
static double threshold_of(int64_t n, const double *sorted, double rate)
{
    const int64_t k = (int64_t)ceil((1 - rate) * (double)(n + 1));
    return sorted[(k < 1 ? 1 : k > n ? n : k) - 1];
}

/* ---- learning --------------------------------------------------------------------------------
 */

typedef struct mocks {
    int64_t n, n_contexts, n_statistics;
    const float *context;
    const double *value, *snr, *bad_fraction;
    double *scratch;
} mocks;

static anpe_misfit_view judge_mock(const anpe_misfit *m, const mocks *s, int64_t i)
{
    return anpe_misfit_judge(m, s->context + i * s->n_contexts,
                             s->n_statistics ? s->value + i * s->n_statistics : NULL, s->snr[i],
                             s->bad_fraction[i], s->scratch);
}

static int by_snr(const void *a, const void *b)
{
    const double x = ((const ranked *)a)->snr, y = ((const ranked *)b)->snr;
    return (x > y) - (x < y);
}

static void learn_usual(anpe_misfit *m, const mocks *s, int64_t n, ranked *order)
{
    learn_contexts(m, n, s->context);
    if (!s->n_statistics)
        return;
    for (int64_t i = 0; i < n; i++)
        order[i] = (ranked){s->snr[i], i};
    qsort(order, (size_t)n, sizeof *order, by_snr);
    learn_residuals(m, n, order, s->value, s->scratch);
}

/* Quantiles of the mocks from `first` on. The two ends of S/N share the rate. */
static void learn_thresholds(anpe_misfit *m, const mocks *s, int64_t first)
{
    double *kind = s->scratch + 2 * (m->n_contexts + 1);
    for (int j = 0; j < ANPE_N_MISFITS; j++) {
        const double rate = j >= ANPE_MISFIT_SNR_LOW ? 0.5 * m->rate : m->rate;
        for (int64_t i = 0; i < m->n_scores; i++)
            kind[i] = judge_mock(m, s, first + i).value[j];
        anpe_sort(m->n_scores, kind);
        m->threshold[j] = isfinite(kind[0]) ? threshold_of(m->n_scores, kind, rate) : INFINITY;
        if (j <= ANPE_MISFIT_PREDICTIVE)
            memcpy(j ? m->residual_score : m->context_score, kind,
                   (size_t)m->n_scores * sizeof *kind);
    }
}

static void measure_rates(anpe_misfit *m, const mocks *s, int64_t first)
{
    m->n_measured = s->n - first;
    for (int64_t i = first; i < s->n; i++) {
        const anpe_misfit_view v = judge_mock(m, s, i);
        for (int j = 0; j < ANPE_N_MISFITS; j++)
            m->measured[j] += (v.value[j] > m->threshold[j]) / (double)m->n_measured;
    }
}

anpe_status anpe_misfit_learn(anpe_ctx *ctx, int64_t n, int64_t n_contexts, const float *context,
                              int64_t n_statistics, const double *value, const double *snr,
                              const double *bad_fraction, double rate, anpe_misfit **out)
{
    mocks s = {n, n_contexts, n_statistics, context, value, snr, bad_fraction, NULL};
    const int64_t fit = 2 * n / 5, score = 3 * n / 10;
    const int64_t knots = fit / BIN < 1 ? 1 : fit / BIN > MAX_KNOTS ? MAX_KNOTS : fit / BIN;
    *out = NULL;
    if (n < ANPE_MISFIT_MIN_MOCKS)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%lld mocks are too few for thresholds, %d are needed",
                         (long long)n, ANPE_MISFIT_MIN_MOCKS);
    anpe_misfit *m = new_misfit(n_contexts, n_statistics, knots, score);
    ranked *order = malloc((size_t)n * sizeof *order);
    s.scratch = malloc((size_t)(n + 2 * n_contexts + 2) * sizeof *s.scratch);
    if (!m || !order || !s.scratch) {
        anpe_misfit_free(m);
        free(order);
        free(s.scratch);
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "thresholds: out of memory");
    }
    m->rate = rate;
    learn_usual(m, &s, fit, order);
    learn_thresholds(m, &s, fit);
    measure_rates(m, &s, fit + score);
    free(order);
    free(s.scratch);
    *out = m;
    return ANPE_OK;
}

/* ---- in the model file -----------------------------------------------------------------------
 */

#define GROUP "validation/thresholds"

static anpe_status put(anpe_ctx *ctx, anpe_h5 *f, const char *name, int rank, int64_t rows,
                       int64_t columns, const double *v)
{
    const int64_t shape[2] = {rows, columns};
    return rows && (rank == 1 || columns)
               ? anpe_h5_write(ctx, f, name, ANPE_H5_DOUBLE, rank, shape, v)
               : ANPE_OK;
}

anpe_status anpe_misfit_write(anpe_ctx *ctx, anpe_h5 *f, const anpe_misfit *m)
{
    const int64_t F = m->n_contexts, K = m->n_statistics, B = m->n_knots;
    const int64_t shape[] = {F, K, B, m->n_scores, m->n_measured};
    anpe_status status;
    ANPE_TRY(put(ctx, f, GROUP "/context_mean", 1, F, 0, m->mean));
    ANPE_TRY(put(ctx, f, GROUP "/context_whiten", 2, F, F, m->whiten));
    ANPE_TRY(put(ctx, f, GROUP "/log_snr", 1, B, 0, m->knot));
    ANPE_TRY(put(ctx, f, GROUP "/residual_centre", 2, B, K, m->centre));
    ANPE_TRY(put(ctx, f, GROUP "/residual_width", 2, B, K, m->width));
    ANPE_TRY(put(ctx, f, GROUP "/context_distance", 1, m->n_scores, 0, m->context_score));
    ANPE_TRY(put(ctx, f, GROUP "/residual_score", 1, m->n_scores, 0, m->residual_score));
    ANPE_TRY(put(ctx, f, GROUP "/threshold", 1, ANPE_N_MISFITS, 0, m->threshold));
    ANPE_TRY(put(ctx, f, GROUP "/measured_rate", 1, ANPE_N_MISFITS, 0, m->measured));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, GROUP, "sizes", ANPE_H5_INT64, 5, shape));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, GROUP, "rate", ANPE_H5_DOUBLE, 1, &m->rate));
out:
    return status;
}

static anpe_status get(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t n, double *v)
{
    return n ? anpe_h5_read(ctx, f, name, ANPE_H5_DOUBLE, n, v) : ANPE_OK;
}

anpe_status anpe_misfit_read(anpe_ctx *ctx, anpe_h5 *f, anpe_misfit **out)
{
    int64_t size[5];
    anpe_misfit *m = NULL;
    anpe_status status;
    ANPE_TRY(anpe_h5_get_numbers(ctx, f, GROUP, "sizes", ANPE_H5_INT64, 5, size));
    for (int i = 0; i < 5; i++)
        if (size[i] < 0 || size[i] > 1 << 20) {
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: " GROUP ": absurd size %lld",
                               anpe_h5_path(f), (long long)size[i]);
            goto out;
        }
    m = new_misfit(size[0], size[1], size[2], size[3]);
    if (!m) {
        status = ANPE_FAIL(ctx, ANPE_ENOMEM, "thresholds: out of memory");
        goto out;
    }
    m->n_measured = size[4];
    ANPE_TRY(get(ctx, f, GROUP "/context_mean", size[0], m->mean));
    ANPE_TRY(get(ctx, f, GROUP "/context_whiten", size[0] * size[0], m->whiten));
    ANPE_TRY(get(ctx, f, GROUP "/log_snr", size[2], m->knot));
    ANPE_TRY(get(ctx, f, GROUP "/residual_centre", size[1] * size[2], m->centre));
    ANPE_TRY(get(ctx, f, GROUP "/residual_width", size[1] * size[2], m->width));
    ANPE_TRY(get(ctx, f, GROUP "/context_distance", size[3], m->context_score));
    ANPE_TRY(get(ctx, f, GROUP "/residual_score", size[3], m->residual_score));
    ANPE_TRY(get(ctx, f, GROUP "/threshold", ANPE_N_MISFITS, m->threshold));
    ANPE_TRY(get(ctx, f, GROUP "/measured_rate", ANPE_N_MISFITS, m->measured));
    ANPE_TRY(anpe_h5_get_numbers(ctx, f, GROUP, "rate", ANPE_H5_DOUBLE, 1, &m->rate));
out:
    if (status)
        m = anpe_misfit_free(m);
    *out = m;
    return status;
}
