/* plot/panel.c -- see panel.h. */
#include "plot/panel.h"
#include "stat/order.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUS        "\xe2\x88\x92"
#define TIMES        "\xc3\x97"
#define MM_PER_POINT (25.4 / 72)
enum { MAX_TICKS = 40 };

static const double tick_length = 1.2, gap = 1.1; /* mm */

double anpe_panel_x(const anpe_panel *p, double x)
{
    return p->box.x0 + (x - p->x.lo) / (p->x.hi - p->x.lo) * (p->box.x1 - p->box.x0);
}

double anpe_panel_y(const anpe_panel *p, double y)
{
    return p->box.y0 + (y - p->y.lo) / (p->y.hi - p->y.lo) * (p->box.y1 - p->box.y0);
}

/* ---- ranges ------------------------------------------------------------------------------ */

static void widen(anpe_axis *a, double margin)
{
    if (!(a->lo <= a->hi)) {
        a->lo = 0;
        a->hi = 1;
    }
    const double width = a->hi - a->lo;
    const double by = width > 0 ? margin * width : fmax(0.05 * fabs(a->lo), 0.5);
    a->lo -= by;
    a->hi += by;
}

void anpe_axis_cover(anpe_axis *a, double margin, int64_t n, const double *values)
{
    a->lo = INFINITY;
    a->hi = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(values[i])) {
            a->lo = fmin(a->lo, values[i]);
            a->hi = fmax(a->hi, values[i]);
        }
    widen(a, margin);
}

void anpe_axis_cover_most(anpe_axis *a, double q, double margin, int64_t n, const double *values,
                          double *scratch)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(values[i]))
            scratch[m++] = values[i];
    anpe_sort(m, scratch);
    a->lo = m ? anpe_quantile_sorted(m, scratch, q) : INFINITY;
    a->hi = m ? anpe_quantile_sorted(m, scratch, 1 - q) : -INFINITY;
    widen(a, margin);
}

void anpe_axis_join(anpe_axis *a, const anpe_axis *other)
{
    a->lo = fmin(a->lo, other->lo);
    a->hi = fmax(a->hi, other->hi);
}

/* ---- ticks ------------------------------------------------------------------------------- */

typedef struct tick_set {
    double step;
    int exponent; /* labels are value / 10^exponent */
    int n;
    double at[MAX_TICKS];
    char label[MAX_TICKS][24];
} tick_set;

/* The smallest of 1, 2, 5 times a power of ten that is not less. */
static double nice_step(double least)
{
    const double power = pow(10, floor(log10(least)));
    const double factor = least / power;
    return power * (factor <= 1.000001 ? 1 : factor <= 2.000001 ? 2 : factor <= 5.000001 ? 5 : 10);
}

void anpe_axis_symmetric(anpe_axis *a)
{
    const double most = fmax(fabs(a->lo), fabs(a->hi));
    const double label = nice_step(most) > most ? nice_step(nice_step(most) / 3) : most;
    a->hi = fmax(most, label / 0.78 > 1.3 * most ? most : label / 0.78);
    a->lo = -a->hi;
}

static void print_number(char *label, size_t size, double value, int decimals)
{
    char digits[20];
    snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value));
    const int zero = strspn(digits, "0.") == strlen(digits);
    snprintf(label, size, "%s%s", value < 0 && !zero ? MINUS : "", digits);
}

static void set_ticks(tick_set *t, const anpe_axis *a, double step)
{
    const double unit = pow(10, t->exponent), relative = step / unit;
    const int decimals = relative < 0.999999 ? (int)ceil(-log10(relative) - 1e-6) : 0;
    t->step = step;
    t->n = 0;
    for (double k = ceil(a->lo / step - 1e-9); k * step <= a->hi + 1e-9 * step; k++) {
        if (t->n == MAX_TICKS)
            break;
        t->at[t->n] = k * step;
        print_number(t->label[t->n++], sizeof t->label[0], k * step / unit, decimals);
    }
}

static double widest(double size, const tick_set *t)
{
    double w = 0;
    for (int k = 0; k < t->n; k++)
        w = fmax(w, anpe_figure_text_width(size, t->label[k]));
    return w;
}

static int has_room(const tick_set *t, const anpe_axis *a, double length, double size, int upwards)
{
    const double height = size * MM_PER_POINT;
    const double roomy = length > 18 ? 2.4 : 1.6; /* lines between labels, one above the other */
    const double need = upwards ? roomy * height : widest(size, t) + 0.9 * height;
    return t->step / (a->hi - a->lo) * length >= need;
}

/* The closest ticks whose labels keep clear of each other; steps of 3 and 4 only where 5 would be
 * too few. */
static void choose_ticks(tick_set *t, const anpe_axis *a, double length, double size, int upwards)
{
    const double span = a->hi - a->lo, most = fmax(fabs(a->lo), fabs(a->hi));
    double step = nice_step(span / 10);
    t->exponent = most >= 1e5 || most < 0.01 ? (int)floor(log10(most)) : 0;
    set_ticks(t, a, step);
    while (!has_room(t, a, length, size, upwards) && t->n > 2)
        set_ticks(t, a, step = nice_step(1.01 * step));
    const double power = pow(10, floor(log10(step) + 1e-9));
    for (int k = 3; k <= 4 && t->n < 3 && step > 4.5 * power; k++) {
        set_ticks(t, a, k * power);
        if (t->n < 2 || !has_room(t, a, length, size, upwards))
            set_ticks(t, a, step);
    }
}

static void log_ticks(tick_set *t, const anpe_axis *a, double length)
{
    const int lo = (int)ceil(a->lo - 1e-9), hi = (int)floor(a->hi + 1e-9);
    int every = 1;
    while ((hi - lo) / every > MAX_TICKS - 2 || length / (a->hi - a->lo) * every < 5)
        every++;
    *t = (tick_set){.step = 1};
    for (int k = lo; k <= hi; k += every) {
        t->at[t->n] = k;
        snprintf(t->label[t->n++], sizeof t->label[0], k < 0 ? "10#u" MINUS "%d#d" : "10#u%d#d",
                 abs(k));
    }
}

/* ---- frame ------------------------------------------------------------------------------- */

static void tick_x(anpe_figure *f, const anpe_panel *p, double value, double length)
{
    const double x = anpe_panel_x(p, value);
    if (x < p->box.x0 - 1e-6 || x > p->box.x1 + 1e-6)
        return;
    anpe_figure_segment(f, x, p->box.y0, x, p->box.y0 + length);
    anpe_figure_segment(f, x, p->box.y1, x, p->box.y1 - length);
}

static void tick_y(anpe_figure *f, const anpe_panel *p, double value, double length)
{
    const double y = anpe_panel_y(p, value);
    if (y < p->box.y0 - 1e-6 || y > p->box.y1 + 1e-6)
        return;
    anpe_figure_segment(f, p->box.x0, y, p->box.x0 + length, y);
    anpe_figure_segment(f, p->box.x1, y, p->box.x1 - length, y);
}

typedef void tick_function(anpe_figure *, const anpe_panel *, double, double);

static void draw_ticks(anpe_figure *f, const anpe_panel *p, const anpe_axis *a, const tick_set *t,
                       tick_function *draw)
{
    const double minor = 0.55 * tick_length;
    for (int k = 0; k < t->n; k++)
        draw(f, p, t->at[k], tick_length);
    if (a->log) {
        for (double k = floor(a->lo); k <= a->hi; k++)
            for (int m = 2; m < 10; m++)
                draw(f, p, k + log10(m), minor);
        return;
    }
    /* 2, 3 and 4 are cut into ones, 1 and 5 in five */
    const double leading = round(t->step / pow(10, floor(log10(t->step) + 1e-9)));
    const double step = t->step / (leading > 1 && leading < 5 ? leading : 5);
    for (double k = ceil(a->lo / step); k * step <= a->hi; k++)
        draw(f, p, k * step, minor);
}

static void with_exponent(char *text, size_t size, const char *title, int exponent)
{
    if (exponent)
        snprintf(text, size, "%s  (" TIMES "10#u%s%d#d)", title ? title : "",
                 exponent < 0 ? MINUS : "", abs(exponent));
    else
        snprintf(text, size, "%s", title ? title : "");
}

static void x_axis(anpe_figure *f, const anpe_panel *p)
{
    tick_set t;
    char title[256];
    const double length = p->box.x1 - p->box.x0, height = p->size * MM_PER_POINT;
    if (p->x.log)
        log_ticks(&t, &p->x, length);
    else
        choose_ticks(&t, &p->x, length, p->size, 0);
    draw_ticks(f, p, &p->x, &t, tick_x);
    if (p->x.bare)
        return;
    for (int k = 0; k < t.n; k++) {
        const double x = anpe_panel_x(p, t.at[k]);
        const double half = 0.5 * anpe_figure_text_width(p->size, t.label[k]);
        if (!p->x.tight || (x - half >= p->box.x0 - 0.4 && x + half <= p->box.x1 + 0.4))
            anpe_figure_text(f, x, p->box.y0 - gap - 0.5 * height, p->size, 0.5, t.label[k]);
    }
    with_exponent(title, sizeof title, p->x.title, t.exponent);
    anpe_figure_text(f, 0.5 * (p->box.x0 + p->box.x1), p->box.y0 - gap - 2.05 * height,
                     p->size + 0.5, 0.5, title);
}

static void y_axis(anpe_figure *f, const anpe_panel *p)
{
    tick_set t;
    char title[256];
    const double length = p->box.y1 - p->box.y0, height = p->size * MM_PER_POINT;
    if (p->y.bare > 1)
        return;
    if (p->y.log)
        log_ticks(&t, &p->y, length);
    else
        choose_ticks(&t, &p->y, length, p->size, 1);
    draw_ticks(f, p, &p->y, &t, tick_y);
    if (p->y.bare)
        return;
    for (int k = 0; k < t.n; k++) {
        const double y = anpe_panel_y(p, t.at[k]);
        if (!p->y.tight || (y - 0.45 * height >= p->box.y0 && y + 0.45 * height <= p->box.y1))
            anpe_figure_text(f, p->box.x0 - gap, y, p->size, 1, t.label[k]);
    }
    with_exponent(title, sizeof title, p->y.title, t.exponent);
    const double room = gap + widest(p->size, &t) + 0.95 * height;
    anpe_figure_text_upwards(f, p->box.x0 - (p->room > 0 ? p->room : room),
                             0.5 * (p->box.y0 + p->box.y1), p->size + 0.5, 0.5, title);
}

void anpe_panel_frame(anpe_figure *f, const anpe_panel *p)
{
    anpe_figure_clip(f, NULL);
    anpe_figure_ink(f, ANPE_BLACK, 1);
    anpe_figure_pen(f, 0.5, ANPE_SOLID);
    anpe_figure_rectangle(f, &p->box, 0);
    x_axis(f, p);
    y_axis(f, p);
}

/* ---- marks ------------------------------------------------------------------------------- */

/* Runs of finite points are lines of their own. */
void anpe_panel_line(anpe_figure *f, const anpe_panel *p, int64_t n, const double *x,
                     const double *y)
{
    enum { RUN = 4096 };
    double px[RUN], py[RUN];
    int64_t m = 0;
    anpe_figure_clip(f, &p->box);
    for (int64_t i = 0; i <= n; i++) {
        const int good = i < n && isfinite(x[i]) && isfinite(y[i]);
        if (good) {
            px[m] = anpe_panel_x(p, x[i]);
            py[m++] = anpe_panel_y(p, y[i]);
        }
        if (good && m < RUN)
            continue;
        anpe_figure_line(f, m, px, py);
        px[0] = px[m > 0 ? m - 1 : 0];
        py[0] = py[m > 0 ? m - 1 : 0];
        m = good ? 1 : 0; /* a run that was cut goes on from its last point */
    }
    anpe_figure_clip(f, NULL);
}

void anpe_panel_level(anpe_figure *f, const anpe_panel *p, double y)
{
    anpe_panel_line(f, p, 2, (const double[]){p->x.lo, p->x.hi}, (const double[]){y, y});
}

void anpe_panel_mark(anpe_figure *f, const anpe_panel *p, double x)
{
    anpe_panel_line(f, p, 2, (const double[]){x, x}, (const double[]){p->y.lo, p->y.hi});
}

void anpe_panel_band(anpe_figure *f, const anpe_panel *p, int64_t n, const double *x,
                     const double *lo, const double *hi)
{
    enum { MOST = 512 };
    double px[2 * MOST], py[2 * MOST];
    anpe_figure_clip(f, &p->box);
    for (int64_t from = 0; from + 1 < n; from += MOST - 1) {
        const int64_t m = n - from < MOST ? n - from : MOST;
        for (int64_t i = 0; i < m; i++) { /* to the right along lo, back along hi */
            px[i] = px[2 * m - 1 - i] = anpe_panel_x(p, x[from + i]);
            py[i] = anpe_panel_y(p, lo[from + i]);
            py[2 * m - 1 - i] = anpe_panel_y(p, hi[from + i]);
        }
        anpe_figure_fill(f, 2 * m, px, py);
    }
    anpe_figure_clip(f, NULL);
}

static int is_inside(const anpe_panel *p, double x, double y)
{
    return x >= p->x.lo && x <= p->x.hi && y >= p->y.lo && y <= p->y.hi;
}

static void draw_symbol(anpe_figure *f, anpe_symbol symbol, double x, double y, double r,
                        int filled)
{
    /* corners in units of the radius, of about the same area as the circle */
    static const struct {
        int n;
        double x[4], y[4];
    } shape[] = {{0, {0}, {0}},
                 {4, {-0.9, 0.9, 0.9, -0.9}, {-0.9, -0.9, 0.9, 0.9}},
                 {4, {-1.25, 0, 1.25, 0}, {0, -1.25, 0, 1.25}},
                 {3, {-1.2, 1.2, 0}, {-0.8, -0.8, 1.3}}};
    double px[5], py[5];
    const int n = shape[symbol].n;
    if (symbol == ANPE_CIRCLE) {
        anpe_figure_circle(f, x, y, r, filled);
        return;
    }
    for (int k = 0; k <= n; k++) {
        px[k] = x + r * shape[symbol].x[k % n];
        py[k] = y + r * shape[symbol].y[k % n];
    }
    if (filled)
        anpe_figure_fill(f, n, px, py);
    else
        anpe_figure_line(f, n + 1, px, py);
}

void anpe_panel_points(anpe_figure *f, const anpe_panel *p, anpe_symbol symbol, double radius,
                       int filled, int64_t n, const double *x, const double *y)
{
    for (int64_t i = 0; i < n; i++)
        if (is_inside(p, x[i], y[i]))
            draw_symbol(f, symbol, anpe_panel_x(p, x[i]), anpe_panel_y(p, y[i]), radius, filled);
}

void anpe_panel_bars(anpe_figure *f, const anpe_panel *p, int64_t n, const double *x,
                     const double *lo, const double *hi)
{
    for (int64_t i = 0; i < n; i++)
        anpe_panel_line(f, p, 2, (const double[]){x[i], x[i]}, (const double[]){lo[i], hi[i]});
}

void anpe_panel_density(anpe_figure *f, const anpe_panel *p, anpe_colour colour, int64_t n,
                        const double *x, const double *y)
{
    enum { CELLS = 60 };
    int64_t count[CELLS][CELLS] = {{0}}, most = 1;
    const double wide = (p->box.x1 - p->box.x0) / CELLS, high = (p->box.y1 - p->box.y0) / CELLS;
    for (int64_t i = 0; i < n; i++) {
        if (!is_inside(p, x[i], y[i]))
            continue;
        const int cx = (int)fmin((anpe_panel_x(p, x[i]) - p->box.x0) / wide, CELLS - 1);
        const int cy = (int)fmin((anpe_panel_y(p, y[i]) - p->box.y0) / high, CELLS - 1);
        if (++count[cy][cx] > most)
            most = count[cy][cx];
    }
    for (int cy = 0; cy < CELLS; cy++)
        for (int cx = 0; cx < CELLS; cx++) {
            const double x0 = p->box.x0 + wide * cx, y0 = p->box.y0 + high * cy;
            if (!count[cy][cx])
                continue;
            anpe_figure_tint(f, colour,
                             0.15 + 0.85 * log1p((double)count[cy][cx]) / log1p((double)most));
            anpe_figure_rectangle(f, &(anpe_box){x0, y0, x0 + wide, y0 + high}, 1);
        }
}

void anpe_panel_note(anpe_figure *f, const anpe_panel *p, int right, int top, int line,
                     const char *text)
{
    const double height = p->size * MM_PER_POINT, down = (1.1 + 1.35 * line) * height + 0.7;
    anpe_figure_text(f, right ? p->box.x1 - 2 : p->box.x0 + 2,
                     top ? p->box.y1 - down : p->box.y0 + down, p->size, right ? 1 : 0, text);
}
