/* The header: lines of text, then arrays. Any language can print it. */
#include <config.h>
#include "header.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LABELS = 1024, MOST_PIXELS = 100000000, LINE = 512 };

typedef struct reader {
    anpe_ctx *ctx;
    worker *w;
    const char *what;
    double seconds;
    int n_line;
    char line[LINE];
    int has_wavelength, has_scatter;
    locale_t c; /* numbers have points, whatever the locale of the process */
} reader;

static anpe_status wrong(const reader *r, const char *expected)
{
    return ANPE_FAIL(r->ctx, ANPE_EFORMAT, "%s: line %d of its header is '%s'; expected %s",
                     r->what, r->n_line, r->line, expected);
}

static anpe_status receive(reader *r, void *to, size_t n)
{
    if (worker_exchange(r->w, NULL, 0, to, n, r->seconds))
        return ANPE_FAIL(r->ctx, ANPE_EIO, "%s: %s, in its header", r->what, r->w->why);
    return ANPE_OK;
}

static anpe_status next_line(reader *r)
{
    r->n_line++;
    for (size_t i = 0; i < LINE; i++) {
        anpe_status status = receive(r, r->line + i, 1);
        if (status)
            return status;
        if (r->line[i] == '\n' || !r->line[i]) {
            r->line[i] = 0;
            if (i && r->line[i - 1] == '\r')
                r->line[i - 1] = 0;
            return ANPE_OK;
        }
        if (i == LINE - 1)
            r->line[60] = 0;
    }
    return wrong(r, "a line of at most 511 letters: does the program print something else first?");
}

static int number(const reader *r, const char *text, double *x)
{
    char *end;
    *x = strtod_l(text, &end, r->c);
    return end != text && !*end;
}

/* label NAME UNIT MIN MAX */
static anpe_status add_label(reader *r, header *h)
{
    static const char *const form = "label NAME UNIT MIN MAX, with - for no unit";
    char name[LINE], unit[LINE], low[LINE], high[LINE], more;
    anpe_label l = {0};
    if (sscanf(r->line, "label %511s %511s %511s %511s %c", name, unit, low, high, &more) != 4 ||
        !number(r, low, &l.min) || !number(r, high, &l.max))
        return wrong(r, form);
    if (!(l.min < l.max))
        return wrong(r, "MIN below MAX");
    if (strlen(name) >= sizeof l.name || strlen(unit) >= sizeof l.unit)
        return wrong(r, "a name of at most 23 letters and a unit of at most 15");
    const int64_t n = h->info.n_labels;
    for (int64_t i = 0; i < n; i++)
        if (!strcmp(h->label[i].name, name))
            return wrong(r, "each label once");
    if (n == MOST_LABELS)
        return wrong(r, "at most 1024 labels");
    int64_t room = n;
    if (ANPE_GROW(r->ctx, h->label, room, n + 1))
        return ANPE_ENOMEM;
    strcpy(l.name, name);
    strcpy(l.unit, strcmp(unit, "-") ? unit : "");
    h->label[n] = l;
    h->info.n_labels = n + 1;
    return ANPE_OK;
}

/* A key with one number. */
static anpe_status set_value(reader *r, header *h)
{
    char key[LINE], text[LINE], more;
    double x;
    if (sscanf(r->line, "%511s %511s %c", key, text, &more) != 2 || !number(r, text, &x))
        return wrong(r,
                     "label, pixels, resolution, normalised, on_grid, wavelength, scatter or end");
    if (!strcmp(key, "pixels")) {
        if (!(x >= 1 && x <= MOST_PIXELS) || x != floor(x))
            return wrong(r, "pixels N, a whole number from 1");
        h->info.n_pixels = (int64_t)x;
    } else if (!strcmp(key, "resolution")) {
        if (!(x > 0))
            return wrong(r, "resolution R above 0, or inf");
        h->info.resolution = x;
    } else if (!strcmp(key, "normalised") && (x == 0 || x == 1)) {
        h->info.normalised = x == 1;
    } else if (!strcmp(key, "on_grid") && (x == 0 || x == 1)) {
        h->info.on_grid = x == 1;
    } else {
        return wrong(r, "label, pixels, resolution, normalised 0 or 1, on_grid 0 or 1, wavelength, "
                        "scatter or end");
    }
    return ANPE_OK;
}

static anpe_status read_lines(reader *r, header *h)
{
    anpe_status status = next_line(r);
    if (!status && strcmp(r->line, "anpe-pipe 1"))
        status = wrong(r, "'anpe-pipe 1', the first words of the protocol");
    while (!status && !(status = next_line(r)) && strcmp(r->line, "end")) {
        if (!strcmp(r->line, "wavelength"))
            r->has_wavelength = 1;
        else if (!strcmp(r->line, "scatter"))
            r->has_scatter = 1;
        else if (!strncmp(r->line, "label ", 6))
            status = add_label(r, h);
        else
            status = set_value(r, h);
    }
    if (!status && !h->info.n_labels)
        status = wrong(r, "a line 'label ...' before it");
    if (!status && !h->info.n_pixels)
        status = wrong(r, "a line 'pixels N' before it");
    return status;
}

static anpe_status read_wavelength(reader *r, header *h)
{
    const int64_t n = h->info.n_pixels;
    if (ANPE_NEW(r->ctx, h->wavelength, n))
        return ANPE_ENOMEM;
    anpe_status status = receive(r, h->wavelength, (size_t)n * sizeof *h->wavelength);
    for (int64_t i = 0; i < n && !status; i++)
        if (!(h->wavelength[i] > (i ? h->wavelength[i - 1] : 0)) || isinf(h->wavelength[i]))
            status = ANPE_FAIL(r->ctx, ANPE_EFORMAT,
                               "%s: wavelength %lld is %g; they must be positive and ascend",
                               r->what, (long long)i, h->wavelength[i]);
    h->info.wavelength = h->wavelength;
    return status;
}

static anpe_status read_scatter(reader *r, header *h)
{
    const int64_t n = h->info.n_pixels;
    if (ANPE_NEW(r->ctx, h->scatter, n))
        return ANPE_ENOMEM;
    anpe_status status = receive(r, h->scatter, (size_t)n * sizeof *h->scatter);
    for (int64_t i = 0; i < n && !status; i++)
        if (!(h->scatter[i] >= 0) || isinf(h->scatter[i]))
            status = ANPE_FAIL(r->ctx, ANPE_EFORMAT,
                               "%s: scatter %lld is %g; expected a finite number from 0", r->what,
                               (long long)i, (double)h->scatter[i]);
    h->info.scatter = h->scatter;
    return status;
}

anpe_status header_read(anpe_ctx *ctx, worker *w, const char *what, double seconds, header *h)
{
    reader r = {.ctx = ctx, .w = w, .what = what, .seconds = seconds};
    *h = (header){.info.resolution = INFINITY, .info.normalised = 1};
    r.c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (!r.c)
        return ANPE_NO_MEMORY(ctx, what);
    anpe_status status = read_lines(&r, h);
    if (!status && r.has_wavelength)
        status = read_wavelength(&r, h);
    if (!status && r.has_scatter)
        status = read_scatter(&r, h);
    h->info.labels = h->label;
    if (!status && h->info.on_grid == 0 && !h->info.wavelength && h->info.resolution < INFINITY)
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: its header has a resolution and no wavelength", what);
    freelocale(r.c);
    if (status)
        header_clear(h);
    return status;
}

void header_clear(header *h)
{
    free(h->label);
    free(h->wavelength);
    free(h->scatter);
    *h = (header){0};
}

static int same_array(const void *a, const void *b, size_t n)
{
    return a && b ? !memcmp(a, b, n) : !a && !b;
}

int header_same(const header *a, const header *b)
{
    const anpe_simulator_info *x = &a->info, *y = &b->info;
    if (x->n_labels != y->n_labels || x->n_pixels != y->n_pixels ||
        x->resolution != y->resolution || x->on_grid != y->on_grid ||
        x->normalised != y->normalised)
        return 0;
    const size_t n = (size_t)x->n_pixels;
    return same_array(a->label, b->label, (size_t)x->n_labels * sizeof *a->label) &&
           same_array(a->wavelength, b->wavelength, n * sizeof *a->wavelength) &&
           same_array(a->scatter, b->scatter, n * sizeof *a->scatter);
}
