/* anpe train: from a configuration to a model. */
#include "cmd/command.h"
#include "file/output.h"
#include "train/rounds.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *output, *data;
    anpe_texts set;
    int resume, print_config, profile;
    const char *observe;
    int proposal; /* anpe_proposal_kind */
    int64_t row, rounds;
    double efficiency;
} options;

static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT(options, output, 'o', "output", "MODEL", NULL,
                   "model to write; holds a checkpoint while training"),
    ANPE_FLAG_TEXTS(options, set, 0, "set", "PATH=VALUE", "overrides a value of the configuration"),
    ANPE_FLAG_TEXT(options, data, 0, "data", "SIMS", NULL,
                   "stored simulations (HDF5: theta and x or flux)"),
    ANPE_FLAG_SWITCH(options, resume, 0, "resume",
                     "go on from the checkpoint in MODEL, if there is one"),
    ANPE_FLAG_SWITCH(options, print_config, 0, "print-config",
                     "print every value with its origin, and do not train"),
    ANPE_FLAG_SWITCH(options, profile, 0, "profile", "log the time of every operation at the end"),
    ANPE_FLAG_TEXT(options, observe, 0, "observe", "SPECTRUM", NULL,
                   "train in rounds for this spectrum alone"),
    ANPE_FLAG_INT(options, row, 0, "row", "N", 0, 0, 1e15, "which spectrum of that file"),
    ANPE_FLAG_INT(options, rounds, 0, "rounds", "N", 3, 1, 100,
                  "most rounds, the first one included"),
    ANPE_FLAG_CHOICE(options, proposal, 0, "proposal", "truncated|weighted",
                     "labels of later rounds: of the prior, truncated, or of the flow, weighted"),
    ANPE_FLAG_REAL(options, efficiency, 0, "efficiency", "X", 0.5, 0, 2,
                   "rounds end when the draws are worth so much; above 1: never"),
    ANPE_FLAG_END};

/* --seed is a value of the configuration like any other; the other --set follow it. */
static const char **all_sets(const anpe_cmd *cmd, const options *o, char *seed, size_t size, int *n)
{
    const char **set = calloc((size_t)o->set.n + 1, sizeof *set);
    *n = 0;
    if (set && cmd->seed_given) {
        snprintf(seed, size, "train.seed=%lu", (unsigned long)cmd->seed);
        set[(*n)++] = seed;
    }
    for (int64_t i = 0; set && i < o->set.n; i++)
        set[(*n)++] = o->set.v[i];
    return set;
}

static anpe_status print_config(anpe_ctx *ctx, anpe_cmd *cmd, anpe_settings *s, const char *data)
{
    anpe_status status = anpe_train_check(ctx, s, data);
    char *text = status ? NULL : anpe_settings_resolved(ctx, s, 1);
    if (!status && !text)
        return ANPE_ENOMEM;
    if (text) {
        anpe_cmd_say(cmd, "%s", text);
        json_object_set_new(cmd->result, "config", json_string(text));
    }
    free(text);
    return status;
}

static void report(anpe_cmd *cmd, const options *o, const anpe_train_result *r)
{
    json_object_set_new(cmd->result, "model", json_string(o->output));
    json_object_set_new(cmd->result, "epochs", json_integer(r->epochs));
    json_object_set_new(cmd->result, "best_epoch", json_integer(r->best_epoch));
    json_object_set_new(cmd->result, "steps", json_integer(r->steps));
    json_object_set_new(cmd->result, "spectra", json_integer(r->spectra));
    json_object_set_new(cmd->result, "parameters", json_integer(r->n_parameters));
    json_object_set_new(cmd->result, "seconds", json_real(r->seconds));
    if (isfinite(r->validation_loss))
        json_object_set_new(cmd->result, "validation_loss", json_real(r->validation_loss));
    if (r->epochs)
        anpe_cmd_say(cmd, "%s: %lld epochs, best %lld with validation loss %.4f, %.0f s\n",
                     o->output, (long long)r->epochs, (long long)r->best_epoch, r->validation_loss,
                     r->seconds);
}

static anpe_status train_rounds(anpe_ctx *ctx, anpe_cmd *cmd, int n_sets, const char *const *sets,
                                anpe_train_result *result)
{
    const options *o = cmd->options;
    const anpe_rounds_request request = {
        {.output = o->output, .threads = cmd->threads, .ranks = cmd->ranks},
        cmd->argument[0],
        n_sets,
        sets,
        o->observe,
        o->row,
        (anpe_proposal_kind)o->proposal,
        (int)o->rounds,
        o->efficiency};
    anpe_rounds_result rounds;
    anpe_status status = anpe_output_differs(ctx, o->output, o->observe);
    if (!status)
        status = anpe_train_rounds(ctx, &request, &rounds);
    if (status)
        return status;
    *result = rounds.train;
    json_object_set_new(cmd->result, "rounds", json_integer(rounds.rounds));
    json_object_set_new(cmd->result, "efficiency", anpe_cmd_number(rounds.efficiency));
    json_object_set_new(cmd->result, "khat", anpe_cmd_number(rounds.khat));
    anpe_cmd_say(cmd, "%d rounds for %s, efficiency %.3f, k-hat %.2f\n", rounds.rounds, o->observe,
                 rounds.efficiency, rounds.khat);
    return ANPE_OK;
}

static anpe_status check_usage(anpe_ctx *ctx, anpe_cmd *cmd, const options *o)
{
    if (!o->output && !o->print_config)
        return anpe_cmd_usage(ctx, cmd, "-o MODEL is needed");
    if (o->observe && (o->data || o->resume || o->print_config || o->profile))
        return anpe_cmd_usage(ctx, cmd,
                              "--observe goes with none of --data, --resume, --print-config and "
                              "--profile");
    return ANPE_OK;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    anpe_settings *settings = NULL;
    anpe_train_result result = {.validation_loss = NAN};
    char seed[40];
    int n;
    anpe_status status = check_usage(ctx, cmd, o);
    if (status)
        return status;
    const char **set = all_sets(cmd, o, seed, sizeof seed, &n);
    if (!set)
        return ANPE_NO_MEMORY(ctx, "--set");
    const anpe_train_request request = {.output = o->output,
                                        .data = o->data,
                                        .threads = cmd->threads,
                                        .resume = o->resume,
                                        .profile = o->profile,
                                        .ranks = cmd->ranks};
    if (o->output)
        status = anpe_output_differs(ctx, o->output, cmd->argument[0]);
    if (!status)
        status = anpe_settings_read(ctx, cmd->argument[0], n, set, &settings);
    if (!status && o->print_config)
        status = print_config(ctx, cmd, settings, o->data);
    else if (!status && o->observe)
        status = train_rounds(ctx, cmd, n, set, &result);
    else if (!status)
        status = anpe_train(ctx, settings, &request, &result);
    if (!status && !o->print_config)
        report(cmd, o, &result);
    anpe_settings_free(settings);
    free(set);
    return status;
}

const anpe_command anpe_command_train = {
    "train",
    "train a model from a configuration",
    "CONFIG -o MODEL",
    "Draws labels from the prior, simulates spectra with the instrument's noise, and trains the "
    "featurizer and the flow on them. The result depends on the configuration and its seed, not on "
    "the number of threads. Ctrl-C ends with a checkpoint of the last finished epoch in MODEL.",
    flags,
    sizeof(options),
    1,
    1,
    run,
    1};
