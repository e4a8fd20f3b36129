/* prepare/import.c -- reads published emulators: The Payne's npz (dense or per pixel), ThePayne's
 * HDF5 (per pixel, sigmoid output), quadratic and general Cannon models in text or npz. */
#include <config.h>
#include "prepare/import.h"
#include "base/digest.h"
#include "base/text.h"
#include "file/hdf5_file.h"
#include "file/npz.h"
#include "file/output.h"
#include "kind/instrument.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LAYERS = 16 };

/* A published file and the names of the arrays in it. */
typedef struct source {
    const anpe_import_request *request;
    anpe_emulator *e;
    int n_names;
    char **names;
    anpe_h5 *h5;
} source;

/* Remembers the base name and digest of an input file. */
static anpe_status note_source(anpe_ctx *ctx, anpe_emulator *e, const char *path)
{
    const char *base = anpe_text_basename(path);
    for (int i = 0; i < e->n_sources; i++)
        if (!strcmp(e->source[i], base))
            return ANPE_OK;
    if (e->n_sources == (int)(sizeof e->source / sizeof e->source[0]))
        return ANPE_OK;
    snprintf(e->source[e->n_sources], sizeof e->source[0], "%s", base);
    return anpe_digest_file(ctx, path, e->digest[e->n_sources++]);
}

/* Array `key` of `path`. rank and shape: what is expected, -1 for any size, filled in. why (or
 * NULL) ends the message of a wrong shape. NaN and infinity are refused. */
static anpe_status read_array(anpe_ctx *ctx, anpe_emulator *e, const char *path, const char *key,
                              int rank, int64_t *shape, const char *why, double **data)
{
    int64_t n = 1;
    anpe_status status = note_source(ctx, e, path);
    if (!status)
        status = anpe_array_expect(ctx, path, key, rank, shape, why, data);
    if (status)
        return status;
    for (int i = 0; i < rank; i++)
        n *= shape[i];
    for (int64_t i = 0; i < n; i++)
        if (!isfinite((*data)[i])) {
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: value %lld of %s is %g", path, (long long)i,
                               key && key[0] ? key : "the array", (*data)[i]);
            free(*data);
            *data = NULL;
            return status;
        }
    return ANPE_OK;
}

/* FILE[:KEY] -> path and key; `spec` as a whole when such a file exists. */
static anpe_status split_spec(anpe_ctx *ctx, const char *spec, char path[4096], const char **key)
{
    const char *colon = strrchr(spec, ':');
    if (snprintf(path, 4096, "%s", spec) >= 4096)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "the path is too long: %.40s...", spec);
    if (colon && access(spec, F_OK) != 0) {
        path[colon - spec] = 0;
        *key = colon + 1;
    }
    return ANPE_OK;
}

static anpe_status read_spec(anpe_ctx *ctx, anpe_emulator *e, const char *spec, const char *dflt,
                             int rank, int64_t *shape, const char *why, double **data)
{
    char path[4096];
    const char *key = dflt;
    const anpe_status status = split_spec(ctx, spec, path, &key);
    return status ? status : read_array(ctx, e, path, key, rank, shape, why, data);
}

/* Reads FILE[:KEY] and adds it to the emulator as `name`. */
static anpe_status add_spec(anpe_ctx *ctx, anpe_emulator *e, const char *spec, const char *name,
                            int64_t n, const char *why)
{
    double *v = NULL;
    const anpe_status status = read_spec(ctx, e, spec, NULL, 1, &n, why, &v);
    return status ? status : anpe_emulator_add(ctx, e, name, 1, &n, v);
}

/* ---- wavelengths ------------------------------------------------------------------------- */

/* The pixels of instrument apogee, as its plugin has them: all, or The Payne's. */
static anpe_status apogee_grid(anpe_ctx *ctx, anpe_emulator *e)
{
    anpe_settings *settings = NULL;
    anpe_instrument instrument = {0};
    char text[80];
    double *v = NULL;
    anpe_status status;
    snprintf(text, sizeof text, "instrument = { plugin = \"apogee\"; grid = %lld; };",
             (long long)e->n_pixels);
    ANPE_TRY(anpe_settings_parse(ctx, text, "--grid apogee", 0, NULL, &settings));
    if ((status = anpe_instrument_new(ctx, settings, &instrument))) {
        anpe_fail_prefix(ctx, status, "the emulator has %lld pixels", (long long)e->n_pixels);
        goto out;
    }
    ANPE_TRY(ANPE_NEW(ctx, v, e->n_pixels));
    memcpy(v, instrument.info.wavelength, (size_t)e->n_pixels * sizeof *v);
    e->on_grid = "apogee";
    if (!isfinite(e->resolution))
        e->resolution = instrument.info.resolution[0];
    status = anpe_emulator_add(ctx, e, "wavelength", 1, &e->n_pixels, v);
out:
    anpe_instrument_clear(&instrument);
    anpe_settings_free(settings);
    return status;
}

static anpe_status check_wavelength(anpe_ctx *ctx, const anpe_emulator *e, const char *spec)
{
    const anpe_emulator_array *w = anpe_emulator_find(e, "wavelength");
    for (int64_t i = 1; i < e->n_pixels; i++)
        if (!(w->v[i] > w->v[i - 1]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: wavelengths do not ascend at pixel %lld: %g, %g", spec,
                             (long long)i, w->v[i - 1], w->v[i]);
    if (!(w->v[0] > 0))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: a wavelength is not positive: %g", spec, w->v[0]);
    if (w->v[e->n_pixels - 1] < 1500)
        anpe_log(ctx, ANPE_WARNING,
                 "%s: wavelengths from %g to %g look like nanometres; Angstrom are wanted", spec,
                 w->v[0], w->v[e->n_pixels - 1]);
    return ANPE_OK;
}

static anpe_status add_wavelength(anpe_ctx *ctx, const source *s)
{
    const anpe_import_request *r = s->request;
    const int has_file = r->wavelength && r->wavelength[0], has_grid = r->grid && r->grid[0];
    char why[64];
    anpe_status status = ANPE_OK;
    snprintf(why, sizeof why, "; the emulator has %lld pixels", (long long)s->e->n_pixels);
    if (has_file && has_grid)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "give either --wavelength or --grid, not both");
    if (has_grid && strcmp(r->grid, "apogee"))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "--grid: '%s' is not known; known is apogee", r->grid);
    if (has_grid)
        return apogee_grid(ctx, s->e);
    if (has_file)
        status = add_spec(ctx, s->e, r->wavelength, "wavelength", s->e->n_pixels, why);
    else if (s->h5 && anpe_h5_has(s->h5, "wavelength")) {
        double *v = NULL;
        status = read_array(ctx, s->e, r->file, "wavelength", 1, &s->e->n_pixels, why, &v);
        if (!status)
            status = anpe_emulator_add(ctx, s->e, "wavelength", 1, &s->e->n_pixels, v);
    } else {
        anpe_log(ctx, ANPE_WARNING,
                 "no wavelengths (--wavelength FILE or --grid apogee): the emulator can only feed "
                 "an instrument without wavelengths");
        return ANPE_OK;
    }
    return status ? status : check_wavelength(ctx, s->e, has_file ? r->wavelength : r->file);
}

/* ---- The Payne --------------------------------------------------------------------------- */

static int has(const source *s, const char *key)
{
    if (s->h5)
        return anpe_h5_has(s->h5, key);
    for (int i = 0; i < s->n_names; i++)
        if (!strcmp(s->names[i], key))
            return 1;
    return 0;
}

static anpe_status open_source(anpe_ctx *ctx, source *s)
{
    const char *path = s->request->file;
    if (anpe_text_has_extension(path, ".npz"))
        return anpe_npz_names(ctx, path, &s->n_names, &s->names);
    if (anpe_text_has_extension(path, ".h5") || anpe_text_has_extension(path, ".hdf5"))
        return anpe_h5_open(ctx, path, &s->h5);
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: a Payne emulator is a .npz or .h5 file", path);
}

static void close_source(source *s)
{
    anpe_npz_names_free(s->n_names, s->names);
    anpe_h5_abandon(s->h5);
}

static anpe_status need(anpe_ctx *ctx, const source *s, const char *key)
{
    anpe_text list = {0};
    if (has(s, key))
        return ANPE_OK;
    for (int i = 0; i < s->n_names; i++)
        anpe_text_add(&list, "%s%s", i ? ", " : "; it has ", s->names[i]);
    const anpe_status status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no array '%s'%s", s->request->file,
                                         key, list.text ? list.text : "");
    anpe_text_free(&list);
    return status;
}

/* Reads published array `key` and adds it as `name`; shape -1 is filled in. */
static anpe_status take(anpe_ctx *ctx, const source *s, const char *key, const char *name, int rank,
                        int64_t *shape, const char *why)
{
    double *v = NULL;
    anpe_status status = need(ctx, s, key);
    if (!status)
        status = read_array(ctx, s->e, s->request->file, key, rank, shape, why, &v);
    return status ? status : anpe_emulator_add(ctx, s->e, name, rank, shape, v);
}

static int64_t count_layers(const source *s)
{
    char key[24];
    int64_t n = 0;
    for (int64_t i = 0; i < MAX_LAYERS; i++) {
        snprintf(key, sizeof key, "w_array_%d", (int)i);
        n = has(s, key) ? i + 1 : n; /* a gap is found when the missing layer is read */
    }
    return n;
}

static anpe_status take_dense(anpe_ctx *ctx, const source *s, int64_t n_labels)
{
    char w[24], b[24], name[16], why[96];
    int64_t shape[2] = {-1, n_labels};
    anpe_status status = ANPE_OK;
    s->e->n_layers = count_layers(s);
    snprintf(why, sizeof why, "; x_min has %lld labels", (long long)n_labels);
    for (int i = 0; i < s->e->n_layers && !status; i++) {
        snprintf(w, sizeof w, "w_array_%d", i);
        snprintf(b, sizeof b, "b_array_%d", i);
        snprintf(name, sizeof name, "w%d", i);
        status = take(ctx, s, w, name, 2, shape, why);
        snprintf(why, sizeof why, "; %s gives %lld values", w, (long long)shape[0]);
        snprintf(name, sizeof name, "b%d", i);
        if (!status)
            status = take(ctx, s, b, name, 1, shape, why);
        if (i < s->e->n_layers - 1) {
            shape[1] = shape[0];
            shape[0] = -1;
        }
    }
    s->e->n_pixels = shape[0];
    s->e->kind = "dense";
    const char *a = s->request->activation;
    s->e->activation = a && a[0] ? a : "leaky_relu";
    return status;
}

/* s' = 0.8 u + 0.1 with u = s + 1/2 in the files of ThePayne: folded into the first layer. */
static void fold_scaling(anpe_emulator *e, int64_t n, int64_t n_labels)
{
    double *w = anpe_emulator_find(e, "w0")->v, *b = anpe_emulator_find(e, "b0")->v;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n_labels; k++) {
            b[i] += 0.5 * w[i * n_labels + k];
            w[i * n_labels + k] *= 0.8;
        }
}

static anpe_status take_per_pixel(anpe_ctx *ctx, const source *s, int64_t n_labels)
{
    int64_t shape[3] = {-1, -1, n_labels}, two = 2;
    char why[96];
    snprintf(why, sizeof why, "; x_min has %lld labels", (long long)n_labels);
    anpe_status status = take(ctx, s, "w_array_0", "w0", 3, shape, why);
    snprintf(why, sizeof why, "; w_array_0 has %lld pixels and %lld hidden units",
             (long long)shape[0], (long long)shape[1]);
    if (!status)
        status = take(ctx, s, "b_array_0", "b0", 2, shape, why);
    if (!status)
        status = take(ctx, s, "w_array_1", "w1", 2, shape, why);
    if (!status)
        status = take(ctx, s, "b_array_1", "b1", 1, shape, why);
    if (status)
        return status;
    s->e->n_pixels = shape[0];
    s->e->n_layers = 2;
    s->e->kind = "per_pixel";
    s->e->activation = "sigmoid";
    if (!s->h5)
        return ANPE_OK;
    fold_scaling(s->e, shape[0] * shape[1], n_labels);
    s->e->output = "sigmoid";
    double *affine; /* f = (sigmoid - 0.1)/0.8 */
    if (ANPE_NEW(ctx, affine, 2))
        return ANPE_ENOMEM;
    affine[0] = 1 / 0.8;
    affine[1] = -0.1 / 0.8;
    return anpe_emulator_add(ctx, s->e, "output_affine", 1, &two, affine);
}

static anpe_status check_activation(anpe_ctx *ctx, const char *name)
{
    if (!name || !name[0] || !strcmp(name, "leaky_relu") || !strcmp(name, "relu") ||
        !strcmp(name, "sigmoid"))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EINVAL,
                     "--activation: '%s' is not known; known are leaky_relu, relu, sigmoid", name);
}

static anpe_status import_payne(anpe_ctx *ctx, source *s)
{
    double *lo = NULL, *hi = NULL, *w = NULL;
    int64_t n = -1, shape[4];
    int rank = 0;
    anpe_status status = check_activation(ctx, s->request->activation);
    if (!status)
        status = open_source(ctx, s);
    const char *const keys[] = {"w_array_0", "x_min", "x_max"};
    for (int i = 0; i < 3 && !status; i++)
        status = need(ctx, s, keys[i]);
    if (!status)
        status = read_array(ctx, s->e, s->request->file, "x_min", 1, &n, NULL, &lo);
    if (!status)
        status = read_array(ctx, s->e, s->request->file, "x_max", 1, &n, "; as x_min", &hi);
    if (!status)
        status = anpe_import_labels(ctx, s->request, n, lo, hi, s->e);
    if (!status) { /* the scaling stays the file's, whatever --range says of the domain */
        status = anpe_emulator_add(ctx, s->e, "x_min", 1, &n, lo);
        lo = NULL;
    }
    if (!status) {
        status = anpe_emulator_add(ctx, s->e, "x_max", 1, &n, hi);
        hi = NULL;
    }
    if (!status)
        status = anpe_array_read(ctx, s->request->file, "w_array_0", &w, &rank, shape);
    if (!status)
        status = rank == 3 ? take_per_pixel(ctx, s, n) : take_dense(ctx, s, n);
    free(lo);
    free(hi);
    free(w);
    return status;
}

/* ---- The Cannon -------------------------------------------------------------------------- */

/* Exponents of 1, d_i, d_i d_j (j >= i): the quadratic Cannon in the order of
 * plugins/simulator/cannon/README.md. */
static anpe_status quadratic(anpe_ctx *ctx, int64_t D, int64_t *n_features, double **exponents)
{
    *n_features = 1 + D + D * (D + 1) / 2;
    if (ANPE_NEW(ctx, *exponents, *n_features, D))
        return ANPE_ENOMEM;
    double *row = *exponents;
    for (int64_t i = 0; i < D; i++)
        (row += D)[i] = 1;
    for (int64_t i = 0; i < D; i++)
        for (int64_t j = i; j < D; j++) {
            row += D;
            row[i] += 1;
            row[j] += 1;
        }
    return ANPE_OK;
}

/* Coefficients as (F, P); a file may hold (P, F). */
static anpe_status take_coefficients(anpe_ctx *ctx, const source *s, int64_t F)
{
    int64_t shape[2] = {-1, -1};
    double *c = NULL;
    anpe_status status = read_spec(ctx, s->e, s->request->file, NULL, 2, shape, NULL, &c);
    if (status)
        return status;
    if (shape[0] != F && shape[1] != F) {
        free(c);
        return ANPE_FAIL(
            ctx, ANPE_EFORMAT,
            "%s: coefficients have shape (%lld, %lld), but %lld labels make %lld terms "
            "(constant included): expected (%lld, *) or (*, %lld)",
            s->request->file, (long long)shape[0], (long long)shape[1], (long long)s->e->n_labels,
            (long long)F, (long long)F, (long long)F);
    }
    if (shape[0] != F) {
        double *t;
        if (ANPE_NEW(ctx, t, F, shape[0])) {
            free(c);
            return ANPE_ENOMEM;
        }
        for (int64_t p = 0; p < shape[0]; p++)
            for (int64_t f = 0; f < F; f++)
                t[f * shape[0] + p] = c[p * F + f];
        free(c);
        c = t;
        shape[1] = shape[0];
        shape[0] = F;
    }
    s->e->n_pixels = shape[1];
    return anpe_emulator_add(ctx, s->e, "coefficients", 2, shape, c);
}

static anpe_status add_scales(anpe_ctx *ctx, const source *s)
{
    const char *spec = s->request->scale;
    const int64_t D = s->e->n_labels;
    anpe_status status = ANPE_OK;
    if (!spec || !spec[0]) {
        double *one;
        if (ANPE_NEW(ctx, one, D))
            return ANPE_ENOMEM;
        for (int64_t i = 0; i < D; i++)
            one[i] = 1;
        return anpe_emulator_add(ctx, s->e, "scales", 1, &D, one);
    }
    status = add_spec(ctx, s->e, spec, "scales", D, "; one per label");
    for (int64_t i = 0; i < D && !status; i++)
        if (anpe_emulator_find(s->e, "scales")->v[i] == 0)
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the scale of label %s is 0", spec,
                               s->e->labels[i].name);
    return status;
}

static anpe_status import_cannon(anpe_ctx *ctx, source *s)
{
    const anpe_import_request *r = s->request;
    double *pivots = NULL, *exponents = NULL;
    int64_t D = -1, F = 0, shape[2];
    if (!r->pivots || !r->pivots[0])
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "a Cannon model needs the pivots of its labels: "
                         "--pivots FILE[:KEY]");
    anpe_status status = read_spec(ctx, s->e, r->pivots, NULL, 1, &D, "; one per label", &pivots);
    if (!status)
        status = anpe_emulator_add(ctx, s->e, "pivots", 1, &D, pivots);
    if (!status)
        status = anpe_import_labels(ctx, r, D, NULL, NULL, s->e);
    if (!status)
        status = r->terms && r->terms[0] ? anpe_import_terms(ctx, r->terms, s->e, &F, &exponents)
                                         : quadratic(ctx, D, &F, &exponents);
    if (status)
        return status;
    shape[0] = F;
    shape[1] = D;
    status = anpe_emulator_add(ctx, s->e, "exponents", 2, shape, exponents);
    if (!status)
        status = take_coefficients(ctx, s, F);
    if (!status)
        status = add_scales(ctx, s);
    s->e->kind = "cannon";
    return status;
}

/* The name is an emulator's, a file can be made there, and it is none of the inputs. */
static anpe_status check_output(anpe_ctx *ctx, const anpe_import_request *r)
{
    const char *const inputs[] = {r->file,     r->wavelength, r->scatter,
                                  r->held_out, r->pivots,     r->scale};
    char path[4096];
    const char *key;
    if (!anpe_text_has_extension(r->out, ".h5") && !anpe_text_has_extension(r->out, ".hdf5"))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: the emulator's name must end in .h5", r->out);
    anpe_status status = anpe_output_check(ctx, r->out);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs && !status; i++) {
        if (!inputs[i] || !inputs[i][0])
            continue;
        status = split_spec(ctx, inputs[i], path, &key);
        if (!status)
            status = anpe_output_differs(ctx, r->out, path);
    }
    return status;
}

static anpe_status check_scatter(anpe_ctx *ctx, const anpe_emulator *e, const char *spec)
{
    const double *v = anpe_emulator_find(e, "scatter")->v;
    for (int64_t i = 0; i < e->n_pixels; i++)
        if (!(v[i] >= 0))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the scatter of pixel %lld is %g", spec,
                             (long long)i, v[i]);
    return ANPE_OK;
}

static anpe_status add_scatter(anpe_ctx *ctx, const source *s)
{
    const anpe_import_request *r = s->request;
    const int has_file = r->scatter && r->scatter[0], has_spectra = r->held_out && r->held_out[0];
    if (has_file && has_spectra)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "give either --scatter or --held-out, not both");
    anpe_status status = ANPE_OK;
    if (has_file)
        status = add_spec(ctx, s->e, r->scatter, "scatter", s->e->n_pixels, "; one per pixel");
    if (has_file && !status)
        status = check_scatter(ctx, s->e, r->scatter);
    if (!has_spectra)
        return status;
    status = note_source(ctx, s->e, r->held_out);
    return status ? status : anpe_import_held_out(ctx, r, s->e);
}

anpe_status anpe_import(anpe_ctx *ctx, const anpe_import_request *r, anpe_emulator *e)
{
    source s = {.request = r, .e = e};
    *e = (anpe_emulator){.resolution = r->resolution > 0 ? r->resolution : INFINITY,
                         .normalised = !r->absolute};
    anpe_status status = check_output(ctx, r);
    if (status)
        return status;
    if (!strcmp(r->model, "payne"))
        status = import_payne(ctx, &s);
    else if (!strcmp(r->model, "cannon"))
        status = import_cannon(ctx, &s);
    else
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "import: '%s' is not known; known are payne and cannon", r->model);
    if (!status)
        status = add_wavelength(ctx, &s);
    if (!status)
        status = add_scatter(ctx, &s);
    if (!status)
        status = anpe_emulator_write(ctx, e, r->out);
    close_source(&s);
    return status;
}
