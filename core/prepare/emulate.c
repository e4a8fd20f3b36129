/* Reads the grid, holds some spectra out, trains on the others, compares, writes. */
#include "prepare/emulate.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/text.h"
#include "file/output.h"
#include "prepare/import.h"
#include "stat/order.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST = 20, FEWEST_HELD_OUT = 5 };

/* What decides the advice: half the spectra make the error so much larger; the error of spectra
 * that were trained on is at least so much of the others'; what the components leave, to which the
 * network's part adds in squares, is the greater part of the error. */
static const double steep = 1.15, near = 0.8, greater = 0.7071;

typedef struct split {
    int64_t n_held, n_train;
    int64_t *rows; /* those held out, then those to train on */
} split;

/* Whether row i has its atmosphere in common with the row before. */
static int goes_on(const anpe_emulate_grid *g, int64_t i)
{
    for (int64_t k = 0; g->per_atmosphere > 1 && i > 0 && k < g->n_labels; k++)
        if (g->theta[i * g->n_labels + k] == g->theta[(i - 1) * g->n_labels + k])
            return 1;
    return 0;
}

/* Spectra of one atmosphere stay together: one held out would say little beside its like. */
static anpe_status divide(anpe_ctx *ctx, const anpe_emulate_request *r, const anpe_emulate_grid *g,
                          split *s)
{
    anpe_rng rng = anpe_rng_make(r->seed, ANPE_FOR_SHUFFLE, 0, ANPE_SLOT_LABELS);
    const int64_t n = g->n;
    int64_t *first, n_groups = 0, placed = 0;
    if (n < FEWEST)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %lld spectra; at least %d are needed", r->grid,
                         (long long)n, FEWEST);
    const int64_t wanted = (int64_t)fmax(ceil(r->held_out * (double)n), FEWEST_HELD_OUT);
    if (ANPE_NEW(ctx, s->rows, n) || ANPE_NEW(ctx, first, n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        if (!goes_on(g, i))
            first[n_groups++] = i;
    anpe_shuffle(&rng, n_groups, first);
    for (int64_t k = 0; k < n_groups; k++) {
        int64_t i = first[k];
        do
            s->rows[placed++] = i++;
        while (i < n && goes_on(g, i));
        if (!s->n_held && placed >= wanted)
            s->n_held = placed;
    }
    free(first);
    s->n_train = n - s->n_held;
    if (s->n_train < FEWEST_HELD_OUT)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: %lld spectra of %lld atmospheres, which are held out whole, leave "
                         "%lld to train on; more atmospheres are needed, or a smaller --held-out",
                         r->grid, (long long)n, (long long)n_groups, (long long)s->n_train);
    return ANPE_OK;
}

static anpe_status check_components(anpe_ctx *ctx, const anpe_emulate_request *r,
                                    const anpe_emulate_grid *g, const split *s)
{
    const int64_t half = g->n_pixels / 2, most = s->n_train - 1 < half ? s->n_train - 1 : half;
    if (r->components <= most)
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EINVAL,
                     "%s: --components must be at most %lld, half of its %lld pixels and less than "
                     "the %lld spectra trained on, not %lld",
                     r->grid, (long long)most, (long long)g->n_pixels, (long long)s->n_train,
                     (long long)r->components);
}

/* All but the layers. */
static anpe_status describe(anpe_ctx *ctx, const anpe_emulate_request *r,
                            const anpe_emulate_grid *g, anpe_emulator *e)
{
    const anpe_import_request names = {.file = r->grid, .labels = g->labels, .units = g->units};
    anpe_status status;
    *e = (anpe_emulator){.kind = r->components ? "components" : "dense",
                         .activation = r->activation,
                         .output = "linear",
                         .creator = "anpe emulate",
                         .on_grid = g->on_grid[0] ? g->on_grid : NULL,
                         .resolution = g->resolution,
                         .normalised = g->normalised,
                         .half = r->half,
                         .n_labels = g->n_labels,
                         .n_pixels = g->n_pixels,
                         .n_sources = 1};
    snprintf(e->source[0], sizeof e->source[0], "%s", anpe_text_basename(r->grid));
    ANPE_TRY(anpe_digest_file(ctx, r->grid, e->digest[0]));
    ANPE_TRY(anpe_import_labels(ctx, &names, g->n_labels, g->min, g->max, e));
    for (int k = 0; k < 3; k++) {
        const double *from = k == 0 ? g->min : k == 1 ? g->max : g->wavelength;
        const int64_t shape = k < 2 ? g->n_labels : g->n_pixels;
        if (from) {
            double *v;
            ANPE_TRY(ANPE_NEW(ctx, v, shape));
            memcpy(v, from, (size_t)shape * sizeof *v);
            ANPE_TRY(anpe_emulator_add(ctx, e,
                                       k == 0   ? "x_min"
                                       : k == 1 ? "x_max"
                                                : "wavelength",
                                       1, &shape, v));
        }
    }
out:
    return status;
}

static double median(const anpe_emulate_error *error)
{
    return anpe_quantile_sorted(error->n, error->sorted, 0.5);
}

/* The error of a network trained on half the spectra, for the same that are held out. */
static anpe_status try_half(anpe_ctx *ctx, const anpe_emulate_request *r,
                            const anpe_emulate_grid *g, const split *s, double *half)
{
    anpe_emulator e = {0};
    anpe_emulate_error error = {0};
    anpe_status status;
    ANPE_TRY(describe(ctx, r, g, &e));
    ANPE_TRY(anpe_emulate_fit(ctx, r, g, s->n_train / 2, s->rows + s->n_held,
                              "training on half the spectra", &e));
    ANPE_TRY(anpe_emulate_compare(ctx, &e, r->output, g, s->n_held, s->rows, &error));
    *half = median(&error);
out:
    anpe_emulator_clear(&e);
    anpe_emulate_error_clear(&error);
    return status;
}

static anpe_status judge(anpe_ctx *ctx, const anpe_emulate_grid *g, const split *s,
                         anpe_emulate_result *result)
{
    const anpe_emulate_error *held = &result->held_out;
    const double error = median(held), trained = median(&result->trained);
    int64_t worst = 0;
    for (int64_t i = 1; i < held->n; i++)
        worst = held->spectrum[i] > held->spectrum[worst] ? i : worst;
    if (ANPE_NEW(ctx, result->worst, g->n_labels))
        return ANPE_ENOMEM;
    memcpy(result->worst, g->theta + s->rows[worst] * g->n_labels,
           (size_t)g->n_labels * sizeof *result->worst);
    result->more_components =
        result->left && anpe_quantile_sorted(held->n, result->left, 0.5) > greater * error;
    result->more_units = !result->more_components && trained >= near * error;
    result->more_spectra = isnan(result->half) ? !result->more_units && !result->more_components
                                               : result->half > steep * error;
    return ANPE_OK;
}

/* The scatter is the error of the held-out spectra. */
static anpe_status add_scatter(anpe_ctx *ctx, anpe_emulate_result *result)
{
    const anpe_emulate_error *held = &result->held_out;
    double *v;
    if (ANPE_NEW(ctx, v, held->n_pixels))
        return ANPE_ENOMEM;
    for (int64_t p = 0; p < held->n_pixels; p++)
        v[p] = (float)held->pixel[p];
    snprintf(result->e.error, sizeof result->e.error,
             "rms of %lld spectra: median %.3g, 95 %% %.3g, largest %.3g", (long long)held->n,
             median(held), anpe_quantile_sorted(held->n, held->sorted, 0.95),
             held->sorted[held->n - 1]);
    return anpe_emulator_add(ctx, &result->e, "scatter", 1, &held->n_pixels, v);
}

anpe_status anpe_emulate(anpe_ctx *ctx, const anpe_emulate_request *r, anpe_emulate_result *result)
{
    anpe_emulate_grid *g = &result->grid;
    split s = {0};
    anpe_status status;
    *result = (anpe_emulate_result){.half = NAN};
    ANPE_TRY(anpe_output_check(ctx, r->output));
    ANPE_TRY(anpe_output_differs(ctx, r->output, r->grid));
    ANPE_TRY(anpe_emulate_read(ctx, r, g));
    ANPE_TRY(divide(ctx, r, g, &s));
    ANPE_TRY(check_components(ctx, r, g, &s));
    ANPE_TRY(describe(ctx, r, g, &result->e));
    const int64_t *train = s.rows + s.n_held;
    ANPE_TRY(anpe_emulate_fit(ctx, r, g, s.n_train, train, "training", &result->e));
    ANPE_TRY(
        anpe_emulate_compare(ctx, &result->e, r->output, g, s.n_held, s.rows, &result->held_out));
    ANPE_TRY(
        anpe_emulate_compare(ctx, &result->e, r->output, g, s.n_train, train, &result->trained));
    if (r->components) {
        ANPE_TRY(ANPE_NEW(ctx, result->left, s.n_held));
        ANPE_TRY(anpe_emulate_project(ctx, &result->e, g, s.n_held, s.rows, result->left));
    }
    if (r->halves)
        ANPE_TRY(try_half(ctx, r, g, &s, &result->half));
    ANPE_TRY(judge(ctx, g, &s, result));
    ANPE_TRY(add_scatter(ctx, result));
    ANPE_TRY(anpe_emulator_write(ctx, &result->e, r->output));
out:
    free(s.rows);
    return status;
}

void anpe_emulate_result_clear(anpe_emulate_result *result)
{
    anpe_emulator_clear(&result->e);
    anpe_emulate_error_clear(&result->held_out);
    anpe_emulate_error_clear(&result->trained);
    anpe_emulate_grid_clear(&result->grid);
    free(result->left);
    free(result->worst);
}
