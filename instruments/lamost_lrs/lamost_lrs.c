/* LAMOST low-resolution spectra (R = 1800, 3700-9100 A).
 *
 * Layout: the LAMOST data model (Luo et al. 2015, RAA 15, 1095): an image with rows flux, inverse
 * variance, wavelength, and-mask, or-mask; from Data Release 8 on a table COADD with such columns.
 * The pilot survey's images have another spectrum in the third row, wavelengths in the header, and
 * a table of results behind.
 * Continuum rule: division by a Gaussian-smoothed spectrum, Ho et al. 2017 (ApJ 836, 5). */
#include "lamost_lrs.h"
#include "../common/lsf_file.h"
#include "../common/ranges.h"
#include "../common/recognise.h"
#include "../common/survey_fits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct options {
    double lambda_min, lambda_max, width;
    int use_or_mask, exclude_tellurics, exclude_join;
    anpe_reals never; /* pairs of first and last wavelength */
    const char *lsf;
} options;

static const anpe_option option_table[] = {
    ANPE_OPT_REAL(options, lambda_min, 3700, 3600, 9200, "Angstrom", "first wavelength, vacuum"),
    ANPE_OPT_REAL(options, lambda_max, 9100, 3600, 9200, "Angstrom", "last wavelength, vacuum"),
    ANPE_OPT_REAL(options, width, 50, 1, 1000, "Angstrom",
                  "standard deviation of the continuum's smoothing kernel"),
    ANPE_OPT_BOOL(options, use_or_mask, 0,
                  "a pixel flagged in any exposure is bad, not only one flagged in all"),
    ANPE_OPT_BOOL(options, exclude_tellurics, 1,
                  "never use the telluric bands: the files are not corrected for them"),
    ANPE_OPT_BOOL(options, exclude_join, 0, "never use 5700-5900 A, where the two arms join"),
    ANPE_OPT_REALS(options, never, "", 3600, 9200, "Angstrom",
                   "pairs of wavelengths: ranges never to use, e.g. cores of lines out of LTE"),
    LSF_FILE_OPTION(options),
    ANPE_OPT_END};

typedef struct lamost {
    const options *o;
    int64_t n, segment[2];
    double *wavelength, *resolution; /* (n) */
    uint8_t *exclude;                /* (n) */
    anpe_lsf_table lsf;
} lamost;

/* ---- grid and life ----------------------------------------------------------------------- */

/* O2 B and A, H2O; vacuum Angstrom (Kurucz et al. 1984; Matheson et al. 2000). */
static const double tellurics[][2] = {
    {6862, 6965}, {7160, 7345}, {7590, 7712}, {8125, 8350}, {8930, 9200}};
static const double join[2] = {5700, 5900};

static int is_excluded(const options *o, double w)
{
    if (o->exclude_join && w >= join[0] && w <= join[1])
        return 1;
    for (size_t k = 0; o->exclude_tellurics && k < sizeof tellurics / sizeof tellurics[0]; k++)
        if (w >= tellurics[k][0] && w <= tellurics[k][1])
            return 1;
    return ranges_hold(&o->never, w);
}

static anpe_status make_grid(anpe_ctx *ctx, lamost *s)
{
    const options *o = s->o;
    /* 1e-6 of a pixel: a limit that is a pixel's own wavelength includes it */
    const double first = ceil((log10(o->lambda_min) - LAMOST_LOG_START) / LAMOST_LOG_STEP - 1e-6);
    const anpe_status status = ranges_check(ctx, "never", &o->never);
    const double last = floor((log10(o->lambda_max) - LAMOST_LOG_START) / LAMOST_LOG_STEP + 1e-6);

    if (status)
        return status;
    if (last - first + 1 < 100)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "lambda_min %g and lambda_max %g leave fewer than 100 pixels",
                         o->lambda_min, o->lambda_max);
    s->n = s->segment[1] = (int64_t)(last - first) + 1;
    if (ANPE_NEW(ctx, s->wavelength, s->n) || ANPE_NEW(ctx, s->resolution, s->n) ||
        ANPE_NEW(ctx, s->exclude, s->n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < s->n; i++) {
        s->wavelength[i] = pow(10, LAMOST_LOG_START + LAMOST_LOG_STEP * (first + (double)i));
        s->resolution[i] = LAMOST_RESOLUTION;
        s->exclude[i] = (uint8_t)is_excluded(o, s->wavelength[i]);
    }
    return ANPE_OK;
}

static void destroy(void *self)
{
    lamost *s = self;
    if (!s)
        return;
    free(s->wavelength);
    free(s->resolution);
    free(s->exclude);
    lsf_file_clear(&s->lsf);
    free(s);
}

static anpe_status create(anpe_ctx *ctx, const void *o, const void *setup, void **self)
{
    lamost *s;
    anpe_status status;

    (void)setup;
    *self = NULL;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->o = o;
    if ((status = make_grid(ctx, s)) || (status = lsf_file_read(ctx, s->o->lsf, &s->lsf)))
        destroy(s);
    else
        *self = s;
    return status;
}

/* The pipeline joins the arms into one spectrum, so flux is continuous: one segment. */
static void info(const void *self, anpe_instrument_info *out)
{
    const lamost *s = self;
    *out = (anpe_instrument_info){
        .channels = 1,
        .n_pixels = s->n,
        .wavelength = s->wavelength,
        .resolution = s->resolution,
        .n_segments = 1,
        .segment = s->segment,
        .exclude = s->exclude,
        .lsf = lsf_file_table(&s->lsf),
        .rule = ANPE_RULE_LINEAR,
    };
}

/* ---- reading ----------------------------------------------------------------------------- */

enum { FLUX, IVAR, WAVELENGTH, MASK, N_ROWS };
#define MOST_PIXELS 100000
#define BLUEST      3000.0 /* Angstrom: any wavelength is between these */
#define REDDEST     11000.0

typedef struct source {
    const char *path;
    fitsfile *fits;
    int use_or_mask;
    int64_t n;
    double *row[N_ROWS]; /* (n) each */
    float *flux, *sigma; /* (n) as measured */
    uint8_t *mask;       /* (n) */
} source;

static void close_source(source *f)
{
    survey_fits_close(f->fits);
    for (int k = 0; k < N_ROWS; k++)
        free(f->row[k]);
    free(f->flux);
    free(f->sigma);
    free(f->mask);
}

static anpe_status make_rows(anpe_ctx *ctx, source *f, int64_t n)
{

    if (n < 2 || n > MOST_PIXELS)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: %lld pixels; a LAMOST low-resolution spectrum has about 3900",
                         f->path, (long long)n);
    f->n = n;
    for (int k = 0; k < N_ROWS; k++)
        if (ANPE_NEW(ctx, f->row[k], n))
            return ANPE_ENOMEM;
    return ANPE_NEW(ctx, f->flux, n) || ANPE_NEW(ctx, f->sigma, n) || ANPE_NEW(ctx, f->mask, n)
               ? ANPE_ENOMEM
               : ANPE_OK;
}

/* The image's third row holds wavelengths if most of its values can be some. */
static int has_wavelengths(const source *f)
{
    int64_t can = 0;
    for (int64_t i = 0; i < f->n; i++)
        can += f->row[WAVELENGTH][i] > BLUEST && f->row[WAVELENGTH][i] < REDDEST;
    return 2 * can > f->n;
}

/* A row that is mostly fractions holds no bits: some images have flux over continuum there. */
static int has_bits(const source *f)
{
    int64_t fractions = 0;
    for (int64_t i = 0; i < f->n; i++)
        fractions += f->row[MASK][i] != floor(f->row[MASK][i]);
    return 2 * fractions <= f->n;
}

/* Wavelengths from the header, log10 of Angstrom or Angstrom, if it states a scale. */
static void wavelengths_of_header(source *f)
{
    static const char *const starts[] = {"CRVAL1", "COEFF0"}, *const steps[] = {"CD1_1", "CDELT1",
                                                                                "COEFF1"};
    double start = NAN, step = NAN, first = 1;
    for (size_t k = 0; isnan(start) && k < sizeof starts / sizeof starts[0]; k++)
        (void)survey_fits_real(f->fits, 0, starts[k], &start);
    for (size_t k = 0; isnan(step) && k < sizeof steps / sizeof steps[0]; k++)
        (void)survey_fits_real(f->fits, 0, steps[k], &step);
    if (isnan(start) || isnan(step))
        return;
    (void)survey_fits_real(f->fits, 0, "CRPIX1", &first);
    for (int64_t i = 0; i < f->n; i++) {
        const double w = start + ((double)i + 1 - first) * step;
        f->row[WAVELENGTH][i] = start < 10 ? pow(10, w) : w;
    }
}

static anpe_status read_image(anpe_ctx *ctx, source *f)
{
    static const char *const what[N_ROWS] = {"flux", "inverse variance", "wavelength", "mask"};
    const int64_t rows[N_ROWS] = {0, 1, 2, f->use_or_mask ? 4 : 3};
    survey_image image;
    anpe_status status = survey_fits_image(ctx, f->fits, f->path, 0, "spectrum", &image);

    if (!status && image.rows <= rows[MASK])
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: the image has %lld rows; expected 5: flux, inverse variance, "
                         "wavelength, and-mask, or-mask",
                         f->path, (long long)image.rows);
    if (!status)
        status = make_rows(ctx, f, image.width);
    for (int k = 0; !status && k < N_ROWS; k++)
        status = survey_fits_row(ctx, f->fits, f->path, what[k], &image, rows[k], f->row[k]);
    if (status)
        return status;
    if (!has_wavelengths(f))
        wavelengths_of_header(f);
    if (!has_bits(f)) {
        anpe_log(ctx, ANPE_INFO, "%s: row %lld of the image holds no bits; taken as without mask",
                 f->path, (long long)rows[MASK]);
        memset(f->row[MASK], 0, (size_t)f->n * sizeof(double));
    }
    return ANPE_OK;
}

/* The first table with a spectrum; others may hold anything. 1, which is then refused, if none. */
static int spectrum_table(const source *f)
{
    for (int hdu = 1; survey_fits_has(f->fits, hdu); hdu++)
        if (survey_fits_has_column(f->fits, hdu, "FLUX") &&
            survey_fits_has_column(f->fits, hdu, "IVAR"))
            return hdu;
    return 1;
}

static anpe_status read_table(anpe_ctx *ctx, source *f)
{
    const int hdu = spectrum_table(f);
    const int is_log = !survey_fits_has_column(f->fits, hdu, "WAVELENGTH") &&
                       survey_fits_has_column(f->fits, hdu, "LOGLAM");
    const char *const name[N_ROWS] = {"FLUX", "IVAR", is_log ? "LOGLAM" : "WAVELENGTH",
                                      f->use_or_mask ? "ORMASK" : "ANDMASK"};
    int64_t n = 0;
    anpe_status status = survey_fits_column(ctx, f->fits, f->path, hdu, name[FLUX], &n, NULL);

    if (!status)
        status = make_rows(ctx, f, n);
    for (int k = 0; !status && k < N_ROWS; k++)
        status = survey_fits_column(ctx, f->fits, f->path, hdu, name[k], &n, f->row[k]);
    for (int64_t i = 0; !status && is_log && i < n; i++)
        f->row[WAVELENGTH][i] = pow(10, f->row[WAVELENGTH][i]);
    return status;
}

static anpe_status refuse_medium(anpe_ctx *ctx, const source *f)
{
    char name[FLEN_VALUE] = "";

    for (int hdu = 1; survey_fits_has(f->fits, hdu); hdu++)
        if (survey_fits_text(f->fits, hdu, "EXTNAME", name) &&
            (!strcasecmp(name, "COADD_B") || !strcasecmp(name, "COADD_R")))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: a LAMOST medium-resolution spectrum (tables COADD_B, COADD_R); "
                             "the instrument lamost_mrs reads it",
                             f->path);
    return ANPE_OK;
}

/* A pixel without a wavelength is a bad one in its place between its neighbours (a step beyond at
 * an end), so that these do not spread over it. */
static void fill_wavelengths(source *f)
{
    double *w = f->row[WAVELENGTH];
    int64_t last = -1;

    for (int64_t i = 0; i < f->n; i++) {
        if (!isfinite(w[i])) {
            f->row[IVAR][i] = 0;
            continue;
        }
        const double step = last >= 0      ? pow(w[i] / w[last], 1 / (double)(i - last))
                            : i + 1 < f->n ? w[i + 1] / w[i]
                                           : 1;
        for (int64_t k = i - 1; k > last; k--)
            w[k] = w[k + 1] / step;
        last = i;
    }
    for (int64_t k = last + 1; last > 0 && k < f->n; k++)
        w[k] = w[k - 1] * (w[last] / w[last - 1]);
}

/* Red to blue becomes blue to red. */
static void turn_round(source *f)
{
    for (int k = 0; k < N_ROWS; k++)
        for (int64_t i = 0, j = f->n - 1; i < j; i++, j--) {
            const double swap = f->row[k][i];
            f->row[k][i] = f->row[k][j];
            f->row[k][j] = swap;
        }
}

/* What the header says has not been done: the wavelengths are of air, or of the observatory's
 * frame.
 */
static anpe_status correct_wavelengths(anpe_ctx *ctx, source *f)
{
    double *w = f->row[WAVELENGTH], v = 0;
    const int air = survey_fits_denies(f->fits, 0, "VACUUM");

    if (survey_fits_denies(f->fits, 0, "HELIO") && !survey_fits_real(f->fits, 0, "HELIO_RV", &v))
        return ANPE_FAIL(
            ctx, ANPE_EFORMAT,
            "%s: HELIO says that the wavelengths are not heliocentric, and there is no "
            "HELIO_RV to correct them by",
            f->path);
    const double factor = sqrt((1 + v / ANPE_C_KMS) / (1 - v / ANPE_C_KMS));
    for (int64_t i = 0; i < f->n; i++)
        w[i] = (air ? anpe_air_to_vacuum(w[i]) : w[i]) * factor;
    return ANPE_OK;
}

static anpe_status check_wavelengths(anpe_ctx *ctx, source *f)
{
    double *w = f->row[WAVELENGTH];

    fill_wavelengths(f);
    if (w[0] > w[f->n - 1])
        turn_round(f);
    for (int64_t i = 0; i < f->n; i++) {
        if (!(w[i] > BLUEST && w[i] < REDDEST && (i == 0 || w[i] > w[i - 1])))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: wavelength %g A at pixel %lld; expected ascending values in "
                             "3000-11000 A",
                             f->path, w[i], (long long)i);
    }
    return correct_wavelengths(ctx, f);
}

static void judge_pixels(source *f)
{
    anpe_spectrum raw = {.n_pixels = f->n, .flux = f->flux, .sigma = f->sigma, .mask = f->mask};

    for (int64_t i = 0; i < f->n; i++) {
        const double ivar = f->row[IVAR][i];
        const double sigma = ivar > 0 ? 1 / sqrt(ivar) : 0; /* 0, NaN and inf become bad pixels */
        survey_put_pixel(&raw, i, f->row[FLUX][i], sigma,
                         survey_is_flagged(f->row[MASK][i], UINT64_MAX));
    }
}

static anpe_status open_source(anpe_ctx *ctx, const lamost *s, const char *path, source *f)
{
    anpe_status status;

    *f = (source){.path = path, .use_or_mask = s->o->use_or_mask};
    if ((status = survey_fits_open(ctx, path, &f->fits)))
        return status;
    if ((status = refuse_medium(ctx, f)))
        return status;
    /* an image may have a table of results behind it */
    if (survey_fits_is_image(f->fits, 0) || !survey_fits_is_table(f->fits, 1))
        status = read_image(ctx, f);
    else
        status = read_table(ctx, f);
    if (status)
        return status;
    return check_wavelengths(ctx, f);
}

static anpe_status check_good(anpe_ctx *ctx, const char *path, const anpe_spectrum *out)
{
    for (int64_t i = 0; i < out->n_pixels; i++)
        if (!out->mask[i])
            return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no good pixel among %lld", path,
                     (long long)out->n_pixels);
}

static anpe_status read(const void *self, anpe_ctx *ctx, const char *path, int64_t row,
                        anpe_spectrum *out)
{
    const lamost *s = self;
    char name[FLEN_VALUE] = "";
    source f;
    anpe_status status = open_source(ctx, s, path, &f);

    if (!status && row != 0)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has 1", path,
                           (long long)row);
    if (status)
        goto out;
    judge_pixels(&f);
    status = anpe_resample_spectrum(ctx, f.n, f.row[WAVELENGTH], f.flux, f.sigma, f.mask, s->n,
                                    s->wavelength, out);
    if (status)
        goto out;
    for (int64_t i = 0; i < s->n; i++) /* what nothing overlaps has no error bar */
        survey_put_pixel(out, i, out->flux[i], out->sigma[i], out->mask[i]);
    (void)survey_fits_text(f.fits, 0, "DESIG", name);
    snprintf(out->id, sizeof out->id, "%s", name);
    status = check_good(ctx, path, out);
out:
    close_source(&f);
    return status;
}

static anpe_status normalise(const void *self, anpe_ctx *ctx, const uint8_t *continuum,
                             anpe_spectrum *out)
{
    const lamost *s = self;

    (void)continuum;
    return anpe_continuum_smooth(ctx, s->o->width, s->wavelength, 1, s->segment, out);
}

static anpe_status continuum(const void *self, anpe_ctx *ctx, const uint8_t *continuum_set,
                             const anpe_spectrum *in, int64_t n, const float *flux, float *out)
{
    const lamost *s = self;

    (void)continuum_set;
    return anpe_continuum_smoothed(ctx, s->o->width, s->wavelength, 1, s->segment, in, n, flux,
                                   out);
}

/* The telescope's other spectra have two arms in tables of their own: refuse_medium. */
static anpe_status recognise(anpe_ctx *ctx, const char *path, anpe_recognition *out)
{
    const source f = {.path = path, .fits = recognise_fits(ctx, path)};
    char text[FLEN_VALUE] = "";

    if (f.fits &&
        (recognise_key(f.fits, "TELESCOP", "LAMOST") || recognise_key(f.fits, "DESIG", "LAMOST")) &&
        !refuse_medium(ctx, &f)) {
        recognise_as(out, ANPE_MATCH_SURVEY, "LAMOST", "LAMOST low-resolution spectrum, %s",
                     survey_fits_is_image(f.fits, 0) ? "an image of rows" : "a table");
        if (survey_fits_text(f.fits, 0, "DESIG", text))
            snprintf(out->object, sizeof out->object, "%s", text);
        out->n_spectra = 1;
        out->medium =
            survey_fits_denies(f.fits, 0, "VACUUM") ? ANPE_MEDIUM_AIR : ANPE_MEDIUM_VACUUM;
        snprintf(out->frame, sizeof out->frame, "%s",
                 survey_fits_denies(f.fits, 0, "HELIO") ? "observed" : "heliocentric");
    }
    survey_fits_close(f.fits);
    return ANPE_OK;
}

static const char *const reading[] = {"use_or_mask", NULL};
static const anpe_instrument_ops ops = {.size = sizeof ops,
                                        .info = info,
                                        .read = read,
                                        .normalise = normalise,
                                        .continuum = continuum,
                                        .recognise = recognise,
                                        .reading = reading};

static const anpe_plugin instrument = {
    .abi = ANPE_ABI,
    .kind = ANPE_INSTRUMENT,
    .name = "lamost_lrs",
    .version = "1",
    .summary = "LAMOST low-resolution spectra",
    .options = option_table,
    .options_size = sizeof(options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};

ANPE_PLUGINS(&instrument, &lamost_lrs_noise);
