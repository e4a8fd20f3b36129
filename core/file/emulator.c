/* Writing of emulators; see emulator.h. */
#include "file/emulator.h"
#include "base/shape.h"
#include "file/hdf5_file.h"
#include <anpe/anpe.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double LARGEST_HALF = 65504;

anpe_status anpe_emulator_add(anpe_ctx *ctx, anpe_emulator *e, const char *name, int rank,
                              const int64_t *shape, double *v)
{
    if (e->n_arrays == ANPE_EMULATOR_ARRAYS) {
        free(v);
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "more than %d arrays in an emulator",
                         ANPE_EMULATOR_ARRAYS);
    }
    anpe_emulator_array *a = &e->arrays[e->n_arrays++];
    snprintf(a->name, sizeof a->name, "%s", name);
    a->rank = rank;
    memcpy(a->shape, shape, (size_t)rank * sizeof *shape);
    a->v = v;
    return ANPE_OK;
}

const anpe_emulator_array *anpe_emulator_find(const anpe_emulator *e, const char *name)
{
    for (int i = 0; i < e->n_arrays; i++)
        if (!strcmp(e->arrays[i].name, name))
            return &e->arrays[i];
    return NULL;
}

void anpe_emulator_clear(anpe_emulator *e)
{
    for (int i = 0; i < e->n_arrays; i++)
        free(e->arrays[i].v);
    free(e->labels);
    *e = (anpe_emulator){0};
}

/* Published weights are float: stored as such, an emulator takes half the room. */
static anpe_status write_array(anpe_ctx *ctx, anpe_h5 *f, const anpe_emulator_array *a, int half)
{
    const int64_t n = anpe_shape_count(a->rank, a->shape);
    int64_t exact = 0;
    for (int64_t i = 0; half && i < n; i++)
        if (!(fabs(a->v[i]) <= LARGEST_HALF))
            return ANPE_FAIL(ctx, ANPE_ENUMERIC,
                             "weight %lld of '%s' is %g: half precision holds up to %g",
                             (long long)i, a->name, a->v[i], LARGEST_HALF);
    while (!half && exact < n && fabs(a->v[exact]) < 3e38 &&
           (double)(float)a->v[exact] == a->v[exact])
        exact++;
    if (!half && exact < n)
        return anpe_h5_write(ctx, f, a->name, ANPE_H5_DOUBLE, a->rank, a->shape, a->v);
    float *v;
    if (ANPE_NEW(ctx, v, n ? n : 1))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        v[i] = (float)a->v[i];
    const anpe_status status =
        half ? anpe_h5_write_half(ctx, f, a->name, a->rank, a->shape, v)
             : anpe_h5_write(ctx, f, a->name, ANPE_H5_FLOAT, a->rank, a->shape, v);
    free(v);
    return status;
}

static anpe_status write_labels(anpe_ctx *ctx, anpe_h5 *f, const anpe_emulator *e)
{
    const int64_t n = e->n_labels;
    const int scaled = anpe_emulator_find(e, "x_min") != NULL;
    double *lo;
    anpe_status status = ANPE_NEW(ctx, lo, 2, n);
    double *hi = status ? NULL : lo + n;
    for (int64_t i = 0; i < n && !status; i++) {
        lo[i] = e->labels[i].min;
        hi[i] = e->labels[i].max;
    }
    if (!status)
        status = anpe_h5_put_labels(ctx, f, "/", "labels", e->n_labels, e->labels);
    if (!status)
        status = anpe_h5_write(ctx, f, scaled ? "domain_min" : "x_min", ANPE_H5_DOUBLE, 1,
                               &e->n_labels, lo);
    if (!status)
        status = anpe_h5_write(ctx, f, scaled ? "domain_max" : "x_max", ANPE_H5_DOUBLE, 1,
                               &e->n_labels, hi);
    free(lo);
    return status;
}

static anpe_status write_sources(anpe_ctx *ctx, anpe_h5 *f, const anpe_emulator *e)
{
    const char *names[8], *digests[8];
    for (int i = 0; i < e->n_sources; i++) {
        names[i] = e->source[i];
        digests[i] = e->digest[i];
    }
    anpe_status status = anpe_h5_put_texts(ctx, f, "/", "source", e->n_sources, names);
    if (!status)
        status = anpe_h5_put_texts(ctx, f, "/", "source_sha256", e->n_sources, digests);
    return status;
}

static anpe_status write_attributes(anpe_ctx *ctx, anpe_h5 *f, const anpe_emulator *e)
{
    char layers[24], resolution[32];
    snprintf(layers, sizeof layers, "%lld", (long long)e->n_layers);
    snprintf(resolution, sizeof resolution, "%.17g", e->resolution);
    const char *const table[][2] = {
        {"format", "anpe emulator 1"},
        {"kind", e->kind},
        {"layers", layers},
        {"activation", e->activation ? e->activation : "none"},
        {"output", e->output ? e->output : "linear"},
        {"grid", anpe_emulator_find(e, "wavelength") ? "wavelength" : "none"},
        {"on_grid", e->on_grid ? e->on_grid : ""},
        {"resolution", resolution},
        {"normalised", e->normalised ? "yes" : "no"},
        {"domain", anpe_emulator_find(e, "x_min") ? "domain" : "x"},
        {"scatter", anpe_emulator_find(e, "scatter") ? "yes" : "no"},
        {"creator", e->creator ? e->creator : "anpe import"},
    };
    anpe_status status = ANPE_OK;
    for (size_t i = 0; i < sizeof table / sizeof table[0] && !status; i++)
        status = anpe_h5_put_text(ctx, f, "/", table[i][0], table[i][1]);
    if (!status && e->error[0])
        status = anpe_h5_put_text(ctx, f, "/", "held_out", e->error);
    return status;
}

anpe_status anpe_emulator_write(anpe_ctx *ctx, const anpe_emulator *e, const char *path)
{
    anpe_h5 *f = NULL;
    anpe_status status = anpe_h5_create_sealed(ctx, path, &f);
    if (!status)
        status = write_attributes(ctx, f, e);
    if (!status)
        status = write_labels(ctx, f, e);
    if (!status)
        status = write_sources(ctx, f, e);
    for (int i = 0; i < e->n_arrays && !status; i++)
        status = write_array(ctx, f, &e->arrays[i], e->half && e->arrays[i].rank == 2);
    if (status) {
        anpe_h5_abandon(f);
        return status;
    }
    return anpe_h5_close(ctx, f);
}
