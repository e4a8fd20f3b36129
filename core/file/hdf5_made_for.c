/* file/hdf5_made_for.c -- whether a file of spectra, simulations or error bars is for this
 * instrument; what it does not say is not compared. */
#include "file/hdf5_file.h"
#include "spectrum/grid.h"

#include <stdlib.h>
#include <string.h>

static anpe_status check_name(anpe_ctx *ctx, anpe_h5 *f, const char *name)
{
    char *text = NULL;
    if (!name || !anpe_h5_has_attribute(f, "/", "instrument"))
        return ANPE_OK;
    anpe_status status = anpe_h5_get_text(ctx, f, "/", "instrument", &text);
    if (!status && strcmp(text, name))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: was made for instrument '%s', not for '%s'",
                           anpe_h5_path(f), text, name);
    free(text);
    return status;
}

static anpe_status check_wavelengths(anpe_ctx *ctx, anpe_h5 *f, int64_t n, const double *wavelength)
{
    if (!wavelength || !anpe_h5_has(f, "wavelength"))
        return ANPE_OK;
    double *w = anpe_alloc(ctx, (size_t)n * sizeof *w);
    if (!w)
        return ANPE_ENOMEM;
    anpe_status status = anpe_h5_read(ctx, f, "wavelength", ANPE_H5_DOUBLE, n, w);
    const double off = status ? 0 : anpe_grid_distance(n, wavelength, w);
    if (off > 1e-3)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: its wavelengths (%.3f to %.3f) are not the "
                           "instrument's (%.3f to %.3f): up to %.3g pixels apart",
                           anpe_h5_path(f), w[0], w[n - 1], wavelength[0], wavelength[n - 1], off);
    anpe_free(w);
    return status;
}

anpe_status anpe_h5_made_for(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t n,
                             const double *wavelength)
{
    const anpe_status status = check_name(ctx, f, name);
    return status ? status : check_wavelengths(ctx, f, n, wavelength);
}
