/* base/workers.h -- a fixed set of threads that run numbered items.
 *
 * Items are handed out in order; each runs whole on one thread with single-threaded kernels.
 * `ordered` sections run in item order, which is how sums stay independent of the thread count. */
#ifndef ANPE_CORE_WORKERS_H
#define ANPE_CORE_WORKERS_H
#include "base/context.h"

typedef struct anpe_workers anpe_workers;

/* n threads in all, the caller included (n = 1: no thread is made). 0: number of usable cores.
 * Worker threads flush denormals to zero. */
ANPE_MUST_CHECK anpe_status anpe_workers_new(anpe_ctx *ctx, int n, anpe_workers **out);
anpe_workers *anpe_workers_free(anpe_workers *w);
int anpe_workers_count(const anpe_workers *w);
/* Calls run(user, item, worker, ctx of that worker) for item = 0..n_items-1, worker in
 * 0..count-1; returns the error of the lowest failed item (later items may be skipped), or
 * ANPE_ECANCEL when the context was cancelled before the last item was handed out. Allocates
 * nothing. */
typedef anpe_status anpe_work_fn(void *user, int64_t item, int worker, anpe_ctx *ctx);
ANPE_MUST_CHECK anpe_status anpe_workers_run(anpe_workers *w, anpe_ctx *ctx, int64_t n_items,
                                             anpe_work_fn *run, void *user);
/* Inside run: waits until every lower item has left its ordered section (or ended), then enters;
 * leave with anpe_workers_end_ordered. */
void anpe_workers_begin_ordered(anpe_workers *w, int64_t item);
void anpe_workers_end_ordered(anpe_workers *w, int64_t item);
#endif
