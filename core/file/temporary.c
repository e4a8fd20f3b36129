/* file/temporary.c -- see temporary.h. */
#include <config.h>
#include "file/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BASE_MOST = 180, DAY = 86400 };

/* ---- names ------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, const char *text, ssize_t n)
{
    for (ssize_t i = 0; i < n; i++)
        hash = (hash ^ (uint8_t)text[i]) * 1099511628211u; /* FNV-1a */
    return hash;
}

/* Host, its start and the process namespace: numbers of processes mean the same where all agree. */
static uint64_t machine(void)
{
    uint64_t hash = 14695981039346656037u;
    char text[256] = "";
    if (gethostname(text, sizeof text - 1) == 0)
        hash = mix(hash, text, (ssize_t)strlen(text));
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        hash = mix(hash, text, read(fd, text, sizeof text));
        close(fd);
    }
    return mix(hash, text, readlink("/proc/self/ns/pid", text, sizeof text));
}

/* The last component of path, and how much before it is its directory (0: the current one). */
static const char *base_of(const char *path, int *directory)
{
    const char *slash = strrchr(path, '/');
    *directory = slash ? (int)(slash - path) + 1 : 0;
    return slash ? slash + 1 : path;
}

char *anpe_temporary_make(const char *path, mode_t mode, int *fd)
{
    int directory;
    const char *base = base_of(path, &directory), *front = path[0] == '/' ? "" : "./";
    *fd = -1;
    for (int k = 0; k < 1000; k++) {
        char *name;
        if (asprintf(&name, "%s%.*s.%.*s.%016llx-%ld-%d.tmp", front, directory, path, BASE_MOST,
                     base, (unsigned long long)machine(), (long)getpid(), k) < 0) {
            errno = ENOMEM;
            return NULL;
        }
        *fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (*fd >= 0) {
            anpe_temporary_keep(name);
            return name;
        }
        free(name);
        if (errno != EEXIST)
            return NULL;
    }
    return NULL;
}

/* ---- files of this process --------------------------------------------------------------- */

/* A slot changes hands by its state alone, so that a signal handler never meets half a name. */
enum { FREE, BUSY, KEPT };
static struct {
    atomic_int state;
    char name[PATH_MAX];
} kept[32];
enum { N_KEPT = sizeof kept / sizeof kept[0] };
static atomic_int untold; /* some file had no slot */

static int take(int i, int from)
{
    return atomic_compare_exchange_strong(&kept[i].state, &from, BUSY);
}

void anpe_temporary_keep(const char *name)
{
    const size_t size = strlen(name) + 1;
    for (int i = 0; size <= PATH_MAX && i < N_KEPT; i++)
        if (take(i, FREE)) {
            memcpy(kept[i].name, name, size);
            atomic_store(&kept[i].state, KEPT);
            return;
        }
    atomic_store(&untold, 1);
}

void anpe_temporary_forget(const char *name)
{
    for (int i = 0; i < N_KEPT; i++) {
        if (!take(i, KEPT))
            continue;
        atomic_store(&kept[i].state, strcmp(kept[i].name, name) ? KEPT : FREE);
    }
}

void anpe_temporary_remove_all(void)
{
    for (int i = 0; i < N_KEPT; i++)
        if (take(i, KEPT))
            unlink(kept[i].name);
}

/* By any spelling of the path. */
static int is_kept(const struct stat *st)
{
    int found = atomic_load(&untold);
    for (int i = 0; i < N_KEPT; i++) {
        struct stat mine;
        found |= atomic_load(&kept[i].state) == KEPT && stat(kept[i].name, &mine) == 0 &&
                 mine.st_dev == st->st_dev && mine.st_ino == st->st_ino;
    }
    return found;
}

/* ---- files of others --------------------------------------------------------------------- */

/* Is `tail`, what follows ".BASE.", MACHINE-PID-K.tmp? */
static int parse(const char *tail, unsigned long long *host, long *pid)
{
    int k, end = 0;
    if (strspn(tail, "0123456789abcdef") != 16)
        return 0;
    return sscanf(tail, "%llx-%ld-%d.tmp%n", host, pid, &k, &end) == 3 && end > 0 &&
           (!tail[end] || !strcmp(tail + end, ".h5"));
}

/* A process of this number may be another one by now: then the file stays. */
static int is_gone(long pid, const struct stat *st)
{
    if (pid == getpid()) /* in a container, the number of the run before */
        return !is_kept(st);
    return pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH;
}

static void judge(anpe_ctx *ctx, const char *path, const char *name, int here, long pid)
{
    struct stat st;
    if (lstat(name, &st) || !S_ISREG(st.st_mode))
        return;
    const double size = (double)st.st_size / 1e6;
    if (here && is_gone(pid, &st) && unlink(name) == 0)
        anpe_log(ctx, ANPE_INFO, "%s: %.1f MB, left by a run that was killed: removed", name, size);
    else if (!here && time(NULL) - st.st_mtime > DAY)
        anpe_log(ctx, ANPE_WARNING,
                 "%s: %.1f MB, left by a run on another machine that seems to have been killed; "
                 "remove it if nothing is writing %s",
                 name, size, path);
}

void anpe_temporary_clean(anpe_ctx *ctx, const char *path)
{
    int directory;
    const char *base = base_of(path, &directory);
    char *where = directory ? strndup(path, (size_t)directory) : strdup("./"), *prefix = NULL;
    DIR *dir = where ? opendir(where) : NULL;
    if (!dir || asprintf(&prefix, ".%.*s.", BASE_MOST, base) < 0)
        prefix = NULL;
    for (struct dirent *e; prefix && (e = readdir(dir));) {
        unsigned long long host;
        long pid;
        char *name;
        if (strncmp(e->d_name, prefix, strlen(prefix)) ||
            !parse(e->d_name + strlen(prefix), &host, &pid) ||
            asprintf(&name, "%s%s", where, e->d_name) < 0)
            continue;
        judge(ctx, path, name, host == machine(), pid);
        free(name);
    }
    if (dir)
        closedir(dir);
    free(prefix);
    free(where);
}
