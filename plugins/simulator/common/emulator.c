/* Reading of emulator files; see emulator.h. */
#include "emulator.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One text attribute of the file into a buffer; fallback NULL: it must be there. */
static anpe_status text_attribute(anpe_ctx *ctx, const emulator *e, const char *name,
                                  const char *fallback, char *out, size_t size)
{
    char **texts = NULL;
    int64_t n = 0;
    const anpe_status status = anpe_attribute_read(ctx, e->path, "/", name, &n, &texts);
    if (status)
        return status;
    const char *value = n == 1 ? texts[0] : fallback;
    const int fits = value && (size_t)snprintf(out, size, "%s", value) < size;
    free(texts);
    if (!value)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: no attribute '%s'; an emulator is made by 'anpe import'", e->path,
                         name);
    if (!fits)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the attribute '%s' is too long", e->path, name);
    return ANPE_OK;
}

/* Whether `word` is one of the words in "a|b|c". */
static int is_one_of(const char *word, const char *choices)
{
    const size_t length = strlen(word);
    for (const char *p = choices; p; p = strchr(p, '|'), p = p ? p + 1 : NULL)
        if (strcspn(p, "|") == length && !strncmp(p, word, length))
            return 1;
    return 0;
}

anpe_status emulator_array(anpe_ctx *ctx, const emulator *e, const char *key, int rank,
                           int64_t *shape, double **data)
{
    int64_t n = 1;
    const anpe_status status = anpe_array_expect(ctx, e->path, key, rank, shape, NULL, data);
    if (status)
        return status;
    for (int i = 0; i < rank; i++)
        n *= shape[i];
    for (int64_t i = 0; i < n; i++)
        if (isnan((*data)[i])) {
            free(*data);
            *data = NULL;
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: value %lld of '%s' is not a number", e->path,
                             (long long)i, key);
        }
    return ANPE_OK;
}

anpe_status emulator_pixels(anpe_ctx *ctx, emulator *e, const char *key, int rank, int64_t *shape,
                            double **data)
{
    int64_t row = 1;
    shape[0] = e->n_stored;
    const anpe_status status = emulator_array(ctx, e, key, rank, shape, data);
    if (status)
        return status;
    e->n_stored = shape[0];
    if (e->n_pixels < 0)
        e->n_pixels = shape[0];
    for (int i = 1; i < rank; i++)
        row *= shape[i];
    shape[0] = e->n_pixels;
    memmove(*data, *data + e->first * row, (size_t)(e->n_pixels * row) * sizeof **data);
    return ANPE_OK;
}

/* Names, units and domain. */
static anpe_status read_labels(anpe_ctx *ctx, emulator *e)
{
    char **names = NULL, **units = NULL, domain[16];
    double *lo = NULL, *hi = NULL;
    int64_t n_units = 0;
    int apart;
    anpe_status status;
    ANPE_TRY(anpe_attribute_read(ctx, e->path, "/", "labels", &e->n_labels, &names));
    ANPE_TRY(anpe_attribute_read(ctx, e->path, "/", "units", &n_units, &units));
    if (e->n_labels < 1 || n_units != e->n_labels)
        ANPE_TRY(ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %lld label names and %lld units", e->path,
                           (long long)e->n_labels, (long long)n_units));
    ANPE_TRY(emulator_array(ctx, e, "x_min", 1, &e->n_labels, &e->x_min));
    ANPE_TRY(emulator_array(ctx, e, "x_max", 1, &e->n_labels, &e->x_max));
    /* older files: the two are one */
    ANPE_TRY(text_attribute(ctx, e, "domain", "x", domain, sizeof domain));
    apart = !strcmp(domain, "domain");
    ANPE_TRY(emulator_array(ctx, e, apart ? "domain_min" : "x_min", 1, &e->n_labels, &lo));
    ANPE_TRY(emulator_array(ctx, e, apart ? "domain_max" : "x_max", 1, &e->n_labels, &hi));
    ANPE_TRY(ANPE_NEW(ctx, e->labels, e->n_labels));
    for (int64_t i = 0; i < e->n_labels && !status; i++) {
        anpe_label *l = &e->labels[i];
        snprintf(l->name, sizeof l->name, "%s", names[i]);
        snprintf(l->unit, sizeof l->unit, "%s", units[i]);
        l->min = lo[i];
        l->max = hi[i];
        if (!(l->min < l->max))
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: label %s has the empty range [%g, %g]",
                               e->path, l->name, l->min, l->max);
        if (!status && apart && !(e->x_min[i] < e->x_max[i]))
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: label %s is scaled by the empty [%g, %g]",
                               e->path, l->name, e->x_min[i], e->x_max[i]);
    }
out:
    free(names);
    free(units);
    free(lo);
    free(hi);
    return status;
}

/* Which pixels can be seen: within the instrument's range, which has room for velocities, and three
 * elements of its resolution and 300 km/s of rotation beyond it. If there are none, the core says
 * better which are missing. */
static void choose_pixels(emulator *e, const anpe_simulator_setup *setup)
{
    const double resolution = setup->resolution > 0 ? setup->resolution : INFINITY;
    const double margin = 1 + 1e-3 + 3 / resolution;
    const double low = setup->lambda_min / margin, high = setup->lambda_max * margin;
    int64_t first = 0, end = e->n_stored;
    while (first < end && e->wavelength[first] < low)
        first++;
    while (end > first && e->wavelength[end - 1] > high)
        end--;
    if (end - first < 2)
        return;
    e->first = first;
    e->n_pixels = end - first;
    memmove(e->wavelength, e->wavelength + first, (size_t)e->n_pixels * sizeof *e->wavelength);
}

static anpe_status read_grid(anpe_ctx *ctx, const anpe_simulator_setup *setup, emulator *e)
{
    char text[32];
    anpe_status status;
    e->n_pixels = e->n_stored = -1;
    ANPE_TRY(text_attribute(ctx, e, "grid", "none", text, sizeof text));
    if (!strcmp(text, "wavelength"))
        ANPE_TRY(emulator_array(ctx, e, "wavelength", 1, &e->n_pixels, &e->wavelength));
    for (int64_t i = 1; e->wavelength && i < e->n_pixels; i++)
        if (!(e->wavelength[i] > e->wavelength[i - 1]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: wavelengths do not ascend at pixel %lld",
                             e->path, (long long)i);
    e->n_stored = e->n_pixels;
    ANPE_TRY(text_attribute(ctx, e, "on_grid", "", text, sizeof text));
    e->on_grid = text[0] != 0;
    if (setup && setup->lambda_max > 0 && e->wavelength && !e->on_grid)
        choose_pixels(e, setup);
    ANPE_TRY(text_attribute(ctx, e, "normalised", "yes", text, sizeof text));
    e->normalised = !strcmp(text, "yes");
    ANPE_TRY(text_attribute(ctx, e, "resolution", "inf", text, sizeof text));
    e->resolution = strtod(text, NULL);
    if (!(e->resolution > 0))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: resolution '%s' is not a positive number", e->path,
                         text);
out:
    return status;
}

anpe_status emulator_open(anpe_ctx *ctx, const char *path, const char *kinds,
                          const anpe_simulator_setup *setup, emulator *e)
{
    char text[16];
    *e = (emulator){0};
    if (ANPE_NEW(ctx, e->path, (int64_t)strlen(path) + 1))
        return ANPE_ENOMEM;
    memcpy(e->path, path, strlen(path) + 1);
    anpe_status status;
    ANPE_TRY(text_attribute(ctx, e, "kind", NULL, e->kind, sizeof e->kind));
    if (!is_one_of(e->kind, kinds))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s is an emulator of kind '%s'; this takes %s", path,
                         e->kind, kinds);
    ANPE_TRY(text_attribute(ctx, e, "activation", "none", e->activation, sizeof e->activation));
    ANPE_TRY(text_attribute(ctx, e, "output", "linear", e->output, sizeof e->output));
    ANPE_TRY(text_attribute(ctx, e, "layers", "0", text, sizeof text));
    e->n_layers = strtol(text, NULL, 10);
    ANPE_TRY(read_labels(ctx, e));
    ANPE_TRY(read_grid(ctx, setup, e));
out:
    return status;
}

anpe_status emulator_read_scatter(anpe_ctx *ctx, emulator *e)
{
    char text[16];
    double *v = NULL;
    anpe_status status = text_attribute(ctx, e, "scatter", "no", text, sizeof text);
    if (status || strcmp(text, "yes"))
        return status;
    int64_t n;
    status = emulator_pixels(ctx, e, "scatter", 1, &n, &v);
    if (status)
        return status;
    status = ANPE_NEW(ctx, e->scatter, e->n_pixels);
    for (int64_t i = 0; i < e->n_pixels && !status; i++) {
        e->scatter[i] = (float)v[i];
        if (!(v[i] >= 0) || !isfinite(e->scatter[i]))
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the scatter of pixel %lld is %g", e->path,
                               (long long)(e->first + i), v[i]);
    }
    free(v);
    return status;
}

void emulator_clear(emulator *e)
{
    free(e->path);
    free(e->labels);
    free(e->x_min);
    free(e->x_max);
    free(e->wavelength);
    free(e->scatter);
    *e = (emulator){0};
}

anpe_status emulator_labels(const emulator *e, anpe_ctx *ctx, const char *plugin,
                            const double *theta)
{
    for (int64_t i = 0; i < e->n_labels; i++) {
        const anpe_label *l = &e->labels[i];
        if (!(theta[i] >= l->min && theta[i] <= l->max))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: label %s outside [%.8g, %.8g]: %.8g", plugin,
                             l->name, l->min, l->max, theta[i]);
    }
    return ANPE_OK;
}

void emulator_info(const emulator *e, anpe_simulator_info *info)
{
    info->n_labels = e->n_labels;
    info->labels = e->labels;
    info->n_pixels = e->n_pixels;
    info->wavelength = e->wavelength;
    info->resolution = e->resolution;
    info->on_grid = e->on_grid;
    info->normalised = e->normalised;
    info->scatter = e->scatter;
}
