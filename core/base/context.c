/* Error slot, log, progress and cancel flag. The sinks and the flag live in a block that all
 * children of one context share; a mutex makes calls of the sinks one at a time. */
#include <config.h>
#include "base/context.h"
#include "base/locale.h"
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE = 2048, LINE = 1024 };

typedef struct shared {
    pthread_mutex_t lock;
    anpe_log_fn *log;
    void *log_user;
    anpe_progress_fn *progress;
    void *progress_user;
    atomic_int cancelled; /* lock-free, so a signal handler may set it */
} shared;

struct anpe_ctx {
    shared *shared;
    int owns_shared;
    anpe_status status;
    const char *file;
    int line;
    struct anpe_held_file *files;
    char message[MESSAGE];
};

const char *anpe_version(void)
{
    return PACKAGE_VERSION;
}

anpe_ctx *anpe_ctx_new(void)
{
    anpe_ctx *ctx = calloc(1, sizeof *ctx);
    shared *s = calloc(1, sizeof *s);
    if (!ctx || !s || pthread_mutex_init(&s->lock, NULL)) {
        free(ctx);
        free(s);
        return NULL;
    }
    atomic_init(&s->cancelled, 0);
    ctx->shared = s;
    ctx->owns_shared = 1;
    return ctx;
}

anpe_ctx *anpe_ctx_child(anpe_ctx *parent)
{
    anpe_ctx *ctx;
    if (ANPE_NEW(parent, ctx, 1))
        return NULL;
    ctx->shared = parent->shared;
    return ctx;
}

void anpe_ctx_share(anpe_ctx *child, const anpe_ctx *parent)
{
    if (!child->owns_shared)
        child->shared = parent->shared;
}

anpe_ctx *anpe_ctx_free(anpe_ctx *ctx)
{
    if (!ctx)
        return NULL;
    if (ctx->owns_shared) {
        pthread_mutex_destroy(&ctx->shared->lock);
        free(ctx->shared);
    }
    free(ctx);
    return NULL;
}

struct anpe_held_file *anpe_ctx_files(const anpe_ctx *ctx)
{
    return ctx->files;
}

void anpe_ctx_keep_files(anpe_ctx *ctx, struct anpe_held_file *files)
{
    ctx->files = files;
}

anpe_status anpe_fail(anpe_ctx *ctx, anpe_status status, const char *file, int line,
                      const char *format, ...)
{
    if (!ctx)
        return status;
    char message[MESSAGE]; /* the arguments may point into ctx->message */
    va_list ap;
    va_start(ap, format);
    vsnprintf(message, sizeof message, format, ap);
    va_end(ap);
    memcpy(ctx->message, message, sizeof message);
    ctx->status = status;
    ctx->file = file;
    ctx->line = line;
    return status;
}

anpe_status anpe_fail_prefix(anpe_ctx *ctx, anpe_status status, const char *format, ...)
{
    char prefix[MESSAGE / 2], old[MESSAGE];
    va_list ap;
    va_start(ap, format);
    vsnprintf(prefix, sizeof prefix, format, ap);
    va_end(ap);
    memcpy(old, ctx->message, sizeof old);
    int n = snprintf(ctx->message, sizeof ctx->message, "%s: ", prefix);
    snprintf(ctx->message + n, sizeof ctx->message - (size_t)n, "%s", old);
    return status;
}

anpe_status anpe_ctx_take_error(anpe_ctx *to, const anpe_ctx *from)
{
    if (to != from) {
        memcpy(to->message, from->message, sizeof to->message);
        to->file = from->file;
        to->line = from->line;
        to->status = from->status;
    }
    return from->status;
}

const char *anpe_error(const anpe_ctx *ctx)
{
    return ctx->message;
}

const char *anpe_error_file(const anpe_ctx *ctx, int *line)
{
    if (line)
        *line = ctx->line;
    return ctx->file ? ctx->file : "";
}

const char *anpe_status_name(anpe_status status)
{
    switch (status) {
#define X(name, value, text)                                                                       \
    case name:                                                                                     \
        return #name;
        ANPE_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

const char *anpe_status_text(anpe_status status)
{
    switch (status) {
#define X(name, value, text)                                                                       \
    case name:                                                                                     \
        return text;
        ANPE_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

void anpe_ctx_set_log(anpe_ctx *ctx, anpe_log_fn *sink, void *user)
{
    ctx->shared->log = sink;
    ctx->shared->log_user = user;
}

void anpe_ctx_set_progress(anpe_ctx *ctx, anpe_progress_fn *sink, void *user)
{
    ctx->shared->progress = sink;
    ctx->shared->progress_user = user;
}

void anpe_log(anpe_ctx *ctx, anpe_level level, const char *format, ...)
{
    if (!ctx || !ctx->shared->log)
        return;
    char line[LINE];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    pthread_mutex_lock(&ctx->shared->lock);
    const locale_t own = anpe_locale_lend();
    ctx->shared->log(ctx->shared->log_user, level, line);
    anpe_locale_leave(own);
    pthread_mutex_unlock(&ctx->shared->lock);
}

void anpe_progress(anpe_ctx *ctx, const char *what, double done, double total)
{
    if (!ctx || !ctx->shared->progress)
        return;
    pthread_mutex_lock(&ctx->shared->lock);
    const locale_t own = anpe_locale_lend();
    ctx->shared->progress(ctx->shared->progress_user, what, done, total);
    anpe_locale_leave(own);
    pthread_mutex_unlock(&ctx->shared->lock);
}

void anpe_ctx_cancel(anpe_ctx *ctx)
{
    atomic_store(&ctx->shared->cancelled, 1);
}

int anpe_cancelled(const anpe_ctx *ctx)
{
    return atomic_load(&ctx->shared->cancelled);
}

const char *anpe_errno_text(int error, char *buffer, size_t size)
{
    /* The GNU strerror_r may answer a string of its own; the XSI one fills the buffer. */
#ifdef __GLIBC__
    return strerror_r(error, buffer, size);
#else
    if (strerror_r(error, buffer, size))
        snprintf(buffer, size, "error %d", error);
    return buffer;
#endif
}
