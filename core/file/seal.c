/* See seal.h. */
#include <config.h>
#include "file/seal.h"
#include "file/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char magic[] = "anpe seal ";
enum { MAGIC = sizeof magic - 1, SEAL_VERSION = 1 };

static anpe_status io_error(anpe_ctx *ctx, const char *path, const char *what)
{
    char text[128];
    const int error = errno;
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot %s: %s", path, what,
                     anpe_errno_text(error, text, sizeof text));
}

/* Up to size bytes from where fd stands; less only at the end of the file. -1: errno is set. */
static ssize_t read_whole(int fd, void *block, size_t size)
{
    size_t done = 0;
    while (done < size) {
        const ssize_t n = read(fd, (char *)block + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static void format(char block[ANPE_SEAL_BYTES], unsigned long long bytes, const char *hex)
{
    memset(block, 0, ANPE_SEAL_BYTES);
    snprintf(block, ANPE_SEAL_BYTES, "%s%d\nbytes %020llu\nsha256 %.64s\n", magic, SEAL_VERSION,
             bytes, hex);
}

/* SHA-256 of what follows fd's place, and how many bytes that is. 0, or -1 and errno. */
static int digest_rest(int fd, unsigned long long *bytes, char hex[65])
{
    unsigned char block[65536], hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    ssize_t n;
    crypto_hash_sha256_init(&state);
    *bytes = 0;
    while ((n = read_whole(fd, block, sizeof block)) > 0) {
        crypto_hash_sha256_update(&state, block, (unsigned long long)n);
        *bytes += (unsigned long long)n;
    }
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(hex, 65, hash, sizeof hash);
    return n < 0 ? -1 : 0;
}

int anpe_seal_is(const void *bytes, size_t n)
{
    return n >= MAGIC && !memcmp(bytes, magic, MAGIC);
}

int anpe_seal_begins(const char *path)
{
    char block[MAGIC];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const int yes = fd >= 0 && read_whole(fd, block, MAGIC) == MAGIC && anpe_seal_is(block, MAGIC);
    if (fd >= 0)
        close(fd);
    return yes;
}

/* ---- what was checked -------------------------------------------------------------------- */

/* An emulator is opened once for each of its arrays. A file that changed within the clock's grain
 * of its times would pass for unchanged, so one that is younger than SETTLED is not remembered. */
enum { N_CHECKED = 16, SETTLED = 2 /* seconds */ };
static struct {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed, modified;
} checked[N_CHECKED];
static int next_checked;

static int is_checked(const struct stat *st)
{
    for (int i = 0; i < N_CHECKED; i++)
        if (checked[i].inode == st->st_ino && checked[i].device == st->st_dev &&
            checked[i].size == st->st_size &&
            !memcmp(&checked[i].changed, &st->st_ctim, sizeof st->st_ctim) &&
            !memcmp(&checked[i].modified, &st->st_mtim, sizeof st->st_mtim))
            return 1;
    return 0;
}

static void remember(const struct stat *st)
{
    const time_t now = time(NULL);
    if (now - st->st_ctim.tv_sec < SETTLED || now - st->st_mtim.tv_sec < SETTLED)
        return;
    checked[next_checked].device = st->st_dev;
    checked[next_checked].inode = st->st_ino;
    checked[next_checked].size = st->st_size;
    checked[next_checked].changed = st->st_ctim;
    checked[next_checked].modified = st->st_mtim;
    next_checked = (next_checked + 1) % N_CHECKED;
}

/* ---- checking ---------------------------------------------------------------------------- */

/* The block is what a seal of these numbers is, to the last byte. */
static anpe_status parse(anpe_ctx *ctx, const char *path, const char *block, ssize_t n,
                         unsigned long long *bytes, char hex[65])
{
    char copy[ANPE_SEAL_BYTES + 1] = "", again[ANPE_SEAL_BYTES];
    int version = 0;
    memcpy(copy, block, (size_t)n);
    if (sscanf(copy + MAGIC, "%9d", &version) == 1 && version > SEAL_VERSION)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: its seal is of format %d, this is anpe %s which "
                         "reads %d",
                         path, version, PACKAGE_VERSION, SEAL_VERSION);
    if (n == ANPE_SEAL_BYTES &&
        sscanf(copy + MAGIC, "%9d bytes %20llu sha256 %64s", &version, bytes, hex) == 3) {
        format(again, *bytes, hex);
        if (!memcmp(again, block, ANPE_SEAL_BYTES))
            return ANPE_OK;
    }
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the file is damaged: its seal cannot be read", path);
}

static anpe_status check_open(anpe_ctx *ctx, const char *path, int fd, int *sealed)
{
    char block[ANPE_SEAL_BYTES], stated[65], hex[65];
    unsigned long long bytes, there;
    struct stat st;
    const ssize_t n = read_whole(fd, block, sizeof block);
    if (n < 0 || fstat(fd, &st))
        return io_error(ctx, path, "read");
    *sealed = n > 0 && anpe_seal_is(block, (size_t)n);
    if (!*sealed || is_checked(&st))
        return ANPE_OK;
    const anpe_status status = parse(ctx, path, block, n, &bytes, stated);
    if (status)
        return status;
    if ((unsigned long long)st.st_size != bytes + ANPE_SEAL_BYTES)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: the file is damaged: it has %lld bytes, and by its seal should have "
                         "%llu",
                         path, (long long)st.st_size, bytes + ANPE_SEAL_BYTES);
    if (digest_rest(fd, &there, hex))
        return io_error(ctx, path, "read");
    if (there != bytes || strcmp(hex, stated) != 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: the file is damaged: its contents do not match the digest in its "
                         "seal",
                         path);
    remember(&st);
    return ANPE_OK;
}

anpe_status anpe_seal_check(anpe_ctx *ctx, const char *path, int *sealed)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    *sealed = 0;
    if (fd < 0)
        return io_error(ctx, path, "open");
    const anpe_status status = check_open(ctx, path, fd, sealed);
    close(fd);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------- */

anpe_status anpe_seal_write(anpe_ctx *ctx, const char *path, const char *name)
{
    char block[ANPE_SEAL_BYTES], hex[65];
    unsigned long long bytes;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    int failed = fd < 0 || lseek(fd, ANPE_SEAL_BYTES, SEEK_SET) < 0 || digest_rest(fd, &bytes, hex);
    if (!failed) {
        format(block, bytes, hex);
        failed = pwrite(fd, block, sizeof block, 0) != (ssize_t)sizeof block;
    }
    const anpe_status status = failed ? io_error(ctx, name, "write") : ANPE_OK;
    if (fd >= 0)
        close(fd);
    return status;
}

/* to: an empty file that gets room for a seal, then what `from` has from its place on. */
static int copy_behind(int from, int to)
{
    char block[65536];
    ssize_t n;
    if (lseek(to, ANPE_SEAL_BYTES, SEEK_SET) < 0)
        return -1;
    while ((n = read_whole(from, block, sizeof block)) > 0)
        for (ssize_t done = 0; done < n;) {
            const ssize_t k = write(to, block + done, (size_t)(n - done));
            if (k < 0 && errno != EINTR)
                return -1;
            done += k > 0 ? k : 0;
        }
    return n < 0 ? -1 : 0;
}

anpe_status anpe_seal_add(anpe_ctx *ctx, const char *path)
{
    anpe_output o;
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return io_error(ctx, path, "open");
    anpe_status status = anpe_output_begin(ctx, &o, path);
    const int to = status ? -1 : open(o.temporary, O_WRONLY | O_CLOEXEC);
    const off_t start = anpe_seal_begins(path) ? ANPE_SEAL_BYTES : 0;
    if (!status && (to < 0 || lseek(from, start, SEEK_SET) < 0 || copy_behind(from, to)))
        status = io_error(ctx, path, "seal");
    close(from);
    if (to >= 0 && close(to) && !status)
        status = io_error(ctx, path, "seal");
    if (!status)
        status = anpe_seal_write(ctx, o.temporary, path);
    if (!status)
        return anpe_output_commit(ctx, &o);
    anpe_output_abandon(&o);
    return status;
}
