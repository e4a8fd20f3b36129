/* See choose.h. */
#include "zoo/choose.h"
#include "base/text.h"
#include "file/spectra_file.h"
#include "kind/recognise.h"
#include "model/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

anpe_status anpe_zoo_instrument(anpe_ctx *ctx, const char *model, char **name)
{
    anpe_model_file f;
    anpe_settings *settings = NULL;
    const char *plugin;
    *name = NULL;
    anpe_status status = anpe_model_file_open(ctx, model, &f);
    if (status)
        return status;
    ANPE_TRY(anpe_settings_parse(ctx, f.config, model, 0, NULL, &settings));
    ANPE_TRY(anpe_settings_text(ctx, settings, "instrument.plugin", NULL, &plugin));
    if (!(*name = anpe_strdup(ctx, plugin)))
        status = ANPE_ENOMEM;
out:
    anpe_settings_free(settings);
    anpe_model_file_close(&f);
    return status;
}

/* ---- what the files are ------------------------------------------------------------------ */

enum { NAME = 64, MOST = 64 };
typedef struct tally {
    int n;
    struct {
        char name[NAME];
        const char *first; /* file */
        int64_t files;
    } instrument[MOST];
} tally;

/* "" where it is not known. */
static anpe_status instrument_of(anpe_ctx *ctx, const char *file, char name[NAME])
{
    anpe_recognised known;
    anpe_h5 *h5 = NULL;
    char *text = NULL;
    name[0] = '\0';
    if (!anpe_spectra_file_is_hdf5(ctx, file)) {
        const anpe_status status = anpe_recognise(ctx, file, &known);
        if (!status && known.plugin)
            snprintf(name, NAME, "%s", known.plugin->name);
        return status == ANPE_ENOMEM ? status : ANPE_OK;
    }
    if (!anpe_h5_open(ctx, file, &h5) && anpe_h5_has_attribute(h5, "/", "instrument") &&
        !anpe_h5_get_text(ctx, h5, "/", "instrument", &text))
        snprintf(name, NAME, "%s", text);
    free(text);
    anpe_h5_abandon(h5);
    return ANPE_OK;
}

static void count(tally *t, const char *name, const char *file)
{
    int k = 0;
    while (k < t->n && strcmp(t->instrument[k].name, name) != 0)
        k++;
    if (k == MOST)
        return;
    if (k == t->n) {
        memcpy(t->instrument[k].name, name, NAME);
        t->instrument[k].first = file;
        t->n++;
    }
    t->instrument[k].files++;
}

static anpe_status one_instrument(anpe_ctx *ctx, const tally *t, const char *first)
{
    anpe_text all = {0};
    if (t->n == 1)
        return ANPE_OK;
    if (t->n == 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: no installed instrument knows what it is, so no model can be chosen "
                         "('anpe info %s' says more)",
                         first, first);
    for (int k = 0; k < t->n; k++)
        anpe_text_add(&all, "%s%lld of %s (%s)", k ? ", " : "", (long long)t->instrument[k].files,
                      t->instrument[k].name, t->instrument[k].first);
    const anpe_status status =
        ANPE_FAIL(ctx, ANPE_EINVAL,
                  "files of different instruments: %s; a catalogue is of one model: give each "
                  "instrument's files to a run of their own",
                  all.text ? all.text : "");
    anpe_text_free(&all);
    return status;
}

/* ---- its model --------------------------------------------------------------------------- */

static anpe_status keep_those_of(anpe_ctx *ctx, const char *instrument, int64_t *n,
                                 anpe_zoo_model *list)
{
    int64_t kept = 0;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < *n && status != ANPE_ENOMEM; i++) {
        char *name = NULL;
        status = anpe_zoo_instrument(ctx, list[i].path, &name);
        if (status)
            anpe_log(ctx, ANPE_WARNING, "left out: %s", anpe_error(ctx));
        if (name && !strcmp(name, instrument)) {
            const anpe_zoo_model m = list[kept];
            list[kept++] = list[i];
            list[i] = m;
        }
        free(name);
    }
    for (int64_t i = kept; i < *n; i++) {
        free(list[i].directory);
        free(list[i].path);
    }
    *n = kept;
    return status == ANPE_ENOMEM ? status : ANPE_OK;
}

static anpe_status pick(anpe_ctx *ctx, const char *instrument, int64_t n,
                        const anpe_zoo_model *list, const anpe_zoo_model **out)
{
    anpe_text names = {0};
    int n_names = 0;
    *out = n ? &list[0] : NULL;
    for (int64_t i = 0; i < n && list[i].place == list[0].place; i++) {
        if (!strcmp(list[i].name, instrument)) {
            *out = &list[i];
            n_names = 1;
            break;
        }
        if (i == 0 || strcmp(list[i].name, list[i - 1].name) != 0)
            anpe_text_add(&names, "%s%s", n_names++ ? ", " : "", list[i].name);
    }
    anpe_status status = ANPE_OK;
    if (n_names > 1)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "several models are for '%s': %s; name one of them",
                           instrument, names.text ? names.text : "");
    else if (!*out)
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "no model of the zoo is for the instrument '%s' ('anpe zoo list' names "
                           "those that are here)",
                           instrument);
    anpe_text_free(&names);
    return status;
}

anpe_status anpe_zoo_choose(anpe_ctx *ctx, int64_t n, const char *const *files, char **model)
{
    char name[NAME];
    tally t = {0};
    int64_t n_models = 0;
    anpe_zoo_model *list = NULL;
    const anpe_zoo_model *chosen;
    anpe_status status = ANPE_OK;
    *model = NULL;
    for (int64_t i = 0; i < n; i++) {
        ANPE_TRY(instrument_of(ctx, files[i], name));
        if (name[0])
            count(&t, name, files[i]);
    }
    ANPE_TRY(one_instrument(ctx, &t, files[0]));
    ANPE_TRY(anpe_zoo_list(ctx, &n_models, &list));
    ANPE_TRY(keep_those_of(ctx, t.instrument[0].name, &n_models, list));
    ANPE_TRY(pick(ctx, t.instrument[0].name, n_models, list, &chosen));
    if (!(*model = anpe_strdup(ctx, chosen->path)))
        status = ANPE_ENOMEM;
out:
    anpe_zoo_list_free(n_models, list);
    return status;
}
