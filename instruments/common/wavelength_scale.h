/* common/wavelength_scale.h -- wavelengths of the pixels of a FITS image from its header.
 *
 * Scales: linear; logarithmic to base 10 (DC-FLAG = 1, CTYPE1 "LOG-LINEAR", "WAVE-LOG10", or values
 * that can be nothing else) and natural (values likewise, and WAVE-LOG of Greisen et al. 2006, A&A
 * 446, 747); IRAF's multispec and equispec with linear, log, Chebyshev, Legendre, cubic and linear
 * spline, pixel array and sampled array functions and their weighted sums (IRAF help page
 * "specwcs"). Units: Angstrom, nm, micrometre, metre. A header that states nothing, or two things,
 * is refused. */
#ifndef ANPE_WAVELENGTH_SCALE_H
#define ANPE_WAVELENGTH_SCALE_H
#include "survey_fits.h"

typedef enum medium { MEDIUM_UNKNOWN, MEDIUM_AIR, MEDIUM_VACUUM } medium;

typedef struct wavelength_scale wavelength_scale;

/* The scale of the image of this HDU, `width` pixels and `orders` rows. */
ANPE_MUST_CHECK anpe_status wavelength_scale_read(anpe_ctx *ctx, fitsfile *f, const char *path,
                                                  int hdu, int64_t width, int64_t orders,
                                                  wavelength_scale **out);
wavelength_scale *wavelength_scale_free(wavelength_scale *s);
/* Wavelengths of one row (width), Angstrom as the header means them (air or vacuum), in the order
 * of the pixels. NAN where the scale is not defined: outside an order's range. */
ANPE_MUST_CHECK anpe_status wavelength_scale_row(const wavelength_scale *s, anpe_ctx *ctx,
                                                 int64_t order, double *wavelength);
/* Whether all rows have the same wavelengths, which orders of an echelle have not. */
int wavelength_scale_is_shared(const wavelength_scale *s);
/* What AIRORVAC and VACUUM say, of the HDU, else of the first one; vacuum for HST and JWST. */
medium medium_by_keywords(fitsfile *f, int hdu);
/* What the header says: CTYPE1 AWAV or WAVE, AIRORVAC, VACUUM. */
medium wavelength_scale_medium(const wavelength_scale *s);
/* "linear", "log10", "ln", "multispec", "equispec". */
const char *wavelength_scale_name(const wavelength_scale *s);
#endif
