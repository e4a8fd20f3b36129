/* See product.h. The ladder works in coordinates y without bounds: each label on the line
 * (model/labels.h), standardised by draws of the members that have it. */
#include <config.h>
#include "posterior/product.h"
#include "stat/mixture.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PILOT = 1000, CHUNK = 256, COMPONENTS = 3 };

struct anpe_product {
    anpe_ladder_options options;
    anpe_ladder *ladder;
    /* this problem */
    const anpe_product_problem *problem;
    anpe_label_map *map;                         /* of all labels */
    anpe_mixture *own[ANPE_PRODUCT_MEMBERS];     /* of a member's own labels in y; NULL: none */
    int64_t n_own[ANPE_PRODUCT_MEMBERS], *place; /* place (members, D): of its own labels */
    float *y;                                    /* (D) */
    double *full, *part, *out;                   /* (CHUNK, D) all labels; a member's; (CHUNK) */
    double *log_q;                               /* (members, CHUNK) of the members at full */
    double *slope;                               /* (CHUNK) log |d theta / d y| */
    double *pilot;                               /* (PILOT, D) */
    double *theta;                               /* (n, D) of the result */
    double *own_y;                               /* (D) */
    int *component;                              /* (CHUNK) */
};

static void clear_problem(anpe_product *p)
{
    p->ladder = anpe_ladder_free(p->ladder);
    p->map = anpe_label_map_free(p->map);
    for (int k = 0; k < ANPE_PRODUCT_MEMBERS; k++)
        p->own[k] = anpe_mixture_free(p->own[k]);
    free(p->place), p->place = NULL;
    free(p->y), p->y = NULL;
    free(p->full), p->full = NULL;
    free(p->part), p->part = NULL;
    free(p->log_q), p->log_q = NULL;
    free(p->slope), p->slope = NULL;
    free(p->pilot), p->pilot = NULL;
    free(p->theta), p->theta = NULL;
    free(p->own_y), p->own_y = NULL;
    free(p->component), p->component = NULL;
}

anpe_status anpe_product_new(anpe_ctx *ctx, const anpe_ladder_options *options, anpe_product **out)
{
    if (ANPE_NEW(ctx, *out, 1))
        return ANPE_ENOMEM;
    (*out)->options = *options;
    return ANPE_OK;
}

anpe_product *anpe_product_free(anpe_product *p)
{
    if (!p)
        return NULL;
    clear_problem(p);
    free(p);
    return NULL;
}

static anpe_status open_problem(anpe_product *p, anpe_ctx *ctx, const anpe_product_problem *problem)
{
    const int64_t d = problem->n_labels, members = problem->n_members;
    const int64_t n = anpe_ladder_room(&p->options, problem->n_labels);
    anpe_status status;
    clear_problem(p);
    p->problem = problem;
    ANPE_TRY(anpe_ladder_new(ctx, problem->n_labels, &p->options, &p->ladder));
    ANPE_TRY(anpe_label_map_new(ctx, problem->n_labels, problem->label, 1, &p->map));
    if (ANPE_NEW(ctx, p->place, members, d) || ANPE_NEW(ctx, p->y, d) ||
        ANPE_NEW(ctx, p->full, CHUNK, d) || ANPE_NEW(ctx, p->part, CHUNK, d) ||
        ANPE_NEW(ctx, p->log_q, members, CHUNK) || ANPE_NEW(ctx, p->slope, CHUNK) ||
        ANPE_NEW(ctx, p->pilot, PILOT, d) || ANPE_NEW(ctx, p->theta, n, d) ||
        ANPE_NEW(ctx, p->own_y, d) || ANPE_NEW(ctx, p->component, CHUNK))
        status = ANPE_ENOMEM;
    for (int k = 0; !status && k < problem->n_members; k++) {
        const anpe_product_member *m = &problem->member[k];
        p->n_own[k] = 0;
        for (int64_t l = 0; l < m->n; l++)
            if (m->place[l] >= problem->n_shared)
                p->place[k * d + p->n_own[k]++] = m->place[l];
    }
out:
    return status;
}

/* ---- densities --------------------------------------------------------------------------- */

/* y (n, D) -> p->full and p->slope. */
static void to_labels(anpe_product *p, int64_t n, const double *y)
{
    const int64_t width = p->problem->n_labels;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t d = 0; d < width; d++)
            p->y[d] = (float)y[i * width + d];
        p->slope[i] = anpe_label_map_inverse(p->map, p->y, p->full + i * width);
    }
}

/* Of every member at the labels of p->full -> p->log_q. */
static anpe_status member_densities(anpe_product *p, anpe_ctx *ctx, int64_t n)
{
    const int64_t width = p->problem->n_labels;
    anpe_status status = ANPE_OK;
    for (int k = 0; k < p->problem->n_members && !status; k++) {
        const anpe_product_member *m = &p->problem->member[k];
        for (int64_t i = 0; i < n; i++)
            for (int64_t l = 0; l < m->n; l++)
                p->part[i * m->n + l] = p->full[i * width + m->place[l]];
        status = m->log_q(m->user, ctx, n, p->part, p->log_q + k * CHUNK);
    }
    return status;
}

/* What is asked of a chunk of at most CHUNK points. */
typedef anpe_status chunk_fn(anpe_product *p, anpe_ctx *ctx, int64_t n, const double *y,
                             double *out);

static anpe_status by_chunks(anpe_product *p, anpe_ctx *ctx, chunk_fn *run, int64_t n,
                             const double *y, double *out)
{
    anpe_status status = ANPE_OK;
    for (int64_t first = 0; first < n && !status; first += CHUNK) {
        const int64_t m = n - first < CHUNK ? n - first : CHUNK;
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
        status = run(p, ctx, m, y + first * p->problem->n_labels, out + first);
    }
    return status;
}

static anpe_status target_chunk(anpe_product *p, anpe_ctx *ctx, int64_t n, const double *y,
                                double *out)
{
    const anpe_product_problem *q = p->problem;
    to_labels(p, n, y);
    const anpe_status status = member_densities(p, ctx, n);
    for (int64_t i = 0; i < n && !status; i++) {
        const double log_prior = q->log_prior(q->user, p->full + i * q->n_labels);
        out[i] = p->slope[i] - (q->n_members - 1) * log_prior;
        for (int k = 0; k < q->n_members; k++)
            out[i] += p->log_q[k * CHUNK + i];
        if (!(log_prior > -INFINITY) || isnan(out[i]))
            out[i] = -INFINITY;
    }
    return status;
}

static anpe_status target(void *user, anpe_ctx *ctx, int64_t n, const double *y, double *out)
{
    return by_chunks(user, ctx, target_chunk, n, y, out);
}

/* The own labels of member k at the point y (D). */
static double own_density(anpe_product *p, int k, const double *y)
{
    for (int64_t l = 0; l < p->n_own[k]; l++)
        p->own_y[l] = y[p->place[k * p->problem->n_labels + l]];
    return p->own[k] ? anpe_mixture_log_density(p->own[k], p->own_y) : 0;
}

/* log |d theta / d y| of the labels that are not member k's own, and so of member k's density: the
 * others' own labels are drawn in y. */
static double slope_of(const anpe_product *p, int k, int64_t i, const double *y)
{
    const anpe_product_problem *q = p->problem;
    double slope = p->slope[i], each[1];
    for (int j = 0; j < q->n_members; j++)
        for (int64_t l = 0; j != k && l < p->n_own[j]; l++) {
            const int64_t d = p->place[j * q->n_labels + l];
            const float at = (float)y[d];
            const anpe_label_map one = {1, p->map->label + d, p->map->kind + d, p->map->mean + d,
                                        p->map->sd + d};
            slope -= anpe_label_map_inverse(&one, &at, each);
        }
    return slope;
}

static anpe_status proposal_chunk(anpe_product *p, anpe_ctx *ctx, int64_t n, const double *y,
                                  double *out)
{
    const int members = p->problem->n_members;
    double own[ANPE_PRODUCT_MEMBERS];
    to_labels(p, n, y);
    const anpe_status status = member_densities(p, ctx, n);
    for (int64_t i = 0; i < n && !status; i++) {
        const double *at = y + i * p->problem->n_labels;
        double all = 0;
        for (int k = 0; k < members; k++)
            all += own[k] = own_density(p, k, at);
        out[i] = -INFINITY;
        for (int k = 0; k < members; k++)
            out[i] = anpe_log_add(out[i], p->log_q[k * CHUNK + i] + slope_of(p, k, i, at) + all -
                                              own[k] - log(members));
    }
    return status;
}

static anpe_status log_proposal(void *user, anpe_ctx *ctx, int64_t n, const double *y, double *out)
{
    return by_chunks(user, ctx, proposal_chunk, n, y, out);
}

/* ---- draws ------------------------------------------------------------------------------- */

static void label_to_y(const anpe_product *p, int64_t d, double theta, double *y)
{
    const anpe_label_map one = {1, p->map->label + d, p->map->kind + d, p->map->mean + d,
                                p->map->sd + d};
    float at;
    anpe_label_map_forward(&one, &theta, &at);
    *y = (double)at;
}

/* Those of a chunk that fall to member k: its labels from it, the others' own from their fits. */
static anpe_status draw_member(anpe_product *p, anpe_ctx *ctx, anpe_rng *rng, int k, int64_t n,
                               double *y)
{
    const anpe_product_problem *q = p->problem;
    const anpe_product_member *m = &q->member[k];
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += p->component[i] == k;
    const anpe_status status = count ? m->draw(m->user, ctx, rng, count, p->part) : ANPE_OK;
    for (int64_t i = n - 1; i >= 0 && !status; i--) {
        if (p->component[i] != k)
            continue;
        const double *theta = p->part + --count * m->n;
        for (int64_t l = 0; l < m->n; l++)
            label_to_y(p, m->place[l], theta[l], &y[i * q->n_labels + m->place[l]]);
        for (int j = 0; j < q->n_members; j++) {
            if (j == k || !p->own[j])
                continue;
            anpe_mixture_draw(p->own[j], rng, p->own_y);
            for (int64_t l = 0; l < p->n_own[j]; l++)
                y[i * q->n_labels + p->place[j * q->n_labels + l]] = p->own_y[l];
        }
    }
    return status;
}

static anpe_status draw(void *user, anpe_ctx *ctx, anpe_rng *rng, int64_t n, double *y,
                        double *log_q)
{
    anpe_product *p = user;
    const int64_t width = p->problem->n_labels;
    anpe_status status = ANPE_OK;
    for (int64_t first = 0; first < n && !status; first += CHUNK) {
        const int64_t m = n - first < CHUNK ? n - first : CHUNK;
        for (int64_t i = 0; i < m; i++)
            p->component[i] = (int)anpe_integer(rng, p->problem->n_members);
        for (int k = 0; k < p->problem->n_members && !status; k++)
            status = draw_member(p, ctx, rng, k, m, y + first * width);
    }
    return status ? status : log_proposal(user, ctx, n, y, log_q);
}

/* ---- set-up and one star ----------------------------------------------------------------- */

/* Labels are standardised by as many draws of each member; then the own ones of each are fitted.
 * A fit that is poor costs draws, not truth. */
static anpe_status fit_proposal(anpe_product *p, anpe_ctx *ctx, anpe_rng *rng)
{
    const anpe_product_problem *q = p->problem;
    const int64_t width = q->n_labels;
    double *column = NULL, *weight = NULL, *resp = NULL;
    anpe_status status = ANPE_OK;
    if (ANPE_NEW(ctx, column, PILOT, width) || ANPE_NEW(ctx, weight, PILOT) ||
        ANPE_NEW(ctx, resp, PILOT, COMPONENTS))
        status = ANPE_ENOMEM;
    for (int64_t i = 0; i < PILOT && !status; i++)
        weight[i] = 1;
    for (int k = 0; k < q->n_members && !status; k++) {
        const anpe_product_member *m = &q->member[k];
        const int64_t from = PILOT * k / q->n_members, to = PILOT * (k + 1) / q->n_members;
        ANPE_TRY(m->draw(m->user, ctx, rng, PILOT, column));
        for (int64_t l = 0; l < m->n; l++) {
            const int own = m->place[l] >= q->n_shared;
            for (int64_t i = own ? 0 : from; i < (own ? PILOT : to); i++)
                p->pilot[i * width + m->place[l]] = column[i * m->n + l];
        }
    }
    if (!status)
        anpe_label_map_fit(p->map, PILOT, p->pilot);
    for (int k = 0; k < q->n_members && !status; k++) {
        const int64_t n = p->n_own[k];
        if (n == 0)
            continue;
        for (int64_t i = 0; i < PILOT; i++)
            for (int64_t l = 0; l < n; l++) {
                const int64_t d = p->place[k * width + l];
                label_to_y(p, d, p->pilot[i * width + d], &column[i * n + l]);
            }
        ANPE_TRY(anpe_mixture_new(ctx, n, COMPONENTS, &p->own[k]));
        anpe_mixture_fit(p->own[k], PILOT, column, weight, COMPONENTS, 1.1, rng, resp);
    }
out:
    free(column), free(weight), free(resp);
    return status;
}

anpe_status anpe_product_run(anpe_product *p, anpe_ctx *ctx, const anpe_product_problem *problem,
                             anpe_rng *rng, anpe_product_result *result)
{
    const anpe_ladder_problem climb = {problem->n_labels, p, draw, log_proposal, target, NULL};
    const int64_t width = problem->n_labels;
    anpe_status status;
    if (problem->n_members < 1 || problem->n_members > ANPE_PRODUCT_MEMBERS)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%d spectra of one star; expected 1 to %d",
                         problem->n_members, ANPE_PRODUCT_MEMBERS);
    ANPE_TRY(open_problem(p, ctx, problem));
    ANPE_TRY(fit_proposal(p, ctx, rng));
    ANPE_TRY(anpe_ladder_climb(p->ladder, ctx, &climb, rng, &result->ladder));
    for (int64_t i = 0; i < result->ladder.n; i += CHUNK) {
        const int64_t n = result->ladder.n - i < CHUNK ? result->ladder.n - i : CHUNK;
        to_labels(p, n, result->ladder.y + i * width);
        memcpy(p->theta + i * width, p->full, (size_t)(n * width) * sizeof *p->theta);
    }
    result->n = result->ladder.n;
    result->theta = p->theta;
    result->log_weight = result->ladder.log_weight;
    result->log_together = result->ladder.log_evidence;
out:
    return status;
}
