/* Wavelength scales of FITS images (WCS, IRAF multispec) and orders put on a grid. */
#include <config.h>
#include "instruments/common/iraf_spec.h"
#include "instruments/common/observed.h"
#include "instruments/common/wavelength_scale.h"
#include "plugin_support.h"
#include <math.h>

/* ---- IRAF's functions against their formulas --------------------------------------------- */

static double iraf(const char *text, double p)
{
    iraf_spec s;
    WORKS(iraf_spec_parse(ctx, text, "test", &s));
    const double w = iraf_spec_wavelength(&s, p);
    iraf_spec_clear(&s);
    return w;
}

static void near(double a, double b)
{
    CU_ASSERT_DOUBLE_EQUAL(a, b, 1e-10 * fabs(b));
}

static void test_linear(void)
{
    near(iraf("1 1 0 5000 0.5 100 0 1 1", 1), 5000);
    near(iraf("1 1 0 5000 0.5 100 0 1 1", 11), 5005);
    near(iraf("1 1 0 5000 0.5 100 0.25 1 1", 11), 5005 / 1.25);
    near(iraf("1 1 1 3.7 1e-4 100 0.25 1 1", 11), pow(10, 3.701) / 1.25);
    CU_ASSERT(isnan(iraf("1 1 0 5000 0.5 100 0 1 1", 102)));
    CU_ASSERT(isnan(iraf("1 1 0 5000 0.5 100 0 1 1", 0)));
}

/* T_k(x) = cos(k acos x); P_2, P_3 written out. */
static void test_polynomials(void)
{
    for (double p = 1; p <= 101; p += 12.5) {
        const double x = (p - 51) / 50, a = acos(x);
        near(iraf("1 1 2 0 0 101 0 1 1 1 0 1 4 1 101 5000 100 3 0.5", p),
             5000 + 100 * x + 3 * cos(2 * a) + 0.5 * cos(3 * a));
        near(iraf("1 1 2 0 0 101 0.1 1 1 1 0 2 4 1 101 5000 100 3 0.5", p),
             (5000 + 100 * x + 1.5 * (3 * x * x - 1) + 0.25 * (5 * x * x - 3) * x) / 1.1);
        near(iraf("1 1 2 0 0 101 0 1 1 1 0 1 1 1 101 5000", p), 5000);
    }
}

/* A cubic B-spline of equal coefficients c is 6 c; of coefficients in arithmetic progression a
 * line: with c_k = a + b k it is 6 (a + b (s + 1)) at s pieces. */
static void test_splines(void)
{
    for (double p = 1; p <= 101; p += 12.5) {
        const double s = (p - 1) / 100 * 3;
        near(iraf("1 1 2 0 0 101 0 1 1 1 0 3 3 1 101 10 10 10 10 10 10", p), 60);
        near(iraf("1 1 2 0 0 101 0 1 1 1 0 3 3 1 101 10 11 12 13 14 15", p), 6 * (10 + s + 1));
        near(iraf("1 1 2 0 0 101 0 1 1 1 0 4 3 1 101 10 12 14 17", p),
             s < 2 ? 10 + 2 * s : 14 + 3 * (s - 2));
    }
}

static void test_arrays_and_sums(void)
{
    near(iraf("1 1 2 0 0 3 0 1 1 1 0 5 3 5000 5002 5003", 2), 5002);
    near(iraf("1 1 2 0 0 3 0 1 1 1 0 5 3 5000 5002 5003", 2.5), 5002.5);
    near(iraf("1 1 2 0 0 9 0 1 1 1 0 6 3 1 5000 5 5002 9 5010", 7), 5006);
    /* 0.25 (10 + line) + 0.75 (20 + constant) */
    near(iraf("1 1 2 0 0 101 0 1 1 0.25 10 1 2 1 101 5000 100 0.75 20 1 1 1 101 4000", 76),
         0.25 * (10 + 5000 + 50) + 0.75 * 4020);
}

static void test_bad_specs(void)
{
    static const char *const c[][2] = {
        {"1 1 0 5000 0.5 100 0 1", "has 8 values; expected 9 or more"},
        {"1 1 -1 5000 0.5 100 0 1 1", "has no wavelengths"},
        {"1 1 7 5000 0.5 100 0 1 1", "has dispersion type 7"},
        {"1 1 2 5000 0.5 100 0 1 1", "has no dispersion function"},
        {"1 1 2 0 0 100 0 1 1 1 0 1 4 1 100 5000 100 3", "dispersion function 1 is not one"},
        {"1 1 2 0 0 100 0 1 1 1 0 9 1 1 100 5000", "dispersion function 1 is not one"},
        {"1 1 2 0 0 100 0 1 1 1 0 1 1 100 1 5000", "a dispersion function from pixel 100 to 1"},
        {"1 1 0 50x0 0.5 100 0 1 1", "'50x0 0.5 100 0 1 1' is not a number"},
        {"1 1 0 nan 0.5 100 0 1 1", "value 4 is not finite"}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        iraf_spec s;
        FAILS(iraf_spec_parse(ctx, c[i][0], "here", &s), ANPE_EFORMAT, c[i][1]);
    }
}

static void test_find(void)
{
    const char *wat = "wtype=multispec spec1 = \"1 2\" spec2=\"3 4\"  spec12 = \"5 6\"";
    char *one = iraf_spec_find(wat, 1), *two = iraf_spec_find(wat, 2),
         *twelve = iraf_spec_find(wat, 12);
    CU_ASSERT_STRING_EQUAL(one, "1 2");
    CU_ASSERT_STRING_EQUAL(two, "3 4");
    CU_ASSERT_STRING_EQUAL(twelve, "5 6");
    CU_ASSERT_PTR_NULL(iraf_spec_find(wat, 3));
    free(one);
    free(two);
    free(twelve);
}

/* ---- headers ---------------------------------------------------------------------------- */

typedef struct card {
    const char *key, *text; /* text NULL: the number */
    double number;
} card;

/* An image of 10 pixels and `rows` rows with these cards; a key "WAT2" is cut into cards of 68
 * letters as IRAF does it. */
static const char *make_image(int rows, int n, const card *cards)
{
    const char *path = in_scratch("scale.fits");
    fitsfile *f = NULL;
    int status = 0;
    long axes[2] = {10, rows};
    unlink(path);
    fits_create_file(&f, path, &status);
    fits_create_img(f, FLOAT_IMG, rows > 1 ? 2 : 1, axes, &status);
    for (int i = 0; i < n; i++) {
        if (cards[i].text && !strcmp(cards[i].key, "WAT2")) {
            const char *p = cards[i].text;
            for (int k = 1; *p; k++) {
                char line[2 * FLEN_CARD], part[69];
                snprintf(part, sizeof part, "%s", p);
                snprintf(line, sizeof line, "WAT2_%03d= '%-68s'", k % 1000, part);
                fits_write_record(f, line, &status);
                p += strlen(part);
            }
        } else if (cards[i].text)
            fits_update_key(f, TSTRING, cards[i].key, (void *)(uintptr_t)cards[i].text, NULL,
                            &status);
        else {
            double x = cards[i].number;
            fits_update_key(f, TDOUBLE, cards[i].key, &x, NULL, &status);
        }
    }
    fits_close_file(f, &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    return path;
}

static anpe_status read_scale(int rows, int n, const card *cards, int64_t row, double *w, medium *m)
{
    const char *path = make_image(rows, n, cards);
    fitsfile *f = NULL;
    wavelength_scale *s = NULL;
    anpe_status status = survey_fits_open(ctx, path, &f);
    if (!status)
        status = wavelength_scale_read(ctx, f, path, 0, 10, rows, &s);
    if (!status)
        status = wavelength_scale_row(s, ctx, row, w);
    if (!status)
        *m = wavelength_scale_medium(s);
    wavelength_scale_free(s);
    survey_fits_close(f);
    return status;
}

static void test_headers(void)
{
    const struct {
        card cards[6];
        double first, last; /* pixels 1 and 10 */
        medium medium;
    } c[] = {
        {{{"CRVAL1", NULL, 5000}, {"CDELT1", NULL, 2}}, 5000, 5018, MEDIUM_UNKNOWN},
        {{{"CRVAL1", NULL, 5000}, {"CD1_1", NULL, 2}, {"CRPIX1", NULL, 5}},
         4992,
         5010,
         MEDIUM_UNKNOWN},
        {{{"CRVAL1", NULL, 500}, {"CDELT1", NULL, 0.2}, {"CUNIT1", "nm", 0}, {"CTYPE1", "AWAV", 0}},
         5000,
         5018,
         MEDIUM_AIR},
        {{{"CRVAL1", NULL, 5e-7},
          {"CDELT1", NULL, 2e-10},
          {"CUNIT1", "m", 0},
          {"CTYPE1", "WAVE", 0}},
         5000,
         5018,
         MEDIUM_VACUUM},
        {{{"CRVAL1", NULL, 1.5}, {"CDELT1", NULL, 0.1}, {"CUNIT1", "um", 0}},
         15000,
         24000,
         MEDIUM_UNKNOWN},
        {{{"CRVAL1", NULL, 3.7}, {"CDELT1", NULL, 1e-4}, {"DC-FLAG", NULL, 1}},
         5011.872336272725,
         5022.2693418239,
         MEDIUM_UNKNOWN},
        {{{"CRVAL1", NULL, 3.7}, {"CDELT1", NULL, 1e-4}},
         5011.872336272725,
         5022.2693418239,
         MEDIUM_UNKNOWN},
        {{{"CRVAL1", NULL, 3.7},
          {"CD1_1", NULL, 1e-4},
          {"CTYPE1", "LOG-LINEAR", 0},
          {"VACUUM", "T", 0}},
         5011.872336272725,
         5022.2693418239,
         MEDIUM_VACUUM},
        {{{"CRVAL1", NULL, 5000}, {"CDELT1", NULL, 2}, {"CTYPE1", "WAVE-LOG", 0}},
         5000,
         5018.032438915017,
         MEDIUM_VACUUM},
        {{{"CRVAL1", NULL, 5018}, {"CDELT1", NULL, -2}}, 5018, 5000, MEDIUM_UNKNOWN}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        double w[10];
        medium m = MEDIUM_UNKNOWN;
        int n = 0;
        while (n < 6 && c[i].cards[n].key)
            n++;
        WORKS(read_scale(1, n, c[i].cards, 0, w, &m));
        near(w[0], c[i].first);
        near(w[9], c[i].last);
        CU_ASSERT_EQUAL(m, c[i].medium);
    }
}

static void test_bad_headers(void)
{
    const struct {
        card cards[6];
        const char *message;
    } c[] = {
        {{{"CDELT1", NULL, 2}}, "has no wavelength scale"},
        {{{"CRVAL1", NULL, 5000}, {"CDELT1", NULL, 2}, {"CD1_1", NULL, 3}}, "states two scales"},
        {{{"CRVAL1", NULL, 5000}, {"CDELT1", NULL, 0}}, "has a wavelength step of 0"},
        {{{"CRVAL1", NULL, 5}, {"CDELT1", NULL, 2}, {"CUNIT1", "keV", 0}},
         "has wavelengths in 'keV'"},
        {{{"CRVAL1", NULL, 1}, {"CDELT1", NULL, 1}}, "no spectrum does"},
        {{{"CTYPE1", "MULTISPE", 0}}, "spec1 of WAT2 is missing; the image has 1 spectra"}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        double w[10];
        medium m;
        int n = 0;
        while (n < 6 && c[i].cards[n].key)
            n++;
        FAILS(read_scale(1, n, c[i].cards, 0, w, &m), ANPE_EFORMAT, c[i].message);
    }
}

/* A number whose digits go on in the next card, and one that ends with the card: the blank that
 * parts it from the next is the card's last letter, which CFITSIO's own reading of the value would
 * drop. */
static void test_multispec(void)
{
    const char *wat =
        "wtype=multispec spec1 = \"1 1 0 5000.000000000000000000000000000 2 10 0 1 1\" "
        "spec2 = \"2 2 2 0 0 10 0 1 1 1. 0. 1 2 1. 10. 6000. 90.\"";
    for (int pad = 0; pad < 68; pad++) { /* every place of the cut */
        char text[400];
        double w[10];
        medium m;
        snprintf(text, sizeof text, "%*s%s", pad, "", wat);
        const card cards[] = {{"CTYPE1", "MULTISPE", 0}, {"WAT2", text, 0}};
        WORKS(read_scale(2, 2, cards, 0, w, &m));
        near(w[9], 5018);
        WORKS(read_scale(2, 2, cards, 1, w, &m));
        near(w[0], 5910);
        near(w[9], 6090);
    }
    const card cut[] = {{"CTYPE1", "MULTISPE", 0},
                        {"LTV1", NULL, -20},
                        {"LTM1_1", NULL, 0.5},
                        {"WAT2", "spec1 = \"1 1 0 5000 2 100 0 1 1\"", 0}};
    double w[10];
    medium m;
    WORKS(read_scale(1, 4, cut, 0, w, &m)); /* logical = physical / 2 - 20 */
    near(w[0], 5000 + 2 * (42 - 1));
    near(w[9], 5000 + 2 * (60 - 1));
}

/* ---- orders on a grid ------------------------------------------------------------------- */

enum { N = 60 };

/* An order of N pixels: flux = line through the wavelength. */
static void add_order(observed *o, double start, double step, double sigma)
{
    observed_order *a;
    WORKS(observed_add(ctx, o, N, &a));
    for (int i = 0; i < N; i++) {
        a->wavelength[i] = start + step * i;
        a->flux[i] = 1 + 0.01 * (a->wavelength[i] - 5000);
        a->sigma[i] = sigma;
    }
}

typedef struct grid {
    double wavelength[40];
    float flux[40], sigma[40];
    uint8_t mask[40];
    anpe_spectrum s;
} grid;

static void grid_new(grid *g)
{
    for (int i = 0; i < 40; i++)
        g->wavelength[i] = 5010 + i;
    g->s = (anpe_spectrum){.n_pixels = 40, .flux = g->flux, .sigma = g->sigma, .mask = g->mask};
}

static void test_settle(void)
{
    observed o = {0};
    grid g;
    grid_new(&g);
    add_order(&o, 5060, -1, 0.1); /* red to blue */
    observed_order *a = &o.order[0];
    a->wavelength[0] = a->wavelength[59] = a->wavelength[30] = NAN;
    a->flux[20] = NAN;
    a->sigma[21] = 0;
    a->mask[22] = 1;
    WORKS(observed_settle(ctx, &o, "file"));
    CU_ASSERT_EQUAL(a->n, 58);
    CU_ASSERT_EQUAL(a->wavelength[0], 5002);
    WORKS(observed_put(ctx, &o, 40, g.wavelength, &g.s));
    for (int i = 0; i < 40; i++) {
        const double w = g.wavelength[i];
        const int bad = w == 5030 || w == 5040 || w == 5039 || w == 5038;
        CU_ASSERT_EQUAL(g.mask[i], bad);
        if (!bad)
            CU_ASSERT_DOUBLE_EQUAL(g.flux[i], 1 + 0.01 * (w - 5000), 1e-6);
    }
    observed_clear(&o);
}

static void test_unsettled(void)
{
    observed o = {0};
    FAILS(observed_settle(ctx, &o, "file"), ANPE_EFORMAT, "file: no spectrum");
    add_order(&o, 5000, 1, 0.1);
    o.order[0].wavelength[7] = 5003;
    FAILS(observed_settle(ctx, &o, "file"), ANPE_EFORMAT,
          "file: order 1: wavelength 5003 at pixel 7 does not go on");
    for (int i = 0; i < N; i++)
        o.order[0].wavelength[i] = NAN;
    FAILS(observed_settle(ctx, &o, "file"), ANPE_EFORMAT, "order 1 has 0 pixels with a wavelength");
    observed_clear(&o);
}

/* Where two orders overlap: the mean weighted by 1/sigma^2, with the error that belongs to it. */
static void test_overlap(void)
{
    observed o = {0};
    grid g;
    grid_new(&g);
    add_order(&o, 4970, 1, 0.1); /* to 5029 */
    add_order(&o, 5020, 1, 0.2); /* from 5020 */
    for (int i = 0; i < N; i++)
        o.order[1].flux[i] += 0.5;
    WORKS(observed_settle(ctx, &o, "file"));
    WORKS(observed_put(ctx, &o, 40, g.wavelength, &g.s));
    for (int i = 0; i < 40; i++) {
        const double w = g.wavelength[i], line = 1 + 0.01 * (w - 5000);
        const int both = w >= 5020 && w <= 5029;
        CU_ASSERT_EQUAL(g.mask[i], 0);
        CU_ASSERT_DOUBLE_EQUAL(g.flux[i],
                               both       ? line + 0.5 * 0.2
                               : w > 5029 ? line + 0.5
                                          : line,
                               1e-6);
        CU_ASSERT_DOUBLE_EQUAL(g.sigma[i], both ? sqrt(1 / 125.0) : w > 5029 ? 0.2 : 0.1, 1e-6);
    }
    observed_clear(&o);
}

static void test_shift(void)
{
    observed o = {0};
    add_order(&o, 5000, 1, 0.1);
    observed_shift(&o, 30);
    CU_ASSERT_DOUBLE_EQUAL(o.order[0].wavelength[0], 5000 * (1 + 30 / 299792.458), 1e-4);
    observed_shift(&o, -30);
    CU_ASSERT_DOUBLE_EQUAL(o.order[0].wavelength[0], 5000, 1e-9);
    observed_to_vacuum(&o);
    CU_ASSERT_DOUBLE_EQUAL(o.order[0].wavelength[0], anpe_air_to_vacuum(5000), 1e-9);
    observed_clear(&o);
}

/* White noise of sd 0.02 on a slope: the median over 50 000 pixels of a window of 1001 estimates it
 * to 1 % (its own error is 1.17 / sqrt(1001) = 3.7 % of each, and they average out). */
static void test_estimate_sigma(void)
{
    observed o = {0};
    observed_order *a;
    enum { MANY = 50000 };
    anpe_rng rng = anpe_rng_make(1, 0, 0, 0);
    double mean = 0;
    WORKS(observed_add(ctx, &o, MANY, &a));
    for (int i = 0; i < MANY; i++) {
        a->wavelength[i] = 5000 + 0.01 * i;
        a->flux[i] = 1 + 1e-5 * i + 0.02 * anpe_normal(&rng);
    }
    WORKS(observed_estimate_sigma(ctx, &o, 1001));
    for (int i = 0; i < MANY; i++)
        mean += a->sigma[i] / MANY;
    CU_ASSERT_DOUBLE_EQUAL(mean, 0.02, 0.0004);
    observed_clear(&o);
}

/* A blaze that varies by a factor of two comes out flat: where it has the relative slope s the 90th
 * percentile over a width w is off by at most 0.4 w s, here 0.4 * 4 * 0.051 = 8 %. */
static void test_flatten(void)
{
    observed o = {0};
    observed_order *a;
    WORKS(observed_add(ctx, &o, 2000, &a));
    for (int i = 0; i < 2000; i++) {
        const double x = i / 1000.0 - 1;
        a->wavelength[i] = 5000 + 0.05 * i;
        a->flux[i] = 900 * (1 - 0.66 * x * x) * (i % 50 < 5 ? 0.4 : 1);
        a->sigma[i] = 9;
    }
    WORKS(observed_flatten(ctx, &o, 4));
    for (int i = 0; i < 2000; i++)
        if (i % 50 >= 5 && i > 100 && i < 1900)
            CU_ASSERT_DOUBLE_EQUAL(a->flux[i], 1, 0.1);
    observed_clear(&o);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {{"linear", test_linear},
                                 {"polynomials", test_polynomials},
                                 {"splines", test_splines},
                                 {"arrays and sums", test_arrays_and_sums},
                                 {"bad specifications", test_bad_specs},
                                 {"find", test_find},
                                 {"headers", test_headers},
                                 {"bad headers", test_bad_headers},
                                 {"multispec", test_multispec},
                                 {"settle", test_settle},
                                 {"unsettled", test_unsettled},
                                 {"overlap", test_overlap},
                                 {"shift", test_shift},
                                 {"estimate sigma", test_estimate_sigma},
                                 {"flatten", test_flatten}};
    return run_suite(argc, argv, "wavelengths", COUNT(tests), tests);
}
