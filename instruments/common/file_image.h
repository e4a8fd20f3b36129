/* common/file_image.h -- one-dimensional spectra and echelle orders stored as FITS images with a
 * wavelength scale in their header (wavelength_scale.h). */
#ifndef ANPE_FILE_IMAGE_H
#define ANPE_FILE_IMAGE_H
#include "gridded.h"

/* What the errors of an image are. */
typedef enum error_kind {
    ERROR_NONE,
    ERROR_SIGMA,
    ERROR_VARIANCE,
    ERROR_IVAR,
    ERROR_RELATIVE,
    ERROR_SNR /* flux over error */
} error_kind;

/* sigma of a pixel from an error of this kind; 0, which is no error bar, for what is none. */
double file_sigma(error_kind kind, double flux, double error);

/* Where an image's planes are: rows are orders; bands the third axis of IRAF's images. */
typedef struct image_layout {
    int hdu; /* of the flux */
    int64_t width, orders, bands;
    int64_t flux_band;  /* from 0 */
    int64_t error_band; /* from 0; -1: none */
    int mask_hdu;       /* another HDU of the same shape, not 0: bad; -1: none */
    int marks_good;     /* that mask is 1 where a pixel is good */
    int error_hdu;      /* another HDU of the same shape; -1: none */
    int unlike_hdu;     /* one that is named as errors and of another shape; -1: none */
    error_kind error;
    int row_is_spectrum; /* 1: rows are spectra of their own, not orders of one */
} image_layout;

/* Finds flux, errors, mask and shape: the first image with a wavelength scale, the band and the HDU
 * whose names say error, sigma, noise, variance, ivar, or that are the second of two images of one
 * shape when the user says what they are (error; NONE: as named). flux_name: part of a BANDIDn to
 * prefer, or "". */
ANPE_MUST_CHECK anpe_status file_image_layout(anpe_ctx *ctx, fitsfile *f, const char *path,
                                              const char *flux_name, error_kind error,
                                              image_layout *out);
/* What the errors of an HDU are: as its EXTNAME says, or the UTYPE beside it, which Astropy writes
 * (VarianceUncertainty); NONE: it is not named as errors. */
error_kind file_image_error(fitsfile *f, int hdu);
/* All orders (row < 0), or one row, into file->o; medium and identifier (OBJECT) from the header.
 */
ANPE_MUST_CHECK anpe_status file_image_read(anpe_ctx *ctx, fitsfile *f, const char *path,
                                            const image_layout *layout, int64_t row,
                                            gridded_file *file);

/* What the rows of an image are of the orders. */
typedef enum image_rows { ROWS_FLUX, ROWS_SIGMA, ROWS_WAVELENGTH } image_rows;
/* The image of an HDU, a row an order, as it is, into the orders from `first` on. The flux makes
 * them, and comes first; the others must have its shape. */
ANPE_MUST_CHECK anpe_status file_image_rows(anpe_ctx *ctx, fitsfile *f, const char *path, int hdu,
                                            const char *what, image_rows rows, int64_t first,
                                            observed *o);
#endif
