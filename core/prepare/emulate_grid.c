/* Spectra to train an emulator on: `theta` with its attribute `labels` and `flux`, as `anpe
 * simulate` writes them; or arrays of any HDF5 or npz file, labels as columns of one array or each
 * as an array of its own. */
#include "base/text.h"
#include "file/hdf5_file.h"
#include "file/npz.h"
#include "prepare/emulate.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *text_or(const char *text, const char *fallback)
{
    return text && text[0] ? text : fallback;
}

/* ---- labels ------------------------------------------------------------------------------ */

static anpe_status join(anpe_ctx *ctx, int64_t n, char **v, char **out)
{
    anpe_text t = {0};
    anpe_text_add(&t, "%s", "");
    for (int64_t i = 0; i < n; i++)
        anpe_text_add(&t, "%s%s", i ? "," : "", v[i]);
    *out = t.text;
    return anpe_text_status(ctx, &t);
}

/* What a file of anpe's says of its labels; both stay NULL where it says nothing. */
static anpe_status read_names(anpe_ctx *ctx, const char *path, const char *theta,
                              anpe_emulate_grid *g)
{
    char **names = NULL;
    int64_t n = 0;
    anpe_status status;
    ANPE_TRY(anpe_attribute_read(ctx, path, theta, "labels", &n, &names));
    if (n)
        ANPE_TRY(join(ctx, n, names, &g->labels));
    free(names);
    names = NULL;
    ANPE_TRY(anpe_attribute_read(ctx, path, theta, "units", &n, &names));
    if (n)
        ANPE_TRY(join(ctx, n, names, &g->units));
out:
    free(names);
    return status;
}

/* Each label is an array of its own. */
static anpe_status read_columns(anpe_ctx *ctx, const anpe_emulate_request *r, anpe_emulate_grid *g)
{
    char name[256];
    double *column = NULL;
    const char *rest = g->labels;
    for (const char *p = g->labels; *p; p++)
        g->n_labels += *p == ',';
    g->n_labels++;
    for (int64_t k = 0; k < g->n_labels; k++) {
        int64_t n = -1;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(rest, ","), rest);
        rest += strcspn(rest, ",") + 1;
        anpe_status status = anpe_array_expect(ctx, r->grid, name, 1, &n, NULL, &column);
        if (status)
            return status;
        if (k == 0) {
            g->n = n;
            status = ANPE_NEW(ctx, g->theta, n, g->n_labels);
        } else if (n != g->n) {
            status =
                ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: '%s' has %lld values, the labels before it %lld",
                          r->grid, name, (long long)n, (long long)g->n);
        }
        if (status) {
            free(column);
            return status;
        }
        for (int64_t i = 0; i < n; i++)
            g->theta[i * g->n_labels + k] = column[i];
        free(column);
    }
    return ANPE_OK;
}

static int is_hdf5(const char *path)
{
    return anpe_text_has_extension(path, ".h5") || anpe_text_has_extension(path, ".hdf5");
}

/* Whether the file has an array of that name: one that cannot be read is there. */
static anpe_status has_array(anpe_ctx *ctx, const char *path, const char *key, int *has)
{
    char **names = NULL;
    int n = 0;
    anpe_h5 *f = NULL;
    anpe_status status = ANPE_OK;
    *has = 1; /* the only array of its file */
    if (is_hdf5(path)) {
        ANPE_TRY(anpe_h5_open(ctx, path, &f));
        *has = anpe_h5_has(f, key);
    } else if (anpe_text_has_extension(path, ".npz")) {
        ANPE_TRY(anpe_npz_names(ctx, path, &n, &names));
        *has = 0;
        for (int i = 0; i < n; i++)
            *has |= strcmp(names[i], key) == 0;
    }
out:
    anpe_npz_names_free(n, names);
    anpe_h5_abandon(f);
    return status;
}

static anpe_status read_labels(anpe_ctx *ctx, const anpe_emulate_request *r, anpe_emulate_grid *g)
{
    const char *theta = text_or(r->theta, "theta");
    int64_t shape[2] = {-1, -1};
    int matrix = 1;
    anpe_status status = ANPE_OK;
    if (access(r->grid, R_OK) != 0)
        return ANPE_FAIL(ctx, ANPE_EIO, "cannot read %s: %s", r->grid, strerror(errno));
    if (!text_or(r->theta, NULL))
        ANPE_TRY(has_array(ctx, r->grid, theta, &matrix));
    if (matrix) {
        ANPE_TRY(anpe_array_expect(ctx, r->grid, theta, 2, shape, NULL, &g->theta));
        g->n = shape[0];
        g->n_labels = shape[1];
    }
    if (matrix && is_hdf5(r->grid))
        ANPE_TRY(read_names(ctx, r->grid, theta, g));
    if (text_or(r->labels, NULL)) {
        free(g->labels);
        free(g->units);
        g->units = NULL;
        if (!(g->labels = anpe_strdup(ctx, r->labels)))
            return ANPE_ENOMEM;
    }
    if (text_or(r->units, NULL)) {
        free(g->units);
        if (!(g->units = anpe_strdup(ctx, r->units)))
            return ANPE_ENOMEM;
    }
    if (!g->labels)
        return ANPE_FAIL(
            ctx, ANPE_EFORMAT,
            "%s: does not name its labels: `theta` has no attribute 'labels'; --labels "
            "names the columns of theta, or arrays of the file",
            r->grid);
    if (!matrix)
        status = read_columns(ctx, r, g);
out:
    return status;
}

static anpe_status check_labels(anpe_ctx *ctx, const anpe_emulate_request *r, anpe_emulate_grid *g)
{
    if (ANPE_NEW(ctx, g->min, 2, g->n_labels))
        return ANPE_ENOMEM;
    g->max = g->min + g->n_labels;
    const char *name = g->labels;
    for (int64_t k = 0; k < g->n_labels; k++, name += strcspn(name, ","), name += *name == ',') {
        const int length = (int)strcspn(name, ",");
        g->min[k] = INFINITY;
        g->max[k] = -INFINITY;
        for (int64_t i = 0; i < g->n; i++) {
            const double x = g->theta[i * g->n_labels + k];
            if (!isfinite(x))
                return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: label %.*s of spectrum %lld is %g",
                                 r->grid, length, name, (long long)i, x);
            g->min[k] = fmin(g->min[k], x);
            g->max[k] = fmax(g->max[k], x);
        }
        if (!(g->min[k] < g->max[k]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: label %.*s is %g in all spectra: nothing can be learned of it",
                             r->grid, length, name, g->min[k]);
    }
    return ANPE_OK;
}

/* ---- spectra ----------------------------------------------------------------------------- */

static anpe_status read_flux(anpe_ctx *ctx, const anpe_emulate_request *r, anpe_emulate_grid *g)
{
    const char *key = text_or(r->flux, "flux");
    double *flux = NULL;
    int64_t shape[2] = {-1, -1};
    anpe_status status = anpe_array_expect(ctx, r->grid, key, 2, shape, NULL, &flux);
    if (status)
        return status;
    g->n_pixels = shape[1];
    if (shape[0] != g->n) {
        free(flux);
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %lld spectra in '%s' and labels of %lld", r->grid,
                         (long long)shape[0], key, (long long)g->n);
    }
    status = ANPE_NEW(ctx, g->flux, g->n, g->n_pixels);
    for (int64_t i = 0; !status && i < g->n * g->n_pixels; i++) {
        g->flux[i] = (float)flux[i];
        if (!isfinite(g->flux[i])) {
            free(flux);
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: '%s' of spectrum %lld, pixel %lld, is %g",
                             r->grid, key, (long long)(i / g->n_pixels),
                             (long long)(i % g->n_pixels), (double)g->flux[i]);
        }
    }
    free(flux);
    return status;
}

static anpe_status read_wavelength(anpe_ctx *ctx, const anpe_emulate_request *r,
                                   anpe_emulate_grid *g)
{
    const char *key = text_or(r->wavelength, "wavelength");
    int64_t n = -1;
    int has = 1;
    anpe_status status = ANPE_OK;
    if (!text_or(r->wavelength, NULL))
        ANPE_TRY(has_array(ctx, r->grid, key, &has));
    if (!has)
        return ANPE_OK;
    ANPE_TRY(anpe_array_expect(ctx, r->grid, key, 1, &n, NULL, &g->wavelength));
    if (n != g->n_pixels)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %lld wavelengths in '%s' for %lld pixels", r->grid,
                         (long long)n, key, (long long)g->n_pixels);
    for (int64_t i = 0; i < n; i++)
        if (!(g->wavelength[i] > (i ? g->wavelength[i - 1] : 0)) || !isfinite(g->wavelength[i]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: '%s' must ascend, in Angstrom: value %lld is %g", r->grid, key,
                             (long long)i, g->wavelength[i]);
out:
    return status;
}

/* One text of what `anpe simulate` says of the flux; "" where it says nothing. */
static anpe_status said(anpe_ctx *ctx, const char *path, const char *set, const char *name,
                        char *out, size_t size)
{
    char **texts = NULL;
    int64_t n = 0;
    const anpe_status status = anpe_attribute_read(ctx, path, set, name, &n, &texts);
    snprintf(out, size, "%s", !status && n == 1 ? texts[0] : "");
    free(texts);
    return status;
}

/* Convolved once, shifted, and perhaps with noise: an instrument would do it to the emulator again.
 */
static anpe_status refuse_instrument(anpe_ctx *ctx, const char *path, const char *key)
{
    char pixels[64], instrument[64];
    anpe_status status = said(ctx, path, key, "pixels", pixels, sizeof pixels);
    if (!status)
        status = said(ctx, path, "/", "instrument", instrument, sizeof instrument);
    if (status || strcmp(pixels, "simulator") == 0 || !instrument[0])
        return status;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: spectra as instrument '%s' gives them; an emulator is trained on the "
                     "simulator's own (anpe simulate --own-grid)",
                     path, instrument);
}

/* How many spectra each atmosphere has: `anpe simulate --per-atmosphere`. */
static anpe_status read_sharing(anpe_ctx *ctx, const char *path, int64_t *per_atmosphere)
{
    anpe_h5 *f = NULL;
    anpe_status status;
    *per_atmosphere = 1;
    ANPE_TRY(anpe_h5_open(ctx, path, &f));
    if (anpe_h5_has_attribute(f, "/", "per_atmosphere"))
        ANPE_TRY(
            anpe_h5_get_numbers(ctx, f, "/", "per_atmosphere", ANPE_H5_INT64, 1, per_atmosphere));
out:
    anpe_h5_abandon(f);
    return status;
}

static anpe_status read_description(anpe_ctx *ctx, const anpe_emulate_request *r,
                                    anpe_emulate_grid *g)
{
    const char *key = text_or(r->flux, "flux");
    char text[64] = "";
    anpe_status status = ANPE_OK;
    g->resolution = INFINITY;
    g->normalised = !r->absolute;
    if (is_hdf5(r->grid)) {
        ANPE_TRY(refuse_instrument(ctx, r->grid, key));
        ANPE_TRY(said(ctx, r->grid, key, "normalised", text, sizeof text));
        g->normalised = g->normalised && strcmp(text, "no") != 0;
        ANPE_TRY(said(ctx, r->grid, key, "resolution", text, sizeof text));
        if (text[0])
            g->resolution = strtod(text, NULL);
        ANPE_TRY(said(ctx, r->grid, key, "on_grid", g->on_grid, sizeof g->on_grid));
        ANPE_TRY(read_sharing(ctx, r->grid, &g->per_atmosphere));
    }
    if (r->resolution > 0)
        g->resolution = r->resolution;
    if (!(g->resolution > 0))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: resolution '%s' is not a positive number",
                           r->grid, text);
out:
    return status;
}

anpe_status anpe_emulate_read(anpe_ctx *ctx, const anpe_emulate_request *r, anpe_emulate_grid *g)
{
    anpe_status status;
    *g = (anpe_emulate_grid){0};
    ANPE_TRY(read_labels(ctx, r, g));
    ANPE_TRY(check_labels(ctx, r, g));
    ANPE_TRY(read_flux(ctx, r, g));
    ANPE_TRY(read_wavelength(ctx, r, g));
    ANPE_TRY(read_description(ctx, r, g));
out:
    return status;
}

void anpe_emulate_grid_clear(anpe_emulate_grid *g)
{
    free(g->theta);
    free(g->min);
    free(g->flux);
    free(g->wavelength);
    free(g->labels);
    free(g->units);
    *g = (anpe_emulate_grid){0};
}
