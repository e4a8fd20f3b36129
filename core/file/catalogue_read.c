/* file/catalogue_read.c -- the columns of a table and how they are named; the files themselves are
 * read by catalogue_read_fits.c, catalogue_read_hdf5.c and catalogue_read_csv.c. */
#include <config.h>
#include "file/catalogue_read.h"
#include "base/text.h"
#include "file/catalogue.h"
#include "file/catalogue_read_private.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const anpe_table_reader *reader_of(const char *path)
{
    static const struct {
        const char *extension;
        const anpe_table_reader *reader;
    } known[] = {{".fits", &anpe_table_fits},      {".fit", &anpe_table_fits},
                 {".fits.gz", &anpe_table_fits},   {".h5", &anpe_table_hdf5},
                 {".hdf5", &anpe_table_hdf5},      {".csv", &anpe_table_csv},
                 {".ecsv", &anpe_table_csv},       {".vot", &anpe_table_votable},
                 {".vot.gz", &anpe_table_votable}, {".votable", &anpe_table_votable}};
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
        if (anpe_text_has_extension(path, known[k].extension))
            return known[k].reader;
    return NULL;
}

anpe_status anpe_catalogue_read_open(anpe_ctx *ctx, const char *path, anpe_catalogue_file **out)
{
    *out = NULL;
    const anpe_table_reader *reader = reader_of(path);
    if (!reader)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: the name of a catalogue ends in " ANPE_CATALOGUE_NAMES, path);
    anpe_catalogue_file *c = anpe_alloc(ctx, sizeof *c);
    if (!c)
        return ANPE_ENOMEM;
    c->reader = reader;
    c->path = anpe_strdup(ctx, path);
    const anpe_status status = c->path ? reader->open(ctx, c) : ANPE_ENOMEM;
    *out = status ? anpe_catalogue_read_close(c) : c;
    return status;
}

anpe_catalogue_file *anpe_catalogue_read_close(anpe_catalogue_file *c)
{
    if (!c)
        return NULL;
    c->reader->close(c);
    for (int k = 0; k < c->n_columns; k++) {
        free(c->column[k].name);
        free(c->column[k].unit);
    }
    free(c->column);
    free(c->path);
    anpe_free(c);
    return NULL;
}

anpe_status anpe_table_add(anpe_ctx *ctx, anpe_catalogue_file *c, const char *name,
                           const char *unit, int can, int64_t width)
{
    int64_t room = c->n_columns;
    if (ANPE_GROW(ctx, c->column, room, c->n_columns + 1))
        return ANPE_ENOMEM;
    anpe_table_column *column = c->column + c->n_columns++;
    *column = (anpe_table_column){
        .name = anpe_strdup(ctx, name), .unit = anpe_strdup(ctx, unit), .can = can, .width = width};
    return column->name && column->unit ? ANPE_OK : ANPE_ENOMEM;
}

const char *anpe_catalogue_read_path(const anpe_catalogue_file *c)
{
    return c->path;
}

int64_t anpe_catalogue_read_rows(const anpe_catalogue_file *c)
{
    return c->n_rows;
}

int anpe_catalogue_read_n_columns(const anpe_catalogue_file *c)
{
    return c->n_columns;
}

const char *anpe_catalogue_read_name(const anpe_catalogue_file *c, int column)
{
    return c->column[column].name;
}

anpe_catalogue_kind anpe_catalogue_read_kind(const anpe_catalogue_file *c, int column)
{
    const anpe_table_column *t = &c->column[column];
    return t->width != 1               ? ANPE_CATALOGUE_OTHER
           : t->can & ANPE_TABLE_REALS ? ANPE_CATALOGUE_NUMBERS
           : t->can & ANPE_TABLE_TEXTS ? ANPE_CATALOGUE_TEXTS
                                       : ANPE_CATALOGUE_OTHER;
}

/* ---- names ------------------------------------------------------------------------------- */

static int by_name(const anpe_catalogue_file *c, const char *name)
{
    for (int k = 0; k < c->n_columns; k++)
        if (!strcmp(c->column[k].name, name))
            return k;
    for (int k = 0; k < c->n_columns; k++)
        if (!strcasecmp(c->column[k].name, name))
            return k;
    return -1;
}

/* The column that is called NAME or NAME[k]; *element: k, or 0. */
static int find(const anpe_catalogue_file *c, const char *name, int64_t *element)
{
    *element = 0;
    const int whole = by_name(c, name);
    const char *bracket = strrchr(name, '[');
    if (whole >= 0 || !bracket)
        return whole;
    char *end, *base = strndup(name, (size_t)(bracket - name));
    const long long k = strtoll(bracket + 1, &end, 10);
    const int column =
        base && isdigit((unsigned char)bracket[1]) && !strcmp(end, "]") ? by_name(c, base) : -1;
    free(base);
    *element = k;
    return column;
}

int anpe_catalogue_read_has(const anpe_catalogue_file *c, const char *name)
{
    int64_t element;
    const int column = find(c, name, &element);
    return column >= 0 && element < c->column[column].width;
}

const char *anpe_catalogue_read_unit(const anpe_catalogue_file *c, const char *name)
{
    int64_t element;
    const int column = find(c, name, &element);
    return column < 0 ? "" : c->column[column].unit;
}

static anpe_status unknown(anpe_ctx *ctx, const anpe_catalogue_file *c, const char *name)
{
    char hint[128] = "";
    const char **names = calloc((size_t)c->n_columns + 1, sizeof *names);
    for (int k = 0; names && k < c->n_columns; k++)
        names[k] = c->column[k].name;
    if (names)
        anpe_text_hint(hint, sizeof hint, name, c->n_columns, names);
    free(names);
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no column '%s'%s", c->path, name, hint);
}

static anpe_status find_checked(anpe_ctx *ctx, const anpe_catalogue_file *c, const char *name,
                                int *column, int64_t *element)
{
    *column = find(c, name, element);
    if (*column < 0)
        return unknown(ctx, c, name);
    const anpe_table_column *t = c->column + *column;
    if (*element >= t->width)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: column '%s' has %lld values per row: no '%s'",
                         c->path, t->name, (long long)t->width, name);
    if (t->width > 1 && !strcasecmp(name, t->name))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: column '%s' has %lld values per row: say which, as in '%s[0]'",
                         c->path, name, (long long)t->width, name);
    return ANPE_OK;
}

/* ---- values ------------------------------------------------------------------------------ */

/* Surveys' words for "no value", also after a trip through single precision. */
static int is_missing(double x)
{
    return x == -9999 || fabs(x + 9999.99) < 1e-3 || fabs(x + 999.99) < 1e-4;
}

anpe_status anpe_catalogue_read_reals(anpe_ctx *ctx, anpe_catalogue_file *c, const char *name,
                                      double *values)
{
    int column;
    int64_t element;
    anpe_status status = find_checked(ctx, c, name, &column, &element);
    if (status)
        return status;
    if (!(c->column[column].can & ANPE_TABLE_REALS))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: column '%s' does not hold numbers", c->path, name);
    if (c->n_rows > 0)
        status = c->reader->reals(ctx, c, column, element, values);
    for (int64_t r = 0; r < c->n_rows && !status; r++)
        if (is_missing(values[r]))
            values[r] = NAN;
    return status;
}

/* Numbers written out: integers whole, reals to 15 digits, nothing for what is missing. */
static anpe_status numbers_as_texts(anpe_ctx *ctx, anpe_catalogue_file *c, int column,
                                    int64_t element, char **texts)
{
    char text[40];
    const int integers = c->column[column].can & ANPE_TABLE_INTEGERS;
    double *values = anpe_alloc(ctx, (size_t)(c->n_rows + 1) * sizeof *values);
    int64_t *whole = anpe_alloc(ctx, (size_t)(c->n_rows + 1) * sizeof *whole);
    anpe_status status = values && whole ? ANPE_OK : ANPE_ENOMEM;
    if (!status && c->n_rows > 0)
        status = integers ? c->reader->integers(ctx, c, column, element, whole)
                          : c->reader->reals(ctx, c, column, element, values);
    for (int64_t r = 0; r < c->n_rows && !status; r++) {
        if (integers)
            snprintf(text, sizeof text, "%lld", (long long)whole[r]);
        else
            snprintf(text, sizeof text, "%.15g", values[r]);
        if (!(texts[r] = anpe_strdup(ctx, !integers && isnan(values[r]) ? "" : text)))
            status = ANPE_ENOMEM;
    }
    anpe_free(whole);
    anpe_free(values);
    return status;
}

anpe_status anpe_catalogue_read_texts(anpe_ctx *ctx, anpe_catalogue_file *c, const char *name,
                                      char ***texts)
{
    int column;
    int64_t element;
    *texts = NULL;
    anpe_status status = find_checked(ctx, c, name, &column, &element);
    if (status)
        return status;
    char **v;
    if (ANPE_NEW(ctx, v, c->n_rows + 1))
        return ANPE_ENOMEM;
    if (!(c->column[column].can & ANPE_TABLE_TEXTS))
        status = numbers_as_texts(ctx, c, column, element, v);
    else if (c->n_rows > 0)
        status = c->reader->texts(ctx, c, column, v);
    for (int64_t r = 0; r < c->n_rows && !status; r++)
        for (size_t n = strlen(v[r]); n && v[r][n - 1] == ' ';)
            v[r][--n] = '\0';
    if (status)
        anpe_catalogue_texts_free(c->n_rows, v);
    else
        *texts = v;
    return status;
}

char *anpe_catalogue_read_keyword(anpe_ctx *ctx, anpe_catalogue_file *c, const char *key)
{
    return c->reader->keyword(ctx, c, key);
}

void anpe_catalogue_texts_free(int64_t n, char **texts)
{
    for (int64_t r = 0; texts && r < n; r++)
        free(texts[r]);
    free(texts);
}
