/* Plain arrays: every spectrum is x of shape (L) or (C, L) from an HDF5 file, without wavelengths,
 * line-spread function or continuum. */
#include <anpe/plugin.h>

#include <math.h>
#include <stdlib.h>

typedef struct options {
    anpe_reals shape;
} options;

#define LARGEST 100000000.0 /* values in one x: more is a slip of the pen, not data */

static const anpe_option option_table[] = {
    ANPE_OPT_REALS(options, shape, NULL, 1, LARGEST, "",
                   "of one x: [L] or [C, L], as in the file without its first dimension"),
    ANPE_OPT_END};

typedef struct array {
    int64_t channels, length;
    int64_t segment[2];
} array;

static anpe_status create(anpe_ctx *ctx, const void *o, const void *setup, void **self)
{
    const anpe_reals *shape = &((const options *)o)->shape;
    array *s;
    double n = 1;

    (void)setup;
    *self = NULL;
    if (shape->n < 1 || shape->n > 2)
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "shape: %lld numbers; expected [L] or [C, L], the shape of one x",
                         (long long)shape->n);
    for (int64_t k = 0; k < shape->n; k++) {
        if (!(shape->v[k] >= 1 && shape->v[k] == floor(shape->v[k])))
            return ANPE_FAIL(ctx, ANPE_ECONFIG, "shape: %g; expected whole numbers from 1",
                             shape->v[k]);
        n *= shape->v[k];
    }
    if (n > LARGEST)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "shape: %g values in one x; at most %g", n, LARGEST);
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->channels = shape->n == 2 ? (int64_t)shape->v[0] : 1;
    s->length = (int64_t)shape->v[shape->n - 1];
    s->segment[1] = s->length;
    *self = s;
    return ANPE_OK;
}

static void destroy(void *self)
{
    free(self);
}

static void info(const void *self, anpe_instrument_info *out)
{
    const array *s = self;
    *out = (anpe_instrument_info){
        .channels = s->channels,
        .n_pixels = s->length,
        .n_segments = 1,
        .segment = s->segment,
    };
}

static const anpe_instrument_ops ops = {.size = sizeof ops, .info = info};

static const anpe_plugin plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_INSTRUMENT,
    .name = "array",
    .version = "1",
    .summary = "plain arrays of any shape from HDF5, without wavelengths",
    .options = option_table,
    .options_size = sizeof(options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};

ANPE_PLUGINS(&plugin);
