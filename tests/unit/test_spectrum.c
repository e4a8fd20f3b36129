/* Instrument `spectrum`: one spectrum in every layout comes out the same; what is not a spectrum is
 * refused with a sentence that says why. */
#include <config.h>
#include "instrument_support.h"
#include <zlib.h>

enum { N = 400 };
static double wave[N], flux[N], sigma[N];
#define GRID "windows = [5010.0, 5180.0]; resolution = 5000.0; "

/* A line every 20 A on a continuum of 100; every 37th pixel is no measurement. */
static void make(void)
{
    for (int i = 0; i < N; i++) {
        wave[i] = 5000 + 0.5 * i;
        const double d = fmod(wave[i], 20) - 10;
        flux[i] = i % 37 ? 100 * (1 - 0.5 * exp(-d * d / 2)) : NAN;
        sigma[i] = 2;
    }
}

static void use(const char *more)
{
    char text[400];
    snprintf(text, sizeof text, "instrument: { plugin = \"spectrum\"; " GRID "%s };", more);
    WORKS(open_instrument(text));
}

/* What the plain text file gives is the reference. */
static float first_flux[4000], first_sigma[4000];
static uint8_t first_mask[4000];

static void keep_first(void)
{
    CU_ASSERT_FATAL(info.n_pixels <= 4000);
    memcpy(first_flux, spectrum.flux, (size_t)info.n_pixels * sizeof(float));
    memcpy(first_sigma, spectrum.sigma, (size_t)info.n_pixels * sizeof(float));
    memcpy(first_mask, spectrum.mask, (size_t)info.n_pixels);
}

/* Pixels that are not equal to what rounding of the file's numbers leaves. */
static int not_as_first(void)
{
    int wrong = 0;
    for (int64_t i = 0; i < info.n_pixels; i++)
        wrong += spectrum.mask[i] != first_mask[i] ||
                 fabsf(spectrum.flux[i] - first_flux[i]) > 1e-3f ||
                 fabsf(spectrum.sigma[i] - first_sigma[i]) > 1e-4f;
    return wrong;
}

static void same_as_first(const char *what)
{
    const int wrong = not_as_first();
    if (wrong)
        printf("\n  %s: %d pixels differ", what, wrong);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(all_finite());
}

/* ---- text ------------------------------------------------------------------------------- */

typedef struct text_form {
    const char *name, *head, *separator;
    double unit; /* of the wavelengths written: Angstrom in one */
    int error;   /* 0: sigma, 1: variance, 2: ivar, 3: relative */
    int bom, gz, backwards;
} text_form;

static const char *write_text(const text_form *t)
{
    const char *path = in_scratch(t->name);
    gzFile f = gzopen(path, t->gz ? "wb" : "wbT");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    gzprintf(f, "%s%s", t->bom ? "\xef\xbb\xbf" : "", t->head);
    for (int k = 0; k < N; k++) {
        const int i = t->backwards ? N - 1 - k : k;
        const double e = t->error == 1   ? sigma[i] * sigma[i]
                         : t->error == 2 ? 1 / (sigma[i] * sigma[i])
                         : t->error == 3 ? sigma[i] / flux[i]
                                         : sigma[i];
        gzprintf(f, "%.9g%s", wave[i] / t->unit, t->separator);
        if (isnan(flux[i]))
            gzprintf(f, "nan%s%.9g\n", t->separator, e);
        else
            gzprintf(f, "%.9g%s%.9g\n", flux[i], t->separator, e);
    }
    gzclose(f);
    return path;
}

static void reference(void)
{
    make();
    use("medium = \"vacuum\";");
    WORKS(read_row(write_text(&(text_form){"plain.txt", "", " ", 1, 0, 0, 0, 0}), 0));
    keep_first();
    CU_ASSERT(n_good() < info.n_pixels && n_good() > info.n_pixels * 9 / 10);
}

static void test_texts(void)
{
    const text_form forms[] = {
        {"a.txt", "# a comment\n\n", "   ", 1, 0, 0, 0, 0},
        {"note.txt", "4999.5 nan 2 # a first pixel that is none\n", " ", 1, 0, 0, 0, 0},
        {"tabs.dat", "", "\t", 1, 0, 0, 0, 1},
        {"nm.csv", "wavelength,flux,flux_error\n", ",", 10, 0, 1, 0, 0},
        {"unit.csv", "wave [um],flux,err\r\n", ",", 1e4, 0, 0, 1, 0},
        {"semicolons.csv", "wave;flux;err\n", ";", 1, 0, 0, 0, 0},
        {"var.csv", "lambda,Flux,variance\n", ", ", 1, 1, 0, 0, 0},
        {"ivar.csv.gz", "WAVELENGTH,FLUX,IVAR\n", ",", 1, 2, 0, 1, 0},
        {"vizier.tsv", "#RESOURCE=yCat\nlambda\tFlux\te_Flux\nnm\tJy\tJy\n------\t----\t---\n",
         "\t", 10, 0, 0, 0, 0},
        {"units.csv", "wavelength,flux,error\num,,\n", ",", 1e4, 0, 0, 0, 0},
        {"table.ecsv",
         "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: wl, unit: nm, datatype: float64}\n# - {name: "
         "flux, datatype: float32}\n# - {name: error, datatype: float32}\nwl flux error\n",
         " ", 10, 0, 0, 0, 0}};
    reference();
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        WORKS(read_row(write_text(&forms[i]), 0));
        same_as_first(forms[i].name);
    }
    use("medium = \"vacuum\"; error = \"relative\";");
    WORKS(read_row(write_text(&(text_form){"rel.txt", "", " ", 1, 3, 0, 0, 0}), 0));
    for (int64_t i = 0; i < info.n_pixels; i++)
        CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[i], first_flux[i], 1e-3);
}

/* ---- FITS ------------------------------------------------------------------------------- */

static void test_image(void)
{
    static const char *const names[] = {"", "ERROR", "VARIANCE", "IVAR"};
    reference();
    for (int k = 1; k < 4; k++) {
        double e[N];
        fitsfile *f = new_fits(in_scratch("image.fits"));
        for (int i = 0; i < N; i++)
            e[i] = k == 1 ? sigma[i] : k == 2 ? sigma[i] * sigma[i] : 1 / (sigma[i] * sigma[i]);
        put_image(f, DOUBLE_IMG, N, 1, flux);
        put_real(f, "CRVAL1", 5000);
        put_real(f, "CDELT1", 0.5);
        put_text(f, "CTYPE1", "WAVE");
        put_text(f, "OBJECT", "HD 1");
        put_image(f, DOUBLE_IMG, N, 1, e);
        put_text(f, "EXTNAME", names[k]);
        end_fits(f);
        use("");
        WORKS(read_row(in_scratch("image.fits"), 0));
        same_as_first(names[k]);
        CU_ASSERT_STRING_EQUAL(spectrum.id, "HD 1");
    }
}

/* A mask in an extension of its own; a flux-calibrated spectrum, whose error bars are 1e-18. */
static void test_mask_and_scale(void)
{
    double bits[N] = {0}, small[N], e[N];
    reference();
    for (int i = 0; i < N; i++) {
        small[i] = 1e-18 * flux[i];
        e[i] = 1e-18 * sigma[i];
        bits[i] = i >= 100 && i < 120 ? 4 : 0;
    }
    fitsfile *f = new_fits(in_scratch("small.fits"));
    put_image(f, DOUBLE_IMG, N, 1, small);
    put_real(f, "CRVAL1", 5000);
    put_real(f, "CDELT1", 0.5);
    put_text(f, "CTYPE1", "WAVE");
    put_image(f, DOUBLE_IMG, N, 1, e);
    put_text(f, "EXTNAME", "SIGMA");
    put_image(f, LONG_IMG, N, 1, bits);
    put_text(f, "EXTNAME", "DQ");
    end_fits(f);
    use("");
    WORKS(read_row(in_scratch("small.fits"), 0));
    float scale = 0;
    for (int64_t i = 0; i < info.n_pixels; i++) {
        const int flagged = info.wavelength[i] > 5050.3 && info.wavelength[i] < 5059.2;
        if (flagged)
            CU_ASSERT(spectrum.mask[i]);
        const int beside = info.wavelength[i] > 5048 && info.wavelength[i] < 5061;
        if (beside || spectrum.mask[i] || first_mask[i])
            continue;
        scale = scale > 0 ? scale : spectrum.flux[i] / first_flux[i];
        CU_ASSERT_DOUBLE_EQUAL(spectrum.flux[i] / scale, first_flux[i], 1e-3);
        CU_ASSERT_DOUBLE_EQUAL(spectrum.sigma[i] / scale, first_sigma[i], 1e-4);
    }
    CU_ASSERT(n_good() > info.n_pixels * 8 / 10);
}

/* row: one row of arrays, as ESO phase 3 has it; otherwise a row a pixel. */
static void put_table(fitsfile *f, int row, const char *const names[3], double unit)
{
    char copy[3][16], form[8], text[3][8] = {"", "", ""}, *n[3], *formats[3], *units[3];
    double w[N];
    int status = 0;
    snprintf(form, sizeof form, row ? "%dD" : "1D", N);
    snprintf(text[0], sizeof text[0], unit == 10 ? "nm" : "");
    for (int k = 0; k < 3; k++) {
        snprintf(copy[k], sizeof copy[k], "%s", names[k]);
        n[k] = copy[k];
        formats[k] = form;
        units[k] = text[k];
    }
    for (int i = 0; i < N; i++)
        w[i] = unit < 0 ? log10(wave[i]) : wave[i] / unit;
    put_image(f, BYTE_IMG, 0, 0, NULL);
    fits_create_tbl(f, BINARY_TBL, row ? 1 : N, 3, n, formats, units, NULL, &status);
    fits_write_col(f, TDOUBLE, 1, 1, 1, N, w, &status);
    fits_write_col(f, TDOUBLE, 2, 1, 1, N, flux, &status);
    fits_write_col(f, TDOUBLE, 3, 1, 1, N, sigma, &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
}

/* A keyword that says neither is no word for air. */
static void test_medium_of_a_table(void)
{
    static const char *const names[] = {"wavelength", "flux", "sigma"};
    static const char *const said[] = {"VACUUM", "AIR", "UNSTATED"};
    reference();
    for (int k = 0; k < 3; k++) {
        char word[16];
        int status = 0;
        fitsfile *f = new_fits(in_scratch("table.fits"));
        put_table(f, 0, names, 1);
        snprintf(word, sizeof word, "%s", said[k]);
        fits_write_key(f, TSTRING, "AIRORVAC", word, NULL, &status);
        end_fits(f);
        use("");
        if (k == 2)
            FAILS(read_row(in_scratch("table.fits"), 0), ANPE_EFORMAT, "instrument.medium");
        else
            WORKS(read_row(in_scratch("table.fits"), 0));
        if (k == 0)
            same_as_first(said[k]);
    }
}

static void test_tables(void)
{
    static const struct {
        const char *name[3];
        int row;
        double unit; /* negative: log10 */
    } t[] = {{{"WAVE", "FLUX", "ERR"}, 1, 10},
             {{"wavelength", "flux", "sigma"}, 0, 1},
             {{"loglam", "flux", "error"}, 0, -1},
             {{"Arg", "Fun", "err"}, 0, 1}};
    reference();
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        fitsfile *f = new_fits(in_scratch("table.fits"));
        put_table(f, t[i].row, t[i].name, t[i].unit);
        end_fits(f);
        use("medium = \"vacuum\";");
        WORKS(read_row(in_scratch("table.fits"), 0));
        same_as_first(t[i].name[0]);
    }
    fitsfile *f = new_fits(in_scratch("own.fits"));
    put_table(f, 0, (const char *const[]){"x", "y", "dy"}, 1);
    end_fits(f);
    FAILS(read_row(in_scratch("own.fits"), 0), ANPE_EFORMAT,
          "none of its columns is known as wavelengths: x, y, dy");
    use("medium = \"vacuum\"; wavelength_column = \"X\"; flux_column = \"y\"; error_column = "
        "\"dy\";");
    WORKS(read_row(in_scratch("own.fits"), 0));
    same_as_first("own names");
}

/* Air wavelengths come out at their vacuum places; a correction is applied once. */
static void test_media_and_frames(void)
{
    reference();
    fitsfile *f = new_fits(in_scratch("air.fits"));
    put_image(f, DOUBLE_IMG, N, 1, flux);
    put_real(f, "CRVAL1", 5000);
    put_real(f, "CDELT1", 0.5);
    put_real(f, "BERV", 20);
    end_fits(f);
    FAILS((use(""), read_row(in_scratch("air.fits"), 0)), ANPE_EFORMAT,
          "does not say whether its wavelengths are in air or in vacuum");
    use("medium = \"air\"; velocity_key = \"BERV\";");
    WORKS(read_row(in_scratch("air.fits"), 0));
    int64_t deepest = 0, plain = 0;
    for (int64_t i = 0; i < info.n_pixels; i++) { /* the line of 5090 A alone */
        if (fabs(info.wavelength[i] - 5092) > 6 || spectrum.mask[i] || first_mask[i])
            continue;
        if (!deepest || spectrum.flux[i] < spectrum.flux[deepest])
            deepest = i;
        if (!plain || first_flux[i] < first_flux[plain])
            plain = i;
    }
    CU_ASSERT_DOUBLE_EQUAL(info.wavelength[plain], 5090, 0.5);
    CU_ASSERT_DOUBLE_EQUAL(info.wavelength[deepest],
                           anpe_air_to_vacuum(5090) * (1 + 20 / 299792.458), 0.5);
    FAILS((use("medium = \"air\"; velocity_key = \"NONE\";"), read_row(in_scratch("air.fits"), 0)),
          ANPE_EFORMAT, "no keyword NONE (velocity_key)");
}

/* ---- layouts that look like others -------------------------------------------------------- */

static void put_scale(fitsfile *f, double start, double step, const char *type)
{
    put_real(f, "CRVAL1", start);
    put_real(f, "CDELT1", step);
    if (type)
        put_text(f, "CTYPE1", type);
}

/* Rows with one scale: stars, or a flux and what belongs to it, but no orders. */
static void test_shared_scale(void)
{
    static double rows[3 * N];
    const char *path = in_scratch("rows.fits");
    int64_t n;
    make();
    for (int i = 0; i < N; i++) {
        rows[i] = flux[i];
        rows[N + i] = 3 * flux[i];
        rows[2 * N + i] = 0.02;
    }
    fitsfile *f = new_fits(path);
    put_image(f, DOUBLE_IMG, N, 3, rows);
    put_scale(f, 5000, 0.5, NULL);
    end_fits(f);
    use("medium = \"vacuum\";");
    FAILS(read_row(path, 0), ANPE_EFORMAT,
          "HDU 0 has 3 rows with the same wavelengths, so that they are no orders: say "
          "instrument.rows");
    use("medium = \"vacuum\"; rows = \"spectra\";");
    WORKS(ops->count(instrument.self, ctx, path, &n));
    CU_ASSERT_EQUAL(n, 3);
    WORKS(read_row(path, 1));
    const double second = (double)spectrum.flux[100];
    use("medium = \"vacuum\"; rows = \"first\";");
    WORKS(ops->count(instrument.self, ctx, path, &n));
    CU_ASSERT_EQUAL(n, 1);
    WORKS(read_row(path, 0));
    CU_ASSERT_DOUBLE_EQUAL(second, 3 * (double)spectrum.flux[100], 1e-3);
}

/* A scale in ln(Angstrom): with a word for it, which is taken for log10 elsewhere, and without. */
static void test_natural_log(void)
{
    static const char *const types[] = {"log(wavelength)", NULL};
    const double step = 1e-4;
    for (int k = 0; k < COUNT(types); k++) {
        const char *path = in_scratch("ln.fits");
        fitsfile *f = new_fits(path);
        for (int i = 0; i < N; i++)
            flux[i] = 5000 * exp(step * i); /* a pixel's own wavelength */
        put_image(f, DOUBLE_IMG, N, 1, flux);
        put_scale(f, log(5000), step, types[k]);
        end_fits(f);
        use("medium = \"vacuum\";");
        WORKS(read_row(path, 0));
        for (int64_t i = 0; i < info.n_pixels; i++) /* the file's are 0.5 A wide */
            CU_ASSERT(spectrum.mask[i] ||
                      fabs((double)spectrum.flux[i] - info.wavelength[i]) < 0.3);
        CU_ASSERT(n_good() > info.n_pixels / 2);
    }
}

/* A binary table of doubles, `rows` rows of `repeat` values a cell. */
static fitsfile *new_table(const char *path, int n, char **names, int64_t rows, int64_t repeat,
                           double *const *data)
{
    char form[16], *forms[4], *units[4];
    int status = 0;
    fitsfile *f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    snprintf(form, sizeof form, "%lldD", (long long)repeat);
    for (int k = 0; k < n; k++)
        forms[k] = form, units[k] = "";
    fits_create_tbl(f, BINARY_TBL, rows, n, names, forms, units, "TABLE", &status);
    for (int k = 0; k < n; k++)
        fits_write_col(f, TDOUBLE, k + 1, 1, 1, rows * repeat, data[k], &status);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    return f;
}

/* Rows of arrays are orders where they have no wavelengths in common, stars where they have. */
static void test_rows_of_arrays(void)
{
    static double w[2 * N], y[2 * N], e[2 * N];
    double *const data[] = {w, y, e};
    char *names[] = {"WAVELENGTH", "FLUX", "ERROR"};
    const char *path = in_scratch("arrays.fits");
    int64_t n;
    reference();
    for (int i = 0; i < 2 * N; i++) { /* the first half of the pixels, the second; others beyond */
        const int at = i < N ? i - N / 2 : i - N + N / 2, is_there = at >= 0 && at < N;
        w[i] = 5000 + 0.5 * at;
        y[i] = is_there ? flux[at] : 1;
        e[i] = is_there ? sigma[at] : NAN;
    }
    end_fits(new_table(path, 3, names, 2, N, data));
    WORKS(ops->count(instrument.self, ctx, path, &n));
    CU_ASSERT_EQUAL(n, 1);
    WORKS(read_row(path, 0));
    CU_ASSERT(not_as_first() <= 1); /* the pixel in which one order ends and the other starts */
    end_fits(new_table(path, 3, names, 1, 2 * N, data)); /* both in one cell: no order goes back */
    WORKS(read_row(path, 0));
    same_as_first("a row of all");
    static double three_w[3 * N], three_y[3 * N], three_e[3 * N];
    double *const three[] = {three_w, three_y, three_e};
    for (int i = 0; i < 3 * N; i++) { /* two arms of a star, and one of another */
        three_w[i] = i < 2 * N ? w[i] : w[i - 2 * N] + 3;
        three_y[i] = y[i % (2 * N)];
        three_e[i] = 0.01;
    }
    end_fits(new_table(path, 3, names, 3, N, three));
    FAILS(
        ops->count(instrument.self, ctx, path, &n), ANPE_EFORMAT,
        "arrays.fits: rows of arrays of which some have wavelengths in common and some have none");
    for (int i = 0; i < N; i++)
        w[N + i] = w[i] + 3; /* the next star, a little shifted */
    end_fits(new_table(path, 3, names, 2, N, data));
    WORKS(ops->count(instrument.self, ctx, path, &n));
    CU_ASSERT_EQUAL(n, 2);
}

/* Magnitudes in an image, and in a table. */
static void test_magnitudes(void)
{
    double *const data[] = {wave, flux};
    char *names[] = {"WAVE", "FLUX"};
    make();
    use("medium = \"vacuum\";");
    fitsfile *f = new_fits(in_scratch("mag.fits"));
    put_image(f, DOUBLE_IMG, N, 1, flux);
    put_scale(f, 5000, 0.5, NULL);
    put_text(f, "BUNIT", "mag");
    end_fits(f);
    FAILS(read_row(in_scratch("mag.fits"), 0), ANPE_EFORMAT, "HDU 0 is in 'mag', which is no flux");
    f = new_table(in_scratch("mag.fits"), 2, names, N, 1, data);
    put_text(f, "TUNIT2", "ABmag");
    end_fits(f);
    FAILS(read_row(in_scratch("mag.fits"), 0), ANPE_EFORMAT, "column FLUX is in 'ABmag'");
}

/* Orders one after the other in one cell, as REDUCE writes them: they overlap. */
static void test_orders_in_a_cell(void)
{
    enum { EACH = 250, SECOND = N - EACH };
    static double w[2 * EACH], y[2 * EACH], e[2 * EACH];
    double *const data[] = {w, y, e};
    char *names[] = {"WAVE", "SPEC", "SIG"};
    const char *path = in_scratch("cell.fits");
    reference();
    for (int i = 0; i < 2 * EACH; i++) {
        const int at = i < EACH ? i : SECOND + i - EACH;
        w[i] = wave[at];
        y[i] = flux[at];
        e[i] = sigma[at];
    }
    end_fits(new_table(path, 3, names, 1, 2 * EACH, data));
    WORKS(read_row(path, 0));
    int wrong = 0;
    for (int64_t i = 0; i < info.n_pixels; i++)
        wrong += fabsf(spectrum.flux[i] - first_flux[i]) > 1e-3f && !first_mask[i];
    CU_ASSERT_EQUAL(wrong, 0); /* errors are smaller where orders overlap */
}

/* PypeIt's mask is 1 where a pixel is good. */
static void test_inverse_mask(void)
{
    static double good[N];
    double *const data[] = {wave, flux, sigma, good};
    char *names[] = {"wave", "flux", "sigma", "mask"};
    const char *path = in_scratch("pypeit.fits");
    reference();
    for (int i = 0; i < N; i++)
        good[i] = !isnan(flux[i]);
    fitsfile *f = new_table(path, 4, names, N, 1, data);
    int status = 0, type;
    fits_movabs_hdu(f, 1, &type, &status);
    put_text(f, "PYP_SPEC", "keck_deimos");
    end_fits(f);
    WORKS(read_row(path, 0));
    same_as_first("a mask of good pixels");
}

/* The flux in front, without a name, of wavelengths that have one. */
static void test_nameless_flux(void)
{
    static double y[2 * N], w[2 * N], e[2 * N];
    const char *path = in_scratch("nameless.fits");
    reference();
    for (int i = 0; i < 2 * N; i++) {
        w[i] = wave[i % N] + (i < N ? 0 : 300);
        y[i] = flux[i % N];
        e[i] = sigma[i % N];
    }
    fitsfile *f = new_fits(path);
    put_image(f, DOUBLE_IMG, N, 2, y);
    put_image(f, DOUBLE_IMG, N, 2, e);
    put_text(f, "EXTNAME", "SIGMA");
    put_image(f, DOUBLE_IMG, N, 2, w);
    put_text(f, "EXTNAME", "WAVELENGTH");
    end_fits(f);
    WORKS(read_row(path, 0));
    same_as_first("a nameless flux");
}

/* What cannot be told from the numbers is asked for. */
static void test_told_apart(void)
{
    static const char *const heads[][2] = {
        {"wave flux error\n", "without a unit: micrometre, or log10 of Angstrom?"},
        {"# wavenumber(cm-1) flux error\n",
         "none of its columns is known as wavelengths: wavenumber"},
        {"# velocity flux error\n", "none of its columns is known as wavelengths: velocity"}};
    make();
    use("medium = \"vacuum\";");
    for (int k = 0; k < COUNT(heads); k++) {
        FILE *f = fopen(in_scratch("apart.txt"), "w");
        fprintf(f, "%s", heads[k][0]);
        for (int i = 0; i < N; i++)
            fprintf(f, "%.8f 1 0.1\n", k ? 1e8 / wave[N - 1 - i] : log10(wave[i]));
        fclose(f);
        FAILS(read_row(in_scratch("apart.txt"), 0), ANPE_EFORMAT, heads[k][1]);
    }
}

/* Without error bars they come from the scatter: white noise of 1 % here. */
static void test_without_errors(void)
{
    anpe_rng rng = {.key = {7, 7}};
    double mean = 0, noisy[N];
    make();
    for (int i = 0; i < N; i++)
        noisy[i] = 100 + anpe_normal(&rng);
    fitsfile *f = new_fits(in_scratch("bare.fits"));
    put_image(f, DOUBLE_IMG, N, 1, noisy);
    put_real(f, "CRVAL1", 5000);
    put_real(f, "CDELT1", 0.5);
    end_fits(f);
    use("medium = \"vacuum\";");
    WORKS(read_row(in_scratch("bare.fits"), 0));
    for (int64_t i = 0; i < info.n_pixels; i++)
        mean += (double)spectrum.sigma[i] / (double)info.n_pixels;
    /* 1 a pixel of 0.5 A, resampled to 0.4 A: between 0.7 and 1; the median's own error is 10 % */
    CU_ASSERT(mean > 0.5 && mean < 1.3);
}

static void test_refuses(void)
{
    static const struct {
        const char *text, *message;
    } t[] = {
        {"", "the file is empty"},
        {"# nothing\n", "no line with numbers"},
        {"wave,flux\n", "0 lines with numbers; no spectrum"},
        {"5000 1 0.1\n5001 1 x\n", ":2: expected a number: 'x'"},
        {"5000 1 0.1\n5001 1\n", ":2: 2 cells; expected 3"},
        {"5000 1\n5001 1 0.1\n", ":2: 3 cells; expected 2, as in the first line"},
        {"wave,flux\n1,5000,1\n2,5001,1\n", ":2: 3 cells; expected 2, as in the first line"},
        {"5000;1,5,2;0,1\n5001;1,5,2;0,1\n", ":1: expected a decimal point, not a comma: '1,5,2'"},
        {"1 2 3 4 5\n1 2 3 4 5\n", "5 columns without a header"},
        {"time,flux\n1,2\n2,3\n", "none of its columns is known as wavelengths: time, flux"},
        {"wave [keV],flux\n1,2\n2,3\n", "is in 'keV'; expected Angstrom"},
        {"5000 1 0.1\n5002 1 0.1\n5001 1 0.1\n5003 1 .1\n", "wavelength 5001 at pixel 2 does not"},
        {"wave,flux\nnm,mag\n500,1\n501,1\n", "column flux is in 'mag', which is no flux"},
        {"6000 1 0.1\n6001 1 0.1\n6002 1 0.1\n", "no good pixel"}};
    use("medium = \"vacuum\";");
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        write_bytes(in_scratch("bad.txt"), t[i].text, strlen(t[i].text));
        anpe_status status = read_row(in_scratch("bad.txt"), 0);
        CU_ASSERT(status == ANPE_EFORMAT || status == ANPE_EINVAL);
        if (!status || !strstr(anpe_error(ctx), t[i].message)) {
            printf("\n  message: %s\n  wanted:  %s\n", status ? anpe_error(ctx) : "(none)",
                   t[i].message);
            CU_FAIL("message");
        }
    }
    FAILS(read_row("/nonexistent/x.txt", 0), ANPE_EIO, "/nonexistent/x.txt: cannot open: No such");
}

static void test_options(void)
{
    static const char *const c[][2] = {
        {"windows = [5000.0];", "expected pairs of first and last"},
        {"windows = [5100.0, 5000.0];", "expected ascending wavelengths"},
        {"windows = [5000.0, 5100.0, 5050.0, 5200.0];", "they must ascend and not overlap"},
        {"windows = [5000.0, 5001.0];", "make 3 pixels; expected 100 to 2000000"}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "instrument: { plugin = \"spectrum\"; resolution = 5000.0; %s };", c[i][0]);
        FAILS(open_instrument(text), ANPE_ECONFIG, c[i][1]);
    }
}

static const char *write_lsf(const char *text)
{
    const char *path = in_scratch("lsf.txt");
    write_bytes(path, text, strlen(text));
    return path;
}

static anpe_status use_lsf(const char *path)
{
    char text[700];
    snprintf(text, sizeof text, "instrument: { plugin = \"spectrum\"; " GRID "lsf = \"%s\"; };",
             path);
    return open_instrument(text);
}

static void test_lsf(void)
{
    use("");
    CU_ASSERT_PTR_NULL(info.lsf);
    WORKS(use_lsf(write_lsf("# a comment\nvelocity 5000, 5100\n\n-9 0 0.5\n 0.5\t1\t2\n"
                            "20, 0, 0\n")));
    CU_ASSERT_PTR_NOT_NULL_FATAL(info.lsf);
    CU_ASSERT_EQUAL(info.lsf->n_kernels, 2);
    CU_ASSERT_EQUAL(info.lsf->n_points, 3);
    CU_ASSERT_EQUAL(info.lsf->wavelength[1], 5100);
    CU_ASSERT_EQUAL(info.lsf->offset[1], 0.5);
    CU_ASSERT_EQUAL(info.lsf->kernel[1], 1);
    CU_ASSERT_EQUAL(info.lsf->kernel[3 + 0], 0.5);
    CU_ASSERT_EQUAL(info.lsf->kernel[3 + 1], 2);
    static const char *const wrong[][2] = {
        {"speed 5000\n", ":1: 'speed'; expected 'velocity' and the wavelengths"},
        {"velocity\n-1 2\n", ":1: ''; expected the wavelengths of the kernels"},
        {"velocity 5000\n-1 2\n0 x\n", ":3: 'x'; expected a number"},
        {"velocity 5000 6000\n-1 2\n", ":2: 2 values; expected 3"},
        {"velocity 5000\n-1 2 3\n", ":2: '3'; expected the end of the line"},
        {"velocity 5000\n-1 2\n1 2\n", ": 2 lines of values; expected at least 3"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        FAILS(use_lsf(write_lsf(wrong[i][0])), ANPE_EFORMAT, wrong[i][1]);
    FAILS(use_lsf("/nowhere/lsf.txt"), ANPE_EIO, "/nowhere/lsf.txt: cannot open");
    static const char *const others[] = {"apogee", "lamost_lrs"}; /* with grids of their own */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char text[700];
        snprintf(text, sizeof text, "instrument: { plugin = \"%s\"; };", others[i]);
        WORKS(open_instrument(text));
        CU_ASSERT_PTR_NULL(info.lsf);
        snprintf(text, sizeof text, "instrument: { plugin = \"%s\"; lsf = \"%s\"; };", others[i],
                 write_lsf("velocity 5000\n-9 0\n0 1\n9 0\n"));
        WORKS(open_instrument(text));
        CU_ASSERT_PTR_NOT_NULL_FATAL(info.lsf);
        CU_ASSERT_EQUAL(info.lsf->n_points, 3);
        snprintf(text, sizeof text, "instrument: { plugin = \"%s\"; lsf = \"%s\"; };", others[i],
                 write_lsf("velocity 5000\n-9\n"));
        FAILS(open_instrument(text), ANPE_EFORMAT, ":2: 1 values; expected 2");
    }
}

/* ---- real files ------------------------------------------------------------------------- */

/* All 34 orders of an echelle, against the linear scales that its header states for spec1 and
 * spec34. */
static void test_mike(void)
{
    const char *path = shared("mike/HR718_red_multi.fits");
    if (!path)
        return;
    WORKS(open_instrument("instrument: { plugin = \"spectrum\"; windows = [4850.0, 9100.0]; "
                          "resolution = 30000.0; medium = \"air\"; blaze = 20.0; };"));
    WORKS(read_row(path, 0));
    CU_ASSERT_STRING_EQUAL(spectrum.id, "Star-202");
    CU_ASSERT(n_good() > 0.9 * (double)info.n_pixels);
    CU_ASSERT(all_finite());
}

static void test_gaia(void)
{
    const char *path = shared("gaia_rvs/Kepler-93.csv");
    if (!path)
        return;
    WORKS(open_instrument("instrument: { plugin = \"spectrum\"; windows = [8480.0, 8680.0]; "
                          "resolution = 11500.0; medium = \"vacuum\"; rule = \"none\"; };"));
    WORKS(read_row(path, 0));
    CU_ASSERT_STRING_EQUAL(spectrum.id, "2052747119115620352");
    CU_ASSERT(n_good() > 0.9 * (double)info.n_pixels);
}

int main(int argc, char **argv)
{
    const CU_TestInfo tests[] = {{"text", test_texts},
                                 {"image", test_image},
                                 {"mask and scale", test_mask_and_scale},
                                 {"tables", test_tables},
                                 {"the medium of a table", test_medium_of_a_table},
                                 {"media and frames", test_media_and_frames},
                                 {"without errors", test_without_errors},
                                 {"refuses", test_refuses},
                                 {"options", test_options},
                                 {"rows with one scale", test_shared_scale},
                                 {"natural logarithm", test_natural_log},
                                 {"rows of arrays", test_rows_of_arrays},
                                 {"magnitudes", test_magnitudes},
                                 {"orders in a cell", test_orders_in_a_cell},
                                 {"a mask of good pixels", test_inverse_mask},
                                 {"flux without a name", test_nameless_flux},
                                 {"what numbers do not tell", test_told_apart},
                                 {"line-spread function", test_lsf},
                                 {"mike", test_mike},
                                 {"gaia", test_gaia}};
    const int code = run_suite(argc, argv, "instrument spectrum", COUNT(tests), tests);
    close_all();
    return code;
}
