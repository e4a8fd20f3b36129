/* Statistics of calibration: closed forms, and posteriors that are right, too narrow or shifted. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "stat/moments.h"
#include "validate/calibration.h"
#include <math.h>

static void test_gamma(void)
{
    for (double x = 1e-3; x < 300; x *= 1.3) {
        /* closed forms for 1, 2, 4 and 6 degrees of freedom */
        const double h = x / 2;
        CU_ASSERT(fabs(anpe_chi2_survival(x, 2) / exp(-h) - 1) < 1e-12);
        CU_ASSERT(fabs(anpe_chi2_survival(x, 1) / erfc(sqrt(h)) - 1) < 1e-11);
        CU_ASSERT(fabs(anpe_chi2_survival(x, 4) / (exp(-h) * (1 + h)) - 1) < 1e-12);
        CU_ASSERT(fabs(anpe_chi2_survival(x, 6) / (exp(-h) * (1 + h + h * h / 2)) - 1) < 1e-12);
    }
    CU_ASSERT_EQUAL(anpe_chi2_survival(0, 3), 1);
    CU_ASSERT_EQUAL(anpe_chi2_survival(INFINITY, 3), 0);
    CU_ASSERT(isnan(anpe_chi2_survival(-1, 3)) && isnan(anpe_chi2_survival(NAN, 3)));
    /* many degrees of freedom: the median of chi2 is nu (1 - 2 / (9 nu))^3 to O(1 / nu^2) */
    const double nu = 7000, median = nu * pow(1 - 2 / (9 * nu), 3);
    CU_ASSERT_DOUBLE_EQUAL(anpe_chi2_survival(median, nu), 0.5, 1e-6);
}

/* Small deviations from a large mean keep all their digits; of fewer than two numbers there is no
 * spread. */
static void test_moments(void)
{
    const double value[] = {1e9 + 1, 0, 1e9 + 2, 0, 1e9 + 3, 0, 1e9 + 6, 0};
    const anpe_moments m = anpe_moments_of(4, value, 2), one = anpe_moments_of(1, value, 1);
    CU_ASSERT_EQUAL(anpe_moments_mean(&m), 1e9 + 3);
    CU_ASSERT_EQUAL(anpe_moments_sd(&m), sqrt(3.5));
    CU_ASSERT_EQUAL(anpe_moments_sample_variance(&m), 14.0 / 3);
    CU_ASSERT_EQUAL(m.fourth, 16 + 1 + 0 + 81);
    CU_ASSERT(anpe_moments_sd(&one) == 0 && isnan(anpe_moments_sample_variance(&one)));
    const anpe_moments none = {0};
    CU_ASSERT(anpe_moments_mean(&none) == 0 && anpe_moments_sd(&none) == 0);
}

static void test_kolmogorov(void)
{
    /* limits of t = d sqrt n: 10 %, 5 %, 1 % (Smirnov 1948) */
    const int64_t n = 100000000;
    const double root = sqrt((double)n);
    CU_ASSERT_DOUBLE_EQUAL(anpe_kolmogorov_survival(n, 1.2238 / root), 0.10, 1e-4);
    CU_ASSERT_DOUBLE_EQUAL(anpe_kolmogorov_survival(n, 1.3581 / root), 0.05, 1e-4);
    CU_ASSERT_DOUBLE_EQUAL(anpe_kolmogorov_survival(n, 1.6276 / root), 0.01, 1e-4);
    CU_ASSERT_EQUAL(anpe_kolmogorov_survival(n, 0), 1);
    const double three[] = {0.1, 0.2, 0.9};
    CU_ASSERT_DOUBLE_EQUAL(anpe_uniform_distance(3, three), 2.0 / 3 - 0.2, 1e-15);
}

/* 11 places that are all taken as often as the others are as uniform as 10 draws can tell. */
static void test_few_draws(void)
{
    enum { N = 11 * 400 };
    static double level[N], work[N];
    for (int i = 0; i < N; i++)
        level[i] = (i % 11 + 0.5) / 11;
    const anpe_level_test even = anpe_level_test_of(N, level, 10, work);
    CU_ASSERT(even.distance < 1e-12 && even.p == 1);
    for (int i = 0; i < N; i++)
        level[i] = (i % 11 + 0.5) / 11 * (i % 11 < 10) + 0.5 / 11;
    CU_ASSERT(anpe_level_test_of(N, level, 10, work).p < 1e-6);
}

static void test_one_mock(void)
{
    const double draw[] = {1, 5, 2, 5, 3, 5, 3, 5}; /* (4, 2) */
    CU_ASSERT_EQUAL(anpe_rank_of(0, 4, draw, 2, 0.5), 0);
    CU_ASSERT_EQUAL(anpe_rank_of(9, 4, draw, 2, 0.5), 4);
    CU_ASSERT_EQUAL(anpe_rank_of(2.5, 4, draw, 2, 0.999), 2);
    CU_ASSERT_EQUAL(anpe_rank_of(5, 4, draw + 1, 2, 0.01), 0); /* ties: any of 0..4 */
    CU_ASSERT_EQUAL(anpe_rank_of(5, 4, draw + 1, 2, 0.99), 4);
    const float log_q[] = {-1, -2, -3, -4};
    CU_ASSERT_EQUAL(anpe_density_level(0, 4, log_q), 0.1);
    CU_ASSERT_EQUAL(anpe_density_level(-9, 4, log_q), 0.9);
    const double truth[] = {2.1, 5}, reference[] = {0, 5}, scale[] = {2, 1};
    CU_ASSERT_EQUAL(anpe_tarp_level(2, truth, reference, scale, 4, draw), 0.5); /* 1, 2 nearer */
    /* the scale decides which of two directions counts */
    const double at[] = {1, 1}, zero[] = {0, 0}, pair[] = {2, 0, 0, 2};
    const double wide[] = {100, 1}, high[] = {1, 100};
    CU_ASSERT_EQUAL(anpe_tarp_level(2, at, zero, wide, 1, pair), 0.75);
    CU_ASSERT_EQUAL(anpe_tarp_level(2, at, zero, high, 1, pair), 0.25);
}

static void test_rank_bins(void)
{
    enum { N = 2000, L = 999 };
    static int64_t rank[2 * N];
    int64_t count[ANPE_RANK_BINS];
    int bins;
    for (int i = 0; i < N; i++) {
        rank[2 * i] = i / 2; /* each of 0..999 twice */
        rank[2 * i + 1] = i % 10;
    }
    CU_ASSERT_DOUBLE_EQUAL(anpe_rank_p(N, rank, 2, L, &bins, count), 1, 1e-12);
    CU_ASSERT_EQUAL(bins, ANPE_RANK_BINS);
    CU_ASSERT_EQUAL(count[0], 100);
    CU_ASSERT(anpe_rank_p(N, rank + 1, 2, L, NULL, NULL) < 1e-100);
    CU_ASSERT(isnan(anpe_rank_p(49, rank, 2, L, &bins, count)));
    CU_ASSERT(bins == 1 && count[0] == 49);
    /* 8 values in 3 bins: unequal bins are expected to be unequal */
    for (int i = 0; i < 96; i++)
        rank[i] = i % 8;
    CU_ASSERT_DOUBLE_EQUAL(anpe_rank_p(96, rank, 1, 7, &bins, count), 1, 1e-12);
    CU_ASSERT_EQUAL(bins, 3);
    CU_ASSERT_EQUAL(count[0] + count[1] + count[2], 96);
}

/* theta ~ N(0, 1), x = theta + 0.5 N(0, 1) in each of D labels: the posterior is
 * N(0.8 x, 0.2). Its draws are multiplied about their mean and shifted, in units of its sd. */
enum { D = 6, DRAWS = 400, MOST = 2000 };

static struct {
    int64_t rank[MOST * D];
    double hpd[MOST], tarp[MOST], scratch[MOST], p[D];
    anpe_level_test density, distance;
} g;

static void one_gaussian(int64_t i, double narrow, double shift)
{
    static double draw[DRAWS * D];
    static float log_q[DRAWS];
    const double sd = sqrt(0.2) * narrow, scale[D] = {1, 1, 1, 1, 1, 1};
    double theta[D], mean[D], reference[D], log_truth = 0;
    anpe_rng rng = anpe_rng_make(5, ANPE_FOR_MOCKS, i, 0);
    for (int d = 0; d < D; d++) {
        theta[d] = anpe_normal(&rng);
        reference[d] = anpe_normal(&rng);
        mean[d] = 0.8 * (theta[d] + 0.5 * anpe_normal(&rng)) + shift * sqrt(0.2);
        log_truth -= 0.5 * pow((theta[d] - mean[d]) / sd, 2);
    }
    for (int k = 0; k < DRAWS; k++) {
        log_q[k] = 0;
        for (int d = 0; d < D; d++) {
            const double z = anpe_normal(&rng);
            draw[k * D + d] = mean[d] + sd * z;
            log_q[k] -= (float)(0.5 * z * z);
        }
    }
    for (int d = 0; d < D; d++)
        g.rank[i * D + d] = anpe_rank_of(theta[d], DRAWS, draw + d, D, 0.5);
    g.hpd[i] = anpe_density_level(log_truth, DRAWS, log_q);
    g.tarp[i] = anpe_tarp_level(D, theta, reference, scale, DRAWS, draw);
}

static void gaussians(int64_t n, double narrow, double shift)
{
    for (int64_t i = 0; i < n; i++)
        one_gaussian(i, narrow, shift);
    for (int d = 0; d < D; d++)
        g.p[d] = anpe_rank_p(n, g.rank + d, D, DRAWS, NULL, NULL);
    g.density = anpe_level_test_of(n, g.hpd, DRAWS, g.scratch);
    g.distance = anpe_level_test_of(n, g.tarp, DRAWS, g.scratch);
}

static void test_exact_posterior(void)
{
    for (int64_t n = 1000; n <= MOST; n += 1000) {
        gaussians(n, 1, 0);
        for (int d = 0; d < D; d++)
            CU_ASSERT(g.p[d] > 0.01 / D);
        CU_ASSERT(g.density.p > 0.01);
        CU_ASSERT(g.distance.p > 0.01);
        /* three standard deviations of a fraction of n */
        CU_ASSERT(fabs(g.density.cover68 - 0.6827) < 3 * sqrt(0.217 / (double)n));
        CU_ASSERT(fabs(g.distance.cover68 - 0.6827) < 3 * sqrt(0.217 / (double)n));
    }
}

static void test_narrow_posterior(void)
{
    for (int64_t n = 1000; n <= MOST; n += 1000) {
        gaussians(n, 0.8, 0);
        for (int d = 0; d < D; d++)
            CU_ASSERT(g.p[d] < 0.01 / D);
        CU_ASSERT(g.density.p < 1e-6 && g.density.mean > 0.5 && g.density.cover68 < 0.65);
        CU_ASSERT(g.distance.p < 0.01);
    }
}

static void test_shifted_posterior(void)
{
    for (int64_t n = 1000; n <= MOST; n += 1000) {
        gaussians(n, 1, 0.3);
        for (int d = 0; d < D; d++)
            CU_ASSERT(g.p[d] < 0.01 / D);
        CU_ASSERT(g.density.p < 0.01 && g.density.mean > 0.5);
    }
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"incomplete gamma", test_gamma},
        {"Kolmogorov", test_kolmogorov},
        {"moments", test_moments},
        {"few draws", test_few_draws},
        {"one mock", test_one_mock},
        {"bins of ranks", test_rank_bins},
        {"an exact posterior passes", test_exact_posterior},
        {"20 % too narrow is rejected", test_narrow_posterior},
        {"a shift by 0.3 sd is rejected", test_shifted_posterior},
    };
    return run_suite(argc, argv, "calibration", COUNT(tests), tests);
}
