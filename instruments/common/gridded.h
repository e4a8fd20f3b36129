/* common/gridded.h -- instruments whose spectra are put on a grid of our own: windows of constant
 * step in log wavelength, each a segment. What such instruments share is here; a member of the
 * family is a table of options, a reader of its files and the descriptors:
 *
 *     typedef struct options { gridded_options grid; ...its own... } options;
 *     static const anpe_option option_table[] = {GRIDDED_OPTIONS("4800 6800", 100000, ...), ...,
 * ANPE_OPT_END};
 *     static const char *const reading[] = {GRIDDED_READING, NULL};
 *     static const gridded_family family = {.medium = MEDIUM_AIR, .read = read_file,
 *                                           .recognise = recognise};
 *     GRIDDED_INSTRUMENT(pepsi, "1", "PEPSI at the LBT", option_table, options, family)
 *     GRIDDED_NOISE(pepsi, "1", 20, 300)
 *     ANPE_PLUGINS(&pepsi_instrument, &pepsi_noise);
 */
#ifndef ANPE_GRIDDED_H
#define ANPE_GRIDDED_H
#include "lsf_file.h"
#include "observed.h"
#include "survey_noise.h"
#include "wavelength_scale.h"

enum gridded_rule { GRIDDED_CHEBYSHEV, GRIDDED_SMOOTH, GRIDDED_NONE };
enum gridded_frame { GRIDDED_HELIOCENTRIC, GRIDDED_OBSERVED };

typedef struct gridded_options {
    anpe_reals windows, never; /* pairs of first and last wavelength */
    double resolution, samples;
    const char *lsf;
    int rule; /* enum gridded_rule */
    int64_t degree;
    double width, blaze;
    int medium, frame; /* frame: enum gridded_frame */
    double velocity;
    int64_t scatter_window;
} gridded_options;

/* WINDOWS, EXCLUDE: text of pairs. RULE: enum gridded_rule. BLAZE: 0, or Angstrom. */
#define GRIDDED_OPTIONS(WINDOWS, RESOLUTION, RULE, WIDTH, BLAZE, EXCLUDE)                          \
    ANPE_OPT_REALS(gridded_options, windows, WINDOWS, 500, 300000, "Angstrom",                     \
                   "pairs of first and last vacuum wavelength: what the network sees"),            \
        ANPE_OPT_REAL(gridded_options, resolution, RESOLUTION, 100, 1e6, "",                       \
                      "resolving power lambda / FWHM of the spectra"),                             \
        ANPE_OPT_REAL(gridded_options, samples, 2.5, 1, 20, "", "pixels for each FWHM"),           \
        LSF_FILE_OPTION(gridded_options),                                                          \
        ANPE_OPT_ENUM(gridded_options, rule, RULE, "chebyshev|smooth|none",                        \
                      "continuum rule: a polynomial through continuum pixels in each window, "     \
                      "division by the smoothed spectrum, or none (already normalised)"),          \
        ANPE_OPT_INT(gridded_options, degree, 4, 0, 15, "", "of the polynomial"),                  \
        ANPE_OPT_REAL(gridded_options, width, WIDTH, 0.1, 10000, "Angstrom",                       \
                      "standard deviation of the smoothing kernel"),                               \
        ANPE_OPT_REAL(gridded_options, blaze, BLAZE, 0, 10000, "Angstrom",                         \
                      "orders are divided by their running 90th percentile over so much before "   \
                      "they are joined; 0: they are joined as they are"),                          \
        ANPE_OPT_REALS(gridded_options, never, EXCLUDE, 500, 300000, "Angstrom",                   \
                       "pairs of wavelengths: ranges never to use, e.g. telluric bands"),          \
        ANPE_OPT_ENUM(gridded_options, medium, 0, "file|air|vacuum",                               \
                      "what the file's wavelengths are in; file: what its header says, else what " \
                      "is usual for the instrument"),                                              \
        ANPE_OPT_ENUM(gridded_options, frame, 0, "heliocentric|observed",                          \
                      "heliocentric: wavelengths are corrected by the header's barycentric or "    \
                      "heliocentric correction, where it has one and they are not yet"),           \
        ANPE_OPT_REAL(gridded_options, velocity, 0, -3000, 3000, "km/s",                           \
                      "subtracted from every radial velocity: wavelengths are divided by it"),     \
        ANPE_OPT_INT(gridded_options, scatter_window, 201, 11, 100001, "pixels",                   \
                     "files without error bars: these from the scatter over so many pixels")

/* What a reader fills. Clear with observed_clear(&file.o). */
typedef struct gridded_file {
    observed o;         /* wavelengths as in the file */
    char id[80];        /* the star's identifier; "": the file has none */
    medium medium;      /* what the file says */
    double barycentric; /* km/s still to be added to observed velocities; NAN: not known, 0: done */
} gridded_file;

typedef struct gridded_family {
    medium medium; /* where the file does not say; unknown: refused with a hint at the option */
    /* How many spectra the file holds. NULL: 1, and read says when it is none. options: the
     * member's own struct. */
    anpe_status (*count)(anpe_ctx *ctx, const void *options, const char *path, int64_t *n);
    anpe_status (*read)(anpe_ctx *ctx, const void *options, const char *path, int64_t row,
                        gridded_file *file);
    /* As in anpe_instrument_ops (recognise.h helps); NULL: it recognises nothing. */
    anpe_status (*recognise)(anpe_ctx *ctx, const char *path, anpe_recognition *out);
} gridded_family;

/* A correction in km/s that the header states under this keyword, in HDU 0 or 1; "": none, NAN. A
 * keyword that is not there is an error. */
ANPE_MUST_CHECK anpe_status gridded_velocity(anpe_ctx *ctx, fitsfile *f, const char *path,
                                             const char *key, double *kms);

/* Of the options above, those that concern reading alone: {GRIDDED_READING, "use_or_mask", NULL} is
 * a member's `reading`. */
#define GRIDDED_READING "medium", "frame", "velocity", "blaze", "scatter_window"

typedef struct gridded gridded;
ANPE_MUST_CHECK anpe_status gridded_new(anpe_ctx *ctx, const void *options,
                                        const gridded_family *family, gridded **out);
void gridded_destroy(void *self); /* takes NULL */

/* Members of anpe_instrument_ops. */
void gridded_info(const void *self, anpe_instrument_info *out);
ANPE_MUST_CHECK anpe_status gridded_count(const void *self, anpe_ctx *ctx, const char *path,
                                          int64_t *n);
ANPE_MUST_CHECK anpe_status gridded_read(const void *self, anpe_ctx *ctx, const char *path,
                                         int64_t row, anpe_spectrum *out);
ANPE_MUST_CHECK anpe_status gridded_normalise(const void *self, anpe_ctx *ctx,
                                              const uint8_t *continuum, anpe_spectrum *s);
int64_t gridded_continuum_modes(const void *self, float *mode);
ANPE_MUST_CHECK anpe_status gridded_continuum_weights(const void *self, anpe_ctx *ctx,
                                                      const uint8_t *continuum,
                                                      const anpe_spectrum *s, double *weight);
ANPE_MUST_CHECK anpe_status gridded_continuum(const void *self, anpe_ctx *ctx,
                                              const uint8_t *continuum_set, const anpe_spectrum *s,
                                              int64_t n, const float *flux, float *continuum);
ANPE_MUST_CHECK anpe_status gridded_recognise(const gridded_family *family, anpe_ctx *ctx,
                                              const char *path, anpe_recognition *out);

/* Takes `reading` from the file that it stands in. */
#define GRIDDED_INSTRUMENT(NAME, VERSION, SUMMARY, TABLE, OPTIONS, FAMILY)                         \
    static anpe_status NAME##_create(anpe_ctx *ctx, const void *o, const void *setup, void **self) \
    {                                                                                              \
        gridded *g = NULL;                                                                         \
        const anpe_status status = gridded_new(ctx, o, &(FAMILY), &g);                             \
        (void)setup;                                                                               \
        *self = g;                                                                                 \
        return status;                                                                             \
    }                                                                                              \
    static anpe_status NAME##_recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)    \
    {                                                                                              \
        return gridded_recognise(&(FAMILY), ctx, path, out);                                       \
    }                                                                                              \
    static const anpe_instrument_ops NAME##_ops = {.size = sizeof NAME##_ops,                      \
                                                   .info = gridded_info,                           \
                                                   .count = gridded_count,                         \
                                                   .read = gridded_read,                           \
                                                   .normalise = gridded_normalise,                 \
                                                   .continuum_modes = gridded_continuum_modes,     \
                                                   .continuum_weights = gridded_continuum_weights, \
                                                   .continuum = gridded_continuum,                 \
                                                   .recognise = NAME##_recognise,                  \
                                                   .reading = reading};                            \
    static const anpe_plugin NAME##_instrument = {.abi = ANPE_ABI,                                 \
                                                  .kind = ANPE_INSTRUMENT,                         \
                                                  .name = #NAME,                                   \
                                                  .version = VERSION,                              \
                                                  .summary = SUMMARY,                              \
                                                  .options = TABLE,                                \
                                                  .options_size = sizeof(OPTIONS),                 \
                                                  .create = NAME##_create,                         \
                                                  .destroy = gridded_destroy,                      \
                                                  .ops = &NAME##_ops}

/* ---- noise: a library of real error bars, or an analytic default ------------------------ */

/* What the spectra of a member have without a library. */
typedef struct gridded_noise {
    survey_sky_fn *sky;
    survey_variety variety;
} gridded_noise;
/* Photon noise of stars of all colours and some read noise; isolated hits of cosmic rays and short
 * runs of them. */
#define GRIDDED_PLAIN_VARIETY                                                                      \
    {                                                                                              \
        .sky = {1e-6, 1e-5}, .read = {0.001, 0.3}, .outshone = {2, 50}, .airmass = {0.9, 2},       \
        .colour = {-1, 4}, .hits = {0.0001, 0.002}, .runs = {0.00005, 0.0005}, .length = 5         \
    }
extern const gridded_noise gridded_noise_plain; /* that, flat over each window */

anpe_status gridded_noise_new(anpe_ctx *ctx, const void *o, const void *setup,
                              const gridded_noise *kind, void **self);
void gridded_noise_destroy(void *self);
extern const anpe_noise_ops gridded_noise_ops;

/* An echelle's throughput: order m is centred on lambda_m = CONSTANT / m (Angstrom), with the blaze
 * of a grating, sinc^2(pi m (1 - lambda_m / lambda)) (Schroeder & Hilliard 1980, Appl. Opt. 19,
 * 2833, with equal angles), and the detector sees it within lambda_m (1 +- HALF). Light of
 * overlapping orders adds, as it does when they are joined with weights 1 / sigma^2; between
 * orders that do not overlap there is none. */
void gridded_echelle(survey_sky *sky, double constant, double half);

#define GRIDDED_NOISE(NAME, VERSION, SNR_LOW, SNR_HIGH)                                            \
    GRIDDED_NOISE_OF(NAME, VERSION, SNR_LOW, SNR_HIGH, gridded_noise_plain,                        \
                     "error bars and masks from a library, or photon noise and cosmic rays")

#define GRIDDED_ECHELLE_NOISE(NAME, VERSION, SNR_LOW, SNR_HIGH, CONSTANT, HALF)                    \
    static void NAME##_orders(survey_sky *sky)                                                     \
    {                                                                                              \
        gridded_echelle(sky, CONSTANT, HALF);                                                      \
    }                                                                                              \
    static const gridded_noise NAME##_noise_kind = {.sky = NAME##_orders,                          \
                                                    .variety = GRIDDED_PLAIN_VARIETY};             \
    GRIDDED_NOISE_OF(                                                                              \
        NAME, VERSION, SNR_LOW, SNR_HIGH, NAME##_noise_kind,                                       \
        "error bars and masks from a library, or photon noise, blaze, order edges, cosmic rays")

/* KIND: a gridded_noise. */
#define GRIDDED_NOISE_OF(NAME, VERSION, SNR_LOW, SNR_HIGH, KIND, SUMMARY)                          \
    static anpe_status NAME##_noise_create(anpe_ctx *ctx, const void *o, const void *setup,        \
                                           void **self)                                            \
    {                                                                                              \
        return gridded_noise_new(ctx, o, setup, &(KIND), self);                                    \
    }                                                                                              \
    static const anpe_option NAME##_noise_options[] = {SURVEY_NOISE_OPTIONS(SNR_LOW, SNR_HIGH)};   \
    static const anpe_plugin NAME##_noise = {.abi = ANPE_ABI,                                      \
                                             .kind = ANPE_NOISE,                                   \
                                             .name = #NAME,                                        \
                                             .version = VERSION,                                   \
                                             .summary = SUMMARY,                                   \
                                             .options = NAME##_noise_options,                      \
                                             .options_size = sizeof(survey_noise_options),         \
                                             .create = NAME##_noise_create,                        \
                                             .destroy = gridded_noise_destroy,                     \
                                             .ops = &gridded_noise_ops}
#endif
