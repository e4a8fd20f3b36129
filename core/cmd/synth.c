/* anpe synth: one spectrum from labels, its lines and its opacity. */
#include "cmd/models.h"
#include "file/catalogue.h"
#include "file/output.h"
#include "prepare/synth.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAVELENGTHS = 101 }; /* of a table of opacities */

typedef struct options {
    const char *output, *window;
    double resolution, tau;
    int64_t lines;
    anpe_texts set;
    int pixels, observed, opacity;
} options;

static const anpe_flag flags[] = {
    ANPE_FLAG_TEXTS(options, set, 0, "set", "LABEL=VALUE",
                    "a label; with a dot in its name a value of the configuration"),
    ANPE_FLAG_TEXT(options, output, 'o', "output", "FILE", NULL,
                   "table to write: " ANPE_CATALOGUE_NAMES),
    ANPE_FLAG_SWITCH(options, pixels, 0, "pixels",
                     "on the instrument's pixels, with its line-spread function"),
    ANPE_FLAG_SWITCH(options, observed, 0, "observed",
                     "the same as the survey would see it: error bars, mask, noise"),
    ANPE_FLAG_REAL(options, resolution, 0, "resolution", "R", 0, 0, 1e9,
                   "without an instrument: blur to wavelength / FWHM"),
    ANPE_FLAG_INT(options, lines, 0, "lines", "N", 0, 0, 1000000,
                  "list the N strongest lines in place of a spectrum"),
    ANPE_FLAG_SWITCH(options, opacity, 0, "opacity",
                     "list the sources of continuous opacity in place of a spectrum"),
    ANPE_FLAG_REAL(options, tau, 0, "tau", "TAU", 1, 1e-8, 1e4,
                   "opacity: of the layer of this Rosseland optical depth"),
    ANPE_FLAG_TEXT(options, window, 0, "window", "LO:HI", NULL,
                   "lines, opacity: vacuum Angstrom, at rest; default the whole spectrum"),
    ANPE_FLAG_END};

static anpe_status check(anpe_ctx *ctx, anpe_cmd *cmd, double *low, double *high)
{
    const options *o = cmd->options;
    char rest;
    const int parts = o->lines > 0 || o->opacity;
    if (o->lines > 0 && o->opacity)
        return anpe_cmd_usage(ctx, cmd, "--lines and --opacity: one of them");
    if (parts && (o->pixels || o->observed || o->resolution > 0))
        return anpe_cmd_usage(ctx, cmd,
                              "--lines and --opacity are of the star, not of what an "
                              "instrument makes of it");
    if (!parts && !o->output)
        return anpe_cmd_usage(ctx, cmd, "--output FILE is missing");
    if (!parts && o->window)
        return anpe_cmd_usage(ctx, cmd, "--window is for --lines and --opacity");
    if (o->resolution > 0 && (o->pixels || o->observed))
        return anpe_cmd_usage(ctx, cmd, "--resolution: an instrument has its own");
    *low = *high = 0;
    if (o->window &&
        (sscanf(o->window, "%lf:%lf%c", low, high, &rest) != 2 || !(*low < *high) || !(*low > 0)))
        return anpe_cmd_usage(ctx, cmd, "--window must be LO:HI, not '%s'", o->window);
    return ANPE_OK;
}

static anpe_status say_lines(anpe_ctx *ctx, anpe_cmd *cmd, anpe_synth *s, double low, double high)
{
    const options *o = cmd->options;
    anpe_simulator_line *line;
    json_t *all = json_array();
    int64_t n;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, line, o->lines));
    ANPE_TRY(anpe_synth_lines(ctx, s, low, high, o->lines, line, &n));
    if (o->output)
        ANPE_TRY(anpe_synth_write_lines(ctx, s, n, line, o->output));
    anpe_cmd_say(cmd, "%-12s %12s %8s %8s %8s\n", "species", "wavelength", "E_low", "log gf",
                 "depth");
    for (int64_t i = 0; i < n; i++) {
        const anpe_simulator_line *l = &line[i];
        anpe_cmd_say(cmd, "%-12s %12.4f %8.3f %8.3f %8.4f\n", l->species, l->wavelength,
                     l->excitation, l->log_gf, l->depth);
        json_array_append_new(all,
                              json_pack("{s:s,s:f,s:f,s:f,s:f}", "species", l->species,
                                        "wavelength", l->wavelength, "excitation", l->excitation,
                                        "log_gf", l->log_gf, "depth", l->depth));
    }
    if (!n)
        anpe_cmd_say(cmd, "no line from %g to %g Angstrom\n", low, high);
out:
    json_object_set_new(cmd->result, "lines", all);
    free(line);
    return status;
}

/* At the middle of the window. */
static void print_opacity(const anpe_cmd *cmd, double tau, double wavelength, int n,
                          const char *const *names, const double *opacity)
{
    double sum = 0;
    json_t *all = json_object();
    for (int k = 0; k < n; k++)
        sum += opacity[k];
    anpe_cmd_say(cmd, "opacity at %.2f Angstrom, Rosseland optical depth %g\n", wavelength, tau);
    for (int k = 0; k < n; k++) {
        anpe_cmd_say(cmd, "%-20s %10.3e cm2/g %6.2f %%\n", names[k], opacity[k],
                     100 * opacity[k] / sum);
        json_object_set_new(all, names[k], anpe_cmd_number(opacity[k]));
    }
    anpe_cmd_say(cmd, "%-20s %10.3e cm2/g\n", "all", sum);
    json_object_set_new(cmd->result, "wavelength", anpe_cmd_number(wavelength));
    json_object_set_new(cmd->result, "opacity", all);
}

static anpe_status say_opacity(anpe_ctx *ctx, anpe_cmd *cmd, anpe_synth *s, double low, double high)
{
    const options *o = cmd->options;
    const char *const *names;
    double wavelength[WAVELENGTHS], *opacity = NULL;
    int n;
    anpe_status status;
    ANPE_TRY(anpe_synth_sources(ctx, s, &n, &names));
    ANPE_TRY(ANPE_NEW(ctx, opacity, WAVELENGTHS, n));
    ANPE_TRY(anpe_synth_opacity(ctx, s, o->tau, low, high, WAVELENGTHS, wavelength, opacity));
    if (o->output)
        ANPE_TRY(
            anpe_synth_write_opacity(ctx, s, o->tau, WAVELENGTHS, wavelength, opacity, o->output));
    print_opacity(cmd, o->tau, wavelength[WAVELENGTHS / 2], n, names,
                  opacity + WAVELENGTHS / 2 * n);
out:
    free(opacity);
    return status;
}

static anpe_status say_spectrum(anpe_ctx *ctx, anpe_cmd *cmd, anpe_synth *s)
{
    const options *o = cmd->options;
    anpe_status status;
    ANPE_TRY(anpe_synth_run(ctx, s));
    ANPE_TRY(anpe_synth_write(ctx, s, o->output));
    if (s->wavelength)
        anpe_cmd_say(cmd, "%s: %lld pixels, %.2f to %.2f Angstrom\n", o->output, (long long)s->n,
                     s->wavelength[0], s->wavelength[s->n - 1]);
    else
        anpe_cmd_say(cmd, "%s: %lld pixels\n", o->output, (long long)s->n);
    json_object_set_new(cmd->result, "n_pixels", json_integer(s->n));
out:
    return status;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    anpe_synth_request request = {.n_sets = (int)o->set.n,
                                  .sets = o->set.v,
                                  .pixels = o->pixels,
                                  .observed = o->observed,
                                  .resolution = o->resolution,
                                  .seed = cmd->seed_given ? cmd->seed : 1};
    anpe_synth s = {0};
    double low, high;
    anpe_status status;
    ANPE_TRY(check(ctx, cmd, &low, &high));
    ANPE_TRY(anpe_cmd_model_argument(ctx, cmd, 0));
    request.source = cmd->argument[0];
    if (o->output) {
        ANPE_TRY(anpe_catalogue_check(ctx, o->output));
        ANPE_TRY(anpe_output_differs(ctx, o->output, request.source));
        json_object_set_new(cmd->result, "file", json_string(o->output));
    }
    ANPE_TRY(anpe_synth_open(ctx, &request, &s));
    if (o->output)
        ANPE_TRY(anpe_output_differs_inputs(ctx, o->output, s.settings));
    if (o->lines > 0 || o->opacity)
        ANPE_TRY(anpe_synth_window(ctx, &s, &low, &high));
    status = o->lines > 0 ? say_lines(ctx, cmd, &s, low, high)
             : o->opacity ? say_opacity(ctx, cmd, &s, low, high)
                          : say_spectrum(ctx, cmd, &s);
out:
    anpe_synth_close(&s);
    return status;
}

const anpe_command anpe_command_synth = {
    "synth",
    "one spectrum from labels, or its strongest lines, or its opacity",
    "CONFIG|MODEL|EMULATOR --set LABEL=VALUE... -o FILE",
    "Computes one spectrum with any simulator: at its own pixels, sharp and at rest, unless rv, "
    "vsini, vmacro or --resolution say otherwise; with --pixels as the instrument of the "
    "configuration would see it, with --observed with its noise. Every label of the simulator has "
    "to be set. --lines and --opacity say what it is made of, where the simulator knows.",
    flags,
    sizeof(options),
    1,
    1,
    run,
    0};
