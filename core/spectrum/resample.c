/* spectrum/resample.c -- an observed spectrum from its own wavelengths onto a grid, and air
 * wavelengths.
 *
 * With o_ij the length that input pixel j and output pixel i share, summed over good j:
 *     flux_i = sum_j o_ij flux_j / sum_j o_ij,    sigma_i^2 = sum_j o_ij^2 sigma_j^2 / (sum_j
 * o_ij)^2 (as in Carnall 2017, arXiv:1705.05165): the integral of the flux density is kept and
 * errors of independent input pixels are propagated. Correlations between output pixels are not
 * carried. */
#include "spectrum/grid.h"

#include <math.h>

typedef struct overlap {
    double length, flux, variance;
} overlap;

/* Adds input pixel [low, high) to the output pixel [a, b). */
static void add_overlap(overlap *o, double low, double high, double a, double b, double flux,
                        double sigma)
{
    double shared = fmin(high, b) - fmax(low, a);
    if (shared <= 0)
        return;
    o->length += shared;
    o->flux += shared * flux;
    o->variance += shared * shared * sigma * sigma;
}

static void finish_pixel(const overlap *o, double width, anpe_spectrum *out, int64_t i)
{
    int any = o->length > 0;
    out->flux[i] = any ? (float)(o->flux / o->length) : 0;
    out->sigma[i] = any ? (float)(sqrt(o->variance) / o->length) : 0;
    /* Half a pixel, but for rounding of the edges. */
    out->mask[i] = !(o->length >= 0.5 * width * (1 - 1e-9)) || !isfinite(out->flux[i]) ||
                   !isfinite(out->sigma[i]) || out->sigma[i] <= 0;
}

anpe_status anpe_resample_spectrum(anpe_ctx *ctx, int64_t n_in, const double *wavelength_in,
                                   const float *flux, const float *sigma, const uint8_t *mask,
                                   int64_t n_out, const double *wavelength_out, anpe_spectrum *out)
{
    anpe_status status = anpe_grid_check(ctx, "input", n_in, wavelength_in);
    if (!status)
        status = anpe_grid_check(ctx, "output", n_out, wavelength_out);
    if (status)
        return status;
    if (out->n_pixels != n_out)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "resampling to %lld pixels, the spectrum has %lld",
                         (long long)n_out, (long long)out->n_pixels);
    int64_t first = 0;
    for (int64_t i = 0; i < n_out; i++) {
        double a, b, low, high;
        overlap o = {0};
        anpe_grid_pixel(n_out, wavelength_out, i, &a, &b);
        for (; first < n_in; first++) {
            anpe_grid_pixel(n_in, wavelength_in, first, &low, &high);
            if (high > a)
                break;
        }
        for (int64_t j = first; j < n_in; j++) {
            anpe_grid_pixel(n_in, wavelength_in, j, &low, &high);
            if (low >= b)
                break;
            int good =
                !(mask && mask[j]) && isfinite(flux[j]) && isfinite(sigma[j]) && sigma[j] > 0;
            if (good)
                add_overlap(&o, low, high, a, b, (double)flux[j], (double)sigma[j]);
        }
        finish_pixel(&o, b - a, out, i);
    }
    return ANPE_OK;
}

/* Morton (2000), ApJS 130, 403, eq. 8: lambda_vac = n lambda_air with, s = 10^4 / lambda_vac,
 *     n = 1 + 8.34254e-5 + 2.406147e-2/(130 - s^2) + 1.5998e-4/(38.9 - s^2).
 * It is a function of the vacuum wavelength, so solve by fixed point: each step gains four digits.
 * Below 2000 Angstrom wavelengths are given in vacuum by convention. */
double anpe_air_to_vacuum(double lambda_air)
{
    if (!(lambda_air >= 2000))
        return lambda_air;
    double vacuum = lambda_air;
    for (int k = 0; k < 5; k++) {
        double s2 = 1e8 / (vacuum * vacuum);
        vacuum = lambda_air * (1 + 8.34254e-5 + 2.406147e-2 / (130 - s2) + 1.5998e-4 / (38.9 - s2));
    }
    return vacuum;
}
