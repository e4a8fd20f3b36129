/* All draws: to a file, `anpe infer --posterior`, or to memory, for those who embed the library. */
#include "infer/run.h"
#include <math.h>
#include <string.h>

static const char *output(const anpe_infer_request *q)
{
    return q->posterior;
}

static anpe_status open_draws(anpe_ctx *ctx, anpe_inference *f, void **state)
{
    const int64_t shape[3] = {0, f->request->n_draws, f->result->n_labels};
    anpe_h5 *file = NULL;
    anpe_status status;
    if (!f->request->posterior)
        return ANPE_OK;
    ANPE_TRY(anpe_infer_output(ctx, f, f->request->posterior, "anpe posterior", &file));
    *state = file;
    ANPE_TRY(anpe_h5_create_rows(ctx, file, "samples", ANPE_H5_DOUBLE, 3, shape));
    ANPE_TRY(anpe_h5_create_rows(ctx, file, "log_q", ANPE_H5_DOUBLE, 2, shape));
    if (f->request->exact)
        ANPE_TRY(anpe_h5_create_rows(ctx, file, "log_weight", ANPE_H5_DOUBLE, 2, shape));
    ANPE_TRY(
        anpe_h5_put_labels(ctx, file, "samples", "labels", f->result->n_labels, f->result->label));
out:
    return status;
}

/* Rows without a posterior are NAN, not old values. */
static void forget_failed(anpe_inference *f)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    for (int64_t b = 0; b < f->n; b++)
        for (int64_t k = 0; f->result->star[f->first + b].failed && k < n * labels; k++)
            f->theta[b * n * labels + k] = f->log_q[b * n + k / labels] = NAN;
}

static anpe_status append_draws(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    anpe_h5 *file = state;
    anpe_status status;
    forget_failed(f);
    ANPE_TRY(anpe_h5_append_rows(ctx, file, "samples", ANPE_H5_DOUBLE, f->n, f->theta));
    ANPE_TRY(anpe_h5_append_rows(ctx, file, "log_q", ANPE_H5_DOUBLE, f->n, f->log_q));
    if (f->exact)
        ANPE_TRY(anpe_h5_append_rows(ctx, file, "log_weight", ANPE_H5_DOUBLE, f->n,
                                     anpe_infer_exact_weights(f)));
out:
    return status;
}

const anpe_infer_extra anpe_infer_draws_file = {output, open_draws, NULL, append_draws, NULL, NULL};

/* ---- in memory --------------------------------------------------------------------------- */

static anpe_status open_kept(anpe_ctx *ctx, anpe_inference *f, void **state)
{
    anpe_infer_draws *d = f->request->draws;
    const int64_t stars = f->result->n_stars, n = f->request->n_draws;
    anpe_status status;
    if (!d)
        return ANPE_OK;
    ANPE_TRY(ANPE_NEW(ctx, d->theta, stars, n, f->result->n_labels));
    ANPE_TRY(ANPE_NEW(ctx, d->log_q, stars, n));
    *state = d;
out:
    return status;
}

static anpe_status keep_draws(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    const anpe_infer_draws *d = state;
    (void)ctx;
    forget_failed(f);
    memcpy(d->theta + f->first * n * labels, f->theta,
           (size_t)(f->n * n * labels) * sizeof *d->theta);
    memcpy(d->log_q + f->first * n, f->log_q, (size_t)(f->n * n) * sizeof *d->log_q);
    return ANPE_OK;
}

const anpe_infer_extra anpe_infer_draws_kept = {NULL, open_kept, NULL, keep_draws, NULL, NULL};
