/* prepare/simulate.h -- simulations to a file: labels and noise-free spectra, or mock observations.
 */
#ifndef ANPE_CORE_SIMULATE_H
#define ANPE_CORE_SIMULATE_H
#include "task/task.h"

typedef struct anpe_simulate_request {
    const char *source; /* configuration, or a model whose configuration is used */
    int n_sets;
    const char *const *sets;
    int64_t n;
    int observed; /* with the noise model's error bars, masks and noise */
    uint32_t seed;
    int threads;
    const char *output;
} anpe_simulate_request;

/* HDF5: theta (N, D) with attributes labels and units, flux (N, P); observed: sigma, mask (N, P);
 * wavelength (P). Streams: memory does not grow with N. */
ANPE_MUST_CHECK anpe_status anpe_simulate(anpe_ctx *ctx, const anpe_simulate_request *request);
#endif
