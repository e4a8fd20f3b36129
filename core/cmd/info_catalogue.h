/* cmd/info_catalogue.h -- anpe info of a catalogue that `anpe infer` wrote, in any of its formats.
 */
#ifndef ANPE_CMD_INFO_CATALOGUE_H
#define ANPE_CMD_INFO_CATALOGUE_H
#include "cmd/command.h"

/* Prints, and fills cmd->result, if the file is one; else *is_one is 0 and nothing is said. */
ANPE_MUST_CHECK anpe_status anpe_info_catalogue(anpe_ctx *ctx, anpe_cmd *cmd, const char *path,
                                                int *is_one);
#endif
