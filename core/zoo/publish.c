/* See publish.h. */
#include <config.h>
#include "zoo/publish.h"
#include "base/digest.h"
#include "base/text.h"
#include "file/output.h"
#include "model/model.h"
#include "zoo/cut.h"
#include "zoo/index.h"
#include "zoo/lines.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is asked for ------------------------------------------------------------------- */

static anpe_status check_names(anpe_ctx *ctx, const anpe_zoo_publication *p)
{
    if (!anpe_zoo_is_name(p->name))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "'%s' is no name of a model: at most %d of a-z, 0-9 and _ are expected",
                         p->name, ANPE_ZOO_NAME - 1);
    if (!strcmp(p->name, "auto"))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "'auto' stands for a choice by what files are");
    if (!anpe_zoo_is_plain(p->version))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "'%s' is no version: letters, digits, '.', '_' and '-' are expected",
                         p->version);
    if (strstr(p->registry, "://"))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: publish into the directory that the server shows",
                         p->registry);
    if (p->n_with >= ANPE_ZOO_FILES)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%d files with a model: at most %d", p->n_with,
                         ANPE_ZOO_FILES - 1);
    return ANPE_OK;
}

/* Only what was validated goes out. */
static anpe_status check_description(anpe_ctx *ctx, const char *model, const json_t *o)
{
    if (!json_is_true(json_object_get(o, "complete")))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: its training has not ended", model);
    if (!json_object_get(o, "certificate"))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: is not validated; 'anpe validate %s' does that",
                         model, model);
    return ANPE_OK;
}

/* ---- files ------------------------------------------------------------------------------- */

static anpe_status measure(anpe_ctx *ctx, const char *path, anpe_zoo_file *file)
{
    char why[128];
    struct stat st;
    if (stat(path, &st))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", path, anpe_errno_text(errno, why, sizeof why));
    file->size = st.st_size;
    return anpe_digest_file(ctx, path, file->sha256);
}

static anpe_status check_made_of(anpe_ctx *ctx, const char *path, const char *hex, int64_t n,
                                 char *const *inputs)
{
    for (int64_t i = 0; i < n; i++) {
        const size_t length = strcspn(inputs[i], " ");
        const char *base = anpe_text_basename(inputs[i]);
        if (!strncmp(inputs[i] + length + 1, hex, 64)) {
            if (!strcmp(base, anpe_text_basename(path)))
                return ANPE_OK;
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "%s: the model knows this file as '%s'; it is looked "
                             "for by that name",
                             path, base);
        }
    }
    return ANPE_FAIL(ctx, ANPE_EINVAL,
                     "%s: is no file that the model was made of ('anpe info' "
                     "lists them)",
                     path);
}

static anpe_status measure_all(anpe_ctx *ctx, const anpe_zoo_publication *p, anpe_zoo_entry *e)
{
    anpe_model_file f;
    int64_t n = 0;
    char **inputs = NULL;
    anpe_status status = anpe_model_file_open(ctx, p->model, &f);
    if (status)
        return status;
    snprintf(e->file[0].name, sizeof e->file[0].name, "%.*s.h5", ANPE_ZOO_NAME - 4, p->name);
    ANPE_TRY(measure(ctx, p->model, &e->file[0]));
    e->n_files = 1;
    ANPE_TRY(anpe_model_file_inputs(ctx, &f, &n, &inputs));
    for (int i = 0; i < p->n_with; i++) {
        anpe_zoo_file *file = &e->file[e->n_files++];
        const char *base = anpe_text_basename(p->with[i]);
        if (!anpe_zoo_is_plain(base)) {
            status = ANPE_FAIL(ctx, ANPE_EINVAL,
                               "%s: a file of a zoo is called by letters, digits, "
                               "'.', '_' and '-'",
                               p->with[i]);
            goto out;
        }
        snprintf(file->name, sizeof file->name, "%s", base);
        ANPE_TRY(measure(ctx, p->with[i], file));
        ANPE_TRY(check_made_of(ctx, p->with[i], file->sha256, n, inputs));
    }
out:
    anpe_h5_texts_free(n, inputs);
    anpe_model_file_close(&f);
    return status;
}

/* The model goes without the paths of this machine, so it is measured as it goes. */
static anpe_status copy_file(anpe_ctx *ctx, const char *from, const char *directory, int is_model,
                             anpe_zoo_file *file)
{
    char *path;
    anpe_output o = {0};
    if (asprintf(&path, "%s/%s", directory, file->name) < 0)
        return ANPE_NO_MEMORY(ctx, "a path");
    anpe_status status = anpe_output_check(ctx, path); /* also removes what killed runs left */
    if (!status)
        status = anpe_output_begin(ctx, &o, path);
    if (!status)
        status = anpe_output_copy(ctx, &o, from);
    if (!status) /* it may have changed since it was measured */
        status = anpe_zoo_file_check(ctx, o.temporary, file);
    if (!status && is_model)
        status = anpe_zoo_cut_paths(ctx, o.temporary);
    if (!status && is_model)
        status = measure(ctx, o.temporary, file);
    if (!status)
        status = anpe_output_commit(ctx, &o);
    else
        anpe_output_abandon(&o);
    free(path);
    return status;
}

static anpe_status copy_all(anpe_ctx *ctx, const anpe_zoo_publication *p, anpe_zoo_entry *e)
{
    char *directory;
    if (asprintf(&directory, "%s/%s/%s", p->registry, p->name, p->version) < 0)
        return ANPE_NO_MEMORY(ctx, "a path");
    anpe_status status = anpe_zoo_directory(ctx, directory);
    for (int i = 0; i < e->n_files && !status; i++)
        status = copy_file(ctx, i ? p->with[i - 1] : p->model, directory, i == 0, &e->file[i]);
    free(directory);
    return status;
}

/* ---- the entry --------------------------------------------------------------------------- */

static void put_text(json_t *o, const char *name, const char *text)
{
    if (text)
        json_object_set_new(o, name, json_string(text));
}

static anpe_status check_new(anpe_ctx *ctx, const anpe_zoo_index *index,
                             const anpe_zoo_publication *p)
{
    const json_t *models = json_object_get(index->json, "models"), *model;
    size_t i;
    json_array_foreach(models, i, model)
    {
        const char *name = json_string_value(json_object_get(model, "name"));
        const char *version = json_string_value(json_object_get(model, "version"));
        if (name && version && !strcmp(name, p->name) && !strcmp(version, p->version))
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "%s: has %s %s already; what was published stays: give it another "
                             "version",
                             p->registry, name, version);
    }
    return ANPE_OK;
}

static anpe_status add_entry(anpe_ctx *ctx, anpe_zoo_index *index, const anpe_zoo_publication *p,
                             const anpe_zoo_entry *e, const anpe_zoo_key *key, json_t *about)
{
    json_t *entry = anpe_zoo_entry_json(e, key);
    if (!entry)
        return ANPE_NO_MEMORY(ctx, "an entry");
    put_text(entry, "summary", p->summary);
    put_text(entry, "licence", p->licence);
    put_text(entry, "citation", p->citation);
    json_object_update(entry, about);
    if (json_array_append_new(json_object_get(index->json, "models"), entry))
        return ANPE_NO_MEMORY(ctx, "an entry");
    return anpe_zoo_index_write(ctx, index, p->registry, key);
}

anpe_status anpe_zoo_publish(anpe_ctx *ctx, const anpe_zoo_publication *p, char pub[ANPE_KEY_HEX],
                             int64_t *serial)
{
    anpe_zoo_key key = {0};
    anpe_zoo_index index = {0};
    anpe_zoo_entry e = {.format = ANPE_MODEL_FORMAT};
    json_t *about = NULL;
    int lock = -1;
    anpe_status status;
    ANPE_TRY(check_names(ctx, p));
    ANPE_TRY(anpe_zoo_key_read(ctx, p->key, &key));
    ANPE_TRY(anpe_zoo_describe(ctx, p->model, &about));
    ANPE_TRY(check_description(ctx, p->model, about));
    snprintf(e.name, sizeof e.name, "%s", p->name);
    snprintf(e.version, sizeof e.version, "%s", p->version);
    ANPE_TRY(measure_all(ctx, p, &e));
    ANPE_TRY(anpe_zoo_directory(ctx, p->registry));
    ANPE_TRY(anpe_zoo_lock(ctx, p->registry, &lock));
    ANPE_TRY(anpe_zoo_index_own(ctx, p->registry, &key, &index));
    ANPE_TRY(check_new(ctx, &index, p));
    ANPE_TRY(copy_all(ctx, p, &e));
    ANPE_TRY(add_entry(ctx, &index, p, &e, &key, about));
    memcpy(pub, key.pub, ANPE_KEY_HEX);
    *serial = index.serial;
out:
    if (lock >= 0)
        close(lock);
    json_decref(about);
    anpe_zoo_key_forget(&key);
    anpe_zoo_index_close(&index);
    return status;
}
