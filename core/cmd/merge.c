/* anpe merge: parts of a run, made with --part K/N, to what the run would have written. */
#include "cmd/inferred.h"
#include "file/part.h"
#include "prepare/simulate.h"
#include <string.h>

typedef struct options {
    const char *output, *model;
} options;

static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "OUT",
                            "catalogue or simulations to write"),
    ANPE_FLAG_TEXT(options, model, 0, "model", "MODEL", NULL,
                   "where the model of a catalogue lies now, if not where it did"),
    ANPE_FLAG_END};

static anpe_status merge_spectra(anpe_ctx *ctx, anpe_cmd *cmd, const anpe_text *head)
{
    const options *o = cmd->options;
    int64_t n;
    const anpe_status status = anpe_simulate_merge(
        ctx, head, cmd->n_arguments, (const char *const *)cmd->argument, o->output, &n);
    if (status)
        return status;
    anpe_cmd_say(cmd, "%s: %lld spectra\n", o->output, (long long)n);
    json_object_set_new(cmd->result, "file", json_string(o->output));
    json_object_set_new(cmd->result, "n", json_integer(n));
    return ANPE_OK;
}

static anpe_status merge_catalogue(anpe_ctx *ctx, anpe_cmd *cmd, const anpe_text *head)
{
    const options *o = cmd->options;
    anpe_infer_result result = {0};
    anpe_infer_request request = {.threads = 1, .n_kept = cmd->json ? 0 : 20};
    const anpe_status status =
        anpe_infer_merge(ctx, head, cmd->n_arguments, (const char *const *)cmd->argument, o->output,
                         o->model, &request, &result);
    if (!status)
        anpe_cmd_inferred(cmd, &request, &result);
    cmd->n_failed = (int)result.n_failed;
    anpe_infer_result_clear(&result);
    return status;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    anpe_replay parts; /* all are there, of one run */
    anpe_status status =
        anpe_replay_parts(ctx, cmd->n_arguments, (const char *const *)cmd->argument, &parts);
    if (status)
        return status;
    const char *kind = anpe_head_get(&parts.head, "kind", 0);
    if (kind && !strcmp(kind, "infer"))
        status = merge_catalogue(ctx, cmd, &parts.head);
    else if (kind && !strcmp(kind, "simulate"))
        status = merge_spectra(ctx, cmd, &parts.head);
    else
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: is a part of another kind of run", cmd->argument[0]);
    anpe_replay_clear(&parts);
    return status;
}

const anpe_command anpe_command_merge = {
    "merge",
    "put the parts of a run together",
    "PART... -o OUT",
    "PART are the files of `anpe infer --part K/N` or `anpe simulate --part K/N`, all N of one "
    "run, "
    "in any order. Writes what the run would have written without --part, to the last byte: the "
    "catalogue or the simulations to OUT, and draws, model spectra and gradients where that "
    "command "
    "named them. A part that is missing, twice there, not finished or of another run is named, and "
    "nothing is written. The parts stay.",
    flags,
    sizeof(options),
    1,
    -1,
    run,
    0};
