/* cmd/models.h -- the models that a command line names: files, or models of the zoo. */
#ifndef ANPE_CMD_MODELS_H
#define ANPE_CMD_MODELS_H
#include "cmd/command.h"

/* *model, a file's name or that of a model of the zoo (anpe_model_find), becomes the path of the
 * file; valid as long as cmd is. */
ANPE_MUST_CHECK anpe_status anpe_cmd_model(anpe_ctx *ctx, anpe_cmd *cmd, const char **model);
/* The same of cmd->argument[i]. */
ANPE_MUST_CHECK anpe_status anpe_cmd_model_argument(anpe_ctx *ctx, anpe_cmd *cmd, int i);
/* A path that was malloc'ed is cmd's from now on, also after a failure. */
ANPE_MUST_CHECK anpe_status anpe_cmd_keep(anpe_ctx *ctx, anpe_cmd *cmd, char *path);
#endif
