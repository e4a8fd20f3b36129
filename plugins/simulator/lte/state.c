/* Chemical equilibrium of a layer.
 *
 * Unknowns: y = ln of the densities of free neutral atoms of the elements that form molecules, of
 * electrons, and of hydrogen nuclei. Every species is a product of powers of them, so each sum
 * below is a sum of exponentials of linear functions of y, its logarithm is convex, and Newton's
 * method on the logarithms is tame: ln sum_s a_ks n_s        = ln abundance_k + ln n(H nuclei) for
 * each element k ln (positive charges)    = ln (electrons + negative ions) ln (particles) = ln (P /
 * kT) Elements that form no molecule enter in closed form. */
#include "lte.h"
#include <math.h>
#include <string.h>

enum { MAX_ACTIVE = 40, MAX_UNKNOWNS = MAX_ACTIVE + 2, MAX_ITERATIONS = 80 };
#define HMINUS_AFFINITY 0.754204 /* eV: Lykke et al. 1991 */
#define TOLERANCE       1e-11
#define LONGEST_STEP    4.0

static double clamp_log(double t)
{
    return log(fmin(fmax(t, 1000), 10000) / 4000);
}

static double polynomial(const double *c, int n, double x)
{
    double y = c[n - 1];
    for (int i = n - 2; i >= 0; i--)
        y = y * x + c[i];
    return y;
}

double anpe_lte_partition(int z, int stage, double t)
{
    return exp(polynomial(anpe_lte_partition_fit[z - 1][stage], 7, clamp_log(t)));
}

double anpe_lte_molecule_partition(int molecule, double t)
{
    return exp(polynomial(anpe_lte_molecules[molecule].q, 6, clamp_log(t)));
}

/* (2 pi m_e k T / h^2)^(3/2) */
static double electron_states(double t)
{
    const double x = 2 * ANPE_LTE_PI * ANPE_LTE_ME * ANPE_LTE_BOLTZMANN * t /
                     (ANPE_LTE_PLANCK * ANPE_LTE_PLANCK);
    return x * sqrt(x);
}

double anpe_lte_saha(int z, int stage, double t)
{
    const double energy = anpe_lte_elements[z - 1].ionisation[stage];
    return 2 * electron_states(t) * anpe_lte_partition(z, stage + 1, t) /
           anpe_lte_partition(z, stage, t) * exp(-energy / (ANPE_LTE_KEV * t));
}

/* n(anion) / (n(atom) ne) for the atoms of which molecular anions are made. */
static double log_anion(int z, double t)
{
    double affinity = HMINUS_AFFINITY,
           weight = 1; /* Rienstra-Kiracofe et al. 2002, Chem. Rev. 102, 231 */
    if (z == 6)
        affinity = 1.2621, weight = 4;
    else if (z == 8)
        affinity = 1.4611, weight = 6;
    else if (z == 16)
        affinity = 2.0771, weight = 6;
    return log(weight / (2 * anpe_lte_partition(z, 0, t) * electron_states(t))) +
           affinity / (ANPE_LTE_KEV * t);
}

/* ---- what does not depend on the layer --------------------------------------------------- */

typedef struct species {
    int n, at[5], count[5]; /* unknowns that it is made of */
    int charge;
    int molecule; /* of the table; -1: atom or H- */
} species;

typedef struct chemistry {
    int n_active, active[MAX_ACTIVE]; /* z */
    int index[ANPE_LTE_ELEMENTS + 1]; /* z -> unknown, -1 */
    int n_species;
    species s[ANPE_LTE_MOLECULES + 1];           /* molecules, then H- */
    double log_abundance[ANPE_LTE_ELEMENTS + 1]; /* ln of number per H nucleus */
} chemistry;

static void chemistry_of(const double *abundance, chemistry *c)
{
    memset(c, 0, sizeof *c);
    for (int z = 1; z <= ANPE_LTE_ELEMENTS; z++) {
        c->index[z] = -1;
        c->log_abundance[z] = (abundance[z - 1] - abundance[0]) * ANPE_LTE_LN10;
    }
    c->index[1] = 0;
    c->active[c->n_active++] = 1;
    for (int m = 0; m <= anpe_lte_n_molecules; m++) {
        static const int hydrogen[5] = {1};
        const int last = m == anpe_lte_n_molecules, *z = last ? hydrogen : anpe_lte_molecules[m].z;
        species *s = &c->s[c->n_species++];
        s->molecule = last ? -1 : m;
        s->charge = last ? -1 : anpe_lte_molecules[m].charge;
        for (int i = 0; i < 5 && z[i]; i++) {
            if (c->index[z[i]] < 0) {
                c->index[z[i]] = c->n_active;
                c->active[c->n_active++] = z[i];
            }
            int k = 0;
            while (k < s->n && s->at[k] != c->index[z[i]])
                k++;
            s->at[k] = c->index[z[i]];
            s->count[k]++;
            s->n += k == s->n;
        }
    }
}

/* ---- one layer --------------------------------------------------------------------------- */

typedef struct layer {
    double t, log_n;                         /* ln of P / kT */
    double saha[ANPE_LTE_ELEMENTS + 1][2];   /* ln */
    double constant[ANPE_LTE_MOLECULES + 1]; /* ln n(species) at y = 0 */
} layer;

static void layer_of(const chemistry *c, double t, double p, layer *l)
{
    const double log_kt = log(ANPE_LTE_BOLTZMANN * t);
    l->t = t;
    l->log_n = log(p) - log_kt;
    for (int z = 1; z <= ANPE_LTE_ELEMENTS; z++)
        for (int i = 0; i < 2; i++) {
            const double energy = anpe_lte_elements[z - 1].ionisation[i];
            l->saha[z][i] = log(2 * electron_states(t)) - energy / (ANPE_LTE_KEV * t) +
                            polynomial(anpe_lte_partition_fit[z - 1][i + 1], 7, clamp_log(t)) -
                            polynomial(anpe_lte_partition_fit[z - 1][i], 7, clamp_log(t));
        }
    for (int i = 0; i < c->n_species; i++) {
        const species *s = &c->s[i];
        if (s->molecule < 0) {
            l->constant[i] = log_anion(1, t);
            continue;
        }
        const anpe_lte_molecule *m = &anpe_lte_molecules[s->molecule];
        int atoms = 0;
        while (atoms < 5 && m->z[atoms])
            atoms++;
        l->constant[i] = (atoms - 1) * log_kt + m->dissociation / (ANPE_LTE_KEV * t) -
                         polynomial(m->k, 6, clamp_log(t));
        if (m->ionised)
            l->constant[i] += m->charge > 0 ? l->saha[m->ionised][0] : log_anion(m->ionised, t);
    }
}

/* Sums of the equations, and their derivatives in y. */
typedef struct sums {
    int n;
    double nuclei[MAX_ACTIVE], positive, negative, particles;
    double d_nuclei[MAX_ACTIVE][MAX_UNKNOWNS];
    double d_positive[MAX_UNKNOWNS], d_negative[MAX_UNKNOWNS], d_particles[MAX_UNKNOWNS];
} sums;

/* n of a species with `count` of the unknowns `at` and of `charge`. */
static void add(sums *f, int electron, double n, int parts, const int *at, const int *count,
                int charge)
{
    const double q = charge < 0 ? -charge : charge;
    double *charged = charge > 0 ? &f->positive : &f->negative,
           *slope = charge > 0 ? f->d_positive : f->d_negative;
    f->particles += n;
    *charged += q * n;
    for (int i = 0; i < parts; i++) {
        f->nuclei[at[i]] += count[i] * n;
        f->d_particles[at[i]] += count[i] * n;
        slope[at[i]] += q * count[i] * n;
        f->d_nuclei[at[i]][electron] -= charge * count[i] * n;
        for (int j = 0; j < parts; j++)
            f->d_nuclei[at[i]][at[j]] += count[i] * count[j] * n;
    }
    f->d_particles[electron] -= charge * n;
    slope[electron] -= q * charge * n;
}

/* Mean and variance of the charge of an element that is only atoms. */
static void ions(const layer *l, int z, double log_ne, double *share, double *mean,
                 double *variance)
{
    const double r1 = exp(l->saha[z][0] - log_ne), r2 = r1 * exp(l->saha[z][1] - log_ne),
                 sum = 1 + r1 + r2;
    share[0] = 1 / sum;
    share[1] = r1 / sum;
    share[2] = r2 / sum;
    *mean = share[1] + 2 * share[2];
    *variance = share[1] + 4 * share[2] - *mean * *mean;
}

static void evaluate(const chemistry *c, const layer *l, const double *y, double shift, sums *f)
{
    const int electron = c->n_active, hydrogen = electron + 1;
    memset(f, 0, sizeof *f);
    f->n = c->n_active + 2;
    for (int k = 0; k < c->n_active; k++) {
        const int z = c->active[k], one = 1;
        for (int stage = 0; stage < 3; stage++) {
            double log_n = y[k];
            for (int i = 0; i < stage; i++)
                log_n += l->saha[z][i] - y[electron];
            add(f, electron, exp(log_n), 1, &k, &one, stage);
        }
    }
    for (int i = 0; i < c->n_species; i++) {
        const species *s = &c->s[i];
        double log_n = l->constant[i] - s->charge * y[electron] - (s->molecule < 0 ? 0 : shift);
        for (int k = 0; k < s->n; k++)
            log_n += s->count[k] * y[s->at[k]];
        add(f, electron, exp(fmin(log_n, 600)), s->n, s->at, s->count, s->charge);
    }
    for (int z = 1; z <= ANPE_LTE_ELEMENTS; z++) {
        if (c->index[z] >= 0)
            continue;
        double share[3], mean, variance;
        const double n = exp(c->log_abundance[z] + y[hydrogen]);
        ions(l, z, y[electron], share, &mean, &variance);
        f->particles += n;
        f->d_particles[hydrogen] += n;
        f->positive += n * mean;
        f->d_positive[hydrogen] += n * mean;
        f->d_positive[electron] -= n * variance;
    }
    const double ne = exp(y[electron]);
    f->particles += ne;
    f->d_particles[electron] += ne;
    f->negative += ne;
    f->d_negative[electron] += ne;
}

/* Residuals and Jacobian of the logarithms; returns the largest residual. */
static double equations(const chemistry *c, const layer *l, const double *y, const sums *f,
                        double *r, double (*jacobian)[MAX_UNKNOWNS])
{
    const int k_max = c->n_active, electron = k_max, hydrogen = k_max + 1;
    double worst = 0;
    for (int k = 0; k < k_max; k++) {
        r[k] = log(f->nuclei[k]) - c->log_abundance[c->active[k]] - y[hydrogen];
        for (int j = 0; j < f->n; j++)
            jacobian[k][j] = f->d_nuclei[k][j] / f->nuclei[k] - (j == hydrogen);
    }
    r[electron] = log(f->positive) - log(f->negative);
    r[hydrogen] = log(f->particles) - l->log_n;
    for (int j = 0; j < f->n; j++) {
        jacobian[electron][j] = f->d_positive[j] / f->positive - f->d_negative[j] / f->negative;
        jacobian[hydrogen][j] = f->d_particles[j] / f->particles;
    }
    for (int k = 0; k < f->n; k++)
        worst = fmax(worst, isfinite(r[k]) ? fabs(r[k]) : HUGE_VAL);
    return worst;
}

/* Solves a x = r in place by Gauss with row pivots; 0 if singular. */
static int eliminate(int n, double (*a)[MAX_UNKNOWNS], double *r)
{
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(a[i][k]) > fabs(a[best][k]))
                best = i;
        if (!(fabs(a[best][k]) > 1e-250) || !isfinite(a[best][k]))
            return 0;
        for (int j = 0; j < n && best != k; j++) {
            const double swap = a[k][j];
            a[k][j] = a[best][j];
            a[best][j] = swap;
        }
        const double swap = r[k];
        r[k] = r[best];
        r[best] = swap;
        for (int i = k + 1; i < n; i++) {
            const double factor = a[i][k] / a[k][k];
            if (factor == 0)
                continue;
            for (int j = k + 1; j < n; j++)
                a[i][j] -= factor * a[k][j];
            r[i] -= factor * r[k];
        }
    }
    for (int k = n - 1; k >= 0; k--) {
        for (int j = k + 1; j < n; j++)
            r[k] -= a[k][j] * r[j];
        r[k] /= a[k][k];
    }
    return 1;
}

static int newton(const chemistry *c, const layer *l, double shift, double *y)
{
    for (int i = 0; i < MAX_ITERATIONS; i++) {
        sums f;
        double r[MAX_UNKNOWNS], jacobian[MAX_UNKNOWNS][MAX_UNKNOWNS], longest = 0;
        evaluate(c, l, y, shift, &f);
        if (equations(c, l, y, &f, r, jacobian) < TOLERANCE)
            return 1;
        if (!eliminate(f.n, jacobian, r))
            return 0;
        for (int k = 0; k < f.n; k++)
            longest = fmax(longest, fabs(r[k]));
        if (!isfinite(longest))
            return 0;
        const double factor = longest > LONGEST_STEP ? LONGEST_STEP / longest : 1;
        for (int k = 0; k < f.n; k++)
            y[k] -= factor * r[k];
    }
    return 0;
}

/* Atoms only, and few electrons. */
static void start(const chemistry *c, const layer *l, double *y)
{
    double sum = 0;
    for (int z = 1; z <= ANPE_LTE_ELEMENTS; z++)
        sum += exp(c->log_abundance[z]);
    const double log_nh = l->log_n - log(sum);
    y[c->n_active] = l->log_n + log(1e-10);
    y[c->n_active + 1] = log_nh;
    for (int k = 0; k < c->n_active; k++) {
        const int z = c->active[k];
        y[k] = log_nh + c->log_abundance[z] - log1p(exp(l->saha[z][0] - y[c->n_active]));
    }
}

/* From the neighbour's solution; else from atoms with the molecules switched on in steps. */
static int solve(const chemistry *c, const layer *l, const double *guess, double *y)
{
    const size_t size = (size_t)(c->n_active + 2) * sizeof *y;
    if (guess) {
        memcpy(y, guess, size);
        if (newton(c, l, 0, y))
            return 1;
    }
    start(c, l, y);
    for (double shift = 60; shift > 0.5; shift *= 0.7)
        if (!newton(c, l, shift, y))
            return 0;
    return newton(c, l, 0, y);
}

static void store(const chemistry *c, const layer *l, double p, const double *y, anpe_lte_state *s)
{
    const int electron = c->n_active;
    memset(s, 0, sizeof *s);
    s->t = l->t;
    s->p = p;
    s->ne = exp(y[electron]);
    s->nh = exp(y[electron + 1]);
    s->n = exp(l->log_n);
    for (int z = 1; z <= ANPE_LTE_ELEMENTS; z++) {
        double share[3], mean, variance, n = s->nh * exp(c->log_abundance[z]);
        s->rho += n * anpe_lte_elements[z - 1].mass * ANPE_LTE_AMU;
        ions(l, z, y[electron], share, &mean, &variance);
        if (c->index[z] >= 0)
            n = exp(y[c->index[z]]) / share[0];
        for (int i = 0; i < 3; i++)
            s->atom[z - 1][i] = n * share[i];
    }
    for (int i = 0; i < c->n_species; i++) {
        double log_n = l->constant[i] - c->s[i].charge * y[electron];
        for (int k = 0; k < c->s[i].n; k++)
            log_n += c->s[i].count[k] * y[c->s[i].at[k]];
        *(c->s[i].molecule < 0 ? &s->hminus : &s->molecule[c->s[i].molecule]) = exp(log_n);
    }
}

anpe_status anpe_lte_state_solve(anpe_ctx *ctx, int n, const double *t, const double *p,
                                 const double abundance[ANPE_LTE_ELEMENTS], anpe_lte_state *state)
{
    chemistry c;
    chemistry_of(abundance, &c);
    double guess[MAX_UNKNOWNS], y[MAX_UNKNOWNS];
    int have = 0;
    for (int i = n - 1; i >= 0; i--) { /* from the hot layers outwards */
        layer l;
        layer_of(&c, t[i], p[i], &l);
        if (!solve(&c, &l, have ? guess : NULL, y))
            return ANPE_FAIL(
                ctx, ANPE_ENUMERIC,
                "lte: the chemical equilibrium of layer %d (%g K, %g dyn/cm2) does not converge",
                i + 1, t[i], p[i]);
        store(&c, &l, p[i], y, &state[i]);
        memcpy(guess, y, sizeof guess);
        have = 1;
    }
    return ANPE_OK;
}
