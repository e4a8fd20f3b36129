/* Reading and writing model files. */
#include <config.h>
#include "model/model.h"
#include "base/digest.h"
#include "base/text.h"
#include "kind/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char format_name[] = "anpe model";

/* ---- digest: everything that decides the posterior --------------------------------------- */

static void digest_part(anpe_text *t, const char *name, const void *data, size_t size)
{
    char hex[65];
    anpe_digest_memory(data, size, hex);
    anpe_text_add(t, "%s %s\n", name, hex);
}

static void digest_basis(anpe_text *t, const anpe_basis *b)
{
    const size_t n = (size_t)(b->n + b->n_modes), values = (size_t)b->n_values;
    anpe_text_add(t, "basis %lld %lld\n", (long long)b->n, (long long)b->n_modes);
    digest_part(t, "basis mean", b->mean, values * sizeof *b->mean);
    digest_part(t, "basis vector", b->vector, values * (size_t)b->stride * sizeof *b->vector);
    digest_part(t, "basis precision", b->precision, n * sizeof *b->precision);
}

static void digest_start(anpe_text *t, const anpe_start *s)
{
    const size_t n = (size_t)s->n_labels;
    digest_part(t, "start weight", s->weight, (size_t)s->n_terms * n * sizeof *s->weight);
    digest_part(t, "start error", s->error, n * sizeof *s->error);
}

static anpe_status digest_all(anpe_ctx *ctx, const char *config, const anpe_label_map *m,
                              const anpe_channels *c, const anpe_pixel_sets *pixels,
                              const char *weights, char hex[65])
{
    anpe_text t = {0};
    const size_t n = (size_t)m->n, values = (size_t)(c->length * c->width);
    digest_part(&t, "config", config, strlen(config));
    for (int64_t i = 0; i < m->n; i++)
        anpe_text_add(&t, "%s %s %.17g %.17g %d\n", m->label[i].name, m->label[i].unit,
                      m->label[i].min, m->label[i].max, (int)m->kind[i]);
    digest_part(&t, "mean", m->mean, n * sizeof *m->mean);
    digest_part(&t, "sd", m->sd, n * sizeof *m->sd);
    digest_part(&t, "channel mean", c->mean, values * sizeof *c->mean);
    digest_part(&t, "channel scale", c->scale, values * sizeof *c->scale);
    if (anpe_channels_curved(c))
        digest_part(&t, "channel curve", c->curve, values * sizeof *c->curve);
    anpe_text_add(&t, "limit %.9g\n", (double)c->limit);
    if (c->basis)
        digest_basis(&t, c->basis);
    if (c->start)
        digest_start(&t, c->start);
    if (pixels->continuum)
        digest_part(&t, "continuum", pixels->continuum, (size_t)pixels->n);
    if (pixels->exclude)
        digest_part(&t, "exclude", pixels->exclude, (size_t)pixels->n);
    if (pixels->scatter)
        digest_part(&t, "scatter", pixels->scatter,
                    (size_t)pixels->n_values * sizeof *pixels->scatter);
    anpe_text_add(&t, "weights %s\n", weights);
    const anpe_status status = anpe_text_status(ctx, &t);
    if (!status)
        anpe_digest_memory(t.text, t.length, hex);
    anpe_text_free(&t);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* The columns min, max and kind of labels/, n values each, in one block: free(c.min). */
typedef struct label_columns {
    double *min, *max;
    int64_t *kind;
} label_columns;

static anpe_status label_columns_new(anpe_ctx *ctx, int64_t n, label_columns *c)
{
    _Static_assert(sizeof(double) == sizeof(int64_t), "one block for both");
    if (ANPE_NEW(ctx, c->min, 3, n))
        return ANPE_ENOMEM;
    c->max = c->min + n;
    c->kind = (int64_t *)(c->max + n);
    return ANPE_OK;
}

static anpe_status write_labels(anpe_ctx *ctx, anpe_h5 *f, const anpe_label_map *m)
{
    label_columns c = {0};
    const char **text; /* names, then units */
    anpe_status status = ANPE_NEW(ctx, text, 2, m->n);
    if (!status)
        status = label_columns_new(ctx, m->n, &c);
    for (int64_t i = 0; !status && i < m->n; i++) {
        text[i] = m->label[i].name;
        text[m->n + i] = m->label[i].unit;
        c.min[i] = m->label[i].min;
        c.max[i] = m->label[i].max;
        c.kind[i] = (int64_t)m->kind[i];
    }
    ANPE_TRY(status);
    ANPE_TRY(anpe_h5_write(ctx, f, "labels/min", ANPE_H5_DOUBLE, 1, &m->n, c.min));
    ANPE_TRY(anpe_h5_write(ctx, f, "labels/max", ANPE_H5_DOUBLE, 1, &m->n, c.max));
    ANPE_TRY(anpe_h5_write(ctx, f, "labels/kind", ANPE_H5_INT64, 1, &m->n, c.kind));
    ANPE_TRY(anpe_h5_write(ctx, f, "labels/mean", ANPE_H5_DOUBLE, 1, &m->n, m->mean));
    ANPE_TRY(anpe_h5_write(ctx, f, "labels/sd", ANPE_H5_DOUBLE, 1, &m->n, m->sd));
    ANPE_TRY(anpe_h5_put_texts(ctx, f, "labels", "names", m->n, text));
    ANPE_TRY(anpe_h5_put_texts(ctx, f, "labels", "units", m->n, text + m->n));
out:
    free(text);
    free(c.min);
    return status;
}

static anpe_status write_channels(anpe_ctx *ctx, anpe_h5 *f, const anpe_channels *c)
{
    anpe_status status;
    const char *names[ANPE_N_CHANNELS];
    const int64_t shape[2] = {c->length, c->width};
    for (int i = 0; i < c->n_kinds; i++)
        names[i] = anpe_channel_name(c->kind[i]);
    ANPE_TRY(anpe_h5_write(ctx, f, "channels/mean", ANPE_H5_FLOAT, 2, shape, c->mean));
    ANPE_TRY(anpe_h5_write(ctx, f, "channels/scale", ANPE_H5_FLOAT, 2, shape, c->scale));
    if (anpe_channels_curved(c))
        ANPE_TRY(anpe_h5_write(ctx, f, "channels/curve", ANPE_H5_FLOAT, 2, shape, c->curve));
    ANPE_TRY(anpe_h5_put_texts(ctx, f, "channels", "names", c->n_kinds, names));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, "channels", "planes", ANPE_H5_INT64, 1, &c->planes));
    const double limit = (double)c->limit;
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, "channels", "limit", ANPE_H5_DOUBLE, 1, &limit));
out:
    return status;
}

static anpe_status write_basis(anpe_ctx *ctx, anpe_h5 *f, const anpe_basis *b)
{
    const int64_t shape[2] = {b->n_values, b->stride}, amplitudes[2] = {b->n, b->n_modes};
    const int64_t n = b->n + b->n_modes;
    anpe_status status;
    ANPE_TRY(anpe_h5_write(ctx, f, "basis/mean", ANPE_H5_FLOAT, 1, shape, b->mean));
    ANPE_TRY(anpe_h5_write(ctx, f, "basis/vector", ANPE_H5_FLOAT, 2, shape, b->vector));
    ANPE_TRY(anpe_h5_write(ctx, f, "basis/precision", ANPE_H5_DOUBLE, 1, &n, b->precision));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, "basis", "amplitudes", ANPE_H5_INT64, 2, amplitudes));
out:
    return status;
}

static anpe_status write_start(anpe_ctx *ctx, anpe_h5 *f, const anpe_start *s)
{
    const int64_t shape[2] = {s->n_terms, s->n_labels};
    anpe_status status;
    ANPE_TRY(anpe_h5_write(ctx, f, "start/weight", ANPE_H5_DOUBLE, 2, shape, s->weight));
    ANPE_TRY(anpe_h5_write(ctx, f, "start/error", ANPE_H5_DOUBLE, 1, &s->n_labels, s->error));
out:
    return status;
}

/* raw: values to store, in the layout of p->raw. */
static anpe_status write_parameters(anpe_ctx *ctx, anpe_h5 *f, const anpe_parameters *p,
                                    const float *raw)
{
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < p->n && !status; i++) {
        char name[256];
        snprintf(name, sizeof name, "parameters/%s", p->table[i].name);
        status = anpe_h5_write(ctx, f, name, ANPE_H5_FLOAT, p->table[i].rank, p->table[i].shape,
                               raw + p->table[i].offset);
    }
    return status;
}

static anpe_status write_history(anpe_ctx *ctx, anpe_h5 *f, const anpe_history *h)
{
    anpe_status status;
    if (h->n == 0)
        return ANPE_OK;
    ANPE_TRY(anpe_h5_write(ctx, f, "history/train_loss", ANPE_H5_DOUBLE, 1, &h->n, h->train_loss));
    ANPE_TRY(anpe_h5_write(ctx, f, "history/validation_loss", ANPE_H5_DOUBLE, 1, &h->n,
                           h->validation_loss));
    ANPE_TRY(anpe_h5_write(ctx, f, "history/rate", ANPE_H5_DOUBLE, 1, &h->n, h->rate));
    ANPE_TRY(anpe_h5_write(ctx, f, "history/norm", ANPE_H5_DOUBLE, 1, &h->n, h->norm));
out:
    return status;
}

static anpe_status write_training(anpe_ctx *ctx, anpe_h5 *f, const anpe_model_parts *p)
{
    const anpe_resume_state *o = p->resume;
    const anpe_progress_state *s = p->progress;
    const int64_t numbers[5] = {o->step, s->epoch, s->n_epochs, s->best_epoch, o->n_norms};
    const int64_t stage[2] = {s->stage.number, s->stage.since};
    const double reals[2] = {s->best_loss, o->clip};
    const float *raw = p->net->parameters->raw;
    anpe_status status;
    ANPE_TRY(anpe_h5_write(ctx, f, "training/current", ANPE_H5_FLOAT, 1, &o->size, raw));
    ANPE_TRY(anpe_h5_write(ctx, f, "training/m", ANPE_H5_FLOAT, 1, &o->size, o->m));
    ANPE_TRY(anpe_h5_write(ctx, f, "training/v", ANPE_H5_FLOAT, 1, &o->size, o->v));
    if (o->average)
        ANPE_TRY(anpe_h5_write(ctx, f, "training/average", ANPE_H5_FLOAT, 1, &o->size, o->average));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, "training", "stage", ANPE_H5_INT64, 2, stage));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, "training", "state", ANPE_H5_INT64, 5, numbers));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, "training", "loss_and_clip", ANPE_H5_DOUBLE, 2, reals));
out:
    return status;
}

static anpe_status write_provenance(anpe_ctx *ctx, anpe_h5 *f, const anpe_model_parts *p)
{
    const anpe_plugin *used[] = {p->task->simulator.plugin, p->task->instrument.component.plugin,
                                 p->task->noise.plugin,     p->net->featurizer.plugin,
                                 p->net->flow.plugin,       p->net->backend_plugin.plugin};
    enum { N_USED = sizeof used / sizeof *used, MOST = N_USED + 32 };
    const anpe_prior *prior = p->task->prior;
    char text[MOST][96];
    const char *plugins[MOST];
    int n = 0;
    for (; n < N_USED + prior->n_blocks && n < MOST; n++) {
        const anpe_plugin *u = n < N_USED ? used[n] : prior->block[n - N_USED].plugin;
        snprintf(text[n], sizeof text[n], "%s/%s %s", anpe_kind_name(u->kind), u->name, u->version);
        plugins[n] = text[n];
    }
    anpe_status status = anpe_h5_put_texts(ctx, f, "/", "plugins", n, plugins);
    if (!status && p->n_inputs)
        status = anpe_h5_put_texts(ctx, f, "/", "inputs", p->n_inputs, p->inputs);
    if (!status)
        status = anpe_h5_put_text(
            ctx, f, "/", "kernels",
            anpe_backend_kernels(&p->net->backend_plugin, text[0], sizeof text[0]));
    return status;
}

static anpe_status write_root(anpe_ctx *ctx, anpe_h5 *f, const anpe_model_parts *p,
                              const char *config, const char *digest)
{
    anpe_status status;
    char created[24];
    anpe_text_utc(created);
    const int64_t version = ANPE_MODEL_FORMAT, complete = p->progress == NULL, seed = p->seed;
    ANPE_TRY(anpe_h5_put_text(ctx, f, "/", "format", format_name));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, "/", "format_version", ANPE_H5_INT64, 1, &version));
    ANPE_TRY(anpe_h5_put_text(ctx, f, "/", "anpe_version", PACKAGE_VERSION));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, "/", "seed", ANPE_H5_INT64, 1, &seed));
    ANPE_TRY(anpe_h5_put_numbers(ctx, f, "/", "complete", ANPE_H5_INT64, 1, &complete));
    ANPE_TRY(anpe_h5_put_text(ctx, f, "/", "config", config));
    ANPE_TRY(anpe_h5_put_text(ctx, f, "/", "digest", digest));
    ANPE_TRY(anpe_h5_put_text(ctx, f, "/", "created", created));
    if (p->observed) {
        const int64_t round = p->round;
        ANPE_TRY(anpe_h5_put_numbers(ctx, f, "/", "round", ANPE_H5_INT64, 1, &round));
        ANPE_TRY(anpe_h5_put_text(ctx, f, "/", "observed", p->observed));
    }
out:
    return status;
}

static anpe_status write_body(anpe_ctx *ctx, anpe_h5 *f, const anpe_model_parts *p,
                              const char *config)
{
    const anpe_instrument_info *inst = &p->task->instrument.info;
    const anpe_parameters *w = p->net->parameters;
    const float *raw = p->progress ? p->progress->best : w->raw;
    const anpe_pixel_sets pixels = {inst->n_pixels, p->task->continuum, p->task->exclude,
                                    anpe_task_size(p->task), p->task->scatter};
    char weights[65], digest[65];
    anpe_status status;
    anpe_digest_memory(raw, (size_t)w->size * sizeof *raw, weights);
    ANPE_TRY(digest_all(ctx, config, p->map, p->channels, &pixels, weights, digest));
    ANPE_TRY(write_root(ctx, f, p, config, digest));
    ANPE_TRY(write_labels(ctx, f, p->map));
    ANPE_TRY(write_channels(ctx, f, p->channels));
    if (p->channels->basis)
        ANPE_TRY(write_basis(ctx, f, p->channels->basis));
    if (p->channels->start)
        ANPE_TRY(write_start(ctx, f, p->channels->start));
    if (inst->wavelength)
        ANPE_TRY(anpe_h5_write(ctx, f, "wavelength", ANPE_H5_DOUBLE, 1, &inst->n_pixels,
                               inst->wavelength));
    if (pixels.continuum)
        ANPE_TRY(anpe_h5_write(ctx, f, "continuum", ANPE_H5_UINT8, 1, &pixels.n, pixels.continuum));
    if (pixels.exclude)
        ANPE_TRY(anpe_h5_write(ctx, f, "exclude", ANPE_H5_UINT8, 1, &pixels.n, pixels.exclude));
    if (pixels.scatter)
        ANPE_TRY(
            anpe_h5_write(ctx, f, "scatter", ANPE_H5_FLOAT, 1, &pixels.n_values, pixels.scatter));
    ANPE_TRY(write_parameters(ctx, f, w, raw));
    ANPE_TRY(write_history(ctx, f, p->history));
    ANPE_TRY(write_provenance(ctx, f, p));
    if (p->progress)
        ANPE_TRY(write_training(ctx, f, p));
out:
    return status;
}

anpe_status anpe_model_write(anpe_ctx *ctx, const char *path, const anpe_model_parts *p)
{
    anpe_h5 *f = NULL;
    anpe_status status;
    char *config = anpe_settings_resolved(ctx, p->settings, 0);
    if (!config)
        return ANPE_ENOMEM;
    ANPE_TRY(anpe_h5_create_sealed(ctx, path, &f));
    ANPE_TRY(write_body(ctx, f, p, config));
    status = anpe_h5_close(ctx, f);
    f = NULL;
out:
    anpe_h5_abandon(f);
    free(config);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------- */

static anpe_status read_labels(anpe_ctx *ctx, anpe_h5 *f, anpe_label_map **out)
{
    int rank;
    int64_t shape[8], n = 0, n_units = 0;
    char **name = NULL, **unit = NULL;
    anpe_label *label = NULL;
    label_columns c = {0};
    anpe_status status;
    ANPE_TRY(anpe_h5_shape(ctx, f, "labels/min", &rank, shape));
    ANPE_TRY(anpe_h5_get_texts(ctx, f, "labels", "names", &n, &name));
    ANPE_TRY(anpe_h5_get_texts(ctx, f, "labels", "units", &n_units, &unit));
    if (rank != 1 || n < 1 || n != shape[0] || n_units != n) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: labels do not fit together", anpe_h5_path(f));
        goto out;
    }
    ANPE_TRY(ANPE_NEW(ctx, label, n));
    ANPE_TRY(label_columns_new(ctx, n, &c));
    ANPE_TRY(anpe_h5_read(ctx, f, "labels/min", ANPE_H5_DOUBLE, n, c.min));
    ANPE_TRY(anpe_h5_read(ctx, f, "labels/max", ANPE_H5_DOUBLE, n, c.max));
    ANPE_TRY(anpe_h5_read(ctx, f, "labels/kind", ANPE_H5_INT64, n, c.kind));
    for (int64_t i = 0; i < n; i++) {
        snprintf(label[i].name, sizeof label[i].name, "%s", name[i]);
        snprintf(label[i].unit, sizeof label[i].unit, "%s", unit[i]);
        label[i].min = c.min[i];
        label[i].max = c.max[i];
    }
    ANPE_TRY(anpe_label_map_new(ctx, n, label, 1, out));
    for (int64_t i = 0; i < n; i++)
        if (c.kind[i] == ANPE_IDENTITY) /* a bounded label that was not transformed */
            (*out)->kind[i] = ANPE_IDENTITY;
    ANPE_TRY(anpe_h5_read(ctx, f, "labels/mean", ANPE_H5_DOUBLE, n, (*out)->mean));
    ANPE_TRY(anpe_h5_read(ctx, f, "labels/sd", ANPE_H5_DOUBLE, n, (*out)->sd));
out:
    anpe_h5_texts_free(n, name);
    anpe_h5_texts_free(n_units, unit);
    free(label);
    free(c.min);
    return status;
}

static anpe_status read_channels(anpe_ctx *ctx, anpe_h5 *f, anpe_channels **out)
{
    int rank;
    int64_t shape[8], n = 0, planes = 0;
    double limit = 0;
    char **name = NULL;
    anpe_status status;
    ANPE_TRY(anpe_h5_shape(ctx, f, "channels/mean", &rank, shape));
    ANPE_TRY(anpe_h5_get_texts(ctx, f, "channels", "names", &n, &name));
    ANPE_TRY(anpe_h5_get_numbers(ctx, f, "channels", "planes", ANPE_H5_INT64, 1, &planes));
    if (rank != 2 || n > ANPE_N_CHANNELS || planes < 1 || n < 1 || shape[1] % n ||
        planes != shape[1] / n) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: channels do not fit together", anpe_h5_path(f));
        goto out;
    }
    ANPE_TRY(anpe_channels_new(ctx, shape[0], planes, (int)n, (const char *const *)name, out));
    ANPE_TRY(anpe_h5_get_numbers(ctx, f, "channels", "limit", ANPE_H5_DOUBLE, 1, &limit));
    (*out)->limit = (float)limit;
    ANPE_TRY(
        anpe_h5_read(ctx, f, "channels/mean", ANPE_H5_FLOAT, shape[0] * shape[1], (*out)->mean));
    ANPE_TRY(
        anpe_h5_read(ctx, f, "channels/scale", ANPE_H5_FLOAT, shape[0] * shape[1], (*out)->scale));
    if (anpe_h5_has(f, "channels/curve"))
        ANPE_TRY(anpe_h5_read(ctx, f, "channels/curve", ANPE_H5_FLOAT, shape[0] * shape[1],
                              (*out)->curve));
out:
    anpe_h5_texts_free(n, name);
    return status;
}

static anpe_status read_basis(anpe_ctx *ctx, anpe_h5 *f, anpe_channels *c)
{
    int rank;
    int64_t shape[8], n[2];
    anpe_basis *b = NULL;
    anpe_status status;
    if (!anpe_h5_has(f, "basis"))
        return ANPE_OK;
    ANPE_TRY(anpe_h5_shape(ctx, f, "basis/vector", &rank, shape));
    ANPE_TRY(anpe_h5_get_numbers(ctx, f, "basis", "amplitudes", ANPE_H5_INT64, 2, n));
    if (rank == 2)
        ANPE_TRY(anpe_basis_new(ctx, n[0], n[1], shape[0], &b));
    const int of_fit = c->kind[0] == ANPE_CHANNEL_NEWTON;
    if (!b || b->stride != shape[1] || c->planes != 1 || c->n_kinds != (of_fit ? 1 : 2) ||
        (!of_fit && n[0] != c->length)) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the basis does not fit the channels",
                           anpe_h5_path(f));
        goto out;
    }
    ANPE_TRY(anpe_h5_read(ctx, f, "basis/mean", ANPE_H5_FLOAT, shape[0], b->mean));
    ANPE_TRY(anpe_h5_read(ctx, f, "basis/vector", ANPE_H5_FLOAT, shape[0] * shape[1], b->vector));
    ANPE_TRY(anpe_h5_read(ctx, f, "basis/precision", ANPE_H5_DOUBLE, n[0] + n[1], b->precision));
    c->basis = b;
    b = NULL;
out:
    anpe_basis_free(b);
    return status;
}

static anpe_status read_start(anpe_ctx *ctx, anpe_h5 *f, int64_t n_labels, anpe_channels *c)
{
    int rank;
    int64_t shape[8];
    anpe_status status;
    if (c->kind[0] != ANPE_CHANNEL_NEWTON)
        return ANPE_OK;
    ANPE_TRY(anpe_h5_shape(ctx, f, "start/weight", &rank, shape));
    if (c->basis)
        ANPE_TRY(anpe_start_new(ctx, c->basis->n, n_labels, &c->start));
    const anpe_start *s = c->start;
    if (!s || rank != 2 || shape[0] != s->n_terms || shape[1] != n_labels ||
        c->length != anpe_channels_of_fit(n_labels)) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the start does not fit the basis and the labels",
                           anpe_h5_path(f));
        goto out;
    }
    ANPE_TRY(anpe_h5_read(ctx, f, "start/weight", ANPE_H5_DOUBLE, shape[0] * shape[1], s->weight));
    ANPE_TRY(anpe_h5_read(ctx, f, "start/error", ANPE_H5_DOUBLE, n_labels, s->error));
out:
    return status;
}

/* n values of `size` bytes each, if the file has them; set: NULL if not. */
static anpe_status read_pixel_set(anpe_ctx *ctx, anpe_model_file *f, const char *name, int64_t n,
                                  anpe_real_type type, int64_t size, void **set)
{
    int rank;
    int64_t shape[8];
    *set = NULL;
    if (!anpe_h5_has(f->h5, name))
        return ANPE_OK;
    anpe_status status = anpe_h5_shape(ctx, f->h5, name, &rank, shape);
    if (status)
        return status;
    if (rank != 1 || shape[0] != n)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: '%s' is not one value for each of %lld pixels",
                         anpe_h5_path(f->h5), name, (long long)n);
    char *values;
    if (ANPE_NEW(ctx, values, n, size))
        return ANPE_ENOMEM;
    *set = values;
    return anpe_h5_read(ctx, f->h5, name, type, n, values);
}

static anpe_status read_pixel_sets(anpe_ctx *ctx, anpe_model_file *f)
{
    anpe_pixel_sets *s = &f->pixels;
    void *set;
    anpe_status status;
    s->n_values = anpe_channels_values(f->channels);
    s->n = s->n_values / f->channels->planes;
    status = read_pixel_set(ctx, f, "continuum", s->n, ANPE_H5_UINT8, 1, &set);
    s->continuum = set;
    if (!status) {
        status = read_pixel_set(ctx, f, "exclude", s->n, ANPE_H5_UINT8, 1, &set);
        s->exclude = set;
    }
    if (!status) {
        status = read_pixel_set(ctx, f, "scatter", s->n_values, ANPE_H5_FLOAT, sizeof(float), &set);
        s->scatter = set;
    }
    return status;
}

static anpe_status read_root(anpe_ctx *ctx, anpe_model_file *f, const char *path)
{
    char *format = NULL;
    int64_t version = 0, seed = 0, complete = 0;
    anpe_status status = ANPE_OK;
    if (!anpe_h5_has_attribute(f->h5, "/", "format"))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: is HDF5 but not an anpe model", path);
    ANPE_TRY(anpe_h5_get_text(ctx, f->h5, "/", "format", &format));
    if (strcmp(format, format_name) != 0) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: is an '%s' file, expected an '%s'", path, format,
                           format_name);
        goto out;
    }
    ANPE_TRY(anpe_h5_get_numbers(ctx, f->h5, "/", "format_version", ANPE_H5_INT64, 1, &version));
    if (version < 1 || version > ANPE_MODEL_FORMAT) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: model format %lld, this is anpe %s which reads up to %d", path,
                           (long long)version, PACKAGE_VERSION, ANPE_MODEL_FORMAT);
        goto out;
    }
    ANPE_TRY(anpe_h5_get_numbers(ctx, f->h5, "/", "seed", ANPE_H5_INT64, 1, &seed));
    ANPE_TRY(anpe_h5_get_numbers(ctx, f->h5, "/", "complete", ANPE_H5_INT64, 1, &complete));
    ANPE_TRY(anpe_h5_get_text(ctx, f->h5, "/", "config", &f->config));
    ANPE_TRY(anpe_h5_get_text(ctx, f->h5, "/", "digest", &f->digest));
    f->seed = (uint32_t)seed;
    f->complete = (int)complete;
out:
    free(format);
    return status;
}

anpe_status anpe_model_file_open(anpe_ctx *ctx, const char *path, anpe_model_file *f)
{
    anpe_status status;
    memset(f, 0, sizeof *f);
    ANPE_TRY(anpe_h5_open_sealed(ctx, path, "model", &f->h5));
    ANPE_TRY(read_root(ctx, f, path));
    ANPE_TRY(read_labels(ctx, f->h5, &f->map));
    ANPE_TRY(read_channels(ctx, f->h5, &f->channels));
    ANPE_TRY(read_basis(ctx, f->h5, f->channels));
    ANPE_TRY(read_start(ctx, f->h5, f->map->n, f->channels));
    ANPE_TRY(read_pixel_sets(ctx, f));
out:
    if (status)
        anpe_model_file_close(f);
    return status;
}

void anpe_model_file_disown(anpe_model_file *f)
{
    f->disowned = 1;
}

void anpe_model_file_close(anpe_model_file *f)
{
    anpe_h5_abandon(f->h5);
    free(f->config);
    free(f->digest);
    if (!f->disowned) {
        anpe_label_map_free(f->map);
        anpe_channels_free(f->channels);
    }
    free(f->pixels.continuum);
    free(f->pixels.exclude);
    free(f->pixels.scatter);
    memset(f, 0, sizeof *f);
}

anpe_status anpe_model_file_digest(anpe_ctx *ctx, const anpe_model_file *f,
                                   const anpe_parameters *p, const char *config, char digest[65])
{
    char weights[65];
    anpe_digest_memory(p->raw, (size_t)p->size * sizeof(float), weights);
    return digest_all(ctx, config, f->map, f->channels, &f->pixels, weights, digest);
}

static anpe_status check_digest(anpe_ctx *ctx, anpe_model_file *f, const anpe_parameters *p)
{
    char digest[65];
    anpe_status status = anpe_model_file_digest(ctx, f, p, f->config, digest);
    if (!status && strcmp(f->digest, digest) != 0)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: the file is damaged: its contents do not match "
                           "their digest",
                           anpe_h5_path(f->h5));
    return status;
}

anpe_status anpe_model_file_parameters(anpe_ctx *ctx, anpe_model_file *f, anpe_parameters *p)
{
    float *raw = p->raw;
    anpe_status status;
    for (int64_t i = 0; i < p->n; i++) {
        const anpe_parameter *w = &p->table[i];
        int rank;
        int64_t shape[8];
        char name[256];
        snprintf(name, sizeof name, "parameters/%s", w->name);
        ANPE_TRY(anpe_h5_shape(ctx, f->h5, name, &rank, shape));
        int same = rank == w->rank;
        for (int d = 0; same && d < rank; d++)
            same = shape[d] == w->shape[d];
        if (!same) {
            status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                               "%s: %s does not have the shape that its "
                               "configuration asks for",
                               anpe_h5_path(f->h5), name);
            goto out;
        }
        ANPE_TRY(anpe_h5_read(ctx, f->h5, name, ANPE_H5_FLOAT, w->size, raw + w->offset));
    }
    ANPE_TRY(check_digest(ctx, f, p));
    anpe_parameters_prepare(p);
out:
    return status;
}

anpe_status anpe_model_file_training(anpe_ctx *ctx, anpe_model_file *f, anpe_parameters *p,
                                     anpe_resume_state *o, anpe_progress_state *s, anpe_history *h)
{
    int64_t numbers[5], stage[2];
    double reals[2];
    anpe_status status;
    ANPE_TRY(anpe_model_file_parameters(ctx, f, p)); /* the best so far */
    memcpy(s->best, p->raw, (size_t)p->size * sizeof *s->best);
    ANPE_TRY(anpe_h5_get_numbers(ctx, f->h5, "training", "state", ANPE_H5_INT64, 5, numbers));
    ANPE_TRY(
        anpe_h5_get_numbers(ctx, f->h5, "training", "loss_and_clip", ANPE_H5_DOUBLE, 2, reals));
    ANPE_TRY(anpe_h5_get_numbers(ctx, f->h5, "training", "stage", ANPE_H5_INT64, 2, stage));
    s->stage = (anpe_stage){stage[0], stage[1]};
    if (o->average)
        ANPE_TRY(anpe_h5_read(ctx, f->h5, "training/average", ANPE_H5_FLOAT, p->size, o->average));
    ANPE_TRY(anpe_h5_read(ctx, f->h5, "training/current", ANPE_H5_FLOAT, p->size, p->raw));
    ANPE_TRY(anpe_h5_read(ctx, f->h5, "training/m", ANPE_H5_FLOAT, p->size, o->m));
    ANPE_TRY(anpe_h5_read(ctx, f->h5, "training/v", ANPE_H5_FLOAT, p->size, o->v));
    if (numbers[1] < 0 || numbers[1] > numbers[2] || numbers[2] > s->n_epochs || numbers[0] < 0) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the file is damaged: epoch %lld of %lld",
                           anpe_h5_path(f->h5), (long long)numbers[1], (long long)numbers[2]);
        goto out;
    }
    o->step = numbers[0];
    s->epoch = numbers[1];
    s->n_epochs = numbers[2];
    s->best_epoch = numbers[3];
    s->best_loss = reals[0];
    o->clip = reals[1];
    h->n = s->epoch;
    if (h->n) {
        ANPE_TRY(
            anpe_h5_read(ctx, f->h5, "history/train_loss", ANPE_H5_DOUBLE, h->n, h->train_loss));
        ANPE_TRY(anpe_h5_read(ctx, f->h5, "history/validation_loss", ANPE_H5_DOUBLE, h->n,
                              h->validation_loss));
        ANPE_TRY(anpe_h5_read(ctx, f->h5, "history/rate", ANPE_H5_DOUBLE, h->n, h->rate));
        ANPE_TRY(anpe_h5_read(ctx, f->h5, "history/norm", ANPE_H5_DOUBLE, h->n, h->norm));
    }
    anpe_parameters_prepare(p);
out:
    return status;
}
