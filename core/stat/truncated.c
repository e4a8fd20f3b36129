/* Normals in a box, one coordinate at a time. Far out in a tail, where the normal's own functions
 * lose their digits, the interval has an exponential distribution, in the draw as in the density.
 */
#include <config.h>
#include "stat/truncated.h"
#include "base/linear.h"
#include "stat/importance.h"
#include "stat/mixture.h"
#include "stat/normal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double far_out = 30; /* sd; at 38 the mass is no double any more */
static const double furthest = 8; /* sd of a mean from the box, as coordinates: see below */

anpe_status anpe_truncated_new(anpe_ctx *ctx, int64_t width, int most, anpe_truncated **out)
{
    const int64_t d = width, k = most;
    anpe_truncated *m;
    *out = NULL;
    if (ANPE_NEW(ctx, m, 1))
        return ANPE_ENOMEM;
    m->width = width;
    m->most = most;
    if (ANPE_NEW(ctx, m->low, d) || ANPE_NEW(ctx, m->high, d) || ANPE_NEW(ctx, m->share, k) ||
        ANPE_NEW(ctx, m->mean, k, d) || ANPE_NEW(ctx, m->cholesky, k, d, d) ||
        ANPE_NEW(ctx, m->log_side, k, d) || ANPE_NEW(ctx, m->order, k, d) ||
        ANPE_NEW(ctx, m->work, d)) {
        anpe_truncated_free(m);
        return ANPE_ENOMEM;
    }
    *out = m;
    return ANPE_OK;
}

anpe_truncated *anpe_truncated_free(anpe_truncated *m)
{
    if (!m)
        return NULL;
    free(m->low);
    free(m->high);
    free(m->share);
    free(m->mean);
    free(m->cholesky);
    free(m->log_side);
    free(m->order);
    free(m->work);
    free(m);
    return NULL;
}

void anpe_truncated_clear(anpe_truncated *m, const double *low, const double *high)
{
    m->n = 0;
    memcpy(m->low, low, (size_t)m->width * sizeof *low);
    memcpy(m->high, high, (size_t)m->width * sizeof *high);
}

/* ---- one coordinate ---------------------------------------------------------------------- */

static double upper(double z) /* 1 - Phi(z) */
{
    return 0.5 * erfc(z * M_SQRT1_2);
}

/* log (Phi(b) - Phi(a)), a <= b. By symmetry a side that is near lies in the lower tail. */
static double log_mass(double a, double b)
{
    if (a < 0 && b > 0)
        return log1p(-upper(-a) - upper(b));
    const double near = anpe_normal_log_cdf(a >= 0 ? -a : b);
    return near + log(-expm1(anpe_normal_log_cdf(a >= 0 ? -b : a) - near));
}

/* Log density of z in [a, b] of a standard normal that is cut off there. */
static double cut_log_density(double a, double b, double z)
{
    const double near = a >= 0 ? a : b <= 0 ? -b : 0;
    if (near <= far_out)
        return -0.5 * z * z - ANPE_LOG_ROOT_2PI - log_mass(a, b);
    const double away = a >= 0 ? b : -a;
    return log(near) - near * (fabs(z) - near) - log(-expm1(-near * (away - near)));
}

/* u in (0, 1) -> a draw of it. */
static double cut_draw(double a, double b, double u)
{
    const int mirrored = b <= 0;
    const double low = mirrored ? -b : a, high = mirrored ? -a : b;
    double z = high;
    if (low > far_out)
        z = low - log1p(u * expm1(-low * (high - low))) / low;
    else {
        const double from = upper(low), p = from - u * (from - upper(high));
        if (p > 0 && p < 1)
            z = -anpe_normal_quantile(p);
    }
    z = fmin(fmax(z, low), high);
    return mirrored ? -z : z;
}

/* Interval of z_i given those before it; returns x_i at z_i = 0. */
static double interval(const anpe_truncated *m, int k, int64_t i, const double *z, double *a,
                       double *b)
{
    const int64_t d = m->width, from = m->order[k * d + i];
    const double *row = m->cholesky + (k * d + i) * d;
    double middle = m->mean[k * d + i];
    for (int64_t j = 0; j < i; j++)
        middle += row[j] * z[j];
    *a = (m->low[from] - middle) / row[i];
    *b = (m->high[from] - middle) / row[i];
    return middle;
}

/* ---- all of them ------------------------------------------------------------------------- */

/* Those that the box cuts most come first, those that it hardly cuts in their own order. */
static void set_order(anpe_truncated *m, int k, const double *mean, const double *covariance)
{
    const int64_t d = m->width;
    int64_t *order = m->order + k * d;
    for (int64_t i = 0; i < d; i++) {
        const double sd = sqrt(covariance[i * d + i]);
        const double log_m = log_mass((m->low[i] - mean[i]) / sd, (m->high[i] - mean[i]) / sd);
        const double mass = log_m > -0.01 ? 0 : log_m;
        int64_t at = i;
        for (; at > 0 && m->work[at - 1] > mass; at--) {
            m->work[at] = m->work[at - 1];
            order[at] = order[at - 1];
        }
        m->work[at] = mass;
        order[at] = i;
    }
}

void anpe_truncated_add(anpe_truncated *m, const double *mean, const double *covariance,
                        double scale, double share)
{
    const int64_t d = m->width;
    const int k = m->n++;
    double *c = m->cholesky + k * d * d;
    set_order(m, k, mean, covariance);
    const int64_t *order = m->order + k * d;
    for (int64_t i = 0; i < d; i++) {
        m->mean[k * d + i] = mean[order[i]];
        for (int64_t j = 0; j <= i; j++)
            c[i * d + j] = scale * scale * covariance[order[i] * d + order[j]];
    }
    (void)anpe_cholesky(d, c, d, 1e-12);
    for (int64_t i = 0; i < d; i++)
        m->log_side[k * d + i] = log(c[i * d + i]);
    m->share[k] = share;
}

void anpe_truncated_normalise(anpe_truncated *m)
{
    double sum = 0;
    for (int k = 0; k < m->n; k++)
        sum += m->share[k];
    for (int k = 0; k < m->n; k++)
        m->share[k] /= sum;
}

static double component_log_density(const anpe_truncated *m, int k, const double *x)
{
    const int64_t d = m->width;
    double sum = 0, a, b;
    for (int64_t i = 0; i < d; i++) {
        const double side = m->cholesky[(k * d + i) * d + i];
        const double middle = interval(m, k, i, m->work, &a, &b);
        m->work[i] = (x[m->order[k * d + i]] - middle) / side;
        sum += cut_log_density(a, b, m->work[i]) - m->log_side[k * d + i];
    }
    return sum;
}

double anpe_truncated_log_density(const anpe_truncated *m, const double *x)
{
    double sum = -INFINITY;
    for (int k = 0; k < m->n; k++)
        sum = anpe_log_add(sum, log(m->share[k]) + component_log_density(m, k, x));
    return sum;
}

/* Into x; returns the log of the mass that was cut off on the way. */
static double component_draw(const anpe_truncated *m, int k, anpe_rng *rng, double *x)
{
    const int64_t d = m->width;
    double sum = 0, a, b;
    for (int64_t i = 0; i < d; i++) {
        const int64_t to = m->order[k * d + i];
        const double middle = interval(m, k, i, m->work, &a, &b);
        m->work[i] = cut_draw(a, b, anpe_uniform(rng));
        x[to] = middle + m->cholesky[(k * d + i) * d + i] * m->work[i];
        x[to] = fmin(fmax(x[to], m->low[to]), m->high[to]);
        sum += log_mass(a, b);
    }
    return sum;
}

void anpe_truncated_draw(const anpe_truncated *m, anpe_rng *rng, double *x)
{
    (void)component_draw(m, anpe_mixture_pick(m->n, m->share, anpe_uniform(rng)), rng, x);
}

double anpe_truncated_log_mass(const anpe_truncated *m, int k, anpe_rng *rng, int n, double *x)
{
    double sum = -INFINITY;
    for (int i = 0; i < n; i++)
        sum = anpe_log_add(sum, component_draw(m, k, rng, x));
    return sum - log((double)n);
}

/* ---- as coordinates ---------------------------------------------------------------------- */

/* z in [a, b] <-> the y that has the same share of all of the normal below it as z has of the part
 * in [a, b]; by the nearer tail, in logs, so that no distance is too far. */

static double uncut(double a, double b, double log_all, double z)
{
    const double below = log_mass(a, z) - log_all, above = log_mass(z, b) - log_all;
    return below < above ? anpe_normal_log_quantile(below) : -anpe_normal_log_quantile(above);
}

static double cut_far(double a, double b, double log_all, double y)
{
    const double below = anpe_log_add(anpe_normal_log_cdf(a), anpe_normal_log_cdf(y) + log_all);
    const double above = anpe_log_add(anpe_normal_log_cdf(-b), anpe_normal_log_cdf(-y) + log_all);
    return below < above ? anpe_normal_log_quantile(below) : -anpe_normal_log_quantile(above);
}

/* The share of the normal beyond a side at a distance z, or 0 where that is less than rounding for
 * who is at y: e^-40. */
static double beyond(double z, double y)
{
    return z > 9 && z * z > y * y + 80 ? 0 : upper(z);
}

/* The same where most of the normal is in [a, b], in shares themselves, whose sums lose no digits.
 * *log_all: as of log_mass. */
static double cut_near(double a, double b, double y, double *log_all)
{
    const double below = beyond(-a, y), above = beyond(b, y), mass = 1 - below - above;
    *log_all = 0;
    if (below == 0 && above == 0)
        return y;
    const double tail = upper(fabs(y)), under = y < 0 ? tail : 1 - tail,
                 over = y < 0 ? 1 - tail : tail;
    const double low = below + under * mass, high = above + over * mass;
    *log_all = log1p(-below - above);
    return low < high ? anpe_normal_quantile(low) : -anpe_normal_quantile(high);
}

static double cut(double a, double b, double y, double *log_all)
{
    static const double near = 0.5, most = 25; /* sd of the sides, of y */
    if (a < -near && b > near && fabs(y) < most)
        return cut_near(a, b, y, log_all);
    *log_all = log_mass(a, b);
    return cut_far(a, b, *log_all, y);
}

/* How far a mean that is far outside is moved towards the box, in sd. */
static double approach(double a, double b)
{
    return a > furthest ? a - furthest : b < -furthest ? b + furthest : 0;
}

void anpe_truncated_forward(const anpe_truncated *m, int k, const double *x, double *y)
{
    const int64_t d = m->width;
    double a, b;
    for (int64_t i = 0; i < d; i++) {
        const int64_t at = m->order[k * d + i];
        const double middle = interval(m, k, i, m->work, &a, &b), move = approach(a, b);
        m->work[i] = (x[at] - middle) / m->cholesky[(k * d + i) * d + i];
        a -= move;
        b -= move;
        y[at] = uncut(a, b, log_mass(a, b), fmin(fmax(m->work[i] - move, a), b));
    }
}

double anpe_truncated_inverse(const anpe_truncated *m, int k, const double *y, double *x)
{
    const int64_t d = m->width;
    double sum = 0, a, b;
    for (int64_t i = 0; i < d; i++) {
        const int64_t at = m->order[k * d + i];
        const double middle = interval(m, k, i, m->work, &a, &b), move = approach(a, b);
        double log_all;
        const double side = m->cholesky[(k * d + i) * d + i];
        const double z = cut(a - move, b - move, y[at], &log_all);
        m->work[i] = fmin(fmax(z + move, a), b);
        x[at] = fmin(fmax(middle + side * m->work[i], m->low[at]), m->high[at]);
        sum += m->log_side[k * d + i] + log_all + 0.5 * (z * z - y[at] * y[at]);
    }
    return sum;
}
