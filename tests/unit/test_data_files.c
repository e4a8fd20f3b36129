/* Files: outputs appear whole or not at all; HDF5; damaged input ends in a message. */
#include <config.h>
#include "data_support.h"
#include "file/hdf5_file.h"
#include "file/output.h"
#include "file/spectra_file.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* ---- outputs ----------------------------------------------------------------------------- */

static void test_output_appears(void)
{
    size_t n;
    anpe_output o;
    empty_scratch();
    WORKS(anpe_output_begin(ctx, &o, in_scratch("a.txt")));
    CU_ASSERT_NOT_EQUAL(access(in_scratch("a.txt"), F_OK), 0);
    write_bytes(o.temporary, "new", 3);
    WORKS(anpe_output_commit(ctx, &o));
    char *text = read_bytes(in_scratch("a.txt"), &n);
    CU_ASSERT_EQUAL(n, 3);
    CU_ASSERT_EQUAL(n_files(), 1);
    free(text);
    /* An existing file stays as it is until the new one is whole. */
    WORKS(anpe_output_begin(ctx, &o, in_scratch("a.txt")));
    write_bytes(o.temporary, "half", 4);
    anpe_output_abandon(&o);
    text = read_bytes(in_scratch("a.txt"), &n);
    CU_ASSERT(n == 3 && !memcmp(text, "new", 3));
    CU_ASSERT_EQUAL(n_files(), 1);
    free(text);
}

static void test_output_follows_link(void)
{
    anpe_output o;
    struct stat st;
    empty_scratch();
    write_bytes(in_scratch("real"), "old", 3);
    CU_ASSERT_EQUAL(symlink("real", in_scratch("link")), 0);
    WORKS(anpe_output_begin(ctx, &o, in_scratch("link")));
    write_bytes(o.temporary, "newer", 5);
    WORKS(anpe_output_commit(ctx, &o));
    CU_ASSERT(lstat(in_scratch("link"), &st) == 0 && S_ISLNK(st.st_mode));
    CU_ASSERT(stat(in_scratch("real"), &st) == 0 && st.st_size == 5);
}

/* What a link names is made where it points to, and the link stays. */
static void test_output_follows_open_link(void)
{
    anpe_output o;
    struct stat st;
    empty_scratch();
    CU_ASSERT_EQUAL(symlink("not_yet", in_scratch("link")), 0);
    WORKS(anpe_output_begin(ctx, &o, in_scratch("link")));
    WORKS(anpe_output_commit(ctx, &o));
    CU_ASSERT(lstat(in_scratch("link"), &st) == 0 && S_ISLNK(st.st_mode));
    CU_ASSERT(lstat(in_scratch("not_yet"), &st) == 0 && S_ISREG(st.st_mode));
    CU_ASSERT_EQUAL(symlink("round", in_scratch("round")), 0);
    FAILS(anpe_output_check(ctx, in_scratch("round")), ANPE_EIO, "Too many levels");
}

static int mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

static void test_output_keeps_mode(void)
{
    static const mode_t modes[] = {0600, 0640, 0664};
    anpe_output o;
    empty_scratch();
    const mode_t before = umask(027);
    WORKS(anpe_output_begin(ctx, &o, in_scratch("a.txt")));
    WORKS(anpe_output_commit(ctx, &o));
    CU_ASSERT_EQUAL(mode_of(in_scratch("a.txt")), 0640);
    for (size_t k = 0; k < sizeof modes / sizeof *modes; k++) {
        CU_ASSERT_EQUAL(chmod(in_scratch("a.txt"), modes[k]), 0);
        WORKS(anpe_output_begin(ctx, &o, in_scratch("a.txt")));
        CU_ASSERT_EQUAL(mode_of(o.temporary) & 077, 0); /* no one reads what is not whole */
        WORKS(anpe_output_commit(ctx, &o));
        CU_ASSERT_EQUAL(mode_of(in_scratch("a.txt")), (int)modes[k]);
    }
    umask(before);
}

/* One of three cannot reach the disk: the other two do not take their names. */
static void test_output_all_or_none(void)
{
    static const char *const name[] = {"a", "b", "c"};
    anpe_output o[3];
    size_t n;
    empty_scratch();
    write_bytes(in_scratch("a"), "old", 3);
    write_bytes(in_scratch("c"), "old", 3);
    for (int k = 0; k < 3; k++) {
        WORKS(anpe_output_begin(ctx, &o[k], in_scratch(name[k])));
        write_bytes(o[k].temporary, "newer", 5);
    }
    CU_ASSERT_EQUAL(unlink(o[1].temporary), 0);
    FAILS(anpe_output_commit_all(ctx, 3, o), ANPE_EIO, "b: cannot write");
    CU_ASSERT_EQUAL(n_files(), 2);
    for (int k = 0; k < 3; k += 2) {
        char *text = read_bytes(in_scratch(name[k]), &n);
        CU_ASSERT(n == 3 && !memcmp(text, "old", 3));
        free(text);
    }
    for (int k = 0; k < 3; k++)
        WORKS(anpe_output_begin(ctx, &o[k], in_scratch(name[k])));
    WORKS(anpe_output_commit_all(ctx, 3, o));
    CU_ASSERT_EQUAL(n_files(), 3);
}

static void test_output_differs(void)
{
    char other[600];
    empty_scratch();
    write_bytes(in_scratch("there"), "x", 1);
    CU_ASSERT_EQUAL(symlink("later", in_scratch("link")), 0);
    CU_ASSERT_EQUAL(link(in_scratch("there"), in_scratch("hard")), 0);
    snprintf(other, sizeof other, "%s/../%s/./later", scratch, strrchr(scratch, '/') + 1);
    FAILS(anpe_output_differs(ctx, in_scratch("later"), other), ANPE_EINVAL, "would replace");
    FAILS(anpe_output_differs(ctx, in_scratch("link"), other), ANPE_EINVAL, "would replace");
    FAILS(anpe_output_differs(ctx, in_scratch("hard"), in_scratch("there")), ANPE_EINVAL,
          "would replace");
    WORKS(anpe_output_differs(ctx, in_scratch("later"), in_scratch("there")));
    WORKS(anpe_output_differs(ctx, in_scratch("later"), in_scratch("Later")));
    WORKS(anpe_output_differs(ctx, in_scratch("later"), in_scratch("no/later")));
}

static void test_output_refused(void)
{
    empty_scratch();
    write_bytes(in_scratch("file"), "x", 1);
    FAILS(anpe_output_check(ctx, in_scratch("no/such/a.h5")), ANPE_EIO,
          "cannot write: No such file or directory");
    FAILS(anpe_output_check(ctx, in_scratch("file/a.h5")), ANPE_EIO, "Not a directory");
    FAILS(anpe_output_check(ctx, scratch), ANPE_EIO, "it is a directory");
    FAILS(anpe_output_check(ctx, "/dev/full"), ANPE_EIO, "not a regular file");
    FAILS(anpe_output_check(ctx, "/dev/null"), ANPE_EIO, "not a regular file");
    FAILS(anpe_output_check(ctx, ""), ANPE_EINVAL, "empty");
    FAILS(anpe_output_check(ctx, "x/"), ANPE_EIO, "ends with '/'");
    FAILS(anpe_output_check(ctx, "/proc/anpe.h5"), ANPE_EIO, "cannot write");
    WORKS(anpe_output_check(ctx, in_scratch("fine.h5")));
    CU_ASSERT_EQUAL(n_files(), 1);
    if (geteuid() != 0) { /* root may write anywhere */
        CU_ASSERT_EQUAL(chmod(scratch, 0555), 0);
        FAILS(anpe_output_check(ctx, in_scratch("a.h5")), ANPE_EIO, "Permission denied");
        CU_ASSERT_EQUAL(chmod(scratch, 0755), 0);
    }
}

/* ---- HDF5 -------------------------------------------------------------------------------- */

static void write_example(const char *path)
{
    anpe_h5 *f;
    const double theta[6] = {1, 2, 3, 4, 5, 6};
    const float row[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    const char *const labels[2] = {"teff", "logg"};
    const int64_t three_two[2] = {3, 2}, rows[2] = {0, 4};
    char *big = malloc(100001);
    memset(big, 'c', 100000);
    big[100000] = '\0';
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "sims/theta", ANPE_H5_DOUBLE, 2, three_two, theta));
    WORKS(anpe_h5_create_rows(ctx, f, "x", ANPE_H5_FLOAT, 2, rows));
    for (int k = 0; k < 3; k++)
        WORKS(anpe_h5_append_rows(ctx, f, "x", ANPE_H5_FLOAT, 2, row));
    WORKS(anpe_h5_put_texts(ctx, f, "sims/theta", "labels", 2, labels));
    WORKS(anpe_h5_put_text(ctx, f, "/", "configuration", big)); /* beyond HDF5's old 64 KiB */
    WORKS(anpe_h5_put_text(ctx, f, "/", "empty", ""));
    WORKS(anpe_h5_put_numbers(ctx, f, "/", "bounds", ANPE_H5_DOUBLE, 2, theta));
    WORKS(anpe_h5_write_texts(ctx, f, "names", 2, 4, "teffrv\0\0"));
    WORKS(anpe_h5_close(ctx, f));
    free(big);
}

static void test_hdf5_round_trip(void)
{
    anpe_h5 *f;
    int rank;
    int64_t shape[8], n;
    double theta[6], bounds[2];
    float rows[8];
    char **labels, *text;
    empty_scratch();
    write_example(in_scratch("a.h5"));
    CU_ASSERT_EQUAL(n_files(), 1);
    WORKS(anpe_h5_open(ctx, in_scratch("a.h5"), &f));
    CU_ASSERT(anpe_h5_has(f, "sims/theta") && anpe_h5_has(f, "sims") &&
              !anpe_h5_has(f, "no/theta"));
    CU_ASSERT(anpe_h5_has_attribute(f, "/", "bounds") && !anpe_h5_has_attribute(f, "q", "bounds"));
    WORKS(anpe_h5_shape(ctx, f, "x", &rank, shape));
    CU_ASSERT(rank == 2 && shape[0] == 6 && shape[1] == 4);
    WORKS(anpe_h5_read(ctx, f, "sims/theta", ANPE_H5_DOUBLE, 6, theta));
    CU_ASSERT(theta[0] == 1 && theta[5] == 6);
    WORKS(anpe_h5_read_rows(ctx, f, "x", ANPE_H5_FLOAT, 3, 2, 4, rows));
    CU_ASSERT(rows[0] == 4 && rows[3] == 7 && rows[4] == 0 && rows[7] == 3);
    WORKS(anpe_h5_get_texts(ctx, f, "sims/theta", "labels", &n, &labels));
    CU_ASSERT(n == 2 && !strcmp(labels[0], "teff") && !strcmp(labels[1], "logg"));
    anpe_h5_texts_free(n, labels);
    WORKS(anpe_h5_get_text(ctx, f, "/", "configuration", &text));
    CU_ASSERT_EQUAL(strlen(text), 100000);
    free(text);
    WORKS(anpe_h5_get_text(ctx, f, "/", "empty", &text));
    CU_ASSERT_STRING_EQUAL(text, "");
    free(text);
    WORKS(anpe_h5_get_numbers(ctx, f, "/", "bounds", ANPE_H5_DOUBLE, 2, bounds));
    CU_ASSERT_EQUAL(bounds[1], 2);
    WORKS(anpe_h5_close(ctx, f));
}

/* What was written before texts were of fixed length, and what others write. */
static void put_variable(hid_t file, const char *object, const char *name, int n,
                         const char *const *texts)
{
    const hsize_t dim = (hsize_t)n;
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &dim, NULL);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    const hid_t a =
        H5Acreate_by_name(file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(a >= 0 && H5Awrite(a, type, texts) >= 0);
    CU_ASSERT(set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) >= 0);
    H5Dclose(set);
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(type);
}

static void test_hdf5_variable_texts(void)
{
    static const char *const names[3] = {"teff", "", "a longer one, \xce\xb1"};
    char *got[3], **attribute, *one;
    int64_t n;
    anpe_h5 *f;
    empty_scratch();
    const hid_t file = H5Fcreate(in_scratch("old.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put_variable(file, "/", "names", 3, names);
    put_variable(file, "/", "one", 1, names + 2);
    H5Fclose(file);
    WORKS(anpe_h5_open(ctx, in_scratch("old.h5"), &f));
    WORKS(anpe_h5_get_texts(ctx, f, "/", "names", &n, &attribute));
    WORKS(anpe_h5_read_texts(ctx, f, "names", 3, got));
    WORKS(anpe_h5_get_text(ctx, f, "/", "one", &one));
    CU_ASSERT_EQUAL_FATAL(n, 3);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_STRING_EQUAL(attribute[i], names[i]);
        CU_ASSERT_STRING_EQUAL(got[i], names[i]);
        free(got[i]);
    }
    CU_ASSERT_STRING_EQUAL(one, names[2]);
    free(one);
    anpe_h5_texts_free(n, attribute);
    WORKS(anpe_h5_close(ctx, f));
}

static void test_hdf5_messages(void)
{
    anpe_h5 *f;
    double v[6];
    char *text;
    empty_scratch();
    write_example(in_scratch("a.h5"));
    WORKS(anpe_h5_open(ctx, in_scratch("a.h5"), &f));
    FAILS(anpe_h5_read(ctx, f, "sims/theta", ANPE_H5_DOUBLE, 5, v), ANPE_EFORMAT,
          "a.h5: dataset 'sims/theta' has 6 elements, expected 5");
    FAILS(anpe_h5_read(ctx, f, "namse", ANPE_H5_DOUBLE, 5, v), ANPE_EFORMAT,
          "no dataset 'namse'; did you mean 'names'?");
    FAILS(anpe_h5_read(ctx, f, "flux", ANPE_H5_DOUBLE, 5, v), ANPE_EFORMAT,
          "no dataset 'flux'; the file has names, sims, x");
    FAILS(anpe_h5_read(ctx, f, "names", ANPE_H5_DOUBLE, 2, v), ANPE_EFORMAT, "not hold numbers");
    FAILS(anpe_h5_read(ctx, f, "sims", ANPE_H5_DOUBLE, 2, v), ANPE_EFORMAT, "cannot open");
    FAILS(anpe_h5_read_rows(ctx, f, "x", ANPE_H5_FLOAT, 5, 2, 4, v), ANPE_EFORMAT, "has 6 rows");
    FAILS(anpe_h5_read_rows(ctx, f, "x", ANPE_H5_FLOAT, 0, 1, 3, v), ANPE_EFORMAT,
          "rows of 4 values, expected 3");
    FAILS(anpe_h5_get_text(ctx, f, "/", "nope", &text), ANPE_EFORMAT, "has no attribute 'nope'");
    FAILS(anpe_h5_get_text(ctx, f, "sims/theta", "labels", &text), ANPE_EFORMAT, "one text");
    FAILS(anpe_h5_get_text(ctx, f, "/", "bounds", &text), ANPE_EFORMAT, "is not text");
    FAILS(anpe_h5_get_numbers(ctx, f, "/", "bounds", ANPE_H5_DOUBLE, 3, v), ANPE_EFORMAT,
          "has 2 values, expected 3");
    WORKS(anpe_h5_close(ctx, f));
    FAILS(anpe_h5_open(ctx, in_scratch("no.h5"), &f), ANPE_EIO, "No such file or directory");
    FAILS(anpe_h5_open(ctx, scratch, &f), ANPE_EIO, "not a regular file");
    write_bytes(in_scratch("b.h5"), "not HDF5 at all", 15);
    FAILS(anpe_h5_open(ctx, in_scratch("b.h5"), &f), ANPE_EFORMAT, "not an HDF5 file");
    FAILS(anpe_h5_create(ctx, in_scratch("no/a.h5"), &f), ANPE_EIO, "No such file or directory");
}

static void test_hdf5_truncated(void)
{
    size_t n;
    anpe_h5 *f;
    empty_scratch();
    write_example(in_scratch("a.h5"));
    char *bytes = read_bytes(in_scratch("a.h5"), &n);
    for (size_t cut = 0; cut < n; cut += n / 23) {
        write_bytes(in_scratch("b.h5"), bytes, cut);
        FAILS(anpe_h5_open(ctx, in_scratch("b.h5"), &f), ANPE_EFORMAT,
              cut ? "HDF5 file" : "the file is empty");
    }
    free(bytes);
}

static void test_hdf5_same_bytes(void)
{
    size_t n, m;
    empty_scratch();
    write_example(in_scratch("a.h5"));
    sleep(1); /* a timestamp would differ */
    write_example(in_scratch("b.h5"));
    char *a = read_bytes(in_scratch("a.h5"), &n), *b = read_bytes(in_scratch("b.h5"), &m);
    CU_ASSERT(n == m && !memcmp(a, b, n));
    free(a);
    free(b);
}

/* A file-size limit stands for a full disk: writes beyond it fail. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_hdf5_full_disk(void)
{
    enum { N = 1 << 18 };
    double *x = calloc(N, sizeof *x);
    const int64_t shape = N, rows[2] = {0, 1024};
    anpe_h5 *f;
    empty_scratch();
    for (int chunked = 0; chunked < 2; chunked++) {
        WORKS(anpe_h5_create(ctx, in_scratch("full.h5"), &f));
        limit_file_size(100000);
        anpe_status status = ANPE_OK;
        if (chunked) {
            WORKS(anpe_h5_create_rows(ctx, f, "x", ANPE_H5_DOUBLE, 2, rows));
            for (int k = 0; k < 100 && !status; k++)
                status = anpe_h5_append_rows(ctx, f, "x", ANPE_H5_DOUBLE, N / 1024, x);
        } else {
            status = anpe_h5_write(ctx, f, "x", ANPE_H5_DOUBLE, 1, &shape, x);
        }
        FAILS(status ? status : anpe_h5_close(ctx, f), ANPE_EIO, "File too large");
        if (status)
            anpe_h5_abandon(f);
        limit_file_size(RLIM_INFINITY);
        CU_ASSERT_EQUAL(n_files(), 0);
    }
    free(x);
    write_example(in_scratch("after.h5")); /* the library is still usable */
}

/* ---- chunks ------------------------------------------------------------------------------ */

/* A filter that changes nothing and counts the chunks that are read through it. */
static int n_decoded;
enum { COUNTING = 300 };

static size_t count_chunks(unsigned flags, size_t n_values, const unsigned *values, size_t n,
                           size_t *size, void **bytes)
{
    (void)n_values;
    (void)values;
    (void)size;
    (void)bytes;
    n_decoded += (flags & H5Z_FLAG_REVERSE) != 0;
    return n;
}

/* Elements count up from 0 (masks: modulo 2), in chunks (rows, columns) behind the filter. */
static void put_chunked(hid_t file, const char *name, hid_t type, const hsize_t *dims,
                        const hsize_t *chunk)
{
    const size_t n = (size_t)(dims[0] * dims[1]);
    const int mask = H5Tequal(type, H5T_STD_U8LE) > 0;
    double *v = malloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = mask ? (double)(i / 7 % 2) : (double)i;
    const hid_t space = H5Screate_simple(2, dims, NULL), dcpl = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(dcpl, 2, chunk);
    H5Pset_filter(dcpl, COUNTING, H5Z_FLAG_MANDATORY, 0, NULL);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    CU_ASSERT(set >= 0 && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) >= 0);
    H5Dclose(set);
    H5Pclose(dcpl);
    H5Sclose(space);
    free(v);
}

static hid_t new_chunked(const char *path)
{
    static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, COUNTING, 1,    1,
                                        "counting",       NULL,     NULL, count_chunks};
    CU_ASSERT(H5Zregister(&filter) >= 0);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(file >= 0);
    return file;
}

/* Rows that lie in 128 chunks of 16 KB each, more than HDF5 keeps: each is read once for all rows,
 * not once for each. */
static void test_chunks_of_spectra(void)
{
    enum { N = 128, P = 8192 };
    static const hsize_t dims[] = {N, P}, chunk[] = {64, 64};
    const anpe_instrument_info plain = {.n_pixels = P, .channels = 1};
    anpe_spectra_file *file;
    anpe_spectrum s = {.n_pixels = P};
    int64_t wrong = 0;
    empty_scratch();
    const hid_t h5 = new_chunked(in_scratch("s.h5"));
    put_chunked(h5, "flux", H5T_IEEE_F32LE, dims, chunk);
    put_chunked(h5, "sigma", H5T_IEEE_F64LE, dims, chunk);
    put_chunked(h5, "mask", H5T_STD_U8LE, dims, chunk);
    H5Fclose(h5);
    s.flux = malloc(P * sizeof *s.flux);
    s.sigma = malloc(P * sizeof *s.sigma);
    s.mask = malloc(P);
    WORKS(anpe_spectra_file_open(ctx, in_scratch("s.h5"), &file));
    n_decoded = 0;
    for (int64_t row = 0; row < N; row++) {
        WORKS(anpe_spectra_file_read(ctx, file, row, &plain, &s));
        for (int64_t p = 0; p < P; p++) {
            const int64_t i = row * P + p;
            wrong += s.flux[p] != (float)i || s.sigma[p] != (float)i || s.mask[p] != i / 7 % 2;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(n_decoded, 3 * (N / 64) * (P / 64));
    anpe_spectra_file_close(file);
    free(s.flux);
    free(s.sigma);
    free(s.mask);
}

/* Groups of rows, as training streams them, of every type; and a chunk of more rows than are kept.
 */
static void test_chunks_of_rows(void)
{
    enum { N = 1200, P = 8192, GROUP = 16 };
    static const hsize_t dims[] = {N, P}, chunk[] = {N, P / 16}, few[] = {64, P},
                         small[] = {32, 64};
    double *v = malloc(GROUP * P * sizeof *v);
    int64_t *whole = malloc(GROUP * P * sizeof *whole), wrong = 0;
    anpe_h5 *f;
    empty_scratch();
    const hid_t h5 = new_chunked(in_scratch("r.h5"));
    put_chunked(h5, "tall", H5T_IEEE_F32LE, dims, chunk);
    put_chunked(h5, "small", H5T_STD_I32BE, few, small);
    H5Fclose(h5);
    WORKS(anpe_h5_open(ctx, in_scratch("r.h5"), &f));
    n_decoded = 0;
    for (int64_t row = 0; row < N; row += GROUP) {
        WORKS(anpe_h5_read_rows(ctx, f, "tall", ANPE_H5_DOUBLE, row, GROUP, P, v));
        for (int64_t i = 0; i < GROUP * P; i++)
            wrong += v[i] != (double)(row * P + i);
    }
    CU_ASSERT_EQUAL(n_decoded, 2 * 16); /* 1024 rows are 32 MiB, 176 are left */
    n_decoded = 0;
    for (int64_t row = 48; row >= 0; row -= GROUP) {
        WORKS(anpe_h5_read_rows(ctx, f, "small", ANPE_H5_INT64, row, GROUP, P, whole));
        for (int64_t i = 0; i < GROUP * P; i++)
            wrong += whole[i] != row * P + i;
    }
    CU_ASSERT_EQUAL(n_decoded, 2 * 128);
    WORKS(anpe_h5_read_rows(ctx, f, "small", ANPE_H5_DOUBLE, 30, 4, P, v)); /* over an edge */
    for (int64_t i = 0; i < 4 * P; i++)
        wrong += v[i] != (double)(30 * P + i);
    CU_ASSERT_EQUAL(wrong, 0);
    WORKS(anpe_h5_close(ctx, f));
    free(v);
    free(whole);
}

/* More datasets than stay open, written and read again in turn. */
static void test_open_sets(void)
{
    enum { SETS = 40, ROUNDS = 5 };
    const int64_t shape[] = {0, 3};
    char name[16];
    double row[3], got[3];
    int64_t wrong = 0;
    anpe_h5 *f;
    empty_scratch();
    WORKS(anpe_h5_create(ctx, in_scratch("many.h5"), &f));
    for (int round = 0; round <= ROUNDS; round++)
        for (int k = 0; k < SETS; k++) {
            snprintf(name, sizeof name, "set%d", k);
            for (int i = 0; i < 3; i++)
                row[i] = 100 * round + k + 0.25 * i;
            if (round == 0)
                WORKS(anpe_h5_create_rows(ctx, f, name, ANPE_H5_DOUBLE, 2, shape));
            WORKS(anpe_h5_append_rows(ctx, f, name, ANPE_H5_DOUBLE, 1, row));
            WORKS(anpe_h5_read_rows(ctx, f, name, ANPE_H5_DOUBLE, round, 1, 3, got));
            wrong += memcmp(row, got, sizeof row) != 0;
        }
    CU_ASSERT(H5Fget_obj_count(anpe_h5_id(f), H5F_OBJ_DATASET) > 1); /* they stay open */
    CU_ASSERT(H5Fget_obj_count(anpe_h5_id(f), H5F_OBJ_DATASET) < SETS);
    WORKS(anpe_h5_remove(ctx, f, "set3"));
    FAILS(anpe_h5_append_rows(ctx, f, "set3", ANPE_H5_DOUBLE, 1, row), ANPE_EFORMAT, "no dataset");
    WORKS(anpe_h5_close(ctx, f));
    WORKS(anpe_h5_open(ctx, in_scratch("many.h5"), &f));
    for (int k = 4; k < SETS; k++) {
        snprintf(name, sizeof name, "set%d", k);
        WORKS(anpe_h5_read_rows(ctx, f, name, ANPE_H5_DOUBLE, ROUNDS, 1, 3, got));
        wrong += got[0] != 100 * ROUNDS + k || got[2] != got[0] + 0.5;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    WORKS(anpe_h5_close(ctx, f));
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"an output appears when it is whole", test_output_appears},
        {"an output follows a link", test_output_follows_link},
        {"output follows a link to nothing", test_output_follows_open_link},
        {"output keeps permissions", test_output_keeps_mode},
        {"outputs: all or none", test_output_all_or_none},
        {"output differs", test_output_differs},
        {"impossible outputs are refused", test_output_refused},
        {"HDF5 round trip", test_hdf5_round_trip},
        {"HDF5 texts of variable length", test_hdf5_variable_texts},
        {"HDF5 messages", test_hdf5_messages},
        {"HDF5 truncated", test_hdf5_truncated},
        {"HDF5 equal bytes", test_hdf5_same_bytes},
        {"HDF5 full disk", test_hdf5_full_disk},
        {"chunks of spectra are read once", test_chunks_of_spectra},
        {"chunks of rows are read once", test_chunks_of_rows},
        {"datasets stay open", test_open_sets},
    };
    signal(SIGXFSZ, SIG_IGN);
    anpe_h5_own_process(); /* files that could not be written stay open */
    return run_suite(argc, argv, "files", COUNT(tests), tests);
}
