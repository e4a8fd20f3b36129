/* plot/figure.h -- pages to draw on, by way of PLplot's cairo drivers: PNG, PDF or SVG by
 * extension.
 *
 *     anpe_figure_open(ctx, "a.pdf", 180, 120, 300, &f);
 *     anpe_figure_page(f);                       a new page; PNG and SVG have one
 *     anpe_figure_ink(f, ANPE_BLUE, 0.5);
 *     anpe_figure_line(f, n, x, y);
 *     anpe_figure_close(ctx, f);                 the file appears whole or not at all
 *
 * All coordinates and radii are millimetres of the printed figure, origin at the lower left; text
 * sizes and line widths are points. PLplot has global state: one figure at a time, main thread
 * only. */
#ifndef ANPE_CORE_FIGURE_H
#define ANPE_CORE_FIGURE_H
#include "base/context.h"

/* Colours that the colour-blind can tell apart (Okabe & Ito 2008), with black and greys. */
typedef enum anpe_colour {
    ANPE_BLACK,
    ANPE_BLUE,
    ANPE_VERMILLION,
    ANPE_GREEN,
    ANPE_PURPLE,
    ANPE_ORANGE,
    ANPE_SKY,
    ANPE_GREY,  /* of secondary lines and text */
    ANPE_LIGHT, /* of bands */
    ANPE_WHITE
} anpe_colour;
enum { ANPE_N_HUES = 7 }; /* black to sky: for series of data */

typedef enum anpe_dash { ANPE_SOLID, ANPE_DASHED, ANPE_DOTTED, ANPE_DASH_DOT } anpe_dash;

typedef struct anpe_box {
    double x0, y0, x1, y1;
} anpe_box;

typedef struct anpe_figure anpe_figure;

/* Known extension, PLplot has the driver, and a file can be made there? Before any work. */
ANPE_MUST_CHECK anpe_status anpe_figure_check(anpe_ctx *ctx, const char *path);
/* Can the file hold more than one page? */
int anpe_figure_has_pages(const char *path);
/* dpi is used by PNG alone. ANPE_EINVAL: over 20000 pixels a side. */
ANPE_MUST_CHECK anpe_status anpe_figure_open(anpe_ctx *ctx, const char *path, double width,
                                             double height, double dpi, anpe_figure **out);
ANPE_MUST_CHECK anpe_status anpe_figure_close(anpe_ctx *ctx, anpe_figure *f);
anpe_figure *anpe_figure_abandon(anpe_figure *f);

void anpe_figure_page(anpe_figure *f);
int anpe_figure_pages(const anpe_figure *f);
/* What follows is drawn in units of `scale` millimetres from (x, y) of the page on; text and lines
 * scale with it. (0, 0, 1) at first. */
void anpe_figure_place(anpe_figure *f, double x, double y, double scale);
/* Lines and areas are cut at the box; NULL: not any more. Text and circles are never cut. */
void anpe_figure_clip(anpe_figure *f, const anpe_box *box);
void anpe_figure_ink(anpe_figure *f, anpe_colour colour, double opacity);
/* The colour mixed with white, opaque: areas side by side show no seams. strength 0 to 1. */
void anpe_figure_tint(anpe_figure *f, anpe_colour colour, double strength);
void anpe_figure_pen(anpe_figure *f, double width, anpe_dash dash);
void anpe_figure_line(anpe_figure *f, int64_t n, const double *x, const double *y);
void anpe_figure_segment(anpe_figure *f, double x0, double y0, double x1, double y1);
void anpe_figure_fill(anpe_figure *f, int64_t n, const double *x, const double *y);
void anpe_figure_rectangle(anpe_figure *f, const anpe_box *box, int filled);
void anpe_figure_circle(anpe_figure *f, double x, double y, double radius, int filled);

/* Text may hold PLplot's escapes (#u up, #d down, #<italic/>, ...); anpe_names_plain takes them
 * out of text that comes from elsewhere. align: 0 left, 0.5 centred, 1 right; y is the middle of
 * the line. upright: reads from bottom to top. */
void anpe_figure_text(anpe_figure *f, double x, double y, double size, double align,
                      const char *text);
void anpe_figure_text_upwards(anpe_figure *f, double x, double y, double size, double align,
                              const char *text);
/* About how wide it is, mm. */
double anpe_figure_text_width(double size, const char *text);
#endif
