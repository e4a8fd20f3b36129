/* simulator payne: spectra from published neural emulators (The Payne, Ting et al. 2019; binspec,
 * El-Badry et al. 2018), imported with `anpe import payne`. Equations in README.md. */
#include "../common/emulator.h"
#include "../common/product.h"
#include "per_pixel.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 16 };

enum { PRECISION_AUTO, PRECISION_FLOAT, PRECISION_DOUBLE };

typedef struct payne_options {
    const char *file;
    int precision;
} payne_options;

static const anpe_option payne_option_table[] = {
    ANPE_OPT_FILE(payne_options, file, NULL,
                  "emulator, as 'anpe import payne' or 'anpe emulate' writes it"),
    ANPE_OPT_ENUM(
        payne_options, precision, PRECISION_AUTO, "auto|float|double",
        "of the last layer: float, twice as fast, gives normalised spectra to some 1e-6 of "
        "the continuum; auto: float where each value is good to 1e-6 of itself, also in "
        "the cores of lines"),
    ANPE_OPT_END};

typedef enum activation { LEAKY_RELU, RELU, SIGMOID } activation;

typedef struct payne {
    emulator e;
    int64_t n_layers; /* with the components as the last; 0: per pixel */
    int64_t n_hidden; /* of the layers: the first ones, which have an activation */
    activation activation;
    product layers[MAX_LAYERS + 1];
    int in_float;   /* the last of them is */
    int64_t widest; /* of the labels and all layers but the last */
    per_pixel pixels;
} payne;

static void payne_destroy(void *self)
{
    payne *p = self;
    if (!p)
        return;
    for (int i = 0; i <= MAX_LAYERS; i++)
        product_clear(&p->layers[i]);
    per_pixel_clear(&p->pixels);
    emulator_clear(&p->e);
    free(p);
}

/* Layer i: w and b of the network, or behind them basis and mean of the components. */
static anpe_status read_layer(anpe_ctx *ctx, payne *p, int64_t i, int64_t *width)
{
    char weights[32] = "basis", biases[32] = "mean";
    double *w = NULL, *b = NULL;
    const int last = i == p->n_layers - 1;
    int64_t shape[2] = {-1, *width};
    if (i < p->e.n_layers) {
        snprintf(weights, sizeof weights, "w%d", (int)i);
        snprintf(biases, sizeof biases, "b%d", (int)i);
    }
    anpe_status status;
    ANPE_TRY(last ? emulator_pixels(ctx, &p->e, weights, 2, shape, &w)
                  : emulator_array(ctx, &p->e, weights, 2, shape, &w));
    ANPE_TRY(last ? emulator_pixels(ctx, &p->e, biases, 1, shape, &b)
                  : emulator_array(ctx, &p->e, biases, 1, shape, &b));
    ANPE_TRY(product_new(ctx, shape[0], shape[1], w, 0, b, &p->layers[i]));
out:
    free(w);
    free(b);
    *width = shape[0];
    return status;
}

static anpe_status read_activation(anpe_ctx *ctx, payne *p)
{
    static const char *const names[] = {"leaky_relu", "relu", "sigmoid"};
    int a = 0;
    while (a < 3 && strcmp(names[a], p->e.activation))
        a++;
    if (a == 3)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: activation '%s'; known are leaky_relu, relu and sigmoid", p->e.path,
                         p->e.activation);
    p->activation = (activation)a;
    return ANPE_OK;
}

static anpe_status read_dense(anpe_ctx *ctx, payne *p)
{
    int64_t width = p->e.n_labels;
    anpe_status status;
    ANPE_TRY(read_activation(ctx, p));
    if (p->e.n_layers < 1 || p->e.n_layers > MAX_LAYERS)
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %lld layers; 1 to %d are possible", p->e.path,
                         (long long)p->e.n_layers, MAX_LAYERS);
    p->n_hidden = p->e.n_layers - 1;
    p->n_layers = p->e.n_layers + !strcmp(p->e.kind, "components");
    p->widest = width;
    for (int64_t i = 0; i < p->n_layers; i++) {
        ANPE_TRY(read_layer(ctx, p, i, &width));
        if (i < p->n_layers - 1 && width > p->widest)
            p->widest = width;
    }
out:
    return status;
}

static anpe_status read_per_pixel(anpe_ctx *ctx, payne *p)
{
    double *w0 = NULL, *b0 = NULL, *w1 = NULL, *b1 = NULL, *affine = NULL;
    int64_t shape[3] = {-1, -1, p->e.n_labels}, two = 2;
    const int sigmoid = !strcmp(p->e.output, "sigmoid");
    anpe_status status;
    ANPE_TRY(emulator_pixels(ctx, &p->e, "w0", 3, shape, &w0));
    ANPE_TRY(emulator_pixels(ctx, &p->e, "b0", 2, shape, &b0));
    ANPE_TRY(emulator_pixels(ctx, &p->e, "w1", 2, shape, &w1));
    ANPE_TRY(emulator_pixels(ctx, &p->e, "b1", 1, shape, &b1));
    if (sigmoid)
        ANPE_TRY(emulator_array(ctx, &p->e, "output_affine", 1, &two, &affine));
    ANPE_TRY(per_pixel_new(ctx, shape[0], shape[1], shape[2], w0, b0, w1, b1, &p->pixels));
    if (sigmoid) {
        p->pixels.sigmoid_output = 1;
        p->pixels.scale = (float)affine[0];
        p->pixels.offset = (float)affine[1];
    }
out:
    free(w0);
    free(b0);
    free(w1);
    free(b1);
    free(affine);
    return status;
}

static void payne_info(const void *self, anpe_simulator_info *info)
{
    emulator_info(&((const payne *)self)->e, info);
}

/* s = (label - x_min)/(x_max - x_min) - 1/2, in double: the labels of a hot star lose digits in
 * float. */
static anpe_status scale_labels(const payne *p, anpe_ctx *ctx, const double *theta, double *s)
{
    const double *lo = p->e.x_min, *hi = p->e.x_max;
    const anpe_status status = emulator_labels(&p->e, ctx, "payne", theta);
    for (int64_t i = 0; i < p->e.n_labels && !status; i++)
        s[i] = (theta[i] - lo[i]) / (hi[i] - lo[i]) - 0.5;
    return status;
}

static void activate(activation a, int64_t n, double *x)
{
    const double slope = a == RELU ? 0 : 0.01;
    if (a == SIGMOID)
        for (int64_t i = 0; i < n; i++)
            x[i] = 1 / (1 + exp(-x[i]));
    else
        for (int64_t i = 0; i < n; i++) {
            const double below = slope * x[i]; /* a maximum and no branch: signs are random */
            x[i] = x[i] > below ? x[i] : below;
        }
}

/* All layers but the last for n <= PRODUCT_CHUNK spectra: scaled labels in *x -> activations, or
 * coefficients of the components, in *x. *x and *y hold (product_rows(n), widest) each and are
 * exchanged. */
static void run_inner(const payne *p, int64_t n, double **x, double **y)
{
    for (int64_t i = 0; i < p->n_layers - 1; i++) {
        product_apply(&p->layers[i], n, *x, *y, NULL);
        if (i < p->n_hidden)
            activate(p->activation, n * p->layers[i].n_out, *y);
        double *swap = *x;
        *x = *y;
        *y = swap;
    }
}

/* The last layer: x (n, n_in) as run_inner leaves it -> flux. room: as large as x, for rounding it.
 */
static void run_last(const payne *p, int64_t n, const double *x, double *room, float *flux)
{
    const product *last = &p->layers[p->n_layers - 1];
    if (!p->in_float) {
        product_apply(last, n, x, NULL, flux);
        return;
    }
    float *rounded = (float *)(void *)room;
    for (int64_t i = 0; i < n * last->n_in; i++)
        rounded[i] = (float)x[i];
    product_apply_float(last, n, rounded, flux);
}

/* n <= PRODUCT_CHUNK spectra; x and y hold (product_rows(n), widest) each */
static anpe_status run_dense(const payne *p, anpe_ctx *ctx, int64_t n, const double *theta,
                             double *x, double *y, float *flux)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = i * p->e.n_labels;
        const anpe_status status = scale_labels(p, ctx, theta + at, x + at);
        if (status)
            return status;
    }
    run_inner(p, n, &x, &y);
    run_last(p, n, x, y, flux);
    return ANPE_OK;
}

/* Whether two sets of n flux values agree to half of what is asked of an emulator, 1e-6 of each
 * value. */
static int agree(int64_t n, const float *a, const float *b)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= 5e-7f * fabsf(b[i])))
            return 0;
    return 1;
}

/* Whether at random places of the domain the last layer makes no difference in float. */
static anpe_status try_float(payne *p, anpe_ctx *ctx)
{
    enum { PROBES = 4 * PRODUCT_ROWS_FLOAT };
    const int64_t size = PROBES * p->widest;
    const int64_t flux = PROBES * p->layers[p->n_layers - 1].n_out;
    anpe_rng rng = {.key = {0, 0x5041594e}}; /* "PAYN": a stream of its own */
    double *owned = NULL;
    float *in_double = NULL;
    anpe_status status;
    ANPE_TRY(ANPE_NEW(ctx, owned, 2, size));
    ANPE_TRY(ANPE_NEW(ctx, in_double, 2, flux));
    float *in_float = in_double + flux;
    double *x = owned, *y = owned + size;
    for (int64_t i = 0; i < PROBES * p->e.n_labels; i++)
        x[i] = anpe_uniform(&rng) - 0.5;
    run_inner(p, PROBES, &x, &y);
    run_last(p, PROBES, x, y, in_double);
    p->in_float = 1;
    run_last(p, PROBES, x, y, in_float);
    p->in_float = agree(flux, in_float, in_double);
out:
    free(owned);
    free(in_double);
    return status;
}

/* The last layer, nearly all of the work, in float as the option says. */
static anpe_status choose_precision(payne *p, anpe_ctx *ctx, int precision)
{
    product *last = &p->layers[p->n_layers - 1];
    if (precision == PRECISION_DOUBLE)
        return ANPE_OK;
    anpe_status status = product_add_float(ctx, last);
    p->in_float = precision == PRECISION_FLOAT;
    if (!status && precision == PRECISION_AUTO)
        status = try_float(p, ctx);
    if (!p->in_float)
        product_drop_float(last);
    return status;
}

static anpe_status payne_create(anpe_ctx *ctx, const void *options, const void *setup, void **self)
{
    const payne_options *o = options;
    payne *p;
    if (ANPE_NEW(ctx, p, 1))
        return ANPE_ENOMEM;
    anpe_status status;
    ANPE_TRY(emulator_open(ctx, o->file, "dense|components|per_pixel", setup, &p->e));
    ANPE_TRY(strcmp(p->e.kind, "per_pixel") ? read_dense(ctx, p) : read_per_pixel(ctx, p));
    ANPE_TRY(emulator_read_scatter(ctx, &p->e));
    if (p->n_layers)
        ANPE_TRY(choose_precision(p, ctx, o->precision));
    *self = p;
    return ANPE_OK;
out:
    payne_destroy(p);
    return status;
}

static anpe_status run_per_pixel(const payne *p, anpe_ctx *ctx, int64_t n, const double *theta,
                                 double *s, float *scaled, float *flux)
{
    const int64_t L = p->e.n_labels;
    for (int64_t i = 0; i < n; i++) {
        const anpe_status status = scale_labels(p, ctx, theta + i * L, s + i * L);
        if (status)
            return status;
    }
    for (int64_t i = 0; i < n * L; i++)
        scaled[i] = (float)s[i];
    per_pixel_apply(&p->pixels, n, scaled, flux);
    return ANPE_OK;
}

static int64_t width_of(const payne *p)
{
    return p->n_layers ? p->widest : p->e.n_labels;
}

/* Rows of a spectrum and its derivatives: whole tiles. */
static int64_t tangent_rows(const payne *p)
{
    return (1 + p->e.n_labels + PRODUCT_ROWS - 1) / PRODUCT_ROWS * PRODUCT_ROWS;
}

static size_t payne_scratch(const void *self, int64_t n)
{
    const payne *p = self;
    const int64_t rows = product_rows(n), tangents = tangent_rows(p);
    const int64_t most = rows > tangents ? rows : tangents;
    const int64_t room = p->n_layers ? 0 : per_pixel_derive_room(&p->pixels);
    return (size_t)(2 * most * width_of(p) + room) * sizeof(double);
}

/* d s_i / d theta_i */
static double label_slope(const payne *p, int64_t i)
{
    return 1 / (p->e.x_max[i] - p->e.x_min[i]);
}

/* Rows 1 to L, the tangents, through the activation that has made y (rows, n) of row 0. */
static void activate_tangents(activation a, int64_t rows, int64_t n, double *y)
{
    const double slope = a == RELU ? 0 : 0.01;
    for (int64_t i = 0; i < n; i++) {
        const double factor = a == SIGMOID ? y[i] * (1 - y[i]) : y[i] > 0 ? 1 : slope;
        for (int64_t r = 1; r < rows; r++)
            y[r * n + i] *= factor;
    }
}

/* Row 0 is the spectrum, row 1 + k its derivative with respect to label k: each layer is applied to
 * all of them, its bias to the first alone. */
static void derive_dense(const payne *p, double *x, double *y, float *flux)
{
    const int64_t L = p->e.n_labels, rows = 1 + L;
    const product *last = &p->layers[p->n_layers - 1];
    for (int64_t k = 0; k < L; k++)
        x[(1 + k) * L + k] = label_slope(p, k);
    for (int64_t i = 0; i < p->n_layers - 1; i++) {
        const int64_t width = p->layers[i].n_out;
        product_apply_tangents(&p->layers[i], rows, x, y, NULL);
        if (i < p->n_hidden) {
            activate(p->activation, width, y);
            activate_tangents(p->activation, rows, width, y);
        }
        double *swap = x;
        x = y;
        y = swap;
    }
    if (!p->in_float) {
        product_apply_tangents(last, rows, x, NULL, flux);
        return;
    }
    float *rounded = (float *)(void *)y;
    for (int64_t i = 0; i < rows * last->n_in; i++)
        rounded[i] = (float)x[i];
    product_apply_float_tangents(last, rows, rounded, flux);
}

static anpe_status payne_derivatives(const void *self, anpe_ctx *ctx, const double *theta,
                                     float *flux, void *scratch)
{
    const payne *p = self;
    const int64_t L = p->e.n_labels, P = p->e.n_pixels;
    double *x = scratch, *y = x + tangent_rows(p) * width_of(p);
    memset(scratch, 0, payne_scratch(self, 1));
    const anpe_status status = scale_labels(p, ctx, theta, x);
    if (status)
        return status;
    if (p->n_layers) {
        derive_dense(p, x, y, flux);
        return ANPE_OK;
    }
    per_pixel_derive(&p->pixels, x, (float *)(void *)y, flux, flux + P);
    for (int64_t k = 0; k < L; k++) {
        const float slope = (float)label_slope(p, k);
        for (int64_t i = 0; i < P; i++)
            flux[(1 + k) * P + i] *= slope;
    }
    return ANPE_OK;
}

static anpe_status payne_simulate(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                                  float *flux, void *scratch)
{
    const payne *p = self;
    double *x = scratch, *y = x + product_rows(n) * width_of(p);
    anpe_status status = ANPE_OK;
    memset(scratch, 0, payne_scratch(self, n)); /* rows that fill up a tile are computed too */
    for (int64_t i = 0; i < n && !status; i += PRODUCT_CHUNK) {
        const int64_t rows = n - i < PRODUCT_CHUNK ? n - i : PRODUCT_CHUNK;
        const double *labels = theta + i * p->e.n_labels;
        float *out = flux + i * p->e.n_pixels;
        status = p->n_layers ? run_dense(p, ctx, rows, labels, x, y, out)
                             : run_per_pixel(p, ctx, rows, labels, x, (float *)(void *)y, out);
    }
    return status;
}

static const anpe_simulator_ops payne_ops = {.size = sizeof payne_ops,
                                             .info = payne_info,
                                             .scratch_size = payne_scratch,
                                             .simulate = payne_simulate,
                                             .derivatives = payne_derivatives};

static const anpe_plugin payne_plugin = {
    .abi = ANPE_ABI,
    .kind = ANPE_SIMULATOR,
    .name = "payne",
    .version = "1.0",
    .summary = "neural emulators: The Payne (dense) and binspec (one network per pixel)",
    .options = payne_option_table,
    .options_size = sizeof(payne_options),
    .create = payne_create,
    .destroy = payne_destroy,
    .ops = &payne_ops};

ANPE_PLUGINS(&payne_plugin);
