/* file/bytes.h -- files that are held in memory (anpe_file_hold, anpe_file_bytes and
 * anpe_file_let_go of <anpe/plugin.h>): a file that is recognised, counted, read and recorded is
 * opened once. */
#ifndef ANPE_CORE_BYTES_H
#define ANPE_CORE_BYTES_H
#include "base/context.h"

/* SHA-256 of the file as it is stored, from the open file where it is held. */
ANPE_MUST_CHECK anpe_status anpe_file_digest(anpe_ctx *ctx, const char *path, char hex[65]);
#endif
