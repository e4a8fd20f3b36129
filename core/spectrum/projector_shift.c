/* A simulator that is on the instrument's pixels already is only shifted, inside each segment, by
 * interpolation in the pixel number: a sinc of 12 points with a Kaiser window (beta 7), since such
 * spectra are sampled as coarsely as they may be; within 6 pixels of an end an 8-point Lagrange
 * polynomial through the pixels at the end, and beyond it the last value. A Gaussian line of depth
 * d and FWHM 2.5 pixels is shifted to within 5e-3 d, of 3 pixels 8e-4 d, of 3.5 and more 1.3e-4 d
 * (cubic polynomials: 4e-2, 2e-2, 1e-2). On a segment that is uniform in ln(lambda) all pixels
 * have the same weights, and the shift is one filter. */
#include "kernel/star.h"
#include "spectrum/grid.h"
#include "spectrum/projector_private.h"

#include <math.h>
#include <string.h>

/* I0(2 sqrt(q)) = sum_k q^k / k!^2 and its derivative with respect to q. */
static double bessel_i0(double q, double *slope)
{
    double sum = 1, term = 1;
    *slope = 0;
    for (int k = 1; term > 1e-17 * sum; k++) {
        *slope += term / k;
        term *= q / (k * k);
        sum += term;
    }
    return sum;
}

/* Weights of the pixels 0 .. ANPE_SINC - 1 for a value at ANPE_SINC/2 - 1 + t; their sum is 1. */
static anpe_sinc_weights sinc_at(double t)
{
    const double beta = 7, pi = 3.14159265358979323846;
    double sum = 0, sum_slope = 0;
    anpe_sinc_weights w;
    for (int k = 0; k < ANPE_SINC; k++) {
        const double d = k - (ANPE_SINC / 2 - 1) - t,
                     edge = fmax(1 - 4 * d * d / (ANPE_SINC * ANPE_SINC), 0);
        const double kernel = d == 0 ? 1 : sin(pi * d) / (pi * d);
        const double falling = d == 0 ? 0 : (kernel - cos(pi * d)) / d; /* d kernel / d t */
        double window_slope;
        const double window = bessel_i0(beta * beta / 4 * edge, &window_slope);
        window_slope *= beta * beta / 4 * 8 * d / (ANPE_SINC * ANPE_SINC);
        w.value[k] = kernel * window;
        w.slope[k] = falling * window + kernel * window_slope;
        sum += w.value[k];
        sum_slope += w.slope[k];
    }
    for (int k = 0; k < ANPE_SINC; k++) {
        w.value[k] /= sum;
        w.slope[k] = (w.slope[k] - w.value[k] * sum_slope) / sum;
    }
    return w;
}

/* The step of n pixels that are uniform in x, to less than float can tell, else 0. */
static double uniform_step(int64_t n, const double *x)
{
    const double h = n > 1 ? (x[n - 1] - x[0]) / (double)(n - 1) : 0;
    for (int64_t i = 0; i < n; i++)
        if (fabs(x[i] - x[0] - (double)i * h) > 1e-7 * h)
            return 0;
    return h;
}

anpe_status anpe_projector_set_up_shift(anpe_ctx *ctx, anpe_projector *p,
                                        const anpe_projector_setup *s)
{
    const anpe_instrument_info *ins = s->instrument;
    if (s->n_in != ins->n_pixels)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "the simulator has %lld pixels, the instrument %lld",
                         (long long)s->n_in, (long long)ins->n_pixels);
    double off =
        s->wavelength_in ? anpe_grid_distance(s->n_in, ins->wavelength, s->wavelength_in) : 0;
    if (off > 0.01)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "the simulator's wavelengths differ from the "
                         "instrument's by up to %.3g pixels",
                         off);
    p->mode = ANPE_PROJECTOR_SHIFT;
    p->n_segments = ins->n_segments > 0 ? ins->n_segments : 1;
    p->x = anpe_alloc(ctx, (size_t)p->n_out * sizeof *p->x);
    p->segment = anpe_alloc(ctx, (size_t)(p->n_segments + 1) * sizeof *p->segment);
    p->step = anpe_alloc(ctx, (size_t)p->n_segments * sizeof *p->step);
    p->sinc = anpe_alloc(ctx, (ANPE_SINC_STEPS + 1) * sizeof *p->sinc);
    if (!p->x || !p->segment || !p->step || !p->sinc)
        return ANPE_ENOMEM;
    for (int k = 0; k <= ANPE_SINC_STEPS; k++)
        p->sinc[k] = sinc_at((double)k / ANPE_SINC_STEPS);
    for (int64_t i = 0; i < p->n_out; i++)
        p->x[i] = log(ins->wavelength[i]);
    p->segment[1] = p->n_out;
    if (ins->n_segments > 0)
        memcpy(p->segment, ins->segment, (size_t)(p->n_segments + 1) * sizeof *p->segment);
    for (int64_t k = 0; k < p->n_segments; k++)
        p->step[k] = uniform_step(p->segment[k + 1] - p->segment[k], p->x + p->segment[k]);
    return ANPE_OK;
}

/* The pixel number of x in the segment x[0..n): inside a cell linear in ln(lambda). */
static double pixel_number(const double *x, int64_t n, double at, int64_t *cell)
{
    int64_t c = *cell;
    while (c < n - 2 && x[c + 1] <= at)
        c++;
    while (c > 0 && x[c] > at)
        c--;
    *cell = c;
    double t = (double)c + (at - x[c]) / (x[c + 1] - x[c]);
    return t < 0 ? 0 : t > (double)(n - 1) ? (double)(n - 1) : t;
}

/* Weights, or their derivatives, between two entries of the table: Hermite's cubic through the
 * values and the slopes there, 1e-11 from the function. */
static void sinc_between(const anpe_sinc_weights *table, int slope, double t, double *weight)
{
    const double h = 1.0 / ANPE_SINC_STEPS, at = t * ANPE_SINC_STEPS;
    const int row = (int)at < ANPE_SINC_STEPS ? (int)at : ANPE_SINC_STEPS - 1;
    const double u = at - row, v = 1 - u;
    const anpe_sinc_weights *a = table + row, *b = a + 1;
    const double a0 = slope ? -6 * u * v / h : v * v * (1 + 2 * u);
    const double b0 = slope ? 6 * u * v / h : u * u * (1 + 2 * v);
    const double a1 = slope ? v * (v - 2 * u) : h * u * v * v;
    const double b1 = slope ? u * (u - 2 * v) : -h * u * u * v;
    for (int k = 0; k < ANPE_SINC; k++)
        weight[k] = a0 * a->value[k] + b0 * b->value[k] + (a1 * a->slope[k] + b1 * b->slope[k]);
}

/* What a pixel is made of: weights of `count` pixels from `from` on. */
typedef struct made_of {
    int64_t from;
    int count;
    double weight[ANPE_SINC];
} made_of;

static void lagrange_row(int slope, double t, int64_t n, made_of *row)
{
    const int points = n < ANPE_PROJECTOR_TAPS ? (int)n : ANPE_PROJECTOR_TAPS;
    const int64_t from = (int64_t)t - (points / 2 - 1);
    row->count = points;
    row->from = from < 0 ? 0 : from > n - points ? n - points : from;
    if (slope)
        anpe_grid_lagrange_slope(points, t - (double)row->from, row->weight);
    else
        anpe_grid_lagrange(points, t - (double)row->from, row->weight);
}

/* The pixel at x = `at` of a segment x[0..n), or its derivative with respect to the pixel number;
 * *cell: of the pixel before. */
static void row_of(const anpe_projector *p, int slope, const double *x, int64_t n, double at,
                   int64_t *cell, made_of *row)
{
    const double t = n > 1 ? pixel_number(x, n, at, cell) : 0;
    row->from = (int64_t)t - (ANPE_SINC / 2 - 1);
    row->count = ANPE_SINC;
    if (slope && (n == 1 || t <= 0 || t >= (double)(n - 1)))
        row->count = 0; /* the last value, which goes on */
    else if (row->from < 0 || row->from + ANPE_SINC > n)
        lagrange_row(slope, t, n, row);
    else
        sinc_between(p->sinc, slope, t - floor(t), row->weight);
}

static float value_of(const made_of *row, const float *in)
{
    double sum = 0;
    for (int k = 0; k < row->count; k++)
        sum += row->weight[k] * (double)in[row->from + k];
    return (float)sum;
}

/* d t / d s of a pixel: its cell's inverse width. */
static double cell_slope(const double *x, int64_t cell)
{
    return -1 / (x[cell + 1] - x[cell]);
}

/* The pixels from .. to - 1 of an even segment, all made of the pixels from `first` on of the same
 * weights. */
typedef struct filtered {
    int64_t from, to, first;
    double weight[ANPE_SINC];
} filtered;

static filtered filter_of(const anpe_projector *p, int slope, int64_t n, double h, double s)
{
    filtered f = {0, 0, 0, {0}};
    if (!(h > 0))
        return f;
    const double whole = floor(-s / h), reach = ANPE_SINC / 2 - 1;
    f.from = (int64_t)fmin(fmax(reach - whole, 0), (double)n);
    f.to =
        (int64_t)fmax(fmin((double)(n - ANPE_SINC) + reach - whole + 1, (double)n), (double)f.from);
    f.first = f.from + (int64_t)(whole - reach);
    sinc_between(p->sinc, slope, -s / h - whole, f.weight);
    for (int k = 0; k < ANPE_SINC && slope; k++)
        f.weight[k] /= -h;
    return f;
}

/* slope: the derivative with respect to s. */
void anpe_projector_shift_segment(const anpe_projector *p, int slope, int64_t segment, double s,
                                  const float *flux_in, float *flux_out)
{
    const int64_t first = p->segment[segment], n = p->segment[segment + 1] - first;
    const double *x = p->x + first;
    const float *in = flux_in + first;
    float *out = flux_out + first;
    const filtered f = filter_of(p, slope, n, p->step[segment], s);
    int64_t cell = 0;
    made_of row;
    if (f.to > f.from)
        anpe_star_filter(f.to - f.from, ANPE_SINC, f.weight, in + f.first, out + f.from);
    for (int64_t i = f.from > 0 ? 0 : f.to; i < n; i = i + 1 == f.from ? f.to : i + 1) {
        row_of(p, slope, x, n, x[i] - s, &cell, &row);
        out[i] = value_of(&row, in);
        if (slope && n > 1)
            out[i] = (float)((double)out[i] * cell_slope(x, cell));
    }
}

void anpe_projector_shift_segment_transpose(const anpe_projector *p, int64_t segment, double s,
                                            const float *flux_out, float *flux_in)
{
    const int64_t first = p->segment[segment], n = p->segment[segment + 1] - first;
    const double *x = p->x + first;
    float *in = flux_in + first;
    const float *out = flux_out + first;
    const filtered f = filter_of(p, 0, n, p->step[segment], s);
    int64_t cell = 0;
    made_of row;
    for (int k = 0; k < ANPE_SINC && f.to > f.from; k++)
        anpe_star_add(f.to - f.from, (float)f.weight[k], out + f.from, in + f.first + k);
    for (int64_t i = f.from > 0 ? 0 : f.to; i < n; i = i + 1 == f.from ? f.to : i + 1) {
        row_of(p, 0, x, n, x[i] - s, &cell, &row);
        for (int k = 0; k < row.count; k++)
            in[row.from + k] += (float)row.weight[k] * out[i];
    }
}
