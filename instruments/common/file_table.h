/* common/file_table.h -- spectra stored as tables: FITS binary tables (a row a pixel, or one row
 * that holds arrays as in ESO phase 3), VOTables and text (CSV, ECSV, two to four columns of
 * numbers), gzipped or not. */
#ifndef ANPE_FILE_TABLE_H
#define ANPE_FILE_TABLE_H
#include "file_columns.h"

/* The first table of the file that has wavelengths and flux. row: which of its rows, where rows
 * hold arrays; rows (may be NULL) gets how many spectra there are. file NULL: only counted. */
ANPE_MUST_CHECK anpe_status file_table_read(anpe_ctx *ctx, fitsfile *f, const char *path,
                                            const column_names *given, int64_t row, int64_t *rows,
                                            gridded_file *file);
/* Whether the file has a FITS table with rows. */
int file_table_has(fitsfile *f);

/* What a file is by its first bytes, gzipped or not. */
typedef enum file_kind { FILE_TEXT, FILE_FITS, FILE_VOTABLE } file_kind;
ANPE_MUST_CHECK anpe_status file_kind_of(anpe_ctx *ctx, const char *path, file_kind *kind);

/* Spectra in a file of any kind but FITS images: how many, and one of them. */
ANPE_MUST_CHECK anpe_status file_spectra_count(anpe_ctx *ctx, const char *path,
                                               const column_names *given, int64_t *n);
ANPE_MUST_CHECK anpe_status file_spectra_read(anpe_ctx *ctx, const char *path,
                                              const column_names *given, int64_t row,
                                              gridded_file *file);

/* Text: columns by the header line, or wavelength, flux, error, mask (not 0: bad) without one.
 * Cells: numbers; empty, nan, null, --, N/A are missing; arrays in brackets, a spectrum a line.
 * A column source_id tells spectra apart. Errors name the line. */
ANPE_MUST_CHECK anpe_status file_text_count(anpe_ctx *ctx, const char *path,
                                            const column_names *given, int64_t *n);
ANPE_MUST_CHECK anpe_status file_text_read(anpe_ctx *ctx, const char *path,
                                           const column_names *given, int64_t row,
                                           gridded_file *file);
/* VOTable: the first table with wavelengths and flux, as text has them. */
ANPE_MUST_CHECK anpe_status file_votable_count(anpe_ctx *ctx, const char *path,
                                               const column_names *given, int64_t *n);
ANPE_MUST_CHECK anpe_status file_votable_read(anpe_ctx *ctx, const char *path,
                                              const column_names *given, int64_t row,
                                              gridded_file *file);
#endif
