/* ranks/ranks.h -- the other processes of one run, which mpirun or its like has started.
 *
 * A process that is alone has none: NULL stands for it in every call here, so that work reads the
 * same for one process and for many. Rank 0 decides, writes and speaks. The others read the same
 * files, compute what falls to them, and hand it over. What comes out does not depend on how many
 * there are: sums run through the ranks in the order of the items, blocks are taken by number.
 *
 * Errors: a rank that fails tells rank 0 with anpe_ranks_fail. Rank 0 finds it in whatever it waits
 * for next, fails with that status and sentence, lets go of what it holds (files that are not whole
 * are removed) and ends all with anpe_ranks_end. Waiting ends with ANPE_ECANCEL when the context is
 * cancelled. All calls are the main thread's. */
#ifndef ANPE_CORE_RANKS_H
#define ANPE_CORE_RANKS_H
#include "base/context.h"
#include "base/piece.h"

typedef struct anpe_ranks anpe_ranks;

/* how: "none"; the name of a plugin of the kind ranks; "auto": "mpi" where the environment says
 * that this is one of several processes, else none. *out NULL: alone. Before any thread. */
ANPE_MUST_CHECK anpe_status anpe_ranks_open(anpe_ctx *ctx, const char *how, anpe_ranks **out);
/* By the ops of a plugin or of a test; destroy(self) is called when it is closed. */
ANPE_MUST_CHECK anpe_status anpe_ranks_new(anpe_ctx *ctx, const anpe_ranks_ops *ops, void *self,
                                           void (*destroy)(void *self), anpe_ranks **out);
/* Which process this is in the environment's words, where it is not open or could not be. */
int anpe_ranks_launched_as(void);
/* The run has succeeded here: waits until it has everywhere, and leaves. ranks is gone after it. */
ANPE_MUST_CHECK anpe_status anpe_ranks_close(anpe_ctx *ctx, anpe_ranks *ranks);
/* On another rank than 0: tells rank 0 what the context says, and waits for the end of the run.
 * ranks is gone after it; what the plugin holds ends with the process, as after anpe_ranks_end. */
void anpe_ranks_fail(anpe_ctx *ctx, anpe_ranks *ranks, anpe_status status);
/* Ends all ranks at once with that exit status; need not return. ranks is gone after it. */
void anpe_ranks_end(anpe_ranks *ranks, int exit_status);

int anpe_ranks_rank(const anpe_ranks *ranks);  /* 0 alone */
int anpe_ranks_count(const anpe_ranks *ranks); /* 1 alone */

/* Rank 0's bytes to all. All ranks call it, with the same size. */
ANPE_MUST_CHECK anpe_status anpe_ranks_broadcast(anpe_ctx *ctx, anpe_ranks *ranks, size_t bytes,
                                                 void *data);

/* ---- sums ---- */

/* Of n items this rank has first .. end - 1, perhaps none. The first items are those of the last
 * rank that has any, the last ones rank 0's, where the sum arrives. Returns 1 on the rank of item
 * 0.
 */
int anpe_ranks_share(const anpe_ranks *ranks, int64_t n, int64_t *first, int64_t *end);
/* The sum of n items' numbers in their order, as a loop over all would add them. All ranks call it.
 * total: on the rank of item 0 on entry the sum of its own; on rank 0 on return that of all;
 * elsewhere room to work in. term: the numbers of this rank's items in order, unless item 0 is
 * among them. */
ANPE_MUST_CHECK anpe_status anpe_ranks_sum(anpe_ctx *ctx, anpe_ranks *ranks, int64_t n,
                                           const double *term, double *total);
/* The same for arrays of `size`: term (items of this rank). A rank of n sends 4 size bytes. */
ANPE_MUST_CHECK anpe_status anpe_ranks_sum_arrays(anpe_ctx *ctx, anpe_ranks *ranks, int64_t n,
                                                  int64_t size, float *const *term, float *total);

/* ---- blocks ---- */

enum { ANPE_RANKS_PIECES = 64 };
/* Work that falls into numbered blocks. */
typedef struct anpe_ranks_work {
    int64_t first, end; /* blocks first .. end - 1; on other ranks than 0 of no meaning */
    void *user;
    /* On any rank: computes block b, into memory that `pieces` then names. */
    anpe_status (*make)(void *user, anpe_ctx *ctx, int64_t b);
    /* After that: what block b came to, in at most ANPE_RANKS_PIECES; how many these are. */
    int (*pieces)(void *user, int64_t b, anpe_piece *piece);
    /* On rank 0, for each block in order: what `pieces` said, there or, came: on another rank. They
     * are valid during the call. */
    anpe_status (*take)(void *user, anpe_ctx *ctx, int64_t b, int came, int n,
                        const anpe_piece *piece);
} anpe_ranks_work;
/* For `take`, where all blocks come to numbers of sizes that are known: into the pieces `to`,
 * unless they are there. */
ANPE_MUST_CHECK anpe_status anpe_ranks_put(anpe_ctx *ctx, int n, const anpe_piece *to, int n_from,
                                           const anpe_piece *from);
/* Hands out the blocks to ranks as these become free, rank 0 among them; all ranks call it. It
 * returns once all blocks are taken, or, on other ranks than 0, made. */
ANPE_MUST_CHECK anpe_status anpe_ranks_run(anpe_ctx *ctx, anpe_ranks *ranks,
                                           const anpe_ranks_work *work);
#endif
