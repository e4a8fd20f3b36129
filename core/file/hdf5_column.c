/* file/hdf5_column.c -- datasets of one dimension whose length is known and whose rows come piece
 * by piece: columns of a catalogue, identifiers. Contiguous, so that their bytes do not depend on
 * the pieces. */
#include <config.h>
#include "file/hdf5_private.h"

static anpe_status make_column(anpe_ctx *ctx, anpe_h5 *f, const char *name, hid_t type, int64_t n)
{
    const hsize_t dim = (hsize_t)n;
    const hid_t space = H5Screate_simple(1, &dim, NULL), dcpl = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t set = anpe_h5_make_set(f, name, type, space, dcpl);
    anpe_status status = set < 0 ? anpe_h5_cannot(ctx, f, "write dataset", name) : ANPE_OK;
    if (set >= 0 && H5Dclose(set) < 0)
        status = anpe_h5_cannot(ctx, f, "write dataset", name);
    H5Pclose(dcpl);
    H5Sclose(space);
    return status;
}

static anpe_status write_at(anpe_ctx *ctx, anpe_h5 *f, const char *name, hid_t type, int64_t first,
                            int64_t n, const void *data)
{
    const hsize_t start = (hsize_t)first, count = (hsize_t)n;
    anpe_status status = ANPE_OK;
    if (n == 0)
        return ANPE_OK;
    const hid_t set = H5Dopen2(f->id, name, H5P_DEFAULT);
    if (set < 0)
        return anpe_h5_cannot(ctx, f, "write dataset", name);
    const hid_t file = H5Dget_space(set), memory = H5Screate_simple(1, &count, NULL);
    if (H5Sselect_hyperslab(file, H5S_SELECT_SET, &start, NULL, &count, NULL) < 0 ||
        H5Dwrite(set, type, memory, file, H5P_DEFAULT, data) < 0)
        status = anpe_h5_cannot(ctx, f, "write dataset", name);
    H5Sclose(memory);
    H5Sclose(file);
    if (H5Dclose(set) < 0 && !status)
        status = anpe_h5_cannot(ctx, f, "write dataset", name);
    return status;
}

anpe_status anpe_h5_make_column(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                                int64_t n)
{
    return make_column(ctx, f, name, anpe_h5_file_type(type), n);
}

anpe_status anpe_h5_write_column_at(anpe_ctx *ctx, anpe_h5 *f, const char *name,
                                    anpe_real_type type, int64_t first, int64_t n, const void *data)
{
    return write_at(ctx, f, name, anpe_h5_memory_type(type), first, n, data);
}

anpe_status anpe_h5_make_texts(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t n, size_t width)
{
    const hid_t type = anpe_h5_text_type(width);
    const anpe_status status = make_column(ctx, f, name, type, n);
    H5Tclose(type);
    return status;
}

anpe_status anpe_h5_write_texts_at(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t first,
                                   int64_t n, size_t width, const char *texts)
{
    const hid_t type = anpe_h5_text_type(width);
    const anpe_status status = write_at(ctx, f, name, type, first, n, texts);
    H5Tclose(type);
    return status;
}

anpe_status anpe_h5_write_texts(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t n,
                                size_t width, const char *texts)
{
    const anpe_status status = anpe_h5_make_texts(ctx, f, name, n, width);
    return status ? status : anpe_h5_write_texts_at(ctx, f, name, 0, n, width, texts);
}
