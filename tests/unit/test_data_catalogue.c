/* The catalogue in its three kinds of file, and spectra from plain HDF5. */
#include <config.h>
#include "data_support.h"
#include "file/catalogue.h"
#include "file/hdf5_file.h"
#include "file/spectra_file.h"
#include "spectrum/spectrum.h"

#include <fitsio.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- catalogue --------------------------------------------------------------------------- */

static const anpe_column columns[] = {
    {"id", "", "meta.id;meta.main", "identifier", ANPE_COLUMN_TEXT, 12},
    {"teff_median", "K", "phys.temperature.effective", "median", ANPE_COLUMN_REAL, 0},
    {"n_good", "", "meta.number", "good pixels", ANPE_COLUMN_INT64, 0},
    {"flags", "", "meta.code", "bits", ANPE_COLUMN_INT64, 0},
};

static anpe_catalogue *make_catalogue(int64_t rows)
{
    static const char *const flags[] = {"NO_DATA", "POOR_FIT"};
    char longer[200];
    anpe_catalogue *c;
    memset(longer, 'v', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    WORKS(anpe_catalogue_new(ctx, rows, 4, columns, 2, flags, &c));
    for (int64_t r = rows - 1; r >= 0; r--) { /* any order */
        char id[32];
        snprintf(id, sizeof id, "star %lld, \"a\"", (long long)r);
        anpe_catalogue_set_text(c, r, 0, id);
        anpe_catalogue_set_int(c, r, 2, INT64_C(5000000000) + r);
        if (r != 1)
            anpe_catalogue_set_real(c, r, 1, 4000.25 + (double)r);
    }
    anpe_catalogue_set_int(c, 1, 3, 3);
    WORKS(anpe_catalogue_keyword(ctx, c, "MODEL", "apogee.h5", "model file"));
    WORKS(anpe_catalogue_keyword(ctx, c, "CONFIG", longer, ""));
    return c;
}

static void test_fits(void)
{
    fitsfile *f = NULL;
    int status = 0, type, any;
    long rows, repeat;
    char text[FLEN_VALUE], *value, id[13], *ids[1] = {id};
    double teff[3];
    LONGLONG n[3];
    anpe_catalogue *c = make_catalogue(3);
    empty_scratch();
    WORKS(anpe_catalogue_check(ctx, in_scratch("a.fits")));
    CU_ASSERT_EQUAL(n_files(), 0);
    WORKS(anpe_catalogue_write(ctx, c, in_scratch("a.fits")));
    CU_ASSERT_EQUAL(n_files(), 1);
    fits_open_table(&f, in_scratch("a.fits"), READONLY, &status);
    fits_get_num_rows(f, &rows, &status);
    fits_read_key(f, TSTRING, "TUNIT2", text, NULL, &status);
    CU_ASSERT(rows == 3 && !strcmp(text, "K"));
    fits_read_key(f, TSTRING, "TUCD2", text, NULL, &status);
    CU_ASSERT_STRING_EQUAL(text, "phys.temperature.effective");
    fits_read_key(f, TSTRING, "FLAG1", text, NULL, &status);
    CU_ASSERT_STRING_EQUAL(text, "POOR_FIT");
    fits_read_key(f, TSTRING, "MODEL", text, NULL, &status);
    CU_ASSERT_STRING_EQUAL(text, "apogee.h5");
    fits_read_key_longstr(f, "CONFIG", &value, NULL, &status);
    CU_ASSERT(!status && strlen(value) == 199);
    fits_free_memory(value, &status);
    fits_get_coltype(f, 1, &type, &repeat, NULL, &status);
    CU_ASSERT(type == TSTRING && repeat == 12);
    fits_read_col(f, TDOUBLE, 2, 1, 1, 3, NULL, teff, &any, &status);
    fits_read_col(f, TLONGLONG, 3, 1, 1, 3, NULL, n, &any, &status);
    fits_read_col(f, TSTRING, 1, 3, 1, 1, NULL, ids, &any, &status);
    CU_ASSERT(teff[0] == 4000.25 && isnan(teff[1]) && teff[2] == 4002.25);
    CU_ASSERT(n[2] == 5000000002 && !strcmp(id, "star 2, \"a\""));
    fits_close_file(f, &status);
    CU_ASSERT_EQUAL(status, 0);
    anpe_catalogue_free(c);
}

static void test_csv(void)
{
    size_t n;
    anpe_catalogue *c = make_catalogue(2);
    anpe_catalogue_set_text(c, 0, 0, "much longer than twelve");
    WORKS(anpe_catalogue_write(ctx, c, in_scratch("a.csv")));
    char *text = read_bytes(in_scratch("a.csv"), &n);
    text[n] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "# MODEL = apogee.h5 / model file\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "# FLAG1 = POOR_FIT"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nid,teff_median,n_good,flags\n"
                                        "much longer ,4000.25,5000000000,0\n"
                                        "\"star 1, \"\"a\"\"\",,5000000001,3\n"));
    free(text);
    anpe_catalogue_free(c);
}

static void test_hdf5(void)
{
    anpe_h5 *f;
    double teff[3];
    char *text;
    anpe_catalogue *c = make_catalogue(3);
    WORKS(anpe_catalogue_write(ctx, c, in_scratch("a.h5")));
    WORKS(anpe_h5_open(ctx, in_scratch("a.h5"), &f));
    WORKS(anpe_h5_read(ctx, f, "teff_median", ANPE_H5_DOUBLE, 3, teff));
    CU_ASSERT(teff[0] == 4000.25 && isnan(teff[1]));
    WORKS(anpe_h5_get_text(ctx, f, "teff_median", "unit", &text));
    CU_ASSERT_STRING_EQUAL(text, "K");
    free(text);
    WORKS(anpe_h5_get_text(ctx, f, "/", "FLAG0", &text));
    CU_ASSERT_STRING_EQUAL(text, "NO_DATA");
    free(text);
    CU_ASSERT(anpe_h5_has(f, "id"));
    WORKS(anpe_h5_close(ctx, f));
    anpe_catalogue_free(c);
}

/* No row at all is a catalogue, too. */
static void test_empty(void)
{
    static const char *const names[] = {"e.fits", "e.h5", "e.csv", "e.ecsv", "e.vot"};
    empty_scratch();
    for (int k = 0; k < 5; k++) {
        anpe_catalogue *c;
        WORKS(anpe_catalogue_new(ctx, 0, 4, columns, 0, NULL, &c));
        WORKS(anpe_catalogue_write(ctx, c, in_scratch(names[k])));
        anpe_catalogue_free(c);
    }
    CU_ASSERT_EQUAL(n_files(), 5);
}

/* Where DATE is, equal catalogues may differ; nowhere else. */
static void test_same_bytes(void)
{
    static const char *const names[][2] = {{"a.fits", "b.fits"},
                                           {"a.csv", "b.csv"},
                                           {"a.h5", "b.h5"},
                                           {"a.ecsv", "b.ecsv"},
                                           {"a.vot", "b.vot"}};
    for (int k = 0; k < 5; k++) {
        size_t n, m, differ = 0;
        anpe_catalogue *c = make_catalogue(5);
        WORKS(anpe_catalogue_write(ctx, c, in_scratch(names[k][0])));
        usleep(1100000);
        WORKS(anpe_catalogue_write(ctx, c, in_scratch(names[k][1])));
        char *a = read_bytes(in_scratch(names[k][0]), &n);
        char *b = read_bytes(in_scratch(names[k][1]), &m);
        for (size_t i = 0; i < n && i < m; i++)
            differ += a[i] != b[i];
        /* A second: up to every digit of hh:mm:ss in principle, plus checksums of HDF5 objects. */
        CU_ASSERT(n == m && differ >= 1 && differ <= (k == 2 ? 30 : 19));
        free(a);
        free(b);
        anpe_catalogue_free(c);
    }
}

static void test_refused(void)
{
    static const char *const names[] = {"full.fits", "full.csv", "full.h5", "full.ecsv",
                                        "full.vot"};
    empty_scratch();
    FAILS(anpe_catalogue_check(ctx, "a.txt"), ANPE_EINVAL,
          "ends in .fits, .h5, .csv, .ecsv or .vot");
    FAILS(anpe_catalogue_check(ctx, ".fits"), ANPE_EINVAL, "ends in .fits");
    FAILS(anpe_catalogue_check(ctx, in_scratch("no/a.fits")), ANPE_EIO, "No such file");
    anpe_catalogue *c = make_catalogue(20000);
    for (int k = 0; k < 5; k++) {
        struct rlimit limit;
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = 200000;
        setrlimit(RLIMIT_FSIZE, &limit);
        FAILS(anpe_catalogue_write(ctx, c, in_scratch(names[k])), ANPE_EIO, "File too large");
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_FSIZE, &limit);
        CU_ASSERT_EQUAL(n_files(), 0);
    }
    WORKS(anpe_catalogue_write(ctx, c, in_scratch("fine.fits")));
    anpe_catalogue_free(c);
}

/* Rows are added whole, below those that are there; a line that was torn is not kept. */
static void test_append(void)
{
    static const char *const names[] = {"more.csv", "more.ecsv"};
    size_t n;
    for (int k = 0; k < 2; k++) {
        empty_scratch();
        const char *path = in_scratch(names[k]);
        anpe_catalogue *c = make_catalogue(2);
        WORKS(anpe_catalogue_check_append(ctx, path));
        WORKS(anpe_catalogue_mend(ctx, path)); /* there is none */
        WORKS(anpe_catalogue_append(ctx, c, path));
        char *once = read_bytes(path, &n);
        FILE *f = fopen(path, "a");
        fputs("star 9,40", f);
        fclose(f);
        WORKS(anpe_catalogue_mend(ctx, path));
        WORKS(anpe_catalogue_append(ctx, c, path));
        size_t m;
        char *twice = read_bytes(path, &m);
        once[n] = twice[m] = '\0';
        const char *rows = strstr(once, "id,teff_median,n_good,flags\n") + 28;
        CU_ASSERT(m == n + strlen(rows) && !strncmp(once, twice, n) && !strcmp(twice + n, rows));
        CU_ASSERT_EQUAL(n_files(), 1);
        struct rlimit limit;
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = m + 10;
        setrlimit(RLIMIT_FSIZE, &limit);
        FAILS(anpe_catalogue_append(ctx, c, path), ANPE_EIO, "cannot write");
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_FSIZE, &limit);
        char *still = read_bytes(path, &n);
        CU_ASSERT(n == m && !memcmp(still, twice, n));
        free(once);
        free(twice);
        free(still);
        anpe_catalogue_free(c);
    }
    FAILS(anpe_catalogue_check_append(ctx, in_scratch("more.fits")), ANPE_EINVAL, ".csv or .ecsv");
}

/* ---- spectra in HDF5 --------------------------------------------------------------------- */

enum { N = 3, P = 4 };
static const double wavelength[P] = {5000, 5001, 5002, 5003};
static const anpe_instrument_info survey = {.channels = 1, .n_pixels = P, .wavelength = wavelength};
static const anpe_instrument_info plain = {.channels = 1, .n_pixels = P};

typedef struct content {
    const char *data;
    int sigma, mask, theta;
    double wavelength_off;
} content;

static void write_spectra(const char *path, const content *w)
{
    anpe_h5 *f;
    const int64_t shape[3] = {N, 2, P / 2}, flat[2] = {N, P}, theta_shape[2] = {N, 2}, p = P;
    const char *const labels[2] = {"logg", "teff"};
    float flux[N * P], sigma[N * P];
    int64_t mask[N * P] = {0};
    double theta[2 * N], wave[P];
    for (int i = 0; i < N * P; i++) {
        flux[i] = (float)i;
        sigma[i] = (float)(10 + i);
    }
    for (int i = 0; i < 2 * N; i++)
        theta[i] = i;
    for (int i = 0; i < P; i++)
        wave[i] = wavelength[i] + w->wavelength_off;
    mask[P + 1] = 1 << 12; /* beyond a byte */
    mask[P + 2] = -1;
    WORKS(anpe_h5_create(ctx, path, &f));
    if (!strcmp(w->data, "x"))
        WORKS(anpe_h5_write(ctx, f, "x", ANPE_H5_FLOAT, 3, shape, flux));
    else
        WORKS(anpe_h5_write(ctx, f, w->data, ANPE_H5_FLOAT, 2, flat, flux));
    if (w->sigma)
        WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_FLOAT, 2, flat, sigma));
    if (w->mask)
        WORKS(anpe_h5_write(ctx, f, "mask", ANPE_H5_INT64, 2, flat, mask));
    if (w->theta) {
        WORKS(anpe_h5_write(ctx, f, "theta", ANPE_H5_DOUBLE, 2, theta_shape, theta));
        WORKS(anpe_h5_put_texts(ctx, f, "theta", "labels", w->theta, labels));
    }
    if (!isnan(w->wavelength_off))
        WORKS(anpe_h5_write(ctx, f, "wavelength", ANPE_H5_DOUBLE, 1, &p, wave));
    WORKS(anpe_h5_close(ctx, f));
}

/* One row, or the truth of one, of a file that is opened for it. */
static anpe_status read_row(const char *path, int64_t row, const anpe_instrument_info *ins,
                            anpe_spectrum *s)
{
    anpe_spectra_file *f;
    anpe_status status = anpe_spectra_file_open(ctx, path, &f);
    if (status)
        return status;
    status = anpe_spectra_file_read(ctx, f, row, ins, s);
    anpe_spectra_file_close(f);
    return status;
}

static anpe_status read_truth(const char *path, int64_t row, int64_t n, const anpe_label *labels,
                              double *truth, int *found)
{
    anpe_spectra_file *f;
    anpe_status status = anpe_spectra_file_open(ctx, path, &f);
    if (status)
        return status;
    status = anpe_spectra_file_truth(ctx, f, row, n, labels, truth, found);
    anpe_spectra_file_close(f);
    return status;
}

static void test_spectra(void)
{
    int found;
    anpe_spectrum s;
    anpe_spectra_file *f;
    double truth[3];
    const anpe_label labels[3] = {{.name = "teff"}, {.name = "rv"}, {.name = "logg"}};
    const char *path = in_scratch("spectra.h5");
    WORKS(anpe_spectrum_new(ctx, P, &s));
    write_spectra(path, &(content){"flux", 1, 1, 2, 5e-4});
    CU_ASSERT(anpe_spectra_file_is_hdf5(ctx, path));
    WORKS(anpe_spectra_file_open(ctx, path, &f));
    CU_ASSERT_EQUAL(anpe_spectra_file_rows(f), N);
    for (int i = N; i-- > 0;) { /* any row, in any order, of a file that stays open */
        WORKS(anpe_spectra_file_read(ctx, f, i, &survey, &s));
        CU_ASSERT_EQUAL(s.flux[0], (float)(i * P));
    }
    CU_ASSERT_PTR_NULL(anpe_spectra_file_close(f));
    WORKS(read_row(path, 1, &survey, &s));
    CU_ASSERT(s.flux[0] == P && s.sigma[3] == 10 + P + 3);
    CU_ASSERT(!s.mask[0] && s.mask[1] == 1 && s.mask[2] == 1 && !s.mask[3]);
    CU_ASSERT_STRING_EQUAL(s.id, "");
    WORKS(read_truth(path, 2, 3, labels, truth, &found));
    CU_ASSERT(found && truth[0] == 5 && isnan(truth[1]) && truth[2] == 4);
    write_spectra(path, &(content){"x", 0, 0, 0, NAN});
    WORKS(read_row(path, 2, &plain, &s));
    CU_ASSERT(s.flux[0] == 2 * P && s.sigma[0] == 1 && !s.mask[1]);
    WORKS(read_truth(path, 2, 3, labels, truth, &found));
    CU_ASSERT(!found && isnan(truth[0]));
    CU_ASSERT_EQUAL(rename(path, in_scratch("other")), 0);
    CU_ASSERT(anpe_spectra_file_is_hdf5(ctx, in_scratch("other")));
    write_bytes(in_scratch("other"), "SIMPLE  =", 9);
    CU_ASSERT(!anpe_spectra_file_is_hdf5(ctx, in_scratch("other")));
    CU_ASSERT(!anpe_spectra_file_is_hdf5(ctx, in_scratch("missing")));
    anpe_spectrum_clear(&s);
}

/* A star's identifier for every spectrum: texts, whole numbers, nothing else. */
static void test_spectra_ids(void)
{
    static const char text[N][20] = {"HD 1", "HD 22"};
    static const int64_t number[N] = {4268620287278693120, -1}, n = N, fewer = N - 1;
    anpe_spectrum s;
    anpe_spectra_file *spectra;
    anpe_h5 *f;
    const char *path = in_scratch("ids.h5");
    WORKS(anpe_spectrum_new(ctx, P, &s));
    write_spectra(path, &(content){"flux", 1, 1, 2, 5e-4});
    WORKS(anpe_h5_update(ctx, path, &f));
    WORKS(anpe_h5_write_texts(ctx, f, "id", N, sizeof text[0], text[0]));
    WORKS(anpe_h5_close(ctx, f));
    WORKS(read_row(path, 1, &survey, &s));
    CU_ASSERT_STRING_EQUAL(s.id, "HD 22");
    WORKS(anpe_h5_update(ctx, path, &f));
    WORKS(anpe_h5_remove(ctx, f, "id"));
    WORKS(anpe_h5_write(ctx, f, "id", ANPE_H5_INT64, 1, &n, number));
    WORKS(anpe_h5_close(ctx, f));
    WORKS(read_row(path, 0, &survey, &s));
    CU_ASSERT_STRING_EQUAL(s.id, "4268620287278693120");
    WORKS(anpe_h5_update(ctx, path, &f));
    WORKS(anpe_h5_remove(ctx, f, "id"));
    WORKS(anpe_h5_write(ctx, f, "id", ANPE_H5_INT64, 1, &fewer, number));
    WORKS(anpe_h5_close(ctx, f));
    FAILS(anpe_spectra_file_open(ctx, path, &spectra), ANPE_EFORMAT,
          "dataset 'id' must be 3 texts or whole numbers");
    anpe_spectrum_clear(&s);
}

static void test_spectra_refused(void)
{
    int found;
    double truth;
    anpe_spectrum s, wide;
    anpe_spectra_file *f;
    const anpe_label label = {.name = "teff"};
    const char *path = in_scratch("s.h5");
    WORKS(anpe_spectrum_new(ctx, P, &s));
    WORKS(anpe_spectrum_new(ctx, P + 1, &wide));
    write_spectra(path, &(content){"flux", 1, 0, 1, 2e-3});
    FAILS(read_row(path, 0, &survey, &s), ANPE_EFORMAT,
          "are not the instrument's (5000.000 to 5003.000): up to 0.002 pixels apart");
    FAILS(read_row(path, N, &plain, &s), ANPE_EINVAL, "no spectrum 3, the file has 3");
    FAILS(read_row(path, 0, &plain, &wide), ANPE_EFORMAT,
          "s.h5: spectra of 4 pixels, the instrument has 5");
    FAILS(read_truth(path, 0, 1, &label, &truth, &found), ANPE_EFORMAT,
          "'theta' must be (spectra, labels)");
    write_spectra(path, &(content){"flux", 0, 0, 0, NAN});
    FAILS(read_row(path, 0, &survey, &s), ANPE_EFORMAT, "no dataset 'sigma'");
    write_spectra(path, &(content){"fluxes", 0, 0, 0, NAN});
    FAILS(anpe_spectra_file_open(ctx, path, &f), ANPE_EFORMAT,
          "no dataset 'flux'; did you mean 'fluxes'?");
    FAILS(anpe_spectra_file_open(ctx, in_scratch("no.h5"), &f), ANPE_EIO, "No such file");
    anpe_spectrum_clear(&s);
    anpe_spectrum_clear(&wide);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"FITS", test_fits},
        {"CSV", test_csv},
        {"HDF5", test_hdf5},
        {"no rows", test_empty},
        {"equal bytes but for the date", test_same_bytes},
        {"full disk and wrong names", test_refused},
        {"rows that are added", test_append},
        {"spectra in HDF5", test_spectra},
        {"identifiers of spectra in HDF5", test_spectra_ids},
        {"spectra that do not fit", test_spectra_refused},
    };
    signal(SIGXFSZ, SIG_IGN);
    return run_suite(argc, argv, "catalogue", COUNT(tests), tests);
}
