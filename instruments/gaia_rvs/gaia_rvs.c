/* Gaia RVS mean spectra (R = 11500, 846 to 870 nm), as the archive's DataLink gives them.
 *
 * Table rvs_mean_spectrum of Gaia DR3 (Data Model, chapter 20.12.1; Seabroke et al. 2022; Katz et
 * al. 2023): normalised flux and its error on 2401 pixels of 0.01 nm, in vacuum and in the star's
 * rest frame. Retrieved INDIVIDUAL or COMBINED (a row a pixel) or RAW (a row a star, arrays), as
 * CSV, ECSV, FITS or VOTable. */
#include "../common/file_table.h"
#include "../common/recognise.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FIRST = 8460, LAST = 8700, PIXELS = 2401 };

/* clang-format off */
static const anpe_option option_table[] = {
    GRIDDED_OPTIONS("8461 8699", 11500, GRIDDED_CHEBYSHEV, 30, 0, ""),
    ANPE_OPT_END};
/* clang-format on */

static const column_names names = {.wavelength = "",
                                   .flux = "",
                                   .error = "",
                                   .mask = "",
                                   .start = FIRST,
                                   .step = (double)(LAST - FIRST) / (PIXELS - 1)};

static anpe_status count(anpe_ctx *ctx, const void *o, const char *path, int64_t *n)
{
    (void)o;
    return file_spectra_count(ctx, path, &names, n);
}

/* What an archive's file name says of its star, where the file does not:
 * "RVS_MEAN_SPECTRUM-Gaia DR3 4268620287278693120.csv". */
static void read_name(const char *path, gridded_file *file)
{
    const char *slash = strrchr(path, '/');
    for (const char *p = slash ? slash + 1 : path; *p; p++) {
        size_t n = strspn(p, "0123456789");
        if (n >= 10)
            snprintf(file->id, sizeof file->id, "%.*s", (int)n, p);
        p += n ? n - 1 : 0;
    }
}

/* The one property by which these are told from other tables with wavelengths and flux. */
static anpe_status check_grid(anpe_ctx *ctx, const char *path, const observed *o)
{
    const observed_order *a = &o->order[0];
    if (o->n != 1)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: the wavelengths of one star start again %lld times: is its spectrum "
                         "in the file more than once?",
                         path, (long long)o->n - 1);
    const double first = a->wavelength[0], last = a->wavelength[a->n - 1];
    if (a->n == PIXELS && first > FIRST - 0.05 && first < FIRST + 0.05 && last > LAST - 0.05 &&
        last < LAST + 0.05)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: %lld pixels from %.7g to %.7g Angstrom; an RVS mean spectrum has %d from "
                     "%d to %d",
                     path, (long long)a->n, first, last, PIXELS, FIRST, LAST);
}

static anpe_status read_file(anpe_ctx *ctx, const void *o, const char *path, int64_t row,
                             gridded_file *file)
{
    anpe_status status = file_spectra_read(ctx, path, &names, row, file);
    (void)o;
    if (status)
        return status;
    if (!file->id[0])
        read_name(path, file);
    file->medium = MEDIUM_VACUUM;
    file->barycentric = 0;
    return check_grid(ctx, path, &file->o);
}

/* By the grid, which no one else has, and a source_id. */
static anpe_status recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    gridded_file file = {.barycentric = NAN};
    if (!read_file(ctx, NULL, path, 0, &file) && strspn(file.id, "0123456789") >= 10) {
        recognise_as(out, ANPE_MATCH_SURVEY, "Gaia RVS", "Gaia RVS mean spectrum");
        out->medium = ANPE_MEDIUM_VACUUM;
        snprintf(out->object, sizeof out->object, "%s", file.id);
        snprintf(out->frame, sizeof out->frame, "rest frame of the star");
        if (count(ctx, NULL, path, &out->n_spectra))
            out->n_spectra = 1;
    }
    observed_clear(&file.o);
    return ANPE_OK;
}

static const char *const reading[] = {GRIDDED_READING, NULL};
static const gridded_family family = {
    .medium = MEDIUM_VACUUM, .count = count, .read = read_file, .recognise = recognise};

/* ---- noise ------------------------------------------------------------------------------ */

static void describe_sky(survey_sky *sky)
{
    for (int64_t i = 0; i < sky->n; i++)
        sky->throughput[i] = 1;
}

/* Photon and read noise, nearly flat; an error bar from few transits; ends that a shift to the rest
 * frame leaves empty. */
static const gridded_noise noise_kind = {.sky = describe_sky,
                                         .variety = {
                                             .sky = {1e-6, 1e-5},
                                             .read = {0.01, 30},
                                             .outshone = {2, 50},
                                             .airmass = {1, 1.1},
                                             .colour = {-1, 1},
                                             .hits = {0.00001, 0.001},
                                             .runs = {0.00001, 0.0003},
                                             .length = 6,
                                             .ends = 2,
                                             .visits = {20, 400},
                                         }};

GRIDDED_INSTRUMENT(gaia_rvs, "1", "Gaia RVS mean spectra, in the star's rest frame", option_table,
                   gridded_options, family);
GRIDDED_NOISE_OF(gaia_rvs, "1", 10, 300, noise_kind,
                 "error bars and masks from a library, or those of few transits with missing ends");

ANPE_PLUGINS(&gaia_rvs_instrument, &gaia_rvs_noise);
