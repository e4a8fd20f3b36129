/* Spectra computed from atmospheres and line lists: one window a configuration, one core. */
#include <config.h>
#include "bench/bench.h"
#include "prepare/synth.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct synthesis {
    const bench *b;
    anpe_synth s;
    float *flux;
    anpe_status status;
} synthesis;

static void simulate(void *user)
{
    synthesis *y = user;
    const anpe_component *c = &y->s.task->simulator;
    const anpe_simulator_ops *ops = c->ops;
    y->status = ops->simulate(c->self, y->b->ctx, 1, y->s.theta, y->flux, y->s.scratch);
}

static anpe_status measure(bench *b, const char *config)
{
    static const char *const star[] = {"fe_h=0", "vmicro=1"};
    const anpe_synth_request request = {.source = config, .n_sets = 2, .sets = star};
    const char *slash = strrchr(config, '/'), *name = slash ? slash + 1 : config;
    synthesis y = {.b = b};
    anpe_status status;
    ANPE_TRY(anpe_synth_open(b->ctx, &request, &y.s));
    const anpe_simulator_info *sim = &y.s.task->sim;
    const anpe_simulator_ops *ops = y.s.task->simulator.ops;
    ANPE_TRY(ANPE_NEW(b->ctx, y.flux, sim->n_pixels));
    const double seconds = bench_core_seconds(b, simulate, &y);
    ANPE_TRY(y.status);
    bench_report(b, "synthesis", 1 / seconds, "spectra/s", 1, NAN, "%s, %lld pixels", name,
                 (long long)sim->n_pixels);
    bench_report(b, "synthesis, memory",
                 (double)ops->scratch_size(y.s.task->simulator.self, 1) / 0x1p20, "MiB", 1, NAN,
                 "%s", name);
out:
    anpe_synth_close(&y.s);
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
