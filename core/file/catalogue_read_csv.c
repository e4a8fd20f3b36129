/* file/catalogue_read_csv.c -- a catalogue from CSV (RFC 4180): lines that start with "#" are
 * comments, of which "# column NAME [UNIT] ..." gives the unit; then a line of names, then rows. */
#include <config.h>
#include "base/text.h"
#include "file/catalogue_read_private.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct csv {
    char *text;  /* the file; cells point into it */
    char **cell; /* (n_rows, n_columns) */
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
 * Returns the separator: ',', '\n' or '\0'; '"' for a quote that is not closed. */
static char take_field(char **at, char **field)
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
    while (*from && *from != ',' && *from != '\n')
        *to++ = *from++;
    const char separator = *from;
    *at = separator ? from + 1 : from;
    if (to > *field && to[-1] == '\r' && separator != ',')
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
    char separator = ',', *field;
    anpe_status status = check_separator(ctx, c, *at);
    while (separator == ',' && !status) {
        separator = take_field(at, &field);
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
    char separator = ',', *field;
    for (*n = 0; separator == ','; ++*n) {
        separator = take_field(at, &field);
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
        if (ANPE_GROW(ctx, t->cell, room, (c->n_rows + 1) * c->n_columns))
            return ANPE_ENOMEM;
        const char end = take_row(c, &at, t->cell + c->n_rows++ * c->n_columns, &n);
        if (end == '"')
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: row %lld: a quote is not closed", c->path,
                             (long long)c->n_rows);
        if (n != c->n_columns)
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: row %lld has %d fields, the names are %d",
                             c->path, (long long)c->n_rows, n, c->n_columns);
    }
    return ANPE_OK;
}

static int is_number(const char *text)
{
    char *end;
    strtod(text, &end);
    end += strspn(end, " ");
    return end != text && !*end;
}

/* No value: an empty cell, or what databases and table writers put for one. */
static int is_missing(const char *text)
{
    static const char *const words[] = {"", "null", "none", "na", "n/a", "--", "-", "masked"};
    text += strspn(text, " ");
    size_t n = strlen(text);
    while (n && text[n - 1] == ' ')
        n--;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strlen(words[k]) == n && !strncasecmp(words[k], text, n))
            return 1;
    return 0;
}

/* A column with one cell that is not a number is only text. */
static void find_types(anpe_catalogue_file *c, const csv *t)
{
    for (int64_t i = 0; i < c->n_rows * c->n_columns; i++)
        if (!is_missing(t->cell[i]) && !is_number(t->cell[i]))
            c->column[i % c->n_columns].can = ANPE_TABLE_TEXTS;
}

static anpe_status open_csv(anpe_ctx *ctx, anpe_catalogue_file *c)
{
    anpe_status status;
    csv *t = anpe_alloc(ctx, sizeof *t);
    char *comments = NULL;
    if (!(c->self = t))
        return ANPE_ENOMEM;
    ANPE_TRY(read_file(ctx, c->path, &t->text));
    char *start = skip_mark(t->text), *at = skip_comments(start);
    comments = strndup(start, (size_t)(at - start));
    ANPE_TRY(read_names(ctx, c, &at));
    ANPE_TRY(read_units(ctx, c, comments));
    ANPE_TRY(read_rows(ctx, c, t, at));
    find_types(c, t);
out:
    free(comments);
    return status;
}

static anpe_status csv_reals(anpe_ctx *ctx, anpe_catalogue_file *c, int column, int64_t element,
                             double *values)
{
    const csv *t = c->self;
    (void)ctx;
    (void)element;
    for (int64_t r = 0; r < c->n_rows; r++) {
        const char *cell = t->cell[r * c->n_columns + column];
        values[r] = is_missing(cell) ? NAN : strtod(cell, NULL);
    }
    return ANPE_OK;
}

static anpe_status csv_texts(anpe_ctx *ctx, anpe_catalogue_file *c, int column, char **texts)
{
    const csv *t = c->self;
    for (int64_t r = 0; r < c->n_rows; r++)
        if (!(texts[r] = anpe_strdup(ctx, t->cell[r * c->n_columns + column])))
            return ANPE_ENOMEM;
    return ANPE_OK;
}

static void close_csv(anpe_catalogue_file *c)
{
    csv *t = c->self;
    if (!t)
        return;
    free(t->cell);
    free(t->text);
    anpe_free(t);
}

const anpe_table_reader anpe_table_csv = {open_csv, csv_reals, NULL, csv_texts, close_csv};
