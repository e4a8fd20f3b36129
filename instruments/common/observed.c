/* Orders of a spectrum, from the file's pixels to the instrument's. */
#include "observed.h"
#include "survey_fits.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ORDER = 50 }; /* pixels */

anpe_status observed_add(anpe_ctx *ctx, observed *o, int64_t n, observed_order **out)
{
    if (n < 1 || n > INT32_MAX)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "an order of %lld pixels", (long long)n);
    if (ANPE_GROW(ctx, o->order, o->capacity, o->n + 1))
        return ANPE_ENOMEM;
    observed_order *a = &o->order[o->n++];
    *a = (observed_order){.n = n};
    if (ANPE_NEW(ctx, a->wavelength, n) || ANPE_NEW(ctx, a->flux, n) ||
        ANPE_NEW(ctx, a->sigma, n) || ANPE_NEW(ctx, a->mask, n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        a->wavelength[i] = a->flux[i] = a->sigma[i] = NAN;
    *out = a;
    return ANPE_OK;
}

/* Behind the run of pixels from `first` on whose wavelengths go one way: orders of an echelle that
 * overlap stand one after the other. */
static int64_t run_end(int64_t n, const double *w, int64_t first)
{
    double last = w[first], way = 0;
    int64_t i = first + 1;
    for (; i < n; i++) {
        const double step = w[i] - last;
        if (!isfinite(step))
            continue;
        if (way * step < 0)
            break;
        way = way != 0 ? way : step;
        last = w[i];
    }
    return i;
}

/* Whether all runs are long enough for orders; what goes back and forth is none. */
static int has_orders(int64_t n, const double *w)
{
    for (int64_t first = 0, end; first < n; first = end)
        if ((end = run_end(n, w, first)) - first < LEAST_ORDER)
            return 0;
    return 1;
}

anpe_status observed_split(anpe_ctx *ctx, observed *o)
{
    const int64_t at = o->n - 1, n = o->order[at].n;
    const int64_t end = run_end(n, o->order[at].wavelength, 0);
    if (end == n || !has_orders(n, o->order[at].wavelength))
        return ANPE_OK;
    for (int64_t first = end, next; first < n; first = next) {
        observed_order *a;
        next = run_end(n, o->order[at].wavelength, first);
        const anpe_status status = observed_add(ctx, o, next - first, &a);
        if (status)
            return status;
        const observed_order *from = &o->order[at];
        const size_t count = (size_t)(next - first);
        memcpy(a->wavelength, from->wavelength + first, count * sizeof *a->wavelength);
        memcpy(a->flux, from->flux + first, count * sizeof *a->flux);
        memcpy(a->sigma, from->sigma + first, count * sizeof *a->sigma);
        memcpy(a->mask, from->mask + first, count);
    }
    o->order[at].n = end;
    return ANPE_OK;
}

void observed_drop(observed *o)
{
    observed_order *a = &o->order[--o->n];
    free(a->wavelength);
    free(a->flux);
    free(a->sigma);
    free(a->mask);
}

void observed_clear(observed *o)
{
    while (o->n > 0)
        observed_drop(o);
    free(o->order);
    *o = (observed){0};
}

/* ---- settling --------------------------------------------------------------------------- */

/* Keeps pixels [first, first + n). */
static void keep(observed_order *a, int64_t first, int64_t n)
{
    memmove(a->wavelength, a->wavelength + first, (size_t)n * sizeof(double));
    memmove(a->flux, a->flux + first, (size_t)n * sizeof(double));
    memmove(a->sigma, a->sigma + first, (size_t)n * sizeof(double));
    memmove(a->mask, a->mask + first, (size_t)n);
    a->n = n;
}

static void swap(double *v, int64_t i, int64_t j)
{
    const double t = v[i];
    v[i] = v[j];
    v[j] = t;
}

static void turn_round(observed_order *a)
{
    for (int64_t i = 0, j = a->n - 1; i < j; i++, j--) {
        const uint8_t t = a->mask[i];
        a->mask[i] = a->mask[j];
        a->mask[j] = t;
        swap(a->wavelength, i, j);
        swap(a->flux, i, j);
        swap(a->sigma, i, j);
    }
}

/* Drops the ends that have no wavelength; a gap inside is bridged by bad pixels. */
static anpe_status bridge(anpe_ctx *ctx, observed_order *a, const char *path, int64_t order)
{
    int64_t first = 0, end = a->n;
    while (first < end && !isfinite(a->wavelength[first]))
        first++;
    while (end > first && !isfinite(a->wavelength[end - 1]))
        end--;
    if (end - first < 2)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: order %lld has %lld pixels with a wavelength",
                         path, (long long)order, (long long)(end - first));
    keep(a, first, end - first);
    int64_t last = 0;
    for (int64_t i = 1; i < a->n; i++) {
        if (!isfinite(a->wavelength[i])) {
            a->mask[i] = 1;
            continue;
        }
        for (int64_t k = last + 1; k < i; k++)
            a->wavelength[k] = a->wavelength[last] + (a->wavelength[i] - a->wavelength[last]) *
                                                         (double)(k - last) / (double)(i - last);
        last = i;
    }
    return ANPE_OK;
}

static anpe_status settle_order(anpe_ctx *ctx, observed_order *a, const char *path, int64_t order)
{
    anpe_status status = bridge(ctx, a, path, order);
    if (status)
        return status;
    if (a->wavelength[0] > a->wavelength[a->n - 1])
        turn_round(a);
    for (int64_t i = 0; i < a->n; i++)
        if (!(a->wavelength[i] > (i ? a->wavelength[i - 1] : 0)))
            return ANPE_FAIL(
                ctx, ANPE_EFORMAT,
                "%s: order %lld: wavelength %.10g at pixel %lld does not go on from the "
                "one before it",
                path, (long long)order, a->wavelength[i], (long long)i);
    return ANPE_OK;
}

anpe_status observed_settle(anpe_ctx *ctx, observed *o, const char *path)
{
    anpe_status status = ANPE_OK;
    if (!o->n)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: no spectrum", path);
    for (int64_t k = 0; k < o->n && !status; k++)
        status = settle_order(ctx, &o->order[k], path, k + 1);
    return status;
}

/* ---- wavelengths ------------------------------------------------------------------------ */

void observed_to_vacuum(observed *o)
{
    for (int64_t k = 0; k < o->n; k++)
        for (int64_t i = 0; i < o->order[k].n; i++)
            o->order[k].wavelength[i] = anpe_air_to_vacuum(o->order[k].wavelength[i]);
}

void observed_shift(observed *o, double v)
{
    const double factor = sqrt((1 + v / ANPE_C_KMS) / (1 - v / ANPE_C_KMS));
    for (int64_t k = 0; k < o->n; k++)
        for (int64_t i = 0; i < o->order[k].n; i++)
            o->order[k].wavelength[i] *= factor;
}

/* ---- running order statistics ----------------------------------------------------------- */

/* The value of rank q (0 to 1) of n finite ones among v; NAN if none. room (n). */
static double rank_of(int64_t n, const double *v, const uint8_t *mask, double q, double *room)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        if (!mask[i] && isfinite(v[i]))
            room[m++] = v[i];
    if (!m)
        return NAN;
    survey_median(m, room); /* sorts */
    return room[(int64_t)(q * (double)(m - 1) + 0.5)];
}

/* The scatter is taken at knots a tenth of the window apart and joined by lines. */
static void scatter_of(const double *d, int64_t window, double *room, observed_order *a)
{
    /* flux minus the mean of its neighbours has 3/2 of the variance of one */
    const double factor = 1.4826 / sqrt(1.5);
    const int64_t step = window >= 10 ? window / 10 : 1;
    for (int64_t at = 0, last = 0;; last = at, at = at + step < a->n ? at + step : a->n - 1) {
        const int64_t low = at > window / 2 ? at - window / 2 : 0;
        const int64_t high = low + window < a->n ? low + window : a->n;
        a->sigma[at] = factor * rank_of(high - low, d + low, a->mask + low, 0.5, room);
        for (int64_t i = last + 1; i < at; i++)
            a->sigma[i] = a->sigma[last] + (a->sigma[at] - a->sigma[last]) * (double)(i - last) /
                                               (double)(at - last);
        if (at == a->n - 1)
            return;
    }
}

anpe_status observed_estimate_sigma(anpe_ctx *ctx, observed *o, int64_t window)
{
    for (int64_t k = 0; k < o->n; k++) {
        observed_order *a = &o->order[k];
        double *room;
        if (ANPE_NEW(ctx, room, 2, a->n))
            return ANPE_ENOMEM;
        double *d = room + a->n;
        for (int64_t i = 0; i < a->n; i++)
            d[i] = i > 0 && i < a->n - 1
                       ? fabs(a->flux[i] - 0.5 * (a->flux[i - 1] + a->flux[i + 1]))
                       : NAN;
        scatter_of(d, window, room, a);
        free(room);
    }
    return ANPE_OK;
}

anpe_status observed_scale(anpe_ctx *ctx, observed *o)
{
    int64_t n = 0, m = 0;
    for (int64_t k = 0; k < o->n; k++)
        n += o->order[k].n;
    double *room;
    if (ANPE_NEW(ctx, room, n))
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < o->n; k++)
        for (int64_t i = 0; i < o->order[k].n; i++)
            if (!o->order[k].mask[i] && isfinite(o->order[k].flux[i]))
                room[m++] = fabs(o->order[k].flux[i]);
    const double middle = survey_median(m, room);
    free(room);
    if (!(middle > 0) || (middle >= 1e-6 && middle <= 1e9))
        return ANPE_OK;
    for (int64_t k = 0; k < o->n; k++)
        for (int64_t i = 0; i < o->order[k].n; i++) {
            o->order[k].flux[i] /= middle;
            o->order[k].sigma[i] /= middle;
        }
    return ANPE_OK;
}

/* The running percentile is taken at knots a quarter of the width apart and joined by lines. */
static anpe_status flatten_order(anpe_ctx *ctx, observed_order *a, double width)
{
    const double first = a->wavelength[0], last = a->wavelength[a->n - 1];
    const int64_t knots = 2 + (int64_t)((last - first) / (0.25 * width));
    const double step = (last - first) / (double)(knots - 1);
    double *room;
    if (ANPE_NEW(ctx, room, a->n + knots))
        return ANPE_ENOMEM;
    double *level = room + a->n;
    int64_t low = 0, high = 0;
    for (int64_t k = 0; k < knots; k++) {
        const double w = first + step * (double)k;
        while (low < a->n && a->wavelength[low] < w - 0.5 * width)
            low++;
        while (high < a->n && a->wavelength[high] <= w + 0.5 * width)
            high++;
        level[k] = rank_of(high - low, a->flux + low, a->mask + low, 0.9, room);
    }
    for (int64_t i = 0; i < a->n; i++) {
        const double t = (a->wavelength[i] - first) / step;
        const int64_t k = t < (double)(knots - 2) ? (int64_t)t : knots - 2;
        const double c = level[k] + (t - (double)k) * (level[k + 1] - level[k]);
        if (!(c > 0))
            a->mask[i] = 1; /* no light: no spectrum */
        else {
            a->flux[i] /= c;
            a->sigma[i] /= c;
        }
    }
    free(room);
    return ANPE_OK;
}

anpe_status observed_flatten(anpe_ctx *ctx, observed *o, double width)
{
    anpe_status status = ANPE_OK;
    for (int64_t k = 0; k < o->n && !status; k++)
        status = flatten_order(ctx, &o->order[k], width);
    return status;
}

/* ---- onto the grid ---------------------------------------------------------------------- */

typedef struct sums {
    double *flux, *weight; /* (n) of flux / sigma^2, 1 / sigma^2 */
    anpe_spectrum one;     /* an order on the grid */
    float *flux_in, *sigma_in;
    uint8_t *mask_in;
} sums;

static void sums_clear(sums *s)
{
    free(s->flux);
    free(s->weight);
    free(s->one.flux);
    free(s->one.sigma);
    free(s->one.mask);
    free(s->flux_in);
    free(s->sigma_in);
    free(s->mask_in);
}

static anpe_status sums_new(anpe_ctx *ctx, const observed *o, int64_t n, sums *s)
{
    int64_t longest = 1;
    for (int64_t k = 0; k < o->n; k++)
        if (o->order[k].n > longest)
            longest = o->order[k].n;
    *s = (sums){.one = {.n_pixels = n}};
    return ANPE_NEW(ctx, s->flux, n) || ANPE_NEW(ctx, s->weight, n) ||
                   ANPE_NEW(ctx, s->one.flux, n) || ANPE_NEW(ctx, s->one.sigma, n) ||
                   ANPE_NEW(ctx, s->one.mask, n) || ANPE_NEW(ctx, s->flux_in, longest) ||
                   ANPE_NEW(ctx, s->sigma_in, longest) || ANPE_NEW(ctx, s->mask_in, longest)
               ? ANPE_ENOMEM
               : ANPE_OK;
}

static anpe_status add_order(anpe_ctx *ctx, const observed_order *a, int64_t n,
                             const double *wavelength, sums *s)
{
    anpe_spectrum in = {
        .n_pixels = a->n, .flux = s->flux_in, .sigma = s->sigma_in, .mask = s->mask_in};
    for (int64_t i = 0; i < a->n; i++)
        survey_put_pixel(&in, i, a->flux[i], a->sigma[i], a->mask[i]);
    const anpe_status status = anpe_resample_spectrum(ctx, a->n, a->wavelength, in.flux, in.sigma,
                                                      in.mask, n, wavelength, &s->one);
    for (int64_t i = 0; i < n && !status; i++)
        if (!s->one.mask[i]) {
            const double w = 1 / ((double)s->one.sigma[i] * (double)s->one.sigma[i]);
            s->flux[i] += w * (double)s->one.flux[i];
            s->weight[i] += w;
        }
    return status;
}

anpe_status observed_put(anpe_ctx *ctx, const observed *o, int64_t n, const double *wavelength,
                         anpe_spectrum *out)
{
    sums s;
    anpe_status status = sums_new(ctx, o, n, &s);
    for (int64_t k = 0; k < o->n && !status; k++)
        status = add_order(ctx, &o->order[k], n, wavelength, &s);
    for (int64_t i = 0; i < n && !status; i++)
        survey_put_pixel(out, i, s.flux[i] / s.weight[i], 1 / sqrt(s.weight[i]), s.weight[i] <= 0);
    sums_clear(&s);
    return status;
}
