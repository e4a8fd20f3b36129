/* task/reduction.h -- model spectra under the continuum rule of one observed spectrum: with its
 * mask and its survey's error bars, as anpe_task_reduce does it to that spectrum itself.
 *
 * A rule that divides by a continuum g that is linear in the flux f has derivatives:
 *     reduced = f / g,   d reduced = (d f - reduced d g) / g,
 * where d g is the continuum of d f. A fit of modes (continuum_weights of plugin.h) is prepared
 * once a star; then g costs two small products, c = W f and g = c^T modes. Any other rule is called
 * as it is. */
#ifndef ANPE_CORE_REDUCTION_H
#define ANPE_CORE_REDUCTION_H
#include "task/task.h"

/* Memory and one star's constants; one per thread. */
typedef struct anpe_reduction anpe_reduction;
ANPE_MUST_CHECK anpe_status anpe_reduction_new(anpe_ctx *ctx, const anpe_task *t,
                                               anpe_reduction **out);
anpe_reduction *anpe_reduction_free(anpe_reduction *r);
/* Whether derivatives are known: anpe_reduction_derive may be called. */
int anpe_reduction_has_derivatives(const anpe_reduction *r);
/* observed: a reduced spectrum, borrowed until the next set. */
ANPE_MUST_CHECK anpe_status anpe_reduction_set(anpe_reduction *r, anpe_ctx *ctx,
                                               const anpe_spectrum *observed);
/* Model flux (size) in place. *possible: 0 if its continuum is not positive in some good pixel, so
 * that it cannot be what was observed; the flux is then of no use. */
ANPE_MUST_CHECK anpe_status anpe_reduction_apply(anpe_reduction *r, anpe_ctx *ctx, float *flux,
                                                 int *possible);
/* Derivatives (n, size) of the flux of the last apply, which made `reduced` of it -> those of
 * `reduced`, in place. */
ANPE_MUST_CHECK anpe_status anpe_reduction_derive(anpe_reduction *r, anpe_ctx *ctx,
                                                  const float *reduced, int64_t n,
                                                  float *derivative);
/* The instrument's continuum modes (returned number, size) and the pixels [from, to) where each is
 * not 0; borrowed. */
typedef struct anpe_support {
    int64_t from, to;
} anpe_support;
int64_t anpe_reduction_modes(const anpe_reduction *r, const float **mode,
                             const anpe_support **support);
#endif
