/* Training of the network: labels scaled to [-1/2, 1/2] by the grid's range, targets over one
 * common scale, Adam with a rate that falls as a cosine. The loss is the mean of the spectra's root
 * mean squares, which is what is said of the network afterwards; with their mean squares the few
 * spectra full of bands would have nearly all of the attention.
 *
 * Units with a sigmoid are trained as tanh and written as the sigmoids that they are: outputs about
 * zero instead of a half are less alike, and Adam comes further.
 *
 * Targets are pixels less their mean; of long spectra the coefficients of as many principal
 * components as the last hidden layer has units. A last layer of so few columns cannot give more
 * than that, and the components are orthonormal: the error in the pixels is the one in the
 * coefficients and a part that no network of this width could take away. A step costs what these
 * few do. Mean, scale and components go into the last layer afterwards, unless a number of
 * components was asked for: then the network gives their coefficients, and they stand behind it in
 * the file. */
#include <config.h>
#include "base/random.h"
#include "base/workers.h"
#include "kernel/product.h"
#include "kind/backend.h"
#include "prepare/emulate.h"
#include "prepare/principal.h"
#include "train/optimiser.h"
#include "train/pass.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, MICRO = 16, WARMUP = 200 };

static const double tiny = 1e-12; /* of a spectrum's square: one that is met has a derivative */

typedef struct fit {
    const anpe_emulate_request *request;
    const anpe_emulate_grid *grid;
    int64_t n, batch;
    int64_t *order;   /* (n) rows of the targets, in the order of this epoch */
    double *mean;     /* (n_pixels) */
    double *theta;    /* (n, n_labels) */
    int64_t n_values; /* of a target */
    float *target;    /* (n, n_values) */
    float *vector;    /* (n_values, n_pixels) components; NULL: targets are pixels */
    double *length;   /* (n_values) of the components in the file; NULL: they are not in it */
    double scale;     /* of a target */
    anpe_settings *settings;
    anpe_component backend_plugin;
    anpe_backend backend;
    anpe_graph *graph;
    anpe_node x, y;
    anpe_parameters *parameters;
    anpe_workers *workers;
    anpe_pass *pass;
    anpe_optimiser *optimiser;
    float *gradient;
} fit;

/* ---- what the network is to give --------------------------------------------------------- */

static void centre(const fit *f, const int64_t *rows, float *x)
{
    const anpe_emulate_grid *g = f->grid;
    const int64_t P = g->n_pixels;
    for (int64_t i = 0; i < f->n; i++)
        for (int64_t p = 0; p < P; p++)
            f->mean[p] += (double)g->flux[rows[i] * P + p] / (double)f->n;
    for (int64_t i = 0; i < f->n; i++)
        for (int64_t p = 0; p < P; p++)
            x[i * P + p] = (float)((double)g->flux[rows[i] * P + p] - f->mean[p]);
}

static double square_of(int64_t n, const float *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

/* Length l of a component in the file and 1/l of its coefficient, so that both have the same root
 * mean square, over pixels and over spectra: half precision is coarse below 6e-5, where one of the
 * two would be if the other had length 1. */
static anpe_status choose_lengths(anpe_ctx *ctx, fit *f)
{
    const int64_t k = f->n_values;
    if (ANPE_NEW(ctx, f->length, k))
        return ANPE_ENOMEM;
    for (int64_t j = 0; j < k; j++) {
        double square = 0;
        for (int64_t i = 0; i < f->n; i++)
            square += (double)f->target[i * k + j] * (double)f->target[i * k + j];
        const double fourth = (double)f->grid->n_pixels * square / (double)f->n;
        f->length[j] = fourth > 0 ? pow(fourth, 0.25) : 1;
    }
    return ANPE_OK;
}

/* The centred spectra as coefficients of their components, in their place. */
static anpe_status find_components(anpe_ctx *ctx, fit *f)
{
    const anpe_emulate_request *r = f->request;
    const int64_t P = f->grid->n_pixels, wanted = r->components ? r->components : r->width;
    const int64_t k = wanted < f->n - 1 ? wanted : f->n - 1;
    float *coefficient = NULL;
    if (2 * k > P)
        return ANPE_OK;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, f->vector, k, P));
    ANPE_TRY(ANPE_NEW(ctx, coefficient, f->n, k));
    ANPE_TRY(anpe_principal(ctx, f->n, P, f->target, k, f->request->seed, f->vector, coefficient));
    f->n_values = k;
    free(f->target);
    f->target = coefficient;
    coefficient = NULL;
    if (r->components)
        ANPE_TRY(choose_lengths(ctx, f));
out:
    free(coefficient);
    return status;
}

static anpe_status make_targets(anpe_ctx *ctx, fit *f, const int64_t *rows)
{
    const anpe_emulate_grid *g = f->grid;
    const int64_t P = g->n_pixels, D = g->n_labels;
    anpe_status status;
    f->n_values = P;
    ANPE_TRY(ANPE_NEW(ctx, f->mean, P));
    ANPE_TRY(ANPE_NEW(ctx, f->theta, f->n, D));
    ANPE_TRY(ANPE_NEW(ctx, f->target, f->n, P));
    for (int64_t i = 0; i < f->n; i++)
        memcpy(f->theta + i * D, g->theta + rows[i] * D, (size_t)D * sizeof *f->theta);
    centre(f, rows, f->target);
    ANPE_TRY(find_components(ctx, f));
    f->scale = sqrt(square_of(f->n * f->n_values, f->target) / (double)(f->n * f->n_values));
    if (!(f->scale > 0))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: all spectra are the same", f->request->grid);
    for (int64_t i = 0; i < f->n * f->n_values && !status; i++)
        f->target[i] = (float)((double)f->target[i] / f->scale);
out:
    return status;
}

static anpe_node activate(const fit *f, anpe_node x)
{
    const char *name = f->request->activation;
    if (strcmp(name, "sigmoid") == 0)
        return anpe_tanh(f->graph, x);
    return strcmp(name, "relu") == 0 ? anpe_relu(f->graph, x) : anpe_leaky_relu(f->graph, x, 0.01);
}

static anpe_status build(anpe_ctx *ctx, fit *f)
{
    const anpe_emulate_request *r = f->request;
    anpe_status status;
    if (!(f->graph = anpe_graph_new()))
        return ANPE_NO_MEMORY(ctx, "the network");
    anpe_node y = f->x = anpe_graph_input(f->graph, "labels", 1, 1, f->grid->n_labels);
    for (int64_t i = 0; i < r->layers; i++)
        y = activate(
            f, anpe_linear(f->graph, anpe_name(f->graph, "w%lld", (long long)i), y, r->width, 0));
    f->y = anpe_linear(f->graph, anpe_name(f->graph, "w%lld", (long long)r->layers), y, f->n_values,
                       0);
    ANPE_TRY(anpe_graph_check(ctx, f->graph));
    ANPE_TRY(anpe_parameters_new(ctx, f->graph, ANPE_FLOAT, r->seed, &f->parameters));
    ANPE_TRY(anpe_settings_parse(ctx, "", "emulate", 0, NULL, &f->settings));
    ANPE_TRY(anpe_backend_open(ctx, f->settings, "auto", ANPE_NUMBER_FLOAT, &f->backend_plugin,
                               &f->backend));
out:
    return status;
}

/* ---- a pass ------------------------------------------------------------------------------ */

static int64_t row_of(const fit *f, const anpe_pass_rows *rows, int64_t i)
{
    return f->order[(rows->start + rows->offset + i) % f->n];
}

static anpe_status fill_rows(void *user, anpe_ctx *ctx, const anpe_pass_rows *rows)
{
    const fit *f = user;
    const anpe_emulate_grid *g = f->grid;
    const int64_t D = g->n_labels;
    float *x = anpe_executor_tensor(rows->executor, f->x);
    (void)ctx;
    for (int64_t i = 0; i < rows->n; i++) {
        const double *theta = f->theta + row_of(f, rows, i) * D;
        for (int64_t k = 0; k < D; k++)
            x[i * D + k] = (float)((theta[k] - g->min[k]) / (g->max[k] - g->min[k]) - 0.5);
    }
    return ANPE_OK;
}

static anpe_status sum_loss(void *user, anpe_ctx *ctx, const anpe_pass_rows *rows, double *loss,
                            float *seed)
{
    const fit *f = user;
    const int64_t n = f->n_values;
    const float *y = anpe_executor_tensor(rows->executor, f->y);
    *loss = 0;
    for (int64_t i = 0; i < rows->n; i++) {
        const float *target = f->target + row_of(f, rows, i) * n;
        double square = tiny;
        for (int64_t p = 0; p < n; p++) {
            const double d = (double)y[i * n + p] - (double)target[p];
            square += d * d;
        }
        const double length = sqrt(square);
        for (int64_t p = 0; p < n; p++)
            seed[i * n + p] = (float)(((double)y[i * n + p] - (double)target[p]) /
                                      (length * (double)rows->batch));
        *loss += length;
    }
    if (!isfinite(*loss))
        return ANPE_FAIL(ctx, ANPE_ENUMERIC,
                         "step %lld: the network's output is not finite; a smaller --rate may help",
                         (long long)f->optimiser->step);
    return ANPE_OK;
}

static anpe_status train(anpe_ctx *ctx, fit *f, const char *what)
{
    const anpe_emulate_request *r = f->request;
    const int64_t per_epoch = f->n / f->batch;
    double norm;
    anpe_status status = ANPE_OK;
    for (int64_t step = 0; step < r->steps && !status; step++) {
        const int64_t place = step % per_epoch;
        if (place == 0) {
            anpe_rng rng =
                anpe_rng_make(r->seed, ANPE_FOR_SHUFFLE, step / per_epoch, ANPE_SLOT_EPOCH_NOISE);
            anpe_shuffle(&rng, f->n, f->order);
        }
        ANPE_TRY(anpe_pass_run(f->pass, ctx, 0, place * f->batch, f->batch));
        if (anpe_cancelled(ctx))
            return ANPE_FAIL(ctx, ANPE_ECANCEL, "interrupted in step %lld of %lld: nothing is kept",
                             (long long)step + 1, (long long)r->steps);
        ANPE_TRY(anpe_optimiser_update(
            ctx, f->optimiser, anpe_learning_rate(r->rate, 1e-3 * r->rate, step, WARMUP, r->steps),
            f->pass->total, f->gradient, f->parameters, f->workers, &norm));
        anpe_progress(ctx, what, (double)(step + 1), (double)r->steps);
    }
out:
    return status;
}

/* ---- from and to the emulator ------------------------------------------------------------ */

/* The last layer in pixels: sum_k vector_kp weight_ku, the bias alike; float, so that files stay
 * small. */
static anpe_status last_layer(anpe_ctx *ctx, const fit *f, const float *w, const float *b,
                              int64_t width, double *weight, double *bias)
{
    const int64_t P = f->grid->n_pixels, k = f->n_values;
    float *packed = NULL, *product = NULL;
    anpe_status status;
    if (f->vector) {
        ANPE_TRY(ANPE_NEW(ctx, packed, anpe_product_packed_f(k, width)));
        ANPE_TRY(ANPE_NEW(ctx, product, P, width));
        anpe_product_pack_f(k, width, w, width, 1, packed);
        anpe_product_f(P, width, k, f->vector, 1, P, packed, NULL, product, width, 0);
        w = product;
    }
    for (int64_t i = 0; i < P * width; i++)
        weight[i] = (float)(f->scale * (double)w[i]);
    for (int64_t p = 0; p < P; p++) {
        double sum = f->vector ? 0 : (double)b[p];
        for (int64_t i = 0; f->vector && i < k; i++)
            sum += (double)f->vector[i * P + p] * (double)b[i];
        bias[p] = f->mean[p] + f->scale * sum;
    }
    status = ANPE_OK;
out:
    free(packed);
    free(product);
    return status;
}

/* The last layer in coefficients of the components as they are in the file. */
static void to_coefficients(const fit *f, int64_t width, double *weight, double *bias)
{
    for (int64_t j = 0; j < f->n_values; j++) {
        for (int64_t i = j * width; i < (j + 1) * width; i++)
            weight[i] = (float)(f->scale / f->length[j] * weight[i]);
        bias[j] *= f->scale / f->length[j];
    }
}

/* basis (n_pixels, n_values) and mean (n_pixels); float, so that files stay small. */
static anpe_status add_components(anpe_ctx *ctx, const fit *f, anpe_emulator *e)
{
    const int64_t P = f->grid->n_pixels, k = f->n_values, shape[2] = {P, k};
    double *basis, *mean;
    if (ANPE_NEW(ctx, basis, P, k))
        return ANPE_ENOMEM;
    for (int64_t p = 0; p < P; p++)
        for (int64_t j = 0; j < k; j++)
            basis[p * k + j] = (float)(f->length[j] * (double)f->vector[j * P + p]);
    anpe_status status;
    ANPE_TRY(anpe_emulator_add(ctx, e, "basis", 2, shape, basis));
    ANPE_TRY(ANPE_NEW(ctx, mean, P));
    for (int64_t p = 0; p < P; p++)
        mean[p] = (float)f->mean[p];
    ANPE_TRY(anpe_emulator_add(ctx, e, "mean", 1, shape, mean));
out:
    return status;
}

/* tanh(z) is 2 sigmoid(2 z) - 1: a layer that reads such units takes twice their sigmoid and less
 * the sum of its weights, one that makes them twice its sum. */
static void to_sigmoid(const fit *f, int64_t layer, const int64_t shape[2], double *weight,
                       double *bias)
{
    const int reads = layer > 0, makes = layer < f->request->layers;
    for (int64_t j = 0; j < shape[0]; j++) {
        double *row = weight + j * shape[1];
        for (int64_t k = 0; k < shape[1]; k++) {
            bias[j] -= reads ? row[k] : 0;
            row[k] *= (reads ? 2 : 1) * (makes ? 2 : 1);
        }
        bias[j] *= makes ? 2 : 1;
    }
}

static anpe_status take_layer(anpe_ctx *ctx, const fit *f, int64_t i, anpe_emulator *e)
{
    char name[32];
    const int last = i == f->request->layers, to_pixels = last && !f->length;
    snprintf(name, sizeof name, "w%lld.weight", (long long)i);
    const anpe_parameter *w = anpe_parameters_find(f->parameters, name);
    snprintf(name, sizeof name, "w%lld.bias", (long long)i);
    const anpe_parameter *b = anpe_parameters_find(f->parameters, name);
    if (!w || !b)
        return ANPE_FAIL(ctx, ANPE_EINTERNAL, "emulator: layer %lld has no weights", (long long)i);
    const float *raw = f->parameters->raw;
    const int64_t shape[2] = {to_pixels ? f->grid->n_pixels : w->shape[0], w->shape[1]};
    double *weight = NULL;
    double *bias = NULL;
    if (ANPE_NEW(ctx, weight, shape[0], shape[1]) || ANPE_NEW(ctx, bias, shape[0])) {
        free(weight);
        free(bias);
        return ANPE_ENOMEM;
    }
    anpe_status status = ANPE_OK;
    if (to_pixels)
        status = last_layer(ctx, f, raw + w->offset, raw + b->offset, shape[1], weight, bias);
    for (int64_t k = 0; !to_pixels && k < w->size; k++)
        weight[k] = (double)raw[w->offset + k];
    for (int64_t k = 0; !to_pixels && k < b->size; k++)
        bias[k] = (double)raw[b->offset + k];
    if (last && !to_pixels)
        to_coefficients(f, shape[1], weight, bias);
    if (!status && strcmp(f->request->activation, "sigmoid") == 0)
        to_sigmoid(f, i, shape, weight, bias);
    snprintf(name, sizeof name, "w%lld", (long long)i);
    if (status)
        free(weight);
    else
        status = anpe_emulator_add(ctx, e, name, 2, shape, weight);
    snprintf(name, sizeof name, "b%lld", (long long)i);
    if (status)
        free(bias);
    return status ? status : anpe_emulator_add(ctx, e, name, 1, shape, bias);
}

static void close_fit(fit *f)
{
    anpe_pass_free(f->pass);
    anpe_optimiser_free(f->optimiser);
    anpe_workers_free(f->workers);
    anpe_parameters_free(f->parameters);
    anpe_graph_free(f->graph);
    anpe_component_clear(&f->backend_plugin);
    anpe_settings_free(f->settings);
    anpe_free(f->gradient);
    free(f->order);
    free(f->mean);
    free(f->theta);
    free(f->target);
    free(f->vector);
    free(f->length);
}

static anpe_status open_fit(anpe_ctx *ctx, fit *f, const int64_t *rows)
{
    anpe_status status;
    if (ANPE_NEW(ctx, f->order, f->n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < f->n; i++)
        f->order[i] = i;
    f->batch = f->n < BATCH ? f->n : BATCH;
    ANPE_TRY(make_targets(ctx, f, rows));
    ANPE_TRY(build(ctx, f));
    ANPE_TRY(anpe_workers_new(ctx, f->request->threads, &f->workers));
    ANPE_TRY(anpe_optimiser_new(ctx, f->parameters->size, 1, 100, &f->optimiser));
    if (!(f->gradient = anpe_alloc(ctx, (size_t)f->parameters->size * sizeof *f->gradient)))
        return ANPE_ENOMEM;
    const anpe_pass_setup setup = {.graph = f->graph,
                                   .parameters = f->parameters,
                                   .backend = f->backend,
                                   .output = f->y,
                                   .micro = f->batch < MICRO ? f->batch : MICRO,
                                   .workers = f->workers,
                                   .user = f,
                                   .fill = fill_rows,
                                   .loss = sum_loss};
    ANPE_TRY(anpe_pass_new(ctx, &setup, &f->pass));
out:
    return status;
}

anpe_status anpe_emulate_fit(anpe_ctx *ctx, const anpe_emulate_request *r,
                             const anpe_emulate_grid *g, int64_t n, const int64_t *rows,
                             const char *what, anpe_emulator *e)
{
    fit f = {.request = r, .grid = g, .n = n};
    anpe_status status;
    ANPE_TRY(open_fit(ctx, &f, rows));
    ANPE_TRY(train(ctx, &f, what));
    e->n_layers = r->layers + 1;
    for (int64_t i = 0; i < e->n_layers; i++)
        ANPE_TRY(take_layer(ctx, &f, i, e));
    if (f.length)
        ANPE_TRY(add_components(ctx, &f, e));
out:
    close_fit(&f);
    return status;
}
