/* data/spectrum.c -- allocation, bad pixels, inpainting. See spectrum.h. */
#include "data/spectrum.h"

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

int64_t anpe_spectrum_inpaint(anpe_spectrum *s)
{
    int64_t first = 0, good = 0;
    while (first < s->n_pixels && s->mask[first])
        first++;
    if (first == s->n_pixels)
        return 0;
    float flux = s->flux[first], sigma = s->sigma[first];
    for (int64_t i = 0; i < s->n_pixels; i++) {
        if (s->mask[i]) {
            s->flux[i] = flux;
            s->sigma[i] = sigma;
        } else {
            flux = s->flux[i];
            sigma = s->sigma[i];
            good++;
        }
    }
    return good;
}

void anpe_spectrum_inpaint_pull_back(int64_t n, const uint8_t *mask, float *gradient)
{
    int64_t source = 0;
    while (source < n && mask[source])
        source++;
    if (source == n)
        return;
    for (int64_t i = 0; i < n; i++) {
        if (!mask[i]) {
            source = i;
        } else {
            gradient[source] += gradient[i];
            gradient[i] = 0;
        }
    }
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
