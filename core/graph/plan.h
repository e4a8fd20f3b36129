/* graph/plan.h -- places for buffers that are not all needed at once. */
#ifndef ANPE_CORE_PLAN_H
#define ANPE_CORE_PLAN_H
#include <stddef.h>

/* A buffer in use from step `first` to step `last`, both included; last < first: not needed. */
typedef struct anpe_lifetime {
    size_t size, offset;
    int first, last;
} anpe_lifetime;

/* Sets every offset (multiples of 64) so that no two buffers in use at the same step overlap:
 * each takes the lowest place that is free, the largest first. Returns the bytes needed.
 * order: (n) scratch of the caller. */
size_t anpe_plan(int n, anpe_lifetime *list, int *order);
#endif
