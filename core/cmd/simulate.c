/* anpe simulate: labels and spectra to a file. */
#include "cmd/models.h"
#include "cmd/part.h"
#include "prepare/simulate.h"

typedef struct options {
    const char *output, *part;
    int64_t n, per_atmosphere;
    anpe_texts set;
    int design, observed, own_grid, resume, skip;
} options;

static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "SIMS", "HDF5 file to write"),
    ANPE_FLAG_INT(options, n, 'n', "number", "N", 1000, 1, 1e12, "how many"),
    ANPE_FLAG_CHOICE(options, design, 0, "design", "prior|sobol|latin",
                     "labels drawn from the prior, or filling its range evenly"),
    ANPE_FLAG_SWITCH(options, observed, 0, "observed",
                     "mock observations: error bars, masks and noise of the noise model"),
    ANPE_FLAG_SWITCH(options, own_grid, 0, "own-grid",
                     "the simulator's own spectra, on its pixels and at rest, for an emulator"),
    ANPE_FLAG_INT(options, per_atmosphere, 0, "per-atmosphere", "K", 1, 1, ANPE_SHARED_MOST,
                  "with --design and --own-grid: so many spectra (a power of 2) share each model "
                  "atmosphere and differ in abundances, which takes less time for each"),
    ANPE_FLAG_SWITCH(options, resume, 0, "resume",
                     "keep finished blocks in SIMS.part, and go on from those that are there"),
    ANPE_FLAG_PART(options),
    ANPE_FLAG_SWITCH(options, skip, 0, "skip-refused",
                     "leave out labels that the simulator refuses, such as a hole in its grid"),
    ANPE_FLAG_TEXTS(options, set, 0, "set", "PATH=VALUE", "overrides a value of the configuration"),
    ANPE_FLAG_END};

static anpe_status check(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    if (o->own_grid && o->observed)
        return anpe_cmd_usage(ctx, cmd,
                              "--own-grid and --observed: an observation is on the instrument's "
                              "pixels");
    if (o->per_atmosphere & (o->per_atmosphere - 1))
        return anpe_cmd_usage(ctx, cmd, "--per-atmosphere %lld: a power of 2 is expected",
                              (long long)o->per_atmosphere);
    if (o->per_atmosphere > 1 && (!o->own_grid || o->design == ANPE_BY_PRIOR))
        return anpe_cmd_usage(ctx, cmd,
                              "--per-atmosphere: is for grids, with --own-grid and --design sobol "
                              "or latin");
    return ANPE_OK;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    int64_t refused = 0;
    anpe_simulate_request request = {.n_sets = (int)o->set.n,
                                     .sets = o->set.v,
                                     .n = o->n,
                                     .design = (anpe_labels_by)o->design,
                                     .own_grid = o->own_grid,
                                     .observed = o->observed,
                                     .skip = o->skip,
                                     .per_atmosphere = o->per_atmosphere,
                                     .refused = &refused,
                                     .seed = cmd->seed_given ? cmd->seed : 1,
                                     .threads = cmd->threads,
                                     .ranks = cmd->ranks,
                                     .output = o->output};
    anpe_status status = check(ctx, cmd);
    if (!status)
        status = anpe_cmd_share(ctx, cmd, o->part, &request.share);
    request.resume = o->resume || request.share.n;
    if (!status)
        status = anpe_cmd_model_argument(ctx, cmd, 0);
    request.source = cmd->argument[0];
    if (!status)
        status = anpe_simulate(ctx, &request);
    if (status)
        return status;
    if (request.share.n)
        return anpe_cmd_say_part(ctx, cmd, o->output, request.share);
    if (refused)
        anpe_cmd_say(cmd, "%s: %lld spectra, %lld left out that the simulator refuses\n", o->output,
                     (long long)(o->n - refused), (long long)refused);
    else
        anpe_cmd_say(cmd, "%s: %lld spectra\n", o->output, (long long)o->n);
    json_object_set_new(cmd->result, "file", json_string(o->output));
    json_object_set_new(cmd->result, "n", json_integer(o->n - refused));
    if (o->skip)
        json_object_set_new(cmd->result, "refused", json_integer(refused));
    return ANPE_OK;
}

const anpe_command anpe_command_simulate = {
    "simulate",
    "write simulated spectra to a file",
    "CONFIG|MODEL -n N -o SIMS",
    "Simulates labels from the prior, or from a design that fills its range, on the instrument's "
    "pixels: noise-free or, with --observed, as the survey would see them. Such mocks can be given "
    "to `anpe infer`, which then says how well their labels came back. The labels differ from "
    "those of training with any seed. With --design sobol --own-grid it is the grid that an "
    "emulator is trained on.",
    flags,
    sizeof(options),
    1,
    1,
    run,
    1};
