/* plot/spectrum.c -- a survey's spectrum as the instrument that knows the file reads it, or one of
 * an HDF5 file of spectra with wavelengths: flux, error bars, bad pixels, and the names of strong
 * lines on request. */
#include <config.h>
#include "file/hdf5_file.h"
#include "kind/recognise.h"
#include "plot/names.h"
#include "plot/plot_kind.h"
#include "spectrum/spectrum.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Strong lines of stars, vacuum Angstrom: Balmer lines, Ca II, Na D, Mg b, Fe I and K I of the
 * optical (air wavelengths of Moore, Minnaert & Houtgast 1966, by Morton 2000); Mg I, Al I, Si I, K
 * I and H I of the H band (APOGEE, Shetrone et al. 2015). */
static const struct {
    double wavelength;
    const char *name;
} lines[] = {
    {3934.77, "Ca II K"},   {3969.59, "Ca II H"},   {4102.89, "H\xce\xb4"}, {4227.92, "Ca I"},
    {4341.68, "H\xce\xb3"}, {4862.68, "H\xce\xb2"}, {5168.76, "Mg b"},      {5174.13, "Mg b"},
    {5185.05, "Mg b"},      {5271.00, "Fe I"},      {5891.58, "Na D2"},     {5897.56, "Na D1"},
    {6564.61, "H\xce\xb1"}, {6709.61, "Li I"},      {7701.08, "K I"},       {8500.35, "Ca II"},
    {8544.44, "Ca II"},     {8664.52, "Ca II"},     {15029.1, "Mg I"},      {15044.4, "Mg I"},
    {15167.2, "K I"},       {15753.3, "Mg I"},      {15770.2, "Mg I"},      {15892.8, "Si I"},
    {16113.7, "H I 13-4"},  {16723.5, "Al I"},      {16755.1, "Al I"},      {16811.1, "H I 11-4"}};
enum { N_LINES = sizeof lines / sizeof lines[0] };

typedef struct shown {
    anpe_known_file file;
    anpe_spectrum s;
    int64_t n, n_good, n_panels;
    double *x, *flux, *lo, *hi, *bad, *scratch; /* (n_pixels) NAN where not of this kind */
    double *range;                              /* (n_panels, 2) */
    double *wavelength;                         /* of an HDF5 file */
    int64_t whole[2];                           /* its one segment */
    const char *read_as;
} shown;

/* ---- reading ----------------------------------------------------------------------------- */

static void unload(void *data)
{
    shown *d = data;
    anpe_spectrum_clear(&d->s);
    anpe_known_file_close(&d->file);
    anpe_free(d->x);
    anpe_free(d->range);
    anpe_free(d->wavelength);
    free(d);
}

/* One panel per zoom, or per segment that has good pixels. */
static anpe_status set_panels(anpe_ctx *ctx, const anpe_plot_request *q, shown *d)
{
    const anpe_instrument_info *i = &d->file.instrument.info;
    const int64_t most = q->zoom.n ? q->zoom.n : i->n_segments;
    d->range = anpe_alloc(ctx, 2 * (size_t)most * sizeof *d->range);
    if (!d->range)
        return ANPE_ENOMEM;
    for (int64_t k = 0; k < most; k++) {
        double *r = d->range + 2 * d->n_panels;
        char rest;
        int64_t inside = 0;
        if (!q->zoom.n) {
            r[0] = i->wavelength[i->segment[k]];
            r[1] = i->wavelength[i->segment[k + 1] - 1];
        } else if (sscanf(q->zoom.v[k], "%lf:%lf%c", &r[0], &r[1], &rest) != 2 || !(r[0] < r[1])) {
            return ANPE_FAIL(ctx, ANPE_EINVAL, "--zoom must be LO:HI, not '%s'", q->zoom.v[k]);
        }
        for (int64_t p = 0; p < d->n; p++)
            inside += isfinite(d->flux[p]) && d->x[p] >= r[0] && d->x[p] <= r[1];
        if (q->zoom.n && inside < 2)
            return ANPE_FAIL(ctx, ANPE_EINVAL,
                             "--zoom %s: no good pixels there; the spectrum is from %g to %g",
                             q->zoom.v[k], d->x[0], d->x[d->n - 1]);
        d->n_panels += inside >= 2;
    }
    return d->n_panels
               ? ANPE_OK
               : ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no two good pixels in one segment", q->files[0]);
}

static anpe_status take_pixels(anpe_ctx *ctx, shown *d)
{
    const size_t n = (size_t)d->s.n_pixels;
    d->n = d->s.n_pixels;
    if (!(d->x = anpe_alloc(ctx, 6 * n * sizeof *d->x)))
        return ANPE_ENOMEM;
    d->flux = d->x + n;
    d->lo = d->x + 2 * n;
    d->hi = d->x + 3 * n;
    d->bad = d->x + 4 * n;
    d->scratch = d->x + 5 * n;
    for (int64_t p = 0; p < d->n; p++) {
        const double flux = (double)d->s.flux[p], sigma = (double)d->s.sigma[p];
        d->x[p] = d->file.instrument.info.wavelength[p];
        d->flux[p] = d->s.mask[p] ? NAN : flux;
        d->lo[p] = d->s.mask[p] ? NAN : flux - sigma;
        d->hi[p] = d->s.mask[p] ? NAN : flux + sigma;
        d->n_good += !d->s.mask[p];
    }
    return ANPE_OK;
}

/* The wavelengths of an HDF5 file of spectra -> d->file.instrument.info. */
static anpe_status load_wavelengths(anpe_ctx *ctx, const char *path, shown *d)
{
    anpe_instrument_info *info = &d->file.instrument.info;
    anpe_h5 *f = NULL;
    int64_t shape[8];
    int rank = 0;
    anpe_status status;
    ANPE_TRY(anpe_h5_open(ctx, path, &f));
    if (!anpe_h5_has(f, "wavelength"))
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "%s: its values have no wavelengths (dataset `wavelength`)", path);
    else
        status = anpe_h5_shape(ctx, f, "wavelength", &rank, shape);
    if (!status && rank != 1)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: wavelength has %d dimensions; expected 1", path,
                           rank);
    if (!status)
        status = anpe_h5_check_stored(ctx, f, "wavelength", 1 << 20);
    if (!status && !(d->wavelength = anpe_alloc(ctx, (size_t)shape[0] * sizeof *d->wavelength)))
        status = ANPE_ENOMEM;
    if (!status)
        status = anpe_h5_read(ctx, f, "wavelength", ANPE_H5_DOUBLE, shape[0], d->wavelength);
    d->whole[1] = status ? 0 : shape[0];
    *info = (anpe_instrument_info){.channels = 1,
                                   .n_pixels = d->whole[1],
                                   .wavelength = d->wavelength,
                                   .n_segments = 1,
                                   .segment = d->whole};
out:
    anpe_h5_abandon(f);
    return status;
}

static anpe_status load_hdf5(anpe_ctx *ctx, const anpe_plot_request *q, shown *d)
{
    anpe_spectra_file *f = NULL;
    anpe_status status;
    d->read_as = "HDF5 spectra";
    ANPE_TRY(anpe_spectra_file_open(ctx, q->files[0], &f));
    ANPE_TRY(load_wavelengths(ctx, q->files[0], d));
    d->file.n = anpe_spectra_file_rows(f);
    if (q->row >= d->file.n)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has %lld", q->files[0],
                           (long long)q->row, (long long)d->file.n);
    if (status)
        goto out;
    ANPE_TRY(anpe_spectrum_new(ctx, d->whole[1], &d->s));
    ANPE_TRY(anpe_spectra_file_read(ctx, f, q->row, &d->file.instrument.info, &d->s));
    (void)anpe_spectrum_check(&d->s);
    if (!d->s.id[0])
        snprintf(d->s.id, sizeof d->s.id, "spectrum %lld", (long long)q->row);
out:
    anpe_spectra_file_close(f);
    return status;
}

static anpe_status load_known(anpe_ctx *ctx, const anpe_plot_request *q, shown *d)
{
    anpe_status status;
    ANPE_TRY(anpe_known_file_open(ctx, q->files[0], &d->file));
    d->read_as = d->file.known.plugin->name;
    if (q->row >= d->file.n)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no spectrum %lld; the file has %lld", q->files[0],
                         (long long)q->row, (long long)d->file.n);
    if (!d->file.instrument.info.wavelength)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: its values have no wavelengths", q->files[0]);
    ANPE_TRY(anpe_spectrum_new(ctx, anpe_instrument_size(&d->file.instrument), &d->s));
    ANPE_TRY(anpe_instrument_read(&d->file.instrument, ctx, &d->file.input, q->row, &d->s));
out:
    return status;
}

static anpe_status load(anpe_ctx *ctx, const anpe_plot_request *q, void **data)
{
    anpe_status status;
    shown *d;
    if (ANPE_NEW(ctx, d, 1))
        return ANPE_ENOMEM;
    *data = d;
    if (anpe_spectra_file_is_hdf5(ctx, q->files[0]))
        ANPE_TRY(load_hdf5(ctx, q, d));
    else
        ANPE_TRY(load_known(ctx, q, d));
    ANPE_TRY(take_pixels(ctx, d));
    ANPE_TRY(set_panels(ctx, q, d));
out:
    return status;
}

/* ---- drawing ----------------------------------------------------------------------------- */

static const double left = 15, right = 4.5, between = 8, below = 10; /* below: under the last */

static void size(const void *data, double *width, double *height)
{
    const shown *d = data;
    const double each = d->n_panels == 1 ? 60 : d->n_panels == 2 ? 48 : 38;
    *width = ANPE_PAGE_MM;
    *height = 6 + (double)d->n_panels * (each + between) + below - between;
}

/* Names upright at the top, no two on each other: the first in wavelength stays. */
static void draw_names(anpe_figure *f, const anpe_panel *p)
{
    double last = -INFINITY;
    anpe_figure_pen(f, 0.3, ANPE_DASHED);
    for (int k = 0; k < N_LINES; k++) {
        const double x = lines[k].wavelength;
        if (x < p->x.lo || x > p->x.hi)
            continue;
        const double at = anpe_panel_x(p, x);
        if (at - p->box.x0 < 2.5)
            continue;
        anpe_figure_ink(f, ANPE_GREY, 0.8);
        anpe_panel_mark(f, p, x);
        if (at - last < 3)
            continue;
        anpe_figure_ink(f, ANPE_BLACK, 1);
        anpe_figure_text_upwards(f, at - 1.2, p->box.y1 - 6, 5.5, 0.5, lines[k].name);
        last = at;
    }
}

/* Bad pixels are ticks along the bottom, where no flux of theirs is drawn. */
static void draw_bad(anpe_figure *f, const anpe_panel *p, const shown *d)
{
    const double y0 = p->box.y0, y1 = y0 + 1.6;
    anpe_figure_ink(f, ANPE_VERMILLION, 1);
    anpe_figure_pen(f, 0.3, ANPE_SOLID);
    for (int64_t k = 0; k < d->n; k++)
        if (d->s.mask[k] && d->x[k] >= p->x.lo && d->x[k] <= p->x.hi) {
            const double x = anpe_panel_x(p, d->x[k]);
            anpe_figure_segment(f, x, y0, x, y1);
        }
}

static void draw_panel(anpe_figure *f, const anpe_plot_request *q, const shown *d,
                       const anpe_box *box, const double range[2], int last)
{
    const double margin = 0.008 * (range[1] - range[0]);
    anpe_panel p = {
        *box, {.lo = range[0] - margin, .hi = range[1] + margin}, {.title = "flux"}, 6.5, 11.5};
    int64_t first = 0, n = 0;
    while (first < d->n && d->x[first] < range[0])
        first++;
    while (first + n < d->n && d->x[first + n] <= range[1])
        n++;
    p.x.title = last ? "wavelength (vacuum) [\xc3\x85]" : NULL;
    anpe_axis_cover_most(&p.y, 0.002, 0.12, n, d->flux + first, d->scratch);
    if (q->names)
        p.y.hi += 0.25 * (p.y.hi - p.y.lo);
    anpe_figure_tint(f, ANPE_SKY, 0.5);
    for (int64_t k = first; k < first + n; k++) /* between neighbours that are both good */
        if (k > first && isfinite(d->lo[k]) && isfinite(d->lo[k - 1]))
            anpe_panel_band(f, &p, 2, d->x + k - 1, d->lo + k - 1, d->hi + k - 1);
    anpe_figure_ink(f, ANPE_BLACK, 1);
    anpe_figure_pen(f, 0.4, ANPE_SOLID);
    anpe_panel_line(f, &p, n, d->x + first, d->flux + first);
    draw_bad(f, &p, d);
    if (q->names)
        draw_names(f, &p);
    anpe_panel_frame(f, &p);
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const void *data, anpe_figure *f,
                        double width, double height, anpe_text *text)
{
    const shown *d = data;
    const double title = q->title ? anpe_plot_title(f, q, width, height) : 0, top = title + 6;
    const double each = (height - top - below + between) / (double)d->n_panels;
    char plain[128];
    anpe_text line = {0};
    (void)ctx;
    anpe_text_add(&line, "%s    %s    %lld of %lld pixels good",
                  anpe_names_plain(plain, sizeof plain, d->s.id), d->read_as, (long long)d->n_good,
                  (long long)d->n);
    anpe_figure_ink(f, ANPE_BLACK, 1);
    if (line.text)
        anpe_figure_text(f, left, height - title - 3, ANPE_TEXT_POINTS, 0, line.text);
    for (int64_t k = 0; k < d->n_panels; k++) {
        const double y = height - top - each * (double)k;
        draw_panel(f, q, d, &(anpe_box){left, y - each + between, width - right, y},
                   d->range + 2 * k, k == d->n_panels - 1);
    }
    anpe_text_add(text, "  %s, read as %s: %lld of %lld pixels good\n", d->s.id, d->read_as,
                  (long long)d->n_good, (long long)d->n);
    anpe_text_free(&line);
    return ANPE_OK;
}

const anpe_plot_kind anpe_plot_spectrum = {load, size, draw, unload};
