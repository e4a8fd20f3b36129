/* file/hdf5_mask.c -- masks from HDF5, by the one rule for all readers: a pixel is good where its
 * mask is 0, exactly. Any bit, a negative number, a fraction and NaN (a null value) are bad.
 *
 * Read as doubles, in which no number that is not 0 becomes 0: HDF5 saturates a negative integer to
 * 0 in an unsigned type and cuts a fraction off. */
#include "file/hdf5_file.h"

enum { BLOCK = 1 << 17 }; /* values at once */

anpe_status anpe_h5_read_mask(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t start,
                              int64_t n_rows, int64_t n_values, uint8_t *mask)
{
    if (n_rows == 0 || n_values == 0)
        return ANPE_OK;
    const int64_t rows = n_values < BLOCK ? BLOCK / n_values : 1,
                  most = rows < n_rows ? rows : n_rows;
    double *value = anpe_alloc(ctx, (size_t)(most * n_values) * sizeof *value);
    if (!value)
        return ANPE_ENOMEM;
    anpe_status status = ANPE_OK;
    for (int64_t done = 0; done < n_rows && !status; done += most) {
        const int64_t n = n_rows - done < most ? n_rows - done : most;
        status = anpe_h5_read_rows(ctx, f, name, ANPE_H5_DOUBLE, start + done, n, n_values, value);
        for (int64_t i = 0; i < n * n_values && !status; i++)
            mask[done * n_values + i] = !(value[i] == 0);
    }
    anpe_free(value);
    return status;
}
