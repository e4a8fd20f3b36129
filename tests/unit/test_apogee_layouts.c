/* APOGEE files that are no combined images: visits with three detectors of their own wavelengths,
 * the tables of SDSS-V, masks behind ASPCAP's model; each made as the data model describes it. */
#include <config.h>
#include "instrument_support.h"

enum { FULL = 8575, PAYNE = 7214, CHIP = 4096 };

/* Flux of a visit: a ramp in its own wavelengths. */
static double ramp(double wavelength)
{
    return 1000 + 0.5 * (wavelength - 15000);
}

typedef struct visit {
    int bc, vrad; /* 1: the header has it */
    int64_t mask_rows;
} visit;
static const visit whole = {1, 1, 3};

/* Red detector first, red to blue, as the pipeline writes them. */
static const char *ap_visit(const char *name, const visit *v)
{
    static const double ends[3][2] = {{16960, 16475}, {16433, 15857}, {15806, 15145}};
    static double flux[3 * CHIP], sigma[3 * CHIP], bits[3 * CHIP], wave[3 * CHIP];
    const char *path = in_scratch(name);
    for (int k = 0; k < 3 * CHIP; k++) {
        const double *e = ends[k / CHIP], t = (double)(k % CHIP) / (CHIP - 1);
        wave[k] = e[0] + (e[1] - e[0]) * t;
        flux[k] = ramp(wave[k]);
        sigma[k] = 5;
        bits[k] = fabs(wave[k] - 16000) < 1 ? 4096 : fabs(wave[k] - 16100) < 1 ? 8192 : 0;
    }
    fitsfile *f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_text(f, "OBJID", "2M12345678+1234567");
    if (v->bc)
        put_real(f, "BC", 20);
    if (v->vrad)
        put_real(f, "VRAD", 50);
    put_image(f, FLOAT_IMG, CHIP, 3, flux);
    put_image(f, FLOAT_IMG, CHIP, 3, sigma);
    put_image(f, SHORT_IMG, CHIP, v->mask_rows, bits);
    put_image(f, DOUBLE_IMG, CHIP, 3, wave);
    end_fits(f);
    return path;
}

static void use(const char *more)
{
    char text[200];
    snprintf(text, sizeof text, "instrument: { plugin = \"apogee\"; %s };", more);
    WORKS(open_instrument(text));
}

/* Good pixels follow the ramp at their wavelength divided by the shift. Beside a masked one a
 * quarter of the grid's pixel (0.22 A) and half of the file's (0.14 A) are open. */
static void follows(double kms)
{
    const double c = 299792.458, factor = sqrt((1 - kms / c) / (1 + kms / c));
    int wrong = 0;
    for (int64_t i = 0; i < info.n_pixels; i++)
        wrong += !spectrum.mask[i] &&
                 !(fabs((double)spectrum.flux[i] - ramp(info.wavelength[i] * factor)) < 0.07);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(n_good() > 7000);
    CU_ASSERT(all_finite());
}

static int bad_near(double wavelength)
{
    int n = 0;
    for (int64_t i = 0; i < info.n_pixels; i++)
        n += fabs(info.wavelength[i] - wavelength) < 0.5 && spectrum.mask[i];
    return n;
}

static void test_visit(void)
{
    int64_t n = 0;
    const char *path = ap_visit("visit.fits", &whole);
    use("");
    WORKS(ops->count(instrument.self, ctx, path, &n));
    CU_ASSERT_EQUAL(n, 1);
    WORKS(read_row(path, 0));
    follows(20);
    CU_ASSERT_STRING_EQUAL(spectrum.id, "2M12345678+1234567");
    CU_ASSERT(bad_near(16000 * (1 + 20 / 299792.458)) >= 3); /* SIG_SKYLINE; telluric is not bad */
    CU_ASSERT_EQUAL(bad_near(16100 * (1 + 20 / 299792.458)), 0);
    FAILS(read_row(path, 1), ANPE_EINVAL, "no spectrum 1; the file has 1");
    use("visit_frame = \"rest\";");
    WORKS(read_row(path, 0));
    follows(-50);
    use("visit_frame = \"observed\"; combination = \"visits\";");
    WORKS(read_row(path, 0));
    follows(0);
    CU_ASSERT_STRING_EQUAL(spectrum.id, "2M12345678+1234567");
    use("grid = 8575;");
    WORKS(read_row(path, 0));
    follows(20);
}

static void test_visit_refuses(void)
{
    use("");
    FAILS(read_row(ap_visit("no_bc.fits", &(visit){0, 1, 3}), 0), ANPE_EFORMAT,
          "no keyword BC with a velocity, which visit_frame = \"heliocentric\" needs");
    FAILS(read_row(ap_visit("mask.fits", &(visit){1, 1, 2}), 0), ANPE_EFORMAT,
          "the bit mask has shape (2, 4096), the flux (3, 4096)");
    use("visit_frame = \"rest\";");
    FAILS(read_row(ap_visit("no_vrad.fits", &(visit){1, 0, 3}), 0), ANPE_EFORMAT,
          "no keyword VRAD");
    use("");
    const char *path = ap_visit("cut.fits", &whole);
    cut_file(path, 2880 * 60);
    FAILS(read_row(path, 0), ANPE_EFORMAT, "cut.fits: ");
}

/* ---- tables ------------------------------------------------------------------------------ */

typedef struct table {
    const char *name;
    int64_t width, rows;
    int wavelengths; /* a column of them, else the header's scale */
    double step;
} table;

/* Row r has flux 100 (r + 1); pixel 1000 is flagged by bit 0, 1001 by bit 10, 1002 has no weight.
 */
static void put_table(fitsfile *f, const table *t)
{
    char form[8], names[5][12] = {"flux", "ivar", "pixel_flags", "wavelength", "sdss_id"},
                  number[] = "1K", extension[16];
    char *n[5], *formats[5];
    int status = 0;
    snprintf(form, sizeof form, "%dE", (int)t->width);
    snprintf(extension, sizeof extension, "%s", t->name);
    for (int c = 0; c < 5; c++) {
        n[c] = names[c];
        formats[c] = form;
    }
    n[3] = names[t->wavelengths ? 3 : 4];
    formats[3] = t->wavelengths ? form : number;
    fits_create_tbl(f, BINARY_TBL, t->rows, 4, n, formats, NULL, extension, &status);
    put_real(f, "CRVAL", 4.179);
    put_real(f, "CDELT", t->step);
    double *v = calloc((size_t)t->width, sizeof *v);
    for (int64_t r = 0; r < t->rows; r++) {
        long long id = 4000 + r;
        for (int64_t i = 0; i < t->width; i++)
            v[i] = 100.0 * (double)(r + 1);
        fits_write_col(f, TDOUBLE, 1, r + 1, 1, t->width, v, &status);
        for (int64_t i = 0; i < t->width; i++)
            v[i] = i == 1002 ? 0 : 0.25;
        fits_write_col(f, TDOUBLE, 2, r + 1, 1, t->width, v, &status);
        for (int64_t i = 0; i < t->width; i++)
            v[i] = i == 1000 ? 1 : i == 1001 ? 1024 : 0;
        fits_write_col(f, TDOUBLE, 3, r + 1, 1, t->width, v, &status);
        for (int64_t i = 0; i < t->width; i++)
            v[i] = pow(10, 4.179 + t->step * (double)i);
        if (t->wavelengths)
            fits_write_col(f, TDOUBLE, 4, r + 1, 1, t->width, v, &status);
        else
            fits_write_col(f, TLONGLONG, 4, r + 1, 1, 1, &id, &status);
    }
    free(v);
    CU_ASSERT_EQUAL_FATAL(status, 0);
}

static const char *mwm(const char *name, const char *id, int64_t n, const table *t)
{
    const char *path = in_scratch(name);
    fitsfile *f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    if (id)
        put_text(f, "SDSS_ID", id);
    for (int64_t k = 0; k < n; k++)
        put_table(f, &t[k]);
    end_fits(f);
    return path;
}

static void test_tables(void)
{
    const table tables[] = {{"BOSS/APO", 4648, 2, 1, 1e-4},
                            {"BOSS/LCO", 4648, 0, 1, 1e-4},
                            {"APOGEE/APO", FULL, 1, 0, 6e-6},
                            {"APOGEE/LCO", FULL, 2, 1, 6e-6}};
    int64_t n = 0;
    use("");
    const char *path = mwm("mwmVisit.fits", "57651832", 4, tables);
    WORKS(ops->count(instrument.self, ctx, path, &n));
    CU_ASSERT_EQUAL(n, 3);
    for (int64_t row = 0; row < 3; row++) {
        WORKS(read_row(path, row));
        CU_ASSERT_EQUAL(spectrum.flux[5], row == 2 ? 200 : 100);
        CU_ASSERT_EQUAL(spectrum.sigma[5], 2);
        CU_ASSERT(spectrum.mask[1000 - 322] && !spectrum.mask[1001 - 322]);
        CU_ASSERT(spectrum.mask[1002 - 322]);
        CU_ASSERT_EQUAL(n_good(), PAYNE - 2);
        CU_ASSERT_STRING_EQUAL(spectrum.id, "57651832"); /* visits of one star */
    }
    FAILS(read_row(path, 3), ANPE_EINVAL, "no spectrum 3; the file has 3");
    WORKS(read_row(mwm("no_id.fits", NULL, 1, &(table){"APOGEE/APO", FULL, 2, 0, 6e-6}), 1));
    CU_ASSERT_STRING_EQUAL(spectrum.id, "4001");
}

static void test_tables_refuse(void)
{
    const table boss = {"BOSS/APO", 4648, 2, 1, 1e-4};
    use("");
    FAILS(read_row(mwm("boss.fits", "1", 1, &boss), 0), ANPE_EFORMAT,
          "no row with an APOGEE spectrum of 8575 pixels; its tables are empty, or of BOSS");
    for (int wavelengths = 0; wavelengths < 2; wavelengths++)
        FAILS(read_row(
                  mwm("scale.fits", "1", 1, &(table){"APOGEE/APO", FULL, 1, wavelengths, 5e-6}), 0),
              ANPE_EFORMAT, "wavelengths are 10^(4.179");
}

/* ---- images ------------------------------------------------------------------------------ */

/* flux, sigma, ASPCAP's model, a table's place, and a mask of whole numbers. */
static void test_aspcap_mask(void)
{
    static double v[4][FULL];
    const char *path = in_scratch("aspcapStar.fits");
    for (int i = 0; i < FULL; i++) {
        v[0][i] = 1;
        v[1][i] = 0.01;
        v[2][i] = 0.98 + 0.02 * (i % 2);
        v[3][i] = i >= 2000 && i < 2050 ? 4 : i == 2100 ? 2048 : 0;
    }
    for (int named = 0; named < 2; named++) {
        fitsfile *f = new_fits(path);
        put_image(f, BYTE_IMG, 0, 0, NULL);
        for (int k = 0; k < 3; k++)
            put_image(f, FLOAT_IMG, FULL, 1, v[k]);
        put_image(f, FLOAT_IMG, FULL, 1, v[2]);
        put_image(f, LONG_IMG, FULL, 1, v[3]);
        put_text(f, named ? "EXTNAME" : "BUNIT", "Pixel mask");
        end_fits(f);
        use("");
        WORKS(read_row(path, 0));
        CU_ASSERT_EQUAL(n_good(), PAYNE - 50);
        CU_ASSERT(spectrum.mask[2010 - 322] && !spectrum.mask[2100 - 322]);
    }
}

/* Data Release 17: nine images and a table behind the mask, which is of 32 bits; asStar alike. */
static void test_dr17(void)
{
    static double v[3][4 * FULL];
    const char *path = in_scratch("asStar-dr17-2M00000000-0000000.fits");
    for (int i = 0; i < 4 * FULL; i++) {
        v[0][i] = 100;
        v[1][i] = 2;
        v[2][i] = i % FULL == 3000 ? 1 : 0;
    }
    fitsfile *f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    put_text(f, "OBJID", "2M00000000-0000000");
    put_real(f, "CRVAL1", 4.179);
    put_real(f, "CDELT1", 6e-6);
    put_image(f, FLOAT_IMG, FULL, 4, v[0]);
    put_real(f, "CRVAL1", 4.179);
    put_real(f, "CDELT1", 6e-6);
    put_image(f, FLOAT_IMG, FULL, 4, v[1]);
    put_image(f, LONG_IMG, FULL, 4, v[2]);
    for (int k = 0; k < 4; k++)
        put_image(f, FLOAT_IMG, FULL, 4, v[0]);
    put_image(f, DOUBLE_IMG, 27, 1, v[0]);
    put_table(f, &(table){"RV", 3, 1, 1, 1});
    end_fits(f);
    use("");
    int64_t n = 0;
    WORKS(ops->count(instrument.self, ctx, path, &n));
    CU_ASSERT_EQUAL(n, 1);
    WORKS(read_row(path, 0));
    CU_ASSERT_EQUAL(n_good(), PAYNE - 1);
    CU_ASSERT(spectrum.mask[3000 - 322]);
    CU_ASSERT_STRING_EQUAL(spectrum.id, "2M00000000-0000000");
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {{"visit", test_visit},
                                 {"visits refused", test_visit_refuses},
                                 {"tables", test_tables},
                                 {"tables refused", test_tables_refuse},
                                 {"mask behind the model", test_aspcap_mask},
                                 {"data release 17", test_dr17}};
    const int code = run_suite(argc, argv, "layouts of apogee", COUNT(tests), tests);
    close_all();
    return code;
}
