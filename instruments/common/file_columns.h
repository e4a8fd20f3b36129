/* common/file_columns.h -- which column of a table is what, by its name and unit: for FITS tables,
 * CSV, ECSV and text with a header. */
#ifndef ANPE_FILE_COLUMNS_H
#define ANPE_FILE_COLUMNS_H
#include "file_image.h"

typedef enum column_role {
    COLUMN_OTHER,
    COLUMN_WAVELENGTH,
    COLUMN_LOG_WAVELENGTH, /* log10 of it */
    COLUMN_FLUX,
    COLUMN_ERROR,
    COLUMN_MASK,
    COLUMN_ID,
    N_COLUMN_ROLES
} column_role;

/* Names that the user gives; "" : by the lists here. kind: what the errors are; NONE: by the name.
 * step: where the file has no wavelengths, pixel i is at start + step i (Angstrom); 0: it must have
 * them. */
typedef struct column_names {
    const char *wavelength, *flux, *error, *mask;
    error_kind kind;
    double start, step;
} column_names;

typedef struct columns {
    int place[N_COLUMN_ROLES]; /* of each role's column, from 0; -1: none */
    double unit;               /* Angstrom in one unit of wavelength */
    error_kind error;
    medium medium;
    int marks_good; /* the mask is 1 where a pixel is good */
} columns;

/* names, units (n; units may be NULL, or "" where not said). Errors: no wavelengths or no flux,
 * with the names that there are; two columns of one name that no user tells apart; a unit that is
 * none of length. */
ANPE_MUST_CHECK anpe_status columns_find(anpe_ctx *ctx, const char *path, int n,
                                         const char *const *names, const char *const *units,
                                         const column_names *given, columns *out);
/* Whether a unit is one of magnitudes, which are no flux. */
int columns_is_magnitude(const char *unit);
/* Whether the name of a mask says that it marks good pixels. */
int columns_marks_good(const char *name);
/* What a column of this name is. */
column_role columns_role(const char *name);
/* What errors of this name are; NONE: it is no name of errors. */
error_kind columns_error(const char *name);
/* Angstrom in a unit of length; 0: it is none; NAN: nothing is said. */
double columns_unit(const char *text);
/* Angstrom in one unit of these wavelengths, where nothing says it: the size of the numbers tells
 * micrometre (below 50), nm (below 2500) and Angstrom apart. Between 3.3 and 4.6 all of them could
 * as well be log10 of Angstrom, which is an error. */
ANPE_MUST_CHECK anpe_status columns_guess_unit(anpe_ctx *ctx, const char *path, int64_t n,
                                               const double *wavelength, double *unit);
#endif
