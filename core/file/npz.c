/* file/npz.c -- members of a .npz through libzip, which also checks their CRC.
 *
 * Nothing in the file is believed before it is checked: the size of an array comes from its
 * header, must equal what the archive says, and memory is not touched before bytes arrive. */
#include <config.h>
#include "file/npz.h"
#include "base/text.h"
#include "file/npy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

/* Where bytes come from: a member of an archive or a plain file; 0 when all n were read. */
typedef struct source {
    zip_file_t *member;
    FILE *file;
    const char *path, *key;
} source;

static int fill(source *s, void *bytes, size_t n)
{
    uint8_t *at = bytes;
    if (s->file)
        return fread(at, 1, n, s->file) != n;
    while (n > 0) {
        zip_int64_t got = zip_fread(s->member, at, n);
        if (got <= 0)
            return 1;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

static anpe_status wrong(anpe_ctx *ctx, const source *s, const char *what)
{
    if (s->file)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %s", s->path, what);
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: array '%s': %s", s->path, s->key, what);
}

static anpe_status read_header(anpe_ctx *ctx, source *s, anpe_npy *header, size_t *offset)
{
    uint8_t magic[ANPE_NPY_MAGIC];
    size_t start, length;
    if (fill(s, magic, sizeof magic))
        return wrong(ctx, s, "truncated");
    const char *what = anpe_npy_preamble(magic, &start, &length);
    if (what)
        return wrong(ctx, s, what);
    char *text;
    if (ANPE_NEW(ctx, text, (int64_t)length))
        return ANPE_ENOMEM;
    size_t have = sizeof magic - start; /* version 1: two bytes of the text are here already */
    memcpy(text, magic + start, have);
    if (fill(s, text + have, length - have))
        what = "truncated";
    else
        what = anpe_npy_header(text, length, header);
    free(text);
    *offset = start + length;
    return what ? wrong(ctx, s, what) : ANPE_OK;
}

static anpe_status check_header(anpe_ctx *ctx, const source *s, const anpe_npy *h, size_t offset,
                                uint64_t total)
{
    char what[160];
    if (!h->type) {
        snprintf(what, sizeof what,
                 "holds '%s', not numbers (little-endian reals, integers and booleans are read)",
                 h->descr);
        return wrong(ctx, s, what);
    }
    if ((uint64_t)h->count * (uint64_t)h->size + offset != total) {
        snprintf(what, sizeof what,
                 "%lld elements of %d bytes do not fit its %lld bytes: truncated or damaged",
                 (long long)h->count, h->size, (long long)total - (long long)offset);
        return wrong(ctx, s, what);
    }
    return ANPE_OK;
}

/* total: bytes that the source has in all. */
static anpe_status read_array(anpe_ctx *ctx, source *s, uint64_t total, double **data, int *rank,
                              int64_t shape[4])
{
    anpe_npy h;
    size_t offset = 0;
    anpe_status status = read_header(ctx, s, &h, &offset);
    if (!status)
        status = check_header(ctx, s, &h, offset, total);
    if (status)
        return status;
    const size_t size = (size_t)h.count * (size_t)h.size;
    uint8_t end, *bytes = NULL;
    double *out = NULL;
    if (ANPE_NEW(ctx, bytes, h.count, h.size) || ANPE_NEW(ctx, out, h.count))
        status = ANPE_ENOMEM;
    else if (fill(s, bytes, size) || (s->member && zip_fread(s->member, &end, 1) != 0))
        status = wrong(ctx, s, "truncated or damaged"); /* the read at the end checks the CRC */
    if (!status)
        anpe_npy_convert(&h, bytes, out);
    free(bytes);
    if (status) {
        free(out);
        return status;
    }
    *data = out;
    *rank = h.rank;
    memcpy(shape, h.shape, sizeof h.shape);
    return ANPE_OK;
}

/* What the archive says of a member's size, against its own. Deflate makes of one byte 1032 at
 * most, and numpy writes with it or without any compression. */
static anpe_status check_member(anpe_ctx *ctx, const source *s, const zip_stat_t *st)
{
    enum { MOST = 1032 };
    struct stat file;
    char what[160];
    const zip_uint64_t held = st->comp_size;
    const int stored = st->comp_method == ZIP_CM_STORE,
              deflated = st->comp_method == ZIP_CM_DEFLATE;
    if (!(st->valid & ZIP_STAT_COMP_SIZE) || !(st->valid & ZIP_STAT_COMP_METHOD) ||
        stat(s->path, &file))
        return ANPE_OK;
    if (held <= (zip_uint64_t)file.st_size && !(stored && st->size != held) &&
        !(deflated && st->size / MOST > held))
        return ANPE_OK;
    snprintf(what, sizeof what, "declares %llu bytes, the file holds %llu: truncated or damaged",
             (unsigned long long)st->size, (unsigned long long)held);
    return wrong(ctx, s, what);
}

/* ---- archives ---------------------------------------------------------------------------- */

static anpe_status open_archive(anpe_ctx *ctx, const char *path, zip_t **out)
{
    int code;
    char text[128];
    *out = zip_open(path, ZIP_RDONLY, &code);
    if (*out)
        return ANPE_OK;
    int error = errno;
    if (code == ZIP_ER_NOENT)
        error = ENOENT;
    else if (code != ZIP_ER_OPEN && code != ZIP_ER_READ)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a .npz file, or truncated", path);
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path,
                     anpe_errno_text(error, text, sizeof text));
}

static char *member_key(zip_t *archive, int i)
{
    const char *name = zip_get_name(archive, (zip_uint64_t)i, 0);
    size_t n = name ? strlen(name) : 0;
    if (n > 4 && !strcmp(name + n - 4, ".npy"))
        n -= 4;
    return name ? strndup(name, n) : strdup("");
}

static char **member_keys(zip_t *archive, int *n)
{
    zip_int64_t count = zip_get_num_entries(archive, 0);
    *n = count < 0 ? 0 : count > 100000 ? 100000 : (int)count;
    char **keys = calloc((size_t)*n + 1, sizeof *keys);
    for (int i = 0; keys && i < *n; i++)
        if (!(keys[i] = member_key(archive, i))) {
            anpe_npz_names_free(i, keys);
            return NULL;
        }
    return keys;
}

void anpe_npz_names_free(int n, char **names)
{
    for (int i = 0; names && i < n; i++)
        free(names[i]);
    free(names);
}

anpe_status anpe_npz_names(anpe_ctx *ctx, const char *path, int *n, char ***names)
{
    zip_t *archive;
    anpe_status status = open_archive(ctx, path, &archive);
    if (status)
        return status;
    *names = member_keys(archive, n);
    zip_discard(archive);
    return *names ? ANPE_OK : ANPE_NO_MEMORY(ctx, "the names of arrays");
}

static anpe_status find_key(anpe_ctx *ctx, const char *path, const char *key, int n, char **keys,
                            int *index)
{
    char hint[160];
    anpe_text list = {0};
    *index = -1;
    for (int i = 0; key && key[0] && i < n; i++)
        if (!strcmp(keys[i], key))
            *index = i;
    if ((!key || !key[0]) && n == 1)
        *index = 0;
    if (*index >= 0)
        return ANPE_OK;
    for (int i = 0; i < n && i < 12; i++)
        anpe_text_add(&list, "%s%s", i ? ", " : "", keys[i]);
    const char *has = list.text ? list.text : "nothing";
    anpe_status status;
    if (!key || !key[0])
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: expected a single array, it has %d: %s", path, n,
                           has);
    else
        status = ANPE_FAIL(
            ctx, ANPE_EFORMAT, "%s: no array '%s'%s; it has %s", path, key,
            anpe_text_hint(hint, sizeof hint, key, n, (const char *const *)(void *)keys), has);
    anpe_text_free(&list);
    return status;
}

anpe_status anpe_npz_read(anpe_ctx *ctx, const char *path, const char *key, double **data,
                          int *rank, int64_t shape[4])
{
    zip_t *archive;
    int n = 0, index = -1;
    anpe_status status = open_archive(ctx, path, &archive);
    if (status)
        return status;
    char **keys = member_keys(archive, &n);
    if (!keys)
        status = ANPE_NO_MEMORY(ctx, "the names of arrays");
    else
        status = find_key(ctx, path, key, n, keys, &index);
    if (!status) {
        zip_stat_t st;
        source s = {.path = path, .key = keys[index]};
        s.member = zip_fopen_index(archive, (zip_uint64_t)index, 0);
        if (!s.member || zip_stat_index(archive, (zip_uint64_t)index, 0, &st) ||
            !(st.valid & ZIP_STAT_SIZE))
            status = wrong(ctx, &s, "cannot be read: damaged archive");
        else if (!(status = check_member(ctx, &s, &st)))
            status = read_array(ctx, &s, st.size, data, rank, shape);
        if (s.member)
            zip_fclose(s.member);
    }
    anpe_npz_names_free(n, keys);
    zip_discard(archive);
    return status;
}

anpe_status anpe_npy_read(anpe_ctx *ctx, const char *path, double **data, int *rank,
                          int64_t shape[4])
{
    char text[128];
    source s = {.path = path, .file = fopen(path, "rb")};
    if (!s.file)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot open: %s", path,
                         anpe_errno_text(errno, text, sizeof text));
    long total = fseek(s.file, 0, SEEK_END) ? -1 : ftell(s.file);
    rewind(s.file);
    anpe_status status = total < 0 ? ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot read", path)
                                   : read_array(ctx, &s, (uint64_t)total, data, rank, shape);
    fclose(s.file);
    return status;
}
