/* file/seal.h -- the first 512 bytes of a model or an emulator say that what follows is whole:
 *
 *     anpe seal 1
 *     bytes 00000000000010177060
 *     sha256 (64 hexadecimal digits)
 *
 * with a newline after each line and NUL up to the end: the number of bytes that follow, and their
 * SHA-256. HDF5 calls such a place a user block and skips it, as does all that reads HDF5. It is
 * checked before HDF5 looks at the file, which does not survive every kind of damage. A seal tells
 * what was damaged from what was not; who made a file, a signature tells (zoo/). */
#ifndef ANPE_CORE_SEAL_H
#define ANPE_CORE_SEAL_H
#include "base/context.h"

enum { ANPE_SEAL_BYTES = 512 };

/* Whether bytes begin as a seal does. */
int anpe_seal_is(const void *bytes, size_t n);
/* The same of a file; 0 also for one that cannot be read. */
int anpe_seal_begins(const char *path);
/* *sealed: the file has a seal, which is true (what was checked is remembered as long as the file
 * stays as it is). ANPE_EFORMAT: a seal that is damaged, or of a newer version, or not of what
 * follows. ANPE_EIO: the file cannot be read. Main thread only. */
ANPE_MUST_CHECK anpe_status anpe_seal_check(anpe_ctx *ctx, const char *path, int *sealed);
/* Fills in the seal of a file whose first 512 bytes were left for it; `name` is for messages. */
ANPE_MUST_CHECK anpe_status anpe_seal_write(anpe_ctx *ctx, const char *path, const char *name);
/* Puts a seal before the content of a file that has none, or renews the one that it has, true or
 * not; the file is replaced when all is written. */
ANPE_MUST_CHECK anpe_status anpe_seal_add(anpe_ctx *ctx, const char *path);
#endif
