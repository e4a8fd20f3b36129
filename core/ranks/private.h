/* ranks/private.h -- between ranks.c (messages), sums.c and blocks.c. */
#ifndef ANPE_CORE_RANKS_PRIVATE_H
#define ANPE_CORE_RANKS_PRIVATE_H
#include "ranks/ranks.h"

/* Tags of messages. */
enum {
    ANPE_RANKS_DATA,   /* what is streamed: sums, broadcasts */
    ANPE_RANKS_ORDER,  /* rank 0: make this block */
    ANPE_RANKS_MADE,   /* to rank 0: it is made */
    ANPE_RANKS_RESULT, /* its numbers */
    ANPE_RANKS_ERROR,  /* to rank 0: why a rank has failed */
    ANPE_RANKS_DONE    /* to rank 0: it has come to its end */
};
/* Bytes of a message: streams are cut into such, so that ranks in a row work on several at once. */
enum { ANPE_RANKS_CHUNK = 1 << 18 };

struct anpe_ranks {
    const anpe_ranks_ops *ops;
    void *self;
    void (*destroy)(void *self);
    int rank, n;
    int64_t n_jobs, room;
    int *job; /* (n_jobs) messages that nobody has waited for yet */
};

/* Until the job is done, another rank has failed (noticed by rank 0) or the run is cancelled. */
ANPE_MUST_CHECK anpe_status anpe_ranks_wait(anpe_ctx *ctx, anpe_ranks *r, int job);
/* Starts to send; `settle` waits for all that were started so. A failure forgets them. */
ANPE_MUST_CHECK anpe_status anpe_ranks_start(anpe_ctx *ctx, anpe_ranks *r, int to, int tag,
                                             const void *data, size_t bytes);
ANPE_MUST_CHECK anpe_status anpe_ranks_settle(anpe_ctx *ctx, anpe_ranks *r);
/* Sends or receives, and waits for it. */
ANPE_MUST_CHECK anpe_status anpe_ranks_give(anpe_ctx *ctx, anpe_ranks *r, int to, int tag,
                                            const void *data, size_t bytes);
ANPE_MUST_CHECK anpe_status anpe_ranks_get(anpe_ctx *ctx, anpe_ranks *r, int from, int tag,
                                           void *data, size_t bytes);
/* A little while, longer from time to time; *tries starts at 0. */
void anpe_ranks_pause(int *tries);
/* What ends a wait that is none of the plugin's: an error of another rank, a cancelled run. */
ANPE_MUST_CHECK anpe_status anpe_ranks_look(anpe_ctx *ctx, anpe_ranks *r);
#endif
