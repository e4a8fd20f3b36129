/* A Cannon emulator of labels l0, l1, ... without bounds, for tests that know the posterior. */
#ifndef ANPE_TEST_CANNON_SUPPORT_H
#define ANPE_TEST_CANNON_SUPPORT_H
#include "base_support.h"
#include "file/emulator.h"
#include <math.h>

/* flux_p = sum_t coefficients[t, p] prod_d l_d^exponents[t, d], t < terms; takes both arrays. */
static inline void write_cannon(const char *path, int64_t labels, int64_t pixels, int64_t terms,
                                double *exponents, double *coefficients)
{
    anpe_emulator e = {.kind = "cannon",
                       .output = "linear",
                       .normalised = 1,
                       .n_labels = labels,
                       .n_pixels = pixels,
                       .resolution = 22500};
    double *pivot, *scale;
    WORKS(ANPE_NEW(ctx, pivot, labels));
    WORKS(ANPE_NEW(ctx, scale, labels));
    WORKS(ANPE_NEW(ctx, e.labels, labels));
    for (int64_t d = 0; d < labels; d++) {
        snprintf(e.labels[d].name, sizeof e.labels[d].name, "l%d", (int)d);
        e.labels[d].min = -INFINITY;
        e.labels[d].max = INFINITY;
        scale[d] = 1;
    }
    WORKS(anpe_emulator_add(ctx, &e, "coefficients", 2, (int64_t[]){terms, pixels}, coefficients));
    WORKS(anpe_emulator_add(ctx, &e, "exponents", 2, (int64_t[]){terms, labels}, exponents));
    WORKS(anpe_emulator_add(ctx, &e, "pivots", 1, &labels, pivot));
    WORKS(anpe_emulator_add(ctx, &e, "scales", 1, &labels, scale));
    WORKS(anpe_emulator_write(ctx, &e, path));
    anpe_emulator_clear(&e);
}
#endif
