/* Coordinates of one spectrum's own: their log-determinant against differences, bounds, outliers; a
 * linear problem with Gaussian noise, whose posterior must be exactly standard normal in them, for
 * few and for many bad pixels, in the middle of the prior and on its bound; what cannot be served.
 */
#include <config.h>
#include "base_support.h"
#include "base/linear.h"
#include "base/random.h"
#include "cannon_support.h"
#include "model/view.h"
#include "stat/normal.h"
#include "task/likelihood.h"
#include "train/dataset.h"
#include <math.h>

static anpe_rng stream(int64_t i)
{
    return anpe_rng_make(3, ANPE_FOR_CHECKS, i, 0);
}

/* ---- the normal distribution far out ----------------------------------------------------- */

static void test_tails(void)
{
    static const double known[][2] = {/* log Phi, mpmath with 30 digits */
                                      {-1, -1.84102164500926351},
                                      {-10, -53.2312851505124706},
                                      {-29.9, -451.322912458528677},
                                      {-30.1, -457.329564416382215},
                                      {-1000, -500007.826694812184}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CU_ASSERT_DOUBLE_EQUAL(anpe_normal_log_cdf(known[i][0]), known[i][1],
                               1e-12 * fabs(known[i][1]));
    CU_ASSERT_DOUBLE_EQUAL(anpe_normal_log_cdf(9), -1.128588405953840647e-19, 1e-30);
    for (double x = -1e4; x < -0.1; x *= 0.9)
        CU_ASSERT_DOUBLE_EQUAL(anpe_normal_log_quantile(anpe_normal_log_cdf(x)), x, -1e-12 * x);
    CU_ASSERT(anpe_normal_log_cdf(-INFINITY) == -INFINITY);
    CU_ASSERT(anpe_normal_log_quantile(-INFINITY) == -INFINITY);
}

/* ---- coordinates of a box ---------------------------------------------------------------- */

/* sd 1, 0.5, 2 with correlations. */
static const double covariance[9] = {1, 0.4, -1.2, 0.4, 0.25, -0.3, -1.2, -0.3, 4};

static const struct {
    double mean[3], low[3], high[3];
    int cut; /* the density of the coordinates is that of the truncated normal */
} box[] = {
    {{1, -2, 3}, {-INFINITY, -INFINITY, -INFINITY}, {INFINITY, INFINITY, INFINITY}, 1},
    {{0, 0, 0}, {-0.5, -1, -1}, {0.7, INFINITY, 3}, 1},
    {{-3, 0.5, 0}, {0, 0, -4}, {2, 1, 4}, 1},      /* 3 sd outside */
    {{50, -30, 0}, {0, 0, -4}, {2, 1, 4}, 0},      /* 48 and 62 sd */
    {{0, 0, 0}, {-1, -0.5, -2}, {1, 0.5, 2}, 1},   /* a sd on either side */
    {{0, 0, 0}, {-90, -90, -90}, {90, 90, 90}, 1}, /* sides that are far */
};
enum { N_BOXES = sizeof box / sizeof *box };

/* log |det dx / dy| by central differences. */
static double log_volume(const anpe_truncated *m, const double *y)
{
    const double h = 1e-5;
    double j[3][3];
    for (int k = 0; k < 3; k++) {
        double up[3], down[3], at[3] = {y[0], y[1], y[2]};
        at[k] = y[k] + h;
        (void)anpe_truncated_inverse(m, 0, at, up);
        at[k] = y[k] - h;
        (void)anpe_truncated_inverse(m, 0, at, down);
        for (int i = 0; i < 3; i++)
            j[i][k] = (up[i] - down[i]) / (2 * h);
    }
    return log(fabs(j[0][0] * (j[1][1] * j[2][2] - j[1][2] * j[2][1]) -
                    j[0][1] * (j[1][0] * j[2][2] - j[1][2] * j[2][0]) +
                    j[0][2] * (j[1][0] * j[2][1] - j[1][1] * j[2][0])));
}

static void test_box(void)
{
    for (int b = 0; b < N_BOXES; b++) {
        anpe_truncated *m;
        anpe_rng rng = stream(b);
        WORKS(anpe_truncated_new(ctx, 3, 1, &m));
        anpe_truncated_clear(m, box[b].low, box[b].high);
        anpe_truncated_add(m, box[b].mean, covariance, 1, 1);
        for (int k = 0; k < 200; k++) {
            double y[3], x[3], back[3], log_q = -3 * ANPE_LOG_ROOT_2PI;
            for (int i = 0; i < 3; i++) {
                y[i] = 1.5 * anpe_normal(&rng);
                log_q -= 0.5 * y[i] * y[i];
            }
            const double volume = anpe_truncated_inverse(m, 0, y, x);
            /* differences over 1e-5 leave 1e-16 / 1e-5 of x, which has lost what y is past a side
             */
            CU_ASSERT_DOUBLE_EQUAL(volume, log_volume(m, y), box[b].cut ? 1e-5 : 1e-3);
            anpe_truncated_forward(m, 0, x, back);
            for (int i = 0; i < 3; i++) {
                CU_ASSERT(x[i] > box[b].low[i] && x[i] < box[b].high[i]);
                CU_ASSERT_DOUBLE_EQUAL(back[i], y[i], 1e-8);
            }
            if (box[b].cut)
                CU_ASSERT_DOUBLE_EQUAL(anpe_truncated_log_density(m, x), log_q - volume, 1e-9);
        }
        anpe_truncated_free(m);
    }
}

static void test_far(void)
{
    const double mean[3] = {0}, low[3] = {-1e6, -1e6, -1e6}, high[3] = {1e6, 1e6, 1e6};
    const double x[3] = {1000, 0, 0};
    double y[3], back[3];
    anpe_truncated *m;
    WORKS(anpe_truncated_new(ctx, 3, 1, &m));
    anpe_truncated_clear(m, low, high);
    anpe_truncated_add(m, mean, covariance, 1, 1);
    anpe_truncated_forward(m, 0, x, y);
    CU_ASSERT_DOUBLE_EQUAL(y[0], 1000, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(y[1], -400 / 0.3, 1e-8); /* sd of the second given the first: 0.3 */
    (void)anpe_truncated_inverse(m, 0, y, back);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_DOUBLE_EQUAL(back[i], x[i], 1e-8);
    anpe_truncated_free(m);
}

/* ---- coordinates of labels --------------------------------------------------------------- */

static anpe_label_map *make_map(void)
{
    const anpe_label label[3] = {
        {"a", "", 0, 2}, {"b", "", 0, INFINITY}, {"c", "", -INFINITY, INFINITY}};
    anpe_label_map *map;
    WORKS(anpe_label_map_new(ctx, 3, label, 1, &map));
    return map;
}

/* Log-determinant across the bend at 4 sd, one coordinate at a time: none depends on a later one
 * here, because no bound is near. */
static void test_bend(void)
{
    const double mean[3] = {1, 1, 0}, narrow[9] = {1e-6, 0, 0, 0, 1e-6, 0, 0, 0, 1e-6};
    anpe_label_map *map = make_map();
    anpe_coordinates c;
    WORKS(anpe_coordinates_new(ctx, map, 1, &c));
    anpe_coordinates_set(&c, mean, narrow);
    for (float at = -6; at <= 6; at += 0.37f) {
        const float y[3] = {at, 0.5f, -0.5f}, up[3] = {at + 0.01f, 0.5f, -0.5f},
                    down[3] = {at - 0.01f, 0.5f, -0.5f};
        double theta[3], a[3], b[3];
        float back[3];
        const double volume = anpe_coordinates_inverse(&c, y, theta);
        (void)anpe_coordinates_inverse(&c, up, a);
        (void)anpe_coordinates_inverse(&c, down, b);
        const double slope = (a[0] - b[0]) / (double)(up[0] - down[0]);
        /* exp(y) has a third derivative of its own size: h^2 / 6; at the bend h / 4 */
        CU_ASSERT_DOUBLE_EQUAL(volume, log(slope) + 2 * log(1e-3), 3e-3);
        anpe_coordinates_forward(&c, theta, back);
        for (int i = 0; i < 3; i++)
            CU_ASSERT_DOUBLE_EQUAL((double)back[i], (double)y[i], 1e-5);
    }
    anpe_coordinates_clear(&c);
    anpe_label_map_free(map);
}

/* On and beyond a bound y is finite, and no y leaves the support. */
static void test_support(void)
{
    const double edge[][3] = {{0, 0, 5}, {2, 1e-300, -5}, {-1, -1, 0}, {3, 1e30, 1e6}};
    const float far[][3] = {{-1000, -1000, 3}, {1000, 1000, -3}, {-35, 7, 0}};
    anpe_label_map *map = make_map();
    anpe_coordinates c;
    WORKS(anpe_coordinates_new(ctx, map, 1, &c));
    for (int k = 0; k < 3; k++) {
        const double mean[3] = {k - 0.5, 0.1 * k, 0}; /* outside, inside, outside */
        anpe_coordinates_set(&c, mean, covariance);
        for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
            float y[3];
            anpe_coordinates_forward(&c, edge[i], y);
            CU_ASSERT(isfinite(y[0]) && isfinite(y[1]) && isfinite(y[2]));
        }
        for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
            double theta[3];
            CU_ASSERT(isfinite(anpe_coordinates_inverse(&c, far[i], theta)));
            CU_ASSERT(theta[0] >= 0 && theta[0] <= 2 && theta[1] >= 0 && isfinite(theta[2]));
        }
    }
    anpe_coordinates_clear(&c);
    anpe_label_map_free(map);
}

/* ---- a linear problem -------------------------------------------------------------------- */

enum { D = 4, P = 40, CUT = D - 1 };
static anpe_settings *settings;
static anpe_task *task;
static anpe_dataset *dataset;

static void write_emulator(const char *path)
{
    double *coefficients = calloc((D + 1) * P, sizeof *coefficients);
    double *exponents = calloc((D + 1) * D, sizeof *exponents);
    anpe_rng rng = anpe_rng_make(5, ANPE_FOR_MOCKS, 0, 0);
    for (int d = 0; d < D; d++)
        exponents[(d + 1) * D + d] = 1;
    for (int p = 0; p < P; p++) {
        coefficients[p] = 1;
        for (int d = 0; d < D; d++)
            coefficients[(d + 1) * P + p] = 0.08 * anpe_normal(&rng);
    }
    write_cannon(path, D, P, D + 1, exponents, coefficients);
}

/* One label is cut off at -1 and 1, the last, so that it comes first only where a bound is near;
 * the others have normal priors. */
static void open_linear(void)
{
    const anpe_dataset_setup setup = {1, 0, 16, 16, NULL, 0, 0};
    char text[2048];
    write_emulator(in_scratch("linear.h5"));
    int n = snprintf(text, sizeof text,
                     "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
                     "instrument: { plugin = \"array\"; shape = [ %d ]; };"
                     "noise: { plugin = \"gaussian\"; sigma = 0.05; };"
                     "observe: { basis = 4; newton = 4; };"
                     "prior: ({ plugin = \"independent\"; labels: (",
                     in_scratch("linear.h5"), P);
    for (int d = 0; d < CUT; d++)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "{ name = \"l%d\"; type = \"normal\"; mean = 0.0; sd = 1.0; }, ", d);
    snprintf(text + n, sizeof text - (size_t)n,
             "{ name = \"l%d\"; type = \"uniform\"; min = -1.0; max = 1.0; }); });", CUT);
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings));
    WORKS(anpe_task_new(ctx, settings, ANPE_TASK_ALL, NULL, &task));
    WORKS(anpe_dataset_new(ctx, task, &setup, NULL, NULL, &dataset));
}

/* log likelihood + log prior + |y|^2 / 2 + log |d theta / d y| of draws of a standard normal: one
 * number for all of them if that is what the posterior is. Returns their largest difference. */
static double unevenness(anpe_likelihood *l, const anpe_coordinates *c, anpe_rng *rng)
{
    double least = INFINITY, most = -INFINITY;
    for (int k = 0; k < 50; k++) {
        double theta[D], log_l, log_prior, sum = 0;
        float y[D];
        for (int d = 0; d < D; d++) {
            y[d] = (float)fmin(fmax(anpe_normal(rng), -3.9), 3.9); /* beyond 4 it is bent */
            sum += 0.5 * (double)y[d] * (double)y[d];
        }
        sum += anpe_coordinates_inverse(c, y, theta);
        CU_ASSERT(theta[CUT] >= -1 && theta[CUT] <= 1);
        WORKS(anpe_likelihood_eval(l, ctx, 1, theta, &log_l, &log_prior));
        sum += log_l + log_prior;
        least = fmin(least, sum);
        most = fmax(most, sum);
    }
    return most - least;
}

/* One observation: the label that is cut off given, the last n_bad pixels bad. */
static double observe(int k, double label, int n_bad)
{
    anpe_bench *b;
    anpe_view *view;
    anpe_coordinates c;
    anpe_likelihood *l;
    anpe_rng noise = stream(10 + k), rng = stream(1000 + k);
    float x[200];
    const double middle[D] = {0};
    CU_ASSERT_FATAL(dataset->channels->length * dataset->channels->width <= 200);
    WORKS(anpe_bench_new(ctx, task, 1, &b));
    WORKS(anpe_view_new(ctx, task, dataset->channels, dataset->map, 1, &view));
    WORKS(anpe_view_coordinates(ctx, dataset->channels, dataset->map, &c));
    WORKS(anpe_likelihood_new(ctx, task, &l));
    WORKS(anpe_task_sample(task, ctx, &rng, b, 0));
    b->theta[CUT] = label;
    WORKS(anpe_task_simulate(task, ctx, b, 1));
    WORKS(anpe_task_mock(task, ctx, b, 0, &noise));
    for (int p = P - n_bad; p < P; p++) {
        b->spectrum.mask[p] = 1;
        b->spectrum.flux[p] = 1e3f; /* nobody may look */
    }
    WORKS(anpe_view_look(view, ctx, &b->spectrum, x, &c));
    for (int64_t i = 0; i < dataset->channels->length * dataset->channels->width; i++)
        CU_ASSERT(isfinite(x[i]));
    WORKS(anpe_likelihood_set(l, ctx, &b->spectrum, middle));
    const double result = unevenness(l, &c, &rng);
    anpe_likelihood_free(l);
    anpe_coordinates_clear(&c);
    anpe_view_free(view);
    anpe_bench_free(b);
    return result;
}

/* The likelihood's residuals are floats: 40 of size 1 to 20, so log L is good to 1e-4. The matrix
 * has 1 / (4 x 2)^2 for the box of one label more than it should, whose sd is below 0.35 with 15
 * pixels: from -4 to 4 sd this is at most 8 sd^2 / 64 = 0.015. */
static void test_linear(void)
{
    open_linear();
    for (int k = 0; k < 10; k++) {
        CU_ASSERT(observe(k, 0.05 * k, 0) < 0.02);
        CU_ASSERT(observe(k, 0.05 * k, 25) < 0.02);
    }
}

/* One label that leans on its bound, some of them from outside: still exact. */
static void test_bound(void)
{
    for (int k = 0; k < 20; k++) {
        CU_ASSERT(observe(100 + k, k % 2 ? 1 : -1, 0) < 0.02);
        CU_ASSERT(observe(100 + k, k % 2 ? 0.999 : -0.98, 25) < 0.02);
    }
}

static void test_end(void)
{
    dataset = anpe_dataset_free(dataset);
    task = anpe_task_free(task);
    settings = anpe_settings_free(settings);
    CU_ASSERT_PTR_NULL(dataset);
    CU_ASSERT_PTR_NULL(task);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"log Phi and its inverse, far out", test_tails},
        {"a box: there and back, log-determinant, density", test_box},
        {"a thousand sd away", test_far},
        {"beyond four sd", test_bend},
        {"bounds of labels", test_support},
        {"a linear problem is standard normal", test_linear},
        {"and so it is on a bound", test_bound},
        {"end", test_end},
    };
    return run_suite(argc, argv, "whitening", COUNT(tests), tests);
}
