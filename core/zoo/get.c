/* See get.h. */
#include <config.h>
#include "zoo/get.h"
#include "base/loader.h"
#include "file/seal.h"
#include "model/model.h"
#include "zoo/fetch.h"
#include "zoo/index.h"
#include "zoo/lines.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRY_MOST = 1 << 20 };

/* Where things lie while a model is fetched; malloc'ed. */
typedef struct places {
    char *user, *partial, *parent, *target, *old;
} places;

static void places_free(places *p)
{
    free(p->user);
    free(p->partial);
    free(p->parent);
    free(p->target);
    free(p->old);
}

static anpe_status places_new(anpe_ctx *ctx, const anpe_zoo_entry *e, places *p)
{
    anpe_status status = anpe_zoo_user(ctx, &p->user);
    if (status)
        return status;
    if (asprintf(&p->partial, "%s/.partial/%s-%s", p->user, e->name, e->version) < 0 ||
        asprintf(&p->parent, "%s/%s", p->user, e->name) < 0 ||
        asprintf(&p->target, "%s/%s", p->parent, e->version) < 0 ||
        asprintf(&p->old, "%s/.partial/.old-%s-%s", p->user, e->name, e->version) < 0)
        return ANPE_NO_MEMORY(ctx, "a path");
    ANPE_TRY(anpe_zoo_directory(ctx, p->partial));
    ANPE_TRY(anpe_zoo_directory(ctx, p->parent));
out:
    return status;
}

/* ---- may it be used here? ---------------------------------------------------------------- */

static anpe_status check_plugin(anpe_ctx *ctx, const anpe_zoo_entry *e, const char *text)
{
    char kind[32] = "", name[64] = "";
    const anpe_plugin *plugin;
    if (!text || sscanf(text, "%31[a-z]/%63[a-z0-9_]", kind, name) != 2)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s %s: its entry names a plugin that is none", e->name,
                         e->version);
    if (anpe_kind_of(kind) && !anpe_loader_get(ctx, anpe_kind_of(kind), name, &plugin))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                     "%s %s: is made with the plugin %s/%s, which is not here ('anpe plugins' says "
                     "which are)",
                     e->name, e->version, kind, name);
}

static anpe_status check_usable(anpe_ctx *ctx, const anpe_zoo_entry *e)
{
    const json_t *plugins = json_object_get(e->json, "plugins"), *plugin;
    size_t i;
    anpe_status status = ANPE_OK;
    if (e->format > ANPE_MODEL_FORMAT)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED,
                         "%s %s: is of model format %lld, this is anpe %s which reads up to %d",
                         e->name, e->version, (long long)e->format, PACKAGE_VERSION,
                         ANPE_MODEL_FORMAT);
    json_array_foreach(plugins, i, plugin)
    {
        if (!status)
            status = check_plugin(ctx, e, json_string_value(plugin));
    }
    return status;
}

/* ---- fetching ---------------------------------------------------------------------------- */

/* One file, as it was signed. What an earlier attempt left may be of another file: once more, then,
 * from its beginning. */
static anpe_status fetch_file(anpe_ctx *ctx, const char *registry, const anpe_zoo_entry *e,
                              const anpe_zoo_file *file, const char *directory)
{
    char *path = NULL, *from = NULL, what[2 * ANPE_ZOO_NAME + 2];
    struct stat st;
    anpe_status status = ANPE_OK;
    snprintf(what, sizeof what, "%s %s", e->name, e->version);
    if (asprintf(&path, "%s/%s", directory, file->name) < 0)
        path = NULL;
    if (!path || asprintf(&from, "%s/%s/%s", e->name, e->version, file->name) < 0) {
        free(path);
        return ANPE_NO_MEMORY(ctx, "a path");
    }
    for (int again = stat(path, &st) == 0 && st.st_size > 0; again >= 0; again--) {
        status = anpe_fetch_file(ctx, registry, from, path, file->size, what);
        if (status)
            break;
        status = anpe_zoo_file_check(ctx, path, file);
        if (!status)
            break;
        unlink(path);
    }
    free(path);
    free(from);
    return status;
}

static anpe_status write_entry(anpe_ctx *ctx, const char *directory, const json_t *json)
{
    char *path = NULL, *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (!text || asprintf(&path, "%s/entry.json", directory) < 0) {
        free(text);
        return ANPE_NO_MEMORY(ctx, "an entry");
    }
    const anpe_status status = anpe_zoo_text_write(ctx, path, text, strlen(text));
    free(path);
    free(text);
    return status;
}

/* ---- taking its name --------------------------------------------------------------------- */

static void remove_old(const places *p, const anpe_zoo_entry *e)
{
    char *path;
    for (int i = 0; i <= e->n_files; i++)
        if (asprintf(&path, "%s/%s", p->old, i < e->n_files ? e->file[i].name : "entry.json") >=
            0) {
            unlink(path);
            free(path);
        }
    rmdir(p->old);
}

static void sync_directory(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

/* What stood there was altered, or it would be in use. */
static anpe_status take_name(anpe_ctx *ctx, const places *p, const anpe_zoo_entry *e)
{
    char why[128];
    sync_directory(p->partial);
    remove_old(p, e);
    if (rename(p->target, p->old) && errno != ENOENT)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot be moved away: %s", p->target,
                         anpe_errno_text(errno, why, sizeof why));
    if (rename(p->partial, p->target))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot be put in place: %s", p->target,
                         anpe_errno_text(errno, why, sizeof why));
    remove_old(p, e);
    sync_directory(p->parent);
    return ANPE_OK;
}

static int is_here(anpe_ctx *ctx, const char *directory, const anpe_zoo_entry *e)
{
    char *path;
    if (asprintf(&path, "%s/entry.json", directory) < 0)
        return 0;
    const int here = access(path, F_OK) == 0 && !anpe_zoo_entry_files(ctx, directory, e);
    free(path);
    return here;
}

static anpe_status fetch_all(anpe_ctx *ctx, const char *registry, const anpe_zoo_entry *e,
                             const places *p)
{
    anpe_status status = ANPE_OK;
    for (int i = 0; i < e->n_files; i++)
        ANPE_TRY(fetch_file(ctx, registry, e, &e->file[i], p->partial));
    ANPE_TRY(write_entry(ctx, p->partial, e->json));
    status = take_name(ctx, p, e);
out:
    return status;
}

anpe_status anpe_zoo_get(anpe_ctx *ctx, const char *registry, const char *text, anpe_zoo_got *out)
{
    anpe_zoo_index index = {0};
    anpe_zoo_entry e;
    places p = {0};
    int lock = -1;
    anpe_status status;
    *out = (anpe_zoo_got){0};
    ANPE_TRY(anpe_zoo_index_open(ctx, registry, &index));
    ANPE_TRY(anpe_zoo_index_find(ctx, &index, text, &e));
    ANPE_TRY(anpe_zoo_entry_check(ctx, index.registry, &e));
    ANPE_TRY(check_usable(ctx, &e));
    ANPE_TRY(places_new(ctx, &e, &p));
    ANPE_TRY(anpe_zoo_lock(ctx, p.user, &lock));
    ANPE_TRY(anpe_zoo_directory(ctx, p.partial)); /* who had the lock may have taken it */
    out->was_here = is_here(ctx, p.target, &e);
    if (!out->was_here)
        ANPE_TRY(fetch_all(ctx, index.registry, &e, &p));
    for (int i = 0; i < e.n_files; i++)
        out->bytes += e.file[i].size;
    memcpy(out->name, e.name, sizeof out->name);
    memcpy(out->version, e.version, sizeof out->version);
    if (asprintf(&out->path, "%s/%s", p.target, e.file[0].name) < 0) {
        out->path = NULL;
        status = ANPE_NO_MEMORY(ctx, "a path");
    }
out:
    if (out->was_here)
        rmdir(p.partial);
    if (lock >= 0)
        close(lock);
    places_free(&p);
    anpe_zoo_index_close(&index);
    return status;
}

/* ---- verifying --------------------------------------------------------------------------- */

anpe_status anpe_zoo_entry_beside(anpe_ctx *ctx, const char *directory, json_t **json)
{
    char *path, *text = NULL;
    size_t n;
    json_error_t error;
    *json = NULL;
    if (asprintf(&path, "%s/entry.json", directory) < 0)
        return ANPE_NO_MEMORY(ctx, "a path");
    anpe_status status = anpe_zoo_text_read(ctx, path, ENTRY_MOST, &text, &n);
    if (!status && n && !(*json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error)))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: line %d: %s", path, error.line, error.text);
    free(text);
    free(path);
    return status;
}

static anpe_status check_seal(anpe_ctx *ctx, const char *path)
{
    int sealed;
    const anpe_status status = anpe_seal_check(ctx, path, &sealed);
    if (status || sealed)
        return status;
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: has neither an entry that is signed nor a seal", path);
}

anpe_status anpe_zoo_verify(anpe_ctx *ctx, const anpe_zoo_model *model, char **signed_by)
{
    json_t *json = NULL;
    anpe_zoo_entry e;
    *signed_by = NULL;
    anpe_status status = anpe_zoo_entry_beside(ctx, model->directory, &json);
    if (status)
        return status;
    if (!json)
        return check_seal(ctx, model->path);
    ANPE_TRY(anpe_zoo_entry_read(ctx, model->directory, json, &e));
    if (strcmp(e.name, model->name) || strcmp(e.version, model->version)) {
        status =
            ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: holds %s %s", model->directory, e.name, e.version);
        goto out;
    }
    ANPE_TRY(anpe_zoo_entry_check(ctx, model->directory, &e));
    ANPE_TRY(anpe_zoo_entry_files(ctx, model->directory, &e));
    status = anpe_zoo_trusted(ctx, e.key, signed_by);
out:
    json_decref(json);
    return status;
}
