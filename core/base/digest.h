/* base/digest.h -- SHA-256 (libsodium) of files and memory, as 64 hexadecimal digits. */
#ifndef ANPE_CORE_DIGEST_H
#define ANPE_CORE_DIGEST_H
#include "base/context.h"
ANPE_MUST_CHECK anpe_status anpe_digest_file(anpe_ctx *ctx, const char *path, char hex[65]);
/* Of the whole of an open file, wherever it stands; path is for messages. */
ANPE_MUST_CHECK anpe_status anpe_digest_descriptor(anpe_ctx *ctx, const char *path, int fd,
                                                   char hex[65]);
void anpe_digest_memory(const void *data, size_t size, char hex[65]);
#endif
