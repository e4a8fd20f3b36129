/* Whole files in memory: see anpe_file_hold in <anpe/plugin.h>. Gzip (RFC 1952) is inflated in one
 * piece, by libdeflate where there is one, and its checksum read: what was damaged is no data. */
#include <config.h>
#include "file/bytes.h"
#include "base/digest.h"
#include "file/fits_cards.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef ANPE_HAVE_LIBDEFLATE
#include <libdeflate.h>
#else
#include <zlib.h>
#endif

enum { START = 4096 };         /* of a file of which not all is wanted */
enum { MOST_INFLATED = 1032 }; /* deflate makes at most so much of a byte */
enum { PIECE = 1 << 20 };      /* of what does not say how large it is */
static const size_t most_held = (size_t)2
                                << 30; /* inflated: what is larger is no file of spectra */

typedef struct anpe_held_file {
    struct anpe_held_file *next;
    char *path;
    int holds, fd, error; /* fd -1: not opened yet, or not to be opened: error says why */
    struct stat about;    /* when it was opened */
    anpe_file view;
} held;

static held *find(const anpe_ctx *ctx, const char *path)
{
    held *h = anpe_ctx_files(ctx);
    while (h && strcmp(h->path, path) != 0)
        h = h->next;
    return h;
}

/* Since it was opened: another file of its name, or written to. */
static int has_changed(const held *h)
{
    struct stat now;
    const struct stat *was = &h->about;
    return h->fd >= 0 && !stat(h->path, &now) &&
           (now.st_dev != was->st_dev || now.st_ino != was->st_ino || now.st_size != was->st_size ||
            now.st_mtim.tv_sec != was->st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != was->st_mtim.tv_nsec);
}

anpe_status anpe_file_hold(anpe_ctx *ctx, const char *path)
{
    held *h = find(ctx, path);
    if (h && has_changed(h))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: has changed while it is being read", path);
    if (h) {
        h->holds++;
        return ANPE_OK;
    }
    if (ANPE_NEW(ctx, h, 1))
        return ANPE_ENOMEM;
    *h = (held){.next = anpe_ctx_files(ctx), .path = anpe_strdup(ctx, path), .holds = 1, .fd = -1};
    if (!h->path) {
        free(h);
        return ANPE_ENOMEM;
    }
    anpe_ctx_keep_files(ctx, h);
    return ANPE_OK;
}

static held *discard(held *h)
{
    held *next = h->next;
    if (h->fd >= 0)
        close(h->fd);
    free(h->view.bytes);
    free(h->path);
    free(h);
    return next;
}

void anpe_file_let_go(anpe_ctx *ctx, const char *path)
{
    held *h = find(ctx, path), *first = anpe_ctx_files(ctx);
    if (!h || --h->holds > 0)
        return;
    held *before = first;
    while (before != h && before->next != h)
        before = before->next;
    held *next = discard(h);
    if (before == h)
        anpe_ctx_keep_files(ctx, next);
    else
        before->next = next;
}

/* ---- reading ----------------------------------------------------------------------------- */

static anpe_status fail_errno(anpe_ctx *ctx, const held *h, const char *what, int error)
{
    char why[128];
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot %s: %s", h->path, what,
                     anpe_errno_text(error, why, sizeof why));
}

static anpe_status open_once(anpe_ctx *ctx, held *h, struct stat *about)
{
    if (h->fd < 0 && !h->error) {
        h->fd = open(h->path, O_RDONLY | O_CLOEXEC);
        h->error = h->fd < 0 || fstat(h->fd, &h->about) ? errno : 0;
    }
    if (h->fd < 0)
        return fail_errno(ctx, h, "open", h->error);
    if (fstat(h->fd, about))
        return fail_errno(ctx, h, "read", errno);
    return S_ISDIR(about->st_mode) ? fail_errno(ctx, h, "open", EISDIR) : ANPE_OK;
}

/* Goes on reading until there are `wanted` bytes, or to the end of the file. */
static anpe_status read_on(anpe_ctx *ctx, held *h, size_t wanted, size_t piece)
{
    anpe_file *v = &h->view;
    size_t room = v->size;
    while (v->size < wanted) {
        if (v->size == room) {
            room = wanted - room > piece ? room + piece : wanted;
            unsigned char *grown = realloc(v->bytes, room);
            if (!grown)
                return ANPE_NO_MEMORY(ctx, h->path);
            v->bytes = grown;
            piece *= 2;
        }
        const ssize_t n = read(h->fd, v->bytes + v->size, room - v->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_errno(ctx, h, "read", errno);
        if (n == 0)
            break;
        v->size += (size_t)n;
    }
    return ANPE_OK;
}

/* ---- gzip -------------------------------------------------------------------------------- */

typedef enum outcome { INFLATED, NO_ROOM, DAMAGED, NO_MEMORY, TOO_LARGE } outcome;

/* One member of `in` -> out; how many bytes of each it has. */
#ifdef ANPE_HAVE_LIBDEFLATE
static outcome inflate_member(const unsigned char *in, size_t n_in, unsigned char *out, size_t room,
                              size_t *used, size_t *made)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    if (!d)
        return NO_MEMORY;
    const enum libdeflate_result result =
        libdeflate_gzip_decompress_ex(d, in, n_in, out, room, used, made);
    libdeflate_free_decompressor(d);
    return result == LIBDEFLATE_SUCCESS              ? INFLATED
           : result == LIBDEFLATE_INSUFFICIENT_SPACE ? NO_ROOM
                                                     : DAMAGED;
}
#else
static uInt at_most(size_t n)
{
    return n < PIECE ? (uInt)n : PIECE;
}

static outcome inflate_member(const unsigned char *in, size_t n_in, unsigned char *out, size_t room,
                              size_t *used, size_t *made)
{
    enum { GZIP = 16 };
    z_stream z = {.zalloc = Z_NULL};
    int status = inflateInit2(&z, MAX_WBITS + GZIP);
    if (status != Z_OK)
        return NO_MEMORY;
    *used = *made = 0;
    while (status == Z_OK) {
        const uInt had = at_most(n_in - *used), could = at_most(room - *made);
        z.next_in = (Bytef *)(uintptr_t)(in + *used); /* zlib does not change it */
        z.avail_in = had;
        z.next_out = out + *made;
        z.avail_out = could;
        status = inflate(&z, Z_NO_FLUSH);
        *used += had - z.avail_in;
        *made += could - z.avail_out;
    }
    inflateEnd(&z);
    return status == Z_STREAM_END                                    ? INFLATED
           : status == Z_MEM_ERROR                                   ? NO_MEMORY
           : status == Z_BUF_ERROR && *made == room && *used <= n_in ? NO_ROOM
                                                                     : DAMAGED;
}
#endif

static int is_gzip(const unsigned char *bytes, size_t n)
{
    return n > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* What the last member says of its size, 32 bits of it, which is most often all there is. */
static size_t declared_size(const anpe_file *v)
{
    size_t n = 0;
    for (size_t k = 0; v->size > 18 && k < 4; k++)
        n |= (size_t)v->bytes[v->size - 4 + k] << 8 * k;
    return n;
}

static outcome inflate_all(const anpe_file *v, anpe_file *out)
{
    const size_t most = v->size < most_held / MOST_INFLATED ? v->size * MOST_INFLATED : most_held;
    size_t room = declared_size(v), at = 0, used = 0, made = 0;
    room = room < START ? START : room > most ? most : room;
    if (!(out->bytes = malloc(room)))
        return NO_MEMORY;
    while (is_gzip(v->bytes + at, v->size - at)) {
        const outcome result = inflate_member(v->bytes + at, v->size - at, out->bytes + out->size,
                                              room - out->size, &used, &made);
        if (result == NO_ROOM && room < most) {
            room = room < most / 2 ? 2 * room : most;
            unsigned char *grown = realloc(out->bytes, room);
            if (!grown)
                return NO_MEMORY;
            out->bytes = grown;
            continue;
        }
        if (result == NO_ROOM && most == most_held)
            return TOO_LARGE;
        if (result != INFLATED)
            return result;
        at += used;
        out->size += made;
    }
    return INFLATED;
}

static anpe_status inflate_file(anpe_ctx *ctx, held *h)
{
    anpe_file inflated = {.whole = 1};
    const outcome result = inflate_all(&h->view, &inflated);
    if (result != INFLATED) {
        free(inflated.bytes);
        if (result == TOO_LARGE)
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: more than 2 GiB when inflated", h->path);
        return result == NO_MEMORY
                   ? ANPE_NO_MEMORY(ctx, h->path)
                   : ANPE_FAIL(
                         ctx, ANPE_EFORMAT,
                         "%s: cannot read: its gzip data are damaged (is the file truncated?)",
                         h->path);
    }
    free(h->view.bytes);
    h->view = inflated;
    return ANPE_OK;
}

/* ---- what is asked for ------------------------------------------------------------------- */

anpe_status anpe_file_bytes(anpe_ctx *ctx, const char *path, size_t most, anpe_file **out)
{
    held *h = find(ctx, path);
    struct stat about;
    *out = h ? &h->view : NULL;
    if (!h || h->view.whole)
        return ANPE_OK;
    anpe_status status;
    ANPE_TRY(open_once(ctx, h, &about));
    /* one byte more, so that the end is seen at once */
    const int sized = S_ISREG(about.st_mode) && about.st_size > 0;
    const size_t piece = sized ? (size_t)about.st_size + 1 : PIECE;
    ANPE_TRY(read_on(ctx, h, START, piece < START ? piece : START));
    if (sized && (size_t)about.st_size > most && !is_gzip(h->view.bytes, h->view.size))
        goto out;
    ANPE_TRY(read_on(ctx, h, SIZE_MAX, piece));
    if (is_gzip(h->view.bytes, h->view.size))
        ANPE_TRY(inflate_file(ctx, h));
    if (h->view.size >= 9 && !memcmp(h->view.bytes, "SIMPLE  =", 9))
        status = anpe_fits_cards_check(ctx, path, h->view.bytes, h->view.size);
    h->view.whole = !status; /* it is refused again when it is asked for again */
out:
    if (status)
        *out = NULL;
    return status;
}

anpe_status anpe_file_digest(anpe_ctx *ctx, const char *path, char hex[65])
{
    const held *h = find(ctx, path);
    return h && h->fd >= 0 ? anpe_digest_descriptor(ctx, path, h->fd, hex)
                           : anpe_digest_file(ctx, path, hex);
}
