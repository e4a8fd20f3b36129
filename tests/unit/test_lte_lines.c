/* Parts of the simulator `lte`: line lists of all formats, damping, profiles, spectra of made-up
 * lines. */
#include <config.h>

#include <math.h>
#include "plugin_support.h"
#include "lte.h"

#define ALL                                                                                        \
    {                                                                                              \
        .low = 0, .high = 1e9, .unsoeld = 2.5                                                      \
    }

static anpe_status read_as(anpe_lte_format format, const char *name, const char *content,
                           anpe_lte_lines *l)
{
    anpe_lte_list_options o = ALL;
    o.format = format;
    write_bytes(in_scratch(name), content, strlen(content));
    return anpe_lte_list_read(ctx, in_scratch(name), &o, l);
}

/* ---- profiles ---------------------------------------------------------------------------- */

/* H(a, v) = a/pi int exp(-t^2) / ((v - t)^2 + a^2) dt; with t = v + a tan x it is int exp(-(v + a
 * tan x)^2) dx / pi. */
static double voigt(double a, double v)
{
    enum { STEPS = 400000 };
    double sum = 0;
    for (int i = 0; i < STEPS; i++) {
        const double t = v + a * tan(ANPE_LTE_PI * ((i + 0.5) / STEPS - 0.5));
        sum += exp(-t * t);
    }
    return sum / STEPS;
}

static void test_voigt(void)
{
    anpe_lte_voigt w;
    anpe_lte_voigt_init(&w);
    for (double a = 0.003; a < 40; a *= 5)
        for (double v = 0; v < 60; v = 1.6 * v + 0.35) {
            float h[1] = {0};
            anpe_lte_voigt_add(&w, 2, (float)a, -v, 1, 1e9, 1, h);
            const double exact = voigt(a, v), error = fabs((double)h[0] / 2 - exact);
            /* the series has an absolute error of float's, the four poles a relative one */
            CU_ASSERT(error < 2e-4 * exact + 5e-7);
        }
}

/* Centre anywhere, any window: the same values; the area is sqrt(pi) per Doppler width. */
static void test_voigt_window(void)
{
    enum { N = 4001 };
    static float all[N], part[N];
    anpe_lte_voigt w;
    anpe_lte_voigt_init(&w);
    double area = 0;
    anpe_lte_voigt_add(&w, 1, 0.05F, 2000.3, 0.1, 1950, N, all);
    for (int i = 0; i < N; i++)
        area += 0.1 * (double)all[i];
    /* wings beyond 195 widths hold 2 a / (sqrt(pi) 195) */
    CU_ASSERT_DOUBLE_EQUAL(area / sqrt(ANPE_LTE_PI), 1 - 2 * 0.05 / (ANPE_LTE_PI * 195), 1e-4);
    anpe_lte_voigt_add(&w, 1, 0.05F, 1000.3, 0.1, 1950, N - 1000, part);
    for (int i = 0; i < N - 1000; i++)
        CU_ASSERT_DOUBLE_EQUAL((double)part[i], (double)all[i + 1000],
                               1e-6 + 1e-4 * (double)all[i + 1000]);
    memset(part, 0, sizeof part);
    anpe_lte_voigt_add(&w, 1, 0.05F, 2000.3, 0.1, 50, N, part); /* reach */
    CU_ASSERT(part[1950] == 0 && part[1951] > 0 && part[2050] > 0 && part[2051] == 0);
}

/* ---- damping ----------------------------------------------------------------------------- */

static void test_damping(void)
{
    double power;
    /* Barklem, Piskunov & O'Mara 2000, table 1, first lines: Fe I 2300.142 and Ni I 2300.778 */
    CU_ASSERT_DOUBLE_EQUAL(log10(anpe_lte_abo(211, 0.251, 55.845, &power)), -7.812, 0.002);
    CU_ASSERT_DOUBLE_EQUAL(power, 0.375, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(log10(anpe_lte_abo(357, 0.284, 58.693, &power)), -7.589, 0.002);
    /* Gray 1992, eq. 11.30: log gamma = 19.6 + 0.4 log C6 + log P - 0.7 log T */
    const double c6 = 0.3e-30 * (1 / pow(7.9 - 5, 2) - 1 / pow(7.9 - 3, 2));
    const double gray = pow(10, 19.6 - 0.7 * 4) * pow(c6, 0.4) * ANPE_LTE_BOLTZMANN * 1e4;
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_unsoeld(7.9, 3, 2, 0, 55.8) / gray, 1, 0.07);
    CU_ASSERT_EQUAL(anpe_lte_unsoeld(7.9, 6, 2, 0, 55.8), 0);
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_stark(13.598, 0, 13.598 * 0.75, 0) / (1e-8 * 32), 1,
                           1e-9); /* n* = 2 */
    CU_ASSERT(isfinite(anpe_lte_stark(7.9, 7, 2, 0)));
}

/* ---- lists ------------------------------------------------------------------------------- */

static const char turbospectrum[] =
    "'  26.000            '    1         2\n'Fe I   '\n"
    "  6705.101  4.607 -1.392   -7.480    5.0  2.51E+08 'x' 'x'   0.0    1.0 'Fe I'\n"
    "  6700.000  3.000 -1.000  211.251    5.0  1.00E+08 -5.000 'x' 'x' 0.0 1.0 'Fe I'\n"
    "'0607.012014 '            1      1\n'CN '\n"
    " 6701.000  0.500  -1.500  0.00   48.0  1.00e+00  0.000  'x' 'x'  0.0  1.0\n";

/* Barklem's examples of his interpolation: Na D, O I 7772; and what is not in the tables. */
static void test_generic_damping(void)
{
    static const struct {
        int l[2];
        double n[2], sigma, alpha;
    } known[] = {{{0, 1}, {1.627, 2.117}, 406.87, 0.273}, {{0, 1}, {1.744, 2.174}, 453.35, 0.234}};
    double sigma, alpha;
    for (int i = 0; i < COUNT(known); i++) {
        CU_ASSERT_EQUAL_FATAL(anpe_lte_abo_generic(known[i].l, known[i].n, &sigma, &alpha), 1);
        /* twice the rms error of the fit */
        CU_ASSERT_DOUBLE_EQUAL(sigma / known[i].sigma, 1, 0.06);
        CU_ASSERT_DOUBLE_EQUAL(alpha, known[i].alpha, 0.04);
    }
    const int sd[2] = {0, 2}, fg[2] = {3, 4}, none[2] = {-1, 0}, sp[2] = {0, 1};
    const double n[2] = {1.6, 2.1}, high[2] = {1.6, 3.1}, low[2] = {0.9, 2.1}, nan[2] = {NAN, 2};
    CU_ASSERT(!anpe_lte_abo_generic(sd, n, &sigma, &alpha));
    CU_ASSERT(!anpe_lte_abo_generic(fg, n, &sigma, &alpha));
    CU_ASSERT(!anpe_lte_abo_generic(none, n, &sigma, &alpha));
    CU_ASSERT(!anpe_lte_abo_generic(sp, high, &sigma, &alpha));
    CU_ASSERT(!anpe_lte_abo_generic(sp, low, &sigma, &alpha));
    CU_ASSERT(!anpe_lte_abo_generic(sp, nan, &sigma, &alpha));
}

/* Orbitals of a list of Turbospectrum's, whatever else it says but ABO; not of ions. */
static void test_orbitals(void)
{
    anpe_lte_lines l = {0};
    WORKS(read_as(ANPE_LTE_AUTO, "o.list",
                  "'  11.000 '    1   3\n'Na I'\n 5889.95 0.0 0.1 2.5 4.0 6E7 's' 'p' 0 1 'Na I'\n"
                  " 5895.92 0.0 -0.2 -7.5 2.0 6E7 's' 'p' 0 1 'Na I'\n"
                  " 5896.92 0.0 -0.2 -7.5 2.0 6E7 'x' 'x' 0 1 'Na I'\n"
                  "'  26.000 '    2   1\n'Fe II'\n 5897.92 3.0 -0.2 -7.5 2.0 6E7 's' 'p' 0 1 'x'\n",
                  &l));
    CU_ASSERT_EQUAL_FATAL(l.n, 4);
    /* Barklem's log gamma per H at 10^4 K; 6 % of sigma is 0.026 */
    CU_ASSERT_DOUBLE_EQUAL(log10((double)l.waals[0]), -7.526, 0.03);
    CU_ASSERT_DOUBLE_EQUAL(log10((double)l.waals[1]), -7.527, 0.03);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals_power[0], 0.5 * (1 - 0.273), 0.02);
    CU_ASSERT_DOUBLE_EQUAL(log10((double)l.waals[2]), -7.5, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals_power[2], 0.3, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(log10((double)l.waals[3]), -7.5, 1e-5);
    anpe_lte_lines_free(&l);
}

static void test_turbospectrum(void)
{
    anpe_lte_lines l = {0};
    WORKS(read_as(ANPE_LTE_AUTO, "ts.list", turbospectrum, &l));
    WORKS(anpe_lte_lines_sort(ctx, &l));
    CU_ASSERT_EQUAL_FATAL(l.n, 3);
    CU_ASSERT_DOUBLE_EQUAL(l.wavelength[0], anpe_air_to_vacuum(6700), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(l.wavelength[2], anpe_air_to_vacuum(6705.101), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals[2], pow(10, -7.48), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals_power[2], 0.3, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL((double)l.radiative[2], 2.51e8, 1e3);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals_power[0], 0.3745, 1e-4);
    CU_ASSERT_DOUBLE_EQUAL((double)l.stark[0], 1e-5, 1e-10);
    CU_ASSERT_DOUBLE_EQUAL((double)l.excitation[1], 0.5, 1e-6);
    CU_ASSERT_EQUAL((double)l.waals[1], 0);
    const anpe_lte_species *fe = &l.species[l.of[0]], *cn = &l.species[l.of[1]];
    CU_ASSERT_STRING_EQUAL(fe->name, "Fe I");
    CU_ASSERT_STRING_EQUAL(cn->name, "12C14N");
    CU_ASSERT(fe->molecule == -1 && fe->charge == 0 && cn->molecule >= 0);
    CU_ASSERT(cn->mass[0] == 12 && cn->mass[1] == 14);
    CU_ASSERT_STRING_EQUAL(anpe_lte_molecules[cn->molecule].name, "CN");
    anpe_lte_lines_free(&l);
}

static void test_vald(void)
{
    static const char stellar[] =
        " 3000.00000, 10000.00000, 2, 702810, 1.0, Wavelength region, lines selected, lines "
        "processed, Vmicro\n"
        "                                                 Damping parameters   Lande  Central\n"
        "Spec Ion       WL_air(A) Excit(eV) Vmic log gf*  Rad.   Stark  Waals  factor  depth  "
        "Reference\n"
        "'Fe 1',       6705.1010,   4.6070, 1.0, -1.392, 8.400,-5.000,-7.480,  1.250, 0.893, '   1 "
        "wl:K13 Fe+  '\n"
        "'OH 1',       6706.0000,   1.7235, 1.0, -1.755, 0.000, 0.000, 0.000, 99.000, 0.148, '   5 "
        "wl:KOH  '\n"
        "'H 1',        6562.8000,  10.2000, 1.0,  0.710, 8.700, 0.000, 0.000, 99.000, 0.148, '   5 "
        "wl:KOH  '\n"
        "'castelli_ap00k2_T05750G45.krz',\n'H :  0.92','He: -1.11',\n"
        "* oscillator strengths were scaled by the solar isotopic ratios.\n References:\n  1. "
        "Kurucz: Fe 2\n";
    static const char all[] =
        "                                                   Lande factors      Damping parameters\n"
        "Elm Ion      WL_vac(A)   log gf* E_low(cm-1) J lo  E_up(cm-1) J up  lower  upper   mean   "
        "Rad.  Stark  Waals\n"
        "'Fe 1',      6706.9522,  -1.392, 37157.95,   2.0,  5.0,   2.0,  1.0,  1.0, 1.000, "
        "8.400,-5.000, 211.251\n"
        "'  LS                       3p6.3d6.(5D).4s.4p.(1P*) y5P*'\n"
        "'  LS                       3d6.(5D).4s.(6D).4d e5P'\n"
        "'   7 wl:K14   7 gf:K14   7 K14   Fe            '\n";
    anpe_lte_lines l = {0};
    WORKS(read_as(ANPE_LTE_AUTO, "short.vald", stellar, &l));
    CU_ASSERT_EQUAL(l.n_hydrogen, 1);
    WORKS(read_as(ANPE_LTE_VALD, "long.vald", all, &l));
    WORKS(anpe_lte_lines_sort(ctx, &l));
    CU_ASSERT_EQUAL_FATAL(l.n, 3);
    CU_ASSERT_DOUBLE_EQUAL(l.wavelength[0], 6706.9522, 2e-3); /* the same line, air and vacuum */
    CU_ASSERT_DOUBLE_EQUAL(l.wavelength[1], l.wavelength[0], 2e-3);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_DOUBLE_EQUAL((double)l.excitation[i], 4.607, 1e-4);
        CU_ASSERT_DOUBLE_EQUAL((double)l.log_gf[i], -1.392, 1e-6);
        CU_ASSERT_DOUBLE_EQUAL((double)l.radiative[i], pow(10, 8.4), 1e3);
        CU_ASSERT_DOUBLE_EQUAL((double)l.stark[i], 1e-5, 1e-10);
    }
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals_power[0] + (double)l.waals_power[1], 0.3 + 0.3745, 1e-4);
    CU_ASSERT_DOUBLE_EQUAL((double)l.radiative[2], 2.223e15 / pow(l.wavelength[2], 2), 1e3);
    anpe_lte_lines_free(&l);
}

static void test_moog(void)
{
    static const char content[] =
        "a title\n"
        "  6705.101      26.0     4.607    -1.392     -7.48\n"
        " -6706.000      21.0     0.000     -1.47                               LAWNOHFS\n"
        "  6706.000   21.0045     0.000     -2.28                                 LAWHFS\n"
        "  6707.000 607.01214     0.005   -10.777               7.724          1500Ra0045\n"
        "  6708.000 106.00113     0.010    -7.917               4.391\n";
    anpe_lte_lines l = {0};
    WORKS(read_as(ANPE_LTE_MOOG, "moog.list", content, &l));
    anpe_lte_broadening b;
    static const char widths[] = /* the last two closer than air and vacuum are */
        " 6700.000  26.0  -7.1  0.240    3.91E+08\n  6706.010  21.0  -7.600   0.200    1E8\n"
        " 6706.300  26.0  -7.1  0.240    3.91E+08\n";
    write_bytes(in_scratch("barklem.dat"), widths, strlen(widths));
    WORKS(anpe_lte_broadening_read(ctx, in_scratch("barklem.dat"), &b));
    CU_ASSERT_EQUAL(anpe_lte_broadening_join(&b, &l), 1);
    anpe_lte_broadening_free(&b);
    WORKS(anpe_lte_lines_sort(ctx, &l));
    CU_ASSERT_EQUAL_FATAL(l.n, 4); /* not the group's sum */
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals[0], pow(10, -7.48), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals[1], pow(10, -7.6), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals_power[1], 0.4, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals_power[0], 0.3, 1e-6);
    CU_ASSERT_STRING_EQUAL(l.species[l.of[1]].name, "45Sc I");
    CU_ASSERT_STRING_EQUAL(l.species[l.of[2]].name, "12C14N");
    CU_ASSERT_STRING_EQUAL(l.species[l.of[3]].name, "1H13C");
    anpe_lte_lines_free(&l);
}

static void test_kurucz(void)
{
    static const char atoms[] = "   670.5101 -1.392 26.00   37157.564  2.0 4p y5P       52067.450  "
                                "2.0 4d e5P      8.40 -5.00 -7.48K14  0 0\n";
    static const char molecules[] =
        "  670.6000 -8.471  7.5   790.011  8.5  39918.548 106                121065\n"
        "  670.7000 -8.116  0.5     0.000  1.5  29627.071 112                24   0\n";
    anpe_lte_lines l = {0};
    WORKS(read_as(ANPE_LTE_KURUCZ, "gf.dat", atoms, &l));
    WORKS(read_as(ANPE_LTE_KURUCZ_MOLECULES, "ch.asc", molecules, &l));
    WORKS(anpe_lte_lines_sort(ctx, &l));
    CU_ASSERT_EQUAL_FATAL(l.n, 3);
    CU_ASSERT_DOUBLE_EQUAL(l.wavelength[0], anpe_air_to_vacuum(6705.101), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL((double)l.excitation[0], 4.607, 1e-4);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals[0], pow(10, -7.48), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL((double)l.stark[0], 1e-5, 1e-10);
    CU_ASSERT_STRING_EQUAL(l.species[l.of[1]].name, "H12C");
    CU_ASSERT_STRING_EQUAL(l.species[l.of[2]].name, "H24Mg");
    anpe_lte_lines_free(&l);
}

/* Two lines of text a line; C6 back to VALD's width. */
static void test_pfant(void)
{
    anpe_lte_lines l = {0};
    anpe_lte_list_options o = ALL;
    o.format = ANPE_LTE_PFANT;
    o.vacuum = 1;
    o.accuracy = 0.5;
    const char text[] = "MN2  14900.021\n12.8741 -4.82 3.198895e-32 0 0 0.1 1 0\n"
                        " V1  14901.109\n4.8512 -1.594 3e-32 0 0 0.1199 1 0\n";
    write_bytes(in_scratch("p.pfant"), text, strlen(text));
    WORKS(anpe_lte_list_read(ctx, in_scratch("p.pfant"), &o, &l));
    WORKS(anpe_lte_lines_sort(ctx, &l));
    CU_ASSERT_EQUAL_FATAL(l.n, 2);
    CU_ASSERT_STRING_EQUAL(l.species[l.of[0]].name, "Mn II");
    CU_ASSERT_STRING_EQUAL(l.species[l.of[1]].name, "V I");
    CU_ASSERT_DOUBLE_EQUAL(l.wavelength[0], 14900.021, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(log10((double)l.waals[0]), -7.67, 1e-4);
    const double unsoeld = anpe_lte_unsoeld(anpe_lte_elements[22].ionisation[0], 4.8512,
                                            12398.41984 / 14901.109, 0, anpe_lte_elements[22].mass);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals[1] / (2.5 * unsoeld), 1, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL((double)l.accuracy[0], 0.5, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL((double)l.log_gf[1], -1.594, 1e-6);
    anpe_lte_lines_free(&l);
}

/* The list of GALAH DR3, if it is here. */
static void test_galah(void)
{
    anpe_lte_lines l = {0};
    anpe_lte_list_options o = ALL;
    const char *path = shared_file("data/forward/linelists/galah_dr3_linelist.h5");
    if (!path) {
        test_skip("GALAH's list is not here (ANPE_SHARED)");
        return;
    }
    o.low = 5627, o.high = 5902;
    WORKS(anpe_lte_list_read(ctx, path, &o, &l));
    WORKS(anpe_lte_lines_sort(ctx, &l));
    CU_ASSERT(l.n > 1000);
    int64_t sodium = -1;
    for (int64_t i = 0; i < l.n; i++) /* Na D2, vacuum */
        if (l.species[l.of[i]].z[0] == 11 && fabs(l.wavelength[i] - 5891.583) < 0.02)
            sodium = i;
    CU_ASSERT_FATAL(sodium >= 0);
    CU_ASSERT_EQUAL((double)l.excitation[sodium], 0);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals_power[sodium], 0.5 * (1 - 0.273), 2e-3);
    anpe_lte_lines_free(&l);
    o.format = ANPE_LTE_GALAH;
    write_bytes(in_scratch("bad.h5"), "nothing", 7);
    FAILS(anpe_lte_list_read(ctx, in_scratch("bad.h5"), &o, &l), ANPE_EFORMAT, "bad.h5");
}

#define COLUMNS_OF_CALIBRATED                                                                      \
    "species,wavelength,excitation,log_gf,accuracy,radiative,stark,waals,waals_power,changed_gf\n"
static void test_calibrated(void)
{
    anpe_lte_lines l = {0};
    WORKS(read_as(ANPE_LTE_AUTO, "c.lines",
                  "# anpe lines 3\n# comment\n" COLUMNS_OF_CALIBRATED
                  "56Fe II,6701.5,4.25,-1.5,0.04,2e8,3e-6,4e-8,0.25,0.1\n"
                  "12C14N,6702.5,0.5,-2.5,0,1e7,0,0,0.3,0\n"
                  "Fe I,6703.5,1,-3,0,1e8,1e-6,1e-8,-0.1,0\n",
                  &l));
    CU_ASSERT_EQUAL_FATAL(l.n, 3);
    CU_ASSERT_STRING_EQUAL(l.species[l.of[0]].name, "56Fe II");
    CU_ASSERT_STRING_EQUAL(l.species[l.of[1]].name, "12C14N");
    CU_ASSERT_STRING_EQUAL(l.species[l.of[2]].name, "Fe I");
    CU_ASSERT_DOUBLE_EQUAL(l.wavelength[0], 6701.5, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals[0], 4e-8, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL((double)l.waals_power[0], 0.25, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL((double)l.stark[0], 3e-6, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL((double)l.radiative[0], 2e8, 1e2);
    CU_ASSERT_DOUBLE_EQUAL((double)l.accuracy[0], 0.04, 1e-6);
    CU_ASSERT(l.waals[1] == 0 && l.stark[1] == 0);
    anpe_lte_lines_free(&l);
}

/* A list that takes the place of others': of the same transition, whatever its isotopes, no other.
 */
static void test_replaces(void)
{
    anpe_lte_lines l = {0};
    anpe_lte_list_options o = ALL;
    WORKS(read_as(ANPE_LTE_MOOG, "a.moog",
                  " 6700.00 29.0 1.00 -1.0\n 6700.05 29.0 1.01 -1.5\n 6700.02 29.1 1.00 -1.0\n"
                  " 6700.04 29.0 3.00 -1.0\n 6700.30 29.0 1.00 -1.0\n 6700.01 26.0 1.00 -1.0\n",
                  &l));
    const char text[] = " 6700.03 29.0063 1.005 -1.2\n 6700.06 29.0065 1.005 -1.6\n";
    write_bytes(in_scratch("b.moog"), text, strlen(text));
    o.format = ANPE_LTE_MOOG;
    o.replaces = 1;
    WORKS(anpe_lte_list_read(ctx, in_scratch("b.moog"), &o, &l));
    WORKS(anpe_lte_lines_sort(ctx, &l));
    CU_ASSERT_EQUAL_FATAL(l.n, 6);
    double sum = 0;
    for (int i = 0; i < 6; i++)
        sum += pow(10, (double)l.log_gf[i]);
    CU_ASSERT_DOUBLE_EQUAL(sum, 4 * 0.1 + pow(10, -1.2) + pow(10, -1.6), 1e-6);
    CU_ASSERT_EQUAL(l.species[l.of[5]].z[0], 29); /* 6700.30: too far */
    anpe_lte_lines_free(&l);
}

static void test_bad_lists(void)
{
    static const struct {
        anpe_lte_format format;
        const char *content, *part;
    } bad[] = {
        {ANPE_LTE_AUTO, "", "an empty file"},
        {ANPE_LTE_AUTO, "hello\n", "bad.list:1: a list of unknown format: give it, one of vald|"},
        {ANPE_LTE_PFANT, "XX1  14900.021\n1 1 1e-32 0 0\n", "bad.list:1: a line such as 'FE1"},
        {ANPE_LTE_PFANT, "FE0  14900.021\n1 1 1e-32 0 0\n", "bad.list:1: a line such as 'FE1"},
        {ANPE_LTE_PFANT, "FE1  14900.021\n1 1 1e-32\n", "bad.list:2: excitation, log gf, C6"},
        {ANPE_LTE_PFANT, "FE1  14900.021\n", "ends within a line at 14900"},
        {ANPE_LTE_AUTO, "# anpe lines\n", "'# anpe lines' and their number"},
        {ANPE_LTE_AUTO, "# anpe lines 1\nspecies\n", "bad.list:2: the columns species,wavelength"},
        {ANPE_LTE_AUTO,
         "# anpe lines 2\n" COLUMNS_OF_CALIBRATED "Fe I,6701,1,-1,0,1e8,0,1e-8,0.3,0\n",
         "the file has 1 lines, 1 are missing"},
        {ANPE_LTE_AUTO,
         "# anpe lines 1\n" COLUMNS_OF_CALIBRATED "Fe IX,6701,1,-1,0,1e8,0,1e-8,0.3\n",
         "bad.list:3: a species and 8 numbers"},
        {ANPE_LTE_AUTO, "# anpe lines 1\n" COLUMNS_OF_CALIBRATED "Fe I,6701,1,-1,0\n",
         "bad.list:3: a species and 8 numbers"},
        {ANPE_LTE_AUTO, "'  26.000 '    1   5\n'Fe I'\n 6705.1 4.6 -1.3 -7.4 5.0 1E8 'x'\n",
         "ends 4 lines before"},
        {ANPE_LTE_AUTO, "'  26.000 '    1   5\n'Fe I'\n 6705.1 4.6\n",
         "bad.list:3: wavelength, E_low, log gf"},
        {ANPE_LTE_AUTO, "'  99.000 '    1   5\n'Fe I'\n", "bad.list:1: a species such as '26.000'"},
        {ANPE_LTE_VALD, "Spec Ion WL_air(A) log gf*\n", "titles of wavelength"},
        {ANPE_LTE_VALD,
         "Spec Ion WL_air(A) Excit(eV) Vmic log gf* Rad. Stark Waals\n'Xx 1', 5000.0, 1, 1, -1, 8, "
         "-5, -7\n",
         "bad.list:2: a species such as 'Fe 2' expected: 'Xx 1'"},
        {ANPE_LTE_VALD,
         "Spec Ion WL_air(A) Excit(eV) Vmic log gf* Rad. Stark Waals\n'Fe 1', 5000.0, 1, 1\n",
         "bad.list:2: 7 numbers expected after the species, 3 found"},
        {ANPE_LTE_VALD, "nothing\n", "ends without a line of VALD"},
        {ANPE_LTE_MOOG, "title\n 5000.0 xx 1 1\n",
         "bad.list:2: wavelength, species, E_low, log gf expected"},
        {ANPE_LTE_MOOG, " 5000.0 99.0 1 1\n", "bad.list:1: a species such as 26.1"},
        {ANPE_LTE_KURUCZ, "   670.5101 -1.392\n", "bad.list:1: a line as in Kurucz's gfall"},
        {ANPE_LTE_KURUCZ_MOLECULES, "   670.5101 -1.392\n", "bad.list:1: a line of a molecule"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        anpe_lte_lines l = {0};
        FAILS(read_as(bad[i].format, "bad.list", bad[i].content, &l), ANPE_EFORMAT, bad[i].part);
        anpe_lte_lines_free(&l);
    }
    anpe_lte_broadening b;
    write_bytes(in_scratch("b.dat"), "5000 26.0 -7 0.2\n4000 26.0 -7 0.2\n", 34);
    FAILS(anpe_lte_broadening_read(ctx, in_scratch("b.dat"), &b), ANPE_EFORMAT,
          "b.dat:2: wavelength (ascending)");
}

static void test_isotopes(void)
{
    int z[5];
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_isotope(6, 12, 89) + anpe_lte_isotope(6, 13, 89), 1, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_isotope(6, 12, 7) / anpe_lte_isotope(6, 13, 7), 7, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(anpe_lte_isotope(12, 24, 1) + anpe_lte_isotope(12, 25, 1) +
                               anpe_lte_isotope(12, 26, 1),
                           1, 1e-4);
    CU_ASSERT_EQUAL(anpe_lte_isotope(26, 0, 1), 1);
    CU_ASSERT(anpe_lte_formula("TiO", 3, z) == 2 && z[0] == 22 && z[1] == 8);
    CU_ASSERT(anpe_lte_formula("H2O", 3, z) == 3 && z[0] == 1 && z[1] == 1 && z[2] == 8);
    CU_ASSERT(anpe_lte_formula("CN", 2, z) == 2 && z[0] == 6 && z[1] == 7);
    CU_ASSERT_EQUAL(anpe_lte_formula("Xx", 2, z), 0);
}

/* ---- spectra ----------------------------------------------------------------------------- */

enum { LAYERS = 50 };

typedef struct scene {
    anpe_lte_state state[LAYERS];
    double depth[LAYERS], one[LAYERS], vmicro[LAYERS], t[LAYERS], p[LAYERS];
    anpe_lte_lines lines;
    anpe_lte_voigt voigt;
    anpe_lte_problem problem;
} scene;

/* A grey sun-like atmosphere; `lines`: a Turbospectrum list. */
static void scene_new(scene *r, const char *lines, double first, double last, double step)
{
    double abundance[ANPE_LTE_ELEMENTS];
    memset(r, 0, sizeof *r);
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
        abundance[z] = anpe_lte_elements[z].abundance;
    for (int i = 0; i < LAYERS; i++) {
        const double tau = pow(10, -5 + 0.14 * i);
        r->t[i] = 5777 * pow(0.75 * (tau + 0.667), 0.25);
        r->p[i] = 1e5 * pow(tau, 0.55);
        r->depth[i] = r->p[i] / 27500;
        r->one[i] = 1;
        r->vmicro[i] = 1;
    }
    WORKS(anpe_lte_state_solve(ctx, LAYERS, r->t, r->p, abundance, r->state));
    WORKS(read_as(ANPE_LTE_AUTO, "scene.list", lines, &r->lines));
    WORKS(anpe_lte_lines_sort(ctx, &r->lines));
    anpe_lte_voigt_init(&r->voigt);
    r->problem = (anpe_lte_problem){.n = LAYERS,
                                    .state = r->state,
                                    .depth = r->depth,
                                    .reference = r->one,
                                    .vmicro = r->vmicro,
                                    .c12_c13 = 89,
                                    .cut = 1e-5,
                                    .lines = &r->lines,
                                    .voigt = &r->voigt};
    const double low = ceil(log(first) / step), high = floor(log(last) / step);
    anpe_lte_points_set(&r->problem.points, low * step, step, (int64_t)(high - low) + 1);
}

static float *run(const scene *r)
{
    float *flux = malloc((size_t)r->problem.points.n * sizeof *flux);
    void *room = anpe_alloc(ctx, anpe_lte_synthesis_scratch(1, &r->problem));
    CU_ASSERT_FATAL(flux && room);
    memset(room, 0xff, anpe_lte_synthesis_scratch(1, &r->problem));
    anpe_lte_synthesise(1, &r->problem, room, flux, NULL);
    anpe_free(room);
    return flux;
}

static double equivalent_width(const scene *r)
{
    double sum = 0;
    float *flux = run(r);
    for (int64_t i = 0; i < r->problem.points.n; i++)
        sum += (1 - (double)flux[i]) * r->problem.points.step *
               exp(r->problem.points.first + r->problem.points.step * (double)i);
    free(flux);
    return sum;
}

/* Equivalent width (Angstrom) within `half` Angstrom of 6705. */
static double width_of(double half, const char *line)
{
    scene r;
    char list[256];
    snprintf(list, sizeof list, "'  26.000 '    1   1\n'Fe I'\n %s 'x' 'x' 0 1 'Fe I'\n", line);
    scene_new(&r, list, 6706.85 - half, 6706.85 + half, 3e-6);
    const double width = equivalent_width(&r);
    anpe_lte_lines_free(&r.lines);
    return width;
}

/* Line opacity of one line, summed over frequency: (pi e^2 / m c) gf N exp(-E / kT) (1 - exp(-h nu
 * / kT)) per gram. */
static void test_strength(void)
{
    enum { POINTS = 20000 };
    static float opacity[LAYERS * POINTS], continuum[LAYERS * 100], room[2][LAYERS];
    scene r;
    scene_new(&r,
              "'  26.000 '    2   1\n'Fe II'\n 6705.0 3.0 -2.0 -7.5 5 1E8 'x' 'x' 0 1 'Fe II'\n",
              6600, 6800, 1e-6);
    anpe_lte_line_work w = {.inverse_doppler = room[0],
                            .amount = room[1],
                            .continuum = continuum,
                            .stride = POINTS,
                            .opacity = opacity};
    const anpe_lte_line_work *one[1] = {&w};
    anpe_lte_points p;
    const double centre = log(r.lines.wavelength[0]);
    anpe_lte_points_set(&p, centre - 0.01, 1e-6, POINTS);
    CU_ASSERT_FATAL(p.n_nodes <= 100);
    for (int i = 0; i < LAYERS * 100; i++)
        continuum[i] = 1e-6F;
    memset(opacity, 0, sizeof opacity);
    anpe_lte_line_work_set(&r.lines, LAYERS, r.state, r.vmicro, 89, &w);
    CU_ASSERT_EQUAL(anpe_lte_line_opacity(&r.lines, &r.voigt, &p, 1e-6, NULL, 1, one), 1);
    for (int j = 0; j < LAYERS; j += 7) {
        const double nu = ANPE_LTE_LIGHT * 1e8 / r.lines.wavelength[0], t = r.t[j];
        double sum = 0;
        for (int i = 0; i < POINTS; i++)
            sum += (double)opacity[j * POINTS + i] * nu * 1e-6;
        const double number =
            r.state[j].atom[25][1] / anpe_lte_partition(26, 1, t) / r.state[j].rho;
        const double exact = 0.026540 * 1e-2 * number * exp(-3.0 / (ANPE_LTE_KEV * t)) *
                             (1 - exp(-ANPE_LTE_PLANCK * nu / (ANPE_LTE_BOLTZMANN * t)));
        CU_ASSERT_DOUBLE_EQUAL(sum / exact, 1, 3e-3); /* the wings that the window cuts */
    }
    anpe_lte_lines_free(&r.lines);
}

/* Weak: width as gf; saturated: hardly; damped: as the root of gf. Excitation weakens,
 * microturbulence widens. */
static void test_growth(void)
{
    const double weak = width_of(10, "6705.0 4.0 -4.0 -7.5 5 1E8"),
                 twice = width_of(10, "6705.0 4.0 -3.69897 -7.5 5 1E8");
    CU_ASSERT_DOUBLE_EQUAL(twice / weak, 2, 0.03);
    const double flat = width_of(10, "6705.0 4.0 -0.5 -7.5 5 1E8"),
                 flat2 = width_of(10, "6705.0 4.0 -0.19897 -7.5 5 1E8");
    CU_ASSERT(flat2 / flat > 1.1 && flat2 / flat < 1.5);
    const double strong = width_of(75, "6705.0 0.0 0.0 -7.5 5 1E8"),
                 strong4 = width_of(75, "6705.0 0.0 0.60206 -7.5 5 1E8");
    CU_ASSERT_DOUBLE_EQUAL(strong4 / strong, 2, 0.1);
    CU_ASSERT(width_of(10, "6705.0 4.5 -4.0 -7.5 5 1E8") < weak);
    CU_ASSERT(width_of(75, "6705.0 0.0 0.0 -7.2 5 1E8") > 1.2 * strong);
}

/* No jump at a window's edge: a part is the same as the whole, lines from outside included. */
static void test_windows(void)
{
    static const char lines[] =
        "'  26.000 '    1   3\n'Fe I'\n 6705.0 0.0 0.5 -7.2 5 1E8 'x' 'x' 0 1 'Fe I'\n"
        " 6700.0 2.0 -2.0 -7.2 5 1E8 'x' 'x' 0 1 'Fe I'\n 6711.5 2.0 -1.0 -7.2 5 1E8 'x' 'x' 0 1 "
        "'Fe'\n";
    scene a, b;
    scene_new(&a, lines, 6690, 6720, 3e-6);
    scene_new(&b, lines, 6706, 6712, 3e-6);
    float *x = run(&a), *y = run(&b), *z = run(&a);
    const int64_t shift = llround((b.problem.points.first - a.problem.points.first) / 3e-6);
    double deepest = 1;
    for (int64_t i = 0; i < b.problem.points.n; i++) {
        /* the continuum between nodes that lie elsewhere, and a float's rounding of wavelengths in
         * profiles */
        CU_ASSERT_DOUBLE_EQUAL((double)x[i + shift], (double)y[i], 1e-4);
        deepest = fmin(deepest, (double)y[i]);
    }
    CU_ASSERT(deepest < 0.8);
    CU_ASSERT_EQUAL(memcmp(x, z, (size_t)a.problem.points.n * sizeof *x), 0);
    free(x);
    free(y);
    free(z);
    anpe_lte_lines_free(&a.lines);
    anpe_lte_lines_free(&b.lines);
}

/* H delta from a table with S = 10^-3 alpha^-5/2 at every density and temperature, and radiation
 * damping. */
static void test_hydrogen(void)
{
    enum { POINTS = 60000 };
    static float opacity[POINTS], continuum[200];
    anpe_lte_hydrogen h;
    anpe_lte_points p;
    const char *path = in_scratch("stark.dat");
    FILE *f = fopen(path, "w");
    CU_ASSERT_FATAL(f != NULL);
    fprintf(f, "1\n1\n2 6 -4 10\n3.4 0.25 2.5 0.6\n20 3 2\nnl=02 nu=06\n");
    for (int i = 0; i < 6; i++) {
        fprintf(f, " 0.0");
        for (int k = 0; k < 20; k++)
            fprintf(f, " %.4f", -3 - 2.5 * (-4 + 0.25 * k));
        fprintf(f, "\n");
    }
    fclose(f);
    WORKS(anpe_lte_hydrogen_read(ctx, path, &h));
    CU_ASSERT(h.n == 1 && h.line[0].lower == 2 && h.line[0].upper == 6);
    scene r;
    scene_new(&r, turbospectrum, 6690, 6720, 3e-6);
    const double centre = log(4102.892); /* vacuum, NIST */
    anpe_lte_points_set(&p, centre - 0.03, 1e-6, POINTS);
    CU_ASSERT_FATAL(p.n_nodes < 200);
    for (int i = 0; i < 200; i++)
        continuum[i] = 1e-3F;
    const anpe_lte_state *s = &r.state[30];
    memset(opacity, 0, sizeof opacity);
    anpe_lte_hydrogen_opacity(&h, 1, s, r.vmicro, &p, 1e-6, continuum, POINTS, opacity);
    const double f0 = 1.25e-9 * pow(s->ne, 2.0 / 3), nu = ANPE_LTE_LIGHT * 1e8 / 4102.892;
    const double number =
        s->atom[0][0] / anpe_lte_partition(1, 0, s->t) / s->rho * exp(-118352.7 / s->t);
    /* log gf of H delta: -0.753 (NIST) */
    const double total = 0.02654 * pow(10, -0.753) * number *
                         (1 - exp(-ANPE_LTE_PLANCK * nu / (ANPE_LTE_BOLTZMANN * s->t))) * 4102.892 /
                         nu;
    /* Lorentz's wing of radiation: A(2) + A(6), half width in Angstrom over pi */
    const double radiation = (4.699e8 + 5.19e6) * 4102.892 * 4102.892 * 1e-8 /
                             (4 * ANPE_LTE_PI * ANPE_LTE_PI * ANPE_LTE_LIGHT);
    for (double distance = 1; distance < 60; distance *= 2)
        for (int sign = -1; sign < 2; sign += 2) {
            const double at = 4102.892 + sign * distance;
            const float k = opacity[(int)lround((log(at) - p.first) / p.step)];
            const double wing =
                1e-3 * pow(distance / f0, -2.5) / f0 + radiation / (distance * distance);
            CU_ASSERT_DOUBLE_EQUAL((double)k / (total * wing), 1, 0.015);
        }
    anpe_lte_hydrogen_free(&h);
    anpe_lte_lines_free(&r.lines);
    write_bytes(in_scratch("cut.dat"), "1\n1\n2 6 -4 10\n3.4 0.25 2.5 0.6\n20 3 2\n 0.0 1 2 3\n",
                46);
    FAILS(anpe_lte_hydrogen_read(ctx, in_scratch("cut.dat"), &h), ANPE_EFORMAT,
          "ends within the profile 2-6");
    write_bytes(in_scratch("foreign.dat"), "hello\n", 6);
    FAILS(anpe_lte_hydrogen_read(ctx, in_scratch("foreign.dat"), &h), ANPE_EFORMAT,
          "not a table of Stark profiles");
}

/* Area of a profile on the mesh of the fit: flat before it, alpha^-5/2 behind. */
static double area(double first, const double *ln_s)
{
    const int n = ANPE_LTE_STARK_ALPHAS;
    const double h = ANPE_LTE_STARK_STEP * ANPE_LTE_LN10,
                 last = first + ANPE_LTE_STARK_STEP * (n - 1);
    double sum = 2 * pow(10, first) * exp(ln_s[0]) * (1 - h / 2) +
                 2 * pow(10, last) * exp(ln_s[n - 1]) * (2.0 / 3 - h / 2);
    for (int i = 0; i < n; i++)
        sum += 2 * h * pow(10, first + ANPE_LTE_STARK_STEP * i) * exp(ln_s[i]);
    return sum;
}

/* The fit of Stark profiles: areas, Doppler's core at low density, Holtsmark's wing far away. */
static void test_stark(void)
{
    static anpe_lte_doppler doppler;
    double ln_s[ANPE_LTE_STARK_ALPHAS];
    anpe_lte_doppler_init(&doppler);
    for (int i = 0; i < ANPE_LTE_STARK_LINES; i++) {
        const anpe_lte_stark_line *l = &anpe_lte_stark_lines[i];
        const double wavelength =
            911.76 / (1.0 / (l->lower * l->lower) - 1.0 / (l->upper * l->upper));
        for (double log_ne = 10; log_ne < 13.6; log_ne += 0.5)
            for (double t = 3000; t < 15000; t *= 1.7) {
                const double v = sqrt(2 * ANPE_LTE_BOLTZMANN * t / (1.008 * ANPE_LTE_AMU));
                const double w =
                    wavelength * v / ANPE_LTE_LIGHT / (1.25e-9 * pow(10, log_ne / 1.5));
                const double first =
                    anpe_lte_stark_column(&doppler, i, pow(10, log_ne), t, w, ln_s);
                CU_ASSERT_DOUBLE_EQUAL(area(first, ln_s), 1, 0.06);
                const double far = first + ANPE_LTE_STARK_STEP * (ANPE_LTE_STARK_ALPHAS - 1);
                CU_ASSERT_DOUBLE_EQUAL(ln_s[ANPE_LTE_STARK_ALPHAS - 1] + 2.5 * far * ANPE_LTE_LN10,
                                       l->k, 0.03);
            }
        /* a width that hides Stark's: exp(-1.995^2) in the 16th place */
        anpe_lte_stark_column(&doppler, i, 1e12, 5000, 3e4, ln_s);
        CU_ASSERT_DOUBLE_EQUAL(ln_s[16] - ln_s[0], -pow(10, 0.6) + 0.0025, 0.02);
    }
    /* Vidal, Cooper & Smith (1973), as Lemke: H beta at 1e16, 5000 K, alpha 10^-0.4: 10^-0.640
     * where Doppler's width is too small to matter */
    const double first = anpe_lte_stark_column(&doppler, 1, 1e16, 5000, 1e-4, ln_s);
    const double at = (-0.6 - first) / ANPE_LTE_STARK_STEP;
    CU_ASSERT_DOUBLE_EQUAL(ln_s[(int)lround(at)] / ANPE_LTE_LN10, -0.640, 0.05);
}

static const CU_TestInfo tests[] = {
    {"Voigt function", test_voigt},
    {"Voigt window", test_voigt_window},
    {"damping", test_damping},
    {"Turbospectrum lists", test_turbospectrum},
    {"VALD lists", test_vald},
    {"MOOG lists", test_moog},
    {"Kurucz lists", test_kurucz},
    {"bad lists", test_bad_lists},
    {"PFANT lists", test_pfant},
    {"calibrated lists", test_calibrated},
    {"replaced lines", test_replaces},
    {"damping from orbitals", test_orbitals},
    {"damping of the tables", test_generic_damping},
    {"GALAH's list", test_galah},
    {"isotopes", test_isotopes},
    {"line strength", test_strength},
    {"curve of growth", test_growth},
    {"windows", test_windows},
    {"hydrogen", test_hydrogen},
    {"Stark profiles", test_stark},
};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "lte: lines", COUNT(tests), tests);
}
