/* The dense emulator, and the whole pipeline that makes training spectra. */
#include <config.h>
#include "bench/bench.h"
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

static anpe_status open_emulator(const bench *b, emulator_bench *e)
{
    char text[4096];
    anpe_status status;
    snprintf(text, sizeof text, "simulator = { plugin = \"payne\"; file = \"%s\"; };", b->emulator);
    const anpe_simulator_setup setup = {.size = sizeof setup};
    ANPE_TRY(anpe_settings_parse(b->ctx, text, "bench", 0, NULL, &e->settings));
    ANPE_TRY(anpe_component_new(b->ctx, e->settings, ANPE_SIMULATOR, "simulator", NULL, &setup,
                                &e->simulator));
    ((const anpe_simulator_ops *)e->simulator.ops)->info(e->simulator.self, &e->info);
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

anpe_status bench_emulator(bench *b)
{
    emulator_bench e = {.b = b};
    if (!b->emulator) {
        fprintf(stderr, "bench: emulator skipped: no --emulator FILE\n");
        return ANPE_OK;
    }
    anpe_status status = open_emulator(b, &e);
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
    anpe_free(e.scratch);
    free(e.theta), free(e.flux), free(e.hidden), free(e.weight);
    anpe_component_clear(&e.simulator);
    anpe_settings_free(e.settings);
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
