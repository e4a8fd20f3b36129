/* spectrum/spectrum.c -- allocation, bad pixels, inpainting. See spectrum.h. */
#include "spectrum/spectrum.h"

#include <math.h>

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

/* Hoare's selection: v[k] as it would be if v were sorted; qsort may allocate. */
static float smallest(int64_t n, int64_t k, float *v)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        const float pivot = v[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                const float swap = v[i];
                v[i++] = v[j];
                v[j--] = swap;
            }
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return v[k];
}

float anpe_median(int64_t n, float *v)
{
    return smallest(n, n / 2, v);
}

void anpe_spectrum_null_errors(int64_t n, const float *sigma, uint8_t *mask, float *room)
{
    const float most = 1e4f;
    int64_t good = 0;
    for (int64_t i = 0; i < n; i++)
        if (!mask[i])
            room[good++] = sigma[i];
    const float limit = good ? most * smallest(good, good / 10, room) : 0;
    for (int64_t i = 0; i < n; i++)
        if (!mask[i] && sigma[i] > limit)
            mask[i] = 1;
}

anpe_status anpe_spectrum_check_errors(anpe_ctx *ctx, const anpe_spectrum *s, float *room)
{
    const float best = 20000, worst = 1e-3f;
    int64_t good = 0;
    for (int64_t i = 0; i < s->n_pixels; i++)
        if (!s->mask[i])
            room[good++] = fabsf(s->flux[i]) / s->sigma[i];
    const float middle = good ? anpe_median(good, room) : 0;
    return !good || (middle >= worst && middle <= best)
               ? ANPE_OK
               : ANPE_FAIL(
                     ctx, ANPE_EFORMAT,
                     "the errors make a signal-to-noise ratio of %.3g in the median; are they "
                     "relative to the flux, variances or inverse variances?",
                     (double)middle);
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
