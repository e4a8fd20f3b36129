/* base/linear.h -- small symmetric systems in double by Cholesky's factorisation A = L L^T.
 *
 * Matrices are lower triangles, rows `stride` apart; what is above the diagonal is neither read nor
 * written. Sums run from the first column to the last. Nothing allocates. */
#ifndef ANPE_CORE_LINEAR_H
#define ANPE_CORE_LINEAR_H
#include <stdint.h>

/* A (n, n) -> L in place. A pivot that rounding has left below `least` times its element of the
 * diagonal (0: below nothing at all) is raised to that; returns how many were: 0 for what is
 * positive definite, so that L can always be divided by. */
int64_t anpe_cholesky(int64_t n, double *a, int64_t stride, double least);
/* x (n) := L^-1 x */
void anpe_cholesky_forward(int64_t n, const double *l, int64_t stride, double *x);
/* x (n) := L^-T x */
void anpe_cholesky_backward(int64_t n, const double *l, int64_t stride, double *x);
/* x (n) := (L L^T)^-1 x */
void anpe_cholesky_solve(int64_t n, const double *l, int64_t stride, double *x);
/* Sum of a_i b_i, (n) each, in double. */
double anpe_dot(int64_t n, const float *a, const float *b);
/* L -> L^-1 in place. */
void anpe_cholesky_invert(int64_t n, double *l, int64_t stride);
#endif
