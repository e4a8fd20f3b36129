/* file/output.c -- see output.h: fsync of all files of a run, then their renames. */
#include <config.h>
#include "file/output.h"
#include "file/temporary.h"

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

/* What a symbolic link points to, from the directory that the link lies in; NULL: errno is set,
 * EINVAL when path is no link. */
static char *pointed_to(const char *path)
{
    char to[PATH_MAX], *full;
    const ssize_t n = readlink(path, to, sizeof to - 1);
    if (n < 0)
        return NULL;
    to[n] = '\0';
    const char *slash = strrchr(path, '/');
    const int directory = slash && to[0] != '/' ? (int)(slash - path) + 1 : 0;
    if (asprintf(&full, "%.*s%s", directory, path, to) >= 0)
        return full;
    errno = ENOMEM;
    return NULL;
}

/* The path with symbolic links at its end followed, also to a file that is not there yet;
 * malloc'ed. */
static char *target_of(const char *path)
{
    enum { LINKS_MOST = 40 }; /* as the kernel */
    char *at = strdup(path);
    for (int k = 0; at; k++) {
        char *next = k < LINKS_MOST ? pointed_to(at) : NULL;
        if (!next && (k == LINKS_MOST || (errno != EINVAL && errno != ENOENT))) {
            errno = k == LINKS_MOST ? ELOOP : errno;
            break;
        }
        if (!next)
            return at;
        free(at);
        at = next;
    }
    free(at);
    return NULL;
}

/* st: of what is there; st->st_nlink is 0 when nothing is. */
static anpe_status check_target(anpe_ctx *ctx, const char *path, struct stat *st)
{
    size_t n = strlen(path);
    if (n == 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "the name of the output file is empty");
    if (path[n - 1] == '/')
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: the name ends with '/'", path);
    *st = (struct stat){0};
    if (stat(path, st))
        return errno == ENOENT ? ANPE_OK : io_error(ctx, path, "cannot write", errno);
    if (S_ISDIR(st->st_mode))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: it is a directory", path);
    if (!S_ISREG(st->st_mode))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: it is not a regular file", path);
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
        return io_error(ctx, path, "cannot write", errno);
    return ANPE_OK;
}

anpe_status anpe_output_begin(anpe_ctx *ctx, anpe_output *o, const char *path)
{
    struct stat old;
    *o = (anpe_output){0};
    anpe_status status = check_target(ctx, path, &old);
    if (status)
        return status;
    int fd = -1;
    o->path = target_of(path);
    o->temporary = o->path ? anpe_temporary_make(o->path, old.st_nlink ? 0600 : 0666, &fd) : NULL;
    if (!o->temporary) {
        status = io_error(ctx, path, "cannot write", errno);
        anpe_output_abandon(o);
        return status;
    }
    close(fd);
    o->replaces = old.st_nlink > 0;
    o->mode = old.st_mode & 0777;
    o->owner = old.st_uid;
    o->group = old.st_gid;
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
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    const int to = from < 0 ? -1 : open(o->temporary, O_WRONLY | O_TRUNC | O_CLOEXEC);
    int error = from < 0 || to < 0 ? errno : 0;
    if (!error)
        error = copy_bytes(from, to);
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
    if (!status)
        anpe_temporary_clean(ctx, o.path);
    anpe_output_abandon(&o);
    return status;
}

void anpe_output_abandon(anpe_output *o)
{
    if (o->temporary) {
        unlink(o->temporary);
        anpe_temporary_forget(o->temporary);
    }
    free(o->temporary);
    free(o->path);
    o->path = o->temporary = NULL;
}

/* Owner, group and permissions of the file that is replaced, as far as the system lets us. Where
 * the group cannot be kept, the new one may do no more than everybody. */
static void take_over(int fd, const anpe_output *o)
{
    mode_t mode = o->mode;
    struct stat st;
    if (fchown(fd, o->owner, o->group) && fchown(fd, (uid_t)-1, o->group) && fstat(fd, &st) == 0 &&
        st.st_gid != o->group)
        mode &= (mode_t)(0707 | (mode & 7) << 3);
    (void)fchmod(fd, mode);
}

/* After the rename the file is in place and whole; a directory that cannot be synced (some
 * network file systems) is no reason to call that a failure. */
static void sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash == path ? strdup("/")
                : slash       ? strndup(path, (size_t)(slash - path))
                              : strdup(".");
    const int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(dir);
}

/* All that can fail for want of room. */
static anpe_status reach_disk(anpe_ctx *ctx, const anpe_output *o)
{
    const int fd = open(o->temporary, O_RDONLY | O_CLOEXEC);
    const int error = fd < 0 || fsync(fd) ? errno : 0;
    if (!error && o->replaces)
        take_over(fd, o);
    if (fd >= 0)
        close(fd);
    return error ? io_error(ctx, o->path, "cannot write", error) : ANPE_OK;
}

static anpe_status take_name(anpe_ctx *ctx, anpe_output *o)
{
    if (rename(o->temporary, o->path))
        return io_error(ctx, o->path, "cannot write", errno);
    anpe_temporary_forget(o->temporary);
    free(o->temporary);
    o->temporary = NULL;
    sync_directory(o->path);
    return ANPE_OK;
}

anpe_status anpe_output_commit_all(anpe_ctx *ctx, int n, anpe_output *o)
{
    anpe_status status = ANPE_OK;
    for (int k = 0; k < n && !status; k++)
        status = reach_disk(ctx, &o[k]);
    for (int k = 0; k < n && !status; k++)
        status = take_name(ctx, &o[k]);
    for (int k = 0; k < n; k++)
        anpe_output_abandon(&o[k]);
    return status;
}

anpe_status anpe_output_commit(anpe_ctx *ctx, anpe_output *o)
{
    return anpe_output_commit_all(ctx, 1, o);
}

/* ---- two paths, one file? ---------------------------------------------------------------- */

/* Where a path leads: its directory and its last component, links at its end followed. */
typedef struct place {
    dev_t device;
    ino_t directory;
    char *path;
    const char *name;
} place;

static int find_place(const char *path, place *p)
{
    struct stat st;
    if (!(p->path = target_of(path)))
        return 0;
    char *slash = strrchr(p->path, '/');
    p->name = slash ? slash + 1 : p->path;
    const size_t n = (size_t)(p->name - p->path);
    char *directory = n ? strndup(p->path, n) : strdup(".");
    const int found = directory && stat(directory, &st) == 0;
    free(directory);
    if (found) {
        p->device = st.st_dev;
        p->directory = st.st_ino;
    }
    return found;
}

/* Files that are not there yet are told apart by where they would be. */
static int leads_to_same(const char *a, const char *b)
{
    struct stat x, y;
    const int there = !stat(a, &x), other = !stat(b, &y);
    if (there && other)
        return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
    place p = {0}, q = {0};
    const int same =
        find_place(a, &p) && find_place(b, &q)
            ? p.device == q.device && p.directory == q.directory && !strcmp(p.name, q.name)
            : !strcmp(a, b);
    free(p.path);
    free(q.path);
    return same;
}

anpe_status anpe_output_differs(anpe_ctx *ctx, const char *output, const char *input)
{
    return leads_to_same(output, input)
               ? ANPE_FAIL(ctx, ANPE_EINVAL,
                           "%s: the output would replace an input or another output", output)
               : ANPE_OK;
}

anpe_status anpe_output_differs_inputs(anpe_ctx *ctx, const char *output,
                                       const anpe_settings *settings)
{
    const char *option, *path;
    anpe_status status = ANPE_OK;
    for (int i = 0; !status && (path = anpe_settings_file(settings, i, &option)); i++)
        status = anpe_output_differs(ctx, output, path);
    return status;
}
