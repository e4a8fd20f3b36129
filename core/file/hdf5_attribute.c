/* file/hdf5_attribute.c -- attributes of hdf5_file.h, and datasets of text.
 *
 * Texts are written as UTF-8 of fixed length, padded with NUL: they lie beside what they describe.
 * Strings of variable length lie in a heap of their own, and HDF5 (to 1.14 at least) follows a
 * damaged reference into it without a check. Both are read. */
#include <config.h>
#include "file/hdf5_private.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 1 << 20 }; /* that a dataset of texts may declare without storing them */

static anpe_status bad(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                       const char *what)
{
    char reason[128];
    anpe_h5_reason(reason);
    f->failed = f->created;
    return ANPE_FAIL(ctx, f->created || reason[0] ? ANPE_EIO : ANPE_EFORMAT,
                     "%s: attribute '%s' of '%s': %s%s", f->path, name, object, what, reason);
}

hid_t anpe_h5_text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Tset_strpad(type, H5T_STR_NULLPAD); /* a text may fill the width */
    return type;
}

/* ---- writing ----------------------------------------------------------------------------- */

static anpe_status put(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name, hid_t file,
                       hid_t memory, hid_t space, const void *v)
{
    anpe_status status = ANPE_OK;
    if (strcmp(object, "/") && !anpe_h5_has(f, object))
        return ANPE_FAIL(ctx, ANPE_EINTERNAL, "%s: no object '%s' to put attribute '%s' on",
                         f->path, object, name);
    if (H5Aexists_by_name(f->id, object, name, H5P_DEFAULT) > 0)
        H5Adelete_by_name(f->id, object, name, H5P_DEFAULT);
    hid_t a =
        H5Acreate_by_name(f->id, object, name, file, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (a < 0 || (H5Sget_simple_extent_npoints(space) > 0 && H5Awrite(a, memory, v) < 0))
        status = bad(ctx, f, object, name, "cannot write");
    if (a >= 0 && H5Aclose(a) < 0 && !status)
        status = bad(ctx, f, object, name, "cannot write");
    return status;
}

static anpe_status put_texts(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                             hid_t space, int64_t n, const char *const *texts)
{
    size_t width = 1; /* HDF5 knows no strings of length 0 */
    for (int64_t i = 0; i < n; i++) {
        const size_t length = strlen(texts[i]);
        width = length > width ? length : width;
    }
    char *block;
    if (ANPE_NEW(ctx, block, n + 1, (int64_t)width))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        memcpy(block + (size_t)i * width, texts[i], strlen(texts[i]));
    const hid_t type = anpe_h5_text_type(width);
    anpe_status status = put(ctx, f, object, name, type, type, space, block);
    H5Tclose(type);
    free(block);
    return status;
}

anpe_status anpe_h5_put_text(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                             const char *text)
{
    const hid_t space = H5Screate(H5S_SCALAR);
    anpe_status status = put_texts(ctx, f, object, name, space, 1, &text);
    H5Sclose(space);
    return status;
}

anpe_status anpe_h5_put_texts(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                              int64_t n, const char *const *texts)
{
    const hsize_t dim = (hsize_t)n;
    const hid_t space = H5Screate_simple(1, &dim, NULL);
    anpe_status status = put_texts(ctx, f, object, name, space, n, texts);
    H5Sclose(space);
    return status;
}

anpe_status anpe_h5_put_labels(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                               int64_t n, const anpe_label *label)
{
    const char **text;
    anpe_status status = ANPE_OK;
    if (ANPE_NEW(ctx, text, n))
        return ANPE_ENOMEM;
    for (int units = 0; units < 2 && !status; units++) {
        for (int64_t i = 0; i < n; i++)
            text[i] = units ? label[i].unit : label[i].name;
        status = anpe_h5_put_texts(ctx, f, object, units ? "units" : name, n, text);
    }
    free(text);
    return status;
}

anpe_status anpe_h5_put_numbers(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                                anpe_real_type type, int64_t n, const void *v)
{
    hsize_t dim = (hsize_t)n;
    hid_t space = H5Screate_simple(1, &dim, NULL);
    anpe_status status =
        put(ctx, f, object, name, anpe_h5_file_type(type), anpe_h5_memory_type(type), space, v);
    H5Sclose(space);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Opens an attribute; gives its type and number of elements. */
static anpe_status open_attribute(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                                  hid_t *a, hid_t *type, int64_t *n)
{
    if (!anpe_h5_has_attribute(f, object, name))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: '%s' has no attribute '%s'", f->path, object,
                         name);
    *a = H5Aopen_by_name(f->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (*a < 0)
        return bad(ctx, f, object, name, "cannot open");
    hid_t space = H5Aget_space(*a);
    *n = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    *type = H5Aget_type(*a);
    return ANPE_OK;
}

anpe_status anpe_h5_get_numbers(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                                anpe_real_type type, int64_t n, void *v)
{
    hid_t a, stored;
    int64_t have;
    char what[96];
    anpe_status status = open_attribute(ctx, f, object, name, &a, &stored, &have);
    if (status)
        return status;
    H5T_class_t class = H5Tget_class(stored);
    if (class != H5T_INTEGER && class != H5T_FLOAT && class != H5T_ENUM) {
        status = bad(ctx, f, object, name, "does not hold numbers");
    } else if (have != n) {
        snprintf(what, sizeof what, "has %lld values, expected %lld", (long long)have,
                 (long long)n);
        status = bad(ctx, f, object, name, what);
    } else if (n > 0 && H5Aread(a, anpe_h5_memory_type(type), v) < 0) {
        status = bad(ctx, f, object, name, "cannot read");
    }
    H5Tclose(stored);
    H5Aclose(a);
    return status;
}

/* Texts lie in attributes and in datasets. */
static herr_t read_all(hid_t object, hid_t memory, void *v)
{
    return H5Iget_type(object) == H5I_ATTR
               ? H5Aread(object, memory, v)
               : H5Dread(object, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
}

/* Strings of one length, padded as the file says, into texts of their own. */
static int split_fixed(hid_t a, hid_t type, int64_t n, char **texts)
{
    size_t size = H5Tget_size(type);
    /* one byte more: the last text ends, too, however long it is */
    char *block = size && (size_t)n < SIZE_MAX / 2 / size ? calloc((size_t)n * size + 1, 1) : NULL;
    hid_t memory = H5Tcopy(type);
    int ok = block && read_all(a, memory, block) >= 0;
    for (int64_t i = 0; ok && i < n; i++) {
        const char *from = block + (size_t)i * size;
        size_t length = strnlen(from, size);
        if (H5Tget_strpad(type) == H5T_STR_SPACEPAD)
            while (length && from[length - 1] == ' ')
                length--;
        texts[i] = strndup(from, length);
        ok = texts[i] != NULL;
    }
    H5Tclose(memory);
    free(block);
    return ok;
}

static int split_variable(hid_t a, hid_t type, int64_t n, char **texts)
{
    char **block = calloc((size_t)n, sizeof *block);
    hid_t space = H5Iget_type(a) == H5I_ATTR ? H5Aget_space(a) : H5Dget_space(a);
    hid_t memory = anpe_h5_text_type(H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    int ok = block && read_all(a, memory, block) >= 0;
    for (int64_t i = 0; ok && i < n; i++) {
        texts[i] = strdup(block[i] ? block[i] : "");
        ok = texts[i] != NULL;
    }
    if (block)
        H5Dvlen_reclaim(memory, space, H5P_DEFAULT, block);
    H5Tclose(memory);
    H5Sclose(space);
    free(block);
    return ok;
}

anpe_status anpe_h5_get_texts(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                              int64_t *n, char ***texts)
{
    hid_t a, type;
    *n = 0;
    *texts = NULL;
    int64_t have;
    anpe_status status = open_attribute(ctx, f, object, name, &a, &type, &have);
    if (status)
        return status;
    if (H5Tget_class(type) != H5T_STRING) {
        status = bad(ctx, f, object, name, "is not text");
    } else if (have < 0 || have > 1000000) {
        status = bad(ctx, f, object, name, "has an absurd number of values");
    } else {
        char **v = calloc((size_t)have + 1, sizeof *v);
        int ok = v && (have == 0 || (H5Tis_variable_str(type) > 0 ? split_variable
                                                                  : split_fixed)(a, type, have, v));
        if (ok) {
            *texts = v;
            *n = have;
        } else {
            anpe_h5_texts_free(v ? have : 0, v);
            status = bad(ctx, f, object, name, "cannot read");
        }
    }
    H5Tclose(type);
    H5Aclose(a);
    return status;
}

anpe_status anpe_h5_get_text(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *name,
                             char **text)
{
    int64_t n;
    char **texts;
    *text = NULL;
    anpe_status status = anpe_h5_get_texts(ctx, f, object, name, &n, &texts);
    if (status)
        return status;
    if (n != 1) {
        status = bad(ctx, f, object, name, "must be one text");
    } else {
        *text = texts[0];
        texts[0] = NULL;
    }
    anpe_h5_texts_free(n, texts);
    return status;
}

void anpe_h5_texts_free(int64_t n, char **texts)
{
    for (int64_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

/* ---- datasets of text -------------------------------------------------------------------- */

anpe_status anpe_h5_read_texts(anpe_ctx *ctx, anpe_h5 *f, const char *name, int64_t n, char **texts)
{
    char reason[128];
    hid_t set = H5Dopen2(f->id, name, H5P_DEFAULT);
    hid_t space = set < 0 ? H5I_INVALID_HID : H5Dget_space(set);
    hid_t type = set < 0 ? H5I_INVALID_HID : H5Dget_type(set);
    anpe_status status = ANPE_OK;
    int ok =
        set >= 0 && H5Sget_simple_extent_npoints(space) == n && H5Tget_class(type) == H5T_STRING;
    if (ok)
        status = anpe_h5_check_open_set(ctx, f, name, set, TEXT_BYTES);
    if (ok && !status && n > 0)
        ok = (H5Tis_variable_str(type) > 0 ? split_variable : split_fixed)(set, type, n, texts);
    if (set >= 0) {
        H5Tclose(type);
        H5Sclose(space);
        H5Dclose(set);
    }
    if (ok)
        return status;
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: dataset '%s' must be %lld texts%s", f->path, name,
                     (long long)n, anpe_h5_reason(reason));
}
