/* Text as spectra: CSV, ECSV, columns of numbers; gzipped or not (zlib reads both). Cells may be
 * arrays in brackets, as the Gaia archive writes spectra a row a star. */
#include <config.h>
#include "file_pixels.h"
#include "file_table.h"
#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE = 1 << 20, MOST_CELLS = 200, MOST_COMMENTS = 64 };

typedef struct reader {
    anpe_ctx *ctx;
    const char *path;
    const anpe_file *file; /* held; NULL: not yet */
    size_t at;             /* the next byte of it */
    int64_t n_line;
    char *line;
    int64_t room;
    char *cell[MOST_CELLS];
    int n_cells;
    char separator; /* ' ': blanks and tabs */
    char *name[MOST_CELLS], *unit[MOST_CELLS];
    int n_names, width;                                  /* width: cells of a line */
    char *ecsv_name[MOST_CELLS], *ecsv_unit[MOST_CELLS]; /* of an ECSV header */
    int n_ecsv;
    char ecsv_id[80];             /* said there for the whole file */
    char *comment[MOST_COMMENTS]; /* the last ones ahead of the numbers: one may name the columns */
    int n_comments;
    int libre_esprit; /* 1: a .s file of PolarBase */
    columns c;
    file_pixels pixels;
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
    const size_t left = r->file->size - r->at;
    const unsigned char *start = r->file->bytes + r->at, *end;
    if (left == 0)
        return 0;
    r->n_line++;
    end = memchr(start, '\n', left);
    size_t n = end ? (size_t)(end - start) : left;
    r->at += n + (end != NULL);
    if (n >= LINE) {
        *status =
            ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lld: a line of more than %d letters: no text",
                      r->path, (long long)r->n_line, LINE - 1);
        return 0;
    }
    if (ANPE_GROW(r->ctx, r->line, r->room, (int64_t)n + 1)) {
        *status = ANPE_ENOMEM;
        return 0;
    }
    memcpy(r->line, start, n);
    r->line[n] = '\0';
    n = strlen(r->line); /* bytes that are 0 end it */
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
        if ((r->separator == ' ' && !*p) || (r->n_cells && *p == '#'))
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

/* 1.5D+03 as Fortran writes it; 1,5 between semicolons, where a comma separates nothing. */
static int foreign_number(const reader *r, const char *cell, double *x)
{
    char copy[64], *end, *odd;
    if (strlen(cell) >= sizeof copy)
        return 0;
    strcpy(copy, cell);
    if ((odd = strpbrk(copy, "dD")))
        *odd = 'e';
    if (r->separator == ';' && !strchr(copy, '.') && (odd = strchr(copy, ',')))
        *odd = '.';
    *x = strtod_l(copy, &end, r->locale);
    return end != copy && !*end;
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
    return end != cell && (!*end || foreign_number(r, cell, x));
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

/* "# - {source_id: 4268620287278693120}" of an ECSV header. */
static void keep_id(reader *r, const char *text)
{
    text += strspn(text, " '\"");
    const size_t n = strspn(text, "0123456789");
    if (n)
        snprintf(r->ecsv_id, sizeof r->ecsv_id, "%.*s", (int)n, text);
}

/* "# - {name: wavelength, unit: nm, datatype: float64}" of an ECSV header. */
static void keep_ecsv(reader *r)
{
    const char *id = strstr(r->line, "source_id:");
    if (id)
        keep_id(r, id + strlen("source_id:"));
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
            return ANPE_NO_MEMORY(r->ctx, r->path);
        }
    }
    return ANPE_OK;
}

static int is_comment(const char *line)
{
    return line[0] && strchr("#%!;", line[0]);
}

/* "# wave (nm)  flux  snr" ahead of lines of three numbers: their names. *found: it names
 * wavelengths and flux, and r->c has the places. A name for each column and flux among them, but
 * wavelengths not, is an error: "# wavenumber flux snr". */
static anpe_status columns_of_comment(reader *r, const char *comment, const column_names *given,
                                      int *found)
{
    char *name[MOST_CELLS], text[1000] = "";
    int n = 0, depth = 0;
    snprintf(text, sizeof text, "%s", comment + strspn(comment, "#%!; \t"));
    for (char *state = NULL, *p = strtok_r(text, ", \t;|", &state); p;
         p = strtok_r(NULL, ", \t;|", &state)) {
        const int in_brackets = depth > 0 || strchr("([", p[0]);
        for (const char *c = p; *c; c++)
            depth += strchr("([", *c) ? 1 : strchr(")]", *c) ? -1 : 0;
        if (n && in_brackets) { /* a unit: given back to its name, which ends before it */
            memmove(name[n - 1] + strlen(name[n - 1]), p, strlen(p) + 1);
            continue;
        }
        if (n == MOST_CELLS)
            return ANPE_OK;
        name[n++] = p;
    }
    int has_flux = 0;
    for (int i = 0; i < n; i++)
        has_flux |= columns_role(name[i]) == COLUMN_FLUX;
    if (n != r->n_cells)
        return ANPE_OK;
    const anpe_status status =
        columns_find(r->ctx, r->path, n, (const char *const *)name, NULL, given, &r->c);
    *found = !status;
    return has_flux ? status : ANPE_OK;
}

/* A comment that speaks of errors of another kind, and does not name a column for each. */
static anpe_status check_comment(const reader *r, const char *comment)
{
    char text[1000];
    snprintf(text, sizeof text, "%s", comment);
    for (char *state = NULL, *p = strtok_r(text, "#%!;, \t|()[]", &state); p;
         p = strtok_r(NULL, "#%!;, \t|()[]", &state)) {
        const error_kind kind = columns_error(p);
        if (kind != ERROR_NONE && kind != ERROR_SIGMA)
            return ANPE_FAIL(r->ctx, ANPE_EFORMAT,
                             "%s: a comment has the word '%s', and does not name each of the %d "
                             "columns: what is the third? say instrument.error",
                             r->path, p, r->n_cells);
    }
    return ANPE_OK;
}

/* PolarBase's files of Libre-ESpRIT (ESPaDOnS, NARVAL; Donati et al. 1997): wavelength in air, nm;
 * intensity; others; the error of the intensity last. */
static anpe_status libre_esprit_columns(reader *r)
{
    if (r->n_cells < 2)
        return wrong(r, "expected wavelength, intensity and its error", r->cell[0]);
    r->c = (columns){.unit = 10, .medium = MEDIUM_AIR};
    for (int k = 0; k < N_COLUMN_ROLES; k++)
        r->c.place[k] = -1;
    r->c.place[COLUMN_WAVELENGTH] = 0;
    r->c.place[COLUMN_FLUX] = 1;
    if (r->n_cells > 2) {
        r->c.place[COLUMN_ERROR] = r->n_cells - 1;
        r->c.error = ERROR_SIGMA;
    }
    return ANPE_OK;
}

static int is_given(const char *name)
{
    return name && name[0];
}

/* Without a header: as the comment ahead says, else wavelength, flux, error, mask, and nothing
 * else. */
static anpe_status plain_columns(reader *r, const column_names *given)
{
    if (r->libre_esprit)
        return libre_esprit_columns(r);
    int found = 0;
    anpe_status refused = ANPE_OK;
    for (int k = r->n_comments - 1; k >= 0 && !found; k--) {
        const anpe_status status = columns_of_comment(r, r->comment[k], given, &found);
        refused = status ? status : refused;
    }
    if (found)
        return ANPE_OK;
    if (refused) /* no other comment names the columns */
        return refused;
    for (int k = 0; k < r->n_comments && r->n_cells > 2 && given->kind == ERROR_NONE; k++)
        if (check_comment(r, r->comment[k]))
            return ANPE_EFORMAT;
    if (is_given(given->wavelength) || is_given(given->flux) || is_given(given->error) ||
        is_given(given->mask))
        return ANPE_FAIL(r->ctx, ANPE_EFORMAT,
                         "%s: columns are asked for by name, and no line of the file names them so",
                         r->path);
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

static void keep_comment(reader *r)
{
    if (r->n_comments == MOST_COMMENTS) {
        free(r->comment[0]);
        memmove(r->comment, r->comment + 1, (MOST_COMMENTS - 1) * sizeof *r->comment);
        r->n_comments--;
    }
    char *copy = strdup(r->line);
    if (copy)
        r->comment[r->n_comments++] = copy;
}

/* The first line that is no comment: names, or numbers. *is_names tells which. */
static anpe_status read_header(reader *r, const column_names *given, int *is_names)
{
    double x;
    anpe_status status = ANPE_OK;
    while (next_line(r, &status)) {
        if (!r->line[strspn(r->line, " \t")])
            continue;
        if (r->n_line == 1 && !strncmp(r->line, "***", 3)) {
            r->libre_esprit = 1;
            if (!next_line(r, &status)) /* how many lines and columns follow */
                break;
            continue;
        }
        if (is_comment(r->line)) {
            keep_ecsv(r);
            keep_comment(r);
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

static anpe_status check_number(const reader *r, const char *cell, double *x)
{
    if (to_number(r, cell, x))
        return ANPE_OK;
    return wrong(
        r, strchr(cell, ',') ? "expected a decimal point, not a comma" : "expected a number", cell);
}

/* "[0.98, null, 1.01]" */
static anpe_status keep_array(reader *r, column_role role, char *cell)
{
    int64_t k = 0;
    double x;
    anpe_status status = ANPE_OK;
    if (cell[0] != '[')
        return wrong(r, "expected an array in brackets", cell);
    for (char *p = cell + 1; !status; k++) {
        p += strspn(p, " \t'\"");
        char *end = p + strcspn(p, ",]"), *last = end;
        const char stop = *end;
        while (last > p && strchr(" \t'\"", last[-1]))
            last--;
        *last = *end = '\0';
        status = check_number(r, p, &x);
        if (!status)
            status = file_pixels_put(r->ctx, &r->pixels, r->path, role, k, x);
        if (stop != ',') {
            if (!status && stop != ']')
                status = wrong(r, "an array without its closing bracket", cell);
            return status ? status : file_pixels_length(r->ctx, &r->pixels, r->path, k + 1);
        }
        p = end + 1;
    }
    return status;
}

static anpe_status keep_cells(reader *r, int array)
{
    anpe_status status = ANPE_OK;
    double x;
    for (int k = 0; k < N_COLUMN_ROLES && !status; k++) {
        const int i = r->c.place[k];
        if (i < 0 || k == COLUMN_ID)
            continue;
        if (array)
            status = keep_array(r, (column_role)k, r->cell[i]);
        else if (!(status = check_number(r, r->cell[i], &x)))
            status = file_pixels_put(r->ctx, &r->pixels, r->path, (column_role)k, r->pixels.n, x);
    }
    if (!array)
        r->pixels.n += !status;
    return status;
}

/* Cells at the end of a line that say nothing, or a comment, are none. */
static int count_cells(const reader *r)
{
    int n = 0;
    for (int i = 0; i < r->n_cells && !(i && is_comment(r->cell[i])); i++)
        n = r->cell[i][0] ? i + 1 : n;
    return n;
}

/* Lines of one table have as many cells as the first: in another one a value may stand in another's
 * place. Missing values at the end are told apart from that only where no column of use is there.
 */
static anpe_status check_cells(reader *r)
{
    const int n = count_cells(r);
    int last = 0;
    r->width = r->width ? r->width : r->n_names ? r->n_names : r->n_cells;
    for (int k = 0; k < N_COLUMN_ROLES; k++)
        last = r->c.place[k] > last ? r->c.place[k] : last;
    if (last < r->n_cells && n <= r->width)
        return ANPE_OK;
    return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lld: %d cells; expected %d, as in the first line",
                     r->path, (long long)r->n_line, n, r->width);
}

/* *more becomes 0 when the wanted spectrum is whole. */
static anpe_status keep_line(reader *r, int *more)
{
    const int id = r->c.place[COLUMN_ID];
    const anpe_status status = check_cells(r);
    if (status)
        return status;
    const int array = r->cell[r->c.place[COLUMN_FLUX]][0] == '[';
    const int wanted = file_pixels_row(&r->pixels, id >= 0 ? r->cell[id] : r->ecsv_id, array);
    *more = wanted >= 0;
    return wanted > 0 ? keep_cells(r, array) : ANPE_OK;
}

/* A line of units and one of dashes below the names, as VizieR has them, if they are there. */
static anpe_status read_units(reader *r, const column_names *given)
{
    const int w = r->c.place[COLUMN_WAVELENGTH];
    const size_t start = r->at;
    anpe_status status = ANPE_OK;
    if (w < 0 || !next_line(r, &status))
        return status;
    cut(r, r->line);
    if (w >= r->n_cells || r->n_cells > r->n_names || !(columns_unit(r->cell[w]) > 0)) {
        r->at = start;
        r->n_line--;
        return ANPE_OK;
    }
    for (int i = 0; i < r->n_cells; i++) {
        free(r->unit[i]);
        if (!(r->unit[i] = strdup(r->cell[i])))
            return ANPE_NO_MEMORY(r->ctx, r->path);
    }
    const size_t next = r->at;
    if (next_line(r, &status) && r->line[strspn(r->line, "- \t")]) {
        r->at = next;
        r->n_line--;
    }
    return status ? status
                  : columns_find(r->ctx, r->path, r->n_names, (const char *const *)r->name,
                                 (const char *const *)r->unit, given, &r->c);
}

static anpe_status read_lines(reader *r, int is_names)
{
    int more = 1;
    anpe_status status = is_names ? ANPE_OK : keep_line(r, &more);
    while (!status && more && next_line(r, &status)) {
        if (!r->line[strspn(r->line, " \t")] || is_comment(r->line))
            continue;
        cut(r, r->line);
        status = keep_line(r, &more);
    }
    return status;
}

static void reader_clear(reader *r)
{
    if (!r)
        return;
    anpe_file_let_go(r->ctx, r->path);
    for (int i = 0; i < r->n_names; i++) {
        free(r->name[i]);
        free(r->unit[i]);
    }
    for (int i = 0; i < r->n_ecsv; i++) {
        free(r->ecsv_name[i]);
        free(r->ecsv_unit[i]);
    }
    for (int k = 0; k < r->n_comments; k++)
        free(r->comment[k]);
    free(r->line);
    file_pixels_clear(&r->pixels);
    if (r->locale)
        freelocale(r->locale);
    free(r);
}

/* Files that are no columns of numbers, told from their first bytes, so that the message can say
 * what they are. */
static anpe_status check_text(reader *r)
{
    static const struct {
        const char *start, *what;
    } others[] = {{"<", "HTML or XML, not a table of numbers (a download that failed?)"},
                  {"{", "JSON, not a table of numbers"},
                  {"PK\x03\x04", "a zip archive (.npz?), not a table of numbers"},
                  {"\x93NUMPY", "an array of numpy, not a table of numbers"},
                  {"%PDF", "a PDF"},
                  {"\xff\xfe", "text in UTF-16; expected ASCII or UTF-8"},
                  {"\xfe\xff", "text in UTF-16; expected ASCII or UTF-8"}};
    const char *start = (const char *)r->file->bytes;
    const size_t n = r->file->size < 1024 ? r->file->size : 1024;
    if (n == 0)
        return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: the file is empty", r->path);
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        const size_t length = strlen(others[k].start);
        if (n >= length && !memcmp(start, others[k].start, length))
            return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: %s", r->path, others[k].what);
    }
    if (memchr(start, 0, n))
        return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: not text: it has bytes that are 0", r->path);
    return ANPE_OK;
}

static anpe_status reader_open(anpe_ctx *ctx, const char *path, int64_t wanted, reader **out)
{
    anpe_file *file;
    anpe_status status = anpe_file_hold(ctx, path);
    *out = NULL;
    if (status)
        return status;
    if ((status = ANPE_NEW(ctx, *out, 1))) {
        anpe_file_let_go(ctx, path);
        return status;
    }
    reader *r = *out;
    r->ctx = ctx;
    r->path = path;
    r->pixels.wanted = wanted;
    r->locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    status = anpe_file_bytes(ctx, path, SIZE_MAX, &file);
    r->file = file;
    return status ? status : r->locale ? check_text(r) : ANPE_NO_MEMORY(ctx, path);
}

anpe_status file_text_read(anpe_ctx *ctx, const char *path, const column_names *given, int64_t row,
                           gridded_file *file)
{
    int is_names = 0;
    reader *r;
    anpe_status status;
    ANPE_TRY(reader_open(ctx, path, row, &r));
    ANPE_TRY(read_header(r, given, &is_names));
    if (is_names)
        ANPE_TRY(read_units(r, given));
    ANPE_TRY(read_lines(r, is_names));
    ANPE_TRY(file_pixels_hand_over(ctx, &r->pixels, path, &r->c, given, file));
out:
    reader_clear(r);
    return status;
}

/* Whether the line after the names holds arrays; it is read and counted. */
static anpe_status row_is_spectrum(reader *r, int *is)
{
    anpe_status status = ANPE_OK;
    int more = 1;
    *is = 0;
    if (!next_line(r, &status) || status || is_comment(r->line))
        return status;
    cut(r, r->line);
    const int place = r->c.place[COLUMN_FLUX];
    *is = place < r->n_cells && r->cell[place][0] == '[';
    return *is ? keep_line(r, &more) : ANPE_OK;
}

/* Without identifiers and arrays a file is one spectrum, and its first lines say so. */
anpe_status file_text_count(anpe_ctx *ctx, const char *path, const column_names *given, int64_t *n)
{
    int is_names = 0;
    reader *r;
    anpe_status status = reader_open(ctx, path, -1, &r);
    if (!status)
        status = read_header(r, given, &is_names);
    if (!status && is_names)
        status = read_units(r, given);
    const int *place = r ? r->c.place : NULL;
    int several = !status && is_names &&
                  (place[COLUMN_ID] >= 0 ||
                   (place[COLUMN_WAVELENGTH] < 0 && place[COLUMN_LOG_WAVELENGTH] < 0));
    if (!status && is_names && !several)
        status = row_is_spectrum(r, &several);
    if (several && !status)
        status = read_lines(r, is_names);
    *n = !status && r->pixels.seen > 1 ? r->pixels.seen : 1;
    reader_clear(r);
    return status;
}
