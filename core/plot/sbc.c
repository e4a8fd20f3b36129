/* plot/sbc.c -- simulation-based calibration (Talts et al. 2018): a histogram per label of the rank
 * of the truth among the draws, which is uniform for right posteriors. U shape: too narrow; dome:
 * too wide; slope: biased. */
#include "validate/calibration.h"
#include "stat/distribution.h"
#include "plot/known.h"

#include <math.h>
#include <stdio.h>

static void size(const void *data, double *width, double *height)
{
    const anpe_known *k = data;
    const anpe_plot_grid g = anpe_plot_grid_of((int)k->labels.n);
    anpe_plot_grid_size(&g, 0.7, width, height);
}

static void draw_bars(anpe_figure *f, const anpe_panel *p, int bins, const int64_t *count)
{
    for (int b = 0; b < bins; b++) {
        const anpe_box bar = {anpe_panel_x(p, (double)b / bins), p->box.y0,
                              anpe_panel_x(p, (b + 1.0) / bins), anpe_panel_y(p, (double)count[b])};
        anpe_figure_ink(f, ANPE_SKY, 0.45);
        anpe_figure_rectangle(f, &bar, 1);
        anpe_figure_ink(f, ANPE_BLUE, 1);
        anpe_figure_pen(f, 0.5, ANPE_SOLID);
        anpe_figure_rectangle(f, &bar, 0);
    }
}

/* Where 99 % of the bars belong, and their expectation. */
static void draw_band(anpe_figure *f, const anpe_panel *p, double lo, double expected, double hi)
{
    const double x[2] = {0, 1}, edge[2][2] = {{lo, lo}, {hi, hi}};
    anpe_figure_tint(f, ANPE_LIGHT, 1);
    anpe_panel_band(f, p, 2, x, edge[0], edge[1]);
    anpe_figure_ink(f, ANPE_GREY, 1);
    anpe_figure_pen(f, 0.7, ANPE_DASHED);
    anpe_panel_level(f, p, expected);
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text)
{
    const anpe_known *k = data;
    anpe_plot_grid g = anpe_plot_grid_of((int)k->labels.n);
    const int narrow = anpe_plot_grid_is_narrow(&g);
    char axis[96], note[64];
    (void)ctx;
    g.width = width;
    g.height = height;
    g.top = anpe_plot_title(f, q, width, height);
    anpe_text_add(text, "  %-10s %8s\n", "label", "p");
    for (int64_t d = 0; d < k->labels.n; d++) {
        int bins;
        int64_t count[ANPE_RANK_BINS] = {0}, most = 0;
        const double pvalue = anpe_rank_p(k->n, k->rank + d * k->n, 1, k->n_draws, &bins, count);
        const double expected = (double)k->n / bins;
        const double lo = (double)anpe_binomial_quantile(k->n, 1.0 / bins, 0.005);
        const double hi = (double)anpe_binomial_quantile(k->n, 1.0 / bins, 0.995);
        for (int b = 0; b < bins; b++)
            most = count[b] > most ? count[b] : most;
        const anpe_panel p = {
            anpe_plot_grid_box(&g, (int)d),
            {.lo = 0, .hi = 1, .title = narrow ? "rank / draws" : "rank of the truth / draws"},
            {.lo = 0,
             .hi = (narrow ? 2.4 : 1.3) * fmax((double)most, hi),
             .title = d % g.columns ? NULL : "mocks"},
            6.5,
            0};
        draw_band(f, &p, lo, expected, hi);
        draw_bars(f, &p, bins, count);
        anpe_panel_frame(f, &p);
        anpe_panel_note(f, &p, 0, 1, 0, anpe_plot_axis(axis, &k->labels, d));
        snprintf(note, sizeof note, "#<italic/>p#<upright/> = %.2g", pvalue);
        anpe_panel_note(f, &p, !narrow, 1, narrow, isnan(pvalue) ? "too few mocks" : note);
        anpe_text_add(text, "  %-10s %8.2g\n", k->labels.name[d], pvalue);
    }
    return ANPE_OK;
}

const anpe_plot_kind anpe_plot_sbc = {anpe_known_load, size, draw, anpe_known_unload};
