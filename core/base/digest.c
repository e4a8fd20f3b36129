/* SHA-256 (FIPS 180-4) from libsodium. */
#include <config.h>
#include "base/digest.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

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

static anpe_status failed(anpe_ctx *ctx, const char *path, int error)
{
    char why[128];
    return ANPE_FAIL(ctx, ANPE_EIO, "%s: %s", path, anpe_errno_text(error, why, sizeof why));
}

anpe_status anpe_digest_descriptor(anpe_ctx *ctx, const char *path, int fd, char hex[65])
{
    unsigned char block[65536];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    off_t at = 0;
    ssize_t n;
    while ((n = pread(fd, block, sizeof block, at)) > 0 || (n < 0 && errno == EINTR)) {
        if (n < 0)
            continue;
        crypto_hash_sha256_update(&state, block, (size_t)n);
        at += n;
    }
    if (n < 0)
        return failed(ctx, path, errno);
    finish(&state, hex);
    return ANPE_OK;
}

anpe_status anpe_digest_file(anpe_ctx *ctx, const char *path, char hex[65])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(ctx, path, errno);
    const anpe_status status = anpe_digest_descriptor(ctx, path, fd, hex);
    close(fd);
    return status;
}
