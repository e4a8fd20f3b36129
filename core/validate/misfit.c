/* What contexts and residuals of mocks look like, and how unusual a spectrum is among them. */
#include <config.h>
#include "validate/misfit.h"
#include "base/linear.h"
#include "stat/order.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BIN = 100, MAX_KNOTS = 8 };

/* ---- memory ------------------------------------------------------------------------------ */

static anpe_misfit *new_misfit(anpe_ctx *ctx, int64_t n_contexts, int64_t n_statistics,
                               int64_t n_knots, int64_t n_scores)
{
    const int64_t f = n_contexts, b = n_knots, k = n_statistics + 1;
    anpe_misfit *m;
    if (ANPE_NEW(ctx, m, 1))
        return NULL;
    m->n_contexts = n_contexts;
    m->n_statistics = n_statistics;
    m->n_knots = n_knots;
    m->n_scores = n_scores;
    if (ANPE_NEW(ctx, m->mean, f) || ANPE_NEW(ctx, m->whiten, f, f) ||
        ANPE_NEW(ctx, m->knot, b + 1) || ANPE_NEW(ctx, m->centre, b, k) ||
        ANPE_NEW(ctx, m->width, b, k) || ANPE_NEW(ctx, m->context_score, n_scores) ||
        ANPE_NEW(ctx, m->residual_score, n_scores))
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

/* ---- contexts ---------------------------------------------------------------------------- */

/* Covariance shrunk towards its diagonal by F / n, the part of it that is noise. */
static void learn_contexts(anpe_misfit *m, int64_t n, const anpe_misfit_sight *mock)
{
    const int64_t f = m->n_contexts;
    const double shrink = fmin(1, (double)f / (double)n);
    double trace = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < f; j++)
            m->mean[j] += (double)mock[i].context[j] / (double)n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < f; j++)
            for (int64_t k = 0; k <= j; k++)
                m->whiten[j * f + k] += ((double)mock[i].context[j] - m->mean[j]) *
                                        ((double)mock[i].context[k] - m->mean[k]) / (double)n;
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

/* ---- residuals --------------------------------------------------------------------------- */

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

/* Statistics of residuals and, last, the distance of the context. */
static void raw_values(const anpe_misfit *m, const anpe_misfit_sight *s, double *value,
                       double *scratch)
{
    const int64_t k = m->n_statistics;
    for (int64_t j = 0; j < k; j++)
        value[j] = s->value ? s->value[j] : NAN;
    value[k] = context_distance(m, s->context, scratch);
}

/* The width of statistic j, of which each knot has but a rough one, by its neighbours: 1/4 1/2 1/4.
 */
static void smooth_widths(anpe_misfit *m, int64_t j)
{
    const int64_t k = m->n_statistics + 1, last = m->n_knots - 1;
    double before = m->width[j];
    for (int64_t b = 0; b <= last && last > 0; b++) {
        const double here = m->width[b * k + j],
                     after = b < last ? m->width[(b + 1) * k + j] : here;
        m->width[b * k + j] = 0.25 * before + 0.5 * here + 0.25 * after;
        before = here;
    }
}

/* order (n): mocks by S/N; value (n, K + 1). */
static void learn_widths(anpe_misfit *m, int64_t n, const ranked *order, const double *value,
                         double *scratch)
{
    const int64_t k = m->n_statistics + 1;
    for (int64_t b = 0; b < m->n_knots; b++) {
        const int64_t first = n * b / m->n_knots, last = n * (b + 1) / m->n_knots;
        m->knot[b] = log10(fmax(order[(first + last) / 2].snr, DBL_MIN));
        for (int64_t j = 0; j < k; j++) {
            for (int64_t i = first; i < last; i++)
                scratch[i - first] = value[order[i].mock * k + j];
            usual(last - first, scratch, &m->centre[b * k + j], &m->width[b * k + j]);
        }
    }
    for (int64_t j = 0; j < k; j++)
        smooth_widths(m, j);
}

/* Between the knots around log10 S/N: weight of the second. Beyond the last ones as far as they are
 * apart: a knot is in the middle of its mocks, half of the first ones lie below it. */
static int64_t find_knot(const anpe_misfit *m, double snr, double *weight)
{
    const double x = log10(fmax(snr, DBL_MIN));
    int64_t b = 0;
    *weight = 0;
    while (b + 2 < m->n_knots && x > m->knot[b + 1])
        b++;
    if (m->n_knots > 1 && m->knot[b + 1] > m->knot[b])
        *weight = fmin(fmax((x - m->knot[b]) / (m->knot[b + 1] - m->knot[b]), -1), 2);
    return b;
}

/* How many usual widths value j of a spectrum with this S/N lies above the usual. */
static double deviate(const anpe_misfit *m, int64_t j, double value, double snr)
{
    const int64_t k = m->n_statistics + 1;
    double w;
    const int64_t b = find_knot(m, snr, &w), next = b + 1 < m->n_knots ? b + 1 : b;
    const double centre = (1 - w) * m->centre[b * k + j] + w * m->centre[next * k + j];
    const double v = fmin(fmax(w, 0), 1); /* a width is not known well enough to follow its trend */
    return (value - centre) / ((1 - v) * m->width[b * k + j] + v * m->width[next * k + j]);
}

static double residual_score(const anpe_misfit *m, const double *value, double snr, int64_t *worst)
{
    double most = -INFINITY;
    *worst = -1;
    for (int64_t j = 0; j < m->n_statistics; j++) {
        const double d = deviate(m, j, value[j], snr);
        if (d > most) {
            most = d;
            *worst = j;
        }
    }
    return *worst < 0 ? NAN : most;
}

/* ---- judging ----------------------------------------------------------------------------- */

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

anpe_misfit_view anpe_misfit_judge(const anpe_misfit *m, const anpe_misfit_sight *s,
                                   double *scratch)
{
    anpe_misfit_view v = {.worst = -1};
    v.distance = context_distance(m, s->context, scratch);
    v.value[ANPE_MISFIT_CONTEXT] =
        m->n_contexts ? deviate(m, m->n_statistics, v.distance, s->snr) : NAN;
    v.value[ANPE_MISFIT_PREDICTIVE] =
        s->value && m->n_statistics ? residual_score(m, s->value, s->snr, &v.worst) : NAN;
    v.value[ANPE_MISFIT_EDGE] = s->edge_mass;
    v.value[ANPE_MISFIT_BAD_PIXELS] = s->bad_fraction;
    v.value[ANPE_MISFIT_SNR_LOW] = -s->snr;
    v.value[ANPE_MISFIT_SNR_HIGH] = s->snr;
    v.p_context = tail_p(m->n_scores, m->context_score, v.value[ANPE_MISFIT_CONTEXT]);
    v.p_predictive = m->n_statistics
                         ? tail_p(m->n_scores, m->residual_score, v.value[ANPE_MISFIT_PREDICTIVE])
                         : NAN;
    return v;
}

/* ---- learning ---------------------------------------------------------------------------- */

typedef struct mocks {
    int64_t n;
    const anpe_misfit_sight *sight;
    double *value;   /* (n, K + 1) */
    double *kind;    /* (ANPE_N_MISFITS, n_scores) */
    double *sorted;  /* the same, ascending */
    double *scratch; /* (F + n) */
    ranked *order;   /* (n) */
} mocks;

static int by_snr(const void *a, const void *b)
{
    const double x = ((const ranked *)a)->snr, y = ((const ranked *)b)->snr;
    return (x > y) - (x < y);
}

static void learn_usual(anpe_misfit *m, const mocks *s, int64_t n)
{
    learn_contexts(m, n, s->sight);
    for (int64_t i = 0; i < n; i++) {
        raw_values(m, &s->sight[i], s->value + i * (m->n_statistics + 1), s->scratch);
        s->order[i] = (ranked){s->sight[i].snr, i};
    }
    qsort(s->order, (size_t)n, sizeof *s->order, by_snr);
    learn_widths(m, n, s->order, s->value, s->scratch);
}

/* What `above` of the n sorted values exceed, if all differ. */
static double threshold_of(int64_t n, const double *sorted, int64_t above)
{
    return isfinite(sorted[0]) ? sorted[n - 1 - above] : INFINITY;
}

static int content_is_unusual(const anpe_misfit *m, const double *kind, int64_t stride)
{
    int unusual = 0;
    for (int j = 0; j < ANPE_N_CONTENT_MISFITS; j++)
        unusual |= kind[j * stride] > m->threshold[j];
    return unusual;
}

/* Each as low as it can be for no more than `above` of the mocks to exceed one of them. */
static int64_t learn_content_thresholds(anpe_misfit *m, const mocks *s, int64_t above)
{
    const int64_t n = m->n_scores;
    for (int64_t each = above;; each--) {
        int64_t either = 0;
        for (int j = 0; j < ANPE_N_CONTENT_MISFITS; j++)
            m->threshold[j] = threshold_of(n, s->sorted + j * n, each);
        for (int64_t i = 0; i < n; i++)
            either += content_is_unusual(m, s->kind + i, n);
        if (either <= above || each == 0)
            return each;
    }
}

/* Quantiles of the mocks from `first` on. The two ends of S/N share the rate. */
static void learn_thresholds(anpe_misfit *m, const mocks *s, int64_t first)
{
    const int64_t n = m->n_scores, above = (int64_t)floor(m->rate * (double)(n + 1));
    for (int64_t i = 0; i < n; i++) {
        const anpe_misfit_view v = anpe_misfit_judge(m, &s->sight[first + i], s->scratch);
        for (int j = 0; j < ANPE_N_MISFITS; j++)
            s->kind[j * n + i] = s->sorted[j * n + i] = v.value[j];
    }
    for (int j = 0; j < ANPE_N_MISFITS; j++) {
        const int64_t e = j >= ANPE_MISFIT_SNR_LOW ? above / 2 : above;
        anpe_sort(n, s->sorted + j * n);
        m->threshold[j] = threshold_of(n, s->sorted + j * n, e < n ? e : n - 1);
        m->wanted[j] = j >= ANPE_MISFIT_SNR_LOW ? 0.5 * m->rate : m->rate;
    }
    const int64_t each = learn_content_thresholds(m, s, above < n ? above : n - 1);
    for (int j = 0; j < ANPE_N_CONTENT_MISFITS; j++)
        m->wanted[j] = (double)each / (double)(n + 1);
    memcpy(m->context_score, s->sorted, (size_t)n * sizeof *s->sorted);
    memcpy(m->residual_score, s->sorted + n, (size_t)n * sizeof *s->sorted);
}

static void measure_rates(anpe_misfit *m, const mocks *s, int64_t first)
{
    m->n_measured = s->n - first;
    for (int64_t i = first; i < s->n; i++) {
        const anpe_misfit_view v = anpe_misfit_judge(m, &s->sight[i], s->scratch);
        for (int j = 0; j < ANPE_N_MISFITS; j++)
            m->measured[j] += (v.value[j] > m->threshold[j]) / (double)m->n_measured;
        m->measured_content += content_is_unusual(m, v.value, 1) / (double)m->n_measured;
    }
}

static anpe_status learn(anpe_ctx *ctx, mocks *s, double rate, anpe_misfit *m)
{
    const int64_t n = s->n, fit = 2 * n / 5;
    anpe_status status = ANPE_OK;
    ANPE_TRY(ANPE_NEW(ctx, s->value, n, m->n_statistics + 1));
    ANPE_TRY(ANPE_NEW(ctx, s->kind, 2, ANPE_N_MISFITS, m->n_scores));
    ANPE_TRY(ANPE_NEW(ctx, s->scratch, n + m->n_contexts + 1));
    ANPE_TRY(ANPE_NEW(ctx, s->order, n));
    s->sorted = s->kind + ANPE_N_MISFITS * m->n_scores;
    m->rate = rate;
    learn_usual(m, s, fit);
    learn_thresholds(m, s, fit);
    measure_rates(m, s, fit + m->n_scores);
out:
    free(s->value);
    free(s->kind);
    free(s->scratch);
    free(s->order);
    return status;
}

anpe_status anpe_misfit_learn(anpe_ctx *ctx, int64_t n, const anpe_misfit_sight *mock,
                              int64_t n_contexts, int64_t n_statistics, double rate,
                              anpe_misfit **out)
{
    mocks s = {.n = n, .sight = mock};
    const int64_t bins = 2 * n / 5 / BIN;
    const int64_t knots = bins < 1 ? 1 : bins > MAX_KNOTS ? MAX_KNOTS : bins;
    *out = NULL;
    if (n < ANPE_MISFIT_MIN_MOCKS)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%lld mocks are too few for thresholds, %d are needed",
                         (long long)n, ANPE_MISFIT_MIN_MOCKS);
    anpe_misfit *m = new_misfit(ctx, n_contexts, n_statistics, knots, 3 * n / 10);
    if (!m)
        return ANPE_ENOMEM;
    anpe_status status = learn(ctx, &s, rate, m);
    *out = status ? anpe_misfit_free(m) : m;
    return status;
}

/* ---- in the model file ------------------------------------------------------------------- */

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
    ANPE_TRY(put(ctx, f, GROUP "/usual_centre", 2, B, K + 1, m->centre));
    ANPE_TRY(put(ctx, f, GROUP "/usual_width", 2, B, K + 1, m->width));
    ANPE_TRY(put(ctx, f, GROUP "/context_score", 1, m->n_scores, 0, m->context_score));
    ANPE_TRY(put(ctx, f, GROUP "/residual_score", 1, m->n_scores, 0, m->residual_score));
    ANPE_TRY(put(ctx, f, GROUP "/threshold", 1, ANPE_N_MISFITS, 0, m->threshold));
    ANPE_TRY(put(ctx, f, GROUP "/wanted_rate", 1, ANPE_N_MISFITS, 0, m->wanted));
    ANPE_TRY(put(ctx, f, GROUP "/measured_rate", 1, ANPE_N_MISFITS, 0, m->measured));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, GROUP, "measured_content_rate", ANPE_H5_DOUBLE, 1,
                                 &m->measured_content));
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
    m = new_misfit(ctx, size[0], size[1], size[2], size[3]);
    if (!m) {
        status = ANPE_ENOMEM;
        goto out;
    }
    m->n_measured = size[4];
    ANPE_TRY(get(ctx, f, GROUP "/context_mean", size[0], m->mean));
    ANPE_TRY(get(ctx, f, GROUP "/context_whiten", size[0] * size[0], m->whiten));
    ANPE_TRY(get(ctx, f, GROUP "/log_snr", size[2], m->knot));
    ANPE_TRY(get(ctx, f, GROUP "/usual_centre", (size[1] + 1) * size[2], m->centre));
    ANPE_TRY(get(ctx, f, GROUP "/usual_width", (size[1] + 1) * size[2], m->width));
    ANPE_TRY(get(ctx, f, GROUP "/context_score", size[3], m->context_score));
    ANPE_TRY(get(ctx, f, GROUP "/residual_score", size[3], m->residual_score));
    ANPE_TRY(get(ctx, f, GROUP "/threshold", ANPE_N_MISFITS, m->threshold));
    ANPE_TRY(get(ctx, f, GROUP "/wanted_rate", ANPE_N_MISFITS, m->wanted));
    ANPE_TRY(get(ctx, f, GROUP "/measured_rate", ANPE_N_MISFITS, m->measured));
    ANPE_TRY(anpe_h5_get_numbers(ctx, f, GROUP, "measured_content_rate", ANPE_H5_DOUBLE, 1,
                                 &m->measured_content));
    ANPE_TRY(anpe_h5_get_numbers(ctx, f, GROUP, "rate", ANPE_H5_DOUBLE, 1, &m->rate));
out:
    if (status)
        m = anpe_misfit_free(m);
    *out = m;
    return status;
}
