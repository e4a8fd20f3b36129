/* Label bijections. */
#include <config.h>
#include "model/labels.h"
#include "stat/moments.h"
#include "stat/normal.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static anpe_bijection bijection_of(const anpe_label *l, int transform)
{
    if (!transform)
        return ANPE_IDENTITY;
    if (isfinite(l->min) && isfinite(l->max))
        return ANPE_BOX;
    return isfinite(l->min) ? ANPE_ABOVE : isfinite(l->max) ? ANPE_BELOW : ANPE_IDENTITY;
}

anpe_status anpe_label_map_new(anpe_ctx *ctx, int64_t n, const anpe_label *label, int transform,
                               anpe_label_map **out)
{
    anpe_label_map *m = NULL;
    if (ANPE_NEW(ctx, m, 1) || ANPE_NEW(ctx, m->label, n) || ANPE_NEW(ctx, m->kind, n) ||
        ANPE_NEW(ctx, m->mean, n) || ANPE_NEW(ctx, m->sd, n)) {
        *out = anpe_label_map_free(m);
        return ANPE_ENOMEM;
    }
    m->n = n;
    memcpy(m->label, label, (size_t)n * sizeof *label);
    for (int64_t i = 0; i < n; i++) {
        m->kind[i] = bijection_of(&label[i], transform);
        m->mean[i] = 0;
        m->sd[i] = 1;
    }
    *out = m;
    return ANPE_OK;
}

anpe_label_map *anpe_label_map_free(anpe_label_map *m)
{
    if (!m)
        return NULL;
    free(m->label);
    free(m->kind);
    free(m->mean);
    free(m->sd);
    free(m);
    return NULL;
}

/* ---- the ends of the line --------------------------------------------------------------- */

/* A label on a bound is at infinity, and so is one that lies there by the rounding of a file of
 * floats. The line ends where a prior would have FLT_EPSILON of its draws beyond: for a box that is
 * this part of its width. Near a bound on one side the line has an exponential tail where the
 * density is finite (a distance of FLT_EPSILON of the usual one), a normal one under a log-normal
 * prior, and ends with the longer of both. */

static const double least = FLT_EPSILON;
static const double exponential_end = 15.942385152878742; /* -log(least) */
static const double normal_end = 5.1665782;               /* -Phi^-1(least) */

static double reach(const anpe_label_map *m, int64_t i)
{
    return fmax(exponential_end, normal_end * m->sd[i]);
}

static double to_line(const anpe_label_map *m, int64_t i, double theta)
{
    const anpe_label *l = &m->label[i];
    if (isnan(theta)) /* fmin and fmax would make it an end */
        return theta;
    switch (m->kind[i]) {
    case ANPE_BOX:
        return anpe_normal_quantile(
            fmin(fmax((theta - l->min) / (l->max - l->min), least), 1 - least));
    case ANPE_ABOVE:
        return fmax(log(fmax(theta - l->min, 0)), m->mean[i] - reach(m, i));
    case ANPE_BELOW:
        return fmin(-log(fmax(l->max - theta, 0)), m->mean[i] + reach(m, i));
    default:
        return theta;
    }
}

/* Of the draws strictly inside the support, or of all, those outside at the ends of the line. */
static void fit_one(anpe_label_map *m, int64_t i, int64_t n_draws, const double *theta, int inside)
{
    const anpe_label *l = &m->label[i];
    anpe_moments on_line = {0};
    for (int pass = 0; pass < ANPE_MOMENTS_PASSES; pass++)
        for (int64_t k = 0; k < n_draws; k++) {
            const double t = theta[k * m->n + i];
            if (!inside || (t > l->min && t < l->max))
                anpe_moments_add(&on_line, pass, to_line(m, i, t));
        }
    m->mean[i] = anpe_moments_mean(&on_line);
    m->sd[i] = on_line.square > 0 ? anpe_moments_sd(&on_line) : 1;
}

void anpe_label_map_fit(anpe_label_map *m, int64_t n_draws, const double *theta)
{
    for (int64_t i = 0; i < m->n; i++) {
        m->sd[i] = INFINITY; /* no end as yet */
        fit_one(m, i, n_draws, theta, 1);
        fit_one(m, i, n_draws, theta, 0);
    }
}

void anpe_label_map_forward(const anpe_label_map *m, const double *theta, float *y)
{
    for (int64_t i = 0; i < m->n; i++)
        y[i] = (float)((to_line(m, i, theta[i]) - m->mean[i]) / m->sd[i]);
}

double anpe_label_map_line(const anpe_label_map *m, int64_t i, double theta)
{
    return to_line(m, i, theta);
}

double anpe_label_map_from_line(const anpe_label_map *m, int64_t i, double line)
{
    const anpe_label *l = &m->label[i];
    const double w = l->max - l->min;
    switch (m->kind[i]) {
    case ANPE_BOX: /* from the nearer end, so that neither loses digits */
        return fmin(fmax(line < 0 ? l->min + w * 0.5 * erfc(-line * M_SQRT1_2)
                                  : l->max - w * 0.5 * erfc(line * M_SQRT1_2),
                         l->min),
                    l->max);
    case ANPE_ABOVE:
        return l->min + exp(line);
    case ANPE_BELOW:
        return l->max - exp(-line);
    default:
        return line;
    }
}

double anpe_label_map_inverse(const anpe_label_map *m, const float *y, double *theta)
{
    double log_jacobian = 0;
    for (int64_t i = 0; i < m->n; i++) {
        const anpe_label *l = &m->label[i];
        const double line = (double)y[i] * m->sd[i] + m->mean[i];
        theta[i] = anpe_label_map_from_line(m, i, line);
        log_jacobian += log(m->sd[i]);
        if (m->kind[i] == ANPE_BOX)
            log_jacobian += log(l->max - l->min) - 0.5 * line * line - 0.5 * log(2 * M_PI);
        else if (m->kind[i] == ANPE_ABOVE)
            log_jacobian += line;
        else if (m->kind[i] == ANPE_BELOW)
            log_jacobian -= line;
    }
    return log_jacobian;
}

void anpe_label_map_slope(const anpe_label_map *m, const float *y, double *slope)
{
    for (int64_t i = 0; i < m->n; i++) {
        const anpe_label *l = &m->label[i];
        const double line = (double)y[i] * m->sd[i] + m->mean[i];
        switch (m->kind[i]) {
        case ANPE_BOX:
            slope[i] = (l->max - l->min) * exp(-0.5 * line * line) / sqrt(2 * M_PI);
            break;
        case ANPE_ABOVE:
            slope[i] = exp(line);
            break;
        case ANPE_BELOW:
            slope[i] = exp(-line);
            break;
        default:
            slope[i] = 1;
        }
        slope[i] *= m->sd[i];
    }
}
