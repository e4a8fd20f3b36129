/* file/output.h -- output files appear whole or not at all.
 *
 *     anpe_output o;
 *     anpe_output_begin(ctx, &o, "catalogue.fits");   makes an empty temporary file beside it
 *     ... write o.temporary, close it ...
 *     anpe_output_commit(ctx, &o);                    fsync, rename; or anpe_output_abandon(&o)
 *
 * A run of several files writes them all and commits them together: none takes its name before all
 * have reached the disk, and what stood under a name stays until then.
 *
 * A new file has the permissions that the umask leaves. An existing regular file is replaced,
 * unless it may not be written; the new one has its permissions, and owner and group where the
 * system lets them be given. Other names of that file (hard links) keep the old one. Anything else
 * at the path (directory, device, pipe) is refused: a rename would put a file in the place of the
 * device. A symbolic link is followed, so that the file it points to is replaced, or made, and the
 * link stays. */
#ifndef ANPE_CORE_OUTPUT_H
#define ANPE_CORE_OUTPUT_H
#include "base/context.h"
#include "base/settings.h"
#include <sys/types.h>

typedef struct anpe_output {
    char *path;      /* where the file will be; free'd by commit and abandon */
    char *temporary; /* in the same directory; starts with '/' or "./" (file/temporary.h) */
    int replaces;    /* an existing file, whose permissions the new one gets */
    mode_t mode;
    uid_t owner;
    gid_t group;
} anpe_output;

/* Can a file be written at path? Tried by making one, so that a command fails before hours of
 * work. ANPE_EIO: missing or read-only directory or file, path is a directory or a device ...
 * Removes what runs that were killed have left beside it. */
ANPE_MUST_CHECK anpe_status anpe_output_check(anpe_ctx *ctx, const char *path);
/* Error when output and input are the same file, or would be: writing one would destroy the other.
 */
ANPE_MUST_CHECK anpe_status anpe_output_differs(anpe_ctx *ctx, const char *output,
                                                const char *input);
/* The same for every file that the settings name. */
ANPE_MUST_CHECK anpe_status anpe_output_differs_inputs(anpe_ctx *ctx, const char *output,
                                                       const anpe_settings *settings);
ANPE_MUST_CHECK anpe_status anpe_output_begin(anpe_ctx *ctx, anpe_output *o, const char *path);
/* The temporary file becomes a copy of this file. */
ANPE_MUST_CHECK anpe_status anpe_output_copy(anpe_ctx *ctx, const anpe_output *o, const char *path);
/* The temporary file reaches the disk, then takes its name. On failure it is removed. In both
 * cases o is cleared. */
ANPE_MUST_CHECK anpe_status anpe_output_commit(anpe_ctx *ctx, anpe_output *o);
/* The same for n files: all reach the disk before the first takes its name. */
ANPE_MUST_CHECK anpe_status anpe_output_commit_all(anpe_ctx *ctx, int n, anpe_output *o);
/* Removes the temporary file and clears o; nothing happens when o is cleared already. */
void anpe_output_abandon(anpe_output *o);
#endif
