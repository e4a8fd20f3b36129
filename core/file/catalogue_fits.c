/* file/catalogue_fits.c -- the catalogue as a FITS binary table (CFITSIO): TTYPE, TFORM, TUNIT and
 * beside them TUCD and TCOMM, as TOPCAT and others read them. No checksum keywords: CFITSIO puts
 * the time into their comments. */
#include <config.h>
#include "file/catalogue_private.h"
#include "base/text.h"

#include <errno.h>
#include <fitsio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1024 }; /* rows of text handed over at once */

/* FITS headers and tables hold printable ASCII only. */
static char *printable(const char *text)
{
    char *copy = strdup(text);
    for (char *at = copy; at && *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    return copy;
}

static void write_text_key(fitsfile *f, const char *key, const char *value, const char *comment,
                           int *status)
{
    char *v = printable(value), *c = printable(comment);
    if (v && c && !*status)
        fits_update_key_longstr(f, key, v, c, status);
    else if (!*status)
        *status = MEMORY_ALLOCATION;
    free(v);
    free(c);
}

static void write_header(fitsfile *f, const anpe_catalogue *c, int *status)
{
    char key[16], comment[80];
    for (int k = 0; k < c->n_columns; k++) {
        const anpe_column *column = c->columns + k;
        if (column->ucd[0]) {
            snprintf(key, sizeof key, "TUCD%d", k + 1);
            write_text_key(f, key, column->ucd, "unified content descriptor", status);
        }
        if (column->help[0]) {
            snprintf(key, sizeof key, "TCOMM%d", k + 1);
            write_text_key(f, key, column->help, "", status);
        }
    }
    for (int k = 0; k < c->n_flags; k++) {
        snprintf(key, sizeof key, "FLAG%d", k);
        snprintf(comment, sizeof comment, "bit %d of flags, value %lld", k, 1LL << k);
        write_text_key(f, key, c->flags[k], comment, status);
    }
    for (int k = 0; k < c->n_keywords; k++)
        write_text_key(f, c->keywords[k].key, c->keywords[k].value, c->keywords[k].comment, status);
    char date[24];
    anpe_text_utc(date);
    write_text_key(f, "DATE", date, "of this file, UTC", status);
}

static void write_text_column(fitsfile *f, const anpe_catalogue *c, int k, int *status)
{
    char *texts[BLOCK];
    for (int64_t from = 0; from < c->n && !*status; from += BLOCK) {
        int64_t n = c->n - from < BLOCK ? c->n - from : BLOCK, made = 0;
        const int64_t row = c->first + from;
        while (made < n && (texts[made] = printable(anpe_catalogue_text(c, k, row + made))))
            made++;
        if (made == n)
            fits_write_col(f, TSTRING, k + 1, row + 1, 1, n, texts, status);
        else
            *status = MEMORY_ALLOCATION;
        while (made > 0)
            free(texts[--made]);
    }
}

static void write_window(fitsfile *f, const anpe_catalogue *c, int *status)
{
    for (int k = 0; k < c->n_columns; k++) {
        anpe_column_type type = c->columns[k].type;
        if (type == ANPE_COLUMN_TEXT)
            write_text_column(f, c, k, status);
        else
            fits_write_col(f, type == ANPE_COLUMN_REAL ? TDOUBLE : TLONGLONG, k + 1, c->first + 1,
                           1, c->n, c->data[k], status);
    }
}

/* Returns what `fill` had to say; *status: what CFITSIO has. */
static anpe_status write_rows(anpe_ctx *ctx, fitsfile *f, anpe_catalogue *c, int *status)
{
    anpe_status filled = ANPE_OK;
    for (int64_t at = 0; at < c->n_rows && !filled && !*status; at += c->n) {
        filled = anpe_catalogue_window(ctx, c, at);
        if (!filled)
            write_window(f, c, status);
    }
    return filled;
}

static void create_table(fitsfile *f, const anpe_catalogue *c, int *status)
{
    size_t n = (size_t)c->n_columns;
    char **name = calloc(n, sizeof *name), **unit = calloc(n, sizeof *unit);
    char **form = calloc(n, sizeof *form);
    char(*text)[16] = calloc(n, sizeof *text);
    if (!name || !unit || !form || !text)
        *status = MEMORY_ALLOCATION;
    for (int k = 0; k < c->n_columns && !*status; k++) {
        anpe_column *column = c->columns + k;
        name[k] = column->name;
        unit[k] = column->unit;
        form[k] = text[k];
        if (column->type == ANPE_COLUMN_TEXT)
            snprintf(text[k], sizeof *text, "%dA", column->width);
        else
            strcpy(text[k], column->type == ANPE_COLUMN_REAL ? "1D" : "1K");
    }
    fits_create_tbl(f, BINARY_TBL, c->n_rows, c->n_columns, name, form, unit, "CATALOGUE", status);
    free(name);
    free(unit);
    free(form);
    free(text);
}

anpe_status anpe_catalogue_write_fits(anpe_ctx *ctx, anpe_catalogue *c, const anpe_output *o)
{
    fitsfile *f = NULL;
    int status = 0, closed = 0;
    unlink(o->temporary); /* CFITSIO makes files only where there is none */
    errno = 0;
    fits_create_diskfile(&f, o->temporary, &status);
    if (f && o->replaces)
        (void)chmod(o->temporary, 0600); /* as anpe_output_begin had made it */
    create_table(f, c, &status);
    write_header(f, c, &status);
    const anpe_status filled = write_rows(ctx, f, c, &status);
    int error = status ? errno : 0;
    if (f)
        fits_close_file(f, &closed);
    if (!status && closed) {
        status = closed;
        error = errno;
    }
    fits_clear_errmsg();
    if (filled || !status)
        return filled;
    char reason[128] = "";
    fits_get_errstatus(status, reason);
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: %s", o->path,
                     error ? anpe_errno_text(error, reason, sizeof reason) : reason);
}
