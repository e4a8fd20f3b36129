/* The error of an emulator in each pixel, from synthetic spectra that it was not trained on:
 *     scatter_p = sqrt( mean over spectra of (emulator_p - spectrum_p)^2 )
 * The root mean square about zero, a bias included: it is the variance that the likelihood is to
 * have in addition. Not a robust one, whose posteriors would be too narrow where the emulator
 * fails for some stars. */
#include "prepare/import.h"
#include "spectrum/grid.h"
#include "file/hdf5_file.h"
#include "file/spectra_file.h"
#include "spectrum/spectrum.h"
#include "kind/as_simulator.h"
#include "stat/order.h"
#include <math.h>
#include <stdlib.h>

typedef struct held_out {
    const char *path;
    anpe_emulator *e;
    anpe_spectra_file *file;
    anpe_as_simulator as;
    anpe_spectrum spectrum;
    double *theta; /* (n_labels) */
    float *flux;   /* (n_pixels) of the emulator */
    void *scratch;
    double *sum, *count; /* (n_pixels) of squared differences */
    int64_t n_used, n_outside;
} held_out;

static anpe_status open_memory(anpe_ctx *ctx, held_out *h)
{
    const anpe_simulator_ops *ops = h->as.simulator.ops;
    const int64_t n = h->e->n_pixels;
    h->scratch = anpe_alloc(
        ctx, ANPE_HAS(ops, scratch_size) ? ops->scratch_size(h->as.simulator.self, 1) : 0);
    if (!h->scratch || ANPE_NEW(ctx, h->theta, h->e->n_labels) || ANPE_NEW(ctx, h->flux, n) ||
        ANPE_NEW(ctx, h->sum, n) || ANPE_NEW(ctx, h->count, n))
        return ANPE_ENOMEM;
    return anpe_spectrum_new(ctx, h->e->n_pixels, &h->spectrum);
}

static anpe_status check_wavelengths(anpe_ctx *ctx, const held_out *h)
{
    const anpe_emulator_array *mine = anpe_emulator_find(h->e, "wavelength");
    double *w = NULL, off = 0;
    int rank = 0;
    int64_t shape[4];
    anpe_h5 *f = NULL;
    anpe_status status = anpe_h5_open(ctx, h->path, &f);
    const int compare = !status && mine && anpe_h5_has(f, "wavelength");
    anpe_h5_abandon(f);
    if (compare)
        status = anpe_array_read(ctx, h->path, "wavelength", &w, &rank, shape);
    if (compare && !status)
        off = rank == 1 && shape[0] == h->e->n_pixels
                  ? anpe_grid_distance(h->e->n_pixels, mine->v, w)
                  : INFINITY;
    if (off > 1e-3)
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: its wavelengths are not the emulator's", h->path);
    free(w);
    return status;
}

/* 1 = the labels of a spectrum are in the emulator's domain. */
static anpe_status find_labels(anpe_ctx *ctx, held_out *h, int64_t row, int *inside)
{
    int found;
    const anpe_label *l = h->e->labels;
    anpe_status status =
        anpe_spectra_file_truth(ctx, h->file, row, h->e->n_labels, l, h->theta, &found);
    *inside = 1;
    for (int64_t i = 0; i < h->e->n_labels && !status; i++) {
        if (isnan(h->theta[i]))
            status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                               "%s: spectrum %lld has no label '%s': held-out spectra need theta "
                               "with the attribute labels",
                               h->path, (long long)row, l[i].name);
        *inside = *inside && h->theta[i] >= l[i].min && h->theta[i] <= l[i].max;
    }
    return status;
}

static anpe_status add_spectrum(anpe_ctx *ctx, held_out *h, int64_t row)
{
    const anpe_instrument_info plain = {.channels = 1, .n_pixels = h->e->n_pixels};
    const anpe_simulator_ops *ops = h->as.simulator.ops;
    const anpe_spectrum *s = &h->spectrum;
    int inside = 0;
    if (anpe_cancelled(ctx))
        return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
    anpe_status status = find_labels(ctx, h, row, &inside);
    if (!status)
        status = anpe_spectra_file_read(ctx, h->file, row, &plain, &h->spectrum);
    if (!status && !inside)
        h->n_outside++;
    if (status || !inside)
        return status;
    status = ops->simulate(h->as.simulator.self, ctx, 1, h->theta, h->flux, h->scratch);
    for (int64_t p = 0; p < s->n_pixels && !status; p++)
        if (!s->mask[p] && isfinite(s->flux[p])) {
            const double d = (double)h->flux[p] - (double)s->flux[p];
            h->sum[p] += d * d;
            h->count[p]++;
        }
    h->n_used++;
    return status;
}

/* The sums become the scatter, which the emulator then owns. */
static anpe_status add_scatter(anpe_ctx *ctx, held_out *h)
{
    const int64_t n = h->e->n_pixels;
    if (h->n_used == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no spectrum has labels in the emulator's domain",
                         h->path);
    for (int64_t p = 0; p < n; p++) {
        if (!(h->count[p] > 0))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: pixel %lld is bad in every spectrum", h->path,
                             (long long)p);
        h->sum[p] = h->count[p] = sqrt(h->sum[p] / h->count[p]);
    }
    anpe_sort(n, h->count);
    anpe_log(ctx, ANPE_INFO, "scatter from %lld spectra: median %.2g, largest %.2g",
             (long long)h->n_used, anpe_quantile_sorted(n, h->count, 0.5), h->count[n - 1]);
    if (h->n_outside)
        anpe_log(ctx, ANPE_WARNING, "%s: %lld of %lld spectra are outside the emulator's domain",
                 h->path, (long long)h->n_outside, (long long)(h->n_used + h->n_outside));
    double *scatter = h->sum;
    h->sum = NULL;
    return anpe_emulator_add(ctx, h->e, "scatter", 1, &n, scatter);
}

anpe_status anpe_import_held_out(anpe_ctx *ctx, const anpe_import_request *r, anpe_emulator *e)
{
    held_out h = {.path = r->held_out, .e = e};
    anpe_status status;
    ANPE_TRY(anpe_spectra_file_open(ctx, r->held_out, &h.file));
    ANPE_TRY(check_wavelengths(ctx, &h));
    ANPE_TRY(anpe_as_simulator_open(ctx, e, r->model, r->out, &h.as));
    ANPE_TRY(open_memory(ctx, &h));
    for (int64_t row = 0; row < anpe_spectra_file_rows(h.file); row++)
        ANPE_TRY(add_spectrum(ctx, &h, row));
    ANPE_TRY(add_scatter(ctx, &h));
out:
    anpe_spectra_file_close(h.file);
    anpe_as_simulator_clear(&h.as);
    anpe_spectrum_clear(&h.spectrum);
    free(h.theta);
    free(h.flux);
    free(h.sum);
    free(h.count);
    anpe_free(h.scratch);
    return status;
}
