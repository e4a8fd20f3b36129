/* file/noise_library.c -- real error bars and masks: HDF5 datasets sigma (N, P) and mask (N, P).
 * mask may be absent: then all pixels with a usable sigma are good; hdf5_mask.c says what is bad.
 */
#include "file/hdf5_file.h"
#include "spectrum/spectrum.h"

#include <math.h>
#include <stdlib.h>

static anpe_status read_shapes(anpe_ctx *ctx, anpe_h5 *f, anpe_noise_library *library)
{
    int rank;
    int64_t shape[8], mask_shape[8];
    anpe_status status = anpe_h5_shape(ctx, f, "sigma", &rank, shape);
    if (status)
        return status;
    if (rank != 2 || shape[0] < 1 || shape[1] < 1)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: 'sigma' must be (rows, pixels) and not empty",
                         anpe_h5_path(f));
    library->n_rows = shape[0];
    library->n_pixels = shape[1];
    if (!anpe_h5_has(f, "mask"))
        return ANPE_OK;
    status = anpe_h5_shape(ctx, f, "mask", &rank, mask_shape);
    if (!status && (rank != 2 || mask_shape[0] != shape[0] || mask_shape[1] != shape[1]))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: 'mask' must have the shape of 'sigma', "
                           "(%lld, %lld)",
                           anpe_h5_path(f), (long long)shape[0], (long long)shape[1]);
    return status;
}

/* A sigma that cannot be used is a bad pixel; a row without a good one cannot be drawn from. In
 * one_unit: all sigmas of a row are in one. */
static anpe_status check_rows(anpe_ctx *ctx, const char *path, int one_unit,
                              anpe_noise_library *library)
{
    const int64_t n = library->n_pixels;
    float *room = one_unit ? anpe_alloc(ctx, (size_t)n * sizeof *room) : NULL;
    anpe_status status = one_unit && !room ? ANPE_ENOMEM : ANPE_OK;
    for (int64_t r = 0; r < library->n_rows && !status; r++) {
        int64_t good = 0;
        for (int64_t k = r * n; k < (r + 1) * n; k++) {
            int ok = !library->mask[k] && isfinite(library->sigma[k]) && library->sigma[k] > 0;
            library->mask[k] = !ok;
            good += ok;
        }
        if (good == 0)
            status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                               "%s: row %lld of the noise library has no good "
                               "pixel",
                               path, (long long)r);
        else if (one_unit)
            anpe_spectrum_null_errors(n, library->sigma + r * n, library->mask + r * n, room);
    }
    anpe_free(room);
    return status;
}

/* Where sigma comes with the flux it belongs to, the two must be in units of the continuum: told
 * from the middle row. */
static anpe_status check_unit(anpe_ctx *ctx, anpe_h5 *f, const anpe_noise_library *library)
{
    int rank;
    int64_t shape[8], n = library->n_pixels, good = 0;
    if (!anpe_h5_has(f, "flux"))
        return ANPE_OK;
    anpe_status status = anpe_h5_shape(ctx, f, "flux", &rank, shape);
    if (status || rank != 2 || shape[0] != library->n_rows || shape[1] != n)
        return status; /* of something else */
    float *flux = anpe_alloc(ctx, (size_t)n * sizeof *flux);
    if (!flux)
        return ANPE_ENOMEM;
    status = anpe_h5_read_rows(ctx, f, "flux", ANPE_H5_FLOAT, library->n_rows / 2, 1,
                               library->n_pixels, flux);
    for (int64_t i = 0; i < n && !status; i++)
        if (isfinite(flux[i]) && flux[i] != 0)
            flux[good++] = fabsf(flux[i]);
    const double middle = good ? (double)anpe_median(good, flux) : 1;
    if (!status && !(middle > 0.2 && middle < 5))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: holds spectra with a flux of about %.3g, and error bars are wanted "
                           "in units of the continuum: make a library of it with `anpe noise`",
                           anpe_h5_path(f), middle);
    anpe_free(flux);
    return status;
}

static anpe_status check_instrument(anpe_ctx *ctx, anpe_h5 *f, const anpe_noise_setup *setup,
                                    const anpe_noise_library *library)
{
    const anpe_instrument_info *i = setup->instrument;
    if (library->n_pixels != i->channels * i->n_pixels)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: error bars of %lld pixels, the instrument has %lld values; a noise "
                         "library is made with the instrument's present options",
                         anpe_h5_path(f), (long long)library->n_pixels,
                         (long long)(i->channels * i->n_pixels));
    const anpe_status status =
        anpe_h5_made_for(ctx, f, setup->instrument_name, i->n_pixels, i->wavelength);
    return status || !i->wavelength ? status : check_unit(ctx, f, library);
}

/* setup NULL: of no instrument. */
static anpe_status read_library(anpe_ctx *ctx, const char *path, const anpe_noise_setup *setup,
                                anpe_noise_library *library)
{
    anpe_h5 *f;
    *library = (anpe_noise_library){0};
    anpe_status status = anpe_h5_open(ctx, path, &f);
    if (status)
        return status;
    status = read_shapes(ctx, f, library);
    if (!status && setup)
        status = check_instrument(ctx, f, setup, library);
    int64_t n = library->n_rows * library->n_pixels;
    if (!status) {
        library->sigma = anpe_alloc(ctx, (size_t)n * sizeof *library->sigma);
        library->mask = anpe_alloc(ctx, (size_t)n);
        status = library->sigma && library->mask ? ANPE_OK : ANPE_ENOMEM;
    }
    if (!status)
        status = anpe_h5_read(ctx, f, "sigma", ANPE_H5_FLOAT, n, library->sigma);
    if (!status && anpe_h5_has(f, "mask"))
        status =
            anpe_h5_read_mask(ctx, f, "mask", 0, library->n_rows, library->n_pixels, library->mask);
    anpe_status closed = anpe_h5_close(ctx, f);
    status = status ? status : closed;
    if (!status)
        status = check_rows(ctx, path, setup && setup->instrument->wavelength, library);
    if (status)
        anpe_noise_library_free(library);
    return status;
}

anpe_status anpe_noise_library_read(anpe_ctx *ctx, const char *path, anpe_noise_library *library)
{
    return read_library(ctx, path, NULL, library);
}

anpe_status anpe_noise_library_load(anpe_ctx *ctx, const char *path, const anpe_noise_setup *setup,
                                    anpe_noise_library *library)
{
    return read_library(ctx, path, setup, library);
}

void anpe_noise_library_free(anpe_noise_library *library)
{
    anpe_free(library->sigma);
    anpe_free(library->mask);
    *library = (anpe_noise_library){0};
}
