/* file/output.h -- output files appear whole or not at all.
 *
 *     anpe_output o;
 *     anpe_output_begin(ctx, &o, "catalogue.fits");   makes an empty temporary file beside it
 *     ... write o.temporary, close it ...
 *     anpe_output_commit(ctx, &o);                    fsync, rename; or anpe_output_abandon(&o)
 *
 * An existing regular file is replaced. Anything else at the path (directory, device, pipe) is
 * refused: a rename would put a file in the place of the device. A symbolic link is followed, so
 * that the file it points to is replaced and the link stays. */
#ifndef ANPE_CORE_OUTPUT_H
#define ANPE_CORE_OUTPUT_H
#include "base/context.h"

typedef struct anpe_output {
    char *path;      /* where the file will be: "" part of nothing; free'd by commit and abandon */
    char *temporary; /* in the same directory; starts with '/' or "./" */
} anpe_output;

/* Can a file be written at path? Tried by making one, so that a command fails before hours of
 * work. ANPE_EIO: missing or read-only directory, path is a directory or a device ... */
ANPE_MUST_CHECK anpe_status anpe_output_check(anpe_ctx *ctx, const char *path);
/* Error when output and input are the same file: writing one would destroy the other. */
ANPE_MUST_CHECK anpe_status anpe_output_differs(anpe_ctx *ctx, const char *output,
                                                const char *input);
ANPE_MUST_CHECK anpe_status anpe_output_begin(anpe_ctx *ctx, anpe_output *o, const char *path);
/* The temporary file becomes a copy of this file, permissions included. */
ANPE_MUST_CHECK anpe_status anpe_output_copy(anpe_ctx *ctx, const anpe_output *o, const char *path);
/* The temporary file reaches the disk, then takes its name. On failure it is removed. In both
 * cases o is cleared. */
ANPE_MUST_CHECK anpe_status anpe_output_commit(anpe_ctx *ctx, anpe_output *o);
/* Removes the temporary file and clears o; nothing happens when o is cleared already. */
void anpe_output_abandon(anpe_output *o);
#endif
