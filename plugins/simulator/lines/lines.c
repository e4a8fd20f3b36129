/* Simulator `lines`: normalised spectra of strong atomic lines from one Milne-Eddington layer.
 *
 * Flux over continuum is F = r + (1 - r) / (1 + eta), eta = line over continuous opacity summed
 * over lines, r the residual flux of a saturated line (Milne 1921; Mihalas 1978, chapter 10).
 * Demonstration physics, for tests and first steps without downloads: see README.md.
 *
 * Grid: pixel i is centred on ln(wavelength) = i s, for every window, and is the average of m
 * fine pixels of at most `fine` km/s on which the profiles are evaluated. */
#include <config.h>
#include "lines.h"
#include "../common/strongest.h"
#include "../common/window.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MIN  3700.0
#define TABLE_MAX  17000.0
#define ETA_CUT    1e-4 /* profiles end where they are this fraction of the continuous opacity */
#define MARGIN     0.06 /* in ln(wavelength): lines farther from the window do not reach into it */
#define NODE       64   /* pixels between two evaluations of the saturated residual flux */
#define LANES      8
#define MAX_PIXELS 4000000

typedef struct options {
    anpe_texts free, abundances;
    double teff, logg, fe_h, vmicro, vmacro;
    double lambda_min, lambda_max, step, fine;
    int macro;
} options;

static const anpe_option option_table[] = {
    ANPE_OPT_TEXTS(
        options, free, "teff logg fe_h mg_fe vmicro vmacro",
        "labels to infer: teff, logg, fe_h, vmicro, vmacro, alpha_fe and abundances X_fe"),
    ANPE_OPT_TEXTS(options, abundances, "",
                   "further abundance labels, after those of `free`: mg_fe, si_fe, ca_fe, ..."),
    ANPE_OPT_REAL(options, teff, 5000, 3500, 8000, "K", "effective temperature when not free"),
    ANPE_OPT_REAL(options, logg, 3, 0, 5, "dex", "surface gravity when not free"),
    ANPE_OPT_REAL(options, fe_h, 0, -2.5, 0.5, "dex", "metallicity when not free"),
    ANPE_OPT_REAL(options, vmicro, 1.5, 0.3, 5, "km/s", "microturbulence when not free"),
    ANPE_OPT_REAL(options, vmacro, 4, 0, 20, "km/s", "macroturbulence when not free"),
    ANPE_OPT_ENUM(options, macro, ANPE_MACRO_RADIAL_TANGENTIAL, "radial_tangential|gaussian",
                  "macroturbulence profile"),
    ANPE_OPT_REAL(options, lambda_min, 0, 0, 1e6, "Angstrom",
                  "start of the window; 0: what the instrument needs"),
    ANPE_OPT_REAL(options, lambda_max, 0, 0, 1e6, "Angstrom",
                  "end of the window; 0: what the instrument needs"),
    ANPE_OPT_REAL(options, step, 0, 0, 500, "km/s",
                  "pixel; 0: an eighth of the instrument's resolution element"),
    ANPE_OPT_REAL(options, fine, 1, 0.1, 10, "km/s",
                  "largest step at which profiles are evaluated"),
    ANPE_OPT_END};

/* Known labels that are not abundances, at fixed places of anpe_lines_star. */
static const struct {
    anpe_label label;
    size_t offset;
} base_labels[] = {
    {{"teff", "K", 3500, 8000}, offsetof(anpe_lines_star, teff)},
    {{"logg", "dex", 0, 5}, offsetof(anpe_lines_star, logg)},
    {{"fe_h", "dex", -2.5, 0.5}, offsetof(anpe_lines_star, fe_h)},
    {{"vmicro", "km/s", 0.3, 5}, offsetof(anpe_lines_star, vmicro)},
    {{"vmacro", "km/s", 0, 20}, offsetof(anpe_lines_star, vmacro)},
};
enum { N_BASE = sizeof base_labels / sizeof base_labels[0] };
enum { ALPHA = -1, BASE = -2 }; /* else the element of an abundance label */
enum { MAX_LABELS = N_BASE + ANPE_EL_COUNT + 1 };

typedef struct line {
    const anpe_lines_row *row;
    double centre; /* in fine pixels of the absolute grid */
} line;

typedef struct lines {
    int n_labels;
    anpe_label labels[MAX_LABELS];
    int target[MAX_LABELS];    /* ALPHA, BASE or an element */
    size_t offset[MAX_LABELS]; /* for BASE */
    anpe_lines_star fixed;
    anpe_lines_macro macro;
    double fine;                      /* km/s */
    int64_t m, first, n_pixels;       /* fine pixels per pixel; absolute first pixel */
    int64_t half, fine_first, n_fine; /* largest kernel; absolute first fine pixel; size */
    double *wavelength;
    line *lines;
    int n_lines;
    anpe_voigt voigt;
} lines;

/* ---- labels ------------------------------------------------------------------------------ */

static int element_of(const char *name)
{
    const size_t n = strlen(name);
    if (n < 4 || strcmp(name + n - 3, "_fe") != 0)
        return -1;
    for (int i = 0; i < ANPE_EL_COUNT; i++)
        if (strlen(anpe_lines_elements[i].symbol) == n - 3 && i != ANPE_EL_H && i != ANPE_EL_FE &&
            strncmp(anpe_lines_elements[i].symbol, name, n - 3) == 0)
            return i;
    return -1;
}

static anpe_status unknown_label(anpe_ctx *ctx, const char *name)
{
    char known[256] = "";
    for (int i = 0; i < ANPE_EL_COUNT; i++)
        if (i != ANPE_EL_H && i != ANPE_EL_FE) {
            strcat(known, known[0] ? ", " : "");
            strcat(strcat(known, anpe_lines_elements[i].symbol), "_fe");
        }
    return ANPE_FAIL(ctx, ANPE_ECONFIG,
                     "unknown label '%s'; known: teff, logg, fe_h, vmicro, vmacro, alpha_fe, %s",
                     name, known);
}

/* A label named in both lists is taken once. */
static anpe_status add_label(lines *s, anpe_ctx *ctx, const char *name)
{
    for (int i = 0; i < s->n_labels; i++)
        if (strcmp(s->labels[i].name, name) == 0)
            return ANPE_OK;
    anpe_label *label = &s->labels[s->n_labels];
    for (int i = 0; i < N_BASE; i++)
        if (strcmp(base_labels[i].label.name, name) == 0) {
            *label = base_labels[i].label;
            s->target[s->n_labels] = BASE;
            s->offset[s->n_labels++] = base_labels[i].offset;
            return ANPE_OK;
        }
    const int element = element_of(name), alpha = strcmp(name, "alpha_fe") == 0;
    if (element < 0 && !alpha)
        return unknown_label(ctx, name);
    *label = (anpe_label){"", "dex", -1, 1};
    memcpy(label->name, name, strlen(name) + 1);
    s->target[s->n_labels++] = alpha ? ALPHA : element;
    return ANPE_OK;
}

static anpe_status add_labels(lines *s, anpe_ctx *ctx, const options *o)
{
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < o->free.n && !status; i++)
        status = add_label(s, ctx, o->free.v[i]);
    for (int64_t i = 0; i < o->abundances.n && !status; i++) {
        const char *name = o->abundances.v[i];
        if (strcmp(name, "alpha_fe") != 0 && element_of(name) < 0)
            return unknown_label(ctx, name);
        status = add_label(s, ctx, name);
    }
    if (!status && s->n_labels == 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "option free: at least one label is needed");
    return status;
}

static anpe_status star_of(const lines *s, anpe_ctx *ctx, const double *theta,
                           anpe_lines_star *star)
{
    double alpha = 0;
    *star = s->fixed;
    for (int i = 0; i < s->n_labels; i++) {
        const anpe_label *l = &s->labels[i];
        if (!(theta[i] >= l->min && theta[i] <= l->max))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "lines: label %s outside [%g, %g]: %g", l->name,
                             l->min, l->max, theta[i]);
        if (s->target[i] == ALPHA)
            alpha = theta[i];
        else if (s->target[i] == BASE)
            memcpy((char *)star + s->offset[i], &theta[i], sizeof theta[i]);
    }
    for (int i = 0; i < ANPE_EL_COUNT; i++)
        star->x_fe[i] = anpe_lines_elements[i].alpha ? alpha : 0;
    for (int i = 0; i < s->n_labels; i++) /* an element's own label overrides alpha_fe */
        if (s->target[i] >= 0)
            star->x_fe[s->target[i]] = theta[i];
    return ANPE_OK;
}

/* ---- grid and lines ---------------------------------------------------------------------- */

static anpe_status make_grid(lines *s, anpe_ctx *ctx, const options *o,
                             const anpe_simulator_setup *setup)
{
    double low, high;
    const anpe_status status =
        anpe_window_of(ctx, o->lambda_min, o->lambda_max, setup, &low, &high);
    if (status)
        return status;
    if (low >= TABLE_MAX || high <= TABLE_MIN)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "window %g to %g Angstrom has none of the lines, which are in %g to %g",
                         low, high, TABLE_MIN, TABLE_MAX);
    const double kms = anpe_window_step(o->step, setup->resolution, 2), step = kms / ANPE_C_KMS;
    double vmacro = s->fixed.vmacro;
    for (int i = 0; i < s->n_labels; i++)
        if (s->target[i] == BASE && s->offset[i] == offsetof(anpe_lines_star, vmacro))
            vmacro = s->labels[i].max;
    if (log(high / low) / step > MAX_PIXELS || log(high / low) * ANPE_C_KMS / o->fine > 4e7)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%g to %g Angstrom in steps of %g km/s is too large",
                         low, high, fmin(kms, o->fine));
    s->m = (int64_t)ceil(kms / o->fine - 1e-9);
    s->fine = kms / (double)s->m;
    const anpe_status made =
        anpe_window_pixels(ctx, low, high, step, &s->first, &s->n_pixels, &s->wavelength);
    s->half = anpe_lines_kernel_half(vmacro, s->fine);
    s->fine_first = s->first * s->m - s->half;
    s->n_fine = s->n_pixels * s->m + 2 * s->half;
    return made;
}

static anpe_status select_lines(lines *s, anpe_ctx *ctx)
{
    const double fine = s->fine / ANPE_C_KMS, shift = 0.5 * (double)(s->m - 1);
    const double low = (double)s->fine_first * fine, high = low + (double)s->n_fine * fine;
    int n = 0;
    while (anpe_lines_table(n))
        n++;
    if (ANPE_NEW(ctx, s->lines, n))
        return ANPE_ENOMEM;
    for (int i = 0; i < n; i++) {
        const anpe_lines_row *row = anpe_lines_table(i);
        const double x = log(row->wavelength);
        if (x > low - MARGIN && x < high + MARGIN)
            s->lines[s->n_lines++] = (line){row, x / fine + shift};
    }
    return ANPE_OK;
}

static void warn_without_lines(const lines *s, anpe_ctx *ctx)
{
    for (int i = 0; i < s->n_labels; i++) {
        int n = 0;
        for (int k = 0; k < s->n_lines && s->target[i] >= 0; k++)
            n += s->lines[k].row->element == s->target[i] &&
                 s->lines[k].row->wavelength >= s->wavelength[0] &&
                 s->lines[k].row->wavelength <= s->wavelength[s->n_pixels - 1];
        if (s->target[i] >= 0 && n == 0)
            anpe_log(ctx, ANPE_WARNING, "lines: no line of label %s between %.1f and %.1f Angstrom",
                     s->labels[i].name, s->wavelength[0], s->wavelength[s->n_pixels - 1]);
    }
}

static void lines_destroy(void *self)
{
    lines *s = self;
    if (!s)
        return;
    free(s->wavelength);
    free(s->lines);
    free(s);
}

static anpe_status lines_create(anpe_ctx *ctx, const void *option_values, const void *setup,
                                void **self)
{
    const options *o = option_values;
    lines *s;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->fixed = (anpe_lines_star){.teff = o->teff,
                                 .logg = o->logg,
                                 .fe_h = o->fe_h,
                                 .vmicro = o->vmicro,
                                 .vmacro = o->vmacro};
    s->macro = o->macro == ANPE_MACRO_GAUSSIAN ? ANPE_MACRO_GAUSSIAN : ANPE_MACRO_RADIAL_TANGENTIAL;
    anpe_voigt_init(&s->voigt);
    anpe_status status;
    ANPE_TRY(add_labels(s, ctx, o));
    ANPE_TRY(make_grid(s, ctx, o, setup));
    ANPE_TRY(select_lines(s, ctx));
    warn_without_lines(s, ctx);
    *self = s;
    return ANPE_OK;
out:
    lines_destroy(s);
    return status;
}

/* ---- spectra ----------------------------------------------------------------------------- */

static void lines_info(const void *self, anpe_simulator_info *info)
{
    const lines *s = self;
    *info = (anpe_simulator_info){.n_labels = s->n_labels,
                                  .labels = s->labels,
                                  .n_pixels = s->n_pixels,
                                  .wavelength = s->wavelength,
                                  .resolution = HUGE_VAL,
                                  .on_grid = 0,
                                  .normalised = 1};
}

/* eta -> eta / (1 + eta): depth in units of the deepest. */
ANPE_LINES_CLONES
static void depth(int64_t n, float *eta)
{
    for (int64_t i = 0; i < n; i++)
        eta[i] = eta[i] / (1 + eta[i]);
}

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

/* out[i] = sum_k kernel[k] x[i m + k], n_kernel a multiple of LANES. */
ANPE_LINES_CLONES
static void convolve(int64_t n, int64_t m, int64_t n_kernel, const float *kernel, const float *x,
                     float *restrict out)
{
    for (int64_t i = 0; i < n; i++) {
        vector sum = {0};
        for (int64_t k = 0; k < n_kernel; k += LANES) {
            vector a, b;
            memcpy(&a, kernel + k, sizeof a);
            memcpy(&b, x + i * m + k, sizeof b);
            sum += a * b;
        }
        float total = 0;
        for (int j = 0; j < LANES; j++)
            total += sum[j];
        out[i] = total;
    }
}

/* depth -> flux: 1 - (1 - r) depth, r linear between nodes at multiples of NODE of the absolute
 * grid. */
static void finish(const lines *s, const anpe_lines_layer *layer, float *flux)
{
    const double step = s->fine * (double)s->m / ANPE_C_KMS;
    for (int64_t i = 0; i < s->n_pixels;) {
        const int64_t node = (s->first + i) / NODE, start = node * NODE - s->first;
        const int64_t end = start + NODE < s->n_pixels ? start + NODE : s->n_pixels;
        const double r0 = anpe_lines_floor(layer, exp((double)(node * NODE) * step));
        const double r1 = anpe_lines_floor(layer, exp((double)((node + 1) * NODE) * step));
        for (; i < end; i++) {
            const double r = r0 + (r1 - r0) * (double)(i - start) / NODE;
            flux[i] = 1 - (float)(1 - r) * flux[i];
        }
    }
}

/* Floats of scratch: eta with room for a last vector, then the kernel. */
static int64_t kernel_room(const lines *s)
{
    return (2 * s->half + s->m + LANES) / LANES * LANES;
}

static void synthesise(const lines *s, const anpe_lines_star *star, float *scratch, float *flux)
{
    float *eta = scratch, *kernel = scratch + s->n_fine + LANES;
    anpe_lines_layer layer;
    anpe_lines_layer_solve(&layer, star);
    memset(scratch, 0, (size_t)(s->n_fine + LANES + kernel_room(s)) * sizeof *scratch);
    for (int i = 0; i < s->n_lines; i++) {
        const anpe_lines_row *row = s->lines[i].row;
        const anpe_lines_profile p = anpe_lines_profile_of(&layer, row, star->vmicro);
        anpe_voigt_add(&s->voigt, &p, s->lines[i].centre, s->fine / p.doppler,
                       row->element == ANPE_EL_H, ETA_CUT, s->fine_first, s->n_fine, eta);
    }
    depth(s->n_fine, eta);
    const int64_t half = anpe_lines_kernel_half(star->vmacro, s->fine);
    const int64_t taps = (2 * half + s->m + LANES - 1) / LANES * LANES;
    anpe_lines_kernel(s->macro, star->vmacro, s->fine, half, s->m, kernel);
    convolve(s->n_pixels, s->m, taps, kernel, eta + (s->half - half), flux);
    finish(s, &layer, flux);
}

static size_t lines_scratch(const void *self, int64_t n)
{
    const lines *s = self;
    (void)n; /* one spectrum after the other */
    return (size_t)(s->n_fine + LANES + kernel_room(s)) * sizeof(float);
}

static anpe_status lines_simulate(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                                  float *flux, void *scratch)
{
    const lines *s = self;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        anpe_lines_star star;
        status = star_of(s, ctx, theta + i * s->n_labels, &star);
        if (!status)
            synthesise(s, &star, scratch, flux + i * s->n_pixels);
    }
    return status;
}

/* The centre of one line before macroturbulence. */
static anpe_status lines_lines(const void *self, anpe_ctx *ctx, const double *theta, double low,
                               double high, int64_t room, anpe_simulator_line *out, int64_t *n,
                               void *scratch)
{
    const lines *s = self;
    anpe_lines_star star;
    anpe_lines_layer layer;
    (void)scratch;
    *n = 0;
    const anpe_status status = star_of(s, ctx, theta, &star);
    if (status)
        return status;
    anpe_lines_layer_solve(&layer, &star);
    for (int i = 0; i < s->n_lines; i++) {
        const anpe_lines_row *row = s->lines[i].row;
        const anpe_lines_profile p = anpe_lines_profile_of(&layer, row, star.vmicro);
        float height;
        if (row->wavelength < low || row->wavelength > high)
            continue;
        anpe_voigt_fill(&s->voigt, p.a, 0, 1, 0, 1, &height);
        const double eta = p.strength * (double)height;
        anpe_simulator_line one = {.wavelength = row->wavelength,
                                   .excitation = row->excitation,
                                   .log_gf = row->log_gf,
                                   .depth = (1 - anpe_lines_floor(&layer, row->wavelength)) * eta /
                                            (1 + eta)};
        const char *symbol = anpe_lines_elements[row->element].symbol;
        snprintf(one.species, sizeof one.species, "%c%s %s", symbol[0] - 'a' + 'A', symbol + 1,
                 row->ion == 1 ? "I" : "II");
        anpe_simulator_line_keep(&one, room, out, n);
    }
    return ANPE_OK;
}

static const anpe_simulator_ops ops = {.size = sizeof ops,
                                       .info = lines_info,
                                       .scratch_size = lines_scratch,
                                       .simulate = lines_simulate,
                                       .lines = lines_lines};

static const anpe_plugin plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_SIMULATOR,
    .name = "lines",
    .version = "0.1.0",
    .summary = "strong atomic lines of one Milne-Eddington layer in LTE, 3700-17000 Angstrom",
    .options = option_table,
    .options_size = sizeof(options),
    .create = lines_create,
    .destroy = lines_destroy,
    .ops = &ops};
ANPE_PLUGINS(&plugin);
