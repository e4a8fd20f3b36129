/* The sky over APOGEE for its noise model: throughput of three detectors, OH airglow, CO2 and CH4.
 *
 * Sky lines: OH, vacuum Angstrom, from Rousselot et al. 2000 (A&A 354, 1134); strengths are rounded
 * and relative; most of those within the detectors are where the masks of visits have SIG_SKYLINE.
 * Telluric lines are computed: the 3nu1 + nu3 tetrad of CO2 with B'' = 0.3902 cm-1 (Rothman et al.
 * 1992) and the 2nu3 band of CH4 (Hippler & Quack 2002), populated at 250 K. Depths, throughput and
 * the rates of bad pixels resemble combined spectra of Data Release 12 to 14 (Nidever et al. 2015,
 * AJ 150, 173). None of it is measured on the spectrum at hand. */
#include "apogee.h"

#include <math.h>

#define RESOLUTION 22500.0
#define KT_250     173.8 /* k 250 K / (h c), cm-1 */

static const survey_sky_line oh[] = {
    {15187.140, 0.7}, {15240.954, 0.9}, {15287.789, 0.8}, {15332.402, 0.8}, {15395.334, 0.5},
    {15430.163, 0.2}, {15432.156, 0.6}, {15462.125, 0.2}, {15474.212, 0.2}, {15500.873, 0.3},
    {15509.791, 0.2}, {15517.799, 0.3}, {15539.711, 0.4}, {15540.945, 0.5}, {15546.141, 0.4},
    {15570.159, 0.4}, {15597.631, 0.4}, {15631.522, 0.3}, {15655.4, 0.5},   {15702.539, 0.5},
    {15833.3, 0.5},   {15848.061, 0.4}, {15862.489, 0.2}, {15869.307, 0.6}, {15890.033, 0.4},
    {15897.211, 0.3}, {15972.596, 0.7}, {16030.831, 0.8}, {16079.753, 0.7}, {16128.608, 0.8},
    {16194.615, 0.5}, {16235.376, 0.6}, {16302.05, 0.4},  {16317.161, 0.5}, {16341.7, 0.4},
    {16350.650, 0.5}, {16360.385, 0.4}, {16388.492, 0.6}, {16414.737, 0.3}, {16442.155, 0.5},
    {16447.6, 0.2},   {16475.648, 0.3}, {16502.365, 1.0}, {16553.814, 0.6}, {16689.2, 0.3},
    {16692.380, 1.0}, {16702.6, 0.3},   {16708.9, 0.7},   {16732.5, 0.5},   {16802.368, 0.3},
    {16840.481, 0.9}, {16903.679, 0.9}, {17008.757, 0.6}};

/* Detectors in the observer's frame: ends in pixels of 10^(4.179 + 6e-6 i), and throughput
 * level + slope u, u from -1 to 1. */
static const struct {
    double first, end, level, slope;
} detectors[] = {{205, 3306, 0.95, 0.2}, {3545, 6114, 1.2, -0.1}, {6300, 8367, 0.9, -0.3}};

#define EDGE 15.0 /* pixels over which a detector's end rolls off */

static void add_throughput(survey_sky *sky)
{
    for (int64_t k = 0; k < sky->n; k++) {
        const double i =
            (sky->log_start + (double)k * sky->log_step - APOGEE_LOG_START) / APOGEE_LOG_STEP;
        for (size_t d = 0; d < sizeof detectors / sizeof detectors[0]; d++) {
            const double a = detectors[d].first, b = detectors[d].end;
            const double u = (2 * i - a - b) / (b - a), inside = fmin(i - a, b - 1 - i);
            if (inside >= 0)
                sky->throughput[k] =
                    (detectors[d].level + detectors[d].slope * u) * (1 - 0.8 * exp(-inside / EDGE));
        }
    }
}

/* A CO2 band: P and R branches of even J, nu = nu0 + (B'+B'') m + (B'-B'') m^2. */
static void absorb_co2(survey_sky *sky, double nu0, double strongest)
{
    const double b = 0.39022, b_upper = 0.3867;
    const double peak = 14.0 * exp(-b * 14 * 15 / KT_250); /* the largest J exp(-E/kT) */

    for (int j = 0; j <= 60; j += 2) {
        const double population = exp(-b * j * (j + 1) / KT_250) / peak;
        for (int branch = -1; branch <= 1; branch += 2) {
            const double m = branch < 0 ? -j : j + 1;
            const double nu = nu0 + (b_upper + b) * m + (b_upper - b) * m * m;
            survey_sky_absorb(sky, 1e8 / nu, strongest * fabs(m) * population, RESOLUTION);
        }
    }
}

/* CH4 2nu3: manifolds of the P and R branches and the Q branch. */
static void absorb_ch4(survey_sky *sky)
{
    const double nu0 = 6004.86, b = 5.241;

    for (int j = 0; j <= 12; j++) {
        const double population = (2 * j + 1) * exp(-b * j * (j + 1) / KT_250) / 5.0;
        for (int branch = -1; branch <= 1; branch += 2) {
            const double m = branch < 0 ? -j : j + 1;
            if (j > 0 || branch > 0)
                survey_sky_absorb(sky, 1e8 / (nu0 + 10.85 * m - 0.08 * m * m), 0.12 * population,
                                  RESOLUTION / 2);
        }
        survey_sky_absorb(sky, 1e8 / (nu0 - 0.07 * j * (j + 1)), 0.15 * population, RESOLUTION / 2);
    }
}

static void describe_sky(survey_sky *sky)
{
    survey_sky_add_lines(sky, sizeof oh / sizeof oh[0], oh, RESOLUTION);
    add_throughput(sky);
    absorb_co2(sky, 6075.98, 0.04);
    absorb_co2(sky, 6227.92, 0.25);
    absorb_co2(sky, 6347.85, 0.25);
    absorb_co2(sky, 6503.08, 0.03);
    absorb_ch4(sky);
}

/* Ranges that give between 1 and 25 % of bad pixels, most of them in runs of 2 to 20, as the
 * combined spectra have them. */
static const survey_variety variety = {
    .sky = {0.3, 30},
    .read = {0.01, 0.3},
    .outshone = {0.03, 2},
    .airmass = {0.8, 2.5},
    .colour = {-2, 1},
    .hits = {0.0003, 0.003},
    .runs = {0.001, 0.01},
    .length = 12,
    .shift = 50,
};

static const anpe_option options[] = {SURVEY_NOISE_OPTIONS(25, 600)};

static anpe_status create(anpe_ctx *ctx, const void *o, const void *setup, void **self)
{
    const anpe_noise_setup *with = setup;
    survey_noise *s = NULL;
    const anpe_status status =
        survey_noise_new(ctx, o, with, APOGEE_LOG_STEP, 300, describe_sky, &variety, &s);
    *self = s;
    return status;
}

static void destroy(void *self)
{
    survey_noise_free(self);
}

static const anpe_noise_ops ops = {sizeof ops, survey_noise_draw, NULL, NULL, survey_noise_unit};

const anpe_plugin apogee_noise = {
    .abi = ANPE_ABI,
    .kind = ANPE_NOISE,
    .name = "apogee",
    .version = "1",
    .summary = "APOGEE error bars and masks, from a library or a synthetic sky",
    .options = options,
    .options_size = sizeof(survey_noise_options),
    .create = create,
    .destroy = destroy,
    .ops = &ops,
};
