/* Residuals of a spectrum on several scales; definitions in validate/misfit.h. */
#include <config.h>
#include "validate/misfit.h"
#include "model/labels.h"
#include "stat/normal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_SCALES = 5, MAX_LAG = 2, EACH = 2 }; /* EACH: statistics of a segment */
static const int64_t scale[N_SCALES] = {1, 4, 16, 64, 256};
_Static_assert((int)ANPE_MISFIT_WHOLE == 2 * (int)N_SCALES + 1, "statistics of a whole spectrum");

anpe_status anpe_residuals_new(anpe_ctx *ctx, int64_t n_pixels, int64_t n_segments,
                               const int64_t *segment, anpe_residuals **out)
{
    const int64_t n = n_pixels + 1;
    anpe_residuals *s = NULL;
    if (ANPE_NEW(ctx, s, 1) || ANPE_NEW(ctx, s->r, n) || ANPE_NEW(ctx, s->sum, n) ||
        ANPE_NEW(ctx, s->good, n)) {
        *out = anpe_residuals_free(s);
        return ANPE_ENOMEM;
    }
    s->n_pixels = n_pixels;
    s->n_segments = n_segments;
    s->segment = segment;
    *out = s;
    return ANPE_OK;
}

anpe_residuals *anpe_residuals_free(anpe_residuals *s)
{
    if (!s)
        return NULL;
    free(s->r);
    free(s->sum);
    free(s->good);
    free(s);
    return NULL;
}

/* A single segment is the whole, and needs no statistics of its own. */
static int64_t segments_alone(int64_t n_segments)
{
    const int64_t room = (ANPE_MISFIT_MAX_STATISTICS - ANPE_MISFIT_WHOLE) / EACH;
    return n_segments < 2 ? 0 : n_segments < room ? n_segments : room;
}

int64_t anpe_residuals_statistics(int64_t n_segments)
{
    return ANPE_MISFIT_WHOLE + EACH * segments_alone(n_segments);
}

/* Wilson & Hilferty (1931): the cube root of chi2 / n is nearly normal. */
static double chi2_deviate(double chi2, double n)
{
    const double v = 2 / (9 * n);
    return n > 0 ? (cbrt(chi2 / n) - (1 - v)) / sqrt(v) : 0;
}

/* The deviate that is as improbable as that one of n independent normal ones is as large as m. */
static double peak_deviate(double m, double n)
{
    const double one = erfc(m * M_SQRT1_2), p = -expm1(n * log1p(-one));
    if (!(n > 0) || one >= 1 || p > 0.999999)
        return -4.75;
    return p > 1e-300 ? -anpe_normal_quantile(p) : m;
}

/* Pixels first .. last - 1 of one segment in blocks of w: chi2 of their sums, and how many. */
static void add_blocks(const anpe_residuals *s, int64_t first, int64_t last, int64_t w,
                       double *chi2, double *n)
{
    for (int64_t i = first; i < last; i += w) {
        const int64_t end = i + w < last ? i + w : last;
        const double good = s->good[end] - s->good[i], sum = s->sum[end] - s->sum[i];
        if (good < 1)
            continue;
        *chi2 += sum * sum / good;
        *n += 1;
    }
}

/* The largest sum of any window that is at least half good, in its standard deviation. */
static double highest_peak(const anpe_residuals *s, int64_t first, int64_t last, int64_t w)
{
    double most = 0;
    for (int64_t i = first; i + w <= last; i++) {
        const double good = s->good[i + w] - s->good[i], sum = s->sum[i + w] - s->sum[i];
        if (2 * good >= (double)w)
            most = fmax(most, sum * sum / good);
    }
    return sqrt(most);
}

/* Products of near neighbours have mean 0 and variance 1. */
static void add_products(const anpe_residuals *s, int64_t first, int64_t last, double *sum,
                         double *n)
{
    for (int64_t lag = 1; lag <= MAX_LAG; lag++)
        for (int64_t i = first; i + lag < last; i++) {
            const double both =
                (s->good[i + 1] - s->good[i]) * (s->good[i + lag + 1] - s->good[i + lag]);
            *sum += both * s->r[i] * s->r[i + lag];
            *n += both;
        }
}

static double correlation(double sum, double n)
{
    return n > 0 ? sum / sqrt(n) : 0;
}

static void fill(anpe_residuals *s, const anpe_spectrum *o, const float *model)
{
    s->sum[0] = s->good[0] = 0;
    for (int64_t p = 0; p < s->n_pixels; p++) {
        const double r = ((double)o->flux[p] - (double)model[p]) / (double)o->sigma[p];
        s->r[p] = o->mask[p] ? 0 : r;
        s->sum[p + 1] = s->sum[p] + s->r[p];
        s->good[p + 1] = s->good[p] + (o->mask[p] ? 0 : 1);
    }
}

static int64_t bound(const anpe_residuals *s, int64_t k)
{
    return s->n_segments > 1 ? s->segment[k] : k ? s->n_pixels : 0;
}

void anpe_residuals_measure(anpe_residuals *s, const anpe_spectrum *o, const float *model,
                            double *value)
{
    const int64_t n = s->n_segments > 1 ? s->n_segments : 1, alone = segments_alone(s->n_segments);
    double product = 0, n_products = 0;
    fill(s, o, model);
    for (int k = 0; k < N_SCALES; k++) {
        double chi2 = 0, blocks = 0, peak = 0;
        for (int64_t i = 0; i < n; i++) {
            add_blocks(s, bound(s, i), bound(s, i + 1), scale[k], &chi2, &blocks);
            peak = fmax(peak, highest_peak(s, bound(s, i), bound(s, i + 1), scale[k]));
        }
        value[k] = chi2_deviate(chi2, blocks);
        value[N_SCALES + k] = peak_deviate(peak, 2 * blocks); /* windows overlap */
    }
    for (int64_t i = 0; i < n; i++) {
        double chi2 = 0, blocks = 0, sum = 0, products = 0;
        add_products(s, bound(s, i), bound(s, i + 1), &sum, &products);
        product += sum;
        n_products += products;
        if (i >= alone)
            continue;
        add_blocks(s, bound(s, i), bound(s, i + 1), 1, &chi2, &blocks);
        value[ANPE_MISFIT_WHOLE + EACH * i] = chi2_deviate(chi2, blocks);
        value[ANPE_MISFIT_WHOLE + EACH * i + 1] = correlation(sum, products);
    }
    value[2 * N_SCALES] = correlation(product, n_products);
}

const char *anpe_residuals_name(int64_t k, char text[40])
{
    const int64_t i = k - ANPE_MISFIT_WHOLE;
    if (k < 0)
        text[0] = 0;
    else if (k < 2 * N_SCALES)
        snprintf(text, 40, "%s %d", k < N_SCALES ? "sum" : "peak", (int)scale[k % N_SCALES]);
    else if (i < 0)
        snprintf(text, 40, "correlated");
    else
        snprintf(text, 40, "segment %d %s", (int)(i / EACH) + 1, i % EACH ? "correlated" : "sum 1");
    return text;
}
