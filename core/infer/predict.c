/* The file of model spectra: `anpe infer --predict`. For each star the spectrum as it was reduced,
 * and under the same continuum rule, error bars and mask the simulator's spectrum at
 *
 *   median   the posterior medians of the labels, one by one
 *   mean     the posterior means
 *   best     the draw with the smallest chi2 among the star's first BEST_OF draws; of draws that
 *            were made exact the one with the highest likelihood times prior
 *
 * Every block is written as soon as it is done. */
#include "infer/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEDIAN, MEAN, BEST, N_KINDS, BEST_OF = 100 };

/* Names of the datasets. */
static const struct {
    const char *flux, *theta, *chi2;
} name[N_KINDS] = {{"median", "theta_median", "chi2_median"},
                   {"mean", "theta_mean", "chi2_mean"},
                   {"best", "theta_best", "chi2_best"}};

typedef struct predictions {
    anpe_h5 *file;
    int64_t pixels, labels;
    float *flux[N_KINDS];    /* (block, pixels) */
    double *theta[N_KINDS];  /* (block, labels) */
    double *chi2[N_KINDS];   /* (block) */
    float *observed, *sigma; /* (block, pixels) the spectra as they were reduced */
    uint8_t *mask;           /* (block, pixels) */
    int64_t *n_good;         /* (block) */
} predictions;

static const char *output(const anpe_infer_request *q)
{
    return q->predict;
}

/* ---- set-up ------------------------------------------------------------------------------ */

static void close_predictions(void *state)
{
    predictions *p = state;
    for (int k = 0; k < N_KINDS; k++) {
        free(p->flux[k]);
        free(p->theta[k]);
        free(p->chi2[k]);
    }
    free(p->observed);
    free(p->sigma);
    free(p->mask);
    free(p->n_good);
    free(p);
}

static anpe_status allocate(anpe_ctx *ctx, const anpe_inference *f, predictions *p)
{
    const int64_t block = f->block;
    if (ANPE_NEW(ctx, p->observed, block, p->pixels) || ANPE_NEW(ctx, p->sigma, block, p->pixels) ||
        ANPE_NEW(ctx, p->mask, block, p->pixels) || ANPE_NEW(ctx, p->n_good, block))
        return ANPE_ENOMEM;
    for (int k = 0; k < N_KINDS; k++)
        if (ANPE_NEW(ctx, p->flux[k], block, p->pixels) ||
            ANPE_NEW(ctx, p->theta[k], block, p->labels) || ANPE_NEW(ctx, p->chi2[k], block))
            return ANPE_ENOMEM;
    return ANPE_OK;
}

static anpe_status create_rows(anpe_ctx *ctx, const anpe_inference *f, const predictions *p)
{
    const int64_t spectrum[2] = {0, p->pixels}, labels[2] = {0, p->labels};
    anpe_status status;
    ANPE_TRY(anpe_h5_create_rows(ctx, p->file, "flux", ANPE_H5_FLOAT, 2, spectrum));
    ANPE_TRY(anpe_h5_create_rows(ctx, p->file, "sigma", ANPE_H5_FLOAT, 2, spectrum));
    ANPE_TRY(anpe_h5_create_rows(ctx, p->file, "mask", ANPE_H5_UINT8, 2, spectrum));
    ANPE_TRY(anpe_h5_create_rows(ctx, p->file, "n_good", ANPE_H5_INT64, 1, spectrum));
    for (int k = 0; k < N_KINDS; k++) {
        ANPE_TRY(anpe_h5_create_rows(ctx, p->file, name[k].flux, ANPE_H5_FLOAT, 2, spectrum));
        ANPE_TRY(anpe_h5_create_rows(ctx, p->file, name[k].theta, ANPE_H5_DOUBLE, 2, labels));
        ANPE_TRY(anpe_h5_create_rows(ctx, p->file, name[k].chi2, ANPE_H5_DOUBLE, 1, spectrum));
        ANPE_TRY(anpe_h5_put_labels(ctx, p->file, name[k].theta, "labels", f->result->n_labels,
                                    f->result->label));
    }
out:
    return status;
}

static anpe_status create_file(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    predictions *p = state;
    const int64_t best_of = f->request->n_draws < BEST_OF ? f->request->n_draws : BEST_OF;
    anpe_status status;
    ANPE_TRY(anpe_infer_output(ctx, f, f->request->predict, "anpe predictions", &p->file));
    ANPE_TRY(anpe_h5_put_numbers(ctx, p->file, "/", "best_of", ANPE_H5_INT64, 1, &best_of));
    ANPE_TRY(anpe_infer_put_pixels(ctx, f, p->file));
    ANPE_TRY(create_rows(ctx, f, p));
out:
    return status;
}

static anpe_status open_predictions(anpe_ctx *ctx, anpe_inference *f, void **state)
{
    if (!f->request->predict)
        return ANPE_OK;
    anpe_status status = anpe_model_can_predict(ctx, f->model);
    if (status)
        return status;
    predictions *p;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    *state = p;
    p->pixels = anpe_task_size(f->model->task);
    p->labels = f->result->n_labels;
    return allocate(ctx, f, p);
}

/* ---- one star ---------------------------------------------------------------------------- */

static void set_nan(predictions *p, int kind, int64_t b)
{
    for (int64_t i = 0; i < p->pixels; i++)
        p->flux[kind][b * p->pixels + i] = NAN;
    for (int64_t d = 0; d < p->labels; d++)
        p->theta[kind][b * p->labels + d] = NAN;
    p->chi2[kind][b] = NAN;
}

/* The spectrum at theta becomes that of `kind` unless there is a better one already. A simulator
 * that fails at these labels leaves what is there. */
static void try_labels(anpe_ctx *ctx, const anpe_inference *f, predictions *p, int kind, int lane,
                       int64_t b, const double *theta)
{
    const float *flux;
    double chi2;
    int64_t n_good;
    if (anpe_session_predict(f->lane[lane].session, ctx, &flux, &chi2, &n_good, theta,
                             &f->spectrum[b]) ||
        !(isnan(p->chi2[kind][b]) || chi2 < p->chi2[kind][b]))
        return;
    memcpy(p->flux[kind] + b * p->pixels, flux, (size_t)p->pixels * sizeof *flux);
    memcpy(p->theta[kind] + b * p->labels, theta, (size_t)p->labels * sizeof *theta);
    p->chi2[kind][b] = chi2;
}

static anpe_status predict_star(anpe_ctx *ctx, anpe_inference *f, void *state, int lane, int64_t b,
                                int64_t i)
{
    predictions *p = state;
    const anpe_star *star = &f->star[b];
    const double *draw = anpe_infer_theta(f, lane, b);
    double *theta = f->lane[lane].column;
    (void)i;
    for (int k = 0; k < N_KINDS; k++)
        set_nan(p, k, b);
    for (int64_t d = 0; d < p->labels; d++)
        theta[d] = star->label[d].median;
    try_labels(ctx, f, p, MEDIAN, lane, b, theta);
    for (int64_t d = 0; d < p->labels; d++)
        theta[d] = star->label[d].mean;
    try_labels(ctx, f, p, MEAN, lane, b, theta);
    const double *best = anpe_infer_exact_best(f, b);
    if (best)
        try_labels(ctx, f, p, BEST, lane, b, best);
    for (int64_t k = 0; !best && k < f->request->n_draws && k < BEST_OF; k++)
        try_labels(ctx, f, p, BEST, lane, b, draw + k * p->labels);
    p->n_good[b] = star->n_good;
    const size_t n = (size_t)p->pixels;
    memcpy(p->observed + (size_t)b * n, f->spectrum[b].flux, n * sizeof *p->observed);
    memcpy(p->sigma + (size_t)b * n, f->spectrum[b].sigma, n * sizeof *p->sigma);
    memcpy(p->mask + (size_t)b * n, f->spectrum[b].mask, n);
    return ANPE_OK;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* A star without a posterior: NAN, every pixel bad. */
static void blank_failed(const anpe_inference *f, predictions *p)
{
    for (int64_t b = 0; b < f->n; b++) {
        if (!f->star[b].failed)
            continue;
        for (int k = 0; k < N_KINDS; k++)
            set_nan(p, k, b);
        for (int64_t i = b * p->pixels; i < (b + 1) * p->pixels; i++)
            p->observed[i] = p->sigma[i] = NAN;
        memset(p->mask + b * p->pixels, 1, (size_t)p->pixels);
        p->n_good[b] = 0;
    }
}

static int pieces(const anpe_inference *f, void *state, int64_t n, anpe_piece *piece)
{
    const predictions *p = state;
    const size_t stars = (size_t)n, pixels = stars * (size_t)p->pixels;
    int m = 0;
    (void)f;
    piece[m++] = (anpe_piece){p->observed, pixels * sizeof *p->observed};
    piece[m++] = (anpe_piece){p->sigma, pixels * sizeof *p->sigma};
    piece[m++] = (anpe_piece){p->mask, pixels};
    piece[m++] = (anpe_piece){p->n_good, stars * sizeof *p->n_good};
    for (int k = 0; k < N_KINDS; k++) {
        piece[m++] = (anpe_piece){p->flux[k], pixels * sizeof *p->flux[k]};
        piece[m++] = (anpe_piece){p->theta[k], stars * (size_t)p->labels * sizeof *p->theta[k]};
        piece[m++] = (anpe_piece){p->chi2[k], stars * sizeof *p->chi2[k]};
    }
    return m;
}

static anpe_status append_block(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    predictions *p = state;
    anpe_status status;
    blank_failed(f, p);
    ANPE_TRY(anpe_h5_append_rows(ctx, p->file, "flux", ANPE_H5_FLOAT, f->n, p->observed));
    ANPE_TRY(anpe_h5_append_rows(ctx, p->file, "sigma", ANPE_H5_FLOAT, f->n, p->sigma));
    ANPE_TRY(anpe_h5_append_rows(ctx, p->file, "mask", ANPE_H5_UINT8, f->n, p->mask));
    ANPE_TRY(anpe_h5_append_rows(ctx, p->file, "n_good", ANPE_H5_INT64, f->n, p->n_good));
    for (int k = 0; k < N_KINDS; k++) {
        ANPE_TRY(anpe_h5_append_rows(ctx, p->file, name[k].flux, ANPE_H5_FLOAT, f->n, p->flux[k]));
        ANPE_TRY(
            anpe_h5_append_rows(ctx, p->file, name[k].theta, ANPE_H5_DOUBLE, f->n, p->theta[k]));
        ANPE_TRY(anpe_h5_append_rows(ctx, p->file, name[k].chi2, ANPE_H5_DOUBLE, f->n, p->chi2[k]));
    }
out:
    return status;
}

static anpe_status write_ids(anpe_ctx *ctx, anpe_inference *f, void *state)
{
    const anpe_row_list rows = {f->result, f->store};
    return anpe_infer_put_ids(ctx, &rows, ((predictions *)state)->file);
}

const anpe_infer_extra anpe_infer_predict = {.output = output,
                                             .open = open_predictions,
                                             .create = create_file,
                                             .star = predict_star,
                                             .pieces = pieces,
                                             .block = append_block,
                                             .end = write_ids,
                                             .free = close_predictions};
