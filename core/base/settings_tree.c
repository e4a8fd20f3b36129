/* The tree of values: making, finding, printing as libconfig text. */
#include "base/settings_tree.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *anpe_settings_keep(anpe_ctx *ctx, anpe_settings *s, size_t size)
{
    if (ANPE_GROW(ctx, s->block, s->block_capacity, s->n_blocks + 1))
        return NULL;
    void *p = anpe_alloc(ctx, size);
    if (p)
        s->block[s->n_blocks++] = p;
    return p;
}

const char *anpe_settings_print(anpe_ctx *ctx, anpe_settings *s, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    const int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *text = anpe_settings_keep(ctx, s, (size_t)n + 1);
    if (!text)
        return NULL;
    va_start(ap, format);
    vsnprintf(text, (size_t)n + 1, format, ap);
    va_end(ap);
    return text;
}

anpe_value *anpe_value_add(anpe_ctx *ctx, anpe_settings *s, anpe_value *parent, const char *name,
                           anpe_node_type type)
{
    anpe_value *v = anpe_settings_keep(ctx, s, sizeof *v);
    if (!v || (name && !(v->name = anpe_settings_print(ctx, s, "%s", name))))
        return NULL;
    v->type = type;
    if (!parent)
        return v;
    if (parent->n == parent->capacity) {
        const int capacity = 2 * parent->capacity + 8;
        anpe_value **child = anpe_settings_keep(ctx, s, (size_t)capacity * sizeof *child);
        if (!child)
            return NULL;
        if (parent->n)
            memcpy(child, parent->child, (size_t)parent->n * sizeof *child);
        parent->child = child;
        parent->capacity = capacity;
    }
    return parent->child[parent->n++] = v;
}

void anpe_value_leave(anpe_value *v)
{
    v->asked = 1;
    for (int i = 0; i < v->n; i++)
        anpe_value_leave(v->child[i]);
}

anpe_value *anpe_value_child(const anpe_value *group, const char *name)
{
    for (int i = 0; i < group->n; i++)
        if (group->child[i]->name && !strcmp(group->child[i]->name, name))
            return group->child[i];
    return NULL;
}

int anpe_path_step(const char **path, const char **step, int *index)
{
    const int n = (int)strcspn(*path, ".");
    char *end = NULL;
    *step = *path;
    *index = -1;
    if (**path == '[') {
        const long i = strtol(*path + 1, &end, 10);
        if (*end == ']' && end == *path + n - 1 && i >= 0 && i < 1000000)
            *index = (int)i;
    }
    *path += n;
    *path += **path == '.';
    return n;
}

static anpe_value *step_into(const anpe_value *v, const char *step, int length, int index)
{
    if (index >= 0 && v->type == ANPE_NODE_LIST)
        return index < v->n ? v->child[index] : NULL;
    for (int i = 0; i < v->n; i++) {
        const char *name = v->child[i]->name;
        if (name && !strncmp(name, step, (size_t)length) && !name[length])
            return v->child[i];
    }
    return NULL;
}

anpe_value *anpe_value_find(anpe_value *root, const char *path, anpe_value **nearest)
{
    anpe_value *v = root;
    while (v && *path) {
        if (nearest)
            *nearest = v;
        const char *step;
        int index;
        const int length = anpe_path_step(&path, &step, &index);
        if (index != 0 || v->type != ANPE_NODE_GROUP)
            v = step_into(v, step, length, index);
    }
    if (v && nearest)
        *nearest = v;
    return v;
}

/* The fewest digits that give the same double back, written so that it reads as a real. */
static void show_real(double x, char *buffer, size_t size)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buffer, size, "%.*g", digits, x);
        if (strtod(buffer, NULL) == x)
            break;
    }
    for (char *c = buffer; *c; c++)
        if (*c == ',')
            *c = '.';        /* libconfig reads the decimal point of the C locale */
    if (strchr(buffer, 'n')) /* inf: read back as such */
        snprintf(buffer, size, "%s1e999", x < 0 ? "-" : "");
    else if (!strpbrk(buffer, ".e"))
        snprintf(buffer + strlen(buffer), size - strlen(buffer), ".0");
}

const char *anpe_value_show(const anpe_value *v, char *buffer, size_t size)
{
    switch (v->type) {
    case ANPE_NODE_GROUP:
        return "a group { ... }";
    case ANPE_NODE_LIST:
        return "a list";
    case ANPE_NODE_BOOL:
        return v->integer ? "true" : "false";
    case ANPE_NODE_INT:
        snprintf(buffer, size, "%lld", (long long)v->integer);
        return buffer;
    case ANPE_NODE_REAL:
        show_real(v->real, buffer, size);
        return buffer;
    case ANPE_NODE_TEXT:
        snprintf(buffer, size, "the text '%s'", v->text);
        return buffer;
    case ANPE_NODE_UNSET:
        break;
    }
    return "nothing";
}

static void print_text(anpe_text *out, const char *text)
{
    anpe_text_add(out, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            anpe_text_add(out, "\\%c", *c);
        else if (*c == '\n')
            anpe_text_add(out, "\\n");
        else if ((unsigned char)*c < ' ')
            anpe_text_add(out, "\\x%02x", (unsigned)*c);
        else
            anpe_text_add(out, "%c", *c);
    }
    anpe_text_add(out, "\"");
}

static void print_scalar(anpe_text *out, const anpe_value *v)
{
    char buffer[64];
    if (v->type == ANPE_NODE_TEXT)
        print_text(out, v->text);
    else
        anpe_text_add(out, "%s%s", anpe_value_show(v, buffer, sizeof buffer),
                      v->type == ANPE_NODE_INT && v->integer != (int32_t)v->integer ? "L" : "");
}

static void print_value(anpe_text *out, const anpe_value *v, int indent, int origins);

static void print_children(anpe_text *out, const anpe_value *v, int indent, int origins)
{
    for (int i = 0; i < v->n; i++) {
        const anpe_value *c = v->child[i];
        if (c->type == ANPE_NODE_UNSET)
            continue;
        anpe_text_add(out, "%*s%s = ", indent, "", c->name);
        print_value(out, c, indent, origins);
        anpe_text_add(out, ";");
        const int nested =
            c->type == ANPE_NODE_GROUP || (c->n && c->child[0]->type == ANPE_NODE_GROUP);
        if (origins && !nested)
            anpe_text_add(out, " # %s",
                          !c->where                         ? "default"
                          : !strncmp(c->where, "--set ", 6) ? "command line"
                                                            : c->where);
        anpe_text_add(out, "\n");
    }
}

static void print_value(anpe_text *out, const anpe_value *v, int indent, int origins)
{
    if (v->type == ANPE_NODE_GROUP) {
        anpe_text_add(out, "{\n");
        print_children(out, v, indent + 4, origins);
        anpe_text_add(out, "%*s}", indent, "");
    } else if (v->type == ANPE_NODE_LIST) {
        anpe_text_add(out, "(");
        for (int i = 0; i < v->n; i++) {
            const int group = v->child[i]->type == ANPE_NODE_GROUP;
            anpe_text_add(out, group ? "\n%*s" : "%*s", group ? indent + 4 : 0, "");
            print_value(out, v->child[i], indent + 4, origins);
            anpe_text_add(out, i + 1 < v->n ? (group ? "," : ", ") : "");
        }
        anpe_text_add(out, ")");
    } else {
        print_scalar(out, v);
    }
}

char *anpe_settings_resolved(anpe_ctx *ctx, const anpe_settings *s, int origins)
{
    anpe_text out = {0};
    anpe_text_add(&out, "%s", "");
    print_children(&out, s->resolved, 0, origins);
    if (anpe_text_status(ctx, &out))
        anpe_text_free(&out);
    return out.text;
}
