/* Parts of the simulator `lines`: Voigt function, kernels, line list, the layer. */
#include "testlib.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "lines.h"
#include "test_lines.h"

/* H(a, u) = pi^-1/2 integral_0^inf exp(-a x - x^2/4) cos(u x) dx: smooth for every a, so Simpson's
 * rule holds. Error h^4/180 |f'''(0)| < 1e-13 for h = 1e-3 and the arguments below. */
static long double voigt_reference(long double a, long double u)
{
    const int n = 15000; /* exp(-15^2/4) = 4e-25 is left out */
    const long double h = 1e-3L;
    long double sum = 0;
    for (int i = 0; i <= n; i++) {
        const long double x = h * i, f = expl(-a * x - x * x / 4) * cosl(u * x);
        sum += f * (i == 0 || i == n ? 1 : i % 2 ? 4 : 2);
    }
    return sum * h / 3 / sqrtl(acosl(-1));
}

void test_voigt(void)
{
    static const double damping[] = {0, 1e-4, 1e-2, 0.1, 0.5, 1, 3, 10, 40};
    static const double at[] = {0, 0.1, 0.7, 1, 1.8, 2.5, 3.3, 4, 5.5, 8, 11.9};
    anpe_voigt voigt;
    double worst = 0;
    anpe_voigt_init(&voigt);
    for (size_t i = 0; i < sizeof damping / sizeof *damping; i++)
        for (size_t j = 0; j < sizeof at / sizeof *at; j++) {
            float h;
            anpe_voigt_fill(&voigt, damping[i], -at[j], 1, 0, 1, &h);
            const double want = (double)voigt_reference(damping[i], at[j]);
            worst = fmax(worst, fabs((double)h - want));
        }
    /* rounding to float 6e-8 of values up to 1; the series of 24 terms is good to a few 1e-8 */
    CU_ASSERT(worst < 2e-7);
    if (worst >= 2e-7)
        printf(" worst %g ", worst);
}

/* anpe_voigt_add over core and wings, and on both sides of the line. */
void test_voigt_wings(void)
{
    enum { N = 4001 };
    static float eta[N];
    anpe_voigt voigt;
    anpe_voigt_init(&voigt);
    const double step = 0.05, centre = 2000.3, cut = 1e-9;
    for (double a = 1e-3; a < 5; a *= 10) {
        const anpe_lines_profile p = {10, a, 1};
        double worst = 0;
        memset(eta, 0, sizeof eta);
        anpe_voigt_add(&voigt, &p, centre, step, 0, cut, 0, N, eta);
        for (int i = 0; i < N; i += 37) {
            const double want = 10 * (double)voigt_reference(a, (i - centre) * step) - cut;
            worst = fmax(worst, fabs((double)eta[i] - want) / (want + 1e-5));
        }
        /* 2.5 / 12^4 = 1.2e-4 where the wing formula starts; 1e-5 covers 10 times the core's error
         */
        CU_ASSERT(worst < 2.5e-4);
        if (worst >= 2.5e-4)
            printf(" a %g: %g ", a, worst);
    }
    /* hydrogen: Voigt times (1 + v^2)^-1/4 for a = 1: from v = 20 to 80 the Lorentzian falls by 16,
     * the linear Stark profile by 32 */
    const anpe_lines_profile p = {10, 1, 1};
    memset(eta, 0, sizeof eta);
    anpe_voigt_add(&voigt, &p, 2000, step, 1, 1e-12, 0, N, eta);
    CU_ASSERT_DOUBLE_EQUAL((double)(eta[2400] / eta[3600]), 32, 0.3);
    CU_ASSERT_DOUBLE_EQUAL((double)(eta[2400] / eta[1600]), 1, 1e-5);
    /* a weak line stays out: nothing above cut, nothing added */
    memset(eta, 0, sizeof eta);
    anpe_voigt_add(&voigt, &(anpe_lines_profile){1e-5, 0.1, 1}, 2000, step, 0, 1e-4, 0, N, eta);
    CU_ASSERT(eta[2000] <= 0);
}

void test_kernel(void)
{
    static float kernel[4000];
    for (int shape = 0; shape < 2; shape++)
        for (double vmacro = 0; vmacro < 25; vmacro += 4.7) {
            const int64_t half = anpe_lines_kernel_half(vmacro, 0.8), m = 3, n = 2 * half + m;
            double sum = 0, mean = 0, variance = 0;
            anpe_lines_kernel((anpe_lines_macro)shape, vmacro, 0.8, half, m, kernel);
            for (int64_t i = 0; i < n; i++) {
                CU_ASSERT(kernel[i] >= 0);
                sum += (double)kernel[i];
                mean += (double)kernel[i] * (double)i;
            }
            for (int64_t i = 0; i < n; i++)
                variance += (double)kernel[i] * pow(((double)i - mean) * 0.8, 2);
            CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-5);
            CU_ASSERT_DOUBLE_EQUAL(mean, (double)(n - 1) / 2, 1e-3);
            /* Gaussian: zeta^2/2; radial-tangential: integral x^2 M / integral M = zeta^2/4. The
             * box of 3 pixels has (3^2 - 1)/12 pixels^2. Sampling the cusp of M and cutting it
             * at 3.5 zeta cost a few per cent. */
            const double want = vmacro * vmacro * (shape == ANPE_MACRO_GAUSSIAN ? 0.5 : 0.25);
            CU_ASSERT_DOUBLE_EQUAL(variance, want + 0.64 * 8 / 12, 0.03 * want + 1e-4);
        }
}

void test_table(void)
{
    int n = 0, apogee = 0, optical = 0;
    const anpe_lines_row *previous = NULL;
    for (const anpe_lines_row *r; (r = anpe_lines_table(n)); n++, previous = r) {
        CU_ASSERT(r->wavelength > 3690 && r->wavelength < 17200);
        CU_ASSERT(!previous || r->wavelength >= previous->wavelength);
        CU_ASSERT(r->ion == 1 || r->ion == 2);
        CU_ASSERT(r->element >= 0 && r->element < ANPE_EL_COUNT);
        /* bound: the upper level lies below the ionisation limit (0.1 eV for rounding) */
        const double upper = r->excitation + 12398.42 / r->wavelength;
        CU_ASSERT(upper < anpe_lines_elements[r->element].ionisation[r->ion - 1] + 0.1);
        CU_ASSERT(r->log_gf > -6 && r->log_gf < 2);
        CU_ASSERT(r->element == ANPE_EL_H ? r->damping > 2 : r->damping <= 0);
        apogee += r->wavelength > 15100 && r->wavelength < 17000;
        optical += r->wavelength > 3700 && r->wavelength < 9100;
    }
    CU_ASSERT(apogee >= 60 && optical >= 120);
}

/* Gray (2005), appendix D, and Irwin (1981), at 5040 K, to the 20 % that elements.c claims. */
void test_partition(void)
{
    static const struct {
        int element, ion;
        double u;
    } known[] = {{ANPE_EL_H, 1, 2},     {ANPE_EL_NA, 1, 2.05}, {ANPE_EL_MG, 1, 1.02},
                 {ANPE_EL_SI, 1, 9.5},  {ANPE_EL_CA, 1, 1.19}, {ANPE_EL_CA, 2, 2.23},
                 {ANPE_EL_TI, 1, 30.2}, {ANPE_EL_TI, 2, 56.2}, {ANPE_EL_CR, 1, 10.4},
                 {ANPE_EL_FE, 1, 27.5}, {ANPE_EL_FE, 2, 43.2}, {ANPE_EL_NI, 1, 30.9},
                 {ANPE_EL_BA, 2, 4.2},  {ANPE_EL_SR, 2, 2.2}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const double u = anpe_lines_partition(known[i].element, known[i].ion, 5040);
        CU_ASSERT_DOUBLE_EQUAL(u, known[i].u, 0.2 * known[i].u);
        if (fabs(u - known[i].u) > 0.2 * known[i].u)
            printf(" %s %d: %g ", anpe_lines_elements[known[i].element].symbol, known[i].ion, u);
    }
}

static anpe_lines_layer layer_of(double teff, double logg, double fe_h)
{
    const anpe_lines_star star = {.teff = teff, .logg = logg, .fe_h = fe_h, .vmicro = 1};
    anpe_lines_layer layer;
    anpe_lines_layer_solve(&layer, &star);
    return layer;
}

void test_layer(void)
{
    const anpe_lines_layer sun = layer_of(5777, 4.44, 0);
    /* The solar photosphere at tau(5000) = 0.25 has Pe near 6 and Pg near 6e4 dyn/cm^2, and a
     * continuous opacity near 0.2 cm^2/g (Gray 2005, table 9.2); a single layer is good to 2. */
    CU_ASSERT(sun.pe > 3 && sun.pe < 12);
    CU_ASSERT(sun.pg > 3e4 && sun.pg < 1.2e5);
    /* Fe is mostly ionised, and what the layer says of pressures holds together */
    CU_ASSERT(sun.stage[ANPE_EL_FE][1] > 0.8);
    CU_ASSERT_DOUBLE_EQUAL(sun.pe / (1.380649e-16 * sun.temperature) / sun.n_e, 1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL((sun.n_e + sun.n_h * 1.0851) * 1.380649e-16 * sun.temperature / sun.pg,
                           1, 1e-9);
    double electrons = 0;
    for (int i = 0; i < ANPE_EL_COUNT; i++)
        electrons +=
            sun.abundance[i] * (sun.stage[i][1] + 2 * (1 - sun.stage[i][0] - sun.stage[i][1]));
    CU_ASSERT_DOUBLE_EQUAL(electrons * sun.n_h / sun.n_e, 1, 1e-6);
    CU_ASSERT(layer_of(5777, 4.9, 0).pe > sun.pe);
    CU_ASSERT(layer_of(5777, 3.0, 0).pg < sun.pg);
    CU_ASSERT(layer_of(6500, 4.44, 0).pe > sun.pe);
    CU_ASSERT(layer_of(5777, 4.44, -1).pe < sun.pe);
    CU_ASSERT(layer_of(5777, 4.44, -1).pg > sun.pg);
    /* the minimum of the opacity of H- at 1.6 micron, its maximum near 8500 Angstrom */
    CU_ASSERT(anpe_lines_continuum(&sun, 16400) < 0.6 * anpe_lines_continuum(&sun, 8500));
    CU_ASSERT(anpe_lines_continuum(&sun, 8400) > anpe_lines_continuum(&sun, 5000));
    CU_ASSERT(anpe_lines_floor(&sun, 5000) < anpe_lines_floor(&sun, 16000));
    /* every corner of the label domain has a solution inside the bracket */
    for (int i = 0; i < 8; i++) {
        const anpe_lines_layer l = layer_of(i & 1 ? 8000 : 3500, i & 2 ? 5 : 0, i & 4 ? 0.5 : -2.5);
        CU_ASSERT(l.pe > 1e-8 && l.pe < 1e6 && l.pg > l.pe && l.pg < 1e8);
    }
}
