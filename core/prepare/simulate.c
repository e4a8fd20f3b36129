/* Simulations to a file, in blocks: workers fill a block, the main thread appends it. */
#include "prepare/simulate.h"
#include "base/workers.h"
#include "file/hdf5_file.h"
#include "file/output.h"
#include "model/open_task.h"
#include "task/task.h"
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, BLOCK = 256 };

typedef struct simulation {
    const anpe_simulate_request *request;
    anpe_settings *settings;
    anpe_task *task;
    anpe_workers *workers;
    anpe_bench **bench; /* one per worker */
    anpe_h5 *file;
    int64_t first, n; /* the block */
    double *theta;    /* (BLOCK, labels) */
    float *flux, *sigma;
    uint8_t *mask;
} simulation;

static anpe_status run_batch(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    simulation *s = user;
    anpe_bench *b = s->bench[worker];
    const int64_t offset = item * BATCH, n = s->n - offset < BATCH ? s->n - offset : BATCH;
    const int64_t size = anpe_task_size(s->task), labels = s->task->prior->n_labels;
    anpe_status status;
    ANPE_TRY(anpe_task_draw_labels(s->task, ctx, b, s->request->seed, ANPE_FOR_MOCKS,
                                   s->first + offset, n));
    ANPE_TRY(anpe_task_simulate(s->task, ctx, b, n));
    memcpy(s->theta + offset * labels, b->theta, (size_t)(n * labels) * sizeof *s->theta);
    if (!s->request->observed) {
        memcpy(s->flux + offset * size, b->flux, (size_t)(n * size) * sizeof *s->flux);
        return ANPE_OK;
    }
    for (int64_t k = 0; k < n; k++) {
        anpe_rng rng =
            anpe_rng_make(s->request->seed, ANPE_FOR_MOCKS, s->first + offset + k, ANPE_SLOT_NOISE);
        ANPE_TRY(anpe_task_observe(s->task, ctx, b, k, &rng));
        const int64_t at = (offset + k) * size;
        memcpy(s->flux + at, b->spectrum.flux, (size_t)size * sizeof *s->flux);
        memcpy(s->sigma + at, b->spectrum.sigma, (size_t)size * sizeof *s->sigma);
        memcpy(s->mask + at, b->spectrum.mask, (size_t)size);
    }
out:
    return status;
}

static anpe_status append_block(anpe_ctx *ctx, simulation *s)
{
    anpe_status status;
    ANPE_TRY(anpe_h5_append_rows(ctx, s->file, "theta", ANPE_H5_DOUBLE, s->n, s->theta));
    ANPE_TRY(anpe_h5_append_rows(ctx, s->file, "flux", ANPE_H5_FLOAT, s->n, s->flux));
    if (s->request->observed) {
        ANPE_TRY(anpe_h5_append_rows(ctx, s->file, "sigma", ANPE_H5_FLOAT, s->n, s->sigma));
        ANPE_TRY(anpe_h5_append_rows(ctx, s->file, "mask", ANPE_H5_UINT8, s->n, s->mask));
    }
out:
    return status;
}

static anpe_status create_file(anpe_ctx *ctx, simulation *s)
{
    const anpe_instrument_info *inst = &s->task->instrument.info;
    const anpe_prior *p = s->task->prior;
    const int64_t theta[2] = {0, p->n_labels}, flux[3] = {0, inst->channels, inst->n_pixels};
    const int64_t flat[2] = {0, inst->n_pixels};
    const int rank = inst->channels > 1 ? 3 : 2;
    const int64_t *shape = rank == 3 ? flux : flat;
    anpe_status status;
    ANPE_TRY(anpe_h5_create(ctx, s->request->output, &s->file));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "format", "anpe simulations"));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "instrument", s->task->instrument.name));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "simulator", s->task->simulator.plugin->name));
    ANPE_TRY(anpe_h5_create_rows(ctx, s->file, "theta", ANPE_H5_DOUBLE, 2, theta));
    ANPE_TRY(anpe_h5_put_labels(ctx, s->file, "theta", "labels", p->n_labels, p->label));
    ANPE_TRY(anpe_h5_create_rows(ctx, s->file, "flux", ANPE_H5_FLOAT, rank, shape));
    if (s->request->observed) {
        ANPE_TRY(anpe_h5_create_rows(ctx, s->file, "sigma", ANPE_H5_FLOAT, rank, shape));
        ANPE_TRY(anpe_h5_create_rows(ctx, s->file, "mask", ANPE_H5_UINT8, rank, shape));
    }
    if (inst->wavelength)
        ANPE_TRY(anpe_h5_write(ctx, s->file, "wavelength", ANPE_H5_DOUBLE, 1, &inst->n_pixels,
                               inst->wavelength));
out:
    return status;
}

/* Emulators, libraries and whatever else the configuration names. */
static anpe_status check_inputs(anpe_ctx *ctx, const simulation *s)
{
    const char *option, *path;
    anpe_status status = ANPE_OK;
    for (int i = 0; !status && (path = anpe_settings_file(s->settings, i, &option)); i++)
        status = anpe_output_differs(ctx, s->request->output, path);
    return status;
}

static anpe_status open_memory(anpe_ctx *ctx, simulation *s)
{
    const size_t n = (size_t)(BLOCK * anpe_task_size(s->task));
    anpe_status status = anpe_workers_new(ctx, s->request->threads, &s->workers);
    if (status)
        return status;
    const int lanes = anpe_workers_count(s->workers);
    s->bench = calloc((size_t)lanes, sizeof *s->bench);
    s->theta = calloc((size_t)(BLOCK * s->task->prior->n_labels), sizeof *s->theta);
    s->flux = calloc(n, sizeof *s->flux);
    s->sigma = calloc(n, sizeof *s->sigma);
    s->mask = calloc(n, 1);
    if (!s->bench || !s->theta || !s->flux || !s->sigma || !s->mask)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "simulations: out of memory");
    for (int i = 0; i < lanes && !status; i++)
        status = anpe_bench_new(ctx, s->task, BATCH, &s->bench[i]);
    return status;
}

static void close_simulation(simulation *s)
{
    for (int i = 0; s->bench && i < anpe_workers_count(s->workers); i++)
        anpe_bench_free(s->bench[i]);
    free(s->bench);
    anpe_workers_free(s->workers);
    anpe_h5_abandon(s->file);
    free(s->theta);
    free(s->flux);
    free(s->sigma);
    free(s->mask);
    anpe_task_free(s->task);
    anpe_settings_free(s->settings);
}

anpe_status anpe_simulate(anpe_ctx *ctx, const anpe_simulate_request *request)
{
    simulation s = {.request = request};
    anpe_status status;
    ANPE_TRY(anpe_output_check(ctx, request->output));
    ANPE_TRY(anpe_output_differs(ctx, request->output, request->source));
    ANPE_TRY(anpe_simulate_open(ctx, request->source, request->n_sets, request->sets, &s.settings,
                                &s.task));
    ANPE_TRY(check_inputs(ctx, &s));
    ANPE_TRY(open_memory(ctx, &s));
    ANPE_TRY(create_file(ctx, &s));
    for (s.first = 0; s.first < request->n; s.first += BLOCK) {
        s.n = request->n - s.first < BLOCK ? request->n - s.first : BLOCK;
        ANPE_TRY(anpe_workers_run(s.workers, ctx, (s.n + BATCH - 1) / BATCH, run_batch, &s));
        ANPE_TRY(append_block(ctx, &s));
        anpe_progress(ctx, "simulating", (double)(s.first + s.n), (double)request->n);
    }
    anpe_h5 *file = s.file;
    s.file = NULL; /* close takes it, also when it fails */
    status = anpe_h5_close(ctx, file);
out:
    close_simulation(&s);
    return status;
}
