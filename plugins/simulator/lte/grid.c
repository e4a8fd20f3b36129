/* Model atmospheres between the nodes of a grid, or from the network: ln T, ln P, ln RHOX and ln ne
 * at fixed log tau_Ross. */
#include "lte.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 4 };

/* Two models closer than this are the same node: files round. */
static const double same[3] = {1.0, 0.006, 0.006};
static const char *const axis_name[3] = {"teff", "logg", "m_h"};

static double coordinate(const anpe_lte_atmosphere *a, int axis)
{
    return axis == 0 ? a->teff : axis == 1 ? a->logg : a->m_h;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static anpe_status make_axis(anpe_ctx *ctx, const anpe_lte_models *models, int axis,
                             anpe_lte_grid *grid)
{
    double *v;
    if (ANPE_NEW(ctx, v, models->n))
        return ANPE_ENOMEM;
    grid->axis[axis] = v;
    for (int64_t i = 0; i < models->n; i++)
        v[i] = coordinate(&models->model[i], axis);
    for (int64_t i = 0; i < models->n && models->n > 1; i++)
        if (!isfinite(v[i]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "a model of the grid of atmospheres does not say its %s",
                             axis_name[axis]);
    qsort(v, (size_t)models->n, sizeof *v, compare);
    int n = 0;
    for (int64_t i = 0; i < models->n; i++)
        if (n == 0 || v[i] - v[n - 1] > same[axis])
            v[n++] = v[i];
    grid->n[axis] = n;
    return ANPE_OK;
}

static int nearest_node(const anpe_lte_grid *grid, int axis, double x)
{
    int best = 0;
    for (int i = 1; i < grid->n[axis]; i++)
        if (fabs(grid->axis[axis][i] - x) < fabs(grid->axis[axis][best] - x))
            best = i;
    return best;
}

static double *node_of(const anpe_lte_grid *grid, int i, int j, int k)
{
    return grid->structure +
           (((size_t)i * (size_t)grid->n[1] + (size_t)j) * (size_t)grid->n[2] + (size_t)k) *
               COLUMNS * (size_t)grid->layers;
}

/* y at x, cubic Hermite with slopes from the neighbours' differences; outside, the end's line. */
static double hermite(int n, const double *xs, const double *ys, double x)
{
    int i = 0;
    while (i < n - 2 && x > xs[i + 1])
        i++;
    const double h = xs[i + 1] - xs[i], s = (ys[i + 1] - ys[i]) / h, u = (x - xs[i]) / h;
    if (u < 0 || u > 1)
        return ys[i] + s * (x - xs[i]);
    const double before = i > 0 ? (ys[i] - ys[i - 1]) / (xs[i] - xs[i - 1]) : s;
    const double after = i < n - 2 ? (ys[i + 2] - ys[i + 1]) / (xs[i + 2] - xs[i + 1]) : s;
    const double d0 = 0.5 * (before + s) * h, d1 = 0.5 * (after + s) * h;
    const double a = d0 - s * h, b = s * h - d1;
    return ys[i] + u * (s * h) + u * (1 - u) * (a * (1 - u) + b * u);
}

static void place(const anpe_lte_grid *grid, const anpe_lte_atmosphere *a, double *to)
{
    const double *columns[COLUMNS] = {a->t, a->p, a->rhox, a->ne};
    for (int c = 0; c < COLUMNS; c++) {
        double y[ANPE_LTE_LAYERS];
        for (int l = 0; l < a->n; l++)
            y[l] = log(columns[c][l]);
        for (int l = 0; l < grid->layers; l++)
            to[c * grid->layers + l] = hermite(a->n, a->tau, y, grid->tau[l]);
    }
}

/* The common depths: those of the model with most layers, within what every model reaches. */
static anpe_status make_depths(anpe_ctx *ctx, const anpe_lte_models *models, anpe_lte_grid *grid)
{
    const anpe_lte_atmosphere *most = &models->model[0];
    double top = -HUGE_VAL, bottom = HUGE_VAL;
    for (int64_t i = 0; i < models->n; i++) {
        const anpe_lte_atmosphere *a = &models->model[i];
        most = a->n > most->n ? a : most;
        top = fmax(top, a->tau[0]);
        bottom = fmin(bottom, a->tau[a->n - 1]);
    }
    if (bottom < 1 || top > -2)
        return ANPE_FAIL(
            ctx, ANPE_EFORMAT,
            "the atmospheres have log tau_Ross from %g to %g in common; -2 to 1 is needed", top,
            bottom);
    if (ANPE_NEW(ctx, grid->tau, most->n))
        return ANPE_ENOMEM;
    grid->layers = most->n;
    for (int l = 0; l < most->n; l++) {
        const double x = most->tau[0], y = most->tau[most->n - 1];
        grid->tau[l] =
            models->n == 1 ? most->tau[l] : top + (most->tau[l] - x) * (bottom - top) / (y - x);
    }
    return ANPE_OK;
}

static anpe_status fill(anpe_ctx *ctx, const anpe_lte_models *models, anpe_lte_grid *grid)
{
    const int64_t nodes = (int64_t)grid->n[0] * grid->n[1] * grid->n[2];
    const int64_t n = nodes * COLUMNS * grid->layers;
    if (ANPE_NEW(ctx, grid->structure, nodes, COLUMNS, grid->layers) ||
        ANPE_NEW(ctx, grid->vmicro, nodes))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        grid->structure[i] = NAN;
    for (int64_t m = 0; m < models->n; m++) {
        const anpe_lte_atmosphere *a = &models->model[m];
        int at[3];
        for (int x = 0; x < 3; x++)
            at[x] = grid->n[x] == 1 ? 0 : nearest_node(grid, x, coordinate(a, x));
        double *to = node_of(grid, at[0], at[1], at[2]);
        if (!isnan(to[0]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "two atmospheres with teff %g, logg %g, m_h %g",
                             a->teff, a->logg, a->m_h);
        place(grid, a, to);
        grid->vmicro[(size_t)(to - grid->structure) / (COLUMNS * (size_t)grid->layers)] = a->vmicro;
    }
    return ANPE_OK;
}

anpe_status anpe_lte_grid_new(anpe_ctx *ctx, const anpe_lte_models *models, anpe_lte_grid *grid)
{
    *grid = (anpe_lte_grid){0};
    if (models->n < 1)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "no model atmosphere is given");
    anpe_status status = ANPE_OK;
    for (int axis = 0; axis < 3 && !status; axis++)
        status = make_axis(ctx, models, axis, grid);
    if (!status)
        status = make_depths(ctx, models, grid);
    if (!status)
        status = fill(ctx, models, grid);
    if (status) {
        anpe_lte_grid_free(grid);
        return status;
    }
    const anpe_lte_atmosphere *a = &models->model[0];
    const double m_h = isfinite(a->m_h) ? a->m_h : 0;
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
        grid->abundance[z] =
            z < 2 || a->abundance[z] < -90 ? a->abundance[z] : a->abundance[z] - m_h;
    return ANPE_OK;
}

anpe_status anpe_lte_grid_own(anpe_ctx *ctx, anpe_lte_grid *grid)
{
    *grid = (anpe_lte_grid){.n = {2, 2, 2}, .layers = ANPE_LTE_STRUCTURE_LAYERS};
    int failed = ANPE_NEW(ctx, grid->tau, grid->layers) || ANPE_NEW(ctx, grid->vmicro, 1);
    for (int a = 0; a < 3 && !failed; a++) {
        failed = ANPE_NEW(ctx, grid->axis[a], 2) != ANPE_OK;
        if (!failed)
            memcpy(grid->axis[a], anpe_lte_structure_range[a], sizeof anpe_lte_structure_range[a]);
    }
    if (failed) {
        anpe_lte_grid_free(grid);
        return ANPE_ENOMEM;
    }
    grid->vmicro[0] = 2;
    for (int l = 0; l < grid->layers; l++)
        grid->tau[l] = ANPE_LTE_STRUCTURE_TOP + ANPE_LTE_STRUCTURE_STEP * l;
    for (int z = 0; z < ANPE_LTE_ELEMENTS; z++)
        grid->abundance[z] = (double)anpe_lte_structure_abundance[z];
    return ANPE_OK;
}

void anpe_lte_grid_free(anpe_lte_grid *grid)
{
    for (int axis = 0; axis < 3; axis++)
        free(grid->axis[axis]);
    free(grid->tau);
    free(grid->structure);
    free(grid->vmicro);
    *grid = (anpe_lte_grid){0};
}

/* Nodes and weights for x on an axis: Catmull-Rom's four in the middle where wide, else two.
 * Returns the first node. An exact node has weight 1, so that holes beside it do not matter. */
static int weights(const anpe_lte_grid *grid, int axis, double x, int wide, double w[4])
{
    const double *v = grid->axis[axis];
    const int n = grid->n[axis];
    int i = 0;
    memset(w, 0, 4 * sizeof *w);
    while (i < n - 2 && x >= v[i + 1])
        i++;
    if (n == 1) {
        w[0] = 1;
        return 0;
    }
    const double h = v[i + 1] - v[i], u = (x - v[i]) / h;
    if (!wide || i == 0 || i + 2 >= n || u <= 0 || u >= 1) {
        w[0] = 1 - u;
        w[1] = u;
        return i;
    }
    /* Lagrange's cubic through v[i - 1] .. v[i + 2] */
    for (int k = 0; k < 4; k++) {
        w[k] = 1;
        for (int j = 0; j < 4; j++)
            w[k] *= j == k ? 1 : (x - v[i - 1 + j]) / (v[i - 1 + k] - v[i - 1 + j]);
    }
    return i - 1;
}

/* Sum of the nodes; 0 where one that counts is missing. */
static int combine(const anpe_lte_grid *grid, const int first[3], double w[3][4], double *sum)
{
    const int n = COLUMNS * grid->layers;
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int c = 0; c < 64; c++) {
        const int i = c >> 4, j = c >> 2 & 3, k = c & 3;
        const double factor = w[0][i] * w[1][j] * w[2][k];
        if (factor == 0)
            continue;
        const double *node = node_of(grid, first[0] + i, first[1] + j, first[2] + k);
        if (isnan(node[0]))
            return 0;
        for (int l = 0; l < n; l++)
            sum[l] += factor * node[l];
    }
    return 1;
}

/* ln T, ln P, ln RHOX, ln ne between the nodes. */
static anpe_status nodes_at(anpe_ctx *ctx, const anpe_lte_grid *grid, const double x[3],
                            double *sum)
{
    double w[3][4];
    int first[3];
    for (int a = 0; a < 3; a++)
        first[a] = weights(grid, a, x[a], a == 0, w[a]);
    if (combine(grid, first, w, sum))
        return ANPE_OK;
    first[0] = weights(grid, 0, x[0], 0, w[0]); /* a hole that only the cubic touches */
    return combine(grid, first, w, sum)
               ? ANPE_OK
               : ANPE_FAIL(ctx, ANPE_EINVAL,
                           "lte: the grid of atmospheres has no model around teff %g, logg %g, "
                           "m_h %g",
                           x[0], x[1], x[2]);
}

static anpe_status network_at(anpe_ctx *ctx, const double x[3], double *sum)
{
    const double lowest = anpe_lte_structure_lowest_logg(x[0]);
    if (x[1] < lowest - same[1])
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "lte: logg %g: the built-in atmospheres of %g K begin at %g", x[1], x[0],
                         lowest);
    anpe_lte_structure_at(x[0], x[1], x[2], sum);
    return ANPE_OK;
}

anpe_status anpe_lte_grid_at(anpe_ctx *ctx, const anpe_lte_grid *grid, double teff, double logg,
                             double m_h, anpe_lte_atmosphere *out)
{
    double x[3] = {teff, logg, m_h}, sum[COLUMNS * ANPE_LTE_LAYERS];
    const int single = grid->n[0] * grid->n[1] * grid->n[2] == 1;
    for (int a = 0; a < 3; a++) {
        const double low = grid->axis[a][0], high = grid->axis[a][grid->n[a] - 1];
        if (!single && !(x[a] >= low - same[a] && x[a] <= high + same[a]))
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "lte: %s outside the grid of atmospheres, [%g, %g]: %g", axis_name[a],
                             low, high, x[a]);
        x[a] = fmin(fmax(x[a], low), high);
    }
    const anpe_status status =
        grid->structure ? nodes_at(ctx, grid, x, sum) : network_at(ctx, x, sum);
    if (status)
        return status;
    *out = (anpe_lte_atmosphere){.n = grid->layers, .teff = teff, .logg = logg, .m_h = m_h};
    out->vmicro = grid->vmicro[0];
    memcpy(out->abundance, grid->abundance, sizeof out->abundance);
    for (int l = 0; l < grid->layers; l++) {
        out->tau[l] = grid->tau[l];
        out->t[l] = exp(sum[l]);
        out->p[l] = exp(sum[grid->layers + l]);
        out->rhox[l] = exp(sum[2 * grid->layers + l]);
        out->ne[l] = exp(sum[3 * grid->layers + l]);
    }
    return ANPE_OK;
}
