/* stat/order.h -- sorting without allocating, and quantiles of what is sorted. */
#ifndef ANPE_CORE_ORDER_H
#define ANPE_CORE_ORDER_H
#include <stdint.h>

/* Ascending, in place. */
void anpe_sort(int64_t n, double *values);
/* Quantile q of sorted values, linear between neighbours. */
double anpe_quantile_sorted(int64_t n, const double *sorted, double q);
/* Quantiles q (n_quantiles), ascending, of values (n) that need not be sorted and are put in
 * another order: the same numbers as of sorted ones -> out (n_quantiles). */
void anpe_select_quantiles(int64_t n, double *values, int n_quantiles, const double *q,
                           double *out);

/* A value that remembers its place. */
typedef struct anpe_ranked {
    double value;
    int64_t at;
} anpe_ranked;
/* Ascending by value, equal values by `at`. */
void anpe_sort_ranked(int64_t n, anpe_ranked *r);
#endif
