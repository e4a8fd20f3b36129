/* See entry.h. */
#include <config.h>
#include "zoo/entry.h"
#include "base/digest.h"
#include "base/text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- reading ----------------------------------------------------------------------------- */

static int copy_text(const json_t *json, const char *name, char *to, size_t size)
{
    const char *text = json_string_value(json_object_get(json, name));
    if (!text || strlen(text) >= size)
        return 0;
    memcpy(to, text, strlen(text) + 1);
    return 1;
}

static int is_hex(const char *text, size_t n)
{
    return strlen(text) == n && strspn(text, "0123456789abcdef") == n;
}

static int read_file(const json_t *json, anpe_zoo_file *f)
{
    const json_t *size = json_object_get(json, "size");
    f->size = json_integer_value(size);
    return copy_text(json, "file", f->name, sizeof f->name) && anpe_zoo_is_plain(f->name) &&
           copy_text(json, "sha256", f->sha256, sizeof f->sha256) && is_hex(f->sha256, 64) &&
           json_is_integer(size) && f->size > 0 && f->size < INT64_C(1) << 40;
}

/* The model is NAME.h5; no two files have one name, and none the name of what anpe writes. */
static int are_files(const anpe_zoo_entry *e)
{
    char model[ANPE_ZOO_NAME + 4];
    snprintf(model, sizeof model, "%s.h5", e->name);
    for (int i = 0; i < e->n_files; i++)
        for (int k = 0; k < i; k++)
            if (!strcmp(e->file[i].name, e->file[k].name))
                return 0;
    for (int i = 0; i < e->n_files; i++)
        if (!strcmp(e->file[i].name, "entry.json"))
            return 0;
    return e->n_files > 0 && !strcmp(e->file[0].name, model);
}

anpe_status anpe_zoo_entry_read(anpe_ctx *ctx, const char *where, const json_t *json,
                                anpe_zoo_entry *e)
{
    *e = (anpe_zoo_entry){.json = json};
    const json_t *files = json_object_get(json, "files");
    int good = copy_text(json, "name", e->name, sizeof e->name) && anpe_zoo_is_name(e->name) &&
               copy_text(json, "version", e->version, sizeof e->version) &&
               anpe_zoo_is_plain(e->version) && copy_text(json, "key", e->key, sizeof e->key) &&
               anpe_zoo_is_key(e->key) &&
               copy_text(json, "signature", e->signature, sizeof e->signature) &&
               json_is_array(files) && json_array_size(files) <= ANPE_ZOO_FILES;
    e->format = json_integer_value(json_object_get(json, "format"));
    for (; good && e->n_files < (int)json_array_size(files); e->n_files++)
        good = read_file(json_array_get(files, (size_t)e->n_files), &e->file[e->n_files]);
    if (good && are_files(e))
        return ANPE_OK;
    return ANPE_FAIL(ctx, ANPE_EFORMAT,
                     "%s: the entry of '%.64s' is none: name, version, key, signature and files "
                     "with size and sha256 are expected",
                     where, e->name);
}

/* ---- signing ----------------------------------------------------------------------------- */

static void message(const anpe_zoo_entry *e, anpe_text *text)
{
    anpe_text_add(text, "anpe zoo model 1\n%s %s\n", e->name, e->version);
    for (int i = 0; i < e->n_files; i++)
        anpe_text_add(text, "%s %lld %s\n", e->file[i].name, (long long)e->file[i].size,
                      e->file[i].sha256);
}

json_t *anpe_zoo_entry_json(const anpe_zoo_entry *e, const anpe_zoo_key *key)
{
    char signature[ANPE_SIGNATURE_HEX];
    anpe_text text = {0};
    json_t *files = json_array();
    message(e, &text);
    if (text.failed) {
        json_decref(files);
        return NULL;
    }
    anpe_zoo_sign(key, text.text, text.length, signature);
    anpe_text_free(&text);
    for (int i = 0; i < e->n_files; i++)
        json_array_append_new(files,
                              json_pack("{s:s,s:I,s:s}", "file", e->file[i].name, "size",
                                        (json_int_t)e->file[i].size, "sha256", e->file[i].sha256));
    return json_pack("{s:s,s:s,s:I,s:o,s:s,s:s}", "name", e->name, "version", e->version, "format",
                     (json_int_t)e->format, "files", files, "key", key->pub, "signature",
                     signature);
}

anpe_status anpe_zoo_entry_check(anpe_ctx *ctx, const char *where, const anpe_zoo_entry *e)
{
    anpe_text text = {0};
    char *trusted;
    anpe_status status = anpe_zoo_trusted(ctx, e->key, &trusted);
    if (status)
        return status;
    message(e, &text);
    status = anpe_text_status(ctx, &text);
    if (!status && !trusted)
        status = ANPE_FAIL(ctx, ANPE_EINVAL,
                           "%s: %s %s is signed with a key that you do not trust: %s ('anpe zoo "
                           "trust' adds it, if you have it from its owner)",
                           where, e->name, e->version, e->key);
    else if (!status && !anpe_zoo_is_signed(e->key, text.text, text.length, e->signature))
        status = ANPE_FAIL(ctx, ANPE_EFORMAT,
                           "%s: the signature of %s %s is not that of its key: altered, refused",
                           where, e->name, e->version);
    anpe_text_free(&text);
    free(trusted);
    return status;
}

/* ---- files ------------------------------------------------------------------------------- */

anpe_status anpe_zoo_file_check(anpe_ctx *ctx, const char *path, const anpe_zoo_file *file)
{
    char hex[65], why[128];
    struct stat st;
    if (stat(path, &st))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", path, anpe_errno_text(errno, why, sizeof why));
    if (st.st_size != file->size)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: has %lld bytes, and %lld are signed", path,
                         (long long)st.st_size, (long long)file->size);
    const anpe_status status = anpe_digest_file(ctx, path, hex);
    if (!status && strcmp(hex, file->sha256) != 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: is not what was signed: SHA-256 %s, it should be %s", path, hex,
                         file->sha256);
    return status;
}

anpe_status anpe_zoo_entry_files(anpe_ctx *ctx, const char *directory, const anpe_zoo_entry *e)
{
    anpe_status status = ANPE_OK;
    for (int i = 0; i < e->n_files && !status; i++) {
        char *path;
        if (asprintf(&path, "%s/%s", directory, e->file[i].name) < 0)
            return ANPE_NO_MEMORY(ctx, "a path");
        status = anpe_zoo_file_check(ctx, path, &e->file[i]);
        free(path);
    }
    return status;
}
