/* Simulations to a file, in blocks: workers of any rank fill a block, rank 0 appends it. */
#include <config.h>
#include "prepare/simulate.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/workers.h"
#include "file/hdf5_file.h"
#include "file/output.h"
#include "file/part.h"
#include "model/open_task.h"
#include "stat/design.h"
#include "task/quantiles.h"
#include "task/task.h"
#include <math.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 8, BLOCK = 256 };

static const char *const design_names[] = {"prior", "sobol", "latin"};

typedef struct simulation {
    const anpe_simulate_request *request;
    anpe_settings *settings;
    anpe_task *task;
    anpe_design *design;      /* NULL: draws */
    anpe_design *atmospheres; /* of the labels that are shared; NULL: none is */
    uint8_t *is_shared;       /* (labels of the prior) */
    void **shared;            /* (workers) scratch of simulate_shared; NULL: not used */
    int64_t batch;
    anpe_quantiles quantiles;
    anpe_workers *workers;
    anpe_bench **bench; /* one per worker */
    double *u;          /* (workers, 2, labels of the prior) */
    anpe_h5 *file;
    int replays;        /* blocks come from `replay` as long as it has some */
    anpe_replay replay; /* the journal, or the parts */
    char *part;         /* the file of a part; NULL: it is the whole */
    int64_t from, to;   /* spectra of the part */
    char *config, digest[65];
    int64_t n_labels, size; /* columns of theta and flux */
    int64_t first, n;       /* the block */
    _Atomic int64_t done;   /* spectra, for the progress bar */
    _Atomic int told;       /* why some are left out */
    int64_t refused;        /* that were left out */
    int64_t taken;          /* that are in the file, or left out of it */
    anpe_span span;         /* of the block, as it is stored */
    double *theta;          /* (BLOCK, n_labels) */
    float *flux, *sigma;
    uint8_t *mask;
} simulation;

/* ---- spectra ----------------------------------------------------------------------------- */

static anpe_status choose_labels(simulation *s, anpe_ctx *ctx, int worker, int64_t first, int64_t n)
{
    anpe_bench *b = s->bench[worker];
    const int64_t labels = s->task->prior->n_labels;
    double *u = s->u + 2 * worker * labels, *atmosphere = u + labels;
    anpe_status status = ANPE_OK;
    if (!s->design)
        return anpe_task_draw_labels(s->task, ctx, b, s->request->seed, ANPE_FOR_MOCKS, first, n);
    for (int64_t k = 0; k < n && !status; k++) {
        anpe_design_point(s->design, first + k, u);
        if (s->atmospheres)
            anpe_design_point(s->atmospheres, (first + k) / s->batch, atmosphere);
        for (int64_t j = 0; s->atmospheres && j < labels; j++)
            u[j] = s->is_shared[j] ? atmosphere[j] : u[j];
        status = anpe_quantiles_at(&s->quantiles, ctx, u, b->theta + k * labels);
    }
    return status;
}

static anpe_status observe(simulation *s, anpe_ctx *ctx, anpe_bench *b, int64_t offset, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        anpe_rng rng =
            anpe_rng_make(s->request->seed, ANPE_FOR_MOCKS, s->first + offset + k, ANPE_SLOT_NOISE);
        const anpe_status status = anpe_task_observe(s->task, ctx, b, k, &rng);
        if (status)
            return status;
        const int64_t at = (offset + k) * s->size;
        memcpy(s->flux + at, b->spectrum.flux, (size_t)s->size * sizeof *s->flux);
        memcpy(s->sigma + at, b->spectrum.sigma, (size_t)s->size * sizeof *s->sigma);
        memcpy(s->mask + at, b->spectrum.mask, (size_t)s->size);
    }
    return ANPE_OK;
}

/* Spectra offset .. offset + n of the block; *refused: by the simulator. */
static anpe_status run_rows(simulation *s, anpe_ctx *ctx, int worker, int64_t offset, int64_t n,
                            int *refused)
{
    anpe_bench *b = s->bench[worker];
    const int own = s->request->own_grid;
    anpe_status status;
    *refused = 0;
    ANPE_TRY(choose_labels(s, ctx, worker, s->first + offset, n));
    status = own ? anpe_task_simulate_own(s->task, ctx, b, n, s->shared ? s->shared[worker] : NULL)
                 : anpe_task_simulate(s->task, ctx, b, n);
    *refused = status == ANPE_EINVAL || status == ANPE_ENUMERIC;
    if (status)
        return status;
    memcpy(s->theta + offset * s->n_labels, own ? b->sim_theta : b->theta,
           (size_t)(n * s->n_labels) * sizeof *s->theta);
    if (s->request->observed)
        ANPE_TRY(observe(s, ctx, b, offset, n));
    else
        memcpy(s->flux + offset * s->size, own ? b->sim_flux : b->flux,
               (size_t)(n * s->size) * sizeof *s->flux);
out:
    return status;
}

/* A batch in which one is refused is made one by one; a spectrum that is left out has labels NAN.
 */
static anpe_status run_batch(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    simulation *s = user;
    const int64_t offset = item * s->batch, n = s->n - offset < s->batch ? s->n - offset : s->batch;
    int refused;
    anpe_status status = run_rows(s, ctx, worker, offset, n, &refused);
    if (refused && s->request->skip) {
        status = ANPE_OK;
        for (int64_t k = offset; k < offset + n && !status; k++) {
            status = run_rows(s, ctx, worker, k, 1, &refused);
            if (!refused)
                continue;
            status = ANPE_OK;
            memset(s->flux + k * s->size, 0, (size_t)s->size * sizeof *s->flux);
            for (int64_t j = 0; j < s->n_labels; j++)
                s->theta[k * s->n_labels + j] = NAN;
            if (!s->told++)
                anpe_log(ctx, ANPE_INFO, "left out: %s", anpe_error(ctx));
        }
    }
    if (status)
        return status;
    s->done += n;
    anpe_progress(ctx, "simulating", (double)s->done, (double)(s->to - s->from));
    return ANPE_OK;
}

/* ---- blocks ------------------------------------------------------------------------------ */

/* The spectra of the block that are not left out move together. Returns how many. */
static int64_t keep_made(simulation *s)
{
    int64_t n = 0;
    for (int64_t k = 0; k < s->n; k++) {
        if (isnan(s->theta[k * s->n_labels]))
            continue;
        const size_t size = (size_t)s->size;
        memmove(s->theta + n * s->n_labels, s->theta + k * s->n_labels,
                (size_t)s->n_labels * sizeof *s->theta);
        memmove(s->flux + n * s->size, s->flux + k * s->size, size * sizeof *s->flux);
        memmove(s->sigma + n * s->size, s->sigma + k * s->size, size * sizeof *s->sigma);
        memmove(s->mask + n * s->size, s->mask + k * s->size, size);
        n++;
    }
    return n;
}

static anpe_status append_block(anpe_ctx *ctx, simulation *s)
{
    const int64_t n = s->request->skip ? keep_made(s) : s->n;
    anpe_status status;
    s->refused += s->n - n;
    if (!n || s->part)
        return ANPE_OK;
    ANPE_TRY(anpe_h5_append_rows(ctx, s->file, "theta", ANPE_H5_DOUBLE, n, s->theta));
    ANPE_TRY(anpe_h5_append_rows(ctx, s->file, "flux", ANPE_H5_FLOAT, n, s->flux));
    if (s->request->observed) {
        ANPE_TRY(anpe_h5_append_rows(ctx, s->file, "sigma", ANPE_H5_FLOAT, n, s->sigma));
        ANPE_TRY(anpe_h5_append_rows(ctx, s->file, "mask", ANPE_H5_UINT8, n, s->mask));
    }
out:
    return status;
}

/* The first `got` rows of the block from the journal or the parts, as far as they have them. */
static anpe_status take_rows(anpe_ctx *ctx, simulation *s, int n_pieces, const anpe_piece *piece,
                             int64_t *got)
{
    anpe_replay *r = &s->replay;
    int64_t left;
    anpe_status status;
    for (*got = 0; *got < s->n; *got += left) {
        ANPE_TRY(anpe_replay_left(ctx, r, &left));
        if (!left)
            return ANPE_OK;
        left = left < s->n - *got ? left : s->n - *got;
        for (int k = 1; k < n_pieces; k++) {
            const size_t bytes = piece[k].size / (size_t)s->n;
            ANPE_TRY(anpe_replay_copy(ctx, r, k, bytes, left,
                                      (char *)piece[k].data + bytes * (size_t)*got));
        }
        r->used += left;
    }
out:
    return status;
}

static void choose_block(simulation *s, int64_t b)
{
    s->first = s->from + b * BLOCK;
    s->n = s->to - s->first < BLOCK ? s->to - s->first : BLOCK;
}

static int block_pieces(void *user, int64_t b, anpe_piece *piece)
{
    simulation *s = user;
    choose_block(s, b);
    const size_t values = (size_t)(s->n * s->size);
    s->span = (anpe_span){s->first, s->n};
    piece[0] = (anpe_piece){&s->span, sizeof s->span};
    piece[1] = (anpe_piece){s->theta, (size_t)(s->n * s->n_labels) * sizeof *s->theta};
    piece[2] = (anpe_piece){s->flux, values * sizeof *s->flux};
    piece[3] = (anpe_piece){s->sigma, values * sizeof *s->sigma};
    piece[4] = (anpe_piece){s->mask, values};
    return s->request->observed ? 5 : 3;
}

static anpe_status make_block(void *user, anpe_ctx *ctx, int64_t b)
{
    simulation *s = user;
    choose_block(s, b);
    return anpe_workers_run(s->workers, ctx, (s->n + s->batch - 1) / s->batch, run_batch, s);
}

static anpe_status take_block(void *user, anpe_ctx *ctx, int64_t b, int came, int n,
                              const anpe_piece *piece)
{
    simulation *s = user;
    anpe_piece here[ANPE_RANKS_PIECES];
    anpe_status status;
    ANPE_TRY(anpe_ranks_put(ctx, block_pieces(s, b, here), here, n, piece));
    if (came) {
        const int64_t done = atomic_fetch_add(&s->done, s->n) + s->n;
        anpe_progress(ctx, "simulating", (double)done, (double)(s->to - s->from));
    }
    if (s->replays)
        ANPE_TRY(anpe_replay_append(ctx, &s->replay, n, here));
    ANPE_TRY(append_block(ctx, s));
    s->taken += s->n;
out:
    return status;
}

/* The blocks that the journal or the parts have; *next: the one after them. */
static anpe_status take_stored(anpe_ctx *ctx, simulation *s, int64_t *next)
{
    anpe_piece piece[ANPE_RANKS_PIECES];
    int64_t got;
    anpe_status status = ANPE_OK;
    for (*next = 0; s->replays && s->from + *next * BLOCK < s->to; ++*next) {
        const int n = block_pieces(s, *next, piece);
        ANPE_TRY(take_rows(ctx, s, n, piece, &got));
        if (got < s->n)
            break;
        s->done += s->n;
        ANPE_TRY(append_block(ctx, s));
        s->taken += s->n;
    }
    if (s->taken && s->taken < s->to - s->from)
        anpe_log(ctx, ANPE_INFO, "going on after %lld spectra", (long long)s->taken);
out:
    return status;
}

static anpe_status run_blocks(anpe_ctx *ctx, simulation *s)
{
    const anpe_simulate_request *r = s->request;
    anpe_ranks_work work = {.end = (s->to - s->from + BLOCK - 1) / BLOCK,
                            .user = s,
                            .make = make_block,
                            .pieces = block_pieces,
                            .take = take_block};
    const int is_first = anpe_ranks_rank(r->ranks) == 0;
    anpe_status status = is_first ? take_stored(ctx, s, &work.first) : ANPE_OK;
    if (!status)
        status = anpe_ranks_run(ctx, r->ranks, &work);
    if (status == ANPE_ECANCEL && s->replays)
        anpe_log(ctx, ANPE_INFO, "%s.part holds %lld spectra; go on with --resume",
                 s->part ? s->part : r->output, (long long)s->taken);
    if (status || !is_first || s->part)
        return status;
    if (s->refused == r->n)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "simulator '%s' refuses all of the %lld label sets",
                         s->task->simulator.plugin->name, (long long)r->n);
    if (r->refused)
        *r->refused = s->refused;
    return r->skip
               ? anpe_h5_put_numbers(ctx, s->file, "/", "refused", ANPE_H5_INT64, 1, &s->refused)
               : ANPE_OK;
}

/* ---- the file ---------------------------------------------------------------------------- */

/* What an emulator that is trained on these spectra has to say of them. */
static anpe_status describe_spectra(anpe_ctx *ctx, simulation *s)
{
    const anpe_simulator_info *sim = &s->task->sim;
    char resolution[32];
    anpe_status status;
    snprintf(resolution, sizeof resolution, "%.10g", sim->resolution);
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "flux", "pixels", "simulator"));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "flux", "resolution", resolution));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "flux", "normalised", sim->normalised ? "yes" : "no"));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "flux", "on_grid",
                              sim->on_grid ? s->task->instrument.name : ""));
out:
    return status;
}

static anpe_status write_head(anpe_ctx *ctx, simulation *s)
{
    const anpe_simulate_request *r = s->request;
    const int64_t seed = r->seed;
    anpe_status status;
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "format", "anpe simulations"));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "anpe_version", PACKAGE_VERSION));
    if (!r->own_grid)
        ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "instrument", s->task->instrument.name));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "simulator", s->task->simulator.plugin->name));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "config", s->config));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "design", design_names[r->design]));
    ANPE_TRY(anpe_h5_put_numbers(ctx, s->file, "/", "seed", ANPE_H5_INT64, 1, &seed));
    if (r->per_atmosphere > 1)
        ANPE_TRY(anpe_h5_put_numbers(ctx, s->file, "/", "per_atmosphere", ANPE_H5_INT64, 1,
                                     &r->per_atmosphere));
    ANPE_TRY(anpe_h5_put_text(ctx, s->file, "/", "request", s->digest));
out:
    return status;
}

static anpe_status create_file(anpe_ctx *ctx, simulation *s)
{
    const anpe_instrument_info *inst = &s->task->instrument.info;
    const int own = s->request->own_grid;
    const double *wavelength = own ? s->task->sim.wavelength : inst->wavelength;
    const int64_t theta[2] = {0, s->n_labels}, cube[3] = {0, inst->channels, inst->n_pixels};
    const int64_t flat[2] = {0, s->size}, n_pixels = own ? s->size : inst->n_pixels;
    const int rank = !own && inst->channels > 1 ? 3 : 2;
    const int64_t *shape = rank == 3 ? cube : flat;
    anpe_status status;
    ANPE_TRY(anpe_h5_create(ctx, s->request->output, &s->file));
    ANPE_TRY(write_head(ctx, s));
    ANPE_TRY(anpe_h5_create_rows(ctx, s->file, "theta", ANPE_H5_DOUBLE, 2, theta));
    ANPE_TRY(anpe_h5_put_labels(ctx, s->file, "theta", "labels", s->n_labels,
                                own ? s->task->sim.labels : s->task->prior->label));
    ANPE_TRY(anpe_h5_create_rows(ctx, s->file, "flux", ANPE_H5_FLOAT, rank, shape));
    if (own)
        ANPE_TRY(describe_spectra(ctx, s));
    if (s->request->observed) {
        ANPE_TRY(anpe_h5_create_rows(ctx, s->file, "sigma", ANPE_H5_FLOAT, rank, shape));
        ANPE_TRY(anpe_h5_create_rows(ctx, s->file, "mask", ANPE_H5_UINT8, rank, shape));
    }
    if (wavelength)
        ANPE_TRY(
            anpe_h5_write(ctx, s->file, "wavelength", ANPE_H5_DOUBLE, 1, &n_pixels, wavelength));
out:
    return status;
}

/* ---- set-up ------------------------------------------------------------------------------ */

/* Emulators, libraries and whatever else the configuration names; they and the request make the
 * digest, which names the work of a journal and of a file. */
static anpe_status take_inputs(anpe_ctx *ctx, simulation *s)
{
    const anpe_simulate_request *r = s->request;
    const char *option, *path;
    char hex[65];
    anpe_text all = {0};
    anpe_status status = ANPE_OK;
    s->config = anpe_settings_resolved(ctx, s->settings, 0);
    if (!s->config)
        return ANPE_ENOMEM;
    anpe_text_add(&all, "%s\n%s\nn %lld seed %lu design %d own_grid %d observed %d skip %d\n",
                  PACKAGE_VERSION, s->config, (long long)r->n, (unsigned long)r->seed,
                  (int)r->design, r->own_grid, r->observed, r->skip);
    if (r->per_atmosphere > 1)
        anpe_text_add(&all, "per atmosphere %lld\n", (long long)r->per_atmosphere);
    for (int i = 0; !status && (path = anpe_settings_file(s->settings, i, &option)); i++) {
        status = anpe_output_differs(ctx, r->output, path);
        if (!status && !(status = anpe_digest_file(ctx, path, hex)))
            anpe_text_add(&all, "%s %s\n", option, hex);
    }
    if (!status)
        status = anpe_text_status(ctx, &all);
    if (!status)
        anpe_digest_memory(all.text, all.length, s->digest);
    anpe_text_free(&all);
    return status;
}

/* Labels that spectra of one atmosphere share are a design of their own, with a point for each. */
static anpe_status open_atmospheres(anpe_ctx *ctx, simulation *s, anpe_design_kind kind)
{
    const anpe_simulate_request *r = s->request;
    const anpe_task *t = s->task;
    const anpe_simulator_ops *ops = t->simulator.ops;
    const int64_t n = (r->n + r->per_atmosphere - 1) / r->per_atmosphere;
    const int lanes = anpe_workers_count(s->workers);
    uint8_t *is_shared = NULL;
    anpe_status status;
    if (!ANPE_HAS(ops, shared))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "simulator '%s' has no atmospheres that spectra could share",
                         t->simulator.plugin->name);
    ANPE_TRY(ANPE_NEW(ctx, is_shared, t->sim.n_labels));
    ANPE_TRY(ANPE_NEW(ctx, s->is_shared, t->prior->n_labels));
    ops->shared(t->simulator.self, is_shared);
    for (int64_t j = 0; j < t->sim.n_labels; j++)
        s->is_shared[t->sim_label[j]] = is_shared[j];
    ANPE_TRY(anpe_design_new(ctx, kind, r->seed, n, t->prior->n_labels, &s->atmospheres));
    ANPE_TRY(ANPE_NEW(ctx, s->shared, lanes));
    for (int i = 0; i < lanes && !status; i++) {
        s->shared[i] = anpe_alloc(ctx, ops->shared_scratch_size(t->simulator.self, s->batch));
        status = s->shared[i] ? ANPE_OK : ANPE_ENOMEM;
    }
out:
    free(is_shared);
    return status;
}

static anpe_status open_design(anpe_ctx *ctx, simulation *s)
{
    const anpe_simulate_request *r = s->request;
    const anpe_design_kind kind =
        r->design == ANPE_BY_SOBOL ? ANPE_DESIGN_SOBOL : ANPE_DESIGN_LATIN;
    anpe_status status;
    if (r->design == ANPE_BY_PRIOR)
        return ANPE_OK;
    ANPE_TRY(anpe_design_new(ctx, kind, r->seed, r->n, s->task->prior->n_labels, &s->design));
    ANPE_TRY(anpe_quantiles_new(ctx, s->task->prior, r->seed, &s->quantiles));
    if (r->per_atmosphere > 1)
        ANPE_TRY(open_atmospheres(ctx, s, kind));
out:
    return status;
}

static anpe_status open_memory(anpe_ctx *ctx, simulation *s)
{
    const int64_t labels = s->task->prior->n_labels;
    anpe_status status = anpe_workers_new(ctx, s->request->threads, &s->workers);
    if (status)
        return status;
    s->n_labels = s->request->own_grid ? s->task->sim.n_labels : labels;
    s->size = s->request->own_grid ? s->task->sim.n_pixels : anpe_task_size(s->task);
    const int64_t n = BLOCK * s->size;
    const int lanes = anpe_workers_count(s->workers);
    if (ANPE_NEW(ctx, s->bench, lanes) || ANPE_NEW(ctx, s->u, lanes, 2 * labels) ||
        ANPE_NEW(ctx, s->theta, BLOCK, s->n_labels) || ANPE_NEW(ctx, s->flux, n) ||
        ANPE_NEW(ctx, s->sigma, n) || ANPE_NEW(ctx, s->mask, n))
        return ANPE_ENOMEM;
    for (int i = 0; i < lanes && !status; i++)
        status = anpe_bench_new(ctx, s->task, s->batch, &s->bench[i]);
    return status;
}

static void close_simulation(simulation *s)
{
    for (int i = 0; s->bench && i < anpe_workers_count(s->workers); i++)
        anpe_bench_free(s->bench[i]);
    for (int i = 0; s->shared && i < anpe_workers_count(s->workers); i++)
        anpe_free(s->shared[i]);
    free(s->bench);
    free(s->shared);
    free(s->is_shared);
    anpe_workers_free(s->workers);
    anpe_h5_abandon(s->file);
    anpe_replay_clear(&s->replay);
    free(s->part);
    anpe_design_free(s->design);
    anpe_design_free(s->atmospheres);
    anpe_quantiles_clear(&s->quantiles);
    free(s->u);
    free(s->theta);
    free(s->flux);
    free(s->sigma);
    free(s->mask);
    free(s->config);
    anpe_task_free(s->task);
    anpe_settings_free(s->settings);
}

/* What the blocks of a journal are of, and what a merge needs to make the file of them. */
static anpe_status make_head(anpe_ctx *ctx, const simulation *s, anpe_text *head)
{
    const anpe_simulate_request *r = s->request;
    anpe_head_put(head, "kind", "simulate");
    anpe_head_put(head, "part", "%lld", (long long)r->share.k);
    anpe_head_put(head, "parts", "%lld", (long long)r->share.n);
    anpe_head_put(head, "end", "%lld", (long long)s->to);
    anpe_head_put(head, "source", "%s", r->source);
    for (int i = 0; i < r->n_sets; i++)
        anpe_head_put(head, "set", "%s", r->sets[i]);
    anpe_head_put(head, "n", "%lld", (long long)r->n);
    anpe_head_put(head, "seed", "%lu", (unsigned long)r->seed);
    anpe_head_put(head, "design", "%d", (int)r->design);
    anpe_head_put(head, "own_grid", "%d", r->own_grid);
    anpe_head_put(head, "observed", "%d", r->observed);
    anpe_head_put(head, "skip", "%d", r->skip);
    anpe_head_put(head, "per_atmosphere", "%lld", (long long)r->per_atmosphere);
    return anpe_text_status(ctx, head);
}

static anpe_status open_replay(anpe_ctx *ctx, simulation *s)
{
    const anpe_simulate_request *r = s->request;
    const char *output = s->part ? s->part : r->output;
    anpe_text head = {0};
    anpe_status status = ANPE_OK;
    s->replays = r->resume || r->n_parts;
    if (!s->replays) {
        anpe_journal_warn(ctx, output);
    } else if (r->n_parts) {
        status = anpe_replay_parts(ctx, r->n_parts, r->parts, &s->replay);
        if (!status && strcmp(anpe_replay_digest(&s->replay), s->digest))
            status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                               "%s: the parts were made with another %s, or a file that it names "
                               "has changed",
                               r->parts[0], r->source);
    } else {
        status = make_head(ctx, s, &head);
        if (!status)
            status = anpe_replay_open(ctx, output, s->digest, &head, s->from, &s->replay);
    }
    anpe_text_free(&head);
    return status;
}

/* A run that was killed between its last two steps leaves the journal of a finished file. */
static void drop_journal(anpe_ctx *ctx, const simulation *s)
{
    anpe_journal *journal;
    if (anpe_journal_exists(s->request->output) &&
        !anpe_journal_open(ctx, s->request->output, s->digest, &journal))
        anpe_journal_finish(journal);
}

/* *finished: the output is there, of this very request. */
static anpe_status check_finished(anpe_ctx *ctx, const simulation *s, int *finished)
{
    const char *path = s->request->output;
    anpe_h5 *f = NULL;
    char *have = NULL;
    anpe_status status = ANPE_OK;
    *finished = 0;
    if (s->part)
        return anpe_part_finished(ctx, s->part, s->digest, finished);
    if (access(path, F_OK) != 0)
        return ANPE_OK;
    ANPE_TRY(anpe_h5_open(ctx, path, &f));
    if (anpe_h5_has_attribute(f, "/", "request"))
        ANPE_TRY(anpe_h5_get_text(ctx, f, "/", "request", &have));
    *finished = have && strcmp(have, s->digest) == 0;
    if (!*finished)
        status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                           "%s: is there already, and not of this configuration, command line and "
                           "these input files; --resume does not replace it",
                           path);
    else
        anpe_log(ctx, ANPE_INFO, "%s is finished already", path);
    if (*finished && s->request->refused && anpe_h5_has_attribute(f, "/", "refused"))
        status = anpe_h5_get_numbers(ctx, f, "/", "refused", ANPE_H5_INT64, 1, s->request->refused);
out:
    anpe_h5_abandon(f);
    free(have);
    return status;
}

/* The share of the spectra, and the name of its file. */
static anpe_status choose_share(anpe_ctx *ctx, simulation *s)
{
    const anpe_simulate_request *r = s->request;
    anpe_status status;
    ANPE_TRY(anpe_share_of(ctx, r->share, r->n, s->batch, &s->from, &s->to));
    if (r->share.n && !(s->part = anpe_part_name(ctx, r->output, r->share)))
        return ANPE_ENOMEM;
    if (anpe_ranks_rank(r->ranks) == 0)
        ANPE_TRY(anpe_output_check(ctx, s->part ? s->part : r->output));
out:
    return status;
}

/* All ranks work at what rank 0 does, unless that is finished already. */
static anpe_status compare_ranks(anpe_ctx *ctx, const simulation *s, int *finished)
{
    char first[sizeof s->digest + 1];
    memcpy(first, s->digest, sizeof s->digest);
    first[sizeof first - 1] = (char)*finished;
    anpe_status status = anpe_ranks_broadcast(ctx, s->request->ranks, sizeof first, first);
    *finished = first[sizeof first - 1];
    if (!status && memcmp(first, s->digest, sizeof s->digest) != 0)
        status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                           "the configuration or a file that it names is another one on rank 0");
    return status;
}

/* What rank 0 alone sees to before the blocks. */
static anpe_status open_output(anpe_ctx *ctx, simulation *s)
{
    anpe_status status;
    ANPE_TRY(open_replay(ctx, s));
    if (!s->part)
        ANPE_TRY(create_file(ctx, s));
out:
    return status;
}

static anpe_status finish(anpe_ctx *ctx, simulation *s)
{
    anpe_h5 *file = s->file;
    anpe_status status;
    if (s->part)
        return anpe_replay_publish(ctx, &s->replay);
    s->file = NULL; /* close takes it, also when it fails */
    ANPE_TRY(anpe_h5_close(ctx, file));
    if (s->replays && !s->request->n_parts)
        anpe_replay_finish(&s->replay);
out:
    return status;
}

anpe_status anpe_simulate(anpe_ctx *ctx, const anpe_simulate_request *request)
{
    const unsigned parts = request->own_grid   ? ANPE_TASK_OWN_GRID
                           : request->observed ? ANPE_TASK_ALL | ANPE_TASK_MOCKS
                                               : ANPE_TASK_SIMULATOR | ANPE_TASK_MOCKS;
    const int is_first = anpe_ranks_rank(request->ranks) == 0;
    simulation s = {.request = request,
                    .batch = request->per_atmosphere > 1 ? request->per_atmosphere : BATCH};
    int finished = 0;
    anpe_status status;
    ANPE_TRY(choose_share(ctx, &s));
    ANPE_TRY(anpe_output_differs(ctx, request->output, request->source));
    for (int i = 0; i < request->n_parts; i++)
        ANPE_TRY(anpe_output_differs(ctx, request->output, request->parts[i]));
    ANPE_TRY(anpe_simulate_open(ctx, request->source, request->n_sets, request->sets, parts,
                                &s.settings, &s.task));
    ANPE_TRY(take_inputs(ctx, &s));
    if (request->resume && is_first)
        ANPE_TRY(check_finished(ctx, &s, &finished));
    ANPE_TRY(compare_ranks(ctx, &s, &finished));
    if (finished) {
        if (is_first)
            drop_journal(ctx, &s);
        goto out;
    }
    ANPE_TRY(open_memory(ctx, &s));
    ANPE_TRY(open_design(ctx, &s));
    if (is_first)
        ANPE_TRY(open_output(ctx, &s));
    ANPE_TRY(run_blocks(ctx, &s));
    if (is_first)
        ANPE_TRY(finish(ctx, &s));
out:
    close_simulation(&s);
    return status;
}

anpe_status anpe_simulate_merge(anpe_ctx *ctx, const anpe_text *head, int n_parts,
                                const char *const *parts, const char *output, int64_t *n)
{
    const char **set = NULL, *source = anpe_head_get(head, "source", 0);
    anpe_simulate_request r = {.source = source ? source : "",
                               .n = anpe_head_number(head, "n"),
                               .design = (anpe_labels_by)anpe_head_number(head, "design"),
                               .own_grid = anpe_head_number(head, "own_grid") == 1,
                               .observed = anpe_head_number(head, "observed") == 1,
                               .skip = anpe_head_number(head, "skip") == 1,
                               .per_atmosphere = anpe_head_number(head, "per_atmosphere"),
                               .seed = (uint32_t)anpe_head_number(head, "seed"),
                               .output = output,
                               .n_parts = n_parts,
                               .parts = parts};
    int64_t refused = 0;
    anpe_status status;
    if (!source || r.n < 1 || (unsigned)r.design > ANPE_BY_LATIN)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: is damaged: it does not say what it is of",
                         parts[0]);
    while (anpe_head_get(head, "set", r.n_sets))
        r.n_sets++;
    ANPE_TRY(ANPE_NEW(ctx, set, r.n_sets + 1));
    for (int k = 0; k < r.n_sets; k++)
        set[k] = anpe_head_get(head, "set", k);
    r.sets = set;
    r.refused = &refused;
    ANPE_TRY(anpe_simulate(ctx, &r));
    *n = r.n - refused;
out:
    free(set);
    return status;
}
