/* plot/curves.c -- loss of training and validation over the epochs, best epoch marked, learning
 * rate below. */
#include "plot/plot_kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct history {
    int64_t n, best;
    double *epoch, *train, *validation, *rate; /* rate: log10 */
} history;

static void free_history(void *data)
{
    history *h = data;
    free(h->epoch);
    free(h->train);
    free(h->validation);
    free(h->rate);
    free(h);
}

static anpe_status read_history(anpe_ctx *ctx, anpe_h5 *f, history *h)
{
    anpe_status status;
    int rank;
    int64_t shape[8];
    ANPE_TRY(anpe_h5_shape(ctx, f, "history/train_loss", &rank, shape));
    if (rank != 1 || shape[0] < 1)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: history/train_loss must be one number per epoch",
                         anpe_h5_path(f));
    h->n = shape[0];
    double **const arrays[] = {&h->epoch, &h->train, &h->validation, &h->rate};
    for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++)
        if (ANPE_NEW(ctx, *arrays[k], h->n))
            return ANPE_ENOMEM;
    ANPE_TRY(anpe_h5_read(ctx, f, "history/train_loss", ANPE_H5_DOUBLE, h->n, h->train));
    ANPE_TRY(anpe_h5_read(ctx, f, "history/validation_loss", ANPE_H5_DOUBLE, h->n, h->validation));
    ANPE_TRY(anpe_h5_read(ctx, f, "history/rate", ANPE_H5_DOUBLE, h->n, h->rate));
    for (int64_t i = 0; i < h->n; i++) {
        h->epoch[i] = (double)(i + 1);
        h->rate[i] = h->rate[i] > 0 ? log10(h->rate[i]) : NAN;
        if (h->validation[i] < h->validation[h->best])
            h->best = i;
    }
out:
    return status;
}

static anpe_status load(anpe_ctx *ctx, const anpe_plot_request *q, void **data)
{
    anpe_h5 *f = NULL;
    history *h;
    anpe_status status;
    if (ANPE_NEW(ctx, h, 1))
        return ANPE_ENOMEM;
    *data = h;
    ANPE_TRY(anpe_plot_open(ctx, q, q->files[0], "anpe model", "a model", &f));
    if (!anpe_h5_has(f, "history"))
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no epoch of this model's training has ended",
                           q->files[0]);
    else
        status = read_history(ctx, f, h);
out:
    anpe_h5_abandon(f); /* opened for reading */
    return status;
}

static void size(const void *data, double *width, double *height)
{
    (void)data;
    *width = ANPE_COLUMN_MM;
    *height = 82;
}

/* Sample of a curve, at the upper right. */
static void legend(anpe_figure *f, const anpe_panel *p, int line, anpe_colour colour,
                   anpe_dash dash, int symbol, const char *text)
{
    const double y = p->box.y1 - 3 - 3.4 * line, x = p->box.x1 - 24;
    anpe_figure_ink(f, colour, 1);
    anpe_figure_pen(f, 1, dash);
    anpe_figure_segment(f, x - 8, y, x - 1.5, y);
    anpe_figure_pen(f, 0.6, ANPE_SOLID);
    if (symbol == ANPE_CIRCLE)
        anpe_figure_circle(f, x - 4.75, y, 0.6, 1);
    else if (symbol == ANPE_SQUARE)
        anpe_figure_rectangle(f, &(anpe_box){x - 5.3, y - 0.55, x - 4.2, y + 0.55}, 1);
    anpe_figure_ink(f, ANPE_BLACK, 1);
    anpe_figure_text(f, x, y, 6.5, 0, text);
}

static void curve(anpe_figure *f, const anpe_panel *p, const history *h, const double *y,
                  anpe_colour colour, anpe_dash dash, anpe_symbol symbol)
{
    anpe_figure_ink(f, colour, 1);
    anpe_figure_pen(f, 1, dash);
    anpe_panel_line(f, p, h->n, h->epoch, y);
    if (h->n > 60)
        return;
    anpe_figure_pen(f, 0.5, ANPE_SOLID);
    anpe_panel_points(f, p, symbol, 0.6, 1, h->n, h->epoch, y);
}

static void mark_best(anpe_figure *f, const anpe_panel *p, const history *h)
{
    anpe_figure_ink(f, ANPE_GREY, 1);
    anpe_figure_pen(f, 0.7, ANPE_DOTTED);
    anpe_panel_mark(f, p, h->epoch[h->best]);
}

static void draw_loss(anpe_figure *f, const anpe_box *box, const history *h)
{
    char best[64];
    anpe_axis validation = {0};
    anpe_panel p = {
        *box, {.bare = 1}, {.title = "loss (−log #<italic/>q#<upright/>)", .tight = 1}, 6.5, 9.5};
    anpe_axis_cover(&p.x, 0.04, h->n, h->epoch);
    anpe_axis_cover(&p.y, 0.06, h->n, h->train);
    anpe_axis_cover(&validation, 0.06, h->n, h->validation);
    anpe_axis_join(&p.y, &validation);
    mark_best(f, &p, h);
    curve(f, &p, h, h->train, ANPE_BLUE, ANPE_SOLID, ANPE_CIRCLE);
    curve(f, &p, h, h->validation, ANPE_VERMILLION, ANPE_DASHED, ANPE_SQUARE);
    anpe_panel_frame(f, &p);
    snprintf(best, sizeof best, "best epoch, %lld", (long long)h->best + 1);
    legend(f, &p, 0, ANPE_BLUE, ANPE_SOLID, ANPE_CIRCLE, "training");
    legend(f, &p, 1, ANPE_VERMILLION, ANPE_DASHED, ANPE_SQUARE, "validation");
    legend(f, &p, 2, ANPE_GREY, ANPE_DOTTED, -1, best);
}

static void draw_rate(anpe_figure *f, const anpe_box *box, const history *h)
{
    anpe_panel p = {
        *box, {.title = "epoch"}, {.title = "learning rate", .tight = 1, .log = 1}, 6.5, 9.5};
    anpe_axis_cover(&p.x, 0.04, h->n, h->epoch);
    anpe_axis_cover(&p.y, 0.1, h->n, h->rate);
    mark_best(f, &p, h);
    curve(f, &p, h, h->rate, ANPE_GREEN, ANPE_SOLID, ANPE_DIAMOND);
    anpe_panel_frame(f, &p);
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text)
{
    const history *h = data;
    const double top = anpe_plot_title(f, q, width, height) + 1.5, bottom = 9.5;
    const double cut = bottom + 0.3 * (height - top - bottom);
    (void)ctx;
    draw_loss(f, &(anpe_box){13, cut + 1, width - 2.5, height - top}, h);
    draw_rate(f, &(anpe_box){13, bottom, width - 2.5, cut - 1}, h);
    anpe_text_add(text, "  epochs %lld, best %lld: training loss %.5g, validation loss %.5g\n",
                  (long long)h->n, (long long)h->best + 1, h->train[h->best],
                  h->validation[h->best]);
    return ANPE_OK;
}

const anpe_plot_kind anpe_plot_curves = {load, size, draw, free_history};
