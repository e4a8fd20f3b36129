/* See part.h. */
#include "cmd/part.h"
#include <stdlib.h>

anpe_status anpe_cmd_share(anpe_ctx *ctx, anpe_cmd *cmd, const char *text, anpe_share *out)
{
    *out = (anpe_share){0, 0};
    if (text && !anpe_share_parse(text, out))
        return anpe_cmd_usage(ctx, cmd,
                              "--part must be K/N, part K of N with K from 1 to N, such as 2/8, "
                              "not '%s'",
                              text);
    return ANPE_OK;
}

anpe_status anpe_cmd_say_part(anpe_ctx *ctx, anpe_cmd *cmd, const char *output, anpe_share share)
{
    char *path = anpe_part_name(ctx, output, share);
    if (!path)
        return ANPE_ENOMEM;
    anpe_cmd_say(cmd, "%s: part %lld of %lld\n", path, (long long)share.k, (long long)share.n);
    json_object_set_new(cmd->result, "part", json_string(path));
    free(path);
    return ANPE_OK;
}
