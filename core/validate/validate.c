/* Validation: blocks of mocks are handed out to ranks, batches of them to workers, who simulate,
 * featurize, draw and compare; what remains of a mock is a row of numbers, so memory does not grow
 * with the draws. */
#include <config.h>
#include "base/digest.h"
#include "base/text.h"
#include "file/output.h"
#include "model/open_task.h"
#include "posterior/summary.h"
#include "stat/moments.h"
#include "validate/recalibration.h"
#include "validate/run.h"
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 * ANPE_VALIDATE_BATCH, PRIOR_DRAWS = 4096, MOST_LABELS = 256 };

/* ---- one mock ---------------------------------------------------------------------------- */

/* Drawn together about their mean and moved: a check of the checks. z: standardised coordinates of
 * the flow; the truth is taken to where the changed density has the value that the flow has there.
 */
static void disturb(const anpe_validate_run *v, anpe_session *s, int64_t i, double *theta,
                    float *truth)
{
    const int64_t n = v->request->n_draws, labels = v->result->n_labels;
    const double scale = v->request->scale, shift = v->request->shift;
    for (int64_t d = 0; d < labels; d++) {
        anpe_moments m = {0};
        for (int pass = 0; pass < ANPE_MOMENTS_PASSES; pass++)
            for (int64_t k = 0; k < n; k++)
                anpe_moments_add(&m, pass, (double)s->y[k * labels + d]);
        const double mean = anpe_moments_mean(&m), move = shift * anpe_moments_sd(&m);
        for (int64_t k = 0; k < n; k++) {
            float *y = &s->y[k * labels + d];
            *y = (float)(mean + scale * ((double)*y - mean) + move);
        }
        truth[d] = (float)(mean + ((double)truth[d] - move - mean) / scale);
    }
    for (int64_t k = 0; k < n; k++)
        (void)anpe_coordinates_inverse(&s->coordinates[i], s->y + k * labels, theta + k * labels);
}

static void compare_labels(anpe_validate_run *v, anpe_validate_lane *l, int64_t m, anpe_rng *ties)
{
    anpe_validation *r = v->result;
    const int64_t n = r->n_draws, labels = r->n_labels;
    r->edge_mass[m] = 0;
    for (int64_t d = 0; d < labels; d++) {
        const int64_t at = m * labels + d;
        for (int64_t k = 0; k < n; k++)
            l->column[k] = l->theta[k * labels + d];
        const anpe_label_summary s = anpe_infer_label_summary(n, l->column);
        r->edge_mass[m] = fmax(
            r->edge_mass[m], anpe_edge_mass(n, l->column, 1, NULL, s.sd, &v->model->map->label[d]));
        r->median[at] = s.median;
        r->mean[at] = s.mean;
        r->sd[at] = s.sd;
        r->p16[at] = s.p16;
        r->p84[at] = s.p84;
        r->rank[at] = anpe_rank_of(r->truth[at], n, l->column, 1, anpe_uniform(ties));
    }
}

/* log q at y (D), the truth in flow coordinates, and its density level among the draws. */
static void compare_density(anpe_validate_run *v, anpe_validate_lane *l, int64_t m, int64_t i,
                            const float *y)
{
    anpe_validation *r = v->result;
    const int64_t f = v->model->net->n_context, labels = r->n_labels;
    const float *context = anpe_session_context(l->session, i);
    float truth[MOST_LABELS];
    double log_q;
    for (int64_t d = 0; d < labels; d++)
        l->point[d] = (double)y[d];
    anpe_flow_density_eval(l->density, context, 1, l->point, &log_q);
    r->hpd[m] = anpe_density_level(log_q, r->n_draws, l->session->log_q);
    memcpy(v->context + m * f, context, (size_t)f * sizeof *context);
    const anpe_coordinates *c = &l->session->coordinates[i];
    anpe_coordinates_forward(c, r->truth + m * labels, truth);
    r->log_q_truth[m] = log_q - anpe_coordinates_inverse(c, truth, l->point) -
                        (double)labels * log(v->request->scale);
}

static anpe_status compare_spectrum(anpe_validate_run *v, anpe_ctx *ctx, anpe_validate_lane *l,
                                    int64_t m, const anpe_spectrum *s)
{
    anpe_validation *r = v->result;
    const int64_t at = m * r->n_labels;
    int64_t n_bad = 0;
    for (int64_t p = 0; p < s->n_pixels; p++)
        n_bad += s->mask[p];
    r->snr[m] = anpe_task_snr(v->task, s);
    r->bad_fraction[m] = (double)n_bad / (double)s->n_pixels;
    if (!l->refine)
        return ANPE_OK;
    const anpe_refine_star star = {s, r->median + at, r->sd + at, NULL};
    const anpe_status status = anpe_refine_run(l->refine, ctx, 1, &star);
    if (!status)
        anpe_residuals_measure(l->residuals, s, anpe_refine_model(l->refine, 0),
                               v->value + m * v->n_statistics);
    return status;
}

/* Mock m, the i-th of the lane's batch. */
static anpe_status compare(anpe_validate_run *v, anpe_ctx *ctx, anpe_validate_lane *l, int64_t m,
                           int64_t i)
{
    anpe_validation *r = v->result;
    const anpe_prior *prior = v->task->prior;
    const uint32_t seed = v->request->seed;
    const double *truth = r->truth + m * r->n_labels;
    float y[MOST_LABELS];
    anpe_status status;
    anpe_rng draws = anpe_rng_make(seed, ANPE_FOR_CHECKS, m, ANPE_VALIDATE_SLOT_DRAWS);
    anpe_rng reference = anpe_rng_make(seed, ANPE_FOR_CHECKS, m, ANPE_VALIDATE_SLOT_REFERENCE);
    anpe_rng ties = anpe_rng_make(seed, ANPE_FOR_CHECKS, m, ANPE_VALIDATE_SLOT_TIES);
    ANPE_TRY(anpe_session_draw(l->session, ctx, i, r->n_draws, &draws, l->theta, NULL));
    anpe_coordinates_forward(&l->session->coordinates[i], truth, y);
    if (v->request->scale != 1 || v->request->shift != 0)
        disturb(v, l->session, i, l->theta, y);
    compare_labels(v, l, m, &ties);
    compare_density(v, l, m, i, y);
    ANPE_TRY(anpe_prior_sample(prior, ctx, &reference, l->reference));
    anpe_task_labels(v->task, l->reference, l->point);
    r->tarp[m] = anpe_tarp_level(r->n_labels, truth, l->point, v->prior_sd, r->n_draws, l->theta);
    ANPE_TRY(compare_spectrum(v, ctx, l, m, &l->spectrum[i]));
    if (m < v->request->n_exact) {
        memcpy(l->column, l->point, (size_t)r->n_labels * sizeof *l->column);
        ANPE_TRY(anpe_validate_exact_mock(v, ctx, l, m, i, l->column));
    }
out:
    return status;
}

/* ---- many -------------------------------------------------------------------------------- */

static void copy_spectrum(anpe_spectrum *to, const anpe_spectrum *from)
{
    const size_t n = (size_t)from->n_pixels;
    memcpy(to->flux, from->flux, n * sizeof *to->flux);
    memcpy(to->sigma, from->sigma, n * sizeof *to->sigma);
    memcpy(to->mask, from->mask, n);
}

static anpe_status make_mocks(anpe_validate_run *v, anpe_ctx *ctx, anpe_validate_lane *l,
                              int64_t first, int64_t n)
{
    anpe_validation *r = v->result;
    const uint32_t seed = v->request->seed;
    anpe_status status;
    ANPE_TRY(anpe_task_draw_labels(v->task, ctx, l->bench, seed, ANPE_FOR_CHECKS, first, n));
    ANPE_TRY(anpe_task_simulate(v->task, ctx, l->bench, n));
    for (int64_t k = 0; k < n; k++) {
        anpe_rng noise = anpe_rng_make(seed, ANPE_FOR_CHECKS, first + k, ANPE_SLOT_NOISE);
        anpe_task_labels(v->task, l->bench->theta + k * v->task->prior->n_labels,
                         r->truth + (first + k) * r->n_labels);
        ANPE_TRY(anpe_task_mock(v->task, ctx, l->bench, k, &noise));
        copy_spectrum(&l->spectrum[k], &l->bench->spectrum);
        ANPE_TRY(anpe_session_look(l->session, ctx, k, &l->spectrum[k]));
    }
out:
    return status;
}

static anpe_status run_batch(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    anpe_validate_run *v = user;
    anpe_validate_lane *l = &v->lane[worker];
    const int64_t first = v->first + item * ANPE_VALIDATE_BATCH, left = v->result->n - first;
    const int64_t n = left < ANPE_VALIDATE_BATCH ? left : ANPE_VALIDATE_BATCH;
    anpe_status status = make_mocks(v, ctx, l, first, n);
    if (status)
        return status;
    anpe_session_featurize(l->session,
                           ANPE_VALIDATE_BATCH); /* products round by how many rows there are */
    for (int64_t i = 0; i < n && !status; i++)
        status = compare(v, ctx, l, first + i, i);
    const int64_t done = atomic_fetch_add(&v->n_done, n) + n;
    if (!status)
        anpe_progress(ctx, "validating", (double)done, (double)v->result->n);
    return status;
}

static anpe_status make_block(void *user, anpe_ctx *ctx, int64_t b)
{
    anpe_validate_run *v = user;
    v->first = b * BLOCK;
    const int64_t left = v->result->n - v->first, n = left < BLOCK ? left : BLOCK;
    return anpe_workers_run(v->workers, ctx, (n + ANPE_VALIDATE_BATCH - 1) / ANPE_VALIDATE_BATCH,
                            run_batch, v);
}

static int block_pieces(void *user, int64_t b, anpe_piece *piece)
{
    _Static_assert(2 * (int)ANPE_VALIDATION_PIECES + 3 <= (int)ANPE_RANKS_PIECES, "pieces");
    _Static_assert((int)ANPE_RANKS_PIECES <= (int)ANPE_JOURNAL_PIECES, "pieces of the journal");
    anpe_validate_run *v = user;
    const anpe_validation *r = v->result;
    const int64_t first = b * BLOCK, n = r->n - first < BLOCK ? r->n - first : BLOCK;
    const int64_t f = v->model->net->n_context, values = v->n_statistics;
    const int64_t exact = r->exact && r->exact->n > first ? r->exact->n - first : 0;
    int k = 0;
    v->span = (anpe_span){first, n};
    piece[k++] = (anpe_piece){&v->span, sizeof v->span};
    k += anpe_validation_pieces(r, first, n, piece + k);
    if (exact)
        k += anpe_validation_pieces(r->exact, first, exact < n ? exact : n, piece + k);
    piece[k++] = (anpe_piece){v->context + first * f, (size_t)(n * f) * sizeof *v->context};
    piece[k++] = (anpe_piece){v->value + first * values, (size_t)(n * values) * sizeof *v->value};
    return k;
}

static void count_block(anpe_ctx *ctx, anpe_validate_run *v)
{
    anpe_progress(ctx, "validating", (double)(atomic_fetch_add(&v->n_done, v->span.n) + v->span.n),
                  (double)v->result->n);
}

static anpe_status take_block(void *user, anpe_ctx *ctx, int64_t b, int came, int n_pieces,
                              const anpe_piece *piece)
{
    anpe_validate_run *v = user;
    anpe_piece here[ANPE_RANKS_PIECES];
    anpe_status status;
    ANPE_TRY(anpe_ranks_put(ctx, block_pieces(v, b, here), here, n_pieces, piece));
    if (came)
        count_block(ctx, v);
    if (v->request->journal)
        ANPE_TRY(anpe_replay_append(ctx, v->request->journal, n_pieces, here));
    v->n_taken += v->span.n;
out:
    return status;
}

/* The blocks of the journal; *next: the one after them. */
static anpe_status take_stored(anpe_ctx *ctx, anpe_validate_run *v, int64_t *next)
{
    anpe_replay *stored = v->request->journal;
    anpe_piece here[ANPE_RANKS_PIECES];
    int64_t left;
    anpe_status status = ANPE_OK;
    for (*next = 0; stored && *next * BLOCK < v->result->n; ++*next) {
        ANPE_TRY(anpe_replay_left(ctx, stored, &left));
        if (!left)
            break;
        const int n = block_pieces(v, *next, here);
        ANPE_TRY(anpe_ranks_put(ctx, n, here, stored->n, stored->piece));
        stored->used = left;
        v->n_taken += v->span.n;
        count_block(ctx, v);
    }
    if (v->n_taken && v->n_taken < v->result->n)
        anpe_log(ctx, ANPE_INFO, "going on after %lld mocks", (long long)v->n_taken);
out:
    return status;
}

/* All ranks do what rank 0 does. */
static anpe_status compare_ranks(anpe_ctx *ctx, const anpe_validate_run *v)
{
    char first[sizeof v->run];
    memcpy(first, v->run, sizeof first);
    const anpe_status status = anpe_ranks_broadcast(ctx, v->request->ranks, sizeof first, first);
    if (status || !memcmp(first, v->run, sizeof first))
        return status;
    return ANPE_FAIL(
        ctx, ANPE_ECONFIG,
        "%s: the model, the command line or a file that it names is another one on rank 0",
        v->request->model);
}

static anpe_status run_blocks(anpe_ctx *ctx, anpe_validate_run *v)
{
    const anpe_validate_request *q = v->request;
    anpe_ranks_work work = {.end = (v->result->n + BLOCK - 1) / BLOCK,
                            .user = v,
                            .make = make_block,
                            .pieces = block_pieces,
                            .take = take_block};
    anpe_status status;
    ANPE_TRY(compare_ranks(ctx, v));
    if (anpe_ranks_rank(q->ranks) == 0)
        ANPE_TRY(take_stored(ctx, v, &work.first));
    status = anpe_ranks_run(ctx, q->ranks, &work);
    if (status == ANPE_ECANCEL && q->journal)
        anpe_log(ctx, ANPE_INFO, "%s.validation.part holds %lld mocks; go on with --resume",
                 q->model, (long long)v->n_taken);
out:
    return status;
}

/* ---- what all mocks say ------------------------------------------------------------------ */

static void measure_contraction(const anpe_validate_run *v, anpe_validation *r)
{
    for (int64_t d = 0; d < r->n_labels; d++) {
        double variance = 0;
        for (int64_t i = 0; i < r->n; i++)
            variance += pow(r->sd[i * r->n_labels + d], 2) / (double)r->n;
        r->contraction[d] = 1 - variance / pow(v->prior_sd[d], 2);
    }
}

/* Learned on the first half, judged on the second. */
static anpe_status recalibrate(anpe_ctx *ctx, const anpe_validate_run *v)
{
    anpe_validation *r = v->result;
    const int64_t n = r->n, half = n / 2;
    anpe_credible *interval = NULL;
    double *truth = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, interval, n));
    ANPE_TRY(ANPE_NEW(ctx, truth, 2, n));
    for (int64_t d = 0; d < r->n_labels; d++) {
        for (int64_t i = 0; i < r->n; i++) {
            const int64_t at = i * r->n_labels + d;
            interval[i] =
                anpe_interval_on_line(v->model->map, d, r->median[at], r->p16[at], r->p84[at]);
            truth[i] = anpe_label_map_line(v->model->map, d, r->truth[at]);
        }
        r->temperature[d] = anpe_temperature_of_truths(half, interval, truth, truth + n);
        r->cover_before[d] = anpe_temperature_cover(r->n - half, interval + half, truth + half, 1);
        r->cover_after[d] =
            anpe_temperature_cover(r->n - half, interval + half, truth + half, r->temperature[d]);
    }
    r->n_learned = half;
out:
    free(interval);
    free(truth);
    return status;
}

static anpe_status learn_misfit(anpe_ctx *ctx, const anpe_validate_run *v)
{
    anpe_validation *r = v->result;
    const int64_t f = v->model->net->n_context, k = v->n_statistics;
    double *scratch = NULL;
    anpe_misfit_sight *sight = NULL;
    anpe_status status = ANPE_OK;
    ANPE_TRY(ANPE_NEW(ctx, scratch, f + 1));
    ANPE_TRY(ANPE_NEW(ctx, sight, r->n));
    for (int64_t i = 0; i < r->n; i++)
        sight[i] = (anpe_misfit_sight){v->context + i * f, k ? v->value + i * k : NULL, r->snr[i],
                                       r->bad_fraction[i], r->edge_mass[i]};
    ANPE_TRY(anpe_misfit_learn(ctx, r->n, sight, f, k, v->request->rate, &r->misfit));
    for (int64_t i = 0; i < r->n; i++) {
        const anpe_misfit_view view = anpe_misfit_judge(r->misfit, &sight[i], scratch);
        r->context_distance[i] = view.distance;
        r->residual_score[i] = view.value[ANPE_MISFIT_PREDICTIVE];
    }
out:
    free(scratch);
    free(sight);
    return status;
}

static anpe_status conclude(anpe_ctx *ctx, const anpe_validate_run *v)
{
    anpe_validation *r = v->result;
    anpe_status status = ANPE_OK;
    measure_contraction(v, r);
    if (r->exact)
        measure_contraction(v, r->exact);
    ANPE_TRY(recalibrate(ctx, v));
    if (r->n >= ANPE_MISFIT_MIN_MOCKS)
        ANPE_TRY(learn_misfit(ctx, v));
    snprintf(r->digest, sizeof r->digest, "%s", v->model->digest);
    snprintf(r->version, sizeof r->version, "%s", PACKAGE_VERSION);
    anpe_text_utc(r->created);
out:
    return status;
}

/* ---- set-up and end ---------------------------------------------------------------------- */

static anpe_status open_lane(anpe_ctx *ctx, anpe_validate_run *v, anpe_validate_lane *l)
{
    const anpe_instrument_info *inst = &v->task->instrument.info;
    const int64_t n = v->request->n_draws, labels = v->result->n_labels;
    const anpe_exact_options options = anpe_ladder_defaults();
    anpe_status status;
    const int64_t block = v->request->n_exact ? anpe_exact_block() : 1;
    const int64_t draws = v->request->n_draws > block ? v->request->n_draws : block;
    ANPE_TRY(anpe_session_new_batch(ctx, v->model, ANPE_VALIDATE_BATCH, draws, &l->session));
    if (v->request->n_exact) {
        ANPE_TRY(anpe_exact_new(ctx, v->model, &options, &l->exact));
        ANPE_TRY(ANPE_NEW(ctx, l->ranked, anpe_ladder_room(&options, labels)));
    }
    ANPE_TRY(anpe_bench_new(ctx, v->task, ANPE_VALIDATE_BATCH, &l->bench));
    ANPE_TRY(anpe_flow_density_new(ctx, v->model->net, v->model->map->n, 1, &l->density));
    if (v->n_statistics)
        ANPE_TRY(anpe_refine_new(ctx, v->model->task, 1, &l->refine));
    ANPE_TRY(anpe_residuals_new(ctx, anpe_task_size(v->task), inst->n_segments, inst->segment,
                                &l->residuals));
    for (int i = 0; i < ANPE_VALIDATE_BATCH; i++)
        ANPE_TRY(anpe_spectrum_new(ctx, anpe_task_size(v->task), &l->spectrum[i]));
    ANPE_TRY(ANPE_NEW(ctx, l->theta, n > ANPE_VALIDATE_RANKED ? n : ANPE_VALIDATE_RANKED, labels));
    ANPE_TRY(ANPE_NEW(ctx, l->column, n > labels ? n : labels));
    ANPE_TRY(ANPE_NEW(ctx, l->reference, v->task->prior->n_labels));
    ANPE_TRY(ANPE_NEW(ctx, l->point, labels));
out:
    return status;
}

static void close_lane(anpe_validate_lane *l)
{
    anpe_session_free(l->session);
    anpe_bench_free(l->bench);
    anpe_flow_density_free(l->density);
    anpe_exact_free(l->exact);
    anpe_refine_free(l->refine);
    anpe_residuals_free(l->residuals);
    for (int i = 0; i < ANPE_VALIDATE_BATCH; i++)
        anpe_spectrum_clear(&l->spectrum[i]);
    free(l->theta);
    free(l->column);
    free(l->reference);
    free(l->point);
    free(l->ranked);
}

/* What distances and contraction are measured in: the labels' sd over the prior. */
static anpe_status measure_prior(anpe_ctx *ctx, anpe_validate_run *v)
{
    const int64_t labels = v->result->n_labels;
    const anpe_prior *prior = v->task->prior;
    double *all = NULL, *theta = NULL;
    anpe_status status = ANPE_NEW(ctx, v->prior_sd, labels);
    if (!status &&
        (ANPE_NEW(ctx, all, prior->n_labels) || ANPE_NEW(ctx, theta, PRIOR_DRAWS, labels)))
        status = ANPE_ENOMEM;
    for (int64_t k = 0; k < PRIOR_DRAWS && !status; k++) {
        anpe_rng rng = anpe_rng_make(v->request->seed, ANPE_FOR_CHECKS, -1 - k, ANPE_SLOT_LABELS);
        status = anpe_prior_sample(prior, ctx, &rng, all);
        anpe_task_labels(v->task, all, theta + k * labels);
    }
    for (int64_t d = 0; d < labels && !status; d++) {
        const anpe_moments m = anpe_moments_of(PRIOR_DRAWS, theta + d, labels);
        v->prior_sd[d] = m.square > 0 ? anpe_moments_sd(&m) : 1;
    }
    free(all);
    free(theta);
    return status;
}

/* All that the mocks and what is said of them are determined by. Not the model's file: it may have
 * the result already when the journal is still there. Nor what is learned of all mocks. */
static anpe_status name_run(anpe_ctx *ctx, anpe_validate_run *v)
{
    const anpe_validate_request *q = v->request;
    const char *option, *path;
    char *config = anpe_settings_resolved(ctx, v->settings, 0), hex[65];
    anpe_text all = {0};
    anpe_status status = config ? ANPE_OK : ANPE_ENOMEM;
    if (!config)
        goto out;
    anpe_text_add(&all, "%s\nmodel %s\n%s\n", PACKAGE_VERSION, v->model->digest, config);
    anpe_text_add(&all, "n %lld draws %lld exact %lld scale %.17g shift %.17g seed %lu\n",
                  (long long)q->n, (long long)q->n_draws, (long long)q->n_exact, q->scale, q->shift,
                  (unsigned long)q->seed);
    for (int i = 0; (path = anpe_settings_file(v->settings, i, &option)); i++) {
        ANPE_TRY(anpe_digest_file(ctx, path, hex));
        anpe_text_add(&all, "%s %s\n", option, hex);
    }
    ANPE_TRY(anpe_text_status(ctx, &all));
    anpe_digest_memory(all.text, all.length, v->run);
out:
    anpe_text_free(&all);
    free(config);
    return status;
}

/* Rank 0's: what an earlier run has left, MODEL.validation.part. */
static anpe_status open_journal(anpe_ctx *ctx, const anpe_validate_run *v)
{
    const anpe_validate_request *q = v->request;
    anpe_text output = {0}, head = {0};
    anpe_status status;
    anpe_text_add(&output, "%s.validation", q->model);
    anpe_head_put(&head, "kind", "validate");
    ANPE_TRY(anpe_text_status(ctx, &output));
    ANPE_TRY(anpe_text_status(ctx, &head));
    if (q->journal)
        status = anpe_replay_open(ctx, output.text, v->run, &head, 0, q->journal);
    else
        anpe_journal_warn(ctx, output.text);
out:
    anpe_text_free(&output);
    anpe_text_free(&head);
    return status;
}

static anpe_status check_output(anpe_ctx *ctx, const anpe_validate_run *v)
{
    const char *output = v->request->output;
    return output ? anpe_output_differs_inputs(ctx, output, v->settings) : ANPE_OK;
}

static anpe_status open_validation(anpe_ctx *ctx, anpe_validate_run *v)
{
    const anpe_validate_request *q = v->request;
    anpe_status status;
    ANPE_TRY(anpe_model_open(ctx, q->model, &v->model));
    if (v->model->map->n > MOST_LABELS)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "%s: more than %d labels", q->model, MOST_LABELS);
    ANPE_TRY(anpe_simulate_open(ctx, q->model, 0, NULL, ANPE_TASK_ALL, &v->settings, &v->task));
    ANPE_TRY(check_output(ctx, v));
    ANPE_TRY(anpe_validation_new(ctx, q->n, v->model->map->n, &v->result));
    v->result->n_draws = q->n_draws;
    v->result->seed = q->seed;
    const int64_t n_exact = q->n_exact < q->n ? q->n_exact : q->n;
    if (n_exact) {
        ANPE_TRY(anpe_validation_new(ctx, n_exact, v->model->map->n, &v->result->exact));
        v->result->exact->n_draws = ANPE_VALIDATE_RANKED;
    }
    ANPE_TRY(measure_prior(ctx, v));
    ANPE_TRY(anpe_workers_new(ctx, q->threads, &v->workers));
    const int lanes = anpe_workers_count(v->workers);
    if (anpe_model_predicts(v->model))
        v->n_statistics = anpe_residuals_statistics(v->task->instrument.info.n_segments);
    if (ANPE_NEW(ctx, v->lane, lanes) ||
        ANPE_NEW(ctx, v->context, q->n, v->model->net->n_context) ||
        ANPE_NEW(ctx, v->value, q->n * v->n_statistics + 1))
        return ANPE_ENOMEM;
    for (int i = 0; i < lanes; i++)
        ANPE_TRY(open_lane(ctx, v, &v->lane[i]));
    ANPE_TRY(name_run(ctx, v));
    if (anpe_ranks_rank(q->ranks) == 0)
        ANPE_TRY(open_journal(ctx, v));
out:
    return status;
}

static void close_validation(anpe_validate_run *v)
{
    for (int i = 0; v->lane && i < anpe_workers_count(v->workers); i++)
        close_lane(&v->lane[i]);
    free(v->lane);
    anpe_workers_free(v->workers);
    free(v->prior_sd);
    free(v->context);
    free(v->value);
    anpe_task_free(v->task);
    anpe_settings_free(v->settings);
    anpe_model_close(v->model);
    anpe_validation_free(v->result);
}

anpe_status anpe_validate(anpe_ctx *ctx, const anpe_validate_request *request,
                          anpe_validation **out)
{
    anpe_validate_run v = {.request = request};
    anpe_status status;
    *out = NULL;
    ANPE_TRY(open_validation(ctx, &v));
    ANPE_TRY(run_blocks(ctx, &v));
    if (anpe_ranks_rank(request->ranks))
        goto out;
    ANPE_TRY(conclude(ctx, &v));
    *out = v.result;
    v.result = NULL;
out:
    close_validation(&v);
    return status;
}
