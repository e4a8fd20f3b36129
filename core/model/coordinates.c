/* See coordinates.h. */
#include <config.h>
#include "model/coordinates.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double straight = 4; /* sd */
static const double end = 30;     /* of y: 2e11 sd */

anpe_status anpe_coordinates_new(anpe_ctx *ctx, const anpe_label_map *map, int whitened,
                                 anpe_coordinates *out)
{
    *out = (anpe_coordinates){.map = map};
    if (!whitened)
        return ANPE_OK;
    double *low, *high;
    if (ANPE_NEW(ctx, low, 2, map->n))
        return ANPE_ENOMEM;
    high = low + map->n;
    anpe_status status = ANPE_NEW(ctx, out->y, 2, map->n);
    if (!status)
        status = anpe_truncated_new(ctx, map->n, 1, &out->own);
    for (int64_t i = 0; i < map->n && !status; i++) { /* what is not mapped may leave the box */
        low[i] = map->kind[i] == ANPE_IDENTITY ? -INFINITY : map->label[i].min;
        high[i] = map->kind[i] == ANPE_IDENTITY ? INFINITY : map->label[i].max;
    }
    if (status)
        anpe_coordinates_clear(out);
    else
        out->back = out->y + map->n, anpe_truncated_clear(out->own, low, high);
    free(low);
    return status;
}

void anpe_coordinates_clear(anpe_coordinates *c)
{
    anpe_truncated_free(c->own);
    free(c->y);
    *c = (anpe_coordinates){0};
}

void anpe_coordinates_set(anpe_coordinates *c, const double *mean, const double *covariance)
{
    anpe_truncated *m = c->own;
    m->n = 0;
    anpe_truncated_add(m, mean, covariance, 1, 1);
}

/* What a float can tell from the bound. */
static double inside(const anpe_label_map *m, int64_t i, double theta)
{
    const double low = m->label[i].min, high = m->label[i].max;
    const double margin = (double)FLT_EPSILON * (high - low);
    if (m->kind[i] == ANPE_IDENTITY)
        return theta;
    if (m->kind[i] == ANPE_BOX)
        return isnan(theta) ? theta : fmin(fmax(theta, low + margin), high - margin);
    return anpe_label_map_from_line(m, i, anpe_label_map_line(m, i, theta));
}

void anpe_coordinates_forward(const anpe_coordinates *c, const double *theta, float *y)
{
    if (!c->own) {
        anpe_label_map_forward(c->map, theta, y);
        return;
    }
    for (int64_t i = 0; i < c->map->n; i++)
        c->y[i] = inside(c->map, i, theta[i]);
    anpe_truncated_forward(c->own, 0, c->y, c->y);
    for (int64_t i = 0; i < c->map->n; i++) {
        const double size = fabs(c->y[i]);
        const double bent = size > straight ? straight + log1p(size - straight) : size;
        y[i] = (float)copysign(fmin(bent, end), c->y[i]);
    }
}

double anpe_coordinates_inverse(const anpe_coordinates *c, const float *y, double *theta)
{
    if (!c->own)
        return anpe_label_map_inverse(c->map, y, theta);
    double log_slope = 0;
    for (int64_t i = 0; i < c->map->n; i++) {
        const double size = fmin(fabs((double)y[i]), end), over = fmax(size - straight, 0);
        c->y[i] = copysign(fmin(size, straight) + expm1(over), (double)y[i]);
        log_slope += over;
    }
    return log_slope + anpe_truncated_inverse(c->own, 0, c->y, theta);
}
