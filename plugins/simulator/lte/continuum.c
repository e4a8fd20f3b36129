/* Continuous opacity, one function per source. All are per gram of stellar matter, with stimulated
 * emission. */
#include "lte.h"
#include <math.h>

#define HMINUS_EV 0.754204
#define RYDBERG_A 911.7634       /* of hydrogen, vacuum Angstrom */
#define RYDBERG_K 157803.6       /* of hydrogen, K */
#define HC_K      1.4387768775e8 /* Angstrom K */
#define HC_EV     12398.41984    /* Angstrom eV */

static double polynomial(const double *c, int n, double x)
{
    double y = c[n - 1];
    for (int i = n - 2; i >= 0; i--)
        y = y * x + c[i];
    return y;
}

static double stimulated(const anpe_lte_state *s, double wavelength)
{
    return 1 - exp(-HC_K / (wavelength * s->t));
}

/* Neutral hydrogen in its ground state. */
static double h_ground(const anpe_lte_state *s)
{
    return 2 * s->atom[0][0] / anpe_lte_partition(1, 0, s->t);
}

/* McLaughlin et al. 2017, J. Phys. B 50, 114001: sigma = 1e-18 k^3/E^3 sum c_n k^n, k^2 = E -
 * affinity in eV. Below 1770 A, where resonances follow, the cross section of 1770 A is kept. */
static double hminus_bf(const anpe_lte_state *s, double wavelength)
{
    const double e = HC_EV / fmax(wavelength, 1770), k2 = e - HMINUS_EV;
    if (k2 <= 0)
        return 0;
    const double k = sqrt(k2);
    return s->hminus * 1e-18 * k * k2 / (e * e * e) * polynomial(anpe_lte_hminus_bf, 9, k) *
           stimulated(s, wavelength);
}

/* Lagrange weights of the four nodes x[i] .. x[i + 3] around x; returns i. */
static int four(const double *x, int n, double at, double w[4])
{
    int i = 0;
    while (i < n - 4 && at > x[i + 2])
        i++;
    for (int k = 0; k < 4; k++) {
        w[k] = 1;
        for (int j = 0; j < 4; j++)
            w[k] *= j == k ? 1 : (at - x[i + j]) / (x[i + k] - x[i + j]);
    }
    return i;
}

/* Bell & Berrington 1987, J. Phys. B 20, 801, table 1: cubic in ln lambda and ln theta between its
 * nodes. Held at the table's ends in theta (0.5, 3.6) and below 1823 A. */
static double hminus_ff(const anpe_lte_state *s, double wavelength)
{
    static const double theta[11] = {0.5, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2, 2.8, 3.6};
    static const double wavenumber[22] = {0.5,  0.4,  0.35, 0.3,  0.25,  0.2,  0.18, 0.16,
                                          0.14, 0.12, 0.1,  0.09, 0.08,  0.07, 0.06, 0.05,
                                          0.04, 0.03, 0.02, 0.01, 0.008, 0.006};
    double x[22], y[11], wx[4], wy[4], sum = 0;
    for (int i = 0; i < 22; i++)
        x[i] = -log(wavenumber[i]);
    for (int i = 0; i < 11; i++)
        y[i] = log(theta[i]);
    const int i = four(x, 22, log(fmax(wavelength, 1822.534) / 911.267), wx);
    const int j = four(y, 11, log(fmin(fmax(5040 / s->t, 0.5), 3.6)), wy);
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++)
            sum += wx[a] * wy[b] * log(anpe_lte_hminus_ff[i + a][j + b]);
    return h_ground(s) * s->ne * ANPE_LTE_BOLTZMANN * s->t * 1e-26 * exp(sum);
}

/* Bound-free Gaunt factor at x times the threshold's frequency: fits for n <= 6, else Menzel &
 * Pekeris 1935. */
static double gaunt_bf(int n, double x)
{
    if (n <= 6)
        return polynomial(anpe_lte_hydrogen_bf[n - 1], 6, log(fmin(x, 15)));
    const double u = x - 1, q = cbrt(n * (u + 1)), p = 1 / (q * q);
    return 1 + 0.1728 * p * (u - 1) - 0.0496 * p * p * (u * u + 4 * u / 3 + 1);
}

/* Kramers' cross section (Gray 2005, eq. 8.5) times the Gaunt factor, n up to 30; higher ones as an
 * integral. */
static double h_bf(const anpe_lte_state *s, double wavelength)
{
    enum { LAST = 30 };
    const double kt = s->t / RYDBERG_K, nu = ANPE_LTE_LIGHT * 1e8 / wavelength;
    double sum = 0;
    for (int n = 1; n <= LAST; n++) {
        const double x = RYDBERG_A * n * n / wavelength;
        if (x >= 1)
            sum += gaunt_bf(n, x) * exp(-(1 - 1.0 / (n * n)) / kt) / ((double)n * n * n);
    }
    sum += exp(-1 / kt) / (2 * (LAST + 0.5) * (LAST + 0.5));
    /* population of n: 2 n^2 exp(-E_n / kT) / U; cross section 2.815e29 g / (n^5 nu^3) */
    return h_ground(s) * 2.815e29 / (nu * nu * nu) * sum * stimulated(s, wavelength);
}

/* van Hoof et al. 2014, MNRAS 444, 420, for charge 1. */
static double gaunt_ff(double wavelength, double t)
{
    const double u = fmin(fmax(log10(HC_K / (wavelength * t)), -2), 2);
    const double g = fmin(fmax(log10(RYDBERG_K / t), 0.6), 2.2) - 1.4;
    double c[6];
    for (int i = 0; i < 6; i++)
        c[i] = polynomial(anpe_lte_free_free[i], 5, g);
    return polynomial(c, 6, u);
}

/* Free-free of `ions` per cm3 of charge 1 as if they were protons (Gray 2005, eq. 8.9). */
static double free_free(const anpe_lte_state *s, double ions, double wavelength)
{
    const double nu = ANPE_LTE_LIGHT * 1e8 / wavelength;
    return 3.692e8 / (sqrt(s->t) * nu * nu * nu) * gaunt_ff(wavelength, s->t) * s->ne * ions *
           stimulated(s, wavelength);
}

/* C, Na, Mg, Al, Si, Ca, Fe from TOPbase: linear in ln lambda between nodes, held beyond them and
 * 2500 K. */
static double metal_bf(const anpe_lte_state *s, double wavelength)
{
    const double step = log(20000 / 1500.0) / (ANPE_LTE_METAL_NODES - 1);
    const double x = fmin(fmax(log(wavelength / 1500) / step, 0), ANPE_LTE_METAL_NODES - 1.001);
    const int i = (int)x;
    const double theta = 5040 / fmin(fmax(s->t, 2500), 12000) - 1;
    double sum = 0;
    for (int m = 0; m < ANPE_LTE_METALS; m++) {
        double y[2];
        for (int k = 0; k < 2; k++) {
            const float *c = anpe_lte_metal_bf[m][i + k];
            y[k] = c[0] + theta * (c[1] + theta * (c[2] + theta * (double)c[3]));
        }
        const int z = anpe_lte_metal_z[m];
        sum += s->atom[z - 1][0] / anpe_lte_partition(z, 0, s->t) *
               exp(y[0] + (y[1] - y[0]) * (x - i));
    }
    return 1e-18 * sum * stimulated(s, wavelength);
}

static double metal_ff(const anpe_lte_state *s, double wavelength)
{
    double ions = 0;
    for (int z = 2; z < ANPE_LTE_ELEMENTS; z++)
        ions += s->atom[z][1];
    return free_free(s, ions, wavelength);
}

/* Bates 1952, MNRAS 112, 40, as fitted by Kurucz 1970, SAO Special Report 309, eq. 5.11 ff.; per
 * H(1s) and proton. */
static double h2plus(const anpe_lte_state *s, double wavelength)
{
    static const double fr[5] = {-3.0233e3, 3.7797e2, -1.82496e1, 3.9207e-1, -3.1672e-3};
    static const double es[6] = {-7.342e-3, -2.409, 1.028, -4.230e-1, 1.224e-1, -1.351e-2};
    const double nu = ANPE_LTE_LIGHT * 1e8 / wavelength;
    if (nu > 3.28e15)
        return 0;
    const double exponent =
        -polynomial(es, 6, nu * 1e-15) / (ANPE_LTE_KEV * s->t) + polynomial(fr, 5, log(nu));
    return h_ground(s) * s->atom[0][1] * exp(exponent) * stimulated(s, wavelength);
}

/* ln K(ln T, ln lambda), K per atom or molecule and electron pressure, held at the ends of the
 * published tables. */
static double anion_ff(const double (*fit)[4], double t, double wavelength)
{
    const double x = log(fmin(fmax(t, 1400), 15000) / 5040),
                 y = log(fmax(wavelength, 5000) / 10000);
    double c[4];
    for (int i = 0; i < 4; i++)
        c[i] = polynomial(fit[i], 4, y);
    return exp(polynomial(c, 4, x));
}

/* Dalgarno's expansion (Kurucz 1970); beyond its validity, short of 1200 A, the value there is
 * kept. */
static double rayleigh_h(const anpe_lte_state *s, double wavelength)
{
    const double w = 1 / pow(fmax(wavelength, 1200), 2);
    return h_ground(s) * w * w * (5.799e-13 + w * (1.422e-6 + w * 2.784));
}

/* Dalgarno & Williams 1962, ApJ 136, 690 */
static double rayleigh_h2(double n, double wavelength)
{
    const double w = 1 / pow(fmax(wavelength, 1200), 2);
    return n * w * w * (8.14e-13 + w * (1.28e-6 + w * 1.61));
}

/* Dalgarno & Kingston 1960 (Kurucz 1970) */
static double rayleigh_he(double n, double wavelength)
{
    const double w = pow(fmax(wavelength, 900), 2), a = 1 + (2.44e5 + 5.94e10 / (w - 2.90e5)) / w;
    return n * 5.484e-14 / (w * w) * a * a;
}

static int molecule_h2(void)
{
    return 0; /* first of the table */
}

void anpe_lte_continuum_sources(const anpe_lte_state *s, double wavelength,
                                double source[ANPE_LTE_N_SOURCES])
{
    const double pe = s->ne * ANPE_LTE_BOLTZMANN * s->t, h2 = s->molecule[molecule_h2()],
                 he = s->atom[1][0];
    source[ANPE_LTE_HMINUS_BF] = hminus_bf(s, wavelength);
    source[ANPE_LTE_HMINUS_FF] = hminus_ff(s, wavelength);
    source[ANPE_LTE_H_BF] = h_bf(s, wavelength);
    source[ANPE_LTE_H_FF] = free_free(s, s->atom[0][1], wavelength);
    source[ANPE_LTE_H2PLUS] = h2plus(s, wavelength);
    source[ANPE_LTE_H2MINUS_FF] = h2 * pe * anion_ff(anpe_lte_h2minus_ff, s->t, wavelength);
    source[ANPE_LTE_HEMINUS_FF] = he * pe * 1e-26 * anion_ff(anpe_lte_heminus_ff, s->t, wavelength);
    source[ANPE_LTE_METAL_BF] = metal_bf(s, wavelength);
    source[ANPE_LTE_METAL_FF] = metal_ff(s, wavelength);
    source[ANPE_LTE_RAYLEIGH_H] = rayleigh_h(s, wavelength);
    source[ANPE_LTE_RAYLEIGH_H2] = rayleigh_h2(h2, wavelength);
    source[ANPE_LTE_RAYLEIGH_HE] = rayleigh_he(he, wavelength);
    source[ANPE_LTE_THOMSON] = 6.6524587e-25 * s->ne;
    for (int i = 0; i < ANPE_LTE_N_SOURCES; i++)
        source[i] /= s->rho;
}

void anpe_lte_continuum(const anpe_lte_state *s, double wavelength, double *absorption,
                        double *scattering)
{
    static const int scatters[ANPE_LTE_N_SOURCES] = {
#define X(id, name, flag) flag,
        ANPE_LTE_SOURCES(X)
#undef X
    };
    double source[ANPE_LTE_N_SOURCES];
    anpe_lte_continuum_sources(s, wavelength, source);
    *absorption = *scattering = 0;
    for (int i = 0; i < ANPE_LTE_N_SOURCES; i++)
        *(scatters[i] ? scattering : absorption) += source[i];
}
