/* file/catalogue_private.h -- the table in memory, and one writer per kind of file. A writer asks
 * for one window of rows after the other, of which a table that is in memory has one. */
#ifndef ANPE_CORE_CATALOGUE_PRIVATE_H
#define ANPE_CORE_CATALOGUE_PRIVATE_H
#include "file/catalogue.h"
#include "file/output.h"
#include <stdio.h>

typedef struct anpe_keyword {
    char key[9];
    char *value, *comment;
} anpe_keyword;

struct anpe_catalogue {
    int64_t n_rows;
    int64_t first, n, room;    /* the window: rows that are in memory; most of them */
    anpe_catalogue_fill *fill; /* NULL: all are */
    void *user;
    int n_columns, n_flags, n_keywords;
    anpe_column *columns;
    void **data; /* (n_columns): double, int64_t, or width + 1 characters per row of the
                  * window */
    char **flags;
    anpe_keyword *keywords;
};

static inline const char *anpe_catalogue_text(const anpe_catalogue *c, int column, int64_t row)
{
    return (const char *)c->data[column] +
           (size_t)(row - c->first) * (size_t)(c->columns[column].width + 1);
}

static inline double anpe_catalogue_real(const anpe_catalogue *c, int column, int64_t row)
{
    return ((const double *)c->data[column])[row - c->first];
}

static inline int64_t anpe_catalogue_int(const anpe_catalogue *c, int column, int64_t row)
{
    return ((const int64_t *)c->data[column])[row - c->first];
}

/* The window that starts with row `first`; the next one starts with first + c->n. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_window(anpe_ctx *ctx, anpe_catalogue *c, int64_t first);

/* Writes o->temporary; that of HDF5 makes o. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_fits(anpe_ctx *ctx, anpe_catalogue *c,
                                                      const anpe_output *o);
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_csv(anpe_ctx *ctx, anpe_catalogue *c,
                                                     const anpe_output *o);
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_ecsv(anpe_ctx *ctx, anpe_catalogue *c,
                                                      const anpe_output *o);
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_votable(anpe_ctx *ctx, anpe_catalogue *c,
                                                         const anpe_output *o);
/* Text files: what `put` prints goes to o->temporary; names and rows as lines of CSV. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_lines(anpe_ctx *ctx, anpe_catalogue *c,
                                                       const anpe_output *o,
                                                       anpe_status (*put)(anpe_ctx *ctx, FILE *f,
                                                                          anpe_catalogue *c));
ANPE_MUST_CHECK anpe_status anpe_catalogue_put_rows(anpe_ctx *ctx, FILE *f, anpe_catalogue *c);
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_hdf5(anpe_ctx *ctx, anpe_catalogue *c,
                                                      const char *path, anpe_output *o);
#endif
