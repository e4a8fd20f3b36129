/* The linear algebra and the smoothing of `anpe calibrate`; the command is in
 * tests/cli/test_calibrate.sh. */
#include <config.h>

#include <anpe/anpe.h>
#include <math.h>
#include <stdlib.h>
#include "data_support.h"
#include "file/hdf5_file.h"
#include "prepare/calibrate.h"

/* Two unknowns, two stars, columns that overlap: against the closed form of the 2 x 2 equations. */
static void test_solve(void)
{
    enum { PIXELS = 12 };
    float v[4][PIXELS], residual[2 * PIXELS];
    const double sigma = 0.1, offset[2] = {0.3, -0.2}, width[2] = {0.5, 0.2};
    anpe_sparse_column column[4];
    double x[2], error[2], a[2][2] = {{0}}, b[2];
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < PIXELS; i++)
            v[k][i] = (float)sin(1 + k + 0.7 * i);
        column[k] = (anpe_sparse_column){k % 2, 2 * (k / 2), 8, v[k]};
    }
    for (int i = 0; i < 2 * PIXELS; i++)
        residual[i] = i % 7 == 3 ? NAN : (float)cos(0.3 * i);
    for (int p = 0; p < 2; p++) {
        b[p] = -offset[p] / (width[p] * width[p]);
        a[p][p] = 1 / (width[p] * width[p]);
    }
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < PIXELS; i++) {
            const double r = (double)residual[s * PIXELS + i];
            double j[2];
            for (int p = 0; p < 2; p++) {
                const anpe_sparse_column *c = &column[2 * p + s];
                j[p] = i >= c->first && i < c->first + c->n ? (double)c->v[i - c->first] : 0;
            }
            for (int p = 0; p < 2 && isfinite(r); p++) {
                b[p] += j[p] * r / (sigma * sigma);
                for (int q = 0; q < 2; q++)
                    a[p][q] += j[p] * j[q] / (sigma * sigma);
            }
        }
    CU_ASSERT_EQUAL_FATAL(
        anpe_calibrate_solve(ctx, 2, 2, PIXELS, column, residual, sigma, offset, width, x, error),
        ANPE_OK);
    const double determinant = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    CU_ASSERT_DOUBLE_EQUAL(x[0], (b[0] * a[1][1] - b[1] * a[0][1]) / determinant, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(x[1], (b[1] * a[0][0] - b[0] * a[1][0]) / determinant, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(error[0], 1 / sqrt(a[0][0]), 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(error[1], 1 / sqrt(a[1][1]), 1e-6);
}

/* Without data the solution is the prior's middle. */
static void test_prior(void)
{
    float v[4] = {1, 1, 1, 1}, residual[4] = {NAN, NAN, NAN, NAN};
    const anpe_sparse_column column = {0, 0, 4, v};
    const double offset = 0.4, width = 0.3;
    double x, error;
    CU_ASSERT_EQUAL_FATAL(
        anpe_calibrate_solve(ctx, 1, 1, 4, &column, residual, 1, &offset, &width, &x, &error),
        ANPE_OK);
    CU_ASSERT_DOUBLE_EQUAL(x, -0.4, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(error, 0.3, 1e-9);
}

/* A Gaussian's variance, and its sum. */
static void test_blur(void)
{
    enum { N = 401 };
    static float in[N], out[N];
    anpe_calibrate_blur blur;
    const double step = 1e-5, resolution = 5000;
    double sum = 0, square = 0;
    in[200] = 1;
    CU_ASSERT_EQUAL_FATAL(anpe_calibrate_blur_new(ctx, step, resolution, &blur), ANPE_OK);
    anpe_calibrate_blur_apply(&blur, N, in, out);
    for (int i = 0; i < N; i++) {
        sum += (double)out[i];
        square += (double)out[i] * (i - 200) * (i - 200);
    }
    const double fwhm = 2.3548200450309493 * sqrt(square) * step;
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-5);
    /* cut at 5 sigma, which takes 2e-5 of the variance */
    CU_ASSERT_DOUBLE_EQUAL(fwhm * resolution, 1, 1e-4);
    for (int i = 0; i < N; i++)
        in[i] = 0.7F;
    anpe_calibrate_blur_apply(&blur, N, in, out);
    for (int i = 0; i < N; i++)
        CU_ASSERT_DOUBLE_EQUAL((double)out[i], 0.7, 1e-5);
    free(blur.weight);
}

/* A star with a slope, a gap of 2 Angstrom and a NaN; the simulator's pixels reach beyond nothing.
 */
static void write_star(const char *path, int64_t n, double first, double step)
{
    static double wavelength[4000], flux[4000];
    anpe_h5 *f = NULL;
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++) {
        const double w = first + step * (double)i;
        if (w > 5010 && w < 5012)
            continue;
        wavelength[m] = w;
        flux[m++] = i == n / 4 ? NAN : 0.5 + 0.01 * (w - first);
    }
    CU_ASSERT_FATAL(anpe_h5_create(ctx, path, &f) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_write(ctx, f, "wavelength", ANPE_H5_DOUBLE, 1, &m, wavelength) ==
                    ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_write(ctx, f, "flux", ANPE_H5_DOUBLE, 1, &m, flux) == ANPE_OK);
    CU_ASSERT_FATAL(anpe_h5_close(ctx, f) == ANPE_OK);
}

/* What is no data is none: a gap, the surroundings of a NaN, and what the model cannot be at the
 * ends of its window. In all other places the observed is a mean of what is near. */
static void test_star(void)
{
    enum { N = 2000 };
    static double wavelength[N];
    const char *path = in_scratch("star.h5");
    const double sigma = 5000 / 30000.0 / 2.35482; /* Angstrom */
    int good = 0;
    for (int i = 0; i < N; i++)
        wavelength[i] = 5002 * exp(2e-6 * i);
    const anpe_label label = {.name = "teff", .min = 4000, .max = 7000};
    const anpe_simulator_info sim = {
        .n_labels = 1, .labels = &label, .n_pixels = N, .wavelength = wavelength};
    const anpe_calibrate_options o = {.resolution = 30000};
    char *text[1] = {"teff=5000"};
    anpe_calibrate_row row = {.file = path,
                              .wavelength = "wavelength",
                              .flux = "flux",
                              .labels = {.n = 1, .v = (void *)text}};
    anpe_calibrate_star star = {0};
    write_star(path, 3000, 5000, 0.01);
    CU_ASSERT_FATAL(anpe_calibrate_star_read(ctx, &row, &sim, &o, &star) == ANPE_OK);
    for (int i = 0; i < N; i++) {
        const double w = wavelength[i], got = (double)star.observed[i];
        const int none = (w > 5010 - 0.9 * sigma && w < 5012 + 0.9 * sigma) ||
                         w < 5002 + 4.9 * sigma || w > wavelength[N - 1] - 4.9 * sigma;
        CU_ASSERT(!none || isnan(got));
        good += isfinite(got);
        if (isfinite(got))
            CU_ASSERT_DOUBLE_EQUAL(got, 0.5 + 0.01 * (w - 5000), 0.01 * sigma);
    }
    CU_ASSERT(good > N / 2);
    free(star.observed), free(star.scaled), free(star.flux);
    star = (anpe_calibrate_star){0};
    write_star(path, 60, 5000, 0.5); /* samples farther apart than the Gaussian is wide */
    FAILS(anpe_calibrate_star_read(ctx, &row, &sim, &o, &star), ANPE_ECONFIG,
          "lower calibrate.resolution");
    free(star.observed), free(star.scaled), free(star.flux);
    star = (anpe_calibrate_star){0};
    text[0] = "vsini=-20";
    FAILS(anpe_calibrate_star_read(ctx, &row, &sim, &o, &star), ANPE_ECONFIG,
          "vsini = -20 is outside");
    free(star.observed), free(star.scaled), free(star.flux);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"least squares", test_solve},
                                        {"prior alone", test_prior},
                                        {"blur", test_blur},
                                        {"a star", test_star}};
    return run_suite(argc, argv, "calibrate", COUNT(tests), tests);
}
