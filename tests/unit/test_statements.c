/* What a file says of itself is taken at its word: the kind of its errors, which pixels are good,
 * what its axis and its images are. Each is tried with two writers. */
#include <config.h>
#include "instrument_support.h"

enum { N = 2000, FULL = 8575 };

static const char any[] = "instrument: { plugin = \"spectrum\"; windows = [5010.0, 5180.0]; "
                          "resolution = 10000.0; rule = \"none\"; medium = \"vacuum\"; };";
static double wave[N], flux[N], sigma[N], mask[N], zero[FULL], one[FULL];

/* 0.1 Angstrom a pixel from 5000 on; pixels 600 to 699 are bad. */
static void make(void)
{
    for (int i = 0; i < N; i++) {
        wave[i] = 5000 + 0.1 * i;
        flux[i] = 1;
        sigma[i] = 0.01;
        mask[i] = i >= 600 && i < 700;
    }
    for (int i = 0; i < FULL; i++)
        one[i] = 1;
}

/* ---- images ------------------------------------------------------------------------------ */

static void put_scale(fitsfile *f, const char *ctype)
{
    put_text(f, "CTYPE1", ctype);
    put_real(f, "CRVAL1", wave[0]);
    put_real(f, "CDELT1", wave[1] - wave[0]);
}

/* Flux on a scale of the header, or with an image of wavelengths, and one more image of n values.
 */
static const char *images(int with_wave, const char *name, const char *utype, int64_t n,
                          const double *values)
{
    const char *path = in_scratch("images.fits");
    fitsfile *f = new_fits(path);
    put_image(f, DOUBLE_IMG, N, 1, flux);
    if (with_wave) {
        put_text(f, "EXTNAME", "FLUX");
        put_image(f, DOUBLE_IMG, N, 1, wave);
        put_text(f, "EXTNAME", "WAVE");
    } else {
        put_scale(f, "WAVE");
    }
    put_image(f, DOUBLE_IMG, n, 1, values);
    put_text(f, "EXTNAME", name);
    if (utype)
        put_text(f, "UTYPE", utype);
    end_fits(f);
    return path;
}

/* The error of a pixel that takes in pixels of 0.01 with their weights: between it and a half. */
static void has_sigma(void)
{
    CU_ASSERT(n_good() > spectrum.n_pixels * 9 / 10);
    for (int64_t i = 0; i < spectrum.n_pixels; i++)
        if (!spectrum.mask[i])
            CU_ASSERT(spectrum.sigma[i] > 0.004f && spectrum.sigma[i] < 0.011f);
}

static void test_errors(void)
{
    static const struct {
        const char *utype;
        double power;
    } kinds[] = {{"StdDevUncertainty", 1}, {"VarianceUncertainty", 2}, {"InverseVariance", -2}};
    double values[N];
    WORKS(open_instrument(any));
    for (int with_wave = 0; with_wave < 2; with_wave++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            for (int i = 0; i < N; i++)
                values[i] = pow(sigma[i], kinds[k].power);
            WORKS(read_row(images(with_wave, "UNCERT", kinds[k].utype, N, values), 0));
            has_sigma();
        }
}

static int n_warnings;
static void count_warnings(void *user, anpe_level level, const char *line)
{
    (void)user;
    n_warnings += level == ANPE_WARNING && strstr(line, "named as errors") != NULL;
}

/* Errors of another shape are not the flux's, and are not passed over in silence. */
static void test_unlike_errors(void)
{
    for (int i = 0; i < N; i++)
        flux[i] = 1 + 0.01 * (i % 3);
    WORKS(open_instrument(any));
    anpe_ctx_set_log(ctx, count_warnings, NULL);
    for (int same = 0; same < 2; same++) {
        n_warnings = 0;
        WORKS(read_row(images(0, "ERR", NULL, same ? N : N / 2, sigma), 0));
        CU_ASSERT_EQUAL(n_warnings, !same);
    }
    anpe_ctx_set_log(ctx, NULL, NULL);
    make();
}

/* Bad are the pixels of 5060 to 5070 Angstrom, and no others. */
static void is_masked(void)
{
    int64_t inside = 0, bad = 0;
    for (int64_t i = 0; i < spectrum.n_pixels; i++) {
        const double w = info.wavelength[i];
        if (w > 5060.5 && w < 5069) {
            inside++;
            bad += spectrum.mask[i];
        } else if (w < 5059 || w > 5071) {
            CU_ASSERT(!spectrum.mask[i]);
        }
    }
    CU_ASSERT(inside > 10 && bad == inside);
}

/* The errors are those of the scatter: only the mask matters. */
static void test_masks_of_images(void)
{
    static const char *const names[] = {"DQ", "QUALITY", "GOODPIX", "GOOD"};
    double values[N];
    for (int i = 0; i < N; i++)
        flux[i] = 1 + 0.01 * (i % 3);
    WORKS(open_instrument(any));
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        for (int i = 0; i < N; i++)
            values[i] = k < 2 ? mask[i] : 1 - mask[i];
        WORKS(read_row(images(0, names[k], NULL, N, values), 0));
        is_masked();
    }
    make();
}

static void test_axes(void)
{
    static const char *const ctypes[] = {"WAVN", "VELO-LSR", "FREQ"};
    WORKS(open_instrument(any));
    for (size_t k = 0; k < sizeof ctypes / sizeof *ctypes; k++) {
        fitsfile *f = new_fits(in_scratch("axis.fits"));
        put_image(f, DOUBLE_IMG, N, 1, flux);
        put_scale(f, ctypes[k]);
        end_fits(f);
        FAILS(read_row(in_scratch("axis.fits"), 0), ANPE_EFORMAT, "expected wavelengths");
    }
}

/* ---- tables ------------------------------------------------------------------------------ */

static const char *table(const char *error, double power, const char *mask_name, const char *form)
{
    const char *path = in_scratch("table.fits");
    char names[4][24] = {"wavelength", "flux"}, forms[4][4] = {"D", "D", "D"};
    char *name[4], *format[4], bytes[N];
    double errors[N];
    int status = 0, integers[N];
    snprintf(names[2], sizeof names[2], "%s", error);
    snprintf(names[3], sizeof names[3], "%s", mask_name);
    snprintf(forms[3], sizeof forms[3], "%s", form);
    const int good = !strncmp(mask_name, "good", 4);
    for (int i = 0; i < N; i++) {
        errors[i] = pow(sigma[i], power);
        integers[i] = good ? !(mask[i] > 0) : mask[i] > 0;
        bytes[i] = (char)integers[i];
    }
    for (int k = 0; k < 4; k++) {
        name[k] = names[k];
        format[k] = forms[k];
    }
    fitsfile *f = new_fits(path);
    fits_create_tbl(f, BINARY_TBL, 0, 4, name, format, NULL, NULL, &status);
    fits_write_col(f, TDOUBLE, 1, 1, 1, N, wave, &status);
    fits_write_col(f, TDOUBLE, 2, 1, 1, N, flux, &status);
    fits_write_col(f, TDOUBLE, 3, 1, 1, N, errors, &status);
    if (form[0] == 'L')
        fits_write_col(f, TLOGICAL, 4, 1, 1, N, bytes, &status);
    else
        fits_write_col(f, TINT, 4, 1, 1, N, integers, &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    end_fits(f);
    return path;
}

static void test_columns(void)
{
    WORKS(open_instrument(any));
    WORKS(read_row(table("error", 1, "mask", "L"), 0));
    is_masked();
    WORKS(read_row(table("error", 1, "good", "L"), 0));
    is_masked();
    WORKS(read_row(table("error", 1, "goodpix", "J"), 0));
    is_masked();
    WORKS(read_row(table("fluxerr", 1, "dq", "J"), 0));
    is_masked();
    has_sigma();
    WORKS(read_row(table("inverse_variance", -2, "bad", "J"), 0));
    is_masked();
    has_sigma();
}

static void test_text_columns(void)
{
    static char text[60 * N];
    size_t at = 0;
    WORKS(open_instrument(any));
    for (int good = 0; good < 2; good++) {
        at =
            (size_t)snprintf(text, sizeof text, "wavelength,flux,error,%s\n", good ? "good" : "dq");
        for (int i = 0; i < N; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%.1f,1,0.01,%d\n", wave[i],
                                   good ? !(mask[i] > 0) : 4 * (mask[i] > 0));
        write_bytes(in_scratch("text.csv"), text, at);
        WORKS(read_row(in_scratch("text.csv"), 0));
        is_masked();
    }
}

/* ---- APOGEE's images --------------------------------------------------------------------- */

static void test_apogee(void)
{
    static const struct {
        int hdu;
        const char *key, *value, *says;
    } cases[] = {{1, "EXTNAME", "ERROR", "HDU 1 has the EXTNAME 'ERROR'; expected the flux"},
                 {2, "BUNIT", "ivar", "HDU 2 has the BUNIT 'ivar'; expected the standard deviat"},
                 {2, "EXTNAME", "VARIANCE", "HDU 2 has the EXTNAME 'VARIANCE'; expected the stan"},
                 {1, "CTYPE1", "AWAV-LOG", "'AWAV-LOG'; expected the wavelength of vacuum"},
                 {1, "BUNIT", "Flux (10^-17 erg/s/cm^2/Ang)", NULL}};
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; };"));
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        fitsfile *f = new_fits(in_scratch("apstar.fits"));
        put_image(f, BYTE_IMG, 0, 0, NULL);
        for (int hdu = 1; hdu <= 3; hdu++) {
            put_image(f, hdu < 3 ? FLOAT_IMG : SHORT_IMG, FULL, 1, hdu < 3 ? one : zero);
            if (hdu == cases[k].hdu)
                put_text(f, cases[k].key, cases[k].value);
        }
        end_fits(f);
        if (cases[k].says)
            FAILS(read_row(in_scratch("apstar.fits"), 0), ANPE_EFORMAT, cases[k].says);
        else
            FAILS(read_row(in_scratch("apstar.fits"), 0), ANPE_EINVAL, "no good pixel");
    }
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {
        {"kinds of errors", test_errors},          {"errors of another shape", test_unlike_errors},
        {"masks of images", test_masks_of_images}, {"axes that are no wavelengths", test_axes},
        {"columns of tables", test_columns},       {"columns of text", test_text_columns},
        {"APOGEE's images", test_apogee}};
    make();
    const int code = run_suite(argc, argv, "what files say", COUNT(tests), tests);
    close_all();
    return code;
}
