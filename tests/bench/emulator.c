/* The dense emulator, one of components beside it, and the whole pipeline that makes training
 * spectra. */
#include <config.h>
#include "bench/bench.h"
#include "file/emulator.h"
#include "train/dataset.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, PIXELS = 7214, WIDTH = 300, SPECTRA = 64 };

typedef struct emulator_bench {
    const bench *b;
    anpe_settings *settings;
    anpe_component simulator;
    anpe_simulator_info info;
    double *theta;
    float *flux, *hidden, *weight;
    void *scratch;
    anpe_status status;
} emulator_bench;

static void simulate(void *user)
{
    emulator_bench *e = user;
    const anpe_simulator_ops *ops = e->simulator.ops;
    e->status = ops->simulate(e->simulator.self, e->b->ctx, BATCH, e->theta, e->flux, e->scratch);
}

enum { PLACES = 8 };

/* The spectrum and its derivatives at PLACES. */
static void derive(void *user)
{
    emulator_bench *e = user;
    const anpe_simulator_ops *ops = e->simulator.ops;
    for (int i = 0; i < PLACES && !e->status; i++)
        e->status = ops->derivatives(e->simulator.self, e->b->ctx, e->theta + i * e->info.n_labels,
                                     e->flux, e->scratch);
}

/* What differences would take in their place. */
static void step(void *user)
{
    emulator_bench *e = user;
    const anpe_simulator_ops *ops = e->simulator.ops;
    for (int i = 0; i < PLACES && !e->status; i++)
        e->status = ops->simulate(e->simulator.self, e->b->ctx, 1 + e->info.n_labels,
                                  e->theta + i * e->info.n_labels, e->flux, e->scratch);
}

/* The emulator's largest product by the backend. */
static void multiply(void *user)
{
    const emulator_bench *e = user;
    const anpe_backend backend = e->b->backend;
    backend.ops->sgemm(backend.self, 0, 1, BATCH, PIXELS, WIDTH, 1, e->hidden, WIDTH, e->weight,
                       WIDTH, 0, e->flux, PIXELS);
}

static anpe_status open_simulator(const bench *b, const char *path, emulator_bench *e)
{
    char text[4096];
    anpe_status status;
    snprintf(text, sizeof text, "simulator = { plugin = \"payne\"; file = \"%s\"; };", path);
    const anpe_simulator_setup setup = {.size = sizeof setup};
    ANPE_TRY(anpe_settings_parse(b->ctx, text, "bench", 0, NULL, &e->settings));
    ANPE_TRY(anpe_component_new(b->ctx, e->settings, ANPE_SIMULATOR, "simulator", NULL, &setup,
                                &e->simulator));
    ((const anpe_simulator_ops *)e->simulator.ops)->info(e->simulator.self, &e->info);
out:
    return status;
}

static void close_emulator(emulator_bench *e)
{
    anpe_free(e->scratch);
    free(e->theta), free(e->flux), free(e->hidden), free(e->weight);
    anpe_component_clear(&e->simulator);
    anpe_settings_free(e->settings);
}

static anpe_status open_emulator(const bench *b, emulator_bench *e)
{
    anpe_status status;
    ANPE_TRY(open_simulator(b, b->emulator, e));
    if (e->info.n_pixels != PIXELS)
        return ANPE_FAIL(b->ctx, ANPE_EINVAL, "%s has %lld pixels, expected %d", b->emulator,
                         (long long)e->info.n_pixels, PIXELS);
    const anpe_simulator_ops *ops = e->simulator.ops;
    e->scratch = anpe_alloc(
        b->ctx, 64 + (ops->scratch_size ? ops->scratch_size(e->simulator.self, BATCH) : 0));
    if (!e->scratch || ANPE_NEW(b->ctx, e->theta, BATCH, e->info.n_labels) ||
        ANPE_NEW(b->ctx, e->flux, BATCH, PIXELS) || ANPE_NEW(b->ctx, e->hidden, BATCH, WIDTH) ||
        ANPE_NEW(b->ctx, e->weight, PIXELS, WIDTH))
        return ANPE_ENOMEM;
    bench_fill(BATCH * WIDTH, e->hidden);
    bench_fill(PIXELS * WIDTH, e->weight);
    bench_fill(BATCH * e->info.n_labels, e->flux);
    for (int64_t i = 0; i < BATCH * e->info.n_labels; i++) {
        const anpe_label *l = &e->info.labels[i % e->info.n_labels];
        e->theta[i] = l->min + (0.5 + 0.49 * (double)e->flux[i]) * (l->max - l->min);
    }
out:
    return status;
}

/* ---- components -------------------------------------------------------------------------- */

enum { LABELS = 24, LONG = 11351, UNITS = 400, COMPONENTS = 128, LAYERS = 3 };

typedef struct both {
    emulator_bench dense, components;
} both;

static void derive_dense(void *user)
{
    both *t = user;
    derive(&t->dense);
}

static void derive_components(void *user)
{
    both *t = user;
    derive(&t->components);
}

/* w (out, in) and b (out) of a layer of made-up numbers, or a basis and a mean. */
static anpe_status add_layer(anpe_ctx *ctx, anpe_emulator *e, const char *const names[2],
                             int64_t out, int64_t in, double bias)
{
    const int64_t shape[2] = {out, in};
    double *w, *b;
    float *x = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, x, out, in));
    bench_fill(out * in, x);
    ANPE_TRY(ANPE_NEW(ctx, w, out, in));
    for (int64_t i = 0; i < out * in; i++)
        w[i] = (double)(float)((double)x[i] / sqrt((double)in));
    ANPE_TRY(anpe_emulator_add(ctx, e, names[0], 2, shape, w));
    ANPE_TRY(ANPE_NEW(ctx, b, out));
    for (int64_t i = 0; i < out; i++)
        b[i] = bias;
    ANPE_TRY(anpe_emulator_add(ctx, e, names[1], 1, shape, b));
out:
    free(x);
    return status;
}

/* A network of LABELS labels that gives LONG pixels, or by the coefficients of k components; a flux
 * far above what the network adds, as a continuum is, lets the last product run in float. */
static anpe_status write_made(const bench *b, int64_t k, const char *path)
{
    static const char *const names[LAYERS + 1][2] = {
        {"w0", "b0"}, {"w1", "b1"}, {"w2", "b2"}, {"basis", "mean"}};
    anpe_emulator e = {.kind = k ? "components" : "dense",
                       .activation = "sigmoid",
                       .resolution = INFINITY,
                       .normalised = 1,
                       .n_labels = LABELS,
                       .n_layers = LAYERS};
    anpe_status status;
    ANPE_TRY(ANPE_NEW(b->ctx, e.labels, LABELS));
    for (int i = 0; i < LABELS; i++) {
        snprintf(e.labels[i].name, sizeof e.labels[i].name, "label%d", i);
        e.labels[i].max = 1;
    }
    ANPE_TRY(add_layer(b->ctx, &e, names[0], UNITS, LABELS, 0));
    ANPE_TRY(add_layer(b->ctx, &e, names[1], UNITS, UNITS, 0));
    ANPE_TRY(add_layer(b->ctx, &e, names[2], k ? k : LONG, UNITS, k ? 0 : 100));
    if (k)
        ANPE_TRY(add_layer(b->ctx, &e, names[3], LONG, k, 100));
    ANPE_TRY(anpe_emulator_write(b->ctx, &e, path));
out:
    anpe_emulator_clear(&e);
    return status;
}

static anpe_status open_made(const bench *b, int64_t k, emulator_bench *e)
{
    char path[4096];
    anpe_status status;
    e->b = b;
    snprintf(path, sizeof path, "%s/made.h5", b->directory);
    ANPE_TRY(write_made(b, k, path));
    ANPE_TRY(open_simulator(b, path, e));
    const anpe_simulator_ops *ops = e->simulator.ops;
    e->scratch = anpe_alloc(b->ctx, ops->scratch_size(e->simulator.self, 1));
    if (!e->scratch || ANPE_NEW(b->ctx, e->theta, PLACES, LABELS) ||
        ANPE_NEW(b->ctx, e->flux, 1 + LABELS, LONG))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < PLACES * LABELS; i++)
        e->theta[i] = fmod(0.31 + 0.618 * (double)i, 1);
out:
    remove(path);
    return status;
}

/* share: of the speed of the dense one, in turn. */
static anpe_status bench_components(const bench *b)
{
    both t = {{0}, {0}};
    anpe_status status;
    ANPE_TRY(open_made(b, 0, &t.dense));
    ANPE_TRY(open_made(b, COMPONENTS, &t.components));
    const bench_pair d = bench_in_turn(b, derive_dense, derive_components, &t);
    ANPE_TRY(t.dense.status);
    ANPE_TRY(t.components.status);
    bench_report(b, "emulator derivatives, dense", PLACES / d.first, "places/s", 1, NAN,
                 "%d -> %d -> %d -> %d", LABELS, UNITS, UNITS, LONG);
    bench_report(b, "emulator derivatives, components", PLACES / d.second, "places/s", 1, d.ratio,
                 "%d -> %d -> %d -> %d -> %d", LABELS, UNITS, UNITS, COMPONENTS, LONG);
out:
    close_emulator(&t.dense);
    close_emulator(&t.components);
    return status;
}

anpe_status bench_emulator(bench *b)
{
    emulator_bench e = {.b = b};
    if (!b->directory)
        fprintf(stderr, "bench: components skipped: no --directory DIR\n");
    anpe_status status = b->directory ? bench_components(b) : ANPE_OK;
    if (!b->emulator) {
        fprintf(stderr, "bench: emulator skipped: no --emulator FILE\n");
        return status;
    }
    status = status ? status : open_emulator(b, &e);
    if (!status) {
        const double labels = (double)e.info.n_labels;
        const double work = 2.0 * BATCH * WIDTH * (labels + WIDTH + PIXELS);
        const bench_pair t = bench_in_turn(b, simulate, multiply, &e);
        const double sgemm = 2.0 * BATCH * PIXELS * WIDTH;
        status = e.status;
        bench_report(b, "sgemm of the emulator", sgemm / t.second * 1e-9, "GFLOP/s", 1,
                     sgemm / t.second / b->sgemm, "%dx%dx%d", BATCH, PIXELS, WIDTH);
        /* share: of sgemm at that shape */
        bench_report(b, "emulator", work / t.first * 1e-9, "GFLOP/s", 1, work / sgemm / t.ratio,
                     "%dx%d -> %d -> %d -> %d", BATCH, (int)labels, WIDTH, WIDTH, PIXELS);
        bench_report(b, "emulated spectra", BATCH / t.first, "spectra/s", 1, NAN, "%dx%d", BATCH,
                     PIXELS);
        const bench_pair d = bench_in_turn(b, derive, step, &e);
        status = status ? status : e.status;
        /* share: of the speed of differences, which take as many spectra */
        bench_report(b, "emulator derivatives", PLACES / d.first, "places/s", 1, 1 / d.ratio,
                     "%dx%d", (int)labels, PIXELS);
    }
    close_emulator(&e);
    return status;
}

/* ---- the pipeline ------------------------------------------------------------------------ */

typedef struct pipeline {
    bench *b;
    anpe_task *task;
    anpe_dataset *dataset;
    anpe_dataset_desk work;
    float *x, *y;
    anpe_status status;
} pipeline;

static void fill(void *user)
{
    pipeline *p = user;
    p->status = anpe_dataset_fill(p->dataset, p->b->ctx, &p->work, 0, 0, 0, SPECTRA, p->x, p->y);
}

static anpe_status open_pipeline(bench *b, anpe_settings *settings, pipeline *p)
{
    const anpe_dataset_setup setup = {1, 0, SPECTRA, SPECTRA, NULL, 0, 0};
    anpe_status status;
    ANPE_TRY(anpe_task_new(b->ctx, settings, ANPE_TASK_ALL, NULL, &p->task));
    ANPE_TRY(anpe_dataset_new(b->ctx, p->task, &setup, NULL, NULL, &p->dataset));
    ANPE_TRY(anpe_dataset_open_desk(p->dataset, b->ctx, SPECTRA, &p->work));
    ANPE_TRY(anpe_dataset_load(p->dataset, b->ctx, 0, 0, 0, 0, SPECTRA));
    const anpe_channels *c = p->dataset->channels;
    if (ANPE_NEW(b->ctx, p->x, SPECTRA, c->length, c->width) ||
        ANPE_NEW(b->ctx, p->y, SPECTRA, p->task->n_labels))
        return ANPE_ENOMEM;
out:
    return status;
}

anpe_status bench_pipeline(bench *b)
{
    pipeline p = {.b = b};
    anpe_settings *settings = NULL;
    if (!b->config) {
        fprintf(stderr, "bench: pipeline skipped: no --config FILE\n");
        return ANPE_OK;
    }
    anpe_status status = anpe_settings_read(b->ctx, b->config, 0, NULL, &settings);
    if (!status)
        status = open_pipeline(b, settings, &p);
    if (!status) {
        const double t = bench_seconds(b, fill, &p);
        status = p.status;
        bench_report(b, "training spectra made", SPECTRA / t, "spectra/s", 1, NAN, "%dx%lldx%lld",
                     SPECTRA, (long long)p.dataset->channels->length,
                     (long long)p.dataset->channels->width);
    }
    free(p.x), free(p.y);
    anpe_dataset_close_desk(&p.work);
    anpe_dataset_free(p.dataset);
    anpe_task_free(p.task);
    anpe_settings_free(settings);
    return status;
}
