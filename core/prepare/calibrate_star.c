/* A star to calibrate with: its labels, its spectrum on the simulator's pixels. */
#include "base/text.h"
#include "prepare/calibrate.h"
#include "spectrum/spectrum.h"
#include "stat/order.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FWHM 2.3548200450309493
enum { SIGMAS = 5 };

/* ---- resolution -------------------------------------------------------------------------- */

anpe_status anpe_calibrate_blur_new(anpe_ctx *ctx, double step, double resolution,
                                    anpe_calibrate_blur *blur)
{
    const double sigma = 1 / (FWHM * resolution * step);
    double sum = 0;
    blur->half = (int)ceil(SIGMAS * sigma);
    if (ANPE_NEW(ctx, blur->weight, 2 * blur->half + 1))
        return ANPE_ENOMEM;
    for (int k = -blur->half; k <= blur->half; k++)
        sum += exp(-0.5 * pow(k / sigma, 2));
    for (int k = -blur->half; k <= blur->half; k++)
        blur->weight[k + blur->half] = (float)(exp(-0.5 * pow(k / sigma, 2)) / sum);
    return ANPE_OK;
}

void anpe_calibrate_blur_apply(const anpe_calibrate_blur *blur, int64_t n, const float *in,
                               float *out)
{
    for (int64_t i = 0; i < n; i++) {
        float sum = 0;
        for (int k = -blur->half; k <= blur->half; k++) {
            const int64_t at = i + k < 0 ? 0 : i + k >= n ? n - 1 : i + k;
            sum += blur->weight[k + blur->half] * in[at];
        }
        out[i] = sum;
    }
}

/* ---- labels ------------------------------------------------------------------------------ */

static anpe_status within(anpe_ctx *ctx, const char *name, double value, double min, double max)
{
    return value >= min && value <= max
               ? ANPE_OK
               : ANPE_FAIL(ctx, ANPE_ECONFIG, "calibrate: %s = %g is outside [%g, %g]", name, value,
                           min, max);
}

static anpe_status set_label(anpe_ctx *ctx, const char *text, const anpe_simulator_info *sim,
                             anpe_calibrate_star *star)
{
    const char *names[ANPE_CALIBRATE_LABELS + 3], *equals = strchr(text, '=');
    char hint[80], name[32] = "", *end = NULL;
    const double value = equals ? strtod(equals + 1, &end) : 0;
    int n = 0;
    if (!equals || end == equals + 1 || *end || equals - text >= (ptrdiff_t)sizeof name ||
        !isfinite(value))
        return ANPE_FAIL(ctx, ANPE_ECONFIG, "calibrate: '%s' is no label: NAME=VALUE expected",
                         text);
    memcpy(name, text, (size_t)(equals - text));
    for (; n < sim->n_labels; n++)
        if (strcmp(names[n] = sim->labels[n].name, name) == 0) {
            star->theta[n] = value;
            return ANPE_OK;
        }
    for (int b = 0; b < ANPE_N_BROADENINGS; b++)
        if (strcmp(names[n++] = anpe_broaden_label[b].name, name) == 0) {
            star->kms[b] = value;
            return within(ctx, name, value, anpe_broaden_label[b].min, anpe_broaden_label[b].max);
        }
    names[n++] = "rv";
    if (strcmp(name, "rv") == 0) {
        star->rv = value;
        return within(ctx, name, value, -3000, 3000);
    }
    return ANPE_FAIL(ctx, ANPE_ECONFIG, "calibrate: the simulator has no label '%s'%s", name,
                     anpe_text_hint(hint, sizeof hint, name, n, names));
}

static anpe_status set_labels(anpe_ctx *ctx, const anpe_calibrate_row *row,
                              const anpe_simulator_info *sim, anpe_calibrate_star *star)
{
    anpe_status status = ANPE_OK;
    if (sim->n_labels > ANPE_CALIBRATE_LABELS)
        return ANPE_FAIL(ctx, ANPE_EUNSUPPORTED, "calibrate: more than %d labels",
                         ANPE_CALIBRATE_LABELS);
    for (int64_t i = 0; i < sim->n_labels; i++)
        star->theta[i] = NAN;
    for (int64_t i = 0; i < row->labels.n && !status; i++)
        status = set_label(ctx, row->labels.v[i], sim, star);
    for (int64_t i = 0; i < sim->n_labels && !status; i++)
        if (isnan(star->theta[i]))
            status = ANPE_FAIL(ctx, ANPE_ECONFIG, "calibrate: %s: label %s is missing", star->name,
                               sim->labels[i].name);
    return status;
}

/* ---- spectrum ---------------------------------------------------------------------------- */

static anpe_status read_arrays(anpe_ctx *ctx, const anpe_calibrate_row *row, double **wavelength,
                               double **flux, int64_t *n)
{
    int rank[2];
    int64_t shape[2][4];
    anpe_status status =
        anpe_array_read(ctx, row->file, row->wavelength, wavelength, &rank[0], shape[0]);
    if (!status)
        status = anpe_array_read(ctx, row->file, row->flux, flux, &rank[1], shape[1]);
    if (status)
        return status;
    *n = shape[0][0];
    if (rank[0] != 1 || *n < 2 || rank[1] > 2 || shape[1][rank[1] - 1] != *n ||
        (rank[1] == 2 && shape[1][0] != 1))
        return ANPE_FAIL(ctx, ANPE_EFORMAT, "%s: %s and %s must be two rows of equal length",
                         row->file, row->wavelength, row->flux);
    for (int64_t i = 0; i < *n; i++) {
        const double w = (*wavelength)[i];
        if (!(w > 0) || !isfinite(w) || (i > 0 && w <= (*wavelength)[i - 1]))
            return ANPE_FAIL(ctx, ANPE_EFORMAT,
                             "%s: %s must be positive and ascend: %g after %g at %lld", row->file,
                             row->wavelength, w, i > 0 ? (*wavelength)[i - 1] : 0, (long long)i);
    }
    return ANPE_OK;
}

/* The observed at pixel x of ln(lambda): mean under a Gaussian, over the samples' widths, none of
 * which reaches over a gap of more than sigma; NAN where samples are missing. *from: the first
 * sample that may matter, moved on. */
static float sample(const double *x, const double *flux, int64_t n, double at, double sigma,
                    int64_t *from)
{
    double sum = 0, weight = 0, covered = 0;
    while (*from < n && x[*from] < at - SIGMAS * sigma)
        ++*from;
    for (int64_t i = *from; i < n && x[i] <= at + SIGMAS * sigma; i++) {
        const double left = i > 0 ? x[i] - x[i - 1] : 0, right = i < n - 1 ? x[i + 1] - x[i] : 0;
        const double width = 0.5 * (fmin(left, sigma) + fmin(right, sigma));
        const double g = width * exp(-0.5 * pow((x[i] - at) / sigma, 2));
        if (isfinite(flux[i])) {
            sum += g * flux[i];
            weight += g;
            covered += width;
        }
    }
    return covered > 2 * (SIGMAS - 0.5) * sigma ? (float)(sum / weight) : NAN;
}

/* Pixels that see beyond the simulator's ends: by the Gaussian, rotation and macroturbulence (3.5
 * times its value). */
static int64_t reach_of_ends(const anpe_simulator_info *sim, const anpe_calibrate_options *o,
                             const anpe_calibrate_star *star)
{
    const double step = log(sim->wavelength[1] / sim->wavelength[0]);
    const double kms = star->kms[ANPE_BROADEN_VSINI] + 3.5 * star->kms[ANPE_BROADEN_VMACRO];
    return (int64_t)ceil((SIGMAS / (FWHM * o->resolution) + kms / ANPE_C_KMS) / step);
}

static anpe_status resample(anpe_ctx *ctx, const anpe_calibrate_row *row,
                            const anpe_simulator_info *sim, const anpe_calibrate_options *o,
                            double *wavelength, const double *flux, int64_t n,
                            anpe_calibrate_star *star)
{
    const double own = row->resolution > 0 ? 1 / row->resolution : 0;
    const double blur = sqrt(pow(1 / o->resolution, 2) - own * own) / FWHM;
    int64_t from = 0, good = 0;
    if (!(own < 1 / o->resolution))
        return ANPE_FAIL(ctx, ANPE_ECONFIG,
                         "calibrate: %s has resolution %g, which is not above that of the "
                         "comparison, %g",
                         star->name, row->resolution, o->resolution);
    for (int64_t i = 0; i < n; i++)
        wavelength[i] = log(row->air ? anpe_air_to_vacuum(wavelength[i]) : wavelength[i]) -
                        atanh(star->rv / ANPE_C_KMS);
    if (n > 2) {
        const double step = (wavelength[n - 1] - wavelength[0]) / (double)(n - 1);
        if (step > blur)
            return ANPE_FAIL(
                ctx, ANPE_ECONFIG,
                "calibrate: %s has %g samples in the width of the Gaussian that brings "
                "it from resolution %g to %g; at least 1 is needed: lower "
                "calibrate.resolution",
                star->name, blur / step, row->resolution, o->resolution);
    }
    const int64_t end = reach_of_ends(sim, o, star);
    for (int64_t i = 0; i < sim->n_pixels; i++) {
        const double w = sim->wavelength[i];
        const int inside = (o->lambda_min <= 0 || w >= o->lambda_min) &&
                           (o->lambda_max <= 0 || w <= o->lambda_max) && i >= end &&
                           i < sim->n_pixels - end;
        star->observed[i] = inside ? sample(wavelength, flux, n, log(w), blur, &from) : NAN;
        good += isfinite(star->observed[i]) != 0;
    }
    if (good == 0)
        return ANPE_FAIL(ctx, ANPE_EFORMAT,
                         "%s: no flux between %g and %g Angstrom (vacuum, at rest)", row->file,
                         sim->wavelength[0], sim->wavelength[sim->n_pixels - 1]);
    return ANPE_OK;
}

anpe_status anpe_calibrate_star_read(anpe_ctx *ctx, const anpe_calibrate_row *row,
                                     const anpe_simulator_info *sim,
                                     const anpe_calibrate_options *o, anpe_calibrate_star *star)
{
    double *wavelength = NULL, *flux = NULL;
    int64_t n = 0;
    anpe_status status;
    snprintf(star->name, sizeof star->name, "%s", anpe_text_basename(row->file));
    if (ANPE_NEW(ctx, star->observed, sim->n_pixels) ||
        ANPE_NEW(ctx, star->scaled, sim->n_pixels) || ANPE_NEW(ctx, star->flux, sim->n_pixels))
        return ANPE_ENOMEM;
    ANPE_TRY(set_labels(ctx, row, sim, star));
    ANPE_TRY(read_arrays(ctx, row, &wavelength, &flux, &n));
    ANPE_TRY(resample(ctx, row, sim, o, wavelength, flux, n, star));
out:
    free(wavelength);
    free(flux);
    return status;
}

/* ---- scale ------------------------------------------------------------------------------- */

/* Median of observed over model between two wavelengths; NAN: no pixel there. */
static double ratio(const anpe_simulator_info *sim, const anpe_calibrate_star *star, double low,
                    double high, double *room)
{
    int64_t n = 0;
    for (int64_t i = 0; i < sim->n_pixels; i++)
        if (sim->wavelength[i] >= low && sim->wavelength[i] <= high && isfinite(star->observed[i]))
            room[n++] = (double)star->observed[i] / (double)star->flux[i];
    if (n == 0)
        return NAN;
    anpe_sort(n, room);
    return anpe_quantile_sorted(n, room, 0.5);
}

double anpe_calibrate_star_scale(const anpe_simulator_info *sim, double width,
                                 anpe_calibrate_star *star, double *room)
{
    const double all = ratio(sim, star, 0, INFINITY, room);
    double sum = 0, left = NAN, right = NAN, centre = -INFINITY;
    int64_t n = 0;
    for (int64_t i = 0; i < sim->n_pixels; i++) {
        const double w = sim->wavelength[i];
        double scale = all;
        if (width > 0) { /* linear between the middles of the pieces */
            const double middle = width * (floor(w / width - 0.5) + 0.5);
            if (middle > centre) {
                left = isinf(centre)
                           ? ratio(sim, star, middle - width / 2, middle + width / 2, room)
                           : right;
                right = ratio(sim, star, middle + width / 2, middle + 1.5 * width, room);
                centre = middle;
            }
            const double a = isnan(left) ? right : left, b = isnan(right) ? left : right;
            scale = isnan(a) ? all : a + (b - a) * (w - middle) / width;
        }
        star->scaled[i] = (float)((double)star->observed[i] / scale);
        if (isfinite(star->scaled[i])) {
            sum += pow((double)star->scaled[i] - (double)star->flux[i], 2);
            n++;
        }
    }
    return sqrt(sum / (double)n);
}
