/* anpe calibrate: log gf and widths of lines from stars whose labels are known. */
#include "cmd/command.h"
#include "prepare/calibrate.h"

typedef struct options {
    const char *output;
    anpe_texts set;
} options;

static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "LIST", "line list to write"),
    ANPE_FLAG_TEXTS(options, set, 0, "set", "PATH=VALUE", "overrides a value of the configuration"),
    ANPE_FLAG_END};

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    const anpe_calibrate_request request = {.config = cmd->argument[0],
                                            .n_sets = (int)o->set.n,
                                            .sets = o->set.v,
                                            .threads = cmd->threads,
                                            .output = o->output};
    anpe_calibrate_result r = {0};
    json_t *stars = json_array();
    const anpe_status status = anpe_calibrate(ctx, &request, &r);
    if (!status) {
        anpe_cmd_say(cmd, "%s: %lld lines; %lld log gf changed by %.3f dex (rms), %lld widths\n",
                     o->output, (long long)r.n_lines, (long long)r.n_log_gf, r.change,
                     (long long)r.n_waals);
        for (int s = 0; s < r.n_stars; s++) {
            anpe_cmd_say(cmd, "%s: rms of observed - model %.4f before, %.4f after\n",
                         r.star[s].name, r.star[s].before, r.star[s].after);
            json_array_append_new(stars,
                                  json_pack("{s:s,s:f,s:f}", "file", r.star[s].name, "before",
                                            r.star[s].before, "after", r.star[s].after));
        }
        json_object_set_new(cmd->result, "output", json_string(o->output));
        json_object_set_new(cmd->result, "n_lines", json_integer(r.n_lines));
        json_object_set_new(cmd->result, "n_log_gf", json_integer(r.n_log_gf));
        json_object_set_new(cmd->result, "n_widths", json_integer(r.n_waals));
        json_object_set(cmd->result, "stars", stars);
    }
    json_decref(stars);
    anpe_calibrate_result_clear(&r);
    return status;
}

const anpe_command anpe_command_calibrate = {
    .name = "calibrate",
    .summary = "fit log gf of lines to stars with known labels",
    .arguments = "CONFIG -o LIST",
    .description =
        "Changes log gf of the lines that matter, and with calibrate.damping their van der Waals\n"
        "widths, until the simulator's spectra of stars whose labels are known (the Sun, "
        "Arcturus)\n"
        "agree with observed ones, as far as the accuracy of the published values lets them.\n"
        "Writes a list that the simulator lte reads.",
    .flags = flags,
    .options_size = sizeof(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
