/* instruments/apogee/apogee_layouts.h -- APOGEE files that are no images of combined spectra. */
#ifndef ANPE_APOGEE_LAYOUTS_H
#define ANPE_APOGEE_LAYOUTS_H
#include "../common/observed.h"
#include "../common/survey_fits.h"

/* apVisit and asVisit: flux, error, mask, wavelength (vacuum, as observed) in HDU 1 to 4, a row for
 * each of three detectors. */
enum visit_frame { VISIT_HELIOCENTRIC, VISIT_REST, VISIT_OBSERVED };

int apogee_is_visit(fitsfile *f);
/* The detectors, settled and shifted to the frame: by the header's BC, or by -VRAD to the star's
 * rest.
 */
ANPE_MUST_CHECK anpe_status apogee_read_visit(anpe_ctx *ctx, fitsfile *f, const char *path,
                                              enum visit_frame frame, uint64_t bad_bits,
                                              observed *o);

/* mwmStar, mwmVisit and the products of Astra's pipelines (SDSS-V): tables with a row for each
 * spectrum, on the grid of combined spectra, in the star's rest frame. */
int apogee_has_tables(fitsfile *f);
/* Rows with APOGEE spectra in all tables; BOSS spectra are not counted. */
ANPE_MUST_CHECK anpe_status apogee_count_rows(anpe_ctx *ctx, fitsfile *f, const char *path,
                                              int64_t *n);
/* Spectrum `row` of them: flux, sigma, bits (APOGEE_FULL), and the star's identifier, "" if the
 * file states none. */
ANPE_MUST_CHECK anpe_status apogee_read_row(anpe_ctx *ctx, fitsfile *f, const char *path,
                                            int64_t row, double *flux, double *sigma, double *bits,
                                            size_t size, char *id);

/* The images of a combined spectrum or a visit are what their places say, unless their names
 * (EXTNAME, BUNIT) or CTYPE1 say otherwise, which is an error. */
ANPE_MUST_CHECK anpe_status apogee_check_images(anpe_ctx *ctx, fitsfile *f, const char *path);
/* The star's name of the primary header; "": the file does not say. */
void apogee_name(fitsfile *f, char *name, size_t size);
/* As in anpe_instrument_ops. */
ANPE_MUST_CHECK anpe_status apogee_recognise(anpe_ctx *ctx, const char *path,
                                             anpe_recognition *out);
#endif
