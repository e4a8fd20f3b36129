/* The reader of LAMOST medium-resolution files: arms, masks, frame, what is none, and real files.
 */
#include <config.h>
#include "instrument_support.h"

enum { N = 5000 };
static const char plain[] = "instrument: { plugin = \"lamost_mrs\"; };";

typedef struct arm {
    const char *name;
    double start; /* log10 of its first wavelength */
} arm;
static const arm blue = {"COADD_B", 3.69}, red = {"COADD_R", 3.79};
static double column[5][N]; /* FLUX, IVAR, LOGLAM, ANDMASK, ORMASK */

/* Runs of six bad pixels: one alone leaves enough of a grid's pixel, which is 2.3 times as wide. */
static int in_run(int i, int first)
{
    return i >= first && i < first + 6;
}

/* Flux 100 + pixel / 100, sigma 2; log10 steps of 1e-5: 4898-5495 and 6166-6918 A. */
static void fill(const arm *a)
{
    for (int i = 0; i < N; i++) {
        column[0][i] = 100 + 0.01 * i;
        column[1][i] = 0.25;
        column[2][i] = a->start + 1e-5 * i;
        column[3][i] = in_run(i, 2000);
        column[4][i] = in_run(i, 2000) || in_run(i, 2100);
        if (in_run(i, 2200))
            column[1][i] = 0;
    }
}

static void put_arm(fitsfile *f, const arm *a)
{
    char names[5][8] = {"FLUX", "IVAR", "LOGLAM", "ANDMASK", "ORMASK"}, format[] = "1D",
         extension[16];
    char *columns[5], *formats[5];
    int status = 0;
    fill(a);
    for (int k = 0; k < 5; k++) {
        columns[k] = names[k];
        formats[k] = format;
    }
    snprintf(extension, sizeof extension, "%s", a->name);
    fits_create_tbl(f, BINARY_TBL, N, 5, columns, formats, NULL, extension, &status);
    for (int k = 0; k < 5; k++)
        fits_write_col(f, TDOUBLE, k + 1, 1, 1, N, column[k], &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
}

/* helio: -1 no keyword, else HELIO with a correction of 30 km/s. */
static const char *med(const char *name, const arm *first, const arm *second, int helio)
{
    const char *path = in_scratch(name);
    int status = 0;
    fitsfile *f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_text(f, "DESIG", "LAMOST J000000.00+000000.0");
    if (helio >= 0) {
        fits_write_key(f, TLOGICAL, "HELIO", &helio, NULL, &status);
        put_real(f, "HELIO_RV", 30);
    }
    CU_ASSERT_EQUAL_FATAL(status, 0);
    if (first)
        put_arm(f, first);
    if (second)
        put_arm(f, second);
    end_fits(f);
    return path;
}

static int64_t pixel_at(double wavelength)
{
    int64_t i = 0;
    while (i < info.n_pixels - 1 && info.wavelength[i] < wavelength)
        i++;
    return i;
}

/* Flux of the file's ramp at a wavelength. */
static double ramp(const arm *a, double wavelength)
{
    return 100 + 0.01 * (log10(wavelength) - a->start) / 1e-5;
}

static void follows_ramp(const arm *a, double from, double to, double factor)
{
    for (int64_t i = pixel_at(from); i < pixel_at(to); i++)
        if (!spectrum.mask[i]) /* a grid's pixel is 2.3 of the file's: 0.023 of the ramp */
            CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[i], ramp(a, info.wavelength[i] * factor), 0.02);
}

static void test_arms(void)
{
    WORKS(open_instrument(plain));
    CU_ASSERT(info.n_segments == 2 && info.resolution[0] == 7500 && !info.needs_continuum);
    CU_ASSERT_DOUBLE_EQUAL(info.wavelength[0], 4950, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(info.wavelength[info.segment[1]], 6300, 1e-9);
    for (int turned = 0; turned < 2; turned++) { /* in whichever order the tables come */
        WORKS(read_row(med("both.fits", turned ? &red : &blue, turned ? &blue : &red, 1), 0));
        follows_ramp(&blue, 4951, 5349, 1);
        follows_ramp(&red, 6301, 6799, 1);
        CU_ASSERT_STRING_EQUAL(spectrum.id, "LAMOST J000000.00+000000.0");
        CU_ASSERT(all_finite());
    }
    FAILS(read_row(in_scratch("both.fits"), 1), ANPE_EINVAL, "no spectrum 1; the file has 1");
    const arm small = {"coadd_b", blue.start};
    WORKS(read_row(med("small.fits", &small, &red, 1), 0));
    CU_ASSERT(!spectrum.mask[100] && !spectrum.mask[info.segment[1] + 100]);
    follows_ramp(&blue, 4951, 5349, 1);
    WORKS(read_row(med("blue.fits", &blue, NULL, 1), 0));
    CU_ASSERT(n_good() > info.segment[1] * 9 / 10 && n_good() <= info.segment[1]);
    WORKS(read_row(med("red.fits", &red, NULL, 1), 0));
    CU_ASSERT(spectrum.mask[100] && !spectrum.mask[info.segment[1] + 100]);
}

/* Pixels from 2000 (and-mask), 2100 (or-mask) and 2200 (no weight). */
static void test_masks(void)
{
    const double at[3] = {pow(10, 3.71), pow(10, 3.711), pow(10, 3.712)};
    const char *path = med("mask.fits", &blue, &red, 1);
    for (int use = 0; use < 2; use++) {
        WORKS(open_instrument(use ? "instrument: { plugin = \"lamost_mrs\"; use_or_mask = true; };"
                                  : plain));
        WORKS(read_row(path, 0));
        for (int k = 0; k < 3; k++) {
            int bad = 0;
            for (int64_t i = pixel_at(at[k]) - 3; i < pixel_at(at[k]) + 6; i++)
                bad += spectrum.mask[i];
            CU_ASSERT_EQUAL(bad > 0, k != 1 || use);
        }
    }
}

/* A file that says that it is not corrected is: an observed wavelength times 1 + 30 km/s / c. */
static void test_frame(void)
{
    const double c = 299792.458, factor = sqrt((1 - 30 / c) / (1 + 30 / c));
    WORKS(open_instrument(plain));
    WORKS(read_row(med("observed.fits", &blue, &red, 0), 0));
    follows_ramp(&blue, 4960, 5340, factor);
    CU_ASSERT(fabs(ramp(&blue, 5100) - ramp(&blue, 5100 * factor)) > 0.04); /* would be seen */
}

/* HELIO = F without HELIO_RV: nobody knows the frame, unless the user says that it does not matter.
 */
static void test_unknown_frame(void)
{
    int status = 0;
    fitsfile *f;
    const char *path = med("observed.fits", &blue, &red, 0);
    fits_open_file(&f, path, READWRITE, &status);
    fits_delete_key(f, "HELIO_RV", &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    end_fits(f);
    WORKS(open_instrument(plain));
    FAILS(read_row(path, 0), ANPE_EFORMAT, "there is no HELIO_RV to correct them by");
    WORKS(open_instrument("instrument: { plugin = \"lamost_mrs\"; frame = \"observed\"; };"));
    WORKS(read_row(path, 0));
    follows_ramp(&blue, 4960, 5340, 1);
}

static void test_foreign(void)
{
    const arm other = {"B-84107311", 3.69};
    WORKS(open_instrument(plain));
    FAILS(read_row(med("none.fits", &other, NULL, 1), 0), ANPE_EFORMAT,
          "no table COADD_B or COADD_R; expected a LAMOST medium-resolution spectrum");
    FAILS(read_row(in_scratch("absent.fits"), 0), ANPE_EIO, "No such file");
    const char *path = med("cut.fits", &blue, &red, 1);
    cut_file(path, 2880 * 20);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "cut.fits: ");
}

/* Depth-weighted mean wavelength of the line within 8 A. */
static double line_centre(double near)
{
    double weight = 0, sum = 0;
    for (int64_t i = pixel_at(near - 8); i < pixel_at(near + 8); i++)
        if (!spectrum.mask[i]) {
            const double depth = fmax(0, 0.9 - (double)spectrum.flux[i]);
            weight += depth;
            sum += depth * info.wavelength[i];
        }
    return weight > 0 ? sum / weight : 0;
}

static void check_medium(const char *path)
{
    WORKS(read_row(path, 0));
    CU_ASSERT(all_finite());
    CU_ASSERT(n_good() > info.n_pixels * 9 / 10);
    CU_ASSERT(strstr(spectrum.id, "LAMOST J") == spectrum.id);
    WORKS(ops->normalise(instrument.self, ctx, NULL, &spectrum));
    /* H alpha at its vacuum wavelength, give or take a star's 150 km/s */
    CU_ASSERT_DOUBLE_EQUAL(line_centre(6564.61), 6564.61, 3.3);
}

static void check_low(const char *path)
{
    FAILS(read_row(path, 0), ANPE_EFORMAT, "lamost_lrs reads low-resolution ones");
}

static void test_real(void)
{
    const char *folder = shared("lamost");
    if (!folder)
        return;
    WORKS(open_instrument(plain));
    CU_ASSERT_EQUAL(each_file(folder, "med-", check_medium), 3);
    CU_ASSERT_EQUAL(each_file(folder, "spec-", check_low), 3);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {
        {"arms", test_arms},
        {"masks", test_masks},
        {"frame", test_frame},
        {"what is none", test_foreign},
        {"a frame that nobody knows", test_unknown_frame},
        {"real files", test_real},
    };
    const int code = run_suite(argc, argv, "instrument lamost_mrs", COUNT(tests), tests);
    close_all();
    return code;
}
