/* plot/coverage.c -- how many of the truths lie inside credible regions of each level: of highest
 * density (Hermans et al. 2022), around random points (TARP, Lemos et al. 2023), and central
 * intervals of each label. On the diagonal: right; below it: too narrow. The band holds a point of
 * a right posterior's curve in 95 of 100 cases (binomial). */
#include "validate/calibration.h"
#include "stat/order.h"
#include "stat/distribution.h"
#include "plot/known.h"
#include "plot/names.h"

#include <math.h>
#include <stdio.h>

enum { STEPS = 101, MOST_NAMED = 12 };

static anpe_plot_grid grid(void)
{
    anpe_plot_grid g = anpe_plot_grid_of(3);
    g.above = 4.5;
    return g;
}

static void size(const void *data, double *width, double *height)
{
    const anpe_plot_grid g = grid();
    (void)data;
    anpe_plot_grid_size(&g, 1, width, height);
}

static void draw_expected(anpe_figure *f, const anpe_panel *p, int64_t n, const double *level)
{
    double lo[STEPS], hi[STEPS];
    for (int i = 0; i < STEPS; i++) {
        lo[i] = (double)anpe_binomial_quantile(n, level[i], 0.025) / (double)n;
        hi[i] = (double)anpe_binomial_quantile(n, level[i], 0.975) / (double)n;
    }
    anpe_figure_tint(f, ANPE_LIGHT, 1);
    anpe_panel_band(f, p, STEPS, level, lo, hi);
    anpe_figure_ink(f, ANPE_GREY, 1);
    anpe_figure_pen(f, 0.6, ANPE_DASHED);
    anpe_panel_line(f, p, 2, (const double[]){0, 1}, (const double[]){0, 1});
}

/* Colours and then dashes tell the curves apart. */
static void pen_of(anpe_figure *f, int64_t curve)
{
    const int hue = 1 + (int)(curve % (ANPE_N_HUES - 1));
    anpe_figure_ink(f, (anpe_colour)hue, 1);
    anpe_figure_pen(f, 1, (anpe_dash)((curve + curve / (ANPE_N_HUES - 1)) % 4));
}

static void draw_curve(anpe_figure *f, const anpe_panel *p, int64_t n, double *level)
{
    double limit[STEPS], inside[STEPS];
    for (int i = 0; i < STEPS; i++)
        limit[i] = i / (STEPS - 1.0);
    anpe_sort(n, level);
    anpe_distribution_at(n, level, STEPS, limit, inside);
    anpe_panel_line(f, p, STEPS, limit, inside);
}

static void finish(anpe_figure *f, const anpe_panel *p, const char *heading)
{
    anpe_panel_frame(f, p);
    anpe_figure_text(f, 0.5 * (p->box.x0 + p->box.x1), p->box.y1 + 2.2, ANPE_TEXT_POINTS, 0.5,
                     heading);
}

static void draw_joint(anpe_figure *f, const anpe_panel *p, const char *heading,
                       const anpe_known *k, const double *levels, double *work, anpe_text *text)
{
    const int64_t n = k->n;
    char note[64];
    const anpe_level_test test = anpe_level_test_of(n, levels, k->n_draws, work);
    anpe_figure_ink(f, ANPE_BLUE, 1);
    anpe_figure_pen(f, 1.2, ANPE_SOLID);
    for (int64_t i = 0; i < n; i++)
        work[i] = levels[i];
    draw_curve(f, p, n, work);
    finish(f, p, heading);
    snprintf(note, sizeof note, "#<italic/>p#<upright/> = %.2g", test.p);
    anpe_panel_note(f, p, 0, 1, 0, note);
    anpe_text_add(text, "  %-16s 68 %%: %5.1f %%  95 %%: %5.1f %%  p %.2g\n", heading,
                  100 * test.cover68, 100 * test.cover95, test.p);
}

static void draw_legend(anpe_figure *f, const anpe_panel *p, const anpe_plot_labels *labels)
{
    char name[96];
    const double step = 2.9;
    for (int64_t d = 0; d < labels->n && labels->n <= MOST_NAMED; d++) {
        const double y = p->box.y0 + 3 + step * (double)(labels->n - 1 - d);
        const double x = p->box.x1 - 17;
        pen_of(f, d);
        anpe_figure_segment(f, x, y, x + 5, y);
        anpe_figure_ink(f, ANPE_BLACK, 1);
        anpe_figure_text(f, x + 6, y, 6, 0, anpe_names_label(name, sizeof name, labels->name[d]));
    }
}

static void draw_labels(anpe_figure *f, const anpe_panel *p, const anpe_known *k, double *work)
{
    for (int64_t d = 0; d < k->labels.n; d++) {
        for (int64_t i = 0; i < k->n; i++)
            work[i] =
                fabs(2 * ((double)k->rank[d * k->n + i] + 0.5) / (double)(k->n_draws + 1) - 1);
        pen_of(f, d);
        draw_curve(f, p, k->n, work);
    }
    finish(f, p, "central intervals");
    anpe_panel_note(f, p, 0, 1, 0, "above: too wide");
    anpe_panel_note(f, p, 0, 1, 1, "below: too narrow");
    draw_legend(f, p, &k->labels);
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text)
{
    const anpe_known *k = data;
    anpe_plot_grid g = grid();
    double level[STEPS], *work = anpe_alloc(ctx, (size_t)k->n * sizeof *work);
    if (!work)
        return ANPE_ENOMEM;
    g.width = width;
    g.height = height;
    g.top = anpe_plot_title(f, q, width, height);
    for (int i = 0; i < STEPS; i++)
        level[i] = i / (STEPS - 1.0);
    for (int c = 0; c < 3; c++) {
        const anpe_panel p = {anpe_plot_grid_box(&g, c),
                              {.lo = 0, .hi = 1, .title = "credibility"},
                              {.lo = 0, .hi = 1, .title = c ? NULL : "fraction of truths inside"},
                              6.5,
                              0};
        draw_expected(f, &p, k->n, level);
        if (c == 2)
            draw_labels(f, &p, k, work);
        else
            draw_joint(f, &p, c ? "TARP" : "highest density", k, c ? k->tarp : k->hpd, work, text);
    }
    anpe_free(work);
    return ANPE_OK;
}

const anpe_plot_kind anpe_plot_coverage = {anpe_known_load, size, draw, anpe_known_unload};
