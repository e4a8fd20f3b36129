/* file/array_read.c -- anpe_array_read: whole numeric arrays from npz, HDF5 or text, told apart
 * by the name's extension. */
#include <config.h>
#include "base/shape.h"
#include "base/text.h"
#include "file/hdf5_file.h"
#include "file/npz.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- HDF5 -------------------------------------------------------------------------------- */

typedef struct only_set {
    int n;
    char name[256];
} only_set;

static herr_t note_set(hid_t group, const char *name, const H5O_info_t *info, void *user)
{
    only_set *only = user;
    (void)group;
    if (info->type == H5O_TYPE_DATASET && only->n++ == 0)
        snprintf(only->name, sizeof only->name, "%s", name);
    return 0;
}

static anpe_status find_only(anpe_ctx *ctx, anpe_h5 *f, only_set *only)
{
    H5Ovisit(anpe_h5_id(f), H5_INDEX_NAME, H5_ITER_INC, note_set, only);
    if (only->n == 1)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: expected a single dataset, it has %d", anpe_h5_path(f),
                     only->n);
}

static anpe_status read_set(anpe_ctx *ctx, anpe_h5 *f, const char *key, double **data, int *rank,
                            int64_t shape[4])
{
    only_set only = {0};
    int64_t full[8];
    anpe_status status = ANPE_OK;
    if (!key || !key[0]) {
        status = find_only(ctx, f, &only);
        key = only.name;
    }
    if (status || (status = anpe_h5_shape(ctx, f, key, rank, full)))
        return status;
    if (*rank > 4)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: dataset '%s' has %d dimensions, at most 4 are "
                         "read",
                         anpe_h5_path(f), key, *rank);
    for (int k = 0; k < 4; k++)
        shape[k] = k < *rank ? full[k] : 0;
    const int64_t n = anpe_shape_count(*rank, full);
    double *out;
    if (ANPE_NEW(ctx, out, n))
        return ANPE_ENOMEM;
    status = anpe_h5_read(ctx, f, key, ANPE_H5_DOUBLE, n, out);
    if (status)
        free(out);
    else
        *data = out;
    return status;
}

static anpe_status read_hdf5(anpe_ctx *ctx, const char *path, const char *key, double **data,
                             int *rank, int64_t shape[4])
{
    anpe_h5 *f;
    anpe_status status = anpe_h5_open(ctx, path, &f);
    if (status)
        return status;
    status = read_set(ctx, f, key, data, rank, shape);
    anpe_status closed = anpe_h5_close(ctx, f);
    if (!status && closed) {
        free(*data);
        *data = NULL;
        status = closed;
    }
    return status;
}

/* ---- text -------------------------------------------------------------------------------- */

typedef struct table {
    double *v;
    int64_t n, room, rows, columns;
} table;

static anpe_status append(anpe_ctx *ctx, table *t, double value)
{
    if (ANPE_GROW(ctx, t->v, t->room, t->n + 1))
        return ANPE_ENOMEM;
    t->v[t->n++] = value;
    return ANPE_OK;
}

/* One line: numbers parted by blanks or commas, "#" starts a comment. */
static anpe_status read_line(anpe_ctx *ctx, const char *path, long number, char *line, table *t)
{
    int64_t columns = 0;
    line[strcspn(line, "#\r\n")] = '\0';
    for (char *at = line;; columns++) {
        at += strspn(at, " \t,");
        if (!*at)
            break;
        char *end;
        double value = strtod(at, &end);
        if (end == at || !(*end == '\0' || strchr(" \t,", *end)))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s:%ld: '%.*s' is not a number", path, number,
                             (int)strcspn(at, " \t,") < 40 ? (int)strcspn(at, " \t,") : 40, at);
        anpe_status status = append(ctx, t, value);
        if (status)
            return status;
        at = end;
    }
    if (columns == 0)
        return ANPE_OK;
    if (t->rows && columns != t->columns)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s:%ld: %lld numbers, the lines above have %lld", path,
                         number, (long long)columns, (long long)t->columns);
    t->columns = columns;
    t->rows++;
    return ANPE_OK;
}

static anpe_status read_text(anpe_ctx *ctx, const char *path, double **data, int *rank,
                             int64_t shape[4])
{
    char text[128], *line = NULL;
    size_t room = 0;
    table t = {0};
    anpe_status status = ANPE_OK;
    FILE *f = fopen(path, "r");
    if (!f)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path,
                         anpe_errno_text(errno, text, sizeof text));
    for (long number = 1; !status; number++) {
        errno = 0;
        ssize_t n = getline(&line, &room, f);
        if (n < 0 && errno)
            status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot read: %s", path,
                               anpe_errno_text(errno, text, sizeof text));
        if (n < 0)
            break;
        if (strlen(line) != (size_t)n)
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s:%ld: not a text file", path, number);
        else
            status = read_line(ctx, path, number, line, &t);
    }
    if (!status && t.n == 0)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no numbers in the file", path);
    free(line);
    fclose(f);
    if (status) {
        free(t.v);
        return status;
    }
    /* One row or one column of numbers is a vector. */
    *rank = t.rows > 1 && t.columns > 1 ? 2 : 1;
    shape[0] = *rank == 2 ? t.rows : t.n;
    shape[1] = *rank == 2 ? t.columns : 0;
    *data = t.v;
    return ANPE_OK;
}

/* ---- which ------------------------------------------------------------------------------- */

anpe_status anpe_array_read(anpe_ctx *ctx, const char *path, const char *key, double **data,
                            int *rank, int64_t shape[4])
{
    *data = NULL;
    *rank = 0;
    memset(shape, 0, 4 * sizeof shape[0]);
    if (anpe_text_has_extension(path, ".npz"))
        return anpe_npz_read(ctx, path, key, data, rank, shape);
    if (anpe_text_has_extension(path, ".npy"))
        return anpe_npy_read(ctx, path, data, rank, shape);
    if (anpe_text_has_extension(path, ".h5") || anpe_text_has_extension(path, ".hdf5"))
        return read_hdf5(ctx, path, key, data, rank, shape);
    return read_text(ctx, path, data, rank, shape);
}

static const char *shape_text(char buffer[96], int rank, const int64_t *shape)
{
    size_t used = 0;
    buffer[0] = 0;
    for (int i = 0; i < rank && used < 96; i++) {
        const char *comma = i ? ", " : "";
        used += shape[i] < 0 ? (size_t)snprintf(buffer + used, 96 - used, "%s*", comma)
                             : (size_t)snprintf(buffer + used, 96 - used, "%s%lld", comma,
                                                (long long)shape[i]);
    }
    return buffer;
}

anpe_status anpe_array_expect(anpe_ctx *ctx, const char *path, const char *key, int rank,
                              int64_t *shape, const char *why, double **data)
{
    int found = 0;
    int64_t have[4] = {0};
    char a[96], b[96];
    *data = NULL;
    const anpe_status status = anpe_array_read(ctx, path, key, data, &found, have);
    if (status)
        return status;
    int agrees = found == rank;
    for (int i = 0; i < rank && agrees; i++)
        agrees = shape[i] < 0 ? have[i] > 0 : have[i] == shape[i];
    if (!agrees) {
        free(*data);
        *data = NULL;
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %s has shape (%s), expected (%s)%s", path,
                         key && key[0] ? key : "the array", shape_text(a, found, have),
                         shape_text(b, rank, shape), why ? why : "");
    }
    memcpy(shape, have, (size_t)rank * sizeof *shape);
    return ANPE_OK;
}
