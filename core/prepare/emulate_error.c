/* How far an emulator is from spectra: by spectrum, by pixel, and where in label space. Root mean
 * squares about zero, a bias included, as in import_scatter.c. */
#include <config.h>
#include "base/context.h"
#include "kernel/product.h"
#include "kind/as_simulator.h"
#include "prepare/emulate.h"
#include "stat/order.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

anpe_status anpe_emulate_bins(anpe_ctx *ctx, int64_t n, const double *value, const double *error,
                              double *median, double *edge)
{
    enum { BINS = ANPE_EMULATE_BINS };
    anpe_ranked *order = NULL;
    double *part = NULL;
    if (ANPE_NEW(ctx, order, n) || ANPE_NEW(ctx, part, n)) {
        free(order);
        free(part);
        return ANPE_ENOMEM;
    }
    for (int64_t i = 0; i < n; i++)
        order[i] = (anpe_ranked){value[i], i};
    anpe_sort_ranked(n, order);
    for (int64_t b = 0; b < BINS; b++) {
        const int64_t first = b * n / BINS, end = (b + 1) * n / BINS;
        for (int64_t i = first; i < end; i++)
            part[i - first] = error[order[i].at];
        anpe_sort(end - first, part);
        median[b] = end > first ? anpe_quantile_sorted(end - first, part, 0.5) : NAN;
        edge[b] = order[first < n ? first : n - 1].value;
    }
    edge[BINS] = order[n - 1].value;
    free(order);
    free(part);
    return ANPE_OK;
}

static anpe_status sum_squares(anpe_ctx *ctx, const anpe_as_simulator *s,
                               const anpe_emulate_grid *g, const int64_t *rows,
                               anpe_emulate_error *error)
{
    const anpe_simulator_ops *ops = s->simulator.ops;
    const void *self = s->simulator.self;
    const int64_t P = g->n_pixels;
    float *flux = NULL;
    void *scratch = anpe_alloc(ctx, ANPE_HAS(ops, scratch_size) ? ops->scratch_size(self, 1) : 1);
    anpe_status status = !scratch || ANPE_NEW(ctx, flux, P) ? ANPE_ENOMEM : ANPE_OK;
    for (int64_t i = 0; i < error->n && !status; i++) {
        const float *truth = g->flux + rows[i] * P;
        status = ops->simulate(self, ctx, 1, g->theta + rows[i] * g->n_labels, flux, scratch);
        for (int64_t p = 0; p < P && !status; p++) {
            const double d = (double)flux[p] - (double)truth[p];
            error->pixel[p] += d * d;
            error->spectrum[i] += d * d;
        }
    }
    free(flux);
    anpe_free(scratch);
    return status;
}

static anpe_status bin_labels(anpe_ctx *ctx, const anpe_emulate_grid *g, const int64_t *rows,
                              anpe_emulate_error *error)
{
    double *value;
    anpe_status status = ANPE_NEW(ctx, value, error->n);
    for (int64_t k = 0; k < g->n_labels && !status; k++) {
        for (int64_t i = 0; i < error->n; i++)
            value[i] = g->theta[rows[i] * g->n_labels + k];
        status = anpe_emulate_bins(ctx, error->n, value, error->spectrum,
                                   error->by_label + k * ANPE_EMULATE_BINS,
                                   error->edge + k * (ANPE_EMULATE_BINS + 1));
    }
    free(value);
    return status;
}

anpe_status anpe_emulate_compare(anpe_ctx *ctx, const anpe_emulator *e, const char *output,
                                 const anpe_emulate_grid *g, int64_t n, const int64_t *rows,
                                 anpe_emulate_error *error)
{
    const int64_t labels = g->n_labels;
    anpe_as_simulator s = {0};
    anpe_status status;
    *error = (anpe_emulate_error){.n = n, .n_pixels = g->n_pixels, .n_labels = g->n_labels};
    if (ANPE_NEW(ctx, error->spectrum, n) || ANPE_NEW(ctx, error->sorted, n) ||
        ANPE_NEW(ctx, error->pixel, g->n_pixels) ||
        ANPE_NEW(ctx, error->by_label, labels, ANPE_EMULATE_BINS) ||
        ANPE_NEW(ctx, error->edge, labels, ANPE_EMULATE_BINS + 1))
        return ANPE_ENOMEM;
    ANPE_TRY(anpe_as_simulator_open(ctx, e, "payne", output, &s));
    ANPE_TRY(sum_squares(ctx, &s, g, rows, error));
    for (int64_t p = 0; p < g->n_pixels; p++)
        error->pixel[p] = sqrt(error->pixel[p] / (double)n);
    for (int64_t i = 0; i < n; i++)
        error->sorted[i] = error->spectrum[i] = sqrt(error->spectrum[i] / (double)g->n_pixels);
    anpe_sort(n, error->sorted);
    ANPE_TRY(bin_labels(ctx, g, rows, error));
out:
    anpe_as_simulator_clear(&s);
    return status;
}

/* ---- what components leave --------------------------------------------------------------- */

enum { TOGETHER = 32 }; /* spectra of a product */

typedef struct projection {
    int64_t n_pixels, k;
    const double *mean;  /* (n_pixels) */
    float *to, *from;    /* packed: onto the components, made orthonormal, and back */
    float *x, *c, *back; /* (TOGETHER, n_pixels), (TOGETHER, k), (TOGETHER, n_pixels) */
} projection;

/* The components are orthogonal, of any length. */
static anpe_status open_projection(anpe_ctx *ctx, const double *basis, projection *s)
{
    const int64_t P = s->n_pixels, k = s->k;
    float *unit = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, unit, P, k));
    ANPE_TRY(ANPE_NEW(ctx, s->to, anpe_product_packed_f(P, k)));
    ANPE_TRY(ANPE_NEW(ctx, s->from, anpe_product_packed_f(k, P)));
    ANPE_TRY(ANPE_NEW(ctx, s->x, TOGETHER, P));
    ANPE_TRY(ANPE_NEW(ctx, s->c, TOGETHER, k));
    ANPE_TRY(ANPE_NEW(ctx, s->back, TOGETHER, P));
    for (int64_t j = 0; j < k; j++) {
        double square = 0;
        for (int64_t p = 0; p < P; p++)
            square += basis[p * k + j] * basis[p * k + j];
        for (int64_t p = 0; p < P && square > 0; p++)
            unit[p * k + j] = (float)(basis[p * k + j] / sqrt(square));
    }
    anpe_product_pack_f(P, k, unit, k, 1, s->to);
    anpe_product_pack_f(k, P, unit, 1, k, s->from);
out:
    free(unit);
    return status;
}

static void close_projection(projection *s)
{
    free(s->to);
    free(s->from);
    free(s->x);
    free(s->c);
    free(s->back);
}

/* n <= TOGETHER spectra */
static void project(const projection *s, const float *flux, int64_t n, const int64_t *rows,
                    double *left)
{
    const int64_t P = s->n_pixels, k = s->k;
    for (int64_t i = 0; i < n; i++)
        for (int64_t p = 0; p < P; p++)
            s->x[i * P + p] = (float)((double)flux[rows[i] * P + p] - s->mean[p]);
    anpe_product_f(n, k, P, s->x, P, 1, s->to, NULL, s->c, k, 0);
    anpe_product_f(n, P, k, s->c, k, 1, s->from, NULL, s->back, P, 0);
    for (int64_t i = 0; i < n; i++) {
        double square = 0;
        for (int64_t p = i * P; p < (i + 1) * P; p++)
            square += pow((double)s->x[p] - (double)s->back[p], 2);
        left[i] = sqrt(square / (double)P);
    }
}

anpe_status anpe_emulate_project(anpe_ctx *ctx, const anpe_emulator *e, const anpe_emulate_grid *g,
                                 int64_t n, const int64_t *rows, double *left)
{
    const anpe_emulator_array *basis = anpe_emulator_find(e, "basis");
    const anpe_emulator_array *mean = anpe_emulator_find(e, "mean");
    if (!basis || !mean)
        return ANPE_FAIL(ctx, ANPE_EINTERNAL, "emulator: no components");
    projection s = {.n_pixels = g->n_pixels, .k = basis->shape[1], .mean = mean->v};
    anpe_status status;
    ANPE_TRY(open_projection(ctx, basis->v, &s));
    for (int64_t i = 0; i < n; i += TOGETHER)
        project(&s, g->flux, n - i < TOGETHER ? n - i : TOGETHER, rows + i, left + i);
    anpe_sort(n, left);
out:
    close_projection(&s);
    return status;
}

void anpe_emulate_error_clear(anpe_emulate_error *error)
{
    free(error->spectrum);
    free(error->sorted);
    free(error->pixel);
    free(error->by_label);
    free(error->edge);
    *error = (anpe_emulate_error){0};
}
