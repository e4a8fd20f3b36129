/* plot/report.c -- all plots of a model on A4 pages of one PDF: one below the other, a new page
 * where the next one does not fit. */
#include "base/text.h"
#include "plot/known.h"
#include "plot/names.h"
#include "plot/plot_kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const anpe_plot_kind *kind;
    const char *heading;
} parts[] = {{&anpe_plot_curves, "Training"},
             {&anpe_plot_coverage, "Coverage of credible regions"},
             {&anpe_plot_sbc, "Simulation-based calibration: ranks of the truth"},
             {&anpe_plot_truth, "True labels and posterior medians of mocks"},
             {&anpe_plot_pit, "Probability integral transform of the truth"}};
enum { COVERAGE = 1, N_PARTS = sizeof parts / sizeof parts[0] };

static const double margin = 15, between = 8, heading = 4; /* mm */

typedef struct report {
    void *data[N_PARTS];
} report;

static void unload(void *data)
{
    report *r = data;
    for (int k = 0; k < N_PARTS; k++)
        if (r->data[k])
            parts[k].kind->free(r->data[k]);
    free(r);
}

static anpe_status load(anpe_ctx *ctx, const anpe_plot_request *q, void **data)
{
    anpe_status status = ANPE_OK;
    if (!anpe_figure_has_pages(q->output))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: plot %s has several pages: write a .pdf", q->output,
                         q->what);
    report *r;
    if (ANPE_NEW(ctx, r, 1))
        return ANPE_ENOMEM;
    *data = r;
    for (int k = 0; k < N_PARTS && !status; k++)
        status = parts[k].kind->load(ctx, q, &r->data[k]);
    return status;
}

static void size(const void *data, double *width, double *height)
{
    (void)data;
    *width = 210;
    *height = 297;
}

/* Title of the report at the head of its first page; returns the y below it. */
static double draw_head(anpe_figure *f, const anpe_plot_request *q, const anpe_known *known,
                        double width, double height)
{
    char text[256];
    snprintf(text, sizeof text, "%lld mocks, %lld draws each", (long long)known->n,
             (long long)known->n_draws);
    anpe_figure_text(f, width - margin, height - margin, 8, 1, text);
    anpe_figure_text(
        f, margin, height - margin, 13, 0,
        anpe_names_plain(text, sizeof text, q->title ? q->title : anpe_text_basename(q->files[0])));
    return height - margin - 9;
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text)
{
    const report *r = data;
    anpe_plot_request plain = *q;
    double y = draw_head(f, q, r->data[COVERAGE], width, height);
    anpe_status status = ANPE_OK;
    plain.title = NULL;
    for (int k = 0; k < N_PARTS && !status; k++) {
        double w, h;
        parts[k].kind->size(r->data[k], &w, &h);
        const double room = height - 2 * margin - heading;
        const double scale = fmin(1, fmin((width - 2 * margin) / w, room / h));
        if (y - heading - scale * h < margin) {
            anpe_figure_page(f);
            y = height - margin;
        }
        anpe_figure_ink(f, ANPE_BLACK, 1);
        anpe_figure_text(f, margin, y, 10, 0, parts[k].heading);
        y -= heading + scale * h;
        anpe_figure_place(f, margin, y, scale);
        anpe_text_add(text, "%s\n", parts[k].heading);
        status = parts[k].kind->draw(ctx, &plain, r->data[k], f, w, h, text);
        anpe_figure_place(f, 0, 0, 1);
        y -= between;
    }
    return status;
}

const anpe_plot_kind anpe_plot_report = {load, size, draw, unload};
