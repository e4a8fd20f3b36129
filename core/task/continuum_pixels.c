/* Continuum pixels from the simulator: where the flux stays near 1 for every label of the prior.
 *
 * Each detector is cut into slices so that the polynomial is held everywhere; in each slice the
 * pixels with the smallest root mean square of (flux - 1) over draws of the prior are taken. */
#include "task/task.h"
#include <math.h>
#include <stdlib.h>

enum { N_DRAWS = 256, N_SLICES = 24, BATCH = 16, MIN_PIXELS = 4 };
static const double fraction = 0.10; /* of a slice */

static anpe_status mean_square_depth(anpe_ctx *ctx, anpe_task *t, double *sum)
{
    const int64_t n = t->instrument.info.n_pixels;
    anpe_bench *b = NULL;
    anpe_status status = anpe_bench_new(ctx, t, BATCH, &b);
    for (int64_t first = 0; first < N_DRAWS && !status; first += BATCH) {
        status = anpe_task_draw_labels(t, ctx, b, 0, ANPE_FOR_CONTINUUM, first, BATCH);
        if (!status)
            status = anpe_task_simulate(t, ctx, b, BATCH);
        for (int64_t i = 0; i < BATCH * n && !status; i++) {
            const double d = (double)b->flux[i] - 1;
            sum[i % n] += d * d;
        }
    }
    anpe_bench_free(b);
    return status;
}

typedef struct ranked {
    double score;
    int64_t pixel;
} ranked;

static int by_score(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->pixel < y->pixel ? -1 : 1;
}

static void choose_in_slice(anpe_task *t, const double *score, ranked *r, int64_t from, int64_t to)
{
    const uint8_t *exclude = t->instrument.info.exclude;
    int64_t n = 0;
    for (int64_t p = from; p < to; p++)
        if (!exclude || !exclude[p])
            r[n++] = (ranked){score[p], p};
    qsort(r, (size_t)n, sizeof *r, by_score);
    int64_t keep = (int64_t)ceil(fraction * (double)(to - from));
    keep = keep < MIN_PIXELS ? MIN_PIXELS : keep;
    for (int64_t i = 0; i < keep && i < n; i++)
        t->continuum[r[i].pixel] = 1;
}

anpe_status anpe_task_find_continuum(anpe_ctx *ctx, anpe_task *t)
{
    const anpe_instrument_info *inst = &t->instrument.info;
    anpe_status status = ANPE_OK;
    double *score = NULL;
    ranked *r = NULL;
    if (!t->sim.n_pixels || !t->sim.normalised)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "instrument '%s' needs continuum pixels and simulator "
                         "'%s' cannot give them: name a file in instrument.continuum",
                         t->instrument.name, t->simulator.plugin->name);
    ANPE_TRY(ANPE_NEW(ctx, score, inst->n_pixels));
    ANPE_TRY(ANPE_NEW(ctx, r, inst->n_pixels));
    ANPE_TRY(mean_square_depth(ctx, t, score));
    for (int64_t s = 0; s < inst->n_segments; s++) {
        const int64_t a = inst->segment[s], n = inst->segment[s + 1] - a;
        for (int64_t i = 0; i < N_SLICES; i++)
            choose_in_slice(t, score, r, a + n * i / N_SLICES, a + n * (i + 1) / N_SLICES);
    }
out:
    free(score);
    free(r);
    return status;
}
