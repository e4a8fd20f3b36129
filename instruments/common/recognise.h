/* common/recognise.h -- what instruments share to say what a file is (anpe_recognition). */
#ifndef ANPE_RECOGNISE_FITS_H
#define ANPE_RECOGNISE_FITS_H
#include "survey_fits.h"

/* The file open for survey_fits_*, NULL where it is no FITS file; nothing is logged. Closed with
 * survey_fits_close. */
fitsfile *recognise_fits(anpe_ctx *ctx, const char *path);
/* Whether the file has this keyword in its primary header, as a text that starts with `start`. */
int recognise_key(fitsfile *f, const char *key, const char *start);
/* Match, survey ("" with MATCH_LAYOUT) and `what`, printed. */
void recognise_as(anpe_recognition *out, anpe_match match, const char *survey, const char *what,
                  ...) ANPE_PRINTF(4, 5);
#endif
