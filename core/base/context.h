/* base/context.h -- error slot, log, progress and cancel flag of one thread of work.
 *
 * The library prints nothing: a command or an embedding program gives the sinks. A child context
 * (one per worker thread) shares the sinks and the cancel flag and has an error slot of its own. */
#ifndef ANPE_CORE_CONTEXT_H
#define ANPE_CORE_CONTEXT_H
#include <anpe/plugin.h>
#include "base/memory.h"
#include <anpe/anpe.h> /* anpe_ctx_new, anpe_ctx_free, anpe_error, sinks */

/* New context sharing parent's sinks and cancel flag. */
anpe_ctx *anpe_ctx_child(anpe_ctx *parent);
/* A child made earlier now shares the sinks and the flag of this parent. */
void anpe_ctx_share(anpe_ctx *child, const anpe_ctx *parent);
/* Copies the error of `from` (message, file, line, status) into `to`. */
anpe_status anpe_ctx_take_error(anpe_ctx *to, const anpe_ctx *from);
/* Puts "prefix: " in front of the stored message: context on the way up. Returns status. */
anpe_status anpe_fail_prefix(anpe_ctx *ctx, anpe_status status, const char *format, ...)
    ANPE_PRINTF(3, 4);
/* The list of files that this context, not its children, holds in memory: file/bytes.c. */
struct anpe_held_file *anpe_ctx_files(const anpe_ctx *ctx);
void anpe_ctx_keep_files(anpe_ctx *ctx, struct anpe_held_file *files);
int anpe_cancelled(const anpe_ctx *ctx);
/* done of total units of `what`; the sink decides when to draw. */
void anpe_progress(anpe_ctx *ctx, const char *what, double done, double total);
/* errno as a short text, e.g. "No such file or directory". */
const char *anpe_errno_text(int error, char *buffer, size_t size);
#endif
