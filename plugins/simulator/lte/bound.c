/* What the lines of a species come to at most, so that those of which nothing would be left are
 * passed over before the layers are looked at.
 *
 * The logarithm of a line's strength over the absorption where it is cut is a_j + E b_j + ln(gf
 * lambda) in layer j, E the excitation. The largest of the layers is a convex function of E, and a
 * chord of it lies above it. So is that of the strength times each of the three dampings, of which
 * the reach of wings is made: reach^2 = strength / cut * gamma c / (4 pi^(3/2) nu) / (c / width)
 * in ln(wavelength). */
#include <config.h>
#include "lte.h"
#include <math.h>

enum {
    NODES = 8, /* of the continuum, in a block */
    ENERGIES = ANPE_LTE_BOUND_ENERGIES,
    KINDS = ANPE_LTE_BOUND_KINDS
};
#define STEP   0.75F /* eV */
#define MARGIN 1e-3F /* more than rounding comes to */

typedef struct layers {
    float ln[KINDS][ANPE_LTE_LAYERS];
} layers;

static int64_t blocks_of(const anpe_lte_points *p)
{
    return (p->n_nodes - 2) / NODES + 1;
}

size_t anpe_lte_bounds_floats(const anpe_lte_points *p, int n_species)
{
    return ((size_t)blocks_of(p) * ENERGIES * KINDS + 1) * (size_t)n_species;
}

/* ln of what the strength of a line is multiplied with in each layer, species apart: 1 / (cut
 * absorption), and that times the dampings. Powers of T / 10^4 K are from -0.5 to 1. */
static void layers_of_block(const anpe_lte_points *p, double cut, const anpe_lte_line_work *w,
                            int64_t block, layers *x)
{
    const int64_t first = block * NODES,
                  last = first + NODES < p->n_nodes ? first + NODES : p->n_nodes - 1;
    for (int j = 0; j < w->n; j++) {
        float least = HUGE_VALF;
        for (int64_t i = first; i <= last; i++)
            least = fminf(least, w->continuum[i * w->n + j]);
        const float t4 = w->log_t4[j];
        x->ln[0][j] = x->ln[1][j] = -(float)log(cut * (double)least);
        x->ln[2][j] = x->ln[0][j] + logf(w->stark[j]);
        x->ln[3][j] = x->ln[0][j] + logf(w->perturbers[j]) + fmaxf(-0.5F * t4, t4);
    }
}

/* The largest of all layers for one species and kind, at all energies. */
CLONES
static void most_of(int n, const float *restrict ln, const float *restrict beta,
                    float *restrict most)
{
    for (int e = 0; e < ENERGIES; e++)
        most[e] = ln[0] + STEP * (float)e * beta[0];
    for (int j = 1; j < n; j++)
        for (int e = 0; e < ENERGIES; e++) {
            const float y = ln[j] + STEP * (float)e * beta[j];
            most[e] = y > most[e] ? y : most[e];
        }
}

static void set_species(int rows, const anpe_lte_line_work *const *w, const layers *x, int species,
                        float *out)
{
    const int n = w[0]->n;
    float sum[ANPE_LTE_LAYERS], most[ENERGIES];
    for (int kind = 0; kind < KINDS; kind++) {
        for (int r = 0; r < rows; r++)
            for (int j = 0; j < n; j++) {
                const float y = w[r]->amount[species * n + j] + x[r].ln[kind][j];
                sum[j] = r && sum[j] > y ? sum[j] : y;
            }
        for (int j = 0; kind && j < n; j++)
            sum[j] -= logf(w[0]->inverse_doppler[species * n + j]);
        most_of(n, sum, w[0]->beta, most);
        for (int e = 0; e < ENERGIES; e++)
            out[e * KINDS + kind] = most[e];
    }
}

void anpe_lte_bounds_set(const anpe_lte_points *p, double cut, int rows,
                         const anpe_lte_line_work *const *w, int n_species, float *room,
                         anpe_lte_bounds *b)
{
    layers x[ANPE_LTE_ROWS];
    *b = (anpe_lte_bounds){.n_species = n_species,
                           .ln = room,
                           .doppler = room + blocks_of(p) * n_species * ENERGIES * KINDS};
    for (int s = 0; s < n_species; s++) {
        b->doppler[s] = HUGE_VALF;
        for (int j = 0; j < w[0]->n; j++)
            b->doppler[s] = fminf(b->doppler[s], w[0]->inverse_doppler[s * w[0]->n + j]);
    }
    for (int64_t block = 0; block < blocks_of(p); block++) {
        for (int r = 0; r < rows; r++)
            layers_of_block(p, cut, w[r], block, &x[r]);
        for (int s = 0; s < n_species; s++)
            set_species(rows, w, x, s, b->ln + (block * n_species + s) * ENERGIES * KINDS);
    }
}

int anpe_lte_bounds_reach(const anpe_lte_bounds *b, int64_t node, int species, float excitation,
                          float log_strength, const float gamma[3], float power, double wavelength,
                          double distance)
{
    const float at = excitation / STEP;
    if (!(at >= 0 && at < ENERGIES - 1))
        return 1;
    const int e = (int)at;
    const float part = at - (float)e,
                *low = b->ln + ((node / NODES * b->n_species + species) * ENERGIES + e) * KINDS,
                *high = low + KINDS;
    const float ratio = low[0] + part * (high[0] - low[0]) + log_strength + MARGIN;
    if (ratio < 0)
        return 0;
    if (distance <= 0)
        return 1;
    if (!(power >= -0.5F && power <= 1) ||
        (double)sqrtf(ratio) >= distance * (double)b->doppler[species])
        return 1;
    double wing = 0;
    for (int i = 0; i < 3; i++)
        wing +=
            (double)gamma[i] *
            exp((double)(low[1 + i] + part * (high[1 + i] - low[1 + i]) + log_strength + MARGIN));
    return wing * 0.56418958 * wavelength * 1e-8 / (4 * ANPE_LTE_PI * ANPE_LTE_LIGHT) >=
           distance * distance;
}
