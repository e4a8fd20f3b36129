/* Messages that are waited for, and how an error of one rank becomes that of the run. */
#include <config.h>
#include "ranks/private.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct failure { /* what a rank tells rank 0 */
    int32_t status;
    char text[2000];
} failure;

anpe_status anpe_ranks_new(anpe_ctx *ctx, const anpe_ranks_ops *ops, void *self,
                           void (*destroy)(void *self), anpe_ranks **out)
{
    anpe_ranks *r;
    *out = NULL;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    r->ops = ops;
    r->self = self;
    r->destroy = destroy;
    ops->place(self, &r->rank, &r->n);
    *out = r;
    return ANPE_OK;
}

int anpe_ranks_rank(const anpe_ranks *r)
{
    return r ? r->rank : 0;
}

int anpe_ranks_count(const anpe_ranks *r)
{
    return r ? r->n : 1;
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* At first other threads may have the core; a longer wait must not cost one. */
void anpe_ranks_pause(int *tries)
{
    enum { TURNS = 50, STEP = 20000, MOST = 500000 };
    const long wanted = (long)(*tries - TURNS) * STEP;
    const struct timespec a_while = {.tv_nsec = wanted < MOST ? wanted : MOST};
    if ((*tries)++ < TURNS)
        sched_yield();
    else
        nanosleep(&a_while, NULL);
    if (wanted > MOST)
        *tries = TURNS + MOST / STEP;
}

anpe_status anpe_ranks_look(anpe_ctx *ctx, anpe_ranks *r)
{
    int from = -1, job, done = 0, tries = 0;
    size_t bytes = 0;
    failure f;
    anpe_status status = ANPE_OK;
    if (anpe_cancelled(ctx))
        return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
    if (r->rank == 0)
        ANPE_TRY(r->ops->probe(r->self, ctx, ANPE_RANKS_ERROR, &from, &bytes));
    if (from < 0)
        goto out;
    if (bytes != sizeof f)
        return ANPE_FAIL(ctx, ANPE_EIO, "rank %d: %zu bytes of an error, %zu expected", from, bytes,
                         sizeof f);
    ANPE_TRY(r->ops->receive(r->self, ctx, from, ANPE_RANKS_ERROR, &f, sizeof f, &job));
    while (!done) {
        ANPE_TRY(r->ops->test(r->self, ctx, job, &done));
        anpe_ranks_pause(&tries);
    }
    f.text[sizeof f.text - 1] = 0;
    status = f.status == ANPE_OK ? ANPE_EINTERNAL : (anpe_status)f.status;
    return ANPE_FAIL(ctx, status, "%s", f.text);
out:
    return status;
}

anpe_status anpe_ranks_wait(anpe_ctx *ctx, anpe_ranks *r, int job)
{
    int done = 0, tries = 0;
    anpe_status status;
    for (;;) {
        ANPE_TRY(r->ops->test(r->self, ctx, job, &done));
        if (done)
            return ANPE_OK;
        ANPE_TRY(anpe_ranks_look(ctx, r));
        anpe_ranks_pause(&tries);
    }
out:
    r->ops->forget(r->self, job);
    return status;
}

anpe_status anpe_ranks_start(anpe_ctx *ctx, anpe_ranks *r, int to, int tag, const void *data,
                             size_t bytes)
{
    if (ANPE_GROW(ctx, r->job, r->room, r->n_jobs + 1))
        return ANPE_ENOMEM;
    const anpe_status status = r->ops->send(r->self, ctx, to, tag, data, bytes, &r->job[r->n_jobs]);
    r->n_jobs += !status;
    return status;
}

anpe_status anpe_ranks_settle(anpe_ctx *ctx, anpe_ranks *r)
{
    anpe_status status = ANPE_OK;
    while (r->n_jobs) {
        const int job = r->job[--r->n_jobs];
        if (status)
            r->ops->forget(r->self, job);
        else
            status = anpe_ranks_wait(ctx, r, job);
    }
    return status;
}

anpe_status anpe_ranks_give(anpe_ctx *ctx, anpe_ranks *r, int to, int tag, const void *data,
                            size_t bytes)
{
    int job;
    const anpe_status status = r->ops->send(r->self, ctx, to, tag, data, bytes, &job);
    return status ? status : anpe_ranks_wait(ctx, r, job);
}

anpe_status anpe_ranks_get(anpe_ctx *ctx, anpe_ranks *r, int from, int tag, void *data,
                           size_t bytes)
{
    int job;
    const anpe_status status = r->ops->receive(r->self, ctx, from, tag, data, bytes, &job);
    return status ? status : anpe_ranks_wait(ctx, r, job);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void let_go(anpe_ranks *r)
{
    free(r->job);
    free(r);
}

/* Rank 0 leaves last: until then it hears of errors. */
anpe_status anpe_ranks_close(anpe_ctx *ctx, anpe_ranks *r)
{
    anpe_status status = ANPE_OK;
    char word = 0;
    if (!r)
        return ANPE_OK;
    if (r->rank)
        status = anpe_ranks_give(ctx, r, 0, ANPE_RANKS_DONE, &word, 1);
    for (int from = 1; r->rank == 0 && from < r->n && !status; from++)
        status = anpe_ranks_get(ctx, r, from, ANPE_RANKS_DONE, &word, 1);
    if (status)
        return status;
    r->destroy(r->self);
    let_go(r);
    return ANPE_OK;
}

/* The run's end is waited for, which may come in the middle of a message. */
static void tell(anpe_ctx *ctx, anpe_ranks *r, anpe_status status)
{
    char host[256] = "";
    int job, tries = 0;
    failure *f = calloc(1, sizeof *f);
    if (!f)
        return;
    (void)gethostname(host, sizeof host - 1);
    f->status = (int32_t)status;
    snprintf(f->text, sizeof f->text, "rank %d on %s: %s", r->rank, host, anpe_error(ctx));
    if (!r->ops->send(r->self, ctx, 0, ANPE_RANKS_ERROR, f, sizeof *f, &job))
        while (!anpe_cancelled(ctx)) {
            int done = 0;
            if (job >= 0 && (r->ops->test(r->self, ctx, job, &done) || done))
                job = -1;
            anpe_ranks_pause(&tries);
        }
    free(f);
}

void anpe_ranks_fail(anpe_ctx *ctx, anpe_ranks *r, anpe_status status)
{
    if (!r)
        return;
    if (r->rank && status != ANPE_ECANCEL)
        tell(ctx, r, status);
    let_go(r);
}

void anpe_ranks_end(anpe_ranks *r, int exit_status)
{
    if (!r)
        return;
    r->ops->end(r->self, exit_status);
    let_go(r);
}
