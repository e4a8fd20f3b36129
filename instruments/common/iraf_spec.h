/* common/iraf_spec.h -- one spectrum of IRAF's multispec format: its dispersion function.
 *
 * A specification is the text
 *     ap beam dtype w1 dw nw z aplow aphigh [weight offset type parameters ...]...
 * dtype 0: linear, lambda = w1 + dw (p - 1); 1: the same for log10 lambda; 2: lambda is the sum
 * over the functions of weight (offset + W(p)). All are divided by 1 + z. p is the physical pixel,
 * from 1; nw of them are valid (IRAF help page "specwcs"; Valdes 1993, ASP Conf. 52, 467). */
#ifndef ANPE_IRAF_SPEC_H
#define ANPE_IRAF_SPEC_H
#include <anpe/plugin.h>

typedef struct iraf_spec {
    int64_t n;     /* values */
    double *value; /* the whole specification as numbers */
} iraf_spec;

/* text: the specification without its quotes. where: names file and spectrum in messages. */
ANPE_MUST_CHECK anpe_status iraf_spec_parse(anpe_ctx *ctx, const char *text, const char *where,
                                            iraf_spec *out);
void iraf_spec_clear(iraf_spec *s);
/* Wavelength at physical pixel p; NAN outside the range that the specification covers. */
double iraf_spec_wavelength(const iraf_spec *s, double p);
/* spec`order` (from 1) = "..." in the text of the WAT2 cards; NULL when it is not there. Caller
 * frees. */
char *iraf_spec_find(const char *wat, int64_t order);
#endif
