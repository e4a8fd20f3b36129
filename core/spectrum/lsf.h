/* spectrum/lsf.h -- what a pixel sees: its extent and the line-spread function, a Gaussian, a table
 * (anpe_lsf_table) or none. All in x = ln(lambda). */
#ifndef ANPE_CORE_LSF_H
#define ANPE_CORE_LSF_H
#include "base/context.h"

/* A checked table: offsets in ln(lambda), distribution functions instead of kernels. */
typedef struct anpe_lsf anpe_lsf;
/* ANPE_EINVAL where it is none: the message names the kernel. */
ANPE_MUST_CHECK anpe_status anpe_lsf_new(anpe_ctx *ctx, const anpe_lsf_table *table,
                                         anpe_lsf **out);
anpe_lsf *anpe_lsf_free(anpe_lsf *l);

typedef struct anpe_lsf_pixel {
    double y0, y1, sigma;  /* its edges; of the Gaussian, 0: none */
    const anpe_lsf *table; /* NULL: the Gaussian */
    int64_t kernel;        /* the table's, and the next one's share of the mix */
    double share;
} anpe_lsf_pixel;
/* The table's function at x into p. */
void anpe_lsf_choose(const anpe_lsf *l, double x, anpe_lsf_pixel *p);
/* What the pixel sees of light at u, up to a factor: with F the distribution function,
 *     W(u) = e^(u - y0) [F(y1 - u) - F(y0 - u)]. */
double anpe_lsf_response(const anpe_lsf_pixel *p, double u);
/* W is 0 outside [low, high], but for 4e-8 of a Gaussian. */
void anpe_lsf_reach(const anpe_lsf_pixel *p, double *low, double *high);
/* The width of what must be resolved to integrate W: the Gaussian's sigma, the table's finest
 * step; 0: the pixel's own edges alone. */
double anpe_lsf_detail(const anpe_lsf_pixel *p);
#endif
