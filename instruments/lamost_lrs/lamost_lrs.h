/* instruments/lamost_lrs/lamost_lrs.h -- what the reader and the noise model share. */
#ifndef ANPE_LAMOST_LRS_H
#define ANPE_LAMOST_LRS_H
#include "../common/survey_noise.h"

/* Pixel i of the survey's own grid: log10(vacuum Angstrom) = START + STEP i. */
#define LAMOST_LOG_START  3.5682
#define LAMOST_LOG_STEP   1e-4
#define LAMOST_RESOLUTION 1800.0

extern const anpe_plugin lamost_lrs_noise;
#endif
