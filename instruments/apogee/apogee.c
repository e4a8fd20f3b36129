/* APOGEE spectra: apStar, aspcapStar and any combined FITS file of that layout; visits and the
 * tables of SDSS-V are in apogee_layouts.c.
 *
 * Layout, bits and wavelengths: Nidever et al. 2015 (AJ 150, 173), Holtzman et al. 2015 (AJ 150,
 * 148) and the SDSS data model. Detectors of 7214 pixels: The Payne (Ting et al. 2019, ApJ 879,
 * 69). Continuum rule: Ness et al. 2015 (ApJ 808, 16). */
#include <config.h>
#include "apogee.h"
#include "../common/lsf_file.h"
#include "../common/ranges.h"
#include "../common/survey_fits.h"
#include "apogee_layouts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_MODEL 10.0 /* continua: no normalised model flux is above */

enum combination { BY_PIXEL, GLOBAL, VISITS, ALL_ROWS };
#define N_DETECTORS 3

/* [first, end) of each detector on the full grid: The Payne's, and ASPCAP's. */
static const int64_t payne[N_DETECTORS][2] = {{322, 3242}, {3648, 6048}, {6412, 8306}};
static const int64_t aspcap[N_DETECTORS][2] = {{246, 3274}, {3585, 6080}, {6344, 8335}};
/* On the full grid segments end in the middle of the gaps, which no star's velocity reaches. */
static const int64_t full_segments[N_DETECTORS + 1] = {0, 3429, 6210, APOGEE_FULL};

typedef struct options {
    int64_t grid;
    int combination;
    anpe_reals bad_bits;
    double sigma_max, sigma_ratio, combined_limit;
    const char *continuum, *exclude, *lsf;
    anpe_reals never; /* pairs of first and last wavelength */
    int64_t degree;
    int visit_frame;
} options;

static const anpe_option option_table[] = {
    ANPE_OPT_INT(options, grid, APOGEE_PAYNE, APOGEE_PAYNE, APOGEE_FULL, "pixels",
                 "7214: the inner parts of the three detectors, as The Payne has them; 8575: all"),
    ANPE_OPT_ENUM(options, combination, BY_PIXEL, "pixel|global|visits|all",
                  "rows of an apStar file to read: the combination weighted by pixel, the one "
                  "weighted globally, every visit, or every row"),
    ANPE_OPT_REALS(options, bad_bits, "0 1 2 3 4 5 6 7 12", 0, 62, "",
                   "bits of the mask that make a pixel bad"),
    ANPE_OPT_REAL(options, sigma_max, 0.5, 0, ANPE_UNBOUNDED, "",
                  "a pixel with a larger error, in units of its detector's median flux, is bad"),
    ANPE_OPT_REAL(options, sigma_ratio, 10, 1, ANPE_UNBOUNDED, "",
                  "in files without a mask: a pixel whose error is larger than this times its "
                  "detector's median error is bad"),
    ANPE_OPT_REAL(options, combined_limit, 1, 0, ANPE_UNBOUNDED, "sigma",
                  "in a combination by pixel: a pixel that some visits flag and others do not is "
                  "bad where it differs by more from the global combination"),
    ANPE_OPT_FILE(options, continuum, "",
                  "7214 or 8575 values, not 0 = continuum; empty: found from the simulator"),
    ANPE_OPT_FILE(options, exclude, "", "7214 or 8575 values, not 0 = never use the pixel"),
    ANPE_OPT_REALS(options, never, "", 15000, 17000, "Angstrom",
                   "pairs of wavelengths: ranges never to use, e.g. lines of hydrogen"),
    LSF_FILE_OPTION(options),
    ANPE_OPT_INT(options, degree, 4, 0, 15, "", "of the continuum's polynomial in each detector"),
    ANPE_OPT_ENUM(options, visit_frame, VISIT_HELIOCENTRIC, "heliocentric|rest|observed",
                  "frame of an apVisit's spectrum: corrected by its BC, at rest by its VRAD, or as "
                  "it was observed"),
    ANPE_OPT_END};

typedef struct apogee {
    const options *o;
    uint64_t bad_bits;
    int64_t n;
    int64_t segment[N_DETECTORS + 1];
    int64_t pixel[APOGEE_FULL]; /* of the full grid's pixels: which of ours, or -1 */
    double wavelength[APOGEE_FULL], resolution[APOGEE_FULL];
    uint8_t continuum[APOGEE_FULL], exclude[APOGEE_FULL];
    int has_continuum, has_exclude;
    anpe_lsf_table lsf;
} apogee;

/* ---- the grid ---------------------------------------------------------------------------- */

/* Place of pixel k of The Payne's grid on the full one. */
static int64_t payne_place(int64_t k)
{
    int d = 0;
    while (d < N_DETECTORS - 1 && k >= payne[d][1] - payne[d][0]) {
        k -= payne[d][1] - payne[d][0];
        d++;
    }
    return payne[d][0] + k;
}

static void make_grid(apogee *s)
{
    s->n = s->o->grid;
    for (int64_t k = 0; k < APOGEE_FULL; k++)
        s->pixel[k] = -1;
    for (int64_t i = 0; i < s->n; i++) {
        const int64_t at = s->n == APOGEE_FULL ? i : payne_place(i);
        s->pixel[at] = i;
        s->wavelength[i] = pow(10, APOGEE_LOG_START + APOGEE_LOG_STEP * (double)at);
        s->resolution[i] =
            22500; /* Majewski et al. 2017; varies by 10 % over fibres and detectors */
    }
    memcpy(s->segment, full_segments, sizeof s->segment);
    for (int d = 0; s->n == APOGEE_PAYNE && d < N_DETECTORS; d++) {
        s->segment[0] = 0;
        s->segment[d + 1] = s->segment[d] + payne[d][1] - payne[d][0];
    }
    for (int64_t i = 0; s->n == APOGEE_FULL && i < s->n; i++) {
        s->exclude[i] = 1; /* the gaps */
        for (int d = 0; d < N_DETECTORS; d++)
            if (i >= aspcap[d][0] && i < aspcap[d][1])
                s->exclude[i] = 0;
    }
    s->has_exclude = s->n == APOGEE_FULL;
}

/* The ranges of option `never`. */
static anpe_status leave_out(anpe_ctx *ctx, apogee *s)
{
    const anpe_status status = ranges_check(ctx, "never", &s->o->never);
    for (int64_t i = 0; i < s->n && !status; i++)
        s->exclude[i] |= (uint8_t)ranges_hold(&s->o->never, s->wavelength[i]);
    s->has_exclude |= s->o->never.n > 0;
    return status;
}

/* A file of one value a pixel, on either grid, or'ed into pixels (n). */
static anpe_status read_pixels(anpe_ctx *ctx, const apogee *s, const char *path, uint8_t *pixels)
{
    double *data = NULL;
    int rank = 0;
    int64_t shape[4] = {0}, n = 1;
    anpe_status status = anpe_array_read(ctx, path, NULL, &data, &rank, shape);

    if (status)
        return status;
    for (int d = 0; d < rank; d++)
        n *= shape[d];
    if (n != APOGEE_FULL && n != APOGEE_PAYNE)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %lld values; expected 7214 or 8575, one a pixel",
                           path, (long long)n);
    for (int64_t k = 0; !status && k < n; k++) {
        const int64_t at = n == APOGEE_FULL ? k : payne_place(k);
        if (!isfinite(data[k]))
            status =
                ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: value %lld is not a number", path, (long long)k);
        else if (s->pixel[at] >= 0 && data[k] != 0)
            pixels[s->pixel[at]] = 1;
    }
    free(data);
    return status;
}

/* ---- life -------------------------------------------------------------------------------- */

static anpe_status read_options(anpe_ctx *ctx, apogee *s)
{
    const options *o = s->o;
    anpe_status status = ANPE_OK;

    if (o->grid != APOGEE_PAYNE && o->grid != APOGEE_FULL)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "grid %lld; expected 7214 or 8575", (long long)o->grid);
    for (int64_t k = 0; k < o->bad_bits.n; k++) {
        const double bit = o->bad_bits.v[k];
        if (!(bit >= 0 && bit <= 62 && bit == floor(bit)))
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "bad_bits: %g; expected whole numbers from 0 to 62",
                             bit);
        s->bad_bits |= (uint64_t)1 << (int)bit;
    }
    make_grid(s);
    if (o->continuum[0]) {
        s->has_continuum = 1;
        status = read_pixels(ctx, s, o->continuum, s->continuum);
    }
    if (!status && o->exclude[0]) {
        s->has_exclude = 1;
        status = read_pixels(ctx, s, o->exclude, s->exclude);
    }
    if (!status)
        status = leave_out(ctx, s);
    return status ? status : lsf_file_read(ctx, o->lsf, &s->lsf);
}

static void destroy(void *self)
{
    apogee *s = self;
    if (s)
        lsf_file_clear(&s->lsf);
    free(s);
}

static anpe_status create(anpe_ctx *ctx, const void *o, const void *setup, void **self)
{
    apogee *s;
    anpe_status status;

    (void)setup;
    *self = NULL;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->o = o;
    status = read_options(ctx, s);
    if (status)
        destroy(s);
    else
        *self = s;
    return status;
}

static void info(const void *self, anpe_instrument_info *out)
{
    const apogee *s = self;
    *out = (anpe_instrument_info){
        .channels = 1,
        .n_pixels = s->n,
        .wavelength = s->wavelength,
        .resolution = s->resolution,
        .n_segments = N_DETECTORS,
        .segment = s->segment,
        .continuum = s->has_continuum ? s->continuum : NULL,
        .needs_continuum = 1,
        .exclude = s->has_exclude ? s->exclude : NULL,
        .lsf = lsf_file_table(&s->lsf),
    };
}

/* ---- reading ----------------------------------------------------------------------------- */

enum layout { COMBINED, VISIT, TABLES };

/* An open file whose flux image has been looked at. */
typedef struct source {
    const char *path;
    fitsfile *fits;
    enum layout layout;
    int64_t rows;      /* of TABLES */
    survey_image flux; /* of COMBINED, as what follows */
    int mask_hdu;
    int integers; /* it is an image of whole numbers: bits (apStar) */
    int has_mask; /* once a row is read: HDU 3 holds bits; otherwise ASPCAP's model */
} source;

typedef struct planes {
    double flux[APOGEE_FULL], sigma[APOGEE_FULL], bits[APOGEE_FULL];
    uint8_t bad[APOGEE_FULL];
} planes;

/* What CRVAL1 and the step state, linear where no logarithm of a wavelength is so large. */
static anpe_status refuse_scale(anpe_ctx *ctx, const source *f, double start, double step)
{
    static const double largest_log = 20;
    char has[96];

    if (start > largest_log)
        snprintf(has, sizeof has, "%.10g + %.10g i, linear", start, step);
    else
        snprintf(has, sizeof has, "10^(%.10g + %.10g i)", start, step);
    if (f->flux.width == APOGEE_PAYNE)
        return ANPE_FAIL(
            ctx, ANPE_EFORMAT,
            "%s: wavelengths are %s, pixel for pixel; 7214 pixels are taken as the "
            "inner parts of three detectors, which no single scale describes: expected "
            "a header without one, or 8575 pixels on 10^(4.179 + 6e-06 i)",
            f->path, has);
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: wavelengths are %s; expected 10^(4.179 + 6e-06 i), the scale of combined "
                     "APOGEE spectra",
                     f->path, has);
}

/* Where the header gives a wavelength scale, it must be the survey's, to a tenth of a pixel. The
 * step is CDELT1 or CD1_1; a header with both must be right in both. */
static anpe_status check_scale(anpe_ctx *ctx, const source *f)
{
    static const char *const steps[] = {"CDELT1", "CD1_1"};
    double start = 0, step, first = 1;
    int found = 0;
    const int hdu = survey_fits_real(f->fits, 1, "CRVAL1", &start) ? 1 : 0;

    if (!survey_fits_real(f->fits, hdu, "CRVAL1", &start))
        return ANPE_OK;
    (void)survey_fits_real(f->fits, hdu, "CRPIX1", &first);
    for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
        if (!survey_fits_real(f->fits, hdu, steps[k], &step))
            continue;
        const double at = start + (1 - first) * step;
        const double off =
            fabs(at - APOGEE_LOG_START) + fabs(step - APOGEE_LOG_STEP) * (APOGEE_FULL - 1);
        if (!(off < 0.1 * APOGEE_LOG_STEP) || f->flux.width == APOGEE_PAYNE)
            return refuse_scale(ctx, f, at, step);
        found = 1;
    }
    if (!found && !(fabs(start - APOGEE_LOG_START) < APOGEE_LOG_STEP))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: wavelengths start at CRVAL1 = %.10g without a step; expected 4.179, "
                         "the scale of combined APOGEE spectra",
                         f->path, start);
    return ANPE_OK;
}

/* An image of whole numbers behind ASPCAP's model whose name says mask, in some aspcapStar; or 3.
 */
static int find_mask(const source *f)
{
    enum { LAST = 12 };
    char name[FLEN_VALUE];
    int status = 0, bitpix = 0;
    for (int hdu = 4; hdu <= LAST && survey_fits_has(f->fits, hdu); hdu++) {
        if (!survey_fits_is_image(f->fits, hdu))
            continue;
        fits_get_img_type(f->fits, &bitpix, &status);
        if (status == 0 && bitpix > 0 &&
            (survey_fits_text(f->fits, hdu, "EXTNAME", name) ||
             survey_fits_text(f->fits, hdu, "BUNIT", name)) &&
            strcasestr(name, "mask"))
            return hdu;
    }
    fits_clear_errmsg();
    return 3;
}

static anpe_status look_at_images(anpe_ctx *ctx, source *f)
{
    survey_image mask;
    anpe_status status = survey_fits_image(ctx, f->fits, f->path, 1, "flux", &f->flux);
    if (status)
        return status;
    if (f->flux.width != APOGEE_FULL && f->flux.width != APOGEE_PAYNE)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: the flux has %lld pixels; expected 8575 or 7214: a combined "
                         "spectrum (apStar, aspcapStar), or an apVisit with three rows and "
                         "wavelengths in HDU 4",
                         f->path, (long long)f->flux.width);
    status = survey_fits_image(ctx, f->fits, f->path, 3, "bit mask or model", &mask);
    f->mask_hdu = 3;
    if (!status && !mask.integers && (f->mask_hdu = find_mask(f)) != 3)
        status = survey_fits_image(ctx, f->fits, f->path, f->mask_hdu, "bit mask", &mask);
    f->integers = mask.integers;
    return status ? status : check_scale(ctx, f);
}

static anpe_status open_source(anpe_ctx *ctx, const char *path, source *f)
{
    anpe_status status;

    *f = (source){.path = path};
    if ((status = survey_fits_open(ctx, path, &f->fits)))
        return status;
    if (apogee_has_tables(f->fits)) {
        f->layout = TABLES;
        status = apogee_count_rows(ctx, f->fits, path, &f->rows);
    } else if (apogee_is_visit(f->fits))
        f->layout = VISIT;
    else
        status = look_at_images(ctx, f);
    if (!status && f->layout != TABLES)
        status = apogee_check_images(ctx, f->fits, path);
    if (status) {
        survey_fits_close(f->fits);
        f->fits = NULL;
    }
    return status;
}

static int64_t count_rows(const apogee *s, const source *f)
{
    if (f->layout != COMBINED)
        return f->layout == TABLES ? f->rows : 1;
    switch (s->o->combination) {
    case VISITS:
        return f->flux.rows > 2 ? f->flux.rows - 2 : 1;
    case ALL_ROWS:
        return f->flux.rows;
    default:
        return 1;
    }
}

/* Row of the images for spectrum `row` of the file: combinations first, visits from row 2 on. A
 * single row is the only visit and its own combination. */
static int64_t image_row(const apogee *s, const source *f, int64_t row)
{
    switch (s->o->combination) {
    case GLOBAL:
        return f->flux.rows > 1 ? 1 : 0;
    case VISITS:
        return f->flux.rows > 2 ? row + 2 : 0;
    case ALL_ROWS:
        return row;
    default:
        return 0;
    }
}

static anpe_status read_plane(anpe_ctx *ctx, const source *f, int hdu, const char *what,
                              int64_t row, double *data)
{
    survey_image image;
    anpe_status status = survey_fits_image(ctx, f->fits, f->path, hdu, what, &image);

    if (status)
        return status;
    if (image.width != f->flux.width || image.rows != f->flux.rows)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: the %s has shape (%lld, %lld), the flux (%lld, %lld)", f->path, what,
                         (long long)image.rows, (long long)image.width, (long long)f->flux.rows,
                         (long long)f->flux.width);
    return survey_fits_row(ctx, f->fits, f->path, what, &image, row, data);
}

/* Whether floats are bits, as a mask that went through arithmetic has them: whole numbers that are
 * not all 0, or too large for the normalised flux of ASPCAP's model. */
static int are_bits(int64_t n, const double *v)
{
    int whole = 1, any = 0;
    for (int64_t k = 0; k < n; k++) {
        if (!isfinite(v[k]))
            continue;
        if (fabs(v[k]) > LARGEST_MODEL)
            return 1;
        whole = whole && v[k] == floor(v[k]);
        any = any || v[k] != 0;
    }
    return whole && any;
}

/* Whether an image row is a combination of visits that the file has, too. */
static int is_combined(const source *f, int64_t row)
{
    return row < 2 && f->flux.rows > 2;
}

/* What the visits say of each pixel. `every`: all flag it; `some`: one does; `bits`: any's. */
typedef struct verdict {
    uint8_t every[APOGEE_FULL], some[APOGEE_FULL];
    uint64_t bits[APOGEE_FULL];
} verdict;

/* scratch: (n) */
static anpe_status ask_visits(anpe_ctx *ctx, const apogee *s, const source *f, double *scratch,
                              verdict *v)
{
    memset(v->every, 1, sizeof v->every);
    for (int64_t row = 2; row < f->flux.rows; row++) {
        const anpe_status status = read_plane(ctx, f, 3, "bit mask", row, scratch);
        if (status)
            return status;
        for (int64_t k = 0; k < f->flux.width; k++) {
            const int flagged = survey_is_flagged(scratch[k], s->bad_bits);
            v->every[k] = v->every[k] && flagged;
            v->some[k] = v->some[k] || flagged;
            v->bits[k] |= survey_bits(scratch[k]);
        }
    }
    return ANPE_OK;
}

/* Row 0 carries the OR of its visits' masks in older files and the AND in later ones, though
 * flagged visit pixels stay out of the sum in both; row 1 the AND. So a pixel is bad where every
 * visit flags it, or the combination alone. Visits with a sky line do enter row 0 of some files,
 * never row 1: where visits disagree, the two rows must agree. */
static anpe_status judge_combination(anpe_ctx *ctx, const apogee *s, const source *f, int64_t row,
                                     planes *p)
{
    double *other = NULL;
    verdict *v;
    anpe_status status;

    ANPE_TRY(ANPE_NEW(ctx, v, 1));
    ANPE_TRY(ANPE_NEW(ctx, other, f->flux.width));
    ANPE_TRY(ask_visits(ctx, s, f, other, v));
    ANPE_TRY(read_plane(ctx, f, 1, "flux", 1, other));
    for (int64_t k = 0; k < f->flux.width; k++) {
        const uint64_t own = survey_bits(p->bits[k]) & ~v->bits[k];
        const double limit = s->o->combined_limit * p->sigma[k];
        const int differ = v->some[k] && row == 0 && !(fabs(p->flux[k] - other[k]) <= limit);
        p->bad[k] = v->every[k] || (own & s->bad_bits) || differ;
    }
out:
    free(other);
    free(v);
    return status;
}

static anpe_status read_planes(anpe_ctx *ctx, const apogee *s, source *f, int64_t row, planes *p)
{
    anpe_status status = read_plane(ctx, f, 1, "flux", row, p->flux);
    if (!status)
        status = read_plane(ctx, f, 2, "error", row, p->sigma);
    if (!status)
        status = read_plane(ctx, f, f->mask_hdu, "bit mask or model", row, p->bits);
    f->has_mask = !status && (f->integers || are_bits(f->flux.width, p->bits));
    if (f->has_mask && is_combined(f, row))
        return judge_combination(ctx, s, f, row, p);
    for (int64_t k = 0; !status && k < f->flux.width; k++)
        p->bad[k] = f->has_mask && survey_is_flagged(p->bits[k], s->bad_bits);
    return status;
}

static void place_pixels(const apogee *s, const source *f, const planes *p, anpe_spectrum *out)
{
    for (int64_t i = 0; i < s->n; i++)
        survey_put_pixel(out, i, 0, 0, 1); /* not in the file, unless found below */
    for (int64_t k = 0; k < f->flux.width; k++) {
        const int64_t i = s->pixel[f->flux.width == APOGEE_FULL ? k : payne_place(k)];
        if (i >= 0)
            survey_put_pixel(out, i, p->flux[k], p->sigma[k], p->bad[k]);
    }
}

/* The surveys mark lost pixels by huge errors (1e10 in apStar, 10 and more in aspcapStar, where
 * interpolation smears them over neighbours). The planes are scratch by now. median: flux of what
 * the mask left of each detector, 0 where nothing. */
static void flag_errors(const apogee *s, int has_mask, planes *p, anpe_spectrum *out,
                        double median[N_DETECTORS])
{
    for (int d = 0; d < N_DETECTORS; d++) {
        int64_t good = 0;
        double limit;
        for (int64_t i = s->segment[d]; i < s->segment[d + 1]; i++)
            if (!out->mask[i]) {
                p->flux[good] = out->flux[i];
                p->sigma[good++] = out->sigma[i];
            }
        median[d] = survey_median(good, p->flux);
        limit = s->o->sigma_max * median[d];
        if (!has_mask)
            limit = fmin(limit, s->o->sigma_ratio * survey_median(good, p->sigma));
        for (int64_t i = s->segment[d]; i < s->segment[d + 1]; i++)
            if (!(out->sigma[i] <= limit))
                out->mask[i] = 1;
    }
}

/* Three detectors with wavelengths of their own, put on ours. */
static anpe_status read_visit(anpe_ctx *ctx, const apogee *s, source *f, anpe_spectrum *out)
{
    observed o = {0};
    anpe_status status = apogee_read_visit(ctx, f->fits, f->path,
                                           (enum visit_frame)s->o->visit_frame, s->bad_bits, &o);
    if (!status)
        status = observed_put(ctx, &o, s->n, s->wavelength, out);
    f->has_mask = 1;
    observed_clear(&o);
    return status;
}

/* A row of a table; id (size) as the file states it. */
static anpe_status read_table(anpe_ctx *ctx, const apogee *s, source *f, int64_t row, planes *p,
                              anpe_spectrum *out)
{
    const anpe_status status = apogee_read_row(ctx, f->fits, f->path, row, p->flux, p->sigma,
                                               p->bits, sizeof out->id, out->id);
    if (status)
        return status;
    f->has_mask = 1;
    f->flux.width = APOGEE_FULL;
    for (int64_t k = 0; k < APOGEE_FULL; k++)
        p->bad[k] = (uint8_t)survey_is_flagged(p->bits[k], s->bad_bits);
    place_pixels(s, f, p, out);
    return ANPE_OK;
}

static anpe_status read_combined(anpe_ctx *ctx, const apogee *s, source *f, int64_t row, planes *p,
                                 anpe_spectrum *out)
{
    const anpe_status status = read_planes(ctx, s, f, image_row(s, f, row), p);
    if (!status)
        place_pixels(s, f, p, out);
    return status;
}

static anpe_status check_good(anpe_ctx *ctx, const char *path, const double median[N_DETECTORS],
                              const anpe_spectrum *out)
{
    double lowest = 0;
    for (int64_t i = 0; i < out->n_pixels; i++)
        if (!out->mask[i])
            return ANPE_OK;
    for (int d = 0; d < N_DETECTORS; d++)
        lowest = fmin(lowest, median[d]);
    if (lowest < 0)
        return ANPE_FAIL(
            ctx, ANPE_EINVAL,
            "%s: the median flux of the detectors is %g, %g, %g; expected a star, with "
            "more than nothing in one of them",
            path, median[0], median[1], median[2]);
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no good pixel among %lld", path,
                     (long long)out->n_pixels);
}

static anpe_status count(const void *self, anpe_ctx *ctx, const char *path, int64_t *n)
{
    source f;
    const anpe_status status = open_source(ctx, path, &f);

    if (status)
        return status;
    *n = count_rows(self, &f);
    survey_fits_close(f.fits);
    return ANPE_OK;
}

static anpe_status read(const void *self, anpe_ctx *ctx, const char *path, int64_t row,
                        anpe_spectrum *out)
{
    const apogee *s = self;
    double median[N_DETECTORS];
    planes *p = NULL;
    source f;
    anpe_status status = open_source(ctx, path, &f);

    if (status)
        return status;
    if (row < 0 || row >= count_rows(s, &f)) {
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has %lld", path,
                           (long long)row, (long long)count_rows(s, &f));
        goto out;
    }
    ANPE_TRY(ANPE_NEW(ctx, p, 1));
    out->id[0] = '\0';
    ANPE_TRY(f.layout == VISIT    ? read_visit(ctx, s, &f, out)
             : f.layout == TABLES ? read_table(ctx, s, &f, row, p, out)
                                  : read_combined(ctx, s, &f, row, p, out));
    flag_errors(s, f.has_mask, p, out, median);
    if (!out->id[0])
        apogee_name(f.fits, out->id, sizeof out->id);
    status = check_good(ctx, path, median, out);
out:
    free(p);
    survey_fits_close(f.fits);
    return status;
}

static anpe_status need_continuum(anpe_ctx *ctx, const uint8_t *continuum)
{
    return continuum ? ANPE_OK
                     : ANPE_FAIL(ctx, ANPE_EINVAL,
                                 "no continuum pixels: give the option `continuum` a file of them");
}

static anpe_status normalise(const void *self, anpe_ctx *ctx, const uint8_t *continuum,
                             anpe_spectrum *out)
{
    const apogee *s = self;
    const anpe_status status = need_continuum(ctx, continuum);

    return status ? status
                  : anpe_continuum_chebyshev(ctx, (int)s->o->degree, N_DETECTORS, s->segment,
                                             continuum, out);
}

static anpe_status continuum_weights(const void *self, anpe_ctx *ctx, const uint8_t *continuum,
                                     const anpe_spectrum *in, double *weight)
{
    const apogee *s = self;
    const anpe_status status = need_continuum(ctx, continuum);

    return status ? status
                  : anpe_continuum_chebyshev_weights(ctx, (int)s->o->degree, N_DETECTORS,
                                                     s->segment, continuum, in, weight);
}

static int64_t continuum_modes(const void *self, float *mode)
{
    const apogee *s = self;
    return anpe_continuum_chebyshev_modes((int)s->o->degree, N_DETECTORS, s->segment, mode);
}

static const char *const reading[] = {"combination",    "bad_bits",    "sigma_max", "sigma_ratio",
                                      "combined_limit", "visit_frame", NULL};
static const anpe_instrument_ops ops = {.size = sizeof ops,
                                        .info = info,
                                        .count = count,
                                        .read = read,
                                        .normalise = normalise,
                                        .continuum_modes = continuum_modes,
                                        .continuum_weights = continuum_weights,
                                        .recognise = apogee_recognise,
                                        .reading = reading};

static const anpe_plugin instrument = {
    .abi = ANPE_ABI,
    .kind = ANPE_INSTRUMENT,
    .name = "apogee",
    .version = "1",
    .summary = "APOGEE spectra: apStar, aspcapStar, apVisit, mwmStar and mwmVisit files",
    .options = option_table,
    .options_size = sizeof(options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};

ANPE_PLUGINS(&instrument, &apogee_noise);
