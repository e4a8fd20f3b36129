/* anpe plugins: what can be configured, from the option tables of the plugins themselves. */
#include "cmd/command.h"
#include "base/loader.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a configuration writes for each type. */
static const char *const type_name[] = {
    [ANPE_T_BOOL] = "true or false", [ANPE_T_INT] = "integer", [ANPE_T_REAL] = "number",
    [ANPE_T_TEXT] = "text",          [ANPE_T_ENUM] = "choice", [ANPE_T_FILE] = "file",
    [ANPE_T_REALS] = "numbers",      [ANPE_T_TEXTS] = "texts", [ANPE_T_ROWS] = "groups",
};

static int is_number(const anpe_option *o)
{
    return o->type == ANPE_T_INT || o->type == ANPE_T_REAL;
}

static int is_optional(const anpe_option *o)
{
    return o->type == ANPE_T_REAL && isnan(o->dflt) && o->text && !strcmp(o->text, "optional");
}

static int is_required(const anpe_option *o)
{
    if (is_number(o))
        return isnan(o->dflt) && !is_optional(o);
    return !o->text && (o->type == ANPE_T_TEXT || o->type == ANPE_T_FILE ||
                        o->type == ANPE_T_REALS || o->type == ANPE_T_TEXTS);
}

static void choice_text(const anpe_option *o, char *buffer, size_t size)
{
    const char *p = o->text;
    for (int i = 0; i < (int)o->dflt && strchr(p, '|'); i++)
        p = strchr(p, '|') + 1;
    snprintf(buffer, size, "%.*s", (int)strcspn(p, "|"), p);
}

/* ---- text -------------------------------------------------------------------------------- */

static void default_text(const anpe_option *o, char *buffer, size_t size)
{
    if (is_required(o))
        snprintf(buffer, size, "required");
    else if (is_optional(o))
        snprintf(buffer, size, "optional");
    else if (o->type == ANPE_T_BOOL)
        snprintf(buffer, size, "default %s", o->dflt != 0 ? "true" : "false");
    else if (is_number(o))
        snprintf(buffer, size, "default %.10g", o->dflt);
    else if (o->type == ANPE_T_ROWS || !*o->text)
        snprintf(buffer, size, "default none");
    else if (o->type == ANPE_T_ENUM) {
        char word[64];
        choice_text(o, word, sizeof word);
        snprintf(buffer, size, "default %s", word);
    } else
        snprintf(buffer, size, "default %s", o->text);
}

static void print_options(const anpe_cmd *cmd, const anpe_option *table, int indent)
{
    for (const anpe_option *o = table; o->type != ANPE_T_END; o++) {
        char dflt[256], range[96] = "";
        default_text(o, dflt, sizeof dflt);
        if (is_number(o) || o->type == ANPE_T_REALS)
            snprintf(range, sizeof range, ", range [%.10g, %.10g]", o->min, o->max);
        anpe_cmd_say(cmd, "%*s%s  (%s%s%s", indent, "", o->name, type_name[o->type],
                     *o->unit ? ", " : "", o->unit);
        if (o->type == ANPE_T_ENUM)
            anpe_cmd_say(cmd, " of %s", o->text);
        anpe_cmd_say(cmd, ", %s%s)\n%*s%s\n", dflt, range, indent + 4, "", o->help);
        if (o->type == ANPE_T_ROWS)
            print_options(cmd, o->rows, indent + 4);
    }
}

static void print_plugin(const anpe_cmd *cmd, const anpe_plugin *p)
{
    anpe_cmd_say(cmd, "%s/%s %s\n%s\n\n", anpe_kind_name(p->kind), p->name, p->version, p->summary);
    if (p->options[0].type == ANPE_T_END)
        anpe_cmd_say(cmd, "No options.\n");
    else
        anpe_cmd_say(cmd, "Options:\n");
    print_options(cmd, p->options, 2);
}

static void print_list(const anpe_cmd *cmd, int n, const anpe_plugin *const *list)
{
    for (int i = 0; i < n; i++) {
        if (!i || list[i]->kind != list[i - 1]->kind)
            anpe_cmd_say(cmd, "%s%s\n", i ? "\n" : "", anpe_kind_name(list[i]->kind));
        anpe_cmd_say(cmd, "  %-14s %-8s %s\n", list[i]->name, list[i]->version, list[i]->summary);
    }
}

/* ---- JSON -------------------------------------------------------------------------------- */

static json_t *json_limit(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *json_default(const anpe_option *o)
{
    char word[64];
    if (is_required(o) || is_optional(o) || o->type == ANPE_T_ROWS)
        return json_null();
    if (o->type == ANPE_T_BOOL)
        return json_boolean(o->dflt != 0);
    if (o->type == ANPE_T_INT)
        return json_integer((json_int_t)o->dflt);
    if (o->type == ANPE_T_REAL)
        return json_limit(o->dflt);
    if (o->type == ANPE_T_TEXT || o->type == ANPE_T_FILE)
        return json_string(o->text);
    if (o->type == ANPE_T_ENUM) {
        choice_text(o, word, sizeof word);
        return json_string(word);
    }
    json_t *list = json_array();
    for (const char *p = o->text; *(p += strspn(p, " ")); p += strcspn(p, " "))
        json_array_append_new(list, o->type == ANPE_T_REALS ? json_limit(strtod(p, NULL))
                                                            : json_stringn(p, strcspn(p, " ")));
    return list;
}

static json_t *json_options(const anpe_option *table)
{
    static const char *const type[] = {"",     "bool", "int",   "real",  "text",
                                       "enum", "file", "reals", "texts", "rows"};
    json_t *list = json_array();
    for (const anpe_option *o = table; o->type != ANPE_T_END; o++) {
        json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "name", o->name, "type",
                              type[o->type], "unit", o->unit, "help", o->help, "required",
                              is_required(o), "default", json_default(o));
        if (is_number(o) || o->type == ANPE_T_REALS) {
            json_object_set_new(j, "min", json_limit(o->min));
            json_object_set_new(j, "max", json_limit(o->max));
        }
        if (o->type == ANPE_T_ENUM)
            json_object_set_new(j, "choices", json_string(o->text));
        if (o->type == ANPE_T_ROWS)
            json_object_set_new(j, "rows", json_options(o->rows));
        json_array_append_new(list, j);
    }
    return list;
}

static void json_plugins(const anpe_cmd *cmd, int n, const anpe_plugin *const *list)
{
    json_t *all = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(
            all, json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "kind", anpe_kind_name(list[i]->kind),
                           "name", list[i]->name, "version", list[i]->version, "summary",
                           list[i]->summary, "capabilities", (json_int_t)list[i]->capabilities,
                           "options", json_options(list[i]->options)));
    json_object_set_new(cmd->result, "plugins", all);
}

/* ---- the command ------------------------------------------------------------------------- */

static anpe_status unknown_kind(anpe_ctx *ctx, anpe_cmd *cmd, const char *kind)
{
#define X(id, value, text) text,
    static const char *const names[] = {ANPE_KIND_LIST(X)};
#undef X
    char hint[128];
    const int n = (int)(sizeof names / sizeof names[0]);
    return anpe_cmd_usage(ctx, cmd, "unknown kind '%s'%s", kind,
                          anpe_text_hint(hint, sizeof hint, kind, n, names));
}

static anpe_status show_list(anpe_ctx *ctx, anpe_cmd *cmd, anpe_kind kind)
{
    const anpe_plugin **list;
    int n;
    const anpe_status status = anpe_loader_list(ctx, kind, &n, &list);
    if (status)
        return status;
    print_list(cmd, n, list);
    json_plugins(cmd, n, list);
    free(list);
    return ANPE_OK;
}

static anpe_status run(anpe_ctx *ctx, anpe_cmd *cmd)
{
    char name[32];
    const anpe_plugin *plugin;
    if (!cmd->n_arguments)
        return show_list(ctx, cmd, (anpe_kind)0);
    const char *argument = cmd->argument[0], *slash = strchr(argument, '/');
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "/"), argument);
    const anpe_kind kind = anpe_kind_of(name);
    if (!kind)
        return unknown_kind(ctx, cmd, name);
    if (!slash)
        return show_list(ctx, cmd, kind);
    const anpe_status status = anpe_loader_get(ctx, kind, slash + 1, &plugin);
    if (status)
        return status;
    print_plugin(cmd, plugin);
    json_plugins(cmd, 1, &plugin);
    return ANPE_OK;
}

const anpe_command anpe_command_plugins = {
    .name = "plugins",
    .summary = "list plugins, or the options of one",
    .arguments = "[KIND[/NAME]]",
    .description = "KIND is simulator, prior, instrument, noise, featurizer, flow, backend or "
                   "ranks. Plugins are\n"
                   "found along ANPE_PLUGIN_PATH, else where anpe is installed.",
    .max_arguments = 1,
    .run = run,
};
