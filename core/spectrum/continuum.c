/* spectrum/continuum.c -- the two continuum rules that instruments share. Both allocate nothing:
 * they run once for every simulated spectrum of a training. */
#include "base/linear.h"
#include "kernel/star.h"
#include "spectrum/grid.h"

#include <math.h>
#include <string.h>

enum { DEGREE_MOST = 15 };

static int usable(const anpe_spectrum *s, int64_t i)
{
    return !s->mask[i] && s->sigma[i] > 0 && isfinite(s->sigma[i]) && isfinite(s->flux[i]);
}

/* A continuum that is not positive cannot be divided by: such a pixel is bad. */
static void divide(anpe_spectrum *s, int64_t i, double continuum)
{
    if (!(continuum > 0) || !isfinite(continuum)) {
        s->mask[i] = 1;
        return;
    }
    s->flux[i] = (float)((double)s->flux[i] / continuum);
    s->sigma[i] = (float)((double)s->sigma[i] / continuum);
}

/* ---- Chebyshev --------------------------------------------------------------------------- */

/* Normal equations A c = b of the weighted fit in T_0 .. T_degree, which are close to orthogonal on
 * the pixels of a segment, so that squaring the condition costs few digits. */
typedef struct normal {
    int n; /* degree + 1 */
    double a[DEGREE_MOST + 1][DEGREE_MOST + 1], b[DEGREE_MOST + 1];
    double scale[DEGREE_MOST + 1]; /* of factor */
} normal;

/* T_{k+1} = 2 x T_k - T_{k-1} */
static void polynomials(int n, double x, double *t)
{
    t[0] = 1;
    t[1] = x;
    for (int k = 2; k < n; k++)
        t[k] = 2 * x * t[k - 1] - t[k - 2];
}

static void add_pixel(normal *q, double x, double flux, double sigma)
{
    double t[DEGREE_MOST + 2], w = 1 / (sigma * sigma);
    polynomials(q->n, x, t);
    for (int j = 0; j < q->n; j++) {
        for (int k = 0; k <= j; k++)
            q->a[j][k] += w * t[j] * t[k];
        q->b[j] += w * t[j] * flux;
    }
}

/* Cholesky in place after scaling to a unit diagonal. 0: the pixels do not fix the polynomial (a
 * pivot below 1e-9 would leave less than single precision). */
static int factor(normal *q)
{
    for (int j = 0; j < q->n; j++) {
        if (!(q->a[j][j] > 0) || !isfinite(q->a[j][j]))
            return 0;
        q->scale[j] = 1 / sqrt(q->a[j][j]);
    }
    for (int j = 0; j < q->n; j++)
        for (int k = 0; k <= j; k++)
            q->a[j][k] = q->a[j][k] * q->scale[j] * q->scale[k];
    return !anpe_cholesky(q->n, q->a[0], DEGREE_MOST + 1, 1e-9);
}

/* b (n) := A^-1 b, after factor */
static void solve(const normal *q, double *b)
{
    for (int j = 0; j < q->n; j++)
        b[j] *= q->scale[j];
    anpe_cholesky_solve(q->n, q->a[0], DEGREE_MOST + 1, b);
    for (int j = 0; j < q->n; j++)
        b[j] *= q->scale[j];
}

typedef struct piece { /* pixels from .. to - 1 of a segment */
    int64_t from, to;
    double step;
} piece;

static piece piece_of(const int64_t *segment, int64_t k)
{
    const int64_t n = segment[k + 1] - segment[k];
    return (piece){segment[k], segment[k + 1], n > 1 ? 2 / (double)(n - 1) : 0};
}

static double place(const piece *p, int64_t i)
{
    return (double)(i - p->from) * p->step - 1;
}

enum { SIDE_BY_SIDE = 64 };

/* Clenshaw's sum of c_k T_k at the next pixels of a piece, side by side for the vectoriser. Answers
 * how many there are. */
static int64_t chebyshev(const normal *q, const piece *p, int64_t from, double *sum)
{
    double x[SIDE_BY_SIDE], b1[SIDE_BY_SIDE] = {0}, b2[SIDE_BY_SIDE] = {0};
    for (int i = 0; i < SIDE_BY_SIDE; i++)
        x[i] = place(p, from + i);
    for (int k = q->n - 1; k > 0; k--)
        for (int i = 0; i < SIDE_BY_SIDE; i++) {
            const double b0 = 2 * x[i] * b1[i] - b2[i] + q->b[k];
            b2[i] = b1[i];
            b1[i] = b0;
        }
    for (int i = 0; i < SIDE_BY_SIDE; i++)
        sum[i] = x[i] * b1[i] - b2[i] + q->b[0];
    return p->to - from < SIDE_BY_SIDE ? p->to - from : SIDE_BY_SIDE;
}

/* Whether the fit looks at pixel i. */
static int fitted(const anpe_spectrum *s, const uint8_t *continuum, int64_t i)
{
    return (!continuum || continuum[i]) && usable(s, i);
}

/* The normal equations of a segment, A factored. 0: too few good continuum pixels, two a
 * coefficient at least: fewer would follow the noise. */
static int gather(const piece *p, const uint8_t *continuum, const anpe_spectrum *s, normal *q)
{
    int64_t used = 0;
    for (int64_t i = p->from; i < p->to; i++)
        if (fitted(s, continuum, i)) {
            add_pixel(q, place(p, i), (double)s->flux[i], (double)s->sigma[i]);
            used++;
        }
    return used >= 2 * (int64_t)q->n && factor(q);
}

static void normalise_segment(int degree, const piece *p, const uint8_t *continuum,
                              anpe_spectrum *s)
{
    normal q = {.n = degree + 1};
    if (!gather(p, continuum, s, &q)) {
        memset(s->mask + p->from, 1, (size_t)(p->to - p->from));
        return;
    }
    solve(&q, q.b);
    for (int64_t from = p->from; from < p->to; from += SIDE_BY_SIDE) {
        double level[SIDE_BY_SIDE];
        const int64_t n = chebyshev(&q, p, from, level);
        for (int64_t i = 0; i < n; i++)
            divide(s, from + i, level[i]);
    }
}

static anpe_status check(anpe_ctx *ctx, int degree, int64_t n_pixels, int64_t n_segments,
                         const int64_t *segment)
{
    if (degree < 0 || degree > DEGREE_MOST)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "continuum of degree %d, 0 to %d are possible", degree,
                         DEGREE_MOST);
    return anpe_grid_check_segments(ctx, n_pixels, n_segments, segment);
}

anpe_status anpe_continuum_chebyshev(anpe_ctx *ctx, int degree, int64_t n_segments,
                                     const int64_t *segment, const uint8_t *continuum,
                                     anpe_spectrum *s)
{
    const anpe_status status = check(ctx, degree, s->n_pixels, n_segments, segment);
    for (int64_t k = 0; k < n_segments && !status; k++) {
        const piece p = piece_of(segment, k);
        normalise_segment(degree, &p, continuum, s);
    }
    return status;
}

/* c = A^-1 sum_i T(x_i) flux_i / sigma_i^2: the weights of pixel i are a column of that. */
static void weigh_segment(int degree, const piece *p, const uint8_t *continuum,
                          const anpe_spectrum *s, double *weight)
{
    normal q = {.n = degree + 1};
    if (!gather(p, continuum, s, &q))
        return;
    for (int64_t i = p->from; i < p->to; i++) {
        double t[DEGREE_MOST + 2];
        const double sigma = (double)s->sigma[i];
        if (!fitted(s, continuum, i))
            continue;
        polynomials(q.n, place(p, i), t);
        solve(&q, t);
        for (int j = 0; j < q.n; j++)
            weight[j * s->n_pixels + i] = t[j] / (sigma * sigma);
    }
}

anpe_status anpe_continuum_chebyshev_weights(anpe_ctx *ctx, int degree, int64_t n_segments,
                                             const int64_t *segment, const uint8_t *continuum,
                                             const anpe_spectrum *s, double *weight)
{
    const anpe_status status = check(ctx, degree, s->n_pixels, n_segments, segment);
    if (status)
        return status;
    memset(weight, 0, (size_t)((degree + 1) * n_segments * s->n_pixels) * sizeof *weight);
    for (int64_t k = 0; k < n_segments; k++) {
        const piece p = piece_of(segment, k);
        weigh_segment(degree, &p, continuum, s, weight + k * (degree + 1) * s->n_pixels);
    }
    return ANPE_OK;
}

int64_t anpe_continuum_chebyshev_modes(int degree, int64_t n_segments, const int64_t *segment,
                                       float *mode)
{
    const int64_t n = degree + 1, n_pixels = segment[n_segments];
    if (!mode)
        return n * n_segments;
    memset(mode, 0, (size_t)(n * n_segments * n_pixels) * sizeof *mode);
    for (int64_t j = 0; j < n * n_segments; j++) {
        const piece p = piece_of(segment, j / n);
        normal unit = {.n = degree + 1, .b = {0}};
        unit.b[j % n] = 1;
        for (int64_t from = p.from; from < p.to; from += SIDE_BY_SIDE) {
            double value[SIDE_BY_SIDE];
            const int64_t some = chebyshev(&unit, &p, from, value);
            for (int64_t i = 0; i < some; i++)
                mode[j * n_pixels + from + i] = (float)value[i];
        }
    }
    return n * n_segments;
}

/* ---- Gaussian smoothing ------------------------------------------------------------------ */

/* The smoothed flux varies on the scale of the kernel only, so it is summed at nodes an eighth of
 * its width apart and interpolated by cubics: for the kernel itself, the sharpest it can be, off by
 * (1/8)^4 3/128 max|G''''| / max G = 2e-5, and far less for a spectrum. The kernel ends at REACH
 * widths; so a pixel is done as soon as all pixels that far ahead have been added to their nodes,
 * and a window of nodes that moves along is all the memory that is needed.
 *
 * A pixel u steps from its nearest node adds, with h the step in widths, to the k-th node from it
 *     exp(-h^2 (k - u)^2 / 2) = exp(-h^2 u^2 / 2) a^k exp(-h^2 k^2 / 2),  a = exp(h^2 u),
 * two exponentials a pixel, which all spectra with the same error bars and bad pixels share. */
enum { NODES_PER_WIDTH = 8, REACH = 5, FAR = REACH * NODES_PER_WIDTH, SLOTS = 256, ROWS = 16 };
enum { SPAN = (2 * FAR + 1 + 7) / 8 * 8 }; /* of a pixel: whole vectors, the last weights 0 */

typedef struct smoother {
    const double *wavelength;
    const anpe_spectrum *s; /* of whom sigma and mask are */
    int64_t rows;           /* spectra, ROWS at most */
    const float *flux;      /* (rows, n_pixels) */
    int64_t to;
    double start, step; /* of the nodes, Angstrom */
    int64_t next, base; /* pixel to be added next; node of the first slot */
    double kernel[SPAN];
    double norm[SLOTS], sum[ROWS * SLOTS]; /* weights, and weighted flux, at each node */
} smoother;

static double node_of(const smoother *m, int64_t pixel)
{
    return (m->wavelength[pixel] - m->start) / m->step;
}

static void move(double *slot, int64_t gone)
{
    memmove(slot, slot + gone, (size_t)(SLOTS - gone) * sizeof *slot);
    memset(slot + SLOTS - gone, 0, (size_t)gone * sizeof *slot);
}

/* Slots for the nodes first to last; those before the first are done with. */
static void make_room(smoother *m, int64_t first, int64_t last)
{
    if (last - m->base < SLOTS)
        return;
    const int64_t gone = first - m->base < SLOTS ? first - m->base : SLOTS;
    move(m->norm, gone);
    for (int64_t r = 0; r < m->rows; r++)
        move(m->sum + r * SLOTS, gone);
    m->base = first;
}

static int usable_in_all(const smoother *m, int64_t pixel)
{
    const anpe_spectrum *s = m->s;
    int is = !s->mask[pixel] && s->sigma[pixel] > 0 && isfinite(s->sigma[pixel]);
    for (int64_t r = 0; r < m->rows; r++)
        is = is && isfinite(m->flux[r * s->n_pixels + pixel]);
    return is;
}

static void add_to_nodes(smoother *m, int64_t pixel, double u, int64_t first)
{
    const double h2 = 1.0 / (NODES_PER_WIDTH * NODES_PER_WIDTH), one = 1;
    const double sigma = (double)m->s->sigma[pixel];
    const double least = exp(-h2 * u * (0.5 * u + FAR)) / (sigma * sigma);
    double weight[SPAN], flux[ROWS];
    for (int64_t r = 0; r < m->rows; r++)
        flux[r] = (double)m->flux[r * m->s->n_pixels + pixel];
    anpe_star_weigh(SPAN, least, exp(h2 * u), m->kernel, weight);
    anpe_star_spread(1, SPAN, &one, weight, SLOTS, m->norm + (first - m->base));
    anpe_star_spread(m->rows, SPAN, flux, weight, SLOTS, m->sum + (first - m->base));
}

/* Adds all pixels within reach of nodes up to `last`. Nodes before `first` are done with. */
static void finish_nodes(smoother *m, int64_t first, int64_t last)
{
    for (; m->next < m->to; m->next++) {
        const double x = node_of(m, m->next);
        const int64_t nearest = (int64_t)floor(x + 0.5), lowest = nearest - FAR;
        if (lowest > last)
            break;
        make_room(m, lowest < first ? lowest : first, lowest + SPAN - 1);
        if (usable_in_all(m, m->next))
            add_to_nodes(m, m->next, x - (double)nearest, lowest);
    }
    make_room(m, first, last);
}

/* The continuum of each row at a pixel; they are asked for in order. No number where no good pixel
 * is within reach. */
static void smooth_at(smoother *m, int64_t pixel, double *continuum)
{
    const double t = node_of(m, pixel);
    const int64_t first = (int64_t)t - 1;
    double weight[4];
    finish_nodes(m, first, first + 3);
    const int64_t slot = first - m->base;
    anpe_grid_lagrange(4, t - (double)first, weight);
    for (int k = 0; k < 4; k++)
        weight[k] = m->norm[slot + k] > 0 ? weight[k] / m->norm[slot + k] : NAN;
    for (int64_t r = 0; r < m->rows; r++) {
        const double *sum = m->sum + r * SLOTS + slot;
        continuum[r] =
            weight[0] * sum[0] + weight[1] * sum[1] + weight[2] * sum[2] + weight[3] * sum[3];
    }
}

/* A segment of one pixel has no width to smooth over: its pixel is bad. */
static int has_width(const int64_t *segment)
{
    return segment[1] - segment[0] > 1;
}

static void start(smoother *m, double width, const double *wavelength, const int64_t *segment,
                  const anpe_spectrum *s)
{
    m->wavelength = wavelength;
    m->s = s;
    m->to = segment[1];
    m->start = wavelength[segment[0]];
    m->step = width / NODES_PER_WIDTH;
    m->next = segment[0];
    m->base = -FAR - 1;
    for (int k = 0; k < SPAN; k++)
        m->kernel[k] =
            k > 2 * FAR
                ? 0
                : exp(-0.5 * (double)((k - FAR) * (k - FAR)) / (NODES_PER_WIDTH * NODES_PER_WIDTH));
    memset(m->norm, 0, sizeof m->norm);
    memset(m->sum, 0, sizeof m->sum);
}

static anpe_status check_smooth(anpe_ctx *ctx, double width, const double *wavelength,
                                int64_t n_segments, const int64_t *segment, int64_t n_pixels)
{
    anpe_status status = anpe_grid_check_segments(ctx, n_pixels, n_segments, segment);
    for (int64_t k = 0; k < n_segments && !status; k++) {
        const int64_t from = segment[k], to = segment[k + 1];
        const double step =
            to - from < 2 ? 0 : (wavelength[to - 1] - wavelength[from]) / (double)(to - from - 1);
        if (!(width >= step))
            status = ANPE_FAIL(ctx, ANPE_EINVAL,
                               "continuum smoothed by %g Angstrom: must be at least a pixel, %g",
                               width, step);
    }
    return status;
}

anpe_status anpe_continuum_smooth(anpe_ctx *ctx, double width, const double *wavelength,
                                  int64_t n_segments, const int64_t *segment, anpe_spectrum *s)
{
    smoother m = {.rows = 1, .flux = s->flux};
    const anpe_status status =
        check_smooth(ctx, width, wavelength, n_segments, segment, s->n_pixels);
    for (int64_t k = 0; k < n_segments && !status; k++) {
        double continuum = NAN;
        start(&m, width, wavelength, segment + k, s);
        for (int64_t i = segment[k]; i < segment[k + 1]; i++) {
            if (has_width(segment + k))
                smooth_at(&m, i, &continuum);
            divide(s, i, continuum);
        }
    }
    return status;
}

static void smooth_rows(smoother *m, const int64_t *segment, float *out)
{
    double continuum[ROWS];
    for (int64_t i = segment[0]; i < segment[1]; i++) {
        smooth_at(m, i, continuum);
        for (int64_t r = 0; r < m->rows; r++)
            out[r * m->s->n_pixels + i] = (float)continuum[r];
    }
}

anpe_status anpe_continuum_smoothed(anpe_ctx *ctx, double width, const double *wavelength,
                                    int64_t n_segments, const int64_t *segment,
                                    const anpe_spectrum *s, int64_t n, const float *flux,
                                    float *continuum)
{
    smoother m;
    const anpe_status status =
        check_smooth(ctx, width, wavelength, n_segments, segment, s->n_pixels);
    if (status)
        return status;
    memset(continuum, 0, (size_t)(n * s->n_pixels) * sizeof *continuum);
    for (int64_t first = 0; first < n; first += ROWS)
        for (int64_t k = 0; k < n_segments; k++) {
            m.rows = n - first < ROWS ? n - first : ROWS;
            m.flux = flux + first * s->n_pixels;
            start(&m, width, wavelength, segment + k, s);
            if (has_width(segment + k))
                smooth_rows(&m, segment + k, continuum + first * s->n_pixels);
        }
    return ANPE_OK;
}
