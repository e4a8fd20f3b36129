/* Adam; see optimiser.h. */
#include <config.h>
#include "train/optimiser.h"
#include "kernel/vector.h"
#include "stat/order.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
/* What a thread takes at a time. Part of the result: the norm is the sum of the chunks' squares. */
enum { CHUNK = 1 << 16 };

static int64_t chunks(const anpe_optimiser *o)
{
    return (o->size + CHUNK - 1) / CHUNK;
}

anpe_status anpe_optimiser_new(anpe_ctx *ctx, int64_t size, int64_t steps_per_epoch,
                               double percentile, anpe_optimiser **out)
{
    anpe_optimiser *o;
    *out = NULL;
    if (ANPE_NEW(ctx, o, 1))
        return ANPE_ENOMEM;
    o->m = anpe_alloc(ctx, (size_t)size * sizeof *o->m);
    o->v = anpe_alloc(ctx, (size_t)size * sizeof *o->v);
    o->norms = anpe_alloc(ctx, (size_t)steps_per_epoch * sizeof *o->norms);
    o->size = size;
    o->square = anpe_alloc(ctx, (size_t)chunks(o) * sizeof *o->square);
    o->max_norms = steps_per_epoch;
    o->percentile = percentile;
    o->clip = INFINITY;
    if (!o->m || !o->v || !o->norms || !o->square) {
        *out = anpe_optimiser_free(o);
        return ANPE_ENOMEM;
    }
    *out = o;
    return ANPE_OK;
}

anpe_optimiser *anpe_optimiser_free(anpe_optimiser *o)
{
    if (o) {
        anpe_free(o->m);
        anpe_free(o->v);
        anpe_free(o->norms);
        anpe_free(o->square);
        anpe_free(o->average);
        free(o);
    }
    return NULL;
}

anpe_status anpe_optimiser_average(anpe_ctx *ctx, anpe_optimiser *o, int64_t span,
                                   const float *value)
{
    o->average = anpe_alloc(ctx, (size_t)o->size * sizeof *o->average);
    if (!o->average)
        return ANPE_ENOMEM;
    memcpy(o->average, value, (size_t)o->size * sizeof *o->average);
    o->span = (double)span;
    return ANPE_OK;
}

typedef struct update {
    anpe_optimiser *o;
    anpe_parameters *parameters;
    const float *grad_effective;
    float *pulled; /* where the gradient is put */
    const float *gradient;
    float *value;
    anpe_adam adam;
    double shrink; /* of the weights, before the step */
    float blend;   /* of the average, after it */
} update;

static int64_t chunk_size(const anpe_optimiser *o, int64_t i)
{
    return o->size - i * CHUNK < CHUNK ? o->size - i * CHUNK : CHUNK;
}

static void square_chunk(update *u, int64_t i)
{
    u->o->square[i] = anpe_vector_square_f(chunk_size(u->o, i), u->gradient + i * CHUNK);
}

static void apply_chunk(update *u, int64_t i)
{
    const int64_t at = i * CHUNK;
    anpe_vector_adam_f(&u->adam, chunk_size(u->o, i), u->gradient + at, u->o->m + at, u->o->v + at,
                       u->value + at);
    if (u->o->average)
        anpe_vector_average_f(chunk_size(u->o, i), u->blend, u->value + at, u->o->average + at);
}

/* The norm from the chunks' squares, and the factors of this step. */
static double begin_step(update *u, double rate)
{
    anpe_optimiser *o = u->o;
    double sum = 0;
    for (int64_t i = 0; i < chunks(o); i++)
        sum += o->square[i];
    const double norm = sqrt(sum);
    if (o->n_norms < o->max_norms)
        o->norms[o->n_norms++] = norm;
    o->step++;
    /* At first the average is over fewer steps, so that it leaves the start behind. */
    u->blend = o->average ? (float)fmax(1 / o->span, 9.0 / (double)(10 + o->step)) : 0;
    u->adam = (anpe_adam){norm > o->clip ? (float)(o->clip / norm) : 1.0f,
                          (float)beta1,
                          (float)beta2,
                          (float)(rate / (1 - pow(beta1, (double)o->step))),
                          (float)(1 / (1 - pow(beta2, (double)o->step))),
                          (float)epsilon};
    return norm;
}

double anpe_optimiser_step(anpe_optimiser *o, double rate, const float *gradient, float *value)
{
    update u = {.o = o, .gradient = gradient, .value = value};
    for (int64_t i = 0; i < chunks(o); i++)
        square_chunk(&u, i);
    const double norm = begin_step(&u, rate);
    for (int64_t i = 0; i < chunks(o); i++)
        apply_chunk(&u, i);
    return norm;
}

/* ---- on several threads ------------------------------------------------------------------ */

static anpe_status pull_back_item(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    update *u = user;
    (void)worker, (void)ctx;
    anpe_parameters_pull_back_part(u->parameters, (int)item, u->grad_effective, u->pulled);
    if (u->shrink < 1)
        anpe_parameters_shrink_part(u->parameters, (int)item, u->shrink);
    return ANPE_OK;
}

static anpe_status square_item(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    (void)worker, (void)ctx;
    square_chunk(user, item);
    return ANPE_OK;
}

static anpe_status apply_item(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    (void)worker, (void)ctx;
    apply_chunk(user, item);
    return ANPE_OK;
}

static anpe_status prepare_item(void *user, int64_t item, int worker, anpe_ctx *ctx)
{
    (void)worker, (void)ctx;
    anpe_parameters_prepare_part(((update *)user)->parameters, (int)item);
    return ANPE_OK;
}

anpe_status anpe_optimiser_update(anpe_ctx *ctx, anpe_optimiser *o, double rate,
                                  const float *grad_effective, float *gradient,
                                  anpe_parameters *parameters, anpe_workers *workers, double *norm)
{
    update u = {.o = o,
                .parameters = parameters,
                .grad_effective = grad_effective,
                .pulled = gradient,
                .gradient = gradient,
                .value = parameters->raw,
                .shrink = 1 - rate * o->decay};
    const int64_t parts = anpe_parameters_parts(parameters);
    anpe_status status;
    ANPE_TRY(anpe_workers_run(workers, ctx, parts, pull_back_item, &u));
    ANPE_TRY(anpe_workers_run(workers, ctx, chunks(o), square_item, &u));
    *norm = begin_step(&u, rate);
    ANPE_TRY(anpe_workers_run(workers, ctx, chunks(o), apply_item, &u));
    ANPE_TRY(anpe_workers_run(workers, ctx, parts, prepare_item, &u));
out:
    return status;
}

void anpe_optimiser_end_epoch(anpe_optimiser *o)
{
    if (o->n_norms && o->percentile < 100) {
        anpe_sort(o->n_norms, o->norms);
        const int64_t i = (int64_t)(o->percentile / 100 * (double)(o->n_norms - 1) + 0.5);
        o->clip = o->norms[i];
    }
    o->n_norms = 0;
}

anpe_verdict anpe_stage_verdict(const anpe_stage *s, int64_t epochs, int64_t best_epoch,
                                int64_t patience)
{
    const int64_t from = best_epoch > s->since ? best_epoch : s->since;
    if (epochs - from < patience)
        return ANPE_GO_ON;
    return s->number > 0 && best_epoch <= s->since ? ANPE_END : ANPE_NEXT_STAGE;
}

double anpe_stage_decay(const anpe_stage *s, double decay)
{
    return decay * pow(0.3, (double)s->number);
}

double anpe_learning_rate(double rate, double min_rate, int64_t step, int64_t warmup, int64_t total)
{
    if (step < warmup)
        return rate * (double)(step + 1) / (double)warmup;
    const double done = total > warmup ? (double)(step - warmup) / (double)(total - warmup) : 1;
    return min_rate + 0.5 * (rate - min_rate) * (1 + cos(M_PI * (done < 1 ? done : 1)));
}
