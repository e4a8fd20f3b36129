/* The reader of LAMOST low-resolution files: grid, masks, images and tables, damaged files, real.
 */
#include <config.h>
#include "instrument_support.h"

enum { N = 3909, FLUX = 0, IVAR = N, WAVE = 2 * N, AND = 3 * N, OR = 4 * N };
static double data[5 * N];
static const char plain[] = "instrument: { plugin = \"lamost_lrs\"; };";

/* A spectrum on the survey's grid: flux 100, sigma 2. */
static void flat(void)
{
    for (int i = 0; i < N; i++) {
        data[FLUX + i] = 100;
        data[IVAR + i] = 0.25;
        data[WAVE + i] = pow(10, 3.5682 + 1e-4 * i);
        data[AND + i] = data[OR + i] = 0;
    }
}

static const char *image(const char *name, int rows)
{
    const char *path = in_scratch(name);
    fitsfile *f = new_fits(path);
    put_image(f, DOUBLE_IMG, N, rows, data);
    put_text(f, "DESIG", "LAMOST J000000.00+000000.0");
    end_fits(f);
    return path;
}

/* As later data releases have it: one row of five vectors. */
static const char *table(const char *name, const char *extension)
{
    char columns[5][12] = {"FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK"};
    char format[12], *names[5], *formats[5], extname[16];
    int status = 0;
    const char *path = in_scratch(name);
    fitsfile *f = new_fits(path);
    snprintf(format, sizeof format, "%dD", N);
    snprintf(extname, sizeof extname, "%s", extension);
    for (int k = 0; k < 5; k++) {
        names[k] = columns[k];
        formats[k] = format;
    }
    put_image(f, BYTE_IMG, 0, 0, NULL);
    fits_create_tbl(f, BINARY_TBL, 1, 5, names, formats, NULL, extname, &status);
    for (int k = 0; k < 5; k++)
        fits_write_col(f, TDOUBLE, k + 1, 1, 1, N, data + k * N, &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    end_fits(f);
    return path;
}

static int64_t pixel_at(double wavelength)
{
    int64_t i = 0;
    while (i < info.n_pixels - 1 && info.wavelength[i] < wavelength * (1 - 1e-9))
        i++;
    return i;
}

static void test_grid(void)
{
    WORKS(open_instrument(plain));
    /* 3700 and 9100 A: pixels 1 .. 3908 of 10^(3.5682 + 1e-4 i) */
    CU_ASSERT_EQUAL(info.n_pixels, 3908);
    CU_ASSERT_DOUBLE_EQUAL(info.wavelength[0], pow(10, 3.5683), 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(info.wavelength[3907], pow(10, 3.959), 1e-8);
    CU_ASSERT(info.resolution[9] == 1800 && info.n_segments == 1 && !info.needs_continuum);
    CU_ASSERT(info.exclude[pixel_at(7620)] && !info.exclude[pixel_at(6563)]);
    CU_ASSERT(!info.exclude[pixel_at(5800)]);
    WORKS(open_instrument("instrument: { plugin = \"lamost_lrs\"; lambda_min = 4000.0; lambda_max "
                          "= 7000.0; exclude_tellurics = false; exclude_join = true; };"));
    CU_ASSERT(info.wavelength[0] >= 4000 && info.wavelength[0] < 4001);
    CU_ASSERT(info.wavelength[info.n_pixels - 1] > 6998 &&
              info.wavelength[info.n_pixels - 1] <= 7000);
    CU_ASSERT(!info.exclude[pixel_at(6900)] && info.exclude[pixel_at(5800)]);
    WORKS(open_instrument("instrument: { plugin = \"lamost_lrs\"; never = [ 6560.0, 6568.0 ]; };"));
    CU_ASSERT(info.exclude[pixel_at(6564)] && !info.exclude[pixel_at(6558)] &&
              !info.exclude[pixel_at(6570)]);
    FAILS(open_instrument("instrument: { plugin = \"lamost_lrs\"; never = [ 6560.0 ]; };"),
          ANPE_ECONFIG, "never has 1 values; expected pairs");
    FAILS(open_instrument("instrument: { plugin = \"lamost_lrs\"; never = [ 6568.0, 6560.0 ]; };"),
          ANPE_ECONFIG, "never: 6568 to 6560; expected ascending");
    FAILS(open_instrument("instrument: { plugin = \"lamost_lrs\"; lambda_min = 8000.0; lambda_max "
                          "= 7000.0; };"),
          ANPE_ECONFIG, "leave fewer than 100 pixels");
}

static void test_layouts(void)
{
    flat();
    for (int i = 0; i < N; i++)
        data[FLUX + i] = 100 + i;
    WORKS(open_instrument(plain));
    CU_ASSERT_PTR_NULL(ops->count); /* 1 a file, which is not opened to be counted */
    const char *const paths[] = {image("image.fits", 5), image("image.fits.gz", 5),
                                 table("table.fits", "COADD")};
    for (int k = 0; k < 3; k++) {
        WORKS(read_row(paths[k], 0));
        CU_ASSERT_EQUAL(n_good(), info.n_pixels);
        /* on the file's own pixels resampling is the identity, to rounding; a pixel at the end is
         * taken as symmetric, which on a logarithmic grid moves its edge by 1e-4 of it */
        for (int64_t i = 0; i < info.n_pixels; i++) {
            CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[i], 101 + (double)i, 1e-3);
            CU_ASSERT_DOUBLE_EQUAL(spectrum.sigma[i], 2, 2 * 5e-4);
        }
        CU_ASSERT_STRING_EQUAL(spectrum.id, k < 2 ? "LAMOST J000000.00+000000.0" : "");
    }
    FAILS(read_row(paths[0], 1), ANPE_EINVAL, "no spectrum 1; the file has 1");
}

static void test_bad_pixels(void)
{
    flat();
    data[AND + 500] = 4;
    data[OR + 500] = data[OR + 600] = 64;
    data[IVAR + 700] = 0;
    data[IVAR + 800] = -1;
    data[IVAR + 900] = NAN;
    data[IVAR + 1000] = INFINITY;
    data[FLUX + 1100] = NAN;
    data[FLUX + 1200] = 1e300;
    data[IVAR + 1300] = 1e-300;
    const int bad[] = {500, 700, 800, 900, 1000, 1100, 1200, 1300};
    const char *path = image("bad.fits", 5);
    WORKS(open_instrument(plain));
    WORKS(read_row(path, 0));
    CU_ASSERT(all_finite());
    CU_ASSERT_EQUAL(info.n_pixels - n_good(), 8);
    for (int k = 0; k < 8; k++)
        CU_ASSERT_EQUAL(spectrum.mask[bad[k] - 1], 1);
    WORKS(open_instrument("instrument: { plugin = \"lamost_lrs\"; use_or_mask = true; };"));
    WORKS(read_row(path, 0));
    CU_ASSERT_EQUAL(info.n_pixels - n_good(), 9);
    CU_ASSERT_EQUAL(spectrum.mask[599], 1);
    for (int i = 0; i < N; i++)
        data[IVAR + i] = 0;
    FAILS(read_row(image("bad.fits", 5), 0), ANPE_EINVAL, "no good pixel among 3908");
}

/* What the columns of a table may be called, and which of them must be there. */
static void put_columns(const char *path, int n, const char *const *names, const double *const *v)
{
    char name[6][12], format[12], *columns[6], *formats[6];
    int status = 0;
    fitsfile *f = new_fits(path);
    snprintf(format, sizeof format, "%dD", N);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    for (int k = 0; k < n; k++) {
        snprintf(name[k], sizeof name[k], "%s", names[k]);
        columns[k] = name[k];
        formats[k] = format;
    }
    for (int other = 1; other >= 0; other--) { /* a table of something else comes first */
        fits_create_tbl(f, BINARY_TBL, 1, other ? 1 : n, columns + (other ? n - 1 : 0), formats,
                        NULL, NULL, &status);
        for (int k = 0; !other && k < n; k++) {
            double *copy = malloc(N * sizeof *copy);
            memcpy(copy, v[k], N * sizeof *copy);
            fits_write_col(f, TDOUBLE, k + 1, 1, 1, N, copy, &status);
            free(copy);
        }
    }
    CU_ASSERT_EQUAL_FATAL(status, 0);
    end_fits(f);
}

static void reads_slope(const char *path)
{
    WORKS(read_row(path, 0));
    CU_ASSERT_EQUAL(info.n_pixels - n_good(), 1);
    CU_ASSERT_EQUAL(spectrum.mask[499], 1);
    for (int64_t i = 0; i < info.n_pixels; i++) /* see test_layouts */
        if (i != 499)
            CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[i], 101 + (double)i, 1e-3);
}

static void test_columns(void)
{
    static double log_wave[N];
    const char *path = in_scratch("columns.fits");
    const char *const names[] = {"FLUX", "IVAR", "LOGLAM", "ANDMASK"};
    const char *const boss[] = {"flux", "loglam", "ivar", "and_mask"};
    const double *const values[] = {data + FLUX, data + IVAR, log_wave, data + AND};
    const double *const boss_values[] = {data + FLUX, log_wave, data + IVAR, data + AND};
    WORKS(open_instrument(plain));
    flat();
    data[AND + 500] = 1;
    for (int turned = 0; turned < 2; turned++) { /* blue to red, red to blue */
        for (int i = 0; i < N; i++) {
            const int at = turned ? N - 1 - i : i;
            log_wave[i] = 3.5682 + 1e-4 * at;
            data[FLUX + i] = 100 + at;
            data[AND + i] = at == 500;
        }
        put_columns(path, 4, names, values);
        reads_slope(path);
    }
    put_columns(path, 4, boss, boss_values);
    FAILS(read_row(path, 0), ANPE_EFORMAT,
          "the table in HDU 2 has no column ANDMASK; it has flux, loglam, ivar, and_mask");
    put_columns(path, 3, names, values); /* not used, but the default one is */
    FAILS(read_row(path, 0), ANPE_EFORMAT, "no column ANDMASK; it has FLUX, IVAR, LOGLAM");
}

/* Images of the pilot survey: the third row is another spectrum, the header has the scale, and a
 * table of results stands behind. step under either name; fractions for the masks, too. */
static void test_pilot(void)
{
    static const char *const steps[] = {"CD1_1", "CDELT1"};
    char name[] = "Z", format[] = "1D", *names[] = {name}, *formats[] = {format};
    const char *path = in_scratch("pilot.fits");
    int status = 0;
    WORKS(open_instrument(plain));
    for (int k = 0; k < 4; k++) {
        flat();
        data[AND + 500] = 1;
        for (int i = 0; i < N; i++) {
            data[FLUX + i] = 100 + i;
            data[WAVE + i] = 0.01 * (i % 50) - 0.2;
            if (k == 2)
                data[AND + i] = 0.97 + 1e-4 * (i % 50); /* flux over continuum */
        }
        data[IVAR + 500] = 0;
        fitsfile *f = new_fits(path);
        put_image(f, DOUBLE_IMG, N, 5, data);
        if (k < 3) {
            put_real(f, "CRVAL1", 3.5682 + 1e-3);
            put_real(f, "CRPIX1", 11);
            put_real(f, steps[k % 2], 1e-4);
        }
        fits_create_tbl(f, BINARY_TBL, 1, 1, names, formats, NULL, NULL, &status);
        CU_ASSERT_EQUAL_FATAL(status, 0);
        end_fits(f);
        if (k < 3)
            reads_slope(path);
        else /* no scale at all */
            FAILS(read_row(path, 0), ANPE_EFORMAT, "wavelength -0.2 A at pixel 0; expected ascend");
    }
}

/* A narrower file leaves the rest of the grid bad; air wavelengths are converted. */
static void test_range(void)
{
    WORKS(open_instrument(plain));
    flat();
    for (int i = 0; i < N; i++)
        data[WAVE + i] = 4500 + i; /* to 8408 */
    WORKS(read_row(image("part.fits", 5), 0));
    CU_ASSERT(spectrum.mask[pixel_at(4400)] && spectrum.mask[pixel_at(8500)]);
    CU_ASSERT(!spectrum.mask[pixel_at(4510)] && !spectrum.mask[pixel_at(8400)]);
    CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[pixel_at(6000)], 100, 1e-3);
}

/* Where a line of the file at 6000 A is put when its header holds these integers. */
static double line_with(const char *key, int value, double helio_rv)
{
    const char *path = in_scratch("air.fits");
    int64_t peak = 0;
    int status = 0;
    flat();
    for (int i = 0; i < N; i++) {
        data[WAVE + i] = 4500 + i;
        data[FLUX + i] = 100 + (i == 1500 ? 1000 : 0);
    }
    fitsfile *f = new_fits(path);
    put_image(f, DOUBLE_IMG, N, 5, data);
    fits_write_key(f, value < 0 ? TLOGICAL : TINT, key, &(int){value < 0 ? 0 : value}, NULL,
                   &status);
    CU_ASSERT_EQUAL(status, 0);
    if (isfinite(helio_rv))
        put_real(f, "HELIO_RV", helio_rv);
    end_fits(f);
    WORKS(read_row(path, 0));
    for (int64_t i = 0; i < info.n_pixels; i++)
        if (!spectrum.mask[i] && spectrum.flux[i] > spectrum.flux[peak])
            peak = i;
    return info.wavelength[peak];
}

/* F, and 0 as writers without a logical type have it; to a pixel of 1.4 A. */
static void test_medium_and_frame(void)
{
    const double c = 299792.458, v = 300;
    WORKS(open_instrument(plain));
    CU_ASSERT_DOUBLE_EQUAL(line_with("VACUUM", -1, 0), 6001.66, 1.4);
    CU_ASSERT_DOUBLE_EQUAL(line_with("VACUUM", 0, 0), 6001.66, 1.4);
    CU_ASSERT_DOUBLE_EQUAL(line_with("VACUUM", 1, v), 6000, 1.4);
    CU_ASSERT_DOUBLE_EQUAL(line_with("HELIO", -1, v), 6000 * (1 + v / c), 1.4);
    CU_ASSERT_DOUBLE_EQUAL(line_with("HELIO", 0, v), 6000 * (1 + v / c), 1.4);
    CU_ASSERT_DOUBLE_EQUAL(line_with("HELIO", 1, v), 6000, 1.4);
    fitsfile *f = new_fits(in_scratch("none.fits"));
    int status = 0, no = 0;
    put_image(f, DOUBLE_IMG, N, 5, data);
    fits_write_key(f, TLOGICAL, "HELIO", &no, NULL, &status);
    end_fits(f);
    FAILS(read_row(in_scratch("none.fits"), 0), ANPE_EFORMAT, "there is no HELIO_RV");
    unlink(in_scratch("none.fits"));
}

static void test_damaged(void)
{
    WORKS(open_instrument(plain));
    flat();
    FAILS(read_row(in_scratch("none.fits"), 0), ANPE_EIO, "No such file");
    FAILS(read_row(image("rows.fits", 3), 0), ANPE_EFORMAT, "the image has 3 rows; expected 5");
    FAILS(read_row(table("medium.fits", "COADD_B"), 0), ANPE_EFORMAT, "medium-resolution");
    FAILS(read_row(table("medium.fits", "coadd_b"), 0), ANPE_EFORMAT, "medium-resolution");
    const char *path = image("cut.fits", 5);
    cut_file(path, 2880 * 30);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "cut.fits: ");
    path = image("cut.fits.gz", 5);
    cut_file(path, 2000);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "cut.fits.gz: ");
    data[WAVE + 77] = data[WAVE + 76];
    FAILS(read_row(image("back.fits", 5), 0), ANPE_EFORMAT, "at pixel 77; expected ascending");
    data[WAVE + 77] = NAN; /* one is a bad pixel, all are no spectrum */
    WORKS(read_row(image("back.fits", 5), 0));
    for (int i = 0; i < N; i++)
        data[WAVE + i] = NAN;
    FAILS(read_row(image("back.fits", 5), 0), ANPE_EFORMAT, "at pixel 0; expected ascending");
    fitsfile *f = new_fits(in_scratch("null.fits"));
    put_image(f, BYTE_IMG, 0, 0, NULL);
    end_fits(f);
    FAILS(read_row(in_scratch("null.fits"), 0), ANPE_EFORMAT, "HDU 0 has 0 axes");
}

/* Division by the smoothed flux: a slope goes, a narrow line stays. */
static void test_normalise(void)
{
    WORKS(open_instrument(plain));
    flat();
    for (int i = 0; i < N; i++)
        data[FLUX + i] = 100 + 0.05 * i;
    data[FLUX + 2000] *= 0.5;
    WORKS(read_row(image("slope.fits", 5), 0));
    WORKS(ops->normalise(instrument.self, ctx, NULL, &spectrum));
    /* inside: the kernel's 50 A times the relative slope is a few 1e-3, the line weighs as much */
    for (int64_t i = 200; i < info.n_pixels - 200; i++)
        CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[i], i == 1999 ? 0.5 : 1, 0.01);
    CU_ASSERT_DOUBLE_EQUAL(spectrum.sigma[1000], 2 / 150.0, 2e-4);
}

static void check_low(const char *path)
{
    double sum = 0;
    WORKS(read_row(path, 0));
    CU_ASSERT(all_finite());
    CU_ASSERT(n_good() > info.n_pixels * 85 / 100);
    CU_ASSERT(strstr(spectrum.id, "LAMOST J") == spectrum.id);
    WORKS(ops->normalise(instrument.self, ctx, NULL, &spectrum));
    for (int64_t i = 0; i < info.n_pixels; i++)
        sum += spectrum.mask[i] ? 0 : (double)spectrum.flux[i];
    CU_ASSERT_DOUBLE_EQUAL(sum / (double)n_good(), 1, 0.05);
    CU_ASSERT(anpe_spectrum_snr(&spectrum) > 10 && anpe_spectrum_snr(&spectrum) < 300);
}

static void check_medium(const char *path)
{
    FAILS(read_row(path, 0), ANPE_EFORMAT, "a LAMOST medium-resolution spectrum");
}

static void test_real(void)
{
    const char *folder = shared("lamost");
    if (!folder)
        return;
    WORKS(open_instrument(plain));
    CU_ASSERT_EQUAL(each_file(folder, "spec-", check_low), 3);
    CU_ASSERT_EQUAL(each_file(folder, "med-", check_medium), 3);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {
        {"grid", test_grid},
        {"image, gzip, table", test_layouts},
        {"columns of a table", test_columns},
        {"images of the pilot survey", test_pilot},
        {"bad pixels", test_bad_pixels},
        {"partial range", test_range},
        {"air, and a frame to correct", test_medium_and_frame},
        {"damaged and foreign files", test_damaged},
        {"continuum rule", test_normalise},
        {"real files", test_real},
    };
    const int code = run_suite(argc, argv, "instrument lamost_lrs", COUNT(tests), tests);
    close_all();
    return code;
}
