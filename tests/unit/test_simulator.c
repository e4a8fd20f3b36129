/* Simulators payne, cannon and array on published emulators and on small ones made here. */
#include <config.h>
#include "emulator_support.h"

static double *read_golden(const char *name, int64_t n)
{
    anpe_h5 *f = NULL;
    double *v = malloc((size_t)n * sizeof *v);
    WORKS(anpe_h5_open(ctx, shared_file("golden/emulators.h5"), &f));
    WORKS(anpe_h5_read(ctx, f, name, ANPE_H5_DOUBLE, n, v));
    WORKS(anpe_h5_close(ctx, f));
    return v;
}

/* Five spectra of one published emulator against its formula in double, by independent code.
 * 1e-6 relative to each flux value is the requirement; half a unit of float is 6e-8. */
static void check_golden(const char *name, const anpe_import_request *r)
{
    emulated m;
    char key[96];
    double worst = 0;
    open_emulator(r, NULL, &m);
    const int64_t D = m.info.n_labels, P = m.info.n_pixels;
    snprintf(key, sizeof key, "%s/labels", name);
    double *labels = read_golden(key, 5 * D);
    snprintf(key, sizeof key, "%s/flux", name);
    double *flux = read_golden(key, 5 * P);
    float *got = calloc((size_t)(5 * P), sizeof *got);
    WORKS(subject_simulate(&m.s, 5, labels, got));
    for (int64_t i = 0; i < 5 * P; i++)
        worst = fmax(worst, fabs(got[i] / flux[i] - 1));
    printf("\n    %s: %.2g ", name, worst);
    CU_ASSERT(worst < 1e-6);
    free(labels);
    free(flux);
    free(got);
    subject_clear(&m.s);
}

static int golden_missing(void)
{
    if (shared_file("golden/emulators.h5"))
        return 0;
    printf(" skipped: no golden/emulators.h5 ");
    return 1;
}

static void test_golden_per_pixel(void)
{
    static const char *const names[] = {"apogee_5label_perpixel", "apogee_dwarfs_5label_perpixel"};
    if (golden_missing())
        return;
    for (int i = 0; i < 2; i++) {
        char file[64];
        snprintf(file, sizeof file, "data/emulators/%s.npz", names[i]);
        check_golden(names[i], &(anpe_import_request){.model = "payne",
                                                      .file = shared_file(file),
                                                      .out = in_scratch("e.h5"),
                                                      .labels = FIVE,
                                                      .grid = "apogee"});
    }
}

static void test_golden_dense(void)
{
    if (golden_missing())
        return;
    check_golden(
        "gaia_xp_3label_dense",
        &(anpe_import_request){.model = "payne",
                               .file = shared_file("data/emulators/gaia_xp_3label_dense.npz"),
                               .out = in_scratch("e.h5"),
                               .labels = "teff,logg,fe_h",
                               .absolute = 1});
    check_golden("dense_25label",
                 &(anpe_import_request){.model = "payne",
                                        .file = shared_file("golden/dense_25label.npz"),
                                        .out = in_scratch("e.h5"),
                                        .grid = "apogee"});
}

static void test_golden_cannon(void)
{
    if (golden_missing())
        return;
    check_golden("apogee_cannon_4label",
                 &(anpe_import_request){
                     .model = "cannon",
                     .file = shared_file("data/emulators/apogee_cannon_4label.txt"),
                     .pivots = shared_file("data/emulators/apogee_cannon_4label_pivots.txt"),
                     .scatter = shared_file("data/emulators/apogee_cannon_4label_scatter.txt"),
                     .out = in_scratch("e.h5"),
                     .labels = "teff,logg,fe_h,alpha_m",
                     .grid = "apogee"});
}

/* ---- published files against their formulas, written out here ---------------------------- */

/* ThePayne's HDF5: s = 0.8 (l - min)/(max - min) + 0.1, f = (sigmoid(.) - 0.1)/0.8. */
static void test_thepayne(void)
{
    enum { P = 582, H = 10, D = 3 };
    const char *path = shared_file("data/emulators/optical_mgb_3label_hecto.h5");
    if (!path) {
        printf(" skipped: no data/emulators ");
        return;
    }
    emulated m;
    int64_t n;
    float flux[P];
    double worst = 0, s[D], theta[D];
    open_emulator(&(anpe_import_request){.model = "payne",
                                         .file = path,
                                         .out = in_scratch("e.h5"),
                                         .labels = "log_teff,logg,fe_h"},
                  NULL, &m);
    CU_ASSERT_EQUAL_FATAL(m.info.n_pixels, P);
    CU_ASSERT(m.info.wavelength && m.info.wavelength[0] > 5140 && m.info.wavelength[P - 1] < 5170);
    double *w0 = read_whole(path, "w_array_0", &n), *b0 = read_whole(path, "b_array_0", &n);
    double *w1 = read_whole(path, "w_array_1", &n), *b1 = read_whole(path, "b_array_1", &n);
    for (int t = 0; t < 5; t++) {
        for (int k = 0; k < D; k++) {
            const double u = fmod(0.2 * t + 0.37 * k, 1);
            const anpe_label *l = &m.info.labels[k];
            theta[k] = l->min + u * (l->max - l->min);
            s[k] = 0.8 * u + 0.1;
        }
        WORKS(subject_simulate(&m.s, 1, theta, flux));
        for (int i = 0; i < P; i++) {
            double sum = b1[i];
            for (int j = i * H; j < (i + 1) * H; j++)
                sum += w1[j] * sigmoid(b0[j] + w0[D * j] * s[0] + w0[D * j + 1] * s[1] +
                                       w0[D * j + 2] * s[2]);
            worst = fmax(worst, fabs(flux[i] - (sigmoid(sum) - 0.1) / 0.8));
        }
    }
    /* of the continuum: the sum has terms up to 18, so a line core of 0.06 is not good to 1e-6 of
     * itself in float. Ten roundings of 18 units of float, times the slopes 0.25 and 1/0.8, would
     * be 3e-6 if none cancelled. */
    printf("\n    optical_mgb_3label_hecto: %.2g ", worst);
    CU_ASSERT(worst < 1e-6);
    free(w0);
    free(b0);
    free(w1);
    free(b1);
    subject_clear(&m.s);
}

/* A Cannon model with a list of terms of its own, against its formula and the real spectra that it
 * was trained on: it must explain most of what their mean does not. */
static void test_cannon_terms(void)
{
    enum { N = 336, P = 100 };
    char spec[1100], pivot_spec[1100];
    static float flux[N * P];
    emulated m;
    int64_t n;
    double worst = 0, model2 = 0, mean2 = 0;
    const char *path = shared_file("data/apogee/giants_336x100.npz");
    if (!path) {
        printf(" skipped: no data/apogee/giants_336x100.npz ");
        return;
    }
    snprintf(spec, sizeof spec, "%s:cannon_coeffs", path);
    snprintf(pivot_spec, sizeof pivot_spec, "%s:cannon_pivots", path);
    open_emulator(
        &(anpe_import_request){
            .model = "cannon",
            .file = spec,
            .pivots = pivot_spec,
            .out = in_scratch("e.h5"),
            .labels = "teff,logg,m_h",
            .terms = "teff^4 teff^3 teff^2 teff logg^3 logg^2 logg teff*logg teff*m_h "
                     "logg*m_h m_h m_h^2"},
        NULL, &m);
    CU_ASSERT_EQUAL_FATAL(m.info.n_pixels, P);
    double *c = read_whole(path, "cannon_coeffs", &n),
           *pivot = read_whole(path, "cannon_pivots", &n);
    double *labels = read_whole(path, "labels", &n), *real = read_whole(path, "flux", &n);
    WORKS(subject_simulate(&m.s, N, labels, flux));
    for (int p = 0; p < P; p++) {
        double mean = 0;
        for (int i = 0; i < N; i++)
            mean += real[i * P + p] / N;
        for (int i = 0; i < N; i++) {
            const double t = labels[3 * i] - pivot[0], g = labels[3 * i + 1] - pivot[1],
                         f = labels[3 * i + 2] - pivot[2], *k = c + 13 * p;
            const double expected = k[0] + k[1] * t * t * t * t + k[2] * t * t * t + k[3] * t * t +
                                    k[4] * t + k[5] * g * g * g + k[6] * g * g + k[7] * g +
                                    k[8] * t * g + k[9] * t * f + k[10] * g * f + k[11] * f +
                                    k[12] * f * f;
            worst = fmax(worst, fabs(flux[i * P + p] / expected - 1));
            model2 += pow(flux[i * P + p] - real[i * P + p], 2);
            mean2 += pow(mean - real[i * P + p], 2);
        }
    }
    printf("\n    giants_336x100: %.2g, residual variance %.2f of the spectra's ", worst,
           model2 / mean2);
    CU_ASSERT(worst < 1e-6);
    CU_ASSERT(model2 < 0.5 * mean2);
    free(c);
    free(pivot);
    free(labels);
    free(real);
    subject_clear(&m.s);
}

/* ---- small emulators made here ----------------------------------------------------------- */

/* 37 pixels and up to 100 spectra: not multiples of any block, so that every tail is run. A row has
 * the same bits alone and anywhere in a batch. */
static void check_batch(emulated *m)
{
    enum { N = 100 };
    const int64_t P = m->info.n_pixels;
    double theta[2 * N];
    float *all = malloc((size_t)(N * P) * sizeof *all), *one = malloc((size_t)P * sizeof *one);
    for (int i = 0; i < 2 * N; i++)
        theta[i] = fmod(0.618 * i, 1);
    WORKS(subject_simulate(&m->s, N, theta, all));
    for (int i = 0; i < N; i++) {
        WORKS(subject_simulate(&m->s, 1, theta + 2 * i, one));
        CU_ASSERT(!memcmp(one, all + i * P, (size_t)P * sizeof *one));
    }
    WORKS(subject_simulate(&m->s, N - 7, theta + 14, all));
    WORKS(subject_simulate(&m->s, 1, theta + 14, one));
    CU_ASSERT(!memcmp(one, all, (size_t)P * sizeof *one));
    free(all);
    free(one);
}

/* The small dense network by the formula, for each activation. */
static void test_activations(void)
{
    static const char *const names[] = {"leaky_relu", "relu", "sigmoid"};
    const char *path = make_published("p.h5", N_DENSE, dense);
    int64_t n;
    double *w[3], *b[3];
    char key[32];
    for (int i = 0; i < 3; i++) {
        snprintf(key, sizeof key, "w_array_%d", i);
        w[i] = read_whole(path, key, &n);
        snprintf(key, sizeof key, "b_array_%d", i);
        b[i] = read_whole(path, key, &n);
    }
    for (int a = 0; a < 3; a++) {
        static const int width[] = {2, 7, 5, 37};
        const double theta[2] = {0.9, 0.15};
        double x[37] = {0.4, -0.35}, y[37];
        float flux[37];
        emulated m;
        anpe_import_request r = small_request(path);
        r.activation = names[a];
        open_emulator(&r, NULL, &m);
        WORKS(subject_simulate(&m.s, 1, theta, flux));
        for (int layer = 0; layer < 3; layer++) {
            for (int o = 0; o < width[layer + 1]; o++) {
                y[o] = b[layer][o];
                for (int k = 0; k < width[layer]; k++)
                    y[o] += w[layer][o * width[layer] + k] * x[k];
                if (layer < 2)
                    y[o] = a == 2 ? sigmoid(y[o]) : y[o] > 0 ? y[o] : a ? 0 : 0.01 * y[o];
            }
            memcpy(x, y, sizeof x);
        }
        for (int i = 0; i < 37; i++) /* half a unit of float and what double adds */
            CU_ASSERT_DOUBLE_EQUAL(flux[i], y[i], 6.1e-8 * fabs(y[i]) + 1e-14);
        check_batch(&m);
        subject_clear(&m.s);
    }
    for (int i = 0; i < 3; i++) {
        free(w[i]);
        free(b[i]);
    }
}

/* mean + basis (w2 a(w1 a(w0 s + b0) + b1) + b2) from the numbers of the file. */
static void components_formula(const char *path, int relu, const double *theta, double *flux)
{
    static const int width[] = {2, 7, 5, 6};
    double x[7] = {theta[0] - 0.5, theta[1] - 0.5}, y[7] = {0};
    int64_t n;
    double *v[N_COMPONENTS];
    for (int i = 0; i < N_COMPONENTS; i++)
        v[i] = read_whole(path, components[i].key, &n);
    for (int layer = 0; layer < 3; layer++) {
        for (int o = 0; o < width[layer + 1]; o++) {
            y[o] = v[2 * layer + 1][o];
            for (int k = 0; k < width[layer]; k++)
                y[o] += v[2 * layer][o * width[layer] + k] * x[k];
            if (layer < 2)
                y[o] = !relu ? sigmoid(y[o]) : y[o] > 0 ? y[o] : 0;
        }
        memcpy(x, y, sizeof x);
    }
    for (int p = 0; p < 37; p++) {
        flux[p] = v[7][p];
        for (int k = 0; k < 6; k++)
            flux[p] += v[6][p * 6 + k] * y[k];
    }
    for (int i = 0; i < N_COMPONENTS; i++)
        free(v[i]);
}

/* With numbers of half precision and of double. About a mean of zero the last product cancels and
 * has to run in double: half a unit of float, and what double adds. Far above it runs in float. */
static void test_components(void)
{
    static const struct {
        double lift, tolerance;
        int relu, half;
    } cases[] = {{0, 6.1e-8, 0, 0}, {0, 6.1e-8, 1, 1}, {100, 5e-7, 0, 1}, {100, 5e-7, 1, 0}};
    for (int i = 0; i < COUNT(cases); i++) {
        const double theta[2] = {0.9, 0.15};
        const char *path = make_components("c.h5", N_COMPONENTS, components, cases[i].lift,
                                           cases[i].relu ? "relu" : "sigmoid", cases[i].half);
        double want[37];
        float flux[37];
        emulated m;
        WORKS(open_components(path, &m));
        CU_ASSERT_EQUAL_FATAL(m.info.n_pixels, 37);
        WORKS(subject_simulate(&m.s, 1, theta, flux));
        components_formula(path, cases[i].relu, theta, want);
        for (int p = 0; p < 37; p++)
            CU_ASSERT_DOUBLE_EQUAL(flux[p], want[p], cases[i].tolerance * fabs(want[p]) + 1e-14);
        check_batch(&m);
        subject_clear(&m.s);
    }
}

/* Parts that are not there or do not fit; a plugin that does not know the kind. */
static void test_components_bad(void)
{
    static const struct {
        int n, changed;
        int64_t shape[2];
        const char *message;
    } cases[] = {{7, 0, {7, 2}, "no dataset 'mean'"},
                 {6, 0, {7, 2}, "no dataset 'basis'"},
                 {8, 6, {37, 5}, "basis has shape (37, 5), expected (*, 6)"},
                 {8, 7, {36, 0}, "mean has shape (36), expected (37)"},
                 {8, 4, {6, 4}, "w2 has shape (6, 4), expected (*, 5)"}};
    emulated m;
    char text[1200];
    for (int i = 0; i < COUNT(cases); i++) {
        part parts[N_COMPONENTS];
        memcpy(parts, components, sizeof parts);
        memcpy(parts[cases[i].changed].shape, cases[i].shape, sizeof cases[i].shape);
        FAILS(open_components(make_components("c.h5", cases[i].n, parts, 0, "relu", 0), &m),
              ANPE_EFORMAT, cases[i].message);
    }
    const char *path = make_components("c.h5", N_COMPONENTS, components, 0, "relu", 0);
    snprintf(text, sizeof text, "plugin = \"cannon\"; file = \"%s\";", path);
    FAILS(simulator_new(text, &m), ANPE_EFORMAT,
          "is an emulator of kind 'components'; this takes cannon");
}

/* Pixels 5000 .. 5036 Angstrom, of which an instrument sees some: these are as they were. */
static void check_seen(const char *path)
{
    static const struct {
        double low, high, resolution;
        int64_t first, n;
    } cases[] = {{5010, 5020, 0, 5, 21}, /* a thousandth to either side */
                 {5015, 5020, 3000, 5, 26}, {4000, 5000.5, 0, 0, 6}, {4000, 6000, 0, 0, 37},
                 {6000, 7000, 0, 0, 37}, /* nothing: the core says which pixels it misses */
                 {0, 0, 0, 0, 37}};
    const double theta[4] = {0.9, 0.15, 0.2, 0.4};
    char text[1200];
    float all[2 * 37], some[2 * 37];
    emulated m;
    snprintf(text, sizeof text, "plugin = \"payne\"; file = \"%s\";", path);
    WORKS(simulator_new(text, &m));
    WORKS(subject_simulate(&m.s, 2, theta, all));
    subject_clear(&m.s);
    for (int i = 0; i < COUNT(cases); i++) {
        const int64_t n = cases[i].n, first = cases[i].first;
        WORKS(simulator_seen(text, cases[i].low, cases[i].high, cases[i].resolution, &m));
        CU_ASSERT_EQUAL_FATAL(m.info.n_pixels, n);
        WORKS(subject_simulate(&m.s, 2, theta, some));
        for (int64_t k = 0; k < n; k++) {
            CU_ASSERT_EQUAL(m.info.wavelength[k], 5000 + (double)(first + k));
            CU_ASSERT_EQUAL(some[k], all[first + k]);
            CU_ASSERT_EQUAL(some[n + k], all[37 + first + k]);
            CU_ASSERT(m.info.scatter && m.info.scatter[k] == 0.5f + (float)(first + k));
        }
        check_batch(&m);
        subject_clear(&m.s);
    }
}

static void test_window(void)
{
    static const part parts[N_COMPONENTS + 2] = {
        {"w0", 2, {7, 2}},       {"b0", 1, {7}},      {"w1", 2, {5, 7}},     {"b1", 1, {5}},
        {"w2", 2, {6, 5}},       {"b2", 1, {6}},      {"basis", 2, {37, 6}}, {"mean", 1, {37}},
        {"wavelength", 1, {37}}, {"scatter", 1, {37}}};
    char lines[37 * 8] = "", values[37 * 8] = "";
    anpe_emulator e;
    check_seen(make_components("c.h5", N_COMPONENTS + 2, parts, 100, "sigmoid", 0));
    for (int k = 0, a = 0, b = 0; k < 37; k++) {
        a += sprintf(lines + a, "%d\n", 5000 + k);
        b += sprintf(values + b, "%d.5\n", k);
    }
    write_bytes(in_scratch("wave.txt"), lines, strlen(lines));
    write_bytes(in_scratch("scatter.txt"), values, strlen(values));
    anpe_import_request r = small_request(make_published("p.h5", N_PER_PIXEL, per_pixel));
    r.wavelength = in_scratch("wave.txt");
    r.scatter = in_scratch("scatter.txt");
    WORKS(anpe_import(ctx, &r, &e));
    anpe_emulator_clear(&e);
    check_seen(r.out);
}

static void test_per_pixel_batch(void)
{
    emulated m;
    const anpe_import_request r = small_request(make_published("p.h5", N_PER_PIXEL, per_pixel));
    open_emulator(&r, NULL, &m);
    CU_ASSERT(!m.info.wavelength && isinf(m.info.resolution) && !m.info.on_grid);
    check_batch(&m);
    subject_clear(&m.s);
}

static void test_domain(void)
{
    emulated m;
    const anpe_import_request r = small_request(make_published("p.h5", N_DENSE, dense));
    const double outside[] = {0.5, 0.5, 0.5, 1.25}, edge[] = {0, 1}, nan_in[] = {NAN, 0.5},
                 inside[] = {0.5, 1};
    float flux[2 * 37];
    open_emulator(&r, NULL, &m);
    FAILS(subject_simulate(&m.s, 2, outside, flux), ANPE_EINVAL,
          "payne: label logg outside [0, 1]: 1.25");
    FAILS(subject_simulate(&m.s, 1, nan_in, flux), ANPE_EINVAL,
          "payne: label teff outside [0, 1]: nan");
    WORKS(subject_simulate(&m.s, 1, edge, flux));
    WORKS(subject_simulate(&m.s, 1, inside, flux));
    subject_clear(&m.s);
}

static void test_array(void)
{
    emulated m;
    const double theta[2] = {0, 0};
    float flux[1];
    WORKS(simulator_new("plugin = \"array\"; labels = ( { name = \"a\"; unit = \"K\"; }, "
                        "{ name = \"b\"; min = -1; max = 2; } );",
                        &m));
    CU_ASSERT_EQUAL(m.info.n_labels, 2);
    CU_ASSERT_STRING_EQUAL(m.info.labels[0].unit, "K");
    CU_ASSERT(isinf(m.info.labels[0].max) && m.info.labels[1].max == 2);
    CU_ASSERT(!m.info.wavelength);
    FAILS(subject_simulate(&m.s, 1, theta, flux), ANPE_EUNSUPPORTED,
          "its simulations come from a file: anpe train --data");
    subject_clear(&m.s);
    FAILS(simulator_new("plugin = \"array\";", &m), ANPE_ECONFIG, "labels");
    FAILS(
        simulator_new("plugin = \"array\"; labels = ( { name = \"a\"; }, { name = \"a\"; } );", &m),
        ANPE_ECONFIG, "label a is given twice");
    FAILS(
        simulator_new("plugin = \"array\"; labels = ( { name = \"a\"; min = 2; max = 1; } );", &m),
        ANPE_ECONFIG, "label a: min 2 is not below max 1");
}

static const CU_TestInfo tests[] = {
    {"golden, per pixel", test_golden_per_pixel},
    {"golden, dense", test_golden_dense},
    {"golden, cannon", test_golden_cannon},
    {"ThePayne's HDF5", test_thepayne},
    {"cannon with terms", test_cannon_terms},
    {"activations, batches", test_activations},
    {"components", test_components},
    {"components that do not fit", test_components_bad},
    {"what an instrument sees of an emulator", test_window},
    {"per pixel, batches", test_per_pixel_batch},
    {"domain", test_domain},
    {"array", test_array},
};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "simulator", COUNT(tests), tests);
}
