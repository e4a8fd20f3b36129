/* anpe noise: real error bars and masks, for the noise model of an instrument. */
#include "cmd/spectra.h"
#include "base/text.h"
#include "file/output.h"
#include "prepare/noise.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *output, *list;
    anpe_texts set;
} options;

static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "LIBRARY", "HDF5 file to write"),
    ANPE_FLAG_LIST(options),
    ANPE_FLAG_TEXTS(options, set, 0, "set", "OPTION=VALUE",
                    "an option of the instrument, e.g. combination=visits"),
    ANPE_FLAG_END};

/* "grid=8575" -> "instrument.grid=8575": the only group there is. */
static anpe_status place_sets(anpe_ctx *ctx, const anpe_texts *set, anpe_text *texts)
{
    for (int64_t k = 0; k < set->n; k++) {
        const int whole = strncmp(set->v[k], "instrument.", 11) == 0;
        anpe_text_add(&texts[k], "%s%s", whole ? "" : "instrument.", set->v[k]);
        if (anpe_text_status(ctx, &texts[k]))
            return ANPE_ENOMEM;
    }
    return ANPE_OK;
}

/* The name of an instrument, or a configuration whose instrument is meant. */
static anpe_status read_settings(anpe_ctx *ctx, const char *what, int n_sets,
                                 const char *const *sets, anpe_settings **out)
{
    char text[128];

    if (strpbrk(what, "./"))
        return anpe_settings_read(ctx, what, n_sets, sets, out);
    if (!what[0] || what[strspn(what, "abcdefghijklmnopqrstuvwxyz0123456789_")] ||
        strlen(what) > 64)
        return ANPE_FAIL(ctx, ANPE_EINVAL, "'%s' is no name of an instrument", what);
    snprintf(text, sizeof text, "instrument: { plugin = \"%s\"; };", what);
    return anpe_settings_parse(ctx, text, "command line", n_sets, sets, out);
}

static anpe_status open_instrument(anpe_ctx *ctx, const anpe_cmd *cmd, const options *o,
                                   anpe_settings **settings, anpe_component *instrument)
{
    const anpe_instrument_setup setup = {sizeof setup};
    anpe_text *texts = NULL;
    const char **sets = NULL;
    anpe_status status;

    ANPE_TRY(ANPE_NEW(ctx, texts, o->set.n + 1));
    ANPE_TRY(ANPE_NEW(ctx, sets, o->set.n + 1));
    if ((status = place_sets(ctx, &o->set, texts)))
        goto out;
    for (int64_t k = 0; k < o->set.n; k++)
        sets[k] = texts[k].text;
    status = read_settings(ctx, cmd->argument[0], (int)o->set.n, sets, settings);
    if (!status)
        status = anpe_component_new(ctx, *settings, ANPE_INSTRUMENT, "instrument", NULL, &setup,
                                    instrument);
out:
    for (int64_t k = 0; texts && k < o->set.n; k++)
        anpe_text_free(&texts[k]);
    free(texts);
    free(sets);
    return status;
}

static void report(anpe_cmd *cmd, const options *o, const anpe_noise_library_result *r)
{
    anpe_cmd_say(cmd, "%s: %lld spectra, median S/N %.0f, %.1f %% of the pixels bad\n", o->output,
                 (long long)r->n_rows, r->snr_median, 100 * r->bad_fraction);
    if (r->n_skipped)
        anpe_cmd_say(cmd, "%lld left out\n", (long long)r->n_skipped);
    json_object_set_new(cmd->result, "library", json_string(o->output));
    json_object_set_new(cmd->result, "n_spectra", json_integer(r->n_rows));
    json_object_set_new(cmd->result, "n_skipped", json_integer(r->n_skipped));
    json_object_set_new(cmd->result, "snr_median", json_real(r->snr_median));
    json_object_set_new(cmd->result, "bad_fraction", json_real(r->bad_fraction));
    cmd->n_failed = (int)r->n_skipped;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    anpe_settings *settings = NULL;
    anpe_component instrument = {0};
    anpe_noise_library_result result;
    char *resolved = NULL;
    anpe_file_list files;
    anpe_status status = anpe_cmd_spectra(ctx, cmd, 1, o->list, &files);

    if (!status)
        status = anpe_output_differs(ctx, o->output, cmd->argument[0]);
    if (!status)
        status = open_instrument(ctx, cmd, o, &settings, &instrument);
    if (status)
        goto out;
    if (!(resolved = anpe_settings_resolved(ctx, settings, 0))) {
        status = ANPE_ENOMEM;
        goto out;
    }
    if ((status = anpe_output_differs_inputs(ctx, o->output, settings)))
        goto out;
    if ((status = anpe_output_check(ctx, o->output)))
        goto out;
    const anpe_noise_library_job job = {.instrument = &instrument,
                                        .configuration = resolved,
                                        .n_paths = files.n,
                                        .paths = (const char *const *)files.path,
                                        .output = o->output};
    if ((status = anpe_noise_library_make(ctx, &job, &result)))
        goto out;
    report(cmd, o, &result);
out:
    anpe_file_list_clear(&files);
    free(resolved);
    anpe_component_clear(&instrument);
    anpe_settings_free(settings);
    return status;
}

const anpe_command anpe_command_noise = {
    .name = "noise",
    .summary = "collect real error bars and masks for a noise model",
    .arguments = "INSTRUMENT SPECTRUM... -o LIBRARY [--set OPTION=VALUE]...",
    .description =
        "Reads spectra as INSTRUMENT does, divides them by their continuum and keeps the error "
        "bar\n"
        "and the bad pixels of each, for the option `library` of the noise models. INSTRUMENT is "
        "a\n"
        "plugin's name or a configuration, whose instrument is then used with its options: the\n"
        "library has to have the pixels of the instrument that will use it. A spectrum that "
        "cannot\n"
        "be used is left out, with the reason; the exit status is then 4.",
    .flags = flags,
    .options_size = sizeof(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .run = run,
};
