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
    anpe_free(p->total);
    free(p);
    return NULL;
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
    rows.offset = item * s->micro;
    rows.n = rows.batch - rows.offset < s->micro ? rows.batch - rows.offset : s->micro;
    anpe_status status = s->fill(s->user, ctx, &rows);
    if (status)
        return status;
    anpe_executor_forward(l->executor, rows.n);
    status = s->loss(s->user, ctx, &rows, &loss, l->seed);
    if (status)
        return status;
    const int64_t size = s->parameters->effective_size;
    if (!rows.validation) {
        memset(l->gradient, 0, (size_t)size * sizeof *l->gradient);
        anpe_executor_backward(l->executor, s->output, l->seed, l->gradient);
    }
    anpe_workers_begin_ordered(s->workers, item);
    p->loss += loss;
    if (!rows.validation)
        anpe_vector_add_f(size, l->gradient, p->total);
    anpe_workers_end_ordered(s->workers, item);
    return ANPE_OK;
}

anpe_status anpe_pass_run(anpe_pass *p, anpe_ctx *ctx, int validation, int64_t first, int64_t n)
{
    const anpe_pass_setup *s = &p->setup;
    p->now = (anpe_pass_rows){.validation = validation, .start = first, .batch = n};
    p->loss = 0;
    if (!validation)
        memset(p->total, 0, (size_t)s->parameters->effective_size * sizeof *p->total);
    return anpe_workers_run(s->workers, ctx, (n + s->micro - 1) / s->micro, run_micro_batch, p);
}
