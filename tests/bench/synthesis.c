/* Spectra computed from atmospheres and line lists: one window a configuration, one core; by
 * themselves, and as many as a grid computes together for one atmosphere, which differ in
 * abundances. */
#include <config.h>
#include "bench/bench.h"
#include "prepare/synth.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOGETHER = 16 };

typedef struct synthesis {
    const bench *b;
    anpe_synth s;
    double *theta; /* (TOGETHER, labels) */
    float *flux;   /* (TOGETHER, pixels) */
    void *room;
    anpe_status status;
} synthesis;

static void one(void *user)
{
    synthesis *y = user;
    const anpe_component *c = &y->s.task->simulator;
    const anpe_simulator_ops *ops = c->ops;
    y->status = ops->simulate(c->self, y->b->ctx, 1, y->theta, y->flux, y->s.scratch);
}

static void several(void *user)
{
    synthesis *y = user;
    const anpe_component *c = &y->s.task->simulator;
    const anpe_simulator_ops *ops = c->ops;
    y->status = ops->simulate_shared(c->self, y->b->ctx, TOGETHER, y->theta, y->flux, y->room);
}

/* The star, and others of its atmosphere with abundances 0.3 dex up and down. */
static anpe_status choose_stars(bench *b, synthesis *y)
{
    const anpe_simulator_info *sim = &y->s.task->sim;
    const anpe_simulator_ops *ops = y->s.task->simulator.ops;
    float *random = NULL;
    uint8_t *is_shared = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(b->ctx, y->theta, TOGETHER, sim->n_labels));
    ANPE_TRY(ANPE_NEW(b->ctx, random, TOGETHER, sim->n_labels));
    ANPE_TRY(ANPE_NEW(b->ctx, is_shared, sim->n_labels));
    ops->shared(y->s.task->simulator.self, is_shared);
    bench_fill(TOGETHER * sim->n_labels, random);
    for (int64_t i = 0; i < TOGETHER * sim->n_labels; i++) {
        const int64_t j = i % sim->n_labels;
        y->theta[i] = y->s.theta[j] + (i == j || is_shared[j] ? 0 : 0.3 * (double)random[i]);
    }
out:
    free(random);
    free(is_shared);
    return status;
}

static void report(bench *b, const char *name, double seconds, size_t scratch, const char *shape,
                   int64_t n_pixels)
{
    char memory[80];
    snprintf(memory, sizeof memory, "%s, memory", name);
    bench_report(b, name, 1 / seconds, "spectra/s", 1, NAN, "%s, %lld pixels", shape,
                 (long long)n_pixels);
    bench_report(b, memory, (double)scratch / 0x1p20, "MiB", 1, NAN, "%s", shape);
}

static anpe_status measure(bench *b, const char *config)
{
    static const char *const star[] = {"fe_h=0",  "vmicro=1", "c_fe=0", "n_fe=0",
                                       "mg_fe=0", "si_fe=0",  "ti_fe=0"};
    const anpe_synth_request request = {
        .source = config, .n_sets = sizeof star / sizeof star[0], .sets = star};
    const char *slash = strrchr(config, '/'), *name = slash ? slash + 1 : config;
    synthesis y = {.b = b};
    anpe_status status;
    ANPE_TRY(anpe_synth_open(b->ctx, &request, &y.s));
    const int64_t n = y.s.task->sim.n_pixels;
    const void *self = y.s.task->simulator.self;
    const anpe_simulator_ops *ops = y.s.task->simulator.ops;
    const size_t shared = ops->shared_scratch_size(self, TOGETHER);
    ANPE_TRY(choose_stars(b, &y));
    ANPE_TRY(ANPE_NEW(b->ctx, y.flux, TOGETHER, n));
    y.room = anpe_alloc(b->ctx, shared);
    ANPE_TRY(y.room ? ANPE_OK : ANPE_ENOMEM);
    const double alone = bench_core_seconds(b, one, &y);
    ANPE_TRY(y.status);
    report(b, "synthesis", alone, ops->scratch_size(self, 1), name, n);
    const double together = bench_core_seconds(b, several, &y) / TOGETHER;
    ANPE_TRY(y.status);
    report(b, "synthesis, 16 of an atmosphere", together, shared, name, n);
out:
    anpe_synth_close(&y.s);
    anpe_free(y.room);
    free(y.theta);
    free(y.flux);
    return status;
}

anpe_status bench_synthesis(bench *b)
{
    anpe_status status = ANPE_OK;
    if (!b->n_syntheses)
        fprintf(stderr, "bench: synthesis skipped: no --synthesis CONFIG\n");
    for (int i = 0; i < b->n_syntheses && !status; i++)
        status = measure(b, b->syntheses[i]);
    return status;
}
