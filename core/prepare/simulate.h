/* prepare/simulate.h -- simulations to a file: labels and noise-free spectra, or mock observations.
 */
#ifndef ANPE_CORE_SIMULATE_H
#define ANPE_CORE_SIMULATE_H
#include "file/part.h"
#include "ranks/ranks.h"
#include "task/task.h"

/* Where labels come from: drawn from the prior, or from a design that fills its range
 * (stat/design.h, task/quantiles.h). */
typedef enum anpe_labels_by { ANPE_BY_PRIOR, ANPE_BY_SOBOL, ANPE_BY_LATIN } anpe_labels_by;

enum { ANPE_SHARED_MOST = 64 };

typedef struct anpe_simulate_request {
    const char *source; /* configuration, or a model whose configuration is used */
    int n_sets;
    const char *const *sets;
    int64_t n;
    anpe_labels_by design;
    int own_grid; /* the simulator's own spectra, on its pixels and at rest */
    int observed; /* with the noise model's error bars, masks and noise */
    int resume;   /* blocks are kept in OUTPUT.part, and those that are there are taken */
    int skip;     /* label sets that the simulator refuses are left out */
    /* Spectra that agree in the labels of the simulator's op `shared`, one after the other: a power
     * of 2 up to ANPE_SHARED_MOST; 1: each has its own. More than 1: own_grid, and a design. */
    int64_t per_atmosphere;
    int64_t *refused; /* how many these were; may be NULL */
    uint32_t seed;
    int threads;
    anpe_ranks *ranks; /* who take part, or NULL; all of them call, rank 0 writes */
    const char *output;
    anpe_share share; /* a part of the spectra, to OUTPUT.K-of-N, with resume */
    int n_parts;      /* to be put together: no spectrum is simulated */
    const char *const *parts;
} anpe_simulate_request;

/* HDF5: theta (N, D) with attributes labels and units, flux (N, P); observed: sigma, mask (N, P);
 * wavelength (P). Streams: memory does not grow with N, but for a latin design. The bytes depend on
 * neither threads nor ranks, nor on where an earlier run ended. */
ANPE_MUST_CHECK anpe_status anpe_simulate(anpe_ctx *ctx, const anpe_simulate_request *request);
/* Puts the parts of one run together: the file that the run would have written, to output. head: of
 * the parts (file/part.h). */
ANPE_MUST_CHECK anpe_status anpe_simulate_merge(anpe_ctx *ctx, const anpe_text *head, int n_parts,
                                                const char *const *parts, const char *output,
                                                int64_t *n);
#endif
