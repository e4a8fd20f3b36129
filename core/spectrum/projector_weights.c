/* Set-up of a projection. Pixel i, from y0 to y1 in x = ln(lambda), with a Gaussian line-spread
 * function of width sigma_i:
 *     out_i = integral of rest(u - s) W_i(u) du,
 *     W_i(u) ~ e^u [Phi((y1 - u)/sigma_i) - Phi((y0 - u)/sigma_i)],  sum normalised to 1;
 * e^u du = d(lambda) makes it the mean of flux per wavelength over the pixel. A table's
 * distribution function stands in for Phi. The line-spread function is the one at the observed
 * wavelength.
 *
 * The grid is uniform in x: the simulator's own, or one made here. */
#include "kernel/banded.h"
#include "spectrum/grid.h"
#include "spectrum/lsf.h"
#include "spectrum/projector_private.h"

#include <math.h>
#include <string.h>

static const double LN_2 = 0.69314718055994530942;

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

/* Without the gaps between windows, where a step is more than three times the step before. */
static double covered(int64_t n, const double *wavelength)
{
    double sum = 0, before = INFINITY;
    for (int64_t i = 1; i < n; i++) {
        const double step = log(wavelength[i] / wavelength[i - 1]);
        const int gap = step > 3 * before;
        sum += gap ? 0 : step;
        before = gap ? before : step;
    }
    return sum;
}

/* The simulator's grid if it is uniform in x, else one as fine as its finest step (but at most
 * with four times as many points where there is flux). */
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
    finest = fmax(finest, covered(n, wavelength) / (4 * (double)n));
    p->n_uniform = (int64_t)ceil(range / finest * (1 - 1e-9)) + 1;
    p->h = range / (double)(p->n_uniform - 1);
    p->resampled = 1;
    return make_resampling(ctx, p, wavelength);
}

/* ---- set-up: the weights of a pixel ------------------------------------------------------ */

/* Pixel i: its edges inside its segment, and the instrument's table, or what the instrument blurs
 * more than the simulator: sigma = FWHM / (2 sqrt(2 ln 2)), FWHM = 1/R in ln(lambda); below a
 * twentieth of a step nothing. */
static anpe_lsf_pixel pixel_of(const anpe_projector *p, const anpe_projector_setup *setup,
                               const anpe_lsf *table, int64_t i)
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
    anpe_lsf_pixel q = {.y0 = log(low), .y1 = log(high)};
    if (table) {
        anpe_lsf_choose(table, log(ins->wavelength[i]), &q);
    } else if (ins->resolution) {
        double fwhm2 = pow(ins->resolution[i], -2) - pow(setup->resolution_in, -2);
        q.sigma = fwhm2 > 0 ? sqrt(fwhm2) / (2 * sqrt(2 * LN_2)) : 0;
        if (q.sigma < 0.05 * p->h)
            q.sigma = 0;
    }
    return q;
}

/* Adds the integral of W(u) l_k(u) du over [a, b], inside grid cell `cell`, to weight[cell - 1 +
 * k], k = 0..3: l_k is the cubic through the grid's values; 4-point Gauss-Legendre. */
static void integrate_piece(const anpe_projector *p, const anpe_lsf_pixel *q, int64_t cell,
                            double a, double b, double *weight)
{
    static const double node[4] = {-0.8611363115940526, -0.3399810435848563, 0.3399810435848563,
                                   0.8611363115940526};
    static const double gauss[4] = {0.3478548451374538, 0.6521451548625461, 0.6521451548625461,
                                    0.3478548451374538};
    for (int g = 0; g < 4; g++) {
        double l[4], u = (a + b) / 2 + (b - a) / 2 * node[g];
        double w = gauss[g] * (b - a) / 2 * anpe_lsf_response(q, u);
        anpe_grid_lagrange(4, (u - p->x0) / p->h - (double)(cell - 1), l);
        for (int k = 0; k < 4; k++)
            weight[k] += w * l[k];
    }
}

static void pixel_range(const anpe_projector *p, const anpe_lsf_pixel *q, int64_t *first,
                        int64_t *count)
{
    double low, high;
    anpe_lsf_reach(q, &low, &high);
    *first = (int64_t)floor((low - p->x0) / p->h) - 1;
    *count = (int64_t)floor((high - p->x0) / p->h) + 3 - *first;
}

/* weight (count) from grid index `first`. A Gaussian of two steps and more is simply
 * sampled: what the sum over samples adds to the integral is its transform at the sampling
 * frequency less the spectrum's, at most exp(-(2 pi)^2 / 2) = 3e-9. A narrower one, and a table,
 * are integrated: cells are cut at the pixel's edges, where W jumps without a line-spread function,
 * and into pieces that resolve a narrow one. */
static void pixel_weights(const anpe_projector *p, const anpe_lsf_pixel *q, int64_t first,
                          int64_t count, double *weight)
{
    const double detail = anpe_lsf_detail(q);
    int pieces = detail > 0 && detail < p->h ? (int)ceil(2 * p->h / detail) : 1;
    int wide = q->sigma >= 2 * p->h;
    double sum = 0;
    memset(weight, 0, (size_t)count * sizeof *weight);
    for (int64_t k = 0; wide && k < count; k++)
        weight[k] = anpe_lsf_response(q, p->x0 + (double)(first + k) * p->h);
    for (int64_t cell = first + 1; !wide && cell < first + count - 2; cell++)
        for (int k = 0; k < pieces; k++) {
            double a = p->x0 + ((double)cell + (double)k / pieces) * p->h;
            double b = p->x0 + ((double)cell + (double)(k + 1) / pieces) * p->h;
            if (detail == 0) {
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
    return (n + ANPE_BANDED_LANES - 1) / ANPE_BANDED_LANES * ANPE_BANDED_LANES;
}

/* Runs of rows whose columns fit together into a cache: of one row at least, where that sees more
 * than STRIP columns. */
static anpe_status make_strips(anpe_ctx *ctx, anpe_projector *p)
{
    enum { STRIP = 1024 };
    const int64_t n = p->n_out;
    int64_t low = 0, high = 0;
    p->strip = anpe_alloc(ctx, (size_t)n * sizeof *p->strip);
    if (!p->strip)
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        const int64_t first = p->first[i], end = first + p->offset[i + 1] - p->offset[i];
        const int64_t from = first < low ? first : low, to = end > high ? end : high;
        const int paired = i % 2 == 1 && first == p->first[i - 1];
        const int starts = i == 0 || (to - from > STRIP && !paired);
        low = starts ? first : from;
        high = starts ? end : to;
        p->n_strips += starts;
        anpe_projector_strip *s = &p->strip[p->n_strips - 1];
        *s = (anpe_projector_strip){starts ? i : s->from, i + 1, low, high - low};
        p->window = high - low > p->window ? high - low : p->window;
    }
    return ANPE_OK;
}

/* Pixels 2 k and 2 k + 1 see nearly the same columns. Where it costs no more than a few weights of
 * 0 they name the same ones: kernel/banded.h. */
static void pair_rows(int64_t n, int64_t *first, int64_t *count)
{
    for (int64_t i = 0; i + 1 < n; i += 2) {
        const int64_t end[] = {first[i] + count[i], first[i + 1] + count[i + 1]};
        const int64_t from = first[i] < first[i + 1] ? first[i] : first[i + 1];
        const int64_t to = end[0] > end[1] ? end[0] : end[1];
        const int64_t most = count[i] > count[i + 1] ? count[i] : count[i + 1];
        if (padded(to - from) > padded(most) + most / 4)
            continue;
        first[i] = first[i + 1] = from;
        count[i] = count[i + 1] = to - from;
    }
}

/* Columns of each pixel, and room for their weights. */
static anpe_status make_runs(anpe_ctx *ctx, anpe_projector *p, const anpe_projector_setup *setup,
                             const anpe_lsf *table)
{
    const int64_t n = p->n_out;
    p->first = anpe_alloc(ctx, (size_t)n * sizeof *p->first);
    p->offset = anpe_alloc(ctx, (size_t)(n + 1) * sizeof *p->offset);
    int64_t *count = anpe_alloc(ctx, (size_t)n * sizeof *count);
    anpe_status status = p->first && p->offset && count ? ANPE_OK : ANPE_ENOMEM;
    for (int64_t i = 0; i < n && !status; i++) {
        const anpe_lsf_pixel q = pixel_of(p, setup, table, i);
        pixel_range(p, &q, p->first + i, count + i);
        if (count[i] > p->n_uniform + 64)
            status = ANPE_FAIL(ctx, ANPE_EINVAL,
                               "the line-spread function at %g is wider than the "
                               "simulator's range",
                               setup->instrument->wavelength[i]);
    }
    if (!status) {
        pair_rows(n, p->first, count);
        for (int64_t i = 0; i < n; i++)
            p->offset[i + 1] = p->offset[i] + padded(count[i]);
        p->weight = anpe_alloc(ctx, (size_t)p->offset[n] * sizeof *p->weight);
        status = p->weight ? ANPE_OK : ANPE_ENOMEM;
    }
    anpe_free(count);
    return status;
}

static anpe_status make_rows(anpe_ctx *ctx, anpe_projector *p, const anpe_projector_setup *setup,
                             const anpe_lsf *table)
{
    int64_t most = 0;
    anpe_status status = make_runs(ctx, p, setup, table);
    if (status)
        return status;
    for (int64_t i = 0; i < p->n_out; i++)
        most = p->offset[i + 1] - p->offset[i] > most ? p->offset[i + 1] - p->offset[i] : most;
    double *row = anpe_alloc(ctx, (size_t)most * sizeof *row);
    for (int64_t i = 0; row && i < p->n_out; i++) {
        int64_t first, count;
        const anpe_lsf_pixel q = pixel_of(p, setup, table, i);
        pixel_range(p, &q, &first, &count);
        pixel_weights(p, &q, first, count, row);
        float *weight = p->weight + p->offset[i] + (first - p->first[i]);
        for (int64_t k = 0; k < count; k++)
            weight[k] = (float)row[k];
    }
    status = row ? ANPE_OK : ANPE_ENOMEM;
    anpe_free(row);
    return status;
}

static anpe_status make_weights(anpe_ctx *ctx, anpe_projector *p, const anpe_projector_setup *setup)
{
    anpe_lsf *table = NULL;
    anpe_status status;
    p->max_steps = (int64_t)ceil(atanh(setup->max_rv / ANPE_C_KMS) / p->h) + 1;
    if (setup->instrument->lsf)
        ANPE_TRY(anpe_lsf_new(ctx, setup->instrument->lsf, &table));
    ANPE_TRY(make_rows(ctx, p, setup, table));
    ANPE_TRY(make_strips(ctx, p));
out:
    anpe_lsf_free(table);
    return status;
}

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
    if (ins->lsf && isfinite(s->resolution_in))
        anpe_log(ctx, ANPE_WARNING,
                 "the instrument's line-spread function is a table, which blurs the simulator's "
                 "spectra beyond the resolution %g that they have already",
                 s->resolution_in);
    else if (ins->resolution && s->resolution_in < ins->resolution[ins->n_pixels / 2])
        anpe_log(ctx, ANPE_WARNING,
                 "the simulator's resolution %g is below the instrument's %g: "
                 "its spectra are used as they are",
                 s->resolution_in, ins->resolution[ins->n_pixels / 2]);
    return ANPE_OK;
}

anpe_status anpe_projector_set_up_project(anpe_ctx *ctx, anpe_projector *p,
                                          const anpe_projector_setup *s)
{
    p->mode = ANPE_PROJECTOR_PROJECT;
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

int anpe_projector_project_is_uncovered(const anpe_projector *p, int64_t i, int64_t from,
                                        int64_t to)
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
