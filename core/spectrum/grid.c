/* spectrum/grid.c -- see grid.h. */
#include "spectrum/grid.h"

#include <math.h>

void anpe_grid_pixel(int64_t n, const double *centre, int64_t i, double *low, double *high)
{
    double left = i > 0 ? centre[i] - centre[i - 1] : centre[1] - centre[0];
    double right = i < n - 1 ? centre[i + 1] - centre[i] : left;
    if (left > 2 * right)
        left = right;
    if (right > 2 * left)
        right = left;
    *low = centre[i] - left / 2;
    *high = centre[i] + right / 2;
}

anpe_status anpe_grid_check(anpe_ctx *ctx, const char *what, int64_t n, const double *wavelength)
{
    if (n < 2)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: %lld wavelengths, at least 2 are needed", what,
                         (long long)n);
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(wavelength[i]) || wavelength[i] <= 0)
            return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: wavelength %g at pixel %lld", what,
                             wavelength[i], (long long)i);
        if (i > 0 && wavelength[i] <= wavelength[i - 1])
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "%s: wavelengths do not ascend at pixel %lld: %.10g after %.10g", what,
                             (long long)i, wavelength[i], wavelength[i - 1]);
    }
    return ANPE_OK;
}

anpe_status anpe_grid_check_segments(anpe_ctx *ctx, int64_t n_pixels, int64_t n_segments,
                                     const int64_t *segment)
{
    for (int64_t k = 0; k < n_segments; k++)
        if (segment[k] < 0 || segment[k + 1] < segment[k] || segment[k + 1] > n_pixels)
            return ANPE_FAIL(ctx, ANPE_EINVAL, "segment %lld is pixels [%lld, %lld) of %lld",
                             (long long)k, (long long)segment[k], (long long)segment[k + 1],
                             (long long)n_pixels);
    return ANPE_OK;
}

double anpe_grid_distance(int64_t n, const double *a, const double *b)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        double step = i + 1 < n ? a[i + 1] - a[i] : i > 0 ? a[i] - a[i - 1] : a[i];
        double d = fabs(a[i] - b[i]) / step;
        if (!(d <= most))
            most = isfinite(d) ? d : INFINITY;
    }
    return most;
}

/* The product over m != k of k - m. */
static double denominator(int points, int k)
{
    static const double factorial[] = {1, 1, 2, 6, 24, 120, 720, 5040, 40320};
    _Static_assert(sizeof factorial / sizeof *factorial > ANPE_GRID_POINTS, "factorials");
    const double product = factorial[k] * factorial[points - 1 - k];
    return (points - 1 - k) % 2 ? -product : product;
}

/* l_k(t) = prod_{m != k} (t - m) / (k - m) */
void anpe_grid_lagrange(int points, double t, double *weight)
{
    double below = 1, above = 1; /* the products of t - m over m < k and m > k */
    for (int k = 0; k < points; k++) {
        weight[k] = below;
        below *= t - k;
    }
    for (int k = points - 1; k >= 0; k--) {
        weight[k] = weight[k] * above / denominator(points, k);
        above *= t - k;
    }
}

/* The product rule, a factor at a time. */
void anpe_grid_lagrange_slope(int points, double t, double *weight)
{
    for (int k = 0; k < points; k++) {
        double w = 1, slope = 0;
        for (int m = 0; m < points; m++)
            if (m != k) {
                slope = slope * (t - m) + w;
                w *= t - m;
            }
        weight[k] = slope / denominator(points, k);
    }
}
