/* Error bars and masks from a library of real ones, or from a synthetic sky: survey_noise.h. */
#include "survey_noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LN10 2.302585092994045684

struct survey_noise {
    double snr_min, snr_max;
    int separate_masks;
    int64_t n_pixels, n_segments;
    int64_t *segment;           /* (n_segments + 1) */
    anpe_noise_library library; /* n_rows = 0: synthetic */
    survey_sky sky;
    survey_variety variety;
    int64_t margin;
    int64_t *place; /* (n_pixels) of the instrument's pixels on the sky's grid */
};

/* ---- the library ------------------------------------------------------------------------- */

static int usable(float sigma)
{
    return isfinite(sigma) && sigma > 0;
}

/* Makes one row whole: a sigma that is none is bad and takes its left neighbour's, a leading run
 * the first good one's. */
static void mend_row(int64_t n, float *sigma, uint8_t *mask)
{
    int64_t first = 0;

    for (int64_t i = 0; i < n; i++)
        if (!usable(sigma[i]))
            mask[i] = 1;
    while (first < n && !usable(sigma[first]))
        first++;
    for (int64_t i = 0; i < first && first < n; i++)
        sigma[i] = sigma[first];
    for (int64_t i = first + 1; i < n; i++)
        if (!usable(sigma[i]))
            sigma[i] = sigma[i - 1];
}

static anpe_status open_library(anpe_ctx *ctx, const char *path, const anpe_noise_setup *setup,
                                survey_noise *s)
{
    anpe_noise_library *l = &s->library;
    anpe_status status = anpe_noise_library_load(ctx, path, setup, l);

    if (status)
        return status;
    for (int64_t row = 0; row < l->n_rows; row++)
        mend_row(l->n_pixels, l->sigma + row * l->n_pixels, l->mask + row * l->n_pixels);
    return ANPE_OK;
}

static void draw_row(const survey_noise *s, anpe_rng *rng, anpe_spectrum *out)
{
    const size_t n = (size_t)s->n_pixels;
    const size_t row = (size_t)anpe_integer(rng, s->library.n_rows);
    const size_t other = s->separate_masks ? (size_t)anpe_integer(rng, s->library.n_rows) : row;
    memcpy(out->sigma, s->library.sigma + row * n, n * sizeof(float));
    memcpy(out->mask, s->library.mask + other * n, n);
}

/* ---- the synthetic sky ------------------------------------------------------------------- */

static double pixel_of(const survey_sky *sky, double wavelength)
{
    return (log10(wavelength) - sky->log_start) / sky->log_step;
}

static void add_gaussian(survey_sky *sky, double *profile, double wavelength, double height,
                         double resolution)
{
    /* FWHM = wavelength / resolution; d(log10 wavelength) = d(wavelength) / (wavelength ln 10) */
    const double width = 1 / (resolution * 2.3548200450309493 * LN10 * sky->log_step);
    const double centre = pixel_of(sky, wavelength);
    const int64_t lo = (int64_t)floor(centre - 6 * width), hi = (int64_t)ceil(centre + 6 * width);

    for (int64_t i = lo < 0 ? 0 : lo; i <= hi && i < sky->n; i++) {
        const double z = ((double)i - centre) / width;
        profile[i] += height * exp(-0.5 * z * z);
    }
}

void survey_sky_add_lines(survey_sky *sky, int64_t n, const survey_sky_line *lines,
                          double resolution)
{
    for (int64_t k = 0; k < n; k++)
        add_gaussian(sky, sky->emission, lines[k].wavelength, lines[k].strength, resolution);
}

void survey_sky_set_throughput(survey_sky *sky, int64_t n, const double (*knots)[2])
{
    for (int64_t i = 0; i < sky->n; i++) {
        const double w = pow(10, sky->log_start + (double)i * sky->log_step);
        int64_t k = 1;
        while (k < n - 1 && w > knots[k][0])
            k++;
        double part = (w - knots[k - 1][0]) / (knots[k][0] - knots[k - 1][0]);
        part = fmax(0, fmin(1, part));
        sky->throughput[i] = knots[k - 1][1] + part * (knots[k][1] - knots[k - 1][1]);
    }
}

void survey_sky_absorb(survey_sky *sky, double wavelength, double depth, double resolution)
{
    add_gaussian(sky, sky->depth, wavelength, depth, resolution);
}

static anpe_status make_sky(anpe_ctx *ctx, const anpe_instrument_info *instrument, double log_step,
                            survey_sky_fn *describe, survey_noise *s)
{
    survey_sky *sky = &s->sky;
    const int64_t n = s->n_pixels;

    if (!instrument->wavelength || instrument->channels != 1)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "the synthetic sky needs an instrument with wavelengths; give a library");
    sky->log_step = log_step;
    sky->log_start = log10(instrument->wavelength[0]) - (double)s->margin * log_step;
    sky->n = 1 + 2 * s->margin +
             llround((log10(instrument->wavelength[n - 1]) - log10(instrument->wavelength[0])) /
                     log_step);
    if (sky->n > 1000000)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "the instrument's range is too wide for this sky");
    if (ANPE_NEW(ctx, s->place, n) || ANPE_NEW(ctx, sky->throughput, sky->n) ||
        ANPE_NEW(ctx, sky->emission, sky->n) || ANPE_NEW(ctx, sky->depth, sky->n))
        return ANPE_ENOMEM;
    describe(sky);
    s->n_segments = instrument->n_segments;
    if (ANPE_NEW(ctx, s->segment, s->n_segments + 1))
        return ANPE_ENOMEM;
    memcpy(s->segment, instrument->segment, ((size_t)s->n_segments + 1) * sizeof *s->segment);
    for (int64_t i = 0; i < n; i++)
        s->place[i] = llround(pixel_of(sky, instrument->wavelength[i]));
    return ANPE_OK;
}

static double between(anpe_rng *rng, const double range[2])
{
    return range[0] * pow(range[1] / range[0], anpe_uniform(rng));
}

/* The number of events of a Poisson process of this rate in unit time: sums of exponentials. */
static int64_t poisson(anpe_rng *rng, double rate)
{
    int64_t n = 0;
    for (double t = -log(anpe_uniform(rng)); t < rate; t -= log(anpe_uniform(rng)))
        n++;
    return n;
}

static void flag(const survey_noise *s, int64_t first, int64_t length, uint8_t *mask)
{
    for (int64_t i = first; i < first + length && i < s->n_pixels; i++)
        mask[i] = 1;
}

static void flag_defects(const survey_noise *s, anpe_rng *rng, uint8_t *mask)
{
    const survey_variety *v = &s->variety;
    const double n = (double)s->n_pixels;

    for (int64_t k = poisson(rng, between(rng, v->hits) * n); k > 0; k--)
        flag(s, anpe_integer(rng, s->n_pixels), 1, mask);
    for (int64_t k = poisson(rng, between(rng, v->runs) * n); k > 0; k--) {
        const int64_t first = anpe_integer(rng, s->n_pixels);
        flag(s, first, 2 + (int64_t)(-log(anpe_uniform(rng)) * (v->length - 2)), mask);
    }
}

/* Ends of segments that the detector or the star's shift left without light. */
static void flag_ends(const survey_noise *s, anpe_rng *rng, uint8_t *mask)
{
    for (int64_t k = 0; s->variety.ends > 0 && k < s->n_segments; k++) {
        const int64_t first = s->segment[k], last = s->segment[k + 1], most = (last - first) / 4;
        const int64_t low = (int64_t)(-log(anpe_uniform(rng)) * s->variety.ends);
        const int64_t high = (int64_t)(-log(anpe_uniform(rng)) * s->variety.ends);
        const int64_t at_end = high < most ? high : most;
        flag(s, first, low < most ? low : most, mask);
        flag(s, last - at_end, at_end, mask);
    }
}

/* An error bar that is itself measured, from v spectra: chi^2 of v - 1, Wilson & Hilferty 1931. */
static void scatter_sigma(const survey_noise *s, anpe_rng *rng, float *sigma)
{
    const double *range = s->variety.visits;
    const double freedom = range[1] > 0 ? fmax(1, floor(between(rng, range)) - 1) : 0;
    const double width = 2 / (9 * freedom);
    for (int64_t i = 0; freedom > 0 && i < s->n_pixels; i++) {
        const double root = 1 - width + sqrt(width) * anpe_normal(rng);
        sigma[i] *= (float)sqrt(fmax(0.05, root * root * root));
    }
}

static void draw_sky(const survey_noise *s, anpe_rng *rng, anpe_spectrum *out)
{
    const survey_variety *v = &s->variety;
    const double sky = between(rng, v->sky), read = between(rng, v->read);
    const double airmass = between(rng, v->airmass), outshone = between(rng, v->outshone);
    const double colour = v->colour[0] + (v->colour[1] - v->colour[0]) * anpe_uniform(rng);
    const double step = LN10 * s->sky.log_step, middle = 0.5 * (double)s->sky.n;
    const double far = (double)s->margin, shift = v->shift / (ANPE_C_KMS * step) * anpe_normal(rng);
    const int64_t moved = llround(fmax(-far, fmin(far, shift)));

    for (int64_t i = 0; i < s->n_pixels; i++) {
        const int64_t k = s->place[i] + moved;
        const double light = s->sky.throughput[k], glow = sky * s->sky.emission[k];
        const double counts =
            light * exp(colour * step * ((double)k - middle) - airmass * s->sky.depth[k]);
        /* A blind pixel has no error bar: mend_row gives it a neighbour's. */
        out->sigma[i] = light > 0 ? (float)(sqrt(counts + light * glow + read) / counts) : 0.0f;
        out->mask[i] = (uint8_t)(glow > outshone);
    }
    flag_defects(s, rng, out->mask);
    flag_ends(s, rng, out->mask);
    scatter_sigma(s, rng, out->sigma);
    mend_row(s->n_pixels, out->sigma, out->mask);
}

/* ---- both -------------------------------------------------------------------------------- */

anpe_status survey_noise_new(anpe_ctx *ctx, const survey_noise_options *o,
                             const anpe_noise_setup *setup, double log_step, int64_t margin,
                             survey_sky_fn *sky, const survey_variety *variety, survey_noise **out)
{
    const anpe_instrument_info *instrument = setup->instrument;
    survey_noise *s;
    anpe_status status;

    *out = NULL;
    if (o->snr_min > o->snr_max)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "snr_min %g is above snr_max %g", o->snr_min,
                         o->snr_max);
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->snr_min = o->snr_min;
    s->snr_max = o->snr_max;
    s->separate_masks = o->separate_masks;
    s->n_pixels = instrument->channels * instrument->n_pixels;
    s->margin = margin;
    s->variety = *variety;
    if (!o->library[0])
        anpe_log(ctx, ANPE_INFO,
                 "noise without a library: synthetic error bars and masks; `anpe noise` makes a "
                 "library of your own files");
    status = o->library[0] ? open_library(ctx, o->library, setup, s)
                           : make_sky(ctx, instrument, log_step, sky, s);
    if (status) {
        survey_noise_free(s);
        return status;
    }
    *out = s;
    return ANPE_OK;
}

void survey_noise_free(survey_noise *s)
{
    if (!s)
        return;
    anpe_noise_library_free(&s->library);
    free(s->sky.throughput);
    free(s->sky.emission);
    free(s->sky.depth);
    free(s->place);
    free(s->segment);
    free(s);
}

anpe_noise_unit survey_noise_unit(const void *self)
{
    (void)self;
    return ANPE_NOISE_IN_CONTINUUM;
}

#define TRIES 100 /* a synthetic draw without a good pixel is drawn again */

anpe_status survey_noise_draw(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *out)
{
    const survey_noise *s = self;
    double sum = 0, target;
    int64_t good = 0;

    if (out->n_pixels != s->n_pixels)
        return ANPE_FAIL(ctx, ANPE_EINTERNAL, "noise for %lld pixels asked for %lld",
                         (long long)s->n_pixels, (long long)out->n_pixels);
    for (int k = 0; k < TRIES && good == 0; k++) {
        if (s->library.n_rows)
            draw_row(s, rng, out);
        else
            draw_sky(s, rng, out);
        for (int64_t i = 0; i < s->n_pixels; i++)
            good += !out->mask[i];
    }
    if (good == 0)
        return ANPE_FAIL(ctx, ANPE_ENUMERIC, "no spectrum with a good pixel in %d draws", TRIES);
    for (int64_t i = 0; i < s->n_pixels; i++)
        if (!out->mask[i])
            sum += 1 / (double)out->sigma[i];
    target = s->snr_min + (s->snr_max - s->snr_min) * anpe_uniform(rng);
    for (int64_t i = 0; i < s->n_pixels; i++)
        out->sigma[i] = (float)(out->sigma[i] * (sum / (double)good / target));
    return ANPE_OK;
}
