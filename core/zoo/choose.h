/* zoo/choose.h -- the model for files of which nothing is said: by what they are. */
#ifndef ANPE_CORE_CHOOSE_H
#define ANPE_CORE_CHOOSE_H
#include "zoo/place.h"

/* The instrument of a model file, malloc'ed. */
ANPE_MUST_CHECK anpe_status anpe_zoo_instrument(anpe_ctx *ctx, const char *model, char **name);
/* The model (malloc'ed path) whose instrument reads these files: of the first place that has one
 * for that instrument; of several there, the one that is called as the instrument is. A file that
 * no instrument knows is left to the run, unless all are. ANPE_EINVAL: files of different
 * instruments, with how many are of which; no such model; several of which none is meant. */
ANPE_MUST_CHECK anpe_status anpe_zoo_choose(anpe_ctx *ctx, int64_t n, const char *const *files,
                                            char **model);
#endif
