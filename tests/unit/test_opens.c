/* A file of spectra is opened once, whatever is asked of it: what it is, how many spectra it holds,
 * each of them. Counts opens by standing in front of the C library's functions, with which libanpe,
 * its plugins, CFITSIO and HDF5 open files; where that cannot be done the tests are skipped. */
#include <config.h>
#include "instrument_support.h"
#include "file/hdf5_file.h"
#include "infer/infer.h"
#include "kind/recognise.h"
#include "train/train.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <zlib.h>

/* Opens of files of the scratch directory that are no output. */
static int n_opens;

/* By their names for the linker: the C library's headers have other declarations of them. */
#define STAND_IN_FOR_OPEN(name)                                                                    \
    int stand_in_##name(const char *path, int flags, ...) __asm__(#name);                          \
    int stand_in_##name(const char *path, int flags, ...)                                          \
    {                                                                                              \
        int (*real)(const char *, int, ...);                                                       \
        mode_t mode = 0;                                                                           \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                                                 \
        if (flags & O_CREAT) {                                                                     \
            va_list list;                                                                          \
            va_start(list, flags);                                                                 \
            mode = va_arg(list, mode_t);                                                           \
            va_end(list);                                                                          \
        } else {                                                                                   \
            count(path);                                                                           \
        }                                                                                          \
        return real(path, flags, mode);                                                            \
    }
#define STAND_IN_FOR_FOPEN(name)                                                                   \
    FILE *stand_in_##name(const char *path, const char *mode) __asm__(#name);                      \
    FILE *stand_in_##name(const char *path, const char *mode)                                      \
    {                                                                                              \
        FILE *(*real)(const char *, const char *);                                                 \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                                                 \
        if (mode[0] == 'r')                                                                        \
            count(path);                                                                           \
        return real(path, mode);                                                                   \
    }
#if defined __GLIBC__ && !defined ANPE_SANITIZE
static void count(const char *path)
{
    n_opens += scratch[0] && strstr(path, scratch) && strstr(path, "in_");
}

STAND_IN_FOR_OPEN(open)
STAND_IN_FOR_OPEN(open64)
STAND_IN_FOR_FOPEN(fopen)
STAND_IN_FOR_FOPEN(fopen64)
#endif

/* ---- files ------------------------------------------------------------------------------- */

enum { APOGEE = 8575, ROWS = 5, PIXELS = 400 };

static void write_apstar(const char *path)
{
    static double flux[ROWS * APOGEE], sigma[ROWS * APOGEE], mask[ROWS * APOGEE];
    fitsfile *f = new_fits(path);
    for (int i = 0; i < ROWS * APOGEE; i++) {
        flux[i] = 1 + 0.01 * (i % 7);
        sigma[i] = 0.01;
    }
    put_image(f, SHORT_IMG, 0, 0, NULL);
    put_text(f, "TELESCOP", "apo25m");
    put_real(f, "CRVAL1", 4.179);
    put_real(f, "CDELT1", 6e-6);
    put_text(f, "OBJID", "A STAR");
    put_image(f, FLOAT_IMG, APOGEE, ROWS, flux);
    put_image(f, FLOAT_IMG, APOGEE, ROWS, sigma);
    put_image(f, SHORT_IMG, APOGEE, ROWS, mask);
    end_fits(f);
}

/* Two stars, a row a pixel. */
static void write_csv(const char *path)
{
    FILE *f = fopen(path, "w");
    fprintf(f, "source_id,wavelength,flux,error\n");
    for (int i = 0; i < 2 * PIXELS; i++)
        fprintf(f, "%d,%.2f,%.3f,0.01\n", 1 + i / PIXELS, 5000 + 0.25 * (i % PIXELS),
                1 + 0.01 * (i % 5));
    fclose(f);
}

static void write_votable(const char *path)
{
    FILE *f = fopen(path, "w");
    fprintf(f, "<?xml version='1.0'?><VOTABLE><RESOURCE><TABLE>"
               "<FIELD name='wavelength' datatype='double' unit='Angstrom'/>"
               "<FIELD name='flux' datatype='double'/><FIELD name='error' datatype='double'/>"
               "<DATA><TABLEDATA>");
    for (int i = 0; i < PIXELS; i++)
        fprintf(f, "<TR><TD>%.2f</TD><TD>%.3f</TD><TD>0.01</TD></TR>\n", 5000 + 0.25 * i,
                1 + 0.01 * (i % 5));
    fprintf(f, "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n");
    fclose(f);
}

static void write_hdf5(const char *path)
{
    static double one[3 * APOGEE];
    const int64_t shape[] = {3, 7214};
    anpe_h5 *f = NULL;
    for (int i = 0; i < 3 * APOGEE; i++)
        one[i] = 1 + 0.01 * (i % 7);
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "flux", ANPE_H5_DOUBLE, 2, shape, one));
    for (int i = 0; i < 3 * APOGEE; i++)
        one[i] = 0.01;
    WORKS(anpe_h5_write(ctx, f, "sigma", ANPE_H5_DOUBLE, 2, shape, one));
    WORKS(anpe_h5_close(ctx, f));
}

static void zip(const char *from, const char *to)
{
    size_t n;
    char *bytes = read_bytes(from, &n);
    gzFile f = gzopen(to, "wb");
    CU_ASSERT_EQUAL(gzwrite(f, bytes, (unsigned)n), (int)n);
    gzclose(f);
    free(bytes);
}

/* ---- one input --------------------------------------------------------------------------- */

static int can_count(void)
{
    n_opens = 0;
    write_csv(in_scratch("in_seen"));
    char *bytes = read_bytes(in_scratch("in_seen"), &(size_t){0});
    free(bytes);
    if (!n_opens)
        test_skip("opens are not counted here");
    return n_opens > 0;
}

static void read_all(const char *path, int64_t rows)
{
    const anpe_instrument i = {instrument, info, instrument.plugin->name};
    anpe_input in;
    int64_t n = 0;
    WORKS(anpe_input_open(&i, ctx, path, &in));
    WORKS(anpe_instrument_count(&i, ctx, &in, &n));
    CU_ASSERT_EQUAL(n, rows);
    for (int64_t row = 0; row < n; row++)
        WORKS(anpe_instrument_read(&i, ctx, &in, row, &spectrum));
    anpe_input_close(&in);
}

static void test_inputs(void)
{
    static const char apogee[] = "instrument = { plugin = \"apogee\"; combination = \"visits\"; };";
    static const char any[] = "instrument = { plugin = \"spectrum\"; windows = [5005.0, 5095.0];"
                              " resolution = 5000.0; medium = \"vacuum\"; };";
    static const struct {
        const char *config, *name;
        void (*write)(const char *path);
        int64_t rows;
        int zipped;
    } files[] = {{apogee, "in_apstar.fits", write_apstar, ROWS - 2, 0},
                 {apogee, "in_apstar.fits.gz", write_apstar, ROWS - 2, 1},
                 {apogee, "in_spectra.h5", write_hdf5, 3, 0},
                 {any, "in_two.csv", write_csv, 2, 0},
                 {any, "in_two.csv.gz", write_csv, 2, 1},
                 {any, "in_one.vot", write_votable, 1, 0}};
    if (!can_count())
        return;
    for (int k = 0; k < COUNT(files); k++) {
        char path[512];
        snprintf(path, sizeof path, "%s", in_scratch(files[k].name));
        files[k].write(files[k].zipped ? in_scratch("plain") : path);
        if (files[k].zipped)
            zip(in_scratch("plain"), path);
        WORKS(open_instrument(files[k].config));
        n_opens = 0;
        read_all(path, files[k].rows);
        /* HDF5's once before by the seal's reader, for bytes that HDF5 is not to see */
        const int most = 1 + (files[k].write == write_hdf5);
        CU_ASSERT_EQUAL(n_opens, most);
        if (n_opens != most)
            printf("\n  %s: opened %d times\n", files[k].name, n_opens);
    }
    close_all();
}

/* Recognised by all instruments, then read by the one. */
static void test_known(void)
{
    static const char *const names[] = {"in_apstar.fits", "in_one.vot"};
    if (!can_count())
        return;
    write_apstar(in_scratch(names[0]));
    write_votable(in_scratch(names[1]));
    for (int k = 0; k < COUNT(names); k++) {
        anpe_known_file f;
        anpe_spectrum s;
        n_opens = 0;
        WORKS(anpe_known_file_open(ctx, in_scratch(names[k]), &f));
        WORKS(anpe_spectrum_new(ctx, anpe_instrument_size(&f.instrument), &s));
        WORKS(anpe_instrument_read(&f.instrument, ctx, &f.input, 0, &s));
        anpe_known_file_close(&f);
        anpe_spectrum_clear(&s);
        CU_ASSERT_EQUAL(n_opens, 1);
    }
}

/* ---- a run ------------------------------------------------------------------------------- */

static void train_small(const char *model)
{
    static const char *const sets[] = {"train.steps=2", "train.epochs=1"};
    const char *root = getenv("ANPE_SRCDIR");
    char config[1024];
    anpe_settings *s = NULL;
    anpe_train_result trained;
    const anpe_train_request train = {.output = model, .threads = 1};
    snprintf(config, sizeof config, "%s/tests/cli/small.cfg", root ? root : ".");
    WORKS(anpe_settings_read(ctx, config, 2, sets, &s));
    WORKS(anpe_train(ctx, s, &train, &trained));
    anpe_settings_free(s);
}

/* More files than a block has stars, of one and of several spectra, one that is not there. */
static void test_inference(void)
{
    enum { FILES = 140 };
    static char path[FILES][512], model[512], output[512];
    const char *files[FILES];
    anpe_infer_result r;
    if (!can_count())
        return;
    snprintf(model, sizeof model, "%s", in_scratch("model.h5"));
    snprintf(output, sizeof output, "%s", in_scratch("catalogue.csv"));
    train_small(model);
    write_apstar(in_scratch("one.fits"));
    for (int i = 0; i < FILES; i++) {
        char name[64];
        snprintf(name, sizeof name, i == 2 ? "in_%03d.h5" : "in_%03d.fits", i);
        snprintf(path[i], sizeof path[i], "%s", in_scratch(name));
        files[i] = path[i];
        if (i == 2)
            write_hdf5(path[i]);
        else if (i != 1)
            CU_ASSERT_EQUAL(link(in_scratch("one.fits"), path[i]), 0);
    }
    const anpe_infer_request q = {.model = model,
                                  .n_files = FILES,
                                  .files = files,
                                  .output = output,
                                  .n_draws = 10,
                                  .seed = 1,
                                  .threads = 1};
    n_opens = 0;
    WORKS(anpe_infer_files(ctx, &q, &r));
    CU_ASSERT_EQUAL(n_opens, FILES + 1); /* the HDF5 file once more, see above */
    CU_ASSERT_EQUAL(r.n_stars, FILES + 2);
    CU_ASSERT_EQUAL(r.n_failed, 1);
    for (int64_t i = 0; i < r.n_stars; i++) { /* in the order of the files */
        const int64_t file = i < 2 ? i : i < 5 ? 2 : i - 2;
        CU_ASSERT_PTR_EQUAL(r.star[i].file, files[file]);
        CU_ASSERT_EQUAL(r.star[i].row, file == 2 ? i - 2 : 0);
        CU_ASSERT_EQUAL(r.star[i].failed, i == 1);
    }
    anpe_infer_result_clear(&r);
}

/* ---- what a file in memory is ------------------------------------------------------------ */

static void test_bytes(void)
{
    enum { SIZE = 300000 };
    char path[512], *text = malloc(SIZE);
    anpe_file *f;
    snprintf(path, sizeof path, "%s", in_scratch("in_bytes"));
    for (int i = 0; i < SIZE; i++)
        text[i] = (char)('a' + (i % 23) * (i % 23) % 23);
    write_bytes(path, text, SIZE);
    WORKS(anpe_file_bytes(ctx, path, SIZE, &f)); /* nobody holds it */
    CU_ASSERT_PTR_NULL(f);
    WORKS(anpe_file_hold(ctx, path));
    WORKS(anpe_file_bytes(ctx, path, SIZE - 1, &f));
    CU_ASSERT(f && !f->whole && f->size == 4096 && !memcmp(f->bytes, text, 4096));
    WORKS(anpe_file_hold(ctx, path));
    WORKS(anpe_file_bytes(ctx, path, SIZE, &f));
    CU_ASSERT(f && f->whole && f->size == SIZE && !memcmp(f->bytes, text, SIZE));
    anpe_file_let_go(ctx, path);
    WORKS(anpe_file_bytes(ctx, path, SIZE, &f));
    CU_ASSERT_PTR_NOT_NULL(f);
    anpe_file_let_go(ctx, path);
    WORKS(anpe_file_bytes(ctx, path, SIZE, &f));
    CU_ASSERT_PTR_NULL(f);
    free(text);
}

static void try_gzip(const char *name, const void *bytes, size_t n, const char *expected,
                     const char *message)
{
    char path[512];
    anpe_file *f = NULL;
    snprintf(path, sizeof path, "%s", in_scratch(name));
    write_bytes(path, bytes, n);
    WORKS(anpe_file_hold(ctx, path));
    if (message) {
        FAILS(anpe_file_bytes(ctx, path, 0, &f), ANPE_EFORMAT, message);
    } else {
        WORKS(anpe_file_bytes(ctx, path, 0, &f));
        CU_ASSERT(f && f->whole && f->size == strlen(expected) &&
                  !memcmp(f->bytes, expected, f->size));
    }
    anpe_file_let_go(ctx, path);
}

/* Members one after the other are one file, zeros behind them nothing; a flipped bit, a checksum
 * that is wrong, an end that is missing are told; a size that is a lie takes no memory. */
static void test_gzip(void)
{
    enum { SIZE = 20000 };
    char text[2 * SIZE + 1] = "", twice[4 * SIZE];
    size_t n;
    for (int i = 0; i < SIZE; i++)
        text[i] = (char)('a' + i * i % 23);
    write_bytes(in_scratch("text"), text, SIZE);
    zip(in_scratch("text"), in_scratch("text.gz"));
    char *bytes = read_bytes(in_scratch("text.gz"), &n);
    try_gzip("good.gz", bytes, n, text, NULL);
    memcpy(twice, bytes, n);
    memset(twice + n, 0, 512);
    try_gzip("padded.gz", twice, n + 512, text, NULL);
    memcpy(twice + n, bytes, n);
    memcpy(text + SIZE, text, SIZE);
    try_gzip("twice.gz", twice, 2 * n, text, NULL);
    try_gzip("cut.gz", bytes, n - 9, NULL, "cut.gz: cannot read: its gzip data are damaged");
    bytes[n - 8] ^= 1; /* of the checksum */
    try_gzip("checksum.gz", bytes, n, NULL, "gzip data are damaged");
    bytes[n - 8] ^= 1;
    bytes[n / 2] ^= 4;
    try_gzip("flipped.gz", bytes, n, NULL, "gzip data are damaged");
    bytes[n / 2] ^= 4;
    memset(bytes + n - 4, 0xff, 4); /* 4 GiB */
    try_gzip("lie.gz", bytes, n, NULL, "gzip data are damaged");
    free(bytes);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {{"inputs", test_inputs},
                                        {"known files", test_known},
                                        {"a run", test_inference},
                                        {"files in memory", test_bytes},
                                        {"gzip", test_gzip}};
    return run_suite(argc, argv, "opens", COUNT(tests), tests);
}
