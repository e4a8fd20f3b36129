/* What runs through the ranks: sums in the order of items, and what rank 0 tells all.
 *
 * A sum of floats depends on its order, so a running total goes from the rank of the first items
 * through those of the next ones to rank 0, and each adds its own to it. It goes in chunks: while a
 * rank adds to one, the rank after it adds to the chunk before, and so the time of a sum is that of
 * one array on the wire and of one chunk a rank, not of one array a rank. */
#include <config.h>
#include "kernel/vector.h"
#include "ranks/private.h"

enum { NOBODY = -1 };

typedef struct stream {
    int from;  /* NOBODY: what is sent is here */
    int to[2]; /* NOBODY: to nobody */
    size_t bytes;
    char *data;
    float *const *term; /* (n_terms) arrays to be added to what comes; NULL: none */
    int64_t n_terms;
} stream;

static size_t chunk_at(const stream *s, size_t at)
{
    return s->bytes - at < ANPE_RANKS_CHUNK ? s->bytes - at : ANPE_RANKS_CHUNK;
}

static void add_terms(const stream *s, size_t at, size_t bytes)
{
    const int64_t first = (int64_t)(at / sizeof(float)), n = (int64_t)(bytes / sizeof(float));
    for (int64_t k = 0; k < s->n_terms; k++)
        anpe_vector_add_f(n, s->term[k] + first, (float *)(void *)s->data + first);
}

/* The next chunk is on its way while this one is worked on. */
static anpe_status run_stream(anpe_ctx *ctx, anpe_ranks *r, const stream *s)
{
    int job = -1;
    anpe_status status = ANPE_OK;
    if (s->from != NOBODY && s->bytes)
        ANPE_TRY(
            r->ops->receive(r->self, ctx, s->from, ANPE_RANKS_DATA, s->data, chunk_at(s, 0), &job));
    for (size_t at = 0; at < s->bytes; at += ANPE_RANKS_CHUNK) {
        const size_t n = chunk_at(s, at), next = at + n;
        if (s->from != NOBODY)
            ANPE_TRY(anpe_ranks_wait(ctx, r, job));
        if (s->from != NOBODY && next < s->bytes)
            ANPE_TRY(r->ops->receive(r->self, ctx, s->from, ANPE_RANKS_DATA, s->data + next,
                                     chunk_at(s, next), &job));
        add_terms(s, at, n);
        for (int k = 0; k < 2; k++)
            if (s->to[k] != NOBODY)
                ANPE_TRY(anpe_ranks_start(ctx, r, s->to[k], ANPE_RANKS_DATA, s->data + at, n));
    }
out:;
    const anpe_status settled = anpe_ranks_settle(ctx, r);
    return status ? status : settled;
}

static int rank_or_nobody(int rank, int n)
{
    return rank >= 0 && rank < n ? rank : NOBODY;
}

/* Along a binary tree: a rank hears it from (rank - 1) / 2. */
anpe_status anpe_ranks_broadcast(anpe_ctx *ctx, anpe_ranks *r, size_t bytes, void *data)
{
    if (!r)
        return ANPE_OK;
    const stream s = {
        .from = r->rank ? (r->rank - 1) / 2 : NOBODY,
        .to = {rank_or_nobody(2 * r->rank + 1, r->n), rank_or_nobody(2 * r->rank + 2, r->n)},
        .bytes = bytes,
        .data = data};
    return run_stream(ctx, r, &s);
}

/* ---- sums -------------------------------------------------------------------------------- */

static int ranks_with_items(const anpe_ranks *r, int64_t n)
{
    return anpe_ranks_count(r) < n ? anpe_ranks_count(r) : (int)n;
}

int anpe_ranks_share(const anpe_ranks *r, int64_t n, int64_t *first, int64_t *end)
{
    const int64_t active = ranks_with_items(r, n), place = active - 1 - anpe_ranks_rank(r);
    *first = *end = 0;
    if (place < 0)
        return 0;
    *first = n * place / active;
    *end = n * (place + 1) / active;
    return place == 0;
}

/* Of the ranks that have items, this one's part in their row. */
static stream in_row(const anpe_ranks *r, int64_t n, size_t bytes, void *total)
{
    const int active = ranks_with_items(r, n);
    return (stream){.from = r->rank + 1 < active ? r->rank + 1 : NOBODY,
                    .to = {rank_or_nobody(r->rank - 1, r->n), NOBODY},
                    .bytes = r->rank < active ? bytes : 0,
                    .data = total};
}

anpe_status anpe_ranks_sum_arrays(anpe_ctx *ctx, anpe_ranks *r, int64_t n, int64_t size,
                                  float *const *term, float *total)
{
    int64_t first, end;
    if (!r)
        return ANPE_OK;
    stream s = in_row(r, n, (size_t)size * sizeof *total, total);
    if (!anpe_ranks_share(r, n, &first, &end)) {
        s.term = term;
        s.n_terms = end - first;
    }
    return run_stream(ctx, r, &s);
}

anpe_status anpe_ranks_sum(anpe_ctx *ctx, anpe_ranks *r, int64_t n, const double *term,
                           double *total)
{
    int64_t first, end;
    anpe_status status = ANPE_OK;
    if (!r)
        return ANPE_OK;
    const stream s = in_row(r, n, sizeof *total, total);
    const int is_first = anpe_ranks_share(r, n, &first, &end);
    if (s.bytes && s.from != NOBODY)
        ANPE_TRY(anpe_ranks_get(ctx, r, s.from, ANPE_RANKS_DATA, total, sizeof *total));
    for (int64_t k = 0; !is_first && k < end - first; k++)
        *total += term[k];
    if (s.bytes && s.to[0] != NOBODY)
        ANPE_TRY(anpe_ranks_give(ctx, r, s.to[0], ANPE_RANKS_DATA, total, sizeof *total));
out:
    return status;
}
