/* What the parts of the simulator `lte` compute, as text, for comparison with the results of
 * others: see lte.py.
 *
 *     lte_probe state < MODEL
 *     lte_probe conservation < MODEL
 *     lte_probe continuum WAVELENGTH... < MODEL     vacuum Angstrom
 *     lte_probe spectrum FIRST STEP COUNT CUT MU C12_C13 LIST... < MODEL
 *     lte_probe structure TEFF LOGG M_H [GRID.h5]   the network's, or a grid's between its nodes
 *     lte_probe stark < ROWS      line of the fit, ne, T, Doppler width in alpha
 *
 * spectrum: wavelengths FIRST exp(i STEP), CUT of line profiles, MU 0 for flux; a list is FILE or
 * FORMAT:FILE; air wavelengths, but of pfant vacuum;
 * hydrogen:FILE a table of Stark profiles, hydrogen: those of the fit.
 *
 * MODEL: number of layers; 92 abundances (log N, H = 12); per layer depth, opacity of the depth
 * scale (cm2/g; 1 where the depth is a column mass), temperature (K), gas pressure (dyn/cm2),
 * microturbulence (km/s). */
#include "lte.h"
#include <anpe/anpe.h>
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct model {
    int n;
    double abundance[ANPE_LTE_ELEMENTS], depth[ANPE_LTE_LAYERS], reference[ANPE_LTE_LAYERS];
    double t[ANPE_LTE_LAYERS], p[ANPE_LTE_LAYERS], vmicro[ANPE_LTE_LAYERS];
    anpe_lte_state state[ANPE_LTE_LAYERS];
} model;

static anpe_ctx *ctx;

static void demand(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "lte_probe: %s: %s\n", what, anpe_error(ctx));
    exit(1);
}

static void read_model(model *m)
{
    demand(scanf("%d", &m->n) == 1 && m->n > 0 && m->n <= ANPE_LTE_LAYERS, "number of layers");
    for (int i = 0; i < ANPE_LTE_ELEMENTS; i++)
        demand(scanf("%lf", &m->abundance[i]) == 1, "abundance");
    for (int i = 0; i < m->n; i++)
        demand(scanf("%lf %lf %lf %lf %lf", &m->depth[i], &m->reference[i], &m->t[i], &m->p[i],
                     &m->vmicro[i]) == 5,
               "layer");
}

/* Per layer: ne, nH, rho, H-, then all atoms by stage, then all molecules; a first line names the
 * molecules. */
static void print_state(const model *m)
{
    for (int k = 0; k < anpe_lte_n_molecules; k++)
        printf("%s ", anpe_lte_molecules[k].name);
    printf("\n");
    for (int i = 0; i < m->n; i++) {
        const anpe_lte_state *s = &m->state[i];
        printf("%.10g %.10g %.10g %.10g", s->ne, s->nh, s->rho, s->hminus);
        for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
            printf(" %.10g %.10g %.10g", s->atom[z][0], s->atom[z][1], s->atom[z][2]);
        for (int k = 0; k < anpe_lte_n_molecules; k++)
            printf(" %.10g", s->molecule[k]);
        printf("\n");
    }
}

/* Per layer: the largest relative error of nuclei, charge and pressure, summed up again from the
 * densities. */
static void print_conservation(const model *m)
{
    for (int i = 0; i < m->n; i++) {
        const anpe_lte_state *s = &m->state[i];
        double nuclei[ANPE_LTE_ELEMENTS], charge = -s->ne - s->hminus,
                                          particles = s->ne + s->hminus, worst = 0;
        for (int z = 0; z < ANPE_LTE_ELEMENTS; z++) {
            nuclei[z] = s->atom[z][0] + s->atom[z][1] + s->atom[z][2];
            particles += nuclei[z];
            charge += s->atom[z][1] + 2 * s->atom[z][2];
        }
        nuclei[0] += s->hminus;
        for (int k = 0; k < anpe_lte_n_molecules; k++) {
            charge += anpe_lte_molecules[k].charge * s->molecule[k];
            particles += s->molecule[k];
            for (int j = 0; j < 5 && anpe_lte_molecules[k].z[j]; j++)
                nuclei[anpe_lte_molecules[k].z[j] - 1] += s->molecule[k];
        }
        for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
            worst = fmax(
                worst, fabs(nuclei[z] / (s->nh * pow(10, m->abundance[z] - m->abundance[0])) - 1));
        worst = fmax(worst, fmax(fabs(charge) / s->ne,
                                 fabs(particles * ANPE_LTE_BOLTZMANN * s->t / s->p - 1)));
        printf("%.3g\n", worst);
    }
}

/* Per layer and wavelength, one row: absorption, scattering, then every source (cm2/g). */
static void print_continuum(const model *m, int n, char **wavelengths)
{
    for (int i = 0; i < m->n; i++)
        for (int k = 0; k < n; k++) {
            double absorption, scattering, source[ANPE_LTE_N_SOURCES];
            anpe_lte_continuum(&m->state[i], atof(wavelengths[k]), &absorption, &scattering);
            anpe_lte_continuum_sources(&m->state[i], atof(wavelengths[k]), source);
            printf("%.8g %.8g", absorption, scattering);
            for (int j = 0; j < ANPE_LTE_N_SOURCES; j++)
                printf(" %.8g", source[j]);
            printf("\n");
        }
}

static anpe_lte_hydrogen hydrogen;

static void read_lists(int n, char **names, double low, double high, anpe_lte_lines *lines)
{
    static const char *const formats[] = {
        "auto:",  "vald:",       "turbospectrum:", "moog:", "kurucz:", "kurucz_molecules:",
        "pfant:", "calibrated:", "galah:"};
    for (int i = 0; i < n; i++) {
        anpe_lte_list_options o = {.low = low * 0.99, .high = high * 1.01, .unsoeld = 2.5};
        const char *path = names[i];
        if (strncmp(path, "hydrogen:", 9) == 0) {
            demand((path[9] ? anpe_lte_hydrogen_read(ctx, path + 9, &hydrogen)
                            : anpe_lte_hydrogen_own(ctx, &hydrogen)) == ANPE_OK,
                   "hydrogen");
            continue;
        }
        for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++)
            if (strncmp(path, formats[f], strlen(formats[f])) == 0) {
                o.format = (anpe_lte_format)f;
                o.vacuum = o.format == ANPE_LTE_PFANT;
                path += strlen(formats[f]);
                break;
            }
        demand(anpe_lte_list_read(ctx, path, &o, lines) == ANPE_OK, "line list");
    }
    demand(anpe_lte_lines_sort(ctx, lines) == ANPE_OK, "sort");
}

/* Per point: wavelength, flux over continuum, continuum flux. */
static void print_spectrum(const model *m, int n, char **args)
{
    demand(n >= 6, "spectrum FIRST STEP COUNT CUT MU C12_C13 LIST...");
    const double first = atof(args[0]), step = atof(args[1]);
    const int64_t count = atoll(args[2]);
    anpe_lte_lines lines = {0};
    anpe_lte_voigt voigt;
    anpe_lte_voigt_init(&voigt);
    read_lists(n - 6, args + 6, first, first * exp(step * (double)count), &lines);
    anpe_lte_problem p = {.n = m->n,
                          .state = m->state,
                          .depth = m->depth,
                          .reference = m->reference,
                          .vmicro = m->vmicro,
                          .cut = atof(args[3]),
                          .mu = atof(args[4]),
                          .c12_c13 = atof(args[5]),
                          .lines = &lines,
                          .voigt = &voigt,
                          .hydrogen = hydrogen.n ? &hydrogen : NULL};
    anpe_lte_points_set(&p.points, log(first), step, count);
    void *scratch = aligned_alloc(64, (anpe_lte_synthesis_scratch(1, &p) + 63) / 64 * 64);
    float *flux = malloc(2 * (size_t)count * sizeof *flux);
    demand(scratch && flux, "memory");
    const clock_t start = clock();
    anpe_lte_synthesise(1, &p, scratch, flux, flux + count);
    fprintf(stderr, "%lld lines, %.3f s\n", (long long)lines.n,
            (double)(clock() - start) / CLOCKS_PER_SEC);
    for (int64_t i = 0; i < count; i++)
        printf("%.6f %.7g %.7g\n", first * exp(step * (double)i), (double)flux[i],
               (double)flux[count + i]);
    free(scratch);
    free(flux);
    anpe_lte_lines_free(&lines);
    anpe_lte_hydrogen_free(&hydrogen);
}

/* Per layer: log tau_Ross, column mass, T, gas pressure, ne. */
static void print_structure(int n, char **args)
{
    anpe_lte_grid grid;
    anpe_lte_models models = {0};
    anpe_lte_atmosphere a;
    demand(n == 3 || n == 4, "structure TEFF LOGG M_H [GRID]");
    if (n == 4) {
        demand(anpe_lte_models_read(ctx, args[3], &models) == ANPE_OK, args[3]);
        demand(anpe_lte_grid_new(ctx, &models, &grid) == ANPE_OK, "grid");
    } else {
        demand(anpe_lte_grid_own(ctx, &grid) == ANPE_OK, "network");
    }
    demand(anpe_lte_grid_at(ctx, &grid, atof(args[0]), atof(args[1]), atof(args[2]), &a) == ANPE_OK,
           "structure");
    for (int l = 0; l < a.n; l++)
        printf("%.6f %.9g %.7g %.9g %.9g\n", a.tau[l], a.rhox[l], a.t[l], a.p[l], a.ne[l]);
    anpe_lte_models_free(&models);
    anpe_lte_grid_free(&grid);
}

/* Per row: log10 of the first alpha, then ln S at every step of the fit. */
static void print_stark(void)
{
    static anpe_lte_doppler doppler;
    int line;
    double ne, t, width, ln_s[ANPE_LTE_STARK_ALPHAS];
    anpe_lte_doppler_init(&doppler);
    while (scanf("%d %lf %lf %lf", &line, &ne, &t, &width) == 4) {
        demand(line >= 0 && line < ANPE_LTE_STARK_LINES, "line of the fit");
        printf("%.10g", anpe_lte_stark_column(&doppler, line, ne, t, width, ln_s));
        for (int i = 0; i < ANPE_LTE_STARK_ALPHAS; i++)
            printf(" %.7g", ln_s[i]);
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    static model m;
    ctx = anpe_ctx_new();
    demand(argc > 1, "what");
    if (strcmp(argv[1], "structure") == 0) {
        print_structure(argc - 2, argv + 2);
        return 0;
    }
    if (strcmp(argv[1], "stark") == 0) {
        print_stark();
        return 0;
    }
    read_model(&m);
    demand(anpe_lte_state_solve(ctx, m.n, m.t, m.p, m.abundance, m.state) == ANPE_OK, "state");
    if (strcmp(argv[1], "state") == 0)
        print_state(&m);
    else if (strcmp(argv[1], "conservation") == 0)
        print_conservation(&m);
    else if (strcmp(argv[1], "continuum") == 0)
        print_continuum(&m, argc - 2, argv + 2);
    else if (strcmp(argv[1], "spectrum") == 0)
        print_spectrum(&m, argc - 2, argv + 2);
    anpe_ctx_free(ctx);
    return 0;
}
