/* The list of spectra of a run, and the reading of one. A file is opened once: counted when its
 * turn comes, and read while it is open. */
#include "infer/run.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void anpe_infer_fail_star(anpe_inference *f, anpe_star *star, anpe_status status,
                          const char *reason)
{
    if (star == f->star)
        f->failure = status;
    star->failed = 1;
    star->n_draws = 0;
    star->flags |= ANPE_FLAG_FAILED;
    snprintf(star->reason, sizeof star->reason, "%s", reason);
}

const anpe_star anpe_infer_unread = {.chi2 = NAN,
                                     .snr = NAN,
                                     .chi2_catalogue = NAN,
                                     .ess = NAN,
                                     .efficiency = NAN,
                                     .proposal_efficiency = NAN,
                                     .khat = NAN,
                                     .rhat = NAN,
                                     .log_evidence = NAN,
                                     .log_evidence_err = NAN,
                                     .context_distance = NAN,
                                     .context_p = NAN,
                                     .predictive_score = NAN,
                                     .predictive_p = NAN,
                                     .edge_mass = NAN,
                                     .log_together = NAN};

/* The next star of the block. */
static anpe_star *add_star(anpe_inference *f, const char *file, int64_t row)
{
    const int64_t labels = f->result->n_labels;
    anpe_star *s = &f->star[f->n];
    *s = anpe_infer_unread;
    s->label = f->summary + f->n * labels;
    s->truth = f->truth + f->n * labels;
    s->file = file;
    s->row = row;
    for (int64_t d = 0; d < labels; d++) {
        s->label[d] = anpe_no_summary;
        s->truth[d] = NAN;
    }
    return s;
}

static anpe_status open_input(anpe_ctx *ctx, anpe_inference *f, const char *path)
{
    anpe_input_close(&f->input);
    return anpe_input_open(&f->model->task->instrument, ctx, path, &f->input);
}

/* One row that says why the file has none. */
static void add_failed(anpe_ctx *ctx, anpe_inference *f, const char *path, anpe_status status)
{
    anpe_star *s = add_star(f, path, 0);
    snprintf(s->id, sizeof s->id, "%s", path);
    anpe_infer_fail_star(f, s, status ? status : ANPE_EFORMAT,
                         status ? anpe_error(ctx) : "the file holds no spectrum");
}

/* Opens a file, which stays open, and counts its rows. *empty: it has none of its own and is not
 * the part of a spectrum that another file stands for, which a row says. Returns why. */
static anpe_status count_rows(anpe_ctx *ctx, anpe_inference *f, const char *path, int64_t *n,
                              int *empty)
{
    anpe_status status = open_input(ctx, f, path);
    *n = 0;
    if (!status)
        status = anpe_instrument_count(&f->model->task->instrument, ctx, &f->input, n);
    if (status)
        *n = 0;
    *empty = status || (*n == 0 && f->input.h5);
    return status;
}

/* The next file, whose rows are to be listed. *listed: one was, that says why it has none. */
static anpe_status next_file(anpe_ctx *ctx, anpe_inference *f, int *listed)
{
    const char *path = f->request->files[f->n_opened++];
    const anpe_status status = count_rows(ctx, f, path, &f->n_rows, listed);
    f->row = f->skip < f->n_rows ? f->skip : f->n_rows;
    f->skip = 0;
    if (status == ANPE_ENOMEM)
        return status;
    if (*listed)
        add_failed(ctx, f, path, status);
    return ANPE_OK;
}

anpe_status anpe_infer_next_star(anpe_ctx *ctx, anpe_inference *f, int *more)
{
    const anpe_infer_request *q = f->request;
    const int64_t index = f->first + f->n;
    anpe_status status = ANPE_OK;
    *more = 0;
    if (q->n_parts || index >= f->to)
        return ANPE_OK;
    if (q->n_spectra) {
        *more = index < q->n_spectra;
        if (*more)
            add_star(f, "", index);
        return ANPE_OK;
    }
    while (!status && !*more && f->row == f->n_rows && f->n_opened < q->n_files)
        status = next_file(ctx, f, more);
    if (status || *more || f->row == f->n_rows)
        return status;
    *more = 1;
    add_star(f, q->files[f->n_opened - 1], f->row++);
    return ANPE_OK;
}

anpe_status anpe_infer_count_stars(anpe_ctx *ctx, anpe_inference *f, int64_t *n)
{
    const anpe_infer_request *q = f->request;
    *n = f->count ? f->n_all : q->n_spectra;
    if (f->count)
        return ANPE_OK;
    if (ANPE_NEW(ctx, f->count, q->n_files + 1))
        return ANPE_ENOMEM;
    for (int i = 0; i < q->n_files; i++) {
        int empty;
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
        if (count_rows(ctx, f, q->files[i], &f->count[i], &empty) == ANPE_ENOMEM)
            return ANPE_ENOMEM;
        f->count[i] += empty;
        *n += f->count[i];
        anpe_progress(ctx, "counting", (double)i + 1, (double)q->n_files);
    }
    f->n_all = *n;
    return ANPE_OK;
}

void anpe_infer_start_at(anpe_inference *f, int64_t first)
{
    const anpe_infer_request *q = f->request;
    int64_t at = 0;
    for (f->n_opened = 0; f->n_opened < q->n_files && at + f->count[f->n_opened] <= first;)
        at += f->count[f->n_opened++];
    f->skip = first - at;
}

double anpe_infer_stars_to_come(const anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    const int64_t listed = f->first + f->n;
    if (f->to < INT64_MAX)
        return (double)(f->to - listed);
    const int64_t memory = q->n_spectra ? q->n_spectra - listed : 0;
    return (double)(memory + q->n_files - f->n_opened + f->n_rows - f->row);
}

/* Plain arrays without sigma get 1 everywhere, which neither a network that reads sigma nor a
 * likelihood must see. Returns what is wrong, NULL: nobody needs it, or it is there. */
static const char *sigma_is_missed_by(const anpe_inference *f)
{
    const anpe_channels *c = f->model->channels;
    if (!f->input.h5 || anpe_spectra_file_has_sigma(f->input.h5))
        return NULL;
    for (int k = 0; k < c->n_kinds; k++)
        if (c->kind[k] == ANPE_CHANNEL_LOG_SIGMA)
            return "the model reads log_sigma and the file has no sigma";
    return f->exact ? "an exact posterior needs the errors and the file has no sigma" : NULL;
}

/* A spectrum in memory, judged as one of a file is. */
static anpe_status take_row(anpe_ctx *ctx, anpe_inference *f, const anpe_star *star,
                            anpe_spectrum *s)
{
    const anpe_infer_request *q = f->request;
    const int64_t n = s->n_pixels, at = star->row * n;
    for (int64_t p = 0; p < n; p++) {
        s->flux[p] = q->flux[at + p];
        s->sigma[p] = q->sigma[at + p];
        s->mask[p] = q->mask ? q->mask[at + p] != 0 : 0;
    }
    if (q->ids)
        snprintf(s->id, sizeof s->id, "%s", q->ids[star->row]);
    else
        snprintf(s->id, sizeof s->id, "[%lld]", (long long)star->row);
    f->input.named = q->ids != NULL;
    return anpe_instrument_judge(&f->model->task->instrument, ctx, s->id, s, f->room);
}

/* Rows of one file follow each other; it is open, unless all were listed beforehand. */
static anpe_status read_row(anpe_ctx *ctx, anpe_inference *f, const anpe_star *star,
                            anpe_spectrum *s)
{
    if (f->request->n_spectra)
        return take_row(ctx, f, star, s);
    const anpe_status status =
        f->input.path == star->file ? ANPE_OK : open_input(ctx, f, star->file);
    return status ? status
                  : anpe_instrument_read(&f->model->task->instrument, ctx, &f->input, star->row, s);
}

void anpe_infer_read_star(anpe_ctx *ctx, anpe_inference *f, anpe_star *star, anpe_spectrum *s)
{
    if (star->failed)
        return;
    s->id[0] = 0;
    anpe_status status = read_row(ctx, f, star, s);
    snprintf(star->id, sizeof star->id, "%s", s->id[0] ? s->id : star->file);
    star->named = f->input.named;
    if (status) {
        anpe_infer_fail_star(f, star, status, anpe_error(ctx));
        return;
    }
    const char *reason = sigma_is_missed_by(f);
    if (!reason)
        reason = anpe_model_misses_mask(f->model, s);
    if (reason) {
        anpe_infer_fail_star(f, star, ANPE_EFORMAT, reason);
        return;
    }
    if (f->input.h5 && anpe_spectra_file_truth(ctx, f->input.h5, star->row, f->result->n_labels,
                                               f->result->label, star->truth, &star->has_truth))
        star->has_truth = 0;
}
