/* See as_simulator.h. */
#include <config.h>
#include "kind/as_simulator.h"
#include "base/text.h"
#include "file/output.h"
#include "file/temporary.h"
#include <unistd.h>

anpe_status anpe_as_simulator_settings(anpe_ctx *ctx, const char *plugin, const char *path,
                                       int n_sets, const char *const *sets, anpe_settings **out)
{
    anpe_text text = {0};
    anpe_text_add(&text, "simulator = { plugin = \"%s\"; file = \"", plugin);
    for (const char *p = path; *p; p++)
        anpe_text_add(&text, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    anpe_text_add(&text, "\"; };");
    anpe_status status = anpe_text_status(ctx, &text);
    if (!status)
        status = anpe_settings_parse(ctx, text.text, "emulator", n_sets, sets, out);
    anpe_text_free(&text);
    return status;
}

static anpe_status open_file(anpe_ctx *ctx, anpe_as_simulator *s, const char *plugin,
                             const char *path)
{
    const anpe_simulator_setup setup = {.size = sizeof setup};
    const anpe_status status = anpe_as_simulator_settings(ctx, plugin, path, 0, NULL, &s->settings);
    return status ? status
                  : anpe_component_new(ctx, s->settings, ANPE_SIMULATOR, "simulator", NULL, &setup,
                                       &s->simulator);
}

anpe_status anpe_as_simulator_open(anpe_ctx *ctx, const anpe_emulator *e, const char *plugin,
                                   const char *output, anpe_as_simulator *s)
{
    anpe_text path = {0};
    anpe_output o = {0};
    *s = (anpe_as_simulator){0};
    anpe_status status = anpe_output_begin(ctx, &o, output);
    if (status)
        return status;
    anpe_text_add(&path, "%s.h5", o.temporary); /* told by the ending what it is */
    status = anpe_text_status(ctx, &path);
    if (!status)
        status = anpe_emulator_write(ctx, e, path.text);
    if (!status) {
        anpe_temporary_keep(path.text);
        status = open_file(ctx, s, plugin, path.text);
        unlink(path.text);
        anpe_temporary_forget(path.text);
    }
    anpe_text_free(&path);
    anpe_output_abandon(&o);
    if (status)
        anpe_as_simulator_clear(s);
    return status;
}

void anpe_as_simulator_clear(anpe_as_simulator *s)
{
    anpe_component_clear(&s->simulator);
    anpe_settings_free(s->settings);
    *s = (anpe_as_simulator){0};
}
