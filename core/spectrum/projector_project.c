/* The product of a projection with a batch of spectra, and its transpose.
 *
 * On a grid uniform in x the shift is a whole number of steps and a rest. The rest is an 8-point
 * Lagrange interpolation with the same weights everywhere, which keeps the sum of the flux; the
 * rows of the pixels, the large part, were found once, in set-up. Strips of pixels and tiles of
 * spectra keep what is between the two, and the rows of a strip for a whole block of spectra, in
 * the nearest caches: a batch is read once and written once. */
#include "kernel/banded.h"
#include "spectrum/grid.h"
#include "spectrum/projector_private.h"

#include <math.h>
#include <string.h>

_Static_assert((int)ANPE_PROJECTOR_TAPS == (int)ANPE_BANDED_TAPS, "the filter of a shift");

/* A shift by whole steps and a fraction; of nothing at all where there is no filter to apply. */
typedef struct shift {
    int filtered;
    int64_t whole;
    float weight[ANPE_PROJECTOR_TAPS];
} shift;

/* in(k + at), or its derivative with respect to s, is the filtered input from column
 * k + whole - TAPS / 2 + 1 on. */
static shift shift_of(const anpe_projector *p, int slope, double s)
{
    const double most = (double)p->max_steps, at = fmin(fmax(-s / p->h, -most), most);
    const double whole = floor(at), t = at - whole + ANPE_PROJECTOR_TAPS / 2 - 1;
    double exact[ANPE_PROJECTOR_TAPS];
    shift q = {.filtered = slope || at != 0, .whole = (int64_t)whole};
    if (slope)
        anpe_grid_lagrange_slope(ANPE_PROJECTOR_TAPS, t, exact);
    else
        anpe_grid_lagrange(ANPE_PROJECTOR_TAPS, t, exact);
    for (int m = 0; m < ANPE_PROJECTOR_TAPS; m++)
        q.weight[m] = (float)(slope ? -exact[m] / p->h : exact[m]);
    return q;
}

/* Columns of the uniform grid that a strip needs under this shift. */
static void columns_of(const anpe_projector_strip *strip, const shift *q, int64_t *from, int64_t *n)
{
    *from = strip->first + (q->filtered ? q->whole - (ANPE_PROJECTOR_TAPS / 2 - 1) : 0);
    *n = strip->count + (q->filtered ? ANPE_PROJECTOR_TAPS - 1 : 0);
}

/* The part of n columns from `from` on that lies on the grid, one column at least: count columns
 * from `at`, of which the window's start lies `before` to the left. Those beside it are copies. */
typedef struct part {
    int64_t at, count, before;
} part;

static int64_t clamp(int64_t k, int64_t last)
{
    return k < 0 ? 0 : k > last ? last : k;
}

static part part_of(const anpe_projector *p, int64_t from, int64_t n)
{
    const int64_t last = p->n_uniform - 1, a = clamp(from, last), b = clamp(from + n - 1, last);
    return (part){a, b - a + 1, clamp(a - from, n - 1)};
}

static void fill_window(const anpe_projector *p, const float *in, int64_t from, int64_t n,
                        float *out)
{
    const part q = part_of(p, from, n);
    float *inside = out + q.before;
    if (p->resampled)
        anpe_banded_cubic(q.count, p->source + q.at, p->source_weight + 4 * q.at, in, inside);
    else
        memcpy(inside, in + q.at, (size_t)q.count * sizeof *out);
    for (int64_t k = 0; k < q.before; k++)
        out[k] = inside[0];
    for (int64_t k = q.before + q.count; k < n; k++)
        out[k] = inside[q.count - 1];
}

/* The transpose: adds the window w (n), which it spoils, to x (n_in). */
static void spill_window(const anpe_projector *p, int64_t from, int64_t n, float *w, float *x)
{
    const part q = part_of(p, from, n);
    float *inside = w + q.before;
    for (int64_t k = 0; k < q.before; k++)
        inside[0] += w[k];
    for (int64_t k = q.before + q.count; k < n; k++)
        inside[q.count - 1] += w[k];
    if (p->resampled)
        anpe_banded_cubic_transpose(q.count, p->source + q.at, p->source_weight + 4 * q.at, inside,
                                    x);
    for (int64_t k = 0; !p->resampled && k < q.count; k++)
        x[q.at + k] += inside[k];
}

static anpe_banded rows_of(const anpe_projector *p)
{
    return (anpe_banded){p->first, p->offset, p->weight};
}

/* Windows of a tile: the grid's columns, then the shifted ones. */
static int64_t room(const anpe_projector *p)
{
    return p->window + ANPE_PROJECTOR_TAPS;
}

size_t anpe_projector_project_scratch(const anpe_projector *p)
{
    return (size_t)(2 * ANPE_BANDED_TILE * room(p)) * sizeof(float);
}

/* Spectrum `in` under a shift, where the strip's columns start. It is read where it is if it can
 * be, else it comes to memory (2 room). */
static const float *strip_columns(const anpe_projector *p, const anpe_projector_strip *strip,
                                  const shift *q, const float *in, float *memory)
{
    int64_t from, n;
    const float *columns = memory;
    columns_of(strip, q, &from, &n);
    if (!p->resampled && from >= 0 && from + n <= p->n_uniform)
        columns = in + from;
    else
        fill_window(p, in, from, n, memory);
    if (!q->filtered)
        return columns;
    anpe_banded_filter(strip->count, q->weight, columns, memory + room(p));
    return memory + room(p);
}

/* Where in spectrum `in` the columns are that the strip will be read from. */
static const float *coming(const anpe_projector *p, const anpe_projector_strip *strip,
                           const shift *q, const float *in)
{
    int64_t from, n;
    columns_of(strip, q, &from, &n);
    return in + (p->resampled ? p->source[part_of(p, from, n).at] : part_of(p, from, n).at);
}

void anpe_projector_project(const anpe_projector *p, int slope, int64_t n, const double *s,
                            const float *in, float *out, float *scratch)
{
    const anpe_banded rows = rows_of(p);
    const float *x[ANPE_BANDED_TILE], *next[ANPE_BANDED_TILE];
    float *y[ANPE_PROJECTOR_BLOCK];
    shift q[ANPE_PROJECTOR_BLOCK];
    for (int64_t k = 0; k < n; k++) {
        q[k] = shift_of(p, slope, s[k]);
        y[k] = out + k * p->n_out;
    }
    for (const anpe_projector_strip *t = p->strip; t < p->strip + p->n_strips; t++)
        for (int64_t first = 0; first < n; first += ANPE_BANDED_TILE) {
            const int64_t tile = n - first < ANPE_BANDED_TILE ? n - first : ANPE_BANDED_TILE;
            for (int64_t k = 0; k < tile; k++)
                x[k] = strip_columns(p, t, &q[first + k], in + (first + k) * p->n_in,
                                     scratch + 2 * k * room(p));
            for (int64_t k = 0; k < tile; k++)
                next[k] = first + tile + k < n ? coming(p, t, &q[first + tile + k],
                                                        in + (first + tile + k) * p->n_in)
                                               : x[k];
            anpe_banded_apply(&rows, t->from, t->to, t->first, tile, x, next, y + first);
        }
}

void anpe_projector_project_transpose(const anpe_projector *p, int64_t n, const double *s,
                                      const float *out, float *in, float *scratch)
{
    const anpe_banded rows = rows_of(p);
    float *shifted = scratch + room(p);
    memset(in, 0, (size_t)(n * p->n_in) * sizeof *in);
    for (int64_t k = 0; k < n; k++) {
        const shift q = shift_of(p, 0, s[k]);
        for (const anpe_projector_strip *t = p->strip; t < p->strip + p->n_strips; t++) {
            int64_t from, columns;
            columns_of(t, &q, &from, &columns);
            memset(shifted, 0, (size_t)t->count * sizeof *shifted);
            anpe_banded_transpose(&rows, t->from, t->to, t->first, out + k * p->n_out, shifted);
            memset(scratch, 0, (size_t)columns * sizeof *scratch);
            if (q.filtered)
                anpe_banded_filter_transpose(t->count, q.weight, shifted, scratch);
            spill_window(p, from, columns, q.filtered ? scratch : shifted, in + k * p->n_in);
        }
    }
}
