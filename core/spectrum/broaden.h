/* spectrum/broaden.h -- rotation and macroturbulence of a star, where its simulator has neither:
 * the rest-frame flux on a grid uniform in ln(lambda), gaps aside, averaged over the star's disc.
 *
 *     rotation          G(v) ~ 2 (1 - e) sqrt(1 - x^2) + (pi e / 2) (1 - x^2),  x = v / vsini, |x|
 * < 1, with linear limb darkening e = 0.6 (Gray 2005, ch. 18) macroturbulence   M(v) ~ exp(-x^2) -
 * sqrt(pi) |x| erfc|x|,  x = v / vmacro, radial and tangential in equal parts, over the disc (Gray
 * 2005, ch. 17)
 *
 * Each is a sum over fixed points x_q with weights w_q that add to 1; flux between grid points is a
 * polynomial through eight of them. So the flux is conserved, no velocity leaves it as it is to the
 * last bit, and derivatives with respect to the velocities are exact ones of the sums. */
#ifndef ANPE_CORE_BROADEN_H
#define ANPE_CORE_BROADEN_H
#include "base/context.h"

typedef struct anpe_broaden anpe_broaden;
typedef enum anpe_broadening { ANPE_BROADEN_VSINI, ANPE_BROADEN_VMACRO } anpe_broadening;
enum { ANPE_N_BROADENINGS = 2 };
extern const anpe_label anpe_broaden_label[ANPE_N_BROADENINGS]; /* "vsini", "vmacro": km/s */

/* Whether a grid is one that this works on. */
int anpe_broaden_takes(int64_t n, const double *wavelength);
/* most (2): the largest velocities that will be asked for, km/s. */
ANPE_MUST_CHECK anpe_status anpe_broaden_new(anpe_ctx *ctx, int64_t n, const double *wavelength,
                                             const double most[ANPE_N_BROADENINGS],
                                             anpe_broaden **out);
anpe_broaden *anpe_broaden_free(anpe_broaden *b);
size_t anpe_broaden_scratch(const anpe_broaden *b); /* bytes */
/* flux in (n) -> out (n), for velocities (2) in km/s. Beyond the ends, and in a gap, the flux is
 * that of the ends. Velocities above the largest are taken as that, negative ones as positive.
 * slope: NULL, or with respect to which velocity the derivative is wanted, per km/s. Re-entrant.
 * For many spectra of the same velocities: _set once, its scratch to each _run. */
void anpe_broaden_set(const anpe_broaden *b, const double kms[ANPE_N_BROADENINGS],
                      const anpe_broadening *slope, void *scratch);
void anpe_broaden_run(const anpe_broaden *b, const float *in, float *out, void *scratch);
void anpe_broaden_apply(const anpe_broaden *b, const double kms[ANPE_N_BROADENINGS],
                        const anpe_broadening *slope, const float *in, float *out, void *scratch);
#endif
