/* file/catalogue_text.c -- the catalogue as CSV (RFC 4180 below lines that start with "#") and as
 * HDF5 (a dataset per column). */
#include <config.h>
#include "file/catalogue_private.h"
#include "base/text.h"
#include "file/hdf5_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- CSV --------------------------------------------------------------------------------- */

/* Quoted where a comma, quote or line end would be taken for structure. */
static void put_text(FILE *f, const char *text)
{
    if (!strpbrk(text, ",\"\r\n#")) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

/* A comment stays on its line. */
static void put_comment(FILE *f, const char *key, const char *value, const char *comment)
{
    fprintf(f, "# %s = ", key);
    for (; *value; value++)
        fputc(*value == '\n' || *value == '\r' ? ' ' : *value, f);
    fprintf(f, comment[0] ? " / %s\n" : "\n", comment);
}

static void put_header(FILE *f, const anpe_catalogue *c)
{
    char key[16], date[24];
    for (int k = 0; k < c->n_keywords; k++)
        put_comment(f, c->keywords[k].key, c->keywords[k].value, c->keywords[k].comment);
    for (int k = 0; k < c->n_flags; k++) {
        snprintf(key, sizeof key, "FLAG%d", k);
        put_comment(f, key, c->flags[k], "bit of flags");
    }
    anpe_text_utc(date);
    put_comment(f, "DATE", date, "of this file, UTC");
    for (int k = 0; k < c->n_columns; k++) {
        const anpe_column *column = c->columns + k;
        fprintf(f, "# column %s [%s] %s; %s\n", column->name, column->unit, column->ucd,
                column->help);
    }
}

/* 10 digits say all that single precision knew; what is not a number is an empty field. */
static void put_row(FILE *f, const anpe_catalogue *c, int64_t row)
{
    for (int k = 0; k < c->n_columns; k++) {
        if (k)
            fputc(',', f);
        if (c->columns[k].type == ANPE_COLUMN_TEXT)
            put_text(f, anpe_catalogue_text(c, k, row));
        else if (c->columns[k].type == ANPE_COLUMN_INT64)
            fprintf(f, "%lld", (long long)anpe_catalogue_int(c, k, row));
        else if (!isnan(anpe_catalogue_real(c, k, row)))
            fprintf(f, "%.10g", anpe_catalogue_real(c, k, row));
    }
    fputc('\n', f);
}

anpe_status anpe_catalogue_put_rows(anpe_ctx *ctx, FILE *f, anpe_catalogue *c)
{
    anpe_status status = ANPE_OK;
    for (int k = 0; k < c->n_columns; k++)
        fprintf(f, "%s%s", k ? "," : "", c->columns[k].name);
    fputc('\n', f);
    for (int64_t at = 0; at < c->n_rows && !ferror(f) && !status; at += c->n) {
        status = anpe_catalogue_window(ctx, c, at);
        for (int64_t r = at; r < at + c->n && !status && !ferror(f); r++)
            put_row(f, c, r);
    }
    return status;
}

anpe_status anpe_catalogue_write_lines(anpe_ctx *ctx, anpe_catalogue *c, const anpe_output *o,
                                       anpe_status (*put)(anpe_ctx *ctx, FILE *f,
                                                          anpe_catalogue *c))
{
    char text[128];
    anpe_status status = ANPE_OK;
    FILE *f = fopen(o->temporary, "w");
    errno = f ? 0 : errno;
    if (f)
        status = put(ctx, f, c);
    int failed = !f || ferror(f), error = errno;
    if (f && fclose(f) && !failed) {
        failed = 1;
        error = errno;
    }
    if (status || !failed)
        return status;
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: %s", o->path,
                     anpe_errno_text(error, text, sizeof text));
}

static anpe_status put_csv(anpe_ctx *ctx, FILE *f, anpe_catalogue *c)
{
    put_header(f, c);
    return anpe_catalogue_put_rows(ctx, f, c);
}

anpe_status anpe_catalogue_write_csv(anpe_ctx *ctx, anpe_catalogue *c, const anpe_output *o)
{
    return anpe_catalogue_write_lines(ctx, c, o, put_csv);
}

/* ---- HDF5 -------------------------------------------------------------------------------- */

static anpe_status make_column(anpe_ctx *ctx, anpe_h5 *f, const anpe_catalogue *c, int k)
{
    const anpe_column *column = c->columns + k;
    anpe_status status;
    if (column->type == ANPE_COLUMN_TEXT)
        ANPE_TRY(anpe_h5_make_texts(ctx, f, column->name, c->n_rows, (size_t)column->width));
    else
        ANPE_TRY(anpe_h5_make_column(
            ctx, f, column->name, column->type == ANPE_COLUMN_REAL ? ANPE_H5_DOUBLE : ANPE_H5_INT64,
            c->n_rows));
    ANPE_TRY(anpe_h5_put_text(ctx, f, column->name, "unit", column->unit));
    ANPE_TRY(anpe_h5_put_text(ctx, f, column->name, "ucd", column->ucd));
    ANPE_TRY(anpe_h5_put_text(ctx, f, column->name, "description", column->help));
out:
    return status;
}

/* Rows of the window, of width + 1 bytes: without their last one. */
static anpe_status write_texts(anpe_ctx *ctx, anpe_h5 *f, const anpe_catalogue *c, int k)
{
    size_t width = (size_t)c->columns[k].width;
    char *block;
    if (ANPE_NEW(ctx, block, c->n, c->columns[k].width + 1))
        return ANPE_ENOMEM;
    for (int64_t r = 0; r < c->n; r++)
        memcpy(block + (size_t)r * width, anpe_catalogue_text(c, k, c->first + r), width);
    anpe_status status =
        anpe_h5_write_texts_at(ctx, f, c->columns[k].name, c->first, c->n, width, block);
    free(block);
    return status;
}

static anpe_status write_window(anpe_ctx *ctx, anpe_h5 *f, const anpe_catalogue *c)
{
    anpe_status status = ANPE_OK;
    for (int k = 0; k < c->n_columns && !status; k++) {
        const anpe_column *column = c->columns + k;
        if (column->type == ANPE_COLUMN_TEXT)
            status = write_texts(ctx, f, c, k);
        else
            status = anpe_h5_write_column_at(ctx, f, column->name,
                                             column->type == ANPE_COLUMN_REAL ? ANPE_H5_DOUBLE
                                                                              : ANPE_H5_INT64,
                                             c->first, c->n, c->data[k]);
    }
    return status;
}

static anpe_status write_attributes(anpe_ctx *ctx, anpe_h5 *f, const anpe_catalogue *c)
{
    char text[24];
    anpe_status status = ANPE_OK;
    for (int k = 0; k < c->n_keywords && !status; k++)
        status = anpe_h5_put_text(ctx, f, "/", c->keywords[k].key, c->keywords[k].value);
    for (int k = 0; k < c->n_flags && !status; k++) {
        snprintf(text, sizeof text, "FLAG%d", k);
        status = anpe_h5_put_text(ctx, f, "/", text, c->flags[k]);
    }
    anpe_text_utc(text);
    return status ? status : anpe_h5_put_text(ctx, f, "/", "DATE", text);
}

anpe_status anpe_catalogue_write_hdf5(anpe_ctx *ctx, anpe_catalogue *c, const char *path,
                                      anpe_output *o)
{
    anpe_h5 *f;
    anpe_status status = anpe_h5_create(ctx, path, &f);
    if (status)
        return status;
    for (int k = 0; k < c->n_columns && !status; k++)
        status = make_column(ctx, f, c, k);
    for (int64_t at = 0; at < c->n_rows && !status; at += c->n) {
        status = anpe_catalogue_window(ctx, c, at);
        if (!status)
            status = write_window(ctx, f, c);
    }
    if (!status)
        status = write_attributes(ctx, f, c);
    if (!status)
        return anpe_h5_finish(ctx, f, o);
    anpe_h5_abandon(f);
    return status;
}
