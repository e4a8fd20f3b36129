/* See recognise.h. */
#include "kind/recognise.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static anpe_status ask(anpe_ctx *ctx, const anpe_plugin *plugin, const char *path,
                       anpe_recognition *out)
{
    const anpe_instrument_ops *ops = plugin->ops;
    *out = (anpe_recognition){.size = sizeof *out, .first = NAN, .last = NAN};
    return ANPE_HAS(ops, recognise) ? ops->recognise(ctx, path, out) : ANPE_OK;
}

anpe_status anpe_recognise(anpe_ctx *ctx, const char *path, anpe_recognised *out)
{
    const anpe_plugin **list = NULL;
    int n = 0;
    anpe_recognition answer;
    *out = (anpe_recognised){0};
    anpe_status status = anpe_file_hold(ctx, path);
    if (status)
        return status;
    status = anpe_loader_list(ctx, ANPE_INSTRUMENT, &n, &list);
    for (int i = 0; i < n && !status; i++) {
        status = ask(ctx, list[i], path, &answer);
        if (!status && answer.match > out->file.match)
            *out = (anpe_recognised){list[i], answer};
        else if (!status && !out->plugin && !out->file.why[0])
            memcpy(out->file.why, answer.why, sizeof out->file.why);
    }
    if (!status && n == 0)
        status =
            ANPE_FAIL(ctx, ANPE_EINVAL,
                      "%s: no instrument is installed that could say what it is; where are the "
                      "plugins? ANPE_PLUGIN_PATH names their directory",
                      path);
    free(list);
    anpe_file_let_go(ctx, path);
    return status;
}

/* The file is nobody's: what it is, as far as that can be said. */
static anpe_status unknown(anpe_ctx *ctx, const char *path, const char *why)
{
    if (why[0])
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a spectrum that can be read: %s", path, why);
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: neither an HDF5 file nor a spectrum that an installed instrument knows "
                     "('anpe plugins instrument' lists them)",
                     path);
}

static anpe_status configure(anpe_ctx *ctx, const char *path, anpe_known_file *f)
{
    anpe_text text = {0};
    anpe_text_add(&text, "instrument = { plugin = \"%s\"; %s };\n", f->known.plugin->name,
                  f->known.file.options);
    anpe_status status =
        text.text ? anpe_settings_parse(ctx, text.text, path, 0, NULL, &f->settings) : ANPE_ENOMEM;
    anpe_text_free(&text);
    return status ? status : anpe_instrument_new(ctx, f->settings, &f->instrument);
}

anpe_status anpe_known_file_open(anpe_ctx *ctx, const char *path, anpe_known_file *out)
{
    anpe_status status;
    int held = 0;
    memset(out, 0, sizeof *out);
    ANPE_TRY(anpe_file_hold(ctx, path)); /* until it is open */
    held = 1;
    if (anpe_spectra_file_is_hdf5(ctx, path)) {
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: an HDF5 file; expected a survey's own", path);
        goto out;
    }
    ANPE_TRY(anpe_recognise(ctx, path, &out->known));
    if (!out->known.plugin) {
        status = unknown(ctx, path, out->known.file.why);
        goto out;
    }
    ANPE_TRY(configure(ctx, path, out));
    ANPE_TRY(anpe_input_open(&out->instrument, ctx, path, &out->input));
    ANPE_TRY(anpe_instrument_count(&out->instrument, ctx, &out->input, &out->n));
out:
    if (held)
        anpe_file_let_go(ctx, path);
    if (status)
        anpe_known_file_close(out);
    return status;
}

void anpe_known_file_close(anpe_known_file *f)
{
    anpe_input_close(&f->input);
    anpe_instrument_clear(&f->instrument);
    anpe_settings_free(f->settings);
    memset(f, 0, sizeof *f);
}
