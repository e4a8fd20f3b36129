/* plot/plot_support.c -- see plot_kind.h. */
#include <config.h>
#include "file/spectra_file.h"
#include "plot/names.h"
#include "plot/plot_kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- labels ------------------------------------------------------------------------------ */

anpe_status anpe_plot_labels_read(anpe_ctx *ctx, anpe_h5 *f, const char *object, const char *names,
                                  anpe_plot_labels *out)
{
    int64_t n_units = 0;
    anpe_status status;
    *out = (anpe_plot_labels){0};
    ANPE_TRY(anpe_h5_get_texts(ctx, f, object, names, &out->n, &out->name));
    ANPE_TRY(anpe_h5_get_texts(ctx, f, object, "units", &n_units, &out->unit));
    if (n_units != out->n || out->n < 1) {
        anpe_h5_texts_free(n_units, out->unit);
        out->unit = NULL;
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: '%s' has %lld labels and %lld units",
                           anpe_h5_path(f), object, (long long)out->n, (long long)n_units);
    }
out:
    if (status)
        anpe_plot_labels_clear(out);
    return status;
}

void anpe_plot_labels_clear(anpe_plot_labels *l)
{
    anpe_h5_texts_free(l->n, l->name);
    anpe_h5_texts_free(l->n, l->unit);
    *l = (anpe_plot_labels){0};
}

static anpe_status index_of(anpe_ctx *ctx, const char *file, const char *name,
                            const anpe_plot_labels *all, int64_t *index)
{
    char hint[128];
    for (*index = 0; *index < all->n; ++*index)
        if (!strcmp(name, all->name[*index]))
            return ANPE_OK;
    anpe_text_hint(hint, sizeof hint, name, (int)all->n, (const char *const *)all->name);
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no label '%s'%s", file, name, hint);
}

anpe_status anpe_plot_labels_choose(anpe_ctx *ctx, const anpe_plot_request *q, const char *file,
                                    const anpe_plot_labels *all, int64_t *n, int64_t **index)
{
    char *rest = NULL;
    char *copy = anpe_strdup(ctx, q->labels ? q->labels : "");
    if (!copy)
        return ANPE_ENOMEM;
    anpe_status status = ANPE_NEW(ctx, *index, (int64_t)strlen(copy) + all->n + 1);
    for (*n = 0; !q->labels && !status && *n < all->n; ++*n)
        (*index)[*n] = *n;
    for (char *name = q->labels && copy ? strtok_r(copy, ", ", &rest) : NULL; name && !status;
         name = strtok_r(NULL, ", ", &rest))
        status = index_of(ctx, file, name, all, *index + (*n)++);
    if (!status && *n == 0)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "--labels names no label");
    free(copy);
    if (status) {
        free(*index);
        *index = NULL;
    }
    return status;
}

const char *anpe_plot_axis(char buffer[96], const anpe_plot_labels *l, int64_t k)
{
    return anpe_names_axis(buffer, 96, l->name[k], l->unit[k]);
}

/* ---- files ------------------------------------------------------------------------------- */

static int has_format(anpe_ctx *ctx, anpe_h5 *f, const char *format)
{
    char *text = NULL;
    const int is = anpe_h5_has_attribute(f, "/", "format") &&
                   !anpe_h5_get_text(ctx, f, "/", "format", &text) && !strcmp(text, format);
    free(text);
    return is;
}

int anpe_plot_is(anpe_ctx *ctx, const char *path, const char *format)
{
    anpe_h5 *f;
    if (!anpe_spectra_file_is_hdf5(ctx, path) || anpe_h5_open(ctx, path, &f))
        return 0;
    const int is = has_format(ctx, f, format);
    anpe_h5_abandon(f); /* opened for reading */
    return is;
}

anpe_status anpe_plot_open(anpe_ctx *ctx, const anpe_plot_request *q, const char *path,
                           const char *format, const char *wanted, anpe_h5 **out)
{
    anpe_status status = anpe_h5_open(ctx, path, out);
    if (status || has_format(ctx, *out, format))
        return status;
    *out = anpe_h5_abandon(*out);
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: plot %s wants %s, which this file is not", path,
                     q->what, wanted);
}

/* ---- layout ------------------------------------------------------------------------------ */

anpe_plot_grid anpe_plot_grid_of(int n)
{
    const int columns = n <= 4 ? n : n <= 12 ? (n % 4 == 0 ? 4 : 3) : 5;
    return (anpe_plot_grid){.n = n,
                            .columns = columns,
                            .rows = (n + columns - 1) / columns,
                            .top = 1,
                            .left = 12.5,
                            .right = 2.5,
                            .below = 9.5,
                            .above = 1.5};
}

int anpe_plot_grid_is_narrow(const anpe_plot_grid *g)
{
    return g->columns > 4;
}

/* aspect: height over width of a box. A figure of one panel has the width of a column. */
void anpe_plot_grid_size(const anpe_plot_grid *g, double aspect, double *width, double *height)
{
    *width = g->columns == 1 ? ANPE_COLUMN_MM : ANPE_PAGE_MM;
    const double box = *width / g->columns - g->left - g->right;
    *height = g->rows * (aspect * box + g->below + g->above) + g->top;
}

anpe_box anpe_plot_grid_box(const anpe_plot_grid *g, int k)
{
    const double w = g->width / g->columns, h = (g->height - g->top) / g->rows;
    const double x = w * (k % g->columns), y = g->height - g->top - h * (k / g->columns + 1);
    return (anpe_box){x + g->left, y + g->below, x + w - g->right, y + h - g->above};
}

double anpe_plot_title(anpe_figure *f, const anpe_plot_request *q, double width, double height)
{
    char text[256];
    if (!q->title)
        return 1;
    anpe_figure_ink(f, ANPE_BLACK, 1);
    anpe_figure_text(f, 0.5 * width, height - 3, ANPE_TEXT_POINTS + 1.5, 0.5,
                     anpe_names_plain(text, sizeof text, q->title));
    return 6;
}

void anpe_plot_number(char buffer[32], double value, int digits)
{
    char text[24];
    snprintf(text, sizeof text, "%.*g", digits, fabs(value));
    if (fabs(value) >= pow(10, digits) && fabs(value) < 1e9)
        snprintf(text, sizeof text, "%.0f", fabs(value));
    snprintf(buffer, 32, "%s%s", value < 0 ? "\xe2\x88\x92" : "", text);
}
