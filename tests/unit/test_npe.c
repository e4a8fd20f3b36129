/* Label bijections, input channels, the optimiser, recovery statistics. */
#include <config.h>
#include "base_support.h"
#include "base/random.h"
#include "model/channels.h"
#include "infer/infer.h"
#include "model/labels.h"
#include "train/optimiser.h"
#include "stat/normal.h"
#include "stat/order.h"
#include "validate/recovery.h"
#include <float.h>
#include <math.h>

static const anpe_label labels[] = {{"teff", "K", 3500, 8000},
                                    {"logg", "dex", 0, INFINITY},
                                    {"age", "Gyr", -INFINITY, 14},
                                    {"rv", "km/s", -INFINITY, INFINITY}};

static void test_quantile(void)
{
    /* Phi(Phi^-1(u)) = u; erfc is good to a few units in the last place and d Phi / dx < 0.4, so
     * the round trip is good to a few u * eps relative. */
    for (double u = 1e-300; u < 0.5; u *= 1.7) {
        const double x = anpe_normal_quantile(u), back = 0.5 * erfc(-x * M_SQRT1_2);
        /* a relative change eps of x changes log Phi by about x^2 eps */
        CU_ASSERT(fabs(back / u - 1) < (8 + x * x) * 4 * DBL_EPSILON);
    }
    CU_ASSERT_DOUBLE_EQUAL(anpe_normal_quantile(0.975), 1.959963984540054, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(anpe_normal_quantile(0.5), 0, 1e-16);
    CU_ASSERT_DOUBLE_EQUAL(anpe_normal_quantile(0.1), -anpe_normal_quantile(0.9), 1e-15);
}

static void test_map_round_trip(void)
{
    static const double theta[][4] = {
        {5777, 4.44, 4.6, -31}, {3500.001, 1e-9, 13.9999, 500}, {7999.99, 1e3, -1e3, 0}};
    anpe_label_map *m = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_label_map_new(ctx, 4, labels, 1, &m), ANPE_OK);
    anpe_label_map_fit(m, 3, &theta[0][0]);
    for (int k = 0; k < 3; k++) {
        float y[4];
        double back[4];
        anpe_label_map_forward(m, theta[k], y);
        (void)anpe_label_map_inverse(m, y, back);
        for (int i = 0; i < 4; i++) {
            /* y is a float: an error of eps_float (|y| sd + |mean|) on the line, times d theta/d
             * line */
            const double line = fabs((double)y[i]) * m->sd[i] + fabs(m->mean[i]);
            const double slope = i == 0   ? 4500 * 0.4
                                 : i == 3 ? 1
                                          : fabs(back[i] - (i == 1 ? 0 : 14));
            CU_ASSERT(fabs(back[i] - theta[k][i]) <= 2 * (double)FLT_EPSILON * (line + 1) * slope);
        }
    }
    CU_ASSERT_PTR_NULL(anpe_label_map_free(m));
}

static void test_map_stays_inside(void)
{
    anpe_label_map *m = NULL;
    double theta[4];
    CU_ASSERT_EQUAL_FATAL(anpe_label_map_new(ctx, 4, labels, 1, &m), ANPE_OK);
    for (float y = -1e4f; y <= 1e4f; y += 13.7f) {
        const float all[4] = {y, fminf(y, 80), fmaxf(y, -80), y};
        const double jacobian = anpe_label_map_inverse(m, all, theta);
        CU_ASSERT(theta[0] >= 3500 && theta[0] <= 8000);
        CU_ASSERT(theta[1] >= 0 && theta[2] <= 14);
        CU_ASSERT(isfinite(jacobian));
    }
    /* a uniform prior becomes a standard normal: quantiles of one are those of the other */
    const float y[4] = {1, 0, 0, 0};
    (void)anpe_label_map_inverse(m, y, theta);
    CU_ASSERT_DOUBLE_EQUAL((theta[0] - 3500) / 4500, 0.841344746068543, 1e-14);
    anpe_label_map_free(m);
}

/* log |d theta / d y| against central differences of the inverse. */
static void test_map_jacobian(void)
{
    anpe_label_map *m = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_label_map_new(ctx, 4, labels, 1, &m), ANPE_OK);
    for (int i = 0; i < 4; i++) {
        m->mean[i] = 0.3 * i - 0.2;
        m->sd[i] = 0.5 + 0.4 * i;
    }
    const float y[4] = {0.5f, -1.25f, 0.75f, 2};
    double theta[4], numeric = 0;
    const double analytic = anpe_label_map_inverse(m, y, theta);
    for (int i = 0; i < 4; i++) {
        const float h = 0x1p-7f; /* exact in float: truncation ~ h^2 / 6 * third derivative */
        float a[4], b[4];
        double up[4], down[4];
        memcpy(a, y, sizeof y);
        memcpy(b, y, sizeof y);
        a[i] += h;
        b[i] -= h;
        (void)anpe_label_map_inverse(m, a, up);
        (void)anpe_label_map_inverse(m, b, down);
        numeric += log((up[i] - down[i]) / (double)(2 * h));
    }
    CU_ASSERT_DOUBLE_EQUAL(analytic, numeric, 4 * 6e-5 * 5); /* h^2 times derivatives of order 5 */
    double slope[4], sum = 0;
    anpe_label_map_slope(m, y, slope);
    for (int i = 0; i < 4; i++)
        sum += log(slope[i]);
    CU_ASSERT_DOUBLE_EQUAL(sum, analytic, 1e-13);
    anpe_label_map_free(m);
}

/* A label on a bound is at the end of the line, in closed form, and no further for being outside.
 */
static void test_map_ends(void)
{
    const double last = -anpe_normal_quantile((double)FLT_EPSILON);
    const double bound[2][4] = {{3500, 0, 14, 0}, {8000, 0, 14, 0}};
    const double beyond[2][4] = {{3000, -1, 15, 0}, {1e9, -1, 15, 0}};
    anpe_label_map *m = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_label_map_new(ctx, 4, labels, 1, &m), ANPE_OK);
    for (double sd = 0.5; sd < 20; sd *= 2) /* at 4 and more the normal tail is the longer one */
        for (int k = 0; k < 2; k++) {
            float y[4], z[4];
            for (int i = 0; i < 4; i++) {
                m->mean[i] = 1.5;
                m->sd[i] = sd;
            }
            const double one_sided = fmax(-log((double)FLT_EPSILON), last * sd) / sd;
            const double box = ((k ? last : -last) - 1.5) / sd;
            anpe_label_map_forward(m, bound[k], y);
            anpe_label_map_forward(m, beyond[k], z);
            CU_ASSERT_DOUBLE_EQUAL((double)y[0], box, 1e-6 * fabs(box)); /* y is a float */
            CU_ASSERT_DOUBLE_EQUAL((double)y[1], -one_sided, 1e-6 * one_sided);
            CU_ASSERT_DOUBLE_EQUAL((double)y[2], one_sided, 1e-6 * one_sided);
            CU_ASSERT(!memcmp(y, z, sizeof y));
        }
    const double none[4] = {NAN, NAN, NAN, NAN};
    float y[4];
    anpe_label_map_forward(m, none, y);
    CU_ASSERT(isnan(y[0]) && isnan(y[1]) && isnan(y[2]) && isnan(y[3]));
    anpe_label_map_free(m);
}

/* k of n draws on the bound: they count as draws at the end of the line, 15.9 from the mean of the
 * others; without them nothing changes. A log-normal of 5 nats is not cut at 4 sd. */
static void test_map_fit_on_bound(void)
{
    enum { N = 2000, ON = 4 };
    const anpe_label label = {"age", "Gyr", 0, INFINITY};
    static double theta[N];
    const double end = log((double)FLT_EPSILON);
    anpe_label_map *m = NULL;
    float y;
    CU_ASSERT_EQUAL_FATAL(anpe_label_map_new(ctx, 1, &label, 1, &m), ANPE_OK);
    for (int i = ON; i < N; i++) /* a half-normal distribution */
        theta[i] = anpe_normal_quantile(0.5 + 0.5 * (i - ON + 0.5) / (N - ON));
    anpe_label_map_fit(m, N - ON, theta + ON);
    const double mean = m->mean[0], sd = m->sd[0];
    /* E ln|z| = -(gamma + ln 2) / 2, its sd pi / sqrt 8; the sum misses some of the tail */
    CU_ASSERT_DOUBLE_EQUAL(mean, -0.6351814, 2e-3);
    CU_ASSERT_DOUBLE_EQUAL(sd, M_PI / sqrt(8), 1e-2);
    anpe_label_map_fit(m, N, theta);
    const double part = (double)ON / N;
    CU_ASSERT_DOUBLE_EQUAL(m->mean[0], mean + part * end, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(m->sd[0], sqrt((1 - part) * sd * sd + part * (1 - part) * end * end),
                           1e-12);
    m->mean[0] = 0;
    m->sd[0] = 5;
    const double far = exp(-20);
    anpe_label_map_forward(m, &far, &y);
    CU_ASSERT_DOUBLE_EQUAL((double)y, -4, 1e-6);
    anpe_label_map_free(m);
}

static void test_map_none(void)
{
    anpe_label_map *m = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_label_map_new(ctx, 4, labels, 0, &m), ANPE_OK);
    const float y[4] = {-2, -2, 20, 3};
    double theta[4];
    CU_ASSERT_DOUBLE_EQUAL(anpe_label_map_inverse(m, y, theta), 0, 0);
    CU_ASSERT_EQUAL(theta[0], -2); /* leaves the prior: that is what `none` means */
    anpe_label_map_free(m);
}

/* ---- channels ---------------------------------------------------------------------------- */

static void test_channels(void)
{
    static const char *const names[] = {"flux", "mask", "log_sigma"};
    float flux[] = {1, 2, 3, 4, 5, 6}, sigma[] = {1, 10, 100, 0.1f, 1, 1};
    uint8_t mask[] = {0, 1, 0, 0, 0, 1};
    const anpe_spectrum s = {6, flux, sigma, mask, ""};
    anpe_channels *c = NULL;
    float x[18];
    CU_ASSERT_EQUAL_FATAL(anpe_channels_new(ctx, 3, 2, 3, names, &c), ANPE_OK);
    CU_ASSERT_EQUAL(c->width, 6);
    anpe_channels_fill(c, &s, x);
    /* pixel 1: flux of both planes, mask of both, log sigma of both */
    static const float pixel1[] = {2, 5, 1, 0, 1, 0};
    for (int i = 0; i < 6; i++)
        CU_ASSERT_DOUBLE_EQUAL(x[6 + i], pixel1[i], 1e-6);
    anpe_channels_fit(c, 1, x, 0);
    anpe_channels_fill(c, &s, x);
    CU_ASSERT_DOUBLE_EQUAL(x[0], -x[12], 1e-6); /* 1, 2, 3 standardised */
    CU_ASSERT_DOUBLE_EQUAL(x[6], 0, 1e-6);
    CU_ASSERT_EQUAL(x[8], 1); /* a mask is left as it is */
    float grad[18], back[6];
    for (int i = 0; i < 18; i++)
        grad[i] = (float)i;
    x[12] = c->limit; /* pixel 2 of plane 0 is clipped */
    anpe_channels_pull_back(c, &s, x, grad, back);
    for (int i = 0; i < 6; i++) /* plane, pixel: flux is channel 0 or 1 of 6 */
        CU_ASSERT_EQUAL(back[i], i == 2 ? 0 : grad[i % 3 * 6 + i / 3] / c->scale[i / 3]);
    flux[0] = 1e30f;
    anpe_channels_fill(c, &s, x);
    CU_ASSERT_EQUAL(x[0], ANPE_CHANNEL_LIMIT);
    anpe_channels_free(c);
    static const char *const wrong[] = {"flux", "mask", "log_sigmma"}, *const twice[] = {"flux",
                                                                                         "flux"};
    SAYS(anpe_channels_new(ctx, 3, 2, 3, wrong, &c), ANPE_ECONFIG,
         "observe: no channel 'log_sigmma'; did you mean 'log_sigma'? (flux, mask, log_sigma, "
         "position)");
    SAYS(anpe_channels_new(ctx, 3, 2, 2, twice, &c), ANPE_ECONFIG,
         "observe: channel 'flux' is given twice");
}

/* Inputs with tails: each kind gets its curve, comes out standardised, and the gradient goes back
 * through it. Inputs: normal, log-normal, heavy on both sides, positive but narrow. */
static void test_curves(void)
{
    enum { N = 2000, L = 4 };
    static const char *const names[] = {"flux"};
    static float x[N * L];
    float flux[L], sigma[L] = {1, 1, 1, 1}, in[L], ones[L] = {1, 1, 1, 1}, back[L];
    uint8_t mask[L] = {0};
    const anpe_spectrum s = {L, flux, sigma, mask, ""};
    anpe_rng rng = {.key = {1, 2}};
    anpe_channels *c = NULL;
    for (int i = 0; i < N; i++) {
        float *row = x + i * L;
        row[0] = (float)(5 + 2 * anpe_normal(&rng));
        row[1] = (float)exp(3 + 2 * anpe_normal(&rng));
        row[2] = (float)(anpe_normal(&rng) / (0.05 + anpe_uniform(&rng)));
        row[3] = (float)(100 + anpe_normal(&rng));
    }
    CU_ASSERT_EQUAL_FATAL(anpe_channels_new(ctx, L, 1, 1, names, &c), ANPE_OK);
    anpe_channels_fit(c, N, x, 0);
    CU_ASSERT_EQUAL(anpe_channels_curved(c), 0); /* pixels of a spectrum keep their shape */
    anpe_channels_fit(c, N, x, 1);
    CU_ASSERT(c->curve[0] == 0 && c->curve[1] > 0 && c->curve[2] < 0 && c->curve[3] == 0);
    CU_ASSERT_DOUBLE_EQUAL(c->mean[1], 3, 0.2); /* of the log: +-0.045 */
    CU_ASSERT_DOUBLE_EQUAL(c->scale[1], 2, 0.15);
    for (int i = 0; i < 20; i++) {
        const float h = 1e-2f;
        memcpy(flux, x + i * L, sizeof flux);
        anpe_channels_fill(c, &s, in);
        anpe_channels_pull_back(c, &s, in, ones, back);
        for (int l = 0; l < L; l++) {
            const float v = flux[l], step = h * fabsf(v);
            CU_ASSERT(fabsf(in[l]) < 6);
            float up[L], down[L];
            flux[l] = v + step;
            anpe_channels_fill(c, &s, up);
            flux[l] = v - step;
            anpe_channels_fill(c, &s, down);
            flux[l] = v;
            /* h^2 / 3 for the log, and the rounding of x over h */
            CU_ASSERT_DOUBLE_EQUAL((up[l] - down[l]) / (2 * step), back[l],
                                   1e-3 * fabs((double)back[l]) + 1e-5 / (double)step);
        }
    }
    flux[1] = -1; /* outside of what the log is for: the end of its range */
    anpe_channels_fill(c, &s, in);
    CU_ASSERT(in[1] < -2 && in[1] >= -ANPE_CHANNEL_LIMIT);
    anpe_channels_free(c);
}

/* The position is standardised over the pixels, the same for every spectrum and plane, survives the
 * fit, and comes back from what a model file holds. */
static void test_position(void)
{
    static const char *const names[] = {"flux", "position"};
    const double wavelength[] = {100, 1000, 10000};
    float flux[] = {1, 2, 3, 4, 5, 6}, sigma[] = {1, 1, 1, 1, 1, 1};
    uint8_t mask[6] = {0};
    const anpe_spectrum s = {6, flux, sigma, mask, ""};
    for (int per_pixel = 0; per_pixel < 4;
         per_pixel++) { /* twice with wavelengths, twice without */
        anpe_channels *c = NULL;
        float x[12];
        CU_ASSERT_EQUAL_FATAL(anpe_channels_new(ctx, 3, 2, 2, names, &c), ANPE_OK);
        anpe_channels_place(c, per_pixel < 2 ? wavelength : NULL);
        anpe_channels_fill(c, &s, x);
        anpe_channels_fit(c, 1, x, per_pixel % 2);
        anpe_channels_fill(c, &s, x);
        for (int l = 0; l < 3; l++) /* -1, 0, 1 over its sd of sqrt(2/3) */
            for (int plane = 0; plane < 2; plane++)
                CU_ASSERT_DOUBLE_EQUAL(x[4 * l + 2 + plane], (l - 1) / sqrt(2.0 / 3), 1e-6);
        anpe_channels_free(c);
    }
}

static void test_position_of_one_pixel(void)
{
    static const char *const names[] = {"position"};
    float flux = 1, sigma = 1, x = 9;
    uint8_t mask = 0;
    const anpe_spectrum s = {1, &flux, &sigma, &mask, ""};
    anpe_channels *c = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_channels_new(ctx, 1, 1, 1, names, &c), ANPE_OK);
    anpe_channels_place(c, NULL);
    anpe_channels_fill(c, &s, &x);
    CU_ASSERT_EQUAL(x, 0);
    anpe_channels_free(c);
}

/* ---- optimiser --------------------------------------------------------------------------- */

static void test_adam(void)
{
    anpe_optimiser *o = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_optimiser_new(ctx, 2, 4, 50, &o), ANPE_OK);
    float value[] = {1, -1};
    const float g[] = {3, -4};
    /* the first step of Adam is rate * sign(g), whatever the size of g */
    CU_ASSERT_DOUBLE_EQUAL(anpe_optimiser_step(o, 0.1, g, value), 5, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(value[0], 0.9, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(value[1], -0.9, 1e-6);
    const float big[] = {30, -40}, bigger[] = {60, -80};
    (void)anpe_optimiser_step(o, 0.1, big, value);
    (void)anpe_optimiser_step(o, 0.1, bigger, value);
    anpe_optimiser_end_epoch(o); /* norms 5, 50, 100: the median is the clip */
    CU_ASSERT_DOUBLE_EQUAL(o->clip, 50, 1e-4);
    const float before = o->m[0];
    (void)anpe_optimiser_step(o, 0.1, bigger, value); /* clipped from 100 to 50 */
    CU_ASSERT_DOUBLE_EQUAL(o->m[0], 0.9 * (double)before + 0.1 * 30, 1e-4);
    anpe_optimiser_free(o);
    CU_ASSERT_DOUBLE_EQUAL(anpe_learning_rate(1, 0, 0, 10, 100), 0.1, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(anpe_learning_rate(1, 0, 10, 10, 100), 1, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(anpe_learning_rate(1, 0.5, 100, 10, 100), 0.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(anpe_learning_rate(1, 0, 55, 10, 100), 0.5, 1e-12);
}

/* A quadratic bowl: Adam reaches its bottom. */
static void test_adam_converges(void)
{
    anpe_optimiser *o = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_optimiser_new(ctx, 2, 1000, 100, &o), ANPE_OK);
    float x[] = {5, -3};
    for (int64_t i = 0; i < 2000; i++) {
        const float g[] = {2 * (x[0] - 1), 20 * (x[1] - 2)};
        (void)anpe_optimiser_step(o, anpe_learning_rate(0.1, 1e-5, i, 0, 2000), g, x);
    }
    CU_ASSERT_DOUBLE_EQUAL(x[0], 1, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(x[1], 2, 1e-3);
    anpe_optimiser_free(o);
}

/* Stages end when nothing has become better for long enough; one that brought nothing is the last.
 */
static void test_stages(void)
{
    anpe_stage s = {0, 0};
    CU_ASSERT_EQUAL(anpe_stage_verdict(&s, 7, 0, 8), ANPE_GO_ON);
    CU_ASSERT_EQUAL(anpe_stage_verdict(&s, 8, 0, 8),
                    ANPE_NEXT_STAGE); /* the first may bring none */
    CU_ASSERT_EQUAL(anpe_stage_verdict(&s, 20, 13, 8), ANPE_GO_ON);
    CU_ASSERT_EQUAL(anpe_stage_verdict(&s, 21, 13, 8), ANPE_NEXT_STAGE);
    s = (anpe_stage){1, 21};
    CU_ASSERT_EQUAL(anpe_stage_verdict(&s, 28, 13, 8), ANPE_GO_ON);
    CU_ASSERT_EQUAL(anpe_stage_verdict(&s, 29, 13, 8), ANPE_END);
    CU_ASSERT_EQUAL(anpe_stage_verdict(&s, 29, 22, 8), ANPE_GO_ON);
    CU_ASSERT_EQUAL(anpe_stage_verdict(&s, 30, 22, 8), ANPE_NEXT_STAGE);
    CU_ASSERT_DOUBLE_EQUAL(anpe_stage_decay(&s, 10), 3, 1e-12);
}

/* With weights that go 1, 2, 3, ... the average follows, first over few steps, then over `span`. */
static void test_average(void)
{
    anpe_optimiser *o = NULL;
    float value = 0;
    const float g = -1;
    double expected = 0;
    CU_ASSERT_EQUAL_FATAL(anpe_optimiser_new(ctx, 1, 200, 100, &o), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_optimiser_average(ctx, o, 20, &value), ANPE_OK);
    for (int i = 1; i <= 400; i++) {
        (void)anpe_optimiser_step(o, 1, &g, &value);
        expected += fmax(1.0 / 20, 9.0 / (10 + i)) * ((double)value - expected);
        CU_ASSERT_DOUBLE_EQUAL(o->average[0], expected, 1e-3);
    }
    CU_ASSERT_DOUBLE_EQUAL((double)(value - o->average[0]), 19, 0.2); /* span - 1 steps behind */
    anpe_optimiser_free(o);
}

/* A network with more parameters than one piece of work has, weight norm and masks among them. */
static anpe_graph *update_graph(void)
{
    int degree[300];
    for (int i = 0; i < 300; i++)
        degree[i] = i % 7;
    anpe_graph *g = anpe_graph_new();
    anpe_node x = anpe_graph_input(g, "x", 2, 4, 3);
    x = anpe_flatten(g, anpe_conv1d(g, "conv", x, 75, 3, ANPE_WEIGHT_NORM));
    (void)anpe_masked_linear(g, "linear", x, 300, degree, degree, 0);
    return g;
}

/* Two updates by `threads` threads -> raw and effective parameters after them. 0: one by one. */
static void update_twice(const anpe_graph *g, int threads, anpe_parameters **p)
{
    anpe_optimiser *o = NULL;
    anpe_workers *w = NULL;
    CU_ASSERT_EQUAL_FATAL(anpe_parameters_new(ctx, g, ANPE_FLOAT, 3, p), ANPE_OK);
    const int64_t n = (*p)->effective_size;
    CU_ASSERT_EQUAL_FATAL(anpe_optimiser_new(ctx, (*p)->size, 4, 100, &o), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(anpe_workers_new(ctx, threads ? threads : 1, &w), ANPE_OK);
    float *effective = calloc((size_t)n, sizeof *effective);
    float *raw = calloc((size_t)(*p)->size, sizeof *raw);
    for (int step = 0; step < 2; step++) {
        double norm = 0;
        o->clip = step ? 0.5 : INFINITY; /* of a gradient larger than that */
        for (int64_t i = 0; i < n; i++)
            effective[i] = (float)sin(0.37 * (double)(i + step));
        if (threads) {
            CU_ASSERT_EQUAL(anpe_optimiser_update(ctx, o, 0.01, effective, raw, *p, w, &norm),
                            ANPE_OK);
        } else {
            anpe_parameters_pull_back(*p, effective, raw);
            norm = anpe_optimiser_step(o, 0.01, raw, (*p)->raw);
            anpe_parameters_prepare(*p);
        }
        double square = 0;
        for (int64_t i = 0; i < (*p)->size; i++)
            square += (double)raw[i] * (double)raw[i];
        /* sums of 10^5 positive terms in two orders */
        CU_ASSERT_DOUBLE_EQUAL(norm / sqrt(square), 1, 1e5 * DBL_EPSILON);
    }
    free(effective);
    free(raw);
    anpe_workers_free(w);
    anpe_optimiser_free(o);
}

/* The update is that of its parts, bit for bit, on any number of threads. */
static void test_update(void)
{
    anpe_graph *g = update_graph();
    anpe_parameters *p[4] = {NULL};
    const int threads[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++) {
        update_twice(g, threads[i], &p[i]);
        CU_ASSERT(p[i]->size > 65536);
        CU_ASSERT_EQUAL(memcmp(p[i]->raw, p[0]->raw, (size_t)p[0]->size * sizeof(float)), 0);
        CU_ASSERT_EQUAL(
            memcmp(p[i]->effective, p[0]->effective, (size_t)p[0]->effective_size * sizeof(float)),
            0);
    }
    for (int i = 0; i < 4; i++)
        anpe_parameters_free(p[i]);
    anpe_graph_free(g);
}

/* ---- recovery ---------------------------------------------------------------------------- */

/* Calibrated Gaussian posteriors: R2, coverage and pulls are known. */
static void test_recovery(void)
{
    enum { N = 20000 };
    double *v = malloc(7 * N * sizeof *v);
    double *truth = v, *median = v + N, *mean = v + 2 * N, *sd = v + 3 * N, *lo = v + 4 * N,
           *hi = v + 5 * N, *work = v + 6 * N;
    anpe_rng rng = anpe_rng_make(1, ANPE_FOR_MOCKS, 0, 0);
    for (int i = 0; i < N; i++) {
        truth[i] = 3 * anpe_normal(&rng);
        mean[i] = median[i] = truth[i] + anpe_normal(&rng) + 0.1;
        sd[i] = 1;
        lo[i] = mean[i] - 1;
        hi[i] = mean[i] + 1;
    }
    const anpe_recovery r = anpe_recovery_of(N, truth, median, mean, sd, lo, hi, work);
    /* four standard errors of each estimate for N = 20000 */
    CU_ASSERT_DOUBLE_EQUAL(r.r2, 1 - 1.01 / 9, 0.01);
    CU_ASSERT_DOUBLE_EQUAL(r.bias, 0.1, 4 * 1.2533 / sqrt(N));
    CU_ASSERT_DOUBLE_EQUAL(r.scatter, 1, 4 * 1.17 / sqrt(N));
    CU_ASSERT_DOUBLE_EQUAL(r.pull, 1, 4 * 0.71 / sqrt(N));
    CU_ASSERT_DOUBLE_EQUAL(r.cover68, 0.68, 0.02);
    free(v);
}

/* Every length up to 70, with ties: ascending, and the same values as before. */
static void test_sort(void)
{
    enum { MOST = 70 };
    anpe_rng rng = anpe_rng_make(2, ANPE_FOR_MOCKS, 0, 0);
    for (int n = 0; n <= MOST; n++) {
        double v[MOST + 1];
        int count[10] = {0};
        v[n] = -1; /* must stay */
        for (int i = 0; i < n; i++)
            count[(int)(v[i] = (double)anpe_integer(&rng, 10))]++;
        anpe_sort(n, v);
        CU_ASSERT_EQUAL(v[n], -1);
        for (int i = 0; i < n; i++)
            count[(int)v[i]]--;
        for (int i = 1; i < n; i++)
            CU_ASSERT(v[i - 1] <= v[i]);
        for (int k = 0; k < 10; k++)
            CU_ASSERT_EQUAL(count[k], 0);
    }
}

/* 34 to 40 columns, those of --exact, --group, --compare and a validation included, and 7 a label
 * in a table of at most 999. */
static void test_room_for_labels(void)
{
    CU_ASSERT_EQUAL(anpe_infer_check_labels(ctx, 137), ANPE_OK);
    FAILS(anpe_infer_check_labels(ctx, 138), ANPE_ECONFIG,
          "the model has 138 labels, a catalogue has room for 137");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"normal quantile", test_quantile},
        {"label map there and back", test_map_round_trip},
        {"label map stays inside", test_map_stays_inside},
        {"label map Jacobian", test_map_jacobian},
        {"ends of the line", test_map_ends},
        {"labels on a bound", test_map_fit_on_bound},
        {"no transform", test_map_none},
        {"channels", test_channels},
        {"curves of inputs", test_curves},
        {"position", test_position},
        {"position of one pixel", test_position_of_one_pixel},
        {"Adam, clip and rate", test_adam},
        {"Adam converges", test_adam_converges},
        {"stages", test_stages},
        {"average", test_average},
        {"update on threads", test_update},
        {"recovery", test_recovery},
        {"sort", test_sort},
        {"labels that a catalogue has room for", test_room_for_labels},
    };
    return run_suite(argc, argv, "npe", COUNT(tests), tests);
}
