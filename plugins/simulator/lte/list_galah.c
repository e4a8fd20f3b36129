/* Line lists in HDF5 as GALAH's of its third release: arrays of equal length, wl (vacuum Angstrom),
 * E_lo (eV), log_gf, gamma_rad and gamma_stark (log10 of s-1, and per electron/cm3; 0: none), vdW
 * (log10 of the width per H atom at 10^4 K, or ABO's sigma.alpha; 0: none), ionization (1:
 * neutral), and formula (n, 3), atomic numbers with 0 after the last. Their log gf hold the
 * fractions of isotopes. */
#include "lte.h"
#include <math.h>
#include <stdlib.h>

enum { WAVELENGTH, EXCITATION, LOG_GF, RADIATIVE, STARK, WAALS, STAGE, FORMULA, ARRAYS };
static const char *const names[ARRAYS] = {"wl",          "E_lo", "log_gf",     "gamma_rad",
                                          "gamma_stark", "vdW",  "ionization", "formula"};

static anpe_status read_arrays(anpe_ctx *ctx, const char *path, double *v[ARRAYS], int64_t *n)
{
    for (int i = 0; i < ARRAYS; i++) {
        const int rank = i == FORMULA ? 2 : 1;
        int64_t shape[4];
        int found;
        const anpe_status status = anpe_array_read(ctx, path, names[i], &v[i], &found, shape);
        if (status)
            return status;
        *n = i == 0 ? shape[0] : *n;
        if (found != rank || shape[0] != *n || (rank == 2 && shape[1] != 3))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset %s is not of the shape of a line list",
                             path, names[i]);
    }
    return ANPE_OK;
}

/* Index of the species of atoms in any order; -1 and a message where it is none. */
static int species_of(anpe_ctx *ctx, const char *path, int64_t i, const double *formula,
                      double stage, anpe_lte_lines *l)
{
    const int mass[5] = {0};
    int z[5] = {0}, n = 0;
    for (int k = 0; k < 3 && formula[k] > 0; k++) {
        int at = n++;
        const int atom = formula[k] <= ANPE_LTE_ELEMENTS ? (int)formula[k] : 0;
        for (; at > 0 && z[at - 1] > atom; at--)
            z[at] = z[at - 1];
        z[at] = atom;
    }
    if (n == 0 || z[0] == 0 || !(stage >= 1 && stage <= 9)) {
        (void)ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: line %lld: atomic numbers and a stage expected",
                        path, (long long)i);
        return -1;
    }
    return anpe_lte_species_add(ctx, l, z, mass, (int)stage - 1);
}

anpe_status anpe_lte_read_galah(anpe_ctx *ctx, const char *path, const anpe_lte_list_options *o,
                                anpe_lte_lines *l)
{
    double *v[ARRAYS] = {NULL};
    int64_t n = 0;
    anpe_status status = read_arrays(ctx, path, v, &n);
    for (int64_t i = 0; i < n && !status; i++) {
        const anpe_lte_line line = {.wavelength = v[WAVELENGTH][i],
                                    .excitation = v[EXCITATION][i],
                                    .log_gf = v[LOG_GF][i],
                                    .radiative =
                                        v[RADIATIVE][i] != 0 ? pow(10, v[RADIATIVE][i]) : 0,
                                    .stark = v[STARK][i] != 0 ? pow(10, v[STARK][i]) : 0,
                                    .waals = v[WAALS][i]};
        if (!(line.wavelength > 0) || !isfinite(line.excitation) || !isfinite(line.log_gf))
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: line %lld: wavelength %g, log gf %g", path,
                               (long long)i, line.wavelength, line.log_gf);
        else
            status = anpe_lte_line_add(
                ctx, o, species_of(ctx, path, i, v[FORMULA] + 3 * i, v[STAGE][i], l), &line, l);
    }
    for (int i = 0; i < ARRAYS; i++)
        free(v[i]);
    return status;
}
