/* Statistics of calibration; definitions and papers in the header. */
#include <config.h>
#include "validate/calibration.h"
#include "stat/normal.h"
#include "stat/order.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* ---- distributions ----------------------------------------------------------------------- */

/* P(a, x) = x^a e^-x / Gamma(a + 1) sum_k x^k / ((a + 1) ... (a + k)). */
static double gamma_p_series(double a, double x)
{
    double term = 1, sum = 1;
    for (int k = 1; k < 100000 && term > sum * DBL_EPSILON; k++) {
        term *= x / (a + k);
        sum += term;
    }
    return sum * exp(a * log(x) - x - lgamma(a + 1));
}

/* Q(a, x) = x^a e^-x / Gamma(a) / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...)), evaluated from the
 * front by the modified method of Lentz. */
static double gamma_q_fraction(double a, double x)
{
    double b = x + 1 - a, d = 1 / b, c = 1 / DBL_MIN, h = d;
    for (int k = 1; k < 100000; k++) {
        const double n = k * (a - k);
        b += 2;
        d = b + n * d;
        c = b + n / c;
        d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
        c = fabs(c) < DBL_MIN ? DBL_MIN : c;
        h *= d * c;
        if (fabs(d * c - 1) < 4 * DBL_EPSILON)
            break;
    }
    return h * exp(a * log(x) - x - lgamma(a));
}

double anpe_gamma_q(double a, double x)
{
    if (!(a > 0) || !(x >= 0))
        return NAN;
    if (x == 0)
        return 1;
    if (isinf(x))
        return 0;
    return x < a + 1 ? 1 - gamma_p_series(a, x) : gamma_q_fraction(a, x);
}

double anpe_chi2_survival(double chi2, double freedom)
{
    return anpe_gamma_q(0.5 * freedom, 0.5 * chi2);
}

/* Q(t) = 2 sum_k (-1)^(k-1) exp(-2 k^2 t^2), t = d (sqrt n + 0.12 + 0.11 / sqrt n) (Stephens 1970);
 * below t = 0.3 it is 1 to 1e-5 and the alternating series is of no use. */
double anpe_kolmogorov_survival(int64_t n, double d)
{
    const double root = sqrt((double)n), t = d * (root + 0.12 + 0.11 / root);
    double sum = 0;
    if (n < 1 || !(d >= 0))
        return NAN;
    if (t < 0.3)
        return 1;
    for (int k = 1; k <= 20; k++)
        sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * t * t);
    return fmin(fmax(sum, 0), 1);
}

double anpe_uniform_distance(int64_t n, const double *sorted)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, sorted[i] - (double)i / (double)n);
        most = fmax(most, (double)(i + 1) / (double)n - sorted[i]);
    }
    return most;
}

/* Each step is half a place from the level, on both sides. */
double anpe_level_distance(int64_t n, const double *sorted, int64_t n_draws)
{
    return fmax(anpe_uniform_distance(n, sorted) - 0.5 / (double)(n_draws + 1), 0);
}

/* ---- one mock ---------------------------------------------------------------------------- */

int64_t anpe_rank_of(double truth, int64_t n, const double *draw, int64_t stride, double u)
{
    int64_t less = 0, equal = 0;
    for (int64_t k = 0; k < n; k++) {
        less += draw[k * stride] < truth;
        equal += draw[k * stride] == truth;
    }
    return less + (int64_t)(u * (double)(equal + 1));
}

/* The truth is one more draw: its rank among n + 1 places, in the middle of its place. */
static double level_of(int64_t rank, int64_t n)
{
    return ((double)rank + 0.5) / (double)(n + 1);
}

double anpe_density_level(double log_q_truth, int64_t n, const float *log_q)
{
    int64_t higher = 0;
    for (int64_t k = 0; k < n; k++)
        higher += (double)log_q[k] > log_q_truth;
    return level_of(higher, n);
}

static double distance2(int64_t n, const double *a, const double *b, const double *scale)
{
    double sum = 0;
    for (int64_t d = 0; d < n; d++) {
        const double x = (a[d] - b[d]) / scale[d];
        sum += x * x;
    }
    return sum;
}

double anpe_tarp_level(int64_t n_labels, const double *truth, const double *reference,
                       const double *scale, int64_t n, const double *draw)
{
    const double mine = distance2(n_labels, truth, reference, scale);
    int64_t nearer = 0;
    for (int64_t k = 0; k < n; k++)
        nearer += distance2(n_labels, draw + k * n_labels, reference, scale) < mine;
    return level_of(nearer, n);
}

/* ---- many mocks -------------------------------------------------------------------------- */

/* First rank of bin b: bins hold floor or ceil of (n_draws + 1) / bins of them. */
static int64_t first_rank(int b, int bins, int64_t n_draws)
{
    return (n_draws + 1) * b / bins;
}

double anpe_rank_p(int64_t n, const int64_t *rank, int64_t stride, int64_t n_draws, int *bins,
                   int64_t *count)
{
    int64_t in[ANPE_RANK_BINS] = {0};
    int n_bins = n / 25 < ANPE_RANK_BINS ? (int)(n / 25) : ANPE_RANK_BINS;
    double chi2 = 0;
    if (n_draws + 1 < n_bins)
        n_bins = (int)(n_draws + 1);
    if (n < 50 || n_bins < 2)
        n_bins = 1;
    if (bins)
        *bins = n_bins;
    for (int64_t i = 0; i < n; i++) {
        int b = (int)((rank[i * stride] * n_bins) / (n_draws + 1));
        b += b + 1 < n_bins && rank[i * stride] >= first_rank(b + 1, n_bins, n_draws);
        in[b]++;
    }
    for (int b = 0; b < n_bins; b++) {
        const int64_t width = first_rank(b + 1, n_bins, n_draws) - first_rank(b, n_bins, n_draws);
        const double expected = (double)n * (double)width / (double)(n_draws + 1);
        chi2 += ((double)in[b] - expected) * ((double)in[b] - expected) / expected;
    }
    if (count)
        memcpy(count, in, sizeof in);
    return n_bins > 1 ? anpe_chi2_survival(chi2, n_bins - 1) : NAN;
}

anpe_level_test anpe_level_test_of(int64_t n, const double *level, int64_t n_draws, double *scratch)
{
    anpe_level_test t = {NAN, NAN, NAN, NAN, NAN};
    double sum = 0;
    int64_t in68 = 0, in95 = 0;
    if (n < 1)
        return t;
    for (int64_t i = 0; i < n; i++) {
        scratch[i] = level[i];
        sum += level[i];
        in68 += level[i] <= ANPE_COVER68;
        in95 += level[i] <= ANPE_COVER95;
    }
    anpe_sort(n, scratch);
    t.distance = anpe_level_distance(n, scratch, n_draws);
    t.mean = sum / (double)n;
    const double pull = fabs(t.mean - 0.5) * sqrt(12.0 * (double)n); /* in its sd */
    t.p = fmin(1, 2 * fmin(anpe_kolmogorov_survival(n, t.distance), erfc(pull * M_SQRT1_2)));
    t.cover68 = (double)in68 / (double)n;
    t.cover95 = (double)in95 / (double)n;
    return t;
}
