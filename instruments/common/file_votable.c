/* VOTables as spectra (IVOA Recommendation VOTable 1.4): TABLEDATA, BINARY and BINARY2, gzipped or
 * not; a row a pixel, or a row of arrays, as the Gaia archive's DataLink gives them. The XML is
 * read by expat. */
#include <config.h>
#include "file_pixels.h"
#include "file_table.h"
#include <expat.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#if XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION < 9 /* later ones deprecate this name */
#define XML_GetCurrentLineNumber64 XML_GetCurrentLineNumber
#endif

enum { MOST_FIELDS = 200, MOST_VALUES = 5000000, CHUNK = 65536 };

typedef enum encoding { TABLEDATA, BINARY, BINARY2 } encoding;

typedef struct field {
    char *name, *unit;
    char type;     /* one of the letters of types[] below */
    int size;      /* bytes of a value */
    int64_t count; /* values in a cell; -1: a number of them stands before it */
    column_role role;
} field;

typedef struct reader {
    anpe_ctx *ctx;
    const char *path;
    const column_names *given;
    int holds; /* the file is held */
    anpe_status status, refused;
    XML_Parser xml;
    locale_t locale;
    field field[MOST_FIELDS];
    int n_fields;
    int found; /* the table of the spectrum: 1 inside it, 2 behind it */
    encoding encoding;
    char table_id[80]; /* PARAM or INFO source_id */
    columns c;
    file_pixels pixels;
    /* TABLEDATA: cells of the row. Streams: bytes not yet used. */
    int in_cell, cell, in_stream;
    char *text;
    size_t n_text, room;
    size_t cell_start[MOST_FIELDS + 1]; /* of each cell in text */
    uint32_t bits;                      /* of base64, and how many */
    int n_bits;
} reader;

static void fail(reader *r, anpe_status status)
{
    if (!r->status)
        r->status = status;
    XML_StopParser(r->xml, XML_FALSE);
}

/* ---- fields ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    char type;
    int size;
} types[] = {{"boolean", 'L', 1}, {"bit", 'X', 1},          {"unsignedByte", 'B', 1},
             {"short", 'I', 2},   {"int", 'J', 4},          {"long", 'K', 8},
             {"char", 'A', 1},    {"unicodeChar", 'U', 2},  {"float", 'E', 4},
             {"double", 'D', 8},  {"floatComplex", 'C', 8}, {"doubleComplex", 'M', 16}};

static const char *attribute(const char **list, const char *name)
{
    for (; list[0]; list += 2)
        if (!strcmp(list[0], name))
            return list[1];
    return "";
}

/* Values in a cell: "", "16", "*", "16*", "2x3". */
static int64_t count_of(const char *text)
{
    int64_t n = 1;
    if (strchr(text, '*'))
        return -1;
    while (*text) {
        char *end;
        const long long k = strtoll(text, &end, 10);
        if (end == text || k < 1 || n > MOST_VALUES / k)
            return 0;
        n *= k;
        text = *end ? end + 1 : end;
    }
    return n;
}

static void add_field(reader *r, const char **list)
{
    const char *type = attribute(list, "datatype");
    field *f = &r->field[r->n_fields];
    if (r->n_fields == MOST_FIELDS) {
        fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: a table of more than %d fields", r->path,
                          MOST_FIELDS));
        return;
    }
    *f = (field){.name = strdup(attribute(list, "name")), .unit = strdup(attribute(list, "unit"))};
    r->n_fields++;
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (!strcmp(type, types[k].name)) {
            f->type = types[k].type;
            f->size = types[k].size;
        }
    f->count = count_of(attribute(list, "arraysize"));
    if (!f->name || !f->unit)
        fail(r, ANPE_NO_MEMORY(r->ctx, r->path));
    else if (!f->type || !f->count)
        fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: field %s: datatype '%s', arraysize '%s'",
                          r->path, f->name, type, attribute(list, "arraysize")));
    if (f->type == 'X' && f->count > 0)
        f->count = (f->count + 7) / 8; /* bytes */
}

static void forget_fields(reader *r)
{
    for (int k = 0; k < r->n_fields; k++) {
        free(r->field[k].name);
        free(r->field[k].unit);
    }
    r->n_fields = 0;
}

/* Whether the fields of this table are a spectrum's; the first such table is it. */
static void begin_data(reader *r)
{
    const char *names[MOST_FIELDS], *units[MOST_FIELDS];
    for (int k = 0; k < r->n_fields; k++) {
        names[k] = r->field[k].name;
        units[k] = r->field[k].unit;
        r->field[k].role = COLUMN_OTHER;
    }
    const anpe_status status =
        columns_find(r->ctx, r->path, r->n_fields, names, units, r->given, &r->c);
    if (status == ANPE_EFORMAT)
        r->refused = status; /* which is told when no later table is a spectrum either */
    else if (status)
        fail(r, status);
    if (status)
        return;
    for (int k = 0; k < N_COLUMN_ROLES; k++)
        if (r->c.place[k] >= 0)
            r->field[r->c.place[k]].role = (column_role)k;
    r->found = 1;
}

/* ---- rows ------------------------------------------------------------------------------- */

static anpe_status put(reader *r, column_role role, int64_t k, double x)
{
    return file_pixels_put(r->ctx, &r->pixels, r->path, role, k, x);
}

/* Numbers of a TD: "0.98", "0.98 NaN 1.01", "". */
static anpe_status text_cell(reader *r, const field *f, const char *text, int array)
{
    int64_t k = 0;
    anpe_status status = ANPE_OK;
    const char *p = text + strspn(text, " \t\r\n");
    if (!*p && !array)
        return put(r, f->role, r->pixels.n, NAN);
    for (; *p && !status; k++) {
        char *end;
        double x = strtod_l(p, &end, r->locale);
        if (end == p && !strncasecmp(p, "null", 4)) {
            end += 4;
            x = NAN;
        }
        if (end == p || (*end && !strchr(" \t\r\n,", *end)))
            return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: field %s: expected a number: '%.40s'",
                             r->path, f->name, p);
        status = put(r, f->role, array ? k : r->pixels.n, x);
        p = end + strspn(end, " \t\r\n,");
    }
    return status || !array ? status : file_pixels_length(r->ctx, &r->pixels, r->path, k);
}

static int is_array(const reader *r)
{
    return r->field[r->c.place[COLUMN_FLUX]].count != 1;
}

static const char *row_id(const reader *r, const char *cell)
{
    return r->c.place[COLUMN_ID] >= 0 ? cell : r->table_id;
}

static void end_text_row(reader *r)
{
    const int array = is_array(r), id = r->c.place[COLUMN_ID];
    if (r->cell != r->n_fields) {
        fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: a row of %d cells; the table has %d fields",
                          r->path, r->cell, r->n_fields));
        return;
    }
    const int wanted =
        file_pixels_row(&r->pixels, row_id(r, id < 0 ? "" : r->text + r->cell_start[id]), array);
    for (int k = 0; wanted > 0 && k < r->n_fields && !r->status; k++) {
        const field *f = &r->field[k];
        if (f->role != COLUMN_OTHER && f->role != COLUMN_ID) {
            const anpe_status status = text_cell(r, f, r->text + r->cell_start[k], array);
            if (status)
                fail(r, status);
        }
    }
    if (wanted < 0)
        r->found = 2;
    r->pixels.n += wanted > 0 && !array;
}

/* ---- streams ---------------------------------------------------------------------------- */

static uint64_t big_endian(const unsigned char *p, int n)
{
    uint64_t x = 0;
    for (int k = 0; k < n; k++)
        x = x << 8 | p[k];
    return x;
}

static double value_of(const field *f, const unsigned char *p)
{
    const uint64_t u = big_endian(p, f->size > 8 ? 8 : f->size);
    const uint32_t low = (uint32_t)u;
    float single;
    double full;
    switch (f->type) {
    case 'E':
        memcpy(&single, &low, sizeof single);
        return (double)single;
    case 'D':
        memcpy(&full, &u, sizeof full);
        return full;
    case 'I':
        return (double)(int16_t)u;
    case 'J':
        return (double)(int32_t)u;
    case 'K':
        return (double)(int64_t)u;
    case 'B':
        return (double)u;
    case 'L':
        return strchr("tT1", (int)u) ? 1 : strchr("fF0", (int)u) ? 0 : NAN;
    default:
        return NAN;
    }
}

typedef struct cell {
    const unsigned char *at;
    int64_t n;
    int null;
} cell;

/* Where the cells of the row at p are. Returns its bytes; 0: more are needed; -1: absurd. */
static int64_t find_cells(const reader *r, const unsigned char *p, size_t n, cell *cells)
{
    size_t at = r->encoding == BINARY2 ? (size_t)(r->n_fields + 7) / 8 : 0;
    for (int k = 0; k < r->n_fields; k++) {
        const field *f = &r->field[k];
        int64_t count = f->count;
        if (count < 0) {
            if (at + 4 > n)
                return 0;
            count = (int64_t)big_endian(p + at, 4);
            at += 4;
            if (count > MOST_VALUES)
                return -1;
            if (f->type == 'X')
                count = (count + 7) / 8;
        }
        if (at > n || n - at < (size_t)count * (size_t)f->size)
            return 0;
        cells[k] = (cell){p + at, count, r->encoding == BINARY2 && (p[k / 8] >> (7 - k % 8) & 1)};
        at += (size_t)count * (size_t)f->size;
    }
    return (int64_t)at;
}

static void id_of(const reader *r, const cell *cells, char *out, size_t size)
{
    const int k = r->c.place[COLUMN_ID];
    const field *f = k < 0 ? NULL : &r->field[k];
    if (!f)
        snprintf(out, size, "%s", r->table_id);
    else if (f->type == 'A')
        snprintf(out, size, "%.*s", (int)(cells[k].n < 79 ? cells[k].n : 79),
                 (const char *)cells[k].at);
    else if (cells[k].n == 1 && strchr("BIJK", f->type))
        snprintf(out, size, "%lld",
                 f->type == 'K' ? (long long)(int64_t)big_endian(cells[k].at, 8)
                                : (long long)value_of(f, cells[k].at));
    else
        out[0] = '\0';
}

static void stream_row(reader *r, const cell *cells)
{
    char id[80];
    const int array = is_array(r);
    id_of(r, cells, id, sizeof id);
    const int wanted = file_pixels_row(&r->pixels, id, array);
    anpe_status status = ANPE_OK;
    for (int k = 0; wanted > 0 && k < r->n_fields && !status; k++) {
        const field *f = &r->field[k];
        if (f->role == COLUMN_OTHER || f->role == COLUMN_ID)
            continue;
        for (int64_t i = 0; i < cells[k].n && !status; i++)
            status = put(r, f->role, array ? i : r->pixels.n,
                         cells[k].null ? NAN : value_of(f, cells[k].at + i * f->size));
        if (!status && array)
            status = file_pixels_length(r->ctx, &r->pixels, r->path, cells[k].n);
    }
    if (status)
        fail(r, status);
    if (wanted < 0)
        r->found = 2;
    r->pixels.n += wanted > 0 && !array;
}

static void use_stream(reader *r)
{
    cell cells[MOST_FIELDS];
    size_t used = 0;
    while (!r->status && r->found == 1 && used < r->n_text) {
        const int64_t bytes =
            find_cells(r, (const unsigned char *)r->text + used, r->n_text - used, cells);
        if (bytes < 0)
            fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: a cell of more than %d values", r->path,
                              MOST_VALUES));
        if (bytes <= 0)
            break;
        stream_row(r, cells);
        used += (size_t)bytes;
    }
    if (used) /* else a row that is not whole yet, which may be long */
        memmove(r->text, r->text + used, r->n_text - used);
    r->n_text -= used;
}

/* ---- XML -------------------------------------------------------------------------------- */

static int make_room(reader *r, size_t more)
{
    if (r->n_text + more + 1 <= r->room)
        return 1;
    const size_t room = 2 * (r->n_text + more + 1);
    char *grown = realloc(r->text, room);
    if (!grown) {
        fail(r, ANPE_NO_MEMORY(r->ctx, r->path));
        return 0;
    }
    r->text = grown;
    r->room = room;
    return 1;
}

static void decode_base64(reader *r, const char *s, int n)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < n && !r->status; i++) {
        const char *at = s[i] ? strchr(letters, s[i]) : NULL;
        if (s[i] == '=' || strchr(" \t\r\n", s[i]))
            continue;
        if (!at) {
            fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: its stream is not base64", r->path));
            return;
        }
        r->bits = r->bits << 6 | (uint32_t)(at - letters);
        r->n_bits += 6;
        if (r->n_bits >= 8) {
            r->n_bits -= 8;
            r->text[r->n_text++] = (char)(r->bits >> r->n_bits & 0xff);
        }
    }
}

static void on_text(void *user, const char *s, int n)
{
    reader *r = user;
    if (r->found != 1 || (!r->in_cell && !r->in_stream) || !make_room(r, (size_t)n))
        return;
    if (r->in_stream) {
        decode_base64(r, s, n);
        use_stream(r);
        return;
    }
    memcpy(r->text + r->n_text, s, (size_t)n);
    r->n_text += (size_t)n;
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static void begin_stream(reader *r, const char **list)
{
    if (strcmp(attribute(list, "encoding"), "base64") != 0) {
        fail(r, ANPE_FAIL(r->ctx, ANPE_EUNSUPPORTED,
                          "%s: its stream has encoding '%s' and href '%.80s'; expected base64 in "
                          "the file itself",
                          r->path, attribute(list, "encoding"), attribute(list, "href")));
        return;
    }
    r->in_stream = 1;
    r->n_text = 0;
    r->n_bits = 0;
}

static void on_start(void *user, const char *qualified, const char **list)
{
    reader *r = user;
    const char *name = local_name(qualified);
    if (r->found == 2 || r->status)
        return;
    if (!strcmp(name, "TABLE") && !r->found)
        forget_fields(r);
    else if ((!strcmp(name, "PARAM") || !strcmp(name, "INFO")) && !r->found &&
             !strcasecmp(attribute(list, "name"), "source_id"))
        snprintf(r->table_id, sizeof r->table_id, "%s", attribute(list, "value"));
    else if (!strcmp(name, "FIELD") && !r->found)
        add_field(r, list);
    else if (!strcmp(name, "DATA") && !r->found)
        begin_data(r);
    if (r->found != 1)
        return;
    if (!strcmp(name, "BINARY") || !strcmp(name, "BINARY2"))
        r->encoding = name[6] ? BINARY2 : BINARY;
    else if (!strcmp(name, "FITS"))
        fail(r, ANPE_FAIL(r->ctx, ANPE_EUNSUPPORTED,
                          "%s: a VOTable with FITS inside; ask for FITS itself", r->path));
    else if (!strcmp(name, "STREAM"))
        begin_stream(r, list);
    else if (!strcmp(name, "TR")) {
        r->cell = 0;
        r->n_text = 0;
    } else if (!strcmp(name, "TD") && r->cell < r->n_fields) {
        r->cell_start[r->cell] = r->n_text;
        r->in_cell = 1;
    }
}

static void on_end(void *user, const char *qualified)
{
    reader *r = user;
    const char *name = local_name(qualified);
    if (r->found != 1 || r->status)
        return;
    if (!strcmp(name, "TD") && make_room(r, 1)) {
        r->text[r->n_text++] = '\0';
        r->in_cell = 0;
        r->cell++;
    } else if (!strcmp(name, "TR")) {
        end_text_row(r);
    } else if (!strcmp(name, "STREAM")) {
        r->in_stream = 0;
        if (r->found == 1 && r->n_text)
            fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: its stream ends within a row", r->path));
    } else if (!strcmp(name, "DATA")) {
        r->found = 2;
    }
}

static void parse(reader *r, const anpe_file *f)
{
    size_t at = 0, n = 1;
    for (; !r->status && r->found != 2 && n > 0; at += n) {
        n = f->size - at < CHUNK ? f->size - at : CHUNK;
        if (XML_Parse(r->xml, (const char *)f->bytes + at, (int)n, n == 0) == XML_STATUS_ERROR &&
            !r->status && r->found != 2)
            fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lu: not a VOTable: %s", r->path,
                              (unsigned long)XML_GetCurrentLineNumber64(r->xml),
                              XML_ErrorString(XML_GetErrorCode(r->xml))));
    }
    if (!r->status && !r->found)
        fail(r, r->refused ? r->refused
                           : ANPE_FAIL(r->ctx, ANPE_EFORMAT,
                                       "%s: no table with data in the VOTable", r->path));
}

static void reader_clear(reader *r)
{
    if (!r)
        return;
    if (r->holds)
        anpe_file_let_go(r->ctx, r->path);
    forget_fields(r);
    file_pixels_clear(&r->pixels);
    if (r->xml)
        XML_ParserFree(r->xml);
    if (r->locale)
        freelocale(r->locale);
    free(r->text);
    free(r);
}

/* Reads spectrum `wanted`, or counts (-1). */
static anpe_status read_file(anpe_ctx *ctx, const char *path, const column_names *given,
                             int64_t wanted, reader **out)
{
    if (ANPE_NEW(ctx, *out, 1))
        return ANPE_ENOMEM;
    reader *r = *out;
    r->ctx = ctx;
    r->path = path;
    r->given = given;
    r->pixels.wanted = wanted;
    r->locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    r->xml = XML_ParserCreate(NULL);
    if (!r->locale || !r->xml)
        return ANPE_NO_MEMORY(ctx, path);
    anpe_file *f;
    anpe_status status;
    ANPE_TRY(anpe_file_hold(ctx, path));
    r->holds = 1;
    ANPE_TRY(anpe_file_bytes(ctx, path, SIZE_MAX, &f));
    XML_SetUserData(r->xml, r);
    XML_SetElementHandler(r->xml, on_start, on_end);
    XML_SetCharacterDataHandler(r->xml, on_text);
    parse(r, f);
    status = r->status;
out:
    return status;
}

anpe_status file_votable_count(anpe_ctx *ctx, const char *path, const column_names *given,
                               int64_t *n)
{
    reader *r;
    const anpe_status status = read_file(ctx, path, given, -1, &r);
    *n = status ? 0 : r->pixels.seen;
    reader_clear(r);
    return status;
}

anpe_status file_votable_read(anpe_ctx *ctx, const char *path, const column_names *given,
                              int64_t row, gridded_file *file)
{
    reader *r;
    anpe_status status = read_file(ctx, path, given, row, &r);
    if (!status)
        status = file_pixels_hand_over(ctx, &r->pixels, path, &r->c, given, file);
    reader_clear(r);
    return status;
}
