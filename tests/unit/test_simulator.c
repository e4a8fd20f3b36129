/* Simulators payne, cannon and array on published emulators and on small ones made here. */
#define _GNU_SOURCE
#include "file/hdf5_file.h"
#include "kind/simulator.h"
#include "prepare/import.h"
#include "plugin_support.h"
#include <math.h>

typedef struct emulated {
    subject s;
    anpe_simulator_info info;
    const anpe_simulator_ops *ops;
} emulated;

static anpe_status simulator_new(const char *text, emulated *m)
{
    const anpe_simulator_setup setup = {.size = sizeof setup};
    const anpe_status status = subject_new(ANPE_SIMULATOR, &setup, text, &m->s);
    if (status)
        return status;
    m->ops = m->s.c.ops;
    m->ops->info(m->s.c.self, &m->info);
    return ANPE_OK;
}

/* Imports and opens; more: further options of the plugin. */
static void open_emulator(const anpe_import_request *r, const char *more, emulated *m)
{
    anpe_emulator e;
    char text[1200];
    WORKS(anpe_import(ctx, r, &e));
    anpe_emulator_clear(&e);
    snprintf(text, sizeof text, "plugin = \"%s\"; file = \"%s\"; %s", r->model, r->out,
             more ? more : "");
    WORKS(simulator_new(text, m));
}

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

#define FIVE "teff,logg,fe_h,mg_fe,vmacro"

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

static double *read_whole(const char *path, const char *key, int64_t *n)
{
    double *v = NULL;
    int rank = 0;
    int64_t shape[4];
    WORKS(anpe_array_read(ctx, path, key, &v, &rank, shape));
    *n = 1;
    for (int i = 0; i < rank; i++)
        *n *= shape[i];
    return v;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

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

typedef struct part {
    const char *key;
    int rank;
    int64_t shape[3];
} part;

/* An HDF5 file in The Payne's layout, of smooth made-up numbers; x_min and x_max are 0 and 1. */
static const char *make_published(const char *name, int n, const part *parts)
{
    anpe_h5 *f = NULL;
    const char *path = in_scratch(name);
    WORKS(anpe_h5_create(ctx, path, &f));
    for (int i = 0; i < n; i++) {
        static double v[4096];
        int64_t count = 1;
        for (int k = 0; k < parts[i].rank; k++)
            count *= parts[i].shape[k];
        for (int64_t k = 0; k < count; k++)
            v[k] = !strcmp(parts[i].key, "x_min")   ? 0
                   : !strcmp(parts[i].key, "x_max") ? 1
                                                    : sin(1.7 * (double)k + i);
        WORKS(
            anpe_h5_write(ctx, f, parts[i].key, ANPE_H5_DOUBLE, parts[i].rank, parts[i].shape, v));
    }
    WORKS(anpe_h5_close(ctx, f));
    return path;
}

enum { N_DENSE = 8 };
static const part dense[N_DENSE] = {{"x_min", 1, {2}},         {"x_max", 1, {2}},
                                    {"w_array_0", 2, {7, 2}},  {"b_array_0", 1, {7}},
                                    {"w_array_1", 2, {5, 7}},  {"b_array_1", 1, {5}},
                                    {"w_array_2", 2, {37, 5}}, {"b_array_2", 1, {37}}};
enum { N_PER_PIXEL = 6 };
static const part per_pixel[N_PER_PIXEL] = {
    {"x_min", 1, {2}},         {"x_max", 1, {2}},         {"w_array_0", 3, {37, 4, 2}},
    {"b_array_0", 2, {37, 4}}, {"w_array_1", 2, {37, 4}}, {"b_array_1", 1, {37}}};

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

static anpe_import_request small_request(const char *file)
{
    return (anpe_import_request){
        .model = "payne", .file = file, .out = in_scratch("small.h5"), .labels = "teff,logg"};
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

/* ---- derivatives against central differences of the formulas ----------------------------- */

enum { MOST_PIXELS = 7214, MOST_LABELS = 5 };

/* An emulator by its formula, in double, from the file that the plugin reads. */
typedef struct formula {
    const char *file;
    void (*eval)(const struct formula *f, const double *theta, double *flux);
    int64_t n_labels, n_pixels;
    const anpe_label *labels;
    int activation; /* dense: as in its list of names */
    int rounded;    /* the plugin's weights are floats */
    int n_arrays;
    double *array[8];
} formula;

static void read_formula(formula *f, int n, const char *const *keys)
{
    int64_t count;
    f->n_arrays = n;
    for (int i = 0; i < n; i++) {
        f->array[i] = read_whole(f->file, keys[i], &count);
        for (int64_t k = 0; k < count && f->rounded; k++)
            f->array[i][k] = (double)(float)f->array[i][k];
    }
}

static double scaled(const formula *f, const double *theta, int64_t k)
{
    const anpe_label *l = &f->labels[k];
    return (theta[k] - l->min) / (l->max - l->min) - 0.5;
}

static void eval_dense(const formula *f, const double *theta, double *flux)
{
    static const int width[] = {2, 7, 5, 37};
    double x[37] = {scaled(f, theta, 0), scaled(f, theta, 1)}, y[37] = {0};
    for (int layer = 0; layer < 3; layer++) {
        const double *w = f->array[2 * layer], *b = f->array[2 * layer + 1];
        for (int o = 0; o < width[layer + 1]; o++) {
            y[o] = b[o];
            for (int k = 0; k < width[layer]; k++)
                y[o] += w[o * width[layer] + k] * x[k];
            if (layer < 2)
                y[o] = f->activation == 2 ? sigmoid(y[o])
                       : y[o] > 0         ? y[o]
                       : f->activation    ? 0
                                          : 0.01 * y[o];
        }
        memcpy(x, y, sizeof x);
    }
    memcpy(flux, y, sizeof y);
}

/* array: w0 (P, H, L), b0 (P, H), w1 (P, H), b1 (P) and, with a sigmoid output, scale and offset */
static void eval_per_pixel(const formula *f, const double *theta, double *flux)
{
    int rank;
    int64_t shape[4];
    double *w = NULL;
    WORKS(anpe_array_read(ctx, f->file, "b0", &w, &rank, shape));
    free(w);
    const int64_t H = shape[1], L = f->n_labels;
    for (int64_t i = 0; i < f->n_pixels; i++) {
        double sum = f->array[3][i];
        for (int64_t j = i * H; j < (i + 1) * H; j++) {
            double a = f->array[1][j];
            for (int64_t k = 0; k < L; k++)
                a += f->array[0][j * L + k] * scaled(f, theta, k);
            sum += f->array[2][j] * sigmoid(a);
        }
        flux[i] = f->n_arrays < 5 ? sum : f->array[4][0] * sigmoid(sum) + f->array[4][1];
    }
}

/* teff, logg and teff^2 logg, as test_cannon_layouts writes them */
static void eval_cannon(const formula *f, const double *theta, double *flux)
{
    static const double c[3][4] = {{1, 10, 0.5, 4}, {2, 20, 0.25, 5}, {3, 30, 0.125, 6}};
    const double a = (theta[0] - 5000) / 100, g = (theta[1] - 2) / 2;
    for (int64_t i = 0; i < f->n_pixels; i++)
        flux[i] = c[i][0] + c[i][1] * a + c[i][2] * g + c[i][3] * a * a * g;
}

/* Derivative with respect to label k by differences at h and h / 2, their h^2 taken out. */
static void differentiate(const formula *f, const double *theta, int64_t k, double *slope)
{
    static double up[MOST_PIXELS], down[MOST_PIXELS];
    const double range = f->labels[k].max - f->labels[k].min;
    double at[MOST_LABELS];
    memset(slope, 0, (size_t)f->n_pixels * sizeof *slope);
    for (int half = 0; half < 2; half++) {
        const double h = range * (half ? 2.5e-4 : 5e-4);
        memcpy(at, theta, (size_t)f->n_labels * sizeof *at);
        at[k] = theta[k] + h;
        f->eval(f, at, up);
        at[k] = theta[k] - h;
        f->eval(f, at, down);
        for (int64_t i = 0; i < f->n_pixels; i++)
            slope[i] += (half ? 4.0 : -1.0) / 3 * (up[i] - down[i]) / (2 * h);
    }
}

/* The plugin's derivatives at a few places, relative to the largest in the spectrum. */
static void check_derivatives(const char *what, double tolerance, const emulated *m, formula *f)
{
    enum { PLACES = 4 };
    const int64_t P = f->n_pixels = m->info.n_pixels, L = f->n_labels = m->info.n_labels;
    const size_t size = m->ops->scratch_size(m->s.c.self, 1);
    float *got = malloc((size_t)((1 + L) * P) * sizeof *got);
    float *flux = malloc((size_t)P * sizeof *flux);
    double *slope = malloc((size_t)P * sizeof *slope), worst = 0;
    void *room = anpe_alloc(ctx, size);
    f->labels = m->info.labels;
    CU_ASSERT_FATAL(anpe_simulator_has_derivatives(&m->s.c));
    for (int place = 0; place < PLACES; place++) {
        double theta[MOST_LABELS];
        for (int64_t k = 0; k < L; k++) {
            const anpe_label *l = &m->info.labels[k];
            theta[k] =
                l->min + fmod(0.31 + 0.27 * place + 0.618 * (double)k, 1) * (l->max - l->min);
        }
        memset(room, 0xff, size);
        const long before = n_allocations;
        WORKS(m->ops->derivatives(m->s.c.self, ctx, theta, got, room));
        CU_ASSERT(n_allocations == before);
        WORKS(subject_simulate(&m->s, 1, theta, flux));
        for (int64_t i = 0; i < P; i++)
            CU_ASSERT_DOUBLE_EQUAL(got[i], flux[i], 1e-6 * fmax(fabs((double)flux[i]), 1));
        for (int64_t k = 0; k < L; k++) {
            double most = 0, off = 0;
            differentiate(f, theta, k, slope);
            for (int64_t i = 0; i < P; i++) {
                most = fmax(most, fabs(slope[i]));
                off = fmax(off, fabs((double)got[(1 + k) * P + i] - slope[i]));
            }
            worst = fmax(worst, off / most);
        }
    }
    printf("\n    %s: %.2g ", what, worst);
    CU_ASSERT(worst < tolerance);
    for (int i = 0; i < f->n_arrays; i++)
        free(f->array[i]);
    anpe_free(room);
    free(got);
    free(flux);
    free(slope);
}

static void test_derivatives_dense(void)
{
    static const char *const names[] = {"leaky_relu", "relu", "sigmoid"};
    static const char *const keys[] = {"w_array_0", "b_array_0", "w_array_1",
                                       "b_array_1", "w_array_2", "b_array_2"};
    for (int a = 0; a < 3; a++) {
        const char *path = make_published("p.h5", N_DENSE, dense);
        formula f = {.file = path, .eval = eval_dense, .activation = a};
        emulated m;
        anpe_import_request r = small_request(path);
        r.activation = names[a];
        read_formula(&f, 6, keys);
        open_emulator(&r, NULL, &m);
        check_derivatives(names[a], 1e-6, &m, &f);
        subject_clear(&m.s);
    }
}

static const char *const per_pixel_keys[] = {"w0", "b0", "w1", "b1", "output_affine"};

static void test_derivatives_per_pixel(void)
{
    emulated m;
    anpe_import_request r = small_request(make_published("p.h5", N_PER_PIXEL, per_pixel));
    formula f = {.file = r.out, .eval = eval_per_pixel, .rounded = 1};
    open_emulator(&r, NULL, &m);
    read_formula(&f, 5, per_pixel_keys);
    check_derivatives("small", 1e-6, &m, &f);
    subject_clear(&m.s);
    const char *survey = shared_file("data/emulators/apogee_5label_perpixel.npz");
    const char *optical = shared_file("data/emulators/optical_mgb_3label_hecto.h5");
    if (!survey || !optical) {
        printf(" partly skipped: no data/emulators ");
        return;
    }
    r = (anpe_import_request){.model = "payne",
                              .file = survey,
                              .out = in_scratch("e.h5"),
                              .labels = FIVE,
                              .grid = "apogee"};
    f = (formula){.file = r.out, .eval = eval_per_pixel, .rounded = 1};
    open_emulator(&r, NULL, &m);
    read_formula(&f, 4, per_pixel_keys);
    check_derivatives("apogee_5label_perpixel", 1e-6, &m, &f);
    subject_clear(&m.s);
    r = (anpe_import_request){.model = "payne",
                              .file = optical,
                              .out = in_scratch("e.h5"),
                              .labels = "log_teff,logg,fe_h"};
    f = (formula){.file = r.out, .eval = eval_per_pixel, .rounded = 1};
    open_emulator(&r, NULL, &m);
    read_formula(&f, 5, per_pixel_keys);
    /* weights up to 18, rounded to float, in sums that cancel: see test_thepayne */
    check_derivatives("optical_mgb_3label_hecto", 5e-6, &m, &f);
    subject_clear(&m.s);
}

static void test_derivatives_cannon(void)
{
    static const char files[] = "1 2 3\n10 20 30\n0.5 0.25 0.125\n4 5 6\n";
    char c[512], pivots[512], scales[512];
    formula f = {.eval = eval_cannon};
    emulated m;
    snprintf(c, sizeof c, "%s", in_scratch("c.txt"));
    snprintf(pivots, sizeof pivots, "%s", in_scratch("pivots.txt"));
    snprintf(scales, sizeof scales, "%s", in_scratch("scales.txt"));
    write_bytes(pivots, "5000 2\n", 7);
    write_bytes(scales, "100 2\n", 6);
    write_bytes(c, files, sizeof files - 1);
    open_emulator(&(anpe_import_request){.model = "cannon",
                                         .file = c,
                                         .pivots = pivots,
                                         .scale = scales,
                                         .labels = "teff,logg",
                                         .terms = "teff logg teff^2*logg",
                                         .range = "4000:6000,0:5",
                                         .out = in_scratch("small.h5")},
                  NULL, &m);
    check_derivatives("cannon", 1e-6, &m, &f);
    subject_clear(&m.s);
}

/* At an end of a label's range the derivative is that from inside, also of a range that is narrower
 * than the file's; beyond it is refused as by simulate. A plugin that was built before there were
 * derivatives has none, whatever lies behind its operations. */
static void test_derivatives_edge(void)
{
    emulated m;
    anpe_import_request r = small_request(make_published("p.h5", N_PER_PIXEL, per_pixel));
    const double edge[] = {0.5, 0.5}, outside[] = {1.25, 0.5};
    float whole[3 * 37], narrow[3 * 37];
    open_emulator(&r, NULL, &m);
    void *room = anpe_alloc(ctx, m.ops->scratch_size(m.s.c.self, 1));
    FAILS(m.ops->derivatives(m.s.c.self, ctx, outside, whole, room), ANPE_EINVAL,
          "payne: label teff outside [0, 1]: 1.25");
    WORKS(m.ops->derivatives(m.s.c.self, ctx, edge, whole, room));
    subject_clear(&m.s);
    r.range = "0.25:0.5,0.125:0.75";
    open_emulator(&r, NULL, &m);
    WORKS(m.ops->derivatives(m.s.c.self, ctx, edge, narrow, room));
    CU_ASSERT(!memcmp(whole, narrow, sizeof whole));
    for (int i = 37; i < 3 * 37; i++)
        CU_ASSERT(narrow[i] != 0);
    anpe_simulator_ops older = *m.ops;
    anpe_component c = m.s.c;
    older.size = offsetof(anpe_simulator_ops, derivatives);
    c.ops = &older;
    CU_ASSERT(!anpe_simulator_has_derivatives(&c));
    anpe_free(room);
    subject_clear(&m.s);
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
        {&r.grid, "apogee", "has 7214 or 8575 pixels, the emulator has 37"},
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
    {"derivatives, dense", test_derivatives_dense},
    {"derivatives, per pixel", test_derivatives_per_pixel},
    {"derivatives, cannon", test_derivatives_cannon},
    {"derivatives at an edge", test_derivatives_edge},
    {"per pixel, batches", test_per_pixel_batch},
    {"scatter", test_scatter},
    {"domain", test_domain},
    {"range", test_range},
    {"range of a published network", test_published_range},
    {"emulators of earlier versions", test_old_emulator},
    {"grids", test_grid},
    {"import: shapes", test_import_shapes},
    {"import: requests", test_import_requests},
    {"cannon layouts", test_cannon_layouts},
    {"foreign files", test_foreign_files},
    {"array", test_array},
};

int main(int argc, char **argv)
{
    return run_suite(argc, argv, "simulator", COUNT(tests), tests);
}
