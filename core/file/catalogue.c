/* file/catalogue.c -- the table in memory and which writer takes it. */
#include <config.h>
#include "file/catalogue_private.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What writes o->temporary. NULL: HDF5, whose file makes its own. */
typedef anpe_status write_fn(anpe_ctx *ctx, anpe_catalogue *c, const anpe_output *o);

static const struct {
    const char *extension;
    write_fn *write;
} formats[] = {{".fits", anpe_catalogue_write_fits},
               {".fit", anpe_catalogue_write_fits},
               {".h5", NULL},
               {".hdf5", NULL},
               {".csv", anpe_catalogue_write_csv},
               {".ecsv", anpe_catalogue_write_ecsv},
               {".vot", anpe_catalogue_write_votable},
               {".votable", anpe_catalogue_write_votable}};
enum { N_FORMATS = sizeof formats / sizeof formats[0] };

static int format_of(const char *path)
{
    for (int k = 0; k < N_FORMATS; k++)
        if (anpe_text_has_extension(path, formats[k].extension))
            return k;
    return -1;
}

int anpe_catalogue_has_name(const char *path)
{
    return format_of(path) >= 0;
}

static anpe_status check_extension(anpe_ctx *ctx, const char *path)
{
    if (anpe_catalogue_has_name(path))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: the name of a catalogue ends in " ANPE_CATALOGUE_NAMES,
                     path);
}

anpe_status anpe_catalogue_check(anpe_ctx *ctx, const char *path)
{
    anpe_status status = check_extension(ctx, path);
    return status ? status : anpe_output_check(ctx, path);
}

/* ---- the table --------------------------------------------------------------------------- */

static size_t cell_size(const anpe_column *column)
{
    return column->type == ANPE_COLUMN_TEXT ? (size_t)column->width + 1 : sizeof(double);
}

/* Reals of the window are NAN, integers 0, texts "". */
static void blank_window(anpe_catalogue *c)
{
    for (int k = 0; k < c->n_columns; k++) {
        double *real = c->data[k];
        if (c->columns[k].type != ANPE_COLUMN_REAL)
            memset(c->data[k], 0, (size_t)c->n * cell_size(&c->columns[k]));
        for (int64_t r = 0; c->columns[k].type == ANPE_COLUMN_REAL && r < c->n; r++)
            real[r] = NAN;
    }
}

static anpe_status make_columns(anpe_ctx *ctx, anpe_catalogue *c, const anpe_column *columns)
{
    size_t n = (size_t)c->n_columns;
    c->columns = anpe_alloc(ctx, n * sizeof *c->columns);
    c->data = anpe_alloc(ctx, n * sizeof *c->data);
    if (!c->columns || !c->data)
        return ANPE_ENOMEM;
    memcpy(c->columns, columns, n * sizeof *columns);
    for (int k = 0; k < c->n_columns; k++) {
        const anpe_column *column = columns + k;
        if (column->type == ANPE_COLUMN_TEXT && (column->width < 1 || column->width > 10000))
            return ANPE_FAIL(ctx, ANPE_EINTERNAL, "catalogue: column %s of width %d", column->name,
                             column->width);
        size_t size = 0;
        if (__builtin_mul_overflow((size_t)c->n, cell_size(column), &size))
            return ANPE_FAIL(ctx, ANPE_ENOMEM, "catalogue: %lld rows", (long long)c->n_rows);
        c->data[k] = anpe_alloc(ctx, size ? size : 1);
        if (!c->data[k])
            return ANPE_ENOMEM;
    }
    blank_window(c);
    return ANPE_OK;
}

anpe_status anpe_catalogue_stream(anpe_ctx *ctx, int64_t n_rows, anpe_catalogue_fill *fill,
                                  void *user, int n_columns, const anpe_column *columns,
                                  int n_flags, const char *const *flag_names, anpe_catalogue **out)
{
    enum { WINDOW = 1024 };
    *out = NULL;
    if (n_rows < 0 || n_columns < 1 || n_columns > ANPE_CATALOGUE_MAX_COLUMNS || n_flags < 0 ||
        n_flags > 63)
        return ANPE_FAIL(ctx, ANPE_EINTERNAL, "catalogue: %lld rows, %d columns, %d flags",
                         (long long)n_rows, n_columns, n_flags);
    anpe_catalogue *c = anpe_alloc(ctx, sizeof *c);
    if (!c)
        return ANPE_ENOMEM;
    c->n_rows = n_rows;
    c->n = c->room = fill && n_rows > WINDOW ? WINDOW : n_rows;
    c->fill = fill;
    c->user = user;
    c->n_columns = n_columns;
    c->n_flags = n_flags;
    c->flags = anpe_alloc(ctx, (size_t)(n_flags + 1) * sizeof *c->flags);
    anpe_status status = c->flags ? make_columns(ctx, c, columns) : ANPE_ENOMEM;
    for (int k = 0; k < n_flags && !status; k++)
        if (!(c->flags[k] = anpe_strdup(ctx, flag_names[k])))
            status = ANPE_ENOMEM;
    if (status)
        c = anpe_catalogue_free(c);
    *out = c;
    return status;
}

anpe_status anpe_catalogue_new(anpe_ctx *ctx, int64_t n_rows, int n_columns,
                               const anpe_column *columns, int n_flags,
                               const char *const *flag_names, anpe_catalogue **out)
{
    return anpe_catalogue_stream(ctx, n_rows, NULL, NULL, n_columns, columns, n_flags, flag_names,
                                 out);
}

anpe_status anpe_catalogue_window(anpe_ctx *ctx, anpe_catalogue *c, int64_t first)
{
    if (!c->fill)
        return ANPE_OK;
    c->first = first;
    c->n = c->n_rows - first < c->room ? c->n_rows - first : c->room;
    blank_window(c);
    return c->fill(ctx, c, first, c->n, c->user);
}

anpe_catalogue *anpe_catalogue_free(anpe_catalogue *c)
{
    if (!c)
        return NULL;
    for (int k = 0; c->data && k < c->n_columns; k++)
        anpe_free(c->data[k]);
    for (int k = 0; c->flags && k < c->n_flags; k++)
        free(c->flags[k]);
    for (int k = 0; k < c->n_keywords; k++) {
        free(c->keywords[k].value);
        free(c->keywords[k].comment);
    }
    anpe_free(c->data);
    anpe_free(c->flags);
    anpe_free(c->columns);
    free(c->keywords);
    anpe_free(c);
    return NULL;
}

static int is_cell(const anpe_catalogue *c, int64_t row, int column, anpe_column_type type)
{
    return row >= c->first && row - c->first < c->n && column >= 0 && column < c->n_columns &&
           c->columns[column].type == type;
}

void anpe_catalogue_set_text(anpe_catalogue *c, int64_t row, int column, const char *text)
{
    if (!is_cell(c, row, column, ANPE_COLUMN_TEXT))
        return;
    size_t width = (size_t)c->columns[column].width, n = strlen(text);
    char *cell = (char *)c->data[column] + (size_t)(row - c->first) * (width + 1);
    n = n < width ? n : width;
    memset(cell, 0, width + 1);
    memcpy(cell, text, n);
}

void anpe_catalogue_set_real(anpe_catalogue *c, int64_t row, int column, double value)
{
    if (is_cell(c, row, column, ANPE_COLUMN_REAL))
        ((double *)c->data[column])[row - c->first] = value;
}

void anpe_catalogue_set_int(anpe_catalogue *c, int64_t row, int column, int64_t value)
{
    if (is_cell(c, row, column, ANPE_COLUMN_INT64))
        ((int64_t *)c->data[column])[row - c->first] = value;
}

anpe_status anpe_catalogue_keyword(anpe_ctx *ctx, anpe_catalogue *c, const char *key,
                                   const char *value, const char *comment)
{
    if (strlen(key) < 1 || strlen(key) > 8)
        return ANPE_FAIL(ctx, ANPE_EINTERNAL, "catalogue: keyword '%s'", key);
    int64_t room = c->n_keywords;
    if (ANPE_GROW(ctx, c->keywords, room, c->n_keywords + 1))
        return ANPE_ENOMEM;
    anpe_keyword *k = c->keywords + c->n_keywords++;
    *k = (anpe_keyword){.value = anpe_strdup(ctx, value), .comment = anpe_strdup(ctx, comment)};
    memcpy(k->key, key, strlen(key) + 1);
    return k->value && k->comment ? ANPE_OK : ANPE_ENOMEM;
}

/* ---- writing ----------------------------------------------------------------------------- */

anpe_status anpe_catalogue_prepare(anpe_ctx *ctx, anpe_catalogue *c, const char *path,
                                   anpe_output *o)
{
    *o = (anpe_output){0};
    anpe_status status = check_extension(ctx, path);
    if (status)
        return status;
    write_fn *const write = formats[format_of(path)].write;
    if (!write)
        return anpe_catalogue_write_hdf5(ctx, c, path, o);
    if ((status = anpe_output_begin(ctx, o, path)))
        return status;
    status = write(ctx, c, o);
    if (status)
        anpe_output_abandon(o);
    return status;
}

anpe_status anpe_catalogue_write(anpe_ctx *ctx, anpe_catalogue *c, const char *path)
{
    anpe_output o;
    const anpe_status status = anpe_catalogue_prepare(ctx, c, path, &o);
    return status ? status : anpe_output_commit(ctx, &o);
}
