/* Shared by the tests of emulators: published ones and small ones made here, imported and opened.
 */
#ifndef ANPE_TEST_EMULATOR_SUPPORT_H
#define ANPE_TEST_EMULATOR_SUPPORT_H
#include "file/hdf5_file.h"
#include "prepare/import.h"
#include "plugin_support.h"
#include <math.h>

typedef struct emulated {
    subject s;
    anpe_simulator_info info;
    const anpe_simulator_ops *ops;
} emulated;

/* For an instrument of that range and resolution. */
static inline anpe_status simulator_seen(const char *text, double lambda_min, double lambda_max,
                                         double resolution, emulated *m)
{
    const anpe_simulator_setup setup = {sizeof setup, lambda_min, lambda_max, resolution};
    const anpe_status status = subject_new(ANPE_SIMULATOR, &setup, text, &m->s);
    if (status)
        return status;
    m->ops = m->s.c.ops;
    m->ops->info(m->s.c.self, &m->info);
    return ANPE_OK;
}

static inline anpe_status simulator_new(const char *text, emulated *m)
{
    return simulator_seen(text, 0, 0, 0, m);
}

/* Imports and opens; more: further options of the plugin. */
static inline void open_emulator(const anpe_import_request *r, const char *more, emulated *m)
{
    anpe_emulator e;
    char text[1200];
    WORKS(anpe_import(ctx, r, &e));
    anpe_emulator_clear(&e);
    snprintf(text, sizeof text, "plugin = \"%s\"; file = \"%s\"; %s", r->model, r->out,
             more ? more : "");
    WORKS(simulator_new(text, m));
}

#define FIVE "teff,logg,fe_h,mg_fe,vmacro"

typedef struct part {
    const char *key;
    int rank;
    int64_t shape[3];
} part;

enum { N_DENSE = 8 };
static const part dense[N_DENSE] = {{"x_min", 1, {2}},         {"x_max", 1, {2}},
                                    {"w_array_0", 2, {7, 2}},  {"b_array_0", 1, {7}},
                                    {"w_array_1", 2, {5, 7}},  {"b_array_1", 1, {5}},
                                    {"w_array_2", 2, {37, 5}}, {"b_array_2", 1, {37}}};
enum { N_PER_PIXEL = 6 };
static const part per_pixel[N_PER_PIXEL] = {
    {"x_min", 1, {2}},         {"x_max", 1, {2}},         {"w_array_0", 3, {37, 4, 2}},
    {"b_array_0", 2, {37, 4}}, {"w_array_1", 2, {37, 4}}, {"b_array_1", 1, {37}}};

/* An HDF5 file in The Payne's layout, of smooth made-up numbers; x_min and x_max are 0 and 1. */
static inline const char *make_published(const char *name, int n, const part *parts)
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

/* Weights and biases of an emulator of components, layer by layer. */
enum { N_COMPONENTS = 8 };
static const part components[N_COMPONENTS] = {
    {"w0", 2, {7, 2}}, {"b0", 1, {7}}, {"w1", 2, {5, 7}},     {"b1", 1, {5}},
    {"w2", 2, {6, 5}}, {"b2", 1, {6}}, {"basis", 2, {37, 6}}, {"mean", 1, {37}}};

/* An emulator of the first n of these parts, of smooth made-up numbers, the mean raised by `lift`;
 * labels from 0 to 1. */
static inline const char *make_components(const char *name, int n, const part *parts, double lift,
                                          const char *activation, int half)
{
    const char *path = in_scratch(name);
    anpe_emulator e = {.kind = "components",
                       .activation = activation,
                       .resolution = INFINITY,
                       .normalised = 1,
                       .half = half,
                       .n_labels = 2,
                       .n_layers = 3};
    e.labels = calloc(2, sizeof *e.labels);
    for (int k = 0; k < 2; k++) {
        snprintf(e.labels[k].name, sizeof e.labels[k].name, k ? "logg" : "teff");
        e.labels[k].max = 1;
    }
    for (int i = 0; i < n; i++) {
        const int64_t count = parts[i].shape[0] * (parts[i].rank == 2 ? parts[i].shape[1] : 1);
        double *v = malloc((size_t)count * sizeof *v);
        for (int64_t k = 0; k < count; k++)
            v[k] = !strcmp(parts[i].key, "wavelength") ? 5000 + (double)k
                   : !strcmp(parts[i].key, "scatter")
                       ? 0.5 + (double)k
                       : sin(1.7 * (double)k + i) + (strcmp(parts[i].key, "mean") ? 0 : lift);
        WORKS(anpe_emulator_add(ctx, &e, parts[i].key, parts[i].rank, parts[i].shape, v));
    }
    WORKS(anpe_emulator_write(ctx, &e, path));
    anpe_emulator_clear(&e);
    return path;
}

static inline anpe_status open_components(const char *path, emulated *m)
{
    char text[1200];
    snprintf(text, sizeof text, "plugin = \"payne\"; file = \"%s\";", path);
    return simulator_new(text, m);
}

static inline anpe_import_request small_request(const char *file)
{
    return (anpe_import_request){
        .model = "payne", .file = file, .out = in_scratch("small.h5"), .labels = "teff,logg"};
}

static inline double *read_whole(const char *path, const char *key, int64_t *n)
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

static inline double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
#endif
