/* Parts of the simulator `lte`: readers of model atmospheres, interpolation, chemical equilibrium.
 */
#include <config.h>

#include <hdf5.h>
#include <math.h>
#include "plugin_support.h"
#include "lte.h"

/* ---- atmospheres ------------------------------------------------------------------------- */

enum { LAYERS = 30 };

/* Optical depths -5 .. 2.25 and a structure whose logarithms are polynomials of the labels. */
static void made(double teff, double logg, double m_h, anpe_lte_atmosphere *a)
{
    *a = (anpe_lte_atmosphere){.n = LAYERS, .teff = teff, .logg = logg, .m_h = m_h, .vmicro = 1};
    const double x = teff / 1000;
    for (int l = 0; l < LAYERS; l++) {
        a->tau[l] = -5 + 0.25 * l;
        a->t[l] = exp(8 + 0.1 * x + 0.02 * x * x - 0.001 * x * x * x + 0.03 * a->tau[l]);
        a->p[l] = exp(10 + 0.5 * logg - 0.1 * m_h + 0.05 * logg * m_h + a->tau[l]);
        a->rhox[l] = a->p[l] * 1e-4;
        a->ne[l] = exp(30 + 0.2 * x + 0.1 * logg + a->tau[l]);
    }
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
        a->abundance[z] = anpe_lte_elements[z].abundance +
                          (z < 2 || anpe_lte_elements[z].abundance < 0 ? 0 : m_h);
}

static void write_deck(FILE *f, const anpe_lte_atmosphere *a)
{
    fprintf(f, "TEFF %7.0f  GRAVITY %7.4f LTE\nTITLE  a test\n", a->teff, a->logg);
    fprintf(f, " CONVECTION ON   1.25 TURBULENCE OFF  0.00  0.00  0.00  0.00\n");
    fprintf(f, "ABUNDANCE SCALE   %.5f ABUNDANCE CHANGE 1 0.92040 2 0.07834\n", pow(10, a->m_h));
    fprintf(f, " ABUNDANCE CHANGE  3 -10.94  4 -10.64 26  -4.54 43 -20.00\n");
    fprintf(f, "READ DECK6 %d RHOX,T,P,XNE,ABROSS,ACCRAD,VTURB, FLXCNV,VCONV,VELSND\n", a->n);
    for (int l = 0; l < a->n; l++) /* ABROSS: tau / RHOX of a power law */
        fprintf(f, " %.9E %.4f %.6E %.6E %.6E 1.0E-02 2.000E+05 0 0 0\n", a->rhox[l], a->t[l],
                a->p[l], a->ne[l], pow(10, a->tau[l]) / a->rhox[l]);
    fprintf(f, "PRADK 1.4879E+00\nBEGIN                    ITERATION  15 COMPLETED\n");
}

static const char *deck_file(const char *name, int n, const anpe_lte_atmosphere *a)
{
    const char *path = in_scratch(name);
    FILE *f = fopen(path, "w");
    CU_ASSERT_FATAL(f != NULL);
    for (int i = 0; i < n; i++)
        write_deck(f, &a[i]);
    fclose(f);
    return path;
}

static void test_atlas(void)
{
    anpe_lte_atmosphere a[2];
    anpe_lte_models models = {0};
    made(5000, 3, -1, &a[0]);
    made(6000, 4.5, 0, &a[1]);
    for (int l = 0; l < LAYERS; l++) /* kappa constant: tau is exact however it is integrated */
        for (int i = 0; i < 2; i++)
            a[i].rhox[l] = pow(10, a[i].tau[l]);
    WORKS(anpe_lte_models_read(ctx, deck_file("two.dat", 2, a), &models));
    CU_ASSERT_EQUAL_FATAL(models.n, 2);
    for (int i = 0; i < 2; i++) {
        const anpe_lte_atmosphere *m = &models.model[i];
        CU_ASSERT_EQUAL_FATAL(m->n, LAYERS);
        CU_ASSERT_DOUBLE_EQUAL(m->teff, a[i].teff, 0);
        CU_ASSERT_DOUBLE_EQUAL(m->logg, a[i].logg, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(m->m_h, a[i].m_h, 1e-5);
        CU_ASSERT_DOUBLE_EQUAL(m->vmicro, 2, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(m->abundance[0], 12, 0);
        CU_ASSERT_DOUBLE_EQUAL(m->abundance[1], 12 + log10(0.07834 / 0.92040), 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(m->abundance[25], 12 - 4.54 - log10(0.92040) + a[i].m_h, 1e-5);
        CU_ASSERT_DOUBLE_EQUAL(m->abundance[42], -99, 0);
        for (int l = 0; l < LAYERS; l++) {
            CU_ASSERT_DOUBLE_EQUAL(m->t[l], a[i].t[l], 1e-4);
            /* trapezoids of exp in steps of 0.58: the integral is high by 0.58^2 / 12 = 2.8 %,
             * 0.012 dex */
            CU_ASSERT_DOUBLE_EQUAL(m->tau[l], a[i].tau[l], 0.013);
        }
    }
    anpe_lte_models_free(&models);
}

static const char *mod_file(const char *name, int layers, int drop)
{
    const char *path = in_scratch(name);
    FILE *f = fopen(path, "w");
    CU_ASSERT_FATAL(f != NULL);
    fprintf(f, "sun\n  5777.      Teff [K].\n  6.3E+10 Flux [erg/cm2/s]\n  2.7542E+04 Surface "
               "gravity [cm/s2]\n"
               "  1.5        Microturbulence parameter [km/s]\n"
               "Logarithmic chemical number abundances, H always 12.00\n");
    for (int z = 1; z <= ANPE_LTE_ELEMENTS; z++)
        fprintf(f, "%7.2f%s", z == 1 ? 12.0 : z == 26 ? 6.95 : 1.0 + 0.01 * z, z % 10 ? "" : "\n");
    fprintf(f,
            "\n  %d Number of depth points\nModel structure\n"
            " k lgTauR  lgTau5    Depth     T        Pe         Pg        Prad       Pturb\n",
            layers);
    for (int i = 1; i <= layers - drop; i++)
        fprintf(f, "%3d %5.2f %7.4f -1.0E+07 %7.1f %.3E %.3E 1.0 0.0\n", i, -5 + 0.2 * i,
                -4.9 + 0.2 * i, 4000 + 10.0 * i, 0.02 * i, 267.0 * i);
    fprintf(f, " k lgTauR  KappaRoss   Density   Mu      Vconv   Fconv/F      RHOX\n");
    for (int i = 1; i <= layers; i++)
        fprintf(f, "%3d %5.2f 1E-3 1E-9 1.267 0 0 %.6E\n", i, -5 + 0.2 * i, 0.01 * i);
    fclose(f);
    return path;
}

static void test_marcs(void)
{
    anpe_lte_models models = {0};
    WORKS(anpe_lte_models_read(ctx, mod_file("sun.mod", 40, 0), &models));
    const anpe_lte_atmosphere *m = &models.model[0];
    CU_ASSERT_EQUAL_FATAL(m->n, 40);
    CU_ASSERT_DOUBLE_EQUAL(m->teff, 5777, 0);
    CU_ASSERT_DOUBLE_EQUAL(m->logg, 4.44, 1e-4);
    CU_ASSERT_DOUBLE_EQUAL(m->vmicro, 1.5, 0);
    CU_ASSERT_DOUBLE_EQUAL(m->m_h, -0.5, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(m->abundance[91], 1.92, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(m->t[39], 4400, 0);
    CU_ASSERT_DOUBLE_EQUAL(m->p[1], 534, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(m->ne[0] * ANPE_LTE_BOLTZMANN * 4010, 0.02, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(m->rhox[39], 0.4, 1e-9);
    anpe_lte_models_free(&models);
}

static void test_bad_atmospheres(void)
{
    anpe_lte_atmosphere a;
    anpe_lte_models models = {0};
    size_t n;
    made(5000, 3, -1, &a);
    FAILS(anpe_lte_models_read(ctx, in_scratch("none.mod"), &models), ANPE_EIO, "No such file");
    char *bytes = read_bytes(deck_file("a.dat", 1, &a), &n);
    write_bytes(in_scratch("cut.dat"), bytes, n / 2);
    free(bytes);
    FAILS(anpe_lte_models_read(ctx, in_scratch("cut.dat"), &models), ANPE_EFORMAT, "cut.dat:");
    write_bytes(in_scratch("head.dat"), "TEFF 5000 GRAVITY 3\n", 20);
    FAILS(anpe_lte_models_read(ctx, in_scratch("head.dat"), &models), ANPE_EFORMAT,
          "head.dat:1: the file ends without READ DECK6");
    write_bytes(in_scratch("foreign.mod"), "hello\nworld\n", 12);
    FAILS(anpe_lte_models_read(ctx, in_scratch("foreign.mod"), &models), ANPE_EFORMAT,
          "foreign.mod:2: the file ends without a line 'Teff'");
    FAILS(anpe_lte_models_read(ctx, mod_file("short.mod", 40, 3), &models), ANPE_EFORMAT,
          "layer 38 with 9 columns expected");
    a.t[7] = NAN;
    FAILS(anpe_lte_models_read(ctx, deck_file("nan.dat", 1, &a), &models), ANPE_EFORMAT, "layer 8");
    made(5000, 3, -1, &a);
    a.rhox[9] = a.rhox[8];
    FAILS(anpe_lte_models_read(ctx, deck_file("same.dat", 1, &a), &models), ANPE_EFORMAT,
          "layer 10 of the model 5000 K, log g 3: the column mass or the optical depth does not "
          "grow inwards");
    write_bytes(in_scratch("zero.mod"), "a\0b", 3);
    FAILS(anpe_lte_models_read(ctx, in_scratch("zero.mod"), &models), ANPE_EFORMAT,
          "not a text file");
    anpe_lte_models_free(&models);
}

/* A grid of made() with one hole. */
static void make_models(anpe_lte_atmosphere *a, anpe_lte_models *models)
{
    *models = (anpe_lte_models){.n = 0, .model = a};
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 2; k++)
                if (!(i == 4 && j == 0))
                    made(4000 + 500 * i, 2 + j, -0.5 + 0.5 * k, &a[models->n++]);
}

static void test_grid(void)
{
    static anpe_lte_atmosphere a[32], at, truth;
    anpe_lte_models models;
    anpe_lte_grid grid;
    make_models(a, &models);
    WORKS(anpe_lte_grid_new(ctx, &models, &grid));
    CU_ASSERT(grid.n[0] == 5 && grid.n[1] == 3 && grid.n[2] == 2 && grid.layers == LAYERS);
    /* ln T is a cubic in teff, ln P bilinear in logg and m_h: exact between four nodes */
    const double points[][3] = {
        {4700, 2.3, -0.1}, {5000, 3, 0}, {5250, 4, -0.5}, {5499.5, 3.75, -0.45}};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        const double *x = points[i];
        WORKS(anpe_lte_grid_at(ctx, &grid, x[0], x[1], x[2], &at));
        made(x[0], x[1], x[2], &truth);
        for (int l = 0; l < LAYERS; l++) {
            CU_ASSERT_DOUBLE_EQUAL(at.t[l] / truth.t[l], 1, 1e-10);
            CU_ASSERT_DOUBLE_EQUAL(at.p[l] / truth.p[l], 1, 1e-10);
            CU_ASSERT_DOUBLE_EQUAL(at.rhox[l] / truth.rhox[l], 1, 1e-10);
            CU_ASSERT_DOUBLE_EQUAL(at.ne[l] / truth.ne[l], 1, 1e-10);
        }
    }
    CU_ASSERT_DOUBLE_EQUAL(at.abundance[25], 7.5, 1e-9); /* the scale at m_h = 0 */
    FAILS(anpe_lte_grid_at(ctx, &grid, 3900, 3, 0, &at), ANPE_EINVAL,
          "lte: teff outside the grid of atmospheres, [4000, 6000]: 3900");
    FAILS(anpe_lte_grid_at(ctx, &grid, 5000, 3, 0.2, &at), ANPE_EINVAL, "m_h outside");
    FAILS(anpe_lte_grid_at(ctx, &grid, NAN, 3, 0, &at), ANPE_EINVAL, "teff outside");
    FAILS(anpe_lte_grid_at(ctx, &grid, 5700, 2.5, 0, &at), ANPE_EINVAL,
          "has no model around teff 5700, logg 2.5");
    WORKS(anpe_lte_grid_at(ctx, &grid, 5300, 2, 0, &at)); /* only the cubic touches the hole */
    anpe_lte_grid_free(&grid);
    made(4500.4, 3, 0, &a[models.n++]);
    FAILS(anpe_lte_grid_new(ctx, &models, &grid), ANPE_EFORMAT, "two atmospheres with teff 4500.4");
    models.n = 0;
    FAILS(anpe_lte_grid_new(ctx, &models, &grid), ANPE_ECONFIG, "no model atmosphere");
}

static void test_single(void)
{
    anpe_lte_atmosphere a, at;
    made(5777, 4.44, 0, &a);
    a.teff = NAN;
    const anpe_lte_models models = {.n = 1, .model = &a};
    anpe_lte_grid grid;
    WORKS(anpe_lte_grid_new(ctx, &models, &grid));
    WORKS(anpe_lte_grid_at(ctx, &grid, 4000, 1, -2, &at));
    for (int l = 0; l < LAYERS; l++)
        CU_ASSERT_DOUBLE_EQUAL(at.t[l] / a.t[l], 1, 1e-12);
    anpe_lte_grid_free(&grid);
}

/* The network: a smooth atmosphere in hydrostatic equilibrium, refused where there were no models.
 */
static void test_network(void)
{
    anpe_lte_grid grid;
    anpe_lte_atmosphere a, b;
    WORKS(anpe_lte_grid_own(ctx, &grid));
    static const double places[][3] = {
        {5772, 4.44, 0}, {4300, 1.6, -0.5}, {6400, 4, -2.2}, {3500, 5, 0.5}, {9750, 2, -2.5}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const double *x = places[i];
        WORKS(anpe_lte_grid_at(ctx, &grid, x[0], x[1], x[2], &a));
        CU_ASSERT_EQUAL_FATAL(a.n, ANPE_LTE_STRUCTURE_LAYERS);
        for (int l = 0; l < a.n; l++) {
            CU_ASSERT(a.t[l] > 0.4 * x[0] && a.t[l] < 4 * x[0]);
            CU_ASSERT(l == 0 || a.rhox[l] > a.rhox[l - 1]);
            /* gas pressure: the weight above, less radiation's and turbulence's share */
            const double weight = pow(10, x[1]) * a.rhox[l];
            CU_ASSERT(a.p[l] < 1.1 * weight && a.p[l] > (x[0] < 7000 ? 0.75 : 0.2) * weight);
        }
        /* near tau_Ross 2/3 the temperature is the effective one, to a tenth */
        CU_ASSERT_DOUBLE_EQUAL(a.t[53] / x[0], 1, 0.1);
        CU_ASSERT_DOUBLE_EQUAL(a.tau[53], -0.25, 1e-12);
    }
    /* continuous across what were nodes */
    WORKS(anpe_lte_grid_at(ctx, &grid, 5499.99, 3.999, -0.501, &a));
    WORKS(anpe_lte_grid_at(ctx, &grid, 5500.01, 4.001, -0.499, &b));
    for (int l = 0; l < a.n; l++)
        CU_ASSERT_DOUBLE_EQUAL(a.t[l] / b.t[l], 1, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(grid.abundance[25], 7.5, 0.01);
    FAILS(anpe_lte_grid_at(ctx, &grid, 3400, 3, 0, &a), ANPE_EINVAL,
          "lte: teff outside the grid of atmospheres, [3500, 9750]: 3400");
    FAILS(anpe_lte_grid_at(ctx, &grid, 5000, 3, 0.6, &a), ANPE_EINVAL, "m_h outside");
    FAILS(anpe_lte_grid_at(ctx, &grid, 8600, 1.2, 0, &a), ANPE_EINVAL,
          "lte: logg 1.2: the built-in atmospheres of 8600 K begin at 1.5");
    FAILS(anpe_lte_grid_at(ctx, &grid, NAN, 3, 0, &a), ANPE_EINVAL, "teff outside");
    anpe_lte_grid_free(&grid);
}

static void put(hid_t file, const char *name, int rank, const hsize_t *shape, const double *v)
{
    const hid_t space = H5Screate_simple(rank, shape, NULL);
    const hid_t set =
        H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void test_hdf5(void)
{
    anpe_lte_atmosphere a;
    anpe_lte_models models = {0};
    double node[4] = {5000, 2, -0.5, 1}, structure[LAYERS][5], abundance[ANPE_LTE_ELEMENTS];
    made(5000, 2, -0.5, &a);
    for (int l = 0; l < LAYERS; l++) {
        const double row[5] = {a.tau[l], a.rhox[l], a.t[l], a.p[l], a.ne[l]};
        memcpy(structure[l], row, sizeof row);
    }
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
        abundance[z] = anpe_lte_elements[z].abundance;
    const char *path = in_scratch("grid.h5");
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put(file, "node", 2, (hsize_t[]){1, 4}, node);
    put(file, "structure", 3, (hsize_t[]){1, LAYERS, 5}, &structure[0][0]);
    put(file, "abundance", 1, (hsize_t[]){ANPE_LTE_ELEMENTS}, abundance);
    H5Fclose(file);
    WORKS(anpe_lte_models_read(ctx, path, &models));
    CU_ASSERT_EQUAL_FATAL(models.n, 1);
    CU_ASSERT_EQUAL(memcmp(models.model[0].t, a.t, sizeof(double[LAYERS])), 0);
    CU_ASSERT_DOUBLE_EQUAL(models.model[0].abundance[25], 7.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(models.model[0].m_h, -0.5, 0);
    anpe_lte_models_free(&models);
    path = in_scratch("bad.h5");
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put(file, "node", 2, (hsize_t[]){1, 3}, node);
    put(file, "structure", 3, (hsize_t[]){1, LAYERS, 5}, &structure[0][0]);
    put(file, "abundance", 1, (hsize_t[]){ANPE_LTE_ELEMENTS}, abundance);
    H5Fclose(file);
    FAILS(anpe_lte_models_read(ctx, path, &models), ANPE_EFORMAT,
          "node (N, 4), structure (N, layers, 5)");
    anpe_lte_models_free(&models);
}

static void test_shared_atmospheres(void)
{
    const char *marcs = shared_file("data/forward/atmospheres/marcs_sun_apogee.mod");
    const char *atlas = shared_file("data/forward/atmospheres/asunodfnew.dat");
    anpe_lte_models models = {0};
    if (!marcs || !atlas) {
        printf(" (skipped: no shared atmospheres) ");
        return;
    }
    WORKS(anpe_lte_models_read(ctx, marcs, &models));
    WORKS(anpe_lte_models_read(ctx, atlas, &models));
    const anpe_lte_atmosphere *m = models.model, *k = m + 1;
    CU_ASSERT(m->n == 56 && k->n == 72);
    CU_ASSERT_DOUBLE_EQUAL(m->t[0], 4066.8, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(m->abundance[25], 7.45, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(k->abundance[25], 7.496, 1e-3);
    /* its own optical depth: ATLAS9 has layers at log tau_Ross -6.875 to 2 by 0.125 */
    for (int l = 8; l < 72; l++)
        CU_ASSERT_DOUBLE_EQUAL(k->tau[l], -6.875 + 0.125 * l, 0.05);
    anpe_lte_models_free(&models);
}

/* ---- chemical equilibrium ---------------------------------------------------------------- */

static void solar(double m_h, double *abundance)
{
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
        abundance[z] = anpe_lte_elements[z].abundance +
                       (z > 1 && anpe_lte_elements[z].abundance > -90 ? m_h : 0);
}

/* Nuclei of every element, charge, pressure: summed up again from the densities that came out. */
static double conservation(const anpe_lte_state *s, const double *abundance)
{
    double nuclei[ANPE_LTE_ELEMENTS], charge = -s->ne - s->hminus, particles = s->ne + s->hminus,
                                      worst = 0;
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++) {
        nuclei[z] = s->atom[z][0] + s->atom[z][1] + s->atom[z][2] + (z == 0 ? s->hminus : 0);
        particles += s->atom[z][0] + s->atom[z][1] + s->atom[z][2];
        charge += s->atom[z][1] + 2 * s->atom[z][2];
    }
    for (int m = 0; m < anpe_lte_n_molecules; m++) {
        charge += anpe_lte_molecules[m].charge * s->molecule[m];
        particles += s->molecule[m];
        for (int i = 0; i < 5 && anpe_lte_molecules[m].z[i]; i++)
            nuclei[anpe_lte_molecules[m].z[i] - 1] += s->molecule[m];
    }
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
        worst = fmax(worst, fabs(nuclei[z] / (s->nh * pow(10, abundance[z] - 12)) - 1));
    worst = fmax(worst, fabs(charge) / s->ne);
    return fmax(worst, fabs(particles * ANPE_LTE_BOLTZMANN * s->t / s->p - 1));
}

static void test_conservation(void)
{
    static anpe_lte_state s[64];
    double t[64], p[64], abundance[ANPE_LTE_ELEMENTS];
    int n = 0;
    for (int i = 0; i < 8;
         i++) /* colder and hotter than any layer of the grids, thin and dense, in jumps */
        for (int j = 0; j < 8; j++, n++) {
            t[n] = 1200 * pow(1.4, (i * 3) % 8);
            p[n] = pow(10, -2 + j);
        }
    for (double m_h = -5; m_h < 1; m_h += 2.75) {
        solar(m_h, abundance);
        WORKS(anpe_lte_state_solve(ctx, n, t, p, abundance, s));
        for (int i = 0; i < n; i++)
            CU_ASSERT(conservation(&s[i], abundance) < 1e-10);
    }
    abundance[5] += 0.6; /* carbon-rich: C/O > 1 */
    WORKS(anpe_lte_state_solve(ctx, n, t, p, abundance, s));
    for (int i = 0; i < n; i++)
        CU_ASSERT(conservation(&s[i], abundance) < 1e-10);
}

static int molecule(const char *name)
{
    for (int m = 0; m < anpe_lte_n_molecules; m++)
        if (strcmp(anpe_lte_molecules[m].name, name) == 0)
            return m;
    CU_FAIL_FATAL("no such molecule");
    return 0;
}

/* Pure hydrogen: Saha's equation and the dissociation of H2 hold among the densities. */
static void test_hydrogen_gas(void)
{
    double abundance[ANPE_LTE_ELEMENTS];
    anpe_lte_state s;
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
        abundance[z] = z ? -99 : 12;
    const double t = 9000, p = 100;
    WORKS(anpe_lte_state_solve(ctx, 1, &t, &p, abundance, &s));
    /* (2 pi m k T / h^2)^1.5 exp(-157807 K / T): U(H I) = 2, U(H II) = 1; U(H I, 9000 K) = 2.0000
     */
    const double saha = 2.414683e15 * pow(t, 1.5) * exp(-157803.6 / t);
    CU_ASSERT_DOUBLE_EQUAL(s.ne * s.atom[0][1] / s.atom[0][0] / saha, 1, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(s.ne / (s.atom[0][1] + s.molecule[molecule("H2+")]), 1, 1e-6);
    const double cold = 3000, q = 1e5;
    WORKS(anpe_lte_state_solve(ctx, 1, &cold, &q, abundance, &s));
    /* JANAF (Chase 1998): log Kp (bar) of H2 = 2 H at 3000 K is 2 x -0.801 */
    const double kp = pow(s.atom[0][0] * ANPE_LTE_BOLTZMANN * cold, 2) /
                      (s.molecule[molecule("H2")] * ANPE_LTE_BOLTZMANN * cold);
    CU_ASSERT_DOUBLE_EQUAL(log10(kp / 1e6), -1.602, 0.01);
}

/* Values that can be looked up: NIST's levels summed by Barklem & Collet (2016, table 8). */
static void test_partition(void)
{
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_partition(1, 0, 5000), 2, 1e-3);
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_partition(1, 1, 5000), 1, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_partition(11, 1, 5000), 1, 1e-3);
    /* carbon: 3P weights 1, 3, 5 at 0, 16.4, 43.4 cm-1; 1D 5 at 10192.7; 1S 1 at 21648 cm-1 */
    const double kt = 5000 / 1.438777, sum = 1 + 3 * exp(-16.42 / kt) + 5 * exp(-43.41 / kt) +
                                             5 * exp(-10192.66 / kt) + exp(-21648.03 / kt);
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_partition(6, 0, 5000) / sum, 1, 2e-3);
    CU_ASSERT_EQUAL(anpe_lte_partition(26, 0, 20000), anpe_lte_partition(26, 0, 10000));
    /* CO is a rotator and oscillator: kT / (h c B) / (1 - exp(-h c omega / kT)), with 1 % of
     * anharmonicity */
    const double co = kt / 1.9225 / (1 - exp(-2143.27 / kt));
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_molecule_partition(molecule("CO"), 5000) / co, 1.03, 0.03);
}

static const CU_TestInfo tests[] = {
    {"ATLAS decks", test_atlas},
    {"MARCS", test_marcs},
    {"bad atmospheres", test_bad_atmospheres},
    {"grid", test_grid},
    {"one model", test_single},
    {"the network", test_network},
    {"grid in HDF5", test_hdf5},
    {"published atmospheres", test_shared_atmospheres},
    {"partition functions", test_partition},
    {"conservation", test_conservation},
    {"pure hydrogen", test_hydrogen_gas},
};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "lte: model", COUNT(tests), tests);
}
