/* cmd/part.h -- one share of a long piece of work: --part K/N. */
#ifndef ANPE_CMD_PART_H
#define ANPE_CMD_PART_H
#include "cmd/command.h"
#include "file/part.h"

/* The flag; its field is const char *part. */
#define ANPE_FLAG_PART(S)                                                                          \
    ANPE_FLAG_TEXT(S, part, 0, "part", "K/N", NULL,                                                \
                   "the K-th of N shares of the spectra alone, to the output's name with "         \
                   ".K-of-N, for `anpe merge`; goes on where it was interrupted")

/* text NULL: no share. A usage error where it is none. */
ANPE_MUST_CHECK anpe_status anpe_cmd_share(anpe_ctx *ctx, anpe_cmd *cmd, const char *text,
                                           anpe_share *out);
/* The part was written: says so. */
ANPE_MUST_CHECK anpe_status anpe_cmd_say_part(anpe_ctx *ctx, anpe_cmd *cmd, const char *output,
                                              anpe_share share);
#endif
