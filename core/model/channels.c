/* Network input channels and their standardisation. */
#include "model/channels.h"
#include "stat/moments.h"
#include "base/text.h"
#include "model/curve.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const channel_name[ANPE_N_CHANNELS] = {"flux", "mask", "log_sigma", "position",
                                                          "newton"};

const char *anpe_channel_name(anpe_channel kind)
{
    return channel_name[kind];
}

static anpe_status set_kinds(anpe_ctx *ctx, anpe_channels *c, int n_names, const char *const *names)
{
    for (int i = 0; i < n_names; i++) {
        int k = 0;
        while (k < ANPE_N_CHANNELS && strcmp(names[i], channel_name[k]) != 0)
            k++;
        if (k == ANPE_N_CHANNELS) {
            char hint[64];
            return ANPE_FAIL(
                ctx, ANPE_ECONFIG, "observe: no channel '%s'%s (flux, mask, log_sigma, position)",
                names[i],
                anpe_text_hint(hint, sizeof hint, names[i], ANPE_N_CHANNELS, channel_name));
        }
        for (int j = 0; j < c->n_kinds; j++)
            if ((int)c->kind[j] == k)
                return ANPE_FAIL(ctx, ANPE_ECONFIG, "observe: channel '%s' is given twice",
                                 names[i]);
        c->kind[c->n_kinds++] = (anpe_channel)k;
    }
    return c->n_kinds ? ANPE_OK : ANPE_FAIL(ctx, ANPE_ECONFIG, "observe: no channels are given");
}

anpe_status anpe_channels_new(anpe_ctx *ctx, int64_t length, int64_t planes, int n_names,
                              const char *const *names, anpe_channels **out)
{
    anpe_status status = ANPE_OK;
    anpe_channels *c;
    *out = NULL;
    if (ANPE_NEW(ctx, c, 1))
        return ANPE_ENOMEM;
    c->length = length;
    c->planes = planes;
    c->limit = INFINITY;
    status = set_kinds(ctx, c, n_names, names);
    if (status) {
        anpe_channels_free(c);
        return status;
    }
    c->width = planes * c->n_kinds;
    const int64_t n = length * c->width;
    if (ANPE_NEW(ctx, c->mean, n) || ANPE_NEW(ctx, c->scale, n) || ANPE_NEW(ctx, c->curve, n)) {
        anpe_channels_free(c);
        return ANPE_ENOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        c->mean[i] = 0;
        c->scale[i] = 1;
    }
    *out = c;
    return ANPE_OK;
}

int64_t anpe_channels_of_fit(int64_t n_labels)
{
    return 5 * n_labels + n_labels * (n_labels - 1) / 2 + 4;
}

anpe_status anpe_channels_new_basis(anpe_ctx *ctx, anpe_basis *basis, anpe_start *start,
                                    anpe_channels **out)
{
    static const char *const names[] = {"flux", "log_sigma"}, *const of_fit[] = {"newton"};
    const anpe_status status =
        start ? anpe_channels_new(ctx, anpe_channels_of_fit(start->n_labels), 1, 1, of_fit, out)
              : anpe_channels_new(ctx, basis->n, 1, 2, names, out);
    if (status) {
        anpe_basis_free(basis);
        anpe_start_free(start);
        return status;
    }
    (*out)->basis = basis;
    (*out)->start = start;
    return status;
}

int64_t anpe_channels_segments(const anpe_channels *c, const anpe_task *t)
{
    return c->basis || c->start ? 0 : t->instrument.info.n_segments;
}

int64_t anpe_channels_values(const anpe_channels *c)
{
    return c->basis ? c->basis->n_values : c->length * c->planes;
}

anpe_channels *anpe_channels_free(anpe_channels *c)
{
    if (c) {
        anpe_basis_free(c->basis);
        anpe_start_free(c->start);
        free(c->mean);
        free(c->scale);
        free(c->curve);
        free(c);
    }
    return NULL;
}

static float raw_value(anpe_channel kind, const anpe_spectrum *s, int64_t p)
{
    switch (kind) {
    case ANPE_CHANNEL_MASK:
        return s->mask[p] ? 1.0f : 0.0f;
    case ANPE_CHANNEL_LOG_SIGMA:
        return log10f(s->sigma[p]);
    case ANPE_CHANNEL_POSITION:
        return 0;
    default:
        return s->flux[p];
    }
}

static float standard(const anpe_channels *c, int64_t i, float value)
{
    const float x = (anpe_curve(c->curve[i], value) - c->mean[i]) / c->scale[i];
    return fminf(fmaxf(x, -c->limit), c->limit);
}

static void fill_coefficients(const anpe_channels *c, const anpe_spectrum *s, float *x)
{
    double coefficient[ANPE_BASIS_MOST], error[ANPE_BASIS_MOST];
    anpe_basis_fit(c->basis, s, coefficient, error);
    for (int64_t l = 0; l < c->length; l++) {
        x[2 * l] = standard(c, 2 * l, (float)coefficient[l]);
        x[2 * l + 1] = standard(c, 2 * l + 1, (float)log10(error[l]));
    }
}

static double place_of(const double *wavelength, int64_t l)
{
    return wavelength ? log(wavelength[l]) : (double)l;
}

void anpe_channels_place(anpe_channels *c, const double *wavelength)
{
    anpe_moments m = {0};
    for (int pass = 0; pass < ANPE_MOMENTS_PASSES; pass++)
        for (int64_t l = 0; l < c->length; l++)
            anpe_moments_add(&m, pass, place_of(wavelength, l));
    const double mean = anpe_moments_mean(&m);
    const double sd = m.square > 0 ? anpe_moments_sd(&m) : 1; /* one pixel: 0 */
    for (int64_t i = 0; i < c->length * c->width; i++) {
        const int64_t l = i / c->width, channel = i % c->width;
        if (c->kind[channel / c->planes] == ANPE_CHANNEL_POSITION)
            c->mean[i] = (float)((mean - place_of(wavelength, l)) / sd);
    }
}

void anpe_channels_fill_values(const anpe_channels *c, const float *value, float *x)
{
    for (int64_t i = 0; i < c->length * c->width; i++)
        x[i] = standard(c, i, value[i]);
}

void anpe_channels_fill(const anpe_channels *c, const anpe_spectrum *s, float *x)
{
    if (c->basis) {
        fill_coefficients(c, s, x);
        return;
    }
    for (int k = 0; k < c->n_kinds; k++)
        for (int64_t plane = 0; plane < c->planes; plane++)
            for (int64_t l = 0; l < c->length; l++) {
                const int64_t i = l * c->width + k * c->planes + plane;
                x[i] = standard(c, i, raw_value(c->kind[k], s, plane * c->length + l));
            }
}

void anpe_channels_pull_back(const anpe_channels *c, const anpe_spectrum *s, const float *x,
                             const float *grad_x, float *grad_flux)
{
    if (c->basis) {
        double by_coefficient[ANPE_BASIS_MOST];
        for (int64_t l = 0; l < c->length; l++)
            by_coefficient[l] =
                fabsf(x[2 * l]) < c->limit ? (double)(grad_x[2 * l] / c->scale[2 * l]) : 0;
        anpe_basis_gradient(c->basis, s, by_coefficient, grad_flux);
        return;
    }
    memset(grad_flux, 0, (size_t)(c->planes * c->length) * sizeof *grad_flux);
    for (int k = 0; k < c->n_kinds; k++)
        for (int64_t plane = 0; c->kind[k] == ANPE_CHANNEL_FLUX && plane < c->planes; plane++)
            for (int64_t l = 0; l < c->length; l++) {
                const int64_t i = l * c->width + k * c->planes + plane;
                const int64_t p = plane * c->length + l;
                if (fabsf(x[i]) < c->limit)
                    grad_flux[p] =
                        grad_x[i] / c->scale[i] * anpe_curve_slope(c->curve[i], s->flux[p]);
            }
}

static double curved(const anpe_channels *c, const float *x, int64_t i)
{
    return (double)anpe_curve(c->curve[i], x[i]);
}

/* Of a channel over the pixels first .. last - 1 of all inputs, past their curves. */
static anpe_moments moments(const anpe_channels *c, int64_t n, const float *x, int64_t channel,
                            int64_t first, int64_t last)
{
    const int64_t stride = c->length * c->width;
    anpe_moments m = {0};
    for (int pass = 0; pass < ANPE_MOMENTS_PASSES; pass++)
        for (int64_t k = 0; k < n; k++)
            for (int64_t l = first; l < last; l++)
                anpe_moments_add(&m, pass, curved(c, x + k * stride, l * c->width + channel));
    return m;
}

static void choose_curves(anpe_channels *c, int64_t n, const float *x)
{
    const int64_t inputs = c->length * c->width;
    for (int64_t i = 0; i < inputs; i++)
        if (c->kind[i % c->width / c->planes] == ANPE_CHANNEL_FLUX)
            c->curve[i] = anpe_curve_choose(n, inputs, x + i);
}

int64_t anpe_channels_curved(const anpe_channels *c)
{
    int64_t count = 0;
    for (int64_t i = 0; i < c->length * c->width; i++)
        count += c->curve[i] != 0;
    return count;
}

void anpe_channels_fit(anpe_channels *c, int64_t n, const float *x, int per_pixel)
{
    if (per_pixel && !c->basis)
        choose_curves(c, n, x);
    for (int64_t channel = 0; channel < c->width; channel++) {
        const anpe_channel kind = c->kind[channel / c->planes];
        if (kind == ANPE_CHANNEL_MASK || kind == ANPE_CHANNEL_POSITION)
            continue;
        const anpe_moments all = moments(c, n, x, channel, 0, c->length);
        const double least = 1e-6 * (anpe_moments_sd(&all) + 1e-30);
        for (int64_t l = 0; l < c->length; l++) {
            const anpe_moments m = per_pixel ? moments(c, n, x, channel, l, l + 1) : all;
            const double sd = anpe_moments_sd(&m);
            /* A pixel that never changes carries nothing: leave its scale finite. */
            c->mean[l * c->width + channel] = (float)anpe_moments_mean(&m);
            c->scale[l * c->width + channel] = sd > least ? (float)sd : 1.0f;
        }
    }
    c->limit = ANPE_CHANNEL_LIMIT;
}
