/* Simulator `lines` through the loader: what its spectra must do when labels change. */
#include <config.h>

#include <math.h>
#include "plugin_support.h"
#include "lines.h"
#include "test_lines.h"

static anpe_status rig_new(double low, double high, double resolution, const char *options, rig *r)
{
    const anpe_simulator_setup setup = {sizeof setup, low, high, resolution};
    char text[512];
    snprintf(text, sizeof text, "plugin = \"lines\"; %s", options);
    return rig_open(&setup, text, r);
}

/* Equivalent width (Angstrom) of the spectrum in r->flux between two wavelengths. */
static double width_of(const rig *r, double low, double high)
{
    double sum = 0;
    for (int64_t i = 1; i + 1 < r->info.n_pixels; i++) {
        const double *w = r->info.wavelength + i;
        if (*w > low && *w < high)
            sum += (1 - (double)r->flux[i]) * 0.5 * (w[1] - w[-1]);
    }
    return sum;
}

static void test_info(void)
{
    rig r;
    CU_ASSERT_EQUAL_FATAL(rig_new(15100, 17000, 22500, "", &r), ANPE_OK);
    CU_ASSERT_EQUAL(r.info.n_labels, 6);
    CU_ASSERT_STRING_EQUAL(r.info.labels[3].name, "mg_fe");
    CU_ASSERT(isinf(r.info.resolution) && r.info.normalised == 1 && r.info.on_grid == 0);
    CU_ASSERT(r.info.wavelength[0] <= 15100 && r.info.wavelength[r.info.n_pixels - 1] >= 17000);
    /* an eighth of the resolution element */
    const double step = log(r.info.wavelength[1] / r.info.wavelength[0]);
    CU_ASSERT_DOUBLE_EQUAL(step * 22500 * 8, 1, 1e-9);
    rig_clear(&r);
    CU_ASSERT_EQUAL_FATAL(rig_new(5000, 5100, 0,
                                  "free = [\"teff\", \"alpha_fe\"]; "
                                  "abundances = [\"fe_h\"];",
                                  &r),
                          ANPE_ECONFIG);
    CU_ASSERT(strstr(anpe_error(ctx), "fe_h") != NULL);
    CU_ASSERT_EQUAL_FATAL(rig_new(5000, 5300, 0,
                                  "free = [\"teff\"]; "
                                  "abundances = [\"mg_fe\", \"ti_fe\", \"mg_fe\"];",
                                  &r),
                          ANPE_OK);
    CU_ASSERT_EQUAL(r.info.n_labels, 3);
    rig_clear(&r);
}

static void test_refusals(void)
{
    static const struct {
        double low, high;
        const char *options, *part;
    } bad[] = {{5000, 5100, "free = [\"tef\"];", "unknown label 'tef'"},
               {5000, 5100, "abundances = [\"xx_fe\"];", "unknown label 'xx_fe'"},
               {5000, 5100, "free = [];", "at least one label"},
               {5000, 5100, "vmicro = 9;", "vmicro"},
               {0, 0, "", "lambda_min"},
               {5000, 5000, "", "empty window"},
               {20000, 24000, "", "none of the lines"},
               {1000, 17000, "fine = 0.1; step = 0.01;", "too large"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rig r;
        CU_ASSERT_EQUAL(rig_new(bad[i].low, bad[i].high, 5000, bad[i].options, &r), ANPE_ECONFIG);
        CU_ASSERT(strstr(anpe_error(ctx), bad[i].part) != NULL);
        if (!strstr(anpe_error(ctx), bad[i].part))
            printf(" '%s' ", anpe_error(ctx));
    }
}

static void test_domain(void)
{
    rig r;
    double theta[] = {5000, 3, 0, 0, 1.5, 4, 9000, 3, 0, 0, 1.5, 4};
    CU_ASSERT_EQUAL_FATAL(rig_new(15500, 15600, 22500, "", &r), ANPE_OK);
    float *two = malloc(2 * (size_t)r.info.n_pixels * sizeof *two);
    CU_ASSERT_EQUAL(subject_simulate(&r.s, 2, theta, two), ANPE_EINVAL);
    CU_ASSERT_STRING_EQUAL(anpe_error(ctx), "lines: label teff outside [3500, 8000]: 9000");
    theta[6] = 5000;
    theta[10] = NAN;
    CU_ASSERT_EQUAL(subject_simulate(&r.s, 2, theta, two), ANPE_EINVAL);
    CU_ASSERT(strstr(anpe_error(ctx), "label vmicro outside [0.3, 5]") != NULL);
    theta[10] = 1;
    CU_ASSERT_EQUAL(subject_simulate(&r.s, 2, theta, two), ANPE_OK);
    free(two);
    rig_clear(&r);
}

/* Flux in (0, 1] over the corners of the domain, and exactly 1 where no line is near: 500 km/s,
 * more than any wing of a metal-poor cool star in this window. */
static void test_range(void)
{
    rig r;
    CU_ASSERT_EQUAL_FATAL(rig_new(15100, 17000, 22500, "", &r), ANPE_OK);
    for (int i = 0; i < 64; i++) {
        double theta[6], low = 2, high = 0;
        for (int k = 0; k < 6; k++)
            theta[k] = i >> k & 1 ? r.info.labels[k].max : r.info.labels[k].min;
        rig_run(&r, theta);
        for (int64_t p = 0; p < r.info.n_pixels; p++) {
            low = fmin(low, (double)r.flux[p]);
            high = fmax(high, (double)r.flux[p]);
        }
        CU_ASSERT(low > 0 && low < 1 && high <= 1);
    }
    rig_run(&r, (double[]){4500, 2, -2.5, 0, 1, 2});
    int64_t clear = 0;
    for (int64_t p = 0; p < r.info.n_pixels; p++) {
        double nearest = 1;
        for (int k = 0; anpe_lines_table(k); k++)
            nearest =
                fmin(nearest, fabs(log(anpe_lines_table(k)->wavelength / r.info.wavelength[p])));
        if (nearest * 299792.458 < 500)
            continue;
        clear++;
        CU_ASSERT_DOUBLE_EQUAL((double)r.flux[p], 1, 1e-7);
    }
    CU_ASSERT(clear > 20);
    rig_clear(&r);
}

/* Ba II 5853.7: the width grows like the abundance while weak, and hardly when saturated. */
static void test_growth(void)
{
    rig r;
    CU_ASSERT_EQUAL_FATAL(rig_new(5830, 5880, 40000, "free = [\"ba_fe\", \"fe_h\"];", &r), ANPE_OK);
    double previous = 0;
    for (double x = -3.5; x <= 1.5; x += 0.25) {
        const double fe_h = fmin(fmax(x, -2.5), 0.5);
        rig_run(&r, (double[]){x - fe_h, fe_h});
        const double width = width_of(&r, 5854.9, 5855.7);
        CU_ASSERT(width > previous);
        previous = width;
    }
    double slope[2];
    for (int i = 0; i < 2; i++) {
        rig_run(&r, (double[]){i ? 0.8 : -1, i ? 0.5 : -2.5});
        const double less = width_of(&r, 5854.5, 5856.1);
        rig_run(&r, (double[]){i ? 1.0 : -0.8, i ? 0.5 : -2.5});
        slope[i] = log10(width_of(&r, 5854.5, 5856.1) / less) / 0.2;
    }
    CU_ASSERT(slope[0] > 0.85 && slope[0] < 1.02);
    CU_ASSERT(slope[1] > 0.05 && slope[1] < 0.5);
    if (!(slope[0] > 0.85 && slope[1] < 0.5))
        printf(" slopes %g %g ", slope[0], slope[1]);
    rig_clear(&r);
}

/* Fe II 6456 against Fe I 6495: ionisation and excitation rise with the temperature. (Below 4250 K
 * Fe II is weaker than its neighbours' wings.) */
static void test_ionisation(void)
{
    rig r;
    CU_ASSERT_EQUAL_FATAL(rig_new(6400, 6550, 40000, "free = [\"teff\", \"logg\"];", &r), ANPE_OK);
    double previous = 0;
    for (double teff = 4250; teff <= 7000; teff += 250) {
        rig_run(&r, (double[]){teff, 4});
        const double ratio = width_of(&r, 6457.6, 6458.8) / width_of(&r, 6496.2, 6497.4);
        CU_ASSERT(ratio > previous);
        previous = ratio;
    }
    /* lower pressure ionises: Fe II over Fe I falls with logg */
    rig_run(&r, (double[]){5500, 1});
    const double giant = width_of(&r, 6457.6, 6458.8) / width_of(&r, 6496.2, 6497.4);
    rig_run(&r, (double[]){5500, 5});
    CU_ASSERT(giant > width_of(&r, 6457.6, 6458.8) / width_of(&r, 6496.2, 6497.4));
    rig_clear(&r);
}

/* Wings of Mg b 1 to 2 Angstrom from the line: collisions grow with the pressure. */
static void test_pressure(void)
{
    rig r;
    CU_ASSERT_EQUAL_FATAL(rig_new(5150, 5200, 40000, "free = [\"logg\"];", &r), ANPE_OK);
    double previous = 0;
    for (double logg = 1; logg <= 5; logg += 1) {
        rig_run(&r, &logg);
        const double wing = width_of(&r, 5186.0, 5187.0);
        CU_ASSERT(wing > previous);
        previous = wing;
    }
    CU_ASSERT(previous > 0.1);
    rig_clear(&r);
}

/* Macroturbulence moves absorption and keeps it; microturbulence desaturates. */
static void test_broadening(void)
{
    for (int shape = 0; shape < 2; shape++) {
        rig r;
        CU_ASSERT_EQUAL_FATAL(rig_new(15640, 15775, 22500,
                                      shape ? "free = [\"vmacro\", \"vmicro\"]; fe_h = -1.0; "
                                              "macro = \"gaussian\";"
                                            : "free = [\"vmacro\", \"vmicro\"]; fe_h = -1.0;",
                                      &r),
                              ANPE_OK);
        rig_run(&r, (double[]){0, 1});
        const double sharp = width_of(&r, 15700, 15760);
        float least = 1, least_wide = 1;
        for (int64_t p = 0; p < r.info.n_pixels; p++)
            least = fminf(least, r.flux[p]);
        rig_run(&r, (double[]){15, 1});
        for (int64_t p = 0; p < r.info.n_pixels; p++)
            least_wide = fminf(least_wide, r.flux[p]);
        /* floats, and the slope of the continuum's source function over a line: 1e-4 */
        CU_ASSERT_DOUBLE_EQUAL(width_of(&r, 15700, 15760) / sharp, 1, 3e-4);
        CU_ASSERT(least_wide > least + 0.02f);
        rig_run(&r, (double[]){0, 3});
        CU_ASSERT(width_of(&r, 15700, 15760) > 1.1 * sharp);
        rig_clear(&r);
    }
}

static void test_window(void)
{
    rig a, b;
    const double theta[] = {4800, 2.5, 0, 0.1, 1.5, 6};
    CU_ASSERT_EQUAL_FATAL(rig_new(15100, 17000, 22500, "", &a), ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(rig_new(15655, 15789, 22500, "", &b), ANPE_OK);
    rig_run(&a, theta);
    rig_run(&b, theta);
    int64_t shift = 0;
    while (a.info.wavelength[shift] < b.info.wavelength[0] - 1e-6)
        shift++;
    double worst = 0, wave = 0;
    for (int64_t p = 0; p < b.info.n_pixels; p++) {
        wave = fmax(wave, fabs(a.info.wavelength[p + shift] - b.info.wavelength[p]));
        worst = fmax(worst, fabs((double)(a.flux[p + shift] - b.flux[p])));
    }
    CU_ASSERT(wave < 1e-9);
    CU_ASSERT(worst < 1e-6); /* wings start at another offset: rounding of floats only */
    rig_clear(&a);
    rig_clear(&b);
}

static void test_batch(void)
{
    enum { N = 5 };
    rig r;
    double theta[N * 6];
    CU_ASSERT_EQUAL_FATAL(rig_new(5000, 5500, 1800, "", &r), ANPE_OK);
    for (int i = 0; i < N; i++)
        memcpy(theta + 6 * i,
               (double[]){4000.0 + 700 * i, i, 0.1 * i - 1, 0.2, 0.5 * i + 0.5, 3.0 * i},
               6 * sizeof *theta);
    const size_t n = (size_t)r.info.n_pixels;
    float *all = malloc(N * n * sizeof *all);
    CU_ASSERT_EQUAL(subject_simulate(&r.s, N, theta, all), ANPE_OK);
    for (int i = N - 1; i >= 0; i--) {
        rig_run(&r, theta + 6 * i);
        CU_ASSERT_EQUAL(memcmp(r.flux, all + (size_t)i * n, n * sizeof *all), 0);
    }
    free(all);
    rig_clear(&r);
}

/* Every free label moves the spectrum, in both surveys' windows, for a giant and a dwarf: by more
 * than 1e-3 somewhere when the label moves by a fiftieth of its range. */
static void test_sensitivity(void)
{
    static const double window[2][3] = {{15100, 17000, 22500}, {3700, 9100, 1800}};
    static const double stars[2][6] = {{4700, 2.4, -0.3, 0.1, 1.5, 5}, {5800, 4.4, 0, 0, 1.1, 3}};
    for (int i = 0; i < 2; i++) {
        rig r;
        CU_ASSERT_EQUAL_FATAL(rig_new(window[i][0], window[i][1], window[i][2],
                                      "abundances = [\"si_fe\", \"ca_fe\", \"ti_fe\", \"al_fe\"];",
                                      &r),
                              ANPE_OK);
        CU_ASSERT_EQUAL_FATAL(r.info.n_labels, 10);
        const size_t n = (size_t)r.info.n_pixels;
        float *base = malloc(n * sizeof *base);
        for (int star = 0; star < 2; star++) {
            double theta[10] = {0};
            memcpy(theta, stars[star], sizeof stars[star]);
            rig_run(&r, theta);
            memcpy(base, r.flux, n * sizeof *base);
            for (int k = 0; k < 10; k++) {
                const double step = (r.info.labels[k].max - r.info.labels[k].min) / 50;
                double most = 0;
                theta[k] += step;
                rig_run(&r, theta);
                theta[k] -= step;
                for (size_t p = 0; p < n; p++)
                    most = fmax(most, fabs((double)(r.flux[p] - base[p])));
                CU_ASSERT(most > 1e-3);
                if (most <= 1e-3)
                    printf(" %s: %g ", r.info.labels[k].name, most);
            }
        }
        free(base);
        rig_clear(&r);
    }
}

/* alpha_fe is every alpha element at once, and an element's own label overrides it. */
static void test_alpha(void)
{
    rig a, b;
    CU_ASSERT_EQUAL_FATAL(rig_new(5150, 5200, 5000, "free = [\"alpha_fe\", \"mg_fe\"];", &a),
                          ANPE_OK);
    CU_ASSERT_EQUAL_FATAL(rig_new(5150, 5200, 5000,
                                  "free = [\"o_fe\", \"mg_fe\", \"si_fe\", \"s_fe\", \"ca_fe\", "
                                  "\"ti_fe\"];",
                                  &b),
                          ANPE_OK);
    rig_run(&a, (double[]){0.4, -0.2});
    rig_run(&b, (double[]){0.4, -0.2, 0.4, 0.4, 0.4, 0.4});
    CU_ASSERT_EQUAL(memcmp(a.flux, b.flux, (size_t)a.info.n_pixels * sizeof *a.flux), 0);
    rig_run(&b, (double[]){0.4, 0.4, 0.4, 0.4, 0.4, 0.4});
    CU_ASSERT_NOT_EQUAL(memcmp(a.flux, b.flux, (size_t)a.info.n_pixels * sizeof *a.flux), 0);
    rig_clear(&a);
    rig_clear(&b);
}

static const CU_TestInfo tests[] = {
    {"Voigt function", test_voigt},
    {"Voigt wings", test_voigt_wings},
    {"kernels", test_kernel},
    {"line list", test_table},
    {"partition functions", test_partition},
    {"layer", test_layer},
    {"info", test_info},
    {"refusals", test_refusals},
    {"label domain", test_domain},
    {"range of flux", test_range},
    {"curve of growth", test_growth},
    {"ionisation", test_ionisation},
    {"pressure", test_pressure},
    {"broadening", test_broadening},
    {"window", test_window},
    {"batch", test_batch},
    {"sensitivity", test_sensitivity},
    {"alpha", test_alpha},
};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "lines", COUNT(tests), tests);
}
