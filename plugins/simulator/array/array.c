/* simulator array: no simulator. It says which labels the simulations of a file have; the file is
 * read by the core. */
#include <anpe/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct row {
    const char *name, *unit;
    double min, max;
} row;

static const anpe_option row_table[] = {
    ANPE_OPT_TEXT(row, name, NULL, "label, as in the file's list"),
    ANPE_OPT_TEXT(row, unit, "", "its unit"),
    ANPE_OPT_REAL_OPTIONAL(row, min, -ANPE_UNBOUNDED, ANPE_UNBOUNDED, "label",
                           "lower end of its domain; default unbounded"),
    ANPE_OPT_REAL_OPTIONAL(row, max, -ANPE_UNBOUNDED, ANPE_UNBOUNDED, "label",
                           "upper end of its domain; default unbounded"),
    ANPE_OPT_END};

typedef struct array_options {
    anpe_rows labels;
} array_options;

static const anpe_option array_table[] = {
    ANPE_OPT_ROWS(array_options, labels, row_table, row, "labels of the simulations"),
    ANPE_OPT_END};

typedef struct array {
    int64_t n;
    anpe_label *labels;
} array;

static void array_destroy(void *self)
{
    array *p = self;
    if (!p)
        return;
    free(p->labels);
    free(p);
}

static anpe_status set_label(anpe_ctx *ctx, const row *rows, int64_t i, anpe_label *l)
{
    const row *r = &rows[i];
    if (strlen(r->name) >= sizeof l->name || strlen(r->unit) >= sizeof l->unit)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "label '%s', unit '%s': longer than %zu and %zu letters", r->name, r->unit,
                         sizeof l->name - 1, sizeof l->unit - 1);
    for (int64_t k = 0; k < i; k++)
        if (!strcmp(rows[k].name, r->name))
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s is given twice", r->name);
    snprintf(l->name, sizeof l->name, "%s", r->name);
    snprintf(l->unit, sizeof l->unit, "%s", r->unit);
    l->min = isnan(r->min) ? -INFINITY : r->min;
    l->max = isnan(r->max) ? INFINITY : r->max;
    if (!(l->min < l->max))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label %s: min %g is not below max %g", r->name, l->min,
                         l->max);
    return ANPE_OK;
}

static anpe_status array_create(anpe_ctx *ctx, const void *options, const void *setup, void **self)
{
    const array_options *o = options;
    anpe_status status = ANPE_OK;
    (void)setup;
    if (o->labels.n < 1)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "labels is empty: name the labels of the simulations");
    array *p;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    status = ANPE_NEW(ctx, p->labels, o->labels.n);
    for (int64_t i = 0; i < o->labels.n && !status; i++)
        status = set_label(ctx, o->labels.v, i, &p->labels[i]);
    if (status) {
        array_destroy(p);
        return status;
    }
    p->n = o->labels.n;
    *self = p;
    return ANPE_OK;
}

static void array_info(const void *self, anpe_simulator_info *info)
{
    const array *p = self;
    info->n_labels = p->n;
    info->labels = p->labels;
    info->n_pixels = 0;
    info->wavelength = NULL;
    info->resolution = INFINITY;
    info->on_grid = 1;
    info->normalised = 0; /* whatever the file has */
}

static anpe_status array_simulate(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                                  float *flux, void *scratch)
{
    (void)self, (void)n, (void)theta, (void)flux, (void)scratch;
    return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                     "array: this simulator cannot make spectra; its simulations come from a file: "
                     "anpe train --data SIMULATIONS");
}

static const anpe_simulator_ops array_ops = {
    .size = sizeof array_ops, .info = array_info, .simulate = array_simulate};

static const anpe_plugin array_plugin = {.abi = ANPE_ABI,
                                         .kind = ANPE_SIMULATOR,
                                         .name = "array",
                                         .version = "1.0",
                                         .summary = "no simulator: simulations come from a file",
                                         .options = array_table,
                                         .options_size = sizeof(array_options),
                                         .create = array_create,
                                         .destroy = array_destroy,
                                         .ops = &array_ops};

ANPE_PLUGINS(&array_plugin);
