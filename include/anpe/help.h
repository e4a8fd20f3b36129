/* anpe/help.h -- what libanpe does for plugins beside the core's work: arrays and attributes of
 * files, files in memory, continua, resampling. Comes with <anpe/plugin.h>, whose types it uses. */
#ifndef ANPE_HELP_H
#define ANPE_HELP_H
#include <anpe/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A whole numeric array from a file: .npz (key = member), .h5 / .hdf5 (key = dataset), otherwise
 * whitespace-separated text (key ignored). key NULL or "": the only array of the file. *data is
 * malloc'ed (caller frees), shape has up to 4 entries, rank in *rank. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_array_read(anpe_ctx *ctx, const char *path,
                                                        const char *key, double **data, int *rank,
                                                        int64_t shape[4]);
/* The same where rank and shape are known: a length given as -1 may be any but 0 and is filled in,
 * others must agree. why (or NULL) ends the message of a wrong shape: "; x_min has 2". Since 1.3.
 */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_array_expect(anpe_ctx *ctx, const char *path,
                                                          const char *key, int rank, int64_t *shape,
                                                          const char *why, double **data);

/* A whole file in memory, inflated where it is gzipped (the checksum is read). Since 1.5. */
typedef struct anpe_file {
    unsigned char *bytes; /* (size), not to be changed */
    size_t size;
    int whole; /* 0: the start only of a file that is larger than was wanted, and not gzipped */
} anpe_file;
/* A file that is held is opened once, however often it is asked for. The core holds what it calls
 * an instrument's recognise, count and read for, in the context that it hands in. A hold is
 * counted, and undone by a let_go; what was held at last is closed. Since 1.5. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_file_hold(anpe_ctx *ctx, const char *path);
ANPE_EXPORT void anpe_file_let_go(anpe_ctx *ctx, const char *path);
/* The file, if it is held: valid until the last let_go. NULL and success: it is not held. most: of
 * a larger one that is not gzipped the start is enough, 4096 bytes. Since 1.5. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_file_bytes(anpe_ctx *ctx, const char *path,
                                                        size_t most, anpe_file **file);

/* Text attribute `name` of `object` ("/": the file itself) of an HDF5 file, one string or several:
 * *n of them, in one block that the caller frees with free(*texts). An object without it: *n = 0
 * and *texts NULL. For create only: HDF5 is used by one thread. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_attribute_read(anpe_ctx *ctx, const char *path,
                                                            const char *object, const char *name,
                                                            int64_t *n, char ***texts);

/* Least-squares Chebyshev continuum: in each segment a polynomial of `degree` in
 * x = 2k/(n-1) - 1 through the good continuum pixels, weight 1/sigma; flux and sigma are divided
 * by it. A segment with too few good continuum pixels is marked bad as a whole. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_continuum_chebyshev(anpe_ctx *ctx, int degree,
                                                                 int64_t n_segments,
                                                                 const int64_t *segment,
                                                                 const uint8_t *continuum,
                                                                 anpe_spectrum *s);
/* The continuum_modes of that rule: T_0 .. T_degree in each segment -> mode (returned number,
 * n_pixels) unless NULL. segment (n_segments + 1) as in anpe_instrument_info. */
ANPE_EXPORT int64_t anpe_continuum_chebyshev_modes(int degree, int64_t n_segments,
                                                   const int64_t *segment, float *mode);
/* The continuum_weights of that rule with the sigma and the mask of s. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_continuum_chebyshev_weights(
    anpe_ctx *ctx, int degree, int64_t n_segments, const int64_t *segment, const uint8_t *continuum,
    const anpe_spectrum *s, double *weight);
/* Gaussian-smoothed continuum: flux and sigma divided by the inverse-variance weighted mean of
 * the flux with a kernel of standard deviation `width` (Angstrom), good pixels only. The pixel of a
 * segment that has no other is bad. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_continuum_smooth(anpe_ctx *ctx, double width,
                                                              const double *wavelength,
                                                              int64_t n_segments,
                                                              const int64_t *segment,
                                                              anpe_spectrum *s);
/* The operation `continuum` of that rule. Since 1.8. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_continuum_smoothed(
    anpe_ctx *ctx, double width, const double *wavelength, int64_t n_segments,
    const int64_t *segment, const anpe_spectrum *s, int64_t n, const float *flux, float *continuum);
/* A spectrum from its own wavelengths (n_in, ascending) onto a grid: flux-conserving on flux
 * density, ivar-weighted errors; an output pixel that any bad or missing input pixel overlaps by
 * more than half is bad. */
ANPE_EXPORT ANPE_MUST_CHECK anpe_status anpe_resample_spectrum(
    anpe_ctx *ctx, int64_t n_in, const double *wavelength_in, const float *flux, const float *sigma,
    const uint8_t *mask, int64_t n_out, const double *wavelength_out, anpe_spectrum *out);
/* Air to vacuum wavelength in Angstrom, Morton (2000). */
ANPE_EXPORT double anpe_air_to_vacuum(double lambda_air);

#ifdef __cplusplus
}
#endif
#endif
