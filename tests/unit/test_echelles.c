/* Instruments mike, hires and pepsi: the files of their pipelines, made as their descriptions say;
 * what is none; the noise of echelles; a real file of MIKE against its own header. */
#include <config.h>
#include "instrument_support.h"

enum { N = 2000, ORDERS = 3, BANDS = 7 };

/* Flux of every spectrum here: a ramp in the wavelengths of the file. */
static double ramp(double wavelength)
{
    return 100 + 0.1 * (wavelength - 5000);
}

/* Vacuum to air: the inverse of what the readers do, by the same fixed point. */
static double to_air(double vacuum)
{
    double air = vacuum;
    for (int k = 0; k < 20; k++)
        air *= vacuum / anpe_air_to_vacuum(air);
    return air;
}

static int64_t good_between(double from, double to)
{
    int64_t n = 0;
    for (int64_t i = 0; i < info.n_pixels; i++)
        n += info.wavelength[i] >= from && info.wavelength[i] <= to && !spectrum.mask[i];
    return n;
}

/* Good pixels follow the ramp, shifted by a velocity, in air or not, to the step of a pixel, with
 * an error of `relative` to within the factor that resampling may bring. */
static void follows(double from, double to, int air, double kms, double relative)
{
    int wrong = 0;
    const double c = 299792.458, factor = sqrt((1 - kms / c) / (1 + kms / c));
    for (int64_t i = 0; i < info.n_pixels; i++) {
        const double w = info.wavelength[i];
        if (spectrum.mask[i] || w < from || w > to)
            continue;
        const double there = ramp((air ? to_air(w) : w) * factor);
        wrong += fabs((double)spectrum.flux[i] - there) > 0.004 ||
                 (double)spectrum.sigma[i] < 0.4 * relative * there ||
                 (double)spectrum.sigma[i] > 1.6 * relative * there;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(good_between(from, to) > 100);
    CU_ASSERT(all_finite());
}

/* ---- MIKE -------------------------------------------------------------------------------- */

static double cube[BANDS][ORDERS][N];

static double order_wavelength(int k, int i)
{
    return 5000 + 30.0 * k + 0.02 * i; /* 40 A each, overlapping by 10 */
}

/* Sky 5000; counts and noise carry the flat field, 50 to 250, the last band does not. */
static void fill_cube(void)
{
    for (int k = 0; k < ORDERS; k++)
        for (int i = 0; i < N; i++) {
            const double flux = ramp(order_wavelength(k, i)), flat = 50 + 0.1 * i;
            const double bands[BANDS] = {5000, flux * flat, 0.01 * flux * flat, 100, 3, flat, flux};
            for (int b = 0; b < BANDS; b++)
                cube[b][k][i] = i == 777 && b == 1 ? 0 : bands[b];
        }
}

static void put_wat2(fitsfile *f)
{
    char text[2000] = "wtype=multispec", card[70], key[12];
    for (int k = 0; k < ORDERS; k++) {
        const size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, " spec%d = \"%d %d 0 %.6f %.6f %d 0. 1. 10.\"", k + 1,
                 70 - k, 70 - k, order_wavelength(k, 0), 0.02, N);
    }
    for (size_t at = 0, j = 1; at < strlen(text); at += 60, j++) {
        snprintf(card, sizeof card, "%.60s", text + at);
        snprintf(key, sizeof key, "WAT2_%03d", (int)j);
        put_text(f, key, card);
    }
}

static const char *carpy(const char *name, const char *instrument_name)
{
    static const char *const bands[BANDS] = {"sky spectrum",
                                             "object spectrum",
                                             "noise spectrum",
                                             "signal-to-noise spectrum",
                                             "lamp spectrum",
                                             "flat spectrum",
                                             "object spectrum divided by normed flat"};
    const char *path = in_scratch(name);
    long axes[3] = {N, ORDERS, BANDS};
    int status = 0;
    fitsfile *f = new_fits(path);
    fill_cube();
    fits_create_img(f, DOUBLE_IMG, 3, axes, &status);
    fits_write_img(f, TDOUBLE, 1, N * ORDERS * BANDS, cube, &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    put_text(f, "OBJECT", "HD 140283");
    put_text(f, "INSTRUME", instrument_name);
    put_text(f, "CTYPE1", "MULTISPE");
    put_text(f, "WAT0_001", "system=multispec");
    put_text(f, "WAT1_001", "wtype=multispec label=Wavelength units=angstroms");
    put_wat2(f);
    for (int b = 0; b < BANDS; b++) {
        char key[12];
        snprintf(key, sizeof key, "BANDID%d", b + 1);
        put_text(f, key, bands[b]);
    }
    put_real(f, "BCV", 25);
    end_fits(f);
    return path;
}

#define GRID "windows = [5003.0, 5100.0]; resolution = 90000.0; blaze = 0.0; "

static void test_mike(void)
{
    const char *path = carpy("carpy.fits", "MIKE-Red");
    WORKS(open_instrument("instrument: { plugin = \"mike\"; " GRID "};"));
    WORKS(read_row(path, 0));
    CU_ASSERT_STRING_EQUAL(spectrum.id, "HD 140283");
    follows(5004, 5099, 1, 0, 0.01);
    CU_ASSERT(good_between(5003, 5100) < info.n_pixels); /* the pixel without counts */
    WORKS(open_instrument("instrument: { plugin = \"mike\"; velocity_key = \"BCV\"; " GRID "};"));
    WORKS(read_row(path, 0));
    follows(5004, 5099, 1, 25, 0.01);
    WORKS(open_instrument("instrument: { plugin = \"mike\"; velocity_key = \"NONE\"; " GRID "};"));
    FAILS(read_row(path, 0), ANPE_EFORMAT, "no keyword NONE (velocity_key)");
    FAILS(read_row(path, 1), ANPE_EINVAL, "no spectrum 1; the file has 1");
    FAILS(read_row(carpy("other.fits", "UVES"), 0), ANPE_EFORMAT,
          "INSTRUME is 'UVES'; expected MIKE");
    cut_file(path, 2880 * 30);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "carpy.fits: ");
}

/* The sky, which comes first, is not the star. */
static void test_bands(void)
{
    WORKS(open_instrument("instrument: { plugin = \"spectrum\"; medium = \"air\"; " GRID "};"));
    WORKS(read_row(carpy("carpy.fits", "MIKE-Red"), 0));
    int64_t above = 0;
    for (int64_t i = 0; i < info.n_pixels; i++)
        above += spectrum.flux[i] > 5100;
    CU_ASSERT(above > info.n_pixels * 9 / 10);
}

/* The orders of a real file on linear scales, joined: H alpha in the observatory's frame. The star
 * (HR 718, +12 km/s) was observed when the Earth moved away from it by 27 km/s. */
static void test_real_mike(void)
{
    const char *path = shared("mike/HR718_red_multi.fits");
    double sum = 0, weight = 0;
    if (!path)
        return;
    WORKS(open_instrument("instrument: { plugin = \"mike\"; };"));
    WORKS(read_row(path, 0));
    CU_ASSERT_STRING_EQUAL(spectrum.id, "Star-202");
    CU_ASSERT(n_good() > 0.97 * (double)info.n_pixels && all_finite());
    for (int64_t i = 0; i < info.n_pixels; i++)
        if (fabs(info.wavelength[i] - 6565) < 4 && spectrum.flux[i] < 0.6f && !spectrum.mask[i]) {
            const double depth = 0.6 - (double)spectrum.flux[i];
            sum += depth * info.wavelength[i];
            weight += depth;
        }
    CU_ASSERT_DOUBLE_EQUAL(sum / weight, 6564.61 * (1 + 39 / 299792.458), 0.3);
}

/* ---- HIRES ------------------------------------------------------------------------------- */

static double rows[3][ORDERS * N]; /* flux, error, wavelength */

static void fill_rows(double start)
{
    for (int k = 0; k < ORDERS; k++)
        for (int i = 0; i < N; i++) {
            const double w = start + 30.0 * k + 0.02 * i;
            rows[0][k * N + i] = ramp(w);
            rows[1][k * N + i] = 0.01 * ramp(w);
            rows[2][k * N + i] = w;
        }
}

/* MAKEE: wavelengths as polynomials in the column, whose first is 23. */
static const char *makee(const char *name, const double *data, double start, const char *utc)
{
    const char *path = in_scratch(name);
    fitsfile *f = new_fits(path);
    put_image(f, DOUBLE_IMG, N, ORDERS, data);
    put_text(f, "OBJECT", "HD 122563");
    put_text(f, "INSTRUME", "HIRES: High Resolution Echelle Spectrometer");
    put_text(f, "DATE-OBS", "2005-08-13");
    put_text(f, "UTC", utc);
    put_real(f, "CRVAL1", 23);
    put_real(f, "CDELT1", 1);
    for (int k = 0; k < ORDERS; k++) {
        char key[12], value[80];
        snprintf(key, sizeof key, "WV_0_%02d", k + 1);
        snprintf(value, sizeof value, " %.9E +%.9E -0.000000000E+00 +0.000000000E+00",
                 start + 30.0 * k - 23 * 0.02, 0.02);
        put_text(f, key, value);
        snprintf(key, sizeof key, "WV_4_%02d", k + 1);
        put_text(f, key, " +0.000000000E+00 +0.000000000E+00 +0.000000000E+00 +0.000000000E+00");
    }
    end_fits(f);
    return path;
}

static void use_hires(const char *more)
{
    char text[300];
    snprintf(text, sizeof text,
             "instrument: { plugin = \"hires\"; windows = [5003.0, 5100.0, 5203.0, 5300.0]; "
             "resolution = 90000.0; blaze = 0.0; %s };",
             more);
    WORKS(open_instrument(text));
}

static int64_t counted(const char *name)
{
    int64_t n = -1;
    WORKS(ops->count(instrument.self, ctx, in_scratch(name), &n));
    return n;
}

static void test_makee(void)
{
    use_hires("");
    fill_rows(5000);
    makee("Err-101_1.fits", rows[1], 5000, "01:00:00");
    const char *path = makee("Flux-101_1.fits", rows[0], 5000, "01:00:00");
    WORKS(read_row(path, 0));
    follows(5004, 5099, 0, 0, 0.01);
    CU_ASSERT_EQUAL(good_between(5203, 5300), 0);
    CU_ASSERT_STRING_EQUAL(spectrum.id, "HD 122563");
    /* the second detector of the exposure; another exposure is none of it */
    fill_rows(5200);
    makee("Err-101_2.fits", rows[1], 5200, "01:00:00");
    makee("Flux-101_2.fits", rows[0], 5200, "01:00:00");
    makee("Flux-101_3.fits", rows[1], 5200, "02:00:00");
    WORKS(read_row(path, 0));
    follows(5004, 5099, 0, 0, 0.01);
    follows(5204, 5299, 0, 0, 0.01);
    CU_ASSERT_EQUAL(counted("Flux-101_1.fits"), 1);
    CU_ASSERT_EQUAL(counted("Flux-101_2.fits"), 0); /* read with the first */
    CU_ASSERT_EQUAL(counted("Flux-101_3.fits"), 1);
    use_hires("join = false;");
    CU_ASSERT_EQUAL(counted("Flux-101_2.fits"), 1);
    WORKS(read_row(in_scratch("Flux-101_1.fits"), 0));
    CU_ASSERT_EQUAL(good_between(5203, 5300), 0);
    CU_ASSERT(!unlink(in_scratch("Err-101_1.fits"))); /* then from the scatter of a smooth ramp */
    WORKS(read_row(in_scratch("Flux-101_1.fits"), 0));
    for (int64_t i = 0; i < 100; i++)
        CU_ASSERT(spectrum.mask[i] || spectrum.sigma[i] < 0.1f);
}

/* A table an order, errors in a column. */
static const char *koa_order(const char *name, double start)
{
    static double column[6][N];
    char names[6][12] = {"col", "wave", "Flux", "Error", "Background", "Flat"}, format[] = "1D";
    char *n[6], *formats[6];
    const char *path = in_scratch(name);
    fitsfile *f = new_fits(path);
    int status = 0;
    for (int i = 0; i < N; i++) {
        const double w = start + 0.02 * i, values[6] = {i, w, ramp(w), 0.01 * ramp(w), 7, 9};
        for (int c = 0; c < 6; c++)
            column[c][i] = values[c];
    }
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_text(f, "TARGNAME", "HD 84937");
    put_real(f, "MJD", 53241.2);
    for (int c = 0; c < 6; c++) {
        n[c] = names[c];
        formats[c] = format;
    }
    fits_create_tbl(f, BINARY_TBL, N, 6, n, formats, NULL, NULL, &status);
    for (int c = 0; c < 6; c++)
        fits_write_col(f, TDOUBLE, c + 1, 1, 1, N, column[c], &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    end_fits(f);
    return path;
}

static void test_archive(void)
{
    use_hires("");
    koa_order("HI.20040824.18925_1_03_flux.fits", 5002);
    koa_order("HI.20040824.18925_2_01_flux.fits", 5040);
    const char *path = koa_order("HI.20040824.18925_3_04_flux.fits", 5240);
    WORKS(read_row(path, 0));
    follows(5004, 5041, 0, 0, 0.01);
    follows(5242, 5279, 0, 0, 0.01);
    CU_ASSERT(good_between(5042, 5078) > 100);
    CU_ASSERT_STRING_EQUAL(spectrum.id, "HD 84937");
}

static void test_redux(void)
{
    use_hires("");
    const char *path = in_scratch("Obj_0042.fits");
    fitsfile *f = new_fits(path);
    fill_rows(5000);
    for (int i = 0; i < ORDERS * N; i++)
        rows[1][i] *= rows[1][i]; /* variance */
    for (int i = 0; i < N; i++)
        rows[2][N + i] = i < 100 ? 0 : rows[2][N + i];
    for (int i = 0; i < N; i++)
        rows[2][i] = 0; /* an order that no detector covers */
    put_image(f, DOUBLE_IMG, N, ORDERS, rows[0]);
    put_text(f, "OBJECT", "G64-12");
    put_image(f, DOUBLE_IMG, N, ORDERS, rows[1]);
    put_image(f, DOUBLE_IMG, N, ORDERS, rows[2]);
    end_fits(f);
    WORKS(read_row(path, 0));
    follows(5033, 5099, 0, 0, 0.01);
    CU_ASSERT_EQUAL(good_between(5003, 5031.5), 0);
    CU_ASSERT_STRING_EQUAL(spectrum.id, "G64-12");
}

/* Coadded: a log10 scale, errors in NAME_E.fits. */
static void test_coadd(void)
{
    static double data[2][6000];
    const char *const names[2] = {"star_F.fits", "star_E.fits"};
    use_hires("");
    for (int k = 0; k < 2; k++) {
        fitsfile *f = new_fits(in_scratch(names[k]));
        for (int i = 0; i < 6000; i++) {
            const double w = pow(10, 3.699 + 2e-6 * i);
            data[k][i] = k ? 0.01 * ramp(w) : ramp(w);
        }
        put_image(f, DOUBLE_IMG, 6000, 1, data[k]);
        put_text(f, "OBJECT", "G64-12");
        put_real(f, "CRVAL1", 3.699);
        put_real(f, "CDELT1", 2e-6);
        end_fits(f);
    }
    WORKS(read_row(in_scratch("star_F.fits"), 0));
    follows(5004, 5099, 0, 0, 0.01);
}

static void test_hires_refuses(void)
{
    use_hires("");
    fill_rows(5000);
    const char *path = makee("Flux-9.fits", rows[0], 5000, "01:00:00");
    int status = 0;
    fitsfile *f = NULL;
    fits_open_file(&f, path, READWRITE, &status);
    fits_update_key(f, TSTRING, "WV_4_02", (char[]){"+0.0 x"}, NULL, &status);
    end_fits(f);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "keyword WV_4_02 is '+0.0 x'; expected four");
    f = new_fits(in_scratch("Err-9.fits"));
    put_image(f, DOUBLE_IMG, N, 2, rows[1]);
    end_fits(f);
    FAILS(read_row(makee("Flux-9.fits", rows[0], 5000, "01:00:00"), 0), ANPE_EFORMAT,
          "the error has 2 rows of 2000 pixels, the flux 3 of 2000");
    FAILS(read_row(carpy("mike.fits", "MIKE-Red"), 0), ANPE_EFORMAT,
          "INSTRUME is 'MIKE-Red'; expected HIRES");
}

/* ---- PEPSI ------------------------------------------------------------------------------- */

/* unit: Angstrom in one of Arg. */
static const char *sds(const char *name, double unit, const char *fibre)
{
    static double column[4][N];
    char names[4][4] = {"Arg", "Fun", "Var", "Mas"}, last[] = "Mask", format[] = "1D";
    char *n[4] = {names[0], names[1], names[2], last},
         *formats[4] = {format, format, format, format};
    const char *path = in_scratch(name);
    int status = 0;
    fitsfile *f = new_fits(path);
    for (int i = 0; i < N; i++) {
        const double w = 5000 + 0.02 * i,
                     values[4] = {w / unit, ramp(w), pow(0.01 * ramp(w), 2), i >= 900 && i < 910};
        for (int c = 0; c < 4; c++)
            column[c][i] = values[c];
    }
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_text(f, "OBJECT", "Procyon");
    put_text(f, "FIBER", fibre);
    put_real(f, "SSBVEL", -21000);
    fits_create_tbl(f, BINARY_TBL, N, 4, n, formats, NULL, NULL, &status);
    for (int c = 0; c < 4; c++)
        fits_write_col(f, TDOUBLE, c + 1, 1, 1, N, column[c], &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    end_fits(f);
    return path;
}

static void use_pepsi(const char *more)
{
    char text[300];
    snprintf(text, sizeof text,
             "instrument: { plugin = \"pepsi\"; windows = [5003.0, 5039.0]; resolution = 130000.0; "
             "%s };",
             more);
    WORKS(open_instrument(text));
}

static void test_pepsi(void)
{
    for (int micron = 0; micron < 2; micron++) {
        use_pepsi("");
        WORKS(read_row(sds("pepsib.nor.fits", micron ? 1e4 : 1, "200"), 0));
        follows(5004, 5038, 1, 0, 0.01);
        CU_ASSERT_EQUAL(good_between(5018 + 1.45, 5018.2 + 1.35), 0); /* masked, and in vacuum */
        CU_ASSERT_STRING_EQUAL(spectrum.id, "Procyon");
    }
    use_pepsi("correction = \"ssbvel\";");
    WORKS(read_row(in_scratch("pepsib.nor.fits"), 0));
    follows(5004, 5038, 1, -21, 0.01);
    use_pepsi("mask = \"good\";");
    WORKS(read_row(in_scratch("pepsib.nor.fits"), 0));
    CU_ASSERT(n_good() > 0 && n_good() < 20);
    use_pepsi("mask = \"ignored\";");
    WORKS(read_row(in_scratch("pepsib.nor.fits"), 0));
    CU_ASSERT_EQUAL(n_good(), info.n_pixels);
    FAILS(read_row(carpy("mike.fits", "MIKE-Red"), 0), ANPE_EFORMAT,
          "no table with the columns Arg and Fun");
}

/* ---- all of them ------------------------------------------------------------------------- */

static void test_defaults(void)
{
    static const char *const names[] = {"mike", "hires", "pepsi"};
    const double resolution[] = {44000, 48000, 130000};
    char text[120];
    for (int k = 0; k < 3; k++) {
        snprintf(text, sizeof text,
                 "instrument: { plugin = \"%s\"; }; noise: { plugin = \"%s\"; };", names[k],
                 names[k]);
        WORKS(open_noise(text));
        CU_ASSERT_EQUAL(info.resolution[0], resolution[k]);
    }
}

/* Each knows its own files, and no other's. */
static void test_recognise(void)
{
    static const char *const names[] = {"mike", "hires", "pepsi"};
    static const int whose[] = {0, 1, 1, 2};
    const char *paths[4];
    char text[80];
    fill_rows(5000);
    for (int k = 0; k < 3; k++) {
        snprintf(text, sizeof text, "instrument: { plugin = \"%s\"; };", names[k]);
        WORKS(open_instrument(text));
        paths[0] = carpy("a.fits", "MIKE-Blue");
        paths[1] = makee("Flux-7.fits", rows[0], 5000, "01:00:00");
        paths[2] = koa_order("HI.1_1_01_flux.fits", 5002);
        paths[3] = sds("c.nor", 1, "200");
        for (int i = 0; i < 4; i++) {
            anpe_recognition r = {.size = sizeof r};
            WORKS(ops->recognise(ctx, paths[i], &r));
            CU_ASSERT_EQUAL(r.match, whose[i] == k ? ANPE_MATCH_SURVEY : ANPE_MATCH_NONE);
            CU_ASSERT(r.match == ANPE_MATCH_NONE || (r.what[0] && r.survey[0]));
        }
    }
}

/* Order 54 of HIRES is centred at 6627.8 A and seen over +- 59.0 A; order 55 ends at 6565.2 A: no
 * light between the two. Where orders overlap the light adds, sinc^2 of all of them to 1. */
static void test_noise(void)
{
    const anpe_noise_ops *draw;
    anpe_rng rng = {.key = {3, 5}};
    double middle = 0, edge = 0;
    WORKS(open_noise("instrument: { plugin = \"hires\"; windows = [6500.0, 6700.0]; }; noise: { "
                     "plugin = \"hires\"; };"));
    draw = noise.ops;
    for (int64_t i = 0; i < info.n_pixels; i++)
        spectrum.flux[i] = 1;
    WORKS(draw->draw(noise.self, ctx, &rng, &spectrum));
    CU_ASSERT_EQUAL(good_between(6565.5, 6568.5), 0);
    CU_ASSERT(good_between(6569.2, 6686) > 0.9 * (double)info.n_pixels * 117 / 200);
    for (int64_t i = 0; i < info.n_pixels; i++) {
        if (fabs(info.wavelength[i] - 6627.8) < 3 && !spectrum.mask[i])
            middle = (double)spectrum.sigma[i];
        if (fabs(info.wavelength[i] - 6570.5) < 1 && !spectrum.mask[i])
            edge = (double)spectrum.sigma[i];
    }
    /* sinc^2 of 0.47 is 0.46: an error 1.47 times as large where counts decide, more with read
     * noise */
    CU_ASSERT(edge > 1.3 * middle && edge < 3 * middle);
    WORKS(open_noise("instrument: { plugin = \"hires\"; windows = [5000.0, 5200.0]; }; noise: { "
                     "plugin = \"hires\"; };"));
    draw = noise.ops;
    WORKS(draw->draw(noise.self, ctx, &rng, &spectrum));
    CU_ASSERT(n_good() > 0.98 * (double)info.n_pixels);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {{"mike", test_mike},
                                 {"bands", test_bands},
                                 {"a file of mike", test_real_mike},
                                 {"hires by makee", test_makee},
                                 {"hires of the archive", test_archive},
                                 {"hires by redux", test_redux},
                                 {"hires coadded", test_coadd},
                                 {"hires refuses", test_hires_refuses},
                                 {"pepsi", test_pepsi},
                                 {"defaults", test_defaults},
                                 {"recognise", test_recognise},
                                 {"noise", test_noise}};
    const int code = run_suite(argc, argv, "echelles", COUNT(tests), tests);
    close_all();
    return code;
}
