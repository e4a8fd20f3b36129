/* Parts of the simulator `lte`: transfer against closed forms, continuous opacities against
 * published values. */
#include <config.h>

#include <math.h>
#include "plugin_support.h"
#include "lte.h"

enum { N = 60 };

/* Layers at 10^-5 .. 10^2.4 by 0.125 dex, as an ATLAS model has them. */
static void depths(double *x, double *one)
{
    for (int i = 0; i < N; i++) {
        x[i] = pow(10, -5 + 0.125 * i);
        one[i] = 1;
    }
}

/* E_4(x) = integral of s^2 exp(-x / s) over s in (0, 1), by Simpson's rule. */
static void test_e4(void)
{
    for (double x = 1e-6; x < 40; x *= 1.7) {
        enum { STEPS = 20000 };
        double sum = exp(-x);
        for (int i = 1; i < STEPS; i++) {
            const double s = (double)i / STEPS;
            sum += (i % 2 ? 4 : 2) * s * s * exp(-x / s);
        }
        CU_ASSERT_DOUBLE_EQUAL(anpe_lte_e4(x) / (sum / (3.0 * STEPS)), 1, 2e-9);
    }
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_e4(0), 1.0 / 3, 1e-15);
}

/* Isothermal: F = pi B, I = B, whatever the opacity. Linear in tau: F = pi (a + 2/3 b), I = a + b
 * mu (Milne and Eddington), here with a line eta times as strong as the continuum: b / (1 + eta).
 */
static void test_closed_forms(void)
{
    double x[N], one[N], tau[N], flux, intensity;
    float opacity[N], source[N], constant[N];
    anpe_lte_depth d;
    depths(x, one);
    anpe_lte_depth_set(&d, N, x, one);
    for (double eta = 0; eta < 40; eta = 3 * eta + 0.5) {
        for (int i = 0; i < N; i++) {
            opacity[i] = (float)(1 + eta);
            source[i] = (float)(0.3 + 0.7 * x[i]);
            constant[i] = 2.5F;
        }
        anpe_lte_flux(&d, 1, 1, opacity, source, &flux);
        CU_ASSERT_DOUBLE_EQUAL(flux / (ANPE_LTE_PI * (0.3 + 2.0 / 3 * 0.7 / (1 + eta))), 1, 1e-6);
        anpe_lte_flux(&d, 1, 1, opacity, constant, &flux);
        CU_ASSERT_DOUBLE_EQUAL(flux / (ANPE_LTE_PI * 2.5), 1, 1e-6);
        for (double mu = 0.1; mu < 1.05; mu += 0.3) {
            anpe_lte_intensity(&d, mu, 1, 1, opacity, source, &intensity);
            CU_ASSERT_DOUBLE_EQUAL(intensity / (0.3 + 0.7 * mu / (1 + eta)), 1, 1e-6);
        }
    }
    for (int i = 0; i < N; i++) /* any opacity, S linear in the depth that results */
        opacity[i] = (float)(0.1 + sqrt(x[i]) + 0.05 * sin(i));
    anpe_lte_optical_depth(&d, opacity, tau);
    for (int i = 0; i < N; i++)
        source[i] = (float)(1 + 2 * tau[i]);
    anpe_lte_flux(&d, 1, 1, opacity, source, &flux);
    CU_ASSERT_DOUBLE_EQUAL(flux / (ANPE_LTE_PI * (1 + 4.0 / 3)), 1, 1e-6);
}

/* kappa = m^p: tau = m^(p+1) / (p+1), up to what the constant opacity above the first layer adds.
 * In steps of h = 0.29 in ln m a cubic misses exp(p u) by 3/128 (p h)^4 at most; the last interval
 * has only a parabola. */
static void test_optical_depth(void)
{
    double x[N], one[N], tau[N];
    float opacity[N];
    anpe_lte_depth d;
    depths(x, one);
    anpe_lte_depth_set(&d, N, x, one);
    for (double p = -0.5; p < 2.1; p += 0.5) {
        for (int i = 0; i < N; i++)
            opacity[i] = (float)pow(x[i], p);
        anpe_lte_optical_depth(&d, opacity, tau);
        for (int i = 10; i < N - 1; i++) {
            const double above = pow(x[0], p + 1) * (1 - 1 / (p + 1)),
                         miss = 3.0 / 128 * pow(p * 0.288, 4);
            CU_ASSERT_DOUBLE_EQUAL(tau[i] / (pow(x[i], p + 1) / (p + 1) + above), 1, miss + 1e-6);
        }
    }
    /* a depth scale with its own opacity is the same as column mass */
    double reference[N], scale[N], other[N];
    for (int i = 0; i < N; i++) {
        reference[i] = sqrt(x[i]);
        scale[i] = pow(x[i], 1.5) / 1.5;
        opacity[i] = (float)(3 * reference[i]);
    }
    anpe_lte_depth_set(&d, N, scale, reference);
    anpe_lte_optical_depth(&d, opacity, other);
    for (int i = 0; i < N; i++)
        CU_ASSERT_DOUBLE_EQUAL(other[i] / (3 * scale[i]), 1, 1e-6);
    for (int i = 0; i < N; i++) /* an opacity that jumps by 1e6 and back: depths still grow */
        opacity[i] = i == 30 ? 1e6F : 1;
    anpe_lte_depth_set(&d, N, x, one);
    anpe_lte_optical_depth(&d, opacity, tau);
    for (int i = 1; i < N; i++)
        CU_ASSERT(tau[i] > tau[i - 1]);
}

/* Many points at once are the same as one by one, with any stride. */
static void test_points(void)
{
    enum { POINTS = 300, STRIDE = 320 };
    static float opacity[N * STRIDE], source[N * STRIDE];
    static double flux[POINTS];
    double x[N], one[N];
    anpe_lte_depth d;
    depths(x, one);
    anpe_lte_depth_set(&d, N, x, one);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < POINTS; j++) {
            opacity[i * STRIDE + j] = (float)(pow(x[i], 0.3) * (1 + j * j));
            source[i * STRIDE + j] = (float)(1 + x[i] / (1 + j));
        }
    anpe_lte_flux(&d, POINTS, STRIDE, opacity, source, flux);
    for (int j = 0; j < POINTS; j++) {
        double single;
        anpe_lte_flux(&d, 1, STRIDE, opacity + j, source + j, &single);
        CU_ASSERT_EQUAL(single, flux[j]);
    }
}

/* Isothermal with a constant albedo: S(0) = sqrt(1 - albedo) B (Mihalas 1978, section 6-1), J = B
 * deep inside. Four angles and steps of 0.29 in ln tau: 1 %. */
static void test_scattering(void)
{
    double x[N], one[N], b[N], albedo[N], j[N];
    depths(x, one);
    for (double epsilon = 0.05; epsilon < 1; epsilon += 0.3) {
        for (int i = 0; i < N; i++) {
            b[i] = 3;
            albedo[i] = 1 - epsilon;
        }
        anpe_lte_mean_intensity(N, x, b, albedo, j);
        CU_ASSERT_DOUBLE_EQUAL((epsilon * 3 + (1 - epsilon) * j[0]) / (3 * sqrt(epsilon)), 1, 0.01);
        CU_ASSERT_DOUBLE_EQUAL(j[N - 1], 3, 1e-6);
    }
}

/* ---- continuum --------------------------------------------------------------------------- */

static anpe_lte_state sun(double t, double p)
{
    double abundance[ANPE_LTE_ELEMENTS];
    anpe_lte_state s;
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
        abundance[z] = anpe_lte_elements[z].abundance;
    CU_ASSERT_EQUAL_FATAL(anpe_lte_state_solve(ctx, 1, &t, &p, abundance, &s), ANPE_OK);
    return s;
}

static double source_of(const anpe_lte_state *s, double wavelength, anpe_lte_source which)
{
    double source[ANPE_LTE_N_SOURCES];
    anpe_lte_continuum_sources(s, wavelength, source);
    return source[which] * s->rho;
}

static void test_cross_sections(void)
{
    const anpe_lte_state s = sun(6000, 1e5);
    const double emission = 1 - exp(-1.438777e8 / (8500 * s.t));
    /* H-, McLaughlin et al. 2017, figure 1: 3.9e-17 cm2 at its broad maximum, near 8500 A; gone
     * beyond 16 439 A */
    CU_ASSERT_DOUBLE_EQUAL(
        source_of(&s, 8500, ANPE_LTE_HMINUS_BF) / (s.hminus * emission) / 3.9e-17, 1, 0.03);
    CU_ASSERT_EQUAL(source_of(&s, 16445, ANPE_LTE_HMINUS_BF), 0);
    CU_ASSERT(source_of(&s, 16430, ANPE_LTE_HMINUS_BF) > 0);
    /* Bell & Berrington 1987: 1.32e-27 ... cm4/dyn near 10126 A is read off the table at its node
     * theta = 0.8 */
    const anpe_lte_state node = sun(5040 / 0.8, 1e5);
    const double pe = node.ne * ANPE_LTE_BOLTZMANN * node.t;
    CU_ASSERT_DOUBLE_EQUAL(source_of(&node, 911.267 / 0.09, ANPE_LTE_HMINUS_FF) /
                               (node.atom[0][0] * pe) * 1e26,
                           anpe_lte_hminus_ff[11][2], 1e-4 * anpe_lte_hminus_ff[11][2]);
    /* hydrogen: 6.30e-18 cm2 at the Lyman edge, 1.38e-17 at Balmer's (Karzas & Latter 1961: Gaunt
     * 0.797, 0.876) */
    const double n2 = 4 * s.atom[0][0] * exp(-118352.7 / s.t), edge = 3647;
    const double balmer =
        source_of(&s, edge - 0.9, ANPE_LTE_H_BF) - source_of(&s, edge + 0.9, ANPE_LTE_H_BF);
    CU_ASSERT_DOUBLE_EQUAL(balmer / (n2 * (1 - exp(-1.438777e8 / (edge * s.t)))) / 1.38e-17, 1,
                           0.01);
    CU_ASSERT_DOUBLE_EQUAL(source_of(&s, 911.6, ANPE_LTE_H_BF) / s.atom[0][0] / 6.30e-18, 1, 0.005);
    /* scattering: Thomson; Rayleigh (1216 / lambda)^4 sigma_T times 0.2 or so far from Lyman alpha
     */
    CU_ASSERT_DOUBLE_EQUAL(source_of(&s, 5000, ANPE_LTE_THOMSON) / s.ne / 6.652459e-25, 1, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(source_of(&s, 20000, ANPE_LTE_RAYLEIGH_H) / s.atom[0][0], 3.627e-30,
                           0.05e-30);
}

/* Free-free of hydrogen is Kramers' with Gaunt factors of van Hoof et al. 2014: 1.15505 at u = 1,
 * gamma^2 = 10^1.4. */
static void test_free_free(void)
{
    const double t = 157803.6 / pow(10, 1.4), lambda = 1.438777e8 / t;
    const anpe_lte_state s = sun(t, 1e5);
    const double nu = 2.99792458e18 / lambda;
    const double kramers = 3.692e8 / sqrt(t) / (nu * nu * nu) * s.ne * s.atom[0][1] *
                           (1 - exp(-1)); /* Gray 2005, eq. 8.9 */
    CU_ASSERT_DOUBLE_EQUAL(source_of(&s, lambda, ANPE_LTE_H_FF) / kramers, 1.15505, 0.005);
}

/* Sums, signs, no jumps but at edges: from 1000 A to 5 micron in a cool, a solar and a hot layer.
 */
static void test_continuum(void)
{
    const double t[3] = {2500, 5500, 9000}, p[3] = {10, 1e5, 1e4};
    for (int k = 0; k < 3; k++) {
        const anpe_lte_state s = sun(t[k], p[k]);
        double before = 0;
        for (double lambda = 1000; lambda < 5e4; lambda *= 1.0001) {
            double source[ANPE_LTE_N_SOURCES], absorption, scattering, sum = 0;
            anpe_lte_continuum_sources(&s, lambda, source);
            anpe_lte_continuum(&s, lambda, &absorption, &scattering);
            for (int i = 0; i < ANPE_LTE_N_SOURCES; i++) {
                CU_ASSERT(source[i] >= 0 && isfinite(source[i]));
                sum += source[i];
            }
            CU_ASSERT_DOUBLE_EQUAL((absorption + scattering) / sum, 1, 1e-12);
            const double edge = sqrt(lambda / 911.7634);
            const int near_edge = fabs(edge - rint(edge)) < 1e-3 * edge;
            CU_ASSERT(before == 0 || near_edge || fabs(sum / before - 1) < 0.01);
            before = sum;
        }
    }
}

static const CU_TestInfo tests[] = {
    {"E4", test_e4},
    {"closed forms", test_closed_forms},
    {"optical depth", test_optical_depth},
    {"points", test_points},
    {"scattering", test_scattering},
    {"cross sections", test_cross_sections},
    {"free-free", test_free_free},
    {"continuum", test_continuum},
};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "lte: transfer", COUNT(tests), tests);
}
