/* simulator/common/emulator.h -- reads an emulator file; the layout is in
 * simulator/payne/README.md.
 *
 * Shared by the simulators payne and cannon. Everything is read in create, by one thread. */
#ifndef SIMULATOR_EMULATOR_H
#define SIMULATOR_EMULATOR_H
#include <anpe/plugin.h>

typedef struct emulator {
    char *path;
    char kind[16], activation[16], output[16];
    int64_t n_layers; /* of a network, without the components behind it */
    int64_t n_labels, n_pixels;
    int64_t n_stored, first; /* pixels of the file, of which n_pixels from `first` on are kept */
    anpe_label *labels;      /* (n_labels) with the domain */
    double *x_min, *x_max; /* (n_labels) what labels are scaled with; the domain may be narrower */
    double *wavelength;    /* (n_pixels), NULL if the file has none */
    float *scatter;        /* (n_pixels), NULL if the file has none */
    double resolution;     /* inf: not given */
    int on_grid, normalised;
} emulator;

/* kinds: what the caller can run, e.g. "dense|per_pixel". Of an emulator with wavelengths that are
 * not the instrument's own pixels only those are kept which the instrument can see at all; setup
 * NULL: all are. n_pixels is left to the caller when the file has no wavelengths (emulator_array of
 * its last layer tells it). */
ANPE_MUST_CHECK anpe_status emulator_open(anpe_ctx *ctx, const char *path, const char *kinds,
                                          const anpe_simulator_setup *setup, emulator *e);
/* The model scatter, if the file has one: call it when n_pixels is known. */
ANPE_MUST_CHECK anpe_status emulator_read_scatter(anpe_ctx *ctx, emulator *e);
void emulator_clear(emulator *e);
/* Dataset `key` of exactly this rank; a dimension given as -1 may be anything and is filled in,
 * others must agree. A NaN is refused. *data is malloc'ed. */
ANPE_MUST_CHECK anpe_status emulator_array(anpe_ctx *ctx, const emulator *e, const char *key,
                                           int rank, int64_t *shape, double **data);
/* The same of an array whose first dimension is the file's pixels, shape[0] on return those that
 * are kept, which become n_pixels if they were not known. */
ANPE_MUST_CHECK anpe_status emulator_pixels(anpe_ctx *ctx, emulator *e, const char *key, int rank,
                                            int64_t *shape, double **data);
/* theta (n_labels) checked against the domain. */
ANPE_MUST_CHECK anpe_status emulator_labels(const emulator *e, anpe_ctx *ctx, const char *plugin,
                                            const double *theta);
void emulator_info(const emulator *e, anpe_simulator_info *info);
#endif
