/* anpe validate: is the posterior of a model what it says? */
#include <config.h>
#include "cmd/models.h"
#include "cmd/validation_report.h"
#include "file/file_list.h"
#include "file/output.h"
#include "infer/repeats.h"
#include "model/model.h"
#include "validate/validate.h"
#ifdef ANPE_HAVE_PLPLOT
#include "plot/plot.h"
#endif
#include <math.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *output;
    int64_t n, samples, exact;
    double rate, scale, shift;
    anpe_texts repeats, set;
    int dry, resume;
} options;

static const anpe_flag flags[] = {
    ANPE_FLAG_INT(options, n, 'n', "number", "N", 4000, 50, 1e7, "mock spectra"),
    ANPE_FLAG_TEXT(options, output, 'o', "output", "REPORT", NULL,
                   "write the report too: .json or .txt; .pdf: pages of figures"),
    ANPE_FLAG_INT(options, samples, 's', "samples", "N", 1000, 10, 1e7,
                  "posterior draws of each mock"),
    ANPE_FLAG_REAL(options, rate, 0, "false-alarms", "RATE", 0.01, 1e-6, 0.5,
                   "fraction of good spectra that each misspecification flag may mark"),
    ANPE_FLAG_INT(options, exact, 0, "exact", "N", 0, 0, 1e7,
                  "also make the posteriors of N mocks exact, as anpe infer --exact does, and "
                  "check them in the same way; effective draws of the network as a proposal"),
    ANPE_FLAG_TEXTS(options, repeats, 0, "repeats", "SPECTRUM",
                    "spectra with several observations of the same stars, to compare their scatter "
                    "with the stated errors"),
    ANPE_FLAG_TEXTS(options, set, 0, "set", "PATH=VALUE",
                    "how the files of --repeats are read: instrument.combination=visits"),
    ANPE_FLAG_SWITCH(options, dry, 0, "dry", "report only; the model file stays as it is"),
    ANPE_FLAG_SWITCH(options, resume, 0, "resume",
                     "keep finished blocks in MODEL.validation.part, and go on from those that are "
                     "there"),
    ANPE_FLAG_REAL(options, scale, 0, "scale", "F", 1, 0.01, 100,
                   "check of the checks: posteriors are made narrower (F < 1) or wider; implies "
                   "--dry"),
    ANPE_FLAG_REAL(options, shift, 0, "shift", "S", 0, -100, 100,
                   "check of the checks: posteriors are moved by S of their sd; implies --dry"),
    ANPE_FLAG_END};

static anpe_status check_output(anpe_ctx *ctx, anpe_cmd *cmd, const options *o, int dry)
{
    anpe_status status = ANPE_OK;
    if (!o->output)
        return status;
    const int pages = anpe_text_has_extension(o->output, ".pdf");
    if (!pages && !anpe_text_has_extension(o->output, ".json") &&
        !anpe_text_has_extension(o->output, ".txt"))
        return anpe_cmd_usage(ctx, cmd, "%s: a report ends in .json, .txt or .pdf", o->output);
    if (pages && dry)
        return anpe_cmd_usage(ctx, cmd,
                              "%s: figures are made from what the model file holds, and --dry (or "
                              "--scale, --shift) leaves it as it is",
                              o->output);
#ifndef ANPE_HAVE_PLPLOT
    if (pages)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "%s: this anpe was built without PLplot, which draws the figures",
                         o->output);
#endif
    ANPE_TRY(anpe_output_check(ctx, o->output));
    ANPE_TRY(anpe_output_differs(ctx, o->output, cmd->argument[0]));
    for (int64_t i = 0; i < o->repeats.n; i++)
        ANPE_TRY(anpe_output_differs(ctx, o->output, o->repeats.v[i]));
out:
    return status;
}

static anpe_status write_report(anpe_ctx *ctx, const char *path, const char *text)
{
    anpe_output out;
    anpe_status status = anpe_output_begin(ctx, &out, path);
    if (status)
        return status;
    FILE *f = fopen(out.temporary, "w");
    int failed = !f || fputs(text, f) == EOF;
    failed |= f && fclose(f) == EOF;
    if (failed) {
        char reason[128];
        status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write: %s", path,
                           anpe_errno_text(errno, reason, sizeof reason));
        anpe_output_abandon(&out);
        return status;
    }
    return anpe_output_commit(ctx, &out);
}

static anpe_status draw_pages(anpe_ctx *ctx, const char *model, const char *path)
{
#ifdef ANPE_HAVE_PLPLOT
    anpe_plot_result result = {0};
    const anpe_plot_request request = {
        .what = "report", .n_files = 1, .files = &model, .output = path, .dpi = 300};
    const anpe_status status = anpe_plot_draw(ctx, &request, &result);
    anpe_plot_result_clear(&result);
    return status;
#else
    (void)model; /* check_output has refused */
    return ANPE_FAIL(ctx, ANPE_EINTERNAL, "%s: no PLplot", path);
#endif
}

static anpe_status report(anpe_ctx *ctx, anpe_cmd *cmd, const options *o, const anpe_validation *v)
{
    anpe_model_file f;
    anpe_text text = {0};
    char *json = NULL;
    anpe_status status = anpe_model_file_open(ctx, cmd->argument[0], &f);
    if (status)
        return status;
    ANPE_TRY(anpe_validation_report(ctx, v, f.map->label, &text, cmd->result));
    anpe_cmd_say(cmd, "%s", text.text);
    if (!o->output)
        goto out;
    if (anpe_text_has_extension(o->output, ".pdf"))
        status = draw_pages(ctx, cmd->argument[0], o->output);
    else if (anpe_text_has_extension(o->output, ".json") &&
             !(json = json_dumps(cmd->result, JSON_INDENT(2) | JSON_PRESERVE_ORDER)))
        status = ANPE_NO_MEMORY(ctx, "the report");
    else
        status = write_report(ctx, o->output, json ? json : text.text);
out:
    free(json);
    anpe_text_free(&text);
    anpe_model_file_close(&f);
    return status;
}

/* A run that was killed between its last two steps leaves the journal of a result that is in the
 * model. To replace it would give the file other bytes. */
static anpe_status store(anpe_ctx *ctx, const char *model, const anpe_validation *v, int resume)
{
    int is = 0;
    anpe_status status = ANPE_OK;
    if (resume)
        ANPE_TRY(anpe_validation_is_stored(ctx, model, v, &is));
    if (!is)
        ANPE_TRY(anpe_validation_write(ctx, model, v));
out:
    return status;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    const int dry = o->dry || o->scale != 1 || o->shift != 0;
    anpe_file_list files = {0};
    anpe_validation *v = NULL;
    anpe_replay journal = {0};
    anpe_status status = ANPE_OK;
    for (int64_t i = 0; i < o->repeats.n; i++)
        ANPE_TRY(anpe_file_list_add(ctx, &files, o->repeats.v[i]));
    if (o->set.n && !files.n)
        return anpe_cmd_usage(ctx, cmd, "--set goes with --repeats");
    anpe_validate_request request = {.output = o->output,
                                     .n = o->n,
                                     .n_draws = o->samples,
                                     .n_exact = o->exact,
                                     .rate = o->rate,
                                     .scale = o->scale,
                                     .shift = o->shift,
                                     .n_repeats = (int)files.n,
                                     .repeats = (const char *const *)files.path,
                                     .n_sets = (int)o->set.n,
                                     .sets = o->set.v,
                                     .seed = cmd->seed_given ? cmd->seed : 1,
                                     .threads = cmd->threads,
                                     .ranks = cmd->ranks,
                                     .journal = o->resume ? &journal : NULL};
    const int is_first = anpe_ranks_rank(cmd->ranks) == 0;
    ANPE_TRY(anpe_cmd_model_argument(ctx, cmd, 0));
    request.model = cmd->argument[0];
    if (is_first)
        ANPE_TRY(check_output(ctx, cmd, o, dry));
    if (is_first && !dry)
        ANPE_TRY(anpe_output_check(ctx, request.model));
    ANPE_TRY(anpe_validate(ctx, &request, &v));
    if (!is_first)
        goto out;
    if (request.n_repeats)
        ANPE_TRY(anpe_repeats_temperature(ctx, &request, v));
    json_object_set_new(cmd->result, "model", json_string(request.model));
    json_object_set_new(cmd->result, "stored", json_boolean(!dry));
    if (!dry)
        ANPE_TRY(store(ctx, request.model, v, o->resume));
    ANPE_TRY(report(ctx, cmd, o, v));
    if (o->resume)
        anpe_replay_finish(&journal);
out:
    anpe_replay_clear(&journal);
    anpe_file_list_clear(&files);
    anpe_validation_free(v);
    return status;
}

const anpe_command anpe_command_validate = {
    "validate",
    "check a model's posteriors on fresh mocks, and keep the result in it",
    "MODEL [-n N] [-o REPORT]",
    "Simulates mock spectra as in training, with other random numbers, and compares their "
    "posteriors "
    "with the true labels: recovery, rank statistics (SBC), coverage of highest-density regions, "
    "TARP; "
    "learns the thresholds of the misspecification flags and corrected 68 % intervals. The result "
    "is "
    "stored in MODEL, where anpe infer and anpe info find it; the weights stay as they are.",
    flags,
    sizeof(options),
    1,
    1,
    run,
    1};
