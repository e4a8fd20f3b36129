/* file/catalogue_private.h -- the table in memory, and one writer per kind of file. */
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
    int n_columns, n_flags, n_keywords;
    anpe_column *columns;
    void **data; /* (n_columns): double, int64_t, or width + 1 characters per row */
    char **flags;
    anpe_keyword *keywords;
};

static inline const char *anpe_catalogue_text(const anpe_catalogue *c, int column, int64_t row)
{
    return (const char *)c->data[column] + (size_t)row * (size_t)(c->columns[column].width + 1);
}

/* Writes o->temporary; that of HDF5 makes o. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_fits(anpe_ctx *ctx, const anpe_catalogue *c,
                                                      const anpe_output *o);
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_csv(anpe_ctx *ctx, const anpe_catalogue *c,
                                                     const anpe_output *o);
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_ecsv(anpe_ctx *ctx, const anpe_catalogue *c,
                                                      const anpe_output *o);
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_votable(anpe_ctx *ctx, const anpe_catalogue *c,
                                                         const anpe_output *o);
/* Text files: what `put` prints goes to o->temporary; names and rows as lines of CSV. */
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_lines(anpe_ctx *ctx, const anpe_catalogue *c,
                                                       const anpe_output *o,
                                                       void (*put)(FILE *f,
                                                                   const anpe_catalogue *c));
void anpe_catalogue_put_rows(FILE *f, const anpe_catalogue *c);
ANPE_MUST_CHECK anpe_status anpe_catalogue_write_hdf5(anpe_ctx *ctx, const anpe_catalogue *c,
                                                      const char *path, anpe_output *o);
#endif
