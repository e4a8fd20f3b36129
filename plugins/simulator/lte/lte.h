/* lte.h -- the parts of the simulator `lte`, shared by its files and its tests.
 *
 * Units: cgs; wavelengths vacuum Angstrom; energies of levels and ions eV; turbulence km/s;
 * opacities cm2 per gram. Layers run from the surface inwards. Nothing here allocates except the
 * readers, which say so. */
#ifndef ANPE_LTE_H
#define ANPE_LTE_H
#include <anpe/plugin.h>

enum { ANPE_LTE_LAYERS = 128, ANPE_LTE_ELEMENTS = 92, ANPE_LTE_ROWS = 16 /* spectra at once */ };

/* Loops that gain from wider vectors have a version for each, chosen at run time. Not with
 * sanitizers, which start after the choice is made. A file that says so includes config.h first. */
#if defined ANPE_HAVE_TARGET_CLONES && !defined ANPE_SANITIZE
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif

/* CODATA 2018 */
#define ANPE_LTE_BOLTZMANN 1.380649e-16      /* erg/K */
#define ANPE_LTE_PLANCK    6.62607015e-27    /* erg s */
#define ANPE_LTE_LIGHT     2.99792458e10     /* cm/s */
#define ANPE_LTE_EV        1.602176634e-12   /* erg */
#define ANPE_LTE_AMU       1.66053906660e-24 /* g */
#define ANPE_LTE_ME        9.1093837015e-28  /* g */
#define ANPE_LTE_PI        3.14159265358979323846
#define ANPE_LTE_LN10      2.30258509299404568402
#define ANPE_LTE_KEV       (ANPE_LTE_BOLTZMANN / ANPE_LTE_EV) /* eV/K */

/* ---- elements.c, table_partition.c, table_molecule.c ------------------------------------- */

typedef struct anpe_lte_element {
    const char *symbol;
    double mass;          /* u */
    double abundance;     /* log N of the Sun, H = 12; -99: none */
    double ionisation[2]; /* eV */
} anpe_lte_element;
extern const anpe_lte_element anpe_lte_elements[ANPE_LTE_ELEMENTS];
extern const double anpe_lte_partition_fit[ANPE_LTE_ELEMENTS][3][7];

typedef struct anpe_lte_molecule {
    const char *name;
    int z[5];            /* atomic numbers, 0 after the last */
    int ionised, charge; /* atomic number of the part that is an ion, 0: none */
    double dissociation; /* eV */
    double k[6], q[6];
} anpe_lte_molecule;
extern const anpe_lte_molecule anpe_lte_molecules[];
extern const int anpe_lte_n_molecules;
enum { ANPE_LTE_MOLECULES = 96 }; /* at least anpe_lte_n_molecules */

/* ---- text.c: lines of a text file, gzip'ed or not ---------------------------------------- */

typedef struct anpe_lte_text {
    const char *path;
    char *data, *next;
    char *line;     /* the current one, without its end */
    int64_t number; /* of the current line, from 1 */
} anpe_lte_text;
/* Reads the whole file into memory; path must outlive the text. */
anpe_status anpe_lte_text_open(anpe_ctx *ctx, const char *path, anpe_lte_text *text);
void anpe_lte_text_close(anpe_lte_text *text);
/* Moves to the next line; 0 at the end. */
int anpe_lte_text_next(anpe_lte_text *text);
/* Up to n numbers from *at on, separated by blanks or commas; returns how many and moves *at
 * behind. */
int anpe_lte_text_numbers(const char **at, int n, double *values);
/* "FILE:LINE: ..." as ANPE_EFORMAT. */
#define ANPE_LTE_BAD(ctx, text, ...)                                                               \
    anpe_lte_text_fail((ctx), (text), __FILE__, __LINE__, __VA_ARGS__)
anpe_status anpe_lte_text_fail(anpe_ctx *ctx, const anpe_lte_text *text, const char *file, int line,
                               const char *format, ...) ANPE_PRINTF(5, 6);

/* ---- atmosphere.c, grid.c: model atmospheres --------------------------------------------- */

typedef struct anpe_lte_atmosphere {
    int n;                               /* layers */
    double teff, logg, m_h, vmicro;      /* of the model; NAN: the file does not say */
    double abundance[ANPE_LTE_ELEMENTS]; /* log N, H = 12, of the model */
    double tau[ANPE_LTE_LAYERS];         /* log10 of the Rosseland optical depth */
    double rhox[ANPE_LTE_LAYERS];        /* g/cm2 above */
    double t[ANPE_LTE_LAYERS], p[ANPE_LTE_LAYERS],
        ne[ANPE_LTE_LAYERS]; /* gas pressure, electrons/cm3 */
} anpe_lte_atmosphere;

typedef struct anpe_lte_models {
    int64_t n, room;
    anpe_lte_atmosphere *model;
} anpe_lte_models;
/* Appends the models of a file: ATLAS decks (one or many), a MARCS .mod, or a grid in HDF5
 * (README). */
anpe_status anpe_lte_models_read(anpe_ctx *ctx, const char *path, anpe_lte_models *models);
void anpe_lte_models_free(anpe_lte_models *models);

/* Nodes teff x logg x m_h. A grid of one node answers everywhere with its model. */
typedef struct anpe_lte_grid {
    int n[3];        /* nodes of teff, logg, m_h */
    double *axis[3]; /* ascending */
    int layers;
    double *tau;       /* (layers) the common log10 tau_Ross */
    double *structure; /* (n0, n1, n2, 4, layers): ln T, ln P, ln RHOX, ln ne; NAN: no such model;
                        * NULL: of the network, whose ranges are the nodes */
    double *vmicro;    /* (n0, n1, n2) */
    double abundance[ANPE_LTE_ELEMENTS]; /* of the models at m_h = 0 */
} anpe_lte_grid;
anpe_status anpe_lte_grid_new(anpe_ctx *ctx, const anpe_lte_models *models, anpe_lte_grid *grid);
void anpe_lte_grid_free(anpe_lte_grid *grid);
/* A grid that is the network of structure.c. */
anpe_status anpe_lte_grid_own(anpe_ctx *ctx, anpe_lte_grid *grid);
/* Structure between the nodes: cubic in teff where four nodes are there, else linear; linear in
 * logg and m_h. ANPE_EINVAL outside the nodes, or where one that is needed is missing. */
anpe_status anpe_lte_grid_at(anpe_ctx *ctx, const anpe_lte_grid *grid, double teff, double logg,
                             double m_h, anpe_lte_atmosphere *out);

/* ---- structure.c, table_structure.c: the network, made by fit/structure.py --------------- */

enum {
    ANPE_LTE_STRUCTURE_LAYERS = 72,
    ANPE_LTE_STRUCTURE_UNITS = 180,
    ANPE_LTE_STRUCTURE_PARTS = 40,
    ANPE_LTE_STRUCTURE_TEFFS = 26
};
#define ANPE_LTE_STRUCTURE_TOP  (-6.875) /* log10 tau_Ross of the first layer */
#define ANPE_LTE_STRUCTURE_STEP 0.125
/* The rows of weights end with the constants. */
extern const float anpe_lte_structure_first[3 + 1][ANPE_LTE_STRUCTURE_UNITS];
extern const float anpe_lte_structure_last[ANPE_LTE_STRUCTURE_UNITS + 1][ANPE_LTE_STRUCTURE_PARTS];
extern const float anpe_lte_structure_depth[ANPE_LTE_STRUCTURE_PARTS + 1]
                                           [4 * ANPE_LTE_STRUCTURE_LAYERS];
extern const float
    anpe_lte_structure_lowest[ANPE_LTE_STRUCTURE_TEFFS]; /* logg from 3500 K by 250 */
extern const float anpe_lte_structure_abundance[ANPE_LTE_ELEMENTS];
/* Range of teff, logg, m_h: the models that the network was made of. */
extern const double anpe_lte_structure_range[3][2];
/* The lowest logg at an effective temperature. */
double anpe_lte_structure_lowest_logg(double teff);
/* sum (4, layers): ln T, ln P, ln RHOX, ln ne */
void anpe_lte_structure_at(double teff, double logg, double m_h, double *sum);

/* ---- state.c: what the gas of a layer consists of ---------------------------------------- */

typedef struct anpe_lte_state {
    double t, p, ne;                   /* K, gas pressure, electrons per cm3 */
    double nh, n, rho;                 /* hydrogen nuclei, all particles per cm3; g/cm3 */
    double hminus;                     /* per cm3, as are: */
    double atom[ANPE_LTE_ELEMENTS][3]; /* neutral, once, twice ionised */
    double molecule[ANPE_LTE_MOLECULES];
} anpe_lte_state;

/* Partition functions: stage 0 neutral, 1, 2 ions; held at the ends of 1000 to 10 000 K. */
double anpe_lte_partition(int z, int stage, double t);
double anpe_lte_molecule_partition(int molecule, double t);
/* n(ion) ne / n(atom) by Saha's equation, cm-3: stage 0: of the neutral atom, 1: of the once
 * ionised. */
double anpe_lte_saha(int z, int stage, double t);

/* Chemical equilibrium at temperature and gas pressure for abundances log N (H = 12; -99: none) in
 * n layers: conservation of nuclei and charge, Saha's equations, mass action of all molecules of
 * the table. Newton's method in the logarithms of the densities. ANPE_ENUMERIC names the layer
 * where it does not converge to 1e-11. */
anpe_status anpe_lte_state_solve(anpe_ctx *ctx, int n, const double *t, const double *p,
                                 const double abundance[ANPE_LTE_ELEMENTS], anpe_lte_state *state);

/* ---- continuum.c, table_continuum.c ------------------------------------------------------ */

/* Sources of continuous opacity: name, 1 where it scatters */
#define ANPE_LTE_SOURCES(X)                                                                        \
    X(HMINUS_BF, "H- bound-free", 0)                                                               \
    X(HMINUS_FF, "H- free-free", 0)                                                                \
    X(H_BF, "H bound-free", 0)                                                                     \
    X(H_FF, "H free-free", 0)                                                                      \
    X(H2PLUS, "H2+", 0)                                                                            \
    X(H2MINUS_FF, "H2- free-free", 0)                                                              \
    X(HEMINUS_FF, "He- free-free", 0)                                                              \
    X(METAL_BF, "metals bound-free", 0)                                                            \
    X(METAL_FF, "metals free-free", 0)                                                             \
    X(RAYLEIGH_H, "Rayleigh H", 1)                                                                 \
    X(RAYLEIGH_H2, "Rayleigh H2", 1)                                                               \
    X(RAYLEIGH_HE, "Rayleigh He", 1)                                                               \
    X(THOMSON, "electrons", 1)
typedef enum anpe_lte_source {
#define X(id, name, scatters) ANPE_LTE_##id,
    ANPE_LTE_SOURCES(X)
#undef X
        ANPE_LTE_N_SOURCES
} anpe_lte_source;

/* Every source at a wavelength, cm2/g, stimulated emission taken off. */
void anpe_lte_continuum_sources(const anpe_lte_state *s, double wavelength,
                                double source[ANPE_LTE_N_SOURCES]);
/* Their sums: *absorption and *scattering. */
void anpe_lte_continuum(const anpe_lte_state *s, double wavelength, double *absorption,
                        double *scattering);
enum { ANPE_LTE_METALS = 7, ANPE_LTE_METAL_NODES = 81 };
extern const int anpe_lte_metal_z[ANPE_LTE_METALS];
extern const float anpe_lte_metal_bf[ANPE_LTE_METALS][ANPE_LTE_METAL_NODES][4];
extern const double anpe_lte_hminus_bf[9], anpe_lte_hminus_ff[22][11], anpe_lte_hydrogen_bf[6][6];
extern const double anpe_lte_free_free[6][5], anpe_lte_h2minus_ff[4][4], anpe_lte_heminus_ff[4][4];

/* ---- transfer.c -------------------------------------------------------------------------- */

enum { ANPE_LTE_E4_PIECES = 146 }; /* 8 an octave from 2^-12 to 64, and the ends */
/* A depth scale x (column mass, or optical depth where `reference` is the opacity that it is of;
 * then else 1). */
typedef struct anpe_lte_depth {
    int n;
    double first;                /* optical depth of the first layer over its opacity */
    float w[ANPE_LTE_LAYERS][4]; /* step i: of the opacities of layers i - 1 .. i + 2 */
    float least[ANPE_LTE_LAYERS];
    double e4[ANPE_LTE_E4_PIECES][8]; /* E_4: place, coefficients of the distance from it */
} anpe_lte_depth;
void anpe_lte_depth_set(anpe_lte_depth *d, int n, const double *x, const double *reference);
/* Surface flux of m points, erg/s/cm2 per unit of the source function: opacity and source (n,
 * stride). */
void anpe_lte_flux(const anpe_lte_depth *d, int64_t m, int64_t stride, const float *opacity,
                   const float *source, double *flux);
/* The same for the intensity that leaves the surface at an angle of cosine mu. */
void anpe_lte_intensity(const anpe_lte_depth *d, double mu, int64_t m, int64_t stride,
                        const float *opacity, const float *source, double *intensity);
void anpe_lte_optical_depth(const anpe_lte_depth *d, const float *opacity, double *tau);
/* Mean intensity j (n) where the source function is (1 - albedo) b + albedo j. */
void anpe_lte_mean_intensity(int n, const double *tau, const double *b, const double *albedo,
                             double *j);
double anpe_lte_planck(double wavelength, double t); /* erg/s/cm2/sr/A */
double anpe_lte_e4(double x);                        /* exponential integral E_4 */

/* ---- list.c, list_text.c, list_vald.c, damping.c: line lists ----------------------------- */

enum { ANPE_LTE_SPECIES = 512 };
typedef struct anpe_lte_species {
    int z[5], mass[5]; /* ascending z, 0 after the last; mass numbers, 0: not said */
    int charge,
        molecule; /* of the table; -1: an atom or ion; -2: a molecule that is not in the table */
    char name[24];
} anpe_lte_species;

/* One line as a list has it. */
typedef struct anpe_lte_line {
    double wavelength;         /* vacuum Angstrom */
    double excitation, log_gf; /* of the lower level, eV */
    double accuracy;           /* standard deviation of log_gf; 0: the list's option */
    double radiative;          /* s-1; 0: unknown */
    double stark;              /* s-1 per electron/cm3 at 10^4 K; 0: unknown */
    char orbital[2];           /* of lower and upper level, "sp"; 0: unknown */
    double power;              /* of waals < 0, of T / 10^4 K; 0: 0.3 */
    double waals; /* < 0: log10 of s-1 per H atom/cm3 at 10^4 K; >= 20: ABO, sigma (a0^2) + alpha;
                   * else a factor for Unsoeld's approximation, 0: unknown */
} anpe_lte_line;

typedef struct anpe_lte_lines {
    int64_t n, room;
    int n_species;
    anpe_lte_species *species; /* (ANPE_LTE_SPECIES) */
    double *wavelength;        /* vacuum Angstrom, ascending once sorted */
    float *excitation, *log_gf, *accuracy, *radiative, *stark; /* units as above */
    float *waals, *waals_power; /* s-1 per H atom/cm3 at 10^4 K; its power of T / 10^4 K */
    int16_t *of;                /* species */
    int64_t n_hydrogen;         /* lines of hydrogen that were left to hydrogen.c */
} anpe_lte_lines;

typedef enum anpe_lte_format {
    ANPE_LTE_AUTO,
    ANPE_LTE_VALD,
    ANPE_LTE_TURBOSPECTRUM,
    ANPE_LTE_MOOG,
    ANPE_LTE_KURUCZ,
    ANPE_LTE_KURUCZ_MOLECULES,
    ANPE_LTE_PFANT,
    ANPE_LTE_CALIBRATED,
    ANPE_LTE_GALAH
} anpe_lte_format;
#define ANPE_LTE_FORMATS                                                                           \
    "auto|vald|turbospectrum|moog|kurucz|kurucz_molecules|pfant|calibrated|galah"

typedef struct anpe_lte_list_options {
    anpe_lte_format format;
    int vacuum;       /* wavelengths are vacuum; else air above 2000 A (VALD says itself) */
    int replaces;     /* its lines take the place of earlier lists' of the same transition */
    double low, high; /* vacuum Angstrom: lines outside are dropped */
    double unsoeld;   /* factor where the list has no width of its own */
    double accuracy;  /* of log gf, dex, where the list does not say; 0: not known */
} anpe_lte_list_options;

/* Appends the lines of a file, damping completed: the list's, else Unsoeld's and Peytremann's. */
anpe_status anpe_lte_list_read(anpe_ctx *ctx, const char *path, const anpe_lte_list_options *o,
                               anpe_lte_lines *lines);
/* A table of wavelength (air, ascending), species (26.1), log10 of the rate per H at 10^4 K and
 * alpha: Barklem.dat of MOOG. */
typedef struct anpe_lte_broadening {
    int64_t n;
    double *wavelength, *code, *log_rate, *alpha; /* one block, at wavelength */
} anpe_lte_broadening;
anpe_status anpe_lte_broadening_read(anpe_ctx *ctx, const char *path, anpe_lte_broadening *b);
void anpe_lte_broadening_free(anpe_lte_broadening *b);
/* Before the sort: replaces Unsoeld's widths of atomic lines within 0.03 A. Returns how many were
 * found. */
int64_t anpe_lte_broadening_join(const anpe_lte_broadening *b, anpe_lte_lines *lines);
/* Lines from `first` on take the place of those before them of the same element and stage, or
 * molecule, that are within 0.1 A and 0.03 eV, whatever isotopes either names. */
anpe_status anpe_lte_lines_replace(anpe_ctx *ctx, int64_t first, anpe_lte_lines *lines);
/* By wavelength; to be called once all is read. */
anpe_status anpe_lte_lines_sort(anpe_ctx *ctx, anpe_lte_lines *lines);
void anpe_lte_lines_free(anpe_lte_lines *lines);
anpe_line anpe_lte_lines_at(const anpe_lte_lines *lines, int64_t i);

/* For readers. Index of a species, made where it is new; -1 and a message where there is no room.
 */
int anpe_lte_species_add(anpe_ctx *ctx, anpe_lte_lines *lines, const int z[5], const int mass[5],
                         int charge);
anpe_status anpe_lte_line_add(anpe_ctx *ctx, const anpe_lte_list_options *o, int species,
                              const anpe_lte_line *line, anpe_lte_lines *lines);
/* Atomic numbers in a formula such as Fe, TiO or C2; 0 where it is none. */
int anpe_lte_formula(const char *text, size_t length, int z[5]);
anpe_status anpe_lte_read_vald(anpe_ctx *ctx, anpe_lte_text *text, const anpe_lte_list_options *o,
                               anpe_lte_lines *l);
anpe_status anpe_lte_read_turbospectrum(anpe_ctx *ctx, anpe_lte_text *text,
                                        const anpe_lte_list_options *o, anpe_lte_lines *l);
anpe_status anpe_lte_read_moog(anpe_ctx *ctx, anpe_lte_text *text, const anpe_lte_list_options *o,
                               anpe_lte_lines *l);
anpe_status anpe_lte_read_kurucz(anpe_ctx *ctx, anpe_lte_text *text, const anpe_lte_list_options *o,
                                 anpe_lte_lines *l);
anpe_status anpe_lte_read_kurucz_molecules(anpe_ctx *ctx, anpe_lte_text *text,
                                           const anpe_lte_list_options *o, anpe_lte_lines *l);

anpe_status anpe_lte_read_pfant(anpe_ctx *ctx, anpe_lte_text *text, const anpe_lte_list_options *o,
                                anpe_lte_lines *l);
anpe_status anpe_lte_read_calibrated(anpe_ctx *ctx, anpe_lte_text *text,
                                     const anpe_lte_list_options *o, anpe_lte_lines *l);

anpe_status anpe_lte_read_galah(anpe_ctx *ctx, const char *path, const anpe_lte_list_options *o,
                                anpe_lte_lines *l);

/* damping.c: rates at 10^4 K, s-1 per perturber/cm3. ABO: per H atom, and its power of T / 10^4 K.
 */
double anpe_lte_abo(double sigma, double alpha, double mass, double *power);
/* The tables of Anstee, Barklem & O'Mara (s-p, p-d, d-f of neutral atoms) for orbital quantum
 * numbers l and effective quantum numbers n of the lower and the upper level, as a fit that is good
 * to 3 % of sigma and 0.02 of alpha (rms; 6 % and 0.09 where an s level is above a p level). 0:
 * they have no such transition. */
enum { ANPE_LTE_BROADENING_DEGREE = 8, ANPE_LTE_BROADENING_TERMS = 45 };
extern const float anpe_lte_broadening_fit[3][2][2][ANPE_LTE_BROADENING_TERMS];
int anpe_lte_abo_generic(const int l[2], const double n[2], double *sigma, double *alpha);
double anpe_lte_unsoeld(double ionisation, double excitation, double photon, int charge,
                        double mass);
double anpe_lte_stark(double ionisation, double excitation, double photon, int charge);

/* ---- voigt.c, line.c, synthesis.c -------------------------------------------------------- */

enum { ANPE_LTE_VOIGT_TERMS = 18 }; /* to 7e-9, where a float has 1e-7 */
typedef struct anpe_lte_voigt {
    float scale, coefficient[ANPE_LTE_VOIGT_TERMS];
} anpe_lte_voigt;
void anpe_lte_voigt_init(anpe_lte_voigt *voigt);
/* out[i] += strength H(a, (i - centre) dv) for |i - centre| <= reach, 0 <= i < n. */
void anpe_lte_voigt_add(const anpe_lte_voigt *voigt, float strength, float a, double centre,
                        double dv, double reach, int64_t n, float *out);
/* The same for several of one centre and width, whose dampings a are alike: H is taken from one a
 * to the others by its derivative. */
typedef struct anpe_lte_profile {
    float strength, a;
    double reach; /* 0: nothing is added */
    float *out;
} anpe_lte_profile;
void anpe_lte_voigt_share(const anpe_lte_voigt *voigt, int rows, const anpe_lte_profile *profile,
                          double centre, double dv, int64_t n);

/* Points of a spectrum, ln(vacuum wavelength) = first + i step, and nodes of the continuum at every
 * node_step-th. */
typedef struct anpe_lte_points {
    double first, step;
    int64_t n, node_step, n_nodes;
} anpe_lte_points;
void anpe_lte_points_set(anpe_lte_points *p, double first, double step, int64_t n);
/* Lines first .. first + n - 1, borrowed. */
anpe_lte_lines anpe_lte_lines_part(const anpe_lte_lines *l, int64_t first, int64_t n);

/* What lines need of the layers of one spectrum. The pointers are given by the caller. */
typedef struct anpe_lte_line_work {
    int n; /* layers */
    float beta[ANPE_LTE_LAYERS], stark[ANPE_LTE_LAYERS], log_t4[ANPE_LTE_LAYERS],
        perturbers[ANPE_LTE_LAYERS];
    float usual[ANPE_LTE_LAYERS], radiation[ANPE_LTE_LAYERS];
    float *inverse_doppler, *amount; /* (species, layers) */
    const float *log_gf, *log_waals; /* (lines) added to the list's; NULL: nothing */
    const float *continuum;          /* (nodes, layers): absorption */
    int64_t stride;
    float *opacity; /* (layers, stride), to which lines are added */
} anpe_lte_line_work;
void anpe_lte_line_work_set(const anpe_lte_lines *l, int n, const anpe_lte_state *state,
                            const double *vmicro, double c12_c13, anpe_lte_line_work *w);

/* bound.c: what lines come to at most, as far as points reach. */
enum { ANPE_LTE_BOUND_ENERGIES = 17, ANPE_LTE_BOUND_KINDS = 4 };
typedef struct anpe_lte_bounds {
    int n_species;
    float *ln;      /* (blocks of nodes, species, energies, kinds) */
    float *doppler; /* (species) c over the largest width */
} anpe_lte_bounds;
size_t anpe_lte_bounds_floats(const anpe_lte_points *p, int n_species);
/* Of spectra that share temperatures and microturbulence. room: so many floats, borrowed. */
void anpe_lte_bounds_set(const anpe_lte_points *p, double cut, int rows,
                         const anpe_lte_line_work *const *w, int n_species, float *room,
                         anpe_lte_bounds *b);
/* 0: such a line is nowhere above the cut in any layer of these spectra. `distance`
 * in ln(wavelength) of its centre from the nearest point, which is behind `node`; <= 0: among
 * them. */
int anpe_lte_bounds_reach(const anpe_lte_bounds *b, int64_t node, int species, float excitation,
                          float log_strength, const float gamma[3], float power, double wavelength,
                          double distance);

/* Adds the lines to the opacity of `rows` spectra, which share temperatures and microturbulence.
 * bounds: of these, or NULL. Returns how many lines exceed `cut` of the
 * continuum somewhere, as far as `bounds` does not pass over them. */
int64_t anpe_lte_line_opacity(const anpe_lte_lines *l, const anpe_lte_voigt *voigt,
                              const anpe_lte_points *p, double cut, const anpe_lte_bounds *bounds,
                              int rows, const anpe_lte_line_work *const *w);
double anpe_lte_isotope(int z, int mass, double c12_c13);

/* ---- hydrogen.c, hydrogen_stark.c, table_hydrogen.c -------------------------------------- */

/* The fit of Stark profiles: lines of table_hydrogen.c, made by fit/stark.py. */
enum {
    ANPE_LTE_STARK_LINES = 57,
    ANPE_LTE_STARK_ORDER = 14,
    ANPE_LTE_STARK_DEGREE = 5,
    ANPE_LTE_STARK_PAIRS = 15,
    ANPE_LTE_STARK_ALPHAS = 80,
    ANPE_LTE_STARK_NEAR = 23, /* alphas inside eight Doppler widths */
    ANPE_LTE_STARK_STEPS = 88
};
#define ANPE_LTE_STARK_STEP 0.1 /* of log10 alpha */
typedef struct anpe_lte_stark_line {
    int lower, upper;
    double k;
} anpe_lte_stark_line;
extern const anpe_lte_stark_line anpe_lte_stark_lines[ANPE_LTE_STARK_LINES];
extern const float anpe_lte_stark_fit[ANPE_LTE_STARK_LINES][ANPE_LTE_STARK_ORDER]
                                     [ANPE_LTE_STARK_PAIRS];
typedef struct anpe_lte_doppler { /* Doppler's profile at the places of the quadrature */
    double centre[ANPE_LTE_STARK_NEAR];
    double kernel[ANPE_LTE_STARK_NEAR][ANPE_LTE_STARK_STEPS + 1];
} anpe_lte_doppler;
void anpe_lte_doppler_init(anpe_lte_doppler *s);
/* ln S of a line at ANPE_LTE_STARK_ALPHAS steps of log10 alpha, of which the first is returned;
 * S is flat before. w: width of Doppler's profile exp(-(alpha / w)^2), in alpha. */
double anpe_lte_stark_column(const anpe_lte_doppler *s, int line, double ne, double t, double w,
                             double *ln_s);

enum { ANPE_LTE_HYDROGEN_LINES = 100, ANPE_LTE_HYDROGEN_MESH = 360 };
typedef struct anpe_lte_hydrogen_line {
    int lower, upper;         /* principal quantum numbers */
    int fit;                  /* index of the fit's line; -1: of a table, which the rest is of */
    double start[3], step[3]; /* log10 of alpha, ne, T */
    int size[3];
    size_t first; /* of its profiles (ne, T, alpha) in log_s */
} anpe_lte_hydrogen_line;
typedef struct anpe_lte_hydrogen {
    int n;
    anpe_lte_hydrogen_line *line;
    size_t size;
    float *log_s;
    anpe_lte_doppler doppler;
    double folded[ANPE_LTE_HYDROGEN_MESH]; /* see hydrogen.c */
} anpe_lte_hydrogen;
/* The lines of the fit. */
anpe_status anpe_lte_hydrogen_own(anpe_ctx *ctx, anpe_lte_hydrogen *h);
/* Stark profiles in Lemke's format (README), lower levels 2 to 4. */
anpe_status anpe_lte_hydrogen_read(anpe_ctx *ctx, const char *path, anpe_lte_hydrogen *h);
void anpe_lte_hydrogen_free(anpe_lte_hydrogen *h);
/* Adds the lines of hydrogen to opacity (layers, stride), as far as they are above `cut` of the
 * continuum (nodes, layers). */
void anpe_lte_hydrogen_opacity(const anpe_lte_hydrogen *h, int layers, const anpe_lte_state *state,
                               const double *vmicro, const anpe_lte_points *p, double cut,
                               const float *continuum, int64_t stride, float *opacity);

typedef struct anpe_lte_problem {
    int n; /* layers */
    const anpe_lte_state *state;
    const double *depth, *reference, *vmicro; /* (n); reference: see anpe_lte_depth_set */
    double c12_c13, cut, mu;                  /* mu 0: flux, else intensity at that angle */
    const anpe_lte_lines *lines;
    const anpe_lte_voigt *voigt;
    const anpe_lte_hydrogen *hydrogen; /* NULL: none */
    const float *log_gf, *log_waals;   /* (lines) added to those of the lines; NULL: nothing */
    anpe_lte_points points;
} anpe_lte_problem;
size_t anpe_lte_synthesis_scratch(int rows, const anpe_lte_problem *p);
/* p (rows): of one points, lines, temperatures and microturbulence; several differ in abundances
 * alone, and agree with what each is by itself to 1e-5. flux (rows, points.n): over the continuum;
 * continuum (rows, points.n) unless NULL: the flux (erg/s/cm2/A) without lines. scratch: as of
 * anpe_lte_synthesis_scratch, aligned to 64 bytes. */
void anpe_lte_synthesise(int rows, const anpe_lte_problem *p, void *scratch, float *flux,
                         float *continuum);
/* Adds the strongest lines with a centre in [low, high] to the *n that are there, as
 * anpe_simulator_ops.lines has them: `room` at most. Lines of hydrogen are none of the list. */
void anpe_lte_identify(const anpe_lte_problem *p, void *scratch, double low, double high,
                       int64_t room, anpe_simulator_line *line, int64_t *n);

/* ---- windows.c --------------------------------------------------------------------------- */

#define ANPE_LTE_MARGIN 0.03 /* in ln(wavelength): a window sees no lines farther from it */

typedef struct anpe_lte_window {
    double low, high; /* vacuum Angstrom, as asked for */
    int64_t first_pixel, n_pixels;
    anpe_lte_points points; /* of the pixels, m each */
    int64_t first_line;
    anpe_lte_lines lines; /* those that it sees, borrowed */
} anpe_lte_window;
typedef struct anpe_lte_windows {
    int64_t n, m; /* m: points per pixel */
    anpe_lte_window *window;
    int64_t n_pixels;
    double *wavelength; /* (n_pixels), vacuum Angstrom: of all windows, one after the other */
} anpe_lte_windows;
/* n windows, pairs of edges (2 n) in vacuum Angstrom; pixels of kms, points of at most `fine`
 * km/s. */
anpe_status anpe_lte_windows_new(anpe_ctx *ctx, int64_t n, const double *edge, double kms,
                                 double fine, anpe_lte_windows *w);
/* The lines, sorted, that each window sees. */
void anpe_lte_windows_see(anpe_lte_windows *w, const anpe_lte_lines *lines);
void anpe_lte_windows_free(anpe_lte_windows *w);
/* points (points.n) -> pixels (n_pixels) */
void anpe_lte_window_average(const anpe_lte_window *w, const float *points, float *pixels);
#endif
