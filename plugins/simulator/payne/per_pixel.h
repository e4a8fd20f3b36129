/* payne/per_pixel.h -- one small network per pixel (binspec):
 *     f_i = g(b1_i + sum_j w1_ij sigmoid(b0_ij + sum_k w0_ijk s_k))
 * with g the identity, or f = scale sigmoid(.) + offset.
 *
 * The sigmoid is taken as (1 + tanh(x/2))/2 and its constant half goes into the bias, which halves
 * the terms of the sum: in float the flux is good to a few 10^-7. Weights are laid out in blocks of
 * 16 pixels so that each block is one contiguous run, read once for all spectra of a call:
 *     for each hidden unit j: b0 (16), w0 (L, 16), w1/2 (16); then b1 + sum_j w1/2 (16)          */
#ifndef PAYNE_PER_PIXEL_H
#define PAYNE_PER_PIXEL_H
#include <anpe/plugin.h>

enum { PER_PIXEL_BLOCK = 16, PER_PIXEL_ROWS = 4 }; /* pixels, spectra taken together */

typedef struct per_pixel {
    int64_t n_pixels, n_hidden, n_labels;
    float *blocks;      /* (ceil(n_pixels / 16), n_hidden (n_labels + 2) + 1, 16) */
    int sigmoid_output; /* f = scale sigmoid(.) + offset */
    float scale, offset;
} per_pixel;

/* w0 (P, H, L), b0 (P, H), w1 (P, H), b1 (P) */
ANPE_MUST_CHECK anpe_status per_pixel_new(anpe_ctx *ctx, int64_t n_pixels, int64_t n_hidden,
                                          int64_t n_labels, const double *w0, const double *b0,
                                          const double *w1, const double *b1, per_pixel *out);
void per_pixel_clear(per_pixel *p);
/* s (n, L) scaled labels -> flux (n, P) */
void per_pixel_apply(const per_pixel *p, int64_t n, const float *s, float *flux);
/* s (L) -> flux (P) and d flux / d s (L, P). room: floats, per_pixel_derive_room of them. */
void per_pixel_derive(const per_pixel *p, const double *s, float *room, float *flux,
                      float *derivative);
int64_t per_pixel_derive_room(const per_pixel *p);
#endif
