/* Independent Gaussian noise with the error bars and bad pixels of real spectra, row by row as they
 * are. README.md. */
#include <anpe/plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *file;
    double scale_min, scale_max;
} options;

static const anpe_option option_table[] = {
    ANPE_OPT_FILE(options, file, NULL,
                  "HDF5 with sigma (rows, values) and, if there are bad pixels, mask: what `anpe "
                  "noise` writes, or a file of spectra"),
    ANPE_OPT_REAL(options, scale_min, 1, 1e-6, 1e6, "",
                  "smallest factor on the error bars, drawn log-uniformly for each spectrum"),
    ANPE_OPT_REAL(options, scale_max, 1, 1e-6, 1e6, "", "largest factor"), ANPE_OPT_END};

typedef struct library {
    anpe_noise_library rows;
    double log_min, log_range;
    anpe_noise_unit unit;
} library;

static void destroy(void *self)
{
    library *l = self;
    if (l)
        anpe_noise_library_free(&l->rows);
    free(l);
}

static anpe_status open_rows(anpe_ctx *ctx, const options *o, const anpe_noise_setup *setup,
                             library *l)
{
    const anpe_status status = anpe_noise_library_load(ctx, o->file, setup, &l->rows);
    if (status)
        return status;
    for (int64_t i = 0; i < l->rows.n_rows * l->rows.n_pixels; i++)
        if (l->rows.mask[i])
            l->rows.sigma[i] = 1; /* nobody uses it, but it must be a number */
    return ANPE_OK;
}

static anpe_status create(anpe_ctx *ctx, const void *o, const void *setup, void **self)
{
    const options *opt = o;
    *self = NULL;
    if (opt->scale_min > opt->scale_max)
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "scale_min %g is above scale_max %g", opt->scale_min,
                         opt->scale_max);
    library *l;
    if (ANPE_NEW(ctx, l, 1))
        return ANPE_ENOMEM;
    l->log_min = log(opt->scale_min); /* both 0 unless asked for: then no number is drawn */
    l->log_range = log(opt->scale_max) - l->log_min;
    l->unit = ((const anpe_noise_setup *)setup)->instrument->wavelength ? ANPE_NOISE_IN_CONTINUUM
                                                                        : ANPE_NOISE_IN_FLUX;
    const anpe_status status = open_rows(ctx, opt, setup, l);
    if (status) {
        destroy(l);
        return status;
    }
    *self = l;
    return ANPE_OK;
}

static anpe_status draw(const void *self, anpe_ctx *ctx, anpe_rng *rng, anpe_spectrum *s)
{
    const library *l = self;
    const size_t n = (size_t)s->n_pixels, row = (size_t)anpe_integer(rng, l->rows.n_rows);
    (void)ctx;
    memcpy(s->sigma, l->rows.sigma + row * n, n * sizeof *s->sigma);
    memcpy(s->mask, l->rows.mask + row * n, n);
    if (l->log_range > 0) {
        const float scale = (float)exp(l->log_min + l->log_range * anpe_uniform(rng));
        for (size_t i = 0; i < n; i++)
            s->sigma[i] *= scale;
    }
    return ANPE_OK;
}

/* Plain arrays have no continuum: the file's sigma is in their own unit. */
static anpe_noise_unit unit(const void *self)
{
    return ((const library *)self)->unit;
}

static const anpe_noise_ops ops = {sizeof ops, draw, NULL, NULL, unit};

static const anpe_plugin plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_NOISE,
    .name = "library",
    .version = "1",
    .summary = "Gaussian noise with the error bars and bad pixels of real spectra",
    .options = option_table,
    .options_size = sizeof(options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};

ANPE_PLUGINS(&plugin);
