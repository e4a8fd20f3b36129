/* plot/known.c -- see known.h; this half reads the group validation/ of a model. */
#include "plot/known.h"
#include "validate/record.h"

#include <stdlib.h>
#include <string.h>

anpe_status anpe_known_new(anpe_ctx *ctx, int64_t n, int64_t n_labels, anpe_known **out)
{
    const size_t size = (size_t)n * (size_t)n_labels * sizeof(double);
    anpe_known *k = *out = anpe_alloc(ctx, sizeof *k);
    if (!k)
        return ANPE_ENOMEM;
    k->n = n;
    strcpy(k->source, "true");
    double **const arrays[] = {&k->truth, &k->median, &k->mean, &k->sd, &k->p16, &k->p84};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        if (!(*arrays[i] = anpe_alloc(ctx, size + 1)))
            return ANPE_ENOMEM;
    k->labels.n = n_labels;
    return ANPE_NEW(ctx, k->labels.name, n_labels + 1) ||
                   ANPE_NEW(ctx, k->labels.unit, n_labels + 1)
               ? ANPE_ENOMEM
               : ANPE_OK;
}

anpe_known *anpe_known_free(anpe_known *k)
{
    if (!k)
        return NULL;
    anpe_plot_labels_clear(&k->labels);
    anpe_free(k->truth);
    anpe_free(k->median);
    anpe_free(k->mean);
    anpe_free(k->sd);
    anpe_free(k->p16);
    anpe_free(k->p84);
    anpe_free(k->rank);
    anpe_free(k->hpd);
    anpe_free(k->tarp);
    anpe_free(k);
    return NULL;
}

/* Column `column` of from (n, all), 8-byte numbers. */
static void take_column(int64_t n, int64_t all, int64_t column, const void *from, void *to)
{
    const uint64_t *in = from;
    uint64_t *out = to;
    for (int64_t i = 0; i < n; i++)
        out[i] = in[i * all + column];
}

static anpe_status take_label(anpe_ctx *ctx, const anpe_validation *v, const anpe_plot_labels *all,
                              int64_t from, anpe_known *k, int64_t to)
{
    const int64_t at = to * k->n;
    k->labels.name[to] = anpe_strdup(ctx, all->name[from]);
    k->labels.unit[to] = anpe_strdup(ctx, all->unit[from]);
    if (!k->labels.name[to] || !k->labels.unit[to])
        return ANPE_ENOMEM;
    take_column(k->n, all->n, from, v->truth, k->truth + at);
    take_column(k->n, all->n, from, v->median, k->median + at);
    take_column(k->n, all->n, from, v->mean, k->mean + at);
    take_column(k->n, all->n, from, v->sd, k->sd + at);
    take_column(k->n, all->n, from, v->p16, k->p16 + at);
    take_column(k->n, all->n, from, v->p84, k->p84 + at);
    take_column(k->n, all->n, from, v->rank, k->rank + at);
    return ANPE_OK;
}

static anpe_status of_validation(anpe_ctx *ctx, const anpe_validation *v,
                                 const anpe_plot_labels *all, int64_t n_labels,
                                 const int64_t *index, anpe_known **out)
{
    anpe_status status = anpe_known_new(ctx, v->n, n_labels, out);
    anpe_known *k = *out;
    if (status)
        return status;
    const size_t n = (size_t)v->n;
    k->n_draws = v->n_draws;
    k->rank = anpe_alloc(ctx, n * (size_t)n_labels * sizeof *k->rank);
    k->hpd = anpe_alloc(ctx, n * sizeof *k->hpd);
    k->tarp = anpe_alloc(ctx, n * sizeof *k->tarp);
    if (!k->rank || !k->hpd || !k->tarp)
        return ANPE_ENOMEM;
    memcpy(k->hpd, v->hpd, n * sizeof *k->hpd);
    memcpy(k->tarp, v->tarp, n * sizeof *k->tarp);
    for (int64_t d = 0; d < n_labels && !status; d++)
        status = take_label(ctx, v, all, index[d], k, d);
    return status;
}

static anpe_status check_ranks(anpe_ctx *ctx, const char *path, const anpe_known *k)
{
    for (int64_t i = 0; i < k->n * k->labels.n; i++)
        if (k->rank[i] < 0 || k->rank[i] > k->n_draws)
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: validation/rank: a rank of %lld among %lld draws", path,
                             (long long)k->rank[i], (long long)k->n_draws);
    return ANPE_OK;
}

/* Results of other weights are drawn all the same, with a word about it. */
static void warn_if_stale(anpe_ctx *ctx, anpe_h5 *f, const anpe_validation *v)
{
    char *digest = NULL;
    if (!anpe_h5_get_text(ctx, f, "/", "digest", &digest) && strcmp(digest, v->digest))
        anpe_log(ctx, ANPE_WARNING,
                 "%s: the validation was measured before the model was trained further",
                 anpe_h5_path(f));
    free(digest);
}

anpe_status anpe_known_of_model(anpe_ctx *ctx, const anpe_plot_request *q, anpe_known **out)
{
    anpe_h5 *f = NULL;
    anpe_plot_labels all = {0};
    anpe_validation *v = NULL;
    int64_t n = 0, *index = NULL;
    anpe_status status;
    *out = NULL;
    ANPE_TRY(anpe_plot_open(ctx, q, q->files[0], "anpe model", "a model", &f));
    ANPE_TRY(anpe_validation_read(ctx, f, &v));
    ANPE_TRY(anpe_plot_labels_read(ctx, f, "labels", "names", &all));
    if (!v || v->n_labels != all.n) {
        status = ANPE_FAIL(ctx, v ? ANPE_EFORMAT : ANPE_EINVAL,
                           v ? "%s: validation results of another number of labels"
                             : "%s: no validation results in this model; 'anpe validate' puts them "
                               "there",
                           q->files[0]);
        goto out;
    }
    warn_if_stale(ctx, f, v);
    ANPE_TRY(anpe_plot_labels_choose(ctx, q, q->files[0], &all, &n, &index));
    ANPE_TRY(of_validation(ctx, v, &all, n, index, out));
    ANPE_TRY(check_ranks(ctx, q->files[0], *out));
out:
    if (status)
        *out = anpe_known_free(*out);
    free(index);
    anpe_validation_free(v);
    anpe_plot_labels_clear(&all);
    anpe_h5_abandon(f); /* opened for reading */
    return status;
}

anpe_status anpe_known_load(anpe_ctx *ctx, const anpe_plot_request *q, void **data)
{
    anpe_known *k;
    const anpe_status status = anpe_known_of_model(ctx, q, &k);
    *data = k;
    return status;
}

void anpe_known_unload(void *data)
{
    anpe_known_free(data);
}
