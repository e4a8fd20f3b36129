/* Simulator `lte` through the loader, on atmospheres and lines made here. */
#include <config.h>
#include <math.h>
#include <unistd.h>
#include "plugin_support.h"
#include "file/hdf5_file.h"
#include "prepare/simulate.h"
#include "lte.h"

enum { LAYERS = 48 };

static const char lines[] =
    "'  26.000 '    1   2\n'Fe I'\n 6705.000  4.0 -1.5  -7.5  5.0 1E8 'x' 'x' 0 1 'Fe I'\n"
    " 6702.000  4.0 -2.5  -7.5  5.0 1E8 'x' 'x' 0 1 'Fe I'\n"
    "'  12.000 '    1   1\n'Mg I'\n 6708.000  5.1 -1.5  -7.2  5.0 1E8 'x' 'x' 0 1 'Mg I'\n"
    "'0106.001012 '  1   1\n'CH'\n 6711.000  1.0 -2.5  0.0  5.0 1E8 'x' 'x' 0 1 'CH'\n"
    "'0106.001013 '  1   1\n'CH'\n 6713.500  1.0 -2.0  0.0  5.0 1E8 'x' 'x' 0 1 'CH'\n";

/* erg/s/cm2/sr/A */
static double planck_of(double wavelength, double t)
{
    const double cm = 1e-8 * wavelength, hc = ANPE_LTE_PLANCK * ANPE_LTE_LIGHT;
    return 2e-8 * hc * ANPE_LTE_LIGHT / pow(cm, 5) / expm1(hc / (cm * ANPE_LTE_BOLTZMANN * t));
}

/* Grey models on 2 x 2 x 2 nodes as ATLAS decks. */
static void write_files(void)
{
    FILE *f = fopen(in_scratch("grid.dat"), "w");
    CU_ASSERT_FATAL(f != NULL);
    for (int node = 0; node < 8; node++) {
        const double teff = node & 1 ? 6000 : 5000, logg = node & 2 ? 4.5 : 4,
                     m_h = node & 4 ? 0 : -1;
        fprintf(f,
                "TEFF %.0f GRAVITY %.2f LTE\nTITLE t\nABUNDANCE SCALE %.5f ABUNDANCE CHANGE 1 0.92 "
                "2 0.078\n",
                teff, logg, pow(10, m_h));
        fprintf(f, "READ DECK6 %d RHOX,T,P,XNE,ABROSS,ACCRAD,VTURB\n", LAYERS);
        for (int i = 0; i < LAYERS; i++) {
            const double tau = pow(10, -5 + 0.15 * i), p = 1e5 * pow(10, -0.3 * m_h) *
                                                           pow(tau, 0.55) *
                                                           pow(10, 0.5 * (logg - 4.4));
            const double rhox = p * pow(10, -logg), t = teff * pow(0.75 * (tau + 0.667), 0.25);
            fprintf(f, "%.8E %.2f %.5E %.5E %.5E 0 0\n", rhox, t, p,
                    p * 1e-4 / (ANPE_LTE_BOLTZMANN * t), 0.55 * tau / rhox);
        }
    }
    fclose(f);
    write_bytes(in_scratch("a.list"), lines, strlen(lines));
}

static anpe_status rig_new(const char *options, rig *r)
{
    const anpe_simulator_setup setup = {sizeof setup, 6700, 6720, 0};
    char text[1024];
    write_files();
    snprintf(text, sizeof text,
             "plugin = \"lte\"; atmospheres = ({ file = \"%s/grid.dat\"; }); lists = ({ file = "
             "\"%s/a.list\"; }); %s",
             scratch, scratch, options);
    return rig_open(&setup, text, r);
}

/* Equivalent width (Angstrom) within 1 A of an air wavelength. */
static double width_at(const rig *r, double air)
{
    const double centre = anpe_air_to_vacuum(air);
    double sum = 0;
    for (int64_t i = 1; i + 1 < r->info.n_pixels; i++)
        if (fabs(r->info.wavelength[i] - centre) < 1)
            sum += (1 - (double)r->flux[i]) * 0.5 *
                   (r->info.wavelength[i + 1] - r->info.wavelength[i - 1]);
    return sum;
}

static void test_info(void)
{
    rig r;
    WORKS(rig_new("abundances = [\"mg_fe\", \"c_fe\"];", &r));
    CU_ASSERT_EQUAL_FATAL(r.info.n_labels, 6);
    CU_ASSERT_STRING_EQUAL(r.info.labels[4].name, "mg_fe");
    CU_ASSERT(r.info.normalised == 1 && r.info.on_grid == 0 && isinf(r.info.resolution));
    CU_ASSERT(r.info.labels[0].min == 5000 && r.info.labels[0].max == 6000);
    CU_ASSERT(r.info.labels[1].min == 4 && r.info.labels[1].max == 4.5);
    CU_ASSERT_DOUBLE_EQUAL(r.info.labels[2].min, -1, 1e-5);
    CU_ASSERT(r.info.wavelength[0] <= 6700 && r.info.wavelength[r.info.n_pixels - 1] >= 6720);
    rig_clear(&r);
}

static void test_refusals(void)
{
    static const struct {
        const char *options, *part;
    } bad[] = {
        {"free = [\"tef\"];", "unknown label 'tef'"},
        {"abundances = [\"xx_fe\"];", "'xx_fe' is none"},
        {"abundances = [\"fe_fe\"];", "'fe_fe' is none"},
        {"free = [\"fe_h\", \"m_h\"];", "labels fe_h and m_h are one"},
        {"abundances = [\"mg_fe\", \"mg_h\"];", "labels mg_fe and mg_h are one"},
        {"abundances = [\"fe_h\"];", "'fe_h' is none"},
        {"free = [];", "at least one label"},
        {"lambda_min = 6800; lambda_max = 6700;", "empty window"},
        {"lambda_min = 500; lambda_max = 1500;", "continuum is known from 2000"},
        {"windows = [6700, 6705, 6710];", "windows has 3 values; pairs"},
        {"windows = [6700, 6705, 6704, 6710];", "windows: 6704 after 6705"},
        {"windows = [6710, 6705];", "windows: 6705 after 6710"},
        {"windows = [1000, 6705];", "continuum is known from 2000"},
        {"windows = [6700.0, 6705.0, 6705.01, 6710.0];", "less than two pixels of 1 km/s apart"},
        {"windows = [6700, 6705]; lambda_min = 6700;", "windows and lambda_min"},
        {"step = 0.0001; fine = 0.05; lambda_min = 2000; lambda_max = 50000;", "too large"},
        {"hydrogen = \"/nonexistent/lemke\";", "/nonexistent/lemke"},
        {"hydrogen = \"/nonexistent/lemke\"; hydrogen_lines = false;",
         "hydrogen names a table and hydrogen_lines is false"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig r;
        const anpe_status status = rig_new(bad[i].options, &r);
        CU_ASSERT(status == ANPE_ECONFIG || status == ANPE_EIO);
        CU_ASSERT(strstr(anpe_error(ctx), bad[i].part) != NULL);
        if (!strstr(anpe_error(ctx), bad[i].part))
            printf(" '%s' ", anpe_error(ctx));
    }
}

static void test_domain(void)
{
    rig r;
    WORKS(
        rig_new("abundances = [\"c_fe\"]; free = [\"teff\", \"logg\", \"fe_h\", \"vmicro\"];", &r));
    double theta[10] = {5500, 4.2, -0.3, 1, 0, 7000, 4.2, -0.3, 1, 0};
    float *two = malloc(2 * (size_t)r.info.n_pixels * sizeof *two);
    FAILS(subject_simulate(&r.s, 2, theta, two), ANPE_EINVAL,
          "lte: label teff outside [5000, 6000]: 7000");
    theta[5] = 5500;
    theta[9] = NAN;
    FAILS(subject_simulate(&r.s, 2, theta, two), ANPE_EINVAL, "label c_fe outside");
    theta[9] = 0.5;
    FAILS(subject_simulate(&r.s, 2, theta, two), ANPE_EINVAL, "C/O = 1.74");
    theta[9] = 0.1;
    WORKS(subject_simulate(&r.s, 2, theta, two));
    rig_run(&r, theta + 5); /* alone or in a batch: the same bytes */
    CU_ASSERT_EQUAL(memcmp(two + r.info.n_pixels, r.flux, (size_t)r.info.n_pixels * sizeof *two),
                    0);
    free(two);
    rig_clear(&r);
}

static void test_labels(void)
{
    rig r;
    WORKS(rig_new("free = [\"teff\", \"logg\", \"fe_h\", \"vmicro\", \"alpha_fe\", \"c12_c13\"]; "
                  "abundances = [\"si_fe\"]; hydrogen_lines = false;",
                  &r));
    double theta[7] = {5500, 4.2, 0, 1, 0, 20, 0};
    rig_run(&r, theta);
    const double iron = width_at(&r, 6702), magnesium = width_at(&r, 6708),
                 c12 = width_at(&r, 6711), c13 = width_at(&r, 6713.5);
    CU_ASSERT(iron > 1e-3 && magnesium > 1e-3 && c12 > 1e-4);
    theta[5] = 10; /* 12C/13C: 20 -> 10 gives 21/11 of 13C */
    rig_run(&r, theta);
    CU_ASSERT_DOUBLE_EQUAL(width_at(&r, 6713.5) / c13, 21.0 / 11, 0.1);
    CU_ASSERT_DOUBLE_EQUAL(width_at(&r, 6702) / iron, 1, 1e-4);
    theta[4] = 0.3; /* alpha: magnesium up, iron little */
    rig_run(&r, theta);
    CU_ASSERT(width_at(&r, 6708) > 1.15 * magnesium);
    CU_ASSERT_DOUBLE_EQUAL(width_at(&r, 6702) / iron, 1, 0.2);
    theta[4] = 0;
    theta[2] = -0.5;
    rig_run(&r, theta);
    CU_ASSERT(width_at(&r, 6702) < 0.8 * iron && width_at(&r, 6708) < 0.9 * magnesium);
    theta[2] = 0;
    theta[0] = 5900; /* hotter: CH goes */
    rig_run(&r, theta);
    CU_ASSERT(width_at(&r, 6711) < 0.6 * c12);
    theta[0] = 5500;
    theta[3] = 2; /* microturbulence: strong line stronger */
    rig_run(&r, theta);
    const double broad = width_at(&r, 6705);
    theta[3] = 1;
    rig_run(&r, theta);
    CU_ASSERT(broad > 1.05 * width_at(&r, 6705));
    rig_clear(&r);
}

/* Pixels are averages of points: a coarse step keeps the width, X_h is X_fe + fe_h. */
static void test_pixels(void)
{
    rig a, b;
    WORKS(rig_new("free = [\"teff\"]; fe_h = -0.5; logg = 4.2; step = 0.8;", &a));
    WORKS(rig_new("free = [\"teff\"]; fe_h = -0.5; logg = 4.2; step = 4;", &b));
    rig_run(&a, (double[]){5500});
    rig_run(&b, (double[]){5500});
    CU_ASSERT(b.info.n_pixels * 4 < a.info.n_pixels);
    CU_ASSERT_DOUBLE_EQUAL(width_at(&b, 6705) / width_at(&a, 6705), 1, 5e-3);
    rig_clear(&b);
    WORKS(rig_new("free = [\"teff\", \"mg_h\"]; fe_h = -0.5; logg = 4.2; step = 0.8;", &b));
    rig_run(&b, (double[]){5500, -0.5});
    CU_ASSERT_EQUAL(memcmp(a.flux, b.flux, (size_t)a.info.n_pixels * sizeof *a.flux), 0);
    rig_run(&b, (double[]){5500, 0});
    CU_ASSERT(width_at(&b, 6708) > 1.2 * width_at(&a, 6708));
    rig_clear(&a);
    rig_clear(&b);
}

/* Windows are what each of them is alone, and so are their lines. */
static void test_windows(void)
{
    static const char *const alone[2] = {"lambda_min = 6703; lambda_max = 6707;",
                                         "lambda_min = 6709; lambda_max = 6715;"};
    const char *const labels = "free = [\"teff\"]; fe_h = -0.5; logg = 4.2; step = 2;";
    enum { ROOM = 8 };
    anpe_simulator_line line[ROOM], one[ROOM];
    int64_t n = 0, at = 0, all = 0, found;
    char text[256];
    rig both, single;
    snprintf(text, sizeof text, "%s windows = [6703, 6707, 6709, 6715];", labels);
    WORKS(rig_new(text, &both));
    rig_run(&both, (double[]){5500});
    void *room = anpe_alloc(ctx, both.ops->scratch_size(both.s.c.self, 1));
    WORKS(
        both.ops->lines(both.s.c.self, ctx, (double[]){5500}, 6700, 6720, ROOM, line, &all, room));
    for (int k = 0; k < 2; k++) {
        snprintf(text, sizeof text, "%s %s", labels, alone[k]);
        WORKS(rig_new(text, &single));
        rig_run(&single, (double[]){5500});
        n = single.info.n_pixels;
        CU_ASSERT_FATAL(at + n <= both.info.n_pixels);
        CU_ASSERT_EQUAL(memcmp(single.flux, both.flux + at, (size_t)n * sizeof(float)), 0);
        CU_ASSERT_EQUAL(
            memcmp(single.info.wavelength, both.info.wavelength + at, (size_t)n * sizeof(double)),
            0);
        WORKS(single.ops->lines(single.s.c.self, ctx, (double[]){5500}, 6700, 6720, ROOM, one,
                                &found, room));
        all -= found;
        at += n;
        rig_clear(&single);
    }
    CU_ASSERT_EQUAL(at, both.info.n_pixels);
    CU_ASSERT_EQUAL(all, 0);
    anpe_free(room);
    rig_clear(&both);
}

/* What a spectrum is made of: its continuum, its lines, its opacity; no allocation in any. */
static void test_parts(void)
{
    enum { ROOM = 8 };
    const double theta[] = {5500}, centre = anpe_air_to_vacuum(6705), far[] = {6702.5, 6703};
    anpe_simulator_line line[ROOM];
    double opacity[2 * 32];
    int64_t n;
    int n_sources = 0;
    rig r;
    WORKS(rig_new("free = [\"teff\"]; logg = 4.2; step = 0.2; fine = 0.2;", &r));
    const size_t size = r.ops->scratch_size(r.s.c.self, 1), pixels = (size_t)r.info.n_pixels;
    void *room = anpe_alloc(ctx, size);
    float *flux = malloc(2 * pixels * sizeof *flux), *continuum = flux + pixels;
    memset(room, 0xff, size);
    rig_run(&r, theta);
    const long before = n_allocations;
    WORKS(r.ops->continuum(r.s.c.self, ctx, theta, flux, continuum, room));
    CU_ASSERT(!memcmp(flux, r.flux, pixels * sizeof *flux));
    WORKS(r.ops->lines(r.s.c.self, ctx, theta, 6700, 6720, ROOM, line, &n, room));
    while (r.ops->sources[n_sources])
        n_sources++;
    WORKS(r.ops->opacity(r.s.c.self, ctx, theta, 1, 2, far, opacity, room));
    CU_ASSERT(n_allocations == before);

    /* the flux of the layer where tau is about 2/3, which is at teff in a grey atmosphere */
    for (size_t i = 0; i < pixels; i += 500)
        CU_ASSERT_DOUBLE_EQUAL(
            (double)continuum[i] / (ANPE_LTE_PI * planck_of(r.info.wavelength[i], 5500)), 1, 0.15);

    /* five lines, apart: each as deep as the spectrum is there, but for the pixel's 0.2 km/s */
    CU_ASSERT_EQUAL_FATAL(n, 5);
    for (int i = 0; i < n; i++) {
        double least = 1;
        for (size_t k = 0; k < pixels; k++)
            if (fabs(r.info.wavelength[k] - line[i].wavelength) < 0.02)
                least = fmin(least, (double)flux[k]);
        CU_ASSERT_DOUBLE_EQUAL(line[i].depth, 1 - least, 2e-3);
        CU_ASSERT(i == 0 || line[i].depth <= line[i - 1].depth);
    }
    WORKS(r.ops->lines(r.s.c.self, ctx, theta, centre - 0.1, centre + 0.1, ROOM, line, &n, room));
    CU_ASSERT_EQUAL_FATAL(n, 1);
    CU_ASSERT_STRING_EQUAL(line[0].species, "Fe I");
    CU_ASSERT(line[0].excitation == 4 && line[0].log_gf == -1.5);
    CU_ASSERT_DOUBLE_EQUAL(line[0].wavelength, centre, 1e-6);
    const double depth = line[0].depth;
    WORKS(r.ops->lines(r.s.c.self, ctx, theta, 6700, 6720, 1, line, &n, room));
    CU_ASSERT(n == 1 && line[0].depth >= depth);

    /* H- is most of it, and what scatters is a part */
    double sum = 0;
    for (int k = 0; k < n_sources; k++)
        sum += opacity[k];
    CU_ASSERT_EQUAL(n_sources, ANPE_LTE_N_SOURCES);
    CU_ASSERT(opacity[ANPE_LTE_HMINUS_BF] > 0.7 * sum && opacity[ANPE_LTE_THOMSON] > 0);
    CU_ASSERT_DOUBLE_EQUAL(opacity[n_sources] / opacity[0], 1, 1e-3); /* half an Angstrom on */
    FAILS(r.ops->opacity(r.s.c.self, ctx, theta, 1e9, 2, far, opacity, room), ANPE_EINVAL,
          "lte: Rosseland optical depth 1e+09: the atmosphere is from");
    anpe_free(room);
    free(flux);
    rig_clear(&r);
}

/* Nothing but a line list: the network's atmospheres, the fit of hydrogen's profiles. */
static void test_list_alone(void)
{
    const anpe_simulator_setup setup = {sizeof setup, 6500, 6720, 0};
    static const double sun[] = {5772, 4.44, 0, 1}, hot[] = {8600, 1.2, 0, 1};
    static const char *const hydrogen[2] = {"", "hydrogen_lines = false;"};
    double width[2];
    write_files();
    for (int i = 0; i < 2; i++) {
        rig r;
        char text[512];
        snprintf(text, sizeof text,
                 "plugin = \"lte\"; lists = ({ file = \"%s/a.list\"; }); step = 4; %s", scratch,
                 hydrogen[i]);
        WORKS(rig_open(&setup, text, &r));
        CU_ASSERT(r.info.labels[0].min == 3500 && r.info.labels[0].max == 9750);
        rig_run(&r, sun);
        width[i] = 0;
        for (int64_t k = 1; k + 1 < r.info.n_pixels; k++)
            if (r.info.wavelength[k] < 6640)
                width[i] += (1 - (double)r.flux[k]) * 0.5 *
                            (r.info.wavelength[k + 1] - r.info.wavelength[k - 1]);
        CU_ASSERT(width_at(&r, 6705) > 1e-3);
        FAILS(subject_simulate(&r.s, 1, hot, r.flux), ANPE_EINVAL,
              "lte: logg 1.2: the built-in atmospheres of 8600 K begin at 1.5");
        rig_clear(&r);
    }
    CU_ASSERT(width[0] > 2 && width[0] < 6);   /* H alpha of the Sun: 3 to 4 Angstrom */
    CU_ASSERT_DOUBLE_EQUAL(width[1], 0, 1e-3); /* the other lines' wings */
}

static int same_bytes(const char *a, const char *b)
{
    int same = 1, x, y;
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    CU_ASSERT_FATAL(f && g);
    do {
        x = getc(f);
        y = getc(g);
        same &= x == y;
    } while (same && x != EOF);
    fclose(f);
    fclose(g);
    return same;
}

/* A grid over labels of which some are refused: C/O > 1 above [C/Fe] = 0.26. */
static void test_refused(void)
{
    enum { N = 40 };
    char path[512], one[512], two[512];
    char text[2048];
    double theta[N * 2];
    int64_t refused = 0, shape[8];
    int rank;
    anpe_h5 *f;
    snprintf(path, sizeof path, "%s/grid.cfg", scratch);
    snprintf(one, sizeof one, "%s/one.h5", scratch);
    snprintf(two, sizeof two, "%s/two.h5", scratch);
    write_files();
    const int length = snprintf(
        text, sizeof text,
        "simulator = { plugin = \"lte\"; atmospheres = ({ file = \"%s/grid.dat\"; }); lists = ({ "
        "file = \"%s/a.list\"; }); lambda_min = 6700.0; lambda_max = 6702.0; step = 4.0; logg = "
        "4.2;\n free = [\"teff\", \"c_fe\"]; };\nprior = ({ plugin = \"independent\"; labels = (\n"
        "{ name = \"teff\"; type = \"uniform\"; },\n"
        "{ name = \"c_fe\"; type = \"uniform\"; min = -0.5; max = 0.5; }); });\n"
        "instrument = { plugin = \"apogee\"; };\n",
        scratch, scratch);
    write_bytes(path, text, (size_t)length);
    anpe_simulate_request q = {.source = path,
                               .n = N,
                               .design = ANPE_BY_SOBOL,
                               .own_grid = 1,
                               .seed = 1,
                               .threads = 1,
                               .output = one,
                               .refused = &refused};
    FAILS(anpe_simulate(ctx, &q), ANPE_EINVAL, "lte: C/O = ");
    CU_ASSERT(access(one, F_OK) != 0);
    q.skip = 1;
    WORKS(anpe_simulate(ctx, &q));
    CU_ASSERT(refused > 5 && refused < 15); /* of 40, a quarter */
    WORKS(anpe_h5_open(ctx, one, &f));
    WORKS(anpe_h5_shape(ctx, f, "theta", &rank, shape));
    CU_ASSERT_EQUAL_FATAL(shape[0], N - refused);
    WORKS(anpe_h5_read(ctx, f, "theta", ANPE_H5_DOUBLE, shape[0] * 2, theta));
    WORKS(anpe_h5_shape(ctx, f, "flux", &rank, shape));
    CU_ASSERT_EQUAL(shape[0], N - refused);
    float *flux = malloc((size_t)(shape[0] * shape[1]) * sizeof *flux);
    WORKS(anpe_h5_read(ctx, f, "flux", ANPE_H5_FLOAT, shape[0] * shape[1], flux));
    anpe_h5_abandon(f);
    /* every row is the spectrum of its labels */
    rig r;
    WORKS(rig_new("free = [\"teff\", \"c_fe\"]; logg = 4.2; lambda_min = 6700.0; lambda_max = "
                  "6702.0; step = 4.0;",
                  &r));
    CU_ASSERT_EQUAL_FATAL(r.info.n_pixels, shape[1]);
    for (int64_t k = 0; k < shape[0]; k++) {
        CU_ASSERT(theta[2 * k + 1] < 0.27);
        rig_run(&r, theta + 2 * k);
        CU_ASSERT(!memcmp(r.flux, flux + k * shape[1], (size_t)shape[1] * sizeof *flux));
    }
    q.threads = 2;
    q.output = two;
    WORKS(anpe_simulate(ctx, &q));
    CU_ASSERT(same_bytes(one, two));
    free(flux);
    rig_clear(&r);
}

/* Spectra of one atmosphere, more of them than are computed at once. */
static void test_shared(void)
{
    enum { N = ANPE_LTE_ROWS + 3, LABELS = 7 };
    static const uint8_t expected[LABELS] = {1, 1, 1, 1, 0, 0, 0};
    uint8_t is_shared[LABELS];
    double theta[N * LABELS], largest = 0, spread = 0;
    rig r;
    WORKS(rig_new("free = [\"teff\", \"logg\", \"fe_h\", \"vmicro\", \"c12_c13\"]; abundances = "
                  "[\"mg_fe\", \"c_h\"];",
                  &r));
    const anpe_simulator_ops *ops = r.ops;
    const int64_t n = r.info.n_pixels;
    ops->shared(r.s.c.self, is_shared);
    CU_ASSERT(memcmp(is_shared, expected, LABELS) == 0);
    for (int i = 0; i < N; i++) {
        const double row[LABELS] = {5600,           4.3, -0.4, 1.3, 5 + 4 * i, 0.08 * (i - 9),
                                    -0.4 - 0.03 * i};
        memcpy(theta + i * LABELS, row, sizeof row);
    }
    const size_t size = ops->shared_scratch_size(r.s.c.self, N);
    float *all = malloc((size_t)(N * n) * sizeof *all);
    void *room = anpe_alloc(ctx, size);
    CU_ASSERT_FATAL(all && room);
    memset(room, 0xff, size);
    const long before = n_allocations;
    WORKS(ops->simulate_shared(r.s.c.self, ctx, N, theta, all, room));
    CU_ASSERT(n_allocations == before);
    for (int i = 0; i < N; i++) {
        rig_run(&r, theta + i * LABELS);
        for (int64_t k = 0; k < n; k++) {
            largest = fmax(largest, fabs((double)all[i * n + k] - (double)r.flux[k]));
            spread = fmax(spread, fabs((double)all[i * n + k] - (double)all[k]));
        }
    }
    CU_ASSERT_DOUBLE_EQUAL(largest, 0, 1e-5);
    CU_ASSERT(spread > 0.05);
    theta[2 * LABELS + 3] = 1.4;
    FAILS(ops->simulate_shared(r.s.c.self, ctx, N, theta, all, room), ANPE_EINVAL,
          "lte: vmicro is 1.3 and 1.4 in stars that share an atmosphere");
    anpe_free(room);
    free(all);
    rig_clear(&r);
}

/* A grid of several spectra for each atmosphere: labels in groups, the same bytes on two threads.
 */
static void test_per_atmosphere(void)
{
    enum { N = 21, EACH = 4 };
    char path[320], one[320], two[320], text[1024];
    double theta[N * 2];
    anpe_h5 *f;
    snprintf(path, sizeof path, "%s/shared.cfg", scratch);
    snprintf(one, sizeof one, "%s/one.h5", scratch);
    snprintf(two, sizeof two, "%s/two.h5", scratch);
    write_files();
    const int length = snprintf(
        text, sizeof text,
        "simulator = { plugin = \"lte\"; atmospheres = ({ file = \"%s/grid.dat\"; }); lists = ({ "
        "file = \"%s/a.list\"; }); lambda_min = 6700.0; lambda_max = 6702.0; step = 4.0; logg = "
        "4.2;\n free = [\"teff\", \"mg_fe\"]; };\nprior = ({ plugin = \"independent\"; labels = (\n"
        "{ name = \"mg_fe\"; type = \"uniform\"; min = -0.5; max = 0.5; },\n"
        "{ name = \"teff\"; type = \"uniform\"; }); });\n"
        "instrument = { plugin = \"apogee\"; };\n",
        scratch, scratch);
    write_bytes(path, text, (size_t)length);
    anpe_simulate_request q = {
        .source = path, .n = N, .own_grid = 1, .per_atmosphere = EACH, .seed = 1, .threads = 1};
    for (q.design = ANPE_BY_SOBOL; q.design <= ANPE_BY_LATIN; q.design++) {
        q.threads = 1;
        q.output = one;
        WORKS(anpe_simulate(ctx, &q));
        q.threads = 2;
        q.output = two;
        WORKS(anpe_simulate(ctx, &q));
        CU_ASSERT(same_bytes(one, two));
        WORKS(anpe_h5_open(ctx, one, &f));
        WORKS(anpe_h5_read(ctx, f, "theta", ANPE_H5_DOUBLE, N * 2, theta));
        anpe_h5_abandon(f);
        for (int i = 1; i < N; i++) {
            CU_ASSERT((theta[2 * i] == theta[2 * i - 2]) == (i % EACH != 0));
            CU_ASSERT(theta[2 * i + 1] != theta[2 * i - 1]);
        }
    }
}

/* Lines as the list has them, and spectra with their log gf and widths changed. */
static void test_lines(void)
{
    rig r;
    anpe_line line[8];
    WORKS(rig_new("free = [\"teff\"]; logg = 4.2; fe_h = -0.5;", &r));
    const anpe_simulator_ops *ops = r.ops;
    const size_t bytes = (size_t)r.info.n_pixels * sizeof(float);
    const double theta = 5500;
    float *flux = malloc(bytes), log_gf[5] = {0}, waals[5] = {0};
    void *room = anpe_alloc(ctx, ops->scratch_size(r.s.c.self, 1));
    CU_ASSERT_EQUAL_FATAL(ops->line_list(r.s.c.self, 0, 0, NULL), 5);
    CU_ASSERT_EQUAL(ops->line_list(r.s.c.self, 1, 7, line), 5);
    CU_ASSERT_STRING_EQUAL(line[0].species, "Fe I");
    CU_ASSERT_STRING_EQUAL(line[2].species, "1H12C");
    CU_ASSERT_DOUBLE_EQUAL(line[0].wavelength, anpe_air_to_vacuum(6705), 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(line[0].log_gf, -1.5, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(log10(line[0].waals), -7.5, 1e-5);
    CU_ASSERT(line[0].accuracy == 0 && line[0].excitation == 4 && line[0].stark > 0);
    rig_run(&r, &theta);
    const double iron = width_at(&r, 6705), magnesium = width_at(&r, 6708);
    WORKS(ops->simulate_lines(r.s.c.self, ctx, &theta, NULL, NULL, flux, room));
    CU_ASSERT_EQUAL(memcmp(flux, r.flux, bytes), 0);
    WORKS(ops->simulate_lines(r.s.c.self, ctx, &theta, log_gf, waals, flux, room));
    CU_ASSERT_EQUAL(memcmp(flux, r.flux, bytes), 0);
    log_gf[1] = 0.3F;
    WORKS(ops->simulate_lines(r.s.c.self, ctx, &theta, log_gf, NULL, r.flux, room));
    CU_ASSERT(width_at(&r, 6705) > 1.1 * iron);
    CU_ASSERT_DOUBLE_EQUAL(width_at(&r, 6708) / magnesium, 1, 1e-3);
    waals[1] = 0.5F; /* a strong line with stronger wings */
    log_gf[1] = 1.5F;
    WORKS(ops->simulate_lines(r.s.c.self, ctx, &theta, log_gf, NULL, r.flux, room));
    const double narrow = width_at(&r, 6705);
    WORKS(ops->simulate_lines(r.s.c.self, ctx, &theta, log_gf, waals, r.flux, room));
    CU_ASSERT(width_at(&r, 6705) > 1.1 * narrow);
    FAILS(ops->simulate_lines(r.s.c.self, ctx, &(double){7000}, NULL, NULL, flux, room),
          ANPE_EINVAL, "label teff outside");
    anpe_free(room);
    free(flux);
    rig_clear(&r);
}

static const CU_TestInfo tests[] = {{"info", test_info},
                                    {"refusals", test_refusals},
                                    {"label domain", test_domain},
                                    {"labels", test_labels},
                                    {"pixels", test_pixels},
                                    {"windows", test_windows},
                                    {"continuum, lines, opacity", test_parts},
                                    {"a list alone", test_list_alone},
                                    {"labels that are refused", test_refused},
                                    {"stars of one atmosphere", test_shared},
                                    {"grid of several for an atmosphere", test_per_atmosphere},
                                    {"line list", test_lines}};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "lte", COUNT(tests), tests);
}
