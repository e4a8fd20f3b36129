/* Model atmospheres where none are given: a network of one layer of tanh, whose outputs are
 * principal components of ln T, ln P, ln RHOX and ln ne at fixed log tau_Ross. It was fitted to
 * ATLAS9's models with new opacities (Castelli & Kurucz 2003) by fit/structure.py. */
#include "lte.h"
#include <math.h>

const double anpe_lte_structure_range[3][2] = {{3500, 9750}, {0, 5}, {-2.5, 0.5}};

double anpe_lte_structure_lowest_logg(double teff)
{
    const double at = fmin(fmax((teff - 3500) / 250, 0), ANPE_LTE_STRUCTURE_TEFFS - 1);
    return fmax((double)anpe_lte_structure_lowest[(int)floor(at)],
                (double)anpe_lte_structure_lowest[(int)ceil(at)]);
}

/* out (n) = constants + in (m) @ weights, weights (m + 1, n) */
static void layer(int m, int n, const float *weights, const double *in, double *out)
{
    for (int j = 0; j < n; j++)
        out[j] = (double)weights[m * n + j];
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
            out[j] += in[i] * (double)weights[i * n + j];
}

void anpe_lte_structure_at(double teff, double logg, double m_h, double *sum)
{
    enum { UNITS = ANPE_LTE_STRUCTURE_UNITS, PARTS = ANPE_LTE_STRUCTURE_PARTS };
    const double(*r)[2] = anpe_lte_structure_range;
    double in[3] = {log(teff / r[0][0]) / log(r[0][1] / r[0][0]),
                    (logg - r[1][0]) / (r[1][1] - r[1][0]), (m_h - r[2][0]) / (r[2][1] - r[2][0])};
    double units[UNITS], parts[PARTS];
    for (int i = 0; i < 3; i++)
        in[i] = 2 * in[i] - 1;
    layer(3, UNITS, anpe_lte_structure_first[0], in, units);
    for (int i = 0; i < UNITS; i++)
        units[i] = tanh(units[i]);
    layer(UNITS, PARTS, anpe_lte_structure_last[0], units, parts);
    layer(PARTS, 4 * ANPE_LTE_STRUCTURE_LAYERS, anpe_lte_structure_depth[0], parts, sum);
}
