/* Importance weights. The tail has min(n / 5, 3 sqrt n) draws, and the shape is drawn towards 1/2
 * as if by ten more of them, as Vehtari et al. (2024) have it. */
#include "stat/importance.h"
#include <math.h>

enum { MOST_GRID = 512 };

/* ---- generalised Pareto ------------------------------------------------------------------ */

static double mean_log1p(int64_t n, const anpe_ranked *x, double b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += log1p(-b * x[i].value);
    return sum / (double)n;
}

/* Zhang & Stephens (2009): the mean of b = -k / sigma over a grid, weighted by the profile
 * likelihood. */
void anpe_pareto_fit(int64_t n, const anpe_ranked *x, double *k, double *sigma)
{
    const int64_t wanted = 30 + (int64_t)sqrt((double)n),
                  m = wanted < MOST_GRID ? wanted : MOST_GRID;
    double b[MOST_GRID], profile[MOST_GRID], top = -INFINITY, sum = 0, mean = 0;
    int64_t quarter = (int64_t)((double)n / 4 + 0.5) - 1;
    while (!(x[quarter].value > 0))
        quarter++;
    for (int64_t j = 0; j < m; j++) {
        b[j] =
            1 / x[n - 1].value + (1 - sqrt((double)m / ((double)j + 0.5))) / (3 * x[quarter].value);
        const double kj = mean_log1p(n, x, b[j]);
        profile[j] = b[j] == 0 ? -INFINITY : (double)n * (log(-b[j] / kj) - kj - 1);
        top = fmax(top, profile[j]);
    }
    for (int64_t j = 0; j < m; j++) {
        const double w = exp(profile[j] - top);
        sum += w;
        mean += w * b[j];
    }
    mean /= sum;
    *k = mean_log1p(n, x, mean);
    *sigma = -*k / mean;
}

static double pareto_quantile(double k, double sigma, double p)
{
    const double e = -log1p(-p);
    return fabs(k) < 1e-12 ? sigma * e : sigma * expm1(k * e) / k;
}

/* ---- weights ----------------------------------------------------------------------------- */

/* Draws in the tail, or 0 when there are too few weights above zero for one. */
static int64_t tail_length(int64_t n, int64_t n_positive)
{
    const double wanted = fmin(0.2 * (double)n, 3 * sqrt((double)n));
    const int64_t m = (int64_t)ceil(wanted), most = n_positive - 1;
    const int64_t tail = m < most ? m : most;
    return tail < 5 ? 0 : tail;
}

/* What the mean square of the m tail weights, relative to the largest, has over that of the fitted
 * Pareto distribution: squares of weights that are rare and did not come up. It is infinite from
 * k = 1/2 on; a tail that is given 0.45 at most has an error that is large and a number. */
static double missing_square(int64_t m, const anpe_ranked *tail, double cut, double k, double sigma)
{
    const double c = fmin(k, 0.45), excess = sigma / (1 - c);
    const double square = cut * cut + 2 * cut * excess + 2 * sigma * excess / (1 - 2 * c);
    double seen = 0;
    for (int64_t i = 0; i < m; i++)
        seen += (cut + tail[i].value) * (cut + tail[i].value);
    return fmax((double)m * square - seen, 0);
}

/* Smooths the m largest of the sorted weights r (n): returns k-hat, and in *missing the sum of
 * squares that the tail did not show. In r the tail is left as what it exceeds the rest by. */
static double smooth_tail(int64_t n, int64_t m, anpe_ranked *r, double *log_weight, double *missing)
{
    anpe_ranked *tail = r + n - m;
    const double top = r[n - 1].value, cut = exp(tail[-1].value - top);
    double k, sigma;
    for (int64_t i = 0; i < m; i++)
        tail[i].value = exp(tail[i].value - top) - cut;
    if (!(tail[m - 1].value > 0))
        return -INFINITY;
    anpe_pareto_fit(m, tail, &k, &sigma);
    k = ((double)m * k + 5) / ((double)m + 10);
    if (!isfinite(k))
        return INFINITY;
    for (int64_t i = 0; i < m; i++) {
        const double q = pareto_quantile(k, sigma, ((double)i + 0.5) / (double)m);
        log_weight[tail[i].at] = top + fmin(log(cut + q), 0);
    }
    *missing = missing_square(m, tail, cut, k, sigma);
    return k;
}

double anpe_log_add(double a, double b)
{
    const double top = fmax(a, b);
    return top == -INFINITY ? top : top + log1p(exp(fmin(a, b) - top));
}

/* Mean of exp(w), of the raw weights, which has no bias, and its relative error. */
static void evidence(int64_t n, const double *w, double top, anpe_weights_summary *s)
{
    double sum = 0, square = 0;
    for (int64_t i = 0; i < n; i++) {
        const double e = exp(w[i] - top);
        sum += e;
        square += e * e;
    }
    const double mean = sum / (double)n;
    s->log_evidence = top + log(mean);
    s->log_evidence_err =
        n > 1 ? sqrt(fmax(square / (double)n - mean * mean, 0) / (double)(n - 1)) / mean : INFINITY;
}

double anpe_weights_ess(int64_t n, const double *w, double power)
{
    double top = -INFINITY, sum = 0, square = 0;
    for (int64_t i = 0; i < n; i++)
        top = fmax(top, w[i]);
    for (int64_t i = 0; i < n && isfinite(top); i++) {
        const double e = exp(power * (w[i] - top));
        sum += e;
        square += e * e;
    }
    return square > 0 ? sum * sum / square : 0;
}

double anpe_log_normalise(int64_t n, double *w)
{
    double top = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        top = fmax(top, w[i]);
    for (int64_t i = 0; i < n; i++)
        sum += exp(w[i] - top);
    const double total = top + log(sum);
    for (int64_t i = 0; i < n; i++)
        w[i] -= total;
    return total;
}

anpe_weights_summary anpe_weights_smooth(int64_t n, double *w, anpe_ranked *r)
{
    anpe_weights_summary s = {INFINITY, 0, -INFINITY, INFINITY};
    int64_t positive = 0;
    for (int64_t i = 0; i < n; i++) {
        w[i] = isnan(w[i]) ? -INFINITY : w[i];
        r[i] = (anpe_ranked){w[i], i};
        positive += w[i] > -INFINITY;
    }
    if (positive == 0)
        return s;
    anpe_sort_ranked(n, r);
    const double top = r[n - 1].value;
    const int64_t m = tail_length(n, positive);
    evidence(n, w, top, &s);
    if (m) {
        double missing = 0;
        const double raw = s.log_evidence_err;
        s.khat = smooth_tail(n, m, r, w, &missing);
        s.log_evidence_err =
            sqrt(raw * raw + missing / ((double)n * (double)n * exp(2 * (s.log_evidence - top))));
    }
    (void)anpe_log_normalise(n, w);
    s.ess = anpe_weights_ess(n, w, 1);
    return s;
}

double anpe_khat_limit(int64_t n)
{
    return n > 10 ? fmin(1 - 1 / log10((double)n), 0.7) : 0;
}

/* ---- statistics of weighted draws -------------------------------------------------------- */

void anpe_weighted_moments(int64_t n, const double *value, int64_t stride, const double *log_weight,
                           double *mean, double *sd)
{
    double sum = 0, square = 0, weight2 = 0;
    for (int64_t i = 0; i < n; i++)
        sum += exp(log_weight[i]) * value[i * stride];
    for (int64_t i = 0; i < n; i++) {
        const double w = exp(log_weight[i]), d = value[i * stride] - sum;
        square += w * d * d;
        weight2 += w * w;
    }
    *mean = sum;
    *sd = weight2 < 1 ? sqrt(square / (1 - weight2)) : NAN; /* n / (n - 1) for equal weights */
}

void anpe_weighted_quantiles(int64_t n, const double *value, int64_t stride,
                             const double *log_weight, int n_q, const double *p, double *q,
                             anpe_ranked *r)
{
    for (int64_t i = 0; i < n; i++)
        r[i] = (anpe_ranked){value[i * stride], i};
    anpe_sort_ranked(n, r);
    for (int j = 0; j < n_q; j++) {
        double below = 0, middle = 0, last_middle = 0, last = NAN;
        q[j] = NAN;
        for (int64_t i = 0; i < n; i++) {
            const double w = exp(log_weight[r[i].at]);
            if (!(w > 0))
                continue;
            middle = below + 0.5 * w;
            q[j] = r[i].value;
            if (middle >= p[j]) {
                if (!isnan(last))
                    q[j] =
                        last + (r[i].value - last) * (p[j] - last_middle) / (middle - last_middle);
                break;
            }
            below += w;
            last_middle = middle;
            last = r[i].value;
        }
    }
}

void anpe_weighted_resample(int64_t n, const double *log_weight, double u, int64_t m, int64_t *row)
{
    int64_t i = 0, last = n - 1;
    double reached = exp(log_weight[0]);
    while (last > 0 && !(exp(log_weight[last]) > 0)) /* rounding may leave the sum below u */
        last--;
    for (int64_t j = 0; j < m; j++) {
        const double at = ((double)j + u) / (double)m;
        while (reached < at && i < last)
            reached += exp(log_weight[++i]);
        row[j] = i;
    }
}
