/* See pass.h. */
#include <config.h>
#include "train/pass.h"
#include "kernel/vector.h"
#include <stdlib.h>
#include <string.h>

static anpe_status open_lane(anpe_ctx *ctx, const anpe_pass *p, anpe_pass_lane *l)
{
    const anpe_pass_setup *s = &p->setup;
    const size_t width = (size_t)anpe_width(s->graph, s->output);
    l->gradient = anpe_alloc(ctx, (size_t)s->parameters->effective_size * sizeof *l->gradient);
    l->seed = anpe_alloc(ctx, (size_t)s->micro * width * sizeof *l->seed);
    if (!l->gradient || !l->seed)
        return ANPE_ENOMEM;
    return anpe_executor_new(ctx, s->graph, s->parameters, s->backend, s->micro, 1, 0, 1,
                             &s->output, &l->executor);
}

static int64_t micro_batches(const anpe_pass_setup *s, int64_t n)
{
    return (n + s->micro - 1) / s->micro;
}

/* Room for the most micro-batches that this rank keeps; the rank of the first ones keeps none. */
static anpe_status open_slots(anpe_ctx *ctx, anpe_pass *p)
{
    const anpe_pass_setup *s = &p->setup;
    const int64_t all = micro_batches(s, s->batch), ranks = anpe_ranks_count(s->ranks);
    int64_t first, end;
    if (anpe_ranks_share(s->ranks, all, &first, &end) || end == first)
        return ANPE_OK;
    p->n_slots = (all + ranks - 1) / ranks;
    if (ANPE_NEW(ctx, p->slot, p->n_slots) || ANPE_NEW(ctx, p->slot_loss, p->n_slots))
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < p->n_slots; k++)
        if (!(p->slot[k] =
                  anpe_alloc(ctx, (size_t)s->parameters->effective_size * sizeof *p->slot[k])))
            return ANPE_ENOMEM;
    return ANPE_OK;
}

anpe_status anpe_pass_new(anpe_ctx *ctx, const anpe_pass_setup *setup, anpe_pass **out)
{
    anpe_status status = ANPE_OK;
    anpe_pass *p;
    *out = NULL;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    p->setup = *setup;
    p->n_lanes = anpe_workers_count(setup->workers);
    p->total = anpe_alloc(ctx, (size_t)setup->parameters->effective_size * sizeof *p->total);
    if (!p->total || ANPE_NEW(ctx, p->lane, p->n_lanes))
        status = ANPE_ENOMEM;
    for (int i = 0; i < p->n_lanes && !status; i++)
        status = open_lane(ctx, p, &p->lane[i]);
    if (!status && setup->ranks)
        status = open_slots(ctx, p);
    *out = status ? anpe_pass_free(p) : p;
    return status;
}

anpe_pass *anpe_pass_free(anpe_pass *p)
{
    if (!p)
        return NULL;
    for (int i = 0; p->lane && i < p->n_lanes; i++) {
        anpe_executor_free(p->lane[i].executor);
        anpe_free(p->lane[i].gradient);
        anpe_free(p->lane[i].seed);
    }
    free(p->lane);
    for (int64_t k = 0; p->slot && k < p->n_slots; k++)
        anpe_free(p->slot[k]);
    free(p->slot);
    free(p->slot_loss);
    anpe_free(p->total);
    free(p);
    return NULL;
}

/* In the order of the micro-batches. */
static void add_to_total(anpe_pass *p, int64_t item, double loss, const float *gradient)
{
    const anpe_pass_setup *s = &p->setup;
    anpe_workers_begin_ordered(s->workers, item);
    p->loss += loss;
    if (!p->now.validation)
        anpe_vector_add_f(s->parameters->effective_size, gradient, p->total);
    anpe_workers_end_ordered(s->workers, item);
}

static anpe_status run_micro_batch(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    anpe_pass *p = user;
    const anpe_pass_setup *s = &p->setup;
    anpe_pass_lane *l = &p->lane[worker];
    anpe_pass_rows rows = p->now;
    double loss = 0;
    rows.worker = worker;
    rows.executor = l->executor;
    rows.offset = (p->first + item) * s->micro;
    rows.n = rows.batch - rows.offset < s->micro ? rows.batch - rows.offset : s->micro;
    anpe_status status = s->fill(s->user, ctx, &rows);
    if (status)
        return status;
    anpe_executor_forward(l->executor, rows.n);
    status = s->loss(s->user, ctx, &rows, &loss, l->seed);
    if (status)
        return status;
    float *gradient = p->kept ? p->slot[item] : l->gradient;
    if (!rows.validation) {
        memset(gradient, 0, (size_t)s->parameters->effective_size * sizeof *gradient);
        anpe_executor_backward(l->executor, s->output, l->seed, gradient);
    }
    if (p->kept)
        p->slot_loss[item] = loss;
    else
        add_to_total(p, item, loss, gradient);
    return ANPE_OK;
}

void anpe_pass_share(const anpe_pass *p, int64_t n, int64_t *offset, int64_t *here)
{
    const anpe_pass_setup *s = &p->setup;
    int64_t first, end;
    anpe_ranks_share(s->ranks, micro_batches(s, n), &first, &end);
    *offset = first * s->micro;
    *here = (end * s->micro < n ? end * s->micro : n) - *offset;
}

anpe_status anpe_pass_run(anpe_pass *p, anpe_ctx *ctx, int validation, int64_t first, int64_t n)
{
    const anpe_pass_setup *s = &p->setup;
    const int64_t size = s->parameters->effective_size, all = micro_batches(s, n);
    int64_t end;
    anpe_status status;
    p->now = (anpe_pass_rows){.validation = validation, .start = first, .batch = n};
    p->kept = !anpe_ranks_share(s->ranks, all, &p->first, &end);
    p->loss = 0;
    if (!validation && !p->kept)
        memset(p->total, 0, (size_t)size * sizeof *p->total);
    ANPE_TRY(anpe_workers_run(s->workers, ctx, end - p->first, run_micro_batch, p));
    ANPE_TRY(anpe_ranks_sum(ctx, s->ranks, all, p->slot_loss, &p->loss));
    if (!validation)
        ANPE_TRY(anpe_ranks_sum_arrays(ctx, s->ranks, all, size, p->slot, p->total));
out:
    return status;
}
