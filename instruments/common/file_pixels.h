/* common/file_pixels.h -- spectra that come a pixel or a row at a time, as text and VOTables give
 * them: which of a file's spectra a row belongs to, and the wanted one kept.
 *
 * A spectrum is a run of pixels with one identifier, or one row whose cells are arrays. */
#ifndef ANPE_FILE_PIXELS_H
#define ANPE_FILE_PIXELS_H
#include "file_columns.h"

typedef struct file_pixels {
    int64_t wanted; /* spectrum to keep, from 0; -1: they are counted alone */
    int64_t seen;   /* spectra so far */
    int array;      /* a row is a spectrum */
    char id[80];    /* of the current spectrum, then of the kept one */
    int64_t n, capacity;
    double *value[N_COLUMN_ROLES]; /* (n) of the kept one; NAN where there is none */
} file_pixels;

/* Begins a row, whose identifier is id ("": none); array: its cells are arrays. Returns whether its
 * values are wanted; less than 0 when the wanted spectrum has ended. */
int file_pixels_row(file_pixels *p, const char *id, int array);
/* Pixel k of the kept spectrum, k at most n. */
ANPE_MUST_CHECK anpe_status file_pixels_put(anpe_ctx *ctx, file_pixels *p, const char *path,
                                            column_role role, int64_t k, double value);
/* The row's array of one role had so many values: an error when another's had not. */
ANPE_MUST_CHECK anpe_status file_pixels_length(anpe_ctx *ctx, file_pixels *p, const char *path,
                                               int64_t n);
/* The kept spectrum as an order of the file. Errors: no such spectrum, fewer than two pixels. */
ANPE_MUST_CHECK anpe_status file_pixels_hand_over(anpe_ctx *ctx, const file_pixels *p,
                                                  const char *path, const columns *c,
                                                  const column_names *given, gridded_file *file);
void file_pixels_clear(file_pixels *p);
#endif
