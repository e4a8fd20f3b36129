/* file/catalogue_votable.c -- the catalogue as a VOTable (IVOA Recommendation VOTable 1.4), its
 * rows as TABLEDATA: what the others keep in keywords is INFO of the resource. */
#include <config.h>
#include "file/catalogue_private.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* With the characters of XML's own syntax escaped; what it cannot hold is a '?'. */
static void put_text(FILE *f, const char *text)
{
    static const char *const names[] = {['&'] = "&amp;",  ['<'] = "&lt;",   ['>'] = "&gt;",
                                        ['"'] = "&quot;", ['\n'] = "&#10;", ['\t'] = "&#9;"};
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const int n = anpe_text_character((const char *)p);
        if (!n)
            fputc('?', f);
        else if (*p < sizeof names / sizeof *names && names[*p])
            fputs(names[*p], f);
        else
            fwrite(p, 1, (size_t)n, f);
        p += n ? n : 1;
    }
}

static void put_info(FILE *f, const char *name, const char *value, const char *comment)
{
    fprintf(f, "<INFO name=\"%s\" value=\"", name);
    put_text(f, value);
    fputs("\">", f);
    put_text(f, comment);
    fputs("</INFO>\n", f);
}

static void put_attribute(FILE *f, const char *name, const char *value)
{
    if (!*value)
        return;
    fprintf(f, " %s=\"", name);
    put_text(f, value);
    fputc('"', f);
}

/* Type char is ASCII. wide (n_columns): 1 where a text is not. */
static anpe_status find_wide(anpe_ctx *ctx, anpe_catalogue *c, char *wide)
{
    anpe_status status = ANPE_OK;
    for (int64_t at = 0; at < c->n_rows && !status; at += c->n) {
        status = anpe_catalogue_window(ctx, c, at);
        for (int k = 0; k < c->n_columns && !status; k++)
            for (int64_t r = at; c->columns[k].type == ANPE_COLUMN_TEXT && r < at + c->n; r++)
                for (const char *p = anpe_catalogue_text(c, k, r); *p; p++)
                    wide[k] |= (*p & 0x80) != 0;
    }
    return status;
}

static void put_field(FILE *f, const anpe_catalogue *c, int k, int wide)
{
    const anpe_column *column = c->columns + k;
    const int text = column->type == ANPE_COLUMN_TEXT;
    fputs("<FIELD", f);
    put_attribute(f, "name", column->name);
    put_attribute(f, "datatype",
                  text                               ? wide ? "unicodeChar" : "char"
                  : column->type == ANPE_COLUMN_REAL ? "double"
                                                     : "long");
    put_attribute(f, "arraysize", text ? "*" : "");
    put_attribute(f, "unit", column->unit);
    put_attribute(f, "ucd", column->ucd);
    fputs(">\n<DESCRIPTION>", f);
    put_text(f, column->help);
    fputs("</DESCRIPTION>\n</FIELD>\n", f);
}

/* Digits as in CSV. */
static void put_cell(FILE *f, const anpe_catalogue *c, int k, int64_t row)
{
    const int is_real = c->columns[k].type == ANPE_COLUMN_REAL;
    const double real = is_real ? anpe_catalogue_real(c, k, row) : 0;
    fputs("<TD>", f);
    if (c->columns[k].type == ANPE_COLUMN_TEXT)
        put_text(f, anpe_catalogue_text(c, k, row));
    else if (c->columns[k].type == ANPE_COLUMN_INT64)
        fprintf(f, "%lld", (long long)anpe_catalogue_int(c, k, row));
    else if (isfinite(real))
        fprintf(f, "%.10g", real);
    else
        fputs(isnan(real) ? "NaN" : real > 0 ? "+Inf" : "-Inf", f);
    fputs("</TD>", f);
}

static void put_row(FILE *f, const anpe_catalogue *c, int64_t row)
{
    fputs("<TR>", f);
    for (int k = 0; k < c->n_columns; k++)
        put_cell(f, c, k, row);
    fputs("</TR>\n", f);
}

static anpe_status put_table(anpe_ctx *ctx, FILE *f, anpe_catalogue *c)
{
    char key[16], date[24], wide[ANPE_CATALOGUE_MAX_COLUMNS] = {0};
    anpe_status status = find_wide(ctx, c, wide);
    if (status)
        return status;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n"
          "<RESOURCE type=\"results\">\n",
          f);
    for (int k = 0; k < c->n_keywords; k++)
        put_info(f, c->keywords[k].key, c->keywords[k].value, c->keywords[k].comment);
    for (int k = 0; k < c->n_flags; k++) {
        snprintf(key, sizeof key, "FLAG%d", k);
        put_info(f, key, c->flags[k], "bit of flags");
    }
    anpe_text_utc(date);
    put_info(f, "DATE", date, "of this file, UTC");
    fprintf(f, "<TABLE name=\"CATALOGUE\" nrows=\"%lld\">\n", (long long)c->n_rows);
    for (int k = 0; k < c->n_columns; k++)
        put_field(f, c, k, wide[k]);
    fputs("<DATA>\n<TABLEDATA>\n", f);
    for (int64_t at = 0; at < c->n_rows && !ferror(f) && !status; at += c->n) {
        status = anpe_catalogue_window(ctx, c, at);
        for (int64_t r = at; r < at + c->n && !status && !ferror(f); r++)
            put_row(f, c, r);
    }
    fputs("</TABLEDATA>\n</DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n", f);
    return status;
}

anpe_status anpe_catalogue_write_votable(anpe_ctx *ctx, anpe_catalogue *c, const anpe_output *o)
{
    return anpe_catalogue_write_lines(ctx, c, o, put_table);
}
