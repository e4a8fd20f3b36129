/* common/survey_noise.h -- noise as a survey has it: per-pixel error bars and masks of a library of
 * real spectra or, without one, of a synthetic sky. One implementation for every instrument.
 *
 * A draw (Zhang, Jayasinghe & Bloom 2023): a row of the library gives the shape of sigma and the
 * bad pixels; sigma is scaled so that the mean of 1/sigma over the good pixels equals a target
 * drawn uniformly from [snr_min, snr_max]. The spectrum is taken as normalised, its continuum 1.
 *
 * Synthetic: a star of continuum 1 seen through throughput T and telluric transmission A under sky
 * lines E. With counts N = T A, the relative error of a pixel is
 *     sigma = sqrt(N + b T E + r) / N
 * with the sky's brightness b, the read noise r, the airmass (A = exp(-airmass tau)), the star's
 * colour (N goes as a power of wavelength) and the shift of the star's rest frame against the sky
 * drawn for every spectrum. Where a survey's error bar is the standard deviation of v spectra, it
 * is drawn from its distribution, sigma sqrt(chi^2_(v-1) / (v-1)). Bad pixels: where the sky line
 * outshines the star, outside the detectors, isolated hits and short runs, and those that a segment
 * lacks at its ends. It has the survey's
 * features, not its numbers: for science use a library made from the survey's own files. */
#ifndef ANPE_SURVEY_NOISE_H
#define ANPE_SURVEY_NOISE_H
#include <anpe/plugin.h>

typedef struct survey_noise_options {
    const char *library;
    double snr_min, snr_max;
    int separate_masks;
} survey_noise_options;

#define SURVEY_NOISE_OPTIONS(lo, hi)                                                               \
    ANPE_OPT_FILE(survey_noise_options, library, "",                                               \
                  "error bars and masks written by `anpe noise`; empty: synthetic sky"),           \
        ANPE_OPT_REAL(survey_noise_options, snr_min, lo, 1e-3, 1e6, "",                            \
                      "lowest mean of 1/sigma over good pixels"),                                  \
        ANPE_OPT_REAL(survey_noise_options, snr_max, hi, 1e-3, 1e6, "",                            \
                      "highest mean of 1/sigma over good pixels"),                                 \
        ANPE_OPT_BOOL(survey_noise_options, separate_masks, 0,                                     \
                      "take the mask from another row of the library than sigma"),                 \
        ANPE_OPT_END

/* Profiles on pixels of constant log10 wavelength, wider than the instrument's grid. */
typedef struct survey_sky {
    int64_t n;
    double log_start, log_step; /* log10 of Angstrom */
    double *throughput;         /* (n) relative; 0 outside the detectors */
    double *emission;           /* (n) sky lines; the strongest peaks are near 1 */
    double *depth;              /* (n) telluric optical depth at airmass 1 */
} survey_sky;

/* How a survey's spectra differ from each other: ranges, drawn log-uniformly but for the colour. */
typedef struct survey_variety {
    double sky[2];      /* brightness b of the sky lines over the star's continuum */
    double read[2];     /* read noise r, in squared counts of the star's continuum */
    double outshone[2]; /* a pixel with b E above this is flagged as a sky line */
    double airmass[2];  /* scales the optical depth */
    double colour[2];   /* power of wavelength, uniform */
    double hits[2];     /* expected number of isolated bad pixels, per pixel */
    double runs[2];     /* and of runs of them */
    double length;      /* mean length of a run, pixels */
    double ends;        /* mean number of pixels missing at each end of a segment; 0: none */
    double visits[2];   /* sigma is the scatter of so many spectra, whence its own; 0, 0: not */
    double shift;       /* km/s, standard deviation of the star's velocity against the sky */
} survey_variety;

typedef struct survey_sky_line {
    double wavelength, strength; /* vacuum Angstrom; relative */
} survey_sky_line;

/* Describes an instrument's sky into zeroed profiles. */
typedef void survey_sky_fn(survey_sky *sky);

/* Helpers for a survey_sky_fn. Lines are Gaussians of the given resolution. */
void survey_sky_add_lines(survey_sky *sky, int64_t n, const survey_sky_line *lines,
                          double resolution);
/* Throughput between knots, linear in wavelength, constant beyond them. */
void survey_sky_set_throughput(survey_sky *sky, int64_t n, const double (*knots)[2]);
/* Adds the optical depth of a Gaussian of FWHM wavelength / resolution. */
void survey_sky_absorb(survey_sky *sky, double wavelength, double depth, double resolution);

typedef struct survey_noise survey_noise;
/* sky and variety may be dropped afterwards. margin: pixels of log_step on both sides. */
ANPE_MUST_CHECK anpe_status survey_noise_new(anpe_ctx *ctx, const survey_noise_options *o,
                                             const anpe_noise_setup *setup, double log_step,
                                             int64_t margin, survey_sky_fn *sky,
                                             const survey_variety *variety, survey_noise **out);
void survey_noise_free(survey_noise *s);             /* takes NULL */
anpe_noise_unit survey_noise_unit(const void *self); /* of the continuum: S/N is one's of it */
anpe_status survey_noise_draw(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *s);
#endif
