/* Adam; see optimiser.h. */
#include <config.h>
#include "npe/optimiser.h"
#include "npe/recovery.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

anpe_status anpe_optimiser_new(anpe_ctx *ctx, int64_t size, int64_t steps_per_epoch,
                               double percentile, anpe_optimiser **out)
{
    anpe_optimiser *o = calloc(1, sizeof *o);
    if (o) {
        o->m = anpe_alloc(ctx, (size_t)size * sizeof *o->m);
        o->v = anpe_alloc(ctx, (size_t)size * sizeof *o->v);
        o->norms = anpe_alloc(ctx, (size_t)steps_per_epoch * sizeof *o->norms);
        o->size = size;
        o->max_norms = steps_per_epoch;
        o->percentile = percentile;
        o->clip = INFINITY;
    }
    if (!o || !o->m || !o->v || !o->norms) {
        *out = anpe_optimiser_free(o);
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "optimiser: out of memory");
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
        free(o);
    }
    return NULL;
}

static double norm_of(int64_t n, const float *g)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)g[i] * (double)g[i];
    return sqrt(sum);
}

double anpe_optimiser_step(anpe_optimiser *o, double rate, const float *gradient, float *value)
{
    const double norm = norm_of(o->size, gradient);
    const float shrink = norm > o->clip ? (float)(o->clip / norm) : 1.0f;
    if (o->n_norms < o->max_norms)
        o->norms[o->n_norms++] = norm;
    o->step++;
    const float b1 = (float)beta1, b2 = (float)beta2, eps = (float)epsilon;
    const float c1 = (float)(rate / (1 - pow(beta1, (double)o->step)));
    const float c2 = (float)(1 / (1 - pow(beta2, (double)o->step)));
    for (int64_t i = 0; i < o->size; i++) {
        const float g = gradient[i] * shrink;
        o->m[i] = b1 * o->m[i] + (1 - b1) * g;
        o->v[i] = b2 * o->v[i] + (1 - b2) * g * g;
        value[i] -= c1 * o->m[i] / (sqrtf(o->v[i] * c2) + eps);
    }
    return norm;
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

double anpe_learning_rate(double rate, double min_rate, int64_t step, int64_t warmup, int64_t total)
{
    if (step < warmup)
        return rate * (double)(step + 1) / (double)warmup;
    const double done = total > warmup ? (double)(step - warmup) / (double)(total - warmup) : 1;
    return min_rate + 0.5 * (rate - min_rate) * (1 + cos(M_PI * (done < 1 ? done : 1)));
}
