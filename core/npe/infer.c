/* Posteriors of many spectra. The main thread reads a block, workers reduce, featurize and draw
 * micro-batches of it, the main thread keeps the rows and appends the draws. */
#include <config.h>
#include "npe/infer.h"
#include "base/clock.h"
#include "base/workers.h"
#include "data/catalogue.h"
#include "data/hdf5_file.h"
#include "data/output.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MICRO_BATCH = 8, BLOCK = 128 };

const char *const anpe_flag_names[ANPE_N_FLAGS] = {"FAILED", "PRIOR_EDGE", "CHI2", "FEW_PIXELS",
                                                   "UNFINISHED_MODEL"};

typedef struct bench_lane { /* one worker */
    anpe_session *session;
    double *column; /* (n_draws) */
} bench_lane;

typedef struct inference {
    const anpe_infer_request *request;
    anpe_infer_result *result;
    anpe_model *model;
    anpe_workers *workers;
    int n_lanes;
    int64_t micro;
    bench_lane *lane;
    anpe_spectrum *spectrum; /* (BLOCK) */
    double *theta, *log_q;   /* (BLOCK, n_draws, D), (BLOCK, n_draws) */
    int64_t *outside;        /* (BLOCK) draws outside the prior */
    int64_t first, n;        /* the block */
    anpe_input input;        /* the file that rows are being read from */
    anpe_h5 *posterior;
    anpe_status first_failure;
} inference;

static void fail_star(anpe_star *star, const char *reason)
{
    star->failed = 1;
    star->flags |= ANPE_FLAG_FAILED;
    snprintf(star->reason, sizeof star->reason, "%s", reason);
}

/* ---- the list of spectra ------------------------------------------------------------------------
 */

static anpe_status add_star(anpe_ctx *ctx, anpe_infer_result *r, int64_t *capacity,
                            const char *file, int64_t row)
{
    if (r->n_stars == *capacity) {
        const int64_t more = *capacity ? 2 * *capacity : 64;
        anpe_star *grown = realloc(r->star, (size_t)more * sizeof *grown);
        if (!grown)
            return ANPE_FAIL(ctx, ANPE_ENOMEM, "catalogue: out of memory");
        r->star = grown;
        *capacity = more;
    }
    anpe_star *s = &r->star[r->n_stars];
    memset(s, 0, sizeof *s);
    s->file = file;
    s->row = row;
    s->chi2 = s->snr = NAN;
    s->label = malloc((size_t)r->n_labels * sizeof *s->label);
    s->truth = malloc((size_t)r->n_labels * sizeof *s->truth);
    r->n_stars++;
    if (!s->label || !s->truth)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "catalogue: out of memory");
    for (int64_t d = 0; d < r->n_labels; d++) {
        s->label[d] = (anpe_label_summary){NAN, NAN, NAN, NAN, NAN};
        s->truth[d] = NAN;
    }
    return ANPE_OK;
}

static anpe_status count_rows(anpe_ctx *ctx, const inference *f, const char *path, int64_t *n)
{
    const anpe_instrument *inst = &f->model->task->instrument;
    anpe_input input;
    anpe_status status = anpe_input_open(inst, ctx, path, &input);
    if (status)
        return status;
    status = anpe_instrument_count(inst, ctx, &input, n);
    anpe_input_close(&input);
    return status;
}

static anpe_status list_stars(anpe_ctx *ctx, inference *f)
{
    const anpe_infer_request *q = f->request;
    int64_t capacity = 0;
    for (int i = 0; i < q->n_files; i++) {
        int64_t n = 0;
        anpe_status status = count_rows(ctx, f, q->files[i], &n);
        if (status == ANPE_ENOMEM)
            return status;
        if (status || n == 0) { /* one row that says why */
            anpe_status added = add_star(ctx, f->result, &capacity, q->files[i], 0);
            if (added)
                return added;
            anpe_star *s = &f->result->star[f->result->n_stars - 1];
            snprintf(s->id, sizeof s->id, "%s", q->files[i]);
            fail_star(s, status ? anpe_error(ctx) : "the file holds no spectrum");
            if (!f->first_failure)
                f->first_failure = status ? status : ANPE_EFORMAT;
            continue;
        }
        for (int64_t row = 0; row < n; row++)
            if ((status = add_star(ctx, f->result, &capacity, q->files[i], row)))
                return status;
    }
    return ANPE_OK;
}

/* ---- one block
 * ------------------------------------------------------------------------------------ */

/* Plain arrays without sigma get 1 everywhere, which a network that reads sigma must not see. */
static int sigma_is_known(const anpe_model *m, const anpe_spectrum *s)
{
    int reads = 0;
    for (int k = 0; k < m->channels->n_kinds; k++)
        reads |= m->channels->kind[k] == ANPE_CHANNEL_LOG_SIGMA;
    if (!reads || m->task->instrument.info.wavelength)
        return 1;
    for (int64_t p = 0; p < s->n_pixels; p++)
        if (s->sigma[p] != 1.0f)
            return 1;
    return 0;
}

/* Rows of one file follow each other: it is opened for the first and stays open. */
static anpe_status read_row(anpe_ctx *ctx, inference *f, const anpe_star *star, anpe_spectrum *s)
{
    const anpe_instrument *inst = &f->model->task->instrument;
    anpe_status status = ANPE_OK;
    if (f->input.path != star->file) {
        anpe_input_close(&f->input);
        status = anpe_input_open(inst, ctx, star->file, &f->input);
    }
    return status ? status : anpe_instrument_read(inst, ctx, &f->input, star->row, s);
}

static void read_star(anpe_ctx *ctx, inference *f, anpe_star *star, anpe_spectrum *s)
{
    if (star->failed)
        return;
    s->id[0] = 0;
    anpe_status status = read_row(ctx, f, star, s);
    snprintf(star->id, sizeof star->id, "%s", s->id[0] ? s->id : star->file);
    if (status) {
        fail_star(star, anpe_error(ctx));
        f->first_failure = f->first_failure ? f->first_failure : status;
        return;
    }
    if (!sigma_is_known(f->model, s)) {
        fail_star(star, "the model reads log_sigma and the file has no sigma");
        f->first_failure = f->first_failure ? f->first_failure : ANPE_EFORMAT;
        return;
    }
    if (f->input.h5 && anpe_spectra_file_truth(ctx, f->input.h5, star->row, f->result->n_labels,
                                               f->result->label, star->truth, &star->has_truth))
        star->has_truth = 0;
}

static void summarise(inference *f, anpe_star *star, const double *theta, double *column)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    for (int64_t d = 0; d < labels; d++) {
        const anpe_label *l = &f->result->label[d];
        anpe_label_summary *s = &star->label[d];
        const double margin = 0.01 * (l->max - l->min);
        double sum = 0, square = 0;
        int64_t edge = 0;
        for (int64_t k = 0; k < n; k++) {
            column[k] = theta[k * labels + d];
            sum += column[k];
            edge += column[k] < l->min + margin || column[k] > l->max - margin;
        }
        s->mean = sum / (double)n;
        for (int64_t k = 0; k < n; k++)
            square += (column[k] - s->mean) * (column[k] - s->mean);
        s->sd = n > 1 ? sqrt(square / (double)(n - 1)) : NAN;
        anpe_sort(n, column);
        s->median = anpe_quantile_sorted(n, column, 0.5);
        s->p16 = anpe_quantile_sorted(n, column, 0.158655253931457);
        s->p84 = anpe_quantile_sorted(n, column, 0.841344746068543);
        if (isfinite(margin) && (double)edge > 0.05 * (double)n)
            star->flags |= ANPE_FLAG_EDGE;
    }
}

static int64_t count_outside(const inference *f, const double *theta)
{
    int64_t n = 0;
    for (int64_t k = 0; k < f->request->n_draws; k++) {
        int out = 0;
        for (int64_t d = 0; d < f->result->n_labels; d++) {
            const double t = theta[k * f->result->n_labels + d];
            out |= !(t >= f->result->label[d].min && t <= f->result->label[d].max);
        }
        n += out;
    }
    return n;
}

/* Draws, statistics and chi2 of spectrum b of the block, the i-th of the session's batch. */
static anpe_status finish_star(inference *f, anpe_ctx *ctx, bench_lane *lane, int64_t b, int64_t i)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    anpe_star *star = &f->result->star[f->first + b];
    anpe_spectrum *s = &f->spectrum[b];
    double *theta = f->theta + b * n * labels, *median = lane->column;
    anpe_rng rng = anpe_rng_make(f->request->seed, ANPE_FOR_POSTERIOR, f->first + b, 0);
    anpe_status status;
    ANPE_TRY(anpe_session_draw(lane->session, ctx, i, n, &rng, theta, f->log_q + b * n));
    summarise(f, star, theta, lane->column);
    f->outside[b] = count_outside(f, theta);
    for (int64_t d = 0; d < labels; d++)
        median[d] = star->label[d].median;
    if (anpe_session_chi2(lane->session, ctx, median, s, &star->chi2, &star->n_good))
        star->chi2 = NAN; /* a diagnostic: its failure leaves the posterior as it is */
    star->snr = anpe_task_snr(f->model->task, s);
    if (star->chi2 > 3 * (double)star->n_good)
        star->flags |= ANPE_FLAG_CHI2;
    if (2 * star->n_good < s->n_pixels)
        star->flags |= ANPE_FLAG_FEW_PIXELS;
    if (!f->model->complete)
        star->flags |= ANPE_FLAG_UNFINISHED;
out:
    return status;
}

static anpe_status run_micro_batch(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    inference *f = user;
    bench_lane *lane = &f->lane[worker];
    int64_t used[MICRO_BATCH], n = 0;
    for (int64_t b = item * f->micro; b < (item + 1) * f->micro && b < f->n; b++) {
        anpe_star *star = &f->result->star[f->first + b];
        if (star->failed)
            continue;
        if (anpe_task_reduce(f->model->task, ctx, &f->spectrum[b])) {
            fail_star(star, anpe_error(ctx));
            continue;
        }
        anpe_channels_fill(f->model->channels, &f->spectrum[b],
                           anpe_session_input(lane->session, n));
        used[n++] = b;
    }
    if (n == 0)
        return ANPE_OK;
    anpe_session_featurize(lane->session, n);
    for (int64_t i = 0; i < n; i++)
        if (finish_star(f, ctx, lane, used[i], i))
            fail_star(&f->result->star[f->first + used[i]], anpe_error(ctx));
    return ANPE_OK;
}

static anpe_status append_draws(anpe_ctx *ctx, inference *f)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    anpe_status status;
    if (!f->posterior)
        return ANPE_OK;
    for (int64_t b = 0; b < f->n; b++) /* rows without a posterior are NAN, not old values */
        for (int64_t k = 0; f->result->star[f->first + b].failed && k < n * labels; k++)
            f->theta[b * n * labels + k] = f->log_q[b * n + k / labels] = NAN;
    ANPE_TRY(anpe_h5_append_rows(ctx, f->posterior, "samples", ANPE_H5_DOUBLE, f->n, f->theta));
    ANPE_TRY(anpe_h5_append_rows(ctx, f->posterior, "log_q", ANPE_H5_DOUBLE, f->n, f->log_q));
out:
    return status;
}

static anpe_status run_block(anpe_ctx *ctx, inference *f)
{
    anpe_infer_result *r = f->result;
    memset(f->outside, 0, BLOCK * sizeof *f->outside);
    for (int64_t b = 0; b < f->n; b++)
        read_star(ctx, f, &r->star[f->first + b], &f->spectrum[b]);
    anpe_status status =
        anpe_workers_run(f->workers, ctx, (f->n + f->micro - 1) / f->micro, run_micro_batch, f);
    if (status)
        return status;
    for (int64_t b = 0; b < f->n; b++) {
        const anpe_star *s = &r->star[f->first + b];
        r->n_failed += s->failed;
        r->n_outside += f->outside[b];
        if (s->failed)
            anpe_log(ctx, ANPE_WARNING, "%s: %s", s->id[0] ? s->id : s->file, s->reason);
    }
    anpe_progress(ctx, "inferring", (double)(f->first + f->n), (double)r->n_stars);
    return append_draws(ctx, f);
}

/* ---- set-up and end
 * --------------------------------------------------------------------------------- */

static anpe_status open_memory(anpe_ctx *ctx, inference *f)
{
    const int64_t n = f->request->n_draws, labels = f->result->n_labels;
    anpe_status status = anpe_workers_new(ctx, f->request->threads, &f->workers);
    if (status)
        return status;
    f->n_lanes = anpe_workers_count(f->workers);
    /* Few spectra: spread them over the workers rather than fill one micro-batch. */
    f->micro = f->result->n_stars < MICRO_BATCH ? 1 : MICRO_BATCH;
    const int64_t block = f->result->n_stars < BLOCK ? f->result->n_stars : BLOCK;
    f->lane = calloc((size_t)f->n_lanes, sizeof *f->lane);
    f->spectrum = calloc(BLOCK, sizeof *f->spectrum);
    f->theta = malloc((size_t)(block * n * labels) * sizeof *f->theta);
    f->log_q = malloc((size_t)(block * n) * sizeof *f->log_q);
    f->outside = calloc(BLOCK, sizeof *f->outside);
    if (!f->lane || !f->spectrum || !f->theta || !f->log_q || !f->outside)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "inference: out of memory");
    for (int64_t b = 0; b < block && !status; b++)
        status = anpe_spectrum_new(ctx, anpe_task_size(f->model->task), &f->spectrum[b]);
    for (int i = 0; i < f->n_lanes && !status; i++) {
        const int64_t columns = n > labels ? n : labels;
        f->lane[i].column = malloc((size_t)columns * sizeof *f->lane[i].column);
        if (!f->lane[i].column)
            return ANPE_FAIL(ctx, ANPE_ENOMEM, "inference: out of memory");
        status = anpe_session_new_batch(ctx, f->model, f->micro, n, &f->lane[i].session);
    }
    return status;
}

static anpe_status create_posterior(anpe_ctx *ctx, inference *f)
{
    enum { MOST = 256 };
    const int64_t labels = f->result->n_labels;
    const int64_t shape[3] = {0, f->request->n_draws, labels};
    const char *names[MOST], *units[MOST];
    anpe_status status;
    if (!f->request->posterior)
        return ANPE_OK;
    for (int64_t d = 0; d < labels && d < MOST; d++) {
        names[d] = f->result->label[d].name;
        units[d] = f->result->label[d].unit;
    }
    ANPE_TRY(anpe_h5_create(ctx, f->request->posterior, &f->posterior));
    ANPE_TRY(anpe_h5_put_text(ctx, f->posterior, "/", "format", "anpe posterior"));
    ANPE_TRY(anpe_h5_create_rows(ctx, f->posterior, "samples", ANPE_H5_DOUBLE, 3, shape));
    ANPE_TRY(anpe_h5_create_rows(ctx, f->posterior, "log_q", ANPE_H5_DOUBLE, 2, shape));
    ANPE_TRY(anpe_h5_put_texts(ctx, f->posterior, "samples", "labels",
                               labels < MOST ? labels : MOST, names));
    ANPE_TRY(anpe_h5_put_texts(ctx, f->posterior, "samples", "units", labels < MOST ? labels : MOST,
                               units));
out:
    return status;
}

static anpe_status compare_with_truth(anpe_ctx *ctx, anpe_infer_result *r)
{
    enum { TRUTH, MEDIAN, MEAN, SD, P16, P84, SCRATCH, COLUMNS };
    const size_t n = (size_t)r->n_stars;
    for (int64_t i = 0; i < r->n_stars; i++)
        r->n_truth += r->star[i].has_truth && !r->star[i].failed;
    if (r->n_truth < 2)
        return ANPE_OK;
    r->recovery = calloc((size_t)r->n_labels, sizeof *r->recovery);
    double *c = malloc(COLUMNS * n * sizeof *c);
    if (!r->recovery || !c) {
        free(c);
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "recovery: out of memory");
    }
    for (int64_t d = 0; d < r->n_labels; d++) {
        size_t k = 0;
        for (size_t i = 0; i < n; i++) {
            const anpe_star *s = &r->star[i];
            if (!s->has_truth || s->failed || !isfinite(s->truth[d]))
                continue;
            c[TRUTH * n + k] = s->truth[d];
            c[MEDIAN * n + k] = s->label[d].median;
            c[MEAN * n + k] = s->label[d].mean;
            c[SD * n + k] = s->label[d].sd;
            c[P16 * n + k] = s->label[d].p16;
            c[P84 * n + k++] = s->label[d].p84;
        }
        r->recovery[d] = anpe_recovery_of((int64_t)k, c + TRUTH * n, c + MEDIAN * n, c + MEAN * n,
                                          c + SD * n, c + P16 * n, c + P84 * n, c + SCRATCH * n);
    }
    free(c);
    return ANPE_OK;
}

static anpe_status copy_labels(anpe_ctx *ctx, inference *f)
{
    const anpe_label *label;
    anpe_infer_result *r = f->result;
    r->n_labels = anpe_model_labels(f->model, &label);
    memcpy(r->model_digest, f->model->digest, sizeof r->model_digest);
    r->label = malloc((size_t)r->n_labels * sizeof *label);
    if (!r->label)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "catalogue: out of memory");
    memcpy(r->label, label, (size_t)r->n_labels * sizeof *label);
    return ANPE_OK;
}

static void close_inference(inference *f)
{
    for (int i = 0; f->lane && i < f->n_lanes; i++) {
        anpe_session_free(f->lane[i].session);
        free(f->lane[i].column);
    }
    free(f->lane);
    for (int64_t b = 0; f->spectrum && b < BLOCK; b++)
        anpe_spectrum_clear(&f->spectrum[b]);
    free(f->spectrum);
    free(f->theta);
    free(f->log_q);
    free(f->outside);
    anpe_workers_free(f->workers);
    anpe_input_close(&f->input);
    anpe_h5_abandon(f->posterior);
    anpe_model_close(f->model);
}

static anpe_status all_failed(anpe_ctx *ctx, const inference *f)
{
    const anpe_star *s = &f->result->star[0];
    const anpe_status status = f->first_failure ? f->first_failure : ANPE_EFORMAT;
    if (f->result->n_stars == 1)
        return ANPE_FAIL(ctx, status, "%s", s->reason);
    return ANPE_FAIL(ctx, status, "none of %lld spectra could be used; the first: %s",
                     (long long)f->result->n_stars, s->reason);
}

/* Outputs can be made, and none of them is an input or the other output. */
static anpe_status check_outputs(anpe_ctx *ctx, const anpe_infer_request *q)
{
    const char *const output[] = {q->output, q->posterior};
    anpe_status status;
    ANPE_TRY(anpe_catalogue_check(ctx, q->output));
    if (q->posterior) {
        ANPE_TRY(anpe_output_check(ctx, q->posterior));
        ANPE_TRY(anpe_output_differs(ctx, q->posterior, q->output));
    }
    for (int k = 0; k < 2 && output[k]; k++) {
        ANPE_TRY(anpe_output_differs(ctx, output[k], q->model));
        for (int i = 0; i < q->n_files; i++)
            ANPE_TRY(anpe_output_differs(ctx, output[k], q->files[i]));
    }
out:
    return status;
}

anpe_status anpe_infer_files(anpe_ctx *ctx, const anpe_infer_request *request,
                             anpe_infer_result *result)
{
    inference f = {.request = request, .result = result};
    anpe_status status;
    memset(result, 0, sizeof *result);
    ANPE_TRY(check_outputs(ctx, request));
    ANPE_TRY(anpe_model_open(ctx, request->model, &f.model));
    const double begun = anpe_clock_seconds();
    ANPE_TRY(copy_labels(ctx, &f));
    ANPE_TRY(anpe_infer_check_labels(ctx, result->n_labels));
    ANPE_TRY(list_stars(ctx, &f));
    ANPE_TRY(open_memory(ctx, &f));
    ANPE_TRY(create_posterior(ctx, &f));
    for (f.first = 0; f.first < result->n_stars; f.first += BLOCK) {
        f.n = result->n_stars - f.first < BLOCK ? result->n_stars - f.first : BLOCK;
        ANPE_TRY(run_block(ctx, &f));
    }
    if (result->n_failed == result->n_stars) {
        status = all_failed(ctx, &f);
        goto out;
    }
    ANPE_TRY(compare_with_truth(ctx, result));
    if (f.posterior) {
        anpe_h5 *file = f.posterior;
        f.posterior = NULL;
        ANPE_TRY(anpe_h5_close(ctx, file));
    }
    status = anpe_infer_write(ctx, request, result);
    if (status && request->posterior)
        unlink(request->posterior); /* both or neither */
    if (status)
        goto out;
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
    }
    free(r->star);
    free(r->label);
    free(r->recovery);
    memset(r, 0, sizeof *r);
}
