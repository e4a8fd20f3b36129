/* Importance weights against closed forms: generalised Pareto tails, Gaussian proposals, weighted
 * statistics. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "stat/importance.h"
#include "stat/order.h"
#include <math.h>

enum { N = 4000 };
static anpe_ranked ranked[N];
static double weight[N], value[N], work[N];

static anpe_rng stream(int64_t i)
{
    return anpe_rng_make(1, ANPE_FOR_EXACT, i, 0);
}

/* The maximum likelihood estimate of k has variance (1 + k)^2 / n; 4 of its sd. */
static void test_pareto_fit(void)
{
    static const double shape[] = {-0.4, -0.1, 0.2, 0.5, 0.7, 1, 1.5};
    for (size_t j = 0; j < sizeof shape / sizeof *shape; j++) {
        anpe_rng rng = stream((int64_t)j);
        double k, sigma;
        for (int64_t i = 0; i < N; i++)
            ranked[i] = (anpe_ranked){2 * expm1(-shape[j] * log(anpe_uniform(&rng))) / shape[j], i};
        anpe_sort_ranked(N, ranked);
        anpe_pareto_fit(N, ranked, &k, &sigma);
        CU_ASSERT_DOUBLE_EQUAL(k, shape[j], 4 * (1 + shape[j]) / sqrt(N));
        CU_ASSERT_DOUBLE_EQUAL(sigma, 2, 4 * 2 * sqrt(2 * (1 + shape[j]) / N));
    }
}

/* Weights u^-k have a Pareto tail of shape k. The tail of 3 sqrt n has about 190 draws. */
static void test_khat(void)
{
    for (double k = 0.2; k < 1.3; k += 0.2) {
        double mean = 0;
        for (int64_t r = 0; r < 20; r++) {
            anpe_rng rng = stream(100 + r);
            for (int64_t i = 0; i < N; i++)
                weight[i] = -k * log(anpe_uniform(&rng));
            mean += anpe_weights_smooth(N, weight, ranked).khat / 20;
        }
        /* sd of one: (1 + k) / sqrt 190; 4 of the mean's, and 5 % of the way to 1/2 */
        CU_ASSERT_DOUBLE_EQUAL(mean, k, 4 * (1 + k) / sqrt(190.0 * 20) + 0.05 * fabs(k - 0.5));
    }
    CU_ASSERT_DOUBLE_EQUAL(anpe_khat_limit(100), 0.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(anpe_khat_limit(100000), 0.7, 1e-12);
}

/* Target N(0, 1), proposal N(shift, s): evidence, moments and shape are known. */
static anpe_weights_summary gaussian(int64_t stream_index, double shift, double s)
{
    anpe_rng rng = stream(stream_index);
    for (int64_t i = 0; i < N; i++) {
        const double z = anpe_normal(&rng);
        value[i] = shift + s * z;
        weight[i] = 3 - 0.5 * value[i] * value[i] + 0.5 * z * z + log(s); /* evidence exp 3 */
    }
    return anpe_weights_smooth(N, weight, ranked);
}

static void test_gaussian(void)
{
    double mean, sd, q[3];
    const double p[3] = {0.158655253931457, 0.5, 0.841344746068543};
    for (int64_t seed = 0; seed < 20; seed++) {
        const anpe_weights_summary w = gaussian(200 + seed, 0.5, 1.3);
        CU_ASSERT(fabs(w.log_evidence - 3) < 4 * w.log_evidence_err && w.khat < 0.5);
        CU_ASSERT(w.log_evidence_err < 0.02);
        anpe_weighted_moments(N, value, 1, weight, &mean, &sd);
        anpe_weighted_quantiles(N, value, 1, weight, 3, p, q, ranked);
        const double error = 1 / sqrt(w.ess);
        CU_ASSERT(fabs(mean) < 4 * error && fabs(sd - 1) < 4 * error);
        /* sd of a quantile: sqrt(p (1 - p) / n) / density */
        CU_ASSERT(fabs(q[1]) < 4 * 1.26 * error && fabs(q[0] + 1) < 4 * 1.6 * error &&
                  fabs(q[2] - 1) < 4 * 1.6 * error);
    }
    /* E w^2 = 1.3^2 / sqrt(2 1.3^2 - 1) for s = 1.3 without shift: ess / n is its inverse */
    CU_ASSERT_DOUBLE_EQUAL(gaussian(1, 0, 1.3).ess / N, sqrt(2 * 1.69 - 1) / 1.69, 0.03);
    /* a proposal of variance v < 1 has weights of shape 1 - v, reached slowly */
    CU_ASSERT(gaussian(2, 0, sqrt(0.2)).khat > 0.6);
    const double middle = gaussian(3, 0, sqrt(0.6)).khat;
    CU_ASSERT(middle > gaussian(3, 0, 1.2).khat && middle < 0.5);
    CU_ASSERT(gaussian(4, 6, 1).khat > 0.7);
}

static void test_odd_weights(void)
{
    double sum = 0;
    for (int64_t i = 0; i < N; i++)
        weight[i] = -1234;
    anpe_weights_summary w = anpe_weights_smooth(N, weight, ranked);
    CU_ASSERT(w.khat == -INFINITY && fabs(w.ess / N - 1) < 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(w.log_evidence, -1234, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(w.log_evidence_err, 0, 1e-9);
    for (int64_t i = 0; i < N; i++)
        weight[i] = -INFINITY;
    w = anpe_weights_smooth(N, weight, ranked);
    CU_ASSERT(w.ess == 0 && w.log_evidence == -INFINITY && w.khat == INFINITY);
    weight[7] = 2000; /* exp overflows */
    weight[8] = NAN;
    w = anpe_weights_smooth(N, weight, ranked);
    CU_ASSERT(fabs(w.ess - 1) < 1e-12 && w.khat == INFINITY && weight[7] == 0);
    CU_ASSERT(weight[8] == -INFINITY);
    CU_ASSERT_DOUBLE_EQUAL(w.log_evidence, 2000 - log(N), 1e-9);
    (void)gaussian(5, 0.5, 0.8);
    for (int64_t i = 0; i < N; i++)
        sum += exp(weight[i]);
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-12);
}

/* Equal weights give the plain statistics; quantiles differ by at most one step. */
static void test_equal_weights(void)
{
    const double p[] = {0.01, 0.5, 0.9};
    double mean, sd, q[3], plain = 0, square = 0;
    int64_t row[N];
    anpe_rng rng = stream(300);
    for (int64_t i = 0; i < N; i++) {
        value[i] = anpe_normal(&rng);
        weight[i] = -log(N);
        plain += value[i] / N;
    }
    for (int64_t i = 0; i < N; i++)
        square += (value[i] - plain) * (value[i] - plain);
    anpe_weighted_moments(N, value, 1, weight, &mean, &sd);
    CU_ASSERT_DOUBLE_EQUAL(mean, plain, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(sd, sqrt(square / (N - 1)), 1e-10);
    memcpy(work, value, sizeof work);
    anpe_sort(N, work);
    anpe_weighted_quantiles(N, value, 1, weight, 3, p, q, ranked);
    for (int j = 0; j < 3; j++) {
        const int64_t at = (int64_t)(p[j] * N);
        CU_ASSERT(q[j] >= work[at - 1] && q[j] <= work[at + 1]);
    }
    anpe_weighted_resample(N, weight, 0.5, N, row);
    for (int64_t i = 0; i < N; i++)
        CU_ASSERT(llabs(row[i] - i) <= 1);
}

/* Systematic resampling: each row comes within one of m times its weight. */
static void test_resample(void)
{
    enum { M = 1000 };
    int64_t row[M], count[N] = {0};
    (void)gaussian(6, 1, 0.9);
    anpe_weighted_resample(N, weight, 0.3, M, row);
    for (int64_t j = 0; j < M; j++)
        count[row[j]]++;
    for (int64_t i = 0; i < N; i++)
        CU_ASSERT(fabs((double)count[i] - M * exp(weight[i])) <= 1 + 1e-9);
    /* ten times 0.1 is less than 1 in double: what has no weight is not drawn for the rest */
    double tenths[12];
    for (int i = 0; i < 12; i++)
        tenths[i] = i < 10 ? log(0.1) - 1e-15 : -INFINITY;
    anpe_weighted_resample(12, tenths, 1 - 0x1p-53, 1, row);
    CU_ASSERT_EQUAL(row[0], 9);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"generalised Pareto fit", test_pareto_fit}, {"k-hat of known tails", test_khat},
        {"Gaussian proposals", test_gaussian},       {"weights that are odd", test_odd_weights},
        {"equal weights", test_equal_weights},       {"systematic resampling", test_resample},
    };
    return run_suite(argc, argv, "importance", COUNT(tests), tests);
}
