/* kind/simulator.h -- what the core asks a simulator plugin beyond spectra. */
#ifndef ANPE_CORE_SIMULATOR_H
#define ANPE_CORE_SIMULATOR_H
#include "kind/component.h"

/* Whether ops->derivatives may be called: a plugin of ABI 1.0 or 1.1 has no such member. */
int anpe_simulator_has_derivatives(const anpe_component *simulator);
#endif
