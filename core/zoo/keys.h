/* zoo/keys.h -- Ed25519 signatures (libsodium) and the keys that a user trusts.
 *
 * A public key is 64 hexadecimal digits. Trusted ones are lines of USER_ZOO/trusted and of
 * $(pkgdatadir)/zoo/trusted: the key, then what the user calls it. A secret key is a file that its
 * owner alone can read. What is signed begins with a line that says what it is, so that a signature
 * of one thing is none of another. */
#ifndef ANPE_CORE_KEYS_H
#define ANPE_CORE_KEYS_H
#include "base/context.h"

enum { ANPE_KEY_HEX = 65, ANPE_SIGNATURE_HEX = 129 }; /* with the NUL */

typedef struct anpe_zoo_key {
    char pub[ANPE_KEY_HEX];
    unsigned char secret[64];
} anpe_zoo_key;

/* A new pair: the secret key into a new file, mode 0600. */
ANPE_MUST_CHECK anpe_status anpe_zoo_key_make(anpe_ctx *ctx, const char *path, anpe_zoo_key *key);
ANPE_MUST_CHECK anpe_status anpe_zoo_key_read(anpe_ctx *ctx, const char *path, anpe_zoo_key *key);
void anpe_zoo_key_forget(anpe_zoo_key *key);

void anpe_zoo_sign(const anpe_zoo_key *key, const char *text, size_t n,
                   char signature[ANPE_SIGNATURE_HEX]);
/* Is it the signature by this key, both in hexadecimal digits? */
int anpe_zoo_is_signed(const char *pub, const char *text, size_t n, const char *signature);

int anpe_zoo_is_key(const char *text);
/* *trusted: what the user calls the key, malloc'ed ("" if nothing); NULL: it is not trusted. */
ANPE_MUST_CHECK anpe_status anpe_zoo_trusted(anpe_ctx *ctx, const char *pub, char **trusted);
/* Adds a key, or takes it away, in the user's list; twice is once. */
ANPE_MUST_CHECK anpe_status anpe_zoo_trust(anpe_ctx *ctx, const char *pub, const char *name);
ANPE_MUST_CHECK anpe_status anpe_zoo_distrust(anpe_ctx *ctx, const char *pub);
/* The lines of the user's list and of the installed one. */
ANPE_MUST_CHECK anpe_status anpe_zoo_trusted_list(anpe_ctx *ctx, char **lines);
#endif
