/* FITS binary tables as spectra; and what a file is. */
#include <config.h>
#include "file_table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST_HDUS = 100, MOST_COLUMNS = 200, MOST_PIXELS = 5000000 };

typedef struct table {
    const char *path;
    fitsfile *fits;
    int hdu, n; /* columns */
    char *name[MOST_COLUMNS], *unit[MOST_COLUMNS];
    columns c;
    int64_t rows, repeat;           /* repeat > 1: a row is a spectrum */
    int64_t spectra, first, pixels; /* how many; the wanted one's first row and pixels */
    char id[80];                    /* its identifier, or "" */
} table;

static void table_clear(table *t)
{
    for (int i = 0; i < t->n; i++) {
        free(t->name[i]);
        free(t->unit[i]);
    }
    t->n = 0;
}

static char *keyword(fitsfile *f, int hdu, const char *stem, int i)
{
    char key[FLEN_KEYWORD], value[FLEN_VALUE] = "";
    snprintf(key, sizeof key, "%s%d", stem, i);
    (void)survey_fits_text(f, hdu, key, value);
    return strdup(value);
}

static anpe_status read_names(anpe_ctx *ctx, table *t)
{
    int status = 0, n = 0;
    table_clear(t);
    if (fits_get_num_cols(t->fits, &n, &status) || n < 1 || n > MOST_COLUMNS) {
        fits_clear_errmsg();
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d is a table of %d columns", t->path, t->hdu,
                         n);
    }
    for (; t->n < n; t->n++) {
        t->name[t->n] = keyword(t->fits, t->hdu, "TTYPE", t->n + 1);
        t->unit[t->n] = keyword(t->fits, t->hdu, "TUNIT", t->n + 1);
        if (!t->name[t->n] || !t->unit[t->n]) {
            t->n++;
            return ANPE_NO_MEMORY(ctx, t->path);
        }
    }
    return ANPE_OK;
}

int file_table_has(fitsfile *f)
{
    for (int hdu = 1; hdu < MOST_HDUS && survey_fits_has(f, hdu); hdu++)
        if (survey_fits_is_table(f, hdu))
            return 1;
    return 0;
}

/* The first table with wavelengths and flux; without one, what is wrong with the first table. */
static anpe_status find_table(anpe_ctx *ctx, const column_names *given, table *t)
{
    anpe_status status = ANPE_EFORMAT;
    int first = -1;
    for (int hdu = 1; hdu < MOST_HDUS && survey_fits_has(t->fits, hdu) && status; hdu++) {
        if (!survey_fits_is_table(t->fits, hdu))
            continue;
        t->hdu = hdu;
        first = first < 0 ? hdu : first;
        status = read_names(ctx, t);
        if (!status)
            status = columns_find(ctx, t->path, t->n, (const char *const *)t->name,
                                  (const char *const *)t->unit, given, &t->c);
    }
    if (status && first > 0) {
        t->hdu = first;
        if (!survey_fits_has(t->fits, first) || (status = read_names(ctx, t)))
            return status;
        return columns_find(ctx, t->path, t->n, (const char *const *)t->name,
                            (const char *const *)t->unit, given, &t->c);
    }
    return status ? ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no table in the file", t->path) : ANPE_OK;
}

static int wavelength_place(const columns *c)
{
    return c->place[COLUMN_WAVELENGTH] >= 0 ? c->place[COLUMN_WAVELENGTH]
                                            : c->place[COLUMN_LOG_WAVELENGTH];
}

/* A signal-to-noise ratio for the whole spectrum is none of a pixel's. */
static void drop_one_snr(table *t)
{
    int status = 0, type = 0;
    LONGLONG repeat = 0, width = 0;
    if (t->c.error != ERROR_SNR)
        return;
    fits_get_coltypell(t->fits, t->c.place[COLUMN_ERROR] + 1, &type, &repeat, &width, &status);
    fits_clear_errmsg();
    if (status || repeat != t->repeat) {
        t->c.place[COLUMN_ERROR] = -1;
        t->c.error = ERROR_NONE;
    }
}

static anpe_status measure(anpe_ctx *ctx, table *t)
{
    int status = 0, type = 0;
    LONGLONG rows = 0, repeat = 0, width = 0;
    (void)survey_fits_has(t->fits, t->hdu);
    fits_get_num_rowsll(t->fits, &rows, &status);
    fits_get_coltypell(t->fits, t->c.place[COLUMN_FLUX] + 1, &type, &repeat, &width, &status);
    fits_clear_errmsg();
    if (status || rows < 1 || repeat < 1 || type < 0 || repeat > MOST_PIXELS ||
        (repeat == 1 && rows > MOST_PIXELS))
        return ANPE_FAIL(
            ctx, ANPE_EFORMAT,
            "%s: HDU %d has %lld rows of %lld values%s; expected a row for each pixel, "
            "or rows that hold spectra",
            t->path, t->hdu, (long long)rows, (long long)repeat,
            type < 0 ? " of variable length" : "");
    t->rows = rows;
    t->repeat = repeat;
    drop_one_snr(t);
    return ANPE_OK;
}

static anpe_status failed(anpe_ctx *ctx, const table *t, int place, int status)
{
    char text[FLEN_STATUS] = "";
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: cannot read column %s: %s", t->path, t->name[place],
                     text);
}

/* A text cell of the row, blanks at its end left out. */
static anpe_status read_text(anpe_ctx *ctx, table *t, int place, int64_t row)
{
    int status = 0, any = 0;
    char value[FLEN_VALUE] = "", null[] = "", *cell = value;
    LONGLONG repeat = 0, width = 0;
    int type = 0;
    fits_get_coltypell(t->fits, place + 1, &type, &repeat, &width, &status);
    if (!status && width < (LONGLONG)sizeof value)
        fits_read_col(t->fits, TSTRING, place + 1, row + 1, 1, 1, null, &cell, &any, &status);
    if (status)
        return failed(ctx, t, place, status);
    snprintf(t->id, sizeof t->id, "%s", value);
    return ANPE_OK;
}

/* Rows with one identifier (a whole number) after the other: where spectrum `wanted` is. */
static anpe_status find_run(anpe_ctx *ctx, table *t, int place, int64_t wanted)
{
    int status = 0, any = 0;
    LONGLONG null = 0, *id;
    if (ANPE_NEW(ctx, id, t->rows))
        return ANPE_ENOMEM;
    fits_read_col(t->fits, TLONGLONG, place + 1, 1, 1, t->rows, &null, id, &any, &status);
    t->spectra = 0;
    for (int64_t i = 0; i < t->rows && !status; i++) {
        t->spectra += i == 0 || id[i] != id[i - 1];
        if (t->spectra != wanted + 1)
            continue;
        if (!t->pixels)
            t->first = i;
        t->pixels++;
        snprintf(t->id, sizeof t->id, "%lld", (long long)id[i]);
    }
    free(id);
    return status ? failed(ctx, t, place, status) : ANPE_OK;
}

/* What is one spectrum: a row of arrays; rows of one identifier; all rows. */
static anpe_status find_spectrum(anpe_ctx *ctx, table *t, int64_t wanted)
{
    const int place = t->c.place[COLUMN_ID];
    int status = 0, type = 0;
    LONGLONG repeat = 0, width = 0;
    t->spectra = t->repeat > 1 ? t->rows : 1;
    t->first = t->repeat > 1 ? wanted : 0;
    if (place >= 0)
        fits_get_coltypell(t->fits, place + 1, &type, &repeat, &width, &status);
    if (status)
        return failed(ctx, t, place, status);
    const int whole = type == TLONGLONG || type == TLONG || type == TINT || type == TSHORT;
    if (t->repeat == 1 && place >= 0 && whole)
        return find_run(ctx, t, place, wanted);
    t->pixels = t->repeat > 1 ? t->repeat : t->rows;
    if (place < 0 || wanted >= t->spectra)
        return ANPE_OK;
    if (whole) {
        LONGLONG null = 0, id = 0;
        int any = 0;
        fits_read_col(t->fits, TLONGLONG, place + 1, t->first + 1, 1, 1, &null, &id, &any, &status);
        snprintf(t->id, sizeof t->id, "%lld", (long long)id);
        return status ? failed(ctx, t, place, status) : ANPE_OK;
    }
    return type == TSTRING ? read_text(ctx, t, place, t->first) : ANPE_OK;
}

/* A column's values of one spectrum; nulls are NAN. */
static anpe_status read_column(anpe_ctx *ctx, const table *t, int place, double *out)
{
    int status = 0, any = 0, type = 0;
    double null = NAN;
    LONGLONG repeat = 0, width = 0;
    (void)survey_fits_has(t->fits, t->hdu);
    fits_get_coltypell(t->fits, place + 1, &type, &repeat, &width, &status);
    if (!status && repeat != t->repeat)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: column %s has %lld values in a row and the flux %lld", t->path,
                         t->name[place], (long long)repeat, (long long)t->repeat);
    fits_read_col(t->fits, TDOUBLE, place + 1, t->first + 1, 1, t->pixels, &null, out, &any,
                  &status);
    return status ? failed(ctx, t, place, status) : ANPE_OK;
}

static void to_angstrom(const columns *c, observed_order *a)
{
    const int is_log = c->place[COLUMN_WAVELENGTH] < 0;
    const double unit = is_log              ? 1
                        : isfinite(c->unit) ? c->unit
                                            : columns_guess_unit(a->n, a->wavelength);
    for (int64_t i = 0; i < a->n; i++)
        a->wavelength[i] = is_log ? pow(10, a->wavelength[i]) : unit * a->wavelength[i];
}

static anpe_status read_mask(anpe_ctx *ctx, const table *t, observed_order *a)
{
    double *mask;
    if (ANPE_NEW(ctx, mask, a->n))
        return ANPE_ENOMEM;
    const anpe_status status = read_column(ctx, t, t->c.place[COLUMN_MASK], mask);
    for (int64_t i = 0; i < a->n && !status; i++)
        a->mask[i] = (uint8_t)survey_is_flagged(mask[i], UINT64_MAX);
    free(mask);
    return status;
}

static anpe_status read_spectrum(anpe_ctx *ctx, const table *t, const column_names *given,
                                 gridded_file *file)
{
    observed_order *a;
    const int *place = t->c.place, wavelength = wavelength_place(&t->c);
    anpe_status status;
    ANPE_TRY(observed_add(ctx, &file->o, t->pixels, &a));
    if (wavelength >= 0) {
        ANPE_TRY(read_column(ctx, t, wavelength, a->wavelength));
        to_angstrom(&t->c, a);
    }
    for (int64_t i = 0; wavelength < 0 && i < t->pixels; i++)
        a->wavelength[i] = given->start + given->step * (double)i;
    ANPE_TRY(read_column(ctx, t, place[COLUMN_FLUX], a->flux));
    if (place[COLUMN_ERROR] >= 0)
        ANPE_TRY(read_column(ctx, t, place[COLUMN_ERROR], a->sigma));
    for (int64_t i = 0; i < t->pixels; i++)
        a->sigma[i] = file_sigma(t->c.error, a->flux[i], a->sigma[i]);
    if (place[COLUMN_MASK] >= 0)
        ANPE_TRY(read_mask(ctx, t, a));
out:
    return status;
}

/* ESO's tables say air by a UCD (em.wl;obs.atmos) and the frame by SPECSYS; others by keywords. */
static medium find_medium(const table *t)
{
    char ucd[FLEN_VALUE] = "", key[FLEN_KEYWORD];
    const int w = wavelength_place(&t->c);
    if (t->c.medium != MEDIUM_UNKNOWN)
        return t->c.medium;
    snprintf(key, sizeof key, "TUCD%d", w + 1);
    if (survey_fits_text(t->fits, t->hdu, key, ucd) && strcasestr(ucd, "em.wl"))
        return strcasestr(ucd, "obs.atmos") ? MEDIUM_AIR : MEDIUM_VACUUM;
    return medium_by_keywords(t->fits, t->hdu);
}

static void read_id(const table *t, gridded_file *file)
{
    char name[FLEN_VALUE];
    if (t->id[0])
        snprintf(file->id, sizeof file->id, "%s", t->id);
    else if (survey_fits_text(t->fits, t->hdu, "OBJECT", name) ||
             survey_fits_text(t->fits, 0, "OBJECT", name))
        snprintf(file->id, sizeof file->id, "%s", name);
}

anpe_status file_table_read(anpe_ctx *ctx, fitsfile *f, const char *path, const column_names *given,
                            int64_t row, int64_t *rows, gridded_file *file)
{
    table t = {.path = path, .fits = f};
    anpe_status status;
    ANPE_TRY(find_table(ctx, given, &t));
    ANPE_TRY(measure(ctx, &t));
    ANPE_TRY(find_spectrum(ctx, &t, row));
    if (rows)
        *rows = t.spectra;
    if (!file)
        goto out;
    if (row >= t.spectra)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has %lld", path,
                           (long long)row, (long long)t.spectra);
    else
        status = read_spectrum(ctx, &t, given, file);
    if (status)
        goto out;
    file->medium = find_medium(&t);
    read_id(&t, file);
out:
    table_clear(&t);
    return status;
}

/* ---- files of any kind ------------------------------------------------------------------ */

file_kind file_kind_of(const char *path)
{
    char start[1025] = "";
    gzFile f = gzopen(path, "rb");
    const int n = f ? gzread(f, start, sizeof start - 1) : 0;
    if (f)
        gzclose(f);
    if (n >= 9 && !memcmp(start, "SIMPLE  =", 9))
        return FILE_FITS;
    return n > 0 && strstr(start, "VOTABLE") && start[strspn(start, "\xef\xbb\xbf \t\r\n")] == '<'
               ? FILE_VOTABLE
               : FILE_TEXT;
}

anpe_status file_spectra_count(anpe_ctx *ctx, const char *path, const column_names *given,
                               int64_t *n)
{
    fitsfile *f = NULL;
    anpe_status status;
    switch (file_kind_of(path)) {
    case FILE_VOTABLE:
        return file_votable_count(ctx, path, given, n);
    case FILE_TEXT:
        return file_text_count(ctx, path, given, n);
    default:
        status = survey_fits_open(ctx, path, &f);
        if (!status)
            status = file_table_read(ctx, f, path, given, 0, n, NULL);
        survey_fits_close(f);
        return status;
    }
}

anpe_status file_spectra_read(anpe_ctx *ctx, const char *path, const column_names *given,
                              int64_t row, gridded_file *file)
{
    fitsfile *f = NULL;
    anpe_status status;
    switch (file_kind_of(path)) {
    case FILE_VOTABLE:
        return file_votable_read(ctx, path, given, row, file);
    case FILE_TEXT:
        return file_text_read(ctx, path, given, row, file);
    default:
        status = survey_fits_open(ctx, path, &f);
        if (!status)
            status = file_table_read(ctx, f, path, given, row, NULL, file);
        survey_fits_close(f);
        return status;
    }
}
