/* plot/truth.c -- true labels against posterior medians: figure 1 of Zhang, Jayasinghe & Bloom
 * (2023). A panel per label with 68 % error bars and the line of equality, the differences below.
 */
#include "base/text.h"
#include "plot/known.h"
#include "plot/names.h"
#include "validate/recovery.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDE = 30 };               /* mm: narrower panels have smaller letters */
enum { MANY = 4000, SOME = 300 }; /* points: density instead, no longer with bars at full ink */

typedef struct label_data {
    int64_t n;
    const double *truth, *median, *lo, *hi;
    double *difference, *dlo, *dhi; /* minus truth */
    anpe_recovery recovery;
    char name[96], unit[40], axis[96];
} label_data;

static anpe_status load(anpe_ctx *ctx, const anpe_plot_request *q, void **data)
{
    anpe_known *k = NULL;
    anpe_status status;
    if (anpe_plot_is(ctx, q->files[0], "anpe model"))
        status = anpe_known_of_model(ctx, q, &k);
    else if (q->compare)
        status = anpe_known_of_catalogues(ctx, q, &k);
    else
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "%s: plot truth wants a model with validation results, or a catalogue "
                           "and what it is compared with (--compare CATALOGUE)",
                           q->files[0]);
    *data = k;
    return status;
}

static void size(const void *data, double *width, double *height)
{
    const anpe_known *k = data;
    const anpe_plot_grid g = anpe_plot_grid_of((int)k->labels.n);
    anpe_plot_grid_size(&g, 1.25, width, height);
}

/* Points, or where there are too many their density. */
static void draw_points(anpe_figure *f, const anpe_panel *p, int64_t n, const double *x,
                        const double *y, const double *lo, const double *hi)
{
    const double crowd = n > SOME ? sqrt((double)SOME / (double)n) : 1;
    if (n > MANY) {
        anpe_panel_density(f, p, ANPE_BLUE, n, x, y);
        return;
    }
    anpe_figure_pen(f, 0.35, ANPE_SOLID);
    anpe_figure_ink(f, ANPE_GREY, 0.6 * crowd);
    anpe_panel_bars(f, p, n, x, lo, hi);
    anpe_figure_ink(f, ANPE_BLUE, n > SOME ? fmax(0.75 * crowd, 0.25) : 0.75);
    anpe_panel_points(f, p, ANPE_CIRCLE, 0.2 + 0.25 * crowd, 1, n, x, y);
}

static void note(anpe_figure *f, anpe_panel p, const label_data *l)
{
    char text[160], bias[32], scatter[32];
    p.size -= 0.5;
    anpe_plot_number(bias, l->recovery.bias, 2);
    anpe_plot_number(scatter, l->recovery.scatter, 2);
    anpe_figure_ink(f, ANPE_BLACK, 1);
    snprintf(text, sizeof text, "#<italic/>R#<upright/>#u2#d = %.4f", l->recovery.r2);
    anpe_panel_note(f, &p, 0, 1, 0, text);
    snprintf(text, sizeof text, "bias %s%s", bias, l->unit);
    anpe_panel_note(f, &p, 0, 1, 1, text);
    snprintf(text, sizeof text, "scatter %s%s", scatter, l->unit);
    anpe_panel_note(f, &p, 0, 1, 2, text);
}

static void draw_label(anpe_figure *f, const anpe_box *box, const label_data *l, const char *source,
                       int first, double *scratch)
{
    char title[200];
    const double cut = box->y0 + 0.27 * (box->y1 - box->y0), width = box->x1 - box->x0;
    const double points = width < WIDE ? fmax(6.5 * width / WIDE, 4.5) : 6.5; /* many labels */
    anpe_axis median = {0};
    snprintf(title, sizeof title, "%s %s", source, l->axis);
    anpe_panel p = {{box->x0, cut + 1, box->x1, box->y1}, {.bare = 1}, {.tight = 1}, points, 9.5};
    anpe_axis_cover(&p.x, 0.05, l->n, l->truth);
    anpe_axis_cover(&median, 0.05, l->n, l->median);
    anpe_axis_join(&p.x, &median);
    p.y.lo = p.x.lo;
    p.y.hi = p.x.hi;
    p.y.title = first ? "posterior median" : NULL;
    draw_points(f, &p, l->n, l->truth, l->median, l->lo, l->hi);
    anpe_figure_ink(f, ANPE_VERMILLION, 1);
    anpe_figure_pen(f, 0.8, ANPE_SOLID);
    anpe_panel_line(f, &p, 2, (const double[]){p.x.lo, p.x.hi}, (const double[]){p.x.lo, p.x.hi});
    anpe_panel_frame(f, &p);
    note(f, p, l);

    anpe_panel r = {{box->x0, box->y0, box->x1, cut}, p.x, {.tight = 1}, points, 9.5};
    r.x.bare = 0;
    r.x.title = title;
    r.y.title = !first ? NULL : width < WIDE ? "diff." : "difference";
    anpe_axis_cover_most(&r.y, 0.005, 0.35, l->n, l->difference, scratch);
    anpe_axis_symmetric(&r.y);
    draw_points(f, &r, l->n, l->truth, l->difference, l->dlo, l->dhi);
    anpe_figure_ink(f, ANPE_VERMILLION, 1);
    anpe_figure_pen(f, 0.8, ANPE_SOLID);
    anpe_panel_level(f, &r, 0);
    anpe_panel_frame(f, &r);
}

/* Objects with a missing value drop out. work (7, n). */
static label_data prepare(const anpe_known *k, int64_t d, double *work)
{
    const int64_t n = k->n;
    double *truth = work, *median = work + n, *lo = work + 2 * n, *hi = work + 3 * n;
    double *difference = work + 4 * n, *dlo = work + 5 * n, *dhi = work + 6 * n;
    double *mean = work + 7 * n, *sd = work + 8 * n, *scratch = work + 9 * n;
    label_data l = {0, truth, median, lo, hi, difference, dlo, dhi, {0}, "", "", ""};
    for (int64_t i = 0; i < n; i++) {
        const int64_t from = d * n + i;
        if (!isfinite(k->truth[from]) || !isfinite(k->median[from]))
            continue;
        truth[l.n] = k->truth[from];
        median[l.n] = k->median[from];
        lo[l.n] = k->p16[from];
        hi[l.n] = k->p84[from];
        mean[l.n] = k->mean[from];
        sd[l.n] = k->sd[from];
        difference[l.n] = k->median[from] - k->truth[from];
        dlo[l.n] = k->p16[from] - k->truth[from];
        dhi[l.n++] = k->p84[from] - k->truth[from];
    }
    l.recovery = anpe_recovery_of(l.n, truth, median, mean, sd, lo, hi, scratch);
    anpe_names_label(l.name, sizeof l.name, k->labels.name[d]);
    anpe_names_unit(l.unit, sizeof l.unit, k->labels.unit[d]);
    anpe_plot_axis(l.axis, &k->labels, d);
    return l;
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text)
{
    const anpe_known *k = data;
    anpe_plot_grid g = anpe_plot_grid_of((int)k->labels.n);
    char source[96];
    double *work = anpe_alloc(ctx, 10 * (size_t)k->n * sizeof *work);
    if (!work)
        return ANPE_ENOMEM;
    g.width = width;
    g.height = height;
    g.top = anpe_plot_title(f, q, width, height);
    anpe_names_plain(source, sizeof source, k->source);
    anpe_text_add(text, "  %-10s %-6s %7s %8s %10s %10s %14s\n", "label", "unit", "n", "R2", "bias",
                  "scatter", "68 % interval");
    for (int64_t d = 0; d < k->labels.n; d++) {
        const label_data l = prepare(k, d, work);
        const anpe_box box = anpe_plot_grid_box(&g, (int)d);
        draw_label(f, &box, &l, source, d % g.columns == 0, work + 9 * k->n);
        anpe_text_add(text, "  %-10s %-6s %7lld %8.4f %10.4g %10.4g %9.1f %%\n", k->labels.name[d],
                      k->labels.unit[d], (long long)l.n, l.recovery.r2, l.recovery.bias,
                      l.recovery.scatter, 100 * l.recovery.cover68);
    }
    anpe_free(work);
    return ANPE_OK;
}

const anpe_plot_kind anpe_plot_truth = {load, size, draw, anpe_known_unload};
