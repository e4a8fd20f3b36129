/* Named random streams: Philox4x32-10, Salmon, Moraes, Dror & Shaw (2011), "Parallel random
 * numbers: as easy as 1, 2, 3", through the Random123 headers. */
#include "base/random.h"
#include <Random123/philox.h>
#include <math.h>

anpe_rng anpe_rng_make(uint32_t seed, anpe_purpose purpose, int64_t sample, uint32_t slot)
{
    const uint64_t index = (uint64_t)sample;
    return (anpe_rng){.key = {seed, (uint32_t)purpose},
                      .ctr = {0, slot, (uint32_t)index, (uint32_t)(index >> 32)}};
}

static uint32_t next_word(anpe_rng *r)
{
    if (!r->left) {
        const philox4x32_ctr_t c = {{r->ctr[0], r->ctr[1], r->ctr[2], r->ctr[3]}};
        const philox4x32_key_t k = {{r->key[0], r->key[1]}};
        const philox4x32_ctr_t out = philox4x32(c, k); /* 10 rounds */
        for (int i = 0; i < 4; i++)
            r->buf[i] = out.v[i];
        r->left = 4;
        r->ctr[0]++;
    }
    return r->buf[4 - r->left--];
}

/* 52 bits and a half: (k + 1/2) 2^-52 is exact, so neither 0 nor 1 can come out. */
double anpe_uniform(anpe_rng *r)
{
    const uint64_t high = next_word(r), low = next_word(r);
    return ((double)(high << 20 | low >> 12) + 0.5) * 0x1p-52;
}

/* Box & Muller (1958): sqrt(-2 ln u) (cos 2 pi v, sin 2 pi v). */
double anpe_normal(anpe_rng *r)
{
    if (r->has_spare) {
        r->has_spare = 0;
        return r->spare;
    }
    const double radius = sqrt(-2.0 * log(anpe_uniform(r)));
    const double angle = 6.283185307179586477 * anpe_uniform(r);
    r->spare = radius * sin(angle);
    r->has_spare = 1;
    return radius * cos(angle);
}

/* A multiple of n fits below 2^64; draws above it are rejected, so every value is as likely. */
int64_t anpe_integer(anpe_rng *r, int64_t n)
{
    if (n <= 1)
        return 0;
    const uint64_t m = (uint64_t)n, excess = (UINT64_MAX % m + 1) % m;
    uint64_t x;
    do {
        const uint64_t high = next_word(r);
        x = high << 32 | next_word(r);
    } while (x > UINT64_MAX - excess);
    return (int64_t)(x % m);
}

/* One word per number is enough for float: |z| reaches 6.8. */
void anpe_normals(anpe_rng *r, int64_t n, float *out)
{
    for (int64_t i = 0; i < n; i += 2) {
        const double u = ((double)next_word(r) + 0.5) * 0x1p-32;
        const double angle = 6.283185307179586477 * 0x1p-32 * (double)next_word(r);
        const double radius = sqrt(-2.0 * log(u));
        out[i] = (float)(radius * cos(angle));
        if (i + 1 < n)
            out[i + 1] = (float)(radius * sin(angle));
    }
}

void anpe_uniforms(anpe_rng *r, int64_t n, float *out)
{
    const float largest = 0x1.fffffep-1f; /* below 1 */
    for (int64_t i = 0; i < n; i++) {
        const float u = (float)anpe_uniform(r);
        out[i] = u < largest ? u : largest;
    }
}

void anpe_shuffle(anpe_rng *rng, int64_t n, int64_t *v)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = anpe_integer(rng, i + 1), keep = v[i];
        v[i] = v[j];
        v[j] = keep;
    }
}
