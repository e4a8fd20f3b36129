/* Labels around the posterior of one spectrum; see proposal.h. */
#include "train/proposal.h"
#include "posterior/flow_density.h"
#include "stat/importance.h"
#include "stat/mixture.h"
#include "stat/order.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* epsilon of DRAWS is 8 of them. */
enum { DRAWS = 16384, BLOCK = 1024, ROWS = 32768, COMPONENTS = 3, MOST_CANDIDATES = 64 * ROWS };
static const double inflate = 2;

typedef struct search {
    anpe_session *session;
    const anpe_label_map *map;
    anpe_flow_density *density;
    anpe_mixture *mixture;
    double *y;          /* (DRAWS, D) of the flow; then candidates */
    double *log_q;      /* (DRAWS) */
    double *scratch;    /* (DRAWS, COMPONENTS) */
    double *theta;      /* (ROWS, D) of candidates that were kept, in the order of the map */
    double *log_prior;  /* (ROWS) their densities in the coordinates of the flow */
    double *log_flow;   /* (ROWS) */
    double *log_weight; /* (ROWS) prior / mixture; then of the resampling */
    double *log_loss;   /* (ROWS) prior / proposal, up to a constant */
    int64_t *row;       /* (ROWS) */
    double least;       /* log q at the edge of the region */
    int64_t n, tried;
} search;

int64_t anpe_proposal_block(void)
{
    return BLOCK;
}

anpe_label_rows *anpe_proposal_free(anpe_label_rows *p)
{
    if (!p)
        return NULL;
    free(p->theta);
    free(p->weight);
    free(p);
    return NULL;
}

static anpe_status open_search(anpe_ctx *ctx, search *s)
{
    const anpe_model *m = s->session->model;
    const int64_t d = m->map->n;
    anpe_status status;
    s->map = m->map;
    ANPE_TRY(anpe_flow_density_new(ctx, m->net, m->map->n, BLOCK, &s->density));
    ANPE_TRY(anpe_mixture_new(ctx, m->map->n, COMPONENTS, &s->mixture));
    ANPE_TRY(ANPE_NEW(ctx, s->y, DRAWS, d));
    ANPE_TRY(ANPE_NEW(ctx, s->log_q, DRAWS));
    ANPE_TRY(ANPE_NEW(ctx, s->scratch, DRAWS, COMPONENTS));
    ANPE_TRY(ANPE_NEW(ctx, s->theta, ROWS, d));
    ANPE_TRY(ANPE_NEW(ctx, s->log_prior, ROWS));
    ANPE_TRY(ANPE_NEW(ctx, s->log_flow, ROWS));
    ANPE_TRY(ANPE_NEW(ctx, s->log_weight, ROWS));
    ANPE_TRY(ANPE_NEW(ctx, s->log_loss, ROWS));
    ANPE_TRY(ANPE_NEW(ctx, s->row, ROWS));
out:
    return status;
}

static void close_search(search *s)
{
    anpe_flow_density_free(s->density);
    anpe_mixture_free(s->mixture);
    free(s->y);
    free(s->log_q);
    free(s->scratch);
    free(s->theta);
    free(s->log_prior);
    free(s->log_flow);
    free(s->log_weight);
    free(s->log_loss);
    free(s->row);
}

/* Draws of the flow -> the edge of the region, and the mixture around them. */
static anpe_status find_region(anpe_ctx *ctx, search *s, anpe_rng *rng)
{
    const int64_t d = s->map->n;
    for (int64_t first = 0; first < DRAWS; first += BLOCK) {
        const anpe_status status =
            anpe_session_draw(s->session, ctx, 0, BLOCK, rng, s->theta, NULL);
        if (status)
            return status;
        for (int64_t k = 0; k < BLOCK * d; k++)
            s->y[first * d + k] = (double)s->session->y[k];
        for (int64_t k = 0; k < BLOCK; k++)
            s->log_q[first + k] = (double)s->session->log_q[k];
    }
    anpe_sort(DRAWS, s->log_q);
    s->least = anpe_quantile_sorted(DRAWS, s->log_q, ANPE_PROPOSAL_EPSILON);
    for (int64_t k = 0; k < DRAWS; k++)
        s->log_q[k] = 1; /* no longer needed: the draws' weights */
    anpe_mixture_fit(s->mixture, DRAWS, s->y, s->log_q, COMPONENTS, inflate, rng, s->scratch);
    return ANPE_OK;
}

/* Candidate y (D) into the region's rows, with the weight prior |d theta / d y| / mixture. */
static void keep(search *s, const double *y, double log_q)
{
    const anpe_task *t = s->session->model->task;
    const int64_t d = s->map->n;
    double *theta = s->theta + s->n * d, *prior_order = s->scratch;
    float *coordinates = s->session->y;
    for (int64_t i = 0; i < d; i++)
        coordinates[i] = (float)y[i];
    const double jacobian =
        anpe_coordinates_inverse(&s->session->coordinates[0], coordinates, theta);
    for (int64_t i = 0; i < d; i++)
        prior_order[t->inferred[i]] = theta[i];
    const double prior = anpe_prior_log_density(t->prior, prior_order);
    if (!isfinite(prior))
        return;
    s->log_prior[s->n] = prior + jacobian;
    s->log_flow[s->n] = log_q;
    s->log_weight[s->n] = s->log_prior[s->n] - anpe_mixture_log_density(s->mixture, y);
    s->n++;
}

static anpe_status collect(anpe_ctx *ctx, search *s, const float *context, anpe_rng *rng)
{
    const int64_t d = s->map->n;
    while (s->n < ROWS && s->tried < MOST_CANDIDATES) {
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
        for (int64_t k = 0; k < BLOCK; k++)
            anpe_mixture_draw(s->mixture, rng, s->y + k * d);
        anpe_flow_density_eval(s->density, context, BLOCK, s->y, s->log_q);
        for (int64_t k = 0; k < BLOCK && s->n < ROWS; k++, s->tried++)
            if (s->log_q[k] >= s->least)
                keep(s, s->y + k * d, s->log_q[k]);
    }
    if (s->n < ROWS / 64)
        return ANPE_FAIL(ctx, ANPE_ENUMERIC,
                         "proposal: only %lld of %lld candidates are in the posterior's region",
                         (long long)s->n, (long long)s->tried);
    return ANPE_OK;
}

/* From prior / mixture to f / mixture, and prior / f for the loss. log_sum: of prior / mixture. */
static void add_flow(search *s, double log_sum)
{
    const double log_z = log_sum - log((double)s->tried);
    for (int64_t k = 0; k < s->n; k++) {
        const double ratio = s->log_flow[k] - s->log_prior[k] + log_z; /* of q to prior / Z */
        s->log_loss[k] = -log((1 - ANPE_PROPOSAL_SHARE) * exp(ratio) + ANPE_PROPOSAL_SHARE);
        s->log_weight[k] -= s->log_loss[k];
    }
    (void)anpe_log_normalise(s->n, s->log_weight);
}

static anpe_status make_rows(anpe_ctx *ctx, const search *s, anpe_label_rows *p)
{
    const anpe_task *t = s->session->model->task;
    const int64_t d = s->map->n;
    double sum = 0;
    p->n = ROWS;
    p->width = d;
    if (ANPE_NEW(ctx, p->theta, ROWS, d) || ANPE_NEW(ctx, p->weight, ROWS))
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < ROWS; k++) {
        for (int64_t i = 0; i < d; i++)
            p->theta[k * d + t->inferred[i]] = s->theta[s->row[k] * d + i];
        sum += p->weight[k] = exp(s->log_loss[s->row[k]]);
    }
    for (int64_t k = 0; k < ROWS; k++)
        p->weight[k] *= ROWS / sum;
    return ANPE_OK;
}

static anpe_status resample(anpe_ctx *ctx, search *s, anpe_proposal_kind kind, anpe_rng *rng,
                            anpe_label_rows **out)
{
    const double log_sum = anpe_log_normalise(s->n, s->log_weight);
    if (kind == ANPE_PROPOSAL_WEIGHTED)
        add_flow(s, log_sum);
    anpe_weighted_resample(s->n, s->log_weight, anpe_uniform(rng), ROWS, s->row);
    anpe_label_rows *p;
    anpe_status status = ANPE_NEW(ctx, p, 1);
    if (!status)
        status = make_rows(ctx, s, p);
    *out = status ? anpe_proposal_free(p) : p;
    return status;
}

anpe_status anpe_proposal_new(anpe_ctx *ctx, anpe_session *session, anpe_proposal_kind kind,
                              uint32_t seed, anpe_label_rows **out)
{
    anpe_rng rng = anpe_rng_make(seed, ANPE_FOR_POSTERIOR, 0, 0);
    search s = {.session = session};
    anpe_status status;
    *out = NULL;
    if (!anpe_model_predicts(session->model))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "a prior can be truncated only if all of its labels are inferred");
    ANPE_TRY(open_search(ctx, &s));
    ANPE_TRY(find_region(ctx, &s, &rng));
    ANPE_TRY(collect(ctx, &s, anpe_session_context(session, 0), &rng));
    ANPE_TRY(resample(ctx, &s, kind, &rng, out));
    anpe_log(ctx, ANPE_INFO, "proposal: %lld of %lld candidates, %.0f effective rows",
             (long long)s.n, (long long)s.tried, anpe_weights_ess(s.n, s.log_weight, 1));
out:
    close_search(&s);
    return status;
}
