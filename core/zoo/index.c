/* See index.h. */
#include <config.h>
#include "zoo/index.h"
#include "base/digest.h"
#include "base/text.h"
#include "zoo/fetch.h"
#include "zoo/lines.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char file_name[] = "index.json", format_name[] = "anpe zoo 1";
static const char title[] = "anpe zoo index 1\n";
static const char before_signature[] = ",\n  \"signature\": \"", after_signature[] = "\"\n}\n";
enum { MOST = 1 << 24, STATE_MOST = 1 << 20 };

/* ---- the file ---------------------------------------------------------------------------- */

static anpe_status signed_text(anpe_ctx *ctx, const char *body, size_t n, anpe_text *text)
{
    anpe_text_add(text, "%s%.*s", title, (int)n, body);
    return anpe_text_status(ctx, text);
}

/* Where the signed part of the text ends; -1: it has no signature at its end. */
static ssize_t split(const char *text, size_t n, char signature[ANPE_SIGNATURE_HEX])
{
    const size_t head = sizeof before_signature - 1, tail = sizeof after_signature - 1;
    const size_t end = head + ANPE_SIGNATURE_HEX - 1 + tail;
    if (n < end || n > MOST || strlen(text) != n)
        return -1;
    const char *at = text + n - end;
    if (memcmp(at, before_signature, head) || memcmp(text + n - tail, after_signature, tail))
        return -1;
    memcpy(signature, at + head, ANPE_SIGNATURE_HEX - 1);
    signature[ANPE_SIGNATURE_HEX - 1] = '\0';
    return at - text;
}

static anpe_status bad(anpe_ctx *ctx, const anpe_zoo_index *index, const char *what)
{
    return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s/%s: %s", index->registry, file_name, what);
}

static anpe_status check_members(anpe_ctx *ctx, anpe_zoo_index *index)
{
    const char *format = json_string_value(json_object_get(index->json, "format"));
    const char *key = json_string_value(json_object_get(index->json, "key"));
    const json_t *serial = json_object_get(index->json, "serial");
    if (!format || strncmp(format, "anpe zoo ", 9) != 0)
        return bad(ctx, index, "is no index of a zoo");
    if (strcmp(format, format_name) != 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s/%s: is of format '%.40s', this is anpe %s which "
                         "reads '%s'",
                         index->registry, file_name, format, PACKAGE_VERSION, format_name);
    if (!key || !anpe_zoo_is_key(key) || !json_is_integer(serial) ||
        json_integer_value(serial) < 1 || !json_is_array(json_object_get(index->json, "models")))
        return bad(ctx, index, "lacks its key, its serial or its models");
    memcpy(index->key, key, sizeof index->key);
    index->serial = json_integer_value(serial);
    return ANPE_OK;
}

/* Parsed, and signed with the key that it names. */
static anpe_status parse(anpe_ctx *ctx, anpe_zoo_index *index, const char *text, size_t n)
{
    char signature[ANPE_SIGNATURE_HEX];
    json_error_t error;
    anpe_text body = {0};
    const ssize_t length = split(text, n, signature);
    if (length < 0)
        return bad(ctx, index, "is unsigned: it does not end with a signature");
    index->json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!index->json)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s/%s: line %d: %s", index->registry, file_name,
                         error.line, error.text);
    anpe_status status = check_members(ctx, index);
    if (!status)
        status = signed_text(ctx, text, (size_t)length, &body);
    if (!status && !anpe_zoo_is_signed(index->key, body.text, body.length, signature))
        status = bad(ctx, index, "its signature is not that of its content: altered, refused");
    anpe_text_free(&body);
    return status;
}

void anpe_zoo_index_close(anpe_zoo_index *index)
{
    json_decref(index->json);
    free(index->registry);
    *index = (anpe_zoo_index){0};
}

/* ---- what was seen ----------------------------------------------------------------------- */

/* USER_ZOO/registries has a line for each: SERIAL SHA256 REGISTRY. */
static const char *line_of(const char *lines, const char *registry, long long *serial, char hex[65])
{
    for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        int name = 0;
        if (sscanf(at, "%lld %64s %n", serial, hex, &name) == 2 && name &&
            strcspn(at + name, "\n") == strlen(registry) &&
            !strncmp(at + name, registry, strlen(registry)))
            return at;
    }
    return NULL;
}

static anpe_status compare(anpe_ctx *ctx, const anpe_zoo_index *index, long long serial,
                           const char *then, const char *now)
{
    if (index->serial < serial)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s/%s: is number %lld, and number %lld was here before: an old index in "
                         "place of a newer one, refused",
                         index->registry, file_name, (long long)index->serial, serial);
    if (index->serial == serial && strcmp(then, now) != 0)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "%s/%s: is number %lld, but not the number %lld that was here before: "
                         "refused",
                         index->registry, file_name, (long long)index->serial, serial);
    return ANPE_OK;
}

/* Refuses what is older than what was seen, and takes note of what is newer. */
static anpe_status note(anpe_ctx *ctx, const anpe_zoo_index *index, const char *text, size_t n)
{
    char *user = NULL, *path = NULL, *lines = NULL, now[65], then[65];
    long long serial = 0;
    size_t length;
    int lock = -1;
    anpe_text new = {0};
    anpe_status status;
    anpe_digest_memory(text, n, now);
    ANPE_TRY(anpe_zoo_user(ctx, &user));
    ANPE_TRY(anpe_zoo_directory(ctx, user));
    if (asprintf(&path, "%s/registries", user) < 0) {
        path = NULL;
        status = ANPE_NO_MEMORY(ctx, "a path");
        goto out;
    }
    ANPE_TRY(anpe_zoo_lock(ctx, user, &lock));
    ANPE_TRY(anpe_zoo_text_read(ctx, path, STATE_MOST, &lines, &length));
    const char *line = line_of(lines, index->registry, &serial, then);
    if (line)
        ANPE_TRY(compare(ctx, index, serial, then, now));
    if (line && index->serial == serial)
        goto out;
    const char *after = line ? line + strcspn(line, "\n") : lines + length;
    anpe_text_add(&new, "%.*s%s%lld %s %s\n", (int)((line ? line : after) - lines), lines,
                  after + (*after == '\n'), (long long)index->serial, now, index->registry);
    ANPE_TRY(anpe_text_status(ctx, &new));
    status = anpe_zoo_text_write(ctx, path, new.text, new.length);
out:
    if (lock >= 0)
        close(lock);
    anpe_text_free(&new);
    free(lines);
    free(path);
    free(user);
    return status;
}

/* ---- opening ----------------------------------------------------------------------------- */

static anpe_status name_registry(anpe_ctx *ctx, const char *registry, char **out)
{
    *out = strstr(registry, "://") ? NULL : realpath(registry, NULL);
    if (!*out)
        *out = strdup(registry);
    if (!*out)
        return ANPE_NO_MEMORY(ctx, "a path");
    for (size_t n = strlen(*out); n > 1 && (*out)[n - 1] == '/'; n--)
        (*out)[n - 1] = '\0';
    if (strpbrk(*out, "\r\n"))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "a registry's name is one line");
    return ANPE_OK;
}

static anpe_status check_key(anpe_ctx *ctx, const anpe_zoo_index *index)
{
    char *trusted;
    const anpe_status status = anpe_zoo_trusted(ctx, index->key, &trusted);
    if (status)
        return status;
    const int known = trusted != NULL;
    free(trusted);
    return known ? ANPE_OK
                 : ANPE_FAIL(ctx, ANPE_EINVAL,
                             "%s/%s: is signed with a key that you do not trust: %s ('anpe zoo "
                             "trust' adds it, if you have it from its owner)",
                             index->registry, file_name, index->key);
}

anpe_status anpe_zoo_index_open(anpe_ctx *ctx, const char *registry, anpe_zoo_index *index)
{
    char *text = NULL;
    size_t n;
    anpe_status status;
    *index = (anpe_zoo_index){0};
    ANPE_TRY(name_registry(ctx, registry, &index->registry));
    ANPE_TRY(anpe_fetch_text(ctx, index->registry, file_name, MOST, &text, &n));
    ANPE_TRY(parse(ctx, index, text, n));
    ANPE_TRY(check_key(ctx, index));
    ANPE_TRY(note(ctx, index, text, n));
out:
    free(text);
    if (status)
        anpe_zoo_index_close(index);
    return status;
}

anpe_status anpe_zoo_index_own(anpe_ctx *ctx, const char *directory, const anpe_zoo_key *key,
                               anpe_zoo_index *index)
{
    char *path = NULL, *text = NULL;
    size_t n;
    anpe_status status;
    *index = (anpe_zoo_index){0};
    ANPE_TRY(name_registry(ctx, directory, &index->registry));
    if (asprintf(&path, "%s/%s", directory, file_name) < 0) {
        path = NULL;
        status = ANPE_NO_MEMORY(ctx, "a path");
        goto out;
    }
    ANPE_TRY(anpe_zoo_text_read(ctx, path, MOST, &text, &n));
    if (n == 0) {
        index->json = json_pack("{s:s,s:i,s:s,s:[]}", "format", format_name, "serial", 0, "key",
                                key->pub, "models");
        status = index->json ? ANPE_OK : ANPE_NO_MEMORY(ctx, path);
        goto out;
    }
    ANPE_TRY(parse(ctx, index, text, n));
    if (strcmp(index->key, key->pub) != 0)
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: is signed with the key %s, and yours is %s", path,
                           index->key, key->pub);
out:
    free(path);
    free(text);
    if (status)
        anpe_zoo_index_close(index);
    return status;
}

/* ---- looking up -------------------------------------------------------------------------- */

static anpe_status unknown(anpe_ctx *ctx, const anpe_zoo_index *index, const char *text)
{
    const json_t *models = json_object_get(index->json, "models"), *model;
    const size_t n = json_array_size(models);
    char name[ANPE_ZOO_NAME], hint[160] = "";
    const char **names = calloc(n + 1, sizeof *names);
    size_t i;
    int known = 0, same = 0;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "@"), text);
    json_array_foreach(models, i, model)
    {
        const char *other = json_string_value(json_object_get(model, "name"));
        if (other && names)
            names[known++] = other;
        same |= other && !strcmp(other, name);
    }
    if (same)
        snprintf(hint, sizeof hint, "; it has other versions ('anpe zoo list')");
    else if (names)
        anpe_text_hint(hint, sizeof hint, name, known, names);
    free(names);
    return ANPE_FAIL(ctx, ANPE_EINVAL, "%s: has no model '%s'%s", index->registry, text, hint);
}

anpe_status anpe_zoo_index_find(anpe_ctx *ctx, const anpe_zoo_index *index, const char *text,
                                anpe_zoo_entry *out)
{
    const json_t *models = json_object_get(index->json, "models"), *model, *found = NULL;
    const size_t length = strcspn(text, "@");
    const char *wanted = text[length] ? text + length + 1 : NULL, *best = NULL;
    size_t i;
    json_array_foreach(models, i, model)
    {
        const char *name = json_string_value(json_object_get(model, "name"));
        const char *version = json_string_value(json_object_get(model, "version"));
        if (!name || !version || strlen(name) != length || strncmp(name, text, length) != 0 ||
            (wanted ? strcmp(version, wanted) != 0 : best && strverscmp(version, best) < 0))
            continue;
        found = model;
        best = version;
    }
    return found ? anpe_zoo_entry_read(ctx, index->registry, found, out)
                 : unknown(ctx, index, text);
}

/* ---- writing ----------------------------------------------------------------------------- */

anpe_status anpe_zoo_index_write(anpe_ctx *ctx, anpe_zoo_index *index, const char *directory,
                                 const anpe_zoo_key *key)
{
    char date[24], signature[ANPE_SIGNATURE_HEX], *path = NULL;
    anpe_text body = {0}, whole = {0};
    anpe_status status = ANPE_OK;
    anpe_text_utc(date);
    json_object_set_new(index->json, "serial", json_integer(index->serial + 1));
    json_object_set_new(index->json, "date", json_string(date));
    json_object_del(index->json, "signature");
    char *text = json_dumps(index->json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    const size_t n = text ? strlen(text) : 0;
    if (n < 3 || asprintf(&path, "%s/%s", directory, file_name) < 0) {
        path = NULL;
        status = ANPE_NO_MEMORY(ctx, "an index");
        goto out;
    }
    ANPE_TRY(signed_text(ctx, text, n - 2, &body)); /* without "\n}" */
    anpe_zoo_sign(key, body.text, body.length, signature);
    anpe_text_add(&whole, "%.*s%s%s%s", (int)(n - 2), text, before_signature, signature,
                  after_signature);
    ANPE_TRY(anpe_text_status(ctx, &whole));
    ANPE_TRY(anpe_zoo_text_write(ctx, path, whole.text, whole.length));
    index->serial++;
out:
    free(text);
    free(path);
    anpe_text_free(&body);
    anpe_text_free(&whole);
    return status;
}
