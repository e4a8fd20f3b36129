/* Null values and masks, by one rule in every reader: HDF5 spectra, noise libraries, images and
 * tables of FITS files, plain arrays; and the small files that were once read wrong. */
#include <config.h>
#include "instrument_support.h"
#include "file/hdf5_file.h"
#include "kind/instrument.h"

enum { FULL = 8575, PAYNE = 7214, LAMOST = 3909 };

/* ---- reading as the program does --------------------------------------------------------- */

static anpe_settings *settings_of_reader;
static anpe_instrument reader;

static void close_reader(void)
{
    anpe_instrument_clear(&reader);
    settings_of_reader = anpe_settings_free(settings_of_reader);
}

static void open_reader(const char *text)
{
    close_reader();
    WORKS(anpe_settings_parse(ctx, text, "test", 0, NULL, &settings_of_reader));
    WORKS(anpe_instrument_new(ctx, settings_of_reader, &reader));
}

/* The first spectrum of a file into s, which is made. */
static anpe_status read_first(const char *path, anpe_spectrum *s)
{
    anpe_input input = {0};
    WORKS(anpe_spectrum_new(ctx, anpe_instrument_size(&reader), s));
    anpe_status status = anpe_input_open(&reader, ctx, path, &input);
    if (!status)
        status = anpe_instrument_read(&reader, ctx, &input, 0, s);
    anpe_input_close(&input);
    return status;
}

/* Masks alike, flux and sigma too where a pixel is good; `step`: of the flux, relative. */
static int alike(const anpe_spectrum *a, const anpe_spectrum *b, double step)
{
    int64_t unlike = 0, good = 0;
    for (int64_t i = 0; i < a->n_pixels; i++) {
        good += !a->mask[i];
        unlike += a->mask[i] != b->mask[i];
        if (!a->mask[i] && !b->mask[i])
            unlike +=
                !(fabs((double)a->flux[i] - (double)b->flux[i]) <=
                  step * fabs((double)b->flux[i])) ||
                !(fabs((double)a->sigma[i] - (double)b->sigma[i]) <= step * (double)b->sigma[i]);
    }
    if (unlike || !good)
        printf("\n  %lld of %lld pixels differ, %lld are good\n", (long long)unlike,
               (long long)a->n_pixels, (long long)good);
    return !unlike && good > 0;
}

/* The case reads as its reference does. */
static void same_as(const char *instrument_text, const char *name, const char *reference,
                    double step)
{
    char path[600];
    anpe_spectrum a, b;
    const char *folder = shared("cases");
    if (!folder)
        return;
    open_reader(instrument_text);
    snprintf(path, sizeof path, "%s/%s", folder, reference);
    WORKS(read_first(path, &b));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    WORKS(read_first(path, &a));
    CU_ASSERT(alike(&a, &b, step));
    anpe_spectrum_clear(&a);
    anpe_spectrum_clear(&b);
}

/* ---- HDF5 -------------------------------------------------------------------------------- */

static const char array8[] = "instrument: { plugin = \"array\"; shape = [8]; };";

/* x, sigma and a mask of any type of HDF5, in one row of 8. */
static const char *masked(const char *name, const char *values, hid_t type, const void *mask)
{
    const char *path = in_scratch(name);
    const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const float sigma[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    const int64_t shape[2] = {1, 8};
    const hsize_t dims[2] = {1, 8};
    anpe_h5 *f;
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, values, ANPE_H5_FLOAT, 2, shape, x));
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, sigma));
    const hid_t space = H5Screate_simple(2, dims, NULL);
    const hid_t set =
        H5Dcreate2(anpe_h5_id(f), "mask", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, mask) >= 0);
    H5Dclose(set);
    H5Sclose(space);
    WORKS(anpe_h5_close(ctx, f));
    return path;
}

/* Spectra and noise libraries find the pixels 1, 3, 6 bad, whatever the mask is made of. */
static void bad_136(const char *name, hid_t type, const void *mask)
{
    static const uint8_t want[8] = {0, 1, 0, 1, 0, 0, 1, 0};
    anpe_spectrum s;
    anpe_noise_library library;
    const char *path = masked(name, "x", type, mask);
    open_reader(array8);
    WORKS(read_first(path, &s));
    CU_ASSERT(!memcmp(s.mask, want, 8));
    anpe_spectrum_clear(&s);
    WORKS(anpe_noise_library_read(ctx, path, &library));
    CU_ASSERT(!memcmp(library.mask, want, 8));
    anpe_noise_library_free(&library);
}

static void test_masks(void)
{
    const int32_t negative[8] = {0, -1, 0, -2147483647, 0, 0, -256, 0};
    const int16_t narrow[8] = {0, 256, 0, -32768, 0, 0, 512, 0};
    const uint64_t wide[8] = {0, UINT64_C(1) << 63, 0, UINT64_C(1) << 40, 0, 0, 1, 0};
    const float fraction[8] = {0, 0.5f, 0, 1e-30f, -0.0f, 0, -0.25f, 0};
    const double null[8] = {0, NAN, 0, INFINITY, 0, 0, 1e-300, 0};
    const int8_t truth[8] = {0, 1, 0, 1, 0, 0, 1, 0};
    bad_136("negative.h5", H5T_NATIVE_INT32, negative);
    bad_136("narrow.h5", H5T_NATIVE_INT16, narrow);
    bad_136("wide.h5", H5T_NATIVE_UINT64, wide);
    bad_136("fraction.h5", H5T_NATIVE_FLOAT, fraction);
    bad_136("null.h5", H5T_NATIVE_DOUBLE, null);
    const hid_t boolean = H5Tenum_create(H5T_NATIVE_INT8); /* as h5py writes truth values */
    const int8_t no = 0, yes = 1;
    H5Tenum_insert(boolean, "FALSE", &no);
    H5Tenum_insert(boolean, "TRUE", &yes);
    bad_136("boolean.h5", boolean, truth);
    H5Tclose(boolean);
}

/* A mask of many rows is read in blocks. */
static void test_long_mask(void)
{
    enum { ROWS = 70, WIDTH = 5000 };
    const int64_t shape[2] = {ROWS, WIDTH};
    float *sigma = malloc(sizeof(float) * ROWS * WIDTH), *mask = calloc(ROWS * WIDTH, sizeof *mask);
    anpe_noise_library library;
    anpe_h5 *f;
    const char *path = in_scratch("long.h5");
    CU_ASSERT_FATAL(sigma && mask);
    for (int i = 0; i < ROWS * WIDTH; i++) {
        sigma[i] = 1;
        mask[i] = i % 7919 == 0 ? 0.5f : 0;
    }
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, sigma));
    WORKS(anpe_h5_write(ctx, f, "mask", ANPE_H5_FLOAT, 2, shape, mask));
    WORKS(anpe_h5_close(ctx, f));
    WORKS(anpe_noise_library_read(ctx, path, &library));
    int64_t wrong = 0;
    for (int i = 0; i < ROWS * WIDTH; i++)
        wrong += library.mask[i] != (i % 7919 == 0);
    CU_ASSERT_EQUAL(wrong, 0);
    anpe_noise_library_free(&library);
    free(sigma);
    free(mask);
}

static void test_hdf5_cases(void)
{
    static const char payne[] = "instrument: { plugin = \"apogee\"; };";
    same_as(payne, "spectrum_mask_fraction.h5", "spectrum_reference.h5", 0);
    same_as(payne, "spectrum_mask_nan.h5", "spectrum_reference.h5", 0);
    same_as(payne, "spectrum_sigma_1e10.h5", "spectrum_reference.h5", 0);
}

/* Error bars that stand for none, in whatever unit: next to 1 and next to 1e-17. */
static void test_null_errors(void)
{
    float sigma[20];
    uint8_t mask[20];
    float room[20];
    for (int unit = 0; unit < 2; unit++) {
        for (int i = 0; i < 20; i++) {
            sigma[i] = (unit ? 1e-17f : 1) * (float)(1 + i); /* twentyfold is an error bar */
            mask[i] = i == 4;
        }
        sigma[7] = unit ? 1e-7f : 1e10f;
        sigma[9] = unit ? 1 : 1e15f;
        anpe_spectrum_null_errors(20, sigma, mask, room);
        for (int i = 0; i < 20; i++)
            CU_ASSERT_EQUAL(mask[i], i == 4 || i == 7 || i == 9);
    }
}

/* ---- plain arrays ------------------------------------------------------------------------ */

static const char *values_of(const char *name, const float x[2])
{
    const int64_t shape[2] = {1, 2};
    const char *path = in_scratch(name);
    anpe_h5 *f;
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "x", ANPE_H5_FLOAT, 2, shape, x));
    WORKS(anpe_h5_close(ctx, f));
    return path;
}

static void test_array(void)
{
    char path[600];
    anpe_spectrum s;
    const char *folder = shared("cases");
    open_reader("instrument: { plugin = \"array\"; shape = [2]; };");
    WORKS(read_first(values_of("fine.h5", (float[2]){0.1f, 0.3f}), &s));
    anpe_spectrum_clear(&s);
    FAILS(read_first(values_of("nan.h5", (float[2]){0.3f, NAN}), &s), ANPE_EFORMAT,
          "value 1 of spectrum 0 is nan: a spectrum without wavelengths has no neighbours");
    anpe_spectrum_clear(&s);
    FAILS(read_first(values_of("inf.h5", (float[2]){INFINITY, 1}), &s), ANPE_EFORMAT,
          "value 0 of spectrum 0 is inf");
    anpe_spectrum_clear(&s);
    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/x_nan.h5", folder);
    FAILS(read_first(path, &s), ANPE_EFORMAT, "value 0 of spectrum 0 is nan");
    anpe_spectrum_clear(&s);
}

/* The channels of an array are no neighbours: none gives its last value to the next one's first. */
static void test_planes(void)
{
    anpe_spectrum s;
    const float flux[9] = {1, 2, 3, 0, 4, 5, 0, 0, 0}, want[9] = {1, 2, 3, 4, 4, 5, 0, 0, 0};
    const uint8_t mask[9] = {0, 0, 0, 1, 0, 0, 1, 1, 1};
    float gradient[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    const float back[9] = {1, 1, 1, 0, 2, 1, 0, 0, 0};
    WORKS(anpe_spectrum_new(ctx, 9, &s));
    memcpy(s.flux, flux, sizeof flux);
    memcpy(s.mask, mask, sizeof mask);
    for (int i = 0; i < 9; i++)
        s.sigma[i] = 2;
    CU_ASSERT_EQUAL(anpe_spectrum_inpaint(3, &s), 5);
    CU_ASSERT(!memcmp(s.flux, want, sizeof want) && s.sigma[3] == 2 && s.sigma[8] == 1);
    anpe_spectrum_inpaint_pull_back(3, 9, mask, gradient);
    CU_ASSERT(!memcmp(gradient, back, sizeof back));
    anpe_spectrum_clear(&s);
}

/* ---- the instrument that a file is for --------------------------------------------------- */

/* Error bars of flux 1 on the reader's grid, moved by so many pixels, for an instrument. */
static const char *library_of(const char *name, double moved, const char *instrument_name,
                              float level)
{
    const int64_t n = reader.info.n_pixels, shape[2] = {2, n};
    const char *path = in_scratch(name);
    float *v = malloc((size_t)(2 * n) * sizeof *v);
    double *w = malloc((size_t)n * sizeof *w);
    anpe_h5 *f;
    CU_ASSERT_FATAL(v && w);
    for (int64_t i = 0; i < n; i++)
        w[i] = reader.info.wavelength[i] *
               pow(reader.info.wavelength[1] / reader.info.wavelength[0], moved);
    for (int64_t i = 0; i < 2 * n; i++)
        v[i] = 0.01f;
    v[7] = 1e10f;
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, v));
    for (int64_t i = 0; i < 2 * n; i++)
        v[i] = level;
    if (level > 0)
        WORKS(anpe_h5_write(ctx, f, "flux", ANPE_H5_FLOAT, 2, shape, v));
    if (isfinite(moved))
        WORKS(anpe_h5_write(ctx, f, "wavelength", ANPE_H5_DOUBLE, 1, &n, w));
    if (instrument_name)
        WORKS(anpe_h5_put_text(ctx, f, "/", "instrument", instrument_name));
    WORKS(anpe_h5_close(ctx, f));
    free(v);
    free(w);
    return path;
}

/* Libraries and spectra of another grid or instrument are refused; what a file does not say is not
 * compared. A library is in units of the continuum. */
static void test_made_for(void)
{
    anpe_noise_library l;
    anpe_spectrum s;
    open_reader("instrument: { plugin = \"lamost_lrs\"; };");
    const anpe_noise_setup setup = {sizeof setup, &reader.info, "lamost_lrs"};
    WORKS(anpe_noise_library_load(ctx, library_of("l.h5", 0, "lamost_lrs", 1), &setup, &l));
    CU_ASSERT(l.mask[7] && !l.mask[8] && l.n_rows == 2); /* 1e10 is no error bar */
    anpe_noise_library_free(&l);
    WORKS(anpe_noise_library_load(ctx, library_of("l.h5", NAN, NULL, 0), &setup, &l));
    anpe_noise_library_free(&l);
    FAILS(anpe_noise_library_load(ctx, library_of("l.h5", 0.01, NULL, 0), &setup, &l), ANPE_EFORMAT,
          "l.h5: its wavelengths (3700.8");
    FAILS(anpe_noise_library_load(ctx, library_of("l.h5", 0, "apogee", 0), &setup, &l),
          ANPE_EFORMAT, "l.h5: was made for instrument 'apogee', not for 'lamost_lrs'");
    FAILS(anpe_noise_library_load(ctx, library_of("l.h5", 0, NULL, 870), &setup, &l), ANPE_EFORMAT,
          "l.h5: holds spectra with a flux of about 870");
    WORKS(read_first(library_of("s.h5", 0, "lamost_lrs", 100), &s));
    anpe_spectrum_clear(&s);
    FAILS(read_first(library_of("s.h5", 0.01, NULL, 870), &s), ANPE_EFORMAT,
          "s.h5: its wavelengths");
    anpe_spectrum_clear(&s);
    FAILS(read_first(library_of("s.h5", 0, "galah", 870), &s), ANPE_EFORMAT,
          "s.h5: was made for instrument 'galah', not for 'lamost_lrs'");
    anpe_spectrum_clear(&s);
}

/* ---- FITS -------------------------------------------------------------------------------- */

/* An image of 16-bit integers with BSCALE, BZERO and, where v is NaN, BLANK. */
static void put_integers(fitsfile *f, int64_t n, const double *v, double zero, double scale)
{
    int status = 0;
    long axes[1] = {(long)n}, blank = -32768;
    short *stored = malloc((size_t)n * sizeof *stored);
    CU_ASSERT_FATAL(stored != NULL);
    for (int64_t i = 0; i < n; i++)
        stored[i] = isnan(v[i]) ? (short)blank : (short)lround((v[i] - zero) / scale);
    fits_create_img(f, SHORT_IMG, 1, axes, &status);
    fits_write_img(f, TSHORT, 1, n, stored, &status);
    fits_write_key(f, TLONG, "BLANK", &blank, NULL, &status);
    fits_write_key(f, TDOUBLE, "BSCALE", &scale, NULL, &status);
    fits_write_key(f, TDOUBLE, "BZERO", &zero, NULL, &status);
    free(stored);
    CU_ASSERT_EQUAL_FATAL(status, 0);
}

static double flux[FULL], sigma[FULL], bits[FULL];

static void flat(void)
{
    for (int i = 0; i < FULL; i++) {
        flux[i] = 1000;
        sigma[i] = 10;
        bits[i] = 0;
    }
}

/* BLANK in the flux, the error and the mask of an apStar: bad, like NaN in images of floats. */
static void test_blank(void)
{
    anpe_spectrum s;
    const char *path = in_scratch("blank.fits");
    flat();
    flux[1000] = NAN;
    sigma[1010] = NAN;
    bits[1020] = NAN;
    fitsfile *f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_integers(f, FULL, flux, 500, 0.05);
    put_integers(f, FULL, sigma, 0, 0.01);
    put_integers(f, FULL, bits, 0, 1);
    end_fits(f);
    open_reader("instrument: { plugin = \"apogee\"; };");
    WORKS(read_first(path, &s));
    for (int i = 322; i < 3242; i++)
        CU_ASSERT_EQUAL(s.mask[i - 322], i == 1000 || i == 1010 || i == 1020);
    anpe_spectrum_clear(&s);
}

/* A mask of floats is one, unless it is ASPCAP's model; a fraction or NaN in it is bad. */
static void test_float_mask(void)
{
    anpe_spectrum s;
    flat();
    bits[400] = 1;
    bits[500] = 4096;
    bits[600] = 512; /* persistence: not among the bad bits */
    bits[700] = NAN;
    bits[800] = 4096.5;
    for (int as_float = 0; as_float < 2; as_float++) {
        const char *path = in_scratch("mask.fits");
        fitsfile *f = new_fits(path);
        put_image(f, BYTE_IMG, 0, 0, NULL);
        put_image(f, FLOAT_IMG, FULL, 1, flux);
        put_image(f, FLOAT_IMG, FULL, 1, sigma);
        if (!as_float) /* without what an integer cannot be */
            put_integers(f, FULL, bits, 0, 1);
        else
            put_image(f, FLOAT_IMG, FULL, 1, bits);
        end_fits(f);
        open_reader("instrument: { plugin = \"apogee\"; };");
        WORKS(read_first(path, &s));
        CU_ASSERT(s.mask[400 - 322] && s.mask[500 - 322] && !s.mask[600 - 322] &&
                  s.mask[700 - 322] && s.mask[800 - 322]);
        anpe_spectrum_clear(&s);
    }
}

/* The case is refused with these words. */
static void refused(const char *instrument_text, const char *name, const char *words)
{
    char path[600];
    anpe_spectrum s;
    const char *folder = shared("cases");
    if (!folder)
        return;
    open_reader(instrument_text);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FAILS(read_first(path, &s), ANPE_EFORMAT, words);
    anpe_spectrum_clear(&s);
}

static void test_apogee_cases(void)
{
    static const char text[] = "instrument: { plugin = \"apogee\"; };";
    same_as(text, "apstar_float_mask.fits", "apstar_reference.fits", 0);
    same_as(text, "apstar_300_blank.fits", "apstar_300_bad.fits", 1e-3);
    same_as(text, "apstar_cd_right.fits", "apstar_reference.fits", 0);
    refused(text, "apstar_cd_other_step.fits", "are 10^(4.179 + 1e-05 i); expected 10^(4.179 +");
    refused(text, "apstar_cd_linear.fits", "are 15100.8 + 0.22 i, linear; expected 10^(4.179 +");
    refused(text, "apstar_7214_other_scale.fits", "are 10^(4.179 + 6e-06 i), pixel for pixel");
}

/* A LAMOST image of doubles; row `which` is `value` at pixel `at`. */
static const char *lamost(const char *name, int which, int at, double value)
{
    static double rows[5 * LAMOST];
    const char *path = in_scratch(name);
    for (int i = 0; i < LAMOST; i++) {
        rows[i] = 100 + (i % 7);
        rows[LAMOST + i] = 0.25;
        rows[2 * LAMOST + i] = pow(10, 3.5682 + 1e-4 * i);
        rows[3 * LAMOST + i] = rows[4 * LAMOST + i] = 0;
    }
    if (which >= 0)
        rows[which * LAMOST + at] = value;
    fitsfile *f = new_fits(path);
    put_image(f, DOUBLE_IMG, LAMOST, 5, rows);
    end_fits(f);
    return path;
}

/* One pixel without a value, or without a wavelength, is bad, and no other changes. */
static void test_lamost(void)
{
    static const char text[] =
        "instrument: { plugin = \"lamost_lrs\"; exclude_tellurics = false; };";
    static const struct {
        int row, at;
        double value;
    } cases[] = {{0, 1500, NAN}, {1, 1500, NAN}, {1, 1500, 1e-30}, {2, 1500, NAN}, {2, 3907, NAN},
                 {2, 3908, NAN}, {3, 1500, NAN}, {3, 1500, 0.5},   {3, 1500, -1}};
    anpe_spectrum whole, s;
    open_reader(text);
    WORKS(read_first(lamost("whole.fits", -1, 0, 0), &whole));
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const int64_t bad = cases[k].at - 1; /* the grid starts at the file's pixel 1 */
        WORKS(read_first(lamost("one.fits", cases[k].row, cases[k].at, cases[k].value), &s));
        CU_ASSERT(s.mask[bad] && !whole.mask[bad]);
        s.mask[bad] = whole.mask[bad] = 1;
        CU_ASSERT(alike(&s, &whole, 1e-6));
        whole.mask[bad] = 0;
        anpe_spectrum_clear(&s);
    }
    anpe_spectrum_clear(&whole);
}

static const char lamost_text[] = "instrument: { plugin = \"lamost_lrs\"; };";

/* Layouts with the right answer beside them; one pixel without a wavelength: bad, the rest as in
 * the reference. */
static void test_lamost_cases(void)
{
    char path[600];
    anpe_spectrum a, b;
    int64_t more = 0, unlike = 0;
    const char *folder = shared("cases");
    if (!folder)
        return;
    same_as(lamost_text, "lamost_no_ormask.fits", "lamost_table.fits", 0);
    same_as(lamost_text, "lamost_descending.fits", "lamost_table.fits", 0);
    refused("instrument: { plugin = \"lamost_lrs\"; use_or_mask = true; };",
            "lamost_no_ormask.fits",
            "has no column ORMASK; it has FLUX, IVAR, WAVELENGTH, ANDMASK");
    open_reader(lamost_text);
    snprintf(path, sizeof path, "%s/lamost_table.fits", folder);
    WORKS(read_first(path, &b));
    /* A logarithm in single precision is good to 1.2e-3 of a pixel. Neighbours differ by some tens
     * of sigma at most, so flux changes by less than a tenth of one. */
    snprintf(path, sizeof path, "%s/lamost_loglam.fits", folder);
    WORKS(read_first(path, &a));
    for (int64_t i = 0; i < a.n_pixels; i++)
        unlike += a.mask[i] != b.mask[i] ||
                  (!a.mask[i] && fabsf(a.flux[i] - b.flux[i]) > 0.1f * b.sigma[i]);
    CU_ASSERT_EQUAL(unlike, 0);
    anpe_spectrum_clear(&a);
    snprintf(path, sizeof path, "%s/lamost_nan_wavelength.fits", folder);
    WORKS(read_first(path, &a));
    for (int64_t i = 0; i < a.n_pixels; i++) {
        more += a.mask[i] && !b.mask[i];
        unlike +=
            !a.mask[i] && (b.mask[i] || fabsf(a.flux[i] - b.flux[i]) > 1e-4f * fabsf(b.flux[i]));
    }
    CU_ASSERT(more >= 1 && more <= 2);
    CU_ASSERT(unlike <= 2); /* pixels that shared the bad one's light */
    anpe_spectrum_clear(&a);
    anpe_spectrum_clear(&b);
}

/* An APOGEE spectrum in HDF5, flux 870, errors as given. */
static const char *errors_in_hdf5(double error)
{
    const char *path = in_scratch("errors.h5");
    const int64_t shape[2] = {1, PAYNE};
    static float f[PAYNE], e[PAYNE];
    anpe_h5 *h5;
    for (int i = 0; i < PAYNE; i++) {
        f[i] = 870;
        e[i] = (float)error;
    }
    WORKS(anpe_h5_create(ctx, path, &h5));
    WORKS(anpe_h5_write(ctx, h5, "flux", ANPE_H5_FLOAT, 2, shape, f));
    WORKS(anpe_h5_write(ctx, h5, "sigma", ANPE_H5_FLOAT, 2, shape, e));
    WORKS(anpe_h5_close(ctx, h5));
    return path;
}

static const char *errors_in_apstar(double error)
{
    const char *path = in_scratch("errors.fits");
    fitsfile *f = new_fits(path);
    flat();
    for (int i = 0; i < FULL; i++) {
        flux[i] = 870;
        sigma[i] = error;
    }
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_image(f, FLOAT_IMG, FULL, 1, flux);
    put_image(f, FLOAT_IMG, FULL, 1, sigma);
    put_image(f, SHORT_IMG, FULL, 1, bits);
    end_fits(f);
    return path;
}

static const char *errors_in_text(double error)
{
    static char text[60 * 400];
    size_t n = 0;
    const char *path = in_scratch("errors.txt");
    for (int i = 0; i < 400; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%g 870 %g\n", 5000 + 0.5 * i, error);
    write_bytes(path, text, n);
    return path;
}

/* Errors relative to the flux are taken for a signal-to-noise ratio that there is not, whoever
 * reads them, inverse variances for none at all; one of 8700 and one of 0.1 are let pass. */
static void test_unreal_errors(void)
{
    static const struct {
        const char *instrument, *(*write)(double error);
    } readers[] = {{"instrument: { plugin = \"apogee\"; };", errors_in_apstar},
                   {"instrument: { plugin = \"apogee\"; };", errors_in_hdf5},
                   {"instrument: { plugin = \"spectrum\"; windows = [5010.0, 5180.0]; "
                    "resolution = 5000.0; medium = \"vacuum\"; };",
                    errors_in_text}};
    anpe_spectrum s;
    for (size_t k = 0; k < sizeof readers / sizeof readers[0]; k++) {
        open_reader(readers[k].instrument);
        FAILS(read_first(readers[k].write(0.003), &s), ANPE_EFORMAT,
              "the errors make a signal-to-noise ratio of ");
        anpe_spectrum_clear(&s);
        WORKS(read_first(readers[k].write(0.1), &s));
        anpe_spectrum_clear(&s);
    }
    for (size_t k = 1; k < sizeof readers / sizeof readers[0]; k++) { /* not of apStar: sigma_max */
        open_reader(readers[k].instrument);
        FAILS(read_first(readers[k].write(1e7), &s), ANPE_EFORMAT,
              "the errors make a signal-to-noise ratio of ");
        anpe_spectrum_clear(&s);
        WORKS(read_first(readers[k].write(8700), &s));
        anpe_spectrum_clear(&s);
    }
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {
        {"masks of any type in HDF5", test_masks},
        {"a long mask", test_long_mask},
        {"HDF5 cases", test_hdf5_cases},
        {"error bars that stand for none", test_null_errors},
        {"error bars that no spectrograph reaches", test_unreal_errors},
        {"arrays have no neighbours", test_array},
        {"nor have their channels", test_planes},
        {"the instrument a file is for", test_made_for},
        {"BLANK", test_blank},
        {"masks of floats in FITS", test_float_mask},
        {"APOGEE cases", test_apogee_cases},
        {"LAMOST: one pixel", test_lamost},
        {"LAMOST cases", test_lamost_cases},
    };
    const int code = run_suite(argc, argv, "readers", COUNT(tests), tests);
    close_reader();
    close_all();
    return code;
}
