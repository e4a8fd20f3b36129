/* Arrays of npz, npy, text and HDF5 files; damaged ones end in a message. */
#include <config.h>
#include "data_support.h"
#include "file/hdf5_file.h"
#include "file/npz.h"

#include <math.h>
#include <zip.h>

typedef struct member {
    const char *name, *descr, *order, *shape;
    const void *bytes;
    size_t size;
} member;

static size_t npy_bytes(uint8_t *out, const member *m, int version)
{
    char header[256];
    size_t start = version == 1 ? 10 : 12;
    int n = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n",
                     m->descr, m->order, m->shape);
    memcpy(out, "\x93NUMPY", 6);
    memset(out + 6, 0, 6);
    out[6] = (uint8_t)version;
    out[8] = (uint8_t)n;
    memcpy(out + start, header, (size_t)n);
    memcpy(out + start + n, m->bytes, m->size);
    return start + (size_t)n + m->size;
}

static void write_npz(const char *path, int n, const member *m)
{
    int code;
    static uint8_t bytes[16][1024];
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    CU_ASSERT_FATAL(z != NULL);
    for (int i = 0; i < n; i++) {
        char name[64];
        size_t size = npy_bytes(bytes[i], m + i, 1 + i % 3);
        snprintf(name, sizeof name, "%s.npy", m[i].name);
        zip_file_add(z, name, zip_source_buffer(z, bytes[i], size, 0), 0);
    }
    CU_ASSERT_EQUAL(zip_close(z), 0);
}

/* An array of the type given, in an archive and alone, reads as these n values. */
static void reads_as(const char *descr, const void *bytes, size_t size, int n, const double *want)
{
    char shape_text[16];
    uint8_t file[512];
    double *v;
    int rank;
    int64_t shape[4];
    snprintf(shape_text, sizeof shape_text, "(%d,)", n);
    const member m = {"v", descr, "False", shape_text, bytes, size};
    write_npz(in_scratch("one.npz"), 1, &m);
    write_bytes(in_scratch("one.npy"), file, npy_bytes(file, &m, 1));
    for (int alone = 0; alone < 2; alone++) {
        WORKS(anpe_array_read(ctx, in_scratch(alone ? "one.npy" : "one.npz"), NULL, &v, &rank,
                              shape));
        CU_ASSERT(rank == 1 && shape[0] == n);
        for (int k = 0; k < n; k++)
            CU_ASSERT(isnan(want[k]) ? isnan(v[k])
                                     : v[k] == want[k] && !signbit(v[k]) == !signbit(want[k]));
        free(v);
    }
}

static const double f8[6] = {1, 2, 3, 4, 5, -6.5};
static const float f4[6] = {1, 2, 3, 4, 5, -6.5f};
static const int64_t i8[2] = {-3, INT64_C(1) << 40};
static const int32_t i4[2] = {-3, 70000};
static const int16_t i2[2] = {-3, 3};
static const int8_t i1[2] = {-3, 3};
static const uint8_t u1[2] = {0, 1}, u8[16] = {0, 0, 0, 0, 0, 0, 0, 128, 2};
/* 1, -2, 65504 (the largest), 2^-24 (the smallest), infinity, -0; NaN has a test of its own */
static const uint16_t f2[6] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x8000};
static const uint8_t b8[16] = {0xc0, 0x1a, 0, 0, 0, 0, 0, 0, 0x3f, 0xf0}; /* -6.5, 1 */
static const uint8_t b4[8] = {0xc0, 0xd0, 0, 0, 0x3f, 0x80};              /* -6.5, 1 */
static const uint8_t b2[4] = {0x3c, 0x00, 0xc0, 0x00};                    /* 1, -2 */
static const uint8_t bi2[4] = {0xff, 0xfd, 0x01, 0x00};                   /* -3, 256 */
static const uint8_t nan2[4] = {0x01, 0x7e, 0x01, 0xfc};
static const member members[] = {
    {"f8", "<f8", "False", "(2, 3)", f8, sizeof f8},
    {"fortran", "<f8", "True", "(2, 3)", f8, sizeof f8},
    {"f4", "<f4", "False", "(6,)", f4, sizeof f4},
    {"i8", "<i8", "False", "(2,)", i8, sizeof i8},
    {"i4", "<i4", "False", "(2,)", i4, sizeof i4},
    {"i2", "<i2", "False", "(2,)", i2, sizeof i2},
    {"i1", "|i1", "False", "(2,)", i1, sizeof i1},
    {"b1", "|b1", "False", "(2,)", u1, sizeof u1},
    {"u8", "<u8", "False", "(2,)", u8, sizeof u8},
    {"scalar", "<f8", "False", "()", f8, 8},
    {"text", "<U9", "False", "(3,)", f8, 8},
    {"object", "|O", "False", "(3,)", f8, 8},
    {"quad", "<f16", "False", "(3,)", f8, sizeof f8},
    {"short", "<f8", "False", "(2, 4)", f8, sizeof f8},
    {"absurd", "<f8", "False", "(4611686018427387904, 16)", f8, sizeof f8},
    {"cube", "<f4", "True", "(1, 2, 3)", f4, sizeof f4},
};
enum { N_MEMBERS = sizeof members / sizeof members[0] };

static void test_npz_types(void)
{
    double *v;
    int rank;
    int64_t shape[4];
    const char *path = in_scratch("a.npz");
    static const struct {
        const char *key;
        double first, last;
    } pairs[] = {{"i8", -3, 1099511627776},
                 {"i4", -3, 70000},
                 {"i2", -3, 3},
                 {"i1", -3, 3},
                 {"b1", 0, 1},
                 {"u8", 9223372036854775808., 2}};
    empty_scratch();
    write_npz(path, N_MEMBERS, members);
    WORKS(anpe_array_read(ctx, path, "f8", &v, &rank, shape));
    CU_ASSERT(rank == 2 && shape[0] == 2 && shape[1] == 3 && !memcmp(v, f8, sizeof f8));
    free(v);
    /* Stored column by column: element (i, j) is at 2 j + i. */
    WORKS(anpe_array_read(ctx, path, "fortran", &v, &rank, shape));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            CU_ASSERT_EQUAL(v[3 * i + j], f8[2 * j + i]);
    free(v);
    WORKS(anpe_array_read(ctx, path, "cube", &v, &rank, shape));
    CU_ASSERT(rank == 3 && v[1] == f8[2] && v[3] == f8[1]);
    free(v);
    WORKS(anpe_array_read(ctx, path, "f4", &v, &rank, shape));
    CU_ASSERT(rank == 1 && shape[0] == 6 && v[5] == -6.5);
    free(v);
    WORKS(anpe_array_read(ctx, path, "scalar", &v, &rank, shape));
    CU_ASSERT(rank == 0 && v[0] == 1);
    free(v);
    for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++) {
        WORKS(anpe_array_read(ctx, path, pairs[k].key, &v, &rank, shape));
        CU_ASSERT(v[0] == pairs[k].first && v[1] == pairs[k].last);
        free(v);
    }
}

/* Half precision and the other order of bytes, as published networks and FITS columns have them. */
static void test_npy_spellings(void)
{
    const double halves[6] = {1, -2, 65504, 0x1p-24, INFINITY, -0.0};
    empty_scratch();
    reads_as("<f2", f2, sizeof f2, 6, halves);
    reads_as(">f2", b2, sizeof b2, 2, (double[]){1, -2});
    reads_as("<f2", nan2, sizeof nan2, 2, (double[]){NAN, NAN});
    reads_as(">f8", b8, sizeof b8, 2, (double[]){-6.5, 1});
    reads_as(">f4", b4, sizeof b4, 2, (double[]){-6.5, 1});
    reads_as(">i2", bi2, sizeof bi2, 2, (double[]){-3, 256});
}

static void test_npz_messages(void)
{
    double *v;
    int rank;
    int64_t shape[4];
    const char *path = in_scratch("a.npz");
    empty_scratch();
    write_npz(path, N_MEMBERS, members);
    FAILS(anpe_array_read(ctx, path, "text", &v, &rank, shape), ANPE_EFORMAT,
          "array 'text': holds '<U9', not numbers");
    FAILS(anpe_array_read(ctx, path, "object", &v, &rank, shape), ANPE_EFORMAT, "holds '|O'");
    FAILS(anpe_array_read(ctx, path, "quad", &v, &rank, shape), ANPE_EFORMAT, "holds '<f16'");
    FAILS(anpe_array_read(ctx, path, "short", &v, &rank, shape), ANPE_EFORMAT,
          "8 elements of 8 bytes do not fit its 48 bytes");
    FAILS(anpe_array_read(ctx, path, "absurd", &v, &rank, shape), ANPE_EFORMAT, "absurd");
    FAILS(anpe_array_read(ctx, path, "scalr", &v, &rank, shape), ANPE_EFORMAT,
          "no array 'scalr'; did you mean 'scalar'?");
    FAILS(anpe_array_read(ctx, path, NULL, &v, &rank, shape), ANPE_EFORMAT,
          "expected a single array, it has 16");
    FAILS(anpe_array_read(ctx, in_scratch("no.npz"), NULL, &v, &rank, shape), ANPE_EIO,
          "No such file or directory");
    write_npz(path, 1, members);
    WORKS(anpe_array_read(ctx, path, "", &v, &rank, shape));
    free(v);
}

/* Every cut and every single damaged byte ends in data or in a message, never in a crash, and a
 * damaged number is noticed by the archive's checksum. */
static void test_npz_damaged(void)
{
    double *v;
    int rank;
    int64_t shape[4];
    size_t n;
    empty_scratch();
    write_npz(in_scratch("a.npz"), 1, members);
    char *bytes = read_bytes(in_scratch("a.npz"), &n);
    for (size_t cut = 0; cut < n; cut++) {
        write_bytes(in_scratch("b.npz"), bytes, cut);
        FAILS(anpe_array_read(ctx, in_scratch("b.npz"), "f8", &v, &rank, shape), ANPE_EFORMAT,
              "b.npz: ");
    }
    for (size_t at = 0; at < n; at++) {
        bytes[at] = (char)(bytes[at] ^ 0x55);
        write_bytes(in_scratch("b.npz"), bytes, n);
        v = NULL;
        if (!anpe_array_read(ctx, in_scratch("b.npz"), "f8", &v, &rank, shape))
            CU_ASSERT(!memcmp(v, f8, sizeof f8));
        free(v);
        bytes[at] = (char)(bytes[at] ^ 0x55);
    }
    free(bytes);
}

static void write_sets(const char *path)
{
    anpe_h5 *f;
    const double theta[6] = {1, 2, 3, 4, 5, 6};
    const int64_t three_two[2] = {3, 2};
    WORKS(anpe_h5_create(ctx, path, &f));
    WORKS(anpe_h5_write(ctx, f, "sims/theta", ANPE_H5_DOUBLE, 2, three_two, theta));
    WORKS(anpe_h5_write(ctx, f, "x", ANPE_H5_DOUBLE, 2, three_two, theta));
    WORKS(anpe_h5_write(ctx, f, "y", ANPE_H5_DOUBLE, 2, three_two, theta));
    WORKS(anpe_h5_close(ctx, f));
}

static void test_npy_file(void)
{
    uint8_t bytes[1024];
    double *v;
    int rank;
    int64_t shape[4];
    empty_scratch();
    for (int version = 1; version <= 3; version++) {
        size_t n = npy_bytes(bytes, members, version);
        write_bytes(in_scratch("a.npy"), bytes, n);
        WORKS(anpe_array_read(ctx, in_scratch("a.npy"), NULL, &v, &rank, shape));
        CU_ASSERT(rank == 2 && !memcmp(v, f8, sizeof f8));
        free(v);
        for (size_t cut = 0; cut < n; cut++) {
            write_bytes(in_scratch("a.npy"), bytes, cut);
            FAILS(anpe_array_read(ctx, in_scratch("a.npy"), NULL, &v, &rank, shape), ANPE_EFORMAT,
                  "a.npy: ");
        }
    }
}

static void test_other_arrays(void)
{
    double *v;
    int rank;
    int64_t shape[4];
    empty_scratch();
    write_bytes(in_scratch("a.txt"), "# two columns\n1 2e3\n\n nan,-4 # end\n", 35);
    WORKS(anpe_array_read(ctx, in_scratch("a.txt"), NULL, &v, &rank, shape));
    CU_ASSERT(rank == 2 && shape[0] == 2 && shape[1] == 2 && v[1] == 2000 && v[3] == -4);
    free(v);
    write_bytes(in_scratch("a.txt"), "1\n2\n3", 5);
    WORKS(anpe_array_read(ctx, in_scratch("a.txt"), NULL, &v, &rank, shape));
    CU_ASSERT(rank == 1 && shape[0] == 3 && v[2] == 3);
    free(v);
    write_bytes(in_scratch("a.txt"), "1 2\n3\n", 6);
    FAILS(anpe_array_read(ctx, in_scratch("a.txt"), NULL, &v, &rank, shape), ANPE_EFORMAT,
          "a.txt:2: 1 numbers, the lines above have 2");
    write_bytes(in_scratch("a.txt"), "1 2\n3 x4\n", 9);
    FAILS(anpe_array_read(ctx, in_scratch("a.txt"), NULL, &v, &rank, shape), ANPE_EFORMAT,
          "a.txt:2: 'x4' is not a number");
    write_bytes(in_scratch("a.txt"), "", 0);
    FAILS(anpe_array_read(ctx, in_scratch("a.txt"), NULL, &v, &rank, shape), ANPE_EFORMAT,
          "no numbers");
    write_bytes(in_scratch("a.txt"), "1\0 2", 4);
    FAILS(anpe_array_read(ctx, in_scratch("a.txt"), NULL, &v, &rank, shape), ANPE_EFORMAT,
          "not a text file");
    FAILS(anpe_array_read(ctx, scratch, NULL, &v, &rank, shape), ANPE_EIO, "Is a directory");
    write_sets(in_scratch("a.h5"));
    WORKS(anpe_array_read(ctx, in_scratch("a.h5"), "sims/theta", &v, &rank, shape));
    CU_ASSERT(rank == 2 && shape[0] == 3 && v[5] == 6);
    free(v);
    FAILS(anpe_array_read(ctx, in_scratch("a.h5"), NULL, &v, &rank, shape), ANPE_EFORMAT,
          "expected a single dataset, it has 3");
}

/* Published emulators, where they are at hand. */
static void test_published(void)
{
    const char *shared = getenv("ANPE_SHARED");
    char path[512];
    double *v;
    int rank;
    int64_t shape[4];
    snprintf(path, sizeof path, "%s/data/emulators/apogee_5label_perpixel.npz",
             shared ? shared : "");
    if (access(path, R_OK)) {
        printf("skipped, %s is absent ... ", path);
        return;
    }
    WORKS(anpe_array_read(ctx, path, "w_array_0", &v, &rank, shape));
    CU_ASSERT(rank == 3 && shape[0] == 7214 && shape[1] == 10 && shape[2] == 5);
    free(v);
    WORKS(anpe_array_read(ctx, path, "x_min", &v, &rank, shape));
    CU_ASSERT(rank == 1 && shape[0] == 5 && fabs(v[0] - 3884) < 1);
    free(v);
    snprintf(path, sizeof path, "%s/data/apogee/apogee_mask.npz", shared);
    WORKS(anpe_array_read(ctx, path, NULL, &v, &rank, shape));
    CU_ASSERT(shape[0] == 7214 && (v[0] == 0 || v[0] == 1));
    free(v);
    snprintf(path, sizeof path, "%s/data/apogee/giants_336x100.npz", shared);
    WORKS(anpe_array_read(ctx, path, "flux", &v, &rank, shape)); /* beside members of text */
    CU_ASSERT(rank == 2 && shape[0] == 336 && shape[1] == 100);
    free(v);
    snprintf(path, sizeof path, "%s/data/emulators/apogee_cannon_4label.txt", shared);
    WORKS(anpe_array_read(ctx, path, NULL, &v, &rank, shape));
    CU_ASSERT(rank == 2 && shape[0] == 15 && shape[1] == 7214 && v[0] == 9.732121221739937766e-01);
    free(v);
}

int main(int argc, char **argv)
{
    static const CU_TestInfo tests[] = {
        {"npz types and orders", test_npz_types},
        {"npz messages", test_npz_messages},
        {"npz damaged", test_npz_damaged},
        {"half precision, big-endian", test_npy_spellings},
        {"npy alone", test_npy_file},
        {"text and HDF5 arrays", test_other_arrays},
        {"published files", test_published},
    };
    return run_suite(argc, argv, "arrays", COUNT(tests), tests);
}
