/* bench/bench.h -- measuring, and reporting as one JSON object a line:
 *   {"name", "value", "unit", "shape", "backend", "precision", "threads", "machine"}
 * and, where there is something to compare with, "share": of the rate of sgemm (products) or of
 * memcpy (everything else) on as many threads, measured in the same run. Wall-clock time, the
 * likelihood's the thread's own; the value is the median of several repeats, each at least 10 ms
 * long. */
#ifndef ANPE_BENCH_H
#define ANPE_BENCH_H
#include <math.h>
#include "graph/network.h"
#include "kind/backend.h"

enum { BENCH_MOCKS = 128 };

typedef struct bench {
    anpe_ctx *ctx;
    char machine[200];
    int threads, repeats;
    int batch, micro; /* spectra of a step, of a micro-batch */
    const char *program, *emulator, *likelihood, *config, *directory; /* NULL: not given */
    int n_spectra, n_surveys, n_syntheses, n_stars;
    /* for the groups command, reading, synthesis and survey */
    char **spectra, **surveys, **syntheses, **stars;
    const char *model, *mock, *mocks;     /* of the group survey; 1 and BENCH_MOCKS spectra */
    const char *backend_name, *precision; /* as in the group "compute" */
    anpe_settings *settings;              /* of the backend */
    anpe_component component;
    anpe_backend backend;
    double sgemm, copy; /* FLOP/s and bytes/s of one thread */
} bench;

double bench_now(void);
/* Median seconds of one call of run(user). */
typedef void bench_fn(void *user);
double bench_seconds(const bench *b, bench_fn *run, void *user);
/* The same of this thread's own time on a core, for what runs on one thread: others on the machine
 * count less. */
double bench_core_seconds(const bench *b, bench_fn *run, void *user);
/* Of two that run in turn on this thread: median seconds of its time on a core for each, and the
 * median ratio first to second. On a machine that others use too this is the ratio to trust. */
typedef struct bench_pair {
    double first, second, ratio;
} bench_pair;
bench_pair bench_in_turn(const bench *b, bench_fn *first, bench_fn *second, void *user);
double bench_median(int n, double *values); /* sorts them */
/* Values in [-1, 1) that have nothing special about them. */
void bench_fill(int64_t n, float *x);
/* share: NAN if there is none; then the shape as by printf. */
void bench_report(const bench *b, const char *name, double value, const char *unit, int threads,
                  double share, const char *shape, ...) ANPE_PRINTF(7, 8);

/* One function for each group. */
anpe_status bench_machine(bench *b);    /* sgemm and memcpy: what the shares refer to */
anpe_status bench_operations(bench *b); /* every operation, forward and backward */
anpe_status bench_train(bench *b);      /* training step of the paper's network, and its parts */
anpe_status bench_featurize(bench *b);
anpe_status bench_featurizers(bench *b); /* one beside the other, with their defaults */
anpe_status bench_flow(bench *b);        /* draws and log densities */
anpe_status bench_scaling(bench *b);     /* inference by numbers of pixels and of spectra */
anpe_status bench_emulator(bench *b);    /* the dense emulator, batch 1000 */
anpe_status bench_pipeline(bench *b);    /* simulated training spectra */
anpe_status bench_projection(bench *b);  /* a thousand spectra to an instrument's pixels */
anpe_status bench_likelihood(bench *b);  /* one star's likelihood at many labels, one core */
anpe_status bench_synthesis(bench *b);   /* spectra from atmospheres and lines, one core */
anpe_status bench_reading(bench *b);     /* survey files from a warm cache, one core */
anpe_status bench_survey(bench *b);      /* spectra a second of `anpe infer` with a shipped model */
anpe_status bench_command(bench *b);     /* `anpe` from process start to process end */
#endif
