/* anpe emulate: a network in the place of a slow simulator, trained on a grid of its spectra. */
#include "cmd/command.h"
#include "prepare/emulate.h"
#include "stat/order.h"
#include <math.h>
#include <string.h>

typedef struct options {
    const char *output, *labels, *units, *theta, *flux, *wavelength;
    double resolution, rate, held_out;
    int64_t width, layers, components, steps;
    int activation, absolute, half, no_halves;
} options;

#define TEXT(field, value, help) ANPE_FLAG_TEXT(options, field, 0, #field, value, NULL, help)
static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "EMULATOR", "HDF5 file to write"),
    TEXT(labels, "NAME,...", "names of the labels: columns of theta, or arrays of their own"),
    TEXT(units, "UNIT,...", "their units; default: by name"),
    TEXT(theta, "KEY", "array of labels (spectra, labels); default theta"),
    TEXT(flux, "KEY", "array of spectra (spectra, pixels); default flux"),
    TEXT(wavelength, "KEY", "array of vacuum wavelengths in Angstrom; default wavelength"),
    ANPE_FLAG_REAL(options, resolution, 0, "resolution", "R", 0, 0, 1e9,
                   "wavelength / FWHM of the spectra"),
    ANPE_FLAG_SWITCH(options, absolute, 0, "absolute", "the flux is not continuum-normalised"),
    ANPE_FLAG_INT(options, width, 0, "width", "N", 300, 1, 65536, "units of a hidden layer"),
    ANPE_FLAG_INT(options, layers, 0, "layers", "N", 2, 1, 12, "hidden layers"),
    ANPE_FLAG_INT(options, components, 0, "components", "K", 0, 0, 65536,
                  "principal components whose coefficients the network gives; 0: pixels"),
    ANPE_FLAG_CHOICE(options, activation, 0, "activation", "sigmoid|leaky_relu|relu",
                     "of the hidden layers"),
    ANPE_FLAG_INT(options, steps, 0, "steps", "N", 10000, 1, 1e9, "optimiser steps"),
    ANPE_FLAG_REAL(options, rate, 0, "rate", "RATE", 5e-3, 1e-7, 1, "largest learning rate"),
    ANPE_FLAG_REAL(options, held_out, 0, "held-out", "FRACTION", 0.1, 0.001, 0.5,
                   "of the spectra, from which the error is found"),
    ANPE_FLAG_SWITCH(options, half, 0, "half", "store weights in half precision"),
    ANPE_FLAG_SWITCH(options, no_halves, 0, "no-halves",
                     "do not train on half the spectra to see what more would bring"),
    ANPE_FLAG_END};

/* ---- report ------------------------------------------------------------------------------ */

/* Median, 95 % and largest of n sorted values. */
static json_t *say_quantiles(const anpe_cmd *cmd, const char *what, int64_t n, const double *v)
{
    const double half = anpe_quantile_sorted(n, v, 0.5), most = anpe_quantile_sorted(n, v, 0.95);
    anpe_cmd_say(cmd, "%-42s %9.2e %9.2e %9.2e\n", what, half, most, v[n - 1]);
    return json_pack("{s:f,s:f,s:f}", "median", half, "p95", most, "largest", v[n - 1]);
}

static anpe_status say_errors(anpe_ctx *ctx, const anpe_cmd *cmd, const anpe_emulate_result *r)
{
    const anpe_emulate_error *held = &r->held_out;
    const size_t size = (size_t)held->n_pixels * sizeof(double);
    double *pixel = anpe_alloc(ctx, size);
    if (!pixel)
        return ANPE_ENOMEM;
    memcpy(pixel, held->pixel, size);
    anpe_sort(held->n_pixels, pixel);
    anpe_cmd_say(cmd, "%-42s %9s %9s %9s\n", "emulator - spectrum, root mean square", "median",
                 "95 %", "largest");
    json_object_set_new(cmd->result, "held_out",
                        say_quantiles(cmd, "of a held-out spectrum", held->n, held->sorted));
    if (r->left)
        json_object_set_new(cmd->result, "components",
                            say_quantiles(cmd, "  the components alone leave", held->n, r->left));
    json_object_set_new(cmd->result, "pixels",
                        say_quantiles(cmd, "of a pixel of these", held->n_pixels, pixel));
    json_object_set_new(
        cmd->result, "trained",
        say_quantiles(cmd, "of a spectrum trained on", r->trained.n, r->trained.sorted));
    anpe_free(pixel);
    return ANPE_OK;
}

/* A row per label: medians in fifths of the held-out spectra, from its low end to its high one. */
static void say_labels(const anpe_cmd *cmd, const anpe_emulate_result *r)
{
    json_t *all = json_object();
    anpe_cmd_say(cmd, "\n%-42s %s\n", "in fifths of the spectra by label", "median");
    for (int64_t k = 0; k < r->e.n_labels; k++) {
        const double *edge = r->held_out.edge + k * (ANPE_EMULATE_BINS + 1);
        const double *median = r->held_out.by_label + k * ANPE_EMULATE_BINS;
        json_t *part = json_array(), *edges = json_array();
        anpe_cmd_say(cmd, "%-12s %10.5g .. %-12.5g     ", r->e.labels[k].name, edge[0],
                     edge[ANPE_EMULATE_BINS]);
        for (int b = 0; b < ANPE_EMULATE_BINS; b++) {
            anpe_cmd_say(cmd, " %9.2e", median[b]);
            json_array_append_new(part, anpe_cmd_number(median[b]));
        }
        for (int b = 0; b <= ANPE_EMULATE_BINS; b++)
            json_array_append_new(edges, anpe_cmd_number(edge[b]));
        anpe_cmd_say(cmd, "\n");
        json_object_set_new(all, r->e.labels[k].name,
                            json_pack("{s:o,s:o}", "median", part, "edges", edges));
    }
    json_object_set_new(cmd->result, "by_label", all);
}

static void say_worst(const anpe_cmd *cmd, const anpe_emulate_result *r)
{
    json_t *worst = json_object();
    anpe_cmd_say(cmd, "\nworst at");
    for (int64_t k = 0; k < r->e.n_labels; k++) {
        anpe_cmd_say(cmd, "%s %s %.5g", k ? "," : "", r->e.labels[k].name, r->worst[k]);
        json_object_set_new(worst, r->e.labels[k].name, json_real(r->worst[k]));
    }
    anpe_cmd_say(cmd, "\n");
    json_object_set_new(cmd->result, "worst", worst);
}

static void say_advice(const anpe_cmd *cmd, const anpe_emulate_result *r)
{
    const double error = anpe_quantile_sorted(r->held_out.n, r->held_out.sorted, 0.5);
    const double trained = anpe_quantile_sorted(r->trained.n, r->trained.sorted, 0.5);
    if (!isnan(r->half))
        anpe_cmd_say(cmd,
                     "trained on half the spectra the median is %.2e, %.2f times this: more "
                     "spectra would %s\n",
                     r->half, r->half / error, r->more_spectra ? "help" : "help little");
    if (r->left)
        anpe_cmd_say(cmd,
                     "the components alone leave %.2f times the error: more components would %s\n",
                     anpe_quantile_sorted(r->held_out.n, r->left, 0.5) / error,
                     r->more_components ? "help more than more units" : "help little");
    anpe_cmd_say(cmd, "spectra trained on have %.2f times the error of those held out: %s\n",
                 trained / error,
                 r->more_units        ? "more units or steps would help"
                 : r->more_components ? "more units would help little, the components are few"
                                      : "more units would not help, the spectra are few for them");
    json_object_set_new(cmd->result, "half", anpe_cmd_number(r->half));
    json_object_set_new(cmd->result, "more_spectra", json_boolean(r->more_spectra));
    json_object_set_new(cmd->result, "more_units", json_boolean(r->more_units));
    if (r->left)
        json_object_set_new(cmd->result, "more_components", json_boolean(r->more_components));
}

static anpe_status report(anpe_ctx *ctx, const anpe_cmd *cmd, const char *output,
                          const anpe_emulate_result *r)
{
    anpe_cmd_say(cmd, "%s: %lld labels, %lld pixels, from %lld spectra, %lld held out\n\n", output,
                 (long long)r->e.n_labels, (long long)r->e.n_pixels, (long long)r->trained.n,
                 (long long)r->held_out.n);
    json_object_set_new(cmd->result, "output", json_string(output));
    json_object_set_new(cmd->result, "n_pixels", json_integer(r->e.n_pixels));
    json_object_set_new(cmd->result, "n_trained", json_integer(r->trained.n));
    json_object_set_new(cmd->result, "n_held_out", json_integer(r->held_out.n));
    const anpe_status status = say_errors(ctx, cmd, r);
    if (status)
        return status;
    say_labels(cmd, r);
    say_worst(cmd, r);
    say_advice(cmd, r);
    return ANPE_OK;
}

static const char *const activations[] = {"sigmoid", "leaky_relu", "relu"};

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    const anpe_emulate_request request = {.grid = cmd->argument[0],
                                          .output = o->output,
                                          .labels = o->labels,
                                          .units = o->units,
                                          .theta = o->theta,
                                          .flux = o->flux,
                                          .wavelength = o->wavelength,
                                          .resolution = o->resolution,
                                          .absolute = o->absolute,
                                          .width = o->width,
                                          .layers = o->layers,
                                          .components = o->components,
                                          .steps = o->steps,
                                          .activation = activations[o->activation],
                                          .rate = o->rate,
                                          .held_out = o->held_out,
                                          .half = o->half,
                                          .halves = !o->no_halves,
                                          .seed = cmd->seed_given ? cmd->seed : 1,
                                          .threads = cmd->threads};
    anpe_emulate_result result = {.half = NAN};
    anpe_status status = anpe_emulate(ctx, &request, &result);
    if (!status)
        status = report(ctx, cmd, o->output, &result);
    anpe_emulate_result_clear(&result);
    return status;
}

const anpe_command anpe_command_emulate = {
    .name = "emulate",
    .summary = "train a network that takes a simulator's place",
    .arguments = "GRID -o EMULATOR",
    .description =
        "Trains The Payne's network on a grid of spectra, of `anpe simulate --design sobol\n"
        "--own-grid` or any HDF5 or npz file with labels and spectra, and says how far it is from\n"
        "spectra held out, where it is worst, and what would make it better. The emulator is read\n"
        "by the simulator payne; the error of each pixel becomes its scatter.",
    .flags = flags,
    .options_size = sizeof(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
