/* The reader of APOGEE files: bits, rows, grids, scales, damaged files, and the real ones. */
#include <config.h>
#include "instrument_support.h"

enum { FULL = 8575, PAYNE = 7214 };
static double flux[5 * FULL], sigma[5 * FULL], bits[5 * FULL];

/* The inner detectors, as published: i in [322, 3242), [3648, 6048), [6412, 8306). */
static int64_t payne(int64_t k)
{
    return k < 2920 ? k + 322 : k < 5320 ? k - 2920 + 3648 : k - 5320 + 6412;
}

static void flat(int64_t width, int64_t rows)
{
    for (int64_t k = 0; k < width * rows; k++) {
        flux[k] = 100 * (double)(1 + k / width);
        sigma[k] = 2;
        bits[k] = 0;
    }
}

/* An apStar of what the arrays hold; bits == 0: without mask, an aspcapStar. */
static const char *apstar(const char *name, int64_t width, int64_t rows, int mask_type,
                          double start)
{
    const char *path = in_scratch(name);
    fitsfile *f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_text(f, "OBJID", "2M00000000+0000000");
    put_image(f, FLOAT_IMG, width, rows, flux);
    put_real(f, "CRVAL1", start);
    put_real(f, "CDELT1", 6e-6);
    put_image(f, FLOAT_IMG, width, rows, sigma);
    put_image(f, mask_type, width, rows, bits);
    end_fits(f);
    return path;
}

static void test_bits(void)
{
    const int bad[15] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0};
    flat(FULL, 1);
    for (int bit = 0; bit < 15; bit++)
        bits[1000 + 10 * bit] = (double)(1 << bit);
    const char *path = apstar("bits.fits", FULL, 1, SHORT_IMG, 4.179);
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    WORKS(read_row(path, 0));
    for (int bit = 0; bit < 15; bit++)
        CU_ASSERT_EQUAL(spectrum.mask[1000 + 10 * bit - 322], bad[bit]);
    CU_ASSERT_EQUAL(n_good(), PAYNE - 9);
    CU_ASSERT_EQUAL(spectrum.flux[5], 100);
    CU_ASSERT_EQUAL(spectrum.sigma[5], 2);
    CU_ASSERT_STRING_EQUAL(spectrum.id, "2M00000000+0000000");
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; bad_bits = [13, 14]; };"));
    WORKS(read_row(path, 0));
    for (int bit = 0; bit < 15; bit++)
        CU_ASSERT_EQUAL(spectrum.mask[1000 + 10 * bit - 322], bit > 12);
}

static void test_rows(void)
{
    const struct {
        const char *name;
        int64_t n, first; /* image row of spectrum 0 */
    } cases[] = {{"pixel", 1, 0}, {"global", 1, 1}, {"visits", 3, 2}, {"all", 5, 0}};
    int64_t n;
    char text[128];

    flat(FULL, 5);
    const char *path = apstar("rows.fits", FULL, 5, SHORT_IMG, 4.179);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        snprintf(text, sizeof text, "instrument: { plugin = \"apogee\"; combination = \"%s\"; };",
                 cases[k].name);
        WORKS(open_instrument(text));
        WORKS(ops->count(instrument.self, ctx, path, &n));
        CU_ASSERT_EQUAL(n, cases[k].n);
        for (int64_t row = 0; row < n; row++) {
            WORKS(read_row(path, row));
            CU_ASSERT_EQUAL(spectrum.flux[7], 100 * (float)(1 + cases[k].first + row));
        }
        FAILS(read_row(path, n), ANPE_EINVAL, "no spectrum");
        FAILS(read_row(path, -1), ANPE_EINVAL, "no spectrum -1");
    }
    CU_ASSERT_STRING_EQUAL(spectrum.id, "2M00000000+0000000"); /* the star's, in every row */
    /* One row is every combination and the only visit. */
    path = apstar("row.fits", FULL, 1, SHORT_IMG, 4.179);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        snprintf(text, sizeof text, "instrument: { plugin = \"apogee\"; combination = \"%s\"; };",
                 cases[k].name);
        WORKS(open_instrument(text));
        WORKS(ops->count(instrument.self, ctx, path, &n));
        CU_ASSERT_EQUAL(n, 1);
        WORKS(read_row(path, 0));
        CU_ASSERT_EQUAL(spectrum.flux[7], 100);
    }
}

/* Six rows: two combinations, four visits. One place for each thing that visits can say; row 0's
 * mask is their OR (older files) or their AND (later ones), which must not matter. */
static void test_combined_mask(void)
{
    enum {
        ROWS = 5,
        SOME = 1000,
        EVERY = 1010,
        UNLIKE = 1020,
        SKY = 1030,
        OWN = 1040,
        MILD = 1050
    };
    const int visit[5] = {SOME, EVERY, UNLIKE, SKY, MILD};
    int64_t good[2] = {0};
    for (int or = 0; or < 2; or ++) {
        flat(FULL, ROWS);
        for (int64_t k = 0; k < ROWS * FULL; k++)
            flux[k] = 100; /* sigma is 2 */
        for (int k = 0; k < 5; k++)
            bits[2 * FULL + visit[k]] = visit[k] == UNLIKE ? 8 : 4096; /* visit 1 flags them all */
        for (int row = 3; row < ROWS; row++) {
            bits[row * FULL + EVERY] = 4096;
            bits[row * FULL + UNLIKE] = 1; /* each for a reason of its own: their AND is 0 */
        }
        for (int k = 0; k < 5; k++)
            bits[visit[k]] = or ? 4096 + 9 * (visit[k] == UNLIKE) : 4096 * (visit[k] == EVERY);
        bits[OWN] = 64;
        flux[SKY] = 103;  /* one and a half sigma from row 1: the visit's sky is in the sum */
        flux[MILD] = 101; /* half a sigma */
        flux[1060] = 200; /* no visit objects: the combinations need not agree */
        const char *path = apstar(or ? "or.fits" : "and.fits", FULL, ROWS, SHORT_IMG, 4.179);
        WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
        WORKS(read_row(path, 0));
        const uint8_t *mask = spectrum.mask - 322;
        CU_ASSERT(!mask[SOME] && mask[EVERY] && mask[UNLIKE] && mask[SKY] && mask[OWN]);
        CU_ASSERT(!mask[MILD] && !mask[1060]);
        good[or] = n_good();
        WORKS(open_instrument("instrument: { plugin = \"apogee\"; combined_limit = 2.0; };"));
        WORKS(read_row(path, 0));
        CU_ASSERT_EQUAL(n_good(), good[or] + 1);
        WORKS(open_instrument("instrument: { plugin = \"apogee\"; combination = \"global\"; };"));
        WORKS(read_row(path, 0)); /* visits with a sky line never enter row 1 */
        CU_ASSERT_EQUAL(n_good(), PAYNE - 2);
        WORKS(open_instrument("instrument: { plugin = \"apogee\"; combination = \"visits\"; };"));
        WORKS(read_row(path, 0)); /* a visit is judged by its own mask */
        CU_ASSERT_EQUAL(n_good(), PAYNE - 5);
    }
    CU_ASSERT(good[0] == PAYNE - 4 && good[1] == good[0]);
}

static void test_grids(void)
{
    flat(FULL, 1);
    for (int k = 0; k < FULL; k++)
        flux[k] = 1000 + k;
    const char *full = apstar("full.fits", FULL, 1, LONG_IMG, 4.179);
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    CU_ASSERT_EQUAL(info.n_pixels, PAYNE);
    CU_ASSERT(info.segment[0] == 0 && info.segment[1] == 2920 && info.segment[2] == 5320 &&
              info.segment[3] == PAYNE && info.n_segments == 3);
    WORKS(read_row(full, 0));
    for (int64_t i = 0; i < PAYNE; i++)
        CU_ASSERT_EQUAL(spectrum.flux[i], (float)(1000 + payne(i)));
    for (int64_t i = 0; i < PAYNE; i++)
        flux[i] = 2000 + (double)i;
    const char *inner = in_scratch("inner.fits"); /* no scale: three detectors in one row */
    fitsfile *f = new_fits(inner);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_image(f, FLOAT_IMG, PAYNE, 1, flux);
    put_image(f, FLOAT_IMG, PAYNE, 1, sigma);
    put_image(f, LONG_IMG, PAYNE, 1, bits);
    end_fits(f);
    WORKS(read_row(inner, 0));
    CU_ASSERT(spectrum.flux[0] == 2000 && spectrum.flux[PAYNE - 1] == 2000 + PAYNE - 1);
    CU_ASSERT_EQUAL(n_good(), PAYNE);

    WORKS(open_instrument("instrument: { plugin = \"apogee\"; grid = 8575; };"));
    CU_ASSERT(info.n_pixels == FULL && info.segment[3] == FULL);
    WORKS(read_row(full, 0));
    CU_ASSERT_EQUAL(n_good(), FULL);
    CU_ASSERT(spectrum.flux[0] == 1000 && spectrum.flux[FULL - 1] == 1000 + FULL - 1);
    WORKS(read_row(inner, 0)); /* what the file does not have is bad */
    CU_ASSERT_EQUAL(n_good(), PAYNE);
    CU_ASSERT(spectrum.mask[321] && !spectrum.mask[322] && spectrum.mask[3242]);
    for (int64_t i = 0; i < PAYNE; i++)
        CU_ASSERT_EQUAL(spectrum.flux[payne(i)], (float)(2000 + i));
    CU_ASSERT(all_finite());
    CU_ASSERT(info.exclude && info.exclude[245] && !info.exclude[246] && info.exclude[3400]);
}

/* A file of one row with CRVAL1 and a step under the given name; what: expected text, or NULL. */
static void try_scale(int64_t width, double start, const char *key, double step, const char *what)
{
    const char *path = in_scratch("scaled.fits");
    fitsfile *f = new_fits(path);
    flat(width, 1);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_image(f, FLOAT_IMG, width, 1, flux);
    put_real(f, "CRVAL1", start);
    if (key)
        put_real(f, key, step);
    put_image(f, FLOAT_IMG, width, 1, sigma);
    put_image(f, SHORT_IMG, width, 1, bits);
    end_fits(f);
    if (what)
        FAILS(read_row(path, 0), ANPE_EFORMAT, what);
    else
        WORKS(read_row(path, 0));
}

/* The step under either of its names, linear scales, and a scale where there can be none. */
static void test_scales(void)
{
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    try_scale(FULL, 4.179, "CD1_1", 6e-6, NULL);
    try_scale(FULL, 4.179, "CD1_1", 1e-5, "are 10^(4.179 + 1e-05 i); expected 10^(4.179 + 6e-06");
    try_scale(FULL, 4.179, "CDELT1", 1e-5, "are 10^(4.179 + 1e-05 i); expected 10^(4.179 + 6e-06");
    try_scale(FULL, 15100.8, "CD1_1", 0.22, "are 15100.8 + 0.22 i, linear; expected 10^(4.179");
    try_scale(FULL, 15100.8, "CDELT1", 0.22, "are 15100.8 + 0.22 i, linear; expected 10^(4.179");
    try_scale(FULL, 4.179, NULL, 0, NULL);
    try_scale(FULL, 4.2, NULL, 0, "start at CRVAL1 = 4.2 without a step; expected 4.179");
    try_scale(PAYNE, 4.179, "CD1_1", 6e-6, "are 10^(4.179 + 6e-06 i), pixel for pixel; 7214");
    try_scale(PAYNE, 4.180932, "CDELT1", 6e-6, "which no single scale describes");
}

static void test_scale(void)
{
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    /* 10^4.180932 and 10^4.22883: i = 322 and 8305 */
    CU_ASSERT_DOUBLE_EQUAL(info.wavelength[0], 15168.128527, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(info.wavelength[PAYNE - 1], pow(10, 4.179 + 6e-6 * 8305), 1e-9);
    CU_ASSERT_EQUAL(info.resolution[17], 22500);
    flat(FULL, 1);
    FAILS(read_row(apstar("scale.fits", FULL, 1, SHORT_IMG, 4.18), 0), ANPE_EFORMAT,
          "expected 10^(4.179 + 6e-06 i)");
    /* a twentieth of a pixel is rounding, a pixel is another grid */
    WORKS(read_row(apstar("scale.fits", FULL, 1, SHORT_IMG, 4.179 + 3e-7), 0));
    FAILS(read_row(apstar("scale.fits", FULL, 1, SHORT_IMG, 4.179 + 6e-6), 0), ANPE_EFORMAT,
          "expected 10^(4.179");
    if (!shared("apogee/apogee_wavelength.npz"))
        return;
    double *w = NULL;
    int rank;
    int64_t shape[4];
    WORKS(anpe_array_read(ctx, shared("apogee/apogee_wavelength.npz"), NULL, &w, &rank, shape));
    CU_ASSERT_EQUAL_FATAL(shape[0], PAYNE);
    for (int i = 0; i < PAYNE; i++) /* the file's values are rounded to about 1e-9 of themselves */
        CU_ASSERT_DOUBLE_EQUAL(w[i], info.wavelength[i], 1e-4);
    free(w);
}

static void test_values(void)
{
    const double bad_flux[] = {NAN, INFINITY, -INFINITY, 1e300};
    const double bad_sigma[] = {NAN, INFINITY, 0, -1, 1e10, 60};
    int n = 0;
    flat(FULL, 1);
    for (size_t k = 0; k < sizeof bad_flux / sizeof bad_flux[0]; k++, n++)
        flux[400 + 3 * n] = bad_flux[k];
    for (size_t k = 0; k < sizeof bad_sigma / sizeof bad_sigma[0]; k++, n++)
        sigma[400 + 3 * n] = bad_sigma[k];
    flux[2000] = -5; /* noise around nothing: a good pixel */
    const char *path = in_scratch("values.fits");
    fitsfile *f = new_fits(path); /* in double, so that 1e300 reaches the file */
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_image(f, DOUBLE_IMG, FULL, 1, flux);
    put_image(f, DOUBLE_IMG, FULL, 1, sigma);
    put_image(f, SHORT_IMG, FULL, 1, bits);
    end_fits(f);
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    WORKS(read_row(path, 0));
    CU_ASSERT(all_finite());
    CU_ASSERT_EQUAL(n_good(), PAYNE - n);
    for (int k = 0; k < n; k++)
        CU_ASSERT_EQUAL(spectrum.mask[400 + 3 * k - 322], 1);
    CU_ASSERT(!spectrum.mask[2000 - 322] && spectrum.flux[2000 - 322] == -5);
    CU_ASSERT_STRING_EQUAL(spectrum.id, ""); /* no name in the header */
}

static void test_all_bad(void)
{
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    flat(FULL, 1);
    for (int k = 0; k < FULL; k++)
        bits[k] = 1;
    FAILS(read_row(apstar("bad.fits", FULL, 1, SHORT_IMG, 4.179), 0), ANPE_EINVAL,
          "bad.fits: no good pixel among 7214");
    flat(FULL, 1);
    for (int k = 0; k < FULL; k++)
        flux[k] = NAN;
    FAILS(read_row(apstar("bad.fits", FULL, 1, SHORT_IMG, 4.179), 0), ANPE_EINVAL,
          "no good pixel among 7214");
    CU_ASSERT(all_finite());
    flat(FULL, 1);
    for (int k = 0; k < FULL; k++)
        flux[k] = k < 3400 ? 0 : -12;
    FAILS(read_row(apstar("bad.fits", FULL, 1, SHORT_IMG, 4.179), 0), ANPE_EINVAL,
          "bad.fits: the median flux of the detectors is 0, -12, -12; expected a star");
}

/* Without a mask the errors tell: far above the others, or near the flux itself. */
static void test_aspcap(void)
{
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    for (int k = 0; k < FULL; k++) {
        flux[k] = 1;
        sigma[k] = 0.01;
        bits[k] = 0.97; /* the model */
    }
    sigma[1000] = 10;
    sigma[1001] = 0.2;
    sigma[1002] = 0.09;
    flux[1003] = 0;
    sigma[1003] = 10;
    WORKS(read_row(apstar("aspcap.fits", FULL, 1, FLOAT_IMG, 4.179), 0));
    CU_ASSERT_EQUAL(n_good(), PAYNE - 3);
    CU_ASSERT(spectrum.mask[678] && spectrum.mask[679] && !spectrum.mask[680] &&
              spectrum.mask[681]);
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; sigma_ratio = 30.0; };"));
    WORKS(read_row(in_scratch("aspcap.fits"), 0));
    CU_ASSERT_EQUAL(n_good(), PAYNE - 2);
}

static void test_gzip(void)
{
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    flat(FULL, 2);
    const char *path = apstar("star.fits.gz", FULL, 2, SHORT_IMG, 4.179);
    size_t n;
    char *start = read_bytes(path, &n);
    CU_ASSERT(start[0] == 0x1f && (unsigned char)start[1] == 0x8b); /* really compressed */
    free(start);
    WORKS(read_row(path, 0));
    CU_ASSERT(n_good() == PAYNE && spectrum.flux[0] == 100);
    cut_file(path, n / 2);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "star.fits.gz: ");
}

static void test_damaged(void)
{
    int64_t n;
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    flat(FULL, 1);
    FAILS(read_row(in_scratch("none.fits"), 0), ANPE_EIO, "none.fits: cannot open: No such file");
    FAILS(ops->count(instrument.self, ctx, in_scratch("none.fits"), &n), ANPE_EIO, "No such file");
    FAILS(read_row(scratch, 0), ANPE_EIO, "Is a directory");
    write_bytes(in_scratch("text.fits"), "wavelength flux\n", 16);
    FAILS(read_row(in_scratch("text.fits"), 0), ANPE_EFORMAT, "not a FITS file");
    write_bytes(in_scratch("empty.fits"), "", 0);
    FAILS(read_row(in_scratch("empty.fits"), 0), ANPE_EFORMAT, "the file is empty");
    write_bytes(in_scratch("head.fits"), "SIMPLE  =                    T", 30);
    FAILS(read_row(in_scratch("head.fits"), 0), ANPE_EFORMAT, "head.fits: ");
    const char *path = apstar("cut.fits", FULL, 1, SHORT_IMG, 4.179);
    cut_file(path, 2880 * 31); /* ends within the last images */
    FAILS(read_row(path, 0), ANPE_EFORMAT, "cut.fits: ");
    /* Any length at all ends in an error or a whole spectrum, never in a crash. */
    path = apstar("cut.fits", FULL, 1, SHORT_IMG, 4.179);
    size_t size;
    free(read_bytes(path, &size));
    for (size_t keep = size - 2880; keep > 0; keep = keep > 1777 ? keep - 1777 : 0) {
        cut_file(path, keep);
        const anpe_status status = read_row(path, 0);
        CU_ASSERT(status == ANPE_EFORMAT || (status == ANPE_OK && all_finite()));
    }
}

static void test_wrong_shape(void)
{
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    flat(FULL, 3);
    FAILS(read_row(apstar("visit.fits", 4096, 3, SHORT_IMG, 4.179), 0), ANPE_EFORMAT,
          "the flux has 4096 pixels; expected 8575 or 7214");
    const char *path = in_scratch("shape.fits");
    fitsfile *f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_image(f, FLOAT_IMG, FULL, 2, flux);
    end_fits(f);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "no HDU 3, which should hold the bit mask or model");
    f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_image(f, FLOAT_IMG, FULL, 2, flux);
    put_image(f, FLOAT_IMG, FULL, 1, sigma);
    put_image(f, SHORT_IMG, FULL, 2, bits);
    end_fits(f);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "the error has shape (1, 8575), the flux (2, 8575)");
    f = new_fits(path);
    put_image(f, FLOAT_IMG, FULL, 1, flux);
    end_fits(f);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "no HDU 1, which should hold the flux");
}

static void test_pixel_files(void)
{
    static char text[600], values[4 * FULL];
    size_t n = 0;
    for (int k = 0; k < FULL; k++)
        n += (size_t)sprintf(values + n, "%d\n", k % 5 == 0);
    write_bytes(in_scratch("pixels.txt"), values, n);
    snprintf(text, sizeof text, "instrument: { plugin = \"apogee\"; continuum = \"%s\"; };",
             in_scratch("pixels.txt"));
    WORKS(open_instrument(text));
    CU_ASSERT_PTR_NOT_NULL_FATAL(info.continuum);
    for (int64_t i = 0; i < PAYNE; i++)
        CU_ASSERT_EQUAL(info.continuum[i], payne(i) % 5 == 0);
    write_bytes(in_scratch("pixels.txt"), values, 2 * PAYNE); /* one digit and a newline each */
    snprintf(text, sizeof text,
             "instrument: { plugin = \"apogee\"; grid = 8575; exclude = \"%s\"; };",
             in_scratch("pixels.txt"));
    WORKS(open_instrument(text));
    CU_ASSERT(info.continuum == NULL && info.exclude != NULL);
    for (int64_t i = 0; i < PAYNE; i++)
        CU_ASSERT_EQUAL(info.exclude[payne(i)], i % 5 == 0);
    write_bytes(in_scratch("pixels.txt"), values, 2000);
    FAILS(open_instrument(text), ANPE_EFORMAT, "1000 values; expected 7214 or 8575");
    snprintf(text, sizeof text, "instrument: { plugin = \"apogee\"; continuum = \"%s\"; };",
             in_scratch("absent.txt"));
    CU_ASSERT_NOT_EQUAL(open_instrument(text), ANPE_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(anpe_error(ctx), "absent.txt"));
    FAILS(open_instrument("instrument: { plugin = \"apogee\"; grid = 8000; };"), ANPE_ECONFIG,
          "grid 8000; expected 7214 or 8575");
    FAILS(open_instrument("instrument: { plugin = \"apogee\"; bad_bits = [1.5]; };"), ANPE_ECONFIG,
          "whole numbers");
    WORKS(open_instrument(
        "instrument: { plugin = \"apogee\"; never = [15200, 15300, 16800, 16810]; };"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(info.exclude);
    for (int64_t i = 0; i < PAYNE; i++) {
        const double w = info.wavelength[i];
        CU_ASSERT_EQUAL(info.exclude[i], (w >= 15200 && w <= 15300) || (w >= 16800 && w <= 16810));
    }
    FAILS(open_instrument("instrument: { plugin = \"apogee\"; never = [15300, 15200]; };"),
          ANPE_ECONFIG, "never: 15300 to 15200; expected ascending");
}

static void test_normalise(void)
{
    static uint8_t continuum[PAYNE];
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    flat(FULL, 1);
    for (int k = 0; k < FULL; k++) /* a polynomial of degree 2, with a line off the continuum */
        flux[k] = (k % 5 ? 0.4 : 1) * (50 + 0.01 * k + 1e-6 * k * k);
    WORKS(read_row(apstar("slope.fits", FULL, 1, SHORT_IMG, 4.179), 0));
    FAILS(ops->normalise(instrument.self, ctx, NULL, &spectrum), ANPE_EINVAL,
          "no continuum pixels");
    for (int64_t i = 0; i < PAYNE; i++)
        continuum[i] = payne(i) % 5 == 0;
    WORKS(ops->normalise(instrument.self, ctx, continuum, &spectrum));
    for (int64_t i = 0; i < PAYNE; i++) {
        const double c = 50 + 0.01 * (double)payne(i) + 1e-6 * (double)(payne(i) * payne(i));
        /* float input, 24 bits: a few parts in 1e7 */
        CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[i], payne(i) % 5 ? 0.4 : 1, 2e-6);
        CU_ASSERT_DOUBLE_EQUAL(spectrum.sigma[i], 2 / c, 2e-6);
    }
}

/* Every real file: a sane share of good pixels and, normalised, a flux near 1. */
static void check_real(const char *folder, const char *start, int n_expected)
{
    static char text[600], path[800];
    const char *directory = shared(folder);
    int n = 0;
    if (!directory)
        return;
    snprintf(text, sizeof text, "instrument: { plugin = \"apogee\"; continuum = \"%s\"; };",
             shared("apogee/cannon_cont_pixels_apogee.npz"));
    WORKS(open_instrument(text));
    DIR *d = opendir(directory);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strncmp(e->d_name, start, strlen(start)))
            continue;
        snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
        WORKS(read_row(path, 0));
        CU_ASSERT(all_finite());
        CU_ASSERT(n_good() > PAYNE / 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(path, spectrum.id)); /* the object names the file */
        WORKS(ops->normalise(instrument.self, ctx, info.continuum, &spectrum));
        double sum = 0;
        for (int64_t i = 0; i < PAYNE; i++)
            sum += spectrum.mask[i] ? 0 : (double)spectrum.flux[i];
        CU_ASSERT(sum / (double)n_good() > 0.8 && sum / (double)n_good() < 1.2);
        CU_ASSERT(anpe_spectrum_snr(&spectrum) > 5 && anpe_spectrum_snr(&spectrum) < 2000);
        n++;
    }
    if (d)
        closedir(d);
    CU_ASSERT_EQUAL(n, n_expected);
}

static void test_real(void)
{
    check_real("apogee/apstar", "apStar", 12);
    check_real("apogee/aspcap", "aspcapStar", 25);
    check_real("apogee", "apStar-dr14", 2);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {
        {"bad bits one by one", test_bits},
        {"combinations and visits", test_rows},
        {"masks of combinations", test_combined_mask},
        {"grids of 7214 and 8575", test_grids},
        {"wavelength scale", test_scale},
        {"scales of all kinds", test_scales},
        {"values that are no measurement", test_values},
        {"all pixels bad", test_all_bad},
        {"aspcapStar: errors instead of a mask", test_aspcap},
        {"gzipped", test_gzip},
        {"damaged files", test_damaged},
        {"wrong shapes and missing HDUs", test_wrong_shape},
        {"continuum and exclude files, options", test_pixel_files},
        {"continuum rule", test_normalise},
        {"real files", test_real},
    };
    const int code = run_suite(argc, argv, "instrument apogee", COUNT(tests), tests);
    close_all();
    return code;
}
