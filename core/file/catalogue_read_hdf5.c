/* file/catalogue_read_hdf5.c -- a catalogue from HDF5: every dataset of the root group that has as
 * many rows as most of them is a column, or several (rows, width). `theta` with the attribute
 * `labels` gives a column per label, before all others. */
#include <config.h>
#include "file/catalogue_read_private.h"
#include "file/hdf5_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_STORED = 1 << 20 }; /* bytes of a column that must be in the file if it has more */

/* Label columns come first: column k < n_labels is element k of theta. */
typedef struct table {
    anpe_h5 *h5;
    int n_labels;
} table;

typedef struct listing {
    char **name;
    int64_t *rows;
    int n, room, failed;
} listing;

static herr_t list_one(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
    listing *l = user;
    (void)group;
    (void)info;
    if (l->n == l->room) {
        const int room = 2 * l->room + 32;
        char **more = realloc(l->name, (size_t)room * sizeof *more);
        l->name = more ? more : l->name;
        int64_t *rows = realloc(l->rows, (size_t)room * sizeof *rows);
        l->rows = rows ? rows : l->rows;
        l->failed |= !more || !rows;
        l->room = l->failed ? l->room : room;
    }
    if (!l->failed && (l->name[l->n] = strdup(name)))
        l->n++;
    else
        l->failed = 1;
    return l->failed;
}

static void free_listing(listing *l)
{
    for (int i = 0; i < l->n; i++)
        free(l->name[i]);
    free(l->name);
    free(l->rows);
}

/* Number of rows and columns of a dataset of rank 1 or 2, its type; 0: anything else. */
static int describe(const anpe_h5 *f, const char *name, int64_t *rows, int64_t *width, int *can)
{
    hsize_t dims[2] = {0, 1};
    const hid_t set = H5Oopen(anpe_h5_id(f), name, H5P_DEFAULT);
    const int is_set = set >= 0 && H5Iget_type(set) == H5I_DATASET;
    const hid_t space = is_set ? H5Dget_space(set) : H5I_INVALID_HID;
    const hid_t type = is_set ? H5Dget_type(set) : H5I_INVALID_HID;
    const int rank = is_set ? H5Sget_simple_extent_ndims(space) : 0;
    if (rank == 1 || rank == 2)
        H5Sget_simple_extent_dims(space, dims, NULL);
    const H5T_class_t class = is_set ? H5Tget_class(type) : H5T_NO_CLASS;
    *rows = (int64_t)dims[0];
    *width = (int64_t)dims[1];
    *can = class == H5T_STRING    ? ANPE_TABLE_TEXTS
           : class == H5T_INTEGER ? ANPE_TABLE_REALS | ANPE_TABLE_INTEGERS
           : class == H5T_FLOAT   ? ANPE_TABLE_REALS
                                  : 0;
    if (is_set) {
        H5Tclose(type);
        H5Sclose(space);
    }
    if (set >= 0)
        H5Oclose(set);
    return (rank == 1 || rank == 2) && *can && (rank == 1 || *can != ANPE_TABLE_TEXTS);
}

static int64_t most_frequent(const listing *l)
{
    int64_t best = 0;
    for (int i = 0, most = 0; i < l->n; i++) {
        int count = 0;
        for (int j = 0; j < l->n; j++)
            count += l->rows[j] >= 0 && l->rows[j] == l->rows[i];
        if (count > most) {
            most = count;
            best = l->rows[i];
        }
    }
    return best;
}

static anpe_status add_labels(anpe_ctx *ctx, anpe_catalogue_file *c, table *t)
{
    int64_t rows, width, n = 0, n_units = 0;
    int can;
    char **labels = NULL, **units = NULL;
    anpe_status status = ANPE_OK;
    if (!anpe_h5_has(t->h5, "theta") || !anpe_h5_has_attribute(t->h5, "theta", "labels") ||
        !describe(t->h5, "theta", &rows, &width, &can))
        return ANPE_OK;
    ANPE_TRY(anpe_h5_get_texts(ctx, t->h5, "theta", "labels", &n, &labels));
    if (anpe_h5_has_attribute(t->h5, "theta", "units"))
        ANPE_TRY(anpe_h5_get_texts(ctx, t->h5, "theta", "units", &n_units, &units));
    if (n != width) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: 'theta' has %lld columns and %lld labels",
                           c->path, (long long)width, (long long)n);
        goto out;
    }
    ANPE_TRY(anpe_h5_check_stored(ctx, t->h5, "theta", LEAST_STORED));
    c->n_rows = rows;
    for (int64_t k = 0; k < n; k++)
        ANPE_TRY(anpe_table_add(ctx, c, labels[k], k < n_units ? units[k] : "", can, 1));
    t->n_labels = (int)n;
out:
    anpe_h5_texts_free(n, labels);
    anpe_h5_texts_free(n_units, units);
    return status;
}

static anpe_status add_set(anpe_ctx *ctx, anpe_catalogue_file *c, table *t, const char *name)
{
    int64_t rows, width;
    int can;
    char *unit = NULL;
    if (!describe(t->h5, name, &rows, &width, &can) || rows != c->n_rows)
        return ANPE_OK;
    anpe_status status = anpe_h5_check_stored(ctx, t->h5, name, LEAST_STORED);
    if (!status && anpe_h5_has_attribute(t->h5, name, "unit"))
        status = anpe_h5_get_text(ctx, t->h5, name, "unit", &unit);
    if (!status)
        status = anpe_table_add(ctx, c, name, unit ? unit : "", can, width);
    free(unit);
    return status;
}

static anpe_status add_columns(anpe_ctx *ctx, anpe_catalogue_file *c, table *t)
{
    listing l = {0};
    int64_t width;
    int can;
    anpe_status status = ANPE_OK;
    H5Literate(anpe_h5_id(t->h5), H5_INDEX_NAME, H5_ITER_INC, NULL, list_one, &l);
    if (l.failed)
        status = ANPE_NO_MEMORY(ctx, "the names of datasets");
    for (int i = 0; i < l.n; i++)
        if (!describe(t->h5, l.name[i], &l.rows[i], &width, &can))
            l.rows[i] = -1;
    if (!t->n_labels)
        c->n_rows = most_frequent(&l);
    for (int i = 0; i < l.n && !status; i++)
        status = add_set(ctx, c, t, l.name[i]);
    free_listing(&l);
    if (!status && !c->n_columns)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no dataset is a column of a table", c->path);
    return status;
}

static anpe_status open_hdf5(anpe_ctx *ctx, anpe_catalogue_file *c)
{
    table *t = anpe_alloc(ctx, sizeof *t);
    if (!(c->self = t))
        return ANPE_ENOMEM;
    anpe_status status = anpe_h5_open(ctx, c->path, &t->h5);
    if (!status)
        status = add_labels(ctx, c, t);
    return status ? status : add_columns(ctx, c, t);
}

/* One element of every row into values of 8 bytes each: a strided selection of the dataset. */
static anpe_status read_element(anpe_ctx *ctx, const anpe_catalogue_file *c, hid_t type, int column,
                                int64_t element, void *values)
{
    const table *t = c->self;
    const int label = column < t->n_labels;
    const hsize_t start[2] = {0, (hsize_t)(label ? column : element)};
    const hsize_t count[2] = {(hsize_t)c->n_rows, 1};
    const hid_t set =
        H5Dopen2(anpe_h5_id(t->h5), label ? "theta" : c->column[column].name, H5P_DEFAULT);
    const hid_t space = H5Dget_space(set), memory = H5Screate_simple(1, count, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    const herr_t result = H5Dread(set, type, memory, space, H5P_DEFAULT, values);
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(set);
    return result >= 0 ? ANPE_OK
                       : ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: cannot read dataset '%s'", c->path,
                                   c->column[column].name);
}

static anpe_status read_reals(anpe_ctx *ctx, anpe_catalogue_file *c, int column, int64_t element,
                              double *values)
{
    return read_element(ctx, c, H5T_NATIVE_DOUBLE, column, element, values);
}

static anpe_status read_integers(anpe_ctx *ctx, anpe_catalogue_file *c, int column, int64_t element,
                                 int64_t *values)
{
    return read_element(ctx, c, H5T_NATIVE_INT64, column, element, values);
}

static anpe_status read_texts(anpe_ctx *ctx, anpe_catalogue_file *c, int column, char **texts)
{
    const table *t = c->self;
    return anpe_h5_read_texts(ctx, t->h5, c->column[column].name, c->n_rows, texts);
}

static char *read_keyword(anpe_ctx *ctx, anpe_catalogue_file *c, const char *key)
{
    const table *t = c->self;
    char *value = NULL;
    const int there = anpe_h5_has_attribute(t->h5, "/", key);
    return there && !anpe_h5_get_text(ctx, t->h5, "/", key, &value) ? value : NULL;
}

static void close_hdf5(anpe_catalogue_file *c)
{
    table *t = c->self;
    if (!t)
        return;
    anpe_h5_abandon(t->h5); /* opened for reading: nothing to lose */
    anpe_free(t);
}

const anpe_table_reader anpe_table_hdf5 = {open_hdf5,  read_reals,   read_integers,
                                           read_texts, read_keyword, close_hdf5};
