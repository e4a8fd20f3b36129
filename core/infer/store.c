/* See store.h. A row: its size; the star as it is in memory, without pointers; its labels; its
 * truth; its file with a NUL. */
#include <config.h>
#include "infer/store.h"
#include "file/temporary.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct anpe_store {
    char *beside;
    FILE *file;
    int64_t n_labels;
    anpe_row_bytes row; /* that was read last */
    anpe_star star;     /* the same; owns label and truth */
};

/* ---- a row ------------------------------------------------------------------------------- */

static char *put(char *to, const void *from, size_t n)
{
    memcpy(to, from, n);
    return to + n;
}

anpe_status anpe_row_pack(anpe_ctx *ctx, anpe_row_bytes *to, const anpe_star *star,
                          int64_t n_labels)
{
    const size_t labels = (size_t)n_labels, name = strlen(star->file) + 1;
    const uint64_t size = sizeof size + sizeof *star + labels * sizeof *star->label +
                          labels * sizeof *star->truth + name;
    anpe_star plain = *star;
    plain.file = plain.members = NULL;
    plain.label = NULL;
    plain.truth = NULL;
    if (ANPE_GROW(ctx, to->data, to->room, to->n + (int64_t)size))
        return ANPE_ENOMEM;
    char *at = put(to->data + to->n, &size, sizeof size);
    at = put(at, &plain, sizeof plain);
    at = put(at, star->label, labels * sizeof *star->label);
    at = put(at, star->truth, labels * sizeof *star->truth);
    put(at, star->file, name);
    to->n += (int64_t)size;
    return ANPE_OK;
}

int anpe_row_unpack(const char **at, const char *end, int64_t n_labels, anpe_star *star)
{
    const size_t labels = (size_t)n_labels * sizeof *star->label;
    const size_t truth = (size_t)n_labels * sizeof *star->truth;
    const size_t fixed = sizeof(uint64_t) + sizeof *star + labels + truth;
    anpe_star s;
    uint64_t size;
    if ((size_t)(end - *at) < sizeof size)
        return 0;
    memcpy(&size, *at, sizeof size);
    if (size <= fixed || size > (uint64_t)(end - *at) || (*at)[size - 1])
        return 0;
    const char *from = *at + sizeof size;
    memcpy(&s, from, sizeof s);
    memcpy(star->label, from + sizeof s, labels);
    memcpy(star->truth, from + sizeof s + labels, truth);
    s.label = star->label;
    s.truth = star->truth;
    s.file = *at + fixed;
    s.members = NULL;
    s.id[sizeof s.id - 1] = s.reason[sizeof s.reason - 1] = s.rung[sizeof s.rung - 1] = '\0';
    s.exact_reason[sizeof s.exact_reason - 1] = s.comparison[sizeof s.comparison - 1] = '\0';
    s.predictive_worst[sizeof s.predictive_worst - 1] = '\0';
    *star = s;
    *at += size;
    return 1;
}

/* ---- many -------------------------------------------------------------------------------- */

static anpe_status failed(anpe_ctx *ctx, const anpe_store *s, const char *what)
{
    char reason[128];
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: rows that wait beside it cannot be %s: %s", s->beside,
                     what, anpe_errno_text(errno, reason, sizeof reason));
}

static anpe_status open_file(anpe_ctx *ctx, anpe_store *s)
{
    int fd;
    char *name = anpe_temporary_make(s->beside, 0600, &fd);
    if (!name)
        return failed(ctx, s, "written");
    unlink(name);
    anpe_temporary_forget(name);
    free(name);
    s->file = fdopen(fd, "w+");
    if (s->file)
        return ANPE_OK;
    close(fd);
    return failed(ctx, s, "written");
}

anpe_status anpe_store_new(anpe_ctx *ctx, const char *beside, int64_t n_labels, anpe_store **out)
{
    anpe_store *s;
    anpe_status status = ANPE_ENOMEM;
    *out = NULL;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->n_labels = n_labels;
    if (!(s->beside = anpe_strdup(ctx, beside)) || ANPE_NEW(ctx, s->star.label, n_labels) ||
        ANPE_NEW(ctx, s->star.truth, n_labels))
        goto out;
    ANPE_TRY(open_file(ctx, s));
out:
    *out = status ? anpe_store_free(s) : s;
    return status;
}

anpe_store *anpe_store_free(anpe_store *s)
{
    if (!s)
        return NULL;
    if (s->file)
        fclose(s->file);
    free(s->beside);
    free(s->row.data);
    free(s->star.label);
    free(s->star.truth);
    free(s);
    return NULL;
}

anpe_status anpe_store_add(anpe_ctx *ctx, anpe_store *s, const anpe_row_bytes *rows)
{
    const size_t n = (size_t)rows->n;
    return fwrite(rows->data, 1, n, s->file) == n ? ANPE_OK : failed(ctx, s, "written");
}

/* fseeko writes what is still in memory. */
static anpe_status read_next(anpe_ctx *ctx, anpe_store *s, int first)
{
    uint64_t size;
    if (first && fseeko(s->file, 0, SEEK_SET) != 0)
        return failed(ctx, s, "written");
    errno = EIO; /* a file that is too short sets none */
    if (fread(&size, sizeof size, 1, s->file) != 1)
        return failed(ctx, s, "read");
    if (ANPE_GROW(ctx, s->row.data, s->row.room, (int64_t)size))
        return ANPE_ENOMEM;
    memcpy(s->row.data, &size, sizeof size);
    if (fread(s->row.data + sizeof size, 1, size - sizeof size, s->file) != size - sizeof size)
        return failed(ctx, s, "read");
    const char *at = s->row.data;
    return anpe_row_unpack(&at, at + size, s->n_labels, &s->star) ? ANPE_OK
                                                                  : failed(ctx, s, "read");
}

anpe_status anpe_row_list_at(anpe_ctx *ctx, const anpe_row_list *rows, int64_t i,
                             const anpe_star **star)
{
    if (!rows->store) {
        *star = &rows->result->star[i];
        return ANPE_OK;
    }
    *star = &rows->store->star;
    return read_next(ctx, rows->store, i == 0);
}
