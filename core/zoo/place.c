/* See place.h. */
#include <config.h>
#include "zoo/place.h"
#include "base/text.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char small[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

int anpe_zoo_is_name(const char *text)
{
    const size_t n = strlen(text);
    return n > 0 && n < ANPE_ZOO_NAME && strspn(text, small) == n;
}

int anpe_zoo_is_plain(const char *text)
{
    const size_t n = strlen(text);
    return n > 0 && n < ANPE_ZOO_NAME && strspn(text, plain) == n && !strchr("_.-", text[0]);
}

anpe_status anpe_zoo_user(anpe_ctx *ctx, char **directory)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    *directory = NULL;
    if ((!data || data[0] != '/') && (!home || home[0] != '/'))
        return ANPE_FAIL(ctx, ANPE_EIO,
                         "neither XDG_DATA_HOME nor HOME is set: where is the user's zoo to be?");
    const int n = data && data[0] == '/' ? asprintf(directory, "%s/anpe/zoo", data)
                                         : asprintf(directory, "%s/.local/share/anpe/zoo", home);
    return n < 0 ? ANPE_NO_MEMORY(ctx, "a path") : ANPE_OK;
}

/* ---- listing ----------------------------------------------------------------------------- */

typedef struct listing {
    int64_t n, capacity;
    anpe_zoo_model *model;
    int place;
} listing;

static anpe_status add_model(anpe_ctx *ctx, listing *l, const char *directory, const char *name,
                             const char *version)
{
    anpe_zoo_model m = {.place = l->place};
    if (asprintf(&m.directory, "%s/%s/%s", directory, name, version) < 0)
        return ANPE_NO_MEMORY(ctx, "a path");
    if (asprintf(&m.path, "%s/%s.h5", m.directory, name) < 0) {
        free(m.directory);
        return ANPE_NO_MEMORY(ctx, "a path");
    }
    anpe_status status = ANPE_OK;
    if (access(m.path, F_OK) == 0 && !(status = ANPE_GROW(ctx, l->model, l->capacity, l->n + 1))) {
        snprintf(m.name, sizeof m.name, "%.*s", ANPE_ZOO_NAME - 1, name);
        snprintf(m.version, sizeof m.version, "%.*s", ANPE_ZOO_NAME - 1, version);
        l->model[l->n++] = m;
        return ANPE_OK;
    }
    free(m.directory);
    free(m.path);
    return status;
}

static anpe_status add_versions(anpe_ctx *ctx, listing *l, const char *directory, const char *name)
{
    char *path;
    anpe_status status = ANPE_OK;
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        return ANPE_NO_MEMORY(ctx, "a path");
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && !status && (e = readdir(dir));)
        if (anpe_zoo_is_plain(e->d_name))
            status = add_model(ctx, l, directory, name, e->d_name);
    if (dir)
        closedir(dir);
    free(path);
    return status;
}

static anpe_status add_place(anpe_ctx *ctx, listing *l, const char *directory)
{
    anpe_status status = ANPE_OK;
    DIR *dir = opendir(directory);
    for (struct dirent *e; dir && !status && (e = readdir(dir));)
        if (anpe_zoo_is_name(e->d_name))
            status = add_versions(ctx, l, directory, e->d_name);
    if (dir)
        closedir(dir);
    l->place++;
    return status;
}

/* The directories of ANPE_ZOO, with ':' between them. */
static anpe_status add_named(anpe_ctx *ctx, listing *l)
{
    const char *from = getenv("ANPE_ZOO");
    anpe_status status = ANPE_OK;
    while (from && *from && !status) {
        const size_t length = strcspn(from, ":");
        char *directory = strndup(from, length);
        if (!directory)
            return ANPE_NO_MEMORY(ctx, "a path");
        if (length)
            status = add_place(ctx, l, directory);
        free(directory);
        from += length + (from[length] == ':');
    }
    return status;
}

static int compare(const void *a, const void *b)
{
    const anpe_zoo_model *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    const int names = strcmp(x->name, y->name);
    return names ? names : strverscmp(y->version, x->version);
}

anpe_status anpe_zoo_list(anpe_ctx *ctx, int64_t *n, anpe_zoo_model **list)
{
    listing l = {0};
    char *user = NULL;
    anpe_status status = add_named(ctx, &l);
    if (!status && !anpe_zoo_user(ctx, &user)) /* without a home there is none of the user's */
        status = add_place(ctx, &l, user);
    if (!status)
        status = add_place(ctx, &l, ANPE_DATADIR "/zoo");
    free(user);
    if (status) {
        anpe_zoo_list_free(l.n, l.model);
        l = (listing){0};
    } else if (l.n) {
        qsort(l.model, (size_t)l.n, sizeof *l.model, compare);
    }
    *n = l.n;
    *list = l.model;
    return status;
}

void anpe_zoo_list_free(int64_t n, anpe_zoo_model *list)
{
    for (int64_t i = 0; i < n; i++) {
        free(list[i].directory);
        free(list[i].path);
    }
    free(list);
}

/* ---- finding ----------------------------------------------------------------------------- */

const anpe_zoo_model *anpe_zoo_pick(int64_t n, const anpe_zoo_model *list, const char *text)
{
    const size_t length = strcspn(text, "@");
    const char *version = text[length] ? text + length + 1 : NULL;
    for (int64_t i = 0; i < n; i++)
        if (strlen(list[i].name) == length && !strncmp(list[i].name, text, length) &&
            (!version || !strcmp(list[i].version, version)))
            return &list[i];
    return NULL;
}

const char *anpe_zoo_hint(char *buffer, size_t size, const char *text, int64_t n,
                          const anpe_zoo_model *list)
{
    char name[ANPE_ZOO_NAME];
    const char **names = calloc((size_t)n + 1, sizeof *names);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "@"), text);
    buffer[0] = '\0';
    for (int64_t i = 0; names && i < n; i++)
        names[i] = list[i].name;
    const anpe_zoo_model *same = anpe_zoo_pick(n, list, name);
    if (same)
        snprintf(buffer, size, "; there is version %s", same->version);
    else if (names)
        anpe_text_hint(buffer, size, name, (int)n, names);
    free(names);
    return buffer;
}

/* NAME or NAME@VERSION, and no file of that name. */
static int stands_for_model(const char *text)
{
    char name[ANPE_ZOO_NAME];
    struct stat st;
    const size_t length = strcspn(text, "@");
    if (length >= sizeof name || (stat(text, &st) == 0 && !S_ISDIR(st.st_mode)))
        return 0;
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    return anpe_zoo_is_name(name) && (!text[length] || anpe_zoo_is_plain(text + length + 1));
}

anpe_status anpe_model_find(anpe_ctx *ctx, const char *name, char **path)
{
    int64_t n;
    anpe_zoo_model *list;
    char hint[160];
    *path = NULL;
    if (!stands_for_model(name)) {
        *path = anpe_strdup(ctx, name);
        return *path ? ANPE_OK : ANPE_ENOMEM;
    }
    anpe_status status = anpe_zoo_list(ctx, &n, &list);
    if (status)
        return status;
    const anpe_zoo_model *m = anpe_zoo_pick(n, list, name);
    if (m)
        status = (*path = anpe_strdup(ctx, m->path)) ? ANPE_OK : ANPE_ENOMEM;
    else
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "%s: neither a file nor a model of the zoo%s ('anpe zoo list' names "
                           "those that are here)",
                           name, anpe_zoo_hint(hint, sizeof hint, name, n, list));
    anpe_zoo_list_free(n, list);
    return status;
}
