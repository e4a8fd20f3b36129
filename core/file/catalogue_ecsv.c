/* file/catalogue_ecsv.c -- ECSV, as Astropy has it (Astropy Proposal for Enhancement 6): a header
 * in YAML, a pair "key: value" after the other in comments, above lines of CSV. */
#include <config.h>
#include "file/catalogue_private.h"
#include "file/catalogue_read_private.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ----------------------------------------------------------------------------- */

/* A double-quoted scalar of YAML, on its line. */
static void put_quoted(FILE *f, const char *text)
{
    fputc('"', f);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p == '"' || *p == '\\')
            fprintf(f, "\\%c", *p);
        else
            fputc(*p < ' ' ? ' ' : *p, f);
    fputc('"', f);
}

static void put_pair(FILE *f, const char *key, const char *value)
{
    fprintf(f, "# - {%s: ", key);
    put_quoted(f, value);
    fputs("}\n", f);
}

static void put_column(FILE *f, const anpe_column *column)
{
    static const char *const types[] = {[ANPE_COLUMN_TEXT] = "string",
                                        [ANPE_COLUMN_REAL] = "float64",
                                        [ANPE_COLUMN_INT64] = "int64"};
    fprintf(f, "# - {name: %s, ", column->name);
    if (column->unit[0]) {
        fputs("unit: ", f);
        put_quoted(f, column->unit);
        fputs(", ", f);
    }
    fprintf(f, "datatype: %s, description: ", types[column->type]);
    put_quoted(f, column->help);
    fputs(", meta: {ucd: ", f);
    put_quoted(f, column->ucd);
    fputs("}}\n", f);
}

static anpe_status put_table(anpe_ctx *ctx, FILE *f, anpe_catalogue *c)
{
    char key[16], date[24];
    fputs("# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n", f);
    for (int k = 0; k < c->n_columns; k++)
        put_column(f, c->columns + k);
    fputs("# meta: !!omap\n", f);
    for (int k = 0; k < c->n_keywords; k++)
        put_pair(f, c->keywords[k].key, c->keywords[k].value);
    for (int k = 0; k < c->n_flags; k++) {
        snprintf(key, sizeof key, "FLAG%d", k);
        put_pair(f, key, c->flags[k]);
    }
    anpe_text_utc(date);
    put_pair(f, "DATE", date);
    fputs("# schema: astropy-2.0\n", f);
    return anpe_catalogue_put_rows(ctx, f, c);
}

anpe_status anpe_catalogue_write_ecsv(anpe_ctx *ctx, anpe_catalogue *c, const anpe_output *o)
{
    return anpe_catalogue_write_lines(ctx, c, o, put_table);
}

/* ---- reading the header ------------------------------------------------------------------ */

enum { WORD = 4096 };
typedef struct pair {
    char key[WORD], value[WORD];
} pair;

static void keep(char word[WORD], size_t *n, char c)
{
    if (*n + 1 < WORD)
        word[(*n)++] = c;
    word[*n] = '\0';
}

/* A scalar, plain or in quotes; returns what follows it. */
static const char *take_scalar(const char *at, char word[WORD])
{
    const char quote = *at;
    size_t n = 0;
    word[0] = '\0';
    if (quote != '\'' && quote != '"') {
        while (*at && !strchr(",{}\r\n", *at))
            keep(word, &n, *at++);
        while (n && word[n - 1] == ' ')
            word[--n] = '\0';
        return at;
    }
    for (at++; *at && (*at != quote || (quote == '\'' && at[1] == '\'')); at++) {
        if ((quote == '\'' && *at == '\'') || (quote == '"' && *at == '\\' && at[1]))
            at++;
        keep(word, &n, *at);
    }
    return *at ? at + 1 : at;
}

/* The next "key: value" of the header at or behind *at; what stands in braces or behind a tag
 * ("!x") gives pairs of its own. 0: there is none. */
static int next_pair(const char **at, pair *p)
{
    const char *from = *at;
    while (*from) {
        from += strcspn(from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_'\"");
        const char *end = *from ? take_scalar(from, p->value) : from;
        const size_t n = strcspn(from, ":,{}\r\n'\"");
        if (*from && from[n] == ':' && n < WORD && strchr(" \r\n", from[n + 1])) {
            memcpy(p->key, from, n);
            p->key[n] = '\0';
            end = from + n + 1;
            end += strspn(end, " ");
            if (*end == '!')
                end += strcspn(end, " \r\n");
            end += strspn(end, " ");
            *at = take_scalar(end, p->value);
            return 1;
        }
        from = end;
    }
    return 0;
}

int anpe_ecsv_is(const char *text)
{
    return !strncmp(text, "# %ECSV", 7);
}

char anpe_ecsv_separator(const char *header)
{
    pair p;
    while (next_pair(&header, &p))
        if (!strcmp(p.key, "delimiter"))
            return p.value[0] ? p.value[0] : ' ';
    return ' ';
}

anpe_status anpe_ecsv_units(anpe_ctx *ctx, anpe_catalogue_file *c, const char *header)
{
    pair p;
    int column = -1;
    while (next_pair(&header, &p)) {
        for (int k = 0; !strcmp(p.key, "name") && k < c->n_columns; k++)
            if (!strcmp(c->column[k].name, p.value))
                column = k;
        if (strcmp(p.key, "unit") || column < 0 || !p.value[0])
            continue;
        free(c->column[column].unit);
        if (!(c->column[column].unit = strdup(p.value)))
            return ANPE_NO_MEMORY(ctx, "units");
    }
    return ANPE_OK;
}

char *anpe_ecsv_keyword(const char *header, const char *key)
{
    pair p;
    while (next_pair(&header, &p))
        if (!strcmp(p.key, key))
            return strdup(p.value);
    return NULL;
}
