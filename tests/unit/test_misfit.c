/* Residuals on several scales, thresholds of misspecification flags, temperatures of intervals. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "spectrum/spectrum.h"
#include "infer/run.h"
#include "validate/misfit.h"
#include "validate/recalibration.h"
#include <math.h>

enum { PIXELS = 3000, MOCKS = 400 };
static const int64_t segment[] = {0, 1000, 1800, PIXELS};
static anpe_residuals *residuals;
static anpe_spectrum spectrum;
static float model[PIXELS];

/* White residuals of index i; every tenth pixel is bad and wild. */
static void white(int64_t i)
{
    anpe_rng rng = anpe_rng_make(3, ANPE_FOR_MOCKS, i, 0);
    for (int p = 0; p < PIXELS; p++) {
        spectrum.sigma[p] = 0.01f * (1 + (float)(p % 7));
        spectrum.mask[p] = p % 10 == 3;
        model[p] = 1;
        spectrum.flux[p] =
            spectrum.mask[p] ? 1e6f : 1 + spectrum.sigma[p] * (float)anpe_normal(&rng);
    }
}

static void measure(double *value)
{
    anpe_residuals_measure(residuals, &spectrum, model, value);
}

static void test_white(void)
{
    const int64_t k = anpe_residuals_statistics(3);
    double value[ANPE_MISFIT_MAX_STATISTICS], mean[ANPE_MISFIT_MAX_STATISTICS] = {0};
    double square[ANPE_MISFIT_MAX_STATISTICS] = {0};
    CU_ASSERT_EQUAL(k, ANPE_MISFIT_WHOLE + 6);
    CU_ASSERT_EQUAL(anpe_residuals_statistics(1), ANPE_MISFIT_WHOLE);
    CU_ASSERT(anpe_residuals_statistics(1000) <= ANPE_MISFIT_MAX_STATISTICS);
    for (int i = 0; i < MOCKS; i++) {
        white(i);
        measure(value);
        for (int64_t j = 0; j < k; j++) {
            mean[j] += value[j] / MOCKS;
            square[j] += value[j] * value[j] / MOCKS;
        }
    }
    /* sums and products are standard normal: 4 sd of a mean of 400, 0.2, and of a variance, 0.28.
     * Peaks of overlapping windows are counted as if there were two for each width: nearly. */
    for (int64_t j = 0; j < k; j++) {
        const int peak = j >= 5 && j < 10;
        CU_ASSERT(fabs(mean[j]) < (peak ? 1 : 0.2));
        CU_ASSERT(fabs(square[j] - mean[j] * mean[j] - 1) < (peak ? 0.7 : 0.28));
    }
}

/* What is put in shows in the statistic that is meant for it. */
static void test_traces(void)
{
    double value[ANPE_MISFIT_MAX_STATISTICS];
    char name[40];
    white(0);
    for (int p = 500; p < 516; p++) /* a line of 2 sigma, 16 pixels wide */
        spectrum.flux[p] += 2 * spectrum.sigma[p];
    measure(value);
    CU_ASSERT(value[7] > 5 && value[7] > value[5]);
    CU_ASSERT_STRING_EQUAL(anpe_residuals_name(7, name), "peak 16");
    white(0);
    for (int p = 0; p < PIXELS; p++) /* a wave of 0.5 sigma and 400 pixels */
        spectrum.flux[p] += 0.5f * spectrum.sigma[p] * (float)sin(p / 400.0 * 2 * M_PI);
    measure(value);
    CU_ASSERT(value[3] > 5 && value[3] > value[0]);
    CU_ASSERT_STRING_EQUAL(anpe_residuals_name(3, name), "sum 64");
    white(0);
    for (int p = 1000; p < 1800; p++) /* errors of the second segment 1.3 times too small */
        spectrum.sigma[p] /= 1.3f;
    measure(value);
    CU_ASSERT(value[13] > 5 && fabs(value[11]) < 4 && fabs(value[15]) < 4);
    CU_ASSERT_STRING_EQUAL(anpe_residuals_name(13, name), "segment 2 sum 1");
    CU_ASSERT_STRING_EQUAL(anpe_residuals_name(-1, name), "");
}

/* Contexts on a line with two correlated coordinates and one that is constant. */
enum { N = 2000, F = 3, K = 2 };
static float context[N * F];
static double value[N * K];
static anpe_misfit_sight mock[N];

static anpe_misfit *learn(int64_t n, double rate)
{
    anpe_misfit *m = NULL;
    for (int i = 0; i < n; i++) {
        anpe_rng rng = anpe_rng_make(4, ANPE_FOR_MOCKS, i, 0);
        const double a = anpe_normal(&rng), b = anpe_normal(&rng);
        context[i * F] = (float)a;
        context[i * F + 1] = (float)(10 * a + b);
        context[i * F + 2] = 5;
        const double snr = 25 + 575 * anpe_uniform(&rng), bad = anpe_uniform(&rng);
        value[i * K] = 100 * log10(snr) + 3 * anpe_normal(&rng); /* usual values follow S/N */
        value[i * K + 1] = anpe_normal(&rng);
        mock[i] =
            (anpe_misfit_sight){&context[i * F], &value[i * K], snr, bad, 0.1 * anpe_uniform(&rng)};
    }
    CU_ASSERT_EQUAL_FATAL(anpe_misfit_learn(ctx, n, mock, F, K, rate, &m), ANPE_OK);
    return m;
}

/* Three sd of a threshold from 600 mocks and of a measurement on 600 together. */
static int near_rate(double measured, double rate)
{
    return fabs(measured - rate) < 3 * sqrt(2 * rate / 600);
}

static anpe_misfit_view judge(const anpe_misfit *m, const float *c, const double *v, double snr,
                              double bad, double edge)
{
    double room[F];
    const anpe_misfit_sight sight = {c, v, snr, bad, edge};
    return anpe_misfit_judge(m, &sight, room);
}

static void test_rates(void)
{
    anpe_misfit *m = learn(N, 0.05), *none = NULL;
    for (int j = ANPE_N_CONTENT_MISFITS; j < ANPE_N_MISFITS; j++) {
        CU_ASSERT_EQUAL(m->wanted[j], j >= ANPE_MISFIT_SNR_LOW ? 0.025 : 0.05);
        CU_ASSERT(near_rate(m->measured[j], m->wanted[j]));
    }
    /* context and residuals are independent here: each gets half of the rate */
    CU_ASSERT(m->wanted[0] == m->wanted[1] && fabs(m->wanted[0] - 0.0253) < 0.005);
    CU_ASSERT(near_rate(m->measured[0], m->wanted[0]) && near_rate(m->measured[1], m->wanted[1]));
    CU_ASSERT(near_rate(m->measured_content, 0.05));
    /* mocks that are the measure: no more of them than wanted, and not many fewer */
    int64_t either = 0;
    for (int64_t i = 2 * N / 5; i < 2 * N / 5 + m->n_scores; i++) {
        double room[F];
        const anpe_misfit_view v = anpe_misfit_judge(m, &mock[i], room);
        either += v.value[0] > m->threshold[0] || v.value[1] > m->threshold[1];
    }
    CU_ASSERT(either <= 30 && either >= 27);
    anpe_misfit_free(m);
    FAILS(anpe_misfit_learn(ctx, 199, mock, F, K, 0.01, &none), ANPE_EINVAL,
          "199 mocks are too few for thresholds, 200 are needed");
}

static void test_thresholds(void)
{
    anpe_misfit *m = learn(N, 0.05), *back = NULL;
    const float usual[] = {1, 10, 5}, across[] = {1, -10, 5};
    const double fits[] = {200, 0}, high[] = {200, 9}, follows[] = {270, 0};
    anpe_misfit_view v = judge(m, usual, fits, 100, 0.1, 0);
    CU_ASSERT(v.value[0] <= m->threshold[0] && v.value[1] <= m->threshold[1]);
    CU_ASSERT(v.p_context > 0.05);
    v = judge(m, across, high, 100, 0.999, 0.099);
    CU_ASSERT(v.value[0] > m->threshold[0] && v.value[1] > m->threshold[1]);
    CU_ASSERT(v.value[ANPE_MISFIT_EDGE] > m->threshold[ANPE_MISFIT_EDGE]);
    CU_ASSERT(v.value[ANPE_MISFIT_BAD_PIXELS] > m->threshold[ANPE_MISFIT_BAD_PIXELS]);
    CU_ASSERT_EQUAL(v.worst, 1);
    CU_ASSERT_DOUBLE_EQUAL(v.p_context, 1.0 / 601, 1e-12);
    v = judge(m, usual, follows, 500, 0.1, 0);
    CU_ASSERT(v.value[1] <= m->threshold[1]); /* usual at this S/N, not at another */
    v = judge(m, usual, follows, 100, 0.1, 0);
    CU_ASSERT(v.value[1] > m->threshold[1] && v.worst == 0);
    v = judge(m, usual, NULL, 10, 0.1, 0);
    CU_ASSERT(isnan(v.value[1]) && isnan(v.p_predictive));
    CU_ASSERT(v.value[ANPE_MISFIT_SNR_LOW] > m->threshold[ANPE_MISFIT_SNR_LOW]);
    CU_ASSERT(!(v.value[ANPE_MISFIT_SNR_HIGH] > m->threshold[ANPE_MISFIT_SNR_HIGH]));

    anpe_h5 *f = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_h5_create(ctx, "test_misfit.h5", &f), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_misfit_write(ctx, f, m), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_h5_close(ctx, f), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_h5_open(ctx, "test_misfit.h5", &f), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_misfit_read(ctx, f, &back), ANPE_OK);
    anpe_h5_abandon(f);
    remove("test_misfit.h5");
    const anpe_misfit_view a = judge(m, across, high, 77, 0.3, 0),
                           b = judge(back, across, high, 77, 0.3, 0);
    CU_ASSERT(a.value[0] == b.value[0] && a.value[1] == b.value[1] && a.p_context == b.p_context);
    CU_ASSERT(m->measured_content == back->measured_content && m->wanted[0] == back->wanted[0]);
    anpe_misfit_free(m);
    anpe_misfit_free(back);
}

/* Draws near a bound of a label in [0, 1], without noise: the quantiles of the density. */
static double edge_mass_of(double (*quantile)(double u))
{
    enum { DRAWS = 20000 };
    static double draw[DRAWS];
    const anpe_label label = {"x", "", 0, 1};
    double mean = 0, square = 0;
    for (int i = 0; i < DRAWS; i++) {
        draw[i] = quantile((i + 0.5) / DRAWS);
        mean += draw[i] / DRAWS;
    }
    for (int i = 0; i < DRAWS; i++)
        square += (draw[i] - mean) * (draw[i] - mean) / DRAWS;
    return anpe_edge_mass(DRAWS, draw, 1, NULL, sqrt(square), &label);
}

static double flat(double u)
{
    return u;
}
static double falling(double u)
{
    return -0.01 * log1p(-u);
}
static double rising(double u)
{
    return 1 + 0.001 * log(u);
}
static double inside(double u)
{
    return 0.5 + 0.1 * (u - 0.5);
}

static void test_edge_mass(void)
{
    CU_ASSERT_DOUBLE_EQUAL(edge_mass_of(flat), 0.1 / sqrt(12), 1e-4);
    CU_ASSERT_DOUBLE_EQUAL(edge_mass_of(falling), 1 - exp(-0.1), 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(edge_mass_of(rising), 1 - exp(-0.1), 1e-3);
    CU_ASSERT_EQUAL(edge_mass_of(inside), 0);
    const anpe_label open = {"x", "", -INFINITY, INFINITY}, half = {"x", "", 0, INFINITY};
    const double draw[] = {0.01, 7, 2, 8}, log_weight[] = {log(0.7), -INFINITY, log(0.1), log(0.2)};
    CU_ASSERT_EQUAL(anpe_edge_mass(2, draw, 2, NULL, 1, &open), 0);
    CU_ASSERT_EQUAL(anpe_edge_mass(2, draw, 2, NULL, 1, &half), 0.5);
    CU_ASSERT_DOUBLE_EQUAL(anpe_edge_mass(4, draw, 1, log_weight, 1, &half), 0.7, 1e-12);
}

/* Intervals of a normal posterior stated `wrong` times too wide. */
/* Only a label that the spectrum tells well, against the prior's width, counts as told. */
static void test_told_edge(void)
{
    anpe_label_summary label[2] = {{.sd = 0.5 * ANPE_TOLD}, {.sd = 2 * ANPE_TOLD}};
    anpe_star star = {.label = label, .edge_mass = 7, .told_edge_mass = 7}; /* of another star */
    const anpe_label unit = {.min = 3, .max = 4}, open = {.min = -INFINITY, .max = INFINITY};
    anpe_infer_put_edge(&star, 0, 0.1, &unit);
    CU_ASSERT_EQUAL(star.edge_mass, 0.1);
    CU_ASSERT_EQUAL(star.told_edge_mass, 0.1);
    anpe_infer_put_edge(&star, 1, 0.3, &unit);
    CU_ASSERT_EQUAL(star.edge_mass, 0.3);
    CU_ASSERT_EQUAL(star.told_edge_mass, 0.1);
    anpe_infer_put_edge(&star, 0, 0, &open);
    CU_ASSERT_EQUAL(star.told_edge_mass, 0);
}

static void test_temperature(void)
{
    enum { HALF = 1000 };
    static anpe_credible interval[2 * HALF];
    static double truth[2 * HALF], room[2 * HALF];
    for (double wrong = 0.5; wrong < 2.1; wrong *= 2) {
        for (int i = 0; i < 2 * HALF; i++) {
            anpe_rng rng = anpe_rng_make(6, ANPE_FOR_MOCKS, i, 0);
            const double m = 10 * anpe_normal(&rng);
            interval[i] = (anpe_credible){m, m - wrong, m + wrong};
            truth[i] = m + anpe_normal(&rng);
        }
        const double t = anpe_temperature_of_truths(HALF, interval, truth, room);
        /* sd of the quantile: sqrt(p (1 - p) / n) / density, 0.030 */
        CU_ASSERT(fabs(t * wrong - 1) < 0.1);
        const double cover = anpe_temperature_cover(HALF, interval + HALF, truth + HALF, t);
        CU_ASSERT(fabs(cover - 0.6827) < 4 * sqrt(2 * 0.2166 / HALF));
    }
    CU_ASSERT(isnan(anpe_temperature_of_truths(0, interval, truth, room)));
}

static void test_repeats(void)
{
    static anpe_credible interval[900];
    static int64_t star[900];
    int64_t freedom;
    for (int i = 0; i < 900; i++) { /* 300 stars, three visits each, scatter 1.5 of stated */
        anpe_rng rng = anpe_rng_make(8, ANPE_FOR_MOCKS, i, 0);
        const double m = i / 3 + 1.5 * 0.1 * anpe_normal(&rng);
        interval[i] = (anpe_credible){m, m - 0.1, m + 0.1};
        star[i] = i / 3;
    }
    const double t = anpe_temperature_of_repeats(900, interval, star, &freedom);
    CU_ASSERT_EQUAL(freedom, 600);
    CU_ASSERT(fabs(t / 1.5 - 1) < 4 / sqrt(2 * 600.0));
    for (int i = 0; i < 900; i++)
        star[i] = i;
    CU_ASSERT(isnan(anpe_temperature_of_repeats(900, interval, star, &freedom)));
    CU_ASSERT_EQUAL(freedom, 0);
}

/* Corrected quantiles stay inside the prior, and a temperature of 1 changes nothing. */
static void test_apply(void)
{
    const anpe_label label = {"teff", "K", 4000, 8000};
    anpe_label_map *m = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_label_map_new(ctx, 1, &label, 1, &m), ANPE_OK);
    CU_ASSERT_DOUBLE_EQUAL(anpe_temperature_apply(m, 0, 1, 5000, 5100), 5100, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(anpe_temperature_apply(m, 0, 0, 5000, 5100), 5000, 1e-9);
    CU_ASSERT(anpe_temperature_apply(m, 0, 2, 5000, 5100) > 5190);
    CU_ASSERT(anpe_temperature_apply(m, 0, 1000, 7990, 7999) <= 8000);
    CU_ASSERT(anpe_temperature_apply(m, 0, 1000, 4010, 4001) >= 4000);
    anpe_label_map_free(m);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"white residuals", test_white},
        {"traces in residuals", test_traces},
        {"rates", test_rates},
        {"thresholds", test_thresholds},
        {"mass at the edge of the prior", test_edge_mass},
        {"mass at the edge of a label that is told", test_told_edge},
        {"temperature from truths", test_temperature},
        {"temperature from repeats", test_repeats},
        {"corrected quantiles", test_apply},
    };
    anpe_ctx *own = anpe_ctx_new();
    if (anpe_residuals_new(own, PIXELS, 3, segment, &residuals) ||
        anpe_spectrum_new(own, PIXELS, &spectrum))
        return 99;
    const int result = run_suite(argc, argv, "misfit", COUNT(tests), tests);
    anpe_residuals_free(residuals);
    anpe_spectrum_clear(&spectrum);
    anpe_ctx_free(own);
    return result;
}
