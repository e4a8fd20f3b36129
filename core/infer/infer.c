/* Posteriors of many spectra. The main thread reads a block, workers reduce and fit a few of its
 * spectra together, where simulators take several without a change of a bit, then featurize and
 * draw one after the other: a network's products of several rows at once round by how many there
 * are, and what is said of a spectrum must not depend on its company. Meanwhile the main
 * thread keeps the rows and lets the extras append to their files. */
#include "infer/run.h"
#include "base/clock.h"
#include "file/catalogue_read.h"
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const anpe_infer_extra *const anpe_infer_extras[] = {&anpe_infer_draws_file, &anpe_infer_draws_kept,
                                                     &anpe_infer_predict,    &anpe_infer_explain,
                                                     &anpe_infer_compare,    &anpe_infer_check};
enum { N_EXTRAS = sizeof anpe_infer_extras / sizeof anpe_infer_extras[0] };
const int anpe_infer_n_extras = N_EXTRAS;
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
    anpe_star *star = &f->star[b];
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

/* Draws, statistics and extras of spectrum b of the block, the i-th of the lane's batch. */
static anpe_status finish_star(anpe_inference *f, anpe_ctx *ctx, int lane, int64_t b, int64_t i)
{
    const anpe_spectrum *s = &f->spectrum[b];
    anpe_status status;
    ANPE_TRY(draw_star(f, ctx, lane, b, i));
    f->star[b].n_good = 0;
    for (int64_t p = 0; p < s->n_pixels; p++)
        f->star[b].n_good += !s->mask[p];
    f->outside[b] = anpe_infer_count_outside(f, anpe_infer_theta(f, lane, b));
    for (int k = 0; k < N_EXTRAS; k++)
        if (f->extra[k] && anpe_infer_extras[k]->star)
            ANPE_TRY(anpe_infer_extras[k]->star(ctx, f, f->extra[k], lane, b, i));
out:
    return status;
}

/* What may have been found of a star before it failed is no posterior. */
static void fail_finished(anpe_inference *f, anpe_star *star, anpe_status status,
                          const char *reason)
{
    for (int64_t d = 0; d < f->result->n_labels; d++)
        star->label[d] = anpe_no_summary;
    anpe_infer_fail_star(f, star, status, reason);
}

/* Star b, the i-th to have been looked at. */
static anpe_status infer_star(anpe_inference *f, anpe_ctx *ctx, int lane, int64_t b, int64_t i)
{
    anpe_infer_lane *l = &f->lane[lane];
    const int64_t n_context = f->model->net->n_context;
    anpe_session_show(l->session, i, &f->spectrum[b]);
    anpe_session_featurize(l->session, 1);
    memcpy(l->context + i * n_context, anpe_session_context(l->session, 0),
           (size_t)n_context * sizeof *l->context);
    const anpe_status status = finish_star(f, ctx, lane, b, 0);
    if (status == ANPE_ECANCEL) /* the run's, not the star's */
        return status;
    if (status)
        fail_finished(f, &f->star[b], status, anpe_error(ctx));
    return ANPE_OK;
}

/* chi2 at the medians of n stars, and what follows from it. */
static void compare_stars(anpe_inference *f, anpe_ctx *ctx, int lane, int64_t n, const int64_t *b)
{
    anpe_infer_lane *l = &f->lane[lane];
    const anpe_spectrum *spectrum[ANPE_VIEW_MOST];
    double chi2[ANPE_VIEW_MOST], *median = l->median;
    int64_t n_good[ANPE_VIEW_MOST];
    for (int64_t k = 0; k < n; k++) {
        spectrum[k] = &f->spectrum[b[k]];
        for (int64_t d = 0; d < f->result->n_labels; d++)
            *median++ = f->star[b[k]].label[d].median;
    }
    anpe_session_chi2_all(l->session, ctx, n, l->median, spectrum, chi2, n_good);
    for (int64_t k = 0; k < n; k++) {
        anpe_star *star = &f->star[b[k]];
        star->chi2 = chi2[k];
        star->snr = anpe_task_snr(f->model->task, spectrum[k]);
        judge_star(f, star, spectrum[k]);
    }
}

static anpe_status finish_stars(anpe_inference *f, anpe_ctx *ctx, int lane, int64_t n,
                                const int64_t *looked)
{
    int64_t b[ANPE_VIEW_MOST], place[ANPE_VIEW_MOST], left = 0;
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < n; i++)
        if (!f->star[looked[i]].failed) {
            b[left] = looked[i];
            place[left++] = i;
        }
    compare_stars(f, ctx, lane, left, b);
    for (int k = 0; k < N_EXTRAS; k++)
        if (f->extra[k] && anpe_infer_extras[k]->together)
            ANPE_TRY(anpe_infer_extras[k]->together(ctx, f, f->extra[k], lane, left, b, place));
out:
    return status;
}

/* Those of the stars b .. end - 1 that can be reduced -> at; returns how many. */
static int64_t reduce_stars(anpe_inference *f, anpe_ctx *ctx, int64_t b, int64_t end, int64_t *at,
                            const anpe_spectrum **spectrum)
{
    int64_t n = 0;
    for (; b < end; b++) {
        if (f->star[b].failed)
            continue;
        const anpe_status status = anpe_task_reduce(f->model->task, ctx, &f->spectrum[b]);
        if (status) {
            anpe_infer_fail_star(f, &f->star[b], status, anpe_error(ctx));
            continue;
        }
        at[n] = b;
        spectrum[n++] = &f->spectrum[b];
    }
    return n;
}

/* n reduced stars b (n) together; if that fails, one after the other, to see whose error it is. */
static anpe_status infer_together(anpe_inference *f, anpe_ctx *ctx, int lane, int64_t n,
                                  const int64_t *b, const anpe_spectrum *const *spectrum)
{
    anpe_status status = anpe_session_look_ahead(f->lane[lane].session, ctx, n, spectrum);
    if (status && n == 1) {
        anpe_infer_fail_star(f, &f->star[*b], status, anpe_error(ctx));
        return ANPE_OK;
    }
    if (status) {
        for (int64_t i = 0; i < n; i++)
            ANPE_TRY(infer_together(f, ctx, lane, 1, b + i, spectrum + i));
        goto out;
    }
    for (int64_t i = 0; i < n; i++)
        ANPE_TRY(infer_star(f, ctx, lane, b[i], i));
    status = finish_stars(f, ctx, lane, n, b);
out:
    return status;
}

/* Stars that a worker takes together: fewer where some would have none. What is said of a star does
 * not depend on it. */
static int64_t stars_together(const anpe_inference *f)
{
    const int64_t share = (f->n + f->n_lanes - 1) / f->n_lanes;
    return share < ANPE_VIEW_MOST ? share : ANPE_VIEW_MOST;
}

static anpe_status run_stars(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    anpe_inference *f = user;
    const anpe_spectrum *spectrum[ANPE_VIEW_MOST] = {NULL};
    int64_t b[ANPE_VIEW_MOST];
    const int64_t together = stars_together(f), first = item * together;
    const int64_t end = first + together < f->n ? first + together : f->n;
    const int64_t n = reduce_stars(f, ctx, first, end, b, spectrum);
    const anpe_status status = n ? infer_together(f, ctx, worker, n, b, spectrum) : ANPE_OK;
    const int64_t done = atomic_fetch_add(&f->n_done, end - first) + end - first;
    anpe_progress(ctx, "inferring", (double)done,
                  (double)(f->first - f->from + f->n) + anpe_infer_stars_to_come(f));
    return status;
}

/* Lists and reads the stars of the block that starts at `first`. */
static anpe_status read_block(anpe_ctx *ctx, anpe_inference *f)
{
    f->failure = ANPE_OK;
    for (f->n = 0; f->n < f->block; f->n++) {
        int more;
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
        const anpe_status status = anpe_infer_next_star(ctx, f, &more);
        if (status || !more)
            return status;
        anpe_infer_read_star(ctx, f, &f->star[f->n], &f->spectrum[f->n]);
    }
    return ANPE_OK;
}

anpe_status anpe_infer_make_block(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_status status;
    memset(f->outside, 0, (size_t)f->block * sizeof *f->outside);
    ANPE_TRY(read_block(ctx, f));
    if (f->n)
        ANPE_TRY(anpe_workers_run(
            f->workers, ctx, (f->n + stars_together(f) - 1) / stars_together(f), run_stars, f));
out:
    return status;
}

/* The block, from the journal or the parts as long as they have one, else from spectra. */
static anpe_status make_block(anpe_ctx *ctx, anpe_inference *f)
{
    const int before = f->replayed;
    anpe_status status = ANPE_OK;
    memset(f->outside, 0, (size_t)f->block * sizeof *f->outside);
    if (f->replays)
        ANPE_TRY(anpe_infer_take_block(ctx, f));
    if (f->replayed)
        return ANPE_OK;
    if (before && !f->request->n_parts)
        anpe_log(ctx, ANPE_INFO, "going on after %lld spectra", (long long)(f->first - f->from));
    status = anpe_infer_make_block(ctx, f);
out:
    return status;
}

anpe_status anpe_infer_finish_block(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_status status;
    ANPE_TRY(anpe_infer_keep_rows(ctx, f));
    anpe_infer_report_failures(ctx, f);
    if (f->replays && !f->replayed)
        ANPE_TRY(anpe_infer_keep_block(ctx, f));
    for (int k = 0; k < N_EXTRAS && !f->part; k++)
        if (f->extra[k] && anpe_infer_extras[k]->block)
            ANPE_TRY(anpe_infer_extras[k]->block(ctx, f, f->extra[k]));
out:
    return status;
}

static anpe_status run_block(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_status status = make_block(ctx, f);
    return status || f->n == 0 ? status : anpe_infer_finish_block(ctx, f);
}

/* ---- set-up and end ---------------------------------------------------------------------- */

/* Stars at a time: as many as BLOCK_BYTES hold. The number of workers does not matter: files are
 * written block by block, and their bytes depend on where these end. */
static void choose_block(anpe_inference *f)
{
    enum { BLOCK_BYTES = 64 << 20, LEAST = 4 };
    const anpe_infer_request *q = f->request;
    const double labels = (double)f->result->n_labels, pixel = 9; /* flux, sigma, mask */
    const double pixels = (double)anpe_task_size(f->model->task);
    const double draws = f->keep ? (double)q->n_draws * (labels + 1 + (q->exact ? 1 : 0)) : 0;
    const double star = draws * sizeof(double) +
                        pixels * (pixel + (q->predict ? 21 : 0) + (q->explain ? 4 * labels : 0));
    const int64_t most = (int64_t)fmin(BLOCK_BYTES / star, ANPE_INFER_BLOCK);
    f->block = most > LEAST ? most : LEAST;
}

static anpe_status open_lanes(anpe_ctx *ctx, anpe_inference *f)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    anpe_status status = ANPE_NEW(ctx, f->lane, f->n_lanes);
    for (int i = 0; i < f->n_lanes && !status; i++) {
        anpe_infer_lane *l = &f->lane[i];
        if (ANPE_NEW(ctx, l->column, n) || ANPE_NEW(ctx, l->median, ANPE_VIEW_MOST, labels) ||
            ANPE_NEW(ctx, l->context, ANPE_VIEW_MOST, f->model->net->n_context))
            return ANPE_ENOMEM;
        const int64_t most = f->request->exact && n < anpe_exact_block() ? anpe_exact_block() : n;
        status = anpe_session_new_ahead(ctx, f->model, ANPE_VIEW_MOST, most, &f->lane[i].session);
    }
    return status;
}

static anpe_status open_memory(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    const int64_t n = q->n_draws, labels = f->result->n_labels;
    anpe_status status = anpe_workers_new(ctx, q->threads, &f->workers);
    if (status)
        return status;
    f->n_lanes = anpe_workers_count(f->workers);
    f->keep = q->posterior || q->draws;
    choose_block(f);
    const int64_t rows = f->keep ? f->block : f->n_lanes, block = f->block;
    if (ANPE_NEW(ctx, f->star, block) || ANPE_NEW(ctx, f->summary, block, labels) ||
        ANPE_NEW(ctx, f->truth, block, labels) || ANPE_NEW(ctx, f->spectrum, block) ||
        ANPE_NEW(ctx, f->theta, rows, n, labels) || ANPE_NEW(ctx, f->log_q, rows, n) ||
        ANPE_NEW(ctx, f->outside, block) || ANPE_NEW(ctx, f->name, block) ||
        ANPE_NEW(ctx, f->room, anpe_task_size(f->model->task)))
        return ANPE_ENOMEM;
    for (int64_t b = 0; b < block && !status; b++)
        status = anpe_spectrum_new(ctx, anpe_task_size(f->model->task), &f->spectrum[b]);
    return status ? status : open_lanes(ctx, f);
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
        free(f->lane[i].median);
        free(f->lane[i].context);
    }
    free(f->lane);
    free(f->star);
    free(f->summary);
    free(f->truth);
    free(f->count);
    free(f->bytes.data);
    free(f->names.data);
    free(f->name);
    free(f->part);
    anpe_store_free(f->store);
    anpe_replay_clear(&f->replay);
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
        if (f->extra[k] && anpe_infer_extras[k]->free)
            anpe_infer_extras[k]->free(f->extra[k]);
    for (int k = 0; k < f->n_outputs; k++)
        anpe_h5_abandon(f->output[k]);
    if (f->model != f->request->opened)
        anpe_model_close(f->model);
}

/* The reason of the first star is said here alone. */
static anpe_status all_failed(anpe_ctx *ctx, const anpe_inference *f)
{
    const anpe_status status = f->first_failure ? f->first_failure : ANPE_EFORMAT;
    if (f->result->n_stars == 1)
        return ANPE_FAIL(ctx, status, "%s", f->held.reason);
    return ANPE_FAIL(ctx, status, "none of %lld spectra could be used; the first: %s",
                     (long long)f->result->n_stars, f->held.reason);
}

/* Before the model is opened, f->model is NULL; then once more. */
static anpe_status check_outputs(anpe_ctx *ctx, const anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    const char *path[N_EXTRAS];
    for (int k = 0; k < N_EXTRAS; k++)
        path[k] = anpe_infer_extras[k]->output ? anpe_infer_extras[k]->output(q) : NULL;
    return f->model ? anpe_infer_check_inputs(ctx, f, N_EXTRAS, path)
                    : anpe_infer_check_outputs(ctx, q, N_EXTRAS, path);
}

/* Which stars of the run: a part counts them first, and parts that are put together say it. */
static anpe_status choose_stars(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    int64_t n;
    anpe_status status;
    f->to = INT64_MAX;
    if (!q->share.n && !q->ranks)
        return ANPE_OK;
    ANPE_TRY(anpe_infer_share_list(ctx, f, &n));
    ANPE_TRY(anpe_share_of(ctx, q->share, n, 1, &f->from, &f->to));
    anpe_infer_start_at(f, f->from);
    f->first = f->from;
out:
    return status;
}

static anpe_status open_outputs(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    anpe_status status = ANPE_OK;
    if (q->output && q->n_kept && !f->part)
        ANPE_TRY(anpe_store_new(ctx, q->output, f->result->n_labels, &f->store));
    for (int k = 0; k < N_EXTRAS && !f->part; k++)
        if (f->extra[k] && anpe_infer_extras[k]->create)
            ANPE_TRY(anpe_infer_extras[k]->create(ctx, f, f->extra[k]));
out:
    return status;
}

static anpe_status open_inference(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_status status;
    ANPE_TRY(choose_stars(ctx, f));
    ANPE_TRY(open_memory(ctx, f));
    ANPE_TRY(anpe_infer_exact_open(ctx, f));
    for (int k = 0; k < N_EXTRAS; k++)
        ANPE_TRY(anpe_infer_extras[k]->open(ctx, f, &f->extra[k]));
    if (anpe_ranks_rank(f->request->ranks))
        goto out;
    ANPE_TRY(anpe_infer_open_replay(ctx, f));
    ANPE_TRY(open_outputs(ctx, f));
out:
    return status;
}

/* What needs all stars. */
static anpe_status conclude(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_infer_result *r = f->result;
    const anpe_row_list rows = {r, f->store};
    anpe_status status;
    const int own = f->replays && !f->request->n_parts;
    if (r->n_failed == r->n_stars && own) /* nothing in it is worth going on from */
        anpe_replay_finish(&f->replay);
    if (r->n_failed == r->n_stars)
        return all_failed(ctx, f);
    if (f->store || !f->request->n_kept)
        ANPE_TRY(anpe_infer_compare_with_truth(ctx, &rows, r));
    for (int k = 0; k < N_EXTRAS; k++)
        if (f->extra[k] && anpe_infer_extras[k]->end)
            ANPE_TRY(anpe_infer_extras[k]->end(ctx, f, f->extra[k]));
    ANPE_TRY(anpe_infer_commit(ctx, f));
    if (own)
        anpe_replay_finish(&f->replay);
out:
    return status;
}

static anpe_status run_alone(anpe_ctx *ctx, anpe_inference *f)
{
    anpe_status status;
    do {
        status = run_block(ctx, f);
        f->first += f->n;
    } while (!status && f->n == f->block);
    return status;
}

static anpe_status run_blocks(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    const anpe_status status = q->ranks ? anpe_infer_run_together(ctx, f) : run_alone(ctx, f);
    if (status == ANPE_ECANCEL && f->replays)
        anpe_log(ctx, ANPE_INFO, "%s.part holds %lld spectra; go on with --resume",
                 f->part ? f->part : q->output, (long long)f->result->n_stars);
    if (status || anpe_ranks_rank(q->ranks))
        return status;
    if (f->result->n_stars == 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: read with another file of its star, which was not given",
                         q->n_files ? q->files[0] : "");
    return f->part ? anpe_replay_publish(ctx, &f->replay) : conclude(ctx, f);
}

static anpe_status open_model(anpe_ctx *ctx, anpe_inference *f)
{
    const anpe_infer_request *q = f->request;
    anpe_status status = ANPE_OK;
    if (q->opened)
        f->model = q->opened;
    else
        ANPE_TRY(anpe_model_open_with(ctx, q->model, q->n_sets, q->sets, &f->model));
    if (f->model->observed)
        anpe_log(ctx, ANPE_WARNING, "%s: trained in rounds for %s: of use for this spectrum alone",
                 q->model, f->model->observed);
    ANPE_TRY(copy_labels(ctx, f));
    ANPE_TRY(anpe_infer_check_labels(ctx, f->result->n_labels));
out:
    return status;
}

anpe_status anpe_infer_files(anpe_ctx *ctx, const anpe_infer_request *request,
                             anpe_infer_result *result)
{
    anpe_inference f = {.request = request, .result = result};
    anpe_status status;
    memset(result, 0, sizeof *result);
    if (request->share.n && !(f.part = anpe_part_name(ctx, request->output, request->share)))
        return ANPE_ENOMEM;
    const int is_first = anpe_ranks_rank(request->ranks) == 0;
    if (is_first)
        ANPE_TRY(check_outputs(ctx, &f));
    ANPE_TRY(open_model(ctx, &f));
    if (is_first)
        ANPE_TRY(check_outputs(ctx, &f));
    const double begun = anpe_clock_seconds();
    ANPE_TRY(anpe_infer_name_run(ctx, &f));
    if (is_first)
        ANPE_TRY(anpe_infer_check_finished(ctx, &f, &result->finished));
    ANPE_TRY(anpe_infer_compare_ranks(ctx, &f, &result->finished));
    if (result->finished)
        goto out;
    ANPE_TRY(open_inference(ctx, &f));
    ANPE_TRY(run_blocks(ctx, &f));
    result->seconds = anpe_clock_seconds() - begun;
out:
    close_inference(&f);
    return status;
}

void anpe_infer_result_clear(anpe_infer_result *r)
{
    for (int64_t i = 0; i < r->n_kept; i++) {
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
