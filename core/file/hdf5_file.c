/* file/hdf5_file.c -- see hdf5_file.h. Every failure names file and object; what the library
 * knows beyond that (mostly the system's reason, such as a full disk) is taken from its error
 * stack, since its own printing is off. */
#define _GNU_SOURCE
#include "file/hdf5_file.h"
#include "base/shape.h"
#include "file/hdf5_private.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 * 1024 }; /* well below HDF5's chunk cache of 1 MiB */
enum { DECLARED_FREELY = 1 << 26, MOST_DECLARED = 1000 }; /* bytes; bytes for each one stored */

/* ---- errors ------------------------------------------------------------------------------ */

static herr_t first_reason(unsigned depth, const H5E_error2_t *error, void *user)
{
    char *reason = user;
    const char *from = error->desc ? strstr(error->desc, "error message = '") : NULL;
    (void)depth;
    if (from && !reason[0]) {
        from += strlen("error message = '");
        size_t n = strcspn(from, "'");
        n = n < 120 ? n : 120;
        memcpy(reason, ": ", 2);
        memcpy(reason + 2, from, n);
        reason[n + 2] = '\0';
    }
    return 0;
}

const char *anpe_h5_reason(char reason[128])
{
    reason[0] = '\0';
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, first_reason, reason);
    H5Eclear2(H5E_DEFAULT);
    return reason;
}

static anpe_status cannot(anpe_ctx *ctx, anpe_h5 *f, const char *verb, const char *name)
{
    char reason[128];
    anpe_h5_reason(reason);
    f->failed = f->created;
    anpe_status status = f->created || reason[0] ? ANPE_EIO : ANPE_EFORMAT;
    return ANPE_FAIL(ctx, status, "%s: cannot %s '%s'%s", f->path, verb, name, reason);
}

/* ---- files ------------------------------------------------------------------------------- */

void anpe_h5_own_process(void)
{
    H5dont_atexit();
}

/* The error stack is the whole program's: what stands on it, and who is told of errors (a function
 * of either version of HDF5's interface), is put aside while a file of ours is open. */
static struct {
    int n_files;
    hid_t stack;
    unsigned second;
    H5E_auto1_t told_first;
    H5E_auto2_t told_second;
    void *user;
} aside;

static void put_errors_aside(void)
{
    if (aside.n_files++)
        return;
    aside.stack = H5Eget_current_stack();
    H5Eauto_is_v2(H5E_DEFAULT, &aside.second);
    if (aside.second)
        H5Eget_auto2(H5E_DEFAULT, &aside.told_second, &aside.user);
    else
        H5Eget_auto1(&aside.told_first, &aside.user);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void put_errors_back(void)
{
    if (--aside.n_files)
        return;
    if (aside.second)
        H5Eset_auto2(H5E_DEFAULT, aside.told_second, aside.user);
    else
        H5Eset_auto1(aside.told_first, aside.user);
    H5Eset_current_stack(aside.stack); /* closes it, too */
}

static anpe_status new_file(anpe_ctx *ctx, const char *path, anpe_h5 **out)
{
    *out = NULL;
    anpe_h5 *f = anpe_alloc(ctx, sizeof *f);
    if (!f)
        return ANPE_ENOMEM;
    f->id = H5I_INVALID_HID;
    f->path = anpe_strdup(ctx, path);
    if (!f->path) {
        anpe_free(f);
        return ANPE_ENOMEM;
    }
    put_errors_aside();
    *out = f;
    return ANPE_OK;
}

static anpe_h5 *free_file(anpe_h5 *f)
{
    put_errors_back();
    free(f->path);
    anpe_free(f);
    return NULL;
}

/* Format of HDF5 1.8 at least: attributes may then be longer than 64 KiB. */
static hid_t access_list(void)
{
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(fapl, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
    /* Locks only get in the way: readers see whole files, writers have a name of their own. */
    H5Pset_file_locking(fapl, 0, 1);
#endif
    return fapl;
}

static anpe_status check_readable(anpe_ctx *ctx, const char *path)
{
    char text[128];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 || fstat(fd, &st) ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (error)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path,
                         anpe_errno_text(error, text, sizeof text));
    if (!S_ISREG(st.st_mode))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: not a regular file", path);
    if (H5Fis_hdf5(path) <= 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not an HDF5 file", path);
    return ANPE_OK;
}

anpe_status anpe_h5_open(anpe_ctx *ctx, const char *path, anpe_h5 **out)
{
    anpe_h5 *f;
    *out = NULL;
    anpe_status status = new_file(ctx, path, &f);
    if (status)
        return status;
    if ((status = check_readable(ctx, path))) {
        free_file(f);
        return status;
    }
    hid_t fapl = access_list();
    f->id = H5Fopen(path, H5F_ACC_RDONLY, fapl);
    H5Pclose(fapl);
    if (f->id < 0) /* a host may have it open itself, with other properties */
        f->id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (f->id < 0) {
        char reason[128];
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: damaged or truncated HDF5 file%s", path,
                           anpe_h5_reason(reason));
        free_file(f);
        return status;
    }
    *out = f;
    return ANPE_OK;
}

anpe_status anpe_h5_create(anpe_ctx *ctx, const char *path, anpe_h5 **out)
{
    *out = NULL;
    anpe_h5 *f;
    anpe_status status = new_file(ctx, path, &f);
    if (status)
        return status;
    if ((status = anpe_output_begin(ctx, &f->output, path))) {
        free_file(f);
        return status;
    }
    f->created = 1;
    hid_t fapl = access_list(), fcpl = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(fcpl, 0);
    f->id = H5Fcreate(f->output.temporary, H5F_ACC_TRUNC, fcpl, fapl);
    H5Pclose(fcpl);
    H5Pclose(fapl);
    if (f->id < 0) {
        char reason[128];
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot create%s", path, anpe_h5_reason(reason));
        anpe_h5_abandon(f);
        return status;
    }
    *out = f;
    return ANPE_OK;
}

anpe_status anpe_h5_update(anpe_ctx *ctx, const char *path, anpe_h5 **out)
{
    anpe_h5 *f;
    *out = NULL;
    anpe_status status = new_file(ctx, path, &f);
    if (status)
        return status;
    if ((status = check_readable(ctx, path)) ||
        (status = anpe_output_begin(ctx, &f->output, path))) {
        free_file(f);
        return status;
    }
    f->created = 1;
    status = anpe_output_copy(ctx, &f->output, path);
    hid_t fapl = access_list();
    if (!status && (f->id = H5Fopen(f->output.temporary, H5F_ACC_RDWR, fapl)) < 0)
        status = cannot(ctx, f, "change", "/");
    H5Pclose(fapl);
    if (status)
        f = anpe_h5_abandon(f);
    *out = f;
    return status;
}

anpe_status anpe_h5_remove(anpe_ctx *ctx, anpe_h5 *f, const char *name)
{
    if (anpe_h5_has(f, name) && H5Ldelete(f->id, name, H5P_DEFAULT) < 0)
        return cannot(ctx, f, "remove", name);
    return ANPE_OK;
}

anpe_status anpe_h5_finish(anpe_ctx *ctx, anpe_h5 *f, anpe_output *out)
{
    anpe_status status = ANPE_OK;
    *out = (anpe_output){0};
    if (!f)
        return ANPE_OK;
    /* Flush first: a file that cannot be flushed must not be closed. */
    if (f->created && H5Fflush(f->id, H5F_SCOPE_GLOBAL) < 0) {
        status = cannot(ctx, f, "write", "/");
        anpe_h5_abandon(f);
        return status;
    }
    if (H5Fclose(f->id) < 0) {
        status = cannot(ctx, f, "close", "/");
        anpe_output_abandon(&f->output);
    }
    *out = f->output;
    free_file(f);
    return status;
}

anpe_status anpe_h5_close(anpe_ctx *ctx, anpe_h5 *f)
{
    const int created = f && f->created;
    anpe_output o;
    const anpe_status status = anpe_h5_finish(ctx, f, &o);
    return status || !created ? status : anpe_output_commit(ctx, &o);
}

anpe_h5 *anpe_h5_abandon(anpe_h5 *f)
{
    if (!f)
        return NULL;
    if (f->id >= 0 && f->created && !f->failed)
        f->failed = H5Fflush(f->id, H5F_SCOPE_GLOBAL) < 0;
    if (f->failed) /* the file stays open till the process ends: give its blocks back now */
        (void)!truncate(f->output.temporary, 0);
    else if (f->id >= 0)
        H5Fclose(f->id);
    H5Eclear2(H5E_DEFAULT);
    anpe_output_abandon(&f->output);
    return free_file(f);
}

const char *anpe_h5_path(const anpe_h5 *f)
{
    return f->path;
}

hid_t anpe_h5_id(const anpe_h5 *f)
{
    return f->id;
}

/* ---- looking up -------------------------------------------------------------------------- */

/* H5Oexists_by_name wants every link on the way to exist. */
int anpe_h5_has(anpe_h5 *f, const char *name)
{
    char part[512];
    size_t n = strlen(name);
    if (n == 0 || n >= sizeof part)
        return 0;
    for (size_t k = 1; k <= n; k++) {
        if (name[k] != '/' && name[k] != '\0')
            continue;
        memcpy(part, name, k);
        part[k] = '\0';
        if (strcmp(part, "/") && H5Lexists(f->id, part, H5P_DEFAULT) <= 0) {
            H5Eclear2(H5E_DEFAULT);
            return 0;
        }
    }
    return 1;
}

int anpe_h5_has_attribute(anpe_h5 *f, const char *object, const char *name)
{
    if (strcmp(object, "/") && !anpe_h5_has(f, object))
        return 0;
    int has = H5Aexists_by_name(f->id, object, name, H5P_DEFAULT) > 0;
    H5Eclear2(H5E_DEFAULT);
    return has;
}

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
        return cannot(ctx, f, "open dataset", name);
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

/* Opens a dataset of numbers and gives its shape. */
static anpe_status open_numbers(anpe_ctx *ctx, anpe_h5 *f, const char *name, hid_t *set, int *rank,
                                int64_t shape[8])
{
    if (!anpe_h5_has(f, name))
        return missing(ctx, f, name);
    *set = H5Dopen2(f->id, name, H5P_DEFAULT);
    if (*set < 0)
        return cannot(ctx, f, "open dataset", name);
    hsize_t dims[H5S_MAX_RANK];
    hid_t space = H5Dget_space(*set), type = H5Dget_type(*set);
    H5T_class_t class = H5Tget_class(type);
    *rank = H5Sget_simple_extent_ndims(space);
    anpe_status status = ANPE_OK;
    if (class != H5T_INTEGER && class != H5T_FLOAT && class != H5T_ENUM)
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s' does not hold numbers", f->path, name);
    else if (*rank < 0 || *rank > 8)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: dataset '%s' has %d dimensions, at most 8 are "
                           "read",
                           f->path, name, *rank);
    else if (H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        status = cannot(ctx, f, "read dataset", name);
    for (int k = 0; !status && k < *rank; k++)
        shape[k] = (int64_t)dims[k];
    if (!status && anpe_shape_count(*rank, shape) < 0)
        status = absurd(ctx, f, name, *rank, shape);
    if (!status)
        status = anpe_h5_check_open_set(ctx, f, name, *set, DECLARED_FREELY);
    H5Tclose(type);
    H5Sclose(space);
    if (status)
        H5Dclose(*set);
    return status;
}

anpe_status anpe_h5_shape(anpe_ctx *ctx, anpe_h5 *f, const char *name, int *rank, int64_t shape[8])
{
    hid_t set;
    anpe_status status = open_numbers(ctx, f, name, &set, rank, shape);
    if (!status)
        H5Dclose(set);
    return status;
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

anpe_status anpe_h5_read(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                         int64_t n, void *data)
{
    hid_t set;
    int rank;
    int64_t shape[8];
    anpe_status status = open_numbers(ctx, f, name, &set, &rank, shape);
    if (status)
        return status;
    int64_t have = anpe_shape_count(rank, shape);
    if (have != n)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s' has %lld elements, expected %lld",
                           f->path, name, (long long)have, (long long)n);
    else if (n > 0 &&
             H5Dread(set, anpe_h5_memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        status = cannot(ctx, f, "read dataset", name);
    H5Dclose(set);
    return status;
}

/* File and memory selections of n_rows rows from `start` of an open dataset. */
static int select_rows(hid_t set, int rank, const int64_t *shape, int64_t start, int64_t n_rows,
                       hid_t *file, hid_t *memory)
{
    hsize_t from[8] = {0}, count[8];
    for (int k = 0; k < rank; k++)
        count[k] = (hsize_t)shape[k];
    from[0] = (hsize_t)start;
    count[0] = (hsize_t)n_rows;
    *file = H5Dget_space(set);
    *memory = H5Screate_simple(rank, count, NULL);
    return H5Sselect_hyperslab(*file, H5S_SELECT_SET, from, NULL, count, NULL) >= 0 && *memory >= 0;
}

anpe_status anpe_h5_read_rows(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                              int64_t start, int64_t n_rows, int64_t n_values, void *data)
{
    hid_t set, file, memory;
    int rank;
    int64_t shape[8];
    anpe_status status = open_numbers(ctx, f, name, &set, &rank, shape);
    if (status)
        return status;
    if (rank < 1 || start < 0 || n_rows < 0 || start > shape[0] || n_rows > shape[0] - start) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: dataset '%s' has %lld rows, rows %lld to %lld "
                           "are wanted",
                           f->path, name, (long long)(rank < 1 ? 0 : shape[0]), (long long)start,
                           (long long)(start + n_rows));
    } else if (anpe_shape_count(rank - 1, shape + 1) != n_values) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: dataset '%s' has rows of %lld values, expected %lld", f->path, name,
                           (long long)anpe_shape_count(rank - 1, shape + 1), (long long)n_values);
    } else if (n_rows > 0 && n_values > 0) {
        int ok = select_rows(set, rank, shape, start, n_rows, &file, &memory) &&
                 H5Dread(set, anpe_h5_memory_type(type), memory, file, H5P_DEFAULT, data) >= 0;
        if (!ok)
            status = cannot(ctx, f, "read dataset", name);
        H5Sclose(memory);
        H5Sclose(file);
    }
    H5Dclose(set);
    return status;
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

anpe_status anpe_h5_write(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                          int rank, const int64_t *shape, const void *data)
{
    hsize_t dims[8] = {0};
    if (rank < 0 || rank > 8 || anpe_shape_count(rank, shape) < 0)
        return ANPE_FAIL(ctx, ANPE_EINTERNAL, "%s: dataset '%s': invalid shape", f->path, name);
    for (int k = 0; k < rank; k++)
        dims[k] = (hsize_t)shape[k];
    hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);
    hid_t set = anpe_h5_make_set(f, name, anpe_h5_file_type(type), space, dcpl);
    anpe_status status = ANPE_OK;
    if (set < 0 ||
        (anpe_shape_count(rank, shape) > 0 &&
         H5Dwrite(set, anpe_h5_memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        status = cannot(ctx, f, "write dataset", name);
    if (set >= 0 && H5Dclose(set) < 0 && !status)
        status = cannot(ctx, f, "write dataset", name);
    H5Pclose(dcpl);
    H5Sclose(space);
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
    anpe_status status = set < 0 ? cannot(ctx, f, "create dataset", name) : ANPE_OK;
    if (set >= 0)
        H5Dclose(set);
    H5Pclose(dcpl);
    H5Sclose(space);
    return status;
}

anpe_status anpe_h5_append_rows(anpe_ctx *ctx, anpe_h5 *f, const char *name, anpe_real_type type,
                                int64_t n_rows, const void *data)
{
    hid_t set, file = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    int rank;
    int64_t shape[8], start;
    hsize_t dims[8];
    anpe_status status = open_numbers(ctx, f, name, &set, &rank, shape);
    if (status)
        return status;
    start = shape[0];
    shape[0] += n_rows;
    for (int k = 0; k < rank; k++)
        dims[k] = (hsize_t)shape[k];
    /* The reason is on a stack that the next call clears: fetch it before anything is closed. */
    if (H5Dset_extent(set, dims) < 0)
        status = cannot(ctx, f, "write dataset", name);
    if (!status && n_rows > 0 && anpe_shape_count(rank, shape) > 0) {
        if (!select_rows(set, rank, shape, start, n_rows, &file, &memory) ||
            H5Dwrite(set, anpe_h5_memory_type(type), memory, file, H5P_DEFAULT, data) < 0)
            status = cannot(ctx, f, "write dataset", name);
        H5Sclose(memory);
        H5Sclose(file);
    }
    if (H5Dclose(set) < 0 && !status)
        status = cannot(ctx, f, "write dataset", name);
    return status;
}
