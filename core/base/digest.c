/* SHA-256 (FIPS 180-4) from libsodium. */
#include "base/digest.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>

static void finish(crypto_hash_sha256_state *state, char hex[65])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(state, hash);
    sodium_bin2hex(hex, 65, hash, sizeof hash);
}

void anpe_digest_memory(const void *data, size_t size, char hex[65])
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, data, size);
    finish(&state, hex);
}

anpe_status anpe_digest_file(anpe_ctx *ctx, const char *path, char hex[65])
{
    unsigned char block[65536];
    char why[128];
    FILE *f = fopen(path, "rb");
    if (!f)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", path, anpe_errno_text(errno, why, sizeof why));
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    size_t n;
    errno = 0;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        crypto_hash_sha256_update(&state, block, n);
    const int failed = ferror(f), error = errno;
    fclose(f);
    if (failed)
        return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", path, anpe_errno_text(error, why, sizeof why));
    finish(&state, hex);
    return ANPE_OK;
}
