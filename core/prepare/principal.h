/* prepare/principal.h -- the leading principal components of many long rows: spectra of a grid. */
#ifndef ANPE_CORE_PRINCIPAL_H
#define ANPE_CORE_PRINCIPAL_H
#include <anpe/plugin.h>

/* row (n, width), centred; k less than n and width. vector (k, width): orthonormal rows that span
 * nearly the subspace with most of the rows' squares: short of it by about the share of the last
 * component. coefficient (n, k): the products of rows and vectors. By orthogonal iteration from a
 * random start (Halko, Martinsson & Tropp 2011, SIAM Review 53, 217), the same for the same seed.
 */
ANPE_MUST_CHECK anpe_status anpe_principal(anpe_ctx *ctx, int64_t n, int64_t width,
                                           const float *row, int64_t k, uint32_t seed,
                                           float *vector, float *coefficient);
#endif
