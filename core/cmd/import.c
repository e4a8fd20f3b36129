/* anpe import: published emulators to the layout that the simulators read. */
#include "cmd/command.h"
#include "prepare/import.h"
#include <stddef.h>
#include <string.h>

typedef struct options {
    const char *output, *labels, *units, *range, *wavelength, *grid, *activation, *scatter,
        *held_out, *pivots, *scale, *terms;
    double resolution;
    int absolute;
} options;

#define TEXT(field, value, help) ANPE_FLAG_TEXT(options, field, 0, #field, value, NULL, help)
static const anpe_flag flags[] = {
    ANPE_FLAG_TEXT_REQUIRED(options, output, 'o', "output", "EMULATOR", "HDF5 file to write"),
    TEXT(labels, "NAME,...", "names of the labels, in the file's order"),
    TEXT(units, "UNIT,...", "their units; default: by name"),
    TEXT(range, "MIN:MAX,...",
         "their domain, not wider than the file's (the default); cannon: unbounded"),
    TEXT(wavelength, "FILE[:KEY]", "vacuum wavelengths in Angstrom"),
    TEXT(grid, "NAME", "apogee: the pixels are APOGEE's (8575, or The Payne's 7214)"),
    TEXT(activation, "NAME", "dense: leaky_relu (default), relu or sigmoid"),
    TEXT(scatter, "FILE[:KEY]", "model scatter per pixel"),
    ANPE_FLAG_TEXT(options, held_out, 0, "held-out", "SPECTRA", NULL,
                   "find the scatter: HDF5 with theta and flux of spectra not trained on"),
    TEXT(pivots, "FILE[:KEY]", "cannon: pivot of each label"),
    TEXT(scale, "FILE[:KEY]", "cannon: scale of each label; default 1"),
    TEXT(terms, "TERMS",
         "cannon: terms after the constant, \"teff^2 teff*logg ...\"; default "
         "quadratic"),
    ANPE_FLAG_REAL(options, resolution, 0, "resolution", "R", 0, 0, 1e9,
                   "wavelength / FWHM of the spectra"),
    ANPE_FLAG_SWITCH(options, absolute, 0, "absolute", "the flux is not continuum-normalised"),
    ANPE_FLAG_END};

static void report(const anpe_cmd *cmd, const options *o, const anpe_emulator *e)
{
    json_t *labels = json_array();
    anpe_cmd_say(cmd, "%s: %s, %lld labels, %lld pixels%s%s\n", o->output, e->kind,
                 (long long)e->n_labels, (long long)e->n_pixels, e->on_grid ? ", grid " : "",
                 e->on_grid ? e->on_grid : "");
    for (int64_t i = 0; i < e->n_labels; i++) {
        const anpe_label *l = &e->labels[i];
        anpe_cmd_say(cmd, "  %-12s %-6s %.8g .. %.8g\n", l->name, l->unit, l->min, l->max);
        json_array_append_new(labels, json_pack("{s:s, s:s, s:o, s:o}", "name", l->name, "unit",
                                                l->unit, "min", anpe_cmd_number(l->min), "max",
                                                anpe_cmd_number(l->max)));
    }
    json_object_set_new(cmd->result, "output", json_string(o->output));
    json_object_set_new(cmd->result, "kind", json_string(e->kind));
    json_object_set_new(cmd->result, "n_pixels", json_integer(e->n_pixels));
    json_object_set_new(cmd->result, "labels", labels);
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const options *o = cmd->options;
    const char *model = cmd->argument[0];
    anpe_emulator e;
    if (strcmp(model, "payne") && strcmp(model, "cannon"))
        return anpe_cmd_usage(ctx, cmd, "'%s' is not a kind of emulator; known are payne, cannon",
                              model);
    const anpe_import_request request = {.model = model,
                                         .file = cmd->argument[1],
                                         .out = o->output,
                                         .labels = o->labels,
                                         .units = o->units,
                                         .range = o->range,
                                         .wavelength = o->wavelength,
                                         .grid = o->grid,
                                         .activation = o->activation,
                                         .scatter = o->scatter,
                                         .held_out = o->held_out,
                                         .pivots = o->pivots,
                                         .scale = o->scale,
                                         .terms = o->terms,
                                         .resolution = o->resolution,
                                         .absolute = o->absolute};
    const anpe_status status = anpe_import(ctx, &request, &e);
    if (!status)
        report(cmd, o, &e);
    anpe_emulator_clear(&e);
    return status;
}

const anpe_command anpe_command_import = {
    .name = "import",
    .summary = "a published emulator to the layout of the simulators payne and cannon",
    .arguments = "payne|cannon FILE[:KEY] -o EMULATOR",
    .description = "payne: .npz of The Payne (dense layers) or binspec (one network per pixel), "
                   "told apart by\n"
                   "shape; .h5 of ThePayne. cannon: coefficients (terms, pixels) as text or .npz.\n"
                   "A FILE that holds several arrays is written FILE:KEY.",
    .flags = flags,
    .options_size = sizeof(options),
    .min_arguments = 2,
    .max_arguments = 2,
    .run = run,
};
