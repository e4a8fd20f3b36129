/* instruments/apogee/apogee.h -- what the reader and the noise model share. */
#ifndef ANPE_APOGEE_H
#define ANPE_APOGEE_H
#include "../common/survey_noise.h"

/* Pixel i of a combined APOGEE spectrum: log10(vacuum Angstrom) = START + STEP i. */
#define APOGEE_LOG_START 4.179
#define APOGEE_LOG_STEP  6e-6
#define APOGEE_FULL      8575 /* pixels of a combined spectrum */
#define APOGEE_PAYNE     7214 /* of them, the inner parts of the three detectors */

extern const anpe_plugin apogee_noise;
#endif
