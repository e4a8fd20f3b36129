/* zoo/fetch.h -- bytes of a registry, which is a directory or the URL of one (https, file; the
 * latter by libcurl, where anpe was built with it: proxies and certificates as curl's environment
 * variables say). */
#ifndef ANPE_CORE_FETCH_H
#define ANPE_CORE_FETCH_H
#include "base/context.h"

/* REGISTRY/NAME into memory, ended by a NUL; more than `most` bytes are refused. */
ANPE_MUST_CHECK anpe_status anpe_fetch_text(anpe_ctx *ctx, const char *registry, const char *name,
                                            size_t most, char **text, size_t *n);
/* REGISTRY/NAME of `size` bytes to the end of the file at path, which holds its beginning already
 * or is not there: what is there is not fetched again. A connection that breaks is taken up again
 * as long as that brings more. Never writes more than size bytes, and reaches the disk. On failure
 * the file keeps what came. `what` is shown as progress. */
ANPE_MUST_CHECK anpe_status anpe_fetch_file(anpe_ctx *ctx, const char *registry, const char *name,
                                            const char *path, int64_t size, const char *what);
#endif
