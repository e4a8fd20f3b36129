/* See spectra.h. */
#include "cmd/spectra.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

static anpe_status read_list(anpe_ctx *ctx, const char *path, anpe_file_list *out)
{
    char reason[128];
    if (!strcmp(path, "-"))
        return anpe_file_list_read(ctx, out, stdin, "standard input");
    FILE *f = fopen(path, "r");
    if (!f)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path,
                         anpe_errno_text(errno, reason, sizeof reason));
    const anpe_status status = anpe_file_list_read(ctx, out, f, path);
    fclose(f);
    return status;
}

anpe_status anpe_cmd_spectra(anpe_ctx *ctx, anpe_cmd *cmd, int first, const char *list,
                             anpe_file_list *out)
{
    anpe_status status = ANPE_OK;
    *out = (anpe_file_list){0};
    for (int i = first; i < cmd->n_arguments; i++)
        if (!strcmp(cmd->argument[i], "-"))
            ANPE_TRY(read_list(ctx, "-", out));
        else
            ANPE_TRY(anpe_file_list_add(ctx, out, cmd->argument[i]));
    if (list)
        ANPE_TRY(read_list(ctx, list, out));
    if (!out->n && !list && first >= cmd->n_arguments)
        status = anpe_cmd_usage(ctx, cmd, "no spectra: name files, folders or --list FILE");
    else if (!out->n)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: names no file", list ? list : "standard input");
    else if (out->n > INT_MAX)
        status =
            ANPE_FAIL(ctx, ANPE_EINVAL, "%lld files: more than %d", (long long)out->n, INT_MAX);
out:
    return status;
}
