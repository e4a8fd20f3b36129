/* See quantiles.h. */
#include "task/quantiles.h"
#include "base/random.h"
#include "stat/order.h"
#include <stdlib.h>

enum { DRAWS = 16384 }; /* known to 0.004 of their range in the middle, less at the ends */

static int has_quantile(const anpe_prior *p, int block)
{
    const anpe_prior_ops *ops = p->block[block].ops;
    return ANPE_HAS(ops, quantile);
}

static anpe_status draw(anpe_ctx *ctx, anpe_quantiles *q, uint32_t seed, double *theta)
{
    const anpe_prior *p = q->prior;
    for (int64_t i = 0; i < DRAWS; i++) {
        anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_DESIGN, i, ANPE_SLOT_EPOCH_NOISE);
        const anpe_status status = anpe_prior_sample(p, ctx, &rng, theta);
        if (status)
            return status;
        for (int64_t k = 0; k < p->n_labels; k++)
            q->drawn[k * DRAWS + i] = theta[k];
    }
    for (int64_t k = 0; k < p->n_labels; k++)
        anpe_sort(DRAWS, q->drawn + k * DRAWS);
    return ANPE_OK;
}

anpe_status anpe_quantiles_new(anpe_ctx *ctx, const anpe_prior *prior, uint32_t seed,
                               anpe_quantiles *q)
{
    int all = 1;
    *q = (anpe_quantiles){.prior = prior};
    for (int b = 0; b < prior->n_blocks; b++)
        all = all && has_quantile(prior, b);
    if (all)
        return ANPE_OK;
    double *theta = NULL;
    anpe_status status = ANPE_NEW(ctx, q->drawn, prior->n_labels, DRAWS);
    if (!status)
        status = ANPE_NEW(ctx, theta, prior->n_labels);
    if (!status)
        status = draw(ctx, q, seed, theta);
    free(theta);
    if (status)
        anpe_quantiles_clear(q);
    return status;
}

void anpe_quantiles_clear(anpe_quantiles *q)
{
    free(q->drawn);
    *q = (anpe_quantiles){0};
}

anpe_status anpe_quantiles_at(const anpe_quantiles *q, anpe_ctx *ctx, const double *u,
                              double *theta)
{
    const anpe_prior *p = q->prior;
    anpe_status status = ANPE_OK;
    for (int b = 0; b < p->n_blocks && !status; b++) {
        const int64_t at = p->start[b];
        const anpe_prior_ops *ops = p->block[b].ops;
        if (has_quantile(p, b))
            status = ops->quantile(p->block[b].self, ctx, u + at, theta + at);
        else
            for (int64_t k = at; k < p->start[b + 1]; k++)
                theta[k] = anpe_quantile_sorted(DRAWS, q->drawn + k * DRAWS, u[k]);
    }
    return status;
}
