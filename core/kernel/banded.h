/* kernel/banded.h -- products with a sparse matrix whose row is one run of columns: what an
 * instrument's pixel sees of a spectrum on a finer grid. In float only.
 *
 * Row i is the run of columns first[i] .. first[i] + n - 1 with n = offset[i + 1] - offset[i], a
 * multiple of ANPE_BANDED_LANES (pad with 0), and the weights weight[offset[i] ..]. Every column
 * that a run names is read, those of weight 0 too. base: the column that x starts with.
 *
 * Rows 2 k and 2 k + 1 are made in half the time where their runs are the same columns.
 *
 * A row of y is the same to the last bit whatever rows and spectra are made together with it. */
#ifndef ANPE_CORE_BANDED_H
#define ANPE_CORE_BANDED_H
#include <stdint.h>

enum { ANPE_BANDED_LANES = 8, ANPE_BANDED_TILE = 8, ANPE_BANDED_TAPS = 8 };

typedef struct anpe_banded {
    const int64_t *first, *offset;
    const float *weight;
} anpe_banded;

/* Rows from .. to - 1 of n <= ANPE_BANDED_TILE spectra: y[s][i] = sum of weight x[s]. next (n):
 * what will be wanted after that, as long as x: it is fetched into the caches meanwhile. */
void anpe_banded_apply(const anpe_banded *m, int64_t from, int64_t to, int64_t base, int64_t n,
                       const float *const *x, const float *const *next, float *const *y);
/* The transpose for one spectrum: x += sum over these rows i of weight y[i]. */
void anpe_banded_transpose(const anpe_banded *m, int64_t from, int64_t to, int64_t base,
                           const float *y, float *x);

/* out[k] = sum_m weight[m] in[k + m], in (n + ANPE_BANDED_TAPS - 1), and its transpose:
 * in[k + m] += weight[m] out[k]. */
void anpe_banded_filter(int64_t n, const float *weight, const float *in, float *out);
void anpe_banded_filter_transpose(int64_t n, const float *weight, const float *out, float *in);
/* out[k] = sum_m weight[m] in[k + m] of any number of taps, in (n + taps - 1). */
void anpe_banded_convolve(int64_t n, int64_t taps, const float *weight, const float *in,
                          float *out);
/* out[k] = sum of 4 weight[4 k + m] in[at[k] + m], and its transpose: in += . */
void anpe_banded_cubic(int64_t n, const int32_t *at, const float *weight, const float *in,
                       float *out);
void anpe_banded_cubic_transpose(int64_t n, const int32_t *at, const float *weight,
                                 const float *out, float *in);
#endif
