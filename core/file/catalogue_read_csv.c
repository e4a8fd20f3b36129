/* file/catalogue_read_csv.c -- a catalogue from CSV (RFC 4180): lines that start with "#" are
 * comments, of which "# column NAME [UNIT] ..." gives the unit and "# KEY = value / comment" a
 * keyword; then a line of names, then rows. ECSV is the same with a header in YAML. */
#include <config.h>
#include "base/text.h"
#include "file/catalogue_read_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct csv {
    anpe_table_cells cells; /* they point into its text, the file */
    char *header;           /* the comments above the names */
    char separator;         /* ',', of ECSV also ' ' */
} csv;

static anpe_status read_file(anpe_ctx *ctx, const char *path, char **text)
{
    char reason[128];
    FILE *f = fopen(path, "rb");
    char *block = NULL;
    size_t size = 0;
    /* No byte of a text file is NUL, so this reads all of it. */
    const ssize_t n = f ? getdelim(&block, &size, '\0', f) : -1;
    const int error = !f || ferror(f) ? errno : 0;
    const int cut = f && n >= 0 && !feof(f);
    if (f)
        fclose(f);
    *text = block;
    if (error)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot read: %s", path,
                         anpe_errno_text(error, reason, sizeof reason));
    if (n <= 0 || cut)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %s", path, n <= 0 ? "empty" : "not a text file");
    return ANPE_OK;
}

/* Ends the field that starts at *at in place, quotes undone, and moves *at behind its separator.
 * Returns the separator, '\n' or '\0'; '"' for a quote that is not closed. */
static char take_field(const csv *t, char **at, char **field)
{
    char *from = *at, *to = from;
    *field = from;
    if (*from == '"') {
        for (from++; *from && (*from != '"' || from[1] == '"'); *to++ = *from++)
            from += *from == '"';
        if (!*from)
            return '"';
        from++;
    }
    while (*from && *from != t->separator && *from != '\n')
        *to++ = *from++;
    const char separator = *from;
    *at = separator ? from + 1 : from;
    if (to > *field && to[-1] == '\r' && separator != t->separator)
        to--;
    *to = '\0';
    return separator;
}

/* A byte-order mark, as some editors and spreadsheets put before UTF-8. */
static char *skip_mark(char *text)
{
    return strncmp(text, "\xef\xbb\xbf", 3) ? text : text + 3;
}

static char *skip_comments(char *at)
{
    while (*at == '#' || *at == '\n' || *at == '\r')
        at += strcspn(at, "\n"), at += *at == '\n';
    return at;
}

/* A line of names without a comma but with another separator is of another kind of table. */
static anpe_status check_separator(anpe_ctx *ctx, const anpe_catalogue_file *c, const char *line)
{
    static const char others[] = ";\t|";
    const size_t n = strcspn(line, "\r\n");
    if (memchr(line, ',', n) || memchr(line, '"', n))
        return ANPE_OK;
    for (const char *o = others; *o; o++)
        if (memchr(line, *o, n))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: the names are separated by %s; expected commas between columns "
                             "and points in numbers",
                             c->path,
                             *o == '\t'  ? "tabs"
                             : *o == ';' ? "';'"
                                         : "'|'");
    return ANPE_OK;
}

static anpe_status read_names(anpe_ctx *ctx, anpe_catalogue_file *c, char **at)
{
    const csv *t = c->self;
    char separator = t->separator, *field;
    anpe_status status = anpe_ecsv_is(t->header) ? ANPE_OK : check_separator(ctx, c, *at);
    while (separator == t->separator && !status) {
        separator = take_field(t, at, &field);
        status = anpe_table_add(ctx, c, field, "", ANPE_TABLE_REALS | ANPE_TABLE_TEXTS, 1);
    }
    if (!status && separator == '"')
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: a quote in the line of names is not closed",
                         c->path);
    return status;
}

/* Units from the comments, which are still whole text. */
static anpe_status read_units(anpe_ctx *ctx, anpe_catalogue_file *c, const char *comments)
{
    for (const char *at = comments; at && *at; at = (at = strchr(at, '\n')) ? at + 1 : NULL)
        for (int k = 0; k < c->n_columns && !strncmp(at, "# column ", 9); k++) {
            const size_t n = strlen(c->column[k].name);
            if (strncmp(at + 9, c->column[k].name, n) || strncmp(at + 9 + n, " [", 2))
                continue;
            const char *unit = at + 9 + n + 2;
            free(c->column[k].unit);
            if (!(c->column[k].unit = strndup(unit, strcspn(unit, "]\n"))))
                return ANPE_NO_MEMORY(ctx, "units");
        }
    return ANPE_OK;
}

/* One row into cell (n_columns); *n: fields that it had. */
static char take_row(const anpe_catalogue_file *c, char **at, char **cell, int *n)
{
    const csv *t = c->self;
    char separator = t->separator, *field;
    for (*n = 0; separator == t->separator; ++*n) {
        separator = take_field(t, at, &field);
        if (*n < c->n_columns)
            cell[*n] = field;
    }
    return separator;
}

static anpe_status read_rows(anpe_ctx *ctx, anpe_catalogue_file *c, csv *t, char *at)
{
    int64_t room = 0;
    while (*(at = skip_comments(at))) {
        int n;
        if (ANPE_GROW(ctx, t->cells.cell, room, (c->n_rows + 1) * c->n_columns))
            return ANPE_ENOMEM;
        const char end = take_row(c, &at, t->cells.cell + c->n_rows++ * c->n_columns, &n);
        if (end == '"')
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: row %lld: a quote is not closed", c->path,
                             (long long)c->n_rows);
        if (n != c->n_columns)
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: row %lld has %d fields, the names are %d",
                             c->path, (long long)c->n_rows, n, c->n_columns);
    }
    return ANPE_OK;
}

static anpe_status open_csv(anpe_ctx *ctx, anpe_catalogue_file *c)
{
    anpe_status status;
    csv *t = anpe_alloc(ctx, sizeof *t);
    if (!(c->self = t))
        return ANPE_ENOMEM;
    ANPE_TRY(read_file(ctx, c->path, &t->cells.text));
    char *start = skip_mark(t->cells.text), *at = skip_comments(start);
    if (!(t->header = strndup(start, (size_t)(at - start))))
        return ANPE_NO_MEMORY(ctx, c->path);
    t->separator = anpe_ecsv_is(t->header) ? anpe_ecsv_separator(t->header) : ',';
    ANPE_TRY(read_names(ctx, c, &at));
    ANPE_TRY(anpe_ecsv_is(t->header) ? anpe_ecsv_units(ctx, c, t->header)
                                     : read_units(ctx, c, t->header));
    ANPE_TRY(read_rows(ctx, c, t, at));
    anpe_table_cells_find_types(c, &t->cells);
out:
    return status;
}

static anpe_status csv_reals(anpe_ctx *ctx, anpe_catalogue_file *c, int column, int64_t element,
                             double *values)
{
    const csv *t = c->self;
    (void)ctx;
    anpe_table_cells_reals(c, &t->cells, column, element, values);
    return ANPE_OK;
}

static anpe_status csv_texts(anpe_ctx *ctx, anpe_catalogue_file *c, int column, char **texts)
{
    const csv *t = c->self;
    return anpe_table_cells_texts(ctx, c, &t->cells, column, texts);
}

/* "# KEY = value / comment": up to the last slash. */
static char *csv_keyword(anpe_ctx *ctx, anpe_catalogue_file *c, const char *key)
{
    (void)ctx;
    const csv *t = c->self;
    const size_t n = strlen(key);
    if (anpe_ecsv_is(t->header))
        return anpe_ecsv_keyword(t->header, key);
    for (const char *at = t->header; at && *at; at = (at = strchr(at, '\n')) ? at + 1 : NULL) {
        if (strncmp(at, "# ", 2) || strncmp(at + 2, key, n) || strncmp(at + 2 + n, " = ", 3))
            continue;
        const char *value = at + 2 + n + 3;
        size_t length = strcspn(value, "\r\n");
        for (size_t k = length; k >= 3; k--)
            if (!strncmp(value + k - 3, " / ", 3)) {
                length = k - 3;
                break;
            }
        return strndup(value, length);
    }
    return NULL;
}

static void close_csv(anpe_catalogue_file *c)
{
    csv *t = c->self;
    if (!t)
        return;
    anpe_table_cells_clear(&t->cells);
    free(t->header);
    anpe_free(t);
}

const anpe_table_reader anpe_table_csv = {open_csv,  csv_reals,   NULL,
                                          csv_texts, csv_keyword, close_csv};
