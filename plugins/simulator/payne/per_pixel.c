/* Per-pixel networks; see per_pixel.h. */
#include "per_pixel.h"
#include <stdlib.h>
#include <string.h>
#define SIMD_KERNELS "../payne/per_pixel_kernels.h"
#include "../common/simd.h"

static int64_t block_size(const per_pixel *p)
{
    return (p->n_hidden * (p->n_labels + 2) + 1) * PER_PIXEL_BLOCK;
}

anpe_status per_pixel_new(anpe_ctx *ctx, int64_t n_pixels, int64_t n_hidden, int64_t n_labels,
                          const double *w0, const double *b0, const double *w1, const double *b1,
                          per_pixel *out)
{
    *out = (per_pixel){.n_pixels = n_pixels, .n_hidden = n_hidden, .n_labels = n_labels};
    const int64_t n_blocks = (n_pixels + PER_PIXEL_BLOCK - 1) / PER_PIXEL_BLOCK;
    const size_t bytes = (size_t)(n_blocks * block_size(out)) * sizeof(float);
    out->blocks = aligned_alloc(64, bytes); /* blocks are multiples of 64 bytes */
    if (!out->blocks)
        return ANPE_NO_MEMORY(ctx, "the networks of pixels");
    memset(out->blocks, 0, bytes);
    for (int64_t i = 0; i < n_pixels; i++) {
        float *w = out->blocks + i / PER_PIXEL_BLOCK * block_size(out) + i % PER_PIXEL_BLOCK;
        double constant = b1[i];
        for (int64_t j = i * n_hidden; j < (i + 1) * n_hidden; j++) {
            *w = (float)b0[j];
            w += PER_PIXEL_BLOCK;
            for (int64_t k = 0; k < n_labels; k++, w += PER_PIXEL_BLOCK)
                *w = (float)w0[j * n_labels + k];
            *w = (float)(0.5 * w1[j]);
            w += PER_PIXEL_BLOCK;
            constant += 0.5 * w1[j];
        }
        *w = (float)constant;
    }
    return ANPE_OK;
}

void per_pixel_clear(per_pixel *p)
{
    free(p->blocks);
    *p = (per_pixel){0};
}

void per_pixel_apply(const per_pixel *p, int64_t n, const float *s, float *flux)
{
    const int64_t P = p->n_pixels;
    for (int64_t i = 0; i < P; i += PER_PIXEL_BLOCK) {
        const float *block = p->blocks + i / PER_PIXEL_BLOCK * block_size(p);
        if (P - i >= PER_PIXEL_BLOCK) {
            SIMD_CALL(per_pixel_block, (p, block, n, s, P, flux + i));
            continue;
        }
        for (int64_t row = 0; row < n; row++) { /* the last block writes past the end of a row */
            float tail[PER_PIXEL_BLOCK];
            SIMD_CALL(per_pixel_block, (p, block, 1, s + row * p->n_labels, PER_PIXEL_BLOCK, tail));
            memcpy(flux + row * P + i, tail, (size_t)(P - i) * sizeof *tail);
        }
    }
}

void per_pixel_derive(const per_pixel *p, const double *s, float *slope, float *flux,
                      float *derivative)
{
    enum { W = PER_PIXEL_BLOCK };
    const int64_t P = p->n_pixels, L = p->n_labels;
    float *tail = slope + p->n_hidden * W; /* (1 + L, W): the last block goes past the end */
    for (int64_t i = 0; i < P; i += W) {
        const float *block = p->blocks + i / W * block_size(p);
        if (P - i >= W) {
            SIMD_CALL(per_pixel_tangents, (p, block, s, P, slope, flux + i, derivative + i));
            continue;
        }
        SIMD_CALL(per_pixel_tangents, (p, block, s, W, slope, tail, tail + W));
        memcpy(flux + i, tail, (size_t)(P - i) * sizeof *tail);
        for (int64_t k = 0; k < L; k++)
            memcpy(derivative + k * P + i, tail + (1 + k) * W, (size_t)(P - i) * sizeof *tail);
    }
}

int64_t per_pixel_derive_room(const per_pixel *p)
{
    return (p->n_hidden + 1 + p->n_labels) * PER_PIXEL_BLOCK;
}
