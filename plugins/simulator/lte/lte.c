/* Simulator `lte`: spectra in local thermodynamic equilibrium from model atmospheres and line
 * lists. See README.md. */
#include "lte.h"
#include "../common/window.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct file_row {
    const char *file;
} file_row;
typedef struct list_row {
    const char *file;
    int format, vacuum, replaces;
    double accuracy;
} list_row;

typedef struct options {
    anpe_texts free, abundances;
    anpe_rows atmospheres, lists;
    anpe_reals windows;
    const char *broadening, *hydrogen;
    double teff, logg, fe_h, alpha_fe, vmicro, c12_c13;
    double lambda_min, lambda_max, step, fine, cut, unsoeld;
    int hydrogen_lines;
} options;

static const anpe_option atmosphere_table[] = {
    ANPE_OPT_FILE(file_row, file, NULL, "ATLAS deck (one or many), MARCS .mod, or grid in HDF5"),
    ANPE_OPT_END};
static const anpe_option list_table[] = {
    ANPE_OPT_FILE(list_row, file, NULL, "line list, may be gzip'ed"),
    ANPE_OPT_ENUM(list_row, format, ANPE_LTE_AUTO, ANPE_LTE_FORMATS,
                  "its format; auto knows vald, turbospectrum, calibrated and galah"),
    ANPE_OPT_BOOL(list_row, vacuum, 0, "wavelengths are vacuum (VALD's lists say it themselves)"),
    ANPE_OPT_BOOL(list_row, replaces, 0,
                  "its lines take the place of the same transitions of the lists before"),
    ANPE_OPT_REAL(list_row, accuracy, 0, 0, 10, "dex",
                  "standard deviation of its log gf, for `anpe calibrate`; 0: not known"),
    ANPE_OPT_END};
static const anpe_option option_table[] = {
    ANPE_OPT_ROWS(options, atmospheres, atmosphere_table, file_row,
                  "model atmospheres, which make one grid; none: the built-in ones"),
    ANPE_OPT_ROWS(options, lists, list_table, list_row, "line lists"),
    ANPE_OPT_FILE(options, broadening, "",
                  "van der Waals widths for lines that have none: the file Barklem.dat of MOOG"),
    ANPE_OPT_FILE(options, hydrogen, "",
                  "Stark profiles of hydrogen in Lemke's format; none: the built-in ones"),
    ANPE_OPT_BOOL(options, hydrogen_lines, 1, "lines of hydrogen"),
    ANPE_OPT_TEXTS(
        options, free, "teff logg fe_h vmicro",
        "labels to infer: teff, logg, fe_h or m_h, alpha_fe, vmicro, c12_c13, X_fe, X_h"),
    ANPE_OPT_TEXTS(options, abundances, "",
                   "further abundance labels, after those of `free`: mg_fe, si_fe, ca_fe, ..."),
    ANPE_OPT_REAL(options, teff, 5000, 2500, 50000, "K", "effective temperature when not free"),
    ANPE_OPT_REAL(options, logg, 3, -1, 6, "dex", "surface gravity when not free"),
    ANPE_OPT_REAL(options, fe_h, 0, -5, 1, "dex", "metallicity when not free"),
    ANPE_OPT_REAL(options, alpha_fe, 0, -1, 1, "dex", "[alpha/Fe] when not free"),
    ANPE_OPT_REAL(options, vmicro, 1.5, 0, 10, "km/s", "microturbulence when not free"),
    ANPE_OPT_REAL(options, c12_c13, 89.9, 1, 1000, "", "12C/13C when not free"),
    ANPE_OPT_REAL(options, lambda_min, 0, 0, 1e6, "Angstrom",
                  "start of the window; 0: what the instrument needs"),
    ANPE_OPT_REAL(options, lambda_max, 0, 0, 1e6, "Angstrom",
                  "end of the window; 0: what the instrument needs"),
    ANPE_OPT_REALS(options, windows, "", 0, 1e6, "Angstrom",
                   "first and last of each of several windows, one after the other (vacuum), in "
                   "place of lambda_min and lambda_max"),
    ANPE_OPT_REAL(options, step, 0, 0, 500, "km/s",
                  "pixel; 0: an eighth of the instrument's resolution element"),
    ANPE_OPT_REAL(options, fine, 0.9, 0.05, 10, "km/s",
                  "largest step at which the spectrum is computed"),
    ANPE_OPT_REAL(options, cut, 1e-4, 1e-8, 0.1, "",
                  "profiles end where they are this fraction of the continuous opacity"),
    ANPE_OPT_REAL(options, unsoeld, 2.5, 0.1, 10, "",
                  "factor for Unsoeld's width of lines whose list has none"),
    ANPE_OPT_END};

/* Labels that are not abundances, at fixed places of a star. */
typedef struct star {
    double teff, logg, fe_h, alpha_fe, vmicro, c12_c13;
    double x_fe[ANPE_LTE_ELEMENTS];
} star;
static const struct {
    const char *name, *unit;
    size_t offset;
    double min, max;
} base_labels[] = {{"teff", "K", offsetof(star, teff), 2500, 50000},
                   {"logg", "dex", offsetof(star, logg), -1, 6},
                   {"fe_h", "dex", offsetof(star, fe_h), -5, 1},
                   {"m_h", "dex", offsetof(star, fe_h), -5, 1},
                   {"alpha_fe", "dex", offsetof(star, alpha_fe), -1, 1},
                   {"vmicro", "km/s", offsetof(star, vmicro), 0.1, 10},
                   {"c12_c13", "", offsetof(star, c12_c13), 1, 1000}};
enum {
    N_BASE = sizeof base_labels / sizeof base_labels[0],
    MAX_LABELS = N_BASE + ANPE_LTE_ELEMENTS
};

typedef struct target {
    int base;    /* index of base_labels; -1: an abundance */
    int z, of_h; /* element of an abundance; X_h instead of X_fe */
} target;

typedef struct lte {
    int n_labels;
    anpe_label labels[MAX_LABELS];
    target targets[MAX_LABELS];
    star fixed;
    anpe_lte_grid grid;
    anpe_lte_lines lines;
    anpe_lte_voigt voigt;
    anpe_lte_hydrogen hydrogen;
    double cut;
    anpe_lte_windows windows;
} lte;

static int is_alpha(int z)
{
    return z == 8 || z == 10 || z == 12 || z == 14 || z == 16 || z == 18 || z == 20 || z == 22;
}

/* ---- labels ----------------------------------------------------------------------------- */

/* mg_fe, mg_h: the element, 0 if it is none. */
static int element_of(const char *name, int *of_h)
{
    char symbol[4] = "";
    const char *under = strchr(name, '_');
    if (!under || under - name > 2 || (strcmp(under, "_fe") != 0 && strcmp(under, "_h") != 0))
        return 0;
    *of_h = strcmp(under, "_h") == 0;
    memcpy(symbol, name, (size_t)(under - name));
    for (int i = 0; symbol[i]; i++)
        if (symbol[i] < 'a' || symbol[i] > 'z')
            return 0;
    if (symbol[0])
        symbol[0] = (char)(symbol[0] - 'a' + 'A');
    for (int z = 3; z <= ANPE_LTE_ELEMENTS; z++)
        if (strcmp(symbol, anpe_lte_elements[z - 1].symbol) == 0)
            return anpe_lte_elements[z - 1].abundance > -90 && z != 26 ? z : 0;
    return 0;
}

static anpe_status add_label(lte *s, anpe_ctx *ctx, const char *name)
{
    target t = {.base = -1};
    for (int i = 0; i < s->n_labels; i++)
        if (strcmp(s->labels[i].name, name) == 0)
            return ANPE_OK;
    for (int i = 0; i < N_BASE; i++)
        if (strcmp(base_labels[i].name, name) == 0)
            t.base = i;
    if (t.base < 0 && !(t.z = element_of(name, &t.of_h)))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "unknown label '%s'; known: teff, logg, fe_h or m_h, alpha_fe, vmicro, "
                         "c12_c13, and X_fe or X_h "
                         "for an element X such as mg",
                         name);
    for (int i = 0; i < s->n_labels; i++)
        if ((t.base >= 0 && s->targets[i].base >= 0 &&
             base_labels[t.base].offset == base_labels[s->targets[i].base].offset) ||
            (t.base < 0 && s->targets[i].z == t.z))
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "labels %s and %s are one", s->labels[i].name,
                             name);
    anpe_label *label = &s->labels[s->n_labels];
    *label = (anpe_label){.min = t.base >= 0 ? base_labels[t.base].min
                                 : t.of_h    ? -6
                                             : -3,
                          .max = t.base >= 0 ? base_labels[t.base].max : 3};
    snprintf(label->name, sizeof label->name, "%s", name);
    snprintf(label->unit, sizeof label->unit, "%s", t.base >= 0 ? base_labels[t.base].unit : "dex");
    s->targets[s->n_labels++] = t;
    return ANPE_OK;
}

static anpe_status add_labels(lte *s, anpe_ctx *ctx, const options *o)
{
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < o->free.n && !status; i++)
        status = add_label(s, ctx, o->free.v[i]);
    for (int64_t i = 0; i < o->abundances.n && !status; i++) {
        int of_h;
        if (!element_of(o->abundances.v[i], &of_h))
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "option abundances: '%s' is none, such as mg_fe",
                             o->abundances.v[i]);
        status = add_label(s, ctx, o->abundances.v[i]);
    }
    if (!status && s->n_labels == 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "option free: at least one label is needed");
    return status;
}

/* teff, logg and fe_h are bounded by the grid of atmospheres; a single model fits one teff and logg
 * only. */
static anpe_status bound_labels(lte *s, anpe_ctx *ctx)
{
    static const char *const axes[3] = {"teff", "logg", "fe_h"};
    const size_t offsets[3] = {offsetof(star, teff), offsetof(star, logg), offsetof(star, fe_h)};
    const int single = s->grid.n[0] * s->grid.n[1] * s->grid.n[2] == 1;
    for (int i = 0; i < s->n_labels; i++)
        for (int a = 0; a < 3; a++) {
            if (s->targets[i].base < 0 || base_labels[s->targets[i].base].offset != offsets[a])
                continue;
            if (single && a == 2) /* one structure, other abundances */
                continue;
            if (s->grid.n[a] == 1)
                return ANPE_FAIL(ctx, ANPE_ECONFIG,
                                 "label %s cannot be free: the atmospheres have one %s only",
                                 axes[a], axes[a]);
            s->labels[i].min = s->grid.axis[a][0];
            s->labels[i].max = s->grid.axis[a][s->grid.n[a] - 1];
        }
    if (single) {
        s->fixed.teff = s->grid.axis[0][0];
        s->fixed.logg = s->grid.axis[1][0];
    }
    return ANPE_OK;
}

static anpe_status star_of(const lte *s, anpe_ctx *ctx, const double *theta, star *out)
{
    *out = s->fixed;
    for (int i = 0; i < s->n_labels; i++) {
        const anpe_label *l = &s->labels[i];
        if (!(theta[i] >= l->min && theta[i] <= l->max))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "lte: label %s outside [%g, %g]: %g", l->name,
                             l->min, l->max, theta[i]);
        if (s->targets[i].base >= 0)
            memcpy((char *)out + base_labels[s->targets[i].base].offset, &theta[i],
                   sizeof theta[i]);
    }
    for (int z = 3; z <= ANPE_LTE_ELEMENTS; z++)
        out->x_fe[z - 1] = is_alpha(z) ? out->alpha_fe : 0;
    for (int i = 0; i < s->n_labels; i++) /* an element's own label overrides alpha_fe */
        if (s->targets[i].base < 0)
            out->x_fe[s->targets[i].z - 1] = theta[i] - (s->targets[i].of_h ? out->fe_h : 0);
    return ANPE_OK;
}

static anpe_status abundances_of(anpe_ctx *ctx, const star *x, double *abundance)
{
    for (int z = 1; z <= ANPE_LTE_ELEMENTS; z++) {
        const double sun = anpe_lte_elements[z - 1].abundance;
        abundance[z - 1] = z < 3 || sun < -90 ? sun : sun + x->fe_h + x->x_fe[z - 1];
    }
    if (abundance[5] >= abundance[7])
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "lte: C/O = %.3g (A(C) %.2f, A(O) %.2f): atmospheres with more carbon "
                         "than oxygen are not "
                         "computed",
                         pow(10, abundance[5] - abundance[7]), abundance[5], abundance[7]);
    return ANPE_OK;
}

/* ---- set-up ----------------------------------------------------------------------------- */

static anpe_status make_windows(lte *s, anpe_ctx *ctx, const options *o,
                                const anpe_simulator_setup *setup)
{
    const double kms = anpe_window_step(o->step, setup->resolution, 1);
    double edge[2];
    if (o->windows.n == 0) {
        const anpe_status status =
            anpe_window_of(ctx, o->lambda_min, o->lambda_max, setup, &edge[0], &edge[1]);
        return status ? status : anpe_lte_windows_new(ctx, 1, edge, kms, o->fine, &s->windows);
    }
    if (o->lambda_min > 0 || o->lambda_max > 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "windows and lambda_min, lambda_max are given; one of them is expected");
    if (o->windows.n % 2)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "windows has %lld values; pairs of first and last are expected",
                         (long long)o->windows.n);
    return anpe_lte_windows_new(ctx, o->windows.n / 2, o->windows.v, kms, o->fine, &s->windows);
}

static anpe_status read_atmospheres(lte *s, anpe_ctx *ctx, const options *o)
{
    anpe_lte_models models = {0};
    const file_row *rows = o->atmospheres.v;
    if (o->atmospheres.n == 0)
        return anpe_lte_grid_own(ctx, &s->grid);
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < o->atmospheres.n && !status; i++)
        status = anpe_lte_models_read(ctx, rows[i].file, &models);
    if (!status)
        status = anpe_lte_grid_new(ctx, &models, &s->grid);
    anpe_lte_models_free(&models);
    return status;
}

static anpe_status read_lists(lte *s, anpe_ctx *ctx, const options *o)
{
    const list_row *rows = o->lists.v;
    const double low = s->windows.window[0].low, high = s->windows.window[s->windows.n - 1].high;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < o->lists.n && !status; i++) {
        const anpe_lte_list_options list = {.format = (anpe_lte_format)rows[i].format,
                                            .vacuum = rows[i].vacuum,
                                            .replaces = rows[i].replaces,
                                            .accuracy = rows[i].accuracy,
                                            .low = low * exp(-ANPE_LTE_MARGIN),
                                            .high = high * exp(ANPE_LTE_MARGIN),
                                            .unsoeld = o->unsoeld};
        const int64_t before = s->lines.n;
        status = anpe_lte_list_read(ctx, rows[i].file, &list, &s->lines);
        if (!status && s->lines.n == before)
            anpe_log(ctx, ANPE_WARNING, "lte: %s has no line near %g to %g Angstrom", rows[i].file,
                     low, high);
    }
    if (!status && o->broadening[0]) {
        anpe_lte_broadening b;
        status = anpe_lte_broadening_read(ctx, o->broadening, &b);
        if (!status) {
            const int64_t joined = anpe_lte_broadening_join(&b, &s->lines);
            anpe_log(ctx, ANPE_INFO, "lte: widths of %lld lines from %s", (long long)joined,
                     o->broadening);
            anpe_lte_broadening_free(&b);
        }
    }
    return status ? status : anpe_lte_lines_sort(ctx, &s->lines);
}

static anpe_status read_hydrogen(lte *s, anpe_ctx *ctx, const options *o)
{
    if (o->hydrogen[0] && !o->hydrogen_lines)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "hydrogen names a table and hydrogen_lines is false; one of them is "
                         "expected");
    if (!o->hydrogen_lines)
        return ANPE_OK;
    return o->hydrogen[0] ? anpe_lte_hydrogen_read(ctx, o->hydrogen, &s->hydrogen)
                          : anpe_lte_hydrogen_own(ctx, &s->hydrogen);
}

static void lte_destroy(void *self)
{
    lte *s = self;
    if (!s)
        return;
    anpe_lte_grid_free(&s->grid);
    anpe_lte_lines_free(&s->lines);
    anpe_lte_hydrogen_free(&s->hydrogen);
    anpe_lte_windows_free(&s->windows);
    free(s);
}

static anpe_status lte_create(anpe_ctx *ctx, const void *option_values, const void *setup,
                              void **self)
{
    const options *o = option_values;
    lte *s;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->cut = o->cut;
    s->fixed = (star){.teff = o->teff,
                      .logg = o->logg,
                      .fe_h = o->fe_h,
                      .alpha_fe = o->alpha_fe,
                      .vmicro = o->vmicro,
                      .c12_c13 = o->c12_c13};
    anpe_lte_voigt_init(&s->voigt);
    anpe_status status;
    ANPE_TRY(add_labels(s, ctx, o));
    ANPE_TRY(make_windows(s, ctx, o, setup));
    ANPE_TRY(read_atmospheres(s, ctx, o));
    ANPE_TRY(bound_labels(s, ctx));
    ANPE_TRY(read_lists(s, ctx, o));
    anpe_lte_windows_see(&s->windows, &s->lines);
    ANPE_TRY(read_hydrogen(s, ctx, o));
    *self = s;
    return ANPE_OK;
out:
    lte_destroy(s);
    return status;
}

/* ---- spectra ---------------------------------------------------------------------------- */

static void lte_info(const void *self, anpe_simulator_info *info)
{
    const lte *s = self;
    *info = (anpe_simulator_info){.n_labels = s->n_labels,
                                  .labels = s->labels,
                                  .n_pixels = s->windows.n_pixels,
                                  .wavelength = s->windows.wavelength,
                                  .resolution = HUGE_VAL,
                                  .on_grid = 0,
                                  .normalised = 1};
}

typedef struct room {
    anpe_lte_atmosphere atmosphere;
    anpe_lte_state state[ANPE_LTE_LAYERS];
    double one[ANPE_LTE_LAYERS], vmicro[ANPE_LTE_LAYERS];
} room;

static size_t rounded(size_t size)
{
    return (size + 63) / 64 * 64;
}

/* One window of a spectrum. */
static anpe_lte_problem problem_of(const lte *s, int64_t window, const star *x, room *r)
{
    const anpe_lte_window *w = &s->windows.window[window];
    return (anpe_lte_problem){.n = s->grid.layers,
                              .state = r ? r->state : NULL,
                              .depth = r ? r->atmosphere.rhox : NULL,
                              .reference = r ? r->one : NULL,
                              .vmicro = r ? r->vmicro : NULL,
                              .c12_c13 = x ? x->c12_c13 : 0,
                              .cut = s->cut,
                              .lines = &w->lines,
                              .voigt = &s->voigt,
                              .hydrogen = s->hydrogen.n ? &s->hydrogen : NULL,
                              .points = w->points};
}

/* The structure follows [Fe/H] with the alpha elements counted in (Salaris, Chieffi & Straniero
 * 1993, ApJ 414, 580). Where they take it beyond the grid, its border serves: for at most 0.4 dex.
 * A single model serves for all. */
static anpe_status effective_metallicity(const lte *s, anpe_ctx *ctx, const star *x, double *m_h)
{
    const double exact = x->fe_h + log10(0.694 * pow(10, x->alpha_fe) + 0.306);
    *m_h = fmin(fmax(exact, s->grid.axis[2][0]), s->grid.axis[2][s->grid.n[2] - 1]);
    if (fabs(*m_h - exact) > 0.4 && s->grid.n[0] * s->grid.n[1] * s->grid.n[2] > 1)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "lte: metallicity %g (alpha elements counted in) outside the atmospheres' "
                         "[%g, %g]",
                         exact, s->grid.axis[2][0], s->grid.axis[2][s->grid.n[2] - 1]);
    return ANPE_OK;
}

/* The gas of a star of these labels. */
static anpe_status build(const lte *s, anpe_ctx *ctx, const double *theta, room *r, star *x)
{
    double abundance[ANPE_LTE_ELEMENTS], m_h = 0;
    anpe_status status;
    ANPE_TRY(star_of(s, ctx, theta, x));
    ANPE_TRY(abundances_of(ctx, x, abundance));
    ANPE_TRY(effective_metallicity(s, ctx, x, &m_h));
    ANPE_TRY(anpe_lte_grid_at(ctx, &s->grid, x->teff, x->logg, m_h, &r->atmosphere));
    ANPE_TRY(anpe_lte_state_solve(ctx, r->atmosphere.n, r->atmosphere.t, r->atmosphere.p, abundance,
                                  r->state));
    for (int i = 0; i < r->atmosphere.n; i++) {
        r->one[i] = 1;
        r->vmicro[i] = x->vmicro;
    }
out:
    return status;
}

/* Scratch: the gas of each star, the synthesis', then points of flux and of continuum of each. */
static room *room_of(void *scratch, int row)
{
    return (room *)(void *)((char *)scratch + (size_t)row * rounded(sizeof(room)));
}

/* One window after the other. */
static size_t scratch_for(const lte *s, int rows)
{
    size_t most = 0;
    for (int64_t k = 0; k < s->windows.n; k++) {
        const anpe_lte_problem p = problem_of(s, k, NULL, NULL);
        const size_t size = rounded(anpe_lte_synthesis_scratch(rows, &p)) +
                            2 * rounded((size_t)rows * (size_t)p.points.n * sizeof(float));
        most = size > most ? size : most;
    }
    return (size_t)rows * rounded(sizeof(room)) + most;
}

static size_t lte_scratch(const void *self, int64_t n)
{
    (void)n; /* one spectrum after the other */
    return scratch_for(self, 1);
}

/* Changes of the lines, or NULL. */
typedef struct changes {
    const float *log_gf, *log_waals;
} changes;

/* flux, continuum: of the first star's pixels of this window; else as `spectra`. */
static void window_of(const lte *s, int64_t window, int rows, const star *x, const changes *c,
                      float *flux, float *continuum, void *scratch)
{
    const anpe_lte_window *w = &s->windows.window[window];
    anpe_lte_problem p[ANPE_LTE_ROWS];
    for (int r = 0; r < rows; r++) {
        p[r] = problem_of(s, window, &x[r], room_of(scratch, r));
        p[r].log_gf = c->log_gf ? c->log_gf + w->first_line : NULL;
        p[r].log_waals = c->log_waals ? c->log_waals + w->first_line : NULL;
    }
    const int64_t n = p->points.n;
    char *rest = (char *)room_of(scratch, rows),
         *at = rest + rounded(anpe_lte_synthesis_scratch(rows, p));
    float *points = (float *)(void *)at, *smooth = NULL;
    if (continuum)
        smooth = (float *)(void *)(at + rounded((size_t)rows * (size_t)n * sizeof(float)));
    anpe_lte_synthesise(rows, p, rest, points, smooth);
    for (int r = 0; r < rows; r++) {
        anpe_lte_window_average(w, points + r * n, flux + r * s->windows.n_pixels);
        if (continuum)
            anpe_lte_window_average(w, smooth + r * n, continuum + r * s->windows.n_pixels);
    }
}

/* rows of theta, flux and, unless NULL, continuum: stars that share an atmosphere */
static anpe_status spectra(const lte *s, anpe_ctx *ctx, int rows, const double *theta,
                           const changes *c, float *flux, float *continuum, void *scratch)
{
    star x[ANPE_LTE_ROWS];
    anpe_status status = ANPE_OK;
    for (int r = 0; r < rows && !status; r++)
        status = build(s, ctx, theta + r * s->n_labels, room_of(scratch, r), &x[r]);
    for (int64_t k = 0; k < s->windows.n && !status; k++) {
        const int64_t first = s->windows.window[k].first_pixel;
        window_of(s, k, rows, x, c, flux + first, continuum ? continuum + first : NULL, scratch);
    }
    return status;
}

static anpe_status lte_continuum(const void *self, anpe_ctx *ctx, const double *theta, float *flux,
                                 float *continuum, void *scratch)
{
    return spectra(self, ctx, 1, theta, &(changes){0}, flux, continuum, scratch);
}

static anpe_status lte_simulate(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                                float *flux, void *scratch)
{
    const lte *s = self;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n && !status; i++)
        status = spectra(s, ctx, 1, theta + i * s->n_labels, &(changes){0},
                         flux + i * s->windows.n_pixels, NULL, scratch);
    return status;
}

/* ---- stars of one atmosphere ------------------------------------------------------------- */

/* All but abundances and isotopes: temperatures, pressures and Doppler widths. */
static void lte_shared(const void *self, uint8_t *is_shared)
{
    const lte *s = self;
    for (int i = 0; i < s->n_labels; i++) {
        const int base = s->targets[i].base;
        is_shared[i] = base >= 0 && base_labels[base].offset != offsetof(star, c12_c13);
    }
}

/* Spectra that are computed together, of n: fewer where they are long. */
static int rows_of(const lte *s, int64_t n)
{
    int rows = n < ANPE_LTE_ROWS ? (int)n : ANPE_LTE_ROWS;
    while (rows > 1 && scratch_for(s, rows) >> 20 >= 256) /* MiB */
        rows /= 2;
    return rows;
}

static size_t lte_shared_scratch(const void *self, int64_t n)
{
    return scratch_for(self, rows_of(self, n));
}

static anpe_status lte_simulate_shared(const void *self, anpe_ctx *ctx, int64_t n,
                                       const double *theta, float *flux, void *scratch)
{
    const lte *s = self;
    uint8_t is_shared[MAX_LABELS];
    anpe_status status = ANPE_OK;
    lte_shared(s, is_shared);
    for (int64_t i = 1; i < n; i++)
        for (int j = 0; j < s->n_labels; j++)
            if (is_shared[j] && theta[i * s->n_labels + j] != theta[j])
                return ANPE_FAIL(ctx, ANPE_EINVAL,
                                 "lte: %s is %g and %g in stars that share an atmosphere",
                                 s->labels[j].name, theta[j], theta[i * s->n_labels + j]);
    const int most = rows_of(s, n);
    for (int64_t i = 0; i < n && !status; i += most) {
        const int rows = n - i < most ? (int)(n - i) : most;
        status = spectra(s, ctx, rows, theta + i * s->n_labels, &(changes){0},
                         flux + i * s->windows.n_pixels, NULL, scratch);
    }
    return status;
}

/* ---- what a spectrum is made of --------------------------------------------------------- */

static anpe_status lte_lines(const void *self, anpe_ctx *ctx, const double *theta, double low,
                             double high, int64_t most, anpe_simulator_line *line, int64_t *n,
                             void *scratch)
{
    const lte *s = self;
    star x;
    const anpe_status status = build(s, ctx, theta, scratch, &x);
    if (status)
        return status;
    *n = 0;
    for (int64_t k = 0; k < s->windows.n; k++) {
        const anpe_lte_window *w = &s->windows.window[k];
        const anpe_lte_problem p = problem_of(s, k, &x, scratch);
        anpe_lte_identify(&p, room_of(scratch, 1), fmax(low, w->low), fmin(high, w->high), most,
                          line, n);
    }
    return ANPE_OK;
}

static const char *const source_names[] = {
#define X(id, name, scatters) name,
    ANPE_LTE_SOURCES(X)
#undef X
        NULL};

/* Between the layers above and below, in the logarithm where both have any. */
static double between(double above, double below, double part)
{
    return above > 0 && below > 0 ? above * pow(below / above, part)
                                  : above + part * (below - above);
}

static anpe_status lte_opacity(const void *self, anpe_ctx *ctx, const double *theta, double tau,
                               int64_t n, const double *wavelength, double *opacity, void *scratch)
{
    const lte *s = self;
    const room *r = scratch;
    star x;
    const anpe_status status = build(s, ctx, theta, scratch, &x);
    if (status)
        return status;
    const double *at = r->atmosphere.tau, want = log10(tau);
    const int last = r->atmosphere.n - 1;
    if (!(want >= at[0] && want <= at[last]))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "lte: Rosseland optical depth %g: the atmosphere is from %.3g to %.3g",
                         tau, pow(10, at[0]), pow(10, at[last]));
    int i = 0;
    while (i < last - 1 && at[i + 1] < want)
        i++;
    const double part = (want - at[i]) / (at[i + 1] - at[i]);
    for (int64_t k = 0; k < n; k++) {
        double above[ANPE_LTE_N_SOURCES], below[ANPE_LTE_N_SOURCES];
        anpe_lte_continuum_sources(&r->state[i], wavelength[k], above);
        anpe_lte_continuum_sources(&r->state[i + 1], wavelength[k], below);
        for (int j = 0; j < ANPE_LTE_N_SOURCES; j++)
            opacity[k * ANPE_LTE_N_SOURCES + j] = between(above[j], below[j], part);
    }
    return ANPE_OK;
}

static int64_t lte_line_list(const void *self, int64_t first, int64_t n, anpe_line *line)
{
    const anpe_lte_lines *l = &((const lte *)self)->lines;
    for (int64_t i = first; i < first + n && i < l->n; i++)
        *line++ = anpe_lte_lines_at(l, i);
    return l->n;
}

static anpe_status lte_simulate_lines(const void *self, anpe_ctx *ctx, const double *theta,
                                      const float *log_gf, const float *log_waals, float *flux,
                                      void *scratch)
{
    return spectra(self, ctx, 1, theta, &(changes){log_gf, log_waals}, flux, NULL, scratch);
}

static const anpe_simulator_ops ops = {.size = sizeof ops,
                                       .info = lte_info,
                                       .scratch_size = lte_scratch,
                                       .simulate = lte_simulate,
                                       .continuum = lte_continuum,
                                       .lines = lte_lines,
                                       .sources = source_names,
                                       .opacity = lte_opacity,
                                       .line_list = lte_line_list,
                                       .simulate_lines = lte_simulate_lines,
                                       .shared = lte_shared,
                                       .shared_scratch_size = lte_shared_scratch,
                                       .simulate_shared = lte_simulate_shared};

static const anpe_plugin plugin = {.abi = ANPE_ABI,
                                   .kind = ANPE_SIMULATOR,
                                   .name = "lte",
                                   .version = "0.1.0",
                                   .summary =
                                       "synthesis in LTE from model atmospheres and line lists",
                                   .options = option_table,
                                   .options_size = sizeof(options),
                                   .create = lte_create,
                                   .destroy = lte_destroy,
                                   .ops = &ops};
ANPE_PLUGINS(&plugin);
