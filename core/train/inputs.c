/* Inputs of a training; see inputs.h. */
#include "train/inputs.h"
#include "base/digest.h"
#include "base/text.h"
#include "file/hdf5_file.h"
#include "file/output.h"
#include <stdlib.h>
#include <string.h>

static anpe_status add_input(anpe_ctx *ctx, anpe_train_inputs *inputs, const char *option,
                             const char *path)
{
    anpe_text text = {0};
    char hex[65];
    int64_t room = inputs->n;
    const anpe_status status = anpe_digest_file(ctx, path, hex);
    if (status)
        return status;
    anpe_text_add(&text, "%s %s %s", option, hex, path);
    if (anpe_text_status(ctx, &text) || ANPE_GROW(ctx, inputs->row, room, inputs->n + 1)) {
        anpe_text_free(&text);
        return ANPE_ENOMEM;
    }
    inputs->row[inputs->n++] = text.text;
    return ANPE_OK;
}

anpe_status anpe_train_inputs_list(anpe_ctx *ctx, const anpe_settings *settings, const char *data,
                                   const char *output, anpe_train_inputs *inputs)
{
    const char *option, *path;
    anpe_status status = ANPE_OK;
    for (int i = 0; !status; i++) {
        path = anpe_settings_file(settings, i, &option);
        if (!path && !data)
            break;
        status = output ? anpe_output_differs(ctx, output, path ? path : data) : ANPE_OK;
        if (!status)
            status = add_input(ctx, inputs, path ? option : "data", path ? path : data);
        data = path ? data : NULL;
    }
    return status;
}

void anpe_train_inputs_clear(anpe_train_inputs *inputs)
{
    for (int i = 0; i < inputs->n; i++)
        free(inputs->row[i]);
    free(inputs->row);
    *inputs = (anpe_train_inputs){0};
}

/* Of "option SHA-256 path" the first two. */
static anpe_status check_same_input(anpe_ctx *ctx, const char *model, const char *now,
                                    const char *then)
{
    const size_t option = strcspn(now, " "), both = option + 65;
    if (!strncmp(now, then, both))
        return ANPE_OK;
    if (strncmp(now, then, option + 1) != 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: was trained with other input files (see `anpe info`); --resume needs "
                         "the same ones",
                         model);
    return ANPE_FAIL(ctx, ANPE_ECONFIG,
                     "%s: --resume needs the same input files; '%.*s', %s, has changed: SHA-256 "
                     "%.64s, it was %.64s",
                     model, (int)option, now, now + both + 1, now + option + 1, then + option + 1);
}

anpe_status anpe_train_inputs_same(anpe_ctx *ctx, const anpe_train_inputs *inputs,
                                   const char *model, const anpe_model_file *f)
{
    int64_t n = 0;
    char **stored = NULL;
    anpe_status status = anpe_model_file_inputs(ctx, f, &n, &stored);
    for (int64_t i = 0; (i < n || i < inputs->n) && !status; i++)
        status = check_same_input(ctx, model, i < inputs->n ? inputs->row[i] : "",
                                  i < n ? stored[i] : "");
    anpe_h5_texts_free(n, stored);
    return status;
}
