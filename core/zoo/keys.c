/* See keys.h. */
#include <config.h>
#include "zoo/keys.h"
#include "base/text.h"
#include "zoo/lines.h"
#include "zoo/place.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char secret_title[] = "anpe zoo secret key\n";
enum { TITLE = sizeof secret_title - 1, SECRET_HEX = 128, LIST_MOST = 1 << 20 };

static anpe_status start(anpe_ctx *ctx)
{
    return sodium_init() < 0 ? ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "libsodium cannot be initialised")
                             : ANPE_OK;
}

/* ---- pairs ------------------------------------------------------------------------------- */

static void set_public(anpe_zoo_key *key)
{
    unsigned char bytes[crypto_sign_PUBLICKEYBYTES];
    crypto_sign_ed25519_sk_to_pk(bytes, key->secret);
    sodium_bin2hex(key->pub, sizeof key->pub, bytes, sizeof bytes);
}

anpe_status anpe_zoo_key_make(anpe_ctx *ctx, const char *path, anpe_zoo_key *key)
{
    unsigned char bytes[crypto_sign_PUBLICKEYBYTES];
    char text[TITLE + SECRET_HEX + 2], why[128];
    anpe_status status = start(ctx);
    if (status)
        return status;
    crypto_sign_keypair(bytes, key->secret);
    set_public(key);
    memcpy(text, secret_title, TITLE);
    sodium_bin2hex(text + TITLE, SECRET_HEX + 1, key->secret, sizeof key->secret);
    text[TITLE + SECRET_HEX] = '\n';
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const ssize_t n = TITLE + SECRET_HEX + 1;
    int failed = fd < 0 || write(fd, text, (size_t)n) != n || fsync(fd);
    const int error = errno;
    if (fd >= 0 && close(fd))
        failed = 1;
    sodium_memzero(text, sizeof text);
    if (failed && fd >= 0)
        unlink(path);
    return failed ? ANPE_FAIL(ctx, ANPE_EIO, "%s: cannot write the key: %s", path,
                              anpe_errno_text(error, why, sizeof why))
                  : ANPE_OK;
}

anpe_status anpe_zoo_key_read(anpe_ctx *ctx, const char *path, anpe_zoo_key *key)
{
    char *text;
    size_t n, bytes = 0;
    if (access(path, F_OK))
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: no such key ('anpe zoo key %s' makes one)", path,
                         path);
    anpe_status status = start(ctx);
    if (!status)
        status = anpe_zoo_text_read(ctx, path, 4096, &text, &n);
    if (status)
        return status;
    if (n < TITLE + SECRET_HEX || memcmp(text, secret_title, TITLE) ||
        sodium_hex2bin(key->secret, sizeof key->secret, text + TITLE, SECRET_HEX, NULL, &bytes,
                       NULL) ||
        bytes != sizeof key->secret)
        status = ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: not a secret key of 'anpe zoo key'", path);
    else
        set_public(key);
    sodium_memzero(text, n);
    free(text);
    return status;
}

void anpe_zoo_key_forget(anpe_zoo_key *key)
{
    sodium_memzero(key, sizeof *key);
}

/* ---- signatures -------------------------------------------------------------------------- */

void anpe_zoo_sign(const anpe_zoo_key *key, const char *text, size_t n,
                   char signature[ANPE_SIGNATURE_HEX])
{
    unsigned char bytes[crypto_sign_BYTES];
    crypto_sign_detached(bytes, NULL, (const unsigned char *)text, n, key->secret);
    sodium_bin2hex(signature, ANPE_SIGNATURE_HEX, bytes, sizeof bytes);
}

static int from_hex(unsigned char *bytes, size_t n, const char *text)
{
    size_t got = 0;
    return strlen(text) == 2 * n && !sodium_hex2bin(bytes, n, text, 2 * n, NULL, &got, NULL) &&
           got == n;
}

int anpe_zoo_is_signed(const char *pub, const char *text, size_t n, const char *signature)
{
    unsigned char key[crypto_sign_PUBLICKEYBYTES], bytes[crypto_sign_BYTES];
    return sodium_init() >= 0 && from_hex(key, sizeof key, pub) &&
           from_hex(bytes, sizeof bytes, signature) &&
           crypto_sign_verify_detached(bytes, (const unsigned char *)text, n, key) == 0;
}

/* ---- trust ------------------------------------------------------------------------------- */

int anpe_zoo_is_key(const char *text)
{
    return strlen(text) == ANPE_KEY_HEX - 1 && strspn(text, "0123456789abcdef") == ANPE_KEY_HEX - 1;
}

static anpe_status list_path(anpe_ctx *ctx, char **path)
{
    char *user;
    anpe_status status = anpe_zoo_user(ctx, &user);
    if (!status && asprintf(path, "%s/trusted", user) < 0)
        status = ANPE_NO_MEMORY(ctx, "a path");
    free(user);
    return status;
}

anpe_status anpe_zoo_trusted_list(anpe_ctx *ctx, char **lines)
{
    char *path = NULL, *own = NULL, *installed = NULL;
    size_t n;
    anpe_text all = {0};
    anpe_status status;
    *lines = NULL;
    ANPE_TRY(list_path(ctx, &path));
    ANPE_TRY(anpe_zoo_text_read(ctx, path, LIST_MOST, &own, &n));
    ANPE_TRY(anpe_zoo_text_read(ctx, ANPE_DATADIR "/zoo/trusted", LIST_MOST, &installed, &n));
    anpe_text_add(&all, "%s%s", own, installed);
    ANPE_TRY(anpe_text_status(ctx, &all));
    *lines = all.text;
    all.text = NULL;
out:
    anpe_text_free(&all);
    free(path);
    free(own);
    free(installed);
    return status;
}

/* The line of this key, or NULL. */
static const char *line_of(const char *lines, const char *pub)
{
    const size_t length = strlen(pub);
    for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (!strncmp(at, pub, length) && (at[length] == ' ' || at[length] == '\n' || !at[length]))
            return at;
    return NULL;
}

anpe_status anpe_zoo_trusted(anpe_ctx *ctx, const char *pub, char **trusted)
{
    char *lines;
    *trusted = NULL;
    anpe_status status = anpe_zoo_trusted_list(ctx, &lines);
    if (status)
        return status;
    const char *line = anpe_zoo_is_key(pub) ? line_of(lines, pub) : NULL;
    if (line) {
        line += strlen(pub);
        line += *line == ' ';
        *trusted = strndup(line, strcspn(line, "\n"));
        status = *trusted ? ANPE_OK : ANPE_NO_MEMORY(ctx, "a key");
    }
    free(lines);
    return status;
}

/* The user's list without this key, and with it at the end where name is not NULL. */
static anpe_status change(anpe_ctx *ctx, const char *pub, const char *name)
{
    char *path = NULL, *user = NULL, *lines = NULL;
    size_t n;
    int lock = -1;
    anpe_text text = {0};
    anpe_status status;
    ANPE_TRY(anpe_zoo_user(ctx, &user));
    ANPE_TRY(anpe_zoo_directory(ctx, user));
    ANPE_TRY(anpe_zoo_lock(ctx, user, &lock));
    ANPE_TRY(list_path(ctx, &path));
    ANPE_TRY(anpe_zoo_text_read(ctx, path, LIST_MOST, &lines, &n));
    const char *line = line_of(lines, pub);
    const size_t before = line ? (size_t)(line - lines) : n;
    const char *after = line ? line + strcspn(line, "\n") : lines + n;
    if (!line && !name) {
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "%s: is not among the keys that you trust", pub);
        goto out;
    }
    anpe_text_add(&text, "%.*s%s", (int)before, lines, after + (*after == '\n'));
    if (name)
        anpe_text_add(&text, "%s%s%s\n", pub, *name ? " " : "", name);
    ANPE_TRY(anpe_text_status(ctx, &text));
    status = anpe_zoo_text_write(ctx, path, text.text, text.length);
out:
    if (lock >= 0)
        close(lock);
    anpe_text_free(&text);
    free(path);
    free(user);
    free(lines);
    return status;
}

anpe_status anpe_zoo_trust(anpe_ctx *ctx, const char *pub, const char *name)
{
    if (!anpe_zoo_is_key(pub))
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "'%s' is no public key: 64 digits of 0-9 and a-f are expected", pub);
    if (strpbrk(name, "\n\r"))
        return ANPE_FAIL(ctx, ANPE_EINVAL, "the name of a key is one line");
    return change(ctx, pub, name);
}

anpe_status anpe_zoo_distrust(anpe_ctx *ctx, const char *pub)
{
    return change(ctx, pub, NULL);
}
