/* model/view.h -- what the network is given of one spectrum: its inputs, and the coordinates that
 * its flow works in.
 *
 * Without observe.newton these are the channels (model/channels.h) and the map of the labels. With
 * it, the posterior's maximum is looked for first: a guess (model/start.h), a few damped
 * Gauss-Newton steps on the likelihood with this spectrum's own error bars and mask (task/peak.h).
 * The coordinates are whitened by what was found, and the inputs say what that was: for D labels 5
 * D + D (D - 1) / 2 + 4 numbers, whatever the length of the spectrum. What is left to learn is how
 * a posterior differs from a normal distribution that is cut off at the bounds of the prior. */
#ifndef ANPE_CORE_VIEW_H
#define ANPE_CORE_VIEW_H
#include "model/channels.h"
#include "model/coordinates.h"
#include "task/peak.h"

/* Spectra at once of who has many: their model spectra stay in the second-level cache, and more
 * gain little. */
enum { ANPE_VIEW_MOST = 8 };

typedef struct anpe_view anpe_view; /* one per thread */
/* For up to `most` spectra at once. All are borrowed. */
ANPE_MUST_CHECK anpe_status anpe_view_new(anpe_ctx *ctx, const anpe_task *t,
                                          const anpe_channels *channels, const anpe_label_map *map,
                                          int64_t most, anpe_view **out);
anpe_view *anpe_view_free(anpe_view *v);
/* n reduced spectra, looked at together: the same for each as if it were alone. An error may be any
 * spectrum's. Then what is seen of the i-th of them -> x (L, C) and c, as below; once. */
ANPE_MUST_CHECK anpe_status anpe_view_fit(anpe_view *v, anpe_ctx *ctx, int64_t n,
                                          const anpe_spectrum *const *spectrum);
void anpe_view_show(anpe_view *v, int64_t i, const anpe_spectrum *s, float *x, anpe_coordinates *c);
/* (D, n_pixels) derivatives of the i-th one's residuals where its fit has ended, as
 * anpe_likelihood_rows has them, until the next look; NULL: there was no fit, or nothing was found.
 */
const float *anpe_view_jacobian(const anpe_view *v, int64_t i);
/* s: reduced -> x (L, C) and c, which anpe_view_coordinates made. */
ANPE_MUST_CHECK anpe_status anpe_view_look(anpe_view *v, anpe_ctx *ctx, const anpe_spectrum *s,
                                           float *x, anpe_coordinates *c);
ANPE_MUST_CHECK anpe_status anpe_view_coordinates(anpe_ctx *ctx, const anpe_channels *channels,
                                                  const anpe_label_map *map, anpe_coordinates *out);
#endif
