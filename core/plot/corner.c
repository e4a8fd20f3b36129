/* plot/corner.c -- the posterior of one star: histograms of every label with its median and 68 %
 * interval, contours of 68 and 95 % of the mass for every pair. A second posterior, such as the
 * exact one, is laid over the first; draws with log_weight count by their weights. */
#include <config.h>
#include "file/catalogue_read.h"
#include "stat/normal.h"
#include "plot/density.h"
#include "plot/names.h"
#include "plot/plot_kind.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 2, BINS = 36 };

typedef struct draws {
    int64_t n;
    double *value;  /* (labels, n): draws of one label are neighbours */
    double *weight; /* (n) they sum to 1 */
    double *sd;     /* (labels) half of the 68 % interval */
    double kernel;  /* of the smoothing, in units of sd */
} draws;

typedef struct corner {
    int n_files;
    anpe_plot_labels labels;
    draws of[MOST_FILES];
    double *truth;   /* (labels) NAN where it is not known */
    anpe_axis *axis; /* (labels) */
} corner;

static const anpe_colour colours[MOST_FILES] = {ANPE_BLUE, ANPE_VERMILLION};
static const anpe_dash dashes[MOST_FILES] = {ANPE_SOLID, ANPE_DASHED};

/* ---- reading ----------------------------------------------------------------------------- */

static anpe_status check_shape(anpe_ctx *ctx, const anpe_plot_request *q, anpe_h5 *f,
                               int64_t n_labels, int64_t shape[8])
{
    int rank;
    anpe_status status = anpe_h5_shape(ctx, f, "samples", &rank, shape);
    if (status)
        return status;
    if (rank != 3 || shape[1] < 2 || shape[2] != n_labels)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: samples must be (spectra, draws, %lld labels)",
                         anpe_h5_path(f), (long long)n_labels);
    if (q->row >= shape[0])
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no row %lld, the file has %lld: 0 to %lld",
                         anpe_h5_path(f), (long long)q->row, (long long)shape[0],
                         (long long)shape[0] - 1);
    return ANPE_OK;
}

/* exp(log_weight), normalised; draws with a value that is not finite get none. */
static anpe_status read_weights(anpe_ctx *ctx, const anpe_plot_request *q, anpe_h5 *f, int64_t all,
                                const double *block, draws *d)
{
    double sum = 0, squares = 0, most = -INFINITY;
    for (int64_t i = 0; i < d->n; i++)
        d->weight[i] = 0;
    if (anpe_h5_has(f, "log_weight")) {
        const anpe_status status =
            anpe_h5_read_rows(ctx, f, "log_weight", ANPE_H5_DOUBLE, q->row, 1, d->n, d->weight);
        if (status)
            return status;
    }
    for (int64_t i = 0; i < d->n; i++) {
        for (int64_t k = 0; k < all; k++)
            if (!isfinite(block[i * all + k]))
                d->weight[i] = -INFINITY;
        most = fmax(most, d->weight[i]);
    }
    for (int64_t i = 0; i < d->n; i++) {
        d->weight[i] = isfinite(most) && d->weight[i] > -INFINITY ? exp(d->weight[i] - most) : 0;
        sum += d->weight[i];
        squares += d->weight[i] * d->weight[i];
    }
    if (!(sum > 0))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: row %lld has no posterior", anpe_h5_path(f),
                         (long long)q->row);
    for (int64_t i = 0; i < d->n; i++)
        d->weight[i] /= sum;
    d->kernel = 0.9 * pow(sum * sum / squares, -1.0 / 6); /* a little less than Scott's rule */
    return ANPE_OK;
}

/* all: labels in the file; index: which of them each label of the plot is. */
static anpe_status read_draws(anpe_ctx *ctx, const anpe_plot_request *q, anpe_h5 *f, int64_t all,
                              int64_t n_labels, const int64_t *index, draws *d)
{
    int64_t shape[8];
    double *block = NULL;
    anpe_status status;
    ANPE_TRY(check_shape(ctx, q, f, all, shape));
    d->n = shape[1];
    block = anpe_alloc(ctx, (size_t)(d->n * all) * sizeof *block);
    d->value = anpe_alloc(ctx, (size_t)(d->n * n_labels) * sizeof *d->value);
    d->weight = anpe_alloc(ctx, (size_t)d->n * sizeof *d->weight);
    d->sd = anpe_alloc(ctx, (size_t)n_labels * sizeof *d->sd);
    if (!block || !d->value || !d->weight || !d->sd) {
        status = ANPE_ENOMEM;
        goto out;
    }
    ANPE_TRY(anpe_h5_read_rows(ctx, f, "samples", ANPE_H5_DOUBLE, q->row, 1, d->n * all, block));
    ANPE_TRY(read_weights(ctx, q, f, all, block, d));
    for (int64_t k = 0; k < n_labels; k++)
        for (int64_t i = 0; i < d->n; i++)
            d->value[k * d->n + i] = block[i * all + index[k]];
out:
    anpe_free(block);
    return status;
}

/* The first file says which labels, the second one must have them all. */
static anpe_status take_labels(anpe_ctx *ctx, const anpe_plot_labels *all, int64_t n,
                               const int64_t *index, corner *c)
{
    if (ANPE_NEW(ctx, c->labels.name, n + 1) || ANPE_NEW(ctx, c->labels.unit, n + 1) ||
        ANPE_NEW(ctx, c->truth, n + 1) || ANPE_NEW(ctx, c->axis, n + 1))
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < n; k++) {
        c->truth[k] = NAN;
        c->labels.name[k] = anpe_strdup(ctx, all->name[index[k]]);
        c->labels.unit[k] = anpe_strdup(ctx, all->unit[index[k]]);
        if (!c->labels.name[k] || !c->labels.unit[k])
            return ANPE_ENOMEM;
        c->labels.n++;
    }
    return ANPE_OK;
}

static anpe_status same_labels(anpe_ctx *ctx, const char *path, const anpe_plot_labels *all,
                               const anpe_plot_labels *wanted, int64_t *index)
{
    for (int64_t k = 0; k < wanted->n; k++) {
        index[k] = -1;
        for (int64_t l = 0; l < all->n; l++)
            if (!strcmp(all->name[l], wanted->name[k]))
                index[k] = l;
        if (index[k] < 0)
            return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no label '%s'", path, wanted->name[k]);
    }
    return ANPE_OK;
}

static anpe_status read_file(anpe_ctx *ctx, const anpe_plot_request *q, int file, corner *c)
{
    anpe_h5 *f = NULL;
    anpe_plot_labels all = {0};
    int64_t n = 0, *index = NULL;
    anpe_status status;
    ANPE_TRY(anpe_h5_open(ctx, q->files[file], &f));
    if (!anpe_h5_has(f, "samples") || !anpe_h5_has_attribute(f, "samples", "labels")) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: plot corner wants posterior draws (anpe infer --posterior), which "
                           "this file has not",
                           q->files[file]);
        goto out;
    }
    ANPE_TRY(anpe_plot_labels_read(ctx, f, "samples", "labels", &all));
    if (file == 0) {
        ANPE_TRY(anpe_plot_labels_choose(ctx, q, q->files[0], &all, &n, &index));
        ANPE_TRY(take_labels(ctx, &all, n, index, c));
    } else {
        ANPE_TRY(ANPE_NEW(ctx, index, c->labels.n));
        ANPE_TRY(same_labels(ctx, q->files[file], &all, &c->labels, index));
    }
    ANPE_TRY(read_draws(ctx, q, f, all.n, c->labels.n, index, &c->of[file]));
out:
    free(index);
    anpe_plot_labels_clear(&all);
    anpe_h5_abandon(f); /* opened for reading */
    return status;
}

/* ---- truth ------------------------------------------------------------------------------- */

static anpe_status truth_of_file(anpe_ctx *ctx, const anpe_plot_request *q, const char *path,
                                 corner *c)
{
    anpe_catalogue_file *t;
    anpe_status status = anpe_catalogue_read_open(ctx, path, &t);
    if (status)
        return status;
    const int64_t n = anpe_catalogue_read_rows(t);
    double *column = anpe_alloc(ctx, (size_t)(n + 1) * sizeof *column);
    int found = 0;
    if (!column)
        status = ANPE_ENOMEM;
    else if (q->row >= n)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no row %lld, it has %lld", path,
                           (long long)q->row, (long long)n);
    for (int64_t k = 0; k < c->labels.n && !status; k++) {
        if (!anpe_catalogue_read_has(t, c->labels.name[k]))
            continue;
        status = anpe_catalogue_read_reals(ctx, t, c->labels.name[k], column);
        c->truth[k] = status ? NAN : column[q->row];
        found++;
    }
    if (!status && !found)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: has none of the labels", path);
    anpe_free(column);
    anpe_catalogue_read_close(t);
    return status;
}

static anpe_status read_truth(anpe_ctx *ctx, const anpe_plot_request *q, corner *c)
{
    char hint[128], name[64];
    for (int64_t t = 0; t < q->truth.n; t++) {
        const char *text = q->truth.v[t], *equals = strchr(text, '=');
        int64_t k = 0;
        char *end;
        if (!equals) {
            const anpe_status status = truth_of_file(ctx, q, text, c);
            if (status)
                return status;
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        while (k < c->labels.n && strcmp(c->labels.name[k], name))
            k++;
        if (k == c->labels.n)
            return ANPE_FAIL(ctx, ANPE_EINVAL, "--truth %s: no label '%s'%s", text, name,
                             anpe_text_hint(hint, sizeof hint, name, (int)c->labels.n,
                                            (const char *const *)c->labels.name));
        c->truth[k] = strtod(equals + 1, &end);
        if (end == equals + 1 || *end || !isfinite(c->truth[k]))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "--truth %s: '%s' is not a number", text,
                             equals + 1);
    }
    return ANPE_OK;
}

/* ---- statistics -------------------------------------------------------------------------- */

typedef struct weighted {
    double value, weight;
} weighted;

static int by_value(const void *a, const void *b)
{
    const double x = ((const weighted *)a)->value, y = ((const weighted *)b)->value;
    return (x > y) - (x < y);
}

/* Quantiles of weighted draws; draws without weight do not count. */
static anpe_status quantiles(anpe_ctx *ctx, const draws *d, int64_t label, int n, const double *q,
                             double *out)
{
    weighted *sorted;
    int64_t m = 0;
    if (ANPE_NEW(ctx, sorted, d->n))
        return ANPE_ENOMEM;
    for (int64_t i = 0; i < d->n; i++)
        if (d->weight[i] > 0)
            sorted[m++] = (weighted){d->value[label * d->n + i], d->weight[i]};
    qsort(sorted, (size_t)m, sizeof *sorted, by_value);
    for (int k = 0; k < n; k++) {
        double sum = 0;
        int64_t i = 0;
        while (i + 1 < m && sum + sorted[i].weight < q[k])
            sum += sorted[i++].weight;
        out[k] = sorted[i].value;
    }
    free(sorted);
    return ANPE_OK;
}

/* Axes hold nearly all draws of both posteriors, and the truth. */
static anpe_status set_axes(anpe_ctx *ctx, corner *c)
{
    static const double at[4] = {0.002, 0.998, ANPE_P16, ANPE_P84};
    double range[4];
    for (int64_t k = 0; k < c->labels.n; k++)
        for (int file = 0; file < c->n_files; file++) {
            anpe_axis a = {0};
            const anpe_status status = quantiles(ctx, &c->of[file], k, 4, at, range);
            if (status)
                return status;
            c->of[file].sd[k] = 0.5 * (range[3] - range[2]);
            anpe_axis_cover(&a, 0.15, 2, range);
            if (file == 0)
                c->axis[k] = a;
            else
                anpe_axis_join(&c->axis[k], &a);
            if (isfinite(c->truth[k])) {
                const double room = 0.03 * (c->axis[k].hi - c->axis[k].lo);
                c->axis[k].lo = fmin(c->axis[k].lo, c->truth[k] - room);
                c->axis[k].hi = fmax(c->axis[k].hi, c->truth[k] + room);
            }
        }
    return ANPE_OK;
}

static void unload(void *data)
{
    corner *c = data;
    for (int k = 0; k < MOST_FILES; k++) {
        anpe_free(c->of[k].value);
        anpe_free(c->of[k].weight);
        anpe_free(c->of[k].sd);
    }
    anpe_plot_labels_clear(&c->labels);
    free(c->truth);
    free(c->axis);
    free(c);
}

static anpe_status load(anpe_ctx *ctx, const anpe_plot_request *q, void **data)
{
    anpe_status status;
    corner *c;
    if (ANPE_NEW(ctx, c, 1))
        return ANPE_ENOMEM;
    *data = c;
    c->n_files = q->n_files;
    for (int k = 0; k < q->n_files; k++)
        ANPE_TRY(read_file(ctx, q, k, c));
    ANPE_TRY(read_truth(ctx, q, c));
    ANPE_TRY(set_axes(ctx, c));
out:
    return status;
}

/* ---- drawing ----------------------------------------------------------------------------- */

static const double left = 13, below = 10.5, above = 8.5, between = 1.2;

static void size(const void *data, double *width, double *height)
{
    const int n = (int)((const corner *)data)->labels.n;
    const double box = fmin(fmax((ANPE_PAGE_MM - left - 2) / n, 13), 40);
    *width = left + 2 + n * box;
    *height = below + above + n * box;
}

static anpe_box box_of(const corner *c, double width, double height, double top, int64_t column,
                       int64_t row)
{
    const double n = (double)c->labels.n, w = (width - left - 2) / n;
    const double h = (height - below - above - top) / n;
    const double x = left + w * (double)column, y = height - top - above - h * (double)(row + 1);
    return (anpe_box){x, y, x + w - between, y + h - between};
}

/* Points are small where there are many panels. */
static double text_size(const corner *c)
{
    return c->labels.n <= 6 ? 6.5 : c->labels.n <= 10 ? 5.5 : 4.5;
}

/* "4801 +12/-13" with as many decimals as the interval has two digits. */
static void interval_text(char text[160], const double q[3])
{
    const double least = fmin(q[1] - q[0], q[2] - q[1]);
    const int places = least > 0 ? (int)fmin(fmax(ceil(1 - log10(least) - 1e-9), 0), 8) : 3;
    snprintf(text, 160, "%s%.*f +%.*f/\xe2\x88\x92%.*f", q[1] < 0 ? "\xe2\x88\x92" : "", places,
             fabs(q[1]), places, q[2] - q[1], places, q[1] - q[0]);
}

static anpe_status draw_title(anpe_ctx *ctx, anpe_figure *f, const corner *c, const anpe_panel *p,
                              int64_t k, anpe_text *text)
{
    static const double levels[3] = {ANPE_P16, 0.5, ANPE_P84};
    char name[96], line[160] = "";
    double q[3];
    const double height = p->size * 25.4 / 72, x = 0.5 * (p->box.x0 + p->box.x1);
    for (int file = 0; file < c->n_files; file++) {
        const anpe_status status = quantiles(ctx, &c->of[file], k, 3, levels, q);
        if (status)
            return status;
        anpe_text_add(text, "  %-10s %-6s %12.6g  +%.3g  -%.3g\n", c->labels.name[k],
                      c->labels.unit[k], q[1], q[2] - q[1], q[1] - q[0]);
        anpe_figure_ink(f, colours[file], 1);
        anpe_figure_pen(f, 0.5, file ? ANPE_DASHED : ANPE_DOTTED);
        for (int i = 0; i < 3; i++)
            anpe_panel_mark(f, p, q[i]);
        if (file == 0)
            interval_text(line, q);
    }
    anpe_figure_ink(f, ANPE_BLACK, 1);
    const double fits = (p->box.x1 - p->box.x0) / anpe_figure_text_width(p->size, line);
    anpe_figure_text(f, x, p->box.y1 + 2.6 * height, p->size + 0.5, 0.5,
                     anpe_plot_axis(name, &c->labels, k));
    anpe_figure_text(f, x, p->box.y1 + 0.9 * height, p->size * fmin(fits, 1), 0.5, line);
    return ANPE_OK;
}

static double histogram(const corner *c, int file, int64_t k, double bin[BINS])
{
    const draws *d = &c->of[file];
    const anpe_axis *a = &c->axis[k];
    double most = 0;
    for (int b = 0; b < BINS; b++)
        bin[b] = 0;
    for (int64_t i = 0; i < d->n; i++) {
        const double u = (d->value[k * d->n + i] - a->lo) / (a->hi - a->lo);
        if (u >= 0 && u < 1)
            bin[(int)(u * BINS)] += d->weight[i];
    }
    for (int b = 0; b < BINS; b++)
        most = fmax(most, bin[b]);
    return most;
}

static void draw_steps(anpe_figure *f, const anpe_panel *p, const double bin[BINS], int file)
{
    double x[2 * BINS + 2], y[2 * BINS + 2];
    x[0] = p->box.x0;
    x[2 * BINS + 1] = p->box.x1;
    y[0] = y[2 * BINS + 1] = p->box.y0;
    for (int b = 0; b < BINS; b++) {
        x[2 * b + 1] = p->box.x0 + (p->box.x1 - p->box.x0) * b / BINS;
        x[2 * b + 2] = p->box.x0 + (p->box.x1 - p->box.x0) * (b + 1) / BINS;
        y[2 * b + 1] = y[2 * b + 2] = anpe_panel_y(p, bin[b]);
    }
    if (file == 0) {
        anpe_figure_tint(f, colours[file], 0.25);
        anpe_figure_fill(f, 2 * BINS + 2, x, y);
    }
    anpe_figure_ink(f, colours[file], 1);
    anpe_figure_pen(f, 0.8, dashes[file]);
    anpe_figure_line(f, 2 * BINS + 2, x, y);
}

static void draw_truth_lines(anpe_figure *f, const anpe_panel *p, double x, double y)
{
    anpe_figure_ink(f, ANPE_BLACK, 0.85);
    anpe_figure_pen(f, 0.6, ANPE_SOLID);
    if (isfinite(x))
        anpe_panel_mark(f, p, x);
    if (isfinite(y))
        anpe_panel_level(f, p, y);
    if (isfinite(x) && isfinite(y))
        anpe_panel_points(f, p, ANPE_SQUARE, 0.6, 1, 1, &x, &y);
}

static anpe_status draw_diagonal(anpe_ctx *ctx, anpe_figure *f, const corner *c, anpe_panel *p,
                                 int64_t k, anpe_text *text)
{
    double bin[MOST_FILES][BINS], most = 0;
    for (int file = 0; file < c->n_files; file++)
        most = fmax(most, histogram(c, file, k, bin[file]));
    p->y = (anpe_axis){.lo = 0, .hi = 1.12 * most, .bare = 1};
    for (int file = 0; file < c->n_files; file++)
        draw_steps(f, p, bin[file], file);
    draw_truth_lines(f, p, c->truth[k], NAN);
    const anpe_status status = draw_title(ctx, f, c, p, k, text);
    p->y.bare = 2;
    anpe_panel_frame(f, p);
    return status;
}

static void draw_polygons(anpe_figure *f, const anpe_panel *p, const anpe_contours *c, int holes,
                          int filled)
{
    for (int k = 0; k < c->n; k++) {
        const int from = c->first[k], n = c->first[k + 1] - from;
        double *xy = malloc(2 * (size_t)(n + 1) * sizeof *xy);
        if (!xy || (filled && (c->area[k] < 0) != holes)) {
            free(xy);
            continue;
        }
        for (int i = 0; i <= n; i++) {
            xy[i] = p->box.x0 + (p->box.x1 - p->box.x0) * c->u[from + i % n];
            xy[n + 1 + i] = p->box.y0 + (p->box.y1 - p->box.y0) * c->v[from + i % n];
        }
        if (filled)
            anpe_figure_fill(f, n, xy, xy + n + 1);
        else
            anpe_figure_line(f, n + 1, xy, xy + n + 1);
        free(xy);
    }
}

/* The first posterior is filled, 95 % light and 68 % darker; the second one is lines. */
static anpe_status draw_contours(anpe_ctx *ctx, anpe_figure *f, const anpe_panel *p, int file,
                                 const anpe_density *density)
{
    static const double mass[2] = {ANPE_COVER95, ANPE_COVER68};
    static const double tint[3] = {0, 0.22, 0.5};
    for (int k = 0; k < 2; k++) {
        anpe_contours c;
        if (anpe_contours_of(density, anpe_density_enclosing(density, mass[k]), &c))
            return ANPE_NO_MEMORY(ctx, "contours");
        for (int holes = 0; holes < 2 && file == 0; holes++) {
            anpe_figure_tint(f, colours[file], tint[holes ? k : k + 1]);
            draw_polygons(f, p, &c, holes, 1);
        }
        anpe_figure_ink(f, colours[file], 1);
        anpe_figure_pen(f, 0.7, dashes[file]);
        draw_polygons(f, p, &c, 0, 0);
        anpe_contours_clear(&c);
    }
    return ANPE_OK;
}

/* Width of the smoothing kernel in cells, at least half a cell. */
static double kernel_of(const draws *d, int64_t k, const anpe_axis *a)
{
    return fmax(0.5, d->kernel * d->sd[k] / (a->hi - a->lo) * ANPE_DENSITY_CELLS);
}

static anpe_status draw_pair(anpe_ctx *ctx, anpe_figure *f, const corner *c, const anpe_panel *p,
                             int64_t kx, int64_t ky)
{
    anpe_status status = ANPE_OK;
    for (int file = 0; file < c->n_files && !status; file++) {
        const draws *d = &c->of[file];
        anpe_density density;
        double *uv = anpe_alloc(ctx, 2 * (size_t)d->n * sizeof *uv);
        if (!uv)
            return ANPE_ENOMEM;
        for (int64_t i = 0; i < d->n; i++) {
            uv[i] = (d->value[kx * d->n + i] - p->x.lo) / (p->x.hi - p->x.lo);
            uv[d->n + i] = (d->value[ky * d->n + i] - p->y.lo) / (p->y.hi - p->y.lo);
        }
        anpe_density_of(&density, d->n, uv, uv + d->n, d->weight, kernel_of(d, kx, &p->x),
                        kernel_of(d, ky, &p->y));
        anpe_free(uv);
        status = draw_contours(ctx, f, p, file, &density);
    }
    draw_truth_lines(f, p, c->truth[kx], c->truth[ky]);
    anpe_panel_frame(f, p);
    return status;
}

static void draw_legend(anpe_figure *f, const anpe_plot_request *q, double width, double height)
{
    char text[128];
    for (int k = 0; k < q->n_files && q->n_files > 1; k++) {
        const double y = height - 12 - 4 * k, x = width - 4;
        anpe_names_plain(text, sizeof text, anpe_text_basename(q->files[k]));
        const double wide = anpe_figure_text_width(7, text);
        anpe_figure_ink(f, ANPE_BLACK, 1);
        anpe_figure_text(f, x, y, 7, 1, text);
        anpe_figure_ink(f, colours[k], 1);
        anpe_figure_pen(f, 1.2, dashes[k]);
        anpe_figure_segment(f, x - wide - 9, y, x - wide - 2, y);
    }
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text)
{
    const corner *c = data;
    const double top = anpe_plot_title(f, q, width, height) - 1;
    const int64_t n = c->labels.n;
    anpe_status status = ANPE_OK;
    for (int64_t ky = 0; ky < n && !status; ky++)
        for (int64_t kx = 0; kx <= ky && !status; kx++) {
            char x_title[96], y_title[96];
            anpe_panel p = {box_of(c, width, height, top, kx, ky), c->axis[kx], c->axis[ky],
                            text_size(c), 9.5};
            p.x.tight = p.y.tight = 1;
            p.x.bare = ky < n - 1;
            p.y.bare = kx > 0;
            p.x.title = anpe_plot_axis(x_title, &c->labels, kx);
            p.y.title = anpe_plot_axis(y_title, &c->labels, ky);
            status = kx == ky ? draw_diagonal(ctx, f, c, &p, kx, text)
                              : draw_pair(ctx, f, c, &p, kx, ky);
        }
    draw_legend(f, q, width, height);
    return status;
}

const anpe_plot_kind anpe_plot_corner = {load, size, draw, unload};
