/* file/catalogue_read_fits.c -- a catalogue from a FITS binary or ASCII table (CFITSIO). */
#include <config.h>
#include "file/catalogue_read_private.h"
#include "file/fits_cards.h"

#include <fcntl.h>
#include <fitsio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1024 }; /* rows of text at once */

static anpe_status fits_fail(anpe_ctx *ctx, const anpe_catalogue_file *c, const char *what,
                             int status)
{
    char reason[FLEN_STATUS] = "";
    fits_get_errstatus(status, reason);
    fits_clear_errmsg();
    const anpe_status kind = status == FILE_NOT_OPENED ? ANPE_EIO : ANPE_EFORMAT;
    return ANPE_FAIL(ctx, kind, "%s: %s: %s", c->path, what, reason);
}

/* The first table that has rows, else the first one, which is then empty. */
static anpe_status go_to_table(anpe_ctx *ctx, const anpe_catalogue_file *c, fitsfile *f)
{
    int n = 0, type = 0, status = 0, first = 0;
    long rows = 0;
    fits_get_num_hdus(f, &n, &status);
    for (int hdu = 2; hdu <= n && !status; hdu++) {
        fits_movabs_hdu(f, hdu, &type, &status);
        if (status || type == IMAGE_HDU)
            continue;
        fits_get_num_rows(f, &rows, &status);
        if (rows > 0 && !status)
            return ANPE_OK;
        first = first ? first : hdu;
    }
    if (status)
        return fits_fail(ctx, c, "cannot read", status);
    if (!first)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: a FITS file without a table", c->path);
    fits_movabs_hdu(f, first, &type, &status);
    return status ? fits_fail(ctx, c, "cannot read", status) : ANPE_OK;
}

static int what_it_can(int type)
{
    switch (type) {
    case TSTRING:
        return ANPE_TABLE_TEXTS;
    case TBYTE:
    case TSBYTE:
    case TSHORT:
    case TUSHORT:
    case TINT:
    case TUINT:
    case TLONG:
    case TULONG:
    case TLONGLONG:
        return ANPE_TABLE_INTEGERS | ANPE_TABLE_REALS;
    case TFLOAT:
    case TDOUBLE:
        return ANPE_TABLE_REALS;
    default: /* bits, logical, complex, of variable length */
        return 0;
    }
}

/* Memory for a column is taken by the number of rows: they must be in the file. */
static anpe_status check_rows(anpe_ctx *ctx, const anpe_catalogue_file *c, fitsfile *f)
{
    LONGLONG header = 0, start = 0, end = 0, rows = 0, row_bytes = 0;
    int status = 0;
    fits_get_hduaddrll(f, &header, &start, &end, &status);
    fits_get_num_rowsll(f, &rows, &status);
    fits_read_key(f, TLONGLONG, "NAXIS1", &row_bytes, NULL, &status);
    if (status)
        return fits_fail(ctx, c, "cannot read the columns", status);
    const LONGLONG held = f->Fptr->filesize > start ? f->Fptr->filesize - start : 0;
    if (row_bytes < 1 || rows <= held / row_bytes)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: its table declares %lld rows of %lld bytes, the file holds %lld bytes of "
                     "them: truncated",
                     c->path, (long long)rows, (long long)row_bytes, (long long)held);
}

static anpe_status add_columns(anpe_ctx *ctx, anpe_catalogue_file *c, fitsfile *f)
{
    int n = 0, status = 0, type;
    long rows = 0, repeat, width;
    fits_get_num_rows(f, &rows, &status);
    fits_get_num_cols(f, &n, &status);
    c->n_rows = rows;
    anpe_status result = ANPE_OK;
    for (int k = 1; k <= n && !status && !result; k++) {
        char key[16], name[FLEN_VALUE] = "", unit[FLEN_VALUE] = "";
        int none = 0;
        fits_get_coltype(f, k, &type, &repeat, &width, &status);
        snprintf(key, sizeof key, "TTYPE%d", k);
        fits_read_key(f, TSTRING, key, name, NULL, &none);
        none = 0;
        snprintf(key, sizeof key, "TUNIT%d", k);
        fits_read_key(f, TSTRING, key, unit, NULL, &none);
        result =
            anpe_table_add(ctx, c, name, unit, what_it_can(type), type == TSTRING ? 1 : repeat);
    }
    fits_clear_errmsg();
    return status ? fits_fail(ctx, c, "cannot read the columns", status) : result;
}

/* CFITSIO takes a gzipped file for one of compress(1) where ".Z" stands anywhere in its path, and
 * fails: then it opens it by the name of a descriptor. */
static int open_disk(const char *path, fitsfile **out)
{
    int status = 0;
    char name[32];
    const int fd = strstr(path, ".Z") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    fits_open_diskfile(out, fd < 0 ? path : name, READONLY, &status);
    if (fd >= 0)
        close(fd);
    return status;
}

static anpe_status open_fits(anpe_ctx *ctx, anpe_catalogue_file *c)
{
    fitsfile *f = NULL;
    const anpe_status fit = anpe_fits_file_check(ctx, c->path);
    if (fit)
        return fit;
    const int status = open_disk(c->path, &f);
    if (status)
        return fits_fail(ctx, c, "cannot open", status);
    c->self = f;
    const anpe_status result = go_to_table(ctx, c, f);
    if (result)
        return result;
    const anpe_status whole = check_rows(ctx, c, f);
    return whole ? whole : add_columns(ctx, c, f);
}

/* One element of every row, as `type`, into values of 8 bytes each. */
static anpe_status read_numbers(anpe_ctx *ctx, const anpe_catalogue_file *c, int type, int column,
                                int64_t element, void *null, void *values)
{
    int any, status = 0;
    const anpe_table_column *t = c->column + column;
    if (t->width == 1)
        fits_read_col(c->self, type, column + 1, 1, 1, c->n_rows, null, values, &any, &status);
    for (int64_t r = 0; t->width != 1 && r < c->n_rows && !status; r++)
        fits_read_col(c->self, type, column + 1, r + 1, element + 1, 1, null,
                      (char *)values + 8 * r, &any, &status);
    return status ? fits_fail(ctx, c, t->name, status) : ANPE_OK;
}

static anpe_status read_reals(anpe_ctx *ctx, anpe_catalogue_file *c, int column, int64_t element,
                              double *values)
{
    double null = NAN;
    return read_numbers(ctx, c, TDOUBLE, column, element, &null, values);
}

static anpe_status read_integers(anpe_ctx *ctx, anpe_catalogue_file *c, int column, int64_t element,
                                 int64_t *values)
{
    LONGLONG null = 0;
    return read_numbers(ctx, c, TLONGLONG, column, element, &null, values);
}

static anpe_status read_texts(anpe_ctx *ctx, anpe_catalogue_file *c, int column, char **texts)
{
    int width = 0, any, status = 0;
    char none[] = "", *cell[BLOCK];
    fits_get_col_display_width(c->self, column + 1, &width, &status);
    if (status)
        return fits_fail(ctx, c, c->column[column].name, status);
    const size_t size = (size_t)width + 1;
    char *block;
    anpe_status result = ANPE_NEW(ctx, block, BLOCK, width + 1);
    for (int k = 0; block && k < BLOCK; k++)
        cell[k] = block + (size_t)k * size;
    for (int64_t from = 0; from < c->n_rows && !result; from += BLOCK) {
        const int64_t n = c->n_rows - from < BLOCK ? c->n_rows - from : BLOCK;
        fits_read_col(c->self, TSTRING, column + 1, from + 1, 1, n, none, cell, &any, &status);
        if (status)
            result = fits_fail(ctx, c, c->column[column].name, status);
        for (int64_t r = 0; r < n && !result; r++)
            if (!(texts[from + r] = anpe_strdup(ctx, cell[r])))
                result = ANPE_ENOMEM;
    }
    free(block);
    return result;
}

static char *read_keyword(anpe_ctx *ctx, anpe_catalogue_file *c, const char *key)
{
    char *value = NULL, *copy = NULL;
    int status = 0;
    if (!fits_read_key_longstr(c->self, key, &value, NULL, &status)) {
        copy = anpe_strdup(ctx, value);
        fits_free_memory(value, &status);
    }
    fits_clear_errmsg();
    return copy;
}

static void close_fits(anpe_catalogue_file *c)
{
    int status = 0;
    if (c->self)
        fits_close_file(c->self, &status);
    fits_clear_errmsg();
}

const anpe_table_reader anpe_table_fits = {open_fits,  read_reals,   read_integers,
                                           read_texts, read_keyword, close_fits};
