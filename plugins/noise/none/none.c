/* No noise of its own: for simulations that contain theirs already. sigma is 1, no pixel is bad. */
#include <anpe/plugin.h>

#include <stdlib.h>

static anpe_status draw(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *s)
{
    (void)self;
    (void)ctx;
    (void)rng;
    for (int64_t i = 0; i < s->n_pixels; i++) {
        s->sigma[i] = 1;
        s->mask[i] = 0;
    }
    return ANPE_OK;
}

static anpe_status add(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *s)
{
    (void)self;
    (void)ctx;
    (void)rng;
    (void)s;
    return ANPE_OK;
}

typedef struct options {
    char unused; /* there are no options, and a struct needs a member */
} options;

static anpe_status create(anpe_ctx *ctx, const void *o, const void *setup, void **self)
{
    (void)o;
    (void)setup;
    char *something; /* that is not NULL */
    *self = NULL;
    if (ANPE_NEW(ctx, something, 1))
        return ANPE_ENOMEM;
    *self = something;
    return ANPE_OK;
}

static void destroy(void *self)
{
    free(self);
}

static const anpe_option option_table[] = {ANPE_OPT_END};
static const anpe_noise_ops ops = {sizeof ops, draw, add, NULL, NULL};

static const anpe_plugin none = {
    .abi = ANPE_ABI,
    .kind = ANPE_NOISE,
    .name = "none",
    .version = "1",
    .summary = "adds nothing: the simulations contain their noise",
    .capabilities = ANPE_NOISE_NO_LIKELIHOOD,
    .options = option_table,
    .options_size = sizeof(options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};

ANPE_PLUGINS(&none);
