/* What GALAH spectra have for noise where no library of real ones is given. */
#include "galah.h"

/* Light of a solar-type star over the arms, falling towards their ends; shapes, not the survey's
 * numbers. */
static void describe_sky(survey_sky *sky)
{
    static const double light[][2] = {{4719, 0.10}, {4760, 0.18}, {4850, 0.24}, {4901, 0.20},
                                      {5654, 0.40}, {5700, 0.52}, {5820, 0.55}, {5873, 0.45},
                                      {6482, 0.70}, {6540, 0.95}, {6680, 1.00}, {6736, 0.80},
                                      {7692, 0.60}, {7740, 0.75}, {7840, 0.70}, {7886, 0.55}};
    static const survey_sky_line lines[] = {{7714.6, 0.3}, {7752.8, 0.8}, {7796.3, 1.0},
                                            {7810.6, 0.4}, {7823.7, 1.0}, {7843.4, 0.5},
                                            {7855.4, 0.7}}; /* OH, Osterbrock et al. 1996 */
    survey_sky_set_throughput(sky, sizeof light / sizeof *light, light);
    survey_sky_add_lines(sky, sizeof lines / sizeof *lines, lines, 28000);
}

const gridded_noise galah_noise_kind = {.sky = describe_sky,
                                        .variety = {
                                            .sky = {0.01, 1},
                                            .read = {0.005, 0.3},
                                            .outshone = {2, 50},
                                            .airmass = {1, 2},
                                            .colour = {-2, 3},
                                            .hits = {0.0002, 0.003},
                                            .runs = {0.00005, 0.0005},
                                            .length = 4,
                                            .ends = 20,
                                            .shift = 40,
                                        }};
