/* plot/figure.c -- see figure.h. The cairo drivers take 72 dots for an inch whatever they draw, so
 * a PNG of `dpi` dots is a page that is dpi / 72 times as large, with text and lines as much
 * larger. */
#include <config.h>
#include "plot/figure.h"
#include "base/text.h"
#include "file/output.h"

#include <math.h>
#include <plplot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PIXELS = 20000, INK = 1 /* the colour number that is set again and again */ };
#define MM_PER_INCH 25.4
/* PLplot's character height over the size of the font: measured, cairo driver, 5.15. */
#define HEIGHT_PER_POINT (MM_PER_INCH / 72 * 0.749)

typedef struct file_kind {
    const char *extension, *driver;
    int dots, pages; /* dots: the size depends on dpi */
    const char *end; /* how a file ends that was written to its end */
} file_kind;

static const file_kind kinds[] = {{".png", "pngcairo", 1, 0, "IEND\xae\x42\x60\x82"},
                                  {".pdf", "pdfcairo", 0, 1, "%%EOF\n"},
                                  {".svg", "svgcairo", 0, 0, "</svg>\n"}};

static const unsigned char palette[][3] = {
    {0, 0, 0},     {0, 114, 178},  {213, 94, 0},    {0, 158, 115},   {204, 121, 167},
    {230, 159, 0}, {86, 180, 233}, {110, 110, 110}, {222, 222, 222}, {255, 255, 255}};

struct anpe_figure {
    anpe_output output;
    const file_kind *kind;
    double width, height, dots; /* mm; device units per point */
    double x, y, scale;         /* anpe_figure_place */
    int pages;
    char problem[128]; /* the first one that PLplot reported */
};

static anpe_figure *current; /* PLplot reports to functions without an argument */

static void on_abort(PLCHAR_VECTOR message)
{
    if (current && !current->problem[0])
        snprintf(current->problem, sizeof current->problem, "%s", message);
}

/* ---- files ------------------------------------------------------------------------------- */

static const file_kind *kind_of(const char *path)
{
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        if (anpe_text_has_extension(path, kinds[k].extension))
            return &kinds[k];
    return NULL;
}

int anpe_figure_has_pages(const char *path)
{
    const file_kind *kind = kind_of(path);
    return kind && kind->pages;
}

/* PLplot asks the terminal for another device where one is missing, so it is looked for first. */
static int has_driver(const char *name)
{
    const char *menu[64] = {0}, *device[64] = {0}, **m = menu, **d = device;
    int n = 64, found = 0;
    plgFileDevs(&m, &d, &n);
    for (int k = 0; k < n && d[k]; k++)
        found |= !strcmp(d[k], name);
    return found;
}

anpe_status anpe_figure_check(anpe_ctx *ctx, const char *path)
{
    const file_kind *kind = kind_of(path);
    if (!kind)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: the name of a figure ends in .png, .pdf or .svg",
                         path);
    if (!has_driver(kind->driver))
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "%s: PLplot has no driver %s here (Debian: plplot-driver-cairo)", path,
                         kind->driver);
    return anpe_output_check(ctx, path);
}

static void start_plplot(const anpe_figure *f)
{
    const double dots_per_mm = 72 * f->dots / MM_PER_INCH;
    plsabort(on_abort);
    plsdev(f->kind->driver);
    plsfnam(f->output.temporary);
    plspage(0, 0, (PLINT)lround(f->width * dots_per_mm), (PLINT)lround(f->height * dots_per_mm), 0,
            0);
    plscol0a(0, 255, 255, 255, 1);
    plinit();
    plsfont(PL_FCI_SANS, PL_FCI_UPRIGHT, PL_FCI_MEDIUM);
}

anpe_status anpe_figure_open(anpe_ctx *ctx, const char *path, double width, double height,
                             double dpi, anpe_figure **out)
{
    *out = NULL;
    anpe_status status = anpe_figure_check(ctx, path);
    if (status)
        return status;
    const file_kind *kind = kind_of(path);
    const double dots = kind->dots ? dpi / 72 : 1, side = fmax(width, height) / MM_PER_INCH;
    if (!(side * 72 * dots <= MAX_PIXELS) || !(fmin(width, height) > 5))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s: a figure of %g x %g mm is not possible: sides are over 5 mm and have "
                         "at most %d pixels",
                         path, width, height, MAX_PIXELS);
    anpe_figure *f = anpe_alloc(ctx, sizeof *f);
    if (!f)
        return ANPE_ENOMEM;
    *f = (anpe_figure){.kind = kind, .width = width, .height = height, .dots = dots, .scale = 1};
    if ((status = anpe_output_begin(ctx, &f->output, path))) {
        anpe_free(f);
        return status;
    }
    current = f;
    start_plplot(f);
    *out = f;
    return ANPE_OK;
}

/* The drivers do not say when a disk is full; a file that is whole has its end. */
static int is_whole(const anpe_figure *f)
{
    char end[16] = "";
    const size_t n = strlen(f->kind->end);
    FILE *file = fopen(f->output.temporary, "rb");
    const int ok = file && !fseek(file, -(long)n, SEEK_END) && fread(end, 1, n, file) == n &&
                   !memcmp(end, f->kind->end, n);
    if (file)
        fclose(file);
    return ok;
}

anpe_status anpe_figure_close(anpe_ctx *ctx, anpe_figure *f)
{
    anpe_status status = ANPE_OK;
    plend();
    current = NULL;
    if (f->problem[0])
        status = ANPE_FAIL(ctx, ANPE_EINTERNAL, "%s: PLplot: %s", f->output.path, f->problem);
    else if (!is_whole(f))
        status =
            ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: the figure is not complete (disk full?)",
                      f->output.path);
    if (!status)
        status = anpe_output_commit(ctx, &f->output);
    anpe_output_abandon(&f->output);
    anpe_free(f);
    return status;
}

anpe_figure *anpe_figure_abandon(anpe_figure *f)
{
    if (!f)
        return NULL;
    plend();
    current = NULL;
    anpe_output_abandon(&f->output);
    anpe_free(f);
    return NULL;
}

/* ---- where ------------------------------------------------------------------------------- */

void anpe_figure_page(anpe_figure *f)
{
    pladv(0);
    f->pages++;
    anpe_figure_place(f, 0, 0, 1);
    anpe_figure_pen(f, 0.5, ANPE_SOLID);
    anpe_figure_ink(f, ANPE_BLACK, 1);
}

int anpe_figure_pages(const anpe_figure *f)
{
    return f->pages;
}

void anpe_figure_place(anpe_figure *f, double x, double y, double scale)
{
    f->x = x;
    f->y = y;
    f->scale = scale;
    anpe_figure_clip(f, NULL);
}

/* PLplot cuts at its viewport: the box, in which world coordinates stay millimetres of the page. */
void anpe_figure_clip(anpe_figure *f, const anpe_box *box)
{
    double x0 = 0, y0 = 0, x1 = f->width, y1 = f->height;
    if (box) {
        x0 = fmax(f->x + f->scale * box->x0, 0);
        y0 = fmax(f->y + f->scale * box->y0, 0);
        x1 = fmin(f->x + f->scale * box->x1, f->width);
        y1 = fmin(f->y + f->scale * box->y1, f->height);
    }
    plvpor(x0 / f->width, x1 / f->width, y0 / f->height, y1 / f->height);
    plwind(x0, x1, y0, y1);
}

/* ---- pen and ink ------------------------------------------------------------------------- */

void anpe_figure_ink(anpe_figure *f, anpe_colour colour, double opacity)
{
    const unsigned char *c = palette[colour];
    (void)f;
    plscol0a(INK, c[0], c[1], c[2], opacity);
    plcol0(INK);
}

void anpe_figure_tint(anpe_figure *f, anpe_colour colour, double strength)
{
    PLINT mixed[3];
    (void)f;
    for (int k = 0; k < 3; k++)
        mixed[k] = (PLINT)lround(255 - strength * (255 - palette[colour][k]));
    plscol0a(INK, mixed[0], mixed[1], mixed[2], 1);
    plcol0(INK);
}

void anpe_figure_pen(anpe_figure *f, double width, anpe_dash dash)
{
    /* marks and spaces in micrometres */
    static const struct {
        PLINT n, mark[2], space[2];
    } dashes[] = {
        {0, {0}, {0}}, {1, {1300}, {800}}, {1, {350}, {600}}, {2, {1500, 300}, {600, 600}}};
    PLINT mark[2], space[2];
    plwidth(width * f->dots * f->scale);
    for (int k = 0; k < dashes[dash].n; k++) {
        mark[k] = (PLINT)(dashes[dash].mark[k] * f->dots * f->scale);
        space[k] = (PLINT)(dashes[dash].space[k] * f->dots * f->scale);
    }
    plstyl(dashes[dash].n, mark, space);
}

/* ---- lines and areas --------------------------------------------------------------------- */

enum { CHUNK = 2048 }; /* points that are converted at once */

/* Polylines are cut into chunks that share a point. */
void anpe_figure_line(anpe_figure *f, int64_t n, const double *x, const double *y)
{
    double px[CHUNK], py[CHUNK];
    for (int64_t from = 0; from + 1 < n; from += CHUNK - 1) {
        const int64_t m = n - from < CHUNK ? n - from : CHUNK;
        for (int64_t i = 0; i < m; i++) {
            px[i] = f->x + f->scale * x[from + i];
            py[i] = f->y + f->scale * y[from + i];
        }
        plline((PLINT)m, px, py);
    }
}

void anpe_figure_segment(anpe_figure *f, double x0, double y0, double x1, double y1)
{
    anpe_figure_line(f, 2, (const double[]){x0, x1}, (const double[]){y0, y1});
}

void anpe_figure_fill(anpe_figure *f, int64_t n, const double *x, const double *y)
{
    double *p = malloc(2 * (size_t)n * sizeof *p);
    if (!p) {
        on_abort("out of memory");
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        p[i] = f->x + f->scale * x[i];
        p[n + i] = f->y + f->scale * y[i];
    }
    plpsty(0);
    plfill((PLINT)n, p, p + n);
    free(p);
}

void anpe_figure_rectangle(anpe_figure *f, const anpe_box *b, int filled)
{
    const double x[5] = {b->x0, b->x1, b->x1, b->x0, b->x0};
    const double y[5] = {b->y0, b->y0, b->y1, b->y1, b->y0};
    if (filled)
        anpe_figure_fill(f, 4, x, y);
    else
        anpe_figure_line(f, 5, x, y);
}

void anpe_figure_circle(anpe_figure *f, double x, double y, double radius, int filled)
{
    const double r = f->scale * radius;
    plarc(f->x + f->scale * x, f->y + f->scale * y, r, r, 0, 360, 0, filled);
}

/* ---- text -------------------------------------------------------------------------------- */

static void set_size(const anpe_figure *f, double size)
{
    plschr(size * HEIGHT_PER_POINT * f->dots * f->scale, 1);
}

static void put_text(anpe_figure *f, double x, double y, double size, double align, int upwards,
                     const char *text)
{
    anpe_figure_clip(f, NULL); /* PLplot drops text that starts outside */
    set_size(f, size);
    plptex(f->x + f->scale * x, f->y + f->scale * y, upwards ? 0 : 1, upwards ? 1 : 0, align, text);
}

void anpe_figure_text(anpe_figure *f, double x, double y, double size, double align,
                      const char *text)
{
    put_text(f, x, y, size, align, 0, text);
}

void anpe_figure_text_upwards(anpe_figure *f, double x, double y, double size, double align,
                              const char *text)
{
    put_text(f, x, y, size, align, 1, text);
}

/* Widths in a thousandth of the size, of a wide sans-serif (DejaVu): PLplot does not tell. */
static int letter_width(unsigned char c)
{
    if (c >= 0x80)
        return (c & 0xc0) == 0x80 ? 0 : 750; /* first byte of a letter beyond ASCII */
    if (strchr("ijl|", c))
        return 290;
    if (strchr(" .,:;()[]/!ftr", c))
        return 390;
    return c >= '0' && c <= '9' ? 636 : strchr("mwMW", c) ? 950 : c >= 'A' && c <= 'Z' ? 720 : 620;
}

double anpe_figure_text_width(double size, const char *text)
{
    int level = 0, sum = 0;
    for (; *text; text++) {
        if (*text != '#' || text[1] == '#') {
            sum += letter_width((unsigned char)*text) * (level ? 7 : 10) / 10;
            text += *text == '#';
            continue;
        }
        text++;
        level += *text == 'u' ? 1 : *text == 'd' ? -1 : 0;
        if (*text == '<')
            text += strcspn(text, ">");
        if (!*text)
            break;
    }
    return size * sum / 1000 * MM_PER_INCH / 72;
}
