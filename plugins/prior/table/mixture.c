/* A mixture of truncated Gaussians; see mixture.h. */
#include "mixture.h"
#include "../common/normal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF = 16, MAX_DIMENSIONS = 64 };
static const double log_negligible = -20.7; /* 10^-9 */

/* Log sum of c_i exp(-|z - z_i|^2 / 2) so far, as best + log(sum). */
typedef struct walk {
    const mixture *m;
    double z[MAX_DIMENSIONS];
    double best, sum;
} walk;

static int is_leaf(int64_t first, int64_t last)
{
    return last - first <= LEAF;
}

/* Moves the rows so that the k-th along dimension `dim` is in place and smaller ones are before it
 * (Hoare 1961). order: indices of rows. */
static void select_row(const double *z, int64_t d, int64_t dim, int64_t *order, int64_t first,
                       int64_t last, int64_t k)
{
    while (last - first > 1) {
        const double pivot = z[order[(first + last) / 2] * d + dim];
        int64_t i = first, j = last - 1;
        while (i <= j) {
            while (z[order[i] * d + dim] < pivot)
                i++;
            while (z[order[j] * d + dim] > pivot)
                j--;
            if (i <= j) {
                const int64_t swap = order[i];
                order[i++] = order[j];
                order[j--] = swap;
            }
        }
        if (k <= j)
            last = j + 1;
        else if (k >= i)
            first = i;
        else
            return;
    }
}

/* Box of rows [first, last) and of everything below; splits along its longest side. */
static void build(mixture *m, const double *z, int64_t *order, int64_t node, int64_t first,
                  int64_t last)
{
    const int64_t d = m->d;
    double *lo = m->boxes + node * 2 * d, *hi = lo + d;
    int64_t dim = 0;
    for (int64_t k = 0; k < d; k++) {
        lo[k] = INFINITY;
        hi[k] = -INFINITY;
        for (int64_t i = first; i < last; i++) {
            lo[k] = fmin(lo[k], z[order[i] * d + k]);
            hi[k] = fmax(hi[k], z[order[i] * d + k]);
        }
        if (hi[k] - lo[k] > hi[dim] - lo[dim])
            dim = k;
    }
    if (is_leaf(first, last))
        return;
    const int64_t middle = (first + last) / 2;
    select_row(z, d, dim, order, first, last, middle);
    build(m, z, order, 2 * node + 1, first, middle);
    build(m, z, order, 2 * node + 2, middle, last);
}

static void fill(mixture *m, const double *x, const double *w, double *z, int64_t *order)
{
    double total = 0;
    for (int64_t i = 0; i < m->n * m->d; i++)
        z[i] = x[i] / m->width[i % m->d];
    for (int64_t i = 0; i < m->n; i++)
        order[i] = i;
    build(m, z, order, 0, 0, m->n);
    for (int64_t i = 0; i < m->n; i++) {
        const int64_t row = order[i];
        double mass = 1;
        for (int64_t k = 0; k < m->d; k++) {
            const double s = m->width[k] * NORMAL_ROOT_2;
            const double at = x[row * m->d + k];
            m->z[i * m->d + k] = z[row * m->d + k];
            mass *= 0.5 * (erf((m->hi[k] - at) / s) + erf((at - m->lo[k]) / s));
        }
        m->c[i] = w[row] / mass;
        total += m->c[i];
    }
    m->log_total = log(total);
    for (int64_t k = 0; k < m->d; k++)
        m->constant -= log(m->width[k]) + NORMAL_LOG_ROOT_2PI;
}

anpe_status mixture_new(anpe_ctx *ctx, int64_t n, int64_t d, const double *x, const double *w,
                        const double *lo, const double *hi, const double *width, mixture *m)
{
    *m = (mixture){.n = n, .d = d, .lo = lo, .hi = hi, .width = width, .n_nodes = 1};
    if (d > MAX_DIMENSIONS)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%lld labels; a table can give %d", (long long)d,
                         MAX_DIMENSIONS);
    for (int64_t rows = n; !is_leaf(0, rows); rows = (rows + 1) / 2)
        m->n_nodes = 2 * m->n_nodes + 1;
    double *z = NULL;
    int64_t *order = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, m->z, n, d));
    ANPE_TRY(ANPE_NEW(ctx, m->c, n));
    ANPE_TRY(ANPE_NEW(ctx, m->boxes, m->n_nodes, 2, d));
    ANPE_TRY(ANPE_NEW(ctx, z, n, d));
    ANPE_TRY(ANPE_NEW(ctx, order, n));
    fill(m, x, w, z, order);
out:
    free(z);
    free(order);
    return status;
}

void mixture_clear(mixture *m)
{
    free(m->z);
    free(m->c);
    free(m->boxes);
    *m = (mixture){0};
}

/* Square of the distance from z to a node's box. */
static double distance2(const walk *w, int64_t node)
{
    const int64_t d = w->m->d;
    const double *lo = w->m->boxes + node * 2 * d, *hi = lo + d;
    double sum = 0;
    for (int64_t k = 0; k < d; k++) {
        const double out = w->z[k] < lo[k] ? lo[k] - w->z[k] : fmax(w->z[k] - hi[k], 0);
        sum += out * out;
    }
    return sum;
}

static void add_row(walk *w, int64_t i)
{
    const double *z = w->m->z + i * w->m->d;
    double e = 0;
    for (int64_t k = 0; k < w->m->d; k++)
        e -= 0.5 * (w->z[k] - z[k]) * (w->z[k] - z[k]);
    if (e > w->best) { /* the sum is kept relative to its largest exponential */
        w->sum *= exp(w->best - e);
        w->best = e;
    }
    w->sum += w->m->c[i] * exp(e - w->best);
}

/* Adds rows [first, last) below node, the nearer child first; d2 is the distance to node's box.
 * What is left out adds up to at most exp(-d2/2) times the sum of all c. */
static void visit(walk *w, int64_t node, int64_t first, int64_t last, double d2)
{
    if (-0.5 * d2 + w->m->log_total < w->best + log(w->sum) + log_negligible)
        return;
    if (is_leaf(first, last)) {
        for (int64_t i = first; i < last; i++)
            add_row(w, i);
        return;
    }
    const int64_t left = 2 * node + 1, right = left + 1, middle = (first + last) / 2;
    const double to_left = distance2(w, left), to_right = distance2(w, right);
    if (to_left <= to_right) {
        visit(w, left, first, middle, to_left);
        visit(w, right, middle, last, to_right);
    } else {
        visit(w, right, middle, last, to_right);
        visit(w, left, first, middle, to_left);
    }
}

double mixture_log_density(const mixture *m, const double *x)
{
    walk w = {.m = m, .best = -INFINITY, .sum = 0};
    for (int64_t k = 0; k < m->d; k++) {
        if (!(x[k] >= m->lo[k] && x[k] <= m->hi[k]))
            return -INFINITY;
        w.z[k] = x[k] / m->width[k];
    }
    visit(&w, 0, 0, m->n, 0);
    return w.best + log(w.sum) + m->constant;
}
