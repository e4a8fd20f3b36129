/* FITS binary tables as spectra. */
#define _GNU_SOURCE
#include "file_table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HDUS = 100, MOST_COLUMNS = 200, MOST_PIXELS = 5000000 };

typedef struct table {
    const char *path;
    fitsfile *fits;
    int hdu, n; /* columns */
    char *name[MOST_COLUMNS], *unit[MOST_COLUMNS];
    columns c;
    int64_t rows, repeat; /* repeat > 1: a row is a spectrum */
} table;

double file_table_guess_unit(int64_t n, const double *wavelength)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(wavelength[i]))
            largest = fmax(largest, wavelength[i]);
    return largest < 50 ? 1e4 : largest < 2500 ? 10 : 1;
}

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
            return ANPE_FAIL(ctx, ANPE_ENOMEM, "%s: out of memory", t->path);
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
    return ANPE_OK;
}

/* A column's values of one spectrum; nulls are NAN. */
static anpe_status read_column(anpe_ctx *ctx, const table *t, int place, int64_t row, int64_t n,
                               double *out)
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
    fits_read_col(t->fits, TDOUBLE, place + 1, t->repeat > 1 ? row + 1 : 1, 1, n, &null, out, &any,
                  &status);
    if (!status)
        return ANPE_OK;
    char text[FLEN_STATUS] = "";
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: cannot read column %s: %s", t->path, t->name[place],
                     text);
}

static void to_angstrom(const columns *c, observed_order *a)
{
    const int is_log = c->place[COLUMN_WAVELENGTH] < 0;
    const double unit = is_log              ? 1
                        : isfinite(c->unit) ? c->unit
                                            : file_table_guess_unit(a->n, a->wavelength);
    for (int64_t i = 0; i < a->n; i++)
        a->wavelength[i] = is_log ? pow(10, a->wavelength[i]) : unit * a->wavelength[i];
}

static anpe_status read_spectrum(anpe_ctx *ctx, const table *t, int64_t row, gridded_file *file)
{
    observed_order *a;
    const int64_t n = t->repeat > 1 ? t->repeat : t->rows;
    const int *place = t->c.place;
    double *mask = NULL;
    anpe_status status = observed_add(ctx, &file->o, n, &a);
    if (!status)
        status = read_column(ctx, t, wavelength_place(&t->c), row, n, a->wavelength);
    if (!status)
        status = read_column(ctx, t, place[COLUMN_FLUX], row, n, a->flux);
    if (!status && place[COLUMN_ERROR] >= 0)
        status = read_column(ctx, t, place[COLUMN_ERROR], row, n, a->sigma);
    if (!status && place[COLUMN_MASK] >= 0) {
        if (!(mask = malloc((size_t)n * sizeof *mask)))
            status = ANPE_FAIL(ctx, ANPE_ENOMEM, "%s: out of memory", t->path);
        else
            status = read_column(ctx, t, place[COLUMN_MASK], row, n, mask);
        for (int64_t i = 0; i < n && !status; i++)
            a->mask[i] = (uint8_t)survey_is_flagged(mask[i], UINT64_MAX);
        free(mask);
    }
    if (!status) {
        for (int64_t i = 0; i < n; i++)
            a->sigma[i] = file_sigma(t->c.error, a->flux[i], a->sigma[i]);
        to_angstrom(&t->c, a);
    }
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
    for (int h = t->hdu; h >= 0; h = h ? 0 : -1) {
        if (survey_fits_text(t->fits, h, "AIRORVAC", ucd))
            return strchr("vV", ucd[0]) ? MEDIUM_VACUUM : MEDIUM_AIR;
        if (survey_fits_text(t->fits, h, "VACUUM", ucd))
            return strchr("tT1", ucd[0]) ? MEDIUM_VACUUM : MEDIUM_AIR;
    }
    return MEDIUM_UNKNOWN;
}

anpe_status file_table_read(anpe_ctx *ctx, fitsfile *f, const char *path, const column_names *given,
                            int64_t row, int64_t *rows, gridded_file *file)
{
    table t = {.path = path, .fits = f};
    char name[FLEN_VALUE];
    anpe_status status = find_table(ctx, given, &t);
    if (!status)
        status = measure(ctx, &t);
    if (!status && rows)
        *rows = t.repeat > 1 ? t.rows : 1;
    if (!status && file) {
        if (row >= (t.repeat > 1 ? t.rows : 1))
            status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has %lld", path,
                               (long long)row, (long long)(t.repeat > 1 ? t.rows : 1));
        else
            status = read_spectrum(ctx, &t, row, file);
    }
    if (!status && file) {
        file->medium = find_medium(&t);
        if (survey_fits_text(f, t.hdu, "OBJECT", name) || survey_fits_text(f, 0, "OBJECT", name))
            snprintf(file->id, sizeof file->id, "%s", name);
    }
    table_clear(&t);
    return status;
}
