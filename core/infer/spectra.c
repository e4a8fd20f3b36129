/* The list of spectra of a run, and the reading of one. */
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

/* *with_another: the file is a part of a spectrum that another file stands for. */
static anpe_status count_rows(anpe_ctx *ctx, const anpe_inference *f, const char *path, int64_t *n,
                              int *with_another)
{
    const anpe_instrument *inst = &f->model->task->instrument;
    anpe_input input;
    anpe_status status = anpe_input_open(inst, ctx, path, &input);
    if (status)
        return status;
    status = anpe_instrument_count(inst, ctx, &input, n);
    *with_another = !status && *n == 0 && !input.h5;
    anpe_input_close(&input);
    return status;
}

anpe_status anpe_infer_list_stars(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    int64_t capacity = 0;
    for (int i = 0; i < q->n_files; i++) {
        int64_t n = 0;
        int with_another = 0;
        anpe_status status = count_rows(ctx, f, q->files[i], &n, &with_another);
        if (status == ANPE_ENOMEM)
            return status;
        if (with_another)
            continue;
        if (status || n == 0) { /* one row that says why */
            anpe_status added = add_star(ctx, f->result, &capacity, q->files[i], 0);
            if (added)
                return added;
            anpe_star *s = &f->result->star[f->result->n_stars - 1];
            snprintf(s->id, sizeof s->id, "%s", q->files[i]);
            anpe_infer_fail_star(s, status ? anpe_error(ctx) : "the file holds no spectrum");
            if (!f->first_failure)
                f->first_failure = status ? status : ANPE_EFORMAT;
            continue;
        }
        for (int64_t row = 0; row < n; row++)
            if ((status = add_star(ctx, f->result, &capacity, q->files[i], row)))
                return status;
    }
    if (f->result->n_stars == 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: read with another file of its star, which was not given",
                         q->n_files ? q->files[0] : "");
    return ANPE_OK;
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

/* Rows of one file follow each other: it is opened for the first and stays open. */
static anpe_status read_row(anpe_ctx *ctx, anpe_inference *f, const anpe_star *star,
                            anpe_spectrum *s)
{
    const anpe_instrument *inst = &f->model->task->instrument;
    anpe_status status = ANPE_OK;
    if (f->input.path != star->file) {
        anpe_input_close(&f->input);
        status = anpe_input_open(inst, ctx, star->file, &f->input);
    }
    return status ? status : anpe_instrument_read(inst, ctx, &f->input, star->row, s);
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
