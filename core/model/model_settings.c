/* The configuration of a model file, and the record of what went into the model. */
#include <config.h>
#include "model/inputs.h"
#include "model/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

anpe_status anpe_model_file_inputs(anpe_ctx *ctx, const anpe_model_file *f, int64_t *n,
                                   char ***inputs)
{
    *n = 0;
    *inputs = NULL;
    return anpe_h5_has_attribute(f->h5, "/", "inputs")
               ? anpe_h5_get_texts(ctx, f->h5, "/", "inputs", n, inputs)
               : ANPE_OK;
}

/* "PATH=VALUE" in the order in which they are given; those of the caller come first. */
typedef struct set_list {
    int n, n_given;
    char **text; /* those from n_given on are free'd here */
} set_list;

static int is_set(const set_list *l, const char *option)
{
    const size_t length = strlen(option);
    for (int i = 0; i < l->n; i++)
        if (!strncmp(l->text[i], option, length) && l->text[i][length] == '=')
            return 1;
    return 0;
}

static anpe_status add_set(anpe_ctx *ctx, set_list *l, const char *option, const char *value)
{
    char *text;
    if (asprintf(&text, "%s=%s", option, value) < 0)
        return ANPE_NO_MEMORY(ctx, option);
    l->text[l->n++] = text;
    return ANPE_OK;
}

/* What is in the model itself, the instrument's `continuum` and `exclude`, is not looked for. */
static anpe_status clear_inside(anpe_ctx *ctx, const anpe_settings *plain, set_list *l)
{
    static const char *const inside[] = {"instrument.continuum", "instrument.exclude"};
    anpe_status status = ANPE_OK;
    for (size_t i = 0; i < sizeof inside / sizeof *inside && !status; i++)
        if (anpe_settings_has(plain, inside[i]) && !is_set(l, inside[i]))
            status = add_set(ctx, l, inside[i], "\"\"");
    return status;
}

/* A text as libconfig reads it. */
static char *quoted(const char *text)
{
    char *out = malloc(2 * strlen(text) + 3), *to = out;
    if (!out)
        return NULL;
    *to++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *to++ = '\\';
        *to++ = *text;
    }
    memcpy(to, "\"", 2);
    return out;
}

/* Files that were moved with the model. */
static anpe_status find_inputs(anpe_ctx *ctx, const char *model, int64_t n, char *const *inputs,
                               set_list *l)
{
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        char option[256], *now = NULL;
        snprintf(option, sizeof option, "%.*s", (int)strcspn(inputs[i], " "), inputs[i]);
        if (is_set(l, option))
            continue;
        status = anpe_inputs_find(ctx, model, inputs[i], &now);
        if (!status && now) {
            char *value = quoted(now);
            status = value ? add_set(ctx, l, option, value) : ANPE_NO_MEMORY(ctx, option);
            free(value);
        }
        free(now);
    }
    return status;
}

anpe_status anpe_model_file_settings(anpe_ctx *ctx, const anpe_model_file *f, int n_sets,
                                     const char *const *sets, anpe_settings **out)
{
    static const char *const retired[] = {"simulator.clip"}; /* 0.1.0 */
    enum { MOST_INSIDE = 2 };
    const char *path = anpe_h5_path(f->h5);
    set_list list = {.n_given = n_sets};
    anpe_settings *plain = NULL;
    int64_t n = 0;
    char **inputs = NULL;
    anpe_status status;
    ANPE_TRY(anpe_settings_parse(ctx, f->config, path, 0, NULL, &plain));
    ANPE_TRY(anpe_model_file_inputs(ctx, f, &n, &inputs));
    ANPE_TRY(ANPE_NEW(ctx, list.text, n_sets + MOST_INSIDE + n));
    for (; list.n < n_sets; list.n++)
        list.text[list.n] = (char *)(uintptr_t)sets[list.n];
    ANPE_TRY(clear_inside(ctx, plain, &list));
    ANPE_TRY(find_inputs(ctx, path, n, inputs, &list));
    ANPE_TRY(anpe_settings_parse(ctx, f->config, path, list.n,
                                 (const char *const *)(uintptr_t)list.text, out));
    anpe_settings_set_stored(*out);
    for (size_t i = 0; i < sizeof retired / sizeof *retired; i++)
        anpe_settings_retire(*out, retired[i]);
out:
    for (int i = list.n_given; i < list.n; i++)
        free(list.text[i]);
    free(list.text);
    anpe_h5_texts_free(n, inputs);
    anpe_settings_free(plain);
    return status;
}
