/* See cut.h. */
#include <config.h>
#include "zoo/cut.h"
#include "base/text.h"
#include "model/model.h"
#include <stdlib.h>
#include <string.h>

enum { DIGEST = 64 };

/* The path of a record "option SHA-256 path" that is not its name alone, or NULL. */
static const char *path_of(const char *record)
{
    const size_t before = strcspn(record, " ") + DIGEST + 2;
    return strlen(record) > before && strchr(record + before, '/') ? record + before : NULL;
}

/* *text with every "PATH", as a whole string of a configuration, by its name. */
static anpe_status cut(anpe_ctx *ctx, char **text, const char *path)
{
    const char *from = *text, *at;
    const size_t n = strlen(path);
    anpe_text out = {0};
    while ((at = strstr(from, path)) != NULL) {
        const int whole = at > *text && at[-1] == '"' && at[n] == '"';
        anpe_text_add(&out, "%.*s%s", (int)(at - from), from,
                      whole ? anpe_text_basename(path) : path);
        from = at + n;
    }
    anpe_text_add(&out, "%s", from);
    if (anpe_text_status(ctx, &out)) {
        anpe_text_free(&out);
        return ANPE_ENOMEM;
    }
    free(*text);
    *text = out.text;
    return ANPE_OK;
}

static anpe_status cut_all(anpe_ctx *ctx, char **config, int64_t n, char **inputs)
{
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        const char *path = path_of(inputs[i]);
        if (!path)
            continue;
        status = cut(ctx, config, path);
        const char *name = anpe_text_basename(path);
        memmove(inputs[i] + (path - inputs[i]), name, strlen(name) + 1);
    }
    return status;
}

static anpe_status write(anpe_ctx *ctx, const char *path, const char *config, int64_t n,
                         char **inputs)
{
    anpe_h5 *f;
    anpe_status status = anpe_h5_update(ctx, path, &f);
    if (status)
        return status;
    status = anpe_h5_put_text(ctx, f, "/", "config", config);
    if (!status)
        status = anpe_h5_put_texts(ctx, f, "/", "inputs", n, (const char *const *)inputs);
    if (!status)
        return anpe_h5_close(ctx, f);
    anpe_h5_abandon(f);
    return status;
}

anpe_status anpe_zoo_cut_paths(anpe_ctx *ctx, const char *path)
{
    anpe_model_file f;
    int64_t n = 0, some = 0;
    char **inputs = NULL, *config = NULL;
    anpe_status status = anpe_model_file_open(ctx, path, &f);
    if (status)
        return status;
    ANPE_TRY(anpe_model_file_inputs(ctx, &f, &n, &inputs));
    for (int64_t i = 0; i < n; i++)
        some += path_of(inputs[i]) != NULL;
    if (!(config = strdup(f.config)))
        status = ANPE_NO_MEMORY(ctx, "a configuration");
    if (!status)
        status = cut_all(ctx, &config, n, inputs);
out:
    anpe_model_file_close(&f);
    if (!status && some)
        status = write(ctx, path, config, n, inputs);
    free(config);
    anpe_h5_texts_free(n, inputs);
    return status;
}
