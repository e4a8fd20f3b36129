/* A simulator's rest-frame flux as the instrument sees it.
 *
 * In x = ln(lambda) a radial velocity v is a shift, s = atanh(v/c):
 *     observed(x) = rest(x - s),   since sqrt((1 - v/c)/(1 + v/c)) = exp(-atanh(v/c)).
 * Then the pixels of the instrument: projector_project.c, or projector_shift.c for a simulator that
 * is on them already.
 *
 * All of it is linear in the flux; the derivative with respect to the velocity is the same sums
 * with the derivatives of the weights. */
#include "spectrum/grid.h"
#include "spectrum/projector_private.h"

#include <math.h>
#include <string.h>

/* Data without wavelengths passes through. */
static anpe_status set_up_copy(anpe_ctx *ctx, anpe_projector *p, const anpe_projector_setup *s)
{
    p->mode = ANPE_PROJECTOR_COPY;
    p->n_out = s->instrument->n_pixels * s->instrument->channels;
    if (s->n_in != p->n_out)
        return ANPE_FAIL(ctx, ANPE_EINVAL,
                         "the simulator gives %lld values, the instrument has "
                         "%lld",
                         (long long)s->n_in, (long long)p->n_out);
    return ANPE_OK;
}

anpe_status anpe_projector_new(anpe_ctx *ctx, const anpe_projector_setup *setup,
                               anpe_projector **out)
{
    const anpe_instrument_info *ins = setup->instrument;
    *out = NULL;
    anpe_projector *p = anpe_alloc(ctx, sizeof *p);
    if (!p)
        return ANPE_ENOMEM;
    p->n_in = setup->n_in;
    p->n_out = ins->n_pixels;
    anpe_status status;
    if (!ins->wavelength) {
        status = set_up_copy(ctx, p, setup);
    } else if (!(setup->max_rv >= 0 && setup->max_rv < ANPE_C_KMS / 2)) {
        status = ANPE_FAIL(ctx, ANPE_EINVAL, "radial velocities up to %g km/s", setup->max_rv);
    } else {
        status = anpe_grid_check(ctx, "instrument", ins->n_pixels, ins->wavelength);
        if (!status)
            status = anpe_grid_check_segments(ctx, ins->n_pixels, ins->n_segments, ins->segment);
        if (!status)
            status = setup->on_grid ? anpe_projector_set_up_shift(ctx, p, setup)
                                    : anpe_projector_set_up_project(ctx, p, setup);
    }
    if (status)
        anpe_projector_free(p);
    else
        *out = p;
    return status;
}

anpe_projector *anpe_projector_free(anpe_projector *p)
{
    if (!p)
        return NULL;
    anpe_free(p->x);
    anpe_free(p->segment);
    anpe_free(p->step);
    anpe_free(p->sinc);
    anpe_free(p->source);
    anpe_free(p->source_weight);
    anpe_free(p->hole);
    anpe_free(p->first);
    anpe_free(p->offset);
    anpe_free(p->weight);
    anpe_free(p->strip);
    anpe_free(p);
    return NULL;
}

/* ---- what the simulator does not cover --------------------------------------------------- */

/* Pixel i of a segment x[0..n). */
static int is_past_end(const double *x, int64_t n, int64_t i, double s_min, double s_max)
{
    const double slack = 1e-12; /* of ln(lambda): rounding */
    return x[i] - s_max < x[0] - slack || x[i] - s_min > x[n - 1] + slack;
}

/* How many there are of the pixels that are good (mask NULL: of all), marked unless NULL. */
static int64_t find_uncovered(const anpe_projector *p, double rv_min, double rv_max,
                              const uint8_t *mask, uint8_t *uncovered)
{
    const double s_min = atanh(rv_min / ANPE_C_KMS), s_max = atanh(rv_max / ANPE_C_KMS);
    int64_t n = 0, k = 0;
    for (int64_t i = 0; p->mode != ANPE_PROJECTOR_COPY && i < p->n_out; i++) {
        while (p->mode == ANPE_PROJECTOR_SHIFT && i >= p->segment[k + 1])
            k++;
        if (mask && mask[i])
            continue;
        const int lost =
            p->mode == ANPE_PROJECTOR_SHIFT
                ? is_past_end(p->x + p->segment[k], p->segment[k + 1] - p->segment[k],
                              i - p->segment[k], s_min, s_max)
                : anpe_projector_project_is_uncovered(p, i, (int64_t)floor(-s_max / p->h),
                                                      (int64_t)ceil(-s_min / p->h));
        if (lost && uncovered)
            uncovered[i] = 1;
        n += lost;
    }
    return n;
}

void anpe_projector_uncovered(const anpe_projector *p, double rv_min, double rv_max,
                              uint8_t *uncovered)
{
    memset(uncovered, 0, (size_t)p->n_out);
    (void)find_uncovered(p, rv_min, rv_max, NULL, uncovered);
}

int anpe_projector_covers(const anpe_projector *p, double rv, const uint8_t *mask)
{
    return find_uncovered(p, rv, rv, mask, NULL) == 0;
}

/* ---- spectra ---------------------------------------------------------------------------- */

size_t anpe_projector_scratch(const anpe_projector *p)
{
    return p->mode == ANPE_PROJECTOR_PROJECT ? anpe_projector_project_scratch(p) : 0;
}

static void shifts_of(int64_t n, const double *rv, double *s)
{
    for (int64_t k = 0; k < n; k++)
        s[k] = rv ? atanh(rv[k] / ANPE_C_KMS) : 0;
}

/* One spectrum of a simulator that is on the instrument's pixels. */
static void shift(const anpe_projector *p, double s, const float *in, float *out)
{
    if (p->mode == ANPE_PROJECTOR_COPY || s == 0)
        memcpy(out, in, (size_t)p->n_out * sizeof *out);
    else
        for (int64_t k = 0; k < p->n_segments; k++)
            anpe_projector_shift_segment(p, 0, k, s, in, out);
}

static void shift_transpose(const anpe_projector *p, double s, const float *out, float *in)
{
    if (p->mode == ANPE_PROJECTOR_COPY || s == 0) {
        memcpy(in, out, (size_t)p->n_out * sizeof *in);
        return;
    }
    memset(in, 0, (size_t)p->n_in * sizeof *in);
    for (int64_t k = 0; k < p->n_segments; k++)
        anpe_projector_shift_segment_transpose(p, k, s, out, in);
}

void anpe_projector_apply(const anpe_projector *p, int64_t n, const double *rv,
                          const float *flux_in, float *flux_out, void *scratch)
{
    for (int64_t first = 0; first < n; first += ANPE_PROJECTOR_BLOCK) {
        const int64_t m = n - first < ANPE_PROJECTOR_BLOCK ? n - first : ANPE_PROJECTOR_BLOCK;
        const float *in = flux_in + first * p->n_in;
        float *out = flux_out + first * p->n_out;
        double s[ANPE_PROJECTOR_BLOCK];
        shifts_of(m, rv ? rv + first : NULL, s);
        if (p->mode == ANPE_PROJECTOR_PROJECT)
            anpe_projector_project(p, 0, m, s, in, out, scratch);
        for (int64_t k = 0; p->mode != ANPE_PROJECTOR_PROJECT && k < m; k++)
            shift(p, s[k], in + k * p->n_in, out + k * p->n_out);
    }
}

void anpe_projector_transpose(const anpe_projector *p, int64_t n, const double *rv, const float *y,
                              float *x, void *scratch)
{
    for (int64_t first = 0; first < n; first += ANPE_PROJECTOR_BLOCK) {
        const int64_t m = n - first < ANPE_PROJECTOR_BLOCK ? n - first : ANPE_PROJECTOR_BLOCK;
        const float *out = y + first * p->n_out;
        float *in = x + first * p->n_in;
        double s[ANPE_PROJECTOR_BLOCK];
        shifts_of(m, rv ? rv + first : NULL, s);
        if (p->mode == ANPE_PROJECTOR_PROJECT)
            anpe_projector_project_transpose(p, m, s, out, in, scratch);
        for (int64_t k = 0; p->mode != ANPE_PROJECTOR_PROJECT && k < m; k++)
            shift_transpose(p, s[k], out + k * p->n_out, in + k * p->n_in);
    }
}

void anpe_projector_slope(const anpe_projector *p, double rv, const float *flux_in, float *slope,
                          void *scratch)
{
    const double beta = rv / ANPE_C_KMS, s = atanh(beta);
    if (p->mode == ANPE_PROJECTOR_PROJECT)
        anpe_projector_project(p, 1, 1, &s, flux_in, slope, scratch);
    for (int64_t k = 0; p->mode == ANPE_PROJECTOR_SHIFT && k < p->n_segments; k++)
        anpe_projector_shift_segment(p, 1, k, s, flux_in, slope);
    const float per_kms = (float)(1 / (ANPE_C_KMS * (1 - beta * beta))); /* d s / d rv */
    for (int64_t i = 0; i < p->n_out; i++)
        slope[i] = p->mode == ANPE_PROJECTOR_COPY ? 0 : slope[i] * per_kms;
}
