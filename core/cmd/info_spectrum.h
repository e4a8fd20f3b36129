/* cmd/info_spectrum.h -- anpe info of a file that is a survey's. */
#ifndef ANPE_CMD_INFO_SPECTRUM_H
#define ANPE_CMD_INFO_SPECTRUM_H
#include "cmd/command.h"

/* Prints, and fills cmd->result. ANPE_EFORMAT: no instrument knows the file. */
ANPE_MUST_CHECK anpe_status anpe_info_spectrum(anpe_ctx *ctx, anpe_cmd *cmd, const char *path);
#endif
