/* The arithmetic behind figures: contours of a density, bands, names. */
#include <config.h>
#include "stat/distribution.h"
#include "plot/density.h"
#include "plot/names.h"
#include "stat/normal.h"
#include "data_support.h"
#include "validate/calibration.h"
#include "model/labels.h"

#include <math.h>

enum { N = 40000, SIDE = 200 };

/* N points of a Gaussian of sd 0.1 about the middle: quantiles of radius and angle, no chance. */
static void gaussian(double *u, double *v)
{
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            u[i * SIDE + j] = 0.5 + 0.1 * anpe_normal_quantile((i + 0.5) / SIDE);
            v[i * SIDE + j] = 0.5 + 0.1 * anpe_normal_quantile((j + 0.5) / SIDE);
        }
}

/* The contour around mass p of a Gaussian is a circle of area -2 pi sd^2 log(1 - p). Cells of a
 * fifth of the sd and the kernel of one cell widen the variance by (1 + 1/12) / 4.8^2 = 4.7 %. */
static void test_contours(void)
{
    static double u[N], v[N];
    static anpe_density d;
    static const double mass[] = {0.68, 0.95};
    gaussian(u, v);
    anpe_density_of(&d, N, u, v, NULL, 1, 1);
    double sum = 0;
    for (int k = 0; k < ANPE_DENSITY_CELLS * ANPE_DENSITY_CELLS; k++)
        sum += d.cell[k / ANPE_DENSITY_CELLS][k % ANPE_DENSITY_CELLS];
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-12);
    for (int m = 0; m < 2; m++) {
        anpe_contours c;
        CU_ASSERT_EQUAL_FATAL(anpe_contours_of(&d, anpe_density_enclosing(&d, mass[m]), &c), 0);
        const double area = -2 * M_PI * 0.01 * log(1 - mass[m]) * 1.047;
        CU_ASSERT_EQUAL(c.n, 1);
        CU_ASSERT_DOUBLE_EQUAL(c.area[0], area, 0.03 * area);
        for (int k = 0; k < c.first[1]; k++) {
            const double r = hypot(c.u[k] - 0.5, c.v[k] - 0.5);
            CU_ASSERT_DOUBLE_EQUAL(r, sqrt(area / M_PI), 0.05 * sqrt(area / M_PI));
        }
        anpe_contours_clear(&c);
    }
}

/* A ring has a hole; what reaches the border is closed there; two islands are two polygons. */
static void test_shapes(void)
{
    static double u[N], v[N];
    static anpe_density d;
    anpe_contours c;
    for (int i = 0; i < N; i++) {
        u[i] = 0.5 + 0.3 * cos(2 * M_PI * i / N);
        v[i] = 0.5 + 0.3 * sin(2 * M_PI * i / N);
    }
    anpe_density_of(&d, N, u, v, NULL, 1.5, 1.5);
    CU_ASSERT_EQUAL_FATAL(anpe_contours_of(&d, anpe_density_enclosing(&d, 0.9), &c), 0);
    CU_ASSERT(c.n == 2 && c.area[0] * c.area[1] < 0);
    CU_ASSERT(fabs(c.area[0] + c.area[1]) > 0.05);
    anpe_contours_clear(&c);
    for (int i = 0; i < N; i++) {
        u[i] = i % 2 ? 0.001 : 0.7;
        v[i] = i % 2 ? 0.999 : 0.3;
    }
    anpe_density_of(&d, N, u, v, NULL, 1, 1);
    CU_ASSERT_EQUAL_FATAL(anpe_contours_of(&d, anpe_density_enclosing(&d, 0.9), &c), 0);
    CU_ASSERT(c.n == 2 && c.area[0] > 0 && c.area[1] > 0);
    anpe_contours_clear(&c);
}

/* Weights: twice the weight is the point twice; outside and NAN count for nothing. */
static void test_weights(void)
{
    static anpe_density a, b;
    const double u[5] = {0.2, 0.7, 0.7, 1.5, NAN}, v[5] = {0.2, 0.6, 0.6, 0.5, 0.5};
    const double weight[5] = {1, 2, 0, 5, 5};
    anpe_density_of(&a, 3, u, v, NULL, 1, 2);
    anpe_density_of(&b, 5, u, v, weight, 1, 2);
    for (int k = 0; k < ANPE_DENSITY_CELLS; k++)
        for (int l = 0; l < ANPE_DENSITY_CELLS; l++)
            CU_ASSERT_DOUBLE_EQUAL(a.cell[k][l], b.cell[k][l], 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(anpe_density_enclosing(&a, 2), 0, 0);
}

static void test_bands(void)
{
    /* (1/2)^4 (1, 4, 6, 4, 1): cumulative 1/16, 5/16, 11/16, 15/16, 1 */
    CU_ASSERT_EQUAL(anpe_binomial_quantile(4, 0.5, 0.05), 0);
    CU_ASSERT_EQUAL(anpe_binomial_quantile(4, 0.5, 0.3), 1);
    CU_ASSERT_EQUAL(anpe_binomial_quantile(4, 0.5, 0.5), 2);
    CU_ASSERT_EQUAL(anpe_binomial_quantile(4, 0.5, 0.95), 4);
    CU_ASSERT_EQUAL(anpe_binomial_quantile(4, 0, 0.9), 0);
    CU_ASSERT_EQUAL(anpe_binomial_quantile(4, 1, 0.1), 4);
    const double d = anpe_kolmogorov_quantile(500, 0.99);
    CU_ASSERT_DOUBLE_EQUAL(anpe_kolmogorov_survival(500, d), 0.01, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(d, 1.6276 / sqrt(500), 0.01 * d); /* Stephens' table */
    const double x[4] = {0.1, 0.2, 0.2, 0.9}, limit[4] = {0, 0.2, 0.5, 1};
    double f[4];
    anpe_distribution_at(4, x, 4, limit, f);
    CU_ASSERT(f[0] == 0 && f[1] == 0.75 && f[2] == 0.75 && f[3] == 1);
}

static void test_names(void)
{
    static const struct {
        const char *label, *unit, *axis;
    } cases[] = {{"teff", "K", "#<italic/>T#<upright/>#deff#u [K]"},
                 {"logg", "dex", "log #<italic/>g#<upright/>"},
                 {"fe_h", "dex", "[Fe/H]"},
                 {"mg_fe", "", "[Mg/Fe]"},
                 {"c_fe", "", "[C/Fe]"},
                 {"alpha_m", "", "[\xce\xb1/M]"},
                 {"x_y", "", "x_y"},
                 {"theta_fe", "", "theta_fe"},
                 {"a#1", "m", "a##1 [m]"}};
    char buffer[96];
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
        CU_ASSERT_STRING_EQUAL(
            anpe_names_axis(buffer, sizeof buffer, cases[k].label, cases[k].unit), cases[k].axis);
    CU_ASSERT_STRING_EQUAL(anpe_names_plain(buffer, 6, "abcdefgh"), "abc");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"contours of a Gaussian", test_contours},
        {"holes, islands, borders", test_shapes},
        {"weights", test_weights},
        {"bands", test_bands},
        {"names", test_names},
    };
    return run_suite(argc, argv, "plot", COUNT(tests), tests);
}
