/* The likelihood of reduced spectra: a closed form, the continuum rule's modes, and that the
 * density is right: log likelihood ratios of simulated data have the distribution they must have.
 */
#include <config.h>
#include "data_support.h"
#include "file/emulator.h"
#include "task/likelihood.h"
#include <math.h>

enum { FULL = 7214 };

/* flux = 1 - depth (1 + 0.1 a) on three pixels of eight, 1 elsewhere: label a scales all lines, as
 * the wings of a real spectrum do, which is what a continuum rule is confused with. */
static void write_emulator(const char *path, int64_t n_pixels, const char *grid)
{
    const int own = grid && !strcmp(grid, "own"); /* wavelengths from 5000 Angstrom */
    anpe_emulator e = {
        .kind = "cannon", .output = "linear", .on_grid = own ? NULL : grid, .normalised = 1};
    anpe_label label = {"a", "", -1, 1};
    double *coefficients = calloc((size_t)(2 * n_pixels), sizeof *coefficients);
    double *exponents = calloc(2, sizeof *exponents), *pivot = calloc(1, sizeof *pivot);
    double *scale = calloc(1, sizeof *scale), *wavelength = calloc(FULL, sizeof *wavelength);
    static const int64_t first[] = {322, 3648, 6412}, size[] = {2920, 2400, 1894};
    e.n_labels = 1;
    e.n_pixels = n_pixels;
    e.resolution = 22500;
    e.labels = malloc(sizeof label);
    *e.labels = label;
    exponents[1] = 1;
    scale[0] = 1;
    for (int64_t i = 0; i < n_pixels; i++) {
        const double depth = i % 8 < 3 ? 0.2 : 0;
        coefficients[i] = 1 - depth;
        coefficients[n_pixels + i] = -0.1 * depth;
    }
    for (int64_t i = 0; own && i < n_pixels; i++)
        wavelength[i] = 5000 * exp(2e-5 * (double)i);
    for (int64_t s = 0, i = 0; !own && s < 3; s++)
        for (int64_t k = 0; k < size[s]; k++)
            wavelength[i++] = pow(10, 4.179 + 6e-6 * (double)(first[s] + k));
    WORKS(anpe_emulator_add(ctx, &e, "coefficients", 2, (int64_t[]){2, n_pixels}, coefficients));
    WORKS(anpe_emulator_add(ctx, &e, "exponents", 2, (int64_t[]){2, 1}, exponents));
    WORKS(anpe_emulator_add(ctx, &e, "pivots", 1, (int64_t[]){1}, pivot));
    WORKS(anpe_emulator_add(ctx, &e, "scales", 1, (int64_t[]){1}, scale));
    if (grid)
        WORKS(anpe_emulator_add(ctx, &e, "wavelength", 1, (int64_t[]){n_pixels}, wavelength));
    else
        free(wavelength);
    WORKS(anpe_emulator_write(ctx, &e, path));
    anpe_emulator_clear(&e);
}

static anpe_settings *settings;
static anpe_task *task;
static anpe_bench *bench;
static anpe_likelihood *likelihood;

static void close_task(void)
{
    likelihood = anpe_likelihood_free(likelihood);
    bench = anpe_bench_free(bench);
    task = anpe_task_free(task);
    settings = anpe_settings_free(settings);
}

static void open_task(const char *text)
{
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings));
    WORKS(anpe_task_new(ctx, settings, ANPE_TASK_ALL, NULL, &task));
    WORKS(anpe_task_open_likelihood(ctx, task));
    WORKS(anpe_bench_new(ctx, task, 1, &bench));
    WORKS(anpe_likelihood_new(ctx, task, &likelihood));
}

/* rv: " { name = ... }" of a further label, or "" */
static void open_apogee_with(const char *rv)
{
    char text[1024];
    write_emulator(in_scratch("apogee.h5"), FULL, "apogee");
    snprintf(
        text, sizeof text,
        "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
        "prior: ({ plugin = \"independent\"; labels: ({ name = \"a\"; type = \"uniform\"; }%s); "
        "});"
        "instrument: { plugin = \"apogee\"; grid = 7214; };"
        "noise: { plugin = \"gaussian\"; sigma = 0.02; };",
        in_scratch("apogee.h5"), rv);
    open_task(text);
}

static void open_apogee(void)
{
    open_apogee_with("");
}

static void observe(double a, int64_t sample)
{
    anpe_rng rng = anpe_rng_make(3, ANPE_FOR_TRAINING, sample, 1);
    bench->theta[0] = a;
    WORKS(anpe_task_simulate(task, ctx, bench, 1));
    WORKS(anpe_task_mock(task, ctx, bench, 0, &rng));
}

/* Independent Gaussians on plain data: the formula itself. */
static void test_closed_form(void)
{
    enum { P = 16 };
    char text[1024];
    write_emulator(in_scratch("array.h5"), P, NULL);
    snprintf(text, sizeof text,
             "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
             "prior: ({ plugin = \"independent\"; labels: ({ name = \"a\"; type = \"uniform\"; "
             "min = -1.0; max = 0.5; }); });"
             "instrument: { plugin = \"array\"; shape = [ %d ]; };"
             "noise: { plugin = \"gaussian\"; sigma = 0.05; };",
             in_scratch("array.h5"), P);
    open_task(text);
    observe(0.2, 0);
    anpe_spectrum *o = &bench->spectrum;
    o->mask[1] = 1;
    WORKS(anpe_likelihood_set(likelihood, ctx, o, (double[]){0}));
    CU_ASSERT_EQUAL(anpe_likelihood_freedom(likelihood), P - 1);
    const double a[] = {-0.9, 0.1, 0.7, 0.2, 0.3, 0.4, -2}; /* more than a batch; two outside */
    double log_l[7], log_p[7];
    WORKS(anpe_likelihood_eval(likelihood, ctx, 7, a, log_l, log_p));
    for (int k = 0; k < 7; k++) {
        double sum = 0;
        for (int i = 0; i < P; i++) {
            const double depth = i % 8 < 3 ? 0.2 : 0, sigma = (double)o->sigma[i];
            const double r = ((double)o->flux[i] - (1 - depth * (1 + 0.1 * a[k]))) / sigma;
            sum -= o->mask[i] ? 0 : 0.5 * r * r + log(sigma) + 0.5 * log(2 * M_PI);
        }
        if (k == 2 || k == 6)
            CU_ASSERT(log_l[k] == -INFINITY && log_p[k] == -INFINITY)
        else {
            /* model and flux are floats near 1: an error of 6e-8 / 0.05 in each r of size 1 */
            CU_ASSERT_DOUBLE_EQUAL(log_l[k], sum, P * 3 * 6e-8 / 0.05);
            CU_ASSERT_DOUBLE_EQUAL(log_p[k], -log(1.5), 1e-12);
        }
    }
    close_task();
}

/* normalise(f (1 + e mode)) = normalise(f) + O(e^2), for every mode of the instrument. */
static void test_modes(void)
{
    enum { MODES = 15 };
    const double e = 1e-3;
    open_apogee();
    CU_ASSERT_EQUAL_FATAL(anpe_instrument_continuum_modes(&task->instrument, NULL), MODES);
    float *mode = malloc(MODES * FULL * sizeof *mode);
    float *plain = malloc(FULL * sizeof *plain);
    anpe_instrument_continuum_modes(&task->instrument, mode);
    for (int j = -1; j < MODES; j++) {
        anpe_spectrum *s = &bench->spectrum;
        double worst = 0;
        bench->theta[0] = 0.3;
        WORKS(anpe_task_simulate(task, ctx, bench, 1));
        for (int i = 0; i < FULL; i++) {
            s->flux[i] = bench->flux[i] * (float)(1 + (j < 0 ? 0 : e * (double)mode[j * FULL + i]));
            s->sigma[i] = 0.02f;
            s->mask[i] = 0;
        }
        WORKS(anpe_instrument_normalise(&task->instrument, ctx, task->continuum, s));
        for (int i = 0; i < FULL && j >= 0; i++)
            worst = fmax(worst, fabs((double)s->flux[i] - (double)plain[i]));
        if (j < 0)
            memcpy(plain, s->flux, FULL * sizeof *plain);
        CU_ASSERT(worst < 4 * e * e + 1e-6);
    }
    free(mode);
    free(plain);
    close_task();
}

/* ---- against the plain path, in double --------------------------------------------------- */

enum { PLAIN_MODES = 15 };

/* The continuum rule written out: the model spectrum in double under the mask and the error bars of
 * a reduced spectrum, by T_0 .. T_4 in each detector, from normal equations solved by elimination
 * with pivots. */
static void plain_reduce(const anpe_spectrum *o, const double *model, double *out)
{
    const anpe_instrument_info *inst = &task->instrument.info;
    for (int64_t d = 0; d < inst->n_segments; d++) {
        const int64_t from = inst->segment[d], n = inst->segment[d + 1] - from;
        double a[5][6] = {{0}};
        for (int64_t i = 0; i < n; i++) {
            const double x = 2 * (double)i / (double)(n - 1) - 1;
            const double t[] = {1, x, 2 * x * x - 1, 4 * x * x * x - 3 * x,
                                8 * x * x * x * x - 8 * x * x + 1};
            const double w = 1 / ((double)o->sigma[from + i] * (double)o->sigma[from + i]);
            for (int j = 0; j < 5 && task->continuum[from + i] && !o->mask[from + i]; j++) {
                for (int k = 0; k < 5; k++)
                    a[j][k] += w * t[j] * t[k];
                a[j][5] += w * t[j] * model[from + i];
            }
        }
        for (int j = 0; j < 5; j++)
            for (int k = 0; k < 5; k++) {
                const double factor = a[k][j] / a[j][j];
                for (int c = 0; c < 6 && k != j; c++)
                    a[k][c] -= factor * a[j][c];
            }
        for (int64_t i = 0; i < n; i++) {
            const double x = 2 * (double)i / (double)(n - 1) - 1;
            const double t[] = {1, x, 2 * x * x - 1, 4 * x * x * x - 3 * x,
                                8 * x * x * x * x - 8 * x * x + 1};
            double continuum = 0;
            for (int j = 0; j < 5; j++)
                continuum += a[j][5] / a[j][j] * t[j];
            out[from + i] = model[from + i] / continuum;
        }
    }
}

/* (1 - Q Q^T) applied to v (n, FULL), Q from modes times the reduced model at the reference. */
static void plain_project(const anpe_spectrum *o, const double *reference, int n, double *v)
{
    static float shape[PLAIN_MODES * FULL];
    double *q = calloc((size_t)PLAIN_MODES * FULL, sizeof *q);
    anpe_instrument_continuum_modes(&task->instrument, shape);
    for (int j = 0; j < PLAIN_MODES + n; j++) {
        double *x = j < PLAIN_MODES ? q + j * FULL : v + (j - PLAIN_MODES) * FULL;
        double norm = 0;
        for (int i = 0; i < FULL && j < PLAIN_MODES; i++)
            x[i] =
                o->mask[i] ? 0 : (double)shape[j * FULL + i] * reference[i] / (double)o->sigma[i];
        for (int pass = 0; pass < 2; pass++)
            for (int k = 0; k < j && k < PLAIN_MODES; k++) {
                double c = 0;
                for (int i = 0; i < FULL; i++)
                    c += x[i] * q[k * FULL + i];
                for (int i = 0; i < FULL; i++)
                    x[i] -= c * q[k * FULL + i];
            }
        for (int i = 0; i < FULL; i++)
            norm += x[i] * x[i];
        for (int i = 0; i < FULL && j < PLAIN_MODES; i++)
            x[i] /= sqrt(norm);
    }
    free(q);
}

/* The emulator at label a, shifted by rv: the depth is what the projector makes of where there are
 * lines. */
static void plain_model(double a, double rv, double *out)
{
    static float lines[FULL], shifted[FULL];
    for (int i = 0; i < FULL; i++)
        lines[i] = i % 8 < 3;
    anpe_projector_apply(task->projector, 1, &rv, lines, shifted, bench->scratch);
    for (int i = 0; i < FULL; i++)
        out[i] = 1 - 0.2 * (1 + 0.1 * a) * (double)shifted[i];
}

static void observe_with_gaps(double a, int64_t sample)
{
    anpe_spectrum *o = &bench->spectrum;
    observe(a, sample);
    for (int64_t i = 0; i < o->n_pixels; i++)
        o->mask[i] = (uint8_t)(o->mask[i] | (i % 97 < 9) | (i > 4000 && i < 4300));
}

/* Flux, model and continuum are floats near 1, three roundings of 6e-8 in each of N residuals of
 * size 1, so that the sum of r^2 / 2 is off by sqrt(N) 3 6e-8 / sigma; and, where all err alike, by
 * what the modes do not take: four times that. */
static void test_plain(void)
{
    static const double at[] = {0.3, -0.6, 0.9};
    double model[FULL], reduced[FULL], r[FULL];
    open_apogee();
    observe_with_gaps(0.2, 4);
    const anpe_spectrum *o = &bench->spectrum;
    const double reference[] = {0.2};
    double log_l[3], log_p[3];
    WORKS(anpe_likelihood_set(likelihood, ctx, o, reference));
    WORKS(anpe_likelihood_eval(likelihood, ctx, 3, at, log_l, log_p));
    for (int k = 0; k < 3; k++) {
        double sum = 0.5 * PLAIN_MODES * log(2 * M_PI), tolerance = 0;
        plain_model(at[k], 0, model);
        plain_reduce(o, model, reduced);
        for (int i = 0; i < FULL; i++)
            r[i] = o->mask[i] ? 0 : ((double)o->flux[i] - reduced[i]) / (double)o->sigma[i];
        plain_model(reference[0], 0, model);
        plain_reduce(o, model, reduced);
        plain_project(o, reduced, 1, r);
        for (int i = 0; i < FULL; i++)
            if (!o->mask[i]) {
                const double rounding = 3 * 6e-8 / (double)o->sigma[i];
                sum -= 0.5 * r[i] * r[i] + log((double)o->sigma[i]) + 0.5 * log(2 * M_PI);
                tolerance += r[i] * r[i] * rounding * rounding;
            }
        CU_ASSERT_DOUBLE_EQUAL(log_l[k], sum, 4 * sqrt(tolerance));
        printf(" [%.2g of %.2g] ", fabs(log_l[k] - sum), 4 * sqrt(tolerance));
    }
    close_task();
}

/* r and J of the two labels a and rv (3, FULL), J by differences of the plain path: a enters
 * linearly but for the continuum; over 0.02 pixels the shift is a polynomial, but the projector
 * rounds what it gives. */
static void plain_rows(const anpe_spectrum *o, double a, double rv, double *rows)
{
    static const double step[] = {1e-3, 0.02 * 4.1}, weight[] = {3. / 4, -3. / 20, 1. / 60};
    static double model[FULL], reduced[FULL], reference[FULL];
    memset(rows, 0, 3 * FULL * sizeof *rows);
    plain_model(a, rv, model);
    plain_reduce(o, model, reference);
    for (int d = 0; d < 2; d++)
        for (int k = -3; k <= 3; k++) {
            if (k == 0)
                continue;
            plain_model(a + (d == 0 ? k * step[0] : 0), rv + (d == 1 ? k * step[1] : 0), model);
            plain_reduce(o, model, reduced);
            for (int i = 0; i < FULL; i++)
                rows[(1 + d) * FULL + i] -=
                    (k < 0 ? -1 : 1) * weight[abs(k) - 1] / step[d] * reduced[i];
        }
    for (int i = 0; i < FULL; i++) {
        const double w = o->mask[i] ? 0 : 1 / (double)o->sigma[i];
        rows[i] = ((double)o->flux[i] - reference[i]) * w;
        rows[FULL + i] *= w;
        rows[2 * FULL + i] *= w;
    }
    plain_project(o, reference, 3, rows);
}

static double dot(const double *x, const double *y)
{
    double sum = 0;
    for (int i = 0; i < FULL; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Gradient and fisher against those rows, relative to the lengths of what is multiplied. */
static void check_expansion(double tolerance)
{
    static double rows[3 * FULL];
    const anpe_spectrum *o = &bench->spectrum;
    const double theta[] = {-0.4, 1.3}, step[] = {1e-3, 0.05};
    double log_l, gradient[2], fisher[4], same, prior;
    WORKS(anpe_likelihood_set(likelihood, ctx, o, theta));
    WORKS(anpe_likelihood_expand(likelihood, ctx, theta, step, &log_l, gradient, fisher));
    WORKS(anpe_likelihood_eval(likelihood, ctx, 1, theta, &same, &prior));
    CU_ASSERT_DOUBLE_EQUAL(log_l, same, 1e-7 * FULL); /* of a sum of N terms, rounded otherwise */
    plain_rows(o, theta[0], theta[1], rows);
    const double length = sqrt(dot(rows, rows));
    double worst = 0;
    for (int i = 0; i < 2; i++) {
        const double *ji = rows + (1 + i) * FULL, ni = sqrt(dot(ji, ji));
        worst = fmax(worst, fabs(gradient[i] + dot(rows, ji)) / (length * ni));
        for (int j = 0; j < 2; j++) {
            const double *jj = rows + (1 + j) * FULL, nj = sqrt(dot(jj, jj));
            worst = fmax(worst, fabs(fisher[2 * i + j] - dot(ji, jj)) / (ni * nj));
        }
    }
    printf(" [%.2g] ", worst);
    CU_ASSERT(worst < tolerance);
}

/* A probe has log L of where it is and the gradient by the Jacobian that the expansion left. */
static void check_probe(void)
{
    static float rows[3 * FULL];
    const anpe_spectrum *o = &bench->spectrum;
    const double theta[] = {-0.4, 1.3}, there[] = {-0.395, 1.1}, step[] = {1e-3, 0.05};
    double log_l, gradient[2], fisher[4], same, prior;
    WORKS(anpe_likelihood_set(likelihood, ctx, o, theta));
    WORKS(anpe_likelihood_expand(likelihood, ctx, theta, step, &log_l, gradient, fisher));
    memcpy(rows, anpe_likelihood_rows(likelihood), sizeof rows);
    WORKS(anpe_likelihood_probe_joint(likelihood, ctx, there, step, &log_l, gradient));
    const float *r = anpe_likelihood_rows(likelihood);
    CU_ASSERT(!memcmp(r + FULL, rows + FULL, 2 * FULL * sizeof *r));
    for (int i = 0; i < 2; i++) {
        double sum = 0, size = 0;
        for (int k = 0; k < FULL; k++) {
            const double j = (double)rows[(1 + i) * FULL + k];
            sum -= j * (double)r[k];
            size += fabs(j * (double)r[k]);
        }
        CU_ASSERT_DOUBLE_EQUAL(gradient[i], sum, 1e-7 * size); /* sums in another order */
    }
    WORKS(anpe_likelihood_eval(likelihood, ctx, 1, there, &same, &prior));
    CU_ASSERT_DOUBLE_EQUAL(log_l, same + prior, 1e-7 * FULL); /* as in check_expansion */
    const double outside[] = {-0.4, 5.5};
    WORKS(anpe_likelihood_probe_joint(likelihood, ctx, outside, step, &log_l, gradient));
    CU_ASSERT(log_l == -INFINITY);
}

/* The likelihood anew with a simulator that has no derivatives; returns the operations that it had.
 */
static const void *without_derivatives(anpe_simulator_ops *older)
{
    const void *keep = task->simulator.ops;
    *older = *(const anpe_simulator_ops *)keep;
    older->size = offsetof(anpe_simulator_ops, derivatives);
    task->simulator.ops = older;
    anpe_likelihood_free(likelihood);
    WORKS(anpe_likelihood_new(ctx, task, &likelihood));
    return keep;
}

/* In closed form: the plain path's shift, rounded to 6e-8 and divided by 0.02 pixels, has slopes
 * good to some 3e-6 of a depth. With a simulator that has no derivatives: differences, of residuals
 * rounded to 1e-7 / sigma, over steps of 1e-3, are good to 1e-4 of a depth of 0.02 in each pixel,
 * and the shift, over 0.05 km/s to one side, to half a percent. */
static void test_expansion(void)
{
    open_apogee_with(", { name = \"rv\"; type = \"uniform\"; min = -5.0; max = 5.0; }");
    CU_ASSERT_EQUAL_FATAL(task->n_labels, 2);
    CU_ASSERT(anpe_likelihood_can_expand(likelihood));
    bench->theta[1] = 1;
    observe_with_gaps(-0.38, 5);
    check_expansion(1e-5);
    check_probe();
    anpe_simulator_ops older;
    const void *keep = without_derivatives(&older);
    check_expansion(1e-2);
    check_probe();
    task->simulator.ops = keep;
    close_task();
}

/* log L, gradient (2) and fisher (2, 2) at a place, in one row. */
static void expand_at(const double *theta, double *out)
{
    const double step[] = {1e-2, 0.05};
    WORKS(anpe_likelihood_set(likelihood, ctx, &bench->spectrum, theta));
    WORKS(anpe_likelihood_expand(likelihood, ctx, theta, step, out, out + 1, out + 3));
}

static void open_rule(const char *rule)
{
    char text[1024];
    snprintf(text, sizeof text,
             "simulator: { plugin = \"cannon\"; file = \"%s\"; };"
             "prior: ({ plugin = \"independent\"; labels: ({ name = \"a\"; type = \"uniform\"; }, "
             "{ name = \"rv\"; type = \"uniform\"; min = -5.0; max = 5.0; }); });"
             "instrument: { plugin = \"spectrum\"; windows = [ 5030.0, 5200.0, 5240.0, 5400.0 ]; "
             "resolution = 8000.0; rule = \"%s\"; width = 4.0; };"
             "noise: { plugin = \"gaussian\"; sigma = 0.01; };",
             in_scratch("own.h5"), rule);
    open_task(text);
    bench->theta[1] = 1;
    observe_with_gaps(-0.38, 5);
    memset(bench->spectrum.mask + 100, 1, 300); /* in its middle no good pixel is in reach */
}

/* The derivatives of each kind of division by a continuum against differences of the rule as it is
 * called, of residuals rounded to 1e-7 / sigma over steps of 1e-2 of a depth of 0.02. */
static void check_rule(const char *rule, anpe_division division)
{
    const double theta[] = {-0.4, 1.3};
    double exact[7], differences[7], worst = 0;
    open_rule(rule);
    CU_ASSERT_EQUAL(anpe_instrument_division(&task->instrument), division);
    expand_at(theta, exact);
    anpe_simulator_ops older;
    const void *keep = without_derivatives(&older);
    expand_at(theta, differences);
    task->simulator.ops = keep;
    for (int i = 0; i < 7; i++)
        CU_ASSERT(isfinite(exact[i]) && isfinite(differences[i]));
    CU_ASSERT_DOUBLE_EQUAL(exact[0], differences[0], 1e-7 * FULL);
    const double length = sqrt(2 * fabs(exact[0]));
    for (int i = 0; i < 2; i++) {
        const double ni = sqrt(exact[3 + 3 * i]);
        worst = fmax(worst, fabs(exact[1 + i] - differences[1 + i]) / (length * ni));
        for (int j = 0; j < 2; j++)
            worst = fmax(worst, fabs(exact[3 + 2 * i + j] - differences[3 + 2 * i + j]) /
                                    (ni * sqrt(exact[3 + 3 * j])));
    }
    printf(" [%s %.2g] ", rule, worst);
    CU_ASSERT(worst < 1e-2);
    close_task();
}

/* An instrument whose continua of derivatives are no numbers. */
static anpe_status no_numbers(const void *self, anpe_ctx *c, const uint8_t *set,
                              const anpe_spectrum *s, int64_t n, const float *flux,
                              float *continuum)
{
    (void)self;
    (void)c;
    (void)set;
    for (int64_t i = 0; i < n * s->n_pixels; i++)
        continuum[i] = n == 1 ? flux[i] : NAN;
    return ANPE_OK;
}

static void check_no_numbers(void)
{
    const double theta[] = {-0.4, 1.3};
    double out[7];
    open_rule("smooth");
    anpe_instrument_ops ops = *(const anpe_instrument_ops *)task->instrument.component.ops;
    const void *keep = task->instrument.component.ops;
    ops.continuum = no_numbers;
    task->instrument.component.ops = &ops;
    expand_at(theta, out);
    CU_ASSERT(out[0] == -INFINITY);
    task->instrument.component.ops = keep;
    close_task();
}

static void test_rules(void)
{
    write_emulator(in_scratch("own.h5"), 4000, "own");
    check_no_numbers();
    check_rule("chebyshev", ANPE_DIVISION_MODES);
    check_rule("smooth", ANPE_DIVISION_ROWS);
    check_rule("none", ANPE_DIVISION_NONE);
}

/* For data drawn at a0, log L(a1) - log L(a0) is normal with variance v and mean -v / 2 when both
 * are small steps of a right density; so -2 mean / variance is 1. A density that is too sure of the
 * spectrum's broad shape has the mean of its narrow width and the variance of the data. */
static double width_ratio(int with_modes)
{
    enum { N = 300 };
    const double a[] = {0, 0.05};
    double mean = 0, square = 0;
    for (int64_t i = 0; i < N; i++) {
        double log_l[2], log_p[2];
        int64_t n;
        observe(a[0], i);
        WORKS(anpe_likelihood_set(likelihood, ctx, &bench->spectrum, a));
        WORKS(anpe_likelihood_eval(likelihood, ctx, 2, a, log_l, log_p));
        for (int k = 0; k < 2 && !with_modes; k++) {
            anpe_spectrum observed;
            anpe_bench *model = NULL;
            WORKS(anpe_bench_new(ctx, task, 1, &model));
            observed = bench->spectrum;
            model->theta[0] = a[k];
            WORKS(anpe_task_simulate(task, ctx, model, 1));
            WORKS(anpe_task_reduce_model(task, ctx, model, 0, &observed));
            log_l[k] = -0.5 * anpe_noise_chi2(&observed, model->spectrum.flux, &n);
            anpe_bench_free(model);
        }
        const double ratio = log_l[1] - log_l[0];
        mean += ratio / N;
        square += ratio * ratio / N;
    }
    const double variance = square - mean * mean;
    printf(" [%s modes: mean %.3f variance %.3f] ", with_modes ? "with" : "without", mean,
           variance);
    return -2 * mean / variance;
}

static void test_density(void)
{
    open_apogee();
    /* 300 draws: the variance is good to sqrt(2/300) = 8 %, the mean to sqrt(v/300) = 5 %; 4 sigma
     * of both. The second shows that the test sees the difference. */
    CU_ASSERT_DOUBLE_EQUAL(width_ratio(1), 1, 0.39);
    CU_ASSERT(width_ratio(0) < 0.5);
    close_task();
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"closed form on plain data", test_closed_form},
                                        {"modes of the continuum rule", test_modes},
                                        {"the plain path in double", test_plain},
                                        {"gradient and Gauss-Newton matrix", test_expansion},
                                        {"derivatives by each kind of rule", test_rules},
                                        {"the density is right", test_density}};
    return run_suite(argc, argv, "likelihood", COUNT(tests), tests);
}
