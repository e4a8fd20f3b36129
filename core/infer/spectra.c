/* The list of spectra of a run, and the reading of one. A file is opened once: counted when its
 * turn comes, and read while it is open. */
#include "infer/run.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void anpe_infer_fail_star(anpe_star *star, const char *reason)
{
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

static anpe_status add_star(anpe_ctx *ctx, anpe_infer_result *r, int64_t *capacity,
                            const char *file, int64_t row)
{
    if (ANPE_GROW(ctx, r->star, *capacity, r->n_stars + 1))
        return ANPE_ENOMEM;
    anpe_star *s = &r->star[r->n_stars];
    *s = anpe_infer_unread;
    s->file = file;
    s->row = row;
    r->n_stars++;
    if (ANPE_NEW(ctx, s->label, r->n_labels) || ANPE_NEW(ctx, s->truth, r->n_labels))
        return ANPE_ENOMEM;
    for (int64_t d = 0; d < r->n_labels; d++) {
        s->label[d] = anpe_no_summary;
        s->truth[d] = NAN;
    }
    return ANPE_OK;
}

static anpe_status open_input(anpe_ctx *ctx, anpe_inference *f, const char *path)
{
    anpe_input_close(&f->input);
    return anpe_input_open(&f->model->task->instrument, ctx, path, &f->input);
}

/* One row that says why the file has none. */
static anpe_status add_failed(anpe_ctx *ctx, anpe_inference *f, const char *path,
                              anpe_status status)
{
    const anpe_status added = add_star(ctx, f->result, &f->capacity, path, 0);
    if (added)
        return added;
    anpe_star *s = &f->result->star[f->result->n_stars - 1];
    snprintf(s->id, sizeof s->id, "%s", path);
    anpe_infer_fail_star(s, status ? anpe_error(ctx) : "the file holds no spectrum");
    if (!f->first_failure)
        f->first_failure = status ? status : ANPE_EFORMAT;
    return ANPE_OK;
}

/* The next file, whose rows are to be listed; it stays open. *listed: it has none of its own and
 * is not the part of a spectrum that another file stands for, which a row says. */
static anpe_status next_file(anpe_ctx *ctx, anpe_inference *f, int *listed)
{
    const char *path = f->request->files[f->n_opened++];
    anpe_status status = open_input(ctx, f, path);
    f->n_rows = f->row = 0;
    if (!status)
        status = anpe_instrument_count(&f->model->task->instrument, ctx, &f->input, &f->n_rows);
    if (status)
        f->n_rows = 0;
    *listed = status || (f->n_rows == 0 && f->input.h5);
    return status == ANPE_ENOMEM ? status : *listed ? add_failed(ctx, f, path, status) : ANPE_OK;
}

/* One more star at the end of the list. *more: there was one. */
static anpe_status list_star(anpe_ctx *ctx, anpe_inference *f, int *more)
{
    const anpe_infer_request *q = f->request;
    anpe_status status = ANPE_OK;
    *more = f->result->n_stars < q->n_spectra;
    if (*more)
        return add_star(ctx, f->result, &f->capacity, "", f->result->n_stars);
    while (!status && !*more && f->row == f->n_rows && f->n_opened < q->n_files)
        status = next_file(ctx, f, more);
    if (status || *more || f->row == f->n_rows)
        return status;
    *more = 1;
    return add_star(ctx, f->result, &f->capacity, q->files[f->n_opened - 1], f->row++);
}

anpe_status anpe_infer_list_stars(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_status status = ANPE_OK;
    for (int more = 1; more && !status;)
        status = list_star(ctx, f, &more);
    return status;
}

anpe_status anpe_infer_next_star(anpe_ctx *ctx, anpe_inference *f, int *more)
{
    *more = f->first + f->n < f->result->n_stars;
    return *more ? ANPE_OK : list_star(ctx, f, more);
}

double anpe_infer_stars_to_come(const anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    const int64_t memory = q->n_spectra ? q->n_spectra - f->result->n_stars : 0;
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
        anpe_infer_fail_star(star, anpe_error(ctx));
        f->first_failure = f->first_failure ? f->first_failure : status;
        return;
    }
    const char *reason = sigma_is_missed_by(f);
    if (!reason)
        reason = anpe_model_misses_mask(f->model, s);
    if (reason) {
        anpe_infer_fail_star(star, reason);
        f->first_failure = f->first_failure ? f->first_failure : ANPE_EFORMAT;
        return;
    }
    if (f->input.h5 && anpe_spectra_file_truth(ctx, f->input.h5, star->row, f->result->n_labels,
                                               f->result->label, star->truth, &star->has_truth))
        star->has_truth = 0;
}
