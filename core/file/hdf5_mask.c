/* file/hdf5_mask.c -- masks from HDF5, by the one rule for all readers: a pixel is good where its
 * mask is 0, exactly. Any bit, a negative number, a fraction and NaN (a null value) are bad.
 *
 * Read as doubles, in which no number that is not 0 becomes 0: HDF5 saturates a negative integer to
 * 0 in an unsigned type and cuts a fraction off. */
#include "file/hdf5_file.h"

enum { BLOCK = 1 << 17 }; /* values at once */

anpe_status anpe_h5_read_mask(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t start,
                              int64_t n_rows, uint8_t *mask)
{
    int rank;
    int64_t shape[8], width = 1;
    anpe_status status = anpe_h5_shape(ctx, f, name, &rank, shape);
    for (int k = 1; k < rank && !status; k++)
        if (__builtin_mul_overflow(width, shape[k], &width) || width > INT64_MAX / 16)
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s': absurd shape", anpe_h5_path(f),
                               name);
    if (status || width == 0)
        return status;
    const int64_t rows = width < BLOCK ? BLOCK / width : 1, most = rows < n_rows ? rows : n_rows;
    double *value = anpe_alloc(ctx, (size_t)(most * width) * sizeof *value);
    if (!value)
        return ANPE_ENOMEM;
    for (int64_t done = 0; done < n_rows && !status; done += most) {
        const int64_t n = n_rows - done < most ? n_rows - done : most;
        status = anpe_h5_read_rows(ctx, f, name, ANPE_H5_DOUBLE, start + done, n, value);
        for (int64_t i = 0; i < n * width && !status; i++)
            mask[done * width + i] = !(value[i] == 0);
    }
    anpe_free(value);
    return status;
}
