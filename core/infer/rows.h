/* infer/rows.h -- the columns of a result, with units and UCDs: one table for FITS, HDF5, CSV and
 * JSON, and docs/book/files.md is compared with it (tests/unit/test_docs.c). */
#ifndef ANPE_CORE_ROWS_H
#define ANPE_CORE_ROWS_H
#include "file/catalogue.h"
#include "infer/infer.h"

typedef struct anpe_infer_column {
    anpe_column column;
    const char *object,
        *key;      /* in JSON; object NULL: the star itself; a label's is below its name */
    int64_t label; /* -1: a member of anpe_star */
    size_t offset; /* in anpe_star, or in its anpe_label_summary */
} anpe_infer_column;

/* Fills c (ANPE_CATALOGUE_MAX_COLUMNS); returns how many columns the result has. */
int anpe_infer_columns(const anpe_infer_result *r, anpe_infer_column *c);
/* What a column of a catalogue of anpe holds, by its name; "" for a label itself and for names that
 * are none of them. */
const char *anpe_infer_describe(const char *name);
/* The larger of a width and a text's length. */
int anpe_infer_widest(int width, const char *text);
/* The value of a column of that type. */
const char *anpe_infer_text(const anpe_star *s, const anpe_infer_column *c);
double anpe_infer_real(const anpe_star *s, const anpe_infer_column *c);
int64_t anpe_infer_integer(const anpe_star *s, const anpe_infer_column *c);
#endif
