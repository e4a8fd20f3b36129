/* What flows made of MADEs share: the masked networks, their permutations, and a sampler.
 *
 * Each of n_blocks blocks permutes the labels and passes them through a MADE (Germain et al. 2015),
 * masked such that the outputs of label d depend on labels 0..d-1 and on the context c only:
 *     h = relu(M0 x + b0 + C c), h = relu(M1 h + b1), out = M2 h + b2 (+ E c, if direct).
 * A row of `out` is (quantity, label). In a MADE alone the outputs of the first label would be
 * constants: E lets it see the context. E starts at 0. */
#ifndef ANPE_FLOW_MADE_H
#define ANPE_FLOW_MADE_H
#include <anpe/plugin.h>

typedef float real;
#include "made_sampler.h"

typedef struct made {
    made_shape shape;
    int *degree_in, *degree_hidden, *degree_out; /* (D), (hidden), (D times most outputs) */
    int64_t *permutation;                        /* (n_blocks, D) */
} made;

/* name: of the flow, for messages. seed: for the permutations. */
ANPE_MUST_CHECK anpe_status made_new(anpe_ctx *ctx, const made_shape *shape, uint32_t seed,
                                     const char *name, made *out);
void made_clear(made *m);
/* An option of two ascending numbers, or none: no limit. */
ANPE_MUST_CHECK anpe_status made_clamp(anpe_ctx *ctx, const anpe_reals *clamp, double *lo,
                                       double *hi);
/* x (B, D) in the order of a block. */
anpe_node made_permute(const made *m, anpe_graph *g, int64_t block, anpe_node x);
/* The block's network at x, permuted already -> (B, outputs times D). */
anpe_node made_network(const made *m, anpe_graph *g, int64_t block, anpe_node x, anpe_node context);
/* From trained weights; made_sampler_free frees it. */
ANPE_MUST_CHECK anpe_status made_sampler_from(const made *m, anpe_ctx *ctx,
                                              const anpe_weights *weights, made_sampler **out);

/* A flow whose struct begins with its `made` has these in its ops and its descriptor; `sample` is
 * its own, so that the compiler sees the label function in the loop. */
ANPE_MUST_CHECK anpe_status made_open_sampler(const void *self, anpe_ctx *ctx,
                                              const anpe_weights *weights, void **sampler);
void made_close_sampler(void *sampler);
size_t made_scratch(const void *self, int64_t n);
void made_destroy(void *self);
#endif
