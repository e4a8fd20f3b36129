/* prepare/noise.h -- error bars and masks of real spectra, for the noise models.
 *
 * Every spectrum is read by its instrument, normalised by the instrument's continuum rule and
 * reduced to sigma and mask; the flux is dropped. What anpe_noise_library_read reads:
 *     sigma (N, P) float   of the normalised spectrum; a bad pixel has its left neighbour's
 *     mask (N, P) uint8    1 = bad
 * and for the record: wavelength (P), id (N, 80) and sha256 (N, 64) as bytes of text, attributes
 * instrument, configuration, anpe_version. */
#ifndef ANPE_CORE_NOISE_LIBRARY_H
#define ANPE_CORE_NOISE_LIBRARY_H
#include "kind/component.h"

typedef struct anpe_noise_library_job {
    const anpe_component *instrument;
    const char *configuration; /* the resolved settings, as text */
    int64_t n_paths;
    const char *const *paths;
    const char *output;
} anpe_noise_library_job;

typedef struct anpe_noise_library_result {
    int64_t n_rows;    /* spectra in the library */
    int64_t n_skipped; /* spectra or files left out; the reason of each is a warning in the log */
    double snr_median; /* of the mean of 1/sigma over good pixels */
    double bad_fraction;
} anpe_noise_library_result;

/* A spectrum that cannot be used is left out with a warning. No usable one at all is ANPE_EINVAL,
 * and no output file. */
ANPE_MUST_CHECK anpe_status anpe_noise_library_make(anpe_ctx *ctx,
                                                    const anpe_noise_library_job *job,
                                                    anpe_noise_library_result *result);
#endif
