/* file/catalogue_read_votable.c -- a catalogue from the first table of a VOTable (IVOA
 * Recommendation VOTable 1.4): TABLEDATA, BINARY and BINARY2, gzipped or not. Every cell becomes a
 * text, numbers with all of their digits; cells of several numbers have blanks between them. The
 * XML is read by expat. */
#include <config.h>
#include "file/catalogue.h"
#include "file/catalogue_read_private.h"

#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#if XML_MAJOR_VERSION == 2 && XML_MINOR_VERSION < 9 /* later ones deprecate this name */
#define XML_GetCurrentLineNumber64 XML_GetCurrentLineNumber
#endif

enum { MOST_VALUES = 1 << 20, CHUNK = 65536, NUMBER = 32 };

typedef struct field {
    char type;         /* a letter of types[] */
    int64_t size;      /* bytes of a value */
    int64_t count;     /* values in a cell; -1: a number of them stands before it */
    char null[NUMBER]; /* what stands for no value; "": nothing does */
} field;

typedef struct votable {
    anpe_table_cells cells;
    int64_t n_info;
    char **info; /* (2 n_info) name, value */
} votable;

typedef struct reader {
    anpe_ctx *ctx;
    anpe_catalogue_file *c;
    votable *t;
    XML_Parser xml;
    anpe_status status;
    field field[ANPE_CATALOGUE_MAX_COLUMNS];
    int in_data, done, in_cell, in_stream, binary2;
    int n_cells;              /* of the row */
    size_t n_text, text_room; /* t->cells.text */
    int64_t n_starts, start_room;
    size_t *start;         /* of each cell in it */
    unsigned char *stream; /* bytes that are not used yet */
    size_t n_stream, stream_room;
    uint32_t bits; /* of base64, and how many */
    int n_bits;
} reader;

static void fail(reader *r, anpe_status status)
{
    if (!r->status)
        r->status = status;
    XML_StopParser(r->xml, XML_FALSE);
}

static const char *attribute(const char **list, const char *name)
{
    for (; list[0]; list += 2)
        if (!strcmp(list[0], name))
            return list[1];
    return "";
}

/* ---- fields and keywords ----------------------------------------------------------------- */

static const struct {
    const char *name;
    char type;
    int size;
} types[] = {{"boolean", 'L', 1}, {"bit", 'X', 1},          {"unsignedByte", 'B', 1},
             {"short", 'I', 2},   {"int", 'J', 4},          {"long", 'K', 8},
             {"char", 'A', 1},    {"unicodeChar", 'U', 2},  {"float", 'E', 4},
             {"double", 'D', 8},  {"floatComplex", 'C', 8}, {"doubleComplex", 'M', 16}};

static int is_number(const field *f)
{
    return strchr("BIJKED", f->type) != NULL;
}

/* "", "16", "*", "16*", "2x3": values in a cell; 0: none of these. */
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
    const char *type = attribute(list, "datatype"), *name = attribute(list, "name");
    const int k = r->c->n_columns;
    if (k == ANPE_CATALOGUE_MAX_COLUMNS) {
        fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: a table of more than %d fields", r->c->path,
                          ANPE_CATALOGUE_MAX_COLUMNS));
        return;
    }
    field *f = &r->field[k];
    *f = (field){.count = count_of(attribute(list, "arraysize"))};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(type, types[i].name)) {
            f->type = types[i].type;
            f->size = types[i].size;
        }
    if (!f->type || !f->count) {
        fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: field %s: datatype '%s', arraysize '%s'",
                          r->c->path, name, type, attribute(list, "arraysize")));
        return;
    }
    const int numbers = is_number(f) && f->count > 0;
    const anpe_status status = anpe_table_add(
        r->ctx, r->c, name, attribute(list, "unit"),
        numbers ? ANPE_TABLE_REALS | ANPE_TABLE_TEXTS : ANPE_TABLE_TEXTS, numbers ? f->count : 1);
    if (f->type == 'X' && f->count > 0)
        f->count = (f->count + 7) / 8; /* bytes */
    if (status)
        fail(r, status);
}

static void add_info(reader *r, const char **list)
{
    votable *t = r->t;
    int64_t room = 2 * t->n_info;
    if (ANPE_GROW(r->ctx, t->info, room, 2 * t->n_info + 2)) {
        fail(r, ANPE_ENOMEM);
        return;
    }
    char **pair = t->info + 2 * t->n_info++;
    pair[0] = anpe_strdup(r->ctx, attribute(list, "name"));
    pair[1] = anpe_strdup(r->ctx, attribute(list, "value"));
    if (!pair[0] || !pair[1])
        fail(r, ANPE_ENOMEM);
}

/* ---- cells ------------------------------------------------------------------------------- */

static int make_room(reader *r, char **block, size_t *room, size_t wanted)
{
    if (wanted <= *room)
        return 1;
    char *grown = realloc(*block, 2 * wanted);
    if (!grown) {
        fail(r, ANPE_NO_MEMORY(r->ctx, r->c->path));
        return 0;
    }
    *block = grown;
    *room = 2 * wanted;
    return 1;
}

static void add_text(reader *r, const char *text, size_t n)
{
    if (!make_room(r, &r->t->cells.text, &r->text_room, r->n_text + n + 1))
        return;
    memcpy(r->t->cells.text + r->n_text, text, n);
    r->n_text += n;
    r->t->cells.text[r->n_text] = '\0';
}

static void begin_cell(reader *r)
{
    if (ANPE_GROW(r->ctx, r->start, r->start_room, r->n_starts + 1))
        fail(r, ANPE_ENOMEM);
    else
        r->start[r->n_starts++] = r->n_text;
}

static void end_cell(reader *r)
{
    const field *f = &r->field[r->n_cells++];
    if (r->status)
        return;
    char *cell = r->t->cells.text ? r->t->cells.text + r->start[r->n_starts - 1] : NULL;
    if (cell && f->null[0] && !strcmp(cell, f->null))
        r->n_text = r->start[r->n_starts - 1];
    add_text(r, "", 1); /* its end */
}

static void end_row(reader *r)
{
    if (r->n_cells != r->c->n_columns)
        fail(r,
             ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lu: row %lld has %d cells, the table %d fields",
                       r->c->path, (unsigned long)XML_GetCurrentLineNumber64(r->xml),
                       (long long)r->c->n_rows + 1, r->n_cells, r->c->n_columns));
    r->c->n_rows++;
    r->n_cells = 0;
}

/* ---- streams ----------------------------------------------------------------------------- */

static uint64_t big_endian(const unsigned char *p, int64_t n)
{
    uint64_t x = 0;
    for (int64_t k = 0; k < n; k++)
        x = x << 8 | p[k];
    return x;
}

static void add_number(reader *r, const field *f, const unsigned char *p)
{
    const uint64_t u = big_endian(p, f->size);
    const uint32_t low = (uint32_t)u;
    char text[NUMBER];
    float single;
    double full;
    memcpy(&single, &low, sizeof single);
    memcpy(&full, &u, sizeof full);
    if (f->type == 'E')
        snprintf(text, sizeof text, "%.9g", (double)single);
    else if (f->type == 'D')
        snprintf(text, sizeof text, "%.17g", full);
    else
        snprintf(text, sizeof text, "%lld",
                 f->type == 'I'   ? (long long)(int16_t)u
                 : f->type == 'J' ? (long long)(int32_t)u
                                  : (long long)(int64_t)u);
    add_text(r, text, strlen(text));
}

static void add_value(reader *r, const field *f, const unsigned char *p, int64_t k)
{
    if (k && is_number(f))
        add_text(r, " ", 1);
    if (is_number(f))
        add_number(r, f, p);
    else if (f->type == 'A' || f->type == 'L')
        add_text(r, (const char *)p, *p != 0);
    else if (f->type == 'U')
        add_text(r, p[0] ? "?" : (const char *)p + 1, p[0] || p[1]); /* beyond Latin: no text */
}

/* The row at p, of which n bytes are there: its length; 0: more are needed; -1: absurd. */
static int64_t row_length(const reader *r, const unsigned char *p, size_t n)
{
    size_t at = r->binary2 ? (size_t)(r->c->n_columns + 7) / 8 : 0;
    for (int k = 0; k < r->c->n_columns; k++) {
        const field *f = &r->field[k];
        int64_t count = f->count;
        if (count < 0) {
            if (at + 4 > n)
                return 0;
            count = (int64_t)big_endian(p + at, 4);
            at += 4;
            if (count > MOST_VALUES)
                return -1;
            count = f->type == 'X' ? (count + 7) / 8 : count;
        }
        at += (size_t)(count * f->size);
        if (at > n)
            return 0;
    }
    return (int64_t)at;
}

static void stream_row(reader *r, const unsigned char *p)
{
    const unsigned char *nulls = p;
    p += r->binary2 ? (r->c->n_columns + 7) / 8 : 0;
    for (int k = 0; k < r->c->n_columns && !r->status; k++) {
        const field *f = &r->field[k];
        int64_t count = f->count;
        if (count < 0) {
            count = (int64_t)big_endian(p, 4);
            count = f->type == 'X' ? (count + 7) / 8 : count;
            p += 4;
        }
        begin_cell(r);
        const int null = r->binary2 && (nulls[k / 8] >> (7 - k % 8) & 1);
        for (int64_t i = 0; i < count && !null && !r->status; i++)
            add_value(r, f, p + i * f->size, i);
        p += count * f->size;
        end_cell(r);
    }
    end_row(r);
}

static void use_stream(reader *r)
{
    size_t used = 0;
    while (!r->status && used < r->n_stream) {
        const int64_t n = row_length(r, r->stream + used, r->n_stream - used);
        if (n < 0)
            fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: a cell of more than %d values", r->c->path,
                              MOST_VALUES));
        if (n <= 0)
            break;
        stream_row(r, r->stream + used);
        used += (size_t)n;
    }
    if (used)
        memmove(r->stream, r->stream + used, r->n_stream - used);
    r->n_stream -= used;
}

static void decode_base64(reader *r, const char *s, int n)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!make_room(r, (char **)&r->stream, &r->stream_room, r->n_stream + (size_t)n + 1))
        return;
    for (int i = 0; i < n; i++) {
        if (s[i] == '=' || strchr(" \t\r\n", s[i]))
            continue;
        const char *at = strchr(letters, s[i]);
        if (!at) {
            fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lu: its stream is not base64", r->c->path,
                              (unsigned long)XML_GetCurrentLineNumber64(r->xml)));
            return;
        }
        r->bits = r->bits << 6 | (uint32_t)(at - letters);
        r->n_bits += 6;
        if (r->n_bits >= 8) {
            r->n_bits -= 8;
            r->stream[r->n_stream++] = (unsigned char)(r->bits >> r->n_bits & 0xff);
        }
    }
    use_stream(r);
}

/* ---- XML --------------------------------------------------------------------------------- */

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static void start_data(reader *r, const char *name, const char **list)
{
    if (!strcmp(name, "BINARY2"))
        r->binary2 = 1;
    else if (!strcmp(name, "FITS"))
        fail(r, ANPE_FAIL(r->ctx, ANPE_EUNSUPPORTED,
                          "%s: a VOTable with FITS inside; ask for FITS itself", r->c->path));
    else if (!strcmp(name, "STREAM") && strcmp(attribute(list, "encoding"), "base64") != 0)
        fail(r, ANPE_FAIL(r->ctx, ANPE_EUNSUPPORTED,
                          "%s: its stream has encoding '%s' and href '%.80s'; expected base64 in "
                          "the file itself",
                          r->c->path, attribute(list, "encoding"), attribute(list, "href")));
    else if (!strcmp(name, "STREAM"))
        r->in_stream = 1;
    else if (!strcmp(name, "TD") && r->n_cells < r->c->n_columns) {
        begin_cell(r);
        r->in_cell = 1;
    } else if (!strcmp(name, "TD")) {
        r->n_cells++;
        end_row(r); /* which says so */
    }
}

static void on_start(void *user, const char *qualified, const char **list)
{
    reader *r = user;
    const char *name = local_name(qualified);
    if (r->done || r->status)
        return;
    if (r->in_data)
        start_data(r, name, list);
    else if (!strcmp(name, "FIELD"))
        add_field(r, list);
    else if (!strcmp(name, "VALUES") && r->c->n_columns && *attribute(list, "null"))
        snprintf(r->field[r->c->n_columns - 1].null, NUMBER, "%s", attribute(list, "null"));
    else if (!strcmp(name, "INFO") || !strcmp(name, "PARAM"))
        add_info(r, list);
    else if (!strcmp(name, "DATA"))
        r->in_data = 1;
}

static void on_end(void *user, const char *qualified)
{
    reader *r = user;
    const char *name = local_name(qualified);
    if (r->done || r->status)
        return;
    if (!strcmp(name, "TD") && r->in_cell) {
        end_cell(r);
        r->in_cell = 0;
    } else if (!strcmp(name, "TR") && r->in_data) {
        end_row(r);
    } else if (!strcmp(name, "STREAM") && r->n_stream) {
        fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: its stream ends within a row", r->c->path));
    } else if (!strcmp(name, "TABLE")) {
        r->done = r->c->n_columns > 0;
    }
}

static void on_text(void *user, const char *s, int n)
{
    reader *r = user;
    if (r->done || r->status)
        return;
    if (r->in_stream)
        decode_base64(r, s, n);
    else if (r->in_cell)
        add_text(r, s, (size_t)n);
}

static void parse(reader *r, gzFile f)
{
    int n = 1, error = 0;
    while (!r->status && n > 0) {
        void *buffer = XML_GetBuffer(r->xml, CHUNK);
        n = buffer ? gzread(f, buffer, CHUNK) : -1;
        if (!buffer)
            fail(r, ANPE_NO_MEMORY(r->ctx, r->c->path));
        else if (n < 0)
            fail(r, ANPE_FAIL(r->ctx, ANPE_EIO, "%s: cannot read: %s", r->c->path,
                              gzerror(f, &error)));
        else if (XML_ParseBuffer(r->xml, n, n == 0) == XML_STATUS_ERROR && !r->status)
            fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s:%lu: not a VOTable: %s", r->c->path,
                              (unsigned long)XML_GetCurrentLineNumber64(r->xml),
                              XML_ErrorString(XML_GetErrorCode(r->xml))));
    }
    if (!r->status && !r->done)
        fail(r, ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: a VOTable without a table", r->c->path));
}

/* Once no text moves any more. A declared number that is none makes its column one of texts. */
static anpe_status point_to_cells(reader *r)
{
    anpe_table_cells *t = &r->t->cells;
    if (ANPE_NEW(r->ctx, t->cell, r->n_starts + 1))
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < r->n_starts; k++)
        t->cell[k] = t->text + r->start[k];
    anpe_table_cells_find_types(r->c, t);
    return ANPE_OK;
}

static anpe_status read_table(reader *r)
{
    char reason[128];
    gzFile f = gzopen(r->c->path, "rb");
    if (!f)
        return ANPE_FAIL(r->ctx, ANPE_EIO, "%s: cannot open: %s", r->c->path,
                         anpe_errno_text(errno, reason, sizeof reason));
    if (!(r->xml = XML_ParserCreate(NULL))) {
        gzclose(f);
        return ANPE_NO_MEMORY(r->ctx, r->c->path);
    }
    XML_SetUserData(r->xml, r);
    XML_SetElementHandler(r->xml, on_start, on_end);
    XML_SetCharacterDataHandler(r->xml, on_text);
    parse(r, f);
    gzclose(f);
    return r->status ? r->status : point_to_cells(r);
}

static anpe_status open_votable(anpe_ctx *ctx, anpe_catalogue_file *c)
{
    reader *r;
    votable *t;
    if (ANPE_NEW(ctx, t, 1))
        return ANPE_ENOMEM;
    c->self = t;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    r->ctx = ctx;
    r->c = c;
    r->t = t;
    const anpe_status status = read_table(r);
    if (r->xml)
        XML_ParserFree(r->xml);
    free(r->start);
    free(r->stream);
    free(r);
    return status;
}

static anpe_status votable_reals(anpe_ctx *ctx, anpe_catalogue_file *c, int column, int64_t element,
                                 double *values)
{
    const votable *t = c->self;
    (void)ctx;
    anpe_table_cells_reals(c, &t->cells, column, element, values);
    return ANPE_OK;
}

static anpe_status votable_texts(anpe_ctx *ctx, anpe_catalogue_file *c, int column, char **texts)
{
    const votable *t = c->self;
    return anpe_table_cells_texts(ctx, c, &t->cells, column, texts);
}

static char *votable_keyword(anpe_ctx *ctx, anpe_catalogue_file *c, const char *key)
{
    const votable *t = c->self;
    for (int64_t k = 0; k < t->n_info; k++)
        if (!strcmp(t->info[2 * k], key))
            return anpe_strdup(ctx, t->info[2 * k + 1]);
    return NULL;
}

static void close_votable(anpe_catalogue_file *c)
{
    votable *t = c->self;
    if (!t)
        return;
    for (int64_t k = 0; k < 2 * t->n_info; k++)
        free(t->info[k]);
    free(t->info);
    anpe_table_cells_clear(&t->cells);
    free(t);
}

const anpe_table_reader anpe_table_votable = {open_votable,  votable_reals,   NULL,
                                              votable_texts, votable_keyword, close_votable};
