/* table/mixture.h -- a weighted mixture of Gaussians of one diagonal width, each cut to a box:
 *     p(x) = sum_i w_i prod_d phi((x_d - x_id)/h_d) / (h_d Z_id),
 *     Z_id = Phi((hi_d - x_id)/h_d) - Phi((lo_d - x_id)/h_d)
 * so that p integrates to 1 over the box. A k-d tree (Bentley 1975) skips the rows whose kernels
 * together are below 10^-9 of the sum. */
#ifndef TABLE_MIXTURE_H
#define TABLE_MIXTURE_H
#include <anpe/plugin.h>

typedef struct mixture {
    int64_t n, d;
    const double *lo, *hi, *width; /* (d), the caller's, kept */
    double *z;                     /* (n, d) rows / width, in the order of the tree */
    double *c;                     /* (n) w_i / prod_d Z_id */
    double *boxes; /* (n_nodes, 2, d) least and largest z below each node; node 0 is the root,
                    * 2k + 1 and 2k + 2 are the children of k */
    int64_t n_nodes;
    double log_total; /* log of the sum of c */
    double constant;  /* - sum_d log h_d - d/2 log 2 pi */
} mixture;

/* x (n, d) inside the box, w (n) >= 0 with sum 1, width (d) > 0. */
ANPE_MUST_CHECK anpe_status mixture_new(anpe_ctx *ctx, int64_t n, int64_t d, const double *x,
                                        const double *w, const double *lo, const double *hi,
                                        const double *width, mixture *m);
void mixture_clear(mixture *m);
double mixture_log_density(const mixture *m, const double *x); /* -inf outside the box */
#endif
