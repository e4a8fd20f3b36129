/* lines.h -- the parts of the simulator `lines`, shared by its files and its unit test.
 *
 * Units: wavelengths vacuum Angstrom, temperatures K, pressures dyn/cm^2, densities cm^-3,
 * energies eV, velocities km/s; opacities cm^2 per hydrogen nucleus. See README.md for the
 * equations. */
#ifndef ANPE_LINES_H
#define ANPE_LINES_H
#include <anpe/plugin.h>

/* ---- atomic data: elements.c ------------------------------------------------------------- */

/* symbol, log abundance with H = 12 (Asplund et al. 2009), mass (u), first and second ionisation
 * energy (eV; NIST), alpha element */
#define ANPE_LINES_ELEMENTS(X)                                                                     \
    X(H, "h", 12.00, 1.008, 13.598, 99.0, 0)                                                       \
    X(C, "c", 8.43, 12.011, 11.260, 24.383, 0)                                                     \
    X(O, "o", 8.69, 15.999, 13.618, 35.121, 1)                                                     \
    X(NA, "na", 6.24, 22.990, 5.139, 47.286, 0)                                                    \
    X(MG, "mg", 7.60, 24.305, 7.646, 15.035, 1)                                                    \
    X(AL, "al", 6.45, 26.982, 5.986, 18.829, 0)                                                    \
    X(SI, "si", 7.51, 28.085, 8.152, 16.346, 1)                                                    \
    X(S, "s", 7.12, 32.06, 10.360, 23.338, 1)                                                      \
    X(K, "k", 5.03, 39.098, 4.341, 31.625, 0)                                                      \
    X(CA, "ca", 6.34, 40.078, 6.113, 11.872, 1)                                                    \
    X(SC, "sc", 3.15, 44.956, 6.561, 12.800, 0)                                                    \
    X(TI, "ti", 4.95, 47.867, 6.828, 13.576, 1)                                                    \
    X(V, "v", 3.93, 50.942, 6.746, 14.618, 0)                                                      \
    X(CR, "cr", 5.64, 51.996, 6.767, 16.486, 0)                                                    \
    X(MN, "mn", 5.43, 54.938, 7.434, 15.640, 0)                                                    \
    X(FE, "fe", 7.50, 55.845, 7.902, 16.199, 0)                                                    \
    X(CO, "co", 4.99, 58.933, 7.881, 17.084, 0)                                                    \
    X(NI, "ni", 6.22, 58.693, 7.640, 18.169, 0)                                                    \
    X(SR, "sr", 2.87, 87.62, 5.695, 11.030, 0)                                                     \
    X(Y, "y", 2.21, 88.906, 6.217, 12.224, 0)                                                      \
    X(BA, "ba", 2.18, 137.327, 5.212, 10.004, 0)

typedef enum anpe_lines_el {
#define X(id, symbol, abundance, mass, i1, i2, alpha) ANPE_EL_##id,
    ANPE_LINES_ELEMENTS(X)
#undef X
        ANPE_EL_COUNT
} anpe_lines_el;

typedef struct anpe_lines_element {
    const char *symbol;
    double abundance, mass;
    double ionisation[2]; /* neutral -> once, once -> twice ionised */
    int alpha;
} anpe_lines_element;
extern const anpe_lines_element anpe_lines_elements[ANPE_EL_COUNT];

/* Partition function of ion stage 1 (neutral) or 2 (once ionised): sum over the low terms. */
double anpe_lines_partition(int element, int ion, double temperature);

/* ---- line list: table_*.c ---------------------------------------------------------------- */

typedef enum anpe_lines_ref {
    ANPE_REF_EXACT,     /* hydrogen: computed from the exact radial integrals */
    ANPE_REF_NIST,      /* compilations in the NIST Atomic Spectra Database */
    ANPE_REF_SMITH,     /* Smith et al. 2013, ApJ 765, 16 */
    ANPE_REF_ANDREASEN, /* Andreasen et al. 2016, A&A 585, A143 */
    ANPE_REF_APPROX     /* approximate: astrophysical strength, by hand */
} anpe_lines_ref;

typedef struct anpe_lines_row {
    int element, ion;  /* anpe_lines_el; 1 neutral, 2 once ionised */
    double wavelength; /* vacuum Angstrom */
    double excitation; /* of the lower level, eV */
    double log_gf;
    double damping;     /* log10 van der Waals rate per H atom at 10^4 K (rad/s cm^3); 0: Unsoeld;
                         * hydrogen: principal quantum number of the upper level */
    anpe_lines_ref ref; /* where log_gf is from */
} anpe_lines_row;
extern const anpe_lines_row anpe_lines_optical[], anpe_lines_infrared[];
extern const int anpe_lines_n_optical, anpe_lines_n_infrared;
/* Row i of both tables as one list, by wavelength; NULL past the end. */
const anpe_lines_row *anpe_lines_table(int i);

/* ---- the layer: layer.c ------------------------------------------------------------------ */

typedef struct anpe_lines_star {
    double teff, logg, fe_h, vmicro, vmacro;
    double x_fe[ANPE_EL_COUNT]; /* [X/Fe] */
} anpe_lines_star;

typedef struct anpe_lines_layer {
    double teff, t_surface;          /* of the continuum, of the grey surface */
    double temperature;              /* of the layer in which lines form */
    double pe, pg;                   /* electron and gas pressure */
    double n_h, n_e;                 /* hydrogen nuclei and electrons per cm^3 */
    double abundance[ANPE_EL_COUNT]; /* number per hydrogen nucleus */
    double stage[ANPE_EL_COUNT][2];  /* fraction neutral, once ionised */
    double partition[ANPE_EL_COUNT][2];
} anpe_lines_layer;

void anpe_lines_layer_solve(anpe_lines_layer *layer, const anpe_lines_star *star);
/* Continuous opacity at `wavelength`, for the layer's temperature and electron pressure. */
double anpe_lines_continuum(const anpe_lines_layer *layer, double wavelength);
/* B(t_surface) / B(teff): residual flux of a saturated line. */
double anpe_lines_floor(const anpe_lines_layer *layer, double wavelength);

/* One line in one layer. */
typedef struct anpe_lines_profile {
    double strength; /* eta0: line over continuous opacity is eta0 H(a, v) */
    double a;        /* damping in Doppler widths */
    double doppler;  /* km/s */
} anpe_lines_profile;
anpe_lines_profile anpe_lines_profile_of(const anpe_lines_layer *layer, const anpe_lines_row *row,
                                         double vmicro);

/* ---- Voigt function: voigt.c ------------------------------------------------------------- */

#define ANPE_VOIGT_TERMS 24
typedef struct anpe_voigt {
    double scale, coefficient[ANPE_VOIGT_TERMS];
} anpe_voigt;
void anpe_voigt_init(anpe_voigt *voigt);
/* out[i] = H(a, (first + i) step - centre), a >= 0; step and centre in Doppler widths. */
void anpe_voigt_fill(const anpe_voigt *voigt, double a, double centre, double step, int64_t first,
                     int64_t n, float *out);
/* eta[i] += strength H(a, v_i), i in [0, n), v_i = ((double)(first + i) - centre) step, as far as
 * it is above `cut`, which is subtracted so that a profile ends without a step. stark: Voigt
 * wings are turned into those of the linear Stark effect (hydrogen). */
void anpe_voigt_add(const anpe_voigt *voigt, const anpe_lines_profile *profile, double centre,
                    double step, int stark, double cut, int64_t first, int64_t n, float *eta);

/* Loops that gain from wider vectors have a version for each, chosen at run time (include config.h
 * first). Not with sanitizers, which start after the choice is made. */
#if defined ANPE_HAVE_TARGET_CLONES && !defined ANPE_SANITIZE
#define ANPE_LINES_CLONES                                                                          \
    __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define ANPE_LINES_CLONES
#endif

/* ---- broadening: broaden.c --------------------------------------------------------------- */

typedef enum anpe_lines_macro {
    ANPE_MACRO_RADIAL_TANGENTIAL,
    ANPE_MACRO_GAUSSIAN
} anpe_lines_macro;
/* Half length (fine pixels) of the macroturbulence kernel. */
int64_t anpe_lines_kernel_half(double vmacro, double fine);
/* Macroturbulence of `vmacro` on pixels of `fine` km/s, averaged over `m` of them: fills
 * kernel[0 .. 2 half + m - 1), sum 1. */
void anpe_lines_kernel(anpe_lines_macro shape, double vmacro, double fine, int64_t half, int64_t m,
                       float *kernel);
#endif
