/* The training loop. A step's batch is cut into micro-batches; a worker makes the spectra of one,
 * runs it forward and backward, and adds its gradient in the order of the micro-batches. Rank 0 has
 * the optimiser, the history and the files; the others are told which samples come next, with which
 * parameters, and run their share of them (train/follow.h). */
#include <config.h>
#include "train/train.h"
#include "base/clock.h"
#include "base/workers.h"
#include "file/output.h"
#include "kind/backend.h"
#include "train/dataset.h"
#include "train/follow.h"
#include "train/inputs.h"
#include "train/optimiser.h"
#include "train/pass.h"
#include "model/model.h"
#include "model/net.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct train_options {
    int64_t seed, batch, epochs, steps, n_sims, n_validation, patience, warmup;
    int64_t stage_patience, average;
    double rate, min_rate, clip_percentile, max_minutes, weight_decay;
    int schedule, keep;
} train_options;

enum { AUTO, COSINE, STAGES }; /* schedule */

const anpe_option anpe_train_table[] = {
    ANPE_OPT_INT(train_options, seed, 1, 0, 4294967295.0, "", "names every random stream"),
    ANPE_OPT_INT(train_options, batch, 0, 0, 1048576, "",
                 "spectra of one optimiser step; 0: 64, in stages 128"),
    ANPE_OPT_ENUM(
        train_options, schedule, AUTO, "auto|cosine|stages",
        "cosine: the rate decays over the epochs; stages: at a constant rate weights decay, "
        "less from stage to stage, and are averaged; auto: stages with a file of "
        "simulations or keep, where spectra come again, else cosine"),
    ANPE_OPT_INT(train_options, epochs, 0, 0, 1000000, "", "most epochs; 0: 50, in stages 1000"),
    ANPE_OPT_INT(train_options, steps, 200, 1, 100000000, "",
                 "optimiser steps of an epoch when simulations are fresh"),
    ANPE_OPT_INT(train_options, n_sims, 0, 0, 1e12, "",
                 "size of a fixed set of labels (noise stays fresh); 0: fresh labels every step"),
    ANPE_OPT_BOOL(train_options, keep, 0,
                  "of n_sims or a file of simulations: the noise stays the same, too, and what the "
                  "network sees of each spectrum is kept in memory, so that all epochs but the "
                  "first cost the network alone"),
    ANPE_OPT_INT(train_options, n_validation, 1000, 1, 1e9, "", "fixed validation spectra"),
    ANPE_OPT_INT(train_options, patience, 0, 0, 1000000, "",
                 "epochs without a better validation loss before training ends; 0: never"),
    ANPE_OPT_INT(train_options, stage_patience, 8, 1, 1000000, "",
                 "in stages: epochs without a better validation loss before the next stage"),
    ANPE_OPT_REAL(train_options, weight_decay, 3, 0, 1000, "",
                  "in stages: decay of weights in the first one, 0.3 of it in the next and so "
                  "on; a step takes this times the rate from each weight"),
    ANPE_OPT_INT(train_options, average, 500, 0, 1e9, "",
                 "in stages: steps over which parameters are averaged, for validation and for the "
                 "model; 0: no average"),
    ANPE_OPT_INT(train_options, warmup, 100, 0, 1e9, "", "steps over which the rate rises from 0"),
    ANPE_OPT_REAL(train_options, rate, 1e-3, 0, 10, "", "largest learning rate of Adam"),
    ANPE_OPT_REAL(train_options, min_rate, 1e-6, 0, 10, "", "learning rate at the end"),
    ANPE_OPT_REAL(
        train_options, clip_percentile, 85, 1, 100, "%",
        "gradient norms are clipped at this percentile of the previous epoch's; 100: never"),
    ANPE_OPT_REAL(train_options, max_minutes, 0, 0, 1e9, "min",
                  "epochs are reduced so that training ends in this time; 0: no limit. Where the "
                  "limit binds the result depends on the machine's speed"),
    ANPE_OPT_END};

typedef struct trainer {
    anpe_settings *settings;
    const train_options *option;
    const anpe_train_request *request;
    anpe_task *task;
    anpe_dataset *dataset;
    anpe_net *net;
    anpe_workers *workers;
    int n_lanes;
    anpe_dataset_desk *desk; /* (n_lanes) */
    anpe_pass *pass;
    int64_t step_size; /* spectra of an optimiser step */
    float *gradient;   /* raw gradient of a step */
    anpe_optimiser *optimiser;
    anpe_progress_state progress;
    anpe_history history;
    int64_t steps; /* of an epoch */
    int stages;    /* the schedule */
    anpe_train_inputs inputs;
    double started;
    int changed; /* parameters, since other ranks got them */
    int made;    /* the spectra that are kept are */
} trainer;

/* ---- one micro-batch --------------------------------------------------------------------- */

static anpe_status not_finite(anpe_ctx *ctx, const trainer *t, const anpe_pass_rows *rows,
                              int64_t sample)
{
    const char *tensor = anpe_executor_first_nonfinite(rows->executor, rows->n);
    return ANPE_FAIL(ctx, ANPE_ENUMERIC,
                     "step %lld, sample %lld: log q is not finite; the first "
                     "tensor with a bad value is %s",
                     (long long)t->optimiser->step, (long long)sample,
                     tensor ? tensor : "log q itself");
}

static anpe_status fill_rows(void *user, anpe_ctx *ctx, const anpe_pass_rows *rows)
{
    trainer *t = user;
    return anpe_dataset_fill(t->dataset, ctx, &t->desk[rows->worker], rows->validation, rows->start,
                             rows->offset, rows->n, anpe_executor_tensor(rows->executor, t->net->x),
                             anpe_executor_tensor(rows->executor, t->net->y));
}

/* -log q of each spectrum's labels, by its weight. */
static anpe_status sum_loss(void *user, anpe_ctx *ctx, const anpe_pass_rows *rows, double *loss,
                            float *seed)
{
    trainer *t = user;
    const anpe_dataset_desk *desk = &t->desk[rows->worker];
    const float *log_q = anpe_executor_tensor(rows->executor, t->net->log_prob);
    for (int64_t i = 0; i < rows->n; i++) {
        if (!isfinite(log_q[i]))
            return not_finite(ctx, t, rows, rows->start + rows->offset + i);
        const double weight = desk->bench->weight[i];
        *loss -= weight * ((double)log_q[i] + desk->log_volume[i]);
        seed[i] = (float)-weight / (float)rows->batch;
    }
    return ANPE_OK;
}

/* What falls to this rank of a pass that rank 0 has ordered. */
static anpe_status run_share(void *user, anpe_ctx *ctx, const anpe_train_order *o)
{
    trainer *t = user;
    int64_t offset, here;
    anpe_pass_share(t->pass, o->n, &offset, &here);
    const anpe_status status =
        anpe_dataset_load(t->dataset, ctx, o->epoch, o->validation, o->first, offset, here);
    return status ? status : anpe_pass_run(t->pass, ctx, o->validation, o->first, o->n);
}

/* Runs samples [first, first + n). */
static anpe_status run_batch(trainer *t, anpe_ctx *ctx, int validation, int64_t first, int64_t n)
{
    const anpe_train_order order = {.what = t->changed ? ANPE_TRAIN_NEW : ANPE_TRAIN_SAME,
                                    .validation = validation,
                                    .epoch = t->progress.epoch,
                                    .first = first,
                                    .n = n};
    const anpe_status status =
        anpe_train_order_all(ctx, t->request->ranks, &order, t->net->parameters);
    t->changed = 0;
    return status ? status : run_share(t, ctx, &order);
}

/* ---- epochs ------------------------------------------------------------------------------ */

/* Online samples are numbered through all epochs, others within one. */
static int64_t first_sample(const trainer *t, int64_t step)
{
    const int64_t epoch = t->dataset->n_train ? 0 : t->progress.epoch;
    return (epoch * t->steps + step) * t->step_size;
}

/* The epoch that makes the spectra which are kept says nothing of how long the others take. */
static void say_progress(const trainer *t, anpe_ctx *ctx, int64_t steps)
{
    if (t->option->keep && !t->made)
        anpe_progress(ctx, "spectra to keep", (double)steps, (double)t->steps);
    else
        anpe_progress(ctx, "training", (double)(t->progress.epoch * t->steps + steps),
                      (double)(t->progress.n_epochs * t->steps));
}

static anpe_status train_epoch(trainer *t, anpe_ctx *ctx, double *loss, double *norm, double *rate)
{
    const train_options *o = t->option;
    *loss = *norm = 0;
    for (int64_t step = 0; step < t->steps; step++) {
        anpe_status status = run_batch(t, ctx, 0, first_sample(t, step), t->step_size);
        if (status)
            return status;
        if (anpe_cancelled(ctx))
            return ANPE_ECANCEL;
        *loss += t->pass->loss / (double)(t->step_size * t->steps);
        *rate = anpe_learning_rate(o->rate, t->stages ? o->rate : o->min_rate, t->optimiser->step,
                                   o->warmup, t->progress.n_epochs * t->steps);
        double size;
        status = anpe_optimiser_update(ctx, t->optimiser, *rate, t->pass->total, t->gradient,
                                       t->net->parameters, t->workers, &size);
        if (status)
            return status;
        t->changed = 1;
        *norm += size / (double)t->steps;
        say_progress(t, ctx, step + 1);
    }
    t->made = 1;
    anpe_optimiser_end_epoch(t->optimiser);
    return ANPE_OK;
}

/* Exchanges the parameters with their average, if there is one. */
static void swap_average(trainer *t)
{
    float *raw = t->net->parameters->raw, *average = t->optimiser->average;
    for (int64_t i = 0; average && i < t->net->parameters->size; i++) {
        const float keep = raw[i];
        raw[i] = average[i];
        average[i] = keep;
    }
    if (average) {
        anpe_parameters_prepare(t->net->parameters);
        t->changed = 1;
    }
}

static anpe_status validate(trainer *t, anpe_ctx *ctx, double *loss)
{
    const int64_t all = t->dataset->n_validation;
    double sum = 0;
    for (int64_t first = 0; first < all; first += t->step_size) {
        const int64_t n = all - first < t->step_size ? all - first : t->step_size;
        anpe_status status = run_batch(t, ctx, 1, first, n);
        if (status)
            return status;
        sum += t->pass->loss;
    }
    *loss = sum / (double)all;
    return ANPE_OK;
}

static anpe_resume_state resume_state(const anpe_optimiser *o)
{
    return (anpe_resume_state){.size = o->size,
                               .step = o->step,
                               .n_norms = o->n_norms,
                               .clip = o->clip,
                               .m = o->m,
                               .v = o->v,
                               .average = o->average};
}

static anpe_status write_model(trainer *t, anpe_ctx *ctx, int finished)
{
    const anpe_resume_state resume = resume_state(t->optimiser);
    const anpe_model_parts parts = {.settings = t->settings,
                                    .task = t->task,
                                    .map = t->dataset->map,
                                    .channels = t->dataset->channels,
                                    .net = t->net,
                                    .history = &t->history,
                                    .resume = finished ? NULL : &resume,
                                    .progress = finished ? NULL : &t->progress,
                                    .seed = (uint32_t)t->option->seed,
                                    .n_inputs = t->inputs.n,
                                    .inputs = (const char *const *)t->inputs.row,
                                    .round = t->request->round,
                                    .observed = t->request->observed};
    return anpe_model_write(ctx, t->request->output, &parts);
}

/* Fewer epochs when the time that is left allows no more; the rate then decays over those. In
 * stages, at a constant rate, nothing has to be foreseen: one slow epoch says little of the next,
 * the one that makes the spectra which are kept nothing at all. */
static void keep_time(trainer *t, anpe_ctx *ctx, double seconds_per_epoch)
{
    const double left = t->option->max_minutes * 60 - (anpe_clock_seconds() - t->started);
    const double next = t->option->keep && t->progress.epoch == 1 ? 0 : seconds_per_epoch;
    if (t->option->max_minutes <= 0 || (t->stages && left > next))
        return;
    int64_t fit = t->progress.epoch + (int64_t)floor(left / seconds_per_epoch);
    fit = fit > t->progress.epoch ? fit : t->progress.epoch;
    if (fit < t->progress.n_epochs) {
        anpe_log(ctx, ANPE_WARNING, "only %lld of %lld epochs fit into max_minutes = %g",
                 (long long)fit, (long long)t->progress.n_epochs, t->option->max_minutes);
        t->progress.n_epochs = fit;
    }
}

static anpe_status one_epoch(trainer *t, anpe_ctx *ctx)
{
    const double begun = anpe_clock_seconds();
    double train = 0, valid = 0, norm = 0, rate = 0;
    anpe_status status = train_epoch(t, ctx, &train, &norm, &rate);
    if (!status)
        swap_average(t);
    if (!status)
        status = validate(t, ctx, &valid);
    if (status)
        return status;
    const int64_t e = t->progress.epoch++;
    t->history.train_loss[e] = train;
    t->history.validation_loss[e] = valid;
    t->history.rate[e] = rate;
    t->history.norm[e] = norm;
    t->history.n = e + 1;
    const int better = valid < t->progress.best_loss;
    if (better) {
        t->progress.best_loss = valid;
        t->progress.best_epoch = e + 1;
        memcpy(t->progress.best, t->net->parameters->raw,
               (size_t)t->net->parameters->size * sizeof *t->progress.best);
    }
    swap_average(t);
    const double seconds = anpe_clock_seconds() - begun;
    anpe_log(ctx, ANPE_INFO,
             "epoch %lld/%lld  loss %.4f  validation %.4f%s  rate %.2e  %.0f spectra/s",
             (long long)e + 1, (long long)t->progress.n_epochs, train, valid, better ? " *" : "  ",
             rate, (double)(t->steps * t->step_size) / seconds);
    keep_time(t, ctx, seconds);
    return write_model(t, ctx, 0);
}

/* The parameters as they were after the best epoch. */
static void go_back(trainer *t)
{
    const size_t size = (size_t)t->net->parameters->size * sizeof *t->progress.best;
    memcpy(t->net->parameters->raw, t->progress.best, size);
    if (t->optimiser->average)
        memcpy(t->optimiser->average, t->progress.best, size);
    anpe_parameters_prepare(t->net->parameters);
    t->changed = 1;
}

/* Whether training has come to its end; otherwise in which stage it goes on. */
static int at_end(trainer *t, anpe_ctx *ctx)
{
    const train_options *o = t->option;
    anpe_progress_state *p = &t->progress;
    const int64_t waited = p->epoch - p->best_epoch;
    anpe_verdict verdict = o->patience && waited >= o->patience ? ANPE_END : ANPE_GO_ON;
    if (t->stages && !verdict)
        verdict = anpe_stage_verdict(&p->stage, p->epoch, p->best_epoch, o->stage_patience);
    if (verdict == ANPE_NEXT_STAGE) {
        p->stage = (anpe_stage){p->stage.number + 1, p->epoch};
        go_back(t);
    }
    t->optimiser->decay = t->stages ? anpe_stage_decay(&p->stage, o->weight_decay) : 0;
    if (verdict == ANPE_NEXT_STAGE)
        anpe_log(ctx, ANPE_INFO,
                 "no better validation loss in %lld epochs: from epoch %lld on with "
                 "weight decay %g",
                 (long long)o->stage_patience, (long long)p->best_epoch, t->optimiser->decay);
    if (verdict == ANPE_END)
        anpe_log(ctx, ANPE_INFO, "no better validation loss in %lld epochs: training ends",
                 (long long)waited);
    return verdict == ANPE_END;
}

static anpe_status run_epochs(trainer *t, anpe_ctx *ctx)
{
    while (t->progress.epoch < t->progress.n_epochs && !at_end(t, ctx)) {
        anpe_status status = one_epoch(t, ctx);
        if (status == ANPE_ECANCEL)
            (void)ANPE_FAIL(ctx, status, "interrupted in epoch %lld",
                            (long long)t->progress.epoch + 1);
        if (status == ANPE_ECANCEL && t->progress.epoch == 0)
            anpe_log(ctx, ANPE_INFO, "interrupted before the first epoch ended: nothing is kept");
        else if (status == ANPE_ECANCEL)
            anpe_log(ctx, ANPE_INFO, "%s holds %lld finished epochs; go on with --resume",
                     t->request->output, (long long)t->progress.epoch);
        if (status)
            return status;
    }
    go_back(t);
    return write_model(t, ctx, 1);
}

/* ---- set-up ------------------------------------------------------------------------------ */

/* Small networks want larger pieces of work; but four of them, for the threads. */
static int64_t micro_batch(const trainer *t)
{
    const anpe_channels *c = t->dataset->channels;
    const int64_t chosen = t->net->compute->micro_batch;
    const int64_t size = chosen ? chosen : c->length * c->width <= 2048 ? 32 : 8;
    return size < t->step_size ? size : t->step_size;
}

static anpe_status open_lanes(trainer *t, anpe_ctx *ctx)
{
    const int64_t threads = t->request->threads ? t->request->threads : t->net->compute->threads;
    const int64_t micro = micro_batch(t);
    anpe_status status = anpe_workers_new(ctx, (int)threads, &t->workers);
    if (status)
        return status;
    t->n_lanes = anpe_workers_count(t->workers);
    if (ANPE_NEW(ctx, t->desk, t->n_lanes))
        return ANPE_ENOMEM;
    for (int i = 0; i < t->n_lanes && !status; i++)
        status = anpe_dataset_open_desk(t->dataset, ctx, micro, &t->desk[i]);
    const anpe_pass_setup setup = {.graph = t->net->graph,
                                   .parameters = t->net->parameters,
                                   .backend = t->net->backend,
                                   .output = t->net->log_prob,
                                   .micro = micro,
                                   .ranks = t->request->ranks,
                                   .batch = t->step_size,
                                   .workers = t->workers,
                                   .user = t,
                                   .fill = fill_rows,
                                   .loss = sum_loss};
    return status ? status : anpe_pass_new(ctx, &setup, &t->pass);
}

static anpe_status open_state(trainer *t, anpe_ctx *ctx)
{
    const int64_t most = t->option->epochs ? t->option->epochs : t->stages ? 1000 : 50;
    const size_t size = (size_t)t->net->parameters->size, epochs = (size_t)most;
    t->gradient = anpe_alloc(ctx, size * sizeof *t->gradient);
    t->progress.best = anpe_alloc(ctx, size * sizeof *t->progress.best);
    t->history.train_loss = anpe_alloc(ctx, epochs * sizeof(double));
    t->history.validation_loss = anpe_alloc(ctx, epochs * sizeof(double));
    t->history.rate = anpe_alloc(ctx, epochs * sizeof(double));
    t->history.norm = anpe_alloc(ctx, epochs * sizeof(double));
    if (!t->gradient || !t->progress.best || !t->history.train_loss ||
        !t->history.validation_loss || !t->history.rate || !t->history.norm)
        return ANPE_ENOMEM;
    t->progress.best_loss = INFINITY;
    t->progress.n_epochs = most;
    memcpy(t->progress.best, t->net->parameters->raw, size * sizeof *t->progress.best);
    const anpe_status status =
        anpe_optimiser_new(ctx, (int64_t)size, t->steps, t->option->clip_percentile, &t->optimiser);
    return status || !t->stages || !t->option->average
               ? status
               : anpe_optimiser_average(ctx, t->optimiser, t->option->average,
                                        t->net->parameters->raw);
}

static anpe_status read_options(anpe_ctx *ctx, trainer *t)
{
    void *options;
    anpe_status status = anpe_settings_fill(ctx, t->settings, "train", anpe_train_table,
                                            sizeof(train_options), &options);
    if (status)
        return status;
    t->option = options;
    const int come_again = t->request->data || t->option->keep;
    t->stages = t->option->schedule == STAGES || (t->option->schedule == AUTO && come_again);
    t->step_size = t->option->batch ? t->option->batch : t->stages ? 128 : 64;
    if (t->option->n_sims && t->option->n_sims < t->step_size)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: n_sims = %lld is less than batch = %lld",
                         anpe_settings_where(t->settings, "train.n_sims"),
                         (long long)t->option->n_sims, (long long)t->step_size);
    if (t->option->keep && !t->option->n_sims && !t->request->data)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: fresh spectra cannot be kept; give their number as train.n_sims",
                         anpe_settings_where(t->settings, "train.keep"));
    return ANPE_OK;
}

/* Task, dataset and network; `from`: an unfinished model whose constants are taken over. */
static anpe_status open_all(trainer *t, anpe_ctx *ctx, anpe_model_file *from)
{
    anpe_status status;
    ANPE_TRY(read_options(ctx, t));
    ANPE_TRY(anpe_task_new(ctx, t->settings, ANPE_TASK_ALL, from ? &from->pixels : NULL, &t->task));
    t->task->proposal = t->request->proposal;
    /* other noise than in the rounds before */
    const uint32_t seed = (uint32_t)t->option->seed + (uint32_t)t->request->round * 1000003u;
    const anpe_dataset_setup setup = {seed,           t->option->n_sims, t->option->n_validation,
                                      t->step_size,   t->request->data,  0,
                                      t->option->keep};
    ANPE_TRY(anpe_dataset_new(ctx, t->task, &setup, from ? from->map : NULL,
                              from ? from->channels : NULL, &t->dataset));
    if (from)
        anpe_model_file_disown(from);
    ANPE_TRY(anpe_net_new(
        ctx, t->settings, t->dataset->channels->length, t->dataset->channels->width,
        anpe_channels_segments(t->dataset->channels, t->task), t->task->instrument.info.segment,
        t->task->n_labels, (uint32_t)t->option->seed, 0, &t->net));
    ANPE_TRY(anpe_settings_finish(ctx, t->settings));
    ANPE_TRY(
        anpe_train_inputs_list(ctx, t->settings, t->request->data, t->request->output, &t->inputs));
    t->steps = t->dataset->n_train ? t->dataset->n_train / t->step_size : t->option->steps;
    if (t->steps < 1)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%lld simulations are fewer than one batch of %lld",
                         (long long)t->dataset->n_train, (long long)t->step_size);
out:
    return status;
}

static anpe_status check_same_configuration(anpe_ctx *ctx, const trainer *t,
                                            const anpe_model_file *f)
{
    char *mine = anpe_settings_resolved(ctx, t->settings, 0);
    if (!mine)
        return ANPE_ENOMEM;
    const int same = strcmp(mine, f->config) == 0;
    free(mine);
    return same ? anpe_train_inputs_same(ctx, &t->inputs, t->request->output, f)
                : ANPE_FAIL(ctx, ANPE_ECONFIG,
                            "%s: was trained with another configuration (see "
                            "`anpe info`); --resume needs the same one",
                            t->request->output);
}

static void close_trainer(trainer *t)
{
    anpe_pass_free(t->pass);
    for (int i = 0; t->desk && i < t->n_lanes; i++)
        anpe_dataset_close_desk(&t->desk[i]);
    free(t->desk);
    anpe_train_inputs_clear(&t->inputs);
    anpe_workers_free(t->workers);
    anpe_free(t->gradient);
    anpe_free(t->progress.best);
    anpe_free(t->history.train_loss);
    anpe_free(t->history.validation_loss);
    anpe_free(t->history.rate);
    anpe_free(t->history.norm);
    anpe_optimiser_free(t->optimiser);
    anpe_net_free(t->net);
    anpe_dataset_free(t->dataset);
    anpe_task_free(t->task);
}

static void log_start(anpe_ctx *ctx, const trainer *t)
{
    const int ranks = anpe_ranks_count(t->request->ranks);
    char of[40] = "";
    if (ranks > 1)
        snprintf(of, sizeof of, " on each of %d ranks", ranks);
    anpe_log(ctx, ANPE_INFO, "%lld labels from %lld x %lld inputs, %lld parameters, %d threads%s",
             (long long)t->task->n_labels, (long long)t->dataset->channels->length,
             (long long)t->dataset->channels->width, (long long)t->net->parameters->size,
             t->n_lanes, of);
}

static void log_profile(anpe_ctx *ctx, const trainer *t)
{
    anpe_profile_row row[64];
    double all = 0;
    char kernels[96];
    const int n = anpe_executor_profile(t->pass->lane[0].executor, row, 64);
    anpe_log(ctx, ANPE_INFO, "computed with %s",
             anpe_backend_kernels(&t->net->backend_plugin, kernels, sizeof kernels));
    for (int i = 0; i < n; i++)
        all += row[i].forward + row[i].backward;
    for (int i = 0; i < n; i++)
        anpe_log(ctx, ANPE_INFO, "%-24s forward %8.2f s  backward %8.2f s  %5.1f %%",
                 row[i].operation, row[i].forward, row[i].backward,
                 100 * (row[i].forward + row[i].backward) / (all > 0 ? all : 1));
}

static anpe_status open_checkpoint(anpe_ctx *ctx, const anpe_train_request *r, anpe_model_file *f,
                                   int *found)
{
    *found = 0;
    if (r->start)
        return anpe_model_file_open(ctx, r->start, f);
    if (access(r->output, F_OK) != 0) {
        if (r->resume)
            anpe_log(ctx, ANPE_INFO, "%s is not there yet: training starts anew", r->output);
        return ANPE_OK;
    }
    if (!r->resume)
        return ANPE_OK;
    anpe_status status = anpe_model_file_open(ctx, r->output, f);
    if (!status && anpe_h5_has_attribute(f->h5, "/", "round"))
        status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                           "%s: was trained in rounds for one spectrum, which cannot be resumed",
                           r->output);
    *found = !status;
    return status;
}

/* What the checkpoint has of the training so far. */
static anpe_status resume(trainer *t, anpe_ctx *ctx, anpe_model_file *from)
{
    anpe_resume_state state = resume_state(t->optimiser);
    const anpe_status status =
        anpe_model_file_training(ctx, from, t->net->parameters, &state, &t->progress, &t->history);
    t->optimiser->step = state.step;
    t->optimiser->clip = state.clip;
    return status;
}

/* What the first spectra of validation look like to the network: the same on all ranks, or they do
 * not work at the same thing. */
static anpe_status compare_ranks(trainer *t, anpe_ctx *ctx)
{
    const anpe_pass_lane *lane = &t->pass->lane[0];
    const int64_t input = t->dataset->channels->length * t->dataset->channels->width;
    const int64_t micro = micro_batch(t), all = t->dataset->n_validation;
    const anpe_pass_rows rows = {
        .validation = 1, .n = micro < all ? micro : all, .executor = lane->executor};
    anpe_status status;
    if (!t->request->ranks)
        return ANPE_OK;
    ANPE_TRY(anpe_dataset_load(t->dataset, ctx, 0, 1, 0, 0, rows.n));
    ANPE_TRY(fill_rows(t, ctx, &rows));
    status = anpe_train_same_on_all(
        ctx, t->request->ranks, rows.n * input, anpe_executor_tensor(lane->executor, t->net->x),
        rows.n * t->dataset->map->n, anpe_executor_tensor(lane->executor, t->net->y),
        t->net->parameters->size);
out:
    return status;
}

static anpe_status run(trainer *t, anpe_ctx *ctx)
{
    anpe_ranks *ranks = t->request->ranks;
    anpe_status status;
    ANPE_TRY(compare_ranks(t, ctx));
    if (anpe_ranks_rank(ranks))
        return anpe_train_follow(ctx, ranks, t->net->parameters, run_share, t);
    t->changed = 1;
    ANPE_TRY(run_epochs(t, ctx));
    ANPE_TRY(anpe_train_order_all(ctx, ranks, &(anpe_train_order){.what = ANPE_TRAIN_END}, NULL));
    if (t->request->profile)
        log_profile(ctx, t);
out:
    return status;
}

anpe_status anpe_train(anpe_ctx *ctx, anpe_settings *settings, const anpe_train_request *request,
                       anpe_train_result *result)
{
    trainer t = {.settings = settings, .request = request, .started = anpe_clock_seconds()};
    anpe_model_file from = {0};
    int found = 0;
    anpe_status status;
    if (!anpe_ranks_rank(request->ranks))
        ANPE_TRY(anpe_output_check(ctx, request->output));
    if (request->data)
        ANPE_TRY(anpe_output_differs(ctx, request->output, request->data));
    ANPE_TRY(open_checkpoint(ctx, request, &from, &found));
    ANPE_TRY(anpe_train_same_start(ctx, request->ranks, request->output, found, from.complete));
    if (found && from.complete) {
        anpe_log(ctx, ANPE_INFO, "%s is finished already", request->output);
        goto out;
    }
    ANPE_TRY(open_all(&t, ctx, from.h5 ? &from : NULL));
    if (request->start)
        ANPE_TRY(anpe_model_file_parameters(ctx, &from, t.net->parameters));
    ANPE_TRY(open_state(&t, ctx));
    if (found) {
        ANPE_TRY(check_same_configuration(ctx, &t, &from));
        ANPE_TRY(resume(&t, ctx, &from));
        anpe_log(ctx, ANPE_INFO, "resuming after epoch %lld", (long long)t.progress.epoch);
    }
    ANPE_TRY(open_lanes(&t, ctx));
    log_start(ctx, &t);
    ANPE_TRY(run(&t, ctx));
    *result = (anpe_train_result){.epochs = t.progress.epoch,
                                  .best_epoch = t.progress.best_epoch,
                                  .steps = t.optimiser->step,
                                  .spectra = t.optimiser->step * t.step_size,
                                  .n_parameters = t.net->parameters->size,
                                  .validation_loss = t.progress.best_loss,
                                  .seconds = anpe_clock_seconds() - t.started};
out:
    anpe_model_file_close(&from);
    close_trainer(&t);
    return status;
}

anpe_status anpe_train_check(anpe_ctx *ctx, anpe_settings *settings, const char *data)
{
    const anpe_train_request request = {.data = data};
    trainer t = {.settings = settings, .request = &request};
    anpe_status status = open_all(&t, ctx, NULL);
    close_trainer(&t);
    return status;
}
