/* Images of one thing each, by their names. */
#include <config.h>
#include "file_named.h"
#include "file_columns.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_ARMS = 16, MOST_HDUS = 200 };

static const struct {
    const char *name;
    column_role role;
    error_kind error;
    medium medium;
} words[] = {{"WAVELENGTH", COLUMN_WAVELENGTH, 0, 0},
             {"WAVE", COLUMN_WAVELENGTH, 0, 0},
             {"FLUX", COLUMN_FLUX, 0, 0},
             {"SPEC", COLUMN_FLUX, 0, 0},
             {"IVAR", COLUMN_ERROR, ERROR_IVAR, 0},
             {"ERROR", COLUMN_ERROR, ERROR_SIGMA, 0},
             {"ERR", COLUMN_ERROR, ERROR_SIGMA, 0},
             {"SIG", COLUMN_ERROR, ERROR_SIGMA, 0},
             {"SIGMA", COLUMN_ERROR, ERROR_SIGMA, 0},
             {"VAR", COLUMN_ERROR, ERROR_VARIANCE, 0},
             {"VARIANCE", COLUMN_ERROR, ERROR_VARIANCE, 0},
             {"INVVAR", COLUMN_ERROR, ERROR_IVAR, 0},
             {"UNCERT", COLUMN_ERROR, ERROR_SIGMA, 0},
             {"UNCERTAINTY", COLUMN_ERROR, ERROR_SIGMA, 0},
             {"STDEV", COLUMN_ERROR, ERROR_SIGMA, 0},
             {"NOISE", COLUMN_ERROR, ERROR_SIGMA, 0},
             {"MASK", COLUMN_MASK, 0, 0},
             {"DQ", COLUMN_MASK, 0, 0},
             {"FLAG", COLUMN_MASK, 0, 0},
             {"FLAGS", COLUMN_MASK, 0, 0},
             {"QUALITY", COLUMN_MASK, 0, 0},
             {"BPM", COLUMN_MASK, 0, 0},
             /* ESPRESSO, HARPS and NIRPS, S2D */
             {"WAVEDATA_VAC_BARY", COLUMN_WAVELENGTH, 0, MEDIUM_VACUUM},
             {"WAVEDATA_AIR_BARY", COLUMN_WAVELENGTH, 0, MEDIUM_AIR},
             {"SCIDATA", COLUMN_FLUX, 0, 0},
             {"ERRDATA", COLUMN_ERROR, ERROR_SIGMA, 0},
             {"QUALDATA", COLUMN_MASK, 0, 0},
             /* NEID, KPF and SPIRou, whose data models say vacuum */
             {"SCIWAVE", COLUMN_WAVELENGTH, 0, MEDIUM_VACUUM},
             {"SCIFLUX", COLUMN_FLUX, 0, 0},
             {"SCIVAR", COLUMN_ERROR, ERROR_VARIANCE, 0},
             {"SCI WAVL", COLUMN_WAVELENGTH, 0, MEDIUM_VACUUM}, /* HPF */
             {"SCI FLUX", COLUMN_FLUX, 0, 0},
             {"SCI VARIANCE", COLUMN_ERROR, ERROR_VARIANCE, 0},
             {"WAVE1", COLUMN_WAVELENGTH, 0, MEDIUM_VACUUM},
             {"FLUX1", COLUMN_FLUX, 0, 0},
             {"VAR1", COLUMN_ERROR, ERROR_VARIANCE, 0},
             {"WAVEAB", COLUMN_WAVELENGTH, 0, MEDIUM_VACUUM},
             {"FLUXAB", COLUMN_FLUX, 0, 0}};
enum { N_WORDS = sizeof words / sizeof *words };

typedef struct arm {
    char name[32];
    int hdu[N_COLUMN_ROLES]; /* -1: none */
    error_kind error;
    medium medium;
    int64_t width, rows, scales; /* of the flux; rows of wavelengths */
} arm;

typedef struct arms {
    arm arm[MOST_ARMS];
    int n, fibermap; /* HDU, -1: none */
} arms;

/* The word that the name ends with, behind nothing or an underscore; N_WORDS: none. */
static int word_of(const char *name, size_t *prefix)
{
    const size_t n = strlen(name);
    for (int k = 0; k < N_WORDS; k++) {
        const size_t m = strlen(words[k].name);
        if (n < m || strcasecmp(name + n - m, words[k].name) != 0 ||
            (n > m && name[n - m - 1] != '_'))
            continue;
        *prefix = n - m;
        return k;
    }
    return N_WORDS;
}

static arm *arm_of(arms *all, const char *name, size_t prefix)
{
    for (int k = 0; k < all->n; k++)
        if (strlen(all->arm[k].name) == prefix && !strncasecmp(all->arm[k].name, name, prefix))
            return &all->arm[k];
    if (all->n == MOST_ARMS || prefix >= sizeof all->arm[0].name)
        return NULL;
    arm *a = &all->arm[all->n++];
    *a = (arm){.error = ERROR_NONE};
    snprintf(a->name, sizeof a->name, "%.*s", (int)prefix, name);
    for (int r = 0; r < N_COLUMN_ROLES; r++)
        a->hdu[r] = -1;
    return a;
}

/* The shape of an image; 0: it is none. */
static int shape_of(fitsfile *f, int hdu, int64_t *width, int64_t *rows)
{
    int status = 0, naxis = 0;
    LONGLONG axes[2] = {1, 1};
    if (hdu < 0 || !survey_fits_is_image(f, hdu))
        return 0;
    fits_get_img_dim(f, &naxis, &status);
    if (!status && (naxis == 1 || naxis == 2))
        fits_get_img_sizell(f, 2, axes, &status);
    fits_clear_errmsg();
    *width = axes[0];
    *rows = axes[1];
    return !status && (naxis == 1 || naxis == 2);
}

/* An arm needs flux and wavelengths that go with it. */
static int is_whole(fitsfile *f, arm *a)
{
    int64_t width = 0;
    return shape_of(f, a->hdu[COLUMN_FLUX], &a->width, &a->rows) && a->width > 1 &&
           shape_of(f, a->hdu[COLUMN_WAVELENGTH], &width, &a->scales) && width == a->width &&
           (a->scales == 1 || a->scales == a->rows);
}

/* Arms of one instrument: rows that are spectra are the same stars; of orders each has its own. */
static int goes_with(const arm *first, const arm *a)
{
    return first->scales == 1 ? a->scales == 1 && a->rows == first->rows : a->scales > 1;
}

/* The sky's light, or a lamp's, which fibres beside the star's saw: GREEN_SKY_ of KPF. */
static int is_not_the_star(const char *name, size_t prefix)
{
    static const char *const others[] = {"SKY_", "CAL_"};
    for (int i = 0; prefix >= 4 && i < 2; i++)
        if (!strncasecmp(name + prefix - 4, others[i], 4) &&
            (prefix == 4 || name[prefix - 5] == '_'))
            return 1;
    return 0;
}

/* As the word says, unless a UTYPE does: Astropy calls errors of any kind UNCERT. */
static error_kind error_of(fitsfile *f, int hdu, error_kind word)
{
    const error_kind said = file_image_error(f, hdu);
    return said != ERROR_NONE ? said : word;
}

static void find_arms(fitsfile *f, arms *all)
{
    char name[FLEN_VALUE] = "";
    int whole = 0;
    *all = (arms){.fibermap = -1};
    for (int hdu = 0; hdu < MOST_HDUS && survey_fits_has(f, hdu); hdu++) {
        size_t prefix = 0;
        if (!survey_fits_text(f, hdu, "EXTNAME", name))
            continue;
        if (!strcasecmp(name, "FIBERMAP") && survey_fits_has_column(f, hdu, "TARGETID"))
            all->fibermap = hdu;
        const int k = word_of(name, &prefix);
        if (k == N_WORDS || is_not_the_star(name, prefix) || !survey_fits_is_image(f, hdu))
            continue;
        arm *a = arm_of(all, name, prefix);
        if (!a || a->hdu[words[k].role] >= 0)
            continue;
        a->hdu[words[k].role] = hdu;
        if (words[k].role == COLUMN_ERROR)
            a->error = error_of(f, hdu, words[k].error);
        if (words[k].role == COLUMN_WAVELENGTH)
            a->medium = words[k].medium;
    }
    for (int k = 0; k < all->n; k++) /* the flux in front of its wavelengths, without a name */
        if (!all->arm[k].name[0] && all->arm[k].hdu[COLUMN_FLUX] < 0 &&
            !survey_fits_text(f, 0, "EXTNAME", name) && survey_fits_is_image(f, 0))
            all->arm[k].hdu[COLUMN_FLUX] = 0;
    for (int k = 0; k < all->n; k++)
        if (is_whole(f, &all->arm[k]) && (!whole || goes_with(&all->arm[0], &all->arm[k])))
            all->arm[whole++] = all->arm[k];
    all->n = whole;
}

static int rows_are_spectra(const arm *a)
{
    return a->scales == 1;
}

anpe_status file_named_count(anpe_ctx *ctx, fitsfile *f, const char *path, int64_t *n)
{
    arms all;
    anpe_status status = ANPE_OK;
    find_arms(f, &all);
    for (int k = 0; k < all.n && !status; k++)
        status = survey_fits_stored(ctx, f, path, all.arm[k].hdu[COLUMN_FLUX], "flux");
    *n = !all.n || status ? 0 : rows_are_spectra(&all.arm[0]) ? all.arm[0].rows : 1;
    return status;
}

static anpe_status read_row(anpe_ctx *ctx, fitsfile *f, const char *path, const arm *a,
                            column_role role, int64_t row, double *data)
{
    static const char *const what[N_COLUMN_ROLES] = {[COLUMN_WAVELENGTH] = "wavelengths",
                                                     [COLUMN_FLUX] = "flux",
                                                     [COLUMN_ERROR] = "error",
                                                     [COLUMN_MASK] = "mask"};
    survey_image image;
    const int one = role == COLUMN_WAVELENGTH && a->scales == 1;
    anpe_status status;
    ANPE_TRY(survey_fits_image(ctx, f, path, a->hdu[role], what[role], &image));
    if (image.width != a->width || image.rows != (one ? 1 : a->rows))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: HDU %d, the %s, is %lld x %lld, the flux %lld x %lld", path,
                         a->hdu[role], what[role], (long long)image.width, (long long)image.rows,
                         (long long)a->width, (long long)a->rows);
    status = survey_fits_row(ctx, f, path, what[role], &image, one ? 0 : row, data);
out:
    return status;
}

/* Wavelengths of the orders from `first` on, which are this arm's, to Angstrom: as BUNIT says, or
 * by the largest of them. */
static anpe_status to_angstrom(anpe_ctx *ctx, fitsfile *f, const char *path, const arm *a,
                               int64_t first, observed *o)
{
    char text[FLEN_VALUE] = "";
    double largest = 0;
    const int said = survey_fits_text(f, a->hdu[COLUMN_WAVELENGTH], "BUNIT", text);
    double unit = said ? columns_unit(text) : NAN;
    if (unit == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: the wavelengths are in '%s'; expected Angstrom, nm, um or m", path,
                         text);
    for (int64_t k = first; k < o->n; k++)
        for (int64_t i = 0; i < o->order[k].n; i++)
            if (isfinite(o->order[k].wavelength[i]))
                largest = fmax(largest, o->order[k].wavelength[i]);
    if (isnan(unit)) {
        const anpe_status status = columns_guess_unit(ctx, path, 1, &largest, &unit);
        if (status)
            return status;
    }
    for (int64_t k = first; k < o->n; k++)
        for (int64_t i = 0; i < o->order[k].n; i++)
            o->order[k].wavelength[i] *= unit;
    return ANPE_OK;
}

static anpe_status read_order(anpe_ctx *ctx, fitsfile *f, const char *path, const arm *a,
                              int64_t row, error_kind error, observed *o)
{
    observed_order *order;
    anpe_status status;
    ANPE_TRY(observed_add(ctx, o, a->width, &order));
    ANPE_TRY(read_row(ctx, f, path, a, COLUMN_WAVELENGTH, row, order->wavelength));
    if (a->hdu[COLUMN_MASK] >= 0) { /* sigma's room serves for the bits */
        ANPE_TRY(read_row(ctx, f, path, a, COLUMN_MASK, row, order->sigma));
        for (int64_t i = 0; i < a->width; i++)
            order->mask[i] = (uint8_t)survey_is_flagged(order->sigma[i], UINT64_MAX);
    }
    ANPE_TRY(read_row(ctx, f, path, a, COLUMN_FLUX, row, order->flux));
    const int has_error = a->hdu[COLUMN_ERROR] >= 0;
    const error_kind kind = has_error && error != ERROR_NONE ? error : a->error;
    if (has_error)
        ANPE_TRY(read_row(ctx, f, path, a, COLUMN_ERROR, row, order->sigma));
    for (int64_t i = 0; i < a->width; i++)
        order->sigma[i] = has_error ? file_sigma(kind, order->flux[i], order->sigma[i]) : NAN;
out:
    return status;
}

/* DESI's wavelengths are those of vacuum (its data model), and a row's star is its TARGETID. */
static anpe_status read_fibermap(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu, int64_t row,
                                 gridded_file *file)
{
    int status = 0, column = 0, any = 0;
    LONGLONG id = 0;
    (void)survey_fits_has(f, hdu);
    fits_get_colnum(f, CASEINSEN, (char[]){"TARGETID"}, &column, &status);
    fits_read_col(f, TLONGLONG, column, row + 1, 1, 1, NULL, &id, &any, &status);
    fits_clear_errmsg();
    if (status)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: FIBERMAP has no TARGETID in row %lld", path,
                         (long long)row + 1);
    snprintf(file->id, sizeof file->id, "%lld", (long long)id);
    file->medium = MEDIUM_VACUUM;
    return ANPE_OK;
}

anpe_status file_named_read(anpe_ctx *ctx, fitsfile *f, const char *path, int64_t row,
                            error_kind error, gridded_file *file)
{
    arms all;
    char name[FLEN_VALUE];
    anpe_status status = ANPE_OK;
    find_arms(f, &all);
    const int apart = all.n && rows_are_spectra(&all.arm[0]);
    if (!all.n || row >= (apart ? all.arm[0].rows : 1))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld", path, (long long)row);
    for (int k = 0; k < all.n; k++) {
        const int64_t first = apart ? row : 0, end = apart ? row + 1 : all.arm[k].rows;
        const int64_t before = file->o.n;
        for (int64_t r = first; r < end; r++)
            ANPE_TRY(read_order(ctx, f, path, &all.arm[k], r, error, &file->o));
        ANPE_TRY(to_angstrom(ctx, f, path, &all.arm[k], before, &file->o));
    }
    file->medium = all.arm[0].medium != MEDIUM_UNKNOWN
                       ? all.arm[0].medium
                       : medium_by_keywords(f, all.arm[0].hdu[COLUMN_WAVELENGTH]);
    if (all.fibermap >= 0)
        ANPE_TRY(read_fibermap(ctx, f, path, all.fibermap, row, file));
    else if ((!apart || all.arm[0].rows == 1) && survey_fits_text(f, 0, "OBJECT", name))
        snprintf(file->id, sizeof file->id, "%s", name);
out:
    return status;
}
