/* See part.h. */
#include <config.h>
#include "file/part.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PARTS = 100000 };

/* ---- shares ------------------------------------------------------------------------------ */

int anpe_share_parse(const char *text, anpe_share *out)
{
    int end = 0;
    long long k, n;
    if (strspn(text, "0123456789/") != strlen(text) || strlen(text) > 20 ||
        sscanf(text, "%lld/%lld%n", &k, &n, &end) != 2 || text[end] || k < 1 || k > n ||
        n > MOST_PARTS)
        return 0;
    *out = (anpe_share){k, n};
    return 1;
}

anpe_status anpe_share_of(anpe_ctx *ctx, anpe_share s, int64_t count, int64_t unit, int64_t *first,
                          int64_t *end)
{
    const int64_t units = (count + unit - 1) / unit;
    *first = 0;
    *end = count;
    if (!s.n)
        return ANPE_OK;
    if (units < s.n)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "--part %lld/%lld: there are only %lld spectra, of which %lld parts can "
                         "be made at most",
                         (long long)s.k, (long long)s.n, (long long)count, (long long)units);
    /* the first units % n shares have one more; no product that could overflow */
    const int64_t each = units / s.n, more = units % s.n, k = s.k - 1;
    *first = (each * k + (k < more ? k : more)) * unit;
    *end = s.k == s.n ? count : (each * s.k + (s.k < more ? s.k : more)) * unit;
    return ANPE_OK;
}

char *anpe_part_name(anpe_ctx *ctx, const char *output, anpe_share s)
{
    anpe_text name = {0};
    anpe_text_add(&name, "%s.%lld-of-%lld", output, (long long)s.k, (long long)s.n);
    if (anpe_text_status(ctx, &name))
        anpe_text_free(&name);
    return name.text;
}

/* ---- heads ------------------------------------------------------------------------------- */

void anpe_head_put(anpe_text *head, const char *key, const char *format, ...)
{
    char *value = NULL;
    va_list ap;
    va_start(ap, format);
    if (vasprintf(&value, format, ap) < 0) {
        value = NULL;
        head->failed = 1;
    }
    va_end(ap);
    if (value)
        anpe_text_add(head, "%s=%s%c", key, value, '\0');
    free(value);
}

const char *anpe_head_get(const anpe_text *head, const char *key, int k)
{
    const size_t n = strlen(key);
    for (size_t at = 0; at < head->length; at += strlen(head->text + at) + 1) {
        const char *line = head->text + at;
        if (!strncmp(line, key, n) && line[n] == '=' && k-- == 0)
            return line + n + 1;
    }
    return NULL;
}

int64_t anpe_head_number(const anpe_text *head, const char *key)
{
    const char *value = anpe_head_get(head, key, 0);
    return value ? strtoll(value, NULL, 10) : -1;
}

/* ---- opening ----------------------------------------------------------------------------- */

static anpe_status make_room(anpe_ctx *ctx, anpe_replay *r, int n)
{
    r->n_journals = n;
    return ANPE_NEW(ctx, r->journal, n) || ANPE_NEW(ctx, r->path, n) || ANPE_NEW(ctx, r->end, n)
               ? ANPE_ENOMEM
               : ANPE_OK;
}

anpe_status anpe_replay_open(anpe_ctx *ctx, const char *output, const char digest[65],
                             const anpe_text *head, int64_t first, anpe_replay *r)
{
    const anpe_piece *piece, new = {head->text, head->length};
    anpe_status status;
    int n;
    *r = (anpe_replay){.next = first};
    ANPE_TRY(make_room(ctx, r, 1));
    r->end[0] = INT64_MAX;
    ANPE_TRY(anpe_journal_open(ctx, output, digest, &r->journal[0]));
    ANPE_TRY(anpe_journal_next(ctx, r->journal[0], &n, &piece));
    if (n == 0)
        status = anpe_journal_append(ctx, r->journal[0], 1, &new);
    else if (piece->size != new.size || memcmp(piece->data, new.data, new.size))
        status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                           "%s.part: was begun under other names of files, or as another part; "
                           "--resume needs the same command line, or this file removed",
                           output);
out:
    if (status)
        anpe_replay_clear(r);
    return status;
}

/* The head of a part; ANPE_EFORMAT: it has none. */
static anpe_status read_head(anpe_ctx *ctx, const char *path, anpe_journal *j, anpe_text *head)
{
    const anpe_piece *piece;
    int n;
    anpe_status status = anpe_journal_next(ctx, j, &n, &piece);
    if (status)
        return status;
    const char *text = n == 1 ? piece->data : NULL;
    if (!text || !piece->size || text[piece->size - 1])
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: is damaged: it does not say what it is of", path);
    *head = (anpe_text){0};
    char *copy;
    if (ANPE_NEW(ctx, copy, (int64_t)piece->size))
        return ANPE_ENOMEM;
    memcpy(copy, text, piece->size);
    *head = (anpe_text){.text = copy, .length = piece->size, .capacity = piece->size};
    return ANPE_OK;
}

/* A part into its place among the others. */
static anpe_status place_part(anpe_ctx *ctx, anpe_replay *r, const char *path, anpe_journal *j,
                              const anpe_text *head)
{
    const int64_t k = anpe_head_number(head, "part"), n = anpe_head_number(head, "parts");
    if (k < 1 || n < k || n > MOST_PARTS)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: is the journal of a run that was not made with --part K/N", path);
    if (!r->n_journals && make_room(ctx, r, (int)n))
        return ANPE_ENOMEM;
    for (int i = 0; i < r->n_journals; i++)
        if (r->journal[i] && (n != r->n_journals ||
                              strcmp(anpe_journal_digest(j), anpe_journal_digest(r->journal[i]))))
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "%s and %s: are not parts of one run: model, options, input files or "
                             "the number of parts differ",
                             r->path[i], path);
    if (r->journal[k - 1])
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s and %s: are both part %lld of %lld", r->path[k - 1],
                         path, (long long)k, (long long)n);
    if (!(r->path[k - 1] = anpe_strdup(ctx, path)))
        return ANPE_ENOMEM;
    r->journal[k - 1] = j;
    r->end[k - 1] = anpe_head_number(head, "end");
    return ANPE_OK;
}

static anpe_status take_part(anpe_ctx *ctx, anpe_replay *r, const char *path)
{
    anpe_journal *j = NULL;
    anpe_text head = {0};
    anpe_status status;
    ANPE_TRY(anpe_journal_read(ctx, path, &j));
    ANPE_TRY(read_head(ctx, path, j, &head));
    ANPE_TRY(place_part(ctx, r, path, j, &head));
    j = NULL;
    if (r->head.text)
        goto out;
    r->head = head;
    head = (anpe_text){0};
out:
    anpe_journal_close(j);
    anpe_text_free(&head);
    return status;
}

anpe_status anpe_replay_parts(anpe_ctx *ctx, int n, const char *const *path, anpe_replay *r)
{
    anpe_text missing = {0};
    anpe_status status = ANPE_OK;
    *r = (anpe_replay){0};
    for (int i = 0; i < n; i++)
        ANPE_TRY(take_part(ctx, r, path[i]));
    for (int k = 0; k < r->n_journals; k++)
        if (!r->journal[k])
            anpe_text_add(&missing, "%s%d", missing.length ? ", " : "", k + 1);
    if (missing.length)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "of %d parts these are missing: %s", r->n_journals,
                           missing.text);
out:
    anpe_text_free(&missing);
    if (status)
        anpe_replay_clear(r);
    return status;
}

const char *anpe_replay_digest(const anpe_replay *r)
{
    return anpe_journal_digest(r->journal[0]);
}

/* ---- blocks ------------------------------------------------------------------------------ */

static const char *name_of(const anpe_replay *r)
{
    return r->path[r->at] ? r->path[r->at] : "the journal";
}

static anpe_status check_span(anpe_ctx *ctx, anpe_replay *r)
{
    const anpe_piece *p = r->piece;
    if (p->size < sizeof r->span)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: a block of another kind", name_of(r));
    memcpy(&r->span, p->data, sizeof r->span);
    if (r->span.n < 1 || r->span.first != r->next || r->span.n > r->end[r->at] - r->span.first)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: spectrum %lld where %lld was expected", name_of(r),
                         (long long)r->span.first, (long long)r->next);
    r->next += r->span.n;
    r->used = 0;
    return ANPE_OK;
}

anpe_status anpe_replay_left(anpe_ctx *ctx, anpe_replay *r, int64_t *left)
{
    *left = r->n ? r->span.n - r->used : 0;
    while (!*left && r->at < r->n_journals) {
        anpe_status status = anpe_journal_next(ctx, r->journal[r->at], &r->n, &r->piece);
        if (!status && r->n)
            status = check_span(ctx, r);
        if (status)
            return status;
        if (r->n) {
            *left = r->span.n;
        } else if (r->path[r->at] && r->next != r->end[r->at]) {
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "%s: is not whole: it ends before spectrum %lld of %lld; run its "
                             "command again, which goes on from there",
                             name_of(r), (long long)r->next, (long long)r->end[r->at]);
        } else {
            r->at++;
        }
    }
    return ANPE_OK;
}

anpe_status anpe_replay_copy(anpe_ctx *ctx, const anpe_replay *r, int k, size_t bytes, int64_t take,
                             void *to)
{
    const size_t size = k < r->n ? r->piece[k].size : 0;
    const uint64_t n = bytes ? size / bytes : (uint64_t)r->span.n; /* no product that overflows */
    if (k >= r->n || n != (uint64_t)r->span.n || size != bytes * (size_t)n)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: a block of another kind", name_of(r));
    memcpy(to, (const char *)r->piece[k].data + bytes * (size_t)r->used, bytes * (size_t)take);
    return ANPE_OK;
}

anpe_status anpe_replay_append(anpe_ctx *ctx, anpe_replay *r, int n, const anpe_piece *piece)
{
    return anpe_journal_append(ctx, r->journal[0], n, piece);
}

/* ---- the end ----------------------------------------------------------------------------- */

void anpe_replay_finish(anpe_replay *r)
{
    if (r->journal)
        r->journal[0] = anpe_journal_finish(r->journal[0]);
    anpe_replay_clear(r);
}

anpe_status anpe_replay_publish(anpe_ctx *ctx, anpe_replay *r)
{
    const anpe_status status = anpe_journal_publish(ctx, r->journal[0]);
    r->journal[0] = NULL;
    anpe_replay_clear(r);
    return status;
}

void anpe_replay_clear(anpe_replay *r)
{
    for (int k = 0; k < r->n_journals; k++) {
        if (r->journal)
            anpe_journal_close(r->journal[k]);
        if (r->path)
            free(r->path[k]);
    }
    free(r->journal);
    free(r->path);
    free(r->end);
    anpe_text_free(&r->head);
    *r = (anpe_replay){0};
}

anpe_status anpe_part_finished(anpe_ctx *ctx, const char *path, const char digest[65],
                               int *finished)
{
    anpe_journal *j = NULL;
    anpe_status status;
    *finished = 0;
    if (access(path, F_OK) != 0)
        return ANPE_OK;
    ANPE_TRY(anpe_journal_read(ctx, path, &j));
    *finished = strcmp(anpe_journal_digest(j), digest) == 0;
    if (*finished)
        anpe_log(ctx, ANPE_INFO, "%s is finished already", path);
    else
        status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                           "%s: is there already, and is a part of another run; remove it, or "
                           "choose another name",
                           path);
out:
    anpe_journal_close(j);
    return status;
}
