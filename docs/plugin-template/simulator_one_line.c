/* simulator_one_line.c -- a simulator to copy: one absorption line in a flat continuum.
 *
 *     flux(lambda) = exp(-tau 10^fe_h exp(-(lambda - centre)^2 / (2 w^2))),  w = centre vmicro / c
 *
 * tau is the optical depth in the line's middle at solar metallicity, vmicro the velocity spread
 * (km/s). README.md says more; <anpe/plugin.h> is the whole contract.
 */
#include <anpe/plugin.h>
#include <math.h>
#include <stdlib.h>

enum { FE_H, VMICRO, N_LABELS };

static const anpe_label labels[N_LABELS] = {
    [FE_H] = {"fe_h", "dex", -3, 1},
    [VMICRO] = {"vmicro", "km/s", 0.1, 50},
};

/* The core fills this struct from the user's configuration, checked against the table below. */
typedef struct one_line_options {
    double centre, width, tau;
    int64_t n_pixels;
} one_line_options;

static const anpe_option options[] = {
    ANPE_OPT_REAL(one_line_options, centre, 5000, 100, 1e6, "A", "vacuum wavelength of the line"),
    ANPE_OPT_REAL(one_line_options, width, 20, 1e-3, 1e5, "A", "width of the window around it"),
    ANPE_OPT_REAL(one_line_options, tau, 1, 0, 1e6, "", "optical depth of the line at fe_h = 0"),
    ANPE_OPT_INT(one_line_options, n_pixels, 200, 2, 1000000, "", "pixels of the window"),
    ANPE_OPT_END,
};

/* What create makes and the other callbacks read: never written to after that. */
typedef struct one_line {
    one_line_options options;
    double *wavelength; /* (n_pixels) */
} one_line;

static void destroy(void *self)
{
    one_line *s = self;
    if (s)
        free(s->wavelength);
    free(s);
}

static anpe_status create(anpe_ctx *ctx, const void *given, const void *setup, void **self)
{
    (void)setup; /* the instrument's wavelength range: this simulator has a window of its own */
    one_line *s;
    if (ANPE_NEW(ctx, s, 1))
        return ANPE_ENOMEM;
    s->options = *(const one_line_options *)given;
    const one_line_options *o = &s->options;
    if (o->width >= 2 * o->centre) {
        const double width = o->width;
        destroy(s);
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "one_line: width %g A reaches below zero wavelength",
                         width);
    }
    if (ANPE_NEW(ctx, s->wavelength, o->n_pixels)) {
        destroy(s);
        return ANPE_ENOMEM;
    }
    for (int64_t i = 0; i < o->n_pixels; i++)
        s->wavelength[i] = o->centre + o->width * ((double)i / (double)(o->n_pixels - 1) - 0.5);
    *self = s;
    return ANPE_OK;
}

static void info(const void *self, anpe_simulator_info *info)
{
    const one_line *s = self;
    *info = (anpe_simulator_info){
        .n_labels = N_LABELS,
        .labels = labels,
        .n_pixels = s->options.n_pixels,
        .wavelength = s->wavelength,
        .resolution = ANPE_UNBOUNDED, /* not broadened by any instrument */
        .normalised = 1,
    };
}

static anpe_status check(anpe_ctx *ctx, const double *theta)
{
    for (int k = 0; k < N_LABELS; k++)
        if (!(theta[k] >= labels[k].min && theta[k] <= labels[k].max))
            return ANPE_FAIL(ctx, ANPE_EINVAL, "one_line: label %s outside [%g, %g]: %g",
                             labels[k].name, labels[k].min, labels[k].max, theta[k]);
    return ANPE_OK;
}

/* theta (n, N_LABELS), flux (n, n_pixels). Without an op scratch_size there is no scratch: a
 * simulator that needs memory to work in says how much there, and does not allocate it here. */
static anpe_status simulate(const void *self, anpe_ctx *ctx, int64_t n, const double *theta,
                            float *flux, void *scratch)
{
    (void)scratch;
    const double c = ANPE_C_KMS;
    const one_line *s = self;
    for (int64_t k = 0; k < n; k++, theta += N_LABELS, flux += s->options.n_pixels) {
        anpe_status status = check(ctx, theta);
        if (status)
            return status;
        const double tau = s->options.tau * pow(10, theta[FE_H]);
        const double w = s->options.centre * theta[VMICRO] / c;
        for (int64_t i = 0; i < s->options.n_pixels; i++) {
            const double x = (s->wavelength[i] - s->options.centre) / w;
            flux[i] = (float)exp(-tau * exp(-0.5 * x * x));
        }
    }
    return ANPE_OK;
}

static const anpe_simulator_ops ops = {.size = sizeof ops, .info = info, .simulate = simulate};

ANPE_PLUGIN(ANPE_SIMULATOR, "one_line", "1.0", "one absorption line in a flat continuum (template)",
            one_line_options, destroy);
