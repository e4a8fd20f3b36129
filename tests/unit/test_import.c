/* anpe import: what it makes of published files, and what it refuses. */
#include <config.h>
#include "emulator_support.h"

/* --range says where labels may be, not what they are scaled with: dense, per pixel and, in HDF5,
 * ThePayne's. The spectra do not change, and nothing is wider than the file's own range. */
static void test_range(void)
{
    static const struct {
        int n;
        const part *parts;
    } kinds[] = {{N_DENSE, dense}, {N_PER_PIXEL, per_pixel}};
    const double theta[] = {0.3, 0.6}, outside[] = {0.2, 0.6};
    float whole[37], narrow[37];
    anpe_emulator e;
    emulated m;
    for (int k = 0; k < 2; k++) {
        anpe_import_request r = small_request(make_published("p.h5", kinds[k].n, kinds[k].parts));
        open_emulator(&r, NULL, &m);
        CU_ASSERT(m.info.labels[0].min == 0 && m.info.labels[1].max == 1);
        WORKS(subject_simulate(&m.s, 1, theta, whole));
        subject_clear(&m.s);
        r.range = "0.25:0.5,0.125:1.0000001";
        open_emulator(&r, NULL, &m);
        CU_ASSERT(m.info.labels[0].min == 0.25 && m.info.labels[0].max == 0.5);
        CU_ASSERT(m.info.labels[1].min == 0.125 && m.info.labels[1].max == 1);
        WORKS(subject_simulate(&m.s, 1, theta, narrow));
        CU_ASSERT(!memcmp(whole, narrow, sizeof whole));
        FAILS(subject_simulate(&m.s, 1, outside, narrow), ANPE_EINVAL,
              "payne: label teff outside [0.25, 0.5]: 0.2");
        subject_clear(&m.s);
        r.range = "0:1,-0.5:1";
        FAILS(anpe_import(ctx, &r, &e), ANPE_EINVAL,
              "--range: '-0.5:1' of label logg is wider than [0, 1], where ");
        anpe_emulator_clear(&e);
        r.range = "nan:1,0:1"; /* was the file's, in silence */
        FAILS(anpe_import(ctx, &r, &e), ANPE_EINVAL, "--range: 'nan:1' of label teff is not");
        anpe_emulator_clear(&e);
    }
}

/* Emulators of earlier versions have one pair of numbers for both. */
static void test_old_emulator(void)
{
    const double theta[] = {0.3, 0.6};
    float now[37], then[37];
    char text[600];
    anpe_emulator e;
    emulated m;
    int n = 0;
    anpe_import_request r = small_request(make_published("p.h5", N_DENSE, dense));
    open_emulator(&r, NULL, &m);
    WORKS(subject_simulate(&m.s, 1, theta, now));
    subject_clear(&m.s);
    WORKS(anpe_import(ctx, &r, &e));
    for (int i = 0; i < e.n_arrays; i++) /* without a scaling, the writer stores the one pair */
        if (e.arrays[i].name[0] == 'x')
            free(e.arrays[i].v);
        else
            e.arrays[n++] = e.arrays[i];
    e.n_arrays = n;
    WORKS(anpe_emulator_write(ctx, &e, in_scratch("old.h5")));
    anpe_emulator_clear(&e);
    snprintf(text, sizeof text, "plugin = \"payne\"; file = \"%s\";", in_scratch("old.h5"));
    WORKS(simulator_new(text, &m));
    CU_ASSERT(m.info.labels[0].min == 0 && m.info.labels[1].max == 1);
    WORKS(subject_simulate(&m.s, 1, theta, then));
    CU_ASSERT(!memcmp(now, then, sizeof now));
    subject_clear(&m.s);
}

/* The published network of five labels, with the range that once changed its flux by 0.13. */
static void test_published_range(void)
{
    const double theta[] = {4800, 2.5, -0.2, 0.1, 4};
    const char *path = shared_file("data/emulators/apogee_5label_perpixel.npz");
    float *flux[2] = {calloc(7214, sizeof(float)), calloc(7214, sizeof(float))};
    emulated m;
    for (int narrow = 0; path && narrow < 2; narrow++) {
        const anpe_import_request r = {.model = "payne",
                                       .file = path,
                                       .grid = "apogee",
                                       .labels = "teff,logg,fe_h,mg_fe,vmacro",
                                       .range =
                                           narrow ? "4000:6000,1.5:4.5,-0.8:0.3,0:0.4,2:10" : "",
                                       .out = in_scratch("range.h5")};
        open_emulator(&r, NULL, &m);
        WORKS(subject_simulate(&m.s, 1, theta, flux[narrow]));
        CU_ASSERT(m.info.labels[0].min == (narrow ? 4000 : m.info.labels[0].min));
        subject_clear(&m.s);
    }
    CU_ASSERT(!memcmp(flux[0], flux[1], 7214 * sizeof(float)));
    if (!path)
        printf("(skipped: no shared data) ");
    free(flux[0]);
    free(flux[1]);
}

/* Networks of both kinds hand out the scatter that they were imported with, or none. */
static void test_scatter(void)
{
    static const struct {
        int n;
        const part *parts;
    } kinds[] = {{N_DENSE, dense}, {N_PER_PIXEL, per_pixel}};
    char text[37 * 8] = "";
    for (int i = 0; i < 37; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.3f\n", 0.001 * i);
    for (int k = 0; k < 2; k++) {
        emulated m;
        anpe_import_request r = small_request(make_published("p.h5", kinds[k].n, kinds[k].parts));
        open_emulator(&r, NULL, &m);
        CU_ASSERT_PTR_NULL(m.info.scatter);
        subject_clear(&m.s);
        r.scatter = in_scratch("s.txt");
        write_bytes(r.scatter, text, strlen(text));
        r.out = in_scratch("small.h5");
        open_emulator(&r, NULL, &m);
        CU_ASSERT_FATAL(m.info.scatter != NULL);
        for (int i = 0; i < 37; i++)
            CU_ASSERT_EQUAL(m.info.scatter[i], (float)(0.001 * i));
        subject_clear(&m.s);
    }
}

static void test_grid(void)
{
    static const part whole[] = {{"x_min", 1, {1}},
                                 {"x_max", 1, {1}},
                                 {"w_array_0", 2, {8575, 1}},
                                 {"b_array_0", 1, {8575}}};
    emulated m;
    anpe_h5 *f = NULL;
    static double v[8575];
    const char *path = in_scratch("grid.h5");
    WORKS(anpe_h5_create(ctx, path, &f));
    for (int i = 0; i < 4; i++) {
        v[0] = i == 1;
        WORKS(
            anpe_h5_write(ctx, f, whole[i].key, ANPE_H5_DOUBLE, whole[i].rank, whole[i].shape, v));
    }
    WORKS(anpe_h5_close(ctx, f));
    open_emulator(&(anpe_import_request){.model = "payne",
                                         .file = path,
                                         .out = in_scratch("e.h5"),
                                         .labels = "teff",
                                         .grid = "apogee"},
                  NULL, &m);
    CU_ASSERT_EQUAL_FATAL(m.info.n_pixels, 8575);
    CU_ASSERT(m.info.on_grid && m.info.resolution == 22500 && m.info.normalised);
    CU_ASSERT_DOUBLE_EQUAL(m.info.wavelength[8574], pow(10, 4.179 + 6e-6 * 8574), 1e-9);
    subject_clear(&m.s);
    const char *published = shared_file("data/apogee/apogee_wavelength.npz");
    const char *network = shared_file("data/emulators/apogee_5label_perpixel.npz");
    if (!published || !network) {
        printf(" partly skipped: no data/apogee ");
        return;
    }
    int64_t n;
    double *w = read_whole(published, "", &n), worst = 0;
    open_emulator(&(anpe_import_request){.model = "payne",
                                         .file = network,
                                         .out = in_scratch("e.h5"),
                                         .labels = FIVE,
                                         .grid = "apogee"},
                  NULL, &m);
    CU_ASSERT_EQUAL_FATAL(n, m.info.n_pixels);
    for (int64_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(m.info.wavelength[i] / w[i] - 1));
    CU_ASSERT(worst < 1e-9);
    free(w);
    subject_clear(&m.s);
}

static anpe_status try_import(const anpe_import_request *r)
{
    anpe_emulator e;
    const anpe_status status = anpe_import(ctx, r, &e);
    anpe_emulator_clear(&e);
    return status;
}

/* One array of the small dense emulator left out or of another shape. */
static void test_import_shapes(void)
{
    static const struct {
        int index;
        part part;
        const char *message;
    } bad[] = {
        {0, {"nothing", 1, {2}}, "no array 'x_min'"},
        {2, {"nothing", 1, {2}}, "no array 'w_array_0'"},
        {4, {"nothing", 1, {2}}, "no array 'w_array_1'"},
        {5, {"nothing", 1, {2}}, "no array 'b_array_1'"},
        {1, {"x_max", 1, {3}}, "x_max has shape (3), expected (2); as x_min"},
        {0, {"x_min", 2, {2, 1}}, "x_min has shape (2, 1), expected (*)"},
        {2, {"w_array_0", 2, {7, 3}}, "w_array_0 has shape (7, 3), expected (*, 2); x_min has 2"},
        {4,
         {"w_array_1", 2, {5, 6}},
         "w_array_1 has shape (5, 6), expected (*, 7); w_array_0 gives 7 values"},
        {5,
         {"b_array_1", 1, {6}},
         "b_array_1 has shape (6), expected (5); w_array_1 gives 5 values"},
        {6, {"w_array_2", 1, {5}}, "w_array_2 has shape (5), expected (*, 5)"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        part parts[N_DENSE];
        memcpy(parts, dense, sizeof parts);
        parts[bad[i].index] = bad[i].part;
        const anpe_import_request r = small_request(make_published("bad.h5", N_DENSE, parts));
        unlink(r.out);
        FAILS(try_import(&r), ANPE_EFORMAT, bad[i].message);
        CU_ASSERT(access(r.out, F_OK) != 0);
    }
    part parts[N_PER_PIXEL];
    memcpy(parts, per_pixel, sizeof parts);
    parts[4] = (part){"w_array_1", 2, {37, 5}};
    const anpe_import_request r = small_request(make_published("bad.h5", N_PER_PIXEL, parts));
    FAILS(try_import(&r), ANPE_EFORMAT,
          "w_array_1 has shape (37, 5), expected (37, 4); w_array_0 has 37 pixels and 4 hidden");
}

static void test_import_requests(void)
{
    anpe_import_request r = small_request(make_published("p.h5", N_DENSE, dense));
    char w37[512], pivots[512], list[1024] = "";
    const struct {
        const char **field, *value, *message;
    } bad[] = {
        {&r.labels, "teff", "--labels gives 1, but "},
        {&r.labels, NULL, "give them with --labels"},
        {&r.labels, "teff,teff", "label 'teff' is given twice"},
        {&r.labels, "teff,Log g", "label 2 of 'teff,Log g'"},
        {&r.units, "K", "--units gives 1"},
        {&r.range, "0:1", "--range gives 1"},
        {&r.range, "0:1,2", "'2' of label logg is not MIN:MAX"},
        {&r.range, "1:0,0:1", "label teff has the empty range [1, 0]"},
        {&r.activation, "tanh", "'tanh' is not known; known are leaky_relu, relu, sigmoid"},
        {&r.grid, "boss", "'boss' is not known; known is apogee"},
        {&r.grid, "apogee",
         "the emulator has 37 pixels: --grid apogee:1: apogee: option 'grid' = 37 is outside"},
        {&r.out, "/tmp/emulator.dat", "must end in .h5"},
        {&r.file, "emulator.fits", "is a .npz or .h5 file"},
        {&r.file, "absent.npz", "absent.npz"},
        {&r.wavelength, w37, "expected (37); the emulator has 37 pixels"},
        {&r.model, "cannon", "--pivots"},
        {&r.model, "spectrum", "known are payne and cannon"},
    };
    snprintf(w37, sizeof w37, "%s", in_scratch("w.txt"));
    write_bytes(w37, "1 2 3\n", 6);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *keep = *bad[i].field;
        *bad[i].field = bad[i].value;
        const anpe_status status = try_import(&r);
        CU_ASSERT_NOT_EQUAL(status, ANPE_OK);
        if (!status || !strstr(anpe_error(ctx), bad[i].message)) {
            printf("\n  message: %s\n  wanted:  %s\n", anpe_error(ctx), bad[i].message);
            CU_FAIL("message");
        }
        *bad[i].field = keep;
    }
    for (int i = 0; i < 37; i++)
        snprintf(list + strlen(list), 20, "%d\n", i == 20 ? 5 : 5000 + i);
    write_bytes(w37, list, strlen(list));
    r.wavelength = w37;
    FAILS(try_import(&r), ANPE_EFORMAT, "do not ascend at pixel 20: 5019, 5");
    /* a Cannon model whose coefficients do not fit its labels, or its terms */
    snprintf(pivots, sizeof pivots, "%s", in_scratch("pivots.txt"));
    write_bytes(pivots, "5000\n2\n", 7);
    write_bytes(w37, "1 2 3\n4 5 6\n", 12);
    r = (anpe_import_request){.model = "cannon",
                              .file = w37,
                              .pivots = pivots,
                              .labels = "teff,logg",
                              .out = in_scratch("small.h5")};
    FAILS(try_import(&r), ANPE_EFORMAT, "2 labels make 6 terms");
    r.terms = "teff^2 log";
    FAILS(try_import(&r), ANPE_EINVAL, "'log' is not one of the labels");
    r.terms = "teff^x";
    FAILS(try_import(&r), ANPE_EINVAL, "'teff^x' is not LABEL or LABEL^POWER");
    r.terms = "teff^2"; /* with the constant two terms: (2, 3) */
    WORKS(try_import(&r));
}

/* Coefficients stored the other way round give the same spectra, also with scales. */
static void test_cannon_layouts(void)
{
    static const char *const files[2] = {"1 2 3\n10 20 30\n0.5 0.25 0.125\n4 5 6\n",
                                         "1 10 0.5 4\n2 20 0.25 5\n3 30 0.125 6\n"};
    const double theta[2] = {5200, 1.5};
    const double a = 200 / 100.0, g = -0.5 / 2,
                 expected[3] = {1 + 10 * a + 0.5 * g + 4 * a * a * g,
                                2 + 20 * a + 0.25 * g + 5 * a * a * g,
                                3 + 30 * a + 0.125 * g + 6 * a * a * g};
    write_bytes(in_scratch("pivots.txt"), "5000 2\n", 7);
    write_bytes(in_scratch("scales.txt"), "100 2\n", 6);
    for (int i = 0; i < 2; i++) {
        emulated m;
        float flux[3];
        char c[512], pivots[512], scales[512];
        snprintf(c, sizeof c, "%s", in_scratch("c.txt"));
        snprintf(pivots, sizeof pivots, "%s", in_scratch("pivots.txt"));
        snprintf(scales, sizeof scales, "%s", in_scratch("scales.txt"));
        write_bytes(c, files[i], strlen(files[i]));
        open_emulator(&(anpe_import_request){.model = "cannon",
                                             .file = c,
                                             .pivots = pivots,
                                             .scale = scales,
                                             .labels = "teff,logg",
                                             .terms = "teff logg teff^2*logg",
                                             .range = "4000:6000,0:5",
                                             .out = in_scratch("small.h5")},
                      NULL, &m);
        WORKS(subject_simulate(&m.s, 1, theta, flux));
        for (int p = 0; p < 3; p++)
            CU_ASSERT_DOUBLE_EQUAL(flux[p], expected[p], 6.1e-8 * fabs(expected[p]));
        const double outside[2] = {5200, 5.5};
        FAILS(subject_simulate(&m.s, 1, outside, flux), ANPE_EINVAL,
              "cannon: label logg outside [0, 5]: 5.5");
        subject_clear(&m.s);
    }
}

/* Files that are not emulators, or of another kind. */
static void test_foreign_files(void)
{
    emulated m;
    char text[1200];
    const char *path = make_published("p.h5", N_DENSE, dense);
    snprintf(text, sizeof text, "plugin = \"payne\"; file = \"%s\";", path);
    FAILS(simulator_new(text, &m), ANPE_EFORMAT, "no attribute 'kind'");
    const anpe_import_request r = small_request(path);
    WORKS(try_import(&r));
    snprintf(text, sizeof text, "plugin = \"cannon\"; file = \"%s\";", r.out);
    FAILS(simulator_new(text, &m), ANPE_EFORMAT,
          "is an emulator of kind 'dense'; this takes cannon");
    snprintf(text, sizeof text, "plugin = \"payne\"; file = \"%s\";", in_scratch("absent.h5"));
    FAILS(simulator_new(text, &m), ANPE_EIO, "absent.h5");
    FAILS(simulator_new("plugin = \"payne\";", &m), ANPE_ECONFIG, "file");
    size_t n;
    char *bytes = read_bytes(r.out, &n);
    write_bytes(r.out, bytes, n / 2);
    free(bytes);
    snprintf(text, sizeof text, "plugin = \"payne\"; file = \"%s\";", r.out);
    CU_ASSERT_NOT_EQUAL(simulator_new(text, &m), ANPE_OK);
}

static const CU_TestInfo tests[] = {
    {"scatter", test_scatter},
    {"range", test_range},
    {"range of a published network", test_published_range},
    {"emulators of earlier versions", test_old_emulator},
    {"grids", test_grid},
    {"import: shapes", test_import_shapes},
    {"import: requests", test_import_requests},
    {"cannon layouts", test_cannon_layouts},
    {"foreign files", test_foreign_files},
};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "import", COUNT(tests), tests);
}
