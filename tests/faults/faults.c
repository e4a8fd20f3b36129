/* Loaded before all others (LD_PRELOAD), lets one call of a run fail, so that a test can see what
 * the program makes of it:
 *
 *   ANPE_FAULT=CLASS:K     the K-th call of the class fails, K from 1
 *   ANPE_FAULT=CLASS:K+    that one and all that follow, as on a full disk
 *   ANPE_FAULT=CLASS:0     none; calls are only counted
 *   ANPE_FAULT_LOG=FILE    at exit: how many calls of the class there were
 *
 * allocate  malloc, calloc, realloc, aligned_alloc, posix_memalign of anpe's own objects: ENOMEM.
 * What foreign libraries make of a failure is theirs write     write, pwrite, fwrite, fputs,
 * fflush, fclose, ftruncate: ENOSPC; standard output and error are left out short     write, pwrite
 * write half of what they are given, which is no error: the rest is to follow sync      fsync,
 * fdatasync: EIO rename    rename, renameat, link: EACCES open      open, openat, fopen, mkstemp,
 * mkostemp: EMFILE read      read, pread, fread: EIO brief     read, pread read half of what they
 * are asked for, which is no error either */
#include <config.h>
#include <stdio.h>
#ifdef __GLIBC__
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum class { NOTHING, ALLOCATE, WRITE, SHORT, SYNC, RENAME, OPEN, READ, BRIEF };
static const char *const names[] = {"",       "allocate", "write", "short", "sync",
                                    "rename", "open",     "read",  "brief"};
static enum class chosen;
static long first;
static int lasting;
static atomic_long calls;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("ANPE_FAULT"), *colon = text ? strchr(text, ':') : NULL;
    char *rest;
    if (!colon)
        return;
    first = strtol(colon + 1, &rest, 10);
    lasting = *rest == '+';
    for (int k = ALLOCATE; k <= BRIEF; k++)
        if (strlen(names[k]) == (size_t)(colon - text) &&
            !strncmp(names[k], text, strlen(names[k])))
            chosen = (enum class)k;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("ANPE_FAULT_LOG");
    const long n = calls;
    if (!chosen)
        return;
    chosen = NOTHING;
    FILE *f = path ? fopen(path, "w") : NULL;
    if (f) {
        fprintf(f, "%ld\n", n);
        fclose(f);
    }
}

/* Whether this call of the class is to fail; sets errno. */
static int fails(enum class class, int error)
{
    if (class != chosen)
        return 0;
    const long k = ++calls;
    if (first == 0 || (lasting ? k < first : k != first))
        return 0;
    errno = error;
    return 1;
}

/* The function of this name that would have been called, found once; two threads may both look.
 * Object and function pointers are of one size where there is dlsym. */
#define NEXT(name)                                                                                 \
    static __typeof__(&(name)) next;                                                               \
    if (!next) {                                                                                   \
        void *found = dlsym(RTLD_NEXT, #name);                                                     \
        memcpy(&next, &found, sizeof next);                                                        \
    }

/* A stream remembers that it could not write or read, as ferror says. */
static int stream_fails(enum class class, FILE *f, int error)
{
    if (!f || fileno(f) <= STDERR_FILENO || !fails(class, error))
        return 0;
    f->_flags |= 0x20; /* of glibc */
    return 1;
}

/* ---- memory ------------------------------------------------------------------------------ */

/* The C library's own, which dlsym itself may need. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static int refused(const void *caller)
{
    Dl_info info;
    if (chosen != ALLOCATE || !dladdr(caller, &info) || !info.dli_fname)
        return 0;
    const char *name = strrchr(info.dli_fname, '/');
    name = name ? name + 1 : info.dli_fname;
    if (strncmp(name, "libanpe", 7) && strcmp(name, "anpe") && !strstr(info.dli_fname, "/plugins/"))
        return 0;
    return fails(ALLOCATE, ENOMEM);
}

void *malloc(size_t size)
{
    return refused(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return refused(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return refused(__builtin_return_address(0)) ? NULL : __libc_realloc(p, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return refused(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
    if (refused(__builtin_return_address(0)))
        return ENOMEM;
    *p = __libc_memalign(alignment, size);
    return *p ? 0 : ENOMEM;
}

/* ---- writing ----------------------------------------------------------------------------- */

static int is_file(int fd)
{
    return fd > STDERR_FILENO;
}

/* How much of n is written: n, half of it, or -1. */
static ssize_t written(int fd, size_t n)
{
    if (!is_file(fd))
        return (ssize_t)n;
    if (fails(WRITE, ENOSPC))
        return -1;
    return (ssize_t)(n > 1 && fails(SHORT, 0) ? n / 2 : n);
}

ssize_t write(int fd, const void *data, size_t n)
{
    NEXT(write);
    const ssize_t k = written(fd, n);
    return k < 0 ? -1 : next(fd, data, (size_t)k);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    NEXT(pwrite);
    const ssize_t k = written(fd, n);
    return k < 0 ? -1 : next(fd, data, (size_t)k, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    NEXT(pwrite64);
    const ssize_t k = written(fd, n);
    return k < 0 ? -1 : next(fd, data, (size_t)k, at);
}

size_t fwrite(const void *data, size_t size, size_t n, FILE *f)
{
    NEXT(fwrite);
    return stream_fails(WRITE, f, ENOSPC) ? 0 : next(data, size, n, f);
}

int fputs(const char *text, FILE *f)
{
    NEXT(fputs);
    return stream_fails(WRITE, f, ENOSPC) ? EOF : next(text, f);
}

int fflush(FILE *f)
{
    NEXT(fflush);
    return stream_fails(WRITE, f, ENOSPC) ? EOF : next(f);
}

/* Closed all the same, as the C library does. */
int fclose(FILE *f)
{
    NEXT(fclose);
    const int failed = stream_fails(WRITE, f, ENOSPC), closed = next(f);
    if (failed)
        errno = ENOSPC;
    return failed ? EOF : closed;
}

int ftruncate(int fd, off_t n)
{
    NEXT(ftruncate);
    return fails(WRITE, ENOSPC) ? -1 : next(fd, n);
}

int ftruncate64(int fd, off64_t n)
{
    NEXT(ftruncate64);
    return fails(WRITE, ENOSPC) ? -1 : next(fd, n);
}

/* ---- files ------------------------------------------------------------------------------- */

int fsync(int fd)
{
    NEXT(fsync);
    return fails(SYNC, EIO) ? -1 : next(fd);
}

int fdatasync(int fd)
{
    NEXT(fdatasync);
    return fails(SYNC, EIO) ? -1 : next(fd);
}

int rename(const char *from, const char *to)
{
    NEXT(rename);
    return fails(RENAME, EACCES) ? -1 : next(from, to);
}

int renameat(int a, const char *from, int b, const char *to)
{
    NEXT(renameat);
    return fails(RENAME, EACCES) ? -1 : next(a, from, b, to);
}

int link(const char *from, const char *to)
{
    NEXT(link);
    return fails(RENAME, EACCES) ? -1 : next(from, to);
}

static mode_t mode_of(int flags, va_list ap)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

#define OPEN_FUNCTION(name)                                                                        \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        NEXT(name);                                                                                \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        const mode_t mode = mode_of(flags, ap);                                                    \
        va_end(ap);                                                                                \
        return fails(OPEN, EMFILE) ? -1 : next(path, flags, mode);                                 \
    }
OPEN_FUNCTION(open)
OPEN_FUNCTION(open64)

#define FOPEN_FUNCTION(name)                                                                       \
    FILE *name(const char *path, const char *mode)                                                 \
    {                                                                                              \
        NEXT(name);                                                                                \
        return fails(OPEN, EMFILE) ? NULL : next(path, mode);                                      \
    }
FOPEN_FUNCTION(fopen)
FOPEN_FUNCTION(fopen64)

#define TEMPORARY_FUNCTION(name)                                                                   \
    int name(char *path)                                                                           \
    {                                                                                              \
        NEXT(name);                                                                                \
        return fails(OPEN, EMFILE) ? -1 : next(path);                                              \
    }
TEMPORARY_FUNCTION(mkstemp)
TEMPORARY_FUNCTION(mkstemp64)

/* ---- reading ----------------------------------------------------------------------------- */

/* How much of n is read: n, half of it, or -1. */
static ssize_t readable(size_t n)
{
    if (fails(READ, EIO))
        return -1;
    return (ssize_t)(n > 1 && fails(BRIEF, 0) ? n / 2 : n);
}

ssize_t read(int fd, void *data, size_t n)
{
    NEXT(read);
    const ssize_t k = readable(n);
    return k < 0 ? -1 : next(fd, data, (size_t)k);
}

ssize_t pread(int fd, void *data, size_t n, off_t at)
{
    NEXT(pread);
    const ssize_t k = readable(n);
    return k < 0 ? -1 : next(fd, data, (size_t)k, at);
}

ssize_t pread64(int fd, void *data, size_t n, off64_t at)
{
    NEXT(pread64);
    const ssize_t k = readable(n);
    return k < 0 ? -1 : next(fd, data, (size_t)k, at);
}

size_t fread(void *data, size_t size, size_t n, FILE *f)
{
    NEXT(fread);
    return stream_fails(READ, f, EIO) ? 0 : next(data, size, n, f);
}

ssize_t getline(char **line, size_t *room, FILE *f)
{
    NEXT(getline);
    return stream_fails(READ, f, EIO) ? -1 : next(line, room, f);
}
#endif
