/* Posteriors of many spectra. The main thread reads a block, workers reduce, featurize and draw
 * one spectrum of it after the other, each alone: products of several rows at once round by how
 * many there are, and what is said of a spectrum must not depend on its company. Meanwhile the main
 * thread keeps the rows and lets the extras append to their files. */
#include "infer/run.h"
#include "base/clock.h"
#include "file/catalogue_read.h"
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const anpe_infer_extra *const extras[] = {&anpe_infer_draws_file, &anpe_infer_draws_kept,
                                                 &anpe_infer_predict,    &anpe_infer_explain,
                                                 &anpe_infer_compare,    &anpe_infer_check};
enum { N_EXTRAS = sizeof extras / sizeof extras[0] };
_Static_assert((int)N_EXTRAS <= (int)ANPE_INFER_MAX_EXTRAS, "no room for every extra's state");

const char *const anpe_flag_names[ANPE_N_FLAGS] = {
    "FAILED",           "PRIOR_EDGE",         "CHI2",        "FEW_PIXELS",
    "UNFINISHED_MODEL", "NOT_EXACT",          "KHAT",        "OUT_OF_TRAINING",
    "PREDICTIVE_CHI2",  "BAD_PIXELS_OUTSIDE", "SNR_OUTSIDE", "NOT_VALIDATED"};

const char *const anpe_flag_help[ANPE_N_FLAGS] = {
    "There is no posterior; the column reason says why.",
    "Draws pile up at a bound of the prior: the star may lie beyond it.",
    "The model does not fit: chi2 per good pixel at the median labels is above 3.",
    "Under half of the pixels are good.",
    "The training of the model had not ended.",
    "An exact posterior was asked for and not reached; the column exact_reason says why.",
    "The tail of the importance weights is too heavy (k-hat above 0.7) to trust the numbers.",
    "The network's view of the spectrum is unlike that of any simulation: outside of the training.",
    "The residuals are unlike those of any spectrum of the simulator.",
    "More pixels are bad than in the training.",
    "The signal-to-noise ratio is outside of that of the training.",
    "The model was not validated: nothing is known of its calibration, or of spectra unlike those "
    "of the training."};

/* ---- one block --------------------------------------------------------------------------- */

static void judge_star(const anpe_inference *f, anpe_star *star, const anpe_spectrum *s)
{
    if (star->chi2 > 3 * (double)star->n_good)
        star->flags |= ANPE_FLAG_CHI2;
    if (2 * star->n_good < s->n_pixels)
        star->flags |= ANPE_FLAG_FEW_PIXELS;
    if (!f->model->complete)
        star->flags |= ANPE_FLAG_UNFINISHED;
}

/* Draws and their statistics. */
static anpe_status draw_star(anpe_inference *f, anpe_ctx *ctx, int lane, int64_t b, int64_t i)
{
    const int64_t n = f->request->n_draws;
    anpe_infer_lane *l = &f->lane[lane];
    anpe_star *star = &f->result->star[f->first + b];
    double *theta = anpe_infer_theta(f, lane, b);
    anpe_rng rng = anpe_rng_make(f->request->seed, ANPE_FOR_POSTERIOR, f->first + b, 0);
    if (f->exact)
        return anpe_infer_exact_star(ctx, f, lane, b, i);
    anpe_status status =
        anpe_session_draw(l->session, ctx, i, n, &rng, theta, anpe_infer_log_q(f, lane, b));
    if (status)
        return status;
    anpe_infer_summarise(f, star, theta, l->column);
    star->n_draws = n;
    return ANPE_OK;
}

/* Draws, statistics, chi2 and extras of spectrum b of the block, the i-th of the lane's batch. */
static anpe_status finish_star(anpe_inference *f, anpe_ctx *ctx, int lane, int64_t b, int64_t i)
{
    const int64_t labels = f->result->n_labels;
    anpe_infer_lane *l = &f->lane[lane];
    anpe_star *star = &f->result->star[f->first + b];
    double *theta = anpe_infer_theta(f, lane, b), *median = l->column;
    anpe_status status;
    ANPE_TRY(draw_star(f, ctx, lane, b, i));
    f->outside[b] = anpe_infer_count_outside(f, theta);
    for (int64_t d = 0; d < labels; d++)
        median[d] = star->label[d].median;
    if (anpe_session_chi2(l->session, ctx, median, &f->spectrum[b], &star->chi2, &star->n_good))
        star->chi2 = NAN; /* a diagnostic: its failure leaves the posterior as it is */
    star->snr = anpe_task_snr(f->model->task, &f->spectrum[b]);
    judge_star(f, star, &f->spectrum[b]);
    for (int k = 0; k < N_EXTRAS; k++)
        if (f->extra[k] && extras[k]->star)
            ANPE_TRY(extras[k]->star(ctx, f, f->extra[k], lane, b, i));
out:
    return status;
}

/* What may have been found of a star before it failed is no posterior. */
static void fail_finished(const anpe_inference *f, anpe_star *star, const char *reason)
{
    for (int64_t d = 0; d < f->result->n_labels; d++)
        star->label[d] = anpe_no_summary;
    anpe_infer_fail_star(star, reason);
}

static anpe_status infer_star(anpe_inference *f, anpe_ctx *ctx, int worker, int64_t b)
{
    anpe_session *session = f->lane[worker].session;
    anpe_star *star = &f->result->star[f->first + b];
    if (star->failed)
        return ANPE_OK;
    if (anpe_task_reduce(f->model->task, ctx, &f->spectrum[b]) ||
        anpe_session_look(session, ctx, 0, &f->spectrum[b])) {
        anpe_infer_fail_star(star, anpe_error(ctx));
        return ANPE_OK;
    }
    anpe_session_featurize(session, 1);
    const anpe_status status = finish_star(f, ctx, worker, b, 0);
    if (status == ANPE_ECANCEL) /* the run's, not the star's */
        return status;
    if (status)
        fail_finished(f, star, anpe_error(ctx));
    return ANPE_OK;
}

static anpe_status run_star(void *user, int64_t b, int worker, anpe_ctx *ctx)
{
    anpe_inference *f = user;
    const anpe_status status = infer_star(f, ctx, worker, b);
    const int64_t done = atomic_fetch_add(&f->n_done, 1) + 1;
    anpe_progress(ctx, "inferring", (double)done,
                  (double)f->result->n_stars + anpe_infer_stars_to_come(f));
    return status;
}

/* Most reasons start with the name of the file. */
static void warn_failed(anpe_ctx *ctx, const anpe_star *s)
{
    const char *name = s->id[0] ? s->id : s->file;
    if (strncmp(s->reason, name, strlen(name)))
        anpe_log(ctx, ANPE_WARNING, "%s: %s", name, s->reason);
    else
        anpe_log(ctx, ANPE_WARNING, "%s", s->reason);
}

/* Warns of the stars up to `end` that failed, those of earlier blocks included. */
static void report_failures(anpe_ctx *ctx, anpe_inference *f, int64_t end)
{
    for (; f->n_reported < end; f->n_reported++)
        if (f->result->star[f->n_reported].failed)
            warn_failed(ctx, &f->result->star[f->n_reported]);
}

/* Lists and reads the stars of the block that starts at `first`. */
static anpe_status read_block(anpe_ctx *ctx, anpe_inference *f)
{
    for (f->n = 0; f->n < f->block; f->n++) {
        int more;
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
        const anpe_status status = anpe_infer_next_star(ctx, f, &more);
        if (status || !more)
            return status;
        anpe_infer_read_star(ctx, f, &f->result->star[f->first + f->n], &f->spectrum[f->n]);
    }
    return ANPE_OK;
}

static anpe_status run_block(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_infer_result *r = f->result;
    memset(f->outside, 0, (size_t)f->block * sizeof *f->outside);
    anpe_status status = read_block(ctx, f);
    if (status || f->n == 0)
        return status;
    status = anpe_workers_run(f->workers, ctx, f->n, run_star, f);
    if (status)
        return status;
    for (int64_t b = 0; b < f->n; b++) {
        const anpe_star *s = &r->star[f->first + b];
        r->n_failed += s->failed;
        r->n_outside += f->outside[b];
    }
    if (r->n_failed < f->first + f->n) /* while none has worked, the first is the run's error */
        report_failures(ctx, f, f->first + f->n);
    for (int k = 0; k < N_EXTRAS && !status; k++)
        if (f->extra[k] && extras[k]->block)
            status = extras[k]->block(ctx, f, f->extra[k]);
    return status;
}

/* ---- set-up and end ---------------------------------------------------------------------- */

/* Stars at a time: as many as BLOCK_BYTES hold, and one for each worker at least. */
static void choose_block(anpe_inference *f)
{
    enum { BLOCK_BYTES = 16 << 20 };
    const anpe_infer_request *q = f->request;
    const double labels = (double)f->result->n_labels, pixel = 9; /* flux, sigma, mask */
    const double pixels = (double)anpe_task_size(f->model->task);
    const double draws = f->keep ? (double)q->n_draws * (labels + 1 + (q->exact ? 1 : 0)) : 0;
    const double star = draws * sizeof(double) +
                        pixels * (pixel + (q->predict ? 16 : 0) + (q->explain ? 4 * labels : 0));
    const int64_t most = (int64_t)fmin(BLOCK_BYTES / star, ANPE_INFER_BLOCK);
    f->block = most > f->n_lanes ? most : f->n_lanes;
}

static anpe_status open_memory(anpe_ctx *ctx, anpe_inference *f)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    anpe_status status = anpe_workers_new(ctx, f->request->threads, &f->workers);
    if (status)
        return status;
    f->n_lanes = anpe_workers_count(f->workers);
    f->keep = f->request->posterior || f->request->draws;
    choose_block(f);
    const int64_t rows = f->keep ? f->block : f->n_lanes;
    if (ANPE_NEW(ctx, f->lane, f->n_lanes) || ANPE_NEW(ctx, f->spectrum, f->block) ||
        ANPE_NEW(ctx, f->theta, rows, n, labels) || ANPE_NEW(ctx, f->log_q, rows, n) ||
        ANPE_NEW(ctx, f->outside, f->block) ||
        ANPE_NEW(ctx, f->room, anpe_task_size(f->model->task)))
        return ANPE_ENOMEM;
    for (int64_t b = 0; b < f->block && !status; b++)
        status = anpe_spectrum_new(ctx, anpe_task_size(f->model->task), &f->spectrum[b]);
    for (int i = 0; i < f->n_lanes && !status; i++) {
        const int64_t columns = n > labels ? n : labels;
        if (ANPE_NEW(ctx, f->lane[i].column, columns))
            return ANPE_ENOMEM;
        const int64_t most = f->request->exact && n < anpe_exact_block() ? anpe_exact_block() : n;
        status = anpe_session_new_batch(ctx, f->model, 1, most, &f->lane[i].session);
    }
    return status;
}

static anpe_status copy_labels(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_label *label;
    anpe_infer_result *r = f->result;
    r->n_labels = anpe_model_labels(f->model, &label);
    r->exact = f->request->exact;
    memcpy(r->model_digest, f->model->digest, sizeof r->model_digest);
    if (ANPE_NEW(ctx, r->label, r->n_labels))
        return ANPE_ENOMEM;
    memcpy(r->label, label, (size_t)r->n_labels * sizeof *label);
    return ANPE_OK;
}

static void close_inference(anpe_inference *f)
{
    for (int i = 0; f->lane && i < f->n_lanes; i++) {
        anpe_session_free(f->lane[i].session);
        free(f->lane[i].column);
    }
    free(f->lane);
    anpe_infer_exact_free(f->exact);
    for (int64_t b = 0; f->spectrum && b < f->block; b++)
        anpe_spectrum_clear(&f->spectrum[b]);
    free(f->spectrum);
    free(f->theta);
    free(f->log_q);
    free(f->outside);
    free(f->room);
    anpe_workers_free(f->workers);
    anpe_input_close(&f->input);
    for (int k = 0; k < N_EXTRAS; k++)
        if (f->extra[k] && extras[k]->free)
            extras[k]->free(f->extra[k]);
    for (int k = 0; k < f->n_outputs; k++)
        anpe_h5_abandon(f->output[k]);
    if (f->model != f->request->opened)
        anpe_model_close(f->model);
}

/* The reason of the first star is said here alone. */
static anpe_status all_failed(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_star *s = &f->result->star[0];
    const anpe_status status = f->first_failure ? f->first_failure : ANPE_EFORMAT;
    f->n_reported = 1;
    report_failures(ctx, f, f->result->n_stars);
    if (f->result->n_stars == 1)
        return ANPE_FAIL(ctx, status, "%s", s->reason);
    return ANPE_FAIL(ctx, status, "none of %lld spectra could be used; the first: %s",
                     (long long)f->result->n_stars, s->reason);
}

/* Before the model is opened, f->model is NULL; then once more. */
static anpe_status check_outputs(anpe_ctx *ctx, const anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    const char *path[N_EXTRAS];
    for (int k = 0; k < N_EXTRAS; k++)
        path[k] = extras[k]->output ? extras[k]->output(q) : NULL;
    return f->model ? anpe_infer_check_inputs(ctx, f, N_EXTRAS, path)
                    : anpe_infer_check_outputs(ctx, q, N_EXTRAS, path);
}

static anpe_status open_inference(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_status status;
    ANPE_TRY(copy_labels(ctx, f));
    ANPE_TRY(anpe_infer_check_labels(ctx, f->result->n_labels));
    const anpe_infer_request *q = f->request;
    if ((q->compare && !q->compare_id) || q->draws) /* row by row: how many are there? */
        ANPE_TRY(anpe_infer_list_stars(ctx, f));
    ANPE_TRY(open_memory(ctx, f));
    ANPE_TRY(anpe_infer_exact_open(ctx, f));
    for (int k = 0; k < N_EXTRAS; k++)
        ANPE_TRY(extras[k]->open(ctx, f, &f->extra[k]));
out:
    return status;
}

static anpe_status run_blocks(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_result *r = f->result;
    anpe_status status;
    do {
        ANPE_TRY(run_block(ctx, f));
        f->first += f->block;
    } while (f->n == f->block);
    if (r->n_stars == 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: read with another file of its star, which was not given",
                         f->request->n_files ? f->request->files[0] : "");
    if (r->n_failed == r->n_stars)
        return all_failed(ctx, f);
    ANPE_TRY(anpe_infer_compare_with_truth(ctx, f->result));
    for (int k = 0; k < N_EXTRAS; k++)
        if (f->extra[k] && extras[k]->end)
            ANPE_TRY(extras[k]->end(ctx, f, f->extra[k]));
out:
    return status;
}

anpe_status anpe_infer_files(anpe_ctx *ctx, const anpe_infer_request *request,
                             anpe_infer_result *result)
{
    anpe_inference f = {.request = request, .result = result};
    anpe_status status;
    memset(result, 0, sizeof *result);
    ANPE_TRY(check_outputs(ctx, &f));
    if (request->opened)
        f.model = request->opened;
    else
        ANPE_TRY(
            anpe_model_open_with(ctx, request->model, request->n_sets, request->sets, &f.model));
    ANPE_TRY(check_outputs(ctx, &f));
    if (f.model->observed)
        anpe_log(ctx, ANPE_WARNING, "%s: trained in rounds for %s: of use for this spectrum alone",
                 request->model, f.model->observed);
    const double begun = anpe_clock_seconds();
    ANPE_TRY(open_inference(ctx, &f));
    ANPE_TRY(run_blocks(ctx, &f));
    ANPE_TRY(anpe_infer_commit(ctx, &f));
    result->seconds = anpe_clock_seconds() - begun;
out:
    close_inference(&f);
    return status;
}

void anpe_infer_result_clear(anpe_infer_result *r)
{
    for (int64_t i = 0; i < r->n_stars; i++) {
        free(r->star[i].label);
        free(r->star[i].truth);
        free(r->star[i].members);
    }
    free(r->star);
    free(r->label);
    free(r->recovery);
    free(r->comparison.given);
    anpe_catalogue_texts_free(r->n_names, r->name);
    memset(r, 0, sizeof *r);
}
