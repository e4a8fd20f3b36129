/* A configured plugin: name and options from the settings, then create. */
#include "kind/component.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "payne: " once, also where the plugin names itself already. A value that create refuses is the
 * user's: say where the group stands. */
static anpe_status explain(anpe_ctx *ctx, const anpe_settings *settings, const char *path,
                           const char *name, anpe_status status)
{
    const size_t n = strlen(name);
    const char *message = anpe_error(ctx);
    if (strncmp(message, name, n) || message[n] != ':')
        (void)anpe_fail_prefix(ctx, status, "%s", name);
    if (status == ANPE_ECONFIG || status == ANPE_EINVAL)
        (void)anpe_fail_prefix(ctx, status, "%s", anpe_settings_where(settings, path));
    return status;
}

/* A model from somewhere else must not start a program here. */
static anpe_status check_programs(anpe_ctx *ctx, const anpe_settings *settings, const char *path,
                                  const anpe_plugin *plugin)
{
    const char *allowed = getenv("ANPE_ALLOW_PROGRAMS");
    if (!(plugin->capabilities & ANPE_RUNS_PROGRAMS) || !anpe_settings_stored(settings) ||
        (allowed && !strcmp(allowed, "1")))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                     "%s: %s '%s' starts a program that the model names; if you trust where the "
                     "model is from, set ANPE_ALLOW_PROGRAMS=1 in the environment",
                     anpe_settings_where(settings, path), anpe_kind_name(plugin->kind),
                     plugin->name);
}

anpe_status anpe_component_new(anpe_ctx *ctx, anpe_settings *settings, anpe_kind kind,
                               const char *path, const char *fallback, const void *setup,
                               anpe_component *out)
{
    char key[256];
    const char *name;
    void *options;
    const anpe_plugin *plugin;
    *out = (anpe_component){0};
    snprintf(key, sizeof key, "%s.plugin", path);
    anpe_status status = anpe_settings_text(ctx, settings, key, fallback, &name);
    if (status)
        return status;
    status = anpe_loader_get(ctx, kind, name, &plugin);
    if (status)
        return anpe_fail_prefix(ctx, status, "%s", anpe_settings_where(settings, key));
    status =
        anpe_settings_fill(ctx, settings, path, plugin->options, plugin->options_size, &options);
    if (status)
        return status;
    status = check_programs(ctx, settings, path, plugin);
    if (status)
        return status;
    void *self = NULL;
    status = plugin->create(ctx, options, setup, &self);
    if (status)
        return explain(ctx, settings, path, name, status);
    *out = (anpe_component){.plugin = plugin, .ops = plugin->ops, .self = self};
    return ANPE_OK;
}

void anpe_component_clear(anpe_component *c)
{
    if (c->plugin)
        c->plugin->destroy(c->self);
    *c = (anpe_component){0};
}
