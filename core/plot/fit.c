/* plot/fit.c -- the best-fit spectrum over the observed one, residuals below, as figures 2 and 3 of
 * Zhang, Jayasinghe & Bloom (2023). Bad pixels are left out: nothing is drawn across them nor from
 * one detector to the next. */
#include <config.h>
#include "base/text.h"
#include "plot/names.h"
#include "plot/plot_kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 400 }; /* good pixels of a panel that are drawn with error bars */

typedef struct fit {
    int64_t n_rows, n_pixels, n_segments, n_panels;
    int64_t *segment; /* (n_segments + 1) first pixels */
    int has_wavelength;
    double *x;                   /* (n_pixels) wavelength or pixel number */
    double *flux, *sigma, *best; /* (n_pixels) NAN in bad pixels */
    double *range;               /* (n_panels, 2) of x */
    anpe_plot_labels labels;
    double *theta; /* (labels) */
    double chi2;
    int64_t n_good;
    char *id;
} fit;

/* ---- reading ----------------------------------------------------------------------------- */

static anpe_status check_row(anpe_ctx *ctx, const anpe_plot_request *q, anpe_h5 *f, fit *s)
{
    int rank;
    int64_t shape[8];
    anpe_status status = anpe_h5_shape(ctx, f, "flux", &rank, shape);
    if (status)
        return status;
    if (rank != 2 || shape[1] < 2)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: flux must be (spectra, pixels)", anpe_h5_path(f));
    if (q->row >= shape[0])
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no row %lld, the file has %lld: 0 to %lld",
                         anpe_h5_path(f), (long long)q->row, (long long)shape[0],
                         (long long)shape[0] - 1);
    s->n_rows = shape[0];
    s->n_pixels = shape[1];
    double **const arrays[] = {&s->x, &s->flux, &s->sigma, &s->best};
    for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++)
        if (!(*arrays[k] = anpe_alloc(ctx, (size_t)s->n_pixels * sizeof **arrays[k])))
            return ANPE_ENOMEM;
    return ANPE_OK;
}

static anpe_status read_pixels(anpe_ctx *ctx, const anpe_plot_request *q, anpe_h5 *f, fit *s)
{
    anpe_status status;
    uint8_t *mask = anpe_alloc(ctx, (size_t)s->n_pixels);
    if (!mask)
        return ANPE_ENOMEM;
    ANPE_TRY(anpe_h5_read_rows(ctx, f, "flux", ANPE_H5_DOUBLE, q->row, 1, s->n_pixels, s->flux));
    ANPE_TRY(anpe_h5_read_rows(ctx, f, "sigma", ANPE_H5_DOUBLE, q->row, 1, s->n_pixels, s->sigma));
    ANPE_TRY(anpe_h5_read_rows(ctx, f, "best", ANPE_H5_DOUBLE, q->row, 1, s->n_pixels, s->best));
    ANPE_TRY(anpe_h5_read_mask(ctx, f, "mask", q->row, 1, s->n_pixels, mask));
    s->has_wavelength = anpe_h5_has(f, "wavelength");
    if (s->has_wavelength)
        ANPE_TRY(anpe_h5_read(ctx, f, "wavelength", ANPE_H5_DOUBLE, s->n_pixels, s->x));
    for (int64_t i = 0; i < s->n_pixels; i++) {
        if (!s->has_wavelength)
            s->x[i] = (double)i;
        if (mask[i] || !isfinite(s->flux[i]) || !isfinite(s->best[i]) || !(s->sigma[i] > 0))
            s->flux[i] = s->best[i] = s->sigma[i] = NAN;
        else
            s->n_good++;
    }
    if (!s->n_good)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: row %lld has no prediction", anpe_h5_path(f),
                           (long long)q->row);
out:
    anpe_free(mask);
    return status;
}

static anpe_status read_segments(anpe_ctx *ctx, anpe_h5 *f, fit *s)
{
    int rank = 1;
    int64_t shape[8] = {2};
    const int given = anpe_h5_has(f, "segment");
    anpe_status status = given ? anpe_h5_shape(ctx, f, "segment", &rank, shape) : ANPE_OK;
    if (status)
        return status;
    if (rank != 1 || shape[0] < 2)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: segment must be (segments + 1)", anpe_h5_path(f));
    s->n_segments = shape[0] - 1;
    s->segment = anpe_alloc(ctx, (size_t)shape[0] * sizeof *s->segment);
    if (!s->segment)
        return ANPE_ENOMEM;
    s->segment[1] = s->n_pixels;
    if (given)
        status = anpe_h5_read(ctx, f, "segment", ANPE_H5_INT64, shape[0], s->segment);
    for (int64_t k = 0; k < s->n_segments && !status; k++)
        if (s->segment[k] < 0 || s->segment[k] >= s->segment[k + 1] ||
            s->segment[k + 1] > s->n_pixels)
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: segment must ascend from 0 to %lld",
                               anpe_h5_path(f), (long long)s->n_pixels);
    return status;
}

/* What is said above the panels; a file without it has fewer words. */
static anpe_status read_words(anpe_ctx *ctx, const anpe_plot_request *q, anpe_h5 *f, fit *s)
{
    char **ids = NULL;
    anpe_status status;
    s->chi2 = NAN;
    if (anpe_h5_has(f, "chi2_best"))
        ANPE_TRY(anpe_h5_read_rows(ctx, f, "chi2_best", ANPE_H5_DOUBLE, q->row, 1, 1, &s->chi2));
    if (anpe_h5_has(f, "id")) {
        if (ANPE_NEW(ctx, ids, s->n_rows + 1))
            return ANPE_ENOMEM;
        ANPE_TRY(anpe_h5_read_texts(ctx, f, "id", s->n_rows, ids));
        if (!(s->id = anpe_strdup(ctx, ids[q->row])))
            status = ANPE_ENOMEM;
    }
    if (!status && anpe_h5_has(f, "theta_best")) {
        ANPE_TRY(anpe_plot_labels_read(ctx, f, "theta_best", "labels", &s->labels));
        ANPE_TRY(ANPE_NEW(ctx, s->theta, s->labels.n));
        status = anpe_h5_read_rows(ctx, f, "theta_best", ANPE_H5_DOUBLE, q->row, 1, s->labels.n,
                                   s->theta);
    }
out:
    anpe_h5_texts_free(ids ? s->n_rows : 0, ids);
    return status;
}

/* One panel per zoom or segment. */
static anpe_status set_panels(anpe_ctx *ctx, const anpe_plot_request *q, fit *s)
{
    s->n_panels = q->zoom.n ? q->zoom.n : s->n_segments;
    s->range = anpe_alloc(ctx, 2 * (size_t)s->n_panels * sizeof *s->range);
    if (!s->range)
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < s->n_panels; k++) {
        double *r = s->range + 2 * k;
        char rest;
        int64_t inside = 0;
        if (!q->zoom.n) {
            r[0] = s->x[s->segment[k]];
            r[1] = s->x[s->segment[k + 1] - 1];
            continue;
        }
        if (sscanf(q->zoom.v[k], "%lf:%lf%c", &r[0], &r[1], &rest) != 2 || !(r[0] < r[1]))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "--zoom must be LO:HI, not '%s'", q->zoom.v[k]);
        for (int64_t i = 0; i < s->n_pixels; i++)
            inside += isfinite(s->flux[i]) && s->x[i] >= r[0] && s->x[i] <= r[1];
        if (inside < 2)
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "--zoom %s: no good pixels there; the spectrum is "
                             "from %g to %g",
                             q->zoom.v[k], s->x[0], s->x[s->n_pixels - 1]);
    }
    return ANPE_OK;
}

static void unload(void *data)
{
    fit *s = data;
    anpe_free(s->x);
    anpe_free(s->flux);
    anpe_free(s->sigma);
    anpe_free(s->best);
    anpe_free(s->segment);
    anpe_free(s->range);
    anpe_plot_labels_clear(&s->labels);
    free(s->theta);
    free(s->id);
    free(s);
}

static anpe_status load(anpe_ctx *ctx, const anpe_plot_request *q, void **data)
{
    anpe_h5 *f = NULL;
    anpe_status status;
    fit *s;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    *data = s;
    ANPE_TRY(anpe_plot_open(ctx, q, q->files[0], "anpe predictions",
                            "model spectra (anpe infer --predict)", &f));
    ANPE_TRY(check_row(ctx, q, f, s));
    ANPE_TRY(read_pixels(ctx, q, f, s));
    ANPE_TRY(read_segments(ctx, f, s));
    ANPE_TRY(read_words(ctx, q, f, s));
    ANPE_TRY(set_panels(ctx, q, s));
out:
    anpe_h5_abandon(f); /* opened for reading */
    return status;
}

/* ---- drawing ----------------------------------------------------------------------------- */

static const double left = 13, right = 4.5, between = 6, below = 10; /* below: under the last one */

static void size(const void *data, double *width, double *height)
{
    const fit *s = data;
    const double each = s->n_panels == 1 ? 62 : s->n_panels == 2 ? 55 : 48;
    *width = ANPE_PAGE_MM;
    *height = 6 + (double)s->n_panels * (each + between) + below - between;
}

/* The pixels of one panel, with a gap (NAN) between segments. */
typedef struct part {
    int64_t n, n_good;
    double *x, *flux, *lo, *hi, *best, *residual, *scratch; /* (n_pixels + n_segments) each */
} part;

static void take_part(const fit *s, const double range[2], part *p)
{
    p->n = p->n_good = 0;
    for (int64_t k = 0; k < s->n_segments; k++) {
        for (int64_t i = s->segment[k]; i < s->segment[k + 1]; i++) {
            if (s->x[i] < range[0] || s->x[i] > range[1])
                continue;
            p->x[p->n] = s->x[i];
            p->flux[p->n] = s->flux[i];
            p->best[p->n] = s->best[i];
            p->lo[p->n] = s->flux[i] - s->sigma[i];
            p->hi[p->n] = s->flux[i] + s->sigma[i];
            p->residual[p->n++] = (s->flux[i] - s->best[i]) / s->sigma[i];
            p->n_good += isfinite(s->flux[i]);
        }
        p->x[p->n] = s->x[s->segment[k + 1] - 1];
        p->flux[p->n] = p->best[p->n] = p->lo[p->n] = p->hi[p->n] = p->residual[p->n] = NAN;
        p->n++;
    }
}

static void draw_spectra(anpe_figure *f, anpe_panel *p, const part *s)
{
    anpe_axis model = {0};
    anpe_axis_cover_most(&p->y, 0.002, 0.1, s->n, s->flux, s->scratch);
    anpe_axis_cover(&model, 0.1, s->n, s->best);
    anpe_axis_join(&p->y, &model);
    if (s->n_good <= FEW) {
        anpe_figure_ink(f, ANPE_GREY, 0.7);
        anpe_figure_pen(f, 0.35, ANPE_SOLID);
        anpe_panel_bars(f, p, s->n, s->x, s->lo, s->hi);
        anpe_figure_ink(f, ANPE_BLACK, 1);
        anpe_panel_points(f, p, ANPE_CIRCLE, 0.32, 1, s->n, s->x, s->flux);
    } else {
        anpe_figure_ink(f, ANPE_BLACK, 0.55);
        anpe_figure_pen(f, 1, ANPE_SOLID);
        anpe_panel_line(f, p, s->n, s->x, s->flux);
    }
    anpe_figure_ink(f, ANPE_VERMILLION, 1);
    anpe_figure_pen(f, s->n_good <= FEW ? 0.8 : 0.4, ANPE_SOLID);
    anpe_panel_line(f, p, s->n, s->x, s->best);
    anpe_panel_frame(f, p);
}

static void draw_residuals(anpe_figure *f, anpe_panel *p, const part *s)
{
    anpe_axis_cover_most(&p->y, 0.005, 0.2, s->n, s->residual, s->scratch);
    p->y.hi = fmax(p->y.hi, 4);
    anpe_axis_symmetric(&p->y);
    anpe_figure_tint(f, ANPE_LIGHT, 0.8);
    anpe_panel_band(f, p, 2, (const double[]){p->x.lo, p->x.hi}, (const double[]){-1, -1},
                    (const double[]){1, 1});
    anpe_figure_ink(f, ANPE_BLUE, 1);
    anpe_figure_pen(f, 0.4, ANPE_SOLID);
    if (s->n_good <= FEW)
        anpe_panel_points(f, p, ANPE_CIRCLE, 0.32, 1, s->n, s->x, s->residual);
    else
        anpe_panel_line(f, p, s->n, s->x, s->residual);
    anpe_figure_ink(f, ANPE_VERMILLION, 1);
    anpe_figure_pen(f, 0.6, ANPE_SOLID);
    anpe_panel_level(f, p, 0);
    anpe_panel_frame(f, p);
}

static void draw_panel(anpe_figure *f, const fit *s, const anpe_box *box, const double range[2],
                       int last, part *work)
{
    const double cut = box->y0 + 0.3 * (box->y1 - box->y0);
    const double margin = 0.008 * (range[1] - range[0]);
    anpe_panel p = {{box->x0, cut + 0.5, box->x1, box->y1},
                    {.lo = range[0] - margin, .hi = range[1] + margin, .bare = 1},
                    {.title = s->has_wavelength ? "normalised flux" : "flux", .tight = 1},
                    6.5,
                    9.5};
    anpe_panel r = p;
    take_part(s, range, work);
    draw_spectra(f, &p, work);
    r.box = (anpe_box){box->x0, box->y0, box->x1, cut - 0.5};
    r.x.bare = 0;
    r.x.title = !last ? NULL : s->has_wavelength ? "wavelength (vacuum) [\xc3\x85]" : "pixel";
    r.y.title = "residual / \xcf\x83";
    draw_residuals(f, &r, work);
}

static void describe(const fit *s, anpe_text *line, int64_t row)
{
    char name[96], unit[40], number[32];
    char plain[128];
    if (s->id && s->id[0])
        anpe_text_add(line, "%s", anpe_names_plain(plain, sizeof plain, s->id));
    else
        anpe_text_add(line, "row %lld", (long long)row);
    if (isfinite(s->chi2))
        anpe_text_add(line, "    \xcf\x87#u2#d/#<italic/>N#<upright/> = %.2f",
                      s->chi2 / (double)s->n_good);
    for (int64_t k = 0; k < s->labels.n && k < 7 && s->theta; k++) {
        anpe_plot_number(number, s->theta[k], 3);
        anpe_text_add(line, "   %s = %s%s", anpe_names_label(name, sizeof name, s->labels.name[k]),
                      number, anpe_names_unit(unit, sizeof unit, s->labels.unit[k]));
    }
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text)
{
    const fit *s = data;
    const double title = q->title ? anpe_plot_title(f, q, width, height) : 0, top = title + 6;
    const double each = (height - top - below + between) / (double)s->n_panels;
    const size_t most = (size_t)(s->n_pixels + s->n_segments);
    anpe_text line = {0};
    double *block = anpe_alloc(ctx, 7 * most * sizeof *block);
    if (!block)
        return ANPE_ENOMEM;
    part work = {0,
                 0,
                 block,
                 block + most,
                 block + 2 * most,
                 block + 3 * most,
                 block + 4 * most,
                 block + 5 * most,
                 block + 6 * most};
    describe(s, &line, q->row);
    anpe_figure_ink(f, ANPE_BLACK, 1);
    double points = ANPE_TEXT_POINTS;
    if (line.text) {
        const double wide = anpe_figure_text_width(points, line.text);
        points *= fmin(1, (width - left - right) / wide);
        anpe_figure_text(f, left, height - title - 3, points, 0, line.text);
    }
    for (int64_t k = 0; k < s->n_panels; k++) {
        const double y = height - top - each * (double)k;
        draw_panel(f, s, &(anpe_box){left, y - each + between, width - right, y}, s->range + 2 * k,
                   k == s->n_panels - 1, &work);
    }
    anpe_text_add(text, "  row %lld, %lld good pixels, chi2 %.6g\n", (long long)q->row,
                  (long long)s->n_good, s->chi2);
    anpe_text_free(&line);
    anpe_free(block);
    return ANPE_OK;
}

const anpe_plot_kind anpe_plot_fit = {load, size, draw, unload};
