/* The layer in which lines form: its temperature, pressures, populations and opacities.
 *
 * Grey atmosphere, T^4 = (3/4) Teff^4 (tau + 2/3): lines form at tau = TAU_LAYER, the continuum at
 * 2/3. The electron pressure follows from charge conservation (Saha) and hydrostatic equilibrium,
 * Pg = g tau / kappa, with the continuous opacity at 5000 Angstrom. Formulas of the opacities:
 * Gray (2005), chapter 8, and John (1988) for the bound-free opacity of H-. */
#include "lines.h"
#include <math.h>

#define TAU_LAYER        0.25
#define BOLTZMANN        1.380649e-16 /* erg / K */
#define ATOMIC_MASS      1.660539e-24
#define LIGHT            2.99792458e10
#define LN10             2.302585092994046
#define SECOND_RADIATION 1.4387769e8 /* hc/k, Angstrom K */
#define EV_TO_THETA      5039.78     /* log10(e) * eV / k */
#define HELIUM           0.0851      /* helium nuclei per hydrogen nucleus */
#define HELIUM_MASS      4.0026

static double pow10_of(double x)
{
    return exp(LN10 * x);
}

/* Saha: N_{i+1} Pe / N_i = 0.6665 (u_{i+1} / u_i) T^{5/2} 10^{-theta I}. */
static double saha(double ratio, double temperature, double energy)
{
    return 0.6665 * ratio * temperature * temperature * sqrt(temperature) *
           pow10_of(-EV_TO_THETA / temperature * energy);
}

/* H- bound-free, cm^2 per neutral H: John (1988) cross section, Saha for H-. */
static double h_minus_bf(double wavelength, double theta, double pe)
{
    const double c[6] = {152.519, 49.534, -118.858, 92.536, -34.194, 4.982};
    const double micron = wavelength * 1e-4, d = 1 / micron - 1 / 1.6419;
    if (d <= 0)
        return 0;
    const double root = sqrt(d);
    double f = 0;
    for (int i = 5; i >= 0; i--)
        f = f * root + c[i];
    const double sigma = 1e-18 * micron * micron * micron * d * root * f;
    return 4.158e-10 * sigma * pe * theta * theta * sqrt(theta) * pow10_of(0.754 * theta);
}

/* H- free-free, cm^2 per neutral H: Gray (2005) eq. 8.13. */
static double h_minus_ff(double wavelength, double theta, double pe)
{
    const double l = log10(wavelength), t = log10(theta);
    const double f0 = -2.2763 + l * (-1.6850 + l * (0.76661 - l * 0.053346));
    const double f1 = 15.2827 + l * (-9.2846 + l * (1.99381 - l * 0.142631));
    const double f2 = -197.789 + l * (190.266 + l * (-67.9775 + l * (10.6913 - l * 0.625151)));
    return 1e-26 * pe * pow10_of(f0 + t * (f1 + t * f2));
}

/* Neutral hydrogen bound-free and free-free with unit Gaunt factors: three levels one by one, the
 * rest as an integral (Gray 2005, eq. 8.6 to 8.9). */
static double h_neutral(double wavelength, double theta)
{
    const double rydberg = 13.598, half_log = 0.43429448 / (2 * theta * rydberg);
    const int n0 = (int)ceil(sqrt(wavelength / 911.75));
    double sum = 0;
    for (int n = n0; n < n0 + 3; n++)
        sum += pow10_of(-theta * rydberg * (1 - 1.0 / (n * n))) / (n * n * n);
    const double n3 = n0 + 3, top = rydberg * (1 - 1 / (n3 * n3));
    sum += half_log * pow10_of(-theta * top); /* free-free cancels the integral's other end */
    return 1.0449e-26 * wavelength * wavelength * wavelength * sum;
}

/* neutral: fraction of hydrogen that is neutral; electrons: per hydrogen nucleus. */
static double continuum(double wavelength, double temperature, double pe, double neutral,
                        double electrons)
{
    const double theta = 5039.78 / temperature, x = SECOND_RADIATION / (wavelength * temperature);
    const double stimulated = 1 - exp(-x), q = 1 / (wavelength * wavelength);
    const double rayleigh = q * q * (5.799e-13 + q * (1.422e-6 + q * 2.784));
    const double h =
        (h_neutral(wavelength, theta) + h_minus_bf(wavelength, theta, pe)) * stimulated;
    return neutral * (h + h_minus_ff(wavelength, theta, pe) + rayleigh) + 0.6652e-24 * electrons;
}

double anpe_lines_continuum(const anpe_lines_layer *layer, double wavelength)
{
    return continuum(wavelength, layer->temperature, layer->pe, layer->stage[ANPE_EL_H][0],
                     layer->n_e / layer->n_h);
}

/* Electrons per hydrogen nucleus at electron pressure pe; phi: Saha constants. */
static double electrons_at(const anpe_lines_layer *layer, const double phi[][2], double pe)
{
    double sum = 0;
    for (int i = 0; i < ANPE_EL_COUNT; i++) {
        const double one = phi[i][0] / pe, two = one * phi[i][1] / pe;
        sum += layer->abundance[i] * (one + 2 * two) / (1 + one + two);
    }
    return sum;
}

/* ln of (gas pressure from charge conservation / from hydrostatic equilibrium): grows with pe. */
static double imbalance(const anpe_lines_layer *layer, const double phi[][2], double gravity,
                        double pe)
{
    const double x = electrons_at(layer, phi, pe), t = layer->temperature;
    const double mass = ATOMIC_MASS * (1.008 + HELIUM * HELIUM_MASS);
    const double kappa = continuum(5000, t, pe, pe / (pe + phi[ANPE_EL_H][0]), x) / mass;
    const double gas = pe + pe / x * (1 + HELIUM);
    return log(gas * kappa / (gravity * TAU_LAYER));
}

static void populate(anpe_lines_layer *layer, double phi[][2], const anpe_lines_star *star)
{
    for (int i = 0; i < ANPE_EL_COUNT; i++) {
        const anpe_lines_element *e = &anpe_lines_elements[i];
        const double metal = i == ANPE_EL_H ? 0 : star->fe_h + star->x_fe[i];
        layer->abundance[i] = pow10_of(e->abundance - 12 + metal);
        for (int ion = 0; ion < 2; ion++)
            layer->partition[i][ion] = anpe_lines_partition(i, ion + 1, layer->temperature);
        const double *u = layer->partition[i];
        phi[i][0] = saha(u[1] / u[0], layer->temperature, e->ionisation[0]);
        /* the third stage matters only as an electron donor: its partition function is taken as 1
         */
        phi[i][1] = i == ANPE_EL_H ? 0 : saha(1 / u[1], layer->temperature, e->ionisation[1]);
    }
}

void anpe_lines_layer_solve(anpe_lines_layer *layer, const anpe_lines_star *star)
{
    double phi[ANPE_EL_COUNT][2];
    layer->teff = star->teff;
    layer->t_surface = star->teff * pow(0.5, 0.25);
    layer->temperature = star->teff * pow(0.75 * (TAU_LAYER + 2.0 / 3), 0.25);
    populate(layer, phi, star);
    const double gravity = pow10_of(star->logg);
    double low = -20, high = 14;   /* of ln pe: wide enough for every label in range */
    for (int i = 0; i < 52; i++) { /* bisection down to the rounding of a double */
        const double middle = 0.5 * (low + high);
        if (imbalance(layer, (const double(*)[2])phi, gravity, exp(middle)) > 0)
            high = middle;
        else
            low = middle;
    }
    layer->pe = exp(0.5 * (low + high));
    const double x = electrons_at(layer, (const double(*)[2])phi, layer->pe);
    layer->n_e = layer->pe / (BOLTZMANN * layer->temperature);
    layer->n_h = layer->n_e / x;
    layer->pg = layer->pe * (1 + (1 + HELIUM) / x);
    for (int i = 0; i < ANPE_EL_COUNT; i++) {
        const double one = phi[i][0] / layer->pe, two = one * phi[i][1] / layer->pe;
        layer->stage[i][0] = 1 / (1 + one + two);
        layer->stage[i][1] = one / (1 + one + two);
    }
}

double anpe_lines_floor(const anpe_lines_layer *layer, double wavelength)
{
    const double x = SECOND_RADIATION / wavelength;
    return expm1(x / layer->teff) / expm1(x / layer->t_surface);
}

/* Van der Waals broadening, rad/s. Without a measured rate: Unsoeld's C6 with the usual factor 2
 * on the rate. n6: hydrogen atoms plus what helium is worth. */
static double van_der_waals(const anpe_lines_row *row, double temperature, double n6)
{
    if (row->damping < 0)
        return n6 * pow10_of(row->damping) * pow(temperature / 1e4, 0.3);
    const anpe_lines_element *e = &anpe_lines_elements[row->element];
    const double photon = 12398.42 / row->wavelength;
    const double low = fmax(e->ionisation[row->ion - 1] - row->excitation, 0.3);
    const double up = fmax(low - photon, 0.3), z = row->ion;
    const double c6 = 0.3e-30 * z * z * fabs(1 / (up * up) - 1 / (low * low));
    const double reduced = 1 / (1 / 1.008 + 1 / e->mass) * ATOMIC_MASS;
    const double v = sqrt(8 * BOLTZMANN * temperature / (3.14159265 * reduced));
    return 2 * 17.0 * pow(c6, 0.4) * pow(v, 0.6) * n6;
}

/* Full width (rad/s) of a hydrogen line by the linear Stark effect: H beta's width, 4.8 nm
 * (n_e / 1e17)^0.68 (Gigosos et al. 2003), scaled with n'^2 - n^2 of the line. */
static double linear_stark(const anpe_lines_row *row, double n_e)
{
    const double upper2 = row->damping * row->damping;
    const double lower2 = 1 / (1 - row->excitation / 13.59844);
    const double h_beta = 2 * 3.14159265 * LIGHT * 4.8e-7 / (4.8627e-5 * 4.8627e-5);
    return h_beta * pow(n_e / 1e17, 0.68) * (upper2 - lower2) / 12;
}

anpe_lines_profile anpe_lines_profile_of(const anpe_lines_layer *layer, const anpe_lines_row *row,
                                         double vmicro)
{
    const double t = layer->temperature, cm = row->wavelength * 1e-8;
    const int el = row->element, ion = row->ion - 1;
    const double mass = anpe_lines_elements[el].mass * ATOMIC_MASS, turbulence = vmicro * 1e5;
    const double doppler = sqrt(2 * BOLTZMANN * t / mass + turbulence * turbulence); /* cm/s */
    const double stimulated = 1 - exp(-SECOND_RADIATION / (row->wavelength * t));
    const double gf_level =
        pow10_of(row->log_gf - EV_TO_THETA / t * row->excitation) / layer->partition[el][ion];
    const double number = layer->abundance[el] * layer->stage[el][ion] * gf_level * stimulated;
    /* pi e^2 / (m c) = 0.026540 cm^2 Hz; H(a, v) / (sqrt(pi) doppler frequency) is the profile */
    const double strength =
        0.026540 / 1.7724539 * cm / doppler * number / anpe_lines_continuum(layer, row->wavelength);
    const double natural = 0.2223 / (cm * cm); /* classical */
    double gamma = natural;
    if (el == ANPE_EL_H) {
        gamma += linear_stark(row, layer->n_e);
    } else {
        const double n6 = layer->n_h * (layer->stage[ANPE_EL_H][0] + 0.42 * HELIUM);
        gamma += van_der_waals(row, t, n6) + 1e-6 * layer->n_e;
    }
    return (anpe_lines_profile){strength, gamma * cm / (4 * 3.14159265 * doppler), doppler * 1e-5};
}
