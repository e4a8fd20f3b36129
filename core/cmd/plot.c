/* anpe plot: figures of what the other commands wrote. */
#include <config.h>
#include "cmd/models.h"
#include "plot/plot.h"
#include "plot/plot_list.h"
#include <stdio.h>
#include <string.h>

typedef struct options {
    const char *output, *title, *labels, *size, *compare, *id;
    double dpi;
    int64_t row;
    anpe_texts zoom, truth, column;
    int names;
} options;

static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "FIG", "figure: .png, .pdf or .svg"),
    ANPE_FLAG_TEXT(options, labels, 'l', "labels", "A,B,...", NULL, "only these labels"),
    ANPE_FLAG_TEXT(options, title, 't', "title", "TEXT", NULL, "title above the figure"),
    ANPE_FLAG_TEXT(options, size, 0, "size", "WxH", NULL, "width and height in mm"),
    ANPE_FLAG_REAL(options, dpi, 0, "dpi", "N", 300, 30, 2400, "dots per inch of a .png"),
    ANPE_FLAG_INT(options, row, 'r', "row", "N", 0, 0, 1e15,
                  "spectrum, fit, corner: which one, the first is 0"),
    ANPE_FLAG_TEXTS(options, zoom, 'z', "zoom", "LO:HI",
                    "spectrum, fit: a panel of these wavelengths instead of one per segment"),
    ANPE_FLAG_TEXTS(options, truth, 0, "truth", "LABEL=X|FILE",
                    "corner: true labels, or a catalogue or mocks with them"),
    ANPE_FLAG_TEXT(options, compare, 0, "compare", "CATALOGUE", NULL,
                   "truth: table or mocks to compare a catalogue with"),
    ANPE_FLAG_TEXTS(options, column, 0, "column", "LABEL=NAME",
                    "truth: what that table calls a label"),
    ANPE_FLAG_TEXT(options, id, 0, "id", "NAME", NULL, "truth: its column of identifiers"),
    ANPE_FLAG_SWITCH(options, names, 0, "lines", "spectrum: names of strong lines"),
    ANPE_FLAG_END};

#ifdef ANPE_HAVE_PLPLOT
/* "180x120" */
static int read_size(const char *text, double *width, double *height)
{
    char end;
    return sscanf(text, "%lfx%lf%c", width, height, &end) == 2 && *width > 0 && *height > 0;
}

static void report(anpe_cmd *cmd, const options *o, const anpe_plot_result *r)
{
    anpe_cmd_say(cmd, "%s%s: %d page%s, %.0f x %.0f mm\n", r->text.text ? r->text.text : "",
                 o->output, r->pages, r->pages == 1 ? "" : "s", r->width, r->height);
    json_object_set_new(cmd->result, "figure", json_string(o->output));
    json_object_set_new(cmd->result, "pages", json_integer(r->pages));
    json_object_set_new(cmd->result, "width_mm", json_real(r->width));
    json_object_set_new(cmd->result, "height_mm", json_real(r->height));
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    anpe_plot_result result;
    anpe_plot_request request = {.what = cmd->argument[0],
                                 .n_files = cmd->n_arguments - 1,
                                 .files = (const char *const *)&cmd->argument[1],
                                 .output = o->output,
                                 .title = o->title,
                                 .labels = o->labels,
                                 .dpi = o->dpi,
                                 .row = o->row,
                                 .zoom = o->zoom,
                                 .truth = o->truth,
                                 .compare = o->compare,
                                 .columns = o->column,
                                 .id = o->id,
                                 .names = o->names};
    if (o->size && !read_size(o->size, &request.width, &request.height))
        return anpe_cmd_usage(ctx, cmd, "--size must be WIDTHxHEIGHT in mm, not '%s'", o->size);
    for (int i = 1; i < cmd->n_arguments; i++) {
        const anpe_status found = anpe_cmd_model_argument(ctx, cmd, i);
        if (found)
            return found;
    }
    const anpe_status status = anpe_plot_draw(ctx, &request, &result);
    if (!status)
        report(cmd, o, &result);
    anpe_plot_result_clear(&result);
    return status;
}
#else
static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    (void)cmd;
    return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                     "this anpe was built without PLplot, which draws the figures (Debian: "
                     "libplplot-dev, plplot-driver-cairo; then run configure again)");
}
#endif

const anpe_command anpe_command_plot = {
    "plot",
    "figures of models, catalogues and posteriors",
    "WHAT FILE... -o FIG",
    "Draws for print, in colours that the colour-blind can tell apart. WHAT is one of\n\n"
#define X(name, files, help, most) "  " #name "\t" files "\n\t\t" help "\n"
    ANPE_PLOT_LIST(X)
#undef X
        "\nsbc, pit, coverage, report and truth of a model want the results of 'anpe validate' in "
        "it.",
    flags,
    sizeof(options),
    2,
    -1,
    run,
    0};
