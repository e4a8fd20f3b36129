/* The sky over LAMOST for its noise model: throughput of two arms, airglow, telluric bands.
 *
 * Lines: city lights (Hg), [O I], Na, from Osterbrock & Martel 1992 (PASP 104, 76); OH from
 * Osterbrock et al. 1996 (PASP 108, 277); air wavelengths, strengths rounded and relative. The
 * throughput follows the S/N of the survey's F stars (Luo et al. 2015, RAA 15, 1095). Telluric
 * bands are drawn as a few Gaussians, which is what R = 1800 leaves of them. */
#include "lamost_lrs.h"

static const survey_sky_line lines_in_air[] = {
    {4046.56, 0.1}, {4358.34, 0.3}, {5460.74, 0.5}, {5577.34, 1.0}, {5890.0, 0.3},  {5895.9, 0.2},
    {6300.30, 0.6}, {6363.78, 0.2}, {6863.96, 0.1}, {6923.22, 0.1}, {7276.41, 0.2}, {7316.28, 0.2},
    {7340.89, 0.2}, {7750.64, 0.3}, {7794.11, 0.3}, {7821.50, 0.3}, {7913.71, 0.4}, {7964.65, 0.3},
    {7993.33, 0.3}, {8025.81, 0.2}, {8344.60, 0.5}, {8382.39, 0.2}, {8399.17, 0.5}, {8415.23, 0.2},
    {8430.17, 0.5}, {8465.36, 0.4}, {8493.39, 0.3}, {8504.6, 0.2},  {8778.33, 0.4}, {8791.19, 0.3},
    {8827.10, 0.7}, {8885.85, 0.7}, {8903.11, 0.2}, {8919.64, 0.6}, {8943.40, 0.3}, {8957.92, 0.5},
    {8988.37, 0.3}, {9001.3, 0.2},  {9037.95, 0.3}};

/* Vacuum Angstrom, relative throughput: S/N squared. The step is where the arms join. */
static const double throughput[][2] = {{3700, 0.02}, {3900, 0.06}, {4200, 0.15}, {4600, 0.25},
                                       {5000, 0.33}, {5500, 0.36}, {5780, 0.33}, {5820, 0.45},
                                       {6200, 0.75}, {6600, 0.95}, {7000, 1.0},  {7500, 0.98},
                                       {8000, 0.8},  {8500, 0.6},  {9100, 0.3}};

/* Centre (vacuum Angstrom), FWHM (Angstrom), optical depth at airmass 1. */
static const double bands[][3] = {{6873, 10, 0.25}, {6890, 20, 0.15}, {6918, 30, 0.06},
                                  {7190, 50, 0.12}, {7250, 40, 0.08}, {7608, 14, 0.9},
                                  {7630, 20, 0.6},  {7655, 30, 0.4},  {8165, 60, 0.08},
                                  {8230, 60, 0.15}, {8985, 80, 0.25}, {9080, 60, 0.15}};

static void describe_sky(survey_sky *sky)
{
    for (size_t k = 0; k < sizeof lines_in_air / sizeof lines_in_air[0]; k++) {
        survey_sky_line line = lines_in_air[k];
        line.wavelength = anpe_air_to_vacuum(line.wavelength);
        survey_sky_add_lines(sky, 1, &line, LAMOST_RESOLUTION);
    }
    survey_sky_set_throughput(sky, sizeof throughput / sizeof throughput[0], throughput);
    for (size_t k = 0; k < sizeof bands / sizeof bands[0]; k++)
        survey_sky_absorb(sky, bands[k][0], bands[k][2], bands[k][0] / bands[k][1]);
}

/* From blue to red stars. Few pixels are flagged in these files; most losses are whole stretches of
 * the blue end. No shift: the wavelengths are heliocentric, within half a pixel of the sky's. */
static const survey_variety variety = {
    .sky = {0.02, 3},
    .read = {0.001, 0.1},
    .outshone = {2, 50},
    .airmass = {0.9, 2},
    .colour = {-1, 5},
    .hits = {0.0001, 0.003},
    .runs = {0.0001, 0.002},
    .length = 15,
    .shift = 0,
};

static const anpe_option options[] = {SURVEY_NOISE_OPTIONS(10, 300)};

static anpe_status create(anpe_ctx *ctx, const void *o, const void *setup, void **self)
{
    const anpe_noise_setup *with = setup;
    survey_noise *s = NULL;
    const anpe_status status =
        survey_noise_new(ctx, o, with, LAMOST_LOG_STEP, 10, describe_sky, &variety, &s);
    *self = s;
    return status;
}

static void destroy(void *self)
{
    survey_noise_free(self);
}

static const anpe_noise_ops ops = {sizeof ops, survey_noise_draw, NULL, NULL, survey_noise_unit};

const anpe_plugin lamost_lrs_noise = {
    .abi = ANPE_ABI,
    .kind = ANPE_NOISE,
    .name = "lamost_lrs",
    .version = "1",
    .summary = "LAMOST low-resolution error bars and masks, from a library or a synthetic sky",
    .options = options,
    .options_size = sizeof(survey_noise_options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};
