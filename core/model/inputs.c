/* Comparing the inputs of a model with what lies there now; see model/inputs.h. */
#include <config.h>
#include "model/inputs.h"
#include "base/digest.h"
#include "base/loader.h"
#include "base/table.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

enum { DIGEST = 64 };

static anpe_status check_file(anpe_ctx *ctx, const char *option, const char *then, const char *path)
{
    char now[DIGEST + 1];
    const anpe_status status = anpe_digest_file(ctx, path, now);
    if (status)
        return ANPE_FAIL(ctx, status, "%s; it is '%s' of the model, SHA-256 %.*s", anpe_error(ctx),
                         option, DIGEST, then);
    if (!strncmp(now, then, DIGEST))
        return ANPE_OK;
    return ANPE_FAIL(
        ctx, ANPE_ECONFIG,
        "%s: has changed since the model was trained with it ('%s'): SHA-256 %s, it was "
        "%.*s",
        path, option, now, DIGEST, then);
}

static int belongs(const char *option, const char *group)
{
    const size_t n = strlen(group);
    return !strncmp(option, group, n) && (option[n] == '.' || option[n] == '\0');
}

anpe_status anpe_inputs_check(anpe_ctx *ctx, const anpe_settings *settings, int64_t n,
                              char *const *inputs, const char *group)
{
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        char option[256];
        const size_t length = strcspn(inputs[i], " ");
        if (length >= sizeof option || strlen(inputs[i]) < length + DIGEST + 3)
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "'%s' is no record of an input", inputs[i]);
        snprintf(option, sizeof option, "%.*s", (int)length, inputs[i]);
        const char *then = inputs[i] + length + 1;
        if (belongs(option, group) &&
            strncmp(anpe_settings_where(settings, option), "--set", 5) != 0)
            status = check_file(ctx, option, then, then + DIGEST + 1);
    }
    return status;
}

/* ---- what may be set anew ---------------------------------------------------------------- */

/* The record of the option that `set` begins with, or NULL. */
static const char *record_of(int64_t n, char *const *inputs, const char *set)
{
    const size_t length = strcspn(set, "=");
    for (int64_t i = 0; i < n; i++)
        if (strcspn(inputs[i], " ") == length && !strncmp(inputs[i], set, length) &&
            strlen(inputs[i]) > length + 1 + DIGEST)
            return inputs[i];
    return NULL;
}

/* The file that is named anew, perhaps in quotes. */
static anpe_status check_moved(anpe_ctx *ctx, const char *record, const char *set)
{
    char option[256], path[4096];
    const size_t length = strcspn(set, "=");
    const char *value = set + length + (set[length] == '=');
    const size_t n = strlen(value), quoted = n > 1 && value[0] == '"' && value[n - 1] == '"';
    snprintf(option, sizeof option, "%.*s", (int)length, set);
    snprintf(path, sizeof path, "%.*s", (int)(n - 2 * quoted), value + quoted);
    return check_file(ctx, option, record + length + 1, path);
}

static const char *const *reading_of(const anpe_plugin *instrument)
{
    const anpe_instrument_ops *ops = instrument->ops;
    return ANPE_HAS(ops, reading) ? ops->reading : NULL;
}

static anpe_status refuse(anpe_ctx *ctx, const anpe_plugin *instrument, const char *set)
{
    const char *const *name = reading_of(instrument);
    const char *dot = strchr(set, '.'),
               *bare = dot && dot < set + strcspn(set, "=") ? dot + 1 : set;
    char word[64], hint[128];
    anpe_text can = {0};
    int n = 0;
    for (; name && name[n]; n++)
        anpe_text_add(&can, "%s%s", n ? ", " : "", name[n]);
    snprintf(word, sizeof word, "%.*s", (int)strcspn(bare, "="), bare);
    const anpe_status status = ANPE_FAIL(
        ctx, ANPE_ECONFIG,
        "--set %.*s: the network has learned with it, and with another value would have to be "
        "trained again; what can be set when a model is used says how files are read "
        "(instrument.NAME: %s) or where a file of the training lies now%s",
        (int)strcspn(set, "="), set, can.text ? can.text : "none for this instrument",
        anpe_text_hint(hint, sizeof hint, word, n, name));
    anpe_text_free(&can);
    return status;
}

anpe_status anpe_inputs_may_set(anpe_ctx *ctx, anpe_settings *stored, int64_t n,
                                char *const *inputs, int n_sets, const char *const *sets)
{
    static const char group[] = "instrument.";
    const anpe_plugin *instrument;
    const char *plugin;
    anpe_status status = anpe_settings_text(ctx, stored, "instrument.plugin", NULL, &plugin);
    if (!status)
        status = anpe_loader_get(ctx, ANPE_INSTRUMENT, plugin, &instrument);
    for (int k = 0; k < n_sets && !status; k++) {
        const char *const *name = reading_of(instrument), *record = record_of(n, inputs, sets[k]);
        const size_t length = strcspn(sets[k], "="), skip = sizeof group - 1;
        int found = 0;
        for (int i = 0; !strncmp(sets[k], group, skip) && name && name[i] && !found; i++)
            found = strlen(name[i]) == length - skip &&
                    !strncmp(sets[k] + skip, name[i], length - skip);
        if (record)
            status = check_moved(ctx, record, sets[k]);
        else if (!found)
            status = refuse(ctx, instrument, sets[k]);
    }
    return status;
}
