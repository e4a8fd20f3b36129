/* What the core asks a simulator plugin beyond spectra. */
#include "kind/simulator.h"

int anpe_simulator_has_derivatives(const anpe_component *simulator)
{
    const anpe_simulator_ops *ops = simulator->ops;
    return ANPE_HAS(ops, derivatives);
}
