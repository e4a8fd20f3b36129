/* plot/plot.c -- from the name of a plot to its file: check, load, size, draw. */
#include "plot/plot.h"
#include "file/output.h"
#include "plot/plot_kind.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name, *files;
    int most;
    const anpe_plot_kind *kind;
} plots[] = {
#define X(name, files, help, most) {#name, files, most, &anpe_plot_##name},
    ANPE_PLOT_LIST(X)
#undef X
};
enum { N_PLOTS = sizeof plots / sizeof plots[0] };

static anpe_status find(anpe_ctx *ctx, const anpe_plot_request *q, const anpe_plot_kind **kind)
{
    const char *names[N_PLOTS];
    char hint[128];
    for (int k = 0; k < N_PLOTS; k++) {
        names[k] = plots[k].name;
        if (strcmp(q->what, plots[k].name))
            continue;
        if (q->n_files < 1 || q->n_files > plots[k].most)
            return ANPE_FAIL(ctx, ANPE_EINVAL, "plot %s wants %s, not %d files", q->what,
                             plots[k].files, q->n_files);
        *kind = plots[k].kind;
        return ANPE_OK;
    }
    return ANPE_FAIL(ctx, ANPE_EINVAL, "no plot '%s'%s", q->what,
                     anpe_text_hint(hint, sizeof hint, q->what, N_PLOTS, names));
}

static anpe_status check_files(anpe_ctx *ctx, const anpe_plot_request *q)
{
    anpe_status status;
    ANPE_TRY(anpe_figure_check(ctx, q->output));
    for (int k = 0; k < q->n_files; k++)
        ANPE_TRY(anpe_output_differs(ctx, q->output, q->files[k]));
    if (q->compare)
        ANPE_TRY(anpe_output_differs(ctx, q->output, q->compare));
out:
    return status;
}

static anpe_status draw(anpe_ctx *ctx, const anpe_plot_request *q, const anpe_plot_kind *kind,
                        const void *data, anpe_plot_result *r)
{
    anpe_figure *f = NULL;
    kind->size(data, &r->width, &r->height);
    if (q->width > 0) {
        r->width = q->width;
        r->height = q->height;
    }
    anpe_status status = anpe_figure_open(ctx, q->output, r->width, r->height, q->dpi, &f);
    if (status)
        return status;
    anpe_figure_page(f);
    status = kind->draw(ctx, q, data, f, r->width, r->height, &r->text);
    if (!status)
        status = anpe_text_status(ctx, &r->text);
    r->pages = anpe_figure_pages(f);
    if (!status)
        return anpe_figure_close(ctx, f);
    anpe_figure_abandon(f);
    return status;
}

anpe_status anpe_plot_draw(anpe_ctx *ctx, const anpe_plot_request *q, anpe_plot_result *r)
{
    const anpe_plot_kind *kind = NULL;
    void *data = NULL;
    *r = (anpe_plot_result){0};
    anpe_status status;
    ANPE_TRY(find(ctx, q, &kind));
    ANPE_TRY(check_files(ctx, q));
    ANPE_TRY(kind->load(ctx, q, &data));
    ANPE_TRY(draw(ctx, q, kind, data, r));
out:
    if (data)
        kind->free(data);
    return status;
}

void anpe_plot_result_clear(anpe_plot_result *r)
{
    anpe_text_free(&r->text);
}
