/* See lines.h. */
#include <config.h>
#include "zoo/lines.h"
#include "file/output.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static anpe_status io_error(anpe_ctx *ctx, const char *path, const char *what)
{
    char text[128];
    const int error = errno;
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot %s: %s", path, what,
                     anpe_errno_text(error, text, sizeof text));
}

anpe_status anpe_zoo_directory(anpe_ctx *ctx, const char *path)
{
    char *part = anpe_strdup(ctx, path);
    anpe_status status = part ? ANPE_OK : ANPE_ENOMEM;
    for (char *at = part; at && !status;) {
        at = strchr(at + 1, '/');
        if (at)
            *at = '\0';
        if (mkdir(part, 0755) && errno != EEXIST)
            status = io_error(ctx, part, "make the directory");
        if (at)
            *at = '/';
    }
    free(part);
    return status;
}

static anpe_status read_open(anpe_ctx *ctx, const char *path, FILE *f, size_t most, char **text,
                             size_t *n)
{
    struct stat st;
    if (fstat(fileno(f), &st))
        return io_error(ctx, path, "read");
    if (!S_ISREG(st.st_mode) || (size_t)st.st_size > most)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a file of at most %zu bytes", path, most);
    char *block;
    if (ANPE_NEW(ctx, block, (int64_t)st.st_size + 1))
        return ANPE_ENOMEM;
    *n = fread(block, 1, (size_t)st.st_size, f);
    *text = block;
    return ferror(f) ? io_error(ctx, path, "read") : ANPE_OK;
}

anpe_status anpe_zoo_text_read(anpe_ctx *ctx, const char *path, size_t most, char **text, size_t *n)
{
    FILE *f = fopen(path, "rb");
    *text = NULL;
    *n = 0;
    if (!f && errno != ENOENT)
        return io_error(ctx, path, "open");
    if (!f)
        return (*text = anpe_strdup(ctx, "")) ? ANPE_OK : ANPE_ENOMEM;
    const anpe_status status = read_open(ctx, path, f, most, text, n);
    fclose(f);
    if (status) {
        free(*text);
        *text = NULL;
    }
    return status;
}

anpe_status anpe_zoo_text_write(anpe_ctx *ctx, const char *path, const char *text, size_t n)
{
    anpe_output o;
    anpe_status status = anpe_output_check(ctx, path); /* also removes what killed runs left */
    if (!status)
        status = anpe_output_begin(ctx, &o, path);
    if (status)
        return status;
    FILE *f = fopen(o.temporary, "wb");
    int failed = !f || fwrite(text, 1, n, f) != n;
    if (f && fclose(f))
        failed = 1;
    if (failed) {
        status = io_error(ctx, path, "write");
        anpe_output_abandon(&o);
        return status;
    }
    return anpe_output_commit(ctx, &o);
}

anpe_status anpe_zoo_lock(anpe_ctx *ctx, const char *directory, int *fd)
{
    char *path;
    anpe_status status = ANPE_OK;
    *fd = -1;
    if (asprintf(&path, "%s/.lock", directory) < 0)
        return ANPE_NO_MEMORY(ctx, "a path");
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (*fd < 0)
        status = io_error(ctx, path, "open");
    for (int waits = 0; !status && flock(*fd, LOCK_EX | LOCK_NB); waits = 1) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            status = io_error(ctx, path, "lock");
        else if (anpe_cancelled(ctx))
            status = ANPE_FAIL(ctx, ANPE_ECANCEL, "%s: cancelled while waiting for it", path);
        else if (!waits)
            anpe_log(ctx, ANPE_INFO, "%s: waiting for another process", path);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    free(path);
    if (status && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return status;
}
