/* spectrum/projector.c -- a simulator's rest-frame flux as the instrument sees it.
 *
 * In x = ln(lambda) a radial velocity v is a shift, s = atanh(v/c):
 *     observed(x) = rest(x - s),   since sqrt((1 - v/c)/(1 + v/c)) = exp(-atanh(v/c)).
 * Pixel i, from y0 to y1 in ln(lambda), with a Gaussian line-spread function of width sigma_i:
 *     out_i = integral of rest(u - s) W_i(u) du,
 *     W_i(u) ~ e^u [Phi((y1 - u)/sigma_i) - Phi((y0 - u)/sigma_i)],  sum normalised to 1;
 * e^u du = d(lambda) makes it the mean of flux per wavelength over the pixel.
 *
 * On a grid uniform in x (the simulator's own, or one made here) the shift is a whole number of
 * steps and a rest. The rest is an 8-point Lagrange interpolation with the same weights
 * everywhere, which keeps the sum of the flux; the weights of the W_i are found once, in set-up.
 * The line-spread function is the one at the observed wavelength.
 *
 * A simulator that is on the instrument's pixels already is only shifted, inside each segment, by
 * interpolation in the pixel number: a sinc of 12 points with a Kaiser window (beta 7), since such
 * spectra are sampled as coarsely as they may be; within 6 pixels of an end an 8-point Lagrange
 * polynomial through the pixels at the end, and beyond it the last value. A Gaussian line of depth
 * d and FWHM 2.5 pixels is shifted to within 5e-3 d, of 3 pixels 8e-4 d, of 3.5 and more 1.3e-4 d
 * (cubic polynomials: 4e-2, 2e-2, 1e-2). On a segment that is uniform in ln(lambda) all pixels
 * have the same weights, and the shift is one filter.
 *
 * All of it is linear in the flux; the derivative with respect to the velocity is the same sums
 * with the derivatives of the weights.
 */
#include "kernel/star.h"
#include "spectrum/grid.h"
#include "spectrum/spectrum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = 8, LANES = 8, SINC = 12, SINC_STEPS = 512 };
static const double SQRT_HALF = 0.70710678118654752440, LN_2 = 0.69314718055994530942;

typedef enum mode { COPY, SHIFT, PROJECT } mode;

/* Weights of SINC pixels and their derivatives with respect to the fraction t. */
typedef struct sinc_weights {
    double value[SINC], slope[SINC];
} sinc_weights;

struct anpe_projector {
    mode mode;
    int64_t n_in, n_out;
    /* SHIFT */
    double *x; /* (n_out) ln(lambda) */
    int64_t n_segments, *segment;
    double *step;       /* (n_segments) of ln(lambda), 0: not uniform */
    sinc_weights *sinc; /* (SINC_STEPS + 1) at fractions k / SINC_STEPS */
    /* PROJECT: grid x0 + k h, k = 0 .. n_uniform - 1 */
    double x0, h;
    int64_t n_uniform, margin; /* margin: steps of padding on both sides in scratch */
    int64_t max_steps;         /* largest shift */
    int resampled;             /* the input is not on that grid: */
    int32_t *source;           /* (n_uniform) first of 4 input pixels */
    float *source_weight;      /* (n_uniform, 4) */
    uint8_t *hole;             /* (n_uniform) 1: in a gap of the input */
    int64_t *first, *offset;   /* (n_out), (n_out + 1): grid index, place in weight */
    float *weight;             /* rows padded with 0 to a multiple of LANES */
};

/* ---- set-up: the uniform grid ------------------------------------------------------------ */

static int is_uniform(int64_t n, const double *wavelength, double x0, double h)
{
    /* Wavelengths stored in single precision are off by up to half a percent of such a step. */
    for (int64_t i = 0; i < n; i++)
        if (fabs(log(wavelength[i]) - x0 - (double)i * h) > 0.01 * h)
            return 0;
    return 1;
}

/* Cubic through the 4 input pixels around x; a straight line across a gap, where a cubic swings.
 * Returns whether x is in a gap, farther than a usual step from its ends. */
static int interpolate_at(const double *wavelength, int64_t n, int64_t cell, double x, int32_t *at,
                          float *weight)
{
    double node[4];
    int64_t from = cell - 1 < 0 ? 0 : cell - 1 > n - 4 ? n - 4 : cell - 1;
    for (int k = 0; k < 4; k++)
        node[k] = log(wavelength[from + k]);
    int c = (int)(cell - from);
    double step = node[c + 1] - node[c];
    int gap = (c > 0 && step > 3 * (node[c] - node[c - 1])) ||
              (c < 2 && step > 3 * (node[c + 2] - node[c + 1]));
    *at = (int32_t)from;
    for (int k = 0; k < 4; k++) {
        double w = 1;
        for (int m = 0; m < 4; m++)
            if (m != k)
                w *= (x - node[m]) / (node[k] - node[m]);
        if (gap)
            w = k == c ? (node[c + 1] - x) / step : k == c + 1 ? (x - node[c]) / step : 0;
        weight[k] = (float)w;
    }
    const double usual = c > 0 ? node[c] - node[c - 1] : node[c + 2] - node[c + 1];
    return gap && x > node[c] + usual && x < node[c + 1] - usual;
}

static anpe_status make_resampling(anpe_ctx *ctx, anpe_projector *p, const double *wavelength)
{
    size_t n = (size_t)p->n_uniform;
    p->source = anpe_alloc(ctx, n * sizeof *p->source);
    p->source_weight = anpe_alloc(ctx, 4 * n * sizeof *p->source_weight);
    p->hole = anpe_alloc(ctx, n);
    if (!p->source || !p->source_weight || !p->hole)
        return ANPE_ENOMEM;
    int64_t cell = 0;
    for (int64_t k = 0; k < p->n_uniform; k++) {
        double x = p->x0 + (double)k * p->h;
        while (cell < p->n_in - 2 && log(wavelength[cell + 1]) <= x)
            cell++;
        p->hole[k] = (uint8_t)interpolate_at(wavelength, p->n_in, cell, x, p->source + k,
                                             p->source_weight + 4 * k);
    }
    return ANPE_OK;
}

/* The simulator's grid if it is uniform in x, else one as fine as its finest step (but at most
 * four times as many points). */
static anpe_status make_grid(anpe_ctx *ctx, anpe_projector *p, const double *wavelength)
{
    int64_t n = p->n_in;
    double range = log(wavelength[n - 1] / wavelength[0]);
    p->x0 = log(wavelength[0]);
    p->h = range / (double)(n - 1);
    p->n_uniform = n;
    if (is_uniform(n, wavelength, p->x0, p->h))
        return ANPE_OK;
    if (n < 4)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "simulator: %lld wavelengths, at least 4 are needed",
                         (long long)n);
    double finest = range;
    for (int64_t i = 1; i < n; i++)
        finest = fmin(finest, log(wavelength[i] / wavelength[i - 1]));
    finest = fmax(finest, range / (4 * (double)n));
    p->n_uniform = (int64_t)ceil(range / finest * (1 - 1e-9)) + 1;
    p->h = range / (double)(p->n_uniform - 1);
    p->resampled = 1;
    return make_resampling(ctx, p, wavelength);
}

/* ---- set-up: the weights of a pixel ------------------------------------------------------ */

typedef struct pixel {
    double y0, y1, sigma; /* ln(lambda) */
} pixel;

static double phi(double t)
{
    return 0.5 * erfc(-t * SQRT_HALF);
}

static double response(const pixel *p, double u)
{
    double stretch = exp(u - p->y0); /* e^u, scaled */
    if (p->sigma == 0)
        return u >= p->y0 && u <= p->y1 ? stretch : 0;
    return stretch * (phi((p->y1 - u) / p->sigma) - phi((p->y0 - u) / p->sigma));
}

/* Pixel i: its edges inside its segment, and what the instrument blurs more than the simulator.
 * sigma = FWHM / (2 sqrt(2 ln 2)), FWHM = 1/R in ln(lambda); below a twentieth of a step nothing.
 */
static pixel pixel_of(const anpe_projector *p, const anpe_projector_setup *setup, int64_t i)
{
    const anpe_instrument_info *ins = setup->instrument;
    double low, high;
    int64_t from = 0, to = ins->n_pixels;
    for (int64_t k = 0; k < ins->n_segments; k++)
        if (i >= ins->segment[k] && i < ins->segment[k + 1]) {
            from = ins->segment[k];
            to = ins->segment[k + 1];
        }
    if (to - from < 2) {
        from = 0;
        to = ins->n_pixels;
    }
    anpe_grid_pixel(to - from, ins->wavelength + from, i - from, &low, &high);
    pixel q = {log(low), log(high), 0};
    if (ins->resolution) {
        double fwhm2 = pow(ins->resolution[i], -2) - pow(setup->resolution_in, -2);
        q.sigma = fwhm2 > 0 ? sqrt(fwhm2) / (2 * sqrt(2 * LN_2)) : 0;
        if (q.sigma < 0.05 * p->h)
            q.sigma = 0;
    }
    return q;
}

/* Adds the integral of W(u) l_k(u) du over [a, b], inside grid cell `cell`, to weight[cell - 1 +
 * k], k = 0..3: l_k is the cubic through the grid's values; 4-point Gauss-Legendre. */
static void integrate_piece(const anpe_projector *p, const pixel *q, int64_t cell, double a,
                            double b, double *weight)
{
    static const double node[4] = {-0.8611363115940526, -0.3399810435848563, 0.3399810435848563,
                                   0.8611363115940526};
    static const double gauss[4] = {0.3478548451374538, 0.6521451548625461, 0.6521451548625461,
                                    0.3478548451374538};
    for (int g = 0; g < 4; g++) {
        double l[4], u = (a + b) / 2 + (b - a) / 2 * node[g];
        double w = gauss[g] * (b - a) / 2 * response(q, u);
        anpe_grid_lagrange(4, (u - p->x0) / p->h - (double)(cell - 1), l);
        for (int k = 0; k < 4; k++)
            weight[k] += w * l[k];
    }
}

static void pixel_range(const anpe_projector *p, const pixel *q, int64_t *first, int64_t *count)
{
    const double reach = 5.5; /* 4e-8 of the Gaussian lies beyond */
    double low = (q->y0 - reach * q->sigma - p->x0) / p->h;
    double high = (q->y1 + reach * q->sigma - p->x0) / p->h;
    *first = (int64_t)floor(low) - 1;
    *count = (int64_t)floor(high) + 3 - *first;
}

/* weight (count) from grid index `first`. A line-spread function of two steps and more is simply
 * sampled: what the sum over samples adds to the integral is its transform at the sampling
 * frequency less the spectrum's, at most exp(-(2 pi)^2 / 2) = 3e-9. A narrower one is integrated:
 * cells are cut at the pixel's edges, where W jumps without
 * a line-spread function, and into pieces that resolve a narrow one. */
static void pixel_weights(const anpe_projector *p, const pixel *q, int64_t first, int64_t count,
                          double *weight)
{
    int pieces = q->sigma > 0 && q->sigma < p->h ? (int)ceil(2 * p->h / q->sigma) : 1;
    int wide = q->sigma >= 2 * p->h;
    double sum = 0;
    memset(weight, 0, (size_t)count * sizeof *weight);
    for (int64_t k = 0; wide && k < count; k++)
        weight[k] = response(q, p->x0 + (double)(first + k) * p->h);
    for (int64_t cell = first + 1; !wide && cell < first + count - 2; cell++)
        for (int k = 0; k < pieces; k++) {
            double a = p->x0 + ((double)cell + (double)k / pieces) * p->h;
            double b = p->x0 + ((double)cell + (double)(k + 1) / pieces) * p->h;
            if (q->sigma == 0) {
                a = fmax(a, q->y0);
                b = fmin(b, q->y1);
            }
            if (b > a)
                integrate_piece(p, q, cell, a, b, weight + (cell - 1 - first));
        }
    for (int64_t k = 0; k < count; k++)
        sum += weight[k];
    for (int64_t k = 0; k < count; k++)
        weight[k] /= sum;
}

static int64_t padded(int64_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

static anpe_status make_weights(anpe_ctx *ctx, anpe_projector *p, const anpe_projector_setup *setup)
{
    int64_t n = p->n_out, most = 0, low = 0, high = p->n_uniform;
    p->first = anpe_alloc(ctx, (size_t)n * sizeof *p->first);
    p->offset = anpe_alloc(ctx, (size_t)(n + 1) * sizeof *p->offset);
    if (!p->first || !p->offset)
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        int64_t count;
        pixel q = pixel_of(p, setup, i);
        pixel_range(p, &q, p->first + i, &count);
        if (count > p->n_uniform + 64)
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "the line-spread function at %g is wider than the "
                             "simulator's range",
                             setup->instrument->wavelength[i]);
        most = count > most ? count : most;
        p->offset[i + 1] = p->offset[i] + padded(count);
        low = p->first[i] < low ? p->first[i] : low;
        high = p->first[i] + padded(count) > high ? p->first[i] + padded(count) : high;
    }
    p->max_steps = (int64_t)ceil(atanh(setup->max_rv / ANPE_C_KMS) / p->h) + 1;
    p->margin = padded((-low > high - p->n_uniform ? -low : high - p->n_uniform) + p->max_steps +
                       TAPS + LANES);
    p->weight = anpe_alloc(ctx, (size_t)p->offset[n] * sizeof *p->weight);
    double *row = anpe_alloc(ctx, (size_t)most * sizeof *row);
    for (int64_t i = 0; p->weight && row && i < n; i++) {
        int64_t first, count;
        pixel q = pixel_of(p, setup, i);
        pixel_range(p, &q, &first, &count);
        pixel_weights(p, &q, first, count, row);
        for (int64_t k = 0; k < count; k++)
            p->weight[p->offset[i] + k] = (float)row[k];
    }
    int ok = p->weight && row;
    anpe_free(row);
    return ok ? ANPE_OK : ANPE_ENOMEM;
}

/* ---- set-up ------------------------------------------------------------------------------ */

static anpe_status check_coverage(anpe_ctx *ctx, const anpe_projector_setup *s)
{
    const anpe_instrument_info *ins = s->instrument;
    double beta = exp(atanh(s->max_rv / ANPE_C_KMS));
    double low = ins->wavelength[0] / beta, high = ins->wavelength[ins->n_pixels - 1] * beta;
    const double slack = 1e-9; /* rounding of the ends only */
    if (s->wavelength_in[0] > low * (1 + slack) ||
        s->wavelength_in[s->n_in - 1] < high * (1 - slack))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "the simulator covers %.2f to %.2f Angstrom, the "
                         "instrument needs %.2f to %.2f (with radial velocities up to %g km/s)",
                         s->wavelength_in[0], s->wavelength_in[s->n_in - 1], low, high, s->max_rv);
    for (int64_t i = 0; ins->resolution && i < ins->n_pixels; i++)
        if (!(ins->resolution[i] > 0))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "instrument: resolution %g at pixel %lld",
                             ins->resolution[i], (long long)i);
    if (ins->resolution && s->resolution_in < ins->resolution[ins->n_pixels / 2])
        anpe_log(ctx, ANPE_WARNING,
                 "the simulator's resolution %g is below the instrument's %g: "
                 "its spectra are used as they are",
                 s->resolution_in, ins->resolution[ins->n_pixels / 2]);
    return ANPE_OK;
}

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

/* Weights of the pixels 0 .. SINC - 1 for a value at SINC/2 - 1 + t; their sum is 1. */
static sinc_weights sinc_at(double t)
{
    const double beta = 7, pi = 3.14159265358979323846;
    double sum = 0, sum_slope = 0;
    sinc_weights w;
    for (int k = 0; k < SINC; k++) {
        const double d = k - (SINC / 2 - 1) - t, edge = fmax(1 - 4 * d * d / (SINC * SINC), 0);
        const double kernel = d == 0 ? 1 : sin(pi * d) / (pi * d);
        const double falling = d == 0 ? 0 : (kernel - cos(pi * d)) / d; /* d kernel / d t */
        double window_slope;
        const double window = bessel_i0(beta * beta / 4 * edge, &window_slope);
        window_slope *= beta * beta / 4 * 8 * d / (SINC * SINC);
        w.value[k] = kernel * window;
        w.slope[k] = falling * window + kernel * window_slope;
        sum += w.value[k];
        sum_slope += w.slope[k];
    }
    for (int k = 0; k < SINC; k++) {
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

static anpe_status set_up_shift(anpe_ctx *ctx, anpe_projector *p, const anpe_projector_setup *s)
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
    p->mode = SHIFT;
    p->n_segments = ins->n_segments > 0 ? ins->n_segments : 1;
    p->x = anpe_alloc(ctx, (size_t)p->n_out * sizeof *p->x);
    p->segment = anpe_alloc(ctx, (size_t)(p->n_segments + 1) * sizeof *p->segment);
    p->step = anpe_alloc(ctx, (size_t)p->n_segments * sizeof *p->step);
    p->sinc = anpe_alloc(ctx, (SINC_STEPS + 1) * sizeof *p->sinc);
    if (!p->x || !p->segment || !p->step || !p->sinc)
        return ANPE_ENOMEM;
    for (int k = 0; k <= SINC_STEPS; k++)
        p->sinc[k] = sinc_at((double)k / SINC_STEPS);
    for (int64_t i = 0; i < p->n_out; i++)
        p->x[i] = log(ins->wavelength[i]);
    p->segment[1] = p->n_out;
    if (ins->n_segments > 0)
        memcpy(p->segment, ins->segment, (size_t)(p->n_segments + 1) * sizeof *p->segment);
    for (int64_t k = 0; k < p->n_segments; k++)
        p->step[k] = uniform_step(p->segment[k + 1] - p->segment[k], p->x + p->segment[k]);
    return ANPE_OK;
}

static anpe_status set_up_project(anpe_ctx *ctx, anpe_projector *p, const anpe_projector_setup *s)
{
    p->mode = PROJECT;
    if (!s->wavelength_in)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "the instrument has wavelengths, the simulator has none");
    if (!(s->resolution_in > 0))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "simulator: resolution %g", s->resolution_in);
    if (s->n_in > INT32_MAX / 8)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "simulator: %lld pixels", (long long)s->n_in);
    anpe_status status = anpe_grid_check(ctx, "simulator", s->n_in, s->wavelength_in);
    if (!status)
        status = check_coverage(ctx, s);
    if (!status)
        status = make_grid(ctx, p, s->wavelength_in);
    return status ? status : make_weights(ctx, p, s);
}

/* Data without wavelengths passes through. */
static anpe_status set_up_copy(anpe_ctx *ctx, anpe_projector *p, const anpe_projector_setup *s)
{
    p->mode = COPY;
    p->n_out = s->instrument->n_pixels * s->instrument->channels;
    if (s->n_in != p->n_out)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "the simulator gives %lld values, the instrument has "
                         "%lld",
                         (long long)s->n_in, (long long)p->n_out);
    return ANPE_OK;
}

anpe_status anpe_projector_new(anpe_ctx *ctx, const anpe_projector_setup *setup,
                               anpe_projector **out)
{
    const anpe_instrument_info *ins = setup->instrument;
    *out = NULL;
    anpe_projector *p = anpe_alloc(ctx, sizeof *p);
    if (!p)
        return ANPE_ENOMEM;
    p->n_in = setup->n_in;
    p->n_out = ins->n_pixels;
    anpe_status status;
    if (!ins->wavelength) {
        status = set_up_copy(ctx, p, setup);
    } else if (!(setup->max_rv >= 0 && setup->max_rv < ANPE_C_KMS / 2)) {
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "radial velocities up to %g km/s", setup->max_rv);
    } else {
        status = anpe_grid_check(ctx, "instrument", ins->n_pixels, ins->wavelength);
        if (!status)
            status = anpe_grid_check_segments(ctx, ins->n_pixels, ins->n_segments, ins->segment);
        if (!status)
            status = setup->on_grid ? set_up_shift(ctx, p, setup) : set_up_project(ctx, p, setup);
    }
    if (status)
        anpe_projector_free(p);
    else
        *out = p;
    return status;
}

anpe_projector *anpe_projector_free(anpe_projector *p)
{
    if (!p)
        return NULL;
    anpe_free(p->x);
    anpe_free(p->segment);
    anpe_free(p->step);
    anpe_free(p->sinc);
    anpe_free(p->source);
    anpe_free(p->source_weight);
    anpe_free(p->hole);
    anpe_free(p->first);
    anpe_free(p->offset);
    anpe_free(p->weight);
    anpe_free(p);
    return NULL;
}

/* ---- what the simulator does not cover --------------------------------------------------- */

/* Pixel i of a segment x[0..n). */
static int is_past_end(const double *x, int64_t n, int64_t i, double s_min, double s_max)
{
    const double slack = 1e-12; /* of ln(lambda): rounding */
    return x[i] - s_max < x[0] - slack || x[i] - s_min > x[n - 1] + slack;
}

/* The share of a pixel's weights (count), shifted by `at` steps from grid index `first`, that falls
 * on holes or beyond the grid. */
static double uncovered_share(const anpe_projector *p, const float *weight, int64_t first,
                              int64_t count)
{
    double share = 0;
    for (int64_t k = 0; k < count; k++)
        if (first + k < 0 || first + k >= p->n_uniform || (p->hole && p->hole[first + k]))
            share += fabs((double)weight[k]);
    return share;
}

static int is_uncovered(const anpe_projector *p, int64_t i, int64_t from, int64_t to)
{
    const int64_t first = p->first[i], count = p->offset[i + 1] - p->offset[i];
    int64_t suspect = first + from < 0 || first + count + to > p->n_uniform;
    for (int64_t k = first + from; !suspect && p->hole && k < first + count + to; k++)
        suspect = p->hole[k];
    for (int64_t at = from; suspect && at <= to; at++)
        if (uncovered_share(p, p->weight + p->offset[i], first + at, count) > 1e-3)
            return 1;
    return 0;
}

/* How many there are of the pixels that are good (mask NULL: of all), marked unless NULL. */
static int64_t find_uncovered(const anpe_projector *p, double rv_min, double rv_max,
                              const uint8_t *mask, uint8_t *uncovered)
{
    const double s_min = atanh(rv_min / ANPE_C_KMS), s_max = atanh(rv_max / ANPE_C_KMS);
    int64_t n = 0, k = 0;
    for (int64_t i = 0; p->mode != COPY && i < p->n_out; i++) {
        while (p->mode == SHIFT && i >= p->segment[k + 1])
            k++;
        if (mask && mask[i])
            continue;
        const int lost =
            p->mode == SHIFT
                ? is_past_end(p->x + p->segment[k], p->segment[k + 1] - p->segment[k],
                              i - p->segment[k], s_min, s_max)
                : is_uncovered(p, i, (int64_t)floor(-s_max / p->h), (int64_t)ceil(-s_min / p->h));
        if (lost && uncovered)
            uncovered[i] = 1;
        n += lost;
    }
    return n;
}

void anpe_projector_uncovered(const anpe_projector *p, double rv_min, double rv_max,
                              uint8_t *uncovered)
{
    memset(uncovered, 0, (size_t)p->n_out);
    (void)find_uncovered(p, rv_min, rv_max, NULL, uncovered);
}

int anpe_projector_covers(const anpe_projector *p, double rv, const uint8_t *mask)
{
    return find_uncovered(p, rv, rv, mask, NULL) == 0;
}

/* ---- shift on the instrument's own pixels ------------------------------------------------ */

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
static void sinc_between(const sinc_weights *table, int slope, double t, double *weight)
{
    const double h = 1.0 / SINC_STEPS, at = t * SINC_STEPS;
    const int row = (int)at < SINC_STEPS ? (int)at : SINC_STEPS - 1;
    const double u = at - row, v = 1 - u;
    const sinc_weights *a = table + row, *b = a + 1;
    const double a0 = slope ? -6 * u * v / h : v * v * (1 + 2 * u);
    const double b0 = slope ? 6 * u * v / h : u * u * (1 + 2 * v);
    const double a1 = slope ? v * (v - 2 * u) : h * u * v * v;
    const double b1 = slope ? u * (u - 2 * v) : -h * u * u * v;
    for (int k = 0; k < SINC; k++)
        weight[k] = a0 * a->value[k] + b0 * b->value[k] + (a1 * a->slope[k] + b1 * b->slope[k]);
}

static float lagrange_value(int slope, double t, int64_t n, const float *in)
{
    double weight[TAPS], sum = 0;
    int points = n < TAPS ? (int)n : TAPS;
    int64_t from = (int64_t)t - (points / 2 - 1);
    from = from < 0 ? 0 : from > n - points ? n - points : from;
    if (slope)
        anpe_grid_lagrange_slope(points, t - (double)from, weight);
    else
        anpe_grid_lagrange(points, t - (double)from, weight);
    for (int k = 0; k < points; k++)
        sum += weight[k] * (double)in[from + k];
    return (float)sum;
}

/* One pixel of a segment x[0..n), or its derivative with respect to the pixel number; *cell: of the
 * pixel before. */
static float shift_pixel(const anpe_projector *p, int slope, const double *x, int64_t n, double at,
                         int64_t *cell, const float *in)
{
    const double t = n > 1 ? pixel_number(x, n, at, cell) : 0;
    const int64_t from = (int64_t)t - (SINC / 2 - 1);
    double weight[SINC], sum = 0;
    if (slope && (n == 1 || t <= 0 || t >= (double)(n - 1)))
        return 0; /* the last value, which goes on */
    if (from < 0 || from + SINC > n)
        return lagrange_value(slope, t, n, in);
    sinc_between(p->sinc, slope, t - floor(t), weight);
    for (int k = 0; k < SINC; k++)
        sum += weight[k] * (double)in[from + k];
    return (float)sum;
}

/* d t / d s of a pixel: its cell's inverse width. */
static double cell_slope(const double *x, int64_t cell)
{
    return -1 / (x[cell + 1] - x[cell]);
}

/* slope: the derivative with respect to s. */
static void shift_segment(const anpe_projector *p, int slope, int64_t segment, double s,
                          const float *flux_in, float *flux_out)
{
    const int64_t first = p->segment[segment], n = p->segment[segment + 1] - first;
    const double *x = p->x + first, h = p->step[segment];
    const float *in = flux_in + first;
    float *out = flux_out + first;
    int64_t from = 0, to = 0, cell = 0; /* from .. to - 1: the filter's */
    if (h > 0) {
        const double whole = floor(-s / h), reach = SINC / 2 - 1;
        double weight[SINC];
        from = (int64_t)fmin(fmax(reach - whole, 0), (double)n);
        to = (int64_t)fmax(fmin((double)(n - SINC) + reach - whole + 1, (double)n), (double)from);
        sinc_between(p->sinc, slope, -s / h - whole, weight);
        for (int k = 0; k < SINC && slope; k++)
            weight[k] /= -h;
        if (to > from)
            anpe_star_filter(to - from, SINC, weight, in + from + (int64_t)(whole - reach),
                             out + from);
    }
    for (int64_t i = 0; i < n; i++) {
        if (i == from)
            i = to;
        if (i == n)
            break;
        out[i] = shift_pixel(p, slope, x, n, x[i] - s, &cell, in);
        if (slope && n > 1)
            out[i] = (float)((double)out[i] * cell_slope(x, cell));
    }
}

/* ---- projection -------------------------------------------------------------------------- */

/* Four floats at a time, so that any compiler makes vector code of it without being allowed to
 * reorder sums. */
typedef float four __attribute__((vector_size(4 * sizeof(float))));

static inline four load(const float *from)
{
    four v;
    memcpy(&v, from, sizeof v);
    return v;
}

static void to_uniform(const anpe_projector *p, const float *in, float *out)
{
    if (!p->resampled) {
        memcpy(out, in, (size_t)p->n_uniform * sizeof *out);
        return;
    }
    for (int64_t k = 0; k < p->n_uniform; k++) {
        const float *w = p->source_weight + 4 * k, *f = in + p->source[k];
        out[k] = w[0] * f[0] + w[1] * f[1] + w[2] * f[2] + w[3] * f[3];
    }
}

/* out[k] = in(k + at) for k in [-from, to), or its derivative with respect to at: whole steps and a
 * Lagrange fraction. */
static void shift_uniform(int slope, double at, int64_t from, int64_t to, const float *in,
                          float *out)
{
    double exact[TAPS];
    int64_t whole = (int64_t)floor(at);
    if (slope)
        anpe_grid_lagrange_slope(TAPS, at - (double)whole + TAPS / 2 - 1, exact);
    else
        anpe_grid_lagrange(TAPS, at - (double)whole + TAPS / 2 - 1, exact);
    in += whole - (TAPS / 2 - 1);
    for (int64_t k = from; k < to; k += LANES) {
        four a = {0}, b = {0};
        for (int m = 0; m < TAPS; m++) {
            a += (float)exact[m] * load(in + k + m);
            b += (float)exact[m] * load(in + k + m + 4);
        }
        memcpy(out + k, &a, sizeof a);
        memcpy(out + k + 4, &b, sizeof b);
    }
}

/* slope: the derivative with respect to s. */
static void project(const anpe_projector *p, int slope, double s, const float *in, float *out,
                    float *scratch)
{
    int64_t stride = padded(p->n_uniform) + 2 * p->margin;
    float *flux = scratch + p->margin, *shifted = flux + stride;
    to_uniform(p, in, flux);
    for (int64_t k = 1; k <= p->margin; k++)
        flux[-k] = flux[0];
    for (int64_t k = p->n_uniform; k < stride - p->margin; k++)
        flux[k] = flux[p->n_uniform - 1];
    double at = -s / p->h, most = (double)p->max_steps;
    at = at > most ? most : at < -most ? -most : at;
    int64_t reach = p->margin - p->max_steps - TAPS;
    reach = reach / LANES * LANES;
    if (at == 0 && !slope)
        shifted = flux;
    else
        shift_uniform(slope, at, -reach, padded(p->n_uniform) + reach, flux, shifted);
    for (int64_t i = 0; i < p->n_out; i++) {
        const float *w = p->weight + p->offset[i], *f = shifted + p->first[i];
        int64_t count = p->offset[i + 1] - p->offset[i];
        four a = {0}, b = {0};
        for (int64_t k = 0; k < count; k += LANES) {
            a += load(w + k) * load(f + k);
            b += load(w + k + 4) * load(f + k + 4);
        }
        a += b;
        out[i] = (a[0] + a[1]) + (a[2] + a[3]);
        if (slope)
            out[i] *= (float)(-1 / p->h);
    }
}

size_t anpe_projector_scratch(const anpe_projector *p)
{
    if (p->mode != PROJECT)
        return 0;
    return 2 * (size_t)(padded(p->n_uniform) + 2 * p->margin) * sizeof(float);
}

void anpe_projector_apply(const anpe_projector *p, double rv, const float *flux_in, float *flux_out,
                          void *scratch)
{
    double s = atanh(rv / ANPE_C_KMS);
    if (p->mode == COPY || (p->mode == SHIFT && rv == 0))
        memcpy(flux_out, flux_in, (size_t)p->n_out * sizeof *flux_out);
    else if (p->mode == PROJECT)
        project(p, 0, s, flux_in, flux_out, scratch);
    else
        for (int64_t k = 0; k < p->n_segments; k++)
            shift_segment(p, 0, k, s, flux_in, flux_out);
}

void anpe_projector_slope(const anpe_projector *p, double rv, const float *flux_in, float *slope,
                          void *scratch)
{
    const double beta = rv / ANPE_C_KMS, s = atanh(beta);
    if (p->mode == PROJECT)
        project(p, 1, s, flux_in, slope, scratch);
    for (int64_t k = 0; p->mode == SHIFT && k < p->n_segments; k++)
        shift_segment(p, 1, k, s, flux_in, slope);
    const float per_kms = (float)(1 / (ANPE_C_KMS * (1 - beta * beta))); /* d s / d rv */
    for (int64_t i = 0; i < p->n_out; i++)
        slope[i] = p->mode == COPY ? 0 : slope[i] * per_kms;
}
