/* simulator cannon: spectra as polynomials of the labels (The Cannon, Ness et al. 2015), imported
 * with `anpe import cannon`. Equations in README.md. */
#include "../common/emulator.h"
#include "../common/product.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct cannon_options {
    const char *file;
} cannon_options;

static const anpe_option cannon_option_table[] = {
    ANPE_OPT_FILE(cannon_options, file, NULL, "emulator, as 'anpe import cannon' writes it"),
    ANPE_OPT_END};

typedef struct cannon {
    emulator e;
    int64_t n_features;
    double *pivots, *scales; /* (D) */
    double *exponents;       /* (F, D), small whole numbers */
    product coefficients;    /* (P, F) */
} cannon;

static void cannon_destroy(void *self)
{
    cannon *p = self;
    if (!p)
        return;
    free(p->pivots);
    free(p->scales);
    free(p->exponents);
    product_clear(&p->coefficients);
    emulator_clear(&p->e);
    free(p);
}

static anpe_status check_exponents(anpe_ctx *ctx, const cannon *p)
{
    for (int64_t i = 0; i < p->n_features * p->e.n_labels; i++) {
        const double x = p->exponents[i];
        if (!(x >= 0 && x <= 99) || x != floor(x))
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: exponent %g is not a whole number in [0, 99]",
                             p->e.path, x);
    }
    for (int64_t i = 0; i < p->e.n_labels; i++)
        if (p->scales[i] == 0)
            return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: the scale of label %s is 0", p->e.path,
                             p->e.labels[i].name);
    return ANPE_OK;
}

static anpe_status read_model(anpe_ctx *ctx, cannon *p)
{
    double *c = NULL;
    int64_t shape[2] = {-1, p->e.n_labels};
    anpe_status status;
    ANPE_TRY(emulator_array(ctx, &p->e, "exponents", 2, shape, &p->exponents));
    p->n_features = shape[0];
    ANPE_TRY(emulator_array(ctx, &p->e, "pivots", 1, &p->e.n_labels, &p->pivots));
    ANPE_TRY(emulator_array(ctx, &p->e, "scales", 1, &p->e.n_labels, &p->scales));
    ANPE_TRY(check_exponents(ctx, p));
    shape[1] = p->e.n_pixels;
    ANPE_TRY(emulator_array(ctx, &p->e, "coefficients", 2, shape, &c));
    ANPE_TRY(product_new(ctx, shape[1], shape[0], c, 1, NULL, &p->coefficients));
    p->e.n_pixels = shape[1];
    ANPE_TRY(emulator_read_scatter(ctx, &p->e));
out:
    free(c);
    return status;
}

static anpe_status cannon_create(anpe_ctx *ctx, const void *options, const void *setup, void **self)
{
    const cannon_options *o = options;
    (void)setup;
    cannon *p;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    anpe_status status;
    ANPE_TRY(emulator_open(ctx, o->file, "cannon", NULL, &p->e));
    ANPE_TRY(read_model(ctx, p));
    *self = p;
    return ANPE_OK;
out:
    cannon_destroy(p);
    return status;
}

static void cannon_info(const void *self, anpe_simulator_info *info)
{
    emulator_info(&((const cannon *)self)->e, info);
}

/* The value of a feature, without the powers of label `left_out` (-1: with all). */
static double feature_of(const cannon *p, const double *d, int64_t f, int64_t left_out)
{
    const double *powers = p->exponents + f * p->e.n_labels;
    double value = 1;
    for (int64_t i = 0; i < p->e.n_labels; i++)
        for (int k = 0; k < (int)powers[i] && i != left_out; k++)
            value *= d[i];
    return value;
}

/* theta (D) -> features (F): products of powers of d = (label - pivot)/scale. d (D): scratch. */
static anpe_status make_features(const cannon *p, anpe_ctx *ctx, const double *theta, double *d,
                                 double *features)
{
    const int64_t D = p->e.n_labels;
    const anpe_status status = emulator_labels(&p->e, ctx, "cannon", theta);
    if (status)
        return status;
    for (int64_t i = 0; i < D; i++)
        d[i] = (theta[i] - p->pivots[i]) / p->scales[i];
    for (int64_t f = 0; f < p->n_features; f++)
        features[f] = feature_of(p, d, f, -1);
    return ANPE_OK;
}

/* d feature / d label_k, per unit of the label. */
static void feature_slopes(const cannon *p, const double *d, int64_t k, double *slope)
{
    for (int64_t f = 0; f < p->n_features; f++) {
        const int power = (int)p->exponents[f * p->e.n_labels + k];
        slope[f] = power == 0 ? 0 : power / p->scales[k] * feature_of(p, d, f, k);
        for (int i = 1; i < power; i++)
            slope[f] *= d[k];
    }
}

/* Rows of a spectrum and its derivatives: whole tiles. */
static int64_t tangent_rows(const cannon *p)
{
    return (1 + p->e.n_labels + PRODUCT_ROWS - 1) / PRODUCT_ROWS * PRODUCT_ROWS;
}

static size_t cannon_scratch(const void *self, int64_t n)
{
    const cannon *p = self;
    const int64_t rows = product_rows(n), tangents = tangent_rows(p);
    const int64_t most = rows > tangents ? rows : tangents;
    return (size_t)(most * p->n_features + p->e.n_labels) * sizeof(double);
}

static anpe_status cannon_derivatives(const void *self, anpe_ctx *ctx, const double *theta,
                                      float *flux, void *scratch)
{
    const cannon *p = self;
    const int64_t F = p->n_features;
    double *features = scratch, *d = features + tangent_rows(p) * F;
    memset(scratch, 0, cannon_scratch(self, 1));
    const anpe_status status = make_features(p, ctx, theta, d, features);
    for (int64_t k = 0; k < p->e.n_labels && !status; k++)
        feature_slopes(p, d, k, features + (1 + k) * F);
    if (!status)
        product_apply(&p->coefficients, 1 + p->e.n_labels, features, NULL, flux);
    return status;
}

static anpe_status cannon_simulate(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                                   float *flux, void *scratch)
{
    const cannon *p = self;
    const int64_t D = p->e.n_labels, F = p->n_features;
    double *features = scratch, *d = features + product_rows(n) * F;
    anpe_status status = ANPE_OK;
    memset(scratch, 0, cannon_scratch(self, n)); /* rows that fill up a tile are computed too */
    for (int64_t i = 0; i < n && !status; i += PRODUCT_CHUNK) {
        const int64_t rows = n - i < PRODUCT_CHUNK ? n - i : PRODUCT_CHUNK;
        for (int64_t r = 0; r < rows && !status; r++)
            status = make_features(p, ctx, theta + (i + r) * D, d, features + r * F);
        if (!status)
            product_apply(&p->coefficients, rows, features, NULL, flux + i * p->e.n_pixels);
    }
    return status;
}

static const anpe_simulator_ops cannon_ops = {.size = sizeof cannon_ops,
                                              .info = cannon_info,
                                              .scratch_size = cannon_scratch,
                                              .simulate = cannon_simulate,
                                              .derivatives = cannon_derivatives};

static const anpe_plugin cannon_plugin = {.abi = ANPE_ABI,
                                          .kind = ANPE_SIMULATOR,
                                          .name = "cannon",
                                          .version = "1.0",
                                          .summary =
                                              "polynomials of the labels per pixel (The Cannon)",
                                          .options = cannon_option_table,
                                          .options_size = sizeof(cannon_options),
                                          .create = cannon_create,
                                          .destroy = cannon_destroy,
                                          .ops = &cannon_ops};

ANPE_PLUGINS(&cannon_plugin);
