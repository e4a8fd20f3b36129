/* file/spectra_file.h -- spectra in plain HDF5: datasets flux (N, P) or x (N, ...), optional sigma,
 * mask, wavelength (P), id (N) and, for mocks, theta (N, D) with the attribute `labels`.
 *
 *     anpe_spectra_file_open(ctx, path, &f);
 *     ... anpe_spectra_file_read(ctx, f, row, ...) for as many rows as are wanted ...
 *     f = anpe_spectra_file_close(f);
 *
 * HDF5 is used by the main thread alone. */
#ifndef ANPE_CORE_SPECTRA_FILE_H
#define ANPE_CORE_SPECTRA_FILE_H
#include "base/context.h"

/* By name (.h5, .hdf5) or by the HDF5 signature. */
int anpe_spectra_file_is_hdf5(anpe_ctx *ctx, const char *path);
typedef struct anpe_spectra_file anpe_spectra_file;
ANPE_MUST_CHECK anpe_status anpe_spectra_file_open(anpe_ctx *ctx, const char *path,
                                                   anpe_spectra_file **out);
anpe_spectra_file *anpe_spectra_file_close(anpe_spectra_file *f);
/* The file's attribute `instrument`, if it has one, must be this name. */
ANPE_MUST_CHECK anpe_status anpe_spectra_file_made_for(anpe_ctx *ctx, anpe_spectra_file *f,
                                                       const char *name);
int64_t anpe_spectra_file_rows(const anpe_spectra_file *f);
int anpe_spectra_file_has_sigma(const anpe_spectra_file *f);
/* Row `row` into s (arrays of s->n_pixels). Checks the number of values and, if the file has them,
 * the wavelengths (within 1e-3 pixel of the instrument's). sigma is required for an instrument with
 * wavelengths; otherwise absent sigma is 1. s->id: the text or number of dataset id (N), "" without
 * one. */
ANPE_MUST_CHECK anpe_status anpe_spectra_file_read(anpe_ctx *ctx, anpe_spectra_file *f, int64_t row,
                                                   const anpe_instrument_info *instrument,
                                                   anpe_spectrum *s);
/* The true labels of a row, by name; NAN where the file does not have that label. *found: 0 when
 * the file has no theta at all. */
ANPE_MUST_CHECK anpe_status anpe_spectra_file_truth(anpe_ctx *ctx, anpe_spectra_file *f,
                                                    int64_t row, int64_t n_labels,
                                                    const anpe_label *labels, double *truth,
                                                    int *found);
#endif
