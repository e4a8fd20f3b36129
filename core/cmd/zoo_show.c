/* anpe zoo list and show. */
#include <config.h>
#include "cmd/zoo.h"
#include "zoo/choose.h"
#include "zoo/get.h"
#include "zoo/index.h"
#include "zoo/publish.h"
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

/* ---- list -------------------------------------------------------------------------------- */

static void say_row(anpe_cmd *cmd, json_t *list, json_t *row)
{
    anpe_cmd_say(cmd, "%-16s %-10s %-12s %s\n", text_of(row, "name"), text_of(row, "version"),
                 text_of(row, "instrument"), text_of(row, "where"));
    json_array_append_new(list, row);
}

static anpe_status list_here(anpe_ctx *ctx, anpe_cmd *cmd, json_t *list)
{
    int64_t n;
    anpe_zoo_model *models;
    anpe_status status = anpe_zoo_list(ctx, &n, &models);
    for (int64_t i = 0; !status && i < n; i++) {
        char *instrument = NULL;
        status = anpe_zoo_instrument(ctx, models[i].path, &instrument);
        if (status && status != ANPE_ENOMEM) {
            anpe_log(ctx, ANPE_WARNING, "%s", anpe_error(ctx));
            status = ANPE_OK;
        }
        say_row(cmd, list,
                json_pack("{s:s,s:s,s:s,s:s}", "name", models[i].name, "version", models[i].version,
                          "instrument", instrument ? instrument : "damaged", "where",
                          models[i].path));
        free(instrument);
    }
    if (!status && !n)
        anpe_cmd_say(cmd, "no models are here ('anpe zoo get' fetches some)\n");
    anpe_zoo_list_free(status ? 0 : n, models);
    return status;
}

static anpe_status list_registry(anpe_ctx *ctx, anpe_cmd *cmd, const char *registry, json_t *list)
{
    anpe_zoo_index index;
    const json_t *model;
    size_t i;
    const anpe_status status = anpe_zoo_index_open(ctx, registry, &index);
    if (status)
        return status;
    json_array_foreach(json_object_get(index.json, "models"), i, model)
    {
        say_row(cmd, list,
                json_pack("{s:s,s:s,s:s,s:s}", "name", text_of(model, "name"), "version",
                          text_of(model, "version"), "instrument", text_of(model, "instrument"),
                          "where", text_of(model, "summary")));
    }
    anpe_cmd_say(cmd, "%s, number %lld of %s\n", index.registry, (long long)index.serial,
                 text_of(index.json, "date"));
    json_object_set_new(cmd->result, "serial", json_integer(index.serial));
    anpe_zoo_index_close(&index);
    return ANPE_OK;
}

anpe_status anpe_cmd_zoo_list(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const anpe_zoo_options *o = cmd->options;
    json_t *list = json_array();
    json_object_set_new(cmd->result, "models", list);
    return o->from ? list_registry(ctx, cmd, o->from, list) : list_here(ctx, cmd, list);
}

/* ---- show -------------------------------------------------------------------------------- */

static void say_text(const anpe_cmd *cmd, const json_t *o, const char *name)
{
    if (*text_of(o, name))
        anpe_cmd_say(cmd, "%-14s %s\n", name, text_of(o, name));
}

static void say_labels(const anpe_cmd *cmd, const json_t *o)
{
    const json_t *label;
    size_t i;
    json_array_foreach(json_object_get(o, "labels"), i, label)
    {
        anpe_cmd_say(cmd, "%-14s %-10s %-6s [%.6g, %.6g]\n", i ? "" : "labels",
                     text_of(label, "name"), text_of(label, "unit"),
                     json_number_value(json_object_get(label, "min")),
                     json_number_value(json_object_get(label, "max")));
    }
}

static void say_certificate(const anpe_cmd *cmd, const json_t *o)
{
    const json_t *c = json_object_get(o, "certificate"), *label;
    size_t i;
    if (!c) {
        anpe_cmd_say(cmd, "%-14s not validated\n", "validation");
        return;
    }
    anpe_cmd_say(cmd, "%-14s %lld mocks, %s: coverage p %.2g, TARP p %.2g\n", "validation",
                 (long long)json_integer_value(json_object_get(c, "mocks")),
                 json_is_true(json_object_get(c, "passes")) ? "passes" : "does not pass",
                 json_number_value(json_object_get(c, "hpd_p")),
                 json_number_value(json_object_get(c, "tarp_p")));
    json_array_foreach(json_object_get(c, "labels"), i, label)
    {
        anpe_cmd_say(cmd, "%-14s %-10s R2 %.4f  scatter %.4g  68 %% interval holds %.1f %%\n", "",
                     text_of(label, "name"), json_number_value(json_object_get(label, "r2")),
                     json_number_value(json_object_get(label, "scatter")),
                     100 * json_number_value(json_object_get(label, "cover68")));
    }
}

static void say_all(anpe_cmd *cmd, const json_t *o)
{
    static const char *const texts[] = {"name",    "version", "summary",  "instrument",
                                        "created", "licence", "citation", "path"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        say_text(cmd, o, texts[i]);
    if (json_is_true(json_object_get(o, "needs_simulator")))
        anpe_cmd_say(cmd, "%-14s the simulator's files too: its inputs are fits\n", "needs");
    say_labels(cmd, o);
    say_certificate(cmd, o);
}

/* The model as it is, with what its entry, if it has one, says of licence and citation. */
static anpe_status show_here(anpe_ctx *ctx, anpe_cmd *cmd, const anpe_zoo_model *m)
{
    json_t *about = NULL, *entry = NULL;
    anpe_status status;
    ANPE_TRY(anpe_zoo_describe(ctx, m->path, &about));
    ANPE_TRY(anpe_zoo_entry_beside(ctx, m->directory, &entry));
    if (entry)
        json_object_update(cmd->result, entry);
    json_object_update(cmd->result, about);
    json_object_set_new(cmd->result, "name", json_string(m->name));
    json_object_set_new(cmd->result, "version", json_string(m->version));
    json_object_set_new(cmd->result, "path", json_string(m->path));
    say_all(cmd, cmd->result);
out:
    json_decref(about);
    json_decref(entry);
    return status;
}

static anpe_status show_registry(anpe_ctx *ctx, anpe_cmd *cmd, const char *registry)
{
    anpe_zoo_index index;
    anpe_zoo_entry e;
    anpe_status status = anpe_zoo_index_open(ctx, registry, &index);
    if (status)
        return status;
    ANPE_TRY(anpe_zoo_index_find(ctx, &index, cmd->argument[1], &e));
    ANPE_TRY(anpe_zoo_entry_check(ctx, registry, &e));
    json_object_update(cmd->result, (json_t *)(uintptr_t)e.json);
    say_all(cmd, cmd->result);
out:
    anpe_zoo_index_close(&index);
    return status;
}

anpe_status anpe_cmd_zoo_show(anpe_ctx *ctx, anpe_cmd *cmd)
{
    const anpe_zoo_options *o = cmd->options;
    int64_t n;
    anpe_zoo_model *list;
    char hint[160];
    if (o->from)
        return show_registry(ctx, cmd, o->from);
    anpe_status status = anpe_zoo_list(ctx, &n, &list);
    if (status)
        return status;
    const anpe_zoo_model *m = anpe_zoo_pick(n, list, cmd->argument[1]);
    status = m ? show_here(ctx, cmd, m)
               : ANPE_FAIL(ctx, ANPE_EINVAL, "%s: no model of the zoo%s", cmd->argument[1],
                           anpe_zoo_hint(hint, sizeof hint, cmd->argument[1], n, list));
    anpe_zoo_list_free(n, list);
    return status;
}
