/* table/rows.h -- reads a table with named columns: HDF5, npz or text. */
#ifndef TABLE_ROWS_H
#define TABLE_ROWS_H
#include <anpe/plugin.h>

typedef struct table_rows {
    int64_t n, n_columns;
    double *v;    /* (n, n_columns) */
    char **names; /* (n_columns), one block */
} table_rows;

/* names: column names that replace the file's (n = 0: the file's own). HDF5: dataset `key`
 * ("": theta) with text attribute `labels`; text: the last line starting with '#' before the
 * numbers; npz: array `key`, names must be given. */
ANPE_MUST_CHECK anpe_status table_rows_read(anpe_ctx *ctx, const char *path, const char *key,
                                            anpe_texts names, table_rows *t);
void table_rows_clear(table_rows *t);
/* The column called name; -1 if there is none. */
int64_t table_rows_find(const table_rows *t, const char *name);
/* "a, b, c" for messages; returns buffer. */
const char *table_rows_list(const table_rows *t, char *buffer, size_t size);
#endif
