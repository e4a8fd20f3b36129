/* Stages of residual convolutions: see residual.h. */
#include "residual.h"

int64_t residual_channels(const residual *r, int64_t stage)
{
    const int64_t c = r->conv_min << stage; /* at most 2^16 2^23 */
    return c < r->conv_max ? c : r->conv_max;
}

static anpe_node block(anpe_graph *g, const char *name, anpe_node x, int64_t cout, int64_t k)
{
    anpe_node y;
    y = anpe_conv1d(g, anpe_name(g, "%s.conv1", name), x, cout, k, ANPE_WEIGHT_NORM | ANPE_RELU);
    y = anpe_conv1d(g, anpe_name(g, "%s.conv2", name), y, cout, k, ANPE_WEIGHT_NORM | ANPE_RELU);
    if (anpe_width(g, x) != cout)
        x = anpe_conv1d(g, anpe_name(g, "%s.skip", name), x, cout, 1, 0);
    return anpe_add(g, y, x);
}

anpe_node residual_stages(anpe_graph *g, const residual *r, anpe_node x)
{
    for (int64_t i = 0; i < r->depth; i++) {
        if (i > 0)
            x = anpe_max_pool(g, x, 2);
        for (int64_t j = 0; j < r->nlayer; j++)
            x = block(g, anpe_name(g, "stages.%d.%d", (int)i, (int)j), x, residual_channels(r, i),
                      r->kernel);
    }
    return x;
}

anpe_status residual_check(anpe_ctx *ctx, const residual *r, int64_t length)
{
    int64_t most = 0;
    if (r->kernel % 2 == 0)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "kernel must be odd, not %lld", (long long)r->kernel);
    if (length >> (r->depth - 1) >= 1)
        return ANPE_OK;
    while (length >> most > 0)
        most++;
    return ANPE_FAIL(ctx, ANPE_ECONFIG,
                     "depth = %lld needs spectra of at least %lld pixels, these have %lld: depth "
                     "can be at most %lld",
                     (long long)r->depth, 1LL << (r->depth - 1), (long long)length,
                     (long long)most);
}
