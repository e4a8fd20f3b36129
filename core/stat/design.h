/* stat/design.h -- points that fill the unit cube more evenly than random ones.
 *
 * Sobol's sequence (Sobol' 1967), direction numbers of Joe & Kuo (2008, SIAM J. Sci. Comput. 30,
 * 2635, file new-joe-kuo-6), each coordinate shifted at random in base 2: any 2^k neighbours that
 * begin at a multiple of 2^k have one point in each of 2^k equal parts of each coordinate. A longer
 * design begins with the shorter one.
 * Latin hypercube (McKay, Beckman & Conover 1979, Technometrics 21, 239): n points, one in each of
 * n equal parts of each coordinate, in random order and at a random place of the part. */
#ifndef ANPE_CORE_DESIGN_H
#define ANPE_CORE_DESIGN_H
#include "base/context.h"

typedef enum anpe_design_kind { ANPE_DESIGN_SOBOL, ANPE_DESIGN_LATIN } anpe_design_kind;
enum { ANPE_SOBOL_MOST = 32 }; /* coordinates */

typedef struct anpe_design anpe_design;
/* n points of `dims` coordinates. ANPE_EUNSUPPORTED: more coordinates, or points (2^32), than
 * Sobol's sequence has here. */
ANPE_MUST_CHECK anpe_status anpe_design_new(anpe_ctx *ctx, anpe_design_kind kind, uint32_t seed,
                                            int64_t n, int64_t dims, anpe_design **out);
anpe_design *anpe_design_free(anpe_design *d);
/* Point i -> u (dims), in (0, 1), never an end. From any thread. */
void anpe_design_point(const anpe_design *d, int64_t i, double *u);
#endif
