/* What the featurizers resnet and resnet_gru share: stages of residual convolutions.
 *
 * Stage i has min(conv_max, conv_min 2^i) channels and runs at length L / 2^i; a stage is `nlayer`
 * blocks y = relu(conv(relu(conv(x)))) + skip(x), and a maximum over pairs of pixels comes before
 * each but the first (He et al. 2016; weight norm: Salimans & Kingma 2016). */
#ifndef ANPE_FEATURIZER_RESIDUAL_H
#define ANPE_FEATURIZER_RESIDUAL_H
#include <anpe/plugin.h>

typedef struct residual {
    int64_t depth, conv_min, conv_max, nlayer, kernel;
} residual;

/* Rows of the option table of a plugin whose struct S has these members; depth is its own. */
/* clang-format off */
#define RESIDUAL_OPTIONS(S) \
    ANPE_OPT_INT(S, conv_min, 8, 1, 65536, "", "channels of the first stage"), \
    ANPE_OPT_INT(S, conv_max, 64, 1, 65536, "", "most channels of a stage"), \
    ANPE_OPT_INT(S, nlayer, 1, 1, 64, "", "residual blocks in a stage"), \
    ANPE_OPT_INT(S, kernel, 3, 1, 1023, "pixel", "width of the convolutions, odd")
/* clang-format on */

/* Whether spectra of `length` pixels last through all stages, and the kernel is odd. */
ANPE_MUST_CHECK anpe_status residual_check(anpe_ctx *ctx, const residual *r, int64_t length);
int64_t residual_channels(const residual *r, int64_t stage);
/* (B, L, C) -> (B, L / 2^(depth - 1), channels of the last stage); parameters stages.I.J.*. */
anpe_node residual_stages(anpe_graph *g, const residual *r, anpe_node x);
#endif
