/* file/catalogue_read_private.h -- what the three readers of catalogue_read.h share. */
#ifndef ANPE_CORE_CATALOGUE_READ_PRIVATE_H
#define ANPE_CORE_CATALOGUE_READ_PRIVATE_H
#include "file/catalogue_read.h"

enum { ANPE_TABLE_REALS = 1, ANPE_TABLE_INTEGERS = 2, ANPE_TABLE_TEXTS = 4 }; /* bits */

typedef struct anpe_table_column {
    char *name, *unit; /* malloc'ed */
    int can;           /* ANPE_TABLE_* */
    int64_t width;     /* numbers per row */
} anpe_table_column;

/* One kind of file. `open` adds the columns and sets n_rows and self; a failed open is followed by
 * close, which takes a self of NULL. */
typedef struct anpe_table_reader {
    anpe_status (*open)(anpe_ctx *ctx, anpe_catalogue_file *c);
    /* element: below the column's width */
    anpe_status (*reals)(anpe_ctx *ctx, anpe_catalogue_file *c, int column, int64_t element,
                         double *values);
    /* integers are read whole: a double has no room for the identifiers of some surveys */
    anpe_status (*integers)(anpe_ctx *ctx, anpe_catalogue_file *c, int column, int64_t element,
                            int64_t *values);
    anpe_status (*texts)(anpe_ctx *ctx, anpe_catalogue_file *c, int column, char **texts);
    /* malloc'ed; NULL: there is none */
    char *(*keyword)(anpe_ctx *ctx, anpe_catalogue_file *c, const char *key);
    void (*close)(anpe_catalogue_file *c);
} anpe_table_reader;
extern const anpe_table_reader anpe_table_fits, anpe_table_hdf5, anpe_table_csv, anpe_table_votable;

struct anpe_catalogue_file {
    char *path;
    const anpe_table_reader *reader;
    void *self;
    int64_t n_rows;
    int n_columns;
    anpe_table_column *column;
};

/* Cells (n_rows, n_columns) that are texts, of catalogue_read_cells.c. */
typedef struct anpe_table_cells {
    char *text; /* that the cells point into */
    char **cell;
} anpe_table_cells;
/* A column with one cell that is neither missing nor a number is only text. */
void anpe_table_cells_find_types(anpe_catalogue_file *c, const anpe_table_cells *t);
void anpe_table_cells_reals(const anpe_catalogue_file *c, const anpe_table_cells *t, int column,
                            int64_t element, double *values);
ANPE_MUST_CHECK anpe_status anpe_table_cells_texts(anpe_ctx *ctx, const anpe_catalogue_file *c,
                                                   const anpe_table_cells *t, int column,
                                                   char **texts);
void anpe_table_cells_clear(anpe_table_cells *t);

/* The header of ECSV: whether it is one, what separates the cells, units into c, a keyword. */
int anpe_ecsv_is(const char *text);
char anpe_ecsv_separator(const char *header);
ANPE_MUST_CHECK anpe_status anpe_ecsv_units(anpe_ctx *ctx, anpe_catalogue_file *c,
                                            const char *header);
char *anpe_ecsv_keyword(const char *header, const char *key);

/* Appends a column; name and unit are copied. */
ANPE_MUST_CHECK anpe_status anpe_table_add(anpe_ctx *ctx, anpe_catalogue_file *c, const char *name,
                                           const char *unit, int can, int64_t width);
#endif
