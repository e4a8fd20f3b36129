/* What the core asks a simulator plugin beyond spectra. */
#include "kind/simulator.h"

int anpe_simulator_has_derivatives(const anpe_component *simulator)
{
    const anpe_simulator_ops *ops = simulator->ops;
    const size_t needed = offsetof(anpe_simulator_ops, derivatives) + sizeof ops->derivatives;
    return ops->size >= needed && ops->derivatives;
}
