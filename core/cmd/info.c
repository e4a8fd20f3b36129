/* anpe info: what is in a file of anpe's, or of a survey's. */
#define _POSIX_C_SOURCE 200809L
#include "cmd/info_catalogue.h"
#include "cmd/info_spectrum.h"
#include "cmd/models.h"
#include "cmd/validation_report.h"
#include "file/hdf5_file.h"
#include "file/spectra_file.h"
#include "model/model.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct options {
    int config;
} options;

static const anpe_flag flags[] = {
    ANPE_FLAG_SWITCH(options, config, 0, "config", "print the model's resolved configuration only"),
    ANPE_FLAG_END};

/* Root attributes and datasets with their shapes: for any HDF5 file. */
static const char *const text_attributes[] = {"format",     "anpe_version", "created", "kernels",
                                              "instrument", "simulator",    "digest",  "kind",
                                              "design",     "held_out"};

static anpe_status describe_texts(anpe_ctx *ctx, anpe_cmd *cmd, anpe_h5 *f)
{
    for (size_t i = 0; i < sizeof text_attributes / sizeof *text_attributes; i++) {
        char *text = NULL;
        if (!anpe_h5_has_attribute(f, "/", text_attributes[i]))
            continue;
        anpe_status status = anpe_h5_get_text(ctx, f, "/", text_attributes[i], &text);
        if (status)
            return status;
        anpe_cmd_say(cmd, "%-14s %s\n", text_attributes[i], text);
        json_object_set_new(cmd->result, text_attributes[i], json_string(text));
        free(text);
    }
    return ANPE_OK;
}

static anpe_status describe_list(anpe_ctx *ctx, anpe_cmd *cmd, anpe_h5 *f, const char *name)
{
    int64_t n;
    char **text;
    if (!anpe_h5_has_attribute(f, "/", name))
        return ANPE_OK;
    anpe_status status = anpe_h5_get_texts(ctx, f, "/", name, &n, &text);
    if (status)
        return status;
    json_t *list = json_array();
    for (int64_t i = 0; i < n; i++) {
        anpe_cmd_say(cmd, "%-14s %s\n", i ? "" : name, text[i]);
        json_array_append_new(list, json_string(text[i]));
    }
    json_object_set_new(cmd->result, name, list);
    anpe_h5_texts_free(n, text);
    return ANPE_OK;
}

static void describe_labels(anpe_cmd *cmd, const anpe_label_map *m)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < m->n; i++) {
        const anpe_label *l = &m->label[i];
        anpe_cmd_say(cmd, "%-14s %-10s %-6s [%.6g, %.6g]\n", i ? "" : "labels", l->name, l->unit,
                     l->min, l->max);
        json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:o}", "name", l->name, "unit", l->unit,
                                              "min", anpe_cmd_number(l->min), "max",
                                              anpe_cmd_number(l->max)));
    }
    json_object_set_new(cmd->result, "labels", list);
}

static anpe_status describe_history(anpe_ctx *ctx, anpe_cmd *cmd, anpe_h5 *f)
{
    int rank;
    int64_t shape[8];
    if (!anpe_h5_has(f, "history/validation_loss"))
        return ANPE_OK;
    anpe_status status = anpe_h5_shape(ctx, f, "history/validation_loss", &rank, shape);
    if (status)
        return status;
    if (rank != 1 || shape[0] < 1)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: history/validation_loss must be one number per epoch",
                         anpe_h5_path(f));
    double *loss;
    if (ANPE_NEW(ctx, loss, shape[0]))
        return ANPE_ENOMEM;
    status = anpe_h5_read(ctx, f, "history/validation_loss", ANPE_H5_DOUBLE, shape[0], loss);
    int64_t best = 0;
    for (int64_t i = 1; !status && i < shape[0]; i++)
        best = loss[i] < loss[best] ? i : best;
    if (!status) {
        anpe_cmd_say(cmd, "%-14s %lld, best %lld with validation loss %.4f\n", "epochs",
                     (long long)shape[0], (long long)best + 1, loss[best]);
        json_object_set_new(cmd->result, "epochs", json_integer(shape[0]));
        json_object_set_new(cmd->result, "best_epoch", json_integer(best + 1));
        json_object_set_new(cmd->result, "validation_loss", anpe_cmd_number(loss[best]));
    }
    free(loss);
    return status;
}

/* The last validation, if it was of these weights. */
static anpe_status describe_validation(anpe_ctx *ctx, anpe_cmd *cmd, const anpe_model_file *f)
{
    anpe_text text = {0};
    anpe_validation *v = NULL;
    json_t *o = json_object();
    anpe_status status;
    ANPE_TRY(anpe_validation_read(ctx, f->h5, &v));
    const int valid = v && v->n_labels == f->map->n && strcmp(v->digest, f->digest) == 0;
    if (valid)
        ANPE_TRY(anpe_validation_brief(ctx, v, f->map->label, &text, o));
    else
        anpe_text_add(&text, "%-14s %s\n", "validation",
                      v ? "validated for other weights" : "not validated");
    anpe_cmd_say(cmd, "%s", text.text ? text.text : "");
    json_object_set_new(o, "valid", json_boolean(valid));
    json_object_set(cmd->result, "validation", o);
out:
    json_decref(o);
    anpe_text_free(&text);
    anpe_validation_free(v);
    return status;
}

static anpe_status describe_model(anpe_ctx *ctx, anpe_cmd *cmd, const char *path)
{
    const options *o = cmd->options;
    anpe_model_file f;
    anpe_status status = anpe_model_file_open(ctx, path, &f);
    if (status)
        return status;
    json_object_set_new(cmd->result, "config", json_string(f.config));
    if (o->config) {
        anpe_cmd_say(cmd, "%s", f.config);
        goto out;
    }
    ANPE_TRY(describe_texts(ctx, cmd, f.h5));
    anpe_cmd_say(cmd, "%-14s %s\n", "training", f.complete ? "ended" : "not ended: a checkpoint");
    json_object_set_new(cmd->result, "complete", json_boolean(f.complete));
    ANPE_TRY(describe_history(ctx, cmd, f.h5));
    anpe_cmd_say(cmd, "%-14s %lld pixels x %lld channels\n", "input", (long long)f.channels->length,
                 (long long)f.channels->width);
    json_object_set_new(cmd->result, "needs_simulator", json_boolean(f.channels->start != NULL));
    if (f.channels->start)
        anpe_cmd_say(
            cmd, "%-14s of a fit with the simulator (observe.newton): inference needs it\n", "");
    if (anpe_channels_curved(f.channels))
        anpe_cmd_say(cmd, "%-14s log or asinh of %lld of them, for their tails\n", "",
                     (long long)anpe_channels_curved(f.channels));
    describe_labels(cmd, f.map);
    ANPE_TRY(describe_list(ctx, cmd, f.h5, "plugins"));
    ANPE_TRY(describe_list(ctx, cmd, f.h5, "inputs"));
    ANPE_TRY(describe_validation(ctx, cmd, &f));
    anpe_cmd_say(cmd, "\n%s", f.config);
out:
    anpe_model_file_close(&f);
    return status;
}

static anpe_status describe_other(anpe_ctx *ctx, anpe_cmd *cmd, anpe_h5 *f)
{
    static const char *const datasets[] = {"theta", "x",       "flux",       "sigma",
                                           "mask",  "samples", "log_weight", "median",
                                           "mean",  "best",    "gradient",   "wavelength"};
    anpe_status status = describe_texts(ctx, cmd, f);
    for (size_t i = 0; i < sizeof datasets / sizeof *datasets && !status; i++) {
        int rank;
        int64_t shape[8];
        if (!anpe_h5_has(f, datasets[i]))
            continue;
        status = anpe_h5_shape(ctx, f, datasets[i], &rank, shape);
        if (status)
            break;
        anpe_cmd_say(cmd, "%-14s", datasets[i]);
        json_t *list = json_array();
        for (int d = 0; d < rank; d++) {
            anpe_cmd_say(cmd, "%s%lld", d ? " x " : " ", (long long)shape[d]);
            json_array_append_new(list, json_integer(shape[d]));
        }
        anpe_cmd_say(cmd, "\n");
        json_object_set_new(cmd->result, datasets[i], list);
    }
    return status;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const char *path = cmd->argument[0];
    anpe_h5 *f = NULL;
    char *format = NULL;
    struct stat st;
    int is_catalogue = 0;
    anpe_status status = anpe_cmd_model(ctx, cmd, &path);
    if (status)
        return status;
    json_object_set_new(cmd->result, "file", json_string(path));
    ANPE_TRY(anpe_info_catalogue(ctx, cmd, path, &is_catalogue));
    if (is_catalogue)
        return ANPE_OK;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        !anpe_spectra_file_is_hdf5(ctx, path))
        return anpe_info_spectrum(ctx, cmd, path);
    ANPE_TRY(anpe_h5_open(ctx, path, &f));
    if (anpe_h5_has_attribute(f, "/", "format"))
        ANPE_TRY(anpe_h5_get_text(ctx, f, "/", "format", &format));
    if (format && strcmp(format, "anpe model") == 0) {
        f = anpe_h5_abandon(f);
        status = describe_model(ctx, cmd, path);
    } else {
        status = describe_other(ctx, cmd, f);
    }
out:
    anpe_h5_abandon(f);
    free(format);
    return status;
}

const anpe_command anpe_command_info = {
    "info",
    "what is in a model, a catalogue, another file of anpe, or a file of spectra",
    "FILE|MODEL",
    "For a survey's file: what it is, the instrument that reads it, the star, range, medium and "
    "frame, and S/N and good pixels of each spectrum as that instrument reads it. For a catalogue: "
    "where it comes from, the range of its labels, and how many stars have which flag. For a "
    "model: "
    "labels with their ranges, training history, the plugins and input files with "
    "their "
    "SHA-256, and the configuration with every value. Opening a model runs no code.",
    flags,
    sizeof(options),
    1,
    1,
    run,
    0};
