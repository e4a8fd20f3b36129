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

/* Type char is ASCII. */
static int is_ascii(const anpe_catalogue *c, int column)
{
    for (int64_t r = 0; r < c->n_rows; r++)
        for (const char *p = anpe_catalogue_text(c, column, r); *p; p++)
            if (*p & 0x80)
                return 0;
    return 1;
}

static void put_field(FILE *f, const anpe_catalogue *c, int k)
{
    const anpe_column *column = c->columns + k;
    const int text = column->type == ANPE_COLUMN_TEXT;
    fputs("<FIELD", f);
    put_attribute(f, "name", column->name);
    put_attribute(f, "datatype",
                  text                               ? is_ascii(c, k) ? "char" : "unicodeChar"
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
    const double *real = c->data[k];
    const int64_t *integer = c->data[k];
    fputs("<TD>", f);
    if (c->columns[k].type == ANPE_COLUMN_TEXT)
        put_text(f, anpe_catalogue_text(c, k, row));
    else if (c->columns[k].type == ANPE_COLUMN_INT64)
        fprintf(f, "%lld", (long long)integer[row]);
    else if (isfinite(real[row]))
        fprintf(f, "%.10g", real[row]);
    else
        fputs(isnan(real[row]) ? "NaN" : real[row] > 0 ? "+Inf" : "-Inf", f);
    fputs("</TD>", f);
}

static void put_table(FILE *f, const anpe_catalogue *c)
{
    char key[16], date[24];
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
        put_field(f, c, k);
    fputs("<DATA>\n<TABLEDATA>\n", f);
    for (int64_t r = 0; r < c->n_rows && !ferror(f); r++) {
        fputs("<TR>", f);
        for (int k = 0; k < c->n_columns; k++)
            put_cell(f, c, k, r);
        fputs("</TR>\n", f);
    }
    fputs("</TABLEDATA>\n</DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n", f);
}

anpe_status anpe_catalogue_write_votable(anpe_ctx *ctx, const anpe_catalogue *c,
                                         const anpe_output *o)
{
    return anpe_catalogue_write_lines(ctx, c, o, put_table);
}
