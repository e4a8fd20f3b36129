/* file/catalogue_read.h -- columns of a catalogue by name: FITS binary table (.fits, .fit, also
 * .gz: the first one that has rows), HDF5 (.h5, .hdf5: one dataset per column), .csv, .ecsv or
 * VOTable (.vot, .votable, also .gz: the first table), by extension. Those that anpe writes, and
 * those of others.
 *
 *     anpe_catalogue_read_open(ctx, "allStar.fits", &c);
 *     double *teff = malloc(anpe_catalogue_read_rows(c) * sizeof *teff);
 *     anpe_catalogue_read_reals(ctx, c, "FPARAM[0]", teff);
 *     c = anpe_catalogue_read_close(c);
 *
 * Names are compared exactly first, then without regard to case, as FITS has it. An element of a
 * column that holds several values per row is NAME[k], k from 0. In an HDF5 file of mocks or
 * simulations (`theta` with the attribute `labels`) each label is a column.
 *
 * A number that is missing is NAN: an empty field, an integer that the table declares null, and
 * -9999, -9999.99 or -999.99, which surveys write for none. CSV: a byte-order mark is skipped;
 * other separators than commas are refused. */
#ifndef ANPE_CORE_CATALOGUE_READ_H
#define ANPE_CORE_CATALOGUE_READ_H
#include "base/context.h"

typedef struct anpe_catalogue_file anpe_catalogue_file;

/* ANPE_EINVAL: unknown extension; ANPE_EIO: cannot be opened; ANPE_EFORMAT: holds no table. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_read_open(anpe_ctx *ctx, const char *path,
                                                     anpe_catalogue_file **out);
anpe_catalogue_file *anpe_catalogue_read_close(anpe_catalogue_file *c);
const char *anpe_catalogue_read_path(const anpe_catalogue_file *c);
int64_t anpe_catalogue_read_rows(const anpe_catalogue_file *c);
int anpe_catalogue_read_n_columns(const anpe_catalogue_file *c);
const char *anpe_catalogue_read_name(const anpe_catalogue_file *c, int column);
/* What can be read of it: numbers, only texts, or neither (several values a row, bits). */
typedef enum anpe_catalogue_kind {
    ANPE_CATALOGUE_OTHER,
    ANPE_CATALOGUE_NUMBERS,
    ANPE_CATALOGUE_TEXTS
} anpe_catalogue_kind;
anpe_catalogue_kind anpe_catalogue_read_kind(const anpe_catalogue_file *c, int column);
int anpe_catalogue_read_has(const anpe_catalogue_file *c, const char *name);
/* As the file gives it; "" where it gives none or there is no such column. */
const char *anpe_catalogue_read_unit(const anpe_catalogue_file *c, const char *name);
/* A whole column into values (n_rows). ANPE_EINVAL: no such column or element (the message says
 * which name is nearest); ANPE_EFORMAT: it does not hold numbers. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_read_reals(anpe_ctx *ctx, anpe_catalogue_file *c,
                                                      const char *name, double *values);
/* A whole column as n_rows texts without blanks at their end; numbers are written out as %.15g. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_read_texts(anpe_ctx *ctx, anpe_catalogue_file *c,
                                                      const char *name, char ***texts);
/* What the file says of itself ("MODEL": a FITS keyword, an HDF5 attribute, an INFO), malloc'ed;
 * NULL: nothing under this name. */
char *anpe_catalogue_read_keyword(anpe_ctx *ctx, anpe_catalogue_file *c, const char *key);
void anpe_catalogue_texts_free(int64_t n, char **texts);
#endif
