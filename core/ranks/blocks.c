/* Blocks of work, handed out as ranks become free and taken in order.
 *
 * A rank has two orders at a time, so that it goes on while rank 0 is at a block of its own and
 * does not answer. It keeps the numbers of a block until rank 0 asks for them, and makes its next
 * one meanwhile. Rank 0 asks for those that are next, and for later ones as long as they fit into
 * ROOM: a slow block holds up no one before that is full, and memory has a bound. */
#include <config.h>
#include "ranks/private.h"
#include <stdlib.h>
#include <string.h>

enum { AHEAD = 2, ROOM = 256 << 20, MESSAGE = 64 << 20, NO_BLOCK = -1 };

typedef struct made { /* a rank says that a block is made */
    int64_t block;
    int64_t n;
    uint64_t size[ANPE_RANKS_PIECES]; /* (n) of its pieces */
} made;

/* Each piece stands where a number of any type may. */
static size_t aligned(uint64_t size)
{
    return (size_t)((size + 15) / 16 * 16);
}

static size_t bytes_of(const made *m)
{
    size_t bytes = 0;
    for (int64_t i = 0; i < m->n; i++)
        bytes += aligned(m->size[i]);
    return bytes;
}

/* Its pieces after one another. */
static anpe_status pack(anpe_ctx *ctx, const anpe_ranks_work *w, int64_t block, made *m,
                        char **data, int64_t *room)
{
    anpe_piece piece[ANPE_RANKS_PIECES];
    *m = (made){.block = block, .n = w->pieces(w->user, block, piece)};
    for (int64_t i = 0; i < m->n; i++)
        m->size[i] = piece[i].size;
    if (ANPE_GROW(ctx, *data, *room, (int64_t)bytes_of(m) + 1))
        return ANPE_ENOMEM;
    char *at = *data;
    for (int64_t i = 0; i < m->n; at += aligned(m->size[i++]))
        if (piece[i].size)
            memcpy(at, piece[i].data, piece[i].size);
    return ANPE_OK;
}

static void unpack(const made *m, char *data, anpe_piece *piece)
{
    for (int64_t i = 0; i < m->n; data += aligned(m->size[i++]))
        piece[i] = (anpe_piece){data, (size_t)m->size[i]};
}

anpe_status anpe_ranks_put(anpe_ctx *ctx, int n, const anpe_piece *to, int n_from,
                           const anpe_piece *from)
{
    for (int i = 0; i < n || i < n_from; i++) {
        if (n != n_from || to[i].size != from[i].size)
            return ANPE_FAIL(ctx, ANPE_EINTERNAL, "a block of %d pieces, %d expected", n_from, n);
        if (to[i].data != from[i].data && to[i].size)
            memcpy(to[i].data, from[i].data, to[i].size);
    }
    return ANPE_OK;
}

static size_t message_at(size_t bytes, size_t at)
{
    return bytes - at < MESSAGE ? bytes - at : MESSAGE;
}

/* ---- another rank ------------------------------------------------------------------------ */

typedef struct helper {
    const anpe_ranks_work *work;
    made made;
    char *data; /* numbers of the last block, on their way */
    int64_t room;
} helper;

static anpe_status hand_over(anpe_ctx *ctx, anpe_ranks *r, helper *h, int64_t block)
{
    anpe_status status;
    ANPE_TRY(anpe_ranks_settle(ctx, r)); /* the block before this one */
    ANPE_TRY(pack(ctx, h->work, block, &h->made, &h->data, &h->room));
    const size_t bytes = bytes_of(&h->made);
    ANPE_TRY(anpe_ranks_start(ctx, r, 0, ANPE_RANKS_MADE, &h->made, sizeof h->made));
    for (size_t at = 0; at < bytes; at += MESSAGE)
        ANPE_TRY(
            anpe_ranks_start(ctx, r, 0, ANPE_RANKS_RESULT, h->data + at, message_at(bytes, at)));
out:
    return status;
}

static anpe_status help(anpe_ctx *ctx, anpe_ranks *r, const anpe_ranks_work *work)
{
    helper h = {.work = work};
    int64_t block;
    anpe_status status;
    for (;;) {
        ANPE_TRY(anpe_ranks_get(ctx, r, 0, ANPE_RANKS_ORDER, &block, sizeof block));
        if (block == NO_BLOCK)
            break;
        ANPE_TRY(work->make(work->user, ctx, block));
        ANPE_TRY(hand_over(ctx, r, &h, block));
    }
out:;
    const anpe_status settled = anpe_ranks_settle(ctx, r);
    free(h.data);
    return status ? status : settled;
}

/* ---- rank 0 ------------------------------------------------------------------------------ */

typedef struct arrival { /* a block that is made and not taken yet */
    made made;
    int from;
    char *data; /* NULL: its numbers are with the rank that made it */
} arrival;

typedef struct handout {
    const anpe_ranks_work *work;
    int64_t next, taken; /* to be handed out; to be taken */
    int64_t n_arrivals, room;
    arrival *arrival;
    size_t held;    /* bytes of what has arrived */
    int64_t *order; /* (ranks) what a rank was told last */
} handout;

static anpe_status tell(anpe_ctx *ctx, anpe_ranks *r, handout *h, int to)
{
    if (h->next >= h->work->end)
        return ANPE_OK;
    h->order[to] = h->next++;
    return anpe_ranks_give(ctx, r, to, ANPE_RANKS_ORDER, &h->order[to], sizeof h->order[to]);
}

static anpe_status add_arrival(anpe_ctx *ctx, handout *h, arrival a)
{
    if (ANPE_GROW(ctx, h->arrival, h->room, h->n_arrivals + 1))
        return ANPE_ENOMEM;
    h->arrival[h->n_arrivals++] = a;
    return ANPE_OK;
}

/* Who has made something? Each is told what to make next. */
static anpe_status hear(anpe_ctx *ctx, anpe_ranks *r, handout *h, int *heard)
{
    anpe_status status;
    for (;;) {
        int from;
        size_t bytes;
        made m;
        ANPE_TRY(r->ops->probe(r->self, ctx, ANPE_RANKS_MADE, &from, &bytes));
        if (from < 0)
            break;
        ANPE_TRY(anpe_ranks_get(ctx, r, from, ANPE_RANKS_MADE, &m, sizeof m));
        ANPE_TRY(add_arrival(ctx, h, (arrival){m, from, NULL}));
        ANPE_TRY(tell(ctx, r, h, from));
        *heard = 1;
    }
out:
    return status;
}

static anpe_status fetch(anpe_ctx *ctx, anpe_ranks *r, handout *h, arrival *a)
{
    const size_t bytes = bytes_of(&a->made);
    anpe_status status = ANPE_OK;
    if (ANPE_NEW(ctx, a->data, (int64_t)bytes + 1))
        return ANPE_ENOMEM;
    h->held += bytes;
    for (size_t at = 0; at < bytes; at += MESSAGE)
        ANPE_TRY(anpe_ranks_get(ctx, r, a->from, ANPE_RANKS_RESULT, a->data + at,
                                message_at(bytes, at)));
out:
    return status;
}

/* A rank sends its blocks in order, so what can be asked for now is its lowest. */
static int is_lowest_of_rank(const handout *h, const arrival *a)
{
    for (int64_t k = 0; k < h->n_arrivals; k++) {
        const arrival *b = &h->arrival[k];
        if (b->from == a->from && !b->data && b->made.block < a->made.block)
            return 0;
    }
    return 1;
}

static anpe_status fetch_what_fits(anpe_ctx *ctx, anpe_ranks *r, handout *h)
{
    anpe_status status = ANPE_OK;
    for (int64_t k = 0; k < h->n_arrivals && !status; k++) {
        arrival *a = &h->arrival[k];
        if (!a->data && is_lowest_of_rank(h, a) &&
            (a->made.block == h->taken || h->held + bytes_of(&a->made) <= ROOM))
            status = fetch(ctx, r, h, a);
    }
    return status;
}

/* Takes the block that is next, if it is there. */
static anpe_status take_next(anpe_ctx *ctx, handout *h, int *took)
{
    anpe_piece piece[ANPE_RANKS_PIECES];
    const anpe_ranks_work *w = h->work;
    *took = 0;
    for (int64_t k = 0; k < h->n_arrivals; k++) {
        arrival *a = &h->arrival[k];
        if (a->made.block != h->taken || !a->data)
            continue;
        unpack(&a->made, a->data, piece);
        const anpe_status status =
            w->take(w->user, ctx, h->taken++, a->from != 0, (int)a->made.n, piece);
        h->held -= bytes_of(&a->made);
        free(a->data);
        *a = h->arrival[--h->n_arrivals];
        *took = 1;
        return status;
    }
    return ANPE_OK;
}

/* A block of rank 0's own. */
static anpe_status make_one(anpe_ctx *ctx, handout *h)
{
    anpe_piece piece[ANPE_RANKS_PIECES];
    const anpe_ranks_work *w = h->work;
    const int64_t block = h->next++;
    anpe_status status;
    arrival a = {.from = 0};
    int64_t room = 0;
    ANPE_TRY(w->make(w->user, ctx, block));
    if (block == h->taken)
        return w->take(w->user, ctx, h->taken++, 0, w->pieces(w->user, block, piece), piece);
    ANPE_TRY(pack(ctx, w, block, &a.made, &a.data, &room));
    ANPE_TRY(add_arrival(ctx, h, a));
    h->held += bytes_of(&a.made);
out:
    if (status)
        free(a.data);
    return status;
}

static anpe_status one_turn(anpe_ctx *ctx, anpe_ranks *r, handout *h, int *tries)
{
    int moved = 0, took;
    anpe_status status;
    ANPE_TRY(anpe_ranks_look(ctx, r));
    ANPE_TRY(hear(ctx, r, h, &moved));
    do {
        ANPE_TRY(fetch_what_fits(ctx, r, h));
        ANPE_TRY(take_next(ctx, h, &took));
        moved |= took;
    } while (took);
    if (h->next < h->work->end && h->held <= ROOM) {
        ANPE_TRY(make_one(ctx, h));
        moved = 1;
    }
    if (moved)
        *tries = 0;
    else if (h->taken < h->work->end)
        anpe_ranks_pause(tries);
out:
    return status;
}

static anpe_status hand_out(anpe_ctx *ctx, anpe_ranks *r, const anpe_ranks_work *work)
{
    handout h = {.work = work, .next = work->first, .taken = work->first};
    int tries = 0;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, h.order, r->n));
    for (int k = 0; k < AHEAD && (k == 0 || work->end - h.next > r->n); k++)
        for (int to = 1; to < r->n; to++)
            ANPE_TRY(tell(ctx, r, &h, to));
    while (h.taken < work->end)
        ANPE_TRY(one_turn(ctx, r, &h, &tries));
    for (int to = 1; to < r->n; to++) {
        h.order[to] = NO_BLOCK;
        ANPE_TRY(anpe_ranks_give(ctx, r, to, ANPE_RANKS_ORDER, &h.order[to], sizeof *h.order));
    }
out:
    for (int64_t k = 0; k < h.n_arrivals; k++)
        free(h.arrival[k].data);
    free(h.arrival);
    free(h.order);
    return status;
}

static anpe_status alone(anpe_ctx *ctx, const anpe_ranks_work *work)
{
    anpe_piece piece[ANPE_RANKS_PIECES];
    anpe_status status = ANPE_OK;
    for (int64_t b = work->first; b < work->end && !status; b++) {
        status = work->make(work->user, ctx, b);
        if (!status)
            status = work->take(work->user, ctx, b, 0, work->pieces(work->user, b, piece), piece);
    }
    return status;
}

anpe_status anpe_ranks_run(anpe_ctx *ctx, anpe_ranks *r, const anpe_ranks_work *work)
{
    return !r ? alone(ctx, work) : r->rank ? help(ctx, r, work) : hand_out(ctx, r, work);
}
