/* file/fits_cards.h -- cards of FITS headers that CFITSIO must not see.
 *
 * CFITSIO 4 copies the value of TTYPEn, which may have no quotes and fill its card, into 70 bytes
 * that have no room for the end of the text: glibc's checks end the program there. Files of spectra
 * are checked where they are held in memory (anpe_file_bytes), catalogues when they are
 * opened; a file of spectra that is too large to be held is not. */
#ifndef ANPE_CORE_FITS_CARDS_H
#define ANPE_CORE_FITS_CARDS_H
#include "base/context.h"

/* ANPE_EFORMAT: there is such a card among the n bytes of path from its start on, or from any
 * multiple of 80. Bytes of another format pass. */
ANPE_MUST_CHECK anpe_status anpe_fits_cards_check(anpe_ctx *ctx, const char *path,
                                                  const unsigned char *bytes, size_t n);
/* The same of a whole file, gzipped or not; one that cannot be read passes. */
ANPE_MUST_CHECK anpe_status anpe_fits_file_check(anpe_ctx *ctx, const char *path);
#endif
