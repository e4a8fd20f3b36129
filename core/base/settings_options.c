/* Option tables: reading values of each type, defaults, ranges, and checking the tables. */
#include "base/settings_options.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One option being read. */
typedef struct reading {
    const anpe_filling *f;
    const anpe_option *o;
    const char *shown; /* "labels[2].min" */
    anpe_value *given; /* NULL: take the default */
    anpe_value *out;   /* the record of what was used */
    void *at;          /* in the struct */
} reading;

anpe_value *anpe_value_put(anpe_ctx *ctx, anpe_settings *s, anpe_value *group, const char *name,
                           anpe_node_type type)
{
    anpe_value *v = anpe_value_child(group, name);
    if (!v)
        return anpe_value_add(ctx, s, group, name, type);
    *v = (anpe_value){.name = v->name, .type = type};
    return v;
}

static anpe_status wrong_type(const reading *r, const anpe_value *v, const char *expected)
{
    char buffer[256];
    return ANPE_FAIL(r->f->ctx, ANPE_ECONFIG, "%s: %s: option '%s' must be %s, not %s", v->where,
                     r->f->owner, r->shown, expected, anpe_value_show(v, buffer, sizeof buffer));
}

static anpe_status missing(const reading *r)
{
    return ANPE_FAIL(r->f->ctx, ANPE_ECONFIG, "%s: %s: option '%s' is required (%s)", r->f->where,
                     r->f->owner, r->shown, r->o->help);
}

/* ---- scalars ----------------------------------------------------------------------------- */

/* i < 0: not in a list. */
static anpe_status check_range(const reading *r, const anpe_value *v, double x, int i)
{
    char buffer[64], index[16] = "";
    if (x >= r->o->min && x <= r->o->max)
        return ANPE_OK;
    if (i >= 0)
        snprintf(index, sizeof index, "[%d]", i);
    return ANPE_FAIL(r->f->ctx, ANPE_ECONFIG, "%s: %s: option '%s%s' = %s is outside [%g, %g]%s%s",
                     v->where, r->f->owner, r->shown, index,
                     anpe_value_show(v, buffer, sizeof buffer), r->o->min, r->o->max,
                     *r->o->unit ? " " : "", r->o->unit);
}

static anpe_status read_bool(const reading *r)
{
    int x = (int)r->o->dflt;
    if (r->given && r->given->type != ANPE_NODE_BOOL)
        return wrong_type(r, r->given, "true or false");
    if (r->given)
        x = (int)r->given->integer;
    r->out->type = ANPE_NODE_BOOL;
    r->out->integer = *(int *)r->at = x;
    return ANPE_OK;
}

static anpe_status read_int(const reading *r)
{
    if (!r->given && isnan(r->o->dflt))
        return missing(r);
    if (r->given && r->given->type != ANPE_NODE_INT)
        return wrong_type(r, r->given, "an integer");
    const int64_t x = r->given ? r->given->integer : (int64_t)r->o->dflt;
    r->out->type = ANPE_NODE_INT;
    r->out->integer = *(int64_t *)r->at = x;
    return r->given ? check_range(r, r->given, (double)x, -1) : ANPE_OK;
}

static anpe_status number(const reading *r, const anpe_value *v, int i, double *x)
{
    if (v->type != ANPE_NODE_INT && v->type != ANPE_NODE_REAL)
        return wrong_type(r, v, i < 0 ? "a number" : "a list of numbers");
    *x = v->type == ANPE_NODE_INT ? (double)v->integer : v->real;
    return check_range(r, v, *x, i);
}

static anpe_status read_real(const reading *r)
{
    double x = r->o->dflt;
    if (!r->given && isnan(x) && !(r->o->text && !strcmp(r->o->text, "optional")))
        return missing(r);
    const anpe_status status = r->given ? number(r, r->given, -1, &x) : ANPE_OK;
    r->out->type = isnan(x) ? ANPE_NODE_UNSET : ANPE_NODE_REAL;
    r->out->real = *(double *)r->at = x;
    return status;
}

static anpe_status read_text(const reading *r)
{
    if (!r->given && !r->o->text)
        return missing(r);
    if (r->given && r->given->type != ANPE_NODE_TEXT)
        return wrong_type(r, r->given, "text");
    const char *x = r->given ? r->given->text : r->o->text;
    if (!(x = anpe_settings_print(r->f->ctx, r->f->s, "%s", x)))
        return ANPE_ENOMEM;
    r->out->type = ANPE_NODE_TEXT;
    r->out->text = *(const char **)r->at = x;
    return ANPE_OK;
}

static int remember_file(const reading *r, const char *path)
{
    anpe_settings *s = r->f->s;
    const char *option =
        anpe_settings_print(r->f->ctx, s, "%s%s%s", r->f->path, *r->f->path ? "." : "", r->shown);
    if (!option)
        return 0;
    for (int i = 0; i < s->n_files; i++)
        if (!strcmp(s->file[i].option, option)) {
            s->file[i].path = path;
            return 1;
        }
    if (ANPE_GROW(r->f->ctx, s->file, s->file_capacity, s->n_files + 1))
        return 0;
    s->file[s->n_files++] = (anpe_used_file){option, path};
    return 1;
}

static anpe_status read_file(const reading *r)
{
    const anpe_status status = read_text(r);
    const char *path = r->out->text;
    if (status || !*path)
        return status;
    const char *directory = r->given ? r->given->directory : r->f->s->given->directory;
    if (*path != '/')
        path = anpe_settings_print(r->f->ctx, r->f->s, "%s/%s", directory, path);
    if (!path || !remember_file(r, path))
        return ANPE_ENOMEM;
    r->out->text = *(const char **)r->at = path;
    return ANPE_OK;
}

/* The i-th of "a|b|c" into word; 0 past the end. */
static int choice(const char *choices, int i, char word[64])
{
    while (i-- > 0) {
        if (!(choices = strchr(choices, '|')))
            return 0;
        choices++;
    }
    snprintf(word, 64, "%.*s", (int)strcspn(choices, "|"), choices);
    return 1;
}

static anpe_status read_enum(const reading *r)
{
    char word[16][64];
    const char *names[16];
    int n = 0, x = (int)r->o->dflt;
    for (; n < 16 && choice(r->o->text, n, word[n]); n++)
        names[n] = word[n];
    if (r->given && r->given->type != ANPE_NODE_TEXT)
        return wrong_type(r, r->given, "text");
    if (r->given) {
        char hint[160];
        for (x = 0; x < n && strcmp(r->given->text, names[x]); x++)
            ;
        if (x == n)
            return ANPE_FAIL(r->f->ctx, ANPE_ECONFIG,
                             "%s: %s: option '%s' must be one of %s, not '%s'%s", r->given->where,
                             r->f->owner, r->shown, r->o->text, r->given->text,
                             anpe_text_hint(hint, sizeof hint, r->given->text, n, names));
    }
    r->out->type = ANPE_NODE_TEXT;
    if (!(r->out->text = anpe_settings_print(r->f->ctx, r->f->s, "%s", names[x])))
        return ANPE_ENOMEM;
    *(int *)r->at = x;
    return ANPE_OK;
}

/* ---- lists ------------------------------------------------------------------------------- */

/* The default of a list, "1 2.5" or "flux mask", as if the user had written it. */
static anpe_value *default_list(const reading *r)
{
    anpe_ctx *ctx = r->f->ctx;
    anpe_settings *s = r->f->s;
    anpe_value *list = anpe_value_add(ctx, s, NULL, NULL, ANPE_NODE_LIST);
    for (const char *p = r->o->text; list && *(p += strspn(p, " ")); p += strcspn(p, " ")) {
        anpe_value *v = anpe_value_add(ctx, s, list, NULL, ANPE_NODE_TEXT);
        if (!v || !(v->text = anpe_settings_print(ctx, s, "%.*s", (int)strcspn(p, " "), p)))
            return NULL;
        if (r->o->type == ANPE_T_REALS) {
            v->type = ANPE_NODE_REAL;
            v->real = strtod(v->text, NULL);
        }
    }
    return list;
}

static anpe_status read_list(const reading *r)
{
    const int reals = r->o->type == ANPE_T_REALS;
    anpe_value *list = r->given;
    if (!list && !r->o->text)
        return missing(r);
    if (!list && !(list = default_list(r)))
        return ANPE_ENOMEM;
    const int one = list->type != ANPE_NODE_LIST; /* a single value is a list of one */
    const int n = one ? 1 : list->n;
    double *x = anpe_settings_keep(r->f->ctx, r->f->s, (size_t)n * sizeof *x);
    const char **text = anpe_settings_keep(r->f->ctx, r->f->s, (size_t)n * sizeof *text);
    r->out->type = ANPE_NODE_LIST;
    for (int i = 0; x && text && i < n; i++) {
        const anpe_value *v = one ? list : list->child[i];
        anpe_value *copy = anpe_value_add(r->f->ctx, r->f->s, r->out, NULL, v->type);
        if (!copy)
            return ANPE_ENOMEM;
        if (reals) {
            const anpe_status status = r->given ? number(r, v, one ? -1 : i, &x[i]) : ANPE_OK;
            if (status)
                return status;
            copy->type = ANPE_NODE_REAL;
            copy->real = x[i] = r->given ? x[i] : v->real;
        } else if (v->type != ANPE_NODE_TEXT) {
            return wrong_type(r, v, "a list of texts");
        } else {
            copy->text = text[i] = v->text;
        }
    }
    if (!x || !text)
        return ANPE_ENOMEM;
    if (reals)
        *(anpe_reals *)r->at = (anpe_reals){n, x};
    else
        *(anpe_texts *)r->at = (anpe_texts){n, text};
    return ANPE_OK;
}

static anpe_status read_rows(const reading *r)
{
    const anpe_filling *f = r->f;
    anpe_value *list = r->given;
    r->out->type = ANPE_NODE_LIST;
    *(anpe_rows *)r->at = (anpe_rows){0, NULL};
    if (!list)
        return ANPE_OK;
    const int one = list->type == ANPE_NODE_GROUP, n = one ? 1 : list->n;
    if (!one && list->type != ANPE_NODE_LIST)
        return wrong_type(r, list, "a list of groups ( { ... }, ... )");
    char *rows = anpe_settings_keep(f->ctx, f->s, (size_t)n * r->o->row_size);
    if (!rows)
        return ANPE_ENOMEM;
    for (int i = 0; i < n; i++) {
        anpe_value *row = one ? list : list->child[i];
        if (row->type != ANPE_NODE_GROUP)
            return wrong_type(r, row, "a list of groups ( { ... }, ... )");
        anpe_value *out = anpe_value_add(f->ctx, f->s, r->out, NULL, ANPE_NODE_GROUP);
        const char *prefix = anpe_settings_print(f->ctx, f->s, "%s[%d].", r->shown, i);
        if (!out || !prefix)
            return ANPE_ENOMEM;
        anpe_filling inner = *f;
        inner.where = row->where;
        row->asked = 1;
        const anpe_status status = anpe_options_fill(&inner, prefix, row, out, r->o->rows,
                                                     rows + (size_t)i * r->o->row_size);
        if (status)
            return status;
    }
    *(anpe_rows *)r->at = (anpe_rows){n, rows};
    return ANPE_OK;
}

/* ---- tables ------------------------------------------------------------------------------ */

static const struct {
    anpe_status (*read)(const reading *r);
    size_t size;
} types[] = {
    [ANPE_T_BOOL] = {read_bool, sizeof(int)},
    [ANPE_T_INT] = {read_int, sizeof(int64_t)},
    [ANPE_T_REAL] = {read_real, sizeof(double)},
    [ANPE_T_TEXT] = {read_text, sizeof(char *)},
    [ANPE_T_ENUM] = {read_enum, sizeof(int)},
    [ANPE_T_FILE] = {read_file, sizeof(char *)},
    [ANPE_T_REALS] = {read_list, sizeof(anpe_reals)},
    [ANPE_T_TEXTS] = {read_list, sizeof(anpe_texts)},
    [ANPE_T_ROWS] = {read_rows, sizeof(anpe_rows)},
};

static anpe_status check_known(const anpe_filling *f, const char *prefix, anpe_value *given,
                               const anpe_option *table)
{
    const char *names[256];
    char hint[160];
    int n = 0;
    for (const anpe_option *o = table; o->type != ANPE_T_END && n < 256; o++)
        names[n++] = o->name;
    for (int i = 0; i < given->n; i++) {
        anpe_value *v = given->child[i];
        int known = !*prefix && !strcmp(v->name, "plugin");
        for (int j = 0; j < n && !known; j++)
            known = !strcmp(v->name, names[j]);
        if (!known)
            return ANPE_FAIL(f->ctx, ANPE_ECONFIG, "%s: %s: unknown option '%s%s'%s", v->where,
                             f->owner, prefix, v->name,
                             anpe_text_hint(hint, sizeof hint, v->name, n, names));
    }
    return ANPE_OK;
}

anpe_status anpe_options_fill(const anpe_filling *f, const char *prefix, anpe_value *given,
                              anpe_value *resolved, const anpe_option *table, void *options)
{
    anpe_status status = given ? check_known(f, prefix, given, table) : ANPE_OK;
    for (const anpe_option *o = table; !status && o->type != ANPE_T_END; o++) {
        reading r = {.f = f, .o = o, .at = (char *)options + o->offset};
        r.shown = anpe_settings_print(f->ctx, f->s, "%s%s", prefix, o->name);
        r.given = given ? anpe_value_child(given, o->name) : NULL;
        r.out = anpe_value_put(f->ctx, f->s, resolved, o->name, ANPE_NODE_UNSET);
        if (!r.shown || !r.out)
            return ANPE_ENOMEM;
        r.out->where = r.given ? r.given->where : NULL;
        if (r.given)
            anpe_value_leave(r.given);
        status = types[o->type].read(&r);
    }
    return status;
}

/* ---- is the table itself right? ---------------------------------------------------------- */

static const char *list_fault(const anpe_option *o)
{
    if (!o->text || o->type != ANPE_T_REALS)
        return NULL;
    for (const char *p = o->text; *(p += strspn(p, " "));) {
        char *end;
        const double x = strtod(p, &end);
        if (end == p || (*end && *end != ' '))
            return "its default is not a list of numbers";
        if (!(x >= o->min && x <= o->max))
            return "its default is outside its range";
        p = end;
    }
    return NULL;
}

static const char *number_fault(const anpe_option *o)
{
    char word[64];
    if (o->type == ANPE_T_ENUM) {
        if (!o->text || !*o->text)
            return "it has no choices";
        if (choice(o->text, 16, word))
            return "it has more than 16 choices";
        if (!(o->dflt >= 0) || o->dflt != floor(o->dflt) || !choice(o->text, (int)o->dflt, word))
            return "its default is not one of its choices";
        return NULL;
    }
    if (!(o->min <= o->max))
        return "its minimum is above its maximum";
    if (isnan(o->dflt))
        return o->type == ANPE_T_BOOL ? "it has no default" : NULL;
    if (o->dflt < o->min || o->dflt > o->max)
        return "its default is outside its range";
    if (o->type != ANPE_T_REAL && o->dflt != floor(o->dflt))
        return "its default is not an integer";
    return NULL;
}

static const char *fault(const anpe_option *o, const anpe_option *table, size_t size)
{
    if ((int)o->type < 0 || o->type > ANPE_T_ROWS)
        return "its type is unknown";
    if (!o->name || !*o->name || o->name[strspn(o->name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return "its name is not in a-z, 0-9, _";
    if (!strcmp(o->name, "plugin"))
        return "'plugin' is the core's own";
    if (!o->help || !*o->help)
        return "it has no help";
    if (!o->unit)
        return "its unit is NULL: \"\" where there is none";
    if (o->offset + types[o->type].size > size || o->offset % _Alignof(int))
        return "it lies outside its struct";
    for (const anpe_option *other = table; other != o; other++)
        if (!strcmp(other->name, o->name))
            return "its name is there twice";
    if (o->type == ANPE_T_ROWS)
        return o->rows && o->row_size ? NULL : "it has no table of rows";
    if (o->type == ANPE_T_REALS || o->type == ANPE_T_TEXTS)
        return list_fault(o);
    if (o->type == ANPE_T_TEXT || o->type == ANPE_T_FILE)
        return NULL;
    return number_fault(o);
}

anpe_status anpe_options_check(anpe_ctx *ctx, const char *owner, const anpe_option *table,
                               size_t size)
{
    if (!table)
        return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: no option table", owner);
    for (const anpe_option *o = table; o->type != ANPE_T_END; o++) {
        const char *why = o - table < 256 ? fault(o, table, size) : "the table does not end";
        if (why)
            return ANPE_FAIL(ctx, ANPE_EPLUGIN, "%s: option '%s': %s", owner,
                             o->name ? o->name : "", why);
        if (o->type == ANPE_T_ROWS) {
            const anpe_status status = anpe_options_check(ctx, owner, o->rows, o->row_size);
            if (status)
                return status;
        }
    }
    return ANPE_OK;
}
