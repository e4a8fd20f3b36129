/* Configuration against option tables: fills structs, records what was used, finds what was not. */
#include "base/settings_tree.h"
#include "base/settings_options.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static anpe_status make(anpe_ctx *ctx, const char *path, const char *text, const char *origin,
                        int n_sets, const char *const *sets, anpe_settings **out)
{
    anpe_settings *s;
    *out = NULL;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    anpe_status status = ANPE_ENOMEM;
    if ((s->origin = anpe_settings_print(ctx, s, "%s", origin)) &&
        (s->resolved = anpe_value_add(ctx, s, NULL, NULL, ANPE_NODE_GROUP)))
        status = anpe_settings_load(ctx, s, path, text);
    for (int i = 0; !status && i < n_sets; i++)
        status = anpe_settings_override(ctx, s, sets[i]);
    if (status)
        s = anpe_settings_free(s);
    *out = s;
    return status;
}

anpe_status anpe_settings_read(anpe_ctx *ctx, const char *path, int n_sets, const char *const *sets,
                               anpe_settings **out)
{
    return make(ctx, path, NULL, path, n_sets, sets, out);
}

anpe_status anpe_settings_parse(anpe_ctx *ctx, const char *text, const char *origin, int n_sets,
                                const char *const *sets, anpe_settings **out)
{
    return make(ctx, NULL, text, origin, n_sets, sets, out);
}

void anpe_settings_set_stored(anpe_settings *s)
{
    s->stored = 1;
}

int anpe_settings_stored(const anpe_settings *s)
{
    return s->stored;
}

anpe_settings *anpe_settings_free(anpe_settings *s)
{
    if (!s)
        return NULL;
    for (int i = 0; i < s->n_blocks; i++)
        anpe_free(s->block[i]);
    free(s->block);
    free(s->file);
    free(s);
    return NULL;
}

int anpe_settings_has(const anpe_settings *s, const char *path)
{
    return anpe_value_find(s->given, path, NULL) != NULL;
}

int anpe_settings_count(const anpe_settings *s, const char *path)
{
    const anpe_value *v = anpe_value_find(s->given, path, NULL);
    if (!v)
        return 0;
    return v->type == ANPE_NODE_LIST ? v->n : v->type == ANPE_NODE_GROUP;
}

const char *anpe_settings_where(const anpe_settings *s, const char *path)
{
    anpe_value *nearest = s->given;
    (void)anpe_value_find(s->given, path, &nearest);
    return nearest->where;
}

const char *anpe_settings_file(const anpe_settings *s, int i, const char **option)
{
    if (i < 0 || i >= s->n_files)
        return NULL;
    if (option)
        *option = s->file[i].option;
    return s->file[i].path;
}

/* ---- paths ------------------------------------------------------------------------------- */

/* The given value at path, marked as asked with all its parents; NULL where there is none. A
 * scalar in the place of a group is an error. */
static anpe_status ask(anpe_ctx *ctx, anpe_settings *s, const char *path, anpe_value **out)
{
    anpe_value *v = s->given;
    const char *rest = path, *step;
    *out = NULL;
    while (v && *rest) {
        char name[256], buffer[256];
        const char *start = rest;
        int index;
        const int length = anpe_path_step(&rest, &step, &index);
        if (v->type != ANPE_NODE_GROUP && v->type != ANPE_NODE_LIST)
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: '%.*s' must be a group { ... }, not %s",
                             v->where, (int)(start > path ? start - path - 1 : 0), path,
                             anpe_value_show(v, buffer, sizeof buffer));
        snprintf(name, sizeof name, "%.*s", length, step);
        v = anpe_value_find(v, name, NULL);
        if (v)
            v->asked = 1;
    }
    *out = v;
    return ANPE_OK;
}

/* The group in the resolved tree at the first `length` letters of path. */
static anpe_value *record(anpe_ctx *ctx, anpe_settings *s, const char *path, size_t length)
{
    anpe_value *v = s->resolved;
    const char *rest = path;
    while (v && rest < path + length && *rest) {
        const char *step;
        int index;
        const int n = anpe_path_step(&rest, &step, &index);
        if (index >= 0) {
            v->type = v->n ? v->type : ANPE_NODE_LIST;
            if (v->type == ANPE_NODE_GROUP)
                continue; /* [0] of a group */
            while (v && v->n <= index)
                if (!anpe_value_add(ctx, s, v, NULL, ANPE_NODE_GROUP))
                    return NULL;
            v = v->child[index];
            continue;
        }
        const char *name = anpe_settings_print(ctx, s, "%.*s", n, step);
        anpe_value *child = name ? anpe_value_child(v, name) : NULL;
        v = child || !name ? child : anpe_value_add(ctx, s, v, name, ANPE_NODE_GROUP);
    }
    return v;
}

anpe_status anpe_settings_text(anpe_ctx *ctx, anpe_settings *s, const char *path,
                               const char *fallback, const char **out)
{
    char buffer[256];
    const char *dot = strrchr(path, '.'), *name = dot ? dot + 1 : path;
    anpe_value *v;
    const anpe_status status = ask(ctx, s, path, &v);
    if (status)
        return status;
    if (!v && !fallback)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: '%s' is missing", anpe_settings_where(s, path),
                         path);
    if (v && v->type != ANPE_NODE_TEXT)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: '%s' must be text, not %s", v->where, path,
                         anpe_value_show(v, buffer, sizeof buffer));
    anpe_value *group = record(ctx, s, path, dot ? (size_t)(dot - path) : 0);
    anpe_value *leaf = group ? anpe_value_put(ctx, s, group, name, ANPE_NODE_TEXT) : NULL;
    if (!leaf || !(leaf->text = anpe_settings_print(ctx, s, "%s", v ? v->text : fallback)))
        return ANPE_ENOMEM;
    leaf->where = v ? v->where : NULL;
    *out = leaf->text;
    return ANPE_OK;
}

anpe_status anpe_settings_fill(anpe_ctx *ctx, anpe_settings *s, const char *path,
                               const anpe_option *table, size_t size, void **out)
{
    anpe_value *v;
    anpe_status status = ask(ctx, s, path, &v);
    *out = NULL;
    if (status)
        return status;
    if (v && v->type == ANPE_NODE_LIST && v->n == 1)
        v = v->child[0];
    if (v && v->type != ANPE_NODE_GROUP) {
        char buffer[256];
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: '%s' must be a group { ... }, not %s", v->where,
                         path, anpe_value_show(v, buffer, sizeof buffer));
    }
    anpe_value *group = record(ctx, s, path, strlen(path));
    void *options = anpe_settings_keep(ctx, s, size ? size : 1);
    if (!group || !options)
        return ANPE_ENOMEM;
    const anpe_value *plugin = anpe_value_child(group, "plugin");
    const anpe_filling f = {.ctx = ctx,
                            .s = s,
                            .path = path,
                            .owner = plugin && plugin->text ? plugin->text : path,
                            .where = v ? v->where : anpe_settings_where(s, path)};
    status = anpe_options_fill(&f, "", v, group, table, options);
    if (!status)
        *out = options;
    return status;
}

/* ---- what nobody asked for --------------------------------------------------------------- */

static anpe_status report(anpe_ctx *ctx, const anpe_value *v, const char *path,
                          const anpe_value *known)
{
    const char *names[256];
    char hint[160];
    int n = 0;
    for (int i = 0; known && i < known->n && n < 256; i++)
        names[n++] = known->child[i]->name;
    if (!v->name)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: one element too many in '%s'", v->where, path);
    return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: unknown %s '%s'%s%s%s%s", v->where,
                     v->type == ANPE_NODE_GROUP || v->type == ANPE_NODE_LIST ? "group" : "option",
                     v->name, *path ? " in '" : "", path, *path ? "'" : "",
                     anpe_text_hint(hint, sizeof hint, v->name, n, names));
}

static anpe_status finish(anpe_ctx *ctx, const anpe_value *given, const anpe_value *known,
                          const char *path)
{
    for (int i = 0; i < given->n; i++) {
        const anpe_value *v = given->child[i];
        if (!v->asked)
            return report(ctx, v, path, known);
        char deeper[512];
        if (v->name)
            snprintf(deeper, sizeof deeper, "%s%s%s", path, *path ? "." : "", v->name);
        else
            snprintf(deeper, sizeof deeper, "%s[%d]", path, i);
        const anpe_value *below = NULL;
        if (known)
            below = v->name        ? anpe_value_child(known, v->name)
                    : i < known->n ? known->child[i]
                                   : NULL;
        const anpe_status status = finish(ctx, v, below, deeper);
        if (status)
            return status;
    }
    return ANPE_OK;
}

anpe_status anpe_settings_finish(anpe_ctx *ctx, const anpe_settings *s)
{
    return finish(ctx, s->given, s->resolved, "");
}

void anpe_settings_retire(anpe_settings *s, const char *path)
{
    anpe_value *group = NULL, *v = anpe_value_find(s->given, path, NULL);
    char parent[128];
    const char *dot = strrchr(path, '.');
    snprintf(parent, sizeof parent, "%.*s", dot ? (int)(dot - path) : 0, path);
    if (v && dot && (!v->where || strncmp(v->where, "--set", 5)))
        group = anpe_value_find(s->given, parent, NULL);
    for (int i = 0; group && i < group->n; i++)
        if (group->child[i] == v) {
            memmove(group->child + i, group->child + i + 1,
                    (size_t)(group->n - i - 1) * sizeof *group->child);
            group->n--;
        }
}

void anpe_settings_leave(anpe_settings *s, const char *path)
{
    anpe_value *v = anpe_value_find(s->given, path, NULL);
    if (v)
        anpe_value_leave(v);
}
