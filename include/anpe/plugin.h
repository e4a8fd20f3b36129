/* anpe/plugin.h -- the whole contract between anpe and a plugin.
 *
 * A plugin is one shared object that describes itself with constant tables and implements
 * one of eight kinds: simulator, prior, instrument, noise, featurizer, flow, backend, ranks.
 * Copy docs/plugin-template to start; it builds with a C compiler and pkg-config alone.
 *
 * Life of an object: load (once) -> create (one thread) -> info -> any other call, from many
 * threads at once, never two with the same scratch or sampler -> destroy, which takes what create
 * gave, also when a call has failed in between. create that fails leaves nothing. Members of an ops
 * table say where they may be NULL; a table that ends before a member is one where it is.
 *
 * Rules for every callback, unless its comment says otherwise:
 *   - It gets `self` (what create made, read-only) and a context, and MUST be re-entrant: the
 *     core calls it from several threads at once, each with a context of its own.
 *   - It MUST NOT keep mutable globals, start threads, print, or exit.
 *   - Outputs are owned by the host and MUST be filled completely when ANPE_OK is returned.
 *   - Errors are returned as `return ANPE_FAIL(ctx, ANPE_EINVAL, "what is wrong: %g", value);`.
 *   - Randomness comes only from the given rng, so that results do not depend on threads.
 *   - Memory that simulate and sample work in is the host's too: `scratch`, which they get for the
 *     duration of the call, is scratch_size bytes, aligned to 64, with anything in it.
 *   - Pointers that are handed in are valid during the call; a plugin that needs the data
 *     later copies it. Pointers in an info struct stay valid until destroy.
 *
 * Shapes are written (N, D): row-major, last index fastest. Wavelengths are vacuum Angstrom.
 */
#ifndef ANPE_PLUGIN_H
#define ANPE_PLUGIN_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define ANPE_ABI_MAJOR 1u /* differs: the plugin is refused */
#define ANPE_ABI_MINOR 8u /* plugin newer than the host: refused; older: taken as it is */

#if defined __GNUC__
#define ANPE_EXPORT       __attribute__((visibility("default")))
#define ANPE_MUST_CHECK   __attribute__((warn_unused_result))
#define ANPE_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define ANPE_EXPORT
#define ANPE_MUST_CHECK
#define ANPE_PRINTF(f, a)
#endif

/* ---- status and errors ------------------------------------------------------------------- */

#define ANPE_STATUS_LIST(X)                                                                        \
    X(ANPE_OK, 0, "success")                                                                       \
    X(ANPE_ENOMEM, 1, "out of memory")                                                             \
    X(ANPE_EINVAL, 2, "invalid argument or value")                                                 \
    X(ANPE_ECONFIG, 3, "error in the configuration")                                               \
    X(ANPE_EIO, 4, "cannot read or write a file")                                                  \
    X(ANPE_EFORMAT, 5, "a file is not what it should be")                                          \
    X(ANPE_EPLUGIN, 6, "a plugin cannot be used")                                                  \
    X(ANPE_ENUMERIC, 7, "a value is not finite")                                                   \
    X(ANPE_ECANCEL, 8, "cancelled")                                                                \
    X(ANPE_EUNSUPPORTED, 9, "not supported here")                                                  \
    X(ANPE_EINTERNAL, 10, "internal error")

typedef enum anpe_status {
#define X(name, value, text) name = value,
    ANPE_STATUS_LIST(X)
#undef X
} anpe_status;

/* Error slot, log and progress sinks, cancel flag. One per thread; see anpe.h to make one. */
typedef struct anpe_ctx anpe_ctx;

/* Stores the message in ctx and returns status, so that a failing function ends in one line. */
ANPE_EXPORT anpe_status anpe_fail(anpe_ctx *ctx, anpe_status status, const char *file, int line,
                                  const char *format, ...) ANPE_PRINTF(5, 6);
#define ANPE_FAIL(ctx, status, ...) anpe_fail((ctx), (status), __FILE__, __LINE__, __VA_ARGS__)
/* In a function that has `status` and ends in a label `out:`, where all that it made is let go. */
#define ANPE_TRY(call)                                                                             \
    do {                                                                                           \
        if ((status = (call)) != ANPE_OK)                                                          \
            goto out;                                                                              \
    } while (0)

/* ---- memory ------------------------------------------------------------------------------- */

/* An array of the lengths given, all zero, in p; free(p) lets it go. A status, so that all that an
 * object needs is one condition,
 *     if (ANPE_NEW(ctx, s->weight, n_pixels, n_labels) || ANPE_NEW(ctx, s->sum, n_labels))
 *         return ANPE_ENOMEM;
 * or a step of its own, ANPE_TRY(ANPE_NEW(ctx, s, 1)). If it is not to be had, p is NULL and the
 * message says what was wanted and how much; so also where the lengths are no size. Since 1.3. */
#define ANPE_NEW(ctx, p, ...)                                                                      \
    anpe_new((ctx), __FILE__, __LINE__, #p, sizeof *(p), &(p),                                     \
             sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})
/* Room for at least n elements in p, which has room for `room` (an int64_t that starts at 0 with p
 * NULL): at least doubled, the new ones zero. If it is not to be had, both stay. Since 1.3. */
#define ANPE_GROW(ctx, p, room, n)                                                                 \
    anpe_grow((ctx), __FILE__, __LINE__, #p, sizeof *(p), &(p), &(room), (n))
/* For what another library could not have (a copy of a text, a locale). Returns the status. */
#define ANPE_NO_MEMORY(ctx, what) ANPE_FAIL((ctx), ANPE_ENOMEM, "out of memory for %s", (what))
/* What the first two stand on: the array's name, bytes of an element, where the pointer is. */
ANPE_EXPORT anpe_status anpe_new(anpe_ctx *ctx, const char *file, int line, const char *what,
                                 size_t size, void *p, size_t rank,
                                 const int64_t *length) ANPE_MUST_CHECK;
ANPE_EXPORT anpe_status anpe_grow(anpe_ctx *ctx, const char *file, int line, const char *what,
                                  size_t size, void *p, int64_t *room, int64_t n) ANPE_MUST_CHECK;

typedef enum anpe_level { ANPE_DEBUG, ANPE_INFO, ANPE_WARNING } anpe_level;
/* One line, without newline, for the user's log. */
ANPE_EXPORT void anpe_log(anpe_ctx *ctx, anpe_level level, const char *format, ...)
    ANPE_PRINTF(3, 4);

/* ---- random numbers ---------------------------------------------------------------------- */

/* Philox4x32-10 (Salmon et al. 2011): a stream is named, not shared. Copies of an rng give the
 * same numbers; the core hands a different stream to every sample. */
typedef struct anpe_rng {
    uint32_t key[2]; /* seed, purpose */
    uint32_t ctr[4]; /* block, slot, sample index low and high */
    uint32_t buf[4]; /* the current block's output */
    uint32_t left;   /* unused words in buf */
    uint32_t has_spare;
    double spare; /* second Gaussian of the last pair */
} anpe_rng;

ANPE_EXPORT double anpe_uniform(anpe_rng *rng);                      /* in (0, 1), never an end */
ANPE_EXPORT double anpe_normal(anpe_rng *rng);                       /* mean 0, variance 1 */
ANPE_EXPORT int64_t anpe_integer(anpe_rng *rng, int64_t n);          /* in [0, n), n >= 1 */
ANPE_EXPORT void anpe_normals(anpe_rng *rng, int64_t n, float *out); /* n Gaussians */
/* n numbers in (0, 1), never an end: (float)anpe_uniform would round to 1 once in 2^25. Since 1.2.
 */
ANPE_EXPORT void anpe_uniforms(anpe_rng *rng, int64_t n, float *out);

/* ---- options ----------------------------------------------------------------------------- */

/* A table of options is the only way a plugin is configured. The core validates the user's
 * libconfig group against it and fills the plugin's own struct (`options_size` bytes) before
 * create is called. What each type stores at `offset`:
 *   ANPE_T_BOOL  int            0 or 1
 *   ANPE_T_INT   int64_t
 *   ANPE_T_REAL  double
 *   ANPE_T_TEXT  const char *   (never NULL; "" if unset)
 *   ANPE_T_ENUM  int            index into the choices "a|b|c" in `text`; default in `dflt`
 *   ANPE_T_FILE  const char *   absolute path, or ""; the core records its SHA-256
 *   ANPE_T_REALS anpe_reals     list of numbers; default in `text`, as "1 2.5"
 *   ANPE_T_TEXTS anpe_texts     list of strings; default in `text`, as "flux mask"
 *   ANPE_T_ROWS  anpe_rows      list of groups, each a struct filled from the table `rows`
 * A REAL or INT whose default is NAN (ANPE_REQUIRED) must be given by the user; a REAL whose
 * default is NAN and whose `text` is "optional" stays NAN when not given. A TEXT, FILE, REALS or
 * TEXTS whose `text` is NULL must be given; "" is an empty one. An ENUM has at most 16 choices.
 * Strings and lists live as long as `self`. */
typedef enum anpe_type {
    ANPE_T_END,
    ANPE_T_BOOL,
    ANPE_T_INT,
    ANPE_T_REAL,
    ANPE_T_TEXT,
    ANPE_T_ENUM,
    ANPE_T_FILE,
    ANPE_T_REALS,
    ANPE_T_TEXTS,
    ANPE_T_ROWS
} anpe_type;

typedef struct anpe_reals {
    int64_t n;
    const double *v;
} anpe_reals;
typedef struct anpe_texts {
    int64_t n;
    const char *const *v;
} anpe_texts;
typedef struct anpe_rows {
    int64_t n;
    const void *v;
} anpe_rows;

typedef struct anpe_option {
    anpe_type type;
    const char *name, *unit, *help; /* unit "" where there is none */
    size_t offset;                  /* into the options struct */
    double dflt, min, max;          /* REAL, INT, BOOL, ENUM; min and max inclusive */
    const char *text;               /* see above */
    const struct anpe_option *rows; /* ANPE_T_ROWS: the table of one row */
    size_t row_size;                /* ANPE_T_ROWS: sizeof one row's struct */
} anpe_option;

/* clang-format off */
#define ANPE_REQUIRED ((double)__builtin_nan(""))
#define ANPE_UNBOUNDED ((double)__builtin_inf())
#define ANPE_OPT_BOOL(S, f, d, help) \
    { ANPE_T_BOOL, #f, "", help, offsetof(S, f), d, 0, 1, NULL, NULL, 0 }
#define ANPE_OPT_INT(S, f, d, lo, hi, unit, help) \
    { ANPE_T_INT, #f, unit, help, offsetof(S, f), d, lo, hi, NULL, NULL, 0 }
#define ANPE_OPT_REAL(S, f, d, lo, hi, unit, help) \
    { ANPE_T_REAL, #f, unit, help, offsetof(S, f), d, lo, hi, NULL, NULL, 0 }
#define ANPE_OPT_REAL_OPTIONAL(S, f, lo, hi, unit, help) \
    { ANPE_T_REAL, #f, unit, help, offsetof(S, f), ANPE_REQUIRED, lo, hi, "optional", NULL, 0 }
#define ANPE_OPT_TEXT(S, f, d, help) \
    { ANPE_T_TEXT, #f, "", help, offsetof(S, f), 0, 0, 0, d, NULL, 0 }
#define ANPE_OPT_FILE(S, f, d, help) \
    { ANPE_T_FILE, #f, "", help, offsetof(S, f), 0, 0, 0, d, NULL, 0 }
#define ANPE_OPT_ENUM(S, f, d, choices, help) \
    { ANPE_T_ENUM, #f, "", help, offsetof(S, f), d, 0, 0, choices, NULL, 0 }
#define ANPE_OPT_REALS(S, f, d, lo, hi, unit, help) \
    { ANPE_T_REALS, #f, unit, help, offsetof(S, f), 0, lo, hi, d, NULL, 0 }
#define ANPE_OPT_TEXTS(S, f, d, help) \
    { ANPE_T_TEXTS, #f, "", help, offsetof(S, f), 0, 0, 0, d, NULL, 0 }
#define ANPE_OPT_ROWS(S, f, table, R, help) \
    { ANPE_T_ROWS, #f, "", help, offsetof(S, f), 0, 0, 0, NULL, table, sizeof(R) }
#define ANPE_OPT_END { ANPE_T_END, NULL, NULL, NULL, 0, 0, 0, 0, NULL, NULL, 0 }
/* clang-format on */

/* ---- the descriptor ---------------------------------------------------------------------- */

#define ANPE_KIND_LIST(X)                                                                          \
    X(ANPE_SIMULATOR, 1, "simulator")                                                              \
    X(ANPE_PRIOR, 2, "prior")                                                                      \
    X(ANPE_INSTRUMENT, 3, "instrument")                                                            \
    X(ANPE_NOISE, 4, "noise")                                                                      \
    X(ANPE_FEATURIZER, 5, "featurizer")                                                            \
    X(ANPE_FLOW, 6, "flow")                                                                        \
    X(ANPE_BACKEND, 7, "backend")                                                                  \
    X(ANPE_RANKS, 8, "ranks")

typedef enum anpe_kind {
#define X(name, value, text) name = value,
    ANPE_KIND_LIST(X)
#undef X
} anpe_kind;

typedef struct anpe_abi {
    uint32_t size; /* sizeof(anpe_plugin) as the plugin was compiled */
    uint16_t major, minor;
} anpe_abi;

typedef struct anpe_plugin {
    anpe_abi abi; /* ANPE_ABI: first, for ever */
    anpe_kind kind;
    const char *name, *version, *summary;
    uint64_t capabilities;      /* of ANPE_RUNS_PROGRAMS and those of its kind */
    const anpe_option *options; /* ends with ANPE_OPT_END */
    size_t options_size;        /* sizeof the struct they fill */
    /* options: the filled struct, valid until destroy returns. setup: anpe_<kind>_setup below. */
    anpe_status (*create)(anpe_ctx *ctx, const void *options, const void *setup, void **self);
    void (*destroy)(void *self); /* takes NULL */
    const void *ops;             /* anpe_<kind>_ops below */
} anpe_plugin;
/* clang-format off */
#define ANPE_ABI { sizeof(anpe_plugin), ANPE_ABI_MAJOR, ANPE_ABI_MINOR }
/* clang-format on */

/* Capability, of any kind: create starts programs that its options name. A configuration may ask
 * for that; a model file, which is data and may come from anywhere, only when the user allows it
 * with ANPE_ALLOW_PROGRAMS=1 in the environment. */
#define ANPE_RUNS_PROGRAMS ((uint64_t)1 << 63)

/* The one symbol a plugin exports. It answers NULL past its last descriptor, and NULL at once
 * when the plugin is linked to another copy of libanpe than the one that calls it. */
#define ANPE_PLUGIN_ENTRY "anpe_plugin_get"
typedef const anpe_plugin *anpe_plugin_get_fn(const void *host, int index);
ANPE_EXPORT const void *anpe_host(void);

/* ANPE_PLUGINS(&first, &second): in one file at the end, outside any function. */
#define ANPE_PLUGINS(...)                                                                          \
    ANPE_EXPORT const anpe_plugin *anpe_plugin_get(const void *host, int index);                   \
    const anpe_plugin *anpe_plugin_get(const void *host, int index)                                \
    {                                                                                              \
        static const anpe_plugin *const list[] = {__VA_ARGS__, NULL};                              \
        const int n = (int)(sizeof list / sizeof list[0]) - 1;                                     \
        return host == anpe_host() && index >= 0 && index < n ? list[index] : NULL;                \
    }                                                                                              \
    extern int anpe_plugins_wants_a_semicolon

/* The descriptor of a file that holds one plugin, and its entry: by its option table `options` (of
 * a struct OPTIONS), its `create` and its `ops`. */
#define ANPE_PLUGIN(KIND, NAME, VERSION, SUMMARY, OPTIONS, DESTROY)                                \
    static const anpe_plugin plugin = {.abi = ANPE_ABI,                                            \
                                       .kind = KIND,                                               \
                                       .name = NAME,                                               \
                                       .version = VERSION,                                         \
                                       .summary = SUMMARY,                                         \
                                       .options = options,                                         \
                                       .options_size = sizeof(OPTIONS),                            \
                                       .create = create,                                           \
                                       .destroy = DESTROY,                                         \
                                       .ops = &ops};                                               \
    ANPE_PLUGINS(&plugin)

/* ---- labels and spectra ------------------------------------------------------------------ */
#define ANPE_C_KMS 299792.458 /* speed of light, km/s */

/* A stellar parameter. min, max: domain of validity, -inf and inf where unbounded. */
typedef struct anpe_label {
    char name[24], unit[16];
    double min, max;
} anpe_label;

/* One spectrum on the instrument's grid of n pixels (for channels C > 1: (C, n)). All arrays are
 * owned by the host and allocated before the call; sigma and mask have n_pixels entries too.
 * mask: 1 = bad pixel. A pixel whose flux or sigma is not finite, or sigma <= 0, MUST be bad. */
typedef struct anpe_spectrum {
    int64_t n_pixels; /* channels * pixels per channel */
    float *flux, *sigma;
    uint8_t *mask;
    char id[80]; /* the star's identifier, alike in all its spectra; "": the file has none, and the
                  * core names it by the file. Spectra of one identifier are taken as one star's */
} anpe_spectrum;

/* ---- simulator: labels -> noise-free, rest-frame flux on its own grid -------------------- */

typedef struct anpe_simulator_setup {
    size_t size;
    double lambda_min, lambda_max; /* range the instrument needs, margin included; 0, 0: none */
    double resolution;             /* lambda / FWHM of the instrument at its middle; 0: unknown */
} anpe_simulator_setup;

typedef struct anpe_simulator_info {
    int64_t n_labels;
    const anpe_label *labels;
    int64_t n_pixels;
    const double *wavelength; /* (n_pixels) ascending; NULL: the data has no wavelengths */
    double resolution;        /* lambda / FWHM already in the spectra; inf: none; a simulator that
                               * emulates the instrument itself says so with on_grid */
    int on_grid;              /* 1: its pixels and line-spread function are the instrument's */
    int normalised;           /* 1: continuum is near 1; 0: flux of any other unit, absolute or not
                               * known, to which noise in units of the continuum is scaled */
    const float *scatter;     /* since 1.1: (n_pixels) standard deviation of the simulator's own
                               * error, in units of its flux; NULL: none, or not known */
} anpe_simulator_info;

/* A spectral line that a simulator knows of. Since 1.4. */
typedef struct anpe_simulator_line {
    char species[24];  /* "Fe I", "CN" */
    double wavelength; /* vacuum Angstrom */
    double excitation; /* of the lower level, eV */
    double log_gf;
    double depth; /* of this line alone, at its centre: 1 - flux / continuum at the star's surface,
                   * with no broadening but thermal motion, damping and microturbulence */
} anpe_simulator_line;

/* A spectral line as a simulator computes it. Since 1.4. */
typedef struct anpe_line {
    double wavelength;         /* vacuum Angstrom */
    double excitation;         /* of the lower level, eV */
    double log_gf, accuracy;   /* accuracy: standard deviation of log_gf, dex; 0: not known */
    double radiative, stark;   /* widths: s-1; s-1 per electron/cm3 at 10^4 K */
    double waals, waals_power; /* s-1 per H atom/cm3 at 10^4 K; its power of T / 10^4 K */
    char species[24];          /* "Fe I", "12C16O" */
} anpe_line;

typedef struct anpe_simulator_ops {
    size_t size; /* sizeof this struct as the plugin saw it */
    /* *info is zero before the call: what a plugin does not know of stays 0 or NULL. */
    void (*info)(const void *self, anpe_simulator_info *info);
    /* Bytes of scratch that simulate needs for up to n spectra, and derivatives for one. NULL op:
     * none. */
    size_t (*scratch_size)(const void *self, int64_t n);
    /* theta (n, n_labels) in info's order and units, flux (n, n_pixels). A label outside its
     * domain is ANPE_EINVAL naming the label, its range and the value. */
    anpe_status (*simulate)(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                            float *flux, void *scratch);
    /* Since 1.2. theta (n_labels) -> flux (1 + n_labels, n_pixels): row 0 is the spectrum, that of
     * simulate but for rounding, row 1 + k its derivative per unit of label k, at an end of the
     * domain the one from inside. Errors as of simulate. For a simulator that knows derivatives
     * better, or for less, than finite differences of simulate do. NULL op: the core takes those.
     */
    anpe_status (*derivatives)(const void *self, anpe_ctx *ctx, const double *theta, float *flux,
                               void *scratch);
    /* What follows is for looking at one star (`anpe synth`); scratch as for one spectrum, errors
     * as of simulate.
     *
     * Since 1.4. theta (n_labels) -> flux (n_pixels), the very one of simulate, and the continuum
     * (n_pixels) that it was divided by: flux without lines at the star's surface, erg/s/cm2/A.
     * NULL op: not known. */
    anpe_status (*continuum)(const void *self, anpe_ctx *ctx, const double *theta, float *flux,
                             float *continuum, void *scratch);
    /* Since 1.4. The strongest lines with a centre in [low, high], vacuum Angstrom, `room` at most,
     * the deepest first -> line, *n of them. NULL op: not known. */
    anpe_status (*lines)(const void *self, anpe_ctx *ctx, const double *theta, double low,
                         double high, int64_t room, anpe_simulator_line *line, int64_t *n,
                         void *scratch);
    /* Since 1.4. Names of the sources of continuous opacity, NULL at the end; NULL: not known. */
    const char *const *sources;
    /* Since 1.4, with `sources`. At n wavelengths, vacuum Angstrom, in the layer of Rosseland
     * optical depth tau: opacity (n, sources), cm2 per gram. ANPE_EINVAL: no such layer. */
    anpe_status (*opacity)(const void *self, anpe_ctx *ctx, const double *theta, double tau,
                           int64_t n, const double *wavelength, double *opacity, void *scratch);
    /* Since 1.4. Lines first .. first + n - 1, in the order of their wavelengths, into line (n);
     * returns how many there are in all. n may be 0. NULL op: a simulator that has no lines. */
    int64_t (*line_list)(const void *self, int64_t first, int64_t n, anpe_line *line);
    /* Since 1.4. The spectrum with log_gf[i] added to line i's log gf, and log_waals[i] to the
     * log10 of its van der Waals width; either may be NULL: 0 everywhere. theta, flux, scratch and
     * errors as of simulate for one spectrum. NULL op: it cannot be asked. */
    anpe_status (*simulate_lines)(const void *self, anpe_ctx *ctx, const double *theta,
                                  const float *log_gf, const float *log_waals, float *flux,
                                  void *scratch);
    /* Stars that have something in common which takes long to compute, such as a model atmosphere
     * and the profiles of its lines; for grids that are laid out so. The three go together.
     *
     * Since 1.7. is_shared (n_labels): 1 for labels that such stars agree in, else 0. NULL op:
     * there is nothing to share. */
    void (*shared)(const void *self, uint8_t *is_shared);
    /* Since 1.7. Bytes of scratch that simulate_shared needs for up to n spectra. */
    size_t (*shared_scratch_size)(const void *self, int64_t n);
    /* Since 1.7. As simulate; ANPE_EINVAL where rows do not agree in the labels of `shared`. The
     * spectra are those of simulate to 1e-5 of the continuum, and may depend on which rows come
     * together, not on threads. */
    anpe_status (*simulate_shared)(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                                   float *flux, void *scratch);
} anpe_simulator_ops;

/* ---- prior: a joint density of some labels ----------------------------------------------- */

typedef struct anpe_prior_setup {
    size_t size;
    int64_t n_labels;         /* labels that the simulator and the core (rv) know, with domains */
    const anpe_label *labels; /* a bound that the user leaves out is taken from here */
} anpe_prior_setup;

typedef struct anpe_prior_ops {
    size_t size;
    /* The labels this prior gives, in its order; min, max are the support of each (may be inf). */
    void (*info)(const void *self, int64_t *n_labels, const anpe_label **labels);
    anpe_status (*sample)(const void *self, anpe_ctx *ctx, anpe_rng *rng, double *theta);
    /* Natural log of the density at theta (n_labels); -inf outside the support. */
    double (*log_density)(const void *self, const double *theta);
    /* Since 1.3. u (n_labels) in (0, 1) -> theta: of each label the quantile u of its own density,
     * whatever the others are; for designs that fill the prior's range evenly. NULL op: the core
     * takes the quantiles of draws. */
    anpe_status (*quantile)(const void *self, anpe_ctx *ctx, const double *u, double *theta);
} anpe_prior_ops;

/* ---- instrument: grid, reader, bad pixels, continuum rule -------------------------------- */

typedef struct anpe_instrument_setup {
    size_t size;
} anpe_instrument_setup;

/* A line-spread function by wavelength, as a table. Since 1.4. Light of one wavelength comes out as
 * straight lines between the points, nothing beyond the first and the last, scaled to an integral
 * of 1; where its centre lies is the table's word. Between two kernels it is mixed linearly, before
 * the first and after the last it is theirs. */
typedef struct anpe_lsf_table {
    int64_t n_kernels, n_points; /* at least 1, 3 */
    const double *wavelength;    /* (n_kernels) ascending, Angstrom */
    const double *offset;        /* (n_points) ascending, km/s, > 0 to the red */
    const double *kernel;        /* (n_kernels, n_points) not below 0, in any unit */
} anpe_lsf_table;

/* What is known of a continuum rule beside its operations. Since 1.8. */
typedef enum anpe_rule {
    ANPE_RULE_ANY,   /* nothing */
    ANPE_RULE_NONE,  /* it leaves spectra as they are */
    ANPE_RULE_LINEAR /* given sigma and mask it divides by a continuum that is linear in the flux,
                      * which the operation `continuum` gives */
} anpe_rule;

typedef struct anpe_instrument_info {
    int64_t channels, n_pixels; /* one spectrum is (channels, n_pixels); surveys: 1 channel */
    const double *wavelength;   /* (n_pixels) ascending; NULL: no wavelengths */
    const double *resolution;   /* (n_pixels) lambda / FWHM; NULL: no line-spread function */
    int64_t n_segments;         /* detectors or arms: flux is continuous inside one only */
    const int64_t *segment;     /* (n_segments + 1) first pixel of each, then n_pixels */
    const uint8_t *continuum;   /* (n_pixels) 1 = continuum; NULL: found by the core from the
                                 * simulator when needs_continuum, else not used */
    int needs_continuum;        /* 1: normalise wants continuum pixels */
    const uint8_t *exclude;     /* (n_pixels) 1 = never use (line-list mask); may be NULL */
    const anpe_lsf_table *lsf;  /* NULL: a Gaussian of `resolution`. Else this, whatever blur the
                                 * simulator has already; `resolution` is then what the simulator
                                 * is told and no more. Since 1.4 */
    anpe_rule rule;             /* of normalise. Since 1.8 */
} anpe_instrument_info;

/* What wavelengths are measured in. */
typedef enum anpe_medium { ANPE_MEDIUM_UNKNOWN, ANPE_MEDIUM_AIR, ANPE_MEDIUM_VACUUM } anpe_medium;

/* How sure an instrument is that a file is one of its own. */
typedef enum anpe_match {
    ANPE_MATCH_NONE,
    ANPE_MATCH_LAYOUT, /* it could read it, as it could others: nothing says whose it is */
    ANPE_MATCH_SURVEY  /* it has the marks of this survey's product: keywords, names, columns */
} anpe_match;

/* What a file of spectra is, since 1.3. The core zeroes it and sets size; first and last are NAN.
 * What is left open, the core takes from the first spectrum as the instrument reads it. */
typedef struct anpe_recognition {
    size_t size;
    anpe_match match;
    char what[96];      /* "LAMOST low-resolution spectrum, an image of 5 rows" */
    char survey[32];    /* "LAMOST"; with MATCH_SURVEY */
    char object[80];    /* the star's identifier */
    int64_t n_spectra;  /* 0: not said */
    double first, last; /* range of wavelengths, Angstrom as stored */
    anpe_medium medium; /* of the stored wavelengths */
    char frame[96];     /* in words: "heliocentric", "observed; 12.3 km/s still to be added" */
    char options[256];  /* what the instrument must be told beyond its defaults to read this file,
                         * as in a configuration: "windows = [ 4000.0, 6800.0 ];" */
    char why[256];      /* with MATCH_NONE, from an instrument that reads files of many kinds: why
                         * not this one, in words that go on after "FILE: "; "" else */
} anpe_recognition;

typedef struct anpe_instrument_ops {
    size_t size;
    void (*info)(const void *self, anpe_instrument_info *info);
    /* How many spectra the file holds; 0: none of its own, it is read with another file of its star
     * (an arm beside another). NULL read: only HDF5 spectra, which the core reads. */
    anpe_status (*count)(const void *self, anpe_ctx *ctx, const char *path, int64_t *n);
    /* Spectrum `row` of the file, as the survey has it (not normalised), bad-pixel bits applied. */
    anpe_status (*read)(const void *self, anpe_ctx *ctx, const char *path, int64_t row,
                        anpe_spectrum *s);
    /* The continuum rule, in place, alike for simulated and observed spectra: divides flux and
     * sigma. continuum (n_pixels): the pixel set, NULL when not needed. Bad pixels are not
     * fitted. NULL op: no rule. */
    anpe_status (*normalise)(const void *self, anpe_ctx *ctx, const uint8_t *continuum,
                             anpe_spectrum *s);
    /* Shapes that normalise takes out of a spectrum whose continuum is near 1: to first order in
     * small e_j, normalise(f (1 + sum_j e_j mode_j)) = normalise(f). A likelihood of normalised
     * spectra must leave them free. Returns how many there are and fills mode (n, n_pixels) unless
     * it is NULL. NULL op: none is known. Since ABI 1.1. */
    int64_t (*continuum_modes)(const void *self, float *mode);
    /* Since 1.2, beside continuum_modes. For a rule whose continuum is a fit of these modes that is
     * linear in the flux: given the sigma and the mask of s, normalise divides pixel i by
     *     sum_j mode_ji c_j,   c_j = sum_i weight_ji flux_i.
     * Fills weight (n, n_pixels), 0 where the fit does not look; rows of modes that the good pixels
     * do not fix are 0, their pixels bad. A likelihood, which normalises many model spectra alike,
     * does it by these products. continuum as for normalise. NULL op: not such a rule. */
    anpe_status (*continuum_weights)(const void *self, anpe_ctx *ctx, const uint8_t *continuum,
                                     const anpe_spectrum *s, double *weight);
    /* Since 1.3. What the file is; match stays NONE where it is none of this instrument's, or
     * cannot be read: that is no error, and nothing is logged. Looks at headers, not at pixels. No
     * self: options do not change what a file is. NULL op: the instrument recognises nothing. */
    anpe_status (*recognise)(anpe_ctx *ctx, const char *path, anpe_recognition *out);
    /* Since 1.3. Names, NULL at the end, of the options that concern only how files are read: which
     * rows, which bits, which frame. They may be set again when a model is used; those that the
     * network has learned with (the grid, the continuum rule) may not. NULL: none. */
    const char *const *reading;
    /* Since 1.8, with ANPE_RULE_LINEAR, for a rule that no few modes make. Given the sigma and the
     * mask of s, what normalise divides by: of each of n finite spectra flux (n, n_pixels) ->
     * continuum (n, n_pixels), pixels that it makes bad not positive or no number. Derivatives of a
     * spectrum are taken for spectra, too. continuum_set as for normalise. */
    anpe_status (*continuum)(const void *self, anpe_ctx *ctx, const uint8_t *continuum_set,
                             const anpe_spectrum *s, int64_t n, const float *flux,
                             float *continuum);
} anpe_instrument_ops;

/* ---- noise: sigma and masks as the survey has them --------------------------------------- */

typedef struct anpe_noise_setup {
    size_t size;
    const anpe_instrument_info *instrument;
    const char *instrument_name; /* since 1.2; may be NULL: not known */
} anpe_noise_setup;

/* Capability of a noise model whose data has no density given a model flux. */
#define ANPE_NOISE_NO_LIKELIHOOD ((uint64_t)1)

/* What the sigma of a noise model is in: the unit of the flux that it is given, or of the continuum
 * of that flux, as error bars of normalised spectra are. Since 1.2. */
typedef enum anpe_noise_unit { ANPE_NOISE_IN_FLUX, ANPE_NOISE_IN_CONTINUUM } anpe_noise_unit;

typedef struct anpe_noise_ops {
    size_t size;
    /* s->flux: a noise-free spectrum, in the simulator's unit; fills s->sigma and s->mask. n_pixels
     * as in s. */
    anpe_status (*draw)(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *s);
    /* Adds noise to s->flux. NULL: flux += sigma * N(0, 1) on every pixel. */
    anpe_status (*add)(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *s);
    /* log p(observed | model flux), good pixels only. NULL: independent Gaussians. */
    double (*log_likelihood)(const void *self, const anpe_spectrum *observed, const float *model);
    /* What the sigma of draw is in: the core scales IN_CONTINUUM to the continuum that the
     * instrument's rule finds, where the simulator's flux is not normalised, and refuses where
     * there is no rule. NULL: IN_FLUX. Since 1.2. */
    anpe_noise_unit (*unit)(const void *self);
} anpe_noise_ops;

/* Real error bars and masks, as `anpe noise` writes them. rows x n_pixels; owned by the plugin. */
typedef struct anpe_noise_library {
    int64_t n_rows, n_pixels;
    float *sigma;  /* (n_rows, n_pixels) of the normalised spectrum */
    uint8_t *mask; /* (n_rows, n_pixels) 1 = bad */
} anpe_noise_library;
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_noise_library_read(anpe_ctx *ctx, const char *path,
                                                                anpe_noise_library *library);
/* The same for a noise model of this instrument, since 1.2: what the file says of the instrument it
 * was made for must be this one: its pixels, its attribute `instrument`, and `wavelength`, to 1e-3
 * of a pixel. With wavelengths, pixels whose error bar stands for none are bad. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_noise_library_load(anpe_ctx *ctx, const char *path,
                                                                const anpe_noise_setup *setup,
                                                                anpe_noise_library *library);
ANPE_EXPORT void anpe_noise_library_free(anpe_noise_library *library); /* frees the arrays */

/* ---- networks ---------------------------------------------------------------------------- */

#include <anpe/graph.h>

typedef struct anpe_featurizer_setup {
    size_t size;
    int64_t length, channels; /* of the input (B, length, channels) */
    int64_t n_features;       /* width of the context vector to make; 0: the featurizer's own */
} anpe_featurizer_setup;

typedef struct anpe_featurizer_ops {
    size_t size;
    /* x (B, L, C) -> *features (B, n_features). Errors of the builder need no check here. */
    anpe_status (*build)(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node x,
                         anpe_node *features);
} anpe_featurizer_ops;

typedef struct anpe_flow_setup {
    size_t size;
    int64_t n_labels, n_context;
    uint32_t seed; /* for fixed permutations */
} anpe_flow_setup;

typedef struct anpe_flow_ops {
    size_t size;
    /* labels (B, D) standardised, context (B, F) -> *log_prob (B, 1). */
    anpe_status (*build)(const void *self, anpe_ctx *ctx, anpe_graph *g, anpe_node labels,
                         anpe_node context, anpe_node *log_prob);
    /* Prepares a sampler from read-only weights, which outlive it. */
    anpe_status (*sampler_new)(const void *self, anpe_ctx *ctx, const anpe_weights *weights,
                               void **sampler);
    void (*sampler_free)(void *sampler);
    /* Bytes of scratch that sample needs for up to n draws. NULL op: none. */
    size_t (*scratch_size)(const void *self, int64_t n);
    /* n draws for one context (F): z (n, D) standard normal and u (n, D) uniform in (0,1) (for
     * the choice of mixture components) -> labels (n, D) and, unless NULL, log_prob (n). */
    anpe_status (*sample)(const void *self, anpe_ctx *ctx, const void *sampler,
                          const float *context, int64_t n, const float *z, const float *u,
                          float *labels, float *log_prob, void *scratch);
} anpe_flow_ops;

/* ---- backend: matrix products and, if it has better, whole operations -------------------- */

/* Numbers that factors of products, and tensors, are held in (anpe/bfloat16.h); sums are float in
 * either. */
typedef enum anpe_number { ANPE_NUMBER_FLOAT, ANPE_NUMBER_BFLOAT16 } anpe_number;
/* Capability of a backend: some of its operations take bfloat16. */
#define ANPE_CAN_BFLOAT16 1u

typedef struct anpe_backend_setup {
    size_t size;
    /* since 1.1. BFLOAT16 is asked only of a backend that says CAN_BFLOAT16, which refuses with
     * ANPE_EUNSUPPORTED and the reason where the processor has no instructions for it. */
    anpe_number precision;
} anpe_backend_setup;

/* An operation of the network, by its name in graph.h, which a backend may take over as a whole:
 * conv1d, linear, masked_linear, gru. Shapes and layouts are those of graph.h; parameters and their
 * gradients are float. */
typedef struct anpe_backend_request {
    size_t size;
    const char *operation;
    int rank;                       /* of its tensors: (B, L, C) 2, (B, F) 1 */
    int64_t batch;                  /* calls have 1 .. batch rows */
    int64_t length, in, out, width; /* L (1), channels in and out, pixels of the kernel (1) */
    unsigned flags;                 /* ANPE_RELU; others do not change the operation */
    anpe_number precision;          /* BFLOAT16: inputs and weights may be rounded to it */
    int train;                      /* operation_backward will be called */
    /* What the input and the output are stored in, each with its gradient; BFLOAT16 only for
     * operations of anpe_backend_ops.stores_bfloat16. */
    anpe_number in_stored, out_stored;
} anpe_backend_request;

typedef struct anpe_backend_operation {
    size_t size;
    void *state;                     /* the backend's; NULL: declined, the core's kernels run */
    size_t saved_size, scratch_size; /* bytes of anpe_call's saved and scratch */
    unsigned backward_needs;         /* of ANPE_NEEDS_INPUT, _OUTPUT; on entry the core's own */
} anpe_backend_operation;

typedef struct anpe_backend_ops {
    size_t size;
    /* Row-major C (m, n) = alpha op(A) op(B) + beta C, op = transpose where ta or tb; lda, ldb,
     * ldc: distance of rows. Single-threaded, called from several threads at once. */
    void (*sgemm)(const void *self, int ta, int tb, int64_t m, int64_t n, int64_t k, float alpha,
                  const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                  int64_t ldc);
    void (*dgemm)(const void *self, int ta, int tb, int64_t m, int64_t n, int64_t k, double alpha,
                  const double *a, int64_t lda, const double *b, int64_t ldb, double beta,
                  double *c, int64_t ldc);
    /* Since 1.1; all of them or none (NULL). new is called in set-up, once for every operation of
     * every executor: it allocates what the operation needs, so that the others allocate nothing.
     * An operation is used by one thread at a time, different ones side by side. Results MUST NOT
     * depend on which thread calls or how many do. */
    anpe_status (*operation_new)(const void *self, anpe_ctx *ctx,
                                 const anpe_backend_request *request,
                                 anpe_backend_operation *operation);
    void (*operation_free)(void *state);
    /* Before the first call and whenever the weights (call->parameter) have changed. */
    void (*operation_prepare)(void *state, const anpe_call *call);
    /* As forward and backward of anpe_operation; backward may set where grad_in_empty. */
    void (*operation_forward)(void *state, const anpe_call *call);
    void (*operation_backward)(void *state, const anpe_call *call);
    /* Names, NULL at the end, of the operations of which tensors may be stored in bfloat16 when
     * that is the precision asked for; requests where one is are not declined. May be NULL. */
    const char *const *stores_bfloat16;
    /* Since 1.2: the kernels in force, as the library below calls them ("Haswell"), for records of
     * what a result was computed with; valid until destroy. NULL op: it does not say. */
    const char *(*kernels)(const void *self);
} anpe_backend_ops;

/* ---- ranks: messages between the processes of one run; since 1.6 -------------------------- */

/* What starts a run as several processes (MPI, say) numbers them 0 .. n - 1; such a number is a
 * rank. The core decides what is sent to whom, a plugin of this kind carries it. create joins the
 * run and comes once in a process, before any thread; destroy leaves it, once all ranks have come
 * to their end. Its calls are made by the thread that created it, so it is the one kind that need
 * not be re-entrant and whose `self` may change. The library below it may start threads. */
typedef struct anpe_ranks_ops {
    size_t size;
    void (*place)(const void *self, int *rank, int *n);
    /* Start to carry `bytes` bytes to or from another rank, and return at once; `data` is the
     * caller's and stays as and where it is until `test` says so. Messages of one tag (0 .. 15)
     * between two ranks arrive in the order in which they were sent, and a receive asks for as many
     * bytes as were sent, at most INT_MAX. *job: for test and forget. */
    anpe_status (*send)(void *self, anpe_ctx *ctx, int to, int tag, const void *data, size_t bytes,
                        int *job);
    anpe_status (*receive)(void *self, anpe_ctx *ctx, int from, int tag, void *data, size_t bytes,
                           int *job);
    /* *done 1: what the job was given may be used again, and the job is no more. */
    anpe_status (*test)(void *self, anpe_ctx *ctx, int job, int *done);
    /* After a failure, when the run ends: the job is no more. Must not wait for the other side. */
    void (*forget)(void *self, int job);
    /* Whether a message of that tag waits, of any rank: *from, -1: none. */
    anpe_status (*probe)(void *self, anpe_ctx *ctx, int tag, int *from, size_t *bytes);
    /* Ends all ranks at once, this one too, with that exit status; need not return. */
    void (*end)(void *self, int exit_status);
} anpe_ranks_ops;

#include <anpe/help.h>

#ifdef __cplusplus
}
#endif
#endif
