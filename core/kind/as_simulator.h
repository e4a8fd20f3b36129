/* kind/as_simulator.h -- an emulator that is not on the disk yet, as the simulator that it will be:
 * what is said of its errors is said of the numbers that its file has and its plugin computes. */
#ifndef ANPE_CORE_AS_SIMULATOR_H
#define ANPE_CORE_AS_SIMULATOR_H
#include "file/emulator.h"
#include "kind/component.h"

/* Settings of nothing but the simulator `plugin` on the emulator at `path`. */
ANPE_MUST_CHECK anpe_status anpe_as_simulator_settings(anpe_ctx *ctx, const char *plugin,
                                                       const char *path, int n_sets,
                                                       const char *const *sets,
                                                       anpe_settings **out);

typedef struct anpe_as_simulator {
    anpe_settings *settings;
    anpe_component simulator;
} anpe_as_simulator;

/* By way of a temporary file beside `output`, which is gone afterwards; `plugin` reads it. */
ANPE_MUST_CHECK anpe_status anpe_as_simulator_open(anpe_ctx *ctx, const anpe_emulator *e,
                                                   const char *plugin, const char *output,
                                                   anpe_as_simulator *s);
void anpe_as_simulator_clear(anpe_as_simulator *s);
#endif
