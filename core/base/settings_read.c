/* The user's libconfig text and --set overrides into a tree of values. */
#include <config.h>
#include "base/settings_tree.h"
#include "base/text.h"
#include <ctype.h>
#include <errno.h>
#include <libconfig.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_INCLUDE = 10 };

/* Where values come from: a file, the text of a model, or one --set. */
typedef struct source {
    anpe_ctx *ctx;
    anpe_settings *s;
    const char *top;                     /* the first file; NULL: no file */
    const char *file, *name, *directory; /* of the value before: most share them */
    const char *set;                     /* "--set PATH", NULL in files */
} source;

/* ---- what libconfig 1.5 would not report ------------------------------------------------- */

static const char *skip_string(const char *p, int *line)
{
    for (p++; *p && *p != '"'; p++) {
        *line += *p == '\n';
        p += *p == '\\' && p[1];
    }
    return *p ? p + 1 : p;
}

static const char *skip_comment(const char *p, int *line)
{
    if (*p == '#' || p[1] == '/')
        return p + strcspn(p, "\n");
    const char *end = strstr(p + 2, "*/");
    end = end ? end + 2 : p + strlen(p);
    for (; p < end; p++)
        *line += *p == '\n';
    return end;
}

static int is_wide(const char *token)
{
    char *end;
    errno = 0;
    const long long x = strtoll(token, &end, strncasecmp(token, "0x", 2) ? 10 : 16);
    return !*end && (errno || x > INT32_MAX || x < INT32_MIN);
}

static const char *skip_number(const char *p, char *token, size_t size)
{
    const char *start = p++;
    while (isalnum((unsigned char)*p) || *p == '.' ||
           ((*p == '+' || *p == '-') && tolower((unsigned char)p[-1]) == 'e'))
        p++;
    snprintf(token, size, "%.*s", (int)(p - start), start);
    return p;
}

static anpe_status check_file(anpe_ctx *ctx, const char *top, const char *path, int depth);

/* libconfig takes every @include from the directory of the first file. */
static int directory_length(const char *top)
{
    return (int)(anpe_text_basename(top) - top);
}

static anpe_status check_include(anpe_ctx *ctx, const char *top, const char *p, const char *origin,
                                 int line, int depth)
{
    char path[PATH_MAX];
    const char *name = p + strcspn(p, "\"\n");
    if (!top)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s:%d: @include is for files only", origin, line);
    if (*name++ != '"')
        return ANPE_OK; /* the parser complains */
    if (strcspn(name, "\\") < strcspn(name, "\"\n"))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s:%d: @include of a name with a backslash", origin,
                         line);
    snprintf(path, sizeof path, "%.*s%.*s", directory_length(top), top, (int)strcspn(name, "\"\n"),
             name);
    const anpe_status status = check_file(ctx, top, path, depth + 1);
    if (status == ANPE_EIO)
        return anpe_fail_prefix(ctx, status, "%s:%d: @include", origin, line);
    return status;
}

/* libconfig reads 5000000000 as 705032704 unless it ends in L. */
static anpe_status check_text(anpe_ctx *ctx, const char *top, const char *text, const char *origin,
                              int depth)
{
    int line = 1;
    char token[64];
    for (const char *p = text; *p;) {
        if (*p == '"') {
            p = skip_string(p, &line);
        } else if (*p == '#' || (*p == '/' && (p[1] == '/' || p[1] == '*'))) {
            p = skip_comment(p, &line);
        } else if (isdigit((unsigned char)*p) ||
                   ((*p == '+' || *p == '-') && isdigit((unsigned char)p[1]))) {
            p = skip_number(p, token, sizeof token);
            if (is_wide(token))
                return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s:%d: %s needs more than 32 bits: write %sL",
                                 origin, line, token, token);
        } else if (isalpha((unsigned char)*p) || *p == '_' || *p == '*') {
            p += strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_*-");
        } else if (!strncmp(p, "@include", 8)) {
            const anpe_status status = check_include(ctx, top, p, origin, line, depth);
            if (status)
                return status;
            p += strcspn(p, "\n");
        } else {
            line += *p++ == '\n';
        }
    }
    return ANPE_OK;
}

static anpe_status check_file(anpe_ctx *ctx, const char *top, const char *path, int depth)
{
    char why[128];
    struct stat st;
    FILE *f = stat(path, &st) ? NULL : fopen(path, "r");
    if (!f)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", path, anpe_errno_text(errno, why, sizeof why));
    if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) { /* flex would exit the program */
        fclose(f);
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: not a regular file", path);
    }
    anpe_status status = ANPE_OK;
    if (depth > MAX_INCLUDE)
        status = ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: @include goes deeper than %d files", path,
                           MAX_INCLUDE);
    else if (S_ISREG(st.st_mode)) {
        char *text = anpe_alloc(ctx, (size_t)st.st_size + 1);
        const size_t n = text ? fread(text, 1, (size_t)st.st_size, f) : 0;
        if (!text)
            status = ANPE_ENOMEM;
        else if (n != (size_t)st.st_size)
            status = ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot be read", path);
        else if (memchr(text, 0, n))
            status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a text file", path);
        else
            status = check_text(ctx, top, text, path, depth);
        anpe_free(text);
    }
    fclose(f);
    return status;
}

/* libconfig ends with the program's locale, whatever the thread's was. */
static int parse(config_t *config, const char *path, const char *text)
{
    const locale_t before = uselocale((locale_t)0);
    const int good = path ? config_read_file(config, path) : config_read_string(config, text);
    uselocale(before);
    return good;
}

/* ---- conversion -------------------------------------------------------------------------- */

static const char *directory_of(source *in, const char *file)
{
    char absolute[PATH_MAX];
    const char *slash = file ? strrchr(file, '/') : NULL;
    char *name = slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
    const char *found = name ? realpath(name, absolute) : NULL;
    free(name);
    return anpe_settings_print(in->ctx, in->s, "%s", found ? absolute : ".");
}

/* libconfig names an included file as the directive does. */
static const char *full_name(source *in, const char *file)
{
    if (!file || !in->top || !strcmp(file, in->top))
        return in->s->origin;
    return anpe_settings_print(in->ctx, in->s, "%.*s%s", directory_length(in->top), in->top, file);
}

static int place(source *in, anpe_value *v, const config_setting_t *setting)
{
    const char *file = setting ? config_setting_source_file(setting) : NULL;
    if (!in->directory || (file && (!in->file || strcmp(file, in->file)))) {
        in->file = file;
        in->name = full_name(in, file);
        in->directory = in->name ? directory_of(in, file ? in->name : NULL) : NULL;
    }
    v->directory = in->directory;
    if (in->set)
        v->where = in->set;
    else
        v->where = anpe_settings_print(in->ctx, in->s, "%s:%u", in->name,
                                       setting ? config_setting_source_line(setting) : 0);
    return v->directory && v->where;
}

/* Fills v from setting, children included. */
static int convert(source *in, anpe_value *v, const config_setting_t *setting)
{
    if (!place(in, v, setting))
        return 0;
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_BOOL:
        v->type = ANPE_NODE_BOOL;
        v->integer = config_setting_get_bool(setting);
        return 1;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        v->type = ANPE_NODE_INT;
        v->integer = config_setting_get_int64(setting);
        return 1;
    case CONFIG_TYPE_FLOAT:
        v->type = ANPE_NODE_REAL;
        v->real = config_setting_get_float(setting);
        return 1;
    case CONFIG_TYPE_STRING:
        v->type = ANPE_NODE_TEXT;
        v->text = anpe_settings_print(in->ctx, in->s, "%s", config_setting_get_string(setting));
        return v->text != NULL;
    default:
        break;
    }
    v->type = config_setting_is_group(setting) ? ANPE_NODE_GROUP : ANPE_NODE_LIST;
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *c = config_setting_get_elem(setting, (unsigned)i);
        anpe_value *child = anpe_value_add(in->ctx, in->s, v, config_setting_name(c), v->type);
        if (!child || !convert(in, child, c))
            return 0;
    }
    return 1;
}

anpe_status anpe_settings_load(anpe_ctx *ctx, anpe_settings *s, const char *path, const char *text)
{
    source in = {.ctx = ctx, .s = s, .top = path};
    anpe_status status =
        path ? check_file(ctx, path, path, 0) : check_text(ctx, NULL, text, s->origin, 0);
    if (status)
        return status;
    config_t config;
    config_init(&config);
    const char *directory = directory_of(&in, path);
    if (directory)
        config_set_include_dir(&config, directory);
    if (!parse(&config, path, text)) {
        const char *file = config_error_file(&config);
        status = ANPE_FAIL(ctx, ANPE_ECONFIG, "%s:%d: %s", full_name(&in, file),
                           config_error_line(&config), config_error_text(&config));
    } else if (!(s->given = anpe_value_add(ctx, s, NULL, NULL, ANPE_NODE_GROUP)) ||
               !convert(&in, s->given, config_root_setting(&config))) {
        status = ANPE_ENOMEM;
    } else {
        s->given->where = s->origin;
    }
    config_destroy(&config);
    return status;
}

/* ---- set PATH=VALUE ---------------------------------------------------------------------- */

/* A plain number, or what libconfig reads, or else text. */
static anpe_status read_value(source *in, anpe_value *v, const char *text)
{
    char *end;
    if (!place(in, v, NULL))
        return ANPE_ENOMEM;
    errno = 0;
    v->integer = strtoll(text, &end, 10);
    v->type = ANPE_NODE_INT;
    if (*text && !*end && !errno)
        return ANPE_OK;
    v->real = strtod(text, &end);
    v->type = ANPE_NODE_REAL;
    if (strchr("+-.0123456789", *text) && *text && !*end && v->real == v->real)
        return ANPE_OK;
    v->type = ANPE_NODE_TEXT;
    v->text = anpe_settings_print(in->ctx, in->s, "%s", text);
    const char *whole = anpe_settings_print(in->ctx, in->s, "value = %s;", text);
    if (!v->text || !whole)
        return ANPE_ENOMEM;
    anpe_status status = check_text(in->ctx, NULL, whole, in->set, 0);
    config_t config;
    config_init(&config);
    const int read = !status && parse(&config, NULL, whole);
    const config_setting_t *root = config_root_setting(&config);
    if (read && config_setting_length(root) == 1)
        status = convert(in, v, config_setting_get_elem(root, 0)) ? ANPE_OK : ANPE_ENOMEM;
    else if (!status && strpbrk(text, "\"(){}[];"))
        status = ANPE_FAIL(in->ctx, ANPE_ECONFIG, "%s: '%s' is not a value: %s", in->set, text,
                           read ? "more than one" : config_error_text(&config));
    config_destroy(&config);
    return status;
}

/* The value that the next step of the path names, made when it is not there. */
static anpe_status descend(source *in, anpe_value **v, const char **path)
{
    const char *step;
    int index;
    anpe_value *parent = *v;
    const int length = anpe_path_step(path, &step, &index);
    if (parent->type == ANPE_NODE_GROUP && index == 0)
        return ANPE_OK; /* a group is its own only element */
    if (parent->type == ANPE_NODE_LIST && index >= 0 && index <= parent->n) {
        *v = index < parent->n ? parent->child[index]
                               : anpe_value_add(in->ctx, in->s, parent, NULL, ANPE_NODE_GROUP);
        return *v ? ANPE_OK : ANPE_ENOMEM;
    }
    if (parent->type == ANPE_NODE_LIST && index >= 0)
        return ANPE_FAIL(in->ctx, ANPE_ECONFIG, "%s: no element [%d], the list has %d", in->set,
                         index, parent->n);
    if (parent->type != ANPE_NODE_GROUP || index >= 0) {
        char buffer[128];
        return ANPE_FAIL(in->ctx, ANPE_ECONFIG, "%s: cannot set '%.*s' in %s", in->set, length,
                         step, anpe_value_show(parent, buffer, sizeof buffer));
    }
    const char *name = anpe_settings_print(in->ctx, in->s, "%.*s", length, step);
    if (!name)
        return ANPE_ENOMEM;
    if (!(*v = anpe_value_child(parent, name)))
        *v = anpe_value_add(in->ctx, in->s, parent, name, ANPE_NODE_GROUP);
    if (!*v || (!(*v)->where && !place(in, *v, NULL)))
        return ANPE_ENOMEM;
    return ANPE_OK;
}

anpe_status anpe_settings_override(anpe_ctx *ctx, anpe_settings *s, const char *set)
{
    const char *equals = strchr(set, '=');
    if (!equals || equals == set)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "--set %s: expected PATH=VALUE", set);
    const char *path = anpe_settings_print(ctx, s, "%.*s", (int)(equals - set), set);
    const char *name = anpe_settings_print(ctx, s, "--set %.*s", (int)(equals - set), set);
    if (!path || !name)
        return ANPE_ENOMEM;
    source in = {.ctx = ctx, .s = s, .set = name};
    if (path[strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.[]")] ||
        strstr(path, "..") || path[0] == '.' || path[strlen(path) - 1] == '.')
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "%s: a path is names and [indices] joined by dots",
                         in.set);
    anpe_value *v = s->given;
    while (*path) {
        const anpe_status status = descend(&in, &v, &path);
        if (status)
            return status;
    }
    anpe_value replaced = {.name = v->name};
    const anpe_status status = read_value(&in, &replaced, equals + 1);
    if (!status)
        *v = replaced;
    return status;
}
