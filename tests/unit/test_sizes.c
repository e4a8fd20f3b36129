/* Sizes that a file declares against what it holds: HDF5, FITS, npz. */
#include <config.h>
#include "base/shape.h"
#include "file/catalogue.h"
#include "file/catalogue_read.h"
#include "file/hdf5_file.h"
#include "file/spectra_file.h"
#include "instrument_support.h"

#include <zip.h>

static void test_count(void)
{
    const int64_t wraps[] = {1500000, 115641389, 159516797863}, most = INT64_MAX / 16;
    const int64_t beside[] = {most, 0, 2}, none[] = {3, 0, 5}, few[] = {3, 4, 5};
    const int64_t negative[] = {3, -1}, two[] = {-2, -2};
    CU_ASSERT_EQUAL(anpe_shape_count(0, NULL), 1);
    CU_ASSERT_EQUAL(anpe_shape_count(3, few), 60);
    CU_ASSERT_EQUAL(anpe_shape_count(3, none), 0);
    CU_ASSERT_EQUAL(anpe_shape_count(1, &most), most);
    CU_ASSERT_EQUAL(anpe_shape_count(3, beside), -1);
    CU_ASSERT_EQUAL(anpe_shape_count(2, negative), -1);
    CU_ASSERT_EQUAL(anpe_shape_count(2, two), -1);
    CU_ASSERT_EQUAL(anpe_shape_count(3, wraps), -1);
    uint64_t wrapped = 1; /* what the plain product is */
    for (int k = 0; k < 3; k++)
        wrapped *= (uint64_t)wraps[k];
    CU_ASSERT(wrapped / 1500000 < (uint64_t)wraps[1]);
}

/* ---- HDF5 -------------------------------------------------------------------------------- */

enum { EMPTY = 0, PLAIN = 0, CHUNKED = 1, GZIP = 2, FILLED = 4 };

/* file.h5 with one dataset; nothing is stored of it unless FILLED, with zeros. */
static anpe_h5 *open_set(const char *name, hid_t type, int rank, const hsize_t *dims,
                         hsize_t chunk_rows, int how)
{
    hsize_t chunk[3] = {0};
    anpe_h5 *f;
    empty_scratch();
    const hid_t file = H5Fcreate(in_scratch("file.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(rank, dims, NULL), dcpl = H5Pcreate(H5P_DATASET_CREATE);
    for (int k = 0; k < rank; k++)
        chunk[k] = k ? (dims[k] < 64 ? dims[k] : 64) : chunk_rows;
    if (how & CHUNKED)
        H5Pset_chunk(dcpl, rank, chunk);
    if (how & GZIP)
        H5Pset_deflate(dcpl, 1);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    CU_ASSERT(set >= 0);
    if (how & FILLED) {
        void *zeros = calloc((size_t)H5Sget_simple_extent_npoints(space), H5Tget_size(type));
        CU_ASSERT(zeros && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros) >= 0);
        free(zeros);
    }
    H5Dclose(set);
    H5Pclose(dcpl);
    H5Sclose(space);
    H5Fclose(file);
    WORKS(anpe_h5_open(ctx, in_scratch("file.h5"), &f));
    return f;
}

static void test_declared(void)
{
    static const hsize_t huge[] = {2000000000, 2}, mask[] = {1000, 8575}, zeros[] = {90000, 1024};
    int rank;
    int64_t shape[8];
    anpe_h5 *f = open_set("x", H5T_IEEE_F32LE, 2, huge, 1000, CHUNKED | EMPTY);
    FAILS(anpe_h5_shape(ctx, f, "x", &rank, shape), ANPE_EFORMAT,
          "file.h5: dataset 'x' declares 16000000000 bytes and stores 0");
    WORKS(anpe_h5_close(ctx, f));
    f = open_set("x", H5T_IEEE_F32LE, 2, huge, 0, PLAIN | EMPTY);
    FAILS(anpe_h5_shape(ctx, f, "x", &rank, shape), ANPE_EFORMAT, "declares 16000000000 bytes");
    WORKS(anpe_h5_close(ctx, f));
    f = open_set("mask", H5T_STD_U8LE, 2, mask, 0, PLAIN | EMPTY); /* nobody wrote: all is good */
    WORKS(anpe_h5_shape(ctx, f, "mask", &rank, shape));
    WORKS(anpe_h5_close(ctx, f));
    /* 92 MB that compress to a thousandth */
    f = open_set("x", H5T_STD_U8LE, 2, zeros, 90000, CHUNKED | GZIP | FILLED);
    CU_ASSERT(shape[0] == 1000 && shape[1] == 8575);
    WORKS(anpe_h5_shape(ctx, f, "x", &rank, shape));
    CU_ASSERT(shape[0] == 90000 && shape[1] == 1024);
    WORKS(anpe_h5_close(ctx, f));
}

static void test_wraps(void)
{
    static const hsize_t wraps[] = {1500000, 115641389, 159516797863};
    int rank;
    int64_t shape[8];
    double *data;
    anpe_h5 *f = open_set("x", H5T_IEEE_F32LE, 3, wraps, 1000, CHUNKED | EMPTY);
    FAILS(anpe_h5_shape(ctx, f, "x", &rank, shape), ANPE_EFORMAT,
          "dataset 'x': absurd shape (1500000, 115641389, 159516797863)");
    WORKS(anpe_h5_close(ctx, f));
    FAILS(anpe_array_read(ctx, in_scratch("file.h5"), "x", &data, &rank, shape), ANPE_EFORMAT,
          "absurd shape");
}

/* Rows of a run, cells of a catalogue and texts cost more than their bytes in the file. */
static void test_rows(void)
{
    static const hsize_t rows[] = {4000000, 2}, column[] = {4000000};
    anpe_spectra_file *spectra;
    anpe_catalogue_file *table;
    anpe_h5 *f = open_set("x", H5T_IEEE_F32LE, 2, rows, 1000, CHUNKED | EMPTY);
    WORKS(anpe_h5_close(ctx, f));
    FAILS(anpe_spectra_file_open(ctx, in_scratch("file.h5"), &spectra), ANPE_EFORMAT,
          "'x' declares 32000000 bytes and stores 0");
    f = open_set("teff", H5T_IEEE_F64LE, 1, column, 1000, CHUNKED | EMPTY);
    WORKS(anpe_h5_close(ctx, f));
    FAILS(anpe_catalogue_read_open(ctx, in_scratch("file.h5"), &table), ANPE_EFORMAT,
          "'teff' declares 32000000 bytes and stores 0");
    const hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 8);
    f = open_set("id", text, 1, column, 1000, CHUNKED | EMPTY);
    char **ids = calloc((size_t)column[0], sizeof *ids);
    FAILS(anpe_h5_read_texts(ctx, f, "id", (int64_t)column[0], ids), ANPE_EFORMAT,
          "'id' declares 32000000 bytes and stores 0");
    free(ids);
    WORKS(anpe_h5_close(ctx, f));
    H5Tclose(text);
}

/* Rows that are longer than the memory for them. */
static void test_row_width(void)
{
    static const hsize_t wide[] = {4, 100};
    float row[100] = {0};
    uint8_t mask[100] = {0};
    anpe_h5 *f = open_set("x", H5T_IEEE_F32LE, 2, wide, 4, CHUNKED | FILLED);
    WORKS(anpe_h5_read_rows(ctx, f, "x", ANPE_H5_FLOAT, 3, 1, 100, row));
    FAILS(anpe_h5_read_rows(ctx, f, "x", ANPE_H5_FLOAT, 3, 1, 50, row), ANPE_EFORMAT,
          "dataset 'x' has rows of 100 values, expected 50");
    WORKS(anpe_h5_read_mask(ctx, f, "x", 0, 1, 100, mask));
    FAILS(anpe_h5_read_mask(ctx, f, "x", 0, 1, 50, mask), ANPE_EFORMAT, "rows of 100 values");
    WORKS(anpe_h5_close(ctx, f));
}

/* ---- others ------------------------------------------------------------------------------ */

/* Other digits, right-aligned, for a number in a FITS header that has the same place. */
static void change_a_card(const char *path, const char *card, const char *value, int last)
{
    size_t n;
    char *bytes = read_bytes(path, &n), *at = NULL;
    for (size_t k = 0; (last || !at) && k + 80 <= n; k += 80)
        if (!strncmp(bytes + k, card, 9))
            at = bytes + k;
    CU_ASSERT_FATAL(at != NULL);
    memset(at + 10, ' ', 20);
    memcpy(at + 30 - strlen(value), value, strlen(value));
    write_bytes(path, bytes, n);
    free(bytes);
}

static void change_card(const char *path, const char *card, const char *value)
{
    change_a_card(path, card, value, 0);
}

static void change_last_card(const char *path, const char *card, const char *value)
{
    change_a_card(path, card, value, 1);
}

static void test_fits_table(void)
{
    static const anpe_column columns[] = {
        {"teff", "K", "phys.temperature.effective", "median", ANPE_COLUMN_REAL, 0}};
    anpe_catalogue *w;
    anpe_catalogue_file *c;
    empty_scratch();
    WORKS(anpe_catalogue_new(ctx, 3, 1, columns, 0, NULL, &w));
    WORKS(anpe_catalogue_write(ctx, w, in_scratch("a.fits")));
    anpe_catalogue_free(w);
    WORKS(anpe_catalogue_read_open(ctx, in_scratch("a.fits"), &c));
    anpe_catalogue_read_close(c);
    change_card(in_scratch("a.fits"), "NAXIS2  =", "4000000000");
    FAILS(anpe_catalogue_read_open(ctx, in_scratch("a.fits"), &c), ANPE_EFORMAT,
          "a.fits: its table declares 4000000000 rows of 8 bytes, the file holds 2880 bytes");
}

static void test_fits_image(void)
{
    enum { FULL = 8575 };
    static double flux[2 * FULL];
    const char *path = in_scratch("star.fits");
    int64_t n;
    empty_scratch();
    WORKS(open_instrument("instrument: { plugin = \"apogee\"; combination = \"all\"; };"));
    fitsfile *f = new_fits(path);
    put_image(f, BYTE_IMG, 0, 0, NULL);
    for (int k = 0; k < 3; k++)
        put_image(f, k < 2 ? FLOAT_IMG : SHORT_IMG, FULL, 2, flux);
    end_fits(f);
    WORKS(ops->count(instrument.self, ctx, path, &n));
    CU_ASSERT_EQUAL(n, 2);
    change_card(path, "NAXIS2  =", "2000000000");
    FAILS(
        ops->count(instrument.self, ctx, path, &n), ANPE_EFORMAT,
        "star.fits: cannot read flux: 2000000000 rows of 34300 bytes are declared, the file holds");
    close_all();
}

/* Spectra of rows that are not there: in a table of arrays, a table of pixels, images of one thing
 * each, an image of bands, a table of SDSS-V. */
static void test_fits_spectra(void)
{
    enum { WIDTH = 100, FULL = 8575, LAYOUTS = 5 };
    static const struct {
        const char *config, *axis, *message;
    } c[LAYOUTS] = {{"spectrum", "NAXIS2", "table: 1000000000000 rows of 800 bytes"},
                    {"spectrum", "NAXIS2", "table: 4000000 rows of 8 bytes"},
                    {"spectrum", "NAXIS2", "flux: 1000000000000 rows of 400 bytes"},
                    {"spectrum", "NAXIS3", "flux: 1000000000000 rows of 400 bytes"},
                    {"apogee", "NAXIS2", "table: 1000000000000 rows of 68600 bytes"}};
    static double row[2 * FULL];
    for (int k = 0; k < LAYOUTS; k++) {
        const int apogee = k == 4, width = apogee ? FULL : WIDTH;
        const char *path = in_scratch("rows.fits");
        char config[200], form[16], card[10];
        int64_t n;
        int status = 0;
        empty_scratch();
        fitsfile *f = new_fits(path);
        put_image(f, BYTE_IMG, 0, 0, NULL);
        snprintf(form, sizeof form, "%dE", k == 1 ? 1 : width);
        char *names[] = {apogee ? "flux" : "wavelength", apogee ? "ivar" : "flux"};
        char *forms[] = {form, form}, *units[] = {"", ""};
        for (int i = 0; i < 2 * width; i++)
            row[i] = 5000 + i % width;
        if (k == 2) {
            put_image(f, FLOAT_IMG, WIDTH, 1, row);
            put_text(f, "EXTNAME", "WAVELENGTH");
            put_image(f, FLOAT_IMG, WIDTH, 2, row);
            put_text(f, "EXTNAME", "FLUX");
        } else if (k == 3) {
            long axes[] = {WIDTH, 1, 2};
            fits_create_img(f, FLOAT_IMG, 3, axes, &status);
            fits_write_img(f, TDOUBLE, 1, 2 * WIDTH, row, &status);
            put_real(f, "CRVAL1", 5000);
            put_real(f, "CDELT1", 1);
        } else {
            fits_create_tbl(f, BINARY_TBL, 2, 2, names, forms, units, "SPECTRA", &status);
            for (int column = 1; column <= 2; column++)
                fits_write_col(f, TDOUBLE, column, 1, 1, k == 1 ? 2 : 2 * width, row, &status);
        }
        CU_ASSERT_EQUAL(status, 0);
        end_fits(f);
        snprintf(config, sizeof config, "instrument: { plugin = \"%s\"; %s };", c[k].config,
                 apogee ? "" : "windows = [5000.0, 5090.0]; resolution = 5000.0;");
        WORKS(open_instrument(config));
        WORKS(ops->count(instrument.self, ctx, path, &n));
        CU_ASSERT_EQUAL(n, k == 1 || k == 3 ? 1 : 2);
        snprintf(card, sizeof card, "%-8s=", c[k].axis);
        change_last_card(path, card, k == 1 ? "4000000" : "1000000000000");
        FAILS(ops->count(instrument.self, ctx, path, &n), ANPE_EFORMAT, c[k].message);
        FAILS(ops->read(instrument.self, ctx, path, 0, &spectrum), ANPE_EFORMAT, c[k].message);
    }
    close_all();
}

/* A row of arrays, in a file that is held in memory: cut where a block ends or within one, or with
 * arrays in a heap that are said to lie beyond the file. What lies there is memory of anything. */
static void test_fits_cut(void)
{
    enum { WIDTH = 4000, CASES = 4 };
    static const struct {
        int heap;
        long bytes; /* of the file; 0: all */
        LONGLONG offset;
    } c[CASES] = {{0, 0, 0}, {0, 14 * 2880, 0}, {0, 14 * 2880 + 227, 0}, {1, 0, 1000000}};
    static double row[2 * WIDTH];
    for (int i = 0; i < 2 * WIDTH; i++)
        row[i] = 5000 + 0.02 * (i % WIDTH);
    for (int k = 0; k < CASES; k++) {
        const char *path = in_scratch("cut.fits");
        char form[16], *names[] = {"wavelength", "flux", "ivar"}, *forms[] = {form, form, form};
        int status = 0;
        empty_scratch();
        fitsfile *f = new_fits(path);
        put_image(f, BYTE_IMG, 0, 0, NULL);
        snprintf(form, sizeof form, c[k].heap ? "1PE" : "%dE", WIDTH);
        fits_create_tbl(f, BINARY_TBL, 1, 3, names, forms, NULL, "SPECTRUM", &status);
        for (int column = 1; column <= 3; column++)
            fits_write_col(f, TDOUBLE, column, 1, 1, WIDTH, row, &status);
        if (c[k].offset)
            fits_write_descript(f, 3, 1, WIDTH, c[k].offset, &status);
        CU_ASSERT_EQUAL(status, 0);
        end_fits(f);
        if (c[k].bytes)
            CU_ASSERT_EQUAL(truncate(path, c[k].bytes), 0);
        WORKS(open_instrument("instrument: { plugin = \"spectrum\"; windows = [5000.0, 5070.0]; "
                              "resolution = 5000.0; medium = \"vacuum\"; };"));
        WORKS(anpe_file_hold(ctx, path));
        const anpe_status read = ops->read(instrument.self, ctx, path, 0, &spectrum);
        CU_ASSERT_EQUAL(read != ANPE_OK, k > 0);
        anpe_file_let_go(ctx, path);
        close_all();
    }
}

/* Cells of a VOTable that are longer than its file. */
static void test_votable(void)
{
    static const char *const sizes[][2] = {{"1000000000000", "arraysize '1000000000000'"},
                                           {"1000000x1000000", "arraysize '1000000x1000000'"},
                                           {"99999999999999999999", "arraysize '9999"},
                                           {"4000000", "its stream ends within a row"}};
    const char *path = in_scratch("cells.vot");
    empty_scratch();
    WORKS(open_instrument("instrument: { plugin = \"spectrum\"; windows = [5000.0, 5090.0]; "
                          "resolution = 5000.0; };"));
    for (int k = 0; k < COUNT(sizes); k++) {
        char text[1000];
        int64_t n;
        snprintf(text, sizeof text,
                 "<VOTABLE><RESOURCE><TABLE nrows='1000000000000'><FIELD name='wavelength' "
                 "datatype='double' arraysize='%s'/><FIELD name='flux' datatype='double' "
                 "arraysize='%s'/><DATA><BINARY><STREAM encoding='base64'>AAAAAAAAAAAAAAAA</STREAM>"
                 "</BINARY></DATA></TABLE></RESOURCE></VOTABLE>",
                 sizes[k][0], sizes[k][0]);
        write_bytes(path, text, strlen(text));
        FAILS(ops->count(instrument.self, ctx, path, &n), ANPE_EFORMAT, sizes[k][1]);
        FAILS(ops->read(instrument.self, ctx, path, 0, &spectrum), ANPE_EFORMAT, sizes[k][1]);
    }
    close_all();
}

/* A member that says it is 8 GB, with 80 bytes in the archive. */
static void test_npz(void)
{
    static const char head[] = "\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, "
                               "'shape': (1000000000,), }        \n";
    const uint8_t claimed[] = {0x50, 0x94, 0x35, 0x77}; /* 2 000 000 080, little-endian */
    double *data;
    int rank, code;
    int64_t shape[4];
    size_t n;
    empty_scratch();
    zip_t *z = zip_open(in_scratch("a.npz"), ZIP_CREATE, &code);
    CU_ASSERT_FATAL(z != NULL);
    zip_file_add(z, "a.npy", zip_source_buffer(z, head, sizeof head - 1, 0), 0);
    zip_set_file_compression(z, 0, ZIP_CM_STORE, 0);
    CU_ASSERT_EQUAL(zip_close(z), 0);
    char *bytes = read_bytes(in_scratch("a.npz"), &n), *at = bytes;
    while (memcmp(at, "PK\x01\x02", 4))
        at++;
    memcpy(at + 24, claimed, 4); /* the uncompressed size in the central directory */
    write_bytes(in_scratch("a.npz"), bytes, n);
    free(bytes);
    FAILS(anpe_array_read(ctx, in_scratch("a.npz"), "a", &data, &rank, shape), ANPE_EFORMAT,
          "declares 2000000080 bytes, the file holds ");
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"products", test_count},
        {"declared and stored", test_declared},
        {"a product that wraps", test_wraps},
        {"rows, cells and texts", test_rows},
        {"the width of rows", test_row_width},
        {"FITS tables", test_fits_table},
        {"FITS images", test_fits_image},
        {"spectra of FITS files", test_fits_spectra},
        {"FITS files cut short", test_fits_cut},
        {"cells of VOTables", test_votable},
        {"npz", test_npz},
    };
    return run_suite(argc, argv, "sizes", COUNT(tests), tests);
}
