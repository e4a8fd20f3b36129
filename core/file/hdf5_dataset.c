/* file/hdf5_dataset.c -- datasets of numbers of hdf5_file.h: shapes that can be relied on, rows in
 * and out of datasets that stay open. */
#include <config.h>
#include "base/shape.h"
#include "file/hdf5_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 256 * 1024 }; /* well below HDF5's chunk cache of 1 MiB */
enum { DECLARED_FREELY = 1 << 26, MOST_DECLARED = 1000 }; /* bytes; bytes for each one stored */
enum { BLOCK_BYTES = 1 << 25 }; /* of the rows that are kept of a dataset, at most */

/* ---- what a file declares, and holds ----------------------------------------------------- */

typedef struct name_list {
    int n;
    char *v[64];
} name_list;

static herr_t collect_name(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
    name_list *list = user;
    (void)group;
    (void)info;
    if (list->n == 64)
        return 1;
    list->v[list->n] = strdup(name);
    list->n += list->v[list->n] != NULL;
    return 0;
}

static anpe_status missing(anpe_ctx *ctx, anpe_h5 *f, const char *name)
{
    char hint[160];
    name_list list = {0};
    anpe_text has = {0};
    H5Literate(f->id, H5_INDEX_NAME, H5_ITER_INC, NULL, collect_name, &list);
    H5Eclear2(H5E_DEFAULT);
    anpe_text_hint(hint, sizeof hint, name, list.n, (const char *const *)(void *)list.v);
    if (!hint[0] && list.n) {
        anpe_text_add(&has, "; the file has");
        for (int i = 0; i < list.n && i < 12; i++)
            anpe_text_add(&has, "%s %s", i ? "," : "", list.v[i]);
    }
    anpe_status status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no dataset '%s'%s%s", f->path, name,
                                   hint, has.text ? has.text : "");
    anpe_text_free(&has);
    for (int i = 0; i < list.n; i++)
        free(list.v[i]);
    return status;
}

/* Bytes that the file holds of a dataset, as they are before compression; -1: not known, they lie
 * in other files. */
static double stored_bytes(anpe_h5 *f, hid_t set, size_t element)
{
    hsize_t chunk[H5S_MAX_RANK], size = 0, n = 0;
    double bytes = -1;
    const hid_t dcpl = H5Dget_create_plist(set);
    const H5D_layout_t layout = H5Pget_layout(dcpl);
    if (layout == H5D_CHUNKED) {
        const int rank = H5Pget_chunk(dcpl, H5S_MAX_RANK, chunk);
#if H5_VERSION_GE(1, 10, 5)
        const hid_t space = H5Dget_space(set);
        H5Dget_num_chunks(set, space, &n);
        H5Sclose(space);
#else
        n = H5Dget_storage_size(set); /* a byte at least for each chunk */
#endif
        bytes = (double)n * (double)element;
        for (int k = 0; k < rank; k++)
            bytes *= (double)chunk[k];
    } else if (layout != H5D_VIRTUAL && H5Pget_external_count(dcpl) == 0) {
        H5Fget_filesize(f->id, &size);
        bytes = fmin((double)H5Dget_storage_size(set), (double)size);
    }
    H5Pclose(dcpl);
    return bytes;
}

anpe_status anpe_h5_check_open_set(anpe_ctx *ctx, anpe_h5 *f, const char *name, hid_t set,
                                   int64_t least)
{
    const hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    const size_t element = H5Tget_size(type);
    const double declared = (double)H5Sget_simple_extent_npoints(space) * (double)element;
    H5Tclose(type);
    H5Sclose(space);
    if (f->created || declared <= (double)least)
        return ANPE_OK;
    const double stored = stored_bytes(f, set, element);
    if (stored < 0 || declared <= MOST_DECLARED * stored)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s' declares %.0f bytes and stores %.0f",
                     f->path, name, declared, stored);
}

anpe_status anpe_h5_check_stored(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t least)
{
    const hid_t set = H5Dopen2(f->id, name, H5P_DEFAULT);
    if (set < 0)
        return anpe_h5_cannot(ctx, f, "open dataset", name);
    const anpe_status status = anpe_h5_check_open_set(ctx, f, name, set, least);
    H5Dclose(set);
    return status;
}

static anpe_status absurd(anpe_ctx *ctx, anpe_h5 *f, const char *name, int rank,
                          const int64_t *shape)
{
    anpe_text text = {0};
    for (int k = 0; k < rank; k++)
        anpe_text_add(&text, "%s%llu", k ? ", " : "", (unsigned long long)shape[k]);
    const anpe_status status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s': absurd shape (%s)",
                                         f->path, name, text.text ? text.text : "");
    anpe_text_free(&text);
    return status;
}

/* ---- open datasets ----------------------------------------------------------------------- */

/* A row costs little; what is slow is to open a dataset, and to decompress its chunks, once more
 * for each row. So those that are in use stay open, each with the rows of the chunks that were read
 * last. */

static void forget(anpe_h5_set *s)
{
    if (s->name)
        H5Tclose(s->type);
    free(s->name);
    anpe_free(s->block);
    *s = (anpe_h5_set){0};
}

void anpe_h5_forget_sets(anpe_h5 *f)
{
    for (int k = 0; k < ANPE_H5_SETS; k++)
        forget(&f->set[k]);
}

/* Writes what waits in its cache. */
static anpe_status close_set(anpe_ctx *ctx, anpe_h5 *f, anpe_h5_set *s)
{
    anpe_status status = ANPE_OK;
    if (!s->name)
        return ANPE_OK;
    if (H5Dclose(s->id) < 0)
        status = anpe_h5_cannot(ctx, f, "write dataset", s->name);
    forget(s);
    return status;
}

anpe_status anpe_h5_close_sets(anpe_ctx *ctx, anpe_h5 *f)
{
    anpe_status status = ANPE_OK;
    for (int k = 0; k < ANPE_H5_SETS && !status; k++)
        status = close_set(ctx, f, &f->set[k]);
    return status;
}

/* Type, shape and chunks of an open dataset, which must be of numbers. */
static anpe_status describe(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_h5_set *s)
{
    hsize_t dims[H5S_MAX_RANK];
    const H5T_class_t class = H5Tget_class(s->type);
    const hid_t space = H5Dget_space(s->id), dcpl = H5Dget_create_plist(s->id);
    anpe_status status = ANPE_OK;
    s->rank = H5Sget_simple_extent_ndims(space);
    if (class != H5T_INTEGER && class != H5T_FLOAT && class != H5T_ENUM)
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s' does not hold numbers", f->path, name);
    else if (s->rank < 0 || s->rank > 8)
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s' has %d dimensions, at most 8 are read",
                      f->path, name, s->rank);
    else if (H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        status = anpe_h5_cannot(ctx, f, "read dataset", name);
    for (int k = 0; !status && k < s->rank; k++)
        s->shape[k] = (int64_t)dims[k];
    if (!status && anpe_shape_count(s->rank, s->shape) < 0)
        status = absurd(ctx, f, name, s->rank, s->shape);
    if (!status)
        status = anpe_h5_check_open_set(ctx, f, name, s->id, DECLARED_FREELY);
    if (!status && H5Pget_layout(dcpl) == H5D_CHUNKED && H5Pget_chunk(dcpl, 8, dims) > 0)
        s->chunk_rows = (int64_t)dims[0];
    s->element = H5Tget_size(s->type);
    H5Pclose(dcpl);
    H5Sclose(space);
    return status;
}

/* A dataset of numbers, open already or in the place of the one that was not used for longest. */
static anpe_status open_numbers(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_h5_set **out)
{
    anpe_h5_set *s = &f->set[0], new = {0};
    for (int k = 0; k < ANPE_H5_SETS; k++) {
        if (f->set[k].name && !strcmp(f->set[k].name, name)) {
            *out = &f->set[k];
            (*out)->used = ++f->uses;
            return ANPE_OK;
        }
        s = f->set[k].used < s->used ? &f->set[k] : s;
    }
    if (!anpe_h5_has(f, name))
        return missing(ctx, f, name);
    anpe_status status = close_set(ctx, f, s);
    if (status)
        return status;
    new.id = H5Dopen2(f->id, name, H5P_DEFAULT);
    if (new.id < 0)
        return anpe_h5_cannot(ctx, f, "open dataset", name);
    new.type = H5Dget_type(new.id);
    status = describe(ctx, f, name, &new);
    if (!status && !(new.name = anpe_strdup(ctx, name)))
        status = ANPE_ENOMEM;
    if (status) {
        H5Tclose(new.type);
        H5Dclose(new.id);
        return status;
    }
    new.used = ++f->uses;
    *s = new;
    *out = s;
    return ANPE_OK;
}

anpe_status anpe_h5_shape(anpe_ctx *ctx, anpe_h5 *f, const char *name, int *rank, int64_t shape[8])
{
    anpe_h5_set *s;
    const anpe_status status = open_numbers(ctx, f, name, &s);
    if (status)
        return status;
    *rank = s->rank;
    memcpy(shape, s->shape, sizeof s->shape);
    return ANPE_OK;
}

/* ---- reading ----------------------------------------------------------------------------- */

hid_t anpe_h5_memory_type(anpe_real_type type)
{
    switch (type) {
    case ANPE_H5_FLOAT:
        return H5T_NATIVE_FLOAT;
    case ANPE_H5_DOUBLE:
        return H5T_NATIVE_DOUBLE;
    case ANPE_H5_INT64:
        return H5T_NATIVE_INT64;
    case ANPE_H5_UINT8:
        return H5T_NATIVE_UINT8;
    }
    return H5I_INVALID_HID;
}

/* Little endian on any machine, so that the bytes of a file do not depend on it. */
hid_t anpe_h5_file_type(anpe_real_type type)
{
    switch (type) {
    case ANPE_H5_FLOAT:
        return H5T_IEEE_F32LE;
    case ANPE_H5_DOUBLE:
        return H5T_IEEE_F64LE;
    case ANPE_H5_INT64:
        return H5T_STD_I64LE;
    case ANPE_H5_UINT8:
        return H5T_STD_U8LE;
    }
    return H5I_INVALID_HID;
}

/* Half precision as anpe_h5_write_half has it, or a negative number. */
static hid_t half_type(void)
{
    const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
    if (half >= 0 && H5Tset_fields(half, 15, 10, 5, 0, 10) >= 0 &&
        H5Tset_precision(half, 16) >= 0 && H5Tset_size(half, 2) >= 0 && H5Tset_ebias(half, 15) >= 0)
        return half;
    if (half >= 0)
        H5Tclose(half);
    return H5I_INVALID_HID;
}

/* The exponent moves to where a float has its own, and is made larger by the difference of the two
 * offsets; so numbers that are not normalised come out right, too. */
static float from_half(const uint8_t *bytes)
{
    const uint32_t half = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
    uint32_t bits = (half & 0x7fff) << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    memcpy(&bits, &value, sizeof bits);
    bits |= (half & 0x8000) << 16 | ((half & 0x7c00) == 0x7c00 ? 0x7f800000 : 0);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* n numbers of half precision, which took libhdf5 half of the time of a command for one spectrum:
 * `type` float or double. */
static herr_t read_half(hid_t set, hid_t half, hid_t type, hid_t memory, hid_t file, int64_t n,
                        void *data)
{
    uint8_t *raw = malloc(2 * (size_t)n);
    const int wide = type == H5T_NATIVE_DOUBLE;
    if (!raw) /* then as libhdf5 does it */
        return H5Dread(set, type, memory, file, H5P_DEFAULT, data);
    const herr_t status = H5Dread(set, half, memory, file, H5P_DEFAULT, raw);
    for (int64_t i = 0; status >= 0 && i < n; i++)
        if (wide)
            ((double *)data)[i] = (double)from_half(raw + 2 * i);
        else
            ((float *)data)[i] = from_half(raw + 2 * i);
    free(raw);
    return status;
}

/* H5Dread of n > 0 numbers. */
static herr_t read_numbers(hid_t set, hid_t type, hid_t memory, hid_t file, int64_t n, void *data)
{
    const hid_t half = half_type(), stored = H5Dget_type(set);
    const int is_half = half >= 0 && stored >= 0 && H5Tequal(half, stored) > 0 &&
                        (type == H5T_NATIVE_FLOAT || type == H5T_NATIVE_DOUBLE);
    const herr_t status = is_half ? read_half(set, half, type, memory, file, n, data)
                                  : H5Dread(set, type, memory, file, H5P_DEFAULT, data);
    if (half >= 0)
        H5Tclose(half);
    if (stored >= 0)
        H5Tclose(stored);
    return status;
}

anpe_status anpe_h5_read(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                         int64_t n, void *data)
{
    anpe_h5_set *s;
    anpe_status status = open_numbers(ctx, f, name, &s);
    if (status)
        return status;
    const int64_t have = anpe_shape_count(s->rank, s->shape);
    if (have != n)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s' has %lld elements, expected %lld",
                           f->path, name, (long long)have, (long long)n);
    else if (n > 0 && read_numbers(s->id, anpe_h5_memory_type(type), H5S_ALL, H5S_ALL, n, data) < 0)
        status = anpe_h5_cannot(ctx, f, "read dataset", name);
    return status;
}

/* File and memory selections of n_rows rows from `start` of an open dataset. */
static int select_rows(const anpe_h5_set *s, int64_t start, int64_t n_rows, hid_t *file,
                       hid_t *memory)
{
    hsize_t from[8] = {0}, count[8];
    for (int k = 0; k < s->rank; k++)
        count[k] = (hsize_t)s->shape[k];
    from[0] = (hsize_t)start;
    count[0] = (hsize_t)n_rows;
    *file = H5Dget_space(s->id);
    *memory = H5Screate_simple(s->rank, count, NULL);
    return H5Sselect_hyperslab(*file, H5S_SELECT_SET, from, NULL, count, NULL) >= 0 && *memory >= 0;
}

static anpe_status read_direct(anpe_ctx *ctx, anpe_h5 *f, const anpe_h5_set *s, hid_t type,
                               int64_t start, int64_t n_rows, void *data)
{
    hid_t file, memory;
    anpe_status status = ANPE_OK;
    if (!select_rows(s, start, n_rows, &file, &memory) ||
        H5Dread(s->id, type, memory, file, H5P_DEFAULT, data) < 0)
        status = anpe_h5_cannot(ctx, f, "read dataset", s->name);
    H5Sclose(memory);
    H5Sclose(file);
    return status;
}

/* The rows of all chunks that rows [start, start + n_rows) lie in; fewer where those are too many
 * bytes. n = 0: what is wanted is as much, or lies in no chunks. */
static void choose_block(const anpe_h5_set *s, int64_t row_bytes, int64_t start, int64_t n_rows,
                         int64_t *first, int64_t *n)
{
    const int64_t chunk = s->chunk_rows, most = BLOCK_BYTES / row_bytes;
    *n = 0;
    if (!chunk || n_rows >= most)
        return;
    *first = start / chunk * chunk;
    *n = ((start + n_rows - 1) / chunk + 1) * chunk - *first;
    if (*n > most) {
        *first = start;
        *n = most;
    }
    if (*n > s->shape[0] - *first)
        *n = s->shape[0] - *first;
    if (*n == n_rows)
        *n = 0;
}

static anpe_status load_block(anpe_ctx *ctx, anpe_h5 *f, anpe_h5_set *s, size_t row_bytes,
                              int64_t first, int64_t n)
{
    if ((size_t)n * row_bytes > s->room) {
        anpe_free(s->block);
        s->room = 0;
        s->n = 0;
        if (!(s->block = anpe_alloc(ctx, (size_t)n * row_bytes)))
            return ANPE_ENOMEM;
        s->room = (size_t)n * row_bytes;
    }
    const anpe_status status = read_direct(ctx, f, s, s->type, first, n, s->block);
    s->first = first;
    s->n = status ? 0 : n;
    return status;
}

/* n elements as the file has them into data as `type`, by HDF5's own rules. */
static anpe_status convert(anpe_ctx *ctx, anpe_h5 *f, const anpe_h5_set *s, hid_t type,
                           const char *from, size_t n, void *data)
{
    const size_t size = H5Tget_size(type);
    void *work = s->element > size ? anpe_alloc(ctx, n * s->element) : data;
    anpe_status status = work ? ANPE_OK : ANPE_ENOMEM;
    if (!status)
        memcpy(work, from, n * s->element);
    if (!status && H5Tconvert(s->type, type, n, work, NULL, H5P_DEFAULT) < 0)
        status = anpe_h5_cannot(ctx, f, "read dataset", s->name);
    if (work != data) {
        if (!status)
            memcpy(data, work, n * size);
        anpe_free(work);
    }
    return status;
}

static anpe_status read_rows(anpe_ctx *ctx, anpe_h5 *f, anpe_h5_set *s, anpe_real_type real,
                             int64_t start, int64_t n_rows, int64_t n_values, void *data)
{
    const hid_t type = anpe_h5_memory_type(real);
    const size_t row_bytes = (size_t)n_values * s->element;
    int64_t first, n;
    anpe_status status = ANPE_OK;
    if (start < s->first || start + n_rows > s->first + s->n) {
        choose_block(s, (int64_t)row_bytes, start, n_rows, &first, &n);
        if (n == 0)
            return read_direct(ctx, f, s, type, start, n_rows, data);
        status = load_block(ctx, f, s, row_bytes, first, n);
    }
    return status ? status
                  : convert(ctx, f, s, type, s->block + (size_t)(start - s->first) * row_bytes,
                            (size_t)(n_rows * n_values), data);
}

anpe_status anpe_h5_read_rows(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                              int64_t start, int64_t n_rows, int64_t n_values, void *data)
{
    anpe_h5_set *s;
    const anpe_status status = open_numbers(ctx, f, name, &s);
    if (status)
        return status;
    if (s->rank < 1 || start < 0 || n_rows < 0 || start > s->shape[0] ||
        n_rows > s->shape[0] - start)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: dataset '%s' has %lld rows, rows %lld to %lld are wanted", f->path,
                         name, (long long)(s->rank < 1 ? 0 : s->shape[0]), (long long)start,
                         (long long)(start + n_rows));
    const int64_t have = anpe_shape_count(s->rank - 1, s->shape + 1);
    if (have != n_values)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: dataset '%s' has rows of %lld values, expected %lld", f->path, name,
                         (long long)have, (long long)n_values);
    return n_rows > 0 && n_values > 0 ? read_rows(ctx, f, s, type, start, n_rows, n_values, data)
                                      : ANPE_OK;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* The groups on the way to name, without timestamps (which HDF5 would give them when it makes
 * them itself). */
static void make_groups(anpe_h5 *f, const char *name)
{
    char part[512];
    hid_t gcpl = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(gcpl, 0);
    for (const char *at = strchr(name + 1, '/'); at; at = strchr(at + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(at - name), name);
        if (anpe_h5_has(f, part))
            continue;
        hid_t group = H5Gcreate2(f->id, part, H5P_DEFAULT, gcpl, H5P_DEFAULT);
        if (group >= 0)
            H5Gclose(group);
    }
    H5Pclose(gcpl);
}

hid_t anpe_h5_make_set(anpe_h5 *f, const char *name, hid_t type, hid_t space, hid_t dcpl)
{
    make_groups(f, name);
    H5Pset_obj_track_times(dcpl, 0);
    return H5Dcreate2(f->id, name, type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
}

static anpe_status write_set(anpe_ctx *ctx, anpe_h5 *f, const char *name, hid_t stored,
                             hid_t memory, int rank, const int64_t *shape, const void *data)
{
    hsize_t dims[8] = {0};
    if (rank < 0 || rank > 8 || anpe_shape_count(rank, shape) < 0)
        return ANPE_FAIL(ctx, ANPE_EINTERNAL, "%s: dataset '%s': invalid shape", f->path, name);
    for (int k = 0; k < rank; k++)
        dims[k] = (hsize_t)shape[k];
    hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);
    hid_t set = anpe_h5_make_set(f, name, stored, space, dcpl);
    anpe_status status = ANPE_OK;
    if (set < 0 || (anpe_shape_count(rank, shape) > 0 &&
                    H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        status = anpe_h5_cannot(ctx, f, "write dataset", name);
    if (set >= 0 && H5Dclose(set) < 0 && !status)
        status = anpe_h5_cannot(ctx, f, "write dataset", name);
    H5Pclose(dcpl);
    H5Sclose(space);
    return status;
}

anpe_status anpe_h5_write(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                          int rank, const int64_t *shape, const void *data)
{
    return write_set(ctx, f, name, anpe_h5_file_type(type), anpe_h5_memory_type(type), rank, shape,
                     data);
}

/* To the nearest number of 11 bits, ties to even; below 2^-14 of multiples of 2^-24. */
static float to_half(float v)
{
    int exponent;
    frexpf(v, &exponent);
    const int last = (exponent - 1 < -14 ? -14 : exponent - 1) - 10;
    return isfinite(v) ? ldexpf(rintf(ldexpf(v, -last)), last) : v;
}

/* Rounded here: where rounding carries into the exponent (0.9998), libhdf5 1.10 writes half the
 * number. */
anpe_status anpe_h5_write_half(anpe_ctx *ctx, anpe_h5 *f, const char *name, int rank,
                               const int64_t *shape, const float *data)
{
    const int64_t n = anpe_shape_count(rank, shape);
    const hid_t half = half_type();
    float *rounded = NULL;
    anpe_status status = ANPE_NEW(ctx, rounded, n ? n : 1);
    for (int64_t i = 0; !status && i < n; i++)
        rounded[i] = to_half(data[i]);
    if (!status && half < 0)
        status = anpe_h5_cannot(ctx, f, "write dataset", name);
    if (!status)
        status = write_set(ctx, f, name, half, H5T_NATIVE_FLOAT, rank, shape, rounded);
    if (half >= 0)
        H5Tclose(half);
    free(rounded);
    return status;
}

/* Chunks of whole rows, about CHUNK_BYTES; a row larger than that is cut along its dimensions. */
static void choose_chunk(int rank, const hsize_t *dims, size_t element, hsize_t *chunk)
{
    double row = (double)element;
    for (int k = 1; k < rank; k++) {
        chunk[k] = dims[k] ? dims[k] : 1;
        row *= (double)chunk[k];
    }
    for (int k = 1; k < rank; k++)
        while (row > CHUNK_BYTES && chunk[k] > 1) {
            row *= (double)((chunk[k] + 1) / 2) / (double)chunk[k];
            chunk[k] = (chunk[k] + 1) / 2;
        }
    chunk[0] = row < CHUNK_BYTES ? (hsize_t)(CHUNK_BYTES / row) : 1;
}

anpe_status anpe_h5_create_rows(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                                int rank, const int64_t *shape)
{
    hsize_t dims[8] = {0}, most[8] = {H5S_UNLIMITED}, chunk[8];
    if (rank < 1 || rank > 8 || anpe_shape_count(rank - 1, shape + 1) < 0)
        return ANPE_FAIL(ctx, ANPE_EINTERNAL, "%s: dataset '%s': invalid shape", f->path, name);
    for (int k = 1; k < rank; k++)
        dims[k] = most[k] = (hsize_t)shape[k];
    choose_chunk(rank, dims, H5Tget_size(anpe_h5_file_type(type)), chunk);
    hid_t space = H5Screate_simple(rank, dims, most), dcpl = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(dcpl, rank, chunk);
    hid_t set = anpe_h5_make_set(f, name, anpe_h5_file_type(type), space, dcpl);
    anpe_status status = set < 0 ? anpe_h5_cannot(ctx, f, "create dataset", name) : ANPE_OK;
    if (set >= 0)
        H5Dclose(set);
    H5Pclose(dcpl);
    H5Sclose(space);
    return status;
}

anpe_status anpe_h5_append_rows(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                                int64_t n_rows, const void *data)
{
    anpe_h5_set *s;
    hid_t file, memory;
    hsize_t dims[8];
    anpe_status status = open_numbers(ctx, f, name, &s);
    if (status)
        return status;
    const int64_t start = s->shape[0];
    s->shape[0] += n_rows;
    s->n = 0; /* the block may have ended in the chunk that is written */
    for (int k = 0; k < s->rank; k++)
        dims[k] = (hsize_t)s->shape[k];
    /* The reason is on a stack that the next call clears: fetch it before anything is closed. */
    if (H5Dset_extent(s->id, dims) < 0)
        return anpe_h5_cannot(ctx, f, "write dataset", name);
    if (n_rows == 0 || anpe_shape_count(s->rank, s->shape) < 1)
        return ANPE_OK;
    if (!select_rows(s, start, n_rows, &file, &memory) ||
        H5Dwrite(s->id, anpe_h5_memory_type(type), memory, file, H5P_DEFAULT, data) < 0)
        status = anpe_h5_cannot(ctx, f, "write dataset", name);
    H5Sclose(memory);
    H5Sclose(file);
    return status;
}
