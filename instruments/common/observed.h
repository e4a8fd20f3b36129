/* common/observed.h -- what a survey's file holds before it is put on an instrument's grid: orders,
 * arms or exposures with wavelengths of their own.
 *
 *     observed o = {0};
 *     observed_order *a;
 *     status = observed_add(ctx, &o, n, &a);   fill a->wavelength, flux, sigma, mask as the file
 * has them status = observed_settle(ctx, &o, path); order, judge observed_to_vacuum(&o);
 * observed_shift(&o, v); status = observed_put(ctx, &o, n, wavelength, out); observed_clear(&o);
 */
#ifndef ANPE_OBSERVED_H
#define ANPE_OBSERVED_H
#include <anpe/plugin.h>

typedef struct observed_order {
    int64_t n;
    double *wavelength, *flux, *sigma; /* (n); sigma NAN where the file has none */
    uint8_t *mask;                     /* (n) 1 = the file says bad; zero when it is made */
} observed_order;

typedef struct observed {
    int64_t n, capacity;
    observed_order *order;
} observed;

/* A new order of n pixels; *out is valid until the next one is added. */
ANPE_MUST_CHECK anpe_status observed_add(anpe_ctx *ctx, observed *o, int64_t n,
                                         observed_order **out);
/* Orders that overlap and stand one after the other in the last order are taken apart, where its
 * wavelengths start again; runs shorter than 50 pixels are none. */
ANPE_MUST_CHECK anpe_status observed_split(anpe_ctx *ctx, observed *o);
/* Takes the last order away. */
void observed_drop(observed *o);
void observed_clear(observed *o);

/* Brings every order to ascending wavelengths (a descending one is turned round) and marks as bad
 * what is no measurement: a flux or sigma that survey_put_pixel refuses. A pixel without a
 * wavelength becomes a bad one in its place between its neighbours; those beyond the first and last
 * that have one are left out. ANPE_EFORMAT when wavelengths go back and forth, or an order has
 * fewer than two.
 */
ANPE_MUST_CHECK anpe_status observed_settle(anpe_ctx *ctx, observed *o, const char *path);

/* Air to vacuum, Morton (2000). */
void observed_to_vacuum(observed *o);
/* To the frame of an observer who moves away from the star by v km/s more: lambda times
 * sqrt((1 + v/c) / (1 - v/c)). A barycentric correction BC (as surveys state it: v_bary = v_obs +
 * BC) is observed_shift(o, BC). */
void observed_shift(observed *o, double v);

/* sigma of every order from the scatter of its flux: 1.4826 times the median over `window` pixels
 * of |flux - mean of its two neighbours| / sqrt(3/2): for files without error bars. Lines count as
 * scatter, so it is an upper limit where there are many. */
ANPE_MUST_CHECK anpe_status observed_estimate_sigma(anpe_ctx *ctx, observed *o, int64_t window);

/* Flux-calibrated spectra (1e-16 erg/s/cm2/A) have error bars that a float's square cannot hold:
 * when the median of all |flux| is outside [1e-6, 1e9] everything is divided by it. */
ANPE_MUST_CHECK anpe_status observed_scale(anpe_ctx *ctx, observed *o);

/* Every order divided by its own running 90th percentile over `width` Angstrom, so that orders of
 * different blaze can be joined. */
ANPE_MUST_CHECK anpe_status observed_flatten(anpe_ctx *ctx, observed *o, double width);

/* Onto the instrument's pixels (n, vacuum, ascending): each order by anpe_resample_spectrum, and
 * where several see a pixel the mean weighted with 1 / sigma^2. What none sees is bad. */
ANPE_MUST_CHECK anpe_status observed_put(anpe_ctx *ctx, const observed *o, int64_t n,
                                         const double *wavelength, anpe_spectrum *out);
#endif
