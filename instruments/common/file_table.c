/* FITS binary tables as spectra; and what a file is. */
#include <config.h>
#include "file_table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HDUS = 100, MOST_COLUMNS = 200, MOST_PIXELS = 5000000, MOST_ORDERS = 500 };

typedef struct table {
    const char *path;
    fitsfile *fits;
    int hdu, n; /* columns */
    char *name[MOST_COLUMNS], *unit[MOST_COLUMNS];
    columns c;
    int64_t rows, repeat;           /* repeat > 1: a row is a spectrum */
    int64_t spectra, first, pixels; /* how many; the wanted one's first row and pixels */
    int64_t orders;                 /* > 1: the rows are so many orders of the one spectrum */
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
    return survey_fits_stored(ctx, t->fits, t->path, t->hdu, "table");
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
    int status = 0, type = 0;
    LONGLONG repeat = 0, width = 0;
    (void)survey_fits_has(t->fits, t->hdu);
    fits_get_coltypell(t->fits, place + 1, &type, &repeat, &width, &status);
    if (!status && repeat != t->repeat)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: column %s has %lld values in a row and the flux %lld", t->path,
                         t->name[place], (long long)repeat, (long long)t->repeat);
    if (!status)
        status = survey_fits_cells(t->fits, place + 1, t->first + 1, t->pixels, out);
    return status ? failed(ctx, t, place, status) : ANPE_OK;
}

/* First and last wavelength of a row of pixels, as they stand; scratch (repeat). */
static anpe_status row_range(anpe_ctx *ctx, const table *t, int64_t row, double *scratch,
                             double range[2])
{
    table one = *t;
    one.first = row;
    one.pixels = t->repeat;
    const anpe_status status = read_column(ctx, &one, wavelength_place(&t->c), scratch);
    range[0] = INFINITY;
    range[1] = -INFINITY;
    for (int64_t i = 0; i < t->repeat && !status; i++)
        if (isfinite(scratch[i]) && scratch[i] > 0) {
            range[0] = fmin(range[0], scratch[i]);
            range[1] = fmax(range[1], scratch[i]);
        }
    return status;
}

/* Rows of arrays whose wavelengths have hardly any in common are the orders of one star's spectrum:
 * HST's x1d, NRES, EXPRES. Those of stars of a survey have the same ones, nearly. */
static int are_apart(const double *a, const double *b)
{
    return fmin(a[1], b[1]) - fmax(a[0], b[0]) < 0.5 * fmin(a[1] - a[0], b[1] - b[0]);
}

static anpe_status find_orders(anpe_ctx *ctx, table *t)
{
    double *scratch = NULL, *range = NULL;
    int any = 0, all = 1;
    anpe_status status;
    if (t->repeat < 2 || t->rows < 2 || t->rows > MOST_ORDERS || wavelength_place(&t->c) < 0 ||
        t->c.place[COLUMN_ID] >= 0) /* rows that are named are what they are named */
        return ANPE_OK;
    ANPE_TRY(ANPE_NEW(ctx, scratch, t->repeat));
    ANPE_TRY(ANPE_NEW(ctx, range, 2 * t->rows));
    for (int64_t k = 0; k < t->rows; k++) {
        ANPE_TRY(row_range(ctx, t, k, scratch, range + 2 * k));
        for (int64_t i = 0; i < k; i++) {
            const int apart = are_apart(range + 2 * i, range + 2 * k);
            any |= apart;
            all &= apart;
        }
        if (k == 1 && !any && !all) /* the first two alike: stars, of which there may be many */
            break;
    }
    if (any && all) {
        t->orders = t->rows;
        t->spectra = 1;
    } else if (any)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: rows of arrays of which some have wavelengths in common and some "
                           "have none: orders of one star, or stars?",
                           t->path);
out:
    free(scratch);
    free(range);
    return status;
}

static anpe_status to_angstrom(anpe_ctx *ctx, const table *t, observed_order *a)
{
    const int is_log = t->c.place[COLUMN_WAVELENGTH] < 0;
    double unit = t->c.unit;
    if (!is_log && !isfinite(unit)) {
        const anpe_status status = columns_guess_unit(ctx, t->path, a->n, a->wavelength, &unit);
        if (status)
            return status;
    }
    for (int64_t i = 0; i < a->n; i++)
        a->wavelength[i] = is_log ? pow(10, a->wavelength[i]) : unit * a->wavelength[i];
    return ANPE_OK;
}

static anpe_status read_mask(anpe_ctx *ctx, const table *t, observed_order *a)
{
    double *mask;
    if (ANPE_NEW(ctx, mask, a->n))
        return ANPE_ENOMEM;
    char text[FLEN_VALUE];
    /* PypeIt's masks are 1 where a pixel is good */
    const int good = t->c.marks_good || survey_fits_text(t->fits, 0, "PYP_SPEC", text);
    const anpe_status status = read_column(ctx, t, t->c.place[COLUMN_MASK], mask);
    for (int64_t i = 0; i < a->n && !status; i++)
        a->mask[i] = survey_is_bad(mask[i], good);
    free(mask);
    return status;
}

/* The spectrum, or one of its orders. */
static anpe_status read_part(anpe_ctx *ctx, const table *t, const column_names *given,
                             gridded_file *file)
{
    observed_order *a;
    const int *place = t->c.place, wavelength = wavelength_place(&t->c);
    anpe_status status;
    ANPE_TRY(observed_add(ctx, &file->o, t->pixels, &a));
    if (wavelength >= 0) {
        ANPE_TRY(read_column(ctx, t, wavelength, a->wavelength));
        ANPE_TRY(to_angstrom(ctx, t, a));
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
    ANPE_TRY(observed_split(ctx, &file->o));
out:
    return status;
}

static anpe_status read_spectrum(anpe_ctx *ctx, const table *t, const column_names *given,
                                 gridded_file *file)
{
    table part = *t;
    anpe_status status = t->orders ? ANPE_OK : read_part(ctx, t, given, file);
    for (part.first = 0; part.first < t->orders && !status; part.first++)
        status = read_part(ctx, &part, given, file);
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
    ANPE_TRY(find_orders(ctx, &t));
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

anpe_status file_kind_of(anpe_ctx *ctx, const char *path, file_kind *kind)
{
    enum { START = 1024 };
    char start[START + 1] = "";
    anpe_file *f;
    anpe_status status = anpe_file_hold(ctx, path);
    if (status)
        return status;
    status = anpe_file_bytes(ctx, path, 0, &f);
    if (!status)
        memcpy(start, f->bytes, f->size < START ? f->size : START);
    *kind = !status && survey_fits_is_fits(f) ? FILE_FITS
            : strstr(start, "VOTABLE") && start[strspn(start, "\xef\xbb\xbf \t\r\n")] == '<'
                ? FILE_VOTABLE
                : FILE_TEXT;
    anpe_file_let_go(ctx, path);
    return status;
}

anpe_status file_spectra_count(anpe_ctx *ctx, const char *path, const column_names *given,
                               int64_t *n)
{
    fitsfile *f = NULL;
    file_kind kind;
    anpe_status status = file_kind_of(ctx, path, &kind);
    if (status)
        return status;
    switch (kind) {
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
    file_kind kind;
    anpe_status status = file_kind_of(ctx, path, &kind);
    if (status)
        return status;
    switch (kind) {
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
