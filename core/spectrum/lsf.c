/* See spectrum/lsf.h. A table's kernel is straight between its points, so its distribution function
 * is a parabola there. */
#include "spectrum/lsf.h"
#include <math.h>

struct anpe_lsf {
    int64_t n_kernels, n_points;
    double finest;         /* step of the offsets */
    double *x;             /* (n_kernels) ln(wavelength) */
    double *offset;        /* (n_points) in ln(lambda) */
    double *density, *sum; /* (n_kernels, n_points) at the points: the kernel, its integral */
};

static anpe_status check_ascending(anpe_ctx *ctx, const char *what, int64_t n, const double *x,
                                   double low, double high)
{
    for (int64_t k = 0; k < n; k++)
        if (!(x[k] > low && x[k] < high) || (k && !(x[k] > x[k - 1])))
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "the table of the line-spread function: %s %lld is %g; expected "
                             "ascending values between %g and %g",
                             what, (long long)k + 1, x[k], low, high);
    return ANPE_OK;
}

/* Density and its integral, scaled so that the last is 1. */
static anpe_status add_kernel(anpe_ctx *ctx, anpe_lsf *l, int64_t k, const double *kernel)
{
    const int64_t n = l->n_points;
    double *density = l->density + k * n, *sum = l->sum + k * n;
    for (int64_t i = 0; i < n; i++) {
        if (!(kernel[i] >= 0) || isinf(kernel[i]))
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "the table of the line-spread function: value %lld at %g Angstrom is "
                             "%g; expected 0 or more",
                             (long long)i + 1, exp(l->x[k]), kernel[i]);
        density[i] = kernel[i];
        sum[i] =
            i ? sum[i - 1] + (l->offset[i] - l->offset[i - 1]) / 2 * (density[i] + density[i - 1])
              : 0;
    }
    const double total = sum[n - 1];
    if (!(total > 0) || isinf(total))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "the table of the line-spread function: the kernel at %g Angstrom has an "
                         "integral of %g",
                         exp(l->x[k]), total);
    for (int64_t i = 0; i < n; i++) {
        density[i] /= total;
        sum[i] /= total;
    }
    return ANPE_OK;
}

/* km/s; the work of tabulating a kernel goes with its inverse */
static const double least_step = 0.001;

static anpe_status fill(anpe_ctx *ctx, anpe_lsf *l, const anpe_lsf_table *t)
{
    anpe_status status;
    ANPE_TRY(check_ascending(ctx, "wavelength", t->n_kernels, t->wavelength, 0, 1e12));
    ANPE_TRY(
        check_ascending(ctx, "offset", t->n_points, t->offset, -ANPE_C_KMS / 2, ANPE_C_KMS / 2));
    l->finest = INFINITY;
    for (int64_t k = 0; k < t->n_kernels; k++)
        l->x[k] = log(t->wavelength[k]);
    for (int64_t i = 0; i < t->n_points; i++) {
        l->offset[i] = atanh(t->offset[i] / ANPE_C_KMS);
        l->finest = i ? fmin(l->finest, l->offset[i] - l->offset[i - 1]) : l->finest;
    }
    if (l->finest < least_step / ANPE_C_KMS) {
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "line-spread function: two offsets are %g km/s apart; at least %g is "
                           "expected",
                           l->finest * ANPE_C_KMS, least_step);
        goto out;
    }
    for (int64_t k = 0; k < t->n_kernels; k++)
        ANPE_TRY(add_kernel(ctx, l, k, t->kernel + k * t->n_points));
out:
    return status;
}

anpe_status anpe_lsf_new(anpe_ctx *ctx, const anpe_lsf_table *t, anpe_lsf **out)
{
    *out = NULL;
    if (t->n_kernels < 1 || t->n_points < 3)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "the table of the line-spread function has %lld kernels of %lld points; "
                         "expected at least 1 of 3",
                         (long long)t->n_kernels, (long long)t->n_points);
    anpe_lsf *l = anpe_alloc(ctx, sizeof *l);
    if (!l)
        return ANPE_ENOMEM;
    const size_t kernels = (size_t)t->n_kernels, points = (size_t)t->n_points;
    l->n_kernels = t->n_kernels;
    l->n_points = t->n_points;
    l->x = anpe_alloc(ctx, kernels * sizeof *l->x);
    l->offset = anpe_alloc(ctx, points * sizeof *l->offset);
    l->density = anpe_alloc(ctx, kernels * points * sizeof *l->density);
    l->sum = anpe_alloc(ctx, kernels * points * sizeof *l->sum);
    const int ok = l->x && l->offset && l->density && l->sum;
    const anpe_status status = ok ? fill(ctx, l, t) : ANPE_ENOMEM;
    if (status)
        anpe_lsf_free(l);
    else
        *out = l;
    return status;
}

anpe_lsf *anpe_lsf_free(anpe_lsf *l)
{
    if (!l)
        return NULL;
    anpe_free(l->x);
    anpe_free(l->offset);
    anpe_free(l->density);
    anpe_free(l->sum);
    anpe_free(l);
    return NULL;
}

/* The last place of ascending x (n) that is not above `at`, within 0 .. n - 2. */
static int64_t place(int64_t n, const double *x, double at)
{
    int64_t low = 0, high = n - 1;
    while (high - low > 1) {
        const int64_t middle = (low + high) / 2;
        if (x[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void anpe_lsf_choose(const anpe_lsf *l, double x, anpe_lsf_pixel *p)
{
    p->table = l;
    p->kernel = 0;
    p->share = 0;
    if (l->n_kernels < 2)
        return;
    p->kernel = place(l->n_kernels, l->x, x);
    const double from = l->x[p->kernel], to = l->x[p->kernel + 1];
    p->share = fmin(fmax((x - from) / (to - from), 0), 1);
}

/* The distribution function of the mix at offset t. */
static double tabulated(const anpe_lsf_pixel *p, double t)
{
    const anpe_lsf *l = p->table;
    const int64_t n = l->n_points;
    if (t <= l->offset[0])
        return 0;
    if (t >= l->offset[n - 1])
        return 1;
    const int64_t i = place(n, l->offset, t);
    const double step = l->offset[i + 1] - l->offset[i], u = t - l->offset[i];
    double sum = 0;
    for (int next = 0; next <= (p->share > 0); next++) {
        const int64_t at = (p->kernel + next) * n + i;
        const double *d = l->density + at, share = next ? p->share : 1 - p->share;
        sum += share * (l->sum[at] + u * (d[0] + (d[1] - d[0]) * u / (2 * step)));
    }
    return sum;
}

static double distribution(const anpe_lsf_pixel *p, double t)
{
    static const double sqrt_half = 0.70710678118654752440;
    if (p->table)
        return tabulated(p, t);
    return 0.5 * erfc(-t / p->sigma * sqrt_half);
}

double anpe_lsf_response(const anpe_lsf_pixel *p, double u)
{
    if (!p->table && p->sigma == 0)
        return u >= p->y0 && u <= p->y1 ? exp(u - p->y0) : 0;
    return exp(u - p->y0) * (distribution(p, p->y1 - u) - distribution(p, p->y0 - u));
}

void anpe_lsf_reach(const anpe_lsf_pixel *p, double *low, double *high)
{
    const double sigmas = 5.5;
    *low = p->y0 - (p->table ? p->table->offset[p->table->n_points - 1] : sigmas * p->sigma);
    *high = p->y1 - (p->table ? p->table->offset[0] : -sigmas * p->sigma);
}

double anpe_lsf_detail(const anpe_lsf_pixel *p)
{
    return p->table ? p->table->finest : p->sigma;
}
