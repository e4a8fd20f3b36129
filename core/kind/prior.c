/* The joint prior is a product of blocks; each block is one plugin and keeps its own labels. */
#include "kind/prior.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t anpe_label_find(int64_t n, const anpe_label *labels, const char *name)
{
    for (int64_t i = 0; i < n; i++)
        if (strcmp(labels[i].name, name) == 0)
            return i;
    return -1;
}

static const anpe_prior_ops *block_ops(const anpe_prior *p, int b)
{
    return (const anpe_prior_ops *)p->block[b].ops;
}

static anpe_status unknown_label(anpe_ctx *ctx, const char *where, const char *name,
                                 int64_t n_known, const anpe_label *known)
{
    char hint[80];
    const char **names;
    if (ANPE_NEW(ctx, names, n_known + 1))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n_known; i++)
        names[i] = known[i].name;
    anpe_text_hint(hint, sizeof hint, name, (int)n_known, names);
    free(names);
    return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: the simulator has no label '%s'%s", where, name, hint);
}

/* Appends the labels of block b, checked against what is known and what is already there. */
static anpe_status add_labels(anpe_ctx *ctx, anpe_prior *p, int b, const char *where,
                              int64_t n_known, const anpe_label *known)
{
    int64_t n;
    const anpe_label *label;
    block_ops(p, b)->info(p->block[b].self, &n, &label);
    int64_t room = p->n_labels;
    if (ANPE_GROW(ctx, p->label, room, p->n_labels + n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        int64_t k = anpe_label_find(n_known, known, label[i].name);
        if (k < 0)
            return unknown_label(ctx, where, label[i].name, n_known, known);
        if (anpe_label_find(p->n_labels, p->label, label[i].name) >= 0)
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: label '%s' has a prior already", where,
                             label[i].name);
        anpe_label *mine = &p->label[p->n_labels++];
        *mine = label[i];
        if (!mine->unit[0])
            memcpy(mine->unit, known[k].unit, sizeof mine->unit);
        if (mine->min < known[k].min || mine->max > known[k].max)
            return ANPE_FAIL(ctx, ANPE_ECONFIG,
                             "%s: prior of '%s' [%g, %g] %s reaches outside the simulator's [%g, "
                             "%g]; a uniform or truncated prior can be cut there",
                             where, mine->name, mine->min, mine->max, mine->unit, known[k].min,
                             known[k].max);
    }
    p->start[b + 1] = p->n_labels;
    return ANPE_OK;
}

anpe_status anpe_prior_new(anpe_ctx *ctx, anpe_settings *settings, int64_t n_known,
                           const anpe_label *known, anpe_prior **out)
{
    const int n = anpe_settings_count(settings, "prior");
    const anpe_prior_setup setup = {sizeof setup, n_known, known};
    anpe_status status = ANPE_OK;
    if (n == 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: no prior is given; expected prior = ( { plugin = "
                         "\"independent\"; labels = ( ... ); } )",
                         anpe_settings_where(settings, ""));
    anpe_prior *p = NULL;
    ANPE_TRY(ANPE_NEW(ctx, p, 1));
    ANPE_TRY(ANPE_NEW(ctx, p->block, n));
    ANPE_TRY(ANPE_NEW(ctx, p->start, n + 1));
    for (int b = 0; b < n; b++) {
        char path[32];
        snprintf(path, sizeof path, "prior.[%d]", b);
        status = anpe_component_new(ctx, settings, ANPE_PRIOR, path, "independent", &setup,
                                    &p->block[b]);
        if (status)
            goto out;
        p->n_blocks = b + 1;
        status = add_labels(ctx, p, b, anpe_settings_where(settings, path), n_known, known);
        if (status)
            goto out;
    }
out:
    if (status)
        p = anpe_prior_free(p);
    *out = p;
    return status;
}

anpe_prior *anpe_prior_free(anpe_prior *p)
{
    if (!p)
        return NULL;
    for (int b = 0; b < p->n_blocks; b++)
        anpe_component_clear(&p->block[b]);
    free(p->block);
    free(p->start);
    free(p->label);
    free(p);
    return NULL;
}

anpe_status anpe_prior_sample(const anpe_prior *p, anpe_ctx *ctx, anpe_rng *rng, double *theta)
{
    anpe_status status = ANPE_OK;
    for (int b = 0; b < p->n_blocks && !status; b++)
        status = block_ops(p, b)->sample(p->block[b].self, ctx, rng, theta + p->start[b]);
    return status;
}

double anpe_prior_log_density_of(const anpe_prior *p, int b, const double *theta)
{
    return block_ops(p, b)->log_density(p->block[b].self, theta);
}

double anpe_prior_log_density(const anpe_prior *p, const double *theta)
{
    double sum = 0;
    for (int b = 0; b < p->n_blocks; b++)
        sum += anpe_prior_log_density_of(p, b, theta + p->start[b]);
    return isnan(sum) ? -INFINITY : sum;
}
