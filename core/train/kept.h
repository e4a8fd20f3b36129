/* train/kept.h -- what the network sees of the samples of a set that is gone through again and
 * again: made once, at 4 bytes a number. A sample that is not here (on another rank, before a
 * resume) is made anew, to the same numbers. */
#ifndef ANPE_CORE_KEPT_H
#define ANPE_CORE_KEPT_H
#include "base/context.h"

typedef struct anpe_kept {
    int64_t n, input, labels;
    float *x;           /* (n, input) */
    float *y;           /* (n, labels) */
    double *log_volume; /* (n) */
    double *weight;     /* (n) of the loss */
    uint8_t *there;     /* (n) */
} anpe_kept;

ANPE_MUST_CHECK anpe_status anpe_kept_new(anpe_ctx *ctx, int64_t n, int64_t input, int64_t labels,
                                          anpe_kept **out);
void anpe_kept_free(anpe_kept *k);
/* Sample i to or from x (input), y (labels). Each sample is one worker's at a time. */
void anpe_kept_put(anpe_kept *k, int64_t i, const float *x, const float *y, double log_volume,
                   double weight);
void anpe_kept_get(const anpe_kept *k, int64_t i, float *x, float *y, double *log_volume,
                   double *weight);
#endif
