/* From a simulator's grid to an instrument's pixels: a thousand spectra as one product, in turn
 * with a copy of as many bytes, which is what reading them and writing the result takes at least.
 */
#include <config.h>
#include "bench/bench.h"
#include "spectrum/projector.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 7214 pixels of 6e-6 in log10(lambda) at R = 22500, as APOGEE's, and a simulator with three
 * samples a pixel. */
enum { SPECTRA = 1000, PIXELS = 7214, SAMPLES = 3, MARGIN = 400, GRID = SAMPLES * PIXELS + MARGIN };

typedef struct projection {
    double in[GRID], out[PIXELS], resolution[PIXELS], rv[SPECTRA];
    const double *velocity; /* NULL, or rv */
    anpe_projector *projector;
    float *flux_in, *flux_out;
    void *scratch;
    char *copy; /* as many bytes as half of those that are read and written */
} projection;

enum { COPY = SPECTRA * (GRID + PIXELS) / 2 * (int)sizeof(float) };

static void copy(void *user)
{
    const projection *p = user;
    memcpy(p->copy, p->flux_in, COPY);
}

static void apply(void *user)
{
    const projection *p = user;
    anpe_projector_apply(p->projector, SPECTRA, p->velocity, p->flux_in, p->flux_out, p->scratch);
}

static void transpose(void *user)
{
    const projection *p = user;
    anpe_projector_transpose(p->projector, SPECTRA, p->velocity, p->flux_out, p->flux_in,
                             p->scratch);
}

static anpe_status open_projection(const bench *b, projection *p)
{
    const double pixel = 6e-6 * log(10), start = 9.62;
    const int64_t segment[] = {0, PIXELS};
    anpe_status status;
    for (int i = 0; i < GRID; i++)
        p->in[i] = exp(start + pixel / SAMPLES * (i - MARGIN / 2));
    for (int i = 0; i < PIXELS; i++) {
        p->out[i] = exp(start + pixel * i);
        p->resolution[i] = 22500;
    }
    for (int k = 0; k < SPECTRA; k++)
        p->rv[k] = 0.1 * (k - SPECTRA / 2);
    const anpe_instrument_info ins = {.channels = 1,
                                      .n_pixels = PIXELS,
                                      .wavelength = p->out,
                                      .resolution = p->resolution,
                                      .n_segments = 1,
                                      .segment = segment};
    const anpe_projector_setup setup = {GRID, p->in, INFINITY, &ins, 0, 50};
    ANPE_TRY(anpe_projector_new(b->ctx, &setup, &p->projector));
    p->flux_in = malloc((size_t)SPECTRA * GRID * sizeof *p->flux_in);
    p->flux_out = malloc((size_t)SPECTRA * PIXELS * sizeof *p->flux_out);
    p->scratch = anpe_alloc(b->ctx, anpe_projector_scratch(p->projector));
    p->copy = malloc(COPY);
    if (!p->flux_in || !p->flux_out || !p->scratch || !p->copy)
        return ANPE_FAIL(b->ctx, ANPE_ENOMEM, "out of memory");
    bench_fill((int64_t)SPECTRA * GRID, p->flux_in);
    bench_fill((int64_t)SPECTRA * PIXELS, p->flux_out);
out:
    return status;
}

static void report(const bench *b, const char *name, projection *p, bench_fn *run)
{
    const bench_pair t = bench_in_turn(b, run, copy, p);
    bench_report(b, name, 2e-9 * COPY / t.first, "GB/s", 1, 1 / t.ratio, "%d x %d -> %d", SPECTRA,
                 (int)GRID, (int)PIXELS);
}

anpe_status bench_projection(bench *b)
{
    projection *p = calloc(1, sizeof *p);
    if (!p)
        return ANPE_FAIL(b->ctx, ANPE_ENOMEM, "out of memory");
    const anpe_status status = open_projection(b, p);
    if (!status) {
        report(b, "projection", p, apply);
        report(b, "projection, transpose", p, transpose);
        p->velocity = p->rv;
        report(b, "projection, a velocity each", p, apply);
    }
    anpe_projector_free(p->projector);
    anpe_free(p->scratch);
    free(p->flux_in), free(p->flux_out), free(p->copy);
    free(p);
    return status;
}
