/* zoo/lines.h -- small files of text in the user's zoo: a line a thing. */
#ifndef ANPE_CORE_LINES_H
#define ANPE_CORE_LINES_H
#include "base/context.h"

/* mkdir -p, for the user alone to write. */
ANPE_MUST_CHECK anpe_status anpe_zoo_directory(anpe_ctx *ctx, const char *path);
/* The whole file, malloc'ed and ended by a NUL; a file that is not there is empty. */
ANPE_MUST_CHECK anpe_status anpe_zoo_text_read(anpe_ctx *ctx, const char *path, size_t most,
                                               char **text, size_t *n);
/* Whole or not at all. */
ANPE_MUST_CHECK anpe_status anpe_zoo_text_write(anpe_ctx *ctx, const char *path, const char *text,
                                                size_t n);
/* Waits until no other process has the lock of this directory; *fd: it is held until that is
 * closed. What waits says so, and ends when it is cancelled. */
ANPE_MUST_CHECK anpe_status anpe_zoo_lock(anpe_ctx *ctx, const char *directory, int *fd);
#endif
