/* instruments/hires/hires.h -- the files of HIRES. */
#ifndef ANPE_HIRES_H
#define ANPE_HIRES_H
#include "../common/gridded.h"

/* The orders of one file, added to those that are there; the identifier, if there is none yet. */
ANPE_MUST_CHECK anpe_status hires_read(anpe_ctx *ctx, const char *path, gridded_file *file);
/* What a pipeline made this file, in words; NULL: none of them did. */
const char *hires_product(fitsfile *f);
#endif
