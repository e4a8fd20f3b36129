/* The likelihood of one star, as exact posteriors ask for it: many label vectors near an optimum.
 */
#include <config.h>
#include "bench/bench.h"
#include "task/likelihood.h"
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 128, MOST = 32 };

typedef struct likelihood_bench {
    const bench *b;
    anpe_settings *settings;
    anpe_task *task;
    anpe_bench *work;
    anpe_likelihood *likelihood;
    int64_t n_good;
    double *theta, *log_l, *log_prior; /* (BATCH, D), (BATCH), (BATCH) */
    double step[MOST], gradient[MOST], fisher[MOST * MOST];
    anpe_status status;
} likelihood_bench;

static void evaluate(void *user)
{
    likelihood_bench *e = user;
    e->status =
        anpe_likelihood_eval(e->likelihood, e->b->ctx, BATCH, e->theta, e->log_l, e->log_prior);
}

static void expand(void *user)
{
    likelihood_bench *e = user;
    e->status = anpe_likelihood_expand(e->likelihood, e->b->ctx, e->theta, e->step, e->log_l,
                                       e->gradient, e->fisher);
}

/* A mock in the middle of the prior and label vectors 2 % of its range around it. */
static anpe_status observe(likelihood_bench *e)
{
    const anpe_task *t = e->task;
    const bench *b = e->b;
    anpe_rng rng = anpe_rng_make(1, ANPE_FOR_TRAINING, 0, 0);
    anpe_status status;
    for (int64_t k = 0; k < BATCH; k++)
        for (int64_t d = 0; d < t->n_labels; d++) {
            const anpe_label *l = &t->label[d];
            const double off = k ? 0.02 * (anpe_uniform(&rng) - 0.5) : 0;
            e->theta[k * t->n_labels + d] = l->min + (0.5 + off) * (l->max - l->min);
        }
    for (int64_t d = 0; d < t->n_labels; d++)
        e->step[d] = 1e-3 * (t->label[d].max - t->label[d].min);
    for (int64_t d = 0; d < t->n_labels; d++)
        e->work->theta[t->inferred[d]] = e->theta[d];
    ANPE_TRY(anpe_task_simulate(t, b->ctx, e->work, 1));
    ANPE_TRY(anpe_task_mock(t, b->ctx, e->work, 0, &rng));
    for (int64_t i = 0; i < e->work->spectrum.n_pixels; i++)
        e->n_good += !e->work->spectrum.mask[i];
    ANPE_TRY(anpe_likelihood_set(e->likelihood, b->ctx, &e->work->spectrum, e->theta));
out:
    return status;
}

static anpe_status open_likelihood(likelihood_bench *e, const char *config)
{
    const bench *b = e->b;
    anpe_status status;
    ANPE_TRY(anpe_settings_read(b->ctx, config, 0, NULL, &e->settings));
    ANPE_TRY(anpe_task_new(b->ctx, e->settings, ANPE_TASK_ALL, NULL, &e->task));
    if (e->task->n_labels > MOST)
        return ANPE_FAIL(b->ctx, ANPE_EINVAL, "%s: %lld labels, %d are possible", config,
                         (long long)e->task->n_labels, MOST);
    ANPE_TRY(anpe_task_open_likelihood(b->ctx, e->task));
    ANPE_TRY(anpe_bench_new(b->ctx, e->task, 1, &e->work));
    ANPE_TRY(anpe_likelihood_new(b->ctx, e->task, &e->likelihood));
    if (ANPE_NEW(b->ctx, e->theta, BATCH, e->task->n_labels) || ANPE_NEW(b->ctx, e->log_l, BATCH) ||
        ANPE_NEW(b->ctx, e->log_prior, BATCH))
        return ANPE_ENOMEM;
    ANPE_TRY(observe(e));
out:
    return status;
}

anpe_status bench_likelihood(bench *b)
{
    likelihood_bench e = {.b = b};
    if (!b->likelihood) {
        fprintf(stderr, "bench: likelihood skipped: no --likelihood FILE\n");
        return ANPE_OK;
    }
    anpe_status status = open_likelihood(&e, b->likelihood);
    if (!status) {
        const long long labels = e.task->n_labels, good = e.n_good, size = anpe_task_size(e.task);
        const double t = bench_core_seconds(b, evaluate, &e);
        status = e.status;
        bench_report(b, "likelihood", 1e3 * t / BATCH, "ms an evaluation", 1, NAN,
                     "%d x %lld labels, %lld of %lld pixels good", BATCH, labels, good, size);
        if (!status) {
            const double derived = bench_core_seconds(b, expand, &e);
            status = e.status;
            bench_report(b, "likelihood, gradient and Gauss-Newton matrix", 1e3 * derived, "ms", 1,
                         NAN, "%lld labels, %lld of %lld pixels good", labels, good, size);
        }
    }
    free(e.theta), free(e.log_l), free(e.log_prior);
    anpe_likelihood_free(e.likelihood);
    anpe_bench_free(e.work);
    anpe_task_free(e.task);
    anpe_settings_free(e.settings);
    return status;
}
