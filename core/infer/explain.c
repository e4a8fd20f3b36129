/* The file of gradients: `anpe infer --explain`. Memory is that of one block of stars. */
#include "posterior/explain.h"
#include "infer/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct explanations {
    anpe_h5 *file;
    int n_lanes;
    int64_t pixels, labels;
    anpe_explainer **lane; /* (n_lanes) */
    float *gradient;       /* (block, labels, pixels) */
    double *error;         /* (block, labels) */
    uint8_t *mask;         /* (block, pixels) */
} explanations;

static const char *output(const anpe_infer_request *q)
{
    return q->explain;
}

static void close_explanations(void *state)
{
    explanations *x = state;
    for (int i = 0; x->lane && i < x->n_lanes; i++)
        anpe_explainer_free(x->lane[i]);
    free(x->lane);
    free(x->gradient);
    free(x->error);
    free(x->mask);
    free(x);
}

static anpe_status allocate(anpe_ctx *ctx, const anpe_inference *f, explanations *x)
{
    const int64_t n = f->block, labels = x->labels, pixels = x->pixels;
    anpe_status status = ANPE_OK;
    if (ANPE_NEW(ctx, x->lane, x->n_lanes) || ANPE_NEW(ctx, x->gradient, n, labels, pixels) ||
        ANPE_NEW(ctx, x->error, n, labels) || ANPE_NEW(ctx, x->mask, n, pixels))
        return ANPE_ENOMEM;
    for (int i = 0; i < x->n_lanes && !status; i++)
        status = anpe_explainer_new(ctx, f->model, f->request->n_draws, &x->lane[i]);
    return status;
}

static anpe_status create_file(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    explanations *x = state;
    const int64_t gradient[3] = {0, x->labels, x->pixels}, mask[2] = {0, x->pixels};
    anpe_status status;
    ANPE_TRY(anpe_infer_output(ctx, f, f->request->explain, "anpe gradients", &x->file));
    ANPE_TRY(anpe_infer_put_pixels(ctx, f, x->file));
    ANPE_TRY(anpe_h5_create_rows(ctx, x->file, "gradient", ANPE_H5_FLOAT, 3, gradient));
    ANPE_TRY(anpe_h5_create_rows(ctx, x->file, "error", ANPE_H5_DOUBLE, 2, gradient));
    ANPE_TRY(anpe_h5_create_rows(ctx, x->file, "mask", ANPE_H5_UINT8, 2, mask));
    ANPE_TRY(anpe_h5_put_labels(ctx, x->file, "gradient", "labels", f->result->n_labels,
                                f->result->label));
    ANPE_TRY(
        anpe_h5_put_labels(ctx, x->file, "error", "labels", f->result->n_labels, f->result->label));
out:
    return status;
}

static anpe_status open_explanations(anpe_ctx *ctx, anpe_inference *f, void **state)
{
    if (!f->request->explain)
        return ANPE_OK;
    explanations *x;
    if (ANPE_NEW(ctx, x, 1))
        return ANPE_ENOMEM;
    *state = x;
    x->n_lanes = f->n_lanes;
    x->pixels = anpe_task_size(f->model->task);
    x->labels = f->result->n_labels;
    return allocate(ctx, f, x);
}

static anpe_status explain_star(anpe_ctx *ctx, anpe_inference *f, void *state, int lane, int64_t b,
                                int64_t i)
{
    explanations *x = state;
    memcpy(x->mask + b * x->pixels, f->spectrum[b].mask, (size_t)x->pixels);
    return anpe_explainer_run(x->lane[lane], ctx, f->lane[lane].session, i, &f->spectrum[b],
                              f->request->n_draws, f->request->seed, f->first + b,
                              x->gradient + b * x->labels * x->pixels, x->error + b * x->labels);
}

static int pieces(const anpe_inference *f, void *state, int64_t n, anpe_piece *piece)
{
    const explanations *x = state;
    const size_t labels = (size_t)(n * x->labels), pixels = (size_t)x->pixels;
    (void)f;
    piece[0] = (anpe_piece){x->gradient, labels * pixels * sizeof *x->gradient};
    piece[1] = (anpe_piece){x->error, labels * sizeof *x->error};
    piece[2] = (anpe_piece){x->mask, (size_t)n * pixels};
    return 3;
}

static anpe_status append_block(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    explanations *x = state;
    const int64_t size = x->labels * x->pixels;
    anpe_status status;
    for (int64_t b = 0; b < f->n; b++) {
        const int failed = f->star[b].failed;
        if (failed)
            memset(x->mask + b * x->pixels, 1, (size_t)x->pixels);
        for (int64_t k = 0; failed && k < size; k++)
            x->gradient[b * size + k] = NAN;
        for (int64_t d = 0; failed && d < x->labels; d++)
            x->error[b * x->labels + d] = NAN;
    }
    ANPE_TRY(anpe_h5_append_rows(ctx, x->file, "gradient", ANPE_H5_FLOAT, f->n, x->gradient));
    ANPE_TRY(anpe_h5_append_rows(ctx, x->file, "error", ANPE_H5_DOUBLE, f->n, x->error));
    ANPE_TRY(anpe_h5_append_rows(ctx, x->file, "mask", ANPE_H5_UINT8, f->n, x->mask));
out:
    return status;
}

static anpe_status write_ids(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    const anpe_row_list rows = {f->result, f->store};
    return anpe_infer_put_ids(ctx, &rows, ((explanations *)state)->file);
}

const anpe_infer_extra anpe_infer_explain = {.output = output,
                                             .open = open_explanations,
                                             .create = create_file,
                                             .star = explain_star,
                                             .pieces = pieces,
                                             .block = append_block,
                                             .end = write_ids,
                                             .free = close_explanations};
