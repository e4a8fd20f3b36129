/* file/output.c -- temporary name in the same directory, fsync, rename. */
#define _GNU_SOURCE
#include "file/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static anpe_status io_error(anpe_ctx *ctx, const char *path, const char *what, int error)
{
    char text[128];
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s: %s", path, what,
                     anpe_errno_text(error, text, sizeof text));
}

/* The path with a symbolic link at its end followed; malloc'ed. */
static char *target_of(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        char *real = realpath(path, NULL);
        if (real)
            return real;
    }
    return strdup(path);
}

static anpe_status check_target(anpe_ctx *ctx, const char *path)
{
    struct stat st;
    size_t n = strlen(path);
    if (n == 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "the name of the output file is empty");
    if (path[n - 1] == '/')
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: the name ends with '/'", path);
    if (stat(path, &st))
        return errno == ENOENT ? ANPE_OK : io_error(ctx, path, "cannot write", errno);
    if (S_ISDIR(st.st_mode))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: it is a directory", path);
    if (!S_ISREG(st.st_mode))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: it is not a regular file", path);
    return ANPE_OK;
}

/* Makes an empty file DIR/.BASE.PID-K.tmp; *fd is open for writing, or -1 and errno is set. The
 * process number keeps two runs apart, O_EXCL everything else. */
static char *make_temporary(const char *path, int *fd)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *front = path[0] == '/' ? "" : "./";
    int dir = slash ? (int)(slash - path) + 1 : 0;
    *fd = -1;
    for (int k = 0; k < 1000; k++) {
        char *name;
        if (asprintf(&name, "%s%.*s.%.180s.%ld-%d.tmp", front, dir, path, base, (long)getpid(), k) <
            0) {
            errno = ENOMEM;
            return NULL;
        }
        *fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (*fd >= 0)
            return name;
        free(name);
        if (errno != EEXIST)
            return NULL;
    }
    return NULL;
}

anpe_status anpe_output_begin(anpe_ctx *ctx, anpe_output *o, const char *path)
{
    o->path = o->temporary = NULL;
    anpe_status status = check_target(ctx, path);
    if (status)
        return status;
    o->path = target_of(path);
    if (!o->path)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    int fd;
    o->temporary = make_temporary(o->path, &fd);
    if (!o->temporary) {
        status = io_error(ctx, path, "cannot write", errno);
        anpe_output_abandon(o);
        return status;
    }
    close(fd);
    return ANPE_OK;
}

/* All bytes of one open file to another; 0 or errno. */
static int copy_bytes(int from, int to)
{
    char block[65536];
    for (;;) {
        const ssize_t n = read(from, block, sizeof block);
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        for (ssize_t done = 0; done < n;) {
            const ssize_t k = write(to, block + done, (size_t)(n - done));
            if (k < 0 && errno != EINTR)
                return errno;
            done += k > 0 ? k : 0;
        }
    }
}

anpe_status anpe_output_copy(anpe_ctx *ctx, const anpe_output *o, const char *path)
{
    struct stat st;
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    const int to = from < 0 ? -1 : open(o->temporary, O_WRONLY | O_TRUNC | O_CLOEXEC);
    int error = from < 0 || to < 0 || fstat(from, &st) ? errno : 0;
    if (!error)
        error = copy_bytes(from, to);
    if (!error && fchmod(to, st.st_mode & 07777))
        error = errno;
    if (from >= 0)
        close(from);
    if (to >= 0 && close(to) && !error)
        error = errno;
    return error ? io_error(ctx, o->path, "cannot copy", error) : ANPE_OK;
}

anpe_status anpe_output_check(anpe_ctx *ctx, const char *path)
{
    anpe_output o;
    anpe_status status = anpe_output_begin(ctx, &o, path);
    anpe_output_abandon(&o);
    return status;
}

void anpe_output_abandon(anpe_output *o)
{
    if (o->temporary)
        unlink(o->temporary);
    free(o->temporary);
    free(o->path);
    o->path = o->temporary = NULL;
}

/* fsync of a file or of a directory; 0 or errno. */
static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = fsync(fd) ? errno : 0;
    close(fd);
    return error;
}

/* After the rename the file is in place and whole; a directory that cannot be synced (some
 * network file systems) is no reason to call that a failure. */
static void sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash == path ? strdup("/")
                : slash       ? strndup(path, (size_t)(slash - path))
                              : strdup(".");
    if (dir)
        (void)sync_path(dir, O_RDONLY | O_DIRECTORY);
    free(dir);
}

anpe_status anpe_output_commit(anpe_ctx *ctx, anpe_output *o)
{
    anpe_status status = ANPE_OK;
    int error = sync_path(o->temporary, O_RDONLY);
    if (!error && rename(o->temporary, o->path))
        error = errno;
    if (error) {
        status = io_error(ctx, o->path, "cannot write", error);
    } else {
        sync_directory(o->path);
        free(o->temporary);
        o->temporary = NULL;
    }
    anpe_output_abandon(o);
    return status;
}

anpe_status anpe_output_differs(anpe_ctx *ctx, const char *output, const char *input)
{
    struct stat a, b;
    const int same = !stat(output, &a) && !stat(input, &b)
                         ? a.st_dev == b.st_dev && a.st_ino == b.st_ino
                         : !strcmp(output, input);
    return same ? ANPE_FAIL(ctx, ANPE_EINVAL,
                            "%s: the output would replace an input or another output", output)
                : ANPE_OK;
}
