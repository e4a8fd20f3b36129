/* Statistics of calibration; definitions and papers in the header. */
#include <config.h>
#include "validate/calibration.h"
#include "stat/normal.h"
#include "stat/order.h"
#include <math.h>
#include <string.h>

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
