/* spectrum/spectrum.c -- allocation, bad pixels, inpainting. See spectrum.h. */
#include "spectrum/spectrum.h"

#include <math.h>
#include <stdlib.h>

anpe_status anpe_spectrum_new(anpe_ctx *ctx, int64_t n_pixels, anpe_spectrum *s)
{
    *s = (anpe_spectrum){0};
    if (n_pixels < 1 || n_pixels > INT64_C(1) << 40)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "a spectrum of %lld pixels", (long long)n_pixels);
    size_t n = (size_t)n_pixels;
    s->n_pixels = n_pixels;
    s->flux = anpe_alloc(ctx, n * sizeof *s->flux);
    s->sigma = anpe_alloc(ctx, n * sizeof *s->sigma);
    s->mask = anpe_alloc(ctx, n);
    if (s->flux && s->sigma && s->mask)
        return ANPE_OK;
    anpe_spectrum_clear(s);
    return ANPE_ENOMEM;
}

void anpe_spectrum_clear(anpe_spectrum *s)
{
    anpe_free(s->flux);
    anpe_free(s->sigma);
    anpe_free(s->mask);
    *s = (anpe_spectrum){0};
}

int64_t anpe_spectrum_check(anpe_spectrum *s)
{
    int64_t good = 0;
    for (int64_t i = 0; i < s->n_pixels; i++) {
        int ok = !s->mask[i] && isfinite(s->flux[i]) && isfinite(s->sigma[i]) && s->sigma[i] > 0;
        s->mask[i] = !ok;
        good += ok;
    }
    return good;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

float anpe_median(int64_t n, float *v)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

anpe_status anpe_spectrum_null_errors(anpe_ctx *ctx, int64_t n, const float *sigma, uint8_t *mask)
{
    const float most = 1e4f;
    int64_t good = 0;
    float *sorted = anpe_alloc(ctx, (size_t)(n ? n : 1) * sizeof *sorted);
    if (!sorted)
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        if (!mask[i])
            sorted[good++] = sigma[i];
    qsort(sorted, (size_t)good, sizeof *sorted, by_value);
    for (int64_t i = 0; i < n && good; i++)
        if (!mask[i] && sigma[i] > most * sorted[good / 10])
            mask[i] = 1;
    anpe_free(sorted);
    return ANPE_OK;
}

static int64_t first_good(int64_t n, const uint8_t *mask)
{
    int64_t i = 0;
    while (i < n && mask[i])
        i++;
    return i;
}

static int64_t inpaint_plane(int64_t n, const uint8_t *mask, float *flux, float *sigma)
{
    int64_t source = first_good(n, mask), good = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!mask[i]) {
            source = i;
            good++;
        } else {
            flux[i] = source < n ? flux[source] : 0;
            sigma[i] = source < n ? sigma[source] : 1;
        }
    }
    return good;
}

int64_t anpe_spectrum_inpaint(int64_t planes, anpe_spectrum *s)
{
    const int64_t n = s->n_pixels / planes;
    int64_t good = 0;
    if (first_good(s->n_pixels, s->mask) == s->n_pixels)
        return 0;
    for (int64_t at = 0; at < s->n_pixels; at += n)
        good += inpaint_plane(n, s->mask + at, s->flux + at, s->sigma + at);
    return good;
}

static void pull_back_plane(int64_t n, const uint8_t *mask, float *gradient)
{
    int64_t source = first_good(n, mask);
    for (int64_t i = 0; i < n; i++) {
        if (!mask[i]) {
            source = i;
        } else {
            if (source < n)
                gradient[source] += gradient[i];
            gradient[i] = 0;
        }
    }
}

void anpe_spectrum_inpaint_pull_back(int64_t planes, int64_t n, const uint8_t *mask,
                                     float *gradient)
{
    if (first_good(n, mask) == n)
        return;
    for (int64_t at = 0; at < n; at += n / planes)
        pull_back_plane(n / planes, mask + at, gradient + at);
}

double anpe_spectrum_snr(const anpe_spectrum *s)
{
    double sum = 0;
    int64_t good = 0;
    for (int64_t i = 0; i < s->n_pixels; i++)
        if (!s->mask[i]) {
            sum += 1 / (double)s->sigma[i];
            good++;
        }
    return good ? sum / (double)good : 0;
}
