/* Regularised least squares with a sparse matrix: conjugate gradients on the normal equations,
 * preconditioned with their diagonal (Hestenes & Stiefel 1952). */
#include "prepare/calibrate.h"
#include <math.h>
#include <stdlib.h>

enum { MOST_STEPS = 400 };

typedef struct linear {
    int64_t n, n_pixels;
    int n_stars;
    const anpe_sparse_column *column;
    const float *residual;
    double weight; /* sigma^-2 */
    const double *width;
    double *image; /* (n_stars, n_pixels) J x */
} linear;

/* y = (J^T J weight + width^-2) x, data only where the residual is a number. */
static void multiply(const linear *s, const double *x, double *y)
{
    const int64_t size = s->n_stars * s->n_pixels;
    for (int64_t i = 0; i < size; i++)
        s->image[i] = 0;
    for (int64_t k = 0; k < s->n * s->n_stars; k++) {
        const anpe_sparse_column *c = &s->column[k];
        double *at = s->image + c->star * s->n_pixels + c->first;
        for (int64_t i = 0; i < c->n; i++)
            at[i] += (double)c->v[i] * x[k / s->n_stars];
    }
    for (int64_t i = 0; i < size; i++)
        s->image[i] = isfinite(s->residual[i]) ? s->image[i] : 0;
    for (int64_t k = 0; k < s->n; k++)
        y[k] = x[k] / (s->width[k] * s->width[k]);
    for (int64_t k = 0; k < s->n * s->n_stars; k++) {
        const anpe_sparse_column *c = &s->column[k];
        const double *at = s->image + c->star * s->n_pixels + c->first;
        double sum = 0;
        for (int64_t i = 0; i < c->n; i++)
            sum += (double)c->v[i] * at[i];
        y[k / s->n_stars] += s->weight * sum;
    }
}

/* Right-hand side and diagonal. */
static void set_up(const linear *s, const double *offset, double *b, double *diagonal)
{
    for (int64_t k = 0; k < s->n; k++) {
        const double weight = 1 / (s->width[k] * s->width[k]);
        b[k] = -offset[k] * weight;
        diagonal[k] = weight;
    }
    for (int64_t k = 0; k < s->n * s->n_stars; k++) {
        const anpe_sparse_column *c = &s->column[k];
        const float *at = s->residual + c->star * s->n_pixels + c->first;
        for (int64_t i = 0; i < c->n; i++)
            if (isfinite(at[i])) {
                b[k / s->n_stars] += s->weight * (double)(c->v[i] * at[i]);
                diagonal[k / s->n_stars] += s->weight * (double)(c->v[i] * c->v[i]);
            }
    }
}

static double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* room (4, n): residual, its image under the preconditioner, direction, product. */
static void conjugate_gradients(const linear *s, const double *b, const double *diagonal, double *x,
                                double *room)
{
    const int64_t n = s->n;
    double *r = room, *z = room + n, *p = room + 2 * n, *q = room + 3 * n;
    for (int64_t i = 0; i < n; i++) {
        x[i] = 0;
        r[i] = b[i];
        p[i] = z[i] = r[i] / diagonal[i];
    }
    double rz = dot(n, r, z);
    const double end = 1e-12 * rz;
    for (int step = 0; step < MOST_STEPS && rz > end; step++) {
        multiply(s, p, q);
        const double length = rz / dot(n, p, q);
        for (int64_t i = 0; i < n; i++) {
            x[i] += length * p[i];
            r[i] -= length * q[i];
            z[i] = r[i] / diagonal[i];
        }
        const double next = dot(n, r, z), turn = next / rz;
        for (int64_t i = 0; i < n; i++)
            p[i] = z[i] + turn * p[i];
        rz = next;
    }
}

anpe_status anpe_calibrate_solve(anpe_ctx *ctx, int64_t n, int n_stars, int64_t n_pixels,
                                 const anpe_sparse_column *column, const float *residual,
                                 double sigma, const double *offset, const double *width, double *x,
                                 double *error)
{
    double *room;
    if (ANPE_NEW(ctx, room, 5 * n + n_stars * n_pixels))
        return ANPE_ENOMEM;
    const linear s = {.n = n,
                      .n_pixels = n_pixels,
                      .n_stars = n_stars,
                      .column = column,
                      .residual = residual,
                      .weight = 1 / (sigma * sigma),
                      .width = width,
                      .image = room + 5 * n};
    set_up(&s, offset, room, error);
    conjugate_gradients(&s, room, error, x, room + n);
    for (int64_t k = 0; k < n; k++)
        error[k] = 1 / sqrt(error[k]);
    free(room);
    return ANPE_OK;
}
