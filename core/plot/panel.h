/* plot/panel.h -- a frame with axes in a figure, and marks at data coordinates in it.
 *
 * Ticks are at 1, 2 or 5 times a power of ten, as close as their labels allow. Ink and pen of the
 * marks are the figure's. Values that are not finite interrupt a line and leave out a point. */
#ifndef ANPE_CORE_PANEL_H
#define ANPE_CORE_PANEL_H
#include "plot/figure.h"

typedef struct anpe_axis {
    double lo, hi; /* lo < hi; powers of ten when log */
    int log;
    int bare;          /* 1: no labels at the ticks; 2: no ticks either */
    int tight;         /* no label that reaches over the ends of the axis: another panel is there */
    const char *title; /* or NULL */
} anpe_axis;

typedef struct anpe_panel {
    anpe_box box;
    anpe_axis x, y;
    double size; /* of tick labels, points; titles are a little larger */
    double room; /* from the box to the middle of the vertical title, mm; 0: what the labels need */
} anpe_panel;

typedef enum anpe_symbol { ANPE_CIRCLE, ANPE_SQUARE, ANPE_DIAMOND, ANPE_TRIANGLE } anpe_symbol;
enum { ANPE_N_SYMBOLS = 4 };

/* Frame, ticks, labels and titles, in black. Drawn after the data, so that it is not covered. */
void anpe_panel_frame(anpe_figure *f, const anpe_panel *p);
/* Millimetres of a value. */
double anpe_panel_x(const anpe_panel *p, double x);
double anpe_panel_y(const anpe_panel *p, double y);

void anpe_panel_line(anpe_figure *f, const anpe_panel *p, int64_t n, const double *x,
                     const double *y);
/* Across the whole panel. */
void anpe_panel_level(anpe_figure *f, const anpe_panel *p, double y);
void anpe_panel_mark(anpe_figure *f, const anpe_panel *p, double x);
/* Filled between lo and hi. */
void anpe_panel_band(anpe_figure *f, const anpe_panel *p, int64_t n, const double *x,
                     const double *lo, const double *hi);
/* A symbol of this radius (mm) at each point that lies inside. */
void anpe_panel_points(anpe_figure *f, const anpe_panel *p, anpe_symbol symbol, double radius,
                       int filled, int64_t n, const double *x, const double *y);
void anpe_panel_bars(anpe_figure *f, const anpe_panel *p, int64_t n, const double *x,
                     const double *lo, const double *hi);
/* Squares of about 1/60 of the panel, darker where there are more points. */
void anpe_panel_density(anpe_figure *f, const anpe_panel *p, anpe_colour colour, int64_t n,
                        const double *x, const double *y);
/* Text in a corner: right, top 1 or 0; line counts from the corner on. */
void anpe_panel_note(anpe_figure *f, const anpe_panel *p, int right, int top, int line,
                     const char *text);
/* From data: the range of finite values, widened by `margin` of its width at both ends. Of no
 * finite value or a single one: a range around it. */
void anpe_axis_cover(anpe_axis *a, double margin, int64_t n, const double *values);
/* The same without values beyond the quantiles q and 1 - q. scratch (n). */
void anpe_axis_cover_most(anpe_axis *a, double q, double margin, int64_t n, const double *values,
                          double *scratch);
/* Makes it -hi to hi, which holds what it held, with room for a label near each end. */
void anpe_axis_symmetric(anpe_axis *a);
/* Grows the axis to hold the other one, too. */
void anpe_axis_join(anpe_axis *a, const anpe_axis *other);
#endif
