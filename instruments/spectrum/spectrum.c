/* instrument `spectrum`: any one-dimensional spectrum, put on a grid that the configuration states.
 * Reads FITS images with a wavelength scale (WCS, IRAF multispec and equispec), FITS tables
 * (columns by name, or one row of arrays as in ESO phase 3), VOTables and text (CSV, ECSV,
 * columns), gzipped or not. */
#include "../common/file_named.h"
#include "../common/file_table.h"
#include <anpe/anpe.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct options {
    gridded_options grid;
    const char *wavelength_column, *flux_column, *error_column, *mask_column, *velocity_key;
    int error, rows;
} options;

enum { ORDERS, SPECTRA, FIRST };                         /* option rows */
enum { AS_NAMED, SIGMA, VARIANCE, IVAR, RELATIVE, SNR }; /* option error */

/* clang-format off */
static const anpe_option option_table[] = {
    GRIDDED_OPTIONS(NULL, ANPE_REQUIRED, GRIDDED_SMOOTH, 30, 0, ""),
    ANPE_OPT_TEXT(options, wavelength_column, "", "of a table; empty: found by its name"),
    ANPE_OPT_TEXT(options, flux_column, "", "of a table; empty: found by its name"),
    ANPE_OPT_TEXT(options, error_column, "", "of a table, an error bar unless its name says variance or ivar; empty: found by its name"),
    ANPE_OPT_TEXT(options, mask_column, "", "of a table, not 0: bad; empty: found by its name"),
    ANPE_OPT_TEXT(options, velocity_key, "", "keyword of the header with a barycentric correction (km/s) that the wavelengths still need; empty: none"),
    ANPE_OPT_ENUM(options, error, AS_NAMED, "named|sigma|variance|ivar|relative|snr", "what the file's errors are; named: as the name of the column, band or extension says; relative: in units of the flux; snr: flux over error"),
    ANPE_OPT_ENUM(options, rows, ORDERS, "orders|spectra|first", "rows of an image: orders of one spectrum, spectra of their own, or the first alone"),
    ANPE_OPT_END};
/* clang-format on */

static error_kind error_of(const options *o)
{
    static const error_kind kinds[] = {ERROR_NONE, ERROR_SIGMA,    ERROR_VARIANCE,
                                       ERROR_IVAR, ERROR_RELATIVE, ERROR_SNR};
    return kinds[o->error];
}

static column_names names_of(const options *o)
{
    return (column_names){o->wavelength_column, o->flux_column, o->error_column,
                          o->mask_column,       error_of(o),    .step = 0};
}

/* Whether the first image with pixels has a scale; otherwise a table is looked for. */
static int prefers_table(fitsfile *f, const options *o)
{
    double x;
    if (!file_table_has(f))
        return 0;
    return o->flux_column[0] || o->wavelength_column[0] || !survey_fits_real(f, 0, "CRVAL1", &x);
}

static anpe_status count_fits(anpe_ctx *ctx, const options *o, const char *path, int64_t *n)
{
    fitsfile *f = NULL;
    image_layout layout;
    const column_names names = names_of(o);
    anpe_status status;
    ANPE_TRY(survey_fits_open(ctx, path, &f));
    ANPE_TRY(file_named_count(ctx, f, path, n));
    if (*n > 0)
        goto out;
    if (prefers_table(f, o)) {
        ANPE_TRY(file_table_read(ctx, f, path, &names, 0, n, NULL));
    } else {
        ANPE_TRY(file_image_layout(ctx, f, path, "", ERROR_NONE, &layout));
        *n = o->rows == SPECTRA ? layout.orders : 1;
    }
out:
    survey_fits_close(f);
    return status;
}

static anpe_status count(anpe_ctx *ctx, const void *o, const char *path, int64_t *n)
{
    const column_names names = names_of(o);
    file_kind kind;
    const anpe_status status = file_kind_of(ctx, path, &kind);
    return status              ? status
           : kind == FILE_FITS ? count_fits(ctx, o, path, n)
                               : file_spectra_count(ctx, path, &names, n);
}

static anpe_status read_fits(anpe_ctx *ctx, const options *o, const char *path, int64_t row,
                             gridded_file *file)
{
    fitsfile *f = NULL;
    image_layout layout;
    int64_t named;
    const column_names names = names_of(o);
    anpe_status status;
    ANPE_TRY(survey_fits_open(ctx, path, &f));
    ANPE_TRY(file_named_count(ctx, f, path, &named));
    if (named) {
        ANPE_TRY(file_named_read(ctx, f, path, row, error_of(o), file));
    } else if (prefers_table(f, o)) {
        ANPE_TRY(file_table_read(ctx, f, path, &names, row, NULL, file));
    } else {
        ANPE_TRY(file_image_layout(ctx, f, path, "", error_of(o), &layout));
        ANPE_TRY(file_image_read(ctx, f, path, &layout, o->rows == ORDERS ? -1 : row, file));
    }
    ANPE_TRY(gridded_velocity(ctx, f, path, o->velocity_key, &file->barycentric));
out:
    survey_fits_close(f);
    return status;
}

static anpe_status read_file(anpe_ctx *ctx, const void *o, const char *path, int64_t row,
                             gridded_file *file)
{
    const column_names names = names_of(o);
    file_kind kind;
    const anpe_status status = file_kind_of(ctx, path, &kind);
    return status              ? status
           : kind == FILE_FITS ? read_fits(ctx, o, path, row, file)
                               : file_spectra_read(ctx, path, &names, row, file);
}

/* Range and sampling: what a configuration for such files would say. A file that does not say what
 * its wavelengths are in has, nearly always, those of air. */
static void propose(const gridded_file *file, anpe_recognition *out)
{
    const double fwhm = 2.5; /* pixels, as option samples has it */
    double finest = 0;
    for (int64_t k = 0; k < file->o.n; k++) {
        const observed_order *a = &file->o.order[k];
        const double first = a->wavelength[0], last = a->wavelength[a->n - 1];
        out->first = fmin(out->first, first); /* of NAN and a number: the number */
        out->last = fmax(out->last, last);
        finest = fmax(finest, (double)(a->n - 1) / (log(last / first) * fwhm));
    }
    const double margin = 1.0003; /* air and vacuum */
    snprintf(out->options, sizeof out->options,
             "windows = [ %.1f, %.1f ]; resolution = %.1f; medium = \"%s\";",
             fmax(500, out->first / margin), fmin(300000, out->last * margin),
             fmin(1e6, fmax(100, finest)), file->medium == MEDIUM_VACUUM ? "vacuum" : "air");
}

/* The last message without the file's name. */
static void say_why(const anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    const char *why = anpe_error(ctx);
    const size_t n = strlen(path);
    const int named = !strncmp(why, path, n) && why[n] == ':';
    snprintf(out->why, sizeof out->why, "%s%s", named && why[n + 1] != ' ' ? "line " : "",
             named ? why + n + 1 + strspn(why + n + 1, " ") : why);
}

static anpe_status recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    static const options by_name = {.wavelength_column = "",
                                    .flux_column = "",
                                    .error_column = "",
                                    .mask_column = "",
                                    .velocity_key = "",
                                    .error = AS_NAMED,
                                    .rows = ORDERS};
    static const char *const kinds[] = {
        [FILE_TEXT] = "text", [FILE_FITS] = "FITS file", [FILE_VOTABLE] = "VOTable"};
    gridded_file file = {.barycentric = NAN};
    file_kind kind = FILE_TEXT;
    if (!file_kind_of(ctx, path, &kind) && !count(ctx, &by_name, path, &out->n_spectra) &&
        !read_file(ctx, &by_name, path, 0, &file) && file.o.n > 0 &&
        !observed_settle(ctx, &file.o, path)) {
        out->match = ANPE_MATCH_LAYOUT;
        snprintf(out->what, sizeof out->what, "%s of wavelengths and flux, %lld order%s",
                 kinds[kind], (long long)file.o.n, file.o.n == 1 ? "" : "s");
        out->medium = (anpe_medium)file.medium;
        snprintf(out->object, sizeof out->object, "%s", file.id);
        snprintf(out->frame, sizeof out->frame, "as the file has it");
        propose(&file, out);
    } else {
        say_why(ctx, path, out);
    }
    observed_clear(&file.o);
    return ANPE_OK;
}

static const char *const reading[] = {GRIDDED_READING,
                                      "wavelength_column",
                                      "flux_column",
                                      "error_column",
                                      "mask_column",
                                      "velocity_key",
                                      "error",
                                      "rows",
                                      NULL};
static const gridded_family family = {.count = count, .read = read_file, .recognise = recognise};

GRIDDED_INSTRUMENT(spectrum, "1", "any one-dimensional spectrum, on a grid of your own",
                   option_table, options, family);
GRIDDED_NOISE(spectrum, "1", 20, 300);

ANPE_PLUGINS(&spectrum_instrument, &spectrum_noise);
