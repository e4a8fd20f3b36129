/* Samples for training and validation, online or from a file of simulations. */
#include "train/dataset.h"
#include "base/shape.h"
#include "train/kept.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIT_LABELS = 8192, FIT_SPECTRA = 256, FIT_BATCH = 8, STREAM_GROUP = 32 };

static void permute(anpe_rng *rng, int64_t n, int64_t *order)
{
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    anpe_shuffle(rng, n, order);
}

/* ---- stored simulations ------------------------------------------------------------------ */

static anpe_status match_columns(anpe_ctx *ctx, anpe_dataset *d)
{
    const anpe_prior *p = d->task->prior;
    const char *path = anpe_h5_path(d->file);
    int64_t n = 0;
    char **names = NULL;
    if (ANPE_NEW(ctx, d->column, p->n_labels))
        return ANPE_ENOMEM;
    if (!anpe_h5_has_attribute(d->file, "theta", "labels")) {
        if (d->n_columns != p->n_labels)
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: theta has %lld columns, the prior %lld labels, "
                             "and no attribute 'labels' says which",
                             path, (long long)d->n_columns, (long long)p->n_labels);
        for (int64_t i = 0; i < p->n_labels; i++)
            d->column[i] = i;
        return ANPE_OK;
    }
    anpe_status status = anpe_h5_get_texts(ctx, d->file, "theta", "labels", &n, &names);
    if (!status && n != d->n_columns)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: theta has %lld columns and %lld labels", path,
                           (long long)d->n_columns, (long long)n);
    for (int64_t i = 0; i < p->n_labels && !status; i++) {
        d->column[i] = -1;
        for (int64_t k = 0; k < n; k++)
            if (strcmp(names[k], p->label[i].name) == 0)
                d->column[i] = k;
    }
    for (int64_t i = 0; i < d->task->n_labels && !status; i++)
        if (d->column[d->task->inferred[i]] < 0)
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: theta has no label '%s'", path,
                               d->task->label[i].name);
    anpe_h5_texts_free(n, names);
    return status;
}

static anpe_status check_shapes(anpe_ctx *ctx, anpe_dataset *d)
{
    const char *path = anpe_h5_path(d->file);
    const int64_t size = anpe_task_size(d->task);
    int rank;
    int64_t shape[8];
    anpe_status status = anpe_h5_shape(ctx, d->file, "theta", &rank, shape);
    if (status)
        return status;
    if (rank != 2)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: theta has %d dimensions, expected (N, D)", path,
                         rank);
    d->n_rows = shape[0];
    d->n_columns = shape[1];
    if (anpe_h5_has(d->file, "sigma"))
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: holds observed spectra (it has 'sigma'); training "
                         "needs simulations without noise, which the noise model adds",
                         path);
    d->values = anpe_h5_has(d->file, "x") && !anpe_h5_has(d->file, "flux") ? "x" : "flux";
    status = anpe_h5_shape(ctx, d->file, d->values, &rank, shape);
    if (status)
        return status;
    if (rank < 1)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %s is one number; expected (N, values)", path,
                         d->values);
    const int64_t values = anpe_shape_count(rank - 1, shape + 1);
    if (shape[0] != d->n_rows || values != size)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: %s has %lld rows of %lld values; expected %lld of "
                         "%lld (instrument '%s')",
                         path, d->values, (long long)shape[0], (long long)values,
                         (long long)d->n_rows, (long long)size, d->task->instrument.name);
    return ANPE_OK;
}

/* Which rows are held out must not depend on the file's order, which may be sorted: the groups are
 * put in a random order once, the last ones are for validation. */
static anpe_status place_groups(anpe_ctx *ctx, anpe_dataset *d)
{
    const int64_t n = d->n_rows / d->group;
    const int64_t held_out = (d->n_validation + d->group - 1) / d->group;
    if (ANPE_NEW(ctx, d->place, n))
        return ANPE_ENOMEM;
    anpe_rng rng = anpe_rng_make(d->seed, ANPE_FOR_SHUFFLE, -1, 0);
    permute(&rng, n, d->place);
    d->n_train = (n - held_out) * d->group;
    return ANPE_OK;
}

/* The labels that are inferred are finite and inside their prior. */
static anpe_status check_label(anpe_ctx *ctx, const anpe_dataset *d, const anpe_label *l,
                               int64_t row, double x)
{
    if (!isfinite(x))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: row %lld of 'theta': label '%s' is %g",
                         anpe_h5_path(d->file), (long long)row, l->name, x);
    if (!(x >= l->min && x <= l->max))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: row %lld of 'theta': label '%s' is %g, outside its prior [%g, %g]",
                         anpe_h5_path(d->file), (long long)row, l->name, x, l->min, l->max);
    return ANPE_OK;
}

/* n rows from `row` of the file. */
static anpe_status check_rows(anpe_ctx *ctx, const anpe_dataset *d, int64_t row, int64_t n,
                              const float *values, const double *theta)
{
    const int64_t size = anpe_task_size(d->task);
    for (int64_t i = 0; i < n * size; i++)
        if (!isfinite(values[i]))
            return ANPE_FAIL(
                ctx, ANPE_EFORMAT, "%s: row %lld of '%s' holds a value that is not finite (%g)",
                anpe_h5_path(d->file), (long long)(row + i / size), d->values, (double)values[i]);
    for (int64_t i = 0; i < n * d->task->n_labels; i++) {
        const int64_t k = i / d->task->n_labels, label = i % d->task->n_labels;
        const double x = theta[k * d->n_columns + d->column[d->task->inferred[label]]];
        const anpe_status status = check_label(ctx, d, &d->task->label[label], row + k, x);
        if (status)
            return status;
    }
    return ANPE_OK;
}

/* All of a file that is larger than memory, before the first step: a bad row would else be found
 * when its step comes, perhaps hours later. */
static anpe_status check_file(anpe_ctx *ctx, anpe_dataset *d)
{
    enum { BLOCK_BYTES = 16 << 20 };
    const int64_t size = anpe_task_size(d->task), columns = d->n_columns;
    const int64_t fit = BLOCK_BYTES / (size * (int64_t)sizeof(float)), most = fit > 1 ? fit : 1;
    float *values = NULL;
    double *theta = NULL;
    anpe_status status = ANPE_NEW(ctx, values, most, size) || ANPE_NEW(ctx, theta, most, columns)
                             ? ANPE_ENOMEM
                             : ANPE_OK;
    for (int64_t row = 0; row < d->n_rows && !status; row += most) {
        const int64_t n = d->n_rows - row < most ? d->n_rows - row : most;
        if (anpe_cancelled(ctx)) {
            status = ANPE_FAIL(ctx, ANPE_ECANCEL, "cancelled");
            break;
        }
        anpe_progress(ctx, "checking simulations", (double)row, (double)d->n_rows);
        status = anpe_h5_read_rows(ctx, d->file, d->values, ANPE_H5_FLOAT, row, n, size, values);
        if (!status)
            status =
                anpe_h5_read_rows(ctx, d->file, "theta", ANPE_H5_DOUBLE, row, n, columns, theta);
        if (!status)
            status = check_rows(ctx, d, row, n, values, theta);
    }
    free(values);
    free(theta);
    return status;
}

static anpe_status open_file(anpe_ctx *ctx, anpe_dataset *d, const anpe_dataset_setup *setup)
{
    const char *path = setup->data;
    const int64_t memory = setup->memory ? setup->memory : ANPE_DATASET_MEMORY;
    const int64_t size = anpe_task_size(d->task);
    anpe_status status;
    ANPE_TRY(anpe_h5_open(ctx, path, &d->file));
    ANPE_TRY(check_shapes(ctx, d));
    ANPE_TRY(anpe_h5_made_for(ctx, d->file, d->task->instrument.name,
                              d->task->instrument.info.n_pixels,
                              d->task->instrument.info.wavelength));
    ANPE_TRY(match_columns(ctx, d));
    const int64_t columns = d->n_columns;
    d->group = 1;
    if (d->n_rows < 2 * d->batch + 2)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %lld simulations are too few for batches of %lld",
                         path, (long long)d->n_rows, (long long)d->batch);
    if (d->n_validation > d->n_rows / 10) /* a tenth is held out, or what was asked for if less */
        d->n_validation = d->n_rows / 10 > 0 ? d->n_rows / 10 : 1;
    if (d->n_rows * size * (int64_t)sizeof(float) <= memory) {
        if (ANPE_NEW(ctx, d->memory, d->n_rows, size) ||
            ANPE_NEW(ctx, d->memory_theta, d->n_rows, columns))
            return ANPE_ENOMEM;
        ANPE_TRY(anpe_h5_read(ctx, d->file, d->values, ANPE_H5_FLOAT, d->n_rows * size, d->memory));
        ANPE_TRY(anpe_h5_read(ctx, d->file, "theta", ANPE_H5_DOUBLE, d->n_rows * columns,
                              d->memory_theta));
        ANPE_TRY(check_rows(ctx, d, 0, d->n_rows, d->memory, d->memory_theta));
    }
    const int64_t most = d->batch > FIT_BATCH ? d->batch : FIT_BATCH;
    if (ANPE_NEW(ctx, d->rows, most, size) || ANPE_NEW(ctx, d->rows_theta, most, columns))
        return ANPE_ENOMEM;
    if (!d->memory) {
        d->group = STREAM_GROUP;
        ANPE_TRY(check_file(ctx, d));
    }
    status = place_groups(ctx, d);
out:
    return status;
}

/* Rows [row, row + n) of the file into slot k of the step's buffer. */
static anpe_status copy_rows(anpe_dataset *d, anpe_ctx *ctx, int64_t row, int64_t n, int64_t k)
{
    const int64_t size = anpe_task_size(d->task), columns = d->n_columns;
    if (d->memory) {
        memcpy(d->rows + k * size, d->memory + row * size, (size_t)(n * size) * sizeof *d->rows);
        memcpy(d->rows_theta + k * columns, d->memory_theta + row * columns,
               (size_t)(n * columns) * sizeof *d->rows_theta);
        return ANPE_OK;
    }
    anpe_status status =
        anpe_h5_read_rows(ctx, d->file, d->values, ANPE_H5_FLOAT, row, n, size, d->rows + k * size);
    return status ? status
                  : anpe_h5_read_rows(ctx, d->file, "theta", ANPE_H5_DOUBLE, row, n, columns,
                                      d->rows_theta + k * columns);
}

/* ---- order ------------------------------------------------------------------------------- */

/* The epoch's order of groups, from its own stream: the same after a resume. */
static void shuffle(anpe_dataset *d, int64_t epoch)
{
    anpe_rng rng = anpe_rng_make(d->seed, ANPE_FOR_SHUFFLE, epoch, 0);
    permute(&rng, d->n_train / d->group, d->order);
    d->epoch = epoch;
}

static int64_t ordered(const anpe_dataset *d, int64_t i)
{
    return d->order[i / d->group] * d->group + i % d->group;
}

/* The file's row of sample i: training samples first, then those held out. */
static int64_t row_of(const anpe_dataset *d, int64_t i)
{
    return d->place[i / d->group] * d->group + i % d->group;
}

anpe_status anpe_dataset_load(anpe_dataset *d, anpe_ctx *ctx, int64_t epoch, int validation,
                              int64_t first, int64_t offset, int64_t n)
{
    anpe_status status = ANPE_OK;
    if (d->order && !validation && epoch != d->epoch)
        shuffle(d, epoch);
    n += offset;
    for (int64_t k = offset; d->file && k < n && !status;) { /* runs up to the end of a group */
        const int64_t sample = validation ? d->n_train + first + k : ordered(d, first + k);
        const int64_t left = d->group - sample % d->group, run = left < n - k ? left : n - k;
        status = copy_rows(d, ctx, row_of(d, sample), run, k);
        k += run;
    }
    return status;
}

/* ---- samples ----------------------------------------------------------------------------- */

static void labels_of_row(const anpe_dataset *d, int64_t k, double *theta)
{
    for (int64_t i = 0; i < d->task->prior->n_labels; i++)
        theta[i] = d->column[i] < 0 ? 0 : d->rows_theta[k * d->n_columns + d->column[i]];
}

/* Noise-free spectra of samples first.. into b->flux, labels into b->theta. */
static anpe_status noise_free(const anpe_dataset *d, anpe_ctx *ctx, anpe_bench *b, int validation,
                              int64_t first, int64_t offset, int64_t n)
{
    const int64_t size = anpe_task_size(d->task), labels = d->task->prior->n_labels;
    if (d->file) {
        memcpy(b->flux, d->rows + offset * size, (size_t)(n * size) * sizeof *b->flux);
        for (int64_t k = 0; k < n; k++)
            labels_of_row(d, offset + k, b->theta + k * labels);
        return ANPE_OK;
    }
    anpe_status status = ANPE_OK;
    const anpe_purpose purpose = validation ? ANPE_FOR_VALIDATION : ANPE_FOR_TRAINING;
    if (!d->order || validation)
        status = anpe_task_draw_labels(d->task, ctx, b, d->seed, purpose, first + offset, n);
    for (int64_t k = 0; d->order && !validation && k < n && !status; k++) {
        anpe_rng rng =
            anpe_rng_make(d->seed, purpose, ordered(d, first + offset + k), ANPE_SLOT_LABELS);
        status = anpe_task_sample(d->task, ctx, &rng, b, k);
    }
    return status ? status : anpe_task_simulate(d->task, ctx, b, n);
}

/* The stream of a sample's noise: fixed for validation, else new every epoch unless it is kept. */
static anpe_rng noise_stream(const anpe_dataset *d, int validation, int64_t index)
{
    if (validation)
        return anpe_rng_make(d->seed, ANPE_FOR_VALIDATION, index, ANPE_SLOT_NOISE);
    if (!d->order)
        return anpe_rng_make(d->seed, ANPE_FOR_TRAINING, index, ANPE_SLOT_NOISE);
    return anpe_rng_make(d->seed, ANPE_FOR_TRAINING, ordered(d, index),
                         (uint32_t)(ANPE_SLOT_EPOCH_NOISE + (d->keep ? 0 : d->epoch)));
}

anpe_status anpe_dataset_open_desk(const anpe_dataset *d, anpe_ctx *ctx, int64_t batch,
                                   anpe_dataset_desk *desk)
{
    anpe_status status;
    *desk = (anpe_dataset_desk){0};
    ANPE_TRY(anpe_bench_new(ctx, d->task, batch, &desk->bench));
    ANPE_TRY(anpe_view_new(ctx, d->task, d->channels, d->map, ANPE_VIEW_MOST, &desk->view));
    ANPE_TRY(anpe_view_coordinates(ctx, d->channels, d->map, &desk->coordinates));
    for (int i = 0; i < ANPE_VIEW_MOST; i++)
        ANPE_TRY(anpe_spectrum_new(ctx, anpe_task_size(d->task), &desk->spectrum[i]));
    status = ANPE_NEW(ctx, desk->log_volume, batch);
out:
    if (status)
        anpe_dataset_close_desk(desk);
    return status;
}

void anpe_dataset_close_desk(anpe_dataset_desk *desk)
{
    anpe_bench_free(desk->bench);
    anpe_view_free(desk->view);
    anpe_coordinates_clear(&desk->coordinates);
    for (int i = 0; i < ANPE_VIEW_MOST; i++)
        anpe_spectrum_clear(&desk->spectrum[i]);
    free(desk->log_volume);
    *desk = (anpe_dataset_desk){0};
}

/* Labels as the flow sees them. log |d y / d y'| = log |d theta / d y'| - log |d theta / d y|, so
 * that losses are densities of y' and can be compared. */
static void place_labels(const anpe_dataset *d, anpe_dataset_desk *desk, int64_t k,
                         const double *theta, float *y)
{
    double *back = desk->coordinates.back;
    if (d->channels->start) {
        anpe_label_map_forward(d->map, theta, y);
        desk->log_volume[k] = anpe_label_map_inverse(d->map, y, back);
    }
    anpe_coordinates_forward(&desk->coordinates, theta, y);
    if (d->channels->start)
        desk->log_volume[k] -= anpe_coordinates_inverse(&desk->coordinates, y, back);
}

/* Samples from .. to - 1 of the bench, observed and looked at. */
static anpe_status observe(const anpe_dataset *d, anpe_ctx *ctx, anpe_dataset_desk *desk,
                           int validation, int64_t index, int64_t from, int64_t to)
{
    const anpe_spectrum *look[ANPE_VIEW_MOST];
    anpe_status status;
    for (int64_t k = from; k < to; k++) {
        anpe_rng rng = noise_stream(d, validation, index + k);
        ANPE_TRY(anpe_task_mock(d->task, ctx, desk->bench, k, &rng));
        const anpe_spectrum made = desk->bench->spectrum;
        desk->bench->spectrum = desk->spectrum[k - from];
        desk->spectrum[k - from] = made;
        look[k - from] = &desk->spectrum[k - from];
    }
    status = anpe_view_fit(desk->view, ctx, to - from, look);
out:
    return status;
}

static anpe_status make(const anpe_dataset *d, anpe_ctx *ctx, anpe_dataset_desk *desk,
                        int validation, int64_t first, int64_t offset, int64_t n, float *x,
                        float *y)
{
    const int64_t labels = d->task->prior->n_labels;
    const int64_t input = d->channels->length * d->channels->width;
    anpe_bench *b = desk->bench;
    double *theta = b->label;
    anpe_status status;
    ANPE_TRY(noise_free(d, ctx, b, validation, first, offset, n));
    for (int64_t from = 0, to; from < n; from = to) {
        to = n - from < ANPE_VIEW_MOST ? n : from + ANPE_VIEW_MOST;
        ANPE_TRY(observe(d, ctx, desk, validation, first + offset, from, to));
        for (int64_t k = from; k < to; k++) {
            anpe_view_show(desk->view, k - from, &desk->spectrum[k - from], x + k * input,
                           &desk->coordinates);
            anpe_task_labels(d->task, b->theta + k * labels, theta);
            if (y)
                place_labels(d, desk, k, theta, y + k * d->map->n);
        }
    }
out:
    return status;
}

/* Which of the kept samples is sample i. */
static int64_t kept_place(const anpe_dataset *d, int validation, int64_t i)
{
    return validation ? d->n_train + i : ordered(d, i);
}

/* How many samples from the at-th are alike in being kept or not, n at most. */
static int64_t alike(const anpe_dataset *d, int validation, int64_t at, int64_t n)
{
    const uint8_t *there = d->kept->there, first = there[kept_place(d, validation, at)];
    int64_t k = 1;
    while (k < n && there[kept_place(d, validation, at + k)] == first)
        k++;
    return k;
}

/* What is not kept yet is made. */
static anpe_status keep(const anpe_dataset *d, anpe_ctx *ctx, anpe_dataset_desk *desk,
                        int validation, int64_t first, int64_t offset, int64_t n, float *x,
                        float *y)
{
    const int64_t input = d->channels->length * d->channels->width, labels = d->map->n;
    for (int64_t k = 0, run; k < n; k += run) {
        const int64_t at = first + offset + k;
        run = alike(d, validation, at, n - k);
        if (d->kept->there[kept_place(d, validation, at)])
            continue;
        const anpe_status status = make(d, ctx, desk, validation, first, offset + k, run, x, y);
        if (status)
            return status;
        for (int64_t j = 0; j < run; j++)
            anpe_kept_put(d->kept, kept_place(d, validation, at + j), x + j * input, y + j * labels,
                          desk->log_volume[j], desk->bench->weight[j]);
    }
    return ANPE_OK;
}

anpe_status anpe_dataset_fill(const anpe_dataset *d, anpe_ctx *ctx, anpe_dataset_desk *desk,
                              int validation, int64_t first, int64_t offset, int64_t n, float *x,
                              float *y)
{
    const int64_t input = d->channels->length * d->channels->width;
    if (!d->kept)
        return make(d, ctx, desk, validation, first, offset, n, x, y);
    const anpe_status status = keep(d, ctx, desk, validation, first, offset, n, x, y);
    for (int64_t k = 0; k < n && !status; k++)
        anpe_kept_get(d->kept, kept_place(d, validation, first + offset + k), x + k * input,
                      y + k * d->map->n, &desk->log_volume[k], &desk->bench->weight[k]);
    return status;
}

/* ---- set-up ------------------------------------------------------------------------------ */

static anpe_status fit_labels(anpe_ctx *ctx, anpe_dataset *d)
{
    const anpe_task *t = d->task;
    double *theta = NULL, *all;
    anpe_status status = ANPE_NEW(ctx, all, t->prior->n_labels);
    if (!status)
        status = ANPE_NEW(ctx, theta, FIT_LABELS, t->n_labels);
    for (int64_t k = 0; k < FIT_LABELS && !status; k++) {
        anpe_rng rng = anpe_rng_make(d->seed, ANPE_FOR_INIT, k, ANPE_SLOT_NOISE);
        status = anpe_prior_sample(t->prior, ctx, &rng, all);
        anpe_task_labels(t, all, theta + k * t->n_labels);
    }
    if (!status)
        anpe_label_map_fit(d->map, FIT_LABELS, theta);
    free(all);
    free(theta);
    return status;
}

static anpe_status fit_channels(anpe_ctx *ctx, anpe_dataset *d)
{
    enum { AUTO, NONE, CHANNEL, PIXEL };
    const int choice = d->task->observe->standardise;
    const int per_pixel =
        choice == PIXEL ||
        (choice == AUTO && (d->channels->basis || !d->task->instrument.info.wavelength));
    const int64_t input = d->channels->length * d->channels->width;
    const int64_t have = d->n_train && d->n_train < FIT_SPECTRA ? d->n_train : FIT_SPECTRA;
    anpe_dataset_desk desk = {0};
    anpe_status status = ANPE_OK;
    if (choice == NONE)
        return ANPE_OK;
    float *x;
    if (ANPE_NEW(ctx, x, FIT_SPECTRA, input))
        return ANPE_ENOMEM;
    ANPE_TRY(anpe_dataset_open_desk(d, ctx, FIT_BATCH, &desk));
    for (int64_t first = 0; first < have; first += FIT_BATCH) {
        const int64_t n = have - first < FIT_BATCH ? have - first : FIT_BATCH;
        ANPE_TRY(anpe_dataset_load(d, ctx, 0, 0, first, 0, n));
        ANPE_TRY(anpe_dataset_fill(d, ctx, &desk, 0, first, 0, n, x + first * input, NULL));
    }
    anpe_channels_fit(d->channels, have, x, per_pixel);
    if (anpe_channels_curved(d->channels))
        anpe_log(ctx, ANPE_INFO, "%lld of %lld inputs have long tails: their log or asinh is taken",
                 (long long)anpe_channels_curved(d->channels), (long long)input);
out:
    anpe_dataset_close_desk(&desk);
    free(x);
    return status;
}

static anpe_status basis_channels(anpe_ctx *ctx, anpe_dataset *d)
{
    const anpe_task *t = d->task;
    anpe_basis *basis = NULL;
    anpe_start *start = NULL;
    anpe_status status;
    if (t->observe->channels.n)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: with observe.basis the network sees coefficients, not channels",
                         anpe_settings_where(t->settings, "observe.channels"));
    if (t->instrument.info.channels > 1)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: only for spectra of one channel",
                         anpe_settings_where(t->settings, "observe.basis"));
    ANPE_TRY(anpe_basis_find(ctx, t, t->observe->basis, d->seed, &basis));
    if (t->observe->newton)
        ANPE_TRY(anpe_start_fit(ctx, t, d->map, basis, d->seed, &start));
    return anpe_channels_new_basis(ctx, basis, start, &d->channels);
out:
    anpe_basis_free(basis);
    return status;
}

/* What a fit of each spectrum asks for. */
static anpe_status check_newton(anpe_ctx *ctx, const anpe_dataset *d)
{
    const anpe_task *t = d->task;
    const char *where = anpe_settings_where(t->settings, "observe.newton");
    const anpe_noise_ops *noise = t->noise.ops;
    if (!t->observe->basis)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: needs observe.basis, whose coefficients its steps start from", where);
    if (t->n_labels < t->prior->n_labels)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: there is no likelihood: labels.infer leaves %lld of the prior's %lld "
                         "labels open",
                         where, (long long)(t->prior->n_labels - t->n_labels),
                         (long long)t->prior->n_labels);
    if (t->noise.plugin->capabilities & ANPE_NOISE_NO_LIKELIHOOD)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: noise model '%s' has no likelihood: the simulations contain their "
                         "noise",
                         where, t->noise.plugin->name);
    if (ANPE_HAS(noise, log_likelihood))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "%s: noise model '%s' has a likelihood of its own, which has no "
                         "Gauss-Newton matrix",
                         where, t->noise.plugin->name);
    return ANPE_OK;
}

static anpe_status default_channels(anpe_ctx *ctx, anpe_dataset *d)
{
    static const char *const survey[] = {"flux", "mask"};
    const anpe_task *t = d->task;
    const anpe_texts *want = &t->observe->channels;
    for (int64_t i = 0; i < want->n; i++)
        if (strcmp(want->v[i], anpe_channel_name(ANPE_CHANNEL_NEWTON)) == 0)
            return ANPE_FAIL(ctx, ANPE_ECONFIG,
                             "%s: the inputs of observe.newton cannot be listed as a channel",
                             anpe_settings_where(t->settings, "observe.channels"));
    const int n = want->n ? (int)want->n : t->instrument.info.wavelength ? 2 : 1;
    const anpe_status status =
        anpe_channels_new(ctx, t->instrument.info.n_pixels, t->instrument.info.channels, n,
                          want->n ? want->v : survey, &d->channels);
    if (!status)
        anpe_channels_place(d->channels, t->instrument.info.wavelength);
    return status;
}

anpe_status anpe_dataset_new(anpe_ctx *ctx, const anpe_task *task, const anpe_dataset_setup *setup,
                             anpe_label_map *map, anpe_channels *channels, anpe_dataset **out)
{
    anpe_status status = ANPE_OK;
    anpe_dataset *d;
    *out = NULL;
    if (ANPE_NEW(ctx, d, 1))
        return ANPE_ENOMEM;
    *d = (anpe_dataset){.task = task,
                        .map = map,
                        .channels = channels,
                        .seed = setup->seed,
                        .n_train = setup->n_sims,
                        .n_validation = setup->n_validation,
                        .group = 1,
                        .epoch = -1,
                        .batch = setup->batch,
                        .keep = setup->keep};
    if (setup->data)
        ANPE_TRY(open_file(ctx, d, setup));
    else if (!task->sim.n_pixels) {
        status = ANPE_FAIL(ctx, ANPE_ECONFIG,
                           "simulator '%s' cannot simulate: give a file of "
                           "simulations with --data",
                           task->simulator.plugin->name);
        goto out;
    }
    if (d->n_train)
        ANPE_TRY(ANPE_NEW(ctx, d->order, d->n_train / d->group + 1));
    if (!map) {
        ANPE_TRY(anpe_label_map_new(ctx, task->n_labels, task->label,
                                    task->label_options->transform == 0, &d->map));
        ANPE_TRY(fit_labels(ctx, d));
    }
    if (task->observe->newton)
        ANPE_TRY(check_newton(ctx, d));
    if (!channels) {
        ANPE_TRY(task->observe->basis ? basis_channels(ctx, d) : default_channels(ctx, d));
        ANPE_TRY(fit_channels(ctx, d));
        d->epoch = -1;
    }
    if (d->keep)
        ANPE_TRY(anpe_kept_new(ctx, d->n_train + d->n_validation,
                               d->channels->length * d->channels->width, d->map->n, &d->kept));
out:
    if (status) { /* what was given stays the caller's */
        d->map = map ? NULL : d->map;
        d->channels = channels ? NULL : d->channels;
        d = anpe_dataset_free(d);
    }
    *out = d;
    return status;
}

anpe_dataset *anpe_dataset_free(anpe_dataset *d)
{
    if (!d)
        return NULL;
    anpe_label_map_free(d->map);
    anpe_channels_free(d->channels);
    anpe_kept_free(d->kept);
    anpe_h5_abandon(d->file);
    free(d->order);
    free(d->place);
    free(d->column);
    free(d->memory);
    free(d->memory_theta);
    free(d->rows);
    free(d->rows_theta);
    free(d);
    return NULL;
}
