/* Mixtures of Student t. A point y of component k with Mahalanobis distance m has weight
 * u = (nu + D) / (nu + m^2) in the mean and in the scale matrix. */
#include <config.h>
#include "stat/mixture.h"
#include "base/linear.h"
#include "stat/importance.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 20 };

anpe_status anpe_mixture_new(anpe_ctx *ctx, int64_t width, int most, anpe_mixture **out)
{
    const int64_t d = width, k = most;
    anpe_mixture *m;
    *out = NULL;
    if (ANPE_NEW(ctx, m, 1))
        return ANPE_ENOMEM;
    m->width = width;
    m->most = most;
    if (ANPE_NEW(ctx, m->share, k) || ANPE_NEW(ctx, m->mean, k, d) ||
        ANPE_NEW(ctx, m->cholesky, k, d, d) || ANPE_NEW(ctx, m->log_norm, k) ||
        ANPE_NEW(ctx, m->work, d)) {
        anpe_mixture_free(m);
        return ANPE_ENOMEM;
    }
    *out = m;
    return ANPE_OK;
}

anpe_mixture *anpe_mixture_free(anpe_mixture *m)
{
    if (!m)
        return NULL;
    free(m->share);
    free(m->mean);
    free(m->cholesky);
    free(m->log_norm);
    free(m->work);
    free(m);
    return NULL;
}

void anpe_mixture_copy(anpe_mixture *to, const anpe_mixture *from)
{
    const size_t d = (size_t)from->width, k = (size_t)from->n;
    to->n = from->n;
    memcpy(to->share, from->share, k * sizeof *to->share);
    memcpy(to->mean, from->mean, k * d * sizeof *to->mean);
    memcpy(to->cholesky, from->cholesky, k * d * d * sizeof *to->cholesky);
    memcpy(to->log_norm, from->log_norm, k * sizeof *to->log_norm);
}

/* |L^-1 (y - mean)|^2 of component k. */
static double distance2(const anpe_mixture *m, int k, const double *y)
{
    const int64_t d = m->width;
    const double *mean = m->mean + k * d;
    double sum = 0;
    for (int64_t i = 0; i < d; i++)
        m->work[i] = y[i] - mean[i];
    anpe_cholesky_forward(d, m->cholesky + k * d * d, d, m->work);
    for (int64_t i = 0; i < d; i++)
        sum += m->work[i] * m->work[i];
    return sum;
}

static double component_log_density(const anpe_mixture *m, int k, const double *y)
{
    const double nu = ANPE_MIXTURE_FREEDOM, d = (double)m->width;
    return m->log_norm[k] - 0.5 * (nu + d) * log1p(distance2(m, k, y) / nu);
}

double anpe_mixture_log_density(const anpe_mixture *m, const double *y)
{
    double sum = -INFINITY;
    for (int k = 0; k < m->n; k++)
        sum = anpe_log_add(sum, component_log_density(m, k, y));
    return sum;
}

int anpe_mixture_pick(int n, const double *share, double u)
{
    int k = 0;
    for (int i = 0; i < n; i++)
        if (share[i] > 0) { /* rounding may leave the sum below u */
            k = i;
            if (u < share[i])
                break;
            u -= share[i];
        }
    return k;
}

void anpe_mixture_draw(const anpe_mixture *m, anpe_rng *rng, double *y)
{
    const int64_t d = m->width;
    double chi2 = 0;
    const int k = anpe_mixture_pick(m->n, m->share, anpe_uniform(rng));
    for (int64_t i = 0; i < d; i++)
        m->work[i] = anpe_normal(rng);
    for (int i = 0; i < ANPE_MIXTURE_FREEDOM; i++) {
        const double z = anpe_normal(rng);
        chi2 += z * z;
    }
    const double scale = sqrt(ANPE_MIXTURE_FREEDOM / chi2);
    for (int64_t i = 0; i < d; i++) {
        const double *row = m->cholesky + (k * d + i) * d;
        y[i] = m->mean[k * d + i];
        for (int64_t j = 0; j <= i; j++)
            y[i] += scale * row[j] * m->work[j];
    }
}

/* ---- fit --------------------------------------------------------------------------------- */

static void set_norm(anpe_mixture *m, int k)
{
    const int64_t d = m->width;
    const double nu = ANPE_MIXTURE_FREEDOM, wide = (double)d;
    int sign;
    double norm = log(m->share[k]) + lgamma_r(0.5 * (nu + wide), &sign) -
                  lgamma_r(0.5 * nu, &sign) - 0.5 * wide * log(nu * M_PI);
    for (int64_t i = 0; i < d; i++)
        norm -= log(m->cholesky[(k * d + i) * d + i]);
    m->log_norm[k] = norm;
}

/* Scale matrix of component k from resp -> its Cholesky factor, its mean being there. The diagonal
 * gets a little more where points coincide or lie in a plane. */
static int set_scale(anpe_mixture *m, int k, int64_t n, const double *y, const double *resp,
                     double total, double inflate)
{
    const int64_t d = m->width;
    double *a = m->cholesky + k * d * d, *mean = m->mean + k * d;
    memset(a, 0, (size_t)(d * d) * sizeof *a);
    for (int64_t i = 0; i < n; i++) {
        const double w = resp[i * m->most + k] / total;
        for (int64_t r = 0; r < d && w > 0; r++)
            for (int64_t c = 0; c <= r; c++)
                a[r * d + c] += w * (y[i * d + r] - mean[r]) * (y[i * d + c] - mean[c]);
    }
    for (int64_t r = 0; r < d; r++)
        for (int64_t c = 0; c <= r; c++)
            a[r * d + c] *= inflate * inflate;
    for (int64_t r = 0; r < d; r++)
        a[r * d + r] = a[r * d + r] * (1 + 1e-9) + 1e-14;
    return anpe_cholesky(d, a, d, 0) == 0;
}

/* One component: the weighted mean and covariance of all points. */
static int fit_whole(anpe_mixture *m, int64_t n, const double *y, const double *weight,
                     double inflate, double *resp)
{
    const int64_t d = m->width;
    double total = 0;
    memset(m->mean, 0, (size_t)d * sizeof *m->mean);
    for (int64_t i = 0; i < n; i++) {
        resp[i * m->most] = weight[i];
        total += weight[i];
        for (int64_t r = 0; r < d; r++)
            m->mean[r] += weight[i] * y[i * d + r];
    }
    for (int64_t r = 0; r < d; r++)
        m->mean[r] /= total;
    m->n = 1;
    m->share[0] = 1;
    const int ok = set_scale(m, 0, n, y, resp, total, inflate);
    set_norm(m, 0);
    return ok;
}

/* Means of the others: points that are far from the means so far, as k-means++ picks them; scale
 * matrices as of the whole, smaller by what n components share. `near` is scratch (n). */
static void start(anpe_mixture *m, int64_t n, const double *y, const double *weight, int wanted,
                  anpe_rng *rng, double *near)
{
    const int64_t d = m->width;
    const double shrink = pow((double)wanted, -1 / (double)d) * 0.7;
    for (int k = 1; k < wanted; k++) {
        double total = 0;
        for (int64_t i = 0; i < n; i++) {
            const double new = distance2(m, k - 1, y + i * d);
            near[i] = k == 1 ? new : fmin(near[i], new);
            total += weight[i] * near[i];
        }
        double u = anpe_uniform(rng) * total;
        int64_t pick = 0;
        for (int64_t i = 0; i < n && u > 0; i++)
            if (weight[i] * near[i] > 0) {
                pick = i;
                u -= weight[i] * near[i];
            }
        memcpy(m->mean + k * d, y + pick * d, (size_t)d * sizeof *m->mean);
        memcpy(m->cholesky + k * d * d, m->cholesky, (size_t)(d * d) * sizeof *m->cholesky);
    }
    m->n = wanted;
    for (int k = 0; k < wanted; k++) {
        for (int64_t i = 0; i < d * d; i++)
            m->cholesky[k * d * d + i] *= shrink;
        m->share[k] = 1 / (double)wanted;
        set_norm(m, k);
    }
}

/* resp[i, k] = weight_i p(k | y_i). */
static void expect(anpe_mixture *m, int64_t n, const double *y, const double *weight, double *resp)
{
    for (int64_t i = 0; i < n; i++) {
        double *r = resp + i * m->most, sum = -INFINITY;
        for (int k = 0; k < m->n; k++) {
            r[k] = weight[i] > 0 ? component_log_density(m, k, y + i * m->width) : 0;
            sum = anpe_log_add(sum, r[k]);
        }
        for (int k = 0; k < m->n; k++)
            r[k] = weight[i] * exp(r[k] - sum);
    }
}

static void drop(anpe_mixture *m, int k)
{
    const int64_t d = m->width, last = --m->n;
    memmove(m->mean + k * d, m->mean + last * d, (size_t)d * sizeof *m->mean);
    memmove(m->cholesky + k * d * d, m->cholesky + last * d * d,
            (size_t)(d * d) * sizeof *m->cholesky);
    m->share[k] = m->share[last];
    double sum = 0;
    for (int j = 0; j < m->n; j++)
        sum += m->share[j];
    for (int j = 0; j < m->n; j++) {
        m->share[j] /= sum;
        set_norm(m, j);
    }
}

/* Mean and scale of component k; 0: too few points, it must go. resp is left times u. */
static int maximise(anpe_mixture *m, int k, int64_t n, const double *y, double all, double *resp)
{
    const int64_t d = m->width;
    const double nu = ANPE_MIXTURE_FREEDOM;
    double total = 0, square = 0, with_u = 0;
    for (int64_t i = 0; i < n; i++) {
        double *r = &resp[i * m->most + k];
        total += *r;
        square += *r * *r;
        if (*r > 0)
            *r *= (nu + (double)d) / (nu + distance2(m, k, y + i * d));
        with_u += *r;
    }
    if (!(square > 0) || total * total / square < (double)d + 2)
        return 0;
    double *mean = m->mean + k * d;
    memset(mean, 0, (size_t)d * sizeof *mean);
    for (int64_t i = 0; i < n; i++)
        for (int64_t r = 0; r < d; r++)
            mean[r] += resp[i * m->most + k] / with_u * y[i * d + r];
    m->share[k] = total / all;
    return set_scale(m, k, n, y, resp, total, 1);
}

void anpe_mixture_fit(anpe_mixture *m, int64_t n, const double *y, const double *weight,
                      int n_components, double inflate, anpe_rng *rng, double *resp)
{
    const int64_t d = m->width;
    const int wanted = n_components < m->most ? n_components : m->most;
    double all = 0;
    for (int64_t i = 0; i < n; i++)
        all += weight[i];
    (void)fit_whole(m, n, y, weight, wanted > 1 ? 1 : inflate, resp);
    if (wanted < 2)
        return;
    start(m, n, y, weight, wanted, rng, resp); /* resp (n) is free until the first expectation */
    for (int step = 0; step < STEPS && m->n > 1; step++) {
        expect(m, n, y, weight, resp);
        for (int k = m->n - 1; k >= 0; k--)
            if (!maximise(m, k, n, y, all, resp))
                m->share[k] = 0;
        for (int k = m->n - 1; k >= 0 && m->n > 1; k--)
            if (m->share[k] == 0)
                drop(m, k);
        for (int k = 0; k < m->n; k++)
            set_norm(m, k);
    }
    if (m->n == 1) {
        (void)fit_whole(m, n, y, weight, inflate, resp);
        return;
    }
    for (int k = 0; k < m->n; k++) {
        for (int64_t i = 0; i < d * d; i++)
            m->cholesky[k * d * d + i] *= inflate;
        set_norm(m, k);
    }
}

void anpe_mixture_widen(anpe_mixture *m, double factor, double share)
{
    const int64_t d = m->width;
    const int k = m->n++;
    memcpy(m->mean + k * d, m->mean, (size_t)d * sizeof *m->mean);
    for (int64_t i = 0; i < d * d; i++)
        m->cholesky[k * d * d + i] = factor * m->cholesky[i];
    for (int j = 0; j < k; j++) {
        m->share[j] *= 1 - share;
        set_norm(m, j);
    }
    m->share[k] = share;
    set_norm(m, k);
}
