/* common/file_named.h -- spectra whose wavelengths, flux, errors and masks are images of their own,
 * told by EXTNAME: B_WAVELENGTH, B_FLUX, B_IVAR, B_MASK, R_WAVELENGTH, ... (DESI's coadds), or
 * SCIDATA, ERRDATA, QUALDATA, WAVEDATA_VAC_BARY (ESPRESSO's S2D). What stands before the word, up
 * to an underscore, is an arm. The flux may be a primary image without a name.
 *
 * Wavelengths of one row go with every row of the flux, and rows are spectra of their own;
 * wavelengths of the flux's shape make rows orders of one spectrum. */
#ifndef ANPE_FILE_NAMED_H
#define ANPE_FILE_NAMED_H
#include "file_image.h"

/* Spectra in such a file; 0: it is none. Its flux must be as long as it says. */
ANPE_MUST_CHECK anpe_status file_named_count(anpe_ctx *ctx, fitsfile *f, const char *path,
                                             int64_t *n);
/* One of them, an order an arm (or a row); identifier from FIBERMAP's TARGETID or OBJECT. error:
 * what the errors are, NONE: as named. */
ANPE_MUST_CHECK anpe_status file_named_read(anpe_ctx *ctx, fitsfile *f, const char *path,
                                            int64_t row, error_kind error, gridded_file *file);
#endif
