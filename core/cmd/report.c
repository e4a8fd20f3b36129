/* anpe report: a page to look at, of a catalogue or a model. */
#include <config.h>
#include "cmd/models.h"
#include "cmd/validation_report.h"
#include "base/text.h"
#include "file/catalogue.h"
#include "model/model.h"
#include "plot/plot.h"
#include "report/report.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct options {
    const char *output, *posterior, *predict, *explain;
    int64_t details;
} options;

enum { DETAILS = 100 };
static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "PAGE", "HTML file to write"),
    ANPE_FLAG_TEXT(options, posterior, 'p', "posterior", "FILE", NULL,
                   "draws of the same run of anpe infer: corner plots"),
    ANPE_FLAG_TEXT(options, predict, 0, "predict", "FILE", NULL,
                   "its model spectra: fits and residuals"),
    ANPE_FLAG_TEXT(options, explain, 0, "explain", "FILE", NULL,
                   "its gradients: which pixels a label hangs on"),
    ANPE_FLAG_INT(options, details, 0, "details", "N", DETAILS, 1, 1e5,
                  "stars, from the first on, that these are shown of"),
    ANPE_FLAG_END};

/* ---- a model's figures ------------------------------------------------------------------- */

#ifdef ANPE_HAVE_PLPLOT
/* The bytes of a file in base64, malloc'ed; NULL: cannot be read. */
static char *in_base64(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *bytes = NULL, *text = NULL;
    size_t room = 0;
    const ssize_t n = f ? getdelim(&bytes, &room, '\0', f) : -1; /* XML has no NUL */
    if (n > 0) {
        const size_t size = sodium_base64_encoded_len((size_t)n, sodium_base64_VARIANT_ORIGINAL);
        if ((text = malloc(size)))
            sodium_bin2base64(text, size, (const unsigned char *)bytes, (size_t)n,
                              sodium_base64_VARIANT_ORIGINAL);
    }
    if (f)
        fclose(f);
    free(bytes);
    return text;
}

static anpe_status add_figure(anpe_ctx *ctx, const char *model, const char *svg, const char *what,
                              const char *title, json_t *figures)
{
    const anpe_plot_request request = {
        .what = what, .n_files = 1, .files = &model, .output = svg, .dpi = 300};
    anpe_plot_result result;
    anpe_status status = anpe_plot_draw(ctx, &request, &result);
    char *data = status ? NULL : in_base64(svg);
    if (!status && !data)
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot read the figure", svg);
    if (!status)
        json_array_append_new(figures,
                              json_pack("{s:s,s:s,s:s}", "title", title, "alt",
                                        result.text.text ? result.text.text : title, "svg", data));
    free(data);
    anpe_plot_result_clear(&result);
    return status;
}

/* Drawn beside the page, read, and removed. */
static anpe_status add_figures(anpe_ctx *ctx, const char *model, const char *output, int valid,
                               json_t *figures)
{
    static const struct {
        const char *what, *title;
        int of_validation;
    } parts[] = {{"curves", "Training: loss and learning rate by epoch", 0},
                 {"coverage", "Coverage of credible regions: on the diagonal, right", 1},
                 {"truth", "True labels of mocks and posterior medians", 1},
                 {"sbc", "Simulation-based calibration: ranks of the truth, flat where right", 1},
                 {"pit", "Distribution of these ranks against a uniform one", 1}};
    anpe_text svg = {0};
    anpe_text_add(&svg, "%s.%ld.svg", output, (long)getpid());
    anpe_status status = anpe_text_status(ctx, &svg);
    for (size_t k = 0; k < sizeof parts / sizeof *parts && !status; k++)
        if (valid || !parts[k].of_validation)
            status = add_figure(ctx, model, svg.text, parts[k].what, parts[k].title, figures);
    if (svg.text)
        unlink(svg.text);
    anpe_text_free(&svg);
    return status;
}
#else
static anpe_status add_figures(anpe_ctx *ctx, const char *model, const char *output, int valid,
                               json_t *figures)
{
    (void)ctx, (void)model, (void)output, (void)valid, (void)figures;
    return ANPE_OK;
}
#endif

/* ---- a model's certificate --------------------------------------------------------------- */

static void add_fact(json_t *facts, const char *name, const char *value)
{
    if (value && *value)
        json_array_append_new(facts, json_pack("[s,s]", name, value));
}

static anpe_status add_facts(anpe_ctx *ctx, const anpe_model_file *f, json_t *facts)
{
    static const char *const names[] = {"created", "anpe_version", "kernels", "observed"};
    char seed[16];
    anpe_status status = ANPE_OK;
    add_fact(facts, "digest", f->digest);
    for (size_t k = 0; k < sizeof names / sizeof *names && !status; k++) {
        char *text = NULL;
        if (!anpe_h5_has_attribute(f->h5, "/", names[k]))
            continue;
        status = anpe_h5_get_text(ctx, f->h5, "/", names[k], &text);
        if (!status)
            add_fact(facts, names[k], text);
        free(text);
    }
    snprintf(seed, sizeof seed, "%lu", (unsigned long)f->seed);
    add_fact(facts, "seed", seed);
    add_fact(facts, "training", f->complete ? "ended" : "not ended");
    return status;
}

/* A row of a label: its range, then what the validation says of it. */
static void add_labels(const anpe_model_file *f, const json_t *validation, json_t *page)
{
    static const char *const keys[] = {"r2", "bias", "scatter", "cover68", "pull", "sbc_p"};
    json_t *heads = json_pack("[s,s,s]", "label", "least", "most"), *rows = json_array();
    const json_t *of = json_object_get(json_object_get(validation, "all"), "labels");
    static const char *const titles[] = {"R\302\262",   "bias",    "scatter",
                                         "68 % covers", "pull sd", "SBC p"};
    for (size_t k = 0; of && k < sizeof titles / sizeof *titles; k++)
        json_array_append_new(heads, json_string(titles[k]));
    for (int64_t d = 0; d < f->map->n; d++) {
        const anpe_label *l = &f->map->label[d];
        json_t *row = json_array();
        json_array_append_new(row, json_sprintf(l->unit[0] ? "%s [%s]" : "%s%s", l->name, l->unit));
        json_array_append_new(row, anpe_cmd_number(l->min));
        json_array_append_new(row, anpe_cmd_number(l->max));
        const json_t *said = json_object_get(of, l->name);
        for (size_t k = 0; of && k < sizeof keys / sizeof *keys; k++)
            json_array_append(row, json_object_get(said, keys[k]));
        json_array_append_new(rows, row);
    }
    json_object_set_new(page, "heads", heads);
    json_object_set_new(page, "labels", rows);
}

static anpe_status fill_model(anpe_ctx *ctx, const char *path, const char *output,
                              const anpe_model_file *f, json_t *page)
{
    anpe_text text = {0};
    anpe_validation *v = NULL;
    json_t *facts = json_array(), *figures = json_array(), *validation = json_object();
    anpe_status status;
    json_object_set_new(page, "facts", facts);
    json_object_set_new(page, "figures", figures);
    ANPE_TRY(add_facts(ctx, f, facts));
    ANPE_TRY(anpe_validation_read(ctx, f->h5, &v));
    const int valid = v && v->n_labels == f->map->n && !strcmp(v->digest, f->digest);
    if (valid)
        ANPE_TRY(anpe_validation_report(ctx, v, f->map->label, &text, validation));
    json_object_set_new(page, "text", json_string(text.text ? text.text : ""));
    json_object_set_new(
        page, "verdict",
        valid ? json_sprintf("Validated on %lld mocks: %s.", (long long)v->n,
                             json_is_true(json_object_get(validation, "calibrated"))
                                 ? "calibrated as far as they can tell"
                                 : "NOT calibrated")
              : json_string(v ? "Validated for other weights: nothing is known of these."
                              : "Not validated: nothing is known of its calibration."));
    add_labels(f, validation, page);
    ANPE_TRY(add_figures(ctx, path, output, valid, figures));
    if (!json_array_size(figures))
        json_object_set_new(page, "note",
                            json_string("This anpe was built without PLplot, which draws them."));
out:
    json_decref(validation);
    anpe_validation_free(v);
    anpe_text_free(&text);
    return status;
}

static anpe_status report_model(anpe_ctx *ctx, const char *path, const char *output)
{
    anpe_model_file f = {0};
    json_t *page = json_object();
    anpe_status status;
    ANPE_TRY(anpe_output_check(ctx, output));
    ANPE_TRY(anpe_output_differs(ctx, output, path));
    ANPE_TRY(anpe_model_file_open(ctx, path, &f));
    json_object_set_new(page, "kind", json_string("model"));
    json_t *title = json_string(anpe_text_basename(path));
    json_object_set_new(page, "title", title ? title : json_string("model"));
    ANPE_TRY(fill_model(ctx, path, output, &f, page));
    ANPE_TRY(anpe_report_model(ctx, output, page));
out:
    anpe_model_file_close(&f);
    json_decref(page);
    return status;
}

/* ---- the command ------------------------------------------------------------------------- */

/* Models and catalogues may both be HDF5: what the file says of itself decides. */
static int is_model(anpe_ctx *ctx, const char *path)
{
    anpe_h5 *f = NULL;
    char *format = NULL;
    int is = 0;
    if (anpe_catalogue_has_name(path) && !anpe_text_has_extension(path, ".h5") &&
        !anpe_text_has_extension(path, ".hdf5"))
        return 0;
    if (!anpe_h5_open(ctx, path, &f) && anpe_h5_has_attribute(f, "/", "format") &&
        !anpe_h5_get_text(ctx, f, "/", "format", &format))
        is = !strcmp(format, "anpe model");
    free(format);
    anpe_h5_abandon(f);
    return is;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    const char *path = cmd->argument[0];
    anpe_report_result result = {0};
    anpe_status status = anpe_cmd_model(ctx, cmd, &path);
    if (status)
        return status;
    const int model = is_model(ctx, path);
    if (!anpe_text_has_extension(o->output, ".html") && !anpe_text_has_extension(o->output, ".htm"))
        return anpe_cmd_usage(ctx, cmd, "--output must end in .html, not '%s'", o->output);
    if (model && (o->posterior || o->predict || o->explain))
        return anpe_cmd_usage(ctx, cmd,
                              "--posterior, --predict and --explain go with a catalogue, and '%s' "
                              "is a model",
                              path);
    if (model) {
        ANPE_TRY(report_model(ctx, path, o->output));
        anpe_cmd_say(cmd, "%s: of the model %s\n", o->output, path);
    } else {
        const anpe_report_request q = {path,       o->posterior, o->predict,
                                       o->explain, o->output,    o->details};
        ANPE_TRY(anpe_report_catalogue(ctx, &q, &result));
        anpe_cmd_say(cmd, "%s: %lld stars, %lld with their details\n", o->output,
                     (long long)result.n_stars, (long long)result.n_details);
        json_object_set_new(cmd->result, "stars", json_integer(result.n_stars));
        json_object_set_new(cmd->result, "details", json_integer(result.n_details));
    }
    json_object_set_new(cmd->result, "page", json_string(o->output));
out:
    return status;
}

const anpe_command anpe_command_report = {
    "report",
    "a page to look at, of a catalogue or a model",
    "CATALOGUE|MODEL -o PAGE.html",
    "One HTML file that needs no network. Of a catalogue: its stars as a table that can be sorted "
    "and filtered, what their flags mean, distributions of labels, and for a star its labels and "
    "whatever the other files of the same run of anpe infer give: fit and residuals (--predict), "
    "posterior (--posterior), the pixels that labels hang on (--explain). Of a model: its "
    "certificate and figures.",
    flags,
    sizeof(options),
    1,
    1,
    run,
    0};
