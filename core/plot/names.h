/* plot/names.h -- labels as they are printed in papers: teff in K is T_eff [K], mg_fe is [Mg/Fe].
 */
#ifndef ANPE_CORE_NAMES_H
#define ANPE_CORE_NAMES_H
#include <stddef.h>

/* With PLplot's escapes, into buffer, which is returned. */
const char *anpe_names_label(char *buffer, size_t size, const char *label);
/* The same with the unit in brackets behind it; dimensionless ones, dex included, have none. */
const char *anpe_names_axis(char *buffer, size_t size, const char *label, const char *unit);
/* " K", or nothing where anpe_names_axis gives none. */
const char *anpe_names_unit(char *buffer, size_t size, const char *unit);
/* Text from elsewhere: what would be an escape is doubled. */
const char *anpe_names_plain(char *buffer, size_t size, const char *text);
#endif
