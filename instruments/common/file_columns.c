/* Names of columns in the wild. */
#include <config.h>
#include "file_columns.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* In order of preference. Compared without case and without what follows in brackets. */
static const struct {
    const char *name;
    column_role role;
    error_kind error;
    medium medium;
} known[] = {
    {"wavelength", COLUMN_WAVELENGTH, 0, 0},
    {"wave", COLUMN_WAVELENGTH, 0, 0},
    {"lambda", COLUMN_WAVELENGTH, 0, 0},
    {"wavelengths", COLUMN_WAVELENGTH, 0, 0},
    {"wave_vac", COLUMN_WAVELENGTH, 0, MEDIUM_VACUUM},
    {"wavelength_vac", COLUMN_WAVELENGTH, 0, MEDIUM_VACUUM},
    {"wavelength_vacuum", COLUMN_WAVELENGTH, 0, MEDIUM_VACUUM},
    {"wave_air", COLUMN_WAVELENGTH, 0, MEDIUM_AIR},
    {"wavelength_air", COLUMN_WAVELENGTH, 0, MEDIUM_AIR},
    {"waveobs", COLUMN_WAVELENGTH, 0, 0},
    {"wl", COLUMN_WAVELENGTH, 0, 0},
    {"wvl", COLUMN_WAVELENGTH, 0, 0},
    {"lam", COLUMN_WAVELENGTH, 0, 0},
    {"arg", COLUMN_WAVELENGTH, 0, 0}, /* PEPSI's tables */
    {"awav", COLUMN_WAVELENGTH, 0, MEDIUM_AIR},
    {"angstrom", COLUMN_WAVELENGTH, 0, 0},
    {"spectral_axis", COLUMN_WAVELENGTH, 0, 0},
    {"loglam", COLUMN_LOG_WAVELENGTH, 0, MEDIUM_VACUUM}, /* SDSS's word for its vacuum grid */
    {"loglambda", COLUMN_LOG_WAVELENGTH, 0, 0},
    {"log_wave", COLUMN_LOG_WAVELENGTH, 0, 0},
    {"flux", COLUMN_FLUX, 0, 0},
    {"flux_reduced", COLUMN_FLUX, 0, 0},
    {"fun", COLUMN_FLUX, 0, 0}, /* PEPSI's tables */
    {"flux_norm", COLUMN_FLUX, 0, 0},
    {"norm_flux", COLUMN_FLUX, 0, 0},
    {"normalized_flux", COLUMN_FLUX, 0, 0},
    {"normalised_flux", COLUMN_FLUX, 0, 0},
    {"flam", COLUMN_FLUX, 0, 0},
    {"f_lambda", COLUMN_FLUX, 0, 0},
    {"intensity", COLUMN_FLUX, 0, 0},
    {"spec", COLUMN_FLUX, 0, 0},
    {"spectrum", COLUMN_FLUX, 0, 0},
    {"counts", COLUMN_FLUX, 0, 0},
    {"err", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"error", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"sigma", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"flux_error", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"flux_err", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"err_flux", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"e_flux", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"eflux", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"err_reduced", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"errors", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"uncertainty", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"unc", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"flux_unc", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"stdev", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"std", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"noise", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"sig", COLUMN_ERROR, ERROR_SIGMA, 0}, /* REDUCE */
    {"fluxerr", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"fluxerror", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"flux_sigma", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"flux_std", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"flux_uncertainty", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"stddev", COLUMN_ERROR, ERROR_SIGMA, 0},
    {"ivar", COLUMN_ERROR, ERROR_IVAR, 0},
    {"flux_ivar", COLUMN_ERROR, ERROR_IVAR, 0},
    {"ivar_flux", COLUMN_ERROR, ERROR_IVAR, 0},
    {"invvar", COLUMN_ERROR, ERROR_IVAR, 0},
    {"inverse_variance", COLUMN_ERROR, ERROR_IVAR, 0},
    {"var", COLUMN_ERROR, ERROR_VARIANCE, 0},
    {"variance", COLUMN_ERROR, ERROR_VARIANCE, 0},
    {"flux_var", COLUMN_ERROR, ERROR_VARIANCE, 0},
    {"flux_variance", COLUMN_ERROR, ERROR_VARIANCE, 0},
    {"snr", COLUMN_ERROR, ERROR_SNR, 0}, /* where there is nothing better */
    {"s/n", COLUMN_ERROR, ERROR_SNR, 0},
    {"sn", COLUMN_ERROR, ERROR_SNR, 0},
    {"mask", COLUMN_MASK, 0, 0},
    {"and_mask", COLUMN_MASK, 0, 0},
    {"andmask", COLUMN_MASK, 0, 0},
    {"qual", COLUMN_MASK, 0, 0},
    {"quality", COLUMN_MASK, 0, 0},
    {"flag", COLUMN_MASK, 0, 0},
    {"flags", COLUMN_MASK, 0, 0},
    {"bpm", COLUMN_MASK, 0, 0},
    {"pixel_flags", COLUMN_MASK, 0, 0},
    {"dq", COLUMN_MASK, 0, 0},
    {"bad", COLUMN_MASK, 0, 0},
    {"badpix", COLUMN_MASK, 0, 0},
    {"bad_pixel", COLUMN_MASK, 0, 0},
    {"good", COLUMN_MASK, 0, 0},
    {"goodpix", COLUMN_MASK, 0, 0},
    {"good_pixel", COLUMN_MASK, 0, 0},
    {"source_id", COLUMN_ID, 0, 0},
};
enum { N_KNOWN = sizeof known / sizeof *known };

/* The name without a unit in brackets behind it, and that unit. */
static void split(const char *text, char *name, size_t name_size, char *unit, size_t unit_size)
{
    text += strspn(text, " \t\"'#");
    const size_t n = strcspn(text, "[(");
    size_t end = n;
    while (end && strchr(" \t\"'_", text[end - 1]))
        end--;
    snprintf(name, name_size, "%.*s", (int)end, text);
    unit[0] = '\0';
    if (text[n])
        snprintf(unit, unit_size, "%.*s", (int)strcspn(text + n + 1, "])"), text + n + 1);
}

double columns_unit(const char *text)
{
    static const struct {
        const char *name;
        double angstrom;
    } units[] = {{"angstrom", 1},    {"angstroms", 1},  {"ang", 1},          {"a", 1},
                 {"aa", 1},          {"0.1nm", 1},      {"0.1 nm", 1},       {"nm", 10},
                 {"nanometer", 10},  {"nanometre", 10}, {"nanometers", 10},  {"um", 1e4},
                 {"micron", 1e4},    {"microns", 1e4},  {"micrometer", 1e4}, {"micrometre", 1e4},
                 {"m", 1e10},        {"meter", 1e10},   {"\xc3\x85", 1},     {"\xe2\x84\xab", 1},
                 {"\xc2\xb5m", 1e4}, {"\xce\xbcm", 1e4}};
    char unit[64];
    text += strspn(text, " \t'\"");
    snprintf(unit, sizeof unit, "%s", text);
    for (size_t n = strlen(unit); n && strchr(" \t'\"", unit[n - 1]);)
        unit[--n] = '\0';
    if (!unit[0])
        return NAN;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcasecmp(unit, units[i].name))
            return units[i].angstrom;
    return 0;
}

anpe_status columns_guess_unit(anpe_ctx *ctx, const char *path, int64_t n, const double *wavelength,
                               double *unit)
{
    double smallest = INFINITY, largest = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(wavelength[i])) {
            smallest = fmin(smallest, wavelength[i]);
            largest = fmax(largest, wavelength[i]);
        }
    *unit = largest < 50 ? 1e4 : largest < 2500 ? 10 : 1;
    if (!(smallest > 3.3 && largest < 4.6))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: wavelengths from %g to %g without a unit: micrometre, or log10 of "
                     "Angstrom? give the file the unit (TUNIT, 'wave [um]'), or name the column "
                     "loglam",
                     path, smallest, largest);
}

static int rank_of(const char *name)
{
    for (int k = 0; k < N_KNOWN; k++)
        if (!strcasecmp(name, known[k].name))
            return k;
    return N_KNOWN;
}

int columns_is_magnitude(const char *unit)
{
    return strcasestr(unit, "mag") != NULL && !strcasestr(unit, "Angstrom");
}

int columns_marks_good(const char *name)
{
    return !strncasecmp(name, "good", 4);
}

column_role columns_role(const char *name)
{
    char bare[80], unit[40];
    split(name, bare, sizeof bare, unit, sizeof unit);
    const int k = rank_of(bare);
    return k < N_KNOWN ? known[k].role : COLUMN_OTHER;
}

error_kind columns_error(const char *name)
{
    const int k = rank_of(name);
    return k < N_KNOWN && known[k].role == COLUMN_ERROR ? known[k].error : ERROR_NONE;
}

/* Beside wavelengths that are named as those of air stand those of vacuum, and the other way round:
 * "wavelength" and "wavelength_air". */
static medium not_the_other(int n, const char *const *names, int place)
{
    char name[80], unit[40];
    for (int i = 0; i < n; i++) {
        split(names[i], name, sizeof name, unit, sizeof unit);
        const int k = rank_of(name);
        if (i != place && k < N_KNOWN && known[k].role == COLUMN_WAVELENGTH)
            switch (known[k].medium) {
            case MEDIUM_AIR:
                return MEDIUM_VACUUM;
            case MEDIUM_VACUUM:
                return MEDIUM_AIR;
            default:
                break;
            }
    }
    return MEDIUM_UNKNOWN;
}

/* What the name of the column of wavelengths says, or that of another beside it. */
static medium medium_of(int n, const char *const *names, int place)
{
    char name[80], unit[40];
    split(names[place], name, sizeof name, unit, sizeof unit);
    const int k = rank_of(name);
    return k < N_KNOWN && known[k].medium != MEDIUM_UNKNOWN ? known[k].medium
                                                            : not_the_other(n, names, place);
}

/* Two columns of one name, what stands in brackets aside, that the user has not told apart. */
static anpe_status check_twins(anpe_ctx *ctx, const char *path, int n, const char *const *names,
                               const char *const *wanted, const columns *c)
{
    char name[80], other[80], unit[40];
    for (int r = COLUMN_WAVELENGTH; r <= COLUMN_ERROR; r++) {
        const int place = c->place[r];
        if (place < 0 || (wanted[r] && wanted[r][0]))
            continue;
        split(names[place], name, sizeof name, unit, sizeof unit);
        for (int i = 0; i < n; i++) {
            split(names[i], other, sizeof other, unit, sizeof unit);
            if (i != place && !strcasecmp(name, other))
                return ANPE_FAIL(ctx, ANPE_EFORMAT,
                                 "%s: which of '%s' and '%s' is meant? name it, e.g. "
                                 "instrument.flux_column",
                                 path, names[place], names[i]);
        }
    }
    return ANPE_OK;
}

static anpe_status no_column(anpe_ctx *ctx, const char *path, const char *what, int n,
                             const char *const *names)
{
    char list[400] = "";
    size_t at = 0;
    for (int i = 0; i < n && at < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", names[i]);
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: none of its columns is known as %s: %s; name it, e.g. "
                     "instrument.wavelength_column, flux_column, error_column, mask_column",
                     path, what, list);
}

/* The column that the user names. */
static anpe_status find_given(anpe_ctx *ctx, const char *path, int n, const char *const *names,
                              const char *given, int *place)
{
    for (int i = 0; i < n; i++)
        if (!strcasecmp(names[i], given)) {
            *place = i;
            return ANPE_OK;
        }
    char what[100];
    snprintf(what, sizeof what, "'%.60s'", given);
    return no_column(ctx, path, what, n, names);
}

static void find_known(int n, const char *const *names, columns *out)
{
    int best[N_COLUMN_ROLES];
    char name[80], unit[40];
    for (int r = 0; r < N_COLUMN_ROLES; r++)
        best[r] = N_KNOWN;
    for (int i = 0; i < n; i++) {
        split(names[i], name, sizeof name, unit, sizeof unit);
        const int k = rank_of(name);
        if (k == N_KNOWN || k >= best[known[k].role])
            continue;
        best[known[k].role] = k;
        out->place[known[k].role] = i;
        if (known[k].role == COLUMN_ERROR)
            out->error = known[k].error;
        if (known[k].role == COLUMN_WAVELENGTH ||
            (known[k].role == COLUMN_LOG_WAVELENGTH && out->place[COLUMN_WAVELENGTH] < 0))
            out->medium = known[k].medium;
    }
    if (out->medium == MEDIUM_UNKNOWN && out->place[COLUMN_WAVELENGTH] >= 0)
        out->medium = not_the_other(n, names, out->place[COLUMN_WAVELENGTH]);
}

/* The unit of the wavelengths: said beside the column, or in its name. */
static anpe_status find_unit(anpe_ctx *ctx, const char *path, const char *const *names,
                             const char *const *units, columns *out)
{
    char name[80], unit[40];
    const int w = out->place[COLUMN_WAVELENGTH];
    out->unit = 1;
    if (w < 0)
        return ANPE_OK;
    split(names[w], name, sizeof name, unit, sizeof unit);
    const char *text = units && units[w] && units[w][0] ? units[w] : unit;
    const double u = columns_unit(text);
    if (u == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: column %s is in '%s'; expected Angstrom, nm, um or m", path, name,
                         text);
    out->unit = isnan(u) ? NAN : u;
    return ANPE_OK;
}

anpe_status columns_find(anpe_ctx *ctx, const char *path, int n, const char *const *names,
                         const char *const *units, const column_names *given, columns *out)
{
    const char *const wanted[N_COLUMN_ROLES] = {[COLUMN_WAVELENGTH] = given->wavelength,
                                                [COLUMN_FLUX] = given->flux,
                                                [COLUMN_ERROR] = given->error,
                                                [COLUMN_MASK] = given->mask};
    anpe_status status = ANPE_OK;
    *out = (columns){.unit = 1};
    for (int r = 0; r < N_COLUMN_ROLES; r++)
        out->place[r] = -1;
    find_known(n, names, out);
    for (int r = 0; r < N_COLUMN_ROLES && !status; r++)
        if (wanted[r] && wanted[r][0])
            status = find_given(ctx, path, n, names, wanted[r], &out->place[r]);
    if (!status)
        status = check_twins(ctx, path, n, names, wanted, out);
    if (!status && wanted[COLUMN_WAVELENGTH] && wanted[COLUMN_WAVELENGTH][0])
        out->medium = medium_of(n, names, out->place[COLUMN_WAVELENGTH]);
    if (!status && wanted[COLUMN_ERROR] && wanted[COLUMN_ERROR][0]) {
        const int k = rank_of(wanted[COLUMN_ERROR]);
        out->error = k < N_KNOWN && known[k].role == COLUMN_ERROR ? known[k].error : ERROR_SIGMA;
    }
    if (status)
        return status;
    if (out->place[COLUMN_WAVELENGTH] < 0 && out->place[COLUMN_LOG_WAVELENGTH] < 0 &&
        !(given->step > 0))
        return no_column(ctx, path, "wavelengths", n, names);
    if (out->place[COLUMN_FLUX] < 0)
        return no_column(ctx, path, "flux", n, names);
    const char *unit = units ? units[out->place[COLUMN_FLUX]] : NULL;
    if (unit && columns_is_magnitude(unit))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: column %s is in '%s', which is no flux", path,
                         names[out->place[COLUMN_FLUX]], unit);
    if (out->place[COLUMN_ERROR] < 0)
        out->error = ERROR_NONE;
    else if (given->kind != ERROR_NONE)
        out->error = given->kind;
    out->marks_good =
        out->place[COLUMN_MASK] >= 0 && columns_marks_good(names[out->place[COLUMN_MASK]]);
    return find_unit(ctx, path, names, units, out);
}
