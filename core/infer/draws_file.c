/* All draws: to a file, `anpe infer --posterior`, or to memory, for those who embed the library. */
#include "infer/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *output(const anpe_infer_request *q)
{
    return q->posterior;
}

typedef struct draws {
    anpe_h5 *file;
} draws;

static anpe_status open_draws(anpe_ctx *ctx, anpe_inference *f, void **state)
{
    draws *d;
    if (!f->request->posterior)
        return ANPE_OK;
    if (ANPE_NEW(ctx, d, 1))
        return ANPE_ENOMEM;
    *state = d;
    return ANPE_OK;
}

static anpe_status create_file(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    const int64_t shape[3] = {0, f->request->n_draws, f->result->n_labels};
    anpe_h5 *file;
    anpe_status status;
    ANPE_TRY(anpe_infer_output(ctx, f, f->request->posterior, "anpe posterior", &file));
    ((draws *)state)->file = file;
    ANPE_TRY(anpe_h5_create_rows(ctx, file, "samples", ANPE_H5_DOUBLE, 3, shape));
    ANPE_TRY(anpe_h5_create_rows(ctx, file, "log_q", ANPE_H5_DOUBLE, 2, shape));
    if (f->request->exact)
        ANPE_TRY(anpe_h5_create_rows(ctx, file, "log_weight", ANPE_H5_DOUBLE, 2, shape));
    ANPE_TRY(
        anpe_h5_put_labels(ctx, file, "samples", "labels", f->result->n_labels, f->result->label));
out:
    return status;
}

/* The weights are known from the rows. */
static int pieces(const anpe_inference *f, void *state, int64_t n, anpe_piece *piece)
{
    const size_t values = (size_t)(n * f->request->n_draws);
    (void)state;
    piece[0] = (anpe_piece){f->theta, values * (size_t)f->result->n_labels * sizeof *f->theta};
    piece[1] = (anpe_piece){f->log_q, values * sizeof *f->log_q};
    return 2;
}

/* Rows without a posterior are NAN, not old values. */
static void forget_failed(anpe_inference *f)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    for (int64_t b = 0; b < f->n; b++)
        for (int64_t k = 0; f->star[b].failed && k < n * labels; k++)
            f->theta[b * n * labels + k] = f->log_q[b * n + k / labels] = NAN;
}

static anpe_status append_draws(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    anpe_h5 *file = ((draws *)state)->file;
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

const anpe_infer_extra anpe_infer_draws_file = {.output = output,
                                                .open = open_draws,
                                                .create = create_file,
                                                .pieces = pieces,
                                                .block = append_draws,
                                                .free = free};

/* ---- in memory --------------------------------------------------------------------------- */

typedef struct kept {
    anpe_infer_draws *d;
    int64_t theta_room, log_q_room;
} kept;

static anpe_status open_kept(anpe_ctx *ctx, anpe_inference *f, void **state)
{
    kept *k;
    if (!f->request->draws)
        return ANPE_OK;
    if (ANPE_NEW(ctx, k, 1))
        return ANPE_ENOMEM;
    k->d = f->request->draws;
    *k->d = (anpe_infer_draws){0};
    *state = k;
    return ANPE_OK;
}

static anpe_status keep_draws(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    const int64_t first = f->first * n, here = f->n * n;
    kept *k = state;
    if (ANPE_GROW(ctx, k->d->theta, k->theta_room, (first + here) * labels) ||
        ANPE_GROW(ctx, k->d->log_q, k->log_q_room, first + here))
        return ANPE_ENOMEM;
    forget_failed(f);
    memcpy(k->d->theta + first * labels, f->theta, (size_t)(here * labels) * sizeof *f->theta);
    memcpy(k->d->log_q + first, f->log_q, (size_t)here * sizeof *f->log_q);
    return ANPE_OK;
}

const anpe_infer_extra anpe_infer_draws_kept = {
    .open = open_kept, .block = keep_draws, .free = free};
