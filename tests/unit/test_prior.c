/* Priors independent and table: draws against densities, integrals, support, bad options.
 *
 * Statistical bounds are set so that a right implementation fails about once in 10^5 seeds; the
 * seed is fixed, so that a test that passes goes on passing. */
#include <config.h>
#include "file/hdf5_file.h"
#include "plugin_support.h"
#include <math.h>

typedef struct prior {
    subject s;
    const anpe_prior_ops *ops;
    int64_t n;
    const anpe_label *labels;
} prior;

static const anpe_label domain[] = {{"teff", "K", 3000, 8000},
                                    {"logg", "dex", 0, 5},
                                    {"fe_h", "dex", -2, 0.5},
                                    {"rv", "km/s", -INFINITY, INFINITY}};

static anpe_status prior_new(const char *text, prior *p)
{
    const anpe_prior_setup setup = {.size = sizeof setup, .n_labels = 4, .labels = domain};
    const anpe_status status = subject_new(ANPE_PRIOR, &setup, text, &p->s);
    if (status)
        return status;
    p->ops = p->s.c.ops;
    p->ops->info(p->s.c.self, &p->n, &p->labels);
    return ANPE_OK;
}

static anpe_status one_label(const char *row, prior *p)
{
    char text[512];
    snprintf(text, sizeof text, "plugin = \"independent\"; labels = ( { %s } );", row);
    return prior_new(text, p);
}

static double density(const prior *p, const double *theta)
{
    return exp(p->ops->log_density(p->s.c.self, theta));
}

/* Simpson's rule of the one-label density over [a, b] with n (even) intervals. */
static double integral(const prior *p, double a, double b, int n)
{
    double sum = 0;
    for (int i = 0; i <= n; i++) {
        const double x = i == n ? b : a + (b - a) * i / n;
        sum += density(p, &x) * (i == 0 || i == n ? 1 : i % 2 ? 4 : 2);
    }
    return sum * (b - a) / n / 3;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Largest distance of the empirical CDF of n sorted draws to the integral of the density, times
 * sqrt(n): Kolmogorov-Smirnov. The CDF is summed over steps of one draw to the next. */
static double ks(const prior *p, const double *x, int n, double lo)
{
    double cdf = 0, worst = 0, at = lo;
    for (int i = 0; i < n; at = x[i++]) {
        cdf += x[i] > at ? integral(p, at, x[i], 8) : 0;
        worst = fmax(worst, fmax(fabs(cdf - (double)i / n), fabs(cdf - (i + 1.0) / n)));
    }
    return worst * sqrt(n);
}

static void draw(const prior *p, int n, double *x)
{
    for (int i = 0; i < n; i++) {
        anpe_rng rng = anpe_rng_make(20, ANPE_FOR_MOCKS, i, ANPE_SLOT_LABELS);
        WORKS(p->ops->sample(p->s.c.self, ctx, &rng, x + (int64_t)i * p->n));
    }
}

/* ---- independent ------------------------------------------------------------------------- */

/* P(KS > 2.47) = 2 exp(-2 2.47^2) = 1e-5. */
enum { N_DRAWS = 20000 };
static double draws[3 * N_DRAWS];

static void check_marginal(const char *row, double lo, double hi, double mean, double sd)
{
    prior p;
    double m = 0, v = 0;
    WORKS(one_label(row, &p));
    draw(&p, N_DRAWS, draws);
    for (int i = 0; i < N_DRAWS; i++)
        m += draws[i] / N_DRAWS;
    for (int i = 0; i < N_DRAWS; i++)
        v += (draws[i] - m) * (draws[i] - m) / N_DRAWS;
    qsort(draws, N_DRAWS, sizeof *draws, compare);
    CU_ASSERT(draws[0] >= p.labels[0].min && draws[N_DRAWS - 1] <= p.labels[0].max);
    /* Simpson over 20000 intervals is exact to far better than 1e-8 for these densities */
    CU_ASSERT_DOUBLE_EQUAL(integral(&p, lo, hi, 20000), 1, 1e-8);
    CU_ASSERT(ks(&p, draws, N_DRAWS, lo) < 2.47);
    /* 4.5 standard errors of the mean; of the variance for kurtosis up to 4 */
    CU_ASSERT_DOUBLE_EQUAL(m, mean, 4.5 * sd / sqrt(N_DRAWS));
    CU_ASSERT_DOUBLE_EQUAL(v / (sd * sd), 1, 4.5 * sqrt(3.0 / N_DRAWS));
    subject_clear(&p.s);
}

static void test_marginals(void)
{
    const double l = log(8.0);
    check_marginal("name = \"teff\";", 3000, 8000, 5500, 5000 / sqrt(12));
    check_marginal("name = \"teff\"; min = 4000; max = 5000;", 4000, 5000, 4500, 1000 / sqrt(12));
    check_marginal("name = \"rv\"; type = \"normal\"; mean = 3; sd = 2;", 3 - 14, 3 + 14, 3, 2);
    /* log-uniform on [0.5, 4]: mean (b - a)/l, second moment (b^2 - a^2)/2l */
    check_marginal("name = \"logg\"; type = \"log_uniform\"; min = 0.5; max = 4;", 0.5, 4, 3.5 / l,
                   sqrt((16 - 0.25) / (2 * l) - 3.5 / l * 3.5 / l));
    /* log-normal of m and s: mean exp(m + s^2/2), relative variance exp(s^2) - 1 */
    const double mean = exp(0.7 + 0.02), sd = mean * sqrt(expm1(0.04));
    check_marginal("name = \"rv\"; type = \"log_normal\"; mean = 0.7; sd = 0.2;", 0, 8, mean, sd);
    check_marginal("name = \"logg\"; type = \"log_normal\"; mean = 0.7; sd = 0.2;", 0, 5, mean, sd);
}

/* Cut at its median: half of the mass, so twice the density; nothing at and below zero. */
static void test_log_normal(void)
{
    prior p;
    const double half = 1, at = 2, zero = 0;
    WORKS(one_label("name = \"rv\"; type = \"log_normal\"; mean = 0; sd = 0.5; min = 1;", &p));
    CU_ASSERT_DOUBLE_EQUAL(density(&p, &half), 2 / (0.5 * sqrt(2 * M_PI)), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(density(&p, &at), exp(-2 * log(2.0) * log(2.0)) / (0.5 * sqrt(2 * M_PI)),
                           1e-12);
    subject_clear(&p.s);
    WORKS(one_label("name = \"rv\"; type = \"log_normal\"; mean = 0; sd = 0.5;", &p));
    CU_ASSERT(p.labels[0].min == 0 && isinf(p.labels[0].max));
    CU_ASSERT_EQUAL(p.ops->log_density(p.s.c.self, &zero), -INFINITY);
    subject_clear(&p.s);
}

/* Normal cut to [a, b] in units of sd: mean m = (phi(a) - phi(b))/Z, variance
 * 1 + (a phi(a) - b phi(b))/Z - m^2. */
static void test_truncated(void)
{
    const double a = -1, b = 2.5, pa = exp(-0.5 * a * a) / sqrt(2 * M_PI),
                 pb = exp(-0.5 * b * b) / sqrt(2 * M_PI),
                 z = 0.5 * (erf(b / M_SQRT2) - erf(a / M_SQRT2)), m = (pa - pb) / z;
    check_marginal("name = \"fe_h\"; type = \"truncated_normal\"; mean = -0.6; sd = 0.2; "
                   "min = -0.8; max = -0.1;",
                   -0.8, -0.1, -0.6 + 0.2 * m, 0.2 * sqrt(1 + (a * pa - b * pb) / z - m * m));
}

/* Far in a tail the cut normal is an exponential of rate t = distance in sd, to order 1/t^2:
 * mean t + 1/t - 2/t^3, and sd (1 - 3/t^2)/t for t = 50 to about 6/t^4. In both tails. */
static void test_far_tail(void)
{
    const double t = 50, mean = 1 / t - 2 / (t * t * t), sd = (1 - 3 / (t * t)) / t;
    check_marginal("name = \"rv\"; type = \"truncated_normal\"; mean = -50; sd = 1; min = 0; "
                   "max = 1;",
                   0, 1, mean, sd);
    check_marginal("name = \"rv\"; type = \"truncated_normal\"; mean = 50; sd = 1; min = -1; "
                   "max = 0;",
                   -1, 0, -mean, sd);
}

static void test_joint(void)
{
    prior p;
    const double inside[] = {5000, -1, 2}, outside[] = {5000, -2.1, 2}, nan_in[] = {NAN, -1, 2};
    WORKS(prior_new("plugin = \"independent\"; labels = ( { name = \"teff\"; }, "
                    "{ name = \"fe_h\"; }, { name = \"rv\"; min = -5; max = 5; } );",
                    &p));
    CU_ASSERT_EQUAL(p.n, 3);
    CU_ASSERT_STRING_EQUAL(p.labels[0].unit, "K");
    CU_ASSERT_EQUAL(p.labels[1].min, -2);
    CU_ASSERT_EQUAL(p.labels[2].max, 5);
    CU_ASSERT_DOUBLE_EQUAL(density(&p, inside), 1 / (5000 * 2.5 * 10), 1e-18);
    CU_ASSERT_EQUAL(density(&p, outside), 0);
    CU_ASSERT_EQUAL(density(&p, nan_in), 0);
    draw(&p, N_DRAWS, draws);
    for (int i = 0; i < N_DRAWS; i++)
        CU_ASSERT_FATAL(isfinite(p.ops->log_density(p.s.c.self, draws + 3 * i)));
    subject_clear(&p.s);
}

static void test_independent_errors(void)
{
    static const char *const bad[][2] = {
        {"name = \"teff\"; min = 5000; max = 5000;", "label teff: min 5000 is not below max 5000"},
        {"name = \"teff\"; min = 2000;",
         "label teff: the prior's range [2000, 8000] is outside the simulator's [3000, 8000]"},
        {"name = \"teff\"; type = \"normal\"; mean = 5000; sd = 100;", "use truncated_normal"},
        {"name = \"rv\";", "label rv: min is missing"},
        {"name = \"rv\"; min = 0;", "label rv: max is missing"},
        {"name = \"rv\"; type = \"normal\"; sd = 1;", "label rv: mean is missing"},
        {"name = \"rv\"; type = \"normal\"; mean = 1;", "label rv: sd is missing"},
        {"name = \"rv\"; type = \"normal\"; mean = 1; sd = 0;", "label rv: sd must be positive"},
        {"name = \"rv\"; type = \"normal\"; mean = 1; sd = 1; max = 3;",
         "normal has no min and no max; use truncated_normal"},
        {"name = \"rv\"; mean = 1; min = 0; max = 1;", "uniform has no mean"},
        {"name = \"rv\"; type = \"log_uniform\"; min = 0; max = 1;", "log_uniform needs min > 0"},
        {"name = \"rv\"; type = \"log_normal\"; min = -1; mean = 0; sd = 1;",
         "log_normal needs min >= 0"},
        {"name = \"rv\"; type = \"log_normal\"; mean = 0;", "sd is missing"},
        {"name = \"rv\"; type = \"truncated_normal\"; mean = 1e200; sd = 1; min = 0; max = 1;",
         "too far from mean"},
        {"name = \"a_name_that_is_much_too_long\"; min = 0; max = 1;", "longer than 23 letters"},
        {"name = \"rv\"; type = \"unifrom\";", "unifrom"},
        {"name = \"rv\"; min = 0; max = 1; }, { name = \"rv\"; min = 0; max = 1;",
         "label rv is given twice"},
        {"min = 0; max = 1;", "name"},
    };
    prior p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        FAILS(one_label(bad[i][0], &p), ANPE_ECONFIG, bad[i][1]);
    FAILS(prior_new("plugin = \"independent\";", &p), ANPE_ECONFIG, "labels");
}

/* ---- table ------------------------------------------------------------------------------- */

static const char *write_text(const char *name, const char *text)
{
    const char *path = in_scratch(name);
    write_bytes(path, text, strlen(text));
    return path;
}

static anpe_status table_new(const char *path, const char *more, prior *p)
{
    char text[1024];
    snprintf(text, sizeof text, "plugin = \"table\"; file = \"%s\"; %s", path, more);
    return prior_new(text, p);
}

static const char four[] = "# made by hand\n# teff logg imf\n4000 1.0 1\n5000 3.0 2\n"
                           "5500 4.5 1\n6000 4.0 4\n";

/* Counts of draws in cells against the integral of the density over each: chi2 of 8 x 8 - 1 = 63
 * degrees of freedom, mean 63, sd 11.2; P(> 126) = 4e-6. Also the integral over the whole box. */
static void check_chi2(const prior *p)
{
    enum { CELLS = 8, STEPS = 60 };
    const anpe_label *l = p->labels;
    const double w0 = (l[0].max - l[0].min) / CELLS, w1 = (l[1].max - l[1].min) / CELLS;
    double expected[CELLS][CELLS] = {{0}}, chi2 = 0, total = 0;
    int count[CELLS][CELLS] = {{0}};
    for (int i = 0; i < CELLS * STEPS; i++) /* midpoints */
        for (int j = 0; j < CELLS * STEPS; j++) {
            const double x[2] = {l[0].min + (i + 0.5) * w0 / STEPS,
                                 l[1].min + (j + 0.5) * w1 / STEPS};
            expected[i / STEPS][j / STEPS] += density(p, x) * w0 * w1 / (STEPS * STEPS);
        }
    draw(p, N_DRAWS, draws);
    for (int i = 0; i < N_DRAWS; i++) {
        const int a = (int)((draws[2 * i] - l[0].min) / w0),
                  b = (int)((draws[2 * i + 1] - l[1].min) / w1);
        CU_ASSERT_FATAL(draws[2 * i] >= l[0].min && draws[2 * i] <= l[0].max);
        count[a < CELLS ? a : CELLS - 1][b < CELLS ? b : CELLS - 1]++;
    }
    for (int i = 0; i < CELLS * CELLS; i++) {
        const double e = expected[i / CELLS][i % CELLS], n = count[i / CELLS][i % CELLS];
        total += e;
        if (e * N_DRAWS > 1)
            chi2 += (n - e * N_DRAWS) * (n - e * N_DRAWS) / (e * N_DRAWS);
    }
    /* midpoint rule, kernels of at least 3 steps: error below 1e-6; where the cut box ends inside
     * a kernel, (step/h)^2/24 of the slope there: below 5e-4 */
    CU_ASSERT_DOUBLE_EQUAL(total, 1, 5e-4);
    CU_ASSERT(chi2 < 126);
}

static void test_table_density(void)
{
    prior p;
    const char *path = write_text("t.txt", four);
    WORKS(table_new(path,
                    "labels = [ \"teff\", \"logg\" ]; weight = \"imf\"; "
                    "jitter = [ 150.0, 0.3 ];",
                    &p));
    CU_ASSERT_EQUAL(p.n, 2);
    CU_ASSERT_STRING_EQUAL(p.labels[1].unit, "dex");
    CU_ASSERT_EQUAL(p.labels[0].min, 4000 - 600);
    CU_ASSERT_EQUAL(p.labels[1].min, 0); /* 1.0 - 1.2 is outside the simulator */
    CU_ASSERT_EQUAL(p.labels[1].max, 5); /* so is 4.5 + 1.2 */
    check_chi2(&p);
    subject_clear(&p.s);
    WORKS(table_new(path,
                    "labels = [ \"logg\", \"teff\" ]; jitter = [ 0.5, 300.0 ]; "
                    "min = [ 2.0, 4500.0 ]; max = [ 5.0, 5900.0 ];",
                    &p));
    CU_ASSERT_EQUAL(p.labels[0].min, 2);
    CU_ASSERT_EQUAL(p.labels[1].max, 5900);
    check_chi2(&p);
    subject_clear(&p.s);
}

/* Without jitter the draws are the rows, each with its weight. */
static void test_table_rows(void)
{
    prior p;
    int count[4] = {0};
    static const double teff[4] = {4000, 5000, 5500, 6000}, weight[4] = {1, 2, 1, 4};
    WORKS(table_new(write_text("t.txt", four), "weight = \"imf\";", &p));
    CU_ASSERT_EQUAL_FATAL(p.n, 2);
    draw(&p, N_DRAWS, draws);
    for (int i = 0; i < N_DRAWS; i++)
        for (int k = 0; k < 4; k++)
            count[k] += draws[2 * i] == teff[k];
    CU_ASSERT_EQUAL(count[0] + count[1] + count[2] + count[3], N_DRAWS);
    for (int k = 0; k < 4; k++) {
        const double e = N_DRAWS * weight[k] / 8;
        CU_ASSERT_DOUBLE_EQUAL(count[k], e, 4.5 * sqrt(e));
    }
    CU_ASSERT(isfinite(p.ops->log_density(p.s.c.self, draws)));
    subject_clear(&p.s);
}

/* The tree against the plain sum over 3000 rows, at draws and at points of the box. */
static void test_table_tree(void)
{
    enum { N = 3000 };
    static double x[N][3];
    prior p;
    anpe_h5 *f = NULL;
    const int64_t shape[2] = {N, 3};
    const char *const names[] = {"teff", "logg", "fe_h"};
    anpe_rng rng = anpe_rng_make(4, ANPE_FOR_MOCKS, 0, 0);
    for (int i = 0; i < N; i++) {
        x[i][0] = 5000 + 400 * anpe_normal(&rng);
        x[i][1] = 2.5 + (x[i][0] - 5000) / 2000 + 0.2 * anpe_normal(&rng);
        x[i][2] = -1.5 + 1.5 * anpe_uniform(&rng);
    }
    WORKS(anpe_h5_create(ctx, in_scratch("t.h5"), &f));
    WORKS(anpe_h5_write(ctx, f, "theta", ANPE_H5_DOUBLE, 2, shape, x));
    WORKS(anpe_h5_put_texts(ctx, f, "theta", "labels", 3, names));
    WORKS(anpe_h5_close(ctx, f));
    WORKS(table_new(in_scratch("t.h5"), "jitter = [ 20.0, 0.03, 0.02 ];", &p));
    for (int trial = 0; trial < 200; trial++) {
        double at[3], sum = 0, best = -INFINITY;
        static double e[N];
        if (trial % 2)
            WORKS(p.ops->sample(p.s.c.self, ctx, &rng, at));
        else
            for (int k = 0; k < 3; k++)
                at[k] = p.labels[k].min + anpe_uniform(&rng) * (p.labels[k].max - p.labels[k].min);
        for (int i = 0; i < N; i++) {
            static const double h[3] = {20, 0.03, 0.02};
            e[i] = -log(N);
            for (int k = 0; k < 3; k++) {
                const double z = (at[k] - x[i][k]) / h[k], s = h[k] * M_SQRT2;
                const double mass = 0.5 * (erf((p.labels[k].max - x[i][k]) / s) -
                                           erf((p.labels[k].min - x[i][k]) / s));
                e[i] += -0.5 * z * z - log(h[k] * mass) - 0.5 * log(2 * M_PI);
            }
            best = fmax(best, e[i]);
        }
        for (int i = 0; i < N; i++)
            sum += exp(e[i] - best);
        const double expected = best + log(sum);
        /* what the tree leaves out is below 1e-9; rounding of exponents up to 10^5 adds 1e-11 */
        CU_ASSERT_DOUBLE_EQUAL(p.ops->log_density(p.s.c.self, at), expected,
                               1.1e-9 + 1e-14 * fabs(expected));
    }
    subject_clear(&p.s);
}

/* One label: the density of draws without jitter is Scott's kernel estimate, by its formula. */
static void test_table_scott(void)
{
    prior p;
    const double at = 0.3, rows[3] = {-1, 0, 2};
    double mean = 1.0 / 3, variance = 0, sum = 0;
    for (int i = 0; i < 3; i++)
        variance += (rows[i] - mean) * (rows[i] - mean) / 3;
    const double h = sqrt(variance) * pow(3, -0.2);
    WORKS(table_new(write_text("t.txt", "# rv\n-1\n0\n2\n"), "", &p));
    for (int i = 0; i < 3; i++)
        sum += exp(-0.5 * pow((at - rows[i]) / h, 2)) / (3 * h * sqrt(2 * M_PI)) /
               (0.5 * (erf((p.labels[0].max - rows[i]) / h / M_SQRT2) -
                       erf((p.labels[0].min - rows[i]) / h / M_SQRT2)));
    CU_ASSERT_DOUBLE_EQUAL(density(&p, &at), sum, 1e-13);
    CU_ASSERT_DOUBLE_EQUAL(p.labels[0].max, 2 + 4 * h, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(integral(&p, p.labels[0].min, p.labels[0].max, 2000), 1, 1e-10);
    subject_clear(&p.s);
}

static void test_table_errors(void)
{
    prior p;
    const char *path = write_text("t.txt", four);
    static const char *const bad[][2] = {
        {"labels = [ \"tef\" ];", "has no column 'tef'; it has teff, logg, imf"},
        {"weight = \"mass\";", "has no column 'mass'"},
        {"weight = \"imf\"; jitter = [ 1.0 ];", "jitter has 1 numbers, there are 2 labels"},
        {"weight = \"imf\"; min = [ 7000.0, 0.0 ];", "none of 4 rows is inside min and max"},
        {"labels = [ \"teff\", \"teff\" ];", "label teff is given twice"},
        {"labels = [ \"teff\" ]; min = [ 6000.0 ]; max = [ 5000.0 ];", "min 6000 is not below"},
        {"labels = [ \"teff\" ]; min = [ 5900.0 ];", "all rows have the same value"},
        {"columns = [ \"a\", \"b\" ];", "2 names for 3 columns"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        FAILS(table_new(path, bad[i][0], &p),
              strstr(bad[i][1], "names") ? ANPE_EFORMAT : ANPE_ECONFIG, bad[i][1]);
    FAILS(table_new(write_text("u.txt", "1 2\n3 4\n"), "", &p), ANPE_EFORMAT, "option columns");
    FAILS(table_new(write_text("u.txt", "# teff\n9000\n5000\n"), "", &p), ANPE_ECONFIG,
          "label teff: the rows' range [5000, 9000] is outside the simulator's [3000, 8000]");
    FAILS(table_new(write_text("u.txt", "# rv w\n1 -1\n2 1\n"), "weight = \"w\";", &p),
          ANPE_EFORMAT, "row 1 has the weight -1");
    FAILS(table_new(write_text("u.txt", "# rv\n1\nnan\n2\n"), "", &p), ANPE_EFORMAT,
          "row 2 has rv = nan");
    FAILS(table_new(in_scratch("absent.txt"), "", &p), ANPE_EIO, "absent.txt");
}

/* The quantile of each kind against the integral of its density. */
static void test_quantiles(void)
{
    static const char *const rows[] = {
        "name = \"teff\"; type = \"uniform\"; min = 4000.0; max = 5000.0;",
        "name = \"teff\"; type = \"log_uniform\"; min = 3500.0; max = 7000.0;",
        "name = \"teff\"; type = \"truncated_normal\"; mean = 5000.0; sd = 500.0; min = 4500.0; "
        "max = "
        "7000.0;"};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        prior p;
        CU_ASSERT_FATAL(one_label(rows[k], &p) == ANPE_OK);
        CU_ASSERT_FATAL(p.ops->quantile != NULL);
        for (double u = 0.05; u < 1; u += 0.3) {
            double x;
            CU_ASSERT(p.ops->quantile(p.s.c.self, ctx, &u, &x) == ANPE_OK);
            CU_ASSERT_DOUBLE_EQUAL(integral(&p, p.labels[0].min, x, 400), u, 1e-8);
        }
        subject_clear(&p.s);
    }
}

static const CU_TestInfo tests[] = {
    {"marginals", test_marginals},
    {"truncated normal", test_truncated},
    {"log-normal", test_log_normal},
    {"far tails", test_far_tail},
    {"quantiles", test_quantiles},
    {"joint density", test_joint},
    {"independent: bad options", test_independent_errors},
    {"table: density and draws", test_table_density},
    {"table: rows", test_table_rows},
    {"table: tree", test_table_tree},
    {"table: Scott's rule", test_table_scott},
    {"table: bad input", test_table_errors},
};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "prior", COUNT(tests), tests);
}
