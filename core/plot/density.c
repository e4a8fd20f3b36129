/* plot/density.c -- see density.h. Contours by marching squares: every cell side that the contour
 * crosses starts exactly one piece of it, with what is above the level on the left, so pieces chain
 * into closed polygons by looking up where the next one starts. */
#include "plot/density.h"
#include "stat/order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELLS = ANPE_DENSITY_CELLS,
    NODES = CELLS + 2,         /* with a border of zeros, so that all contours are closed */
    SIDES = 2 * NODES * NODES, /* sides to the right of a node, then sides above one */
};

/* ---- density ----------------------------------------------------------------------------- */

void anpe_density_smooth(int n, const double *in, int stride, double sigma, double *out)
{
    for (int i = 0; i < n; i++)
        out[i] = 0;
    for (int i = 0; i < n; i++) { /* what would leak over the border stays inside */
        double sum = 0;
        for (int k = 0; k < n; k++)
            sum += exp(-0.5 * (k - i) * (k - i) / (sigma * sigma));
        for (int k = 0; k < n; k++)
            out[k] += in[i * stride] * exp(-0.5 * (k - i) * (k - i) / (sigma * sigma)) / sum;
    }
}

static void smooth(anpe_density *d, double sigma_u, double sigma_v)
{
    double line[CELLS];
    for (int j = 0; j < CELLS; j++) {
        anpe_density_smooth(CELLS, d->cell[j], 1, sigma_u, line);
        memcpy(d->cell[j], line, sizeof line);
    }
    for (int i = 0; i < CELLS; i++) {
        anpe_density_smooth(CELLS, &d->cell[0][i], CELLS, sigma_v, line);
        for (int j = 0; j < CELLS; j++)
            d->cell[j][i] = line[j];
    }
}

void anpe_density_of(anpe_density *d, int64_t n, const double *u, const double *v,
                     const double *weight, double sigma_u, double sigma_v)
{
    double sum = 0;
    *d = (anpe_density){0};
    for (int64_t k = 0; k < n; k++) {
        if (!(u[k] >= 0 && u[k] < 1 && v[k] >= 0 && v[k] < 1))
            continue;
        const double w = weight ? weight[k] : 1;
        d->cell[(int)(v[k] * CELLS)][(int)(u[k] * CELLS)] += w;
        sum += w;
    }
    for (int k = 0; k < CELLS * CELLS && sum > 0; k++)
        d->cell[k / CELLS][k % CELLS] /= sum;
    smooth(d, sigma_u, sigma_v);
}

double anpe_density_enclosing(const anpe_density *d, double mass)
{
    double sorted[CELLS * CELLS], sum = 0;
    memcpy(sorted, d->cell, sizeof sorted);
    anpe_sort(CELLS * CELLS, sorted);
    for (int k = CELLS * CELLS - 1; k >= 0; k--) {
        sum += sorted[k];
        if (sum >= mass)
            return sorted[k];
    }
    return 0;
}

/* ---- contours ---------------------------------------------------------------------------- */

static double node(const anpe_density *d, int i, int j)
{
    return i < 1 || j < 1 || i > CELLS || j > CELLS ? 0 : d->cell[j - 1][i - 1];
}

static int side_right(int i, int j)
{
    return j * NODES + i;
}

static int side_above(int i, int j)
{
    return NODES * NODES + j * NODES + i;
}

/* Where the contour crosses a side. */
static void crossing(const anpe_density *d, double level, int side, double *u, double *v)
{
    const int above = side >= NODES * NODES, at = side % (NODES * NODES);
    const int i = at % NODES, j = at / NODES;
    const double a = node(d, i, j), b = above ? node(d, i, j + 1) : node(d, i + 1, j);
    const double t = (level - a) / (b - a);
    *u = fmin(fmax((i - 0.5 + (above ? 0 : t)) / CELLS, 0), 1);
    *v = fmin(fmax((j - 0.5 + (above ? t : 0)) / CELLS, 0), 1);
}

/* next[s]: side on which the piece that starts on side s ends. Nodes of a square, counted from the
 * lower left against the clock, that are above the level make its case. */
static void link_pieces(const anpe_density *d, double level, int *next)
{
    enum { B, R, T, L, NONE }; /* bottom, right, top, left */
    static const unsigned char pieces[16][4] = {
        {NONE, NONE, NONE, NONE}, {B, L, NONE, NONE}, {R, B, NONE, NONE}, {R, L, NONE, NONE},
        {T, R, NONE, NONE},       {B, L, T, R},       {T, B, NONE, NONE}, {T, L, NONE, NONE},
        {L, T, NONE, NONE},       {B, T, NONE, NONE}, {R, B, L, T},       {R, T, NONE, NONE},
        {L, R, NONE, NONE},       {B, R, NONE, NONE}, {L, B, NONE, NONE}, {NONE, NONE, NONE, NONE}};
    for (int s = 0; s < SIDES; s++)
        next[s] = -1;
    for (int j = 0; j + 1 < NODES; j++)
        for (int i = 0; i + 1 < NODES; i++) {
            const int which = (node(d, i, j) >= level) | (node(d, i + 1, j) >= level) << 1 |
                              (node(d, i + 1, j + 1) >= level) << 2 |
                              (node(d, i, j + 1) >= level) << 3;
            const int side[4] = {side_right(i, j), side_above(i + 1, j), side_right(i, j + 1),
                                 side_above(i, j)};
            for (int k = 0; k < 4 && pieces[which][k] != NONE; k += 2)
                next[side[pieces[which][k]]] = side[pieces[which][k + 1]];
        }
}

static double area_of(const anpe_contours *c, int from, int to)
{
    double twice = 0;
    for (int k = from; k < to; k++) {
        const int l = k + 1 < to ? k + 1 : from;
        twice += c->u[k] * c->v[l] - c->u[l] * c->v[k];
    }
    return 0.5 * twice;
}

int anpe_contours_of(const anpe_density *d, double level, anpe_contours *c)
{
    int *next = malloc(SIDES * sizeof *next), n_points = 0;
    *c = (anpe_contours){.first = malloc((SIDES + 1) * sizeof(int)),
                         .u = malloc(SIDES * sizeof(double)),
                         .v = malloc(SIDES * sizeof(double)),
                         .area = malloc(SIDES * sizeof(double))};
    if (!next || !c->first || !c->u || !c->v || !c->area) {
        free(next);
        anpe_contours_clear(c);
        return -1;
    }
    link_pieces(d, level, next);
    for (int s = 0; s < SIDES; s++) {
        if (next[s] < 0)
            continue;
        c->first[c->n] = n_points;
        for (int at = s, to; (to = next[at]) >= 0; at = to) {
            next[at] = -1;
            crossing(d, level, at, c->u + n_points, c->v + n_points);
            n_points++;
        }
        c->area[c->n] = area_of(c, c->first[c->n], n_points);
        c->n++;
    }
    c->first[c->n] = n_points;
    free(next);
    return 0;
}

void anpe_contours_clear(anpe_contours *c)
{
    free(c->first);
    free(c->u);
    free(c->v);
    free(c->area);
    *c = (anpe_contours){0};
}
