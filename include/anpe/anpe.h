/* anpe/anpe.h -- to embed the library: open a model, infer a spectrum.
 *
 *     anpe_ctx *ctx = anpe_ctx_new();
 *     anpe_model *model = NULL;
 *     if (anpe_model_open(ctx, "apogee.h5", NULL, &model))
 *         fprintf(stderr, "%s\n", anpe_error(ctx));
 *
 * Functions return anpe_status; anpe_error(ctx) has the message of the last failure. A context
 * belongs to one thread. `free` functions take NULL and return NULL.
 */
#ifndef ANPE_ANPE_H
#define ANPE_ANPE_H
#include <anpe/plugin.h>
#ifdef __cplusplus
extern "C" {
#endif

ANPE_EXPORT const char *anpe_version(void);

/* ---- context ------------------------------------------------------------------------- */
typedef void anpe_log_fn(void *user, anpe_level level, const char *line);
typedef void anpe_progress_fn(void *user, const char *what, double done, double total);

ANPE_EXPORT anpe_ctx *anpe_ctx_new(void); /* NULL: out of memory */
ANPE_EXPORT anpe_ctx *anpe_ctx_free(anpe_ctx *ctx);
ANPE_EXPORT const char *anpe_error(const anpe_ctx *ctx); /* message of the last failure */
ANPE_EXPORT const char *anpe_error_file(const anpe_ctx *ctx, int *line); /* where it was raised */
ANPE_EXPORT const char *anpe_status_name(anpe_status status);            /* "ANPE_EIO" */
ANPE_EXPORT const char *anpe_status_text(anpe_status status); /* "cannot read or write a file" */
ANPE_EXPORT void anpe_ctx_set_log(anpe_ctx *ctx, anpe_log_fn *sink, void *user);
ANPE_EXPORT void anpe_ctx_set_progress(anpe_ctx *ctx, anpe_progress_fn *sink, void *user);
/* Asks long work to end soon with ANPE_ECANCEL. Safe in a signal handler. */
ANPE_EXPORT void anpe_ctx_cancel(anpe_ctx *ctx);

#ifdef __cplusplus
}
#endif
#endif
