/* Samples as the network sees them; see kept.h. */
#include "train/kept.h"
#include <stdlib.h>
#include <string.h>

anpe_status anpe_kept_new(anpe_ctx *ctx, int64_t n, int64_t input, int64_t labels, anpe_kept **out)
{
    anpe_kept *k;
    *out = NULL;
    if (ANPE_NEW(ctx, k, 1))
        return ANPE_ENOMEM;
    *k = (anpe_kept){.n = n, .input = input, .labels = labels};
    if (ANPE_NEW(ctx, k->x, n, input) || ANPE_NEW(ctx, k->y, n, labels) ||
        ANPE_NEW(ctx, k->log_volume, n) || ANPE_NEW(ctx, k->weight, n) ||
        ANPE_NEW(ctx, k->there, n)) {
        anpe_kept_free(k);
        return ANPE_ENOMEM;
    }
    *out = k;
    return ANPE_OK;
}

void anpe_kept_free(anpe_kept *k)
{
    if (!k)
        return;
    free(k->x);
    free(k->y);
    free(k->log_volume);
    free(k->weight);
    free(k->there);
    free(k);
}

void anpe_kept_put(anpe_kept *k, int64_t i, const float *x, const float *y, double log_volume,
                   double weight)
{
    memcpy(k->x + i * k->input, x, (size_t)k->input * sizeof *x);
    memcpy(k->y + i * k->labels, y, (size_t)k->labels * sizeof *y);
    k->log_volume[i] = log_volume;
    k->weight[i] = weight;
    k->there[i] = 1;
}

void anpe_kept_get(const anpe_kept *k, int64_t i, float *x, float *y, double *log_volume,
                   double *weight)
{
    memcpy(x, k->x + i * k->input, (size_t)k->input * sizeof *x);
    memcpy(y, k->y + i * k->labels, (size_t)k->labels * sizeof *y);
    *log_volume = k->log_volume[i];
    *weight = k->weight[i];
}
