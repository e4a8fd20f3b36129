/* Spectra: bad pixels, continuum rules, resampling. */
#include <config.h>
#include "data_support.h"
#include "spectrum/grid.h"
#include "file/hdf5_file.h"
#include "spectrum/spectrum.h"

#include <math.h>

/* ---- bad pixels -------------------------------------------------------------------------- */

static void test_check(void)
{
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 8, &s));
    for (int i = 0; i < 8; i++) {
        s.flux[i] = 1;
        s.sigma[i] = 0.5f;
    }
    s.flux[0] = NAN;
    s.flux[1] = INFINITY;
    s.sigma[2] = NAN;
    s.sigma[3] = INFINITY;
    s.sigma[4] = 0;
    s.sigma[5] = -1;
    s.mask[6] = 4; /* any value but 0 is bad, and becomes 1 */
    CU_ASSERT_EQUAL(anpe_spectrum_check(&s), 1);
    for (int i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(s.mask[i], i < 7);
    CU_ASSERT_EQUAL(anpe_spectrum_snr(&s), 2);
    anpe_spectrum_clear(&s);
    CU_ASSERT_PTR_NULL(s.flux);
    FAILS(anpe_spectrum_new(ctx, 0, &s), ANPE_EINVAL, "0 pixels");
    FAILS(anpe_spectrum_new(ctx, INT64_MAX, &s), ANPE_EINVAL, "pixels");
}

static void test_inpaint(void)
{
    static const uint8_t mask[3][6] = {{0, 1, 1, 0, 1, 0}, {1, 1, 0, 1, 0, 1}, {1, 1, 1, 1, 1, 1}};
    static const float want[3][6] = {{1, 1, 1, 4, 4, 6}, {3, 3, 3, 3, 5, 5}, {1, 2, 3, 4, 5, 6}};
    static const int64_t good[3] = {3, 2, 0};
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 6, &s));
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 6; i++) {
            s.flux[i] = (float)(i + 1);
            s.sigma[i] = (float)(10 * (i + 1));
            s.mask[i] = mask[c][i];
        }
        CU_ASSERT_EQUAL(anpe_spectrum_inpaint(1, &s), good[c]);
        for (int i = 0; i < 6; i++)
            CU_ASSERT(s.flux[i] == want[c][i] && s.sigma[i] == 10 * want[c][i] &&
                      s.mask[i] == mask[c][i]);
    }
    anpe_spectrum_clear(&s);
}

/* <gradient, inpainted flux> = <pulled back gradient, flux>, for inpainting is linear. */
static void test_inpaint_pull_back(void)
{
    static const uint8_t mask[3][6] = {{0, 1, 1, 0, 1, 0}, {1, 1, 0, 1, 0, 1}, {1, 1, 1, 1, 1, 1}};
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 6, &s));
    for (int c = 0; c < 2; c++) {
        float gradient[6], flux[6], painted = 0, pulled = 0;
        for (int i = 0; i < 6; i++) { /* small integers: exact */
            flux[i] = s.flux[i] = (float)(1 << i);
            s.mask[i] = mask[c][i];
            gradient[i] = (float)(3 * i - 7);
        }
        anpe_spectrum_inpaint(1, &s);
        for (int i = 0; i < 6; i++)
            painted += gradient[i] * s.flux[i];
        anpe_spectrum_inpaint_pull_back(1, 6, mask[c], gradient);
        for (int i = 0; i < 6; i++) {
            pulled += gradient[i] * flux[i];
            CU_ASSERT(!mask[c][i] || gradient[i] == 0);
        }
        CU_ASSERT_EQUAL(painted, pulled);
    }
    float untouched[6] = {1, 2, 3, 4, 5, 6};
    anpe_spectrum_inpaint_pull_back(1, 6, mask[2], untouched);
    CU_ASSERT_EQUAL(untouched[5], 6);
    anpe_spectrum_clear(&s);
}

/* ---- continuum --------------------------------------------------------------------------- */

static double noise(uint32_t *state) /* uniform in (-1, 1) */
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(int32_t)*state / 2147483648.;
}

static void test_chebyshev_recovers(void)
{
    const int64_t segment[3] = {0, 300, 700};
    anpe_spectrum s;
    uint32_t state = 1;
    uint8_t continuum[700];
    WORKS(anpe_spectrum_new(ctx, 700, &s));
    for (int i = 0; i < 700; i++) {
        int k = i < 300 ? i : i - 300, n = i < 300 ? 300 : 400;
        double x = 2. * k / (n - 1) - 1;
        continuum[i] = i % 3 != 0;
        s.flux[i] = (float)(50 + 3 * x - 2 * x * x + x * x * x * x);
        s.sigma[i] = (float)(1 + 0.5 * noise(&state));
        if (!continuum[i])
            s.flux[i] *= 0.3f; /* a line, not fitted, still divided */
        if (i % 7 == 0) {
            s.mask[i] = 1;
            s.flux[i] = NAN;
        }
    }
    float sigma = s.sigma[1], flux = s.flux[1];
    WORKS(anpe_continuum_chebyshev(ctx, 4, 2, segment, continuum, &s));
    for (int i = 0; i < 700; i++)
        if (i % 7)
            CU_ASSERT(fabsf(s.flux[i] - (continuum[i] ? 1 : 0.3f)) < 5e-7f);
    CU_ASSERT(fabsf(s.sigma[1] - sigma / flux) < 1e-8f);
    anpe_spectrum_clear(&s);
}

/* The coefficients' normal equations in long double and monomials, solved by Gauss-Jordan with
 * pivoting: another basis, another method. */
static void reference_fit(const anpe_spectrum *s, long double c[5])
{
    long double a[5][6] = {{0}};
    for (int64_t i = 0; i < s->n_pixels; i++) {
        long double x = 2.0L * i / (s->n_pixels - 1) - 1, w = 1 / powl(s->sigma[i], 2);
        for (int j = 0; j < 5; j++) {
            for (int k = 0; k < 5; k++)
                a[j][k] += w * powl(x, j + k);
            a[j][5] += w * powl(x, j) * s->flux[i];
        }
    }
    for (int p = 0; p < 5; p++) {
        int best = p;
        for (int r = p; r < 5; r++)
            best = fabsl(a[r][p]) > fabsl(a[best][p]) ? r : best;
        for (int k = 0; k < 6; k++) {
            long double swap = a[p][k];
            a[p][k] = a[best][k];
            a[best][k] = swap;
        }
        for (int r = 0; r < 5; r++) {
            long double f = a[r][p] / a[p][p];
            for (int k = p; r != p && k < 6; k++)
                a[r][k] -= f * a[p][k];
        }
    }
    for (int p = 0; p < 5; p++)
        c[p] = a[p][5] / a[p][p];
}

static void test_chebyshev_least_squares(void)
{
    enum { N = 2920 };
    const int64_t segment[2] = {0, N};
    anpe_spectrum s;
    uint32_t state = 7;
    long double c[5];
    float *flux = calloc(N, sizeof *flux);
    WORKS(anpe_spectrum_new(ctx, N, &s));
    for (int i = 0; i < N; i++) {
        s.flux[i] = flux[i] = (float)(1000 + 300 * noise(&state));
        s.sigma[i] = (float)(10 + 9 * noise(&state));
    }
    reference_fit(&s, c);
    WORKS(anpe_continuum_chebyshev(ctx, 4, 1, segment, NULL, &s));
    for (int i = 0; i < N; i++) {
        long double x = 2.0L * i / (N - 1) - 1, want = 0;
        for (int k = 4; k >= 0; k--)
            want = want * x + c[k];
        CU_ASSERT(fabsl(s.flux[i] * want / flux[i] - 1) < 2e-7L); /* one rounding to float */
    }
    free(flux);
    anpe_spectrum_clear(&s);
}

static void test_chebyshev_bad(void)
{
    const int64_t segment[3] = {0, 50, 100}, wrong[2] = {0, 101};
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 100, &s));
    for (int i = 0; i < 100; i++) {
        s.flux[i] = i < 50 ? 2 : -2; /* a negative continuum is no continuum */
        s.sigma[i] = 1;
    }
    WORKS(anpe_continuum_chebyshev(ctx, 2, 2, segment, NULL, &s));
    for (int i = 0; i < 100; i++)
        CU_ASSERT(s.mask[i] == (i >= 50) && (i >= 50 || fabsf(s.flux[i] - 1) < 1e-6f));
    memset(s.mask, 0, 100);
    memset(s.mask, 1, 45); /* five pixels for three coefficients */
    WORKS(anpe_continuum_chebyshev(ctx, 2, 1, segment, NULL, &s));
    for (int i = 0; i < 50; i++)
        CU_ASSERT_EQUAL(s.mask[i], 1);
    FAILS(anpe_continuum_chebyshev(ctx, 99, 1, segment, NULL, &s), ANPE_EINVAL, "degree 99");
    FAILS(anpe_continuum_chebyshev(ctx, 4, 1, wrong, NULL, &s), ANPE_EINVAL, "[0, 101) of 100");
    anpe_spectrum_clear(&s);
}

/* The continua of many rows at once, more than are taken together, are what one alone was divided
 * by; rows that are multiples of it have multiples for continua. s was before what it is in
 * `divided` now. */
static void check_smoothed(double width, const double *wavelength, const int64_t *segment,
                           const anpe_spectrum *s, const float *flux, const anpe_spectrum *divided)
{
    enum { ROWS = 37 };
    const int64_t n = s->n_pixels;
    float *rows = malloc((size_t)(2 * ROWS * n) * sizeof *rows), *continuum = rows + ROWS * n;
    for (int64_t r = 0; r < ROWS; r++)
        for (int64_t i = 0; i < n; i++)
            rows[r * n + i] = (float)(r - 5) * flux[i];
    WORKS(anpe_continuum_smoothed(ctx, width, wavelength, 2, segment, s, ROWS, rows, continuum));
    for (int64_t r = 0; r < ROWS; r++)
        for (int64_t i = 0; i < n; i++)
            if (!s->mask[i])
                CU_ASSERT_DOUBLE_EQUAL(continuum[r * n + i],
                                       (double)(r - 5) * (double)flux[i] / (double)divided->flux[i],
                                       2e-7 * 12 * fabs((double)(r - 5)));
    free(rows);
}

/* Against the sum written out; bad pixels have no say. */
static void test_smooth(void)
{
    enum { N = 1200 };
    const int64_t segment[3] = {0, 500, N};
    const double width = 30;
    double wavelength[N];
    float flux[N];
    anpe_spectrum s;
    uint32_t state = 3;
    WORKS(anpe_spectrum_new(ctx, N, &s));
    for (int i = 0; i < N; i++) {
        wavelength[i] = 4000 * exp(2.3e-4 * i);
        s.flux[i] = flux[i] = (float)(10 + 2 * sin(wavelength[i] / 70) + noise(&state));
        s.sigma[i] = (float)(1 + 0.8 * noise(&state));
        s.mask[i] = i % 11 == 0 || (i > 700 && i < 760);
        if (s.mask[i])
            s.flux[i] = NAN;
    }
    anpe_spectrum before = s;
    before.sigma = calloc(N, sizeof(float));
    memcpy(before.sigma, s.sigma, N * sizeof(float));
    WORKS(anpe_continuum_smooth(ctx, width, wavelength, 2, segment, &s));
    for (int i = 0; i < N; i++) {
        double sum = 0, norm = 0;
        for (int j = i < 500 ? 0 : 500; j < (i < 500 ? 500 : N); j++) {
            double w = exp(-0.5 * pow((wavelength[i] - wavelength[j]) / width, 2)) /
                       pow((double)before.sigma[j], 2);
            if (j % 11 && !(j > 700 && j < 760)) {
                sum += w * (double)flux[j];
                norm += w;
            }
        }
        if (i % 11 && !(i > 700 && i < 760))
            /* 5 widths hold all but 6e-7; interpolation as the source says */
            CU_ASSERT(fabs((double)s.flux[i] * sum / norm / (double)flux[i] - 1) < 2e-5);
    }
    check_smoothed(width, wavelength, segment, &before, flux, &s);
    FAILS(anpe_continuum_smooth(ctx, 0.01, wavelength, 2, segment, &s), ANPE_EINVAL,
          "at least a pixel");
    free(before.sigma);
    anpe_spectrum_clear(&s);
}

/* ---- resampling -------------------------------------------------------------------------- */

static void test_resample(void)
{
    enum { IN = 1000, OUT = 90 };
    double in[IN], out[OUT], low, high, flux_in = 0, flux_out = 0;
    float flux[IN], sigma[IN];
    uint8_t mask[IN] = {0};
    anpe_spectrum s;
    uint32_t state = 5;
    WORKS(anpe_spectrum_new(ctx, OUT, &s));
    for (int i = 0; i < IN; i++) {
        in[i] = 5000 + 0.5 * i + 1e-4 * i * i;
        flux[i] = (float)(i > 300 && i < 700 ? 2 + noise(&state) : 0);
        sigma[i] = 0.1f;
    }
    for (int i = 0; i < IN; i++) {
        anpe_grid_pixel(IN, in, i, &low, &high);
        flux_in += (double)flux[i] * (high - low);
    }
    for (int i = 0; i < OUT; i++)
        out[i] = 5100 + 4.1 * i;
    WORKS(anpe_resample_spectrum(ctx, IN, in, flux, sigma, mask, OUT, out, &s));
    for (int i = 0; i < OUT; i++) {
        anpe_grid_pixel(OUT, out, i, &low, &high);
        flux_out += (double)s.flux[i] * (high - low);
        CU_ASSERT_EQUAL(s.mask[i], 0);
        /* about 7 independent pixels each */
        CU_ASSERT(s.sigma[i] > 0.1f / sqrtf(9.5f) && s.sigma[i] < 0.1f / sqrtf(5.5f));
    }
    CU_ASSERT(fabs(flux_out / flux_in - 1) < 1e-6); /* single precision */
    /* The same grid: nothing changes. */
    anpe_spectrum same;
    WORKS(anpe_spectrum_new(ctx, IN, &same));
    WORKS(anpe_resample_spectrum(ctx, IN, in, flux, sigma, mask, IN, in, &same));
    for (int i = 0; i < IN; i++)
        CU_ASSERT(fabsf(same.flux[i] - flux[i]) < 1e-6f && fabsf(same.sigma[i] - 0.1f) < 1e-7f);
    anpe_spectrum_clear(&same);
    anpe_spectrum_clear(&s);
}

static void test_resample_bad(void)
{
    double in[12], out[6];
    float flux[12], sigma[12];
    uint8_t mask[12] = {0};
    anpe_spectrum s;
    WORKS(anpe_spectrum_new(ctx, 6, &s));
    for (int i = 0; i < 12; i++) {
        in[i] = 100 + i;
        flux[i] = 1;
        sigma[i] = 1;
    }
    for (int i = 0; i < 6; i++)
        out[i] = 100.5 + 3 * i; /* from 99 on, three input pixels each: 115.5 is outside */
    flux[0] = flux[1] = NAN;    /* a sixth of pixel 0 is left */
    mask[4] = 1;                /* one of three: good */
    sigma[6] = 0;               /* two of three: bad */
    mask[7] = 1;
    WORKS(anpe_resample_spectrum(ctx, 12, in, flux, sigma, mask, 6, out, &s));
    static const uint8_t want[6] = {1, 0, 1, 0, 1, 1};
    for (int i = 0; i < 6; i++)
        CU_ASSERT(s.mask[i] == want[i] && isfinite(s.flux[i]) && isfinite(s.sigma[i]));
    CU_ASSERT_EQUAL(s.flux[1], 1);
    /* A gap in the input stays a gap. */
    for (int i = 6; i < 12; i++)
        in[i] = 103 + i;
    WORKS(anpe_resample_spectrum(ctx, 12, in, flux, sigma, NULL, 6, out, &s));
    CU_ASSERT(s.mask[2] == 1 && s.mask[1] == 0 && s.mask[4] == 0);
    in[5] = in[4];
    FAILS(anpe_resample_spectrum(ctx, 12, in, flux, sigma, NULL, 6, out, &s), ANPE_EINVAL,
          "input: wavelengths do not ascend at pixel 5");
    anpe_spectrum_clear(&s);
}

/* Vacuum and air wavelengths of lines as the SDSS and NIST tables list them, rounded to 0.001 and
 * 0.002 Angstrom between dispersion formulas. */
static void test_air(void)
{
    static const double pair[][2] = {{4861.325, 4862.683}, {5006.843, 5008.240},
                                     {6562.801, 6564.614}, {5889.950, 5891.583},
                                     {8542.09, 8544.44},   {5000, 5001.395}};
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++)
        CU_ASSERT(fabs(anpe_air_to_vacuum(pair[i][0]) - pair[i][1]) < 0.004);
    /* The formula itself, the other way round. */
    double v = anpe_air_to_vacuum(5000), s2 = 1e8 / v / v;
    double n = 1 + 8.34254e-5 + 2.406147e-2 / (130 - s2) + 1.5998e-4 / (38.9 - s2);
    CU_ASSERT(fabs(v / n - 5000) < 1e-9);
    CU_ASSERT_EQUAL(anpe_air_to_vacuum(1500), 1500);
}

/* ---- noise library ----------------------------------------------------------------------- */

static void write_library(const char *path, const float *sigma, int64_t rows, int64_t pixels,
                          int64_t mask_pixels)
{
    anpe_h5 *f;
    const int64_t shape[2] = {rows, pixels}, mask_shape[2] = {rows, mask_pixels};
    const uint8_t mask[8] = {0, 1, 0, 0, 0, 0, 0, 0};
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, sigma));
    if (mask_pixels)
        WORKS(anpe_h5_write(ctx, f, "mask", ANPE_H5_UINT8, 2, mask_shape, mask));
    WORKS(anpe_h5_close(ctx, f));
}

static void test_noise_library(void)
{
    float sigma[6] = {0.1f, 0.2f, 0.3f, NAN, 0.5f, -1};
    anpe_noise_library library;
    const char *path = in_scratch("noise.h5");
    write_library(path, sigma, 2, 3, 3);
    WORKS(anpe_noise_library_read(ctx, path, &library));
    CU_ASSERT(library.n_rows == 2 && library.n_pixels == 3 && library.sigma[2] == 0.3f);
    static const uint8_t want[6] = {0, 1, 0, 1, 0, 1};
    CU_ASSERT(!memcmp(library.mask, want, 6));
    anpe_noise_library_free(&library);
    CU_ASSERT_PTR_NULL(library.sigma);
    write_library(path, sigma, 2, 3, 0);
    WORKS(anpe_noise_library_read(ctx, path, &library));
    CU_ASSERT(library.mask[1] == 0 && library.mask[3] == 1);
    anpe_noise_library_free(&library);
    write_library(path, sigma, 2, 3, 2);
    FAILS(anpe_noise_library_read(ctx, path, &library), ANPE_EFORMAT, "shape of 'sigma', (2, 3)");
    sigma[4] = 0;
    write_library(path, sigma, 2, 3, 0);
    FAILS(anpe_noise_library_read(ctx, path, &library), ANPE_EFORMAT, "row 1 of the noise library");
    FAILS(anpe_noise_library_read(ctx, in_scratch("no.h5"), &library), ANPE_EIO, "No such file");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"bad pixels", test_check},
        {"inpainting", test_inpaint},
        {"gradient through inpainting", test_inpaint_pull_back},
        {"Chebyshev recovers a polynomial", test_chebyshev_recovers},
        {"Chebyshev is the least-squares fit", test_chebyshev_least_squares},
        {"Chebyshev on hopeless segments", test_chebyshev_bad},
        {"smoothed continuum", test_smooth},
        {"resampling", test_resample},
        {"resampling bad pixels", test_resample_bad},
        {"air to vacuum", test_air},
        {"noise library", test_noise_library},
    };
    return run_suite(argc, argv, "spectrum", COUNT(tests), tests);
}
