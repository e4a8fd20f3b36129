/* common/lsf_file.h -- a line-spread function by wavelength from a text file:
 *
 *     # comments
 *     velocity 5000 5500 6000      wavelengths of the kernels, vacuum Angstrom, ascending
 *     -9.0     0    0    0         km/s from the line's centre, > 0 to the red, ascending; kernels
 *     -8.5     0.01 0.02 0.01
 *
 * Blanks, tabs or commas between the columns. Values are checked by the core (anpe_lsf_table). */
#ifndef ANPE_LSF_FILE_H
#define ANPE_LSF_FILE_H
#include <anpe/plugin.h>

/* The option `lsf` of a struct OPTIONS. */
#define LSF_FILE_OPTION(OPTIONS)                                                                   \
    ANPE_OPT_FILE(OPTIONS, lsf, "",                                                                \
                  "table of the line-spread function by wavelength, in place of a Gaussian of "    \
                  "the resolution")

/* Clear with lsf_file_clear, also after a failure. */
/* path "": no table, no kernels. */
ANPE_MUST_CHECK anpe_status lsf_file_read(anpe_ctx *ctx, const char *path, anpe_lsf_table *out);
void lsf_file_clear(anpe_lsf_table *t);
/* For anpe_instrument_info: NULL where there is none. */
const anpe_lsf_table *lsf_file_table(const anpe_lsf_table *t);
#endif
