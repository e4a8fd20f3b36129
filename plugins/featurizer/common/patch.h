/* What the featurizers gru and transformer share: a spectrum cut into patches, each a vector.
 *
 * Patch m is pixels m stride .. m stride + patch - 1 with all their channels, zero past the end of
 * the spectrum; its vector is W (those values) + b. Equivalently, a convolution of kernel `patch`
 * taken every `stride` pixels (the patch embedding of Dosovitskiy et al. 2021). */
#ifndef ANPE_FEATURIZER_PATCH_H
#define ANPE_FEATURIZER_PATCH_H
#include <anpe/plugin.h>

/* Rows of the option table of a plugin whose struct S has the members patch, stride, width. */
/* clang-format off */
#define PATCH_OPTIONS(S) \
    ANPE_OPT_INT(S, patch, 32, 1, 1048576, "pixel", "width of a patch"), \
    ANPE_OPT_INT(S, stride, 0, 0, 1048576, "pixel", \
                 "from patch to patch, at most patch; 0: as patch, no overlap"), \
    ANPE_OPT_INT(S, width, 64, 1, 65536, "", "numbers a patch becomes")
/* clang-format on */

static inline anpe_status patch_check(anpe_ctx *ctx, int64_t patch, int64_t stride)
{
    if (stride <= patch)
        return ANPE_OK;
    return ANPE_FAIL(
        ctx, ANPE_ECONFIG,
        "stride = %lld is longer than patch = %lld: pixels between two patches would be left out",
        (long long)stride, (long long)patch);
}

/* (B, L, C) -> (B, patches, width); parameters patch.weight, patch.bias. A spectrum shorter than
 * a patch is one. */
static inline anpe_node patch_embed(anpe_graph *g, anpe_node x, int64_t patch, int64_t stride,
                                    int64_t width)
{
    const int64_t length = anpe_length(g, x), size = patch < length ? patch : length;
    const int64_t step = stride ? stride : patch;
    x = anpe_patches(g, x, size, step < size ? step : size);
    return anpe_linear(g, "patch", x, width, 0);
}
#endif
