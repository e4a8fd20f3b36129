/* Text as spectra: CSV, ECSV, columns of numbers; gzipped or not (zlib reads both). */
#define _GNU_SOURCE
#include "file_table.h"
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { LINE = 65536, MOST_CELLS = 200, MOST_PIXELS = 5000000 };

typedef struct reader {
    anpe_ctx *ctx;
    const char *path;
    gzFile file;
    int64_t n_line;
    char line[LINE];
    char *cell[MOST_CELLS];
    int n_cells;
    char separator; /* ' ': blanks and tabs */
    char *name[MOST_CELLS], *unit[MOST_CELLS];
    int n_names;
    char *ecsv_name[MOST_CELLS], *ecsv_unit[MOST_CELLS]; /* of an ECSV header */
    int n_ecsv;
    columns c;
    double *value[N_COLUMN_ROLES]; /* (n) */
    char id[80];
    int64_t n, capacity;
    locale_t locale;
} reader;

static anpe_status wrong(const reader *r, const char *what, const char *cell)
{
    return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lld: %s: '%.40s'", r->path, (long long)r->n_line,
                     what, cell);
}

/* The next line without its end; 0: the end of the file. */
static int next_line(reader *r, anpe_status *status)
{
    int error = 0;
    if (!gzgets(r->file, r->line, LINE)) {
        const char *why = gzerror(r->file, &error);
        if (error != Z_OK && error != Z_STREAM_END)
            *status = ANPE_FAIL(r->ctx, ANPE_EIO, "%s: cannot read: %s", r->path,
                                error == Z_ERRNO ? strerror(errno) : why);
        return 0;
    }
    r->n_line++;
    size_t n = strlen(r->line);
    if (n == LINE - 1 && r->line[n - 1] != '\n') {
        *status =
            ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lld: a line of more than %d letters: no text",
                      r->path, (long long)r->n_line, LINE - 2);
        return 0;
    }
    while (n && strchr("\r\n \t", r->line[n - 1]))
        r->line[--n] = '\0';
    if (r->n_line == 1 && !strncmp(r->line, "\xef\xbb\xbf", 3))
        memmove(r->line, r->line + 3, n - 2);
    return 1;
}

/* Cuts the line into cells, in place. */
static void cut(reader *r, char *p)
{
    r->n_cells = 0;
    while (r->n_cells < MOST_CELLS) {
        p += strspn(p, r->separator == ' ' ? " \t" : " ");
        if (r->separator == ' ' && !*p)
            return;
        const int quoted = *p == '"';
        char *start = p + quoted;
        char *end = quoted ? strchr(start, '"') : NULL;
        char separators[3] = {r->separator, r->separator == ' ' ? '\t' : '\0', '\0'};
        char *stop = (end ? end : start) + strcspn(end ? end : start, separators);
        const int more = *stop != '\0';
        *stop = '\0';
        if (end)
            *end = '\0';
        for (size_t n = strlen(start); !quoted && n && start[n - 1] == ' ';)
            start[--n] = '\0';
        r->cell[r->n_cells++] = start;
        if (!more)
            return;
        p = stop + 1;
    }
}

static int is_missing(const char *cell)
{
    static const char *const words[] = {"", "nan", "null", "none", "--", "n/a", "na"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(cell, words[i]))
            return 1;
    return 0;
}

static int to_number(const reader *r, const char *cell, double *x)
{
    char *end;
    if (is_missing(cell)) {
        *x = NAN;
        return 1;
    }
    if (!strcasecmp(cell, "true") || !strcasecmp(cell, "false")) {
        *x = tolower((unsigned char)cell[0]) == 't';
        return 1;
    }
    *x = strtod_l(cell, &end, r->locale);
    return end != cell && !*end;
}

/* ---- headers ---------------------------------------------------------------------------- */

static char *word_of_yaml(const char *line, const char *key)
{
    const char *p = strstr(line, key);
    if (!p)
        return NULL;
    p += strlen(key);
    p += strspn(p, " '\"");
    return strndup(p, strcspn(p, ",}'\""));
}

/* "# - {name: wavelength, unit: nm, datatype: float64}" of an ECSV header. */
static void keep_ecsv(reader *r)
{
    if (r->n_ecsv == MOST_CELLS || !strstr(r->line, "{name:"))
        return;
    r->ecsv_name[r->n_ecsv] = word_of_yaml(r->line, "name:");
    r->ecsv_unit[r->n_ecsv] = word_of_yaml(r->line, "unit:");
    r->n_ecsv++;
}

static char separator_of(const char *line)
{
    if (strchr(line, ';'))
        return ';';
    return strchr(line, ',') ? ',' : ' ';
}

static anpe_status keep_names(reader *r)
{
    for (; r->n_names < r->n_cells; r->n_names++) {
        const int i = r->n_names;
        const char *unit = i < r->n_ecsv && r->ecsv_unit[i] ? r->ecsv_unit[i] : "";
        r->name[i] = strdup(r->cell[i] + strspn(r->cell[i], "# "));
        r->unit[i] = strdup(unit);
        if (!r->name[i] || !r->unit[i]) {
            r->n_names++;
            return ANPE_FAIL(r->ctx, ANPE_ENOMEM, "%s: out of memory", r->path);
        }
    }
    return ANPE_OK;
}

/* Without a header: wavelength, flux, error, mask, and nothing else. */
static anpe_status plain_columns(reader *r, const column_names *given)
{
    if (r->n_cells < 2 || r->n_cells > 4)
        return ANPE_FAIL(r->ctx, ANPE_EFORMAT,
                         "%s:%lld: %d columns without a header; expected wavelength, flux and, if "
                         "there are, error and mask",
                         r->path, (long long)r->n_line, r->n_cells);
    r->c = (columns){.unit = NAN, .error = r->n_cells > 2 ? ERROR_SIGMA : ERROR_NONE};
    if (r->n_cells > 2 && given->kind != ERROR_NONE)
        r->c.error = given->kind;
    for (int k = 0; k < N_COLUMN_ROLES; k++)
        r->c.place[k] = -1;
    r->c.place[COLUMN_WAVELENGTH] = 0;
    r->c.place[COLUMN_FLUX] = 1;
    r->c.place[COLUMN_ERROR] = r->n_cells > 2 ? 2 : -1;
    r->c.place[COLUMN_MASK] = r->n_cells > 3 ? 3 : -1;
    return ANPE_OK;
}

/* The first line that is no comment: names, or numbers. *is_names tells which. */
static anpe_status read_header(reader *r, const column_names *given, int *is_names)
{
    double x;
    anpe_status status = ANPE_OK;
    while (next_line(r, &status)) {
        if (!r->line[strspn(r->line, " \t")])
            continue;
        if (r->line[0] == '#' || r->line[0] == '%' || r->line[0] == '!') {
            keep_ecsv(r);
            continue;
        }
        r->separator = separator_of(r->line);
        cut(r, r->line);
        *is_names = !to_number(r, r->cell[0], &x);
        if (*is_names)
            status = keep_names(r);
        if (!status && *is_names)
            return columns_find(r->ctx, r->path, r->n_names, (const char *const *)r->name,
                                (const char *const *)r->unit, given, &r->c);
        return status ? status : plain_columns(r, given);
    }
    return status
               ? status
               : ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: no line with numbers in the file", r->path);
}

/* ---- lines ------------------------------------------------------------------------------ */

static anpe_status grow(reader *r)
{
    const int64_t more = r->capacity ? 2 * r->capacity : 4096;
    if (r->n >= MOST_PIXELS)
        return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: more than %d lines", r->path, MOST_PIXELS);
    for (int k = 0; k < N_COLUMN_ROLES; k++) {
        double *grown = realloc(r->value[k], (size_t)more * sizeof *grown);
        if (!grown)
            return ANPE_FAIL(r->ctx, ANPE_ENOMEM, "%s: out of memory", r->path);
        r->value[k] = grown;
    }
    r->capacity = more;
    return ANPE_OK;
}

static anpe_status keep_line(reader *r)
{
    anpe_status status = r->n == r->capacity ? grow(r) : ANPE_OK;
    for (int k = 0; k < N_COLUMN_ROLES && !status; k++) {
        const int i = r->c.place[k];
        if (i < 0)
            r->value[k][r->n] = NAN;
        else if (i >= r->n_cells)
            return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lld: %d cells; expected at least %d",
                             r->path, (long long)r->n_line, r->n_cells, i + 1);
        else if (k == COLUMN_ID) {
            if (!r->n)
                snprintf(r->id, sizeof r->id, "%s", r->cell[i]);
        } else if (!to_number(r, r->cell[i], &r->value[k][r->n]))
            status = wrong(r,
                           strchr(r->cell[i], ',') ? "expected a decimal point, not a comma"
                                                   : "expected a number",
                           r->cell[i]);
    }
    r->n += !status;
    return status;
}

static anpe_status read_lines(reader *r, int is_names)
{
    anpe_status status = is_names ? ANPE_OK : keep_line(r);
    while (!status && next_line(r, &status)) {
        if (!r->line[strspn(r->line, " \t")] || r->line[0] == '#')
            continue;
        cut(r, r->line);
        status = keep_line(r);
    }
    if (!status && r->n < 2)
        status = ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: %lld lines with numbers; no spectrum",
                           r->path, (long long)r->n);
    return status;
}

static anpe_status hand_over(reader *r, gridded_file *file)
{
    observed_order *a;
    const int is_log = r->c.place[COLUMN_WAVELENGTH] < 0;
    const double *w = r->value[is_log ? COLUMN_LOG_WAVELENGTH : COLUMN_WAVELENGTH];
    anpe_status status = observed_add(r->ctx, &file->o, r->n, &a);
    if (status)
        return status;
    const double unit = isfinite(r->c.unit) ? r->c.unit : file_table_guess_unit(r->n, w);
    for (int64_t i = 0; i < r->n; i++) {
        const double e = r->value[COLUMN_ERROR][i];
        a->wavelength[i] = is_log ? pow(10, w[i]) : unit * w[i];
        a->flux[i] = r->value[COLUMN_FLUX][i];
        a->sigma[i] = file_sigma(r->c.error, a->flux[i], e);
        if (r->c.place[COLUMN_MASK] >= 0)
            a->mask[i] = (uint8_t)survey_is_flagged(r->value[COLUMN_MASK][i], UINT64_MAX);
    }
    file->medium = r->c.medium;
    snprintf(file->id, sizeof file->id, "%s", r->id);
    return ANPE_OK;
}

static void reader_clear(reader *r)
{
    if (r->file)
        gzclose(r->file);
    for (int i = 0; i < r->n_names; i++) {
        free(r->name[i]);
        free(r->unit[i]);
    }
    for (int i = 0; i < r->n_ecsv; i++) {
        free(r->ecsv_name[i]);
        free(r->ecsv_unit[i]);
    }
    for (int k = 0; k < N_COLUMN_ROLES; k++)
        free(r->value[k]);
    if (r->locale)
        freelocale(r->locale);
    free(r);
}

anpe_status file_text_read(anpe_ctx *ctx, const char *path, const column_names *given,
                           gridded_file *file)
{
    int is_names = 0;
    reader *r = calloc(1, sizeof *r);
    if (!r)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "%s: out of memory", path);
    r->ctx = ctx;
    r->path = path;
    r->locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    r->file = gzopen(path, "rb");
    anpe_status status = ANPE_OK;
    if (!r->file)
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path, strerror(errno));
    else if (!r->locale)
        status = ANPE_FAIL(ctx, ANPE_ENOMEM, "%s: out of memory", path);
    if (!status)
        status = read_header(r, given, &is_names);
    if (!status)
        status = read_lines(r, is_names);
    if (!status)
        status = hand_over(r, file);
    reader_clear(r);
    return status;
}
