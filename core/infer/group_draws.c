/* The file of all draws of a run of groups: `anpe infer --group --posterior`. Draws of a product
 * have weights; a star's rows are a resampling of them with equal weights, in random order. */
#include "infer/group.h"
#include "file/hdf5_file.h"
#include "infer/run.h"
#include "stat/importance.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct anpe_group_draws {
    anpe_h5 *file;
    int64_t n, n_labels, n_lanes;
    double *theta; /* (n_lanes, n, n_labels) */
    int64_t *row;  /* (n_lanes, n) */
};

anpe_status anpe_group_draws_new(anpe_ctx *ctx, const anpe_infer_request *q,
                                 const anpe_infer_result *r, int n_lanes, anpe_group_draws **out)
{
    const int64_t shape[3] = {0, q->n_draws, r->n_labels};
    anpe_group_draws *d = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, d, 1));
    *d = (anpe_group_draws){.n = q->n_draws, .n_labels = r->n_labels, .n_lanes = n_lanes};
    ANPE_TRY(ANPE_NEW(ctx, d->theta, n_lanes, d->n, d->n_labels));
    ANPE_TRY(ANPE_NEW(ctx, d->row, n_lanes, d->n));
    ANPE_TRY(anpe_h5_create(ctx, q->posterior, &d->file));
    ANPE_TRY(anpe_h5_put_text(ctx, d->file, "/", "format", "anpe posterior"));
    ANPE_TRY(anpe_h5_create_rows(ctx, d->file, "samples", ANPE_H5_DOUBLE, 3, shape));
    ANPE_TRY(anpe_h5_put_labels(ctx, d->file, "samples", "labels", r->n_labels, r->label));
out:
    *out = status ? anpe_group_draws_free(d) : d;
    return status;
}

void anpe_group_draws_keep(anpe_group_draws *d, int64_t lane, const anpe_product_result *p,
                           int64_t width, anpe_rng *rng)
{
    double *theta = d->theta + lane * d->n * d->n_labels;
    int64_t *row = d->row + lane * d->n;
    anpe_weighted_resample(p->n, p->log_weight, anpe_uniform(rng), d->n, row);
    anpe_shuffle(rng, d->n, row);
    for (int64_t k = 0; k < d->n; k++)
        memcpy(theta + k * d->n_labels, p->theta + row[k] * width,
               (size_t)d->n_labels * sizeof *theta);
}

anpe_status anpe_group_draws_append(anpe_ctx *ctx, anpe_group_draws *d, int64_t n,
                                    const anpe_star *star)
{
    const int64_t size = d->n * d->n_labels;
    for (int64_t b = 0; b < n; b++)
        for (int64_t k = 0; star[b].failed && k < size; k++)
            d->theta[b * size + k] = NAN;
    return anpe_h5_append_rows(ctx, d->file, "samples", ANPE_H5_DOUBLE, n, d->theta);
}

anpe_status anpe_group_draws_finish(anpe_ctx *ctx, anpe_group_draws *d, const anpe_infer_result *r,
                                    anpe_output *out)
{
    const anpe_row_list rows = {r, NULL};
    const anpe_status status = anpe_infer_put_ids(ctx, &rows, d->file);
    anpe_h5 *file = d->file;
    if (status)
        return status;
    d->file = NULL;
    return anpe_h5_finish(ctx, file, out);
}

anpe_group_draws *anpe_group_draws_free(anpe_group_draws *d)
{
    if (!d)
        return NULL;
    if (d->file)
        anpe_h5_abandon(d->file);
    free(d->theta);
    free(d->row);
    free(d);
    return NULL;
}
