/* Noise models: error bars and masks from a library or a synthetic sky, `none`, `gaussian`, the
 * instrument `array`, and the making of a library. */
#include <config.h>
#include "instrument_support.h"
#include "base/random.h"
#include "file/hdf5_file.h"
#include "prepare/noise.h"

enum { FULL = 8575, PAYNE = 7214 };

static anpe_rng stream(int64_t sample)
{
    return anpe_rng_make(5, ANPE_FOR_TRAINING, sample, 1);
}

static const anpe_noise_ops *noise_ops(void)
{
    return noise.ops;
}

/* As the contract says: without an operation of its own, flux += sigma N(0, 1). */
static anpe_status add_noise(anpe_rng *rng)
{
    if (noise_ops()->add)
        return noise_ops()->add(noise.self, ctx, rng, &spectrum);
    for (int64_t i = 0; i < spectrum.n_pixels; i++)
        spectrum.flux[i] += (float)(spectrum.sigma[i] * anpe_normal(rng));
    return ANPE_OK;
}

static void draw(int64_t sample)
{
    anpe_rng rng = stream(sample);
    for (int64_t i = 0; i < spectrum.n_pixels; i++)
        spectrum.flux[i] = 1;
    WORKS(noise_ops()->draw(noise.self, ctx, &rng, &spectrum));
}

/* ---- synthetic sky ----------------------------------------------------------------------- */

static const char *const surveys[] = {"apogee", "lamost_lrs"};

static void test_target(void)
{
    char text[256];
    for (int k = 0; k < 2; k++) {
        snprintf(text, sizeof text,
                 "instrument: { plugin = \"%s\"; };"
                 "noise: { plugin = \"%s\"; snr_min = 80; snr_max = 80; };",
                 surveys[k], surveys[k]);
        WORKS(open_noise(text));
        for (int64_t i = 0; i < 50; i++) {
            draw(i);
            CU_ASSERT(all_finite());
            CU_ASSERT(n_good() > spectrum.n_pixels / 2);
            /* each sigma is rounded to 24 bits: the mean of 1/sigma is good to 1e-7 */
            CU_ASSERT_DOUBLE_EQUAL(anpe_spectrum_snr(&spectrum), 80, 80 * 2e-7);
        }
    }
}

/* Targets are uniform: mean and variance of 600 draws within 5 standard errors. */
static void test_uniform(void)
{
    const double a = 25, b = 600, n = 600, width = b - a;
    double sum = 0, squares = 0;
    WORKS(open_noise("instrument: { plugin = \"apogee\"; }; noise: { plugin = \"apogee\"; };"));
    for (int64_t i = 0; i < (int64_t)n; i++) {
        draw(i);
        const double snr = anpe_spectrum_snr(&spectrum);
        CU_ASSERT(snr > a && snr < b);
        sum += snr;
        squares += (snr - (a + b) / 2) * (snr - (a + b) / 2);
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / n, (a + b) / 2, 5 * width / sqrt(12 * n));
    /* the square of a centred uniform has mean w^2/12 and variance w^4/180 */
    CU_ASSERT_DOUBLE_EQUAL(squares / n, width * width / 12, 5 * width * width / sqrt(180 * n));
}

static void test_same_numbers(void)
{
    static float sigma[PAYNE];
    static uint8_t mask[PAYNE];
    WORKS(open_noise("instrument: { plugin = \"apogee\"; }; noise: { plugin = \"apogee\"; };"));
    draw(3);
    memcpy(sigma, spectrum.sigma, sizeof sigma);
    memcpy(mask, spectrum.mask, sizeof mask);
    draw(4);
    CU_ASSERT(memcmp(sigma, spectrum.sigma, sizeof sigma) && memcmp(mask, spectrum.mask, PAYNE));
    draw(3);
    CU_ASSERT(!memcmp(sigma, spectrum.sigma, sizeof sigma) && !memcmp(mask, spectrum.mask, PAYNE));
}

static int64_t pixel_at(double wavelength)
{
    int64_t i = 0;
    while (i < info.n_pixels - 1 && info.wavelength[i] < wavelength)
        i++;
    return i;
}

/* Mean over draws of the sigma and of the mask at +-2 pixels around a wavelength. */
static void look_at(double wavelength, int n, double *sigma, double *bad)
{
    const int64_t at = pixel_at(wavelength);
    *sigma = *bad = 0;
    for (int64_t k = 0; k < n; k++) {
        draw(k);
        for (int64_t i = at - 2; i <= at + 2; i++) {
            *sigma += (double)spectrum.sigma[i] * anpe_spectrum_snr(&spectrum) / (5.0 * n);
            *bad += (double)spectrum.mask[i] / (5.0 * n);
        }
    }
}

/* The sky is where it should be: OH 16840.48 and [O I] 5577.34 (air) are noisy and often flagged,
 * a clean spot is not; the ends of a detector and the blue end of the range are noisy. */
static void test_sky(void)
{
    double line, clean, flagged, seldom, edge, middle;
    WORKS(open_noise("instrument: { plugin = \"apogee\"; grid = 8575; };"
                     "noise: { plugin = \"apogee\"; };"));
    look_at(16840.48, 200, &line, &flagged);
    look_at(16866.0, 200, &clean, &seldom);
    /* stars move by 12 pixels against the sky (1 sd), a line is flagged over about 10 */
    CU_ASSERT(line > 1.1 * clean);
    CU_ASSERT(flagged > 0.1 && flagged > 4 * seldom);
    draw(0);
    CU_ASSERT(spectrum.mask[3429] == 1 && spectrum.mask[0] == 1); /* between the detectors */
    WORKS(open_noise("instrument: { plugin = \"lamost_lrs\"; };"
                     "noise: { plugin = \"lamost_lrs\"; };"));
    look_at(anpe_air_to_vacuum(5577.34), 200, &line, &flagged);
    look_at(5500, 200, &clean, &seldom);
    CU_ASSERT(line > 1.1 * clean);
    look_at(3720, 200, &edge, &flagged);
    look_at(6700, 200, &middle, &flagged);
    CU_ASSERT(edge > 3 * middle);
}

/* Between 1 and 25 % of bad pixels, mostly in runs, and different ones each time. */
static void test_masks(void)
{
    double fraction = 0, isolated = 0, runs = 0;
    const int n = 200;
    WORKS(open_noise("instrument: { plugin = \"apogee\"; }; noise: { plugin = \"apogee\"; };"));
    for (int64_t k = 0; k < n; k++) {
        draw(k);
        const double bad = 1 - (double)n_good() / PAYNE;
        CU_ASSERT(bad > 0.001 && bad < 0.5);
        fraction += bad / n;
        for (int64_t i = 1; i < PAYNE - 1; i++)
            if (spectrum.mask[i] && !spectrum.mask[i - 1]) {
                runs += spectrum.mask[i + 1];
                isolated += !spectrum.mask[i + 1];
            }
    }
    CU_ASSERT(fraction > 0.02 && fraction < 0.2);
    CU_ASSERT(runs > isolated && isolated > 0);
}

/* flux += sigma N(0,1): residuals over sigma have mean 0 and variance 1, 5 standard errors. */
static void test_residuals(void)
{
    double sum = 0, squares = 0, n = 0;
    WORKS(open_noise("instrument: { plugin = \"apogee\"; }; noise: { plugin = \"apogee\"; };"));
    for (int64_t k = 0; k < 20; k++) {
        draw(k);
        anpe_rng rng = stream(1000 + k);
        WORKS(add_noise(&rng));
        for (int64_t i = 0; i < PAYNE; i++, n++) {
            const double z = ((double)spectrum.flux[i] - 1) / (double)spectrum.sigma[i];
            sum += z;
            squares += z * z;
        }
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / n, 0, 5 / sqrt(n));
    CU_ASSERT_DOUBLE_EQUAL(squares / n, 1, 5 * sqrt(2 / n));
}

static void test_refused(void)
{
    FAILS(open_noise("instrument: { plugin = \"apogee\"; };"
                     "noise: { plugin = \"apogee\"; snr_min = 700; };"),
          ANPE_EINVAL, "snr_min 700 is above snr_max 600");
    FAILS(open_noise("instrument: { plugin = \"array\"; shape = [5]; };"
                     "noise: { plugin = \"apogee\"; };"),
          ANPE_EINVAL, "the synthetic sky needs an instrument with wavelengths");
    FAILS(open_noise("instrument: { plugin = \"lamost_lrs\"; };"
                     "noise: { plugin = \"apogee\"; library = \"/nowhere/lib.h5\"; };"),
          ANPE_EIO, "/nowhere/lib.h5");
}

/* ---- library ----------------------------------------------------------------------------- */

/* rows: sigma = (row + 1)(1 + i % 3), mask: every (row + 5)th pixel. */
static void write_library(const char *path, int64_t n_rows, int64_t n, int64_t all_bad_row)
{
    anpe_h5 *f = NULL;
    const int64_t shape[2] = {n_rows, n};
    float *sigma = malloc((size_t)(n_rows * n) * sizeof *sigma);
    uint8_t *mask = malloc((size_t)(n_rows * n));
    for (int64_t row = 0; row < n_rows; row++)
        for (int64_t i = 0; i < n; i++) {
            sigma[row * n + i] = (float)((row + 1) * (1 + i % 3));
            mask[row * n + i] = row == all_bad_row || i % (row + 5) == 0;
        }
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, sigma));
    WORKS(anpe_h5_write(ctx, f, "mask", ANPE_H5_UINT8, 2, shape, mask));
    WORKS(anpe_h5_put_text(ctx, f, "/", "instrument", "apogee"));
    WORKS(anpe_h5_close(ctx, f));
    free(sigma);
    free(mask);
}

/* The row that a drawn mask is, by its period; -1: of no row. */
static int mask_row(int64_t n)
{
    for (int row = 0; row < 3; row++) {
        int64_t same = 0;
        for (int64_t i = 0; i < n; i++)
            same += spectrum.mask[i] == (i % (row + 5) == 0);
        if (same == n)
            return row;
    }
    return -1;
}

static void test_library(void)
{
    static char text[512];
    int seen[3] = {0};
    write_library(in_scratch("lib.h5"), 3, PAYNE, -1);
    snprintf(text, sizeof text,
             "instrument: { plugin = \"apogee\"; };"
             "noise: { plugin = \"apogee\"; library = \"%s\"; snr_min = 50; snr_max = 50; };",
             in_scratch("lib.h5"));
    WORKS(open_noise(text));
    for (int64_t k = 0; k < 60; k++) {
        draw(k);
        const int row = mask_row(PAYNE);
        CU_ASSERT_FATAL(row >= 0);
        seen[row]++;
        CU_ASSERT_DOUBLE_EQUAL(anpe_spectrum_snr(&spectrum), 50, 50 * 2e-7);
        for (int64_t i = 0; i < PAYNE; i++) /* the shape is kept */
            CU_ASSERT_DOUBLE_EQUAL(spectrum.sigma[i] / spectrum.sigma[0], (double)(1 + i % 3),
                                   1e-6);
    }
    CU_ASSERT(seen[0] > 5 && seen[1] > 5 && seen[2] > 5); /* 20 expected; 5 is 4 sigma off */
}

/* Sigma of one row with the mask of another. Rows differ in scale only in sigma, which the target
 * takes away, so their sigma are told apart by one pixel. */
static void test_separate_masks(void)
{
    static char text[512];
    const int64_t shape[2] = {2, PAYNE};
    float *sigma = malloc(2 * PAYNE * sizeof *sigma);
    uint8_t *mask = calloc(2, PAYNE);
    int mixed = 0, same = 0;
    anpe_h5 *f = NULL;
    for (int i = 0; i < 2 * PAYNE; i++)
        sigma[i] = 1;
    sigma[0] = 3;           /* row 0 */
    mask[PAYNE + 100] = 1;  /* row 1 */
    sigma[PAYNE + 7] = NAN; /* mended and bad, also in row 0's mask? no: the mask is its own */
    WORKS(anpe_h5_create(ctx, in_scratch("two.h5"), &f));
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, sigma));
    WORKS(anpe_h5_write(ctx, f, "mask", ANPE_H5_UINT8, 2, shape, mask));
    WORKS(anpe_h5_put_text(ctx, f, "/", "instrument", "apogee"));
    WORKS(anpe_h5_close(ctx, f));
    for (int separate = 0; separate < 2; separate++) {
        snprintf(text, sizeof text,
                 "instrument: { plugin = \"apogee\"; };"
                 "noise: { plugin = \"apogee\"; library = \"%s\"; separate_masks = %s; };",
                 in_scratch("two.h5"), separate ? "true" : "false");
        WORKS(open_noise(text));
        for (int64_t k = 0; k < 40; k++) {
            draw(k);
            CU_ASSERT(all_finite());
            const int sigma_row = spectrum.sigma[0] < 2 * spectrum.sigma[1];
            CU_ASSERT_EQUAL(spectrum.mask[100], spectrum.mask[7]); /* the NaN is flagged */
            if (separate)
                mixed += sigma_row != spectrum.mask[100];
            else
                same += sigma_row == spectrum.mask[100];
        }
    }
    CU_ASSERT_EQUAL(same, 40);
    CU_ASSERT(mixed > 5 && mixed < 35); /* 20 expected, standard deviation 3.2 */
    free(sigma);
    free(mask);
}

static void test_library_refused(void)
{
    static char text[512];
    write_library(in_scratch("lib.h5"), 2, 100, -1);
    snprintf(text, sizeof text,
             "instrument: { plugin = \"apogee\"; };"
             "noise: { plugin = \"apogee\"; library = \"%s\"; };",
             in_scratch("lib.h5"));
    FAILS(open_noise(text), ANPE_EINVAL, "error bars of 100 pixels, the instrument has 7214");
    write_library(in_scratch("lib.h5"), 2, PAYNE, 1);
    FAILS(open_noise(text), ANPE_EFORMAT, "row 1 of the noise library has no good pixel");
}

/* ---- making one -------------------------------------------------------------------------- */

/* An apStar with flux f, error e, and pixel 500 flagged with a wild error. */
static void write_star(const char *path, double f, double e)
{
    double *data = malloc(FULL * sizeof *data);
    fitsfile *file = new_fits(path);
    put_image(file, BYTE_IMG, 0, 0, NULL);
    put_text(file, "OBJID", "star");
    for (int i = 0; i < FULL; i++)
        data[i] = f;
    put_image(file, FLOAT_IMG, FULL, 1, data);
    for (int i = 0; i < FULL; i++)
        data[i] = i == 500 ? 1e10 : e * (i < 499 ? 1 : 2);
    put_image(file, FLOAT_IMG, FULL, 1, data);
    for (int i = 0; i < FULL; i++)
        data[i] = i == 500;
    put_image(file, SHORT_IMG, FULL, 1, data);
    end_fits(file);
    free(data);
}

static int n_warnings;
static char last_warning[512];
static void count_warnings(void *user, anpe_level level, const char *line)
{
    (void)user;
    if (level == ANPE_WARNING) {
        n_warnings++;
        snprintf(last_warning, sizeof last_warning, "%s", line);
    }
}

static void test_make_library(void)
{
    static char a[128], b[128], bad[128], out[128];
    anpe_noise_library_result result;
    anpe_noise_library library;
    snprintf(a, sizeof a, "%s", in_scratch("a.fits"));
    snprintf(b, sizeof b, "%s", in_scratch("b.fits"));
    snprintf(bad, sizeof bad, "%s", in_scratch("bad.fits"));
    snprintf(out, sizeof out, "%s", in_scratch("made.h5"));
    write_star(a, 200, 4);
    write_star(b, 10, 1);
    write_bytes(bad, "not FITS", 8);
    const char *const paths[] = {a, bad, b};
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    anpe_noise_library_job job = {&instrument, "instrument: {};", 3, paths, out};
    n_warnings = 0;
    anpe_ctx_set_log(ctx, count_warnings, NULL);
    WORKS(anpe_noise_library_make(ctx, &job, &result));
    CU_ASSERT(result.n_rows == 2 && result.n_skipped == 1 && n_warnings == 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_warning, "bad.fits: not a FITS file"));
    CU_ASSERT_DOUBLE_EQUAL(result.bad_fraction, 1.0 / PAYNE, 1e-12);
    WORKS(anpe_noise_library_read(ctx, out, &library));
    CU_ASSERT_FATAL(library.n_rows == 2 && library.n_pixels == PAYNE);
    for (int row = 0; row < 2; row++)
        for (int64_t i = 0; i < PAYNE; i++) { /* sigma over flux; pixel 500 has its neighbour's */
            const double relative = (row ? 0.1 : 0.02) * (i < 499 - 322 ? 1 : 2);
            CU_ASSERT_DOUBLE_EQUAL(library.sigma[row * PAYNE + i], relative, 1e-6);
            CU_ASSERT_EQUAL(library.mask[row * PAYNE + i], i == 500 - 322);
        }
    anpe_noise_library_free(&library);
    anpe_h5 *f = NULL;
    char *name = NULL;
    WORKS(anpe_h5_open(ctx, out, &f));
    WORKS(anpe_h5_get_text(ctx, f, "/", "instrument", &name));
    CU_ASSERT_STRING_EQUAL(name, "apogee");
    free(name);
    WORKS(anpe_h5_close(ctx, f));
    /* Nothing usable: a message and no file. */
    unlink(out);
    job.n_paths = 1;
    job.paths = paths + 1;
    FAILS(anpe_noise_library_make(ctx, &job, &result), ANPE_EINVAL,
          "no usable spectrum in 1 files; nothing written");
    CU_ASSERT_NOT_EQUAL(access(out, F_OK), 0);
    anpe_ctx_set_log(ctx, NULL, NULL);
}

/* ---- library: any error bars ------------------------------------------------------------- */

/* Spectra of an instrument without files of its own: three of two values, the last one without a
 * good value, and the second with a bad one. */
static void write_spectra(const char *path)
{
    const int64_t shape[2] = {3, 2};
    const float flux[] = {1, 2, 3, 4, 5, 6}, sigma[] = {0.1f, 0.2f, 0.3f, NAN, 0.5f, 0.6f};
    const uint8_t mask[] = {0, 0, 0, 0, 1, 1};
    anpe_h5 *f;
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "flux", ANPE_H5_FLOAT, 2, shape, flux));
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, shape, sigma));
    WORKS(anpe_h5_write(ctx, f, "mask", ANPE_H5_UINT8, 2, shape, mask));
    WORKS(anpe_h5_close(ctx, f));
}

static void make_from_array(const char *spectra, const char *out)
{
    anpe_noise_library_result result;
    write_spectra(spectra);
    WORKS(open_instrument("instrument: { plugin = \"array\"; shape = [2]; };"));
    const anpe_noise_library_job job = {
        .instrument = &instrument, .n_paths = 1, .paths = &spectra, .output = out};
    anpe_ctx_set_log(ctx, count_warnings, NULL);
    WORKS(anpe_noise_library_make(ctx, &job, &result));
    anpe_ctx_set_log(ctx, NULL, NULL);
    CU_ASSERT(result.n_rows == 2 && result.n_skipped == 1);
    CU_ASSERT_DOUBLE_EQUAL(result.bad_fraction, 0.25, 1e-12);
}

/* Every row comes as it is, equally often; the bad value is bad. */
static void test_rows(void)
{
    enum { N = 2000 };
    char text[512], out[256], spectra[256];
    int seen = 0;
    snprintf(out, sizeof out, "%s", in_scratch("rows.h5"));
    snprintf(spectra, sizeof spectra, "%s", in_scratch("spectra.h5"));
    make_from_array(spectra, out);
    snprintf(text, sizeof text,
             "instrument: { plugin = \"array\"; shape = [2]; };"
             "noise: { plugin = \"library\"; file = \"%s\"; };",
             out);
    WORKS(open_noise(text));
    for (int64_t i = 0; i < N; i++) {
        draw(i);
        const int second = spectrum.mask[1];
        seen += second;
        CU_ASSERT_EQUAL(spectrum.sigma[0], second ? 0.3f : 0.1f);
        CU_ASSERT(second || spectrum.sigma[1] == 0.2f);
        CU_ASSERT(spectrum.mask[0] == 0 && isfinite(spectrum.sigma[1]));
    }
    CU_ASSERT(abs(seen - N / 2) < 5 * sqrt(N / 4.));
    snprintf(text, sizeof text,
             "instrument: { plugin = \"array\"; shape = [2]; };"
             "noise: { plugin = \"library\"; file = \"%s\"; scale_min = 0.5; scale_max = 8.0; };",
             out);
    WORKS(open_noise(text));
    double sum = 0;
    for (int64_t i = 0; i < N; i++) {
        draw(i);
        const double f = (double)spectrum.sigma[0] / (spectrum.mask[1] ? 0.3 : 0.1);
        CU_ASSERT(f > 0.5 * (1 - 1e-6) && f < 8 * (1 + 1e-6));
        sum += log(f);
    }
    /* log f is uniform over log 16 around log 2 */
    CU_ASSERT_DOUBLE_EQUAL(sum / N, log(2), 5 * log(16) / sqrt(12. * N));
}

static void test_rows_refused(void)
{
    char text[512];
    write_spectra(in_scratch("spectra.h5"));
    snprintf(text, sizeof text,
             "instrument: { plugin = \"array\"; shape = [2]; };"
             "noise: { plugin = \"library\"; file = \"%s\"; };",
             in_scratch("spectra.h5"));
    FAILS(open_noise(text), ANPE_EFORMAT, "row 2 of the noise library has no good pixel");
    make_from_array(in_scratch("spectra.h5"), in_scratch("rows.h5"));
    snprintf(text, sizeof text,
             "instrument: { plugin = \"array\"; shape = [3]; };"
             "noise: { plugin = \"library\"; file = \"%s\"; };",
             in_scratch("rows.h5"));
    FAILS(open_noise(text), ANPE_EINVAL, "error bars of 2 pixels, the instrument has 3 values");
    FAILS(open_noise("instrument: { plugin = \"array\"; shape = [3]; };"
                     "noise: { plugin = \"library\"; file = \"x.h5\"; scale_min = 2.0; };"),
          ANPE_ECONFIG, "scale_min 2 is above scale_max 1");
    FAILS(open_noise("instrument: { plugin = \"array\"; shape = [3]; };"
                     "noise: { plugin = \"library\"; };"),
          ANPE_ECONFIG, "file");
}

/* ---- array, none, gaussian --------------------------------------------------------------- */

static void test_array(void)
{
    WORKS(open_instrument("instrument: { plugin = \"array\"; shape = [7]; };"));
    CU_ASSERT(info.channels == 1 && info.n_pixels == 7 && !info.wavelength && !info.resolution);
    CU_ASSERT(info.n_segments == 1 && info.segment[0] == 0 && info.segment[1] == 7);
    CU_ASSERT(!ops->read && !ops->normalise);
    WORKS(open_instrument("instrument: { plugin = \"array\"; shape = [3, 5]; };"));
    CU_ASSERT(info.channels == 3 && info.n_pixels == 5);
    FAILS(open_instrument("instrument: { plugin = \"array\"; };"), ANPE_ECONFIG, "shape");
    FAILS(open_instrument("instrument: { plugin = \"array\"; shape = [2, 3, 4]; };"), ANPE_ECONFIG,
          "shape: 3 numbers; expected [L] or [C, L]");
    FAILS(open_instrument("instrument: { plugin = \"array\"; shape = [2.5]; };"), ANPE_ECONFIG,
          "shape: 2.5; expected whole numbers");
    FAILS(open_instrument("instrument: { plugin = \"array\"; shape = [100000, 100000]; };"),
          ANPE_ECONFIG, "at most");
}

static void test_none_and_gaussian(void)
{
    double sum = 0, squares = 0;
    WORKS(open_noise("instrument: { plugin = \"array\"; shape = [3, 4000]; };"
                     "noise: { plugin = \"none\"; };"));
    draw(0);
    anpe_rng rng = stream(9);
    WORKS(add_noise(&rng));
    for (int64_t i = 0; i < 12000; i++)
        CU_ASSERT(spectrum.flux[i] == 1 && spectrum.sigma[i] == 1 && !spectrum.mask[i]);
    WORKS(open_noise("instrument: { plugin = \"array\"; shape = [3, 4000]; };"
                     "noise: { plugin = \"gaussian\"; sigma = 0.25; };"));
    draw(0);
    WORKS(add_noise(&rng));
    for (int64_t i = 0; i < 12000; i++) {
        sum += (double)spectrum.flux[i] - 1;
        squares += ((double)spectrum.flux[i] - 1) * ((double)spectrum.flux[i] - 1);
        CU_ASSERT(spectrum.sigma[i] == 0.25f && !spectrum.mask[i]);
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / 12000, 0, 5 * 0.25 / sqrt(12000));
    CU_ASSERT_DOUBLE_EQUAL(squares / 12000, 0.0625, 5 * 0.0625 * sqrt(2.0 / 12000));
    WORKS(open_noise("instrument: { plugin = \"array\"; shape = [3]; };"
                     "noise: { plugin = \"gaussian\"; snr = 50; };"));
    draw(0);
    CU_ASSERT_EQUAL(spectrum.sigma[2], 0.02f);
    FAILS(open_noise("instrument: { plugin = \"array\"; shape = [3]; };"
                     "noise: { plugin = \"gaussian\"; };"),
          ANPE_ECONFIG, "give one of `sigma` and `snr`");
    FAILS(open_noise("instrument: { plugin = \"array\"; shape = [3]; };"
                     "noise: { plugin = \"gaussian\"; sigma = 1; snr = 2; };"),
          ANPE_ECONFIG, "not both");
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {
        {"mean of 1/sigma equals the target", test_target},
        {"targets are uniform", test_uniform},
        {"the same stream gives the same numbers", test_same_numbers},
        {"sky lines, gaps, blue end", test_sky},
        {"masks", test_masks},
        {"residuals", test_residuals},
        {"refused options", test_refused},
        {"library", test_library},
        {"separate masks", test_separate_masks},
        {"libraries that do not fit", test_library_refused},
        {"making a library", test_make_library},
        {"rows as they are", test_rows},
        {"rows refused", test_rows_refused},
        {"array", test_array},
        {"none and gaussian", test_none_and_gaussian},
    };
    const int code = run_suite(argc, argv, "noise models", COUNT(tests), tests);
    close_all();
    return code;
}
