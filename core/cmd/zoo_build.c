/* anpe zoo build: a model made again from what it says of itself: configuration, seed, files by
 * their SHA-256, its validation. */
#include <config.h>
#include "cmd/models.h"
#include "cmd/zoo.h"
#include "file/output.h"
#include "model/inputs.h"
#include "model/model.h"
#include "posterior/session.h"
#include "train/train.h"
#include "validate/validate.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What an old model is made again with; all malloc'ed. */
typedef struct recipe {
    anpe_settings *settings;
    char *data, *created;        /* data NULL: simulations were made as they were needed */
    anpe_validation *validation; /* NULL: none */
} recipe;

static void recipe_free(recipe *r)
{
    anpe_settings_free(r->settings);
    free(r->data);
    free(r->created);
    anpe_validation_free(r->validation);
}

/* The path of a record, wherever its file lies now. */
static anpe_status path_of(anpe_ctx *ctx, const char *model, const char *record, char **path)
{
    anpe_status status = anpe_inputs_find(ctx, model, record, path);
    const size_t length = strcspn(record, " ") + 66;
    if (!status && !*path && strlen(record) > length)
        status = (*path = anpe_strdup(ctx, record + length)) ? ANPE_OK : ANPE_ENOMEM;
    return status;
}

static int is_record(const char *record, const char *option)
{
    const size_t length = strlen(option);
    return !strncmp(record, option, length) && record[length] == ' ';
}

/* Of a model's own pixels (instrument.continuum, exclude) inference needs no file; training does.
 */
static anpe_status read_settings(anpe_ctx *ctx, const anpe_model_file *f, int64_t n,
                                 char *const *inputs, recipe *r)
{
    static const char *const pixels[] = {"instrument.continuum", "instrument.exclude"};
    const char *model = anpe_h5_path(f->h5), *set[2];
    char *text[2] = {NULL, NULL}, *path = NULL;
    int n_sets = 0;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n; i++) {
        for (int k = 0; k < 2; k++) {
            if (!is_record(inputs[i], pixels[k]) || n_sets == 2)
                continue;
            ANPE_TRY(path_of(ctx, model, inputs[i], &path));
            if (asprintf(&text[n_sets], "%s=\"%s\"", pixels[k], path) < 0) {
                text[n_sets] = NULL;
                status = ANPE_NO_MEMORY(ctx, pixels[k]);
                goto out;
            }
            set[n_sets] = text[n_sets];
            n_sets++;
            free(path);
            path = NULL;
        }
        if (is_record(inputs[i], "data") && !r->data)
            ANPE_TRY(path_of(ctx, model, inputs[i], &r->data));
    }
    status = anpe_model_file_settings(ctx, f, n_sets, set, &r->settings);
out:
    free(path);
    free(text[0]);
    free(text[1]);
    return status;
}

static anpe_status read_recipe(anpe_ctx *ctx, const char *model, recipe *r)
{
    anpe_model_file f;
    int64_t n = 0;
    char **inputs = NULL;
    anpe_status status = anpe_model_file_open(ctx, model, &f);
    if (status)
        return status;
    if (!f.complete || anpe_h5_has_attribute(f.h5, "/", "observed")) {
        status = ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "%s: %s", model,
                           f.complete ? "was trained in rounds for one spectrum"
                                      : "its training has not ended");
        goto out;
    }
    ANPE_TRY(anpe_model_file_inputs(ctx, &f, &n, &inputs));
    ANPE_TRY(read_settings(ctx, &f, n, inputs, r));
    ANPE_TRY(anpe_inputs_check(ctx, r->settings, n, inputs, "simulator"));
    ANPE_TRY(anpe_inputs_check(ctx, r->settings, n, inputs, "prior"));
    ANPE_TRY(anpe_inputs_check(ctx, r->settings, n, inputs, "noise"));
    ANPE_TRY(anpe_inputs_check(ctx, r->settings, n, inputs, "instrument"));
    ANPE_TRY(anpe_h5_get_text(ctx, f.h5, "/", "created", &r->created));
    ANPE_TRY(anpe_validation_read(ctx, f.h5, &r->validation));
    if (r->validation && strcmp(r->validation->digest, f.digest) != 0)
        r->validation = anpe_validation_free(r->validation);
out:
    anpe_h5_texts_free(n, inputs);
    anpe_model_file_close(&f);
    return status;
}

/* "2026-11-30T03:00:00..." is the time that what follows is made at. */
static void set_time(const char *text)
{
    struct tm utc = {0};
    char epoch[32];
    if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &utc))
        return;
    snprintf(epoch, sizeof epoch, "%lld", (long long)timegm(&utc));
    setenv("SOURCE_DATE_EPOCH", epoch, 1);
}

static anpe_status validate(anpe_ctx *ctx, const anpe_cmd *cmd, const char *output,
                            const anpe_validation *then)
{
    anpe_validation *now = NULL;
    const anpe_validate_request request = {.model = output,
                                           .n = then->n,
                                           .n_draws = then->n_draws,
                                           .n_exact = then->exact ? then->exact->n : 0,
                                           .rate = then->misfit ? then->misfit->rate : 0.01,
                                           .scale = 1,
                                           .seed = then->seed,
                                           .threads = cmd->threads};
    anpe_status status;
    if (then->n_repeats)
        anpe_log(ctx, ANPE_WARNING, "the repeated observations of the validation are left out");
    set_time(then->created);
    ANPE_TRY(anpe_validate(ctx, &request, &now));
    status = anpe_validation_write(ctx, output, now);
out:
    anpe_validation_free(now);
    return status;
}

/* Weights that differ, of all; the model's other numbers are made with them. */
static anpe_status compare(anpe_ctx *ctx, const char *then, const char *now, int64_t *n,
                           int64_t *different)
{
    anpe_model *a = NULL, *b = NULL;
    anpe_status status;
    ANPE_TRY(anpe_model_open(ctx, then, &a));
    ANPE_TRY(anpe_model_open(ctx, now, &b));
    const anpe_parameters *p = a->net->parameters, *q = b->net->parameters;
    const float *then_raw = p->raw, *now_raw = q->raw;
    *n = p->size;
    *different = p->size == q->size ? 0 : p->size;
    for (int64_t i = 0; p->size == q->size && i < p->size; i++)
        *different += memcmp(&now_raw[i], &then_raw[i], sizeof *now_raw) != 0;
out:
    anpe_model_close(a);
    anpe_model_close(b);
    return status;
}

anpe_status anpe_cmd_zoo_build(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const anpe_zoo_options *o = cmd->options;
    const char *model = cmd->argument[1];
    recipe r = {0};
    anpe_train_result trained;
    int64_t n = 0, different = 0;
    anpe_status status;
    if (!o->output)
        return anpe_cmd_usage(ctx, cmd, "build: -o MODEL is needed");
    ANPE_TRY(anpe_cmd_model(ctx, cmd, &model));
    ANPE_TRY(anpe_output_differs(ctx, o->output, model));
    ANPE_TRY(read_recipe(ctx, model, &r));
    set_time(r.created);
    const anpe_train_request request = {
        .output = o->output, .data = r.data, .threads = cmd->threads};
    ANPE_TRY(anpe_train(ctx, r.settings, &request, &trained));
    if (r.validation)
        ANPE_TRY(validate(ctx, cmd, o->output, r.validation));
    ANPE_TRY(compare(ctx, model, o->output, &n, &different));
    if (different)
        anpe_cmd_say(cmd, "%s: %lld of %lld weights differ from those of %s\n", o->output,
                     (long long)different, (long long)n, model);
    else
        anpe_cmd_say(cmd, "%s: all %lld weights are those of %s, bit for bit\n", o->output,
                     (long long)n, model);
    json_object_set_new(cmd->result, "weights", json_integer(n));
    json_object_set_new(cmd->result, "different", json_integer(different));
out:
    recipe_free(&r);
    return status;
}
