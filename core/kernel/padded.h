/* kernel/padded.h -- samples laid one after the other with rows of zeros between them, as the
 * convolutions read them, without making that copy of the whole. */
#ifndef ANPE_CORE_PADDED_H
#define ANPE_CORE_PADDED_H
#include "kernel/real.h"

/* Sample b is rows b period + shift .. + length - 1; all others are zero. mask: zero also where it
 * is not positive; may be NULL. x, mask: (batch, length, width). */
typedef struct REAL(anpe_padded) {
    const real *x, *mask;
    int64_t batch, length, width, period, shift;
} REAL(anpe_padded);

/* Rows q .. q + n - 1, in place where they are whole, else copied to tile (n, width). */
const real *REAL(anpe_padded_rows)(const REAL(anpe_padded) * p, int64_t q, int64_t n, real *tile);
/* The same as the packed right factor (n, width) of a product. */
void REAL(anpe_padded_pack)(const REAL(anpe_padded) * p, int64_t q, int64_t n, real *packed);
/* sum (width) += column sums of a packed (rows, width). */
void REAL(anpe_packed_add_sums)(int64_t rows, int64_t width, const real *packed, real *sum);
#endif
