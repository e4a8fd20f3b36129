/* Shared by the files of the instrument `galah`. */
#ifndef ANPE_GALAH_H
#define ANPE_GALAH_H
#include "../common/gridded.h"

extern const gridded_noise galah_noise_kind;
#endif
