/* Line opacity of the layers of an atmosphere.
 *
 *     kappa = (pi e^2 / m c) gf N exp(-E / kT) (1 - exp(-h nu / kT)) H(a, v) / (sqrt(pi) delta) per
 * gram, delta = nu sqrt(2 kT / m + vmicro^2) / c, a = gamma / (4 pi delta), N the number of the ion
 * or molecule per gram over its partition function. gamma adds the radiative width, Stark's (as
 * T^(1/6)) and van der Waals', the latter by H, He and H2 (0.41336 and 0.85 of H's: ratios of
 * polarisability and reduced mass). A profile is followed in each layer to where it falls below
 * `cut` times the continuous opacity. */
#include <config.h>
#include "lte.h"
#include <math.h>
#include <string.h>

#define PI_E2_MC 0.02654008854 /* pi e^2 / (m_e c), cm2 Hz */
#define WIDEST   1e4F          /* Doppler widths: nothing that is a line */
#define ALIKE    0.003F        /* of dampings: (da)^2 / 2 of d2H/da2 < 2 is below 1e-5 of H */
#define SQRT_PI  1.7724538509055160
#define HC_K     1.4387768775e8 /* Angstrom K */

/* Fraction of an element's atoms in one isotope: terrestrial (Rosman & Taylor 1998), carbon as
 * asked. */
double anpe_lte_isotope(int z, int mass, double c12_c13)
{
    static const struct {
        int z, mass;
        double fraction;
    } table[] = {{1, 1, 0.999885},  {1, 2, 1.15e-4},   {3, 6, 0.0759},    {3, 7, 0.9241},
                 {5, 10, 0.199},    {5, 11, 0.801},    {7, 14, 0.99636},  {7, 15, 0.00364},
                 {8, 16, 0.99757},  {8, 17, 0.00038},  {8, 18, 0.00205},  {12, 24, 0.7899},
                 {12, 25, 0.1000},  {12, 26, 0.1101},  {14, 28, 0.92223}, {14, 29, 0.04685},
                 {14, 30, 0.03092}, {16, 32, 0.9499},  {16, 33, 0.0075},  {16, 34, 0.0425},
                 {17, 35, 0.7576},  {17, 37, 0.2424},  {19, 39, 0.93258}, {19, 41, 0.06730},
                 {20, 40, 0.96941}, {20, 42, 0.00647}, {20, 44, 0.02086}, {22, 46, 0.0825},
                 {22, 47, 0.0744},  {22, 48, 0.7372},  {22, 49, 0.0541},  {22, 50, 0.0518},
                 {24, 50, 0.04345}, {24, 52, 0.83789}, {24, 53, 0.09501}, {24, 54, 0.02365},
                 {26, 54, 0.05845}, {26, 56, 0.91754}, {26, 57, 0.02119}, {26, 58, 0.00282},
                 {28, 58, 0.68077}, {28, 60, 0.26223}, {28, 61, 0.01140}, {28, 62, 0.03635},
                 {28, 64, 0.00926}, {29, 63, 0.6915},  {29, 65, 0.3085},  {40, 90, 0.5145},
                 {40, 91, 0.1122},  {40, 92, 0.1715},  {40, 94, 0.1738},  {40, 96, 0.0280},
                 {56, 134, 0.0242}, {56, 135, 0.0659}, {56, 136, 0.0785}, {56, 137, 0.1123},
                 {56, 138, 0.7170}, {63, 151, 0.4781}, {63, 153, 0.5219}};
    if (mass == 0)
        return 1;
    if (z == 6)
        return mass == 12 ? c12_c13 / (1 + c12_c13) : mass == 13 ? 1 / (1 + c12_c13) : 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].z == z && table[i].mass == mass)
            return table[i].fraction;
    return 1; /* not in the table: elements of one stable isotope, and lists' own conventions */
}

static double mass_of(const anpe_lte_species *s)
{
    double mass = 0;
    for (int i = 0; i < 5 && s->z[i]; i++)
        mass += s->mass[i] ? s->mass[i] : anpe_lte_elements[s->z[i] - 1].mass;
    return mass * ANPE_LTE_AMU;
}

/* Number per gram over the partition function. */
static double population(const anpe_lte_species *s, const anpe_lte_state *layer)
{
    if (s->molecule >= 0)
        return layer->molecule[s->molecule] / anpe_lte_molecule_partition(s->molecule, layer->t) /
               layer->rho;
    return layer->atom[s->z[0] - 1][s->charge] / anpe_lte_partition(s->z[0], s->charge, layer->t) /
           layer->rho;
}

static void set_species(const anpe_lte_lines *l, const anpe_lte_state *state, const double *vmicro,
                        double c12_c13, anpe_lte_line_work *w)
{
    for (int i = 0; i < l->n_species; i++) {
        const anpe_lte_species *s = &l->species[i];
        double fraction = 1;
        for (int k = 0; k < 5 && s->z[k]; k++)
            fraction *= anpe_lte_isotope(s->z[k], s->mass[k], c12_c13);
        for (int j = 0; j < w->n; j++) {
            const double speed = sqrt(2 * ANPE_LTE_BOLTZMANN * state[j].t / mass_of(s) +
                                      1e10 * vmicro[j] * vmicro[j]);
            const double number = s->molecule == -2 ? 0 : fraction * population(s, &state[j]);
            w->inverse_doppler[i * w->n + j] = (float)(ANPE_LTE_LIGHT / speed);
            /* log: numbers of rare ions in cool layers are too small for a float */
            w->amount[i * w->n + j] =
                (float)log(fmax(number * PI_E2_MC / (SQRT_PI * speed), 1e-300));
        }
    }
}

void anpe_lte_line_work_set(const anpe_lte_lines *l, int n, const anpe_lte_state *state,
                            const double *vmicro, double c12_c13, anpe_lte_line_work *w)
{
    w->n = n;
    for (int j = 0; j < n; j++) {
        const anpe_lte_state *s = &state[j];
        const double t4 = s->t / 1e4;
        w->beta[j] = (float)(-1 / (ANPE_LTE_KEV * s->t));
        w->stark[j] = (float)(s->ne * pow(t4, 1.0 / 6));
        w->log_t4[j] = (float)log(t4);
        w->perturbers[j] = (float)(s->atom[0][0] + 0.41336 * s->atom[1][0] + 0.85 * s->molecule[0]);
        w->usual[j] = w->perturbers[j] * (float)pow(t4, 0.3);
        w->radiation[j] = (float)(-HC_K / s->t);
    }
    set_species(l, state, vmicro, c12_c13, w);
}

/* exp for -87 < x < 88, relative error 1e-7; 0 below. Written out so that loops over layers become
 * vectors. */
static inline float fast_exp(float x)
{
#ifdef ANPE_LTE_DOUBLE /* float is double: tests/long/lte.py compares the two */
    return exp(x);
#else
    const float clipped = x < -87 ? -87 : x;
    const float scaled = clipped * 1.44269504F;
    const int32_t n = (int32_t)(scaled + (scaled < 0 ? -0.5F : 0.5F));
    const float r = clipped - (float)n * 0.693145752F - (float)n * 1.42860677e-6F;
    const float p =
        1 + r * (1 + r * (0.5F + r * (0.166666657F +
                                      r * (0.0416666F + r * (0.00833352F + r * 0.00138899F)))));
    const int32_t bits = (n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return x < -87 ? 0 : p * power;
#endif
}

/* Central strength and damping of a line in every layer; returns the largest ratio to the cut. */
CLONES
static float line_layers(const anpe_lte_line_work *w, const float *amount,
                         const float *inverse_doppler, float excitation, float log_strength,
                         float inverse_wavelength, const float *limit, const float gamma[3],
                         float power, float *restrict strength, float *restrict damping)
{
    float most = 0;
    const float cm = 1e-8F / inverse_wavelength / (4 * 3.14159265F * 2.99792458e10F);
    for (int j = 0; j < w->n; j++) {
        const float emission = 1 - fast_exp(w->radiation[j] * inverse_wavelength);
        strength[j] = fast_exp(amount[j] + log_strength + w->beta[j] * excitation) * emission;
        const float ratio = strength[j] * limit[j];
        most = ratio > most ? ratio : most;
    }
    if (most < 1)
        return most;
    for (int j = 0; j < w->n; j++) {
        const float waals =
            power == 0.3F ? w->usual[j] : w->perturbers[j] * fast_exp(power * w->log_t4[j]);
        damping[j] =
            (gamma[0] + gamma[1] * w->stark[j] + gamma[2] * waals) * cm * inverse_doppler[j];
    }
    return most;
}

/* Index of the node at or before point i, and how far behind it. */
static int64_t node_at(const anpe_lte_points *p, double i, double *part)
{
    const double x = fmin(fmax(i, 0), (double)(p->n - 1)) / (double)p->node_step;
    const int64_t node = x >= (double)(p->n_nodes - 1) ? p->n_nodes - 2 : (int64_t)x;
    *part = x - (double)node;
    return node;
}

/* What a line is before any layer is looked at. */
typedef struct line {
    int species;
    float excitation, log_strength, inverse_wavelength, gamma[3], power;
    double centre, part; /* in points; behind the node */
    int64_t node;
} line;

static line line_of(const anpe_lte_lines *l, int64_t i, const anpe_lte_points *p,
                    const anpe_lte_line_work *w)
{
    const double ln_wavelength = log(l->wavelength[i]), more = w->log_gf ? (double)w->log_gf[i] : 0;
    const float wider = w->log_waals ? powf(10, w->log_waals[i]) : 1;
    line x = {.species = l->of[i],
              .excitation = l->excitation[i],
              .log_strength = (float)(ln_wavelength - 8 * ANPE_LTE_LN10 +
                                      ANPE_LTE_LN10 * ((double)l->log_gf[i] + more)),
              .inverse_wavelength = (float)(1 / l->wavelength[i]),
              .gamma = {l->radiative[i], l->stark[i], l->waals[i] * wider},
              .power = l->waals_power[i],
              .centre = (ln_wavelength - p->first) / p->step};
    x.node = node_at(p, x.centre, &x.part);
    return x;
}

static int may_reach(const anpe_lte_bounds *b, const anpe_lte_points *p, const line *x)
{
    const double outside = fmax(-x->centre, x->centre - (double)(p->n - 1));
    return !b ||
           anpe_lte_bounds_reach(b, x->node, x->species, x->excitation, x->log_strength, x->gamma,
                                 x->power, 1 / (double)x->inverse_wavelength, outside * p->step);
}

/* 1 / (cut * continuum) at a line. */
CLONES
static void limits(float cut, const anpe_lte_line_work *w, const line *x, float *restrict limit)
{
    const float *a = w->continuum + x->node * w->n, *b = a + w->n, part = (float)x->part;
    for (int j = 0; j < w->n; j++)
        limit[j] = 1 / (cut * (a[j] + part * (b[j] - a[j])));
}

/* Points from the centre to where the profile is cut; 0: nothing is above the cut. */
static double reach_of(float ratio, float damping, double dv)
{
    if (ratio < 1 || damping > WIDEST)
        return 0;
    return (double)fmaxf(sqrtf(logf(ratio)), sqrtf(ratio * damping * 0.56418958F)) / dv;
}

/* A line in the layers of all spectra. */
typedef struct layers {
    float strength[ANPE_LTE_ROWS][ANPE_LTE_LAYERS], damping[ANPE_LTE_ROWS][ANPE_LTE_LAYERS];
    float ratio[ANPE_LTE_ROWS][ANPE_LTE_LAYERS]; /* of strength to the cut */
} layers;

/* Returns the largest ratio. */
static float look_at_layers(const line *x, double cut, int rows, const anpe_lte_line_work *const *w,
                            layers *out)
{
    float most = 0;
    for (int r = 0; r < rows; r++) {
        const int at = x->species * w[r]->n;
        float *ratio = out->ratio[r];
        limits((float)cut, w[r], x, ratio);
        const float largest = line_layers(
            w[r], w[r]->amount + at, w[r]->inverse_doppler + at, x->excitation, x->log_strength,
            x->inverse_wavelength, ratio, x->gamma, x->power, out->strength[r], out->damping[r]);
        for (int j = 0; j < w[r]->n; j++)
            ratio[j] *= largest < 1 ? 0 : out->strength[r][j];
        most = fmaxf(most, largest);
    }
    return most;
}

static void add_layer(const anpe_lte_voigt *voigt, const anpe_lte_points *p, const line *x, int j,
                      int rows, const anpe_lte_line_work *const *w, const layers *l)
{
    anpe_lte_profile profile[ANPE_LTE_ROWS];
    const double dv = p->step * (double)w[0]->inverse_doppler[x->species * w[0]->n + j];
    int used = 0;
    float least = HUGE_VALF, most = 0;
    for (int r = 0; r < rows; r++) {
        const double reach = reach_of(l->ratio[r][j], l->damping[r][j], dv);
        if (!(reach > 0))
            continue;
        least = fminf(least, l->damping[r][j]);
        most = fmaxf(most, l->damping[r][j]);
        profile[used++] = (anpe_lte_profile){l->strength[r][j], l->damping[r][j], reach,
                                             w[r]->opacity + j * w[r]->stride};
    }
    if (used > 1 && most - least < ALIKE * (1 + least))
        anpe_lte_voigt_share(voigt, used, profile, x->centre, dv, p->n);
    else
        for (const anpe_lte_profile *o = profile; o < profile + used; o++)
            anpe_lte_voigt_add(voigt, o->strength, o->a, x->centre, dv, o->reach, p->n, o->out);
}

int64_t anpe_lte_line_opacity(const anpe_lte_lines *l, const anpe_lte_voigt *voigt,
                              const anpe_lte_points *p, double cut, const anpe_lte_bounds *bounds,
                              int rows, const anpe_lte_line_work *const *w)
{
    int64_t used = 0;
    layers layer;
    for (int64_t i = 0; i < l->n; i++) {
        const line x = line_of(l, i, p, w[0]);
        if (!may_reach(bounds, p, &x) || look_at_layers(&x, cut, rows, w, &layer) < 1)
            continue;
        used++;
        for (int j = 0; j < w[0]->n; j++)
            add_layer(voigt, p, &x, j, rows, w, &layer);
    }
    return used;
}
