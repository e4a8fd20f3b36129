/* file/catalogue.h -- the table that inference ends in: FITS binary table (.fits, .fit), HDF5 (.h5,
 * .hdf5: one dataset per column), .csv, ECSV (.ecsv) or VOTable (.vot, .votable), by extension,
 * each with units, UCDs, descriptions and keywords. Columns are described by a table; rows are set
 * in any order, or asked for while they are written, so that memory does not grow with them.
 * Written whole or not at all; no timestamp but one DATE keyword. */
#ifndef ANPE_CORE_CATALOGUE_H
#define ANPE_CORE_CATALOGUE_H
#include "base/context.h"
#include "file/output.h"

enum { ANPE_CATALOGUE_MAX_COLUMNS = 999 }; /* of a FITS table */

typedef enum anpe_column_type {
    ANPE_COLUMN_TEXT,
    ANPE_COLUMN_REAL,
    ANPE_COLUMN_INT64
} anpe_column_type;

typedef struct anpe_column {
    char name[40], unit[16], ucd[48], help[72]; /* TTYPE, TUNIT, TUCD, comment */
    anpe_column_type type;
    int width; /* characters of a text column; longer texts are cut */
} anpe_column;

typedef struct anpe_catalogue anpe_catalogue;

#define ANPE_CATALOGUE_NAMES ".fits, .h5, .csv, .ecsv or .vot" /* for messages */
/* Whether the path ends in one of these. */
int anpe_catalogue_has_name(const char *path);

/* Known extension, and can a file be made there? Before any work. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_check(anpe_ctx *ctx, const char *path);
/* Reals start as NAN, integers as 0, texts as "". flag_names (n_flags): names of the bits of the
 * column "flags", which go to the header as keywords FLAG0... and to the HDF5 attributes. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_new(anpe_ctx *ctx, int64_t n_rows, int n_columns,
                                               const anpe_column *columns, int n_flags,
                                               const char *const *flag_names, anpe_catalogue **out);
/* Sets rows first .. first + n of the catalogue. Called with first 0, n, ... up to the end when it
 * is written, perhaps several times over, and with the same rows each time. */
typedef anpe_status anpe_catalogue_fill(anpe_ctx *ctx, anpe_catalogue *c, int64_t first, int64_t n,
                                        void *user);
/* The same of rows that `fill` sets; memory is that of some thousand. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_stream(anpe_ctx *ctx, int64_t n_rows,
                                                  anpe_catalogue_fill *fill, void *user,
                                                  int n_columns, const anpe_column *columns,
                                                  int n_flags, const char *const *flag_names,
                                                  anpe_catalogue **out);
anpe_catalogue *anpe_catalogue_free(anpe_catalogue *c);
void anpe_catalogue_set_text(anpe_catalogue *c, int64_t row, int column, const char *text);
void anpe_catalogue_set_real(anpe_catalogue *c, int64_t row, int column, double value);
void anpe_catalogue_set_int(anpe_catalogue *c, int64_t row, int column, int64_t value);
/* Provenance: key of at most 8 characters, value, comment. CSV: lines "# KEY = value / comment". */
ANPE_MUST_CHECK anpe_status anpe_catalogue_keyword(anpe_ctx *ctx, anpe_catalogue *c,
                                                   const char *key, const char *value,
                                                   const char *comment);
ANPE_MUST_CHECK anpe_status anpe_catalogue_write(anpe_ctx *ctx, anpe_catalogue *c,
                                                 const char *path);
/* The same but for the last step: `out` is to be committed, alone or with other files. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_prepare(anpe_ctx *ctx, anpe_catalogue *c,
                                                   const char *path, anpe_output *out);
/* Rows that are added to a catalogue in text (.csv, .ecsv), whose columns are these: with their
 * names and keywords where there is none yet. On the disk when the call returns, or not there at
 * all. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_append(anpe_ctx *ctx, anpe_catalogue *c,
                                                  const char *path);
/* Can rows be added to a file of this name? Before any work. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_check_append(anpe_ctx *ctx, const char *path);
/* A last line that was not written to its end, as by a machine that failed, is removed. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_mend(anpe_ctx *ctx, const char *path);
#endif
