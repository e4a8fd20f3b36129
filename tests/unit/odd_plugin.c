/* Plugins that the loader must take or refuse, chosen with -DODD=...; see tests/unit/base.mk. */
#include <anpe/plugin.h>
#include <stdlib.h>

#define ODD_GOOD        0
#define ODD_MAJOR       1 /* another ABI major number */
#define ODD_MINOR       2 /* newer than the host */
#define ODD_NAME        3 /* the name is not the file's */
#define ODD_TABLE       4 /* the option table is wrong */
#define ODD_SYMBOL      5 /* calls a function that nobody has */
#define ODD_NO_CREATE   6
#define ODD_NO_SIMULATE 7
#define ODD_NO_DRAW     8 /* of the noise model beside it */

typedef struct options {
    double level;
    const char *refuse;
} options;

static const anpe_option table[] = {
    ANPE_OPT_REAL(options, level, ODD == ODD_TABLE ? 2 : 1, 0, 1, "", "flux of every pixel"),
    ANPE_OPT_TEXT(options, refuse, "", "what create answers"), ANPE_OPT_END};

#if ODD == ODD_SYMBOL
double anpe_test_nobody_has_this(double x);
#endif

static anpe_status create(anpe_ctx *ctx, const void *configured, const void *setup, void **self)
{
    const options *o = configured;
    (void)setup;
    if (o->refuse[0] == 'n')
        return ANPE_FAIL(ctx, ANPE_EINVAL, "good: named itself: %s", o->refuse);
    if (o->refuse[0] == 'v')
        return ANPE_FAIL(ctx, ANPE_EINVAL, "a bad value: %s", o->refuse);
    if (o->refuse[0])
        return ANPE_FAIL(ctx, ANPE_EIO, "%s", o->refuse);
    double *level = malloc(sizeof *level);
    if (!level)
        return ANPE_FAIL(ctx, ANPE_ENOMEM, "out of memory");
    *level = o->level;
#if ODD == ODD_SYMBOL
    *level = anpe_test_nobody_has_this(*level);
#endif
    *self = level;
    return ANPE_OK;
}

/* What the loader looks for and nobody calls here. */
static void info(const void *self, anpe_simulator_info *out)
{
    (void)self;
    (void)out;
}

static anpe_status simulate(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                            float *flux, void *scratch)
{
    (void)self, (void)n, (void)theta, (void)flux, (void)scratch;
    return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "for tests");
}

static anpe_status draw(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *s)
{
    (void)self, (void)rng, (void)s;
    return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "for tests");
}

static const anpe_simulator_ops ops = {
    .size = sizeof ops, .info = info, .simulate = ODD == ODD_NO_SIMULATE ? NULL : simulate};
static const anpe_noise_ops noise_ops = {.size = sizeof noise_ops,
                                         .draw = ODD == ODD_NO_DRAW ? NULL : draw};

static const anpe_plugin first = {
    .abi = {sizeof(anpe_plugin), ANPE_ABI_MAJOR + (ODD == ODD_MAJOR),
            ANPE_ABI_MINOR + (ODD == ODD_MINOR)},
    .kind = ANPE_SIMULATOR,
    .name = ODD == ODD_NAME ? "other" : ODD_OWN_NAME,
    .version = "1",
    .summary = "for tests",
    .options = table,
    .options_size = sizeof(options),
    .create = ODD == ODD_NO_CREATE ? NULL : create,
    .destroy = free,
    .ops = &ops,
};
static const anpe_plugin second = {
    .abi = {sizeof(anpe_plugin), ANPE_ABI_MAJOR, 0}, /* an older one is taken */
    .kind = ANPE_NOISE,
    .name = ODD_OWN_NAME,
    .version = "1",
    .summary = "for tests",
    .options = table,
    .options_size = sizeof(options),
    .create = create,
    .destroy = free,
    .ops = &noise_ops,
};
ANPE_PLUGINS(&first, &second);

/* What a shared object exports that is no plugin: one of the libraries exports this alone. */
ANPE_EXPORT extern const int anpe_no_plugin;
const int anpe_no_plugin = 1;
