/* plot/pit.c -- the probability integral transform of each label, (rank + 1/2) / (draws + 1): its
 * distribution function minus that of a uniform one. Finer than the histograms of plot sbc: no
 * bins; the band holds the whole curve of a right posterior in 99 of 100 cases (Kolmogorov). */
#include "validate/calibration.h"
#include "stat/order.h"
#include "stat/distribution.h"
#include "plot/known.h"

#include <math.h>
#include <stdio.h>

enum { STEPS = 201 };

static void size(const void *data, double *width, double *height)
{
    const anpe_known *k = data;
    const anpe_plot_grid g = anpe_plot_grid_of((int)k->labels.n);
    anpe_plot_grid_size(&g, 0.7, width, height);
}

static void draw_band(anpe_figure *f, const anpe_panel *p, const double *u, double most)
{
    double lo[STEPS], hi[STEPS];
    for (int i = 0; i < STEPS; i++) {
        lo[i] = fmax(-most, -u[i]); /* a distribution function is between 0 and 1 */
        hi[i] = fmin(most, 1 - u[i]);
    }
    anpe_figure_tint(f, ANPE_LIGHT, 1);
    anpe_panel_band(f, p, STEPS, u, lo, hi);
    anpe_figure_ink(f, ANPE_GREY, 1);
    anpe_figure_pen(f, 0.6, ANPE_DASHED);
    anpe_panel_level(f, p, 0);
}

/* pit (n) is sorted; returns the p-value. */
static double draw_label(anpe_figure *f, anpe_panel *p, int narrow, int64_t n, double *pit,
                         int64_t n_draws, const char *name)
{
    double u[STEPS], difference[STEPS], most = 0;
    char note[64];
    const double band = anpe_kolmogorov_quantile(n, 0.99);
    anpe_sort(n, pit);
    for (int i = 0; i < STEPS; i++)
        u[i] = i / (STEPS - 1.0);
    anpe_distribution_at(n, pit, STEPS, u, difference);
    for (int i = 0; i < STEPS; i++) {
        difference[i] -= u[i];
        most = fmax(most, fabs(difference[i]));
    }
    p->y.hi = (narrow ? 2.6 : 1.45) * fmax(most, band);
    p->y.lo = -p->y.hi;
    const double pvalue = anpe_kolmogorov_survival(n, anpe_level_distance(n, pit, n_draws));
    draw_band(f, p, u, band);
    anpe_figure_ink(f, ANPE_BLUE, 1);
    anpe_figure_pen(f, 1, ANPE_SOLID);
    anpe_panel_line(f, p, STEPS, u, difference);
    anpe_panel_frame(f, p);
    anpe_panel_note(f, p, 0, 1, 0, name);
    snprintf(note, sizeof note, "#<italic/>p#<upright/> = %.2g", pvalue);
    anpe_panel_note(f, p, !narrow, !narrow, 0, note);
    return pvalue;
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text)
{
    const anpe_known *k = data;
    anpe_plot_grid g = anpe_plot_grid_of((int)k->labels.n);
    const int narrow = anpe_plot_grid_is_narrow(&g);
    char axis[96];
    double *pit = anpe_alloc(ctx, (size_t)k->n * sizeof *pit);
    if (!pit)
        return ANPE_ENOMEM;
    g.width = width;
    g.height = height;
    g.top = anpe_plot_title(f, q, width, height);
    anpe_text_add(text, "  %-10s %8s\n", "label", "p");
    for (int64_t d = 0; d < k->labels.n; d++) {
        anpe_panel p = {
            anpe_plot_grid_box(&g, (int)d),
            {.lo = 0, .hi = 1, .title = narrow ? "PIT" : "probability integral transform"},
            {.title = d % g.columns ? NULL : "ECDF \xe2\x88\x92 uniform"},
            6.5,
            0};
        for (int64_t i = 0; i < k->n; i++)
            pit[i] = ((double)k->rank[d * k->n + i] + 0.5) / (double)(k->n_draws + 1);
        const double pvalue =
            draw_label(f, &p, narrow, k->n, pit, k->n_draws, anpe_plot_axis(axis, &k->labels, d));
        anpe_text_add(text, "  %-10s %8.2g\n", k->labels.name[d], pvalue);
    }
    anpe_free(pit);
    return ANPE_OK;
}

const anpe_plot_kind anpe_plot_pit = {anpe_known_load, size, draw, anpe_known_unload};
