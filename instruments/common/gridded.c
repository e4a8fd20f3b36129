/* The grid, the reading and the continuum rule that a family of instruments shares. */
#include "gridded.h"
#include "ranges.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FROM_FILE, AIR, VACUUM }; /* option medium */
#define PI 3.14159265358979323846
enum { FEWEST_PIXELS = 100, MOST_PIXELS = 2000000 };

struct gridded {
    const gridded_options *o;
    const gridded_family *family;
    int64_t n, n_segments;
    double *wavelength, *resolution; /* (n) */
    uint8_t *exclude;                /* (n) */
    int64_t *segment;                /* (n_segments + 1) */
    anpe_lsf_table lsf;              /* no kernels: a Gaussian */
};

/* ---- the grid --------------------------------------------------------------------------- */

static double log_step(const gridded_options *o)
{
    return 1 / (o->resolution * o->samples);
}

/* Pixels of window k: they start at its first wavelength. */
static int64_t window_pixels(const gridded_options *o, int64_t k)
{
    return 1 + (int64_t)(log(o->windows.v[2 * k + 1] / o->windows.v[2 * k]) / log_step(o) + 1e-6);
}

static anpe_status check_windows(anpe_ctx *ctx, const gridded_options *o, int64_t *n)
{
    anpe_status status = ranges_check(ctx, "windows", &o->windows);
    if (!status)
        status = ranges_check(ctx, "never", &o->never);
    if (!status && o->windows.n < 2)
        status = ANPE_FAIL(ctx, ANPE_ECONFIG, "windows is empty; expected pairs of wavelengths");
    *n = 0;
    for (int64_t k = 0; !status && k < o->windows.n / 2; k++) {
        if (k && o->windows.v[2 * k] <= o->windows.v[2 * k - 1])
            status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                               "windows: %g is not above %g; they must ascend and not overlap",
                               o->windows.v[2 * k], o->windows.v[2 * k - 1]);
        else
            *n += window_pixels(o, k);
    }
    if (!status && (*n < FEWEST_PIXELS || *n > MOST_PIXELS))
        status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                           "windows at resolution %g and %g pixels for each FWHM make %lld pixels; "
                           "expected %d to %d",
                           o->resolution, o->samples, (long long)*n, FEWEST_PIXELS, MOST_PIXELS);
    return status;
}

static anpe_status make_grid(anpe_ctx *ctx, gridded *g)
{
    const gridded_options *o = g->o;
    anpe_status status = check_windows(ctx, o, &g->n);
    if (status)
        return status;
    g->n_segments = o->windows.n / 2;
    if (ANPE_NEW(ctx, g->wavelength, g->n) || ANPE_NEW(ctx, g->resolution, g->n) ||
        ANPE_NEW(ctx, g->exclude, g->n) || ANPE_NEW(ctx, g->segment, g->n_segments + 1))
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < g->n_segments; k++) {
        const int64_t first = g->segment[k], m = window_pixels(o, k);
        for (int64_t i = 0; i < m; i++) {
            const double w = o->windows.v[2 * k] * exp(log_step(o) * (double)i);
            g->wavelength[first + i] = w;
            g->resolution[first + i] = o->resolution;
            g->exclude[first + i] = (uint8_t)ranges_hold(&o->never, w);
        }
        g->segment[k + 1] = first + m;
    }
    return ANPE_OK;
}

void gridded_destroy(void *self)
{
    gridded *g = self;
    if (!g)
        return;
    free(g->wavelength);
    free(g->resolution);
    free(g->exclude);
    free(g->segment);
    lsf_file_clear(&g->lsf);
    free(g);
}

anpe_status gridded_new(anpe_ctx *ctx, const void *options, const gridded_family *family,
                        gridded **out)
{
    *out = NULL;
    gridded *g;
    if (ANPE_NEW(ctx, g, 1))
        return ANPE_ENOMEM;
    g->o = options; /* the first member of the member's own struct */
    g->family = family;
    anpe_status status = make_grid(ctx, g);
    if (!status)
        status = lsf_file_read(ctx, g->o->lsf, &g->lsf);
    if (status)
        gridded_destroy(g);
    else
        *out = g;
    return status;
}

void gridded_info(const void *self, anpe_instrument_info *out)
{
    const gridded *g = self;
    *out = (anpe_instrument_info){
        .channels = 1,
        .n_pixels = g->n,
        .wavelength = g->wavelength,
        .resolution = g->resolution,
        .n_segments = g->n_segments,
        .segment = g->segment,
        .needs_continuum = g->o->rule == GRIDDED_CHEBYSHEV,
        .exclude = g->exclude,
        .lsf = lsf_file_table(&g->lsf),
        .rule = g->o->rule == GRIDDED_SMOOTH ? ANPE_RULE_LINEAR
                : g->o->rule == GRIDDED_NONE ? ANPE_RULE_NONE
                                             : ANPE_RULE_ANY,
    };
}

/* ---- reading ---------------------------------------------------------------------------- */

anpe_status gridded_count(const void *self, anpe_ctx *ctx, const char *path, int64_t *n)
{
    const gridded *g = self;
    *n = 1;
    return g->family->count ? g->family->count(ctx, g->o, path, n) : ANPE_OK;
}

static anpe_status make_vacuum(anpe_ctx *ctx, const gridded *g, const char *path, gridded_file *f)
{
    medium m = f->medium != MEDIUM_UNKNOWN ? f->medium : g->family->medium;
    if (g->o->medium != FROM_FILE)
        m = g->o->medium == AIR ? MEDIUM_AIR : MEDIUM_VACUUM;
    if (m == MEDIUM_UNKNOWN)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: does not say whether its wavelengths are in air or in vacuum; give "
                         "instrument.medium = \"air\" or \"vacuum\"",
                         path);
    if (m == MEDIUM_AIR)
        observed_to_vacuum(&f->o);
    return ANPE_OK;
}

static int has_sigma(const observed *o)
{
    for (int64_t k = 0; k < o->n; k++)
        for (int64_t i = 0; i < o->order[k].n; i++)
            if (!isnan(o->order[k].sigma[i]))
                return 1;
    return 0;
}

/* Bits that flag nearly all that there is are, most often, those of a mask in which 1 means good.
 */
static void warn_of_mask(anpe_ctx *ctx, const char *path, const observed *o)
{
    int64_t n = 0, bad = 0;
    for (int64_t k = 0; k < o->n; k++)
        for (int64_t i = 0; i < o->order[k].n; i++, n++)
            bad += o->order[k].mask[i];
    if (10 * bad > 9 * n)
        anpe_log(ctx, ANPE_WARNING,
                 "%s: its mask flags %lld of %lld pixels: is it one in which 1 means good?", path,
                 (long long)bad, (long long)n);
}

/* Everything between the file's pixels and the grid's. */
static anpe_status prepare(anpe_ctx *ctx, const gridded *g, const char *path, gridded_file *f)
{
    const gridded_options *o = g->o;
    warn_of_mask(ctx, path, &f->o);
    anpe_status status = observed_settle(ctx, &f->o, path);
    if (!status)
        status = observed_scale(ctx, &f->o);
    if (!status)
        status = make_vacuum(ctx, g, path, f);
    if (!status && !has_sigma(&f->o)) {
        anpe_log(ctx, ANPE_INFO, "%s: no error bars; taken from the scatter of the flux", path);
        status = observed_estimate_sigma(ctx, &f->o, o->scatter_window);
    }
    if (status)
        return status;
    if (o->frame == GRIDDED_HELIOCENTRIC && isfinite(f->barycentric))
        observed_shift(&f->o, f->barycentric);
    if (o->velocity != 0)
        observed_shift(&f->o, -o->velocity);
    return o->blaze > 0 ? observed_flatten(ctx, &f->o, o->blaze) : ANPE_OK;
}

static anpe_status check_good(anpe_ctx *ctx, const char *path, const gridded_file *f,
                              const anpe_spectrum *out)
{
    double low = INFINITY, high = 0;
    for (int64_t i = 0; i < out->n_pixels; i++)
        if (!out->mask[i])
            return ANPE_OK;
    for (int64_t k = 0; k < f->o.n; k++) {
        low = fmin(low, f->o.order[k].wavelength[0]);
        high = fmax(high, f->o.order[k].wavelength[f->o.order[k].n - 1]);
    }
    return ANPE_FAIL(ctx, ANPE_EINVAL,
                     "%s: no good pixel among %lld; the file goes from %.6g to %.6g Angstrom", path,
                     (long long)out->n_pixels, low, high);
}

anpe_status gridded_velocity(anpe_ctx *ctx, fitsfile *f, const char *path, const char *key,
                             double *kms)
{
    *kms = NAN;
    if (!key[0] || survey_fits_real(f, 0, key, kms) || survey_fits_real(f, 1, key, kms))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no keyword %s (velocity_key) with a number", path,
                     key);
}

anpe_status gridded_read(const void *self, anpe_ctx *ctx, const char *path, int64_t row,
                         anpe_spectrum *out)
{
    const gridded *g = self;
    gridded_file f = {.barycentric = NAN};
    anpe_status status;
    ANPE_TRY(g->family->read(ctx, g->o, path, row, &f));
    ANPE_TRY(prepare(ctx, g, path, &f));
    ANPE_TRY(observed_put(ctx, &f.o, g->n, g->wavelength, out));
    ANPE_TRY(check_good(ctx, path, &f, out));
out:
    snprintf(out->id, sizeof out->id, "%s", f.id);
    observed_clear(&f.o);
    return status;
}

/* ---- the continuum rule ----------------------------------------------------------------- */

anpe_status gridded_normalise(const void *self, anpe_ctx *ctx, const uint8_t *continuum,
                              anpe_spectrum *s)
{
    const gridded *g = self;
    switch (g->o->rule) {
    case GRIDDED_CHEBYSHEV:
        return anpe_continuum_chebyshev(ctx, (int)g->o->degree, g->n_segments, g->segment,
                                        continuum, s);
    case GRIDDED_SMOOTH:
        return anpe_continuum_smooth(ctx, g->o->width, g->wavelength, g->n_segments, g->segment, s);
    default:
        return ANPE_OK;
    }
}

int64_t gridded_continuum_modes(const void *self, float *mode)
{
    const gridded *g = self;
    return g->o->rule == GRIDDED_CHEBYSHEV
               ? anpe_continuum_chebyshev_modes((int)g->o->degree, g->n_segments, g->segment, mode)
               : 0;
}

anpe_status gridded_continuum_weights(const void *self, anpe_ctx *ctx, const uint8_t *continuum,
                                      const anpe_spectrum *s, double *weight)
{
    const gridded *g = self;
    return anpe_continuum_chebyshev_weights(ctx, (int)g->o->degree, g->n_segments, g->segment,
                                            continuum, s, weight);
}

anpe_status gridded_continuum(const void *self, anpe_ctx *ctx, const uint8_t *continuum_set,
                              const anpe_spectrum *s, int64_t n, const float *flux,
                              float *continuum)
{
    const gridded *g = self;
    (void)continuum_set;
    return anpe_continuum_smoothed(ctx, g->o->width, g->wavelength, g->n_segments, g->segment, s, n,
                                   flux, continuum);
}

anpe_status gridded_recognise(const gridded_family *family, anpe_ctx *ctx, const char *path,
                              anpe_recognition *out)
{
    return family->recognise ? family->recognise(ctx, path, out) : ANPE_OK;
}

/* ---- noise ------------------------------------------------------------------------------ */

static void describe_sky(survey_sky *sky)
{
    for (int64_t i = 0; i < sky->n; i++)
        sky->throughput[i] = 1;
}

const gridded_noise gridded_noise_plain = {.sky = describe_sky, .variety = GRIDDED_PLAIN_VARIETY};

void gridded_echelle(survey_sky *sky, double constant, double half)
{
    for (int64_t i = 0; i < sky->n; i++) {
        const double w = pow(10, sky->log_start + (double)i * sky->log_step);
        const double first = fmax(1, floor(constant / w * (1 - half)));
        sky->throughput[i] = 0;
        for (double m = first; m <= ceil(constant / w * (1 + half)); m++) {
            const double centre = constant / m, x = PI * m * (1 - centre / w);
            if (fabs(w / centre - 1) <= half)
                sky->throughput[i] += x == 0 ? 1 : sin(x) * sin(x) / (x * x);
        }
    }
}

anpe_status gridded_noise_new(anpe_ctx *ctx, const void *o, const void *setup,
                              const gridded_noise *kind, void **self)
{
    const anpe_noise_setup *with = setup;
    const anpe_instrument_info *i = with->instrument;
    survey_noise *s = NULL;
    anpe_status status;
    *self = NULL;
    if (!i->wavelength || i->n_pixels < 2)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "this noise needs an instrument with wavelengths");
    /* a step that covers the whole range, gaps included, with at most a million values */
    const double range = log10(i->wavelength[i->n_pixels - 1] / i->wavelength[0]);
    const double step = fmax(log10(i->wavelength[1] / i->wavelength[0]), range / 9e5);
    status = survey_noise_new(ctx, o, with, step, 10, kind->sky, &kind->variety, &s);
    *self = s;
    return status;
}

void gridded_noise_destroy(void *self)
{
    survey_noise_free(self);
}

const anpe_noise_ops gridded_noise_ops = {
    .size = sizeof gridded_noise_ops, .draw = survey_noise_draw, .unit = survey_noise_unit};
