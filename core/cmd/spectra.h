/* cmd/spectra.h -- the files of spectra that a command line names. */
#ifndef ANPE_CMD_SPECTRA_H
#define ANPE_CMD_SPECTRA_H
#include "cmd/command.h"
#include "file/file_list.h"

/* The flag of commands that take files of spectra; its field is const char *list. */
#define ANPE_FLAG_LIST(S)                                                                          \
    ANPE_FLAG_TEXT(S, list, 0, "list", "FILE", NULL,                                               \
                   "also the files that FILE names, one a line; -: standard input")

/* The arguments from `first` on, folders as the files in them and "-" as --list -, then those of
 * `list` (NULL: none). A usage error where there is none at all. Clear with
 * anpe_file_list_clear, also after a failure. */
ANPE_MUST_CHECK anpe_status anpe_cmd_spectra(anpe_ctx *ctx, anpe_cmd *cmd, int first,
                                             const char *list, anpe_file_list *out);
#endif
