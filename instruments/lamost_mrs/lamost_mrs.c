/* LAMOST medium-resolution spectra (R = 7500): the coadded blue and red arm of one star.
 *
 * Layout: the LAMOST data model of Data Release 7 on (Liu et al. 2020, arXiv:2005.07210): tables
 * COADD_B, COADD_R with FLUX, IVAR, LOGLAM or WAVELENGTH, ANDMASK, ORMASK, and tables of the single
 * exposures, which are not read. */
#include "../common/gridded.h"
#include "../common/recognise.h"
#include "../common/survey_fits.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST_PIXELS 100000

typedef struct options {
    gridded_options grid;
    int use_or_mask;
} options;

/* clang-format off */
static const anpe_option option_table[] = {
    GRIDDED_OPTIONS("4950 5350 6300 6800", 7500, GRIDDED_SMOOTH, 30, 0, "6300 6330"),
    ANPE_OPT_BOOL(options, use_or_mask, 0, "a pixel flagged in any exposure is bad, not only one flagged in all"),
    ANPE_OPT_END};
/* clang-format on */

/* The table of this name, or 0. */
static int find_arm(fitsfile *f, const char *arm)
{
    char name[FLEN_VALUE] = "";
    for (int hdu = 1; survey_fits_has(f, hdu); hdu++)
        if (survey_fits_text(f, hdu, "EXTNAME", name) && !strcasecmp(name, arm))
            return hdu;
    return 0;
}

/* What the columns hold, in place: log10 of the wavelength, inverse variance. bits (n). */
static void settle_values(observed_order *a, int is_log, const double *bits)
{
    for (int64_t i = 0; i < a->n; i++) {
        const double ivar = a->sigma[i];
        if (is_log)
            a->wavelength[i] = pow(10, a->wavelength[i]);
        a->mask[i] = !(ivar > 0) || survey_is_flagged(bits[i], UINT64_MAX);
        a->sigma[i] = ivar > 0 ? 1 / sqrt(ivar) : 0;
    }
}

static anpe_status read_arm(anpe_ctx *ctx, const options *o, fitsfile *f, const char *path, int hdu,
                            gridded_file *file)
{
    const int is_log = survey_fits_has_column(f, hdu, "LOGLAM");
    double *bits = NULL;
    int64_t n = 0;
    observed_order *a;
    anpe_status status = survey_fits_column(ctx, f, path, hdu, "FLUX", &n, NULL);
    if (!status && n > MOST_PIXELS)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: HDU %d has %lld pixels; an arm has about 4000",
                           path, hdu, (long long)n);
    if (!status)
        status = observed_add(ctx, &file->o, n, &a);
    if (status)
        return status;
    if (ANPE_NEW(ctx, bits, n))
        return ANPE_ENOMEM;
    const char *const mask = o->use_or_mask ? "ORMASK" : "ANDMASK";
    const struct {
        const char *name;
        double *values;
    } columns[] = {{"FLUX", a->flux},
                   {"IVAR", a->sigma},
                   {is_log ? "LOGLAM" : "WAVELENGTH", a->wavelength},
                   {mask, bits}};
    for (size_t k = 0; !status && k < sizeof columns / sizeof columns[0]; k++)
        status = survey_fits_column(ctx, f, path, hdu, columns[k].name, &n, columns[k].values);
    if (!status)
        settle_values(a, is_log, bits);
    free(bits);
    return status;
}

/* Designation, medium and frame. HELIO says whether HELIO_RV has been applied; NAN: it has not, and
 * is not there. */
static void read_header(fitsfile *f, gridded_file *file)
{
    char text[FLEN_VALUE] = "";
    if (survey_fits_text(f, 0, "DESIG", text))
        snprintf(file->id, sizeof file->id, "%s", text);
    file->medium = medium_by_keywords(f, 0);
    file->barycentric = 0;
    if (survey_fits_denies(f, 0, "HELIO") &&
        !survey_fits_real(f, 0, "HELIO_RV", &file->barycentric))
        file->barycentric = NAN;
}

static anpe_status read_file(anpe_ctx *ctx, const void *o, const char *path, int64_t row,
                             gridded_file *file)
{
    static const char *const arms[] = {"COADD_B", "COADD_R"};
    fitsfile *f = NULL;
    int found = 0;
    if (row != 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has 1", path,
                         (long long)row);
    anpe_status status = survey_fits_open(ctx, path, &f);
    for (size_t k = 0; !status && k < sizeof arms / sizeof arms[0]; k++) {
        const int hdu = find_arm(f, arms[k]);
        found += hdu > 0;
        if (hdu)
            status = read_arm(ctx, o, f, path, hdu, file);
    }
    if (!status && !found)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: no table COADD_B or COADD_R; expected a LAMOST medium-resolution "
                           "spectrum (lamost_lrs reads low-resolution ones)",
                           path);
    if (!status)
        read_header(f, file);
    if (!status && !isfinite(file->barycentric) &&
        ((const options *)o)->grid.frame == GRIDDED_HELIOCENTRIC)
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT,
                      "%s: HELIO says that the wavelengths are not heliocentric, and there is "
                      "no HELIO_RV to correct them by (frame = \"observed\" takes them as they "
                      "are)",
                      path);
    survey_fits_close(f);
    return status;
}

static anpe_status recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    fitsfile *f = recognise_fits(ctx, path);
    gridded_file header = {.medium = MEDIUM_VACUUM};
    if (f && (find_arm(f, "COADD_B") || find_arm(f, "COADD_R"))) {
        recognise_as(out, ANPE_MATCH_SURVEY, "LAMOST",
                     "LAMOST medium-resolution spectrum, coadded tables of its arms");
        read_header(f, &header);
        out->n_spectra = 1;
        out->medium = header.medium == MEDIUM_AIR ? ANPE_MEDIUM_AIR : ANPE_MEDIUM_VACUUM;
        snprintf(out->object, sizeof out->object, "%s", header.id);
        snprintf(out->frame, sizeof out->frame,
                 header.barycentric == 0 ? "heliocentric" : "observed");
    }
    survey_fits_close(f);
    return ANPE_OK;
}

static const char *const reading[] = {GRIDDED_READING, "use_or_mask", NULL};
static const gridded_family family = {
    .medium = MEDIUM_VACUUM, .read = read_file, .recognise = recognise};

GRIDDED_INSTRUMENT(lamost_mrs, "1", "LAMOST medium-resolution spectra, both arms", option_table,
                   options, family);
GRIDDED_NOISE(lamost_mrs, "1", 10, 300);

ANPE_PLUGINS(&lamost_mrs_instrument, &lamost_mrs_noise);
