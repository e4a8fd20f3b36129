/* See models.h. */
#include "cmd/models.h"
#include <stdlib.h>

anpe_status anpe_cmd_keep(anpe_ctx *ctx, anpe_cmd *cmd, char *path)
{
    const anpe_status status = ANPE_GROW(ctx, cmd->kept, cmd->room_kept, cmd->n_kept + 1);
    if (status)
        free(path);
    else
        cmd->kept[cmd->n_kept++] = path;
    return status;
}

anpe_status anpe_cmd_model(anpe_ctx *ctx, anpe_cmd *cmd, const char **model)
{
    char *path;
    anpe_status status = anpe_model_find(ctx, *model, &path);
    if (!status)
        status = anpe_cmd_keep(ctx, cmd, path);
    if (!status)
        *model = path;
    return status;
}

anpe_status anpe_cmd_model_argument(anpe_ctx *ctx, anpe_cmd *cmd, int i)
{
    const char *model = cmd->argument[i];
    const anpe_status status = anpe_cmd_model(ctx, cmd, &model);
    cmd->argument[i] = (char *)(uintptr_t)model;
    return status;
}
