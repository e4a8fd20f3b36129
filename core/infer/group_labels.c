/* Labels that models share, and the prior of these: see group.h. */
#include <config.h>
#include "infer/group.h"
#include "base/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* CHECKS: draws that priors are compared at. */
enum { CHECKS = 256, MOST_LABELS = 256 };

static int is_own(int64_t n, const char *const *own, const char *name)
{
    for (int64_t i = 0; i < n; i++)
        if (!strcmp(own[i], name))
            return 1;
    return 0;
}

static int same_bound(double a, double b)
{
    return a == b || fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static anpe_status check_label(anpe_ctx *ctx, const anpe_label *a, const anpe_label *b, int model)
{
    if (strcmp(a->unit, b->unit))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "label '%s' is in '%s' in model 1, in '%s' in model %d",
                         a->name, a->unit, b->unit, model + 1);
    if (!same_bound(a->min, b->min) || !same_bound(a->max, b->max))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "the prior of label '%s' goes from %g to %g in model 1, from %g to %g in "
                         "model %d: posteriors can be multiplied where they share one prior",
                         a->name, a->min, a->max, b->min, b->max, model + 1);
    return ANPE_OK;
}

/* Where the labels of model k stand among the shared ones. */
static anpe_status place_labels(anpe_ctx *ctx, anpe_group_labels *g, int k, int64_t n_own,
                                const char *const *own)
{
    const anpe_label *label;
    const int64_t n = anpe_model_labels(g->model[k], &label);
    int64_t found = 0;
    if (ANPE_NEW(ctx, g->shared_place[k], n))
        return ANPE_ENOMEM;
    for (int64_t l = 0; l < n; l++) {
        const int64_t at = anpe_label_find(g->n_shared, g->shared, label[l].name);
        g->shared_place[k][l] = at;
        if (at < 0 && !is_own(n_own, own, label[l].name))
            return ANPE_FAIL(
                ctx, ANPE_ECONFIG,
                "label '%s' is one of model %d and not of model 1; --own %s would make "
                "it each spectrum's own",
                label[l].name, k + 1, label[l].name);
        if (at < 0)
            continue;
        found++;
        const anpe_status status = check_label(ctx, &g->shared[at], &label[l], k);
        if (status)
            return status;
    }
    for (int64_t s = 0; s < g->n_shared && found < g->n_shared; s++)
        if (anpe_label_find(n, label, g->shared[s].name) < 0)
            return ANPE_FAIL(
                ctx, ANPE_ECONFIG,
                "label '%s' is one of model 1 and not of model %d; --own %s would make "
                "it each spectrum's own",
                g->shared[s].name, k + 1, g->shared[s].name);
    return ANPE_OK;
}

/* ---- the prior --------------------------------------------------------------------------- */

/* How many labels of block b of the prior are shared. */
static int64_t shared_in(const anpe_group_labels *g, const anpe_prior *p, int b)
{
    int64_t n = 0;
    for (int64_t l = p->start[b]; l < p->start[b + 1]; l++)
        n += anpe_label_find(g->n_shared, g->shared, p->label[l].name) >= 0;
    return n;
}

/* Label l is not shared, but in a block with one that is. */
static int is_beside_shared(const anpe_group_labels *g, const anpe_prior *p, int64_t l)
{
    int b = 0;
    while (l >= p->start[b + 1])
        b++;
    return anpe_label_find(g->n_shared, g->shared, p->label[l].name) < 0 && shared_in(g, p, b) > 0;
}

/* Of the blocks with shared labels, at theta (of the prior's labels). */
static double blocks_at(const anpe_group_labels *g, const anpe_prior *p, const double *theta)
{
    double sum = 0;
    for (int b = 0; b < p->n_blocks; b++)
        if (shared_in(g, p, b))
            sum += anpe_prior_log_density_of(p, b, theta + p->start[b]);
    return isnan(sum) ? -INFINITY : sum;
}

static void place_shared(const anpe_group_labels *g, const anpe_prior *p, const double *shared,
                         double *theta)
{
    for (int64_t l = 0; l < p->n_labels; l++) {
        const int64_t at = anpe_label_find(g->n_shared, g->shared, p->label[l].name);
        if (at >= 0)
            theta[l] = shared[at];
    }
}

/* A model's prior of the shared labels: the others, which are independent of these, stand where
 * their density is known. */
static double log_prior_of(const anpe_group_labels *g, int k, const double *shared)
{
    const anpe_prior *p = g->model[k]->task->prior;
    double theta[MOST_LABELS];
    memcpy(theta, g->rest[k], (size_t)p->n_labels * sizeof *theta);
    place_shared(g, p, shared, theta);
    return blocks_at(g, p, theta) - g->rest_density[k];
}

double anpe_group_log_prior(const anpe_group_labels *g, const double *shared)
{
    return log_prior_of(g, 0, shared);
}

/* Draws i of the prior -> theta. */
static anpe_status draw_prior(anpe_ctx *ctx, const anpe_prior *p, int64_t i, double *theta)
{
    anpe_rng rng = anpe_rng_make(1, ANPE_FOR_CHECKS, i, 0);
    return anpe_prior_sample(p, ctx, &rng, theta);
}

/* Labels that are not shared are independent of those that are, and of each other, if exchanging
 * one of them between two draws leaves the product of the two densities. */
static anpe_status check_independent(anpe_ctx *ctx, const anpe_group_labels *g, int k)
{
    const anpe_prior *p = g->model[k]->task->prior;
    double a[MOST_LABELS], b[MOST_LABELS];
    for (int64_t i = 0; i < CHECKS; i += 2) {
        anpe_status status = draw_prior(ctx, p, i, a);
        if (!status)
            status = draw_prior(ctx, p, i + 1, b);
        if (status)
            return status;
        const double before = blocks_at(g, p, a) + blocks_at(g, p, b);
        for (int64_t l = 0; l < p->n_labels; l++) {
            if (!is_beside_shared(g, p, l))
                continue;
            const double one = a[l];
            a[l] = b[l];
            b[l] = one;
            const double after = blocks_at(g, p, a) + blocks_at(g, p, b);
            if (!(fabs(before - after) <= 1e-6 * (1 + fabs(before))))
                return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                                 "label '%s' of model %d is not shared, and its prior depends on "
                                 "labels that are: these cannot be divided out",
                                 p->label[l].name, k + 1);
        }
    }
    return ANPE_OK;
}

/* log of the integral over label l of the density at theta, which is spoilt there. */
static double integrate(const anpe_group_labels *g, const anpe_prior *p, const anpe_label_map *map,
                        int64_t l, double *theta)
{
    enum { STEPS = 4000 };
    const double reach = 10, step = 2 * reach / STEPS;
    const anpe_label_map one = {1, map->label + l, map->kind + l, map->mean + l, map->sd + l};
    double sum = -INFINITY;
    for (int i = 0; i < STEPS; i++) {
        const float y = (float)((i + 0.5) * step - reach);
        const double slope = anpe_label_map_inverse(&one, &y, &theta[l]);
        sum = anpe_log_add(sum, blocks_at(g, p, theta) + slope);
    }
    return sum + log(step);
}

/* Where the labels of model k that are not shared stand, and the log of their density there. */
static anpe_status fix_rest(anpe_ctx *ctx, anpe_group_labels *g, int k)
{
    const anpe_prior *p = g->model[k]->task->prior;
    const size_t n = (size_t)p->n_labels;
    double *theta = NULL, at[MOST_LABELS];
    anpe_label_map *map = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, theta, CHECKS, p->n_labels));
    ANPE_TRY(ANPE_NEW(ctx, g->rest[k], p->n_labels));
    ANPE_TRY(anpe_label_map_new(ctx, p->n_labels, p->label, 1, &map));
    for (int64_t i = 0; i < CHECKS; i++)
        ANPE_TRY(draw_prior(ctx, p, i, theta + i * p->n_labels));
    anpe_label_map_fit(map, CHECKS, theta);
    memcpy(g->rest[k], theta, n * sizeof *theta);
    for (int64_t l = 0; l < p->n_labels; l++) {
        if (!is_beside_shared(g, p, l))
            continue;
        memcpy(at, g->rest[k], n * sizeof *at);
        const double here = blocks_at(g, p, at), all = integrate(g, p, map, l, at);
        g->rest_density[k] += here - all;
    }
out:
    anpe_label_map_free(map);
    free(theta);
    return status;
}

static anpe_status check_prior(anpe_ctx *ctx, anpe_group_labels *g, int k)
{
    const anpe_prior *p = g->model[k]->task->prior;
    if (!p)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "the prior of model %d, which has to be divided out, could not be opened"
                         "%s%s",
                         k + 1, g->model[k]->lacks ? ": " : "",
                         g->model[k]->lacks ? g->model[k]->lacks : "");
    if (p->n_labels > MOST_LABELS)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "the prior of model %d has %lld labels", k + 1,
                         (long long)p->n_labels);
    const anpe_status status = check_independent(ctx, g, k);
    return status ? status : fix_rest(ctx, g, k);
}

/* At draws of model `from`'s prior, model k's is the same. */
static anpe_status compare_priors(anpe_ctx *ctx, const anpe_group_labels *g, int from, int k,
                                  double *theta, double *shared)
{
    const anpe_prior *p = g->model[from]->task->prior;
    for (int64_t i = 0; i < CHECKS; i++) {
        const anpe_status status = draw_prior(ctx, p, i, theta);
        if (status)
            return status;
        for (int64_t s = 0; s < g->n_shared; s++)
            shared[s] = theta[anpe_label_find(p->n_labels, p->label, g->shared[s].name)];
        const double a = log_prior_of(g, from, shared), b = log_prior_of(g, k, shared);
        if (!(fabs(a - b) <= 1e-4 * (1 + fabs(a))))
            return ANPE_FAIL(ctx, ANPE_ECONFIG,
                             "models 1 and %d have different priors of the labels that they share "
                             "(log density %g and %g at %s = %g): posteriors can be multiplied "
                             "where they share one prior",
                             (from ? from : k) + 1, a, b, g->shared[0].name, shared[0]);
    }
    return ANPE_OK;
}

static anpe_status check_priors(anpe_ctx *ctx, anpe_group_labels *g)
{
    double *theta = NULL, *shared = NULL;
    anpe_status status = ANPE_NEW(ctx, shared, g->n_shared);
    for (int k = 0; k < g->n_models && !status; k++)
        status = check_prior(ctx, g, k);
    for (int k = 1; k < g->n_models && !status; k++)
        for (int from = 0; from <= k && !status; from += k) {
            const int64_t n = g->model[from]->task->prior->n_labels;
            free(theta);
            status = ANPE_NEW(ctx, theta, n);
            if (!status)
                status = compare_priors(ctx, g, from, from ? 0 : k, theta, shared);
        }
    free(theta);
    free(shared);
    return status;
}

/* Each own label is one of some model; "rv" may be none. */
static anpe_status check_own(anpe_ctx *ctx, int n_models, anpe_model *const *model, int64_t n_own,
                             const char *const *own)
{
    const anpe_label *label;
    const char *names[MOST_LABELS];
    char hint[80];
    for (int64_t i = 0; i < n_own; i++) {
        int n = 0, found = !strcmp(own[i], "rv");
        for (int k = 0; k < n_models; k++) {
            const int64_t labels = anpe_model_labels(model[k], &label);
            found |= anpe_label_find(labels, label, own[i]) >= 0;
            for (int64_t l = 0; l < labels && n < MOST_LABELS; l++)
                names[n++] = label[l].name;
        }
        if (!found)
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "--own: no model has a label '%s'%s", own[i],
                             anpe_text_hint(hint, sizeof hint, own[i], n, names));
    }
    return ANPE_OK;
}

anpe_status anpe_group_labels_new(anpe_ctx *ctx, int n_models, anpe_model *const *model,
                                  int64_t n_own, const char *const *own, anpe_group_labels **out)
{
    const anpe_label *label;
    const int64_t n = anpe_model_labels(model[0], &label);
    anpe_status status = ANPE_OK;
    *out = NULL;
    anpe_group_labels *g;
    if (ANPE_NEW(ctx, g, 1))
        return ANPE_ENOMEM;
    g->n_models = n_models;
    g->model = model;
    if (ANPE_NEW(ctx, g->shared, n) || ANPE_NEW(ctx, g->shared_place, n_models) ||
        ANPE_NEW(ctx, g->rest, n_models) || ANPE_NEW(ctx, g->rest_density, n_models))
        status = ANPE_ENOMEM;
    if (!status)
        status = check_own(ctx, n_models, model, n_own, own);
    for (int64_t l = 0; l < n && !status; l++)
        if (!is_own(n_own, own, label[l].name))
            g->shared[g->n_shared++] = label[l];
    if (!status && g->n_shared == 0)
        status = ANPE_FAIL(ctx, ANPE_ECONFIG, "no label is left that the spectra share");
    for (int k = 0; k < n_models && !status; k++)
        status = place_labels(ctx, g, k, n_own, own);
    if (!status)
        status = check_priors(ctx, g);
    *out = status ? anpe_group_labels_free(g) : g;
    return status;
}

anpe_group_labels *anpe_group_labels_free(anpe_group_labels *g)
{
    if (!g)
        return NULL;
    for (int k = 0; g->shared_place && k < g->n_models; k++)
        free(g->shared_place[k]);
    for (int k = 0; g->rest && k < g->n_models; k++)
        free(g->rest[k]);
    free(g->rest);
    free(g->rest_density);
    free(g->shared_place);
    free(g->shared);
    free(g);
    return NULL;
}
