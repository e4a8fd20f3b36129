/* Widths of lines by collisions: full widths of the Lorentz profile in angular frequency, per
 * perturber, at 10^4 K. */
#include "lte.h"
#include <math.h>
#include <stdlib.h>

#define A0 5.29177210903e-9 /* cm */

/* Mean relative speed of hydrogen and an atom of `mass` (u) at 10^4 K. */
static double relative_speed(double mass)
{
    const double reduced = ANPE_LTE_AMU * mass * 1.008 / (mass + 1.008);
    return sqrt(8 * ANPE_LTE_BOLTZMANN * 1e4 / (ANPE_LTE_PI * reduced));
}

/* Anstee & O'Mara 1995, MNRAS 276, 859, eq. 2: w = (4/pi)^(alpha/2) Gamma(2 - alpha/2) v0 sigma
 * (v/v0)^(1-alpha) is half of it; v the mean relative speed of the atom and hydrogen, v0 = 10^6
 * cm/s, sigma in a0^2. */
double anpe_lte_abo(double sigma, double alpha, double mass, double *power)
{
    const double v = relative_speed(mass);
    *power = 0.5 * (1 - alpha);
    return 2 * pow(4 / ANPE_LTE_PI, 0.5 * alpha) * tgamma(2 - 0.5 * alpha) * 1e6 * sigma * A0 * A0 *
           pow(v / 1e6, 1 - alpha);
}

/* Effective quantum numbers between which the tables were fitted, lower and upper level. */
static const double least[2] = {1.0, 1.3}, most[2] = {4.0, 5.0};
/* Of the published tables, by l (Barklem's files go on, but a level of higher n* has mostly another
 * limit than the atom's, so that its n* is none). */
static const double first[4] = {1.0, 1.3, 2.3, 3.3}, last[4] = {3.0, 3.0, 4.0, 5.0};

int anpe_lte_abo_generic(const int l[2], const double n[2], double *sigma, double *alpha)
{
    double t[2][ANPE_LTE_BROADENING_DEGREE + 1], value[2] = {0, 0};
    const int pair = l[0] < l[1] ? l[0] : l[1];
    if (pair < 0 || pair > 2 || abs(l[0] - l[1]) != 1)
        return 0;
    for (int i = 0; i < 2; i++) {
        if (!(n[i] >= first[l[i]] && n[i] <= fmin(most[i], last[l[i]])))
            return 0;
        const double x = 2 * log(n[i] / least[i]) / log(most[i] / least[i]) - 1;
        t[i][0] = 1;
        t[i][1] = x;
        for (int k = 2; k <= ANPE_LTE_BROADENING_DEGREE; k++)
            t[i][k] = 2 * x * t[i][k - 1] - t[i][k - 2];
    }
    for (int what = 0; what < 2; what++) {
        const float *c = anpe_lte_broadening_fit[pair][l[0] > l[1]][what];
        for (int i = 0; i <= ANPE_LTE_BROADENING_DEGREE; i++)
            for (int j = 0; j <= ANPE_LTE_BROADENING_DEGREE - i; j++)
                value[what] += (double)*c++ * t[0][i] * t[1][j];
    }
    *sigma = exp(value[0]);
    *alpha = value[1];
    return 1;
}

/* Unsoeld 1955: gamma = 17 C6^(2/5) v^(3/5) per atom (Gray 2005, eqs. 11.27 to 11.29, of which the
 * last has 10^20 where this gives 10^19.6), v the mean relative speed. A level above the ionisation
 * energy has no such radius: 0. */
double anpe_lte_unsoeld(double ionisation, double excitation, double photon, int charge,
                        double mass)
{
    const double z = charge + 1, lower = ionisation - excitation, upper = lower - photon;
    if (upper <= 0 || lower <= 0)
        return 0;
    const double c6 = 0.3e-30 * z * z * (1 / (upper * upper) - 1 / (lower * lower));
    return 17 * pow(c6, 0.4) * pow(relative_speed(mass), 0.6);
}

/* gamma = 10^-8 n*^5 per electron, n* the effective quantum number of the upper level (Peytremann
 * 1972, A&A 17, 76, as Kurucz & Avrett 1981, SAO Special Report 391, have it). Levels closer to the
 * limit than n* = 5 z are of series with other limits more often than not: held there. */
double anpe_lte_stark(double ionisation, double excitation, double photon, int charge)
{
    const double z = charge + 1, upper = ionisation - excitation - photon;
    const double n2 = upper > 0 ? fmin(z * z * 13.598 / upper, 25 * z * z) : 25 * z * z;
    return 1e-8 * n2 * n2 * sqrt(n2);
}
