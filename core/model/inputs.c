/* Comparing the inputs of a model with what lies there now; see model/inputs.h. */
#include <config.h>
#include "model/inputs.h"
#include "base/digest.h"
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
