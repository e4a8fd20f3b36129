/* file/temporary.h -- names under which files are written until they are whole.
 *
 * DIR/.BASE.MACHINE-PID-K.tmp: MACHINE is the same for processes that can see each other's numbers
 * (one host since it was started, one container). So a file whose process is gone is known to be
 * nobody's, also in a directory that several hosts write to; what another machine made is left
 * alone. */
#ifndef ANPE_CORE_TEMPORARY_H
#define ANPE_CORE_TEMPORARY_H
#include "base/context.h"
#include <sys/types.h>

/* Makes an empty file for what will be `path`, mode as for open(2); *fd is open for reading and
 * writing. malloc'ed name that starts with '/' or "./"; NULL: errno is set. */
char *anpe_temporary_make(const char *path, mode_t mode, int *fd);
/* A file that is to be gone too when the process is ended by a signal. */
void anpe_temporary_keep(const char *name);
/* It has been renamed or removed. */
void anpe_temporary_forget(const char *name);
/* Removes all that there are: for a signal handler that then ends the process. */
void anpe_temporary_remove_all(void);
/* Removes temporary files of `path` whose process is gone. One that is over a day old and made by
 * another machine is named in a warning. */
void anpe_temporary_clean(anpe_ctx *ctx, const char *path);
#endif
