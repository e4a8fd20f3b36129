/* file/emulator.h -- the one HDF5 layout of emulators, imported or trained here; described in
 * plugins/simulator/payne/README.md, read by the simulator plugins payne and cannon. */
#ifndef ANPE_CORE_EMULATOR_H
#define ANPE_CORE_EMULATOR_H
#include "base/context.h"

enum { ANPE_EMULATOR_ARRAYS = 40 };

typedef struct anpe_emulator_array {
    char name[24];
    int rank;
    int64_t shape[4];
    double *v; /* malloc'ed */
} anpe_emulator_array;

typedef struct anpe_emulator {
    const char *kind;       /* dense, components, per_pixel, cannon */
    const char *activation; /* leaky_relu, relu, sigmoid; NULL: none */
    const char *output;     /* linear, sigmoid */
    const char *on_grid;    /* instrument whose pixels these are; NULL: none */
    double resolution;      /* lambda / FWHM of the spectra; inf: sharp or not known */
    int normalised;         /* continuum near 1 */
    const char *creator;    /* the command; NULL: anpe import */
    char error[160];        /* of spectra that it was not trained on, in words; "": not known */
    int half;               /* arrays of two dimensions are stored in half precision */
    int64_t n_labels, n_pixels, n_layers;
    anpe_label *labels; /* malloc'ed; min, max: the domain */
    /* w0, b0, ...; basis, mean; coefficients; wavelength; scatter; x_min, x_max where labels are
     * scaled with them: whatever the kind has */
    int n_arrays;
    anpe_emulator_array arrays[ANPE_EMULATOR_ARRAYS];
    int n_sources; /* base names and SHA-256 of the files it came from */
    char source[8][128], digest[8][65];
} anpe_emulator;

/* Takes ownership of v, also on failure. */
ANPE_MUST_CHECK anpe_status anpe_emulator_add(anpe_ctx *ctx, anpe_emulator *e, const char *name,
                                              int rank, const int64_t *shape, double *v);
const anpe_emulator_array *anpe_emulator_find(const anpe_emulator *e, const char *name);
/* Writes, with the labels' domain as domain_min and domain_max, or where there is no scaling as
 * x_min and x_max. Numbers that a float holds exactly are stored as float. ANPE_ENUMERIC: half
 * precision does not hold a weight. */
ANPE_MUST_CHECK anpe_status anpe_emulator_write(anpe_ctx *ctx, const anpe_emulator *e,
                                                const char *path);
void anpe_emulator_clear(anpe_emulator *e);
#endif
