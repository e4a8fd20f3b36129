/* R-hat and autocorrelation time. */
#include "stat/convergence.h"
#include "stat/moments.h"
#include "stat/normal.h"
#include <math.h>

/* Normal scores of the ranks, equal values sharing their mean rank. scratch holds the values. */
static void rank_normalise(int64_t n, anpe_ranked *r, double *z)
{
    anpe_sort_ranked(n, r);
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && r[end].value == r[i].value;)
            end++;
        const double rank = 0.5 * (double)(i + 1 + end);
        const double score = anpe_normal_quantile((rank - 0.375) / ((double)n + 0.25));
        for (int64_t j = i; j < end; j++)
            z[r[j].at] = score;
    }
}

/* Chain c has its values at z[c n] ...; `length` of them count. */
static double split_rhat(int64_t chains, int64_t n, const double *z)
{
    const int64_t half = n / 2, m = 2 * chains;
    double grand = 0, between = 0, within = 0;
    for (int64_t c = 0; c < m; c++) {
        const double *v = z + c / 2 * n + (c % 2 ? n - half : 0);
        const anpe_moments chain = anpe_moments_of(half, v, 1);
        const double mean = anpe_moments_mean(&chain);
        within += anpe_moments_sample_variance(&chain) / (double)m;
        const double shift = mean - grand; /* Welford */
        grand += shift / (double)(c + 1);
        between += shift * (mean - grand);
    }
    between /= (double)(m - 1); /* variance of the means */
    if (!(within > 0))
        return INFINITY;
    return sqrt((double)(half - 1) / (double)half + between / within);
}

double anpe_rank_rhat(int64_t chains, int64_t n, const double *value, double *z,
                      anpe_ranked *scratch)
{
    const int64_t all = chains * n;
    if (n < 4)
        return INFINITY;
    for (int64_t i = 0; i < all; i++)
        scratch[i] = (anpe_ranked){value[i], i};
    rank_normalise(all, scratch, z);
    const double median = 0.5 * (scratch[(all - 1) / 2].value + scratch[all / 2].value);
    const double bulk = split_rhat(chains, n, z);
    for (int64_t i = 0; i < all; i++)
        scratch[i] = (anpe_ranked){fabs(value[i] - median), i};
    rank_normalise(all, scratch, z);
    return fmax(bulk, split_rhat(chains, n, z));
}

static double autocovariance(int64_t steps, int64_t walkers, const double *v, double mean,
                             int64_t lag)
{
    double sum = 0;
    for (int64_t i = 0; i < (steps - lag) * walkers; i++)
        sum += (v[i] - mean) * (v[i + lag * walkers] - mean);
    return sum / (double)((steps - lag) * walkers);
}

double anpe_autocorrelation_time(int64_t steps, int64_t walkers, const double *v)
{
    const int64_t n = steps * walkers;
    double mean = 0, time = 1;
    for (int64_t i = 0; i < n; i++)
        mean += v[i] / (double)n;
    const double variance = autocovariance(steps, walkers, v, mean, 0);
    if (!(variance > 1e-24 * mean * mean)) /* nothing moves: rounding */
        return INFINITY;
    for (int64_t lag = 1; lag < steps / 2 && (double)lag < 5 * time; lag++)
        time += 2 * autocovariance(steps, walkers, v, mean, lag) / variance;
    return fmax(time, 1);
}
